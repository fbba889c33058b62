"""What counts as zero, several steady states, windows and cutoffs: small decks whose numbers are known in closed form."""
# cospin-test: COST 30
import itertools
import os
import re
import subprocess
import tempfile
import unittest

import numpy

from decks import PROGRAM, run_text

SPIN = "components: {q: {kind: spin, S: 1/2}}\n"
GOOD, INACCURATE, EMPTY, DEGENERATE, OSCILLATING = 1, -1, -2, -4, -8


def run(body, status=0, ranks=1, options="{}"):
    """The dataset of a deck: with LAPACK, or as the options say."""
    return run_text(f"title: t\n{body}petsc: {options}\n", status=status, ranks=ranks, mask=False)


class Zeros(unittest.TestCase):
    """Sums that cancel leave no dynamics behind, and slow modes are told from zero down to the resolution."""

    def test_a_jump_whose_parts_cancel(self):
        """x D[Sm Sp + i y Sp Sm] is diagonal: populations stay, whatever x and y. All 300 points."""
        data = run(f"parameters: {{x: 1, y: 1}}\ngrid: {{x: {{linspace: [0.1, 3, 30]}}, y: {{linspace: [0.05, 1, 10]}}}}\n{SPIN}"
                   "jumps: [{rate: x, operator: q.Sm*q.Sp + y*i*q.Sp*q.Sm}]\nobservables: {z: <q.Sz>}\n"
                   "tasks: [steady: {initial: {q: {fock: 1}}}]\n")
        self.assertTrue((data.steady_outcome == GOOD).all())
        numpy.testing.assert_allclose(data.steady_z, 0.5, atol=1e-14)
        self.assertTrue((data.steady_degeneracy == 2).all())

    def test_a_phase_is_none(self):
        """D[exp(i y) Sz] has the null vectors of D[Sz]: four populations of two spins, none lost, none gained."""
        data = run("parameters: {x: 1, y: 1}\ngrid: {x: {linspace: [0.1, 3, 10]}, y: {linspace: [0.05, 6, 30]}}\n"
                   "components: {q: {kind: ensemble, size: 2}}\njumps: [{rate: x, operator: exp(i*y)*q.Sz}]\n"
                   "observables: {z: <q.Sz>}\ntasks: [steady: {initial: {q: {dicke: [1, 1]}}}, gap: {}]\n", status=3)
        self.assertTrue((data.steady_degeneracy == 4).all())
        self.assertTrue((data.steady_outcome == GOOD).all())
        numpy.testing.assert_allclose(data.steady_z, 1, atol=1e-14)
        self.assertTrue((data.gap_outcome == EMPTY).all())  # nothing there changes in time
        self.assertTrue(numpy.isnan(data.gap_rate).all())

    def test_a_matrix_of_zeros_is_no_eigenproblem(self):
        """Local dephasing of one spin moves no population (rates 0.5 and 0.499 ended the program once)."""
        data = run("parameters: {r: 1}\ngrid: {r: [0.5, 0.499]}\ncomponents: {q: {kind: ensemble, size: 1}}\n"
                   "jumps: [{rate: r, each: q.sz}]\ntasks: [decay: {of: q.Sz}, decay: {name: other, of: q.Sp}]\n", status=3)
        self.assertTrue((data.decay_outcome == EMPTY).all())
        numpy.testing.assert_allclose(data.other_rate[:, 0], 2 * data.r, rtol=1e-14)
        for component, local in (("spins, size: 2", "each: 'A.sz'"), ("levels, size: 1, levels: 3", "operator: A.Sz"), ("mode, cutoff: 4", "operator: A.n")):
            data = run(f"parameters: {{r: 1}}\ngrid: {{r: [0.5, 0.499]}}\ncomponents: {{A: {{kind: {component}}}}}\njumps: [{{rate: r, {local}}}]\n"
                       f"tasks: [decay: {{of: {'A.n' if 'mode' in component else 'A.Sz'}, count: 2}}, gap: {{}}]\n", status=3)
            self.assertTrue((data.decay_outcome == EMPTY).all() and (data.gap_outcome == EMPTY).all())

    def test_slow_modes_do_not_hide_each_other(self):
        """Weak local noise beside collective decay: rates are e times those of degenerate perturbation theory, whatever e."""
        for size, task, expected in ((5, "gap: {}", [2.14039665]), (8, "decay: {of: q.Sz, count: 2}", [2.074431, 4.360639])):
            for options in ("{}", "{dense_limit: 0}"):
                data = run(f"parameters: {{e: 1}}\ngrid: {{e: [1e-7, 1e-9, 1e-10, 1e-11]}}\ncomponents: {{q: {{kind: ensemble, size: {size}}}}}\n"
                           "jumps: [{rate: 1, operator: q.Sm}, {rate: e, each: q.sm}, {rate: e/2, each: q.sp}]\n"
                           f"tasks: [{task}]\n", status=(0, 3), options=options)
                name = task[:task.index(":")]
                good = numpy.flatnonzero(data[f"{name}_outcome"] == GOOD)
                self.assertGreaterEqual(len(good), 4 if options == "{}" else 2)
                for point in good:
                    rates = numpy.atleast_1d(data[f"{name}_rate"][point])
                    tolerance = float(numpy.max(data[f"{name}_resolution"][point])) * 20
                    numpy.testing.assert_allclose(rates, numpy.array(expected) * float(data.e[point]), rtol=2e-6, atol=tolerance)

    def test_a_zero_that_was_missed_is_no_rate(self):
        """Beside a spin that decays something turns without decay: every level has its zero. A search that misses one finds it as a
        rate of a few resolutions, which its own residual makes uncertain (random deck 92348: 5e-14, good)."""
        for component, drive, levels in (("kind: mode, cutoff: 5, edge: 1", "-1.95*dag(B.a) + hc", 5), ("kind: spin, S: 5/2", "1.3*B.Sx", 6),
                                         ("kind: mode, cutoff: 7, edge: 1", "0.7*i*B.a + hc, B.n", 7)):
            data = run(f"components: {{A: {{kind: ensemble, size: 1}}, B: {{{component}}}}}\nhamiltonian: [{drive}]\n"
                       "jumps: [{rate: 0.642, operator: A.Sm + 0.3*A.Sp}, {rate: 0.000196, each: A.sm}, {rate: 0.000392, each: A.sp}]\n"
                       "tasks: [gap: {}, decay: {of: B.Sz, count: 2}]\n".replace("B.Sz", "B.n" if "mode" in component else "B.Sz"),
                       status=(0, 3), options="{dense_limit: 0}")
            if int(data.gap_outcome) == GOOD:
                self.assertEqual((int(data.gap_zeros), float(data.gap_rate)), (levels, 0))
            for rate, frequency in zip(data.decay_rate.values, data.decay_frequency.values):
                if int(data.decay_outcome) == GOOD:
                    self.assertLess(rate, 1e-9)
                    self.assertGreater(abs(frequency), 1e-3)

    def test_irreps_are_not_lost(self):
        """A driven jump Sx Sz of three spins: j is conserved, two irreps, two steady states; the start lies in j = 3/2."""
        for size, j, m, irreps in ((3, 1.5, -0.5, 2), (2, 1, 0, 2), (4, 2, -1, 3), (4, 1, 1, 3)):
            data = run(f"parameters: {{h: 0.2, g: 1}}\ngrid: {{g: {{logspace: [1e-3, 1, 10]}}}}\ncomponents: {{A: {{kind: ensemble, size: {size}}}}}\n"
                       "hamiltonian: [h*A.Sx, 0.8*A.Sy]\njumps: [{rate: g, operator: A.Sx*A.Sz}]\n"
                       "observables: {square: <A.Sx^2 + A.Sy^2 + A.Sz^2>}\n"
                       f"tasks: [steady: {{initial: {{A: {{dicke: [{j}, {m}]}}}}}}]\n")
            self.assertTrue((data.steady_degeneracy == irreps).all())
            numpy.testing.assert_allclose(data.steady_square, j * (j + 1), rtol=1e-10)

    def test_slow_mixing_knows_its_error(self):
        """<Sz> = -1/4 by rates s and 3 s alone. What rounding makes of it is within the stored error, and no bad number is good."""
        for a, b, down, z in (("1/2", "3", 3, -0.25), ("1", "2", 2, -3 / 7), ("1/2", "5", 0.25, 0.3)):
            data = run("parameters: {s: 1}\ngrid: {s: [3e-14, 1e-11, 1e-9, 1e-7, 1e-5]}\n"
                       f"components: {{A: {{kind: spin, S: {a}}}, B: {{kind: spin, S: {b}}}}}\nhamiltonian: [0.7*A.Sz*B.Sx]\n"
                       f"jumps: [{{rate: s, operator: A.Sp}}, {{rate: {down}*s, operator: A.Sm}}, {{rate: 1, operator: B.Sm}}, {{rate: 0.5, operator: B.Sp}}]\n"
                       "observables: {z: <A.Sz>}\ntasks: [steady: {}]\n", status=3)
            off = abs(data.steady_z - z).where(data.steady_outcome != DEGENERATE, 0)
            self.assertTrue((off <= data.steady_error.fillna(0)).all())
            self.assertTrue((off[data.steady_outcome == GOOD] <= 1e-7).all())
            self.assertEqual(int(data.steady_outcome[-1]), GOOD)
            self.assertIn(int(data.steady_outcome[0]), (INACCURATE, DEGENERATE))


class Several(unittest.TestCase):
    """Steady states that are several."""

    def test_a_coherence_that_a_jump_keeps(self):
        for options, operator in itertools.product(("{}", "{dense_limit: 0}"), ("q.Sx", "2*q.Sx + 1")):
            data = run(f"{SPIN}jumps: [{{rate: 1, operator: '{operator}'}}]\nobservables: {{x: <q.Sx>}}\n"
                       "tasks: [steady: {initial: {q: {css: [pi/2, 0]}}}]\n", options=options)
            self.assertAlmostEqual(float(data.steady_x), 0.5, places=12)
            self.assertEqual(int(data.steady_degeneracy), 2)
        run(f"{SPIN}jumps: [{{rate: 1, operator: q.Sx}}]\ntasks: [steady: {{}}]\n", status=3)

    def test_a_driven_mode_beside_a_conserved_spin(self):
        """Sx = 1/2 drives the mode to the coherent state -0.8 i, purely; so does evolution."""
        start = "initial: {q: {css: [pi/2, 0]}}"
        data = run("components: {q: {kind: spin, S: 1/2}, c: {kind: mode}}\nhamiltonian: [0.8*q.Sx*c.a + hc]\njumps: [{rate: 1, operator: c.a}]\n"
                   "observables: {x: <q.Sx>, a: <c.a>, pure: purity()}\n"
                   f"tasks: [steady: {{{start}}}, evolve: {{{start}, times: [60]}}, correlation: {{of: c.a, times: [0, 1]}}]\n", status=3)
        for task in (data.steady_x, data.evolve_x[0]):
            self.assertAlmostEqual(float(task), 0.5, places=10)
        self.assertAlmostEqual(float(data.steady_a_im), -0.8, places=10)
        self.assertAlmostEqual(float(data.steady_pure), 1, places=10)
        self.assertEqual(int(data.correlation_outcome), DEGENERATE)

    def test_a_start_that_never_comes_to_rest(self):
        """Collective dephasing spares the coherence of two spins, which turns by their detuning."""
        body = ("parameters: {d: 0.3}\ncomponents: {A: {kind: spin, S: 1/2}, B: {kind: spin, S: 1/2}}\nhamiltonian: [d*A.Sz]\n"
                "jumps: [{rate: 1, operator: A.Sz + B.Sz}]\nobservables: {c: <A.Sp*B.Sm>, z: <A.Sz>}\n"
                "tasks: [steady: {initial: {A: {css: [pi/2, 0]}, B: {css: [pi/2, 0]}}%s}]\n")
        for options in ("{}", "{dense_limit: 0}"):
            data = run(body % "", status=3, options=options)
            self.assertEqual(int(data.steady_outcome), OSCILLATING)
            self.assertAlmostEqual(float(data.steady_frequency), 0.3, places=12)
            self.assertTrue(numpy.isnan(data.steady_c_re))
            data = run(body % ", time_average: true", options=options)
            self.assertAlmostEqual(float(data.steady_c_re), 0, places=12)
            self.assertAlmostEqual(float(data.steady_z), 0, places=12)
        still = run(f"{SPIN}hamiltonian: [1.7*q.Sz]\njumps: []\nobservables: {{x: <q.Sx>}}\n"
                    "tasks: [steady: {initial: {q: {css: [pi/2, 0]}}}, steady: {name: down, initial: {q: {fock: 0}}}]\n", status=3)
        self.assertEqual(int(still.steady_outcome), OSCILLATING)
        self.assertAlmostEqual(float(still.steady_frequency), 1.7, places=12)
        self.assertEqual(int(still.down_outcome), GOOD)
        self.assertTrue(numpy.isnan(still.down_frequency))

    def test_an_oscillation_beside_modes_with_long_left_vectors(self):
        """One spin precesses, others decay one after the other by equal rates (a Jordan block, whose left vectors tell nothing)."""
        for options in ("{}", "{dense_limit: 0}"):
            data = run("components: {A: {kind: spin, S: 1/2}, B: {kind: ensemble, size: 2}}\nhamiltonian: [0.454*A.Sz]\n"
                       "jumps: [{rate: 0.483, operator: B.Sm}]\nobservables: {x: <A.Sx>}\n"
                       "tasks: [steady: {initial: {A: {css: [0.6, 0]}, B: {css: [pi/2, 0]}}}]\n", status=3, options=options)
            self.assertEqual(int(data.steady_outcome), OSCILLATING)
            self.assertAlmostEqual(float(data.steady_frequency), 0.454, places=9)

    def test_lifetimes_that_are_not_known_are_missing(self):
        for body in (f"{SPIN}jumps: [{{rate: 1, operator: q.Sz}}]\n", f"{SPIN}jumps: []\n",
                     "components: {A: {kind: mode, cutoff: 3}}\njumps: [{rate: 0.1, operator: A.n}]\n",
                     "components: {A: {kind: spins, size: 2}}\njumps: [{rate: 0.3, each: 'A.sz'}]\n"):
            data = run(f"{body}tasks: [steady: {{}}]\n", status=3)
            self.assertTrue(numpy.isnan(data.steady_next_rate))
            self.assertTrue(numpy.isnan(data.steady_next_lifetime))


class Windows(unittest.TestCase):
    """Every null vector and every mode fits its window; a cutoff that cuts is told."""

    def test_both_cats(self):
        """a^2 - alpha^2 keeps the parity and one coherence: a coherent start ends in nearly the pure state |alpha>."""
        data = run("components: {c: {kind: mode}}\njumps: [{rate: 1, operator: c.a^2 - 2.5^2}]\nobservables: {n: <c.n>, pure: purity()}\n"
                   "tasks: [steady: {initial: {c: {coherent: 2}}}]\n")
        self.assertEqual(int(data.steady_degeneracy), 2)
        self.assertAlmostEqual(float(data.steady_n), 6.25, delta=1e-6)
        self.assertAlmostEqual(float(data.steady_pure), 1, delta=1e-4)

    def test_gaps_of_both_parities(self):
        """4.1456 beside the steady states, 6.5454 beside the one lasting coherence; from cutoffs of 27 and 40 levels the same."""
        tasks = "tasks: [gap: {}, gap: {name: odd, sector: {ket: 0, bra: 1}}]\n"
        for levels, options in (("", "{}"), ("", "{dense_limit: 0}"), (", cutoff: 40, edge: 1", "{}")):
            data = run(f"components: {{c: {{kind: mode{levels}}}}}\njumps: [{{rate: 1, operator: c.a^2 - 4}}]\n{tasks}", options=options)
            self.assertAlmostEqual(float(data.gap_rate), 4.14560881259, delta=1e-8)
            self.assertAlmostEqual(float(data.odd_rate), 6.5453996204, delta=1e-8)
            self.assertEqual((int(data.gap_zeros), int(data.odd_zeros)), (2, 1))

    def test_gain_above_loss(self):
        """20 levels of a mode without a bound: the last one holds 11 %. As a model of 20 levels it is good."""
        body = "components: {c: {kind: mode, cutoff: 20%s}}\njumps: [{rate: 1, operator: c.a}, {rate: 1.1, operator: dag(c.a)}]\nobservables: {n: <c.n>}\ntasks: [steady: {}]\n"
        weights = 1.1 ** numpy.arange(20)
        data = run(body % "", status=3)
        self.assertEqual(int(data.steady_outcome), INACCURATE)
        self.assertAlmostEqual(float(data.steady_edge), weights[-1] / weights.sum(), places=12)
        data = run(body % ", edge: 1")
        self.assertAlmostEqual(float(data.steady_n), (weights * numpy.arange(20)).sum() / weights.sum(), places=10)


    def test_cutoffs_that_cut(self):
        """Light driven, squeezed, or from a hot bath beyond the last level: told, with what is there; further up all is well."""
        for levels, body in ((6, "hamiltonian: [1.5*c.a + hc]\njumps: [{rate: 2, operator: c.a}]"),
                             (8, "hamiltonian: [0.3*c.a^2 + hc]\njumps: [{rate: 2, operator: c.a}]"),
                             (12, "jumps: [{rate: 4, operator: c.a}, {rate: 3, operator: dag(c.a)}]")):
            deck = f"components: {{c: {{kind: mode, cutoff: %d}}}}\n{body}\nobservables: {{n: <c.n>}}\ntasks: [steady: {{}}]\n"
            data = run(deck % levels, status=3)
            self.assertEqual(int(data.steady_outcome), INACCURATE)
            self.assertGreater(float(data.steady_edge), 1e-7)
            whole = run(deck % (12 * levels))
            self.assertLess(float(whole.steady_edge), 1e-7)
            opened = run(deck.replace(", cutoff: %d", ""))
            self.assertAlmostEqual(float(whole.steady_n), float(opened.steady_n), delta=1e-7 * 12)


class Order(unittest.TestCase):
    def test_conjugate_pairs(self):
        """Of a conjugate pair the positive frequency comes first, on every rank and point: coherences of a dephased spin."""
        body = ("parameters: {d: 1}\ngrid: {d: {linspace: [0.5, 4, 8]}}\ncomponents: {q: {kind: spin, S: 1/2}}\n"
                "hamiltonian: [d*q.Sx]\njumps: [{rate: 1, operator: q.Sx}]\ntasks: [decay: {of: q.Sz, count: 2}]\n")
        for ranks, options in ((1, "{}"), (2, "{}"), (1, "{dense_limit: 0}")):
            data = run(body, ranks=ranks, options=options)
            numpy.testing.assert_allclose(data.decay_frequency[:, 0], data.d, rtol=1e-9)
            numpy.testing.assert_allclose(data.decay_frequency[:, 1], -data.d, rtol=1e-9)
            numpy.testing.assert_allclose(data.decay_rate, 0.5, rtol=1e-9)

    def test_conjugate_pairs_of_others(self):
        """An atom of two levels, dephased along its drive; a mode and a spin that exchange one quantum faster than either
        loses it, -Im of their populations +-2 g."""
        for body, of, rate, turns in (
                ("components: {q: {kind: levels, size: 1, levels: 2}}\nhamiltonian: [d*q.Sx]\njumps: [{rate: 3, operator: q.Sx}]\n", "q.Sz", 1.5, 1),
                ("components: {c: {kind: mode, cutoff: 2, edge: 1}, q: {kind: spin, S: 1/2}}\nhamiltonian: [d*dag(c.a)*q.Sm + hc]\n"
                 "jumps: [{rate: 1, operator: c.a}, {rate: 1, operator: q.Sm}]\n", "dag(c.a)*q.Sm", 1, 2)):
            for ranks, options in ((1, "{}"), (2, "{dense_limit: 0}")):
                data = run(f"parameters: {{d: 1}}\ngrid: {{d: {{linspace: [0.5, 4, 8]}}}}\n{body}tasks: [decay: {{of: {of}, count: 4, weights: false}}]\n",
                           ranks=ranks, options=options)
                for point, d in enumerate(data.d.values):
                    pair = [f for r, f in zip(data.decay_rate.values[point], data.decay_frequency.values[point]) if abs(f) > 1e-6 and abs(r - rate) < 1e-6]
                    self.assertEqual(len(pair), 2)
                    numpy.testing.assert_allclose(pair, [turns * d, -turns * d], rtol=1e-8)

    def test_a_horizon_is_no_promise_beyond_it(self):
        """The slowest mode, g/2, turns with 300. LAPACK finds it; a search next to zero finds g, and says how far it looked."""
        body = ("parameters: {d: 300, g: 0.1}\ncomponents: {A: {kind: spin, S: 1/2}, B: {kind: spin, S: 6}}\nhamiltonian: [d*A.Sz, 0.05*A.Sx]\n"
                "jumps: [{rate: g, operator: A.Sm}, {rate: 1, operator: B.Sm}, {rate: 0.5, operator: B.Sp}]\ntasks: [gap: {}]\n")
        data = run(body)
        self.assertAlmostEqual(float(data.gap_rate), 0.05, delta=1e-8)
        self.assertAlmostEqual(float(data.gap_frequency), 300, delta=1e-4)
        self.assertTrue(numpy.isinf(data.gap_horizon))
        data = run(body, options="{dense_limit: 0}")
        self.assertAlmostEqual(float(data.gap_rate), 0.1, delta=1e-8)
        self.assertLess(float(data.gap_horizon), 300)
        self.assertGreater(float(data.gap_horizon), 100 * float(data.gap_rate))


    def test_a_horizon_promises_nothing_where_rates_are_unknown(self):
        """Two spins that exchange and are damped next to never, beside one that decays: 9e-16 and the coherences that turn for ever
        are equal within their errors, and which of them is told is chance (random deck 91492)."""
        data = run("components: {A: {kind: spins, size: 2}, B: {kind: levels, size: 1, levels: 2}}\n"
                   "arrays: {g: [0.000612, 0.000302], J: [[0, -0.636], [-0.636, 0]]}\n"
                   "hamiltonian:\n- (-0.0461)*B.Sp*B.Sm + hc\n- sum: 'g[l]*A.sz[l]'\n- sum: 'J[l,m]*A.sp[l]*A.sm[m]'\n"
                   "jumps:\n- {rate: 0.0103, operator: B.Sm}\n- {rate: 0.716, operator: 1.76e-08*A.Sm^2 + sqrt(0.000103)*B.Sm^2}\n"
                   "tasks: [gap: {}]\n", status=(0, 3), options="{dense_limit: 0}")
        self.assertEqual(float(data.gap_rate), 0)
        self.assertEqual(float(data.gap_horizon), 0)


class Errors(unittest.TestCase):
    def test_what_the_solver_leaves_is_part_of_the_error(self):
        """Slow rates, turning fast: a residual that is good for the frequency may be bad for the rate."""
        body = ("components: {A: {kind: spin, S: 1/2}, B: {kind: spin, S: 1/2}}\nhamiltonian: [3.37e-4*A.Sp*B.Sm + hc, 0.969*A.Sz]\n"
                "jumps: [{rate: 3.22e-7, operator: A.Sm}, {rate: 3.22e-7*(1 + 1.55e-9), operator: B.Sm}, {rate: 2.7e-7, operator: A.Sp}, "
                "{rate: 2.7e-7, operator: B.Sp}]\ntasks: [decay: {of: B.Sz, count: 4}]\n")
        dense, found = run(body), run(body, options="{dense_limit: 0}")
        for rate, error in zip(found.decay_rate.values, found.decay_error.values):
            self.assertLess(abs(dense.decay_rate.values - rate).min(), 1e-7 * rate + numpy.nan_to_num(error))


    def test_nearly_defective_modes_know_it(self):
        """Superradiant decay is a Jordan ladder, which weak local noise splits: eigenvalues move by the root of it, and of what a
        solver leaves (5e-12 becomes 2e-6)."""
        body = ("parameters: {e: 1}\ngrid: {e: [1e-8, 5.38e-7, 1e-5]}\ncomponents: {A: {kind: ensemble, size: %d}}\n"
                "jumps: [{rate: 0.422, operator: A.Sm}, {rate: e, each: A.sm}, {rate: e, each: A.sz}]\n"
                "tasks: [decay: {of: A.Sp*A.Sm, count: %d}]\n")
        for size, count in ((3, 3), (4, 4), (5, 6)):
            dense = run(body % (size, 2 * count))
            for more in ("", "operator: shell\n"):
                found = run(body % (size, count) + more, status=(0, 3), options="{dense_limit: 0}")
                for point in range(3):
                    every = dense.decay_rate.values[point]
                    error = numpy.nanmax(dense.decay_error.values[point])
                    for rate, own in zip(found.decay_rate.values[point], found.decay_error.values[point]):
                        if not numpy.isnan(rate):
                            self.assertLess(numpy.nanmin(abs(every - rate)), 1e-7 * rate + 1e-11 + error + numpy.nan_to_num(own))


class Sectors(unittest.TestCase):
    def test_modes_that_an_operator_does_not_see(self):
        """Sm^2 of a spin 1 next to Sm of a spin 1/2: where the first has one quantum its Sp^2 has no element, although the
        charges fit (a quantum of the second is worth two). There coherences decay at rate 1/2; <Sp^2> never does."""
        for options in ("{}", "{dense_limit: 0}"):
            data = run("components: {a: {kind: spin, S: 1}, b: {kind: spin, S: 1/2}}\njumps: [{rate: 1, operator: a.Sm^2 + b.Sm}]\n"
                       "tasks: [decay: {of: a.Sp^2, count: 5, weights: false}, decay: {name: both, of: b.Sp, count: 3, weights: false}]\n",
                       options=options)
            numpy.testing.assert_allclose(data.decay_rate, [0, 2.5, 2.5, 5, numpy.nan], atol=1e-9)
            numpy.testing.assert_allclose(data.both_rate[:3], [0, 0.5, 2.5], atol=1e-9)


class WithoutFactors(unittest.TestCase):
    """Davidson finds all that LAPACK knows: of several equal eigenvalues, and where a sector is soon exhausted."""

    def test_equal_eigenvalues(self):
        tasks = ("tasks:\n  - steady: {initial: {A: {css: [1, 0.3]}}}\n  - gap: {}\n  - decay: {of: A.Sz, count: 4, weights: false}\n"
                 "  - decay: {name: ladder, of: A.Sp, count: 4, weights: false}\nobservables: {x: <A.Sx>, z: <A.Sz>, p: <A.Sp*A.Sm>}\n")
        for body in ("components: {A: {kind: spins, size: 3}}\nhamiltonian: [0.887*A.Sx]\njumps: [{rate: 1.56, operator: A.Sm + 0.523*A.Sp}]\n",
                     "components: {A: {kind: spins, size: 3}}\nhamiltonian: [1.84*A.Sx, 0.867*A.Sy]\njumps: [{rate: 2.9, operator: A.Sx}]\n",
                     "components: {A: {kind: ensemble, size: 3}, B: {kind: spin, S: 1/2}}\njumps: [{rate: 0.5, operator: A.Sx}, {rate: 0.5, operator: A.Sy}]\n"):
            dense, found = run(body + tasks), run(body + tasks + "operator: shell\n", options="{dense_limit: 0}")
            for name in ("steady_x", "steady_z", "steady_p", "steady_degeneracy", "steady_outcome", "gap_outcome", "gap_zeros", "gap_rate",
                         "decay_rate", "decay_outcome", "ladder_rate", "ladder_outcome"):
                numpy.testing.assert_allclose(found[name], dense[name], atol=1e-8, err_msg=f"{name} of {body}")


    def test_left_vectors_of_equal_eigenvalues(self):
        """The coherences of an ensemble decay by two equal rates, each; amplitudes of equal rates add up to what LAPACK says."""
        body = ("components: {A: {kind: ensemble, size: 4}}\nhamiltonian: [0.801*A.Sz]\njumps: [{rate: 0.204, operator: A.Sp*A.Sm}, "
                "{rate: 0.964, each: A.sm}, {rate: 1.34, operator: A.Sz^2}]\n"
                "tasks: [decay: {of: A.Sp, count: 4, initial: {A: {css: [1.05, 2.75]}}}]\n")
        dense, found = run(body), run(body + "operator: shell\n", options="{dense_limit: 0}")
        numpy.testing.assert_allclose(found.decay_rate, [2.524, 2.524, 3.08, 3.08], atol=1e-8)
        for part in ("amplitude_re", "amplitude_im"):
            sums = [data["decay_" + part].values.reshape(2, 2).sum(axis=1) for data in (dense, found)]
            numpy.testing.assert_allclose(sums[1], sums[0], atol=1e-8)
            self.assertGreater(abs(sums[0]).min(), 0.1)


class Weights(unittest.TestCase):
    def test_rounding_of_a_dark_state_is_no_weight(self):
        """Two quanta are lost at once, one by one next to never: A^+ rho is next to nothing, and what is left of it are the errors
        of rho. With a faster second process the weights are there."""
        body = ("parameters: {r: 1}\ngrid: {r: [1e-7, 1]}\ncomponents: {A: {kind: mode, cutoff: 4, edge: 1}}\n"
                "jumps: [{rate: 1, operator: A.a^2 + 5.5e-5*i*dag(A.a)}, {rate: r, operator: A.a}]\n"
                "tasks: [decay: {of: dag(A.a), count: 2}]\n")
        data = run(body)
        self.assertTrue(numpy.isnan(data.decay_weight[0]).all())
        self.assertTrue(numpy.isfinite(data.decay_weight[1]).all())


class Light(unittest.TestCase):
    def test_rounding_is_not_counted(self):
        """Two quanta are lost at once, one by one very rarely: nothing is left to be dephased. Rounding is, as 1e-28 quanta, and
        slow rates make a fourth cumulant of 1e-11 of that. What is dephased for long is counted."""
        data = run("parameters: {up: 1}\ngrid: {up: [0, 1e-3]}\ncomponents: {A: {kind: mode, cutoff: 5, edge: 1}}\nhamiltonian: [4.067*A.n]\n"
                   "jumps: [{rate: 3.8e-3, operator: A.a^2}, {rate: 1.93e-10, operator: A.a}, {rate: up, operator: dag(A.a)}, "
                   "{rate: 2.08e-4, operator: A.n, name: light}]\ntasks: [counting: {jump: light}]\n", status=(0, 3), options="{dense_limit: 0}")
        self.assertEqual(data.counting_outcome.values.tolist(), [INACCURATE, GOOD])

    def test_the_light_of_rounding_has_no_spectrum(self):
        """Dark steady states that are reached slowly: without a matrix some 1e-10 of light is left, or even less than nothing, which
        is what the state does not know. Where there is gain there is light."""
        dark, gain = "{rate: 1e-6, operator: A.%s}", "{rate: 1e-6, operator: A.%s}, {rate: 1e-7, operator: dag(A.%s)}"
        for component, lower, body in (("kind: ensemble, size: 2", "Sm", "{rate: 1.28, operator: A.Sz}, {rate: 2.2e-6, each: A.sz}, "),
                                       ("kind: spin, S: 3/2", "Sm", "{rate: 2, operator: A.Sz}, "),
                                       ("kind: mode, cutoff: 4, edge: 1", "a", "{rate: 1.5, operator: A.n}, ")):
            for jumps, expected in ((dark % lower, None), (gain % (lower, lower), GOOD)):
                data = run(f"components: {{A: {{{component}}}}}\njumps: [{body}{jumps}]\noperator: shell\n"
                           f"tasks: [spectrum: {{of: dag(A.{lower}), frequencies: {{linspace: [-4, 4, 9]}}}}]\n", status=(0, 3),
                           options="{dense_limit: 0}")
                if expected or abs(data.spectrum_density).max() > 1e-20:
                    self.assertEqual(int(data.spectrum_outcome), expected or INACCURATE)

    def test_nothing_is_divided_by_what_the_state_does_not_know(self):
        """<Sz Sm> of a weakly polarised, slowly relaxing spin is 1e-6 of what it could be, and the state is known to 1e-11: g1 would
        have five digits. With fast rates it has all of them."""
        for component, ladder in (("kind: levels, size: 1, levels: 2", "A.Sm"), ("kind: spin, S: 1/2", "A.Sm"), ("kind: spin, S: 1", "A.Sm")):
            data = run(f"parameters: {{s: 1}}\ngrid: {{s: [1e-6, 1]}}\ncomponents: {{A: {{{component}}}}}\nhamiltonian: [0.404*A.Sp + hc]\n"
                       f"jumps: [{{rate: 9.26*s, operator: {ladder}}}, {{rate: 8.08*s, operator: dag({ladder})}}]\n"
                       "tasks: [correlation: {of: A.Sz, with: A.Sm, times: [0, 73]}]\n", options="{dense_limit: 0}")
            self.assertTrue(numpy.isnan(data.correlation_g1_re[0]).all())
            self.assertTrue(numpy.isfinite(data.correlation_re).all())
            self.assertAlmostEqual(float(data.correlation_g1_re[1, 0]), 1, places=12)

    def test_dim_light_has_no_statistics(self):
        """A thermal mode of 1e-12 quanta: <n> keeps no digits that its square could be divided by; 1e-3 quanta do, g2 = 2."""
        data = run("parameters: {n: 1}\ngrid: {n: [1e-12, 1e-3]}\ncomponents: {c: {kind: mode, cutoff: 8}}\n"
                   "jumps: [{rate: 1 + n, operator: c.a}, {rate: n, operator: dag(c.a)}]\ntasks: [g2: {of: c.a, times: [0]}]\n", status=3)
        self.assertLess(int(data.g2_outcome[0]), 0)
        self.assertEqual(int(data.g2_outcome[1]), GOOD)
        self.assertAlmostEqual(float(data.g2_value[1, 0]), 2, places=6)


class FewSolves(unittest.TestCase):
    """What lies between one factorisation and an eigenpair, where a shift next to zero leaves little of anything else."""

    DECK = ("parameters: {x: 0.5, N: 60}\ngrid: {x: [0.1, 0.3, 0.5, 0.7, 0.9]}\ncomponents: {q: {kind: ensemble, size: N}}\n"
            "jumps: [{rate: 1, operator: q.Sm}, {rate: x*N, each: q.sp}]\nobservables: {z: <q.Sz>}\n"
            "tasks: [steady: {}, decay: {of: q.Sp}]\n")

    def test_solves_of_a_grid(self):
        """Two for a steady state, some for what is next to it; some for the slowest mode, as many for its left vector. The numbers
        are those of LAPACK, the bracket holds the rate, on two ranks as well."""
        dense = run(self.DECK, options="{dense_limit: 2000}")
        for ranks in (1, 2):
            data = run(self.DECK, options="{dense_limit: 0}", ranks=ranks)
            self.assertLess(float(data.steady_solves.mean()), 7)
            self.assertLess(float(data.decay_solves.mean()), 19)
            self.assertTrue((data.decay_factorisations == 1).all() and (data.steady_factorisations == 1).all())
            numpy.testing.assert_allclose(data.steady_z, dense.steady_z, rtol=0, atol=1e-11)
            numpy.testing.assert_allclose(data.decay_rate, dense.decay_rate, rtol=1e-10)
            numpy.testing.assert_allclose(data.decay_weight, dense.decay_weight, rtol=1e-9)
            self.assertTrue((data.decay_lower <= data.decay_rate).all() and (data.decay_rate <= data.decay_upper).all())
            self.assertTrue((data.steady_degeneracy == 1).all())
            ratio = data.steady_next_rate / dense.steady_next_rate
            self.assertTrue(((ratio > 0.5) & (ratio < 2)).all())

    def test_real_factors_are_those_of_complex_ones(self):
        """Options for PETSc's solver, which has complex factors, take the real ones away; a spectrum, whose shifts are complex, too."""
        deck = self.DECK.replace("of: q.Sp}", "of: q.Sp}, spectrum: {of: q.Sp, frequencies: [-1, 0, 2]}, gap: {}")
        real = run(deck, options="{dense_limit: 0}")
        other = run(deck, options="{dense_limit: 0, steady_st_ksp_type: preonly, decay_st_ksp_type: preonly, spectrum_st_ksp_type: preonly, "
                                  "gap_st_ksp_type: preonly}")
        for name in ("steady_z", "decay_rate", "decay_weight", "spectrum_density", "gap_rate"):
            numpy.testing.assert_allclose(real[name], other[name], rtol=1e-10, err_msg=name)
        self.assertTrue((real.decay_residual < 1e-14).all() and (real.steady_residual < 1e-14).all())

    def test_two_steady_states_are_counted(self):
        """What one start vector cannot see: collective decay keeps all j, however few solves it takes to find one null vector."""
        data = run("parameters: {e: 1}\ngrid: {e: [0, 1e-12, 1e-3]}\ncomponents: {q: {kind: ensemble, size: 6}}\n"
                   "jumps: [{rate: 1, operator: q.Sm}, {rate: e, each: q.sm}]\ntasks: [steady: {}]\n", status=3, options="{dense_limit: 0}")
        self.assertEqual(list(data.steady_degeneracy[[0, 2]]), [4, 1])
        self.assertEqual(int(data.steady_outcome[0]), DEGENERATE)
        self.assertGreater(int(data.steady_solves[0]), 7)

    def test_mumps_orders_planes_by_degree(self):
        """PETSc overwrites the ordering that MUMPS was told on one rank: it is an option, so that it is heard."""
        text = f"title: t\n{self.DECK}petsc: {{dense_limit: 0, steady_st_mat_mumps_icntl_4: 2}}\n"
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "deck.yaml")
            with open(path, "w", encoding="utf-8") as stream:
                stream.write(text)
            said = subprocess.run([PROGRAM, "run", path, "-o", os.path.join(folder, "out.h5"), "--quiet"], check=True,
                                  stdout=subprocess.PIPE, text=True).stdout
        orderings = set(re.findall(r"Ordering based on (\w+)", said))
        self.assertLessEqual(orderings, {"AMD"})


if __name__ == "__main__":
    unittest.main(verbosity=2)
