"""Work and time of whole runs, beside an earlier cospin where one is given: rows ions1000, grid400 and tiny10000 of tests/benchmark.py.

    bash tests/benchmark.sh --rows ions1000 grid400 tiny10000 --before /path/to/cospin-0.1

ions1000     steady state and fringe decay of 1000 ions at w = N/2, one rank
grid400      64 points of 400 ions, steady state and fringe decay, one rank: half a minute (0.1: a minute and a half)
tiny10000    10^4 points of nine unknowns, steady state and fringe decay, one rank (0.1: more than a minute)

Solves and products are those of both tasks at a point, on average ('-': that version did not count them); memory is that of the process. The
one beside it runs the same deck right after, so the ratio of CPU times is what to quote. `difference`: of rates and inversions, relative.
"""
import os

import h5py
import numpy

import benchmark_farm

BOTH = "steady: {}}, {decay: {of: ions.Sp}"
DECKS = {"ions1000": {"n": 1000, "rows": 1, "columns": 1, "low": 500, "high": 500},
         "grid400": {"n": 400, "rows": 8, "columns": 8, "low": 50, "high": 250},
         "tiny10000": {"n": 4, "rows": 100, "columns": 100, "low": .5, "high": 5}}


def work(path):
    """{what: a point's average of both tasks}, the numbers found, and how many points are bad."""
    with h5py.File(path.replace(".yaml", ".h5")) as data:
        found = {}
        for what in ("solves", "products", "factorisations"):
            names = [f"{task}_{what}" for task in ("steady", "decay")]
            found[what] = "%.1f" % sum(data[name][()].mean() for name in names) if all(name in data for name in names) else "-"
        found["residual"] = max(data[f"{task}_residual"][()].max() for task in ("steady", "decay"))
        found["numbers"] = numpy.concatenate([numpy.ravel(data[name][()]) for name in ("steady_inversion", "decay_rate")])
        found["bad"] = int((data["outcome"][()] != 1).sum())
    return found


def row(name, which, program, path):
    one = benchmark_farm.run(program, path, "--groups", "1")
    one.update(work(path))
    print("%-10s %-7s %9.2f %9.2f %10.0f %8s %9s %9s %9.0e %5d" %
          (name, which, one["seconds"], one["cpu"], one["megabytes"], one["factorisations"], one["solves"], one["products"],
           one["residual"], one["bad"]), flush=True)
    return one


def measure(name, program, before, folder, repeat):
    path = benchmark_farm.deck(folder, name + ".yaml", tasks="{" + BOTH + "}", **DECKS[name])
    print("\n%-10s %-7s %9s %9s %10s %8s %9s %9s %9s %5s" %
          (name, "", "time/s", "CPU/s", "memory/MB", "factors", "solves", "products", "residual", "bad"))
    for _ in range(repeat):
        now = row(name, "now", program, path)
        if not before:
            continue
        then = row(name, "before", before, path)
        difference = (numpy.abs(now["numbers"] - then["numbers"]) / numpy.maximum(numpy.abs(then["numbers"]), 1e-3)).max()
        print("%-10s before/now: %.2f of CPU time, %.2f of memory; difference %.0e" %
              (name, then["cpu"] / now["cpu"], then["megabytes"] / now["megabytes"], difference), flush=True)
