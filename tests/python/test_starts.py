"""States to start from that tell spins apart, and cats of a mode, against vectors made with numpy."""
# cospin-test: COST 5
import os
import subprocess
import tempfile
import unittest

import numpy

import decks
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


class Lists(unittest.TestCase):
    """`{each: ...}` of an observable: a value for every spin or pair."""

    def test_over_spins_and_pairs(self):
        """Of product states, at two sizes and two times: what a shorter point has not is NaN, and each value is where its spins are."""
        angles = [(0.3, 0.7), (2.1, -1.2), (4.0, 2.5)]
        data = run("parameters: {N: 3}\ngrid: {N: [2, 3]}\ncomponents: {q: {kind: spins, size: N}, p: {kind: spins, size: 3}}\n"
                   "observables:\n  before: <q.Sz>\n  z: {each: '<q.sz[l]>'}\n  c: {each: '<p.sp[l]*p.sm[m]>', label: pairs}\n"
                   "  second: {each: '2*<p.sx[m]>'}\n  mixed: {each: '<p.sz[l]>*<p.sx[m]>/3', unit: u}\n  after: '<p.sz[2]>'\n"
                   "jumps: [{rate: 0.7, each: p.sm}, {rate: 0.7, each: q.sm}]\ntasks: [evolve: {times: [0, 0.5], store: state, initial: {q: {css: [1.1, 0]}, "
                   "p: {product: [[0.3, 0.7], [2.1, -1.2], [4.0, 2.5]]}}}]\n")
        single = [css(*a) for a in angles]
        self.assertEqual(data.evolve_c_re.dims, ("N", "time", "spin", "spin2"))
        self.assertEqual(data.evolve_z.dims, ("N", "time", "spin"))
        self.assertEqual(data.evolve_second.dims, ("N", "time", "spin2"))
        for k, decay in enumerate((1, numpy.exp(-0.175))):
            z = numpy.array([2 * abs(s[1])**2 * decay**2 - 1 for s in single])
            up = numpy.array([s[1].conj() * s[0] for s in single]) * decay  # <sp>
            pairs = numpy.outer(up, up.conj())
            pairs[range(3), range(3)] = (1 + z) / 2
            q = numpy.sin(0.55)**2 * 2 * decay**2 - 1
            for n, size in enumerate((2, 3)):
                here = data.isel(N=n, time=k)
                numpy.testing.assert_allclose(here.evolve_z, [q] * size + [numpy.nan] * (3 - size), atol=1e-8)
                numpy.testing.assert_allclose(here.evolve_c_re + 1j * here.evolve_c_im, pairs, atol=1e-8)
                numpy.testing.assert_allclose(here.evolve_second, 4 * up.real, atol=1e-8)
                numpy.testing.assert_allclose(here.evolve_mixed, numpy.outer(z, 2 * up.real) / 3, atol=1e-8)
                self.assertAlmostEqual(float(here.evolve_before), size * q / 2, delta=1e-8)
                self.assertAlmostEqual(float(here.evolve_after), z[2], delta=1e-8)

    def test_over_groups_and_when_it_goes_on(self):
        """Groups, steady, checked by `show --check`; points of a smaller file are taken over into their places."""
        body = ("title: t\nparameters: {N: 2}\ngrid: {N: [%s]}\ncomponents: {q: {kind: spins, size: N}, g: {kind: ensemble, size: 2, groups: 2}}\n"
                "hamiltonian: ['0.2*q.Sp*g.Sm + hc', {sum: '(l + 1)*g[l].Sz'}]\n"
                "jumps: [{rate: 1, each: q.sm}, {rate: 0.3, each: q.sp}, {rate: 0.5, each: g.sm}, {rate: 0.1, each: g.sp}]\n"
                "observables: {c: {each: '<q.sp[l]*q.sm[m]>'}, g: {each: 're(<g[k].Sp*g[m].Sm>)'}}\ntasks: [steady: {store: state}]\n")
        with tempfile.TemporaryDirectory() as folder:
            path, output = os.path.join(folder, "deck.yaml"), os.path.join(folder, "deck.h5")
            found = []
            for sizes in ("2", "2, 3"):
                with open(path, "w", encoding="utf-8") as stream:
                    stream.write(body % sizes)
                subprocess.run([PROGRAM, "run", path, "-o", output, "--quiet"], check=True)
                checked = subprocess.run([PROGRAM, "show", "--check", output], check=False, capture_output=True, text=True)
                self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)
                found.append(decks.cospin_data.open_dataset(output, False).load())
        first, both = found[0].sel(N=2), found[1].sel(N=2)
        for name in ("steady_c_re", "steady_c_im"):
            self.assertEqual(both[name].shape, (3, 3))
            numpy.testing.assert_array_equal(both[name][:2, :2], first[name])
            self.assertTrue(numpy.isnan(both[name][2]).all() and numpy.isnan(both[name][:, 2]).all())
        numpy.testing.assert_array_equal(both.steady_g[:2, :2], first.steady_g)
        self.assertNotEqual(float(first.steady_g[0, 0]), float(first.steady_g[1, 1]))

    def test_faults(self):
        deck = ("title: t\ncomponents: {q: {kind: spins, size: 2}}\njumps: [{name: d, rate: 1, operator: q.Sm}]\nobservables:\n  a: {each: <q.Sz>}\n"
                "  b: {each: 'purity()*<q.sz[l]>'}\n  c: {each: '<q.sz[l]>', sum: '<q.sz[l]>'}\ntasks: [evolve: {times: [0], initial: {q: ground}}]\n")
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "deck.yaml")

            def told(text):
                with open(path, "w", encoding="utf-8") as stream:
                    stream.write(text)
                done = subprocess.run([PROGRAM, "plan", path], check=False, capture_output=True, text=True)
                self.assertEqual(done.returncode, 2)
                return done.stderr
            self.assertIn("observables.c.each: stands beside `sum`", told(deck))
            faults = told(deck.replace(", sum: '<q.sz[l]>'", ""))
            self.assertIn("observables.a.each: there is nothing to run over", faults)
            self.assertIn("observables.b.each: `purity(...)` cannot stand in a list over spins", faults)
            good = "\n".join(line for line in deck.splitlines() if not line.startswith(("  a:", "  b:"))).replace(", sum: '<q.sz[l]>'", "")
            for task in ("clicks: {jump: d, time: 1, most: 1, initial: {q: ground}}", "cumulant: {}", "trajectories: {times: [1], initial: {q: ground}}"):
                faults = told(good[:good.index("tasks")] + f"tasks: [{task}]\n")
                self.assertIn("observables.c.each: task %s has no place for a value of every spin" % task.split(":")[0], faults)
            faults = told(good[:good.index("tasks")] + "tasks: [evolve: {times: [0, 1, 2], tail: c, initial: {q: ground}}]\n")
            self.assertIn("tail", faults)


class Transport(unittest.TestCase):
    def test_the_chain_of_the_deck(self):
        """What enters flows through every bond and leaves; without dephasing the spins between the ends are alike, with it they
        lie on a line."""
        data = decks.run("spins_transport.yaml")
        for k, phi in enumerate(data.phi.values):
            n, flow = data.steady_n.values[k], 2 * data.steady_C.values[k]
            bonds = [flow[l, l + 1] for l in range(5)]
            numpy.testing.assert_allclose(abs(numpy.array(bonds)), 1 - n[0], rtol=1e-7)
            numpy.testing.assert_allclose(flow, -flow.T, atol=1e-9)
            self.assertAlmostEqual(1 - n[0], n[5], delta=1e-9)
            if phi == 0:
                numpy.testing.assert_allclose(n[1:5], 0.5, atol=1e-8)
            else:  # the current is 4/(2 phi) times the step between neighbours
                numpy.testing.assert_allclose(n[1:4] - n[2:5], (1 - n[0]) * phi / 2, rtol=1e-6)
        numpy.testing.assert_allclose(data.evolve_n.values[:, 0], 3 * [[0, 0, 1, 0, 0, 0]], atol=1e-12)


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
