"""Draws datasets of cospin.

    cospin-plot FILE.h5                        what the deck asks for under `plots:`, or else every observable and rate
    cospin-plot FILE.h5 --x w --y decay_rate   one panel of your own (--at N=6 chooses a slice)
    cospin-plot A.h5 B.h5 -o both.pdf          the panels of A with the values of both

Everything that is printed in the figure comes from the dataset. Points with a bad outcome are left out and listed. A run
that goes on or was stopped is drawn as far as it is; the title says how far. FILE.h5.parts and a shard in it do too.
"""
import argparse
import os
import sys
import textwrap
import warnings

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure

from . import data as cospin_data
from .drawing.choice import MapPanel, Panel, PhaseSpacePanel, CrystalPanel, choose_panels, listed, panels_of_deck  # noqa: F401
from .drawing.curves import collect_curves, draw_panel, uncover  # noqa: F401
from .drawing.fields import draw_ions, draw_map, draw_modes, draw_phase_space, share_scales  # noqa: F401
from .drawing.look import HIGH, MANY_CURVES, PANEL, STYLE, Refusal, as_tex, checked, label, unit_as_tex, wrapped  # noqa: F401


def unfinished(files):
    """["37 of 64 points"] of the runs that are not finished."""
    counts = [(path, data.attrs["cospin_points_finished"], data.attrs["cospin_points"]) for path, data in files]
    return [(f"{os.path.basename(path)}: " if len(files) > 1 else "") + f"{finished} of {points} points"
            for path, finished, points in counts if finished < points]


def number_as_letter(number):
    return chr(ord("a") + number) if number < 26 else str(number + 1)


def draw_figure(panels, files, say):
    columns = 3 if len(panels) == 3 else min(len(panels), 2)  # no empty quarter
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
    share_scales(panels)
    for number, (ax, panel) in enumerate(zip(grid.flat, panels)):
        if isinstance(panel, PhaseSpacePanel):
            draw_phase_space(ax, panel)
        elif isinstance(panel, CrystalPanel):
            (draw_ions if panel.what == "ions" else draw_modes)(ax, panel.parts)
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
    for ax in figure.axes:
        uncover(ax)
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
    parser.add_argument("--at", metavar="AXIS=VALUE,...", help="where other axes are cut, as the deck's at: does")
    parser.add_argument("--average", metavar="AXIS", help="axis over which mean and standard error are drawn")
    parser.add_argument("--logx", action="store_true", help="logarithmic x axis")
    parser.add_argument("--logy", action="store_true", help="logarithmic y axis")
    parser.add_argument("--no-verify", dest="verify", action="store_false", help="do not look at checksums")
    return parser.parse_args(arguments)


def shown(panel):
    """The names by which `only` of `draw` chooses it: what of `y:` it draws, or the task of its state."""
    return set(listed(getattr(panel, "y", []))) | set(listed(getattr(panel, "task", [])))


def draw(files, options, say, use, only=(), deck=None, more=()):
    """Hands the figure of [(path, dataset)] to `use`, in the style in which it must be saved; `only` names what is drawn
    (default: all), `deck` is a deck's text whose `plots:` are drawn instead of those that stand in the dataset; `more` are variables of
    other files than the first that stand in every panel of curves, too."""
    panels = choose_panels(*files[0], options, deck)
    if only and not set(only) <= {name for panel in panels for name in shown(panel)}:
        raise Refusal(f"the deck of {files[0][0]} has no plots of {' and '.join(only)}")
    panels = [panel for panel in panels if not only or shown(panel) & set(only)]
    if not panels:
        raise Refusal(f"{files[0][0]} has no grid: there is nothing to draw (cospin show prints its values)")
    for panel in panels:
        if isinstance(panel, Panel) and len(files) > 1:
            panel.y, panel.partly = [*panel.y, *more], True
    with rc_context(STYLE):
        figure = draw_figure(panels, files, say)
        use(figure)


def figure(files, deck=None, **options):
    """The picture of one dataset or of several, as matplotlib's Figure (a notebook shows it): what the deck lists under `plots:`, or what
    `x`, `y` (a name or several), `series`, `average`, `at` (a mapping), `logx`, `logy` ask for, as on the command line. `deck`: a text
    with other `plots:`."""
    paths = [os.fspath(one) for one in ([files] if isinstance(files, (str, os.PathLike)) else files)]
    words = []
    for name, value in options.items():
        text = ",".join(f"{key}={one}" for key, one in value.items()) if isinstance(value, dict) else ",".join(listed(value)) if value is not True else ""
        words += [f"--{name}", text] if value is not True else [f"--{name}"]
    found = []
    draw([(path, cospin_data.open_dataset(path)) for path in paths], parse_options([*paths, *words]), lambda text: warnings.warn(text, stacklevel=4),
         found.append, deck=deck)
    return found[0]


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
