"""Spin cats of one collective spin: rates of the odd coherence over ten decades, gaps, and what is below the resolution."""
# cospin-test: TIMEOUT 600
import math
import sys
import unittest

from decks import run

# eta: rate of the even-odd coherence at N = 100, with the digits that were verified; None: below 1e-12
LIFETIMES = {5: None, 8: 5.866e-10, 9: 5.0073e-7, 10: 9.0887e-5, 10.5: 7.1299e-4, 11: 3.8837e-3, 12: 3.7405e-2,
             15: .23566}
# the smaller one of the gaps of the even and of the odd populations
GAPS = {2: 4.18180, 5: 10.1198, 10: 12.9233, 12: 5.10506}
# with 60 digits
SMALL = {20: {.5: 4.356666e-12, 1: 9.426883e-7}, 8: {.2: 2.9124551821624e-6, .5: 2.15056950e-3}}


def half_a_digit(value, digits):
    return .51 * 10 ** (math.floor(math.log10(value)) - digits + 1)


class SpinCat(unittest.TestCase):
    def test_one_hundred(self):
        data = run("spin_cat_lifetime.yaml")
        self.assertTrue((data.outcome == 1).all())
        for eta, expected in LIFETIMES.items():
            point = data.sel(eta=eta).isel(mode=0)
            resolution = float(point.decay_resolution)
            self.assertLess(resolution, 1e-11)
            if expected is None:
                self.assertEqual(float(point.decay_rate), 0)
                self.assertEqual(float(point.decay_lower), 0)
                self.assertEqual(float(point.decay_upper), resolution)
            else:
                digits = 4 if expected == 5.866e-10 else 5
                self.assertAlmostEqual(float(point.decay_rate), expected,
                                       delta=half_a_digit(expected, digits) + resolution)
        for eta, expected in GAPS.items():
            self.assertAlmostEqual(float(data.gap_rate.sel(eta=eta)), expected, delta=half_a_digit(expected, 6))

    def test_rates_only_fall_with_the_size_of_the_cat(self):
        data = run("spin_cat_lifetime.yaml", [(r"eta: \[2, 5.*\]", "eta: {linspace: [8, 12, 9]}")])
        self.assertTrue((data.decay_rate.isel(mode=0).diff("eta") > 0).all())

    def test_few_spins(self):
        for size, rates in SMALL.items():
            data = run("spin_cat_lifetime.yaml", [(r"N: +100 ", f"N: {size} "),
                                                  (r"eta: \[2, 5.*\]", f"eta: {list(rates)}")])
            for eta, expected in rates.items():
                point = data.sel(eta=eta).isel(mode=0)
                resolution = float(point.decay_resolution)
                if float(point.decay_rate) == 0:  # not told, or within the bounds
                    self.assertLessEqual(expected, float(point.decay_upper))
                else:
                    self.assertAlmostEqual(float(point.decay_rate), expected, delta=resolution + 1e-8 * expected)

    def test_even_and_odd_have_a_steady_state_each(self):
        data = run("spin_cat_lifetime.yaml", [(r"- gap: +\{\}", "- gap: {}\n  - steady: {}"), (r"N: +100 ", "N: 12 "),
                                              (r"eta: \[2, 5.*\]", "eta: [0.5, 1]")], status=3)
        self.assertTrue((data.steady_degeneracy == 2).all())
        self.assertTrue((data.steady_outcome == -4).all())


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
