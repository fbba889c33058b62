"""Forty random decks (--all: a hundred) against the dense reference of tests/random: no disagreement, no crash, no hang."""
import os
import sys
import unittest

SOURCE = os.environ.get("COSPIN_SOURCE_DIR", os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
import decks

sys.path.insert(0, os.path.join(SOURCE, "tests", "random"))

try:
    import run
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

GIVEN = run.arguments([])
SEEDS = range(100 if decks.LONG else 40)


class Random(unittest.TestCase):
    def test_decks(self):
        compared = 0
        for seed in SEEDS:
            for task, verdict, explanation in run.one(seed, GIVEN)[2]:
                with self.subTest(seed=seed, task=task):
                    self.assertNotIn(verdict, run.SHOWN, explanation)
                compared += verdict == "agree"
        self.assertGreater(compared, 2 * len(SEEDS))  # the reference has something to say


if __name__ == "__main__":
    unittest.main(verbosity=2)
