"""`operator: expansion`: numbers at any size beside exact ones, their errors, and where there must be none."""
# cospin-test: COST 30
import os
import subprocess
import tempfile
import unittest

import numpy

from decks import PROGRAM, run_text

GOOD, UNSTABLE, UNCERTIFIED, BISTABLE = 1, -9, -10, -11
IONS = ("parameters: {N: 1000, x: 0.5, nbar: 0, gs: 0, gd: 0}\ngrid: GRID\ncomponents: {q: {kind: ensemble, size: N}}\n"
        "jumps:\n  - {rate: nbar + 1, operator: q.Sm}\n  - {rate: nbar, operator: q.Sp}\n  - {rate: x*N, each: q.sp}\n"
        "  - {rate: gs, each: q.sm}\n  - {rate: gd/4, each: q.sz}\n"
        "observables: {inversion: 2*<q.Sz>/N, pairs: <q.Sp*q.Sm>/N^2}\n")
DRIVEN = ("parameters: {N: 60}\ngrid: GRID\ncomponents: {q: {kind: ensemble, size: N}}\nhamiltonian: [0.3*q.Sp + hc]\n"
          "jumps:\n  - {rate: 1/N, operator: q.Sm}\n  - {rate: 0.5, each: q.sm}\n  - {rate: 0.3, each: q.sz}\n"
          "observables: {z: 2*<q.Sz>/N, coherence: <q.Sm>/N}\n")
MASER = ("parameters: {N: 1000, kc: 1, w: 2, gam: 0.1, k0: 1, nth: 0.1, r: 3, delta: 0, kS: w + gam + k0, g: sqrt(r*kc*kS/(4*N))}\n"
         "grid: GRID\ncomponents: {s: {kind: ensemble, size: N}, c: {kind: mode}}\nhamiltonian: [g*c.a*s.Sp + hc, delta*s.Sz]\n"
         "jumps:\n  - {rate: w, each: s.sp}\n  - {rate: gam, each: s.sm}\n  - {rate: k0/4, each: s.sz}\n"
         "  - {rate: kc*(nth + 1), operator: c.a}\n  - {rate: kc*nth, operator: dag(c.a)}\nobservables: {n: <c.n>/N}\n")


def run(body, grid, tasks, status=0, ranks=1, form="expansion"):
    text = body.replace("GRID", grid) + f"tasks: [{tasks}]\noperator: {form}\n"
    return run_text(f"title: t\n{text}", status=status, ranks=ranks, mask=False)


class Numbers(unittest.TestCase):
    """Against exact ones: factorised sectors (N <= 1500), multigrid and the limit of many spins (shared notes of the method)."""

    def test_fringe_decay_of_ions(self):
        data = run(IONS, "{N: [1000, 10000, 1000000]}", "{decay: {of: q.Sp}}, {steady: {}}")
        self.assertTrue((data.outcome == GOOD).all())
        numpy.testing.assert_allclose(data.decay_rate[:2, 0], [0.7665178532592782, 0.7516049503], rtol=1e-7)
        numpy.testing.assert_allclose(data.decay_rate[2, 0], 0.750016, rtol=1e-7)
        numpy.testing.assert_allclose(data.steady_inversion[0], 0.501, rtol=1e-7)
        self.assertTrue((data.decay_functions < 150).all())

    def test_ions_with_every_process(self):
        data = run(IONS, "{N: [1500], x: [0.3], nbar: [1], gs: [2], gd: [3]}", "{decay: {of: q.Sp}}, {gap: {}}", status=(0, 3))
        self.assertEqual(int(data.decay_outcome), GOOD)
        self.assertAlmostEqual(float(data.decay_rate) / 0.7310261799, 1, delta=1e-8)
        self.assertAlmostEqual(float(data.gap_rate) / 226.99674, 1, delta=1e-6)

    def test_driven_ensemble_without_a_charge(self):
        data = run(DRIVEN, "{N: [60]}", "{steady: {}}, {gap: {}}")
        self.assertAlmostEqual(float(data.steady_z), -0.7071658652, delta=1e-7)
        self.assertAlmostEqual(float(data.gap_rate), 0.7466950661, delta=1e-6)
        self.assertLess(abs(float(data.steady_z) + 0.7071658652), 3 * float(data.steady_z_error))
        self.assertGreater(abs(float(data.steady_coherence_im)), 0.1)

    def test_maser_of_ten_million_spins(self):
        """N times the decay rate of <a> tends to what phase diffusion says, .50022308 here, like 1/N; detuned it is pulled."""
        data = run(MASER, "{N: [10000000]}", "{decay: {of: c.a}}, {steady: {}}")
        self.assertEqual(int(data.outcome), GOOD)
        self.assertAlmostEqual(float(data.decay_rate) * 1e7, 0.50022308, delta=2e-6)
        self.assertAlmostEqual(float(data.steady_n), 0.6, delta=1e-7)
        data = run(MASER, "{N: [10000], delta: [0.5]}", "{decay: {of: c.a}}")
        self.assertAlmostEqual(float(data.decay_frequency), 0.1219514748, delta=3e-6)  # kc delta/(kc + kS) = .12195122 and 1/N
        self.assertAlmostEqual(float(data.decay_rate) * 1e4, 0.52710644, delta=1e-6)

    def test_a_slow_pump_near_the_edge(self):
        """Pumped 2000 times more slowly than it dephases a laser spikes on its way to rest, and j - m is 1e-4 of N there: mean field
        finds the place. The rate beside phase diffusion, (nth + p_up)/(4 (1/kc + 1/kS) (n + <S+S->/(2 <Sz>)))."""
        slow = MASER.replace("w: 2, gam: 0.1, k0: 1", "w: 0.001, gam: 1e-7, k0: 4").replace("observables: {", "observables: {"
               "T: 4*(1/kc + 1/kS)*(<c.n> + <s.Sp*s.Sm>/(2*<s.Sz>))/(nth + (N/2 + <s.Sz>)/(2*<s.Sz>)), ")
        data = run(slow, "{N: [1e11]}", "{decay: {of: c.a}}, {steady: {}}")
        self.assertTrue((data.outcome == GOOD).all())
        self.assertAlmostEqual(float(data.decay_rate * data.steady_T), 1, delta=5e-5)

    def test_a_mode_beside_its_exact_state(self):
        body = ("parameters: {x: 4}\ngrid: GRID\ncomponents: {c: {kind: mode}}\nhamiltonian: [x*c.a + hc, 0.4*c.n]\n"
                "jumps: [{rate: 1, operator: c.a}, {rate: 0.02, operator: c.a^2}, {rate: 0.2, operator: dag(c.a)}]\n"
                "observables: {n: <c.n>, field: <c.a>}\n")
        ours = run(body, "{x: [4]}", "{steady: {}}, {gap: {}}", status=(0, 3))
        exact = run(body, "{x: [4]}", "{steady: {}}, {gap: {}}", form="auto")
        self.assertTrue((ours.outcome == GOOD).all())
        for name in ("steady_n", "steady_field_im", "gap_rate"):
            self.assertAlmostEqual(float(ours[name][0] / exact[name][0]), 1, delta=1e-6)

    def test_two_halves_are_one_ensemble(self):
        """Seven dimensions of labels, on a sparse grid, beside four on a product of nodes: the same physics."""
        halves = MASER.replace("{s: {kind: ensemble, size: N}, ", "{s: {kind: ensemble, size: N/2}, t: {kind: ensemble, size: N/2}, ")
        halves = halves.replace("g*c.a*s.Sp + hc", "g*c.a*s.Sp + hc, g*c.a*t.Sp + hc")
        for rate, operator in (("w", "sp"), ("gam", "sm"), ("k0/4", "sz")):
            row = f"  - {{rate: {rate}, each: s.{operator}}}\n"
            halves = halves.replace(row, row + row.replace("s.s", "t.s"))
        ours, one = (run(body, "{N: [1000000]}", "{decay: {of: c.a, tolerance: 1e-3}}") for body in (halves, MASER))
        self.assertEqual((int(ours.decay_outcome), int(one.decay_outcome)), (GOOD, GOOD))
        self.assertLess(abs(float(ours.decay_rate / one.decay_rate) - 1), 1e-5)
        self.assertLess(abs(float(ours.decay_rate - one.decay_rate)), float(ours.decay_error))

    def test_of_a_pair_the_positive_frequency(self):
        """A driven spin turns: its slowest modes are a conjugate pair, .11796904 + 2.84622533i (sparse eigenvalues of 61 levels)."""
        data = run("parameters: {N: 60, x: 2.81}\ngrid: GRID\ncomponents: {s: {kind: spin, S: N/2}}\nhamiltonian: [x*s.Sx, -0.659123*s.Sz]\n"
                   "jumps: [{rate: 1/N, operator: s.Sm}, {rate: 0.02229/N, operator: s.Sp}, {rate: 0.2718/N, operator: s.Sz}]\n",
                   "{N: [60, 120]}", "{gap: {tolerance: 1e-5}}", status=(0, 3))
        self.assertEqual(int(data.gap_outcome[1]), GOOD)
        self.assertTrue((data.gap_frequency > 0).all())
        self.assertLess(abs(float(data.gap_rate[0]) - 0.11796904), float(data.gap_error[0]))
        self.assertLess(abs(float(data.gap_frequency[0]) - 2.84622533), float(data.gap_error[0]))

    def test_noise_of_clicks(self):
        """Mean and Fano factor of the collective light of 1000 ions, 2.06825491 (factors), and with lost and dark clicks."""
        body = IONS.replace("operator: q.Sm}", "operator: q.Sm, name: light}")
        data = run(body, "{N: [1000]}", "{counting: {jump: light}}, {counting: {name: half, jump: light, efficiency: 0.5, dark: 10}}")
        self.assertAlmostEqual(float(data.counting_mean), 124750, delta=1e-3)
        self.assertAlmostEqual(float(data.counting_fano), 2.06825491, delta=1e-7)
        self.assertAlmostEqual(float(data.half_mean), 62385, delta=1e-3)
        self.assertAlmostEqual(float(data.half_fano), 1.53404183, delta=1e-7)

    def test_ranks_agree(self):
        one = run(DRIVEN, "{N: [200]}", "{steady: {}}, {gap: {}}")
        two = run(DRIVEN, "{N: [200]}", "{steady: {}}, {gap: {}}", ranks=2)
        numpy.testing.assert_allclose(two.gap_rate, one.gap_rate, rtol=1e-10)
        numpy.testing.assert_allclose(two.steady_z, one.steady_z, rtol=1e-10)


class Light(unittest.TestCase):
    """Two-time correlations, beside exact ones where both reach; errors are told at least as large as they are."""

    MODE = ("grid: GRID\nparameters: {x: 4}\ncomponents: {c: {kind: mode}}\nhamiltonian: [x*c.a + hc, 0.4*c.n]\n"
            "jumps: [{rate: 1, operator: c.a}, {rate: 0.02, operator: c.a^2}, {rate: 0.2, operator: dag(c.a)}]\n")

    def compare(self, ours, exact, task, names):
        """Good, and within the error that is told, which is small beside the largest value."""
        error = ours[f"{task}_error"].to_numpy().squeeze()
        self.assertEqual(int(ours[f"{task}_outcome"]), GOOD)
        for name in names:
            a, b = ours[f"{task}_{name}"].to_numpy().squeeze(), exact[f"{task}_{name}"].to_numpy().squeeze()
            self.assertLess(numpy.max(numpy.abs(a - b) / numpy.max(numpy.abs(b))), 1e-6, name)
            self.assertTrue((numpy.abs(a - b) <= 3 * error + 1e-8 * numpy.max(numpy.abs(b))).all(), name)

    def test_a_mode_beside_its_exact_state(self):
        """Pairs of operators that are no adjoints of each other, too, in one sector and with a coherent part."""
        tasks = ("{spectrum: {of: dag(c.a), frequencies: {linspace: [-3, 3, 7]}}}, "
                 "{spectrum: {name: pair, of: c.a, with: c.n, frequencies: {linspace: [-3, 3, 7]}}}, "
                 "{correlation: {of: dag(c.a), times: [0, 0.1, 1, 10]}}, {correlation: {name: cross, of: c.n, with: c.a, times: [0, 0.5, 2]}}, "
                 "{g2: {of: c.a, times: [0, 0.1, 1, 10]}}")
        ours, exact = run(self.MODE, "{x: [4]}", tasks), run(self.MODE, "{x: [4]}", tasks, form="auto")
        self.compare(ours, exact, "spectrum", ("density",))
        self.compare(ours, exact, "pair", ("density", "density_im"))
        self.compare(ours, exact, "correlation", ("re",))
        self.compare(ours, exact, "cross", ("re", "im"))
        self.compare(ours, exact, "g2", ("value",))
        for name in ("spectrum_peak", "spectrum_height", "spectrum_fwhm", "spectrum_power", "correlation_coherent", "g2_intensity"):
            self.assertAlmostEqual(float(ours[name][0]), float(exact[name][0]), delta=1e-6 * max(1, abs(float(exact[name][0]))))

    def test_charged_sectors_beside_exact_ones(self):
        """Numbers of 300 ions are not good yet, but the errors that they tell are true."""
        tasks = ("{spectrum: {of: q.Sp, frequencies: [-3, 0, 1]}}, {correlation: {of: q.Sp, times: [0, 0.01, 1]}}, "
                 "{g2: {of: q.Sm, times: [0, 0.001, 0.01, 1], tolerance: 1e-4}}")
        ours = run(IONS, "{N: [300]}", tasks, status=3)
        exact = run(IONS, "{N: [300]}", tasks, form="auto")
        for name, error in (("spectrum_density", "spectrum_error"), ("correlation_re", "correlation_error"), ("g2_value", "g2_error")):
            off = numpy.abs(ours[name] - exact[name]).to_numpy()
            self.assertTrue((off <= ours[error].to_numpy() + 1e-9 * numpy.abs(exact[name].to_numpy())).all(), name)
            self.assertLess(numpy.max(off / numpy.abs(exact[name].to_numpy())), 3e-4, name)
        self.assertEqual(int(ours.g2_outcome), GOOD)

    def test_the_line_of_a_billion_spins(self):
        """A laser far above threshold has a Lorentzian line: its width is twice the decay rate of <a>, and g2 - 1 is small as 1/N."""
        tasks = ("{decay: {of: c.a, tolerance: 1e-4}}, {spectrum: {of: dag(c.a), frequencies: [-1e-3, 0, 1e-4, 0.1], tolerance: 1e-4}}, "
                 "{g2: {of: c.a, times: [0, 1], tolerance: 1e-4}}")
        data = run(MASER, "{N: [1e5, 1e9]}", tasks)
        self.assertTrue((data.outcome == GOOD).all())
        numpy.testing.assert_allclose(data.spectrum_fwhm, 2 * data.decay_rate[:, 0], rtol=1e-5)
        numpy.testing.assert_allclose(data.spectrum_power, data.spectrum_height * data.spectrum_fwhm / 4, rtol=2e-5)
        excess = data.g2_value.to_numpy() - 1
        self.assertAlmostEqual(excess[0, 0] * 1e5 / 1.129, 1, delta=1e-2)
        numpy.testing.assert_allclose(excess[1] * 1e4, excess[0], rtol=1e-3)

    def test_ranks_agree(self):
        tasks = "{spectrum: {of: q.Sp, frequencies: [0, 1]}}, {correlation: {of: q.Sp, times: [0, 1]}}"
        one, two = run(IONS, "{N: [2000]}", tasks), run(IONS, "{N: [2000]}", tasks, ranks=2)
        numpy.testing.assert_allclose(two.spectrum_density, one.spectrum_density, rtol=1e-9)
        numpy.testing.assert_allclose(two.correlation_re, one.correlation_re, rtol=1e-9)

    def test_a_correlation_has_the_rate_of_its_sector(self):
        data = run(IONS, "{N: [1000]}", "{decay: {of: q.Sp}}, {correlation: {of: q.Sp, times: [0, 5, 6], tolerance: 1e-4}}", status=(0, 3))
        self.assertAlmostEqual(float(numpy.log(data.correlation_re[0, 1] / data.correlation_re[0, 2])), float(data.decay_rate[0, 0]), delta=1e-4)


class Instead(unittest.TestCase):
    """`operator: auto`: labels where they fit, an expansion where they do not, if it is good."""

    TASKS = ("{steady: {}}, {decay: {of: q.Sp}}, {gap: {}}, {counting: {jump: light}}, {spectrum: {of: q.Sp, frequencies: [0, 1]}}, "
             "{correlation: {of: q.Sp, times: [0, 1]}}, {g2: {of: q.Sm, times: [0, 1]}}")
    KINDS = ("steady", "decay", "gap", "counting", "spectrum", "correlation", "g2")

    def test_labels_and_beyond_on_one_axis(self):
        body = IONS.replace("operator: q.Sm}", "operator: q.Sm, name: light}")
        auto = run(body, "{N: [20, 1000000]}", self.TASKS, form="auto")
        alone = run(body, "{N: [1000000]}", self.TASKS)
        self.assertTrue((auto.outcome == GOOD).all())
        for kind in self.KINDS:
            self.assertEqual(int(auto[f"{kind}_functions"][0]), 0)
            self.assertEqual(int(auto[f"{kind}_functions"][1]), int(alone[f"{kind}_functions"][0]))
        for name in ("steady_inversion", "steady_pairs", "decay_rate", "gap_rate", "counting_fano", "spectrum_density", "spectrum_fwhm",
                     "correlation_re", "g2_value", "decay_error"):
            numpy.testing.assert_array_equal(auto[name][1], alone[name][0], name)
        self.assertTrue(numpy.isnan(auto.decay_residual[1]).all())
        self.assertTrue(numpy.isfinite(auto.decay_residual[0]).all())

    def test_no_labels_and_no_expansion(self):
        """Below threshold, and where a key asks for what only labels have: too large, as ever, and nothing is stored."""
        for tasks in ("{decay: {of: q.Sp}}, {steady: {}}", "{decay: {of: q.Sp, initial: {q: {css: [pi, 0]}}}}, {steady: {store: state}}"):
            data = run(IONS, "{N: [1000000], x: [0.0000001]}" if "store" not in tasks else "{N: [1000000]}", tasks, status=3, form="auto")
            self.assertEqual([int(data.decay_outcome), int(data.steady_outcome)], [-7, -7])
            self.assertTrue(numpy.isnan(data.decay_rate).all() and numpy.isnan(data.steady_inversion).all())


class Refusals(unittest.TestCase):
    """No wrong number is called good: where the state is near an edge, a threshold or nothing to expand around."""

    def test_from_the_edge_to_beyond_threshold(self):
        grid = "{N: [20, 100, 400], x: [0.003, 0.02, 0.3, 0.5, 0.9, 1.2]}"
        ours = run(IONS, grid, "{decay: {of: q.Sp, tolerance: 1e-4}}, {steady: {tolerance: 1e-4}}", status=3)
        exact = run(IONS, grid, "{decay: {of: q.Sp, weights: false}}, {steady: {}}", form="auto")
        good = (ours.decay_outcome == GOOD).to_numpy()
        self.assertTrue(good.any())
        self.assertFalse(good[0].any())  # 20 ions are too few
        self.assertFalse(good[:, 0].any())
        numpy.testing.assert_allclose(ours.decay_rate.to_numpy()[good], exact.decay_rate.to_numpy()[good], rtol=1e-4)
        good = (ours.steady_outcome == GOOD).to_numpy()
        for name in ("steady_inversion", "steady_pairs"):
            numpy.testing.assert_allclose(ours[name].to_numpy()[good], exact[name].to_numpy()[good], rtol=1e-4)

    def test_below_threshold(self):
        data = run(MASER, "{N: [1000], r: [0.8, 1.02]}", "{decay: {of: c.a}}, {steady: {}}", status=3)
        self.assertTrue((data.outcome < 0).all())
        self.assertTrue((data.decay_outcome < 0).all())

    def test_pump_through_both_thresholds(self):
        """Beside second order, which is right to 1/N in between: good there, refused close to a threshold and outside."""
        body = MASER.replace("r: 3, delta: 0, kS: w + gam + k0, g: sqrt(r*kc*kS/(4*N))", "delta: 0, g: sqrt(20*kc*k0/(4*N))")
        grid = "{N: [10000], w: [0.13, 2, 17, 19, 30]}"
        ours = run(body, grid, "{steady: {tolerance: 1e-3}}, {decay: {of: c.a, tolerance: 1e-3}}", status=3)
        second = run(body, grid, "{cumulant: {}}", form="auto")
        between = [1, 2]
        for kind in ("steady", "decay"):
            good = (ours[f"{kind}_outcome"] == GOOD).to_numpy()[0]
            self.assertEqual(list(good.nonzero()[0]), between, kind)
        numpy.testing.assert_allclose(ours.steady_n[0, between], second.cumulant_n[0, between], rtol=3e-3)
        numpy.testing.assert_allclose(2 * ours.decay_rate[0, between, 0], second.cumulant_linewidth[0, between], rtol=1e-2)

    def test_several_stable_points(self):
        """A mode with two-photon drive and loss has two of them (and a parity)."""
        body = ("parameters: {x: 4}\ngrid: GRID\ncomponents: {c: {kind: mode}}\nhamiltonian: [2*c.a + hc, -6*c.n, 0.25*dag(c.a)^2*c.a^2]\n"
                "jumps: [{rate: 1, operator: c.a}]\nobservables: {n: <c.n>}\n")
        data = run(body, "{x: [4]}", "{steady: {}}", status=3)
        self.assertIn(int(data.steady_outcome), (BISTABLE, UNCERTIFIED, UNSTABLE))

    def faults(self, body, sentence):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "deck.yaml")
            with open(path, "w", encoding="utf-8") as stream:
                stream.write(f"title: t\n{body}operator: expansion\n")
            done = subprocess.run([PROGRAM, "plan", path], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 2, done.stdout)
        self.assertIn(sentence, done.stderr)

    def test_faults(self):
        for component, jump, sentence in (
                ("{kind: spins, size: 3}", "{rate: 1, each: q.sm}", "spins that can be told apart"),
                ("{kind: mode, cutoff: 9}", "{rate: 1, operator: q.a}", "leave `cutoff` out"),
                ("{kind: spin, S: 20}", "{rate: 1, operator: q.b}", "no rational function of the labels"),
                ("{kind: ensemble, size: 9}", "{rate: 1, operator: q.Sm}", "something is conserved")):
            self.faults(f"components: {{q: {component}}}\njumps: [{jump}]\ntasks: [steady: {{}}]\n", sentence)
        for key in ("tolerance: -1", "count: 0", "count: 21"):
            self.faults(f"components: {{q: {{kind: ensemble, size: 9}}}}\njumps: [{{rate: 1, each: q.sm}}]\n"
                        f"tasks: [decay: {{of: q.Sm, {key}}}]\n", key.split(":", maxsplit=1)[0])
        cat = ("components: {q: {kind: mode}}\nhamiltonian: [0.4*q.a^2 + hc]\njumps: [{rate: 0.1, operator: q.a^2}, "
               "{rate: JUMP, operator: q.a}]\ntasks: [decay: {of: q.a}]\n")
        self.faults(cat.replace("JUMP", "0"), "each of several sectors")
        self.faults(cat.replace("JUMP", "0.2"), "another parity")
        self.faults("components: {q: {kind: ensemble, size: 9}}\njumps: [{rate: 1, each: q.sm}]\n"
                    "tasks: [{evolve: {times: [0, 1]}}]\n", "task under `operator: expansion`")


if __name__ == "__main__":
    unittest.main()
