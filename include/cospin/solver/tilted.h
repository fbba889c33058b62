/*
   The cumulants of a counted jump in the steady state: derivatives of the eigenvalue of the tilted generator
   that begins at zero.

     L(chi) = L + (e^chi - 1) J,   L(chi) rho(chi) = lambda(chi) rho(chi),   lambda = sum_n c_n chi^n/n!

   and c_n is the n-th cumulant of the number of clicks, per time: c_1 their mean, c_2 the variance, ...
*/
#pragma once
#include <cospin/solver/eigensolver.h>

enum { COSPIN_NUM_CUMULANTS = 4 };

typedef struct {
  double cumulants[COSPIN_NUM_CUMULANTS]; /* c_1 ... c_4; mean and variance of a real process are >= 0 */
  double residual;                        /* largest |L x - b| / (|L| |x| + |terms of b|) of the equations */
  int iterations;                         /* applications of the factors, all equations together */
} CospinTilted;

/*
   Collective. `rho`: the one steady state of the sector of `spectrum`, Tr rho = 1; J: `efficiency` times
   `jumps`, moves that stay in this sector. One matrix J is made beside the generator; the factors are those
   of the eigensolver. The residual is recomputed and for the caller to judge.
*/
PetscErrorCode CospinTiltedCumulants(CospinEigensolver eigensolver, Vec rho, CospinMoves jumps,
                                     double efficiency, CospinTilted *tilted);
