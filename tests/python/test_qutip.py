"""Beside QuTiP: generators and states that are handed over are QuTiP's own, and every pair of the page `coming from QuTiP` is equal."""
# cospin-test: TIMEOUT 600 COST 60
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import warnings

from decks import PROGRAM, SOURCE

try:
    warnings.simplefilter("ignore")
    import qutip
    from qutip import piqs
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

import h5py
import numpy as np

import cospin

SCRATCH = tempfile.TemporaryDirectory(prefix="cospin_qutip_")  # pylint: disable=consider-using-with
PAGE = os.path.join(SOURCE, "postprocess", "qutip.md")

PRODUCT = """\
title: A spin 1, two atoms and a mode
parameters: {g: 0.7, w: 1}
grid: {w: [0.3, 1.1]}
arrays: {delta: [0.2, -0.5]}
components: {s: {kind: spin, S: 1}, q: {kind: spins, size: 2}, c: {kind: mode, cutoff: 3, edge: 1}}
hamiltonian:
  - w*s.Sx + 0.1*s.Sz^2
  - g*s.Sp*c.a + hc
  - sum: delta[l]/2*q.sz[l]
  - i*0.2*q.sp[0]*q.sm[1] + hc
jumps:
  - {rate: 0.5, operator: c.a}
  - {rate: 2*w, operator: s.Sm + 0.3*s.Sz}
  - {rate: 0.25, each: "q.sm[l]"}
  - {rates: 0.09, pairs: q.sp}
tasks: [{steady: {store: state}}]
"""
ENSEMBLE = """\
title: Spins that are pumped, dephased, and shine together
parameters: {N: 4}
components: {ions: {kind: ensemble, size: N}}
hamiltonian: [0.4*ions.Sx + 0.3*ions.Sz]
jumps:
  - {rate: 0.7, operator: ions.Sm}
  - {rate: 1.3, each: ions.sp}
  - {rate: 0.4, each: ions.sm}
  - {rate: 0.6/4, each: ions.sz}
tasks:
  - steady: {store: state}
  - evolve: {times: [0, 0.5], initial: {ions: {css: [1, 0.3]}}, store: state}
"""


def product_operators(w, g=0.7):
    """H and jumps of PRODUCT, written by hand."""
    one, up = [qutip.qeye(3), qutip.qeye(2), qutip.qeye(2), qutip.qeye(3)], qutip.sigmap()

    def at(place, op):
        return qutip.tensor(*one[:place], op, *one[place + 1:])

    spin, a = {name: at(0, qutip.jmat(1, name)) for name in "xyz+-"}, at(3, qutip.destroy(3))
    h = w * spin["x"] + .1 * spin["z"] ** 2 + g * (spin["+"] * a + spin["-"] * a.dag())
    h += sum(d / 2 * at(1 + k, qutip.sigmaz()) for k, d in enumerate([.2, -.5]))
    exchange = .2j * at(1, up) * at(2, up.dag())
    jumps = [np.sqrt(.5) * a, np.sqrt(2 * w) * (spin["-"] + .3 * spin["z"]), .5 * at(1, up.dag()), .5 * at(2, up.dag())]
    return h + exchange + exchange.dag(), jumps, .3 * (at(1, up) + at(2, up))


def ensemble_generator(n=4):
    """ENSEMBLE in piqs; its rate gamma of dephasing stands with sigma_z/2."""
    x, _, z = piqs.jspin(n)
    return piqs.Dicke(n, hamiltonian=.4 * x + .3 * z, emission=.4, pumping=1.3, dephasing=.6, collective_emission=.7).liouvillian()


class Generators(unittest.TestCase):
    def test_a_product_is_as_written_by_hand(self):
        h, jumps, both = product_operators(1.1)
        found_h, found = cospin.matrices(PRODUCT, w=1.1).to_qutip()
        self.assertEqual(found_h.dims, h.dims)
        self.assertLess((found_h - h).norm(), 1e-12)
        # R = 0.09 for all pairs is one jump, up to a phase; the whole is compared
        self.assertEqual(len(found), len(jumps) + 1)
        self.assertLess((qutip.liouvillian(found_h, found) - qutip.liouvillian(h, [*jumps, both])).norm("max"), 1e-12)

    def test_the_generator_is_that_of_its_operators(self):
        m = cospin.matrices(PRODUCT, w=.3)
        there = qutip.liouvillian(*m.to_qutip()).data.tocsr()
        places = self.places(m)
        size = m.hamiltonian.shape[0]
        vec = places[0] + size * places[1]  # columns of rho one below the other
        self.assertEqual(sorted(vec), list(range(size ** 2)))
        self.assertLess(abs(there[np.ix_(vec, vec)] - m.liouvillian).max(), 1e-12)

    @staticmethod
    def places(m):
        """(rows, columns) in QuTiP's matrix of the labels."""
        from cospin.qutip_bridge import order_of_kets
        sides = []
        for side in (1, 2):
            kets = {}
            for component in m.components:
                columns = component.columns()
                kets.update({column: m.labels[column] for column in columns[0]})
                kets[columns[1]] = m.labels[columns[side]]
            sides.append(order_of_kets(m.components, kets)[0])
        return sides

    def test_an_ensemble_is_that_of_piqs(self):
        m = cospin.matrices(ENSEMBLE)
        there = ensemble_generator().data.tocsr()
        rows, columns = self.places(m)
        size = m.hamiltonian.shape[0]
        vec = rows + size * columns
        self.assertLess(abs(there[np.ix_(vec, vec)] - m.liouvillian).max(), 2e-6)  # piqs keeps single precision
        # and of its own jumps, which change j: the same for elements within one j
        own = qutip.liouvillian(*m.to_qutip()).data.tocsr()
        self.assertLess(abs(own[np.ix_(vec, vec)] - m.liouvillian).max(), 1e-12)

    def test_what_the_functions_return(self):
        m = cospin.matrices(PRODUCT, w=.3)
        for function, whole in ((cospin.liouvillian, m.liouvillian), (cospin.hamiltonian, m.hamiltonian)):
            self.assertEqual(abs(function(PRODUCT, w=.3) - whole).max(), 0)
        self.assertEqual(len(cospin.jumps(PRODUCT, w=.3)), 5)
        self.assertEqual(m.lines, [0, 1, 2, 2, 3])
        self.assertEqual(m.dims(), [3, 4, 3])
        self.assertEqual(cospin.hamiltonian(ENSEMBLE, set={"N": 2}).shape, (4, 4))

    def test_what_cannot_be_asked_for(self):
        for point, sentence in (({}, "w has 2 values"), ({"w": 3}, "w has no value 3"), ({"v": 3}, "no axis v")):
            with self.assertRaisesRegex(ValueError, sentence):
                cospin.liouvillian(PRODUCT, **point)
        for change, sentence in ((("size: N", "size: 4000"), "labels, more than 1000000"), (("size: N", "sise: N"), "unknown key `sise`")):
            with self.assertRaisesRegex(cospin.DeckFaults, sentence):
                cospin.liouvillian(ENSEMBLE.replace(*change))
        with self.assertRaisesRegex(cospin.DeckFaults, "no last level"):
            cospin.liouvillian(PRODUCT.replace(", cutoff: 3, edge: 1", ""), w=.3)

    def test_the_deck_is_not_written_over(self):
        with tempfile.TemporaryDirectory() as folder:
            deck, file = os.path.join(folder, "my.yaml"), os.path.join(folder, "m")
            with open(deck, "w", encoding="utf-8") as stream:
                stream.write(ENSEMBLE)
            for name, status in ((deck, 2), (file, 0), (file, 0), (os.path.join(folder, "none", "m"), 2)):
                done = subprocess.run([PROGRAM, "export", deck, "--matrix", name], check=False, capture_output=True, text=True)
                self.assertEqual(done.returncode, status, done.stderr)
            with open(deck, encoding="utf-8") as stream:
                self.assertEqual(stream.read(), ENSEMBLE)


class States(unittest.TestCase):
    def test_a_product(self):
        h, jumps, both = product_operators(1.1)
        data = cospin.run(PRODUCT)
        state = cospin.read_state(data.encoding["source"], "steady", w=1.1)
        there = qutip.steadystate(h, [*jumps, both])
        self.assertEqual(state.to_qutip().dims, there.dims)
        self.assertLess((state.to_qutip() - there).norm(), 1e-8)
        self.assertLess((state.reduced("q").to_qutip() - there.ptrace([1, 2])).norm(), 1e-8)
        self.assertLess((state.reduced("c").to_qutip() - there.ptrace(3)).norm(), 1e-8)

    @staticmethod
    def steady_of_piqs():
        """Its generator leaves coherences between irreps alone, which have to be taken out first."""
        generator, blocks = ensemble_generator().full(), np.flatnonzero(
            qutip.operator_to_vector(sum((piqs.jspin(4, one) for one in "xyz"), piqs.jspin(4, "x") ** 2 + piqs.jspin(4, "x") ** 3
                                         + piqs.jspin(4, "x") ** 4 + .1 * piqs.jspin(4, "z") ** 2 + 1)).full())
        vector = np.zeros(len(generator), complex)
        vector[blocks] = np.linalg.svd(generator[np.ix_(blocks, blocks)])[2][-1].conj()
        rho = vector.reshape(9, 9).T
        return qutip.Qobj(rho / np.trace(rho))

    def test_an_ensemble(self):
        data = cospin.run(ENSEMBLE)
        there = self.steady_of_piqs()
        state = cospin.read_state(data.encoding["source"], "steady")
        self.assertLess((state.to_qutip() - there).norm(), 2e-6)
        block = state.to_qutip(j=1)
        self.assertLess(np.abs(block.full() - there.full()[5:8, 5:8]).max(), 2e-6)
        self.assertAlmostEqual(qutip.expect(piqs.jspin(4, "z"), there), (state.to_qutip() * piqs.jspin(4, "z")).tr().real, 5)

    def test_an_evolution(self):
        data = cospin.run(ENSEMBLE)
        start, end = (cospin.read_state(data.encoding["source"], "evolve", time=t).to_qutip() for t in (0, .5))
        h, jumps = cospin.matrices(ENSEMBLE).to_qutip()
        there = qutip.mesolve(h, start, [0, .5], jumps, options=qutip.Options(atol=1e-12, rtol=1e-10)).states[-1]
        self.assertLess((end - there).norm(), 1e-7)


class Topics(unittest.TestCase):
    """Decks that `cospin new` begins with, beside the same in QuTiP."""

    @staticmethod
    def topic(name, **options):
        return cospin.run(os.path.join(SOURCE, "input", "new", name + ".yaml"), output=os.path.join(tempfile.mkdtemp(dir=SCRATCH.name), "out.h5"), **options)

    @staticmethod
    def mesolve(h, start, times, jumps, means):
        return qutip.mesolve(h, start, times, jumps, means, options=qutip.Options(atol=1e-11, rtol=1e-9, nsteps=100000)).expect

    def test_burst(self):
        data, n = self.topic("burst"), 8
        for alone in (0, .2, 1):
            generator = piqs.Dicke(n, emission=alone, collective_emission=1).liouvillian()
            light, inversion = self.mesolve(generator, piqs.excited(n), data.time.values, [],
                                            [piqs.jspin(n, "+") * piqs.jspin(n, "-") / n, piqs.jspin(n, "z")])
            np.testing.assert_allclose(data.evolve_light.sel(alone=alone), light, atol=1e-5)  # piqs keeps single precision
            np.testing.assert_allclose(data.evolve_excited.sel(alone=alone), .5 + inversion / n, atol=1e-5)

    def test_timecrystal(self):
        data, s = self.topic("timecrystal", set={"S": 4}), 4
        for w in (.5, 1.5):
            h, jump = w * qutip.jmat(s, "x"), np.sqrt(1 / s) * qutip.jmat(s, "-")
            there = qutip.steadystate(h, [jump])
            self.assertAlmostEqual(float(data.steady_m.sel(W=w)), qutip.expect(qutip.jmat(s, "z"), there) / s, 8)
            rates = np.sort(-qutip.liouvillian(h, [jump]).eigenenergies().real)
            self.assertAlmostEqual(float(data.gap_rate.sel(W=w)), rates[1], 7)
            course, = self.mesolve(h, qutip.basis(2 * s + 1, 2 * s), data.time.values, [jump], [qutip.jmat(s, "z") / s])
            np.testing.assert_allclose(data.evolve_m.sel(W=w), course, atol=1e-6)

    def test_squeezing(self):
        """One-axis twisting without decay in closed form (Kitagawa and Ueda, Eq. (3) to (5), mu = 2 chi t), with decay by piqs."""
        data, n = self.topic("squeezing"), 10
        times = data.time.values
        mu = 2 * times
        a, b = 1 - np.cos(mu) ** (n - 2), 4 * np.sin(mu / 2) * np.cos(mu / 2) ** (n - 2)
        least = 1 + (n - 1) / 4 * (a - np.sqrt(a ** 2 + b ** 2))  # of the variance, of that of a product state
        contrast = np.cos(mu / 2) ** (n - 1)
        np.testing.assert_allclose(data.evolve_length.sel(gamma=0), contrast, atol=1e-7)
        np.testing.assert_allclose(data.evolve_squeezing.sel(gamma=0), least / contrast ** 2, rtol=1e-6)
        x, y, z = piqs.jspin(n)
        generator = piqs.Dicke(n, hamiltonian=z ** 2, emission=1).liouvillian()
        means = self.mesolve(generator, piqs.css(n), times, [], [x, y, z, x * x, y * y, z * z, x * y + y * x, y * z + z * y, z * x + x * z])
        np.testing.assert_allclose(data.evolve_length.sel(gamma=1), 2 * means[0] / n, atol=1e-5)
        mx, my, mz, xx, yy, zz, xy, yz, zx = (mean[-1] for mean in means)
        covariance = np.array([[xx, xy / 2, zx / 2], [xy / 2, yy, yz / 2], [zx / 2, yz / 2, zz]])
        length = np.sqrt(mx ** 2 + my ** 2 + mz ** 2)
        across = np.linalg.svd(np.array([[mx, my, mz]]))[2][1:]
        there = n * np.linalg.eigvalsh(across @ covariance @ across.T)[0] / length ** 2
        self.assertAlmostEqual(float(data.evolve_squeezing.sel(gamma=1)[-1]) / there, 1, 4)

    def test_dicke(self):
        data, size = self.topic("dicke"), 14
        a, one = qutip.tensor(qutip.qeye(3), qutip.destroy(size)), qutip.qeye(size)
        x, z = (qutip.tensor(qutip.jmat(1, name), one) for name in "xz")
        for g in (.2, .5):
            h = a.dag() * a + z - 2 * g / np.sqrt(2) * (a + a.dag()) * x - .1 * (a + a.dag())
            there = qutip.steadystate(h, [a])
            self.assertAlmostEqual(float(data.steady_photons.sel(g=g)), qutip.expect(a.dag() * a, there), 7)
            self.assertAlmostEqual(float(data.steady_excited.sel(g=g)), .5 + qutip.expect(z, there) / 2, 7)

    def test_classes(self):
        """Five atoms and a mode of six levels; the number of excitations bounds all."""
        data = self.topic("classes")

        def at(place, op):
            factors = [qutip.qeye(6)] + [qutip.qeye(2)] * 5
            factors[place] = op
            return qutip.tensor(factors)

        a, up = at(0, qutip.destroy(6)), [at(k, qutip.sigmap()) for k in range(1, 6)]
        h = sum(.5 * (one * a + a.dag() * one.dag()) for one in up)
        h += sum(.5 * shift * at(k + 1, qutip.sigmaz() / 2) for k, shift in enumerate((-2, -1, 0, 1, 2)))
        excited = qutip.tensor([qutip.basis(6, 0)] + [qutip.basis(2, 0)] * 5)
        times = data.time.values[:7]
        light, middle = self.mesolve(h, excited, times, [a], [a.dag() * a, up[2] * up[2].dag()])
        np.testing.assert_allclose(data.evolve_light.sel(width=.5)[:7], light, atol=1e-6)
        np.testing.assert_allclose(data.evolve_middle.sel(width=.5)[:7], middle, atol=1e-6)


class Back(unittest.TestCase):
    """Decks of QuTiP's matrices."""

    @classmethod
    def setUpClass(cls):
        a, sm = qutip.tensor(qutip.destroy(5), qutip.qeye(3)), qutip.tensor(qutip.qeye(5), qutip.basis(3, 0) * qutip.basis(3, 2).dag())
        other = qutip.tensor(qutip.qeye(5), qutip.rand_herm(3, seed=2))
        cls.h = .3 * a.dag() * a + (.5 + .2j) * a.dag() * sm + (.5 - .2j) * a * sm.dag() + other + .4 * (a + a.dag()) + .1
        cls.jumps = [a, .5 * sm + .2j * a, .3 * qutip.tensor(qutip.qeye(5), qutip.basis(3, 1) * qutip.basis(3, 0).dag())]
        cls.means = {"photons": a.dag() * a, "field": a, "shifted": other + 2}

    def test_there_and_back(self):
        deck = cospin.from_qutip(self.h, self.jumps, self.means)
        h, jumps = cospin.matrices(deck).to_qutip()
        self.assertEqual(h.dims, self.h.dims)
        self.assertLess((h - self.h).norm(), 1e-12)
        self.assertEqual(len(jumps), len(self.jumps))
        for here, there in zip(jumps, self.jumps):
            self.assertLess((here - there).norm(), 1e-12)

    def test_operators_of_factors_stay_what_they_are(self):
        a, lower = qutip.tensor(qutip.destroy(30), qutip.qeye(2)), qutip.tensor(qutip.qeye(30), qutip.sigmap())
        deck = cospin.from_qutip(0.7 * (a * lower.dag() + a.dag() * lower) + a.dag() * a, [a, 0.3 * lower], names=["c", "q"])
        self.assertEqual([len(deck["components"][name]["operators"]) for name in "cq"], [2, 1])  # a, its number; the lowering one
        self.assertEqual(len(deck["hamiltonian"]), 2)

    def test_what_is_no_sum_of_few_products(self):
        random = np.random.default_rng(3)
        for dims in ([9], [3, 2], [2, 2, 2]):
            n = int(np.prod(dims))
            full = [qutip.Qobj(random.normal(size=(n, n)) + 1j * random.normal(size=(n, n)), dims=[dims, dims]) for _ in range(2)]
            h, jumps = cospin.matrices(cospin.from_qutip(full[0] + full[0].dag(), full[1:])).to_qutip()
            self.assertLess((h - full[0] - full[0].dag()).norm(), 1e-12)
            self.assertLess((jumps[0] - full[1]).norm(), 1e-12)

    def test_a_mixed_start(self):
        deck = cospin.from_qutip(self.h, self.jumps, self.means, names=["cavity", "atom"])
        mixed = [qutip.thermal_dm(5, 0.7), (qutip.basis(3, 0) + 1j * qutip.basis(3, 2)).unit().proj() * 0.6 + qutip.basis(3, 1).proj() * 0.4]
        deck["tasks"] = [{"evolve": {"times": [0, .7], "initial": cospin.initial_from_qutip(mixed, ["cavity", "atom"])}}]
        data, means = cospin.run(deck), list(self.means.values())
        solved = qutip.mesolve(self.h, qutip.tensor(mixed), [0, .7], self.jumps, means, options=qutip.Options(atol=1e-12, rtol=1e-10)).expect
        for name, course in zip(self.means, solved):
            np.testing.assert_allclose(data["evolve_" + name], np.real(course), atol=1e-7)

    def test_a_run(self):
        deck = cospin.from_qutip(self.h, self.jumps, self.means, names=["cavity", "atom"])
        kets = [qutip.basis(5, 1), (qutip.basis(3, 0) + 1j * qutip.basis(3, 2)).unit()]
        deck["tasks"] = [{"steady": {"store": "state"}},
                         {"evolve": {"times": [0, .7], "initial": cospin.initial_from_qutip(kets, ["cavity", "atom"])}}]
        data = cospin.run(deck)
        there = qutip.steadystate(self.h, self.jumps)
        self.assertLess((cospin.read_state(data.encoding["source"], "steady").to_qutip() - there).norm(), 1e-8)
        means = list(self.means.values())
        solved = qutip.mesolve(self.h, qutip.tensor(kets), [0, .7], self.jumps, means, options=qutip.Options(atol=1e-12, rtol=1e-10)).expect
        for name, mean, course in zip(self.means, means, solved):
            self.assertAlmostEqual(float(data["steady_" + name]), qutip.expect(mean, there).real, 8)
            np.testing.assert_allclose(data["evolve_" + name], np.real(course), atol=1e-7)

    def test_what_cannot_be_taken_over(self):
        a = qutip.destroy(1001)
        for arguments, sentence in (((a.dag() * a,), "A has 1001"), ((qutip.destroy(3),), "not hermitian"), ((qutip.sigmaz(), [qutip.destroy(3)]), "dims")):
            with self.assertRaisesRegex(ValueError, sentence):
                cospin.from_qutip(*arguments)


MATRIX = """
title: A system whose operators are matrices, beside a mode
parameters: {g: 0.4, om: 0.5}
components:
  atom:
    kind: matrix
    levels: 3
    operators:
      x: [[0, om, 0], [om, 0.2, g*i], [0, -g*i, -0.1]]
      s: {entries: [[0, 1, 1], [1, 2, sqrt(2)]]}
      k: {file: k.h5, dataset: k}
  c: {kind: mode, cutoff: 4, edge: 1}
hamiltonian: [atom.x, 0.3*atom.s*dag(c.a) + hc, 0.2*c.n]
jumps:
  - {name: out, rate: 1, operator: c.a}
  - {rate: 0.3, operator: atom.s}
  - {rate: 0.2, operator: atom.k}
  - {rate: 0.1, operator: atom.s*atom.k + 0.5*dag(atom.k)}
observables: {up: '<atom.E[2,2]>', sk: <atom.s*atom.k + dag(atom.s*atom.k)>, n: <c.n>}
tasks:
  - steady: {store: state}
  - gap: {}
  - decay: {of: c.a, count: 3}
  - evolve: {times: [0, 1, 2], initial: {atom: {ket: [1, i, 0.5]}, c: {fock: 1}}}
  - evolve: {name: mixed, times: [0, 1], initial: {atom: {density: [[0.5, 0.1*i, 0], [-0.1*i, 0.3, 0], [0, 0, 0.2]]}}}
  - evolve: {name: pulse, times: [0, 1], initial: {atom: {level: 1}}, fidelity: initial}
  - spectrum: {of: dag(c.a), frequencies: {linspace: [-1, 1, 5]}}
  - correlation: {of: dag(c.a), times: [0, 1]}
  - counting: {jump: out}
  - trajectories: {times: [0, 1, 2], initial: {atom: {ket: [1, i, 0.5]}, c: {fock: 1}}, trajectories: 1000, seed: 3}
"""


class MatrixKind(unittest.TestCase):
    """All that is asked of a deck whose operators are matrices, on several ranks, as QuTiP has it."""

    @classmethod
    def setUpClass(cls):
        g, om = 0.4, 0.5
        x, lower = np.array([[0, om, 0], [om, .2, g * 1j], [0, -g * 1j, -.1]]), np.zeros((3, 3))
        lower[0, 1], lower[1, 2] = 1, np.sqrt(2)
        cls.k = np.array([[1, .2, 0], [.3j, 0, 0], [.1 + .2j, 1, 0]])
        x, s, k = (qutip.tensor(qutip.Qobj(one), qutip.qeye(4)) for one in (x, lower, cls.k))
        cls.a = qutip.tensor(qutip.qeye(3), qutip.destroy(4))
        cls.h = x + .3 * (s * cls.a.dag() + s.dag() * cls.a) + .2 * cls.a.dag() * cls.a
        cls.jumps = [cls.a, np.sqrt(.3) * s, np.sqrt(.2) * k, np.sqrt(.1) * (s * k + .5 * k.dag())]
        cls.means = {"up": qutip.tensor(qutip.basis(3, 2).proj(), qutip.qeye(4)), "sk": s * k + (s * k).dag(), "n": cls.a.dag() * cls.a}
        cls.steady = qutip.steadystate(cls.h, cls.jumps)
        cls.options = qutip.Options(atol=1e-12, rtol=1e-10, nsteps=100000)

    def evolved(self, start, times):
        return dict(zip(self.means, qutip.mesolve(self.h, start, times, self.jumps, list(self.means.values()), options=self.options).expect))

    def run_on(self, ranks):
        folder = tempfile.mkdtemp(prefix="cospin_matrix_")
        self.addCleanup(shutil.rmtree, folder, True)
        with h5py.File(os.path.join(folder, "k.h5"), "w") as file:
            file["k"] = complex_dataset(self.k)
        with open(os.path.join(folder, "deck.yaml"), "w", encoding="utf-8") as stream:
            stream.write(MATRIX)
        return cospin.run(os.path.join(folder, "deck.yaml"), ranks=ranks, output=os.path.join(folder, "deck.h5"))

    def check(self, data):
        for name, mean in self.means.items():
            self.assertAlmostEqual(float(data["steady_" + name]), qutip.expect(mean, self.steady).real, 12)
        rates = np.sort(-np.linalg.eigvals(qutip.liouvillian(self.h, self.jumps).full()).real)
        self.assertAlmostEqual(float(data.gap_rate), rates[1], 10)
        # one sector: the zero is left out of a decay
        np.testing.assert_allclose(np.sort(data.decay_rate), rates[1:4], atol=1e-9)
        pure = qutip.tensor(qutip.Qobj(np.array([1, 1j, .5])).unit(), qutip.basis(4, 1))
        one = np.array([[.5, .1j, 0], [-.1j, .3, 0], [0, 0, .2]])
        mixed = qutip.tensor(qutip.Qobj(one), qutip.basis(4, 0).proj())
        course = self.evolved(pure, [0, 1, 2])
        for name, there in course.items():
            np.testing.assert_allclose(data["evolve_" + name], there, atol=1e-8)
            np.testing.assert_allclose(data["mixed_" + name], self.evolved(mixed, [0, 1])[name], atol=1e-8)
            off = np.abs(data["trajectories_" + name] - there)
            self.assertTrue(bool((off <= 5 * data[f"trajectories_{name}_error"] + 1e-9).all()))
        level = qutip.tensor(qutip.basis(3, 1), qutip.basis(4, 0))
        there = qutip.mesolve(self.h, level, [0, 1], self.jumps, [level.proj()], options=self.options).expect[0]
        np.testing.assert_allclose(data.pulse_fidelity, there, atol=1e-8)
        there = qutip.correlation_2op_1t(self.h, None, [0, 1], self.jumps, self.a.dag(), self.a, options=self.options)
        np.testing.assert_allclose(data.correlation_re + 1j * data.correlation_im, there, atol=1e-7)
        there = qutip.spectrum(self.h, np.linspace(-1, 1, 5), self.jumps, self.a.dag(), self.a, solver="pi")
        np.testing.assert_allclose(data.spectrum_density, there, atol=1e-6)
        self.assertAlmostEqual(float(data.counting_mean), qutip.expect(self.means["n"], self.steady), 9)

    def test_on_ranks(self):
        for ranks in (1, 2, 3):
            data = self.run_on(ranks)
            with self.subTest(ranks=ranks):
                self.check(data)
                state = cospin.read_state(data.encoding["source"], "steady").to_qutip()
                self.assertLess((state - self.steady).norm(), 1e-10)

    def test_the_generator(self):
        data = self.run_on(1)
        folder = os.path.dirname(data.encoding["source"])
        matrices = cospin.matrices(os.path.join(folder, "deck.yaml"))
        h, jumps = matrices.to_qutip()
        self.assertLess((h - self.h).norm(), 1e-12)
        for here, there in zip(jumps, self.jumps):
            self.assertLess((here - there).norm(), 1e-12)
        values = np.linalg.eigvals(matrices.liouvillian.toarray())
        there = np.linalg.eigvals(qutip.liouvillian(self.h, self.jumps).full())
        self.assertLess(max(np.abs(values - one).min() for one in there), 1e-9)

    def test_what_counts_of_a_file(self):
        """Another matrix in the file is another problem: points that are there are not taken over."""
        data = self.run_on(1)
        path = data.encoding["source"]
        deck = os.path.join(os.path.dirname(path), "deck.yaml")
        with h5py.File(os.path.join(os.path.dirname(path), "k.h5"), "w") as file:
            file["k"] = complex_dataset(2 * self.k)
        with self.assertRaisesRegex(Exception, "checksum of k.h5"):
            cospin.run(deck, output=path)


def complex_dataset(matrix):
    """As cospin's own complex numbers are stored."""
    pairs = np.zeros(matrix.shape, dtype=[("r", "f8"), ("i", "f8")])
    pairs["r"], pairs["i"] = matrix.real, matrix.imag
    return pairs


class Page(unittest.TestCase):
    """Each block of the page computes one number, or several, `there` in QuTiP and `here` from a deck."""

    def test_every_pair_is_equal(self):
        with open(PAGE, encoding="utf-8") as stream:
            blocks = re.findall(r"^```python\n(.*?)^```$", stream.read(), re.M | re.S)
        self.assertGreaterEqual(len(blocks), 6)
        before = {}
        exec(compile(blocks[0], PAGE, "exec"), before)  # pylint: disable=exec-used  # imports
        for number, block in enumerate(blocks[1:]):
            with self.subTest(block=number, first=block.split("\n")[0]):
                names = dict(before)
                exec(compile(block, f"{PAGE}, block {number + 1}", "exec"), names)  # pylint: disable=exec-used
                here, there = np.asarray(names["here"]), np.asarray(names["there"])
                self.assertEqual(here.shape, there.shape)
                # `error`: of a block with random numbers
                np.testing.assert_allclose(here, there, rtol=2e-5, atol=names.get("error", 2e-6))
                self.assertGreater(np.abs(there).max(), 1e-3)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
