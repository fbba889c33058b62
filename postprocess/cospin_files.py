"""Which files hold the points of a run, and one sentence where one of them cannot be read.

A finished run is one file, FILE.h5. While it goes on, and after it was killed, finished points stand in shards, small
datasets in the folder FILE.h5.parts; what an earlier run has finished may stand in FILE.h5 beside them.
"""
import contextlib
import os

import h5py
import numpy as np
import yaml

FORMAT = 1  # the version of the layout that is understood here (attribute cospin_format)
SHARD = "shard_point"  # the axis of a shard


class NotADataset(Exception):
    """The file is not there, is damaged, or is not what was asked for; str() is a sentence for the user."""


class Damage(UserWarning):
    """A shard cannot be read, the rest of the run can."""


@contextlib.contextmanager
def opened(path):
    """The h5py.File of one of cospin's files. What goes wrong while it is read becomes a NotADataset."""
    try:
        with open(path, "rb") as stream:
            empty = not stream.read(1)
    except OSError as error:
        raise NotADataset(f"cannot read {path}: {error.strerror}") from None
    try:
        with h5py.File(path, "r") as file:
            if "cospin_format" not in file.attrs:
                raise NotADataset(f"{path} is an HDF5 file, but not one of cospin's (no attribute cospin_format)")
            version = int(file.attrs["cospin_format"])
            if version > FORMAT:
                raise NotADataset(f"{path} has layout {version}, this program knows {FORMAT}: use the postprocess/ of "
                                  "the cospin that wrote it")
            yield file
    except (OSError, KeyError, RuntimeError, ValueError, TypeError) as error:
        reason = "it is empty" if empty else " ".join(str(error.args[0] if error.args else error).split())
        if isinstance(error, KeyError):
            raise NotADataset(f"{path} lacks a part that cospin writes ({reason})") from None
        raise NotADataset(f"{path} is not an HDF5 file, or damaged: {reason}") from None


def text(value):
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def deck_of(file):
    """The deck with every default, as mappings and lists; every scalar is a text."""
    return yaml.load(text(file["deck"]["completed"][()]), Loader=yaml.BaseLoader) or {}


def grid_of(file):
    """{axis: values} of the whole grid, slowest first, as the deck has it."""
    return {name: np.array(values, dtype=float) for name, values in (deck_of(file).get("grid") or {}).items()}


def shards_in(folder):
    """Names of the shards, run after run: of a point that stands in several the last one counts."""
    names = os.listdir(folder) if os.path.isdir(folder) else []
    return sorted(os.path.join(folder, name) for name in names if name.startswith("points-") and name.endswith(".h5"))


def files_of(path):
    """Files that hold points, oldest first: `path` may be FILE.h5, the folder FILE.h5.parts, or a shard."""
    path = os.fspath(path).rstrip("/")
    whole = path[:-len(".parts")] if path.endswith(".parts") else path
    if os.path.isdir(path) and whole == path:
        raise NotADataset(f"{path} is a folder (of a run that goes on: FILE.h5 or FILE.h5.parts)")
    folder = whole + ".parts"
    found = shards_in(folder)
    # `overwrite`: the run replaces what FILE.h5 holds, which is not of the same deck
    replaced = os.path.exists(os.path.join(folder, "overwrite"))
    if os.path.exists(whole) and not (replaced and found and whole != path):
        found = [whole] + ([] if replaced else found)
    if not found and os.path.isdir(folder):
        raise NotADataset(f"{whole} has no finished point yet (its run writes into {folder})")
    if not found:
        raise NotADataset(f"cannot read {path}: No such file or directory")
    return found
