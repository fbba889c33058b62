"""Functionals of the state, against density matrices in the whole Hilbert space: every copy of an irrep is there.

Nothing of the program is used for the reference: operators are Kronecker products of spins-1/2 and oscillators, states
follow d rho/dt = L rho by its Taylor series, and Eq. (1) is summed over all eigenvectors, the kernel among them.
"""
# cospin-test: TIMEOUT 600
import functools
import math
import os
import subprocess
import tempfile
import unittest

import numpy

from decks import MPIEXEC, PROGRAM, cospin_data

TIMES = (0., 0.4, 1.2)


# ---- Hilbert spaces: a component is its dimension and its operators by name ------------------------------------------

def spins(count):
    up = numpy.array([[0, 1], [0, 0]], complex)  # |e> = (1, 0)
    single = [functools.reduce(numpy.kron, [up if k == l else numpy.eye(2) for k in range(count)]) for l in range(count)]
    plus = sum(single)
    return {"sp": single, **cartesian(plus)}


def cartesian(plus):
    minus = plus.conj().T
    return {"dimension": len(plus), "Sp": plus, "Sm": minus, "Sx": (plus + minus) / 2, "Sy": (plus - minus) / 2j,
            "Sz": (plus @ minus - minus @ plus) / 2}


def spin(length):
    m = numpy.arange(length, -length - 1, -1)
    return cartesian(numpy.diag(numpy.sqrt(length * (length + 1) - m[1:] * (m[1:] + 1)), 1).astype(complex))


def mode(cutoff):
    return {"dimension": cutoff, "a": numpy.diag(numpy.sqrt(numpy.arange(1, cutoff)), 1).astype(complex)}


def levels(count, number):
    """E[a,b] of atoms of `number` levels and their spin, d^N kets: what is not symmetric is there, too."""
    lift = lambda h: sum(functools.reduce(numpy.kron, [h if k == l else numpy.eye(number) for k in range(count)])
                         for l in range(count))
    unit, s = numpy.eye(number), (number - 1) / 2
    m = numpy.arange(number) - s
    single = numpy.diag(numpy.sqrt(s * (s + 1) - m[:-1] * (m[:-1] + 1)), -1).astype(complex)
    x, y = (single + single.T) / 2, (single - single.T) / 2j
    return {**{f"E{a}{b}": lift(numpy.outer(unit[a], unit[b])) for a in range(number) for b in range(number)},
            **cartesian(lift(single)), "Qxx": lift(2 * x @ x), "Qyy": lift(2 * y @ y)}


def css(space, theta, phi):
    """All down, turned: exp(-i theta (S . n)) with n in the xy plane takes down to cos(theta/2) down + e^{i phi} ... up."""
    values, vectors = numpy.linalg.eigh(numpy.sin(phi) * space["Sx"] + numpy.cos(phi) * space["Sy"])
    down = numpy.zeros(space["dimension"])
    down[-1] = 1
    return vectors @ (numpy.exp(1j * theta * values) * (vectors.conj().T @ down))


def together(first, second):
    """The operators of both on the product."""
    lift = lambda of, left, right: {name: numpy.kron(numpy.kron(left, value), right) for name, value in of.items()
                                    if isinstance(value, numpy.ndarray)}
    return (lift(first, numpy.eye(1), numpy.eye(second["dimension"])),
            lift(second, numpy.eye(first["dimension"]), numpy.eye(1)))


# ---- States and functionals ------------------------------------------------------------------------------------------

def evolve(rho, hamiltonian, jumps, time, steps=20):
    def generator(state):
        image = -1j * (hamiltonian @ state - state @ hamiltonian)
        for rate, a in jumps:
            image += rate * (a @ state @ a.conj().T - (a.conj().T @ a @ state + state @ a.conj().T @ a) / 2)
        return image
    for _ in range(steps):
        term = rho
        for order in range(1, 14):
            term = generator(term) * (time / steps / order)
            rho = rho + term
    return rho


def information(rho, generator):
    """Eq. (1)."""
    p, vectors = numpy.linalg.eigh(rho)
    p = p.clip(0)
    elements = abs(vectors.conj().T @ generator @ vectors) ** 2
    total, difference = p[:, None] + p[None, :], (p[:, None] - p[None, :]) ** 2
    ratio = numpy.divide(difference, total, out=numpy.zeros_like(total), where=total > 1e-14)
    return 2 * (ratio * elements).sum()


def largest_information(rho, space):
    """Over directions of the spin: F(n) is a quadratic form."""
    s = [space["Sx"], space["Sy"], space["Sz"]]
    form = [[(information(rho, a + b) - information(rho, a - b)) / 4 for b in s] for a in s]
    return numpy.linalg.eigvalsh(form)[-1]


def squeezing(rho, space, count):
    """xi_S^2, xi_R^2 by a search over directions across the mean spin."""
    s = [space["Sx"], space["Sy"], space["Sz"]]
    mean = numpy.array([numpy.trace(rho @ a).real for a in s])
    n = mean / numpy.linalg.norm(mean)
    first = numpy.cross(n, [0.36, 0.48, 0.8])
    first /= numpy.linalg.norm(first)
    second = numpy.cross(n, first)
    least = math.inf
    for angle in numpy.linspace(0, math.pi, 361):
        direction = math.cos(angle) * first + math.sin(angle) * second
        a = sum(x * b for x, b in zip(direction, s))
        least = min(least, numpy.trace(rho @ a @ a).real - numpy.trace(rho @ a).real ** 2)
    return 4 * least / count, count * least / (mean @ mean)


def entropy(rho):
    p = numpy.linalg.eigvalsh(rho)
    p = p[p > 1e-15]
    return -(p * numpy.log(p)).sum()


def negativity(rho, first):
    """Of the first factor, of that dimension, against the others: by the partial transpose."""
    second = len(rho) // first
    transposed = rho.reshape(first, second, first, second).transpose(2, 1, 0, 3).reshape(len(rho), -1)
    values = numpy.linalg.eigvalsh(transposed)
    return -values[values < 0].sum()


def mutual(rho, first):
    second = len(rho) // first
    parts = rho.reshape(first, second, first, second)
    return entropy(numpy.einsum("ijkj->ik", parts)) + entropy(numpy.einsum("ijik->jk", parts)) - entropy(rho)


def run(deck, ranks=1, status=0):
    with tempfile.TemporaryDirectory() as folder:
        path, output = os.path.join(folder, "deck.yaml"), os.path.join(folder, "deck.h5")
        with open(path, "w", encoding="utf-8") as stream:
            stream.write(deck)
        environment = {**os.environ, "TMPDIR": folder}
        launcher = []
        if ranks > 1:
            launcher = [MPIEXEC, "-n", str(ranks), "--oversubscribe"]
            environment.pop("OMPI_MCA_ess_singleton_isolated", None)
        done = subprocess.run(launcher + [PROGRAM, "run", path, "-o", output, "--quiet"], check=False, env=environment)
        assert done.returncode == status, f"exit status {done.returncode}, not {status}"
        checked = subprocess.run([PROGRAM, "show", "--check", output], check=False, env=environment, capture_output=True)
        assert checked.returncode == 0, checked.stdout.decode()
        return cospin_data.open_dataset(output).load()


class WholeSpace(unittest.TestCase):
    def compare(self, data, task, expected, tolerance=3e-9):
        for name, values in expected.items():
            numpy.testing.assert_allclose(numpy.ravel(data[f"{task}_{name}"].values), values, atol=tolerance,
                                          rtol=tolerance, err_msg=f"{task}_{name}")

    def test_ensemble(self):
        """Local and collective processes, a pure state and a cat, four spins; on one rank and on two."""
        deck = """
title: Four spins
components: {q: {kind: ensemble, size: 4}}
hamiltonian: [0.7*q.Sx + 0.3*q.Sz^2]
jumps:
  - {rate: 0.4, operator: q.Sm}
  - {rate: 0.3, each: q.sm}
  - {rate: 0.2, each: q.sz}
observables: {z: qfi(q.Sz), general: qfi(q.Sz^2 + 0.3*q.Sx), best: qfi_max(q), kitagawa: squeezing(q),
              wineland: wineland(q), purity: purity(), entropy: entropy(), j2: 'weight(q, 2)', j1: 'weight(q, 1)',
              j0: 'weight(q, 0)', level: 'weight(q, 1, -1)', sum: '<sum(l, 3, (l + 1)*q.Sz^l)>', mixture: 1 - purity() + <q.Sz>/4}
tasks:
  - evolve: {initial: {q: {css: [0.9, 0.4]}}, times: [0, 0.4, 1.2], store: state}
  - evolve: {name: cat, initial: {q: {cat: [pi/2, 0.4, 1]}}, times: [0, 0.4, 1.2]}
  - evolve: {name: dicke, initial: {q: {dicke: [1, 0]}}, times: [0, 0.4, 1.2]}
  - steady: {store: state}
"""
        space = spins(4)
        z, one = space["Sz"], numpy.eye(16)
        jumps = ([(.4, space["Sm"])] + [(.3, a.conj().T) for a in space["sp"]] +
                 [(.2, 2 * a @ a.conj().T - one) for a in space["sp"]])
        hamiltonian = .7 * space["Sx"] + .3 * z @ z
        values, vectors = numpy.linalg.eigh(space["Sx"] @ space["Sx"] + space["Sy"] @ space["Sy"] + z @ z + .01 * z)
        level = lambda j, m: vectors[:, abs(values - j * (j + 1) - .01 * m) < 1e-9]
        project = {j: sum(level(j, m) @ level(j, m).conj().T for m in range(-j, j + 1)) for j in (0, 1, 2)}
        cat = css(space, numpy.pi / 2, .4) + css(space, numpy.pi / 2, .4 + numpy.pi)
        cat /= numpy.linalg.norm(cat)
        initial = {"evolve": numpy.outer(css(space, .9, .4), css(space, .9, .4).conj()),
                   "cat": numpy.outer(cat, cat.conj()), "dicke": level(1, 0) @ level(1, 0).conj().T / 3}
        results = [run(deck), run(deck, 2)]
        for task, rho in {**initial, "steady": initial["cat"]}.items():
            times = TIMES if task != "steady" else (50.,)
            states = [evolve(rho, hamiltonian, jumps, t, 1 + int(10 * t)) for t in times]
            trace = lambda a: [numpy.trace(a @ s).real for s in states]
            purity = numpy.array([numpy.trace(s @ s).real for s in states])
            expected = {
                "z": [information(s, z) for s in states], "best": [largest_information(s, space) for s in states],
                "general": [information(s, z @ z + .3 * space["Sx"]) for s in states], "purity": purity,
                "entropy": [entropy(s) for s in states], "mixture": 1 - purity + numpy.array(trace(z)) / 4,
                "level": trace(level(1, -1) @ level(1, -1).conj().T), "sum": trace(one + 2 * z + 3 * z @ z), "j2": trace(project[2]), "j1": trace(project[1]), "j0": trace(project[0])}
            for data in results:
                self.compare(data, task, expected)
            if task in ("evolve", "steady"):
                xi = numpy.array([squeezing(s, space, 4) for s in states])
                for data in results:
                    self.compare(data, task, {"kitagawa": xi[:, 0], "wineland": xi[:, 1]}, 1e-4)
        for name in ("kitagawa", "wineland"):  # no mean spin, no direction across it
            self.assertTrue(numpy.isnan(results[0][f"cat_{name}"].values[0]))

    def test_spin_and_mode(self):
        """A spin-3/2 in a cavity of four levels; conserved excitations leave a kernel and blocks of their own."""
        deck = """
title: A spin in a cavity
components: {s: {kind: spin, S: 3/2}, c: {kind: mode, cutoff: 4, edge: 1}}
hamiltonian: [0.8*c.a*s.Sp + hc]
jumps:
  - {rate: 0.5, operator: c.a}
  - {name: light, rate: 0.3, operator: s.Sm}
  - {rate: 0.2, operator: s.Sz}
observables: {z: qfi(s.Sz), n: qfi(c.n), x: qfi(c.a + dag(c.a) + s.Sy), best: qfi_max(s), wineland: wineland(s),
              purity: purity(), entropy: entropy(), empty: 'weight(c, 0)', down: 'weight(s, -3/2)',
              negativity: negativity(s), other: negativity(c), mutual: mutual(c)}
tasks:
  - evolve: {initial: {s: {fock: 2}}, times: [0, 0.4, 1.2]}
  - evolve: {name: css, initial: {s: {css: [1.1, 0.2]}, c: {thermal: 0.2}}, times: [0, 0.4, 1.2]}
  - clicks: {jump: light, initial: {s: {css: [1.1, 0.2]}}, time: 0.8, most: 3}
"""
        s, c = together(spin(1.5), mode(4))
        a = c["a"]
        hamiltonian = .8 * (a @ s["Sp"] + a.conj().T @ s["Sm"])
        jumps = [(.5, a), (.3, s["Sm"]), (.2, s["Sz"])]
        data = run(deck)
        ket = lambda i, n: numpy.eye(16)[4 * i + n]
        pure = css(spin(1.5), 1.1, .2)
        p = numpy.array([(.2 / 1.2) ** n for n in range(4)])
        initial = {"evolve": numpy.outer(ket(1, 0), ket(1, 0)).astype(complex),
                   "css": numpy.kron(numpy.outer(pure, pure.conj()), numpy.diag(p / p.sum()))}
        for task, rho in initial.items():
            states = [evolve(rho, hamiltonian, jumps, t) for t in TIMES]
            self.compare(data, task, self.of_spin_and_mode(states, s, a))
        xi = [squeezing(x, s, 3)[1] for x in states]
        self.compare(data, "css", {"wineland": xi}, 1e-4)
        # after n clicks: rho_n beside each other, with the counted jump from one to the next
        beside = numpy.zeros((4, 4))
        beside[range(1, 4), range(3)] = 1
        one = numpy.eye(4)
        start = numpy.kron(numpy.outer(pure, pure.conj()), numpy.diag([1., 0, 0, 0]))
        register = numpy.kron(numpy.diag([1., 0, 0, 0]), start)
        wide = [(.5, numpy.kron(one, a)), (.3, numpy.kron(beside, s["Sm"])), (.2, numpy.kron(one, s["Sz"]))]
        wide.append((.3, numpy.kron(numpy.diag([0, 0, 0, 1.]), s["Sm"])))  # a fourth click: never from three quanta
        ended = evolve(register, numpy.kron(one, hamiltonian), wide, .8)
        states = [ended[16 * n:16 * n + 16, 16 * n:16 * n + 16] for n in range(4)]
        self.compare(data, "clicks", self.of_spin_and_mode([x / numpy.trace(x) for x in states], s, a), 1e-6)

    @staticmethod
    def of_spin_and_mode(states, s, a):
        trace = lambda i: [numpy.trace(numpy.diag(i) @ x).real for x in states]
        number = numpy.arange(16)
        return {"z": [information(x, s["Sz"]) for x in states],
                "n": [information(x, a.conj().T @ a) for x in states],
                "x": [information(x, a + a.conj().T + s["Sy"]) for x in states],
                "best": [largest_information(x, s) for x in states],
                "purity": [numpy.trace(x @ x).real for x in states], "entropy": [entropy(x) for x in states],
                "negativity": [negativity(x, 4) for x in states], "other": [negativity(x, 4) for x in states],
                "mutual": [mutual(x, 4) for x in states], "empty": trace(number % 4 == 0), "down": trace(number // 4 == 3)}

    def test_spins(self):
        """Three spins that differ, in bit strings, beside an ensemble of two that may be in j = 1 or 0."""
        deck = """
title: Spins that differ and spins that are alike
components: {q: {kind: spins, size: 3}, e: {kind: ensemble, size: 2}}
arrays: {delta: [0.3, -0.7, 1.1]}
hamiltonian: [{sum: 'delta[l]/2*q.sx[l]'}, 0.5*q.Sp*e.Sm + hc]
jumps:
  - {rate: 0.3, each: e.sm}
  - {rate: 0.4, operator: q.Sm}
  - {rate: 0.1, each: 'q.sz[l]'}
observables: {z: qfi(q.Sz), one: 'qfi(q.sx[0])', both: qfi(q.Sx + e.Sx), best: qfi_max(q), purity: purity(),
              entropy: entropy(), kitagawa: squeezing(q), singlet: 'weight(e, 0)', bits: 'weight(q, 5)',
              negativity: negativity(e), mutual: mutual(q), sums: '<sum(l, 3, sum(m, 3, (l + 2*m)*q.sp[l]*q.sm[m]))>'}
tasks:
  - evolve: {initial: {q: {css: [1.2, 0.3]}, e: {dicke: [1, 0]}}, times: [0, 0.4, 1.2]}
"""
        q, e = together(spins(3), spins(2))
        single = [numpy.kron(a, numpy.eye(4)) for a in spins(3)["sp"]]
        small = [numpy.kron(numpy.eye(8), a) for a in spins(2)["sp"]]
        one = numpy.eye(32)
        exchange = .5 * q["Sp"] @ e["Sm"]
        hamiltonian = exchange + exchange.conj().T + sum(d / 2 * (a + a.conj().T) for d, a in zip((.3, -.7, 1.1), single))
        jumps = ([(.3, a.conj().T) for a in small] + [(.4, q["Sm"])] +
                 [(.1, 2 * a @ a.conj().T - one) for a in single])
        triplet = numpy.array([0, 1, 1, 0]) / math.sqrt(2)
        psi = numpy.kron(css(spins(3), 1.2, .3), triplet)
        data = run(deck)
        states = [evolve(numpy.outer(psi, psi.conj()), hamiltonian, jumps, t) for t in TIMES]
        dark = numpy.kron(numpy.eye(8), numpy.outer([0, 1, -1, 0], [0, 1, -1, 0]) / 2)
        up_0_and_2 = numpy.kron(numpy.diag([0, 0, 1., 0, 0, 0, 0, 0]), numpy.eye(4))  # spin 0 stands first: up down up
        self.compare(data, "evolve", {
            "z": [information(x, q["Sz"]) for x in states],
            "one": [information(x, single[0] + single[0].conj().T) for x in states],
            "both": [information(x, q["Sx"] + e["Sx"]) for x in states],
            "best": [largest_information(x, q) for x in states],
            "purity": [numpy.trace(x @ x).real for x in states], "entropy": [entropy(x) for x in states],
            "singlet": [numpy.trace(dark @ x).real for x in states],
            "negativity": [negativity(x, 8) for x in states], "mutual": [mutual(x, 8) for x in states],
            "sums_re": [sum((l + 2 * m) * numpy.trace(single[l] @ single[m].conj().T @ x).real for l in range(3) for m in range(3)) for x in states],
            "bits": [numpy.trace(up_0_and_2 @ x).real for x in states]})
        self.compare(data, "evolve", {"kitagawa": [squeezing(x, q, 3)[0] for x in states]}, 1e-4)


    def test_copies_of_irreps_on_both_sides(self):
        """Three groups, of three, three and two spins, that lose excitations one by one: j = 1/2 of three spins has two copies."""
        data = run("""
title: Three groups
components: {g: {kind: ensemble, size: 3, groups: 2}, e: {kind: ensemble, size: 2}}
hamiltonian: [{sum: '(k + 1)/4*g[k].Sx'}, '0.5*g[0].Sp*g[1].Sm + 0.6*g[1].Sp*e.Sm + hc']
jumps:
  - {rate: 0.3, each: g.sm}
  - {rate: 0.2, each: e.sz}
observables: {one: negativity(g_0), last: negativity(e), two: 'negativity(g[0], g[1])', group: negativity(g), mutual: mutual(g_0),
              both: mutual(g)}
tasks:
  - evolve: {initial: {g: {css: [1.2, 0.3]}, e: excited}, times: [0, 0.4, 1.2]}
""")
        sizes = (3, 3, 2)
        dimensions = [2**n for n in sizes]
        lift = lambda a, k: functools.reduce(numpy.kron, [a if c == k else numpy.eye(d) for c, d in enumerate(dimensions)])
        plus = [lift(spins(n)["Sp"], k) for k, n in enumerate(sizes)]
        exchange = .5 * plus[0] @ plus[1].T + .6 * plus[1] @ plus[2].T
        hamiltonian = exchange + exchange.T + sum((k + 1) / 4 * (plus[k] + plus[k].T) / 2 for k in range(2))
        jumps = [(.3, lift(a.T, k)) for k in range(2) for a in spins(3)["sp"]]
        jumps += [(.2, lift(2 * a @ a.T - numpy.eye(4), 2)) for a in spins(2)["sp"]]
        psi = functools.reduce(numpy.kron, [css(spins(3), 1.2, .3), css(spins(3), 1.2, .3), css(spins(2), numpy.pi, 0)])
        states = [evolve(numpy.outer(psi, psi.conj()), hamiltonian, jumps, t, 1 + int(8 * t)) for t in TIMES]
        last = [negativity(x, 64) for x in states]
        self.compare(data, "evolve", {"one": [negativity(x, 8) for x in states], "last": last, "two": last, "group": last,
                                      "mutual": [mutual(x, 8) for x in states], "both": [mutual(x, 64) for x in states]})
        self.assertGreater(last[1], 0.05)

    def test_levels(self):
        """Two or three atoms of three or four levels, alone and in a cavity, where kets have blocks and a kernel."""
        for count, number, amplitudes in ((3, 3, (1, .5, .3)), (2, 4, (1, .5, .3, -.7))):
            top = number - 1
            data = run(f"""
title: Atoms of {number} levels
components: {{g: {{kind: levels, size: {count}, levels: {number}}}}}
hamiltonian: [0.7*g.Sx + 0.3*g.Sz^2]
jumps:
  - {{rate: 0.4, operator: g.Sm}}
  - {{rate: 0.3, operator: 'g.E[{top},0]'}}
  - {{rate: 0.2, operator: 'g.n[{top}]'}}
observables: {{z: qfi(g.Sz), q: qfi(g.Qxx - g.Qyy), xz: qfi(g.Sx*g.Sz + g.Sz*g.Sx), best: qfi_max(g), purity: purity(),
              entropy: entropy(), kitagawa: squeezing(g), wineland: wineland(g)}}
tasks:
  - evolve: {{initial: {{g: {{product: [{", ".join(map(str, amplitudes))}]}}}}, times: [0, 0.4, 1.2]}}
""")
            g = levels(count, number)
            psi = functools.reduce(numpy.kron, [numpy.array(amplitudes, complex) / numpy.linalg.norm(amplitudes)] * count)
            jumps = [(.4, g["Sm"]), (.3, g[f"E{top}0"]), (.2, g[f"E{top}{top}"])]
            states = [evolve(numpy.outer(psi, psi.conj()), .7 * g["Sx"] + .3 * g["Sz"] @ g["Sz"], jumps, t, 40) for t in TIMES]
            both = g["Sx"] @ g["Sz"]
            self.compare(data, "evolve", {
                "z": [information(x, g["Sz"]) for x in states], "best": [largest_information(x, g) for x in states],
                "q": [information(x, g["Qxx"] - g["Qyy"]) for x in states], "entropy": [entropy(x) for x in states],
                "xz": [information(x, both + both.conj().T) for x in states],
                "purity": [numpy.trace(x @ x).real for x in states]})
            xi = numpy.array([squeezing(x, g, count * top) for x in states])
            self.compare(data, "evolve", {"kitagawa": xi[:, 0], "wineland": xi[:, 1]}, 1e-3)
        data = run("""
title: Atoms of three levels in a cavity
components: {g: {kind: levels, size: 2, levels: 3}, c: {kind: mode, cutoff: 3, edge: 1}}
hamiltonian: ['0.8*c.a*g.E[2,0] + hc']
jumps:
  - {rate: 0.5, operator: c.a}
  - {rate: 0.3, operator: 'g.E[1,2]'}
observables: {z: qfi(g.Sz), x: qfi(g.Sx), n: qfi(c.n), both: qfi(g.Sy + c.a + dag(c.a)), entropy: entropy()}
tasks:
  - evolve: {initial: {g: {level: 0}, c: {fock: 1}}, times: [0, 0.4, 1.2]}
""")
        g, c = together({**levels(2, 3), "dimension": 9}, mode(3))
        a, swap = c["a"], .8 * c["a"] @ g["E20"]
        psi = numpy.eye(27)[1]
        states = [evolve(numpy.outer(psi, psi), swap + swap.conj().T, [(.5, a), (.3, g["E12"])], t, 40) for t in TIMES]
        self.compare(data, "evolve", {
            "z": [information(x, g["Sz"]) for x in states], "x": [information(x, g["Sx"]) for x in states],
            "n": [information(x, a.conj().T @ a) for x in states], "entropy": [entropy(x) for x in states],
            "both": [information(x, g["Sy"] + a + a.conj().T) for x in states]})

    def test_single_atoms(self):
        """Processes of each atom: no symmetric states, and eigenvalues of all d^N kets; with a mode and with other spins beside."""
        data = run("""
title: Single atoms
components: {g: {kind: levels, size: 3, levels: 3}, e: {kind: ensemble, size: 2}}
hamiltonian: [0.7*g.Sx + 0.3*g.Sz^2, 'g.E[2,0]*e.Sm + hc']
jumps:
  - {rate: 0.4, each: 'g.e[0,2] + 0.5*i*g.e[1,2]'}
  - {rate: 0.3, each: g.sz}
  - {rate: 0.2, each: e.sm}
observables: {purity: purity(), entropy: entropy(), one: negativity(g), other: negativity(e), mutual: mutual(e), mix: 1 - purity() + <g.Sz>}
tasks:
  - evolve: {initial: {g: {product: [1, 0.5, -0.3]}, e: {css: [1, 0.4]}}, times: [0, 0.4, 1.2]}
""")
        alone = {"dimension": 27, **levels(3, 3)}
        g, e = together(alone, spins(2))
        one = lambda h: [numpy.kron(functools.reduce(numpy.kron, [h if k == l else numpy.eye(3) for k in range(3)]), numpy.eye(4))
                         for l in range(3)]
        unit, swap = numpy.eye(3), g["E20"] @ e["Sm"]
        mixed = numpy.outer(unit[0], unit[2]) + .5j * numpy.outer(unit[1], unit[2])
        jumps = ([(.4, a) for a in one(mixed)] + [(.3, a) for a in one(numpy.diag([-1, 0, 1]))]
                 + [(.2, numpy.kron(numpy.eye(27), s.conj().T)) for s in spins(2)["sp"]])
        atom = numpy.array([1, .5, -.3]) / numpy.linalg.norm([1, .5, -.3])
        # |e> = (1, 0) comes first there: a spin is sin(1/2) e^{0.4 i} |e> + cos(1/2) |g>
        spin_up = numpy.array([math.sin(.5) * numpy.exp(.4j), math.cos(.5)])
        psi = functools.reduce(numpy.kron, [atom, atom, atom, spin_up, spin_up])
        states = [evolve(numpy.outer(psi, psi.conj()), .7 * g["Sx"] + .3 * g["Sz"] @ g["Sz"] + swap + swap.conj().T, jumps, t, 60)
                  for t in TIMES]
        pure = [numpy.trace(x @ x).real for x in states]
        both = [negativity(x, 27) for x in states]
        self.compare(data, "evolve", {
            "purity": pure, "entropy": [entropy(x) for x in states], "mutual": [mutual(x, 27) for x in states], "one": both,
            "other": both, "mix": [1 - p + numpy.trace(g["Sz"] @ x).real for p, x in zip(pure, states)]}, 3e-8)
        data = run("""
title: Single atoms in a cavity
components: {c: {kind: mode, cutoff: 3, edge: 1}, g: {kind: levels, size: 2, levels: 4}}
hamiltonian: ['0.8*c.a*g.E[3,0] + hc']
jumps: [{rate: 0.5, operator: c.a}, {rate: 0.3, each: 'g.e[1,3]'}, {rate: 0.1, each: g.sx}]
observables: {purity: purity(), entropy: entropy(), light: negativity(c), mutual: mutual(g), photon: 'weight(c, 1)'}
tasks:
  - evolve: {initial: {g: {populations: [0.75, 0.25, 0, 0]}, c: {fock: 1}}, times: [0, 0.4, 1.2]}
""")
        c, g = together(mode(3), {**levels(2, 4), "dimension": 16})
        swap, unit = .8 * c["a"] @ g["E30"], numpy.eye(4)
        single = numpy.array([[0, 3 ** .5, 0, 0], [3 ** .5, 0, 2, 0], [0, 2, 0, 3 ** .5], [0, 0, 3 ** .5, 0]]) / 2
        lift = lambda h: [numpy.kron(numpy.eye(3), numpy.kron(h, unit)), numpy.kron(numpy.eye(3), numpy.kron(unit, h))]
        jumps = [(.5, c["a"])] + [(.3, a) for a in lift(numpy.outer(unit[1], unit[3]))] + [(.1, a) for a in lift(single)]
        atom = numpy.diag([.75, .25, 0, 0])
        rho = numpy.kron(numpy.diag([0, 1., 0]), numpy.kron(atom, atom)).astype(complex)
        states = [evolve(rho, swap + swap.conj().T, jumps, t, 60) for t in TIMES]
        self.compare(data, "evolve", {
            "purity": [numpy.trace(x @ x).real for x in states], "entropy": [entropy(x) for x in states],
            "light": [negativity(x, 3) for x in states], "mutual": [mutual(x, 3) for x in states],
            "photon": [numpy.trace(x[16:32, 16:32]).real for x in states]}, 3e-8)

    def test_many_single_atoms(self):
        """Each by itself: purity (sum p^2)^N at any N, an entropy of 3^7 kets; of more kets there is none, and that is told."""
        deck = """
title: Atoms without each other
components: {{g: {{kind: levels, size: {0}, levels: 3}}}}
jumps: [{{rate: 1, each: 'g.e[0,1]'}}, {{rate: 0.5, each: 'g.e[1,2]'}}]
observables: {{value: {1}}}
tasks:
  - evolve: {{initial: {{g: {{populations: [0, 0, 1]}}}}, times: [0, 1.5]}}
"""
        # of one atom: p2 = e^{-t/2}, p1 = e^{-t/2} - e^{-t}, p0 the rest
        p = [math.exp(-.75), math.exp(-.75) - math.exp(-1.5)]
        p.append(1 - sum(p))
        for count in (7, 30):
            data = run(deck.format(count, "purity()"))
            numpy.testing.assert_allclose(data.evolve_value, [1, sum(x * x for x in p) ** count], rtol=1e-6, atol=1e-12)
        beside = deck.replace("}}}}\njumps: [", "}}, c: {{kind: mode, cutoff: 2, edge: 1}}, e: {{kind: ensemble, size: 2}}}}\njumps: [{{rate: 2, operator: c.a}}, ")
        beside = beside.replace("[0, 0, 1]}}}}", "[0, 0, 1]}}, c: {{fock: 1}}, e: {{css: [pi/2, 0]}}}}")
        for functional, expected in (("'weight(c, 1)'", [1, math.exp(-3)]), ("'weight(e, 1, 0) + <c.n>'", [1.5, .5 + math.exp(-3)])):
            data = run(beside.format(12, functional))
            numpy.testing.assert_allclose(data.evolve_value, expected, atol=1e-7)
        data = run(deck.format(7, "entropy()"))
        numpy.testing.assert_allclose(data.evolve_value, [0, -7 * sum(x * math.log(x) for x in p)], atol=1e-6)
        for functional in ("entropy()", "1 + entropy()"):
            data = run(deck.format(20, functional), status=3)
            self.assertLess(int(data.evolve_outcome), 0)
            self.assertFalse(numpy.isfinite(data.evolve_value.values[1]))


class ClosedForms(unittest.TestCase):
    def test_many_spins(self):
        """N = 100: a css that is twisted about one axis, a Dicke state.

        QFI: N of a css across its direction, N(N+2)/2 of |N/2, 0> along x. Twisting: Kitagawa and Ueda 1993, mu = 2 chi t.
        """
        n, t = 100, 0.02
        deck = f"""
title: A hundred spins
parameters: {{N: {n}}}
components: {{q: {{kind: ensemble, size: N}}}}
hamiltonian: [q.Sz^2]
observables: {{z: qfi(q.Sz), x: qfi(q.Sx), kitagawa: squeezing(q), wineland: wineland(q), purity: purity(), s: entropy(),
              top: 'weight(q, N/2)'}}
tasks:
  - evolve: {{initial: {{q: {{css: [pi/2, 0]}}}}, times: [0, {t}], tolerance: 1e-8}}
  - evolve: {{name: dicke, initial: {{q: {{dicke: [N/2, 0]}}}}, times: [0]}}
"""
        data = run(deck)
        mu = 2 * t
        a = 1 - math.cos(mu) ** (n - 2)
        b = 4 * math.sin(mu / 2) * math.cos(mu / 2) ** (n - 2)
        xi = 1 + (n - 1) / 4 * (a - math.hypot(a, b))
        numpy.testing.assert_allclose(data.evolve_kitagawa, [1, xi], rtol=1e-6)
        numpy.testing.assert_allclose(data.evolve_wineland, [1, xi / math.cos(mu / 2) ** (2 * n - 2)], rtol=1e-6)
        numpy.testing.assert_allclose(data.evolve_z, [n, n], rtol=1e-6)
        numpy.testing.assert_allclose(data.evolve_purity, [1, 1], rtol=1e-6)
        numpy.testing.assert_allclose(data.evolve_top, [1, 1], rtol=1e-6)
        numpy.testing.assert_allclose(data.dicke_x, [n * (n + 2) / 2], rtol=1e-12)
        numpy.testing.assert_allclose(data.dicke_z, [0], atol=1e-9)

    def test_squeezed_along_an_axis(self):
        """Two spins twisted about two axes across the third, along which the mean spin stays exactly: xi_S^2 = 1 - sin 2t,
        xi_R^2 = 1/(1 + sin 2t)."""
        for start, twist in (("ground", "Sx^2 - q.Sy^2"), ("{css: [pi/2, 0]}", "Sy^2 - q.Sz^2"),
                             ("{css: [pi/2, pi/2]}", "Sz^2 - q.Sx^2"), ("{css: [pi, 0]}", "Sx^2 - q.Sy^2")):
            data = run(f"title: t\ncomponents: {{q: {{kind: ensemble, size: 2}}}}\nhamiltonian: [q.{twist}]\n"
                       "observables: {kitagawa: squeezing(q), wineland: wineland(q)}\n"
                       f"tasks: [evolve: {{initial: {{q: {start}}}, times: [0, 0.1, 0.5]}}]\n")
            squeezed = numpy.sin([0, .2, 1.])
            numpy.testing.assert_allclose(data.evolve_kitagawa, 1 - squeezed, rtol=1e-7)
            numpy.testing.assert_allclose(data.evolve_wineland, 1 / (1 + squeezed), rtol=1e-7)

    def test_cat(self):
        """Eight spins, (|all along x> + |all against it>)/sqrt 2: QFI N^2. Dephasing one by one along x takes the coherence
        of each spin, exp(-2 rate t), and with that the coherence V of the two: N^2 V^2, and purity (1 + V^2)/2."""
        deck = """
title: Eight spins
components: {q: {kind: ensemble, size: 8}}
jumps: [{rate: 0.05, each: q.sx}]
observables: {x: qfi(q.Sx), best: qfi_max(q), purity: purity(), entropy: entropy()}
tasks:
  - evolve: {initial: {q: {cat: [pi/2, 0, 1]}}, times: [0, 0.5, 50]}
"""
        data = run(deck)
        visible = numpy.exp(-2 * .05 * 8 * numpy.array([0, .5, 50]))
        p = (1 + visible) / 2
        numpy.testing.assert_allclose(data.evolve_x, 64 * visible ** 2, atol=1e-7)
        numpy.testing.assert_allclose(data.evolve_purity, p ** 2 + (1 - p) ** 2, atol=1e-8)

    def test_open_window(self):
        """A driven cavity without a cutoff, whose window is judged by functionals alone: it stays a coherent state.

        alpha = -4i (1 - exp(-t/2)); QFI 4 for a displacement, P(0) = exp(-|alpha|^2), whatever a perfect counter shows.
        """
        data = run("""
title: A driven cavity
components: {c: {kind: mode}}
hamiltonian: [2*c.a + hc]
jumps: [{name: light, rate: 1, operator: c.a}]
observables: {purity: purity(), shift: qfi(c.a + dag(c.a)), none: 'weight(c, 0)'}
tasks:
  - evolve: {times: [0, 1], initial: {}}
  - clicks: {jump: light, time: 0.5, most: 2, initial: {}}
""")
        for task, t, count in (("evolve", numpy.array([0, 1.]), 2), ("clicks", .5, 3)):
            alpha = 4 * (1 - numpy.exp(-t / 2))
            numpy.testing.assert_allclose(data[f"{task}_purity"], numpy.ones(count), atol=1e-7)
            numpy.testing.assert_allclose(data[f"{task}_shift"], 4 * numpy.ones(count), atol=1e-6)
            numpy.testing.assert_allclose(data[f"{task}_none"], numpy.exp(-alpha ** 2) * numpy.ones(count), atol=1e-7)


if __name__ == "__main__":
    unittest.main()
