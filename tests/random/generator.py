"""The generator of a deck on the classes of elements |x><y|, its blocks and its sectors, and what is read of states.

A state is a vector over classes: the common coefficient of a class's elements times the square root of their number,
so that scalar products are those of operators. Blocks are what the generator's elements connect. Sectors are what a
user knows: cosets of the lattice that is spanned by the steps of charges (excitations of kets and bras) that the
generator makes; several blocks may lie in one.
"""
import re
from collections import defaultdict

import numpy
from mpmath import mp, mpc, mpf

import expressions
import resolve
from operators import Component, Operator, Space
from wide import Wide

NOTHING = mpf(2)**-220  # of the moduli of the terms that meet in an element


class Lattice:
    """Integer combinations of vectors, as rows in echelon form."""

    def __init__(self):
        self.rows = {}  # pivot -> vector

    def reduce(self, vector):
        vector = list(vector)
        for pivot in sorted(self.rows):
            row = self.rows[pivot]
            times = vector[pivot] // row[pivot]
            if times:
                vector = [v - times * r for v, r in zip(vector, row)]
        return tuple(vector)

    def add(self, vector):
        vector = list(self.reduce(vector))
        pivot = next((k for k, v in enumerate(vector) if v), None)
        if pivot is None:
            return
        if vector[pivot] < 0:
            vector = [-v for v in vector]
        old = self.rows.pop(pivot, None)
        self.rows[pivot] = vector
        if old:
            self.add(old)


class Deck:
    def __init__(self, document, seed=None):
        """`seed`: with the deck's numbers changed in their last digit."""
        self.document = document
        self.numbers = expressions.number_scope(document.get("parameters") or {}, seed)
        sizes = expressions.number_scope(document.get("parameters") or {})
        self.space = Space([Component(name, entry, sizes) for name, entry in document["components"].items()])
        self.arrays = {name: [[self.number(v) for v in row] if isinstance(row, list) else self.number(row) for row in rows]
                       for name, rows in (document.get("arrays") or {}).items()}
        self.hamiltonian = Operator(self.space.size)
        for entry in document.get("hamiltonian") or []:
            for indices in self.indices(entry["sum"] if isinstance(entry, dict) else ""):
                self.hamiltonian += self.operator(entry["sum"] if isinstance(entry, dict) else entry, indices)
        self.jumps = []  # (name, coefficient, A, B): coefficient (A rho B^+ - ...)
        for entry in document.get("jumps") or []:
            self.add_jump(entry)

    def number(self, text):
        return expressions.evaluate(text, self.numbers)

    def scope(self, indices, spin=None):
        def lookup(name, brackets):
            if name in indices:
                return mpf(indices[name])
            if name in self.arrays:
                value = self.arrays[name]
                for k in brackets:
                    value = value[k]
                return value
            if "." in name:
                return self.space.operator(*name.split(".", 1), brackets, spin)
            return self.numbers(name, brackets)
        return lookup

    def operator(self, text, indices=None, spin=None):
        value = expressions.evaluate(text, self.scope(indices or {}, spin))
        return value if isinstance(value, Operator) else Operator.unit(self.space.size, value)

    def indices(self, text):
        """All values of l, or l and m, if a text names them; else nothing, once."""
        names = [x for x in "lm" if re.search(rf"[\[,*+(\s-]\s*{x}\s*[\],*+)\s-]", text)]
        spins = next((c.spins for c in self.space.components if c.kind == "spins"), 0)
        if not names:
            return [{}]
        return [{"l": l} for l in range(spins)] if names == ["l"] else [{"l": l, "m": m} for l in range(spins) for m in range(spins)]

    def add_jump(self, entry):
        name = entry.get("name")
        if "operator" in entry:
            a = self.operator(entry["operator"])
            self.jumps.append((name, self.number(entry["rate"]), a, a))
            return
        text = entry.get("each", entry.get("pairs"))
        component = next(c for c in self.space.components if re.search(rf"\b{c.name}\.s[pmxyz]\b", text))
        each = [self.operator(text, spin=l) for l in range(component.spins)]
        for l, a in enumerate(each):
            if "each" in entry:
                rate = expressions.evaluate(entry["rate"], self.scope({"l": l}))
                self.jumps.append((name, rate, a, a))
                continue
            for m, b in enumerate(each):
                rate = expressions.evaluate(self.entry(entry["rates"]), self.scope({"l": l, "m": m}))
                self.jumps.append((name, rate, b, a))

    def entry(self, text):
        """A matrix by its name means its entry."""
        for name, rows in self.arrays.items():
            text = re.sub(rf"\b{name}\b(?!\[)", f"{name}[l,m]" if isinstance(rows[0], list) else f"{name}[l]", str(text))
        return text


class Generator:
    def __init__(self, deck):
        self.deck, self.space = deck, deck.space
        self.find_classes()
        self.make_elements()
        self.find_blocks()
        self.find_sectors()

    def find_classes(self):
        space, size = self.space, self.space.size
        tables = [[[c.class_of(k, l) for l in range(c.size)] for k in range(c.size)] for c in space.components]
        numbers, self.representative, count = {}, [], []
        self.class_of = numpy.zeros((size, size), dtype=int)
        for x, ket in enumerate(space.kets):
            for y, bra in enumerate(space.kets):
                key = tuple(table[k][l] for table, k, l in zip(tables, ket, bra))
                if key not in numbers:
                    numbers[key] = len(count)
                    count.append(0)
                    self.representative.append((x, y))
                self.class_of[x, y] = numbers[key]
                count[numbers[key]] += 1
        self.count, self.dimension = numpy.array(count), len(count)
        roots = {n: mp.sqrt(mpf(n)) for n in set(count)}
        self.roots = [roots[n] for n in count]
        self.trace = numpy.zeros(self.dimension)
        for x in range(size):
            self.trace[self.class_of[x, x]] += 1
        self.trace /= numpy.sqrt(self.count)

    def superoperator(self, terms, left=None, right=None):
        """Elements (to, from) of the sum of c A rho B^+, and of left rho + rho right^+."""
        elements, moduli = defaultdict(mpc), defaultdict(mpf)

        def add(to, source, value):
            elements[to, source] += value
            moduli[to, source] += abs(value)
        for to, (x, y) in enumerate(self.representative):
            for c, a, b in terms:
                for k, s in a.rows.get(x, {}).items():
                    for l, t in b.rows.get(y, {}).items():
                        add(to, self.class_of[k, l], c * s * mp.conj(t))
            for k, s in (left.rows.get(x, {}) if left else {}).items():
                add(to, self.class_of[k, y], s)
            for l, t in (right.rows.get(y, {}) if right else {}).items():
                add(to, self.class_of[x, l], mp.conj(t))
        return {key: value * self.roots[key[0]] / self.roots[key[1]] for key, value in elements.items()
                if abs(value) > NOTHING * moduli[key]}

    def make_elements(self):
        outflow = Operator(self.space.size)
        for _, c, a, b in self.deck.jumps:
            outflow += b.adjoint() * a * c
        left = self.deck.hamiltonian * mpc(0, -1) - outflow * mpf("0.5")
        self.elements = self.superoperator([(c, a, b) for _, c, a, b in self.deck.jumps], left, left)
        self.scale = max([float(abs(v)) for v in self.elements.values()], default=0.0) or 1.0

    def find_blocks(self):
        parent = list(range(self.dimension))

        def root(k):
            while parent[k] != k:
                parent[k] = parent[parent[k]]
                k = parent[k]
            return k
        for to, source in self.elements:
            parent[root(to)] = root(source)
        blocks = defaultdict(list)
        for k in range(self.dimension):
            blocks[root(k)].append(k)
        self.blocks = list(blocks.values())
        self.block_of = numpy.zeros(self.dimension, dtype=int)
        for b, members in enumerate(self.blocks):
            self.block_of[members] = b
        self.solved = {}

    def label(self, x, y):
        """Charges of the ket and of the bra, of every component."""
        space = self.space
        sides = [[c.charges(k) for c, k in zip(space.components, space.kets[z])] for z in (x, y)]
        return tuple(q for side in sides for charges in side for q in charges)

    def find_sectors(self):
        labels = [self.label(x, y) for x, y in self.representative]
        self.lattice = Lattice()
        for to, source in self.elements:
            self.lattice.add([a - b for a, b in zip(labels[to], labels[source])])
        self.sector_of = [self.lattice.reduce(label) for label in labels]
        self.labels = labels
        self.trace_sectors = {self.sector_of[self.class_of[x, x]] for x in range(self.space.size)}

    def total(self, label, component=None):
        """Excitations of a side of a label: of one component or of all."""
        total, at = 0, 0
        for c in self.space.components:
            charges = label[at:at + len(c.charges(0))]
            at += len(charges)
            if component in (None, c.name):
                total += sum(k * q for k, q in enumerate(charges)) if c.kind == "levels" else sum(charges)
        return total

    def sectors_named(self, entry):
        """The sectors with labels of {charge: q} or {ket: k, bra: b}; each number may be one for every component."""
        half = len(self.labels[0]) // 2

        def fits(label):
            sides = {"ket": label[:half], "bra": label[half:]}
            for key, value in entry.items():
                for name, number in (value.items() if isinstance(value, dict) else [(None, value)]):
                    q = {side: self.total(part, name) for side, part in sides.items()}
                    if (q["ket"] - q["bra"] if key == "charge" else q[key]) != number:
                        return False
            return True
        return {self.sector_of[k] for k, label in enumerate(self.labels) if fits(label)}

    def blocks_of_sectors(self, sectors):
        return sorted({self.block_of[k] for k in range(self.dimension) if self.sector_of[k] in sectors})

    def sectors_read(self, operator):
        """Sectors of elements that Tr(A rho) may read: all whose charges differ as A's elements change them."""
        half = len(self.labels[0]) // 2
        shifts = set()
        for x, y, _ in operator.elements():
            label = self.label(x, y)
            shifts.add(tuple(a - b for a, b in zip(label[:half], label[half:])))
        return {self.sector_of[k] for k, label in enumerate(self.labels)
                if tuple(b - a for a, b in zip(label[:half], label[half:])) in shifts}

    def groups(self, b):
        """What resolve.py makes of a block, in units of the deck; vectors are over the block's members."""
        if b not in self.solved:
            members = self.blocks[b]
            place = {k: i for i, k in enumerate(members)}
            inner = {(place[to], place[source]): value / mpf(self.scale) for (to, source), value in self.elements.items()
                     if to in place}
            trace = self.trace[members]
            wide = Wide.exact((len(members), len(members)), inner)
            found = resolve.groups_of(wide, trace=trace.astype(complex) if trace.any() else None)
            for group in found:
                group.frequency *= self.scale
                group.matrix = group.matrix * self.scale
                group.eigenvalues = group.eigenvalues * self.scale
                group.errors = group.errors * self.scale
            self.solved[b] = found
        return self.solved[b]

    def stationary(self, group):
        return group.null and abs(group.frequency) < 1e-30 * self.scale

    def reading(self, operator):
        """The vector f with Tr(A rho) = f . rho."""
        vector = numpy.zeros(self.dimension, dtype=complex)
        for x, y, value in operator.elements():
            vector[self.class_of[y, x]] += complex(value)
        return vector / numpy.sqrt(self.count)

    def vector(self, matrix):
        """Of a density matrix on the whole space."""
        return numpy.array([matrix[x, y] for x, y in self.representative]) * numpy.sqrt(self.count)

    def matrix(self, vector):
        return (vector / numpy.sqrt(self.count))[self.class_of]
