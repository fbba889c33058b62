"""Runs of several decks as one dataset: parameters that differ become coordinates."""
import numpy as np

from .files import SHARD, NotADataset, deck_of, files_of, opened, text
from .grid import as_points, index_on, on_grid, read

SAME = ("units", "components", "arrays", "hamiltonian", "jumps", "observables", "tasks")  # of decks that go together


class _Run:
    """A dataset, its deck, and where it comes from."""

    def __init__(self, path, verify):
        self.path = str(path)
        self.points = as_points(read(path, verify))
        with opened(files_of(path)[-1], verify) as file:
            deck = deck_of(file)
            identity = text(file["deck"]["identity"][()]).splitlines()
            self.verbatim = text(file["deck"]["verbatim"][()])
            self.provenance = "\n".join(f"{key}: {text(value)}" for key, value in file["provenance"].attrs.items())
        self.grid = {name: np.array(values, dtype=float) for name, values in (deck.get("grid") or {}).items()}
        self.parameters = {name: _value(entry) for name, entry in (deck.get("parameters") or {}).items()}
        self.meaning = {section: deck.get(section) or {} for section in SAME}
        self.meaning["observables"] = {name: _value(entry) for name, entry in self.meaning["observables"].items()}
        self.meaning["files that it reads"] = [line for line in identity if line.startswith("checksum of")]
        self.meaning["version of the results"] = identity[0]

    def values_of(self, name):
        """All values that a parameter has in this run."""
        if name in self.grid:
            return self.grid[name]
        try:
            return np.array([float(self.parameters[name])])
        except ValueError:
            raise NotADataset(f"cannot merge: {name} is `{self.parameters[name]}` in {self.path}, which is no number, so "
                              "it cannot become a coordinate") from None


def _value(entry):
    return entry["value"] if isinstance(entry, dict) else entry


def merged(paths, verify=True):
    """See cospin.merge; bad points are not masked."""
    runs = [_Run(path, verify) for path in paths]
    if not runs:
        raise NotADataset("there is nothing to merge")
    for run in runs[1:]:
        _check(runs[0], run)
    grid = _common_grid(runs)
    parts = []
    for number, run in enumerate(runs, start=1):
        size = run.points.sizes[SHARD]
        fixed = {name: (SHARD, np.full(size, run.values_of(name)[0])) for name in grid if name not in run.grid}
        parts.append(run.points.assign(fixed).assign(merged_number=(SHARD, np.full(size, number), {
            "units": "1", "long_name": "number of the merged file that the point is from", "source": "0: none"})))
    data = on_grid(parts[::-1], grid, lambda had, new: (new > 0) | ((new != 0) & (had <= 0)))
    for name in set(grid) - set(runs[0].grid):
        known = [part[name].attrs for run, part in zip(runs, parts) if name in run.grid]
        data[name].attrs = {"units": "1", "long_name": name, **(known[0] if known else {})}
    data.coords["merged"] = ("merged", np.arange(1, len(runs) + 1), {"long_name": "number of a merged file"})
    for what, texts in (("file", [run.path for run in runs]), ("deck", [run.verbatim for run in runs]),
                        ("provenance", [run.provenance for run in runs])):
        data["merged_" + what] = ("merged", np.array(texts, dtype=object), {"long_name": f"{what} of a merged file"})
    history = "\n".join(run.points.attrs["history"] for run in runs)
    return data.assign_attrs(history=history + "\nmerged: " + " ".join(run.path for run in runs))


def _check(one, other):
    head = f"cannot merge {other.path} with {one.path}"
    for section, known in one.meaning.items():
        if other.meaning[section] != known:
            raise NotADataset(f"{head}: their {section} differ: {_difference(known, other.meaning[section])}")
    for name in {**one.parameters, **other.parameters}:
        if name not in one.parameters or name not in other.parameters:
            raise NotADataset(f"{head}: only one of them has a parameter {name}")


def _difference(known, found):
    """Of two mappings or lists the first entries that differ."""
    if isinstance(known, dict) and isinstance(found, dict):
        key = next(key for key in {**known, **found} if known.get(key) != found.get(key))
        return f"{key}: {_brief(known.get(key))} and {_brief(found.get(key))}"
    if isinstance(known, list) and isinstance(found, list) and len(known) == len(found):
        return next(f"{_brief(a)} and {_brief(b)}" for a, b in zip(known, found) if a != b)
    return f"{_brief(known)} and {_brief(found)}"


def _brief(entry):
    if isinstance(entry, dict):
        return "{" + ", ".join(f"{key}: {_brief(value)}" for key, value in entry.items()) + "}"
    if isinstance(entry, list):
        return "[" + ", ".join(map(_brief, entry)) + "]"
    return "nothing" if entry is None else str(entry)


def _common_grid(runs):
    """{axis: values}: parameters that differ, those of one deck among them, then the axes of the first grid."""
    names = dict.fromkeys(name for run in runs for name in run.parameters if name not in runs[0].grid)
    chosen = [name for name in names
              if any(name in run.grid or run.parameters[name] != runs[0].parameters[name] for run in runs)]
    return {name: _union([run.values_of(name) for run in runs]) for name in [*chosen, *runs[0].grid]}


def _union(lists):
    """The values of all lists: in the order of the first if it has them all, else ascending."""
    values = lists[0]
    for more in lists[1:]:
        values = np.concatenate([values, more[index_on(values, more) < 0]])
    return values if len(values) == len(lists[0]) else np.sort(values)
