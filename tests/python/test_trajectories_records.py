"""Clicks of trajectories one by one, and what the times between them say, against closed forms; the same bits on any number of ranks."""
# cospin-test: PROCESSORS 2 TIMEOUT 600 COST 20
import unittest

import decks
import numpy as np

RABI, DECAY = 1.5, 1.0
HEAD = """title: resonance fluorescence
components: {q: {kind: spin, S: 1/2}}
hamiltonian: [1.5*q.Sx]
jumps: [{name: light, rate: 1, operator: q.Sm}, {name: dim, rate: 0, operator: q.Sz}]
observables: {up: 1/2 + <q.Sz>}
tasks:
"""


def no_click(times):
    """|exp(-i H_eff t)|g>|^2 of an atom that begins in its ground state."""
    h = np.array([[0, RABI / 2], [RABI / 2, -0.5j * DECAY]])
    values, vectors = np.linalg.eig(h)
    start = np.linalg.solve(vectors, np.array([1, 0]))
    return np.array([np.linalg.norm(vectors @ (np.exp(-1j * values * t) * start)) ** 2 for t in times])


def g2(times):
    """Carmichael and Walls, J. Phys. B 9, 1199 (1976)."""
    mu = np.sqrt(RABI ** 2 - DECAY ** 2 / 16)
    return 1 - np.exp(-0.75 * DECAY * times) * (np.cos(mu * times) + 0.75 * DECAY / mu * np.sin(mu * times))


class Records(unittest.TestCase):
    def test_times_between_clicks(self):
        data = decks.run_text(HEAD + "  - trajectories: {jump: light, initial: {}, times: [10, 60], trajectories: 3000, delays: {linspace: [0, 5, 26]}}\n").squeeze()
        edges = data["delay"].values
        self.assertTrue(np.isnan(data["trajectories_wait"].values[0]))  # no width
        exact = {"wait": -np.diff(no_click(edges)) / np.diff(edges),
                 "g2": np.array([g2(np.linspace(a, b, 101)).mean() for a, b in zip(edges[:-1], edges[1:])])}
        for name, known in exact.items():
            error = data[f"trajectories_{name}_error"].values[1:]
            z = (data["trajectories_" + name].values[1:] - known) / error
            self.assertLess(np.abs(z).max(), 4, name)
            self.assertGreater(np.sqrt(np.mean(z ** 2)), 0.6, name)
            self.assertLess(np.sqrt(np.mean(z ** 2)), 1.5, name)
            self.assertLess(np.max(error), 0.05)
        rate = RABI ** 2 / (DECAY ** 2 + 2 * RABI ** 2)
        self.assertLess(abs(float(data["trajectories_click_rate"]) - rate), 4 * float(data["trajectories_click_rate_error"]))

    def test_numbers_of_clicks(self):
        """Against task `clicks`; that nothing clicked is known without chance."""
        data = decks.run_text(HEAD + "  - clicks: {jump: light, initial: {}, time: 4, most: 12}\n"
                              "  - trajectories: {jump: light, initial: {}, times: [0, 4], trajectories: 4000, counts: 12}\n").squeeze()
        z = (data["trajectories_probability"] - data["clicks_probability"]) / data["trajectories_probability_error"]
        self.assertLess(np.abs(z).max(), 4)
        self.assertAlmostEqual(float(data["trajectories_probability"][0]), float(data["clicks_probability"][0]), places=7)

    def test_light_that_changes_has_no_g2(self):
        data = decks.run_text(HEAD + "  - trajectories: {jump: light, initial: {}, times: [0, 3], trajectories: 4000, delays: [0.5, 1]}\n").squeeze()
        self.assertGreater(abs(float(data["trajectories_click_drift"])), 4)
        self.assertTrue(np.isnan(data["trajectories_g2"]).all())
        np.testing.assert_allclose(data["trajectories_wait"], -np.diff(no_click([0, 0.5, 1])) / 0.5, atol=0.03)  # waits do not need that

    def test_clicks_one_by_one(self):
        """What is stored says what is counted; of trajectories as many whole ones as there is room for."""
        data = decks.run_text(HEAD + "  - trajectories: {jump: light, initial: {}, times: [0, 10], trajectories: 100, records: 10000, counts: 20}\n"
                              "  - trajectories: {name: few, jump: all, initial: {}, times: [0, 10], trajectories: 100, records: 30}\n").squeeze()
        number = data["trajectories_record_trajectory"].values
        clicks = int((number > 0).sum())
        self.assertEqual(int(data["trajectories_recorded"]), 100)
        self.assertAlmostEqual(clicks / 100, float(data["trajectories_clicks"][1]) / (1 - float(data["trajectories_no_jump"][1])), places=9)
        times = data["trajectories_record_time"].values[:clicks]
        self.assertTrue((np.diff(times)[np.diff(number[:clicks]) == 0] > 0).all())
        self.assertTrue((np.diff(number[:clicks]) >= 0).all())
        self.assertTrue(np.isnan(data["trajectories_record_time"].values[clicks:]).all())
        self.assertEqual(set(data["trajectories_record_line"].values[:clicks]), {1})
        counts = np.bincount(number[:clicks], minlength=101)[1:]
        np.testing.assert_allclose(np.bincount(counts, minlength=21)[1:] / 100 * (1 - float(data["trajectories_no_jump"][1])),
                                   data["trajectories_probability"].values[1:], atol=1e-12)
        whole = int(data["few_recorded"])
        kept = int((data["few_record_trajectory"] > 0).sum())
        self.assertEqual(kept, counts[:whole].sum())
        self.assertGreater(kept + counts[whole], 30)  # the next would not fit
        np.testing.assert_array_equal(data["few_record_time"].values[:kept], times[:kept])

    def test_the_same_bits_on_any_number_of_ranks(self):
        text = HEAD + ("  - trajectories: {jump: light, initial: {}, times: [0, 10], trajectories: 700, records: 300, counts: 9, delays: [1, 2]}\n"
                       "  - trajectories: {name: steady, jump: light, initial: {}, records: 300, delays: [1, 2]}\n")
        one = decks.run_text(text)
        for ranks in (2, 3):
            other = decks.run_text(text, ranks=ranks)
            for name in one:
                if name.startswith(("trajectories_", "steady_")) and not name.endswith("seconds"):
                    np.testing.assert_array_equal(one[name].values, other[name].values, err_msg=name)


class Deck(unittest.TestCase):
    def test_a_pulse_has_as_many_photons_as_the_spin_can_lose(self):
        data = decks.run("trajectories_records.yaml")
        for length in (2, 5, 10):
            point = data.sel(S=length)
            numbers = np.asarray(point.trajectories_record_trajectory, dtype=int)
            self.assertEqual(set(np.bincount(numbers[numbers > 0])[1:]), {2 * length})
            self.assertAlmostEqual(float(point.trajectories_clicks[-1]), 2 * length, delta=1e-8)
            self.assertLess(float(point.trajectories_fano[-1]), 1e-8)
            self.assertTrue(np.allclose(point.trajectories_m[-1], -length))


if __name__ == "__main__":
    unittest.main()
