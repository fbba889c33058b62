"""The averaged state of trajectories: functionals of it without the bias of a finite sample, the same bits on any number of ranks."""
# cospin-test: PROCESSORS 2 TIMEOUT 600 COST 20
import unittest

import decks
import numpy as np

TEXT = """title: averaged states
parameters: {run: 1}
GRID
components: {q: {kind: ensemble, size: 4}}
hamiltonian: [0.8*q.Sx]
jumps: [{rate: 1, each: q.sm}, {rate: 0.3, operator: q.Sp}]
observables: {z: <q.Sz>, p: <q.Sp>, purity: purity(), fisher: qfi(q.Sz), s: entropy(), mix: purity()*<q.Sz>}
tasks:
"""
FUNCTIONALS = ("purity", "fisher", "s", "mix")
TIMES = "initial: {}, times: [0, 0.05, 0.5, 2]"


def deck(*tasks, grid=""):
    return TEXT.replace("GRID", grid) + "".join(f"  - {task}\n" for task in tasks)


class State(unittest.TestCase):
    def test_functionals_against_evolve(self):
        data = decks.run_text(deck(f"evolve: {{{TIMES}}}", f"trajectories: {{{TIMES}, trajectories: 100, store: state, seed: run}}",
                                   grid="grid: {run: {range: [1, 41, 1]}}"), status=(0, 3), mask=False, ranks=2)
        for name in FUNCTIONALS:
            values, errors = data["trajectories_" + name].values[:, 2:], data[f"trajectories_{name}_error"].values[:, 2:]
            off = values - data["evolve_" + name].values[:, 2:]
            spread = values.std(axis=0, ddof=1)
            self.assertLess(np.abs(off.mean(axis=0) / (spread / np.sqrt(len(off)))).max(), 4, name)  # without the bias of 100 kets
            self.assertAlmostEqual(spread[1] / errors[:, 1].mean(), 1, delta=0.35, msg=name)
            self.assertLess(spread[0] / errors[:, 0].mean(), 1.35, name)  # earlier ones are told larger, for what has not been seen
            self.assertLess(np.abs(off / errors).max(), 6, name)  # errors of ten groups
        early = (data["trajectories_purity"] - data["evolve_purity"]).values[:, 1] / data["trajectories_purity_error"].values[:, 1]
        early = early[np.isfinite(early)]
        self.assertLess(np.abs(early).max(initial=0), 4)

    def test_steady(self):
        data = decks.run_text(deck("steady: {}", "trajectories: {initial: {}, store: state}")).squeeze()
        for name in FUNCTIONALS:
            self.assertLess(abs(float(data["trajectories_" + name] - data["steady_" + name])), 5 * float(data[f"trajectories_{name}_error"]), name)
            self.assertLess(float(data[f"trajectories_{name}_error"]), 0.05)

    def test_the_state_that_does_not_jump_is_not_sampled(self):
        data = decks.run_text("title: closed\ncomponents: {q: {kind: spin, S: 3}}\nhamiltonian: [q.Sx]\njumps: []\nobservables: {purity: purity(), fisher: qfi(q.Sz)}\n"
                              "tasks:\n  - evolve: {initial: {}, times: [0, 0.3]}\n  - trajectories: {initial: {}, times: [0, 0.3], store: state}\n").squeeze()
        np.testing.assert_allclose(data["trajectories_purity"], 1, atol=1e-9)
        np.testing.assert_allclose(data["trajectories_fisher"], data["evolve_fisher"], atol=1e-7)

    def test_the_same_bits_on_any_number_of_ranks(self):
        text = deck(f"trajectories: {{{TIMES}, trajectories: 300, store: state}}", "trajectories: {name: steady, initial: {}, store: state}")
        one = decks.run_text(text, status=(0, 3), mask=False)
        for ranks in (2, 3):
            other = decks.run_text(text, status=(0, 3), mask=False, ranks=ranks)
            for name in one:
                if name.startswith(("trajectories_", "steady_")) and not name.endswith("seconds"):
                    np.testing.assert_array_equal(one[name].values, other[name].values, err_msg=name)

    def test_without_the_state_functionals_are_missing(self):
        data = decks.run_text(deck(f"trajectories: {{{TIMES}, trajectories: 300}}"), status=(0, 3), mask=False).squeeze()
        self.assertTrue(np.isnan(data["trajectories_purity"]).all())


if __name__ == "__main__":
    unittest.main()
