"""Spin cats as states: what leaks out of the collective spin, from the stored state of another deck; Wigner functions."""
# cospin-test: TIMEOUT 600
import os
import re
import subprocess
import sys
import tempfile
import unittest

from decks import PROGRAM, SOURCE, cospin_data
import numpy as np

try:
    import cospin_plot
    import cospin_wigner
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

# 4 + 4 spins, eta = 0.5, delta = 0.01: share of j = N/2, from an independent calculation, to five digits
LEAKAGE = {10: .99402, 50: .91754, 100: .81095, 200: .64921, 500: .40255}
# N = 100: the amplitude at T = 1000 of the coherent state of the boson
AMPLITUDE = {5: 3.3596, 10.5: 2.7128}


def run(deck, folder, changes=()):
    """The dataset, beside which the datasets of the decks before it stand."""
    with open(os.path.join(SOURCE, "input", deck + ".yaml"), encoding="utf-8") as stream:
        text = stream.read().replace("file: ../runs/", "file: ")
    for pattern, replacement in changes:
        text, count = re.subn(pattern, replacement, text, flags=re.M)
        assert count == 1, pattern
    path, output = (os.path.join(folder, deck + suffix) for suffix in (".yaml", ".h5"))
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(text)
    subprocess.run([PROGRAM, "run", path, "-o", output, "--quiet"], check=True, env={**os.environ, "TMPDIR": folder})
    return output


class Leakage(unittest.TestCase):
    def test_two_decks(self):
        with tempfile.TemporaryDirectory() as folder:
            even = cospin_data.open_dataset(run("spin_cat_even", folder))
            np.testing.assert_allclose(even.evolve_squared, 20, atol=1e-8)  # j = 4
            data = cospin_data.open_dataset(run("spin_cat_leakage", folder))
            self.assertAlmostEqual(float(data.evolve_collective[0]), 1, delta=1e-9)
            for time, share in LEAKAGE.items():
                self.assertAlmostEqual(float(data.evolve_collective.sel(time=time)), share, delta=6e-6)

    def test_without_the_first_deck(self):
        with tempfile.TemporaryDirectory() as folder:
            with self.assertRaises(subprocess.CalledProcessError) as refused:
                run("spin_cat_leakage", folder)
            self.assertEqual(refused.exception.returncode, 2)


class Wigner(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        cls.path = run("spin_cat_wigner", cls.scratch.name, [(r"eta: \[5, 12\]", "eta: [2, 5, 10.5]")])
        cls.data = cospin_data.open_dataset(cls.path)

    @classmethod
    def tearDownClass(cls):
        cls.scratch.cleanup()

    def test_amplitudes(self):
        lower = np.diag(np.sqrt(np.arange(1, 101)), 1)
        for eta, amplitude in AMPLITUDE.items():
            rho = cospin_data.read_state(self.path, "coherent", eta=eta).block()
            self.assertAlmostEqual(abs(np.trace(rho @ lower)), amplitude, delta=6e-5)
            self.assertAlmostEqual(np.angle(np.trace(rho @ lower)), -np.pi / 4, delta=1e-6)

    def test_even_cats(self):
        for eta in (2, 5):
            state = cospin_data.read_state(self.path, "even", eta=eta)
            rho = state.block()
            self.assertAlmostEqual(state.trace(), 1, delta=1e-9)
            # parity is even, so W(0) is as large as it can be; along the other diagonal there are fringes
            self.assertAlmostEqual(cospin_wigner.on_plane(rho, np.array(0j)), 2 / np.pi, delta=1e-9)
            across = np.exp(1j * np.pi / 4) * np.linspace(-2, 2, 201)
            self.assertLess(cospin_wigner.on_plane(rho, across).min(), -.3)
            # the blobs stand at the amplitudes that the coherent state keeps
            amplitude = float(self.data.coherent_amplitude.sel(eta=eta)[-1])
            blob = amplitude * np.exp(-1j * np.pi / 4)
            for at in (blob, -blob):
                self.assertAlmostEqual(cospin_wigner.on_plane(rho, np.array(at)), 1 / np.pi, delta=.05)

    def test_lost_coherence_has_no_fringes(self):
        rho = cospin_data.read_state(self.path, "coherent", eta=10.5).block()
        across = np.exp(1j * np.pi / 4) * np.linspace(-2, 2, 201)
        self.assertLess(np.abs(cospin_wigner.on_plane(rho, across)).max(), .05)

    def test_picture(self):
        output = os.path.join(self.scratch.name, "cats.png")
        self.assertEqual(cospin_plot.main([self.path, "-o", output]), 0)
        self.assertGreater(os.path.getsize(output), 50000)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
