/*
   A deck as YAML with every default written out. A record is one line in braces, so every text that could
   mean something to YAML is quoted; what is read back is what was written.

   Two texts are made by the same functions: the completed deck, which `plan` prints and every dataset
   stores, and the meaning of a deck (CospinDeckViewMeaning), in which everything that can change a number
   stands and nothing else does: no title, no plots, no values of axes. The meaning is what tells whether a
   run may go on with points of an earlier one (store/identity.c).
*/
#include <cospin/deck/deck.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* Letters, digits and the signs of expressions stand for themselves; blanks only inside. Rather quoted
   once too often than read back as something else: `null`, `~`, a leading `-` that would begin a list, a
   `: ` or ` #` in the middle all mean something to YAML. */
static PetscBool is_plain(const char text[])
{
  const size_t length = strlen(text);

  if (!length || !strcmp(text, "null") || !strcmp(text, "~")) return PETSC_FALSE;
  if (!isalnum((unsigned char)text[0]) && text[0] != '(' && text[0] != '<') {
    if (text[0] != '-' || !isalnum((unsigned char)text[1])) return PETSC_FALSE;
  }
  for (const char *c = text; *c; c++) {
    if (!isalnum((unsigned char)*c) && !strchr(" _.+-*/^()<>=$;", *c)) return PETSC_FALSE;
  }
  return (PetscBool)(text[length - 1] != ' ');
}

/* In double quotes, with the escapes that YAML knows, unless it means itself. */
static void print_text(FILE *stream, const char text[])
{
  if (is_plain(text)) {
    fputs(text, stream);
    return;
  }
  fputc('"', stream);
  for (const char *c = text; *c; c++) {
    if (*c == '"' || *c == '\\')
      fprintf(stream, "\\%c", *c);
    else if (*c == '\n')
      fputs("\\n", stream);
    else if (*c == '\t')
      fputs("\\t", stream);
    else if ((unsigned char)*c < ' ' || *c == 127)
      fprintf(stream, "\\x%02x", (unsigned)*c);
    else
      fputc(*c, stream);
  }
  fputc('"', stream);
}

/* "key: text" in braces, with a comma if something stands before; nothing if there is no text. */
static void print_pair(FILE *stream, PetscBool *first, const char key[], const char text[])
{
  if (!text) return;
  fprintf(stream, "%s%s: ", *first ? "" : ", ", key);
  print_text(stream, text);
  *first = PETSC_FALSE;
}

/* The fewest digits that give the same number again. A double needs 17 digits at most, and 15 are enough
   for what people type: 0.1 stays 0.1. */
static void print_number(FILE *stream, double number)
{
  char text[40];

  for (int digits = 15; digits <= 17; digits++) {
    snprintf(text, sizeof(text), "%.*g", digits, number);
    if (strtod(text, NULL) == number) break;
  }
  fputs(text, stream);
}

/* Axes are printed as their values: {linspace: ...} would have to be computed again, and might round
   otherwise. */
static void print_axis(FILE *stream, const CospinAxis *axis)
{
  fputc('[', stream);
  for (int k = 0; k < axis->size; k++) {
    if (k) fputs(", ", stream);
    print_number(stream, axis->values[k]);
  }
  fputc(']', stream);
}

/* "name:" with a line break or, without items, the empty mapping or list. An empty section is written,
   too: the completed deck shows that nothing was meant. */
static void print_head(FILE *stream, const char name[], int count, const char empty[])
{
  if (count)
    fprintf(stream, "\n%s:\n", name);
  else
    fprintf(stream, "\n%s: %s\n", name, empty);
}

/* Units and labels are left out of the meaning of a deck: they change no number. */
static void print_definitions(FILE *stream, const char name[], int count,
                              const CospinDefinition definitions[], PetscBool labels)
{
  print_head(stream, name, count, "{}");
  for (int k = 0; k < count; k++) {
    const CospinDefinition *definition = &definitions[k];
    const char *text = definition->expression ? CospinExpressionText(definition->expression) : "";
    PetscBool first = PETSC_TRUE;

    fprintf(stream, "  %s: ", definition->name);
    if (!definition->sum && !definition->each && (!labels || (!definition->unit && !definition->label)))
      print_text(stream, text);
    else {
      fputc('{', stream);
      print_pair(stream, &first, definition->sum ? "sum" : definition->each ? "each" : "value", text);
      print_pair(stream, &first, "unit", labels ? definition->unit : NULL);
      print_pair(stream, &first, "label", labels ? definition->label : NULL);
      fputc('}', stream);
    }
    fputc('\n', stream);
  }
}

/* A state of another run: file, task and coordinates. */
static void print_state_file(FILE *stream, const CospinStateFile *file)
{
  PetscBool first = PETSC_TRUE;

  print_pair(stream, &first, "file", file->file);
  print_pair(stream, &first, "task", file->task);
  fputs(", at: {", stream);
  first = PETSC_TRUE;
  for (int k = 0; k < file->num_at; k++)
    print_pair(stream, &first, file->at[k], CospinExpressionText(file->at_values[k]));
  fputc('}', stream);
}

/* Arguments always as a list, also a single one: both forms mean the same. */
static void print_state(FILE *stream, CospinDeck deck, const CospinSetting *setting)
{
  fputc('{', stream);
  if (setting->file) print_state_file(stream, setting->file);
  for (int k = 0; k < setting->num_factors; k++) {
    const CospinStateFactor *factor = &setting->factors[k];

    fprintf(stream, "%s%s: {%s: [", k ? ", " : "", deck->components[factor->component].name, factor->name);
    for (int j = 0; j < factor->num_arguments; j++) {
      if (j) fputs(", ", stream);
      print_text(stream, CospinExpressionText(factor->arguments[j]));
    }
    fputs("]}", stream);
  }
  fputc('}', stream);
}

/* Also used in sentences about sectors (`plan`), so that what is told can be pasted into a deck. */
PetscErrorCode CospinDeckViewSector(CospinDeck deck, const CospinSetting *setting, FILE *stream)
{
  /* Numbers of one name stand beside each other: a new name closes the mapping of components that the last
     one has opened. */
  const char *close = "";

  PetscFunctionBeginUser;
  fputc('{', stream);
  for (int k = 0; k < setting->num_numbers; k++) {
    const CospinSectorNumber *number = &setting->numbers[k];
    const PetscBool first = (PetscBool)(k == 0 || setting->numbers[k - 1].what != number->what);

    fprintf(stream, "%s%s", first ? close : "", k ? ", " : "");
    if (first) fprintf(stream, "%s: ", CospinNumberKeys[number->what]);
    if (number->component >= 0 && number->part == 0)
      fprintf(stream, "%s%s: %s", first ? "{" : "", deck->components[number->component].name,
              number->of ? "[" : "");
    close = number->component >= 0 ? "}" : "";
    print_text(stream, CospinExpressionText(number->expression));
    if (number->of && number->part == number->of - 1) fputc(']', stream);
  }
  fprintf(stream, "%s}", close);
  PetscFunctionReturn(0);
}

/* Expressions, not values: they may depend on the grid. */
static void print_row(FILE *stream, int count, const CospinExpression entries[])
{
  fputc('[', stream);
  for (int k = 0; k < count; k++) {
    if (k) fputs(", ", stream);
    print_text(stream, CospinExpressionText(entries[k]));
  }
  fputc(']', stream);
}

/* Row after row; of entries each with its row and column. What stands in a file stays there: its checksum is
   kept beside this text (store/identity.c). */
static void print_matrices(FILE *stream, const CospinSetting *setting)
{
  fputc('{', stream);
  for (int k = 0; k < setting->num_matrices; k++) {
    const CospinMatrix *matrix = &setting->matrices[k];
    const int width = matrix->size ? matrix->size : 3;
    PetscBool first = PETSC_TRUE;

    fprintf(stream, "%s%s: %s", k ? ", " : "", matrix->name, matrix->size ? "" : "{");
    print_pair(stream, &first, "file", matrix->file);
    print_pair(stream, &first, "dataset", matrix->dataset);
    if (!matrix->file) fprintf(stream, "%s[", matrix->size ? "" : "entries: ");
    for (int j = 0; j < matrix->num_expressions; j += width) {
      if (j) fputs(", ", stream);
      print_row(stream, width, matrix->entries + j);
    }
    if (!matrix->file) fputc(']', stream);
    if (!matrix->size) fputc('}', stream);
  }
  fputc('}', stream);
}

/* {reserved: text, key: value, ...}. Texts of settings are kept as they were written or as the table's
   default has them, never as numbers: an expression of parameters is still one when the completed deck is
   read. */
static void print_settings(FILE *stream, CospinDeck deck, const char reserved[], const char text[],
                           const CospinRecord *record)
{
  PetscBool first = PETSC_TRUE;

  fputc('{', stream);
  print_pair(stream, &first, reserved, text);
  for (int k = 0; record->settings && record->kind->keys[k].name; k++) {
    const CospinSetting *setting = &record->settings[k];

    print_pair(stream, &first, setting->key->name, setting->text);
    if (setting->axis.size || setting->factors || setting->numbers || setting->matrices)
      fprintf(stream, ", %s: ", setting->key->name);
    if (setting->axis.size) print_axis(stream, &setting->axis);
    if (setting->factors) print_state(stream, deck, setting);
    if (setting->numbers) (void)CospinDeckViewSector(deck, setting, stream);
    if (setting->matrices) print_matrices(stream, setting);
  }
  fputc('}', stream);
}

/* `- kind: {key: value, ...}` on one line, however long. */
static void print_record(FILE *stream, CospinDeck deck, const char reserved[], const char text[],
                         const CospinRecord *record)
{
  print_settings(stream, deck, reserved, text, record);
  fputc('\n', stream);
}

/* As in deck/arrays.c: whether the name of the generator is one of its keys. {file: trap.h5, dataset:
   gamma} is a generator whose name is one of its keys; {normal: {std: 1}} has its keys one level deeper. */
static PetscBool has_own_key(const CospinRecordKind *kind)
{
  for (int k = 0; kind->keys[k].name; k++) {
    if (!strcmp(kind->keys[k].name, kind->name)) return PETSC_TRUE;
  }
  return PETSC_FALSE;
}

/* A list, a matrix row by row, or the record of its generator. */
static void print_array(FILE *stream, CospinDeck deck, const CospinArray *array)
{
  const CospinRecordKind *kind = array->generator.kind;

  fprintf(stream, "  %s: ", array->name);
  if (kind && !has_own_key(kind)) fprintf(stream, "{%s: ", kind->name);
  if (kind) print_settings(stream, deck, NULL, NULL, &array->generator);
  if (kind && !has_own_key(kind)) fputc('}', stream);
  if (array->rank == 1) print_row(stream, array->size, array->entries);
  if (array->rank == 2) {
    for (int k = 0; k < array->size; k++) {
      fputs(k ? ", " : "[", stream);
      print_row(stream, array->size, array->entries + k * array->size);
    }
    fputc(']', stream);
  }
  fputc('\n', stream);
}

static const char *const form_keys[] = {
    [COSPIN_JUMP_COLLECTIVE] = "operator",
    [COSPIN_JUMP_EACH] = "each",
    [COSPIN_JUMP_PAIRS] = "pairs",
};

/* Without values in the meaning of a deck, so that an axis may grow. Points are identified by their
   coordinates, not by the deck (store/search.c): with another value on the axis all others are still what
   they were. */
static void print_grid(FILE *stream, CospinDeck deck, PetscBool values)
{
  print_head(stream, "grid", deck->num_axes, "{}");
  for (int k = 0; k < deck->num_axes; k++) {
    fprintf(stream, "  %s: ", deck->axes[k].name);
    if (values) print_axis(stream, &deck->axes[k]);
    fputc('\n', stream);
  }
}

/* Everything that makes the generator; the same text in both uses. The order of sections is the one in
   which they are read, so a completed deck has no forward references. */
static void print_problem(FILE *stream, CospinDeck deck)
{
  print_head(stream, "components", deck->num_components, "{}");
  for (int k = 0; k < deck->num_components; k++) {
    const CospinRecord *record = &deck->components[k];
    const CospinComponentGroup *group = CospinDeckGroupWith(deck, k);

    if (group && k > group->first) continue; /* its line has been printed */
    fprintf(stream, "  %s: ", group ? group->name : record->name);
    print_record(stream, deck, "kind", record->kind->name, record);
  }
  if (deck->num_arrays) print_head(stream, "arrays", deck->num_arrays, "{}");
  for (int k = 0; k < deck->num_arrays; k++) print_array(stream, deck, &deck->arrays[k]);
  print_head(stream, "hamiltonian", deck->num_hamiltonian, "[]");
  for (int k = 0; k < deck->num_hamiltonian; k++) {
    fputs(deck->hamiltonian_sum[k] ? "  - sum: " : "  - ", stream);
    print_text(stream, CospinExpressionText(deck->hamiltonian[k]));
    fputc('\n', stream);
  }
  print_head(stream, "jumps", deck->num_jumps, "[]");
  for (int k = 0; k < deck->num_jumps; k++) {
    const CospinJump *jump = &deck->jumps[k];
    PetscBool first = PETSC_TRUE;

    if (jump->member > 0) continue;
    fputs("  - {", stream);
    if (jump->name) print_pair(stream, &first, "name", jump->name);
    print_pair(stream, &first, jump->form == COSPIN_JUMP_PAIRS ? "rates" : "rate",
               CospinExpressionText(jump->rate));
    print_pair(stream, &first, form_keys[jump->form], CospinExpressionText(jump->op));
    fputs("}\n", stream);
  }
}

/* Those without axes of their own. */
static void print_other_plot(FILE *stream, const CospinPlot *plot)
{
  PetscBool first = PETSC_TRUE;

  fputs("  - {", stream);
  print_pair(stream, &first, "kind", CospinPlotKinds[plot->kind]);
  print_pair(stream, &first, "array", plot->array);
  print_pair(stream, &first, "task", plot->task);
  print_pair(stream, &first, "component", plot->component);
  print_pair(stream, &first, "on", plot->on);
  print_pair(stream, &first, "j", plot->j);
  print_pair(stream, &first, "title", plot->title);
  fputs("}\n", stream);
}

/* Defaults of lines are written out as all others (logx: false). */
static void print_plot(FILE *stream, const CospinPlot *plot)
{
  PetscBool first = PETSC_TRUE;

  if (CospinPlotIsOfStates(plot->kind) || plot->kind == COSPIN_PLOT_CRYSTAL) {
    print_other_plot(stream, plot);
    return;
  }
  fputs("  - {", stream);
  if (plot->kind == COSPIN_PLOT_MAP) print_pair(stream, &first, "kind", CospinPlotKinds[plot->kind]);
  print_pair(stream, &first, "x", plot->x);
  fprintf(stream, "%sy: [", first ? "" : ", ");
  for (int k = 0; k < plot->num_y; k++) {
    if (k) fputs(", ", stream);
    print_text(stream, plot->y[k]);
  }
  fputc(']', stream);
  first = PETSC_FALSE;
  print_pair(stream, &first, "series", plot->series);
  print_pair(stream, &first, "average", plot->average);
  print_pair(stream, &first, "title", plot->title);
  print_pair(stream, &first, "logx", plot->logx ? "true" : "false");
  print_pair(stream, &first, "logy", plot->logy ? "true" : "false");
  print_pair(stream, &first, "xlabel", plot->xlabel);
  print_pair(stream, &first, "ylabel", plot->ylabel);
  print_pair(stream, &first, "contour", plot->contour);
  print_pair(stream, &first, "ridge", plot->ridge);
  print_pair(stream, &first, "mark", plot->mark);
  print_pair(stream, &first, "marked", plot->marked);
  print_pair(stream, &first, "at", plot->at);
  print_pair(stream, &first, "xlim", plot->xlim);
  print_pair(stream, &first, "ylim", plot->ylim);
  print_pair(stream, &first, "faint", plot->faint);
  print_pair(stream, &first, "fit", plot->fit);
  print_pair(stream, &first, "split", plot->split);
  print_pair(stream, &first, "inside", plot->inside);
  fputs("}\n", stream);
}

/* Solver options belong to the meaning: another tolerance may change a number. */
static void print_tasks(FILE *stream, CospinDeck deck)
{
  print_head(stream, "tasks", deck->num_tasks, "[]");
  for (int k = 0; k < deck->num_tasks; k++) {
    fprintf(stream, "  - %s: ", deck->tasks[k].kind->name);
    print_record(stream, deck, "name", deck->tasks[k].name, &deck->tasks[k]);
  }
  fprintf(stream, "\noperator: %s\n", CospinOperatorForms[deck->operator_form]);
  print_head(stream, "petsc", deck->num_petsc, "{}");
  for (int k = 0; k < deck->num_petsc; k++) {
    fputs("  ", stream);
    print_text(stream, deck->petsc[2 * k]);
    fputs(": ", stream);
    print_text(stream, deck->petsc[2 * k + 1]);
    fputc('\n', stream);
  }
}

PetscErrorCode CospinDeckViewCompleted(CospinDeck deck, FILE *stream)
{
  PetscBool first = PETSC_TRUE;

  PetscFunctionBeginUser;
  fputs("title: ", stream);
  print_text(stream, deck->title);
  fputs("\nsource: ", stream);
  print_text(stream, deck->source);
  fputs("\nunits: {", stream);
  print_pair(stream, &first, "rate", deck->rate_unit);
  print_pair(stream, &first, "time", deck->time_unit);
  fputs("}\n", stream);
  print_definitions(stream, "parameters", deck->num_parameters, deck->parameters, PETSC_TRUE);
  print_grid(stream, deck, PETSC_TRUE);
  print_problem(stream, deck);
  print_definitions(stream, "observables", deck->num_observables, deck->observables, PETSC_TRUE);
  print_tasks(stream, deck);
  print_head(stream, "plots", deck->num_plots, "[]");
  for (int k = 0; k < deck->num_plots; k++) print_plot(stream, &deck->plots[k]);
  PetscFunctionReturn(0);
}

/* A parameter that an axis overrides has no value of its own that would mean anything. */
static PetscBool names_axis(CospinDeck deck, const char name[])
{
  for (int k = 0; k < deck->num_axes; k++) {
    if (!strcmp(deck->axes[k].name, name)) return PETSC_TRUE;
  }
  return PETSC_FALSE;
}

/* What a run may go on with. Changing what is printed here makes every unfinished run of users begin
   again: old shards are then of "another deck". */
PetscErrorCode CospinDeckViewMeaning(CospinDeck deck, FILE *stream)
{
  PetscFunctionBeginUser;
  print_head(stream, "parameters", deck->num_parameters, "{}");
  for (int k = 0; k < deck->num_parameters; k++) {
    const CospinDefinition *parameter = &deck->parameters[k];
    const PetscBool is_axis = names_axis(deck, parameter->name); /* its own value is used nowhere then */

    fprintf(stream, "  %s: ", parameter->name);
    print_text(stream, is_axis ? "an axis of the grid" : CospinExpressionText(parameter->expression));
    fputc('\n', stream);
  }
  print_grid(stream, deck, PETSC_FALSE);
  print_problem(stream, deck);
  print_definitions(stream, "observables", deck->num_observables, deck->observables, PETSC_FALSE);
  print_tasks(stream, deck);
  PetscFunctionReturn(0);
}
