/*
   qfi(G): quantum Fisher information of the state under exp(-i phi G),

     F = 2 sum_ij (p_i - p_j)^2/(p_i + p_j) |<i|G|j>|^2        S. L. Braunstein, C. M. Caves, PRL 72, 3439
   (1994)

   over all eigenvectors, those of eigenvalue 0 too: a ket that G leads to and the state does not have is one
   of these. Of d copies each has p/d, and G is the same in all of them, so that d cancels.

   qfi_max(S): the largest for a component of the spin S in any direction, which is the largest eigenvalue of
   the matrix F_ab of its three components; what is off its diagonal comes from F(Sa + Sb) = F_aa + F_bb + 2
   F_ab.
*/
#include <cospin/observable/functional.h>
#include <cospin/problem/hermitian.h>
#include <math.h>
#include <petscblaslapack.h>
#include <stdlib.h>

/* <target|G|source> with the source in a block */
typedef struct {
  PetscInt64 code; /* of the target */
  int ket, block;  /* it is ket; -1: the state does not have it */
  int source;      /* place in its block */
  double complex amplitude;
} Element;

/* G applied to the eigenvectors of one block, element by element, and room for dense products. */
typedef struct {
  CospinDensity density;
  CospinMoves moves;
  int count, capacity;
  Element *elements; /* of G on the kets of one block, those that lead to one block together */
  size_t room;
  double complex *image, *overlaps; /* [room] */
} Work;

static int compare_elements(const void *a, const void *b)
{
  const Element *x = (const Element *)a, *y = (const Element *)b;

  if (x->block != y->block) return x->block < y->block ? -1 : 1;
  return x->code < y->code ? -1 : x->code > y->code;
}

/* G |ket> of the kets of one block: where it leads to, and into which block. */
static PetscErrorCode add_element(Work *work, Element element)
{
  PetscFunctionBeginUser;
  if (work->count == work->capacity) {
    work->capacity = 2 * work->capacity + 64;
    PetscCall(PetscRealloc((size_t)work->capacity * sizeof(Element), &work->elements));
  }
  work->elements[work->count++] = element;
  PetscFunctionReturn(0);
}

/* G on the kets of a block: an operator moves the ket of |x><x| and leaves the bra. */
static PetscErrorCode apply_generator(Work *work, const CospinDensityBlock *block)
{
  const CospinDensity density = work->density;
  const int n = density->system->num_coordinates;

  PetscFunctionBeginUser;
  work->count = 0;
  for (int k = 0; k < block->size; k++) {
    int source[COSPIN_MAX_COORDINATES] = {0}, target[COSPIN_MAX_COORDINATES];
    PetscCall(PetscArraycpy(source, CospinDensityLabel(density, block->first + k), n));
    for (int m = 0; m < work->moves->count; m++) {
      const CospinMove *move = &work->moves->moves[m];
      Element element = {
          .source = k, .block = -1, .amplitude = CospinMoveAmplitude(work->moves, move, source)};
      for (int i = 0; i < n; i++) target[i] = source[i] + move->shift[i];
      if (element.amplitude == 0.0 || !CospinSystemContains(density->system, target)) continue;
      element.code = CospinDensityCode(density, target);
      element.ket = CospinDensityFind(density, element.code);
      if (element.ket >= 0) element.block = density->block_of[element.ket];
      PetscCall(add_element(work, element));
    }
  }
  qsort(work->elements, (size_t)work->count, sizeof(Element), compare_elements);
  PetscFunctionReturn(0);
}

/* Work grows to the largest block met; LAPACK may read a little beyond, hence the room behind. */
static PetscErrorCode make_room(Work *work, size_t rows, size_t columns)
{
  PetscFunctionBeginUser;
  if (rows * columns + 512 > work->room) {
    work->room = 2 * rows * columns + 512; /* with room behind, as of the blocks */
    PetscCall(PetscFree2(work->image, work->overlaps));
    PetscCall(PetscMalloc2(work->room, &work->image, work->room, &work->overlaps));
  }
  PetscCall(PetscArrayzero(work->image, rows * columns));
  PetscFunctionReturn(0);
}

/* image[row] += <target|G|source> <source|i> for all eigenvectors i of the block */
static void add_row(Work *work, const CospinDensityBlock *block, const Element *element, size_t row,
                    size_t rows)
{
  const size_t n = (size_t)block->size;

  for (size_t i = 0; i < n; i++)
    work->image[row + rows * i] += element->amplitude * block->vectors[(size_t)element->source + n * i];
}

/* Elements first ... end - 1 lead to kets that the state does not have: 4 sum_i p_i |<ket|G|i>|^2, both
   orders of the pair. */
static PetscErrorCode sum_kernel(Work *work, const CospinDensityBlock *block, int first, int end, double *sum)
{
  PetscFunctionBeginUser;
  for (int begin = first, next; begin < end; begin = next) {
    PetscCall(make_room(work, 1, (size_t)block->size));
    for (next = begin; next < end && work->elements[next].code == work->elements[begin].code; next++)
      add_row(work, block, &work->elements[next], 0, 1);
    for (int i = 0; i < block->size; i++)
      *sum += 4 * block->values[i] * creal(work->image[i] * conj(work->image[i]));
  }
  PetscFunctionReturn(0);
}

/* The same to the kets of block `to`: overlaps = <j|G|i>. */
static PetscErrorCode sum_pairs(Work *work, const CospinDensityBlock *block, const CospinDensityBlock *to,
                                int first, int end, double *sum)
{
  const PetscScalar one = 1.0, zero = 0.0;
  PetscBLASInt rows, columns;

  PetscFunctionBeginUser;
  PetscCall(PetscBLASIntCast(to->size, &rows));
  PetscCall(PetscBLASIntCast(block->size, &columns));
  PetscCall(make_room(work, (size_t)rows, (size_t)columns));
  for (int e = first; e < end; e++)
    add_row(work, block, &work->elements[e], (size_t)(work->elements[e].ket - to->first), (size_t)rows);
  BLASgemm_("C", "N", &rows, &columns, &rows, &one, to->vectors, &rows, work->image, &rows, &zero,
            work->overlaps, &rows);
  for (int i = 0; i < columns; i++) {
    for (int j = 0; j < rows; j++) {
      const double complex g = work->overlaps[(size_t)j + (size_t)rows * (size_t)i];
      const double p = block->values[i], q = to->values[j];
      if (p + q > 0) *sum += 2 * (p - q) * (p - q) / (p + q) * creal(g * conj(g));
    }
  }
  PetscFunctionReturn(0);
}

/* Block by block of kets that G starts from, and for each the blocks that it leads to. A block that the state
 * has not (to < 0) has the eigenvalue p_j = 0. */
static PetscErrorCode compute_qfi(CospinDensity density, CospinMoves moves, double *value)
{
  Work work = {.density = density, .moves = moves};

  PetscFunctionBeginUser;
  *value = 0.0;
  for (int b = 0; b < density->num_blocks; b++) {
    const CospinDensityBlock *block = &density->blocks[b];
    PetscCall(apply_generator(&work, block));
    for (int first = 0, end; first < work.count; first = end) {
      const int to = work.elements[first].block;
      for (end = first; end < work.count && work.elements[end].block == to;) end++;
      if (to < 0)
        PetscCall(sum_kernel(&work, block, first, end, value));
      else
        PetscCall(sum_pairs(&work, block, &density->blocks[to], first, end, value));
    }
  }
  PetscCall(PetscFree(work.elements));
  PetscCall(PetscFree2(work.image, work.overlaps));
  PetscFunctionReturn(0);
}

static PetscErrorCode Prepare(CospinProblem problem, const CospinArgument arguments[],
                              CospinFunctional functional, char why[], size_t why_size)
{
  const CospinPolynomial a = arguments[0].value.polynomial;
  CospinPolynomial copy;
  PetscBool hermitian = PETSC_TRUE;

  PetscFunctionBeginUser;
  if (CospinPolynomialNamesSpin(a, COSPIN_EACH_SPIN))
    PetscCall(PetscSNPrintf(
        why, why_size, "qfi of an operator of one spin of an ensemble (must be collective, as ions.Sz)"));
  else if (!problem->deck->approximate)
    PetscCall(CospinProblemIsHermitian(problem, a, &hermitian));
  if (!hermitian)
    PetscCall(PetscSNPrintf(why, why_size,
                            "qfi of an operator that is not hermitian (must be, as it generates a phase)"));
  if (why[0]) PetscFunctionReturn(0);
  PetscCall(CospinPolynomialDuplicate(a, &copy));
  PetscCall(CospinFunctionalAdd(functional, copy));
  PetscFunctionReturn(0);
}

static PetscErrorCode Evaluate(CospinFunctional functional, const double complex moments[],
                               CospinDensity density, double *value)
{
  PetscBool ok;

  PetscFunctionBeginUser;
  (void)moments;
  PetscCall(CospinDensityDiagonalise(density, &ok));
  *value = INFINITY;
  if (ok) PetscCall(compute_qfi(density, functional->moves[0], value));
  PetscFunctionReturn(0);
}

/* Sx, Sy, Sz, then the sums of two, Sy + Sz first. */
static PetscErrorCode PrepareMax(CospinProblem problem, const CospinArgument arguments[],
                                 CospinFunctional functional, char why[], size_t why_size)
{
  CospinPolynomial spin[3], sum;

  PetscFunctionBeginUser;
  PetscCall(CospinFunctionalSpin(problem, arguments[0].name, functional, spin, why, why_size));
  if (why[0]) PetscFunctionReturn(0);
  for (int a = 0; a < 3; a++) PetscCall(CospinFunctionalAdd(functional, spin[a]));
  for (int a = 0; a < 3; a++) {
    PetscCall(CospinPolynomialDuplicate(spin[(a + 1) % 3], &sum));
    PetscCall(CospinPolynomialAxpy(sum, 1.0, spin[(a + 2) % 3]));
    PetscCall(CospinFunctionalAdd(functional, sum));
  }
  PetscFunctionReturn(0);
}

/* Six Fisher informations make the symmetric 3x3 matrix F_ab. */
static PetscErrorCode EvaluateMax(CospinFunctional functional, const double complex moments[],
                                  CospinDensity density, double *value)
{
  double complex matrix[9];
  double f[6], values[3];
  PetscBool ok;

  PetscFunctionBeginUser;
  (void)moments;
  PetscCall(CospinDensityDiagonalise(density, &ok));
  *value = INFINITY;
  if (!ok) PetscFunctionReturn(0);
  for (int k = 0; k < 6; k++) PetscCall(compute_qfi(density, functional->moves[k], &f[k]));
  for (int a = 0; a < 3; a++) {
    const int b = (a + 1) % 3, c = (a + 2) % 3;
    matrix[4 * a] = f[a];
    matrix[b + 3 * c] = matrix[c + 3 * b] = 0.5 * (f[3 + a] - f[b] - f[c]);
  }
  PetscCall(CospinHermitianDiagonalise(3, matrix, values));
  *value = values[2];
  PetscFunctionReturn(0);
}

const CospinFunctionalKind CospinFunctionalQfi = {
    .needs = COSPIN_NEEDS_STATE,
    .help = "quantum Fisher information for the phase that a hermitian operator generates",
    .labels = PETSC_TRUE,
    .Prepare = Prepare,
    .Evaluate = Evaluate,
};
const CospinFunctionalKind CospinFunctionalQfiMax = {
    .needs = COSPIN_NEEDS_STATE,
    .help = "the largest qfi of a spin's component in any direction",
    .labels = PETSC_TRUE,
    .Prepare = PrepareMax,
    .Evaluate = EvaluateMax,
};
