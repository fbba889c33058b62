/* How a generator is held. */
#include <cospin/cost.h>
#include <cospin/liouvillian.h>
#include <cospin/sides.h>

/* Rows of rho that are shorter take longer by themselves than as rows of a sparse matrix. */
static const double shortest_row = 16.0;

/* No factors, and rows that are worth being multiplied as such. */
static PetscErrorCode has_rows(CospinProblem problem, CospinSector sector, PetscBool *has)
{
  const PetscInt64 dimension = CospinSectorDimension(sector);
  CospinSides sides;

  PetscFunctionBeginUser;
  *has = PETSC_FALSE;
  if (CospinCostFactorise(dimension, CospinLatticeRank(problem->lattice))) PetscFunctionReturn(0);
  PetscCall(CospinSidesCreate(sector, &sides));
  if (sides) *has = (PetscBool)((double)dimension >= shortest_row * sides->count[COSPIN_KET]);
  PetscCall(CospinSidesDestroy(&sides));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinGeneratorIsShell(CospinProblem problem, CospinSector sector, PetscBool *shell)
{
  PetscFunctionBeginUser;
  *shell = (PetscBool)(problem->deck->operator_form == COSPIN_OPERATOR_SHELL);
  if (problem->deck->operator_form == COSPIN_OPERATOR_AUTO) PetscCall(has_rows(problem, sector, shell));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinGeneratorIsDavidson(CospinProblem problem, CospinSector sector, PetscBool *davidson)
{
  PetscFunctionBeginUser;
  PetscCall(CospinGeneratorIsShell(problem, sector, davidson));
  if (!*davidson) PetscCall(has_rows(problem, sector, davidson));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinGeneratorCreate(MPI_Comm comm, CospinProblem problem, CospinSector sector,
                                     Mat *liouvillian)
{
  PetscBool shell;

  PetscFunctionBeginUser;
  PetscCall(CospinGeneratorIsShell(problem, sector, &shell));
  if (shell)
    PetscCall(CospinShellCreate(comm, problem->generator, sector, liouvillian));
  else
    PetscCall(CospinLiouvillianCreate(comm, problem->generator, sector, liouvillian));
  PetscFunctionReturn(0);
}
