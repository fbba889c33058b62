"""The gallery as PDF, from the records of gallery_page.py; the decks stand at the end."""
import functools
import io
from dataclasses import dataclass

import matplotlib
import numpy as np
from matplotlib import font_manager
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure as Sheet

matplotlib.use("Agg")
import matplotlib.image

from .page import COLUMNS, INTRODUCTION, REDUCED, STATES, found_text, look_of, target_text, undecided


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
    parts = figure.parts()
    first = size_of(book.of(parts[0]))[1] if parts else 0.
    words = [text for text in (figure.note, *(figure.panels[0].axes() if figure.panels else [])) if text]
    mark = STATES[figure.state()]
    pages.text(figure.title() + (f"  [{mark}]" if mark else ""), FIGURE,
               keep=first + sum(len(BODY.lines(text, TEXT)) for text in words) * BODY.leading() + 0.4)
    start = pages.number()
    if figure.note:
        pages.text(figure.note, BODY)
    for panel in figure.panels:
        panel_pdf(book, panel, pages, decks)
    return start


def panel_pdf(book, panel, pages, decks):
    if panel.title():
        pages.text(panel.title(), LABEL, keep=0.4)
    for text in panel.axes():
        pages.text(text, SMALL)
    for text in (panel.told, panel.note):
        if text:
            pages.text(text, BODY)
    for part in panel.parts:
        part_pdf(part, book.of(part), book.first(part), pages)
        if book.of(part).deck:
            decks[part.deck] = book.of(part).deck
    findings_pdf(undecided(panel), pages)


def part_pdf(part, exhibit, first, pages):
    if part.label:
        pages.text(part.label, LABEL, keep=size_of(exhibit)[1] + 0.2)
    if exhibit.absent():
        pages.text(exhibit.absent(), Type(colour=OFF))
        return
    if exhibit.picture:
        pages.picture(exhibit)
    for note in exhibit.notes:
        pages.text(note, WARNING)
    findings_pdf(exhibit.findings, pages)
    if exhibit.cost and first:
        pages.text(exhibit.cost, SMALL)
    pages.lines(cut(exhibit.command, 100), Type(7.5, family=MONO, before=0.06))


def findings_pdf(findings, pages):
    if not findings:
        return
    widths = [1.95, 1.2, 1.05, 1.15, TEXT - 5.35]
    pages.need(0.4 + 0.24 * min(len(findings), 12))
    head, body = Type(8, colour=SOFT, before=0.1), Type(9, before=0.03)
    pages.columns(["", "paper", "here", "independent", ""], widths, [head] * 5)
    pages.rule()
    for finding in findings:
        one = finding.statement
        verdict = Type(9, before=0.03, colour={"bad": BAD, "off": OFF, "good": GOOD}[look_of(finding)])
        paper = f"{target_text(finding, 'paper')} ({one.place})" if one.place else target_text(finding, "paper")
        pages.columns([one.what, paper, found_text(finding), target_text(finding, "known"), finding.verdict], widths,
                      [body] * 4 + [verdict])
        if one.why or one.cannot:
            pages.text(one.why or one.cannot, WHY)
    pages.rule()
