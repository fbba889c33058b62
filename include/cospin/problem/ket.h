/*
   Kets: the same problem as quantum jumps see it. Between jumps a ket obeys d psi/dt = (-i H - sum L^+L/2)
   psi, at a jump it becomes L psi, and the mean of |psi><psi| is rho. (Dalibard, Castin, Molmer, PRL 68, 580
   (1992); Carmichael, An Open Systems Approach to Quantum Optics, 1993.)

   A ket is numbered by a label of which the bra's coordinates mean nothing and are the smallest there are;
   irreps are part of it, and no ket has two of them. None of this is collective.
*/
#pragma once
#include <cospin/problem/state.h>

/* One L. */
typedef struct {
  int line;          /* of the deck's jumps */
  int spin;          /* of it, 0: it has none */
  PetscBool timed;   /* the rate depends on time (CospinClockRateOf): L is without its root */
  CospinMoves moves; /* rho -> L rho; all of them change the irrep alike */
} CospinKetJump;

typedef struct CospinKets_ {
  CospinProblem problem; /* borrowed */
  CospinMoves no_jump;   /* rho -> (-i H - sum L^+L/2) rho, of what depends on time the constant part; */
  int num_terms;         /* the rest is CospinClockKets() of so many terms */
  int num_jumps, capacity;
  CospinKetJump *jumps;
  /* Labels of one ket at any time differ by its vectors: those of no_jump, of the initial state, and between
     the moves of one L. */
  CospinLattice lattice;
} * CospinKets;

/* The jumps of a problem; those that do nothing are left out. Rates of pairs, R = C C^+ by Cholesky's method
   with pivots, are L_k = sum_m C[m,k]^* A_m. */
PetscErrorCode CospinKetsCreate(CospinProblem problem, CospinKets *kets);
PetscErrorCode CospinKetsDestroy(CospinKets *kets);

/* The smallest values that the bra's coordinates may have. */
void CospinKetClearBra(const CospinSystem *system, int label[]);

/*
   A product state as kets: a pure factor is a ket, a mixed one is a mixture of its labels (thermal states,
   an irrep of several copies).
*/
typedef struct CospinKetState_ {
  CospinState state; /* borrowed */
  PetscBool mixed;   /* in any factor */
  struct {
    PetscBool mixed;
    double population;                   /* of the reference label; of a mixed factor the sum of all */
  } * factors;                           /* [num_components] */
  int reference[COSPIN_MAX_COORDINATES]; /* the label of the largest population */
} * CospinKetState;

/* Extends `lattice` (NULL: not) by the differences of labels that one ket has. The state must be a product.
 */
PetscErrorCode CospinKetStateCreate(CospinState state, CospinLattice lattice, CospinKetState *kets);
PetscErrorCode CospinKetStateDestroy(CospinKetState *kets);
/* A label of the ket that is drawn by uniform[num_components] in (0, 1), one for each factor; only those of
   mixed ones count. */
PetscErrorCode CospinKetStateDraw(CospinKetState kets, const double uniform[], int label[]);
/* Amplitude of `label` in the ket that was drawn. */
double complex CospinKetStateAmplitude(CospinKetState kets, const int drawn[], const int label[]);
