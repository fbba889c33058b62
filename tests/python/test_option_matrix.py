"""Every task by every way that the deck can ask for gives the same numbers: operator, method, windows, ranks."""
# cospin-test: COST 40
import itertools
import unittest

import decks
import numpy

METHODS = ("auto", "krylov", "rational")
OPERATORS = ("assembled", "shell", "auto")
EVOLVING = {  # with a key `method`
    "evolve": "initial: {%(initial)s}, times: [0, 0.3, 4], fidelity: {%(initial)s}",
    "correlation": "of: dag(%(a)s), times: [0, 0.3, 4]",
    "g2": "of: %(a)s, times: [0, 0.3, 4]",
}
OTHERS = """
  - steady: {}
  - gap: {}
  - decay: {of: %(a)s, count: 2}
  - spectrum: {of: dag(%(a)s), frequencies: {linspace: [-4, 4, 5]}}
  - counting: {jump: out}
  - clicks: {jump: out, time: 2, most: 12, efficiency: 0.7, dark: 0.1, initial: {%(initial)s}}
"""
SYSTEMS = {
    # no symmetry, a coherent part; without a window and with one
    "light": ("""
components: {m: {kind: mode WINDOW}, s: {kind: spin, S: 1/2}}
hamiltonian: [0.4*m.n, 0.5*m.a*s.Sp + hc, 0.3*m.a + hc]
jumps: [{name: out, rate: 1.1, operator: m.a}, {rate: 0.3, operator: s.Sp}, {rate: 0.4, operator: s.Sm}]
observables: {n: <m.n>, z: <s.Sz>, x: <m.a*s.Sp>}
""", "m.a", "m: {coherent: 0.5}, s: {fock: 1}", ("", ", cutoff: 24")),
    # weak U(1), and irreps of an ensemble
    "atoms": ("""
components: {q: {kind: ensemble, size: 4}}
hamiltonian: [0.3*q.Sz]
jumps: [{name: out, rate: 1, operator: q.Sm}, {rate: 1.7, each: q.sp}, {rate: 0.2, each: q.sz}]
observables: {z: <q.Sz>, pairs: <q.Sp*q.Sm>, purity: purity()}
""", "q.Sm", "q: {css: [1, 0.4]}", ("",)),
    # spins that can be told apart
    "spins": ("""
components: {q: {kind: spins, size: 3}}
arrays: {d: [0.3, -0.5, 0.1]}
hamiltonian: [{sum: "d[l]/2*q.sz[l]"}, 0.2*q.Sx]
jumps: [{name: out, rate: 1, operator: q.Sm}, {rate: 1.5, each: q.sp}]
observables: {z: <q.Sz>, pairs: <q.Sp*q.Sm>}
""", "q.Sm", "q: {css: [1, 0.4]}", ("",)),
}
# How it was found, and how well: that differs. next_rate: "an estimate, to a few digits".
NOT_COMPARED = ("residual", "error", "leak", "check", "uncertainty", "steps", "operations", "factorisations", "iterations",
                "solves", "products", "nonzeros", "dimension", "resolution", "horizon", "next_rate", "next_lifetime", "lower", "upper",
                "condition", "seconds", "peak_memory", "ranks", "sectors", "edge", "scale")
TOLERANCE = 2e-7


def deck(system, window, operator):
    """All tasks, those that evolve by every method."""
    body, a, initial, _ = SYSTEMS[system]
    names = {"a": a, "initial": initial}
    tasks = OTHERS % names
    for (kind, keys), method in itertools.product(EVOLVING.items(), METHODS):
        tasks += f"  - {kind}: {{name: {kind}_{method}, method: {method}, {keys % names}}}\n"
    return f"title: {system}\noperator: {operator}\n{body.replace('WINDOW', window)}tasks:{tasks}"


def is_compared(name):
    return not any(name.endswith(end) for end in NOT_COMPARED) and "outcome" not in name


def numbers_of(system, window, operator, ranks):
    """All that physics decides, by name."""
    data = decks.run_text(deck(system, window, operator), ranks=ranks)
    return {name: numpy.asarray(data[name].values) for name in data.variables if is_compared(name)
            and data[name].dtype.kind in "fc"}


class OptionMatrix(unittest.TestCase):
    """The reference is assembled on one rank, in a window of the deck's own where there is a choice."""

    def compare(self, found, reference, what):
        self.assertEqual(set(found), set(reference), what)
        self.assertGreater(len(reference), 60)
        wrong = []
        for name, expected in reference.items():
            size = max(1.0, numpy.nanmax(numpy.abs(expected), initial=0.0))
            if not numpy.allclose(found[name], expected, atol=TOLERANCE * size, rtol=0, equal_nan=True):
                wrong.append(f"{name}: {found[name].tolist()}, not {expected.tolist()}")
        self.assertEqual(wrong, [], what)

    def methods(self, found, what):
        """What one task gives by its methods."""
        for name, expected in found.items():
            for kind in EVOLVING:
                if name.startswith(f"{kind}_auto_"):
                    for method in METHODS[1:]:
                        other = found[name.replace("_auto_", f"_{method}_", 1)]
                        numpy.testing.assert_allclose(other, expected, atol=1e-7, rtol=0, err_msg=f"{what}: {name}")

    def check(self, system, ways):
        windows = SYSTEMS[system][3]
        reference = numbers_of(system, windows[-1], "assembled", 1)
        self.methods(reference, system)
        for window, operator, ranks in ways(windows):
            if (window, operator, ranks) != (windows[-1], "assembled", 1):
                found = numbers_of(system, window, operator, ranks)
                self.compare(found, reference, f"{system}{window or ' open'}, {operator}, {ranks} ranks")

    def ways(self, windows):
        """Some of them: each operator, each number of ranks, each window at least once (all: test_option_matrix_long)."""
        return [(windows[0], "shell", 1), (windows[-1], "auto", 2), (windows[-1], "shell", 3)]

    def test_light(self):
        self.check("light", self.ways)

    def test_atoms(self):
        self.check("atoms", self.ways)

    def test_spins(self):
        self.check("spins", self.ways)


if __name__ == "__main__":
    unittest.main()
