"""States to start from that tell spins apart, and cats of a mode, against vectors made with numpy."""
# cospin-test: COST 5
import os
import subprocess
import tempfile
import unittest

import numpy

from decks import PROGRAM, run_text

PLUS = numpy.array([[0, 0], [1, 0]])  # basis: down, up


def run(body, status=0):
    return run_text(f"title: t\n{body}", status=status, mask=False)


def css(theta, phi):
    return numpy.array([numpy.cos(theta / 2), numpy.exp(1j * phi) * numpy.sin(theta / 2)])


def on(operator, spin, size):
    result = numpy.eye(1)
    for k in range(size):
        result = numpy.kron(result, operator if k == spin else numpy.eye(2))
    return result


class Spins(unittest.TestCase):
    BODY = ("components: {q: {kind: spins, size: 3}}\n"
            "observables: {z0: '<q.sz[0]>', z1: '<q.sz[1]>', z2: '<q.sz[2]>', x1: '<q.sx[1]>', y2: '<q.sy[2]>', "
            "c: '<q.sp[0]*q.sm[2]>', all: <q.Sp*q.Sm>}\njumps: [{rate: 1, operator: q.Sm}]\n")

    def check(self, state, factors):
        data = run(self.BODY + f"tasks: [evolve: {{times: [0], initial: {{q: {state}}}}}]\n")
        psi = numpy.eye(1)[0]
        for factor in factors:
            psi = numpy.kron(psi, factor)
        size = len(factors)
        sp = [on(PLUS, k, size) for k in range(size)]
        sz = [s @ s.T - s.T @ s for s in sp]
        total = sum(sp)
        expected = {"z0": sz[0], "z1": sz[1], "z2": sz[2], "x1": sp[1] + sp[1].T, "y2": -1j * (sp[2] - sp[2].T), "all": total @ total.T}
        for name, operator in expected.items():
            self.assertAlmostEqual(float(data[f"evolve_{name}"].squeeze()), (psi.conj() @ operator @ psi).real, delta=1e-13, msg=name)
        pair = psi.conj() @ sp[0] @ sp[2].T @ psi
        self.assertAlmostEqual(float(data.evolve_c_re.squeeze()), pair.real, delta=1e-13)
        self.assertAlmostEqual(float(data.evolve_c_im.squeeze()), pair.imag, delta=1e-13)

    def test_a_product_of_directions(self):
        angles = [(0.3, 0.7), (2.1, -1.2), (4.0, 2.5)]
        for state in ("{product: [[0.3, 0.7], [2.1, -1.2], [4.0, 2.5]]}", "{product: [0.3, 0.7, 2.1, -1.2, 4.0, 2.5]}"):
            self.check(state, [css(*a) for a in angles])

    def test_bits_and_excited(self):
        for bits in ("011", "100", "000", "111"):
            self.check('{bits: "%s"}' % bits, [css(0, 0) if b == "0" else css(numpy.pi, 0) for b in bits])
        self.check("{bits: 011}", [css(0, 0), css(numpy.pi, 0), css(numpy.pi, 0)])
        self.check("excited", 3 * [css(numpy.pi, 0)])

    def test_a_direction_goes_on_in_time(self):
        """Spin 1 alone is up and decays: its population is exp(-t), and nobody else has any."""
        data = run("components: {q: {kind: spins, size: 3}}\nobservables: {u: '(<q.sz[1]> + 1)/2', v: '(<q.sz[0]> + 1)/2'}\n"
                   "jumps: [{rate: 1, each: q.sm}]\ntasks: [evolve: {times: [0, 0.5, 2], initial: {q: {bits: '010'}}}]\n")
        numpy.testing.assert_allclose(data.evolve_u, numpy.exp([0, -0.5, -2]), atol=1e-9)
        numpy.testing.assert_allclose(data.evolve_v, 0, atol=1e-12)


class Sums(unittest.TestCase):
    """`{sum: ...}` of an observable: term by term, whatever the terms are of expectation values."""

    def test_over_spins_and_pairs(self):
        angles = [(0.3, 0.7), (2.1, -1.2), (4.0, 2.5)]
        matrix = numpy.array([[0, 0.5j, 2], [-0.5j, 1, 0.25], [2, 0.25, 0]])
        data = run("components: {q: {kind: spins, size: 3}}\narrays: {J: [[0, 0.5*i, 2], [-0.5*i, 1, 0.25], [2, 0.25, 0]], w: [1, -2, 0.5]}\n"
                   "observables:\n  squares: {sum: '<q.sz[l]>^2', unit: u}\n  pairs: {sum: 'J[l,m]*<q.sp[l]*q.sm[m]>'}\n"
                   "  weighted: {sum: 'w[k]*<q.sx[k]>/<q.Sz^2>'}\n  all: <q.Sp*q.Sm>\n  each: {sum: '<q.sp[l]*q.sm[m]>'}\n"
                   "jumps: [{rate: 1, operator: q.Sm}]\ntasks: [evolve: {times: [0], initial: {q: {product: [[0.3, 0.7], [2.1, -1.2], [4.0, 2.5]]}}}]\n")
        single = [css(*a) for a in angles]
        z = [abs(s[1])**2 - abs(s[0])**2 for s in single]
        x = [2 * (s[0].conj() * s[1]).real for s in single]
        up = [s[1].conj() * s[0] for s in single]
        pair = lambda l, m: abs(single[l][1])**2 if l == m else up[l] * up[m].conjugate()
        square = sum(z[l] * z[m] if l != m else 1 for l in range(3) for m in range(3)) / 4
        value = sum(matrix[l, m] * pair(l, m) for l in range(3) for m in range(3))
        self.assertAlmostEqual(float(data.evolve_squares.squeeze()), sum(v * v for v in z), delta=1e-13)
        self.assertAlmostEqual(float(data.evolve_pairs_re.squeeze()), value.real, delta=1e-13)
        self.assertAlmostEqual(float(data.evolve_pairs_im.squeeze()), value.imag, delta=1e-13)
        self.assertAlmostEqual(float(data.evolve_weighted.squeeze()), (x[0] - 2 * x[1] + 0.5 * x[2]) / square, delta=1e-13)
        self.assertAlmostEqual(float(data.evolve_each_re.squeeze()), float(data.evolve_all.squeeze()), delta=1e-13)

    def test_over_groups(self):
        data = run("components: {g: {kind: ensemble, size: 2, groups: 3}}\nobservables: {z: {sum: '<g[l].Sz>^2'}, c: {sum: 're(<g[l].Sp*g[m].Sm>)'}, all: <g.Sp*g.Sm>}\n"
                   "jumps: [{rate: 1, operator: g.Sm}]\n"
                   "tasks: [evolve: {times: [0], initial: {g_0: excited, g_1: {css: [1.1, 0.3]}}}]\n")
        self.assertAlmostEqual(float(data.evolve_z.squeeze()), 2 + numpy.cos(1.1)**2, delta=1e-13)
        self.assertAlmostEqual(float(data.evolve_c.squeeze()), float(data.evolve_all.squeeze()), delta=1e-13)

    def test_faults(self):
        deck = ("title: t\ncomponents: {q: {kind: spins, size: 2}}\nobservables:\n  a: {sum: <q.Sz>}\n  b: {sum: 'purity()*<q.sz[l]>'}\n"
                "  c: {sum: '<q.sz[l]>', value: 1}\ntasks: [evolve: {times: [0], initial: {q: ground}}]\n")
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "deck.yaml")
            with open(path, "w", encoding="utf-8") as stream:
                stream.write(deck)
            done = subprocess.run([PROGRAM, "plan", path], check=False, capture_output=True, text=True)
            self.assertEqual(done.returncode, 2)
            self.assertIn("observables.c.sum: stands beside `value`", done.stderr)
            with open(path, "w", encoding="utf-8") as stream:
                stream.write(deck.replace(", value: 1", ""))
            done = subprocess.run([PROGRAM, "plan", path], check=False, capture_output=True, text=True)
            self.assertIn(":4:12: observables.a.sum: there is nothing to run over", done.stderr)
            self.assertIn("observables.b.sum: `purity(...)` cannot stand in a sum over spins", done.stderr)
            self.assertNotIn("observables.c", done.stderr)


class Excited(unittest.TestCase):
    def test_all_spins_are_up(self):
        for component in ("kind: ensemble, size: 5", "kind: spin, S: 5/2", "kind: spins, size: 5"):
            data = run(f"components: {{q: {{{component}}}}}\nobservables: {{z: <q.Sz>}}\njumps: [{{rate: 1, operator: q.Sm}}]\n"
                       "tasks: [evolve: {times: [0], initial: {q: excited}, fidelity: {q: {css: [pi, 0]}}}]\n")
            self.assertAlmostEqual(float(data.evolve_z.squeeze()), 2.5, delta=1e-14)
            self.assertAlmostEqual(float(data.evolve_fidelity.squeeze()), 1, delta=1e-14)


class Cats(unittest.TestCase):
    def test_cats_of_a_mode(self):
        levels = numpy.arange(40)
        a = numpy.diag(numpy.sqrt(levels[1:]), 1)
        for alpha, sign, text in ((1.5, 1, "[1.5, 1]"), (1.5, -1, "[1.5, -1]"), (0.8 + 0.6j, numpy.exp(0.9j), "[0.8 + 0.6*i, exp(0.9*i)]"), (0, 1, "[0, 1]")):
            factorial = numpy.cumprod(numpy.concatenate([[1.0], levels[1:]]))
            psi = (complex(alpha)**levels + sign * complex(-alpha)**levels) / numpy.sqrt(factorial)
            psi /= numpy.linalg.norm(psi)
            data = run("components: {c: {kind: mode, cutoff: 40}}\nobservables: {n: <c.n>, a: <c.a>, two: <c.a^2>}\n"
                       f"jumps: [{{rate: 1, operator: c.a}}]\ntasks: [evolve: {{times: [0], initial: {{c: {{cat: {text}}}}}}}]\n")
            for name, operator in (("a", a), ("two", a @ a)):
                value = psi.conj() @ operator @ psi
                self.assertAlmostEqual(float(data[f"evolve_{name}_re"].squeeze()), value.real, delta=1e-12)
                self.assertAlmostEqual(float(data[f"evolve_{name}_im"].squeeze()), value.imag, delta=1e-12)
            self.assertAlmostEqual(float(data.evolve_n.squeeze()), (abs(psi)**2 @ levels), delta=1e-12)


if __name__ == "__main__":
    unittest.main()
