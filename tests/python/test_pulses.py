"""Pulses of light from a collective spin: Tavis-Cummings and balanced Dicke coupling, against another code and closed forms."""
# cospin-test: TIMEOUT 900
import sys
import unittest

import numpy

import decks
from decks import run

# S, lam: t50, t90, t99, peak flux, its time, flux(1), flux(5), and a time after which the pulse is over for 99 percent
PULSES = [(1, .3, 3.23540, 6.97360, 11.91033, .215902, 2.226, .13555577, .10538615, 14),
          (2, 1, .87754, 2.52077, 4.53763, 1.927274, .746, 1.52558630, .00179377, 6),
          (10, .05, 11.76134, 29.48627, 51.91057, .513838, 4.509, .21938330, .51230910, 60),
          (10, .3, 1.28502, 2.21229, 4.61609, 6.891355, 1.189, 6.53782151, .03801189, 6),
          (10, 1, .62801, 2.49055, 4.72813, 13.881863, .388, 4.45802054, .02833620, 6)]
STEPS = 1200


def one_point(spin, coupling, times):
    return [(r"^  S: +\[.*\]", f"  S: [{spin}]"), (r"^  lam: \[.*\]", f"  lam: [{coupling}]"),
            (r"times: +\{.*\}", "times: " + times)]


def time_of(share, times, emitted, flux):
    """Where the cubic through emitted photons and their derivatives, the flux, reaches the share."""
    k = numpy.searchsorted(emitted, share) - 1
    step = times[k + 1] - times[k]
    low, high = 0., 1.
    for _ in range(60):
        s = (low + high) / 2
        value = ((1 + 2 * s) * (1 - s) ** 2 * emitted[k] + s * s * (3 - 2 * s) * emitted[k + 1] +
                 step * s * (1 - s) * ((1 - s) * flux[k] - s * flux[k + 1]))
        low, high = (s, high) if value < share else (low, s)
    return times[k] + low * step


def peak_of(times, flux):
    """Largest value of the polynomial through the seven points around the largest."""
    top = int(flux.argmax())
    near = slice(top - 3, top + 4)
    polynomial = numpy.polynomial.Polynomial.fit(times[near], flux[near], 6)
    fine = numpy.linspace(times[top - 1], times[top + 1], 2001)
    return polynomial(fine).max(), fine[polynomial(fine).argmax()]


class TavisCummings(unittest.TestCase):
    def test_pulses(self):
        for spin, coupling, t50, t90, t99, peak, at, early, late, end in PULSES if decks.LONG else PULSES[1:4:2]:
            data = run("pulse_tavis_cummings.yaml",
                       one_point(spin, coupling, "{linspace: [0, %d, %d]}" % (end, STEPS + 1)))
            self.assertTrue((data.outcome == 1).all())
            times, flux = data.time.values, data.evolve_flux.values.squeeze()
            emitted = data.evolve_emitted.values.squeeze()
            for share, expected in ((.5, t50), (.9, t90), (.99, t99)):
                self.assertAlmostEqual(time_of(share * spin, times, emitted, flux), expected, delta=6e-6)
            found, where = peak_of(times, flux)
            self.assertAlmostEqual(found, peak, delta=6e-7)
            self.assertAlmostEqual(where, at, delta=1e-3)  # flat, and read off a grid there
            self.assertTrue((numpy.diff(emitted) > -1e-9).all())
            data = run("pulse_tavis_cummings.yaml", one_point(spin, coupling, "[1, 5, %d]" % (30 * end)))
            flux, emitted = data.evolve_flux.values.squeeze(), data.evolve_emitted.values.squeeze()
            self.assertAlmostEqual(flux[0], early, delta=6e-9)
            self.assertAlmostEqual(flux[1], late, delta=6e-9)
            self.assertAlmostEqual(emitted[2], spin, delta=1e-8 * spin)

    @decks.long
    def test_thirty_photons(self):
        data = run("pulse_tavis_cummings.yaml", one_point(30, .3, "{linspace: [0, 24, 2401]}"))
        self.assertTrue((data.outcome == 1).all())
        flux, emitted = data.evolve_flux.values.squeeze(), data.evolve_emitted.values.squeeze()
        self.assertAlmostEqual(emitted[-1], 30, delta=1e-6)
        step = data.time.values[1]  # Simpson's rule: what has left is what has flown, 1e-7 of step^4 flux''''
        simpson = step / 3 * (flux[0] + flux[-1] + 4 * flux[1:-1:2].sum() + 2 * flux[2:-1:2].sum())
        self.assertAlmostEqual(simpson, emitted[-1], delta=1e-5)


class Dicke(unittest.TestCase):
    def changes(self, spin, detuning, times, *more):
        return [(r"^  S: +\[.*\]", f"  S: [{spin}]"), (r"^  w0: \[.*\]", f"  w0: [{detuning}]"),
                (r"times: +\{.*\}", "times: " + times), *more]

    def check_rise(self, spin, coupling):
        times = numpy.array([.3, 1, 2, 4])
        data = run("pulse_dicke.yaml", self.changes(spin, 0, str(times.tolist()), (r"^  lam: +0\.05", f"  lam: {coupling}")))
        self.assertTrue((data.outcome == 1).all())
        closed = 4 * coupling ** 2 * spin * (spin + 1) * (1 - numpy.exp(-times)) ** 2
        self.assertLess(abs(data.evolve_flux.values.squeeze() - closed).max(), 2e-8 * closed[-1] + 2e-8)
        self.assertLess(abs(data.evolve_spread.values - .5).max(), 1e-8)  # Sx^2 is conserved: S(S+1)/2 from m = 0

    def test_flux_without_detunings(self):
        for spin, coupling in ((1, .05), (2, .5), (3, .05), (6, .1), (30, .01)) if decks.LONG else ((2, .5), (6, .1)):
            self.check_rise(spin, coupling)

    STEADY = (r"^  - evolve:", "  - steady: {}\n  - evolve:")

    def test_with_a_detuned_spin_the_state_is_fully_mixed(self):
        for spin in (1, 3):
            data = run("pulse_dicke.yaml", self.changes(spin, .5, "[0]", self.STEADY))
            self.assertEqual(int(data.steady_degeneracy.squeeze()), 1)
            self.assertAlmostEqual(float(data.steady_reduced.squeeze()), .005338628, delta=6e-10)
            self.assertAlmostEqual(float(data.steady_inversion.squeeze()), 0, delta=1e-10)
            self.assertAlmostEqual(float(data.steady_spread.squeeze()), 1 / 3, delta=1e-10)

    def test_with_both_detuned(self):
        for spin, flux, inversion in ((1, .0055807530, -.55421), (3, .0245435464, -2.36779)):
            data = run("pulse_dicke.yaml", self.changes(spin, .5, "[0]", self.STEADY, (r"^  w: +0 ", "  w:     1 ")))
            self.assertAlmostEqual(float(data.steady_flux.squeeze()), flux, delta=6e-11)
            self.assertAlmostEqual(float(data.steady_inversion.squeeze()) * spin, inversion, delta=6e-6)

    def test_every_m_squared_has_a_steady_state(self):
        """2S+1 projectors on m_x; the rotation by pi pairs m_x with -m_x: S+1 of its even combinations have a trace."""
        for spin in (1, 2, 3, 4) if decks.LONG else (1, 2):
            data = run("pulse_dicke.yaml", self.changes(spin, 0, "[0]", self.STEADY), status=3)
            self.assertEqual(int(data.steady_outcome.squeeze()), -4)
            self.assertEqual(int(data.steady_degeneracy.squeeze()), spin + 1)

    def test_the_steady_state_that_is_reached(self):
        initial = (r"^  - evolve:", "  - steady: {initial: {spin: {dicke: [S, 0]}}}\n  - evolve:")
        for spin in (1, 2):
            data = run("pulse_dicke.yaml", self.changes(spin, 0, "[0]", initial))
            self.assertTrue((data.outcome == 1).all())
            self.assertAlmostEqual(float(data.steady_reduced.squeeze()), .01, delta=1e-9)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
