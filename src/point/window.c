/*
   Windows: how much leaves them, and how they grow. A component whose number of levels is left open is
   solved with a window of its lowest levels. The error that this makes is measured, not guessed: the same
   generator in a window that is larger by the reach of its moves, applied to the state from the smaller
   one,

        leak = |L' x - lambda x| / (|L| |x|),

   the residual of x as if it had been computed there. Only labels next to the edge contribute. While the
   leak is larger than allowed the windows of all open components grow and the task is solved again; that ends
   with COSPIN_WINDOW_LIMIT where memory does, or where a component would have more than
   COSPIN_WINDOW_MAX_LEVELS levels. They grow by one half, or by less where the leaks in two windows tell that
   this will do: populations of high levels fall exponentially (a thermal mode) or faster (a coherent one), so
   that a straight line through both logarithms never asks for too few levels. (A maser of 30 spins: a sixth
   fewer labels.)

   Labels mean the same in both windows, so embedding is the identity superoperator between two sectors.

   Whoever measures by how much results change between two windows (evolutions, counting statistics) goes on
   growing by one half: in windows that hardly differ nothing changes, however wrong both are.

   Coordinates that the deck bounds (the j and m of an ensemble) have a window, too, where that saves labels:
   an interval that holds what the slow modes of the sectors need (window_labels.c). It grows likewise, to
   both sides.
*/
#include <cospin/operator/cost.h>
#include <cospin/operator/liouvillian.h>
#include <cospin/point/window.h>

enum { MAX_COMPONENTS = COSPIN_MAX_COORDINATES };
static const double vectors_in_memory = 200; /* of the largest sector of an evolution, at most */

/* No move goes farther than it has steps. */
static int reach_of(CospinMoves generator)
{
  int reach = 1;

  for (int k = 0; k < generator->count; k++) {
    for (int c = 0; c < generator->moves[k].num_chains; c++) {
      reach = PetscMax(reach, generator->moves[k].chains[c].length);
    }
  }
  return reach;
}

/* Intervals that are wider by `add` at both ends, all together by `factor`; NULL if they hold everything. */
static PetscErrorCode widen(CospinProblem problem, double factor, int add)
{
  const CospinSystem *system = &problem->system;
  CospinInterval wider[COSPIN_MAX_COORDINATES];
  int lo[COSPIN_MAX_COORDINATES], hi[COSPIN_MAX_COORDINATES];
  PetscBool cuts = PETSC_FALSE;

  PetscFunctionBeginUser;
  if (!system->window) PetscFunctionReturn(0);
  CospinSystemBounds(system, lo, hi);
  for (int i = 0; i < system->num_coordinates; i++) {
    const CospinInterval now = system->window[i];
    const double width = PetscMin((double)now.hi, hi[i]) - PetscMax((double)now.lo, lo[i]);
    const int more = add + (int)(0.5 * (factor - 1.0) * PetscMax(0.0, width)) + (factor > 1.0);
    wider[i].lo = PetscMax(-COSPIN_NO_LIMIT, now.lo - more);
    wider[i].hi = PetscMin(COSPIN_NO_LIMIT, now.hi + more);
    if (wider[i].lo > lo[i] || wider[i].hi < hi[i]) cuts = PETSC_TRUE;
  }
  PetscCall(CospinProblemSetWindow(problem, system->num_coordinates, cuts ? wider : NULL));
  PetscFunctionReturn(0);
}

/* Of every component whose window is open; windows[c] = 0 marks the others. */
static PetscErrorCode larger_problem(CospinProblem problem, double factor, int add, CospinProblem *larger,
                                     PetscBool *any)
{
  int windows[MAX_COMPONENTS];
  PetscBool ok;

  PetscFunctionBeginUser;
  *larger = NULL;
  CospinProblemWindows(problem, windows, any);
  if (problem->system.window) *any = PETSC_TRUE;
  if (!*any) PetscFunctionReturn(0);
  for (int c = 0; c < problem->system.num_components; c++) {
    if (windows[c]) windows[c] = PetscMax((int)(factor * windows[c]), windows[c] + (factor > 1.0)) + add;
  }
  PetscCall(CospinProblemCreateWindowed(problem, windows, NULL, larger, &ok));
  PetscCheck(ok, PETSC_COMM_SELF, PETSC_ERR_PLIB, "A larger window makes the deck wrong");
  PetscCall(widen(*larger, factor, add));
  PetscFunctionReturn(0);
}

/* The state as a vector of the larger sector: labels mean the same in both. */
static PetscErrorCode embed(MPI_Comm comm, CospinProblem larger, CospinSector from, Vec rho, CospinSector to,
                            Vec *embedded)
{
  const CospinMonomial one = {1.0, 0, NULL};
  CospinMoves identity;

  PetscFunctionBeginUser;
  PetscCall(CospinMovesCreate(&larger->system, &identity));
  PetscCall(CospinMovesAddProduct(identity, 1.0, &one, &one));
  PetscCall(CospinMovesFinish(identity));
  PetscCall(CospinSuperoperatorApply(comm, identity, from, rho, to, embedded));
  PetscCall(CospinMovesDestroy(&identity));
  PetscFunctionReturn(0);
}

/* leak = |L' rho - image| / (|L| |rho|); `image`: what the generator makes of rho within the window */
static PetscErrorCode leak_beside(CospinPoint point, CospinEigensolver eigensolver, Vec rho, Vec image,
                                  double *leak)
{
  CospinProblem larger;
  CospinSector sector;
  PetscReal size, residual;
  PetscBool any;
  Mat liouvillian;
  Vec x, y, inside;

  PetscFunctionBeginUser;
  *leak = 0.0;
  PetscCall(larger_problem(point->problem, 1.0, reach_of(point->problem->generator), &larger, &any));
  if (!any) PetscFunctionReturn(0);
  PetscCall(CospinSectorCreate(&larger->system, larger->lattice,
                               CospinSectorRepresentative(eigensolver->sector), &sector));
  PetscCall(CospinLiouvillianCreate(point->comm, larger->generator, sector, &liouvillian));
  PetscCall(embed(point->comm, larger, eigensolver->sector, rho, sector, &x));
  PetscCall(embed(point->comm, larger, eigensolver->sector, image, sector, &inside));
  PetscCall(VecDuplicate(x, &y));
  PetscCall(MatMult(liouvillian, x, y));
  PetscCall(VecAXPY(y, -1.0, inside));
  PetscCall(VecNorm(x, NORM_2, &size));
  PetscCall(VecNorm(y, NORM_2, &residual));
  *leak = size > 0 ? residual / (eigensolver->norm * size) : 0.0;
  PetscCall(VecDestroy(&inside));
  PetscCall(VecDestroy(&y));
  PetscCall(VecDestroy(&x));
  PetscCall(MatDestroy(&liouvillian));
  PetscCall(CospinSectorDestroy(&sector));
  PetscCall(CospinProblemDestroy(&larger));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinWindowLeak(CospinPoint point, CospinEigensolver eigensolver, Vec rho,
                                double complex lambda, double *leak)
{
  Vec image;

  PetscFunctionBeginUser;
  if (point->problem->system.window) { /* it may have to be smaller than the residual is */
    PetscCall(CospinWindowLeakOf(point, eigensolver, rho, leak));
    PetscFunctionReturn(0);
  }
  PetscCall(VecDuplicate(rho, &image));
  PetscCall(VecAXPBY(image, (PetscScalar)lambda, 0.0, rho));
  PetscCall(leak_beside(point, eigensolver, rho, image, leak));
  PetscCall(VecDestroy(&image));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinWindowLeakOf(CospinPoint point, CospinEigensolver eigensolver, Vec x, double *leak)
{
  Vec image;

  PetscFunctionBeginUser;
  PetscCall(VecDuplicate(x, &image));
  PetscCall(MatMult(eigensolver->liouvillian, x, image));
  PetscCall(leak_beside(point, eigensolver, x, image, leak));
  PetscCall(VecDestroy(&image));
  PetscFunctionReturn(0);
}

/* Solving in the sector of a label, as it will be, against the memory that there is. */
static PetscErrorCode fits(CospinProblem larger, const int label[], PetscBool *answer)
{
  const int mesh_dimension = CospinLatticeRank(larger->lattice);
  CospinCount count;
  double bytes;

  PetscFunctionBeginUser;
  PetscCall(CospinCensusOfSector(&larger->system, larger->lattice, label, &count));
  bytes = CospinCostOfFactors(count.labels, mesh_dimension).bytes;
  if (!CospinCostFactorise(count.labels, mesh_dimension, larger->bytes))
    bytes = CospinCostOfIteration(count.labels, larger->generator->count);
  *answer = (PetscBool)(bytes < 0.8 * larger->bytes && count.labels < PETSC_MAX_INT);
  PetscFunctionReturn(0);
}

/* Growth ends here where memory alone would not end it. */
static PetscBool is_large(CospinProblem problem)
{
  int windows[MAX_COMPONENTS];
  PetscBool any, large = PETSC_FALSE;

  CospinProblemWindows(problem, windows, &any);
  for (int c = 0; c < problem->system.num_components; c++) {
    if (windows[c] > COSPIN_WINDOW_MAX_LEVELS) large = PETSC_TRUE;
  }
  return large;
}

/* Levels of components and intervals of coordinates, as numbers. */
enum { MAX_NUMBERS = MAX_COMPONENTS + 2 * COSPIN_MAX_COORDINATES };
static size_t get_numbers(CospinProblem problem, int numbers[])
{
  const CospinSystem *system = &problem->system;
  size_t count = (size_t)system->num_components;
  PetscBool any;

  CospinProblemWindows(problem, numbers, &any);
  for (int i = 0; i < system->num_coordinates; i++) {
    numbers[count++] = system->window ? system->window[i].lo : -COSPIN_NO_LIMIT;
    numbers[count++] = system->window ? system->window[i].hi : COSPIN_NO_LIMIT;
  }
  return count;
}

PetscErrorCode CospinWindowSave(CospinProblem problem, CospinCheckpoint checkpoint)
{
  int numbers[MAX_NUMBERS];
  const size_t count = get_numbers(problem, numbers);

  PetscFunctionBeginUser;
  PetscCall(CospinCheckpointInts(checkpoint, count, numbers));
  PetscFunctionReturn(0);
}

/* Coordinates without a limit have no window. */
static PetscErrorCode set_intervals(CospinProblem problem, const int numbers[])
{
  const int n = problem->system.num_coordinates;
  CospinInterval window[COSPIN_MAX_COORDINATES];
  PetscBool any = PETSC_FALSE;

  PetscFunctionBeginUser;
  for (int i = 0; i < n; i++) {
    window[i] = (CospinInterval){numbers[2 * i], numbers[2 * i + 1]};
    if (window[i].lo > -COSPIN_NO_LIMIT || window[i].hi < COSPIN_NO_LIMIT) any = PETSC_TRUE;
  }
  PetscCall(CospinProblemSetWindow(problem, n, any ? window : NULL));
  PetscFunctionReturn(0);
}

/* The windows of the run that was interrupted: its vectors fit those and no others. */
PetscErrorCode CospinWindowLoad(CospinPoint point, CospinCheckpoint checkpoint, CospinProblem *problem)
{
  int windows[MAX_NUMBERS], present[MAX_NUMBERS];
  const size_t count = get_numbers(point->problem, present);
  PetscBool same, ok;

  PetscFunctionBeginUser;
  *problem = point->problem;
  PetscCall(CospinCheckpointInts(checkpoint, count, windows));
  PetscCall(PetscArraycmp(present, windows, count, &same));
  if (same) PetscFunctionReturn(0);
  PetscCall(CospinProblemCreateWindowed(point->problem, windows, NULL, problem, &ok));
  PetscCheck(ok, point->comm, PETSC_ERR_PLIB, "Other windows make the deck wrong");
  PetscCall(set_intervals(*problem, windows + point->problem->system.num_components));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinWindowRestore(CospinPoint point, CospinCheckpoint checkpoint)
{
  CospinProblem problem;

  PetscFunctionBeginUser;
  PetscCall(CospinWindowLoad(point, checkpoint, &problem));
  if (problem != point->problem) PetscCall(CospinPointReplaceProblem(point, problem));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinWindowLarger(CospinProblem problem, PetscInt64 dimension, CospinProblem *larger)
{
  PetscBool any;

  PetscFunctionBeginUser;
  *larger = NULL;
  if (vectors_in_memory * (double)dimension * sizeof(PetscScalar) >= problem->bytes) PetscFunctionReturn(0);
  PetscCall(larger_problem(problem, COSPIN_WINDOW_GROWTH, 0, larger, &any));
  if (any && is_large(*larger)) PetscCall(CospinProblemDestroy(larger));
  PetscFunctionReturn(0);
}

/* The steady state on the labels of larger windows. */
static PetscErrorCode take_along(CospinPoint point, CospinProblem larger)
{
  const CospinSteadyState *steady = &point->steady;
  CospinSector sector;

  PetscFunctionBeginUser;
  PetscCall(VecDestroy(&point->near));
  if (!steady->rho || !steady->eigensolver) PetscFunctionReturn(0);
  PetscCall(CospinSectorCreate(&larger->system, larger->lattice,
                               CospinSectorRepresentative(steady->eigensolver->sector), &sector));
  PetscCall(embed(point->comm, larger, steady->eigensolver->sector, steady->rho, sector, &point->near));
  point->near_leak = steady->leak;
  PetscCall(CospinSectorDestroy(&sector));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinWindowGrow(CospinPoint point, const int sector[], double factor, PetscBool *grown)
{
  CospinProblem larger;
  PetscBool any;

  PetscFunctionBeginUser;
  *grown = PETSC_FALSE;
  PetscCall(larger_problem(point->problem, factor, 0, &larger, &any));
  if (!any) PetscFunctionReturn(0);
  if (!is_large(larger)) PetscCall(fits(larger, sector, grown));
  if (*grown) PetscCall(take_along(point, larger));
  if (*grown) PetscCall(CospinPointReplaceProblem(point, larger));
  if (!*grown) PetscCall(CospinProblemDestroy(&larger));
  PetscFunctionReturn(0);
}

/* From the leaks in the last two windows, the second larger by `factor`: where the third should end. Well
   below what is wanted: a leak is relative to the generator, but a state answers to it by its slowest rate,
   which may be a thousand times less (a mode that rotates fast and is damped slowly). */
static double next_factor(double wanted, double before, double now, double factor)
{
  const double least = 1.1, aim = 3e-3;
  double levels;

  if (!(now < before) || isinf(before)) return COSPIN_WINDOW_GROWTH;
  levels = log(now / (aim * wanted)) / log(before / now) * (factor - 1.0) / factor;
  return PetscMin(COSPIN_WINDOW_GROWTH, PetscMax(least, 1.0 + levels));
}

/* A solve that is bad for another reason is not repeated: a larger window would not mend it. */
PetscErrorCode CospinWindowSettle(const CospinWindowUser *user, void *context, double *leak,
                                  CospinOutcome *outcome)
{
  double before = INFINITY, factor = COSPIN_WINDOW_GROWTH;
  PetscBool grown = PETSC_TRUE;

  PetscFunctionBeginUser;
  while (grown) {
    *outcome = COSPIN_GOOD;
    PetscCall(user->Solve(context, leak, outcome));
    if (*leak <= user->tolerance || *outcome != COSPIN_GOOD) PetscFunctionReturn(0);
    factor = next_factor(user->tolerance, before, *leak, factor);
    before = *leak;
    PetscCall(user->Grow(context, factor, &grown));
  }
  *outcome = COSPIN_WINDOW_LIMIT;
  PetscFunctionReturn(0);
}
