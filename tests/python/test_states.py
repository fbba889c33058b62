"""Stored states: the same on any number of ranks, the same as the observables, and a place to start from."""
# cospin-test: TIMEOUT 600
import os
import subprocess
import sys
import tempfile
import unittest
import zlib

from decks import PROGRAM, cospin_data  # skips where there is no h5py
import numpy as np
import xarray

MPIEXEC = os.environ.get("COSPIN_MPIEXEC", "mpiexec")

ALL_KINDS = """
title: All kinds of components
parameters: {N: 3, w: 1}
grid: {w: [1, 2]}
components:
  e: {kind: ensemble, size: N}
  c: {kind: mode, cutoff: 3, edge: 1}
  s: {kind: spin, S: 1}
  q: {kind: spins, size: 2}
hamiltonian: ['0.3*e.Sp*c.a + hc', '0.2*s.Sp*c.a + hc', '0.2*s.Sm*q.Sp + hc']
jumps:
  - {rate: w, each: e.sp}
  - {rate: 1, operator: c.a}
observables: {inversion: <e.Sz>, photons: <c.n>, z: <s.Sz>, q0: '<q.sz[0]>', x: <e.Sx>, mixed: '<e.Sp*q.sm[1]>'}
tasks:
  - evolve:
      times: [0, 0.5, 1]
      initial: {e: {css: [pi/2, 0.3]}, q: {css: [1, 0.2]}, s: {dicke: [1, 0]}, c: {coherent: 0.4}}
      store: state
      store_times: [0.5, 1]
"""

# Four spins under local and collective processes: permutation symmetric, and one by one.
FOUR_SPINS = """
title: Four spins
components: {e: COMPONENT}
hamiltonian: [0.7*e.Sx]
jumps:
  - {rate: 0.3, operator: e.Sm}
  - JUMPS
observables: {inversion: <e.Sz>}
tasks:
  - evolve: {times: [0, 0.6], initial: {e: {css: [1, 0.3]}}, store: state}
"""

CAVITY = """
title: A spin in a cavity that finds its own cutoff
components: {s: {kind: spin, S: 1}, c: {kind: mode}}
hamiltonian: ['0.5*s.Sp*c.a + hc', '1.5*c.a + hc']
jumps: [{rate: 1, operator: c.a}, {rate: 0.4, operator: s.Sm}]
observables: {photons: <c.n>, z: <s.Sz>}
tasks:
  - steady: {store: state}
"""


# Atoms of three levels; and what a fourth level changes: nothing, as long as nobody goes there.
ATOMS = """
title: Atoms of three levels
components: {g: {kind: levels, size: 3, levels: 3}, c: {kind: mode, cutoff: 3, edge: 1}}
hamiltonian: ['0.5*c.a*g.E[1,0] + hc', '0.8*c.a*g.E[2,1] + hc', '0.3*g.E[2,0] + hc']
jumps: [{rate: 1, operator: c.a}]
observables: {n0: '<g.n[0]>', n1: '<g.n[1]>', n2: '<g.n[2]>', photons: <c.n>, lifted: '<g.E[2,0]>'}
tasks:
  - evolve: {times: [0, 0.5, 1], initial: {g: {product: [1, 0.5*i, -0.3]}}, store: state}
"""


def run(text, name, folder, ranks=1, status=0):
    path = os.path.join(folder, name + ".yaml")
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(text)
    command = [PROGRAM, "run", path, "-o", os.path.join(folder, name + ".h5"), "--quiet"]
    environment = {**os.environ, "TMPDIR": folder}
    if ranks > 1:
        command = [MPIEXEC, "-n", str(ranks), "--oversubscribe", *command, "--groups", "1"]
        environment.pop("OMPI_MCA_ess_singleton_isolated", None)
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
    assert done.returncode == status, done.stderr
    return os.path.join(folder, name + ".h5"), done.stderr


def spin_matrices(j):
    m = np.arange(-j, j + 1)
    return np.diag(np.sqrt(j * (j + 1) - m[:-1] * (m[:-1] + 1)), -1), np.diag(m)


class States(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        cls.folder = cls.scratch.name
        cls.path, _ = run(ALL_KINDS, "all", cls.folder)
        cls.data = cospin_data.open_dataset(cls.path)

    @classmethod
    def tearDownClass(cls):
        cls.scratch.cleanup()

    def test_observables(self):
        for w in (1, 2):
            for time in (.5, 1):
                state = cospin_data.read_state(self.path, "evolve", w=w, time=time)
                point = self.data.sel(w=w, time=time)
                self.assertAlmostEqual(state.trace(), 1, delta=1e-9)
                means = {"photons": np.trace(state.reduced("c").block() @ np.diag([0, 1, 2])),
                         "z": np.trace(state.reduced("s").block() @ spin_matrices(1)[1])}
                e, q = state.reduced("e"), state.reduced("q").matrix()[1]
                inversion = sum(np.trace(e.block(j) @ spin_matrices(j)[1]) for j in (1.5, .5))
                raising = sum(np.trace(e.block(j) @ spin_matrices(j)[0]) for j in (1.5, .5))
                means.update(inversion=inversion, x=raising.real, q0=np.trace(q @ np.diag([-1, 1, -1, 1])))
                for name, mean in means.items():
                    self.assertAlmostEqual(mean, float(point["evolve_" + name]), delta=1e-12, msg=name)

    def test_matrix_of_everything(self):
        state = cospin_data.read_state(self.path, "evolve", w=2, time=1)
        basis, rho = state.matrix(every_copy=True)
        self.assertEqual(len(basis), 8 * 3 * 3 * 4)
        np.testing.assert_allclose(rho, rho.conj().T, atol=1e-10)
        self.assertGreater(np.linalg.eigvalsh(rho).min(), -1e-9)
        self.assertAlmostEqual(np.trace(rho), 1, delta=1e-9)
        self.assertAlmostEqual(np.trace(rho @ rho).real, state.purity(), delta=1e-12)

    def test_ranks(self):
        first = xarray.open_dataset(self.path, engine="h5netcdf", group="states/evolve")
        self.assertEqual(first["count"].dims, ("w", "time"))
        self.assertEqual(first["count"].attrs["sample_dimension"], "element")
        self.assertEqual(list(first.time.values), [.5, 1])
        for ranks in (2, 3):
            path, _ = run(ALL_KINDS, f"all{ranks}", self.folder, ranks)
            other = xarray.open_dataset(path, engine="h5netcdf", group="states/evolve")
            self.assertEqual(set(first.variables), set(other.variables))
            for name in first.variables:
                np.testing.assert_allclose(first[name].values, other[name].values, rtol=0, atol=1e-10, err_msg=name)

    def test_start_from_it(self):
        head, _ = ALL_KINDS.split("tasks:")
        more = "tasks:\n  - evolve: {times: [0, 0.5], store: state, initial: {file: all.h5, task: evolve, at: {w: w, time: 0.5}}}\n"
        path, _ = run(head + more, "continued", self.folder)
        data = cospin_data.open_dataset(path)
        for name in ("inversion", "photons", "z", "q0", "x", "mixed_re", "mixed_im", "trace"):
            np.testing.assert_allclose(data["evolve_" + name].values,
                                       self.data["evolve_" + name].sel(time=[.5, 1]).values, atol=1e-9, err_msg=name)
        for time in (0, .5):
            a = cospin_data.read_state(self.path, "evolve", w=2, time=time + .5)
            b = cospin_data.read_state(path, "evolve", w=2, time=time)
            np.testing.assert_allclose(a.values, b.values, atol=1e-9)

    def test_copies_of_an_irrep(self):
        """The same dynamics with and without permutation symmetry: the same spectrum of the density matrix."""
        each = [("{kind: ensemble, size: 4}", "{rate: 0.5, each: e.sp}"), ("{kind: spins, size: 4}",
                                                                          "{rate: 0.5, each: 'e.sp[l]'}")]
        states = []
        for number, (component, jumps) in enumerate(each):
            text = FOUR_SPINS.replace("COMPONENT", component).replace("JUMPS", jumps)
            path, _ = run(text, f"four{number}", self.folder)
            states.append(cospin_data.read_state(path, "evolve", time=.6))
        self.assertAlmostEqual(states[0].purity(), states[1].purity(), delta=1e-9)
        self.assertLess(states[0].purity(), .9)
        spectra = [np.linalg.eigvalsh(state.matrix(every_copy=True)[1]) for state in states]
        np.testing.assert_allclose(*spectra, atol=1e-9)

    def test_atoms_of_several_levels(self):
        path, _ = run(ATOMS, "atoms", self.folder)
        data = cospin_data.open_dataset(path).sel(time=.5)
        g = cospin_data.read_state(path, "evolve", time=.5).reduced("g")
        basis, rho = g.matrix()
        self.assertEqual(len(basis), 10)
        occupations = np.array([g.component().occupations(label) for label, in basis])
        self.assertTrue((occupations.sum(axis=1) == 3).all() and len(np.unique(occupations, axis=0)) == 10)
        for k in range(3):
            self.assertAlmostEqual(rho.diagonal().real @ occupations[:, k], float(data[f"evolve_n{k}"]), delta=1e-12)
        lifting = np.zeros((10, 10))  # E[2,0]
        for j, n in enumerate(occupations):
            if n[0]:
                i, = np.flatnonzero((occupations == n + [-1, 0, 1]).all(axis=1))
                lifting[i, j] = np.sqrt(n[0] * (n[2] + 1))
        self.assertAlmostEqual(np.trace(lifting @ rho), complex(data.evolve_lifted_re, data.evolve_lifted_im), delta=1e-12)
        again = ATOMS.replace("levels: 3}", "levels: 4}").replace("0, 0.5, 1", "0, 0.5").replace(
            "{g: {product: [1, 0.5*i, -0.3]}}", "{file: atoms.h5, task: evolve, at: {time: 0.5}}")
        more = cospin_data.open_dataset(run(again, "four_levels", self.folder)[0])
        for name in ("n0", "n1", "n2", "photons", "lifted_re", "trace"):
            np.testing.assert_allclose(more["evolve_" + name].values,
                                       cospin_data.open_dataset(path)["evolve_" + name].sel(time=[.5, 1]).values, atol=1e-8)

    def test_steady_state_in_a_window(self):
        path, _ = run(CAVITY, "cavity", self.folder)
        state = cospin_data.read_state(path, "steady")
        data = cospin_data.open_dataset(path)
        levels = state.component("c").size
        self.assertGreater(levels, 12)
        photons = np.trace(state.reduced("c").block() @ np.diag(np.arange(levels)))
        self.assertAlmostEqual(photons, float(data.steady_photons), delta=1e-10)
        # it stays what it is, in a larger window and in one that is open
        for number, cutoff in enumerate((", cutoff: 60", "")):
            text = CAVITY.replace("kind: mode", "kind: mode" + cutoff).replace(
                "steady: {store: state}", "evolve: {times: [0, 1], initial: {file: cavity.h5}}")
            path, _ = run(text, f"again{number}", self.folder)
            again = cospin_data.open_dataset(path)
            np.testing.assert_allclose(again.evolve_photons.values, float(data.steady_photons), atol=1e-8)

    def test_bad_points_are_not_stored(self):
        text = CAVITY.replace("store: state", "store: state, tolerance: 1e-30")
        path, _ = run(text, "bad", self.folder, status=3)
        with self.assertRaisesRegex(cospin_data.NotADataset, "bad outcome"):
            cospin_data.read_state(path, "steady")
        self.assertEqual(cospin_data.stored_points(path, "steady"), [])

    def test_readers_refuse(self):
        for arguments, sentence in ((("nothing",), "no states of a task"), (("evolve",), "say which")):
            with self.assertRaisesRegex(cospin_data.NotADataset, sentence):
                cospin_data.read_state(self.path, *arguments)
        for point, sentence in (({"w": 1, "time": .7}, "no state at time"), ({"w": 1, "time": 1, "v": 0}, "no axis v")):
            with self.assertRaisesRegex(cospin_data.NotADataset, sentence):
                cospin_data.read_state(self.path, "evolve", **point)

    def test_faults(self):
        head, _ = ALL_KINDS.split("tasks:")
        initial = "tasks:\n  - evolve: {times: [0], initial: {file: all.h5, task: evolve, at: {w: w, time: 1}}}\n"
        for change, place, sentence in (
                (("all.h5", "none.h5"), "initial.file", "there is no file"),
                (("task: evolve", "task: steady"), "initial.task", "no states of a task `steady`"),
                (("time: 1", "time: 2"), "initial.at.time", "no state at time = 2"),
                (("time: 1", "time: 1, v: 3"), "initial.at.v", "no axis `v`"),
                (("w: w, ", "ww: w, "), "initial.at.ww", "have no axis `ww` (they have: w, time)"),
                (("w: w, ", ""), "initial.file", "at 2 values of w"),
                (("S: 1", "S: 2"), "initial.file", "must be the same"),
                (("cutoff: 3", "cutoff: 2"), "initial.file", "must not be smaller"),
                (("{kind: spin, S: 1}", "{kind: mode, cutoff: 3, edge: 1}"), "initial.file", "kinds of components")):
            text = (head + initial).replace(*change)
            if "mode, cutoff: 3, edge: 1}\n  q" in text:
                text = text.replace("0.2*s.Sp*c.a", "0.2*s.a*c.a").replace("s.Sm", "s.a").replace("z: <s.Sz>, ", "")
            _, said = run(text, "faulty", self.folder, status=2)
            self.assertIn(place, said)
            self.assertIn(sentence, said)

    def test_trace_of_a_damaged_state(self):
        import h5py
        path, _ = run(CAVITY, "damaged", self.folder)
        with h5py.File(path, "r+") as file:
            values = file["states/steady/value_re"]
            values[...] = 1.01 * values[()]
            changed = zlib.crc32(values[()].tobytes())
        text = CAVITY.replace("steady: {store: state}", "evolve: {times: [0, 1], initial: {file: damaged.h5}}")
        _, said = run(text, "from_damaged", self.folder, status=2)
        self.assertIn("`/states/steady/value_re` of", said)
        self.assertIn("is not what was written (attribute crc32)", said)
        with h5py.File(path, "r+") as file:
            file["states/steady/value_re"].attrs.modify("crc32", np.int64(changed))
        _, said = run(text, "from_damaged", self.folder, status=2)
        self.assertIn("has the trace 1.01 (must be 1)", said)

    def test_the_sign_of_the_imaginary_part(self):
        """<Sy> of a driven spin has one sign only: ket and bra, and value_im, are not exchanged."""
        path, _ = run("""title: a driven spin
components: {s: {kind: spin, S: 1/2}}
hamiltonian: [s.Sx]
jumps: [{rate: 1, operator: s.Sm}]
observables: {y: <s.Sy>}
tasks: [steady: {store: state}]
""", "driven", self.folder)
        basis, rho = cospin_data.read_state(path, "steady").matrix()
        self.assertEqual([float(label[0]) for label in basis], [-.5, .5])
        found = float(cospin_data.open_dataset(path).steady_y)
        self.assertGreater(abs(found), .1)
        self.assertAlmostEqual(float(np.trace(rho @ [[0, .5j], [-.5j, 0]]).real), found, delta=1e-12)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
