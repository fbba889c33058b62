"""How pictures look: sizes, colours, fonts, and names of variables as formulas."""
import re

from matplotlib import mathtext

PANEL = (3.4, 2.55)  # inches: one column of a journal
LEGEND, HIGH = 36, 40  # characters of a line in a legend, along the height of a panel
MANY_CURVES = 10  # beyond that the legend names some of them, the colours run through
MANY_POINTS = 60  # beyond that a line shows the points well enough
COARSE = 0.05  # of the height of a curve: samples in time that lie farther off the line between their neighbours tell no course
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
    powers = re.compile(r"\^\(([^()]*)\)|\^(-?\w+)")
    if "$" not in unit and re.search(r"_|\*|\b(" + "|".join(GREEK) + r")\b", unit):
        return as_tex(powers.sub(lambda power: f"^{{{power.group(1) or power.group(2)}}}", unit))
    return unit if "$" in unit else powers.sub(lambda power: f"$^{{{power.group(1) or power.group(2)}}}$", unit)  # T/Hz^(1/2) stays upright


FACTOR = r"\w+\.[A-Za-z]\w*(?:\[\w+(?:,\w+)*\])?"  # ions.Sp, atoms.E[1,0]
OPERATORS = {"Sp": "S^{+}", "Sm": "S^{-}", "Sz": "S^{z}", "Sx": "S^{x}", "Sy": "S^{y}",
             "sp": "s^{+}", "sm": "s^{-}", "sz": "s^{z}", "sx": "s^{x}", "sy": "s^{y}"}


def mean_as_tex(match):
    """<ions.Sp*cavity.a>: a product of operators, each with its component and, of one spin or of levels, its index."""
    factors = [re.fullmatch(r"(\w+)\.(\w+)(\[.*\])?", factor).groups("") for factor in match.group(1).split("*")]
    products = [rf"{OPERATORS.get(name, name)}_{{\mathrm{{{component}}}}}{index}" for component, name, index in factors]
    return rf"$\langle {' '.join(products)}\rangle$"


def product_as_tex(match):
    """<A><B>, means of operators that a task calls by letters."""
    return "$" + "".join(rf"\langle {letters}\rangle" for letters in re.findall(r"<([A-Z]+)>", match.group())) + "$"


def label(variable):
    """long_name, and the unit unless it is a pure number."""
    name = variable.attrs.get("long_name") or variable.name
    text = as_tex(name) if name == variable.name else name
    text = re.sub(rf"<({FACTOR}(?:\*{FACTOR})*)>", mean_as_tex, text)
    text = re.sub(r"(?:<[A-Z]{1,2}>)+", product_as_tex, text)  # <AB> of a spectrum or a correlation
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
