/* What the files that make a problem's clock share. */
#pragma once
#include "problem_impl.h"
#include <cospin/problem/clock.h>

/* A number that depends on time, with the spins that `l` and `m` stood for where it was met. */
typedef struct {
  CospinTimeFunction function;
  int index[2];
  PetscBool implied, real;
  PetscBool kick, kick_ok; /* a delta at kick_time, if that is what it is */
  double kick_time, kick_order;
} CospinClockFunction;

/* Of a product of functions: itself (real), its real or its imaginary part. */
typedef enum { COSPIN_CLOCK_WHOLE, COSPIN_CLOCK_RE, COSPIN_CLOCK_IM } CospinClockPart;

/* c_k(t): a part of a product of functions. `code` of each: twice its number, and 1 if it is conjugated. */
typedef struct {
  CospinClockPart part;
  int length, *code;
  CospinMoves moves; /* L_k */
  CospinMoves kets;  /* what of it acts between jumps of kets (CospinMoves.kets) */
} CospinClockTerm;

/* What a term adds to a rate: of jump `jump` of the deck and its spin `spin`, 0 where it has none. */
typedef struct {
  int jump, spin, term;
  double rate;
} CospinClockShare;

struct CospinClock_ {
  double now;      /* what `t` stands for while numbers are evaluated */
  PetscBool reads; /* they are */
  int num_functions, capacity;
  CospinClockFunction *functions;
  int num_terms;
  CospinClockTerm *terms;
  int num_shares;
  CospinClockShare *shares;
  CospinMoves constant; /* L_0; NULL: no coefficient depends on time */
};

/* Not collective. Before anything is evaluated; the functions of time are found then. */
PetscErrorCode CospinClockCreate(CospinProblem problem);
PetscErrorCode CospinClockDestroy(CospinProblem problem);
/* Not collective. Parameters have their values. Faults where `t` may be the time and a parameter, and of
   stages that are shorter than nothing. */
PetscErrorCode CospinClockCheckDeck(CospinProblem problem, CospinFaults faults, PetscBool *ok);
/* From here on numbers that depend on time may stand in expressions, or no longer. */
void CospinClockListen(CospinProblem problem, PetscBool listen);

/* Not collective. Whether a polynomial is hermitian at all times. */
PetscErrorCode CospinClockIsHermitian(CospinProblem problem, CospinPolynomial h, PetscBool *hermitian);
/* Not collective. What depends on time in a hermitian polynomial becomes terms of the clock, and is taken out
   of it: the rest is the constant part. */
PetscErrorCode CospinClockTakeHamiltonian(CospinProblem problem, CospinPolynomial *h);
/* Not collective. The constant part of a rate, or an element of a matrix of rates, that depends on time;
   faults if it is no number. */
PetscErrorCode CospinClockRate(CospinProblem problem, CospinExpression rate, CospinFaults faults,
                               double complex *value, PetscBool *ok);
/* Not collective. Adds the rest of the k-th jump's rate to the clock's terms. */
PetscErrorCode CospinClockAddJump(CospinProblem problem, int k, CospinFaults faults, PetscBool *ok);
/* Not collective. All jumps are added: L_0 is set apart, and the problem's generator is the sum of all with
   coefficients of one. */
PetscErrorCode CospinClockFinish(CospinProblem problem);
