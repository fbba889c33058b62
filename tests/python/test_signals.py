"""Every wait can be left: by a signal, by a second one, by the end of a time; and what was finished stays whole."""
# cospin-test: PROCESSORS 2 TIMEOUT 900
import fcntl
import glob
import os
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

import decks  # noqa: F401  (skips this test where the readers are not installed)
import h5py
import numpy

LONG = 120  # seconds: whatever takes that long is a wait that cannot be left
STOP = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGHUP)[:4 if decks.LONG else 2]

# Each takes minutes within one solve.
MANY_NULL_VECTORS = """
components: {q: {kind: spin, S: 60}}
jumps: [{rate: 1, operator: q.Sx+0.3*q.Sz}]
observables: {z: <q.Sz>}
tasks:
  - evolve: {name: short, times: [0.01], initial: {q: {dicke: [60, 60]}}}
  - steady: {}
"""
GMRES = """
parameters: {N: 24, g: 0.5}
components: {q: {kind: ensemble, size: N}, c: {kind: mode, cutoff: 100}}
hamiltonian: [g*c.a*q.Sp + hc]
jumps: [{rate: 1, operator: c.a}, {rate: 2, each: q.sp}, {rate: 0.1, each: q.sz}]
observables: {n: <c.n>}
tasks:
  - evolve: {name: short, times: [0.001], initial: {}}
  - steady: {}
"""
DAVIDSON = """
components: {q: {kind: spins, size: 10}}
arrays: {d: {uniform: {min: 0, max: 1, seed: 3}}}
hamiltonian: [{sum: "d[l]*q.sz[l]"}, q.Sx]
jumps: [{rate: 1, each: "q.sm[l]"}, {rate: 2, operator: q.Sm}]
operator: shell
tasks: [{steady: {}}]
"""
RECORDS = """
components: {q: {kind: ensemble, size: 400}}
tasks: [{heralding: {name: draw, atoms: 200, pulses: 12, samples: 100000000}}]
"""
# Two small points and one whose factorisation takes long, within which nothing can be asked.
FACTORISATION = """
parameters: {S: 1}
grid: {S: [1, 1.5, 7.5]}
components: {a: {kind: spin, S: S}, b: {kind: spin, S: S}}
hamiltonian: [a.Sx + 0.7*b.Sx + 0.3*b.Sz + 0.2*a.Sz*b.Sz, 0.1*a.Sp*b.Sm + hc]
jumps: [{rate: 1, operator: a.Sm}, {rate: 0.6, operator: b.Sm}, {rate: 0.1, operator: b.Sz}]
observables: {z: <a.Sz>}
operator: assembled
petsc: {iterate: false}
tasks: [{steady: {}}]
"""


class Signals(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="cospin_signals_")
        self.addCleanup(shutil.rmtree, self.folder, True)
        self.environment = {**os.environ, "TMPDIR": tempfile.mkdtemp(prefix="cospin_signals_tmp_")}
        self.addCleanup(shutil.rmtree, self.environment["TMPDIR"], True)
        self.output = self.path("out.h5")

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, text, name="deck.yaml"):
        with open(self.path(name), "w", encoding="utf-8") as stream:
            stream.write("title: signals\n" + text)
        return self.path(name)

    def start(self, *words, ranks=1, environment=None, stdout=subprocess.PIPE):
        front = [decks.MPIEXEC, "-n", str(ranks)] if ranks > 1 else []
        environment = {**self.environment, **(environment or {})}
        if ranks > 1:
            environment.pop("OMPI_MCA_ess_singleton_isolated", None)

        def deaf_to_nothing():  # whoever runs this in the background may have told it to be
            for number in STOP:
                signal.signal(number, signal.SIG_DFL)

        process = subprocess.Popen(front + [decks.PROGRAM, *words], text=True, env=environment, stdout=stdout,
                                   stderr=subprocess.PIPE, preexec_fn=deaf_to_nothing, start_new_session=True)
        self.addCleanup(self.kill, process)
        return process

    @staticmethod
    def kill(process):
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()

    def end(self, process, number, status):
        """What it says after this signal."""
        self.assertIsNone(process.poll(), f"it has ended before the signal came: {process.stderr.read() if process.poll() else ''}")
        process.send_signal(number)
        err = process.communicate(timeout=LONG)[1]
        self.assertEqual(process.returncode, status, err)
        return err

    def points(self):
        """{S: outcome} of the points in the shards."""
        found = {}
        for shard in glob.glob(self.output + ".parts/points-*.h5"):
            with h5py.File(shard) as file:
                found.update(zip(file["S"][()].tolist(), file["outcome"][()].tolist()))
        return found

    # ---- Commands that compute nothing

    def test_a_deck_that_nobody_writes(self):
        deck = self.path("fifo.yaml")
        os.mkfifo(deck)
        for number in STOP:
            process = self.start("plan", deck)
            self.assertIn("named pipe", process.stderr.readline())
            self.end(process, number, -number)
        process = self.start("run", deck, "-o", self.output)
        self.assertIn("named pipe", process.stderr.readline())
        self.assertIn("before the first point", self.end(process, signal.SIGUSR1, 75))
        self.assertEqual(os.listdir(self.folder), ["fifo.yaml"])

    def test_a_deck_that_somebody_writes_late(self):
        deck = self.path("fifo.yaml")
        os.mkfifo(deck)
        process = self.start("plan", deck)
        self.assertIn("named pipe", process.stderr.readline())
        with open(deck, "w", encoding="utf-8") as stream:
            stream.write("title: late\ncomponents: {q: {kind: spin, S: 1}}\n")
            stream.flush()
            time.sleep(0.5)
            stream.write("jumps: [{rate: 1, operator: q.Sm}]\ntasks: [{steady: {}}]\n")
        out, err = process.communicate(timeout=LONG)
        self.assertEqual(process.returncode, 0, err)
        self.assertIn("task steady", out)

    def test_a_reader_who_does_not_read(self):
        many = "".join(f"  z{k}: <q.Sz>*{k}\n" for k in range(400))
        deck = self.write("# \n" * 100000 + DAVIDSON.replace("size: 10", "size: 2") + "observables:\n" + many)
        self.assertEqual(self.start("run", deck, "-o", self.output).wait(LONG), 0)
        for words in (["reference"], ["show", "--deck", self.output], ["plan", deck, "--ranks", "1"]):
            for number in STOP:
                reading, writing = os.pipe()
                fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
                process = self.start(*words, stdout=writing)
                os.close(writing)
                time.sleep(1)
                self.end(process, number, -number)
                os.close(reading)

    # ---- Long solves

    def check_solve(self, deck, first=None, ranks=1, number=signal.SIGTERM, **environment):
        """It is left while the task `steady` (or `draw`) runs; the task before that has been kept."""
        process = self.start("run", self.write(deck), "-o", self.output, ranks=ranks, environment=environment)
        time.sleep(4)
        err = self.end(process, number, 75)
        self.assertIn("the same command goes on", err)
        self.assertNotIn("lost", err)
        with h5py.File(self.output) as file:
            self.assertEqual(file["outcome"][()], 0)
            for name in file:
                if name.endswith(("_residual", "_z", "_information")):
                    self.assertTrue(numpy.isnan(file[name][()]).all(), name)
        kept, = glob.glob(self.output + ".parts/checkpoint-*.h5")
        with h5py.File(kept) as file:
            for name in file:
                if name.endswith("_outcome"):
                    self.assertEqual(int(file[name][0]), int(name == f"{first}_outcome"), name)

    def test_many_null_vectors(self):
        self.check_solve(MANY_NULL_VECTORS, first="short")

    @decks.long
    def test_many_null_vectors_on_two_ranks(self):
        self.check_solve(MANY_NULL_VECTORS, first="short", ranks=2, number=signal.SIGUSR1)

    def test_gmres(self):
        self.check_solve(GMRES, first="short", number=signal.SIGINT, COSPIN_MEMORY="3G")

    @decks.long
    def test_davidson(self):
        self.check_solve(DAVIDSON, number=signal.SIGHUP)

    @decks.long
    def test_records_that_are_drawn(self):
        self.check_solve(RECORDS, number=signal.SIGUSR1)

    @decks.long
    def test_left_and_resumed(self):
        """What another run makes of a point that was left is what an undisturbed one makes of it."""
        deck = self.write(MANY_NULL_VECTORS.replace("60", "20"))
        undisturbed = self.start("run", deck, "-o", self.path("reference.h5"))
        status = undisturbed.wait(LONG)
        self.assertEqual(self.start("run", deck, "-o", self.output, "--stop-at", "+0.7").wait(LONG), 75)
        resumed = self.start("run", deck, "-o", self.output)
        self.assertEqual(resumed.wait(LONG), status, resumed.stderr.read())
        with h5py.File(self.path("reference.h5")) as wanted, h5py.File(self.output) as found:
            for name in ("outcome", "short_z", "steady_degeneracy"):
                self.assertEqual(found[name][()], wanted[name][()], name)
        self.assertFalse(os.path.exists(self.output + ".parts"))

    # ---- What cannot be left

    def start_factorisation(self, *options, ranks=1):
        process = self.start("run", self.write(FACTORISATION), "-o", self.output, *options, ranks=ranks)
        started = time.monotonic()
        while len(self.points()) < 2 and process.poll() is None and time.monotonic() - started < LONG:
            time.sleep(0.1)
        self.assertEqual(self.points(), {1.0: 1, 1.5: 1})  # published before the long one is begun
        time.sleep(1)
        return process

    def check_what_is_left(self):
        self.assertEqual(self.points(), {1.0: 1, 1.5: 1})
        self.assertFalse(glob.glob(self.output + ".parts/*.tmp"))
        shown = subprocess.run([decks.PROGRAM, "show", self.output], text=True, env=self.environment, check=True,
                               stdout=subprocess.PIPE).stdout
        self.assertIn("2 points are finished", shown)

    def test_a_second_signal_ends_it(self):
        process = self.start_factorisation()
        process.send_signal(signal.SIGINT)
        time.sleep(0.5)
        self.assertIn("told to end at once", self.end(process, signal.SIGINT, 75))
        self.check_what_is_left()

    @decks.long
    def test_the_end_of_a_time_ends_it(self):
        process = self.start_factorisation("--stop-within", "0.5")
        self.assertIn("the time of --stop-within is over", self.end(process, signal.SIGUSR1, 75))
        self.check_what_is_left()

    def test_the_end_of_a_time_ends_two_ranks(self):
        process = self.start_factorisation("--stop-within", "0.5", "--ranks-per-point", "2", ranks=2)
        self.assertIn("the time of --stop-within is over", self.end(process, signal.SIGUSR1, 75))
        self.check_what_is_left()


if __name__ == "__main__":
    unittest.main()
