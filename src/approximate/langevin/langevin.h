/*
   c-number Langevin equations of N spins-1/2 with correlated emission and absorption and exchange.

   Every spin a has three numbers s^x, s^y, s^z that stand for its Pauli matrices in symmetric order. With
   H = sum_a delta_a sz_a/2 + sum_(a != b) J_ab s+_a s-_b, jumps of pairs sum_ab R-_ab s-_b rho s+_a and
   sum_ab R+_ab s+_b rho s-_a, and of each spin s+, s-, sz, which stand on the diagonals R-_aa (down), R+_aa
   (up) and g_a (sz),

     C = i J + (R- - R+^T)/2 without its diagonal,  P = R- + R+^T,  G_a = (P_aa + 4 g_a)/2,  W = C (s^x - i
   s^y)

     ds^x = -G s^x - delta s^y + s^z Re W,   ds^y = -G s^y + delta s^x - s^z Im W
     ds^z = up (1 - s^z) - down (1 + s^z) - s^x Re W + s^y Im W

   are Heisenberg's equations, exact as operators, and the noise is that of the generalised Einstein relation
   2D_ij = d<s_i s_j>/dt - <s_i f_j> - <f_i s_j>, for operators in symmetric order. With k-_a = ([s+_a, s^x],
   ...) = (s^z, i s^z, -2 s+) each pair of jumps gives Re R_ab <k_a^i k_b^j*>, so for a != b

     2D^xx = 2D^yy = Re P_ab <zz>,  2D^xy = Im P_ab <zz>,  2D^xz = -Re P_ab <s^z_a (s^x - i s^y)_b>
     2D^yz = Im P_ab <s^z_a (s^x - i s^y)_b>,  2D^zz = Re P_ab <(s^x + i s^y)_a (s^x - i s^y)_b>

   and on a spin itself 2D^xx = 2D^yy = 2 G, 2D^xy = 0, 2D^xz = (down - up) <s^x>, 2D^yz = (down - up) <s^y>,
   2D^zz = 2 (up + down) - 2 (up - down) <s^z>. Averages are means over the trajectories, so the noise is
   additive and 2D positive but for what their number leaves undecided.

   A. Shankar, J. Cooper, J. G. Bohnet, J. J. Bollinger, M. Holland, PRA 95, 033423 (2017), appendix D.
*/
#pragma once
#include <cospin/point/point.h>

/* ---- The equations (equations.c) */

typedef struct CospinLangevin_ {
  int size;                                  /* N */
  double *up, *down, *dephasing, *frequency; /* [N], frequency: delta */
  double complex *couple, *noise;            /* [N*b + a] C_ab (zero diagonal), P_ab */
  double *drift;                             /* [2N x 2N], by columns: (Re W, Im W) from (s^x, s^y) */
} * CospinLangevin;

/* Not collective; zero but for the size. To be destroyed. */
PetscErrorCode CospinLangevinCreate(int size, CospinLangevin *equations);
PetscErrorCode CospinLangevinDestroy(CospinLangevin *equations);
/* drift[] from couple[], once that is there. */
void CospinLangevinFinish(CospinLangevin equations);

/* f(s) of `count` trajectories: s and f[3N x count] by columns (x of all spins, then y, then z);
   work[2N x count]. */
void CospinLangevinDrift(CospinLangevin equations, int count, const double s[], double f[], double work[]);
/* 2D, both triangles of diffusion[3N x 3N], from first[3N] and second[3N x 3N] moments (upper triangle, by
   columns). */
void CospinLangevinDiffusion(CospinLangevin equations, const double first[], const double second[],
                             double diffusion[]);
/* factor[n x n] with factor factor^T = matrix (destroyed), both triangles given. What rounding makes negative
   is lifted: 1e-11 of the largest diagonal element is added to all of them, and Cholesky's factor is *lower
   triangular (above it is something else). If that breaks down, because few trajectories leave 2D undecided,
   negative eigenvalues are set to zero, and *clipped is their sum relative to that of all absolute values
   (otherwise 0). */
PetscErrorCode CospinLangevinFactor(int n, double matrix[], double factor[], PetscBool *lower,
                                    double *clipped);

/* The fastest rates: of all spins together (largest of the eigenvalues of R- - R+^T without its diagonal),
   and of everything: that, those of J, of a spin alone and delta. *slowest: of a spin alone, of s^z. */
typedef struct {
  double collective, fastest, slowest;
} CospinLangevinRates;
PetscErrorCode CospinLangevinGetRates(CospinLangevin equations, CospinLangevinRates *rates);

/* ---- From the deck (terms.c) */

/* What an elementary operator is: s+, s-, sz of a spin, or (spin < 0) factor times the sum over all spins or
 * one of each.
 */
typedef enum {
  COSPIN_LANGEVIN_PLUS,
  COSPIN_LANGEVIN_MINUS,
  COSPIN_LANGEVIN_Z,
  COSPIN_LANGEVIN_OTHER
} CospinLangevinOperator;
typedef struct {
  CospinLangevinOperator which;
  int spin; /* as in CospinElementary */
  double factor;
} CospinLangevinElementary;
CospinLangevinElementary CospinLangevinElementaryOf(const CospinSystem *system, CospinElementary elementary);

/* Not collective. Faults: terms and components beyond the class, each a sentence at its place. *equations is
   NULL unless *ok. */
PetscErrorCode CospinLangevinRead(CospinProblem problem, CospinFaults faults, CospinLangevin *equations,
                                  PetscBool *ok);

/* ---- Expectation values (moments.c) */

/* <A> = constant + sum of value * <s_i> or <s_i s_j>, i <= j. */
typedef struct {
  PetscBool known; /* no moments of more than two spins */
  double complex constant;
  int count;
  int *place; /* i, or n + i + n*j with n = 3N */
  double complex *value;
} CospinMoments;

PetscErrorCode CospinMomentsCreate(CospinLangevin equations, const CospinSystem *system, CospinPolynomial a,
                                   CospinMoments *moments);
PetscErrorCode CospinMomentsDestroy(CospinMoments *moments);
/* From sums over `count` trajectories of what CospinLangevinDiffusion has means of, n = 3N; the sum over
   them. NaN unless known. */
double complex CospinMomentsEvaluate(const CospinMoments *moments, int n, double count, const double first[],
                                     const double second[]);

/* The product state that every trajectory starts from: mean[3N], and two axes[3N] across it along which each
   spin is drawn +-1, so that <s_i s_j> = delta_ij for a spin as it must be. mean NULL: only faults are looked
   for, anything but `ground` and `css`. */
PetscErrorCode CospinLangevinInitial(CospinProblem problem, CospinLangevin equations,
                                     const CospinSetting *initial, CospinFaults faults, double mean[],
                                     double *const axes[2], PetscBool *ok);

/* ---- Trajectories (trajectories.c) */

typedef struct CospinTrajectories_ *CospinTrajectories;

/* Collective on comm: blocks of trajectories are dealt out to its ranks. What these compute is the same to
   the last bit on any number of ranks: noise depends on (seed, trajectory, step, spin) only, a block is
   always multiplied alone, and sums are exact. Some blocks have shadows: the same trajectories, followed by
   steps of twice the size with the same noise. */
PetscErrorCode CospinTrajectoriesCreate(MPI_Comm comm, CospinLangevin equations, int number, uint64_t seed,
                                        CospinTrajectories *trajectories);
PetscErrorCode CospinTrajectoriesDestroy(CospinTrajectories *trajectories);
int CospinTrajectoriesNumBlocks(CospinTrajectories trajectories);
/* How many trajectories a block has, and whether these have shadows. */
int CospinTrajectoriesBlockSize(CospinTrajectories trajectories, int block, PetscBool *shadows);
/* Largest share of 2D that was not positive so far (CospinLangevinFactor). */
double CospinTrajectoriesClipped(CospinTrajectories trajectories);

/* Not collective. From a product state (CospinLangevinInitial). */
PetscErrorCode CospinTrajectoriesStart(CospinTrajectories trajectories, const double mean[],
                                       const double *const axes[2]);

/* Where expectation values are added to, each block's sum over its trajectories: sums[num_blocks][num], and
   shadows likewise. Blocks of other ranks, and shadows that there are not, are left alone. */
typedef struct {
  int num;
  const CospinMoments *moments;
  double complex *sums, *shadows;
} CospinSample;
/* Not collective. */
void CospinTrajectoriesSample(CospinTrajectories trajectories, const CospinSample *sample);
/* Collective. Two steps of stochastic Heun, s~ = s + f dt + B dW, s += (f(s) + f(s~)) dt/2 + B dW, and one of
   twice the size of the shadows; before it a sample (NULL: none), which is cheaper here than apart. *ok
   false: some trajectory has left all bounds. */
PetscErrorCode CospinTrajectoriesAdvance(CospinTrajectories trajectories, double step,
                                         const CospinSample *sample, PetscBool *ok);
