"""Task `noise_spectrum`: the same linear equations by other means, Eq. (5), and the exact `spectrum` of few spins."""
import math
import sys
import unittest

from decks import run

import numpy as np

# <a^+ a>, p and x of the second-order equations give everything else. Order of u: a, S-, a^+, S+, Sz (eigenvalues -N..N).
ADJOINT = [2, 3, 0, 1, 4]
# set A of maser_exact.yaml with 400 spins of which each is detuned by 2
SPINS, W, GAM, DEPH, KC, NTH, R, DELTA = 400, 2.0, 0.1, 1.0, 1.0, 0.1, 3.0, 2.0
DETUNED = [(r"N: \[2, 4, 10\]", f"N: [{SPINS}]"), (r"spins\.Sp \+ hc", "spins.Sp + hc\n  - 2*spins.Sz"),
           (r"^  - steady: .*", "  - cumulant: {}"), (r"^  g2: .*", ""), (r"^plots:(.|\n)*", "")]
FEW = [(r"^  - decay:.*", ""), (r"^  - g2:\n(.*\n)*", "\n"), (r"linspace: \[-2, 2, 401\]", "linspace: [-2, 2, 9]"),
       (r"^  - spectrum:", "  - noise_spectrum: {frequencies: {linspace: [-2, 2, 9]}}\n  - spectrum:")]


def noise_task(axis):
    return [(r"^  - decay: .*", f"  - noise_spectrum: {{frequencies: {axis}}}")]


class Linear:
    """Unscaled matrices of the linearised equations above threshold; valid while the line is not too narrow for them."""

    def __init__(self, photons):
        ks, up = W + GAM + DEPH, W + GAM
        g = math.sqrt(R * KC * ks / (4 * SPINS))
        self.frequency = KC * DELTA / (KC + ks)
        mode, spin = KC / 2 - 1j * self.frequency, ks / 2 + 1j * (DELTA - self.frequency)
        a, inversion = math.sqrt(photons), (mode * spin).real / g**2
        s = 1j * mode * a / g
        upper = np.array([[-mode, -1j * g, 0, 0, 0], [1j * g * inversion, -spin, 0, 0, 1j * g * a]])
        last = np.array([-2j * g * np.conj(s), 2j * g * a, 2j * g * s, -2j * g * a, -up])
        self.drift = np.vstack([upper, upper.conj()[:, ADJOINT], last])
        excited, ground = (SPINS + inversion) / 2, (SPINS - inversion) / 2
        self.noise = np.zeros((5, 5), complex)  # shared correlations of F, with F_Sz = 2 Fe and operators in order
        self.noise[0, 2], self.noise[2, 0] = KC * (NTH + 1), KC * NTH
        self.noise[3, 1], self.noise[1, 3] = W * SPINS + DEPH * excited, GAM * SPINS + DEPH * ground
        self.noise[4, 4] = 4 * (W * ground + GAM * excited)
        self.noise[4, 1], self.noise[1, 4] = -2 * W * s, 2 * GAM * s
        self.noise[3, 4], self.noise[4, 3] = self.noise[4, 1].conj(), self.noise[1, 4].conj()
        values, vectors = np.linalg.eig(self.drift.T)
        left = vectors[:, np.argmin(abs(values))]
        phase = np.array([1j * a, 1j * s, -1j * a, -1j * np.conj(s), 0])
        left = left / (left @ phase)
        self.width = (left @ self.noise @ left).real
        self.drift = self.drift - self.width / 2 * np.outer(phase, left)

    def density(self, omega):
        row = np.linalg.solve((1j * (omega - self.frequency) * np.eye(5) - self.drift).T, np.eye(5)[2])
        return (row @ self.noise @ row[ADJOINT].conj()).real

    def integral(self):
        one = np.eye(5)
        sum_of = np.kron(self.drift, one) + np.kron(one, self.drift)
        return 2 * math.pi * np.linalg.solve(sum_of, -self.noise.reshape(-1)).reshape(5, 5)[2, 0].real


class NoiseSpectrum(unittest.TestCase):
    def close(self, value, reference, tolerance):
        self.assertAlmostEqual(float(value) / float(reference), 1, delta=tolerance)

    def test_headline(self):
        """The width of the line is 2/Tcoh: 6.318511e7 s (shared numbers of the maser) at 4e13 spins, and Eq. (5) elsewhere."""
        data = run("maser_noise.yaml", [(r"logspace: \[1e-9, 1e9, 361\]", "logspace: [1e-9, 1e9, 7]")])
        self.close(data.noise_spectrum_fwhm.sel(w=1e5), 2 / 6.318511e7, 1e-7)
        maser = data.sel(w=[1, 1e3, 1e5, 4.7e6])
        for at in range(4):
            self.close(maser.noise_spectrum_fwhm[at], maser.cumulant_width[at], 2e-8)
            self.close(maser.noise_spectrum_linewidth[at], maser.cumulant_linewidth[at], 1e-12)
            self.close(maser.noise_spectrum_height[at], 4 * maser.noise_spectrum_power[at] / maser.noise_spectrum_fwhm[at], 1e-7)
        dark = data.sel(w=[.01, .09, 9e6])  # the light of a filter: n is what its noise makes it
        self.assertTrue(np.isnan(dark.noise_spectrum_linewidth).all())
        for point in (dark, maser):
            self.assertLess(float(abs(point.noise_spectrum_integral / (2 * math.pi * point.noise_spectrum_power) - 1).max()), 2e-3)
        for name, variable in data.data_vars.items():
            if name.startswith("noise_spectrum_"):
                self.assertRegex(variable.attrs["approximation"], r"linearised noise.*masing of NV centres", name)

    def test_detuned(self):
        """Matrices without scales, the phase by an eigenvalue solver; the integral also by quadrature."""
        data = run("maser_exact.yaml", DETUNED + noise_task("{linspace: [-8, 8, 32001]}")).squeeze()
        model = Linear(float(data.cumulant_photons))
        self.close(data.noise_spectrum_linewidth, model.width, 1e-10)
        self.close(data.cumulant_linewidth, model.width, 1e-10)  # (1 + alpha^2) of Henry: 1.25 here
        self.assertAlmostEqual(float(data.noise_spectrum_peak), model.frequency, delta=.01 * model.width)  # the rest leans
        for omega in (-3, 0, .4, .488, .489, 2):
            self.close(data.noise_spectrum_density.sel(frequency=omega, method="nearest"), model.density(omega), 1e-9)
        self.close(data.noise_spectrum_integral, model.integral(), 1e-9)
        omega, density = data.frequency.values, data.noise_spectrum_density.values
        tails = KC * NTH * 2 / 8  # the cavity's own noise: kc nth/omega^2
        self.close(((density[1:] + density[:-1]) / 2 * np.diff(omega)).sum() + tails, data.noise_spectrum_integral, 1e-4)

    def test_no_numbers_near_threshold(self):
        data = run("maser_exact.yaml", DETUNED[2:] + noise_task("[0, 1]") + [(r"N: \[2, 4, 10\]", "N: [100]\n  r: [0.3, 1.11, 6]")])
        below, near, above = data.noise_spectrum_fwhm.values.ravel()
        self.assertTrue(math.isnan(near) and below > 0 and above > 0)
        self.assertTrue(np.isnan(data.noise_spectrum_density.sel(r=1.11)).all())
        self.assertGreater(float(data.noise_spectrum_nonlinearity.sel(r=1.11)), .2)
        self.assertTrue((data.noise_spectrum_outcome == 1).all())

    def test_beside_the_exact_spectrum(self):
        """Few spins: below threshold the error falls with their number; above, ten give the width to a third."""
        wrong = []
        for spins in (4, 8):
            data = run("maser_spectrum.yaml", FEW + [(r"^  N: \[2, 4, 10\]", f"  N: [{spins}]"), (r"^  r:    3", "  r: 0.5")])
            wrong.append(float(abs(data.noise_spectrum_density / data.spectrum_density - 1).max()))
            self.close(data.noise_spectrum_fwhm, data.spectrum_fwhm, .1)
        self.assertLess(wrong[1], wrong[0] / 1.5)  # .276, .177
        self.assertLess(wrong[1], .18)
        data = run("maser_spectrum.yaml", FEW + [(r"^  N: \[2, 4, 10\]", "  N: [10]")])
        self.close(data.spectrum_fwhm, data.noise_spectrum_fwhm, .5)  # .126, .088
        self.close(data.spectrum_integral, data.noise_spectrum_integral, .06)
        self.close(data.spectrum_density.sel(frequency=2), data.noise_spectrum_density.sel(frequency=2), .05)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
