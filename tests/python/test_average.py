"""Mean and standard error over realisations: numbers known in advance, and the spin cats of input/."""
import os
import sys
import tempfile
import unittest

from decks import SOURCE, cospin_data, run

import numpy as np
import xarray

sys.path.insert(0, os.path.join(SOURCE, "postprocess"))
import cospin_plot


def synthetic(outcomes):
    """evolve_f = [[1, 2, 3, 6], [10, 10, 10, 50]] over (w, realisation), with the outcome codes given."""
    values = np.array([[1., 2., 3., 6.], [10., 10., 10., 50.]])
    data = xarray.Dataset({"evolve_f": (("w", "realisation"), values, {"units": "1", "long_name": "F"}),
                           "evolve_outcome": (("w", "realisation"), np.array(outcomes)),
                           "outcome": (("w", "realisation"), np.array(outcomes))},
                          coords={"w": [0., 1.], "realisation": [0., 1., 2., 3.]},
                          attrs={"cospin_grid": "w realisation"})
    return cospin_data.masked(data)


class Synthetic(unittest.TestCase):
    def test_all_good(self):
        found = cospin_data.average(synthetic(np.ones((2, 4), int)), "evolve_f", "realisation")
        np.testing.assert_allclose(found["mean"], [3, 20])
        # squares (4 + 1 + 0 + 9)/3/4 and (3*100 + 900)/3/4
        np.testing.assert_allclose(found.error, np.sqrt([14 / 12, 100]))
        np.testing.assert_array_equal(found.good, [4, 4])
        np.testing.assert_array_equal(found.left_out, [0, 0])
        self.assertEqual(found["mean"].attrs["long_name"], "F")

    def test_bad_points_are_left_out_and_counted(self):
        found = cospin_data.average(synthetic([[1, 1, 1, -3], [1, 1, 1, 0]]), "evolve_f", "realisation")
        np.testing.assert_allclose(found["mean"], [2, 10])
        np.testing.assert_allclose(found.error, [np.sqrt(1 / 3), 0])
        np.testing.assert_array_equal(found.good, [3, 3])
        np.testing.assert_array_equal(found.left_out, [1, 1])

    def test_one_and_none(self):
        found = cospin_data.average(synthetic([[-1, -1, 1, -3], [-1, -1, -1, -1]]), "evolve_f", "realisation")
        np.testing.assert_array_equal(found.good, [1, 0])
        self.assertEqual(float(found["mean"][0]), 3)
        self.assertTrue(np.isnan(found.error).all() and np.isnan(found["mean"][1]))

    def test_bad_points_do_not_count_without_the_mask(self):
        data = synthetic([[1, 1, 1, -3], [1, 1, 1, 1]])
        data["evolve_f"][0, 3] = 1e9  # as it would stand there unmasked
        self.assertEqual(float(cospin_data.average(data, "evolve_f", "realisation")["mean"][0]), 2)

    def test_refusals(self):
        data = synthetic(np.ones((2, 4), int))
        with self.assertRaisesRegex(ValueError, "does not depend on nbar"):
            cospin_data.average(data, "evolve_f", "nbar")
        with self.assertRaisesRegex(ValueError, "no real variable"):
            cospin_data.average(data, "outcome", "realisation")


class Realisations(unittest.TestCase):
    def test_spin_cats(self):
        with tempfile.TemporaryDirectory() as folder:
            output = os.path.join(folder, "cats.h5")
            data = run("spin_cat_dephasing.yaml", [(r"^  N: +8", "  N: 4"), (r"^  delta: \[1e-2, 1e-3\]", "  delta: [0.1]"),
                                                   (r"at: delta=1e-2", "at: delta=0.1"), (r"at: delta=1e-3", "at: delta=0.1"),
                                                   (r"range: \[0, \d+\]", "range: [0, 5]"),
                                                   (r"times: +\{linspace: .*\}", "times: [0, 5, 20]")], keep=output)
            panel = cospin_plot.panels_of_deck(cospin_data.deck(output)[1])[0][0]
            self.assertEqual(panel.average, "realisation")
            said = []
            curves = cospin_plot.collect_curves(panel, [(output, data)], said.append)
        self.assertEqual(said, [])
        self.assertEqual(len(curves), 2)  # even and odd
        for curve, parity in zip(curves, (1, -1)):
            fidelity = data.evolve_fidelity.sel(sign=parity, delta=0.1).transpose("realisation", "time").values
            mean, error = fidelity.mean(axis=0), fidelity.std(axis=0, ddof=1) / np.sqrt(5)
            np.testing.assert_allclose(curve.y, mean, atol=1e-12)
            np.testing.assert_allclose(curve.high - curve.y, error, atol=1e-12)
            np.testing.assert_allclose(curve.y - curve.low, error, atol=1e-12)
            self.assertAlmostEqual(mean[0], 1, places=9)  # every realisation starts in the cat
            self.assertGreater(error[2], 1e-3)  # and the seeds differ


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
