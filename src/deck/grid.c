/*
   Axes: lists of numbers, written out or as a rule.

   A rule (linspace, logspace, range) is turned into its numbers at once: from here on an axis is a list of
   values, which are the coordinates of the dataset and the identity of points. The outer product of all
   axes is never stored; point k is taken apart into indices, the last axis running fastest.
*/
#include "read_impl.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
  MAX_AXIS = 10000000,
  MAX_AXES = 31 /* HDF5's arrays have 32 dimensions, and one of them may be `mode` or `time` */
};
#define MAX_POINTS 1e12

#define EXPECTED_AXIS                                                                                        \
  "a list of numbers, {linspace: [first, last, count]}, {logspace: [first, last, count]} or {range: "        \
  "[first, "                                                                                                 \
  "end, step]}"

static PetscErrorCode fail(CospinReader *reader, const CospinEntry *entry, const char sentence[])
{
  PetscFunctionBeginUser;
  PetscCall(CospinFaultsAdd(reader->faults, entry->at, entry->path, "%s", sentence));
  PetscFunctionReturn(0);
}

/* Axes are numbers, not expressions that are kept: points are told by them, so they must not change with
   another parameter of the grid. Each may be an expression of constants and of parameters that are not on
   the grid themselves. */
static PetscErrorCode read_numbers(CospinReader *reader, const CospinEntries *items, double numbers[],
                                   PetscBool *good)
{
  PetscFunctionBeginUser;
  *good = PETSC_TRUE;
  for (int k = 0; k < items->count; k++) {
    CospinExpression expression;
    PetscBool ok = PETSC_FALSE;

    PetscCall(CospinReadExpression(reader, &items->entries[k], "a number", &expression));
    if (expression) PetscCall(CospinReadConstant(reader, expression, &numbers[k], &ok));
    PetscCall(CospinExpressionDestroy(&expression));
    if (!ok) *good = PETSC_FALSE;
  }
  PetscFunctionReturn(0);
}

/* 10^7 values on an axis are a slip of a finger. */
static PetscErrorCode check_count(CospinReader *reader, const CospinEntry *entry, double count,
                                  PetscBool *good)
{
  PetscFunctionBeginUser;
  *good = (PetscBool)(count >= 1 && count <= MAX_AXIS && count == floor(count));
  if (!*good)
    PetscCall(CospinFaultsAdd(reader->faults, entry->at, entry->path,
                              "would have %.6g values (must be a whole number from 1 to %d)", count,
                              (int)MAX_AXIS));
  PetscFunctionReturn(0);
}

/* Both ends are exact, which first + k step would not give. (x0 (last - k) + x1 k) / last is also
   symmetric under exchange of the ends and hits 0 in the middle of [-1, 1]; x0 + k h leaves 1e-17 there,
   which would be another point than a typed 0. */
static PetscErrorCode fill_linspace(CospinReader *reader, const CospinEntry *entry, int num_numbers,
                                    const double x[], CospinAxis *axis)
{
  PetscBool good;
  int last;

  PetscFunctionBeginUser;
  (void)num_numbers;
  PetscCall(check_count(reader, entry, x[2], &good));
  if (!good) PetscFunctionReturn(0);
  axis->size = (int)x[2];
  PetscCall(PetscMalloc1((size_t)axis->size, &axis->values));
  last = PetscMax(axis->size - 1,
                  1); /* ends as they are, and the numbers that a user would type between round ones */
  for (int k = 0; k < axis->size; k++) axis->values[k] = (x[0] * (last - k) + x[1] * k) / last;
  PetscFunctionReturn(0);
}

/* From logarithms, with both ends exact as in linspace. The ends are values (0.1 to 10), not exponents as
   in numpy: a negative end is therefore most likely an exponent, and the fault says what is meant. With
   one value k/(size - 1) is 0/0; the last line puts it right. */
static PetscErrorCode fill_logspace(CospinReader *reader, const CospinEntry *entry, int num_numbers,
                                    const double x[], CospinAxis *axis)
{
  PetscBool good;

  PetscFunctionBeginUser;
  (void)num_numbers;
  PetscCall(check_count(reader, entry, x[2], &good));
  if (!(x[0] > 0 && x[1] > 0)) {
    PetscCall(fail(reader, entry, "the first and the last value must be positive (values, not exponents)"));
    PetscFunctionReturn(0);
  }
  if (!good) PetscFunctionReturn(0);
  axis->size = (int)x[2];
  PetscCall(PetscMalloc1((size_t)axis->size, &axis->values));
  for (int k = 0; k < axis->size; k++) axis->values[k] = x[0] * pow(x[1] / x[0], k / (axis->size - 1.));
  axis->values[axis->size - 1] = x[1];
  axis->values[0] = x[0];
  PetscFunctionReturn(0);
}

/* The end is excluded; rounding of the step must not bring it back. As in Python. 1e-9 of a step: 1.1/0.1
   is 11.000000000000002, and ceil would add the end as a 12th value. */
static PetscErrorCode fill_range(CospinReader *reader, const CospinEntry *entry, int num_numbers,
                                 const double x[], CospinAxis *axis)
{
  const double step = num_numbers > 2 ? x[2] : 1;
  const double steps = (x[1] - x[0]) / step;
  PetscBool good;

  PetscFunctionBeginUser;
  if (step == 0) {
    PetscCall(fail(reader, entry, "the step must not be zero"));
    PetscFunctionReturn(0);
  }
  if (steps <= 0) {
    PetscCall(
        fail(reader, entry, "has no values (the end is left out, and going down needs a negative step)"));
    PetscFunctionReturn(0);
  }
  PetscCall(check_count(reader, entry, fmax(ceil(steps - 1e-9 * fmax(1, fabs(steps))), 0), &good));
  if (!good) PetscFunctionReturn(0);
  axis->size = (int)ceil(steps - 1e-9 * fmax(1, fabs(steps)));
  PetscCall(PetscMalloc1((size_t)axis->size, &axis->values));
  for (int k = 0; k < axis->size; k++) axis->values[k] = x[0] + k * step;
  PetscFunctionReturn(0);
}

static const struct {
  const char *name, *expected;
  int min_numbers, max_numbers;
  PetscErrorCode (*Fill)(CospinReader *, const CospinEntry *, int, const double[], CospinAxis *);
} rules[] = {
    {"linspace", "[first, last, count]", 3, 3, fill_linspace},
    {"logspace", "[first, last, count]", 3, 3, fill_logspace},
    {"range", "[first, end] or [first, end, step]", 2, 3, fill_range},
};

enum { NUM_RULES = sizeof(rules) / sizeof(rules[0]) };

/* Numbers of a rule may be expressions of parameters that no axis changes. Further faults of the same list
   would only follow from its first ones. */
static PetscErrorCode apply_rule(CospinReader *reader, const CospinEntry *entry, int rule, CospinAxis *axis)
{
  const int num_faults = CospinFaultsCount(reader->faults);
  CospinEntries items;
  double numbers[3];
  PetscBool good;

  PetscFunctionBeginUser;
  PetscCall(CospinEntriesCreate(entry, COSPIN_ENTRY_LIST, rules[rule].expected, reader->faults, &items));
  if (CospinFaultsCount(reader->faults) == num_faults) {
    if (items.count < rules[rule].min_numbers || items.count > rules[rule].max_numbers)
      PetscCall(CospinFaultsAdd(reader->faults, entry->at, entry->path, "must be %s, not %d numbers",
                                rules[rule].expected, items.count));
    else {
      PetscCall(read_numbers(reader, &items, numbers, &good));
      if (good) PetscCall(rules[rule].Fill(reader, entry, items.count, numbers, axis));
    }
  }
  PetscCall(CospinEntriesDestroy(&items));
  PetscFunctionReturn(0);
}

/* One rule per axis; {linspace: ..., range: ...} has no meaning. */
static PetscErrorCode read_rule(CospinReader *reader, const CospinEntry *entry, CospinAxis *axis)
{
  const char *known[NUM_RULES + 1] = {NULL};
  CospinEntries entries;
  int num_unknown;

  PetscFunctionBeginUser;
  for (int k = 0; k < NUM_RULES; k++) known[k] = rules[k].name;
  PetscCall(CospinEntriesCreate(entry, COSPIN_ENTRY_MAPPING, EXPECTED_AXIS, reader->faults, &entries));
  PetscCall(CospinEntriesCheckKeys(&entries, known, reader->faults, &num_unknown));
  if (entries.count != 1 && !num_unknown) PetscCall(fail(reader, entry, "must be one of: " EXPECTED_AXIS));
  for (int k = 0; k < NUM_RULES && entries.count == 1; k++) {
    const CospinEntry *rule = CospinEntriesFind(&entries, rules[k].name);

    if (rule) PetscCall(apply_rule(reader, rule, k, axis));
  }
  PetscCall(CospinEntriesDestroy(&entries));
  PetscFunctionReturn(0);
}

/* Values in any order: the dataset keeps theirs. */
static PetscErrorCode read_list(CospinReader *reader, const CospinEntry *entry, CospinAxis *axis)
{
  CospinEntries items;
  PetscBool good;

  PetscFunctionBeginUser;
  PetscCall(CospinEntriesCreate(entry, COSPIN_ENTRY_LIST, EXPECTED_AXIS, reader->faults, &items));
  if (items.count == 0) PetscCall(fail(reader, entry, "has no values (must be " EXPECTED_AXIS ")"));
  axis->size = items.count;
  PetscCall(PetscCalloc1((size_t)items.count, &axis->values));
  PetscCall(read_numbers(reader, &items, axis->values, &good));
  if (!good) {
    axis->size = 0;
    PetscCall(PetscFree(axis->values));
  }
  PetscCall(CospinEntriesDestroy(&items));
  PetscFunctionReturn(0);
}

/* Differences and quotients of finite numbers may overflow. */
static PetscErrorCode check_finite(CospinReader *reader, const CospinEntry *entry, CospinAxis *axis)
{
  PetscFunctionBeginUser;
  for (int k = 0; k < axis->size; k++) {
    if (isfinite(axis->values[k])) continue;
    PetscCall(fail(reader, entry, "has values that are not finite (its ends are too far apart)"));
    axis->size = 0;
    PetscCall(PetscFree(axis->values));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode CospinReadAxis(CospinReader *reader, const CospinEntry *entry, CospinAxis *axis)
{
  char *text;

  PetscFunctionBeginUser;
  axis->position = entry->at;
  switch (CospinEntryGetForm(entry)) {
  case COSPIN_ENTRY_LIST:
    PetscCall(read_list(reader, entry, axis));
    break;
  case COSPIN_ENTRY_MAPPING:
    PetscCall(read_rule(reader, entry, axis));
    break;
  case COSPIN_ENTRY_EMPTY:
    PetscCall(fail(reader, entry, "has no values (must be " EXPECTED_AXIS ")"));
    break;
  case COSPIN_ENTRY_SCALAR:
    PetscCall(CospinEntryGetText(entry, EXPECTED_AXIS, reader->faults, &text));
    if (text)
      PetscCall(CospinFaultsAdd(reader->faults, entry->at, entry->path,
                                "must be " EXPECTED_AXIS ", not `%.100s` (write [%.100s])", text, text));
    PetscCall(PetscFree(text));
    break;
  }
  PetscCall(check_finite(reader, entry, axis));
  PetscFunctionReturn(0);
}

static int compare_doubles(const void *a, const void *b)
{
  const double x = *(const double *)a, y = *(const double *)b;

  return (x > y) - (x < y);
}

/* Points are known by their coordinates, so no two may have the same. Two values closer than a few units
   in the last place are one and the same for a user, and points would be computed twice or found under the
   wrong coordinate. */
static PetscErrorCode check_distinct(CospinReader *reader, const CospinEntry *entry, const CospinAxis *axis)
{
  double *sorted;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1((size_t)axis->size, &sorted));
  if (axis->size) memcpy(sorted, axis->values, (size_t)axis->size * sizeof(double));
  if (axis->size) qsort(sorted, (size_t)axis->size, sizeof(double), compare_doubles);
  for (int k = 1; k < axis->size; k++) {
    if (sorted[k] - sorted[k - 1] > 4 * PETSC_MACHINE_EPSILON * fabs(sorted[k])) continue;
    PetscCall(CospinFaultsAdd(reader->faults, entry->at, entry->path,
                              "has the value %.10g twice (every point of the grid is computed once)",
                              sorted[k]));
    break;
  }
  PetscCall(PetscFree(sorted));
  PetscFunctionReturn(0);
}

/* An axis overrides a parameter, so there must be one of its name: a misspelt axis would compute the same
   point many times. */
static PetscErrorCode check_axis_name(CospinReader *reader, const CospinEntry *entry)
{
  CospinDeck deck = reader->deck;
  const char **known;

  PetscFunctionBeginUser;
  if (CospinParameterFind(deck, entry->key) >= 0) PetscFunctionReturn(0);
  PetscCall(PetscMalloc1((size_t)deck->num_parameters + 1, &known));
  for (int k = 0; k < deck->num_parameters; k++) known[k] = deck->parameters[k].name;
  known[deck->num_parameters] = NULL;
  PetscCall(
      CospinFaultsAddUnknown(reader->faults, entry->key_at, entry->path, "parameter", entry->key, known));
  PetscCall(PetscFree(known));
  PetscFunctionReturn(0);
}

/* 10^12 points is more than all machines will ever compute, and few enough for their numbers to be exact
   in a double. */
PetscErrorCode CospinReadGrid(CospinReader *reader, const CospinEntry *entry)
{
  CospinDeck deck = reader->deck;
  CospinEntries axes;
  double num_points = 1;

  PetscFunctionBeginUser;
  PetscCall(CospinEntriesCreate(entry, COSPIN_ENTRY_MAPPING, "a mapping `PARAMETER: VALUES`", reader->faults,
                                &axes));
  PetscCall(PetscCalloc1((size_t)axes.count, &deck->axes));
  deck->num_axes = axes.count;
  /* All names come first: a value may use only parameters that are not on the grid. */
  for (int k = 0; k < axes.count; k++) {
    PetscCall(PetscStrallocpy(axes.entries[k].key, &deck->axes[k].name));
    PetscCall(check_axis_name(reader, &axes.entries[k]));
  }
  for (int k = 0; k < axes.count; k++) {
    PetscCall(CospinReadAxis(reader, &axes.entries[k], &deck->axes[k]));
    PetscCall(check_distinct(reader, &axes.entries[k], &deck->axes[k]));
    num_points *= deck->axes[k].size;
  }
  if (axes.count > MAX_AXES)
    PetscCall(CospinFaultsAdd(reader->faults, entry->key_at, entry->path, "has %d axes (at most %d)",
                              axes.count, (int)MAX_AXES));
  if (num_points > MAX_POINTS)
    PetscCall(CospinFaultsAdd(reader->faults, entry->key_at, entry->path, "has %.3g points (at most %.0e)",
                              num_points, MAX_POINTS));
  PetscCall(CospinEntriesDestroy(&axes));
  PetscFunctionReturn(0);
}
