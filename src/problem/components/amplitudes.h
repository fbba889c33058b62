/*
   States of components whose kets are levels n = 0, 1, ..., highest (times an irrep, for ensembles): a vector
   of amplitudes for a pure state, populations for a mixture of levels.
*/
#pragma once
#include <cospin/problem/component.h>

typedef struct {
  CospinComponent component; /* whose state it is */
  int irrep, num;
  PetscBool pure;
  double complex *amplitude; /* [num], 2-norm 1; of a mixture: populations, sum 1 */
} CospinAmplitudes;

/* Fills new ones (all amplitudes zero, irrep 0, pure) from the arguments of a state; sets `why` if they are
   not allowed. */
typedef void (*CospinAmplitudesSet)(CospinAmplitudes *amplitudes, const double complex arguments[],
                                    char why[], size_t why_size);

/* What CospinStateName.Prepare has to do, for `num` levels; the name stands behind them. */
PetscErrorCode CospinAmplitudesPrepare(CospinComponent component, int num, CospinAmplitudesSet set,
                                       const double complex arguments[], void **data, PetscBool *pure,
                                       char why[], size_t why_size);
#define COSPIN_AMPLITUDES_PREPARE(Prepare, num_levels, set)                                                  \
  static PetscErrorCode Prepare(CospinComponent component, const double complex arguments[], void **data,    \
                                PetscBool *pure, char why[], size_t why_size)                                \
  {                                                                                                          \
    PetscFunctionBeginUser;                                                                                  \
    PetscCall(CospinAmplitudesPrepare(component, num_levels(component), set, arguments, data, pure, why,     \
                                      why_size));                                                            \
    PetscFunctionReturn(0);                                                                                  \
  }
PetscErrorCode CospinAmplitudesFree(void *amplitudes); /* a CospinStateName.Free */
/* Coefficient of |n><n_bra| of this irrep. */
double complex CospinAmplitudesElement(const CospinAmplitudes *amplitudes, int irrep, int n, int n_bra);

/* The lowest level. */
void CospinAmplitudesSetGround(CospinAmplitudes *amplitudes, const double complex none[], char why[],
                               size_t why_size);
/* (cos(theta/2)|g> + e^{i phi} sin(theta/2)|e>)^N in the symmetric levels n = 0 ... N */
void CospinAmplitudesSetCss(CospinAmplitudes *amplitudes, const double complex theta_phi[], char why[],
                            size_t why_size);
/* |theta, phi> + sign |theta, phi + pi>, normalised */
void CospinAmplitudesSetCat(CospinAmplitudes *amplitudes, const double complex theta_phi_sign[], char why[],
                            size_t why_size);
/* The highest level. */
void CospinAmplitudesSetTop(CospinAmplitudes *amplitudes, const double complex none[], char why[],
                            size_t why_size);
/* |alpha> + sign |-alpha>, cut at the highest level, normalised */
void CospinAmplitudesSetCoherentCat(CospinAmplitudes *amplitudes, const double complex alpha_sign[],
                                    char why[], size_t why_size);
/* One level n. */
void CospinAmplitudesSetFock(CospinAmplitudes *amplitudes, const double complex n[], char why[],
                             size_t why_size);
/* sum_n alpha^n / sqrt(n!) |n>, cut at the highest level, normalised */
void CospinAmplitudesSetCoherent(CospinAmplitudes *amplitudes, const double complex alpha[], char why[],
                                 size_t why_size);
/* sum_n (nbar/(nbar + 1))^n |n><n|, the same */
void CospinAmplitudesSetThermal(CospinAmplitudes *amplitudes, const double complex nbar[], char why[],
                                size_t why_size);
/* Twice the projection m of an angular momentum j; sets `why` if it has no such projection. */
int CospinTwoProjection(double complex m, int two_j, char why[], size_t why_size);
/* Whether x is a multiple of 1/2, up to rounding; *two_x is twice of it. */
PetscBool CospinIsHalfInteger(double complex x, int *two_x);
