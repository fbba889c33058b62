"""Which files hold the points of a run, and one sentence where one of them cannot be read.

A finished run is one file, FILE.h5. While it goes on, and after it was killed, finished points stand in shards, small
datasets in the folder FILE.h5.parts; what an earlier run has finished may stand in FILE.h5 beside them.
"""
import contextlib
import fcntl
import os
import stat
import warnings

import h5py
import numpy as np
import yaml

from .seal import faults_and_remarks

FORMAT = 1  # the version of the layout that is understood here (attribute cospin_format)
SHARD = "shard_point"  # the axis of a shard


class NotADataset(Exception):
    """The file is not there, is damaged, or is not what was asked for; str() is a sentence for the user."""


class Damage(UserWarning):
    """A shard cannot be read, the rest of the run can; or a file can be read, but is not as cospin has left it."""


@contextlib.contextmanager
def opened(path, verify=True):
    """The h5py.File of one of cospin's files. What goes wrong while it is read becomes a NotADataset, and with `verify`
    so do values that are not those of their checksums."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise NotADataset(f"cannot read {path}: it is no file that can be read at any place (a folder, pipe or device)")
        with open(path, "rb") as stream:
            empty = not stream.read(1)
    except OSError as error:
        raise NotADataset(f"cannot read {path}: {error.strerror}") from None
    try:
        if verify and _is_held(path):
            raise BlockingIOError("somebody has the lock that HDF5 takes for writing")
        fault, remark = faults_and_remarks(path) if verify else (None, None)  # before HDF5 sees what may end it
        if fault:
            raise NotADataset(f"{path} {fault}: do not use it (verify=False, or --no-verify, reads it all the same)")
        with h5py.File(path, "r") as file:
            if "cospin_format" not in file.attrs:
                raise NotADataset(f"{path} is an HDF5 file, but not one of cospin's (no attribute cospin_format)")
            version = int(file.attrs["cospin_format"])
            if version > FORMAT:
                raise NotADataset(f"{path} has layout {version}, this program knows {FORMAT}: use the postprocess/ of "
                                  "the cospin that wrote it")
            if remark:
                warnings.warn(f"{path} {remark}", Damage, stacklevel=3)
            yield file
    except (OSError, KeyError, RuntimeError, ValueError, TypeError) as error:
        reason = "it is empty" if empty else " ".join(str(error.args[0] if error.args else error).split())
        if isinstance(error, BlockingIOError) or "unable to lock file" in str(error):
            raise NotADataset(f"{path} is held open by another program that writes into it, or lies where files cannot be "
                              "locked: close it there (or set HDF5_USE_FILE_LOCKING=FALSE, at your own risk): "
                              f"{error}") from None
        if isinstance(error, KeyError):
            raise NotADataset(f"{path} lacks a part that cospin writes ({reason})") from None
        raise NotADataset(f"{path} is not an HDF5 file, or damaged: {reason}") from None


def _is_held(path):
    """Whether HDF5 would not open it, since another program has it open for writing: then nothing has to fit."""
    if os.environ.get("HDF5_USE_FILE_LOCKING", "TRUE").upper() in ("FALSE", "0"):
        return False
    with open(path, "rb") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:  # a file system without locks
            pass
    return False


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
    # a run follows a link to its output, and has its folder there
    folder = (os.path.realpath(whole) if os.path.islink(whole) else whole) + ".parts"
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
