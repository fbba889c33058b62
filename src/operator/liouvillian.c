/*
   The generator as an assembled matrix, row by row: for row y and every move the source is x = y - shift,
   and the element L[y, x] is the move's amplitude at x. Each rank writes the rows that it owns and needs
   nobody for that, since labels are computed from their numbers and back (cospin/problem/sector.h).

   Rows are gone over twice, first for the number of elements (preallocation), then for their values. Most
   moves have no source for a given row, and bounds of the changed coordinates are a much quicker test than
   the sector's search.

   What would leave a window (cospin/point/window.h) is dropped, but populations are kept: what a label with a
   trace would lose there stays on it. So the trace is an exact left null vector in every window, and the
   generator's null vector a state.

   The same code makes maps between two sectors (an operator applied to a state), and a dense array for
   LAPACK; expectation values are sums over labels without any matrix.
*/
#include <cospin/observable/observable.h>
#include <cospin/operator/liouvillian.h>

/* What is assembled, and where. Of many moves only a few have a source within bounds, so these are looked
   at first, at the coordinates that a move changes: changed[first[k]] ... changed[first[k+1]-1]. from ==
   to: a generator on one sector; else a map between two, such as rho -> B rho. */
typedef struct {
  CospinMoves moves;
  CospinSector from, to;
  int lo[COSPIN_MAX_COORDINATES], hi[COSPIN_MAX_COORDINATES];
  int *first, *changed;
  PetscBool closed; /* populations do not leave the window */
} Map;

/* Only coordinates that a move changes can leave their bounds. */
static PetscErrorCode create_map(CospinMoves moves, CospinSector from, CospinSector to, Map *map)
{
  const int n = moves->system->num_coordinates;
  int count = 0;

  PetscFunctionBeginUser;
  *map = (Map){.moves = moves, .from = from, .to = to};
  CospinSystemBounds(moves->system, map->lo, map->hi);
  for (int i = 0; i < n; i++) CospinSystemCut(moves->system, i, &map->lo[i], &map->hi[i]);
  PetscCall(PetscMalloc1(moves->count + 1, &map->first));
  PetscCall(PetscMalloc1((size_t)moves->count * (size_t)n, &map->changed));
  for (int k = 0; k < moves->count; k++) {
    map->first[k] = count;
    for (int i = 0; i < n; i++) {
      if (moves->moves[k].shift[i] != 0) map->changed[count++] = i;
    }
  }
  map->first[moves->count] = count;
  PetscFunctionReturn(0);
}

/* Which coordinates each move changes, move after move. */
static PetscErrorCode destroy_map(Map *map)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(map->first));
  PetscCall(PetscFree(map->changed));
  PetscFunctionReturn(0);
}

/* Only the coordinates that the move changes can leave their bounds. */
static PetscBool source_in_bounds(const Map *map, int k, const int target[])
{
  const int *shift = map->moves->moves[k].shift;

  for (int c = map->first[k]; c < map->first[k + 1]; c++) {
    const int i = map->changed[c], value = target[i] - shift[i];
    if (value < map->lo[i] || value > map->hi[i]) return PETSC_FALSE;
  }
  return PETSC_TRUE;
}

/* Whether a move leads out of the window. */
static PetscBool leaves_window(const Map *map, int k, const int source[])
{
  const CospinInterval *window = map->moves->system->window;
  const int *shift = map->moves->moves[k].shift;

  for (int c = map->first[k]; c < map->first[k + 1]; c++) {
    const int i = map->changed[c], value = source[i] + shift[i];
    if (value < window[i].lo || value > window[i].hi) return PETSC_TRUE;
  }
  return PETSC_FALSE;
}

/* The trace that a window would take from a label, by that of the label. */
static double complex kept_inside(const Map *map, const int source[])
{
  const CospinSystem *system = map->moves->system;
  const double trace = CospinSystemTrace(system, source);
  double complex sum = 0.0;
  int target[COSPIN_MAX_COORDINATES];

  for (int k = 0; k < map->moves->count && trace != 0.0; k++) {
    const CospinMove *move = &map->moves->moves[k];
    if (!leaves_window(map, k, source)) continue;
    for (int i = 0; i < system->num_coordinates; i++) target[i] = source[i] + move->shift[i];
    if (!CospinSystemContains(system, target)) continue;
    sum += CospinSystemTrace(system, target) / trace * CospinMoveAmplitude(map->moves, move, source);
  }
  return sum;
}

/* Columns of one row; values are computed if wanted. A square map's diagonal stands first, stored even if
   zero. Both passes call this, so the count and the values cannot disagree. A factorisation wants every
   diagonal element to exist, hence the zero. */
static void compute_row(const Map *map, PetscInt row, PetscInt *count, PetscInt columns[],
                        PetscScalar values[])
{
  const int n = map->moves->system->num_coordinates;
  const PetscInt diagonal = map->from == map->to ? row : -1;
  int target[COSPIN_MAX_COORDINATES], source[COSPIN_MAX_COORDINATES];

  CospinSectorLabel(map->to, row, target);
  *count = diagonal >= 0 ? 1 : 0;
  columns[0] = diagonal;
  if (values) values[0] = 0.0;
  for (int k = 0; k < map->moves->count; k++) {
    const CospinMove *move = &map->moves->moves[k];
    PetscInt64 column;
    PetscInt at;
    if (!source_in_bounds(map, k, target)) continue;
    for (int i = 0; i < n; i++) source[i] = target[i] - move->shift[i];
    column = CospinSectorIndex(map->from, source);
    if (column < 0) continue;
    at = column == diagonal ? 0 : (*count)++;
    columns[at] = (PetscInt)column;
    if (values) values[at] = (PetscScalar)CospinMoveAmplitude(map->moves, move, source);
  }
  if (values && map->closed) values[0] += (PetscScalar)kept_inside(map, target);
}

/* Elements on the rank's own columns and on others', as MPIAIJ wants them. */
static PetscErrorCode preallocate(const Map *map, Mat matrix)
{
  PetscInt begin, end, first, last, *columns, *on, *off, count;

  PetscFunctionBeginUser;
  PetscCall(MatGetOwnershipRange(matrix, &begin, &end));
  PetscCall(MatGetOwnershipRangeColumn(matrix, &first, &last));
  PetscCall(PetscMalloc1(map->moves->count + 1, &columns));
  PetscCall(PetscCalloc1((size_t)(end - begin), &on));
  PetscCall(PetscCalloc1((size_t)(end - begin), &off));
  for (PetscInt row = begin; row < end; row++) {
    compute_row(map, row, &count, columns, NULL);
    for (PetscInt k = 0; k < count; k++) {
      const PetscBool local = (PetscBool)(columns[k] >= first && columns[k] < last);
      if (local) on[row - begin]++;
      if (!local) off[row - begin]++;
    }
  }
  PetscCall(MatXAIJSetPreallocation(matrix, 1, on, off, NULL, NULL));
  PetscCall(PetscFree(off));
  PetscCall(PetscFree(on));
  PetscCall(PetscFree(columns));
  PetscFunctionReturn(0);
}

/* No element belongs to another rank, which PETSc is told, so that assembly sends nothing. All moves of a
   row lead to different columns (a move is the sum of all chains of one shift), so INSERT is enough. */
static PetscErrorCode insert_rows(const Map *map, Mat matrix)
{
  PetscInt begin, end, *columns, count;
  PetscScalar *values;

  PetscFunctionBeginUser;
  PetscCall(MatGetOwnershipRange(matrix, &begin, &end));
  PetscCall(PetscMalloc2(map->moves->count + 1, &columns, map->moves->count + 1, &values));
  for (PetscInt row = begin; row < end; row++) {
    compute_row(map, row, &count, columns, values);
    PetscCall(MatSetValues(matrix, 1, &row, count, columns, values, INSERT_VALUES));
  }
  PetscCall(PetscFree2(columns, values));
  PetscCall(MatAssemblyBegin(matrix, MAT_FINAL_ASSEMBLY));
  PetscCall(MatAssemblyEnd(matrix, MAT_FINAL_ASSEMBLY));
  PetscFunctionReturn(0);
}

/* Shows up in -log_view. */
static PetscErrorCode assembly_event(PetscLogEvent *event)
{
  PetscFunctionBeginUser;
  PetscCall(PetscLogEventGetId("CospinAssembly", event));
  if (*event < 0) PetscCall(PetscLogEventRegister("CospinAssembly", MAT_CLASSID, event));
  PetscFunctionReturn(0);
}

/* Matrices of PETSc with 32-bit indices end at 2^31 rows; the census has told that before memory is asked
 * for. */
static PetscErrorCode assemble(MPI_Comm comm, const Map *map, Mat *matrix)
{
  const PetscInt64 rows = CospinSectorDimension(map->to), columns = CospinSectorDimension(map->from);
  PetscLogEvent event;

  PetscFunctionBeginUser;
  PetscCall(assembly_event(&event));
  PetscCall(PetscLogEventBegin(event, 0, 0, 0, 0));
  PetscCheck(rows <= PETSC_MAX_INT && columns <= PETSC_MAX_INT, comm, PETSC_ERR_ARG_OUTOFRANGE,
             "A sector of dimension %" PetscInt64_FMT " needs a PETSc with 64-bit indices",
             PetscMax(rows, columns));
  PetscCall(MatCreate(comm, matrix));
  PetscCall(MatSetSizes(*matrix, PETSC_DECIDE, PETSC_DECIDE, (PetscInt)rows, (PetscInt)columns));
  PetscCall(MatSetType(*matrix, MATAIJ));
  PetscCall(MatSetUp(*matrix));
  PetscCall(preallocate(map, *matrix));
  PetscCall(MatSetOption(*matrix, MAT_NO_OFF_PROC_ENTRIES, PETSC_TRUE));
  PetscCall(insert_rows(map, *matrix));
  PetscCall(PetscLogEventEnd(event, 0, 0, 0, 0));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinSuperoperatorCreate(MPI_Comm comm, CospinMoves moves, CospinSector from, CospinSector to,
                                         Mat *matrix)
{
  Map map;

  PetscFunctionBeginUser;
  PetscCall(create_map(moves, from, to, &map));
  PetscCall(assemble(comm, &map, matrix));
  PetscCall(destroy_map(&map));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinLiouvillianCreate(MPI_Comm comm, CospinMoves generator, CospinSector sector,
                                       Mat *liouvillian)
{
  Map map;

  PetscFunctionBeginUser;
  PetscCall(create_map(generator, sector, sector, &map));
  map.closed = (PetscBool)(generator->system->window != NULL);
  PetscCall(assemble(comm, &map, liouvillian));
  PetscCall(destroy_map(&map));
  PetscFunctionReturn(0);
}

/* Column after column, on every rank the same. By columns, as LAPACK has it. */
PetscErrorCode CospinLiouvillianDense(CospinMoves generator, CospinSector sector, PetscScalar values[])
{
  const PetscInt n = (PetscInt)CospinSectorDimension(sector);
  PetscInt *columns, count;
  PetscScalar *row_values;
  Map map;

  PetscFunctionBeginUser;
  PetscCall(create_map(generator, sector, sector, &map));
  map.closed = (PetscBool)(generator->system->window != NULL);
  PetscCall(PetscArrayzero(values, (size_t)n * (size_t)n));
  PetscCall(PetscMalloc2(generator->count + 1, &columns, generator->count + 1, &row_values));
  for (PetscInt row = 0; row < n; row++) {
    compute_row(&map, row, &count, columns, row_values);
    for (PetscInt k = 0; k < count; k++) values[row + n * columns[k]] = row_values[k];
  }
  PetscCall(PetscFree2(columns, row_values));
  PetscCall(destroy_map(&map));
  PetscFunctionReturn(0);
}

/* Sum of the moduli of all terms that lead away from a label, or back to it. Before cancellation: what
   rounding is relative to. */
static double column_modulus(CospinMoves generator, const int label[])
{
  double sum = 0.0;

  for (int k = 0; k < generator->count; k++) sum += CospinMoveModulus(generator, &generator->moves[k], label);
  return sum;
}

/* The scale of rounding: moduli before anything cancels, at the label where they are largest and, weighed by
 * |x|, where x is. */
PetscErrorCode CospinLiouvillianScale(MPI_Comm comm, CospinMoves generator, CospinSector sector, Vec x,
                                      double *largest, double *weighed)
{
  double sums[2] = {0.0, 0.0}; /* the largest; weighed by |x| */
  const PetscScalar *array;
  PetscInt begin, end;

  PetscFunctionBeginUser;
  PetscCall(VecGetOwnershipRange(x, &begin, &end));
  PetscCall(VecGetArrayRead(x, &array));
  for (PetscInt i = begin; i < end; i++) {
    int label[COSPIN_MAX_COORDINATES];
    double modulus;
    CospinSectorLabel(sector, i, label);
    modulus = column_modulus(generator, label);
    sums[0] = PetscMax(sums[0], modulus);
    sums[1] += modulus * PetscAbsScalar(array[i - begin]);
  }
  PetscCall(VecRestoreArrayRead(x, &array));
  PetscCallMPI(MPI_Allreduce(&sums[0], largest, 1, MPI_DOUBLE, MPI_MAX, comm));
  PetscCallMPI(MPI_Allreduce(&sums[1], weighed, 1, MPI_DOUBLE, MPI_SUM, comm));
  PetscFunctionReturn(0);
}

/* The matrix is used once and is still the simplest way: rows are owned, columns are fetched by PETSc. */
PetscErrorCode CospinSuperoperatorApply(MPI_Comm comm, CospinMoves moves, CospinSector from, Vec x,
                                        CospinSector to, Vec *image)
{
  Mat matrix;

  PetscFunctionBeginUser;
  PetscCall(CospinSuperoperatorCreate(comm, moves, from, to, &matrix));
  PetscCall(MatCreateVecs(matrix, NULL, image));
  PetscCall(MatMult(matrix, x, *image));
  PetscCall(MatDestroy(&matrix));
  PetscFunctionReturn(0);
}

/* Tr(A rho) is linear in rho with a weight per label, so all observables are read in one pass. Weights are
   computed anew at each label: a table of them would be as large as the state for each observable. */
PetscErrorCode CospinExpectations(CospinSector sector, Vec state, int num, const CospinMoves a_rho[],
                                  double complex values[])
{
  const PetscScalar *array;
  PetscInt begin, end;

  PetscFunctionBeginUser;
  for (int k = 0; k < num; k++) values[k] = 0.0;
  PetscCall(VecGetOwnershipRange(state, &begin, &end));
  PetscCall(VecGetArrayRead(state, &array));
  for (PetscInt i = begin; i < end; i++) {
    int label[COSPIN_MAX_COORDINATES];
    CospinSectorLabel(sector, i, label);
    for (int k = 0; k < num; k++) values[k] += CospinExpectationWeight(a_rho[k], label) * array[i - begin];
  }
  PetscCall(VecRestoreArrayRead(state, &array));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, values, num, MPI_C_DOUBLE_COMPLEX, MPI_SUM,
                             PetscObjectComm((PetscObject)state)));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinTraceOf(const CospinSystem *system, CospinSector sector, Vec state,
                             double complex *trace)
{
  const PetscScalar *array;
  PetscInt begin, end;

  PetscFunctionBeginUser;
  *trace = 0.0;
  PetscCall(VecGetOwnershipRange(state, &begin, &end));
  PetscCall(VecGetArrayRead(state, &array));
  for (PetscInt i = begin; i < end; i++) {
    int label[COSPIN_MAX_COORDINATES];
    CospinSectorLabel(sector, i, label);
    *trace += CospinSystemTrace(system, label) * array[i - begin];
  }
  PetscCall(VecRestoreArrayRead(state, &array));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, trace, 1, MPI_C_DOUBLE_COMPLEX, MPI_SUM,
                             PetscObjectComm((PetscObject)state)));
  PetscFunctionReturn(0);
}
