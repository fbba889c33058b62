/*
   Numbers at any size: a generator projected on Gaussians times polynomials around its one stable point.

   The cost does not depend on the number of labels. Every number has a certificate made of the left side of
   its equation, which is exact at every label (kernel_body.h).
*/
#pragma once
#include <cospin/problem/moves.h>
#include <cospin/solver/interrupt.h>
#include <cospin/solver/outcome.h>

typedef struct CospinExpansion_ *CospinExpansion;
typedef struct CospinExpandedChannel_ *CospinExpandedChannel;

/* A number and what is known of it. All but value, degree and functions are NaN if there is none. */
typedef struct {
  double complex value;
  double bound;  /* of its error, to first order: not small where only the right side has converged */
  double error;  /* estimate of its error: product of the errors of both sides, and rounding */
  double change; /* from the degree before */
  int degree, functions;
} CospinExpanded;

/* Collective on comm. Looks for the stable point. tolerance: error of a number, beside it, at which the
   degree need not grow. The generator is borrowed; interrupt may be NULL and is borrowed. */
PetscErrorCode CospinExpansionCreate(MPI_Comm comm, CospinMoves generator, double tolerance,
                                     const CospinInterrupt *interrupt, CospinExpansion *expansion);
PetscErrorCode CospinExpansionDestroy(CospinExpansion *expansion);

/* Collective. Looks again, from one place alone: means[num_coordinates] of labels and phases[num_coordinates]
   as CospinMeanRest gives them. What follows is asked of the point that is found there, if any. */
PetscErrorCode CospinExpansionCentreNear(CospinExpansion expansion, const double means[],
                                         const double phases[]);

/* Whether there is something to expand around: good; unstable (no stable point), bistable (several). */
CospinOutcome CospinExpansionOutcome(CospinExpansion expansion);
/* Distance of the stable point from the nearest edge of the labels, in standard deviations; NaN: none. */
double CospinExpansionEdge(CospinExpansion expansion);

/* Collective. Tr(A rho) in the steady state for moves[num] of rho -> A rho. *outcome: not converged if there
   are no numbers. */
PetscErrorCode CospinExpansionExpect(CospinExpansion expansion, int num, const CospinMoves moves[],
                                     CospinExpanded values[], CospinOutcome *outcome);

/* Collective. Mean and variance per time, values[2], of how often jumps happen in the steady state: c_1 =
   Tr(J rho), c_2 = c_1 + 2 int dt (<J(t) J(0)> - c_1^2) = c_1 - 2 <z|(J - c_1) rho>, L^T z = J^T 1 - c_1.
   *outcome as above, also where J leaves the sector. */
PetscErrorCode CospinExpansionCount(CospinExpansion expansion, CospinMoves jumps, CospinExpanded values[],
                                    CospinOutcome *outcome);

/* Collective. The `count` slowest eigenvalues of the sector of the label `representative` (NULL: that with a
   trace, without zero), in the order of CospinOrderSlowest. */
PetscErrorCode CospinExpansionSlowest(CospinExpansion expansion, const int representative[], int count,
                                      CospinExpanded values[], CospinOutcome *outcome);

/*
   Collective. The channel of a two-time correlation in the sector of the label `representative`,

     C(t) = Tr(A exp(t L) B rho) - limit, or in frequencies int_0^infinity exp(-i omega t) C(t) dt,

   for the moves of rho -> B rho (or A rho A^+) and of rho -> A rho; limit = Tr(A rho) Tr(B rho) in the sector
   with a trace, else zero. values[num] at `at` (ascending; times not negative), errors beside the largest of
   them: two-time correlations and their limit. *channel: for what follows, or NULL where there is nothing:
   what B leaves is not read by A there, the values are zero; or (*outcome: not converged) no degree has
   values.
*/
PetscErrorCode CospinExpansionCorrelate(CospinExpansion expansion, const int representative[],
                                        CospinMoves perturbation, CospinMoves reading, PetscBool frequencies,
                                        int num, const double at[], CospinExpanded values[],
                                        CospinExpandedChannel *channel, CospinOutcome *outcome);
PetscErrorCode CospinExpandedChannelDestroy(CospinExpandedChannel *channel);
/* Not collective, the same on all ranks. The transform at any frequency; NaN: at an eigenvalue. */
double complex CospinExpandedChannelAt(CospinExpandedChannel channel, double frequency);
/* Eigenvalues of its sector, slowest first: how many were copied, up to `most`. */
int CospinExpandedChannelModes(CospinExpandedChannel channel, int most, double complex modes[]);

/* Whether the error of a number of this size is known to be within the tolerance: by its estimate, and not
   beyond a tenth of it by its bound. */
PetscBool CospinExpandedIsGood(double size, double tolerance, const CospinExpanded *value);

/* Not collective. How many dimensions the labels of a sector have, coherences that are free among them; *why
   (constant text): it has no expansion, NULL: it has. */
PetscErrorCode CospinExpansionDimensions(CospinMoves generator, int *dimensions, const char **why);
/* Not collective. Whether the labels of a sector differ from those of the one with a trace by no charge that
   a real number would show: it is that one, or one of another parity. */
PetscErrorCode CospinExpansionIsNeutral(CospinMoves generator, const int representative[],
                                        PetscBool *neutral);
/* Functions, bytes and seconds of one sector at the degree that is usual, for estimates. */
void CospinExpansionCost(CospinMoves generator, int dimensions, int *degree, int *functions, double *bytes,
                         double *seconds);
