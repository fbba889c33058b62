#!/usr/bin/python3
"""Speed and memory of cospin, with QuTiP beside it in the same run.

    bash tests/benchmark.sh                            everything: (estimated) an hour on two free cores, 6 GB of memory
    bash tests/benchmark.sh --rows ions piqs           parts of it: these two take three minutes
    bash tests/benchmark.sh --rows cats8 cat60_local   rows of the last table; --list names them

`ions` prints, for the steady state and the fringe decay rate of synchronised ions at w = N Gc/2 (PRA 95, 033423, Eq. (23)):
assembly, factorisation (symbolic + numeric), solves, all of both tasks, and peak memory of all ranks together, as medians
over repetitions; the exponent with which assembly grows. `piqs` is the steady state alone against QuTiP's piqs
(method="power"). `products` are products with generators held without a matrix, beside assembled ones
(tests/benchmark_products.py). ions1000, grid400 and tiny10000 are whole runs with their solves, products and memory, beside an earlier cospin
where --before names one (tests/benchmark_before.py). farm_tiny, farm_groups and farm_grid are what the farm itself costs (tests/benchmark_farm.py): they need
two free cores, for a minute, some minutes a pair, and a minute and a half. All other names are rows of one table, a deck each (tests/benchmark_systems.py): time and peak memory,
the numbers found and how far they are from a reference where there is one, and the time of a peer that solves the same.
Peers are measured without start-up and imports. Quote ratios: machines are shared and noisy. Rows with a peer have
two: of wall time on the ranks of the row, and of CPU time (cospin's with its start-up).

cats8 runs QuTiP's mesolve, a minute and a half; maser20_factors takes three minutes and 3 GB; subensembles20_gap and _evolve take minutes, maser30 two minutes and
2 GB, driven200 three minutes and 4 GB, ions10000 and ions10000_low a minute and 3 GB. The others take seconds to a minute.
"""
import argparse
import json
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile

import h5py
import numpy

import benchmark_before
import benchmark_farm
import benchmark_products
import benchmark_systems

DECK = """title: benchmark
parameters: {{N: {n}}}
components: {{ions: {{kind: ensemble, size: N}}}}
jumps:
  - {{rate: 1, operator: ions.Sm}}
  - {{rate: N/2, each: ions.sp}}
observables: {{inversion: 2*<ions.Sz>/N}}
tasks:
  - steady: {{}}
{decay}
"""

EVENTS = {"assembly": ["CospinAssembly"], "factor": ["MatLUFactorSym", "MatLUFactorNum", "CospinFactor"],
          "solve": ["MatSolve", "MatSolveTranspos", "CospinSolve"]}

PIQS = """
import json, resource, sys, time
import numpy
numpy.int = int  # QuTiP 4.7 on newer numpy
from qutip import steadystate, expect
from qutip.piqs import Dicke, jspin
n = int(sys.argv[1])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
start = time.perf_counter()
system = Dicke(n, emission=0.0, pumping=n / 2, collective_emission=1.0)
rho = steadystate(system.liouvillian(), method="power")
seconds = time.perf_counter() - start
inversion = 2 * expect(jspin(n, "z"), rho) / n
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps({"seconds": seconds, "bytes": 1024 * (after - before), "inversion": float(inversion)}))
"""


def event_times(log):
    """Seconds of the events in PETSc's -log_view: the largest over ranks."""
    times = {}
    for what, names in EVENTS.items():
        times[what] = 0.0
        for name in names:
            found = re.search(r"^%s\s+\d+\s+[\d.]+\s+([\d.e+-]+)" % name, log, re.M)
            times[what] += float(found.group(1)) if found else 0.0
    return times


def run_cospin(program, ranks, n, decay, folder):
    deck, output, log = (os.path.join(folder, name) for name in ("deck.yaml", "out.h5", "log"))
    with open(deck, "w", encoding="utf-8") as stream:
        stream.write(DECK.format(n=n, decay="  - decay: {of: ions.Sp}" if decay else ""))
    command = ["mpiexec", "-n", str(ranks), program, "run", deck, "-o", output, "--overwrite", "--quiet",
               "--groups", "1", "-log_view", ":" + log]
    subprocess.run(command, check=True)
    with open(log, encoding="utf-8") as stream:
        result = event_times(stream.read())
    with h5py.File(output) as data:
        result["seconds"] = float(data["seconds"][()])
        result["bytes"] = float(data["peak_memory"][()])
        result["inversion"] = float(data["steady_inversion"][()])
        result["dimension"] = int(data["steady_dimension"][()])
        if decay:
            result["width"] = float((data["decay_upper"][0] - data["decay_lower"][0]) / data["decay_rate"][0])
    return result


def median_of(repetitions, measure):
    runs = [measure() for _ in range(repetitions)]
    return {key: statistics.median(run[key] for run in runs) for key in runs[0]}


def sizes(arguments, folder):
    print("%6s %9s %5s %10s %10s %10s %10s %10s %12s" %
          ("N", "labels", "ranks", "assembly/s", "factor/s", "solve/s", "all/s", "memory/MB", "bracket/rate"))
    assembly = {}
    for n in arguments.sizes:
        for ranks in arguments.ranks:
            row = median_of(arguments.repeat, lambda: run_cospin(arguments.program, ranks, n, True, folder))
            print("%6d %9d %5d %10.3f %10.3f %10.3f %10.3f %10.0f %12.1e" %
                  (n, row["dimension"], ranks, row["assembly"], row["factor"], row["solve"], row["seconds"],
                   row["bytes"] / 1e6, row["width"]), flush=True)
            assembly[n, ranks] = (row["dimension"], row["assembly"])
    return assembly


def peers(arguments, folder):
    print("\nsteady state against piqs (power), one core\n%6s %10s %10s %8s %10s %10s %8s %12s" %
          ("N", "piqs/s", "cospin/s", "ratio", "piqs/MB", "cospin/MB", "ratio", "difference"))
    for n in arguments.peer_sizes:
        def piqs():
            text = subprocess.run(["/usr/bin/python3", "-c", PIQS, str(n)], check=True, stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL).stdout
            return json.loads(text.splitlines()[-1])
        try:
            theirs = median_of(arguments.repeat, piqs)
        except subprocess.CalledProcessError:
            print("%6d  piqs failed (python3-qutip installed?)" % n)
            continue
        ours = median_of(arguments.repeat, lambda: run_cospin(arguments.program, 1, n, False, folder))
        idle = run_cospin(arguments.program, 1, 1, False, folder)  # what the program needs without a problem
        memory = max(ours["bytes"] - idle["bytes"], 1e5)
        print("%6d %10.3f %10.4f %8.0f %10.1f %10.2f %8.0f %12.1e" %
              (n, theirs["seconds"], ours["seconds"], theirs["seconds"] / ours["seconds"], theirs["bytes"] / 1e6,
               memory / 1e6, theirs["bytes"] / memory, theirs["inversion"] - ours["inversion"]), flush=True)


def run_system(program, ranks, deck, shows, folder):
    """{seconds, bytes, times, shown variable: values, ...} of a deck, run once."""
    path, output = os.path.join(folder, "system.yaml"), os.path.join(folder, "system.h5")
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(deck)
    command = ["mpiexec", "-n", str(ranks), program, "run", path, "-o", output, "--overwrite", "--quiet", "--groups",
               "1"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    status = subprocess.run(command, check=False).returncode
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if status not in (0, 3):
        raise RuntimeError(f"cospin ended with exit status {status}")
    with h5py.File(output) as data:
        result = {"seconds": float(data["seconds"][()].item()), "bytes": float(data["peak_memory"][()].item()),
                  "good": status == 0,
                  "cpu": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
                  "times": data["time"][()].tolist() if "time" in data else []}
        result.update({work: sum(int(data[name][()].sum()) for name in data if name.endswith("_" + work))
                       for work in ("solves", "products")})
        result["residual"] = max((float(numpy.nanmax(data[name][()])) for name in data if name.endswith("_residual")),
                                 default=float("nan"))
        result["leak"] = max((float(numpy.nanmax(data[name][()])) for name in data if name.endswith("_leak")),
                             default=float("nan"))
        result["labels"] = max((int(data[name][()].max()) for name in data if name.endswith("_dimension")), default=0)
        result.update({name: numpy.ravel(data[name][()]) for name in shows})
    return result


def describe(run, shows, references):
    """`name = last value`, with the difference from what is known."""
    texts = []
    for name in shows:
        text = f"{name} = {run[name][-1]:.10g}"
        if name in references:
            value, tolerance = references[name]
            difference = abs(run[name][-1] - value)
            text += f" (off by {difference:.0e}{'' if difference <= tolerance else ', TOO MUCH'})"
        texts.append(text)
    return ", ".join(texts)


def systems(arguments, names, folder):
    """True if every row was good."""
    print("\n%-22s %5s %8s %9s %8s %10s %7s %8s %8s %8s %8s %8s %7s %7s  %s" %
          ("system", "ranks", "labels", "time/s", "CPU/s", "memory/MB", "solves", "products", "residual", "leak", "peer/s", "CPU/s", "ratio", "of CPU",
           "found at the end"))
    fine = True
    for name in names:
        deck, shows, references, peer, compared = benchmark_systems.SYSTEMS[name]
        theirs = None
        for ranks in arguments.ranks:
            runs = [run_system(arguments.program, ranks, deck, shows, folder) for _ in range(arguments.repeat)]
            run = min(runs, key=lambda one: one["seconds"])
            text = describe(run, shows, references)
            if peer and theirs is None:
                theirs = peer(run["times"])
            if theirs:
                text += ", from the peer %.0e" % max(abs(run[compared] - theirs["values"]))
            beside = ["%.1f" % number for number in (theirs["seconds"], theirs["cpu"], theirs["seconds"] / run["seconds"],
                                                     theirs["cpu"] / run["cpu"])] if theirs else [""] * 4
            print("%-22s %5d %8d %9.2f %8.2f %10.0f %7d %8d %8.0e %8.0e %8s %8s %7s %7s  %s%s" %
                  (name, ranks, run["labels"], run["seconds"], run["cpu"], run["bytes"] / 1e6, run["solves"],
                   run["products"], run["residual"], run["leak"], *beside, text,
                   "" if run["good"] else "  BAD OUTCOME"), flush=True)
            fine = fine and run["good"] and "TOO MUCH" not in text
    return fine


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("--sizes", type=int, nargs="*", default=[124, 400, 1000])
    parser.add_argument("--ranks", type=int, nargs="*", default=[1, 2])
    parser.add_argument("--peer-sizes", type=int, nargs="*", default=[20, 40, 60])
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--rows", nargs="*", metavar="NAME", help="what to measure (default: everything)")
    parser.add_argument("--before", metavar="PROGRAM", help="an earlier cospin, for ions1000, grid400 and tiny10000")
    parser.add_argument("--list", action="store_true", help="names for --rows")
    arguments = parser.parse_args()
    known = ["ions", "piqs", "products", *benchmark_before.DECKS, *benchmark_farm.ROWS, *benchmark_systems.SYSTEMS]
    rows = arguments.rows or known
    unknown = [name for name in rows if name not in known]
    if unknown:
        parser.error(f"no row {', '.join(unknown)} (known: {', '.join(known)})")
    if arguments.list:
        print("\n".join(known))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        if "ions" in rows:
            assembly = sizes(arguments, folder)
            first, last = (assembly.get((n, arguments.ranks[0])) for n in (arguments.sizes[0], arguments.sizes[-1]))
            if first and last and first != last:
                ratio = last[1] / first[1] / (last[0] / first[0])
                print("assembly per label, largest against smallest: %.2f times" % ratio)
        if "piqs" in rows:
            peers(arguments, folder)
        for name in rows:
            if name in benchmark_before.DECKS:
                benchmark_before.measure(name, arguments.program, arguments.before, folder, arguments.repeat)
            if name in benchmark_farm.ROWS:
                benchmark_farm.ROWS[name](arguments.program, folder, arguments.repeat)
        if "products" in rows:
            benchmark_products.table(arguments, folder)
        names = [name for name in rows if name in benchmark_systems.SYSTEMS]
        return 0 if not names or systems(arguments, names, folder) else 1


if __name__ == "__main__":
    sys.exit(main())
