"""Density matrices that tasks have stored: elements, matrices, reduced states.

    state = cospin.read_state("cats.h5", "steady", eta=5)
    state.purity(), state.reduced("cavity").matrix()
"""
from dataclasses import dataclass
from math import lgamma

import numpy as np

from .files import SHARD, NotADataset, files_of, grid_of, opened, text


@dataclass(frozen=True)
class Component:
    name: str
    kind: str
    size: float  # spins of `ensemble` and `spins`, length of `spin`, levels of `mode` and `matrix`, atoms of `levels`
    levels: int = 0  # of each atom of `levels`, as far as the state has any in them

    def columns(self):
        """Names of its labels: those that ket and bra share, of the ket, of the bra."""
        shared, label = {"ensemble": (["j"], "m"), "spin": ([], "m"), "mode": ([], "n"), "spins": ([], "bits"),
                         "levels": ([], "levels"), "matrix": ([], "level")}[self.kind]
        return [f"{self.name}_{part}" for part in shared], f"{self.name}_{label}_ket", f"{self.name}_{label}_bra"

    def basis(self):
        """[(label, ...)] of its kets in the order of matrix(): (j, m) with j falling, (m,), (n,), (level,), (bits,) or, of `levels`,
        (number,), which occupations() takes apart."""
        if self.kind == "ensemble":
            irreps = self.size / 2 - np.arange(int(self.size) // 2 + 1)
            return [(j, m) for j in irreps for m in np.arange(-j, j + 1)]
        if self.kind == "spin":
            return [(m,) for m in np.arange(-self.size, self.size + 1)]
        if self.kind == "levels":
            base, numbers = int(self.size) + 1, [(0, 0)]  # atoms above level 0, and the number
            for k in range(self.levels - 1):
                numbers = [(atoms + n, number + n * base ** k) for atoms, number in numbers for n in range(base - atoms)]
            return sorted((number,) for _, number in numbers)
        return [(n,) for n in range(int(self.size) if self.kind in ("mode", "matrix") else 2 ** int(self.size))]

    def occupations(self, number):
        """(n_0, n_1, ...): how many atoms of `levels` are in each level, from the number that is their label."""
        base = int(self.size) + 1
        above = [int(number) // base ** k % base for k in range(self.levels - 1)]
        return (base - 1 - sum(above), *above)

    def copies(self, label):
        """How many copies of the irrep of this label there are: 1 but for ensembles."""
        return copies_of_irrep(self.size, label[0]) if self.kind == "ensemble" else 1.


def copies_of_irrep(size, j):
    """d_j = (2j+1) N!/((N/2+j+1)! (N/2-j)!), exact for few spins."""
    value = (2 * j + 1) * np.exp(lgamma(size + 1) - lgamma(size / 2 + j + 2) - lgamma(size / 2 - j + 1))
    return round(value) if value < 2 ** 40 else value


@dataclass
class State:
    """A density matrix, element by element: rho = sum over i of values[i] times what labels[...][i] stand for.

    An element of an ensemble, (j, m, m'), is a sum over the d_j copies of irrep j, so that its trace is that of the
    matrix: each copy holds value/d_j of |j,m><j,m'|, and copies do not interfere.
    """
    components: list  # of Component
    labels: dict  # column -> array
    values: np.ndarray  # complex

    def component(self, name=None):
        """The component of this name; the only one, if there is one."""
        found = [c for c in self.components if name in (None, c.name)]
        if len(found) != 1:
            raise NotADataset(f"the state has {len(found) or 'no'} components"
                              + (f" {name}" if name else f", say which: {', '.join(c.name for c in self.components)}"))
        return found[0]

    def on_diagonal(self, components=None):
        """Which elements have equal ket and bra in these components (all)."""
        equal = np.ones(len(self.values), dtype=bool)
        for component in self.components if components is None else components:
            _, ket, bra = component.columns()
            equal &= self.labels[ket] == self.labels[bra]
        return equal

    def trace(self):
        return self.values[self.on_diagonal()].sum()

    def copies(self):
        """Of each element: how many copies of the irreps it sums over."""
        number = np.ones(len(self.values))
        for component in self.components:
            for column in component.columns()[0]:
                irreps, places = np.unique(self.labels[column], return_inverse=True)
                number *= np.array([copies_of_irrep(component.size, j) for j in irreps], dtype=float)[places]
        return number

    def purity(self):
        """Tr rho^2."""
        return float((np.abs(self.values) ** 2 / self.copies()).sum())

    def reduced(self, name):
        """The state of one component: the others traced out."""
        component = self.component(name)
        keep = self.on_diagonal([c for c in self.components if c is not component])
        columns = sum(([*shared, ket, bra] for shared, ket, bra in [component.columns()]), [])
        rows = np.stack([self.labels[column][keep] for column in columns], axis=1)
        unique, places = np.unique(rows, axis=0, return_inverse=True)
        values = np.zeros(len(unique), dtype=complex)
        np.add.at(values, places.ravel(), self.values[keep])
        return State([component], {column: unique[:, k] for k, column in enumerate(columns)}, values)

    def block(self, j=None):
        """The matrix of one component between the levels of one irrep, m (or n) ascending; j of ensembles only."""
        component = self.component()
        shared, ket, bra = component.columns()
        levels = component.basis()
        chosen = np.ones(len(self.values), dtype=bool)
        if shared:
            j = component.size / 2 if j is None else j
            chosen = self.labels[shared[0]] == j
            levels = [label for label in levels if label[0] == j]
        matrix = np.zeros((len(levels),) * 2, dtype=complex)
        places = {label[-1]: place for place, label in enumerate(levels)}
        rows, columns = ([places[label] for label in self.labels[c][chosen]] for c in (ket, bra))
        matrix[rows, columns] = self.values[chosen]
        return matrix

    def matrix(self, every_copy=False):
        """(basis, rho): the whole matrix between [(label, ...)] of all components, the first one slowest.

        Of ensembles it holds the blocks (j, m), (j, m') summed over the copies of j: its trace is 1, its rank is not
        that of the state. every_copy=True sets every copy by itself: 2^N rows for an ensemble of N spins, the basis
        labels are (j, copy, m) then.
        """
        factors = [[(label, copy, component.copies(label)) for label in component.basis()
                    for copy in range(int(component.copies(label)) if every_copy else 1)]
                   for component in self.components]
        size = int(np.prod([len(factor) for factor in factors]))
        if size > 20000:
            raise NotADataset(f"the matrix has {size} rows: use the elements (labels, values) or reduced()")
        rho = np.zeros((size, size), dtype=complex)
        for row, column, share, value in self._places(factors, every_copy):
            rho[row, column] += value * share
        names = [[(*label[:-1], copy, label[-1]) if every_copy and len(label) > 1 else label
                  for label, copy, _ in factor] for factor in factors]
        basis = names[0]
        for more in names[1:]:
            basis = [one + other for one in basis for other in more]
        return basis, rho

    def to_qutip(self, j=None):
        """The density matrix as QuTiP's Qobj, a tensor of the components (two-level factors of `spins`).

        QuTiP's order of levels: spins from m = S down, so that jmat and sigmaz are the operators that belong to it; modes from
        n = 0 up. An ensemble is in the form of qutip.piqs, blocks of falling j, each summed over its copies; with j= the block of
        one irrep of a lone ensemble.
        """
        from .qutip_bridge import density, irrep
        return density(self) if j is None else irrep(self, j)

    def _places(self, factors, every_copy):
        """(row, column, share, value) of every element in matrix()."""
        finders = []
        for component, factor in zip(self.components, factors):
            places = {}
            for index, (label, _, copies) in enumerate(factor):
                places.setdefault(label, []).append((index, copies))
            finders.append((component.columns(), places, len(factor)))
        for i, value in enumerate(self.values):
            found = [(0, 0, 1.)]
            for (shared, ket, bra), places, size in finders:
                head = tuple(self.labels[column][i] for column in shared)
                kets, bras = places[head + (self.labels[ket][i],)], places[head + (self.labels[bra][i],)]
                found = [(row * size + k, column * size + b, share / (copies if every_copy else 1))
                         for row, column, share in found for (k, copies), (b, _) in zip(kets, bras)]
            for row, column, share in found:
                yield row, column, share, value


def stored_tasks(path, verify=True):
    """Names of the tasks that have stored states."""
    with opened(files_of(path)[-1], verify) as file:
        return list(file["states"]) if "states" in file else []


def stored_points(path, task, verify=True):
    """[{axis: value}] of all points and times at which the task has stored a state, in the order of the grid (of a run
    that is not finished: ascending)."""
    found = _stored_places(path, task, verify)
    return [dict(point) for point, (_, _, count) in found.items() if count > 0]


def _stored_places(path, task, verify):
    """{((axis, value), ...): (file, index, number of elements)}; the last of several files counts."""
    files, found = files_of(path), {}
    for name in files:
        with opened(name, verify) as file:
            if "states" not in file or task not in file["states"]:
                raise NotADataset(f"{path} holds no states of a task {task} (it has: "
                                  f"{', '.join(file['states']) if 'states' in file else 'none at all'})")
            found.update(_places_in(file, name, file["states"][task]))
    return found if len(files) == 1 else dict(sorted(found.items()))


def _places_in(file, name, group):
    axes = [dim.keys()[0] if dim.keys()[0] in group else dim[0].name.split("/")[-1] for dim in group["count"].dims]
    counts = group["count"][()]
    columns = {axis: [axis] for axis in axes}
    values = {axis: group[axis][()] for axis in axes}
    if SHARD in axes:  # a point has its coordinates beside it
        columns[SHARD] = list(grid_of(file))
        values.update({axis: file[axis][()] for axis in columns[SHARD]})
    for index in np.ndindex(counts.shape):
        point = tuple((column, float(values[column][k])) for axis, k in zip(axes, index) for column in columns[axis])
        yield point, (name, index, int(counts[index]))


def _find_place(path, task, point, verify):
    """(file, index) of the only state that is there at what `point` says."""
    places = _stored_places(path, task, verify)
    axes = {name: None for known in places for name, _ in known}
    unknown = set(point) - set(axes)
    if unknown:
        raise NotADataset(f"the states of {path} have no axis {', '.join(sorted(unknown))}")
    for name in axes:
        there = sorted({dict(known)[name] for known in places})
        if name not in point and len(there) > 1:
            raise NotADataset(f"{path} holds states at {len(there)} values of {name}: say which")
        wanted = point.get(name, there[0])
        places = {known: place for known, place in places.items()
                  if abs(dict(known)[name] - wanted) <= 1e-9 * abs(wanted)}
        if not places:
            raise NotADataset(f"{path} holds no state at {name} = {wanted} (there are: {np.array(there)})")
    (name, index, count), = places.values()
    if count == 0:
        raise NotADataset(f"{path} holds no state of {task} at this point (unfinished, or a bad outcome)")
    return name, index


def read_state(path, task, verify=True, **point):
    """The state that `task` has stored at this point: read_state("a.h5", "evolve", eta=0.5, time=10).

    Axes that have one value may be left out; others must be given, and are found to 1e-9 relative.
    """
    name, index = _find_place(path, task, point, verify)
    with opened(name, verify) as file:
        group = file["states"][task]
        first, count = (int(group[part][index]) for part in ("first", "count"))
        rows = slice(first, first + count)
        names, kinds = (text(group.attrs[part]).split() for part in ("components", "kinds"))
        if "atoms" in kinds:
            raise NotADataset(f"{path}: {task} holds single atoms of several levels, elements by numbers of atoms in |a><b|, of "
                              "which no density matrix is made here (read them from /states)")
        components = [Component(one, kind, float(group[one + "_size"][index]), _levels_of(group, one, kind, rows, index))
                      for one, kind in zip(names, kinds)]
        labels = {column: group[column][rows] for component in components
                  for columns in [component.columns()] for column in [*columns[0], *columns[1:]]}
        return State(components, labels, group["value_re"][rows] + 1j * group["value_im"][rows])


def _levels_of(group, name, kind, rows, index):
    """One more than the highest level of `levels` that occurs: digits of the largest number."""
    if kind != "levels":
        return 0
    number, base, levels = int(group[f"{name}_levels_ket"][rows].max()), int(group[name + "_size"][index]) + 1, 1
    while number:
        number, levels = number // base, levels + 1
    return levels
