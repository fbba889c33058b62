"""Runs a deck through cospin and compares all that it says with the dense reference.

    python3 tests/random/compare.py DECK.yaml

Verdicts, one for each task:
    agree       within 1e-7 of the natural scale
    resolution  agrees only if rates below cospin's own `resolution` count as zero
    honest      a bad outcome where the deck has no answer (or none that double precision could know)
    clumsy      a bad outcome where the reference has an answer
    ill         the answer itself changes if the deck's numbers change in their last digit
    unknown     the reference does not know
    DISAGREE    another number, with outcome good
and for a deck: refused, crash, hang.
"""
import os
import subprocess
import sys
import tempfile

import h5py
import numpy
import yaml

import expressions
import tasks
from generator import Deck, Generator
from observe import Observables, axis
from resolve import Unresolved

TOLERANCE = 1e-7
PROGRAM = os.environ.get("COSPIN_PROGRAM", os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "build",
                                                        "release", "cospin"))
OUTCOMES = {1: "good", 0: "not_run", -1: "inaccurate", -2: "empty_sector", -3: "not_converged", -4: "degenerate",
            -5: "solver_failed", -6: "window_limit", -7: "too_large"}


class Data:
    """Variables of a dataset."""

    def __init__(self, path):
        with h5py.File(path) as file:
            self.values = {name: numpy.array(item) for name, item in file.items() if isinstance(item, h5py.Dataset)}
            flags = file["outcome"].attrs
            if "flag_meanings" in flags:
                words = flags["flag_meanings"]
                words = (words.decode() if isinstance(words, bytes) else str(words)).split()
                self.outcomes = dict(zip([int(x) for x in flags["flag_values"]], words))
            else:
                self.outcomes = OUTCOMES

    def outcome(self, task):
        return self.outcomes.get(int(self.values[task + "_outcome"]), "?")

    def get(self, name):
        if name in self.values:
            return self.values[name] + 0j
        if name + "_re" in self.values:
            return self.values[name + "_re"] + 1j * self.values[name + "_im"]
        return None


def run_cospin(path, folder, timeout):
    """(dataset, None) or (None, verdict)."""
    output = os.path.join(folder, "out.h5")
    environment = {**os.environ, "TMPDIR": folder, "OMP_NUM_THREADS": "1", "OMPI_MCA_ess_singleton_isolated": "1",
                   "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    try:
        done = subprocess.run([PROGRAM, "run", path, "-o", output, "--quiet", "--overwrite"], env=environment, timeout=timeout,
                              check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    except subprocess.TimeoutExpired:
        return None, ("hang", f"longer than {timeout} s")
    if done.returncode == 2:
        return None, ("refused", done.stdout.strip()[-300:])
    if done.returncode not in (0, 3) or not os.path.exists(output):
        return None, ("crash", f"status {done.returncode}: {done.stdout.strip()[-200:]}")
    return Data(output), None


# ---- One task --------------------------------------------------------------------------------------------------------

class Differences(list):
    """What differs, with its size relative to what is allowed."""

    def number(self, what, got, true, allowed):
        difference = abs(got - true)
        if not difference <= allowed:
            self.append((f"{what} is {show(got)}, not {show(true)}", difference / allowed if allowed else numpy.inf))


def show(x):
    return f"{x.real:.10g}" if abs(x.imag) < 1e-15 * (1e-300 + abs(x)) or x.imag == 0 else f"{x:.10g}"


def compare_observables(data, name, observables, states, wrong):
    """states: a state, or a list of them along the task's dimension."""
    for key in observables.texts:
        got = data.get(f"{name}_{key}")
        if got is None:
            wrong.append((f"{name}_{key} is not there", numpy.inf))
            continue
        allowed = TOLERANCE * observables.size(key)
        for k, state in enumerate(states):
            value = complex(got.flat[k])
            if not numpy.isnan(value):
                wrong.number(f"{name}_{key}[{k}]", value, observables.value(key, state), allowed)


def compare_steady(generator, data, name, task, zero):
    truth, wrong, outcome = tasks.steady(generator, task, zero), Differences(), data.outcome(name)
    known = truth["state"] is not None and truth["turning"] < 1e-12
    if outcome != "good":
        return wrong, "clumsy" if known else "honest"
    if truth["turning"] >= 1e-12:
        wrong.append((f"steady: the state oscillates for ever, by {truth['turning']:.2g}, good", numpy.inf))
    elif not known:
        wrong.append((f"steady: {truth['total']} null vectors, {truth['traced']} with a trace, and nothing selects one", numpy.inf))
    degeneracy = int(data.values[name + "_degeneracy"])
    if degeneracy not in (truth["traced"], truth["total"]):
        wrong.append((f"degeneracy {degeneracy}, not {truth['traced']} ({truth['total']} in all)", numpy.inf))
    if known:
        compare_observables(data, name, Observables(generator, generator.deck.document.get("observables")), [truth["state"]], wrong)
    return wrong, "agree"


def compare_rates(got, modes, errors, wrong, what):
    """A list of cospin's eigenvalues, slowest first, against the slowest ones that there are."""
    for k, value in enumerate(got):
        true = modes[k]
        wrong.number(f"{what}_rate[{k}]", -value.real, -true.real, TOLERANCE * abs(true.real) + errors[k])
    left = list(range(len(modes)))
    for k, value in enumerate(got):
        best = min(left, key=lambda j: abs(modes[j] - value) / (1e-300 + abs(value)))
        allowed = TOLERANCE * abs(modes[best]) + errors[best]
        if not abs(modes[best] - value) <= allowed:
            wrong.append((f"{what}[{k}]: no eigenvalue {show(value)} (next: {show(modes[best])})",
                          abs(modes[best] - value) / allowed if allowed else numpy.inf))
        else:
            left.remove(best)


def within(errors, resolution):
    return [max(e, 0.0) + resolution for e in errors]


def compare_gap(generator, data, name, task, zero):
    truth, wrong, outcome = tasks.gap(generator, task, zero), Differences(), data.outcome(name)
    if outcome != "good":
        return wrong, "clumsy" if truth["modes"] else "honest"
    if not truth["modes"]:
        wrong.append(("gap: nothing but zeros, good", numpy.inf))
        return wrong, "agree"
    wrong.number(f"{name}_zeros", complex(data.values[name + "_zeros"]), truth["zeros"], 0.0)
    got = [complex(-data.values[name + "_rate"], -data.values[name + "_frequency"])]
    modes, errors = zip(*truth["modes"])
    compare_rates(got, modes, within(errors, zero), wrong, name)
    return wrong, "agree"


def sums_of_shares(data, name, modes, count, which):
    """Sums over equal eigenvalues of cospin's and of the true shares; the last cluster only if it is whole."""
    rates, frequencies = data.values[name + "_rate"], data.values[name + "_frequency"]
    part = {"amplitude": ("amplitude_re", "amplitude_im"), "weight": ("weight", "weight_im")}[which]
    got = data.values[f"{name}_{part[0]}"] + 1j * data.values[f"{name}_{part[1]}"]
    done, pairs = set(), []
    for k in range(count):
        value = complex(-rates[k], -frequencies[k])
        near = lambda x: abs(x - value) <= 1e-6 * (abs(value) + 1e-300)
        same = [j for j in range(count) if near(complex(-rates[j], -frequencies[j]))]
        true = [m for m in modes if near(m[0])]
        if k in done or len(same) != len(true):
            continue
        done.update(same)
        shares = [m[2 if which == "amplitude" else 3] for m in true]
        if not any(s is None for s in shares) and not numpy.isnan(got[same]).any():
            pairs.append((sum(got[same]), sum(shares), max(m[1] / (abs(m[0]) + 1e-300) for m in true)))
    return pairs


def compare_decay(generator, data, name, task, zero):
    truth, wrong, outcome = tasks.decay(generator, task, zero), Differences(), data.outcome(name)
    modes = truth["modes"]
    if outcome != "good":
        return wrong, "clumsy" if modes else "honest"
    rates, frequencies = data.values[name + "_rate"], data.values[name + "_frequency"]
    got = [complex(-r, -f) for r, f in zip(rates, frequencies) if not numpy.isnan(r)]
    wanted = min(task.get("count", 1), len(modes))
    if len(got) != wanted:
        wrong.append((f"{name}: {len(got)} modes, not {wanted}", numpy.inf))
    count = min(len(got), wanted)
    if count:
        compare_rates(got[:count], [m[0] for m in modes], within([m[1] for m in modes], zero), wrong, name)
    for which, size in (("amplitude", truth["size"]), ("weight", 1.0)):
        for value, true, error in sums_of_shares(data, name, modes, count, which):
            wrong.number(f"{name}_{which}", value, true, TOLERANCE * max(size, abs(true)) * max(1, error / 1e-12))
    return wrong, "agree"


def compare_evolve(generator, data, name, task, zero):
    wrong = Differences()
    if data.outcome(name) != "good":
        return wrong, "clumsy"
    truth = tasks.evolve(generator, task, axis(generator.deck, task["times"]))
    compare_observables(data, name, Observables(generator, generator.deck.document.get("observables")), truth["states"], wrong)
    for k, value in enumerate(truth.get("fidelity", [])):
        wrong.number(f"{name}_fidelity[{k}]", complex(data.values[name + "_fidelity"][k]), value, TOLERANCE)
    return wrong, "agree"


COMPARE = {"steady": compare_steady, "gap": compare_gap, "decay": compare_decay, "evolve": compare_evolve}


def alike(wrong, again):
    """Whether the reference found the same after the deck's numbers were changed in their last digit."""
    return len(wrong) == len(again) and all(
        a == b or abs(a - b) < 0.03 * min(a, b) for (_, a), (_, b) in zip(wrong, again))


def compare_task(kind, generator, data, name, task):
    """(verdict, explanation)"""
    try:
        wrong, verdict = COMPARE[kind](generator, data, name, task, 0.0)
        text = "; ".join(w[0] for w in wrong[:3])
        if verdict in ("clumsy", "honest"):
            return verdict, data.outcome(name)
        if not wrong:
            return "agree", ""
        resolution = float(data.values.get(name + "_resolution", 0.0))
        if resolution > 0 and not COMPARE[kind](generator, data, name, task, resolution)[0]:
            return "resolution", text
        moved = [COMPARE[kind](Generator(Deck(generator.deck.document, seed)), data, name, task, 0.0)[0] for seed in (1, 2)]
        return "DISAGREE" if all(alike(wrong, again) for again in moved) else "ill", text
    except Unresolved as why:
        return "unknown", str(why)


def compare_deck(path, timeout=60):
    """A list of (task, verdict, explanation)."""
    with open(path, encoding="utf-8") as stream:
        document = yaml.safe_load(stream)
    with tempfile.TemporaryDirectory() as folder:
        data, failure = run_cospin(path, folder, timeout)
    if failure:
        return [("deck", *failure)]
    generator = Generator(Deck(document))
    results = []
    for entry in document["tasks"]:
        (kind, keys), = entry.items()
        keys = keys or {}
        if kind in COMPARE:
            name = keys.get("name", kind)
            results.append((name, *compare_task(kind, generator, data, name, keys)))
    return results


if __name__ == "__main__":
    for deck in sys.argv[1:]:
        for result in compare_deck(deck):
            print(deck, *result)
