"""stages: rotations and times of their own Hamiltonian and jumps, against matrices, an older deck of a Ramsey sequence, and echoes."""
# cospin-test: PROCESSORS 1 TIMEOUT 300 COST 10
import os
import subprocess
import tempfile
import unittest

import decks
import numpy as np
from scipy.linalg import expm

PAULI = {"x": np.array([[0, 1], [1, 0]]), "y": np.array([[0, -1j], [1j, 0]]), "z": np.diag([1, -1]), "m": np.array([[0, 0], [1, 0]])}


def on(letter, l):
    """Of one of two spins, excited state first."""
    parts = [np.eye(2), np.eye(2)]
    parts[l] = PAULI[letter]
    return np.kron(*parts)


def total(letter):
    return (on(letter, 0) + on(letter, 1)) / 2


def liouvillian(h, jumps):
    one = np.eye(4)
    generator = -1j * (np.kron(h, one) - np.kron(one, h.T))
    for rate, a in jumps:
        aa = a.conj().T @ a
        generator = generator + rate * (np.kron(a, a.conj()) - (np.kron(aa, one) + np.kron(one, aa.T)) / 2)
    return generator


SEQUENCE = """title: two spins, all that stages can say
parameters: {a: 1.1, T: 0.9, d0: 0.5}
grid: {T: [0, 0.9]}
components: {q: {kind: spins, size: 2}}
arrays: {d: [d0, -1.3]}
hamiltonian: ["0.2*q.sx[0]*q.sx[1]"]
jumps:
  - {name: loss, rate: 0.3, each: "q.sm[l]"}
  - {name: phase, rate: "0.1*(1 + cos(t))", each: "q.sz[l]"}
  - {rate: 0.05, operator: q.Sm}
stages:
  - {rotate: {q: [a, 0.3]}}
  - {for: T, jumps: [loss], hamiltonian: [{sum: "d[l]/2*q.sz[l]"}]}
  - {rotate: {q: pi/3}}
  - {rotate: {q: [pi, pi/2]}}
  - {for: 0.4, jumps: none}
  - {for: 0.5, jumps: [loss, phase], hamiltonian: 0.7*q.Sy}
  - {rotate: {q: [-0.2, 1]}}
observables: {x: <q.Sx>, y: <q.Sy>, z: <q.Sz>, zz: "<q.sz[0]*q.sz[1]>"}
tasks: [evolve: {times: [0, 0.3, 0.9, 1.3, 1.8, 2.5], initial: {}, tolerance: 1e-10}]
"""


def reference(first, times):
    """Stages by hand, the modulated rate by short steps of its mean."""
    def turn(rho, angle, phase):
        u = expm(-1j * angle * (np.cos(phase) * total("x") + np.sin(phase) * total("y")))
        return u @ rho @ u.conj().T

    loss, phase, both = [on("m", 0), on("m", 1)], [on("z", 0), on("z", 1)], [total("x") - 1j * total("y")]
    h = 0.2 * on("x", 0) @ on("x", 1)
    ends = np.cumsum([first, 0.4, 0.5, 9])
    extra = [(0.5 * on("z", 0) - 1.3 * on("z", 1)) / 2, 0 * h, 0.7 * total("y"), 0 * h]
    acts = [(1, 0, 0), (0, 0, 0), (1, 1, 0), (1, 1, 1)]
    turns = [[(1.1, 0.3)], [(np.pi / 3, 0), (np.pi, np.pi / 2)], [], [(-0.2, 1)]]
    rho = np.zeros((4, 4), complex)
    rho[3, 3] = 1
    found, now, left = [], 0.0, list(times)
    for k, end in enumerate(ends):
        while left and left[0] < now - 1e-12:
            left.pop(0)
        for angle, p in turns[k]:
            rho = turn(rho, angle, p)
        points = sorted({t for t in left if t < end - 1e-12} | {end})
        for point in points:
            steps = 200 if acts[k][1] else 1
            for s in range(steps):
                t0, t1 = now + (point - now) * s / steps, now + (point - now) * (s + 1) / steps
                mean = 0.1 * (1 + (np.sin(t1) - np.sin(t0)) / (t1 - t0)) if t1 > t0 else 0
                jumps = [(0.3 * acts[k][0], a) for a in loss] + [(mean * acts[k][1], a) for a in phase] + [(0.05 * acts[k][2], a) for a in both]
                rho = (expm(liouvillian(h + extra[k], jumps) * (t1 - t0)) @ rho.ravel()).reshape(4, 4)
            now = point
            if point in left and point < end - 1e-12:
                found.append(rho)
                left.pop(0)
    return [[np.trace(rho @ a).real for a in (total("x"), total("y"), total("z"), on("z", 0) @ on("z", 1))] for rho in found]


class Stages(unittest.TestCase):
    def test_matrices(self):
        """Turns at one time follow each other, also where the stage between them has no length."""
        for form in ("auto", "shell"):
            data = decks.run_text(SEQUENCE + f"operator: {form}\n")
            for k, first in enumerate((0, 0.9)):
                expected = reference(first, [0, 0.3, 0.9, 1.3, 1.8, 2.5])
                found = np.array([data["evolve_" + name].values[k] for name in ("x", "y", "z", "zz")]).T
                np.testing.assert_allclose(found, expected, atol=2e-6)

    def test_ramsey_of_ions(self):
        """The deck ions_ramsey, which turns its state and its observables by hand, and the same with both pulses."""
        with open(os.path.join(decks.SOURCE, "input", "ions_ramsey.yaml"), encoding="utf-8") as stream:
            text = stream.read()
        old = text.replace("N:     124", "N:     12").replace("linspace: [0, 1, 41]", "linspace: [0, 1, 5]")
        head = old.split("observables:")[0].replace("nbar: [0, 4.7]", "nbar: [0, 4.7]\n  T: {linspace: [0, 1, 5]}").replace("phase: pi/2", "phase: pi/2\n  T: 0")
        sequence = "stages: [{rotate: {ions: [pi/2, -pi/2]}}, {for: T}, {rotate: {ions: [pi/2, second - pi/2]}}, {for: 9, jumps: none}]\nobservables: {z: 2*<ions.Sz>/N, noise: 4*(<ions.Sz^2> - <ions.Sz>^2)/N}\n" \
                   "tasks: [evolve: {times: [5], initial: {}}]\n"
        before = decks.run_text(old)
        for second, name, mine in (("0", "top", "z"), ("phase", "noise", "noise")):
            data = decks.run_text(head + sequence.replace("second", second))
            np.testing.assert_allclose(data["evolve_" + mine].values[..., 0], before["evolve_" + name], atol=2e-7)

    def test_echo(self):
        """Detunings are undone by a turn half way."""
        text = """title: echo
parameters: {T: 2}
components: {q: {kind: spins, size: 3}}
arrays: {d: [0.5, -1.3, 0.2]}
hamiltonian: [{sum: "d[l]/2*q.sz[l]"}]
stages: [{rotate: {q: pi/2}}, {for: T}, {rotate: {q: pi}}, {for: T}, {rotate: {q: [pi/2, pi]}}]
observables: {z: <q.Sz>, y: <q.Sy>}
tasks: [evolve: {times: [2, 4], initial: {}}]
"""
        data = decks.run_text(text)
        self.assertAlmostEqual(float(data["evolve_z"][1]), 1.5, delta=1e-7)
        self.assertAlmostEqual(float(data["evolve_y"][0]), -np.sum(np.cos(2 * np.array([0.5, 1.3, 0.2]))) / 2, delta=1e-7)


    def test_groups(self):
        """A group turns as a whole, or one member of it."""
        text = """title: groups
components: {g: {kind: spin, S: 1, groups: 2}}
stages: [{rotate: {TURNS}}, {for: 1, hamiltonian: [{sum: "(l+1)*g[l].Sz"}]}]
observables: {a: "<g[0].Sy>", b: "<g[1].Sy>"}
tasks: [evolve: {times: [1], initial: {}}]
"""
        for turns, which in (("g: pi/2", (1, 1)), ('"g[0]": pi/2, "g[1]": pi/2', (1, 1)), ('"g[1]": pi/2', (0, 1))):
            data = decks.run_text(text.replace("TURNS", turns))
            for name, on_it, k in zip("ab", which, (1, 2)):
                self.assertAlmostEqual(float(data["evolve_" + name][0]), on_it * np.cos(k), delta=1e-7)


class Faults(unittest.TestCase):
    def test_all_at_once(self):
        text = """title: t
parameters: {T: -1}
components: {q: {kind: ensemble, size: 2}, c: {kind: mode}}
jumps: [{name: loss, rate: 1, each: q.sm}]
stages:
  - {rotate: {q: [1, 2, 3]}}
  - {rotate: {p: 1}}
  - {for: 2, jumps: [lost]}
  - {for: 2, jumps: some}
  - {rotate: {q: 1}, for: 2}
  - {hamiltonian: q.Sx}
  - {wait: 3}
  - {for: 1, hamiltonian: ["q.Sx)*(q.Sy"]}
  - 3
tasks: [evolve: {times: [1], initial: {}}]
"""
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "deck.yaml")

            def told(content):
                with open(path, "w", encoding="utf-8") as stream:
                    stream.write(content)
                done = subprocess.run([decks.PROGRAM, "plan", path], check=False, capture_output=True, text=True)
                self.assertEqual(done.returncode, 2)
                return done.stderr
            lines = told(text)
            for place, sentence in ((6, "must be [ANGLE, PHASE], or ANGLE"), (7, "`p`"), (8, "`lost` (did you mean `loss`?"), (9, "`some` is not `all`, `none`, or a list"),
                                    (10, "a rotation is a stage by itself"), (11, "must be {rotate"), (12, "unknown key `wait`"), (13, "unexpected `)`"), (14, "must be {rotate")):
                self.assertTrue(any(f":{place}:" in line and sentence in line for line in lines.splitlines()), f"{place} {sentence}\n{lines}")
            sound = text.split("stages:")[0] + "stages: [{for: T}]\ntasks: [evolve: {times: [1], initial: {}}]\n"
            self.assertIn("deck.yaml:5:16: stages[0].for: a stage of -1 (a time is a number >= 0)", told(sound))
            self.assertIn("mode `c` has no operator `Sx`", told(sound.replace("{for: T}", "{rotate: {c: 1}}")))
            self.assertIn("needs a generator that does not change", told(sound.replace("{for: T}", "{rotate: {q: 1}}").replace("tasks: [", "tasks: [steady: {}, ")))


if __name__ == "__main__":
    unittest.main(verbosity=2)
