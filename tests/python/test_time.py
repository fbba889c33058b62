"""Hamiltonians and rates that depend on time: reference cases of another code, closed forms, pulses in the dark, tolerance kept, ranks and forms."""
# cospin-test: PROCESSORS 2 TIMEOUT 900 COST 40
import json
import os
import subprocess
import tempfile
import unittest

import decks
import numpy as np

with open(os.path.join(decks.SOURCE, "tests", "reference", "time_dependent.json"), encoding="utf-8") as stream:
    REFERENCE = json.load(stream)

SPIN = "{Sz: <s.Sz>, Sx: <s.Sx>, Sy: <s.Sy>, SpSm: <s.Sp*s.Sm>}"
ZENER = """components: {s: {kind: spin, S: 1/2}}
hamiltonian: ["2*(t-10)*s.Sz + s.Sx"]
jumps: [{rate: RATE, operator: s.Sm}]
observables: {Sz: <s.Sz>, Sx: <s.Sx>, Sy: <s.Sy>}"""
RAMSEY = """parameters: {tp: pi/20, ph: PHASE}
components: {q: {kind: ensemble, size: 20}}
hamiltonian:
  - .7*q.Sz
  - "10*pulse(t, 0, tp)*q.Sx"
  - "10*pulse(t, tp+2, 2*tp+2)*(cos(ph)*q.Sx + sin(ph)*q.Sy)"
jumps: [{rate: .3/4, each: q.sz}, {rate: .1, each: q.sm}, {rate: RATE, operator: q.Sm}]
observables: {Sz: <q.Sz>, Sx: <q.Sx>, Sy: <q.Sy>, Sz2: <q.Sz^2>, J2: <q.Sx^2+q.Sy^2+q.Sz^2>}"""
STIRAP = """components: {q: {kind: levels, levels: 3, size: SIZE}}
hamiltonian:
  - "6*exp(-(t-11.5)^2/18)*(q.E[0,1] + hc)"
  - "6*exp(-(t-8.5)^2/18)*(q.E[1,2] + hc)"
  - "q.n[1]"
jumps: [{rate: 2, operator: "q.E[0,1]"}, {rate: 1, operator: "q.E[2,1]"}]
observables: {n0: "<q.n[0]>", n1: "<q.n[1]>", n2: "<q.n[2]>", E02_E20: "<q.E[0,2]*q.E[2,0]>"}"""
CASES = {
    "landau_zener_closed": ZENER.replace("RATE", "0"),
    "landau_zener_decay": ZENER.replace("RATE", "0.2"),
    "gaussian_pulse": f"""components: {{s: {{kind: spin, S: 2}}}}
hamiltonian: [".4*s.Sz + (.3 + 2.5*exp(-(t-5)^2/(2*.8^2)))*s.Sx"]
jumps: [{{rate: .5, operator: s.Sm}}, {{rate: .1, operator: s.Sp}}]
observables: {SPIN}""",
    "gaussian_pulse_dark": f"""components: {{s: {{kind: spin, S: 2}}}}
hamiltonian: [.4*s.Sz, "6*exp(-(t-40)^2/(2*.3^2))*s.Sx"]
jumps: [{{rate: .05, operator: s.Sm}}]
observables: {SPIN}""",
    "stirap_1": STIRAP.replace("SIZE", "1"),
    "stirap_3": STIRAP.replace("SIZE", "3"),
    "dicke_ramp": """components: {s: {kind: spin, S: 3}, c: {kind: mode, cutoff: 24}}
hamiltonian: [c.n + s.Sz, "2/sqrt(6)*ramp(t, 0, 10)*(c.a + dag(c.a))*s.Sx"]
jumps: [{rate: .4, operator: c.a}]
observables: {n: <c.n>, Sz: <s.Sz>, Sx2: <s.Sx^2>, re_aSx: re(<c.a*s.Sx>)}""",
    "ramsey_local": RAMSEY.replace("PHASE", "0").replace("RATE", "0"),
    "ramsey_collective": RAMSEY.replace("PHASE", "pi/2").replace("RATE", ".05"),
    "modulated_rates": """components: {s: {kind: spin, S: 1}, c: {kind: mode, cutoff: 14}}
hamiltonian:
  - ".5*(1+cos(3*t))*(c.a*s.Sp + hc)"
  - .2*s.Sz + .3*exp(-(t-4)^2)*(c.a + hc)
jumps: [{rate: ".2+.8*sin(t)^2", operator: c.a}, {rate: ".1*(1-exp(-t))", operator: s.Sp}]
observables: {n: <c.n>, Sz: <s.Sz>, re_a: re(<c.a>), SpSm: <s.Sp*s.Sm>}""",
    "stages": f"""components: {{s: {{kind: spin, S: 3/2}}}}
hamiltonian:
  - "(1.5*step(2-t) - 2*step(t-5))*s.Sx"
  - "(.3 + .6*pulse(t, 2, 5))*s.Sz^2"
jumps: [{{rate: ".1 + .7*pulse(t, 2, 5) + .1*step(t-5)", operator: s.Sm}}]
observables: {SPIN}""",
}
SLOW = {"dicke_ramp", "modulated_rates"}


def evolve(text, times, initial="{}", tolerance=1e-10, form="auto", **options):
    """Observables by name, along time, and the dataset they are of."""
    task = f"tasks: [{{evolve: {{times: [{', '.join(repr(float(t)) for t in times)}], initial: {initial}, tolerance: {tolerance}}}}}]"
    data = decks.run_text(f"title: a generator that depends on time\n{text}\noperator: {form}\n{task}\n", **options)
    names = [name.split(":")[0].strip() for name in text.split("observables: {")[1].rstrip("}").split(", ")]
    return {name: np.asarray(data["evolve_" + name]).ravel() for name in names}, data


def case(name, **options):
    reference = REFERENCE[name]
    initial = "{s: {dicke: [1, 1]}}" if name == "modulated_rates" else "{}"
    found, data = evolve(CASES[name], reference["times"], initial, **options)
    return max(np.abs(found[k] - v).max() for k, v in reference["values"].items()), data


def kummer(a, b, x):
    """1F1(a, b, x) by its series, for |x| of some units."""
    term = total = 1.0 + 0j
    for n in range(200):
        term *= (a + n) / (b + n) * x / (n + 1)
        total += term
    return total


def zener(v, g, s0, s):
    """<Sz> of H = v s Sz + g Sx from all down at s0: the upper amplitude is exp(-i v s^2/4) f with f'' - i v s f' + g^2/4 f = 0
    (Zener, Proc. R. Soc. A 137, 696, 1932), whose even and odd solutions are Kummer's functions of i v s^2/2."""
    def even(y):
        return kummer(1j * g**2 / (8 * v), 0.5, 0.5j * v * y**2)

    def odd(y):
        return y * kummer(0.5 + 1j * g**2 / (8 * v), 1.5, 0.5j * v * y**2)

    step = 1e-5
    slope = [(u(s0 - 2 * step) - 8 * u(s0 - step) + 8 * u(s0 + step) - u(s0 + 2 * step)) / (12 * step) for u in (even, odd)]
    start = np.exp(0.25j * v * s0**2) * (-0.5j * g)
    c = np.linalg.solve([[even(s0), odd(s0)], slope], [0, start])
    return abs(c[0] * even(s) + c[1] * odd(s))**2 - 0.5


class Reference(unittest.TestCase):
    """Numbers of DOP853 at 1e-11 on matrices of another code; those that it integrated less well say so."""

    def test_cases(self):
        for name in CASES:
            with self.subTest(name):
                tolerance = 1e-9 if name in SLOW else 1e-10
                self.assertLess(case(name, tolerance=tolerance)[0], max(1e-8, 3 * REFERENCE[name]["check_difference"]))

    def test_without_a_matrix(self):
        for name in ("gaussian_pulse", "stirap_3", "ramsey_collective", "stages"):
            with self.subTest(name):
                self.assertLess(case(name, form="shell")[0], 1e-8)

    def test_two_ranks(self):
        for name in ("gaussian_pulse", "stirap_3"):
            times = REFERENCE[name]["times"]
            one, two = (evolve(CASES[name], times, ranks=n)[0] for n in (1, 2))
            for k in one:
                np.testing.assert_allclose(two[k], one[k], atol=1e-12)

    def test_tolerance_is_kept_over_decades(self):
        for name in ("gaussian_pulse_dark", "landau_zener_decay", "stirap_1"):
            operations = []
            for tolerance in (1e-4, 1e-6, 1e-8, 1e-10):
                error, data = case(name, tolerance=tolerance)
                self.assertLess(error, 10 * tolerance + 1e-10, f"{name} {tolerance}")
                self.assertLess(float(np.max(data["evolve_error"])), 2 * tolerance)
                operations.append(int(data["evolve_operations"]))
            self.assertEqual(operations, sorted(operations))
            self.assertLess(2 * operations[0], operations[-1])


class ClosedForms(unittest.TestCase):
    def test_landau_zener(self):
        text = 'components: {s: {kind: spin, S: 1/2}}\nhamiltonian: ["2*(t-3)*s.Sz + s.Sx"]\nobservables: {Sz: <s.Sz>}'
        times = [0.5, 2.7, 3, 4.1, 6]
        found = evolve(text, times)[0]["Sz"]
        np.testing.assert_allclose(found, [zener(2, 1, -3, t - 3) for t in times], atol=1e-9)

    def test_rotating_frame(self):
        """A drive that turns with the spins is a constant one beside a detuning; complex coefficients, a dozen forms of them."""
        frame = "jumps: [{rate: 0.2, operator: s.Sm}]\nobservables: {Sz: <s.Sz>, SpSm: <s.Sp*s.Sm>, zz: <s.Sz^2>}"
        head = "parameters: {w: 3}\ncomponents: {s: {kind: spin, S: 3/2}}\n"
        times = [0.3, 1, 2.5, 7]
        still = evolve(head + "hamiltonian: [0.4*s.Sx - (w-1)*s.Sz]\n" + frame, times)[0]
        for h in ('"0.2*exp(-i*w*t)*s.Sp + hc", s.Sz', '"0.4*(cos(w*t)*s.Sx + sin(w*t)*s.Sy)", s.Sz', '"0.2*s.Sp/exp(i*w*t) + hc + s.Sz"',
                  '"0.2*dag(exp(i*w*t)*s.Sm)", "0.2*exp(i*w*t)*s.Sm", s.Sz', '"0.2*conj(exp(i*w*t))*s.Sp + hc + s.Sz"',
                  '"0.2*exp(-i*w*t/2)^2*s.Sp + s.Sz/2 + hc"'):
            with self.subTest(h):
                found = evolve(head + f"hamiltonian: [{h}]\n" + frame, times)[0]
                for k, values in still.items():
                    np.testing.assert_allclose(found[k], values, atol=1e-9)

    def test_spins_of_their_own(self):
        """One rate and one field for each spin, all of them functions of time, against each spin alone."""
        many = """parameters: {N: 3}
components: {q: {kind: spins, size: N}}
arrays: {d: [0.5, -0.3, 0.2]}
hamiltonian: [{sum: "d[l]*cos((l+1)*t)*q.sx[l]"}, {sum: "0.2*exp(-i*d[l]*t)*q.sp[l] + hc"}]
jumps: [{rate: "0.3*(l+1)*step(t-1)*exp(-t)", each: "q.sm[l]"}]
observables: {a: "<q.sz[0]>", b: "<q.sz[1]>", c: "<q.sz[2]>"}"""
        times = [0.5, 1, 2, 4]
        found = evolve(many, times)[0]
        for name, l, d in (("a", 0, 0.5), ("b", 1, -0.3), ("c", 2, 0.2)):
            one = f"""parameters: {{d: {d}, l: {l}}}
components: {{q: {{kind: spin, S: 1/2}}}}
hamiltonian: ["2*d*cos((k+1)*t)*q.Sx", "0.2*exp(-i*d*t)*q.Sp + hc"]
jumps: [{{rate: "0.3*(k+1)*step(t-1)*exp(-t)", operator: q.Sm}}]
observables: {{z: 2*<q.Sz>}}""".replace("l: ", "k: ", 1)
            np.testing.assert_allclose(found[name], evolve(one, times)[0]["z"], atol=1e-9)

    def test_rates(self):
        """Population of a decaying spin: exp(-integral of the rate), of smooth, broken and jumping ones."""
        times = [0.7, 2, 5.3, 9]
        for rate, integral in (("0.5*(1+cos(2*t))", lambda t: 0.5 * t + 0.25 * np.sin(2 * t)), ("floor(t)", lambda t: np.floor(t) * (np.floor(t) - 1) / 2 + (t % 1) * np.floor(t)),
                               ("abs(t-3)", lambda t: np.where(t < 3, 4.5 - (3 - t)**2 / 2, 4.5 + (t - 3)**2 / 2)),
                               ("ramp(t, 1, 3) + pulse(t, 4, 5)", lambda t: np.clip(t - 1, 0, 2)**2 / 4 + np.clip(t - 3, 0, None) + np.clip(t - 4, 0, 1)),
                               ("1/(1+t)", np.log1p), ("max(0, sin(t))", lambda t: 2 * np.floor(t / (2 * np.pi)) + 1 - np.cos(np.minimum(t % (2 * np.pi), np.pi)))):
            with self.subTest(rate):
                text = f'components: {{s: {{kind: spin, S: 1/2}}}}\njumps: [{{rate: "{rate}", operator: s.Sm}}]\nobservables: {{up: <s.Sz>+1/2}}'
                found = evolve(text, times, "{s: {css: [pi, 0]}}")[0]["up"]
                np.testing.assert_allclose(found, np.exp(-integral(np.array(times))), atol=1e-9)


class Pairs(unittest.TestCase):
    """A matrix of rates whose elements depend on time, each in its way, against its eigenvectors as jumps of their own."""
    HEAD = """components: {q: {kind: spins, size: 2}}
arrays: {one: [[1, 0], [0, 1]], other: [[0, 1], [1, 0]]}
hamiltonian: ["0.7*q.sx[0] + 0.2*q.sz[1]"]
jumps:
"""
    TAIL = '\nobservables: {z: "<q.sz[0]>", x: "<q.Sx>", zz: "<q.sz[0]*q.sz[1]>"}'
    TIMES = [0.5, 1.3, 3]

    def test_matrix(self):
        own, shared = "(0.4 + 0.2*cos(2*t))", "(0.3*exp(-t) - 0.1*step(t-1))"
        pairs = self.HEAD + f'  - {{rates: "{own}*one[l,m] + {shared}*other[l,m]", pairs: "q.sm[l]"}}' + self.TAIL
        apart = self.HEAD + "\n".join(f'  - {{rate: "{own} {sign} {shared}", operator: "(q.sm[0] {sign} q.sm[1])/sqrt(2)"}}' for sign in "+-") + self.TAIL
        for form in ("assembled", "shell"):
            found, expected = (evolve(text, self.TIMES, form=form)[0] for text in (pairs, apart))
            for k, values in expected.items():
                np.testing.assert_allclose(found[k], values, atol=1e-9)

    def test_faults(self):
        """Of a matrix that is none of rates at some time, although its constant part is; of a complex function."""
        for rates, sentence in (("one[l,m] + t*other[l,m]", "negative eigenvalue"), ("one[l,m]*exp(i*t)", "not hermitian"), ("one[l,m] + 0.1*exp(i*(l-m)*t)*other[l,m]", "real by its form")):
            with self.subTest(rates), tempfile.TemporaryDirectory() as folder:
                path = os.path.join(folder, "deck.yaml")
                with open(path, "w", encoding="utf-8") as stream:
                    stream.write("title: t\n" + self.HEAD + f'  - {{rates: "{rates}", pairs: "q.sm[l]"}}' + self.TAIL + "\ntasks: [evolve: {times: [2], initial: {}}]\n")
                done = subprocess.run([decks.PROGRAM, "plan", path], check=False, capture_output=True, text=True)
                self.assertEqual(done.returncode, 2)
                self.assertRegex(done.stderr, f"rates: .*({sentence}|real by its form)")


class Kicks(unittest.TestCase):
    """kick(t, t0) turns at once: a Ramsey sequence or an echo is one task."""

    def test_ramsey(self):
        """Spins that precess and dephase between two turns by 90 degrees: Bloch vectors by hand. At the time of a kick it has been."""
        def turned(axis, angle, v):
            return v * np.cos(angle) + np.cross(axis, v) * np.sin(angle) + axis * np.dot(axis, v) * (1 - np.cos(angle))

        angle, wait, d, n = 0.4, 2.3, 0.7, 6
        second = np.array([np.cos(angle), np.sin(angle), 0])
        text = f"""parameters: {{N: {n}, T: {wait}, phi: {angle}, d: {d}}}
components: {{q: {{kind: ensemble, size: N}}}}
hamiltonian:
  - d*q.Sz + pi/2*kick(t, 0)*q.Sx
  - pi/2*kick(t, T/3 + T/3 + T/3)*(cos(phi)*q.Sx + sin(phi)*q.Sy)
jumps: [{{rate: 0.1, each: q.sz}}]
observables: {{x: <q.Sx>, y: <q.Sy>, z: <q.Sz>}}"""
        times = [0, 1, wait, 3]
        for form in ("assembled", "shell"):
            found = evolve(text, times, form=form)[0]
            for k, t in enumerate(times):
                v = turned(np.array([1, 0, 0]), np.pi / 2, np.array([0, 0, -n / 2]))
                for begin, end in ((0, min(t, wait)), (wait, max(t, wait))):
                    if begin == wait and t >= wait:
                        v = turned(second, np.pi / 2, v)
                    v = turned(np.array([0, 0, 1]), d * (end - begin), v) * np.exp(-0.2 * (end - begin) * np.array([1, 1, 0]))
                np.testing.assert_allclose([found["x"][k], found["y"][k], found["z"][k]], v, atol=1e-9)

    def test_echo_beside_pulses(self):
        """Every detuning is undone by a turn half way; a short pulse in the place of the kick does nearly the same."""
        text = """parameters: {T: 4}
components: {q: {kind: spins, size: 3}}
arrays: {d: [0.5, -1.3, 0.2]}
hamiltonian: [{sum: "d[l]/2*q.sz[l]"}, "pi/2*kick(t, 0)*q.Sx", "TURN*q.Sx"]
observables: {y: <q.Sy>, x: <q.Sx>}"""
        echo = evolve(text.replace("TURN", "pi*kick(t, T/2)"), [1, 4])[0]
        self.assertAlmostEqual(echo["y"][1], -1.5, delta=1e-9)
        self.assertAlmostEqual(echo["y"][0], np.sum(np.cos([0.5, 1.3, 0.2])) / 2, delta=1e-9)
        short = evolve(text.replace("TURN", "pi*pulse(t, T/2 - 5e-7, T/2 + 5e-7)/1e-6"), [1, 4])[0]
        self.assertAlmostEqual(short["y"][1], -1.5, delta=1e-5)

    def test_displacement(self):
        """A mode is kicked into a coherent state, between jumps of its loss."""
        text = """components: {c: {kind: mode}}
hamiltonian: ["1.2*kick(t, 1)*(c.a + hc)", "0.5*kick(t, 1)*(c.a + hc)"]
jumps: [{rate: "0.3*step(t-2)", operator: c.a}]
observables: {n: <c.n>}"""
        found = evolve(text, [0.5, 1, 2, 4], tolerance=1e-9)[0]["n"]
        np.testing.assert_allclose(found, 1.7**2 * np.array([0, 1, 1, np.exp(-0.6)]), atol=1e-7)


class Dark(unittest.TestCase):
    """Before a short pulse nothing happens, and every estimate of an error is zero."""

    def test_pulses_are_found(self):
        for form in ("exp(-(t-61.803)^2/(2*w^2))/(w*sqrt(2*pi))", "gauss(t, 61.803, w)/(w*sqrt(2*pi))", "pulse(t, 61.803, 61.803+w)/w",
                     "(step(t-61.803) - step(t-61.803-w))/w"):
            for width in (1e-1, 1e-3) if form[0] == "e" else (1e-1, 1e-3, 1e-6):
                with self.subTest(form + f" {width}"):
                    text = f'parameters: {{w: {width}}}\ncomponents: {{s: {{kind: spin, S: 1}}}}\nhamiltonian: ["pi/3*{form}*s.Sx"]\nobservables: {{Sz: <s.Sz>}}'
                    np.testing.assert_allclose(evolve(text, [50, 100])[0]["Sz"], [-1, -0.5], atol=2e-9 / min(1, width * 100))


class Elsewhere(unittest.TestCase):
    def test_no_matrices_are_exported(self):
        """One matrix cannot be what changes; written out it would be that of no time."""
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "deck.yaml")
            with open(path, "w", encoding="utf-8") as stream:
                stream.write('title: t\ncomponents: {s: {kind: spin, S: 1}}\nhamiltonian: ["t*s.Sx"]\ntasks: [evolve: {times: [1], initial: {}}]\n')
            done = subprocess.run([decks.PROGRAM, "export", path, "--matrix", "-"], check=False, capture_output=True, text=True)
            self.assertEqual(done.returncode, 2)
            self.assertIn("depends on time", done.stderr)
            self.assertEqual(done.stdout, "")


class Cost(unittest.TestCase):
    def planned(self, *changes):
        """Seconds of the largest point, as `plan` has them: no clock is read for that."""
        deck = os.path.join(decks.SOURCE, "input", "stirap.yaml")
        done = subprocess.run([decks.PROGRAM, "plan", deck, *changes], check=True, capture_output=True, text=True)
        return float(done.stdout.split("largest point")[1].split(" and ")[1].split()[0])

    def test_plan_knows_what_steps_cost(self):
        """A second was measured, with 300 to 400 steps of a hundred products each; a generator that does not change takes milliseconds."""
        self.assertGreater(self.planned(), 0.3)
        self.assertLess(self.planned(), 5)
        self.assertGreater(self.planned("--set", "W=48"), 2 * self.planned())
        self.assertLess(self.planned("--set", "W=0"), 0.5 * self.planned())


class Windows(unittest.TestCase):
    def test_open_window(self):
        """A driven mode without loss is coherent: <a> = -i int f, whatever its window grows to."""
        text = 'components: {c: {kind: mode}}\nhamiltonian: ["1.5*gauss(t, 3, 0.5)*(c.a + hc)"]\njumps: [{rate: 0, operator: c.a}]\nobservables: {n: <c.n>}'
        found = evolve(text, [3, 6], tolerance=1e-9)[0]["n"]
        np.testing.assert_allclose(found, (1.5 * 0.5 * np.sqrt(2 * np.pi))**2 * np.array([0.25, 1]), rtol=1e-7)


if __name__ == "__main__":
    unittest.main(verbosity=2)
