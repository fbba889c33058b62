"""Every panel of four papers on one page: a tool of the source tree, which reads its list, decks and pictures there."""
import os

HERE = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, os.pardir))  # postprocess/
ROOT = os.path.dirname(HERE)
