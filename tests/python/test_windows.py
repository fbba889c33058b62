"""Windows of modes that the deck leaves open: as many levels as the state needs, and not many more."""
# cospin-test: COST 12
import math
import unittest

from decks import run_text

LASER = """title: a laser of eight spins
components: {{s: {{kind: ensemble, size: 8}}, a: {{kind: mode{cutoff}}}}}
hamiltonian: [0.54*a.a*s.Sp + hc]
jumps: [{{rate: 2, each: s.sp}}, {{rate: 0.1, each: s.sm}}, {{rate: 0.25, each: s.sz}}, {{rate: 1.1, operator: a.a}},
        {{rate: 0.1, operator: dag(a.a)}}]
observables: {{n: <a.n>, g: <dag(a.a)^2*a.a^2>, z: <s.Sz>}}
tasks: [steady: {{}}, decay: {{of: a.a}}]
{more}
"""


class Windows(unittest.TestCase):
    def test_a_thermal_state(self):
        """Populations fall by n/(n + 1) a level: those below 1e-15 are left out, and a tenth of the levels may be too many."""
        for mean in (5, 20):
            data = run_text(f"title: t\ncomponents: {{a: {{kind: mode}}}}\n"
                            f"jumps: [{{rate: {mean + 1}, operator: a.a}}, {{rate: {mean}, operator: dag(a.a)}}]\n"
                            "observables: {n: <a.n>}\ntasks: [steady: {}]\n")
            needed = math.log(1e-15) / math.log(mean / (mean + 1))
            self.assertLess(float(data.steady_leak), 1e-12)
            self.assertAlmostEqual(float(data.steady_n) / mean, 1, delta=1e-9)
            self.assertGreater(int(data.steady_dimension), .85 * needed)
            self.assertLess(int(data.steady_dimension), 1.1 * needed)

    def test_a_laser(self):
        """By factors, and by iteration, whose drafts tell where a window should end: the numbers of many more levels."""
        wide = run_text(LASER.format(cutoff=", cutoff: 45", more=""))
        for more in ("", "petsc: {iterate: true}"):
            data = run_text(LASER.format(cutoff="", more=more))
            self.assertLess(float(data.steady_leak), 1e-12)
            self.assertLess(int(data.steady_dimension), .9 * int(wide.steady_dimension))
            for name in ("steady_n", "steady_g", "steady_z", "decay_rate"):
                self.assertAlmostEqual(float(data[name]), float(wide[name]), delta=1e-9 * abs(float(wide[name])))

    def test_a_cutoff_in_time(self):
        """A cutoff that holds population back is told by every task; one that nothing would pass is not one."""
        driven = ("title: t\ncomponents: {a: {kind: mode, cutoff: 4KEY}}\nhamiltonian: [2*a.a + hc]\n"
                  "jumps: [{name: light, rate: 1, operator: a.a}]\nobservables: {n: <a.n>}\n"
                  "tasks: [evolve: {initial: {}, times: [0.1, 2]}, clicks: {initial: {}, jump: light, time: 2, most: 8}]\n")
        data = run_text(driven.replace("KEY", ""), status=3, mask=False)
        self.assertEqual(int(data.evolve_outcome), -1)
        self.assertEqual(int(data.clicks_outcome), -1)
        self.assertGreater(float(data.evolve_cutoff), 1e5)
        # summed over numbers of clicks it is the same population, at the same time
        self.assertAlmostEqual(float(data.clicks_cutoff) / float(data.evolve_cutoff), 1, delta=1e-2)
        meant = run_text(driven.replace("KEY", ", edge: 1"))
        self.assertLess(float(meant.evolve_cutoff), 1)
        wide = run_text(driven.replace("4KEY", "60"))
        self.assertLess(float(wide.evolve_cutoff), 1e-3)
        self.assertAlmostEqual(float(wide.evolve_n[-1]), 16 * (1 - math.exp(-1))**2, delta=1e-7)

    def test_a_window_beside_a_cutoff(self):
        """What a cutoff accepts says nothing of how large the window of another mode has to be."""
        deck = ("title: t\ncomponents: {a: {kind: mode}, b: {kind: mode, cutoff: 5, edge: EDGE}}\n"
                "hamiltonian: [0.5*a.a + hc, 0.4*dag(a.a)*b.a + hc]\n"
                "jumps: [{rate: 1, operator: a.a}, {rate: 1.5, operator: b.a}]\nobservables: {n: <a.n>}\n"
                "tasks: [evolve: {initial: {}, times: [0.5, 1, 4]}]\n")
        strict, meant = (run_text(deck.replace("EDGE", edge), status=status, mask=False)
                         for edge, status in (("1e-9", 3), ("1", 0)))
        self.assertEqual(int(strict.evolve_dimension), int(meant.evolve_dimension))
        self.assertEqual(float(strict.evolve_leak), float(meant.evolve_leak))
        self.assertAlmostEqual(float(strict.evolve_cutoff) / float(meant.evolve_cutoff), 1e9, delta=1)
        self.assertGreater(float(strict.evolve_cutoff), 1)

    def test_a_cutoff_that_is_exact(self):
        """Three excitations never make four photons, though all three stand in the last level for a while."""
        pulse = ("title: t\ncomponents: {s: {kind: ensemble, size: 3}, a: {kind: mode, cutoff: CUT}}\n"
                 "hamiltonian: [2*a.a*s.Sp + hc]\njumps: [{rate: 0.2, operator: a.a}]\nobservables: {n: <a.n>}\n"
                 "tasks: [evolve: {initial: {s: {dicke: [3/2, 3/2]}}, times: [0.3, 0.6]}]\n")
        exact, wide, cut = (run_text(pulse.replace("CUT", cut), status=status, mask=False)
                            for cut, status in (("4", 0), ("9", 0), ("3", 3)))
        self.assertEqual(float(exact.evolve_cutoff), 0)
        self.assertGreater(float(cut.evolve_cutoff), 1e5)
        for k in range(2):
            self.assertAlmostEqual(float(exact.evolve_n[k]), float(wide.evolve_n[k]), delta=1e-8)


if __name__ == "__main__":
    unittest.main()
