"""The old name of cospin.merging, for one version more: `import cospin` instead."""
import sys

from cospin import merging

sys.modules[__name__] = merging
