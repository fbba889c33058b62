/*
   Mean field: the state is a product, rho = rho_1 x rho_2 x ..., one factor for every spin-1/2 (s = <s->, z =
   <sz>) and for every mode (coherent, alpha = <a>). The equations are those of Tr_others of the deck's own
   generator.

   With K = K_0 + sum_x K_x x(m) for spin m (x in s-, s+, sz; K_x act on the others), rho_m sees the jumps of
   K with the matrix of rates <K_y^+ K_x>, and a term of H as a field. What remains are expectation values of
   monomials of sums over the other spins, exact in a product state by joint cumulants: those of independent
   factors add, so that <ABC> = sum over partitions of {A,B,C} of the products of cumulants, each of which is
   a sum over spins. Leaving one spin out is subtracting its term. So a right-hand side costs O(N).

   Closure `paper`: Eqs. (22)-(23) of Mok, Kwek and Touzard, which count coincident indices twice: the
   cumulant of operators that meet on one spin is replaced by their expectation value (<R+R> = sum p + |sum
   s|^2).

   Nothing here is collective.
*/
#pragma once
#include <cospin/point/point.h>
#include <petscts.h>

typedef enum { COSPIN_CLOSURE_PRODUCT, COSPIN_CLOSURE_PAPER } CospinClosure;

/* Operators of one factor. */
typedef enum {
  COSPIN_MEAN_MINUS,
  COSPIN_MEAN_PLUS,
  COSPIN_MEAN_Z, /* Pauli's */
  COSPIN_MEAN_LOWER,
  COSPIN_MEAN_RAISE
} CospinMeanOperator;

enum { COSPIN_MEAN_ALL = -1, COSPIN_MEAN_EACH = -2, COSPIN_MEAN_MOST_OPERATORS = 6 };

/* The sum over the sites of a part (COSPIN_MEAN_ALL), or the operator of one or of each of them in turn. */
typedef struct {
  int part, site;
  CospinMeanOperator op;
} CospinMeanElementary;

/* An operator of one spin in the basis 1, s-, s+, sz. */
typedef struct {
  double complex of[4];
} CospinMeanPauli;

/* A component: `sites` different spins, each `copies` times, or one mode. Its unknowns are Re s, Im s and z,
   each of all sites in a row, or Re alpha, Im alpha; they begin at u[offset]. */
typedef struct {
  PetscBool is_mode;
  int sites, offset;
  double copies;
  /* ds/dt = A0 + A1 s + A2 s^* + A3 z, dz/dt = B0 + 2 Re(B1 s) + B3 z: rows [sites] in this order, real and
     imaginary parts of A0..A3, then B0, Re B1, Im B1, B3 */
  double *local;
} CospinMeanPart;

typedef struct CospinMeanBlocks_ *CospinMeanBlocks; /* slopes.c */

typedef struct CospinMeanField_ {
  CospinClosure closure;
  int num_parts; /* those of the problem's components */
  CospinMeanPart *parts;
  int num_unknowns;
  CospinMeanBlocks blocks;
  /* Lengths of spins that are conserved, and held: d b/dt += hold (length^2 - b^2) b of a spin's Bloch vector
     b. squares[num_unknowns]: length^2 where the z of a spin stands, NaN: not conserved. NULL: none is held
   */
  double *squares, hold;
} * CospinMeanField;

/* ---- monomials.c: monomials in a product state --------------------------------------------------------- */

CospinMeanOperator CospinMeanAdjoint(CospinMeanOperator op);
/* The matrix of the product of operators of one spin. */
CospinMeanPauli CospinMeanProduct(int count, const CospinMeanOperator operators[]);
/* <x> of one spin. */
double complex CospinMeanValue(const CospinMeanPauli *x, double complex s, double z);
/* d<x>/dt of one spin under i h[H, .] and under the pair of jumps A, B: c (B^+ x A - 1/2 {B^+ A, x}). */
CospinMeanPauli CospinMeanCommutator(const CospinMeanPauli *h, const CospinMeanPauli *x);
CospinMeanPauli CospinMeanDissipator(const CospinMeanPauli *a, const CospinMeanPauli *b,
                                     const CospinMeanPauli *x);
/* The next partition of n elementary operators as the block of each (restricted growth); false behind the
 * last. Begin with zeros. */
PetscBool CospinMeanNextPartition(int n, int block[]);
/* The coefficient of a product of k moments in a cumulant: (-1)^(k-1) (k-1)! */
double CospinMeanCumulantSign(int k);

/* The elementary operators of a monomial of the problem, *factor times. false: operators that a product state
   does not know, or too many of them. */
PetscBool CospinMeanOperators(CospinProblem problem, const CospinMonomial *monomial,
                              CospinMeanElementary operators[], double *factor);
/* Tr(A rho), exact in the product state u[]; NaN for monomials of more than COSPIN_MEAN_MOST_OPERATORS
 * operators.
 */
double complex CospinMeanExpectation(const struct CospinMeanField_ *field, CospinProblem problem,
                                     const double u[], CospinPolynomial a);

/* ---- blocks.c, slopes.c: the right-hand side
 * --------------------------------------------------------------------- */

/* Faults: terms beyond the class (terms.c), each a sentence at its place. To be destroyed in any
 * case. */
PetscErrorCode CospinMeanFieldCreate(CospinProblem problem, CospinClosure closure, const char task[],
                                     CospinFaults faults, CospinMeanField *field, PetscBool *ok);
PetscErrorCode CospinMeanFieldDestroy(CospinMeanField *field);

/* d<monomial of sums>/dt enters: of spins in `part` ds/dt += E s.<1, s-, s+, sz> + E^* s_conjugate.<...>,
   dz/dt likewise (its real part), E the expectation value of `monomial` over all others; of a mode d alpha/dt
   += E s[0]
   + E^* s_conjugate[0]. */
typedef struct {
  CospinMeanPauli s, s_conjugate, z, z_conjugate;
} CospinMeanWeights;
PetscErrorCode CospinMeanBlocksAdd(CospinMeanField field, int part, int length,
                                   const CospinMeanElementary monomial[], const CospinMeanWeights *weights);
/* slopes[num_unknowns] = d u/dt */
PetscErrorCode CospinMeanFieldSlopes(CospinMeanField field, const double u[], double slopes[]);

/* ---- terms.c ------------------------------------------------------------------------------------------- */
PetscErrorCode CospinMeanFieldAddTerms(CospinMeanField field, CospinProblem problem, const char task[],
                                       CospinFaults faults, PetscBool *ok);

/* ---- time.c -------------------------------------------------------------------------------------------- */

/* u[num_unknowns] of a product state (initial->factors; what is left out is in its ground state). */
PetscErrorCode CospinMeanFieldInitial(CospinProblem problem, CospinMeanField field,
                                      const CospinSetting *initial, const char task[], CospinFaults faults,
                                      double u[], PetscBool *ok);

/* The equations in time; it points to the field and must stay where it is. */
typedef struct {
  CospinPoint point; /* whose ranks are all in step */
  CospinMeanField field;
  TS ts;
  Vec state;
  double *u, *slopes; /* [num_unknowns] */
  PetscInt steps;     /* so far */
  /* asked after every step with the state u, true ends it; NULL: never */
  PetscErrorCode (*Lost)(void *context, const double u[], PetscBool *lost);
  void *context;
  PetscBool lost, leave; /* leave: the run is to end (CospinTaskLeave), and the solver has given up */
} CospinMeanClock;
/* Collective on the point, as advancing is. u[]: at time 0. `accuracy`: of a step, relative and absolute. */
PetscErrorCode CospinMeanClockCreate(CospinPoint point, CospinMeanField field, const double u[],
                                     double accuracy, const char prefix[], CospinMeanClock *clock);
PetscErrorCode CospinMeanClockDestroy(CospinMeanClock *clock);
/* u[]: at a time that is not before the last one, or when Lost said so; *ok false if the solver gave up. */
PetscErrorCode CospinMeanClockAdvance(CospinMeanClock *clock, double time, double u[], PetscBool *ok);

/* A fixed point near u[] by Newton's method; *ok false if it does not converge. */
PetscErrorCode CospinMeanFieldNewton(CospinMeanField field, const char prefix[], double u[], int *iterations,
                                     PetscBool *ok);
/* ---- stability.c --------------------------------------------------------------------------------------- */

enum { COSPIN_MEAN_PARTS = 16 }; /* with more components no phase is looked for */

/* NEUTRAL: what lies beside a fixed point neither grows nor decays, so that it is one of a family, or in the
   middle of orbits, and only a state that comes to rest at it belongs to it. UNKNOWN: no eigenvalue was
   found.
 */
typedef enum {
  COSPIN_MEAN_UNKNOWN,
  COSPIN_MEAN_STABLE,
  COSPIN_MEAN_NEUTRAL,
  COSPIN_MEAN_UNSTABLE
} CospinMeanStabilityKind;

/* What small deviations from a fixed point do, those along phases that nothing fixes left out. */
typedef struct {
  CospinMeanStabilityKind kind;
  double growth, frequency; /* largest real part of an eigenvalue, and |Im| of that one; NaN: unknown */
  int free_phases;
} CospinMeanStability;

/* Largest slope relative to the largest rate of change of one unknown, amplitudes of modes in units of
   themselves. */
PetscErrorCode CospinMeanFieldResidual(CospinMeanField field, const double u[], double *residual);
/* Of a fixed point with this residual. away[num_unknowns]: the deviation that grows fastest, about 1 in size;
   undefined where the kind is unknown. */
PetscErrorCode CospinMeanFieldStability(CospinMeanField field, const double u[], double residual,
                                        CospinMeanStability *stability, double away[]);

/* ---- search.c: the fixed point at which a state comes to rest ------------------------------------------ */

typedef struct {
  CospinPoint point; /* whose ranks are all in step */
  CospinMeanField field;
  const char *prefix; /* of PETSc's options */
  double accuracy;    /* of steps in time */
  double tolerance;   /* largest residual of a fixed point */
  /* as of a clock, while states are followed in time; NULL: never */
  PetscErrorCode (*Lost)(void *context, const double u[], PetscBool *lost);
  void *context;
  PetscBool lost, leave; /* out: why nothing more was followed */
  double time;           /* out: how far in time the last state was followed */
} CospinMeanSearch;

typedef struct {
  double *u, *away; /* [num_unknowns] the point, and the deviation from it that grows fastest */
  PetscBool found;  /* its residual is within the tolerance, and it is a state */
  double residual;
  int iterations; /* of Newton's method */
  CospinMeanStability stability;
} CospinMeanPoint;

/* Holds the lengths that spins have in u[] where the equations conserve them; without that a fixed point is
   one of a family, and errors of steps in time add up. */
PetscErrorCode CospinMeanFieldHold(CospinMeanField field, const double u[]);
PetscErrorCode CospinMeanPointCreate(const CospinMeanSearch *search, CospinMeanPoint *point);
PetscErrorCode CospinMeanPointDestroy(CospinMeanPoint *point);
/* Newton's method from u[], and the stability of what it finds. */
PetscErrorCode CospinMeanPointFind(const CospinMeanSearch *search, const double u[], CospinMeanPoint *point);
/* How far apart two states are: the largest difference of an unknown, amplitudes in units of themselves. */
double CospinMeanDistance(CospinMeanField field, const double u[], const double v[]);
/* Collective on the point. Where a state that is a little beside an unstable point comes to rest; sign: on
   which of two sides. *rests false: nowhere, in the steps that it is given. */
PetscErrorCode CospinMeanSearchLeave(CospinMeanSearch *search, const CospinMeanPoint *unstable, double sign,
                                     CospinMeanPoint *end, PetscBool *rests);
/* Collective on the point. The stable fixed point that Newton's method finds from u[]; if that is none, the
   one at which u[] comes to rest in time, driven off unstable ones on its way; where it is driven on for
   longer than can be followed, a stable one that a few other starts lead to. *rests false: there is none, and
   `point` is the last that was met, if it was (`found`). *num_stable: how many were found, by a few other
   starts, too; 0: it was not asked for (a family of points, many unknowns). */
PetscErrorCode CospinMeanSearchRun(CospinMeanSearch *search, const double u[], CospinMeanPoint *point,
                                   PetscBool *rests, int *num_stable);

/* ---- meanfield.c: what the tasks share ----------------------------------------------------------------- */

#define COSPIN_MEAN_APPROXIMATION                                                                            \
  "mean field: the state is a product of those of single spins and coherent states of modes (Mok, Kwek and " \
  "Touzard, "                                                                                                \
  "Eqs. (20)-(23))"

#define COSPIN_MEAN_CLOSURE_KEY                                                                              \
  {                                                                                                          \
    .name = "closure", .type = COSPIN_KEY_NAME, .default_text = "product", .choices = CospinMeanClosures,    \
    .unit = "",                                                                                              \
    .help = "product: exact in a product state; paper: Eqs. (22)-(23) of Mok, Kwek and Touzard, of Sp and "  \
            "Sm only"                                                                                        \
  }
#define COSPIN_MEAN_ACCURACY_KEY                                                                             \
  {                                                                                                          \
    .name = "accuracy", .type = COSPIN_KEY_NUMBER, .default_text = "1e-9", .unit = "",                       \
    .help = "of the steps in time", COSPIN_KEY_ACCURACY                                                      \
  }

extern const char *const CospinMeanClosures[];
/* Value of the key `closure`. */
CospinClosure CospinMeanClosureOf(const CospinRecord *task);
/* The equations of a task and its initial state, to be destroyed and freed in any case. */
PetscErrorCode CospinMeanStart(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                               CospinMeanField *field, double **u, PetscBool *ok);
/* Value of observable k in the product state u[]. */
PetscErrorCode CospinMeanObservable(CospinMeanField field, CospinObservables observables, int k,
                                    const double u[], double complex *value);
