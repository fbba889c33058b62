#include "support_model.h"
#include <cospin/operator/liouvillian.h>
#include <cospin/problem/array.h>
#include <cospin/tasks/tables.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
/* cmocka needs setjmp.h to stdint.h above it */
#include <cmocka.h>

#define OK(call) assert_int_equal(call, 0)

Model Model_Open(MPI_Comm comm, const char text[], PetscInt64 number)
{
  const CospinSchema schema = {CospinComponentRecords, CospinTaskRecords, CospinArrayRecords,
                               CospinTasksAlone, CospinTaskExpandedRecords};
  Model model = {0};
  PetscBool ok;

  OK(CospinFaultsCreate("test.yaml", &model.faults));
  OK(CospinDeckRead(text, strlen(text), &schema, model.faults, &model.deck));
  if (CospinFaultsCount(model.faults)) OK(CospinFaultsView(model.faults, stderr));
  assert_int_equal(CospinFaultsCount(model.faults), 0);
  OK(CospinPointCreate(comm, model.deck, number, model.faults, &model.point, &ok));
  if (!ok) OK(CospinFaultsView(model.faults, stderr));
  assert_true(ok);
  model.problem = model.point->problem;
  return model;
}

void Model_Close(Model *model)
{
  OK(CospinPointDestroy(&model->point));
  OK(CospinDeckDestroy(&model->deck));
  OK(CospinFaultsDestroy(&model->faults));
}

/* Every label there is: the sector of the lattice of all integer vectors. */
static void all_labels(CospinProblem problem, CospinLattice *lattice, CospinSector *everything)
{
  const int n = problem->system.num_coordinates;
  int origin[COSPIN_MAX_COORDINATES] = {0};

  OK(CospinLatticeCreate(n, lattice));
  for (int i = 0; i < n; i++) {
    int unit[COSPIN_MAX_COORDINATES] = {0};
    unit[i] = 1;
    OK(CospinLatticeAdd(*lattice, unit));
  }
  OK(CospinSectorCreate(&problem->system, *lattice, origin, everything));
}

int *Model_All_Sectors(CospinProblem problem, int *num)
{
  const int n = problem->system.num_coordinates;
  const size_t bytes = sizeof(int) * (size_t)n;
  CospinLattice lattice;
  CospinSector everything;
  int *found;

  all_labels(problem, &lattice, &everything);
  found = malloc(bytes * (size_t)CospinSectorDimension(everything));
  assert_non_null(found);
  *num = 0;
  for (PetscInt64 k = 0; k < CospinSectorDimension(everything); k++) {
    int *label = found + *num * n, known = 0;
    CospinSectorLabel(everything, k, label);
    CospinLatticeReduce(problem->lattice, label);
    while (memcmp(found + known * n, label, bytes) != 0) known++;
    if (known == *num) (*num)++;
  }
  OK(CospinSectorDestroy(&everything));
  OK(CospinLatticeDestroy(&lattice));
  return found;
}

Dense Model_Gather(Mat matrix)
{
  PetscInt rows, columns_in_all, begin, end, num;
  const PetscInt *columns;
  const PetscScalar *values;
  Dense dense;

  OK(MatGetSize(matrix, &rows, &columns_in_all));
  assert_int_equal(rows, columns_in_all);
  dense = Dense_Zero((int)rows);
  OK(MatGetOwnershipRange(matrix, &begin, &end));
  for (PetscInt row = begin; row < end; row++) {
    OK(MatGetRow(matrix, row, &num, &columns, &values));
    for (PetscInt k = 0; k < num; k++) *Dense_At(dense, (int)row, (int)columns[k]) += values[k];
    OK(MatRestoreRow(matrix, row, &num, &columns, &values));
  }
  OK(MPI_Allreduce(MPI_IN_PLACE, dense.a, (int)(rows * rows), MPI_C_DOUBLE_COMPLEX, MPI_SUM,
                   PetscObjectComm((PetscObject)matrix)));
  return dense;
}

Dense Model_Sector_Matrix(const Model *model, const int label[])
{
  CospinSector sector;
  Mat matrix;
  Dense dense;

  OK(CospinSectorCreate(&model->problem->system, model->problem->lattice, label, &sector));
  OK(CospinLiouvillianCreate(model->point->comm, model->problem->generator, sector, &matrix));
  dense = Model_Gather(matrix);
  OK(MatDestroy(&matrix));
  OK(CospinSectorDestroy(&sector));
  return dense;
}

Dense Model_Everything(const Model *model, CospinLattice *lattice, CospinSector *everything)
{
  const CospinMoves generator = model->problem->generator;
  const int n = model->problem->system.num_coordinates;
  Dense dense;

  all_labels(model->problem, lattice, everything);
  dense = Dense_Zero((int)CospinSectorDimension(*everything));
  for (int column = 0; column < dense.n; column++) {
    for (int k = 0; k < generator->count; k++) {
      int label[COSPIN_MAX_COORDINATES], target[COSPIN_MAX_COORDINATES];
      const CospinMove *move = &generator->moves[k];
      const double complex amplitude =
          (CospinSectorLabel(*everything, column, label), CospinMoveAmplitude(generator, move, label));
      PetscInt64 row;
      for (int i = 0; i < n; i++) target[i] = label[i] + move->shift[i];
      row = CospinSectorIndex(*everything, target);
      if (row < 0) assert_true(amplitude == 0.0); /* nothing may leave the space */
      if (row >= 0) *Dense_At(dense, (int)row, column) += amplitude;
    }
  }
  return dense;
}

/* ---- Tasks
 * ------------------------------------------------------------------------------------------------- */

static void add_variable(Answer *answer, const char task[], const char name[], const char ending[], int size)
{
  const int k = answer->results.count++;
  CospinVariable *variable = &answer->variables[k];

  snprintf(variable->name, sizeof(variable->name), "%s_%s%s", task, name, ending);
  variable->size = size;
  variable->offset = k ? variable[-1].offset + variable[-1].size : 0;
}

static void add_observables(const Model *model, const char task[], int size, PetscBool averaged,
                            Answer *answer)
{
  const CospinObservables observables = model->point->observables;

  for (int k = 0; k < observables->count; k++) {
    const char *name = observables->observables[k].definition->name;
    const PetscBool real = observables->observables[k].real;
    add_variable(answer, task, name, real ? "" : "_re", size);
    if (!real) add_variable(answer, task, name, "_im", size);
    if (averaged) add_variable(answer, task, name, real ? COSPIN_AVERAGE : "_re" COSPIN_AVERAGE, 1);
    if (averaged && !real) add_variable(answer, task, name, "_im" COSPIN_AVERAGE, 1);
  }
}

Answer Model_Run(const Model *model, int task)
{
  enum { MAX_VARIABLES = 100 };
  const CospinRecord *record = &model->deck->tasks[task];
  const CospinTaskKind *kind = CospinTaskKindOf(record);
  Answer answer = {.variables = calloc(MAX_VARIABLES, sizeof(CospinVariable))};
  CospinDimension dimension = {0};
  int length;
  PetscBool ok;

  assert_non_null(answer.variables);
  OK(kind->Check(model->point->problem, record, model->faults, &dimension, &ok));
  if (!ok) OK(CospinFaultsView(model->faults, stderr));
  assert_true(ok);
  for (const CospinTaskVariable *row = kind->variables; row->suffix; row++)
    add_variable(&answer, record->name, row->suffix, "", row->along && dimension.size ? dimension.size : 1);
  if (kind->has_observables)
    add_observables(model, record->name, kind->observables_along ? dimension.size : 1,
                    kind->observables_averaged, &answer);
  assert_true(answer.results.count <= MAX_VARIABLES);
  length =
      answer.variables[answer.results.count - 1].offset + answer.variables[answer.results.count - 1].size;
  answer.record = malloc(sizeof(double) * (size_t)length);
  assert_non_null(answer.record);
  for (int k = 0; k < length; k++) answer.record[k] = NAN;
  answer.results.variables = answer.variables;
  answer.results.prefix_length = strlen(record->name) + 1;
  answer.results.record = answer.record;
  OK(kind->Run(model->point, record, answer.results, &answer.outcome));
  return answer;
}

void Answer_Free(Answer *answer)
{
  free(answer->variables);
  free(answer->record);
}

double Answer_Get(const Answer *answer, const char suffix[], int mode)
{
  for (int k = 0; k < answer->results.count; k++) {
    const CospinVariable *variable = &answer->variables[k];
    if (strcmp(variable->name + answer->results.prefix_length, suffix) != 0) continue;
    assert_in_range(mode, 0, variable->size - 1);
    return answer->record[variable->offset + mode];
  }
  fail_msg("The task has no variable %s", suffix);
  return NAN;
}
