"""The gallery as one HTML page that needs no other file, and as PDF.

Both writers go through the same Exhibit records, in the same order: a summary, a table of contents by paper, then figure
by figure the picture, what the paper states and what we find, the cost, the command; the decks stand behind their figures
(HTML, folded) or at the end (PDF).
"""
import base64
import functools
import html
import io
import math
from dataclasses import dataclass, field

import matplotlib
import numpy as np
from matplotlib import font_manager
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure as Sheet

matplotlib.use("Agg")
import matplotlib.image

STATES = {"shown": "", "in part": "in part", "missing": "no deck yet", "no data": "no deck"}


@dataclass
class Exhibit:
    """What there is to show of a part: read from its dataset."""
    part: object
    deck: str = ""  # the text of the deck
    picture: bytes = None  # PNG
    inches: float = 0.
    findings: list = field(default_factory=list)
    cost: str = ""
    command: str = ""
    notes: list = field(default_factory=list)  # bad points, what was left out, why there is no picture
    reduced: bool = False
    left_out: bool = False  # by the user

    def absent(self):
        """Why there is nothing to show, or None."""
        if self.part.missing:
            return f"Not there yet: {self.part.missing}"
        return f"input/{self.part.deck}.yaml was left out this time." if self.left_out else None


@dataclass
class Book:
    title: str
    papers: list
    exhibits: dict  # id(part) -> Exhibit
    made: str  # versions and date

    def of(self, part):
        return self.exhibits[id(part)]

    def reduced(self):
        return any(exhibit.reduced for exhibit in self.exhibits.values())

    def counts(self, paper):
        """{figures, shown, missing, without, agree, differ, confirmed, wrong} of one paper."""
        states = [figure.state() for figure in paper.entries for _ in figure.numbers()]
        findings = [finding for part in paper.parts() for finding in self.of(part).findings]
        words = [finding.verdict.split(", ") for finding in findings]
        return {"figures": paper.figures, "shown": states.count("shown") + states.count("in part"),
                "missing": states.count("missing"), "without": states.count("no data"),
                "agree": sum("agrees" in one for one in words), "differ": sum("differs" in one for one in words),
                "confirmed": sum("confirmed" in one for one in words),
                "wrong": sum(not finding.expected for finding in findings)}


INTRODUCTION = ("Every numbered figure of four papers, drawn from datasets that cospin computed from the decks printed here. "
                "Numbers under `here` are read from those datasets; `paper` is what the paper states; `independent` is a number that was "
                "computed with other programs. Where here and paper differ the reason is given.")
REDUCED = ("REDUCED SIZE: (some of) these decks were made small, with few spins and few points, to try the gallery itself. Nothing "
           "here is to be compared with the papers.")
COLUMNS = {"figures": "figures", "shown": "drawn", "missing": "no deck yet", "without": "no deck", "agree": "paper agrees",
           "differ": "paper differs", "confirmed": "confirmed", "wrong": "unexplained"}


def number_text(value, digits=7):
    if value is None:
        return "–"
    if not math.isfinite(value):
        return "no value"
    if value and not 1e-3 <= abs(value) < 1e5:
        mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
        return f"{float(mantissa):g}e{int(exponent)}" if len(mantissa.rstrip("0")) < 4 else f"{mantissa.rstrip('0')}e{int(exponent)}"
    return f"{value:.{digits}g}"


def with_unit(text, unit):
    return f"{text} {unit}".strip()


def found_text(finding):
    return with_unit(number_text(finding.value), finding.statement.unit if finding.value is not None else "")


def target_text(finding, name):
    """What the paper (`paper`) or another program (`known`) says."""
    target = getattr(finding.statement, name)
    if target is None:
        return ""
    value = finding.targets.get(name)
    value = with_unit(number_text(value, 10), finding.statement.unit) if value is not None else ""
    return f"{target.says} ({value})" if target.says and value else target.says or value


# ---- HTML -----------------------------------------------------------------------------------------------------------
CSS = """
:root { --ink: #1c1c1c; --soft: #666; --line: #d9d9d9; --good: #00694c; --off: #9a4a00; --bad: #b00020; --paper: #fff; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 62rem; padding: 2.5rem 1.5rem 5rem; color: var(--ink); background: var(--paper);
       font: 16px/1.5 Georgia, "Times New Roman", serif; }
h1 { font-size: 2rem; line-height: 1.2; margin: 0 0 .5rem; }
h2 { font-size: 1.5rem; margin: 4rem 0 .25rem; padding-top: .75rem; border-top: 3px solid var(--ink); }
h3 { font-size: 1.15rem; margin: 2.75rem 0 .5rem; }
h4 { font-size: 1rem; margin: 1.5rem 0 .25rem; }
p { margin: .4rem 0; max-width: 48rem; }
a { color: #00548a; text-decoration: none; } a:hover { text-decoration: underline; }
.soft { color: var(--soft); font-size: .9rem; } .good { color: var(--good); } .off { color: var(--off); }
.bad { color: var(--bad); font-weight: bold; }
.banner { border: 2px solid var(--bad); padding: .5rem 1rem; color: var(--bad); }
.tag { font: .75rem/1 system-ui, sans-serif; border: 1px solid var(--line); border-radius: 3px; padding: .1rem .35rem; color: var(--soft); white-space: nowrap; }
nav ol { list-style: none; margin: .2rem 0 1rem; padding: 0; } nav li { margin: .1rem 0; } nav h4 { margin: .8rem 0 0; }
img { display: block; max-width: 100%; height: auto; margin: .75rem 0; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .92rem; margin: .5rem 0; }
th { text-align: left; font-weight: normal; color: var(--soft); border-bottom: 1px solid var(--ink); }
th, td { padding: .25rem .9rem .25rem 0; vertical-align: top; } td { border-bottom: 1px solid var(--line); }
td.number { font-variant-numeric: tabular-nums; white-space: nowrap; } tr.why td { padding: .1rem .9rem .6rem 1.2rem; color: var(--off); }
tr.because td { border-bottom: none; }
code, pre { font: .82rem/1.45 "DejaVu Sans Mono", Menlo, Consolas, monospace; }
pre { overflow-x: auto; background: #f6f6f4; padding: .75rem 1rem; margin: .5rem 0; }
.command { border-left: 3px solid var(--line); padding: .2rem .8rem; background: none; white-space: pre-wrap; }
ul { max-width: 48rem; padding-left: 1.2rem; margin: .4rem 0; } summary { cursor: pointer; color: #00548a; }
@media print { details { display: none; } h3, img { break-inside: avoid; } }
"""


def tag(name, text, **attributes):
    inside = "".join(f' {key.rstrip("_")}="{html.escape(str(value))}"' for key, value in attributes.items())
    return f"<{name}{inside}>{text}</{name}>"


def plain(text):
    """Text of the list: `names` become code."""
    parts = html.escape(" ".join(str(text).split())).split("`")
    return "".join(tag("code", part) if number % 2 else part for number, part in enumerate(parts))


def anchor(papers, paper, figure):
    return f"p{papers.index(paper) + 1}-{paper.entries.index(figure) + 1}"


def write_html(book, path):
    parts = [tag("h1", plain(book.title)), tag("p", plain(INTRODUCTION)), tag("p", plain(book.made), class_="soft")]
    if book.reduced():
        parts.append(tag("p", plain(REDUCED), class_="banner"))
    parts += [summary_html(book), contents_html(book)]
    for number, paper in enumerate(book.papers):
        parts += [tag("h2", plain(paper.name), id=f"p{number + 1}"), tag("p", plain(paper.reference), class_="soft")]
        if paper.remarks:
            parts += [tag("h4", "Misprints and inputs that do not fit"),
                      tag("ul", "".join(tag("li", plain(remark)) for remark in paper.remarks))]
        for figure in paper.entries:
            parts += figure_html(book, paper, figure)
    page = (f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{html.escape(book.title)}</title>'
            f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{CSS}</style></head>\n<body>\n'
            + "\n".join(parts) + "\n</body></html>\n")
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(page)


def row(cells, name="td", **attributes):
    return tag("tr", "".join(tag(name, cell) for cell in cells), **attributes)


def summary_html(book):
    counts = [(paper, book.counts(paper)) for paper in book.papers]
    rows = [row(["", *COLUMNS.values()], "th")]
    for number, (paper, count) in enumerate(counts):
        rows.append(row([tag("a", plain(paper.name), href=f"#p{number + 1}"), *(str(count[key]) for key in COLUMNS)]))
    return tag("div", tag("table", "".join(rows)), class_="wide")


def contents_html(book):
    parts = [tag("h4", "Contents")]
    for number, paper in enumerate(book.papers):
        lines = []
        for figure in paper.entries:
            mark = STATES[figure.state()]
            link = tag("a", plain(figure.title()), href="#" + anchor(book.papers, paper, figure))
            lines.append(tag("li", link + (" " + tag("span", mark, class_="tag") if mark else "")))
        parts += [tag("h4", tag("a", plain(paper.name), href=f"#p{number + 1}")), tag("ol", "".join(lines))]
    return tag("nav", "".join(parts))


def figure_html(book, paper, figure):
    mark = STATES[figure.state()]
    parts = [tag("h3", plain(figure.title()) + (" " + tag("span", mark, class_="tag") if mark else ""),
                 id=anchor(book.papers, paper, figure))]
    parts += [tag("p", plain(text)) for text in (figure.told, figure.note) if text]
    for part in figure.parts:
        parts += part_html(part, book.of(part))
    return parts


def part_html(part, exhibit):
    parts = [tag("h4", plain(part.label))] if part.label else []
    if exhibit.absent():
        return [*parts, tag("p", plain(exhibit.absent()), class_="off")]
    if exhibit.picture:
        data = base64.b64encode(exhibit.picture).decode()
        parts.append(f'<img src="data:image/png;base64,{data}" width="{round(130 * exhibit.inches)}" '
                     f'alt="{html.escape(part.label or part.deck)}">')
    parts += [tag("p", plain(note), class_="bad") for note in exhibit.notes]
    if exhibit.findings:
        parts.append(tag("div", tag("table", findings_html(exhibit)), class_="wide"))
    if exhibit.cost:
        parts.append(tag("p", plain(exhibit.cost), class_="soft"))
    parts.append(tag("pre", html.escape(exhibit.command), class_="command"))
    parts.append(tag("details", tag("summary", f"input/{part.deck}.yaml") + tag("pre", html.escape(exhibit.deck))))
    return parts


def findings_html(exhibit):
    rows = [row(["", "paper", "here", "independent", ""], "th")]
    for finding in exhibit.findings:
        one = finding.statement
        look = "bad" if not finding.expected else "off" if "differs" in finding.verdict else "good"
        cells = [plain(one.what), plain(target_text(finding, "paper")), tag("span", plain(found_text(finding)), title=one.here),
                 plain(target_text(finding, "known")), tag("span", plain(finding.verdict), class_=look)]
        rows.append(row(cells, **({"class_": "because"} if one.why else {})))
        if one.why:
            rows.append(tag("tr", tag("td", plain(one.why), colspan=5), class_="why"))
    return "".join(rows)


# ---- PDF ------------------------------------------------------------------------------------------------------------
WIDTH, HEIGHT = 8.27, 11.69  # inches, A4
LEFT, TOP, BOTTOM = 0.9, 0.85, 0.85
TEXT = WIDTH - 2 * LEFT
SERIF, MONO = "STIXGeneral", "DejaVu Sans Mono"
INK, SOFT, OFF, BAD, GOOD = "#1c1c1c", "#666666", "#9a4a00", "#b00020", "#00694c"


@functools.lru_cache(maxsize=None)
def width_of(family, weight, text):
    """In units of the size of the letters."""
    font = font_manager.get_font(font_manager.findfont(font_manager.FontProperties(family=family, weight=weight)))
    font.set_size(100, 72)
    font.set_text(text)
    return font.get_width_height()[0] / 6400


@dataclass
class Type:
    """How a paragraph looks: font, size in points, distance before and indentation in inches."""
    size: float = 10.
    weight: str = "normal"
    family: str = SERIF
    colour: str = INK
    before: float = 0.05
    indent: float = 0.

    def leading(self):
        return self.size * (1.25 if self.family == MONO else 1.3) / 72

    def width(self, text):
        return width_of(self.family, self.weight, text) * self.size / 72

    def lines(self, text, width):
        lines, used = [[]], 0.
        space = self.width("a a") - self.width("aa")
        for word in str(text).replace("`", "").split():
            long = self.width(word)
            if lines[-1] and used + space + long > width:
                lines.append([])
                used = -space
            used = used + space + long if lines[-1] or used < 0 else long
            lines[-1].append(word)
        return [" ".join(line) for line in lines]


HEADING = Type(20, "bold", before=0.)
CHAPTER = Type(16, "bold", before=0.)
FIGURE = Type(12.5, "bold", before=0.3)
LABEL = Type(10.5, "bold", before=0.15)
BODY = Type()
SMALL = Type(8.5, colour=SOFT)
WHY = Type(9.5, colour=OFF, before=0.02, indent=0.2)
WARNING = Type(10, "bold", colour=BAD)
CODE = Type(6.1, family=MONO, before=0.08)


def size_of(exhibit):
    """Width and height of its picture on a page in inches, 0 without one."""
    if not exhibit.picture:
        return 0., 0.
    tall, broad = matplotlib.image.imread(io.BytesIO(exhibit.picture)).shape[:2]
    wide = min(exhibit.inches * 1.15, TEXT, (HEIGHT - TOP - BOTTOM - 1.5) * broad / tall)
    return wide, wide * tall / broad


class Pages:
    """Paragraphs and pictures, flowing from page to page; drawn at the end, when all page numbers are known."""

    def __init__(self):
        self.pages, self.y = [], 0.
        self.turn()

    def turn(self):
        self.pages.append([])
        self.y = HEIGHT - TOP

    def number(self):
        return len(self.pages)

    def need(self, height):
        if self.y - height < BOTTOM:
            self.turn()

    def put(self, *what):
        self.pages[-1].append(what)

    def text(self, text, look, keep=0.):
        """A paragraph; a page is turned first unless `keep` inches more fit behind it."""
        self.lines(look.lines(text, TEXT - look.indent), look, keep)

    def lines(self, lines, look, keep=0.):
        self.y -= look.before if self.pages[-1] else 0.
        self.need(min(2, len(lines)) * look.leading() + keep)
        for line in lines:
            self.need(look.leading())
            self.put("text", LEFT + look.indent, self.y, line, look, "left")
            self.y -= look.leading()

    def columns(self, cells, widths, looks):
        """A row of a table: every cell is wrapped into its column."""
        wrapped = [look.lines(cell, width - 0.12) for cell, width, look in zip(cells, widths, looks)]
        height = max(len(lines) for lines in wrapped) * looks[0].leading()
        self.y -= looks[0].before
        self.need(height)
        x = LEFT
        for lines, width, look in zip(wrapped, widths, looks):
            for number, line in enumerate(lines):
                self.put("text", x, self.y - number * look.leading(), line, look, "left")
            x += width
        self.y -= height

    def rule(self):
        self.y -= 0.05
        self.put("rule", self.y)
        self.y -= 0.02

    def picture(self, exhibit):
        wide, high = size_of(exhibit)
        self.y -= 0.1
        self.need(high)
        self.put("picture", LEFT, self.y - high, wide, high, exhibit.picture)
        self.y -= high + 0.05

    def save(self, path, title):
        with PdfPages(path, metadata={"Title": title}) as pdf:
            for number, page in enumerate(self.pages):
                sheet = Sheet(figsize=(WIDTH, HEIGHT))
                for kind, *what in page:
                    getattr(self, "draw_" + kind)(sheet, *what)
                self.draw_text(sheet, WIDTH / 2, 0.5, str(number + 1), SMALL, "center")
                pdf.savefig(sheet)

    @staticmethod
    def draw_text(sheet, x, y, text, look, align):
        sheet.text(x / WIDTH, y / HEIGHT, text, size=look.size, weight=look.weight, family=look.family, color=look.colour,
                   ha=align, va="top", parse_math=False)

    @staticmethod
    def draw_rule(sheet, y):
        sheet.add_artist(matplotlib.lines.Line2D([LEFT / WIDTH, 1 - LEFT / WIDTH], [y / HEIGHT] * 2, color="#bbbbbb", linewidth=0.5))

    @staticmethod
    def draw_picture(sheet, x, y, wide, high, png):
        pixels = (255 * matplotlib.image.imread(io.BytesIO(png))[..., :3]).round().astype(np.uint8)
        axes = sheet.add_axes((x / WIDTH, y / HEIGHT, wide / WIDTH, high / HEIGHT))
        axes.imshow(pixels, interpolation="none", aspect="auto")
        axes.set_axis_off()


def write_pdf(book, path):
    pages, starts, decks = Pages(), [], {}
    pages.text(book.title, HEADING)
    pages.text(INTRODUCTION, BODY)
    pages.text(book.made, SMALL)
    if book.reduced():
        pages.text(REDUCED, WARNING)
    summary_pdf(book, pages)
    contents = [(paper, figure) for paper in book.papers for figure in (None, *paper.entries)]
    places = [reserve(pages, paper.name if figure is None else figure.title(), figure) for paper, figure in contents]
    places.append(reserve(pages, "Decks", None))
    for paper, figure in contents:
        if figure is None:
            pages.turn()
            pages.text(paper.name, CHAPTER)
            pages.text(paper.reference, SMALL)
            remarks_pdf(paper, pages)
            starts.append(pages.number())
        else:
            starts.append(figure_pdf(book, figure, pages, decks))
    pages.turn()
    starts.append(pages.number())
    pages.text("Decks", CHAPTER)
    for name, text in decks.items():
        pages.text(f"input/{name}.yaml", LABEL, keep=0.5)
        pages.lines([piece for line in text.rstrip().split("\n") for piece in cut(line)], CODE)
    for (page, y), start in zip(places, starts):
        pages.pages[page - 1].append(("text", WIDTH - LEFT, y, str(start), Type(9), "right"))
    pages.save(path, book.title)


def cut(line, most=126):
    """Pieces of a line of a deck that fit into the width of the page."""
    return [line[i:i + most] for i in range(0, len(line), most)] or [""]


def reserve(pages, title, figure):
    """A line of the contents whose page number is put in later: where it goes."""
    look = Type(9, before=0.) if figure else Type(9.5, "bold", before=0.07)
    mark = STATES[figure.state()] if figure else ""
    pages.y -= look.before
    lines = look.lines(title + (f"  [{mark}]" if mark else ""), TEXT - 0.8)
    pages.need(look.leading() * len(lines))
    for line in lines:
        pages.put("text", LEFT + (0.2 if figure else 0.), pages.y, line, look, "left")
        pages.y -= look.leading()
    return pages.number(), pages.y + look.leading()


def summary_pdf(book, pages):
    widths = [1.75] + [(TEXT - 1.75) / len(COLUMNS)] * len(COLUMNS)
    head, body = Type(8, colour=SOFT, before=0.15), Type(9.5, before=0.03)
    pages.columns(["", *COLUMNS.values()], widths, [head] * len(widths))
    pages.rule()
    for paper in book.papers:
        count = book.counts(paper)
        pages.columns([paper.name, *(str(count[key]) for key in COLUMNS)], widths, [body] * len(widths))
    pages.rule()


def remarks_pdf(paper, pages):
    if paper.remarks:
        pages.text("Misprints and inputs that do not fit", LABEL, keep=0.3)
    for remark in paper.remarks:
        pages.text("– " + " ".join(remark.split()), BODY)


def figure_pdf(book, figure, pages, decks):
    """Its first page."""
    first = size_of(book.of(figure.parts[0]))[1] if figure.parts else 0.
    words = sum(len(BODY.lines(text, TEXT)) for text in (figure.told, figure.note) if text) * BODY.leading()
    mark = STATES[figure.state()]
    pages.text(figure.title() + (f"  [{mark}]" if mark else ""), FIGURE, keep=first + words + 0.4)
    start = pages.number()
    for text in (figure.told, figure.note):
        if text:
            pages.text(text, BODY)
    for part in figure.parts:
        exhibit = book.of(part)
        if part.label:
            pages.text(part.label, LABEL, keep=size_of(exhibit)[1] + 0.2)
        if exhibit.absent():
            pages.text(exhibit.absent(), Type(colour=OFF))
            continue
        if exhibit.picture:
            pages.picture(exhibit)
        for note in exhibit.notes:
            pages.text(note, WARNING)
        findings_pdf(exhibit, pages)
        if exhibit.cost:
            pages.text(exhibit.cost, SMALL)
        pages.lines(cut(exhibit.command, 100), Type(7.5, family=MONO, before=0.06))
        if exhibit.deck:
            decks[part.deck] = exhibit.deck
    return start


def findings_pdf(exhibit, pages):
    if not exhibit.findings:
        return
    widths = [1.95, 1.2, 1.05, 1.15, TEXT - 5.35]
    pages.need(0.4 + 0.24 * len(exhibit.findings))
    head = Type(8, colour=SOFT, before=0.1)
    pages.columns(["", "paper", "here", "independent", ""], widths, [head] * 5)
    pages.rule()
    for finding in exhibit.findings:
        one = finding.statement
        colour = BAD if not finding.expected else OFF if "differs" in finding.verdict else GOOD
        body = Type(9, before=0.03)
        pages.columns([one.what, target_text(finding, "paper"), found_text(finding), target_text(finding, "known"), finding.verdict], widths, [body] * 4 + [Type(9, before=0.03, colour=colour)])
        if one.why:
            pages.text(one.why, WHY)
    pages.rule()
