"""Spectra and correlations of light: closed forms of one driven atom, the maser's table, a laser across its thresholds."""
# cospin-test: TIMEOUT 900 COST 30
import sys
import unittest
import unittest.mock

import numpy

import decks
from decks import run, run_text
from test_maser_decks import BAD_CAVITY, SET_A, SET_C

C_OF_A = [(r"^  w: +2 ", "  w: 1 "), (r"^  gam: +0\.1", "  gam: 0.05"), (r"^  deph: 1 ", "  deph: 0.5 "),
          (r"^  nth: +0\.1", "  nth: 0.43"), (r"^  r: +3", "  r: 2")]
EXCEPTIONAL = .25  # Rabi frequency at which two eigenvalues, and their vectors, are one


def dispersive_lines(g, away, anharmonicity):
    """Where a resonator beside a transmon emits, for levels 0, 1, 2 of that: one photon more beside that level, dressed states."""
    def dressed(quanta, level):
        levels = numpy.arange(quanta + 1)  # of the transmon, with the other quanta in the resonator
        hop = g * numpy.sqrt(levels[1:] * (quanta - levels[:-1]))
        matrix = numpy.diag(levels * away + levels * (levels - 1) / 2 * anharmonicity) + numpy.diag(hop, 1) + numpy.diag(hop, -1)
        energies, states = numpy.linalg.eigh(matrix)
        return energies[numpy.argmax(abs(states[level]))]  # the one that is most of this level
    return [dressed(level + 1, level) - dressed(level, level) for level in range(3)]


def mollow(rabi):
    """Amplitudes and rates of <Sp(t) Sm(0)> - |<Sm>|^2 of a resonantly driven atom, gamma = 1.

    H. J. Carmichael, Statistical Methods in Quantum Optics 1 (Springer, 1999), section 2.3, with Y^2 = 2 rabi^2.
    """
    y2 = 2 * rabi ** 2
    q = numpy.emath.sqrt(1 - 8 * y2) / 4
    rest = (1 - 5 * y2) / (4 * q)
    amplitudes = y2 / 2 / (1 + y2) * numpy.array([.5, -(1 - y2 + rest) / (4 + 4 * y2), -(1 - y2 - rest) / (4 + 4 * y2)])
    return amplitudes, numpy.array([.5, .75 - q, .75 + q])


def spectrum_of(amplitudes, eigenvalues, omega):
    """2 Re of the transform of sum a exp(lambda t)."""
    return 2 * sum(a / (1j * omega - eigenvalue) for a, eigenvalue in zip(amplitudes, eigenvalues)).real


LADDER = """title: an oscillator whose levels are n^2
parameters: {{k: {k}, n: {n}}}
components: {{c: {{kind: mode, cutoff: {levels}}}}}
hamiltonian: [c.n^2]
jumps: [{{rate: k*(n+1), operator: c.a}}, {{rate: k*n, operator: dag(c.a)}}]
tasks: [spectrum: {{of: dag(c.a), frequencies: {{linspace: [0.5, 1.5, 41]}}}}]
"""


def ladder(n, levels, k, omega):
    """Its spectrum from the elements <l|a rho|l+1>, which obey a tridiagonal equation (levels that none occupies)."""
    l = numpy.arange(levels - 1)
    matrix = numpy.diag(1j * (2 * l + 1) - k * ((n + 1) * (l + .5) + n * (l + 1.5)))
    matrix += numpy.diag(k * (n + 1) * numpy.sqrt((l[1:] + 1) * l[1:]), 1) + numpy.diag(k * n * numpy.sqrt((l[1:] + 1) * l[1:]), -1)
    kicked = numpy.sqrt(l + 1) * (n / (n + 1)) ** (l + 1) / (n + 1)
    return [2 * (numpy.sqrt(l + 1) @ numpy.linalg.solve(1j * at * numpy.eye(levels - 1) - matrix, kicked)).real for at in omega]


def integral_over_2_pi(data):
    return data.spectrum_integral / (2 * numpy.pi)


class Light(unittest.TestCase):
    def near(self, found, expected, bound):
        self.assertLess(float(abs(numpy.asarray(found) - numpy.asarray(expected)).max()), bound)

    def test_mollow(self):
        data = run("mollow.yaml")
        self.assertIn(EXCEPTIONAL, data.W)
        for rabi in data.W.values:
            point, y2 = data.sel(W=rabi), 2 * rabi ** 2
            away = rabi * (1 + (1e-6 if rabi == EXCEPTIONAL else 0))  # the formula has 0/0 there
            amplitudes, rates = mollow(away)
            bound = 1e-6 if rabi == EXCEPTIONAL else 1e-12
            self.near(point.spectrum_density, spectrum_of(amplitudes, -rates, data.frequency.values), bound)
            self.near(point.spectrum_coherent, y2 / 2 / (1 + y2) ** 2, 1e-14)
            self.near(point.spectrum_power, y2 ** 2 / 2 / (1 + y2) ** 2, 1e-14)
            self.near(integral_over_2_pi(point), y2 ** 2 / 2 / (1 + y2) ** 2, 1e-12)
            self.near(point.spectrum_peak, 0, 1e-7)
            time, q = data.time.values, numpy.emath.sqrt(rabi ** 2 - 1 / 16)
            ratio = numpy.sin(q * time) / q if q else time
            self.near(point.g2_value, 1 - numpy.exp(-.75 * time) * (numpy.cos(q * time) + .75 * ratio).real, 1e-9)

    def test_side_bands(self):
        """Far above saturation: lines at 0 and +-W, of widths 1 and 3/2, three to one in height."""
        for axis, peak, width, height in (("[-10, 10, 3]", 0, 1, 1), ("[90, 110, 3]", 100, 1.5, 1 / 3)):
            data = run("mollow.yaml", [(r"W: \[.*\]", "W: [100]"), (r"linspace: \[-8, 8, 321\]", f"linspace: {axis}")])
            self.near(data.spectrum_peak, peak, 1e-2)
            self.near(data.spectrum_fwhm, width, 1e-3)
            self.near(data.spectrum_height, height, 1e-3)

    def compare_maser(self, data, table, bounds):
        for n in data.N.values:
            photons, _, _, g2, rate = table[int(n)]
            point = data.sel(N=n)
            self.near(integral_over_2_pi(point), photons, 1e-7 * photons)
            self.near(point.spectrum_power, photons, 2e-9 * photons)
            self.near(point.g2_value[0], g2, 6e-6)
            self.near(point.g2_value[-1], 1, 2e-2)
            self.near(point.spectrum_peak, 0, 1e-7)
            self.near(point.spectrum_coherent, 0, 1e-15)
            # one pole holds nearly all the light; what the others hold makes the line narrower by its share
            self.near(point.spectrum_fwhm / (2 * rate), 1, bounds[int(n)])
        self.assertTrue((data.spectrum_leak > 0).all() and (data.spectrum_leak < 1e-10).all())

    def test_maser_set_a(self):
        self.compare_maser(run("maser_spectrum.yaml", [(r"N: \[2, 4, 10\]", "N: [4, 10]")]), SET_A, {4: 1e-2, 10: 5e-4})

    @decks.long
    def test_maser_set_c(self):
        self.compare_maser(run("maser_spectrum.yaml", [*C_OF_A, (r"N: \[2, 4, 10\]", "N: [4, 10]")]), SET_C, {4: 2e-2, 10: 2e-3})

    def test_frequency_pulling(self):
        """The light has the frequency with which <a> rotates, and the sign says which way."""
        data = run("maser_spectrum.yaml", [(r"spins\.Sp \+ hc", "spins.Sp + hc\n  - 0.5*spins.Sz"),
                                           (r"N: \[2, 4, 10\]", "N: [4]")])
        self.assertGreater(float(data.decay_frequency[0, 0]), .05)
        self.near(data.spectrum_peak / data.decay_frequency[:, 0], 1, .05)

    def test_every_mode(self):
        """All eigenvalues with their weights make up the spectrum."""
        data = run("maser_bad_cavity.yaml", [
            (r"N: \[10, 40, 160\]", "N: [4]"),
            (r"- decay:  \{of: spins.Sm\}",
             "- decay: {of: spins.Sp, count: 6}\n  - spectrum: {of: spins.Sp, frequencies: {linspace: [-4, 4, 41]}, tolerance: 1e-9}")])
        point = data.isel(N=0)
        eigenvalues = -point.decay_rate.values - 1j * point.decay_frequency.values
        weights = point.decay_weight.values + 1j * point.decay_weight_im.values
        self.near(weights.sum(), 1, 1e-12)
        self.near(point.spectrum_density,
                  spectrum_of(float(point.spectrum_power) * weights, eigenvalues, data.frequency.values), 1e-9)

    def test_one_mode(self):
        """160 spins: a line much narrower than the steps of the axis, its width and height those of one eigenvalue."""
        data = run("maser_bad_cavity.yaml", [
            (r"N: \[10, 40, 160\]", "N: [40, 160]"),
            (r"- decay:  \{of: spins.Sm\}",
             "- decay: {of: spins.Sp}\n  - spectrum: {of: spins.Sp, frequencies: {linspace: [-5.1, 5, 20]}}")])
        for n, bound in ((40, 6e-3), (160, 2e-4)):
            point, rate = data.sel(N=n), BAD_CAVITY[n][0]
            self.near(point.spectrum_peak, 0, 1e-7)
            self.near(point.spectrum_fwhm / (2 * rate), 1, bound)
            self.near(point.spectrum_height / (2 * point.decay_weight[0] * point.spectrum_power / rate), 1, bound)
            self.near(integral_over_2_pi(point) / point.spectrum_power, 1, 1e-6)

    def test_laser_across_its_thresholds(self):
        data = run("laser_spectra.yaml")
        self.assertTrue((data.outcome == 1).all())
        self.near(integral_over_2_pi(data) / data.spectrum_power, 1, 1e-6)
        self.near(data.spectrum_power, data.steady_light, 1e-9)  # Gc = 1, and <Sm> = 0
        ratio = data.spectrum_fwhm / (2 * data.decay_rate.isel(mode=0))
        lasing = (data.w > 1) & (data.w < 40)
        self.near(ratio.where(lasing, 1), 1, .05)
        self.assertLess(float(data.spectrum_fwhm.min()), 3)  # in units of Gc, at w = 8
        self.assertGreater(float(data.spectrum_fwhm.sel(w=.3)), 20)
        self.assertGreater(float(data.spectrum_fwhm.sel(w=100)), 60)
        first = data.g2_value.isel(time=0)
        self.assertGreater(float(first.sel(w=.3)), 2.5)
        self.assertLess(float(first.where(lasing).min()), 1.35)
        self.assertGreater(float(first.sel(w=100)), 1.8)

    def test_blockade(self):
        """g2 falls as the coupling grows; no window is open; the coherent part is what is left of <a^+(t) a(0)>."""
        data = run("blockade_g2.yaml", [(r"\[-4, 24, 561\]", "[-4, 24, 57]"), (r"g: \[1, 2, 5, 10\]", "g: [2, 5, 10]")])
        self.assertTrue((numpy.diff(data.g2_value.isel(time=0)) < 0).all())
        self.assertLess(float(data.g2_value.isel(time=0, g=-1)), .1)
        self.near(data.correlation_coherent, data.spectrum_coherent, 1e-12)
        self.near(data.correlation_re.isel(time=0), data.steady_photons, 1e-12)
        self.near(data.steady_photons - data.spectrum_coherent, data.spectrum_power, 1e-12)
        self.near(integral_over_2_pi(data) / data.spectrum_power, 1, 1e-5)

    def test_transmon(self):
        """A line for each level that is populated, at eigenvalues of the deck's Hamiltonian with so many quanta (transmon.yaml's shifts
        without their expansion); the transmon's populations are thermal but for what the resonator takes; the highest level is empty."""
        data = run("transmon.yaml")
        self.assertTrue((data.outcome == 1).all())
        lines = dispersive_lines(120, -1000, -300)
        warm, frequency = data.spectrum_density.sel(nbar=0.4).values, data.frequency.values
        step = frequency[1] - frequency[0]
        peaks = [frequency[i] for i in range(1, len(warm) - 1) if warm[i] > max(warm[i - 1], warm[i + 1])]
        self.assertEqual(len(peaks), 3)
        self.near(numpy.array(peaks), numpy.array(lines[::-1]), 1.1 * step)  # neighbours pull at each other
        expansion = [120 ** 2 * (j / (-1000 - 300 * (j - 1)) - (j + 1) / (-1000 - 300 * j)) for j in range(3)]
        self.near(numpy.array(lines), numpy.array(expansion), 3 * (120 / 1000) ** 2 * max(expansion))
        self.near(data.steady_photons - data.spectrum_coherent, data.spectrum_power, 1e-9)
        self.assertLess(float(data.steady_highest.max()), 2e-3)
        ratio = data.steady_level_1 / data.steady_level_0 / (data.nbar / (1 + data.nbar))
        self.assertTrue(((0.3 < ratio) & (ratio < 1)).all())  # Purcell: the resonator's (g/D)^2 kappa is beside gamma

    def test_lines_beyond_the_axis(self):
        """Only one of dozens of lines is on the axis. They are found until the integral is that of all of them; where
        that would take too long, the density is right all the same and the outcome tells that the integral is not."""
        for n, levels, k, status in ((1, 40, 1e-2, 0), (6, 100, 1e-4, 3)):
            data = run_text(LADDER.format(n=n, levels=levels, k=k), status=status, mask=False)
            expected = ladder(n, levels, k, data.frequency.values)
            self.near(data.spectrum_density / data.spectrum_height, expected / data.spectrum_height.values, 1e-6)
            self.near(data.spectrum_power / n, 1, 1e-4)  # 100 levels are not all that are populated
            missed = abs(float(integral_over_2_pi(data) / data.spectrum_power) - 1)
            self.assertEqual(missed < 1e-6, status == 0, missed)
            self.assertEqual(int(data.outcome), -1 if status else 1)

    def test_accuracy(self):
        """The error is below its estimate, and both below the tolerance."""
        change = [(r"N: \[2, 4, 10\]", "N: [4]")]
        wanted = r"frequencies: \{linspace: \[-2, 2, 401\]\}"
        exact = run("maser_spectrum.yaml", [*change, (wanted, "frequencies: {linspace: [-2, 2, 401]}\n      tolerance: 1e-9")])
        solves = []
        for tolerance in (1e-2, 1e-4, 1e-6):
            data = run("maser_spectrum.yaml",
                       [*change, (wanted, f"frequencies: {{linspace: [-2, 2, 401]}}\n      tolerance: {tolerance}")])
            error = abs(data.spectrum_density - exact.spectrum_density)
            self.assertTrue((error <= data.spectrum_error + 1e-9).all())
            self.assertLessEqual(float(data.spectrum_error.max()), tolerance * float(data.spectrum_height[0]))
            solves.append(int(data.spectrum_solves[0]))
        self.assertEqual(solves, sorted(solves))
        self.assertLess(solves[-1], 15)

    def test_without_factors(self):
        """Solves by GMRES, where factors would not fit into 12 MB: the same spectrum."""
        change = [(r"N: \[2, 4, 10\]", "N: [4]"), (r"kind: mode", "kind: mode, cutoff: 40")]
        direct = run("maser_spectrum.yaml", change)
        with unittest.mock.patch.dict("os.environ", SLURM_MEM_PER_NODE="12"):
            iterative = run("maser_spectrum.yaml", change)
        self.assertEqual(int(iterative.outcome), 1)
        self.assertNotEqual(float(iterative.spectrum_residual[0]), float(direct.spectrum_residual[0]))
        self.near(iterative.spectrum_density / direct.spectrum_density, 1, 1e-8)
        self.near(iterative.spectrum_fwhm / direct.spectrum_fwhm, 1, 1e-8)

    @decks.long
    def test_ranks(self):
        """The same on one, two and three ranks."""
        change = [(r"w: \[.*\]", "w: [1.2, 16]"), (r"N:   40", "N:   12")]
        first = run("laser_spectra.yaml", change)
        for ranks in (2, 3):
            other = run("laser_spectra.yaml", change, ranks=ranks)
            for name in ("spectrum_density", "spectrum_fwhm", "spectrum_height", "spectrum_integral", "g2_value"):
                self.near(other[name] / first[name], 1, 1e-9)
            self.assertTrue((other.spectrum_solves == first.spectrum_solves).all())


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
