/*
   Which labels take a factor i (cospin/operator/real_form.h), by one more coordinate.

   The lattice of the moves' shifts with that number appended, modulo 2: vectors (shift, 0) of real moves,
   (shift, 1) of imaginary ones, and (0, 2). Its Hermite normal form does the rest: if it holds (0, 1), a way
   back to where it began is imaginary, and there are no such phases. Otherwise a label's difference from the
   sector's representative, with 0 appended, is reduced to (0, t).
*/
#include <cospin/operator/real_form.h>

typedef enum { NEITHER, REAL, IMAGINARY } Kind;

/* By the coefficients: amplitudes of steps are real. */
static Kind kind_of(const CospinMove *move)
{
  PetscBool real = PETSC_TRUE, imaginary = PETSC_TRUE;

  for (int k = 0; k < move->num_chains; k++) {
    if (cimag(move->chains[k].coefficient) != 0.0) real = PETSC_FALSE;
    if (creal(move->chains[k].coefficient) != 0.0) imaginary = PETSC_FALSE;
  }
  return real ? REAL : imaginary ? IMAGINARY : NEITHER;
}

/* *lattice: NULL if a move is neither real nor imaginary, or if the two kinds contradict each other. */
static PetscErrorCode create_lattice(CospinMoves generator, int coordinates, CospinLattice *lattice)
{
  int vector[COSPIN_MAX_COORDINATES + 1] = {0};
  PetscBool suits = PETSC_TRUE;

  PetscFunctionBeginUser;
  PetscCall(CospinLatticeCreate(coordinates + 1, lattice));
  vector[coordinates] = 2;
  PetscCall(CospinLatticeAdd(*lattice, vector));
  for (int k = 0; k < generator->count && suits; k++) {
    const Kind kind = kind_of(&generator->moves[k]);
    suits = (PetscBool)(kind != NEITHER);
    PetscCall(PetscArraycpy(vector, generator->moves[k].shift, coordinates));
    vector[coordinates] = kind == IMAGINARY;
    PetscCall(CospinLatticeAdd(*lattice, vector));
  }
  PetscCall(PetscArrayzero(vector, coordinates));
  vector[coordinates] = 1;
  if (!suits || CospinLatticeContains(*lattice, vector)) PetscCall(CospinLatticeDestroy(lattice));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinRealForm(CospinMoves generator, CospinSector sector, PetscInt64 begin, PetscInt64 end,
                              unsigned char **turned)
{
  const int *representative = CospinSectorRepresentative(sector);
  const int coordinates = CospinLatticeDimension(CospinSectorLattice(sector));
  int label[COSPIN_MAX_COORDINATES + 1];
  CospinLattice lattice;

  PetscFunctionBeginUser;
  *turned = NULL;
  PetscCall(create_lattice(generator, coordinates, &lattice));
  if (!lattice) PetscFunctionReturn(0);
  PetscCall(PetscMalloc1((size_t)PetscMax(end - begin, 1), turned));
  for (PetscInt64 index = begin; index < end; index++) {
    CospinSectorLabel(sector, index, label);
    for (int k = 0; k < coordinates; k++) label[k] -= representative[k];
    label[coordinates] = 0;
    CospinLatticeReduce(lattice, label);
    (*turned)[index - begin] = (unsigned char)label[coordinates];
  }
  PetscCall(CospinLatticeDestroy(&lattice));
  PetscFunctionReturn(0);
}
