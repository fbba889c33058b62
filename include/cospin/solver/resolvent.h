/*
   A resolvent H(s) = a^H (s - L)^-1 b for many s from a few solves.
*/
#pragma once
#include <cospin/solver/channel.h>

enum { COSPIN_RESOLVENT_MAX_ORDER = 80 };

typedef struct CospinResolvent_ *CospinResolvent;

/* Collective. a and b are the channel's reading and perturbed state, transient; the channel is borrowed. */
PetscErrorCode CospinResolventCreate(CospinChannel *channel, CospinResolvent *resolvent);
PetscErrorCode CospinResolventDestroy(CospinResolvent *resolvent);

/*
   Collective; one factorisation, two solves. Makes the model exact at s = i omega (which it moves a little
   where the generator has a null vector there), in value and first derivative. *exact: the value; *before:
   what the model said of it (NaN without a model), which tells how good it was.
*/
PetscErrorCode CospinResolventEnlarge(CospinResolvent resolvent, double omega, double complex *exact,
                                      double complex *before);

/* Not collective. Value of the model at s = i omega, and an estimate of its error; NaN and infinite while
   there is no model. Cost: the square of the order. */
void CospinResolventValue(CospinResolvent resolvent, double omega, double complex *value, double *error);

/* Not collective. Number of solves so far. Poles of the model, at most COSPIN_RESOLVENT_MAX_ORDER; returns
   how many there are. lim s H(s), the sum of its residues. */
int CospinResolventSolves(CospinResolvent resolvent);
int CospinResolventPoles(CospinResolvent resolvent, double complex poles[]);
double complex CospinResolventSum(CospinResolvent resolvent);
/* Not collective. a^H b: the sum of the residues of all poles there are; |a| |b|. */
double complex CospinResolventWhole(CospinResolvent resolvent);
double CospinResolventSize(CospinResolvent resolvent);
/* Not collective. Whether no solve can add anything: the model is as exact as the solves. */
PetscBool CospinResolventExhausted(CospinResolvent resolvent);
/* Not collective. Largest residual of a solve, |b - (s - L) v| / (|L| |v|). */
double CospinResolventResidual(CospinResolvent resolvent);
/* Of the solutions (s - L)^-1 b the one of the largest |H(s)|, borrowed; NULL before the first. */
Vec CospinResolventBrightest(CospinResolvent resolvent);
