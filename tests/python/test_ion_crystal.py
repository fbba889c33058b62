"""Ten ions of a crystal and their matrices: the state that is reached, and the first six of them against dense algebra."""
# cospin-test: TIMEOUT 600 COST 40
import math
import os
import sys
import tempfile
import unittest

import h5py
import numpy

from decks import SOURCE, run
import cospin_plot

REFERENCE = os.path.join(SOURCE, "tests", "reference", "crystal_10_19.h5")  # by another code; group six: its first six
# x = 1/2, exact, from an independent code; nine digits are given
INVERSION, CORRELATION = .201609868, .042441257
# spontaneous rates in units of Gamma_c; those of the deck are theirs to 1e-3
UP, DOWN, DEPHASING = .07279416632368028, .14564173995941024, .2184359062830905
RATES = [(r"Gsp/3/trap.Gc, each: q.sp", f"{UP}, each: q.sp"), (r"2\*Gsp/3/trap.Gc", f"{DOWN}"),
         (r"Gsp/trap.Gc/4", f"{DEPHASING}/4")]
# the arrays of the first six ions from the file instead of the generator
SIX = RATES + [(r"^  N: +10", "  N: 6"), (r"^  trap:\n(    .*\n)+", "".join(
    f"  {name}: {{file: {REFERENCE}, dataset: six/{name}}}\n" for name in ("B", "J", "Gm", "Gp"))),
    (r"trap.B\[l\]/trap.Gc", "B[l]"), (r"trap.J\[l,m\]/trap.Gc", "J[l,m]"), (r"trap.Gm/trap.Gc", "Gm"),
    (r"trap.Gp/trap.Gc", "Gp"), (r"^  - \{kind: crystal, .*\n", "")]


def dense_steady_state(repump, up, down, dephasing):
    """Inversion and correlation of the six ions: Eq. (19) and (20) as matrices of 64 states, elements with m = m'."""
    with h5py.File(REFERENCE) as data:
        arrays = {name: numpy.array(data["six"][name]) for name in ("B", "J", "Gm", "Gp")}
    size, states = 6, 64
    lower = [numpy.kron(numpy.kron(numpy.eye(2 ** l), [[0, 1], [0, 0]]), numpy.eye(2 ** (size - 1 - l)))
             for l in range(size)]  # 0 is down
    upper = [a.T for a in lower]
    sz = [a @ b - b @ a for a, b in zip(upper, lower)]
    hamiltonian = sum(arrays["B"][l] / 2 * sz[l] for l in range(size))
    pairs = []  # (rate, A, B): rate (A rho B^+ - {B^+ A, rho}/2)
    for l in range(size):
        pairs += [(repump + up, upper[l], upper[l]), (down, lower[l], lower[l]), (dephasing / 4, sz[l], sz[l])]
        for m in range(size):
            hamiltonian = hamiltonian + arrays["J"][l, m] * upper[l] @ lower[m]
            pairs += [(2 * arrays["Gm"][l, m], lower[m], lower[l]), (2 * arrays["Gp"][l, m], upper[m], upper[l])]
    effective = -1j * hamiltonian - sum(rate / 2 * b.T @ a for rate, a, b in pairs)
    excitations = numpy.array([bin(s).count("1") for s in range(states)])
    rows, columns = numpy.nonzero(excitations[:, None] == excitations[None, :])
    generator = numpy.zeros((len(rows), len(rows)), complex)
    for k, (x, y) in enumerate(zip(rows, columns)):
        image = numpy.zeros((states, states), complex)
        image[:, y] += effective[:, x]
        image[x, :] += effective[:, y].conj()
        for rate, a, b in pairs:
            i, j = numpy.flatnonzero(a[:, x]), numpy.flatnonzero(b[:, y])
            image[numpy.ix_(i, j)] += rate * numpy.outer(a[i, x], b[j, y])
        generator[:, k] = image[rows, columns]
    generator[0, :] = rows == columns  # the trace instead of one of the dependent equations
    rho = numpy.zeros((states, states), complex)
    rho[rows, columns] = numpy.linalg.solve(generator, numpy.eye(len(rows))[0])
    correlations = [numpy.trace(upper[l] @ lower[m] @ rho) for l in range(size) for m in range(size) if l != m]
    return (numpy.trace(sum(sz) @ rho) / size).real, numpy.mean(correlations).real


class Crystal(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.file = os.path.join(folder.name, "crystal.h5")

    def test_ten_ions_reach_their_steady_state(self):
        data = run("ions_crystal.yaml", RATES + [(r"times: +\{.*\}", "times: [0, 2.5, 3]")], ranks=2)
        self.assertEqual(int(data.outcome), 1)
        self.assertEqual(int(data.evolve_dimension), 184756)
        for at in (1, 2):  # it has stopped changing; half a digit, and the tolerance of the evolution
            self.assertAlmostEqual(float(data.evolve_inversion[at]), INVERSION, delta=2.5e-9)
            self.assertAlmostEqual(float(data.evolve_correlation[at]), CORRELATION, delta=2.5e-9)
        self.assertAlmostEqual(float(data.evolve_inversion[0]), -1, delta=1e-12)

    def test_their_steady_state_and_fringe_without_a_matrix(self):
        data = run("ions_crystal_steady.yaml", RATES + [(r"^  x: \[.*\]$", "  x: [0.5]")], ranks=2)
        self.assertEqual(int(data.outcome), 1)
        self.assertEqual(int(data.steady_nonzeros), 0)
        self.assertAlmostEqual(float(data.steady_inversion), INVERSION, delta=2.5e-9)
        self.assertAlmostEqual(float(data.steady_correlation), CORRELATION, delta=2.5e-9)
        self.assertAlmostEqual(float(data.decay_rate), 7.464833, delta=1e-6)

    def test_the_crystal_is_stored(self):
        """Frequencies and rates over 2 pi. The grid is over sizes: the smaller crystal fills a part of the arrays."""
        data = run("ions_crystal.yaml", [(r"^components:", "grid:\n  N: [2, 10]\n\ncomponents:"),
                                         (r"  - evolve:\n.*\n.*\n", "  - evolve: {times: [0], initial: {q: ground}}\n"),
                                         (r"(plots:\n)  .*\n  .*\n", r"\1")], keep=self.file)
        self.assertEqual(data.trap_Gm.dims, ("N", "trap_spin", "trap_other_spin"))
        self.assertEqual(data.trap_amplitude.dims, ("N", "trap_mode", "trap_ion"))
        self.assertEqual(data.trap_x.attrs["units"], "m")
        small, large = data.isel(N=0), data.isel(N=1)
        hertz = 2 * numpy.pi
        self.assertAlmostEqual(float(large.trap_nbar[0]), 4.6992, delta=1e-4)
        self.assertAlmostEqual(float(large.trap_kappa[0]) / hertz, 5726, delta=2)
        self.assertAlmostEqual(float(large.trap_Gc) / hertz, 1.7681, delta=.002)  # of rounded Raman parameters
        with h5py.File(REFERENCE) as reference:
            for name in ("Gm", "Gp"):  # sorted: ions equally far are counted in another order there
                mine = numpy.sort(large["trap_" + name].values.ravel()) / float(large.trap_Gc)
                numpy.testing.assert_allclose(mine, numpy.sort(reference[name][:].ravel()), rtol=1e-7)
        amplitude = large.trap_amplitude.values
        numpy.testing.assert_allclose(amplitude @ amplitude.T, numpy.eye(19), atol=1e-12)
        inside = small.trap_amplitude.values[:11, :11]
        numpy.testing.assert_allclose(inside @ inside.T, numpy.eye(11), atol=1e-12)
        self.assertTrue(numpy.isnan(small.trap_amplitude.values[11:]).all())
        self.assertTrue(numpy.isnan(small.trap_Gm.values[2:]).all() and numpy.isfinite(small.trap_Gm.values[:2, :2]).all())
        self.assertEqual(len(set(numpy.round(large.trap_x.values[1:7] ** 2 + large.trap_y.values[1:7] ** 2, 14))), 1)

        ions, modes = cospin_plot.choose_panels(self.file, data, cospin_plot.parse_options([self.file]))
        self.assertEqual((ions.what, modes.what), ("ions", "modes"))
        self.assertEqual(cospin_plot.main([self.file]), 0)
        self.assertGreater(os.path.getsize(self.file.replace(".h5", ".png")), 10000)

    def test_six_of_them_against_dense_algebra(self):
        data = run("ions_crystal.yaml", SIX + [(r"times: +\{.*\}", "times: [5]"), (r"^  - evolve:", "  - steady: {}\n  - evolve:")],
                   ranks=2)
        inversion, correlation = dense_steady_state(3, UP, DOWN, DEPHASING)
        self.assertEqual(int(data.outcome), 1)
        self.assertAlmostEqual(float(data.steady_inversion), inversion, delta=1e-12)
        self.assertAlmostEqual(float(data.steady_correlation), correlation, delta=1e-12)
        self.assertAlmostEqual(float(data.evolve_inversion[0]), inversion, delta=2e-9)
        self.assertAlmostEqual(float(data.evolve_correlation[0]), correlation, delta=2e-9)


class LambDicke(unittest.TestCase):
    def test_the_factor_of_one_spin_is_a_wavelength(self):
        """eta = k sqrt(hbar/(2 m w)): the crystal of its factor and that of the wavelength have one Gamma_c, which goes as its square."""
        few = [(r"^  N:   \[.*\]$", "  N:   [10]"), (r"^  eta: \[.*\]", "  eta: [0.1, 0.2]"), (r"^plots:(.|\n)*", "")]
        k = 0.1/math.sqrt(1.054571817e-34/(2*24.98584*1.66053906660e-27*2*math.pi*2e6))
        one = run("ions_table2.yaml", few).trap_Gc.values.ravel()
        other = run("ions_table2.yaml", few + [(r"lamb_dicke: +eta ", f"raman_wavelength: {2*math.pi/k}*0.1/eta ")]).trap_Gc.values.ravel()
        numpy.testing.assert_allclose(one, other, rtol=1e-12)
        self.assertAlmostEqual(one[1]/one[0], 4, delta=1e-12)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
