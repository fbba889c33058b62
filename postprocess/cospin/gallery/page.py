"""What there is to show of every panel, and the gallery as one HTML page that needs no other file.

A summary, a table of contents by paper, then panel by panel what the paper draws there, the picture, what the paper states and
what we find, the cost, the command; a deck stands, folded, where it draws first. Printed (pdf.py) without decks.
"""
import base64
import html
import math
from dataclasses import dataclass, field

from . import entries as gallery_list

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

    def first(self, part):
        """Whether its deck draws here for the first time."""
        return part is next(one for paper in self.papers for one in paper.parts() if one.deck == part.deck)

    def reduced(self):
        return any(exhibit.reduced for exhibit in self.exhibits.values())

    def findings(self, paper):
        """Of all its statements, those that no dataset decides too."""
        return [finding for figure in paper.entries for panel in figure.panels for finding in self.findings_of(panel)]

    def findings_of(self, panel):
        decided = [finding for part in panel.parts for finding in self.of(part).findings]
        return decided + undecided(panel)

    def is_drawn(self, panel):
        """Whether its picture, or one of them, stands on this page."""
        return any(self.of(part).picture for part in panel.parts)

    def counts(self, paper):
        """One number for each of COLUMNS; panels are counted as they stand on the page, not as the list has them."""
        drawn = [self.is_drawn(panel) for panel in paper.on_page()]
        states = [panel.state() for panel, there in zip(paper.on_page(), drawn) if not there]
        findings = self.findings(paper)
        words = [finding.verdict.split(", ") for finding in findings]
        return {"panels": len(drawn), "shown": sum(drawn),
                "missing": states.count("missing"), "without": states.count("no data"),
                "left": states.count("shown") + states.count("in part"),
                "statements": sum(bool(finding.statement.paper or finding.statement.cannot) for finding in findings),
                "agree": sum("agrees" in one for one in words), "differ": sum("does not agree" in one for one in words),
                "cannot": sum("cannot be said" in one for one in words),
                "confirmed": sum("confirmed" in one for one in words),
                "wrong": sum(not finding.expected for finding in findings)}


def undecided(panel):
    return [gallery_list.compare(one, None, True) for one in panel.statements]


INTRODUCTION = ("Every panel of four papers, drawn from datasets that cospin computed from the decks printed here, and what text and "
                "captions say of it. Numbers under `here` are read from those datasets; `paper` is what the paper states, and where; `independent` "
                "is a number that was computed with other programs. A statement agrees, does not (the reason is given), or cannot be said (why). The "
                "papers' texts were at hand, not their pictures: where a text does not tell an axis' range or unit, it was chosen here.")
REDUCED = ("REDUCED SIZE: (some of) these decks were made small, with few spins and few points, to try the gallery itself. Nothing "
           "here is to be compared with the papers.")
COLUMNS = {"panels": "panels", "shown": "drawn", "missing": "no deck yet", "without": "no data", "left": "not drawn here", "statements": "statements", "agree": "agree",
           "differ": "do not", "cannot": "cannot be said", "confirmed": "confirmed", "wrong": "unexplained"}


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
    value = finding.targets.get(name)  # None of a statement that no dataset decides
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
@media print { body { max-width: none; padding: 0; font-size: 11pt; } details { display: none; } h2 { break-before: page; }
  h3, h4 { break-after: avoid; } img, tr { break-inside: avoid; } img { max-height: 22cm; width: auto; } pre { white-space: pre-wrap; } }
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
    parts += [tag("p", plain(figure.note))] if figure.note else []
    return parts + [tag("section", "\n".join(panel_html(book, panel)), class_="panel") for panel in figure.panels]


def panel_html(book, panel):
    parts = [tag("h4", plain(panel.title()))] if panel.title() else []
    parts += [tag("p", plain(text), class_="soft") for text in panel.axes()]
    parts += [tag("p", plain(text)) for text in (panel.told, panel.note) if text]
    for part in panel.parts:
        parts += part_html(part, book.of(part), book.first(part))
    if panel.statements:
        parts.append(tag("div", tag("table", findings_html(undecided(panel))), class_="wide"))
    return parts


def part_html(part, exhibit, first):
    """`first`: its deck has not stood on the page yet."""
    parts = [tag("h4", plain(part.label))] if part.label else []
    if exhibit.absent():
        return [*parts, tag("p", plain(exhibit.absent()), class_="off")]
    if exhibit.picture:
        data = base64.b64encode(exhibit.picture).decode()
        parts.append(f'<img src="data:image/png;base64,{data}" width="{round(130 * exhibit.inches)}" '
                     f'alt="{html.escape(part.label or part.deck)}">')
    parts += [tag("p", plain(note), class_="bad") for note in exhibit.notes]
    if exhibit.findings:
        parts.append(tag("div", tag("table", findings_html(exhibit.findings)), class_="wide"))
    name = f"input/{part.deck}.yaml"
    if not first:
        return [*parts, tag("p", tag("a", name, href=f"#{part.deck}") + ", as above", class_="soft")]
    if exhibit.cost:
        parts.append(tag("p", plain(exhibit.cost), class_="soft"))
    parts.append(tag("pre", html.escape(exhibit.command), class_="command", id=part.deck))
    parts.append(tag("details", tag("summary", name) + tag("pre", html.escape(exhibit.deck))))
    return parts


def look_of(finding):
    return "bad" if not finding.expected else "good" if finding.verdict and "not agree" not in finding.verdict and "cannot" not in finding.verdict else "off"


def findings_html(findings):
    rows = [row(["", "paper", "here", "independent", ""], "th")]
    for finding in findings:
        one = finding.statement
        place = " " + tag("span", plain(one.place), class_="soft") if one.place else ""
        cells = [plain(one.what), plain(target_text(finding, "paper")) + place, tag("span", plain(found_text(finding)), title=one.here or ""),
                 plain(target_text(finding, "known")), tag("span", plain(finding.verdict), class_=look_of(finding))]
        reason = one.why or one.cannot
        rows.append(row(cells, **({"class_": "because"} if reason else {})))
        if reason:
            rows.append(tag("tr", tag("td", plain(reason), colspan=5), class_="why"))
    return "".join(rows)
