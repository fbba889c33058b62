"""The datasets of the gallery: what is complete is left alone, the rest is run (and goes on where it was stopped)."""
import os
import re
import shutil
import subprocess
import sys

import cospin_data
import gallery_list

STOPPED = 75  # exit status of a run that the same command goes on with
ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))


def found_program():
    """COSPIN_PROGRAM, or what was built here, or what is installed."""
    built = os.path.join(ROOT, "build", "release", "cospin")
    return os.environ.get("COSPIN_PROGRAM") or (built if os.path.exists(built) else "cospin")


def found_mpiexec(program):
    """COSPIN_MPIEXEC, or that of the MPI that the program was built with."""
    cache = os.path.join(os.path.dirname(program), "CMakeCache.txt")
    if "COSPIN_MPIEXEC" not in os.environ and os.path.exists(cache):
        with open(cache, encoding="utf-8") as stream:
            known = re.search(r"^MPIEXEC_EXECUTABLE:[^=]*=(.+)", stream.read(), flags=re.M)
        if known:
            return known.group(1)
    return os.environ.get("COSPIN_MPIEXEC", "mpiexec")


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
    program = shutil.which(found_program())
    if not program:
        return {name: f"there is no program {found_program()} (build it, or set COSPIN_PROGRAM)" for name in names}
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
    environment = {"OMP_NUM_THREADS": "1", "OMPI_MCA_hwloc_base_binding_policy": "none", **os.environ}
    if os.geteuid() == 0:
        environment.update(OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")
    seen = sys.stderr.isatty()  # mpiexec hides the terminal from the program
    with open(log, "w", encoding="utf-8") as stream:
        done = subprocess.run([*arguments, *(["--progress", "line"] if seen else [])], check=False, env=environment,
                              stdout=stream, stderr=None if seen else stream)
    with open(log, encoding="utf-8", errors="replace") as stream:
        lines = [line.strip() for line in stream if line.strip()]
    return done.returncode, lines[-1] if lines else f"see {log}"
