/*
   A deck's text to a deck. The table of sections is all that is known here; a new section is a reader and a
   row.

   Sections are read in the order of the table, not of the file, since one may need another (tasks name
   components, an axis names a parameter). A section with faults is marked unsound and reading goes on, so
   that one run tells all faults; what needs an unsound section is then not looked at, lest faults that
   follow from others are told.

   The order has one more reason: `operator:` stands before `tasks:`, because under `operator: expansion` the
   same names of tasks mean other kinds with other keys.
*/
#include "read_impl.h"
#include <math.h>
#include <string.h>

/* What a section says something of; the rest of the deck can be looked at where that is sound. */
enum { OTHER, PROBLEM, OBSERVABLES, TASKS, NUM_PARTS };

/* In the order in which they are read and printed: a section's reader may use those before it. */
static const struct {
  PetscErrorCode (*Read)(CospinReader *, const CospinEntry *);
  CospinSectionInfo info;
  int part;
} sections[] = {
    {CospinReadTitle,
     {"title", PETSC_TRUE, "what the deck computes, in one line", "one line of text", {NULL}},
     OTHER},
    {CospinReadSource,
     {"source", PETSC_FALSE, "where the problem comes from", "one line of text", {NULL}},
     OTHER},
    {CospinReadUnits,
     {"units",
      PETSC_FALSE,
      "units of rates and times",
      "{rate: U, time: T}: labels, nothing is converted; time is 1/rate by default",
      {CospinUnitsKeys}},
     OTHER},
    {CospinReadParameters,
     {"parameters",
      PETSC_FALSE,
      "numbers and expressions of each other",
      "NAME: EXPRESSION, or NAME: {value: EXPRESSION, unit: U, label: L}, in any order",
      {CospinDefinitionKeys}},
     PROBLEM},
    {CospinReadGrid,
     {"grid",
      PETSC_FALSE,
      "axes: parameters that take many values",
      "PARAMETER: [VALUE, ...], {linspace: [first, last, count]}, {logspace: [first, last, count]} or "
      "{range: "
      "[first, end, step]}, the end left out; each value of one axis with each of the others, the last axis "
      "fastest",
      {NULL}},
     PROBLEM},
    {CospinReadComponents,
     {"components",
      PETSC_FALSE, /* see check_components */
      "the factors of the Hilbert space",
      "NAME: {kind: KIND, keys of the kind}, one at least unless all tasks do without (heralding)",
      {NULL}},
     PROBLEM},
    {CospinReadArrays,
     {"arrays",
      PETSC_FALSE,
      "vectors and matrices over the spins",
      "NAME: a list, a list of lists, or {GENERATOR: {keys}}; used with an index, NAME[l] or NAME[l,m], "
      "what a generator makes several of as NAME.PART[l]",
      {NULL}},
     PROBLEM},
    {CospinReadHamiltonian,
     {"hamiltonian",
      PETSC_FALSE,
      "operator expressions, summed",
      "a list of operator expressions with hbar = 1, `X + hc` for X and its adjoint; {sum: EXPRESSION} runs "
      "over "
      "the spins l, m that it names",
      {CospinTermKeys}},
     PROBLEM},
    {CospinReadJumps,
     {"jumps",
      PETSC_FALSE,
      "dissipative processes",
      "a list of {rate: g, operator: A}, g (A rho A^+ - 1/2 A^+A rho - 1/2 rho A^+A); {rate: g, each: A}, "
      "the same "
      "for every spin by itself; {rates: R, pairs: A}, sum_lm R[l,m] (A_m rho A_l^+ - 1/2 {A_l^+ A_m, rho}); "
      "each may have a `name`, by "
      "which tasks that count know it",
      {CospinJumpKeys}},
     PROBLEM},
    {CospinReadStages,
     {"stages",
      PETSC_FALSE,
      "a sequence in time: rotations at once, and what acts for a while",
      "a list of {rotate: {COMPONENT: [ANGLE, PHASE]}}, exp(-i ANGLE (cos(PHASE) Sx + sin(PHASE) Sy)), and "
      "of "
      "{for: TIME, hamiltonian: TERMS beside those of the deck, jumps: all | none | [NAME, ...]}; behind the "
      "last one the deck goes on as without stages",
      {CospinStageKeys}},
     PROBLEM},
    {CospinReadObservables,
     {"observables",
      PETSC_FALSE,
      "expressions of expectation values",
      "NAME: EXPRESSION of <OPERATOR>, or NAME: {value: EXPRESSION, unit: U, label: L}; {sum: EXPRESSION} "
      "adds it up over the spins or groups l, m that it names, {each: EXPRESSION} lists a value for each",
      {CospinObservableKeys}},
     OBSERVABLES},
    {CospinReadOperator,
     {"operator",
      PETSC_FALSE,
      "how generators are held",
      "assembled (as matrices), shell (as products without a matrix), auto (shell where factors would not "
      "fit and rows are long), or expansion (around a stable point: at any size, tasks steady, decay, gap, "
      "counting)",
      {NULL}},
     TASKS},
    {CospinReadTasks,
     {"tasks", PETSC_TRUE, "what to compute", "a list of KIND: {name: NAME, keys of the kind}", {NULL}},
     TASKS},
    {CospinReadPetsc,
     {"petsc",
      PETSC_FALSE,
      "solver options",
      "OPTION: VALUE, without the dash; the command line wins",
      {NULL}},
     OTHER},
    {CospinReadPlots,
     {"plots",
      PETSC_FALSE,
      "pictures of the results",
      "a list of {y: VARIABLE or a list of them, x: AXIS, series: AXIS, average: AXIS, title: T, xlabel: T, "
      "ylabel: T, logx: BOOLEAN, logy: BOOLEAN, xlim: FROM TO, ylim: FROM TO, at: AXIS=VALUE, mark: X Y, "
      "marked: T, "
      "faint: AXIS, fit: power, split: parity, kind: lines}, of {kind: map, x: AXIS, series: AXIS, y: ..., "
      "contour: VARIABLE, ridge: VARIABLE, inside: VARIABLE, mark, at, xlim, ylim, ...}, of {kind: wigner | "
      "husimi, task: TASK, component: "
      "NAME, on: "
      "plane | sphere, j: NUMBER, title: T} and of {kind: crystal, array: NAME, title: T}",
      {CospinPlotKeys, CospinWignerKeys, CospinCrystalKeys}},
     OTHER},
};

enum { NUM_SECTIONS = sizeof(sections) / sizeof(sections[0]) };

const CospinSectionInfo *CospinDeckSection(int k)
{
  return k < NUM_SECTIONS ? &sections[k].info : NULL;
}

/* A missing section is no fault if another key is a misspelling of it. Else `componets:` would be two
   faults, one unknown key and one missing section. */
static PetscBool is_misspelt(const CospinEntries *entries, const char section[], const char *const known[])
{
  for (int k = 0; k < entries->count; k++) {
    const char *key = entries->entries[k].key, *guess = CospinSuggest(key, known);

    if (guess && strcmp(key, guess) && !strcmp(guess, section)) return PETSC_TRUE;
  }
  return PETSC_FALSE;
}

/* Whether every task asks nothing of components. A task such as `heralding` brings its own model and needs
   no Hilbert space; a deck of such tasks only has no components. */
static PetscBool is_alone(const CospinReader *reader)
{
  const CospinRecordKind *const *alone = reader->schema->alone;
  PetscBool all = (PetscBool)(alone && reader->deck->num_tasks > 0);

  for (int k = 0; k < reader->deck->num_tasks && all; k++) {
    int a = 0;
    while (alone[a] && alone[a] != reader->deck->tasks[k].kind) a++;
    all = (PetscBool)(alone[a] != NULL);
  }
  return all;
}

/* What the section would be missed by: needed once the tasks are known. Most tasks need components;
 * `heralding` counts for itself. */
static PetscErrorCode check_components(CospinReader *reader, const CospinEntries *entries,
                                       const char *const known[])
{
  const CospinEntry *entry = CospinEntriesFind(entries, "components");
  const CospinEntryForm form = entry ? CospinEntryGetForm(entry) : COSPIN_ENTRY_EMPTY;

  PetscFunctionBeginUser;
  if (reader->deck->num_components || is_alone(reader)) PetscFunctionReturn(0);
  if (!entry && !is_misspelt(entries, "components", known))
    PetscCall(CospinFaultsAdd(reader->faults, (CospinPosition){0, 0}, "components",
                              "is missing (the factors of the Hilbert space)"));
  if (entry && (form == COSPIN_ENTRY_MAPPING || form == COSPIN_ENTRY_EMPTY))
    PetscCall(
        CospinFaultsAdd(reader->faults, entry->key_at, entry->path,
                        "there must be at least one component (as in `ions: {kind: ensemble, size: 10}`)"));
  PetscFunctionReturn(0);
}

/* A misspelt section counts as a fault of its part although it was told as an unknown key: what needs the
   section must not be looked at without it. */
static PetscErrorCode read_sections(CospinReader *reader, const CospinEntry *root)
{
  const char *known[NUM_SECTIONS + 1] = {NULL};
  int count, faults[NUM_PARTS] = {0};
  CospinEntries entries;

  PetscFunctionBeginUser;
  for (int k = 0; k < NUM_SECTIONS; k++) known[k] = sections[k].info.name;
  if (CospinEntryGetForm(root) == COSPIN_ENTRY_EMPTY)
    PetscCall(CospinFaultsAdd(reader->faults, (CospinPosition){0, 0}, "",
                              "the deck is empty (it needs at least title, components and tasks)"));
  PetscCall(CospinEntriesCreate(root, COSPIN_ENTRY_MAPPING, "a mapping of sections (`title: ...`)",
                                reader->faults, &entries));
  PetscCall(CospinEntriesCheckKeys(&entries, known, reader->faults, NULL));
  for (int k = 0; k < NUM_SECTIONS; k++) {
    const CospinEntry *entry = CospinEntriesFind(&entries, sections[k].info.name);

    count = CospinFaultsCount(reader->faults);
    if (entry)
      PetscCall(sections[k].Read(reader, entry));
    else if (sections[k].info.required && CospinEntryGetForm(root) == COSPIN_ENTRY_MAPPING &&
             !is_misspelt(&entries, sections[k].info.name, known))
      PetscCall(CospinFaultsAdd(reader->faults, (CospinPosition){0, 0}, sections[k].info.name,
                                "is missing (%s)", sections[k].info.help));
    /* Faults are counted by part, so that what depends on a sound part only is still looked at. */
    faults[sections[k].part] += CospinFaultsCount(reader->faults) - count;
    if (!entry && is_misspelt(&entries, sections[k].info.name, known)) faults[sections[k].part]++;
  }
  count = CospinFaultsCount(reader->faults);
  if (CospinEntryGetForm(root) == COSPIN_ENTRY_MAPPING) PetscCall(check_components(reader, &entries, known));
  faults[PROBLEM] += CospinFaultsCount(reader->faults) - count;
  reader->deck->problem_sound =
      (PetscBool)(CospinEntryGetForm(root) == COSPIN_ENTRY_MAPPING && !faults[PROBLEM]);
  reader->deck->observables_sound = (PetscBool)!faults[OBSERVABLES];
  reader->deck->tasks_sound = (PetscBool)!faults[TASKS];
  PetscCall(CospinEntriesDestroy(&entries));
  PetscFunctionReturn(0);
}

/* An integer key takes an expression such as N/2, so whether it is whole shows only when it has a value.
   How large it may be is looked at later, with the range of the key's row (problem/values.c). N/2 of an
   odd N is no whole number, and is told with its value. */
static PetscErrorCode check_number(CospinReader *reader, const double complex values[],
                                   const CospinSetting *setting)
{
  const PetscBool whole = (PetscBool)(setting->key->type == COSPIN_KEY_INTEGER);
  double complex z;
  PetscBool ok;
  char text[64];

  PetscFunctionBeginUser;
  PetscCall(CospinEvaluateAtPoint(reader->deck, values, setting->expression, reader->faults, &z, &ok));
  if (!ok || (cimag(z) == 0 && (!whole || creal(z) == floor(creal(z))))) PetscFunctionReturn(0);
  PetscCall(CospinFaultsAdd(reader->faults, setting->position, CospinExpressionPath(setting->expression),
                            "must be a %s number, not %s", whole ? "whole" : "real",
                            CospinNumberFormat(z, text, sizeof(text))));
  PetscFunctionReturn(0);
}

/* Settings that are no numbers (operators, states, axes) have readers of their own; a record whose kind
   was unknown has no settings. Numbers only: what has no value before a problem exists cannot be checked
   here. */
static PetscErrorCode check_records(CospinReader *reader, const double complex values[], int count,
                                    const CospinRecord records[])
{
  PetscFunctionBeginUser;
  for (int k = 0; k < count; k++) {
    for (int j = 0; records[k].settings && records[k].kind->keys[j].name; j++) {
      const CospinSetting *setting = &records[k].settings[j];
      const CospinKeyType type = setting->key->type;

      if (setting->expression && (type == COSPIN_KEY_NUMBER || type == COSPIN_KEY_INTEGER))
        PetscCall(check_number(reader, values, setting));
    }
  }
  PetscFunctionReturn(0);
}

/* Numbers as they are at the first grid point; the others are looked at by whoever goes there. Values that
 * depend on the grid are checked at each point later; at the first one already here, so that plain mistakes
 * have their line and column. */
static PetscErrorCode check_first_point(CospinReader *reader)
{
  int num_faults = CospinFaultsCount(reader->faults);
  CospinDeck deck = reader->deck;
  double complex *values;
  PetscBool ok;

  PetscFunctionBeginUser;
  PetscCall(PetscCalloc1((size_t)deck->num_parameters, &values));
  PetscCall(CospinDeckEvaluateParameters(deck, 0, values, reader->faults, &ok));
  if (ok) PetscCall(check_records(reader, values, deck->num_components, deck->components));
  for (int k = 0; ok && k < deck->num_arrays; k++) {
    if (deck->arrays[k].generator.kind)
      PetscCall(check_records(reader, values, 1, &deck->arrays[k].generator));
  }
  if (CospinFaultsCount(reader->faults) > num_faults) deck->problem_sound = PETSC_FALSE;
  num_faults = CospinFaultsCount(reader->faults);
  if (ok) PetscCall(check_records(reader, values, deck->num_tasks, deck->tasks));
  if (CospinFaultsCount(reader->faults) > num_faults) deck->tasks_sound = PETSC_FALSE;
  PetscCall(PetscFree(values));
  PetscFunctionReturn(0);
}

/* Files that a deck names are looked for beside it, wherever the program was started. Empty (the current
   folder) where the deck's name has no slash. */
static PetscErrorCode set_folder(CospinDeck deck, const char file[])
{
  const char *slash = strrchr(file, '/');
  const size_t length = slash ? (size_t)(slash - file) + 1 : 0;

  PetscFunctionBeginUser;
  PetscCall(PetscCalloc1(length + 1, &deck->folder));
  if (length) memcpy(deck->folder, file, length);
  PetscFunctionReturn(0);
}

/* Tables of the Hamiltonian and of rates: nothing else depends on time. When all sections are there, since
   `stages:` makes terms and rates of its own; also in a deck with faults, so that those of a table are told
   with them. */
static PetscErrorCode read_tables(CospinReader *reader)
{
  const CospinDeck deck = reader->deck;
  const int num_faults = CospinFaultsCount(reader->faults);

  PetscFunctionBeginUser;
  for (int k = 0; k < deck->num_hamiltonian; k++)
    if (deck->hamiltonian[k])
      PetscCall(CospinExpressionReadTables(deck->hamiltonian[k], deck->folder, reader->faults));
  for (int k = 0; k < deck->num_jumps; k++)
    if (deck->jumps[k].rate)
      PetscCall(CospinExpressionReadTables(deck->jumps[k].rate, deck->folder, reader->faults));
  if (CospinFaultsCount(reader->faults) > num_faults) deck->problem_sound = PETSC_FALSE;
  PetscFunctionReturn(0);
}

/* Of sections that are missing altogether. Also in a deck with faults, so that whoever prints it finds
   texts and not NULL. 1/Hz is fine, 1/(2 pi Hz) needs its parentheses. */
static PetscErrorCode fill_defaults(CospinDeck deck)
{
  PetscFunctionBeginUser;
  if (!deck->title) PetscCall(PetscStrallocpy("", &deck->title));
  if (!deck->source) PetscCall(PetscStrallocpy("", &deck->source));
  if (!deck->rate_unit) PetscCall(PetscStrallocpy("1", &deck->rate_unit));
  if (!deck->time_unit && !strcmp(deck->rate_unit, "1")) PetscCall(PetscStrallocpy("1", &deck->time_unit));
  if (!deck->time_unit) {
    const size_t size = strlen(deck->rate_unit) + 5;
    const char *format = strpbrk(deck->rate_unit, " */") ? "1/(%s)" : "1/%s";

    PetscCall(PetscMalloc1(size, &deck->time_unit));
    snprintf(deck->time_unit, size, format, deck->rate_unit);
  }
  PetscFunctionReturn(0);
}

PetscErrorCode CospinDeckRead(const char text[], size_t length, const CospinSchema *schema,
                              CospinFaults faults, CospinDeck *deck)
{
  PetscFunctionBeginUser;
  PetscCall(CospinDeckReadChanged(text, length, NULL, schema, faults, deck));
  PetscFunctionReturn(0);
}

/* The text is copied first, since places of faults and spans of changes refer to it; libfyaml's document
   points into it and is destroyed before the text is changed. */
PetscErrorCode CospinDeckReadChanged(const char text[], size_t length, const char *const changes[],
                                     const CospinSchema *schema, CospinFaults faults, CospinDeck *deck)
{
  CospinReader reader = {.faults = faults, .schema = schema};
  CospinEntry root;
  CospinYaml yaml;

  PetscFunctionBeginUser;
  PetscCall(PetscNew(deck));
  reader.deck = *deck;
  PetscCall(PetscMalloc1(length + 1, &(*deck)->text));
  if (length) memcpy((*deck)->text, text, length);
  (*deck)->text[length] = '\0';
  PetscCall(set_folder(*deck, CospinFaultsFile(faults)));
  PetscCall(CospinChangesCreate(changes, faults, &reader.num_changes, &reader.changes));
  PetscCall(CospinYamlCreate((*deck)->text, length, faults, &yaml));
  if (yaml) {
    PetscCall(CospinYamlGetRoot(yaml, &root));
    PetscCall(read_sections(&reader, &root));
    PetscCall(CospinChangesCheck(&reader));
  }
  PetscCall(fill_defaults(*deck));
  PetscCall(read_tables(&reader));
  if ((*deck)->problem_sound) PetscCall(check_first_point(&reader));
  PetscCall(CospinYamlDestroy(&yaml));
  PetscCall(CospinChangesWrite(&reader, length));
  PetscCall(CospinChangesDestroy(reader.num_changes, &reader.changes));
  PetscCall(PetscFree(reader.constants));
  PetscCall(PetscFree(reader.states));
  PetscFunctionReturn(0);
}
