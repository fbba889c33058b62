"""Reading cospin's datasets: values with bad points taken out, provenance, deck.

    import cospin_data
    data = cospin_data.open_dataset("fringe_decay.h5")     # an xarray.Dataset
    data.decay_rate.sel(nbar=4.7)

    state = cospin_data.read_state("cats.h5", "steady", eta=5)   # a density matrix that a task has stored
    state.purity(), state.reduced("cavity").matrix()

A dataset is plain HDF5; this module only adds what a reader must not forget: to look at the outcome codes, and how a
stored state becomes a matrix.
"""
from dataclasses import dataclass
from math import lgamma

import h5py
import numpy as np
import xarray

FORMAT = 1  # the version of the layout that is understood here (attribute cospin_format)


class NotADataset(Exception):
    """The file is not there, is no HDF5, or was not written by cospin; str() is a sentence for the user."""


def open_dataset(path, mask=True):
    """The dataset as an xarray.Dataset in memory.

    Where an outcome code is not positive (unfinished or bad), real numbers are NaN: by `<task>_outcome` for the
    variables of a task that has one, by `outcome` for the rest. mask=False leaves them as they are stored.
    """
    try:
        with open(path, "rb"):
            pass
    except OSError as error:
        raise NotADataset(f"cannot read {path}: {error.strerror}") from None
    try:
        with xarray.open_dataset(path, engine="h5netcdf") as opened:
            data = opened.load()
    except OSError as error:
        raise NotADataset(f"{path} is not an HDF5 file, or damaged: {error}") from None
    if "cospin_format" not in data.attrs:
        raise NotADataset(f"{path} is an HDF5 file, but not one of cospin's (no attribute cospin_format)")
    if data.attrs["cospin_format"] > FORMAT:
        raise NotADataset(f"{path} has layout {data.attrs['cospin_format']}, this program knows {FORMAT}: use the "
                          "postprocess/ of the cospin that wrote it")
    return masked(data) if mask else data


def axes(data):
    """Names of the grid axes, slowest first."""
    return data.attrs["cospin_grid"].split()


def outcome_of(data, name):
    """Name of the outcome codes that tell whether variable `name` can be believed, or None."""
    owners = [other[:-len("outcome")] for other in data.data_vars if other.endswith("_outcome")]
    owners = [owner for owner in owners if name.startswith(owner)]
    if owners:
        return max(owners, key=len) + "outcome"
    return "outcome" if "outcome" in data else None


def masked(data):
    """A copy in which the real numbers of unfinished and bad points are NaN."""
    result = data.copy()
    for name, variable in data.data_vars.items():
        outcome = outcome_of(data, name)
        covered = outcome and set(data[outcome].dims) <= set(variable.dims)
        if variable.dtype.kind == "f" and covered and not _is_bookkeeping(name):
            attributes, dims = variable.attrs, variable.dims
            result[name] = variable.where(data[outcome] > 0).transpose(*dims).assign_attrs(attributes)
    return result


def _is_bookkeeping(name):
    return name in ("seconds", "peak_memory")


def average(data, name, axis):
    """Statistics of variable `name` over a grid axis, such as realisations of disorder, as an xarray.Dataset:

    mean, error (standard error of the mean: sample standard deviation with n - 1, over sqrt(n); NaN for fewer than two
    points), good (points that entered) and left_out (bad or unfinished ones). `data` comes from open_dataset, so that
    bad points are NaN; infinite values count as bad.
    """
    values = data[name]
    if values.dtype.kind != "f":
        raise ValueError(f"{name} is no real variable: nothing to average")
    if axis not in values.dims:
        raise ValueError(f"{name} does not depend on {axis} (it has: {', '.join(values.dims) or 'no axes'})")
    outcome = outcome_of(data, name)
    usable = np.isfinite(values)
    if outcome and set(data[outcome].dims) <= set(values.dims):
        usable = usable & (data[outcome] > 0)
    values = values.where(usable)
    good = usable.sum(axis)
    mean = values.sum(axis) / good.where(good > 0)
    spread = ((values - mean) ** 2).sum(axis) / (good - 1).where(good > 1)
    error = (spread / good.where(good > 0)) ** 0.5
    kept = [dim for dim in data[name].dims if dim != axis]
    result = xarray.Dataset({"mean": mean, "error": error, "good": good, "left_out": data.sizes[axis] - good})
    result = result.transpose(*kept)
    for key in ("mean", "error"):
        result[key].attrs = dict(data[name].attrs)
    return result.assign_attrs(variable=name, averaged_over=axis)


def bad_points(data, outcome="outcome"):
    """[(where, meaning)] for each point that is unfinished or bad: ({axis: value}, "not_converged")."""
    if outcome not in data:
        return []
    codes = data[outcome]
    names = dict(zip(codes.attrs["flag_values"].ravel().tolist(), codes.attrs["flag_meanings"].split()))
    found = []
    for index in zip(*(codes <= 0).values.nonzero()) if codes.dims else ([()] if codes <= 0 else []):
        point = codes[index]
        where = {axis: float(point[axis]) for axis in codes.dims}
        found.append((where, names.get(int(point), f"code {int(point)}")))
    return found


def _text(value):
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def provenance(path):
    """{row: text}: version, hosts, command line, start and end, ... of the run that wrote the file."""
    with h5py.File(path, "r") as file:
        return {name: _text(value) for name, value in file["provenance"].attrs.items()}


def deck(path):
    """(verbatim, completed): the deck as the user wrote it, and with every default."""
    with h5py.File(path, "r") as file:
        return tuple(_text(file["deck"][name][()]) for name in ("verbatim", "completed"))


# ---- Stored states --------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Component:
    name: str
    kind: str
    size: float  # spins of `ensemble` and `spins`, length of `spin`, levels of `mode`

    def columns(self):
        """Names of its labels: those that ket and bra share, of the ket, of the bra."""
        shared, label = {"ensemble": (["j"], "m"), "spin": ([], "m"), "mode": ([], "n"), "spins": ([], "bits")}[self.kind]
        return [f"{self.name}_{part}" for part in shared], f"{self.name}_{label}_ket", f"{self.name}_{label}_bra"

    def basis(self):
        """[(label, ...)] of its kets in the order of matrix(): (j, m) with j falling, (m,), (n,) or (bits,)."""
        if self.kind == "ensemble":
            irreps = self.size / 2 - np.arange(int(self.size) // 2 + 1)
            return [(j, m) for j in irreps for m in np.arange(-j, j + 1)]
        if self.kind == "spin":
            return [(m,) for m in np.arange(-self.size, self.size + 1)]
        return [(n,) for n in range(int(self.size) if self.kind == "mode" else 2 ** int(self.size))]

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
        lowest = levels[0][-1]
        rows, columns = (np.rint(self.labels[c][chosen] - lowest).astype(int) for c in (ket, bra))
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


def stored_tasks(path):
    """Names of the tasks that have stored states."""
    with h5py.File(path, "r") as file:
        return list(file["states"]) if "states" in file else []


def stored_points(path, task):
    """[{axis: value}] of all points and times at which the task has stored a state, in the order of the grid."""
    with h5py.File(path, "r") as file:
        group = _states_of(file, path, task)
        axes_of = _axes_of(group)
        return [{name: float(group[name][k]) for name, k in zip(axes_of, index)}
                for index in np.ndindex(group["count"].shape) if group["count"][index] > 0]


def _states_of(file, path, task):
    if "states" not in file or task not in file["states"]:
        raise NotADataset(f"{path} holds no states of a task {task} (it has: "
                          f"{', '.join(file['states']) if 'states' in file else 'none at all'})")
    return file["states"][task]


def _axes_of(group):
    return [dim.keys()[0] if dim.keys()[0] in group else dim[0].name.split("/")[-1] for dim in group["count"].dims]


def read_state(path, task, **point):
    """The state that `task` has stored at this point: read_state("a.h5", "evolve", eta=0.5, time=10).

    Axes that have one value may be left out; others must be given, and are found to 1e-9 relative.
    """
    with h5py.File(path, "r") as file:
        group = _states_of(file, path, task)
        index = []
        for name, size in zip(_axes_of(group), group["count"].shape):
            if name not in point and size > 1:
                raise NotADataset(f"{path} holds states at {size} values of {name}: say which")
            values = group[name][()]
            near = np.flatnonzero(np.abs(values - point[name]) <= 1e-9 * abs(point[name])) if name in point else [0]
            if len(near) == 0:
                raise NotADataset(f"{path} holds no state at {name} = {point[name]} (there are: {values})")
            index.append(int(near[0]))
        unknown = set(point) - set(_axes_of(group))
        if unknown:
            raise NotADataset(f"the states of {path} have no axis {', '.join(sorted(unknown))}")
        first, count = (int(group[name][tuple(index)]) for name in ("first", "count"))
        if count == 0:
            raise NotADataset(f"{path} holds no state of {task} at this point (unfinished, or a bad outcome)")
        rows = slice(first, first + count)
        names, kinds = (_text(group.attrs[name]).split() for name in ("components", "kinds"))
        components = [Component(name, kind, float(group[name + "_size"][tuple(index)]))
                      for name, kind in zip(names, kinds)]
        labels = {column: group[column][rows] for component in components
                  for columns in [component.columns()] for column in [*columns[0], *columns[1:]]}
        return State(components, labels, group["value_re"][rows] + 1j * group["value_im"][rows])
