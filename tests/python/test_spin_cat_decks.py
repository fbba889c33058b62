"""Spin cats of one collective spin: rates of the odd coherence over ten decades, gaps, and what is below the resolution."""
# cospin-test: TIMEOUT 600 COST 40
import math
import sys
import unittest

import decks
from decks import run

# eta: rate of the even-odd coherence at N = 100, with the digits that were verified; None: below 1e-12
LIFETIMES = {5: None, 8: 5.866e-10, 9: 5.0073e-7, 10: 9.0887e-5, 10.5: 7.1299e-4, 11: 3.8837e-3, 12: 3.7405e-2,
             15: .23566}
# the smaller one of the gaps of the even and of the odd populations
GAPS = {2: 4.18180, 5: 10.1198, 10: 12.9233, 12: 5.10506}
# of these always: below the resolution, the smallest that is told, and the others' ends
FEW = {2, 5, 8, 10.5, 12, 15}
# with 60 digits
SMALL = {20: {.5: 4.356666e-12, 1: 9.426883e-7}, 8: {.2: 2.9124551821624e-6, .5: 2.15056950e-3}}


# N = 100, spin_cat_amplitude.yaml: eta: |a| of the slow mode, |a| at t = 1e3
AMPLITUDES = {5: (3.359629, 3.3596), 8: (4.482840, 4.4828), 9: (4.870612, 4.8682), 10: (5.294423, 4.8345),
              10.5: (5.534406, 2.7128), 11: (5.803352, .1194), 12: (6.333143, 0), 15: (6.144227, 0)}
# N = 100, each parity alone: eta: gap ee, gap oo
PARITIES = {2: (4.18180, 6.64917), 5: (10.1198, 15.1152), 10: (12.9233, 13.5602), 12: (5.10506, 5.10512)}
# Two sub-ensembles of n + n spins: n, eta, delta: gap ee, gap oo, slowest eo, Re <S1+ S2-> ee, oo, <S^2> ee, oo,
# excitations ee (with the digits that were verified)
SUB_ENSEMBLES = {
    (4, .2, .01): "4.54190424e-4 2.26672928e-3 1.63330944e-3 -2.15369784 -1.64327616 5.155845 8.592911 3.1696169",
    (4, .2, .1): "1.91355384e-2 1.02126421e-2 5.47088737e-3 -.234618282 -.354159418 17.62966 14.06293 .62569293",
    (4, .5, .1): ".0586217571 .0615242592 .0627788665 -1.22638988 -1.7904147 8.941771 7.640117 3.0326478",
    (4, .5, 1): ".127672252 .0753473142 .0347529833 -.0875788365 -.0935418481 15.4373 13.98359 1.6285343",
    (6, .2, .01): "5.21491221e-4 1.12724521e-3 7.61730037e-4 -3.58605225 -4.04716772 18.50891 16.79465 3.3915565",
    (6, .2, .1): ".0151149605 7.14271028e-3 3.84670094e-3 -.239725732 -.589386057 39.13989 32.69433 .48941265",
    (6, .5, .1): ".0610465055 .0727675816 .04965944 -3.11104171 -3.06453673 18.18243 18.38636 4.1411245",
}
VARIABLES = ["ee_rate", "oo_rate", "eo_rate", "even_coherence", "odd_coherence", "even_length", "odd_length",
             "even_excitations"]


def chosen(values):
    """All of them in the long run, the telling ones otherwise."""
    return {eta: value for eta, value in values.items() if decks.LONG or eta in FEW}


def half_a_digit(value, digits):
    return .51 * 10 ** (math.floor(math.log10(value)) - digits + 1)


def tolerance_of(text):
    """A unit of the last digit that is written."""
    mantissa, _, exponent = text.partition("e")
    return 1.01 * 10.0 ** (int(exponent or 0) - len(mantissa.partition(".")[2]))


# N = 200, (delta t/2)^2: coherent, even, odd; closed forms (11) and (16) of Mok, Kwek and Touzard
FREE = {.0625: (.943025178, .986566870, .776417240), .25: (.821598456, .961927177, .366310981),
        1: (.649158300, .941286492, .022764715), 50: (.606657329, .940213066, .004898481)}


class SpinCat(unittest.TestCase):
    def test_free_dephasing_of_two_hundred(self):
        data = run("spin_cat_free_dephasing.yaml", [(f"{{name: {name}, times: .linspace[^}}]*}}",
                                                     f"{{name: {name}, times: [0, .0625, .25, 1, 50]")
                                                    for name in ("coherent", "even", "odd")])
        for time, values in FREE.items():
            for name, value in zip(("coherent", "even", "odd"), values):
                found = float(data[f"{name}_fidelity"].sel(time=time))
                self.assertLess(abs(found - value), 1e-9, f"{name} at {time}: {found}")

    def test_amplitudes_of_one_hundred(self):
        amplitudes = chosen(AMPLITUDES)
        data = run("spin_cat_amplitude.yaml", [(r"eta: \[1, 2.*\]", f"eta: {list(amplitudes)}")])
        self.assertTrue((data.outcome == 1).all())
        for eta, (slow, early) in amplitudes.items():
            point = data.sel(eta=eta)
            mode = point.isel(mode=0)
            self.assertAlmostEqual(float(mode.decay_amplitude), slow, delta=2e-6)
            self.assertAlmostEqual(float(point.t1e3_amplitude.squeeze()), early, delta=6e-5)
            if eta < 15:  # the phase of the state, and of what is left when every other mode has gone
                self.assertAlmostEqual(math.atan2(mode.decay_amplitude_im, mode.decay_amplitude_re), -math.pi / 4,
                                       delta=1e-6)
                left = float(mode.decay_amplitude) * math.exp(-float(mode.decay_rate) * 1e3)
                self.assertAlmostEqual(float(point.t1e3_amplitude.squeeze()), left, delta=1e-6)
            if eta <= 10:  # "matches the quantum values (5.2573 vs 5.2944 at eta=10)"
                self.assertAlmostEqual(float(point.t1e3_limit.squeeze()) / slow, 1, delta=.0071)
            # what cannot be told from zero has no lifetime that could be told
            self.assertEqual(float(mode.decay_lifetime) == math.inf, float(mode.decay_rate) == 0)
            self.assertAlmostEqual(float(mode.decay_lifetime) * float(mode.decay_rate) if eta > 5 else 1, 1, delta=1e-12)

    @decks.long
    def test_each_parity_alone(self):
        data = run("spin_cat_lifetime.yaml", [
            (r"- gap: +\{\}", "- gap: {name: ee, sector: {ket: 0, bra: 2}}\n  - gap: {name: oo, sector: {ket: 1, bra: 1}}\n"
             "  - gap: {name: eo, sector: {ket: 0, bra: 1}}\n  - steady: {sector: {ket: 1, bra: 1}}"),
            (r"y: gap_rate,", "y: ee_rate,"), (r"eta: \[2, 5.*\]", f"eta: {list(PARITIES)}")])
        self.assertTrue((data.outcome == 1).all())
        for eta, (even, odd) in PARITIES.items():
            point = data.sel(eta=eta)
            self.assertAlmostEqual(float(point.ee_rate), even, delta=half_a_digit(even, 6))
            self.assertAlmostEqual(float(point.oo_rate), odd, delta=half_a_digit(odd, 6))
            self.assertAlmostEqual(float(point.oo_lifetime) * float(point.oo_rate), 1, delta=1e-12)
            self.assertAlmostEqual(float(point.steady_next_lifetime) * float(point.steady_next_rate), 1, delta=1e-12)
            self.assertEqual((int(point.steady_degeneracy), int(point.ee_zeros), int(point.oo_zeros)), (1, 1, 1))
            # without a trace: the slowest rate is the gap, unless it counts as zero
            slowest = float(point.decay_rate.isel(mode=0))
            self.assertEqual(int(point.eo_zeros), int(slowest == 0))
            self.assertLess(float(point.eo_resolution), 1e-11)
            if slowest:
                self.assertAlmostEqual(float(point.eo_rate), slowest, delta=float(point.eo_resolution))
            else:
                self.assertGreater(float(point.eo_rate), 1)

    def test_two_detuned_sub_ensembles(self):
        for size in (4, 6):
            for eta in (.2, .5):
                deltas = [delta for n, e, delta in SUB_ENSEMBLES if (n, e) == (size, eta)]
                data = run("spin_cat_sub_ensembles.yaml", [
                    (r"n: +4 ", f"n: {size} "), (r"eta: +0.2$", f"eta: {eta}"), (r"delta: \{logspace.*", f"delta: {deltas}")])
                self.assertTrue((data.outcome == 1).all())
                for delta in deltas:
                    for name, text in zip(VARIABLES, SUB_ENSEMBLES[size, eta, delta].split()):
                        self.assertAlmostEqual(float(data[name].sel(delta=delta)), float(text), delta=tolerance_of(text),
                                               msg=f"{name} of {size}+{size} spins, eta {eta}, delta {delta}")

    def test_one_hundred(self):
        lifetimes, gaps = chosen(LIFETIMES), chosen(GAPS)
        data = run("spin_cat_lifetime.yaml", [(r"eta: \[2, 5.*\]", f"eta: {sorted({*lifetimes, *gaps})}")])
        self.assertTrue((data.outcome == 1).all())
        for eta, expected in lifetimes.items():
            point = data.sel(eta=eta).isel(mode=0)
            resolution = float(point.decay_resolution)
            self.assertLess(resolution, 1e-11)
            if expected is None:
                self.assertEqual(float(point.decay_rate), 0)
                self.assertEqual(float(point.decay_lower), 0)
                self.assertEqual(float(point.decay_upper), resolution)
            else:
                digits = 4 if expected == 5.866e-10 else 5
                self.assertAlmostEqual(float(point.decay_rate), expected,
                                       delta=half_a_digit(expected, digits) + resolution)
        for eta, expected in gaps.items():
            self.assertAlmostEqual(float(data.gap_rate.sel(eta=eta)), expected, delta=half_a_digit(expected, 6))

    @decks.long
    def test_rates_only_fall_with_the_size_of_the_cat(self):
        data = run("spin_cat_lifetime.yaml", [(r"eta: \[2, 5.*\]", "eta: {linspace: [8, 12, 9]}")])
        self.assertTrue((data.decay_rate.isel(mode=0).diff("eta") > 0).all())

    def test_few_spins(self):
        for size, rates in SMALL.items():
            data = run("spin_cat_lifetime.yaml", [(r"N: +100 ", f"N: {size} "),
                                                  (r"eta: \[2, 5.*\]", f"eta: {list(rates)}")])
            for eta, expected in rates.items():
                point = data.sel(eta=eta).isel(mode=0)
                resolution = float(point.decay_resolution)
                if float(point.decay_rate) == 0:  # not told, or within the bounds
                    self.assertLessEqual(expected, float(point.decay_upper))
                else:
                    self.assertAlmostEqual(float(point.decay_rate), expected, delta=resolution + 1e-8 * expected)

    def test_even_and_odd_have_a_steady_state_each(self):
        data = run("spin_cat_lifetime.yaml", [(r"- gap: +\{\}", "- gap: {}\n  - steady: {}"), (r"N: +100 ", "N: 12 "),
                                              (r"eta: \[2, 5.*\]", "eta: [0.5, 1]")], status=3)
        self.assertTrue((data.steady_degeneracy == 2).all())
        self.assertTrue((data.steady_outcome == -4).all())


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
