/*
   Moves: a superoperator as a list of elementary moves |x><y| -> amplitude(x,y) |x+d><y+d'|.

   The generator of a problem is such a list; so is rho -> A rho, which gives expectation values. The
   assembled matrix, products without a matrix, and the tests' dense reference all read this one list.
*/
#pragma once
#include <cospin/problem/component.h>

/* coefficient * steps[length-1] ... steps[0] */
typedef struct {
  double complex coefficient;
  int length;
  CospinStep *steps;
} CospinChain;

/* All chains that move labels by the same distance. */
typedef struct {
  int *shift; /* [num_coordinates] */
  int num_chains, capacity;
  CospinChain *chains;
} CospinMove;

typedef struct CospinMoves_ {
  const CospinSystem *system; /* borrowed; must outlive the list */
  int count, capacity;
  int room[COSPIN_MAX_COORDINATES]; /* greatest minus least value of each coordinate; a chain that needs more
                                       vanishes (a spin's sp^2) and would connect what nothing connects */
  PetscBool counts;                 /* set by whoever made it: of jumps only A rho A^+ is added, which counts
                                       them, and not what they take away */
  PetscBool kets;    /* likewise: only what acts on the ket between jumps is added, -i H rho and
                        -rate/2 A^+A rho */
  CospinMove *moves; /* sorted by shift once finished: the same list on every rank */
} * CospinMoves;

/* All of these: not collective. */
PetscErrorCode CospinMovesCreate(const CospinSystem *system, CospinMoves *moves);
PetscErrorCode CospinMovesDestroy(CospinMoves *moves);

/* moves += coefficient * A rho B^+ for two monomials A, B without operators of one unnamed spin and without
   sums over spins (COSPIN_ALL_SPINS), which the functions of polynomials write out. */
PetscErrorCode CospinMovesAddProduct(CospinMoves moves, double complex coefficient, const CospinMonomial *a,
                                     const CospinMonomial *b);
/* moves += coefficient * sum_l A_l rho B_l^+ over the spins l of `component`. Within a monomial the operators
   of one spin must stand together (A_l = C s_l s_l' D with C, D collective); otherwise *ok is false. */
PetscErrorCode CospinMovesAddEach(CospinMoves moves, int component, double complex coefficient,
                                  const CospinMonomial *a, const CospinMonomial *b, PetscBool *ok);

/* moves += coefficient * K rho, K what the sum over spins of A_l rho A_l^+ is to a ket in one of the channels
   of `component` (CospinComponentKind.EachKet). *ok as above. */
PetscErrorCode CospinMovesAddEachKet(CospinMoves moves, int component, int channel,
                                     double complex coefficient, const CospinMonomial *a, PetscBool *ok);

/* moves += -i [H, rho] */
PetscErrorCode CospinMovesAddHamiltonian(CospinMoves moves, CospinPolynomial h);
/* moves += rate (A rho A^+ - 1/2 A^+A rho - 1/2 rho A^+A); with component >= 0: summed over its spins. *ok as
 * above. */
PetscErrorCode CospinMovesAddJump(CospinMoves moves, double rate, CospinPolynomial a, int component,
                                  PetscBool *ok);
/* moves += rate (A rho B^+ - 1/2 B^+A rho - 1/2 rho B^+A) */
PetscErrorCode CospinMovesAddPair(CospinMoves moves, double complex rate, CospinPolynomial a,
                                  CospinPolynomial b);
/* moves += A rho */
PetscErrorCode CospinMovesAddLeftProduct(CospinMoves moves, CospinPolynomial a);
/* moves += factor * other, and (unless NULL) after it the step `last`. The coordinates of `other` must be the
 * first ones of `moves`. */
PetscErrorCode CospinMovesAxpy(CospinMoves moves, double factor, CospinMoves other, const CospinStep *last);

/* Merges equal chains, drops moves that cancelled, sorts. */
PetscErrorCode CospinMovesFinish(CospinMoves moves);

/* Amplitude of a move from the label `source`. Chains that cancel to rounding leave zero
 * (cospin/deck/rounding.h).
 */
double complex CospinMoveAmplitude(CospinMoves moves, const CospinMove *move, const int source[]);
/* What the amplitude is a sum of: the moduli of its chains, added. It does not cancel. */
double CospinMoveModulus(CospinMoves moves, const CospinMove *move, const int source[]);
