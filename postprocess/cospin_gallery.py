#!/usr/bin/python3
"""The old name of cospin.gallery.main, for one version more: `import cospin` instead."""
import sys

from cospin.gallery import main

sys.modules[__name__] = main
if __name__ == "__main__":
    sys.exit(main.main())
