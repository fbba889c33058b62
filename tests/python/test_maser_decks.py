"""The maser's decks against independently computed numbers (two methods each, error below 1e-9 where digits are given)."""
# cospin-test: TIMEOUT 900
import sys
import unittest

import decks
from decks import run

# N: <a^+ a>, Sz (eigenvalues -N..N), <S+S->, g2(0), -lambda of the sector of <a>
SET_A = {2: (1.533559316, .444229222, 1.290211583, 1.13619, .3103249983),
         4: (2.668171918, 1.173169602, 3.143765178, 1.14678, .1695095165),
         10: (6.121649291, 3.312714961, 11.668021168, 1.10049, .0632497157)}
SET_C = {4: (1.634130886, 1.325464979, 3.228671824, 1.45300, .2379019236),
         10: (2.893337373, 4.355547861, 12.203787810, 1.38220, .1184297856)}
# N: -lambda, Sz
BAD_CAVITY = {10: (.62454119, 1.99502077), 40: (.14826826, 13.19887132), 160: (.02095565, 54.31466345)}


class Maser(unittest.TestCase):
    def compare(self, data, table):
        for n, (photons, inversion, correlation, g2, rate) in table.items():
            point = data.sel(N=n)
            self.assertAlmostEqual(float(point.steady_photons), photons, delta=2e-9 * photons)
            self.assertAlmostEqual(float(point.steady_inversion), inversion, delta=2e-9)
            self.assertAlmostEqual(float(point.steady_correlation), correlation, delta=2e-9 * correlation)
            self.assertAlmostEqual(float(point.steady_g2), g2, delta=6e-6)
            self.assertAlmostEqual(float(point.decay_rate[0]), rate, delta=2e-9)
            self.assertAlmostEqual(float(point.decay_frequency[0]), 0, delta=1e-9)

    def test_set_a_finds_its_cutoff(self):
        data = run("maser_exact.yaml")
        self.compare(data, SET_A)
        self.assertTrue((data.steady_leak > 0).all() and (data.steady_leak < 1e-12).all())

    @decks.long
    def test_set_c(self):
        data = run("maser_exact.yaml", [(r"^  w: +2 ", "  w: 1 "), (r"^  gam: +0\.1", "  gam: 0.05"),
                                        (r"^  deph: 1 ", "  deph: 0.5 "), (r"^  nth: +0\.1", "  nth: 0.43"),
                                        (r"^  r: +3", "  r: 2"), (r"N: \[2, 4, 10\]", "N: [4, 10]")])
        self.compare(data, SET_C)

    def test_a_cutoff_of_the_deck_gives_the_same(self):
        data = run("maser_exact.yaml", [(r"kind: mode", "kind: mode, cutoff: 41"), (r"N: \[2, 4, 10\]", "N: [4]")])
        self.compare(data, {4: SET_A[4]})
        self.assertEqual(float(data.steady_leak[0]), 0)

    @decks.long
    def test_frequency_pulling(self):
        data = run("maser_exact.yaml", [(r"spins\.Sp \+ hc", "spins.Sp + hc\n  - 0.5*spins.Sz"),
                                        (r"N: \[2, 4, 10\]", "N: [10]")])
        # 40 and 60 Fock states give .1179011817 here; the reference, of 45 states, ends in 72
        self.assertAlmostEqual(abs(float(data.decay_frequency[0, 0])), .117901172, delta=2e-8)
        self.assertAlmostEqual(abs(float(data.decay_frequency[0, 0])), .1179011817, delta=2e-10)

    def test_bad_cavity(self):
        data = run("maser_bad_cavity.yaml")
        for n, (rate, inversion) in BAD_CAVITY.items():
            self.assertAlmostEqual(float(data.decay_rate.sel(N=n)[0]), rate, delta=1e-8)
            self.assertAlmostEqual(float(data.steady_inversion.sel(N=n)), inversion, delta=1e-8)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
