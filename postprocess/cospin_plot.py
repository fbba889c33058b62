#!/usr/bin/python3
"""The old name of cospin.plot, for one version more: `import cospin` instead."""
import sys

from cospin import plot

sys.modules[__name__] = plot
if __name__ == "__main__":
    sys.exit(plot.main())
