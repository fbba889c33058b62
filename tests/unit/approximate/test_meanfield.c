/*
   Mean-field equations against brute force: the product state as a matrix of the whole Hilbert space, the
   master equation applied to it, and the slopes of <s->, <sz> and <a> as traces. Closure `paper` against its
   equations, written down as double sums.
*/
#include "approximate/meanfield/meanfield.h"
#include "support_model.h"
#include <math.h>
#include <setjmp.h>
#include <slepcsys.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
/* cmocka needs setjmp.h to stdint.h above it */
#include <cmocka.h>

#define OK(call) assert_int_equal(call, 0)

enum { MAX_UNKNOWNS = 40 };

typedef struct {
  double rate;
  const char *text;
  int each; /* once for each of so many spins; 0: once */
} Jump;

typedef struct {
  const char *deck, *hamiltonian; /* the second: with arrays written out */
  Jump jumps[6];
} Case;

#define SPINS  "components: {q: {kind: spins, size: 5}}\n"
#define IONS   "components: {ions: {kind: ensemble, size: 5}}\n"
#define LIGHT  "components: {c: {kind: mode, cutoff: 22}, ions: {kind: ensemble, size: 2}}\n"
#define STEADY "title: mean field\ntasks: [steady: {}]\n"

static const Case cases[] = {
    {SPINS "arrays: {d: [0.3, -0.1, 0.7, 0.2, -0.5]}\nhamiltonian: [sum: \"d[l]/2*q.sz[l]\"]\n" STEADY,
     "0.15*q.sz[0] - 0.05*q.sz[1] + 0.35*q.sz[2] + 0.1*q.sz[3] - 0.25*q.sz[4]",
     {{0, NULL, 0}}},
    {SPINS "hamiltonian: [(0.3+0.4*i)*q.Sm^2 + hc, 0.7*q.Sz]\n" STEADY,
     "(0.3+0.4*i)*q.Sm^2 + hc + 0.7*q.Sz",
     {{0, NULL, 0}}},
    {SPINS "hamiltonian: [0.2*q.Sp*q.Sm, 0.3*q.Sz^2, 0.1*q.Sx*q.Sz + hc, 0.4*q.Sy]\n" STEADY,
     "0.2*q.Sp*q.Sm + 0.3*q.Sz^2 + 0.4*q.Sy + 0.1*q.Sx*q.Sz + 0.1*q.Sz*q.Sx",
     {{0, NULL, 0}}},
    {SPINS "jumps: [{rate: 0.6, operator: q.Sm^2}]\n" STEADY, "0*q.Sz", {{0.6, "q.Sm^2", 0}}},
    {SPINS "jumps: [{rate: 0.6, operator: q.Sm + 0.3*i*q.Sp}, {rate: 0.2, operator: q.Sz}]\n" STEADY,
     "0*q.Sz",
     {{0.6, "q.Sm + 0.3*i*q.Sp", 0}, {0.2, "q.Sz", 0}}},
    {SPINS "jumps: [{rate: 0.4, operator: q.Sz*q.Sm + 0.5*q.Sp^2 - 0.2}]\n" STEADY,
     "0*q.Sz",
     {{0.4, "q.Sz*q.Sm + 0.5*q.Sp^2 - 0.2", 0}}},
    {SPINS "arrays: {g: [0.3, 0.1, 0.7, 0.2, 0.5]}\njumps: [{rate: \"g[l]\", each: \"q.sm[l]\"}, {rate: 0.2, "
           "each: q.sz}, "
           "{rate: 0.3, each: q.sp + 0.4*q.sz}, {rate: 0.9, operator: \"q.sp[2]\"}]\n" STEADY,
     "0*q.Sz",
     {{0.3, "q.sm[0]", 0},
      {0.1, "q.sm[1]", 0},
      {0.7, "q.sm[2]", 0},
      {0.2, "q.sm[3]", 0},
      {0.5, "q.sm[4]", 0},
      {0, NULL, 0}}},
    {IONS "hamiltonian: [0.3*ions.Sm^2 + hc, 0.2*ions.Sz]\njumps: [{rate: 0.5, operator: ions.Sm^2}, {rate: "
          "0.3, operator: "
          "ions.Sm}, {rate: 0.7, each: ions.sp}, {rate: 0.2, each: ions.sz}]\n" STEADY,
     "0.3*ions.Sm^2 + hc + 0.2*ions.Sz",
     {{0.5, "ions.Sm^2", 0}, {0.3, "ions.Sm", 0}, {0.7, "ions.sp", 5}, {0.2, "ions.sz", 5}}},
    {LIGHT "hamiltonian: [(0.3+0.1*i)*c.a*ions.Sp + hc, 0.4*c.n, 0.2*c.a + hc, 0.1*i*c.a^2 + hc]\njumps: "
           "[{rate: 0.8, operator: "
           "c.a}, {rate: 0.1, operator: dag(c.a)}, {rate: 0.3, operator: c.n}, {rate: 0.2, operator: "
           "c.a^2}]\n" STEADY,
     "(0.3+0.1*i)*c.a*ions.Sp + 0.1*i*c.a^2 + 0.2*c.a + hc + 0.4*c.n",
     {{0.8, "c.a", 0}, {0.1, "dag(c.a)", 0}, {0.3, "c.n", 0}, {0.2, "c.a^2", 0}}},
    {LIGHT "jumps: [{rate: 0.4, operator: c.a + 0.7*ions.Sm}, {rate: 0.3, operator: c.a*ions.Sp}]\n" STEADY,
     "0*c.n",
     {{0.4, "c.a + 0.7*ions.Sm", 0}, {0.3, "c.a*ions.Sp", 0}}},
};

/* Some state: no symmetry, |s|^2 + z^2/4 < 1/4. */
static void some_state(CospinMeanField field, double u[])
{
  for (int c = 0; c < field->num_parts; c++) {
    const CospinMeanPart *part = &field->parts[c];
    for (int l = 0; l < part->sites; l++) {
      u[part->offset + l] = 0.3 * cos(1.0 + 2.1 * l + c);
      u[part->offset + part->sites + l] = 0.25 * sin(0.3 + 1.3 * l);
      if (!part->is_mode) u[part->offset + 2 * part->sites + l] = 0.5 * cos(2.0 + 0.7 * l);
    }
  }
}

static Dense one_factor(const CospinMeanPart *part, int site, int levels, const double u[])
{
  const double complex s = CMPLX(u[part->offset + site], u[part->offset + part->sites + site]);
  Dense rho = Dense_Zero(levels);

  for (int i = 0; i < levels && part->is_mode; i++)
    for (int j = 0; j < levels; j++)
      *Dense_At(rho, i, j) =
          exp(-creal(s * conj(s))) * cpow(s, i) * cpow(conj(s), j) / sqrt(tgamma(i + 1) * tgamma(j + 1));
  if (part->is_mode) return rho;
  const double z = u[part->offset + 2 * part->sites + site];
  *Dense_At(rho, 0, 0) = (1 + z) / 2;
  *Dense_At(rho, 1, 1) = (1 - z) / 2;
  *Dense_At(rho, 0, 1) = s;
  *Dense_At(rho, 1, 0) = conj(s);
  return rho;
}

static Dense product_state(CospinProblem problem, CospinMeanField field, const double u[])
{
  Dense rho = Dense_Identity(1, 1);

  for (int c = 0; c < field->num_parts; c++) {
    const CospinMeanPart *part = &field->parts[c];
    const int factors = part->is_mode ? 1 : Dense_Spins(problem, c);
    for (int l = 0; l < factors; l++) {
      Dense one = one_factor(part, part->sites == 1 ? 0 : l, part->is_mode ? Dense_Levels(problem, c) : 2, u);
      Dense both = Dense_Kron(rho, one);
      Dense_Free(&rho);
      Dense_Free(&one);
      rho = both;
    }
  }
  return rho;
}

/* sum += factor a b c */
static void add(Dense sum, double complex factor, Dense a, Dense b, Dense c)
{
  Dense ab = Dense_Product(a, b), abc = Dense_Product(ab, c);

  Dense_Axpy(sum, factor, abc);
  Dense_Free(&ab);
  Dense_Free(&abc);
}

static Dense slope_of(CospinProblem problem, const Case *this, Dense rho)
{
  Dense sum = Dense_Zero(rho.n), one = Dense_Identity(rho.n, 1),
        h = Dense_Operator(problem, this->hamiltonian, 0);

  add(sum, -I, h, rho, one);
  add(sum, I, rho, h, one);
  for (int k = 0; k < 6 && this->jumps[k].text; k++) {
    for (int l = 0; l < (this->jumps[k].each ? this->jumps[k].each : 1); l++) {
      Dense a = Dense_Operator(problem, this->jumps[k].text, l), adjoint = Dense_Adjoint(a);
      add(sum, this->jumps[k].rate, a, rho, adjoint);
      add(sum, -this->jumps[k].rate / 2, adjoint, a, rho);
      add(sum, -this->jumps[k].rate / 2, rho, adjoint, a);
      Dense_Free(&a);
      Dense_Free(&adjoint);
    }
  }
  Dense_Free(&h);
  Dense_Free(&one);
  return sum;
}

static double complex read(CospinProblem problem, Dense slope, const char text[], int spin)
{
  Dense a = Dense_Operator(problem, text, spin);
  const double complex value = Dense_Expect(a, slope);

  Dense_Free(&a);
  return value;
}

static void assert_close(double value, double expected)
{
  if (!(fabs(value - expected) <= 1e-12)) fail_msg("%.16g instead of %.16g", value, expected);
}

static void check_slopes(CospinProblem problem, CospinMeanField field, Dense slope, const double slopes[])
{
  for (int c = 0; c < field->num_parts; c++) {
    const CospinMeanPart *part = &field->parts[c];
    const char *name = problem->system.components[c].name;
    for (int l = 0; l < part->sites; l++) {
      char lower[32], z[32];
      (void)snprintf(lower, sizeof(lower), "%s.%s", name, part->is_mode ? "a" : "sm");
      (void)snprintf(z, sizeof(z), "%s.sz", name);
      const double complex s = read(problem, slope, lower, l);
      assert_close(slopes[part->offset + l], creal(s));
      assert_close(slopes[part->offset + part->sites + l], cimag(s));
      if (!part->is_mode)
        assert_close(slopes[part->offset + 2 * part->sites + l], creal(read(problem, slope, z, l)));
    }
  }
}

static void slopes_are_those_of_the_product_state(void **state)
{
  (void)state;
  for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
    Case this = cases[k];
    Model model = Model_Open(PETSC_COMM_SELF, this.deck, 0);
    double u[MAX_UNKNOWNS], slopes[MAX_UNKNOWNS];
    CospinMeanField field;
    PetscBool ok;
    OK(CospinMeanFieldCreate(model.problem, COSPIN_CLOSURE_PRODUCT, "meanfield", model.faults, &field, &ok));
    assert_true(ok);
    some_state(field, u);
    OK(CospinMeanFieldSlopes(field, u, slopes));
    Dense rho = product_state(model.problem, field, u);
    Dense slope = slope_of(model.problem, &this, rho);
    if (k == 6) { /* more jumps than fit */
      const Case more = {
          NULL, "0*q.Sz", {{0.2, "q.sz", 5}, {0.3, "q.sp + 0.4*q.sz", 5}, {0.9, "q.sp[2]", 0}}};
      Dense rest = slope_of(model.problem, &more, rho);
      Dense_Axpy(slope, 1, rest);
      Dense_Free(&rest);
    }
    check_slopes(model.problem, field, slope, slopes);
    Dense_Free(&slope);
    Dense_Free(&rho);
    OK(CospinMeanFieldDestroy(&field));
    Model_Close(&model);
  }
}

/* Several operators, of one spin and of all, against traces. */
static void observables_are_those_of_the_product_state(void **state)
{
  static const char *const texts[] = {"q.Sp*q.Sm",    "q.Sp^2*q.Sm^2",
                                      "q.Sz^2*q.Sp",  "q.sp[0]*q.sm[3]*q.Sz*q.sz[0]",
                                      "q.Sm*q.sp[1]", "q.Sz*q.Sx*q.Sz*q.Sp*q.Sm",
                                      "2.5"};
  Model model = Model_Open(PETSC_COMM_SELF, cases[0].deck, 0);
  CospinMeanField field;
  double u[MAX_UNKNOWNS];
  PetscBool ok;

  (void)state;
  OK(CospinMeanFieldCreate(model.problem, COSPIN_CLOSURE_PRODUCT, "meanfield", model.faults, &field, &ok));
  some_state(field, u);
  Dense rho = product_state(model.problem, field, u);
  for (size_t k = 0; k < sizeof(texts) / sizeof(texts[0]); k++) {
    const double complex expected = read(model.problem, rho, k < 6 ? texts[k] : "0*q.Sz + 2.5", 0);
    CospinExpression expression;
    CospinPolynomial a;
    OK(CospinExpressionParse(texts[k], (CospinPosition){1, 1}, "test", model.faults, &expression));
    OK(CospinProblemOperator(model.problem, expression, model.faults, &a, &ok));
    assert_true(ok);
    const double complex value = CospinMeanExpectation(field, model.problem, u, a);
    assert_close(creal(value), creal(expected));
    assert_close(cimag(value), cimag(expected));
    OK(CospinPolynomialDestroy(&a));
    OK(CospinExpressionDestroy(&expression));
  }
  Dense_Free(&rho);
  OK(CospinMeanFieldDestroy(&field));
  Model_Close(&model);
}

/*
   Mok, Kwek, Touzard: H = sum delta/2 sz + (eta/N)(e^{i phi} K + hc), jump sqrt(g) K, K = S_-^2, g = 1/N^2;
   with s = <s+>, R the sum of s- over all spins but m,

     ds = i d s - 2i eta e^{i phi} z <R>/N + g (-2 s <R+R> + z <R+R+R>)
     dz = 8 eta Im(e^{-i phi} s <R+>)/N + g (-4 (1+z) <R+R> - 4 Re(s <R+RR>))

   closed by Eqs. (22)-(23): <R+R> = N c2 + |N c1|^2, <R+R+R> = 2 N^2 c1 c2 + |N c1|^2 N c1, sums without m.
*/
static void paper_closure_is_that_of_the_paper(void **state)
{
  enum { N = 5 };
  static const char text[] =
      SPINS "arrays: {d: [0.3, -0.1, 0.7, 0.2, -0.5]}\n"
            "hamiltonian: [sum: \"d[l]/2*q.sz[l]\", 0.9/5*(cos(0.4)+i*sin(0.4))*q.Sm^2 + hc]\n"
            "jumps: [{rate: 1/25, operator: q.Sm^2}]\n" STEADY;
  const double delta[N] = {0.3, -0.1, 0.7, 0.2, -0.5}, eta = 0.9, g = 1.0 / 25;
  const double complex squeezing = cexp(0.4 * I);
  Model model = Model_Open(PETSC_COMM_SELF, text, 0);
  double u[MAX_UNKNOWNS], slopes[MAX_UNKNOWNS];
  CospinMeanField field;
  PetscBool ok;

  (void)state;
  OK(CospinMeanFieldCreate(model.problem, COSPIN_CLOSURE_PAPER, "meanfield", model.faults, &field, &ok));
  assert_true(ok);
  some_state(field, u);
  OK(CospinMeanFieldSlopes(field, u, slopes));
  for (int m = 0; m < N; m++) {
    const double complex s = CMPLX(u[m], -u[N + m]);
    const double z = u[2 * N + m];
    double complex sum = 0; /* N c1 */
    double up = 0;          /* N c2 */
    for (int j = 0; j < N; j++) {
      if (j == m) continue;
      sum += CMPLX(u[j], -u[N + j]);
      up += (1 + u[2 * N + j]) / 2;
    }
    const double square = up + creal(sum * conj(sum));
    const double complex cube = 2 * sum * up + creal(sum * conj(sum)) * sum;
    const double complex ds =
        I * delta[m] * s - 2.0 * I * eta * squeezing * z * conj(sum) / N + g * (-2 * s * square + z * cube);
    const double dz = 8 * eta * cimag(conj(squeezing) * s * sum) / N +
                      g * (-4 * (1 + z) * square - 4 * creal(s * conj(cube)));
    assert_close(slopes[m], creal(ds));
    assert_close(slopes[N + m], -cimag(ds));
    assert_close(slopes[2 * N + m], dz);
  }
  OK(CospinMeanFieldDestroy(&field));
  Model_Close(&model);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(slopes_are_those_of_the_product_state),
      cmocka_unit_test(observables_are_those_of_the_product_state),
      cmocka_unit_test(paper_closure_is_that_of_the_paper),
  };
  int failed;

  if (SlepcInitialize(&argc, &argv, NULL, NULL)) return 1;
  failed = cmocka_run_group_tests(tests, NULL, NULL);
  return SlepcFinalize() ? 1 : failed;
}
