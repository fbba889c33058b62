"""Trajectories of generators that depend on time: agreement with `evolve`, events, bits."""
# cospin-test: PROCESSORS 2 TIMEOUT 600 COST 40
import unittest

import decks
import numpy as np

TIMES = "[0.3, 0.7, 1.5, 3]"
# components, arrays, Hamiltonian, jumps, observables, initial
DECKS = {
    "mode": ("q: {kind: ensemble, size: 3}, c: {kind: mode, cutoff: 12, edge: 1}", "",
             ['"0.5*(1+cos(3*t))*(q.Sp*c.a + hc)"', '"0.9*gauss(t,1,0.2)*q.Sx"', "0.3*q.Sz", '"0.6*kick(t, 1.5)*q.Sx"'],
             ['rate: "0.6*step(t-0.7)", operator: c.a', 'rate: "0.3 + 0.2*sin(t)", each: q.sm', "rate: 0.1, operator: q.Sp"],
             {"z": "<q.Sz>", "n": "<c.n>", "m": "<q.Sm>"}, "q: {css: [1, 0.3]}"),
    "window": ("c: {kind: mode}", "", ['"0.7*pulse(t, 0.5, 1.5)*(c.a + hc)"', "0.5*c.n"],
               ['rate: "0.4*(1 + ramp(t, 0, 2))", operator: c.a', 'rate: 0.2, operator: "dag(c.a)"'], {"n": "<c.n>", "a": "<c.a>"}, "c: {coherent: 0.7}"),
    "spins": ("q: {kind: spins, size: 3}", "arrays:\n  d: [0.1, -0.3, 0.5]\n  R: [[1,0.5,0.1],[0.5,1,0.5],[0.1,0.5,1]]\n",
              ['sum: "d[l]*cos(t)*q.sz[l]"', '"0.8*exp(-t)*q.Sx"'],
              ['rate: "0.2*(l+1)*(1 + sin(2*t))", each: "q.sm[l]"', "rates: R, pairs: q.sm", 'rate: 0.1, each: "q.sz"'],
              {"z": "<q.sz[0]>", "m": "<q.sm[1]>", "pm": "<q.sp[0]*q.sm[2]>"}, "q: {css: [2, 0.3]}"),
    "levels": ("q: {kind: levels, size: 2, levels: 3}", "", ['"0.9*gauss(t, 1, 0.4)*q.E[0,1] + hc"', '"0.7*exp(i*t)*q.E[1,2] + hc"'],
               ['rate: "0.5*pulse(t, 0.7, 2)", operator: "q.E[0,2]"', 'rate: 0.4, operator: "q.E[0,1]"'], {"n": "<q.n[0]>", "n2": "<q.n[2]>"}, "q: {level: 2}"),
}


def deck(name, *tasks):
    components, arrays, hamiltonian, jumps, observables, initial = DECKS[name]
    lines = [f"title: time\ncomponents: {{{components}}}\n{arrays}hamiltonian:"] + [f"  - {term}" if "sum:" not in term else f"  - {{{term}}}" for term in hamiltonian]
    lines += ["jumps:"] + [f"  - {{{jump}}}" for jump in jumps] + ["observables:"] + [f'  {key}: "{value}"' for key, value in observables.items()] + ["tasks:"]
    return "\n".join(lines + [f"  - {task}".replace("COMMON", f"times: {TIMES}, initial: {{{initial}}}") for task in tasks]) + "\n"


class Time(unittest.TestCase):
    def test_every_kind_of_component_against_evolve(self):
        everything = []
        for name in DECKS:
            data = decks.run_text(deck(name, "evolve: {COMMON}", "trajectories: {COMMON, trajectories: 1000}"), status=(0, 3), mask=False).squeeze()
            z = []
            for key in data:
                part = key[13:-6]
                if key.startswith("trajectories_") and key.endswith("_error") and "evolve_" + part in data and part != "fidelity":
                    off, error = (data["trajectories_" + part] - data["evolve_" + part]).values, data[key].values
                    z.append(off[np.isfinite(error)] / np.maximum(error[np.isfinite(error)], 1e-7))
            z = np.concatenate(z)
            with self.subTest(deck=name):
                self.assertGreater(len(z), 5)
                self.assertLess(np.abs(z).max(), 4)
                self.assertLess(np.sqrt(np.mean(z ** 2)), 1.7)
            everything.append(z)
        self.assertGreater(np.sqrt(np.mean(np.concatenate(everything) ** 2)), 0.5)

    def test_nothing_jumps(self):
        """Pulses, steps and kicks to the accuracy of the integrators, with no chance in it; one times at a kick is behind it."""
        text = ("title: closed\ncomponents: {q: {kind: spin, S: 5}}\nobservables: {z: <q.Sz>, m: <q.Sm>}\n"
                'hamiltonian: ["0.5*(1+cos(3*t))*q.Sx", "0.9*gauss(t,30,0.2)*q.Sx^2", 0.3*q.Sz, "0.6*kick(t, 1.5)*q.Sx", "0.3*step(t-2)*q.Sz^2"]\n'
                "tasks:\n  - evolve: {initial: {q: {css: [1, 0.3]}}, times: [0, 1.5, 3, 40], tolerance: 1e-11}\n"
                "  - trajectories: {initial: {q: {css: [1, 0.3]}}, times: [0, 1.5, 3, 40], tolerance: 1e-10}\n")
        data = decks.run_text(text).squeeze()
        for name in ("z", "m_re", "m_im"):
            np.testing.assert_allclose(data["trajectories_" + name], data["evolve_" + name], atol=1e-8)
            np.testing.assert_array_equal(data[f"trajectories_{name}_error"], 0)

    def test_a_pulse_in_the_dark(self):
        """Before it every error of a step is zero: it is not stepped over, nor is a loss that is switched on."""
        text = ("title: dark\ncomponents: {q: {kind: spin, S: 1/2}}\nobservables: {up: 1/2 + <q.Sz>}\nhamiltonian: [\"10*pi*pulse(t, 60, 60.1)*q.Sx\"]\n"
                'jumps: [{name: light, rate: "step(t-80)", operator: q.Sm}]\n'
                "tasks: [trajectories: {initial: {}, times: [59, 61, 79, 81, 100], jump: light, trajectories: 1000, counts: 3}]\n")
        data = decks.run_text(text, status=(0, 3), mask=False).squeeze()
        exact = [0, 1, 1, np.exp(-1), np.exp(-20)]
        np.testing.assert_allclose(data["trajectories_up"], exact, atol=1e-6)  # one click each, and the rest is computed
        self.assertAlmostEqual(float(data["trajectories_no_jump"][3]), np.exp(-1), places=6)
        error = float(data["trajectories_click_time_error"])
        self.assertLess(abs(float(data["trajectories_click_time"]) - 81), 4 * error)  # rates are those at the time of the jump

    def test_the_same_bits_on_any_number_of_ranks(self):
        text = deck("mode", "trajectories: {COMMON, trajectories: 200}")
        one = decks.run_text(text, status=(0, 3), mask=False)
        for ranks in (2, 3):
            other = decks.run_text(text, status=(0, 3), mask=False, ranks=ranks)
            for name in one:
                if name.startswith("trajectories_") and not name.endswith("seconds"):
                    np.testing.assert_array_equal(one[name].values, other[name].values, err_msg=name)

    def test_records_do_not_depend_on_the_tolerance(self):
        data = decks.run_text(deck("mode", *(f"trajectories: {{name: {name}, COMMON, trajectories: 60, tolerance: {tolerance}, jump: all, records: 1000}}"
                                             for name, tolerance in (("coarse", 1e-7), ("fine", 1e-11)))), status=(0, 3), mask=False).squeeze()
        np.testing.assert_allclose(data["coarse_record_time"], data["fine_record_time"], atol=1e-4)
        np.testing.assert_array_equal(data["coarse_record_line"], data["fine_record_line"])


if __name__ == "__main__":
    unittest.main()
