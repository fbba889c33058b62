/*
   Each term of a generator that depends on time is held once, as a matrix or as products without one; a
   product with the sum is the sum of their products. Setting a coefficient costs nothing, so an integrator
   may do it for every exponential.
*/
#include <cospin/operator/liouvillian.h>
#include <cospin/operator/timed.h>

typedef struct {
  int num;     /* of terms, L_0 first */
  Mat *terms;  /* NULL: nothing of it acts in this sector */
  double *c;   /* [num] */
  Vec product; /* of one term */
} Timed;

/* The tail of a Gaussian; squares of norms of its products would underflow. */
static const double nothing = 1e-120;

/* A term whose coefficient is zero costs nothing: dark stretches are as cheap as a generator without it. */
static PetscErrorCode multiply(Mat generator, Vec x, Vec y)
{
  Timed *timed;
  PetscBool first = PETSC_TRUE;

  PetscFunctionBeginUser;
  PetscCall(MatShellGetContext(generator, &timed));
  for (int k = 0; k < timed->num; k++) {
    if (!timed->terms[k] || timed->c[k] == 0.0) continue;
    PetscCall(MatMult(timed->terms[k], x, first ? y : timed->product));
    if (first)
      PetscCall(VecScale(y, timed->c[k]));
    else
      PetscCall(VecAXPY(y, timed->c[k], timed->product));
    first = PETSC_FALSE;
  }
  if (first) PetscCall(VecZeroEntries(y));
  PetscFunctionReturn(0);
}

/* No more than the sum of those of the terms. */
static PetscErrorCode get_norm(Mat generator, NormType type, PetscReal *norm)
{
  Timed *timed;
  PetscReal one;

  PetscFunctionBeginUser;
  PetscCall(MatShellGetContext(generator, &timed));
  *norm = 0.0;
  for (int k = 0; k < timed->num; k++) {
    if (!timed->terms[k] || timed->c[k] == 0.0) continue;
    PetscCall(MatNorm(timed->terms[k], type, &one));
    *norm += PetscAbsReal(timed->c[k]) * one;
  }
  PetscFunctionReturn(0);
}

/* Elements of all terms. */
static PetscErrorCode get_info(Mat generator, MatInfoType type, MatInfo *info)
{
  MatInfo one;
  Timed *timed;

  PetscFunctionBeginUser;
  PetscCall(MatShellGetContext(generator, &timed));
  PetscCall(PetscArrayzero(info, 1));
  for (int k = 0; k < timed->num; k++) {
    if (!timed->terms[k]) continue;
    PetscCall(MatGetInfo(timed->terms[k], type, &one));
    info->nz_used += one.nz_used;
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode destroy(Mat generator)
{
  Timed *timed;

  PetscFunctionBeginUser;
  PetscCall(MatShellGetContext(generator, &timed));
  for (int k = 0; k < timed->num; k++) PetscCall(MatDestroy(&timed->terms[k]));
  PetscCall(VecDestroy(&timed->product));
  PetscCall(PetscFree2(timed->terms, timed->c));
  PetscCall(PetscFree(timed));
  PetscFunctionReturn(0);
}

static const struct {
  MatOperation operation;
  void (*function)(void);
} operations[] = {
    {MATOP_MULT, (void (*)(void))multiply},
    {MATOP_NORM, (void (*)(void))get_norm},
    {MATOP_GETINFO, (void (*)(void))get_info},
    {MATOP_DESTROY, (void (*)(void))destroy},
};

/* Terms that do nothing in this sector are left out: a product of zeros takes as long as any. */
static PetscErrorCode create_term(MPI_Comm comm, CospinMoves moves, CospinSector sector, PetscBool shell,
                                  Mat *term)
{
  PetscReal norm;

  PetscFunctionBeginUser;
  *term = NULL;
  if (!moves->count) PetscFunctionReturn(0);
  if (shell)
    PetscCall(CospinShellCreate(comm, moves, sector, term));
  else
    PetscCall(CospinLiouvillianCreate(comm, moves, sector, term));
  PetscCall(MatNorm(*term, NORM_INFINITY, &norm));
  if (norm == 0.0) PetscCall(MatDestroy(term));
  PetscFunctionReturn(0);
}

/* One form for all terms, by the size of the sector and of everything that acts: the decision is that of a
   generator that does not change (form.c). */
PetscErrorCode CospinTimedCreate(MPI_Comm comm, CospinProblem problem, CospinSector sector, Mat *generator)
{
  const PetscInt dimension = (PetscInt)CospinSectorDimension(sector);
  PetscBool shell;
  Timed *timed;

  PetscFunctionBeginUser;
  PetscCall(CospinGeneratorIsShell(problem, CospinSectorRepresentative(sector), (double)dimension, &shell));
  PetscCall(PetscNew(&timed));
  timed->num = CospinClockCount(problem) + 1;
  PetscCall(PetscCalloc2((size_t)timed->num, &timed->terms, (size_t)timed->num, &timed->c));
  for (int k = 0; k < timed->num; k++)
    PetscCall(create_term(comm, CospinClockMoves(problem, k - 1), sector, shell, &timed->terms[k]));
  PetscCall(MatCreateShell(comm, PETSC_DECIDE, PETSC_DECIDE, dimension, dimension, timed, generator));
  for (size_t k = 0; k < sizeof(operations) / sizeof(operations[0]); k++)
    PetscCall(MatShellSetOperation(*generator, operations[k].operation, operations[k].function));
  PetscCall(MatCreateVecs(*generator, NULL, &timed->product));
  PetscFunctionReturn(0);
}

/* The same on every rank, for it decides which terms are multiplied, and that is collective. */
PetscErrorCode CospinTimedSet(Mat generator, double constant, const double c[])
{
  Timed *timed;

  PetscFunctionBeginUser;
  PetscCall(MatShellGetContext(generator, &timed));
  timed->c[0] = constant;
  for (int k = 1; k < timed->num; k++) timed->c[k] = PetscAbsReal(c[k - 1]) < nothing ? 0.0 : c[k - 1];
  PetscFunctionReturn(0);
}
