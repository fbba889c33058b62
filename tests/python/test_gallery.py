"""The gallery: its list is whole, its numbers are read and not typed, and it runs, at reduced size but for a few quick decks."""
# cospin-test: TIMEOUT 600
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import unittest.mock

from decks import PROGRAM, SOURCE

import numpy
import xarray
import yaml

import cospin_data
import cospin_gallery
import gallery_list
import gallery_page
import gallery_pdf
import gallery_runs

LIST = os.path.join(SOURCE, "postprocess", "gallery.yaml")
INPUT = os.path.join(SOURCE, "input")
QUICK = ("ions_fig10a", "ions_fig5_cavity")  # at their full size here
SMALL = ("ions_crystal", "spin_cat_wigner", "maser_map", "maser_second_order", "pulse_clicks")  # each another kind of picture


def contents(path):
    with open(path, encoding="utf-8") as stream:
        return stream.read()


def statements(papers):
    return [one for paper in papers for part in paper.parts() for one in part.statements]


class TheList(unittest.TestCase):
    def faults(self, pattern, replacement):
        """What is said of the list after replacing one pattern, which must be there."""
        text, count = re.subn(pattern, replacement, contents(LIST), count=1, flags=re.M)
        self.assertEqual(count, 1, pattern)
        with tempfile.NamedTemporaryFile("w", suffix=".yaml", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            with self.assertRaises(gallery_list.Faulty) as raised:
                gallery_list.read_list(file.name, INPUT)
        return str(raised.exception)

    def test_every_panel_of_the_four_papers_is_there(self):
        papers = gallery_list.read_list(LIST, INPUT)
        numbered = [sorted({figure.figure for figure in paper.entries if figure.figure}) for paper in papers]
        self.assertEqual(numbered, [list(range(1, n + 1)) for n in (10, 4, 4, 6)])
        self.assertEqual([len(paper.panels()) for paper in papers], [16, 5, 14, 7])
        for paper in papers:
            for panel in paper.panels():
                self.assertTrue(panel.told or (panel.x and panel.y), f"{paper.name}: {panel.title()}: its axes are not told")

    def test_what_is_found_is_read_from_datasets(self):
        papers = gallery_list.read_list(LIST, INPUT)
        for one in statements(papers):
            with self.assertRaises(NameError, msg=one.here):
                gallery_list.evaluate(one.here, xarray.Dataset())

    def test_figures_without_deck_and_decks_without_file(self):
        self.assertIn("Fig. 10(b) is not listed", self.faults(r"^      - figure: 10\n        shows:", "      - shows:"))
        self.assertIn("Fig. 5(c) is not listed", self.faults(r"5: \[a, b\]", "5: [a, b, c]"))
        self.assertIn("Fig. 5(b) is listed, but the paper has none", self.faults(r"5: \[a, b\]", "5: [a]"))
        self.assertIn("there is no deck input/ions_fig11a.yaml", self.faults("deck: ions_fig10a", "deck: ions_fig11a"))
        self.assertIn("ions_fig10a.yaml says that it is from there", self.faults("deck: ions_fig10a", "deck: ions_visibility"))
        self.assertIn("input/ions_fig10a.yaml is there: remove its `missing`",
                      self.faults("^( +)- deck: ions_fig10a$", r"\1- deck: ions_fig10a\n\1  missing: to come"))
        self.assertIn("Fig. 3 is listed twice", self.faults(r"figure: 2, shows: levels of a coolant", "figure: 3, shows: levels of a coolant"))
        self.assertIn("unknown key `shwos`", self.faults("shows: decay rate", "shwos: decay rate"))
        self.assertIn("either `parts` (its decks) or `told`", self.faults("^        told: .*", ""))
        self.assertIn("there is nothing to compare with", self.faults(r"^ +paper: {value: 5,.*", ""))
        self.assertIn("there is no deck input/ions_fig7.yaml (`beside` of ions_fig7a_crystal)", self.faults("beside: {ions_fig7a:", "beside: {ions_fig7:"))
        self.assertIn("`place` is missing", self.faults(r"^ +place: text on Fig. 2", ""))
        self.assertIn("`cannot` says that no dataset decides it", self.faults(r"^( +)(place: text on Fig. 2)", r"\1\2\n\1cannot: so"))

    def test_pictures_of_the_readme(self):
        readme = contents(os.path.join(SOURCE, "postprocess", "README.md"))
        shown = [part.deck for paper in gallery_list.read_list(LIST, INPUT) for part in paper.parts() if part.readme]
        self.assertEqual(sorted(re.findall(r"\]\(pictures/(\w+)\.png\)", readme)), sorted(shown))
        self.assertEqual(len(shown), 3)
        for name in shown:
            self.assertLess(os.path.getsize(os.path.join(cospin_gallery.PICTURES, name + ".png")), cospin_gallery.LARGEST)

    def test_figures_that_decks_name(self):
        named = gallery_list.figures_named
        self.assertEqual(named("PRA 95, 033423 (2017), Eq. (23), Fig. 10(a)"), [10])
        self.assertEqual(named("Rev. 6, 8251 (2015), Figs. 3 and 4; checked"), [3, 4])
        self.assertEqual(named("Fig. 1 and Eqs. (11), (16)"), [1])
        self.assertEqual(named("Figs. 5-7, 9; Fig. 2 (N = 8)"), [5, 6, 7, 9, 2])


class Statements(unittest.TestCase):
    DATA = xarray.Dataset({"rate": ("x", [1., 4., 2.])}, coords={"x": [0.1, 0.2, 0.3]})

    def found(self, whole=True, here="at(rate, x=0.2)", why=None, **targets):
        targets = {key: gallery_list.Target(**value) for key, value in targets.items()}
        return gallery_list.compare(gallery_list.Statement("rate", here, why=why, **targets), self.DATA, whole)

    def test_agreement_needs_no_reason_and_difference_one(self):
        cases = {(4.1, None): ("agrees", True), (4.1, "because"): ("agrees", False), (5, None): ("does not agree", False),
                 (5, "because"): ("does not agree", True)}
        for (value, why), (verdict, expected) in cases.items():
            found = self.found(why=why, paper={"value": value, "within": 0.05})
            self.assertEqual((found.value, found.verdict, found.expected), (4, verdict, expected))

    def test_independent_numbers_must_be_met(self):
        self.assertTrue(self.found(known={"value": 4, "margin": 1e-9}).expected)
        self.assertTrue(self.found(known={"value": "2*at(rate, x=0.3)", "margin": "0.1*largest(rate)"}).expected)
        self.assertFalse(self.found(known={"value": 4.001, "within": 1e-6}).expected)

    def test_points_that_are_not_there(self):
        for whole in (True, False):
            found = self.found(whole, here="at(rate, x=0.25)", known={"value": 4, "margin": 1})
            self.assertEqual((found.value, found.expected), (None, not whole))
        self.assertEqual(self.found(False, known={"value": 9, "margin": 1}).verdict, "")  # not to be compared

    def test_places_powers_and_values_between(self):
        x = numpy.logspace(0, 2, 21)
        data = xarray.Dataset({"y": ("x", 3 * x ** 1.5)}, coords={"x": x})
        self.assertAlmostEqual(gallery_list.evaluate('power(y, "x")', data), 1.5)
        self.assertAlmostEqual(gallery_list.evaluate("between(y, x=7)", data), 3 * 7 ** 1.5, delta=1e-9)
        self.assertEqual(gallery_list.evaluate('place_of_largest(rate, "x")', self.DATA), 0.2)

    def test_statements_that_no_dataset_decides(self):
        one = gallery_list.Statement("rate", cannot="not measured", place="Fig. 1", paper=gallery_list.Target(says="fast", value=1, within=1))
        found = gallery_list.compare(one, None, True)
        self.assertEqual((found.value, found.verdict, found.expected), (None, "cannot be said", True))

    def test_power_laws_by_least_squares(self):
        """Of the values, not of their logarithms: a point near zero that is off weighs little; errors follow the scatter."""
        x = numpy.arange(2., 41.)
        off = numpy.where(x % 2, 1.01, 0.99)
        data = xarray.Dataset({"y": ("N", 6.5 * x ** 2 * off), "z": ("N", 6.5 * x ** 2 + (x == 2))}, coords={"N": x})
        found = {name: gallery_list.evaluate(f'{name}(y, "N")', data) for name in ("exponent", "exponent_error", "prefactor", "prefactor_error")}
        self.assertAlmostEqual(found["exponent"], 2, delta=3 * found["exponent_error"])
        self.assertAlmostEqual(found["prefactor"], 6.5, delta=3 * found["prefactor_error"])
        self.assertTrue(1e-4 < found["exponent_error"] < 0.02)
        self.assertAlmostEqual(gallery_list.evaluate('prefactor(even(y, "N"), "N")', data), 6.5 * 0.99, delta=1e-9)
        self.assertAlmostEqual(gallery_list.evaluate('prefactor(odd(y, "N"), "N", 21)', data), 6.5 * 1.01, delta=1e-9)
        self.assertLess(abs(gallery_list.evaluate('exponent(z, "N")', data) - 2), 1e-4)
        self.assertGreater(abs(gallery_list.evaluate('power(z, "N")', data) - 2), 1e-3)


class ReducedSize(unittest.TestCase):
    """A gallery of some decks, most of them made small (each deck runs, made small, in cli.decks_run)."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()  # pylint: disable=consider-using-with
        cls.addClassCleanup(cls.folder.cleanup)
        cls.runs = cls.folder.name
        cls.names = [*QUICK, *SMALL]
        small = os.path.join(SOURCE, "tests", "cli", "decks_run.sh")
        for name in cls.names:
            deck = os.path.join(INPUT, name + ".yaml")
            if name in QUICK:
                shutil.copy(deck, cls.runs)
                continue
            with open(os.path.join(cls.runs, name + ".yaml"), "w", encoding="utf-8") as stream:
                subprocess.run(["bash", small, "--small", deck], check=True, stdout=stream)
        launcher = os.path.join(SOURCE, "postprocess", "gallery")
        os.environ["COSPIN_PROGRAM"] = PROGRAM
        cls.done = subprocess.run([launcher, "--decks", cls.runs, "--runs", cls.runs, "--ranks", "1", "--dpi", "50", "--only", *cls.names], check=False,
                                  capture_output=True, text=True, env={**os.environ, "TMPDIR": cls.runs, "COSPIN_PYTHON": sys.executable})

    def test_everything_is_as_the_list_says(self):
        self.assertEqual(self.done.returncode, 0, self.done.stderr)
        page = contents(os.path.join(self.runs, "gallery.html"))
        for paper in gallery_list.read_list(LIST, INPUT):
            for figure in paper.entries:
                self.assertIn(gallery_page.plain(figure.title()), page)
                for panel in figure.panels:
                    self.assertIn(gallery_page.plain(panel.title()), page)
        self.assertGreaterEqual(page.count("<img src="), len(self.names))
        self.assertEqual(page.count("<details>"), len(self.names))  # each deck once, however many panels it draws
        self.assertNotRegex(page, r'(?:src|href)="(?!data:|#)')  # nothing outside of it
        self.assertIn("REDUCED SIZE", page)

    def test_panels_that_are_drawn_are_counted(self):
        """The summary's number of a paper is that of the panels on the page that have a picture."""
        page = contents(os.path.join(self.runs, "gallery.html"))
        rows = re.findall(r'<tr><td><a href="#p\d+">.*?</tr>', page)
        heads = re.findall(r"<th>(.*?)</th>", page)
        column = heads.index("drawn")
        said = [int(re.findall(r"<td>(.*?)</td>", row)[column]) for row in rows]
        papers = re.split(r'<h2 id="p\d+">', page)[1:]
        there = [sum("<img " in panel for panel in paper.split('<section class="panel">')[1:]) for paper in papers]
        self.assertEqual(said, there)
        self.assertGreaterEqual(sum(said), 3)
        self.assertLess(sum(said), sum(len(paper.on_page()) for paper in gallery_list.read_list(LIST, INPUT)))  # most are left out here

    def test_the_pdf_is_the_page_printed_or_not_there(self):
        path = os.path.join(self.runs, "gallery.pdf")
        if gallery_pdf.browser():
            with open(path, "rb") as stream:
                self.assertEqual(stream.read(5), b"%PDF-")
            self.assertIn("gallery.pdf", self.done.stdout)
        else:
            self.assertFalse(os.path.exists(path))
            self.assertIn("no PDF", self.done.stderr)
            self.assertNotIn("gallery.pdf", self.done.stdout)

    def test_a_browser_is_asked_to_print(self):
        """One that does, one that fails: a PDF of an earlier page is not left there."""
        page, path, said = os.path.join(self.runs, "gallery.html"), os.path.join(self.runs, "printed.pdf"), []
        for text, printed in (('for word in "$@"; do case $word in --print-to-pdf=*) echo "%PDF-" >"${word#*=}";; esac; last=$word; done; '
                               'case $last in file:///*gallery.html) ;; *) exit 1;; esac', True), ("echo it is broken >&2; exit 1", False)):
            program = os.path.join(self.runs, "browser")
            with open(program, "w", encoding="utf-8") as stream:
                stream.write("#!/bin/sh\n" + text + "\n")
            os.chmod(program, 0o755)
            with unittest.mock.patch.dict(os.environ, COSPIN_BROWSER=program):
                self.assertEqual(gallery_pdf.write_pdf(page, path, said.append), path if printed else None)
            self.assertEqual(os.path.exists(path), printed)
        self.assertEqual(len(said), 1)
        self.assertIn("it is broken", said[0])

    def test_quick_decks_have_their_numbers(self):
        page = contents(os.path.join(self.runs, "gallery.html"))
        compared = re.findall(r'class="(good|off|bad)">([a-zA-Z, ]+)</span>', page)
        compared = [one for one in compared if one[1] != "cannot be said"]
        papers = gallery_list.read_list(LIST, INPUT)
        quick = [one for paper in papers for part in paper.parts() if part.deck in QUICK for one in part.statements]
        self.assertEqual(len(compared), len(quick))
        self.assertGreater(len(quick), 6)
        self.assertEqual({look for look, _ in compared}, {"good"})
        self.assertIn(">0.937086", page)  # the fringe decay rate of Fig. 10(a), ion_superradiance.md

    def test_complete_datasets_are_left_alone(self):
        said, before = [], os.environ["COSPIN_PROGRAM"]
        os.environ["COSPIN_PROGRAM"] = "/bin/false"
        self.addCleanup(os.environ.update, COSPIN_PROGRAM=before)
        self.assertEqual(gallery_runs.run_all(self.names, self.runs, self.runs, 1, said.append), {})
        self.assertTrue(all(line.endswith(": complete") for line in said), said)
        with tempfile.TemporaryDirectory() as empty:  # and what is not complete is run, and told if it cannot be
            troubles = gallery_runs.run_all(["ions_fig10a"], self.runs, empty, 1, said.append)
        self.assertIn("status 1", troubles["ions_fig10a"])

    def test_a_number_that_is_off_is_an_error(self):
        text, count = re.subn("value: 0.937086, within: 1.e-6", "value: 0.937096, within: 1.e-6", contents(LIST))
        self.assertEqual(count, 1)
        path = os.path.join(self.runs, "other_list.yaml")
        with open(path, "w", encoding="utf-8") as stream:
            stream.write(text)
        arguments = ["--read", "--only", "ions_fig10a", "--list", path, "--decks", self.runs, "--runs", self.runs, "--dpi", "30", "-o",
                     os.path.join(self.runs, "other.html")]
        self.assertEqual(cospin_gallery.main(arguments), 3)
        page = contents(os.path.join(self.runs, "other.html"))
        self.assertIn('class="bad">agrees, NOT confirmed', page)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
