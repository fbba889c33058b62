/*
   States of N atoms of d levels, as amplitudes over the occupations n of their symmetric kets. A ket's place
   is its rank among all c_1 >= c_2 >= ... >= c_(d-1) (levels.c) in lexicographic order; with r = d - 1

     rank = sum_(k=1..r) binomial(c_k + r - k, r - k + 1)
*/
#include "amplitudes.h"
#include "states.h"
#include <math.h>

enum { MAX_LEVELS = 16, MAX_KETS = 10000000 };

static double binomial(double n, int k)
{
  double product = 1.0;

  for (int i = 1; i <= k; i++) product = product * (n - k + i) / i;
  return product;
}

/* c[k * stride] of k = 0 ... r - 1 */
static int rank_of(int r, const int c[], int stride)
{
  double rank = 0.0;

  for (int k = 0; k < r; k++) {
    if (c[k * stride] > 0) rank += binomial(c[k * stride] + r - k - 1, r - k);
  }
  return (int)round(rank);
}

static int num_kets(CospinComponent component)
{
  const int r = CospinLevelsNumber(component) - 1;

  return (int)fmin(binomial(CospinLevelsSize(component) + r, r), MAX_KETS + 1.0);
}

/* Of these more would be needed than anything could be computed of. */
static PetscBool too_many(const CospinAmplitudes *amplitudes, char why[], size_t why_size)
{
  if (amplitudes->num <= MAX_KETS) return PETSC_FALSE;
  (void)snprintf(why, why_size, "%d atoms of %d levels have more than %d symmetric kets",
                 CospinLevelsSize(amplitudes->component), CospinLevelsNumber(amplitudes->component),
                 (int)MAX_KETS);
  return PETSC_TRUE;
}

/* The next c in the order of ranks; false behind the last. */
static PetscBool next_ket(int size, int r, int c[])
{
  int k = r - 1;

  while (k > 0 && c[k] == c[k - 1]) c[k--] = 0;
  return (PetscBool)(++c[k] <= size);
}

/* n[0 ... r] of c */
static void occupations(int size, int r, const int c[], int n[])
{
  for (int k = 0; k <= r; k++) n[k] = (k ? c[k - 1] : size) - (k < r ? c[k] : 0);
}

/* ---- Product states --------------------------------------------------------------------------------------
 */

static void set_ket(CospinAmplitudes *amplitudes, const int n[])
{
  const int r = CospinLevelsNumber(amplitudes->component) - 1;
  int c[MAX_LEVELS], sum = 0;

  for (int k = r; k > 0; k--) {
    sum += n[k];
    c[k - 1] = sum;
  }
  amplitudes->amplitude[rank_of(r, c, 1)] = 1.0;
}

static void set_level(CospinAmplitudes *amplitudes, const double complex level[], char why[], size_t why_size)
{
  const int num_levels = CospinLevelsNumber(amplitudes->component);
  const double k = creal(level[0]);
  int n[MAX_LEVELS] = {0};

  if (too_many(amplitudes, why, why_size)) return;
  if (cimag(level[0]) != 0.0 || k != round(k) || k < 0 || k >= num_levels) {
    (void)snprintf(why, why_size, "there is no level %.6g (whole numbers from 0 to %d)", k, num_levels - 1);
    return;
  }
  n[(int)k] = CospinLevelsSize(amplitudes->component);
  set_ket(amplitudes, n);
}

static void set_ground(CospinAmplitudes *amplitudes, const double complex none[], char why[], size_t why_size)
{
  static const double complex lowest[] = {0};

  (void)none;
  set_level(amplitudes, lowest, why, why_size);
}

static void set_occupations(CospinAmplitudes *amplitudes, const double complex wanted[], char why[],
                            size_t why_size)
{
  const int num_levels = CospinLevelsNumber(amplitudes->component),
            size = CospinLevelsSize(amplitudes->component);
  int n[MAX_LEVELS];
  double sum = 0;

  if (too_many(amplitudes, why, why_size)) return;
  for (int k = 0; k < num_levels; k++) {
    const double atoms = creal(wanted[k]);
    if (cimag(wanted[k]) != 0.0 || atoms != round(atoms) || atoms < 0 || atoms > size) {
      (void)snprintf(why, why_size, "%.6g atoms in level %d (whole numbers from 0 to %d)", atoms, k, size);
      return;
    }
    n[k] = (int)atoms;
    sum += atoms;
  }
  if (sum == size)
    set_ket(amplitudes, n);
  else
    (void)snprintf(why, why_size, "these are %g atoms, there are %d", sum, size);
}

/* (sum_k x_k |k>)^N: amplitude sqrt(N!/prod n_k!) prod x_k^n_k, by logarithms */
static double complex product_amplitude(int size, int num_levels, const int n[], const double complex x[])
{
  double logarithm = 0.5 * lgamma(size + 1.0), phase = 0.0;

  for (int k = 0; k < num_levels; k++) {
    if (n[k] == 0) continue;
    if (x[k] == 0.0) return 0.0;
    logarithm += n[k] * log(cabs(x[k])) - 0.5 * lgamma(n[k] + 1.0);
    phase += n[k] * carg(x[k]);
  }
  return exp(logarithm) * cexp(I * remainder(phase, 2 * PETSC_PI));
}

static void set_powers(CospinAmplitudes *amplitudes, const double complex x[])
{
  const int num_levels = CospinLevelsNumber(amplitudes->component),
            size = CospinLevelsSize(amplitudes->component);
  int c[MAX_LEVELS] = {0}, n[MAX_LEVELS], rank = 0;
  double norm = 0.0;

  do {
    occupations(size, num_levels - 1, c, n);
    amplitudes->amplitude[rank] = product_amplitude(size, num_levels, n, x);
    norm += creal(amplitudes->amplitude[rank] * conj(amplitudes->amplitude[rank]));
    rank++;
  } while (next_ket(size, num_levels - 1, c));
  for (int k = 0; k < rank; k++) amplitudes->amplitude[k] /= sqrt(norm);
}

static void set_product(CospinAmplitudes *amplitudes, const double complex wanted[], char why[],
                        size_t why_size)
{
  const int num_levels = CospinLevelsNumber(amplitudes->component);
  double complex x[MAX_LEVELS];
  double norm = 0.0;

  if (too_many(amplitudes, why, why_size)) return;
  for (int k = 0; k < num_levels; k++) norm += creal(wanted[k] * conj(wanted[k]));
  if (!(norm > 0.0)) {
    (void)snprintf(why, why_size, "all amplitudes are zero");
    return;
  }
  for (int k = 0; k < num_levels; k++) x[k] = wanted[k] / sqrt(norm);
  set_powers(amplitudes, x);
}

/* 2s spins-1/2 of every atom in cos(theta/2) down + e^{i phi} sin(theta/2) up */
static void set_css(CospinAmplitudes *amplitudes, const double complex theta_phi[], char why[],
                    size_t why_size)
{
  const int top = CospinLevelsNumber(amplitudes->component) - 1;
  const double half = 0.5 * creal(theta_phi[0]), phi = creal(theta_phi[1]);
  const double down = fabs(cos(half)) < 1e-16 ? 0.0 : cos(half);
  const double up = fabs(sin(half)) < 1e-16 ? 0.0 : sin(half);
  double complex x[MAX_LEVELS];

  if (too_many(amplitudes, why, why_size)) return;
  if (cimag(theta_phi[0]) != 0.0 || cimag(theta_phi[1]) != 0.0) {
    (void)snprintf(why, why_size, "theta and phi must be real");
    return;
  }
  for (int k = 0; k <= top; k++)
    x[k] = sqrt(binomial(top, k)) * pow(down, top - k) * pow(up, k) * cexp(I * (k * phi));
  set_powers(amplitudes, x);
}

/* ---- The table -------------------------------------------------------------------------------------------
 */

COSPIN_AMPLITUDES_PREPARE(Prepare_Ground, num_kets, set_ground)
COSPIN_AMPLITUDES_PREPARE(Prepare_Level, num_kets, set_level)
COSPIN_AMPLITUDES_PREPARE(Prepare_Occupations, num_kets, set_occupations)
COSPIN_AMPLITUDES_PREPARE(Prepare_Product, num_kets, set_product)
COSPIN_AMPLITUDES_PREPARE(Prepare_Css, num_kets, set_css)

static double complex Element(CospinComponent component, const void *data, const int label[])
{
  const int r = CospinLevelsNumber(component) - 1;

  return CospinAmplitudesElement((const CospinAmplitudes *)data, 0, rank_of(r, label, 2),
                                 rank_of(r, label + 1, 2));
}

const CospinStateName CospinLevelsStates[] = {
    {"ground", 0, "", "all atoms in level 0", Prepare_Ground, Element, CospinAmplitudesFree},
    {"level", 1, "k", "all atoms in level k", Prepare_Level, Element, CospinAmplitudesFree},
    {"occupations", COSPIN_EACH_LEVEL, "n_0, n_1, ...", "n_k atoms in level k, symmetric",
     Prepare_Occupations, Element, CospinAmplitudesFree},
    {"product", COSPIN_EACH_LEVEL, "x_0, x_1, ...", "all atoms in x_0 |0> + x_1 |1> + ..., normalised",
     Prepare_Product, Element, CospinAmplitudesFree},
    {"css", 2, "theta, phi", "the spin of every atom along one direction; theta = 0 is level 0", Prepare_Css,
     Element, CospinAmplitudesFree},
    {.name = NULL},
};
