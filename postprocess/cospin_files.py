"""The old name of cospin.files, for one version more: `import cospin` instead."""
import sys

from cospin import files

sys.modules[__name__] = files
