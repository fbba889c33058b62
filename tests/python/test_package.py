"""The package `cospin`: it is installed without a network, starts the program, tells faults, and stops a run in order."""
# cospin-test: TIMEOUT 600 COST 40
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import warnings

from decks import MPIEXEC, PROGRAM, SOURCE

import numpy as np

import cospin
from cospin import process, program

DECK = """\
title: A spin that decays
parameters: {S: 1, w: 1}
grid: {w: [0.5, 1, 2]}
components: {s: {kind: spin, S: S}}
hamiltonian: [w*s.Sx]
jumps: [{rate: 1, operator: s.Sm}]
observables: {up: <s.Sz>}
tasks: [{steady: {store: state}}]
plots: [{x: w, y: steady_up}]
"""
MAPPING = {"title": "A spin", "parameters": {"S": 1, "w": 1}, "grid": {"w": np.array([0.5, 1, 2])}, "components": {"s": {"kind": "spin", "S": "S"}},
           "hamiltonian": ["w*s.Sx"], "jumps": [{"rate": 1, "operator": "s.Sm"}], "observables": {"up": "<s.Sz>"},
           "tasks": [{"steady": {}}]}
# many points, each a moment's work
SLOW = """\
title: Many points
parameters: {N: 60, w: 1}
grid: {w: {linspace: [1, 30, 4000]}}
components: {ions: {kind: ensemble, size: N}}
jumps: [{rate: 1, operator: ions.Sm}, {rate: w, each: ions.sp}]
observables: {up: <ions.Sz>}
tasks: [{steady: {}}]
"""


class InFolder(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="cospin_package_")
        self.addCleanup(shutil.rmtree, self.folder, True)
        os.environ["COSPIN_PROGRAM"] = os.path.abspath(PROGRAM)
        os.environ["COSPIN_MPIEXEC"] = MPIEXEC

    def file(self, text, name="my.yaml"):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as stream:
            stream.write(text)
        return path


class Run(InFolder):
    def test_paths_texts_and_mappings_are_the_same_deck(self):
        output = os.path.join(self.folder, "out.h5")
        data = cospin.run(self.file(DECK), output=output)
        self.assertEqual(data.encoding["source"], output)
        for deck in (DECK, MAPPING):
            np.testing.assert_array_equal(cospin.run(deck).steady_up, data.steady_up)
        np.testing.assert_array_equal(cospin.open(output).steady_up, data.steady_up)
        # a driven spin 1/2: <Sz> = -1/2 / (1 + 2 w^2), at rate 1
        half = cospin.run(DECK, set={"S": "1/2"})
        np.testing.assert_allclose(half.steady_up, -.5 / (1 + 2 * half.w ** 2), rtol=1e-9)

    def test_ranks_give_the_same(self):
        one, two = cospin.run(DECK, set={"S": 2}), cospin.run(DECK, ranks=2, set={"S": np.int64(2)}, groups=2)
        np.testing.assert_allclose(two.steady_up, one.steady_up, rtol=1e-10)

    def test_the_state_of_a_text_can_be_read(self):
        data = cospin.run(DECK)
        state = cospin.read_state(data.encoding["source"], "steady", w=1)
        self.assertAlmostEqual(state.trace(), 1)

    def test_a_run_goes_on_and_is_begun_anew(self):
        output = os.path.join(self.folder, "out.h5")
        cospin.run(DECK, output=output)
        with self.assertRaisesRegex(cospin.DeckFaults, "another deck"):
            cospin.run(DECK, output=output, set={"S": 2})
        self.assertEqual(cospin.run(DECK, output=output, set={"S": 2}, overwrite=True).attrs["cospin_points_finished"], 3)

    def test_bad_points_are_a_warning(self):
        tight = DECK.replace("{store: state}", "{tolerance: 1e-30}")
        with self.assertWarnsRegex(cospin.BadPoints, "3 of 3 points have a bad outcome.*inaccurate at w = 0.5"):
            data = cospin.run(tight)
        self.assertTrue(np.isnan(data.steady_up).all())

    def test_an_early_stop_is_a_warning(self):
        with self.assertWarnsRegex(cospin.Unfinished, "of 4000 points are finished"):
            data = cospin.run(SLOW, stop_at="+1")
        self.assertLess(data.attrs["cospin_points_finished"], 4000)

    def test_unused_solver_options_are_a_warning(self):
        with self.assertWarnsRegex(UserWarning, "nothing used the PETSc option -stedy_foo"):
            cospin.run(DECK, petsc=["-stedy_foo", "1"])

    def test_plan(self):
        plan = cospin.plan(DECK, set={"S": 3})
        self.assertEqual(plan.sectors, [{"task": "steady", "sector": "everything", "dimension": 49}])
        self.assertEqual(plan.deck["parameters"]["S"], "3")
        self.assertIn("# grid: 3 points", str(plan))


class Faults(InFolder):
    def test_all_of_them_with_their_places(self):
        path = self.file(DECK.replace("w*s.Sx", "w*s.Sq").replace("{w: [0.5", "{q: [0.5"))
        for deck, file in ((path, path), (DECK.replace("w*s.Sx", "w*s.Sq").replace("{w: [0.5", "{q: [0.5"), "deck")):
            with self.assertRaises(cospin.DeckFaults) as caught:
                cospin.run(deck, set={"nbar": 1})
            found = [(fault.file, fault.line, fault.column, fault.key) for fault in caught.exception.faults]
            self.assertEqual(found[:2], [("command line", 0, 0, "--set nbar"), (file, 3, 8, "grid.q")])
            self.assertIn("unknown parameter `q` (known: S, w)", caught.exception.faults[1].message)
            self.assertIn(f"{file}:3:8: grid.q: unknown parameter", str(caught.exception))
            self.assertNotIn("cospin_", str(caught.exception).replace(self.folder, ""))
            with self.assertRaises(cospin.DeckFaults):
                cospin.plan(deck)

    def test_options_and_files_that_are_not_there(self):
        with self.assertRaisesRegex(cospin.DeckFaults, "unknown option `--rety`.*--retry"):
            cospin.run(DECK, rety=True)
        with self.assertRaisesRegex(cospin.DeckFaults, "none.yaml"):
            cospin.run(os.path.join(self.folder, "none.yaml"))
        with self.assertRaisesRegex(cospin.ProgramFailed, "no program /nowhere/cospin"):
            cospin.run(DECK, program="/nowhere/cospin")
        with self.assertRaisesRegex(cospin.ProgramFailed, "cannot start /nowhere/mpiexec"):
            cospin.run(DECK, ranks=2, mpiexec="/nowhere/mpiexec")
        with self.assertRaisesRegex(cospin.ProgramFailed, "status 1"):
            cospin.run(DECK, program="/bin/false")


class Stop(InFolder):
    def interrupted(self, ranks):
        """A run to which this thread's SIGINT comes, as Ctrl-C does, once it has published points."""
        output = os.path.join(self.folder, f"stop{ranks}.h5")

        def press():
            while not os.path.isdir(output + ".parts") or not any(name.startswith("points-") for name in os.listdir(output + ".parts")):
                time.sleep(.02)
            os.kill(os.getpid(), signal.SIGINT)

        thread = threading.Thread(target=press, daemon=True)
        thread.start()
        with self.assertRaises(cospin.Stopped) as caught:
            cospin.run(SLOW, ranks=ranks, output=output)
        thread.join()
        self.assertRegex(str(caught.exception), r"stopped, \d+ of 4000 points are finished")
        self.assertEqual(caught.exception.path, output)
        return cospin.open(output)

    def test_what_is_finished_is_published(self):
        for ranks in (1, 2):
            data = self.interrupted(ranks)
            finished = data.attrs["cospin_points_finished"]
            self.assertTrue(0 < finished < 4000, finished)
            self.assertEqual(int(np.isfinite(data.steady_up).sum()), finished)

    def test_progress_is_shown_and_kept_out_of_what_was_said(self):
        one = process.Process(["true"], shown=True)
        seen = []
        one._show = seen.append
        rest = one._take("\r1 of 3\033[K\r2 of 3\033[Kmy.yaml:1:2: key: wrong\nhalf a li")
        self.assertEqual((seen, one.lines, rest), (["\r1 of 3\033[K", "\r2 of 3\033[K"], ["my.yaml:1:2: key: wrong"], "half a li"))


class Installed(InFolder):
    """As a user of Debian's python3 does it: nothing is fetched."""

    def install(self):
        for need in ("pip", "setuptools", "wheel"):
            if importlib.util.find_spec(need) is None:
                self.skipTest(f"no {need} here")
        copy, target = os.path.join(self.folder, "postprocess"), os.path.join(self.folder, "site")
        shutil.copytree(os.path.join(SOURCE, "postprocess"), copy)
        done = subprocess.run([sys.executable, "-m", "pip", "install", "--no-build-isolation", "--no-index", "--no-deps", "--quiet",
                               "--disable-pip-version-check", "--no-cache-dir", "--target", target, copy], check=False, text=True,
                              capture_output=True, env={**os.environ, "PIP_CONFIG_FILE": os.devnull})
        self.assertEqual(done.returncode, 0, done.stderr)
        return target

    def test_the_package_and_its_command(self):
        site = self.install()
        deck, output = self.file(DECK), os.path.join(self.folder, "my.h5")
        environment = {**os.environ, "PYTHONPATH": site}
        text = f"import cospin; print(cospin.__file__); print(float(cospin.run({deck!r}, output={output!r}).steady_up[1]))"
        done = subprocess.run([sys.executable, "-c", text], check=True, text=True, capture_output=True, env=environment, cwd=self.folder)
        place, number = done.stdout.split()
        self.assertTrue(place.startswith(site), place)
        self.assertLess(float(number), 0)
        done = subprocess.run([os.path.join(site, "bin", "cospin-plot"), output], check=True, text=True, capture_output=True,
                              env=environment, cwd=self.folder)
        self.assertTrue(os.path.exists(done.stdout.strip()), done.stdout)

    def test_version_is_the_programs(self):
        said = subprocess.run([PROGRAM, "--version"], check=True, text=True, capture_output=True).stdout
        self.assertTrue(said.startswith(f"cospin {cospin.__version__},"), said)

    def test_version_tells_the_libraries_without_mpi(self):
        """Also where MPI cannot begin: no folder for its files, no such component."""
        environment = {**os.environ, "OMPI_MCA_orte_tmpdir_base": "/nowhere", "OMPI_MCA_pml": "nothing", "OMPI_MCA_ess": "nothing"}
        done = subprocess.run([PROGRAM, "--version"], check=True, text=True, capture_output=True, env=environment, timeout=30)
        first, *rest = done.stdout.splitlines()
        self.assertRegex(first, r"^cospin \S+, revision \w{7,}")
        said = dict(line.split(None, 1) for line in rest)
        self.assertEqual(list(said), ["petsc", "slepc", "mumps", "hdf5", "mpi", "libfyaml", "blas"])
        for name in ("mumps", "hdf5", "libfyaml"):
            self.assertRegex(said[name], r"^\d+\.\d+")
        self.assertRegex(said["petsc"], r"Petsc .*Version \d+\.\d+")
        self.assertEqual(done.stderr, "")


class OldNames(unittest.TestCase):
    def test_they_are_the_modules_of_the_package(self):
        folder = os.path.join(SOURCE, "postprocess")
        names = {name[:-3] for name in os.listdir(folder) if name.endswith(".py") and name.startswith(("cospin_", "gallery_"))}
        self.assertGreaterEqual(names, {"cospin_data", "cospin_plot", "cospin_wigner", "cospin_gallery", "gallery_list"})
        for name in sorted(names):
            text = f"import sys; sys.path.insert(0, {folder!r}); import {name}; print({name}.__name__)"
            done = subprocess.run([sys.executable, "-c", text], check=True, text=True, capture_output=True)
            self.assertRegex(done.stdout, r"^cospin\.")


class Small(unittest.TestCase):
    def test_numbers_become_those_of_a_deck(self):
        self.assertEqual(program.plain({"a": np.arange(2), "b": np.float64(.5), "c": (1, np.int32(2))}), {"a": [0, 1], "b": .5, "c": [1, 2]})
        self.assertEqual(program.as_options({"z": 2 - 1j}, {"stop_at": None}), ["--set", "z=2.0-1*i"])

    def test_a_text_is_told_from_a_path(self):
        self.assertIsNone(program.text_of("my.yaml"))
        self.assertIsNone(program.text_of(os.path.join("folder", "none.yaml")))
        self.assertEqual(program.text_of(DECK), DECK)


if __name__ == "__main__":
    warnings.simplefilter("default")
    unittest.main(argv=sys.argv[:1])
