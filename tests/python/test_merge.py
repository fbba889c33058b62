"""Runs of several decks as one dataset: the same numbers as of one run over the whole grid."""
import os
import random
import subprocess
import tempfile
import unittest

from decks import PROGRAM, cospin_data

import h5py
import numpy as np

DECK = """
title: merged
parameters: {N: 4, w: 1, nbar: {value: 0, label: "thermal occupation"}, half: N/2}
grid: {w: [1, 2, 5]}
components: {ions: {kind: ensemble, size: N}}
jumps:
  - {rate: nbar+1, operator: ions.Sm}
  - {rate: nbar, operator: ions.Sp}
  - {rate: w*half, each: ions.sp}
observables: {inversion: {value: 2*<ions.Sz>/N, label: inversion}}
tasks: [{steady: {}}, {decay: {of: ions.Sp, count: 2}}]
"""


class Runs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)

    def run_deck(self, name, *changes, status=0):
        text = DECK
        for old, new in changes:
            self.assertIn(old, text)
            text = text.replace(old, new)
        deck, output = (os.path.join(self.folder.name, name + end) for end in (".yaml", ".h5"))
        with open(deck, "w", encoding="utf-8") as stream:
            stream.write(text)
        done = subprocess.run([PROGRAM, "run", deck, "-o", output, "--quiet"], check=False)
        self.assertEqual(done.returncode, status)
        return output


class Merge(Runs):
    def assert_same(self, merged, whole):
        for name in whole.data_vars:
            if not name.endswith(("seconds", "peak_memory")):
                np.testing.assert_allclose(merged[name].transpose(*whole[name].dims), whole[name], rtol=1e-12, err_msg=name)
                own = {key: value for key, value in whole[name].attrs.items() if key != "crc32"}
                self.assertEqual({key: str(value) for key, value in merged[name].attrs.items()},
                                 {key: str(value) for key, value in own.items()}, name)

    def test_a_parameter_that_differs_becomes_an_axis(self):
        small, large = self.run_deck("n4"), self.run_deck("n6", ("N: 4", "N: 6"))
        whole = cospin_data.open_dataset(self.run_deck("both", ("grid: {", "grid: {N: [4, 6], ")))
        merged = cospin_data.merge([large, small])
        self.assertEqual(cospin_data.axes(merged), ["N", "w"])
        self.assertEqual(merged.N.values.tolist(), [4, 6])
        self.assertEqual(merged.decay_rate.dims, ("N", "w", "mode"))
        self.assert_same(merged, whole)
        self.assertEqual(merged.merged_number.values.tolist(), [[2, 2, 2], [1, 1, 1]])
        self.assertEqual(merged.merged_file.values.tolist(), [large, small])
        self.assertIn("N: 6", merged.merged_deck.values[0])
        self.assertIn("cospin_version", merged.merged_provenance.values[1])
        copy = os.path.join(self.folder.name, "copy.h5")
        merged.to_netcdf(copy, engine="h5netcdf")
        self.assert_same(cospin_data.open_dataset(copy), whole)
        with self.assertRaisesRegex(cospin_data.NotADataset, "lacks a part that cospin writes .*deck"):
            cospin_data.deck(copy)

    def test_axes_with_other_values_and_a_number_for_an_axis(self):
        first, more = self.run_deck("w1"), self.run_deck("w2", ("[1, 2, 5]", "[0.5, 2, 9]"))
        single = self.run_deck("w3", ("grid: {w: [1, 2, 5]}", "grid: {}"), ("w: 1,", "w: 7,"))
        whole = cospin_data.open_dataset(self.run_deck("w4", ("[1, 2, 5]", "[0.5, 1, 2, 5, 7, 9]")))
        merged = cospin_data.merge([first, more, single])
        self.assertEqual(merged.w.values.tolist(), [0.5, 1, 2, 5, 7, 9])
        self.assert_same(merged, whole)
        self.assertEqual(merged.merged_number.values.tolist(), [2, 1, 1, 1, 3, 2])
        self.assertEqual(cospin_data.average(merged, "steady_inversion", "w").good, 6)

    def test_holes_are_not_run(self):
        merged = cospin_data.merge([self.run_deck("h1"), self.run_deck("h2", ("nbar: {value: 0", "nbar: {value: 3"),
                                                                      ("[1, 2, 5]", "[1, 4]"))])
        self.assertEqual(merged.outcome.values.tolist(), [[1, 1, 0, 1], [1, 0, 1, 0]])
        self.assertEqual(np.isnan(merged.steady_inversion).values.tolist(), (merged.outcome == 0).values.tolist())
        self.assertEqual((merged.attrs["cospin_points_finished"], merged.attrs["cospin_points"]), (5, 8))

    def test_a_good_point_wins(self):
        tight = ("steady: {}", "steady: {tolerance: 1e-30}")
        bad = self.run_deck("bad", ("[1, 2, 5]", "[0, 2]"), status=3)  # w = 0: every j has a steady state
        with self.assertRaisesRegex(cospin_data.NotADataset, "their tasks differ: .*1e-30"):
            cospin_data.merge([bad, self.run_deck("tight", tight, status=3)])
        merged = cospin_data.merge([bad, self.run_deck("good")])
        self.assertEqual(merged.outcome.values.tolist()[1:], [1, 1, 1])
        self.assertLess(int(merged.outcome[0]), 0)
        self.assertEqual(merged.merged_number.values.tolist(), [1, 2, 1, 2])

    def test_what_cannot_be_merged(self):
        first = self.run_deck("r0")
        for k, (change, sentence) in enumerate((
                (("nbar+1, operator", "nbar+2, operator"), r"their jumps differ: .*nbar\+1.* and .*nbar\+2"),
                (("2*<ions.Sz>", "3*<ions.Sz>"), "their observables differ: inversion"),
                (("half: N/2", "half: N/4"), "half is `N/2` in .*r0.h5, which is no number"),
                (("half: N/2", "half: N/2, more: 1"), "only one of them has a parameter more"),
                (("title:", "units: {rate: kHz}\ntitle:"), "their units differ: rate: 1 and kHz"))):
            with self.subTest(sentence), self.assertRaisesRegex(cospin_data.NotADataset, "cannot merge.*" + sentence):
                cospin_data.merge([first, self.run_deck(f"r{k + 1}", change)])


class Damage(Runs):
    def test_every_damage_is_one_sentence(self):
        """Truncated anywhere, or with a value that its checksum does not fit. (Some flips of bits in what HDF5 keeps for
        itself end the library.)"""
        path = self.run_deck("whole")
        with open(path, "rb") as stream:
            whole = stream.read()
        with h5py.File(path) as file:
            at = file["steady_inversion"].id.get_chunk_info(0).byte_offset
        random.seed(2)
        cases = [whole[:random.randrange(len(whole))] for _ in range(20)] + [b""]
        cases.append(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1:])
        broken = os.path.join(self.folder.name, "broken.h5")
        for case in cases:
            with open(broken, "wb") as stream:
                stream.write(case)
            for reading in (cospin_data.open_dataset, lambda file: cospin_data.merge([path, file])):
                with self.assertRaisesRegex(cospin_data.NotADataset, "damaged") as caught:
                    reading(broken)
                self.assertNotIn("\n", str(caught.exception))

    def test_not_ours(self):
        foreign, folder = os.path.join(self.folder.name, "foreign.h5"), self.folder.name
        with h5py.File(foreign, "w") as file:
            file["mine"] = 1
        for reading in (cospin_data.open_dataset, cospin_data.deck, cospin_data.provenance, cospin_data.stored_tasks):
            for path, sentence in ((foreign, "not one of cospin's"), (folder, "is a folder"), ("none.h5", "cannot read"),
                                   (os.path.abspath(__file__), "is not an HDF5 file, or damaged")):
                with self.subTest(path), self.assertRaisesRegex(cospin_data.NotADataset, sentence):
                    reading(path)


if __name__ == "__main__":
    unittest.main()
