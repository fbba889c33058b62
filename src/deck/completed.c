/*
   A deck as YAML with every default written out. A record is one line in braces, so every text that could
   mean something to YAML is quoted; what is read back is what was written.
*/
#include <cospin/deck/deck.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* Letters, digits and the signs of expressions stand for themselves; blanks only inside. */
static PetscBool Is_Plain(const char text[])
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

static void Print_Text(FILE *stream, const char text[])
{
  if (Is_Plain(text)) {
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
static void Print_Pair(FILE *stream, PetscBool *first, const char key[], const char text[])
{
  if (!text) return;
  fprintf(stream, "%s%s: ", *first ? "" : ", ", key);
  Print_Text(stream, text);
  *first = PETSC_FALSE;
}

/* The fewest digits that give the same number again. */
static void Print_Number(FILE *stream, double number)
{
  char text[40];

  for (int digits = 15; digits <= 17; digits++) {
    snprintf(text, sizeof(text), "%.*g", digits, number);
    if (strtod(text, NULL) == number) break;
  }
  fputs(text, stream);
}

static void Print_Axis(FILE *stream, const CospinAxis *axis)
{
  fputc('[', stream);
  for (int k = 0; k < axis->size; k++) {
    if (k) fputs(", ", stream);
    Print_Number(stream, axis->values[k]);
  }
  fputc(']', stream);
}

/* "name:" with a line break or, without items, the empty mapping or list. */
static void Print_Head(FILE *stream, const char name[], int count, const char empty[])
{
  if (count)
    fprintf(stream, "\n%s:\n", name);
  else
    fprintf(stream, "\n%s: %s\n", name, empty);
}

static void Print_Definitions(FILE *stream, const char name[], int count,
                              const CospinDefinition definitions[], PetscBool labels)
{
  Print_Head(stream, name, count, "{}");
  for (int k = 0; k < count; k++) {
    const CospinDefinition *definition = &definitions[k];
    const char *text = definition->expression ? CospinExpressionText(definition->expression) : "";
    PetscBool first = PETSC_TRUE;

    fprintf(stream, "  %s: ", definition->name);
    if (!labels || (!definition->unit && !definition->label))
      Print_Text(stream, text);
    else {
      fputc('{', stream);
      Print_Pair(stream, &first, "value", text);
      Print_Pair(stream, &first, "unit", definition->unit);
      Print_Pair(stream, &first, "label", definition->label);
      fputc('}', stream);
    }
    fputc('\n', stream);
  }
}

static void Print_State_File(FILE *stream, const CospinStateFile *file)
{
  PetscBool first = PETSC_TRUE;

  Print_Pair(stream, &first, "file", file->file);
  Print_Pair(stream, &first, "task", file->task);
  fputs(", at: {", stream);
  first = PETSC_TRUE;
  for (int k = 0; k < file->num_at; k++)
    Print_Pair(stream, &first, file->at[k], CospinExpressionText(file->at_values[k]));
  fputc('}', stream);
}

static void Print_State(FILE *stream, CospinDeck deck, const CospinSetting *setting)
{
  fputc('{', stream);
  if (setting->file) Print_State_File(stream, setting->file);
  for (int k = 0; k < setting->num_factors; k++) {
    const CospinStateFactor *factor = &setting->factors[k];

    fprintf(stream, "%s%s: {%s: [", k ? ", " : "", deck->components[factor->component].name, factor->name);
    for (int j = 0; j < factor->num_arguments; j++) {
      if (j) fputs(", ", stream);
      Print_Text(stream, CospinExpressionText(factor->arguments[j]));
    }
    fputs("]}", stream);
  }
  fputc('}', stream);
}

PetscErrorCode CospinDeckViewSector(CospinDeck deck, const CospinSetting *setting, FILE *stream)
{
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
    Print_Text(stream, CospinExpressionText(number->expression));
    if (number->of && number->part == number->of - 1) fputc(']', stream);
  }
  fprintf(stream, "%s}", close);
  PetscFunctionReturn(0);
}

/* {reserved: text, key: value, ...} */
static void Print_Settings(FILE *stream, CospinDeck deck, const char reserved[], const char text[],
                           const CospinRecord *record)
{
  PetscBool first = PETSC_TRUE;

  fputc('{', stream);
  Print_Pair(stream, &first, reserved, text);
  for (int k = 0; record->settings && record->kind->keys[k].name; k++) {
    const CospinSetting *setting = &record->settings[k];

    Print_Pair(stream, &first, setting->key->name, setting->text);
    if (setting->axis.size || setting->factors || setting->numbers)
      fprintf(stream, ", %s: ", setting->key->name);
    if (setting->axis.size) Print_Axis(stream, &setting->axis);
    if (setting->factors) Print_State(stream, deck, setting);
    if (setting->numbers) (void)CospinDeckViewSector(deck, setting, stream);
  }
  fputc('}', stream);
}

static void Print_Record(FILE *stream, CospinDeck deck, const char reserved[], const char text[],
                         const CospinRecord *record)
{
  Print_Settings(stream, deck, reserved, text, record);
  fputc('\n', stream);
}

static void Print_Row(FILE *stream, int count, const CospinExpression entries[])
{
  fputc('[', stream);
  for (int k = 0; k < count; k++) {
    if (k) fputs(", ", stream);
    Print_Text(stream, CospinExpressionText(entries[k]));
  }
  fputc(']', stream);
}

static PetscBool Has_Own_Key(const CospinRecordKind *kind)
{
  for (int k = 0; kind->keys[k].name; k++) {
    if (!strcmp(kind->keys[k].name, kind->name)) return PETSC_TRUE;
  }
  return PETSC_FALSE;
}

static void Print_Array(FILE *stream, CospinDeck deck, const CospinArray *array)
{
  const CospinRecordKind *kind = array->generator.kind;

  fprintf(stream, "  %s: ", array->name);
  if (kind && !Has_Own_Key(kind)) fprintf(stream, "{%s: ", kind->name);
  if (kind) Print_Settings(stream, deck, NULL, NULL, &array->generator);
  if (kind && !Has_Own_Key(kind)) fputc('}', stream);
  if (array->rank == 1) Print_Row(stream, array->size, array->entries);
  if (array->rank == 2) {
    for (int k = 0; k < array->size; k++) {
      fputs(k ? ", " : "[", stream);
      Print_Row(stream, array->size, array->entries + k * array->size);
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

static void Print_Grid(FILE *stream, CospinDeck deck, PetscBool values)
{
  Print_Head(stream, "grid", deck->num_axes, "{}");
  for (int k = 0; k < deck->num_axes; k++) {
    fprintf(stream, "  %s: ", deck->axes[k].name);
    if (values) Print_Axis(stream, &deck->axes[k]);
    fputc('\n', stream);
  }
}

static void Print_Problem(FILE *stream, CospinDeck deck)
{
  Print_Head(stream, "components", deck->num_components, "{}");
  for (int k = 0; k < deck->num_components; k++) {
    const CospinRecord *record = &deck->components[k];

    fprintf(stream, "  %s: ", record->name);
    Print_Record(stream, deck, "kind", record->kind->name, record);
  }
  if (deck->num_arrays) Print_Head(stream, "arrays", deck->num_arrays, "{}");
  for (int k = 0; k < deck->num_arrays; k++) Print_Array(stream, deck, &deck->arrays[k]);
  Print_Head(stream, "hamiltonian", deck->num_hamiltonian, "[]");
  for (int k = 0; k < deck->num_hamiltonian; k++) {
    fputs(deck->hamiltonian_sum[k] ? "  - sum: " : "  - ", stream);
    Print_Text(stream, CospinExpressionText(deck->hamiltonian[k]));
    fputc('\n', stream);
  }
  Print_Head(stream, "jumps", deck->num_jumps, "[]");
  for (int k = 0; k < deck->num_jumps; k++) {
    const CospinJump *jump = &deck->jumps[k];
    PetscBool first = PETSC_TRUE;

    fputs("  - {", stream);
    if (jump->name) Print_Pair(stream, &first, "name", jump->name);
    Print_Pair(stream, &first, jump->form == COSPIN_JUMP_PAIRS ? "rates" : "rate",
               CospinExpressionText(jump->rate));
    Print_Pair(stream, &first, form_keys[jump->form], CospinExpressionText(jump->op));
    fputs("}\n", stream);
  }
}

/* Those without axes of their own. */
static void Print_Other_Plot(FILE *stream, const CospinPlot *plot)
{
  PetscBool first = PETSC_TRUE;

  fputs("  - {", stream);
  Print_Pair(stream, &first, "kind", CospinPlotKinds[plot->kind]);
  Print_Pair(stream, &first, "array", plot->array);
  Print_Pair(stream, &first, "task", plot->task);
  Print_Pair(stream, &first, "component", plot->component);
  Print_Pair(stream, &first, "on", plot->on);
  Print_Pair(stream, &first, "j", plot->j);
  Print_Pair(stream, &first, "title", plot->title);
  fputs("}\n", stream);
}

static void Print_Plot(FILE *stream, const CospinPlot *plot)
{
  PetscBool first = PETSC_TRUE;

  if (CospinPlotIsOfStates(plot->kind) || plot->kind == COSPIN_PLOT_CRYSTAL) {
    Print_Other_Plot(stream, plot);
    return;
  }
  fputs("  - {", stream);
  if (plot->kind == COSPIN_PLOT_MAP) Print_Pair(stream, &first, "kind", CospinPlotKinds[plot->kind]);
  Print_Pair(stream, &first, "x", plot->x);
  fprintf(stream, "%sy: [", first ? "" : ", ");
  for (int k = 0; k < plot->num_y; k++) {
    if (k) fputs(", ", stream);
    Print_Text(stream, plot->y[k]);
  }
  fputc(']', stream);
  first = PETSC_FALSE;
  Print_Pair(stream, &first, "series", plot->series);
  Print_Pair(stream, &first, "average", plot->average);
  Print_Pair(stream, &first, "title", plot->title);
  Print_Pair(stream, &first, "logx", plot->logx ? "true" : "false");
  Print_Pair(stream, &first, "logy", plot->logy ? "true" : "false");
  Print_Pair(stream, &first, "xlabel", plot->xlabel);
  Print_Pair(stream, &first, "ylabel", plot->ylabel);
  Print_Pair(stream, &first, "contour", plot->contour);
  Print_Pair(stream, &first, "ridge", plot->ridge);
  Print_Pair(stream, &first, "mark", plot->mark);
  fputs("}\n", stream);
}

static void Print_Tasks(FILE *stream, CospinDeck deck)
{
  Print_Head(stream, "tasks", deck->num_tasks, "[]");
  for (int k = 0; k < deck->num_tasks; k++) {
    fprintf(stream, "  - %s: ", deck->tasks[k].kind->name);
    Print_Record(stream, deck, "name", deck->tasks[k].name, &deck->tasks[k]);
  }
  fprintf(stream, "\noperator: %s\n", CospinOperatorForms[deck->operator_form]);
  Print_Head(stream, "petsc", deck->num_petsc, "{}");
  for (int k = 0; k < deck->num_petsc; k++) {
    fputs("  ", stream);
    Print_Text(stream, deck->petsc[2 * k]);
    fputs(": ", stream);
    Print_Text(stream, deck->petsc[2 * k + 1]);
    fputc('\n', stream);
  }
}

PetscErrorCode CospinDeckViewCompleted(CospinDeck deck, FILE *stream)
{
  PetscBool first = PETSC_TRUE;

  PetscFunctionBeginUser;
  fputs("title: ", stream);
  Print_Text(stream, deck->title);
  fputs("\nsource: ", stream);
  Print_Text(stream, deck->source);
  fputs("\nunits: {", stream);
  Print_Pair(stream, &first, "rate", deck->rate_unit);
  Print_Pair(stream, &first, "time", deck->time_unit);
  fputs("}\n", stream);
  Print_Definitions(stream, "parameters", deck->num_parameters, deck->parameters, PETSC_TRUE);
  Print_Grid(stream, deck, PETSC_TRUE);
  Print_Problem(stream, deck);
  Print_Definitions(stream, "observables", deck->num_observables, deck->observables, PETSC_TRUE);
  Print_Tasks(stream, deck);
  Print_Head(stream, "plots", deck->num_plots, "[]");
  for (int k = 0; k < deck->num_plots; k++) Print_Plot(stream, &deck->plots[k]);
  PetscFunctionReturn(0);
}

static PetscBool Is_Axis(CospinDeck deck, const char name[])
{
  for (int k = 0; k < deck->num_axes; k++) {
    if (!strcmp(deck->axes[k].name, name)) return PETSC_TRUE;
  }
  return PETSC_FALSE;
}

PetscErrorCode CospinDeckViewMeaning(CospinDeck deck, FILE *stream)
{
  PetscFunctionBeginUser;
  Print_Head(stream, "parameters", deck->num_parameters, "{}");
  for (int k = 0; k < deck->num_parameters; k++) {
    const CospinDefinition *parameter = &deck->parameters[k];
    const PetscBool is_axis = Is_Axis(deck, parameter->name); /* its own value is used nowhere then */

    fprintf(stream, "  %s: ", parameter->name);
    Print_Text(stream, is_axis ? "an axis of the grid" : CospinExpressionText(parameter->expression));
    fputc('\n', stream);
  }
  Print_Grid(stream, deck, PETSC_FALSE);
  Print_Problem(stream, deck);
  Print_Definitions(stream, "observables", deck->num_observables, deck->observables, PETSC_FALSE);
  Print_Tasks(stream, deck);
  PetscFunctionReturn(0);
}
