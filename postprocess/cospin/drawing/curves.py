"""Curves: values of a dataset along an axis, what tells them apart, brackets, legends."""
import os
from dataclasses import dataclass

import numpy as np
from matplotlib import colormaps
from matplotlib.cm import ScalarMappable
from matplotlib.colors import ListedColormap, LogNorm, Normalize
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from .. import data as cospin_data
from .. import fit as cospin_fit
from .choice import FEW_CURVES, choose_series, choose_x, find_variable, names_in, place, slices
from .look import COARSE, COLOURS, HIGH, LEGEND, LINES, MANY_CURVES, MANY_POINTS, MARKERS, VISIBLE, Refusal, checked, label, unit_as_tex, wrapped


@dataclass
class Curve:
    x: np.ndarray
    y: np.ndarray
    low: np.ndarray
    high: np.ndarray
    keys: dict  # factor ("file", "y", "series") -> the label it has in a legend
    value: float = None  # of `series`: by which a legend is sorted
    reference: bool = False  # a variable that is constant beside one that is not: a line to compare with

    def is_constant(self):
        finite = self.y[np.isfinite(self.y)]
        return len(finite) > 1 and np.ptp(finite) <= 1e-9 * np.abs(finite).max()

    def is_coarse(self):
        """Whether its values tell no course: somewhere one is far from the line between its neighbours, so that a straight line between
        two of them is a guess."""
        there = np.isfinite(self.y)
        x, y = self.x[there], self.y[there]
        if not 3 <= len(y) <= MANY_POINTS or np.ptp(y) == 0:
            return False
        between = y[:-2] + (y[2:] - y[:-2]) * (x[1:-1] - x[:-2]) / (x[2:] - x[:-2])
        return bool((np.abs(y[1:-1] - between) > COARSE * np.ptp(y)).any())

    def is_reference(self):
        return self.reference

    def is_drawn(self):
        return bool(np.isfinite(self.y).any())


def mark_references(curves):
    """A constant is a reference where another variable varies; one that stands alone, or among its like, is a result."""
    for curve in curves:
        others = [one for one in curves if one.keys["y"] != curve.keys["y"]]
        curve.reference = curve.is_constant() and any(one.is_drawn() and not one.is_constant() for one in others)


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
    labels = {name: label(find_variable(data, name)) for name in names_in(panel, data)}
    alone = panel.ylabel or len(set(labels.values())) == 1
    for text in set(labels.values()):
        alike = [name for name in labels if labels[name] == text]
        tail = os.path.commonprefix([name[::-1] for name in alike])[::-1]
        tail = tail[tail.find("_"):] if "_" in tail else ""
        moments = {name: moment(data, name) for name in alike}
        told = len(set(moments.values())) == len(alike) and "" not in moments.values()  # tasks of one time each, all different
        for name in alike if len(alike) > 1 else []:
            own = moments[name] if told else name[:len(name) - len(tail)]
            labels[name] = own if alone else f"{text}, {own}"
    return labels


def moment(data, name):
    """"t = 1000 1/Gamma" of a variable of a task with one time, which says more than the task's name; "" of others."""
    axis = next((data[dim] for dim in data[name].dims if is_time(dim) and data.sizes[dim] == 1), None) if name in data else None
    if axis is None:
        return ""
    unit = axis.attrs.get("units", "1")
    return f"$t$ = {number_as_tex(float(axis.values[0]))}" + ("" if unit in ("1", "") else f" ({unit_as_tex(unit)})")


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
    for name in panel.y:
        if not any(name in names_in(panel, data) for _, data in files):
            find_variable(files[0][1], name)  # says that it is nowhere, and what there is
    for path, data in files:
        if not names_in(panel, data):
            continue
        x = choose_x(panel, data)
        labels = distinct_labels(panel, data)
        names = [os.path.basename(one) for one, _ in files]
        file = os.path.basename(path) if names.count(os.path.basename(path)) == 1 else path
        for name in names_in(panel, data):
            variable, error = averaged(panel, data, find_variable(data, name), say)
            if x not in variable.dims:
                raise Refusal(f"{variable.name} does not depend on {x}")
            series = choose_series(panel, data, variable, x)
            few = FEW_CURVES if panel.few else None
            for text, selection in slices(variable, x, series, place(panel, data), say, few):
                y = variable.isel(selection).values
                low, high = bracket(data, variable, selection)
                if panel.average:
                    low, high = (None, None) if error is None else (y - error.isel(selection).values,
                                                                   y + error.isel(selection).values)
                keys = {"file": file, "y": labels[name], "series": None if panel.faint in variable.dims else text}
                parts = split_curves(panel, data[x].values, y, low, high, keys)
                for part in parts if series else ():
                    part.value = float(variable[series][selection[series]])
                curves += parts
    mark_references(curves)
    forget_files(curves)
    return curves


def forget_files(curves):
    """Where a variable is of one file only its name says enough."""
    of = {}
    for curve in curves:
        of.setdefault(curve.keys["y"], set()).add(curve.keys["file"])
    if len(of) > 1 and all(len(files) == 1 for files in of.values()):
        for curve in curves:
            curve.keys["file"] = None


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
    """Labels that a factor has in these curves; those of an axis by its values. Curves without one, of a file or a variable that
    has no such axis, have None, last."""
    ordered = sorted(curves, key=lambda c: (c.value is None, c.value or 0)) if factor == "series" else curves
    found = dict.fromkeys(c.keys.get(factor) for c in ordered)
    return [one for one in found if one is not None] + ([None] if None in found else [])


def scale_of_colours(curves, factors):
    """Many values of an axis are told by a bar of colours, whose array they are; others by a list, and it has none."""
    scale = ScalarMappable(cmap=ListedColormap(colormaps["viridis"](np.linspace(0, 0.92, 256))))
    values = np.array(sorted({c.value for c in curves if c.value is not None}))
    if factors[:1] == ["series"] and len(values) > MANY_CURVES and None not in distinct(curves, "series"):
        decades = values[0] > 0 and values[-1] > 30 * values[0]
        scale.set_norm((LogNorm if decades else Normalize)(values[0], values[-1]))
        scale.set_array(values)
    return scale


def assign_styles(curves):
    """The first factor that varies is told by colour, the second by line and marker, the third by filling."""
    factors = [f for f in ("series", "split", "y", "file") if len(distinct(curves, f)) > 1]
    count = len(distinct(curves, factors[0])) if factors else 1
    scale = scale_of_colours(curves, factors)
    colours = COLOURS if count <= len(COLOURS) else scale.get_cmap()(np.linspace(0, 1, count))
    if scale.get_array() is not None:
        colours = scale.to_rgba([next(c.value for c in curves if c.keys.get("series") == one) for one in distinct(curves, "series")])
    styles = []
    for curve in curves:
        place = [distinct(curves, f).index(curve.keys.get(f)) for f in factors]
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
        width = np.where(low > 0, np.log(high / low), np.inf) if ax.get_yscale() == "log" else high - low
        width = np.where(np.isfinite(low + high), width, 0)
    if not np.nanmax(np.append(width, 0)) > VISIBLE * (top - bottom):
        return
    if len(curve.x) > MANY_POINTS:
        ax.fill_between(curve.x, low, high, color=colour, alpha=0.2, linewidth=0)
    else:
        bars = np.clip([curve.y - low, high - curve.y], 0, None)
        log, limits = ax.get_yscale() == "log", ax.get_ylim()
        if log:  # a bar that reaches zero goes to the edge of the panel, which holds all others
            ends = np.concatenate([low[low > 0] / 1.1, high[high > 0] * 1.1, limits])
            limits = np.nanmin(ends), np.nanmax(ends)
            bars[0] = np.where(low > 0, bars[0], np.maximum(curve.y - limits[0], 0))
        ax.errorbar(curve.x, curve.y, yerr=bars, fmt="none", ecolor=colour, elinewidth=0.7, capsize=1.8, capthick=0.7)
        if log:
            ax.set_ylim(limits, auto=None)


def draw_legend(ax, curves, factors, styles, more):
    """One factor: the curves themselves. More: one list of colours, one of lines. Behind them what else has words."""
    handles = []
    scale = scale_of_colours(curves, factors)
    if scale.get_array() is not None:
        ax.figure.colorbar(scale, ax=ax, pad=0.02, label=curves[0].keys["series"].rpartition(" = ")[0])
    for rank, factor in enumerate(factors):
        drawn = {c.keys.get(factor) for c in curves if c.is_drawn()}
        values = [one for one in distinct(curves, factor) if one is not None and one in drawn]
        if rank == 0 and scale.get_array() is not None:
            continue
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
        alone = not any(handle.get_linestyle() not in ("None", "") for handle in handles)  # would be taken for points of the data
        legend = ax.legend(handles=handles, ncol=1 if len(handles) < 7 else 2, labelspacing=0.3, frameon=alone)
        legend.parts = handles


def uncover(ax):
    """Where the best place of a legend has curves behind it, the axis is made longer above them. What the deck says of the axis
    stays."""
    legend = ax.get_legend()
    if not legend or not hasattr(legend, "parts") or not ax.get_autoscaley_on():
        return
    box = legend.get_window_extent().transformed(ax.transAxes.inverted())
    if not any(passes(line, ax, box) for line in ax.lines) or box.height > 0.6:
        return
    low, high = ax.transData.inverted().transform(ax.transAxes.transform([(0, 0), (0, 1 / (0.97 - box.height))]))[:, 1]
    ax.set_ylim(low, high)
    ax.legend(handles=legend.parts, ncol=legend._ncols, labelspacing=0.3, loc="upper center",
              frameon=legend.get_frame_on()).parts = legend.parts


def passes(line, ax, box):
    """Whether a line goes through a part of the panel."""
    points = ax.transAxes.inverted().transform(line.get_transform().transform(np.column_stack(line.get_data()).astype(float)))
    points = points[np.isfinite(points).all(axis=1)]
    if not len(points):
        return False
    place = np.linspace(0, len(points) - 1, max(len(points), 400))
    x, y = (np.interp(place, np.arange(len(points)), points[:, k]) for k in (0, 1))
    return bool(((x > box.x0) & (x < box.x1) & (y > box.y0) & (y < box.y1)).any())


def label_panel(ax, panel, curves, data):
    """Several variables under one axis: the legend names them, the axis keeps what they have in common."""
    drawn = names_in(panel, data)
    names = list(dict.fromkeys(label(find_variable(data, name)) for name in drawn))
    units = {find_variable(data, name).attrs.get("units", "1") for name in drawn}
    common = units.pop() if len(units) == 1 else "1"
    ylabel = names[0] if len(names) == 1 else unit_as_tex(common) if common != "1" else "" if len(units) == 0 else ", ".join(names)
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


def number_as_tex(value, _=None):
    """5, 200, 5 10^4, 10^6: short enough to stand side by side."""
    if 1e-3 < abs(value) < 1e4:
        return f"{value:g}"
    mantissa, power = f"{value:.3e}".split("e")
    return f"$10^{{{int(power)}}}$" if float(mantissa) == 1 else rf"${float(mantissa):g}{{\times}}10^{{{int(power)}}}$"


def label_log_axis(axis, values):
    """Over less than two decades powers of ten alone say too little: 1, 2, 5, 10, 20, ... instead."""
    positive = values[np.isfinite(values) & (values > 0)]
    if not len(positive) or positive.max() > 100 * positive.min():
        return
    axis.set_major_locator(LogLocator(subs=(1, 2, 5) if positive.max() < 1e4 or positive.max() < 20 * positive.min() else (1,)))
    axis.set_major_formatter(FuncFormatter(number_as_tex))
    axis.set_minor_locator(LogLocator(subs=np.arange(1, 10)))
    axis.set_minor_formatter(NullFormatter())


def draw_panel(ax, panel, files, say):
    curves = collect_curves(panel, files, say)
    factors, styles = assign_styles(curves)
    for curve, style in zip(curves, styles) if panel.faint else ():
        style.update(alone(curve, curves))
    set_scales(ax, panel, curves, say)
    coarse = is_time(choose_x(panel, files[0][1])) and any(curve.is_coarse() for curve in curves)
    for curve, style in zip(curves, styles):
        draw_curve(ax, curve, style, coarse)
    for curve, style in zip(curves, styles):
        draw_bracket(ax, curve, style["color"])
    fits = [fit for curve, style in zip(curves, styles) if panel.fit and not curve.is_reference()
            for fit in draw_fit(ax, panel, curve, style, say)]
    marks = draw_mark(ax, panel, "^", "#009E73")
    set_limits(ax, panel)
    label_panel(ax, panel, curves, files[0][1])
    draw_legend(ax, curves, factors, styles, fits + marks)


def is_time(x):
    return x == "time" or x.endswith("_time")


def draw_curve(ax, curve, style, coarse):
    """Samples in time that do not tell their course (of one curve of a panel, and then of all) are dots; what joins them is faint, and
    only leads the eye."""
    zorder = 2 if curve.is_reference() else 3
    if coarse and style["marker"]:
        ax.plot(curve.x, curve.y, zorder=zorder, **{**style, "marker": "", "linewidth": 0.5, "alpha": 0.4})
        style = {**style, "linestyle": ""}
    ax.plot(curve.x, curve.y, zorder=zorder, **style)


def alone(curve, curves):
    """The look of one of many faint curves, or of one that is the same for all of them."""
    others = [one.y for one in curves if one.keys == curve.keys]
    if len(others) > 1 and np.allclose(np.ptp(others, axis=0), 0, atol=1e-12):
        return {"linestyle": LINES[1], "marker": "", "linewidth": 1.2, "color": "0.15"}
    return {"linestyle": "-", "marker": "", "linewidth": 0.5, "alpha": 0.6}


def draw_fit(ax, panel, curve, style, say):
    """A power law by least squares of the values themselves, within the limits of x, as its exponent and error in the legend."""
    ends = [float(number) for number in (panel.xlim or "-inf inf").split()]
    there = np.isfinite(curve.y) & (curve.x >= ends[0]) & (curve.x <= ends[1])
    if there.sum() < 3:  # two points have a line, and no error
        say(f"a power law needs three points, and {', '.join(one for one in curve.keys.values() if one)} has {there.sum()}")
        return []
    (scale, power), (_, error) = cospin_fit.power_law(curve.x[there], curve.y[there])
    line, = ax.plot(curve.x, scale * curve.x ** power, color=style["color"], linestyle=LINES[2], marker="", zorder=2)
    line.set_label(f"fit ${scale:.3g}\\,x^{{{power:.3f}}}$ (exponent ±{error:.1g})")
    return [line]


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
