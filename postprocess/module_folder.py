"""Prints where below a prefix this Python looks for packages: module_folder.py /usr/local -> lib/python3.11/dist-packages.

A prefix of its own, where no Python looks by itself, gets lib/pythonX.Y/site-packages: PYTHONPATH has to name it.
"""
import os
import sys

major = "python{}.{}".format(*sys.version_info)
places = [f"lib/{major}/dist-packages", "lib/python3/dist-packages", f"lib/{major}/site-packages"]
print(next((place for place in places if os.path.join(os.path.abspath(sys.argv[1]), place) in sys.path), places[-1]))
