"""Task `cumulant`: the maser's table, other ways to the same equations, and what the exact task says of few spins."""
import math
import os
import sys
import tempfile
import unittest
from decimal import Decimal, getcontext

from decks import run

import cospin_plot
import numpy as np

# 120 mK; (Q, w): Sz (eigenvalues -N..N), photons, <S+S->. Shared numbers of the maser, computed independently (two methods).
SAMPLES = {(1e5, 1e5): (1.2235036399e13, 6.7017331438e12, 3.76972489339e24),
           (1e4, 1e5): (3.7499962500e13, 8.6294830844e-1, 4.4964196272e13),
           (1e5, 1e3): (1.1939605036e13, 6.7794496301e10, 3.8134404193e22),
           (1e6, 1e6): (1.4920776064e12, 9.5513975485e14, 5.3726611211e24)}
GRID = [(r"^  Q: \{logspace.*$", "  Q: [1e4, 1e5, 1e6]"), (r"^  w: \{logspace.*$", "  w: [1e3, 1e5, 1e6]")]
HEADLINE = [(r"^  Q: \{logspace.*$", "  Q: [1e5]"), (r"^  w: \{logspace.*$", "  w: [1e5]")]
ROOM = [(r"^  gam:  0\.05 ", "  gam:  200 "), (r"^  nth:  0\.43 ", "  nth:  2083 ")]
START = "{spins: {css: [1.1, 0.4]}, cavity: {coherent: 0.6}}"
NEWTON = [(r"cumulant: \{\}", "cumulant: {method: newton}")]


def quadratic(q_factor, w):
    """The closed steady state with 60 digits: Sz, photons, N^2 <s+_1 s-_2>."""
    getcontext().prec = 60
    number = lambda value: Decimal(repr(value))
    n, g, pi = number(0.375e14), Decimal(math.pi * 0.02 * 2), Decimal(math.pi)
    kc, gam, nth = 2 * pi * number(3e9) / number(q_factor), number(0.05), number(0.43)
    w, deph = number(w), 2 / number(0.5e-6)
    ks, total = w + gam + deph, w + gam
    q, s0 = 1 / kc + (1 - 1 / n) / ks, (w - gam) / total
    a = 2 * q / total
    b = (ks + kc) / (4 * g * g * n) - q * s0 + (2 * nth + 1) / (total * n)
    c = (Decimal("0.5") + (nth + Decimal("0.5")) * s0) / n
    r = (-b + (b * b + 4 * a * c).sqrt()) / (2 * a)
    p = s0 - 2 * r / total
    return n * p, nth + n * r / kc, n * n * p * r / ks


class Cumulant(unittest.TestCase):
    def close(self, value, reference, tolerance):
        self.assertAlmostEqual(float(value) / float(reference), 1, delta=tolerance)

    def test_table(self):
        data = run("maser_map.yaml", GRID)
        for (q, w), (inversion, photons, correlation) in SAMPLES.items():
            point = data.sel(Q=q, w=w)
            self.close(point.cumulant_inversion * 0.375e14, inversion, 1e-9)
            self.close(point.cumulant_photons, photons, 1e-9)
            N = .375e14  # the deck's correlation is that of different spins
            self.close(point.cumulant_correlation, (correlation - N / 2 - inversion / 2) / (1 - 1 / N), 1e-9)
        # closed against the same formula with 60 digits, at every point
        for q in data.Q.values:
            for w in data.w.values:
                for value, reference in zip(("inversion", "photons", "correlation"), quadratic(float(q), float(w))):
                    factor = 0.375e14 if value == "inversion" else 1
                    self.close(data["cumulant_" + value].sel(Q=q, w=w) * factor, reference, 1e-10)
        self.assertLess(float(data.cumulant_residual.max()), 1e-13)

    def test_maps_are_drawn(self):
        """A panel for each variable, the threshold, the star, and the optimal pump of the deck's plots."""
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "map.h5")
            data = run("maser_map.yaml", [(r"1e6, 200\]", "1e6, 9]"), (r"1e9, 200\]", "1e9, 10]")], keep=path)
            panels = cospin_plot.choose_panels(path, data, cospin_plot.parse_options([path]))
            figure = cospin_plot.draw_figure(panels, [(path, data)], self.fail)
        titles = [ax.get_title(loc="left") for ax in figure.axes]
        self.assertEqual(titles[:6], ["(a)", "(b)", "(c)", "(d)", "(e)", "(f)"])
        self.assertEqual([panel.y for panel in panels], "inversion photons correlation Tcoh dB dx".split())
        for ax in figure.axes[:6]:
            self.assertEqual([float(value[0]) for value in ax.lines[-1].get_data()], [1e5, 1e5])
        self.assertEqual([len(ax.lines) for ax in figure.axes[:6]], [1, 1, 1, 2, 1, 1])  # the best pump stands in the coherence time's
        optimum = figure.axes[3].lines[0]
        best = data.cumulant_Tcoh.sel(Q=1e5).argmax()
        self.assertEqual(float(optimum.get_ydata()[list(optimum.get_xdata()).index(1e5)]), float(data.w[best]))

    def test_newton_agrees_with_60_digits(self):
        data = run("maser_map.yaml", GRID + NEWTON)
        self.assertTrue((data.cumulant_iterations > 0).all())
        for q in data.Q.values:
            for w in data.w.values:
                for value, reference in zip(("inversion", "photons", "correlation"), quadratic(float(q), float(w))):
                    factor = 0.375e14 if value == "inversion" else 1
                    self.close(data["cumulant_" + value].sel(Q=q, w=w) * factor, reference, 1e-10)

    def test_headline(self):
        cold = run("maser_map.yaml", HEADLINE).squeeze()
        for value, reference in (("Tcoh", 6.318511e7), ("dB", 2.30077e-14), ("dx", 4.9363e-16)):
            self.close(cold["cumulant_" + value], reference, 1e-5 if value == "dx" else 2e-6)
        self.close(cold.cumulant_Tcoh, 6.318511e7, 1e-7)
        self.close(cold.cumulant_coherence_time, 6.318511e7, 1e-7)  # the linearised noise equations give Eq. (5)
        self.close(cold.cumulant_linewidth, 2 / 6.318511e7, 1e-7)
        self.close(cold.cumulant_w_low, .0966942232, 1e-6)  # half - sqrt() cancels nine digits
        self.close(cold.cumulant_w_high, 8.566370418e6, 1e-9)
        warm = run("maser_map.yaml", HEADLINE + ROOM).squeeze()
        for value, reference in (("Tcoh", 7.432765e4), ("coherence_time", 7.432765e4), ("dB", 6.70851e-13),
                                 ("dx", 1.43923e-14)):
            self.close(warm["cumulant_" + value], reference, 4e-6 if value == "dx" else 1e-6)  # six digits

    def test_every_variable_says_that_it_is_approximate(self):
        data = run("maser_map.yaml", HEADLINE)
        for name, variable in data.data_vars.items():
            if name.startswith("cumulant_"):
                self.assertRegex(variable.attrs["approximation"], r"second-order cumulants.*PRL 102", name)

    def test_small_maser_beside_the_exact_one(self):
        """Set A, N = 10: the equations' own numbers, off by O(1) from the exact ones."""
        data = run("maser_exact.yaml", [(r"N: \[2, 4, 10\]", "N: [10]"),
                                        (r"^  - decay: .*", "  - cumulant: {}\n  - cumulant: {method: newton, name: newton}"),
                                        (r"^  - \{x: N, y: decay_rate.*$", "")]).squeeze()
        for task in ("cumulant", "newton"):
            self.assertAlmostEqual(float(data[task + "_photons"]), 6.8119, delta=5e-5)
            self.assertAlmostEqual(float(data[task + "_inversion"]), 2.6554, delta=5e-5)
            self.assertAlmostEqual(float(data[task + "_correlation"]), 11.5019, delta=5e-5)
            self.assertTrue(math.isnan(float(data[task + "_g2"])))  # four operators
        self.assertAlmostEqual(float(data.steady_photons), 6.121649291, delta=1e-8)

    def test_collective_decay_of_two_spins_is_exact(self):
        """Two spins have no cumulants of three: the equations are the Lindblad equation itself."""
        task = [(r"^  - decay: .*", "  - cumulant: {}"), (r"^  - \{x: N, y: decay_rate.*$", ""),
                (r"^plots:", ""), (r"^  inversion:", "  correlation: <spins.Sp*spins.Sm>\n  zz: <spins.Sz*spins.Sz>\n  inversion:")]
        data = run("maser_bad_cavity.yaml", task + [(r"N: \[10, 40, 160\]", "N: [2]"),
                   (r"^  - \{rate: gam, ", "  - {rate: 0.3, operator: spins.Sp}\n  - {rate: gam, ")]).squeeze()
        for value in ("inversion", "correlation", "zz"):
            self.assertAlmostEqual(float(data["cumulant_" + value]), float(data["steady_" + value]), delta=1e-12)

    def test_collective_decay_of_many_spins(self):
        """The error falls with N, and far above is what mean field says."""
        task = [(r"^  - decay: .*", "  - cumulant: {}"), (r"^  - steady: .*", ""), (r"^  - \{x: N, y: decay_rate.*$", ""),
                (r"^plots:", "")]
        data = run("maser_bad_cavity.yaml", task + [(r"N: \[10, 40, 160\]", "N: [10, 40, 160, 1e10, 1e16]")])
        exact = {10: 1.99502077, 40: 13.19887132, 160: 54.31466345}
        errors = [abs(float(data.cumulant_inversion.sel(N=n)) - sz) / n for n, sz in exact.items()]
        self.assertLess(errors[2], errors[1] / 2)  # .0097 (near a change of sign), .0291, .0135 of Sz/N
        self.assertLess(max(errors), 0.03)
        for n in (1e10, 1e16):  # mean field: Sz/N = kS/(N rate) = 1/3, and Tcoh in the limit kc -> infinity
            self.close(data.cumulant_inversion.sel(N=n) / n, 1 / 3, 1e-9)
            r = 1.05 * (.95 / 1.05 - 1 / 3) / 2
            self.close(data.cumulant_coherence_time.sel(N=n), 4 / 1.25 * n * r / 1.25 / 2, 1e-8)

    def test_frequency_pulling(self):
        """A detuned maser: inversion and frequency of the line as the linear equations say."""
        detune = [(r"spins\.Sp \+ hc", "spins.Sp + hc\n  - 2e6*spins.Sz\n  - 3e5*cavity.n")]
        for method in ([], NEWTON):
            data = run("maser_map.yaml", HEADLINE + detune + method).squeeze()
            kc, ks, g = 2 * math.pi * 3e9 / 1e5, 1e5 + .05 + 4e6, 2 * math.pi * .02
            self.close(data.cumulant_frequency, (kc * 2e6 + ks * 3e5) / (kc + ks), 1e-12)
            clamped = ks * kc / (4 * g * g) * (1 + 4 * 1.7e6**2 / (kc + ks)**2)
            self.close(data.cumulant_inversion, clamped / .375e14, 1e-9)
            matrix = np.array([[-kc / 2 - 3e5j, -1j * g], [1j * g * clamped, -ks / 2 - 2e6j]])
            self.assertLess(abs(max(np.linalg.eigvals(matrix).real)), 1e-6 * kc)

    def test_every_slope_is_exact_in_a_product_state(self):
        """Cumulants are zero in a product state, so what changes in a short time is what the exact equation says."""
        deck = [(r"N: \[2, 4, 10\]", "N: [4]"), (r"kind: mode\}", "kind: mode, cutoff: 14}"),
                (r"^  - steady: .*", "  - evolve: {times: [0, 0.01, 0.02], initial: START}".replace("START", START)),
                (r"^  - decay: .*", f"  - cumulant: {{times: [0, 0.01, 0.02], initial: {START}}}"),
                (r"spins\.Sp \+ hc", "spins.Sp + hc\n  - 0.7*spins.Sz\n  - 0.2*cavity.n"),
                (r"^  - \{rate: gam, ", "  - {rate: 0.3, operator: spins.Sp}\n  - {rate: 0.5, operator: spins.Sm}\n  - {rate: gam, "),
                (r"^  g2:.*$", "  mixed: <dag(cavity.a)*spins.Sm>\n  zz: <spins.Sz^2>"),
                (r"^plots:(.|\n)*", "")]
        data = run("maser_exact.yaml", deck).squeeze()
        for value in ("photons", "inversion", "correlation", "mixed_re", "mixed_im", "zz"):
            exact, second = data["evolve_" + value].values, data["cumulant_" + value].values
            self.assertAlmostEqual(exact[0], second[0], delta=1e-9)
            self.assertGreater(abs(exact[1] - exact[0]), 1e-4)
            near, far = second[1:] - exact[1:]
            self.assertLess(abs(near), 0.02 * abs(exact[1] - exact[0]))
            self.assertLess(abs(near), abs(far) / 3.5 + 1e-8)  # starts with the square of time, or later

    def test_time_ends_in_the_steady_state(self):
        pump = [(r"cumulant: \{\}", "cumulant: {}\n  - cumulant: {name: late, times: [0, 1e-3, 1], accuracy: 1e-6}")]
        data = run("maser_map.yaml", HEADLINE + pump).squeeze()
        self.assertEqual(float(data.late_inversion[0]), -1)
        for value in ("photons", "correlation", "inversion"):
            self.close(data["late_" + value][-1], data["cumulant_" + value], 1e-4)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
