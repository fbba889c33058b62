#include "support_conformance.h"
#include <cospin/operator/liouvillian.h>
#include <cospin/tasks/tables.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
/* cmocka needs setjmp.h to stdint.h above it */
#include <cmocka.h>

#define OK(call) assert_int_equal(call, 0)

double Conformance_Random(uint64_t *state)
{
  *state = *state * 6364136223846793005u + 1442695040888963407u;
  return (double)(*state >> 11) / 9007199254740992.0;
}

/* Largest difference of the model's texts is seen at a glance when an assertion fails. */
static void assert_small(const Model *model, double value, double bound, const char what[])
{
  if (!(value <= bound)) fail_msg("%s: %g > %g\n%s", what, value, bound, model->deck->text);
}

/* rho = sum_i x_i P_i */
static Dense dense_state(const Model *model, CospinSector sector, const double complex x[])
{
  Dense rho = Dense_Zero(Dense_Dimension(model->problem));

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
void Conformance_Moves(const Model *model)
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

/* binomial(N + d - 1, N) */
static int symmetric_kets(CospinProblem problem, int component)
{
  const CospinRecord *record = &problem->deck->components[component];
  const int atoms = atoi(CospinRecordGet(record, "size")->text),
            levels = atoi(CospinRecordGet(record, "levels")->text);
  int kets = 1;

  for (int k = 1; k <= atoms; k++) kets = kets * (levels - 1 + k) / k;
  return kets;
}

/* binomial(N + d^2 - 1, N), where single atoms are told */
static int pairs_of_atoms(CospinProblem problem, int component)
{
  const CospinRecord *record = &problem->deck->components[component];
  const int atoms = atoi(CospinRecordGet(record, "size")->text),
            levels = atoi(CospinRecordGet(record, "levels")->text);
  int labels = 1;

  for (int k = 1; k <= atoms; k++) labels = labels * (levels * levels - 1 + k) / k;
  return labels;
}

/* (N+1)(N+2)(N+3)/6 for an ensemble, levels squared for others, of `levels` those that are symmetric unless
   single atoms are told */
static int number_of_labels(const Model *model)
{
  int product = 1;

  for (int c = 0; c < model->deck->num_components; c++) {
    const int n = Dense_Levels(model->problem, c);
    if (strcmp(model->deck->components[c].kind->name, "ensemble") == 0) {
      const int spins = Dense_Spins(model->problem, c);
      product *= (spins + 1) * (spins + 2) * (spins + 3) / 6;
    } else if (strcmp(model->deck->components[c].kind->name, "levels") == 0) {
      product *= model->problem->system.components[c].kind->ElementarySteps
                     ? pairs_of_atoms(model->problem, c)
                     : PetscSqr(symmetric_kets(model->problem, c));
    } else {
      product *= n * n;
    }
  }
  return product;
}

/* Every element of the moves' matrix stands in exactly one sector's. */
void Conformance_Sectors(const Model *model)
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

/* Of every component the bra's coordinate follows that of the ket, or it says itself what |y><x| is. */
static void swap_sides(const CospinSystem *system, int label[])
{
  for (int c = 0; c < system->num_components; c++) {
    const CospinComponent component = &system->components[c];
    int adjoint[COSPIN_MAX_COORDINATES];
    if (!component->kind->Adjoint) continue;
    component->kind->Adjoint(component, label + component->offset, adjoint);
    memcpy(label + component->offset, adjoint, sizeof(int) * (size_t)component->num_coordinates);
  }
  for (int i = 0; i < system->num_coordinates; i++) {
    const int ket = label[i];
    if (CospinSystemRole(system, i) != COSPIN_COORDINATE_KET) continue;
    label[i] = label[i + 1];
    label[i + 1] = ket;
  }
}

/* Trace and hermiticity are kept: sum over diagonal y of Tr P_y L_yx = 0, L_{y'x'} = conj L_yx with kets and
 * bras swapped. */
void Conformance_Conservation(const Model *model)
{
  CospinLattice lattice;
  CospinSector all;
  Dense ours = Model_Everything(model, &lattice, &all);
  const double bound = 1e-13 * Dense_Norm(ours);
  int *swapped = calloc((size_t)ours.n, sizeof(int));
  double *traces = calloc((size_t)ours.n, sizeof(double));

  for (int y = 0; y < ours.n; y++) {
    int label[COSPIN_MAX_COORDINATES];
    CospinSectorLabel(all, y, label);
    traces[y] = CospinSystemTrace(&model->problem->system, label);
    swap_sides(&model->problem->system, label);
    swapped[y] = (int)CospinSectorIndex(all, label);
  }
  for (int x = 0; x < ours.n; x++) {
    double complex trace = 0;
    for (int y = 0; y < ours.n; y++) {
      const double complex mirrored = conj(*Dense_At(ours, swapped[y], swapped[x]));
      trace += traces[y] * *Dense_At(ours, y, x);
      assert_small(model, cabs(*Dense_At(ours, y, x) - mirrored), bound, "hermiticity");
    }
    assert_small(model, cabs(trace), bound, "trace");
  }
  free(swapped);
  free(traces);
  Dense_Free(&ours);
  OK(CospinSectorDestroy(&all));
  OK(CospinLatticeDestroy(&lattice));
}

static void fill_randomly(Vec vector, uint64_t seed)
{
  PetscInt begin, end;

  OK(VecGetOwnershipRange(vector, &begin, &end));
  for (PetscInt i = begin; i < end; i++) {
    uint64_t state = seed + 1000003u * (uint64_t)i;
    const double re = (Conformance_Random(&state), Conformance_Random(&state)),
                 im = Conformance_Random(&state);
    OK(VecSetValue(vector, i, re - 0.5 + PETSC_i * (im - 0.5), INSERT_VALUES));
  }
  OK(VecAssemblyBegin(vector));
  OK(VecAssemblyEnd(vector));
}

static void assert_equal_vectors(const Model *model, Vec a, Vec b, double bound, const char what[])
{
  PetscReal norm;

  OK(VecAXPY(a, -1.0, b));
  OK(VecNorm(a, NORM_INFINITY, &norm));
  assert_small(model, norm, bound, what);
}

static void compare_products(const Model *model, Mat assembled, Mat shell)
{
  static PetscErrorCode (*const products[])(Mat, Vec, Vec) = {MatMult, MatMultTranspose,
                                                              MatMultHermitianTranspose};
  static const char *const names[] = {"a product", "a transposed product", "an adjoint product"};
  PetscReal norm, bound;
  Vec x, y, z;

  OK(MatCreateVecs(shell, &x, &y));
  OK(VecDuplicate(y, &z));
  OK(MatNorm(assembled, NORM_INFINITY, &norm));
  OK(MatNorm(shell, NORM_INFINITY, &bound));
  assert_small(model, norm, bound + 1e-13 * (1 + norm), "the norm");
  assert_small(model, bound, 100 * (1 + norm), "a bound of the norm");
  for (int k = 0; k < 3; k++) {
    fill_randomly(x, (uint64_t)(7 + k));
    OK(products[k](assembled, x, y));
    for (int again = 0; again < 2; again++) {
      OK(products[k](shell, x, z));
      assert_equal_vectors(model, z, y, 1e-13 * (1 + norm), names[k]);
    }
  }
  OK(MatGetDiagonal(assembled, y));
  OK(MatGetDiagonal(shell, z));
  assert_equal_vectors(model, z, y, 1e-13 * (1 + norm), "the diagonal");
  OK(VecDestroy(&x));
  OK(VecDestroy(&y));
  OK(VecDestroy(&z));
}

void Conformance_Shell(const Model *model)
{
  const CospinProblem problem = model->problem;
  int num, *sectors = Model_All_Sectors(problem, &num);

  for (int s = 0; s < num; s++) {
    CospinSector sector;
    Mat assembled, shell;
    OK(CospinSectorCreate(&problem->system, problem->lattice, sectors + s * problem->system.num_coordinates,
                          &sector));
    OK(CospinLiouvillianCreate(model->point->comm, problem->generator, sector, &assembled));
    OK(CospinShellCreate(model->point->comm, problem->generator, sector, &shell));
    compare_products(model, assembled, shell);
    OK(MatDestroy(&shell));
    OK(MatDestroy(&assembled));
    OK(CospinSectorDestroy(&sector));
  }
  free(sectors);
}

/* ---- Spectra
 * ------------------------------------------------------------------------------------------------- */

static double distance_to(double complex value, int num, const double complex values[])
{
  double distance = INFINITY;

  for (int k = 0; k < num; k++) distance = fmin(distance, cabs(values[k] - value));
  return distance;
}

/* Moves reproduce the 4^N matrix on a subspace, so this follows for exact numbers; here it tells whether both
   matrices are as well conditioned as each other, and that nothing grows. */
void Conformance_Spectra(const Model *model, double relative)
{
  const int n = model->problem->system.num_coordinates;
  Dense reference = Dense_Liouvillian(model->problem);
  const double norm = Dense_Norm(reference), bound = relative * norm;
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

void Conformance_Same_Spectra(const Model *model, double relative)
{
  const int n = model->problem->system.num_coordinates;
  Dense reference = Dense_Liouvillian(model->problem);
  const double bound = relative * Dense_Norm(reference);
  double complex *left = calloc((size_t)reference.n, sizeof(*left));
  int remaining = reference.n, num, *sectors = Model_All_Sectors(model->problem, &num);

  Dense_Eigenvalues(reference, left);
  for (int s = 0; s < num; s++) {
    Dense matrix = Model_Sector_Matrix(model, sectors + s * n);
    double complex *values = calloc((size_t)matrix.n, sizeof(*values));
    Dense_Eigenvalues(matrix, values);
    for (int k = 0; k < matrix.n; k++) { /* each takes the nearest one that is left */
      int nearest = 0;
      assert_true(remaining > 0);
      for (int r = 1; r < remaining; r++) {
        if (cabs(left[r] - values[k]) < cabs(left[nearest] - values[k])) nearest = r;
      }
      assert_small(model, cabs(left[nearest] - values[k]), bound, "an eigenvalue too many");
      left[nearest] = left[--remaining];
    }
    free(values);
    Dense_Free(&matrix);
  }
  assert_int_equal(remaining, 0);
  free(sectors);
  free(left);
  Dense_Free(&reference);
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

/* The operator A of observable o, which is written <A>. */
static Dense operator_of(const Model *model, int o)
{
  const char *text = CospinExpressionText(model->point->observables->observables[o].definition->expression);
  char inner[256];

  assert_true(text[0] == '<' && strlen(text) < sizeof(inner));
  memcpy(inner, text + 1, strlen(text) - 2);
  inner[strlen(text) - 2] = '\0';
  return Dense_Operator(model->problem, inner, 0);
}

static void assert_expectations(const Model *model, CospinSector sector, Vec state, Dense rho, double bound)
{
  const CospinObservables observables = model->point->observables;

  for (int o = 0; o < observables->count; o++) {
    Dense a = operator_of(model, o);
    double complex value;
    OK(CospinExpectations(sector, state, 1, observables->observables[o].expectations, &value));
    assert_small(model, cabs(value - Dense_Expect(a, rho)), bound * (1 + largest(a)),
                 observables->observables[o].definition->name);
    Dense_Free(&a);
  }
}

/* Random elements of every sector, not only states. */
void Conformance_Expectations(const Model *model)
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
      x[i] = CMPLX(Conformance_Random(&seed) - 0.5, Conformance_Random(&seed) - 0.5);
    OK(VecCreateMPI(PETSC_COMM_WORLD, PETSC_DECIDE, (PetscInt)CospinSectorDimension(sector), &state));
    OK(VecGetOwnershipRange(state, &begin, &end));
    for (PetscInt i = begin; i < end; i++) OK(VecSetValue(state, i, x[i], INSERT_VALUES));
    OK(VecAssemblyBegin(state));
    OK(VecAssemblyEnd(state));
    rho = dense_state(model, sector, x);
    assert_expectations(model, sector, state, rho, 1e-12);
    Dense_Free(&rho);
    free(x);
    OK(VecDestroy(&state));
    OK(CospinSectorDestroy(&sector));
  }
  free(sectors);
}

static int nullity_of(const Model *model, int num, const int sectors[])
{
  const int n = model->problem->system.num_coordinates;
  int nullity = 0;

  for (int s = 0; s < num; s++) {
    Dense matrix = Model_Sector_Matrix(model, sectors + s * n);
    nullity += matrix.n == 1 ? matrix.a[0] == 0.0 : Dense_Nullity(matrix, NULL);
    Dense_Free(&matrix);
  }
  return nullity;
}

/* Number of null vectors in sectors with a trace, by singular values; if that is one, of all sectors, though
   the task itself leaves out those whose order is infinite. */
static int dense_degeneracy(const Model *model)
{
  int num, nullity, *sectors;

  OK(CospinTaskKindOf(&model->deck->tasks[0])
         ->Sectors(model->problem, &model->deck->tasks[0], &num, &sectors));
  nullity = nullity_of(model, num, sectors);
  OK(PetscFree(sectors));
  if (nullity != 1) return nullity;
  sectors = Model_All_Sectors(model->problem, &num);
  nullity = nullity_of(model, num, sectors);
  free(sectors);
  return nullity;
}

/* The state itself is put to the 4^N matrix. */
static void assert_steady_state(const Model *model)
{
  const CospinSteadyState *steady;
  CospinSector sector;
  double complex *x;
  Dense rho, image, reference = Dense_Liouvillian(model->problem);

  OK(CospinPointSteadyState(model->point, "steady_", NULL, &steady));
  sector = steady->eigensolver->sector;
  x = calloc((size_t)CospinSectorDimension(sector), sizeof(*x));
  gather(steady->rho, x);
  rho = dense_state(model, sector, x);
  image = Dense_Zero(rho.n);
  apply(reference, rho, 1, image);
  assert_small(model, largest(image), 1e-13 * Dense_Norm(reference), "L rho");
  assert_expectations(model, sector, steady->rho, rho, 1e-12);
  Dense_Free(&image);
  Dense_Free(&rho);
  Dense_Free(&reference);
  free(x);
}

/* Where the whole generator has one null vector, it is the steady state. */
static void assert_null_vector(const Model *model)
{
  enum { LARGEST = 150 };
  const CospinSteadyState *steady;
  Dense reference, rho;
  double complex trace = 0;

  if (PetscSqr(Dense_Dimension(model->problem)) > LARGEST) return;
  reference = Dense_Liouvillian(model->problem);
  rho = Dense_Zero(Dense_Dimension(model->problem));
  if (Dense_Nullity(reference, rho.a) == 1) {
    for (int i = 0; i < rho.n; i++) trace += *Dense_At(rho, i, i);
    for (int k = 0; k < rho.n * rho.n; k++) rho.a[k] /= trace;
    OK(CospinPointSteadyState(model->point, "steady_", NULL, &steady));
    assert_expectations(model, steady->eigensolver->sector, steady->rho, rho, 1e-10);
  }
  Dense_Free(&rho);
  Dense_Free(&reference);
}

static void assert_steady_numbers(const Model *model, const Answer *answer)
{
  const CospinSteadyState *steady;

  OK(CospinPointSteadyState(model->point, "steady_", NULL, &steady));
  for (int o = 0; o < model->point->observables->count; o++) {
    const CospinObservable *observable = &model->point->observables->observables[o];
    double complex value;
    char name[64];
    OK(CospinExpectations(steady->eigensolver->sector, steady->rho, 1, observable->expectations, &value));
    snprintf(name, sizeof(name), "%s%s", observable->definition->name, observable->real ? "" : "_re");
    assert_true(Answer_Get(answer, name, 0) == creal(value));
  }
  assert_small(model, fabs(Answer_Get(answer, "trace", 0) - 1), 1e-14, "trace");
  assert_true(Answer_Get(answer, "smallest_population", 0) > -1e-14);
  assert_true(Answer_Get(answer, "residual", 0) < 1e-13);
}

void Conformance_Steady_State(const Model *model)
{
  const int degeneracy = dense_degeneracy(model);
  Answer answer = Model_Run(model, 0);

  if (answer.results.record[0] != degeneracy) /* degeneracy is the first row */
    fail_msg("%g steady states, not %d\n%s", answer.results.record[0], degeneracy, model->deck->text);
  assert_int_equal(answer.outcome, degeneracy == 1 ? COSPIN_GOOD : COSPIN_DEGENERATE);
  if (degeneracy == 1) {
    assert_steady_state(model);
    assert_null_vector(model);
    assert_steady_numbers(model, &answer);
  } else {
    assert_true(isnan(answer.results.record[answer.results.count - 1])); /* an observable */
  }
  Answer_Free(&answer);
}

/* ---- Rates
 * --------------------------------------------------------------------------------------------------- */

/* An eigenvalue, and how far its frequency is from the middle of its sector. */
typedef struct {
  double complex lambda;
  double detuning;
} Rate;

static int slower(const void *a, const void *b)
{
  const double s = creal(((const Rate *)a)->lambda), t = creal(((const Rate *)b)->lambda);

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

static void append_rates(Dense matrix, PetscBool traced, Rate rates[], int *num)
{
  double complex *values = calloc((size_t)matrix.n + 1, sizeof(*values)), centre = 0;

  for (int k = 0; k < matrix.n && !traced; k++) centre += *Dense_At(matrix, k, k) / matrix.n;
  Dense_Eigenvalues(matrix, values);
  for (int k = 0; k < matrix.n; k++) {
    if (traced && cabs(values[k]) <= 1e-11) continue;
    rates[(*num)++] = (Rate){values[k], fabs(cimag(values[k] - centre))};
  }
  free(values);
}

/* All eigenvalues of the sectors that a task looks at, slowest first, without the null ones of sectors with a
   trace. */
static Rate *dense_rates(const Model *model, int task, int *num_rates)
{
  const CospinRecord *record = &model->deck->tasks[task];
  const int n = model->problem->system.num_coordinates;
  Rate *rates = calloc((size_t)number_of_labels(model), sizeof(*rates));
  int num, *sectors;

  *num_rates = 0;
  OK(CospinTaskKindOf(record)->Sectors(model->problem, record, &num, &sectors));
  for (int s = 0; s < num; s++) {
    Dense matrix = Model_Sector_Matrix(model, sectors + s * n);
    append_rates(matrix, has_trace(model, sectors + s * n), rates, num_rates);
    Dense_Free(&matrix);
  }
  OK(PetscFree(sectors));
  qsort(rates, (size_t)*num_rates, sizeof(*rates), slower);
  return rates;
}

static PetscBool is_among(const Model *model, int num, const int sectors[], int label[])
{
  const int n = model->problem->system.num_coordinates;

  CospinLatticeReduce(model->problem->lattice, label);
  for (int s = 0; s < num; s++) {
    if (memcmp(sectors + s * n, label, sizeof(int) * (size_t)n) == 0) return PETSC_TRUE;
  }
  return PETSC_FALSE;
}

static void assert_operator_sectors(const Model *model, const CospinRecord *task)
{
  Dense a = Dense_Operator(model->problem, CospinRecordGet(task, "of")->text, 0), everything;
  int num, *sectors;
  CospinLattice lattice;
  CospinSector all;

  OK(CospinTaskKindOf(task)->Sectors(model->problem, task, &num, &sectors));
  everything = Model_Everything(model, &lattice, &all);
  for (int x = 0; x < everything.n; x++) {
    int label[COSPIN_MAX_COORDINATES];
    Dense element;
    CospinSectorLabel(all, x, label);
    element = Dense_Basis_Element(model->problem, label);
    if (cabs(Dense_Expect(a, element)) > 1e-12 * largest(a) && !is_among(model, num, sectors, label))
      fail_msg("%s has an element outside its sectors\n%s", CospinRecordGet(task, "of")->text,
               model->deck->text);
    Dense_Free(&element);
  }
  OK(PetscFree(sectors));
  Dense_Free(&a);
  Dense_Free(&everything);
  OK(CospinSectorDestroy(&all));
  OK(CospinLatticeDestroy(&lattice));
}

void Conformance_Operator_Sectors(const Model *model)
{
  for (int task = 0; task < model->deck->num_tasks; task++) {
    const CospinRecord *record = &model->deck->tasks[task];
    if (strcmp(record->kind->name, "decay") == 0) assert_operator_sectors(model, record);
  }
}

/* Modes that rotate faster than the horizon need not be found: without them the answers are the slowest. */
static void assert_slowest(const Model *model, const Answer *answer, int count, int num, const Rate rates[],
                           double bound)
{
  const double horizon = Answer_Get(answer, "horizon", 0);
  int k = 0;

  for (int r = 0; r < num && k < count; r++) {
    const double rate = Answer_Get(answer, "rate", k);
    const PetscBool found = (PetscBool)(fabs(rate + creal(rates[r].lambda)) <= bound);
    if (!found && rates[r].detuning > horizon) continue;
    assert_small(model, fabs(rate + creal(rates[r].lambda)), bound, "a rate");
    k++;
  }
  assert_int_equal(k, PetscMin(num, count));
}

static void assert_rates(const Model *model, int task, int count, double bound)
{
  int num;
  Rate *rates = dense_rates(model, task, &num);
  Answer answer = Model_Run(model, task);

  if (answer.outcome != (num == 0 ? COSPIN_EMPTY_SECTOR : COSPIN_GOOD))
    fail_msg("task %d: %d modes, outcome %d, rate %.16g, residual %g\n%s", task, num, answer.outcome,
             Answer_Get(&answer, "rate", 0), Answer_Get(&answer, "residual", 0), model->deck->text);
  for (int k = 0; k < PetscMin(num, count); k++) {
    const double complex lambda =
        CMPLX(-Answer_Get(&answer, "rate", k), -Answer_Get(&answer, "frequency", k));
    double distance = INFINITY;
    for (int r = 0; r < num; r++) distance = fmin(distance, cabs(rates[r].lambda - lambda));
    assert_small(model, distance, bound, "an eigenvalue");
  }
  if (num) assert_slowest(model, &answer, count, num, rates, bound);
  free(rates);
  Answer_Free(&answer);
}

void Conformance_Rates(const Model *model, double bound)
{
  for (int task = 1; task < model->deck->num_tasks; task++) {
    const CospinRecord *record = &model->deck->tasks[task];
    const PetscBool decay = (PetscBool)(strcmp(record->kind->name, "decay") == 0);
    assert_rates(model, task, decay ? atoi(CospinRecordGet(record, "count")->text) : 1, bound);
  }
}
