/*
   The stream of numbers that an unfinished task leaves and finds again. Writing and reading are the same
   calls in the same order (CospinCheckpointReals(...) fills the arrays if the checkpoint is `loading`), so
   that a task has one function that says what it consists of and the two directions cannot disagree.

   The numbers stand on the first rank. Vectors are written in the order of their sector's labels, which
   does not depend on the number of ranks: a run may go on with another one.

   Integers are written as doubles, which hold them exactly up to 2^53. A stream that ends too early or a
   vector of another size is an error and no result: the file was made by another deck or program, which
   store/checkpoint_file.c should have told before.
*/
#include <cospin/point/checkpoint.h>

PetscErrorCode CospinCheckpointCreate(MPI_Comm comm, CospinCheckpoint *checkpoint)
{
  PetscFunctionBeginUser;
  PetscCall(PetscNew(checkpoint));
  (*checkpoint)->comm = comm;
  PetscFunctionReturn(0);
}

/* `numbers` are taken over; NULL on all ranks but the first. */
PetscErrorCode CospinCheckpointCreateLoading(MPI_Comm comm, size_t count, double *numbers,
                                             CospinCheckpoint *checkpoint)
{
  PetscFunctionBeginUser;
  PetscCall(CospinCheckpointCreate(comm, checkpoint));
  (*checkpoint)->loading = PETSC_TRUE;
  (*checkpoint)->count = count;
  (*checkpoint)->numbers = numbers;
  PetscFunctionReturn(0);
}

PetscErrorCode CospinCheckpointDestroy(CospinCheckpoint *checkpoint)
{
  PetscFunctionBeginUser;
  if (*checkpoint) PetscCall(PetscFree((*checkpoint)->numbers));
  PetscCall(PetscFree(*checkpoint));
  PetscFunctionReturn(0);
}

/* Only the first rank has room for numbers; the others take part in collecting vectors. At least doubled:
   checkpoints are put together from many small pieces. */
static PetscErrorCode append(CospinCheckpoint checkpoint, size_t num, const double values[])
{
  PetscFunctionBeginUser;
  if (checkpoint->count + num > checkpoint->capacity) {
    checkpoint->capacity = 2 * checkpoint->capacity + num;
    PetscCall(PetscRealloc(sizeof(double) * checkpoint->capacity, &checkpoint->numbers));
  }
  PetscCall(PetscArraycpy(checkpoint->numbers + checkpoint->count, values, num));
  checkpoint->count += num;
  PetscFunctionReturn(0);
}

/* Collective: all ranks leave together if the first has too few numbers. `num` matters there. count and at
   are the first rank's; on the others both are zero, and what they say is overwritten by the broadcast. */
static PetscErrorCode expect(CospinCheckpoint checkpoint, size_t num)
{
  const int mine = num > checkpoint->count - checkpoint->at;
  int missing = mine;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Bcast(&missing, 1, MPI_INT, 0, checkpoint->comm));
  PetscCheck(!missing, checkpoint->comm, PETSC_ERR_FILE_UNEXPECTED,
             "The checkpoint has %zu numbers, %zu more are wanted after %zu", checkpoint->count, num,
             checkpoint->at);
  PetscFunctionReturn(0);
}

/* The next numbers of a stream that is being read. */
static const double *take(CospinCheckpoint checkpoint, size_t num)
{
  const double *values = checkpoint->numbers + checkpoint->at;

  checkpoint->at += num;
  return values;
}

static PetscErrorCode is_first(CospinCheckpoint checkpoint, PetscBool *first)
{
  PetscMPIInt rank;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(checkpoint->comm, &rank));
  *first = (PetscBool)(rank == 0);
  PetscFunctionReturn(0);
}

PetscErrorCode CospinCheckpointReals(CospinCheckpoint checkpoint, size_t num, double values[])
{
  PetscMPIInt size;
  PetscBool first = PETSC_FALSE;

  PetscFunctionBeginUser;
  PetscCall(is_first(checkpoint, &first));
  if (!checkpoint->loading) {
    if (first) PetscCall(append(checkpoint, num, values));
    PetscFunctionReturn(0);
  }
  PetscCall(expect(checkpoint, num));
  if (first) PetscCall(PetscArraycpy(values, take(checkpoint, num), num));
  PetscCall(PetscMPIIntCast((PetscInt)num, &size));
  PetscCallMPI(MPI_Bcast(values, size, MPI_DOUBLE, 0, checkpoint->comm));
  PetscFunctionReturn(0);
}

/* One by one: there are a handful. */
PetscErrorCode CospinCheckpointInts(CospinCheckpoint checkpoint, size_t num, int values[])
{
  PetscFunctionBeginUser;
  for (size_t k = 0; k < num; k++) {
    double value = values[k];
    PetscCall(CospinCheckpointReals(checkpoint, 1, &value));
    values[k] = (int)value;
  }
  PetscFunctionReturn(0);
}

/* All elements stand on the first rank meanwhile: 1/49 of what the Krylov space takes on all of them. Two
   doubles an element. The scatter to rank 0 puts elements into the order of labels, whatever their
   distribution is. */
PetscErrorCode CospinCheckpointVec(CospinCheckpoint checkpoint, Vec u)
{
  VecScatter scatter;
  PetscScalar *array;
  PetscInt size;
  Vec all;

  PetscFunctionBeginUser;
  PetscCall(VecScatterCreateToZero(u, &scatter, &all));
  if (!checkpoint->loading) {
    PetscCall(VecScatterBegin(scatter, u, all, INSERT_VALUES, SCATTER_FORWARD));
    PetscCall(VecScatterEnd(scatter, u, all, INSERT_VALUES, SCATTER_FORWARD));
  }
  PetscCall(VecGetLocalSize(all, &size)); /* 0 on all ranks but the first */
  if (checkpoint->loading) PetscCall(expect(checkpoint, 2 * (size_t)size));
  PetscCall(VecGetArray(all, &array));
  if (!checkpoint->loading) PetscCall(append(checkpoint, 2 * (size_t)size, (const double *)array));
  if (checkpoint->loading && size)
    PetscCall(PetscArraycpy((double *)array, take(checkpoint, 2 * (size_t)size), 2 * (size_t)size));
  PetscCall(VecRestoreArray(all, &array));
  if (checkpoint->loading) {
    PetscCall(VecScatterBegin(scatter, all, u, INSERT_VALUES, SCATTER_REVERSE));
    PetscCall(VecScatterEnd(scatter, all, u, INSERT_VALUES, SCATTER_REVERSE));
  }
  PetscCall(VecDestroy(&all));
  PetscCall(VecScatterDestroy(&scatter));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinCheckpointState(CospinCheckpoint checkpoint, CospinStoredState state)
{
  const size_t width = (size_t)state->num_columns + 2;
  double rows = (double)state->count;
  PetscBool first = PETSC_FALSE;

  PetscFunctionBeginUser;
  PetscCall(CospinCheckpointReals(checkpoint, 1, &rows));
  PetscCall(is_first(checkpoint, &first));
  if (checkpoint->loading) PetscCall(expect(checkpoint, (size_t)rows * width));
  if (!checkpoint->loading && first) PetscCall(append(checkpoint, (size_t)rows * width, state->rows));
  for (size_t k = 0; checkpoint->loading && first && k < (size_t)rows; k++) {
    const double *row = take(checkpoint, width);
    PetscCall(CospinStoredStateAppend(state, row, CMPLX(row[width - 2], row[width - 1])));
  }
  PetscFunctionReturn(0);
}
