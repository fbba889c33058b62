"""The list of the gallery, gallery.yaml: every panel of the papers, which decks draw it, and what there is to compare.

    papers = read_list("gallery.yaml", "../input")     # all faults at once: a Faulty

The unit is the panel: what its axes, curves and markers are, and every statement that text or caption make of it. What the
paper states and numbers computed elsewhere stand in the list; what we find is an expression over a dataset's variables
(`here:`), for instance at(decay_rate, nbar=4.7). A statement of the paper that has no `why:` must agree with it, one that
has must differ: so nothing is explained away that is not there, and no difference is passed over. A statement that no
dataset decides says why not (`cannot:`).
"""
import math
import os
import re
from dataclasses import dataclass, field, fields

import numpy as np
import yaml

from .. import data as cospin_data
from .. import fit as cospin_fit
from . import ROOT

SHIPPED = os.path.join(ROOT, "input")


class Faulty(Exception):
    """The list has faults; str() has a line for each."""


class NotThere(Exception):
    """An expression asks for a point that the dataset does not have."""


@dataclass
class Target:
    """A number to compare with: of the paper, or computed independently. One of within (relative) and margin
    (absolute) says what counts as equal; numbers may be expressions, as `here` is. Of a statement that no dataset decides
    words do."""
    value: object = None
    within: object = None
    margin: object = None
    says: str = None  # how the paper puts it


@dataclass
class Statement:
    what: str
    here: str = None
    unit: str = ""
    place: str = ""  # where in the paper it stands
    paper: Target = None
    known: Target = None
    why: str = None  # why paper and dataset differ
    cannot: str = None  # why no dataset decides it


@dataclass
class Part:
    """One deck, that is one picture, of a panel."""
    deck: str
    label: str = ""
    missing: str = None  # why there is no such deck yet
    draws: list = field(default_factory=list)  # those of the deck's plots that draw one of these; all if empty
    beside: dict = field(default_factory=dict)  # {another deck: [variables of it that stand in the same picture]}
    readme: bool = False
    statements: list = field(default_factory=list)


@dataclass
class Panel:
    """One pair of axes of a figure, an inset too; without letter where the figure has one only."""
    panel: str = ""
    shows: str = ""
    x: str = None  # axes: quantity, unit, range
    y: str = None
    colour: str = None
    curves: list = field(default_factory=list)
    markers: list = field(default_factory=list)
    lines: list = field(default_factory=list)
    told: str = None  # of a panel without a deck: why it has none
    note: str = None
    parts: list = field(default_factory=list)
    statements: list = field(default_factory=list)  # that no dataset decides

    def title(self):
        return f"({self.panel}) {self.shows}".strip() if self.panel else self.shows

    def axes(self):
        """Sentences: what the paper draws there."""
        named = [(name, getattr(self, name)) for name in ("x", "y", "colour")]
        said = ["; ".join(f"{name}: {text}" for name, text in named if text)]
        for one, many_of_them in (("Curve", self.curves), ("Marker", self.markers), ("Line", self.lines)):
            if many_of_them:
                said.append(f"{one}{'s' if len(many_of_them) > 1 else ''}: " + "; ".join(many_of_them))
        return [text for text in said if text]

    def state(self):
        if not self.parts:
            return "no data"
        missing = sum(bool(part.missing) for part in self.parts)
        return "missing" if missing == len(self.parts) else "in part" if missing else "shown"


@dataclass
class Figure:
    """A numbered figure, or (without number) what belongs to the paper's text."""
    shows: str
    figure: int = None
    note: str = None
    panels: list = field(default_factory=list)

    def title(self):
        return f"Fig. {self.figure}: {self.shows}" if self.figure else self.shows

    def parts(self):
        return [part for panel in self.panels for part in panel.parts]

    def state(self):
        states = {panel.state() for panel in self.panels}
        return states.pop() if len(states) == 1 else "in part" if states & {"missing", "in part"} else "shown"


@dataclass
class Paper:
    name: str
    reference: str
    sign: str  # the regular expression by which the `source:` of a deck names this paper
    figures: dict  # number: letters of its panels
    remarks: list = field(default_factory=list)
    entries: list = field(default_factory=list)

    def panels(self):
        """Those of the paper's numbered figures."""
        return [panel for figure in self.entries if figure.figure for panel in figure.panels]

    def on_page(self):
        """In the order of the page: those, and what is drawn of what the text says without a figure."""
        return [panel for figure in self.entries for panel in figure.panels]

    def parts(self):
        return [part for figure in self.entries for part in figure.parts()]


# ---- Reading --------------------------------------------------------------------------------------------------------
def made(kind, record, place, faults, **inner):
    """A dataclass of a mapping; keys that it does not have, and needs, are faults."""
    if not isinstance(record, dict):
        faults.append(f"{place}: a mapping is expected")
        return None
    known = {item.name: item for item in fields(kind)}
    needed = [name for name, item in known.items() if item.default is item.default_factory]
    faults += [f"{place}: unknown key `{key}` (there are: {', '.join(known)})" for key in record if key not in known]
    lacking = [key for key in needed if key not in record]
    faults += [f"{place}: `{key}` is missing" for key in lacking]
    if lacking:
        return None
    values = {key: value for key, value in record.items() if key in known}
    for key, read in inner.items():
        if key in values:
            values[key] = read(values[key], f"{place}: {key}")
    return kind(**values)


def many(read):
    return lambda records, place: [one for number, record in enumerate(records or [])
                                   for one in [read(record, f"{place}[{number}]")] if one]


def read_list(path, decks=SHIPPED):
    """[Paper] of the list at `path`; `decks` is the folder of the shipped decks."""
    faults = []

    def target(record, place):
        result = made(Target, record, place, faults)
        if result and result.value is None and not result.says:
            faults.append(f"{place}: `value` is missing")
        if result and result.value is not None and (result.within is None) == (result.margin is None):
            faults.append(f"{place}: one of `within` (relative) and `margin` (absolute) is needed")
        return result

    def statement(record, place):
        result = made(Statement, record, place, faults, paper=target, known=target)
        if result:
            faults.extend(f"{place}: {fault}" for fault in faults_of_statement(result))
        return result

    def part(record, place):
        return made(Part, record, place, faults, statements=many(statement))

    def panel(record, place):
        return made(Panel, record, place, faults, parts=many(part), statements=many(statement))

    def figure(record, place):
        """One panel without a letter needs no `panels:`."""
        inner = {"parts", "told", "statements", "x", "y", "colour", "curves", "markers", "lines"}
        if isinstance(record, dict) and "panels" not in record:
            alone = {key: value for key, value in record.items() if key in inner}
            record = {**{key: value for key, value in record.items() if key not in inner}, "panels": [alone]}
        return made(Figure, record, place, faults, panels=many(panel))

    def paper(record, place):
        return made(Paper, record, place, faults, entries=many(figure))

    with open(path, encoding="utf-8") as stream:
        papers = many(paper)((yaml.safe_load(stream) or {}).get("papers"), "papers")
    faults += [fault for one in papers for fault in faults_of(one, decks)]
    faults += unlisted(papers, decks)
    if faults:
        raise Faulty("\n".join(f"{os.path.basename(path)}: {fault}" for fault in faults))
    return papers


def faults_of_statement(one):
    if one.cannot and (one.here or one.known or one.why):
        yield "`cannot` says that no dataset decides it: then there is no `here`, `known` or `why`"
    elif not one.cannot and not one.here:
        yield "`here` (an expression over the dataset) or `cannot` (why there is none) is needed"
    elif not one.cannot and not (one.paper or one.known):
        yield "there is nothing to compare with (paper, known)"
    if not one.cannot and any(target and target.value is None for target in (one.paper, one.known)):
        yield "`value` is missing: words alone cannot be compared"
    if one.why and not one.paper:
        yield "`why` explains a difference from a number of the paper, and there is none"
    if (one.paper or one.cannot) and not one.place:
        yield "`place` is missing: where the paper says it"


def faults_of(paper, decks):
    """Every panel of every figure once, each with its decks or the reason why it has none, and every deck there or said to
    be missing."""
    listed = [(figure.figure, panel.panel) for figure in paper.entries if figure.figure for panel in figure.panels]
    wanted = [(number, letter) for number, letters in paper.figures.items() for letter in letters or [""]]
    name = "Fig. {}{}".format
    marks = {one: name(one[0], f"({one[1]})" if one[1] else "") for one in {*listed, *wanted}}
    faults = [f"{marks[one]} is not listed" for one in wanted if one not in listed]
    faults += [f"{marks[one]} is listed, but the paper has none (`figures:`)" for one in dict.fromkeys(listed) if one not in wanted]
    faults += [f"{marks[one]} is listed twice" for one in dict.fromkeys(listed) if listed.count(one) > 1]
    for figure in paper.entries:
        faults += [f"{figure.title()}: {panel.title()}: {fault}" for panel in figure.panels for fault in faults_of_panel(panel, decks)]
    return [f"{paper.name}: {fault}" for fault in faults]


def faults_of_panel(panel, decks):
    if bool(panel.parts) == bool(panel.told):
        yield "either `parts` (its decks) or `told` (why it has none) is needed"
    for one in panel.statements:
        if not one.cannot:
            yield f"{one.what}: a statement with `here` belongs to the deck (`parts`) whose dataset it reads"
    for part in panel.parts:
        there = os.path.exists(os.path.join(decks, part.deck + ".yaml"))
        if not there and not part.missing:
            yield f"there is no deck input/{part.deck}.yaml (a line `missing: WHY` says so)"
        for other in part.beside:
            if not os.path.exists(os.path.join(decks, other + ".yaml")):
                yield f"there is no deck input/{other}.yaml (`beside` of {part.deck})"
        if there and part.missing:
            yield f"input/{part.deck}.yaml is there: remove its `missing`"


def figures_named(text):
    """The numbers in `Fig. 10(a)`, `Figs. 3 and 4`, `Figs. 5-9`."""
    numbers = []
    for group in re.findall(r"Figs?\. *((?:\d+(?:\([a-z]\))?(?:, *| and |-| to )?)+)", text):
        for first, last in re.findall(r"(\d+)(?:(?:-| to )(\d+))?", group):
            numbers += range(int(first), int(last or first) + 1)
    return numbers


def sources(text):
    """What a deck says of its source, in its comment and in its key."""
    comment = re.search(r"^# Source.*\n(?:#   .*\n)*", text, flags=re.M)
    key = re.search(r"^source:.*$", text, flags=re.M)
    return " ".join(re.sub(r"\s*\n#\s*", " ", found.group()) for found in (comment, key) if found)


def unlisted(papers, decks):
    """Decks that name a figure of one of the papers as their source, and do not stand there in the list; what the paper
    has `no published curve` of is no figure."""
    faults = []
    for name in sorted(os.listdir(decks)):
        if not name.endswith(".yaml"):
            continue
        with open(os.path.join(decks, name), encoding="utf-8") as stream:
            source = sources(stream.read())
        for paper in papers:
            listed = {figure.figure for figure in paper.entries for part in figure.parts() if part.deck + ".yaml" == name}
            ours = re.search(paper.sign, source) and "no published curve" not in source
            named = set(figures_named(source)) if ours else set()
            faults += [f"{paper.name}: Fig. {n}: input/{name} says that it is from there, but is not listed (parts: - deck)"
                       for n in sorted(named - listed)]
    return faults


# ---- Expressions over a dataset -------------------------------------------------------------------------------------
def at(variable, **where):
    """The variable where axes have these values."""
    for axis, value in where.items():
        if axis not in variable.dims:
            raise NotThere(f"{variable.name} has no axis {axis}")
        values = variable[axis].values
        nearest = int(np.abs(values - value).argmin())
        if not math.isclose(values[nearest], value, rel_tol=1e-9, abs_tol=1e-12):
            raise NotThere(f"{axis} has no value {value:g}")
        variable = variable.isel({axis: nearest})
    return variable


def between(variable, **where):
    """The variable between the points of logarithmic axes, and of positive values: linear in logarithms."""
    variable = np.log(variable)
    for axis, value in where.items():
        logs = np.log(variable[axis].values)
        if not logs.min() <= math.log(value) <= logs.max() or len(logs) < 10:
            raise NotThere(f"{axis} has no values close to {value:g}")
        variable = variable.assign_coords({axis: logs}).interp({axis: math.log(value)})
    return np.exp(variable)


def place_of_largest(variable, axis):
    return variable[axis][int(variable.argmax(axis))]


def place_of_smallest(variable, axis):
    return variable[axis][int(variable.argmin(axis))]


def average(variable, axis):
    return variable.mean(axis)


def standard_error(variable, axis):
    return variable.std(axis, ddof=1) / math.sqrt(variable.sizes[axis])


def power(variable, axis):
    """The exponent of a power law fitted to the points."""
    return np.polyfit(np.log(variable[axis].values), np.log(variable.squeeze().values), 1)[0]


def tail(variable, start, end):
    """The rate at which a curve in time decays between two times: the slope of its logarithm, by least squares."""
    times, values = variable["time"].values, variable.squeeze().values
    inside = (times >= start - 1e-12) & (times <= end + 1e-12)
    return -np.polyfit(times[inside], np.log(values[inside]), 1)[0]


def exponent(variable, axis, last=math.inf):
    """Of a power law fitted by least squares to the values themselves, up to the point `last` of the axis."""
    return fitted(variable, axis, last)[0][1]


def prefactor(variable, axis, last=math.inf):
    return fitted(variable, axis, last)[0][0]


def exponent_error(variable, axis, last=math.inf):
    return fitted(variable, axis, last)[1][1]


def prefactor_error(variable, axis, last=math.inf):
    return fitted(variable, axis, last)[1][0]


def fitted(variable, axis, last):
    x, y = variable[axis].values, variable.squeeze().values
    return cospin_fit.power_law(x[x <= last], y[x <= last])


def even(variable, axis):
    return variable.isel({axis: np.round(variable[axis].values) % 2 == 0})


def odd(variable, axis):
    return variable.isel({axis: np.round(variable[axis].values) % 2 == 1})


FUNCTIONS = {one.__name__: one for one in (at, between, place_of_largest, place_of_smallest, average, standard_error, power, exponent, prefactor,
                                              exponent_error, prefactor_error, even, odd, tail)}
FUNCTIONS.update({name: getattr(np, name) for name in ("sqrt", "exp", "log", "abs", "pi")},
                 largest=lambda variable: variable.max(), smallest=lambda variable: variable.min())


def evaluate(expression, data):
    """The number that an expression of the list has in this dataset."""
    if not isinstance(expression, str):
        return float(expression)
    names = {**{str(name): data[name] for name in data.variables}, **FUNCTIONS}
    # the list belongs to the program: this is its code as any other
    value = np.asarray(eval(expression, {"__builtins__": {}}, names))  # pylint: disable=eval-used
    if value.size != 1:
        raise NotThere(f"{expression} has {value.size} values")
    return float(value.squeeze())


@dataclass
class Finding:
    """A statement beside a dataset. `expected` is False where the list and the dataset do not go together."""
    statement: Statement
    value: float = None
    verdict: str = ""
    expected: bool = True
    targets: dict = field(default_factory=dict)  # paper, known: their numbers, where they can be told


def equal(value, wanted, target, data):
    allowed = abs(wanted) * evaluate(target.within, data) if target.margin is None else evaluate(target.margin, data)
    return abs(value - wanted) <= allowed


def compare(statement, data, whole):
    """The Finding; without a verdict where the dataset is not `whole`, that is of the shipped deck."""
    if statement.cannot:
        return Finding(statement, None, "cannot be said")
    try:
        value = evaluate(statement.here, data)
    except NotThere as reason:
        return Finding(statement, None, "" if not whole else str(reason), not whole)
    targets = {}
    for name in ("paper", "known"):
        try:
            targets[name] = evaluate(getattr(statement, name).value, data) if getattr(statement, name) else None
        except NotThere:
            targets[name] = None
    if not whole:
        return Finding(statement, value, targets=targets)
    if not math.isfinite(value):
        return Finding(statement, value, "has no value", False, targets)
    verdicts, expected = [], True
    if statement.paper:
        agrees = equal(value, targets["paper"], statement.paper, data)
        verdicts.append("agrees" if agrees else "does not agree")
        expected &= agrees != bool(statement.why)
    if statement.known:
        same = equal(value, targets["known"], statement.known, data)
        verdicts.append("confirmed" if same else "NOT confirmed")
        expected &= same
    return Finding(statement, value, ", ".join(verdicts), expected, targets)


def meaning(text):
    """What of a deck can change a number."""
    deck = yaml.load(text, Loader=yaml.BaseLoader)

    def kept(value):
        if isinstance(value, dict):
            return {key: kept(one) for key, one in value.items() if key != "label"}
        return [kept(one) for one in value] if isinstance(value, list) else value

    return kept({key: value for key, value in deck.items() if key not in ("title", "source", "plots")})


def text_of(path):
    with open(path, encoding="utf-8") as stream:
        return stream.read()


def is_whole(path, shipped):
    """Whether a dataset is of this deck, and not of another or smaller one."""
    return meaning(cospin_data.deck(path)[0]) == meaning(text_of(shipped))
