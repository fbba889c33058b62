"""Pictures say what they show: files and series stay apart, what is chosen without being asked, slices, titles, legends, bars."""
# cospin-test: TIMEOUT 600 COST 20
import os
import shutil
import sys
import tempfile
import unittest

from decks import PROGRAM

import numpy as np
import xarray

import cospin
from cospin import plot
from cospin.drawing import curves as drawn
from cospin.drawing import look

DECK = """\
title: A driven spin
parameters: {S: 1, w: 1, g: {value: 1, label: '$\\gamma$'}}
grid: GRID
components: {s: {kind: spin, S: S}}
hamiltonian: [w*s.Sx]
jumps: [{rate: g, operator: s.Sm}]
observables: {up: <s.Sz>, across: {value: <s.Sy>, label: across, unit: T/Hz^(1/2)}, one: S}
tasks:
  - steady: {}
  - evolve: {times: {linspace: [0, 4, 9]}, initial: {}}
plots: PLOTS
"""


class Pictures(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="cospin_pictures_")
        cls.addClassCleanup(shutil.rmtree, cls.folder, True)
        os.environ["COSPIN_PROGRAM"] = os.path.abspath(PROGRAM)

    def run_deck(self, name, grid="{w: [1, 2]}", plots="[]", **options):
        path = os.path.join(self.folder, name + ".h5")
        data = cospin.run(DECK.replace("GRID", grid).replace("PLOTS", plots), output=path, **options)
        return path, data

    def draw(self, files, *arguments):
        notes = []
        panels = plot.choose_panels(*files[0], plot.parse_options([files[0][0], *arguments]))
        return plot.draw_figure(panels, files, notes.append), notes

    @staticmethod
    def legend(ax):
        return [text.get_text() for text in ax.get_legend().texts]

    def test_two_files_of_which_one_has_no_series(self):
        grid = self.run_deck("grid", "{g: [1, 2], w: [1, 2, 3]}")
        line = self.run_deck("line", "{w: [1, 2, 3]}", set={"S": 2})
        figure, _ = self.draw([grid, line], "--y", "steady_up", "--x", "w")
        ax = figure.axes[0]
        self.assertEqual(len(ax.lines), 3)
        colours = [one.get_color() for one in ax.lines]
        self.assertEqual(len(set(colours)), 3)
        self.assertEqual(self.legend(ax), [r"$\gamma$ = 1", r"$\gamma$ = 2", "grid.h5", "line.h5"])

    def test_two_files_with_variables_of_their_own(self):
        """`more`: what a second file has to show in the panel of the first; a cut along an axis that it has not is not its own."""
        late = self.run_deck("late", "{w: [1, 2]}", plots="[{x: w, y: evolve_up, at: time=4}]")
        other = cospin.run(DECK.replace("GRID", "{w: [1, 1.5, 2]}").replace("PLOTS", "[]").replace("  - evolve: {times: {linspace: [0, 4, 9]}, initial: {}}\n", "").replace("across: {", "beyond: {"))
        files, figures, options = [late, ("other.h5", other)], [], plot.parse_options([late[0]])
        plot.draw(files, options, self.fail, figures.append, more=["steady_beyond"])
        ax = figures[0].axes[0]
        self.assertEqual([len(line.get_xdata()) for line in ax.lines], [2, 3])
        self.assertEqual(len(self.legend(ax)), 2)
        self.assertFalse(any("h5" in text for text in self.legend(ax)))  # the variables tell the files apart
        with self.assertRaisesRegex(look.Refusal, "there is no variable steady_beyon "):
            plot.draw(files, options, self.fail, figures.append, more=["steady_beyon"])

    def test_series_are_sorted_and_named_if_they_are_there(self):
        one = self.run_deck("one", "{g: [3, 1], w: [1, 2]}")
        two = self.run_deck("two", "{g: [2, 4], w: [1, 2]}")
        two[1]["steady_up"][dict(g=1)] = np.nan
        figure, _ = self.draw([one, two], "--y", "steady_up", "--x", "w")
        self.assertEqual(self.legend(figure.axes[0]), [rf"$\gamma$ = {n}" for n in (1, 2, 3)] + ["one.h5", "two.h5"])

    def test_files_of_one_name(self):
        os.makedirs(os.path.join(self.folder, "other"), exist_ok=True)
        figure, _ = self.draw([self.run_deck("same"), self.run_deck("other/same", set={"S": 2})], "--y", "steady_up")
        self.assertEqual(len(self.legend(figure.axes[0])), 2)

    def test_bars_that_reach_zero_stay_on_a_logarithmic_axis(self):
        path, data = self.run_deck("bars")
        data["steady_one"] = abs(data["steady_up"])
        data["steady_one_error"] = data["steady_one"] * [2, .5]
        figure, _ = self.draw([(path, data)], "--y", "steady_one", "--x", "w", "--logy")
        ax = figure.axes[0]
        (bars,) = ax.containers
        stems = bars.lines[2][0].get_segments()
        self.assertEqual(len(stems), 2)
        low, high = ax.get_ylim()
        y = data["steady_one"].values
        self.assertAlmostEqual(stems[0][0][1], low, delta=1e-12)
        self.assertAlmostEqual(stems[0][1][1], 3 * y[0], delta=1e-12)
        self.assertAlmostEqual(stems[1][0][1], y[1] / 2, delta=1e-12)
        self.assertGreater(low, 0)

    def test_a_constant_alone_is_a_result(self):
        files = [self.run_deck("constant")]
        figure, _ = self.draw(files, "--y", "steady_one", "--x", "w")
        self.assertEqual((figure.axes[0].lines[0].get_linestyle(), figure.axes[0].lines[0].get_marker()), ("-", "o"))
        figure, _ = self.draw(files, "--y", "steady_up,steady_one", "--x", "w")
        self.assertEqual([one.get_marker() for one in figure.axes[0].lines], ["o", ""])

    def test_time_is_x(self):
        files = [self.run_deck("times", "{w: {linspace: [1, 2, 8]}}")]
        figure, notes = self.draw(files, "--y", "evolve_up")
        self.assertEqual(len([line for line in figure.axes[0].lines if line.get_marker() != ""]), 8)
        panels = [one for one in plot.choose_panels(*files[0], plot.parse_options([files[0][0]])) if one.y in (["evolve_up"], "evolve_up")]
        curves, field = panels
        self.assertEqual((curves.x, curves.series, field.x, field.series), ("time", "w", "time", "w"))
        figure = plot.draw_figure(panels, files, notes.append)
        lines = [line for line in figure.axes[0].lines if line.get_marker() != ""]
        self.assertEqual(len(lines), 5)
        self.assertIn("evolve_up: 5 of 8 values of w are curves", notes)
        np.testing.assert_array_equal(lines[4].get_ydata(), files[0][1].evolve_up[-1])

    def test_two_axes_are_a_map_at_the_last_time(self):
        files = [self.run_deck("maps", "{g: [1, 2], w: [1, 2, 3]}")]
        panels = [one for one in plot.choose_panels(*files[0], plot.parse_options([files[0][0]])) if one.y == "evolve_up"]
        self.assertEqual([(one.x, one.series, one.title) for one in panels], [("g", "w", "$t$ = 4")])
        figure = plot.draw_figure(panels, files, print)
        mesh = figure.axes[0].collections[0]
        np.testing.assert_array_equal(np.asarray(mesh.get_array()).ravel(), files[0][1].evolve_up.isel(time=-1).T.values.ravel())

    def test_slices_and_titles(self):
        plots = "[{x: w, y: steady_up, at: 'g=2', title: 'S = {S}, rate {g}'}]"
        files = [self.run_deck("slices", "{g: [1, 2], w: [1, 2, 3]}", plots)]
        figure, _ = self.draw(files)
        self.assertEqual(figure.axes[0].get_title(), "S = 1, rate 2")
        np.testing.assert_array_equal(figure.axes[0].lines[0].get_ydata(), files[0][1].steady_up.sel(g=2))
        figure, _ = self.draw(files, "--y", "evolve_up", "--at", "g=2, w=3")
        np.testing.assert_array_equal(figure.axes[0].lines[0].get_ydata(), files[0][1].evolve_up.sel(g=2, w=3))
        same = self.run_deck("mapping", "{g: [1, 2], w: [1, 2, 3]}", plots.replace("'g=2'", "{g: 2}"))
        figure, _ = self.draw([same])
        np.testing.assert_array_equal(figure.axes[0].lines[0].get_ydata(), same[1].steady_up.sel(g=2))
        with self.assertRaisesRegex(cospin.DeckFaults, r"plots\[0\].at: there is no axis `q`"):
            self.run_deck("no_axis", "{g: [1, 2], w: [1, 2, 3]}", plots.replace("'g=2'", "{g: 2, q: 1}"))
        for arguments, sentence in ((("--y", "steady_up", "--at", "g=7"), "g has no value 7"), (("--y", "steady_up", "--at", "q=7"), "`q=7` is no place")):
            with self.assertRaisesRegex(plot.Refusal, sentence):
                self.draw(files, *arguments)
        for title, sentence in (("{w}", "tells one w, but all of its values"), ("{q}", "asks for q")):
            files = [self.run_deck("slices", "{g: [1, 2], w: [1, 2, 3]}", plots.replace("rate {g}", title))]
            with self.assertRaisesRegex(plot.Refusal, sentence):
                self.draw(files)
        self.assertEqual(plot.checked("$x_{N}$"), "$x_{N}$")

    def test_a_formula_in_a_title_keeps_its_braces(self):
        files = [self.run_deck("formula", plots="[{x: w, y: steady_up, title: 'at $S_{S}$ = {S}'}]")]
        figure, _ = self.draw(files)
        self.assertEqual(figure.axes[0].get_title(), "at $S_{S}$ = 1")

    def test_variables_of_several_units_and_powers_of_units(self):
        figure, _ = self.draw([self.run_deck("units")], "--y", "steady_up,steady_across", "--x", "w")
        self.assertIn("across (T/Hz$^{1/2}$)", figure.axes[0].get_ylabel().replace("\n", " "))
        self.assertIn("up", figure.axes[0].get_ylabel())

    def test_names_and_numbers_as_formulas(self):
        variable = self.run_deck("names")[1].steady_up.copy()
        variable.attrs.update(long_name="decay rate of <ions.Sp*cavity.a>", units="kappa/(S*lambda^2)")
        self.assertEqual(plot.label(variable), r"decay rate of $\langle S^{+}_{\mathrm{ions}} a_{\mathrm{cavity}}\rangle$ "
                         r"($\kappa/(S\,\lambda^{2})$)")
        self.assertEqual([drawn.number_as_tex(one) for one in (.5, 200, 2e5, 1e6, 1e-4)],
                         ["0.5", "200", r"$2{\times}10^{5}$", "$10^{6}$", "$10^{-4}$"])
        for text in (plot.label(variable), drawn.number_as_tex(2e5)):
            self.assertEqual(plot.checked(text), text)

    def test_operators_with_indices_are_formulas(self):
        variable = self.run_deck("indices")[1].steady_up
        for text, formula in (("decay rate of <atoms.E[1,0]>", r"decay rate of $\langle E_{\mathrm{atoms}}[1,0]\rangle$"),
                              ("<q.sp[0]*q.sm[1]>", r"$\langle s^{+}_{\mathrm{q}}[0] s^{-}_{\mathrm{q}}[1]\rangle$")):
            variable.attrs.update(long_name=text, units="1")
            self.assertEqual(drawn.label(variable), formula)

    def test_samples_that_tell_no_course_are_dots(self):
        """Four times of an oscillation: what joins them is faint. Many times, or a straight line: a line."""
        times = {"few": "[0, 1, 2, 4]", "many": "{linspace: [0, 4, 41]}"}
        for name, wanted in times.items():
            path = os.path.join(self.folder, name + ".h5")
            deck = DECK.replace("GRID", "{w: [2, 3]}").replace("PLOTS", "[{x: time, y: evolve_up, series: w}]")
            cospin.run(deck.replace("{linspace: [0, 4, 9]}", wanted), output=path)
            axes = cospin.figure(path).axes[0]
            faint = [line for line in axes.lines if (line.get_alpha() or 1) < 1]
            dots = [line for line in axes.lines if line.get_linestyle() == "None"]
            self.assertEqual((len(faint), len(dots)), (2, 2) if name == "few" else (0, 0), name)
        self.assertTrue(drawn.Curve(np.arange(4.), np.array([0, 1, 0, 1.]), None, None, {}).is_coarse())
        self.assertFalse(drawn.Curve(np.arange(4.), np.array([0, 1, 2, 3.]), None, None, {}).is_coarse())

    def test_tasks_of_one_time_are_told_by_it(self):
        path = os.path.join(self.folder, "moments.h5")
        deck = DECK.replace("GRID", "{w: [1, 2]}").replace("PLOTS", "[{x: w, y: [early_up, late_up], ylabel: Up}]")
        tasks = "  - evolve: {name: early, times: [1], initial: {}}\n  - evolve: {name: late, times: [1000], initial: {}}\n"
        cospin.run(deck.replace("plots:", tasks + "plots:"), output=path)
        words = [text.get_text() for text in cospin.figure(path).axes[0].get_legend().get_texts()]
        self.assertEqual(words, ["$t$ = 1", "$t$ = 1000"])
        cospin.run(deck.replace("plots:", tasks.replace("[1000]", "[1]") + "plots:"), output=path, overwrite=True)
        words = [text.get_text() for text in cospin.figure(path).axes[0].get_legend().get_texts()]
        self.assertEqual(words, ["early", "late"])  # of one time both: it tells nothing

    def test_a_fit_needs_three_points(self):
        files = [self.run_deck("fit", "{w: [1, 2]}", "[{x: w, y: steady_one, fit: power}]")]
        figure, notes = self.draw(files)
        self.assertEqual(len(figure.axes[0].lines), 1)
        self.assertIn("a power law needs three points", notes[0])

    def test_three_panels_leave_no_hole(self):
        figure, _ = self.draw([self.run_deck("three", plots="[{x: w, y: steady_up}, {x: w, y: steady_across}, {x: w, y: steady_one}]")])
        self.assertEqual(len({round(ax.get_position().y0, 6) for ax in figure.axes}), 1)

    def test_a_legend_of_marks_alone_has_a_frame(self):
        """Its symbol would be taken for one more point; beside lines there is none."""
        framed = {}
        for name, extra in (("mark", "mark: 1.5 0, marked: here"), ("series", "series: g")):
            path, data = self.run_deck(name, "{w: [1, 2], g: [1, 2]}" if name == "series" else "{w: [1, 2]}", f"[{{x: w, y: steady_up, {extra}}}]")
            figure, _ = self.draw([(path, data)])
            framed[name] = figure.axes[0].get_legend().get_frame_on()
        self.assertEqual(framed, {"mark": True, "series": False})

    def test_means_of_letters_are_formulas(self):
        for text, tex in (("<AB> - <A><B>", r"$\langle AB\rangle$ - $\langle A\rangle\langle B\rangle$"),
                          ("coherent part <A><B>", r"coherent part $\langle A\rangle\langle B\rangle$")):
            self.assertEqual(look.label(xarray.DataArray(0., attrs={"long_name": text, "units": "1"})), tex)

    def test_a_legend_covers_no_curve(self):
        path, data = self.run_deck("cover", "{g: [1, 2, 3, 4], w: {linspace: [0.1, 3, 20]}}")
        phase = np.linspace(0, 40, 20)
        for k in range(4):
            data["steady_up"][dict(g=k)] = np.sin(phase + k)  # everywhere
        figure, _ = self.draw([(path, data)], "--y", "steady_up", "--x", "w")
        figure.canvas.draw()
        ax = figure.axes[0]
        box = ax.get_legend().get_window_extent().transformed(ax.transAxes.inverted())
        self.assertFalse(any(drawn.passes(line, ax, box) for line in ax.lines))
        self.assertEqual(len(self.legend(ax)), 4)

    def test_a_figure_for_a_notebook(self):
        path, data = self.run_deck("figure", "{g: [1, 2], w: [1, 2, 3]}")
        figure = cospin.figure(path, y=["steady_up", "steady_one"], x="w", at={"g": 2}, logx=True)
        np.testing.assert_array_equal(figure.axes[0].lines[0].get_ydata(), data.steady_up.sel(g=2))
        self.assertEqual(figure.axes[0].get_xscale(), "log")
        self.assertEqual(len(cospin.figure([path, path], deck="plots: [{x: w, y: steady_up, series: g}]").axes[0].lines), 4)

    def test_states_share_their_colours(self):
        path = os.path.join(self.folder, "states.h5")
        text = DECK.replace("GRID", "{w: [0, 2]}").replace("steady: {}", "steady: {store: state}")
        data = cospin.run(text.replace("PLOTS", "[{kind: wigner, task: steady, on: sphere}, {kind: wigner, task: steady, on: sphere}]"), output=path)
        figure, _ = self.draw([(path, data)])
        limits = {one.get_clim() for ax in figure.axes for one in ax.collections if one.get_array() is not None and len(np.shape(one.get_array())) > 0
                  and one.get_cmap().name == "RdBu_r"}
        self.assertEqual(len(limits), 1)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
