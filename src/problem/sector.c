/*
   Enumeration of one coset of the lattice of moves.

   Rows of the Hermite normal form are taken in the order of their pivots. On level k the coordinate pivot[k]
   runs through first, first + step, ...; the coordinates between two pivots are fixed by the rows before them
   and only have to lie in range. Level after level this gives a tree whose leaves are runs of labels along
   the last row:

     node of level k < last: values of coordinate pivot[k], children = nodes of level k+1, one per value
     leaf:                   values of coordinate pivot[last]

   All range constraints are linear, so the labels of a line that are in range form one interval, and a leaf
   is one run. Branches without labels are cut off at both ends of a node (a charge of many spins is known to
   be out of reach only at the last of them), so the tree has about as many nodes as the sector has labels. No
   label is stored: the walk that finds one by its index puts it together.

   Both directions cost about log(size): the index of a label by comparing one coordinate on every level, the
   label of an index by bisection among the offsets of a node's children. The order of labels is that of the
   walk, lexicographic in the pivots, and the same on all ranks.

   A part of a sector that something reaches has no such form; its labels are listed, sorted, and found by a
   hash.
*/
#include "label_set.h"
#include "line.h"
#include <cospin/problem/problem.h>

typedef struct {
  int first, count;  /* values of the pivot coordinate: first + step*0 ... first + step*(count-1) */
  PetscInt64 child;  /* the first one on the next level; unused on the last */
  PetscInt64 offset; /* index of the first label */
} Node;

typedef struct {
  CospinLine line;
  PetscInt64 count, capacity;
  Node *nodes;
} Level;

struct CospinSector_ {
  const CospinSystem *system;
  CospinLattice lattice;
  int *representative;
  int num_levels;
  Level *levels;
  PetscInt64 dimension;
  PetscBool listed;      /* by its labels, instead of levels */
  CospinLabelSet labels; /* if so */
  PetscBool unit_steps;  /* of all levels */
  int num_free;          /* coordinates that are no pivots: [num_free][n] they are these sums of pivots */
  int *free, *free_coefficients;
};

/* Nodes of a level are stored in the order of the walk; a node's children are therefore neighbours. */
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

/* Moves label along the line to the first value of the pivot coordinate that is in range; number of values in
 * range. */
static int start_line(CospinSector sector, const Level *level, int label[])
{
  int lo, hi;

  CospinSystemRange(sector->system, level->line.pivot, label, &lo, &hi);
  CospinSystemCut(sector->system, level->line.pivot, &lo, &hi);
  return CospinLineStart(sector->system, &level->line, lo, hi, label);
}

/* The run of labels along the last row that are in range, perhaps none. */
static PetscErrorCode enumerate_leaf(CospinSector sector, Level *level, int label[])
{
  const int total = start_line(sector, level, label);
  Node leaf = {.first = label[level->line.pivot], .offset = sector->dimension};
  PetscInt64 first, last;

  PetscFunctionBeginUser;
  CospinLineRun(sector->system, NULL, &level->line, total, label, &first, &last);
  if (first <= last) {
    leaf.first += (int)first * level->line.step;
    leaf.count = (int)(last - first + 1);
  }
  PetscCall(append_node(level, leaf));
  sector->dimension += leaf.count;
  PetscFunctionReturn(0);
}

/* A node stands for all labels that have the same coordinates up to its level's pivot; nodes below which
 * nothing fits are not kept. */
static PetscErrorCode enumerate_level(CospinSector sector, int k, const int prefix[])
{
  const int n = sector->system->num_coordinates;
  Level *level = &sector->levels[k], *below = level + 1;
  const int next = k + 1 < sector->num_levels ? below->line.pivot : n;
  int label[COSPIN_MAX_COORDINATES], total;
  Node node;

  PetscFunctionBeginUser;
  /* Three parts: values of the pivot at the beginning of its range that leave the coordinates before the next
     pivot out of range; those that fit, each with a node below; empty nodes at the end. */
  PetscCall(PetscArraycpy(label, prefix, n));
  if (k + 1 == sector->num_levels) {
    PetscCall(enumerate_leaf(sector, level, label));
    PetscFunctionReturn(0);
  }
  total = start_line(sector, level, label);
  node = (Node){.first = label[level->line.pivot], .child = below->count, .offset = sector->dimension};
  for (; total > 0 && !CospinLabelKept(sector->system, NULL, level->line.pivot + 1, next, label); total--) {
    CospinLineMove(sector->system, &level->line, 1, label);
    node.first = label[level->line.pivot];
  }
  for (; total > 0 && CospinLabelKept(sector->system, NULL, level->line.pivot + 1, next, label); total--) {
    if (node.count == 0) node.first = label[level->line.pivot];
    PetscCall(enumerate_level(sector, k + 1, label));
    if (node.count == 0 && below->nodes[node.child].count == 0) {
      /* Nothing below this value either: the node that was appended for it is taken back. */
      below->count = node.child;
    } else {
      node.count++;
    }
    CospinLineMove(sector->system, &level->line, 1, label);
  }
  while (node.count > 0 && below->nodes[node.child + node.count - 1].count == 0) {
    node.count--;
    below->count--;
  }
  PetscCall(append_node(level, node));
  PetscFunctionReturn(0);
}

/* No moves but the diagonal one: the sector is its representative alone. */
static PetscErrorCode enumerate_single(CospinSector sector)
{
  PetscFunctionBeginUser;
  if (CospinLabelKept(sector->system, NULL, 0, sector->system->num_coordinates, sector->representative))
    sector->dimension = 1;
  PetscFunctionReturn(0);
}

/* Coordinates before the first pivot are the same in the whole sector; where they are out of range it is
   empty. */
static PetscErrorCode enumerate(CospinSector sector)
{
  int pivot = sector->num_levels ? sector->levels[0].line.pivot : 0;

  PetscFunctionBeginUser;
  if (sector->num_levels == 0) {
    PetscCall(enumerate_single(sector));
  } else if (CospinLabelKept(sector->system, NULL, 0, pivot, sector->representative)) {
    PetscCall(enumerate_level(sector, 0, sector->representative));
  }
  PetscFunctionReturn(0);
}

/* Coordinates that are no pivots are sums of the rows; their coefficients are kept so that a label can be
   checked without reducing it. */
static PetscErrorCode find_free_coordinates(CospinSector sector)
{
  const int n = sector->system->num_coordinates, num_levels = sector->num_levels;

  PetscFunctionBeginUser;
  sector->unit_steps = PETSC_TRUE;
  for (int k = 0; k < num_levels; k++) {
    if (sector->levels[k].line.step != 1) sector->unit_steps = PETSC_FALSE;
  }
  PetscCall(PetscMalloc1(n, &sector->free));
  PetscCall(PetscCalloc1((size_t)n * (size_t)(n - num_levels), &sector->free_coefficients));
  for (int i = 0, k = 0; i < n; i++) {
    int *coefficients;
    if (k < num_levels && sector->levels[k].line.pivot == i) {
      k++;
      continue;
    }
    coefficients = sector->free_coefficients + sector->num_free * n;
    for (int j = 0; j < num_levels; j++)
      coefficients[sector->levels[j].line.pivot] = sector->levels[j].line.row[i];
    sector->free[sector->num_free++] = i;
  }
  PetscFunctionReturn(0);
}

/* The order of the labels is that of the walk, the same on every rank. */
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
    new->levels[k].line = CospinLineOf(lattice, k);
  }
  PetscCall(find_free_coordinates(new));
  PetscCall(enumerate(new));
  *sector = new;
  PetscFunctionReturn(0);
}

/* From every label along every move that has an amplitude there. The rows grow while they are gone through.
 */
static PetscErrorCode follow(CospinSector whole, CospinMoves moves, CospinLabelSet *found)
{
  const int n = whole->system->num_coordinates;
  int from[COSPIN_MAX_COORDINATES], to[COSPIN_MAX_COORDINATES];

  PetscFunctionBeginUser;
  for (PetscInt k = 0; k < found->count; k++) {
    PetscCall(PetscArraycpy(from, found->rows + (size_t)k * (size_t)n, n));
    for (int m = 0; m < moves->count; m++) {
      PetscInt number;
      PetscBool new;
      if (CospinMoveAmplitude(moves, &moves->moves[m], from) == 0.0) continue;
      for (int i = 0; i < n; i++) to[i] = from[i] + moves->moves[m].shift[i];
      if (CospinSectorIndex(whole, to) < 0) continue; /* out of a window */
      PetscCall(CospinLabelSetAdd(found, to, &number, &new));
    }
  }
  PetscFunctionReturn(0);
}

/* In ascending order of labels: neighbours in the matrix are neighbours among the labels. */
PetscErrorCode CospinSectorCreateReached(CospinSector whole, CospinMoves moves,
                                         PetscBool (*begins)(const void *context, const int label[]),
                                         const void *context, CospinSector *reached)
{
  const int n = whole->system->num_coordinates;
  int label[COSPIN_MAX_COORDINATES], num;
  CospinLabelSet found;
  CospinSector new;
  PetscInt number;
  PetscBool first;

  PetscFunctionBeginUser;
  PetscCall(CospinLabelSetCreate(n, &found));
  for (PetscInt64 k = 0; k < whole->dimension; k++) {
    CospinSectorLabel(whole, k, label);
    if (begins(context, label)) PetscCall(CospinLabelSetAdd(&found, label, &number, &first));
  }
  PetscCall(follow(whole, moves, &found));
  num = (int)found.count;
  PetscCall(CospinLabelsUnique(n, &num, found.rows));
  PetscCall(PetscNew(&new));
  new->system = whole->system;
  new->lattice = whole->lattice;
  PetscCall(PetscMalloc1(n, &new->representative));
  PetscCall(PetscArraycpy(new->representative, whole->representative, n));
  new->listed = PETSC_TRUE;
  new->dimension = num;
  PetscCall(CospinLabelSetCreate(n, &new->labels));
  for (int k = 0; k < num; k++)
    PetscCall(CospinLabelSetAdd(&new->labels, found.rows + (size_t)k * (size_t)n, &number, &first));
  PetscCall(CospinLabelSetDestroy(&found));
  *reached = new;
  PetscFunctionReturn(0);
}

PetscErrorCode CospinSectorDestroy(CospinSector *sector)
{
  PetscFunctionBeginUser;
  if (!*sector) PetscFunctionReturn(0);
  if ((*sector)->listed) PetscCall(CospinLabelSetDestroy(&(*sector)->labels));
  for (int k = 0; k < (*sector)->num_levels; k++) PetscCall(PetscFree((*sector)->levels[k].nodes));
  PetscCall(PetscFree((*sector)->levels));
  PetscCall(PetscFree((*sector)->representative));
  PetscCall(PetscFree((*sector)->free));
  PetscCall(PetscFree((*sector)->free_coefficients));
  PetscCall(PetscFree(*sector));
  PetscFunctionReturn(0);
}

PetscInt64 CospinSectorDimension(CospinSector sector)
{
  return sector->dimension;
}

const CospinSystem *CospinSectorSystem(CospinSector sector)
{
  return sector->system;
}

CospinLattice CospinSectorLattice(CospinSector sector)
{
  return sector->lattice;
}

const int *CospinSectorRepresentative(CospinSector sector)
{
  return sector->representative;
}

/* Which of its node's values a coordinate has; -1: none. */
static int position_in(const Level *level, const Node *node, int value)
{
  const int distance = value - node->first;

  if (distance < 0) return -1;
  if (level->line.step == 1) return distance < node->count ? distance : -1;
  if (distance % level->line.step != 0) return -1;
  return distance / level->line.step < node->count ? distance / level->line.step : -1;
}

/* With all steps 1 every row is zero at the pivots of the others, so a label is its rows with the pivot
   coordinates as factors: what is left to look at are the free coordinates. */
static PetscBool free_coordinates_fit(CospinSector sector, const int label[])
{
  const int *coefficient = sector->free_coefficients, n = sector->system->num_coordinates;

  for (int c = 0; c < sector->num_free; c++, coefficient += n) {
    int value = sector->representative[sector->free[c]];
    for (int i = 0; i < n; i++) value += coefficient[i] * label[i];
    if (value != label[sector->free[c]]) return PETSC_FALSE;
  }
  return PETSC_TRUE;
}

/* Whether a label whose pivots fit lies in this coset. Two cosets may share all pivot coordinates. */
static PetscBool belongs(CospinSector sector, const int label[])
{
  int reduced[COSPIN_MAX_COORDINATES];
  const int n = sector->system->num_coordinates;

  if (sector->unit_steps) return free_coordinates_fit(sector, label);
  for (int i = 0; i < n; i++) reduced[i] = label[i];
  CospinLatticeReduce(sector->lattice, reduced);
  for (int i = 0; i < n; i++) {
    if (reduced[i] != sector->representative[i]) return PETSC_FALSE;
  }
  return PETSC_TRUE;
}

/* The walk comes first: most labels asked for are out of range, and it ends where they are. */
PetscInt64 CospinSectorIndex(CospinSector sector, const int label[])
{
  PetscInt64 at = 0;

  if (sector->dimension == 0) return -1;
  if (sector->listed) return CospinLabelSetFind(&sector->labels, label);
  for (int k = 0; k < sector->num_levels; k++) {
    const Level *level = &sector->levels[k];
    const Node *node = &level->nodes[at];
    const int position = position_in(level, node, label[level->line.pivot]);
    if (position < 0) return -1;
    at = (k + 1 < sector->num_levels ? node->child : node->offset) + position;
  }
  return belongs(sector, label) ? at : -1;
}

/* Which child of a node holds the label of this index: the last one that does not start behind it. */
static int find_child(const Node children[], int count, PetscInt64 index)
{
  int lo = 0, hi = count - 1;

  while (lo < hi) {
    const int middle = (lo + hi + 1) / 2;
    if (children[middle].offset <= index) {
      lo = middle;
    } else {
      hi = middle - 1;
    }
  }
  return lo;
}

/* Bisection among children, level by level: the cost is the logarithm of the sector's size. */
void CospinSectorLabel(CospinSector sector, PetscInt64 index, int label[])
{
  const int n = sector->system->num_coordinates;
  const int *row = sector->listed ? sector->labels.rows + (size_t)index * (size_t)n : sector->representative;
  PetscInt64 at = 0;

  for (int i = 0; i < n; i++) label[i] = row[i];
  if (sector->listed) return;
  for (int k = 0; k < sector->num_levels; k++) {
    const Level *level = &sector->levels[k];
    const Node *node = &level->nodes[at];
    const int position = k + 1 < sector->num_levels
                             ? find_child(level[1].nodes + node->child, node->count, index)
                             : (int)(index - node->offset);
    const int value = node->first + level->line.step * position;
    CospinLineMove(sector->system, &level->line, (value - label[level->line.pivot]) / level->line.step,
                   label);
    at = node->child + position;
  }
}
