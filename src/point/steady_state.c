/*
   How many steady states there are, and the one if there is one.

   Steady states have their null vectors in sectors with a trace, at least one in each. If there is one in
   all, coherences may still last: X of another sector with L X = 0. Where states do not decay into others,
   the vectors that last form matrix algebras, and X^+ X has the charge zero; with one null vector there, X is
   unitary up to a factor, and no unitary matrix of finite size adds to a conserved number. So only sectors of
   finite order are asked (cospin/problem/lattice.h): jumps Sx of one spin keep the coherence Sx.
   B. Baumgartner, H. Narnhofer, J. Phys. A 41, 395303 (2008); V. V. Albert, L. Jiang, PRA 89, 022118 (2014).
*/
#include "steady_state.h"
#include <cospin/deck/rounding.h>
#include <cospin/operator/liouvillian.h>
#include <cospin/point/cutoffs.h>
#include <cospin/point/settings.h>
#include <cospin/point/window.h>

/* Elements as what they are to expectation values: where basis elements have other traces than 1. */
static PetscErrorCode bound_elements(CospinEigensolver eigensolver, Vec x)
{
  PetscScalar *array;
  PetscInt begin, end;

  PetscFunctionBeginUser;
  PetscCall(VecGetOwnershipRange(x, &begin, &end));
  PetscCall(VecGetArray(x, &array));
  for (PetscInt i = begin; i < end; i++) {
    int label[COSPIN_MAX_COORDINATES];
    CospinSectorLabel(eigensolver->sector, i, label);
    array[i - begin] *= CospinSystemBound(eigensolver->system, label);
  }
  PetscCall(VecRestoreArray(x, &array));
  PetscFunctionReturn(0);
}

/* See CospinQuality.error. */
static PetscErrorCode error_of(CospinEigensolver eigensolver, Vec x, double *error)
{
  double weighed;
  PetscReal rest, size;
  double loss;
  Vec image, bounded;

  PetscFunctionBeginUser;
  *error = 0.0;
  if (isinf(eigensolver->separation)) PetscFunctionReturn(0); /* nothing else to turn to */
  PetscCall(VecDuplicate(x, &image));
  PetscCall(VecDuplicate(x, &bounded));
  PetscCall(VecCopy(x, bounded));
  PetscCall(MatMult(eigensolver->liouvillian, x, image));
  PetscCall(bound_elements(eigensolver, bounded));
  PetscCall(bound_elements(eigensolver, image));
  PetscCall(CospinEigensolverWeigh(eigensolver, bounded, &weighed));
  PetscCall(VecNorm(bounded, NORM_1, &size));
  PetscCall(VecNorm(image, NORM_1, &rest));
  PetscCall(VecDestroy(&image));
  PetscCall(VecDestroy(&bounded));
  PetscCall(CospinWindowLoss(eigensolver, x, &loss)); /* and as much comes back */
  *error = (PETSC_MACHINE_EPSILON * weighed + rest + 2 * loss * size) / eigensolver->separation;
  PetscFunctionReturn(0);
}

/* ---- Cutoffs ------------------------------------------------------------------------------------------- */

/* Population where a cutoff is passed. */
static PetscErrorCode population_of(const CospinSystem *system, CospinSector sector, Vec rho,
                                    CospinCutoffs cutoffs, int k, double *population)
{
  const PetscScalar *array;
  PetscInt begin, end;
  double sum = 0.0;

  PetscFunctionBeginUser;
  PetscCall(VecGetOwnershipRange(rho, &begin, &end));
  PetscCall(VecGetArrayRead(rho, &array));
  for (PetscInt i = begin; i < end; i++) {
    int label[COSPIN_MAX_COORDINATES];
    double weight;
    CospinSectorLabel(sector, i, label);
    weight = CospinSystemTrace(system, label);
    if (weight != 0.0 && CospinCutoffsPassed(cutoffs, k, label))
      sum += weight * PetscAbsScalar(array[i - begin]);
  }
  PetscCall(VecRestoreArrayRead(rho, &array));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &sum, 1, MPI_DOUBLE, MPI_SUM, PetscObjectComm((PetscObject)rho)));
  *population = sum;
  PetscFunctionReturn(0);
}

PetscErrorCode CospinStateEdge(CospinProblem problem, CospinSector sector, Vec rho, CospinQuality *quality)
{
  CospinCutoffs cutoffs;

  PetscFunctionBeginUser;
  quality->edge = 0.0;
  quality->cut = PETSC_FALSE;
  PetscCall(CospinCutoffsCreate(problem, &cutoffs));
  for (int k = 0; k < CospinCutoffsCount(cutoffs); k++) {
    double population;
    PetscCall(population_of(&problem->system, sector, rho, cutoffs, k, &population));
    quality->edge = PetscMax(quality->edge, population);
    if (population > CospinCutoffsAccepted(cutoffs, k) * (1.0 + COSPIN_ROUNDING)) quality->cut = PETSC_TRUE;
  }
  PetscCall(CospinCutoffsDestroy(&cutoffs));
  PetscFunctionReturn(0);
}

/* ---- Null vectors -------------------------------------------------------------------------------------- */

PetscErrorCode CospinStateQuality(CospinPoint point, CospinEigensolver eigensolver, Vec rho,
                                  CospinQuality *quality)
{
  PetscReal norm, size;
  Vec image;

  PetscFunctionBeginUser;
  PetscCall(VecNorm(rho, NORM_2, &size));
  PetscCall(VecDuplicate(rho, &image));
  PetscCall(MatMult(eigensolver->liouvillian, rho, image));
  PetscCall(VecNorm(image, NORM_2, &norm));
  PetscCall(VecDestroy(&image));
  quality->residual = size > 0 ? norm / (eigensolver->norm * size) : 0.0;
  PetscCall(error_of(eigensolver, rho, &quality->error));
  PetscCall(CospinStateEdge(point->problem, eigensolver->sector, rho, quality));
  PetscFunctionReturn(0);
}

CospinOutcome CospinStateJudge(const CospinQuality *quality, double largest_residual)
{
  if (!(quality->residual <= largest_residual) || quality->error > COSPIN_STATE_ERROR || quality->cut)
    return COSPIN_INACCURATE;
  return COSPIN_GOOD;
}

/* The vector as a state, and how good it is. */
static PetscErrorCode normalise(CospinPoint point, CospinSteadyState *steady)
{
  double complex trace;
  PetscReal size;

  PetscFunctionBeginUser;
  PetscCall(CospinTraceOf(&point->problem->system, steady->eigensolver->sector, steady->rho, &trace));
  PetscCall(VecNorm(steady->rho, NORM_2, &size));
  if (cabs(trace) <= PETSC_SQRT_MACHINE_EPSILON * size) { /* a null vector without a trace is no state */
    steady->outcome = COSPIN_INACCURATE;
    PetscFunctionReturn(0);
  }
  PetscCall(VecScale(steady->rho, (PetscScalar)(1.0 / trace)));
  PetscCall(CospinStateQuality(point, steady->eigensolver, steady->rho, &steady->quality));
  PetscFunctionReturn(0);
}

/* The eigenvalue next to zero of all sectors that were asked. */
static void note_next(CospinSteadyState *steady, double complex next, double resolution)
{
  if (PetscIsNanReal(creal(next)) || !(cabs(next) > resolution)) return;
  if (-creal(next) >= steady->next_rate) return;
  steady->next_rate = -creal(next);
  steady->next_frequency = -cimag(next);
}

/* ---- Drafts -------------------------------------------------------------------------------------------- */

/* What was found in smaller windows, if it is of this sector. */
static PetscErrorCode begin_near(CospinPoint point, CospinEigensolver eigensolver)
{
  PetscInt size, local, dimension, rows;
  int same;

  PetscFunctionBeginUser;
  if (!point->near) PetscFunctionReturn(0);
  PetscCall(VecGetSize(point->near, &size));
  PetscCall(VecGetLocalSize(point->near, &local));
  PetscCall(MatGetSize(eigensolver->liouvillian, &dimension, NULL));
  PetscCall(MatGetLocalSize(eigensolver->liouvillian, &rows, NULL));
  same = size == dimension && local == rows;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &same, 1, MPI_INT, MPI_MIN, point->comm));
  if (!same) PetscFunctionReturn(0);
  eigensolver->near = point->near;
  point->near = NULL;
  PetscFunctionReturn(0);
}

/* Makes the state closer and closer until a leak stands out from what is left of its equation: a leak is a
   residual in a larger window, and means something only where it is clearly more than the draft's residual in
   its own. `tolerance`: for a first look. *leaks: it does; else the state is as close as a draft may be. */
static PetscErrorCode look_for_leak(CospinPoint point, CospinEigensolver eigensolver, double tolerance,
                                    double *leak, PetscBool *leaks)
{
  static const double finest = 0.1 * COSPIN_STATE_LEAK, closer = 1e-4, clearly = 10.0,
                      large = 2.0 * COSPIN_STATE_LEAK;
  PetscBool last = PETSC_FALSE;

  PetscFunctionBeginUser;
  *leaks = PETSC_FALSE;
  while (!last && !*leaks) {
    tolerance = PetscMax(tolerance, finest);
    last = (PetscBool)(tolerance == finest);
    PetscCall(CospinEigensolverDraft(eigensolver, tolerance));
    if (!eigensolver->near) PetscFunctionReturn(0);
    PetscCall(CospinWindowLeak(point, eigensolver, eigensolver->near, 0.0, leak));
    *leaks = (PetscBool)(*leak > PetscMax(large, clearly * tolerance));
    tolerance *= closer;
  }
  PetscFunctionReturn(0);
}

/* Windows that are too small are seen by a rough state already: it is kept in place of the steady one, and
   larger ones begin with it. */
static PetscErrorCode draft_leaks(CospinPoint point, CospinEigensolver eigensolver, PetscBool *leaks)
{
  static const double first = 1e-5, less = 1e-4; /* of the leak in the windows before */
  CospinSteadyState *steady = &point->steady;
  int windows[COSPIN_MAX_COORDINATES];
  PetscBool open;
  double leak;

  PetscFunctionBeginUser;
  *leaks = PETSC_FALSE;
  CospinProblemWindows(point->problem, windows, &open);
  PetscCall(begin_near(point, eigensolver));
  if (!open || point->problem->system.window || steady->eigensolver) PetscFunctionReturn(0);
  PetscCall(look_for_leak(point, eigensolver,
                          eigensolver->near ? PetscMin(first, less * point->near_leak) : first, &leak,
                          leaks));
  if (!*leaks) PetscFunctionReturn(0);
  steady->leak = leak;
  steady->draft = PETSC_TRUE;
  steady->eigensolver = eigensolver;
  steady->rho = eigensolver->near;
  eigensolver->near = NULL;
  PetscFunctionReturn(0);
}

/* Adds one sector's null space; keeps its spectrum and vector while they are the only ones. */
static PetscErrorCode add_sector(CospinPoint point, const int representative[], const char prefix[],
                                 PetscBool draft)
{
  CospinSteadyState *steady = &point->steady;
  CospinEigensolver eigensolver;
  Vec *null;
  double complex next;
  PetscBool leaks = PETSC_FALSE;
  int num;

  PetscFunctionBeginUser;
  PetscCall(CospinEigensolverCreate(point->comm, point->problem, representative, prefix, &point->eigensolvers,
                                    &eigensolver));
  if (!eigensolver) PetscFunctionReturn(0);
  if (draft) PetscCall(draft_leaks(point, eigensolver, &leaks));
  if (leaks) PetscFunctionReturn(0);
  PetscCall(CospinEigensolverNull(eigensolver, &num, &null, &next));
  steady->degeneracy += num;
  steady->outcome = CospinOutcomeWorse(steady->outcome, eigensolver->outcome);
  if (num == 0 && eigensolver->has_trace) {
    steady->outcome = CospinOutcomeWorse(steady->outcome, COSPIN_NOT_CONVERGED); /* there must be one */
    steady->quality.residual = eigensolver->reached;
  }
  if (eigensolver->has_trace) note_next(steady, next, eigensolver->resolution);
  for (int k = 0; k < num; k++) {
    double leak;
    PetscCall(CospinWindowLeak(point, eigensolver, null[k], 0.0, &leak));
    steady->leak = PetscMax(steady->leak, leak);
  }
  if (steady->eigensolver == NULL && num == 1 && eigensolver->has_trace) {
    steady->eigensolver = eigensolver;
    steady->rho = null[0];
    PetscCall(PetscObjectReference((PetscObject)steady->rho));
  } else {
    PetscCall(CospinEigensolverDestroy(&eigensolver));
  }
  PetscCall(VecDestroyVecs(num, &null));
  PetscFunctionReturn(0);
}

/* Sectors whose coherences may last beside one steady state. */
static PetscErrorCode add_coherences(CospinPoint point, const char prefix[])
{
  const int n = point->problem->system.num_coordinates;
  const int *trace = CospinSectorRepresentative(point->steady.eigensolver->sector);
  int label[COSPIN_MAX_COORDINATES], num, *vectors;

  PetscFunctionBeginUser;
  PetscCall(CospinEigensolverRelease(point->steady.eigensolver)); /* one sector's factors at a time */
  PetscCall(CospinLatticeTorsion(point->problem->lattice, &num, &vectors));
  for (int k = 1; k < num; k++) {
    for (int i = 0; i < n; i++) label[i] = trace[i] + vectors[k * n + i];
    PetscCall(add_sector(point, label, prefix, PETSC_FALSE));
  }
  PetscCall(PetscFree(vectors));
  PetscFunctionReturn(0);
}

/* Sectors with a trace one after the other: null vectors are counted, the slowest other rate is noted, and of
   a single null vector the eigensolver is kept for the tasks that follow. */
static PetscErrorCode compute_steady(CospinPoint point, const char prefix[], const int sector[],
                                     PetscBool draft)
{
  const int n = point->problem->system.num_coordinates;
  CospinSteadyState *steady = &point->steady;
  int num, *representatives;

  PetscFunctionBeginUser;
  *steady = (CospinSteadyState){.outcome = COSPIN_GOOD,
                                .next_rate = INFINITY,
                                .next_frequency = NAN,
                                .quality = {NAN, NAN, 0.0, PETSC_FALSE},
                                .leak = 0.0};
  PetscCall(CospinTaskSteadySectors(point->problem, &num, &representatives));
  if (sector) PetscCall(PetscArraycpy(representatives, sector, n));
  if (sector) num = 1;
  for (int k = 0; k < num && !steady->draft; k++)
    PetscCall(add_sector(point, representatives + k * n, prefix, draft));
  if (!sector && steady->degeneracy == 1 && steady->rho) PetscCall(add_coherences(point, prefix));
  if (isinf(steady->next_rate)) steady->next_rate = NAN;
  if (steady->degeneracy > 1) {
    PetscCall(VecDestroy(&steady->rho));
    PetscCall(CospinEigensolverDestroy(&steady->eigensolver));
  }
  if (steady->rho && !steady->draft) PetscCall(normalise(point, steady));
  PetscCall(PetscFree(representatives));
  PetscFunctionReturn(0);
}

/* ---- Windows ------------------------------------------------------------------------------------------- */

typedef struct {
  CospinPoint point;
  const char *prefix;
  const int *sector;
  PetscBool draft; /* roughly, while the windows are too small */
} Settling;

/* A CospinWindowUser's Solve: what was found in the smaller window is dropped. */
static PetscErrorCode solve_in_windows(void *context, double *leak, CospinOutcome *outcome)
{
  const Settling *settling = (Settling *)context;
  CospinSteadyState *steady = &settling->point->steady;

  PetscFunctionBeginUser;
  PetscCall(VecDestroy(&steady->rho));
  PetscCall(CospinEigensolverDestroy(&steady->eigensolver));
  PetscCall(compute_steady(settling->point, settling->prefix, settling->sector, settling->draft));
  *leak = steady->leak;
  *outcome = steady->outcome;
  PetscFunctionReturn(0);
}

/* Before it is made larger, what was solved in the smaller one goes. */
static PetscErrorCode grow_windows(void *context, double factor, PetscBool *grown)
{
  const CospinPoint point = ((Settling *)context)->point;
  int num, *sectors;

  PetscFunctionBeginUser;
  PetscCall(CospinTaskSteadySectors(point->problem, &num, &sectors));
  PetscCall(CospinWindowGrow(point, sectors, factor, grown));
  PetscCall(PetscFree(sectors));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinPointSolveSteady(CospinPoint point, const char prefix[], const int sector[])
{
  const CospinWindowUser user = {CospinWindowTolerance(point->problem, COSPIN_STATE_LEAK), solve_in_windows,
                                 grow_windows};
  CospinSteadyState *steady = &point->steady;
  Settling settling = {point, prefix, sector, PETSC_TRUE};
  CospinOutcome outcome;
  double leak;

  PetscFunctionBeginUser;
  PetscCall(CospinWindowSettle(&user, &settling, &leak, &outcome));
  settling.draft = PETSC_FALSE;
  if (steady->draft) PetscCall(solve_in_windows(&settling, &leak, &steady->outcome)); /* no larger ones */
  steady->outcome = CospinOutcomeWorse(steady->outcome, outcome);
  if (steady->degeneracy > 1) steady->outcome = CospinOutcomeWorse(steady->outcome, COSPIN_DEGENERATE);
  PetscFunctionReturn(0);
}
