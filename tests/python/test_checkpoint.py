"""A long evolution that is stopped or killed goes on from where it was, and no number changes."""
# cospin-test: TIMEOUT 900 COST 80
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

MPIEXEC = os.environ.get("COSPIN_MPIEXEC", "mpiexec")
SPINS = """
title: two ensembles that precess fast, so that the way is long
parameters: {N: SIZE, T: LAST, g: 1}
grid: {g: [0.01, 0.02]}
components: {a: {kind: ensemble, size: N}, b: {kind: ensemble, size: N}}
hamiltonian: [10*(a.Sz-b.Sz), 2*(a.Sx+b.Sx)]
jumps:
  - {rate: g, operator: a.Sm+b.Sm}
  - {rate: g, each: a.sp}
  - {rate: g, each: b.sp}
observables: {inversion: <a.Sz+b.Sz>/N, cross: re(<a.Sp*b.Sm>)}
tasks:
  - evolve: {initial: {a: {css: [pi/2, 0]}}, fidelity: {a: {css: [pi/2, 0]}}, times: {linspace: [0, T, 41]},
             method: METHOD, store: state, store_times: {linspace: [T/2, T, 2]}}
  - steady: {}
"""
WINDOW = """
title: a driven mode whose window grows
components: {m: {kind: mode}, s: {kind: spin, S: 1/2}}
hamiltonian: [2*m.n, 1.5*m.a + hc, m.a*s.Sp + hc]
jumps: [{rate: 0.002, operator: m.a}, {rate: 0.003, operator: s.Sm}]
observables: {photons: <m.n>}
tasks:
  - evolve: {initial: {}, times: {linspace: [0, LAST, 11]}, method: krylov}
"""
TIMED = """
title: a drive that oscillates, a rate that is switched and a window that grows
components: {m: {kind: mode}, s: {kind: ensemble, size: SIZE}}
hamiltonian: [2*m.n, 0.3*m.a*s.Sp + hc, "0.5*cos(2*t)*(m.a + hc)", "0.3*kick(t, 2)*s.Sx"]
jumps: [{rate: 0.1, operator: m.a}, {rate: "0.2*step(t-1)", each: s.sm}]
observables: {photons: <m.n>, up: <s.Sz>}
tasks:
  - evolve: {initial: {}, times: {linspace: [0, LAST, 7]}}
"""
KETS = """
title: kets of two ensembles, so many that the way is long
components: {a: {kind: ensemble, size: 4}, b: {kind: ensemble, size: 3}}
hamiltonian: [0.4*(a.Sp*b.Sm + hc) + 0.3*a.Sx]
jumps: [{name: light, rate: 0.3, operator: a.Sm + b.Sm}, {rate: 0.2, each: a.sp}]
observables: {inversion: <a.Sz + b.Sz>, cross: <a.Sp*b.Sm>}
tasks:
  - trajectories: {initial: {a: {css: [1, 0]}}, times: [1, 2, 3], trajectories: LAST, jump: light, records: 2000, counts: 9, delays: [0.5, 1]}
  - trajectories: {name: until, initial: {a: {css: [1, 0]}}, times: [2], error: 0.02, most: 16384, unravelling: shifted}
"""
STEADY_KETS = """
title: kets that are averaged along their way
components: {a: {kind: ensemble, size: 4}, b: {kind: ensemble, size: 3}}
hamiltonian: [0.4*(a.Sp*b.Sm + hc) + 0.3*a.Sx]
jumps: [{name: light, rate: 0.3, operator: a.Sm + b.Sm}, {rate: 0.2, each: a.sp}]
observables: {inversion: <a.Sz + b.Sz>, cross: <a.Sp*b.Sm>}
tasks:
  - trajectories: {initial: {}, trajectories: LAST, jump: light, records: 2000, delays: [0.5, 1], store: state}
"""
NOT_PHYSICS = ("seconds", "peak_memory", "ranks")


def read(path):
    """All numbers that physics decides, by name, with those of the stored states."""
    found = {}

    def take(name, item):
        if isinstance(item, h5py.Dataset) and not name.endswith(NOT_PHYSICS) and not name.startswith("deck/"):
            found[name] = item[()]
    with h5py.File(path) as file:
        file.visititems(take)
    return found


class Checkpoint(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="cospin_checkpoint_")
        self.addCleanup(shutil.rmtree, self.folder, True)
        self.environment = {**os.environ, "TMPDIR": tempfile.mkdtemp(dir=self.folder)}
        self.output = os.path.join(self.folder, "out.h5")

    def deck(self, text, last, method="krylov", size=5, name="deck.yaml"):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as stream:
            stream.write(text.replace("LAST", str(last)).replace("METHOD", method).replace("SIZE", str(size)))
        return path

    def start(self, deck, *options, output=None, ranks=1):
        front = [MPIEXEC, "-n", str(ranks)] if ranks > 1 else []
        return subprocess.Popen(front + [decks.PROGRAM, "run", deck, "-o", output or self.output, *options], text=True,
                                env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                start_new_session=True)

    def run_to_end(self, deck, *options, status=0, **where):
        process = self.start(deck, *options, **where)
        out, err = process.communicate(timeout=400)
        self.assertEqual(process.returncode, status, out + err)
        return out + err

    def reference(self, deck):
        """What an undisturbed run gives, and the seconds it takes."""
        path = os.path.join(self.folder, "reference.h5")
        begin = time.monotonic()
        self.run_to_end(deck, "--overwrite", output=path)
        return read(path), time.monotonic() - begin

    def assert_same(self, reference):
        found = read(self.output)
        self.assertEqual(set(found), set(reference))
        for name, values in reference.items():
            numpy.testing.assert_array_equal(found[name], values, err_msg=name)

    def checkpoints(self):
        return glob.glob(self.output + ".parts/checkpoint-*.h5")

    def go_on_until_done(self, deck, seconds, kill):
        """Rounds that are each shorter than a point: without checkpoints none would ever end."""
        kept = 0
        for rounds in range(40):
            process = self.start(deck, "--quiet", "--checkpoint", "0.25" if kill else "600")
            try:
                process.communicate(timeout=seconds)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
                process.communicate(timeout=60)
            kept += bool(self.checkpoints())
            if process.returncode == 0:
                return rounds, kept
            self.assertEqual(process.returncode, -signal.SIGKILL if kill else 75)
        self.fail("it did not end in 40 rounds")

    def long_enough(self, text, last, **what):
        """A deck whose way is doubled until it takes four seconds: a fast machine must be stopped within it, too."""
        for way in (last * 2**doubled for doubled in range(8)):
            deck = self.deck(text, way, **what)
            reference, seconds = self.reference(deck)
            if seconds > 4:
                break
        return deck, reference, seconds

    def check(self, text, last, kill=False, **what):
        deck, reference, seconds = self.long_enough(text, last, **what)
        rounds, kept = self.go_on_until_done(deck, 0.8 + seconds / 6, kill)
        self.assertGreater(rounds, 0)
        self.assertGreater(kept, 0)
        self.assert_same(reference)
        self.assertFalse(os.path.exists(self.output + ".parts"))

    @decks.long
    def test_stopped_by_a_signal(self):
        self.check(SPINS, 16)

    @decks.long
    def test_stopped_with_factorisations(self):
        self.check(SPINS, 6, method="rational", size=4)

    def test_stopped_while_a_window_grows(self):
        self.check(WINDOW, 30)

    def test_stopped_where_the_generator_depends_on_time(self):
        self.check(TIMED, 4, size=2)

    def test_stopped_between_trajectories(self):
        self.check(KETS, 25000)

    def test_stopped_between_trajectories_without_times(self):
        self.check(STEADY_KETS, 2500)

    def test_killed(self):
        self.check(SPINS, 16, kill=True)

    @decks.long
    def test_goes_on_with_other_ranks(self):
        deck = self.deck(SPINS, 20)
        reference, _ = self.reference(deck)
        process = self.start(deck, ranks=2)
        while not process.poll() and not os.path.exists(self.output + ".parts/lock"):
            time.sleep(0.05)
        time.sleep(1.2)
        process.send_signal(signal.SIGUSR1)
        self.assertIn("the same command goes on", process.communicate(timeout=60)[1])
        self.assertEqual(process.returncode, 75)
        self.assertTrue(self.checkpoints())
        self.run_to_end(deck, ranks=3)
        found = read(self.output)
        for name, values in reference.items():
            if "count" not in name and values.dtype.kind == "f":
                numpy.testing.assert_allclose(found[name], values, atol=2e-9, err_msg=name)

    def interrupted(self):
        deck = self.deck(SPINS, 40)
        self.run_to_end(deck, "--stop-at", "+1.5", status=75)
        self.assertEqual(len(self.checkpoints()), 1)
        return deck

    def test_a_damaged_one_is_put_aside(self):
        deck = self.interrupted()
        path, = self.checkpoints()
        with open(path, "r+b") as stream:
            stream.truncate(os.path.getsize(path) // 2)
        said = self.run_to_end(deck, "--stop-at", "+1.5", status=75)
        self.assertIn("its point starts again, it is kept as", said)
        self.assertTrue(os.path.exists(path + ".damaged"))

    def test_of_another_deck(self):
        self.interrupted()
        os.remove(self.output)
        other = self.deck(SPINS, 41, name="other.yaml")
        said = self.run_to_end(other, status=2)
        self.assertIn("belongs to another deck", said)
        self.assertEqual(len(self.checkpoints()), 1)
        self.run_to_end(other, "--overwrite", "--stop-at", "+1.5", status=75)
        kept, = self.checkpoints()
        with h5py.File(kept) as file:
            self.assertIn("T: 41", file["deck/identity"][()].decode())

    def test_show_tells_of_it(self):
        self.interrupted()
        shown = subprocess.run([decks.PROGRAM, "show", self.output + ".parts"], text=True, stdout=subprocess.PIPE,
                               check=True).stdout
        self.assertIn("1 unfinished point is kept half-way", shown)


if __name__ == "__main__":
    unittest.main()
