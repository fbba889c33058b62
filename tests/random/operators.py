"""The Hilbert space of a deck by Kronecker products, operators on it, and its generator.

An ensemble of N is N two-level systems, 2^N kets; so are `spins`. Operators are sparse matrices of mpmath's numbers.
The states of an ensemble that cospin can hold are those that permutations leave alone: elements |x><y| which
permutations take to each other have equal coefficients. A *class* is a set of such elements; the generator is made by
applying it to classes and reading the result at one element of each.
"""
import itertools
from collections import defaultdict

import numpy
from mpmath import mp, mpc, mpf

import expressions


class Operator:
    """A sparse matrix on the kets of the whole space: rows[x] = {y: value}."""

    def __init__(self, size, rows=None):
        self.size, self.rows = size, rows or {}

    @classmethod
    def unit(cls, size, factor=1):
        return cls(size, {k: {k: mpc(factor)} for k in range(size)})

    def __add__(self, other):
        if not isinstance(other, Operator):
            other = Operator.unit(self.size, other)
        rows = {x: dict(row) for x, row in self.rows.items()}
        for x, row in other.rows.items():
            mine = rows.setdefault(x, {})
            for y, value in row.items():
                mine[y] = mine.get(y, 0) + value
        return Operator(self.size, rows)

    __radd__ = __add__

    def __sub__(self, other):
        return self + other * mpf(-1)

    def __rsub__(self, other):
        return self * mpf(-1) + other

    def __mul__(self, other):
        if not isinstance(other, Operator):
            return Operator(self.size, {x: {y: value * other for y, value in row.items()} for x, row in self.rows.items()})
        rows = {}
        for x, row in self.rows.items():
            mine = defaultdict(mpc)
            for k, value in row.items():
                for y, factor in other.rows.get(k, {}).items():
                    mine[y] += value * factor
            rows[x] = dict(mine)
        return Operator(self.size, rows)

    __rmul__ = __mul__  # numbers only

    def __pow__(self, exponent):
        result = Operator.unit(self.size)
        for _ in range(exponent):
            result = result * self
        return result

    def adjoint(self):
        rows = defaultdict(dict)
        for x, row in self.rows.items():
            for y, value in row.items():
                rows[y][x] = mp.conj(value)
        return Operator(self.size, dict(rows))

    def elements(self):
        for x, row in self.rows.items():
            for y, value in row.items():
                if abs(value) > 0:
                    yield x, y, value

    def dense(self):
        matrix = numpy.zeros((self.size, self.size), dtype=complex)
        for x, y, value in self.elements():
            matrix[x, y] = complex(value)
        return matrix

    def norm(self):
        return numpy.linalg.norm(self.dense(), 2)


class Component:
    """One factor: its kets, what they count (`charges`), and its operators as dictionaries (x, y) -> value."""

    def __init__(self, name, entry, numbers):
        self.name, self.kind = name, entry["kind"]
        number = lambda key: int(mp.re(expressions.evaluate(entry[key], numbers)))
        self.levels = 0
        if self.kind in ("ensemble", "spins"):
            self.spins = number("size")
            self.kets = list(itertools.product((1, 0), repeat=self.spins))  # 1: up
        elif self.kind == "spin":
            self.two_s = int(mp.re(2 * expressions.evaluate(entry["S"], numbers)))
            self.kets = list(range(self.two_s + 1))
        elif self.kind == "mode":
            self.kets = list(range(number("cutoff")))
        else:
            self.atoms, self.levels = number("size"), number("levels")
            self.kets = [x for x in itertools.product(range(self.atoms + 1), repeat=self.levels) if sum(x) == self.atoms]
        self.place = {x: k for k, x in enumerate(self.kets)}
        self.size = len(self.kets)

    def charges(self, k):
        ket = self.kets[k]
        if self.kind == "ensemble":
            return (sum(ket),)
        return ket if self.kind in ("spins", "levels") else (ket,)

    def class_of(self, k, l):
        """What permutations of an ensemble leave of an element |k><l|."""
        if self.kind != "ensemble":
            return (k, l)
        pairs = list(zip(self.kets[k], self.kets[l]))
        return tuple(pairs.count(pair) for pair in ((0, 0), (0, 1), (1, 0), (1, 1)))

    def one_spin(self, letter, spin):
        """sp, sm, sz, sx, sy of one of several spins."""
        half = {"sp": {(1, 0): mpf(1)}, "sm": {(0, 1): mpf(1)}, "sz": {(1, 1): mpf(1), (0, 0): mpf(-1)},
                "sx": {(1, 0): mpf(1), (0, 1): mpf(1)}, "sy": {(1, 0): mpc(0, -1), (0, 1): mpc(0, 1)}}[letter]
        elements = {}
        for (up, down), value in half.items():
            for ket in self.kets:
                if ket[spin] == down:
                    to = ket[:spin] + (up,) + ket[spin + 1:]
                    elements[self.place[to], self.place[ket]] = value
        return elements

    def moved(self, a, b):
        """E[a,b] of levels: sqrt((n_a + 1) n_b)."""
        elements = {}
        for ket in self.kets:
            if ket[b] == 0:
                continue
            to = list(ket)
            to[b] -= 1
            to[a] += 1
            elements[self.place[tuple(to)], self.place[ket]] = mp.sqrt(mpf(to[a] * ket[b]))
        return elements

    def single(self):
        """Sz and Sp of one atom of `levels` as d x d lists."""
        d, s = self.levels, mpf(self.levels - 1) / 2
        plus = {(k + 1, k): mp.sqrt(s * (s + 1) - (k - s) * (k - s + 1)) for k in range(d - 1)}
        return plus, {(k, k): k - s for k in range(d)}

    def named(self, name, indices):
        """The dictionary of an operator, or None if it is a sum of others."""
        if self.kind in ("ensemble", "spins") and name.startswith("s"):
            return self.one_spin(name, indices[0])
        if self.kind in ("ensemble", "spins") and name in ("Sp", "Sm"):
            return summed([self.one_spin(name.lower(), l) for l in range(self.spins)], 1)
        if self.kind in ("ensemble", "spins") and name == "Sz":
            return summed([self.one_spin("sz", l) for l in range(self.spins)], mpf(1) / 2)
        if self.kind == "spin":
            n = self.two_s
            if name == "Sz":
                return {(k, k): mpf(k) - mpf(n) / 2 for k in range(n + 1)}
            if name == "Sp":
                return {(k + 1, k): mp.sqrt(mpf((k + 1) * (n - k))) for k in range(n)}
            if name == "Sm":
                return {(k, k + 1): mp.sqrt(mpf((k + 1) * (n - k))) for k in range(n)}
        if name in ("a", "b"):
            return {(k, k + 1): mp.sqrt(mpf(k + 1)) for k in range(self.size - 1)}
        if name == "n" and not indices:
            return {(k, k): mpf(k) for k in range(self.size)}
        if self.kind == "levels" and name in ("E", "n"):
            return self.moved(indices[0], indices[-1])
        if self.kind == "levels" and name in ("Sp", "Sz", "Sm"):
            one = self.single()[1 if name == "Sz" else 0]
            turn = (lambda a, b: (b, a)) if name == "Sm" else (lambda a, b: (a, b))
            total = defaultdict(mpc)
            for (a, b), factor in one.items():
                for key, value in self.moved(*turn(a, b)).items():
                    total[key] += factor * value
            return dict(total)
        return None


def summed(dictionaries, factor):
    total = defaultdict(mpc)
    for dictionary in dictionaries:
        for key, value in dictionary.items():
            total[key] += value * factor
    return dict(total)


class Space:
    def __init__(self, components):
        self.components = components
        self.shape = [c.size for c in components]
        self.size = int(numpy.prod(self.shape))
        self.kets = list(itertools.product(*(range(n) for n in self.shape)))

    def find(self, name):
        return next(c for c in self.components if c.name == name)

    def embed(self, component, elements):
        at = self.components.index(component)
        stride = int(numpy.prod(self.shape[at + 1:]))
        columns = defaultdict(list)
        for (x, y), value in elements.items():
            columns[y].append((x, value))
        rows = defaultdict(dict)
        for k, ket in enumerate(self.kets):
            for x, value in columns.get(ket[at], ()):
                rows[k + (x - ket[at]) * stride][k] = mpc(value)
        return Operator(self.size, dict(rows))

    def operator(self, component_name, name, indices=None, spin=None):
        """COMPONENT.NAME[indices]; `spin` stands for the spin that `each:` means."""
        component = self.find(component_name)
        if spin is not None and name.startswith("s"):
            indices = [spin]
        if name in ("Sx", "sx") and not (indices and name == "sx"):
            return (self.operator(component_name, "Sp") + self.operator(component_name, "Sm")) * mpf("0.5")
        if name in ("Sy", "sy") and not (indices and name == "sy"):
            return (self.operator(component_name, "Sp") - self.operator(component_name, "Sm")) * mpc(0, "-0.5")
        if name.startswith("Q"):
            return self.quadrupole(component, name[1:])
        return self.embed(component, component.named(name, indices))

    def quadrupole(self, component, axes):
        """The sum over atoms of si sj + sj si - 2/3 s(s+1) delta_ij."""
        plus, z = component.single()
        d = component.levels
        s = mpf(d - 1) / 2
        matrix = {"p": mp.matrix(d, d), "z": mp.matrix(d, d)}
        for (a, b), value in plus.items():
            matrix["p"][a, b] = value
        for (a, b), value in z.items():
            matrix["z"][a, b] = value
        matrix["x"] = (matrix["p"] + matrix["p"].T) * mpf("0.5")
        matrix["y"] = (matrix["p"] - matrix["p"].T) * mpc(0, "-0.5")
        i, j = (matrix[axis] for axis in axes)
        q = i * j + j * i - (mp.eye(d) * (2 * s * (s + 1) / 3) if axes[0] == axes[1] else mp.zeros(d))
        return self.embed(component, summed([summed([component.moved(a, b)], q[a, b]) for a in range(d) for b in range(d)
                                             if q[a, b] != 0], 1))
