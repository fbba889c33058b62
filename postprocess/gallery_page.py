"""The old name of cospin.gallery.page, for one version more: `import cospin` instead."""
import sys

from cospin.gallery import page

sys.modules[__name__] = page
