/*
   With the lattice's reduction as a homomorphism to its quotient group,

     (i,k,b) in the sector  <=>  class(0,0,b) = representative - class(i,k,0),

   so kets and bras of one irrep that belong together are those of equal classes: both lists are sorted by
   irrep and class, and what occurs in both is a block.

   What it is for: a product A rho B^+ as two products of small matrices, kets by bras, instead of one with
   the elements of rho in a row. That works where a sector is made of blocks, each a set of kets times a set
   of bras; where it is not (the numbers of pairs and of labels then differ) there are no sides.
*/
#include <cospin/problem/sides.h>
#include <stdlib.h>

struct CospinSideLabels_ {
  int capacity;
  int *labels;                              /* [count][n], the other side's coordinates 0 */
  int *classes;                             /* [count][n] irrep and class; only while blocks are looked for */
  PetscInt64 *codes;                        /* [count] ascending: labels as numbers of mixed radix */
  int *key_of_code;                         /* [count] */
  PetscInt64 radix[COSPIN_MAX_COORDINATES]; /* 0: a coordinate of the other side */
  int highest[COSPIN_MAX_COORDINATES];
};

/* A coordinate of one side, or of both: an irrep is the same for ket and bra. */
static PetscBool belongs(CospinSides sides, CospinSide side, int coordinate)
{
  const CospinRole role = CospinSystemRole(sides->system, coordinate);

  return (PetscBool)(role == COSPIN_COORDINATE_IRREP ||
                     (role == COSPIN_COORDINATE_KET) == (side == COSPIN_KET));
}

/* What kets and bras are compared by: the irrep as it is, everything else as its coset. */
static void classify(CospinSides sides, CospinSide side, const int label[], int class[])
{
  const int n = sides->system->num_coordinates, *representative = CospinSectorRepresentative(sides->sector);

  for (int i = 0; i < n; i++) {
    const PetscBool irrep = (PetscBool)(CospinSystemRole(sides->system, i) == COSPIN_COORDINATE_IRREP);
    if (side == COSPIN_KET) class[i] = representative[i] - label[i];
    if (side == COSPIN_BRA) class[i] = irrep ? 0 : label[i];
  }
  CospinLatticeReduce(CospinSectorLattice(sides->sector), class);
  for (int i = 0; i < n; i++) { /* an irrep in front of the class: of two numbers, one that tells both */
    if (CospinSystemRole(sides->system, i) == COSPIN_COORDINATE_IRREP)
      class[n + i] = label[i];
    else
      class[n + i] = 0;
  }
}

/* Labels and classes grow together; the classes are dropped once blocks are known. */
static PetscErrorCode append_key(CospinSides sides, CospinSide side, const int label[])
{
  const int n = sides->system->num_coordinates, k = sides->count[side]++;
  struct CospinSideLabels_ *keys = sides->labels[side];

  PetscFunctionBeginUser;
  if (k == keys->capacity) {
    keys->capacity = 2 * keys->capacity + 64;
    PetscCall(PetscRealloc(sizeof(int) * (size_t)keys->capacity * (size_t)n, &keys->labels));
    PetscCall(PetscRealloc(sizeof(int) * (size_t)keys->capacity * (size_t)(2 * n), &keys->classes));
  }
  PetscCall(PetscArraycpy(keys->labels + (size_t)k * (size_t)n, label, n));
  classify(sides, side, label, keys->classes + (size_t)k * (size_t)(2 * n));
  PetscFunctionReturn(0);
}

/* All labels of one side, coordinate after coordinate. */
static PetscErrorCode enumerate(CospinSides sides, CospinSide side, int i, int label[])
{
  int lo, hi;

  PetscFunctionBeginUser;
  if (i == sides->system->num_coordinates) {
    PetscCall(append_key(sides, side, label));
    PetscFunctionReturn(0);
  }
  CospinSystemRange(sides->system, i, label, &lo, &hi);
  if (!belongs(sides, side, i)) lo = hi = 0;
  for (label[i] = lo; label[i] <= hi;) {
    const int value = label[i];
    PetscCall(enumerate(sides, side, i + 1, label));
    label[i] = value + 1;
  }
  PetscFunctionReturn(0);
}

/* What keys are compared by. */
typedef struct {
  int n; /* of the class, then of the label */
  const int *classes, *labels;
} Order;

/* Lexicographic, on integers. */
static int compare_rows(int n, const int a[], const int b[])
{
  for (int i = 0; i < n; i++) {
    if (a[i] != b[i]) return a[i] < b[i] ? -1 : 1;
  }
  return 0;
}

/* By class, then by label: a side's order within a block is that of its labels. */
static int compare_keys(const void *a, const void *b, void *context)
{
  const Order *order = (const Order *)context;
  const int s = *(const int *)a, t = *(const int *)b, n = order->n;
  const int by_class = compare_rows(2 * n, order->classes + (size_t)s * (size_t)(2 * n),
                                    order->classes + (size_t)t * (size_t)(2 * n));

  if (by_class) return by_class;
  return compare_rows(n, order->labels + (size_t)s * (size_t)n, order->labels + (size_t)t * (size_t)n);
}

/* Numbers are sorted and not rows, which are long. */
static PetscErrorCode sort_keys(CospinSides sides, CospinSide side, int **sorted)
{
  const struct CospinSideLabels_ *keys = sides->labels[side];
  Order order = {.n = sides->system->num_coordinates, .classes = keys->classes, .labels = keys->labels};

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1((size_t)sides->count[side] + 1, sorted));
  for (int k = 0; k < sides->count[side]; k++) (*sorted)[k] = k;
  if (sides->count[side] > 1)
    PetscCall(PetscTimSort(sides->count[side], *sorted, sizeof(int), compare_keys, &order));
  PetscFunctionReturn(0);
}

/* End of the run of equal classes that starts at sorted[begin]. */
static int end_of_run(CospinSides sides, CospinSide side, const int sorted[], int begin)
{
  const int n = 2 * sides->system->num_coordinates;
  const int *classes = sides->labels[side]->classes;
  int end = begin;

  while (end < sides->count[side] && compare_rows(n, classes + (size_t)sorted[begin] * (size_t)n,
                                                  classes + (size_t)sorted[end] * (size_t)n) == 0)
    end++;
  return end;
}

/* Merges the two sorted lists: keeps of each the runs whose class the other has, too. kept[side][block]:
 * where they begin and end. */
static PetscErrorCode merge(CospinSides sides, int *const sorted[2], int *runs[2])
{
  const int n = 2 * sides->system->num_coordinates;
  int at[2] = {0, 0}, capacity = 0;

  PetscFunctionBeginUser;
  while (at[0] < sides->count[0] && at[1] < sides->count[1]) {
    const int order = compare_rows(n, sides->labels[0]->classes + (size_t)sorted[0][at[0]] * (size_t)n,
                                   sides->labels[1]->classes + (size_t)sorted[1][at[1]] * (size_t)n);
    const int end[2] = {end_of_run(sides, COSPIN_KET, sorted[0], at[0]),
                        end_of_run(sides, COSPIN_BRA, sorted[1], at[1])};
    if (order == 0) {
      if (sides->num_blocks == capacity) {
        capacity = 2 * capacity + 16;
        for (int s = 0; s < 2; s++) PetscCall(PetscRealloc(sizeof(int) * 2 * (size_t)capacity, &runs[s]));
      }
      for (int s = 0; s < 2; s++) {
        runs[s][2 * sides->num_blocks] = at[s];
        runs[s][2 * sides->num_blocks + 1] = end[s];
      }
      sides->num_blocks++;
    }
    if (order <= 0) at[0] = end[0];
    if (order >= 0) at[1] = end[1];
  }
  PetscFunctionReturn(0);
}

/* Puts the kept keys of one side in their order. */
static PetscErrorCode number_keys(CospinSides sides, CospinSide side, const int sorted[], const int runs[])
{
  const size_t n = (size_t)sides->system->num_coordinates;
  struct CospinSideLabels_ *keys = sides->labels[side];
  int count = 0, *labels;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1((size_t)sides->num_blocks + 1, &sides->first[side]));
  PetscCall(PetscMalloc1((size_t)sides->count[side] + 1, &sides->block[side]));
  PetscCall(PetscMalloc1((size_t)(sides->count[side] + 1) * n, &labels));
  for (int b = 0; b < sides->num_blocks; b++) {
    sides->first[side][b] = count;
    for (int k = runs[2 * b]; k < runs[2 * b + 1]; k++, count++) {
      PetscCall(PetscArraycpy(labels + (size_t)count * n, keys->labels + (size_t)sorted[k] * n, n));
      sides->block[side][count] = b;
    }
  }
  sides->first[side][sides->num_blocks] = count;
  sides->count[side] = count;
  PetscCall(PetscFree(keys->classes));
  PetscCall(PetscFree(keys->labels));
  keys->labels = labels;
  PetscFunctionReturn(0);
}

/* Mixed radix: different labels have different codes as long as every coordinate is within its bounds, which
   is checked before. */
static PetscInt64 code_of(CospinSides sides, CospinSide side, const int label[])
{
  const PetscInt64 *radix = sides->labels[side]->radix;
  PetscInt64 code = 0;

  for (int i = 0; i < sides->system->num_coordinates; i++) code += radix[i] * label[i];
  return code;
}

static int compare_codes(const void *a, const void *b, void *context)
{
  const PetscInt64 *codes = (const PetscInt64 *)context, s = codes[*(const int *)a],
                   t = codes[*(const int *)b];

  return s < t ? -1 : s > t;
}

/* So that a label is found by bisection. */
static PetscErrorCode encode(CospinSides sides, CospinSide side)
{
  struct CospinSideLabels_ *keys = sides->labels[side];
  const int count = sides->count[side];
  int lo[COSPIN_MAX_COORDINATES], hi[COSPIN_MAX_COORDINATES];
  PetscInt64 radix = 1, *codes;

  PetscFunctionBeginUser;
  CospinSystemBounds(sides->system, lo, hi);
  for (int i = 0; i < sides->system->num_coordinates; i++) {
    keys->highest[i] = hi[i];
    keys->radix[i] = belongs(sides, side, i) ? radix : 0;
    if (belongs(sides, side, i)) radix *= hi[i] + 1;
  }
  PetscCall(PetscMalloc1((size_t)count + 1, &codes));
  PetscCall(PetscMalloc2((size_t)count + 1, &keys->codes, (size_t)count + 1, &keys->key_of_code));
  for (int k = 0; k < count; k++) {
    codes[k] = code_of(sides, side, CospinSidesLabel(sides, side, k));
    keys->key_of_code[k] = k;
  }
  if (count > 1) PetscCall(PetscTimSort(count, keys->key_of_code, sizeof(int), compare_codes, codes));
  for (int k = 0; k < count; k++) keys->codes[k] = codes[keys->key_of_code[k]];
  PetscCall(PetscFree(codes));
  PetscFunctionReturn(0);
}

/* Pairs of kets and bras of one block, counted without going over them. */
static PetscInt64 number_of_pairs(CospinSides sides)
{
  PetscInt64 sum = 0;

  for (int b = 0; b < sides->num_blocks; b++)
    sum += (PetscInt64)(sides->first[COSPIN_KET][b + 1] - sides->first[COSPIN_KET][b]) *
           CospinSidesWidth(sides, b);
  return sum;
}

PetscErrorCode CospinSidesCreate(CospinSector sector, CospinSides *sides)
{
  int label[COSPIN_MAX_COORDINATES], *sorted[2], *runs[2] = {NULL, NULL};
  CospinSides new;

  PetscFunctionBeginUser;
  *sides = NULL;
  if (!CospinSystemHasSides(CospinSectorSystem(sector))) PetscFunctionReturn(0);
  PetscCall(PetscNew(&new));
  new->sector = sector;
  new->system = CospinSectorSystem(sector);
  for (int s = 0; s < 2; s++) {
    PetscCall(PetscNew(&new->labels[s]));
    PetscCall(enumerate(new, (CospinSide)s, 0, label));
    PetscCall(sort_keys(new, (CospinSide)s, &sorted[s]));
  }
  PetscCall(merge(new, sorted, runs));
  for (int s = 0; s < 2; s++) {
    PetscCall(number_keys(new, (CospinSide)s, sorted[s], runs[s]));
    PetscCall(encode(new, (CospinSide)s));
    PetscCall(PetscFree(sorted[s]));
    PetscCall(PetscFree(runs[s]));
  }
  *sides = new;
  if (number_of_pairs(new) != CospinSectorDimension(sector)) PetscCall(CospinSidesDestroy(sides));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinSidesDestroy(CospinSides *sides)
{
  PetscFunctionBeginUser;
  if (!*sides) PetscFunctionReturn(0);
  for (int s = 0; s < 2; s++) {
    PetscCall(PetscFree2((*sides)->labels[s]->codes, (*sides)->labels[s]->key_of_code));
    PetscCall(PetscFree((*sides)->labels[s]->labels));
    PetscCall(PetscFree((*sides)->labels[s]));
    PetscCall(PetscFree((*sides)->first[s]));
    PetscCall(PetscFree((*sides)->block[s]));
  }
  PetscCall(PetscFree(*sides));
  PetscFunctionReturn(0);
}

const int *CospinSidesLabel(CospinSides sides, CospinSide side, int key)
{
  return sides->labels[side]->labels + (size_t)key * (size_t)sides->system->num_coordinates;
}

/* By bisection among the codes; -1 for a label out of bounds, whose code could be another one's. */
int CospinSidesFind(CospinSides sides, CospinSide side, const int label[])
{
  const struct CospinSideLabels_ *keys = sides->labels[side];
  const PetscInt64 code = code_of(sides, side, label);
  int lo = 0, hi = sides->count[side] - 1;

  for (int i = 0; i < sides->system->num_coordinates; i++) {
    if (keys->radix[i] && (label[i] < 0 || label[i] > keys->highest[i])) return -1;
  }
  while (lo < hi) {
    const int middle = (lo + hi) / 2;
    if (keys->codes[middle] < code)
      lo = middle + 1;
    else
      hi = middle;
  }
  return lo <= hi && keys->codes[lo] == code ? keys->key_of_code[lo] : -1;
}

PetscInt64 CospinSidesIndex(CospinSides sides, int ket, int bra)
{
  const int *ket_label = CospinSidesLabel(sides, COSPIN_KET, ket),
            *bra_label = CospinSidesLabel(sides, COSPIN_BRA, bra);
  int label[COSPIN_MAX_COORDINATES];

  for (int i = 0; i < sides->system->num_coordinates; i++)
    label[i] = (sides->labels[COSPIN_KET]->radix[i] ? ket_label : bra_label)[i];
  return CospinSectorIndex(sides->sector, label);
}
