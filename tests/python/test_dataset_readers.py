#!/usr/bin/python3
"""What postprocess/ reads from a dataset is what was written, and it draws without being told anything.

The datasets are written by the C test program: `test_dataset --example DIRECTORY` (line.h5: 8 points of nbar, of
which nbar = 2 did not converge; grid.h5: N x w; point.h5: no grid). Its place is argv[1] or COSPIN_BUILD_DIR/tests.
"""
import contextlib
import io
import os
import subprocess
import sys
import tempfile
import unittest
import warnings

import h5py
import numpy as np

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "postprocess"))
import cospin_data
import cospin_plot

PROGRAM = os.path.join(os.environ.get("COSPIN_BUILD_DIR", "build/release"), "tests", "test_dataset")
FOLDER = tempfile.TemporaryDirectory()


def path(name):
    return os.path.join(FOLDER.name, name)


def setUpModule():
    subprocess.run([PROGRAM, "--example", FOLDER.name], check=True)


def tearDownModule():
    FOLDER.cleanup()


def plot(*arguments):
    """(status, stdout, stderr) of the program."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = cospin_plot.main([*arguments])
    return status, out.getvalue(), err.getvalue()


class Reading(unittest.TestCase):
    def test_opens_without_warnings(self):
        cospin_data.open_dataset(path("line.h5"))  # imports what warns by itself
        for name in ("line.h5", "grid.h5", "point.h5"):
            with self.subTest(name), warnings.catch_warnings():
                warnings.simplefilter("error")
                cospin_data.open_dataset(path(name))

    def test_values_and_coordinates(self):
        data = cospin_data.open_dataset(path("line.h5"))
        self.assertEqual(data.decay_rate.dims, ("nbar", "mode"))
        self.assertEqual(data.nbar.values.tolist(), [0, 0.5, 1, 2, 3, 4, 4.7, 5])
        np.testing.assert_array_equal(data.decay_rate.sel(mode=1, nbar=4.7), 8)
        self.assertEqual(data.decay_rate.attrs["units"], "Gamma_c")
        self.assertEqual(data.nbar.attrs["long_name"], r"thermal occupation $\bar n$")
        self.assertEqual(data.dimension.dtype.kind, "i")
        self.assertEqual(cospin_data.axes(data), ["nbar"])
        self.assertEqual(cospin_data.axes(cospin_data.open_dataset(path("grid.h5"))), ["N", "x"])

    def test_bad_points_are_masked_and_listed(self):
        data = cospin_data.open_dataset(path("line.h5"))
        self.assertTrue(np.isnan(data.decay_rate.sel(nbar=2)).all())
        self.assertTrue(np.isfinite(data.decay_rate.sel(nbar=[1, 3])).all())
        self.assertTrue(np.isfinite(data.seconds).all())
        self.assertEqual(cospin_data.bad_points(data), [({"nbar": 2.0}, "not_converged")])
        stored = cospin_data.open_dataset(path("line.h5"), mask=False)
        self.assertTrue(np.isfinite(stored.decay_rate).all())

    def test_a_task_masks_its_own(self):
        stored = cospin_data.open_dataset(path("line.h5"), mask=False)
        stored["decay_outcome"] = stored.outcome.copy(data=[1, -2, 1, 1, 1, 1, 1, 1])
        data = cospin_data.masked(stored)
        self.assertEqual(data.nbar.values[np.isnan(data.decay_rate.values[:, 0])].tolist(), [0.5])
        self.assertEqual(data.nbar.values[np.isnan(data.steady_inversion.values)].tolist(), [2])

    def test_provenance_and_deck(self):
        self.assertEqual(cospin_data.provenance(path("line.h5"))["hosts"], "node1 node2")
        verbatim, completed = cospin_data.deck(path("grid.h5"))
        self.assertEqual(verbatim, "# title: µ\ngrid: {nbar: [0, 1]}\n")
        self.assertTrue(completed.startswith("grid:"))

    def test_what_is_no_dataset_is_refused(self):
        with open(path("text.h5"), "w") as file:
            file.write("title: a deck\n")
        with h5py.File(path("other.h5"), "w") as file:
            file["x"] = 1
        for name, reason in (("text.h5", "not an HDF5"), ("other.h5", "not one of cospin's"), ("no.h5", "No such")):
            with self.subTest(name), self.assertRaisesRegex(cospin_data.NotADataset, reason):
                cospin_data.open_dataset(path(name))


class Verifying(unittest.TestCase):
    """Nothing that has been changed since cospin wrote it is read without a word."""

    def copy(self, change=lambda data: data):
        """A copy of line.h5 whose bytes went through change()."""
        name = path(f"{self.id()}.h5")
        with open(path("line.h5"), "rb") as stream:
            data = stream.read()
        with open(name, "wb") as stream:
            stream.write(change(data))
        return name

    def edited(self):
        name = self.copy()
        with h5py.File(name, "r+") as file:
            file["decay_rate"][...] = 99
        return name

    def test_edited_values_are_refused(self):
        name = self.edited()
        for reading in (cospin_data.open_dataset, lambda file: cospin_data.merge([file]), cospin_data.deck,
                        cospin_data.provenance, cospin_data.stored_tasks):
            with self.assertRaisesRegex(cospin_data.NotADataset, "not those that cospin wrote .*: decay_rate: .*no-verify"):
                reading(name)
        self.assertEqual(cospin_data.open_dataset(name, verify=False).decay_rate.values[0, 0], 99)
        status, _, err = plot(name, "-o", path("edited.png"))
        self.assertEqual(status, 2)
        self.assertIn("decay_rate", err)
        self.assertEqual(plot(name, "-o", path("edited.png"), "--no-verify")[0], 0)

    def test_edited_decks_are_refused(self):
        name = self.copy()
        with h5py.File(name, "r+") as file:
            text = file["deck/verbatim"][()]
            file["deck/verbatim"][()] = text.replace(b"title", b"tiTle")
        with self.assertRaisesRegex(cospin_data.NotADataset, "deck/verbatim"):
            cospin_data.deck(name)
        self.assertIn("tiTle", cospin_data.deck(name, verify=False)[0])

    def test_what_hides_the_seal_is_told(self):
        seal = slice(-23, None)
        for change, said in ((lambda data: data + b"xx", "2 bytes behind its seal"),
                             (lambda data: data[:-4], "has no seal"),
                             (lambda data: data[:-23], "has no seal"),
                             (lambda data: data + data[seal] + b"\n", "24 bytes behind its seal")):
            with self.subTest(said), self.assertWarnsRegex(cospin_data.Damage, said):
                data = cospin_data.open_dataset(self.copy(change))
            np.testing.assert_array_equal(data.decay_rate.sel(mode=1, nbar=4.7), 8)

    def test_what_breaks_the_seal_is_refused(self):
        def flipped(data):
            return data[:3000] + bytes([data[3000] ^ 4]) + data[3001:]
        for change in (flipped, lambda data: flipped(data) + b"xx", lambda data: data + data[-23:]):
            with self.assertRaisesRegex(cospin_data.NotADataset, "checksum of the whole file is wrong"):
                cospin_data.open_dataset(self.copy(change))

    def test_a_note_is_told_but_harmless(self):
        name = self.copy()
        with h5py.File(name, "r+") as file:
            file.attrs["note"] = "seen by a colleague"
        with self.assertWarnsRegex(cospin_data.Damage, "something has changed it"):
            cospin_data.open_dataset(name)

    def test_held_by_another_program(self):
        name = self.copy()
        with h5py.File(name, "r+"):
            for verify in (True, False):
                done = subprocess.run([sys.executable, "-c", "import sys; sys.path.insert(0, sys.argv[1]); import cospin_data\n"
                                       f"cospin_data.open_dataset(sys.argv[2], verify={verify})", os.path.join(ROOT, "postprocess"),
                                       name], check=False, text=True, stderr=subprocess.PIPE)
                self.assertIn("is held open by another program", done.stderr)
                self.assertNotIn("damaged", done.stderr.splitlines()[-1])

    def test_a_missing_package_is_named(self):
        name = self.copy()
        done = subprocess.run([sys.executable, "-c", "import sys; sys.path.insert(0, sys.argv[1])\n"
                               "import importlib.util as util; real = util.find_spec\n"
                               "util.find_spec = lambda name, *more: None if name == 'h5netcdf' else real(name, *more)\n"
                               "import cospin_plot; sys.exit(cospin_plot.main([sys.argv[2]]))",
                               os.path.join(ROOT, "postprocess"), name], check=False, text=True, stderr=subprocess.PIPE)
        self.assertEqual(done.returncode, 2)
        self.assertIn("lacks the package h5netcdf", done.stderr)
        self.assertNotIn("damaged", done.stderr)

    def test_checksums_do_not_outlive_their_values(self):
        data = cospin_data.open_dataset(path("line.h5"))
        self.assertFalse([name for name in data.variables if "crc32" in data[name].attrs])


class Drawing(unittest.TestCase):
    def panels(self, name, *arguments):
        data = cospin_data.open_dataset(path(name))
        options = cospin_plot.parse_options([path(name), *arguments])
        return cospin_plot.choose_panels(path(name), data, options), [(path(name), data)]

    def draw(self, name, *arguments):
        panels, files = self.panels(name, *arguments)
        notes = []
        figure = cospin_plot.draw_figure(panels, files, notes.append)
        return figure, notes

    def test_panels_of_the_deck(self):
        figure, _ = self.draw("line.h5")
        first, second = figure.axes
        self.assertEqual(first.get_ylabel(), r"decay rate ($\Gamma_{c}$)")
        self.assertEqual(first.get_xlabel(), r"thermal occupation $\bar n$")
        self.assertEqual((first.get_yscale(), second.get_yscale()), ("log", "linear"))
        self.assertEqual(first.get_title(), "a")
        self.assertEqual(second.get_ylabel(), "inversion")
        self.assertEqual([t.get_text() for t in first.get_legend().texts], [r"$\mathrm{mode}$ = 0",
                                                                          r"$\mathrm{mode}$ = 1"])
        self.assertIsNone(second.get_legend())
        self.assertTrue(first.containers)  # the bracket of 5 % is visible
        texts = [text.get_text() for text in figure.texts]
        self.assertEqual(texts, ["Fringe decay", "A. Müller et al., PRA 0, 1 (2000)"])

    def test_bad_points_are_not_drawn(self):
        figure, _ = self.draw("line.h5")
        x, y = figure.axes[1].lines[0].get_data()
        self.assertEqual(x[np.isnan(y)].tolist(), [2])

    def test_series(self):
        figure, notes = self.draw("grid.h5", "--y", "decay_rate", "--series", "N")
        (ax,) = figure.axes
        self.assertEqual([t.get_text() for t in ax.get_legend().texts], ["$N$ = 10", "$N$ = 40", "$N$ = 124"])
        self.assertEqual(ax.get_xlabel(), r"$w/(N\Gamma_c)$")
        self.assertEqual(notes, ["decay_rate: drawn at mode = 0 only"])
        np.testing.assert_array_equal(ax.lines[2].get_ydata(), 1 + 0.5 * np.arange(40, 60))

    def test_many_curves_have_a_bar_of_colours(self):
        figure, _ = self.draw("grid.h5", "--y", "inversion", "--x", "N")
        ax, bar = figure.axes
        self.assertEqual(len(ax.lines), 20)
        self.assertIsNone(ax.get_legend())
        self.assertEqual(bar.get_ylabel(), r"$w/(N\Gamma_c)$")

    def test_a_constant_is_a_line(self):
        panels, files = self.panels("line.h5", "--y", "inversion,dimension")
        files[0][1]["dimension"][:] = 7
        figure = cospin_plot.draw_figure(panels, files, print)
        curve, line = figure.axes[0].lines
        self.assertNotEqual(curve.get_marker(), "")
        self.assertEqual(line.get_marker(), "")

    def test_two_variables_described_alike_stay_apart(self):
        panels, files = self.panels("line.h5", "--y", "decay_lower,decay_upper", "--series", "mode")
        files[0][1].decay_lower.attrs["long_name"] = files[0][1].decay_upper.attrs["long_name"]
        figure = cospin_plot.draw_figure(panels, files, print)
        ax = figure.axes[0]
        self.assertEqual([t.get_text() for t in ax.get_legend().texts][-2:], ["decay_lower", "decay_upper"])
        self.assertEqual(ax.get_ylabel(), cospin_plot.wrapped(cospin_plot.label(files[0][1].decay_upper), cospin_plot.HIGH))

    def test_long_labels_are_broken_but_no_formula(self):
        self.assertEqual(cospin_plot.wrapped(r"mean of all $a + b$, and more ($x y$)", 14),
                         "mean of all\n$a + b$, and\nmore ($x y$)")
        self.assertEqual(cospin_plot.wrapped("costs $5", 4), "costs\n$5")
        self.assertEqual(cospin_plot.wrapped("", 4), "")

    def test_the_title_tells_what_is_missing(self):
        panels, files = self.panels("line.h5")
        files[0][1].attrs["cospin_points_finished"] = 7
        figure = cospin_plot.draw_figure(panels, files, print)
        self.assertEqual(figure.texts[0].get_text(), "Fringe decay; 7 of 8 points")

    def test_pictures_are_not_put_among_shards(self):
        for file, picture in (("a/b.h5", "a/b.png"), ("a/b.h5.parts/", "a/b.png"), ("b.h5.parts/points-1.h5", "points-1.png"),
                              ("a/b.h5.parts/points-1.h5", "a/points-1.png")):
            self.assertEqual(cospin_plot.default_output(file), picture)

    def test_program(self):
        status, out, err = plot(path("line.h5"), path("line.h5"), "-o", path("x.pdf"), "--logy")
        self.assertEqual((status, out.strip()), (0, path("x.pdf")))
        self.assertIn("nbar = 2 (not_converged)", err)
        self.assertGreater(os.path.getsize(path("x.pdf")), 5000)
        status, out, _ = plot(path("grid.h5"))
        self.assertEqual((status, out.strip()), (0, path("grid.png")))

    def test_refusals_are_sentences(self):
        for arguments, reason in ((["--y", "nonsense"], "no variable nonsense"), (["--x", "w"], "no axis w"),
                                  (["-o", path("no/x.png")], "No such file"), (["-o", path("x.foo")], "foo")):
            with self.subTest(arguments):
                status, out, err = plot(path("line.h5"), *arguments)
                self.assertEqual((status, out), (2, ""))
                self.assertIn(reason, err)
        self.assertIn("No such file", plot(path("nothing.h5"))[2])

    def test_units_and_names_as_formulas(self):
        self.assertEqual(cospin_plot.as_tex("Gamma_c"), r"$\Gamma_{c}$")
        self.assertEqual(cospin_plot.unit_as_tex("1/Gamma_sp"), r"$1/\Gamma_{\mathrm{sp}}$")
        self.assertEqual(cospin_plot.unit_as_tex("kHz"), "kHz")
        self.assertEqual(cospin_plot.unit_as_tex(r"$\kappa$"), r"$\kappa$")
        self.assertEqual(cospin_plot.checked("costs 5$"), r"costs 5\$")


if __name__ == "__main__":
    if len(sys.argv) > 1 and not sys.argv[1].startswith("-"):
        PROGRAM = sys.argv.pop(1)
    unittest.main()
