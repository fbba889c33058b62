"""The old name of cospin.wigner, for one version more: `import cospin` instead."""
import sys

from cospin import wigner

sys.modules[__name__] = wigner
