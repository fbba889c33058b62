"""Whether a file still holds what cospin wrote: its seal, and the checksum of each of its arrays.

The seal is a line behind the end of HDF5's own data, with the CRC-32 of all bytes before it. HDF5 cuts it off when it
changes the file; bytes that somebody appends stand behind it. Every array carries the CRC-32 of its values besides
(attribute crc32), which is looked at where the seal does not vouch for the whole file.
"""
import functools
import os
import zlib

import h5py
import numpy as np

START, SIZE = b"\ncospin crc32 ", 23
SUPERBLOCK = {0: (13, 40), 1: (13, 44), 2: (9, 28), 3: (9, 28)}  # where the size of offsets and the end of the data stand


def faults_and_remarks(path):
    """(what is wrong, what is to be known) about the bytes of a file, sentences without its name; None: nothing."""
    status = os.stat(path)
    return _examined(os.path.realpath(path), status.st_ino, status.st_size, status.st_mtime_ns)


@functools.lru_cache(maxsize=256)
def _examined(path, *_version):
    state, behind = _seal(path)
    if state == "broken":
        return "is damaged (the checksum of the whole file is wrong)", None
    if state == "whole":
        return None, None
    changed = _changed_arrays(path)
    if changed:
        return (f"has values that are not those that cospin wrote (attribute crc32): {', '.join(changed[:5])}"
                f"{', ...' if len(changed) > 5 else ''}"), None
    if state == "hidden":
        return None, (f"has {behind} bytes behind its seal (the checksum of the whole file) that cospin did not write; all "
                      "in front of it is whole")
    return None, ("has no seal (the checksum of the whole file, behind its end): something has changed it since cospin "
                  "wrote it")


def _seal(path):
    """("whole" | "broken" | "missing" | "hidden", number of bytes behind it)"""
    size = os.path.getsize(path)
    with open(path, "rb") as file:
        for at in (size - SIZE, _end_of_data(file)):
            if at is None or at < 0:
                continue
            file.seek(at)
            seal = file.read(SIZE)
            if len(seal) == SIZE and seal.startswith(START):
                fits = seal == START + b"%08x\n" % _crc(file, at)
                return ("broken" if not fits else "whole" if at == size - SIZE else "hidden"), size - SIZE - at
    return "missing", 0


def _end_of_data(file):
    """Where HDF5's own data end, as the first bytes of the file say."""
    file.seek(0)
    head = file.read(64)
    if len(head) < 64 or head[:8] != b"\x89HDF\r\n\x1a\n" or head[8] not in SUPERBLOCK:
        return None
    size, end = SUPERBLOCK[head[8]]
    return int.from_bytes(head[end:end + 8], "little") if head[size] == 8 else None


def _crc(file, size):
    crc = 0
    file.seek(0)
    while size > 0:
        block = file.read(min(size, 1 << 20))
        if not block:
            return -1
        crc, size = zlib.crc32(block, crc), size - len(block)
    return crc


def _changed_arrays(path):
    changed = []

    def look(name, item):
        if isinstance(item, h5py.Dataset) and "crc32" in item.attrs:
            try:
                found = zlib.crc32(np.ascontiguousarray(item[()]).tobytes())
            except (OSError, RuntimeError, ValueError):  # HDF5's own checksums
                found = None
            if found != item.attrs["crc32"]:
                changed.append(name)

    with h5py.File(path, "r") as file:
        file.visititems(look)
    return changed
