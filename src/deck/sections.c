/*
   The readers of the sections that are no records: each turns its entries into a part of the deck.
*/
#include "read_impl.h"
#include <ctype.h>
#include <string.h>

/* The keys of sections that are no records: read here, told by the reference. */
const char *const CospinUnitsKeys[] = {"rate", "time", NULL};
const char *const CospinDefinitionKeys[] = {"value", "unit", "label", NULL};
const char *const CospinTermKeys[] = {"sum", NULL};
const char *const CospinJumpKeys[] = {"rate", "operator", "each", "rates", "pairs", "name", NULL};
const char *const CospinWignerKeys[] = {"task", "component", "on", "j", "title", "kind", NULL};
const char *const CospinCrystalKeys[] = {"array", "title", "kind", NULL};
const char *const CospinPlotKeys[] = {"x",     "series", "average", "title", "xlabel", "ylabel", "contour",
                                      "ridge", "mark",   "y",       "logx",  "logy",   "kind",   NULL};

PetscErrorCode CospinReadExpression(CospinReader *reader, const CospinEntry *entry, const char expected[],
                                    CospinExpression *expression)
{
  char *text;

  PetscFunctionBeginUser;
  *expression = NULL;
  PetscCall(CospinEntryGetText(entry, expected, reader->faults, &text));
  if (text)
    PetscCall(CospinExpressionParseAt(text, entry->at, (PetscBool)!CospinEntryIsVerbatim(entry), entry->path,
                                      reader->faults, expression));
  PetscCall(PetscFree(text));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinReadBoolean(CospinReader *reader, const CospinEntry *entry, PetscBool *value)
{
  char *text;

  PetscFunctionBeginUser;
  PetscCall(CospinEntryGetText(entry, "true or false", reader->faults, &text));
  if (text && !strcmp(text, "true"))
    *value = PETSC_TRUE;
  else if (text && !strcmp(text, "false"))
    *value = PETSC_FALSE;
  else if (text)
    PetscCall(
        CospinFaultsAdd(reader->faults, entry->at, entry->path, "must be true or false, not `%.100s`", text));
  PetscCall(PetscFree(text));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinReadName(CospinReader *reader, CospinPosition at, const char path[], const char name[],
                              PetscBool *good)
{
  PetscFunctionBeginUser;
  *good = (PetscBool)(isalpha((unsigned char)name[0]) && strlen(name) < 100);
  for (const char *c = name; *c && *good; c++) *good = (PetscBool)(isalnum((unsigned char)*c) || *c == '_');
  if (!*good)
    PetscCall(CospinFaultsAdd(
        reader->faults, at, path,
        "`%.100s` is no name (a name is a letter, then letters, digits and _, 99 at most)", name));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinReadTitle(CospinReader *reader, const CospinEntry *entry)
{
  PetscFunctionBeginUser;
  PetscCall(CospinEntryGetText(entry, "one line of text", reader->faults, &reader->deck->title));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinReadSource(CospinReader *reader, const CospinEntry *entry)
{
  PetscFunctionBeginUser;
  if (CospinEntryGetForm(entry) == COSPIN_ENTRY_EMPTY) PetscFunctionReturn(0);
  PetscCall(CospinEntryGetText(entry, "one line of text", reader->faults, &reader->deck->source));
  PetscFunctionReturn(0);
}

/* Texts of a mapping: the keys named in `known` fill the places of the same number. */
static PetscErrorCode read_texts(CospinReader *reader, const CospinEntries *entries,
                                 const char *const known[], char **const places[])
{
  PetscFunctionBeginUser;
  for (int k = 0; known[k]; k++) {
    const CospinEntry *entry = CospinEntriesFind(entries, known[k]);

    if (entry && places[k]) PetscCall(CospinEntryGetText(entry, "text", reader->faults, places[k]));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode CospinReadUnits(CospinReader *reader, const CospinEntry *entry)
{
  char **const places[] = {&reader->deck->rate_unit, &reader->deck->time_unit};
  CospinEntries entries;

  PetscFunctionBeginUser;
  PetscCall(CospinEntriesCreate(entry, COSPIN_ENTRY_MAPPING, "a mapping {rate: UNIT, time: UNIT}",
                                reader->faults, &entries));
  PetscCall(CospinEntriesCheckKeys(&entries, CospinUnitsKeys, reader->faults, NULL));
  PetscCall(read_texts(reader, &entries, CospinUnitsKeys, places));
  PetscCall(CospinEntriesDestroy(&entries));
  PetscFunctionReturn(0);
}

/* {value: EXPRESSION, unit: TEXT, label: TEXT} */
static PetscErrorCode read_long_definition(CospinReader *reader, const CospinEntry *entry,
                                           CospinDefinition *definition)
{
  char **const places[] = {NULL, &definition->unit, &definition->label};
  const CospinEntry *value;
  CospinEntries entries;

  PetscFunctionBeginUser;
  PetscCall(CospinEntriesCreate(entry, COSPIN_ENTRY_MAPPING, "a mapping", reader->faults, &entries));
  PetscCall(CospinEntriesCheckKeys(&entries, CospinDefinitionKeys, reader->faults, NULL));
  PetscCall(read_texts(reader, &entries, CospinDefinitionKeys, places));
  value = CospinEntriesFind(&entries, "value");
  if (value)
    PetscCall(CospinReadExpression(reader, value, "an expression", &definition->expression));
  else
    PetscCall(
        CospinFaultsAdd(reader->faults, entry->key_at, entry->path, "`value` is missing (an expression)"));
  PetscCall(CospinEntriesDestroy(&entries));
  PetscFunctionReturn(0);
}

static PetscErrorCode read_definitions(CospinReader *reader, const CospinEntry *entry, int *count,
                                       CospinDefinition **definitions)
{
  CospinEntries entries;
  PetscBool good;

  PetscFunctionBeginUser;
  PetscCall(CospinEntriesCreate(entry, COSPIN_ENTRY_MAPPING, "a mapping `NAME: EXPRESSION`", reader->faults,
                                &entries));
  PetscCall(PetscCalloc1((size_t)entries.count, definitions));
  *count = entries.count;
  for (int k = 0; k < entries.count; k++) {
    const CospinEntry *item = &entries.entries[k];
    CospinDefinition *definition = &(*definitions)[k];

    PetscCall(CospinReadName(reader, item->key_at, item->path, item->key, &good));
    PetscCall(PetscStrallocpy(item->key, &definition->name));
    if (CospinEntryGetForm(item) == COSPIN_ENTRY_MAPPING)
      PetscCall(read_long_definition(reader, item, definition));
    else
      PetscCall(CospinReadExpression(reader, item,
                                     "an expression or {value: EXPRESSION, unit: TEXT, label: TEXT}",
                                     &definition->expression));
  }
  PetscCall(CospinEntriesDestroy(&entries));
  PetscFunctionReturn(0);
}

const char *CospinReservedName(const char name[])
{
  double complex value;

  if (CospinConstantFind(name, &value)) return "a constant";
  if (CospinFunctionFind(name)) return "a function";
  if (!strcmp(name, "hc")) return "the hermitian conjugate";
  if (!strcmp(name, "l") || !strcmp(name, "m")) return "the index of a spin";
  return NULL;
}

/* Names that mean something else in an expression. */
static PetscErrorCode check_reserved(CospinReader *reader, const CospinEntry *entry)
{
  CospinEntries entries;

  PetscFunctionBeginUser;
  PetscCall(CospinEntriesCreate(entry, COSPIN_ENTRY_MAPPING, "", reader->faults, &entries));
  for (int k = 0; k < entries.count; k++) {
    const char *name = entries.entries[k].key, *what = CospinReservedName(name);

    if (!what) continue;
    PetscCall(CospinFaultsAdd(reader->faults, entries.entries[k].key_at, entries.entries[k].path,
                              "a parameter cannot be named `%s` (it is %s)", name, what));
  }
  PetscCall(CospinEntriesDestroy(&entries));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinReadParameters(CospinReader *reader, const CospinEntry *entry)
{
  CospinDeck deck = reader->deck;

  PetscFunctionBeginUser;
  PetscCall(read_definitions(reader, entry, &deck->num_parameters, &deck->parameters));
  if (deck->num_parameters) PetscCall(check_reserved(reader, entry));
  PetscCall(CospinChangesApply(reader, entry));
  PetscCall(CospinParametersSort(deck, reader->faults));
  for (int k = 0; k < deck->num_parameters; k++) {
    if (deck->parameters[k].expression)
      PetscCall(CospinParametersCheckNames(deck, deck->parameters[k].expression, reader->faults));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode CospinReadObservables(CospinReader *reader, const CospinEntry *entry)
{
  PetscFunctionBeginUser;
  PetscCall(read_definitions(reader, entry, &reader->deck->num_observables, &reader->deck->observables));
  PetscFunctionReturn(0);
}

/* `EXPRESSION` or `sum: EXPRESSION` */
static PetscErrorCode read_term(CospinReader *reader, const CospinEntry *entry, CospinExpression *expression,
                                PetscBool *is_sum)
{
  const CospinEntry *sum;
  CospinEntries entries;

  PetscFunctionBeginUser;
  *is_sum = (PetscBool)(CospinEntryGetForm(entry) == COSPIN_ENTRY_MAPPING);
  if (!*is_sum) {
    PetscCall(CospinReadExpression(reader, entry, "an operator expression", expression));
    PetscFunctionReturn(0);
  }
  PetscCall(CospinEntriesCreate(entry, COSPIN_ENTRY_MAPPING, "", reader->faults, &entries));
  PetscCall(CospinEntriesCheckKeys(&entries, CospinTermKeys, reader->faults, NULL));
  sum = CospinEntriesFind(&entries, "sum");
  if (sum) PetscCall(CospinReadExpression(reader, sum, "an operator expression", expression));
  if (!entries.count)
    PetscCall(CospinFaultsAdd(reader->faults, entry->at, entry->path,
                              "has no value (must be an operator expression, or {sum: EXPRESSION})"));
  PetscCall(CospinEntriesDestroy(&entries));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinReadHamiltonian(CospinReader *reader, const CospinEntry *entry)
{
  CospinDeck deck = reader->deck;
  CospinEntries entries;

  PetscFunctionBeginUser;
  if (CospinEntryGetForm(entry) == COSPIN_ENTRY_SCALAR) {
    PetscCall(PetscCalloc1(1, &deck->hamiltonian));
    PetscCall(PetscCalloc1(1, &deck->hamiltonian_sum));
    PetscCall(CospinReadExpression(reader, entry, "a list of operator expressions", &deck->hamiltonian[0]));
    deck->num_hamiltonian = deck->hamiltonian[0] ? 1 : 0;
    PetscFunctionReturn(0);
  }
  PetscCall(CospinEntriesCreate(entry, COSPIN_ENTRY_LIST, "a list of operator expressions", reader->faults,
                                &entries));
  PetscCall(PetscCalloc1((size_t)entries.count, &deck->hamiltonian));
  PetscCall(PetscCalloc1((size_t)entries.count, &deck->hamiltonian_sum));
  deck->num_hamiltonian = entries.count;
  for (int k = 0; k < entries.count; k++)
    PetscCall(read_term(reader, &entries.entries[k], &deck->hamiltonian[k], &deck->hamiltonian_sum[k]));
  PetscCall(CospinEntriesDestroy(&entries));
  PetscFunctionReturn(0);
}

/* The forms of a jump: the key of its operator, and that of its rate. */
static const struct {
  const char *op, *rate;
} jump_keys[] = {
    [COSPIN_JUMP_COLLECTIVE] = {"operator", "rate"},
    [COSPIN_JUMP_EACH] = {"each", "rate"},
    [COSPIN_JUMP_PAIRS] = {"pairs", "rates"},
};
enum { NUM_FORMS = sizeof(jump_keys) / sizeof(jump_keys[0]) };

/* The operator's entry, which tells the form. */
static PetscErrorCode find_form(CospinReader *reader, const CospinEntries *entries, CospinJump *jump,
                                const CospinEntry **op, PetscBool *good)
{
  PetscFunctionBeginUser;
  *op = NULL;
  *good = PETSC_TRUE;
  jump->form = COSPIN_JUMP_COLLECTIVE;
  for (int form = 0; form < NUM_FORMS; form++) {
    const CospinEntry *found = CospinEntriesFind(entries, jump_keys[form].op);
    if (found && *op) {
      *good = PETSC_FALSE;
      PetscCall(CospinFaultsAdd(
          reader->faults, found->key_at, found->path,
          form == COSPIN_JUMP_PAIRS
              ? "a jump has one of `operator`, `each` and `pairs`"
              : "a jump has either `operator` (collective) or `each` (one process per spin), not both"));
    } else if (found) {
      *op = found;
      jump->form = (CospinJumpForm)form;
    }
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode read_rate(CospinReader *reader, const CospinEntry *entry, const CospinEntries *entries,
                                int num_unknown, CospinJump *jump)
{
  const PetscBool pairs = (PetscBool)(jump->form == COSPIN_JUMP_PAIRS);
  const CospinEntry *rate = CospinEntriesFind(entries, jump_keys[jump->form].rate);
  const CospinEntry *wrong = CospinEntriesFind(entries, pairs ? "rate" : "rates");

  PetscFunctionBeginUser;
  if (wrong)
    PetscCall(CospinFaultsAdd(reader->faults, wrong->key_at, wrong->path,
                              pairs ? "`pairs` needs `rates`, a matrix over the spins, not `rate`"
                                    : "`rates` (a matrix over the spins) goes with `pairs`; this is `rate`"));
  else if (rate)
    PetscCall(CospinReadExpression(reader, rate, "an expression", &jump->rate));
  else if (!num_unknown && entries->count)
    PetscCall(CospinFaultsAdd(reader->faults, entry->at, entry->path,
                              pairs ? "`rates` is missing (a hermitian positive matrix over the spins)"
                                    : "`rate` is missing (a number >= 0 or an expression)"));
  PetscFunctionReturn(0);
}

static PetscErrorCode read_jump(CospinReader *reader, const CospinEntry *entry, CospinJump *jump)
{
  const CospinEntry *op, *name;
  CospinEntries entries;
  int num_unknown;
  PetscBool good;

  PetscFunctionBeginUser;
  PetscCall(CospinEntriesCreate(entry, COSPIN_ENTRY_MAPPING,
                                "a mapping {rate: R, operator: A} or {rate: R, each: A}", reader->faults,
                                &entries));
  PetscCall(CospinEntriesCheckKeys(&entries, CospinJumpKeys, reader->faults, &num_unknown));
  name = CospinEntriesFind(&entries, "name");
  if (name) PetscCall(CospinEntryGetText(name, "a name", reader->faults, &jump->name));
  if (jump->name) PetscCall(CospinReadName(reader, name->at, name->path, jump->name, &good));
  jump->position = entry->at;
  PetscCall(find_form(reader, &entries, jump, &op, &good));
  PetscCall(read_rate(reader, entry, &entries, num_unknown, jump));
  if (good && op)
    PetscCall(CospinReadExpression(reader, op, "an operator expression", &jump->op));
  else if (good && !num_unknown && CospinEntryGetForm(entry) == COSPIN_ENTRY_MAPPING)
    PetscCall(CospinFaultsAdd(reader->faults, entry->at, entry->path,
                              "`operator` (collective) or `each` (one process per spin) is missing"));
  if (CospinEntryGetForm(entry) == COSPIN_ENTRY_EMPTY)
    PetscCall(CospinFaultsAdd(reader->faults, entry->at, entry->path,
                              "has no value (must be {rate: R, operator: A} or {rate: R, each: A})"));
  PetscCall(CospinEntriesDestroy(&entries));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinReadJumps(CospinReader *reader, const CospinEntry *entry)
{
  CospinDeck deck = reader->deck;
  CospinEntries entries;

  PetscFunctionBeginUser;
  PetscCall(CospinEntriesCreate(entry, COSPIN_ENTRY_LIST,
                                "a list of {rate: R, operator: A} and {rate: R, each: A}", reader->faults,
                                &entries));
  PetscCall(PetscCalloc1((size_t)entries.count, &deck->jumps));
  deck->num_jumps = entries.count;
  for (int k = 0; k < entries.count; k++) PetscCall(read_jump(reader, &entries.entries[k], &deck->jumps[k]));
  PetscCall(CospinEntriesDestroy(&entries));
  PetscFunctionReturn(0);
}

const char *const CospinOperatorForms[] = {"auto", "assembled", "shell", NULL};

PetscErrorCode CospinReadOperator(CospinReader *reader, const CospinEntry *entry)
{
  char *text;
  int form = 0;

  PetscFunctionBeginUser;
  PetscCall(CospinEntryGetText(entry, "auto, assembled or shell", reader->faults, &text));
  if (!text) PetscFunctionReturn(0);
  while (CospinOperatorForms[form] && strcmp(CospinOperatorForms[form], text)) form++;
  if (CospinOperatorForms[form])
    reader->deck->operator_form = (CospinOperatorForm)form;
  else
    PetscCall(CospinFaultsAddUnknown(reader->faults, entry->at, entry->path, "form of the operator", text,
                                     CospinOperatorForms));
  PetscCall(PetscFree(text));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinReadPetsc(CospinReader *reader, const CospinEntry *entry)
{
  CospinDeck deck = reader->deck;
  CospinEntries entries;

  PetscFunctionBeginUser;
  PetscCall(CospinEntriesCreate(entry, COSPIN_ENTRY_MAPPING, "a mapping `option: value`", reader->faults,
                                &entries));
  PetscCall(PetscCalloc1(2 * (size_t)entries.count, &deck->petsc));
  deck->num_petsc = entries.count;
  for (int k = 0; k < entries.count; k++) {
    const CospinEntry *item = &entries.entries[k];
    const char *option = item->key[0] == '-' ? item->key + 1 : item->key;

    if (!isalpha((unsigned char)option[0]) || strpbrk(option, " \t\n"))
      PetscCall(CospinFaultsAdd(reader->faults, item->key_at, item->path,
                                "`%.100s` is no PETSc option (one is a word such as steady_eps_max_it)",
                                item->key));
    PetscCall(PetscStrallocpy(option, &deck->petsc[2 * k]));
    if (CospinEntryGetForm(item) == COSPIN_ENTRY_EMPTY)
      PetscCall(PetscStrallocpy("", &deck->petsc[2 * k + 1]));
    else
      PetscCall(CospinEntryGetText(item, "the value of an option", reader->faults, &deck->petsc[2 * k + 1]));
  }
  PetscCall(CospinEntriesDestroy(&entries));
  PetscFunctionReturn(0);
}

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

/* {kind: wigner | husimi, ...}: of stored states */
static PetscErrorCode read_wigner(CospinReader *reader, const CospinEntries *entries, CospinPlot *plot)
{
  static const char *const surfaces[] = {"plane", "sphere", NULL};
  char **const places[] = {&plot->task, &plot->component, &plot->on, &plot->j, &plot->title, NULL};
  const CospinEntry *on = CospinEntriesFind(entries, "on"), *j = CospinEntriesFind(entries, "j");
  char *end = NULL;

  PetscFunctionBeginUser;
  PetscCall(CospinEntriesCheckKeys(entries, CospinWignerKeys, reader->faults, NULL));
  PetscCall(read_texts(reader, entries, CospinWignerKeys, places));
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
  PetscCall(read_texts(reader, entries, CospinCrystalKeys, places));
  PetscFunctionReturn(0);
}

const char *const CospinPlotKinds[] = {
    [COSPIN_PLOT_LINES] = "lines",     [COSPIN_PLOT_WIGNER] = "wigner", [COSPIN_PLOT_HUSIMI] = "husimi",
    [COSPIN_PLOT_CRYSTAL] = "crystal", [COSPIN_PLOT_MAP] = "map",       NULL};

/* What a plot is of: `lines` unless it says so; *good: it is one of those that there are. */
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

/* A map has two axes; only a map has lines on it. */
static PetscErrorCode check_map(CospinReader *reader, const CospinEntry *entry, const CospinPlot *plot)
{
  double x, y;
  char more;

  PetscFunctionBeginUser;
  if (plot->kind != COSPIN_PLOT_MAP && (plot->contour || plot->ridge || plot->mark))
    PetscCall(CospinFaultsAdd(reader->faults, entry->at, entry->path,
                              "`contour`, `ridge` and `mark` go with `kind: map`"));
  if (plot->kind == COSPIN_PLOT_MAP && (!plot->x || !plot->series))
    PetscCall(CospinFaultsAdd(reader->faults, entry->at, entry->path,
                              "a map needs `x` and `series`, two axes of the grid"));
  if (plot->mark && sscanf(plot->mark, "%lf %lf %c", &x, &y, &more) != 2)
    PetscCall(CospinFaultsAdd(reader->faults, entry->at, entry->path,
                              "`%.50s` marks no point (must be two numbers with a blank between, \"1e5 2\")",
                              plot->mark));
  PetscFunctionReturn(0);
}

static PetscErrorCode read_plot(CospinReader *reader, const CospinEntry *entry, CospinPlot *plot)
{
  char **const places[] = {
      &plot->x,     &plot->series, &plot->average, &plot->title, &plot->xlabel, &plot->ylabel, &plot->contour,
      &plot->ridge, &plot->mark,   NULL,           NULL,         NULL,          NULL};
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
  PetscCall(read_texts(reader, &entries, CospinPlotKeys, places));
  y = CospinEntriesFind(&entries, "y");
  logx = CospinEntriesFind(&entries, "logx");
  logy = CospinEntriesFind(&entries, "logy");
  PetscCall(check_map(reader, entry, plot));
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
