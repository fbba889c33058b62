/*
   The section `plots:`. A plot is only read and stored: the Python side draws it. What it names (axes,
   variables, stored states) is checked against the table of results later (store/plots.c), where it is known.
   Which keys there are depends on `kind:`, so that is read first.

   Which variables and axes there are depends on the tasks, whose results may be longer or shorter at other
   points of the grid. Names are therefore texts here, and `y: [a, b]` may name what only another task makes.
*/
#include "read_impl.h"
#include <stdlib.h>
#include <string.h>

const char *const CospinWignerKeys[] = {"task", "component", "on", "j", "title", "kind", NULL};

const char *const CospinCrystalKeys[] = {"array", "title", "kind", NULL};

const char *const CospinPlotKeys[] = {
    "x",    "series", "average", "title", "xlabel", "ylabel", "contour", "ridge", "mark", "marked", "at",
    "xlim", "ylim",   "inside",  "faint", "fit",    "split",  "y",       "logx",  "logy", "kind",   NULL};

/* One name or a list of them. */
static PetscErrorCode read_plot_variables(CospinReader *reader, const CospinEntry *entry, CospinPlot *plot)
{
  const char expected[] = "the name of a variable or a list of names";
  CospinEntries entries = {0, NULL};
  const CospinEntry *items = entry;

  PetscFunctionBeginUser;
  plot->num_y = 1;
  if (CospinEntryGetForm(entry) == COSPIN_ENTRY_LIST) {
    PetscCall(CospinEntriesCreate(entry, COSPIN_ENTRY_LIST, expected, reader->faults, &entries));
    plot->num_y = entries.count;
    items = entries.entries;
    if (!entries.count)
      PetscCall(CospinFaultsAdd(reader->faults, entry->at, entry->path, "must be %s", expected));
  }
  PetscCall(PetscCalloc1((size_t)plot->num_y, &plot->y));
  for (int k = 0; k < plot->num_y; k++)
    PetscCall(CospinEntryGetText(&items[k], expected, reader->faults, &plot->y[k]));
  PetscCall(CospinEntriesDestroy(&entries));
  PetscFunctionReturn(0);
}

/* Where further axes are cut: `AXIS=VALUE, ...`, or the same as a mapping, which becomes that text. NULL: the
   key is not there. */
static PetscErrorCode read_at(CospinReader *reader, const CospinEntry *entry, CospinPlot *plot)
{
  CospinEntries entries;
  char text[1024] = "";

  PetscFunctionBeginUser;
  if (!entry) PetscFunctionReturn(0);
  if (CospinEntryGetForm(entry) != COSPIN_ENTRY_MAPPING) {
    PetscCall(CospinEntryGetText(entry, "AXIS=VALUE, ... or {AXIS: VALUE}", reader->faults, &plot->at));
    PetscFunctionReturn(0);
  }
  PetscCall(CospinEntriesCreate(entry, COSPIN_ENTRY_MAPPING, "{AXIS: VALUE}", reader->faults, &entries));
  for (int k = 0; k < entries.count; k++) {
    const size_t length = strlen(text);
    char *value = NULL;
    PetscCall(CospinEntryGetText(&entries.entries[k], "a number", reader->faults, &value));
    if (value)
      (void)snprintf(text + length, sizeof(text) - length, "%s%s=%s", length ? ", " : "",
                     entries.entries[k].key, value);
    PetscCall(PetscFree(value));
  }
  if (text[0]) PetscCall(PetscStrallocpy(text, &plot->at));
  PetscCall(CospinEntriesDestroy(&entries));
  PetscFunctionReturn(0);
}

/* {kind: wigner | husimi, ...}: of stored states `j` chooses the irrep of an ensemble when the picture is
   drawn; here it has to be a number, whether there is such an irrep only the stored state knows. */
static PetscErrorCode read_wigner(CospinReader *reader, const CospinEntries *entries, CospinPlot *plot)
{
  static const char *const surfaces[] = {"plane", "sphere", NULL};
  char **const places[] = {&plot->task, &plot->component, &plot->on, &plot->j, &plot->title, NULL};
  const CospinEntry *on = CospinEntriesFind(entries, "on"), *j = CospinEntriesFind(entries, "j");
  char *end = NULL;

  PetscFunctionBeginUser;
  PetscCall(CospinEntriesCheckKeys(entries, CospinWignerKeys, reader->faults, NULL));
  PetscCall(CospinReadTexts(reader, entries, CospinWignerKeys, places));
  if (plot->on && strcmp(plot->on, surfaces[0]) && strcmp(plot->on, surfaces[1]))
    PetscCall(CospinFaultsAddUnknown(reader->faults, on->at, on->path, "choice", plot->on, surfaces));
  if (plot->j && (!(strtod(plot->j, &end) >= 0) || *end))
    PetscCall(CospinFaultsAdd(reader->faults, j->at, j->path, "`%.50s` is no number >= 0", plot->j));
  PetscFunctionReturn(0);
}

/* {kind: crystal, ...}: of the ions and modes of an array */
static PetscErrorCode read_crystal(CospinReader *reader, const CospinEntries *entries, CospinPlot *plot)
{
  char **const places[] = {&plot->array, &plot->title, NULL};

  PetscFunctionBeginUser;
  PetscCall(CospinEntriesCheckKeys(entries, CospinCrystalKeys, reader->faults, NULL));
  PetscCall(CospinReadTexts(reader, entries, CospinCrystalKeys, places));
  PetscFunctionReturn(0);
}

const char *const CospinPlotKinds[] = {
    [COSPIN_PLOT_LINES] = "lines",     [COSPIN_PLOT_WIGNER] = "wigner", [COSPIN_PLOT_HUSIMI] = "husimi",
    [COSPIN_PLOT_CRYSTAL] = "crystal", [COSPIN_PLOT_MAP] = "map",       NULL};

/* What a plot is of: `lines` unless it says so; *good: it is one of those that there are. An unknown kind
   ends the reading of this plot: its keys would all be unknown as well. */
static PetscErrorCode read_plot_kind(CospinReader *reader, const CospinEntries *entries, CospinPlotKind *kind,
                                     PetscBool *good)
{
  const CospinEntry *entry = CospinEntriesFind(entries, "kind");
  char *text = NULL;

  PetscFunctionBeginUser;
  *kind = COSPIN_PLOT_LINES;
  *good = PETSC_TRUE;
  if (!entry) PetscFunctionReturn(0);
  PetscCall(CospinEntryGetText(entry, "lines, map, wigner, husimi or crystal", reader->faults, &text));
  *good = PETSC_FALSE;
  for (int k = 0; text && CospinPlotKinds[k] && !*good; k++) {
    *kind = (CospinPlotKind)k;
    *good = (PetscBool)(strcmp(text, CospinPlotKinds[k]) == 0);
  }
  if (text && !*good)
    PetscCall(CospinFaultsAddUnknown(reader->faults, entry->at, entry->path, "kind of plot", text,
                                     CospinPlotKinds));
  PetscCall(PetscFree(text));
  PetscFunctionReturn(0);
}

/* Two numbers with a blank between: a point, or the ends of an axis. */
static PetscErrorCode check_pair(CospinReader *reader, const CospinEntry *entry, const char text[],
                                 const char what[])
{
  double x, y;
  char more;

  PetscFunctionBeginUser;
  if (text && sscanf(text, "%lf %lf %c", &x, &y, &more) != 2)
    PetscCall(CospinFaultsAdd(reader->faults, entry->at, entry->path,
                              "`%.50s` %s (must be two numbers with a blank between, \"1e5 2\")", text,
                              what));
  PetscFunctionReturn(0);
}

/* What lines alone have, and what every plot over axes has. */
static PetscErrorCode check_lines(CospinReader *reader, const CospinEntry *entry, const CospinPlot *plot)
{
  PetscFunctionBeginUser;
  PetscCall(check_pair(reader, entry, plot->mark, "marks no point"));
  PetscCall(check_pair(reader, entry, plot->xlim, "are no ends of an axis"));
  PetscCall(check_pair(reader, entry, plot->ylim, "are no ends of an axis"));
  if (plot->marked && !plot->mark)
    PetscCall(CospinFaultsAdd(reader->faults, entry->at, entry->path, "`marked` says what `mark` is of"));
  if (plot->fit && strcmp(plot->fit, "power"))
    PetscCall(CospinFaultsAdd(reader->faults, entry->at, entry->path,
                              "there is no fit `%.50s` (known: power)", plot->fit));
  if (plot->split && strcmp(plot->split, "parity"))
    PetscCall(CospinFaultsAdd(reader->faults, entry->at, entry->path,
                              "curves cannot be split by `%.50s` (known: parity)", plot->split));
  if (plot->kind == COSPIN_PLOT_MAP && (plot->fit || plot->split || plot->faint))
    PetscCall(
        CospinFaultsAdd(reader->faults, entry->at, entry->path, "a map has no `faint`, `fit` and `split`"));
  PetscFunctionReturn(0);
}

/* A map has two axes; only a map has lines on it. */
static PetscErrorCode check_map(CospinReader *reader, const CospinEntry *entry, const CospinPlot *plot)
{
  PetscFunctionBeginUser;
  if (plot->kind != COSPIN_PLOT_MAP && (plot->contour || plot->ridge || plot->inside))
    PetscCall(CospinFaultsAdd(reader->faults, entry->at, entry->path,
                              "`contour`, `ridge` and `inside` go with `kind: map`"));
  if (plot->kind == COSPIN_PLOT_MAP && (!plot->x || !plot->series))
    PetscCall(CospinFaultsAdd(reader->faults, entry->at, entry->path,
                              "a map needs `x` and `series`, two axes of the grid"));
  PetscFunctionReturn(0);
}

/* The list of places has the order of CospinPlotKeys; NULL where a key is no text and is read by itself. */
static PetscErrorCode read_plot(CospinReader *reader, const CospinEntry *entry, CospinPlot *plot)
{
  char **const places[] = {
      &plot->x,     &plot->series, &plot->average, &plot->title, &plot->xlabel, &plot->ylabel, &plot->contour,
      &plot->ridge, &plot->mark,   &plot->marked,  NULL,         &plot->xlim,   &plot->ylim,   &plot->inside,
      &plot->faint, &plot->fit,    &plot->split,   NULL,         NULL,          NULL,          NULL};
  const CospinEntry *y, *logx, *logy;
  CospinEntries entries;
  PetscBool good;

  PetscFunctionBeginUser;
  plot->position = entry->at;
  PetscCall(CospinEntriesCreate(entry, COSPIN_ENTRY_MAPPING, "a mapping {x: AXIS, y: VARIABLE}",
                                reader->faults, &entries));
  PetscCall(read_plot_kind(reader, &entries, &plot->kind, &good));
  if ((plot->kind != COSPIN_PLOT_LINES && plot->kind != COSPIN_PLOT_MAP) || !good) {
    if (good && CospinPlotIsOfStates(plot->kind)) PetscCall(read_wigner(reader, &entries, plot));
    if (good && plot->kind == COSPIN_PLOT_CRYSTAL) PetscCall(read_crystal(reader, &entries, plot));
    PetscCall(CospinEntriesDestroy(&entries));
    PetscFunctionReturn(0);
  }
  PetscCall(CospinEntriesCheckKeys(&entries, CospinPlotKeys, reader->faults, NULL));
  PetscCall(CospinReadTexts(reader, &entries, CospinPlotKeys, places));
  PetscCall(read_at(reader, CospinEntriesFind(&entries, "at"), plot));
  y = CospinEntriesFind(&entries, "y");
  logx = CospinEntriesFind(&entries, "logx");
  logy = CospinEntriesFind(&entries, "logy");
  PetscCall(check_map(reader, entry, plot));
  PetscCall(check_lines(reader, entry, plot));
  if (logx) PetscCall(CospinReadBoolean(reader, logx, &plot->logx));
  if (logy) PetscCall(CospinReadBoolean(reader, logy, &plot->logy));
  if (y)
    PetscCall(read_plot_variables(reader, y, plot));
  else if (CospinEntryGetForm(entry) == COSPIN_ENTRY_MAPPING ||
           CospinEntryGetForm(entry) == COSPIN_ENTRY_EMPTY)
    PetscCall(
        CospinFaultsAdd(reader->faults, entry->at, entry->path, "`y` is missing (the variables to draw)"));
  PetscCall(CospinEntriesDestroy(&entries));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinReadPlots(CospinReader *reader, const CospinEntry *entry)
{
  CospinDeck deck = reader->deck;
  CospinEntries entries;

  PetscFunctionBeginUser;
  PetscCall(CospinEntriesCreate(entry, COSPIN_ENTRY_LIST, "a list of {x: AXIS, y: VARIABLE}", reader->faults,
                                &entries));
  PetscCall(PetscCalloc1((size_t)entries.count, &deck->plots));
  deck->num_plots = entries.count;
  for (int k = 0; k < entries.count; k++) PetscCall(read_plot(reader, &entries.entries[k], &deck->plots[k]));
  PetscCall(CospinEntriesDestroy(&entries));
  PetscFunctionReturn(0);
}
