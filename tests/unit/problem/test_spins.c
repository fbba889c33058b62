/*
   Component kind `spins` against a reference of its own: matrices of 2^N states, written down bit by bit,
   with nothing in common with moves, sectors or expressions.
*/
#include "support_model.h"
#include <cospin/problem/array.h>
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

enum { MAX_N = 4, TEXT_SIZE = 20000 };

/* ---- Reference */

typedef enum { PLUS, MINUS, Z } Elementary;

/* Bit l of a state is spin l, 1 = up. */
static Dense one_spin(int n, int l, Elementary elementary)
{
  Dense a = Dense_Zero(1 << n);

  for (int x = 0; x < a.n; x++) {
    const int up = x >> l & 1;
    if (elementary == Z) *Dense_At(a, x, x) = up ? 1 : -1;
    if (elementary == PLUS && !up) *Dense_At(a, x | 1 << l, x) = 1;
    if (elementary == MINUS && up) *Dense_At(a, x & ~(1 << l), x) = 1;
  }
  return a;
}

static Dense all_spins(int n, Elementary elementary)
{
  Dense sum = Dense_Zero(1 << n);

  for (int l = 0; l < n; l++) {
    Dense one = one_spin(n, l, elementary);
    Dense_Axpy(sum, elementary == Z ? 0.5 : 1, one);
    Dense_Free(&one);
  }
  return sum;
}

/* |x><y| is number x + 2^n y. liouvillian += factor * (A rho B^+) */
static void add(Dense liouvillian, double complex factor, Dense a, Dense b)
{
  const int d = a.n;

  for (int y = 0; y < d; y++) {
    for (int yy = 0; yy < d; yy++) {
      const double complex bra = factor * conj(*Dense_At(b, yy, y));
      if (bra == 0.0) continue;
      for (int x = 0; x < d; x++) {
        for (int xx = 0; xx < d; xx++)
          *Dense_At(liouvillian, xx + d * yy, x + d * y) += bra * *Dense_At(a, xx, x);
      }
    }
  }
}

/* rate (A rho B^+ - 1/2 {B^+ A, rho}) */
static void add_pair(Dense liouvillian, double complex rate, Dense a, Dense b)
{
  Dense one = Dense_Identity(a.n, 1), adjoint = Dense_Adjoint(b), left = Dense_Product(adjoint, a);
  Dense right = Dense_Adjoint(left);

  add(liouvillian, rate, a, b);
  add(liouvillian, -rate / 2, left, one);
  add(liouvillian, -rate / 2, one, right);
  Dense_Free(&right);
  Dense_Free(&left);
  Dense_Free(&adjoint);
  Dense_Free(&one);
}

static void add_hamiltonian(Dense liouvillian, Dense h)
{
  Dense one = Dense_Identity(h.n, 1);

  add(liouvillian, -I, h, one);
  add(liouvillian, I, one, h);
  Dense_Free(&one);
}

/* ---- A random problem, as numbers and as a deck */

typedef struct {
  int n;
  double drive; /* of Sx: 0 keeps the U(1) symmetry */
  double delta[MAX_N], gamma[MAX_N];
  double complex J[MAX_N][MAX_N], G[MAX_N][MAX_N], K[MAX_N][MAX_N];
} Random;

static double number(uint64_t *state)
{
  double pair[2];

  CospinRandomPair(99, (*state)++, pair);
  return 2 * pair[0] - 1;
}

/* X X^+: hermitian and positive */
static void positive(int n, uint64_t *state, double complex m[MAX_N][MAX_N])
{
  double complex x[MAX_N][MAX_N];

  for (int l = 0; l < n; l++) {
    for (int k = 0; k < n; k++) x[l][k] = CMPLX(number(state), number(state));
  }
  for (int l = 0; l < n; l++) {
    for (int k = 0; k < n; k++) {
      m[l][k] = 0;
      for (int j = 0; j < n; j++) m[l][k] += x[l][j] * conj(x[k][j]);
    }
    m[l][l] = creal(m[l][l]);
  }
}

static Random random_problem(int n, double drive, uint64_t seed)
{
  Random r = {.n = n, .drive = drive};
  uint64_t state = 1000 * seed;

  for (int l = 0; l < n; l++) {
    r.delta[l] = number(&state);
    r.gamma[l] = 1 + number(&state);
    for (int m = 0; m <= l; m++) {
      r.J[l][m] = CMPLX(number(&state), l == m ? 0 : number(&state));
      r.J[m][l] = conj(r.J[l][m]);
    }
  }
  positive(n, &state, r.G);
  positive(n, &state, r.K);
  return r;
}

static Dense reference(const Random *r)
{
  const int n = r->n;
  Dense l = Dense_Zero(1 << (2 * n)), h = Dense_Zero(1 << n);
  Dense sp = all_spins(n, PLUS), sm = all_spins(n, MINUS), sz = all_spins(n, Z),
        square = Dense_Product(sz, sz);

  Dense_Axpy(h, r->drive / 2, sp);
  Dense_Axpy(h, r->drive / 2, sm);
  Dense_Axpy(h, 0.3, square);
  add_pair(l, 0.7, sm, sm);
  for (int k = 0; k < n; k++) {
    Dense up = one_spin(n, k, PLUS), down = one_spin(n, k, MINUS), z = one_spin(n, k, Z);
    Dense_Axpy(h, r->delta[k] / 2, z);
    add_pair(l, r->gamma[k], up, up);
    add_pair(l, 0.2 * (k + 1), down, down);
    add_pair(l, 0.1, z, z);
    for (int m = 0; m < n; m++) {
      Dense other_down = one_spin(n, m, MINUS), other_z = one_spin(n, m, Z),
            hop = Dense_Product(up, other_down);
      Dense_Axpy(h, r->J[k][m], hop);
      add_pair(l, 2 * r->G[k][m] + r->K[k][m] / 2, other_down, down);
      add_pair(l, r->K[k][m], other_z, z);
      Dense_Free(&hop);
      Dense_Free(&other_z);
      Dense_Free(&other_down);
    }
    Dense_Free(&up);
    Dense_Free(&down);
    Dense_Free(&z);
  }
  add_hamiltonian(l, h);
  Dense_Free(&h);
  Dense_Free(&sp);
  Dense_Free(&sm);
  Dense_Free(&sz);
  Dense_Free(&square);
  return l;
}

static void print_vector(FILE *stream, const char name[], int n, const double values[])
{
  fprintf(stream, "  %s: [", name);
  for (int l = 0; l < n; l++) fprintf(stream, "%s%.17g", l ? ", " : "", values[l]);
  fprintf(stream, "]\n");
}

static void print_matrix(FILE *stream, const char name[], int n, double complex values[MAX_N][MAX_N])
{
  fprintf(stream, "  %s: [", name);
  for (int l = 0; l < n; l++) {
    for (int m = 0; m < n; m++)
      fprintf(stream, "%s%.17g%+.17g*i",
              m   ? ", "
              : l ? "], ["
                  : "[",
              creal(values[l][m]), cimag(values[l][m]));
  }
  fprintf(stream, "]]\n");
}

static void write_deck(Random *r, char text[TEXT_SIZE])
{
  FILE *stream = fmemopen(text, TEXT_SIZE, "w");

  assert_non_null(stream);
  fprintf(stream,
          "title: random spins\n"
          "parameters: {N: %d, drive: %.17g}\n"
          "components:\n  q: {kind: spins, size: N}\narrays:\n",
          r->n, r->drive);
  print_vector(stream, "delta", r->n, r->delta);
  print_vector(stream, "gamma", r->n, r->gamma);
  print_matrix(stream, "J", r->n, r->J);
  print_matrix(stream, "G", r->n, r->G);
  print_matrix(stream, "K", r->n, r->K);
  fprintf(stream,
          "hamiltonian:\n"
          "  - sum: delta[l]/2*q.sz[l]\n"
          "  - sum: J[l,m]*q.sp[l]*q.sm[m]\n"
          "  - drive*q.Sx + 0.3*q.Sz^2\n"
          "jumps:\n"
          "  - {rate: 0.7, operator: q.Sm}\n"
          "  - {rate: \"gamma[l]\", each: \"q.sp[l]\"}\n"
          "  - {rate: 0.2*(l + 1), each: q.sm}\n"
          "  - {rate: 0.1, each: q.sz}\n"
          "  - {rates: 2*G + K/2, pairs: q.sm}\n"
          "  - {rates: \"K[l,m]\", pairs: \"q.sz[l]\"}\n"
          "observables:\n"
          "  z: \"<q.sz[0]> + delta[0]\"\n"
          "  x: \"<q.sx[%d]>\"\n"
          "  corr: \"<q.sp[0]*q.sm[%d]>\"\n"
          "tasks:\n  - steady: {}\n  - decay: {of: q.Sm}\n",
          r->n - 1, r->n - 1);
  fclose(stream);
}

typedef void (*Check)(const Model *model, const Random *random, Dense reference);

static void for_all_random(int max_n, Check check)
{
  static char text[TEXT_SIZE];

  for (int n = 1; n <= max_n; n++) {
    for (int driven = 0; driven < 2; driven++) {
      Random random = random_problem(n, driven ? 0.9 : 0, (uint64_t)(2 * n + driven));
      Dense l = reference(&random);
      Model model;
      write_deck(&random, text);
      model = Model_Open(PETSC_COMM_SELF, text, 0);
      check(&model, &random, l);
      Model_Close(&model);
      Dense_Free(&l);
    }
  }
}

/* Which |x><y| a label is. */
static int element_of(int n, const int label[])
{
  int x = 0, y = 0;

  for (int l = 0; l < n; l++) {
    x |= label[2 * l] << l;
    y |= label[2 * l + 1] << l;
  }
  return x + (y << n);
}

static void check_generator(const Model *model, const Random *random, Dense l)
{
  const double bound = 1e-13 * Dense_Norm(l);
  CospinLattice lattice;
  CospinSector everything;
  Dense moves = Model_Everything(model, &lattice, &everything);
  int *element = calloc((size_t)moves.n, sizeof(*element)), label[COSPIN_MAX_COORDINATES];

  assert_non_null(element);
  assert_int_equal(moves.n, l.n);
  for (int i = 0; i < moves.n; i++) {
    CospinSectorLabel(everything, i, label);
    element[i] = element_of(random->n, label);
  }
  for (int j = 0; j < moves.n; j++) {
    for (int i = 0; i < moves.n; i++) {
      const double complex wanted = *Dense_At(l, element[i], element[j]);
      if (cabs(*Dense_At(moves, i, j) - wanted) > bound)
        fail_msg("N = %d: element %d,%d is %g%+gi, not %g%+gi", random->n, i, j,
                 creal(*Dense_At(moves, i, j)), cimag(*Dense_At(moves, i, j)), creal(wanted), cimag(wanted));
    }
  }
  free(element);
  Dense_Free(&moves);
  OK(CospinSectorDestroy(&everything));
  OK(CospinLatticeDestroy(&lattice));
}

static void generator_is_the_reference(void **state)
{
  (void)state;
  for_all_random(MAX_N, check_generator);
}

/* Every value is used once. */
static void assert_same_spectrum(int count, double complex a[], const double complex b[], double bound)
{
  for (int k = 0; k < count; k++) {
    int nearest = k;
    for (int j = k; j < count; j++) {
      if (cabs(a[j] - b[k]) < cabs(a[nearest] - b[k])) nearest = j;
    }
    if (cabs(a[nearest] - b[k]) > bound) fail_msg("eigenvalue %g%+gi is missing", creal(b[k]), cimag(b[k]));
    const double complex swap = a[nearest];
    a[nearest] = a[k];
    a[k] = swap;
  }
}

static void check_spectrum(const Model *model, const Random *random, Dense l)
{
  double complex *all = calloc((size_t)l.n, sizeof(*all)), *parts = calloc((size_t)l.n, sizeof(*parts));
  int num, count = 0, *sectors = Model_All_Sectors(model->problem, &num);

  assert_non_null(all);
  assert_non_null(parts);
  assert_int_equal(num, random->drive == 0 ? 2 * random->n + 1 : 1);
  for (int s = 0; s < num; s++) {
    Dense matrix = Model_Sector_Matrix(model, sectors + s * 2 * random->n);
    assert_true(count + matrix.n <= l.n);
    Dense_Eigenvalues(matrix, parts + count);
    count += matrix.n;
    Dense_Free(&matrix);
  }
  assert_int_equal(count, l.n);
  Dense_Eigenvalues(l, all);
  assert_same_spectrum(count, parts, all, 1e-9 * Dense_Norm(l));
  free(all);
  free(parts);
  free(sectors);
}

static void spectra_of_sectors_are_the_full_spectrum(void **state)
{
  (void)state;
  for_all_random(3, check_spectrum);
}

static void check_steady(const Model *model, const Random *random, Dense l)
{
  const int n = random->n, d = 1 << n;
  double complex *rho = calloc((size_t)l.n, sizeof(*rho)), trace = 0, z = 0, x = 0, corr = 0;
  Dense first = one_spin(n, 0, PLUS), last = one_spin(n, n - 1, MINUS), hop = Dense_Product(first, last);
  Answer answer = Model_Run(model, 0), decay = Model_Run(model, 1);

  assert_non_null(rho);
  assert_int_equal(answer.outcome, COSPIN_GOOD);
  assert_int_equal(decay.outcome, COSPIN_GOOD);
  assert_true(Answer_Get(&decay, "rate", 0) > 0);
  assert_int_equal(Dense_Nullity(l, rho), 1);
  for (int k = 0; k < d; k++) trace += rho[k + d * k];
  for (int k = 0; k < d; k++) {
    z += (k & 1 ? 1 : -1) * rho[k + d * k] / trace;
    x += rho[(k ^ 1 << (n - 1)) + d * k] / trace;
    for (int j = 0; j < d; j++) corr += *Dense_At(hop, j, k) * rho[k + d * j] / trace;
  }
  assert_true(fabs(Answer_Get(&answer, "z", 0) - creal(z) - random->delta[0]) < 1e-10);
  assert_true(fabs(Answer_Get(&answer, "x", 0) - creal(x)) < 1e-10);
  assert_true(fabs(Answer_Get(&answer, n == 1 ? "corr" : "corr_re", 0) - creal(corr)) < 1e-10);
  if (n > 1) assert_true(fabs(Answer_Get(&answer, "corr_im", 0) - cimag(corr)) < 1e-10);
  Answer_Free(&decay);
  Answer_Free(&answer);
  Dense_Free(&hop);
  Dense_Free(&last);
  Dense_Free(&first);
  free(rho);
}

static void steady_states_are_those_of_the_reference(void **state)
{
  (void)state;
  for_all_random(3, check_steady);
}

/* ---- Against what is known */

#define UNIFORM(component)                                                                                   \
  "title: uniform\ncomponents:\n  q: {kind: " component ", size: 5}\njumps:\n"                               \
  "  - {rate: 1, operator: q.Sm}\n  - {rate: 2.1, each: q.sp}\n  - {rate: 0.4, each: q.sz}\n"                \
  "observables:\n  z: <q.Sz>\n  corr: <q.Sp*q.Sm>\n  zz: <q.Sz^2>\ntasks:\n  - steady: {}\n"

static void uniform_rates_give_an_ensemble(void **state)
{
  static const char *const names[] = {"z", "corr", "zz"};
  Model spins = Model_Open(PETSC_COMM_SELF, UNIFORM("spins"), 0);
  Model ensemble = Model_Open(PETSC_COMM_SELF, UNIFORM("ensemble"), 0);
  Answer a = Model_Run(&spins, 0), b = Model_Run(&ensemble, 0);

  (void)state;
  for (int k = 0; k < 3; k++)
    assert_true(fabs(Answer_Get(&a, names[k], 0) - Answer_Get(&b, names[k], 0)) < 1e-10);
  Answer_Free(&a);
  Answer_Free(&b);
  Model_Close(&spins);
  Model_Close(&ensemble);
}

static char *read_file(const char path[])
{
  FILE *stream = fopen(path, "rb");
  char *text = calloc(TEXT_SIZE, 1);

  assert_non_null(stream);
  assert_non_null(text);
  assert_true(fread(text, 1, TEXT_SIZE - 1, stream) > 0);
  fclose(stream);
  return text;
}

/* Eq. (19), (20) of PRA 95, 033423 with given matrices; numbers of a 4^N calculation in another code, good to
   all digits that stand here. Under valgrind it takes minutes, nearly all of them within LAPACK; the same
   code runs there with the few spins above. */
static void six_ions_of_the_paper(void **state)
{
  static const double sz[] = {.1416155977, .0255141385, .1327389868, .1030550906, .2518644497, .0844270982};
  char *text, name[16];
  Model model;
  Answer steady, decay;

  (void)state;
  if (getenv("COSPIN_VALGRIND")) skip();
  text = read_file(COSPIN_SOURCE_DIR "/input/ions_six.yaml");
  model = Model_Open(PETSC_COMM_SELF, text, 0);
  steady = Model_Run(&model, 0);
  decay = Model_Run(&model, 1);
  for (int l = 0; l < 6; l++) {
    snprintf(name, sizeof(name), "sz%d", l);
    assert_true(fabs(Answer_Get(&steady, name, 0) - sz[l]) < 1e-9);
  }
  assert_true(fabs(Answer_Get(&steady, "correlation_re", 0) - .0142285131) < 1e-9);
  assert_true(fabs(Answer_Get(&steady, "correlation_im", 0) - .0037030140) < 1e-9);
  assert_true(fabs(Answer_Get(&decay, "rate", 0) - 1.9064648860) < 1e-9); /* also the gap of all sectors */
  assert_true(fabs(Answer_Get(&decay, "frequency", 0) - .5348660400) < 1e-9);
  Answer_Free(&steady);
  Answer_Free(&decay);
  Model_Close(&model);
  free(text);
}

/* Spins that do not see each other keep their own charges: 9 sectors for two, the steady one has 4 labels. */
static void free_spins_keep_their_own_charges(void **state)
{
  Model model = Model_Open(PETSC_COMM_SELF,
                           "title: free\ncomponents:\n  q: {kind: spins, size: 2}\njumps:\n"
                           "  - {rate: 1, each: q.sm}\n  - {rate: 1, each: q.sp}\ntasks:\n  - steady: {}\n",
                           0);
  int num, *sectors = Model_All_Sectors(model.problem, &num);
  const int origin[4] = {0};
  CospinSector sector;

  (void)state;
  assert_int_equal(num, 9);
  OK(CospinSectorCreate(&model.problem->system, model.problem->lattice, origin, &sector));
  assert_int_equal(CospinSectorDimension(sector), 4);
  OK(CospinSectorDestroy(&sector));
  free(sectors);
  Model_Close(&model);
}

/* The square of a spin's sm is zero and must not connect anything: two-photon loss of two spins is strong
   Z_2, and on one spin it is nothing at all. */
static void impossible_moves_connect_nothing(void **state)
{
  static const int wanted[] = {4, 15}; /* |ee><ee| and |gg><gg| share one, all others stand alone */

  (void)state;
  for (int n = 1; n <= 2; n++) {
    char text[512];
    Model model;
    int num, *sectors;
    snprintf(text, sizeof(text),
             "title: pairs\ncomponents:\n  q: {kind: spins, size: %d}\njumps:\n"
             "  - {rate: 1, operator: q.Sm^2}\ntasks:\n  - steady: {}\n",
             n);
    model = Model_Open(PETSC_COMM_SELF, text, 0);
    sectors = Model_All_Sectors(model.problem, &num);
    assert_int_equal(num, wanted[n - 1]);
    free(sectors);
    Model_Close(&model);
  }
}

/* Spin cats of four spins with different detunings (Mok, Kwek, Touzard), even and odd: fidelity with the
   initial state at Gamma2 t = 10, 50, 100, 200; numbers of another code, error below 1e-8. */
static void detuned_cats_lose_their_fidelity(void **state)
{
  static const double wanted[2][4] = {{.98455337, .96165664, .92971243, .86868280},
                                      {.95582361, .65490953, .33862271, .39917725}};
  char text[2048];

  (void)state;
  for (int odd = 0; odd < 2; odd++) {
    Model model;
    Answer answer;
    snprintf(text, sizeof(text),
             "title: cat\nparameters: {N: 4, eta: 0.2, theta: 2*atan(sqrt(2*eta/N)), phi: -pi/4, sign: %d}\n"
             "components:\n  q: {kind: spins, size: N}\narrays:\n  delta: [0.013, -0.021, 0.004, 0.0175]\n"
             "hamiltonian:\n  - sum: delta[l]/2*q.sz[l]\n  - eta/N*q.Sm^2 + hc\n"
             "jumps:\n  - {rate: 1/N^2, operator: q.Sm^2}\ntasks:\n"
             "  - evolve: {times: [10, 50, 100, 200], initial: {q: {cat: [theta, phi, sign]}},\n"
             "             fidelity: {q: {cat: [theta, phi, sign]}}}\n",
             odd ? -1 : 1);
    model = Model_Open(PETSC_COMM_SELF, text, 0);
    answer = Model_Run(&model, 0);
    assert_int_equal(answer.outcome, COSPIN_GOOD);
    for (int k = 0; k < 4; k++) assert_true(fabs(Answer_Get(&answer, "fidelity", k) - wanted[odd][k]) < 1e-7);
    Answer_Free(&answer);
    Model_Close(&model);
  }
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(generator_is_the_reference),
      cmocka_unit_test(spectra_of_sectors_are_the_full_spectrum),
      cmocka_unit_test(steady_states_are_those_of_the_reference),
      cmocka_unit_test(uniform_rates_give_an_ensemble),
      cmocka_unit_test(six_ions_of_the_paper),
      cmocka_unit_test(free_spins_keep_their_own_charges),
      cmocka_unit_test(impossible_moves_connect_nothing),
      cmocka_unit_test(detuned_cats_lose_their_fidelity),
  };
  int failed;

  if (SlepcInitialize(&argc, &argv, NULL, NULL)) return 1;
  failed = cmocka_run_group_tests(tests, NULL, NULL);
  return SlepcFinalize() ? 1 : failed;
}
