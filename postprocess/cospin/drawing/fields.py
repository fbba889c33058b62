"""What is not made of curves: maps, Wigner and Husimi functions, crystals."""
import numpy as np
from matplotlib.patches import Circle

from .. import wigner as cospin_wigner
from .choice import find_variable, place, slices
from .curves import draw_mark, set_limits
from .look import COLOURS, HIGH, LINES, Refusal, checked, label, wrapped


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
        ax.legend(handles=marks, frameon=True)  # a mark without a frame would be taken for another point
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


def phase_space(panel):
    """Coordinates in the picture and values, computed once."""
    if panel.values is None and panel.sphere:
        away, turn = np.linspace(0, np.pi, 121), np.linspace(0, 2 * np.pi, 181)
        x, y = (np.outer(np.sin(away / 2), part) for part in (np.cos(turn), -np.sin(turn)))
        panel.values = x, y, panel.functions.on_sphere(panel.matrix, away, -turn)
    elif panel.values is None:
        line = np.linspace(-panel.look["radius"], panel.look["radius"], 201)
        x, y = np.meshgrid(line, line)
        panel.values = x, y, panel.functions.on_plane(panel.matrix, x + 1j * y)
    return panel.values


def share_scales(panels):
    """Functions of one kind have one scale of colours in a figure: pale is weak in each of them."""
    states = [panel for panel in panels if hasattr(panel, "look")]
    for panel in states:
        alike = [one for one in states if (one.functions, one.sphere) == (panel.functions, panel.sphere)]
        panel.look["largest"] = max(np.abs(phase_space(one)[2]).max() for one in alike)


def draw_phase_space(ax, panel):
    """The plane, or the sphere seen from below in Lambert's projection (equal areas): the lowest level in the middle, so
    that a spin looks like its boson. Red is positive, blue negative."""
    x, y, values = phase_space(panel)
    if panel.sphere:
        label_sphere(ax)
    else:
        ax.set_xlabel(r"Re $\alpha$")
        ax.set_ylabel(r"Im $\alpha$")
    largest = panel.look.get("largest") or np.abs(values).max()
    mesh = ax.pcolormesh(x, y, values, cmap="RdBu_r", vmin=-largest, vmax=largest, shading="gouraud", rasterized=True)
    ax.set_aspect("equal")
    ax.figure.colorbar(mesh, ax=ax, fraction=0.046, pad=0.12 if panel.sphere else 0.04, label="$W$" if panel.functions is cospin_wigner else "$Q$")
    ax.set_title(panel.title, loc="left")


def draw_ions(ax, parts):
    """Coolants, which come first, are open circles; spins are filled by their frequency B_l."""
    placed = np.isfinite(parts["x"])  # another grid point may have more ions
    x, y = (1e6 * parts[name][placed] for name in "xy")
    levels = parts["B"][np.isfinite(parts["B"])] / (2 * np.pi)
    coolants = len(x) - len(levels)
    size = 1500 / np.ptp(x) if len(x) > 1 else 100
    ax.scatter(x[:coolants], y[:coolants], s=size, facecolors="none", edgecolors="0.5", linewidths=0.6)
    spins = ax.scatter(x[coolants:], y[coolants:], s=size, c=levels, cmap="viridis", linewidths=0)
    bar = ax.figure.colorbar(spins, ax=ax, fraction=0.046, pad=0.04, label=r"$B_l/2\pi$ (Hz)")
    bar.ax.ticklabel_format(useOffset=False)
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
