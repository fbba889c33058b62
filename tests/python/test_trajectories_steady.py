"""Averages of the steady state along long trajectories: exact within their errors, which are right, and judged where they are too short."""
# cospin-test: PROCESSORS 2 TIMEOUT 900 COST 60
import os
import sys
import unittest

import decks
import numpy as np

sys.path.insert(0, os.path.join(decks.SOURCE, "tests", "random"))

try:
    import generate
    import yaml
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

ATOM = """title: steady
parameters: {run: 1, slow: 1}
GRID
components: {q: {kind: ensemble, size: 3}}
hamiltonian: [0.8*q.Sx]
jumps: [{rate: 1, each: q.sm}, {rate: 0.3*slow, operator: q.Sz}]
observables: {z: <q.Sz>, zz: <q.Sz^2>, ratio: <q.Sp*q.Sm>/(2 + <q.Sz>)}
tasks:
"""
NAMES = ("z", "zz", "ratio")


def deck(*tasks, grid=""):
    return ATOM.replace("GRID", grid) + "".join(f"  - {task}\n" for task in tasks)


class Steady(unittest.TestCase):
    def test_random_decks(self):
        """Those of tests/random that have one steady state."""
        everything, seed = [], 0
        while len(everything) < (30 if decks.LONG else 10):
            self.assertLess(seed, 200)
            deck_of_seed = generate.deck(seed)
            deck_of_seed["tasks"] = [{"steady": {}}, {"trajectories": {"initial": {}, "seed": seed, "trajectories": 100}}]
            seed += 1
            if not deck_of_seed.get("jumps"):
                continue
            text = yaml.dump(deck_of_seed, Dumper=generate.Plain, sort_keys=False, default_flow_style=None, width=110)
            try:
                data = decks.run_text(text, status=(0, 2, 3), mask=False).squeeze()
            except OSError:  # a deck that steady refuses (an open window without a steady state, ...)
                continue
            if data["steady_outcome"].size > 1:
                continue
            names = [key[7:] for key in data if key.startswith("steady_") and not np.isnan(data.get(f"trajectories_{key[7:]}_error", np.nan))]
            if int(data["steady_outcome"]) != 1 or int(data["trajectories_outcome"]) != 1 or not names:
                continue
            z = np.array([(float(data["trajectories_" + name]) - float(data["steady_" + name]))
                          / max(float(data[f"trajectories_{name}_error"]), 1e-7) for name in names])
            with self.subTest(seed=seed - 1):
                self.assertLess(np.abs(z).max(), 4, dict(zip(names, z)))
            everything.append(z)
        together = np.concatenate(everything)
        self.assertLess(np.sqrt(np.mean(together ** 2)), 1.4)
        self.assertGreater(np.sqrt(np.mean(together ** 2)), 0.3)

    def test_errors_are_those_of_independent_seeds(self):
        data = decks.run_text(deck("steady: {}", "trajectories: {initial: {}, seed: run, span: 30, trajectories: 60}", grid="grid: {run: {range: [1, 81, 1]}}"),
                              ranks=2)
        for name in NAMES:
            values, errors = data["trajectories_" + name].values, data[f"trajectories_{name}_error"].values
            self.assertAlmostEqual(values.std(ddof=1) / errors.mean(), 1, delta=0.2, msg=name)
            z = (values - data["steady_" + name].values) / errors
            self.assertLess(abs(z.mean()), 4 / np.sqrt(len(z)), name)  # no bias that 80 runs would show

    def test_an_error_that_is_wanted(self):
        data = decks.run_text(deck("steady: {}", "trajectories: {initial: {}, error: 0.01}")).squeeze()
        for name in NAMES:
            self.assertLessEqual(float(data[f"trajectories_{name}_error"]), 0.01)
            self.assertLess(abs(float(data["trajectories_" + name]) - float(data["steady_" + name])), 4 * float(data[f"trajectories_{name}_error"]))
        self.assertIn(int(data["trajectories_number"]), [64 * 2 ** k for k in range(12)])
        poor = decks.run_text(deck("trajectories: {initial: {}, error: 0.0001, most: 128}"), status=3, mask=False).squeeze()
        self.assertEqual(int(poor["trajectories_outcome"]), -1)

    def test_autocorrelation_time(self):
        """Of a telegraph signal that jumps at rates a and b it is 1/(a + b): kets are up or down."""
        data = decks.run_text("title: telegraph\ncomponents: {q: {kind: spin, S: 1/2}}\nhamiltonian: []\n"
                              "jumps: [{rate: 0.5, operator: q.Sm}, {rate: 0.3, operator: q.Sp}]\nobservables: {z: <q.Sz>}\n"
                              "tasks: [trajectories: {initial: {}, span: 400, trajectories: 1000}]\n").squeeze()
        self.assertAlmostEqual(float(data["trajectories_autocorrelation"]) * 0.8, 1, delta=0.15)
        self.assertAlmostEqual(float(data["trajectories_z"]), 0.5 * (0.3 - 0.5) / 0.8, delta=4 * float(data["trajectories_z_error"]))

    def test_too_short(self):
        """Halves that differ: everything begins in the excited state and has not decayed."""
        data = decks.run_text("title: decay\ncomponents: {q: {kind: spin, S: 5}}\nhamiltonian: []\njumps: [{rate: 0.02, operator: q.Sm}]\n"
                              "observables: {z: <q.Sz>}\ntasks: [trajectories: {initial: {q: {css: [3, 0]}}, span: 10}]\n", status=3, mask=False).squeeze()
        self.assertEqual(int(data["trajectories_outcome"]), -1)
        self.assertGreater(float(data["trajectories_drift"]), 4)

    def test_a_slow_switch_makes_trajectories_long(self):
        """Two levels that are left once in 50 units of time: found, and not called steady before."""
        text = ("title: slow\ncomponents: {q: {kind: spin, S: 1/2}, p: {kind: spin, S: 1/2}}\nhamiltonian: [p.Sx]\n"
                "jumps: [{rate: 1, operator: p.Sm}, {rate: 0.02, operator: q.Sm}, {rate: 0.02, operator: q.Sp}]\nobservables: {z: <q.Sz>}\n"
                "tasks: [trajectories: {initial: {}}]\n")
        data = decks.run_text(text).squeeze()
        self.assertGreater(float(data["trajectories_span"]), 500)
        self.assertLess(abs(float(data["trajectories_z"])), 4 * float(data["trajectories_z_error"]))
        short = decks.run_text(text.replace("initial: {}", "initial: {}, span: 50"), status=3, mask=False).squeeze()
        self.assertEqual(int(short["trajectories_outcome"]), -1)


if __name__ == "__main__":
    unittest.main()
