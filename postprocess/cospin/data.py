"""Reading cospin's datasets: values with bad points taken out, provenance, deck.

    import cospin
    data = cospin.open("fringe_decay.h5")     # an xarray.Dataset, also of a run that still goes on
    data.decay_rate.sel(nbar=4.7)

    data = cospin.merge(["n40.h5", "n124.h5"])        # runs of several decks: what differs becomes an axis
    mean = cospin.average(data, "evolve_fidelity", "realisation")

    state = cospin.read_state("cats.h5", "steady", eta=5)   # a density matrix that a task has stored
    state.purity(), state.reduced("cavity").matrix()

A dataset is plain HDF5; this module only adds what a reader must not forget: to look at the outcome codes, where the
points of an unfinished run are, and how a stored state becomes a matrix. What cannot be read, and what does not go
together, is a NotADataset whose text is one sentence.
"""
import numpy as np
import xarray

from .files import FORMAT, Damage, NotADataset, files_of, opened, text  # noqa: F401
from .grid import read
from .merging import merged
from .states import Component, State, copies_of_irrep, read_state, stored_points, stored_tasks  # noqa: F401


def open_dataset(path, mask=True, verify=True):
    """The dataset as an xarray.Dataset in memory: of FILE.h5, of the folder FILE.h5.parts, or of one shard in it.

    A run that is not finished has its whole grid too; what is missing has outcome 0 (not_run). The attributes
    cospin_points and cospin_points_finished count the points of the grid.

    Where an outcome code is not positive (unfinished or bad), real numbers are NaN: by `<task>_outcome` for the
    variables of a task that has one, by `outcome` for the rest. mask=False leaves them as they are stored.

    Checksums are verified: a file whose values are not those that cospin wrote is a NotADataset, and one that has lost its
    seal, or has something behind it, is told by a warning (Damage). verify=False reads whatever is there.
    """
    return _finished(read(path, verify), mask)


def merge(paths, mask=True, verify=True):
    """Runs of several decks as one dataset, as open_dataset returns it.

    Axes may have other values in each deck, and a parameter that is an axis in one of them, or a number that differs,
    becomes an axis of the whole; units, tasks and everything else that can change a result must be the same. Of a point
    that stands in several files a good one counts, of good ones the first. Attributes are those of the first file;
    merged_file, merged_deck and merged_provenance (strings along `merged`) say where the points come from, and
    merged_number which of these each point is from.
    """
    return _finished(merged(paths, verify), mask)


def _finished(data, mask):
    outcome = data["outcome"] if "outcome" in data else xarray.DataArray(1)
    data.attrs.update(cospin_points=int(outcome.size), cospin_points_finished=int((outcome != 0).sum()))
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


def provenance(path, verify=True):
    """{row: text}: version, hosts, command line, start and end, ... of the run that wrote the file, or its last part."""
    with opened(files_of(path)[-1], verify) as file:
        return {name: text(value) for name, value in file["provenance"].attrs.items()}


def deck(path, verify=True):
    """(verbatim, completed): the deck as the user wrote it, and with every default."""
    with opened(files_of(path)[-1], verify) as file:
        return tuple(text(file["deck"][name][()]) for name in ("verbatim", "completed"))
