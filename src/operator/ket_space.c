/*
   Blocks of kets. Labels of one ket differ by vectors of a lattice (cospin/problem/ket.h), so a block is a
   coset of it, enumerated as every sector is (cospin/problem/sector.h), with the coordinates of the bra
   standing still. A strong parity, a conserved charge or an irrep is thereby never stored more than is there:
   a ket of 10^4 spins with a definite m is one number.

   Blocks are found by their reduced representative in a table of lists; each remembers where its jumps lead,
   so the table is asked once for each.
*/
#include <cospin/operator/ket_space.h>
#include <cospin/problem/clock.h>

enum { NUM_HEADS = 4096 };
static const int attached_rows = 30; /* of blocks to which somebody may attach twenty full matrices */

/* ---- Matrices ------------------------------------------------------------------------------------------ */

/* value += a x; real and imaginary parts by hand, for the compiler's product of complex numbers cares for
   infinities. */
static inline void add_product(double value[2], double complex a, double complex x)
{
  value[0] += creal(a) * creal(x) - cimag(a) * cimag(x);
  value[1] += creal(a) * cimag(x) + cimag(a) * creal(x);
}

/* Two sums a row, so that one addition need not wait for another. */
void CospinKetMatrixApply(const CospinKetMatrix *m, const double complex x[], double complex y[])
{
  for (int r = 0; r < m->num_rows; r++) {
    const int end = m->first[r + 1];
    double even[2] = {0.0, 0.0}, odd[2] = {0.0, 0.0};
    int k = m->first[r];
    for (; k + 1 < end; k += 2) {
      add_product(even, m->value[k], x[m->column[k]]);
      add_product(odd, m->value[k + 1], x[m->column[k + 1]]);
    }
    if (k < end) add_product(even, m->value[k], x[m->column[k]]);
    y[r] = CMPLX(even[0] + odd[0], even[1] + odd[1]);
  }
}

/* Where a move leads in the block `to`; the bra is that of the block. -1: nowhere. */
static PetscInt64 target_of(const CospinSystem *system, const CospinMove *move, const int label[],
                            CospinKetBlock to)
{
  const int *representative = CospinSectorRepresentative(to->sector);
  int there[COSPIN_MAX_COORDINATES];

  for (int i = 0; i < system->num_coordinates; i++)
    there[i] =
        CospinSystemRole(system, i) == COSPIN_COORDINATE_BRA ? representative[i] : label[i] + move->shift[i];
  return CospinSectorIndex(to->sector, there);
}

/* An element on its way into a matrix. */
typedef struct {
  int row, column;
  double complex value;
} Element;

/* Sorted by rows; within a row columns ascend as they did before. */
static PetscErrorCode sort_elements(int count, const Element elements[], CospinKetMatrix *m)
{
  PetscFunctionBeginUser;
  PetscCall(PetscCalloc1((size_t)m->num_rows + 2, &m->first));
  PetscCall(PetscMalloc1((size_t)count + 1, &m->column));
  PetscCall(PetscMalloc1((size_t)count + 1, &m->value));
  for (int k = 0; k < count; k++) m->first[elements[k].row + 2]++;
  for (int r = 0; r < m->num_rows; r++) m->first[r + 2] += m->first[r + 1];
  for (int k = 0; k < count; k++) {
    const int place = m->first[elements[k].row + 1]++;
    m->column[place] = elements[k].column;
    m->value[place] = elements[k].value;
  }
  PetscFunctionReturn(0);
}

/* At most one element a move in each column. What leads out of the block or its window is left out. */
static PetscErrorCode create_matrix(CospinKetSpace space, CospinMoves moves, CospinKetBlock from,
                                    CospinKetBlock to, CospinKetMatrix *m)
{
  const CospinSystem *system = &space->kets->problem->system;
  const size_t most = (size_t)from->dimension * (size_t)moves->count;
  int label[COSPIN_MAX_COORDINATES], count = 0;
  Element *elements;

  PetscFunctionBeginUser;
  PetscCheck(most < PETSC_MAX_INT, PETSC_COMM_SELF, PETSC_ERR_SUP, "A matrix of more than 2^31 elements");
  *m = (CospinKetMatrix){.num_rows = to->dimension, .num_columns = from->dimension};
  PetscCall(PetscMalloc1(most + 1, &elements));
  for (int c = 0; c < from->dimension; c++) {
    double sum = 0.0;
    CospinSectorLabel(from->sector, c, label);
    for (int k = 0; k < moves->count; k++) {
      const double complex value = CospinMoveAmplitude(moves, &moves->moves[k], label);
      const PetscInt64 row = value == 0.0 ? -1 : target_of(system, &moves->moves[k], label, to);
      if (row < 0) continue;
      elements[count++] = (Element){(int)row, c, value};
      sum += cabs(value);
    }
    m->norm = PetscMax(m->norm, sum);
  }
  PetscCall(sort_elements(count, elements, m));
  PetscCall(PetscFree(elements));
  space->bytes += 20.0 * count + 4.0 * to->dimension;
  PetscFunctionReturn(0);
}

/* Also of one that was never made: all its pointers are NULL. */
static PetscErrorCode destroy_matrix(CospinKetMatrix *m)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(m->first));
  PetscCall(PetscFree(m->column));
  PetscCall(PetscFree(m->value));
  PetscFunctionReturn(0);
}

/* ---- Blocks -------------------------------------------------------------------------------------------- */

/* Which kets of a block have a bounded component in one of its highest levels, as many of these as one move
   can pass: what leaves the levels must have been there before. Ranges of levels depend on no other
   coordinate. */
static PetscErrorCode create_edges(CospinKetSpace space, CospinKetBlock block)
{
  const CospinSystem *system = &space->kets->problem->system;
  int label[COSPIN_MAX_COORDINATES];

  PetscFunctionBeginUser;
  PetscCall(
      PetscCalloc2((size_t)space->num_bounded, &block->edges, (size_t)space->num_bounded, &block->num_edges));
  for (int b = 0; b < space->num_bounded; b++) {
    const CospinComponent component = &system->components[space->bounds[b].component];
    int lo, hi;
    PetscCall(PetscMalloc1((size_t)block->dimension, &block->edges[b]));
    component->kind->Range(component, 0, NULL, &lo, &hi);
    for (int i = 0; i < block->dimension; i++) {
      CospinSectorLabel(block->sector, i, label);
      if (label[component->offset] > hi - space->reach[b]) block->edges[b][block->num_edges[b]++] = i;
    }
    space->bytes += 4.0 * block->dimension;
  }
  PetscFunctionReturn(0);
}

/* Not relative to the norm: the ket need not be normalised, and who asks knows its norm. */
double CospinKetBlockEdge(CospinKetBlock block, int k, const double complex x[])
{
  double sum = 0.0;

  for (int i = 0; i < block->num_edges[k]; i++) {
    const double complex amplitude = x[block->edges[k][i]];
    sum += creal(amplitude) * creal(amplitude) + cimag(amplitude) * cimag(amplitude);
  }
  return sum;
}

/* What acts between jumps is made at once, for every ket that comes here needs it. Jumps and what is read
   wait until they are asked for: most blocks of a large ensemble are passed through once, by one jump. */
static PetscErrorCode create_block(CospinKetSpace space, const int representative[], CospinKetBlock *block)
{
  const CospinKets kets = space->kets;
  CospinKetBlock new;

  PetscFunctionBeginUser;
  PetscCall(PetscNew(&new));
  *block = new;
  PetscCall(CospinSectorCreate(&kets->problem->system, kets->lattice, representative, &new->sector));
  PetscCheck(CospinSectorDimension(new->sector) < PETSC_MAX_INT, PETSC_COMM_SELF, PETSC_ERR_SUP,
             "More than 2^31 kets");
  new->dimension = (int)CospinSectorDimension(new->sector);
  PetscCall(create_matrix(space, kets->no_jump, new, new, &new->no_jump));
  PetscCall(PetscCalloc1((size_t)kets->num_terms + 1, &new->terms));
  for (int k = 0; k < kets->num_terms; k++)
    PetscCall(create_matrix(space, CospinClockKets(kets->problem, k), new, new, &new->terms[k]));
  PetscCall(PetscCalloc3((size_t)kets->num_jumps, &new->jumps, (size_t)kets->num_jumps, &new->targets,
                         (size_t)space->num_reads, &new->reads));
  PetscCall(create_edges(space, new));
  space->bytes += 1024.0 + 60.0 * kets->num_jumps + 48.0 * space->num_reads;
  if (new->dimension <= attached_rows) space->bytes += 320.0 * new->dimension *new->dimension;
  PetscFunctionReturn(0);
}

/* Who has attached something to the block has left word how it is freed. */
static PetscErrorCode destroy_block(CospinKetSpace space, CospinKetBlock block)
{
  PetscFunctionBeginUser;
  if (block->attached) PetscCall(space->Detach(block->attached));
  PetscCall(destroy_matrix(&block->no_jump));
  for (int k = 0; k < space->kets->num_terms; k++) PetscCall(destroy_matrix(&block->terms[k]));
  PetscCall(PetscFree(block->terms));
  for (int k = 0; k < space->kets->num_jumps; k++) PetscCall(destroy_matrix(&block->jumps[k]));
  for (int k = 0; k < space->num_reads; k++) PetscCall(destroy_matrix(&block->reads[k]));
  for (int k = 0; k < space->num_bounded; k++) PetscCall(PetscFree(block->edges[k]));
  PetscCall(PetscFree2(block->edges, block->num_edges));
  PetscCall(PetscFree3(block->jumps, block->targets, block->reads));
  PetscCall(CospinSectorDestroy(&block->sector));
  PetscCall(PetscFree(block));
  PetscFunctionReturn(0);
}

/* FNV-1a of the coordinates. */
static unsigned head_of(int n, const int label[])
{
  uint32_t sum = UINT32_C(2166136261);

  for (int i = 0; i < n; i++) sum = (sum ^ (uint32_t)label[i]) * UINT32_C(16777619);
  return (sum ^ sum >> 16) % NUM_HEADS;
}

/* Kets that differ by vectors of the lattice reduce to the same label, so that is the name of a block. */
PetscErrorCode CospinKetSpaceFind(CospinKetSpace space, const int label[], CospinKetBlock *block)
{
  const CospinSystem *system = &space->kets->problem->system;
  const int n = system->num_coordinates;
  int reduced[COSPIN_MAX_COORDINATES];
  CospinKetBlock *head;

  PetscFunctionBeginUser;
  PetscCall(PetscArraycpy(reduced, label, n));
  CospinKetClearBra(system, reduced);
  CospinLatticeReduce(space->kets->lattice, reduced);
  head = &space->heads[head_of(n, reduced)];
  for (*block = *head; *block; *block = (*block)->next) {
    PetscBool same;
    PetscCall(PetscArraycmp(CospinSectorRepresentative((*block)->sector), reduced, (size_t)n, &same));
    if (same) PetscFunctionReturn(0);
  }
  PetscCall(create_block(space, reduced, block));
  (*block)->next = *head;
  *head = *block;
  PetscFunctionReturn(0);
}

/* Kets are looked at evenly over the block. */
PetscErrorCode CospinKetSpaceSurvey(CospinKetSpace space, const int label[], double *dimension, double *norm,
                                    double *elements)
{
  const CospinMoves moves = space->kets->no_jump;
  int at[COSPIN_MAX_COORDINATES], looks;
  CospinSector sector;
  PetscInt64 size;

  PetscFunctionBeginUser;
  PetscCall(PetscArraycpy(at, label, moves->system->num_coordinates));
  CospinKetClearBra(moves->system, at);
  PetscCall(CospinSectorCreate(moves->system, space->kets->lattice, at, &sector));
  size = CospinSectorDimension(sector);
  looks = (int)PetscMin(1000, size);
  *dimension = (double)size;
  *norm = *elements = 0.0;
  for (int k = 0; k < looks; k++) {
    double sum = 0.0;
    CospinSectorLabel(sector, size * k / looks, at);
    for (int m = 0; m < moves->count; m++) {
      const double modulus = cabs(CospinMoveAmplitude(moves, &moves->moves[m], at));
      sum += modulus;
      *elements += modulus > 0.0 ? *dimension / looks : 0.0;
    }
    *norm = PetscMax(*norm, sum);
  }
  PetscCall(CospinSectorDestroy(&sector));
  PetscFunctionReturn(0);
}

/* -2 Re <x|A|x> of labels spread over all ranges. */
double CospinKetSpaceFastest(CospinKetSpace space)
{
  enum { DRAWS = 1000 };
  const CospinMoves moves = space->kets->no_jump;
  const CospinSystem *system = moves->system;
  double fastest = 0.0;

  for (uint64_t k = 0; k < DRAWS; k++) {
    int label[COSPIN_MAX_COORDINATES];
    double rate = 0.0;
    for (int i = 0; i < system->num_coordinates; i++) {
      double uniform[2];
      int lo, hi;
      CospinRandomPair(0, k * COSPIN_MAX_COORDINATES + (uint64_t)i, uniform);
      CospinSystemRange(system, i, label, &lo, &hi);
      label[i] = lo + (int)(uniform[0] * (hi - lo + 1));
    }
    for (int m = 0; m < moves->count; m++) {
      PetscBool stays = PETSC_TRUE;
      for (int i = 0; i < system->num_coordinates; i++)
        if (moves->moves[m].shift[i]) stays = PETSC_FALSE;
      if (stays) rate -= 2.0 * creal(CospinMoveAmplitude(moves, &moves->moves[m], label));
    }
    fastest = PetscMax(fastest, rate);
  }
  return fastest;
}

/* All moves of one jump lead to the same block, since the lattice holds the differences of their shifts: the
   first one tells which. */
PetscErrorCode CospinKetBlockJump(CospinKetSpace space, CospinKetBlock block, int k,
                                  const CospinKetMatrix **jump, CospinKetBlock *target)
{
  const CospinMoves moves = space->kets->jumps[k].moves;
  const int *representative = CospinSectorRepresentative(block->sector);
  int label[COSPIN_MAX_COORDINATES];

  PetscFunctionBeginUser;
  if (!block->jumps[k].first) {
    for (int i = 0; i < moves->system->num_coordinates; i++)
      label[i] = representative[i] + moves->moves[0].shift[i];
    PetscCall(CospinKetSpaceFind(space, label, &block->targets[k]));
    PetscCall(create_matrix(space, moves, block, block->targets[k], &block->jumps[k]));
  }
  *jump = &block->jumps[k];
  *target = block->targets[k];
  PetscFunctionReturn(0);
}

/* Of an operator that leads out of the block what stays in it, which is all that <psi|A|psi> has of it. */
PetscErrorCode CospinKetBlockRead(CospinKetSpace space, CospinKetBlock block, int k,
                                  const CospinKetMatrix **read)
{
  PetscFunctionBeginUser;
  if (!block->reads[k].first)
    PetscCall(create_matrix(space, space->reads[k], block, block, &block->reads[k]));
  *read = &block->reads[k];
  PetscFunctionReturn(0);
}

/* ---- The space ----------------------------------------------------------------------------------------- */

/* How far one move goes along coordinate i. */
static int reach_of(CospinKets kets, int i)
{
  int reach = 1;

  for (int k = -1 - kets->num_terms; k < kets->num_jumps; k++) {
    const CospinMoves moves = k < -1    ? CospinClockKets(kets->problem, -2 - k)
                              : k == -1 ? kets->no_jump
                                        : kets->jumps[k].moves;
    for (int l = 0; l < moves->count; l++) reach = PetscMax(reach, PetscAbsInt(moves->moves[l].shift[i]));
  }
  return reach;
}

/* Components whose number of levels is somebody's choice. The first coordinate counts them. */
static PetscErrorCode create_bounds(CospinKetSpace space)
{
  const CospinSystem *system = &space->kets->problem->system;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2((size_t)system->num_components, &space->bounds, (size_t)system->num_components,
                         &space->reach));
  for (int c = 0; c < system->num_components; c++) {
    const CospinComponent component = &system->components[c];
    const PetscBool open = (PetscBool)(component->kind->Window && component->kind->Window(component) > 0);
    const double accepted = component->kind->Edge ? component->kind->Edge(component) : INFINITY;
    if (!open && !(accepted < INFINITY)) continue;
    space->reach[space->num_bounded] = reach_of(space->kets, component->offset);
    space->bounds[space->num_bounded++] = (CospinKetBound){c, open, accepted};
  }
  PetscFunctionReturn(0);
}

PetscErrorCode CospinKetSpaceCreate(CospinKets kets, int num_reads, const CospinMoves reads[],
                                    CospinKetSpace *space)
{
  PetscFunctionBeginUser;
  PetscCall(PetscNew(space));
  (*space)->kets = kets;
  (*space)->num_reads = num_reads;
  (*space)->reads = reads;
  PetscCall(PetscCalloc1(NUM_HEADS, &(*space)->heads));
  PetscCall(create_bounds(*space));
  PetscFunctionReturn(0);
}

/* Pointers to blocks are void from now on, those that jumps remember included: all are freed together. */
PetscErrorCode CospinKetSpaceClear(CospinKetSpace space)
{
  PetscFunctionBeginUser;
  for (int h = 0; h < NUM_HEADS; h++) {
    while (space->heads[h]) {
      const CospinKetBlock block = space->heads[h];
      space->heads[h] = block->next;
      PetscCall(destroy_block(space, block));
    }
  }
  space->bytes = 0.0;
  PetscFunctionReturn(0);
}

PetscErrorCode CospinKetSpaceDestroy(CospinKetSpace *space)
{
  PetscFunctionBeginUser;
  if (!*space) PetscFunctionReturn(0);
  PetscCall(CospinKetSpaceClear(*space));
  PetscCall(PetscFree2((*space)->bounds, (*space)->reach));
  PetscCall(PetscFree((*space)->heads));
  PetscCall(PetscFree(*space));
  PetscFunctionReturn(0);
}
