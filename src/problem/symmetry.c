/*
   What the moves conserve: the sectors that an operator reads. (Their names: sector_names.c.)

   Which sector a label lies in is its coset of the lattice that the moves span. A sector has a trace if
   its coset holds a diagonal label; those cosets are found by going through the diagonal labels pivot by
   pivot with repetitions dropped, never label by label.

   Example: one spin with the jump Sm has moves (m, m') -> (m-1, m'-1). Their lattice is spanned by (1, 1),
   its cosets are numbered by m - m', and only the coset of m = m' holds diagonal labels: one sector with a
   trace. If Sx is added, the lattice is all of Z^2 and there is one sector.
*/
#include "label_set.h"
#include "line.h"
#include <cospin/problem/problem.h>

/* splitmix64: labels are sampled, the same ones on every rank and machine  */
static PetscInt64 random_below(PetscInt64 bound, uint64_t *state)
{
  uint64_t z = (*state += 0x9e3779b97f4a7c15u);

  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return (PetscInt64)((z ^ (z >> 31)) % (uint64_t)bound);
}

/* Coordinates in their order, since the range of one may depend on those before it (m on j). */
static void random_label(const CospinSystem *system, uint64_t *state, int label[])
{
  for (int i = 0; i < system->num_coordinates; i++) {
    int lo, hi;
    CospinSystemRange(system, i, label, &lo, &hi);
    label[i] = lo + (int)random_below(hi - lo + 1, state);
  }
}

/* Levels that differ from each other in everything, as those of a component whose operators are matrices: how
   many kets there are of them, at most `most`. One wrong element of a matrix of 1000 levels would be missed
   by 200 random labels nine times in ten. */
static int irregular_kets(const CospinSystem *system, int most)
{
  double kets = 1;

  for (int c = 0; c < system->num_components; c++) {
    const CospinComponent component = &system->components[c];
    if (component->kind->irregular) kets *= component->kind->NumLevels(component);
  }
  return (int)PetscMin(kets, most);
}

/* The k-th of these kets, at the label's first coordinates of such components. */
static void set_irregular(const CospinSystem *system, int k, int label[])
{
  for (int c = 0; c < system->num_components; c++) {
    const CospinComponent component = &system->components[c];
    if (!component->kind->irregular) continue;
    label[component->offset] = k % component->kind->NumLevels(component);
    k /= component->kind->NumLevels(component);
  }
}

/* What a and its adjoint leave of each other by rounding: 0.1*x[l]*x[m] is not bit by bit 0.1*x[m]*x[l]. */
static void drop_rounding(CospinPolynomial difference, CospinPolynomial a)
{
  double largest = 0.0;

  for (int k = 0; k < a->count; k++) largest = PetscMax(largest, cabs(a->monomials[k].coefficient));
  for (int k = 0; k < difference->count; k++) {
    if (cabs(difference->monomials[k].coefficient) <= 4 * PETSC_MACHINE_EPSILON * largest)
      difference->monomials[k].coefficient = 0.0;
  }
}

/* Whether a component has no labels to sample; then operators are compared as they are written. */
static PetscBool lacks_labels(const CospinSystem *system)
{
  for (int c = 0; c < system->num_components; c++)
    if (system->components[c].num_coordinates == 0) return PETSC_TRUE;
  return PETSC_FALSE;
}

/* Of an operator as it is written. */
static PetscBool is_zero(CospinPolynomial a)
{
  for (int k = 0; k < a->count; k++)
    if (a->monomials[k].coefficient != 0.0) return PETSC_FALSE;
  return PETSC_TRUE;
}

/* The moves of (A^+ - A) rho are evaluated on some labels, the same on all ranks, so that [b, b^+] =
 * 1 and its like count, not only equal texts. */
PetscErrorCode CospinProblemIsHermitian(CospinProblem problem, CospinPolynomial a, PetscBool *hermitian)
{
  enum { NUM_SAMPLES = 200, EACH_KET = 20, MOST_KETS = 1000000 };
  const int kets = irregular_kets(&problem->system, MOST_KETS), num = PetscMax(NUM_SAMPLES, EACH_KET * kets);
  CospinPolynomial difference;
  CospinMoves zero;
  uint64_t state = 1;

  PetscFunctionBeginUser;
  *hermitian = PETSC_TRUE;
  PetscCall(CospinMovesCreate(&problem->system, &zero));
  PetscCall(CospinPolynomialAdjoint(a, CospinSystemElementaryAdjoint, &problem->system, &difference));
  PetscCall(CospinPolynomialAxpy(difference, -1.0, a));
  drop_rounding(difference, a);
  if (lacks_labels(&problem->system))
    *hermitian = is_zero(difference);
  else
    PetscCall(CospinMovesAddLeftProduct(zero, difference));
  PetscCall(CospinMovesFinish(zero));
  for (int k = 0; k < zero->count && *hermitian; k++) {
    CospinMove *move = &zero->moves[k];
    /* What is zero as an operator is zero at every label; 200 random ones miss a term only where it vanishes
       on nearly all; where one level is no example of the others, all of those are gone through. */
    for (int sample = 0; sample < num && *hermitian; sample++) {
      int label[COSPIN_MAX_COORDINATES];
      double size = 0.0;
      random_label(&problem->system, &state, label);
      set_irregular(&problem->system, sample % kets, label);
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

/* How many multiples of a row lead to different cosets; 0: too many to try. */
static int order_of(CospinLattice lattice, int n, const int row[])
{
  /* Most generators either lie in the lattice or never do; Z_2 and its like are between. */
  enum { MAX_ORDER = 8 };

  for (int m = 1; m <= MAX_ORDER; m++) {
    int multiple[COSPIN_MAX_COORDINATES];
    for (int i = 0; i < n; i++) multiple[i] = m * row[i];
    if (CospinLatticeContains(lattice, multiple)) return m;
  }
  return 0;
}

/* Diagonal labels whose coordinates are chosen up to some pivot: one for each coset, and for each choice of
   those of them on which ranges behind depend. */
typedef struct {
  CospinLabelSet keys; /* [2n]: the coset; the coordinates that bound others, 0 elsewhere */
  PetscInt capacity;
  int *labels; /* [keys.count][n] */
} Front;

static PetscErrorCode add_to_front(CospinProblem problem, int next, const int label[], Front *front)
{
  const int n = problem->system.num_coordinates;
  int key[2 * COSPIN_MAX_COORDINATES] = {0};
  PetscInt number;
  PetscBool new;

  PetscFunctionBeginUser;
  for (int i = 0; i < n; i++) key[i] = label[i];
  CospinLatticeReduce(problem->lattice, key);
  for (int i = next; i < n; i++) {
    const int by = CospinSystemBoundBy(&problem->system, i);
    if (by >= 0 && by < next) key[n + by] = label[by];
  }
  PetscCall(CospinLabelSetAdd(&front->keys, key, &number, &new));
  if (!new) PetscFunctionReturn(0);
  if (number >= front->capacity) {
    front->capacity = 2 * front->capacity + 16;
    PetscCall(PetscRealloc(sizeof(int) * (size_t)front->capacity * (size_t)n, &front->labels));
  }
  PetscCall(PetscArraycpy(front->labels + (size_t)number * (size_t)n, label, n));
  PetscFunctionReturn(0);
}

/* Extends a label by every value of the next pivot; where values repeat the cosets, by the first ones from
   the end at which the ranges behind are widest (they hold all that the others do). */
static PetscErrorCode extend(CospinProblem problem, const CospinLine *line, int next, int widest,
                             const int from[], Front *front)
{
  const CospinSystem *system = &problem->system;
  const int order = order_of(problem->lattice, system->num_coordinates, line->row);
  int label[COSPIN_MAX_COORDINATES], lo, hi, total, step = 1;

  PetscFunctionBeginUser;
  PetscCall(PetscArraycpy(label, from, system->num_coordinates));
  CospinSystemRange(system, line->pivot, label, &lo, &hi);
  total = CospinLineStart(system, line, lo, hi, label);
  if (widest >= hi && lo < hi) {
    CospinLineMove(system, line, total - 1, label);
    step = -1;
  }
  if (order > 0 && (widest <= lo || widest >= hi)) total = PetscMin(total, order);
  for (int t = 0; t < total && front->keys.count <= COSPIN_MAX_SECTORS; t++) {
    if (CospinLabelFits(system, NULL, line->pivot + 1, next, label))
      PetscCall(add_to_front(problem, next, label, front));
    CospinLineMove(system, line, step, label);
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode destroy_front(Front *front)
{
  PetscFunctionBeginUser;
  PetscCall(CospinLabelSetDestroy(&front->keys));
  PetscCall(PetscFree(front->labels));
  PetscFunctionReturn(0);
}

/* The cosets of the generator's lattice that hold diagonal labels, as reduced labels; *whole: all of them. */
static PetscErrorCode diagonal_cosets(CospinProblem problem, CospinLabelSet *cosets, PetscBool *whole)
{
  const int n = problem->system.num_coordinates;
  int diagonal[COSPIN_MAX_COORDINATES];
  CospinLattice lattice;
  Front front = {.capacity = 0};

  PetscFunctionBeginUser;
  PetscCall(diagonal_lattice(&problem->system, diagonal, &lattice));
  PetscCall(CospinLabelSetCreate(2 * n, &front.keys));
  PetscCall(add_to_front(problem, 0, diagonal, &front));
  *whole = PETSC_TRUE;
  for (int r = 0; r < CospinLatticeRank(lattice); r++) {
    const CospinLine line = CospinLineOf(lattice, r);
    /* Coordinates up to the next pivot are fixed by this row and those before it: they can be checked now. */
    const int next = r + 1 < CospinLatticeRank(lattice) ? CospinLineOf(lattice, r + 1).pivot : n;
    Front longer = {.capacity = 0};
    PetscCall(CospinLabelSetCreate(2 * n, &longer.keys));
    for (PetscInt k = 0; k < front.keys.count; k++)
      PetscCall(
          extend(problem, &line, next, diagonal[line.pivot], front.labels + (size_t)k * (size_t)n, &longer));
    PetscCall(destroy_front(&front));
    front = longer;
    if (front.keys.count > COSPIN_MAX_SECTORS) *whole = PETSC_FALSE;
  }
  PetscCall(CospinLabelSetCreate(n, cosets));
  for (PetscInt k = 0; k < front.keys.count; k++) {
    PetscInt number;
    PetscBool new;
    PetscCall(CospinLabelSetAdd(cosets, front.keys.rows + 2 * (size_t)k * (size_t)n, &number, &new));
  }
  PetscCall(destroy_front(&front));
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

/* Sorts, so that equal labels stand beside each other. */
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

/* More sectors than are ever listed are told by a count above COSPIN_MAX_SECTORS; the labels behind the first
   ones are then copies. */
PetscErrorCode CospinSectorsNotAll(int n, int *num, int **labels)
{
  const int least = COSPIN_MAX_SECTORS + 1;

  PetscFunctionBeginUser;
  if (*num >= least) PetscFunctionReturn(0);
  PetscCall(PetscRealloc(sizeof(int) * (size_t)least * (size_t)n, labels));
  if (*num == 0) PetscCall(PetscArrayzero(*labels, n));
  for (int k = PetscMax(1, *num); k < least; k++)
    PetscCall(PetscArraycpy(*labels + (size_t)k * (size_t)n, *labels, n));
  *num = least;
  PetscFunctionReturn(0);
}

/* Tr(A rho) reads the elements that A rho brings onto the diagonal: from each coset with a trace one goes
   back along every move of rho -> A rho. */
PetscErrorCode CospinProblemSectorsRead(CospinProblem problem, CospinMoves a_rho, int *num,
                                        int **representatives)
{
  const int n = problem->system.num_coordinates;
  CospinLabelSet cosets, all;
  PetscBool whole = PETSC_TRUE;

  PetscFunctionBeginUser;
  PetscCall(diagonal_cosets(problem, &cosets, &whole));
  PetscCall(CospinLabelSetCreate(n, &all));
  for (PetscInt c = 0; c < cosets.count; c++) {
    for (int k = 0; k < a_rho->count && all.count <= COSPIN_MAX_SECTORS; k++) {
      int label[COSPIN_MAX_COORDINATES]; /* the source of a move that ends on the diagonal */
      PetscInt number;
      PetscBool new;
      for (int i = 0; i < n; i++) label[i] = cosets.rows[c * n + i] - a_rho->moves[k].shift[i];
      CospinLatticeReduce(problem->lattice, label);
      PetscCall(CospinLabelSetAdd(&all, label, &number, &new));
    }
  }
  *num = (int)all.count;
  PetscCall(CospinLabelsUnique(n, num, all.rows));
  *representatives = all.rows;
  all.rows = NULL;
  if (!whole) PetscCall(CospinSectorsNotAll(n, num, representatives));
  PetscCall(CospinLabelSetDestroy(&all));
  PetscCall(CospinLabelSetDestroy(&cosets));
  PetscFunctionReturn(0);
}

/* Labels are sums of coordinates, and their cosets sums of cosets: what is reached by the coordinates up to
   one is extended by the values of the next. The work is the number of sectors times the values of a
   coordinate, where labels would be all of Liouville space. Ranges as wide as they are anywhere: some sectors
   are empty. */
PetscErrorCode CospinProblemAllSectors(CospinProblem problem, int *num, int **representatives)
{
  const int n = problem->system.num_coordinates;
  int lo[COSPIN_MAX_COORDINATES], hi[COSPIN_MAX_COORDINATES], label[COSPIN_MAX_COORDINATES] = {0};
  PetscBool whole = PETSC_TRUE, new;
  CospinLabelSet all;
  PetscInt number;

  PetscFunctionBeginUser;
  CospinSystemBounds(&problem->system, lo, hi);
  PetscCall(CospinLabelSetCreate(n, &all));
  PetscCall(CospinLabelSetAdd(&all, label, &number, &new));
  for (int i = 0; i < n && whole; i++) {
    CospinLabelSet longer;
    PetscCall(CospinLabelSetCreate(n, &longer));
    for (PetscInt c = 0; c < all.count && whole; c++) {
      for (int value = lo[i]; value <= hi[i] && whole; value++) {
        PetscCall(PetscArraycpy(label, all.rows + c * n, n));
        label[i] += value;
        CospinLatticeReduce(problem->lattice, label);
        PetscCall(CospinLabelSetAdd(&longer, label, &number, &new));
        whole = (PetscBool)(longer.count <= COSPIN_MAX_SECTORS);
      }
    }
    PetscCall(CospinLabelSetDestroy(&all));
    all = longer;
  }
  *num = (int)all.count;
  PetscCall(CospinLabelsUnique(n, num, all.rows));
  *representatives = all.rows;
  all.rows = NULL;
  if (!whole) PetscCall(CospinSectorsNotAll(n, num, representatives));
  PetscCall(CospinLabelSetDestroy(&all));
  PetscFunctionReturn(0);
}

/* Those where Tr(A rho) has elements. */
PetscErrorCode CospinProblemSectors(CospinProblem problem, CospinPolynomial a, int *num,
                                    int **representatives)
{
  CospinMoves a_rho;

  PetscFunctionBeginUser;
  PetscCall(CospinMovesCreate(&problem->system, &a_rho));
  PetscCall(CospinMovesAddLeftProduct(a_rho, a));
  PetscCall(CospinMovesFinish(a_rho));
  PetscCall(CospinProblemSectorsRead(problem, a_rho, num, representatives));
  PetscCall(CospinMovesDestroy(&a_rho));
  PetscFunctionReturn(0);
}
