"""Reading cospin's datasets: values with bad points taken out, provenance, deck.

    import cospin_data
    data = cospin_data.open_dataset("fringe_decay.h5")     # an xarray.Dataset
    data.decay_rate.sel(nbar=4.7)

A dataset is plain HDF5; this module only adds what a reader must not forget: to look at the outcome codes.
"""
import h5py
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
