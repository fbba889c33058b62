/*
   Conformance of ensembles with the brute-force reference (support_dense.h), N = 1..4, on models that hold
   every kind of local and collective term: moves = 4^N matrices, element by element; assembled = moves;
   spectra, traces, hermiticity; steady states, expectation values, gaps and decay rates.
*/
#include "support_model.h"
#include <cospin/liouvillian.h>
#include <math.h>
#include <setjmp.h>
#include <slepcsys.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
/* cmocka needs setjmp.h to stdint.h above it */
#include <cmocka.h>

#define OK(call) assert_int_equal(call, 0)

enum { MAX_SPINS = 4 };

#define ONE "components: {ions: {kind: ensemble, size: N}}\n"
#define TWO "components: {ions: {kind: ensemble, size: N - 1}, A: {kind: ensemble, size: 1}}\n"

/* Collective decay alone has Jordan blocks: its eigenvalues are good to the square root of the rounding only.
 */
#define CASCADE ONE "jumps: [{rate: a, operator: ions.Sm}]\n"

/* a ... f are random positive numbers. Everything else of the deck is the same for all. */
static const struct {
  int min_spins, max_spins;
  const char *text;
} models[] = {
    {1, 4, ONE "jumps: [{rate: a, each: ions.sp}, {rate: b, operator: ions.Sm}]\n"},
    {1, 4,
     ONE "jumps: [{rate: a, each: ions.sp}, {rate: b, each: ions.sm}, {rate: c, each: ions.sz},\n"
         "  {rate: d, operator: ions.Sm}, {rate: e, operator: ions.Sp}, {rate: f, operator: ions.Sz}]\n"},
    {1, 4, ONE "hamiltonian: [a*ions.Sx, b*ions.Sz]\njumps: [{rate: c, each: ions.sm}]\n"},
    {1, 4,
     ONE "hamiltonian: [0.3*ions.Sz, a*ions.Sz^2, b*ions.Sp*ions.Sp + hc]\n"
         "jumps: [{rate: c, each: ions.sx}, {rate: d, each: ions.sy}, {rate: e, operator: ions.Sm}]\n"},
    {1, 4,
     ONE
     "hamiltonian: [(0.2 + a*i)*ions.Sp^2*ions.Sz + hc]\njumps: [{rate: b, each: ions.sm + 0.3*ions.sp}]\n"},
    {1, 4, ONE "jumps: [{rate: a, each: ions.sz + 0.2*ions.sm + 0.1}, {rate: b, operator: ions.Sx}]\n"},
    {1, 4,
     ONE "jumps: [{rate: a, each: ions.sz + (0.2 - 0.7*i)*ions.sm + 0.1*i}, {rate: b, each: ions.sp}]\n"},
    {1, 4,
     ONE "jumps: [{rate: a, each: ions.sp*ions.sm}, {rate: b, each: ions.sm*ions.sz*ions.sp + c*ions.sm}]\n"},
    {1, 4,
     ONE "hamiltonian: [a*ions.Sy]\n"
         "jumps: [{rate: b, operator: ions.Sm + 0.5*ions.Sz}, {rate: c, each: ions.sz}]\n"},
    {1, 4,
     ONE "jumps: [{rate: a, operator: ions.Sm^2}, {rate: b, each: ions.sp}, {rate: c, operator: ions.Sm}]\n"},
    {1, 4, ONE "jumps: [{rate: a, operator: ions.Sm^2 + 0.4*i*ions.Sz + 0.3}, {rate: b, each: ions.sx}]\n"},
    {1, 4,
     ONE "jumps: [{rate: a, each: ions.sm*ions.Sz}, {rate: b, each: ions.sp}, {rate: c, each: ions.sm}]\n"},
    {1, 4, ONE "jumps: [{rate: a, each: ions.sz*ions.Sp}, {rate: b, each: ions.sp*ions.Sz + c*ions.Sm}]\n"},
    {1, 4,
     ONE "jumps: [{rate: a, each: ions.sm*ions.Sz + ions.sz*ions.sp*ions.Sx - 0.5*i},\n"
         "  {rate: b, each: (ions.sx - i*ions.sy)/2}]\n"},
    {1, 4,
     ONE "jumps: [{rate: a, each: ions.sm + 0.5*ions.Sm}, {rate: b, each: ions.sp - 0.2*ions.Sz*ions.Sp}]\n"},
    {1, 4, CASCADE},
    {1, 4, ONE "jumps: [{rate: a, each: ions.sz}]\n"},
    {1, 4, ONE "hamiltonian: [a*ions.Sx + b*ions.Sz]\n"},
    {1, 4, ONE "jumps: [{rate: a, operator: ions.Sx}]\n"},
    {1, 4, ONE "jumps: [{rate: a, operator: ions.Sx}, {rate: b, each: ions.sx}]\n"},
    {1, 4, ONE "jumps: [{rate: a, operator: ions.Sm}, {rate: b, each: ions.sz}]\n"},
    {1, 4, ONE "jumps: [{rate: a, operator: ions.Sm^3}, {rate: b, each: ions.sz}]\n"},
    {2, 4,
     TWO "hamiltonian: [a*ions.Sz - b*A.Sz, c*A.Sp*ions.Sm + hc]\n"
         "jumps: [{rate: d, each: ions.sp}, {rate: e, operator: ions.Sm + A.Sm}, {rate: f, each: A.sp}]\n"},
    {2, 4,
     TWO "hamiltonian: [a*A.Sx*ions.Sz]\njumps: [{rate: b, each: A.Sz*ions.sm}, {rate: c, each: A.sm}]\n"},
    {2, 4, TWO "jumps: [{rate: d, each: ions.sp}, {rate: e, operator: ions.Sm}, {rate: f, each: A.sz}]\n"},
};
enum { NUM_MODELS = sizeof(models) / sizeof(models[0]) };

static const char *const operators[] = {
    "ions.Sz",         "ions.Sp*ions.Sm",     "ions.Sz^2",
    "ions.Sx",         "ions.Sp^2*ions.Sm^2", "ions.Sm",
    "ions.Sy*ions.Sz", "ions.Sp^2",           "(1 + 2*i)*ions.Sm*ions.Sx*ions.Sz"};
enum { NUM_OPERATORS = sizeof(operators) / sizeof(operators[0]) };

static double random_number(uint64_t *state)
{
  *state = *state * 6364136223846793005u + 1442695040888963407u;
  return (double)(*state >> 11) / 9007199254740992.0;
}

static Model open_model(int k, int spins)
{
  uint64_t state = (uint64_t)(1000 * k + spins);
  char text[4096];
  int length;

  length = snprintf(text, sizeof(text), "title: a model\nparameters: {N: %d", spins);
  for (int c = 'a'; c <= 'f'; c++)
    length +=
        snprintf(text + length, sizeof(text) - (size_t)length, ", %c: %.3f", c, 0.3 + random_number(&state));
  length += snprintf(text + length, sizeof(text) - (size_t)length, "}\n%sobservables:\n", models[k].text);
  for (int o = 0; o < NUM_OPERATORS; o++)
    length += snprintf(text + length, sizeof(text) - (size_t)length, "  o%d: <%s>\n", o, operators[o]);
  length += snprintf(text + length, sizeof(text) - (size_t)length,
                     "tasks: [steady: {}, gap: {}, decay: {of: ions.Sm, count: 2}, "
                     "decay: {name: decay_x, of: ions.Sx, count: 3, weights: false}]\n");
  assert_in_range(length, 1, sizeof(text) - 1);
  return Model_Open(PETSC_COMM_WORLD, text, 0);
}

/* Runs a test on every model, each at every number of spins. */
static void for_all_models(void (*check)(const Model *model))
{
  for (int k = 0; k < NUM_MODELS; k++) {
    for (int spins = models[k].min_spins; spins <= models[k].max_spins; spins++) {
      Model model = open_model(k, spins);
      check(&model);
      Model_Close(&model);
    }
  }
}

/* Largest difference of the model's texts is seen at a glance when an assertion fails. */
static void assert_small(const Model *model, double value, double bound, const char what[])
{
  if (!(value <= bound)) fail_msg("%s: %g > %g\n%s", what, value, bound, model->deck->text);
}

/* rho = sum_i x_i P_i */
static Dense dense_state(const Model *model, CospinSector sector, const double complex x[])
{
  Dense rho = Dense_Zero(1 << Dense_All_Spins(model->problem));

  for (PetscInt64 i = 0; i < CospinSectorDimension(sector); i++) {
    int label[COSPIN_MAX_COORDINATES];
    Dense element;
    CospinSectorLabel(sector, i, label);
    element = Dense_Basis_Element(model->problem, label);
    Dense_Axpy(rho, x[i], element);
    Dense_Free(&element);
  }
  return rho;
}

/* y += factor L rho, as vectors */
static void apply(Dense liouvillian, Dense rho, double complex factor, Dense y)
{
  for (int j = 0; j < liouvillian.n; j++) {
    if (rho.a[j] == 0.0) continue;
    for (int i = 0; i < liouvillian.n; i++) y.a[i] += factor * *Dense_At(liouvillian, i, j) * rho.a[j];
  }
}

static double largest(Dense m)
{
  double value = 0.0;

  for (int k = 0; k < m.n * m.n; k++) value = fmax(value, cabs(m.a[k]));
  return value;
}

/* ---- The generator
 * ------------------------------------------------------------------------------------------- */

/* L P_x = sum_y L_yx P_y for every label x there is. */
static void check_moves(const Model *model)
{
  CospinLattice lattice;
  CospinSector all;
  Dense ours = Model_Everything(model, &lattice, &all), reference = Dense_Liouvillian(model->problem);
  Dense *elements = calloc((size_t)ours.n, sizeof(Dense));

  for (int x = 0; x < ours.n; x++) {
    int label[COSPIN_MAX_COORDINATES];
    CospinSectorLabel(all, x, label);
    elements[x] = Dense_Basis_Element(model->problem, label);
  }
  for (int x = 0; x < ours.n; x++) {
    Dense difference = Dense_Zero(elements[x].n);
    apply(reference, elements[x], 1, difference);
    for (int y = 0; y < ours.n; y++) Dense_Axpy(difference, -*Dense_At(ours, y, x), elements[y]);
    assert_small(model, largest(difference), 1e-13 * Dense_Norm(reference), "L P_x - sum_y L_yx P_y");
    Dense_Free(&difference);
  }
  for (int x = 0; x < ours.n; x++) Dense_Free(&elements[x]);
  free(elements);
  Dense_Free(&ours);
  Dense_Free(&reference);
  OK(CospinSectorDestroy(&all));
  OK(CospinLatticeDestroy(&lattice));
}

static void Moves_Are_The_Generator_Of_All_Spins(void **state)
{
  (void)state;
  for_all_models(check_moves);
}

/* (N+1)(N+2)(N+3)/6 for one ensemble */
static int number_of_labels(const Model *model)
{
  int product = 1;

  for (int c = 0; c < model->deck->num_components; c++) {
    const int n = Dense_Spins(model->problem, c);
    product *= (n + 1) * (n + 2) * (n + 3) / 6;
  }
  return product;
}

/* Every element of the moves' matrix stands in exactly one sector's. */
static void check_assembled(const Model *model)
{
  const int n = model->problem->system.num_coordinates;
  CospinLattice lattice;
  CospinSector all;
  Dense rest = Model_Everything(model, &lattice, &all);
  int num, dimensions = 0, *sectors = Model_All_Sectors(model->problem, &num);

  for (int s = 0; s < num; s++) {
    Dense matrix = Model_Sector_Matrix(model, sectors + s * n);
    CospinSector sector;
    OK(CospinSectorCreate(&model->problem->system, model->problem->lattice, sectors + s * n, &sector));
    assert_int_equal(matrix.n, CospinSectorDimension(sector));
    dimensions += matrix.n;
    for (int column = 0; column < matrix.n; column++) {
      for (int row = 0; row < matrix.n; row++) {
        int from[COSPIN_MAX_COORDINATES], to[COSPIN_MAX_COORDINATES];
        CospinSectorLabel(sector, column, from);
        CospinSectorLabel(sector, row, to);
        *Dense_At(rest, (int)CospinSectorIndex(all, to), (int)CospinSectorIndex(all, from)) -=
            *Dense_At(matrix, row, column);
      }
    }
    OK(CospinSectorDestroy(&sector));
    Dense_Free(&matrix);
  }
  assert_int_equal(dimensions, number_of_labels(model));
  assert_true(largest(rest) == 0.0);
  free(sectors);
  Dense_Free(&rest);
  OK(CospinSectorDestroy(&all));
  OK(CospinLatticeDestroy(&lattice));
}

static void Sectors_Hold_Every_Element_Once(void **state)
{
  (void)state;
  for_all_models(check_assembled);
}

/* Trace and hermiticity are kept: sum over diagonal y of L_yx = 0, L_{y'x'} = conj L_yx with kets and bras
 * swapped. */
static void check_conservation(const Model *model)
{
  const int n = model->problem->system.num_coordinates;
  CospinLattice lattice;
  CospinSector all;
  Dense ours = Model_Everything(model, &lattice, &all);
  const double bound = 1e-13 * Dense_Norm(ours);
  int *swapped = calloc((size_t)ours.n, sizeof(int));

  for (int y = 0; y < ours.n; y++) {
    int label[COSPIN_MAX_COORDINATES];
    CospinSectorLabel(all, y, label);
    for (int i = 0; i < n; i += 3) {
      const int ket = label[i + 1];
      label[i + 1] = label[i + 2];
      label[i + 2] = ket;
    }
    swapped[y] = (int)CospinSectorIndex(all, label);
  }
  for (int x = 0; x < ours.n; x++) {
    double complex trace = 0;
    for (int y = 0; y < ours.n; y++) {
      const double complex mirrored = conj(*Dense_At(ours, swapped[y], swapped[x]));
      if (swapped[y] == y) trace += *Dense_At(ours, y, x);
      assert_small(model, cabs(*Dense_At(ours, y, x) - mirrored), bound, "hermiticity");
    }
    assert_small(model, cabs(trace), bound, "trace");
  }
  free(swapped);
  Dense_Free(&ours);
  OK(CospinSectorDestroy(&all));
  OK(CospinLatticeDestroy(&lattice));
}

static void Trace_And_Hermiticity_Are_Kept(void **state)
{
  (void)state;
  for_all_models(check_conservation);
}

/* ---- Spectra
 * ------------------------------------------------------------------------------------------------- */

static double distance_to(double complex value, int num, const double complex values[])
{
  double distance = INFINITY;

  for (int k = 0; k < num; k++) distance = fmin(distance, cabs(values[k] - value));
  return distance;
}

static double eigenvalue_bound(const Model *model)
{
  return strstr(model->deck->text, CASCADE) ? 1e-6 : 1e-9;
}

/* Moves reproduce the 4^N matrix on a subspace, so this follows for exact numbers; here it tells whether both
   matrices are as well conditioned as each other, and that nothing grows. */
static void check_spectra(const Model *model)
{
  const int n = model->problem->system.num_coordinates;
  Dense reference = Dense_Liouvillian(model->problem);
  const double norm = Dense_Norm(reference), bound = eigenvalue_bound(model) * norm;
  double complex *full = calloc((size_t)reference.n, sizeof(*full));
  int num, *sectors = Model_All_Sectors(model->problem, &num);

  Dense_Eigenvalues(reference, full);
  for (int s = 0; s < num; s++) {
    Dense matrix = Model_Sector_Matrix(model, sectors + s * n);
    double complex *values = calloc((size_t)matrix.n, sizeof(*values));
    Dense_Eigenvalues(matrix, values);
    for (int k = 0; k < matrix.n; k++) {
      assert_small(model, distance_to(values[k], reference.n, full), bound, "not an eigenvalue of 4^N");
      assert_small(model, creal(values[k]), 1e-12 * norm, "a growing mode");
    }
    free(values);
    Dense_Free(&matrix);
  }
  free(sectors);
  free(full);
  Dense_Free(&reference);
}

static void Spectra_Are_Part_Of_That_Of_All_Spins(void **state)
{
  (void)state;
  for_all_models(check_spectra);
}

/* ---- States
 * -------------------------------------------------------------------------------------------------- */

static void gather(Vec vector, double complex x[])
{
  const PetscScalar *array;
  PetscInt size, begin, end;

  OK(VecGetSize(vector, &size));
  OK(VecGetOwnershipRange(vector, &begin, &end));
  for (PetscInt i = 0; i < size; i++) x[i] = 0;
  OK(VecGetArrayRead(vector, &array));
  for (PetscInt i = begin; i < end; i++) x[i] = array[i - begin];
  OK(VecRestoreArrayRead(vector, &array));
  OK(MPI_Allreduce(MPI_IN_PLACE, x, (int)size, MPI_C_DOUBLE_COMPLEX, MPI_SUM, PETSC_COMM_WORLD));
}

static void assert_expectations(const Model *model, CospinSector sector, Vec state, Dense rho)
{
  const CospinObservables observables = model->point->observables;

  for (int o = 0; o < NUM_OPERATORS; o++) {
    Dense a = Dense_Operator(model->problem, operators[o], 0);
    double complex value;
    OK(CospinExpectations(sector, state, 1, observables->observables[o].expectations, &value));
    assert_small(model, cabs(value - Dense_Expect(a, rho)), 1e-12 * (1 + largest(a)), operators[o]);
    Dense_Free(&a);
  }
}

/* Random elements of every sector, not only states. */
static void check_expectations(const Model *model)
{
  const int n = model->problem->system.num_coordinates;
  int num, *sectors = Model_All_Sectors(model->problem, &num);
  uint64_t seed = 5;

  for (int s = 0; s < num; s++) {
    CospinSector sector;
    double complex *x;
    PetscInt begin, end;
    Dense rho;
    Vec state;
    OK(CospinSectorCreate(&model->problem->system, model->problem->lattice, sectors + s * n, &sector));
    x = calloc((size_t)CospinSectorDimension(sector), sizeof(*x));
    for (PetscInt64 i = 0; i < CospinSectorDimension(sector); i++)
      x[i] = CMPLX(random_number(&seed) - 0.5, random_number(&seed) - 0.5);
    OK(VecCreateMPI(PETSC_COMM_WORLD, PETSC_DECIDE, (PetscInt)CospinSectorDimension(sector), &state));
    OK(VecGetOwnershipRange(state, &begin, &end));
    for (PetscInt i = begin; i < end; i++) OK(VecSetValue(state, i, x[i], INSERT_VALUES));
    OK(VecAssemblyBegin(state));
    OK(VecAssemblyEnd(state));
    rho = dense_state(model, sector, x);
    assert_expectations(model, sector, state, rho);
    Dense_Free(&rho);
    free(x);
    OK(VecDestroy(&state));
    OK(CospinSectorDestroy(&sector));
  }
  free(sectors);
}

static void Expectation_Values_Are_Those_Of_All_Spins(void **state)
{
  (void)state;
  for_all_models(check_expectations);
}

/* Number of null vectors in sectors with a trace, by singular values. */
static int dense_degeneracy(const Model *model)
{
  const int n = model->problem->system.num_coordinates;
  int num, nullity = 0, *sectors;

  OK(CospinTaskKindOf(&model->deck->tasks[0])
         ->Sectors(model->problem, &model->deck->tasks[0], &num, &sectors));
  for (int s = 0; s < num; s++) {
    Dense matrix = Model_Sector_Matrix(model, sectors + s * n);
    nullity += matrix.n == 1 ? matrix.a[0] == 0.0 : Dense_Nullity(matrix, NULL);
    Dense_Free(&matrix);
  }
  OK(PetscFree(sectors));
  return nullity;
}

/* The state itself is put to the 4^N matrix. */
static void assert_steady_state(const Model *model)
{
  const CospinSteadyState *steady;
  CospinSector sector;
  double complex *x;
  Dense rho, image, reference = Dense_Liouvillian(model->problem);

  OK(CospinPointSteadyState(model->point, "steady_", &steady));
  sector = steady->spectrum->sector;
  x = calloc((size_t)CospinSectorDimension(sector), sizeof(*x));
  gather(steady->rho, x);
  rho = dense_state(model, sector, x);
  image = Dense_Zero(rho.n);
  apply(reference, rho, 1, image);
  assert_small(model, largest(image), 1e-13 * Dense_Norm(reference), "L rho");
  assert_expectations(model, sector, steady->rho, rho);
  Dense_Free(&image);
  Dense_Free(&rho);
  Dense_Free(&reference);
  free(x);
}

static void assert_steady_numbers(const Model *model, const Answer *answer)
{
  const CospinSteadyState *steady;

  OK(CospinPointSteadyState(model->point, "steady_", &steady));
  for (int o = 0; o < NUM_OPERATORS; o++) {
    double complex value;
    char name[16];
    OK(CospinExpectations(steady->spectrum->sector, steady->rho, 1,
                          model->point->observables->observables[o].expectations, &value));
    snprintf(name, sizeof(name), model->point->observables->observables[o].real ? "o%d" : "o%d_re", o);
    assert_true(Answer_Get(answer, name, 0) == creal(value));
  }
  assert_small(model, fabs(Answer_Get(answer, "trace", 0) - 1), 1e-14, "trace");
  assert_true(Answer_Get(answer, "smallest_population", 0) > -1e-14);
  assert_true(Answer_Get(answer, "residual", 0) < 1e-13);
}

static void check_steady(const Model *model)
{
  const int degeneracy = dense_degeneracy(model);
  Answer answer = Model_Run(model, 0);

  if (answer.results.record[0] != degeneracy) /* degeneracy is the first row */
    fail_msg("%g steady states, not %d\n%s", answer.results.record[0], degeneracy, model->deck->text);
  assert_int_equal(answer.outcome, degeneracy == 1 ? COSPIN_GOOD : COSPIN_DEGENERATE);
  if (degeneracy == 1) {
    assert_steady_state(model);
    assert_steady_numbers(model, &answer);
  } else {
    assert_true(isnan(Answer_Get(&answer, "o0", 0)));
  }
  Answer_Free(&answer);
}

static void Steady_States_Are_Steady_For_All_Spins(void **state)
{
  (void)state;
  for_all_models(check_steady);
}

/* ---- Rates
 * --------------------------------------------------------------------------------------------------- */

static int slower(const void *a, const void *b)
{
  const double s = creal(*(const double complex *)a), t = creal(*(const double complex *)b);

  return s > t ? -1 : s < t;
}

static PetscBool has_trace(const Model *model, const int representative[])
{
  const CospinSystem *system = &model->problem->system;
  PetscBool found = PETSC_FALSE;
  CospinSector sector;

  OK(CospinSectorCreate(system, model->problem->lattice, representative, &sector));
  for (PetscInt64 i = 0; i < CospinSectorDimension(sector); i++) {
    int label[COSPIN_MAX_COORDINATES];
    CospinSectorLabel(sector, i, label);
    if (CospinSystemTrace(system, label) != 0.0) found = PETSC_TRUE;
  }
  OK(CospinSectorDestroy(&sector));
  return found;
}

/* All eigenvalues of the sectors that a task looks at, slowest first, without the null ones of sectors with a
   trace. */
static double complex *dense_rates(const Model *model, int task, int *num_values)
{
  const CospinRecord *record = &model->deck->tasks[task];
  const int n = model->problem->system.num_coordinates;
  double complex *values = calloc((size_t)number_of_labels(model), sizeof(*values));
  int num, *sectors;

  *num_values = 0;
  OK(CospinTaskKindOf(record)->Sectors(model->problem, record, &num, &sectors));
  for (int s = 0; s < num; s++) {
    Dense matrix = Model_Sector_Matrix(model, sectors + s * n);
    double complex *at = values + *num_values;
    const PetscBool traced = has_trace(model, sectors + s * n);
    int kept = 0;
    Dense_Eigenvalues(matrix, at);
    for (int k = 0; k < matrix.n; k++) {
      if (!traced || cabs(at[k]) > 1e-11) at[kept++] = at[k];
    }
    *num_values += kept;
    Dense_Free(&matrix);
  }
  OK(PetscFree(sectors));
  qsort(values, (size_t)*num_values, sizeof(*values), slower);
  return values;
}

static void assert_rates(const Model *model, int task, int count)
{
  int num;
  double complex *values = dense_rates(model, task, &num);
  Answer answer = Model_Run(model, task);

  if (answer.outcome != (num == 0 ? COSPIN_EMPTY_SECTOR : COSPIN_GOOD))
    fail_msg("task %d: %d modes, outcome %d, rate %.16g, residual %g\n%s", task, num, answer.outcome,
             Answer_Get(&answer, "rate", 0), Answer_Get(&answer, "residual", 0), model->deck->text);
  for (int k = 0; k < PetscMin(num, count); k++) {
    const double rate = Answer_Get(&answer, "rate", k), frequency = Answer_Get(&answer, "frequency", k);
    assert_small(model, fabs(rate + creal(values[k])), eigenvalue_bound(model), "a rate");
    assert_small(model, distance_to(CMPLX(-rate, -frequency), num, values), eigenvalue_bound(model),
                 "a frequency");
  }
  free(values);
  Answer_Free(&answer);
}

static void check_rates(const Model *model)
{
  assert_rates(model, 1, 1);
  assert_rates(model, 2, 2);
  assert_rates(model, 3, 3);
}

static void Rates_Are_Those_Of_Dense_Sectors(void **state)
{
  (void)state;
  for_all_models(check_rates);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(Moves_Are_The_Generator_Of_All_Spins),
      cmocka_unit_test(Sectors_Hold_Every_Element_Once),
      cmocka_unit_test(Trace_And_Hermiticity_Are_Kept),
      cmocka_unit_test(Spectra_Are_Part_Of_That_Of_All_Spins),
      cmocka_unit_test(Expectation_Values_Are_Those_Of_All_Spins),
      cmocka_unit_test(Steady_States_Are_Steady_For_All_Spins),
      cmocka_unit_test(Rates_Are_Those_Of_Dense_Sectors),
  };
  int failed;

  if (SlepcInitialize(&argc, &argv, NULL, NULL)) return 1;
  failed = cmocka_run_group_tests(tests, NULL, NULL);
  return SlepcFinalize() ? 1 : failed;
}
