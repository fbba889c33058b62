"""Counted photons: pulses of collective spins, what they herald, steady light; on any number of ranks, and from file to file."""
# cospin-test: TIMEOUT 600
import math
import os
import re
import subprocess
import sys
import tempfile
import unittest

import numpy

from decks import PROGRAM, SOURCE, cospin_data, run

PULSE = """
title: A pulse that is read before it is over
parameters: {S: 3}
components: {spin: {kind: spin, S: S}, cavity: {kind: mode, cutoff: S+1, edge: 1}}
hamiltonian: ['0.6*cavity.a*spin.Sp + hc']
jumps:
  - {name: detector, rate: 2, operator: cavity.a}
  - {rate: 0.1, operator: spin.Sz}
observables: {m: <spin.Sz>, photons: <cavity.n>, x: <spin.Sx>}
tasks:
"""
FIRST = PULSE + """
  - clicks: {jump: detector, initial: {spin: {css: [1.9, 0.3]}}, time: 0.9, most: 8, efficiency: 0.8, store: state}
  - evolve: {initial: {spin: {css: [1.9, 0.3]}}, times: [0.9, 1.7], store: state}
"""
SECOND = PULSE.replace("parameters: {S: 3}", "parameters: {S: 3, n: 0}\ngrid: {n: [0, 1, 2, 3, 4]}") + """
  - evolve: {initial: {file: first.h5, task: clicks, at: {clicks: n}}, times: [0, 0.8]}
"""


def binomial(n, k, p):
    return math.comb(n, k) * p ** k * (1 - p) ** (n - k) if 0 <= k <= n else 0.


def weights(atoms):
    """|c_S|^2 of atoms in m = 0: (2S+1) N!/((N-S)!! (N+S+1)!!)."""
    double = lambda n: math.prod(range(n, 0, -2))
    return {spin: (2 * spin + 1) * math.factorial(atoms) / (double(atoms - spin) * double(atoms + spin + 1))
            for spin in range(atoms % 2, atoms + 1, 2)}


def information(atoms, xi):
    """Fisher information of the mixture of |S, -S> with weights xi (Eq. 1 with 10 and 11), G = Qxx - Qyy."""
    total = 0.
    for spin, weight in xi.items():
        m, s = (atoms - spin) / 2, spin + 1.5
        total += 16 * weight * (2 * m * (m - 1) * (spin + 1) * (spin + 2) / (s * (spin + 2.5)) +
                                (2 * spin + 4) * m * (spin + 1) / s + spin)
        other = xi.get(spin + 2, 0.)
        if weight + other > 0:
            element = 4 * (spin + 1) * (spin + 2) * m * (m + s) / (s * (spin + 2.5))
            total -= 16 * weight * other / (weight + other) * element
    return total


def changes(spins, etas, times, coupling):
    return [(r"^  S:   \[.*\]", f"  S:   {spins}"), (r"^  eta: \[.*\]", f"  eta: {etas}"),
            (r"^  T:   \[.*\]", f"  T:   {times}"), (r"^  lam: +0\.3", f"  lam: {coupling}")]


class Pulses(unittest.TestCase):
    def test_a_whole_pulse_counts_the_length_of_the_spin(self):
        data = run("pulse_clicks.yaml", changes([1, 2, 5, 10], [1, .9, .5], [60], 1))
        self.assertTrue((data.outcome == 1).all())
        for spin in data.S.values:
            for eta in data.eta.values:
                point = data.sel(S=spin, eta=eta).squeeze()
                for n in range(int(spin) + 3):
                    found = float(point.clicks_probability[n])
                    self.assertAlmostEqual(found, binomial(int(spin), n, eta), delta=2e-8)
                    if found > 1e-5:
                        self.assertAlmostEqual(float(point.clicks_m[n]), -spin, delta=1e-7 / found)
                self.assertAlmostEqual(float(point.clicks_mean), spin * eta, delta=1e-6)
                self.assertAlmostEqual(float(point.clicks_variance), spin * eta * (1 - eta), delta=1e-6)

    def test_atoms_that_scatter_one_by_one(self):
        """Spin-1 atoms with and without a process of single atoms; numbers of an independent program (P(n) at roots of unity)."""
        expected = {(.1, 1): [.212770832, .177020121, .307118203, .095226824, .159463955, .018691326, .029708738],
                    (.1, .6): [.343207673, .308078476, .215224702, .090353331, .034751926, .006997801, .001386091],
                    (0, 1): [.142857143, 0, .476190476, 0, .311688312, 0, .069264069]}
        data = run("spin1_scattering.yaml", [(r"^  N:   \[.*\]", "  N: [6]"), (r"^  gam: \[.*\]", "  gam: [0.1, 0]")])
        self.assertTrue((data.outcome == 1).all())
        for (gam, eta), values in expected.items():
            numpy.testing.assert_allclose(data.clicks_probability.sel(gam=gam, eta=eta).squeeze(), values, atol=2e-8)

    def test_only_labels_that_are_reached_are_paid_for(self):
        """657 684 labels of eight atoms with their counter, of which a pulse reaches 17 000: no matrix of a gigabyte is planned."""
        deck = os.path.join(SOURCE, "input", "spin1_scattering.yaml")
        with open(deck, encoding="utf-8") as stream:
            text = stream.read().replace("N:   [4, 2, 6, 8]", "N:   [8]")
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "deck.yaml")
            with open(path, "w", encoding="utf-8") as stream:
                stream.write(text)
            plan = subprocess.run([PROGRAM, "plan", path], check=True, capture_output=True, text=True).stdout
        size, unit = re.search(r"task clicks: about ([\d.]+) (kB|MB|GB)", plan).groups()
        self.assertIn("dimension 657684", plan)
        self.assertLess(float(size) * {"kB": 1e-3, "MB": 1, "GB": 1e3}[unit], 100)

    def test_a_click_projects(self):
        """Nothing but clicks takes excitations away: after n of them m + photons is -n, however early that is."""
        data = run("pulse_clicks.yaml", changes([10], [1], [.3, 1, 2.5], .3))
        self.assertTrue((data.outcome == 1).all())
        left = (data.clicks_m + data.clicks_photons).squeeze()
        given = numpy.isfinite(left.values)
        self.assertGreater(given.sum(), 20)
        self.assertLess(abs(left.values + data.clicks.values)[given].max(), 1e-3)
        likely = data.clicks_probability.squeeze().values > 1e-4
        self.assertLess(abs(left.values + data.clicks.values)[likely].max(), 1e-6)

    def test_heralded_fisher_information(self):
        """Averages of Masson and Parkins: shared/physics spin1_counting, Eqs. (9) and (12), computed elsewhere."""
        expected = {10: {1: 697.70897, .9: 634.90026, .5: 300.63248}, 20: {1: 2799.0338, .9: 2317.8556, .5: 858.85096}}
        for atoms, of_eta in expected.items():
            initial = weights(atoms)
            self.assertAlmostEqual(sum(initial.values()), 1, delta=1e-12)
            data = run("pulse_clicks.yaml", changes([s for s in initial if s], list(of_eta), [60], 1))
            self.assertTrue((data.outcome == 1).all())
            for eta, average in of_eta.items():
                clicks = {spin: numpy.nan_to_num(data.clicks_probability.sel(S=spin, eta=eta).squeeze().values).clip(0)
                          for spin in initial if spin}
                clicks[0] = [1.]  # no spin, no light
                joint = {spin: [initial[spin] * p for p in clicks[spin]] for spin in initial}
                total = 0.
                for n in range(atoms + 1):
                    xi = {spin: joint[spin][n] if n < len(joint[spin]) else 0. for spin in initial}
                    probability = sum(xi.values())
                    exact = {spin: initial[spin] * binomial(spin, n, eta) for spin in initial}
                    for spin in initial:
                        self.assertAlmostEqual(xi[spin], exact[spin], delta=3e-8)
                    if probability > 1e-9:
                        total += probability * information(atoms, {spin: w / probability for spin, w in xi.items()})
                self.assertAlmostEqual(total, average, delta=1e-7 * average)


class Files(unittest.TestCase):
    def write_and_run(self, folder, name, text):
        path, output = os.path.join(folder, name + ".yaml"), os.path.join(folder, name + ".h5")
        with open(path, "w", encoding="utf-8") as stream:
            stream.write(text)
        environment = {**os.environ, "TMPDIR": folder}
        done = subprocess.run([PROGRAM, "run", path, "-o", output, "--quiet"], check=False, env=environment)
        self.assertEqual(done.returncode, 0)
        return cospin_data.open_dataset(output), output

    def test_heralded_states_are_a_place_to_start_from(self):
        with tempfile.TemporaryDirectory() as folder:
            first, file = self.write_and_run(folder, "first", FIRST)
            second, _ = self.write_and_run(folder, "second", SECOND)
            probability = first.clicks_probability.values[:5]
            self.assertGreater(probability.sum(), .999)
            whole = cospin_data.read_state(file, "evolve", time=.9)
            self.assertAlmostEqual(whole.trace(), 1, delta=1e-9)
            for n in range(5):
                state = cospin_data.read_state(file, "clicks", clicks=n)
                self.assertAlmostEqual(state.trace(), 1, delta=1e-9)
            for name in ("m", "photons", "x"):
                for k in range(2):  # the state that is stored, and what becomes of it
                    after = second["evolve_" + name].values[:, k]
                    if k == 0:
                        self.assertLess(abs(after - first["clicks_" + name].values[:5]).max(), 1e-6)
                    mixed = (after * probability).sum()
                    direct = float(first["evolve_" + name].values[k])
                    self.assertAlmostEqual(mixed, direct, delta=4 * (1 - probability.sum()) + 1e-8)
            states = {n: cospin_data.read_state(file, "clicks", clicks=n) for n in range(5)}
            self.assertGreater(states[0].purity(), whole.purity())  # who looks knows more

    def test_a_longer_spin_makes_the_counter_longer(self):
        """A run that is given again with more values on an axis keeps what it has, states included."""
        text = PULSE.replace("parameters: {S: 3}", "parameters: {S: 3}\ngrid: {S: [1, 2]}") + """
  - clicks: {jump: detector, initial: {spin: {dicke: [S, 0]}}, time: 1.5, most: S, store: state}
"""
        with tempfile.TemporaryDirectory() as folder:
            first, file = self.write_and_run(folder, "more", text)
            purity = cospin_data.read_state(file, "clicks", S=2, clicks=1).purity()
            seconds = first.seconds.values.copy()
            second, file = self.write_and_run(folder, "more", text.replace("[1, 2]", "[1, 2, 4]"))
            self.assertEqual(second.sizes["clicks"], 5)
            self.assertTrue((second.seconds.values[:2] == seconds).all())  # not computed again
            self.assertTrue((second.clicks_probability.values[1, :3] == first.clicks_probability.values[1]).all())
            self.assertTrue(numpy.isnan(second.clicks_probability.values[1, 3:]).all())
            self.assertEqual(cospin_data.read_state(file, "clicks", S=2, clicks=1).purity(), purity)
            self.assertAlmostEqual(cospin_data.read_state(file, "clicks", S=4, clicks=4).trace(), 1, delta=1e-12)
            checked = subprocess.run([PROGRAM, "show", "--check", file], check=False, capture_output=True, text=True)
            self.assertEqual(checked.returncode, 0, checked.stdout)


class Ranks(unittest.TestCase):
    def check(self, deck, replacements):
        alone = run(deck, replacements)
        self.assertTrue((alone.outcome == 1).all())
        for ranks in (2, 3):
            data = run(deck, replacements, ranks=ranks)
            for name in alone:
                if not name.split("_")[0] in ("clicks", "counting") or name.endswith(("seconds", "iterations", "residual")):
                    continue
                if name in ("clicks_error", "clicks_uncertainty", "clicks_hermiticity", "clicks_operations"):
                    continue
                a, b = alone[name].values.astype(float), data[name].values.astype(float)
                self.assertTrue((numpy.isnan(a) == numpy.isnan(b)).all(), name)
                self.assertLess(numpy.nanmax(abs(a - b) / numpy.maximum(1, abs(a))), 1e-8, name)

    def test_pulses_do_not_depend_on_ranks(self):
        self.check("pulse_clicks.yaml", changes([4], [.7], [1.5], .3))

    def test_steady_light_does_not_depend_on_ranks(self):
        self.check("counting_laser.yaml", [(r"^  N: \[.*\]", "  N: [20]"), (r"^  x: \{.*\}", "  x: [0.3, 1]")])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
