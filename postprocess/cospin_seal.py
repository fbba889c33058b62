"""The old name of cospin.seal, for one version more: `import cospin` instead."""
import sys

from cospin import seal

sys.modules[__name__] = seal
