"""Task `heralding` against states: 3^N tensor products, symmetric bosons, numbers that were computed elsewhere, Bayes by hand."""
# cospin-test: TIMEOUT 300
import itertools
import math
import os
import subprocess
import tempfile
import unittest

import numpy

from decks import MPIEXEC, PROGRAM, cospin_data


def run(parameters, grid, *tasks, status=0, ranks=1, check=False):
    """The dataset of a deck with the task `heralding: {keys}`, or several of them, and nothing else."""
    text = "title: T\nparameters: {%s}\n" % parameters + ("grid: {%s}\n" % grid if grid else "")
    text += "tasks:\n" + "".join("  - heralding: {%s}\n" % keys for keys in tasks)
    return run_text(text, status, ranks, check)


def run_text(text, status=0, ranks=1, check=False):
    """The dataset of a deck; with `check` also what `show --check` says of it."""
    with tempfile.TemporaryDirectory() as folder:
        path, output = os.path.join(folder, "deck.yaml"), os.path.join(folder, "deck.h5")
        with open(path, "w", encoding="utf-8") as stream:
            stream.write(text)
        environment = {**os.environ, "TMPDIR": folder}
        launcher = [MPIEXEC, "-n", str(ranks)] if ranks > 1 else []
        if ranks > 1:
            environment.pop("OMPI_MCA_ess_singleton_isolated", None)
        done = subprocess.run(launcher + [PROGRAM, "run", path, "-o", output, "--quiet"], check=False, env=environment)
        assert done.returncode == status, f"exit status {done.returncode}, not {status}"
        if check:
            checked = subprocess.run([PROGRAM, "show", "--check", output], check=False, capture_output=True, text=True,
                                     env=environment)
            assert checked.returncode == 0, checked.stdout
        return cospin_data.open_dataset(output)


def binomial(n, k, p):
    return math.comb(n, k) * p ** k * (1 - p) ** (n - k) if 0 <= k <= n else 0.


def poisson(k, mean):
    return math.exp(-mean) * mean ** k / math.factorial(k) if k >= 0 else 0.


def information_of(rho, generator):
    """Fisher information, Eq. (1): 2 sum (p_k - p_l)^2/(p_k + p_l) |G_kl|^2."""
    p, states = numpy.linalg.eigh(rho)
    p = p.clip(0)
    total = p[:, None] + p[None, :]
    factor = numpy.divide((p[:, None] - p[None, :]) ** 2, total, out=numpy.zeros_like(total), where=total > 1e-13)
    return 2 * (factor * abs(states.conj().T @ generator @ states) ** 2).sum()


class Tensors:
    """N atoms, each of the levels m = 1, 0, -1: 3^N amplitudes."""
    def __init__(self, atoms):
        lower = numpy.zeros((3, 3))
        lower[1, 0] = lower[2, 1] = math.sqrt(2)
        flip = numpy.zeros((3, 3))
        flip[0, 2] = flip[2, 0] = 2.  # Qxx - Qyy = 2 (Sx^2 - Sy^2)
        total = lambda one: sum(numpy.kron(numpy.kron(numpy.eye(3 ** k), one), numpy.eye(3 ** (atoms - 1 - k)))
                                for k in range(atoms))
        self.generator, minus, z = total(flip), total(lower), total(numpy.diag([1., 0., -1.]))
        value, vector = numpy.linalg.eigh(minus.T @ minus + z @ z - z)  # S^2
        self.weights, self.states = {}, {}
        start = numpy.zeros(3 ** atoms)
        start[(3 ** atoms - 1) // 2] = 1
        for spin in range(atoms % 2, atoms + 1, 2):
            mine = vector[:, abs(value - spin * (spin + 1)) < 1e-6]
            state = mine @ (mine.T @ start)
            self.weights[spin] = state @ state
            for _ in range(spin):
                state = minus @ state
            self.states[spin] = state / numpy.linalg.norm(state)


class States(unittest.TestCase):
    def test_against_tensor_products(self):
        for atoms in (2, 3, 4, 5):
            tensors = Tensors(atoms)
            data = run("N: %d, eta: 1, n: 0" % atoms, "eta: [0.9, 0.5], n: %s" % list(range(atoms // 2 + 1)),
                       "atoms: N, efficiency: eta, first: n")
            self.assertTrue((data.outcome == 1).all())
            for eta, n in itertools.product(data.eta.values, data.n.values.astype(int)):
                point = data.sel(eta=eta, n=n)
                joint = {spin: weight * binomial(spin, n, eta) for spin, weight in tensors.weights.items()}
                probability = sum(joint.values())
                rho = sum(weight * numpy.outer(tensors.states[spin], tensors.states[spin])
                          for spin, weight in joint.items()) / probability
                self.assertAlmostEqual(float(point.heralding_probability), probability, delta=1e-12)
                for spin, weight in joint.items():
                    self.assertAlmostEqual(float(point.heralding_prior[spin]), tensors.weights[spin], delta=1e-12)
                    self.assertAlmostEqual(float(point.heralding_posterior[spin]), weight / probability, delta=1e-12)
                    pure = 4 * numpy.linalg.norm(tensors.generator @ tensors.states[spin]) ** 2
                    self.assertAlmostEqual(float(point.heralding_pure[spin]), pure, delta=1e-9 * pure)
                expected = information_of(rho, tensors.generator)
                self.assertAlmostEqual(float(point.heralding_information), expected, delta=1e-9 * expected)

    def test_all_spins_of_many_atoms(self):
        """|S,-S> of bosons in three modes, the lowest eigenvector of S^2 among the states of M = -S."""
        for atoms in (20, 40):
            size = (atoms + 1, atoms + 1)  # n+, n-
            pure = run("N: %d" % atoms, "", "atoms: N").heralding_pure.values
            # two weights give what connects them: F = xi_S F_S + xi_S' F_S' - 16 xi_S xi_S' |G|^2 of sum 1
            pairs = run("N: %d, s: 0" % atoms, "s: {range: [0, %d, 2]}" % atoms,
                        "atoms: N, prior: 'max(0, 1 - (S - s - 1)^2/4)', pulses: 0").heralding_information.values
            before = None
            for spin in range(atoms, -1, -2):
                state = self.lowest(atoms, spin, size)
                turned = self.turn(state)
                exact = 4 * (turned ** 2).sum()
                self.assertAlmostEqual(pure[spin], exact, delta=1e-9 * exact)
                if before is not None:
                    lost = 4 * (before * turned).sum() ** 2
                    expected = (pure[spin] + pure[spin + 2]) / 2 - lost
                    self.assertAlmostEqual(pairs[spin // 2], expected, delta=1e-9 * expected)
                before = state

    @staticmethod
    def lowest(atoms, spin, size):
        pairs = numpy.arange((atoms - spin) // 2 + 1)
        zero, minus = atoms - spin - 2 * pairs, spin + pairs
        # S^+ S^- = 2 (b0^+ b+ + b-^+ b0)^+ (...) + Sz^2 - Sz, with Sz = -S
        square = numpy.diag(2. * ((zero + 1) * pairs + (minus + 1) * zero) + spin * spin + spin)
        step = 2 * numpy.sqrt(pairs[1:] * minus[1:] * zero[:-1] * (zero[:-1] - 1.))
        square += numpy.diag(step, 1) + numpy.diag(step, -1)
        value, vector = numpy.linalg.eigh(square)
        assert abs(value[0] - spin * (spin + 1)) < 1e-8 * (1 + value[-1])
        state = numpy.zeros(size)
        state[pairs, minus] = vector[:, 0]
        return state

    @staticmethod
    def turn(state):
        """2 (b+^+ b- + hc) on amplitudes of [n+, n-]."""
        plus, minus = numpy.indices(state.shape)
        up = numpy.zeros_like(state)
        up[1:, :-1] = (numpy.sqrt((plus + 1) * minus) * state)[:-1, 1:]
        up[:-1, 1:] += (numpy.sqrt(plus * (minus + 1)) * state)[1:, :-1]
        return 2 * up


CAVITY = """
title: T
parameters: {N: 4, n: 0}
grid: {N: [3, 4], n: [0, 1]}
components: {atoms: {kind: levels, size: N, levels: 3}, cavity: {kind: mode, cutoff: N+1}}
hamiltonian: [cavity.a*atoms.Sp + hc]
jumps: [{name: light, rate: 2, operator: cavity.a}]
observables: {F: qfi(atoms.Qxx - atoms.Qyy)}
tasks:
  - clicks: {jump: light, efficiency: 0.9, dark: 0.016, time: 25, most: 8, initial: {atoms: {level: 1}}}
  - heralding: {atoms: N, efficiency: 0.9, dark: 0.4, first: n}
  - heralding: {name: all, atoms: N, efficiency: 0.9, dark: 0.4}
"""


class Cavity(unittest.TestCase):
    def test_against_atoms_in_a_cavity(self):
        """The evolution of atoms, cavity and counter with dark counts knows nothing of the closed form."""
        data = run_text(CAVITY, check=True)
        for atoms, n in itertools.product((3, 4), (0, 1)):
            point = data.sel(N=atoms, n=n)
            self.assertAlmostEqual(float(point.clicks_probability[n]), float(point.heralding_probability), delta=1e-8)
            self.assertAlmostEqual(float(point.clicks_F[n] / point.heralding_information), 1, delta=1e-6)
            self.assertGreater(float(point.clicks_averaged), 1 - 1e-5)  # more clicks than 8, by dark counts
            self.assertAlmostEqual(float(point.clicks_F_average / point.all_average_information), 1, delta=1e-5)


class Numbers(unittest.TestCase):
    """Numbers of shared/physics spin1_counting.md, which were computed elsewhere."""
    def test_averages_of_one_pulse(self):
        expected = {2: [35.555556, 34.997821, 26.074074], 3: [74.88, 73.192614, 52.937143],
                    5: [186.19582, 178.55908, 109.94403], 10: [697.70897, 634.90026, 300.63248],
                    20: [2799.0338, 2317.8556, 858.85096], 40: [11404.619, 8199.7298, 2453.9734],
                    60: [25992.206, 16880.304, 4536.2246]}
        data = run("N: 1, eta: 1", "N: %s, eta: [1, 0.9, 0.5]" % list(expected), "atoms: N, efficiency: eta")
        self.assertTrue((data.outcome == 1).all())
        for atoms, row in expected.items():
            for k, value in enumerate(row):
                self.assertAlmostEqual(float(data.heralding_average_information.sel(N=atoms)[k]), value, delta=1.5e-7 * value)
        # a perfect counter tells S
        perfect = data.sel(eta=1)
        self.assertLess(abs(perfect.heralding_average_information / perfect.heralding_limit - 1).max(), 1e-12)
        self.assertLess(abs(perfect.heralding_average_deviation).max(), 1e-12)

    def test_spins(self):
        pure = run("N: 3", "N: [3, 4, 40]", "atoms: N").heralding_pure
        for atoms, values in {3: {1: 464 / 5, 3: 48}, 4: {0: 1792 / 15, 2: 992 / 7, 4: 64},
                              40: {0: 7338.6667, 8: 11907.8496, 20: 9946.7907, 40: 640}}.items():
            for spin, value in values.items():
                self.assertAlmostEqual(float(pure.sel(N=atoms, spin=spin)), value, delta=1e-8 * value)

    def test_weights_of_a_thousand_atoms(self):
        data = run("N: 1000", "N: [1000, 999]", "atoms: N, pulses: 0")
        prior = data.heralding_prior.sel(N=1000).values
        self.assertAlmostEqual(float(data.heralding_mean.sel(N=1000)), 39.1381025, delta=1e-7)
        self.assertAlmostEqual(prior[202::2].sum(), 1.3404031e-9, delta=1e-15)
        self.assertEqual(int(numpy.nanargmax(prior)), 32)
        self.assertAlmostEqual(prior[32], .0383243768, delta=1e-10)
        # Eq. (8) holds for probabilities: p_N+1(S) = p_N(S-1) S/(2S-1) + p_N(S+1) (S+1)/(2S+3)
        fewer = numpy.append(numpy.nan_to_num(data.heralding_prior.sel(N=999).values), 0)
        spin = numpy.arange(2, 1001, 2)
        grown = fewer[spin - 1] * spin / (2 * spin - 1) + fewer[spin + 1] * (spin + 1) / (2 * spin + 3)
        self.assertLess(abs(grown - prior[2::2]).max(), 1e-13)

    def test_a_spin_is_found(self):
        """S = 30 among 1000 atoms; the printed (1 - eta)^(S - n) of Eq. (15) leads to another one."""
        data = run("N: 1000, k: 1", "k: [1, 2, 11]",
                   "atoms: N, efficiency: 0.7, first: 21, later: {linspace: [42, 42, 10]}, pulses: k")
        for row, expected in enumerate([(30.42909, 3.62044, .223011), (29.98302, 2.07850, .382087),
                                        (29.91446, .58323, .913144)]):
            found = [float(v[row]) for v in (data.heralding_mean, data.heralding_deviation,
                                             data.heralding_posterior.sel(spin=30))]
            for value, right in zip(found, expected):
                self.assertAlmostEqual(value, right, delta=5.1e-6)  # half of the last digit

    def test_mean_information_after_more_pulses(self):
        expected = {.9: [1531.703548, 1770.545990, 1783.529740], .5: [612.618804, 1015.921518, 1234.993852]}
        data = run("eta: 1, k: 1", "eta: [0.9, 0.5], k: [1, 2, 3]", "atoms: 16, efficiency: eta, pulses: k", check=True)
        self.assertTrue((data.outcome == 1).all())
        for eta, row in expected.items():
            found = data.heralding_average_information.sel(eta=eta).values
            self.assertLess(abs(found - row).max(), 1e-6)
        self.assertAlmostEqual(float(data.heralding_limit[0, 0]), 1785.073930, delta=1e-6)
        self.assertLess(float(abs(data.heralding_missing).max()), 1e-12)


class Records(unittest.TestCase):
    def test_dark_counts_and_a_prior_by_hand(self):
        eta, dark, record = .6, .8, (3, 5, 6)
        data = run("eta: %g, dark: %g" % (eta, dark), "", "atoms: 8, efficiency: eta, dark: dark, first: 3, later: [5, 6], "
                   "prior: exp(-(S-3)^2/8)")
        joint = {}
        for spin in range(0, 9, 2):
            joint[spin] = math.exp(-(spin - 3) ** 2 / 8)
        total = sum(joint.values())
        for spin in joint:
            joint[spin] /= total
            for pulse, n in enumerate(record):
                photons = (2 if pulse else 1) * spin
                joint[spin] *= sum(binomial(photons, k, eta) * poisson(n - k, dark) for k in range(n + 1))
        self.assertAlmostEqual(float(data.heralding_probability), sum(joint.values()), delta=1e-14)
        for spin, weight in joint.items():
            self.assertAlmostEqual(float(data.heralding_posterior[spin]), weight / sum(joint.values()), delta=1e-12)

    def test_averages_are_sums_over_records(self):
        """One record at a time, and the sum over what is still to come."""
        keys, most = "atoms: N, efficiency: 0.7, dark: 0.3, first: 2", 32
        data = run("N: 6", "", keys + ", pulses: 2, name: ahead", keys + ", name: before",
                   *("%s, later: [%d], name: after_%d" % (keys, n, n) for n in range(most)))
        share = [float(data["after_%d_probability" % n] / data.before_probability) for n in range(most)]
        self.assertAlmostEqual(sum(share), 1, delta=1e-12)
        for name in ("information", "deviation"):
            total = sum(share[n] * float(data["after_%d_%s" % (n, name)]) for n in range(most))
            self.assertAlmostEqual(float(data["ahead_average_" + name]), total, delta=1e-9 * total)
            self.assertAlmostEqual(float(data["ahead_" + name]), float(data["before_" + name]), delta=1e-12 * total)

    def test_samples(self):
        keys = "atoms: 16, efficiency: 0.7, dark: 0.5, pulses: k, samples: M, seed: seed"
        data = run("k: 1, M: 0, seed: 1", "k: [1, 2], M: [0, 20000]", keys, check=True)
        exact, drawn = data.sel(M=0), data.sel(M=20000)
        self.assertTrue((exact.heralding_average_error == 0).all())
        off = abs(drawn.heralding_average_information - exact.heralding_average_information)
        self.assertLess(float((off / drawn.heralding_average_error).max()), 4)
        self.assertLess(float((drawn.heralding_average_error / exact.heralding_average_information).max()), .01)
        off = abs(drawn.heralding_average_deviation / exact.heralding_average_deviation - 1)
        self.assertLess(float(off.max()), .02)

    def test_dark_counts_alone(self):
        """A blind counter tells nothing, however many dark counts it makes."""
        data = run("dark: 1", "", "atoms: 100, efficiency: 0, dark: dark, first: 40")
        numpy.testing.assert_allclose(data.heralding_posterior, data.heralding_prior, rtol=1e-12)
        self.assertAlmostEqual(float(data.heralding_probability) / poisson(40, 1), 1, delta=1e-11)

    def test_samples_of_many_dark_counts(self):
        """exp(-900) is no number any more."""
        data = run("M: 0", "M: [0, 2000]", "atoms: 20, efficiency: 0.9, dark: 900, pulses: 2, samples: M, tolerance: 1e-4")
        exact, drawn = data.sel(M=0), data.sel(M=2000)
        off = abs(drawn.heralding_average_information - exact.heralding_average_information)
        self.assertLess(float(off / drawn.heralding_average_error), 4)
        self.assertLess(float(drawn.heralding_average_error / exact.heralding_average_information), .01)

    def test_ranks(self):
        grid, keys = "M: [0, 501], seed: [3, 4]", "atoms: 9, efficiency: 0.7, first: 2, pulses: 3, samples: M, seed: seed"
        alone = run("M: 0, seed: 1", grid, keys)
        for ranks in (2, 3):
            data = run("M: 0, seed: 1", grid, keys, ranks=ranks)
            for name in ("average_information", "average_deviation", "average_error", "records"):
                a, b = alone["heralding_" + name].values, data["heralding_" + name].values
                self.assertLess((abs(a - b) / (1 + abs(a))).max(), 1e-12, name)
        drawn = alone.heralding_average_information.sel(M=501).values
        self.assertNotEqual(drawn[0], drawn[1])

    def test_one_pulse_of_very_many_atoms(self):
        # Spins and clicks that matter are about sqrt(N) of them. A perfect counter tells S; else Bayes over the likely spins
        data = run("N: 1", "N: [20000, 100000]", "name: ideal, atoms: N, most: 1", "name: real, atoms: N, efficiency: 0.7, most: 2000")
        numpy.testing.assert_allclose(data.ideal_average_information, data.ideal_limit, rtol=1e-12)
        self.assertLess(float(abs(data.ideal_missing).max()), 1e-12)
        spins = numpy.arange(0, 1600, 2)
        prior, pure = data.real_prior.values[0][spins], data.real_pure.values[0][spins]
        lf = numpy.concatenate([[0.], numpy.cumsum(numpy.log(numpy.arange(1, 1600)))])
        pairs, total = (20000 - spins) / 2, 0.
        element = 4 * (spins + 1) * (spins + 2) * pairs * (pairs + spins + 1.5) / ((spins + 1.5) * (spins + 2.5))
        for n in range(1600):
            able = spins >= n
            k = spins[able]
            weight = prior[able] * numpy.exp(lf[k] - lf[n] - lf[k - n] + n * math.log(.7) + (k - n) * math.log(.3))
            both = weight[:-1] + weight[1:]
            lost = numpy.divide(weight[:-1] * weight[1:], both, out=numpy.zeros_like(both), where=both > 0)
            total += weight @ pure[able] - 16 * lost @ element[able][:-1]
        self.assertAlmostEqual(float(data.real_average_information[0]) / total, 1, delta=1e-9)

    def test_too_many_records_are_not_a_number(self):
        data = run("k: 9", "", "atoms: 60, efficiency: 0.5, pulses: 12", status=3)
        self.assertEqual(int(data.outcome), -3)
        self.assertTrue(numpy.isnan(data.heralding_average_information))

    def test_hints_belong_to_tasks(self):
        # What a bad outcome means, told by the run and read from the file: nothing of an eigensolver where there is none
        text = ("title: T\nparameters: {d: 1}\ncomponents: {ions: {kind: ensemble, size: 100}, c: {kind: mode}}\n"
                "hamiltonian: [0.1*c.a*ions.Sp + hc, d*ions.Sz]\n"
                "jumps: [{rate: 1, operator: c.a}, {rate: 1, each: ions.sp}]\ntasks:\n"
                "  - heralding: {atoms: 60, efficiency: 0.5, pulses: 12}\n  - meanfield: {name: mean}\n")
        with tempfile.TemporaryDirectory() as folder:
            path, output = os.path.join(folder, "deck.yaml"), os.path.join(folder, "deck.h5")
            with open(path, "w", encoding="utf-8") as stream:
                stream.write(text)
            for command, status in (["run", path, "-o", output], 3), (["show", output], 0):
                done = subprocess.run([PROGRAM] + command, check=False, capture_output=True, text=True,
                                      env={**os.environ, "TMPDIR": folder})
                self.assertEqual(done.returncode, status, done.stderr)
                self.assertIn("not_converged of heralding: there are more records of clicks than can be summed", done.stdout)
                self.assertIn("unstable of mean: small deviations from the fixed point grow (mean_growth)", done.stdout)
                self.assertNotIn("eigensolver", done.stdout)


class UntilKnown(unittest.TestCase):
    def test_pulses_until_the_spin_is_known(self):
        """Two atoms, S = 0 or 2: the mean number of pulses by summing over all records, with their order, and over 4000 drawn ones."""
        eta, until, most = .3, .4, 9

        def follow(weights, pulse):  # [probability and weight of S = 0, 2]: (mean number of pulses, probability that it is not settled)
            total = sum(weights)
            p = weights[1]/total
            known = 2*math.sqrt(p*(1 - p)) < until
            if known or pulse == most:
                return pulse*total, 0 if known else total
            clicks = [follow([weights[0]*(n == 0), weights[1]*binomial(2 if pulse == 0 else 4, n, eta)], pulse + 1)
                      for n in range(3 if pulse == 0 else 5)]
            return tuple(map(sum, zip(*clicks)))

        pulses, unsettled = follow([1/3, 2/3], 0)
        data = run("n: 1", "n: [1, 2, 3, 4]", f"atoms: 2, efficiency: {eta}, pulses: {most}, samples: 1000, seed: n, until: {until}", check=True)
        drawn = data.heralding_average_pulses.values
        self.assertLess(abs(drawn.mean() - pulses), 4*drawn.std(ddof=1)/2)
        self.assertLess(drawn.std(ddof=1), .1)
        self.assertLess(abs(float(data.heralding_unsettled.mean()) - unsettled), .03)
        self.assertLess(float(data.heralding_average_deviation.max()), until)
        two = run("n: 1", "n: [1, 2, 3, 4]", f"atoms: 2, efficiency: {eta}, pulses: {most}, samples: 1000, seed: n, until: {until}", ranks=2)
        numpy.testing.assert_allclose(two.heralding_average_pulses, drawn, rtol=1e-13)

    def test_the_last_clicks_are_an_axis(self):
        """All clicks of the third pulse, weighted by their probability, are the average over it; one of them is a `later` one."""
        keys = "atoms: 6, efficiency: 0.8, first: 3, later: [6]"
        axis = run("n: 0", "n: {range: [0, 13, 1]}", keys + ", last: n", check=True)
        before = run("n: 0", "", keys + ", pulses: 3").squeeze()
        share = axis.heralding_probability.values/float(before.heralding_probability)
        self.assertAlmostEqual(share.sum(), 1, delta=1e-12)
        self.assertAlmostEqual((share*axis.heralding_information.values).sum(), float(before.heralding_average_information), delta=1e-7)
        same = run("n: 0", "", keys.replace("[6]", "[6, 7]")).squeeze()
        self.assertEqual(float(same.heralding_information), float(axis.heralding_information[7]))


if __name__ == "__main__":
    unittest.main()
