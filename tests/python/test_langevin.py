"""Task `langevin`: against the exact tasks of the same decks, and the same numbers on any number of ranks."""
# cospin-test: TIMEOUT 600
import sys
import unittest

from decks import run, run_text

import numpy as np

BOTH = [(r"^  - steady: \{\}", "  - steady: {}\n  - langevin: {}")]
# from the equator, visibility and noise of a Ramsey sequence, exact beside
EQUATOR = "initial: {ions: {css: [pi/2, 0]}}"
FRINGE = [(r"^  N: +124", "  N: 20"), (r"^  nbar: \[0, 4.7\]", "  nbar: [0, 1]"),
          (r"^  top: ", "  slope: 2*<ions.Sy>/N\n  top: "), (r"linspace: \[0, 1, 41\]", "linspace: [0, 0.1, 5]"),
          (r"^plots:(.|\n)*", f"  - langevin: {{times: {{linspace: [0, 0.1, 5]}}, {EQUATOR}}}\n")]
# spontaneous rates in units of Gamma_c (tests/python/test_ion_crystal.py)
CRYSTAL = [(r"Gsp/3/trap.Gc, each: q.sp", ".07279416632368028, each: q.sp"), (r"2\*Gsp/3/trap.Gc", ".14564173995941024"),
           (r"Gsp/trap.Gc/4", ".2184359062830905/4"), (r"^  x: \[.*\]$", "  x: [0.5]"),
           (r"^  - steady: \{\}\n  - decay: .*", "  - langevin: {}"), (r"^plots:(.|\n)*", "")]

TAILS = """
title: Tails of fringes
parameters: {{N: 10, seed: 1}}
grid: {{seed: {seeds}}}
components: {{q: {{kind: ensemble, size: N}}}}
jumps: [{{rate: 2, operator: q.Sm}}, {{rate: 1, operator: q.Sp}}, {{rate: N/2, each: q.sp}}]
observables: {{visibility: 2*<q.Sx>/N, inversion: 2*<q.Sz>/N}}
tasks:
  - langevin: {{seed: seed, times: {{linspace: [0, 0.6, 31]}}, initial: {{q: {{css: [pi/2, 0]}}}}, tail: {of}, tail_from: 0.2}}
  - decay: {{of: q.Sp}}
"""


class Langevin(unittest.TestCase):
    def good(self, data, task="langevin"):
        self.assertTrue((data[task + "_outcome"] == 1).all())
        self.assertLess(float(data[task + "_step_change"].max()), 0.3)  # the default step is small enough
        self.assertLess(float(data[task + "_clipped"].max()), 1e-3)
        self.assertFalse((data[task + "_drift"] > 0.9).any())  # NaN in time

    def test_identical_ions(self):
        """.008 and .004 at most is the method's error there, tested to .015 and .006 (section 4 of the shared physics)."""
        data = run("ions_fig5_cavity.yaml", BOTH + [(r"^  N:  40 ", "  N:  20 "), (r"linspace: \[0.05, 1, 20\]", "linspace: [0.3, 0.6, 2]")],
                   ranks=2)
        self.good(data)
        for name, tolerance in (("inversion", .015), ("correlation", .006)):
            error = data[f"langevin_{name}_error"].values
            self.assertTrue((error > 0).all() and (error < tolerance / 3).all())
            np.testing.assert_allclose(data["langevin_" + name], data["steady_" + name], atol=tolerance)
        for name in ("langevin_inversion", "langevin_inversion_error"):
            self.assertRegex(data[name].attrs["approximation"], r"Langevin.*PRA 95, 033423")

    def test_ions_of_a_crystal(self):
        """The exact values are .201609868 and .042441257; .2030(17) and .0422(4) from a prototype of these equations."""
        data = run("ions_crystal_steady.yaml", CRYSTAL).squeeze()
        self.good(data)
        for name, value, tolerance in (("inversion", .201609868, .015), ("correlation", .042441257, .006)):
            self.assertAlmostEqual(float(data["langevin_" + name]), value, delta=tolerance)

    def test_rates_of_the_crystal_and_of_the_paper(self):
        """What the formulas give for 124 of 217 ions, in Hz; and Gamma_c and the rates that the paper says in their place."""
        size = [(r"^  N: +10", "  N: 2"), (r"^  x: \[.*\]$", "  x: [0.5]"), (r"^  - decay: .*\n", ""), (r"^plots:(.|\n)*", "")]
        rates = [(r"^observables:", "observables:\n  up: Gsp/3/Hz + 0*<q.Sz>\n  down: 2*Gsp/3/Hz + 0*<q.Sz>\n"
                  "  dephasing: Gsp/Hz + 0*<q.Sz>\n  width: trap.Gc/Hz + 0*<q.Sz>")]
        data = run("ions_crystal_steady.yaml", size + rates).squeeze()
        for name, hertz in (("up", .1287), ("down", .2575), ("dephasing", .3862)):
            self.assertAlmostEqual(float(data["steady_" + name]) / hertz, 1, delta=.01)

        def overridden(unit, repump):
            """Rates over this unit; one replacement for all the lines of Hamiltonian and jumps."""
            lines = (f"hamiltonian:\n  - sum: trap.B[l]/({unit})*q.sz[l]/2\n  - sum: trap.J[l,m]/({unit})*q.sp[l]*q.sm[m]\njumps:\n"
                     f"  - {{rates: 2*trap.Gm/trap.Gc*0.84*Hz/({unit}), pairs: q.sm}}\n"
                     f"  - {{rates: 2*trap.Gp/trap.Gc*0.84*Hz/({unit}), pairs: q.sp}}\n"
                     f"  - {{rate: {repump} + 0.12*Hz/({unit}), each: q.sp}}\n  - {{rate: 0.24*Hz/({unit}), each: q.sm}}\n"
                     f"  - {{rate: 0.36*Hz/({unit})/4, each: q.sz}}\n\nobservables:")
            return run("ions_crystal_steady.yaml", size + [(r"^hamiltonian:(.|\n)*?^observables:", lines)]).squeeze()

        one, other = overridden("0.84*Hz", "x*N"), overridden("Hz", "x*N*0.84")
        for name in ("inversion", "correlation"):  # only ratios count, and the rates are those that are said
            self.assertAlmostEqual(float(one["steady_" + name]), float(other["steady_" + name]), delta=1e-10)
            self.assertGreater(abs(float(one["steady_" + name]) - float(data["steady_" + name])), 1e-4)

    def test_fringes_in_time(self):
        """Means and second moments on the way from the equator: within four statistical errors and the method's."""
        data = run("ions_ramsey.yaml", FRINGE)
        self.good(data)
        self.assertEqual(data.langevin_noise_error.dims, ("nbar", "time"))
        for name, tolerance in (("top", .03), ("slope", .01), ("noise", .08)):
            exact, value = data["evolve_" + name].values, data["langevin_" + name].values
            error = data[f"langevin_{name}_error"].values
            self.assertTrue((np.abs(value - exact) < 4 * error + tolerance * np.array([1e-12, 1, 1, 1, 1])).all(),
                            (name, value - exact, error))
        self.assertLess(float(data.langevin_top_error.max()), .02)
        self.assertEqual(float(data.langevin_top[0, 0]), 1)  # s^x = 1, on all trajectories

    def test_tails(self):
        """Twenty seeds: rates of the fringe's tail beside the exact one, errors that are told; the method's own is 5 % at ten ions."""
        data = run_text(TAILS.format(seeds="{range: [1, 21, 1]}", of="visibility"), status=(0, 3), mask=False)
        exact, rate, error = float(data.decay_rate[0, 0]), data.langevin_tail_rate.values, data.langevin_tail_rate_error.values
        seen = np.isfinite(rate)
        self.assertGreaterEqual(seen.sum(), 18)  # a change of four errors within the tail happens by chance
        np.testing.assert_array_equal(seen, data.langevin_outcome.values == 1)
        rate, error = rate[seen], error[seen]
        self.assertTrue((np.abs(rate - exact) < 3*error).all(), (rate, error))
        self.assertGreater((np.abs(rate - exact) < error).mean(), .5)
        self.assertLess(abs(rate.mean() - exact), .08*exact + 3*rate.std()/20**.5)
        self.assertLess(np.median(error), .15*exact)  # and tells something

    def test_no_tail(self):
        """An inversion that comes to rest elsewhere than at 0 has none, and the outcome says so."""
        data = run_text(TAILS.format(seeds="[1]", of="inversion"), status=3, mask=False).squeeze()
        self.assertTrue(np.isnan(data.langevin_tail_rate) and np.isnan(data.langevin_tail_rate_error))
        self.assertEqual(int(data.langevin_outcome), -1)
        self.assertGreater(float(data.langevin_tail_end), .2)  # where it was looked for

    def test_ranks(self):
        """To the last bit, which need not have settled (status 3); on three, blocks of trajectories are dealt out unevenly."""
        change = CRYSTAL[:-2] + [(CRYSTAL[-2][0], "  - langevin: {trajectories: 500, seed: 7, from: 0.1, until: 0.2}"), CRYSTAL[-1]]
        one, two, three = (run("ions_crystal_steady.yaml", change, ranks=ranks, status=3, mask=False).load() for ranks in (1, 2, 3))
        for other, ranks in ((two, 2), (three, 3)):
            self.assertEqual(int(other.ranks), ranks)  # all of them work on the one point
            for name in one.data_vars:
                if name.startswith("langevin_") and not name.endswith("_seconds"):
                    np.testing.assert_array_equal(one[name].values, other[name].values, name)

    def test_steps_that_are_too_large(self):
        """With steps of the collective time the change is beyond what is allowed, and the outcome says so."""
        data = run("ions_crystal_steady.yaml", CRYSTAL[:-2] + [(CRYSTAL[-2][0], "  - langevin: {dt: 0.1}"), CRYSTAL[-1]], status=3)
        self.assertNotEqual(int(data.langevin_outcome), 1)

    def test_averages_that_begin_too_early(self):
        """Where inversion is still that of the first pulse (.53 instead of .473); where it has settled (the default) the halves agree."""
        early = [(r"linspace: \[0.05, 1, 20\]", "linspace: [0.5, 0.5, 1]"), (r"^  N:  40 ", "  N:  20 ")]
        windows = {"early": "from: 0.1, until: 0.3", "settled": "from: 0.8, until: 1.6"}
        tasks = "  - steady: {}\n" + "".join(f"  - langevin: {{name: {name}, {keys}}}\n" for name, keys in windows.items())
        data = run("ions_fig5_cavity.yaml", early + [(r"^  - steady: \{\}\n", tasks)], status=3, mask=False).squeeze()
        self.assertEqual([int(data[name + "_outcome"]) for name in windows], [-1, 1])
        self.assertGreater(float(data.early_drift), 2)
        self.assertGreater(abs(float(data.early_inversion - data.steady_inversion)), .04)
        self.assertLess(abs(float(data.settled_inversion - data.steady_inversion)), .02)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
