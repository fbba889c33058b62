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
        """Populations fall by n/(n + 1) a level: those below 1e-12 are left out, and a tenth of the levels may be too many."""
        for mean in (5, 20, 60):
            data = run_text(f"title: t\ncomponents: {{a: {{kind: mode}}}}\n"
                            f"jumps: [{{rate: {mean + 1}, operator: a.a}}, {{rate: {mean}, operator: dag(a.a)}}]\n"
                            "observables: {n: <a.n>}\ntasks: [steady: {}]\n")
            needed = math.log(1e-12) / math.log(mean / (mean + 1))
            self.assertLess(float(data.steady_leak), 1e-12)
            self.assertAlmostEqual(float(data.steady_n) / mean, 1, delta=1e-9)
            self.assertGreater(int(data.steady_dimension), .95 * needed)
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


if __name__ == "__main__":
    unittest.main()
