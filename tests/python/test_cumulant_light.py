"""Light by quantum regression of cumulant equations (`of` of task `cumulant`): beside exact spectra where the equations close, and beside
an independent derivation of the same equations (shared notes of the method)."""
# cospin-test: COST 10
import unittest

import numpy as np

from decks import run_text
from test_cumulant_orders import SET_A, SPINS, CAVITY, classes

LIGHT = "of: dag(c.a), frequencies: {linspace: [-1, 1, 5]}"


class Exact(unittest.TestCase):
    def same(self, text, rtol=1e-6):
        """Spectrum, line and correlation of three tasks in one deck; the spectrum's model is good to 1e-6 of its height."""
        data = run_text(text)
        height = float(data.spectrum_height)
        np.testing.assert_allclose(data.cumulant_density, data.spectrum_density, atol=rtol * height)
        for name in ("fwhm", "height", "power", "peak"):
            self.assertAlmostEqual(float(data[f"cumulant_{name}"]), float(data[f"spectrum_{name}"]), delta=rtol * max(1, height), msg=name)
        coherent = np.array([float(data.correlation_coherent), 0])
        for part, shift in zip(("re", "im"), coherent):
            np.testing.assert_allclose(data[f"cumulant_correlation_{part}"].values, data[f"correlation_{part}"].values - shift, atol=rtol)
        self.assertEqual(float(data.cumulant_regression_change), 0)
        return data

    def test_three_driven_spins(self):
        """Two spins and one, detuned, driven, with a common decay: with the spectator there are four operators, so order 4 leaves nothing out."""
        self.same("title: t\ncomponents: {q: {kind: ensemble, size: 2}, r: {kind: ensemble, size: 1}}\n"
                  "hamiltonian: [0.3*q.Sz - 0.2*r.Sz, 0.4*(q.Sp + r.Sp) + hc, 0.25*q.Sp*r.Sm + hc]\njumps:\n"
                  "  - {rate: 0.7, operator: q.Sm + r.Sm}\n  - {rate: 0.3, each: q.sm}\n  - {rate: 0.2, each: r.sp}\n  - {rate: 0.1, each: q.sz}\n"
                  "tasks:\n  - cumulant: {order: 4, of: q.Sp + 0.5*i*r.Sp, frequencies: {linspace: [-2, 2, 9]}, delays: [0, 1, 3]}\n"
                  "  - spectrum: {of: q.Sp + 0.5*i*r.Sp, frequencies: {linspace: [-2, 2, 9]}}\n  - correlation: {of: q.Sp + 0.5*i*r.Sp, times: [0, 1, 3]}\n")

    def test_one_spin(self):
        """Resonance fluorescence: three lines."""
        data = self.same("title: t\ncomponents: {q: {kind: ensemble, size: 1}}\nhamiltonian: [3*q.Sx + 0.4*q.Sz]\njumps: [{rate: 1, each: q.sm}]\ntasks:\n"
                         "  - cumulant: {of: q.Sp, frequencies: {linspace: [-5, 5, 11]}, delays: [0, 0.7, 2]}\n"
                         "  - spectrum: {of: q.Sp, frequencies: {linspace: [-5, 5, 11]}}\n  - correlation: {of: q.Sp, times: [0, 0.7, 2]}\n")
        self.assertGreater(float(data.cumulant_density[2]), float(data.cumulant_density[4]))

    def test_linear_modes(self):
        """A thermal mode and a cold one, coupled: a linear system is second order's own."""
        self.same("title: t\ncomponents: {a: {kind: mode, cutoff: 16}, b: {kind: mode, cutoff: 16}}\n"
                  "hamiltonian: [0.3*a.n, 0.4*a.a*dag(b.a) + hc]\njumps:\n  - {rate: 1.2, operator: a.a}\n  - {rate: 0.2, operator: dag(a.a)}\n"
                  "  - {rate: 0.7, operator: b.a}\ntasks:\n"
                  "  - cumulant: {of: dag(b.a), frequencies: {linspace: [-2, 2, 9]}, delays: [0, 1, 3]}\n"
                  "  - spectrum: {of: dag(b.a), frequencies: {linspace: [-2, 2, 9]}}\n  - correlation: {of: dag(b.a), times: [0, 1, 3]}\n", rtol=1e-5)


class Lasers(unittest.TestCase):
    def test_the_rates_of_a_maser(self):
        """Orders 2 and 4 above threshold: the equations' own rates, which are not those of the light: no spectrum, and a change that says so."""
        data = run_text(SET_A.replace("NS", "[2, 4, 10, 20, 40, 200, 1000]").replace("TASK", f"cumulant: {{{LIGHT}}}, cumulant: {{name: four, order: 4, {LIGHT}}}"))
        np.testing.assert_allclose(data.cumulant_regression_rate, [.317811, .177732, .080014, .042312, .021867, .0045052, .00090678], rtol=3e-5)
        np.testing.assert_allclose(data.four_regression_rate, [.286256, .157094, .068258, .035293, .017968, .0036482, .00073189], rtol=3e-5)
        for name in ("cumulant", "four"):
            self.assertTrue((data[f"{name}_regression_change"] > 1).all())
            for what in ("density", "fwhm", "peak"):
                self.assertTrue(np.isnan(data[f"{name}_{what}"]).all())
        np.testing.assert_allclose(data.cumulant_power, data.cumulant_n, rtol=1e-10)

    def test_classes_and_modes(self):
        s = .4 * 3**.5
        task = "cumulant: {of: dag(c.a)}"
        three = run_text(classes([50, 200, 50], [-s, 0, s]).replace("TASK", task))
        self.assertAlmostEqual(float(three.cumulant_regression_rate), .0060837381, delta=1e-10)
        shifted = run_text(classes([50, 200, 50], [-s, 0, s], shift="0.2").replace("TASK", task))
        self.assertAlmostEqual(float(shifted.cumulant_regression_rate), .0064548451, delta=1e-10)
        self.assertAlmostEqual(float(shifted.cumulant_regression_frequency), .0767027356, delta=1e-10)
        two = run_text("title: t\nparameters: {D: 2, w: 1, gam: 0.1, k0: 0.2, nth: 0.1}\ngrid: {D: [0.5, 2]}\n"
                       "components: {q: {kind: ensemble, size: 100}, a: {kind: mode}, b: {kind: mode}}\n"
                       "hamiltonian: [0.08*a.a*q.Sp + hc, 0.06*b.a*q.Sp + hc, -D/2*a.n + D/2*b.n]\njumps:\n" + SPINS.format("q") +
                       "  - {rate: nth + 1, operator: a.a}\n  - {rate: nth, operator: dag(a.a)}\n"
                       "  - {rate: 0.6*(nth + 1), operator: b.a}\n  - {rate: 0.6*nth, operator: dag(b.a)}\ntasks: [cumulant: {of: dag(a.a)}]\n")
        np.testing.assert_allclose(two.cumulant_regression_rate, [.0207114514, .1750787314], atol=1e-9)
        np.testing.assert_allclose(two.cumulant_regression_frequency, [.0210895014, -.5115017684], atol=1e-9)

    def test_below_threshold_it_is_the_light(self):
        """Ten atoms at a fifth of the threshold: within the error that the change tells, and fourth order is better."""
        text = SET_A.replace("r: 3", "r: 0.2").replace("NS", "[4, 10]").replace("TASK", f"cumulant: {{{LIGHT}}}, cumulant: {{name: four, order: 4, {LIGHT}}}, spectrum: {{{LIGHT}}}")
        data = run_text(text)
        two, four = (np.abs(data[f"{name}_fwhm"] / data.spectrum_fwhm - 1).values for name in ("cumulant", "four"))
        self.assertTrue((two < 2 * data.cumulant_regression_change).all() and (two > 1e-3).all())
        self.assertTrue((four < .05 * two).all())
        np.testing.assert_allclose(data.four_density, data.spectrum_density, rtol=1e-3)

    def test_near_threshold_there_is_no_spectrum(self):
        text = SET_A.replace("r: 3", "r: 0.9").replace("NS", "[10]").replace("TASK", f"cumulant: {{{LIGHT}}}, cumulant: {{name: four, order: 4, {LIGHT}, delays: [0, 1]}}")
        data = run_text(text)
        for name in ("cumulant", "four"):
            self.assertGreater(float(data[f"{name}_regression_change"]), .1)
            self.assertTrue(np.isnan(data[f"{name}_density"]).all())
        self.assertTrue(np.isnan(data.four_correlation_re).all())

    def test_1e12_atoms_below_threshold(self):
        """A hot, weakly pumped maser of any size: its line is that of two coupled damped amplitudes."""
        text = classes(["1e12"], [0]).replace("g: 0.05", "g: 3e-7").replace("kc: 1, w: 1, gam: 0.1", "kc: 1, w: 0.1, gam: 1")
        data = run_text(text.replace("TASK", f"cumulant: {{{LIGHT}}}"))
        kS, z = 1.3, float(data.cumulant_z0)
        matrix = np.array([[-.5, 3e-7], [1e12 * 3e-7 * z, -kS / 2]])
        self.assertAlmostEqual(float(data.cumulant_regression_rate), -np.linalg.eigvals(matrix).real.max(), delta=1e-9)
        self.assertTrue(np.isfinite(data.cumulant_density).all())


class FirstOrder(unittest.TestCase):
    """Mean field in steady state: the laser's frequency is found with it (closed forms, and the notes' table)."""

    def test_a_detuned_maser(self):
        text = ("title: t\ngrid: {d: [0, 0.3], w: [0.05, 1]}\nparameters: {d: 0, w: 1}\ncomponents: {s: {kind: ensemble, size: 100}, c: {kind: mode}}\n"
                "hamiltonian: [0.1*c.a*s.Sp + hc, d*s.Sz]\njumps: [{rate: w, each: s.sp}, {rate: 0.1, each: s.sm}, {rate: 0.5/4, each: s.sz}, {rate: 1, operator: c.a}]\n"
                "observables: {n: <c.n>, z: 2*<s.Sz>/100, x: <dag(c.a)>}\ntasks: [cumulant: {order: 1}]\n")
        data = run_text(text)
        np.testing.assert_allclose(data.cumulant_n, [[0, 23], [0, 21.8284023669]], atol=1e-9)
        np.testing.assert_allclose(data.cumulant_z[:, 1], [.4, .4213017751], rtol=1e-9)
        np.testing.assert_allclose(data.cumulant_frequency, [[np.nan, 0], [np.nan, .3 / 2.6]], atol=1e-12)
        np.testing.assert_allclose(data.cumulant_linewidth[:, 1] / 2, [.0072034988, .0077056209], rtol=1e-8)
        np.testing.assert_allclose(data.cumulant_x_re[:, 1]**2 + data.cumulant_x_im[:, 1]**2, data.cumulant_n[:, 1], rtol=1e-12)
        self.assertTrue((data.cumulant_growth < 0).all() and (data.cumulant_residual < 1e-12).all())

    def test_classes(self):
        s = .4
        for sizes, deltas, shift, n, omega, z in (
                ([50, 200, 50], [-s * 3**.5, 0, s * 3**.5], "0.2", 43.0806755932, .0767894478, [.6102159283, .5173034276, .6630912488]),
                ([150, 150], [-.1, .3], "0", 56.2581901433, .0409037992, [.4671285605, .4873176196])):
            data = run_text(classes(sizes, deltas, shift).replace("nth: 0.1", "nth: 0").replace("TASK", "cumulant: {order: 1}"))
            self.assertAlmostEqual(float(data.cumulant_n), n, delta=1e-8)
            self.assertAlmostEqual(float(data.cumulant_frequency), omega, delta=1e-9)
            np.testing.assert_allclose([data[f"cumulant_z{k}"] for k in range(len(z))], z, rtol=1e-9)

    def test_two_lines_never_come_to_rest(self):
        """Two groups far apart in a bad cavity, each with a frequency of its own: no state turns with one."""
        data = run_text(classes([5000, 5000], [-1.5, 1.5]).replace("kc: 1,", "kc: 10,").replace("k0: 0.2", "k0: 0").replace(
            "w: 1,", "w: 0.3,").replace("TASK", "cumulant: {order: 1}"), status=3, mask=False)
        self.assertEqual(int(data.cumulant_outcome), -8)
        self.assertTrue(np.isnan(float(data.cumulant_frequency)))


if __name__ == "__main__":
    unittest.main()
