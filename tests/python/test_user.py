"""The walk of a user: start a run, look at it, cancel it, draw what there is, go on, extend it, hand the file over."""
# cospin-test: TIMEOUT 600 COST 55
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

from decks import PROGRAM, SOURCE, cospin_data

import h5py
import numpy as np

PLOT = os.path.join(SOURCE, "postprocess", "cospin_plot.py")
DECK = """
title: Emission of driven ions
units: {rate: kHz}
parameters: {N: 60, w: {value: 1, unit: kHz, label: repump rate}, nbar: 0}
grid: {nbar: {range: [0, LAST]}, w: [1, 2, 5, 9]}
components: {ions: {kind: ensemble, size: N}}
hamiltonian: [0.3*ions.Sz]
jumps:
  - {rate: nbar+1, operator: ions.Sm}
  - {rate: nbar, operator: ions.Sp}
  - {rate: w, each: ions.sp}
observables:
  inversion: {value: 2*<ions.Sz>/N, label: inversion}
  flow: {value: <ions.Sp*ions.Sx>, label: flow}
tasks: [{steady: {store: state}}, {decay: {of: ions.Sp, count: 2}}]
"""


class Walk(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="cospin_user_")
        self.addCleanup(shutil.rmtree, self.folder, True)
        self.output = os.path.join(self.folder, "my.h5")
        self.parts = self.output + ".parts"

    def write(self, last):
        with open(os.path.join(self.folder, "my.yaml"), "w", encoding="utf-8") as stream:
            stream.write(DECK.replace("LAST", str(last)))

    def call(self, *words, status=0):
        done = subprocess.run(words, text=True, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def cancel_after_some_points(self, number):
        """Leaves the folder of shards: the run is killed as scancel ends by doing."""
        with open(os.path.join(self.folder, "log"), "w", encoding="utf-8") as log:
            process = subprocess.Popen([PROGRAM, "run", "my.yaml", "--progress", "log"], cwd=self.folder, stderr=log)
        try:
            while process.poll() is None and self.finished() < number:
                time.sleep(0.05)
            self.assertIsNone(process.poll(), "too fast to be watched")
            self.assertIn("being written by process", self.call(PROGRAM, "show", "my.h5.parts"))
            self.assertGreaterEqual(cospin_data.open_dataset(self.output).attrs["cospin_points_finished"], number)
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()

    def finished(self):
        try:
            return cospin_data.open_dataset(self.output).attrs["cospin_points_finished"]
        except cospin_data.NotADataset:
            return 0

    def test_walk(self):
        self.write(10)
        with self.assertRaisesRegex(cospin_data.NotADataset, "No such file"):
            cospin_data.open_dataset(self.output)
        self.cancel_after_some_points(3)
        self.check_partial()
        self.check_stopped_and_resumed()
        self.check_extended()
        self.check_handed_over()

    def check_partial(self):
        data = cospin_data.open_dataset(self.output)
        self.assertEqual(data.steady_inversion.shape, (10, 4))
        self.assertEqual(data.attrs["cospin_points"], 40)
        there = data.attrs["cospin_points_finished"]
        self.assertEqual(int((data.outcome == 1).sum()), there)
        self.assertTrue((np.isnan(data.steady_inversion) == (data.outcome == 0)).all())
        self.assertEqual(data.nbar.values.tolist(), list(range(10)))
        self.assertEqual(data.w.attrs["long_name"], "repump rate")
        self.assertEqual(len(cospin_data.bad_points(data)), 40 - there)
        self.assertIn("grid:", cospin_data.deck(self.output)[0])
        self.assertIn("my.yaml", cospin_data.provenance(self.output)["command_line"])
        shard = os.path.join(self.parts, sorted(name for name in os.listdir(self.parts) if name.endswith(".h5"))[0])
        for path in (self.parts, self.parts + "/", shard):
            self.assertTrue(cospin_data.open_dataset(path).equals(data))
            self.assertIn(f"{there} of 40 points are finished", self.call(sys.executable, PLOT, path, "-o", "part.png"))
        self.assertGreater(os.path.getsize(os.path.join(self.folder, "part.png")), 10000)
        points = cospin_data.stored_points(self.output, "steady")
        self.assertEqual(len(points), there)
        self.assertAlmostEqual(cospin_data.read_state(self.output, "steady", **points[-1]).trace().real, 1)
        self.check_damaged(shard)

    def check_damaged(self, shard):
        """Another shard is cut off: the rest can be read; alone it is one sentence."""
        broken = shard.replace("points-00001", "points-00002")
        with open(shard, "rb") as whole, open(broken, "wb") as part:
            part.write(whole.read(5000))
        with self.assertWarnsRegex(cospin_data.Damage, "its points are left out"):
            self.assertGreater(cospin_data.open_dataset(self.output).attrs["cospin_points_finished"], 0)
        self.assertIn("damaged", self.call(sys.executable, PLOT, broken, status=2))
        os.remove(broken)

    def check_stopped_and_resumed(self):
        before = self.finished()
        self.call(PROGRAM, "run", "my.yaml", "--stop-at", "2020-01-01T00:00:00", status=75)
        self.assertEqual(self.finished(), before)
        self.assertIn("not a time", self.call(PROGRAM, "run", "my.yaml", "--stop-at", "yesterday", status=2))
        self.assertIn(f"{before} of 40 points are there already", self.call(PROGRAM, "run", "my.yaml"))
        self.assertFalse(os.path.exists(self.parts))
        self.assertEqual(self.finished(), 40)

    def check_extended(self):
        """While the axis grows, old points are in the file and new ones beside it."""
        self.write(18)
        self.cancel_after_some_points(41)
        data = cospin_data.open_dataset(self.output)
        self.assertEqual(data.outcome.shape, (18, 4))
        self.assertTrue((data.outcome[:10] == 1).all())
        self.assertEqual(data.attrs["history"].count("cospin run my.yaml"), 3)  # those that computed something
        self.assertEqual(len(cospin_data.stored_points(self.output, "steady")), data.attrs["cospin_points_finished"])
        old = cospin_data.merge([self.output])
        self.call(PROGRAM, "run", "my.yaml")
        new = cospin_data.open_dataset(self.output)
        there = old.outcome == 1
        np.testing.assert_array_equal(new.decay_rate.where(there), old.decay_rate.where(there))
        self.assertNotIn("of 72 points", self.call(sys.executable, PLOT, "my.h5"))

    def check_handed_over(self):
        """With nothing but h5py: what the axes are, what a number is, in which unit, from which deck and program."""
        with h5py.File(self.output) as file:
            def said(name, attribute):
                value = file[name].attrs[attribute]
                return value.decode() if isinstance(value, bytes) else value
            rate = file["decay_rate"]
            self.assertEqual([dim.keys()[0] for dim in rate.dims], ["nbar", "w", "mode"])
            self.assertEqual((said("decay_rate", "units"), said("w", "units")), ("kHz", "kHz"))
            self.assertEqual(said("decay_rate", "long_name"), "decay rate of <ions.Sp>")
            self.assertEqual(said("steady_flow_im", "long_name"), "flow, imaginary part")
            self.assertEqual(said("steady_flow_re", "source"), "<ions.Sp*ions.Sx>")
            # <S+ Sx> = <S+ S->/2 + <S+ S+>/2 is real, and what is here is complex by rounding only
            self.assertLess(np.abs(file["steady_flow_im"][()]).max(), 1e-9)
            self.assertEqual(dict(zip(said("outcome", "flag_meanings").split(), file["outcome"].attrs["flag_values"]))["good"], 1)
            for name, variable in file.items():
                if isinstance(variable, h5py.Dataset):
                    self.assertTrue(said(name, "long_name"), name)
                    self.assertTrue(said(name, "units"), name)
            self.assertIn("units: {rate: kHz}", file["deck/verbatim"].asstr()[()])
            self.assertIn("cospin_version", file["provenance"].attrs)


class WithoutMpi(unittest.TestCase):
    def test_what_only_reads_and_writes_starts_no_mpi(self):
        """With an MPI that cannot start: what computes says so, what tells and copies does not notice. The `show` of an error, too."""
        broken = {**os.environ, "OMPI_MCA_pml": "nosuch"}
        with tempfile.TemporaryDirectory() as folder:
            for words, status, text in ((["--version"], 0, "cospin "), (["--help"], 0, "cospin run  DECK"), (["reference", "decay"], 0, "rate"),
                                        (["reference", "nonsense"], 2, "knows no"), (["new", "a", "--like", "laser"], 0, "a.yaml"),
                                        (["show", "a.yaml"], 2, "a.yaml"), (["frobnicate"], 2, "frobnicate")):
                with self.subTest(words=words):
                    done = subprocess.run([PROGRAM, *words], cwd=folder, env=broken, text=True, stdout=subprocess.PIPE,
                                          stderr=subprocess.STDOUT, check=False)
                    self.assertEqual(done.returncode, status, done.stdout)
                    self.assertIn(text, done.stdout)
            done = subprocess.run([PROGRAM, "plan", "a.yaml"], cwd=folder, env=broken, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL, check=False)
            self.assertNotEqual(done.returncode, 0)  # so the others have not started it


if __name__ == "__main__":
    unittest.main()
