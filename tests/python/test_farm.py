"""A farm that is killed, stopped, resubmitted, damaged: nothing finished is lost and no number changes."""
# cospin-test: TIMEOUT 900 COST 90
import glob
import os
import random
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
DECK = """
title: small farm
parameters: {N: SIZE, w: 1, nbar: 0}
grid: {nbar: {range: [0, LAST]}, w: [1, 2, 5, 9]}
components: {ions: {kind: ensemble, size: N}}
jumps:
  - {rate: nbar+1, operator: ions.Sm}
  - {rate: nbar, operator: ions.Sp}
  - {rate: w, each: ions.sp}
observables: {inversion: 2*<ions.Sz>/N}
tasks: [{steady: {}}, {decay: {of: ions.Sp}}]
"""
NOT_PHYSICS = ("seconds", "peak_memory", "ranks")


def read(path):
    """All numbers that physics decides, by name."""
    with h5py.File(path) as file:
        return {name: file[name][()] for name in file
                if isinstance(file[name], h5py.Dataset) and not name.endswith(NOT_PHYSICS)}


class Farm(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="cospin_farm_")
        self.addCleanup(shutil.rmtree, self.folder, True)
        self.environment = {**os.environ, "TMPDIR": tempfile.mkdtemp(dir=self.folder)}
        self.output = os.path.join(self.folder, "out.h5")

    def deck(self, size=8, last=8, text=DECK):
        path = os.path.join(self.folder, f"deck_{size}_{last}.yaml")
        with open(path, "w", encoding="utf-8") as stream:
            stream.write(text.replace("SIZE", str(size)).replace("LAST", str(last)))
        return path

    def start(self, deck, *options, output=None, ranks=1, wrapper=()):
        front = [MPIEXEC, "-n", str(ranks), *wrapper] if ranks > 1 else []
        return subprocess.Popen(front + [decks.PROGRAM, "run", deck, "-o", output or self.output, *options], text=True,
                                env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                start_new_session=True)

    def run_to_end(self, deck, *options, status=0, **where):
        process = self.start(deck, *options, **where)
        out, err = process.communicate(timeout=300)
        self.assertEqual(process.returncode, status, out + err)
        return out + err

    references = {}  # deck's text: what an undisturbed run makes of it; several tests share decks

    def reference(self, deck):
        with open(deck, encoding="utf-8") as stream:
            text = stream.read()
        if text not in self.references:
            path = os.path.join(self.folder, "reference.h5")
            self.run_to_end(deck, "--overwrite", output=path)
            self.references[text] = read(path)
        return self.references[text]

    def assert_same(self, reference, path=None):
        found = read(path or self.output)
        self.assertEqual(set(found), set(reference))
        for name, values in reference.items():
            numpy.testing.assert_array_equal(found[name], values, err_msg=name)

    def shards(self):
        return sorted(glob.glob(self.output + ".parts/points-*.h5"))

    def kill_after(self, process, seconds, one_rank):
        time.sleep(seconds)
        victims = [os.getpgid(process.pid)] if process.poll() is None else []
        if one_rank and victims:
            listed = subprocess.run(["pgrep", "-P", str(process.pid)], text=True, stdout=subprocess.PIPE, check=False)
            ranks = [int(word) for word in listed.stdout.split()]
            if ranks:
                try:
                    os.kill(random.choice(ranks), signal.SIGKILL)
                except ProcessLookupError:
                    pass
                process.communicate(timeout=60)
                return
        for group in victims:
            os.killpg(group, signal.SIGKILL)
        process.communicate(timeout=60)
        # what mpiexec has started in sessions of their own
        subprocess.run(["pkill", "-KILL", "-f", self.output], check=False)
        time.sleep(0.1)

    def test_killed_at_any_moment(self):
        seed = int(os.environ.get("COSPIN_TEST_SEED", time.time()))
        random.seed(seed)
        deck = self.deck(size=60, last=20)
        reference = self.reference(deck)
        finished = interrupted = 0
        least = int(os.environ.get("COSPIN_TEST_KILLS", 15 if decks.LONG else 4))
        for attempt in range(max(least, 20)):
            if attempt >= least and interrupted:
                break
            process = self.start(deck, "--quiet", ranks=2)
            # later and later, for a machine that is busy
            self.kill_after(process, random.uniform(0.3, 1.5) * (1 + attempt / 4), one_rank=attempt % 2 == 1)
            for shard in self.shards():
                with h5py.File(shard) as file:
                    self.assertTrue((file["outcome"][()] == 1).all(), f"seed {seed}: {shard}")
            interrupted += bool(self.shards())
            if os.path.exists(self.output):
                self.assert_same(reference)  # whole as soon as it is there
                os.remove(self.output)
                finished += 1
        said = self.run_to_end(deck, ranks=2)
        self.assertNotIn("damaged", said)
        self.assert_same(reference)
        self.assertFalse(os.path.exists(self.output + ".parts"))
        self.assertGreater(interrupted, 0, f"seed {seed}: no round was interrupted, {finished} finished")

    @decks.long
    def test_stopped_twice_by_a_signal(self):
        deck = self.deck(size=60, last=20)
        reference = self.reference(deck)
        stops = 0
        for number in (signal.SIGUSR1, signal.SIGTERM):
            process = self.start(deck)
            time.sleep(0.6)
            process.send_signal(number)
            err = process.communicate(timeout=60)[1]
            if process.returncode == 75:
                stops += 1
                self.assertIn("the same command goes on", err)
        self.assertGreater(stops, 0)
        self.run_to_end(deck, ranks=2)
        self.assert_same(reference)

    def test_stops_at_a_time_and_shows_what_there_is(self):
        deck = self.deck(size=100, last=100)
        self.run_to_end(deck, "--stop-at", "+3", status=75)
        outcome = read(self.output)["outcome"]
        self.assertGreater((outcome == 0).sum(), 0)
        self.assertGreater((outcome == 1).sum(), 0)
        shown = subprocess.run([decks.PROGRAM, "show", self.output], text=True, stdout=subprocess.PIPE, check=True)
        self.assertIn("not_run", shown.stdout)

    def test_an_axis_may_grow(self):
        self.run_to_end(self.deck(last=4))
        longer = self.deck(last=8)
        said = self.run_to_end(longer)
        self.assertIn("16 of 32 points are there already", said)
        self.assert_same(self.reference(longer))
        with h5py.File(self.output) as file:
            self.assertEqual(len(file.attrs["history"].splitlines()), 2)

    def test_points_are_not_dropped_silently(self):
        self.run_to_end(self.deck(last=4))
        before = read(self.output)
        said = self.run_to_end(self.deck(last=2), status=2)
        self.assertIn("finished points that this deck's grid lacks", said)
        self.assert_same(before)
        self.run_to_end(self.deck(last=2), "--overwrite")
        self.assertEqual(read(self.output)["outcome"].shape, (2, 4))

    def test_another_deck_is_refused(self):
        self.run_to_end(self.deck())
        before = read(self.output)
        said = self.run_to_end(self.deck(size=9), status=2)
        self.assertIn("belongs to another deck", said)
        self.assertIn("N: 8", said)
        self.assertIn("N: 9", said)
        self.assert_same(before)

    @decks.long
    def test_another_axis_is_another_deck(self):
        self.run_to_end(self.deck())
        said = self.run_to_end(self.deck(text=DECK.replace("grid: {", "grid: {N: [8, 9], ")), status=2)
        self.assertIn("belongs to another deck: there `  N: 8`, here `  N: an axis of the grid`", said)

    def test_what_is_read_from_files_counts(self):
        """A dataset never mixes points that start from different states."""
        first = DECK.replace("[{steady: {}}, {decay: {of: ions.Sp}}]", "[{steady: {store: state}}]")
        second = DECK.replace("[{steady: {}}, {decay: {of: ions.Sp}}]",
                              "[{evolve: {times: [0, 1], initial: {file: state.h5, at: {nbar: 0, w: 1}}}}]")
        state = os.path.join(self.folder, "state.h5")
        self.run_to_end(self.deck(size=4, last=1, text=first), output=state)
        self.run_to_end(self.deck(size=4, last=2, text=second))
        before = read(self.output)
        self.run_to_end(self.deck(size=4, last=1, text=first.replace("rate: w,", "rate: 2*w,")), "--overwrite", output=state)
        said = self.run_to_end(self.deck(size=4, last=2, text=second), status=2)
        self.assertIn("checksum of state.h5", said)
        self.assert_same(before)

    @decks.long
    def test_a_killed_overwrite_keeps_the_old_file(self):
        small, large = self.deck(last=2), self.deck(size=60, last=20)
        self.run_to_end(small)
        before = read(self.output)
        process = self.start(large, "--overwrite")
        while process.poll() is None and not self.shards():
            time.sleep(0.02)
        process.kill()
        process.communicate()
        self.assertTrue(self.shards())
        self.assert_same(before)
        self.run_to_end(large)
        self.assert_same(self.reference(large))
        self.assertFalse(os.path.exists(self.output + ".parts"))

    def test_show_into_a_closed_pipe(self):
        self.run_to_end(self.deck())
        shown = subprocess.run(f"{decks.PROGRAM} show {self.output} | head -1", shell=True, text=True, check=True,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.assertEqual(shown.stderr, "")

    @decks.long
    def test_another_title_is_not_another_deck(self):
        self.run_to_end(self.deck())
        said = self.run_to_end(self.deck(text=DECK.replace("small farm", "title in print")))
        self.assertIn("32 of 32 points are there already", said)
        with h5py.File(self.output) as file:
            title = file.attrs["title"]
            self.assertEqual(title.decode() if isinstance(title, bytes) else title, "title in print")

    def test_what_an_axis_overrides_does_not_count(self):
        self.run_to_end(self.deck())
        said = self.run_to_end(self.deck(text=DECK.replace("nbar: 0}", "nbar: 7}")))
        self.assertIn("32 of 32 points are there already", said)

    def test_not_our_file_is_refused(self):
        for name, content in (("text", b"my thesis"), ("empty", b"")):
            with open(self.output, "wb") as stream:
                stream.write(content)
            said = self.run_to_end(self.deck(), status=2)
            self.assertIn("it is not an HDF5 file", said, name)
            with open(self.output, "rb") as stream:
                self.assertEqual(stream.read(), content)
        os.remove(self.output)
        with h5py.File(self.output, "w") as file:
            file["mine"] = 1
        self.assertIn("not one of cospin's", self.run_to_end(self.deck(), status=2))

    def test_two_runs_at_once(self):
        deck = self.deck(size=120, last=40)
        first = self.start(deck)
        while first.poll() is None and not self.shards():
            time.sleep(0.05)
        said = self.run_to_end(deck, status=2)
        self.assertIn("is being written by another run", said)
        self.assertIn(str(first.pid), said)
        shown = subprocess.run([decks.PROGRAM, "show", self.output], text=True, stdout=subprocess.PIPE, check=True).stdout
        self.assertRegex(shown, r"\d+ points? (is|are) finished, \d+ good")
        self.assertIn(f"being written by process {first.pid}", shown)
        shard = subprocess.run([decks.PROGRAM, "show", self.shards()[0]], text=True, stdout=subprocess.PIPE, check=True)
        self.assertRegex(shard.stdout, r"the slowest points\n +[0-9.e-]+  nbar = \d+, w = \d\n")
        with open(deck, encoding="utf-8") as stream:
            self.assertEqual(subprocess.run([decks.PROGRAM, "show", "--deck", self.output], text=True, check=True,
                                            stdout=subprocess.PIPE).stdout, stream.read())
        first.send_signal(signal.SIGTERM)
        first.communicate(timeout=60)
        self.assertEqual(first.returncode, 75)

    def interrupted(self, deck):
        """Leaves shards without an archive."""
        process = self.start(deck)
        while process.poll() is None and not self.shards():
            time.sleep(0.02)
        process.kill()
        process.communicate()
        self.assertTrue(self.shards())

    def test_a_shard_of_another_deck_is_refused(self):
        self.interrupted(self.deck(size=100, last=40))
        said = self.run_to_end(self.deck(size=101, last=40), status=2)
        self.assertIn("belongs to another deck", said)
        self.assertTrue(self.shards())

    def test_a_truncated_shard(self):
        deck = self.deck(size=60, last=20)
        self.interrupted(deck)
        shard = self.shards()[0]
        os.truncate(shard, os.path.getsize(shard) * 2 // 3)
        said = self.run_to_end(deck)
        self.assertIn("its points are computed again", said)
        self.assert_same(self.reference(deck))
        self.assertTrue(os.path.exists(shard + ".damaged"))

    def test_flipped_bits(self):
        """A flip anywhere is seen before HDF5 sees it; in the first words of the seal at the end it changes no number."""
        deck = self.deck(size=10, last=3)
        self.run_to_end(deck)
        reference = read(self.output)
        with open(self.output, "rb") as stream:
            whole = stream.read()
        self.assertRegex(whole[-23:].decode(), "\ncospin crc32 [0-9a-f]{8}\n")
        random.seed(1)
        for attempt in range(30 if decks.LONG else 8):
            at = random.randrange(8 * len(whole)) if attempt else 8 * len(whole) - 100
            flipped = bytearray(whole)
            flipped[at // 8] ^= 1 << at % 8
            with open(self.output, "wb") as stream:
                stream.write(flipped)
            process = self.start(deck, "--quiet")
            said = process.communicate(timeout=60)
            if at // 8 < len(whole) - 23 or at // 8 >= len(whole) - 9:
                self.assertEqual(process.returncode, 2, f"bit {at}: {said}")
                self.assertIn("the checksum of the whole file is wrong", said[1], f"bit {at}")
            else:
                self.assertEqual(process.returncode, 0, f"bit {at}: {said}")
                self.assert_same(reference)

    def test_edited_files_have_no_seal(self):
        """h5py cuts the seal off when it changes a file, so that notes may be added; h5py and ncdump read it as it is."""
        deck = self.deck(size=10, last=3)
        self.run_to_end(deck)
        reference = read(self.output)
        with h5py.File(self.output, "r+") as file:
            file.attrs["note"] = "seen by a colleague"
        with open(self.output, "rb") as stream:
            self.assertNotIn(b"\ncospin crc32 ", stream.read())
        self.run_to_end(deck)
        self.assert_same(reference)

    def test_the_output_is_not_the_deck(self):
        """Under whatever name; nor is it a file that the deck reads, a folder or a device."""
        deck = self.deck(size=4, last=1)
        with open(deck, encoding="utf-8") as stream:
            text = stream.read()
        soft, hard = (os.path.join(self.folder, name) for name in ("soft.h5", "hard.h5"))
        os.symlink(os.path.basename(deck), soft)
        os.link(deck, hard)
        os.symlink(deck, os.path.join(self.folder, "x.h5.tmp"))
        for output in (deck, soft, hard, os.path.join(self.folder, "x.h5")):
            for options in ((), ("--overwrite",)):
                self.assertIn("would replace the deck", self.run_to_end(deck, *options, output=output, status=2))
        with open(deck, encoding="utf-8") as stream:
            self.assertEqual(stream.read(), text)
        os.mkdir(os.path.join(self.folder, "folder.h5"))
        os.mkfifo(os.path.join(self.folder, "pipe.h5"))
        for output, said in (("folder.h5", "is a folder"), ("new/", "is a folder"), ("pipe.h5", "a pipe or a device"),
                             ("/dev/full", "a pipe or a device")):
            for options in ((), ("--overwrite",)):
                self.assertIn(said, self.run_to_end(deck, *options, output=os.path.join(self.folder, output), status=2))
        self.assertFalse(glob.glob(self.folder + "/*.parts") + glob.glob("/dev/*.parts"))

    def test_the_output_is_no_file_that_the_deck_reads(self):
        trap = os.path.join(self.folder, "trap.h5")
        with h5py.File(trap, "w") as file:
            file["J"] = [[0., 1.], [1., 0.]]
        text = ("title: read\ncomponents: {q: {kind: spins, size: 2}}\narrays: {J: {file: trap.h5, dataset: J}}\n"
                "hamiltonian: [{sum: \"J[l,m]*q.sp[l]*q.sm[m]\"}]\njumps: [{rate: 1, each: q.sm}]\ntasks: [{steady: {}}]\n")
        deck = self.deck(text=text)
        self.assertIn("which the deck reads", self.run_to_end(deck, "--overwrite", output=trap, status=2))
        with h5py.File(trap) as file:
            self.assertIn("J", file)

    def test_a_link_is_followed(self):
        """The file that the link leads to is written, there or not; the folder of an unfinished run lies beside it."""
        place = os.path.join(self.folder, "scratch")
        os.mkdir(place)
        os.symlink("scratch/target.h5", self.output)
        target, deck = os.path.join(place, "target.h5"), self.deck(size=60, last=20)
        reference = self.reference(deck)
        process = self.start(deck, "--quiet")
        while process.poll() is None and not glob.glob(target + ".parts/points-*.h5"):
            time.sleep(0.02)
        process.kill()
        process.communicate()
        for name in (self.output, self.output + ".parts", target):
            shown = subprocess.run([decks.PROGRAM, "show", name], check=True, text=True, stdout=subprocess.PIPE).stdout
            self.assertIn("finished", shown)
            self.assertGreater(decks.cospin_data.open_dataset(name).attrs["cospin_points_finished"], 0)
        self.run_to_end(deck)
        self.assertTrue(os.path.islink(self.output))
        self.assertFalse(os.path.islink(target) or os.path.exists(target + ".parts"))
        self.assert_same(reference, target)
        self.run_to_end(deck, "--overwrite")
        self.assertTrue(os.path.islink(self.output))
        self.assert_same(reference, target)

    def test_a_file_that_another_program_holds_is_not_damaged(self):
        deck = self.deck(size=60, last=20)
        process = self.start(deck, "--quiet")
        while process.poll() is None and not self.shards():
            time.sleep(0.02)
        process.kill()
        process.communicate()
        shards = self.shards()
        with h5py.File(shards[0], "r+"):
            self.assertIn("another program holds it open", self.run_to_end(deck, status=2))
        self.assertEqual(self.shards(), shards)

    def test_a_hidden_seal_is_told(self):
        deck = self.deck(size=4, last=1)
        self.run_to_end(deck)
        with open(self.output, "ab") as stream:
            stream.write(b"xx")
        self.assertIn("2 bytes behind its seal", self.run_to_end(deck))
        with h5py.File(self.output, "r+") as file:
            file["steady_inversion"][0, 0] = 0.25
        said = self.run_to_end(deck, status=2)
        self.assertIn("steady_inversion are not those that were written", said)

    def test_the_folder_cannot_be_written(self):
        self.assertIn("No such file", self.run_to_end(self.deck(), output=self.folder + "/gone/out.h5", status=2))
        with open(self.output + ".parts", "w", encoding="utf-8") as stream:
            stream.write("in the way")
        self.assertIn("cannot write", self.run_to_end(self.deck(), status=2))
        self.assertFalse(os.path.exists(self.output))

    def test_the_folder_vanishes(self):
        deck = self.deck(size=60, last=20)
        place = os.path.join(self.folder, "place")
        os.mkdir(place)
        output = os.path.join(place, "out.h5")
        process = self.start(deck, output=output)
        while process.poll() is None and not glob.glob(output + ".parts/points-*.h5"):
            time.sleep(0.02)
        shutil.move(place, place + "_moved")
        err = process.communicate(timeout=120)[1]
        self.assertEqual(process.returncode, 1, err)
        rescued = glob.glob(self.environment["TMPDIR"] + "/points-*.h5")
        self.assertEqual(len(rescued), 1, err)
        shutil.move(place + "_moved", place)
        shutil.move(rescued[0], output + ".parts")
        self.run_to_end(deck, output=output)
        self.assert_same(self.reference(deck), output)

    def test_the_disk_is_full(self):
        place = os.path.join(self.folder, "small")
        os.mkdir(place)
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=40k", "none", place], check=False,
                          stderr=subprocess.DEVNULL).returncode:
            self.skipTest("no right to mount")
        try:
            deck = self.deck(size=8, last=40)  # many small points
            output = os.path.join(place, "out.h5")
            said = self.run_to_end(deck, "--quiet", output=output, status=1)
            self.assertIn("No space left on device", said)
            subprocess.run(["mount", "-o", "remount,size=10m", place], check=True)
            os.makedirs(output + ".parts", exist_ok=True)
            for rescued in glob.glob(self.environment["TMPDIR"] + "/points-*.h5"):
                shutil.move(rescued, output + ".parts/")
            said = self.run_to_end(deck, output=output)
            self.assertIn("160 of 160 points are there already", said)
            self.assert_same(self.reference(deck), output)
        finally:
            subprocess.run(["umount", place], check=False)

    def only_rank(self, rank, line):
        """A wrapper around the program on which `line` of shell works on one rank only."""
        path = os.path.join(self.folder, "wrapper.sh")
        with open(path, "w", encoding="utf-8") as stream:
            stream.write(f'#!/bin/bash\nif [ "$OMPI_COMM_WORLD_RANK" = {rank} ]; then {line}; fi\nexec "$@"\n')
        return ["bash", path]

    def assert_close(self, reference, good):
        """Another number of ranks a point changes the last digits."""
        found = read(self.output)
        for name in ("steady_inversion", "decay_rate"):
            numpy.testing.assert_allclose(found[name][good], reference[name][good], rtol=1e-9, atol=1e-12, err_msg=name)

    def test_an_error_that_all_ranks_see(self):
        """MUMPS may use 1 MB: every rank of a group leaves, the other tasks and points go on."""
        deck = self.deck(size=120, last=2)
        said = self.run_to_end(deck, "--groups", "1", "-decay_st_mat_mumps_icntl_23", "1", ranks=2, status=3)
        self.assertRegex(said, r"point 0, task decay: Error reported by MUMPS in .* phase: INFOG\(1\)=-")
        found = read(self.output)
        self.assertTrue((found["outcome"] == -5).all())
        self.assertTrue((found["steady_outcome"] == 1).all())
        with h5py.File(self.output) as file:  # matrices and factors of what failed are given back: 3 MB a point
            memory = file["peak_memory"][()].ravel()
        self.assertLess(memory[-1] - memory[1], 5e6)
        self.run_to_end(deck, "--groups", "1", "--retry", ranks=2)
        self.assert_close(self.reference(deck), found["outcome"] != 0)

    def test_an_error_that_one_rank_sees(self):
        """The ranks that wait for it are lost, no point is, and the other group takes all that are left."""
        deck = self.deck(size=20, last=6)
        wrapper = self.only_rank(3, 'set -- "$@" -decay_eps_ncv -7')
        said = self.run_to_end(deck, "--groups", "2", ranks=4, wrapper=wrapper, status=75)
        self.assertIn("Illegal value of ncv", said)
        self.assertIn("the other ranks of group 1 do not answer", said)
        said = self.run_to_end(deck, status=3)
        self.assertIn("24 of 24 points are there already", said)
        outcome = read(self.output)["outcome"]
        self.assertEqual(sorted(outcome.ravel()), [-5] + 23 * [1])
        self.assert_close(self.reference(deck), outcome == 1)
        self.run_to_end(deck, "--retry")
        self.assertTrue((read(self.output)["outcome"] == 1).all())

    def test_a_rank_without_memory(self):
        """A group that cannot even begin ends the run at once, with what it lacks.

        MPI itself needs some 310 MB of addresses (with less it may wait for ever inside MPI_Init, which is not ours),
        what a group sets aside 180 MB more.
        """
        wrapper = self.only_rank(1, "ulimit -v $((400 * 1024))")
        process = self.start(self.deck(), "--groups", "1", ranks=2, wrapper=wrapper)
        err = process.communicate(timeout=120)[1]
        self.assertNotIn(process.returncode, (0, 3, 75), err)
        self.assertIn("BLAS needs 160 MB", err)

    @decks.long
    def test_one_group_cannot_write(self):
        """Its points wait in memory while the other group publishes; they go to the folder for temporary files."""
        deck = self.deck(size=60, last=20)
        process = self.start(deck, "--groups", "2", "--quiet", ranks=2)
        in_the_way = self.output + ".parts/points-00001-00001-00000.h5.tmp"
        while process.poll() is None and not os.path.isdir(in_the_way):
            try:
                os.mkdir(in_the_way)
            except OSError:  # there is no folder yet, or a shard is just being written
                time.sleep(0.01)
        err = process.communicate(timeout=120)[1]
        self.assertEqual(process.returncode, 1, err)
        self.assertIn("Is a directory; finished points wait in memory", err)
        rescued = glob.glob(self.environment["TMPDIR"] + "/points-*.h5")
        self.assertEqual(len(rescued), 1, err)
        os.rmdir(in_the_way)
        os.rename(rescued[0], self.output + ".parts/" + os.path.basename(rescued[0]))
        self.assertIn("80 of 80 points are there already", self.run_to_end(deck))
        self.assert_same(self.reference(deck))

    def test_one_group_may_write_small_files_only(self):
        deck = self.deck(last=10)
        wrapper = self.only_rank(1, "ulimit -f 8; trap '' XFSZ")
        said = self.run_to_end(deck, "--groups", "2", ranks=2, wrapper=wrapper, status=1)
        self.assertIn("File too large", said)
        self.assertRegex(said, r"[0-9]+ finished points are lost")
        said = self.run_to_end(deck)
        self.assertRegex(said, r"[0-9]+ of 40 points are there already")
        self.assert_same(self.reference(deck))

    def test_a_read_only_folder(self):
        """As root, permissions bind nobody: a file system that is mounted for reading does."""
        place = os.path.join(self.folder, "place")
        os.mkdir(place)
        output = os.path.join(place, "out.h5")
        self.run_to_end(self.deck(last=2), output=output)
        if subprocess.run(["mount", "--bind", place, place], check=False, stderr=subprocess.DEVNULL).returncode:
            self.skipTest("no right to mount")
        try:
            subprocess.run(["mount", "-o", "remount,bind,ro", place], check=True)
            for there in (output, os.path.join(place, "new.h5")):
                self.assertIn("Read-only file system", self.run_to_end(self.deck(last=2), output=there, status=2))
        finally:
            subprocess.run(["umount", place], check=False)
        self.assertEqual(os.listdir(place), ["out.h5"])

    def test_mpiexec_is_told_to_stop(self):
        """TERM for mpiexec: it passes the signal on, and the run ends with all that is finished."""
        deck = self.deck(size=100, last=40)
        process = self.start(deck, "--groups", "1", ranks=2)
        while process.poll() is None and not self.shards():
            time.sleep(0.02)
        process.send_signal(signal.SIGTERM)
        err = process.communicate(timeout=60)[1]
        self.assertNotEqual(process.returncode, 0, err)
        for shard in self.shards():
            with h5py.File(shard) as file:
                self.assertTrue((file["outcome"][()] == 1).all(), shard)
        self.assertTrue(self.shards() or os.path.exists(self.output))
        said = self.run_to_end(deck, "--quiet", "--stop-at", "+0.1", status=75)
        self.assertIn("points are missing", said)

    def test_what_does_not_fit_is_not_begun(self):
        deck = self.deck(size=60, last=2)
        self.environment["COSPIN_MEMORY"] = "1M"
        said = self.run_to_end(deck, "--quiet", status=3)
        self.assertRegex(said, r"point 0, task steady: needs about .* GB, the 1 rank of its group have 0.00105 GB")
        self.assertTrue((read(self.output)["outcome"] == -7).all())
        del self.environment["COSPIN_MEMORY"]
        self.run_to_end(deck, "--retry")
        self.assert_same(self.reference(deck))

    def test_bad_points_are_kept_until_retry(self):
        # w = 0 leaves every j its own steady state
        deck = self.deck(size=4, last=3, text=DECK.replace("[1, 2, 5, 9]", "[0, 1]"))
        self.assertIn("`initial:`", self.run_to_end(deck, status=3))
        before = read(self.output)
        self.assertGreater((before["outcome"] < 0).sum(), 0)
        self.assertIn("6 of 6 points are there already", self.run_to_end(deck, status=3))
        self.assertIn("3 of 6 points are there already", self.run_to_end(deck, "--retry", status=3))
        self.assert_same(before)


if __name__ == "__main__":
    unittest.main(verbosity=2)
