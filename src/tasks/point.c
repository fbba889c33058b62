/* What the tasks of one grid point share: the problem, its observables and its steady state. */
#include "settings.h"
#include <cospin/liouvillian.h>
#include <cospin/point.h>
#include <cospin/window.h>

enum { MAX_NULL = 64 }; /* null vectors counted in one sector */
static const double largest_leak = 1e-12;

PetscErrorCode CospinPointCreate(MPI_Comm comm, CospinDeck deck, PetscInt64 number, CospinFaults faults,
                                 CospinPoint *point, PetscBool *ok)
{
  CospinPoint new;

  PetscFunctionBeginUser;
  PetscCall(PetscNew(&new));
  *point = new;
  new->comm = comm;
  new->spectra.interrupt = &new->interrupt;
  PetscCall(CospinStoredCreate(number, &new->stored));
  PetscCall(CospinProblemCreate(deck, number, faults, &new->problem, ok));
  if (new->problem->generator) { /* their faults are told although a jump is wrong, too */
    PetscBool observables_ok;
    PetscCall(CospinObservablesCreate(new->problem, faults, &new->observables, &observables_ok));
    if (!observables_ok) *ok = PETSC_FALSE;
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode forget_steady(CospinPoint point)
{
  PetscFunctionBeginUser;
  PetscCall(VecDestroy(&point->steady.rho));
  PetscCall(CospinSpectrumDestroy(&point->steady.spectrum));
  PetscCall(PetscFree(point->steady_sector));
  point->has_steady = PETSC_FALSE;
  PetscFunctionReturn(0);
}

/* Ranks that do not have the same number of them have failed in different places: nothing collective then. */
PetscErrorCode CospinPointClean(CospinPoint point)
{
  const CospinSpectrum steady = point->has_steady ? point->steady.spectrum : NULL;
  int counts[2] = {0, 0};

  PetscFunctionBeginUser;
  for (CospinSpectrum s = point->spectra.first; s; s = s->following) counts[0]++;
  counts[1] = -counts[0];
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, counts, 2, MPI_INT, MPI_MAX, point->comm));
  if (counts[0] != -counts[1]) PetscFunctionReturn(0);
  if (!point->has_steady) {
    PetscCall(VecDestroy(&point->steady.rho));
    point->steady.spectrum = NULL;
  }
  for (CospinSpectrum s = point->spectra.first, next; s; s = next) {
    next = s->following;
    if (s != steady) PetscCall(CospinSpectrumDestroy(&s));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode CospinPointReplaceProblem(CospinPoint point, CospinProblem problem)
{
  PetscBool ok;

  PetscFunctionBeginUser;
  PetscCall(forget_steady(point));
  PetscCall(CospinObservablesDestroy(&point->observables));
  PetscCall(CospinProblemDestroy(&point->problem));
  point->problem = problem;
  PetscCall(CospinObservablesCreate(problem, NULL, &point->observables, &ok));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinPointDestroy(CospinPoint *point)
{
  PetscFunctionBeginUser;
  if (!*point) PetscFunctionReturn(0);
  PetscCall(forget_steady(*point));
  PetscCall(CospinStoredDestroy(&(*point)->stored));
  PetscCall(CospinObservablesDestroy(&(*point)->observables));
  PetscCall(CospinProblemDestroy(&(*point)->problem));
  PetscCall(PetscFree(*point));
  PetscFunctionReturn(0);
}

static PetscErrorCode normalise(CospinPoint point, CospinSteadyState *steady)
{
  double complex trace;
  PetscReal norm, size;
  Vec image;

  PetscFunctionBeginUser;
  PetscCall(CospinTraceOf(&point->problem->system, steady->spectrum->sector, steady->rho, &trace));
  PetscCall(VecNorm(steady->rho, NORM_2, &size));
  if (cabs(trace) <= PETSC_SQRT_MACHINE_EPSILON * size) { /* a null vector without a trace is no state */
    steady->outcome = COSPIN_INACCURATE;
    PetscFunctionReturn(0);
  }
  PetscCall(VecScale(steady->rho, (PetscScalar)(1.0 / trace)));
  PetscCall(VecNorm(steady->rho, NORM_2, &size));
  PetscCall(VecDuplicate(steady->rho, &image));
  PetscCall(MatMult(steady->spectrum->liouvillian, steady->rho, image));
  PetscCall(VecNorm(image, NORM_2, &norm));
  PetscCall(VecDestroy(&image));
  steady->residual = norm / (steady->spectrum->norm * size);
  PetscFunctionReturn(0);
}

/* Adds one sector's null space; keeps its spectrum and vector while they are the only ones. */
static PetscErrorCode add_sector(CospinPoint point, const int representative[], const char prefix[])
{
  CospinSteadyState *steady = &point->steady;
  CospinSpectrum spectrum;
  Vec null[MAX_NULL];
  double complex next;
  int num;

  PetscFunctionBeginUser;
  PetscCall(
      CospinSpectrumCreate(point->comm, point->problem, representative, prefix, &point->spectra, &spectrum));
  if (!spectrum) PetscFunctionReturn(0);
  PetscCall(CospinSpectrumNull(spectrum, MAX_NULL, &num, null, &next));
  steady->degeneracy += num;
  steady->outcome = CospinOutcomeWorse(steady->outcome, spectrum->outcome);
  if (num == 0) steady->residual = spectrum->reached;
  if (!(-creal(next) >= steady->next_rate)) {
    if (!PetscIsNanReal(creal(next))) steady->next_rate = -creal(next);
    if (!PetscIsNanReal(creal(next))) steady->next_frequency = -cimag(next);
  }
  if (steady->spectrum == NULL && num == 1) {
    steady->spectrum = spectrum;
    steady->rho = null[0];
  } else {
    for (int k = 0; k < num; k++) PetscCall(VecDestroy(&null[k]));
    PetscCall(CospinSpectrumDestroy(&spectrum));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode compute_steady(CospinPoint point, const char prefix[], const int sector[])
{
  const int n = point->problem->system.num_coordinates;
  CospinSteadyState *steady = &point->steady;
  int num, *representatives;

  PetscFunctionBeginUser;
  *steady = (CospinSteadyState){
      .outcome = COSPIN_GOOD, .next_rate = NAN, .next_frequency = NAN, .residual = NAN, .leak = 0.0};
  PetscCall(CospinTaskSteadySectors(point->problem, &num, &representatives));
  if (sector) PetscCall(PetscArraycpy(representatives, sector, n));
  if (sector) num = 1;
  for (int k = 0; k < num; k++) PetscCall(add_sector(point, representatives + k * n, prefix));
  if (steady->degeneracy > 1) steady->outcome = COSPIN_DEGENERATE;
  if (steady->degeneracy == 0) steady->outcome = CospinOutcomeWorse(steady->outcome, COSPIN_NOT_CONVERGED);
  if (steady->degeneracy > 1) {
    PetscCall(VecDestroy(&steady->rho));
    PetscCall(CospinSpectrumDestroy(&steady->spectrum));
  }
  if (steady->rho) PetscCall(normalise(point, steady));
  PetscCall(PetscFree(representatives));
  PetscFunctionReturn(0);
}

/* The steady state in windows that are large enough for it. */
static PetscErrorCode settle_steady(CospinPoint point, const char prefix[], const int sector[])
{
  PetscBool grown = PETSC_TRUE;

  PetscFunctionBeginUser;
  while (grown) {
    CospinSteadyState *steady = &point->steady;
    PetscCall(compute_steady(point, prefix, sector));
    if (!steady->rho) PetscFunctionReturn(0);
    PetscCall(CospinWindowLeak(point, steady->spectrum, steady->rho, 0.0, &steady->leak));
    if (steady->leak <= largest_leak) PetscFunctionReturn(0);
    PetscCall(CospinWindowGrow(point, CospinSectorRepresentative(steady->spectrum->sector), &grown));
  }
  point->steady.outcome = CospinOutcomeWorse(point->steady.outcome, COSPIN_WINDOW_LIMIT);
  PetscFunctionReturn(0);
}

static PetscErrorCode is_kept(CospinPoint point, const int sector[], PetscBool *answer)
{
  PetscFunctionBeginUser;
  *answer = (PetscBool)(point->has_steady && !sector == !point->steady_sector);
  if (*answer && sector)
    PetscCall(PetscArraycmp(sector, point->steady_sector, point->problem->system.num_coordinates, answer));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinPointSteadyState(CospinPoint point, const char prefix[], const int sector[],
                                      const CospinSteadyState **steady)
{
  const int n = point->problem->system.num_coordinates;
  PetscBool kept;

  PetscFunctionBeginUser;
  *steady = &point->steady;
  PetscCall(is_kept(point, sector, &kept));
  if (kept) PetscFunctionReturn(0);
  PetscCall(forget_steady(point));
  PetscCall(settle_steady(point, prefix, sector));
  if (sector) {
    PetscCall(PetscMalloc1((size_t)n, &point->steady_sector));
    PetscCall(PetscArraycpy(point->steady_sector, sector, n));
  }
  point->has_steady = PETSC_TRUE;
  PetscFunctionReturn(0);
}

PetscErrorCode CospinPointSettle(CospinPoint point)
{
  int windows[COSPIN_MAX_COORDINATES];
  const CospinSteadyState *steady;
  PetscBool any;

  PetscFunctionBeginUser;
  CospinProblemWindows(point->problem, windows, &any);
  if (any) PetscCall(CospinPointSteadyState(point, "steady_", NULL, &steady));
  PetscFunctionReturn(0);
}
