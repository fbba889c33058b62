/*
   The mean of |psi><psi|/<psi|psi> over trajectories, block by block: kets of different blocks have no
   coherence, for no ket has both.

   It has to be the same to the last bit on any number of ranks, and sums of floating point numbers depend on
   their order. Numbers of a density matrix are at most 1, so they are summed as whole multiples of 2^-s, with
   s such that so many kets as there may be do not overflow 63 bits: whole numbers may be added in any order.
   Each is rounded by 2^-s, which of 10^6 kets is 1e-13 of one of them.

   A trajectory counts when it is over (CospinAverageTake), since only then is it known whether it does.
*/
#include "average.h"
#include <cospin/problem/storage.h>

enum { SLOTS = COSPIN_AVERAGE_GROUPS + 1 }; /* the last is the trajectory that does not jump */

/* A block of kets that some trajectory has come to. */
typedef struct {
  int dimension;
  int *labels;   /* [dimension][num_coordinates]; the first names the block */
  int64_t *sums; /* [rows][SLOTS][dimension*dimension][2] */
} Part;

/* A ket of the trajectory at work. */
typedef struct {
  int row, part;
  double complex *ket;
} Seen;

struct CospinAverage_ {
  const CospinSystem *system;
  int rows, num_parts, num_seen, room;
  double scale, bytes, most_bytes;
  PetscBool too_large;
  Part *parts;
  Seen *seen;
  int64_t *counts; /* [rows][SLOTS] kets */
};

/* `most` is what sums must hold; fewer kets lose nothing but bits that none of them had. */
PetscErrorCode CospinAverageCreate(const CospinSystem *system, int rows, double most, double bytes,
                                   CospinAverage *average)
{
  int bits = 1;

  PetscFunctionBeginUser;
  PetscCall(PetscNew(average));
  while (bits < 40 && ldexp(1.0, bits) <= most) bits++;
  (*average)->system = system;
  (*average)->rows = rows;
  (*average)->scale = ldexp(1.0, PetscMin(52, 62 - bits));
  (*average)->most_bytes = bytes;
  PetscCall(PetscCalloc1((size_t)rows * SLOTS, &(*average)->counts));
  PetscFunctionReturn(0);
}

static PetscErrorCode free_parts(CospinAverage a)
{
  PetscFunctionBeginUser;
  for (int p = 0; p < a->num_parts; p++) {
    PetscCall(PetscFree(a->parts[p].labels));
    PetscCall(PetscFree(a->parts[p].sums));
  }
  PetscCall(PetscFree(a->parts));
  a->num_parts = 0;
  a->bytes = 0.0;
  PetscFunctionReturn(0);
}

PetscErrorCode CospinAverageDestroy(CospinAverage *average)
{
  PetscFunctionBeginUser;
  if (!*average) PetscFunctionReturn(0);
  PetscCall(free_parts(*average));
  for (int k = 0; k < (*average)->room; k++) PetscCall(PetscFree((*average)->seen[k].ket));
  PetscCall(PetscFree((*average)->seen));
  PetscCall(PetscFree((*average)->counts));
  PetscCall(PetscFree(*average));
  PetscFunctionReturn(0);
}

PetscBool CospinAverageIsTooLarge(CospinAverage a)
{
  return a->too_large;
}

/* ---- Parts --------------------------------------------------------------------------------------------- */

/* Real and imaginary parts of a full matrix. Half of it would do, and the other half is what a reader of the
   file expects to find. */
static size_t square(const Part *part)
{
  return 2 * (size_t)part->dimension * (size_t)part->dimension;
}

static int64_t *sums_of(CospinAverage a, int part, int row, int slot)
{
  return a->parts[part].sums + square(&a->parts[part]) * ((size_t)row * SLOTS + (size_t)slot);
}

/* Takes labels[dimension][num_coordinates]. *part -1: there is no memory for it. */
static PetscErrorCode add_part(CospinAverage a, int dimension, int *labels, int *part)
{
  Part new = {.dimension = dimension, .labels = labels};
  const size_t count = square(&new) * (size_t)a->rows * SLOTS;

  PetscFunctionBeginUser;
  *part = -1;
  a->bytes += 8.0 * (double)count;
  if (a->bytes > a->most_bytes) a->too_large = PETSC_TRUE;
  if (a->too_large) PetscCall(PetscFree(labels));
  if (a->too_large) PetscFunctionReturn(0);
  PetscCall(PetscRealloc(sizeof(Part) * (size_t)(a->num_parts + 1), &a->parts));
  PetscCall(PetscCalloc1(count, &new.sums));
  *part = a->num_parts;
  a->parts[a->num_parts++] = new;
  PetscFunctionReturn(0);
}

/* By its first label; -1: there is none. The newest first: a ket stays in its block for a while. */
static PetscErrorCode find_part(CospinAverage a, const int label[], int *part)
{
  PetscBool same = PETSC_FALSE;

  PetscFunctionBeginUser;
  for (*part = a->num_parts - 1; *part >= 0; --*part) {
    PetscCall(PetscArraycmp(a->parts[*part].labels, label, (size_t)a->system->num_coordinates, &same));
    if (same) break;
  }
  PetscFunctionReturn(0);
}

/* ---- Kets ---------------------------------------------------------------------------------------------- */

/* Labels are copied, since blocks may be freed and made again (CospinKetLevelTrim). */
static PetscErrorCode part_of(CospinAverage a, CospinKetBlock block, int *part)
{
  const int n = a->system->num_coordinates;
  int first[COSPIN_MAX_COORDINATES], *labels;

  PetscFunctionBeginUser;
  CospinSectorLabel(block->sector, 0, first);
  PetscCall(find_part(a, first, part));
  if (*part >= 0) PetscFunctionReturn(0);
  PetscCall(PetscMalloc1((size_t)block->dimension * (size_t)n, &labels));
  for (int i = 0; i < block->dimension; i++)
    CospinSectorLabel(block->sector, i, labels + (size_t)i * (size_t)n);
  PetscCall(add_part(a, block->dimension, labels, part));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinAverageVisit(CospinAverage a, int row, CospinKetBlock block, const double complex ket[],
                                  double norm2)
{
  Seen *seen;
  int part;

  PetscFunctionBeginUser;
  if (a->too_large) PetscFunctionReturn(0);
  PetscCall(part_of(a, block, &part));
  if (part < 0) PetscFunctionReturn(0);
  if (a->num_seen == a->room) {
    PetscCall(PetscRealloc(sizeof(Seen) * (size_t)(a->room + 1), &a->seen));
    a->seen[a->room++] = (Seen){0};
  }
  seen = &a->seen[a->num_seen++];
  seen->row = row;
  seen->part = part;
  PetscCall(PetscRealloc(sizeof(double complex) * (size_t)block->dimension, &seen->ket));
  for (int i = 0; i < block->dimension; i++) seen->ket[i] = ket[i] / PetscSqrtReal(norm2);
  PetscFunctionReturn(0);
}

/* Whatever a trajectory has left that could not be followed to its end. */
void CospinAverageDrop(CospinAverage a)
{
  a->num_seen = 0;
}

/* Rounded one by one: rho stays hermitian to the last bit, as the products of (i, j) and (j, i) are the same
   numbers. */
PetscErrorCode CospinAverageTake(CospinAverage a, int group)
{
  PetscFunctionBeginUser;
  for (int k = 0; k < a->num_seen && !a->too_large; k++) {
    const Seen *seen = &a->seen[k];
    const int n = a->parts[seen->part].dimension;
    int64_t *sum = sums_of(a, seen->part, seen->row, group);
    for (int i = 0; i < n; i++) {
      const double re = a->scale * creal(seen->ket[i]), im = a->scale * cimag(seen->ket[i]);
      for (int j = 0; j < n; j++) {
        *sum++ += llrint(re * creal(seen->ket[j]) + im * cimag(seen->ket[j]));
        *sum++ += llrint(im * creal(seen->ket[j]) - re * cimag(seen->ket[j]));
      }
    }
    a->counts[seen->row * SLOTS + group] += 1;
  }
  a->num_seen = 0;
  PetscFunctionReturn(0);
}

/* ---- All ranks ----------------------------------------------------------------------------------------- */

/* One part of another rank, on the first. */
/* It need not have been here: trajectories of other ranks may have come to other irreps. Matrices are sent
   one by one, for the count of a message is an int. */
static PetscErrorCode receive_part(MPI_Comm comm, CospinAverage a, int from)
{
  const int n = a->system->num_coordinates;
  int dimension, part, *labels;
  int64_t *numbers;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Recv(&dimension, 1, MPI_INT, from, 0, comm, MPI_STATUS_IGNORE));
  PetscCall(PetscMalloc1((size_t)dimension * (size_t)n, &labels));
  PetscCallMPI(MPI_Recv(labels, dimension * n, MPI_INT, from, 0, comm, MPI_STATUS_IGNORE));
  PetscCall(find_part(a, labels, &part));
  if (part < 0)
    PetscCall(add_part(a, dimension, labels, &part));
  else
    PetscCall(PetscFree(labels));
  PetscCall(PetscMalloc1(2 * (size_t)dimension * (size_t)dimension, &numbers));
  for (int k = 0; k < a->rows * SLOTS; k++) {
    int64_t *sum = part < 0 ? NULL : sums_of(a, part, k / SLOTS, k % SLOTS);
    PetscCallMPI(MPI_Recv(numbers, 2 * dimension * dimension, MPI_INT64_T, from, 0, comm, MPI_STATUS_IGNORE));
    for (size_t i = 0; sum && i < square(&a->parts[part]); i++) sum[i] += numbers[i];
  }
  PetscCall(PetscFree(numbers));
  PetscFunctionReturn(0);
}

/* In the order in which receive_part() expects it. */
static PetscErrorCode send_part(MPI_Comm comm, CospinAverage a, int part)
{
  const Part *p = &a->parts[part];

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Send(&p->dimension, 1, MPI_INT, 0, 0, comm));
  PetscCallMPI(MPI_Send(p->labels, p->dimension * a->system->num_coordinates, MPI_INT, 0, 0, comm));
  for (int k = 0; k < a->rows * SLOTS; k++)
    PetscCallMPI(MPI_Send(sums_of(a, part, k / SLOTS, k % SLOTS), (int)square(p), MPI_INT64_T, 0, 0, comm));
  PetscFunctionReturn(0);
}

/* One rank after the other, so that the first needs room for one part of one of them at a time. */
PetscErrorCode CospinAverageGather(MPI_Comm comm, CospinAverage a)
{
  int rank, size, num, large = 0;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Comm_size(comm, &size));
  for (int from = 1; from < size; from++) {
    num = a->num_parts;
    if (rank == from) PetscCallMPI(MPI_Send(&num, 1, MPI_INT, 0, 0, comm));
    for (int p = 0; rank == from && p < a->num_parts; p++) PetscCall(send_part(comm, a, p));
    if (rank == 0) PetscCallMPI(MPI_Recv(&num, 1, MPI_INT, from, 0, comm, MPI_STATUS_IGNORE));
    for (int p = 0; rank == 0 && p < num; p++) PetscCall(receive_part(comm, a, from));
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, a->counts, a->rows * SLOTS, MPI_INT64_T, MPI_SUM, comm));
  if (rank) PetscCall(free_parts(a));
  if (rank) PetscCall(PetscArrayzero(a->counts, (size_t)a->rows * SLOTS));
  if (a->too_large) large = 1;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &large, 1, MPI_INT, MPI_MAX, comm));
  a->too_large = (PetscBool)large;
  PetscFunctionReturn(0);
}

/* Whole numbers of 63 bits as two of a double, which has 53. */
static PetscErrorCode exchange_numbers(CospinCheckpoint checkpoint, size_t num, int64_t numbers[])
{
  const int64_t base = INT64_C(1) << 31;
  double *halves;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(2 * num + 1, &halves));
  for (size_t i = 0; i < num && !checkpoint->loading; i++) {
    halves[2 * i] = (double)(numbers[i] / base);
    halves[2 * i + 1] = (double)(numbers[i] % base);
  }
  PetscCall(CospinCheckpointReals(checkpoint, 2 * num, halves));
  for (size_t i = 0; i < num && checkpoint->loading; i++)
    numbers[i] = (int64_t)halves[2 * i] * base + (int64_t)halves[2 * i + 1];
  PetscCall(PetscFree(halves));
  PetscFunctionReturn(0);
}

/* Piece by piece as between ranks, and for the same reason. */
static PetscErrorCode exchange_part(CospinAverage a, CospinCheckpoint checkpoint, int part)
{
  const int n = a->system->num_coordinates;
  int dimension = checkpoint->loading ? 0 : a->parts[part].dimension, *labels = NULL;

  PetscFunctionBeginUser;
  PetscCall(CospinCheckpointInts(checkpoint, 1, &dimension));
  if (checkpoint->loading) PetscCall(PetscMalloc1((size_t)dimension * (size_t)n, &labels));
  PetscCall(CospinCheckpointInts(checkpoint, (size_t)dimension * (size_t)n,
                                 labels ? labels : a->parts[part].labels));
  if (labels) PetscCall(add_part(a, dimension, labels, &part));
  PetscCheck(part >= 0, PETSC_COMM_SELF, PETSC_ERR_MEM, "The averaged state fitted before, and does not now");
  for (int k = 0; k < a->rows * SLOTS; k++)
    PetscCall(exchange_numbers(checkpoint, square(&a->parts[part]), sums_of(a, part, k / SLOTS, k % SLOTS)));
  PetscFunctionReturn(0);
}

/* Loaded by all ranks, kept by the first. When it is saved, which is not collective, the others have none. */
PetscErrorCode CospinAverageExchange(CospinAverage a, CospinCheckpoint checkpoint)
{
  int num = a->num_parts, rank;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(checkpoint->comm, &rank));
  PetscCall(CospinCheckpointInts(checkpoint, 1, &num));
  if (checkpoint->loading) PetscCall(free_parts(a));
  for (int p = 0; p < num; p++) PetscCall(exchange_part(a, checkpoint, p));
  PetscCall(exchange_numbers(checkpoint, (size_t)a->rows * SLOTS, a->counts));
  if (!checkpoint->loading || !rank) PetscFunctionReturn(0);
  PetscCall(free_parts(a));
  PetscCall(PetscArrayzero(a->counts, (size_t)a->rows * SLOTS));
  PetscFunctionReturn(0);
}

/* ---- The state ----------------------------------------------------------------------------------------- */

/* What a ket of each slot weighs. Where no trajectory has jumped yet, what has not is all there is: its share
   is 1 to rounding, or it could not be so. */
static void set_weights(CospinAverage a, int row, int without, double share, double weights[SLOTS])
{
  const int64_t *counts = a->counts + (size_t)row * SLOTS;
  double all = 0.0;

  for (int g = 0; g < COSPIN_AVERAGE_GROUPS; g++)
    if (g != without) all += (double)counts[g];
  for (int g = 0; g < COSPIN_AVERAGE_GROUPS; g++)
    weights[g] = g == without || all == 0.0 ? 0.0 : share / all / a->scale;
  weights[SLOTS - 1] = (all == 0.0 ? 1.0 : 1.0 - share) / a->scale;
}

/* The label of |i><j|: kets' coordinates and those that name the irrep from i, the bra's from j. Coordinates
   of a component come in pairs, the k-th of the bra with the k-th of the ket. */
static void put_bra(const CospinSystem *system, const int ket[], int label[])
{
  for (int c = 0; c < system->num_components; c++) {
    const CospinComponent component = &system->components[c];
    int rank = 0;
    for (int i = 0; i < component->num_coordinates; i++) {
      int k = 0, seen = -1;
      if (component->kind->roles[i] != COSPIN_COORDINATE_BRA) continue;
      for (; k < component->num_coordinates; k++)
        if (component->kind->roles[k] == COSPIN_COORDINATE_KET && ++seen == rank) break;
      label[component->offset + i] = ket[component->offset + k];
      rank++;
    }
  }
}

/* Elements that are zero are left out, as in every stored state. */
PetscErrorCode CospinAverageState(CospinAverage a, int row, int without, double share,
                                  CospinStoredState state)
{
  const int n = a->system->num_coordinates;
  double weights[SLOTS], columns[2 * COSPIN_MAX_COORDINATES];

  PetscFunctionBeginUser;
  set_weights(a, row, without, share, weights);
  for (int p = 0; p < a->num_parts; p++) {
    const Part *part = &a->parts[p];
    const size_t size = (size_t)part->dimension;
    for (size_t e = 0; e < size * size; e++) {
      int label[COSPIN_MAX_COORDINATES];
      double sum[2] = {0.0, 0.0};
      for (int g = 0; g < SLOTS; g++) {
        const int64_t *numbers = sums_of(a, p, row, g) + 2 * e;
        for (int i = 0; i < 2; i++) sum[i] += weights[g] * (double)numbers[i];
      }
      if (sum[0] == 0.0 && sum[1] == 0.0) continue;
      PetscCall(PetscArraycpy(label, part->labels + (e / size) * (size_t)n, n));
      put_bra(a->system, part->labels + (e % size) * (size_t)n, label);
      CospinStorageColumns(a->system, label, columns);
      PetscCall(CospinStoredStateAppend(state, columns, CMPLX(sum[0], sum[1])));
    }
  }
  PetscFunctionReturn(0);
}
