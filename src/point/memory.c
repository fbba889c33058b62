#include <cospin/point/memory.h>

PetscErrorCode CospinMemoryCreate(MPI_Comm comm, CospinMemory *memory)
{
  PetscFunctionBeginUser;
  PetscCall(PetscNew(memory));
  (*memory)->comm = comm;
  PetscFunctionReturn(0);
}

PetscErrorCode CospinMemoryCreateLoading(MPI_Comm comm, size_t count, double *numbers, CospinMemory *memory)
{
  PetscFunctionBeginUser;
  PetscCall(CospinMemoryCreate(comm, memory));
  (*memory)->loading = PETSC_TRUE;
  (*memory)->count = count;
  (*memory)->numbers = numbers;
  PetscFunctionReturn(0);
}

PetscErrorCode CospinMemoryDestroy(CospinMemory *memory)
{
  PetscFunctionBeginUser;
  if (*memory) PetscCall(PetscFree((*memory)->numbers));
  PetscCall(PetscFree(*memory));
  PetscFunctionReturn(0);
}

static PetscErrorCode append(CospinMemory memory, size_t num, const double values[])
{
  PetscFunctionBeginUser;
  if (memory->count + num > memory->capacity) {
    memory->capacity = 2 * memory->capacity + num;
    PetscCall(PetscRealloc(sizeof(double) * memory->capacity, &memory->numbers));
  }
  PetscCall(PetscArraycpy(memory->numbers + memory->count, values, num));
  memory->count += num;
  PetscFunctionReturn(0);
}

/* Collective: all ranks leave together if the first has too few numbers. `num` matters there. */
static PetscErrorCode expect(CospinMemory memory, size_t num)
{
  const int mine = num > memory->count - memory->at;
  int missing = mine;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Bcast(&missing, 1, MPI_INT, 0, memory->comm));
  PetscCheck(!missing, memory->comm, PETSC_ERR_FILE_UNEXPECTED,
             "The checkpoint has %zu numbers, %zu more are wanted after %zu", memory->count, num, memory->at);
  PetscFunctionReturn(0);
}

static const double *take(CospinMemory memory, size_t num)
{
  const double *values = memory->numbers + memory->at;

  memory->at += num;
  return values;
}

static PetscErrorCode is_first(CospinMemory memory, PetscBool *first)
{
  PetscMPIInt rank;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(memory->comm, &rank));
  *first = (PetscBool)(rank == 0);
  PetscFunctionReturn(0);
}

PetscErrorCode CospinMemoryReals(CospinMemory memory, size_t num, double values[])
{
  PetscMPIInt size;
  PetscBool first = PETSC_FALSE;

  PetscFunctionBeginUser;
  PetscCall(is_first(memory, &first));
  if (!memory->loading) {
    if (first) PetscCall(append(memory, num, values));
    PetscFunctionReturn(0);
  }
  PetscCall(expect(memory, num));
  if (first) PetscCall(PetscArraycpy(values, take(memory, num), num));
  PetscCall(PetscMPIIntCast((PetscInt)num, &size));
  PetscCallMPI(MPI_Bcast(values, size, MPI_DOUBLE, 0, memory->comm));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinMemoryInts(CospinMemory memory, size_t num, int values[])
{
  PetscFunctionBeginUser;
  for (size_t k = 0; k < num; k++) {
    double value = values[k];
    PetscCall(CospinMemoryReals(memory, 1, &value));
    values[k] = (int)value;
  }
  PetscFunctionReturn(0);
}

/* All elements stand on the first rank meanwhile: 1/49 of what the Krylov space takes on all of them. */
PetscErrorCode CospinMemoryVec(CospinMemory memory, Vec u)
{
  VecScatter scatter;
  PetscScalar *array;
  PetscInt size;
  Vec all;

  PetscFunctionBeginUser;
  PetscCall(VecScatterCreateToZero(u, &scatter, &all));
  if (!memory->loading) {
    PetscCall(VecScatterBegin(scatter, u, all, INSERT_VALUES, SCATTER_FORWARD));
    PetscCall(VecScatterEnd(scatter, u, all, INSERT_VALUES, SCATTER_FORWARD));
  }
  PetscCall(VecGetLocalSize(all, &size)); /* 0 on all ranks but the first */
  if (memory->loading) PetscCall(expect(memory, 2 * (size_t)size));
  PetscCall(VecGetArray(all, &array));
  if (!memory->loading) PetscCall(append(memory, 2 * (size_t)size, (const double *)array));
  if (memory->loading && size)
    PetscCall(PetscArraycpy((double *)array, take(memory, 2 * (size_t)size), 2 * (size_t)size));
  PetscCall(VecRestoreArray(all, &array));
  if (memory->loading) {
    PetscCall(VecScatterBegin(scatter, all, u, INSERT_VALUES, SCATTER_REVERSE));
    PetscCall(VecScatterEnd(scatter, all, u, INSERT_VALUES, SCATTER_REVERSE));
  }
  PetscCall(VecDestroy(&all));
  PetscCall(VecScatterDestroy(&scatter));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinMemoryState(CospinMemory memory, CospinStoredState state)
{
  const size_t width = (size_t)state->num_columns + 2;
  double rows = (double)state->count;
  PetscBool first = PETSC_FALSE;

  PetscFunctionBeginUser;
  PetscCall(CospinMemoryReals(memory, 1, &rows));
  PetscCall(is_first(memory, &first));
  if (memory->loading) PetscCall(expect(memory, (size_t)rows * width));
  if (!memory->loading && first) PetscCall(append(memory, (size_t)rows * width, state->rows));
  for (size_t k = 0; memory->loading && first && k < (size_t)rows; k++) {
    const double *row = take(memory, width);
    PetscCall(CospinStoredStateAppend(state, row, CMPLX(row[width - 2], row[width - 1])));
  }
  PetscFunctionReturn(0);
}
