/*
   Multigrid on the lattice of labels. Labels t_0, t_1 along the rows of the lattice; grid l holds those
   labels at which both are multiples of 2^l. Vectors of grid l + 1 are interpolated on grid l bilinearly,
   with the weights of corners that are no labels shared out among the others, so that a constant stays one at
   every edge: with A_(l+1) = P^T A_l P the trace is a left null vector on every grid where it is one on the
   first.

   A right vector has the width of the state's fluctuations, of the order of the root of N, and bends over
   less than a label far from its centre, where drift beats diffusion between neighbours of a coarse grid:
   three grids do not see that, more would. So the coarsest grid, with a sixteenth of the labels, is left to
   factors. Incomplete factors ILU(0) smooth on the others, twice, on each rank its own rows. Sweeps of
   successive over-relaxation do not: at a corner of the window, where drift moves a label by more than
   diffusion on a coarse grid, they grow without bound (pumped ions next to their lower threshold, N = 1000,
   3000, 10^4, on three grids), and ILU(0) takes 2 to 4 cycles for six digits there.
*/
#include "multigrid.h"

enum { LEVELS = COSPIN_MULTIGRID_LEVELS, SWEEPS = 2, MUMPS_EXTRA_MEMORY = 50 };

/* Labels of one grid, the same on all ranks: places (t_k - lo_k)/2^l within a box, and their numbers. */
typedef struct {
  int size[2]; /* of the box */
  PetscInt num;
  PetscInt *number; /* [size[0] * size[1]]: -1: no label */
  int *place;       /* [num][2] */
} Nodes;

struct CospinMultigrid_ {
  CospinSector sector;
  int levels;
  int row[2][COSPIN_MAX_COORDINATES], pivot[2];
  int lo[2]; /* of t, a multiple of the coarsest stride */
  Nodes nodes[LEVELS];
  Mat interpolation[LEVELS]; /* [l]: from grid l to l - 1 */
  PC preconditioner;
};

PetscBool CospinMultigridSuits(CospinSector sector)
{
  const CospinLattice lattice = CospinSectorLattice(sector);
  const int *first;
  int pivot;

  if (CospinLatticeRank(lattice) != 2) return PETSC_FALSE;
  first = CospinLatticeRow(lattice, 0, &pivot);
  (void)CospinLatticeRow(lattice, 1, &pivot);
  return (PetscBool)(first[pivot] == 0);
}

/* ---- Nodes --------------------------------------------------------------------------------------------- */

static void label_at(CospinMultigrid multigrid, const int t[2], int label[])
{
  const int *representative = CospinSectorRepresentative(multigrid->sector);
  const int n = CospinSectorSystem(multigrid->sector)->num_coordinates;

  for (int i = 0; i < n; i++)
    label[i] = representative[i] + t[0] * multigrid->row[0][i] + t[1] * multigrid->row[1][i];
}

static void coordinates_of(CospinMultigrid multigrid, PetscInt64 index, int t[2])
{
  const int *representative = CospinSectorRepresentative(multigrid->sector);
  int label[COSPIN_MAX_COORDINATES];

  CospinSectorLabel(multigrid->sector, index, label);
  for (int k = 0; k < 2; k++) {
    const int p = multigrid->pivot[k];
    t[k] = (label[p] - representative[p]) / multigrid->row[k][p];
  }
}

static int floor_to(int t, int stride)
{
  return t - ((t % stride) + stride) % stride;
}

/* The box of all labels: t_0 of the first and the last, and what t_1 takes in between. */
static PetscErrorCode find_box(CospinMultigrid multigrid, int hi[2])
{
  const PetscInt64 dimension = CospinSectorDimension(multigrid->sector);
  const int coarsest = 1 << (multigrid->levels - 1);
  PetscInt begin, end;
  Mat like = multigrid->interpolation[0];
  int extremes[4] = {PETSC_MAX_INT, PETSC_MAX_INT, PETSC_MAX_INT, PETSC_MAX_INT};

  PetscFunctionBeginUser;
  (void)dimension;
  PetscCall(MatGetOwnershipRange(like, &begin, &end));
  for (PetscInt i = begin; i < end; i++) {
    int t[2];
    coordinates_of(multigrid, i, t);
    for (int k = 0; k < 2; k++) {
      extremes[k] = PetscMin(extremes[k], t[k]);
      extremes[2 + k] = PetscMin(extremes[2 + k], -t[k]);
    }
  }
  PetscCallMPI(
      MPI_Allreduce(MPI_IN_PLACE, extremes, 4, MPI_INT, MPI_MIN, PetscObjectComm((PetscObject)like)));
  for (int k = 0; k < 2; k++) {
    multigrid->lo[k] = floor_to(extremes[k], coarsest);
    hi[k] = -extremes[2 + k];
  }
  PetscFunctionReturn(0);
}

/* The order is that of the labels: t_0, then t_1. */
static PetscErrorCode create_nodes(CospinMultigrid multigrid, int level, const int hi[2])
{
  Nodes *nodes = &multigrid->nodes[level];
  int capacity;

  PetscFunctionBeginUser;
  for (int k = 0; k < 2; k++) nodes->size[k] = ((hi[k] - multigrid->lo[k]) >> level) + 1;
  capacity = nodes->size[0] * nodes->size[1];
  PetscCall(PetscMalloc1((size_t)capacity, &nodes->number));
  PetscCall(PetscMalloc1(2 * (size_t)capacity, &nodes->place));
  for (int a = 0; a < capacity; a++) {
    const int place[2] = {a / nodes->size[1], a % nodes->size[1]};
    const int t[2] = {multigrid->lo[0] + (place[0] << level), multigrid->lo[1] + (place[1] << level)};
    int label[COSPIN_MAX_COORDINATES];
    label_at(multigrid, t, label);
    nodes->number[a] = CospinSectorIndex(multigrid->sector, label) >= 0 ? nodes->num : -1;
    if (nodes->number[a] < 0) continue;
    PetscCall(PetscArraycpy(nodes->place + 2 * nodes->num++, place, 2));
  }
  PetscFunctionReturn(0);
}

/* ---- Interpolation ------------------------------------------------------------------------------------- */

/* Corners of the coarse cell that a place lies in, and their weights, 1 in all; there may be none. */
static int corners_of(const Nodes *coarse, const int place[2], PetscInt columns[4], PetscScalar values[4])
{
  double sum = 0.0;
  int count = 0;

  for (int corner = 0; corner < 4; corner++) {
    const int odd[2] = {place[0] & 1, place[1] & 1}, side[2] = {corner & 1, corner >> 1};
    const int at[2] = {place[0] / 2 + side[0], place[1] / 2 + side[1]};
    const double weight = (odd[0] ? .5 : 1.0) * (odd[1] ? .5 : 1.0);
    PetscInt number;
    if ((side[0] && !odd[0]) || (side[1] && !odd[1]) || at[0] >= coarse->size[0] || at[1] >= coarse->size[1])
      continue;
    number = coarse->number[at[0] * coarse->size[1] + at[1]];
    if (number < 0) continue;
    columns[count] = number;
    values[count++] = weight;
    sum += weight;
  }
  for (int c = 0; c < count; c++) values[c] /= sum;
  return count;
}

/* Rows as those of the finer grid's matrix are shared out. */
static PetscErrorCode create_interpolation(CospinMultigrid multigrid, int level, PetscInt local_rows,
                                           MPI_Comm comm)
{
  const Nodes *coarse = &multigrid->nodes[level], *fine = &multigrid->nodes[level - 1];
  PetscInt begin, end;
  Mat matrix;

  PetscFunctionBeginUser;
  PetscCall(
      MatCreateAIJ(comm, local_rows, PETSC_DECIDE, PETSC_DETERMINE, coarse->num, 4, NULL, 4, NULL, &matrix));
  multigrid->interpolation[level] = matrix;
  PetscCall(MatGetOwnershipRange(matrix, &begin, &end));
  for (PetscInt row = begin; row < end; row++) {
    PetscInt columns[4];
    PetscScalar values[4];
    int place[2], count;
    if (level == 1) {
      coordinates_of(multigrid, row, place);
      for (int k = 0; k < 2; k++) place[k] -= multigrid->lo[k];
    } else {
      PetscCall(PetscArraycpy(place, fine->place + 2 * row, 2));
    }
    count = corners_of(coarse, place, columns, values);
    PetscCall(MatSetValues(matrix, 1, &row, count, columns, values, INSERT_VALUES));
  }
  PetscCall(MatAssemblyBegin(matrix, MAT_FINAL_ASSEMBLY));
  PetscCall(MatAssemblyEnd(matrix, MAT_FINAL_ASSEMBLY));
  PetscFunctionReturn(0);
}

static PetscErrorCode create_grids(CospinMultigrid multigrid, Mat matrix)
{
  PetscInt local;
  int hi[2];

  PetscFunctionBeginUser;
  multigrid->interpolation[0] = matrix; /* whose rows are the labels */
  PetscCall(find_box(multigrid, hi));
  multigrid->interpolation[0] = NULL;
  PetscCall(MatGetLocalSize(matrix, &local, NULL));
  for (int level = 1; level < multigrid->levels; level++) {
    PetscCall(create_nodes(multigrid, level, hi));
    PetscCall(create_interpolation(multigrid, level, local, PetscObjectComm((PetscObject)matrix)));
    PetscCall(MatGetLocalSize(multigrid->interpolation[level], NULL, &local));
  }
  PetscFunctionReturn(0);
}

/* ---- The cycle ----------------------------------------------------------------------------------------- */

static PetscErrorCode configure_smoother(PC preconditioner, int level)
{
  PetscMPIInt ranks;
  KSP smoother;
  PC pc;

  PetscFunctionBeginUser;
  PetscCall(PCMGGetSmoother(preconditioner, level, &smoother));
  PetscCall(KSPSetType(smoother, KSPRICHARDSON));
  PetscCall(KSPSetTolerances(smoother, PETSC_DEFAULT, PETSC_DEFAULT, PETSC_DEFAULT, SWEEPS));
  PetscCall(KSPSetConvergenceTest(smoother, KSPConvergedSkip, NULL, NULL));
  PetscCall(KSPSetNormType(smoother, KSP_NORM_NONE));
  PetscCall(KSPGetPC(smoother, &pc));
  PetscCallMPI(MPI_Comm_size(PetscObjectComm((PetscObject)pc), &ranks));
  PetscCall(PCSetType(pc, ranks == 1 ? PCILU : PCBJACOBI)); /* whose blocks have ILU(0) */
  PetscFunctionReturn(0);
}

static PetscErrorCode configure_coarsest(PC preconditioner)
{
  KSP solver;
  PC pc;

  PetscFunctionBeginUser;
  PetscCall(PCMGGetCoarseSolve(preconditioner, &solver));
  PetscCall(KSPSetType(solver, KSPPREONLY));
  PetscCall(KSPGetPC(solver, &pc));
  PetscCall(PCSetType(pc, PCLU));
  PetscCall(PCFactorSetMatSolverType(pc, MATSOLVERMUMPS));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinMultigridCreate(Mat matrix, CospinSector sector, const char prefix[], int levels,
                                     CospinMultigrid *multigrid)
{
  const int n = CospinSectorSystem(sector)->num_coordinates;
  CospinMultigrid new;
  PC pc;

  PetscFunctionBeginUser;
  PetscCall(PetscNew(&new));
  *multigrid = new;
  new->sector = sector;
  new->levels = levels;
  for (int k = 0; k < 2; k++)
    PetscCall(
        PetscArraycpy(new->row[k], CospinLatticeRow(CospinSectorLattice(sector), k, &new->pivot[k]), n));
  PetscCall(create_grids(new, matrix));
  PetscCall(PCCreate(PetscObjectComm((PetscObject)matrix), &pc));
  new->preconditioner = pc;
  PetscCall(PCSetOptionsPrefix(pc, prefix));
  PetscCall(PCAppendOptionsPrefix(pc, "multigrid_"));
  PetscCall(PCSetOperators(pc, matrix, matrix));
  PetscCall(PCSetType(pc, PCMG));
  PetscCall(PCMGSetLevels(pc, new->levels, NULL));
  PetscCall(PCMGSetGalerkin(pc, PC_MG_GALERKIN_BOTH));
  for (int level = 1; level < new->levels; level++) {
    PetscCall(PCMGSetInterpolation(pc, new->levels - level, new->interpolation[level]));
    PetscCall(configure_smoother(pc, level));
  }
  PetscCall(configure_coarsest(pc));
  PetscCall(PCSetFromOptions(pc));
  PetscCall(PCSetUp(pc));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinMultigridDestroy(CospinMultigrid *multigrid)
{
  PetscFunctionBeginUser;
  if (!*multigrid) PetscFunctionReturn(0);
  PetscCall(PCDestroy(&(*multigrid)->preconditioner));
  for (int level = 1; level < (*multigrid)->levels; level++) {
    PetscCall(MatDestroy(&(*multigrid)->interpolation[level]));
    PetscCall(PetscFree((*multigrid)->nodes[level].number));
    PetscCall(PetscFree((*multigrid)->nodes[level].place));
  }
  PetscCall(PetscFree(*multigrid));
  PetscFunctionReturn(0);
}

PC CospinMultigridPreconditioner(CospinMultigrid multigrid)
{
  return multigrid->preconditioner;
}

/* A constant on the coarsest grid is one on the first, where it has 4 times as many elements for each grid
 * between. */
PetscErrorCode CospinMultigridCoarsest(CospinMultigrid multigrid, Mat *coarsest, double *scale)
{
  KSP solver;

  PetscFunctionBeginUser;
  PetscCall(PCMGGetCoarseSolve(multigrid->preconditioner, &solver));
  PetscCall(KSPGetOperators(solver, coarsest, NULL));
  *scale = 1.0 / (double)(1 << (2 * (multigrid->levels - 1)));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinMultigridProlong(CospinMultigrid multigrid, Vec coarse, Vec fine)
{
  Vec now = coarse, next = NULL;

  PetscFunctionBeginUser;
  for (int level = multigrid->levels - 1; level >= 1; level--) {
    if (level > 1) PetscCall(MatCreateVecs(multigrid->interpolation[level], NULL, &next));
    PetscCall(MatMult(multigrid->interpolation[level], now, level > 1 ? next : fine));
    if (now != coarse) PetscCall(VecDestroy(&now));
    now = next;
  }
  PetscFunctionReturn(0);
}
