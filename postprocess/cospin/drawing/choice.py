"""What is drawn: entries of a deck's `plots:`, or what is chosen without any, as panels; which axis a panel runs along."""
import re
from dataclasses import dataclass, field

import numpy as np
import yaml

from .. import data as cospin_data
from .. import husimi as cospin_husimi
from .. import wigner as cospin_wigner
from .look import Refusal, checked, symbol


@dataclass
class Panel:
    """One entry of `plots:`; None means: choose."""
    x: str = None
    y: list = field(default_factory=list)
    series: str = None
    average: str = None
    title: str = None
    xlabel: str = None
    ylabel: str = None
    at: str = None
    mark: str = None
    marked: str = None
    xlim: str = None
    ylim: str = None
    faint: str = None
    fit: str = None
    split: str = None
    few: bool = False  # some of the series only
    partly: bool = False  # of several datasets: one need not have all of `y`
    logx: bool = False
    logy: bool = False


@dataclass
class MapPanel:
    """One variable of an entry {kind: map}: colours over two axes."""
    x: str
    series: str
    y: str
    title: str = None
    xlabel: str = None
    ylabel: str = None
    contour: str = None
    ridge: str = None
    mark: str = None
    marked: str = None
    at: str = None
    xlim: str = None
    ylim: str = None
    inside: str = None
    logx: bool = False
    logy: bool = False


@dataclass
class PhaseSpacePanel:
    """One state of an entry {kind: wigner} or {kind: husimi}; all of them share `look`."""
    functions: object  # module with on_plane and on_sphere
    path: str
    task: str
    point: dict
    matrix: np.ndarray
    sphere: bool
    look: dict  # shared: radius of the plane, largest value
    title: str
    values: tuple = None  # (x, y, function), once they are known


@dataclass
class CrystalPanel:
    """Ions or modes of the first grid point, of an entry {kind: crystal}."""
    what: str  # "ions" or "modes"
    parts: dict
    title: str


FEW_CURVES = 5  # of a default panel; a map shows the rest


def listed(value):
    return [value] if isinstance(value, str) else list(value or [])


TEXTS = ("x", "series", "title", "xlabel", "ylabel", "at", "mark", "marked", "xlim", "ylim")


def panels_of_deck(completed):
    """The deck's `plots:`. Every scalar is read as text: no name can turn into a number or a truth value."""
    deck = yaml.load(completed, Loader=yaml.BaseLoader) or {}
    panels = []
    for entry in deck.get("plots") or []:
        if entry.get("kind", "lines") != "lines":
            panels.append(entry)
            continue
        known = {key: entry[key] for key in TEXTS + ("average", "faint", "fit", "split") if entry.get(key)}
        flags = {key: entry.get(key, "false").lower() == "true" for key in ("logx", "logy")}
        panels.append(Panel(y=listed(entry.get("y")), **known, **flags))
    return panels, list(deck.get("observables") or {})


def filled(title, panel, data, deck):
    """A title with {NAME} replaced by the value of an axis that is cut, or has one value only, or of a parameter."""
    cut = place(panel, data) if hasattr(panel, "at") else {}

    def value(match):
        name = match.group(1)
        if name in data.dims and name not in cut and data.sizes[name] > 1:
            raise Refusal(f"the title `{title}` tells one {name}, but all of its values are drawn (`at: '{name}=...'` chooses one)")
        if name in data.dims:
            return f"{float(data[name][cut.get(name, 0)]):g}"
        given = (deck.get("parameters") or {}).get(name)
        given = given.get("value") if isinstance(given, dict) else given
        try:
            return f"{float(given):g}"
        except (TypeError, ValueError):
            raise Refusal(f"the title `{title}` asks for {name}, which is no axis, and no parameter with a number") from None

    # what stands in a formula, or is no name, belongs to it
    parts = re.split(r"(\$[^$]*\$)", title)
    return "".join(part if part.startswith("$") else re.sub(r"\{([A-Za-z]\w*)\}", value, part) for part in parts)


def panels_by_default(data, observables):
    """A panel for every observable and every rate; for a dataset without either, for every real variable."""
    real = [name for name, v in data.data_vars.items() if v.dtype.kind == "f" and v.dims]
    chosen = [name for name in real
              if name.endswith("_rate") or any(name.endswith("_" + observable) for observable in observables)]
    return [panel for name in chosen or real for panel in panels_of_variable(data, data[name])]


def panels_of_variable(data, variable):
    """Of something that runs in time: curves over time, a few values of one axis of the grid being told apart, and a map of all
    of them; with two axes a map at the last time. Of anything else one panel over the grid."""
    grid = [axis for axis in cospin_data.axes(data) if axis in variable.dims and variable.sizes[axis] > 1]
    if "time" not in variable.dims or variable.sizes["time"] < 2:
        return [Panel(y=[variable.name])]
    if len(grid) >= 2:
        last = float(variable["time"][-1])
        return [MapPanel(grid[0], grid[1], variable.name, at=f"time={last!r}", title=f"$t$ = {last:g}")]
    curves = Panel("time", [variable.name], grid[0] if grid else None, few=True)
    many = grid and variable.sizes[grid[0]] > FEW_CURVES
    return [curves, MapPanel("time", grid[0], variable.name)] if many else [curves]


def choose_panels(path, data, options, deck=None):
    deck = deck or cospin_data.deck(path, options.verify)[1]
    panels, observables = panels_of_deck(deck)
    if options.x or options.y or options.series or options.average:
        names = options.y.split(",") if options.y else [p.y[0] for p in panels_by_default(data, observables)]
        return [Panel(options.x, names, options.series, options.average, at=options.at, logx=options.logx, logy=options.logy)]
    panels = panels or panels_by_default(data, observables)
    panels = [one for panel in panels
              for one in (OTHER_PANELS[panel["kind"]](path, data, panel, options.verify) if isinstance(panel, dict) else [panel])]
    for panel in panels:
        if not isinstance(panel, Panel):
            continue
        panel.logx |= options.logx
        panel.logy |= options.logy
    completed = yaml.load(deck, Loader=yaml.BaseLoader) or {}
    for panel in panels:
        if options.at and isinstance(panel, (Panel, MapPanel)):
            panel.at = ",".join(part for part in (panel.at, options.at) if part)
        if panel.title:
            panel.title = filled(panel.title, panel, data, completed)
    return panels


def phase_space_panels(path, data, entry, verify):
    """A panel for every state that the task has stored."""
    task = entry.get("task") or (cospin_data.stored_tasks(path, verify) or ["(none)"])[0]
    panels, points = [], cospin_data.stored_points(path, task, verify)
    varying = [name for name in (points[0] if points else []) if len({point[name] for point in points}) > 1]
    for point in points:
        state = cospin_data.read_state(path, task, verify, **point)
        state = state.reduced(entry.get("component") or state.component().name)
        kind = state.component().kind
        sphere = (entry.get("on") or ("plane" if kind == "mode" else "sphere")) == "sphere"
        if kind in ("spins", "levels") or (sphere and kind == "mode") or (not sphere and kind == "ensemble"):
            raise Refusal(f"there is no {entry['kind'].capitalize()} function of {kind} {state.component().name} on a "
                          f"{'sphere' if sphere else 'plane'}")
        irrep = float(entry["j"]) if entry.get("j") else None
        if irrep is not None and irrep not in [label[0] for label in state.component().basis()]:
            continue  # the number of spins may be an axis
        matrix = state.block(irrep)
        names = [f"{'$t$' if name == 'time' else symbol(data[name])} = {point[name]:g}" for name in varying]
        title = ", ".join([*([checked(entry["title"])] if entry.get("title") else []), *names])
        panels.append(PhaseSpacePanel(PHASE_SPACES[entry["kind"]], path, task, point, matrix, sphere, {}, title))
    look = {"radius": max((radius_of(panel.matrix) for panel in panels), default=1.)}
    for panel in panels:
        panel.look = look
    return panels


def crystal_panels(_, data, entry, __):
    """Where the ions are, and how their modes are damped."""
    prefix = entry["array"] + "_"
    first = data.isel({axis: 0 for axis in data[prefix + "Gc"].dims})
    parts = {name[len(prefix):]: first[name].values for name in first.data_vars if name.startswith(prefix)}
    title = checked(entry["title"]) if entry.get("title") else ""
    return [CrystalPanel("ions", parts, title), CrystalPanel("modes", parts, title)]


def map_panels(_, __, entry, ___):
    """A panel for every variable."""
    known = {key: entry[key] for key in TEXTS + ("contour", "ridge", "inside") if entry.get(key)}
    flags = {key: entry.get(key, "false").lower() == "true" for key in ("logx", "logy")}
    return [MapPanel(y=name, **known, **flags) for name in listed(entry.get("y"))]


PHASE_SPACES = {"wigner": cospin_wigner, "husimi": cospin_husimi}
OTHER_PANELS = {**{kind: phase_space_panels for kind in PHASE_SPACES}, "crystal": crystal_panels, "map": map_panels}


def radius_of(matrix):
    """Of the circle in the plane that holds the state: its mean level and spread, and the width of the vacuum."""
    share = np.diagonal(matrix).real / np.trace(matrix).real
    levels = np.arange(len(share))
    mean = share @ levels
    return np.sqrt(mean + 1.5 * np.sqrt(max(share @ levels ** 2 - mean ** 2, 0))) + 1.5


def find_variable(data, name):
    """By its name, or by what stands after the task's name if that is unique."""
    if name in data.data_vars:
        return data[name]
    matching = [full for full in data.data_vars if full.endswith("_" + name)]
    if len(matching) != 1:
        raise Refusal(f"there is no variable {name} (there are: {', '.join(data.data_vars)})")
    return data[matching[0]]


def names_in(panel, data):
    """Those of `y` that are drawn of this dataset: all, or (of several datasets) those that it has."""
    return [name for name in panel.y if not panel.partly or name in data.data_vars or
            sum(full.endswith("_" + name) for full in data.data_vars) == 1]


def choose_x(panel, data):
    """The axis asked for; time, if all that is drawn runs in it; or the axis with most points (of equals the first). The others
    become curves."""
    grid = [axis for axis in cospin_data.axes(data) if axis != panel.average]
    grid = grid or [axis for axis in data.dims if axis != panel.average]
    x = panel.x or ("time" if runs_in_time(panel, data) else None) or max(grid, key=lambda axis: data.sizes[axis], default=None)
    if x not in data.dims:
        raise Refusal(f"there is no axis {x} to draw against (there are: {', '.join(data.dims) or 'none'})")
    return x


def runs_in_time(panel, data):
    names = names_in(panel, data)
    return bool(names) and all(find_variable(data, name).sizes.get("time", 1) > 1 for name in names) and "time" not in place(panel, data)


def choose_series(panel, data, variable, x):
    """The axis asked for, or the first one that is left and has more than one value."""
    if panel.faint in variable.dims:
        return panel.faint
    cut = place(panel, data)
    left = [dim for dim in variable.dims if dim != x and variable.sizes[dim] > 1 and dim not in cut]
    if panel.series and panel.series not in variable.dims:
        return None
    return panel.series or (left[0] if left else None)


def place(panel, data):
    """{axis: index} of `at: AXIS=VALUE, AXIS=VALUE`."""
    found = {}
    for piece in (piece for piece in (panel.at or "").split(",") if piece.strip()):
        axis, sign, value = piece.partition("=")
        if getattr(panel, "partly", False) and axis.strip() not in data.dims:
            continue  # another of the datasets has it
        if not sign or axis.strip() not in data.dims:
            raise Refusal(f"`{piece.strip()}` is no place to cut at (AXIS=VALUE; there are: {', '.join(data.dims)})")
        values = data[axis.strip()].values
        nearest = int(np.abs(values - float(value)).argmin())
        if not np.isclose(values[nearest], float(value), rtol=1e-9, atol=1e-12):
            raise Refusal(f"{axis.strip()} has no value {float(value):g} to cut at (there are: {', '.join(f'{one:g}' for one in values)})")
        found[axis.strip()] = nearest
    return found


def slices(variable, x, series, cut, say, few=None):
    """[(label, selection)] so that every selection leaves x only; further axes are cut where `cut` says, or stay at their
    first value. `few`: that many values of `series`, evenly."""
    fixed = {dim: cut.get(dim, 0) for dim in variable.dims if dim not in (x, series)}
    for dim in fixed:
        if variable.sizes[dim] > 1 and dim not in cut:
            say(f"{variable.name}: drawn at {dim} = {float(variable[dim][0]):g} only")
    if series is None:
        return [(None, fixed)]
    axis, chosen = variable[series], range(variable.sizes[series])
    if few and len(chosen) > few:
        chosen = np.linspace(0, len(chosen) - 1, few).round().astype(int)
        say(f"{variable.name}: {few} of {variable.sizes[series]} values of {series} are curves")
    return [(f"{symbol(axis)} = {float(axis[i]):g}", {**fixed, series: int(i)}) for i in chosen]
