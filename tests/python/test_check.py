"""`cospin show --check`: whole files pass, and nothing that was changed in one goes unseen."""
import glob
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import zlib

import decks  # noqa: F401  (skips this test where the readers are not installed)
import h5py
import numpy

DECK = """
title: small archive
parameters: {N: 4, w: 1, x: 0.3}
grid: {w: [1, 2]}
components: {ions: {kind: ensemble, size: N}, b: {kind: mode, cutoff: 4, edge: 1}}
hamiltonian: [x*ions.Sp*b.a + hc]
jumps:
  - {rate: 1, operator: b.a}
  - {rate: w, each: ions.sp}
  - {rate: 0.5, each: ions.sz}
observables:
  inversion: 2*<ions.Sz>/N
  g2: <dag(b.a)^2*b.a^2>/<b.n>^2
tasks:
  - steady: {store: state, tolerance: 1e-9}
  - decay: {of: b.a, count: 2}
  - gap: {}
  - evolve: {times: [0, 0.5, 1], initial: {ions: {css: [1, 0]}}, store: state, store_times: [0.5]}
"""
ABSORBING = """
title: brackets
parameters: {N: 8, w: 4}
grid: {w: {linspace: [1, 8, 60]}}
components: {ions: {kind: ensemble, size: N}}
jumps:
  - {rate: 1, operator: ions.Sm}
  - {rate: w, each: ions.sp}
tasks: [{decay: {of: ions.Sp}}]
"""


def contents(path):
    """Everything that a reader can see."""
    seen = {}
    with h5py.File(path) as file:
        def add(name, thing):
            if isinstance(thing, h5py.Dataset):
                seen[name] = thing[()]
            for key, value in thing.attrs.items():
                if thing.attrs.get_id(key).dtype.kind not in "OV":
                    seen[f"{name}@{key}"] = value
        add("", file)
        file.visititems(add)
    return seen


def same(a, b):
    return a.keys() == b.keys() and all(numpy.array_equal(a[name], b[name], equal_nan=numpy.asarray(a[name]).dtype.kind == "f")
                                        for name in a)


def sign(dataset):
    """The checksum of what stands there now, as cospin takes it."""
    value = numpy.ascontiguousarray(dataset[()])
    dataset.attrs.modify("crc32", numpy.int64(zlib.crc32(value.tobytes())))


class Check(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="cospin_check_")
        cls.whole = cls.compute(DECK, "whole")
        cls.brackets = cls.compute(ABSORBING, "brackets")

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder, True)

    @classmethod
    def compute(cls, text, name):
        deck, output = (os.path.join(cls.folder, name + end) for end in (".yaml", ".h5"))
        with open(deck, "w", encoding="utf-8") as stream:
            stream.write(text)
        subprocess.run([decks.PROGRAM, "run", deck, "-o", output, "--quiet"], check=True)
        return output

    def check(self, path, status):
        done = subprocess.run([decks.PROGRAM, "show", "--check", path], text=True, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout

    def changed(self, change, source=None, signed=True):
        """What is said of a copy after `change(file)`, which may return a dataset to be signed."""
        path = os.path.join(self.folder, "changed.h5")
        shutil.copyfile(source or self.whole, path)
        with h5py.File(path, "r+") as file:
            dataset = change(file)
            if dataset is not None and signed:
                sign(dataset)
        return self.check(path, 2)

    def set(self, name, index, value, source=None, signed=True):
        def change(file):
            file[name][index] = value
            return file[name]
        return self.changed(change, source, signed)

    def test_whole(self):
        self.assertIn("whole: 2 of 2 points finished, 0 bad, 4 stored states", self.check(self.whole, 0))
        self.assertIn("whole: 60 of 60 points", self.check(self.brackets, 0))

    def test_edited_without_a_checksum(self):
        self.assertRegex(self.set("steady_inversion", 1, 0.25, signed=False), r"steady_inversion: its values are not")

    def test_values_that_break_a_promise(self):
        good = "but the outcome is good"
        for name, index, value, said in (
                ("steady_residual", 0, numpy.nan, r"steady_residual at w = 1: is not a number, " + good),
                ("steady_residual", 1, 2e-9, r"steady_residual at w = 2: is 2e-09, more than tolerance .*" + good),
                ("steady_trace", 0, 0.99, r"steady_trace at w = 1: is 0.99"),
                ("steady_smallest_population", 0, -1e-3, r"less than"),
                ("steady_inversion", 0, numpy.nan, r"steady_inversion at w = 1: is not a number"),
                ("decay_rate", (0, 0), -1, r"decay_rate\[0\] at w = 1: is -1, less than 0"),
                ("decay_lifetime", (1, 1), 3, r"decay_lifetime\[1\] at w = 2: is 3, (less|more) than 1/rate"),
                ("gap_rate", 0, numpy.nan, r"gap_rate at w = 1"),
                ("evolve_trace", (0, 2), 1.1, r"evolve_trace\[2\] at w = 1"),
                ("evolve_error", (1, 0), 1, r"evolve_error\[0\] at w = 2"),
                ("evolve_inversion", (1, 0), numpy.nan, r"evolve_inversion\[0\] at w = 2"),
                ("outcome", 0, -3, r"outcome at w = 1: is -3, but the worst of its tasks is 1"),
                ("steady_outcome", 0, 17, r"unknown"),
                ("seconds", 0, -1, r"seconds at w = 1"),
                ("w", 1, 2.5, r"w: value 1 is 2.5, but the deck says 2")):
            with self.subTest(name):
                self.assertRegex(self.set(name, index, value), said)

    def test_observables_and_states_belong_together(self):
        self.assertRegex(self.set("steady_inversion", 1, 0.25), r"steady_inversion at w = 2: is 0.25, but the stored state")
        self.assertRegex(self.set("steady_g2", 0, 1), r"steady_g2 at w = 1: is 1, but the stored state gives")
        self.assertRegex(self.set("evolve_inversion", (0, 1), 0), r"evolve_inversion at w = 1: is 0, but the stored state")
        with h5py.File(self.whole) as file:
            states = file["states/steady"]
            value = states["value_re"][()]
            largest = int(numpy.argmax(numpy.abs(value)))
            edge = int(numpy.argmax((states["b_n_ket"][()] != states["b_n_bra"][()]) & (numpy.abs(value) > 1e-6)))
        said = self.set("states/steady/value_re", largest, float(value[largest]) + 0.01)
        self.assertRegex(said, r"states/steady at w = [12]: is not stationary")
        self.assertRegex(said, r"steady_trace at w = [12]: is 1, but the stored state gives 1.01")
        if abs(value[edge]) > 1e-6:
            self.assertRegex(self.set("states/steady/value_re", edge, 2 * float(value[edge])), r"is not hermitian")
        self.assertRegex(self.set("states/steady/b_n_ket", 0, 9), r"labels that this problem has not")

    def test_brackets(self):
        with h5py.File(self.brackets) as file:
            self.assertTrue(numpy.isfinite(file["decay_lower"][()]).all())
            upper = float(file["decay_upper"][3, 0])
        self.assertRegex(self.set("decay_rate", (3, 0), 1.001 * upper, source=self.brackets),
                         r"decay_rate at w = [0-9.]+: is .*, more than upper")

    def test_what_is_missing(self):
        for name in ("steady_trace", "outcome", "w", "deck/verbatim", "deck/completed", "provenance",
                     "states/steady/value_im", "states/evolve"):
            with self.subTest(name):
                def remove(file, name=name):
                    del file[name]
                self.assertRegex(self.changed(remove), rf"{name}.*(is missing|cannot be)")

        def remove_attribute(file):
            del file["provenance"].attrs["hosts"]
        self.assertIn("provenance: the attribute hosts is missing", self.changed(remove_attribute))

        def relabel(file):
            file["steady_inversion"].attrs["units"] = "furlong"
        self.assertRegex(self.changed(relabel), r"steady_inversion: its units is")

    def test_cut_short(self):
        path = os.path.join(self.folder, "short.h5")
        size = os.path.getsize(self.whole)
        for length in (0, 100, size // 2, size - 24):
            shutil.copyfile(self.whole, path)
            os.truncate(path, length)
            self.assertIn("cannot be opened", self.check(path, 2))

    def test_the_seal(self):
        """Two bytes behind it, a part of it, none: told; and what is behind one that does not fit is damaged."""
        path = os.path.join(self.folder, "seal.h5")
        with open(self.whole, "rb") as stream:
            whole = stream.read()
        flipped = whole[:5000] + bytes([whole[5000] ^ 1]) + whole[5001:]
        for data, said, fine in ((whole + b"xx", "has 2 bytes behind its seal", True), (whole[:-5], "has no seal", True),
                                 (whole[:-23], "has no seal", True), (whole + whole[-23:], "whole file is wrong", False),
                                 (flipped + b"xx", "whole file is wrong", False)):
            with self.subTest(said):
                with open(path, "wb") as stream:
                    stream.write(data)
                self.assertIn(said, self.check(path, 2))
                shown = self.show(path, 0 if fine else 2)
                self.assertIn(said, shown.stderr)
                self.assertEqual("decay_rate" in shown.stdout, fine)
                self.assertNotIn(said, self.show(path, 0, "--no-verify").stderr if fine else "")

    def show(self, path, status, *options):
        done = subprocess.run([decks.PROGRAM, "show", *options, path], text=True, check=False, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE)
        self.assertEqual(done.returncode, status, done.stderr)
        return done

    def test_show_verifies(self):
        path = os.path.join(self.folder, "edited.h5")
        for name, index, value in (("decay_rate", (0, 0), 99), ("states/steady/value_re", 0, 0.5), ("w", 0, 17)):
            with self.subTest(name):
                shutil.copyfile(self.whole, path)
                with h5py.File(path, "r+") as file:
                    file[name][index] = value
                self.assertRegex(self.show(path, 2).stderr, f"of 1 object are not those that were written.*: {name}")
                self.assertEqual(self.show(path, 0, "--no-verify").stderr, "")
        self.assertEqual(self.show(self.whole, 0).stderr, "")
        shutil.copyfile(self.whole, path)
        with h5py.File(path, "r+") as file:
            text = file["deck/verbatim"][()]
            file["deck/verbatim"][()] = text.replace(b"small", b"SMALL")
        self.assertIn("its deck is not what was written", self.show(path, 2, "--deck").stderr)
        self.assertIn("SMALL", self.show(path, 0, "--deck", "--no-verify").stdout)

    def test_held_by_another_program(self):
        path = os.path.join(self.folder, "held.h5")
        shutil.copyfile(self.whole, path)
        with h5py.File(path, "r+"):
            self.assertIn("another program holds it open", self.show(path, 2).stderr)
            self.assertIn("another program holds it open", self.check(path, 2))
        self.show(path, 0)

    def test_what_is_no_file(self):
        path = os.path.join(self.folder, "pipe.h5")
        os.mkfifo(path)
        for name in (path, "/dev/null", "/dev/full"):
            self.assertIn("a pipe or a device", self.show(name, 2).stderr)

    def test_flipped_bits(self):
        """A flipped bit is noticed, or lies where nothing is read."""
        path = os.path.join(self.folder, "flipped.h5")
        with open(self.whole, "rb") as stream:
            original = stream.read()
        chance, noticed = random.Random(7), 0
        for _ in range(15):
            place, bit = chance.randrange(len(original)), chance.randrange(8)
            data = bytearray(original)
            data[place] ^= 1 << bit
            with open(path, "wb") as stream:
                stream.write(data)
            done = subprocess.run([decks.PROGRAM, "show", "--check", path], check=False, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE)
            self.assertIn(done.returncode, (0, 2), f"byte {place} bit {bit}: {done.stderr}")
            noticed += done.returncode == 2
            if done.returncode == 0:
                self.assertEqual(subprocess.run([sys.executable, __file__, self.whole, path], check=False).returncode, 0,
                                 f"byte {place} bit {bit} was not noticed")
        self.assertGreater(noticed, 3)

    def test_shards(self):
        deck = os.path.join(self.folder, "long.yaml")
        with open(deck, "w", encoding="utf-8") as stream:
            stream.write(ABSORBING.replace("N: 8", "N: 60").replace("60]}", "400]}").replace(
                "tasks: [", "tasks: [{steady: {store: state}}, "))
        output = os.path.join(self.folder, "long.h5")
        process = subprocess.Popen([decks.PROGRAM, "run", deck, "-o", output, "--quiet"])
        while process.poll() is None and not glob.glob(output + ".parts/points-*.h5"):
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.wait()
        for name in (output, output + ".parts"):
            self.assertRegex(self.check(name, 0), r"points-.*: whole: (\d+) of \1 points finished, 0 bad, \1 stored state")
        shard = sorted(glob.glob(output + ".parts/points-*.h5"))[0]
        with h5py.File(shard, "r+") as file:
            file["w"][0] = 0.77
            sign(file["w"])
        self.assertIn("is no point of the deck's grid", self.check(output, 2))


if __name__ == "__main__" and len(sys.argv) == 3:  # a process of its own: readers may crash on what is damaged
    sys.exit(0 if same(contents(sys.argv[1]), contents(sys.argv[2])) else 1)
if __name__ == "__main__":
    unittest.main()
