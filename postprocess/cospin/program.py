"""Starting the program: decks as files, texts or mappings, options as keywords, what it says as exceptions and warnings.

    data = cospin.run("laser.yaml", ranks=2, set={"N": 40}, retry=True)
    data = cospin.run({"components": {"s": {"kind": "spin", "length": 2}}, ...})
    plan = cospin.plan("laser.yaml")

A deck with faults is a DeckFaults, which holds all of them with file, line and column. Ctrl-C (in a notebook: interrupt the
kernel) asks the run to stop as TERM does: what is finished is published, then Stopped is raised, and the same call goes on.
"""
import atexit
import os
import re
import shutil
import tempfile
import warnings
from dataclasses import dataclass

import numpy as np
import yaml

from .data import bad_points, open_dataset
from .process import Process, is_watched

try:  # written by jobscripts/setup.sh into the package that it installs
    from .built import PROGRAM as BUILT
except ImportError:
    BUILT = None

GOOD, WRONG, BAD, STOPPED = 0, 2, 3, 75  # exit statuses of the program
FAULT = re.compile(r"(?P<file>.+?):(?P<line>\d+):(?P<column>\d+): (?:(?P<key>[^\s:`]+): )?(?P<message>.*)")
ELSEWHERE = re.compile(r"(?P<file>command line|\S.*?\.\w+): (?:(?P<key>(?:--set )?[^\s:`]+): )?(?P<message>.*)")


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with a deck. line and column count from 1; 0: it stands nowhere in the text."""
    file: str
    line: int
    column: int
    key: str
    message: str

    def __str__(self):
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return ": ".join(part for part in (place, self.key, self.message) if part)


class DeckFaults(Exception):
    """The deck or the command is wrong, and nothing was run; `faults` are all that were found, `said` is the program's text."""

    def __init__(self, faults, said):
        super().__init__("\n".join(map(str, faults)) or said)
        self.faults, self.said = faults, said


class ProgramFailed(Exception):
    """The machine or the program has failed, or there is no program; `status` is its exit status."""

    def __init__(self, sentence, status=None):
        super().__init__(sentence)
        self.status = status


class Stopped(KeyboardInterrupt):
    """The run was interrupted and has published what was finished, in the dataset `path`."""

    def __init__(self, path, finished):
        super().__init__(f"stopped, {finished}: cospin.open({path!r}) reads it, the same call goes on")
        self.path = path


class BadPoints(UserWarning):
    """Some points have a bad outcome; their numbers are NaN."""


class Unfinished(UserWarning):
    """A run came to its `stop_at` before its end; points are missing."""


@dataclass(frozen=True)
class Plan:
    """What `cospin plan` says of a deck: `text` is all of it, `deck` the deck with every default, `sectors` a mapping
    {"task", "sector", "dimension"} for each sector that a task needs at the first point."""
    text: str
    deck: dict
    sectors: list

    def __str__(self):
        return self.text


# ---- Where the program is -------------------------------------------------------------------------------------------
def found_program(program=None):
    """The program: as given; what the environment's COSPIN or COSPIN_PROGRAM names; what this package was installed with, or
    was built where it stands; what is in the PATH."""
    here = os.path.dirname(os.path.realpath(__file__))
    named = [program] if program else [os.environ.get(name) for name in ("COSPIN", "COSPIN_PROGRAM") if os.environ.get(name)]
    beside = [os.path.join(here, "..", "..", "..", "..", "bin", "cospin"), os.path.join(here, "..", "..", "build", "release", "cospin")]
    for name in named[:1] or [*beside, *([BUILT] if BUILT else []), "cospin"]:
        path = shutil.which(name)
        if path:
            return os.path.normpath(path)
    raise ProgramFailed(f"there is no program {named[0]}" if named else
                        "there is no program cospin: build it, put it into the PATH, or name it (COSPIN in the environment, program=)")


def found_mpiexec(program, mpiexec=None):
    """mpiexec: as given, COSPIN_MPIEXEC, that of the MPI that the program was built with, or the one in the PATH."""
    cache = os.path.join(os.path.dirname(program), "CMakeCache.txt")
    if not mpiexec and "COSPIN_MPIEXEC" not in os.environ and os.path.exists(cache):
        with open(cache, encoding="utf-8") as stream:
            known = re.search(r"^MPIEXEC_EXECUTABLE:[^=]*=(.+)", stream.read(), flags=re.M)
        if known and os.path.exists(known.group(1)):
            return known.group(1)
    return mpiexec or os.environ.get("COSPIN_MPIEXEC", "mpiexec")


# ---- Decks ----------------------------------------------------------------------------------------------------------
def plain(value):
    """Mappings, lists and numbers of Python itself, for a deck: numpy's become these, complex ones an expression."""
    if isinstance(value, dict):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, complex):
        return f"{value.real!r}{value.imag:+.17g}*i"
    return value


def text_of(deck):
    """The text of a deck that is given as a mapping or as a text of several lines; None: it is a path."""
    if isinstance(deck, dict):
        return yaml.safe_dump(plain(deck), sort_keys=False, allow_unicode=True, width=110)
    return deck if isinstance(deck, str) and ("\n" in deck or ": " in deck) and not os.path.exists(deck) else None


def as_file(deck):
    """(path of the deck's file, its own folder, or None if it was one already). What stands in that folder, the dataset too,
    lasts as long as this Python."""
    text = text_of(deck)
    if text is None:
        return os.fspath(deck), None
    folder = tempfile.mkdtemp(prefix="cospin_")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = os.path.join(folder, "deck.yaml")
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(text)
    return path, folder


# ---- Options and what is said ---------------------------------------------------------------------------------------
def as_options(changes, options):
    """Words of the command line: set={"N": 40}, retry=True, ranks_per_point=2."""
    words = [word for name, value in (changes or {}).items() for word in ("--set", f"{name}={plain(value)}")]
    for name, value in options.items():
        name = "--" + name.replace("_", "-")
        if value is True:
            words.append(name)
        elif value is not None and value is not False:
            words += [name, str(value)]
    return words


def faults_in(lines, path, inline):
    """The faults that the program has told; those of a deck without a file of its own have the file `deck`."""
    faults = []
    for line in lines:
        found = None if line.startswith("cospin: ") else FAULT.fullmatch(line) or ELSEWHERE.fullmatch(line)
        if found:
            parts = {"line": 0, "column": 0, "key": "", **{key: value for key, value in found.groupdict().items() if value}}
            file = "deck" if inline and parts["file"] == path else parts["file"]
            faults.append(Fault(file, int(parts["line"]), int(parts["column"]), parts["key"], parts["message"]))
    return faults


def raise_for(done, path, inline):
    """DeckFaults or ProgramFailed unless the program came to a good end."""
    said = "\n".join(done.lines)
    if done.status == WRONG:
        raise DeckFaults(faults_in(done.lines, path, inline), said)
    if done.status not in (GOOD, BAD, STOPPED):
        raise ProgramFailed(f"cospin ended with status {done.status}: {said or 'it said nothing'}", done.status)


def started(words, shown=False, launched=False):
    """The process when it has come to its end."""
    try:
        return Process(words, shown, launched).wait()
    except OSError as error:
        raise ProgramFailed(f"cannot start {words[0]}: {error.strerror}") from None


# ---- Commands -------------------------------------------------------------------------------------------------------
def plan(deck, ranks=None, set=None, program=None, **options):  # pylint: disable=redefined-builtin
    """Checks a deck and tells sectors, dimensions, memory and cost: a Plan. Nothing is solved."""
    path, folder = as_file(deck)
    words = [found_program(program), "plan", path, *as_options(set, {"ranks": ranks, **options})]
    done = started(words)
    raise_for(done, path, folder is not None)
    found = re.finditer(r"^# +(?:task (\S+):.*|sector (.+): dimension (\d+).*)$", done.output, flags=re.M)
    task, sectors = None, []
    for one in found:
        task = one.group(1) or task
        if one.group(2):
            sectors.append({"task": task, "sector": one.group(2), "dimension": int(one.group(3))})
    return Plan(done.output, yaml.load(done.output, Loader=yaml.BaseLoader) or {}, sectors)


def run(deck, ranks=1, set=None, output=None, program=None, mpiexec=None, progress=None, petsc=(), **options):  # pylint: disable=redefined-builtin
    """Runs a deck and returns its dataset, as cospin.open does; its file is data.encoding["source"].

    deck      path, text of several lines, or a mapping
    ranks     processes of MPI; more than one are started by mpiexec
    set       {parameter: value or expression} in place of the deck's
    output    the dataset (default: the deck's name with .h5, in this folder; of texts and mappings a file that is gone with
              this Python). As on the command line, a run goes on with what is there: overwrite=True drops it
    progress  whether it is shown (default: in terminals and notebooks)
    petsc     words for PETSc, ["-decay_eps_tol", "1e-12"]
    options   of `cospin run`: overwrite, retry, groups, ranks_per_point, stop_at, stop_within, checkpoint
    """
    path, folder = as_file(deck)
    if output is None:
        output = os.path.join(folder or "", os.path.splitext(os.path.basename(path))[0] + ".h5")
    output = os.fspath(output)
    program = found_program(program)
    launcher = [found_mpiexec(program, mpiexec), "-n", str(int(ranks))] if ranks > 1 else []
    shown = is_watched() if progress is None else progress
    words = [*launcher, program, "run", path, "-o", output, "--progress", "line" if shown else "none", *as_options(set, options), *petsc]
    done = started(words, shown, bool(launcher))
    if done.interrupted and done.status != GOOD:
        raise Stopped(output, _how_far(output)) from None
    raise_for(done, path, folder is not None)
    return _loaded(output, done)


def _loaded(output, done):
    data = open_dataset(output)
    data.encoding["source"] = os.path.abspath(output)
    bad = [one for one in bad_points(data) if one[1] != "not_run"]
    if bad or done.status == BAD:
        where, meaning = bad[0] if bad else ({}, "bad")
        place = ", ".join(f"{axis} = {value:g}" for axis, value in where.items())
        warnings.warn(f"{len(bad)} of {data.attrs['cospin_points']} points have a bad outcome, their numbers are NaN: "
                      f"{meaning}{' at ' if place else ''}{place}{', ...' if len(bad) > 1 else ''} (cospin.bad_points)", BadPoints, stacklevel=3)
    if done.status == STOPPED:
        warnings.warn(f"stopped early, {_how_far(output)}: the same call goes on", Unfinished, stacklevel=3)
    for line in done.lines:
        if line.startswith("cospin: warning: "):
            warnings.warn(line[len("cospin: warning: "):], stacklevel=3)
    return data


def _how_far(output):
    try:
        data = open_dataset(output)
    except Exception:  # pylint: disable=broad-except  # whatever is wrong with it, the stop is what is told
        return "no point is finished"
    return f"{data.attrs['cospin_points_finished']} of {data.attrs['cospin_points']} points are finished"
