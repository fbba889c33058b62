/*
   Enumeration of one coset of the lattice of moves.

   Rows of the Hermite normal form are taken in the order of their pivots. On level k the coordinate pivot[k]
   runs through first, first + step, ...; the coordinates between two pivots are fixed by the rows before them
   and only have to lie in range. Level after level this gives a tree whose leaves are runs of labels along
   the last row:

     node of level k < last: values of coordinate pivot[k], children = nodes of level k+1, one per value
     leaf:                   values of coordinate pivot[last], `offset` = index of the first label

   All range constraints are linear, so what is left of a line of labels is one interval, and a leaf is one
   run.
*/
#include <cospin/sector.h>

typedef struct {
  int first, count;  /* values of the pivot coordinate: first + step*0 ... first + step*(count-1) */
  PetscInt64 offset; /* first child on the next level; on the last level: index of the first label */
} Node;

typedef struct {
  int pivot, step;
  const int *row;
  PetscInt64 count, capacity;
  Node *nodes;
} Level;

struct CospinSector_ {
  const CospinSystem *system;
  CospinLattice lattice;
  int *representative;
  int num_levels;
  Level *levels;
  int *leaf_label; /* [leaves][num_coordinates] label of the first element of each leaf */
  PetscInt64 dimension, num_leaves, leaf_capacity;
};

static PetscErrorCode append_node(Level *level, Node node)
{
  PetscFunctionBeginUser;
  if (level->count == level->capacity) {
    level->capacity = 2 * level->capacity + 64;
    PetscCall(PetscRealloc(sizeof(Node) * (size_t)level->capacity, &level->nodes));
  }
  level->nodes[level->count++] = node;
  PetscFunctionReturn(0);
}

static PetscErrorCode append_leaf_label(CospinSector sector, const int label[])
{
  const size_t n = (size_t)sector->system->num_coordinates;

  PetscFunctionBeginUser;
  if (sector->num_leaves == sector->leaf_capacity) {
    sector->leaf_capacity = 2 * sector->leaf_capacity + 64;
    PetscCall(PetscRealloc(sizeof(int) * n * (size_t)sector->leaf_capacity, &sector->leaf_label));
  }
  PetscCall(PetscArraycpy(sector->leaf_label + (size_t)sector->num_leaves * n, label, n));
  sector->num_leaves++;
  PetscFunctionReturn(0);
}

static PetscBool in_range(const CospinSystem *system, int begin, int end, const int label[])
{
  for (int i = begin; i < end; i++) {
    int lo, hi;
    CospinSystemRange(system, i, label, &lo, &hi);
    if (label[i] < lo || label[i] > hi) return PETSC_FALSE;
  }
  return PETSC_TRUE;
}

static void add_row(int n, int factor, const int row[], int label[])
{
  for (int i = 0; i < n; i++) label[i] += factor * row[i];
}

static int ceil_div(int a, int b)
{
  return a >= 0 ? (a + b - 1) / b : -(-a / b);
}

/* Moves label along the row to the first value of the pivot coordinate that is in range; number of values in
 * range. */
static int start_line(CospinSector sector, const Level *level, int label[])
{
  int lo, hi;

  CospinSystemRange(sector->system, level->pivot, label, &lo, &hi);
  add_row(sector->system->num_coordinates, ceil_div(lo - label[level->pivot], level->step), level->row,
          label);
  return label[level->pivot] > hi ? 0 : (hi - label[level->pivot]) / level->step + 1;
}

static PetscErrorCode enumerate_leaf(CospinSector sector, Level *level, int label[])
{
  const int n = sector->system->num_coordinates, total = start_line(sector, level, label);
  Node leaf = {.first = label[level->pivot], .offset = sector->dimension};
  PetscBool inside = PETSC_FALSE, outside = PETSC_FALSE;

  PetscFunctionBeginUser;
  for (int k = 0; k < total; k++) {
    if (in_range(sector->system, level->pivot + 1, n, label)) {
      PetscCheck(!outside, PETSC_COMM_SELF, PETSC_ERR_PLIB, "A run of labels has a hole");
      if (!inside) {
        leaf.first = label[level->pivot];
        PetscCall(append_leaf_label(sector, label));
      }
      inside = PETSC_TRUE;
      leaf.count++;
    } else {
      outside = inside;
      if (outside) break;
    }
    add_row(n, 1, level->row, label);
  }
  if (!inside)
    PetscCall(append_leaf_label(sector, label)); /* keeps leaves and nodes of the last level in step */
  PetscCall(append_node(level, leaf));
  sector->dimension += leaf.count;
  PetscFunctionReturn(0);
}

static PetscErrorCode enumerate_level(CospinSector sector, int k, const int prefix[])
{
  const int n = sector->system->num_coordinates;
  Level *level = &sector->levels[k];
  const int next = k + 1 < sector->num_levels ? sector->levels[k + 1].pivot : n;
  int label[COSPIN_MAX_COORDINATES], total;
  Node node;

  PetscFunctionBeginUser;
  PetscCall(PetscArraycpy(label, prefix, n));
  if (k + 1 == sector->num_levels) {
    PetscCall(enumerate_leaf(sector, level, label));
    PetscFunctionReturn(0);
  }
  total = start_line(sector, level, label);
  node = (Node){.first = label[level->pivot], .offset = sector->levels[k + 1].count};
  for (; total > 0 && !in_range(sector->system, level->pivot + 1, next, label); total--) {
    add_row(n, 1, level->row, label);
    node.first = label[level->pivot];
  }
  for (; total > 0 && in_range(sector->system, level->pivot + 1, next, label); total--) {
    node.count++;
    PetscCall(enumerate_level(sector, k + 1, label));
    add_row(n, 1, level->row, label);
  }
  PetscCall(append_node(level, node));
  PetscFunctionReturn(0);
}

/* No moves but the diagonal one: the sector is its representative alone. */
static PetscErrorCode enumerate_single(CospinSector sector)
{
  PetscFunctionBeginUser;
  if (in_range(sector->system, 0, sector->system->num_coordinates, sector->representative)) {
    PetscCall(append_leaf_label(sector, sector->representative));
    sector->dimension = 1;
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode enumerate(CospinSector sector)
{
  int pivot = sector->num_levels ? sector->levels[0].pivot : 0;

  PetscFunctionBeginUser;
  if (sector->num_levels == 0) {
    PetscCall(enumerate_single(sector));
  } else if (in_range(sector->system, 0, pivot, sector->representative)) {
    PetscCall(enumerate_level(sector, 0, sector->representative));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode CospinSectorCreate(const CospinSystem *system, CospinLattice lattice, const int label[],
                                  CospinSector *sector)
{
  CospinSector new;

  PetscFunctionBeginUser;
  PetscCall(PetscNew(&new));
  new->system = system;
  new->lattice = lattice;
  PetscCall(PetscMalloc1(system->num_coordinates, &new->representative));
  PetscCall(PetscArraycpy(new->representative, label, system->num_coordinates));
  CospinLatticeReduce(lattice, new->representative);
  new->num_levels = CospinLatticeRank(lattice);
  PetscCall(PetscCalloc1(new->num_levels, &new->levels));
  for (int k = 0; k < new->num_levels; k++) {
    Level *level = &new->levels[k];
    level->row = CospinLatticeRow(lattice, k, &level->pivot);
    level->step = level->row[level->pivot];
  }
  PetscCall(enumerate(new));
  *sector = new;
  PetscFunctionReturn(0);
}

PetscErrorCode CospinSectorDestroy(CospinSector *sector)
{
  PetscFunctionBeginUser;
  if (!*sector) PetscFunctionReturn(0);
  for (int k = 0; k < (*sector)->num_levels; k++) PetscCall(PetscFree((*sector)->levels[k].nodes));
  PetscCall(PetscFree((*sector)->levels));
  PetscCall(PetscFree((*sector)->representative));
  PetscCall(PetscFree((*sector)->leaf_label));
  PetscCall(PetscFree(*sector));
  PetscFunctionReturn(0);
}

PetscInt64 CospinSectorDimension(CospinSector sector)
{
  return sector->dimension;
}

const int *CospinSectorRepresentative(CospinSector sector)
{
  return sector->representative;
}

/* Which of its node's values a coordinate has; -1: none. */
static int position_in(const Level *level, const Node *node, int value)
{
  const int distance = value - node->first;

  if (distance < 0 || distance % level->step != 0) return -1;
  return distance / level->step < node->count ? distance / level->step : -1;
}

static PetscBool belongs(CospinSector sector, const int label[])
{
  int reduced[COSPIN_MAX_COORDINATES];
  const int n = sector->system->num_coordinates;

  for (int i = 0; i < n; i++) reduced[i] = label[i];
  CospinLatticeReduce(sector->lattice, reduced);
  for (int i = 0; i < n; i++) {
    if (reduced[i] != sector->representative[i]) return PETSC_FALSE;
  }
  return PETSC_TRUE;
}

PetscInt64 CospinSectorIndex(CospinSector sector, const int label[])
{
  PetscInt64 at = 0;

  if (sector->dimension == 0 || !belongs(sector, label)) return -1;
  if (sector->num_levels == 0) return 0;
  for (int k = 0; k < sector->num_levels; k++) {
    const Level *level = &sector->levels[k];
    const Node *node = &level->nodes[at];
    const int position = position_in(level, node, label[level->pivot]);
    if (position < 0) return -1;
    at = node->offset + position;
  }
  return at;
}

void CospinSectorLabel(CospinSector sector, PetscInt64 index, int label[])
{
  const int n = sector->system->num_coordinates;
  const Level *last = sector->num_levels ? &sector->levels[sector->num_levels - 1] : NULL;
  PetscInt64 lo = 0, hi = sector->num_leaves - 1;

  while (last && lo < hi) {
    const PetscInt64 middle = (lo + hi + 1) / 2;
    if (last->nodes[middle].offset <= index) {
      lo = middle;
    } else {
      hi = middle - 1;
    }
  }
  for (int i = 0; i < n; i++) label[i] = sector->leaf_label[lo * n + i];
  if (last) add_row(n, (int)(index - last->nodes[lo].offset), last->row, label);
}
