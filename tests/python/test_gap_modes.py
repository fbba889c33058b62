"""`gap` with several modes and over all sectors, against the whole spectrum of the Liouvillian, diagonalised with numpy."""
# cospin-test: COST 5
import unittest

import numpy

from decks import run_text

PLUS = numpy.array([[0, 1], [0, 0]])
GOOD = 1


def on(operator, spin, size=3):
    result = numpy.eye(1)
    for k in range(size):
        result = numpy.kron(result, operator if k == spin else numpy.eye(2))
    return result


def spectrum(h, jumps):
    """Eigenvalues, slowest first."""
    one = numpy.eye(len(h))
    liouvillian = -1j * (numpy.kron(h, one) - numpy.kron(one, h.T))
    for rate, a in jumps:
        both = a.conj().T @ a
        liouvillian = liouvillian + rate * (numpy.kron(a, a.conj()) - 0.5 * numpy.kron(both, one) - 0.5 * numpy.kron(one, both.T))
    values = numpy.linalg.eigvals(liouvillian)
    return values[numpy.argsort(-values.real)]


class Modes(unittest.TestCase):
    """Three spins with detunings of their own, pumped; with and without an exchange that leaves a parity only."""

    def decks(self, coupling):
        detunings = (0.3, -0.2, 0.1)
        h = sum(d / 2 * on(numpy.diag([1, -1]), k) for k, d in enumerate(detunings)) + coupling * on(PLUS + PLUS.T, 0) @ on(PLUS + PLUS.T, 1)
        jumps = [(1, sum(on(PLUS.T, k) for k in range(3)))] + [(0.4, on(PLUS, k)) for k in range(3)] + [(0.1, on(numpy.diag([1, -1]), k)) for k in range(3)]
        data = run_text("title: t\ncomponents: {q: {kind: spins, size: 3}}\narrays: {d: [0.3, -0.2, 0.1]}\n"
                        f"hamiltonian: [sum: 'd[l]/2*q.sz[l]', '{coupling}*q.sx[0]*q.sx[1]']\n"
                        "jumps: [{rate: 1, operator: q.Sm}, {rate: 0.4, each: q.sp}, {rate: 0.1, each: q.sz}]\n"
                        "tasks: [gap: {}, gap: {name: few, count: 4}, gap: {name: all, sector: all, count: 63}, "
                        "gap: {name: one, sector: all}]\n", mask=False)
        return data, spectrum(h, jumps)

    def test_all_modes_of_all_sectors(self):
        for coupling in (0.2, 0):
            data, values = self.decks(coupling)
            self.assertEqual(int(data.all_outcome), GOOD)
            self.assertEqual(int(data.all_zeros), 1)
            numpy.testing.assert_allclose(data.all_rate, -values[1:].real, atol=1e-11)
            numpy.testing.assert_allclose(numpy.sort(data.all_frequency), numpy.sort(-values[1:].imag), atol=1e-11)
            self.assertAlmostEqual(float(data.one_rate), -values[1].real, delta=1e-12)
            self.assertGreater(float(data.gap_rate), float(data.one_rate) + 0.1)  # coherences are slower here

    def test_the_sector_of_each_is_told(self):
        for coupling, charges in ((0.2, {0, 1}), (0, {-3, -2, -1, 0, 1, 2, 3})):
            data, _ = self.decks(coupling)
            self.assertEqual(set(int(q) for q in data.all_charge), charges)
            of_zero = numpy.asarray(data.all_rate)[numpy.asarray(data.all_charge) == 0]
            numpy.testing.assert_allclose(data.few_rate[:4], of_zero[:4], atol=1e-11)
            self.assertTrue((data.few_charge[:4] == 0).all())
            self.assertTrue(numpy.isnan(data.few_rate[4:]).all())
            self.assertAlmostEqual(float(data.gap_rate), of_zero[0], delta=1e-12)
            self.assertTrue(numpy.isnan(data.all_ket).all())  # a weak symmetry has no numbers of kets

    def test_kets_and_bras_of_a_strong_symmetry(self):
        """D[a] of a spin 1 under Sm^2: parities of ket and bra are conserved each; so are all quanta modulo two."""
        data = run_text("title: t\ncomponents: {q: {kind: spin, S: 1}}\nhamiltonian: [0.5*q.Sx^2]\njumps: [{rate: 1, operator: q.Sm^2}]\n"
                        "tasks: [gap: {sector: all, count: 8}]\n", mask=False)
        sp = numpy.diag([2**0.5, 2**0.5], 1)
        values = spectrum(0.5 * ((sp + sp.T) / 2) @ ((sp + sp.T) / 2), [(1, sp.T @ sp.T)])
        zeros = int(data.gap_zeros)
        numpy.testing.assert_allclose(data.gap_rate[:9 - zeros], -values[zeros:].real, atol=1e-12)
        self.assertTrue(set(map(int, data.gap_ket[:9 - zeros])) <= {0, 1} and len(set(map(int, data.gap_bra[:9 - zeros]))) == 2)
        numpy.testing.assert_array_equal((data.gap_ket - data.gap_bra)[:9 - zeros] % 2, data.gap_charge[:9 - zeros])


if __name__ == "__main__":
    unittest.main()
