"""Products with generators that are held without a matrix, beside the assembled ones: row `products` of tests/benchmark.py.

For each system an evolution of some tens of products, on one rank and on two; the time of a product from -log_view. `must`
are the bytes that a product has to move: the vector read, the result written, and of an assembled matrix its elements
and indices. `of triad`: that many bytes in that time, as a share of the bandwidth of a = b + s c, measured on as many
processes at once in the same run. A product without a matrix that is slow by this measure computes; it does not wait
for memory, so it gains from more ranks where the assembled one does not.
"""
import os
import re
import subprocess
import sys

import h5py

import benchmark_systems

TRIAD = """
import time
import numpy
n = 2 * 10**7
a, b, c = numpy.zeros(n), numpy.ones(n), numpy.ones(n)
best = 1e9
for k in range(8):
    start = time.perf_counter()
    numpy.multiply(c, 3.0, out=a)
    numpy.add(a, b, out=a)
    best = min(best, time.perf_counter() - start)
print(5 * 8 * n / best)  # c read, a written; a and b read, a written
"""

CAT = """title: a cat of {n} spins
parameters: {{N: {n}, eta: 0.2, theta: 2*atan(sqrt(2*eta/N))}}
components: {{q: {{kind: spins, size: N}}}}
arrays: {{delta: {{normal: {{mean: 0, std: 0.01, seed: 1}}}}}}
hamiltonian: [{{sum: "delta[l]/2*q.sz[l]"}}, eta/N*q.Sm^2 + hc]
jumps: [{{rate: 1/N^2, operator: q.Sm^2}}]
tasks: [evolve: {{times: [{time}], initial: {{q: {{cat: [theta, -pi/4, 1]}}}}}}]
"""

UNIFORM = """title: {n} spins that are all alike
parameters: {{N: {n}}}
components: {{q: {{kind: spins, size: N}}}}
jumps: [{{rate: 1, operator: q.Sm}}, {{rate: N/2, each: q.sp}}, {{rate: 0.2, each: q.sz}}]
tasks: [evolve: {{times: [{time}], initial: {{q: ground}}}}]
"""

MASER = """title: an ensemble and a mode
parameters: {{N: {n}, levels: 2*N}}
components: {{ions: {{kind: ensemble, size: N}}, cavity: {{kind: mode, cutoff: levels}}}}
hamiltonian: [0.3*cavity.a*ions.Sp + hc]
jumps: [{{rate: 1, operator: cavity.a}}, {{rate: 0.5, each: ions.sp}}, {{rate: 0.1, each: ions.sz}}]
tasks: [evolve: {{times: [{time}], initial: {{}}}}]
"""


def crystal(until):
    """Ten ions of ions_crystal.yaml for a moment; pictures need more times."""
    return benchmark_systems.shipped("ions_crystal.yaml", (r"^      times: .*$", "      times: [%g]" % until),
                                     (r"^plots:\n(  .*\n)*", ""))


# name: deck, with time enough for some tens of products
SYSTEMS = {
    "crystal of 10, row by row": crystal(0.1),
    "cat of 10, one channel": CAT.format(n=10, time=40),
    "10 spins alike": UNIFORM.format(n=10, time=0.2),
    "ensemble of 16, mode": MASER.format(n=16, time=1),
}


def triad(processes):
    """Bytes per second of all together."""
    running = [subprocess.Popen([sys.executable, "-c", TRIAD], stdout=subprocess.PIPE, text=True)
               for _ in range(processes)]
    return sum(float(one.communicate()[0]) for one in running)


def measure(program, ranks, deck, form, folder):
    """What was measured; or, where a run came to nothing, the first line that it wrote: why."""
    path, output, log = (os.path.join(folder, name) for name in ("product.yaml", "product.h5", "product.log"))
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(re.sub(r"evolve:\s*\{", "evolve: {method: krylov, ", deck) if "evolve: {" in deck
                     else deck.replace("  - evolve:\n", "  - evolve:\n      method: krylov\n"))
        stream.write("\noperator: %s\n" % form)
    done = subprocess.run(["mpiexec", "-n", str(ranks), program, "run", path, "-o", output, "--overwrite", "--quiet",
                           "--groups", "1", "-log_view", ":" + log], check=False, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        return next((line.strip() for line in done.stdout.splitlines() if line.strip()), "") or "it said nothing"
    with open(log, encoding="utf-8") as stream:
        count, seconds = re.search(r"^MatMult\s+(\d+)\s+[\d.]+\s+([\d.e+-]+)", stream.read(), re.M).groups()
    with h5py.File(output) as data:
        labels, nonzeros = (int(data["evolve_" + name][()].max()) for name in ("dimension", "nonzeros"))
    must = 32 * labels + 20 * nonzeros
    return {"labels": labels, "count": int(count), "seconds": float(seconds) / int(count), "must": must}


def table(arguments, folder):
    print("\n%-26s %-9s %5s %8s %8s %10s %9s %7s %8s %8s" %
          ("product", "form", "ranks", "labels", "products", "ms each", "must/MB", "GB/s", "of triad", "speed-up"))
    bandwidth = {ranks: triad(ranks) for ranks in arguments.ranks}
    for name, deck in SYSTEMS.items():
        for form in ("shell", "assembled"):
            first = None
            for ranks in arguments.ranks:
                runs = [measure(arguments.program, ranks, deck, form, folder) for _ in range(arguments.repeat)]
                failures = [run for run in runs if isinstance(run, str)]
                if failures:
                    print("%-26s %-9s %5d %s" % (name, form, ranks, failures[0]), flush=True)
                    continue
                run = min(runs, key=lambda one: one["seconds"])
                first = first or run["seconds"]
                rate = run["must"] / run["seconds"]
                print("%-26s %-9s %5d %8d %8d %10.3f %9.2f %7.2f %8.3f %8.2f" %
                      (name, form, ranks, run["labels"], run["count"], 1e3 * run["seconds"], run["must"] / 1e6, rate / 1e9,
                       rate / bandwidth[ranks], first / run["seconds"]), flush=True)
    print("triad: " + ", ".join(f"{bandwidth[ranks] / 1e9:.1f} GB/s on {ranks}" for ranks in arguments.ranks))
