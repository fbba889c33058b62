"""The old name of cospin.data, for one version more: `import cospin` instead."""
import sys

from cospin import data

sys.modules[__name__] = data
