"""Generators with a period: states and gaps of its map against matrices stepped through it, degeneracy, ranks, windows, refusals."""
# cospin-test: PROCESSORS 3 TIMEOUT 300 COST 20
import os
import subprocess
import tempfile
import unittest

import decks
import numpy as np

TASKS = "tasks: [{steady: {period: T}}, {gap: {period: T, count: 3, sector: all}}]"
SPIN = """title: a spin whose drive and decay are modulated
parameters: {w: 1.3, T: 2*pi/w}
components: {s: {kind: spin, S: 1/2}}
hamiltonian: [".4*s.Sz + (.3 + 1.1*cos(w*t))*s.Sx"]
jumps: [{rate: ".5 + .3*sin(w*t)", operator: s.Sm}, {rate: .1, operator: s.Sp}]
observables: {Sz: <s.Sz>, Sm: <s.Sm>, ratio: <s.Sp*s.Sm>/(1+<s.Sz>)}
"""
LASER = """title: two atoms and a mode, the pump is a square wave
parameters: {w: 3, T: 2*pi/w}
components: {s: {kind: ensemble, size: 2}, c: {kind: mode, CUTOFF}}
hamiltonian: ["0.7*(c.a*s.Sp + hc)", "0.3*cos(w*t)*c.n"]
jumps: [{rate: 2, operator: c.a}, {rate: "1 + 0.8*pulse(t - T*floor(t/T), 0, T/3)", each: s.sp}, {rate: .4, each: s.sm}]
observables: {n: <c.n>, Sz: <s.Sz>, purity: {value: purity(), label: Purity}}
"""


def generator(hamiltonian, jumps):
    """Liouville's matrix of row-major density matrices."""
    one = np.eye(len(hamiltonian))
    matrix = -1j * (np.kron(hamiltonian, one) - np.kron(one, hamiltonian.T))
    for rate, a in jumps:
        product = a.conj().T @ a
        matrix = matrix + rate * (np.kron(a, a.conj()) - (np.kron(product, one) + np.kron(one, product.T)) / 2)
    return matrix


def step(matrix):
    """exp of a small matrix, by its power series."""
    term = total = np.eye(len(matrix), dtype=complex)
    for k in range(1, 16):
        term = term @ matrix / k
        total = total + term
    return total


def period(at, pieces, steps):
    """Map of a period and that of the average over it, by fourth-order steps with commutators; Boole's rule over four of them."""
    size = len(at(0.5 * pieces[0][1]))
    total, averaged, length = np.eye(size, dtype=complex), np.zeros((size, size), dtype=complex), pieces[-1][1]
    for begin, end in pieces:
        h = (end - begin) / steps
        for k in range(steps):
            middle = begin + (k + 0.5) * h
            early, late = at(middle - h * np.sqrt(3) / 6), at(middle + h * np.sqrt(3) / 6)
            averaged += np.array([7, 32, 12, 32])[k % 4] * (2 if k % 4 == 0 and k else 1) * 2 * h / 45 * total
            total = step(h / 2 * (early + late) + np.sqrt(3) / 12 * h * h * (late @ early - early @ late)) @ total
        averaged += 7 * 2 * h / 45 * total
    return total, averaged / length


def spin_maps(steps):
    """SPIN's."""
    w = 1.3
    sp = np.array([[0, 1], [0, 0]], dtype=complex)
    sz, sx = np.diag([0.5, -0.5]), (sp + sp.T) / 2

    def at(time):
        return generator(0.4 * sz + (0.3 + 1.1 * np.cos(w * time)) * sx, [(0.5 + 0.3 * np.sin(w * time), sp.T), (0.1, sp)])

    return period(at, [(0, 2 * np.pi / w)], steps)


class Periodic(unittest.TestCase):
    """The map of one period."""

    def test_spin_by_matrices_on_one_to_three_ranks(self):
        """Fixed point, its average and all multipliers of four unknowns; the reference is good to 1e-10 (half as many steps agree)."""
        total, averaged = spin_maps(2000)
        self.assertLess(abs(total - spin_maps(1000)[0]).max(), 1e-9)
        mu, vectors = np.linalg.eig(total)
        order = np.argsort(-abs(mu))
        rho = vectors[:, order[0]].reshape(2, 2)
        rho = rho / np.trace(rho)
        mean = (averaged @ rho.ravel()).reshape(2, 2)
        rates = -np.log(abs(mu[order[1:]])) * 1.3 / (2 * np.pi)
        for ranks in (1, 2, 3):
            data = decks.run_text(SPIN + TASKS, ranks=ranks)
            for state, behind in ((rho, ""), (mean, "_average")):
                sz = (state[0, 0] - state[1, 1]).real / 2
                self.assertAlmostEqual(float(data["steady_Sz" + behind]), sz, delta=1e-8)
                self.assertAlmostEqual(float(data["steady_Sm_re" + behind]), state[0, 1].real, delta=1e-8)
                self.assertAlmostEqual(float(data["steady_Sm_im" + behind]), state[0, 1].imag, delta=1e-8)
                self.assertAlmostEqual(float(data["steady_ratio" + behind]), state[0, 0].real / (1 + sz), delta=1e-8)
            np.testing.assert_allclose(np.ravel(data["gap_rate"]), rates, atol=1e-8)
            self.assertEqual(int(data["gap_zeros"]), 1)
            self.assertLess(float(data["steady_residual"]), 1e-10)

    def test_laser_as_evolve_after_many_periods(self):
        """A square wave jumps within the period; `evolve` comes to the same state, the average by a sum over many times."""
        text = LASER.replace("CUTOFF", "cutoff: 6, edge: 1")
        times = "[" + ", ".join(f"{8 + k / 60}*T" for k in range(61)) + "]"
        evolve = decks.run_text(text + f"tasks: [{{evolve: {{times: {times}, initial: {{}}, tolerance: 1e-11}}}}]")
        data = decks.run_text(text + TASKS.replace(", sector: all", ""))
        for name in ("n", "Sz", "purity"):
            self.assertAlmostEqual(float(data["steady_" + name]), float(np.ravel(evolve["evolve_" + name])[0]), delta=2e-8)
        weights = np.array([1] + [4, 2] * 29 + [4, 1]) / 180  # Simpson's rule; the jump at T/3 is a node
        self.assertAlmostEqual(float(data["steady_n_average"]), float(weights @ np.ravel(evolve["evolve_n"])), delta=1e-6)
        self.assertEqual(int(data["steady_outcome"]), 1)

    def test_open_windows_grow(self):
        """Without a cutoff the mode gets as many levels as it needs."""
        small = LASER.replace("1 + 0.8*pulse", "0.2 + 0.8*pulse")
        task = "tasks: [{steady: {period: T, tolerance: 1e-8}}]"
        wanted = decks.run_text(small.replace("CUTOFF", "cutoff: 20") + task)
        data = decks.run_text(small.replace(", CUTOFF", "") + task)
        self.assertAlmostEqual(float(data["steady_n_average"]), float(wanted["steady_n_average"]), delta=1e-7)
        self.assertLess(float(data["steady_leak"]), 1e-7)

    def test_as_gap_where_hardly_anything_changes(self):
        """A modulation of 1e-9 leaves state and gap as they are."""
        text = SPIN.replace("1.1*cos", "1e-9*cos").replace(".3*sin", "0*sin")
        still = decks.run_text(text.replace(" + 1e-9*cos(w*t)", "").replace(" + 0*sin(w*t)", "") + "tasks: [steady: {}, gap: {sector: all}]")
        data = decks.run_text(text + TASKS)
        self.assertAlmostEqual(float(data["steady_Sz"]), float(still["steady_Sz"]), delta=1e-8)
        self.assertAlmostEqual(float(data["gap_rate"][0]), float(still["gap_rate"]), delta=1e-8)

    def test_several_steady_states_and_lasting_coherences(self):
        """Two populations that are kept are two fixed points; without dephasing coherences turn for ever, by less than a whole turn."""
        text = SPIN.split("hamiltonian")[0] + 'hamiltonian: ["(0.2 + cos(w*t))*s.Sz"]\nRATE\nobservables: {Sz: <s.Sz>}\n'
        data = decks.run_text(text.replace("RATE", "jumps: [{rate: .3, operator: s.Sz}]") + TASKS, status=3, mask=False)
        self.assertEqual(int(data["steady_degeneracy"]), 2)
        self.assertTrue(np.isnan(float(data["steady_Sz"])))
        self.assertEqual(int(data["gap_zeros"]), 2)
        np.testing.assert_allclose(np.ravel(data["gap_rate"])[:2], 0.15, atol=1e-8)
        np.testing.assert_allclose(sorted(np.ravel(data["gap_frequency"])[:2]), [-0.2, 0.2], atol=1e-8)
        data = decks.run_text(text.replace("RATE", "jumps: []") + TASKS.replace("steady: {period: T}}, {", ""), status=(0, 3), mask=False)
        np.testing.assert_allclose(np.ravel(data["gap_rate"])[:2], 0, atol=1e-9)

    def test_refusals(self):
        """What is no period, or does not go with one, is a fault at its place, before anything is computed."""
        for change, said in (((".4*s.Sz + (.3 + 1.1*cos(w*t))*s.Sx", "s.Sx"), "nothing here depends on the time"),
                             (("2*pi/w", "2.2*pi/w"), "is not the same again"),
                             (("1.1*cos(w*t)", "gauss(t, 2, 1e-3)"), "is not the same again"),
                             (("1.1*cos(w*t)", "pulse(t, 2, 2.001)"), "is not the same again"),
                             (("1.1*cos(w*t)", "kick(t, 1)"), "a kick is at one time"),
                             (("steady: {period: T}", "steady: {period: T, initial: {}}"), "does not go with `period`"),
                             (("steady: {period: T}", "steady: {period: T, store: state}"), "does not go with `period`"),
                             (("steady: {period: T}", "steady: {}"), "with a `period`"),
                             (("steady: {period: T}", "steady: {period: 0}"), "a number > 0")):
            text = SPIN.replace(".5 + .3*sin(w*t)", ".5") + "tasks: [{steady: {period: T}}]"
            self.assertIn(change[0], text)
            with tempfile.TemporaryDirectory() as folder:
                path = os.path.join(folder, "deck.yaml")
                with open(path, "w", encoding="utf-8") as stream:
                    stream.write(text.replace(*change))
                done = subprocess.run([decks.PROGRAM, "plan", path], check=False, capture_output=True, text=True)
            self.assertEqual(done.returncode, 2, said)
            self.assertIn(said, done.stderr)


if __name__ == "__main__":
    unittest.main()
