/*
   Component kind `matrix`: any system of d levels, whose operators a deck states as matrices between them.

   A label is (k, k'), the levels of ket and bra. A matrix is taken apart into its diagonals, for steps move
   labels by one distance and have real amplitudes:

     A = sum over distances u >= 0 of  R_u + i I_u + (R'_u + i I'_u)^T,    R_u = sum_k r_k |k+u><k|

   with the last two for u > 0 only. Each of these, a band, is kept once: one that is a multiple of another is
   that one times a number, so that a hermitian matrix is seen to be hermitian, and sigma_x and sigma_y are
   made of the same steps. A band with one element is a matrix unit |a><b|, an elementary operator by itself.

   Elementary operators: of band b its own action is number 2 b, its adjoint (k+u -> k) number 2 b + 1; the
   unit |a><b| stands behind all bands, d a + b further on. Steps: two for each, the ket's and the bra's.
*/
#include "matrix.h"
#include "ladder.h"
#include "states.h"
#include <math.h>

/* Labels are numbered by pairs of levels, and units by int. */
enum { MOST_LEVELS = 1000 };

/* One diagonal of a matrix, or what several have in common. */
typedef struct {
  int up;
  double *amplitude; /* [levels - up]: <k+up|A|k> */
} Band;

/* One term of an operator: coefficient times an elementary operator. */
typedef struct {
  double complex coefficient;
  int code; /* a unit is given as -1 - (d a + b) while there may be more bands */
} Term;

/* What an operator of the deck is made of; it grows while matrices are read. */
typedef struct {
  int num, capacity;
  Term *terms;
} Terms;

typedef struct {
  int levels, num_bands, num_operators;
  Band *bands;
  Terms *operators;          /* [num_operators] */
  CospinOperatorName *names; /* [num_operators], `E` and the end of the table */
} Matrix;

int CospinMatrixLevels(CospinComponent component)
{
  return ((const Matrix *)component->data)->levels;
}

/* ---- Operators as bands -------------------------------------------------------------------------------- */

/* Appended; terms of one operator are few, and bands differ, so none is there twice. */
static PetscErrorCode add_term(Terms *terms, double complex coefficient, int code)
{
  PetscFunctionBeginUser;
  if (terms->num == terms->capacity) {
    terms->capacity = 2 * terms->capacity + 8;
    PetscCall(PetscRealloc(sizeof(Term) * (size_t)terms->capacity, &terms->terms));
  }
  terms->terms[terms->num++] = (Term){coefficient, code};
  PetscFunctionReturn(0);
}

/* The factor by which a band is `values`; 0: it is no multiple of that. Within rounding, for the parts of
   z v are made from z by two products. */
static double multiple_of(const Band *band, int size, const double values[])
{
  double factor = 0.0;

  for (int k = 0; k < size && factor == 0.0; k++)
    if (band->amplitude[k] != 0.0) factor = values[k] / band->amplitude[k];
  for (int k = 0; k < size; k++) {
    if (fabs(values[k] - factor * band->amplitude[k]) > 4 * PETSC_MACHINE_EPSILON * fabs(values[k]))
      return 0.0;
  }
  return factor;
}

/* coefficient * sum_k values[k] |k+up><k| or, `adjoint`, |k><k+up|, is added to the terms of an operator. */
static PetscErrorCode add_band(Matrix *matrix, double complex coefficient, int up, int adjoint,
                               const double values[], Terms *terms)
{
  const int size = matrix->levels - up;
  int elements = 0, only = 0;

  PetscFunctionBeginUser;
  for (int k = 0; k < size; k++) {
    if (values[k] == 0.0) continue;
    elements++;
    only = k;
  }
  if (elements == 0) PetscFunctionReturn(0);
  if (elements == 1) {
    const int row = adjoint ? only : only + up, column = adjoint ? only + up : only;
    PetscCall(add_term(terms, coefficient * values[only], -1 - (matrix->levels * row + column)));
    PetscFunctionReturn(0);
  }
  for (int b = 0; b < matrix->num_bands; b++) {
    const double factor = matrix->bands[b].up == up ? multiple_of(&matrix->bands[b], size, values) : 0.0;
    if (factor == 0.0) continue;
    PetscCall(add_term(terms, coefficient * factor, 2 * b + adjoint));
    PetscFunctionReturn(0);
  }
  PetscCall(PetscRealloc(sizeof(Band) * (size_t)(matrix->num_bands + 1), &matrix->bands));
  matrix->bands[matrix->num_bands].up = up;
  PetscCall(PetscMalloc1((size_t)size, &matrix->bands[matrix->num_bands].amplitude));
  PetscCall(PetscArraycpy(matrix->bands[matrix->num_bands].amplitude, values, (size_t)size));
  PetscCall(add_term(terms, coefficient, 2 * matrix->num_bands++ + adjoint));
  PetscFunctionReturn(0);
}

/* elements: [levels][levels], row after row; values: [levels] to work with. */
static PetscErrorCode take_apart(Matrix *matrix, const double complex elements[], double values[],
                                 Terms *terms)
{
  static const double complex parts[] = {1.0, I};
  const int d = matrix->levels;

  PetscFunctionBeginUser;
  for (int up = 0; up < d; up++) {
    for (int adjoint = 0; adjoint < (up ? 2 : 1); adjoint++) {
      for (int part = 0; part < 2; part++) {
        for (int k = 0; k < d - up; k++) {
          const double complex z = adjoint ? elements[d * k + k + up] : elements[d * (k + up) + k];
          values[k] = part ? cimag(z) : creal(z);
        }
        PetscCall(add_band(matrix, parts[part], up, adjoint, values, terms));
      }
    }
  }
  PetscFunctionReturn(0);
}

/* ---- From the deck ------------------------------------------------------------------------------------- */

/* Rows and columns that there are, each element once. elements: [levels][levels], zero on entry. */
static PetscErrorCode fill(const CospinOperatorMatrix *from, int levels, CospinFaults faults,
                           double complex elements[], PetscBool *ok)
{
  const CospinMatrix *of = from->of;

  PetscFunctionBeginUser;
  if (from->size && from->size != levels) {
    *ok = PETSC_FALSE;
    PetscCall(CospinFaultsAdd(faults, of->position, of->path, "has %d row%s (must be %d, one for each level)",
                              from->size, from->size == 1 ? "" : "s", levels));
    PetscFunctionReturn(0);
  }
  for (int k = 0; k < from->num; k++) {
    const double row = from->row[k], column = from->column[k];
    const PetscBool there = (PetscBool)(row >= 0 && row < levels && row == floor(row) && column >= 0 &&
                                        column < levels && column == floor(column));
    double complex *element = there ? &elements[levels * (int)row + (int)column] : NULL;
    const PetscBool twice = (PetscBool)(there && *element != 0.0);
    if (there && !twice) {
      *element = from->value[k];
      continue;
    }
    *ok = PETSC_FALSE;
    PetscCall(CospinFaultsAdd(faults, of->position, of->path,
                              twice ? "the element [%g,%g] stands twice in it (leave one of them out)"
                                    : "there is no element [%g,%g] (rows and columns are 0 to %d)",
                              row, column, levels - 1));
  }
  PetscFunctionReturn(0);
}

/* A name of an operator that is one of any component of this kind cannot be another. */
static PetscErrorCode check_name(const CospinMatrix *of, CospinFaults faults, PetscBool *ok)
{
  PetscFunctionBeginUser;
  if (of->name[0] != 'E' || of->name[1]) PetscFunctionReturn(0);
  *ok = PETSC_FALSE;
  PetscCall(CospinFaultsAdd(faults, of->position, of->path,
                            "an operator cannot be named `E` (E[a,b] is |a><b| of every matrix)"));
  PetscFunctionReturn(0);
}

/* E[a,b], which every component of this kind has; one's own operators stand before it. */
#define UNIT                                                                                                 \
  {                                                                                                          \
    "E", PETSC_FALSE, 1, {{1, 0, 2, {COSPIN_LEVEL(0), COSPIN_LEVEL(1)}}}, "E[a,b]: |a><b|"                   \
  }

/* Matrices are dense only here, one at a time: bands of 1000 levels are few numbers, their matrices 16 MB. */
static PetscErrorCode create_operators(CospinComponent component, CospinFaults faults, PetscBool *ok)
{
  Matrix *matrix = (Matrix *)component->data;
  const size_t levels = (size_t)matrix->levels;
  double complex *elements;
  double *values;

  PetscFunctionBeginUser;
  matrix->num_operators = component->num_matrices;
  PetscCall(PetscCalloc1((size_t)matrix->num_operators, &matrix->operators));
  PetscCall(PetscCalloc1((size_t)matrix->num_operators + 2, &matrix->names));
  PetscCall(PetscMalloc1(levels * levels, &elements));
  PetscCall(PetscMalloc1(levels, &values));
  for (int m = 0; m < matrix->num_operators; m++) {
    const CospinOperatorMatrix *from = &component->matrices[m];
    matrix->names[m] = (CospinOperatorName){.name = from->of->name, .help = "of the deck"};
    PetscCall(PetscArrayzero(elements, levels * levels));
    PetscCall(check_name(from->of, faults, ok));
    PetscCall(fill(from, matrix->levels, faults, elements, ok));
    PetscCall(take_apart(matrix, elements, values, &matrix->operators[m]));
  }
  matrix->names[matrix->num_operators] = (CospinOperatorName)UNIT;
  component->operators = matrix->names;
  PetscCall(PetscFree(values));
  PetscCall(PetscFree(elements));
  PetscFunctionReturn(0);
}

/* The number of levels first: without one no matrix can be looked at. What is wrong with the matrices is told
   all at once. */
static PetscErrorCode Create(CospinComponent component, const CospinRecord *record, const double numbers[],
                             int window, CospinFaults faults, PetscBool *ok)
{
  Matrix *matrix;

  PetscFunctionBeginUser;
  (void)window;
  *ok = (PetscBool)(numbers[0] >= 1 && numbers[0] <= MOST_LEVELS);
  if (!*ok) {
    PetscCall(CospinFaultsAdd(
        faults, record->settings[0].position, CospinExpressionPath(record->settings[0].expression),
        "%.17g levels (must be a whole number from 1 to %d)", numbers[0], (int)MOST_LEVELS));
    PetscFunctionReturn(0);
  }
  PetscCall(PetscNew(&matrix));
  matrix->levels = (int)numbers[0];
  component->data = matrix;
  component->num_coordinates = 2;
  PetscCall(create_operators(component, faults, ok));
  PetscFunctionReturn(0);
}

/* Also of one that a fault has left half done. */
static PetscErrorCode Destroy(CospinComponent component)
{
  Matrix *matrix = (Matrix *)component->data;

  PetscFunctionBeginUser;
  if (!matrix) PetscFunctionReturn(0);
  for (int b = 0; b < matrix->num_bands; b++) PetscCall(PetscFree(matrix->bands[b].amplitude));
  for (int m = 0; m < matrix->num_operators; m++) PetscCall(PetscFree(matrix->operators[m].terms));
  PetscCall(PetscFree(matrix->bands));
  PetscCall(PetscFree(matrix->operators));
  PetscCall(PetscFree(matrix->names));
  PetscCall(PetscFree(component->data));
  PetscFunctionReturn(0);
}

/* For `plan`; the operators themselves stand in the deck. */
static PetscErrorCode Describe(CospinComponent component, char text[], size_t size)
{
  const Matrix *matrix = (const Matrix *)component->data;

  PetscFunctionBeginUser;
  PetscCall(PetscSNPrintf(text, size, "%d level%s, %d operator%s of the deck", matrix->levels,
                          matrix->levels == 1 ? "" : "s", matrix->num_operators,
                          matrix->num_operators == 1 ? "" : "s"));
  PetscFunctionReturn(0);
}

/* What tells stored states of two such components apart. */
static double Size(CospinComponent component)
{
  return CospinMatrixLevels(component);
}

/* ---- Elementary operators ------------------------------------------------------------------------------ */

/* `name` is a row of this component's own table, so its place tells which operator is meant; units are
   numbered behind all bands, whose number is known by now. */
static PetscErrorCode Operator(CospinComponent component, const CospinOperatorName *name, const int levels[],
                               CospinEmit emit, void *context)
{
  const Matrix *matrix = (const Matrix *)component->data;
  const int which = (int)(name - matrix->names), first_unit = 2 * matrix->num_bands;

  PetscFunctionBeginUser;
  if (which == matrix->num_operators) {
    const int code = first_unit + matrix->levels * levels[0] + levels[1];
    PetscCall(emit(context, 1.0, 1, &code));
    PetscFunctionReturn(0);
  }
  for (int t = 0; t < matrix->operators[which].num; t++) {
    const Term *term = &matrix->operators[which].terms[t];
    const int code = term->code < 0 ? first_unit - 1 - term->code : term->code;
    PetscCall(emit(context, term->coefficient, 1, &code));
  }
  PetscFunctionReturn(0);
}

/* A diagonal is its own adjoint. */
static int ElementaryAdjoint(CospinComponent component, int code)
{
  const Matrix *matrix = (const Matrix *)component->data;
  const int unit = code - 2 * matrix->num_bands;

  if (unit < 0) return matrix->bands[code / 2].up ? code ^ 1 : code;
  return code - unit + matrix->levels * (unit % matrix->levels) + unit / matrix->levels;
}

/* Sides alternate, so that the coordinate which a step moves is its number modulo two. */
static int ElementaryStep(CospinComponent component, CospinElementary elementary, CospinSide side)
{
  (void)component;
  return 2 * elementary.code + (side == COSPIN_BRA);
}

/* How far an elementary operator moves a level: what symmetries are read from. A unit moves it by one
   distance, too, which is why it may stand beside bands. */
static int distance(const Matrix *matrix, int code)
{
  const int unit = code - 2 * matrix->num_bands;

  if (unit >= 0) return unit / matrix->levels - unit % matrix->levels;
  return code % 2 ? -matrix->bands[code / 2].up : matrix->bands[code / 2].up;
}

/* Of one coordinate, whatever the operator. */
static void Shift(CospinComponent component, int step, int shift[])
{
  shift[step % 2] += distance((const Matrix *)component->data, step / 2);
}

/* On the bra the same real amplitudes: rho A^+ is what A does to <k'|. A band's element between two levels
   stands at the lower of them, whichever way the step goes. */
static double Apply(CospinComponent component, int step, int label[])
{
  const Matrix *matrix = (const Matrix *)component->data;
  const int code = step / 2, unit = code - 2 * matrix->num_bands, from = label[step % 2];
  const int to = from + distance(matrix, code);

  label[step % 2] = to;
  if (from < 0 || from >= matrix->levels || to < 0 || to >= matrix->levels) return 0.0;
  if (unit >= 0) return from == unit % matrix->levels ? 1.0 : 0.0;
  return matrix->bands[code / 2].amplitude[PetscMin(from, to)];
}

static PetscBool ActsOn(CospinComponent component, int step, CospinSide side)
{
  (void)component;
  return (PetscBool)(step % 2 == (side == COSPIN_BRA));
}

/* ---- Labels -------------------------------------------------------------------------------------------- */

/* Every level stands beside every other: nothing is excluded but by what the moves reach. */
static void Range(CospinComponent component, int i, const int label[], int *lo, int *hi)
{
  (void)i;
  (void)label;
  *lo = 0;
  *hi = CospinMatrixLevels(component) - 1;
}

static const CospinLabelColumn columns[] = {
    {"level_ket", PETSC_TRUE, "level of the ket, counted from 0"},
    {"level_bra", PETSC_TRUE, "level of the bra"},
    {.suffix = NULL},
};

static const CospinKey keys[] = {
    {.name = "levels",
     .type = COSPIN_KEY_INTEGER,
     .required = PETSC_TRUE,
     .unit = "",
     .help = "dimension d; levels are counted from 0, and symmetries are found where processes change that "
             "number alike: order levels by their excitations"},
    {.name = "operators",
     .type = COSPIN_KEY_MATRICES,
     .unit = "",
     .help =
         "its operators: a matrix row after row, {entries: [[ROW, COLUMN, VALUE], ...]}, all others zero, "
         "or {file: FILE.h5, dataset: NAME}; elements are expressions, <ROW|A|COLUMN>"},
    COSPIN_COMPONENT_GROUPS_KEY,
    {.name = NULL},
};

static const CospinOperatorName operators[] = {UNIT, {.name = NULL}};

const CospinComponentKind CospinComponentMatrix = {
    .record = {"matrix", "any system of some levels, whose operators are stated as matrices", keys},
    .operators = operators,
    .ElementaryAdjoint = ElementaryAdjoint,
    .irregular = PETSC_TRUE,
    .states = CospinMatrixStates,
    .Create = Create,
    .Destroy = Destroy,
    .Describe = Describe,
    .columns = columns,
    .element = "|k><k'| of levels",
    .size = "number of levels",
    .Size = Size,
    .GetColumns = CospinLadderGetNumbers,
    .SetColumns = CospinLadderSetNumbers,
    .NumLevels = CospinMatrixLevels,
    .Operator = Operator,
    .roles = CospinLadderRoles,
    .Range = Range,
    .Diagonal = CospinLadderDiagonal,
    .Trace = CospinLadderTrace,
    .ElementaryStep = ElementaryStep,
    .Shift = Shift,
    .Apply = Apply,
    .ActsOn = ActsOn,
};
