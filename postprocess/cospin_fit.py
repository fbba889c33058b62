"""The old name of cospin.fit, for one version more: `import cospin` instead."""
import sys

from cospin import fit

sys.modules[__name__] = fit
