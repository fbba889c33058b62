"""The old name of cospin.husimi, for one version more: `import cospin` instead."""
import sys

from cospin import husimi

sys.modules[__name__] = husimi
