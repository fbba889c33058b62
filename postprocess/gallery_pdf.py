"""The old name of cospin.gallery.pdf, for one version more: `import cospin` instead."""
import sys

from cospin.gallery import pdf

sys.modules[__name__] = pdf
