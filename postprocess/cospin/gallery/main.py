"""Every panel of the papers on one page, HTML and, where Chromium is installed, PDF (started by postprocess/gallery).

    gallery                        runs what is not complete in runs/, then draws and compares everything
    gallery --read                 runs nothing, takes what is there
    gallery --only ions_fig10a     these decks only (the page says what was left out)
    gallery --decks SMALL --runs SMALL    other decks of the same names, say with fewer spins

A stopped gallery goes on where it was: give the same command again. Exit status: 0 everything is as the list says;
2 the list or the command is wrong; 3 a run failed, a point is bad, or a number is not what the list expects; 75 stopped.
"""
import argparse
import io
import os
import subprocess
import sys
import time
import warnings

from .. import data as cospin_data
from .. import plot as cospin_plot
from . import HERE, ROOT
from . import entries as gallery_list
from . import page as gallery_page
from . import pdf as gallery_pdf
from . import runs as gallery_runs

TITLE = "cospin: the figures of four papers, computed"
PICTURES = os.path.join(HERE, "pictures")
LARGEST = 60000  # bytes of a picture of the README


def say(text):
    print(f"gallery: {text}", file=sys.stderr, flush=True)


# ---- What a dataset has to show -------------------------------------------------------------------------------------
def beside(part, runs, notes):
    """([(path, dataset)], names) of what other decks have to show in the same picture; a dataset that is not there is noted."""
    files, names = [], []
    for deck, variables in part.beside.items():
        path = os.path.join(runs, deck + ".h5")
        try:
            files.append((path, cospin_data.open_dataset(path)))
            names += variables
        except cospin_data.NotADataset:
            notes.append(f"There is no dataset of {deck}, which stands beside.")
    return files, names


def drawn(path, data, dpi, notes, only=(), deck=None, others=((), ())):
    """(PNG, width in inches) of what the deck's `plots:` ask for (`deck`: its text, if not what stands in the dataset), with what
    beside() has found; what could not be drawn is noted."""
    stream, widths = io.BytesIO(), []

    def save(figure):
        figure.savefig(stream, format="png", dpi=dpi)
        widths.append(figure.get_figwidth())

    try:
        cospin_plot.draw([(path, data), *others[0]], cospin_plot.parse_options([path]), notes.append, save, only, deck, others[1])
    except (cospin_plot.Refusal, ValueError) as problem:
        notes.append(f"There is no picture: {problem}")
        return None, 0.
    return stream.getvalue(), widths[0]


def duration(seconds):
    if seconds < 1:
        return f"{seconds:.2g} s"
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def cost(data, provenance):
    """From the variables of the points and the provenance."""
    points = data.attrs["cospin_points_finished"]
    seconds = data["seconds"].where(data["outcome"] != 0)
    ranks, groups = int(provenance.get("ranks", 1)), int(provenance.get("groups", 1))
    said = [f"{points} point{'s' if points != 1 else ''} in {duration(float(seconds.sum()))}",
            f"longest point {duration(float(seconds.max()))}", f"{ranks} rank{'s' if ranks != 1 else ''} in {groups} group{'s' if groups != 1 else ''}",
            f"at most {float(data['peak_memory'].max()) / 1e6:.0f} MB a point"]
    dimensions = [data[name] for name in data.data_vars if name.endswith("_dimension")]
    largest = max((int(one.max()) for one in dimensions), default=0)
    if largest:
        said.append(f"up to {largest} unknowns")
    return "Cost: " + ", ".join(said) + f". cospin {provenance.get('cospin_version', '')}, {provenance.get('git_revision', '')[:10]}."


def bad_points(data):
    bad = [(where, meaning) for where, meaning in cospin_data.bad_points(data) if meaning != "not_run"]
    if not bad:
        return []
    where, meaning = bad[0]
    place = ", ".join(f"{axis} = {value:g}" for axis, value in where.items())
    return [f"{len(bad)} of the points are bad and left out, the first {'at ' + place if place else ''} ({meaning})."]


def exhibit_of(part, options, trouble):
    """The Exhibit of a part whose deck is there; without a dataset it says why."""
    shipped, deck = (os.path.join(folder, part.deck + ".yaml") for folder in (gallery_list.SHIPPED, options.decks))
    path = os.path.join(options.runs, part.deck + ".h5")
    command = " ".join(gallery_runs.command(f"input/{part.deck}.yaml", f"runs/{part.deck}.h5", options.ranks))
    with open(deck, encoding="utf-8") as stream:
        result = gallery_page.Exhibit(part, stream.read(), command=command)
    try:
        with warnings.catch_warnings(record=True) as damage:
            warnings.simplefilter("always", cospin_data.Damage)
            data = cospin_data.open_dataset(path)
            result.reduced = not gallery_list.is_whole(path, shipped)
            provenance = cospin_data.provenance(path)
    except cospin_data.NotADataset as problem:
        result.notes.append(trouble or f"There is no dataset: {problem}.".replace(options.runs + os.sep, "runs/"))
        return result
    result.deck = cospin_data.deck(path)[0]
    result.notes += [str(one.message) for one in damage] + bad_points(data) + ([trouble] if trouble else [])
    result.notes += [f"Not finished: {note}." for note in cospin_plot.unfinished([(path, data)])]
    remarks = []  # what is not drawn, such as the other points of a large grid: no fault
    deck_text = result.deck if result.reduced else gallery_list.text_of(shipped)  # plots are not what a dataset depends on
    result.picture, result.inches = drawn(path, data, options.dpi, remarks, part.draws, deck_text, beside(part, options.runs, remarks))
    result.notes += [remark for remark in remarks if not result.picture]
    result.cost = cost(data, provenance)
    result.command = " ".join(gallery_runs.command(f"input/{part.deck}.yaml", f"runs/{part.deck}.h5", int(provenance.get("ranks", 1))))
    result.findings = [gallery_list.compare(one, data, not result.reduced) for one in part.statements]
    return result


def unexpected(papers, exhibits):
    """Sentences: what is not as the list says."""
    found = []
    for paper in papers:
        for figure in paper.entries:
            for part in figure.parts():
                exhibit, place = exhibits[id(part)], f"{paper.name}, {figure.title()}, {part.deck}"
                found += [f"{place}: {note}" for note in exhibit.notes]
                found += [f"{place}: {finding.statement.what}: {gallery_page.number_text(finding.value)}: {finding.verdict}"
                          + (" although the list explains a difference" if finding.statement.why and "agrees" in finding.verdict.split(", ") else "")
                          for finding in exhibit.findings if not finding.expected]
    return found


# ---- Program --------------------------------------------------------------------------------------------------------
def write_readme_pictures(papers, options):
    """The pictures that the README shows, small: few colours."""
    from PIL import Image
    os.makedirs(PICTURES, exist_ok=True)
    for part in [part for paper in papers for part in paper.parts() if part.readme]:
        path = os.path.join(options.runs, part.deck + ".h5")
        shipped = gallery_list.text_of(os.path.join(gallery_list.SHIPPED, part.deck + ".yaml"))
        png, _ = drawn(path, cospin_data.open_dataset(path), 110, [], deck=shipped)
        output = os.path.join(PICTURES, part.deck + ".png")
        Image.open(io.BytesIO(png)).convert("RGB").quantize(96).save(output, optimize=True)
        say(f"{output}: {os.path.getsize(output)} bytes")
        if os.path.getsize(output) > LARGEST:
            raise gallery_list.Faulty(f"{output} is larger than {LARGEST} bytes")


def parse_options(arguments):
    parser = argparse.ArgumentParser(prog="gallery", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", metavar="OUT.html", help="the page; the PDF beside it, if a browser can print it, is OUT.pdf (default: RUNS/gallery.html)")
    parser.add_argument("--runs", default=os.path.join(ROOT, "runs"), metavar="FOLDER", help="where the datasets are, or will be (default: runs)")
    parser.add_argument("--decks", default=gallery_list.SHIPPED, metavar="FOLDER", help="where the decks are (default: input)")
    parser.add_argument("--list", default=os.path.join(HERE, "gallery.yaml"), metavar="FILE", help="what there is to show (default: gallery.yaml)")
    parser.add_argument("--only", nargs="+", metavar="DECK", default=[], help="these decks only")
    parser.add_argument("--read", action="store_true", help="run nothing, take the datasets that are there")
    parser.add_argument("--ranks", type=int, default=int(os.environ.get("COSPIN_RANKS") or len(os.sched_getaffinity(0))), help="of a run (default: COSPIN_RANKS, or one for each core)")
    parser.add_argument("--dpi", type=int, default=200, help="of the pictures (default: 200)")
    parser.add_argument("--readme", action="store_true", help="draw the pictures of the README, too")
    return parser.parse_args(arguments)


def made_by(options):
    program = subprocess.run([gallery_runs.found_program(), "--version"], capture_output=True, text=True, check=False) if not options.read else None
    version = program.stdout.split("\n")[0].strip() if program and program.returncode == 0 else "cospin"
    return f"{version}; drawn on {time.strftime('%Y-%m-%d', time.gmtime())} by postprocess/gallery, which repeats it all."


def main(arguments=None):
    options = parse_options(arguments)
    try:
        papers = gallery_list.read_list(options.list)
        parts = [part for paper in papers for part in paper.parts() if not part.missing]
        unknown = [name for name in options.only if name not in [part.deck for part in parts]]
        if unknown:
            raise gallery_list.Faulty(f"no deck of the gallery: {', '.join(unknown)}")
        names = list(dict.fromkeys(part.deck for part in parts if not options.only or part.deck in options.only))
        troubles = {} if options.read else gallery_runs.run_all(names, options.decks, options.runs, options.ranks, say)
        exhibits = {id(part): exhibit_of(part, options, troubles.get(part.deck)) if part in parts and part.deck in names
                    else gallery_page.Exhibit(part, left_out=not part.missing) for paper in papers for part in paper.parts()}
        book = gallery_page.Book(TITLE, papers, exhibits, made_by(options))
        output = options.output or os.path.join(options.runs, "gallery.html")
        pdf = os.path.splitext(output)[0] + ".pdf"
        gallery_page.write_html(book, output)
        pdf = gallery_pdf.write_pdf(output, pdf, say)
        if options.readme:
            write_readme_pictures(papers, options)
    except KeyboardInterrupt:
        say("stopped; the same command goes on")
        return gallery_runs.STOPPED
    except (gallery_list.Faulty, cospin_data.NotADataset, OSError) as problem:
        say(str(problem))
        return 2
    wrong = unexpected(papers, exhibits)
    for one in wrong:
        say(one)
    print(output)
    if pdf:
        print(pdf)
    return 3 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
