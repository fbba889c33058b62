/*
   A stored state against the generator: its elements are put back into vectors on the sectors that they lie
   in, and everything is computed from these as if they came out of a solver.

   Residual, trace, hermiticity and observables must agree with what stands beside the state, within what
   rounding allows; the residual is compared as a bound, the others as values.

   Elements are set into vectors on sectors made from the deck; where a window has grown, its size is the
   stored one. L rho is then a product with the assembled or matrix-free generator, which knows nothing of how
   the state was found.
*/
#include "findings.h"
#include <cospin/operator/liouvillian.h>
#include <cospin/point/settings.h>
#include <cospin/problem/storage.h>
#include <cospin/tasks/tables.h>
#include <string.h>

/* Rounding of sums over elements, and of what an observable makes of them. Sums are in another order than
   the task's. */
static const double sum_slack = 1e-9, observable_slack = 1e-8;
/* Matrix, its preallocation and two vectors have to fit. */
static const double share_of_memory = 0.4;

/* The part of a stored state in one sector, as a vector again. */
typedef struct {
  CospinSector sector;
  Vec rho;
  PetscBool *there; /* [dimension] */
} Block;

/* A stored state with everything that is recomputed from it. */
typedef struct {
  CospinProblem problem; /* with the windows that the state was made with */
  CospinObservables observables;
  int num, capacity;
  Block *blocks;
  CospinDensity density; /* for functionals; NULL if there are none */
} Restored;

/* ---- Back into vectors --------------------------------------------------------------------------------- */

/* In the windows that the state was stored in: its sizes tell them. Sizes are numbers from a file: limits
   before they are used. */
static PetscErrorCode create_problem(CospinProblem problem, CospinStoredState state, Restored *restored,
                                     PetscBool *ok)
{
  int windows[COSPIN_MAX_COORDINATES] = {0};

  PetscFunctionBeginUser;
  for (int c = 0; c < state->num_sizes; c++)
    windows[c] = state->sizes[c] >= 1 && state->sizes[c] < 1e6 ? (int)state->sizes[c] : 0;
  PetscCall(CospinProblemCreateWindowed(problem, windows, NULL, &restored->problem, ok));
  if (*ok) PetscCall(CospinObservablesCreate(restored->problem, NULL, &restored->observables, ok));
  for (int c = 0; *ok && c < state->num_sizes; c++) {
    const CospinComponent component = &restored->problem->system.components[c];
    *ok = (PetscBool)(component->kind->Size(component) == state->sizes[c]);
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode destroy(Restored *restored)
{
  PetscFunctionBeginUser;
  for (int k = 0; k < restored->num; k++) {
    PetscCall(CospinSectorDestroy(&restored->blocks[k].sector));
    PetscCall(VecDestroy(&restored->blocks[k].rho));
    PetscCall(PetscFree(restored->blocks[k].there));
  }
  PetscCall(PetscFree(restored->blocks));
  PetscCall(CospinDensityDestroy(&restored->density));
  PetscCall(CospinObservablesDestroy(&restored->observables));
  PetscCall(CospinProblemDestroy(&restored->problem));
  PetscFunctionReturn(0);
}

/* The block where a label lies, and its place there; NULL: in none so far. From the newest on, for rows of
   one sector follow each other. */
static Block *find(const Restored *restored, const int label[], PetscInt64 *index)
{
  for (int k = restored->num - 1; k >= 0; k--) {
    *index = CospinSectorIndex(restored->blocks[k].sector, label);
    if (*index >= 0) return &restored->blocks[k];
  }
  return NULL;
}

/* One for every sector in which the state has elements. */
static PetscErrorCode add_block(Restored *restored, const int label[])
{
  const CospinProblem problem = restored->problem;
  PetscInt64 dimension;
  Block *block;

  PetscFunctionBeginUser;
  if (restored->num == restored->capacity) {
    restored->capacity = 2 * restored->capacity + 4;
    PetscCall(PetscRealloc(sizeof(Block) * (size_t)restored->capacity, &restored->blocks));
  }
  block = &restored->blocks[restored->num++];
  PetscCall(CospinSectorCreate(&problem->system, problem->lattice, label, &block->sector));
  dimension = CospinSectorDimension(block->sector);
  PetscCall(VecCreateSeq(PETSC_COMM_SELF, (PetscInt)dimension, &block->rho));
  PetscCall(VecZeroEntries(block->rho));
  PetscCall(PetscCalloc1((size_t)dimension + 1, &block->there));
  PetscFunctionReturn(0);
}

/* why: "", or what is wrong with a row. Labels that do not exist, numbers that are none, elements that
   occur twice: each alone makes the state worthless. */
static PetscErrorCode take_row(Restored *restored, const double row[], int num_columns, char why[])
{
  const CospinSystem *system = &restored->problem->system;
  int label[COSPIN_MAX_COORDINATES];
  PetscInt64 index;
  Block *block;

  PetscFunctionBeginUser;
  if (!CospinStorageLabel(system, row, label) || !CospinSystemContains(system, label)) {
    (void)strcpy(why, "has labels that this problem has not");
    PetscFunctionReturn(0);
  }
  if (!isfinite(row[num_columns]) || !isfinite(row[num_columns + 1])) {
    (void)strcpy(why, "has elements that are not numbers");
    PetscFunctionReturn(0);
  }
  block = find(restored, label, &index);
  if (!block) {
    PetscCall(add_block(restored, label));
    block = find(restored, label, &index);
  }
  if (block->there[index]) (void)strcpy(why, "has an element twice");
  block->there[index] = PETSC_TRUE;
  PetscCall(VecSetValue(block->rho, (PetscInt)index, row[num_columns] + PETSC_i * row[num_columns + 1],
                        INSERT_VALUES));
  PetscFunctionReturn(0);
}

/* Rows of the file into vectors, each element to its label's place. */
static PetscErrorCode restore(CospinStoredState state, Restored *restored, char why[])
{
  const int width = state->num_columns + 2;

  PetscFunctionBeginUser;
  for (PetscInt64 k = 0; k < state->count && !why[0]; k++)
    PetscCall(take_row(restored, state->rows + k * width, state->num_columns, why));
  for (int k = 0; k < restored->num; k++) {
    PetscCall(VecAssemblyBegin(restored->blocks[k].rho));
    PetscCall(VecAssemblyEnd(restored->blocks[k].rho));
  }
  PetscFunctionReturn(0);
}

/* ---- What is computed of it ---------------------------------------------------------------------------- */

/* Ket and bra change places. */
static void adjoint_of(const CospinSystem *system, const int label[], int adjoint[])
{
  for (int c = 0; c < system->num_components; c++) {
    const CospinComponent component = &system->components[c];
    const CospinRole *roles = component->kind->roles;
    int ket = 0, bra = 0;
    if (component->kind->Adjoint) {
      component->kind->Adjoint(component, label + component->offset, adjoint + component->offset);
      continue;
    }
    for (int i = 0; i < component->num_coordinates; i++) {
      int *other = roles[i] == COSPIN_COORDINATE_KET ? &bra : &ket;
      const CospinRole wanted =
          roles[i] == COSPIN_COORDINATE_KET ? COSPIN_COORDINATE_BRA : COSPIN_COORDINATE_KET;
      adjoint[component->offset + i] = label[component->offset + i];
      if (roles[i] == COSPIN_COORDINATE_IRREP) continue;
      while (roles[*other] != wanted) ++*other;
      adjoint[component->offset + i] = label[component->offset + *other];
      ++*other;
    }
  }
}

/* What is recomputed from the elements alone. */
typedef struct {
  double complex trace;
  double smallest, imaginary, asymmetry; /* populations; |rho - rho^+|, largest element */
  double residual;
} Inspection;

/* Trace, hermiticity and populations of one sector, from the elements. A partner that is not stored is
   zero, and then so must this element be. */
static PetscErrorCode inspect_block(const Restored *restored, const Block *block, Inspection *inspection)
{
  const CospinSystem *system = &restored->problem->system;
  const PetscScalar *values, *others;
  double complex trace;
  PetscInt64 index;
  PetscInt size;

  PetscFunctionBeginUser;
  PetscCall(CospinTraceOf(system, block->sector, block->rho, &trace));
  inspection->trace += trace;
  PetscCall(VecGetLocalSize(block->rho, &size));
  PetscCall(VecGetArrayRead(block->rho, &values));
  for (PetscInt i = 0; i < size; i++) {
    int label[COSPIN_MAX_COORDINATES], adjoint[COSPIN_MAX_COORDINATES];
    PetscScalar mirrored = 0.0;
    double weight;
    const Block *other;
    CospinSectorLabel(block->sector, i, label);
    /* rho = rho^+: the element of the label with ket and bra exchanged, which may lie in another sector, is
       the complex conjugate. */
    adjoint_of(system, label, adjoint);
    other = find(restored, adjoint, &index);
    if (other) {
      PetscCall(VecGetArrayRead(other->rho, &others));
      mirrored = others[index];
      PetscCall(VecRestoreArrayRead(other->rho, &others));
    }
    inspection->asymmetry = PetscMax(inspection->asymmetry, PetscAbsScalar(values[i] - PetscConj(mirrored)));
    weight = CospinSystemTrace(system, label);
    if (weight == 0.0 || !block->there[i]) continue; /* what nothing reaches is not stored, and nothing */
    inspection->smallest = PetscMin(inspection->smallest, weight * PetscRealPart(values[i]));
    inspection->imaginary =
        PetscMax(inspection->imaginary, weight * PetscAbsReal(PetscImaginaryPart(values[i])));
  }
  PetscCall(VecRestoreArrayRead(block->rho, &values));
  PetscFunctionReturn(0);
}

/* |L rho| / (|L| |rho|) of the worst block, as tasks define it. Assembled, whatever the task used: another
   way to the same number. */
static PetscErrorCode apply_generator(const Restored *restored, Inspection *inspection, PetscBool *applied)
{
  const double bytes_a_move = 2.0 * (sizeof(PetscScalar) + sizeof(PetscInt));

  PetscFunctionBeginUser;
  for (int k = 0; k < restored->num && *applied; k++) {
    const Block *block = &restored->blocks[k];
    const double bytes = bytes_a_move * (double)CospinSectorDimension(block->sector) *
                         (double)restored->problem->generator->count;
    PetscReal norm, image_norm, size;
    Mat generator;
    Vec image;
    *applied = (PetscBool)(bytes < share_of_memory * restored->problem->bytes);
    if (!*applied) break;
    PetscCall(
        CospinLiouvillianCreate(PETSC_COMM_SELF, restored->problem->generator, block->sector, &generator));
    PetscCall(VecDuplicate(block->rho, &image));
    PetscCall(MatMult(generator, block->rho, image));
    PetscCall(MatNorm(generator, NORM_INFINITY, &norm));
    PetscCall(VecNorm(image, NORM_2, &image_norm));
    PetscCall(VecNorm(block->rho, NORM_2, &size));
    if (norm > 0 && size > 0)
      inspection->residual = PetscMax(inspection->residual, image_norm / (norm * size));
    PetscCall(VecDestroy(&image));
    PetscCall(MatDestroy(&generator));
  }
  PetscFunctionReturn(0);
}

/* The observable's expectation values from all blocks, then its expression. */
static PetscErrorCode observe(const Restored *restored, int k, double complex *value)
{
  const CospinObservable *observable = &restored->observables->observables[k];
  const int count = observable->num_expectations;
  double complex *sums, *parts;
  double *functionals;

  PetscFunctionBeginUser;
  PetscCall(PetscCalloc2((size_t)count + 1, &sums, (size_t)count + 1, &parts));
  for (int b = 0; b < restored->num; b++) {
    PetscCall(CospinExpectations(restored->blocks[b].sector, restored->blocks[b].rho, count,
                                 observable->expectations, parts));
    for (int e = 0; e < count; e++) sums[e] += parts[e];
  }
  PetscCall(PetscMalloc1((size_t)observable->num_functionals + 1, &functionals));
  PetscCall(CospinObservableFunctionals(observable, sums, restored->density, functionals));
  PetscCall(CospinObservableEvaluateWith(restored->observables, k, sums, functionals, value));
  PetscCall(PetscFree(functionals));
  PetscCall(PetscFree2(sums, parts));
  PetscFunctionReturn(0);
}

/* ---- Against what is stored ---------------------------------------------------------------------------- */

typedef struct {
  CospinPoint point;
  CospinResults results;
  int index;
  PetscBool along; /* there is a state for every index */
  CospinFaults faults;
} Look;

/* A variable that the task has, against what the state gives. A variable that the task does not have is no
   fault. Beyond one the difference counts relatively. */
static PetscErrorCode compare(const Look *look, const char suffix[], const CospinObservable *observable,
                              double computed, double tolerance)
{
  const CospinVariable *variable = CospinResultsFind(look->results, suffix);
  double stored;

  PetscFunctionBeginUser;
  int place = look->index;
  if (variable && observable) place = CospinResultsPlace(variable, observable, place);
  if (!variable || place >= variable->size) PetscFunctionReturn(0);
  if (look->along && variable->dimension < 0) PetscFunctionReturn(0); /* of all states together */
  stored = look->results.record[variable->offset + place];
  if (isnan(stored) && isnan(computed)) PetscFunctionReturn(0);
  if (PetscAbsReal(stored - computed) <= tolerance * PetscMax(1.0, PetscAbsReal(stored)))
    PetscFunctionReturn(0);
  PetscCall(CospinCheckFault(look->faults, variable->name, look->point,
                             "is %.10g, but the stored state gives %.10g", stored, computed));
  PetscFunctionReturn(0);
}

static PetscBool needs_state(const CospinObservable *observable)
{
  for (int f = 0; f < observable->num_functionals; f++)
    if (observable->functionals[f]->kind->needs > COSPIN_NEEDS_MOMENTS) return PETSC_TRUE;
  return PETSC_FALSE;
}

static PetscErrorCode compare_observables(const Look *look, const CospinTaskKind *kind,
                                          const Restored *restored)
{
  char name[128];

  PetscFunctionBeginUser;
  for (int k = 0; kind->has_observables && k < restored->observables->count; k++) {
    const CospinObservable *observable = &restored->observables->observables[k];
    double complex value;
    if (kind->states_sampled && needs_state(observable)) continue;
    PetscCall(observe(restored, k, &value));
    PetscCall(PetscSNPrintf(name, sizeof(name), "%s%s", observable->definition->name,
                            observable->real ? "" : "_re"));
    PetscCall(compare(look, name, observable, creal(value), observable_slack));
    if (observable->real) continue;
    PetscCall(PetscSNPrintf(name, sizeof(name), "%s_im", observable->definition->name));
    PetscCall(compare(look, name, observable, cimag(value), observable_slack));
  }
  PetscFunctionReturn(0);
}

/* What a state may lack of being hermitian; an improbable one that has been normalised is known less well.
   A state that a rare click leaves has been divided by its probability, and its errors with it. */
static double allowed_asymmetry(const Look *look, double tolerance)
{
  const CospinVariable *uncertainty = CospinResultsFind(look->results, "uncertainty");
  const double allowed = PetscMax(sum_slack, 100 * tolerance);

  if (!look->along || !uncertainty || look->index >= uncertainty->size) return allowed;
  return PetscMax(allowed, look->results.record[uncertainty->offset + look->index]);
}

static PetscErrorCode compare_all(const Look *look, const CospinRecord *task, const Restored *restored,
                                  const char path[], PetscBool *applied)
{
  const CospinTaskKind *kind = CospinTaskKindOf(task);
  Inspection inspection = {.smallest = PETSC_MAX_REAL};
  double tolerance;
  PetscBool ok;

  PetscFunctionBeginUser;
  PetscCall(CospinTaskTolerance(look->point->problem, task, NULL, &tolerance, &ok));
  for (int k = 0; k < restored->num; k++)
    PetscCall(inspect_block(restored, &restored->blocks[k], &inspection));
  PetscCall(compare(look, "trace", NULL, creal(inspection.trace), sum_slack));
  PetscCall(compare(look, "smallest_population", NULL, inspection.smallest, sum_slack));
  PetscCall(compare(look, "hermiticity", NULL, inspection.imaginary, sum_slack));
  if (inspection.asymmetry > allowed_asymmetry(look, tolerance))
    PetscCall(CospinCheckFault(look->faults, path, look->point, "is not hermitian: |rho - rho^+| is %.3g",
                               inspection.asymmetry));
  PetscCall(compare_observables(look, kind, restored));
  if (!kind->stationary) PetscFunctionReturn(0);
  PetscCall(apply_generator(restored, &inspection, applied));
  if (inspection.residual > tolerance + 1e2 * PETSC_MACHINE_EPSILON)
    PetscCall(CospinCheckFault(look->faults, path, look->point,
                               "is not stationary: |L rho| / (|L| |rho|) is %.3g, the tolerance %.3g",
                               inspection.residual, tolerance));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinCheckState(CospinPoint point, const CospinRecord *task, CospinStoredState state,
                                CospinResults results, int index, CospinFaults faults, PetscBool *applied)
{
  const Look look = {point, results, index, CospinTaskKindOf(task)->states_along, faults};
  Restored restored = {0};
  char path[128], why[128] = "";
  PetscBool ok;

  PetscFunctionBeginUser;
  *applied = PETSC_TRUE;
  PetscCall(PetscSNPrintf(path, sizeof(path), "states/%s", task->name));
  PetscCall(create_problem(point->problem, state, &restored, &ok));
  if (!ok) (void)strcpy(why, "has sizes of components that this problem has not");
  if (ok) PetscCall(restore(state, &restored, why));
  if (!why[0] && CospinObservablesNeed(point->problem->deck) > COSPIN_NEEDS_MOMENTS)
    PetscCall(CospinDensityCreate(&restored.problem->system, state, &restored.density));
  if (why[0]) {
    PetscCall(CospinCheckFault(faults, path, point, "%s", why));
  } else {
    PetscCall(compare_all(&look, task, &restored, path, applied));
  }
  PetscCall(destroy(&restored));
  PetscFunctionReturn(0);
}
