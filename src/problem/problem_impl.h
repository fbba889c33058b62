/* What the files that make a problem share. */
#pragma once
#include <cospin/problem/problem.h>

/* The spins, or components of a group, that l and m run over in an expression: those of the operators and
   arrays that it names. */
typedef struct {
  int size;          /* 0: none */
  PetscBool mixed;   /* of several sizes */
  PetscBool uses[2]; /* l (or k), m */
  PetscBool names_l, names_k;
  PetscBool has_operator; /* of a spin, one that takes an index */
  PetscBool has_member;   /* of a component of a group */
} CospinSpinRange;
/* `implied`: the operators of a group without a number are those of a member, as under `pairs:`, not sums. */
PetscErrorCode CospinProblemSurvey(CospinProblem problem, CospinExpression expression, PetscBool implied,
                                   CospinSpinRange *range);

/* clock.c: the conjugate of a number that depends on time. */
CospinElementary CospinClockAdjoint(CospinProblem problem, CospinElementary elementary);

/* arrays.c: the values of the deck's arrays, once the components are there. */
PetscErrorCode CospinProblemCreateArrays(CospinProblem problem, CospinFaults faults, PetscBool *ok);
PetscErrorCode CospinProblemDestroyArrays(CospinProblem problem);

/* matrices.c: component->matrices from the record's settings; to be destroyed in any case. */
PetscErrorCode CospinProblemCreateMatrices(CospinProblem problem, const CospinRecord *record,
                                           CospinComponent component, CospinFaults faults, PetscBool *ok);
PetscErrorCode CospinProblemDestroyMatrices(CospinComponent component);

/* problem.c: the value of an expression as a polynomial, whatever operators it holds. */
PetscErrorCode CospinProblemPolynomial(CospinProblem problem, CospinExpression expression,
                                       CospinFaults faults, CospinPolynomial *polynomial, PetscBool *ok);
/* values.c: what a collective jump does; refused if it has too many terms. */
PetscErrorCode CospinProblemJumpOperator(CospinProblem problem, CospinExpression expression,
                                         CospinFaults faults, CospinPolynomial *polynomial, PetscBool *ok);
PetscErrorCode CospinProblemRate(CospinProblem problem, CospinExpression rate, CospinFaults faults,
                                 double *value, PetscBool *ok);
/* Values of the number and integer keys of a record. */
PetscErrorCode CospinProblemRecordNumbers(CospinProblem problem, const CospinRecord *record,
                                          CospinFaults faults, double numbers[], PetscBool *ok);

/* one_by_one.c: *kind, which is the record's, becomes the one that stands in for it where the deck needs
   that; a fault where it would, but the deck's tasks do not know it. */
PetscErrorCode CospinProblemKindOf(CospinDeck deck, int c, CospinFaults faults,
                                   const CospinComponentKind **kind, PetscBool *ok);

/* indexed.c: jumps that run over spins with indices. */
/* The operators and rates of such a jump; *plain is to be destroyed in any case. */
PetscErrorCode CospinProblemEach(CospinProblem problem, const CospinJump *jump, CospinFaults faults,
                                 CospinPlainJump *plain, PetscBool *ok);
/* Faults if a matrix of rates, of `size` operators, is not hermitian and positive at the time that `t` stands
   for. */
PetscErrorCode CospinProblemCheckPairs(CospinProblem problem, const CospinJump *jump, int size,
                                       CospinFaults faults, PetscBool *ok);
PetscErrorCode CospinProblemPairs(CospinProblem problem, const CospinJump *jump, CospinFaults faults,
                                  CospinPlainJump *plain, PetscBool *ok);
PetscErrorCode CospinPlainJumpDestroy(CospinPlainJump *plain);
/* moves += what it says */
PetscErrorCode CospinProblemAddIndexed(const CospinPlainJump *plain, CospinMoves moves);

/* The component of which the polynomial holds operators of one unnamed spin: -1 none, -2 more than one. */
int CospinProblemSummedComponent(CospinPolynomial a);
