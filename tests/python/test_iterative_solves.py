"""Where factors would not fit into memory, equations are solved by iteration: the same numbers, as good residuals."""
import os
import subprocess
import sys
import tempfile
import unittest

from decks import PROGRAM, SOURCE, cospin_data

# N = 4 of the maser's set A with 40 Fock states: <a^+ a>, -lambda of the sector of <a> (independent code, error 1e-9)
PHOTONS, RATE = 2.668171918, .1695095165


def run(megabytes, folder):
    """The dataset on a machine with so much memory, and whether its linewidth was found without factors."""
    with open(os.path.join(SOURCE, "input", "maser_exact.yaml"), encoding="utf-8") as stream:
        text = stream.read()
    changed = text.replace("N: [2, 4, 10]", "N: [4]").replace("{kind: mode}", "{kind: mode, cutoff: 40}")
    path, output = os.path.join(folder, "maser.yaml"), os.path.join(folder, "maser.h5")
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(changed)
    environment = {**os.environ, "TMPDIR": folder, "SLURM_MEM_PER_NODE": str(megabytes)}
    subprocess.run([PROGRAM, "run", path, "-o", output, "--overwrite", "--quiet"], check=True, env=environment)
    data = cospin_data.open_dataset(output).isel(N=0)
    return data, int(data.decay_factorisations) == 0 and int(data.decay_products) > 0


class Iterative(unittest.TestCase):
    def test_same_numbers(self):
        with tempfile.TemporaryDirectory() as folder:
            direct, used = run(8192, folder)
            self.assertFalse(used)
            iterative, used = run(12, folder)  # MB: enough for iteration, not for factors
            self.assertTrue(used)
        for data in (direct, iterative):
            self.assertEqual(int(data.outcome), 1)
            self.assertAlmostEqual(float(data.steady_photons), PHOTONS, delta=2e-9)
            self.assertAlmostEqual(float(data.decay_rate[0]), RATE, delta=1e-9)
            self.assertLess(float(data.steady_residual), 1e-12)
            self.assertLess(float(data.decay_residual[0]), 1e-12)
        self.assertAlmostEqual(float(direct.decay_weight[0]), float(iterative.decay_weight[0]), delta=1e-9)
        self.assertEqual(int(iterative.steady_degeneracy), 1)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
