/*
   The Langevin equations against operators written down bit by bit: drift in product states, diffusion by its
   definition in any state, expectation values, initial states, the factor of a matrix.
*/
#include "approximate/langevin/langevin.h"
#include "support_model.h"
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

enum { N = 3, STATES = 1 << N };

/* ---- Operators; bit l of a state is spin l, 1 = up */

static Dense pauli(int i, int l)
{
  Dense a = Dense_Zero(STATES);

  for (int x = 0; x < STATES; x++) {
    const int up = x >> l & 1;
    if (i == 2) *Dense_At(a, x, x) = up ? 1 : -1;
    if (i == 0) *Dense_At(a, x ^ 1 << l, x) = 1;
    if (i == 1) *Dense_At(a, x ^ 1 << l, x) = up ? I : -I; /* <down|sy|up> = i */
  }
  return a;
}

static Dense lowering(int l)
{
  Dense a = Dense_Zero(STATES);

  for (int x = 0; x < STATES; x++)
    if (x >> l & 1) *Dense_At(a, x & ~(1 << l), x) = 1;
  return a;
}

/* y += factor a b c */
static void add_product(Dense y, double complex factor, Dense a, Dense b, Dense c)
{
  Dense ab = Dense_Product(a, b), abc = Dense_Product(ab, c);

  Dense_Axpy(y, factor, abc);
  Dense_Free(&ab);
  Dense_Free(&abc);
}

/* The numbers of a problem: R[l][m] as decks have it. */
typedef struct {
  double delta[N], dephasing[N];
  double complex exchange[N][N], down[N][N], up[N][N];
} Numbers;

static void add_pair(Dense image, Dense o, double complex rate, Dense a, Dense b)
{
  Dense adjoint = Dense_Adjoint(b);

  add_product(image, rate, adjoint, o, a);
  add_product(image, -rate / 2, adjoint, a, o);
  add_product(image, -rate / 2, o, adjoint, a);
  Dense_Free(&adjoint);
}

/* d<O>/dt = <image> */
static Dense heisenberg(const Numbers *p, Dense o)
{
  Dense image = Dense_Zero(STATES), h = Dense_Zero(STATES), one = Dense_Identity(STATES, 1), minus[N],
        plus[N], z[N];

  for (int l = 0; l < N; l++) {
    minus[l] = lowering(l);
    plus[l] = Dense_Adjoint(minus[l]);
    z[l] = pauli(2, l);
    Dense_Axpy(h, p->delta[l] / 2, z[l]);
    add_pair(image, o, p->dephasing[l], z[l], z[l]);
  }
  for (int l = 0; l < N; l++) {
    for (int m = 0; m < N; m++) {
      add_product(h, p->exchange[l][m], plus[l], minus[m], one);
      add_pair(image, o, p->down[l][m], minus[m], minus[l]);
      add_pair(image, o, p->up[l][m], plus[m], plus[l]);
    }
  }
  add_product(image, I, h, o, one);
  add_product(image, -I, o, h, one);
  for (int l = 0; l < N; l++) {
    Dense_Free(&minus[l]);
    Dense_Free(&plus[l]);
    Dense_Free(&z[l]);
  }
  Dense_Free(&h);
  Dense_Free(&one);
  return image;
}

/* <(a b + b a)/2> */
static double symmetric(Dense a, Dense b, Dense rho)
{
  Dense ab = Dense_Product(a, b), ba = Dense_Product(b, a);
  const double value = creal(Dense_Expect(ab, rho) + Dense_Expect(ba, rho)) / 2;

  Dense_Free(&ab);
  Dense_Free(&ba);
  return value;
}

static double random_number(void)
{
  return rand() / (double)RAND_MAX - 0.5;
}

static Dense random_state(void)
{
  Dense a = Dense_Zero(STATES), adjoint, rho;
  double complex trace = 0.0;

  for (int k = 0; k < STATES * STATES; k++) a.a[k] = CMPLX(random_number(), random_number());
  adjoint = Dense_Adjoint(a);
  rho = Dense_Product(a, adjoint);
  for (int x = 0; x < STATES; x++) trace += *Dense_At(rho, x, x);
  for (int k = 0; k < STATES * STATES; k++) rho.a[k] /= trace;
  Dense_Free(&a);
  Dense_Free(&adjoint);
  return rho;
}

/* product of (1 + n sigma)/2 */
static Dense product_state(const double bloch[3 * N])
{
  Dense rho = Dense_Identity(STATES, 1);

  for (int l = 0; l < N; l++) {
    Dense factor = Dense_Identity(STATES, 0.5), next;
    for (int i = 0; i < 3; i++) {
      Dense a = pauli(i, l);
      Dense_Axpy(factor, bloch[N * i + l] / 2, a);
      Dense_Free(&a);
    }
    next = Dense_Product(rho, factor);
    Dense_Free(&rho);
    Dense_Free(&factor);
    rho = next;
  }
  return rho;
}

/* ---- Decks */

static const char spins_deck[] = "title: t\n"
                                 "components: {q: {kind: spins, size: 3}}\n"
                                 "arrays:\n"
                                 "  delta: [0.3, -0.7, 1.1]\n"
                                 "  J: [[0.2, 0.5+0.1*i, -0.3], [0.5-0.1*i, 0, 0.4*i], [-0.3, -0.4*i, 0.1]]\n"
                                 "  R: [[1.5, 0.4-0.3*i, 0.2], [0.4+0.3*i, 1.1, -0.3*i], [0.2, 0.3*i, 0.9]]\n"
                                 "  gamma: [0.2, 0.05, 0.4]\n"
                                 "hamiltonian:\n"
                                 "  - sum: delta[l]/2*q.sz[l]\n"
                                 "  - sum: J[l,m]*q.sp[l]*q.sm[m]\n"
                                 "jumps:\n"
                                 "  - {rates: R, pairs: q.sm}\n"
                                 "  - {rates: 0.4*R, pairs: q.sp}\n"
                                 "  - {rate: 0.7, operator: q.Sm}\n"
                                 "  - {rate: 'gamma[l]', each: q.sz}\n"
                                 "  - {rate: '2*gamma[l]', each: q.sp}\n"
                                 "  - {rate: 0.6, each: q.sm}\n"
                                 "observables:\n"
                                 "  a: <q.Sp*q.Sm>\n"
                                 "  b: '<q.sx[0]*q.sy[2]>'\n"
                                 "  c: <(0.3*q.Sx + 0.4*q.Sy)^2>\n"
                                 "  d: '<q.sp[1]*q.sm[1]*q.sz[0]>'\n"
                                 "  e: <2*q.Sz + 1>\n"
                                 "  f: <q.Sx^3>\n"
                                 "tasks:\n"
                                 "  - langevin: {}\n";

static const char ensemble_deck[] = "title: t\n"
                                    "components: {q: {kind: ensemble, size: 3}}\n"
                                    "hamiltonian:\n"
                                    "  - 0.3*q.Sz + 0.2*q.Sp*q.Sm - 0.5*q.Sm*q.Sp\n"
                                    "jumps:\n"
                                    "  - {rate: 0.7, operator: q.Sm}\n"
                                    "  - {rate: 0.2, operator: q.Sp}\n"
                                    "  - {rate: 1.3, each: q.sp}\n"
                                    "  - {rate: 0.4, each: q.sm}\n"
                                    "  - {rate: 0.1, each: q.sz}\n"
                                    "observables:\n"
                                    "  a: <q.Sp*q.Sm>\n"
                                    "  b: <q.Sz>\n"
                                    "  c: <(0.3*q.Sx + 0.4*q.Sy)^2>\n"
                                    "tasks:\n"
                                    "  - langevin: {}\n";

static Numbers spins_numbers(void)
{
  static const double complex exchange[N][N] = {
      {0.2, 0.5 + 0.1 * I, -0.3}, {0.5 - 0.1 * I, 0, 0.4 * I}, {-0.3, -0.4 * I, 0.1}};
  static const double complex rates[N][N] = {
      {1.5, 0.4 - 0.3 * I, 0.2}, {0.4 + 0.3 * I, 1.1, -0.3 * I}, {0.2, 0.3 * I, 0.9}};
  Numbers p = {.delta = {0.3, -0.7, 1.1}, .dephasing = {0.2, 0.05, 0.4}};

  for (int l = 0; l < N; l++) {
    for (int m = 0; m < N; m++) {
      p.exchange[l][m] = exchange[l][m];
      p.down[l][m] = rates[l][m] + 0.7 + (l == m ? 0.6 : 0);
      p.up[l][m] = 0.4 * rates[l][m] + (l == m ? 2 * p.dephasing[l] : 0);
    }
  }
  return p;
}

static Numbers ensemble_numbers(void)
{
  Numbers p = {.delta = {0.3, 0.3, 0.3}, .dephasing = {0.1, 0.1, 0.1}};

  for (int l = 0; l < N; l++) {
    for (int m = 0; m < N; m++) {
      p.exchange[l][m] = l == m ? 0.2 + 0.5 : 0.2 - 0.5; /* s- s+ = 1 - s+ s- */
      p.down[l][m] = 0.7 + (l == m ? 0.4 : 0);
      p.up[l][m] = 0.2 + (l == m ? 1.3 : 0);
    }
  }
  return p;
}

/* ---- What is compared */

static void check_drift(const Numbers *p, CospinLangevin equations)
{
  double s[2 * 3 * N], f[2 * 3 * N], work[2 * 2 * N]; /* two trajectories */

  for (int k = 0; k < 2 * 3 * N; k++) s[k] = random_number();
  CospinLangevinDrift(equations, 2, s, f, work);
  for (int k = 0; k < 2; k++) {
    Dense rho = product_state(s + 3 * N * k);
    for (int i = 0; i < 3 * N; i++) {
      Dense a = pauli(i / N, i % N), image = heisenberg(p, a);
      assert_true(fabs(creal(Dense_Expect(a, rho)) - s[3 * N * k + i]) < 1e-14);
      assert_true(fabs(creal(Dense_Expect(image, rho)) - f[3 * N * k + i]) < 1e-13);
      Dense_Free(&a);
      Dense_Free(&image);
    }
    Dense_Free(&rho);
  }
}

static void compute_moments(Dense rho, double first[3 * N], double second[9 * N * N])
{
  for (int j = 0; j < 3 * N; j++) {
    Dense b = pauli(j / N, j % N);
    first[j] = creal(Dense_Expect(b, rho));
    for (int i = 0; i < 3 * N; i++) {
      Dense a = pauli(i / N, i % N);
      second[3 * N * j + i] = i <= j ? symmetric(a, b, rho) : NAN; /* only one triangle is given */
      Dense_Free(&a);
    }
    Dense_Free(&b);
  }
}

/* 2D_ij = d<s_i s_j>/dt - <s_i f_j> - <f_i s_j>, operators in symmetric order */
static void check_diffusion(const Numbers *p, CospinLangevin equations)
{
  double first[3 * N], second[9 * N * N], diffusion[9 * N * N];
  Dense rho = random_state(), a[3 * N], f[3 * N];

  compute_moments(rho, first, second);
  CospinLangevinDiffusion(equations, first, second, diffusion);
  for (int i = 0; i < 3 * N; i++) a[i] = pauli(i / N, i % N);
  for (int i = 0; i < 3 * N; i++) f[i] = heisenberg(p, a[i]);
  for (int i = 0; i < 3 * N; i++) {
    for (int j = 0; j < 3 * N; j++) {
      Dense product = Dense_Product(a[i], a[j]), image;
      Dense other = Dense_Product(a[j], a[i]);
      double expected;
      Dense_Axpy(product, 1.0, other);
      image = heisenberg(p, product);
      expected =
          creal(Dense_Expect(image, rho)) / 2 - symmetric(a[i], f[j], rho) - symmetric(f[i], a[j], rho);
      if (!(fabs(expected - diffusion[3 * N * j + i]) < 1e-13))
        fail_msg("2D[%d,%d] is %.15g, not %.15g", i, j, diffusion[3 * N * j + i], expected);
      Dense_Free(&product);
      Dense_Free(&other);
      Dense_Free(&image);
    }
  }
  for (int i = 0; i < 3 * N; i++) {
    Dense_Free(&a[i]);
    Dense_Free(&f[i]);
  }
  Dense_Free(&rho);
}

/* A product of up to two Pauli matrices, written by hand. */
typedef struct {
  double complex factor;
  int length, which[2], spin[2]; /* spin -1: the sum over all, each half of Pauli's */
} Term;

static double complex expect(const Term *term, int k, Dense product, Dense rho)
{
  double complex sum = 0.0;

  if (k == 2 || k == term->length) return term->factor * Dense_Expect(product, rho);
  for (int l = 0; l < N; l++) {
    Dense a, next;
    if (term->spin[k] >= 0 && term->spin[k] != l) continue;
    a = pauli(term->which[k], l);
    next = Dense_Product(product, a);
    sum += (term->spin[k] < 0 ? 0.5 : 1.0) * expect(term, k + 1, next, rho);
    Dense_Free(&a);
    Dense_Free(&next);
  }
  return sum;
}

/* Observable k of the deck; factors of a product of components of S or of Pauli matrices. */
static void check_observable(const Model *model, CospinLangevin equations, int k, int num, const Term terms[])
{
  const CospinObservable *observable = &model->point->observables->observables[k];
  Dense rho = random_state(), one = Dense_Identity(STATES, 1);
  double first[3 * N], second[9 * N * N];
  double complex expected = 0.0;
  CospinMoments moments;

  compute_moments(rho, first, second);
  for (int t = 0; t < num; t++) expected += expect(&terms[t], 0, one, rho);
  OK(CospinMomentsCreate(equations, &model->problem->system, observable->operators[0], &moments));
  assert_true(moments.known);
  for (int i = 0; i < 3 * N; i++) first[i] *= 7; /* sums of seven trajectories */
  for (int i = 0; i < 9 * N * N; i++) second[i] *= 7;
  assert_true(cabs(CospinMomentsEvaluate(&moments, 3 * N, 7, first, second) / 7 - expected) < 1e-13);
  OK(CospinMomentsDestroy(&moments));
  Dense_Free(&one);
  Dense_Free(&rho);
}

/* S+ S- and (.3 Sx + .4 Sy)^2 */
static const Term plus_minus[] = {{1, 2, {0, 0}, {-1, -1}}, {1, 2, {1, 1}, {-1, -1}}, {1, 1, {2}, {-1}}};
static const Term square[] = {{.09, 2, {0, 0}, {-1, -1}},
                              {.16, 2, {1, 1}, {-1, -1}},
                              {.12, 2, {0, 1}, {-1, -1}},
                              {.12, 2, {1, 0}, {-1, -1}}};

static void test_spins(void **state)
{
  static const Term xy[] = {{1, 2, {0, 1}, {0, 2}}};
  static const Term up_z[] = {{.5, 2, {2, 2}, {1, 0}}, {.5, 1, {2}, {0}}};
  static const Term sum[] = {{2, 1, {2}, {-1}}, {1, 0, {0}, {0}}};
  const Numbers p = spins_numbers();
  Model model = Model_Open(PETSC_COMM_SELF, spins_deck, 0);
  CospinLangevin equations;
  CospinMoments moments;
  PetscBool ok;

  (void)state;
  OK(CospinLangevinRead(model.problem, model.faults, &equations, &ok));
  assert_true(ok);
  check_drift(&p, equations);
  check_diffusion(&p, equations);
  check_observable(&model, equations, 0, 3, plus_minus);
  check_observable(&model, equations, 1, 1, xy);
  check_observable(&model, equations, 2, 4, square);
  check_observable(&model, equations, 3, 2, up_z);
  check_observable(&model, equations, 4, 2, sum);
  OK(CospinMomentsCreate(equations, &model.problem->system,
                         model.point->observables->observables[5].operators[0], &moments));
  assert_false(moments.known); /* three operators */
  assert_true(isnan(creal(CospinMomentsEvaluate(&moments, 3 * N, 1, NULL, NULL))));
  OK(CospinMomentsDestroy(&moments));
  OK(CospinLangevinDestroy(&equations));
  Model_Close(&model);
}

static void test_ensemble(void **state)
{
  static const Term z[] = {{1, 1, {2}, {-1}}};
  const Numbers p = ensemble_numbers();
  Model model = Model_Open(PETSC_COMM_SELF, ensemble_deck, 0);
  CospinLangevin equations;
  PetscBool ok;

  (void)state;
  OK(CospinLangevinRead(model.problem, model.faults, &equations, &ok));
  assert_true(ok);
  check_drift(&p, equations);
  check_diffusion(&p, equations);
  check_observable(&model, equations, 0, 3, plus_minus);
  check_observable(&model, equations, 1, 1, z);
  check_observable(&model, equations, 2, 4, square);
  OK(CospinLangevinDestroy(&equations));
  Model_Close(&model);
}

/* Means, and second moments 1 of each spin, of what trajectories start from. */
static void test_initial(void **state)
{
  static const double theta = 1.1, phi = 0.4;
  CospinStateFactor factor = {.component = 0, .name = "css", .num_arguments = 2};
  CospinSetting initial = {.num_factors = 1, .factors = &factor};
  Model model = Model_Open(PETSC_COMM_SELF,
                           "title: t\nparameters: {theta: 1.1, phi: 0.4}\n"
                           "components: {q: {kind: ensemble, size: 2}}\n"
                           "jumps: [{rate: phi, each: q.sm}, {rate: theta, each: q.sp}]\n"
                           "tasks: [{langevin: {}}]\n",
                           0);
  CospinExpression arguments[2] = {model.deck->jumps[1].rate, model.deck->jumps[0].rate};
  double mean[6], axes[2][6], *const axis[2] = {axes[0], axes[1]};
  CospinLangevin equations;
  PetscBool ok;

  (void)state;
  factor.arguments = arguments;
  OK(CospinLangevinRead(model.problem, model.faults, &equations, &ok));
  OK(CospinLangevinInitial(model.problem, equations, &initial, model.faults, mean, axis, &ok));
  assert_true(ok);
  for (int l = 0; l < 2; l++) { /* <s-> = exp(i phi) sin(theta)/2 = (x - i y)/2 */
    const double *n = &mean[l];
    assert_true(cabs(CMPLX(n[0], -n[2]) - sin(theta) * cexp(I * phi)) < 1e-15);
    assert_true(fabs(n[4] + cos(theta)) < 1e-15);
    for (int i = 0; i < 3; i++) {
      for (int j = 0; j < 3; j++)
        assert_true(fabs(n[2 * i] * n[2 * j] + axes[0][2 * i + l] * axes[0][2 * j + l] +
                         axes[1][2 * i + l] * axes[1][2 * j + l] - (i == j)) < 1e-15);
    }
  }
  OK(CospinLangevinDestroy(&equations));
  Model_Close(&model);
}

/* Positive, of lower rank, and with a negative eigenvalue: columns of a, signs. */
static void check_factor(int n, const double signs[], PetscBool is_lower, double clipped_share)
{
  double a[16], matrix[16] = {0}, wanted[16] = {0}, factor[16], clipped;
  PetscBool lower;

  for (int k = 0; k < n; k++) { /* columns of a rotation: reflections at a vector */
    for (int i = 0; i < n; i++) a[n * k + i] = (i == k) - 2.0 / n;
  }
  for (int i = 0; i < n * n; i++) {
    for (int k = 0; k < n; k++) {
      matrix[i] += signs[k] * a[n * k + i % n] * a[n * k + i / n];
      wanted[i] += fmax(0, signs[k]) * a[n * k + i % n] * a[n * k + i / n];
    }
  }
  OK(CospinLangevinFactor(n, matrix, factor, &lower, &clipped));
  assert_int_equal(lower, is_lower);
  assert_true(fabs(clipped - clipped_share) < 1e-12);
  for (int i = 0; i < n * n; i++) {
    double sum = 0;
    for (int k = 0; k < n; k++) {
      const PetscBool skip = (PetscBool)(lower && (k > i % n || k > i / n));
      if (!skip) sum += factor[n * k + i % n] * factor[n * k + i / n];
    }
    assert_true(fabs(sum - wanted[i]) < 1e-10);
  }
}

static void test_factor(void **state)
{
  (void)state;
  check_factor(4, (const double[]){1, 2, 3, 4}, PETSC_TRUE, 0);
  check_factor(4, (const double[]){1, 0, 0, 2}, PETSC_TRUE, 0);
  check_factor(4, (const double[]){3, 2, 4, -1}, PETSC_FALSE, 0.1);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_spins),
      cmocka_unit_test(test_ensemble),
      cmocka_unit_test(test_initial),
      cmocka_unit_test(test_factor),
  };
  int failures;

  if (SlepcInitialize(&argc, &argv, NULL, NULL)) return 1;
  srand(1);
  failures = cmocka_run_group_tests_name("langevin", tests, NULL, NULL);
  if (SlepcFinalize()) return 1;
  return failures;
}
