/*
   A generator that depends on time: L(t) = L_0 + sum_k c_k(t) L_k with constant L and real c_k. Moves are
   linear in the coefficients of the Hamiltonian and in rates, so that is what every deck comes to whose
   coefficients name the time `t`.
*/
#pragma once
#include <cospin/problem/problem.h>

/* Not collective. Whether the problem's generator depends on time. */
PetscBool CospinProblemHasTime(CospinProblem problem);
/* Number of terms of the sum, without L_0. */
int CospinClockCount(CospinProblem problem);
/* Borrowed: L_0 for k = -1, and L_k. Their moves are in the problem's lattice, all of them, whatever a
   coefficient is worth at some time. */
CospinMoves CospinClockMoves(CospinProblem problem, int k);

/* Borrowed: of L_k (k >= 0) what acts between jumps of kets. */
CospinMoves CospinClockKets(CospinProblem problem, int k);
/* Whether the rate of a jump of the deck, for one of its spins (0 where it has none), depends on time; and
   what it is with coefficients c[], NULL: without them. */
PetscBool CospinClockHasRate(CospinProblem problem, int jump, int spin);
double CospinClockRateOf(CospinProblem problem, int jump, int spin, const double c[]);

/* Not collective. c[k] at a time. *ok is false where one has no value: a division by zero, a coefficient that
   is not real; told as faults, unless those are NULL. */
PetscErrorCode CospinClockCoefficients(CospinProblem problem, double time, CospinFaults faults, double c[],
                                       PetscBool *ok);
/* Not collective. Whether all rates are real numbers >= 0 at this time; each that is not is a fault. */
PetscErrorCode CospinClockCheckRates(CospinProblem problem, double time, CospinFaults faults, PetscBool *ok);
/* Not collective. The same at many times from 0 to `end`, those around jumps among them; of every coefficient
   and rate the first fault only is told. */
PetscErrorCode CospinClockCheck(CospinProblem problem, double end, CospinFaults faults, PetscBool *ok);

/* Not collective. Times within (0, end) at which a function of the deck jumps or has a corner, ascending; to
   be freed with PetscFree. Others may exist (floor). */
PetscErrorCode CospinClockEdges(CospinProblem problem, double end, int *num, double **edges);

/* Not collective. Times within (0, end) at which a table of the deck has a point, ascending; to be freed with
   PetscFree. */
PetscErrorCode CospinClockKnots(CospinProblem problem, double end, int *num, double **knots);

/* What is kicked at a time; of those at one time the smaller order acts first. */
typedef struct {
  double time, order;
} CospinKick;
/* Not collective. Those from 0 to `end`, kick(t, t0, order), as they follow each other; to be freed with
   PetscFree. Coefficients are without kicks. */
PetscErrorCode CospinClockKicks(CospinProblem problem, double end, int *num, CospinKick **kicks);
/* Not collective. What one of these is: u becomes exp(sum_k c[k] L_k) u. NaN where it has no value. */
PetscErrorCode CospinClockKick(CospinProblem problem, CospinKick kick, double end, double c[]);

/* Not collective. If the generator depends on time: the first `t` of the Hamiltonian or a rate is a fault,
   `sentence` says why; *ok is false then. */
PetscErrorCode CospinClockRefuse(CospinProblem problem, const char sentence[], CospinFaults faults,
                                 PetscBool *ok);
