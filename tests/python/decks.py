"""Runs decks of input/ through the program: what the tests of shipped decks share."""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

# Whether this is a run of `tests/run.sh --all`: then tests repeat more often, and those marked @decks.long run, too.
LONG = bool(os.environ.get("COSPIN_TEST_LONG"))
long = unittest.skipUnless(LONG, "long: tests/run.sh --all")
os.environ.setdefault("OMPI_MCA_ess_singleton_isolated", "1")
SOURCE = os.environ.get("COSPIN_SOURCE_DIR", os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
MPIEXEC = os.environ.get("COSPIN_MPIEXEC", "mpiexec")
PROGRAM = os.environ.get("COSPIN_PROGRAM", os.path.join(SOURCE, "build", "release", "cospin"))
sys.path.insert(0, os.path.join(SOURCE, "postprocess"))

try:
    import cospin_data
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)


def run(deck, changes=(), **options):
    """The dataset of a deck of input/, after replacing (pattern, text) pairs that must each match once; run_text's options."""
    with open(os.path.join(SOURCE, "input", deck), encoding="utf-8") as stream:
        text = stream.read()
    for pattern, replacement in changes:
        text, count = re.subn(pattern, replacement, text, flags=re.M)
        assert count == 1, pattern
    return run_text(text, **options)


def run_text(text, status=0, ranks=1, keep=None, mask=True):
    """The dataset of a deck. `status` is the exit status that is expected, or a tuple of them; `keep` a place for the dataset's file; `mask` open_dataset's."""
    with tempfile.TemporaryDirectory() as folder:
        path, output = os.path.join(folder, "deck.yaml"), os.path.join(folder, "out.h5")
        with open(path, "w", encoding="utf-8") as stream:
            stream.write(text)
        # Open MPI's own folders stand there too: programs that share them may trip over each other
        launcher = [MPIEXEC, "-n", str(ranks)] if ranks > 1 else []
        environment = {**os.environ, "TMPDIR": folder}
        if ranks > 1:
            environment.pop("OMPI_MCA_ess_singleton_isolated")
        done = subprocess.run(launcher + [PROGRAM, "run", path, "-o", output, "--quiet"], check=False, env=environment)
        allowed = status if isinstance(status, tuple) else (status,)
        assert done.returncode in allowed, f"exit status {done.returncode}, not {status}"
        if keep:
            shutil.copyfile(output, keep)
        return cospin_data.open_dataset(output, mask)
