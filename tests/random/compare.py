"""Runs a deck through cospin and compares all that it says with the dense reference.

    python3 tests/random/compare.py [--ranks N] DECK.yaml ...

Verdicts, one for each task:
    agree       within 1e-7 of the natural scale
    horizon     slower modes were missed, all of them farther in frequency than cospin's `horizon`
    error       agrees only within the `error` that cospin tells of its rates
    resolution  agrees only if rates below cospin's own `resolution` count as zero
    honest      a bad outcome where the deck has no answer (or none that double precision could know)
    clumsy      a bad outcome where the reference has an answer
    ill         the answer itself changes if the deck's numbers change in their last digit
    unknown     the reference does not know
    DISAGREE    another number, with outcome good
and for a deck: refused, crash, hang.
"""
import argparse
import os
import subprocess
import tempfile

import h5py
import numpy
import yaml

import light
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
    trusted = False  # whether `told` believes

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

    def told(self, name):
        """The largest error that cospin tells of a task's rates, where it is to be believed."""
        errors = self.values.get(name + "_error", numpy.nan)
        return float(numpy.nanmax(errors, initial=0.0)) if self.trusted else 0.0

    def pair(self, name):
        return complex(self.values[name], self.values[name + "_im"])


def finish(command, environment, timeout):
    """(status, output). What takes too long is asked to end first: a launcher then ends its ranks."""
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace") as process:
        try:
            output, _ = process.communicate(timeout=timeout)
        except BaseException:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
            raise
    return process.returncode, output


def run_cospin(path, folder, timeout, ranks=1):
    """(dataset, None) or (None, verdict)."""
    output = os.path.join(folder, "out.h5")
    environment = {**os.environ, "TMPDIR": folder, "OMP_NUM_THREADS": "1", "OMPI_MCA_ess_singleton_isolated": "1",
                   "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    launcher = ["mpiexec", "--oversubscribe", "-n", str(ranks)] if ranks > 1 else []
    try:
        status, text = finish([*launcher, PROGRAM, "run", path, "-o", output, "--quiet", "--overwrite"], environment, timeout)
    except subprocess.TimeoutExpired:
        return None, ("hang", f"longer than {timeout} s")
    if status == 2:
        return None, ("refused", text.strip()[-300:])
    if status not in (0, 3) or not os.path.exists(output):
        return None, ("crash", f"status {status}: {text.strip()[-200:]}")
    return Data(output), None


# ---- One task --------------------------------------------------------------------------------------------------------

class Differences(list):
    """What differs, with its size relative to what is allowed."""
    horizon = False

    def number(self, what, got, true, allowed):
        difference = abs(got - true)
        if not difference <= allowed:
            self.append((f"{what} is {show(got)}, not {show(true)}", difference / allowed if allowed else numpy.inf))

    def beyond(self, got, modes, horizon, slack):
        """Notes whether what was missed lies beyond the `horizon` in frequency that cospin tells."""
        self.horizon = False
        if self and numpy.isfinite(horizon):
            middle = numpy.mean([m[0].imag for m in modes])
            kept = [m for m in modes if abs(m[0].imag - middle) <= horizon or
                    any(abs(m[0] - g) <= 1e-6 * abs(g) + slack for g in got)]
            again = Differences()
            if len(kept) >= len(got):
                compare_rates(got, [m[0] for m in kept], within([m[1] for m in kept], slack), again, "")
                self.horizon = not again and all("_rate[" in w[0] or "no eigenvalue" in w[0] for w in self)


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
    if not task.get("sector") and degeneracy not in (truth["traced"], truth["total"]):
        wrong.append((f"degeneracy {degeneracy}, not {truth['traced']} ({truth['total']} in all)", numpy.inf))
    compare_next(generator, data, name, wrong)
    if known:
        compare_observables(data, name, Observables(generator, generator.deck.document.get("observables")), [truth["state"]], wrong)
    return wrong, "agree"


def compare_next(generator, data, name, wrong):
    """`next_rate` is an estimate of an order of magnitude: within a factor of two of some rate that there is, or cospin's zero."""
    rate, resolution = float(data.values[name + "_next_rate"]), float(data.values[name + "_resolution"])
    modes = tasks.gap(generator, {})["modes"]
    if numpy.isnan(rate) or abs(rate) <= resolution:
        return
    if not any(abs(-m[0].real - rate) <= 0.5 * abs(rate) + 1e-8 * abs(m[0]) for m in modes):
        wrong.append((f"{name}_next_rate is {rate:.6g}, near to no rate", numpy.inf))


def compare_bracket(data, name, truth, wrong):
    """The rigorous bounds of the slowest rate."""
    lower, upper = (float(data.values[f"{name}_{x}"][0]) for x in ("lower", "upper"))
    if not numpy.isnan(lower) and not lower * (1 - TOLERANCE) <= truth <= upper * (1 + TOLERANCE):
        wrong.append((f"{name}: the slowest rate is {truth:.10g}, not within [{lower:.10g}, {upper:.10g}]", numpy.inf))


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
    """Of what is below the resolution some may have been told from zero, in sectors where less is rounding."""
    wrong, verdict = compare_gap_to(tasks.gap(generator, task, zero), data, name, zero)
    if wrong and zero > 0:
        again = compare_gap_to(tasks.gap(generator, task, 0.0), data, name, zero)
        if not again[0]:
            return again
    return wrong, verdict


def compare_gap_to(truth, data, name, zero):
    wrong, outcome = Differences(), data.outcome(name)
    if outcome != "good":
        return wrong, "clumsy" if truth["modes"] else "honest"
    if not truth["modes"]:
        wrong.append(("gap: nothing but zeros, good", numpy.inf))
        return wrong, "agree"
    wrong.number(f"{name}_zeros", complex(data.values[name + "_zeros"]), truth["zeros"], 0.0)
    got = [complex(-data.values[name + "_rate"], -data.values[name + "_frequency"])]
    modes, errors = zip(*truth["modes"])
    compare_rates(got, modes, within(errors, zero + data.told(name)), wrong, name)
    wrong.beyond(got, truth["modes"], float(data.values[name + "_horizon"]), zero + data.told(name))
    return wrong, "agree"


def sums_of_shares(data, name, modes, kept, count, which, zero):
    """Sums over equal eigenvalues of cospin's and of the true shares; the last cluster only if it is whole (of those `kept`)."""
    rates, frequencies = data.values[name + "_rate"], data.values[name + "_frequency"]
    part = {"amplitude": ("amplitude_re", "amplitude_im"), "weight": ("weight", "weight_im")}[which]
    got = data.values[f"{name}_{part[0]}"] + 1j * data.values[f"{name}_{part[1]}"]
    done, pairs = set(), []
    for k in range(count):
        value = complex(-rates[k], -frequencies[k])
        near = lambda x: abs(x - value) <= tasks.CLOSE * (abs(value) + 1e-300) + 2e4 * zero
        same = [j for j in range(count) if near(complex(-rates[j], -frequencies[j]))]
        true = [m for m in modes if near(m[0])]
        whole = sum(near(m[0]) for m in (modes if count - 1 in same else kept))  # of the last one some may be missing
        if k in done or len(same) != whole:
            continue
        done.update(same)
        if any(1 < abs(m[0] - value) / (tasks.CLOSE * abs(value) + 1e-300) < 10 for m in modes):
            continue  # part of a chain of close ones
        shares = [m[2 if which == "amplitude" else 3] for m in true]
        if not any(s is None for s in shares) and not numpy.isnan(got[same]).any():
            pairs.append((sum(got[same]), sum(shares), max(m[1] / (abs(m[0]) + 1e-300) for m in true), sum(m[4] for m in true)))
    return pairs


def listed(got, modes, resolution):
    """Without the modes that A reads nothing of, unless cospin found them in one of A's sectors."""
    left, seen, hidden = list(got), [m for m in modes if not m[5]], [m for m in modes if m[5]]
    kept = []
    for mode in seen + hidden:
        best = min(left, key=lambda g: abs(g - mode[0]), default=numpy.inf)
        near = abs(best - mode[0]) <= 1e-8 * abs(mode[0].real) + 10 * mode[1] + resolution
        if near:
            left.remove(best)
        if near or not mode[5]:
            kept.append(mode)
    return sorted(kept, key=lambda m: -m[0].real)


def compare_decay(generator, data, name, task, zero):
    truth = tasks.decay(generator, task, zero)
    wrong, outcome, modes = Differences(), data.outcome(name), truth["modes"]
    if outcome != "good":
        return wrong, "clumsy" if modes else "honest"
    rates, frequencies = data.values[name + "_rate"], data.values[name + "_frequency"]
    got = [complex(-r, -f) for r, f in zip(rates, frequencies) if not numpy.isnan(r)]
    every, modes = modes, listed(got, modes, float(data.values[name + "_resolution"]) + data.told(name))
    wanted = min(task.get("count", 1), len(modes))
    if len(got) != wanted:
        wrong.append((f"{name}: {len(got)} modes, not {wanted}", numpy.inf))
    count = min(len(got), wanted)
    if count:
        compare_rates(got[:count], [m[0] for m in modes], within([m[1] for m in modes], zero + data.told(name)), wrong, name)
        wrong.beyond(got[:count], modes, float(data.values[name + "_horizon"]), zero + data.told(name))
        compare_bracket(data, name, -modes[0][0].real, wrong)
    for which, size in (("amplitude", truth["size"]), ("weight", 1.0)):
        for value, true, error, rounding in sums_of_shares(data, name, every, modes, count, which, zero):
            allowed = TOLERANCE * max(size, abs(true)) * max(1, error / 1e-12) + rounding
            wrong.number(f"{name}_{which}", value, true, allowed)
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


def compare_correlation(generator, data, name, task, zero):
    wrong, truth = Differences(), light.correlation(generator, task, axis(generator.deck, task["times"]))
    if data.outcome(name) != "good" or truth is None:
        return without_steady_state(generator, data, name, truth, wrong)
    allowed = TOLERANCE * truth["size"]
    for k, value in enumerate(truth["values"]):
        wrong.number(f"{name}[{k}]", complex(data.get(name).flat[k]), value, allowed)
    if generator_has_one(generator):
        wrong.number(f"{name}_coherent", data.pair(name + "_coherent"), truth["coherent"], allowed)
    if abs(truth["equal"]) > 1e-6 * truth["size"]:
        for k, value in enumerate(truth["values"]):
            got = complex(data.get(name + "_g1").flat[k])
            if not (numpy.isnan(got) and abs(truth["equal"]) < 1e-3 * truth["size"]):  # few digits to divide by: it may be missing
                wrong.number(f"{name}_g1[{k}]", got, value / truth["equal"], allowed / abs(truth["equal"]))
    return wrong, "agree"


def generator_has_one(generator):
    """Steady state, and no conserved coherence."""
    return tasks.null_counts(generator)[1] == 1


def without_steady_state(generator, data, name, truth, wrong):
    if data.outcome(name) != "good":
        return wrong, "clumsy" if truth is not None and generator_has_one(generator) else "honest"
    wrong.append((f"{name}: several steady states, good", numpy.inf))
    return wrong, "agree"


def compare_g2(generator, data, name, task, zero):
    wrong, truth = Differences(), light.g2(generator, task, axis(generator.deck, task["times"]))
    if truth is not None and truth["values"] is None:  # no light
        return wrong, "agree" if data.outcome(name) == "good" else "honest"
    if data.outcome(name) != "good" or truth is None:
        return without_steady_state(generator, data, name, truth, wrong)
    wrong.number(f"{name}_intensity", complex(data.values[name + "_intensity"]), truth["intensity"], TOLERANCE * truth["size"])
    faint = 1 + 1e-7 * truth["size"] / truth["intensity"]
    for k, value in enumerate(truth["values"]):
        wrong.number(f"{name}[{k}]", complex(data.values[name + "_value"].flat[k]), value, TOLERANCE * faint * max(1, abs(value)))
    return wrong, "agree"


def compare_spectrum(generator, data, name, task, zero):
    wrong, truth = Differences(), light.Spectrum(generator, task)
    if not truth.known or truth.lines:
        if data.outcome(name) == "good":
            wrong.append((f"{name}: " + ("lines without a width" if truth.known else "several steady states") + ", good", numpy.inf))
        return wrong, "agree" if wrong else "honest"
    if data.outcome(name) != "good":
        return wrong, "clumsy" if generator_has_one(generator) else "honest"
    values = [truth.density(w) for w in axis(generator.deck, task["frequencies"])]
    height = data.values[name + "_height"]
    largest = max(max(map(abs, values)), 0.0 if numpy.isnan(height) else float(height))
    tolerance = float(generator.deck.number(task.get("tolerance", 1e-6)).real)
    # of a dark state the reference knows its own rounding only
    rounding = (1e-10 if abs(truth.power) <= 1e-13 * truth.size else 1e-12) * truth.size / generator.scale
    for k, value in enumerate(values):
        got = complex(data.values[name + "_density"].flat[k], data.values[name + "_density_im"].flat[k])
        wrong.number(f"{name}_density[{k}]", got, value, 3 * tolerance * largest + rounding)
    if not numpy.isnan(height):
        peak = float(data.values[name + "_peak"])
        for true in (truth.density(peak).real, max(float(height), max(v.real for v in values))):
            wrong.number(f"{name}_height", complex(height), true, 3 * tolerance * largest + rounding)
    wrong.number(f"{name}_coherent", data.pair(name + "_coherent"), truth.coherent, TOLERANCE * truth.size)
    wrong.number(f"{name}_power", complex(data.values[name + "_power"]), truth.power.real, TOLERANCE * truth.size)
    return wrong, "agree"


def compare_counting(generator, data, name, task, zero):
    wrong, truth = Differences(), light.counting(generator, task)
    if data.outcome(name) != "good" or truth is None:
        return without_steady_state(generator, data, name, truth, wrong)
    for k, what in enumerate(("mean", "variance", "third", "fourth")):
        wrong.number(f"{name}_{what}", complex(data.values[f"{name}_{what}"]), truth[k],
                     TOLERANCE * max(map(abs, truth[:k + 1])) + 1e-13 * generator.scale)
    if truth[0] > 1e-6 * generator.scale:
        wrong.number(f"{name}_fano", complex(data.values[name + "_fano"]), truth[1] / truth[0], TOLERANCE * max(1, truth[1] / truth[0]))
    return wrong, "agree"


def compare_clicks(generator, data, name, task, zero):
    wrong, truth = Differences(), light.clicks(generator, task)
    if data.outcome(name) != "good":
        return wrong, "clumsy"
    probability = [(generator.trace @ x).real for x in truth]
    for n, p in enumerate(probability):
        wrong.number(f"{name}_probability[{n}]", complex(data.values[name + "_probability"][n]), p, TOLERANCE)
    wrong.number(f"{name}_missing", complex(data.values[name + "_missing"]), 1 - sum(probability), TOLERANCE)
    moments = [sum(n**k * p for n, p in enumerate(probability)) / sum(probability) for k in (1, 2)]
    if not numpy.isnan(data.values[name + "_mean"]):
        wrong.number(f"{name}_mean", complex(data.values[name + "_mean"]), moments[0], TOLERANCE)
        wrong.number(f"{name}_variance", complex(data.values[name + "_variance"]), moments[1] - moments[0]**2, TOLERANCE * len(truth)**2)
    observables = Observables(generator, generator.deck.document.get("observables"))
    for key in observables.texts:
        got, total, weights = data.get(f"{name}_{key}"), 0.0, 0.0
        for n, p in enumerate(probability):
            if not numpy.isnan(got[n]) and p > 1e-9:
                value = observables.value(key, truth[n] / p)
                wrong.number(f"{name}_{key}[{n}]", complex(got[n]), value, observables.size(key) * (TOLERANCE + 1e-8 / p))
                total, weights = total + p * value, weights + p
        average = data.get(f"{name}_{key}_average")
        if weights > 0.01 and average is not None and not numpy.isnan(average):
            wrong.number(f"{name}_{key}_average", complex(average), total / weights, observables.size(key) * TOLERANCE / weights)
    return wrong, "agree"


COMPARE = {"steady": compare_steady, "gap": compare_gap, "decay": compare_decay, "evolve": compare_evolve,
           "correlation": compare_correlation, "g2": compare_g2, "spectrum": compare_spectrum, "counting": compare_counting,
           "clicks": compare_clicks}


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
        for verdict, zero in (("horizon", 0.0), ("resolution", resolution), ("error", resolution)):
            data.trusted = verdict == "error"
            again = COMPARE[kind](generator, data, name, task, zero)[0]
            data.trusted = False
            if again.horizon:
                return "horizon", text
            if not again:
                return verdict, text
        moved = [COMPARE[kind](Generator(Deck(generator.deck.document, seed)), data, name, task, 0.0)[0] for seed in (1, 2)]
        return "DISAGREE" if all(alike(wrong, again) for again in moved) else "ill", text
    except Unresolved as why:
        return "unknown", str(why)


def compare_deck(path, timeout=60, ranks=1):
    """A list of (task, verdict, explanation)."""
    with open(path, encoding="utf-8") as stream:
        document = yaml.safe_load(stream)
    with tempfile.TemporaryDirectory() as folder:
        data, failure = run_cospin(path, folder, timeout, ranks)
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


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("decks", nargs="+")
    parser.add_argument("--ranks", type=int, default=1)
    given = parser.parse_args()
    for deck in given.decks:
        for result in compare_deck(deck, ranks=given.ranks):
            print(deck, *result)


if __name__ == "__main__":
    main()
