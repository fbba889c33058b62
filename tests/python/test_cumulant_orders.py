"""Task `cumulant` beyond one ensemble and a mode: classes, modes and orders, beside exact states, closed forms and an independent
derivation of the equations (shared notes of the method; each number there was checked by a second program)."""
# cospin-test: COST 15
import os
import random
import re
import subprocess
import tempfile
import unittest

import numpy as np
from scipy.integrate import solve_ivp

from decks import PROGRAM, run_text

SPINS = "  - {{rate: w, each: {0}.sp}}\n  - {{rate: gam, each: {0}.sm}}\n  - {{rate: k0/4, each: {0}.sz}}\n"
CAVITY = "  - {rate: kc*(nth + 1), operator: c.a}\n  - {rate: kc*nth, operator: dag(c.a)}\n"
SET_A = ("title: t\nparameters: {N: 10, kc: 1, w: 2, gam: 0.1, k0: 1, nth: 0.1, r: 3, g: sqrt(r*kc*(w + gam + k0)/(4*N))}\n"
         "grid: {N: NS}\ncomponents: {s: {kind: ensemble, size: N}, c: {kind: mode}}\nhamiltonian: [g*c.a*s.Sp + hc]\n"
         "jumps:\n" + SPINS.format("s") + CAVITY + "observables: {n: <c.n>, z: 2*<s.Sz>, pairs: <s.Sp*s.Sm>}\ntasks: [TASK]\n")


def classes(sizes, detunings, shift="0"):
    """A laser of several classes of spins and one mode (g = .05, kc = w = 1, gam = .1, 2/T2* = .2, nth = .1)."""
    names = [f"q{k}" for k in range(len(sizes))]
    return ("title: t\nparameters: {g: 0.05, kc: 1, w: 1, gam: 0.1, k0: 0.2, nth: 0.1, shift: SHIFT}\ncomponents:\n".replace("SHIFT", shift) +
            "".join(f"  {name}: {{kind: ensemble, size: {size}}}\n" for name, size in zip(names, sizes)) + "  c: {kind: mode}\nhamiltonian:\n" +
            "".join(f"  - g*c.a*{name}.Sp + hc\n  - ({delta} + shift)*{name}.Sz\n" for name, delta in zip(names, detunings)) +
            "jumps:\n" + "".join(SPINS.format(name) for name in names) + CAVITY +
            "observables: {n: <c.n>, " + ", ".join(f"z{k}: 2*<q{k}.Sz>/{size}" for k, size in enumerate(sizes)) +
            (f", far: <q0.Sp*q{len(sizes) - 1}.Sm>/({sizes[0]}*{sizes[-1]})" if len(sizes) > 1 else "") + "}\ntasks: [TASK]\n")


class Orders(unittest.TestCase):
    def test_second_and_fourth_order_of_a_maser(self):
        data = run_text(SET_A.replace("NS", "[2, 4, 10, 20, 40, 200, 1000]").replace("TASK", "cumulant: {order: 4}"))
        np.testing.assert_allclose(data.cumulant_n, [1.686170, 2.943153, 6.595291, 12.617702, 24.630182, 120.640865, 600.643], rtol=2e-6)
        np.testing.assert_allclose(data.cumulant_z, [.298886, .911283, 2.861627, 6.173617, 12.828398, 66.151557, 332.816], rtol=3e-6)
        np.testing.assert_allclose(data.cumulant_pairs[[2, 4, 5]], [11.784784, 125.123436, 2690.978488], rtol=1e-7)
        self.assertTrue((data.cumulant_growth < 0).all() and (data.cumulant_equations[2:] == 18).all())

    def test_below_threshold_every_order_helps(self):
        """Photons of 4, 10, 20 spins at r = .5; exact: factorised sectors."""
        text = SET_A.replace("r: 3", "r: 0.5").replace("NS", "[4, 10, 20]")
        data = run_text(text.replace("TASK", "cumulant: {name: two}, cumulant: {name: four, order: 4}"))
        exact = np.array([.6097421838, .7041421346, .7525599790])
        np.testing.assert_allclose(data.two_n - exact, [.0593, .0419, .0273], atol=6e-5)
        np.testing.assert_allclose(data.four_n - exact, [.0033, .00097, .00026], atol=6e-5)
        self.assertTrue(np.isnan(data.four_linewidth).all())

    def test_third_order_closes_three_spins(self):
        """Two spins and one, detuned and driven, with what they do together: the equations end by themselves at N."""
        text = ("title: t\ncomponents: {q: {kind: ensemble, size: 2}, r: {kind: ensemble, size: 1}}\n"
                "hamiltonian: [0.3*q.Sz - 0.2*r.Sz, 0.4*(q.Sp + r.Sp) + hc, 0.25*q.Sp*r.Sm + hc]\njumps:\n"
                "  - {rate: 0.7, operator: q.Sm + r.Sm}\n  - {rate: 0.3, each: q.sm}\n  - {rate: 0.2, each: r.sp}\n  - {rate: 0.1, each: q.sz}\n"
                "observables: {z: <q.Sz>, x: <q.Sm>, pair: <q.Sp*r.Sm>, three: <q.Sp*q.Sm*r.Sz>}\n"
                "tasks: [cumulant: {order: 3}, steady: {}, gap: {}, cumulant: {name: way, order: 3, accuracy: 1e-10, times: [0.5, 2],"
                " initial: {q: {css: [1, 0.3]}}}, evolve: {initial: {q: {css: [1, 0.3]}}, times: [0.5, 2]}, cumulant: {name: two}]\n")
        data = run_text(text)
        for name in ("z", "x_re", "x_im", "pair_re", "pair_im", "three"):
            self.assertAlmostEqual(float(data[f"cumulant_{name}"]), float(data[f"steady_{name}"]), delta=1e-12)
            np.testing.assert_allclose(data[f"way_{name}"], data[f"evolve_{name}"], atol=1e-7)
        self.assertGreater(abs(float(data.two_z - data.steady_z)), 1e-4)
        self.assertAlmostEqual(float(data.cumulant_growth), -float(data.gap_rate), delta=1e-9)

    def test_what_is_conserved_leaves_several_states(self):
        """Collective decay of two groups conserves j: where they end depends on where they began."""
        text = ("title: t\ncomponents: {q: {kind: ensemble, size: 6}, r: {kind: ensemble, size: 4}}\njumps: [{rate: 1, operator: q.Sm + r.Sm}]\n"
                "observables: {z: <q.Sz>}\ntasks: [cumulant: {}, cumulant: {name: way, times: [0, 30]}]\n")
        data = run_text(text, status=3, mask=False)
        self.assertEqual(int(data.cumulant_outcome), -4)
        self.assertEqual(int(data.way_outcome), 1)

    def test_third_order_of_a_laser_is_refused(self):
        for order, sentence in ((3, "3 is wrong by a factor"),):
            with tempfile.TemporaryDirectory() as folder:
                path = os.path.join(folder, "deck.yaml")
                with open(path, "w", encoding="utf-8") as stream:
                    stream.write(SET_A.replace("NS", "[10]").replace("TASK", f"cumulant: {{order: {order}}}"))
                done = subprocess.run([PROGRAM, "plan", path], capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 2)
            self.assertIn(sentence, done.stderr)


class Classes(unittest.TestCase):
    def test_frequency_classes(self):
        s = .4
        three = run_text(classes([50, 200, 50], [-s * 3**.5, 0, s * 3**.5]).replace("TASK", "cumulant: {}"))
        self.assertAlmostEqual(float(three.cumulant_n), 46.7510487530, delta=1e-9)
        np.testing.assert_allclose([three.cumulant_z0, three.cumulant_z1, three.cumulant_z2], [.6228507731, .4917468975, .6228507731], rtol=1e-9)
        self.assertAlmostEqual(float(three.cumulant_far_re), -.002960979, delta=1e-9)
        self.assertAlmostEqual(float(three.cumulant_far_im), -.051069102, delta=1e-9)
        self.assertEqual(int(three.cumulant_equations), 13)
        self.assertAlmostEqual(float(three.cumulant_linewidth) / 2, .0032341453, delta=1e-10)
        nodes = [-2.856970 * s, -1.355626 * s, 0, 1.355626 * s, 2.856970 * s]
        five = run_text(classes([3, 67, 160, 67, 3], nodes).replace("TASK", "cumulant: {}"))
        self.assertAlmostEqual(float(five.cumulant_n), 45.3883070740, delta=1e-6)
        self.assertAlmostEqual(float(five.cumulant_linewidth) / 2, .0034216672, delta=1e-9)

    def test_a_detuned_line(self):
        """All classes shifted by .2: the line is pulled; and two classes at -.1, .3."""
        s = .4 * 3**.5
        data = run_text(classes([50, 200, 50], [-s, 0, s], shift="0.2").replace("TASK", "cumulant: {}"))
        self.assertAlmostEqual(float(data.cumulant_frequency), .0767894478, delta=1e-9)
        self.assertAlmostEqual(float(data.cumulant_linewidth) / 2, .0034204142, delta=1e-10)
        two = run_text(classes([150, 150], [-.1, .3]).replace("TASK", "cumulant: {}"))
        self.assertAlmostEqual(float(two.cumulant_frequency), .0409037992, delta=1e-9)
        self.assertAlmostEqual(float(two.cumulant_linewidth) / 2, .0025584432, delta=1e-10)

    def test_one_class_is_an_ensemble_in_parts(self):
        """Three parts of one ensemble without detuning, and a mode that nothing touches: the numbers of one ensemble and one mode."""
        parts = run_text(classes([100, 150, 50], [0, 0, 0]).replace("TASK", "cumulant: {}"))
        one = run_text(classes([300], [0]).replace("TASK", "cumulant: {}"))
        idle = run_text(classes([300], [0]).replace("  c: {kind: mode}", "  c: {kind: mode}\n  d: {kind: mode}").replace(
            "jumps:\n", "jumps:\n  - {rate: 1, operator: d.a}\n").replace("TASK", "cumulant: {}"))
        for other in (parts, idle):
            for name in ("n", "z0"):
                self.assertAlmostEqual(float(other[f"cumulant_{name}"] / one[f"cumulant_{name}"]), 1, delta=1e-10)
            self.assertAlmostEqual(float(other.cumulant_linewidth) / 2, .0022059152, delta=1e-10)  # around first order; `one`: second
            self.assertAlmostEqual(float(other.cumulant_linewidth / one.cumulant_linewidth), 1, delta=.03)

    def test_1e15_spins_lose_no_term(self):
        """Terms of the size of one stand beside N = 1e15, in equations, start and noise: three detuned parts of one ensemble that all have one
        frequency, and a laser that spikes on its way (mean field finds it)."""
        text = classes(["1e15", "2e15", "1e15"], [0, 0, 0]).replace("g: 0.05", "g: 4e-7").replace("w: 1, gam: 0.1, k0: 0.2", "w: 0.1, gam: 1e-7, k0: 1")
        parts = run_text(text.replace("TASK", "cumulant: {}"))
        one = run_text(classes(["4e15"], [0]).replace("g: 0.05", "g: 4e-7").replace("w: 1, gam: 0.1, k0: 0.2", "w: 0.1, gam: 1e-7, k0: 1").replace(
            "TASK", "cumulant: {}"))
        for name in ("n", "z0", "linewidth"):
            self.assertAlmostEqual(float(parts[f"cumulant_{name}"] / one[f"cumulant_{name}"]), 1, delta=1e-9)
        shifted = run_text(text.replace("(0 + shift)*q0", "-0.2*q0").replace("(0 + shift)*q2", "0.2*q2").replace("TASK", "cumulant: {}"))
        # of K classes on resonance: z_c = (w - gam)/(w + gam + 2 g^2 n kS L_c), kc = g^2 sum N_c z_c kS L_c, L_c = 1/(kS^2/4 + delta_c^2)
        kS, g2, width = 1.1 + 1e-7, 16e-14, 1 / ((1.1 + 1e-7)**2 / 4 + np.array([.04, 0, .04]))
        z = lambda n: (.1 - 1e-7) / (.1 + 1e-7 + 2 * g2 * n * kS * width)
        low, high = 1e10, 1e16
        for _ in range(200):
            n = (low + high) / 2
            low, high = (n, high) if g2 * (np.array([1e15, 2e15, 1e15]) * z(n) * kS * width).sum() > 1 else (low, n)
        np.testing.assert_allclose([shifted.cumulant_n, shifted.cumulant_z0, shifted.cumulant_z1], [n, z(n)[0], z(n)[1]], rtol=1e-9)

    def test_spins_one_by_one_are_classes(self):
        """`spins` that are equal, with local pumps and a common decay: as the ensemble, steady and in time."""
        text = ("title: t\ncomponents: {q: KIND}\njumps:\n  - {rate: 0.3, operator: q.Sm}\n  - PUMP\n"
                "observables: {z: <q.Sz>, pairs: <q.Sp*q.Sm>}\ntasks: [cumulant: {order: 4}, cumulant: {name: way, order: 4, times: [0, 1, 5]}]\n")
        equal = run_text(text.replace("KIND", "{kind: ensemble, size: 5}").replace("PUMP", "{rate: 1, each: q.sp}"))
        single = run_text(text.replace("KIND", "{kind: spins, size: 5}").replace("PUMP", "{rate: 1, each: 'q.sp[l]'}"))
        for name in ("cumulant_z", "cumulant_pairs", "way_z", "way_pairs"):
            np.testing.assert_allclose(single[name], equal[name], rtol=1e-7)

    def test_two_modes(self):
        text = ("title: t\nparameters: {D: 0.5, w: 1, gam: 0.1, k0: 0.2, nth: 0.1}\ngrid: {D: [0.5, 2]}\n"
                "components: {q: {kind: ensemble, size: 100}, a: {kind: mode}, b: {kind: mode}}\n"
                "hamiltonian: [0.08*a.a*q.Sp + hc, 0.06*b.a*q.Sp + hc, -D/2*a.n + D/2*b.n]\njumps:\n" + SPINS.format("q") +
                "  - {rate: nth + 1, operator: a.a}\n  - {rate: nth, operator: dag(a.a)}\n"
                "  - {rate: 0.6*(nth + 1), operator: b.a}\n  - {rate: 0.6*nth, operator: dag(b.a)}\n"
                "observables: {n1: <a.n>, n2: <b.n>, cross: <dag(a.a)*b.a>, z: 2*<q.Sz>/100}\ntasks: [cumulant: {}]\n")
        data = run_text(text)
        np.testing.assert_allclose(data.cumulant_n1, [14.6958833743, 2.4769996075], rtol=1e-10)
        np.testing.assert_allclose(data.cumulant_n2, [18.4153728662, 1.3376519668], rtol=1e-10)
        np.testing.assert_allclose(data.cumulant_cross_re, [6.9068628187, -.6251698200], rtol=1e-9)
        np.testing.assert_allclose(data.cumulant_cross_im, [-14.5482303137, -.9432857475], rtol=1e-9)
        np.testing.assert_allclose(data.cumulant_z, [.3529980528, .7614619857], rtol=1e-9)

    def test_linear_systems_are_exact(self):
        """Two coupled, driven, thermal modes: second order closes (beside the exact steady state in a cutoff)."""
        text = ("title: t\ncomponents: {a: {kind: mode, cutoff: 14}, b: {kind: mode, cutoff: 14}}\n"
                "hamiltonian: [0.3*a.n, 0.4*a.a*dag(b.a) + hc, 0.2*a.a + hc]\njumps:\n  - {rate: 1.2, operator: a.a}\n  - {rate: 0.2, operator: dag(a.a)}\n"
                "  - {rate: 0.7, operator: b.a}\nobservables: {n: <a.n>, m: <b.n>, x: <dag(a.a)*b.a>, f: <b.a>}\ntasks: [cumulant: {}, steady: {}]\n")
        data = run_text(text, status=(0, 3), mask=False)
        for name in ("n", "m", "x_re", "x_im", "f_re", "f_im"):
            self.assertAlmostEqual(float(data[f"cumulant_{name}"]), float(data[f"steady_{name}"]), delta=2e-6)

    def test_as_many_classes_as_there_are(self):
        """70 classes are more labels than an exact deck may have; ranks agree."""
        text = classes([10] * 70, [f"{.4 * np.sin(1.3 * k):.6f}" for k in range(70)]).replace("TASK", "cumulant: {}")
        one, two = run_text(text), run_text(text, ranks=2)
        self.assertEqual(int(one.cumulant_equations), 1 + 2 * 70 + 70 * 69 // 2 + 70)
        self.assertEqual(float(one.cumulant_n), float(two.cumulant_n))
        self.assertGreater(float(one.cumulant_n), 50)


def random_deck(seed):
    """Up to four spins in ensembles, one by one and single, with terms of one and two of them, and collective and local jumps."""
    draw = random.Random(seed)
    total, kinds, components = draw.choice([2, 3, 3, 4]), {}, ""
    left = total
    while left:
        size, name = draw.randint(1, left), "abcd"[len(kinds)]
        kinds[name] = draw.choice(["ensemble", "spins"] + ["spin"] * (size == 1))
        components += f"  {name}: {{kind: {kinds[name]}, " + ("S: 1/2}\n" if kinds[name] == "spin" else f"size: {size}}}\n")
        left -= size
    names = list(kinds)
    rate = lambda: f"{draw.uniform(.1, 1):.3f}"
    terms, jumps = [f"{rate()}*{draw.choice(names)}.Sz"], ""
    for _ in range(draw.randint(1, 3)):
        x, y = draw.choice(names), draw.choice(names)
        terms.append(f"{rate()}*" + draw.choice([f"{x}.Sx", f"{x}.Sp*{y}.Sm + hc" if x != y else f"{x}.Sz^2", f"{x}.Sz*{y}.Sx + hc", f"{x}.Sp^2 + hc"]))
    for name, kind in kinds.items():
        for one in ("m", "p", "z"):
            act = {"spins": f"each: '{name}.s{one}[l]'", "ensemble": f"each: {name}.s{one}", "spin": f"operator: {name}.S{one}"}[kind]
            jumps += f"  - {{rate: {rate()}, {act}}}\n" if one == "m" or draw.random() < .7 else ""
    jumps += f"  - {{rate: {rate()}, operator: " + " + ".join(f"{rate()}*{name}.Sm" for name in names) + "}\n"
    jumps += f"  - {{rate: {rate()}, operator: {draw.choice(names)}.Sz + 0.3*{draw.choice(names)}.Sp}}\n" if draw.random() < .4 else ""
    values = ", ".join(f"z{n}: <{n}.Sz>, m{n}: <{n}.Sm>, p{n}: <{n}.Sp*{n}.Sm>" for n in names)
    return max(2, total), ("title: t\ncomponents:\n" + components + "hamiltonian:\n" + "".join(f"  - {term}\n" for term in terms) + "jumps:\n" + jumps +
                           f"observables: {{{values}, three: <{names[0]}.Sp*{names[-1]}.Sz*{names[0]}.Sm>}}\ntasks: [cumulant: {{order: ORDER}}, steady: {{}}]\n")


def read_equations(text):
    """What `cospin export --equations` wrote: names of moments, and a function that gives their slopes."""
    names, slopes = [], []
    for line in text.splitlines():
        if line.startswith("moment "):
            names.append(line.split(maxsplit=3)[3])
        elif line.startswith("d m"):
            right = re.sub(r"([0-9.)])i\b", r"\1*1j", line.split("=", 1)[1])
            right = re.sub(r"\(([^()]*?)\*1j\)", r"(\1*1j)", right)
            right = re.sub(r" m(\d+)\*", r"*z[\1].conjugate()", right)
            slopes.append(eval("lambda z: " + re.sub(r" m(\d+)", r"*z[\1]", right)))  # our own program's text
    assert len(names) == len(slopes) > 0
    return names, lambda z: np.array([slope(z) for slope in slopes], complex)


class Equations(unittest.TestCase):
    """The printed equations, solved by scipy, give the program's numbers."""

    def export(self, text, *options, status=0):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "deck.yaml")
            with open(path, "w", encoding="utf-8") as stream:
                stream.write(text)
            done = subprocess.run([PROGRAM, "export", path, *options], check=False, capture_output=True, text=True)
            self.assertEqual(done.returncode, status, done.stderr)
            return done.stdout if status == 0 else done.stderr

    def steady(self, text, guess):
        """Moments by name, from a long time in scipy."""
        names, slopes = read_equations(text)
        start = np.array([guess if name.count(".ee") == 1 and " " not in name else 0 for name in names], complex)
        pack = lambda z: np.concatenate([z.real, z.imag])
        unpack = lambda u: u[:len(names)] + 1j * u[len(names):]
        end = solve_ivp(lambda t, u: pack(slopes(unpack(u))), (0, 400), pack(start), method="LSODA", rtol=1e-10, atol=1e-12)
        return dict(zip(names, unpack(end.y[:, -1])))

    def test_a_maser_in_second_and_fourth_order(self):
        for order in (2, 4):
            text = SET_A.replace("NS", "[10]").replace("TASK", f"cumulant: {{order: {order}}}")
            printed = self.export(text, "--equations", "-")
            self.assertTrue(printed.startswith(f"cospin equations 1\ntask cumulant\norder {order}\ncharged zero\n"))
            found = self.steady(printed, 0.5)
            data = run_text(text)
            self.assertAlmostEqual(found["dag(c.a) c.a"].real, float(data.cumulant_n), delta=1e-7)
            self.assertAlmostEqual(10 * (2 * found["s.ee"].real - 1), float(data.cumulant_z), delta=1e-7)

    def test_detuned_classes(self):
        text = classes([40, 60], [-0.3, 0.2]).replace("TASK", "cumulant: {}")
        found = self.steady(self.export(text, "--equations", "-"), 0.5)
        data = run_text(text)
        self.assertAlmostEqual(found["dag(c.a) c.a"].real, float(data.cumulant_n), delta=1e-6)
        self.assertAlmostEqual(2 * found["q1.ee"].real - 1, float(data.cumulant_z1), delta=1e-8)

    def test_what_has_none(self):
        text = SET_A.replace("NS", "[10]").replace("TASK", "steady: {}")
        self.assertIn("no task `cumulant`", self.export(text, "--equations", "-", status=2))
        self.assertIn("there is no point 5", self.export(text.replace("steady", "cumulant"), "--equations", "-", "--point", "5", status=2))
        self.assertIn("one of `--matrix` and `--equations`", self.export(text, "--equations", "a", "--matrix", "b", status=2))


class RandomDecks(unittest.TestCase):
    def test_as_many_spins_as_the_order_are_exact(self):
        for seed in range(12):
            order, text = random_deck(seed)
            data = run_text(text.replace("ORDER", "4" if order == 3 else str(order)))  # third order is refused where a phase is free
            names = [name[len("steady_"):] for name in data.data_vars if name.startswith("steady_") and f"cumulant_{name[7:]}" in data]
            values = [name for name in names if name[0] in "zmpt" and name not in ("trace",)]
            self.assertGreater(len(values), 2)
            for name in values:
                self.assertAlmostEqual(float(data[f"cumulant_{name}"]), float(data[f"steady_{name}"]), delta=1e-9, msg=f"seed {seed}, {name}")


if __name__ == "__main__":
    unittest.main()
