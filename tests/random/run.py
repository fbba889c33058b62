"""Generates decks, runs them, compares them; prints what is wrong and counts the rest.

    python3 tests/random/run.py --count N --seed S [--jobs 2] [--keep DIR] [--all] [--operator shell] [--dense-limit 0 [--iterate]] [--ranks 2]

--keep DIR keeps the decks with verdicts that need a look (--all: every deck). The exit status is 1 if there was a
DISAGREE, a crash, a hang or a deck that was refused. Small sectors are solved densely: --dense-limit 0 asks the other
back ends, factors or (--operator shell) Davidson.
"""
import argparse
import collections
import functools
import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
import time

import compare
import generate

SHOWN = ("DISAGREE", "crash", "hang", "refused", "broken")


class TooLong(Exception):
    pass


def give_up(signum, frame):
    raise TooLong


def one(seed, given):
    """(seed, family, results, kept path)"""
    folder, timeout = tempfile.mkdtemp(), int(given.timeout)
    path = os.path.join(folder, f"{seed}.yaml")
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(generate.text(seed, ways(given)))
    signal.signal(signal.SIGALRM, give_up)
    signal.alarm(4 * timeout)
    try:
        results = compare.compare_deck(path, timeout, given.ranks)
    except TooLong:
        results = [("deck", "unknown", "the reference takes too long")]
    except Exception as fault:  # of the reference or of the generator: told, and the run goes on
        results = [("deck", "broken", f"{type(fault).__name__}: {fault}")]
    finally:
        signal.alarm(0)
    kept = ""
    if given.keep and (given.all or any(r[1] in SHOWN for r in results)):
        kept = shutil.copy(path, given.keep)
    shutil.rmtree(folder)
    return seed, generate.family(seed).__name__, results, kept


def ways(given):
    """Keys of the deck that say how it is solved."""
    keys = {"operator": given.operator} if given.operator else {}
    if given.dense_limit is not None:
        keys["petsc"] = {"dense_limit": given.dense_limit}
    if given.iterate:
        keys.setdefault("petsc", {})["iterate"] = True
    return keys


def arguments(words=None):
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--keep")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--timeout", type=float, default=60)
    parser.add_argument("--ranks", type=int, default=1)
    parser.add_argument("--operator", choices=("assembled", "shell", "auto"))
    parser.add_argument("--dense-limit", type=int)
    parser.add_argument("--iterate", action="store_true", help="with --dense-limit 0: GMRES with incomplete factors")
    parser.add_argument("--verbose", action="store_true", help="tell every verdict that is not `agree`")
    return parser.parse_args(words)


def table(counts):
    verdicts = sorted({v for _, v in counts})
    print(f"{'task':12}" + "".join(f"{v:>11}" for v in verdicts))
    for kind in sorted({k for k, _ in counts}):
        print(f"{kind:12}" + "".join(f"{counts.get((kind, v), 0):11}" for v in verdicts))


def main():
    given = arguments()
    if given.keep:
        os.makedirs(given.keep, exist_ok=True)
    seeds = range(given.seed, given.seed + given.count)
    counts, failed, start = collections.Counter(), False, time.time()
    with multiprocessing.Pool(given.jobs, maxtasksperchild=200) as pool:
        for seed, family, results, kept in pool.imap(functools.partial(one, given=given), seeds):
            for task, verdict, explanation in results:
                counts["decay" if task.startswith("decay") else task, verdict] += 1
                failed = failed or verdict in SHOWN
                if verdict in SHOWN or given.verbose and verdict != "agree":
                    print(f"{seed} {family} {task}: {verdict}: {explanation}" + (f"  [{kept}]" if kept else ""), flush=True)
    table(counts)
    print(f"{given.count} decks in {time.time() - start:.0f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
