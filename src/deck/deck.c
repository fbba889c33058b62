/*
   Who owns what in a deck: everything that it points to. All of it is made by the readers of the sections
   and freed here, whatever part of it there is, since reading goes on after a fault and leaves holes. A
   deck does not change once it has been read; values at a grid point live in a CospinProblem.

   The tree: definitions (parameters, observables) hold an expression each; records (components, tasks,
   generators of arrays) hold one setting per key of their kind, in the order of the kind's table, and a
   setting holds whichever of text, expression, axis, state or sector its type says. Nothing is shared between
   two of them, so that each is freed by itself.

   A deck is read by every rank from the same bytes, so all ranks have equal decks and nothing of one is
   ever sent. Points are numbered with the last axis fastest, as C and HDF5 lay out arrays: the number of a
   point is its place in every variable of the dataset.
*/
#include <cospin/deck/deck.h>
#include <string.h>

/* An expression that could not be parsed is NULL, as everything that a fault has left out. */
static PetscErrorCode destroy_definitions(int count, CospinDefinition **definitions)
{
  PetscFunctionBeginUser;
  for (int k = 0; k < count; k++) {
    CospinDefinition *definition = &(*definitions)[k];

    PetscCall(PetscFree(definition->name));
    PetscCall(PetscFree(definition->unit));
    PetscCall(PetscFree(definition->label));
    PetscCall(CospinExpressionDestroy(&definition->expression));
  }
  PetscCall(PetscFree(*definitions));
  PetscFunctionReturn(0);
}

/* Of a setting whose type is a state: factors of a product, or the name of a stored state. Names of
   coordinates of the other run (`at`) stand beside their values, one list each. */
static PetscErrorCode destroy_factors(CospinSetting *setting)
{
  PetscFunctionBeginUser;
  for (int k = 0; k < setting->num_factors; k++) {
    CospinStateFactor *factor = &setting->factors[k];

    for (int j = 0; j < factor->num_arguments; j++) PetscCall(CospinExpressionDestroy(&factor->arguments[j]));
    PetscCall(PetscFree(factor->arguments));
    PetscCall(PetscFree(factor->name));
    PetscCall(PetscFree(factor->path));
  }
  PetscCall(PetscFree(setting->factors));
  for (int k = 0; setting->file && k < setting->file->num_at; k++) {
    PetscCall(PetscFree(setting->file->at[k]));
    PetscCall(CospinExpressionDestroy(&setting->file->at_values[k]));
  }
  if (setting->file) {
    PetscCall(PetscFree(setting->file->at));
    PetscCall(PetscFree(setting->file->at_values));
    PetscCall(PetscFree(setting->file->file));
    PetscCall(PetscFree(setting->file->task));
    PetscCall(PetscFree(setting->file->file_path));
    PetscCall(PetscFree(setting->file->task_path));
  }
  PetscCall(PetscFree(setting->file));
  PetscFunctionReturn(0);
}

/* Of a setting whose type is matrices: a faulty one may hold fewer expressions than its size says, so they
   are counted one by one. */
static PetscErrorCode destroy_matrices(CospinSetting *setting)
{
  PetscFunctionBeginUser;
  for (int k = 0; k < setting->num_matrices; k++) {
    CospinMatrix *matrix = &setting->matrices[k];

    for (int j = 0; j < matrix->num_expressions; j++) PetscCall(CospinExpressionDestroy(&matrix->entries[j]));
    PetscCall(PetscFree(matrix->entries));
    PetscCall(PetscFree(matrix->name));
    PetscCall(PetscFree(matrix->path));
    PetscCall(PetscFree(matrix->file));
    PetscCall(PetscFree(matrix->dataset));
  }
  PetscCall(PetscFree(setting->matrices));
  PetscFunctionReturn(0);
}

/* A record whose kind is unknown has no settings, since nothing says what its keys are. */
static PetscErrorCode destroy_record(CospinRecord *record)
{
  PetscFunctionBeginUser;
  for (int j = 0; record->settings && record->kind->keys[j].name; j++) {
    PetscCall(CospinExpressionDestroy(&record->settings[j].expression));
    PetscCall(PetscFree(record->settings[j].text));
    PetscCall(PetscFree(record->settings[j].axis.values));
    PetscCall(destroy_factors(&record->settings[j]));
    PetscCall(destroy_matrices(&record->settings[j]));
    for (int k = 0; k < record->settings[j].num_numbers; k++)
      PetscCall(CospinExpressionDestroy(&record->settings[j].numbers[k].expression));
    PetscCall(PetscFree(record->settings[j].numbers));
  }
  PetscCall(PetscFree(record->settings));
  PetscCall(PetscFree(record->name));
  PetscFunctionReturn(0);
}

static PetscErrorCode destroy_records(int count, CospinRecord **records)
{
  PetscFunctionBeginUser;
  for (int k = 0; k < count; k++) PetscCall(destroy_record(&(*records)[k]));
  PetscCall(PetscFree(*records));
  PetscFunctionReturn(0);
}

/* Of a list or a generator, whichever it is: the other one is empty. */
static PetscErrorCode destroy_arrays(int count, CospinArray **arrays)
{
  PetscFunctionBeginUser;
  for (int k = 0; k < count; k++) {
    CospinArray *array = &(*arrays)[k];

    for (int j = 0; array->entries && j < array->size * (array->rank == 2 ? array->size : 1); j++)
      PetscCall(CospinExpressionDestroy(&array->entries[j]));
    PetscCall(PetscFree(array->entries));
    PetscCall(destroy_record(&array->generator));
    PetscCall(PetscFree(array->name));
    PetscCall(PetscFree(array->path));
  }
  PetscCall(PetscFree(*arrays));
  PetscFunctionReturn(0);
}

static PetscErrorCode destroy_plots(int count, CospinPlot **plots)
{
  PetscFunctionBeginUser;
  for (int k = 0; k < count; k++) {
    CospinPlot *plot = &(*plots)[k];
    /* One list of all texts of a plot: a key that is added to CospinPlot leaks unless it is added here. */
    char **const texts[] = {&plot->x,      &plot->series,  &plot->average,   &plot->title, &plot->xlabel,
                            &plot->ylabel, &plot->task,    &plot->component, &plot->on,    &plot->j,
                            &plot->array,  &plot->contour, &plot->ridge,     &plot->mark,  &plot->marked,
                            &plot->inside, &plot->faint,   &plot->at,        &plot->xlim,  &plot->ylim,
                            &plot->fit,    &plot->split};

    for (size_t j = 0; j < sizeof(texts) / sizeof(texts[0]); j++) PetscCall(PetscFree(*texts[j]));
    for (int j = 0; j < plot->num_y; j++) PetscCall(PetscFree(plot->y[j]));
    PetscCall(PetscFree(plot->y));
  }
  PetscCall(PetscFree(*plots));
  PetscFunctionReturn(0);
}

/* `hamiltonian_sum` says of each term whether it is summed over spins; terms and flags are made together. */
static PetscErrorCode destroy_generator(CospinDeck deck)
{
  PetscFunctionBeginUser;
  for (int k = 0; k < deck->num_hamiltonian; k++) PetscCall(CospinExpressionDestroy(&deck->hamiltonian[k]));
  PetscCall(PetscFree(deck->hamiltonian));
  PetscCall(PetscFree(deck->hamiltonian_sum));
  for (int k = 0; k < deck->num_jumps; k++) {
    PetscCall(PetscFree(deck->jumps[k].name));
    PetscCall(CospinExpressionDestroy(&deck->jumps[k].rate));
    PetscCall(CospinExpressionDestroy(&deck->jumps[k].op));
  }
  PetscCall(PetscFree(deck->jumps));
  for (int k = 0; k < deck->num_durations; k++) PetscCall(CospinExpressionDestroy(&deck->durations[k]));
  PetscCall(PetscFree(deck->durations));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinDeckDestroy(CospinDeck *deck)
{
  CospinDeck d = *deck;

  PetscFunctionBeginUser;
  if (!d) PetscFunctionReturn(0);
  PetscCall(PetscFree(d->title));
  PetscCall(PetscFree(d->source));
  PetscCall(PetscFree(d->rate_unit));
  PetscCall(PetscFree(d->time_unit));
  PetscCall(destroy_definitions(d->num_parameters, &d->parameters));
  /* One allocation of two orders of the same parameters: by name, to find them; by need, to evaluate them. */
  PetscCall(PetscFree2(d->parameters_by_name, d->parameters_by_need));
  for (int k = 0; k < d->num_axes; k++) {
    PetscCall(PetscFree(d->axes[k].name));
    PetscCall(PetscFree(d->axes[k].values));
  }
  PetscCall(PetscFree(d->axes));
  PetscCall(destroy_records(d->num_components, &d->components));
  for (int k = 0; k < d->num_groups; k++) PetscCall(PetscFree(d->groups[k].name));
  PetscCall(PetscFree(d->groups));
  PetscCall(destroy_arrays(d->num_arrays, &d->arrays));
  PetscCall(destroy_generator(d));
  PetscCall(destroy_definitions(d->num_observables, &d->observables));
  PetscCall(destroy_records(d->num_tasks, &d->tasks));
  PetscCall(destroy_plots(d->num_plots, &d->plots));
  for (int k = 0; k < 2 * d->num_petsc; k++) PetscCall(PetscFree(d->petsc[k]));
  PetscCall(PetscFree(d->petsc));
  PetscCall(PetscFree(d->text));
  PetscCall(PetscFree(d->folder));
  PetscCall(PetscFree(*deck));
  PetscFunctionReturn(0);
}

/* 64 bits: a grid may have 10^12 points (deck/grid.c). One point, without parameters, where there is no
   grid. */
PetscInt64 CospinDeckNumPoints(CospinDeck deck)
{
  PetscInt64 num_points = 1;

  for (int k = 0; k < deck->num_axes; k++) num_points *= deck->axes[k].size;
  return num_points;
}

/* From the fastest axis to the slowest. An axis whose values had a fault has none; it counts as one, so
   that other faults can still be looked for at "the first point". */
void CospinDeckPointIndex(CospinDeck deck, PetscInt64 point, int index[])
{
  for (int k = deck->num_axes - 1; k >= 0; k--) {
    const PetscInt64 size = deck->axes[k].size > 0 ? deck->axes[k].size : 1;

    index[k] = (int)(point % size);
    point /= size;
  }
}

/* Six digits are for people; points are told apart by the exact values. */
PetscErrorCode CospinDeckDescribePoint(CospinDeck deck, PetscInt64 point, char text[], size_t size)
{
  size_t length = 0;
  int *index;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1((size_t)deck->num_axes + 1, &index));
  CospinDeckPointIndex(deck, point, index);
  text[0] = '\0';
  for (int k = 0; k < deck->num_axes && length < size; k++)
    length += (size_t)snprintf(text + length, size - length, "%s%s = %.6g", k ? ", " : "", deck->axes[k].name,
                               deck->axes[k].values[index[k]]);
  PetscCall(PetscFree(index));
  PetscFunctionReturn(0);
}

/* A key that the kind does not have is a mistake in this program and not in a deck, hence the abort: there
   is no error code on the way, since every caller would have to pass it on for something that never
   happens. */
const CospinSetting *CospinRecordGet(const CospinRecord *record, const char key[])
{
  for (int k = 0; record->kind->keys[k].name; k++) {
    if (!strcmp(record->kind->keys[k].name, key)) return &record->settings[k];
  }
  PetscCheckAbort(PETSC_FALSE, PETSC_COMM_SELF, PETSC_ERR_ARG_WRONG, "Records of kind %s have no key %s",
                  record->kind->name, key);
  return NULL;
}
