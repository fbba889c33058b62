"""One deck, exactly and approximately: the approximations become right like 1/N, and say that they are approximate."""
import sys
import unittest

from decks import run

import numpy as np

DECK = "compare_semiclassical.yaml"
GRID = r"^  N: \[2, 3, .*$"


class Semiclassical(unittest.TestCase):
    def test_differences_shrink_like_one_over_n(self):
        """N times the difference stays what it is: -2.006 and .503 (cumulant), .501 and -.123 (meanfield) at 1000 spins."""
        data = run(DECK, [(GRID, "  N: [100, 200, 500]")])
        for task, value, share, within in (("cumulant", "inversion", -2.0, .02), ("cumulant", "correlation", .51, .02),
                                           ("meanfield", "inversion", .5, .16), ("meanfield", "correlation", -.123, .21)):
            difference = data[f"{task}_{value}"] - data["steady_" + value]
            np.testing.assert_allclose(difference * data.N, share, rtol=within)
        # and both go to mean field: dp/dt = w (1 - p) - 2 N Gc x = 0 and dx/dt = (-w + N Gc p) x = 0 with w = N Gc/2
        for task in ("steady", "cumulant", "meanfield"):
            for value, limit in (("inversion", 1 / 2), ("correlation", 1 / 8)):
                distance = abs(data[f"{task}_{value}"] - limit) * data.N
                self.assertLess(float(distance.max()), 1.6)
                self.assertLess(float(distance.max() / distance.min()), 1.12)

    def test_trajectories_agree_with_the_exact_numbers(self):
        data = run("compare_langevin.yaml", [(r"^  N: \[5, 12, .*$", "  N: [50]"), (r"trajectories: 1000", "trajectories: 300")]).squeeze()
        for value, small in (("inversion", .02), ("correlation", .006)):
            error = float(data[f"langevin_{value}_error"])
            self.assertTrue(0 < error < small)
            self.assertLess(abs(float(data["langevin_" + value] - data["steady_" + value])), 4 * error)
            exact, first, second, fourth = (float(data[f"{name}_{value}"]) for name in ("steady", "first", "cumulant", "fourth"))
            self.assertAlmostEqual(first, float(data[f"meanfield_{value}"]), delta=1e-9)  # the same equations, another compiler
            self.assertLess(abs(fourth - exact), .7 * abs(second - exact))

    def test_two_spins_without_inversion(self):
        """Pumped and emptied at the same rate: all moments are zero, of which none has a size to be known relative to."""
        data = run(DECK, [(GRID, "  N: [2]")]).squeeze()
        for task in ("steady", "cumulant"):
            for value in ("inversion", "correlation"):
                self.assertAlmostEqual(float(data[f"{task}_{value}"]), 0, delta=1e-14)

    def test_approximate_variables_say_so(self):
        data = run("compare_langevin.yaml", [(r"^  N: \[5, 12, .*$", "  N: [4]")])
        approximate = 0
        for name, variable in data.data_vars.items():
            if name.startswith("steady_"):
                self.assertNotIn("approximation", variable.attrs, name)
            elif "_" in name and name != "peak_memory":
                approximate += 1
                self.assertRegex(variable.attrs["approximation"], r".{10}.*\(.*(\d{4}|Eqs?\.).*\)", name)  # a method, and a reference
        self.assertGreater(approximate, 24)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
