/*
   Windows of coordinates that the deck bounds, such as j and m of an ensemble: N = 1000 spins have 251 000
   labels in the sector of the steady state, and 84 000 hold it to 1e-16. extent.h tells where they are before
   anything is solved, for all sectors that will be; whether that was enough is measured afterwards by the
   leak, as in every window (window.c).

   There |L| is the largest rate of a large sector, 10^8 for N = 10^4, and a leak of 1e-8 of it is no error to
   accept: a window that is too small for N = 10^4 gives a rate of .7547 for .7516 with a leak of 1e-11. So
   the leak must be near rounding here, and what is left of it is part of the error that is told: the
   eigenvalue moves by y^H (L' x - lambda x)/(y^H x), about the rate at which weight leaves the window.
*/
#include "extent.h"
#include <cospin/operator/cost.h>
#include <cospin/point/window.h>

enum { MAX_COMPONENTS = COSPIN_MAX_COORDINATES };
static const double label_leak = 1e-14;

static PetscErrorCode largest_of(CospinProblem problem, int num, const int sectors[], double *labels)
{
  PetscFunctionBeginUser;
  *labels = 0.0;
  for (int k = 0; k < num; k++) {
    CospinCount count;
    PetscCall(CospinCensusOfSector(&problem->system, problem->lattice,
                                   sectors + (size_t)k * (size_t)problem->system.num_coordinates, &count));
    *labels = PetscMax(*labels, count.labels);
  }
  PetscFunctionReturn(0);
}

/* What all of the sectors need, of the coordinates that run by themselves. */
static PetscErrorCode find_window(CospinProblem problem, int num, const int sectors[],
                                  CospinInterval window[], PetscBool *known)
{
  const int n = problem->system.num_coordinates;

  PetscFunctionBeginUser;
  *known = PETSC_TRUE;
  for (int i = 0; i < n; i++) window[i] = (CospinInterval){PETSC_MAX_INT, PETSC_MIN_INT};
  for (int k = 0; k < num && *known; k++)
    PetscCall(CospinExtentAdd(problem, sectors + (size_t)k * (size_t)n, window, known));
  for (int i = 0; i < n; i++)
    if (window[i].lo > window[i].hi) window[i] = (CospinInterval){-COSPIN_NO_LIMIT, COSPIN_NO_LIMIT};
  PetscFunctionReturn(0);
}

PetscErrorCode CospinWindowFit(CospinProblem problem, int num, const int sectors[])
{
  enum { MOST_SECTORS = 8 };
  static const double worth_it = 0.7;
  CospinInterval window[COSPIN_MAX_COORDINATES];
  int windows[MAX_COMPONENTS];
  PetscReal least = 5e4;
  double all, kept;
  PetscBool open, known, asked;

  PetscFunctionBeginUser;
  PetscCall(PetscOptionsGetReal(NULL, NULL, "-window_least", &least, &asked));
  CospinProblemWindows(problem, windows, &open);
  if (open || num == 0 || num > MOST_SECTORS) PetscFunctionReturn(0);
  PetscCall(largest_of(problem, num, sectors, &all));
  if (all < least) PetscFunctionReturn(0);
  PetscCall(find_window(problem, num, sectors, window, &known));
  if (!known) PetscFunctionReturn(0);
  PetscCall(CospinProblemSetWindow(problem, problem->system.num_coordinates, window));
  PetscCall(largest_of(problem, num, sectors, &kept));
  if (kept > (asked ? 1.0 : worth_it) * all) PetscCall(CospinProblemSetWindow(problem, 0, NULL));
  PetscFunctionReturn(0);
}

double CospinWindowTolerance(CospinProblem problem, double tolerance)
{
  return problem->system.window ? PetscMin(tolerance, label_leak) : tolerance;
}

/* ---- What leaves ----------------------------------------------------------------------------------------
 */

/* Sum of the moduli with which a label feeds others outside of the window. */
static double outflow(CospinMoves generator, const int label[])
{
  const CospinSystem *system = generator->system;
  double sum = 0.0;

  for (int k = 0; k < generator->count; k++) {
    const CospinMove *move = &generator->moves[k];
    int target[COSPIN_MAX_COORDINATES];
    PetscBool leaves = PETSC_FALSE;
    for (int i = 0; i < system->num_coordinates; i++) {
      target[i] = label[i] + move->shift[i];
      if (target[i] < system->window[i].lo || target[i] > system->window[i].hi) leaves = PETSC_TRUE;
    }
    if (leaves && CospinSystemContains(system, target))
      sum += cabs(CospinMoveAmplitude(generator, move, label));
  }
  return sum;
}

PetscErrorCode CospinWindowLoss(CospinEigensolver eigensolver, Vec x, double *loss)
{
  double sums[2] = {0.0, 0.0}; /* what leaves, what there is */
  const PetscScalar *array;
  PetscInt begin, end;

  PetscFunctionBeginUser;
  *loss = 0.0;
  if (!eigensolver->system->window) PetscFunctionReturn(0);
  PetscCall(VecGetOwnershipRange(x, &begin, &end));
  PetscCall(VecGetArrayRead(x, &array));
  for (PetscInt i = begin; i < end; i++) {
    const double weight = PetscAbsScalar(array[i - begin]);
    int label[COSPIN_MAX_COORDINATES];
    CospinSectorLabel(eigensolver->sector, i, label);
    sums[0] += weight * outflow(eigensolver->generator, label);
    sums[1] += weight;
  }
  PetscCall(VecRestoreArrayRead(x, &array));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, sums, 2, MPI_DOUBLE, MPI_SUM, eigensolver->comm));
  if (sums[1] > 0) *loss = sums[0] / sums[1];
  PetscFunctionReturn(0);
}

PetscErrorCode CospinWindowModeError(CospinEigensolver eigensolver, Vec x, double *error)
{
  double loss, condition;

  PetscFunctionBeginUser;
  PetscCall(CospinWindowLoss(eigensolver, x, &loss));
  if (!(loss > 0) || (PetscIsNanReal(*error) && loss < eigensolver->resolution)) PetscFunctionReturn(0);
  condition = PetscIsNanReal(*error) ? 1.0 : PetscMax(1.0, *error / eigensolver->resolution);
  *error = (PetscIsNanReal(*error) ? 0.0 : *error) + condition * loss;
  PetscFunctionReturn(0);
}
