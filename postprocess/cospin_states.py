"""The old name of cospin.states, for one version more: `import cospin` instead."""
import sys

from cospin import states

sys.modules[__name__] = states
