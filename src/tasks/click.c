/*
   What a click does to a state (click.h).

   A click leaves A rho A^+ behind, which is no state but one times the rate of clicks: its trace is <A^+A>.
   Operators of several monomials interfere, so all pairs of them count.
*/
#include "click.h"

PetscErrorCode CospinTaskClick(CospinProblem problem, CospinPolynomial a, CospinPolynomial *number,
                               CospinMoves *click)
{
  CospinPolynomial adjoint;

  PetscFunctionBeginUser;
  PetscCall(CospinPolynomialAdjoint(a, CospinSystemElementaryAdjoint, &problem->system, &adjoint));
  PetscCall(CospinPolynomialMultiply(adjoint, a, number));
  PetscCall(CospinPolynomialDestroy(&adjoint));
  PetscCall(CospinMovesCreate(&problem->system, click));
  for (int i = 0; i < a->count; i++) {
    for (int j = 0; j < a->count; j++)
      PetscCall(CospinMovesAddProduct(*click, 1.0, &a->monomials[i], &a->monomials[j]));
  }
  PetscCall(CospinMovesFinish(*click));
  PetscFunctionReturn(0);
}
