"""Operators and the generator of a small deck as sparse matrices, which `cospin export` writes.

    m = cospin.matrices("my.yaml", set={"N": 4}, w=2)   # at w = 2 of the deck's grid
    m.liouvillian                                       # d rho/dt = L rho between the elements m.labels
    m.hamiltonian, m.jumps                              # between the kets m.kets; rates are in the jumps
    h, c_ops = m.to_qutip()

    cospin.liouvillian("my.yaml"), cospin.hamiltonian("my.yaml"), cospin.jumps("my.yaml")
"""
import os
import tempfile
from dataclasses import dataclass

import numpy as np

from .program import as_file, as_options, found_program, plan, raise_for, started
from .states import Component


@dataclass
class Matrices:
    """`labels` and `kets` are {column: array}, as those of stored states; matrices are scipy's CSR.

    Between kets d rho/dt = -i [H, rho] + sum over jumps of L rho L^+ - (L^+ L rho + rho L^+ L)/2. An ensemble's kets are
    |j, m>, one for all copies of j; what acts on its spins one by one is an L for each change of j, right for states without
    coherence between different j. `lines` says which of the deck's jumps an L is from.
    """
    components: list  # of Component
    labels: dict
    kets: dict
    liouvillian: object
    hamiltonian: object
    jumps: list
    lines: list

    def dims(self):
        """Sizes of the factors, the first one slowest."""
        return [len(np.unique(self._columns_of(component), axis=0)) for component in self.components]

    def _columns_of(self, component):
        shared, ket, _ = component.columns()
        return np.stack([self.kets[column] for column in [*shared, ket]], axis=1)

    def to_qutip(self):
        """(H, [L, ...]) as Qobj, in QuTiP's order of levels: see State.to_qutip. A dissipator of `mesolve` and `liouvillian`."""
        from .qutip_bridge import operator, order_of_kets
        places, dims = order_of_kets(self.components, self.kets)
        return operator(self.hamiltonian, places, dims), [operator(jump, places, dims) for jump in self.jumps]


def matrices(deck, set=None, program=None, **point):  # pylint: disable=redefined-builtin
    """All of them, at the point of the deck's grid that `point` names ({axis: value}; axes with one value may be left out)."""
    path, folder = as_file(deck)
    number = _point_number(plan(deck, set=set, program=program).deck.get("grid") or {}, point)
    with tempfile.TemporaryDirectory() as scratch:
        file = os.path.join(scratch, "matrices")
        done = started([found_program(program), "export", path, "--matrix", file, "--point", str(number), *as_options(set, {})])
        raise_for(done, path, folder is not None)
        with open(file, encoding="utf-8") as stream:
            return read(stream)


def liouvillian(deck, **options):
    """The generator between all labels, as scipy's CSR matrix; options of `matrices`."""
    return matrices(deck, **options).liouvillian


def hamiltonian(deck, **options):
    """H between kets, as scipy's CSR matrix; options of `matrices`."""
    return matrices(deck, **options).hamiltonian


def jumps(deck, **options):
    """[sqrt(rate) L, ...] between kets, as scipy's CSR matrices; options of `matrices`."""
    return matrices(deck, **options).jumps


def _point_number(grid, point):
    """Of all points, the last axis fastest."""
    number, unknown = 0, [axis for axis in point if axis not in grid]
    if unknown:
        raise ValueError(f"the deck has no axis {', '.join(unknown)} (it has: {', '.join(grid) or 'none'})")
    for axis, values in grid.items():
        values = np.array(values, dtype=float)
        wanted = point.get(axis, values[0])
        if axis not in point and len(values) > 1:
            raise ValueError(f"{axis} has {len(values)} values: say which")
        near = int(np.abs(values - wanted).argmin())
        if not np.isclose(values[near], wanted, rtol=1e-9, atol=0):
            raise ValueError(f"{axis} has no value {wanted} (there are: {', '.join(f'{one:g}' for one in values)})")
        number = number * len(values) + near
    return number


# ---- The file -------------------------------------------------------------------------------------------------------
def read(stream):
    """Matrices of the text that `cospin export` writes (its form stands in src/cli/export.c)."""
    from scipy.sparse import csr_matrix

    head = stream.readline().split()
    if head != ["cospin", "matrices", "1"]:
        raise ValueError(f"this is no file of `cospin export`, or of another version: {' '.join(head)[:60]}")
    components, tables, jumps_found = [], {}, []
    for line in stream:
        word, *rest = line.split()
        if word == "component":
            components.append((rest[0], rest[1], float(rest[2])))
            continue
        if word in ("labels", "kets"):
            values = _rows(stream, int(rest[0]), len(rest) - 1)
            tables[word] = {column: values[:, k] for k, column in enumerate(rest[1:])}
            continue
        size = len(next(iter(tables["labels" if word == "generator" else "kets"].values())))
        row, column, re, im = _rows(stream, int(rest[-1]), 4).T
        matrix = csr_matrix((re + 1j * im, (row.astype(int), column.astype(int))), shape=(size, size))
        if word == "jump":
            jumps_found.append((int(rest[0]), matrix))
        else:
            tables[word] = matrix
    return Matrices([_component(*one, tables["kets"]) for one in components], tables["labels"], tables["kets"], tables["generator"],
                    tables["hamiltonian"], [matrix for _, matrix in jumps_found], [number for number, _ in jumps_found])


def _rows(stream, count, width):
    values = np.array([stream.readline().split() for _ in range(count)], dtype=float)
    return values.reshape(count, width)


def _component(name, kind, size, kets):
    levels = 0
    if kind == "levels":  # as many as have a digit in the largest number
        largest, levels = int(kets[name + "_levels_ket"].max()), 1
        while largest:
            largest, levels = largest // (int(size) + 1), levels + 1
    return Component(name, kind, size, levels)
