/*
   Windows: how much leaves them, and how they grow. A component whose number of levels is left open is
   solved with a window of its lowest levels. The error that this makes is measured, not guessed: the same
   generator in a window that is larger by the reach of its moves, applied to the state from the smaller
   one,

        leak = |L' x - lambda x| / (|L| |x|),

   the residual of x as if it had been computed there. Only labels next to the edge contribute. While the
   leak is larger than allowed the windows of all open components grow by one half and the task is solved
   again; that ends with COSPIN_WINDOW_LIMIT where memory does, or where a component would have more than
   COSPIN_WINDOW_MAX_LEVELS levels.

   Labels mean the same in both windows, so embedding is the identity superoperator between two sectors.
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

/* Of every component whose window is open; windows[c] = 0 marks the others. */
static PetscErrorCode larger_problem(CospinProblem problem, double factor, int add, CospinProblem *larger,
                                     PetscBool *any)
{
  int windows[MAX_COMPONENTS];
  PetscBool ok;

  PetscFunctionBeginUser;
  *larger = NULL;
  CospinProblemWindows(problem, windows, any);
  if (!*any) PetscFunctionReturn(0);
  for (int c = 0; c < problem->system.num_components; c++) {
    if (windows[c]) windows[c] = (int)(factor * windows[c]) + add;
  }
  PetscCall(CospinProblemCreateWindowed(problem, windows, NULL, larger, &ok));
  PetscCheck(ok, PETSC_COMM_SELF, PETSC_ERR_PLIB, "A larger window makes the deck wrong");
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

PetscErrorCode CospinWindowSave(CospinProblem problem, CospinCheckpoint checkpoint)
{
  int windows[MAX_COMPONENTS];
  PetscBool any;

  PetscFunctionBeginUser;
  CospinProblemWindows(problem, windows, &any);
  PetscCall(CospinCheckpointInts(checkpoint, (size_t)problem->system.num_components, windows));
  PetscFunctionReturn(0);
}

/* The windows of the run that was interrupted: its vectors fit those and no others. */
PetscErrorCode CospinWindowLoad(CospinPoint point, CospinCheckpoint checkpoint, CospinProblem *problem)
{
  int windows[MAX_COMPONENTS], present[MAX_COMPONENTS];
  PetscBool any, same, ok;

  PetscFunctionBeginUser;
  *problem = point->problem;
  PetscCall(CospinCheckpointInts(checkpoint, (size_t)point->problem->system.num_components, windows));
  CospinProblemWindows(point->problem, present, &any);
  PetscCall(PetscArraycmp(present, windows, point->problem->system.num_components, &same));
  if (same) PetscFunctionReturn(0);
  PetscCall(CospinProblemCreateWindowed(point->problem, windows, NULL, problem, &ok));
  PetscCheck(ok, point->comm, PETSC_ERR_PLIB, "Other windows make the deck wrong");
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
  PetscCall(larger_problem(problem, 1.5, 0, larger, &any));
  if (any && is_large(*larger)) PetscCall(CospinProblemDestroy(larger));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinWindowGrow(CospinPoint point, const int sector[], PetscBool *grown)
{
  CospinProblem larger;
  PetscBool any;

  PetscFunctionBeginUser;
  *grown = PETSC_FALSE;
  PetscCall(larger_problem(point->problem, 1.5, 0, &larger, &any));
  if (!any) PetscFunctionReturn(0);
  if (!is_large(larger)) PetscCall(fits(larger, sector, grown));
  if (*grown) PetscCall(CospinPointReplaceProblem(point, larger));
  if (!*grown) PetscCall(CospinProblemDestroy(&larger));
  PetscFunctionReturn(0);
}

/* A solve that is bad for another reason is not repeated: a larger window would not mend it. */
PetscErrorCode CospinWindowSettle(const CospinWindowUser *user, void *context, double *leak,
                                  CospinOutcome *outcome)
{
  PetscBool grown = PETSC_TRUE;

  PetscFunctionBeginUser;
  while (grown) {
    *outcome = COSPIN_GOOD;
    PetscCall(user->Solve(context, leak, outcome));
    if (*leak <= user->tolerance || *outcome != COSPIN_GOOD) PetscFunctionReturn(0);
    PetscCall(user->Grow(context, &grown));
  }
  *outcome = COSPIN_WINDOW_LIMIT;
  PetscFunctionReturn(0);
}
