"""Task `trajectories`: exact numbers within its statistical errors, errors that are right, and the same bits on any number of ranks."""
# cospin-test: PROCESSORS 2 TIMEOUT 900 COST 60
import json
import os
import sys
import unittest

import decks
import numpy as np

sys.path.insert(0, os.path.join(decks.SOURCE, "tests", "random"))

try:
    import generate
    import yaml
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

with open(os.path.join(decks.SOURCE, "tests", "reference", "trajectories.json"), encoding="utf-8") as stream:
    REFERENCE = json.load(stream)
HEAD = "title: trajectories\n"
TIMES = "[0.1, 0.3, 1, 3]"
SPIN = {"z": "<q.Sz>", "m": "<q.Sm>", "pm": "<q.Sp*q.Sm>", "zz": "<q.Sz^2>"}
# name: components, Hamiltonian, jumps, observables, initial state, whether that is pure
DECKS = {
    "identity": ("q: {kind: ensemble, size: 5}", ["0.5*q.Sx + 0.3*q.Sz"],
                 ['rate: 0.5, each: "q.sm + 0.4*q.sz + 0.3"', 'rate: 0.2, each: "q.sp*q.sm"'], SPIN, "q: {css: [1.2, 0.3]}", True),
    "irrep": ("q: {kind: ensemble, size: 6}", ["0.5*q.Sx + 0.3*q.Sz"],
              ["rate: 0.5, each: q.sm", "rate: 0.2, each: q.sx", "rate: 0.2, operator: q.Sm"], SPIN, "q: {dicke: [1, 0]}", False),
    "numbers": ("q: {kind: ensemble, size: 6}", ["0.3*q.Sz"],
                ["rate: 0.5, each: q.sm", "rate: 0.2, each: q.sp", "rate: 0.2, operator: q.Sm"], SPIN, "q: {dicke: [3, 3]}", True),
    "window": ("q: {kind: ensemble, size: 3}, c: {kind: mode}", ["0.8*(q.Sp*c.a + hc) + 0.9*(c.a + hc)"],
               ["rate: 0.6, operator: c.a", 'rate: 0.1, operator: "dag(c.a)"', "rate: 0.3, each: q.sm", 'rate: 0.2, each: "q.sp*c.a"'],
               {**SPIN, "n": "<c.n>", "a": "<c.a>"}, "q: {css: [2, 0.3]}, c: {coherent: 0.7}", True),
    "thermal": ("q: {kind: spin, S: 1}, c: {kind: mode, cutoff: 12, edge: 1}", ["0.8*(q.Sp*c.a + hc)"],
                ["rate: 0.6, operator: c.a", "rate: 0.3, operator: q.Sm"],
                {**SPIN, "n": "<c.n>"}, "q: {css: [2, 0.3]}, c: {thermal: 0.6}", False),
    "parity": ("q: {kind: spin, S: 4}", ["0.3*(q.Sp^2 + hc)"], ['rate: 0.05, operator: "q.Sm^2"'],
               {"z": "<q.Sz>", "mm": "<q.Sm^2>", "pm": "<q.Sp*q.Sm>"}, "q: {cat: [1, 0.4, 1]}", True),
    "levels": ("q: {kind: levels, size: 3, levels: 3}", ['"0.5*q.E[0,1] + 0.3*q.E[1,2] + hc"', '"0.2*q.n[1]"'],
               ['rate: 0.5, operator: "q.E[0,2]"', 'rate: 0.4, operator: "q.E[0,1] + 0.5*q.E[1,2]"'],
               {"n": "<q.n[0]>", "n2": "<q.n[2]>", "e": "<q.E[0,1]>", "xy": "<q.Qxy>"}, "q: {level: 2}", True),
    "pairs": ("q: {kind: spins, size: 4}", ['sum: "d[l]*q.sz[l]"', 'sum: "J[l,m]*q.sp[l]*q.sm[m]"', "0.4*q.Sx"],
              ["rates: R, pairs: q.sm", 'rate: "0.1*(l+1)", each: "q.sp[l]"', 'rate: 0.1, each: "q.sz"'],
              {"z": "<q.sz[0]>", "m": "<q.sm[1]>", "pm": "<q.sp[0]*q.sm[2]>", "all": "<q.Sp*q.Sm>"}, "q: {css: [2, 0.3]}", True),
    "two": ("q: {kind: ensemble, size: 3}, p: {kind: ensemble, size: 2}", ["0.4*(q.Sp*p.Sm + hc) + 0.3*q.Sz"],
            ["rate: 0.3, operator: q.Sm + p.Sm", "rate: 0.2, each: q.sp", 'rate: 0.3, each: "p.sz"'],
            {**SPIN, "pz": "<p.Sz>", "cross": "<q.Sp*p.Sm>", "ratio": "<q.Sp*q.Sm>/(1 + <p.Sz>^2)"}, "q: {css: [1,0]}, p: {css: [2, 1]}", True),
    "krylov": ("q: {kind: spin, S: 25}", ["0.4*q.Sx + 0.02*q.Sz^2"], ["rate: 0.02, operator: q.Sm", "rate: 0.01, operator: q.Sz"],
               SPIN, "q: {css: [1,0]}", True),
}
ARRAYS = """arrays:
  d: [0.1, -0.3, 0.2, 0.5]
  J: [[0,0.3,0.1,0],[0.3,0,0.2,0.1],[0.1,0.2,0,0.4],[0,0.1,0.4,0]]
  R: [[1,0.5,"0.2+0.1*i",0.1],[0.5,1,0.5,0.2],["0.2-0.1*i",0.5,1,0.5],[0.1,0.2,0.5,1]]
"""


def problem(name):
    components, hamiltonian, jumps, observables, _, _ = DECKS[name]
    lines = [HEAD + f"components: {{{components}}}\n" + (ARRAYS if "spins" in components else "") + "hamiltonian:"]
    lines += [f"  - {term}" for term in hamiltonian] + ["jumps:"] + [f"  - {{{jump}}}" for jump in jumps]
    return "\n".join(lines + ["observables:"] + [f'  {key}: "{value}"' for key, value in observables.items()]) + "\n"


def deck(name, *tasks, grid=""):
    initial, pure = DECKS[name][4:]
    common = f"times: {TIMES}, initial: {{{initial}}}" + (", fidelity: initial" if pure else "")
    return grid + problem(name) + "tasks:\n" + "".join(f"  - {task.replace('COMMON', common)}\n" for task in tasks)


def parts(data, task):
    """Names of all numbers of a task that have an error."""
    return sorted(key[len(task) + 1:-6] for key in data if key.startswith(task + "_") and key.endswith("_error") and not key.endswith(("_ket_error", "_click_time_error", "_click_spread_error")))


def deviations(data, task, exact=None):
    """(value - exact)/error of everything that `evolve`, or a dictionary, knows, too."""
    found = []
    for part in parts(data, task):
        known = exact.get(part) if exact else data.get("evolve_" + part)
        if known is not None and not np.isnan(known).all():  # NaN: not asked for
            error = data[f"{task}_{part}_error"].values
            off = data[f"{task}_{part}"].values - np.asarray(known)
            found.append(np.where(error > 1e-12, off / np.where(error > 1e-12, error, 1), np.where(abs(off) < 1e-6, 0, np.inf)).ravel())
    return np.concatenate(found)


class Trajectories(unittest.TestCase):
    def within_errors(self, z, what):
        self.assertLess(np.abs(z).max(), 4, f"{what}: {z}")
        self.assertLess(np.sqrt(np.mean(z ** 2)), 1.7, what)  # of few numbers that are correlated

    def test_every_kind_of_component_against_evolve(self):
        everything = []
        for name in DECKS:
            number = 400 if name in ("window", "krylov") else 1000
            data = decks.run_text(deck(name, "evolve: {COMMON}", f"trajectories: {{COMMON, trajectories: {number}}}",
                                       f"trajectories: {{name: shifted, COMMON, unravelling: shifted, seed: 7, trajectories: {number}}}"),
                                  status=(0, 3), mask=False).squeeze()
            for task in ("trajectories", "shifted"):
                z = deviations(data, task)
                with self.subTest(deck=name, task=task):
                    known = z[np.isfinite(z)]  # NaN: too few have jumped
                    self.assertGreater(len(known), 8)
                    self.assertTrue(len(known) == len(z) or int(data[task + "_outcome"]) == -1)
                    self.within_errors(known, name)
                    everything.append(known)
        self.assertGreater(np.sqrt(np.mean(np.concatenate(everything) ** 2)), 0.6)  # errors are not too large either

    def test_random_decks(self):
        """Those of tests/random: rates over decades, terms that cancel, dark states, every kind of component."""
        everything = []
        for seed in range(120 if decks.LONG else 24):
            deck_of_seed = generate.deck(seed)
            starts = [keys["initial"] for task in deck_of_seed["tasks"] for keys in task.values() if "initial" in keys]
            common = {"times": [0.3, 1, 2.5], "initial": starts[-1] if starts and "file" not in starts[-1] else {}}
            deck_of_seed["tasks"] = [{"evolve": common}] + [
                {"trajectories": {**common, "name": name, "trajectories": 300, "seed": seed, "unravelling": name}} for name in ("jumps", "shifted")]
            text = yaml.dump(deck_of_seed, Dumper=generate.Plain, sort_keys=False, default_flow_style=None, width=110)
            data = decks.run_text(text, status=(0, 3), mask=False).squeeze()
            for task in ("jumps", "shifted"):
                z = np.concatenate([((data[f"{task}_{part}"] - data["evolve_" + part]) / np.maximum(data[f"{task}_{part}_error"], 1e-6)).values.ravel()
                                    for part in parts(data, task) if "evolve_" + part in data])
                known = z[np.isfinite(z)]
                with self.subTest(seed=seed, task=task):
                    self.assertLess(np.abs(known).max(initial=0), 4)
                everything.append(known)
        together = np.concatenate(everything)
        self.assertGreater(len(together), 300)
        self.assertLess(np.sqrt(np.mean(together ** 2)), 1.1)
        self.assertGreater(np.sqrt(np.mean(together ** 2)), 0.3)

    def test_shifts_jump_less_often(self):
        data = decks.run_text(deck("parity", "trajectories: {COMMON}", "trajectories: {name: shifted, COMMON, unravelling: shifted}")).squeeze()
        self.assertLess(float(data["shifted_jumps"]), 0.3 * float(data["trajectories_jumps"]))
        self.assertEqual(int(data["shifted_kets"]), 5)  # of nine levels: the other parity is not there

    def test_errors_are_those_of_independent_seeds(self):
        """At late times, to which all trajectories contribute; early ones are told larger, for what has not been seen."""
        grid = "parameters: {run: 1}\ngrid: {run: {range: [1, 101, 1]}}\n"
        for unravelling in ("jumps", "shifted"):
            data = decks.run_text(deck("irrep", f"trajectories: {{COMMON, seed: run, trajectories: 300, unravelling: {unravelling}}}", grid=grid),
                                  ranks=2)
            ratios = [data[f"trajectories_{part}"].values.std(axis=0, ddof=1) / data[f"trajectories_{part}_error"].values.mean(axis=0)
                      for part in ("z", "pm", "zz")]
            self.assertAlmostEqual(float(np.mean(np.array(ratios)[:, 2:])), 1, delta=.15)
            self.assertLess(np.max(ratios), 1.3)

    def test_the_same_bits_on_any_number_of_ranks(self):
        text = deck("two", "trajectories: {COMMON}", "trajectories: {name: until, COMMON, error: 0.03, unravelling: shifted}",
                    grid="parameters: {run: 1}\n")
        one = decks.run_text(text)
        for ranks in (2, 3):
            other = decks.run_text(text, ranks=ranks)
            for name in one:
                if name.startswith(("trajectories_", "until_")) and not name.endswith("seconds"):
                    np.testing.assert_array_equal(one[name].values, other[name].values, err_msg=name)
        self.assertLessEqual(max(float(one[f"until_{part}_error"].max()) for part in parts(one, "until") if part in ("z", "pz", "ratio")), .03)
        self.assertIn(int(one["until_number"].squeeze()), [512 * 2 ** k for k in range(8)])

    def test_records_do_not_depend_on_the_tolerance(self):
        """Whether a ket is followed by Krylov spaces of one tolerance or another: the same jumps from the same numbers."""
        data = decks.run_text(deck("krylov", *(f"trajectories: {{name: {name}, COMMON, trajectories: 100, tolerance: {tolerance}}}"
                                               for name, tolerance in (("coarse", 1e-7), ("fine", 1e-11))))).squeeze()
        for part in ("z", "pm", "m_re"):
            np.testing.assert_allclose(data["coarse_" + part], data["fine_" + part], atol=1e-4)
        self.assertEqual(float(data["coarse_jumps"]), float(data["fine_jumps"]))
        self.assertLess(float(data["fine_ket_error"]), 1e-11)

    def test_nothing_jumps(self):
        data = decks.run_text(HEAD + "components: {q: {kind: spin, S: 20}}\nhamiltonian: [0.4*q.Sx + 0.1*q.Sz^2]\nobservables: {z: <q.Sz>}\n"
                              "tasks:\n  - evolve: {times: [1, 5], initial: {q: {css: [1, 0]}}}\n"
                              "  - trajectories: {times: [1, 5], initial: {q: {css: [1, 0]}}}\n").squeeze()
        np.testing.assert_allclose(data["trajectories_z"], data["evolve_z"], atol=1e-7)
        np.testing.assert_array_equal(data["trajectories_z_error"], 0)
        self.assertEqual(int(data["trajectories_number"]), 0)

    def test_a_dark_state_ends_the_waiting(self):
        """Half of the kets go to the dark state and never jump again; the one without jumps is known without sampling."""
        data = decks.run_text(HEAD + "components: {q: {kind: spin, S: 1/2}, p: {kind: spin, S: 1/2}}\nobservables: {up: 1 + <q.Sz + p.Sz>}\n"
                              "hamiltonian: []\njumps: [{rate: 1, operator: q.Sm + p.Sm}]\n"
                              "tasks: [trajectories: {times: [1, 1000000], initial: {q: {fock: 1}}}]\n").squeeze()
        self.assertAlmostEqual(float(data["trajectories_no_jump"][1]), 1 / 2, places=9)
        self.assertAlmostEqual(float(data["trajectories_up"][1]), 1 / 2, places=9)  # exact, for all that jump end alike
        self.assertAlmostEqual(float(data["trajectories_up"][0]), (1 + np.exp(-2)) / 2, places=9)

    def test_rare_jumps_have_no_error(self):
        text = (HEAD + "components: {q: {kind: spin, S: 1/2}}\nobservables: {up: 1/2 + <q.Sz>}\nhamiltonian: [q.Sx]\njumps:\n"
                "  - {rate: RATE, operator: q.Sz}\n  - {rate: 1, operator: q.Sm}\n"
                "tasks: [trajectories: {times: [0, 0.001, 1], initial: {q: {css: [2, 0]}}}]\n")
        early = decks.run_text(text.replace("RATE", "1"), status=3, mask=False).squeeze()
        self.assertEqual(int(early["trajectories_outcome"]), -1)
        self.assertEqual(list(np.isnan(early["trajectories_up_error"].values)), [False, True, False])
        self.assertLess(int(early["trajectories_jumped"][1]), 20)
        seldom = decks.run_text(text.replace("RATE", "1e-3").replace(" 0.001,", ""), status=3, mask=False).squeeze()
        self.assertLess(float(seldom["trajectories_rarest"]), 20)  # one of two processes has hardly been seen
        self.assertTrue(np.isnan(seldom["trajectories_up_error"].values[1]))
        never = decks.run_text(text.replace("RATE", "0").replace(" 0.001,", "")).squeeze()
        self.assertGreater(float(never["trajectories_rarest"]), 20)

    def test_a_fidelity_that_hardly_any_trajectory_has_is_not_zero_without_error(self):
        data = decks.run_text(deck("numbers", "evolve: {COMMON}", "trajectories: {COMMON, seed: 7, trajectories: 1000}")).squeeze()
        self.assertTrue((data["trajectories_fidelity_error"] > 0).all())
        self.assertLess(np.abs(deviations(data, "trajectories")).max(), 4)

    def test_clicks(self):
        """Resonance fluorescence: mean and noise of the clicks until t, against the counter of task `clicks`."""
        text = (HEAD + "components: {q: {kind: spin, S: 1/2}}\nhamiltonian: [1.5*q.Sx]\njumps: [{name: light, rate: 1, operator: q.Sm}]\n"
                "tasks:\n  - clicks: {jump: light, initial: {q: ground}, time: 20, most: 30}\n"
                "  - trajectories: {jump: light, initial: {q: ground}, times: [10, 20], trajectories: 4000, unravelling: UNRAVELLING}\n")
        for unravelling in ("jumps", "shifted"):
            data = decks.run_text(text.replace("UNRAVELLING", unravelling)).squeeze()
            for ours, exact in (("clicks", "clicks_mean"), ("fano", "clicks_fano")):
                error = float(data[f"trajectories_{ours}_error"][1])
                self.assertLess(error, .05)
                self.assertLess(abs(float(data["trajectories_" + ours][1]) - float(data[exact])), 4 * error)

    def test_times_of_clicks(self):
        """One atom clicks once: its time is 1/rate, and so is the spread. Of two, the mean of both: 1/rate, 1/sqrt(2) of the spread."""
        text = (HEAD + "components: {q: {kind: spins, size: SIZE}}\nhamiltonian: []\njumps: [{name: light, rate: 2, each: q.sm}]\n"
                "tasks: [trajectories: {jump: light, initial: {q: {css: [pi, 0]}}, times: [20], trajectories: 4000}]\n")
        for size, spread in ((1, .5), (2, .5 / np.sqrt(2))):
            data = decks.run_text(text.replace("SIZE", str(size))).squeeze()
            for name, exact in (("click_time", .5), ("click_spread", spread)):
                error = float(data[f"trajectories_{name}_error"])
                self.assertLess(abs(float(data["trajectories_" + name]) - exact), 4 * error)
                self.assertLess(error, .02)

    def test_a_cutoff_that_cuts(self):
        text = (HEAD + "components: {c: {kind: mode, cutoff: CUTOFF}}\nhamiltonian: [c.a + hc]\njumps: [{rate: 1, operator: c.a}]\n"
                "observables: {n: <c.n>}\ntasks: [trajectories: {times: [8], initial: {}, trajectories: 100}]\n")
        self.assertGreater(float(decks.run_text(text.replace("CUTOFF", "7"), status=3, mask=False)["trajectories_cutoff"]), 1)
        self.assertLess(float(decks.run_text(text.replace("CUTOFF", "30"))["trajectories_cutoff"]), 1)


class Reference(unittest.TestCase):
    """Numbers of independent calculations: dense matrices of 2^N, an exact reduced master equation (tests/reference)."""

    def compare(self, data, task, names, rows):
        z = np.array([[(float(data[f"{task}_{name}"][k]) - row[i]) / float(data[f"{task}_{name}_error"][k])
                       for i, name in enumerate(names)] for k, row in enumerate(rows)])
        self.assertLess(np.abs(z).max(), 4)
        self.assertLess(np.sqrt(np.mean(z ** 2)), 1.7)

    def test_ensembles(self):
        known = REFERENCE["ensemble"]
        for size, drive in ((4, 1.3), (5, 1.3), (4, 0), (10, 1.3), (10, 0)):
            text = (HEAD + f"components: {{q: {{kind: ensemble, size: {size}}}}}\nhamiltonian: [{drive}*q.Sx + 0.6*q.Sz + 0.3*q.Sz^2]\n"
                    "jumps:\n  - {rate: 0.7, each: q.sp}\n  - {rate: 0.4, each: q.sm}\n  - {rate: 0.9/4, each: q.sz}\n"
                    "  - {rate: 0.25, operator: q.Sm}\nobservables:\n  Sz: <q.Sz>\n  Sx: <q.Sx>\n  SpSm: <q.Sp*q.Sm>\n  Sz2: <q.Sz^2>\n"
                    "  J2: <q.Sp*q.Sm> + <q.Sz^2> - <q.Sz>\n"
                    f"tasks: [trajectories: {{times: {known['times'][1:]}, initial: {{q: {{css: [1, 0.4]}}}}, trajectories: 2000}}]\n")
            with self.subTest(size=size, drive=drive):
                rows = known[f"N{size}_{'driven' if drive else 'undriven'}"][1:]
                self.compare(decks.run_text(text).squeeze(), "trajectories", known["observables"], rows)

    def test_ensemble_and_mode(self):
        known = REFERENCE["mode"]
        names = ["n", "Sz", "SpSm", "J2", "Sz2"]
        text = (HEAD + "components: {q: {kind: ensemble, size: 4}, c: {kind: mode, cutoff: 8, edge: 1}}\n"
                "hamiltonian: [0.6*c.a*q.Sp + hc, 0.3*q.Sz + 0.4*(c.a + hc)]\n"
                "jumps: [{rate: 1, operator: c.a}, {rate: 0.7, each: q.sp}, {rate: 0.5/4, each: q.sz}]\n"
                "observables:\n  n: <c.n>\n  Sz: <q.Sz>\n  SpSm: <q.Sp*q.Sm>\n  J2: <q.Sp*q.Sm> + <q.Sz^2> - <q.Sz>\n  Sz2: <q.Sz^2>\n"
                f"tasks: [trajectories: {{times: {known['times']}, initial: {{}}, trajectories: 2000}}]\n")
        rows = [[row[known["observables"].index(name)] for name in names] for row in known["exact"]]
        self.compare(decks.run_text(text).squeeze(), "trajectories", names, rows)

    def test_cats(self):
        """Two detuned groups of ten spins: a fifteenth of the jumps, the same coherence, which runs through."""
        known = REFERENCE["cats"]
        text = (HEAD + "parameters: {N: 20, eta: 0.8*N/16, theta: 2*atan(sqrt(2*eta/N))}\n"
                "components: {A: {kind: spin, S: N/4}, B: {kind: spin, S: N/4}}\n"
                "hamiltonian: [0.02*(A.Sz - B.Sz), eta/N*(A.Sm + B.Sm)^2 + hc]\njumps: [{rate: 1/N^2, operator: (A.Sm + B.Sm)^2}]\n"
                "observables: {cross: 16/N^2*<A.Sp*B.Sm>}\n"
                f"tasks: [trajectories: {{times: {known['times']}, unravelling: shifted, trajectories: 300, "
                "initial: {A: {css: [theta, -pi/4]}, B: {css: [theta, -pi/4]}}}]\n")
        data = decks.run_text(text, ranks=2).squeeze()
        self.compare(data, "trajectories", ["cross_re", "cross_im"], list(zip(known["re"], known["im"])))
        self.assertAlmostEqual(float(data["trajectories_jumps"]), 23, delta=4)

    def test_groups(self):
        """Three groups, of one line of a deck, against an independent calculation by trajectories (4 errors of both)."""
        data = decks.run("trajectories_groups.yaml", [(r"K:     \{value: 4,", "K:     {value: 3,")]).squeeze().sel(time=50)
        for name, known, error in (("outer", .0463192597, .0080810516), ("outer_im", .4631753969, .0106248933)):
            value, own = float(data[f"trajectories_{name}"]), float(data[f"trajectories_{name}_error"])
            self.assertLess(abs(value - known), 4 * (error**2 + own**2)**.5)
            self.assertLess(own, 2 * error)


if __name__ == "__main__":
    unittest.main()
