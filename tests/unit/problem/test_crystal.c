/*
   Planar crystals: closed forms, and the numbers of Shankar et al., PRA 95, 033423 (2017), Table II, as
   another code gives them (frequencies and rates over 2 pi).
*/
#include "problem/crystal.h"
#include <cospin/dataset/dataset.h>
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

static const double hertz = 2 * 3.14159265358979323846, amu = 1.66053906660e-27;

static void assert_close(double value, double expected, double relative)
{
  if (!(fabs(value - expected) <= relative * fabs(expected)))
    fail_msg("%.12g is not %.12g to %.1g", value, expected, relative);
}

/* 24Mg+ inside, 25Mg+ outside; Raman beams of 19.95 MHz each, 103.3 GHz from resonance. */
static CospinCrystalSettings magnesium(int num_spins, int num_ions)
{
  return (CospinCrystalSettings){.num_coolants = num_ions - num_spins,
                                 .num_spins = num_spins,
                                 .spacing = 10e-6,
                                 .coolant_mass = 23.98504 * amu,
                                 .spin_mass = 24.98584 * amu,
                                 .frequency = 2e6 * hertz,
                                 .wavelength = 280.3e-9,
                                 .linewidth = 41.4e6 * hertz,
                                 .detuning = -20.7e6 * hertz,
                                 .rabi = 10e6 * hertz,
                                 .raman_wavelength = 280.3e-9,
                                 .raman = 19.95e6 * 19.95e6 / (2 * 103.3e9) * hertz};
}

static CospinCrystal create(const CospinCrystalSettings *settings)
{
  CospinCrystal crystal;
  char why[256];

  OK(CospinCrystalCreate(settings, &crystal, why, sizeof(why)));
  assert_string_equal(why, "");
  assert_non_null(crystal);
  return crystal;
}

/* Of two equal ions the rocking mode lies at w^2 - 2 e^2/(4 pi eps_0 m a^3); both modes share the light
 * evenly. */
static void two_ions_rock(void **state)
{
  CospinCrystalSettings settings = magnesium(1, 2);
  const double coulomb = 2.30707755e-28; /* e^2/(4 pi eps_0), J m */
  CospinCrystal crystal;

  (void)state;
  settings.spin_mass = settings.coolant_mass;
  crystal = create(&settings);
  assert_close(crystal->frequency[0], settings.frequency, 1e-14);
  assert_close(crystal->frequency[1],
               sqrt(pow(settings.frequency, 2) - 2 * coulomb / settings.coolant_mass / 1e-15), 1e-9);
  for (int k = 0; k < 4; k++) assert_close(fabs(crystal->amplitude[k]), sqrt(0.5), 1e-12);
  assert_close(hypot(crystal->x[1] - crystal->x[0], crystal->y[1] - crystal->y[0]), 10e-6, 1e-14);
  OK(CospinCrystalDestroy(&crystal));
  assert_null(crystal);
}

static void the_modes_diagonalise_the_coulomb_energy(void **state)
{
  const CospinCrystalSettings settings = magnesium(10, 19);
  const double coulomb = 2.30707755e-28;
  CospinCrystal crystal = create(&settings);
  const int size = crystal->num_ions;

  (void)state;
  for (int n = 0; n < size; n++) {
    const double *b = crystal->amplitude + n * size;
    double norm = 0;
    for (int i = 0; i < size; i++) {
      double force = pow(settings.frequency, 2) * b[i]; /* over sqrt(m_i) */
      for (int j = 0; j < size; j++) {
        const double r = hypot(crystal->x[i] - crystal->x[j], crystal->y[i] - crystal->y[j]);
        if (j != i)
          force -= coulomb / pow(r, 3) *
                   (b[i] / crystal->mass[i] - b[j] / sqrt(crystal->mass[i] * crystal->mass[j]));
      }
      assert_true(fabs(force - pow(crystal->frequency[n], 2) * b[i]) < 1e-9 * pow(settings.frequency, 2));
      norm += b[i] * b[i];
    }
    assert_close(norm, 1, 1e-12);
    if (n) assert_true(crystal->frequency[n] <= crystal->frequency[n - 1]);
  }
  OK(CospinCrystalDestroy(&crystal));
}

/* All ions move together: b_i = sqrt(m_i/sum m). The paper gives kappa = 5.1 kHz and nbar = 4.7. */
static void the_common_mode_is_cooled_as_tabulated(void **state)
{
  static const struct {
    int spins, ions;
    double kappa, collective; /* kHz, Hz */
  } rows[] = {
      {124, 217, 5.171, .1712}, {94, 169, 5.358, .2123}, {48, 91, 5.712, .3702}, {10, 19, 5.726, 1.7681}};

  (void)state;
  for (size_t k = 0; k < sizeof(rows) / sizeof(rows[0]); k++) {
    const CospinCrystalSettings settings = magnesium(rows[k].spins, rows[k].ions);
    CospinCrystal crystal = create(&settings);
    double mass = 0;
    assert_int_equal(crystal->num_ions, rows[k].ions);
    for (int i = 0; i < rows[k].ions; i++) mass += crystal->mass[i];
    for (int i = 0; i < rows[k].ions; i++)
      assert_close(crystal->amplitude[i], sqrt(crystal->mass[i] / mass), 1e-9);
    assert_close(crystal->frequency[0], 2e6 * hertz, 1e-12);
    assert_close(crystal->phonons[0], 4.6992, 1e-4 / 4.6992);
    assert_close(crystal->damping[0], rows[k].kappa * 1e3 * hertz, 2e-4); /* four digits are given */
    assert_close(crystal->collective, rows[k].collective * hertz, 0.01);
    OK(CospinCrystalDestroy(&crystal));
  }
}

/* nbar of the common mode does not know the masses; the light pushes it down by 26.64 kHz; mean and standard
   deviation of B_l are 3.43 and 0.71 Hz. */
static void the_large_crystal(void **state)
{
  CospinCrystalSettings settings = magnesium(124, 217);
  CospinCrystal crystal = create(&settings);
  double mean = 0, square = 0, largest = 0;

  (void)state;
  assert_close(crystal->shift[0], -26.64e3 * hertz, 3e-4);
  for (int l = 0; l < 124; l++) mean += crystal->level[l] / 124 / hertz;
  for (int l = 0; l < 124; l++) square += pow(crystal->level[l] / hertz - mean, 2) / 124;
  assert_close(mean, 3.43, 0.003);
  assert_close(sqrt(square), .71, 0.01);
  for (int i = 0; i < 217; i++) { /* eight shells; the inner species is inside */
    const double radius = hypot(crystal->x[i], crystal->y[i]);
    assert_true(radius < 80.001e-6);
    assert_true(radius > largest - 1e-12);
    largest = radius;
  }
  OK(CospinCrystalDestroy(&crystal));
  settings.spin_mass *= 2;
  crystal = create(&settings);
  assert_close(crystal->phonons[0], 4.6992, 1e-4 / 4.6992);
  OK(CospinCrystalDestroy(&crystal));
  settings.round = PETSC_TRUE; /* r^2 = 57 is the largest shell that is full, with 211 */
  crystal = create(&settings);
  assert_close(hypot(crystal->x[210], crystal->y[210]), sqrt(57.) * 10e-6, 1e-12);
  assert_close(hypot(crystal->x[216], crystal->y[216]), sqrt(61.) * 10e-6, 1e-12);
  OK(CospinCrystalDestroy(&crystal));
}

/* The same force on all: no mode of equal displacements, and 7.92 kHz for the highest. */
static void a_common_spring_is_another_convention(void **state)
{
  CospinCrystalSettings settings = magnesium(124, 217);
  CospinCrystal crystal;

  (void)state;
  settings.common_spring = PETSC_TRUE;
  crystal = create(&settings);
  assert_close(crystal->damping[0], 7.92e3 * hertz, 1e-3);
  assert_true(fabs(crystal->amplitude[0] * sqrt(crystal->mass[216] / crystal->mass[0]) -
                   crystal->amplitude[216]) > 0.01);
  OK(CospinCrystalDestroy(&crystal));
}

/* The shift pulls the modes apart: with bare frequencies B and J are 1.2 to 1.8 times larger or smaller,
   Gamma_c is what it was. */
static void bare_detunings_are_another_convention(void **state)
{
  CospinCrystalSettings settings = magnesium(124, 217);
  CospinCrystal shifted = create(&settings), bare;
  double mean[2] = {0, 0}, most[2] = {0, 0};

  (void)state;
  settings.bare = PETSC_TRUE;
  bare = create(&settings);
  assert_close(bare->collective, shifted->collective, 1e-3);
  for (int l = 0; l < 124; l++) {
    mean[0] += shifted->level[l];
    mean[1] += bare->level[l];
  }
  assert_close(mean[0] / mean[1], 1.2, 0.01);
  for (int k = 0; k < 124 * 124; k++) {
    most[0] = PetscMax(most[0], fabs(shifted->exchange[k]));
    most[1] = PetscMax(most[1], fabs(bare->exchange[k]));
  }
  assert_true(most[0] / most[1] > 1.65 && most[0] / most[1] < 1.85);
  OK(CospinCrystalDestroy(&bare));
  OK(CospinCrystalDestroy(&shifted));
}

/* crystal_10_19.h5 is made by another code, in units of Gamma_c. It numbers ions equally far in another way.
 */
static void the_small_crystal_has_the_matrices_of_another_code(void **state)
{
  static const int other[10] = {0, 3, 1, 2, 6, 5, 4, 7, 8, 9};
  const CospinCrystalSettings settings = magnesium(10, 19);
  const char *folder = getenv("COSPIN_SOURCE_DIR"), *names[] = {"B", "J", "Gm", "Gp"};
  CospinCrystal crystal = create(&settings);
  const double *mine[] = {crystal->level, crystal->exchange, crystal->emission, crystal->absorption};
  char file[4096], why[512];

  (void)state;
  if (!folder) skip();
  snprintf(file, sizeof(file), "%s/tests/reference/crystal_10_19.h5", folder);
  for (int k = 0; k < 4; k++) {
    double complex *values;
    double largest = 0;
    int rank, sizes[2];
    OK(CospinDatasetReadArray(file, names[k], &rank, sizes, &values, why, sizeof(why)));
    assert_int_equal(rank, k ? 2 : 1);
    for (int i = 0; i < (k ? 100 : 10); i++) largest = PetscMax(largest, cabs(values[i]));
    for (int l = 0; l < 10; l++) {
      for (int m = 0; m < (k ? 10 : 1); m++) {
        const double value = mine[k][k ? other[l] * 10 + other[m] : other[l]] / crystal->collective;
        assert_true(fabs(value - creal(values[k ? l * 10 + m : l])) < 1e-6 * largest);
      }
    }
    OK(PetscFree(values));
  }
  OK(CospinCrystalDestroy(&crystal));
}

static void what_cannot_be_is_told(void **state)
{
  CospinCrystalSettings settings = magnesium(10, 19);
  CospinCrystal crystal;
  char why[256];

  (void)state;
  settings.spacing = 4e-6;
  OK(CospinCrystalCreate(&settings, &crystal, why, sizeof(why)));
  assert_null(crystal);
  assert_non_null(strstr(why, "does not stay in its plane"));
  settings = magnesium(10, 19);
  settings.detuning *= -1;
  OK(CospinCrystalCreate(&settings, &crystal, why, sizeof(why)));
  assert_null(crystal);
  assert_non_null(strstr(why, "heated instead of cooled"));
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(two_ions_rock),
      cmocka_unit_test(the_modes_diagonalise_the_coulomb_energy),
      cmocka_unit_test(the_common_mode_is_cooled_as_tabulated),
      cmocka_unit_test(the_large_crystal),
      cmocka_unit_test(a_common_spring_is_another_convention),
      cmocka_unit_test(bare_detunings_are_another_convention),
      cmocka_unit_test(the_small_crystal_has_the_matrices_of_another_code),
      cmocka_unit_test(what_cannot_be_is_told),
  };
  int failures;

  if (SlepcInitialize(&argc, &argv, NULL, NULL)) return 1;
  failures = cmocka_run_group_tests(tests, NULL, NULL);
  if (SlepcFinalize()) return 1;
  return failures;
}
