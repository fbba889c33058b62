/*
   The minimal model of ion-trap superradiance, Shankar et al., PRA 95, 033423 (2017), Eq. (23): numbers that
   were computed independently of this program (prototype with a sparse direct solver and bracketed rates;
   errors below 1e-9, printed to six decimals), and what is known exactly. Rates are in units of Gamma_c.
*/
#include "support_model.h"
#include <cospin/operator/liouvillian.h>
#include <math.h>
#include <setjmp.h>
#include <slepcsys.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
/* cmocka needs setjmp.h to stdint.h above it */
#include <cmocka.h>

#define OK(call) assert_int_equal(call, 0)

typedef struct {
  int spins;
  double x, nbar, spontaneous, dephasing; /* w = x N Gamma_c; G_sp, Gamma_d */
} Parameters;

static Model open_model(Parameters p)
{
  static const char format[] = "title: ion-trap superradiance\n"
                               "parameters: {N: %d, x: %.17g, nbar: %.17g, Gsp: %.17g, Gd: %.17g, w: N*x}\n"
                               "components: {ions: {kind: ensemble, size: N}}\n"
                               "jumps:\n"
                               "  - {rate: nbar + 1, operator: ions.Sm}\n"
                               "  - {rate: nbar, operator: ions.Sp}\n"
                               "  - {rate: w, each: ions.sp}\n"
                               "  - {rate: Gsp, each: ions.sm}\n"
                               "  - {rate: Gd/4, each: ions.sz}\n"
                               "observables:\n"
                               "  inversion: 2*<ions.Sz>/N\n"
                               "  correlation: (<ions.Sp*ions.Sm> - N/2 - <ions.Sz>)/(N*max(N - 1, 1))\n"
                               "  emission: <ions.Sp*ions.Sm>\n"
                               "  absorption: <ions.Sm*ions.Sp>\n"
                               "tasks:\n"
                               "  - steady: {}\n"
                               "  - decay: {of: ions.Sm, weights: false}\n"
                               "  - decay: {name: conjugate, of: ions.Sp, weights: false}\n";
  char text[2048];

  snprintf(text, sizeof(text), format, p.spins, p.x, p.nbar, p.spontaneous, p.dephasing);
  return Model_Open(PETSC_COMM_WORLD, text, 0);
}

/* Six printed decimals, or 1e-6 of larger numbers. */
static void assert_printed(double value, double printed, const char what[], Parameters p)
{
  if (!(fabs(value - printed) <= fmax(0.51e-6, 1e-6 * fabs(printed))))
    fail_msg("%s is %.9f, not %.6f, at N = %d, x = %g, nbar = %g", what, value, printed, p.spins, p.x,
             p.nbar);
}

/* d<Sz>/dt = 0, written with the observables of the deck; relative to the largest term. */
static void assert_balance(const Answer *steady, Parameters p)
{
  const double s = Answer_Get(steady, "inversion", 0), n = p.spins, w = p.x * n;
  const double terms[4] = {w / 2 * (1 - s) * n, -p.spontaneous / 2 * (1 + s) * n,
                           p.nbar * Answer_Get(steady, "absorption", 0),
                           -(p.nbar + 1) * Answer_Get(steady, "emission", 0)};
  double sum = 0, size = 0;

  for (int k = 0; k < 4; k++) {
    sum += terms[k];
    size = fmax(size, fabs(terms[k]));
  }
  assert_true(fabs(sum) <= 1e-12 * size);
}

static void assert_bracket(const Answer *decay)
{
  const double rate = Answer_Get(decay, "rate", 0), lower = Answer_Get(decay, "lower", 0);
  const double upper = Answer_Get(decay, "upper", 0);

  assert_true(lower <= rate + 1e-12 * rate && rate <= upper + 1e-12 * rate);
  assert_true(upper - lower < 1e-8 * fmax(1, rate));
}

typedef struct {
  Parameters p;
  double inversion, correlation, rate; /* NaN: not given */
} Row;

static void check_row(const Row *row)
{
  Model model = open_model(row->p);
  Answer steady = Model_Run(&model, 0), decay = Model_Run(&model, 1), conjugate = Model_Run(&model, 2);

  assert_int_equal(steady.outcome, COSPIN_GOOD);
  assert_int_equal(decay.outcome, COSPIN_GOOD);
  if (!isnan(row->inversion))
    assert_printed(Answer_Get(&steady, "inversion", 0), row->inversion, "inversion", row->p);
  if (!isnan(row->correlation))
    assert_printed(Answer_Get(&steady, "correlation", 0), row->correlation, "correlation", row->p);
  assert_printed(Answer_Get(&decay, "rate", 0), row->rate, "rate", row->p);
  assert_balance(&steady, row->p);
  assert_bracket(&decay);
  assert_true(Answer_Get(&decay, "frequency", 0) == 0.0 || fabs(Answer_Get(&decay, "frequency", 0)) < 1e-9);
  assert_printed(Answer_Get(&conjugate, "rate", 0), row->rate, "rate of the conjugate sector", row->p);
  assert_true(fabs(Answer_Get(&conjugate, "rate", 0) - Answer_Get(&decay, "rate", 0)) < 1e-9 * row->rate);
  Answer_Free(&steady);
  Answer_Free(&decay);
  Answer_Free(&conjugate);
  Model_Close(&model);
}

/* nbar = 0: against w. N = 40 is the cavity line of Fig. 5. */
static void pumped_ions_have_the_reference_numbers(void **state)
{
  static const Row rows[] = {
      {{10, .05, 0, 0, 0}, -.071473, -.021822, 1.194600}, {{40, .05, 0, 0, 0}, .037382, .011383, 1.196409},
      {{124, .05, 0, 0, 0}, .055378, .019517, .753531},   {{10, .1, 0, 0, 0}, 0, 0, 1.230477},
      {{40, .1, 0, 0, 0}, .101240, .031972, 1.044461},    {{124, .1, 0, 0, 0}, .107576, .040482, .553770},
      {{10, .2, 0, 0, 0}, .120967, .035394, 1.275040},    {{40, .2, 0, 0, 0}, .211389, .065353, .944233},
      {{124, .2, 0, 0, 0}, .207997, .074934, .515098},    {{10, .3, 0, 0, 0}, .224763, .061164, 1.354726},
      {{40, .3, 0, 0, 0}, .313498, .088776, .996221},     {{124, .3, 0, 0, 0}, .308028, .099322, .587469},
      {{10, .4, 0, 0, 0}, .316453, .078763, 1.476797},    {{40, .4, 0, 0, 0}, .411881, .102539, 1.158781},
      {{124, .4, 0, 0, 0}, .408011, .113637, .720216},    {{10, .5, 0, 0, 0}, .397728, .089646, 1.640406},
      {{40, .5, 0, 0, 0}, .506273, .107285, 1.442977},    {{124, .5, 0, 0, 0}, .507902, .117895, .937086},
      {{10, .6, 0, 0, 0}, .469252, .095291, 1.843339},    {{40, .6, 0, 0, 0}, .594348, .104376, 1.882411},
      {{124, .6, 0, 0, 0}, .607276, .112241, 1.322476},   {{10, .8, 0, 0, 0}, .585269, .096255, 2.354184},
      {{40, .8, 0, 0, 0}, .738477, .085003, 3.348696},    {{124, .8, 0, 0, 0}, .790557, .077179, 3.581437},
      {{10, 1.0, 0, 0, 0}, .670561, .090213, 2.979854},   {{40, 1.0, 0, 0, 0}, .831114, .063132, 5.605987},
      {{124, 1.0, 0, 0, 0}, .902320, .041504, 9.589801},
  };

  (void)state;
  for (size_t k = 0; k < sizeof(rows) / sizeof(rows[0]); k++) check_row(&rows[k]);
}

/* Fig. 10(a): w = N Gamma_c/2, against nbar; Fig. 10(b): nbar = 0, G_sp = Gamma_d = 5 Gamma_c, against w. */
static void figure_10_has_the_reference_numbers(void **state)
{
  static const Row rows[] = {
      {{124, .5, 0, 0, 0}, .507902, .117895, .937086},    {{124, .5, .5, 0, 0}, .514513, .114110, 1.522267},
      {{124, .5, 1, 0, 0}, .518840, .110876, 2.263745},   {{124, .5, 2, 0, 0}, .521250, .106001, 4.002379},
      {{124, .5, 3, 0, 0}, .518328, .102583, 5.867447},   {{124, .5, 4, 0, 0}, .512653, .100007, 7.746181},
      {{124, .5, 4.7, 0, 0}, .507812, .098514, 9.046354}, {{124, .5, 5, 0, 0}, .505605, .097930, 9.597927},
      {{124, .05, 0, 5, 5}, NAN, NAN, 9.372090},          {{124, .1, 0, 5, 5}, NAN, NAN, 3.409491},
      {{124, .2, 0, 5, 5}, NAN, NAN, 1.717299},           {{124, .3, 0, 5, 5}, NAN, NAN, 1.593859},
      {{124, .5, 0, 5, 5}, NAN, NAN, 2.545347},           {{124, .8, 0, 5, 5}, NAN, NAN, 8.697398},
      {{124, 1, 0, 5, 5}, NAN, NAN, 16.638414},
  };

  (void)state;
  for (size_t k = 0; k < sizeof(rows) / sizeof(rows[0]); k++) check_row(&rows[k]);
}

/* ---- Exact statements
 * ---------------------------------------------------------------------------------------- */

/* At w = Gamma_c, nbar = 0 the identity is stationary. */
static void no_inversion_at_equal_pump_and_decay(void **state)
{
  static const int sizes[] = {1, 2, 3, 10, 41, 124};

  (void)state;
  for (size_t k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++) {
    Model model = open_model((Parameters){sizes[k], 1.0 / sizes[k], 0, 0, 0});
    Answer steady = Model_Run(&model, 0);
    assert_int_equal(steady.outcome, COSPIN_GOOD);
    assert_true(fabs(Answer_Get(&steady, "inversion", 0)) < 1e-12);
    assert_true(fabs(Answer_Get(&steady, "correlation", 0)) < 1e-12);
    Answer_Free(&steady);
    Model_Close(&model);
  }
}

/* inversion -> x + 1/N, rate -> (1+x)/(4(1-x)): half way between 0 and 1 the corrections at N = 300 are of
   second order in 1/N for the inversion and a few per cent for the rate, and they shrink with N. */
static void large_ensembles_approach_the_limit(void **state)
{
  double error[2][2];

  (void)state;
  for (int k = 0; k < 2; k++) {
    const int spins = k ? 300 : 100;
    const double x = 0.5;
    Model model = open_model((Parameters){spins, x, 0, 0, 0});
    Answer steady = Model_Run(&model, 0), decay = Model_Run(&model, 1);
    error[k][0] = fabs(Answer_Get(&steady, "inversion", 0) - x - 1.0 / spins);
    error[k][1] = fabs(Answer_Get(&decay, "rate", 0) / ((1 + x) / (4 * (1 - x))) - 1);
    Answer_Free(&steady);
    Answer_Free(&decay);
    Model_Close(&model);
  }
  assert_true(error[1][0] < 0.2 * error[0][0] && error[1][0] < 1e-4);
  assert_true(error[1][1] < 0.4 * error[0][1] && error[1][1] < 0.1);
}

/* ---- Fringes in time
 * ----------------------------------------------------------------------------------------- */

typedef struct {
  CospinSector sector;
  Mat liouvillian;
  CospinMoves lowering; /* rho -> Sm rho */
  Vec rho;
} Fringe;

/* All spins on the equator: p_{N/2,m} = 2^-N sqrt(C(N,N/2+m) C(N,N/2+m-1)), in the sector that Tr(Sm rho)
 * reads. */
static void set_equator(const Model *model, int spins, Fringe *fringe)
{
  const double log_norm = spins * log(2);

  (void)model;
  for (int n = 1; n <= spins; n++) {
    const int label[3] = {0, n, n - 1};
    const double log_n = lgamma(spins + 1) - lgamma(n + 1) - lgamma(spins - n + 1);
    const double log_below = lgamma(spins + 1) - lgamma(n) - lgamma(spins - n + 2);
    const PetscInt64 index = CospinSectorIndex(fringe->sector, label);
    assert_true(index >= 0);
    OK(VecSetValue(fringe->rho, (PetscInt)index, exp(0.5 * (log_n + log_below) - log_norm), INSERT_VALUES));
  }
  OK(VecAssemblyBegin(fringe->rho));
  OK(VecAssemblyEnd(fringe->rho));
}

static Fringe open_fringe(const Model *model, int spins)
{
  const CospinProblem problem = model->problem;
  const int label[3] = {0, 1, 0};
  const CospinElementary sm = {0, 1, -1};
  CospinPolynomial a;
  Fringe fringe;

  OK(CospinSectorCreate(&problem->system, problem->lattice, label, &fringe.sector));
  OK(CospinLiouvillianCreate(PETSC_COMM_WORLD, problem->generator, fringe.sector, &fringe.liouvillian));
  OK(CospinPolynomialCreate(&a));
  OK(CospinPolynomialAddMonomial(a, 1, 1, &sm));
  OK(CospinMovesCreate(&problem->system, &fringe.lowering));
  OK(CospinMovesAddLeftProduct(fringe.lowering, a));
  OK(CospinMovesFinish(fringe.lowering));
  OK(CospinPolynomialDestroy(&a));
  OK(MatCreateVecs(fringe.liouvillian, &fringe.rho, NULL));
  set_equator(model, spins, &fringe);
  return fringe;
}

static void close_fringe(Fringe *fringe)
{
  OK(VecDestroy(&fringe->rho));
  OK(MatDestroy(&fringe->liouvillian));
  OK(CospinMovesDestroy(&fringe->lowering));
  OK(CospinSectorDestroy(&fringe->sector));
}

static double amplitude(const Fringe *fringe, Vec rho)
{
  double complex value;

  OK(CospinExpectations(fringe->sector, rho, 1, &fringe->lowering, &value));
  assert_true(fabs(cimag(value)) <= 1e-12 * (1 + fabs(creal(value))));
  return creal(value);
}

/* -d/dt ln Tr(J- rho) = w/2 + G_sp/2 + Gamma_d/2 + Gamma_c (2 nbar + 1)/2 at t = 0, whatever N is. */
static void fringes_start_with_the_uncorrelated_slope(void **state)
{
  static const Parameters rows[] = {{1, .4, 0, 0, 0},  {2, .3, 1, 0, 0},     {7, .5, .5, 2, 3},
                                    {40, .2, 0, 5, 5}, {124, .5, 4.7, 0, 0}, {125, .7, 1, .3, .2}};

  (void)state;
  for (size_t k = 0; k < sizeof(rows) / sizeof(rows[0]); k++) {
    const Parameters p = rows[k];
    const double slope = p.x * p.spins / 2 + p.spontaneous / 2 + p.dephasing / 2 + (2 * p.nbar + 1) / 2;
    Model model = open_model(p);
    Fringe fringe = open_fringe(&model, p.spins);
    Vec change;
    assert_true(fabs(amplitude(&fringe, fringe.rho) - p.spins / 2.0) < 1e-11 * p.spins);
    OK(VecDuplicate(fringe.rho, &change));
    OK(MatMult(fringe.liouvillian, fringe.rho, change));
    assert_true(fabs(-amplitude(&fringe, change) / (p.spins / 2.0) / slope - 1) < 1e-10);
    OK(VecDestroy(&change));
    close_fringe(&fringe);
    Model_Close(&model);
  }
}

/* exp(L t) rho as an integral of (z - L)^-1 rho around the spectrum, on the contour of Trefethen, Weideman
   and Schmelzer, BIT 46, 653 (2006), Eq. (3.1). L is far from normal, so it converges more slowly than on a
   negative axis: 30 points give seven digits at the shortest time, more at later ones. L and rho are real, so
   half of the points are enough. */
static double amplitude_at(const Fringe *fringe, double time)
{
  enum { NUM_POINTS = 30 };
  const double a = 0.5017, b = 0.6407, c = -0.6122, d = 0.2645, scale = NUM_POINTS / time;
  double sum = 0;
  Vec solution;
  Mat shifted;
  KSP ksp;
  PC pc;

  OK(VecDuplicate(fringe->rho, &solution));
  OK(KSPCreate(PETSC_COMM_WORLD, &ksp));
  OK(KSPSetType(ksp, KSPPREONLY));
  OK(KSPGetPC(ksp, &pc));
  OK(PCSetType(pc, PCLU));
  OK(PCFactorSetMatSolverType(pc, MATSOLVERMUMPS));
  OK(MatDuplicate(fringe->liouvillian, MAT_COPY_VALUES, &shifted));
  for (int k = 0; k < NUM_POINTS / 2; k++) {
    const double theta = PETSC_PI * (2 * k + 1) / NUM_POINTS, cotangent = 1 / tan(b * theta);
    const double complex z = scale * CMPLX(a * theta * cotangent + c, d * theta);
    const double complex slope =
        scale * CMPLX(a * cotangent - a * b * theta * (1 + cotangent * cotangent), d);
    double complex value;
    OK(MatCopy(fringe->liouvillian, shifted, SAME_NONZERO_PATTERN));
    OK(MatScale(shifted, -1));
    OK(MatShift(shifted, z));
    OK(KSPSetOperators(ksp, shifted, shifted));
    OK(KSPSolve(ksp, fringe->rho, solution));
    OK(CospinExpectations(fringe->sector, solution, 1, &fringe->lowering, &value));
    sum += 2.0 / NUM_POINTS * cimag(cexp(z * time) * slope * value);
  }
  OK(MatDestroy(&shifted));
  OK(KSPDestroy(&ksp));
  OK(VecDestroy(&solution));
  return sum;
}

/* Visibility 2|<J+>|/N, to the digits printed. */
static void fringes_fade_as_in_the_reference(void **state)
{
  static const struct {
    double nbar, digit, time[5], visibility[5];
  } rows[] = {
      {0, 1e-6, {.1, .4, 1, 2, 4}, {.628474, .467658, .266529, .104418, .016026}},
      {4.7, 0, {.025, .1, .25, .5, 1}, {.531468, .278034, .0714190, .00744078, 8.07659e-5}},
  };

  (void)state;
  for (size_t k = 0; k < 2; k++) {
    Model model = open_model((Parameters){124, .5, rows[k].nbar, 0, 0});
    Fringe fringe = open_fringe(&model, 124);
    for (int t = 0; t < 5; t++) {
      const double visibility = 2 * amplitude_at(&fringe, rows[k].time[t]) / 124,
                   given = rows[k].visibility[t];
      if (!(fabs(visibility - given) < fmax(0.51 * rows[k].digit, 1e-6 * given)))
        fail_msg("visibility %.9g at %g, nbar = %g, not %g", visibility, rows[k].time[t], rows[k].nbar,
                 given);
    }
    close_fringe(&fringe);
    Model_Close(&model);
  }
}

/* Spectra of charge 1 and -1 are conjugate, to the last eigenvalue. */
static void opposite_charges_have_conjugate_spectra(void **state)
{
  const int up[3] = {0, 1, 0}, down[3] = {0, 0, 1};
  Model model = open_model((Parameters){9, .4, .3, .2, .1});
  Dense a = Model_Sector_Matrix(&model, up), b = Model_Sector_Matrix(&model, down);
  double complex *s = calloc((size_t)a.n, sizeof(*s)), *t = calloc((size_t)b.n, sizeof(*t));

  (void)state;
  assert_int_equal(a.n, b.n);
  Dense_Eigenvalues(a, s);
  Dense_Eigenvalues(b, t);
  for (int k = 0; k < a.n; k++) {
    double distance = INFINITY;
    for (int l = 0; l < b.n; l++) distance = fmin(distance, cabs(conj(s[k]) - t[l]));
    assert_true(distance < 1e-11 * Dense_Norm(a));
  }
  free(s);
  free(t);
  Dense_Free(&a);
  Dense_Free(&b);
  Model_Close(&model);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(pumped_ions_have_the_reference_numbers),
      cmocka_unit_test(figure_10_has_the_reference_numbers),
      cmocka_unit_test(no_inversion_at_equal_pump_and_decay),
      cmocka_unit_test(large_ensembles_approach_the_limit),
      cmocka_unit_test(fringes_start_with_the_uncorrelated_slope),
      cmocka_unit_test(fringes_fade_as_in_the_reference),
      cmocka_unit_test(opposite_charges_have_conjugate_spectra),
  };
  int failed;

  if (SlepcInitialize(&argc, &argv, NULL, NULL)) return 1;
  failed = cmocka_run_group_tests(tests, NULL, NULL);
  return SlepcFinalize() ? 1 : failed;
}
