"""The systems that tests/benchmark.py measures: decks, what is read from each, and peers that solve the same.

A row is one deck, run once (or `--repeat` times): seconds and peak memory of all ranks as the dataset has them, and the
numbers named in `shows`. `reference` holds {variable: (value, tolerance)} known from another code.
"""
import json
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def shipped(name, *changes):
    """The text of a deck in input/ with (pattern, text) pairs replaced, each of which must match once."""
    with open(os.path.join(ROOT, "input", name), encoding="utf-8") as stream:
        text = stream.read()
    for pattern, replacement in changes:
        text, count = re.subn(pattern, replacement, text, flags=re.M)
        if count != 1:
            raise ValueError(f"{name}: {pattern} matches {count} times")
    return text


def maser(n):
    return shipped("maser_exact.yaml", (r"^  N: \[2, 4, 10\]", f"  N: [{n}]"))


# By factors, where cospin would choose GMRES.
FACTORS = "\npetsc: {iterate: false}\n"

SUBENSEMBLES = """title: two detuned sub-ensembles of 20 + 20 spins
parameters: {n: 20, N: 2*n, eta: 0.5, delta: 0.1, theta: 2*atan(sqrt(2*eta/N))}
components:
  A: {kind: spin, S: n/2}
  B: {kind: spin, S: n/2}
hamiltonian:
  - delta*(A.Sz - B.Sz)
  - eta/N*(A.Sm + B.Sm)^2 + hc
jumps:
  - {rate: 1/N^2, operator: (A.Sm + B.Sm)^2}
observables:
  coherence:   re(<A.Sp*B.Sm>)
  excitations: <A.Sz + B.Sz> + n
tasks:
"""
EVOLVE = """  - evolve:
      times: [0, 1, 10, 100]
      initial: {A: {css: [theta, pi/4]}, B: {css: [theta, pi/4]}}
"""

DETUNINGS = (1.028857, 1.64192, 1.14672, -.97318, -1.3928, .067196, .861351, .509187)  # times delta = 0.01


def dephasing():
    """One fidelity curve; the tolerance is the loosest with which cospin is not less accurate than mesolve below."""
    return shipped("spin_cat_dephasing.yaml", (r"^  sign: \[1, -1\]\n  delta: .*\n", ""),
                   (r"^  realisation: \{range: .*\}\n", ""), (r"^grid:\n", ""), (r"^plots:\n(  - .*\n)+", ""),
                   (r"^      times:", "      tolerance: 1e-7\n      times:"),
                   (r"^  unit: .*$", "  unit: [%s]" % ", ".join(map(str, DETUNINGS))))


# The same fidelity curve with mesolve. Measured at these tolerances: off by 6e-8, cospin by 2e-9 (digits of another code).
MESOLVE = """
import json, resource, sys, time
import numpy as np
import qutip
times, detunings = json.loads(sys.argv[1]), json.loads(sys.argv[2])
n, eta = len(detunings), 0.2
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
start, cpu = time.perf_counter(), time.process_time()
one = qutip.qeye(2)
def at(operator, l):
    return qutip.tensor([operator if k == l else one for k in range(n)])
lower = sum(at(qutip.sigmam(), l) for l in range(n))
hamiltonian = sum(0.01 * detunings[l] / 2 * at(qutip.sigmaz(), l) for l in range(n))
hamiltonian += eta / n * (lower ** 2 + (lower ** 2).dag())
theta, phi = 2 * np.arctan(np.sqrt(2 * eta / n)), -np.pi / 4
down, up = qutip.basis(2, 1), qutip.basis(2, 0)
def coherent(phi):
    return qutip.tensor([np.cos(theta / 2) * down + np.exp(1j * phi) * np.sin(theta / 2) * up] * n)
cat = (coherent(phi) + coherent(phi + np.pi)).unit()
options = qutip.Options(nsteps=10**7, atol=%(tolerance)g, rtol=%(tolerance)g)
found = qutip.mesolve(hamiltonian, cat, times, [lower ** 2 / n], [cat * cat.dag()], options=options)
seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps({"seconds": seconds, "cpu": cpu, "bytes": 1024 * (after - before), "values": list(map(float, found.expect[0]))}))
""" % {"tolerance": 1e-10}


def mesolve(times):
    """{seconds, cpu, bytes, values} of QuTiP's mesolve, without start-up and imports; None if it is not there."""
    command = [sys.executable, "-c", MESOLVE, json.dumps(list(times)), json.dumps(list(DETUNINGS))]
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        print((done.stderr.strip().splitlines() or ["no message"])[-1], file=sys.stderr)
        return None
    return json.loads(done.stdout.splitlines()[-1])


def ions(n, form, share=.5):
    """Fringe decay and inversion at a share of the critical repumping, by factors or multigrid, or by an expansion."""
    return (f"title: ions\nparameters: {{N: {n}}}\ncomponents: {{q: {{kind: ensemble, size: N}}}}\n"
            f"jumps: [{{rate: 1, operator: q.Sm}}, {{rate: {share}*N, each: q.sp}}]\nobservables: {{inversion: 2*<q.Sz>/N}}\n"
            f"tasks: [{{steady: {{}}}}, {{decay: {{of: q.Sp}}}}]\noperator: {form}\n")


def driven(n, drive):
    """Driven beyond its threshold (drive > 1), with local decay and dephasing: three dimensions of labels."""
    return (f"title: driven\nparameters: {{N: {n}, Om: {drive}}}\ncomponents: {{q: {{kind: ensemble, size: N}}}}\n"
            "hamiltonian: [Om*q.Sy]\n"
            "jumps: [{rate: 2/N, operator: q.Sm}, {rate: .1, each: q.sm}, {rate: .05, each: q.sz}]\n"
            "observables: {inversion: 2*<q.Sz>/N}\ntasks: [{steady: {}}]\n")


def two_ensembles(n):
    """Two ensembles that decay together and are pumped by themselves: four dimensions of labels."""
    return (f"title: two\nparameters: {{N: {n}}}\ncomponents: {{a: {{kind: ensemble, size: N}}, b: {{kind: ensemble, size: N}}}}\n"
            "jumps: [{rate: 1, operator: a.Sm + b.Sm}, {rate: .6*N, each: a.sp}, {rate: .78*N, each: b.sp}]\n"
            "observables: {spins: <a.Sz>}\ntasks: [{steady: {}}, {decay: {of: a.Sp}}]\n")


IONS_READS = ("steady_inversion", "decay_rate")
IONS1000 = {"steady_inversion": (.501, 1e-8), "decay_rate": (.7665178532592782, 1e-7)}
DRIVEN40 = {"steady_inversion": (-.00706289275033, 1e-12)}
MASER_READS = ("steady_photons", "decay_rate")
# name: (deck, variables shown, {variable: (reference, tolerance)}, peer that is given the times and returns the values
# of a variable, that variable). References: an independent code, to the digits that it prints.
SYSTEMS = {
    "cats8": (dephasing(), ("evolve_fidelity",), {"evolve_fidelity": (.7054174969, 1e-8)},
              mesolve, "evolve_fidelity"),
    "subensembles20_gap": (SUBENSEMBLES + "  - gap: {sector: {ket: 0, bra: 0}}\n", ("gap_rate", "gap_horizon"), {},
                           None, None),
    "subensembles20_evolve": (SUBENSEMBLES + EVOLVE, ("evolve_coherence", "evolve_excitations"), {}, None, None),
    "maser10": (maser(10), MASER_READS,
                {"steady_photons": (6.121649291, 1e-9), "decay_rate": (.0632497157, 1e-10)}, None, None),
    "maser20": (maser(20), MASER_READS,
                {"steady_photons": (12.06612324, 1.2e-7), "decay_rate": (.0280009387, 3e-10)}, None, None),
    "maser20_factors": (maser(20) + FACTORS, MASER_READS,
                          {"steady_photons": (12.06612324, 1.2e-7), "decay_rate": (.0280009387, 3e-10)}, None, None),
    "maser30": (maser(30).replace("{of: cavity.a}", "{of: cavity.a, weights: false}"), MASER_READS, {}, None, None),
    "two_ensembles20": (two_ensembles(20), ("steady_spins", "decay_rate"), {}, None, None),
    # twice the critical drive; the same numbers by factors, which are chosen, and by GMRES
    "driven40": (driven(40, 2), ("steady_inversion",), DRIVEN40, None, None),
    "driven40_gmres": (driven(40, 2) + "petsc: {iterate: true}\n", ("steady_inversion",), DRIVEN40, None, None),
    # by sweeps over planes; the reference by factors
    "driven100": (driven(100, 2), ("steady_inversion",), {"steady_inversion": (-.005086919162417, 1e-12)}, None, None),
    "driven200": (driven(200, 2), ("steady_inversion",), {}, None, None),
    # windows and multigrid; rates of an expansion, with what it says of its error
    "ions10000_low": (ions(10000, "auto", .02), IONS_READS, {"decay_rate": (.2681947246, 2.5e-7)}, None, None),
    "ions10000": (ions(10000, "auto"), IONS_READS, {"decay_rate": (.75160494939, 5.8e-9)}, None, None),
    "ions10000_high": (ions(10000, "auto", .98), IONS_READS, {}, None, None),
    "cat60_local": (shipped("spin_cat_local_dephasing.yaml", (r"^  kphi: \[.*\]", "  kphi: [0.01]"),
                            (r"series: kphi, xlabel: '.*', ylabel: Fidelity", "ylabel: F"),
                            (r", series: kphi", "")),
                    ("evolve_fidelity", "evolve_excitations"), {}, None, None),
    # the same numbers by factors and by some dozens of functions; a point of a map of a maser's linewidth
    "ions1000_factors": (ions(1000, "assembled"), IONS_READS, IONS1000, None, None),
    "ions1000_expansion": (ions(1000, "expansion"), IONS_READS, IONS1000, None, None),
    "ions1e12_expansion": (ions("1e12", "expansion"), IONS_READS, {"decay_rate": (.75, 1e-9)}, None, None),
    "maser1e5_expansion": (shipped("laser_any_number.yaml", (r"^  N: \[.*\]", "  N: [1e5]"),
                                   (r"^  - \{x: N, y: steady_diffusion.*$", ""), (r"^  - \{x: N, y: decay_rate.*$", ""),
                                   (r"^plots:$", "")),
                           ("steady_g2", "decay_rate"), {}, None, None),
    # 1000 trajectories; exact with the error of the method
    "langevin124": (shipped("ions_fig5_cavity.yaml", (r"^  N:  40 ", "  N:  124 "), (r"^  x: \{linspace.*$", "  x: [0.5]"),
                            (r"^  - steady: \{\}", "  - langevin: {name: steady}")),
                    ("steady_inversion", "steady_correlation"),
                    {"steady_inversion": (.507902, .015), "steady_correlation": (.117895, .006)}, None, None),
}
