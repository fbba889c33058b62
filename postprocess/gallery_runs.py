"""The old name of cospin.gallery.runs, for one version more: `import cospin` instead."""
import sys

from cospin.gallery import runs

sys.modules[__name__] = runs
