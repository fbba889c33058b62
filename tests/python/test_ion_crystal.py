"""Ten ions of a crystal and their matrices: the state that is reached, and the first six of them against dense algebra."""
# cospin-test: PROCESSORS 2 TIMEOUT 600
import os
import sys
import unittest

import h5py
import numpy

from decks import SOURCE, run

# x = 1/2, exact, from an independent code; nine digits are given
INVERSION, CORRELATION = .201609868, .042441257
SIX = [(r"^  N: +10", "  N: 6")] + [(r"dataset: %s\}" % name, "dataset: six/%s}" % name) for name in ("B", "J", "Gm", "Gp")]


def dense_steady_state(repump, up, down, dephasing):
    """Inversion and correlation of the six ions: Eq. (19) and (20) as matrices of 64 states, elements with m = m'."""
    with h5py.File(os.path.join(SOURCE, "input", "crystal_10_19.h5")) as data:
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
    def test_ten_ions_reach_their_steady_state(self):
        data = run("ions_crystal.yaml", [(r"times: +\{.*\}", "times: [0, 2.5, 3]")], ranks=2)
        self.assertEqual(int(data.outcome), 1)
        self.assertEqual(int(data.evolve_dimension), 184756)
        for at in (1, 2):  # it has stopped changing; half a digit, and the tolerance of the evolution
            self.assertAlmostEqual(float(data.evolve_inversion[at]), INVERSION, delta=2.5e-9)
            self.assertAlmostEqual(float(data.evolve_correlation[at]), CORRELATION, delta=2.5e-9)
        self.assertAlmostEqual(float(data.evolve_inversion[0]), -1, delta=1e-12)

    def test_their_steady_state_and_fringe_without_a_matrix(self):
        data = run("ions_crystal_steady.yaml", [(r"^  x: \[.*\]$", "  x: [0.5]")], ranks=2)
        self.assertEqual(int(data.outcome), 1)
        self.assertEqual(int(data.steady_nonzeros), 0)
        self.assertAlmostEqual(float(data.steady_inversion), INVERSION, delta=1e-9)
        self.assertAlmostEqual(float(data.steady_correlation), CORRELATION, delta=1e-9)
        self.assertAlmostEqual(float(data.decay_rate), 7.464833, delta=1e-6)

    def test_six_of_them_against_dense_algebra(self):
        data = run("ions_crystal.yaml", SIX + [(r"times: +\{.*\}", "times: [5]"), (r"^  - evolve:", "  - steady: {}\n  - evolve:")],
                   ranks=2)
        inversion, correlation = dense_steady_state(3, .07279416632368028, .14564173995941024, .2184359062830905)
        self.assertEqual(int(data.outcome), 1)
        self.assertAlmostEqual(float(data.steady_inversion), inversion, delta=1e-12)
        self.assertAlmostEqual(float(data.steady_correlation), correlation, delta=1e-12)
        self.assertAlmostEqual(float(data.evolve_inversion[0]), inversion, delta=2e-9)
        self.assertAlmostEqual(float(data.evolve_correlation[0]), correlation, delta=2e-9)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
