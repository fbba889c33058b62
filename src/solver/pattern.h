/*
   The rows of a sparse matrix on one rank, and where its triangular factors have elements, before any is
   computed.
*/
#pragma once
#include <petscmat.h>

/* As PETSc holds them, borrowed between CospinRowsGet and CospinRowsRestore. */
typedef struct {
  PetscInt size;
  const PetscInt *begin, *columns;
  const PetscScalar *values;
} CospinRows;

/* Not collective. Of a MATSEQAIJ; nothing is copied. */
PetscErrorCode CospinRowsGet(Mat matrix, CospinRows *rows);
PetscErrorCode CospinRowsRestore(Mat matrix, CospinRows *rows);

/* Row by row the columns of L + U without the diagonal, in order. */
typedef struct {
  PetscInt *begin, *upper; /* [size + 1], [size]: where a row begins, and behind the diagonal */
  PetscInt *columns;       /* [begin[size]] */
} CospinPattern;

/* Not collective. Incomplete factors of level one; complete ones, of the matrix as it is ordered. */
PetscErrorCode CospinPatternIncomplete(const CospinRows *rows, CospinPattern *pattern);
PetscErrorCode CospinPatternComplete(const CospinRows *rows, CospinPattern *pattern);
PetscErrorCode CospinPatternDestroy(CospinPattern *pattern);
