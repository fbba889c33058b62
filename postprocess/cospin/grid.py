"""Points that stand in several files, put together on one grid."""
import importlib.util
import os
import sys
import warnings

import numpy as np
import xarray

from .files import SHARD, Damage, NotADataset, files_of, grid_of, opened, text

CLOSE = 4 * np.finfo(float).eps  # an axis of other ends may give the same value with another rounding


def read(path, verify=True):
    """The dataset as it is stored; of a run that is not finished, what is there on its whole grid."""
    if importlib.util.find_spec("h5netcdf") is None:
        raise NotADataset(f"cannot read {path}: {sys.executable} lacks the package h5netcdf (Debian: python3-h5netcdf, for "
                          "/usr/bin/python3)")
    for attempt in (1, 2, 3):
        files = files_of(path)
        try:
            return _read_all(files, verify)
        except NotADataset:  # the run may have come to its end meanwhile, and put its shards together
            if attempt == 3 or all(map(os.path.exists, files)):
                raise


def _read_one(path, verify):
    with opened(path, verify):
        pass  # what is no dataset at all is told apart here
    try:
        with xarray.open_dataset(path, engine="h5netcdf") as file:
            data = file.load()
        for variable in data.variables.values():  # the checksum has served: it is not that of what becomes of the values
            variable.attrs.pop("crc32", None)
        return data
    except ImportError as error:  # of a package below
        raise NotADataset(f"cannot read {path}: {error}") from None
    except Exception as error:  # what stands behind a damaged place can fail in any way
        raise NotADataset(f"{path} is damaged: {' '.join(str(error).split()) or type(error).__name__}") from None


def _read_all(files, verify):
    parts = {}
    for name in files:
        try:
            parts[name] = _read_one(name, verify)
        except NotADataset as problem:
            if name == files[-1] and not parts or not os.path.basename(name).startswith("points-"):
                raise
            warnings.warn(f"{problem}; its points are left out", Damage)
    newest = list(parts)[-1]
    if parts[newest].attrs["cospin_grid"] != SHARD:
        return parts[newest]
    _check_one_deck(list(parts), verify)
    with opened(newest, verify) as file:
        grid = grid_of(file)
    data = on_grid([as_points(part) for part in parts.values()], grid, lambda had, new: new != 0)
    lines = [line for part in parts.values() for line in part.attrs["history"].splitlines()]
    return data.assign_attrs(history="\n".join(dict.fromkeys(lines)))


def _check_one_deck(names, verify):
    identities = {}
    for name in names:
        with opened(name, verify) as file:
            identities.setdefault(text(file["deck"]["identity"][()]), name)
    if len(identities) > 1:
        one, other = list(identities.values())[:2]
        raise NotADataset(f"{one} and {other} belong to different decks: move one of them away")


def as_points(data):
    """The dataset with one dimension for all axes of its grid, as in a shard; an axis is a variable along it."""
    axes = data.attrs["cospin_grid"].split()
    if axes != [SHARD]:
        data = data.stack({SHARD: axes}) if axes else data.expand_dims(SHARD)
    return data.transpose(SHARD, ...)


def index_on(axis, values):
    """Where each of the values stands on the axis; -1: nowhere."""
    order = np.argsort(axis, kind="stable")
    ascending = axis[order]
    nearest = order[np.searchsorted((ascending[1:] + ascending[:-1]) / 2, values)]
    return np.where(np.isclose(axis[nearest], values, rtol=CLOSE, atol=0), nearest, -1)


def _numbers(points, grid):
    """The number of each point in the grid, -1 if the grid lacks it."""
    number, inside = np.zeros(points.sizes[SHARD], dtype=int), np.ones(points.sizes[SHARD], dtype=bool)
    for name, values in grid.items():
        index = index_on(values, points[name].values)
        number, inside = number * len(values) + index, inside & (index >= 0)
    return np.where(inside, number, -1)


def on_grid(parts, grid, wins):
    """The points of all parts (as_points) on the grid {axis: values}: real numbers NaN, others 0 where there is none.

    wins(had, new): which of the outcomes `new` take the place of the outcomes `had`. Attributes are those of the last
    part.
    """
    shape = tuple(len(values) for values in grid.values())
    size, last, arrays = int(np.prod(shape)), parts[-1], {}
    outcome = np.zeros(size, dtype=int)
    for points in parts:
        number, new = _numbers(points, grid), points["outcome"].values
        chosen = np.flatnonzero((number >= 0) & wins(outcome[number], new))
        for name, variable in points.data_vars.items():
            if SHARD not in variable.dims or name in grid:
                continue
            if name not in arrays:
                empty = np.full((size, *variable.shape[1:]), np.nan if variable.dtype.kind == "f" else 0, variable.dtype)
                arrays[name] = (variable.dims[1:], empty)
            arrays[name][1][number[chosen]] = variable.values[chosen]
        outcome = arrays["outcome"][1]
    result = xarray.Dataset(attrs={**last.attrs, "cospin_grid": " ".join(grid)})
    for name, values in grid.items():
        result.coords[name] = (name, values, last[name].attrs)
    for name, (dims, values) in arrays.items():
        known = next(points[name] for points in reversed(parts) if name in points)
        result[name] = ((*grid, *dims), values.reshape(shape + values.shape[1:]), known.attrs)
        for dim in dims:
            result.coords[dim] = known[dim].drop_vars([c for c in known[dim].coords if c != dim])
    return result
