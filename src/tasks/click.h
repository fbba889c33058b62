/* What a click does: the moves of a jump operator and the number operator that it is counted by. */
#pragma once
#include <cospin/problem/problem.h>

/* Not collective. A^+ A, and rho -> A rho A^+, for the caller. */
PetscErrorCode CospinTaskClick(CospinProblem problem, CospinPolynomial a, CospinPolynomial *number,
                               CospinMoves *click);
