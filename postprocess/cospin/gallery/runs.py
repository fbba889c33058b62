"""The datasets of the gallery: what is complete is left alone, the rest is run (and goes on where it was stopped)."""
import os
import re
import subprocess
import sys

from .. import data as cospin_data
from ..process import environment
from ..program import ProgramFailed, found_mpiexec, found_program
from . import entries as gallery_list

STOPPED = 75  # exit status of a run that the same command goes on with


def command(deck, dataset, ranks, program="build/release/cospin", mpiexec="mpiexec"):
    launcher = [mpiexec, "-n", str(ranks)] if ranks > 1 else []
    return [*launcher, program, "run", deck, "-o", dataset]


def is_complete(dataset, deck):
    """Whether all points of this deck stand in the dataset."""
    if not os.path.exists(dataset):
        return False
    data = cospin_data.open_dataset(dataset, mask=False)
    return data.attrs["cospin_points_finished"] == data.attrs["cospin_points"] and gallery_list.is_whole(dataset, deck)


def in_order(names, decks):
    """The decks, each behind those whose states it reads, which are added."""
    ordered = []

    def add(name):
        with open(os.path.join(decks, name + ".yaml"), encoding="utf-8") as stream:
            read = re.findall(r"\bfile: *(?:\.\./runs/)?(\w+)\.h5", stream.read())
        for other in read:
            if other not in ordered and os.path.exists(os.path.join(decks, other + ".yaml")):
                add(other)
        if name not in ordered:
            ordered.append(name)

    for name in names:
        add(name)
    return ordered


def run_all(names, decks, runs, ranks, say):
    """{deck: sentence} of those that could not be run. Ends with KeyboardInterrupt where a run was stopped."""
    try:
        program = found_program()
    except ProgramFailed as problem:
        return {name: str(problem) for name in names}
    os.makedirs(runs, exist_ok=True)
    troubles, ordered = {}, in_order(names, decks)
    for number, name in enumerate(ordered):
        deck, dataset = os.path.join(decks, name + ".yaml"), os.path.join(runs, name + ".h5")
        before = f"{number + 1} of {len(ordered)}: {name}"
        try:
            if is_complete(dataset, deck):
                say(f"{before}: complete")
                continue
        except cospin_data.NotADataset:
            pass  # the run says what is wrong with it
        say(f"{before}: running")
        status, last = run_one(command(deck, dataset, ranks, program, found_mpiexec(program)), dataset[:-len(".h5")] + ".log")
        if status == STOPPED or status < 0:
            raise KeyboardInterrupt
        if status not in (0, 3):
            troubles[name] = f"cospin run ended with status {status}: {last}"
            say(f"{name}: {troubles[name]}")
    return troubles


def run_one(arguments, log):
    """(exit status, last line that was written)."""
    seen = sys.stderr.isatty()  # mpiexec hides the terminal from the program
    with open(log, "w", encoding="utf-8") as stream:
        done = subprocess.run([*arguments, *(["--progress", "line"] if seen else [])], check=False, env=environment("-n" in arguments),
                              stdout=stream, stderr=None if seen else stream)
    with open(log, encoding="utf-8", errors="replace") as stream:
        lines = [line.strip() for line in stream if line.strip()]
    return done.returncode, lines[-1] if lines else f"see {log}"
