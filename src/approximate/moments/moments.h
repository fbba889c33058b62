/*
   Cumulant equations of any order for any number of classes of equal spins-1/2 and of modes.

   A moment is the expectation value of a product of elements |a><b| of distinct atoms times a normally
   ordered product of a_m^+ and a_m. Atoms of a class are equal, so a moment is known by how many elements of
   each class it holds (a key), and |0><0| = 1 - |1><1| leaves |1><0|, |0><1| and |1><1|. Heisenberg's
   equations of moments are linear in moments with more operators; those of more than `order` are replaced as
   if their joint cumulants were zero (R. Kubo, J. Phys. Soc. Jpn. 17, 1100 (1962)), which makes the equations
   polynomials.

   Nothing here is collective; MPI is not used.
*/
#pragma once
#include <cospin/problem/problem.h>
#include <petscts.h>

enum {
  COSPIN_MOMENT_ATOMS = 8, /* of one moment at most */
  COSPIN_MOMENT_MODES = 4,
  COSPIN_MOMENT_LETTERS = 20, /* of a word */
  COSPIN_MOMENT_FACTORS = 8,  /* of a term of the closed equations */
  COSPIN_MOMENT_MOST_ORDER = 4
};

/* ---- model.c: what a deck says, as words ------------------------------------------------------------------
 */

/* Of a word of the deck: mode m (site = -1 - m; up: a^+, else a), or the sum over the atoms of class `site`
   of |up><down|. */
typedef struct {
  int site;
  signed char up, down;
} CospinMomentFactor;

typedef struct {
  double complex coefficient;
  int length;
  CospinMomentFactor factors[COSPIN_MOMENT_LETTERS / 2];
} CospinMomentWord;

typedef struct {
  int count;
  CospinMomentWord *words;
} CospinMomentWords;

/* d<O>/dt += rate <B^+ O A - (B^+ A O + O B^+ A)/2> */
typedef struct {
  double complex rate;
  CospinMomentWords a, b;
} CospinMomentPair;

/* A jump of each atom of a class: its matrix |i><j| at [i][j]. */
typedef struct {
  int site;
  double rate;
  double complex matrix[2][2];
} CospinMomentEach;

typedef struct {
  const CospinSystem *system;
  int num_sites, num_modes;
  double *copies; /* [num_sites] atoms of each class */
  int *first;     /* [num_components] the component's first class, or -1 - its mode */
  CospinMomentWords hamiltonian;
  int num_pairs, num_each, num_charges;
  CospinMomentPair *pairs;
  CospinMomentEach *each;
  /* charges[num_charges][num_modes + num_sites]: what a_m^+ and |1><0| add to each weak U(1) charge */
  double *charges;
} * CospinMomentModel;

/* Faults: components without spins-1/2 or modes, products that are too long, each a sentence at its place. To
   be destroyed in any case. */
PetscErrorCode CospinMomentModelCreate(CospinProblem problem, CospinFaults faults, CospinMomentModel *model,
                                       PetscBool *ok);
PetscErrorCode CospinMomentModelDestroy(CospinMomentModel *model);
/* The words of an operator, to be freed with CospinMomentWordsFree; *ok false: beyond the model. */
PetscErrorCode CospinMomentWordsOf(CospinMomentModel model, CospinPolynomial a, CospinMomentWords *words,
                                   PetscBool *ok);
PetscErrorCode CospinMomentWordsFree(CospinMomentWords *words);

/* ---- key.c: moments and their sums ------------------------------------------------------------------------
 */

typedef struct {
  unsigned short site;
  unsigned char up, down;
} CospinMomentAtom;

/* All bytes count in comparisons; atoms are sorted. */
typedef struct {
  CospinMomentAtom atoms[COSPIN_MOMENT_ATOMS];
  unsigned char num_atoms, num_modes; /* num_modes: zero, fills the place */
  unsigned char raise[COSPIN_MOMENT_MODES], lower[COSPIN_MOMENT_MODES];
} CospinMomentKey;

int CospinMomentOperators(const CospinMomentKey *key);
/* The key of the adjoint. */
CospinMomentKey CospinMomentConjugate(const CospinMomentKey *key);
/* One of both, *conjugate: the value wanted is that of the other. */
CospinMomentKey CospinMomentCanonical(const CospinMomentKey *key, PetscBool *conjugate);
void CospinMomentSort(CospinMomentKey *key);

/* Keys in the order in which they came, with numbers; a hash finds them. */
typedef struct {
  int count, capacity, num_slots;
  CospinMomentKey *keys;
  double complex *values;
  double *sizes; /* sum of the moduli of what was added: a value far below it has cancelled */
  int *slots;    /* [num_slots] index + 1, 0: free */
} CospinMomentSum;
void CospinMomentSumInit(CospinMomentSum *sum);
PetscErrorCode CospinMomentSumFree(CospinMomentSum *sum);
void CospinMomentSumClear(CospinMomentSum *sum);
/* Index of the key, -1: not there. */
int CospinMomentSumFind(const CospinMomentSum *sum, const CospinMomentKey *key);
/* Adds to what the key has; *index (may be NULL): where it stands. */
PetscErrorCode CospinMomentSumAdd(CospinMomentSum *sum, const CospinMomentKey *key, double complex value,
                                  int *index);

/* ---- normal.c: rows of letters
 * ------------------------------------------------------------------------------ */

/* |up><down| of the atom `label` of class `site`, or (site = -1 - m) a^+ of mode m if up, else a. */
typedef struct {
  int site;
  signed char label, up, down;
} CospinMomentLetter;
/* sum += value times the row, from left to right. */
PetscErrorCode CospinMomentAddWord(CospinMomentModel model, const CospinMomentLetter word[], int length,
                                   double complex value, CospinMomentSum *sum);

/* ---- heisenberg.c: words into moments ---------------------------------------------------------------------
 */

/* sum += the moments that words stand for. */
PetscErrorCode CospinMomentExpand(CospinMomentModel model, const CospinMomentWords *words,
                                  CospinMomentSum *sum);
/* sum = d<key>/dt as moments. */
PetscErrorCode CospinMomentHeisenberg(CospinMomentModel model, const CospinMomentKey *key,
                                      CospinMomentSum *sum);
/* sum += sum over jumps of rate <[L^+, x] [x, L]> for x = sum of weights[num] times factors (sums over their
   class): the noise that jumps give to x (Einstein's relation). */
PetscErrorCode CospinMomentNoise(CospinMomentModel model, int num, const CospinMomentFactor factors[],
                                 const double complex weights[], CospinMomentSum *sum);
/* sum += the moments of the key's operators times words that act first (stand on its right). */
PetscErrorCode CospinMomentTimes(CospinMomentModel model, const CospinMomentKey *key,
                                 const CospinMomentWords *words, CospinMomentSum *sum);
double CospinMomentCharge(CospinMomentModel model, int q, const CospinMomentKey *key);
/* Whether a symmetry of the equations makes it zero. */
PetscBool CospinMomentIsCharged(CospinMomentModel model, const CospinMomentKey *key);

/* ---- closure.c: products of moments -----------------------------------------------------------------------
 */

/* coefficient times a product of moments: 2*index + 1: conjugate. */
typedef struct {
  double complex coefficient;
  double size; /* sum of the moduli that it is made of; 0: |coefficient| */
  int num, factors[COSPIN_MOMENT_FACTORS];
} CospinMomentTerm;
typedef struct {
  int count, capacity;
  CospinMomentTerm *terms;
} CospinMomentPolynomial;
PetscErrorCode CospinMomentPolynomialAdd(CospinMomentPolynomial *p, const CospinMomentTerm *term);
PetscErrorCode CospinMomentPolynomialFree(CospinMomentPolynomial *p);

/* The operators of a key, in normal order, of which block[k] = b. */
CospinMomentKey CospinMomentBlock(const CospinMomentKey *key, const int block[], int b);

typedef struct CospinMomentClosure_ *CospinMomentClosure;
/* unknowns: grows by the moments that are met, borrowed. filter: charged moments are zero. */
PetscErrorCode CospinMomentClosureCreate(CospinMomentModel model, int order, PetscBool filter,
                                         CospinMomentSum *unknowns, CospinMomentClosure *closure);
PetscErrorCode CospinMomentClosureDestroy(CospinMomentClosure *closure);
/* p += factor <key>, closed. */
PetscErrorCode CospinMomentClose(CospinMomentClosure closure, const CospinMomentKey *key,
                                 double complex factor, CospinMomentPolynomial *p);

/* Whether a moment was met of which something was left out. */
PetscBool CospinMomentClosureCuts(CospinMomentClosure closure);

/* ---- equations.c: the closed system -----------------------------------------------------------------------
 */

typedef struct CospinHierarchy_ {
  CospinMomentModel model; /* borrowed */
  int order;
  PetscBool filter;
  CospinMomentSum unknowns; /* keys */
  CospinMomentClosure closure;
  CospinMomentPolynomial *slopes; /* [num] d z/dt */
  int num, capacity;
  PetscBool *is_real; /* [num] */
  int *place;         /* [num] of Re z among the real unknowns, Im z behind it if there is one */
  int num_real;
} * CospinHierarchy;

/* Equations of all moments that those of the operators need, and (unless NULL) those of the keys in `also`.
   filter: leave out what a symmetry makes zero. *ok false: more than most_unknowns. */
PetscErrorCode CospinHierarchyCreate(CospinMomentModel model, int order, PetscBool filter, int num,
                                     const CospinMomentWords operators[], const CospinMomentSum *also,
                                     int most_unknowns, CospinHierarchy *moments, PetscBool *ok);
PetscErrorCode CospinHierarchyDestroy(CospinHierarchy *moments);
/* slopes[num] and (unless NULL) sizes[num], the sum of the moduli of their terms, at z[num]. */
void CospinHierarchySlopes(CospinHierarchy moments, const double complex z[], double complex slopes[],
                           double sizes[]);
/* Calls add(context, row, column, value) for the Jacobian by real unknowns; places may come more than once.
 */
typedef PetscErrorCode (*CospinHierarchyAdd)(void *context, int row, int column, double value);
PetscErrorCode CospinHierarchyJacobian(CospinHierarchy moments, const double complex z[],
                                       CospinHierarchyAdd add, void *context);
/* Largest slope beside its terms. */
double CospinHierarchyResidual(CospinHierarchy moments, const double complex z[]);
/* An operator as a polynomial of the unknowns, to be freed; and its value, NaN where it holds a moment that
   the equations have not. */
PetscErrorCode CospinHierarchyPolynomial(CospinHierarchy moments, const CospinMomentWords *words,
                                         CospinMomentPolynomial *p);
double complex CospinHierarchyEvaluate(CospinHierarchy moments, const CospinMomentPolynomial *p,
                                       const double complex z[]);
/* The value of one moment of any length, closed. */
PetscErrorCode CospinHierarchyMoment(CospinHierarchy moments, const CospinMomentKey *key,
                                     const double complex z[], double complex *value);
/* z[num] in a product state: <|1><1|>, <|0><1|> of each class; <a^+ a>, <a> of each mode. */
void CospinHierarchyProduct(CospinHierarchy moments, const double excited[], const double complex lower[],
                            const double quanta[], const double complex field[], double complex z[]);

/* ---- text.c
 * ------------------------------------------------------------------------------------------------
 */

/* Moments and equations, in the form that text.c begins with. */
void CospinHierarchyView(CospinHierarchy moments, FILE *stream);

/* ---- linear.c: the Jacobian as a matrix -------------------------------------------------------------------
 */

/* Between z[num] and real unknowns u[num_real]. */
void CospinHierarchyGetReal(CospinHierarchy moments, const double complex z[], double u[]);
void CospinHierarchySetReal(CospinHierarchy moments, const double u[], double complex z[]);
/* *sparse: AIJ, else dense. */
PetscErrorCode CospinHierarchyMatrixCreate(CospinHierarchy moments, Mat *matrix, PetscBool *sparse);
/* matrix = shift + factor S^-1 J S at z; S: scale[num_real], NULL: 1. */
PetscErrorCode CospinHierarchyMatrixFill(CospinHierarchy moments, const double complex z[],
                                         const double scale[], double factor, double shift, Mat matrix);

/* ---- rest.c: steady states
 * --------------------------------------------------------------------------------- */

typedef struct {
  PetscBool found, leave; /* leave: it was asked to end before anything was found */
  int iterations;
  double residual; /* largest slope beside its terms */
  double growth;   /* largest real part of the Jacobian's eigenvalues; NaN: too many unknowns to ask */
  double rounding; /* of that: what is smaller neither grows nor decays, and the point is one of a family */
} CospinMomentRest;
/* z[num]: a start, and the fixed point that it leads to. Leave (may be NULL): asked after every step, true
   ends the search. */
PetscErrorCode CospinHierarchyRest(CospinHierarchy moments,
                                   PetscErrorCode (*Leave)(void *context, PetscBool *leave), void *context,
                                   double complex z[], CospinMomentRest *rest);

/* ---- regression.c: two-time correlations
 * --------------------------------------------------------------------- */

/*
   <A(t) B(0)> - <A><B>, t >= 0, in a steady state, B = A^+: sum of weights[k] exp(values[k] t).

   Create derives the equations and which moments of the steady state they need (`needed`, for
   CospinHierarchyCreate); Evaluate takes these from there.
*/
typedef struct {
  CospinMomentModel model; /* borrowed */
  int order;
  PetscBool filter, cuts;                             /* cuts: something was left out of these equations */
  CospinMomentWords a, b;                             /* sums of single operators */
  CospinMomentSum keys, needed;                       /* O of <O(t) B>; moments */
  int num, slowest;                                   /* of keys; of values, with a weight: -1 none */
  double complex *matrix;                             /* [num*num] by columns */
  double complex *reading, *start, *values, *weights; /* [num] */
  double complex power;                               /* <A B> - <A><B> */
  double error;                                       /* of `power` by the weights, relative */
} * CospinRegression;
/* Takes the words over. *ok false: more equations than eigenvalues are asked of. */
PetscErrorCode CospinRegressionCreate(CospinMomentModel model, int order, PetscBool filter,
                                      CospinMomentWords *a, CospinMomentWords *b,
                                      CospinRegression *regression, PetscBool *ok);
PetscErrorCode CospinRegressionDestroy(CospinRegression *regression);
/* At the steady state z of `moments`, of any order; keep_start: <A(0) A^+> is that of the call before. *ok
   false: LAPACK gave up, or a moment is missing. */
PetscErrorCode CospinRegressionEvaluate(CospinRegression regression, CospinHierarchy moments,
                                        const double complex z[], PetscBool keep_start, PetscBool *ok);
/* Sum of weights times exp(values t). */
double complex CospinRegressionAt(CospinRegression regression, double time);
/* integral of exp(-i omega t) over all times. */
double CospinRegressionDensity(CospinRegression regression, double omega);

/* ---- clock.c: in time
 * -------------------------------------------------------------------------------------- */

/* It must stay where it is: the solver points into it. */
typedef struct {
  CospinHierarchy moments;
  TS ts;
  Mat jacobian;
  Vec state;
  double *u;
  double complex *z, *slopes;                               /* [num] */
  PetscInt steps;                                           /* so far */
  PetscErrorCode (*Leave)(void *context, PetscBool *leave); /* asked now and then; NULL: never */
  void *context;
  PetscBool leave;
} CospinMomentClock;
/* z[num]: at time 0. accuracy: of a step, relative and beside one. */
PetscErrorCode CospinMomentClockCreate(CospinHierarchy moments, const double complex z[], double accuracy,
                                       const char prefix[], CospinMomentClock *clock);
PetscErrorCode CospinMomentClockDestroy(CospinMomentClock *clock);
/* z[num] at a time that is not before the last one; *ok false if the solver gave up. */
PetscErrorCode CospinMomentClockAdvance(CospinMomentClock *clock, double time, double complex z[],
                                        PetscBool *ok);

/* ---- line.c: the line of a laser
 * ---------------------------------------------------------------------------- */

/* First moments of a state with a phase, and its line. */
typedef struct {
  PetscBool found;
  double *excited;               /* [num_sites] <|1><1|> */
  double complex *lower, *field; /* [num_sites] <|0><1|>, [num_modes] <a> */
  double width;                  /* full width (rate), 2/Tcoh; NaN: none that is known */
  double frequency;              /* of a ~ exp(-i frequency t) */
  int charge;                    /* of the model's, whose phase is broken */
  double omega;                  /* moments turn as exp(i omega q t), q their charge */
  double growth, rounding;       /* of deviations other than the turn, as of CospinMomentRest */
} CospinMomentLine;
/* The state with a phase that mean field has near the steady state z of `moments`, and how its phase
   diffuses. None below threshold; no width where that state is not stable (several lines, cycles), and where
   first order is too far from `moments`. To be destroyed in any case. */
PetscErrorCode CospinMomentLineFind(CospinHierarchy moments, const double complex z[],
                                    CospinMomentLine *line);
PetscErrorCode CospinMomentLineDestroy(CospinMomentLine *line);
