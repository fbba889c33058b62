/*
   Weights of labels for tasks that stay near the steady state (CospinComponentKind.Weigh).

   Solvers of eigenvalues are stable by norms only. In an orthonormal basis of atoms told one by one the norm
   of 1, the left vector of the eigenvalue 0, is d^(N/2): half of all digits are lost at N = 60 for three
   levels if the state is pure. With elements weighed by the populations P_a of one atom (x_n -> x_n / prod
   s_ab^n_ab, s_aa = sqrt(P_a)) the norm of 1 is one, and that of a state that is nearly a product small: what
   is left of the condition is what correlations make. (Orthonormal in Tr X^+ R^(-1/2) Y R^(-1/2), R the
   product of the P_a: the scalar product in which generators with detailed balance are symmetric.)

   P_a is measured in the steady state, which is found in the basis without weights: factors, and what is made
   of them, do not mind scales, eigenvalues do. A deck that only asks for steady states, or a task that begins
   at another state (from which the weights may be far), has no weights.
*/
#include <cospin/operator/liouvillian.h>
#include <cospin/point/settings.h>
#include <cospin/tasks/tables.h>
#include <string.h>

enum { MAX_LEVELS = 64 };

/* Any component that has weights worth having? */
static PetscBool is_worth_it(CospinProblem problem)
{
  for (int c = 0; c < problem->system.num_components; c++) {
    const CospinComponent component = &problem->system.components[c];
    if (component->kind->Weighs && component->kind->Weighs(component)) return PETSC_TRUE;
  }
  return PETSC_FALSE;
}

/* Mean number of atoms of component c in each of its levels, <NAME.n[k]>. */
static PetscErrorCode read_populations(CospinPoint point, int c, const CospinSteadyState *steady,
                                       double populations[])
{
  const CospinComponent component = &point->problem->system.components[c];
  char path[256], why[256] = "";

  PetscFunctionBeginUser;
  PetscCall(PetscSNPrintf(path, sizeof(path), "%.200s.n", component->name));
  for (int k = 0; k < component->kind->NumLevels(component); k++) {
    double complex number;
    CospinValue value = {0};
    CospinMoves moves;
    PetscBool found;
    PetscCall(CospinProblemResolve(point->problem, path, 1, &k, &value, &found, why, sizeof(why)));
    PetscCheck(found, point->comm, PETSC_ERR_PLIB, "No operator %s", path);
    PetscCall(CospinTaskLeftProduct(point->problem, value.polynomial, &moves));
    PetscCall(CospinExpectations(steady->eigensolver->sector, steady->rho, 1, &moves, &number));
    populations[k] = creal(number);
    PetscCall(CospinMovesDestroy(&moves));
    PetscCall(CospinValueReset(&value));
  }
  PetscFunctionReturn(0);
}

/* The same problem with weights of these populations, or (NULL) without. */
static PetscErrorCode replace(CospinPoint point, double (*populations)[MAX_LEVELS])
{
  int windows[COSPIN_MAX_COORDINATES];
  CospinProblem other;
  PetscBool any, ok;

  PetscFunctionBeginUser;
  CospinProblemWindows(point->problem, windows, &any);
  PetscCall(CospinProblemCreateWindowed(point->problem, windows, NULL, &other, &ok));
  PetscCheck(ok, point->comm, PETSC_ERR_PLIB, "Weights make the deck wrong");
  for (int c = 0; c < other->system.num_components; c++) {
    const CospinComponent component = &other->system.components[c];
    if (component->kind->Weigh) component->kind->Weigh(component, populations ? populations[c] : NULL);
  }
  PetscCall(CospinPointReplaceProblem(point, other));
  point->weighed = (PetscBool)(populations != NULL);
  PetscFunctionReturn(0);
}

/* By the steady state if there is one that is good. */
static PetscErrorCode weigh(CospinPoint point, const char prefix[])
{
  const int num = point->problem->system.num_components;
  const CospinSteadyState *steady;
  double(*populations)[MAX_LEVELS];

  PetscFunctionBeginUser;
  PetscCall(CospinPointSteadyState(point, prefix, NULL, &steady));
  if (steady->outcome != COSPIN_GOOD || !steady->rho) PetscFunctionReturn(0);
  PetscCall(PetscCalloc1((size_t)num, &populations));
  for (int c = 0; c < num; c++)
    if (point->problem->system.components[c].kind->Weigh)
      PetscCall(read_populations(point, c, steady, populations[c]));
  PetscCall(replace(point, populations));
  PetscCall(PetscFree(populations));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinTaskWeigh(CospinPoint point, const CospinRecord *task)
{
  const PetscBool wanted = (PetscBool)(CospinTaskStaysNear(task) && strcmp(task->kind->name, "steady") != 0 &&
                                       is_worth_it(point->problem));
  char prefix[64];

  PetscFunctionBeginUser;
  if (wanted == point->weighed) PetscFunctionReturn(0);
  PetscCall(CospinTaskPrefix(task, prefix, sizeof(prefix)));
  if (wanted)
    PetscCall(weigh(point, prefix));
  else
    PetscCall(replace(point, NULL));
  PetscFunctionReturn(0);
}
