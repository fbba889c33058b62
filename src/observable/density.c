/*
   A ket is what the coordinates of one side, with those that have no side, say. Blocks are the connected
   components of the graph whose vertices are kets and whose edges are elements (union and find).

   Elements of a permutation-symmetric ensemble stand for several equal blocks (copies of an irrep):
   eigenvalues count as often, which is kept as a logarithm, for it grows as binomials do.

   What it is for: eigenvalues of a state (entropy, fidelity, Fisher information) from its stored elements,
   without a matrix of the size of all kets: each block is diagonalised by itself.

   Method: number the kets that occur; join kets that an element connects; each connected set is a block of
   the density matrix, to be diagonalised by LAPACK. A thermal state of N spins has thousands of small
   blocks instead of one matrix of 2^N.
*/
#include "density_parts.h"
#include <cospin/problem/hermitian.h>
#include <cospin/problem/storage.h>
#include <math.h>
#include <stdlib.h>

enum { ROOM_BEHIND = 512 }; /* OpenBLAS's kernels for AVX-512 read past the end of a matrix */

/* ---- Kets ---------------------------------------------------------------------------------------------- */

/* How many values the digit of coordinate i has in the code of a ket; 0: it has none. */
double CospinDensityDigits(const CospinSystem *system, int i, int lo, int hi)
{
  const CospinRole role = CospinSystemRole(system, i);

  if (role == COSPIN_COORDINATE_KET || role == COSPIN_COORDINATE_IRREP) return (double)hi - lo + 1;
  if (role != COSPIN_COORDINATE_PAIR) return 0.0;
  for (int c = 0; c < system->num_components; c++)
    if (system->components[c].offset == i) return system->components[c].kind->NumKets(&system->components[c]);
  return 0.0;
}

/* Kets as numbers with mixed radix; false if they do not fit into 63 bits. Beyond 63 bits the state has no
   density matrix here, and functionals of it are missing. */
PetscBool CospinDensitySetRadix(CospinDensity density)
{
  const CospinSystem *system = density->system;
  int hi[COSPIN_MAX_COORDINATES];
  double all = 1.0;

  CospinSystemBounds(system, density->radix_lo, hi);
  for (int i = 0; i < system->num_coordinates; i++) {
    const double num = CospinDensityDigits(system, i, density->radix_lo[i], hi[i]);
    density->radix[i] = num > 0 ? (PetscInt64)all : 0;
    all *= PetscMax(num, 1.0);
    if (all > 4e18) return PETSC_FALSE;
  }
  return PETSC_TRUE;
}

/* Coordinates without a digit have the radix 0 and drop out. */
PetscInt64 CospinDensityCode(CospinDensity density, const int label[])
{
  PetscInt64 code = 0;

  for (int i = 0; i < density->system->num_coordinates; i++)
    code += density->radix[i] * (label[i] - density->radix_lo[i]);
  return code;
}

/* Of |x><y| the label of |x><x| or, from the bra, of |y><y|: the k-th coordinate of one side of a
   component says of it what the k-th of the other side says of that. The bra of an ensemble's label is
   read like a ket: (j, m') of (j, m, m'). */
void CospinDensityTakeSide(const CospinSystem *system, CospinRole side, const int label[], int diagonal[])
{
  for (int c = 0; c < system->num_components; c++) {
    const int first = system->components[c].offset, end = first + system->components[c].num_coordinates;
    int next[2] = {first, first}; /* where the next coordinate of this side is, for the ket and for the bra */
    for (int i = first; i < end; i++) {
      const CospinRole role = CospinSystemRole(system, i);
      diagonal[i] = label[i];
      if (role != COSPIN_COORDINATE_KET && role != COSPIN_COORDINATE_BRA) continue;
      while (CospinSystemRole(system, next[role]) != side) next[role]++;
      diagonal[i] = label[next[role]++];
    }
  }
}

/* A view of the density's own memory, by the number of the ket in the order of blocks. A density from codes
   alone has no labels. */
const int *CospinDensityLabel(CospinDensity density, int ket)
{
  return density->labels + (size_t)ket * (size_t)density->system->num_coordinates;
}

/* -1: this ket has no element. */
int CospinDensityFind(CospinDensity density, PetscInt64 code)
{
  int lo = 0, hi = density->num_kets - 1;

  while (lo < hi) {
    const int middle = lo + (hi - lo) / 2;
    if (density->codes[middle] < code)
      lo = middle + 1;
    else
      hi = middle;
  }
  return lo <= hi && density->codes[lo] == code ? density->ket_of_code[lo] : -1;
}

/* ---- Blocks -------------------------------------------------------------------------------------------- */

/* With path halving, so that trees stay flat. */
static int root_of(int parent[], int ket)
{
  while (parent[ket] != ket) ket = parent[ket] = parent[parent[ket]];
  return ket;
}

/* place[ket]: where the ket stands once those of a block stand together. Kets of a block get consecutive
   places, so that a block is a square in the order of places. */
static PetscErrorCode find_blocks(CospinDensity density, int place[])
{
  const int num = density->num_kets;
  int *parent, *block_of_root, *filled;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc3(num, &parent, num, &block_of_root, num, &filled));
  for (int k = 0; k < num; k++) {
    parent[k] = k;
    block_of_root[k] = -1;
    filled[k] = 0;
  }
  for (PetscInt64 e = 0; e < density->count; e++) /* An element connects its ket and its bra. */
    parent[root_of(parent, density->elements[e].ket)] = root_of(parent, density->elements[e].bra);
  for (int k = 0; k < num; k++) {
    const int root = root_of(parent, k);
    if (block_of_root[root] < 0) block_of_root[root] = density->num_blocks++;
  }
  PetscCall(PetscCalloc1(density->num_blocks, &density->blocks));
  for (int k = 0; k < num; k++) density->blocks[block_of_root[root_of(parent, k)]].size++;
  for (int b = 1; b < density->num_blocks; b++)
    density->blocks[b].first = density->blocks[b - 1].first + density->blocks[b - 1].size;
  for (int k = 0; k < num; k++) {
    const int block = block_of_root[root_of(parent, k)];
    place[k] = density->blocks[block].first + filled[block]++;
    density->block_of[place[k]] = block;
  }
  PetscCall(PetscFree3(parent, block_of_root, filled));
  PetscFunctionReturn(0);
}

/* Sum over components, for copies multiply. The number of copies of an irrep in N spins; its logarithm,
   since 10^4 spins have some of 10^3000. */
double CospinDensityLogCopies(const CospinSystem *system, const int label[])
{
  double sum = 0.0;

  for (int c = 0; c < system->num_components; c++) {
    const CospinComponent component = &system->components[c];
    if (component->kind->LogCopies) sum += component->kind->LogCopies(component, label + component->offset);
  }
  return sum;
}

/* ---- From a stored state ------------------------------------------------------------------------------- */

typedef struct {
  PetscInt64 code, place; /* place: twice the row, plus one for its bra */
} Occurrence;

/* Of qsort. A difference of codes would not fit into an int. */
static int compare_occurrences(const void *a, const void *b)
{
  const PetscInt64 x = ((const Occurrence *)a)->code, y = ((const Occurrence *)b)->code;

  return x < y ? -1 : x > y;
}

/* The k-th stored element: the columns of its label, then real and imaginary part. */
const double *CospinDensityRow(CospinStoredState state, PetscInt64 k)
{
  return state->rows + (size_t)k * ((size_t)state->num_columns + 2);
}

/* An element has two places, its ket (even) and its bra (odd); both become labels with the other side
   equal. */
static PetscErrorCode read_label(CospinDensity density, CospinStoredState state, PetscInt64 place,
                                 int diagonal[])
{
  int label[COSPIN_MAX_COORDINATES] = {0};

  PetscFunctionBeginUser;
  PetscCheck(CospinStorageLabel(density->system, CospinDensityRow(state, place / 2), label), PETSC_COMM_SELF,
             PETSC_ERR_PLIB, "A state with labels that its problem has not");
  CospinDensityTakeSide(density->system, place % 2 ? COSPIN_COORDINATE_BRA : COSPIN_COORDINATE_KET, label,
                        diagonal);
  PetscFunctionReturn(0);
}

/* All kets that occur, sorted by code, so that equal ones stand beside each other and get one number. */
static PetscErrorCode list_occurrences(CospinDensity density, CospinStoredState state, Occurrence list[])
{
  int label[COSPIN_MAX_COORDINATES];

  PetscFunctionBeginUser;
  for (PetscInt64 place = 0; place < 2 * state->count; place++) {
    PetscCall(read_label(density, state, place, label));
    list[place] = (Occurrence){CospinDensityCode(density, label), place};
  }
  qsort(list, 2 * (size_t)state->count, sizeof(*list), compare_occurrences);
  PetscFunctionReturn(0);
}

/* Numbers the kets by their codes; elements[row] gets them. Sorted occurrences: a new number wherever the
   code changes. */
static PetscErrorCode number_kets(CospinDensity density, PetscInt64 num, const Occurrence list[])
{
  int ket = -1;

  PetscFunctionBeginUser;
  for (PetscInt64 k = 0; k < num; k++)
    if (k == 0 || list[k].code != list[k - 1].code) density->num_kets++;
  PetscCall(PetscMalloc2(density->num_kets, &density->codes, density->num_kets, &density->ket_of_code));
  for (PetscInt64 k = 0; k < num; k++) {
    CospinDensityElement *element = &density->elements[list[k].place / 2];
    if (k == 0 || list[k].code != list[k - 1].code) density->codes[++ket] = list[k].code;
    *(list[k].place % 2 ? &element->bra : &element->ket) = ket;
  }
  PetscFunctionReturn(0);
}

/* Puts kets in the order of their blocks. */
static PetscErrorCode order_kets(CospinDensity density, CospinStoredState state, PetscInt64 num,
                                 const Occurrence list[])
{
  const size_t n = (size_t)density->system->num_coordinates;
  int *place, k = -1;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(density->num_kets, &place));
  PetscCall(PetscMalloc1((size_t)density->num_kets * n, &density->labels));
  PetscCall(PetscMalloc1(density->num_kets, &density->block_of));
  PetscCall(find_blocks(density, place));
  for (PetscInt64 o = 0; o < num; o++) {
    if (o > 0 && list[o].code == list[o - 1].code) continue;
    k++;
    density->ket_of_code[k] = place[k];
    PetscCall(read_label(density, state, list[o].place, density->labels + (size_t)place[k] * n));
  }
  for (PetscInt64 e = 0; e < density->count; e++) {
    density->elements[e].ket = place[density->elements[e].ket];
    density->elements[e].bra = place[density->elements[e].bra];
  }
  for (int b = 0; b < density->num_blocks; b++)
    density->blocks[b].log_copies =
        CospinDensityLogCopies(density->system, CospinDensityLabel(density, density->blocks[b].first));
  PetscCall(PetscFree(place));
  PetscFunctionReturn(0);
}

/* The same as of a stored state, but that codes are there: no label is read, and none is kept. Elements of
   one place may come several times (a partial trace adds them up), which fill_blocks does by itself. */
PetscErrorCode CospinDensityCreateCoded(const CospinSystem *system, PetscInt64 num,
                                        const CospinCodedElement elements[], CospinDensity *density)
{
  CospinDensity new;
  Occurrence *list;
  int *place;

  PetscFunctionBeginUser;
  PetscCall(PetscNew(&new));
  new->system = system;
  new->whole = PETSC_TRUE;
  new->count = num;
  PetscCall(PetscMalloc1((size_t)num + 1, &new->elements));
  PetscCall(PetscMalloc1(2 * (size_t)num + 1, &list));
  for (PetscInt64 e = 0; e < num; e++) {
    new->elements[e].value = elements[e].value;
    list[2 * e] = (Occurrence){elements[e].ket, 2 * e};
    list[2 * e + 1] = (Occurrence){elements[e].bra, 2 * e + 1};
  }
  qsort(list, 2 * (size_t)num, sizeof(*list), compare_occurrences);
  PetscCall(number_kets(new, 2 * num, list));
  PetscCall(PetscMalloc1(new->num_kets, &new->block_of));
  PetscCall(PetscMalloc1(new->num_kets, &place));
  PetscCall(find_blocks(new, place));
  for (int k = 0; k < new->num_kets; k++) new->ket_of_code[k] = place[k];
  for (PetscInt64 e = 0; e < num; e++) {
    new->elements[e].ket = place[new->elements[e].ket];
    new->elements[e].bra = place[new->elements[e].bra];
    new->blocks[new->block_of[new->elements[e].ket]].log_copies = elements[e].log_copies;
  }
  PetscCall(PetscFree(place));
  PetscCall(PetscFree(list));
  *density = new;
  PetscFunctionReturn(0);
}

/* *density NULL: codes of kets do not fit into 63 bits. Without sides (atoms told one by one) elements are
   written out first. The purity needs no eigenvalue: Tr rho^2 is the sum of |rho_n|^2, over copies of the
   irrep. */
PetscErrorCode CospinDensityCreate(const CospinSystem *system, CospinStoredState state,
                                   CospinDensity *density)
{
  struct CospinStoredState_ occupied = *state;
  CospinDensity new;
  Occurrence *list;

  PetscFunctionBeginUser;
  if (!CospinSystemHasSides(system)) {
    PetscCall(CospinDensitySpell(system, state, density));
    PetscFunctionReturn(0);
  }
  PetscCall(PetscNew(&new));
  *density = new;
  new->system = system;
  new->state = state;
  new->whole = PETSC_TRUE;
  if (!CospinDensitySetRadix(new)) PetscCall(CospinDensityDestroy(density));
  if (!*density) PetscFunctionReturn(0);
  PetscCall(PetscMalloc1((size_t)state->count + 1, &new->elements));
  PetscCall(PetscMalloc1(((size_t)state->num_columns + 2) * (size_t)state->count, &occupied.rows));
  occupied.count = 0;
  for (PetscInt64 k = 0; k < state->count; k++) {
    const double *row = CospinDensityRow(state, k);
    const double complex value = row[state->num_columns] + I * row[state->num_columns + 1];
    /* Stored zeros would join blocks that have nothing to do with each other. */
    if (value == 0.0) continue;
    PetscCall(PetscArraycpy((double *)(uintptr_t)CospinDensityRow(&occupied, occupied.count), row,
                            (size_t)state->num_columns + 2));
    new->elements[occupied.count++].value = value;
  }
  new->count = occupied.count;
  PetscCall(PetscMalloc1(2 * (size_t)occupied.count + 1, &list));
  PetscCall(list_occurrences(new, &occupied, list));
  PetscCall(number_kets(new, 2 * occupied.count, list));
  PetscCall(order_kets(new, &occupied, 2 * occupied.count, list));
  for (PetscInt64 e = 0; e < new->count; e++) {
    const double copies = exp(new->blocks[new->block_of[new->elements[e].ket]].log_copies);
    new->purity += creal(new->elements[e].value *conj(new->elements[e].value)) / copies;
  }
  PetscCall(PetscFree(list));
  PetscCall(PetscFree(occupied.rows));
  PetscFunctionReturn(0);
}

/* The stored state is not the density's own and stays. NULL is allowed. */
PetscErrorCode CospinDensityDestroy(CospinDensity *density)
{
  PetscFunctionBeginUser;
  if (!*density) PetscFunctionReturn(0);
  for (int b = 0; b < (*density)->num_blocks; b++) {
    PetscCall(PetscFree((*density)->blocks[b].values));
    PetscCall(PetscFree((*density)->blocks[b].vectors));
  }
  PetscCall(PetscFree((*density)->blocks));
  PetscCall(PetscFree2((*density)->codes, (*density)->ket_of_code));
  PetscCall(PetscFree((*density)->labels));
  PetscCall(PetscFree((*density)->block_of));
  PetscCall(PetscFree((*density)->elements));
  PetscCall(PetscFree(*density));
  PetscFunctionReturn(0);
}

/* ---- Eigenvalues --------------------------------------------------------------------------------------- */

/* The hermitian part of the elements, where the eigenvectors will be. Half of an element and half of its
   conjugate on the other side: hermitian whatever rounding the state has. */
static void fill_blocks(CospinDensity density)
{
  for (PetscInt64 e = 0; e < density->count; e++) {
    const CospinDensityElement *element = &density->elements[e];
    const CospinDensityBlock *block = &density->blocks[density->block_of[element->ket]];
    const size_t n = (size_t)block->size, ket = (size_t)(element->ket - block->first),
                 bra = (size_t)(element->bra - block->first);
    block->vectors[ket + n * bra] += 0.5 * element->value;
    block->vectors[bra + n * ket] += 0.5 * conj(element->value);
  }
}

/* Eigenvalues below zero are rounding and become zero: logarithms of them are taken. Done once
   for all functionals of the state. *ok false: not all elements are there, or a block is too large. */
PetscErrorCode CospinDensityDiagonalise(CospinDensity density, PetscBool *ok)
{
  PetscFunctionBeginUser;
  *ok = density->whole;
  for (int b = 0; b < density->num_blocks; b++)
    if (density->blocks[b].size > COSPIN_LARGEST_BLOCK) *ok = PETSC_FALSE;
  if (!*ok || density->diagonal) PetscFunctionReturn(0);
  for (int b = 0; b < density->num_blocks; b++) {
    CospinDensityBlock *block = &density->blocks[b];
    const size_t n = (size_t)block->size;
    PetscCall(PetscMalloc1(n, &block->values));
    PetscCall(PetscCalloc1(n * n + (n > 1 ? ROOM_BEHIND : 0), &block->vectors));
  }
  fill_blocks(density);
  for (int b = 0; b < density->num_blocks; b++) {
    CospinDensityBlock *block = &density->blocks[b];
    PetscCall(CospinHermitianDiagonalise(block->size, block->vectors, block->values));
    for (int i = 0; i < block->size; i++) block->values[i] = PetscMax(block->values[i], 0.0);
  }
  density->diagonal = PETSC_TRUE;
  PetscFunctionReturn(0);
}
