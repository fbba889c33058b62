/*
   Where the generator is real in suitable phases: which decks have them, incomplete factors in real
   arithmetic (src/solver/triangular.h) and vectors side by side (src/solver/basis.h).
*/
#include "solver/basis.h"
#include "solver/plane_sweeps.h"
#include "solver/triangular.h"
#include "support_model.h"
#include <cospin/operator/liouvillian.h>
#include <cospin/operator/real_form.h>
#include <math.h>
#include <setjmp.h>
#include <slepcsys.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
/* cmocka needs setjmp.h to stdint.h above it */
#include <cmocka.h>

#define OK(call) assert_int_equal(call, 0)

/* Decks, and whether they have a real form. */
static const struct {
  const char *text;
  PetscBool real;
} models[] = {
    {"title: maser\ncomponents: {s: {kind: ensemble, size: 3}, c: {kind: mode, cutoff: 4, edge: 1}}\n"
     "hamiltonian: [0.8*c.a*s.Sp + hc]\njumps: [{rate: 2, each: s.sp}, {rate: 1.1, operator: c.a}]\n"
     "tasks: [steady: {}]\n",
     PETSC_TRUE},
    {"title: two photons at a time\ncomponents: {c: {kind: mode, cutoff: 8, edge: 1}}\n"
     "hamiltonian: [0.5*c.a^2 + hc]\njumps: [{rate: 1, operator: c.a}, {rate: 1, operator: c.a^2}]\n"
     "tasks: [steady: {}]\n",
     PETSC_TRUE},
    {"title: phase of the drive\ncomponents: {q: {kind: ensemble, size: 4}}\nhamiltonian: [2*q.Sy]\n"
     "jumps: [{rate: 1, operator: q.Sm}, {rate: 0.1, each: q.sz}]\ntasks: [steady: {}]\n",
     PETSC_TRUE},
    {"title: detuned\ncomponents: {q: {kind: ensemble, size: 4}}\nhamiltonian: [2*q.Sx, 0.3*q.Sz]\n"
     "jumps: [{rate: 1, operator: q.Sm}]\ntasks: [steady: {}]\n",
     PETSC_FALSE},
    {"title: both quadratures\ncomponents: {q: {kind: ensemble, size: 4}}\nhamiltonian: [2*q.Sx, 0.3*q.Sy]\n"
     "jumps: [{rate: 1, operator: q.Sm}]\ntasks: [steady: {}]\n",
     PETSC_FALSE},
    {"title: a way back that is imaginary\ncomponents: {c: {kind: mode, cutoff: 8, edge: 1}}\n"
     "hamiltonian: [0.5*c.a^2 + hc, c.a + hc]\njumps: [{rate: 1, operator: c.a}]\ntasks: [steady: {}]\n",
     PETSC_FALSE},
};
enum { NUM_MODELS = sizeof(models) / sizeof(models[0]) };

static double complex phase(unsigned char t)
{
  return t ? I : 1.0;
}

/* The generator of the first sector, and its phases on every rank. */
static void open_sector(const Model *model, Mat *matrix, PetscInt *size, unsigned char **turned)
{
  int num, *representatives = Model_All_Sectors(model->problem, &num);
  CospinSector sector;

  OK(CospinSectorCreate(&model->problem->system, model->problem->lattice, representatives, &sector));
  OK(CospinLiouvillianCreate(PETSC_COMM_WORLD, model->problem->generator, sector, matrix));
  *size = (PetscInt)CospinSectorDimension(sector);
  OK(CospinRealForm(model->problem->generator, sector, 0, *size, turned));
  OK(CospinSectorDestroy(&sector));
  free(representatives);
}

/* Element by element: i^-t L i^t is real where it is said to be. */
static void generators_are_real_in_their_phases(void **state)
{
  (void)state;
  for (int k = 0; k < NUM_MODELS; k++) {
    Model model = Model_Open(PETSC_COMM_WORLD, models[k].text, 0);
    double imaginary = 0.0;
    unsigned char *turned;
    PetscInt size;
    Mat matrix;
    Dense dense;
    open_sector(&model, &matrix, &size, &turned);
    assert_true((turned != NULL) == models[k].real);
    dense = Model_Gather(matrix);
    for (PetscInt i = 0; i < size && turned; i++) {
      for (PetscInt j = 0; j < size; j++) {
        imaginary += fabs(cimag(*Dense_At(dense, (int)i, (int)j) * phase(turned[j]) / phase(turned[i])));
      }
    }
    assert_true(imaginary == 0.0);
    Dense_Free(&dense);
    OK(PetscFree(turned));
    OK(MatDestroy(&matrix));
    Model_Close(&model);
  }
}

/* ---- Incomplete factors -------------------------------------------------------------------------------- */

/* A chain of labels whose couplings are i times real numbers: its incomplete factors are complete. */
static Mat chain(PetscInt size, PetscScalar diagonal)
{
  Mat matrix;

  OK(MatCreateSeqAIJ(PETSC_COMM_SELF, size, size, 3, NULL, &matrix));
  for (PetscInt i = 0; i < size; i++) {
    OK(MatSetValue(matrix, i, i, diagonal - 0.01 * (double)i, INSERT_VALUES));
    if (i) OK(MatSetValue(matrix, i, i - 1, 0.5 * PETSC_i, INSERT_VALUES));
    if (i + 1 < size) OK(MatSetValue(matrix, i, i + 1, i % 3 ? -0.7 * PETSC_i : 0.2, INSERT_VALUES));
  }
  OK(MatAssemblyBegin(matrix, MAT_FINAL_ASSEMBLY));
  OK(MatAssemblyEnd(matrix, MAT_FINAL_ASSEMBLY));
  return matrix;
}

/* |b - A M b| beside |b|, or of the transposed ones. */
static double defect(Mat matrix, PC pc, PetscBool transposed, PetscScalar factor)
{
  PetscReal size, left;
  Vec b, x, image;

  OK(MatCreateVecs(matrix, &x, &b));
  OK(VecDuplicate(b, &image));
  for (PetscInt i = 0; i < 40; i++) OK(VecSetValue(b, i, factor * (1.0 + cos((double)i)), INSERT_VALUES));
  OK(VecAssemblyBegin(b));
  OK(VecAssemblyEnd(b));
  OK(transposed ? PCApplyTranspose(pc, b, x) : PCApply(pc, b, x));
  OK(transposed ? MatMultTranspose(matrix, x, image) : MatMult(matrix, x, image));
  OK(VecNorm(b, NORM_2, &size));
  OK(VecAXPY(image, -1.0, b));
  OK(VecNorm(image, NORM_2, &left));
  OK(VecDestroy(&b));
  OK(VecDestroy(&x));
  OK(VecDestroy(&image));
  return left / size;
}

/* To single precision; real, imaginary and complex right sides; transposed ones. */
static void factors_of_a_chain_are_exact(void **state)
{
  const PetscScalar factors[] = {1.0, PETSC_i, PetscCMPLX(0.3, -2.0)};
  /* with a real element above imaginary ones a way back is imaginary: 1/2 i and 1/5 between the same two */
  Mat matrix = chain(40, -2.0);
  PetscBool suits;
  PC pc;

  (void)state;
  OK(PCCreate(PETSC_COMM_SELF, &pc));
  OK(PCSetOperators(pc, matrix, matrix));
  OK(CospinTriangularUse(pc, PETSC_FALSE, &suits));
  assert_false(suits);
  for (PetscInt i = 0; i < 40; i += 3)
    if (i + 1 < 40) OK(MatSetValue(matrix, i, i + 1, 0.2 * PETSC_i, INSERT_VALUES));
  OK(MatAssemblyBegin(matrix, MAT_FINAL_ASSEMBLY));
  OK(MatAssemblyEnd(matrix, MAT_FINAL_ASSEMBLY));
  OK(CospinTriangularUse(pc, PETSC_FALSE, &suits));
  assert_true(suits);
  for (int k = 0; k < 3; k++) {
    assert_true(defect(matrix, pc, PETSC_FALSE, factors[k]) < 1e-6);
    assert_true(defect(matrix, pc, PETSC_TRUE, factors[k]) < 1e-6);
  }
  OK(PCDestroy(&pc));
  OK(MatDestroy(&matrix));
}

/* A label that is left by nothing has a zero on the diagonal: no infinity comes of it. */
static void a_zero_on_the_diagonal_is_survived(void **state)
{
  Mat matrix = chain(40, 0.0);
  PetscScalar sum;
  PetscBool suits;
  Vec b, x;
  PC pc;

  (void)state;
  OK(MatSetValue(matrix, 0, 1, 0.2 * PETSC_i, INSERT_VALUES));
  for (PetscInt i = 3; i < 39; i += 3) OK(MatSetValue(matrix, i, i + 1, 0.0, INSERT_VALUES));
  OK(MatAssemblyBegin(matrix, MAT_FINAL_ASSEMBLY));
  OK(MatAssemblyEnd(matrix, MAT_FINAL_ASSEMBLY));
  OK(PCCreate(PETSC_COMM_SELF, &pc));
  OK(PCSetOperators(pc, matrix, matrix));
  OK(CospinTriangularUse(pc, PETSC_FALSE, &suits));
  assert_true(suits);
  OK(MatCreateVecs(matrix, &x, &b));
  OK(VecSet(b, 1.0));
  OK(PCApply(pc, b, x));
  OK(VecSum(x, &sum));
  assert_true(isfinite(PetscRealPart(sum)) && isfinite(PetscImaginaryPart(sum)));
  OK(VecDestroy(&b));
  OK(VecDestroy(&x));
  OK(PCDestroy(&pc));
  OK(MatDestroy(&matrix));
}

/* Complete factors of a plane, five wide: rows fill, and are put in another order; ILU(1) of it is not exact.
 */
static void complete_factors_are_exact(void **state)
{
  const PetscScalar factors[] = {1.0, PETSC_i, PetscCMPLX(0.3, -2.0)};
  PetscBool suits;
  Mat matrix;
  PC pc;

  (void)state;
  OK(MatCreateSeqAIJ(PETSC_COMM_SELF, 40, 40, 5, NULL, &matrix));
  for (PetscInt i = 0; i < 40; i++) {
    OK(MatSetValue(matrix, i, i, -3.0 - 0.01 * (double)i, INSERT_VALUES));
    if (i % 5 != 4) OK(MatSetValue(matrix, i, i + 1, 0.7 * PETSC_i, INSERT_VALUES));
    if (i % 5 != 0) OK(MatSetValue(matrix, i, i - 1, 0.4 * PETSC_i, INSERT_VALUES));
    if (i >= 5) OK(MatSetValue(matrix, i, i - 5, 0.9, INSERT_VALUES)); /* one way only: A + A^T has both */
  }
  OK(MatAssemblyBegin(matrix, MAT_FINAL_ASSEMBLY));
  OK(MatAssemblyEnd(matrix, MAT_FINAL_ASSEMBLY));
  for (int complete = 0; complete < 2; complete++) {
    OK(PCCreate(PETSC_COMM_SELF, &pc));
    OK(PCSetOperators(pc, matrix, matrix));
    OK(CospinTriangularUse(pc, (PetscBool)complete, &suits));
    assert_true(suits);
    for (int k = 0; k < 3; k++) {
      assert_int_equal(defect(matrix, pc, PETSC_FALSE, factors[k]) < 1e-6, complete);
      assert_int_equal(defect(matrix, pc, PETSC_TRUE, factors[k]) < 1e-6, complete);
    }
    OK(PCDestroy(&pc));
  }
  OK(MatDestroy(&matrix));
}

/* Four planes of ten; before and behind: what couples a label to the planes next to its own. */
static Mat pile(double before, double behind, PetscScalar diagonal)
{
  Mat matrix;

  OK(MatCreateSeqAIJ(PETSC_COMM_SELF, 40, 40, 5, NULL, &matrix));
  for (PetscInt i = 0; i < 40; i++) {
    OK(MatSetValue(matrix, i, i, diagonal - 0.01 * (double)i, INSERT_VALUES));
    if (i % 10 != 9) OK(MatSetValue(matrix, i, i + 1, 0.7 * PETSC_i, INSERT_VALUES));
    if (i % 10 != 0) OK(MatSetValue(matrix, i, i - 1, 0.4 * PETSC_i, INSERT_VALUES));
    if (i >= 10 && before != 0) OK(MatSetValue(matrix, i, i - 10, before, INSERT_VALUES));
    if (i < 30 && behind != 0) OK(MatSetValue(matrix, i, i + 10, behind, INSERT_VALUES));
  }
  OK(MatAssemblyBegin(matrix, MAT_FINAL_ASSEMBLY));
  OK(MatAssemblyEnd(matrix, MAT_FINAL_ASSEMBLY));
  return matrix;
}

/* A sweep solves planes that are coupled one way only, whichever it is; with couplings both ways it is what
   M = (D + F) D^-1 (D + E) = A + F D^-1 E says: A y - b = - F D^-1 E y, small of second order. In phases in
   which the matrix is real, and of one that is in none. */
static void sweeps_solve_what_is_coupled_one_way(void **state)
{
  static const PetscInt begin[] = {0, 10, 20, 30, 40};
  static const struct {
    double before, behind, least, most;
  } piles[] = {{0.9, 0, 0, 1e-6}, {0, 0.9, 0, 1e-6}, {1e-2, 1e-2, 1e-6, 1e-4}, {0.3, 0.3, 1e-3, 0.1}};

  (void)state;
  for (int k = 0; k < 8; k++) {
    Mat matrix = pile(piles[k % 4].before, piles[k % 4].behind, k < 4 ? -3.0 : PetscCMPLX(-3.0, 0.4));
    PC pc;
    OK(PCCreate(PETSC_COMM_SELF, &pc));
    OK(PCSetOperators(pc, matrix, matrix));
    OK(CospinPlaneSweepsUse(pc, 4, begin));
    for (int transposed = 0; transposed < 2; transposed++) {
      const double left = defect(matrix, pc, (PetscBool)transposed, PetscCMPLX(0.3, -2.0));
      assert_true(left <= piles[k % 4].most);
      assert_true(left >= piles[k % 4].least);
    }
    OK(PCDestroy(&pc));
    OK(MatDestroy(&matrix));
  }
}

/* ---- Vectors side by side ------------------------------------------------------------------------------ */

enum { LENGTH = 50, COUNT = 4 };

/* Irregular vectors that are real in the phases of `turned`. */
static void set_vectors(const unsigned char turned[], Vec vectors[])
{
  PetscInt begin, end;

  OK(VecGetOwnershipRange(vectors[0], &begin, &end));
  for (int k = 0; k < COUNT; k++) {
    for (PetscInt i = begin; i < end; i++) {
      const double x = sin(1.0 + (double)(i * (k + 2)));
      OK(VecSetValue(vectors[k], i, turned[i - begin] ? x * PETSC_i : x, INSERT_VALUES));
    }
    OK(VecAssemblyBegin(vectors[k]));
    OK(VecAssemblyEnd(vectors[k]));
  }
}

static double distance(Vec a, Vec b)
{
  PetscReal norm;
  Vec rest;

  OK(VecDuplicate(a, &rest));
  OK(VecCopy(a, rest));
  OK(VecAXPY(rest, -1.0, b));
  OK(VecNorm(rest, NORM_2, &norm));
  OK(VecDestroy(&rest));
  return norm;
}

/* What PETSc's vectors say: products, combinations, rotations, of real and of complex ones. */
static void check_basis(CospinBasis basis, Vec vectors[])
{
  const PetscScalar coefficients[COUNT] = {0.3, PetscCMPLX(-1.0, 0.4), 2.0, PetscCMPLX(0.0, 1.0)};
  const PetscScalar columns[2 * COUNT] = {1.0, 0.5, -0.25, 2.0, 0.0, 1.0, 3.0, -1.0};
  PetscScalar products[COUNT], expected[COUNT];
  Vec sum, other;

  OK(VecDuplicate(vectors[0], &sum));
  OK(VecDuplicate(vectors[0], &other));
  OK(CospinBasisDot(basis, COUNT, vectors[1], products));
  OK(VecMDot(vectors[1], COUNT, vectors, expected));
  for (int k = 0; k < COUNT; k++) assert_true(cabs(products[k] - expected[k]) < 1e-12);
  OK(CospinBasisCombine(basis, COUNT, coefficients, sum));
  OK(VecSet(other, 0.0));
  OK(VecMAXPY(other, COUNT, coefficients, vectors));
  assert_true(distance(sum, other) < 1e-12);
  OK(CospinBasisRotate(basis, COUNT, 2, columns));
  OK(CospinBasisCombine(basis, 2, columns + 1, sum)); /* 0.5 of the first, -0.25 of the second */
  OK(VecSet(other, 0.0));
  for (int k = 0; k < COUNT; k++)
    OK(VecAXPY(other, 0.5 * columns[k] - 0.25 * columns[COUNT + k], vectors[k]));
  assert_true(distance(sum, other) < 1e-12);
  OK(VecDestroy(&sum));
  OK(VecDestroy(&other));
}

static void vectors_side_by_side(void **state)
{
  unsigned char turned[LENGTH];
  CospinBasis basis;
  Vec vectors[COUNT];
  PetscBool real;

  (void)state;
  for (int i = 0; i < LENGTH; i++) turned[i] = (unsigned char)(i % 3 == 1);
  for (int k = 0; k < COUNT; k++) OK(VecCreateMPI(PETSC_COMM_WORLD, PETSC_DECIDE, LENGTH, &vectors[k]));
  set_vectors(turned, vectors);
  for (int kind = 0; kind < 3; kind++) { /* real, made complex later, complex */
    OK(CospinBasisCreate(vectors[0], COUNT, kind < 2 ? turned : NULL, &basis));
    for (int k = 0; k < COUNT; k++) OK(CospinBasisSet(basis, k, vectors[k]));
    if (kind == 1) OK(CospinBasisMakeComplex(basis));
    assert_true(CospinBasisIsReal(basis) == (kind == 0));
    check_basis(basis, vectors);
    OK(CospinBasisDestroy(&basis));
  }
  OK(CospinIsReal(turned, vectors[0], &real));
  assert_true(real);
  OK(VecScale(vectors[0], PetscCMPLX(0.1, 1.0)));
  OK(CospinIsReal(turned, vectors[0], &real));
  assert_false(real);
  OK(CospinRealPart(turned, vectors[0])); /* the larger part: what it was before */
  OK(CospinIsReal(turned, vectors[0], &real));
  assert_true(real);
  for (int k = 0; k < COUNT; k++) OK(VecDestroy(&vectors[k]));
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(generators_are_real_in_their_phases),  cmocka_unit_test(factors_of_a_chain_are_exact),
      cmocka_unit_test(a_zero_on_the_diagonal_is_survived),   cmocka_unit_test(complete_factors_are_exact),
      cmocka_unit_test(sweeps_solve_what_is_coupled_one_way), cmocka_unit_test(vectors_side_by_side),
  };
  int failed;

  if (SlepcInitialize(&argc, &argv, NULL, NULL)) return 1;
  failed = cmocka_run_group_tests(tests, NULL, NULL);
  if (SlepcFinalize()) return 1;
  return failed;
}
