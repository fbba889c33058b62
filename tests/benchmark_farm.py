"""What the farm itself costs: rows farm_tiny, farm_groups and farm_grid of tests/benchmark.py.

farm_tiny    1000 points of about 1 ms on one rank: points a second, start and archive included, and what the farm adds
             to the time inside of the points. Points are published in shards all along.
farm_groups  64 points of 400 ions (steady state and fringe decay) by one group of one rank and by two, as pairs one
             after the other in changing order: the ratio of each pair, and their median, by wall time. The ratio of CPU
             times says what part of that the machine is to blame for: 1 if the points cost the same side by side.
farm_grid    100 x 100 points against 20 x 50: time of the first and last 1000 points, memory of rank 0, plan, a second
             run that goes on with the first half, and one that finds everything there.
"""
import os
import re
import resource
import statistics
import subprocess
import time

import h5py
import numpy

DECK = """title: farm
parameters: {{N: {n}, w: 1, nbar: 0}}
grid: {{nbar: {{linspace: [0, 2, {rows}]}}, w: {{linspace: [{low}, {high}, {columns}]}}}}
components: {{ions: {{kind: ensemble, size: N}}}}
jumps:
  - {{rate: nbar+1, operator: ions.Sm}}
  - {{rate: nbar, operator: ions.Sp}}
  - {{rate: w, each: ions.sp}}
observables: {{inversion: 2*<ions.Sz>/N}}
tasks: [{tasks}]
"""


def deck(folder, name, **values):
    path = os.path.join(folder, name)
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(DECK.format(**values))
    return path


def tiny(folder, rows, columns):
    return deck(folder, f"tiny{rows * columns}.yaml", n=4, rows=rows, columns=columns, low=.5, high=5, tasks="{steady: {}}")


def run(program, path, *options, ranks=1, status=0, verb="run", fresh=True):
    """Wall and CPU seconds of a command, memory of its largest process, and what was found (without the points)."""
    output = path.replace(".yaml", ".h5")
    if fresh and os.path.exists(output):
        os.remove(output)
    front = ["mpiexec", "-n", str(ranks)] if ranks > 1 else []
    where = ["-o", output, "--quiet"] if verb == "run" else []
    command = ["/usr/bin/time", "-f", "MAXIMUM %M", *front, program, verb, path, *where, *options]
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, check=False, text=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    seconds, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != status:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}: {done.stderr}")
    found = {"seconds": seconds, "cpu": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
             "megabytes": int(re.search(r"MAXIMUM (\d+)", done.stderr).group(1)) * 1.024e-3}
    if verb == "run":
        with h5py.File(output) as data:
            found["points"] = numpy.ravel(data["seconds"][()])
            found["finished"] = int((data["outcome"][()] != 0).sum())
    return found


def farm_tiny(program, folder, repeat):
    path = tiny(folder, 20, 50)
    runs = [run(program, path) for _ in range(repeat)]
    print("\nfarm_tiny: 1000 points, one rank\n%10s %10s %12s %12s %14s %14s" %
          ("time/s", "CPU/s", "points/s", "of CPU", "point/ms", "farm/ms/point"))
    for one in runs:
        inside = one["points"].sum()
        print("%10.2f %10.2f %12.0f %12.0f %14.2f %14.2f" %
              (one["seconds"], one["cpu"], 1000 / one["seconds"], 1000 / one["cpu"], inside, one["seconds"] - inside),
              flush=True)
    print("points/s, median: %.0f, of CPU time %.0f (wanted: 200 a group)" %
          tuple(statistics.median(1000 / one[what] for one in runs) for what in ("seconds", "cpu")))


def farm_groups(program, folder, repeat):
    path = deck(folder, "groups.yaml", n=400, rows=8, columns=8, low=50, high=250, tasks="{steady: {}}, {decay: {of: ions.Sp}}")
    ratios, cpu = [], []
    print("\nfarm_groups: 64 points of 400 ions\n%10s %10s %10s %10s %8s %8s" %
          ("1 group/s", "CPU/s", "2 groups/s", "CPU/s", "ratio", "of CPU"))
    for k in range(repeat):
        pair = {groups: run(program, path, "--groups", str(groups), ranks=groups) for groups in ((1, 2), (2, 1))[k % 2]}
        ratios.append(pair[1]["seconds"] / pair[2]["seconds"])
        cpu.append(pair[1]["points"].sum() / pair[2]["points"].sum())
        print("%10.1f %10.1f %10.1f %10.1f %8.2f %8.2f" % (pair[1]["seconds"], pair[1]["cpu"], pair[2]["seconds"],
                                                         pair[2]["cpu"], ratios[-1], pair[1]["cpu"] / pair[2]["cpu"]),
              flush=True)
    print("two groups against one, median of %d pairs: %.2f times (wanted: 1.9); a point alone against one beside "
          "another: %.2f" % (repeat, statistics.median(ratios), statistics.median(cpu)))


def farm_grid(program, folder, repeat):
    print("\nfarm_grid: 10000 points, one rank\n%10s %10s %10s %14s %14s" %
          ("", "time/s", "CPU/s", "memory/MB", "median/ms"))

    def row(name, one, points=None):
        print("%10s %10.2f %10.2f %14.1f %14s" % (name, one["seconds"], one["cpu"], one["megabytes"],
                                                 "" if points is None else "%.3f" % (1e3 * numpy.median(points))),
              flush=True)
    small, path = run(program, tiny(folder, 20, 50)), tiny(folder, 100, 100)
    row("1000", small, small["points"])
    row("plan", run(program, path, verb="plan"))
    whole = run(program, path)
    row("10000", whole, whole["points"])
    first, last = (numpy.median(whole["points"][part]) for part in (slice(1000), slice(-1000, None)))
    half = run(program, path, "--stop-at", "+%.1f" % (whole["seconds"] / 2), status=75)
    row("half: %d" % half["finished"], half)
    row("the rest", run(program, path, fresh=False))
    row("all there", run(program, path, fresh=False))
    print("last 1000 points against first 1000: %.2f times; memory against 1000 points: %+.1f MB" %
          (last / first, whole["megabytes"] - small["megabytes"]))


ROWS = {"farm_tiny": farm_tiny, "farm_groups": farm_groups, "farm_grid": farm_grid}
