"""The old name of cospin.grid, for one version more: `import cospin` instead."""
import sys

from cospin import grid

sys.modules[__name__] = grid
