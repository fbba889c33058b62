"""table(FILE): splines of scipy and of a closed form, what is between samples, ends, faults with file and line, another file at a resume."""
# cospin-test: PROCESSORS 1 TIMEOUT 300 COST 10
import os
import subprocess
import tempfile
import unittest

import decks
import numpy as np
from scipy.integrate import quad
from scipy.interpolate import CubicSpline

SPIN = """title: a spin that is turned by a table
components: {s: {kind: spin, S: 1/2}}
hamiltonian: ["TERM"]
observables: {z: <s.Sz>, y: <s.Sy>}
tasks: [evolve: {times: [TIMES], initial: {}, tolerance: 1e-10}]
"""


def write(folder, name, *columns):
    with open(os.path.join(folder, name), "w", encoding="utf-8") as stream:
        stream.write("# t, value\n\n" + "".join(", ".join(repr(float(x)) for x in row) + "\n" for row in zip(*columns)))


def run(folder, text, *options):
    path = os.path.join(folder, "deck.yaml")
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(text)
    return subprocess.run([decks.PROGRAM, "run", path, "-o", os.path.join(folder, "out.h5"), "--quiet", *options], check=False, capture_output=True, text=True)


class Tables(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def angles(self, term, times):
        """By which the spin has turned about x, within (-pi, pi)."""
        done = run(self.folder, SPIN.replace("TERM", term).replace("TIMES", ", ".join(map(repr, times))), "--overwrite")
        self.assertEqual(done.returncode, 0, done.stderr)
        data = decks.cospin_data.open_dataset(os.path.join(self.folder, "out.h5"), True)
        return np.angle(-2 * data["evolve_z"].values + 2j * data["evolve_y"].values)

    def test_splines(self):
        """Two, three, four and more points, at irregular times."""
        rng = np.random.default_rng(3)
        for count in (2, 3, 4, 5, 12):
            x = np.linspace(0, 4, count)
            x[1:-1] += rng.uniform(-1, 1, count - 2) / count
            y = rng.uniform(0.1, 0.7, count)
            write(self.folder, "f.txt", x, y)
            curve = CubicSpline(x, y)
            times = [0.3, 1.9, 4]
            expected = [np.angle(np.exp(1j * curve.integrate(0, t))) for t in times]
            with self.subTest(count):
                np.testing.assert_allclose(self.angles("table(f.txt)*s.Sx", times), expected, atol=1e-8)

    def test_complex_and_shifted(self):
        """z(t) turns about an axis of the plane that moves; behind its end the table is zero, as it ends there with zero."""
        x = np.linspace(0, 2, 21)
        envelope = np.sin(np.pi * x / 2)**2
        write(self.folder, "my pulse.csv", x, envelope * np.cos(0.7), -envelope * np.sin(0.7))
        write(self.folder, "real.csv", x, envelope)
        area = quad(CubicSpline(x, envelope), 0, 2, epsabs=1e-12)[0]
        shifted = self.angles("table(real.csv, t - 3)*s.Sx", [2.5, 5, 9])
        np.testing.assert_allclose(shifted, [0, area, area], atol=1e-8)
        done = run(self.folder, SPIN.replace("TERM", "0.5*table('my pulse.csv', t - 3)*s.Sp + hc").replace("TIMES", "2.5, 5, 9"), "--overwrite")
        self.assertEqual(done.returncode, 0, done.stderr)
        data = decks.cospin_data.open_dataset(os.path.join(self.folder, "out.h5"), True)
        np.testing.assert_allclose(data["evolve_z"], -0.5 * np.cos([0, area, area]), atol=1e-8)
        np.testing.assert_allclose(data["evolve_y"], 0.5 * np.sin([0, area, area]) * np.cos(0.7), atol=1e-8)

    def test_spike_between_samples(self):
        """A pulse of a width of 1e-6 in a time of 100: no sample falls there, points do, which get closer towards it."""
        width = 1e-6
        half = np.concatenate([np.arange(0, 8, 0.25), np.geomspace(8, 35e6, 60)]) * width
        x = 61.803 + np.concatenate([-half[:0:-1], half])
        y = np.exp(-((x - 61.803) / width)**2 / 2) / (width * np.sqrt(2 * np.pi))
        y[np.abs(x - 61.803) > 12 * width] = 0
        write(self.folder, "spike.txt", x, y)
        found = self.angles("pi/3*table(spike.txt)*s.Sx", [50, 100])
        np.testing.assert_allclose(found, [0, np.pi / 3], atol=1e-4)

    def test_many_points_cost_no_steps(self):
        """A smooth curve of 20 000 points has as few steps as one of 200."""
        steps = []
        for count in (200, 20000):
            x = np.linspace(0, 5, count)
            write(self.folder, "f.txt", x, np.sin(x))
            angle = self.angles("table(f.txt)*s.Sx", [5])
            np.testing.assert_allclose(angle, [1 - np.cos(5)], atol=1e-8)
            steps.append(int(decks.cospin_data.open_dataset(os.path.join(self.folder, "out.h5"), True)["evolve_steps"]))
        self.assertLess(steps[1], steps[0] + 20)

    def test_rates(self):
        x = np.linspace(0, 3, 7)
        write(self.folder, "g.txt", x, 1 + x)
        text = SPIN.replace("TERM", "0*s.Sx").replace("TIMES", "1, 3, 5").replace("initial: {}", "initial: {s: {css: [pi, 0]}}")
        done = run(self.folder, text.replace("observables", 'jumps: [{rate: "0.1*table(g.txt, min(t, 3))", operator: s.Sm}]\nobservables'))
        self.assertEqual(done.returncode, 0, done.stderr)
        data = decks.cospin_data.open_dataset(os.path.join(self.folder, "out.h5"), True)
        np.testing.assert_allclose(data["evolve_z"] + 0.5, np.exp(-0.1 * np.array([1.5, 7.5, 15.5])), atol=1e-9)


class Faults(unittest.TestCase):
    def told(self, content, term="table(f.txt)*s.Sx", times="1", place=True):
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, "f.txt"), "w", encoding="utf-8") as stream:
                stream.write(content)
            done = run(folder, SPIN.replace("TERM", term).replace("TIMES", times))
        self.assertEqual(done.returncode, 2)
        if place:
            self.assertIn("deck.yaml:3:", done.stderr)
        return done.stderr

    def test_lines(self):
        told = self.told("# t x\n0 1\n1 one\n1 2 3\n2 2\n1.5 3\n")
        for sentence in ("f.txt:3: `one` is no number", "f.txt:4: 3 numbers (two, `t value`, in each line)", "f.txt:6: the time 1.5 follows 2"):
            self.assertIn(sentence, told)
        self.assertIn("f.txt:1: 1 number (two", self.told("1\n"))
        self.assertIn("f.txt:1: the file ends here", self.told("0 1\n"))
        self.assertIn("`nan` is no number", self.told("0 nan\n"))
        self.assertIn("far beyond all points (add points between 0 and 9)", self.told("0 0\n9 0\n9.1 1\n9.2 0\n"))
        self.assertIn("and 5 lines more", self.told("".join(f"x {k}\n" for k in range(10))))

    def test_names_and_ends(self):
        self.assertIn("cannot read the table g.txt", self.told("0 1\n1 1\n", "table(g.txt)*s.Sx"))
        self.assertIn("the name of a file is expected", self.told("", "table()*s.Sx"))
        self.assertIn("unexpected `;`", self.told("", "table(f.txt ;)*s.Sx"))
        self.assertIn("f.txt has no value at 2, it goes from 0 to 1", self.told("0 1\n1 1\n", "table(f.txt, 2)*s.Sx"))
        self.assertIn("not hermitian", self.told("0 1 1\n1 1 1\n").replace("must be hermitian", "not hermitian"))
        self.assertIn("a table is a coefficient", self.told("0 1\n1 1\n", 's.Sx"]\nparameters: {x: "table(f.txt, 1)"}\n# "', place=False))

    def test_another_table(self):
        """What a run is depends on every byte of its tables."""
        with tempfile.TemporaryDirectory() as folder:
            text = SPIN.replace("TERM", "table(f.txt)*s.Sx").replace("TIMES", "1")
            write(folder, "f.txt", [0, 1], [1, 2])
            self.assertEqual(run(folder, text).returncode, 0)
            self.assertEqual(run(folder, text).returncode, 0)
            write(folder, "f.txt", [0, 1], [1, 2.5])
            again = run(folder, text)
            self.assertEqual(again.returncode, 2)
            self.assertIn("checksum of f.txt", again.stderr)
            output = run(folder, text, "-o", os.path.join(folder, "f.txt"))
            self.assertEqual(output.returncode, 2)


if __name__ == "__main__":
    unittest.main(verbosity=2)
