"""Runs the shipped decks at full size and compares them with independently computed numbers.

The references are those of the verified tables for PRA 95, 033423 (2017): six digits after the point, so half a unit of
the last one (5e-7) is all they can be wrong by; rates were bracketed, inversions and correlations agree to 1e-9 between
two methods.
"""
# cospin-test: TIMEOUT 900
import sys
import unittest

import numpy

from decks import run

LAST_DIGIT = 5.5e-7

# nbar: rate, inversion, correlation at N = 124, w = N Gc/2
FIG_10A = {
    0: (.937086, .507902, .117895), .5: (1.522267, .514513, .114110), 1: (2.263745, .518840, .110876),
    2: (4.002379, .521250, .106001), 3: (5.867447, .518328, .102583), 4: (7.746181, .512653, .100007),
    4.7: (9.046354, .507812, .098514), 5: (9.597927, .505605, .097930)}

# x: rate at N = 124, nbar = 0, G_sp = Gamma_d = 5 Gc
FIG_10B = {.05: 9.372090, .1: 3.409491, .2: 1.717299, .3: 1.593859, .5: 2.545347, .8: 8.697398, 1: 16.638414}

# x: (inversion, correlation, rate) for N = 10, 40, 124; nbar = 0, no local terms but repumping
BY_SIZE = {
    .05: ((-.071473, -.021822, 1.194600), (.037382, .011383, 1.196409), (.055378, .019517, .753531)),
    .1: ((0, 0, 1.230477), (.101240, .031972, 1.044461), (.107576, .040482, .553770)),
    .2: ((.120967, .035394, 1.275040), (.211389, .065353, .944233), (.207997, .074934, .515098)),
    .3: ((.224763, .061164, 1.354726), (.313498, .088776, .996221), (.308028, .099322, .587469)),
    .4: ((.316453, .078763, 1.476797), (.411881, .102539, 1.158781), (.408011, .113637, .720216)),
    .5: ((.397728, .089646, 1.640406), (.506273, .107285, 1.442977), (.507902, .117895, .937086)),
    .6: ((.469252, .095291, 1.843339), (.594348, .104376, 1.882411), (.607276, .112241, 1.322476)),
    .8: ((.585269, .096255, 2.354184), (.738477, .085003, 3.348696), (.790557, .077179, 3.581437)),
    1.0: ((.670561, .090213, 2.979854), (.831114, .063132, 5.605987), (.902320, .041504, 9.589801))}
SIZES = (10, 40, 124)


class Decks(unittest.TestCase):
    def close(self, found, expected, what):
        found = float(numpy.asarray(found).squeeze())
        self.assertLess(abs(found - expected), LAST_DIGIT, f"{what}: {found} instead of {expected}")

    def at(self, data, name, **point):
        return data[name].sel(point, method="nearest", tolerance=1e-9)

    def test_fig_10a(self):
        data = run("ions_fig10a.yaml")
        self.assertEqual(data.sizes["nbar"], len(FIG_10A))
        for nbar, values in FIG_10A.items():
            for name, value in zip(("decay_rate", "steady_inversion", "steady_correlation"), values):
                self.close(self.at(data, name, nbar=nbar), value, f"{name} at nbar = {nbar}")
        width = (data.decay_upper - data.decay_lower) / data.decay_rate
        self.assertTrue((width >= 0).all() and (width < 1e-6).all(), "the bracket is narrow")
        self.assertTrue((data.decay_lower <= data.decay_rate + 1e-10).all())
        self.assertTrue((data.decay_upper >= data.decay_rate - 1e-10).all())

    def test_hot_mode(self):
        """Left and right vectors are nearly orthogonal here: the two-sided solver agrees with the one-sided one."""
        hot = [("N: +124", "N: 30"), (r"^  w: .*", "  w: 1"), ("nbar: .0, .*", "nbar: [80, 98]")]
        data = run("ions_fig10a.yaml", hot)
        self.assertTrue((data.decay_outcome == 1).all())
        self.assertTrue((data.decay_lower <= data.decay_rate * (1 + 1e-10)).all())
        self.assertTrue((data.decay_upper >= data.decay_rate * (1 - 1e-10)).all())
        right = run("ions_fig10a.yaml", [*hot, ("of: ions.Sp", "of: ions.Sp, weights: false")])
        self.assertLess(float(abs(data.decay_rate / right.decay_rate - 1).max()), 1e-9)

    def test_exact_balance_of_fig_10a(self):
        """Pumped in = radiated out: w/2 (1-s) N + Gc nbar <J-J+> = Gc (nbar+1) <J+J->."""
        data = run("ions_fig10a.yaml")
        size, s = 124, data.steady_inversion
        up_down = data.steady_correlation * size * (size - 1) + size / 2 + s * size / 2  # <J+J->
        down_up = up_down - s * size  # [J+, J-] = 2 Jz
        pumped = size / 2 / 2 * (1 - s) * size + data.nbar * down_up
        balance = (pumped - (data.nbar + 1) * up_down) / pumped
        self.assertLess(float(abs(balance).max()), 1e-12)

    def test_fig_10b(self):
        data = run("ions_fig10b.yaml")
        for x, rate in FIG_10B.items():
            self.close(self.at(data, "decay_rate", x=x), rate, f"rate at x = {x}")
        self.assertTrue((data.steady_uncorrelated == 5).all())

    def test_fig_5(self):
        data = run("ions_fig5_cavity.yaml")
        for x, by_size in BY_SIZE.items():
            inversion, correlation, _ = by_size[SIZES.index(40)]
            self.close(self.at(data, "steady_inversion", x=x), inversion, f"inversion at x = {x}")
            self.close(self.at(data, "steady_correlation", x=x), correlation, f"correlation at x = {x}")

    def test_rate_against_size(self):
        data = run("ions_rate_vs_n.yaml")
        self.assertEqual(tuple(data.N.values), SIZES)
        for x, by_size in BY_SIZE.items():
            for size, (_, _, rate) in zip(SIZES, by_size):
                self.close(self.at(data, "decay_rate", x=x, N=size), rate, f"rate at N = {size}, x = {x}")

    def test_reference_deck(self):
        """A.Sp and B.Sp live in one sector, so both tasks find the same slowest mode; every outcome is good."""
        data = run("reference_deck.yaml")
        self.assertTrue((data.outcome == 1).all())
        self.assertEqual(data.decay_rate.sizes["mode"], 2)
        difference = abs(data.decay_rate.isel(mode=0) - data.other_rate.isel(mode=0))
        self.assertLess(float(difference.max()), 1e-8, "two tasks, one sector, two rates")


if __name__ == "__main__":
    unittest.main(verbosity=2)
