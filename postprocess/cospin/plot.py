"""Draws datasets of cospin.

    cospin-plot FILE.h5                        what the deck asks for under `plots:`, or else every observable and rate
    cospin-plot FILE.h5 --x w --y decay_rate   one panel of your own
    cospin-plot A.h5 B.h5 -o both.pdf          the panels of A with the values of both

Everything that is printed in the figure comes from the dataset. Points with a bad outcome are left out and listed. A run
that goes on or was stopped is drawn as far as it is; the title says how far. FILE.h5.parts and a shard in it do too.
"""
import argparse
import os
import re
import sys
import textwrap
import warnings
from dataclasses import dataclass, field

import numpy as np
import yaml
from matplotlib import colormaps, mathtext, rc_context
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Circle
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from . import data as cospin_data
from . import fit as cospin_fit
from . import husimi as cospin_husimi
from . import wigner as cospin_wigner

PANEL = (3.4, 2.55)  # inches: one column of a journal
LEGEND, HIGH = 36, 40  # characters of a line in a legend, along the height of a panel
MANY_CURVES = 10  # beyond that the legend names some of them, the colours run through
MANY_POINTS = 60  # beyond that a line shows the points well enough
VISIBLE = 0.004  # of the height of a panel: smaller brackets lie within the line
COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"]  # Okabe and Ito
LINES = ["-", (0, (5, 2)), (0, (1, 1.5)), (0, (5, 2, 1, 2))]
MARKERS = ["o", "s", "^", "D", "v"]
GREEK = ("alpha beta gamma delta epsilon zeta eta theta kappa lambda mu nu xi pi rho sigma tau phi chi psi omega "
         "Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega").split()
STYLE = {
    "font.family": "serif", "font.serif": ["STIXGeneral", "DejaVu Serif"], "mathtext.fontset": "stix",
    "font.size": 9, "axes.labelsize": 9, "axes.titlesize": 9, "legend.fontsize": 8,
    "xtick.labelsize": 8, "ytick.labelsize": 8, "axes.linewidth": 0.6, "lines.linewidth": 0.9,
    "lines.markersize": 3.6, "xtick.direction": "in", "ytick.direction": "in", "xtick.top": True,
    "ytick.right": True, "xtick.major.width": 0.6, "ytick.major.width": 0.6, "xtick.minor.width": 0.4,
    "ytick.minor.width": 0.4, "xtick.minor.visible": True, "ytick.minor.visible": True,
    "legend.frameon": False, "legend.handlelength": 2.2, "savefig.dpi": 300, "pdf.fonttype": 42,
}


class Refusal(Exception):
    """What the user asked for cannot be drawn; str() is a sentence."""


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
    look: dict  # radius of the plane, largest value
    title: str


@dataclass
class CrystalPanel:
    """Ions or modes of the first grid point, of an entry {kind: crystal}."""
    draw: object  # draw_ions or draw_modes
    parts: dict
    title: str


@dataclass
class Curve:
    x: np.ndarray
    y: np.ndarray
    low: np.ndarray
    high: np.ndarray
    keys: dict  # factor ("file", "y", "series") -> the label it has in a legend

    def is_reference(self):
        """The same at every x: a line to compare with."""
        finite = self.y[np.isfinite(self.y)]
        return len(finite) > 1 and np.ptp(finite) <= 1e-9 * np.abs(finite).max()


# ---- Labels ---------------------------------------------------------------------------------------------------------
def checked(text):
    """Text as it is, unless what stands between its $ is no formula: then the $ are just characters."""
    try:
        mathtext.MathTextParser("path").parse(text)
        return text
    except ValueError:
        return text.replace("$", r"\$")


def word_as_tex(match):
    head, _, index = match.group().partition("_")
    head = "\\" + head if head in GREEK else head if len(head) == 1 else rf"\mathrm{{{head}}}"
    return head + (rf"_{{\mathrm{{{index}}}}}" if len(index) > 1 else f"_{{{index}}}" if index else "")


def as_tex(text):
    """Gamma_c -> Gamma with an index; what holds a formula already is left alone."""
    if "$" in text:
        return text
    return "$" + re.sub(r"[A-Za-z][A-Za-z0-9_]*", word_as_tex, text).replace("*", r"\,") + "$"


def unit_as_tex(unit):
    return as_tex(unit) if re.search(r"_|\*|\b(" + "|".join(GREEK) + r")\b", unit) else unit


def label(variable):
    """long_name, and the unit unless it is a pure number."""
    name = variable.attrs.get("long_name") or variable.name
    text = as_tex(name) if name == variable.name else name
    unit = variable.attrs.get("units", "1")
    return checked(text if unit in ("1", "") else f"{text} ({unit_as_tex(unit)})")


def wrapped(text, width):
    """Lines of about `width` characters; a formula is not broken, and counts as what is seen of it, roughly."""
    lines = [""]
    for word in re.findall(r"(?:\$[^$]*\$|[^\s$]+|\$)+", text):
        seen = re.sub(r"\\[a-z]+|[\\${}_^]", "", lines[-1] + word)
        lines = [*lines, word] if lines[-1] and len(seen) >= width else [*lines[:-1], (lines[-1] + " " + word).strip()]
    return "\n".join(lines)


def symbol(variable):
    """The formula in the long_name if there is one, else the name: for `N = 124` in a legend."""
    found = re.search(r"\$[^$]+\$", variable.attrs.get("long_name", ""))
    return checked(found.group() if found else as_tex(variable.name))


# ---- What to draw ---------------------------------------------------------------------------------------------------
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


def panels_by_default(data, observables):
    """A panel for every observable and every rate; for a dataset without either, for every real variable."""
    real = [name for name, v in data.data_vars.items() if v.dtype.kind == "f" and v.dims]
    chosen = [name for name in real
              if name.endswith("_rate") or any(name.endswith("_" + observable) for observable in observables)]
    return [Panel(y=[name]) for name in chosen or real]


def choose_panels(path, data, options, deck=None):
    panels, observables = panels_of_deck(deck or cospin_data.deck(path, options.verify)[1])
    if options.x or options.y or options.series or options.average:
        names = options.y.split(",") if options.y else [p.y[0] for p in panels_by_default(data, observables)]
        return [Panel(options.x, names, options.series, options.average, logx=options.logx, logy=options.logy)]
    panels = panels or panels_by_default(data, observables)
    panels = [one for panel in panels
              for one in (OTHER_PANELS[panel["kind"]](path, data, panel, options.verify) if isinstance(panel, dict) else [panel])]
    for panel in panels:
        if not isinstance(panel, Panel):
            continue
        panel.logx |= options.logx
        panel.logy |= options.logy
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
    return [CrystalPanel(draw_ions, parts, title), CrystalPanel(draw_modes, parts, title)]


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


def choose_x(panel, data):
    """The axis asked for, or the one with most points (of equals the first): the others become curves."""
    grid = [axis for axis in cospin_data.axes(data) if axis != panel.average]
    grid = grid or [axis for axis in data.dims if axis != panel.average]
    x = panel.x or max(grid, key=lambda axis: data.sizes[axis], default=None)
    if x not in data.dims:
        raise Refusal(f"there is no axis {x} to draw against (there are: {', '.join(data.dims) or 'none'})")
    return x


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
    for axis, value in (piece.split("=") for piece in (panel.at or "").split(",") if piece.strip()):
        values = data[axis.strip()].values
        nearest = int(np.abs(values - float(value)).argmin())
        if not np.isclose(values[nearest], float(value), rtol=1e-9, atol=1e-12):
            raise Refusal(f"{axis.strip()} has no value {float(value):g} to cut at (there are: {', '.join(f'{one:g}' for one in values)})")
        found[axis.strip()] = nearest
    return found


def slices(variable, x, series, cut, say):
    """[(label, selection)] so that every selection leaves x only; further axes are cut where `cut` says, or stay at their
    first value."""
    fixed = {dim: cut.get(dim, 0) for dim in variable.dims if dim not in (x, series)}
    for dim in fixed:
        if variable.sizes[dim] > 1 and dim not in cut:
            say(f"{variable.name}: drawn at {dim} = {float(variable[dim][0]):g} only")
    if series is None:
        return [(None, fixed)]
    axis = variable[series]
    return [(f"{symbol(axis)} = {float(value):g}", {**fixed, series: i}) for i, value in enumerate(axis.values)]


def bracket(data, variable, selection):
    """The bounds of a rate, or one statistical error to both sides, if the dataset has them: (lower, upper) or (None, None)."""
    if variable.name + "_error" in data and data[variable.name + "_error"].dims == variable.dims:
        y, error = (data[name].isel(selection).values for name in (variable.name, variable.name + "_error"))
        return y - error, y + error
    task = variable.name[:-len("_rate")]
    names = [task + "_lower", task + "_upper"]
    if not variable.name.endswith("_rate") or any(name not in data for name in names):
        return None, None
    return tuple(data[name].isel({d: i for d, i in selection.items() if d in data[name].dims}).values
                 for name in names)


def distinct_labels(panel, data):
    """{name: label}; where variables are described alike, their tasks tell them apart (if all are, or under an axis with
    a label of its own, they alone do)."""
    labels = {name: label(find_variable(data, name)) for name in panel.y}
    alone = panel.ylabel or len(set(labels.values())) == 1
    for text in set(labels.values()):
        alike = [name for name in labels if labels[name] == text]
        tail = os.path.commonprefix([name[::-1] for name in alike])[::-1]
        tail = tail[tail.find("_"):] if "_" in tail else ""
        for name in alike if len(alike) > 1 else []:
            own = name[:len(name) - len(tail)]
            labels[name] = own if alone else f"{text}, {own}"
    return labels


def averaged(panel, data, variable, say):
    """The variable with the axis `average` taken out, and its standard error; (variable, None) without that axis."""
    if panel.average not in variable.dims:
        return variable, None
    statistics = cospin_data.average(data, variable.name, panel.average)
    lost = int(statistics.left_out.max())
    if lost:
        say(f"{variable.name}: of {data.sizes[panel.average]} values of {panel.average} up to {lost} are left out")
    return statistics["mean"].rename(variable.name), statistics.error


def make_curve(x, y, low, high, keys):
    order = np.argsort(x, kind="stable")
    there = np.isfinite(y[order])
    if there.sum() > 1 and not (there[1:] & there[:-1]).any():  # every other one, such as spins of one parity: a line
        order = order[there]
    return Curve(x[order], y[order], None if low is None else low[order], None if high is None else high[order], keys)


def collect_curves(panel, files, say):
    curves = []
    for path, data in files:
        x = choose_x(panel, data)
        labels = distinct_labels(panel, data)
        for name in panel.y:
            variable, error = averaged(panel, data, find_variable(data, name), say)
            if x not in variable.dims:
                raise Refusal(f"{variable.name} does not depend on {x}")
            for text, selection in slices(variable, x, choose_series(panel, data, variable, x), place(panel, data), say):
                y = variable.isel(selection).values
                low, high = bracket(data, variable, selection)
                if panel.average:
                    low, high = (None, None) if error is None else (y - error.isel(selection).values,
                                                                   y + error.isel(selection).values)
                keys = {"file": os.path.basename(path), "y": labels[name], "series": None if panel.faint in variable.dims else text}
                curves += split_curves(panel, data[x].values, y, low, high, keys)
    return curves


def split_curves(panel, x, y, low, high, keys):
    """One curve, or one of even and one of odd x."""
    if panel.split != "parity":
        return [make_curve(x, y, low, high, keys)]
    curves = []
    for odd, word in enumerate(("even", "odd")):
        mine = np.round(x) % 2 == odd
        parts = [None if part is None else part[mine] for part in (low, high)]
        curves.append(make_curve(x[mine], y[mine], *parts, {**keys, "split": word}))
    return curves


# ---- Drawing --------------------------------------------------------------------------------------------------------
def distinct(curves, factor):
    return list(dict.fromkeys(c.keys[factor] for c in curves if c.keys.get(factor) is not None))


def assign_styles(curves):
    """The first factor that varies is told by colour, the second by line and marker, the third by filling."""
    factors = [f for f in ("series", "split", "y", "file") if len(distinct(curves, f)) > 1]
    count = len(distinct(curves, factors[0])) if factors else 1
    colours = COLOURS if count <= len(COLOURS) else colormaps["viridis"](np.linspace(0, 0.92, count))
    styles = []
    for curve in curves:
        place = [distinct(curves, f).index(curve.keys[f]) if curve.keys.get(f) is not None else 0 for f in factors]
        first, second, third = (place + [0, 0, 0])[:3]
        line = LINES[1] if curve.is_reference() and second == 0 else LINES[second % len(LINES)]
        few = len(curve.x) <= MANY_POINTS and not curve.is_reference()
        styles.append({"color": colours[first], "linestyle": line,
                       "marker": MARKERS[second % len(MARKERS)] if few else "",
                       "markerfacecolor": "white" if third else colours[first], "markeredgewidth": 0.7})
    return factors, styles


def draw_bracket(ax, curve, colour):
    """Bars for few points, a band for many; nothing if it would vanish in the line."""
    if curve.low is None:
        return
    low, high = curve.low, curve.high
    bottom, top = np.log(ax.get_ylim()) if ax.get_yscale() == "log" else ax.get_ylim()
    with np.errstate(all="ignore"):
        width = np.log(high / low) if ax.get_yscale() == "log" else high - low
    if not np.nanmax(np.append(width, 0)) > VISIBLE * (top - bottom):
        return
    if len(curve.x) > MANY_POINTS:
        ax.fill_between(curve.x, low, high, color=colour, alpha=0.2, linewidth=0)
    else:
        bars = np.clip([curve.y - low, high - curve.y], 0, None)
        ax.errorbar(curve.x, curve.y, yerr=bars, fmt="none", ecolor=colour, elinewidth=0.7, capsize=1.8, capthick=0.7)


def draw_legend(ax, curves, factors, styles, more):
    """One factor: the curves themselves. More: one list of colours, one of lines. Behind them what else has words."""
    handles = []
    for rank, factor in enumerate(factors):
        values = distinct(curves, factor)
        if len(values) > MANY_CURVES:
            values = [values[i] for i in np.linspace(0, len(values) - 1, MANY_CURVES // 2).round().astype(int)]
        for value in values:
            style = dict(next(s for c, s in zip(curves, styles) if c.keys.get(factor) == value))
            if len(factors) > 1 and rank == 0:
                style.update(linestyle="-", marker="")
            elif len(factors) > 1:
                style.update(color="0.3", markerfacecolor="white" if rank == 2 else "0.3")
            handles.append(Line2D([], [], label=wrapped(value, LEGEND), **style))
    handles += more
    if handles:
        ax.legend(handles=handles, ncol=1 if len(handles) < 7 else 2, labelspacing=0.3)


def label_panel(ax, panel, curves, data):
    """Several variables under one axis: the legend names them, the axis keeps what they have in common."""
    names = list(dict.fromkeys(label(find_variable(data, name)) for name in panel.y))
    units = {find_variable(data, name).attrs.get("units", "1") for name in panel.y}
    common = units.pop() if len(units) == 1 else "1"
    ylabel = names[0] if len(names) == 1 else unit_as_tex(common) if common != "1" else ""
    ax.set_xlabel(checked(panel.xlabel) if panel.xlabel else label(data[choose_x(panel, data)]))
    ax.set_ylabel(checked(panel.ylabel) if panel.ylabel else wrapped(ylabel, HIGH))
    if panel.title:
        ax.set_title(checked(panel.title))


def set_scales(ax, panel, curves, say):
    for axis, log in (("x", panel.logx), ("y", panel.logy)):
        if not log:
            continue
        lost = sum(int((getattr(c, axis) <= 0).sum()) for c in curves)
        if lost:
            say(f"not positive, so left out on a logarithmic {axis} axis: {lost} of the values")
        getattr(ax, f"set_{axis}scale")("log", nonpositive="mask")
        label_log_axis(getattr(ax, axis + "axis"), np.concatenate([getattr(c, axis) for c in curves]))


def label_log_axis(axis, values):
    """Over less than two decades powers of ten alone say too little: 1, 2, 5, 10, 20, ... instead."""
    positive = values[np.isfinite(values) & (values > 0)]
    if not len(positive) or positive.max() > 100 * positive.min():
        return
    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_locator(LogLocator(subs=np.arange(1, 10)))
    axis.set_minor_formatter(NullFormatter())


def draw_panel(ax, panel, files, say):
    curves = collect_curves(panel, files, say)
    factors, styles = assign_styles(curves)
    for curve, style in zip(curves, styles) if panel.faint else ():
        style.update(alone(curve, curves))
    set_scales(ax, panel, curves, say)
    for curve, style in zip(curves, styles):
        ax.plot(curve.x, curve.y, zorder=2 if curve.is_reference() else 3, **style)
    for curve, style in zip(curves, styles):
        draw_bracket(ax, curve, style["color"])
    fits = [draw_fit(ax, panel, curve, style) for curve, style in zip(curves, styles) if panel.fit and not curve.is_reference()]
    marks = draw_mark(ax, panel, "^", "#009E73")
    set_limits(ax, panel)
    label_panel(ax, panel, curves, files[0][1])
    draw_legend(ax, curves, factors, styles, fits + marks)


def alone(curve, curves):
    """The look of one of many faint curves, or of one that is the same for all of them."""
    others = [one.y for one in curves if one.keys == curve.keys]
    if len(others) > 1 and np.allclose(np.ptp(others, axis=0), 0, atol=1e-12):
        return {"linestyle": LINES[1], "marker": "", "linewidth": 1.2, "color": "0.15"}
    return {"linestyle": "-", "marker": "", "linewidth": 0.5, "alpha": 0.6}


def draw_fit(ax, panel, curve, style):
    """A power law by least squares of the values themselves, within the limits of x, as its exponent and error in the legend."""
    ends = [float(number) for number in (panel.xlim or "-inf inf").split()]
    there = np.isfinite(curve.y) & (curve.x >= ends[0]) & (curve.x <= ends[1])
    (scale, power), (_, error) = cospin_fit.power_law(curve.x[there], curve.y[there])
    line, = ax.plot(curve.x, scale * curve.x ** power, color=style["color"], linestyle=LINES[2], marker="", zorder=2)
    line.set_label(f"fit ${scale:.3g}\\,x^{{{power:.3f}}}$ (exponent ±{error:.1g})")
    return line


def draw_mark(ax, panel, marker, colour):
    """The point `mark`: its handle for the legend if it has words."""
    if not panel.mark:
        return []
    x, y = (float(number) for number in panel.mark.split())
    handle, = ax.plot([x], [y], linestyle="", marker=marker, color=colour, markersize=8, markeredgecolor="white", markeredgewidth=0.6, zorder=5)
    handle.set_label(checked(panel.marked or ""))
    return [handle] if panel.marked else []


def set_limits(ax, panel):
    for text, set_limit in ((panel.xlim, ax.set_xlim), (panel.ylim, ax.set_ylim)):
        if text:
            set_limit(*(float(number) for number in text.split()))


def on_map(data, name, panel, say):
    """A variable over (series, x)."""
    variable = find_variable(data, name)
    missing = {panel.x, panel.series} - set(variable.dims)
    if missing:
        raise Refusal(f"{variable.name} has no axis {' and '.join(missing)} to draw a map over")
    _, selection = slices(variable, panel.x, panel.series, place(panel, data), say)[0]
    selection = {dim: at for dim, at in selection.items() if dim != panel.series}
    return variable.isel(selection).transpose(panel.series, panel.x)


def draw_map(ax, panel, data, say):
    """Colours, logarithmic where the values are positive and span decades; the line where `contour` is 1, the largest
    values of `ridge` along the second axis, and the point `mark`."""
    variable = on_map(data, panel.y, panel, say)
    x, up, values = data[panel.x].values, data[panel.series].values, variable.values
    if panel.inside:
        values = np.where(on_map(data, panel.inside, panel, say).values > 1, values, np.nan)
    finite = values[np.isfinite(values)]
    decades = len(finite) and finite.min() > 0 and finite.max() > 100 * finite.min()
    mesh = ax.pcolormesh(x, up, values, cmap="viridis", norm="log" if decades else None, shading="nearest", rasterized=True)
    ax.figure.colorbar(mesh, ax=ax, pad=0.02, label=wrapped(label(variable), HIGH))
    for log, set_scale in ((panel.logx, ax.set_xscale), (panel.logy, ax.set_yscale)):
        if log:
            set_scale("log")
    if panel.contour:
        line = on_map(data, panel.contour, panel, say).values
        ax.contour(x, up, line, levels=[1.], linewidths=1.0, colors=COLOURS[1] if panel.inside and panel.inside != panel.contour else "white")
    if panel.ridge:
        ridge = on_map(data, panel.ridge, panel, say).values
        inside = on_map(data, panel.contour, panel, say).values > 1 if panel.contour else np.isfinite(ridge)
        ridge = np.where(inside & np.isfinite(ridge), ridge, -np.inf)
        there = np.isfinite(ridge.max(axis=0))
        ax.plot(x[there], up[ridge.argmax(axis=0)[there]], color="#0040FF", linestyle=LINES[1], linewidth=1.3)
    marks = draw_mark(ax, panel, "X", "#009E73")
    if marks:
        ax.legend(handles=marks)
    set_limits(ax, panel)
    ax.set_xlabel(checked(panel.xlabel) if panel.xlabel else label(data[panel.x]))
    ax.set_ylabel(checked(panel.ylabel) if panel.ylabel else label(data[panel.series]))


def label_sphere(ax):
    """Its rim and equator, and the angles of the deck's css: [theta, phi] that stand there, theta = 0 all down."""
    for radius, line in ((1, "-"), (np.sqrt(0.5), ":")):
        ax.add_patch(Circle((0, 0), radius, fill=False, linewidth=0.6, linestyle=line, zorder=3))
    for turn, text, side, height in ((0, r"$\phi = 0$", "left", "center"), (1, r"$-\pi/2$", "center", "top"),
                                     (2, r"$\pi$", "right", "center")):
        x, y = 1.05 * np.cos(turn * np.pi / 2), -1.05 * np.sin(turn * np.pi / 2)
        ax.text(x, y, text, ha=side, va=height, fontsize=8)
    ax.text(0, -1.28, r"centre $\theta = 0$ (all down), dotted $\pi/2$, rim $\pi$", ha="center", va="top", fontsize=8)
    ax.set_axis_off()


def draw_phase_space(ax, panel):
    """The plane, or the sphere seen from below in Lambert's projection (equal areas): the lowest level in the middle, so
    that a spin looks like its boson. Red is positive, blue negative."""
    if panel.sphere:
        away, turn = np.linspace(0, np.pi, 121), np.linspace(0, 2 * np.pi, 181)
        values = panel.functions.on_sphere(panel.matrix, away, -turn)
        x, y = (np.outer(np.sin(away / 2), part) for part in (np.cos(turn), -np.sin(turn)))
        label_sphere(ax)
    else:
        line = np.linspace(-panel.look["radius"], panel.look["radius"], 201)
        x, y = np.meshgrid(line, line)
        values = panel.functions.on_plane(panel.matrix, x + 1j * y)
        ax.set_xlabel(r"Re $\alpha$")
        ax.set_ylabel(r"Im $\alpha$")
    largest = np.abs(values).max()
    mesh = ax.pcolormesh(x, y, values, cmap="RdBu_r", vmin=-largest, vmax=largest, shading="gouraud", rasterized=True)
    ax.set_aspect("equal")
    ax.figure.colorbar(mesh, ax=ax, fraction=0.046, pad=0.12 if panel.sphere else 0.04, label="$W$" if panel.functions is cospin_wigner else "$Q$")
    ax.set_title(panel.title, loc="left")


def unfinished(files):
    """["37 of 64 points"] of the runs that are not finished."""
    counts = [(path, data.attrs["cospin_points_finished"], data.attrs["cospin_points"]) for path, data in files]
    return [(f"{os.path.basename(path)}: " if len(files) > 1 else "") + f"{finished} of {points} points"
            for path, finished, points in counts if finished < points]


def draw_ions(ax, parts):
    """Coolants, which come first, are open circles; spins are filled by their frequency B_l."""
    placed = np.isfinite(parts["x"])  # another grid point may have more ions
    x, y = (1e6 * parts[name][placed] for name in "xy")
    levels = parts["B"][np.isfinite(parts["B"])] / (2 * np.pi)
    coolants = len(x) - len(levels)
    size = 1500 / np.ptp(x) if len(x) > 1 else 100
    ax.scatter(x[:coolants], y[:coolants], s=size, facecolors="none", edgecolors="0.5", linewidths=0.6)
    spins = ax.scatter(x[coolants:], y[coolants:], s=size, c=levels, cmap="viridis", linewidths=0)
    ax.figure.colorbar(spins, ax=ax, fraction=0.046, pad=0.04, label=r"$B_l/2\pi$ (Hz)")
    ax.set_aspect("equal")
    ax.margins(0.08)
    ax.set_xlabel(r"$x$ ($\mu$m)")
    ax.set_ylabel(r"$y$ ($\mu$m)")


def draw_modes(ax, parts):
    """Every mode is a line at its frequency as high as it is damped; the resonant one is red."""
    modes = np.isfinite(parts["frequency"])
    frequency, shift, damping = (parts[name][modes] / (2 * np.pi) for name in ("frequency", "shift", "kappa"))
    colours = [COLOURS[1]] + [COLOURS[0]] * (len(frequency) - 1)
    ax.vlines(1e-6 * (frequency + shift), 0, 1e-3 * damping, colors=colours, linewidth=0.9)
    ax.set_ylim(0, 1.05e-3 * damping.max())
    ax.set_xlabel(r"Frequency of a mode $\omega'_n/2\pi$ (MHz)")
    ax.set_ylabel(r"Damping $\kappa_n/2\pi$ (kHz)")


def number_as_letter(number):
    return chr(ord("a") + number) if number < 26 else str(number + 1)


def draw_figure(panels, files, say):
    columns = min(len(panels), 2)
    if any(isinstance(panel, PhaseSpacePanel) for panel in panels) and len(panels) > 2:
        columns = min(int(np.ceil(np.sqrt(len(panels)))), 6)
    rows = -(-len(panels) // columns)
    title, source = (checked(files[0][1].attrs.get(name, "")) for name in ("title", "source"))
    width = PANEL[0] * columns
    title = "; ".join([title] * bool(title) + unfinished(files))
    title, source = textwrap.wrap(title, int(16 * width)), textwrap.wrap(source, int(24 * width))
    head, foot = 0.05 + 0.17 * len(title), 0.05 + 0.12 * len(source)  # inches
    height = PANEL[1] * rows + head + foot
    figure = Figure(figsize=(width, height))
    grid = figure.subplots(rows, columns, squeeze=False)
    for number, (ax, panel) in enumerate(zip(grid.flat, panels)):
        if isinstance(panel, PhaseSpacePanel):
            draw_phase_space(ax, panel)
        elif isinstance(panel, CrystalPanel):
            panel.draw(ax, panel.parts)
        elif isinstance(panel, MapPanel):
            draw_map(ax, panel, files[0][1], say)
        else:
            draw_panel(ax, panel, files, say)
        if len(panels) > 1 and not isinstance(panel, Panel) and panel.title:
            ax.set_title("\n".join(textwrap.wrap(f"({number_as_letter(number)}) {panel.title}", 38)), loc="left")
        elif len(panels) > 1:
            ax.set_title(f"({number_as_letter(number)})", loc="left")
    for ax in list(grid.flat)[len(panels):]:
        ax.remove()
    figure.tight_layout(rect=(0, foot / height, 1, 1 - head / height), pad=0.3, w_pad=1.2, h_pad=1.2)
    figure.text(0.5, 1 - 0.05 / height, "\n".join(title), fontsize=9.5, ha="center", va="top")
    figure.text(0.5, 0.04 / height, "\n".join(source), fontsize=6.5, color="0.35", ha="center", va="bottom")
    return figure


# ---- Program --------------------------------------------------------------------------------------------------------
def report_bad_points(path, data, say):
    for note in unfinished([(path, data)]):
        say(f"{path}: {note} are finished")
    for where, meaning in cospin_data.bad_points(data):
        if meaning == "not_run":
            continue
        place = ", ".join(f"{axis} = {value:g}" for axis, value in where.items())
        say(f"{path}: left out: {place or 'the point'} ({meaning})")


def default_output(path):
    """FILE.png beside the dataset; nothing is put among the shards of a run."""
    folder, name = os.path.split(path.rstrip("/"))
    folder = os.path.dirname(folder) if folder.endswith(".parts") else folder
    return os.path.join(folder, os.path.splitext(name[:-len(".parts")] if name.endswith(".parts") else name)[0] + ".png")


def parse_options(arguments):
    parser = argparse.ArgumentParser(description="Draws datasets of cospin.")
    parser.add_argument("files", nargs="+", metavar="FILE.h5")
    parser.add_argument("-o", "--output", metavar="OUT", help="OUT.png, OUT.pdf or OUT.svg (default: FILE.png)")
    parser.add_argument("--x", metavar="AXIS", help="axis to draw against (default: the first of the grid)")
    parser.add_argument("--y", metavar="VAR,VAR", help="variables in one panel (default: what the deck asks for)")
    parser.add_argument("--series", metavar="AXIS", help="axis whose values become curves")
    parser.add_argument("--average", metavar="AXIS", help="axis over which mean and standard error are drawn")
    parser.add_argument("--logx", action="store_true", help="logarithmic x axis")
    parser.add_argument("--logy", action="store_true", help="logarithmic y axis")
    parser.add_argument("--no-verify", dest="verify", action="store_false", help="do not look at checksums")
    return parser.parse_args(arguments)


def shown(panel):
    """The names by which `only` of `draw` chooses it: what of `y:` it draws, or the task of its state."""
    return set(listed(getattr(panel, "y", []))) | set(listed(getattr(panel, "task", [])))


def draw(files, options, say, use, only=(), deck=None):
    """Hands the figure of [(path, dataset)] to `use`, in the style in which it must be saved; `only` names what is drawn
    (default: all), `deck` is a deck's text whose `plots:` are drawn instead of those that stand in the dataset."""
    panels = choose_panels(*files[0], options, deck)
    if only and not set(only) <= {name for panel in panels for name in shown(panel)}:
        raise Refusal(f"the deck of {files[0][0]} has no plots of {' and '.join(only)}")
    panels = [panel for panel in panels if not only or shown(panel) & set(only)]
    if not panels:
        raise Refusal(f"{files[0][0]} has no grid: there is nothing to draw (cospin show prints its values)")
    with rc_context(STYLE):
        figure = draw_figure(panels, files, say)
        use(figure)


def main(arguments=None):
    options = parse_options(arguments)
    output = options.output or default_output(options.files[0])
    said = set()

    def say(text):
        if text not in said:
            print(f"cospin_plot: {text}", file=sys.stderr)
        said.add(text)

    try:
        with warnings.catch_warnings(record=True) as damage:
            warnings.simplefilter("always", cospin_data.Damage)
            files = [(path, cospin_data.open_dataset(path, verify=options.verify)) for path in options.files]
        for warning in damage:
            say(str(warning.message))
        for path, data in files:
            report_bad_points(path, data, say)
        draw(files, options, say, lambda figure: figure.savefig(output))
    except (Refusal, cospin_data.NotADataset, OSError, ValueError) as problem:
        say(str(problem))
        return 2
    print(output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
