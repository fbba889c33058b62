"""Atoms of several levels, one by one (`levels` with `each:`), in random decks against all d^N states written out."""
# cospin-test: PROCESSORS 1 TIMEOUT 600 COST 30
import sys
import unittest

import decks
import numpy as np

try:
    from scipy.sparse import csr_matrix, identity, kron
    from scipy.sparse.linalg import expm_multiply
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

TIMES = [0.2, 0.7, 1.9]
PHOTONS = 3
# levels, atoms, whether there is a mode
SIZES = [(2, 4, False), (3, 1, False), (3, 2, True), (3, 3, False), (3, 4, False), (4, 1, True), (4, 2, False), (4, 2, True), (4, 3, False)]
LONG_SIZES = [(3, 3, True), (4, 4, False), (5, 2, False), (5, 3, False)]


class Space:
    """Operators of `atoms` atoms of `levels` levels, told one from the other, and perhaps a mode, as sparse matrices."""

    def __init__(self, levels, atoms, mode):
        self.levels, self.atoms, self.mode = levels, atoms, mode

    def alone(self, matrix, atom):
        """`matrix` of one atom, numbered from 0; of the mode for `atom` = atoms."""
        factors = [identity(self.levels)] * self.atoms + ([identity(PHOTONS)] if self.mode else [])
        factors[atom] = csr_matrix(matrix)
        product = identity(1)
        for factor in factors:
            product = kron(product, factor, format="csr")
        return product

    def all(self, matrix):
        return sum(self.alone(matrix, atom) for atom in range(self.atoms))

    def light(self):
        return self.alone(np.diag(np.sqrt(np.arange(1.0, PHOTONS)), 1), self.atoms)


def unit(levels, a, b):
    matrix = np.zeros((levels, levels), complex)
    matrix[a, b] = 1
    return matrix


def liouvillian(hamiltonian, jumps):
    """Of rho row after row: A rho B is kron(A, B^T) rho."""
    one = identity(hamiltonian.shape[0], format="csr")
    total = -1j * (kron(hamiltonian, one) - kron(one, hamiltonian.T))
    for rate, jump in jumps:
        lost = jump.conj().T @ jump
        total = total + rate * (kron(jump, jump.conj()) - 0.5 * kron(lost, one) - 0.5 * kron(one, lost.T))
    return total.tocsr()


class Model:
    """A random deck, and the same written out."""

    def __init__(self, levels, atoms, mode, rng):
        self.space, self.rng, self.levels = Space(levels, atoms, mode), rng, levels
        self.hamiltonian, self.jumps = [], []
        self.h, self.l = 0 * self.space.all(unit(levels, 0, 0)), []
        self.add_hamiltonian()
        self.add_jumps()
        populations = rng.dirichlet(np.ones(levels))
        populations[-1] = 1 - populations[:-1].round(4).sum()
        populations[:-1] = populations[:-1].round(4)
        self.populations = populations

    def two(self):
        return (int(k) for k in self.rng.choice(self.levels, 2, replace=False))

    def number(self, most=1.5):
        return round(float(self.rng.uniform(0.1, most)), 3)

    def add_hamiltonian(self):
        """Energies, a drive, an exchange between two atoms, the mode's coupling."""
        a, b = self.two()
        x, y, z = self.number(), self.number(), self.number()
        up, down = self.space.all(unit(self.levels, a, b)), self.space.all(unit(self.levels, b, a))
        self.hamiltonian += [f"{x}*q.n[{a}]", f"{y}*q.E[{a},{b}] + hc", f"{z}*q.E[{a},{b}]*q.E[{b},{a}]"]
        self.h = self.h + x * self.space.all(unit(self.levels, a, a)) + y * (up + down) + z * up @ down
        if not self.space.mode:
            return
        a, b = self.two()
        g, light = self.number(), self.space.light()
        coupling = g * light @ self.space.all(unit(self.levels, a, b))
        self.hamiltonian.append(f"{g}*c.a*q.E[{a},{b}] + hc")
        self.h = self.h + coupling + coupling.conj().T

    def add_jumps(self):
        """One together, two processes of each atom (one of them with interference), dephasing, loss of light."""
        a, b = self.two()
        rate = self.number()
        self.jumps.append(f"{{rate: {rate}, operator: 'q.E[{a},{b}]'}}")
        self.l.append((rate, self.space.all(unit(self.levels, a, b))))
        first, second = list(self.two()), list(self.two())
        u, phase = self.number(), round(float(self.rng.uniform(0, 6)), 3)
        mixed = unit(self.levels, *first) + u * np.exp(1j * phase) * unit(self.levels, *second)
        self.add_each(f"q.e[{first[0]},{first[1]}] + {u}*exp(i*{phase})*q.e[{second[0]},{second[1]}]", mixed)
        a, b = self.two()
        self.add_each(f"q.e[{a},{b}]", unit(self.levels, a, b))
        self.add_each("q.sz", np.diag(np.arange(self.levels) - (self.levels - 1) / 2))
        if self.space.mode:
            rate = self.number()
            self.jumps.append(f"{{rate: {rate}, operator: c.a}}")
            self.l.append((rate, self.space.light()))

    def add_each(self, text, matrix):
        rate = self.number()
        self.jumps.append(f"{{rate: {rate}, each: '{text}'}}")
        self.l += [(rate, self.space.alone(matrix, atom)) for atom in range(self.space.atoms)]

    def deck(self):
        mode = f", c: {{kind: mode, cutoff: {PHOTONS}, edge: 1}}" if self.space.mode else ""
        initial = ", ".join(repr(float(p)) for p in self.populations)
        return (f"title: single atoms\ncomponents: {{q: {{kind: levels, size: {self.space.atoms}, levels: {self.levels}}}{mode}}}\n"
                "hamiltonian: [" + ", ".join(f"'{term}'" for term in self.hamiltonian) + "]\n"
                "jumps: [" + ", ".join(self.jumps) + "]\n"
                "observables: {one: '<q.n[1]>', coherence: '<q.E[0,1]>', pair: '<q.E[0,1]*q.E[1,0]>', square: '<q.n[0]^2>'}\n"
                f"tasks:\n  - evolve: {{times: {TIMES}, tolerance: 1e-11, initial: {{q: {{populations: [{initial}]}}"
                + (", c: ground" if self.space.mode else "") + "}}\n  - steady: {}\n  - gap: {}\n")

    def observables(self):
        def e(a, b):
            return self.space.all(unit(self.levels, a, b))
        return {"one": e(1, 1), "coherence": e(0, 1), "pair": e(0, 1) @ e(1, 0), "square": e(0, 0) @ e(0, 0)}

    def start(self):
        rho = np.ones((1, 1))
        for _ in range(self.space.atoms):
            rho = np.kron(rho, np.diag(self.populations))
        return np.kron(rho, np.diag([1.0] + [0.0] * (PHOTONS - 1))) if self.space.mode else rho


def read(data, task, name):
    """A number that is real or stored in two parts."""
    if f"{task}_{name}" in data:
        return np.asarray(data[f"{task}_{name}"], dtype=complex)
    return np.asarray(data[f"{task}_{name}_re"]) + 1j * np.asarray(data[f"{task}_{name}_im"])


class SingleAtoms(unittest.TestCase):
    def check(self, levels, atoms, mode, seed):
        model = Model(levels, atoms, mode, np.random.default_rng(seed))
        with self.subTest(levels=levels, atoms=atoms, mode=mode, deck=model.deck()):
            data = decks.run_text(model.deck(), status=(0, 3), mask=False).squeeze()
            self.assertEqual(int(data.evolve_outcome), 1)
            generator, rho, before = liouvillian(model.h, model.l), model.start().astype(complex).ravel(), 0.0
            for k, time in enumerate(TIMES):
                rho, before = expm_multiply(generator * (time - before), rho), time
                self.compare(model, rho, lambda name, k=k: read(data, "evolve", name)[k], 2e-8)
            self.compare_steady(model, generator, data)

    def compare(self, model, rho, value, tolerance):
        square = rho.reshape(model.h.shape)
        for name, operator in model.observables().items():
            expected = complex((operator @ square).trace())
            self.assertAlmostEqual(abs(complex(value(name)) - expected), 0, delta=tolerance * (1 + abs(expected)), msg=name)

    def compare_steady(self, model, generator, data):
        """Where all eigenvalues take seconds: the state of zero, and the gap among them. (Modes that are not symmetric under
        permutations are in the whole space, too, so that the gap is one of its rates, not its least.) A level that nothing
        leaves and nothing leads to makes several steady states."""
        if generator.shape[0] > 1000:
            return
        values, vectors = np.linalg.eig(generator.toarray())
        if np.sum(abs(values) < 1e-9) > 1:
            self.assertLess(int(data.steady_outcome), 1)
            return
        self.assertEqual(int(data.steady_outcome), 1)
        zero = np.argmin(abs(values))
        rho = vectors[:, zero] / vectors[:, zero].reshape(model.h.shape).trace()
        self.compare(model, rho, lambda name: read(data, "steady", name), 1e-8)
        self.assertLess(np.min(abs(-values.real - float(data.gap_rate))), 1e-8)

    def test_all_sizes(self):
        for k, size in enumerate(SIZES):
            for seed in range(3 if decks.LONG else 1):
                self.check(*size, 100 * k + seed)

    @decks.long
    def test_large_sizes(self):
        for k, size in enumerate(LONG_SIZES):
            self.check(*size, 1000 + k)

    def test_a_mode_that_is_soon_empty_may_be_left_out(self):
        """The three-level laser of eight atoms with its mode, 4 g^2/kappa = 1: numbers come to those without it as 1/kappa, and
        w n0 = kappa n + gamma n1 in the steady state, exactly."""
        head = "title: laser\nparameters: {kappa: 1}\ncomponents:\n  q: {kind: levels, size: 8, levels: 3}\n"
        jumps = ("  - {rate: 2, each: 'q.e[2,0]'}\n  - {rate: 5, each: 'q.e[1,2]'}\n  - {rate: 0.3, each: 'q.e[1,1]'}\n"
                 "  - {rate: 0.2, each: 'q.e[0,1]'}\nobservables: {n0: '<q.n[0]>', n1: '<q.n[1]>', pair: '<q.E[1,0]*q.E[0,1]>'")
        alone = decks.run_text(head + "jumps:\n  - {rate: 1, operator: 'q.E[0,1]'}\n" + jumps
                               + "}\ntasks: [steady: {}, decay: {of: 'q.E[1,0]'}]\n").squeeze()
        distances = []
        for kappa in (1e3, 1e4):
            data = decks.run_text(head.replace("kappa: 1", f"kappa: {kappa}") + "  c: {kind: mode, cutoff: 4, edge: 1}\n"
                                  "hamiltonian: ['sqrt(kappa)/2*c.a*q.E[1,0] + hc']\njumps:\n  - {rate: kappa, operator: c.a}\n" + jumps
                                  + ", photons: <c.n>}\ntasks: [steady: {}, decay: {of: c.a}]\n").squeeze()
            self.assertAlmostEqual(float(2 * data.steady_n0 - kappa * data.steady_photons - 0.2 * data.steady_n1), 0, delta=1e-9)
            distances.append([float(data[name] - alone[name]) for name in ("steady_n0", "steady_n1", "steady_pair", "decay_rate")])
        for far, near in zip(*distances):
            self.assertAlmostEqual(far / near, 10, delta=0.3)
        # of an independent program, the mode eliminated
        for name, known in (("steady_n0", 2.9472789), ("steady_n1", 3.8738096), ("steady_pair", 5.1197958), ("decay_rate", 1.6304021)):
            self.assertAlmostEqual(float(alone[name]), known, delta=2e-7)


if __name__ == "__main__":
    unittest.main()
