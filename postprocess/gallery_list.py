"""The old name of cospin.gallery.entries, for one version more: `import cospin` instead."""
import sys

from cospin.gallery import entries

sys.modules[__name__] = entries
