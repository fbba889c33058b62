"""Every notebook runs from its first cell to its last: by nbconvert where it is installed, and as a script, whose results are looked at."""
# cospin-test: TIMEOUT 300 COST 15
import glob
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

from decks import PROGRAM, SOURCE

NOTEBOOKS = os.path.join(SOURCE, "postprocess", "notebooks")


def cells_of(path):
    with open(path, encoding="utf-8") as stream:
        notebook = json.load(stream)
    return ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"], notebook


class Notebooks(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="cospin_notebooks_")
        self.addCleanup(shutil.rmtree, self.folder, True)
        self.addCleanup(os.chdir, os.getcwd())
        os.environ["COSPIN_PROGRAM"] = os.path.abspath(PROGRAM)
        os.chdir(self.folder)

    @unittest.skipUnless(importlib.util.find_spec("qutip"), "no python3-qutip here")
    def test_first_steps(self):
        cells, _ = cells_of(os.path.join(NOTEBOOKS, "first_steps.ipynb"))
        names = {}
        for number, cell in enumerate(cells):
            exec(compile(cell, f"first_steps.ipynb, cell {number}", "exec"), names)  # pylint: disable=exec-used
        self.assertAlmostEqual(names["here"], names["there"], 9)
        self.assertAlmostEqual(names["inversion"], float(names["data"].steady_inversion.sel(w=names["w"])), 9)
        self.assertEqual(names["data"].attrs["cospin_points_finished"], 13)
        self.assertGreater(names["more"][40], 2.5 * names["more"][10])  # of each atom: grows as their number
        self.assertEqual(names["plan"].deck["components"]["atoms"]["size"], "N")

    @unittest.skipUnless(importlib.util.find_spec("nbconvert") and importlib.util.find_spec("ipykernel"), "no nbconvert here")
    def test_nbconvert(self):
        for path in glob.glob(os.path.join(NOTEBOOKS, "*.ipynb")):
            paths = [os.path.join(SOURCE, "postprocess"), *filter(None, [os.environ.get("PYTHONPATH")])]
            environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
            subprocess.run([sys.executable, "-m", "nbconvert", "--to", "notebook", "--execute", "--output-dir", self.folder, path], check=True,
                           env=environment)

    def test_they_are_whole_and_hold_no_results(self):
        for path in glob.glob(os.path.join(NOTEBOOKS, "*.ipynb")):
            _, notebook = cells_of(path)
            self.assertEqual(notebook["nbformat"], 4)
            self.assertEqual(len({cell["id"] for cell in notebook["cells"]}), len(notebook["cells"]))
            for cell in notebook["cells"]:
                self.assertEqual(cell.get("outputs", []), [])
                for link in (part.split(")")[0] for part in "".join(cell["source"]).split("](")[1:] if cell["cell_type"] == "markdown"):
                    self.assertTrue(os.path.exists(os.path.join(NOTEBOOKS, link)), link)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
