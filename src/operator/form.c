/*
   How a generator is held.

   As a matrix, or as products without one. A matrix is quicker wherever its factors fit into memory; where
   they do not, what is left is iterations, and these take products. Products without a matrix are quick where
   rho consists of long rows; where a ket has few bras, a sparse matrix is multiplied faster.
*/
#include <cospin/operator/cost.h>
#include <cospin/operator/liouvillian.h>
#include <cospin/operator/planes.h>

/* Rows of rho that are shorter take longer by themselves than as rows of a sparse matrix. */
static const double shortest_row = 16.0;

/* No factors, and rows that are worth being multiplied as such. */
static PetscErrorCode has_rows(CospinProblem problem, const int representative[], double dimension,
                               PetscBool *has)
{
  CospinCensus kets;
  CospinCount rows;

  PetscFunctionBeginUser;
  *has = PETSC_FALSE;
  if (!CospinSystemHasSides(&problem->system)) PetscFunctionReturn(0);
  if (CospinCostFactorise(dimension, CospinLatticeRank(problem->lattice), problem->bytes))
    PetscFunctionReturn(0);
  PetscCall(CospinCensusCreate(&problem->system, problem->lattice, PETSC_TRUE, &kets));
  PetscCall(CospinCensusCount(kets, representative, &rows));
  PetscCall(CospinCensusDestroy(&kets));
  *has = (PetscBool)(dimension >= shortest_row * rows.labels);
  PetscFunctionReturn(0);
}

CospinFactorCost CospinGeneratorIterationCost(CospinProblem problem, double dimension)
{
  const int width = problem->generator->count;

  if (CospinPlanesSuit(problem->generator, problem->lattice)) return CospinCostOfPlanes(dimension, width);
  return CospinCostOfIncomplete(dimension, CospinLatticeRank(problem->lattice), width);
}

PetscBool CospinGeneratorIsIterated(CospinProblem problem, double dimension)
{
  if (problem->deck->operator_form == COSPIN_OPERATOR_SHELL) return PETSC_FALSE;
  return CospinCostIterate(dimension, CospinLatticeRank(problem->lattice), problem->generator->count,
                           CospinGeneratorIterationCost(problem, dimension), problem->bytes);
}

PetscErrorCode CospinGeneratorIsShell(CospinProblem problem, const int representative[], double dimension,
                                      PetscBool *shell)
{
  PetscFunctionBeginUser;
  *shell = (PetscBool)(problem->deck->operator_form == COSPIN_OPERATOR_SHELL);
  if (problem->deck->operator_form == COSPIN_OPERATOR_AUTO && !CospinGeneratorIsIterated(problem, dimension))
    PetscCall(has_rows(problem, representative, dimension, shell));
  PetscFunctionReturn(0);
}

/* Where there are no factors, eigenvalues are searched for by Davidson's method, whether the products come
   from a matrix or not. */
PetscErrorCode CospinGeneratorIsDavidson(CospinProblem problem, const int representative[], double dimension,
                                         PetscBool *davidson)
{
  PetscFunctionBeginUser;
  PetscCall(CospinGeneratorIsShell(problem, representative, dimension, davidson));
  if (!*davidson && !CospinGeneratorIsIterated(problem, dimension))
    PetscCall(has_rows(problem, representative, dimension, davidson));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinGeneratorCreate(MPI_Comm comm, CospinProblem problem, CospinSector sector,
                                     Mat *liouvillian)
{
  PetscBool shell;

  PetscFunctionBeginUser;
  PetscCall(CospinGeneratorIsShell(problem, CospinSectorRepresentative(sector),
                                   (double)CospinSectorDimension(sector), &shell));
  if (shell)
    PetscCall(CospinShellCreate(comm, problem->generator, sector, liouvillian));
  else
    PetscCall(CospinLiouvillianCreate(comm, problem->generator, sector, liouvillian));
  PetscFunctionReturn(0);
}
