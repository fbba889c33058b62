/*
   What the moves conserve: the sectors that an operator reads. (Their names: sector_names.c.)
*/
#include <cospin/problem.h>

/* splitmix64: labels are sampled, the same ones on every rank and machine */
static PetscInt64 random_below(PetscInt64 bound, uint64_t *state)
{
  uint64_t z = (*state += 0x9e3779b97f4a7c15u);

  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return (PetscInt64)((z ^ (z >> 31)) % (uint64_t)bound);
}

static void random_label(const CospinSystem *system, uint64_t *state, int label[])
{
  for (int i = 0; i < system->num_coordinates; i++) {
    int lo, hi;
    CospinSystemRange(system, i, label, &lo, &hi);
    label[i] = lo + (int)random_below(hi - lo + 1, state);
  }
}

/* What a and its adjoint leave of each other by rounding: 0.1*x[l]*x[m] is not bit by bit 0.1*x[m]*x[l]. */
static void drop_rounding(CospinPolynomial difference, CospinPolynomial a)
{
  double largest = 0.0;

  for (int k = 0; k < a->count; k++) largest = PetscMax(largest, cabs(a->words[k].coefficient));
  for (int k = 0; k < difference->count; k++) {
    if (cabs(difference->words[k].coefficient) <= 4 * PETSC_MACHINE_EPSILON * largest)
      difference->words[k].coefficient = 0.0;
  }
}

/* Whether a component has no labels to sample; then operators are compared as they are written. */
static PetscBool lacks_labels(const CospinSystem *system)
{
  for (int c = 0; c < system->num_components; c++)
    if (system->components[c].num_coordinates == 0) return PETSC_TRUE;
  return PETSC_FALSE;
}

static PetscBool is_zero(CospinPolynomial a)
{
  for (int k = 0; k < a->count; k++)
    if (a->words[k].coefficient != 0.0) return PETSC_FALSE;
  return PETSC_TRUE;
}

PetscErrorCode CospinProblemIsHermitian(CospinProblem problem, CospinPolynomial a, PetscBool *hermitian)
{
  enum { NUM_SAMPLES = 200 };
  CospinPolynomial difference;
  CospinMoves zero;
  uint64_t state = 1;

  PetscFunctionBeginUser;
  *hermitian = PETSC_TRUE;
  PetscCall(CospinMovesCreate(&problem->system, &zero));
  PetscCall(CospinPolynomialAdjoint(a, CospinSystemLetterAdjoint, &problem->system, &difference));
  PetscCall(CospinPolynomialAxpy(difference, -1.0, a));
  drop_rounding(difference, a);
  if (lacks_labels(&problem->system))
    *hermitian = is_zero(difference);
  else
    PetscCall(CospinMovesAddLeft(zero, difference));
  PetscCall(CospinMovesFinish(zero));
  for (int k = 0; k < zero->count && *hermitian; k++) {
    CospinMove *move = &zero->moves[k];
    for (int sample = 0; sample < NUM_SAMPLES && *hermitian; sample++) {
      int label[COSPIN_MAX_COORDINATES];
      double size = 0.0;
      random_label(&problem->system, &state, label);
      for (int c = 0; c < move->num_chains; c++) {
        CospinMove one = {.shift = move->shift, .num_chains = 1, .chains = &move->chains[c]};
        size += cabs(CospinMoveAmplitude(zero, &one, label));
      }
      if (cabs(CospinMoveAmplitude(zero, move, label)) > 1e-12 * size) *hermitian = PETSC_FALSE;
    }
  }
  PetscCall(CospinMovesDestroy(&zero));
  PetscCall(CospinPolynomialDestroy(&difference));
  PetscFunctionReturn(0);
}

/* The lattice of steps between diagonal labels, and one of these. */
static PetscErrorCode diagonal_lattice(const CospinSystem *system, int label[], CospinLattice *lattice)
{
  PetscFunctionBeginUser;
  PetscCall(CospinLatticeCreate(system->num_coordinates, lattice));
  for (int c = 0; c < system->num_components; c++) {
    const CospinComponent component = &system->components[c];
    const int *generators;
    int num;
    component->kind->Diagonal(component, label + component->offset, &num, &generators);
    for (int g = 0; g < num; g++) {
      int vector[COSPIN_MAX_COORDINATES] = {0};
      for (int i = 0; i < component->num_coordinates; i++) {
        vector[component->offset + i] = generators[g * component->num_coordinates + i];
      }
      PetscCall(CospinLatticeAdd(*lattice, vector));
    }
  }
  PetscFunctionReturn(0);
}

/* All cosets of the generator's lattice that hold diagonal labels, unsorted, with repetitions. */
static PetscErrorCode diagonal_cosets(CospinProblem problem, PetscInt64 *num, int **cosets)
{
  const CospinSystem *system = &problem->system;
  const int n = system->num_coordinates;
  int diagonal[COSPIN_MAX_COORDINATES];
  PetscBool one = PETSC_TRUE;
  CospinLattice lattice;
  CospinSector labels = NULL;

  PetscFunctionBeginUser;
  PetscCall(diagonal_lattice(system, diagonal, &lattice));
  for (int r = 0; r < CospinLatticeRank(lattice); r++) {
    int pivot;
    if (!CospinLatticeContains(problem->lattice, CospinLatticeRow(lattice, r, &pivot))) one = PETSC_FALSE;
  }
  if (!one) PetscCall(CospinSectorCreate(system, lattice, diagonal, &labels));
  *num = one ? 1 : CospinSectorDimension(labels);
  PetscCall(PetscMalloc1((size_t)*num * (size_t)n, cosets));
  for (PetscInt64 k = 0; k < *num; k++) {
    int *label = *cosets + k * n;
    if (one) PetscCall(PetscArraycpy(label, diagonal, n));
    if (!one) CospinSectorLabel(labels, k, label);
    CospinLatticeReduce(problem->lattice, label);
  }
  PetscCall(CospinSectorDestroy(&labels));
  PetscCall(CospinLatticeDestroy(&lattice));
  PetscFunctionReturn(0);
}

static int compare_labels(const void *a, const void *b, void *context)
{
  const int *s = (const int *)a, *t = (const int *)b, n = *(const int *)context;

  for (int i = 0; i < n; i++) {
    if (s[i] != t[i]) return s[i] < t[i] ? -1 : 1;
  }
  return 0;
}

PetscErrorCode CospinLabelsUnique(int n, int *num, int labels[])
{
  int kept = 0;

  PetscFunctionBeginUser;
  if (*num > 1) PetscCall(PetscTimSort(*num, labels, sizeof(int) * (size_t)n, compare_labels, &n));
  for (int k = 0; k < *num; k++) {
    if (kept && compare_labels(labels + (kept - 1) * n, labels + k * n, &n) == 0) continue;
    PetscCall(PetscArraymove(labels + kept++ * n, labels + k * n, n));
  }
  *num = kept;
  PetscFunctionReturn(0);
}

PetscErrorCode CospinProblemSectorsRead(CospinProblem problem, CospinMoves left, int *num,
                                        int **representatives)
{
  const int n = problem->system.num_coordinates;
  PetscInt64 num_cosets;
  int *cosets, *all, count = 0;

  PetscFunctionBeginUser;
  PetscCall(diagonal_cosets(problem, &num_cosets, &cosets));
  PetscCheck(num_cosets < PETSC_MAX_INT / (n + 1), PETSC_COMM_SELF, PETSC_ERR_SUP,
             "Too many diagonal labels");
  count = (int)num_cosets;
  PetscCall(CospinLabelsUnique(n, &count, cosets));
  PetscCall(PetscMalloc1((size_t)(count * left->count * n), &all));
  *num = 0;
  for (int c = 0; c < count; c++) {
    for (int k = 0; k < left->count; k++) { /* the source of a move that ends on the diagonal */
      int *label = all + (*num)++ * n;
      for (int i = 0; i < n; i++) label[i] = cosets[c * n + i] - left->moves[k].shift[i];
      CospinLatticeReduce(problem->lattice, label);
    }
  }
  PetscCall(CospinLabelsUnique(n, num, all));
  *representatives = all;
  PetscCall(PetscFree(cosets));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinProblemSectors(CospinProblem problem, CospinPolynomial a, int *num,
                                    int **representatives)
{
  CospinMoves left;

  PetscFunctionBeginUser;
  PetscCall(CospinMovesCreate(&problem->system, &left));
  PetscCall(CospinMovesAddLeft(left, a));
  PetscCall(CospinMovesFinish(left));
  PetscCall(CospinProblemSectorsRead(problem, left, num, representatives));
  PetscCall(CospinMovesDestroy(&left));
  PetscFunctionReturn(0);
}
