/*
   States of N atoms of d levels, as amplitudes over the occupations n of their symmetric kets. A ket's place
   is its rank among all c_1 >= c_2 >= ... >= c_(d-1) (levels.c) in lexicographic order; with r = d - 1

     rank = sum_(k=1..r) binomial(c_k + r - k, r - k + 1)
*/
#include "levels.h"
#include "states.h"
#include <cospin/problem/hermitian.h>
#include <math.h>
#include <stdlib.h>

enum { MAX_LEVELS = 16, MAX_KETS = 10000000, MAX_EIGENVECTORS = 1500 };

static double binomial(double n, int k)
{
  double product = 1.0;

  for (int i = 1; i <= k; i++) product = product * (n - k + i) / i;
  return product;
}

/* c[k * stride] of k = 0 ... r - 1 The combinatorial number system: ranks follow from binomials, without a
 * table. */
static int rank_of(int r, const int c[], int stride)
{
  double rank = 0.0;

  for (int k = 0; k < r; k++) {
    if (c[k * stride] > 0) rank += binomial(c[k * stride] + r - k - 1, r - k);
  }
  return (int)round(rank);
}

/* binomial(N + r, r), or more than can be held. */
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

double complex CospinLevelsAmplitude(const CospinAmplitudes *amplitudes, const int k[])
{
  const int r = CospinLevelsNumber(amplitudes->component) - 1;
  int c[MAX_LEVELS], sum = 0;

  for (int level = r; level > 0; level--) c[level - 1] = sum += k[level];
  return amplitudes->amplitude[rank_of(r, c, 1)];
}

void CospinLevelsMost(const CospinAmplitudes *amplitudes, int most[])
{
  const int size = CospinLevelsSize(amplitudes->component), r = CospinLevelsNumber(amplitudes->component) - 1;
  int c[MAX_LEVELS] = {0}, n[MAX_LEVELS], rank = 0;

  for (int k = 0; k <= r; k++) most[k] = 0;
  do {
    if (amplitudes->amplitude[rank++] == 0.0) continue;
    occupations(size, r, c, n);
    for (int k = 0; k <= r; k++) most[k] = PetscMax(most[k], n[k]);
  } while (next_ket(size, r, c));
}

/* ---- Product states ------------------------------------------------------------------------------------ */

/* One ket: all amplitudes but one are zero. */
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

/* All atoms in one level. */
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

/* One ket: numbers of atoms in each level. */
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

/* (sum_k x_k |k>)^N: amplitude sqrt(N!/prod n_k!) prod x_k^n_k, by logarithms Logarithms, for N! overflows at
 * 171. */
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

/* All atoms in the same state x: the amplitude of occupations n is sqrt(N!/prod n_k!) prod x_k^n_k, over all
   kets in the order of their ranks. */
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

/* The amplitudes of one atom, normalised here; all atoms have them. */
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

/* ---- Total spin ---------------------------------------------------------------------------------------- */

/* The kets of one M: c_1 + c_2 + ... = M + Ns. */
typedef struct {
  int size, r; /* atoms; levels - 1 */
  int num, capacity;
  int *c; /* [num][r], in the order of ranks */
} Shell;

/* All kets with the same number of excitations, among which S^2 acts. */
static PetscErrorCode create_shell(CospinComponent component, int excitations, Shell *shell)
{
  int c[MAX_LEVELS] = {0};

  PetscFunctionBeginUser;
  *shell = (Shell){.size = CospinLevelsSize(component), .r = CospinLevelsNumber(component) - 1};
  do {
    int sum = 0;
    for (int k = 0; k < shell->r; k++) sum += c[k];
    if (sum != excitations) continue;
    if (shell->num == shell->capacity) {
      shell->capacity = 2 * shell->capacity + 64;
      PetscCall(PetscRealloc(sizeof(int) * (size_t)(shell->capacity * shell->r), &shell->c));
    }
    PetscCall(PetscArraycpy(shell->c + shell->num++ * shell->r, c, shell->r));
  } while (next_ket(shell->size, shell->r, c));
  PetscFunctionReturn(0);
}

/* By bisection: the kets of a shell stand in the order of their ranks. */
static int find_ket(const Shell *shell, const int c[])
{
  const int rank = rank_of(shell->r, c, 1);
  int lo = 0, hi = shell->num - 1;

  while (lo < hi) {
    const int middle = (lo + hi) / 2;
    if (rank_of(shell->r, shell->c + middle * shell->r, 1) < rank)
      lo = middle + 1;
    else
      hi = middle;
  }
  return lo;
}

/* One atom goes from level k - 1 to level k (sign 1) or back: c_k changes. Amplitude in S+ or S-, 0: none
 * can. */
static double move_atom(const Shell *shell, int k, int sign, int c[])
{
  int n[MAX_LEVELS];

  occupations(shell->size, shell->r, c, n);
  c[k - 1] += sign;
  return sqrt(k * (shell->r + 1.0 - k)) *
         (sign > 0 ? sqrt(n[k - 1] * (n[k] + 1.0)) : sqrt(n[k] * (n[k - 1] + 1.0)));
}

/* S^2 = S- S+ + M (M + 1) between the kets of a shell */
static void square_of_spin(const Shell *shell, double m, double complex matrix[])
{
  for (int j = 0; j < shell->num; j++) {
    const int *from = shell->c + j * shell->r;
    matrix[j + shell->num * j] += m * (m + 1);
    for (int up = 1; up <= shell->r; up++) {
      for (int down = 1; down <= shell->r; down++) {
        int c[MAX_LEVELS];
        double amplitude;
        for (int k = 0; k < shell->r; k++) c[k] = from[k];
        amplitude = move_atom(shell, up, +1, c);
        if (amplitude != 0.0) amplitude *= move_atom(shell, down, -1, c);
        if (amplitude != 0.0) matrix[find_ket(shell, c) + shell->num * j] += amplitude;
      }
    }
  }
}

/* S of N spins s may occur several times at the same M; which of them is meant would be ambiguous, and is
 * told. */
static PetscErrorCode find_spin(CospinAmplitudes *amplitudes, const Shell *shell, double s, double m,
                                int *copies)
{
  double complex *matrix;
  double *values;

  PetscFunctionBeginUser;
  *copies = 0;
  PetscCall(PetscCalloc1((size_t)shell->num * (size_t)shell->num, &matrix));
  PetscCall(PetscMalloc1((size_t)shell->num, &values));
  square_of_spin(shell, m, matrix);
  PetscCall(CospinHermitianDiagonalise(shell->num, matrix, values));
  for (int k = 0; k < shell->num; k++) { /* eigenvalues S(S+1) are at least 2 apart, or 3/4 from none */
    if (fabs(values[k] - s * (s + 1)) > 0.3) continue;
    if ((*copies)++) continue;
    for (int i = 0; i < shell->num; i++)
      amplitudes->amplitude[rank_of(shell->r, shell->c + i * shell->r, 1)] = matrix[i + shell->num * k];
  }
  PetscCall(PetscFree(values));
  PetscCall(PetscFree(matrix));
  PetscFunctionReturn(0);
}

/* Whether S and M are numbers of some state of N spins s. */
static void check_spin(CospinAmplitudes *amplitudes, const double complex s_m[], char why[], size_t why_size)
{
  const int most = CospinLevelsSize(amplitudes->component) * (CospinLevelsNumber(amplitudes->component) - 1);
  int two_s, two_m;

  if (too_many(amplitudes, why, why_size)) return;
  if (!CospinIsHalfInteger(s_m[0], &two_s) || two_s < 0 || two_s > most || (most - two_s) % 2)
    (void)snprintf(why, why_size, "these atoms have no S = %g (S is %g, or less by a whole number)",
                   creal(s_m[0]), 0.5 * most);
  else if (!CospinIsHalfInteger(s_m[1], &two_m) || abs(two_m) > two_s || (two_s - two_m) % 2)
    (void)snprintf(why, why_size, "S = %g has no M = %g (M is %g, one more, ... up to %g)", 0.5 * two_s,
                   creal(s_m[1]), -0.5 * two_s, 0.5 * two_s);
}

/* |S,M>: the eigenvector of S^2 among the kets of M. */
static PetscErrorCode set_dicke(CospinAmplitudes *amplitudes, double s, double m, char why[], size_t why_size)
{
  const CospinComponent component = amplitudes->component;
  const double most = CospinLevelsLength(component);
  int copies = 0;
  Shell shell;

  PetscFunctionBeginUser;
  PetscCall(create_shell(component, (int)round(most + m), &shell));
  if (shell.num > MAX_EIGENVECTORS)
    (void)snprintf(why, why_size, "M = %g has %d symmetric kets, too many to find S in (%d at most)", m,
                   shell.num, (int)MAX_EIGENVECTORS);
  else
    PetscCall(find_spin(amplitudes, &shell, s, m, &copies));
  if (!why[0] && copies != 1)
    (void)snprintf(why, why_size, "there is %s S = %g in the symmetric states of %d atoms of %d levels",
                   copies ? "more than one" : "no", s, shell.size, shell.r + 1);
  PetscCall(PetscFree(shell.c));
  PetscFunctionReturn(0);
}

static PetscErrorCode prepare_dicke(CospinComponent component, const double complex s_m[], void **data,
                                    PetscBool *pure, char why[], size_t why_size)
{
  PetscFunctionBeginUser;
  PetscCall(
      CospinAmplitudesPrepare(component, num_kets(component), check_spin, s_m, data, pure, why, why_size));
  if (why[0]) PetscFunctionReturn(0);
  PetscCall(set_dicke((CospinAmplitudes *)*data, 0.5 * round(2 * creal(s_m[0])),
                      0.5 * round(2 * creal(s_m[1])), why, why_size));
  if (!why[0]) PetscFunctionReturn(0);
  PetscCall(CospinAmplitudesFree(*data));
  *data = NULL;
  PetscFunctionReturn(0);
}

/* ---- The table ----------------------------------------------------------------------------------------- */

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
    {"dicke", 2, "S, M",
     "total spin S with Sz = M; of three levels S is N, N-2, ..., of more it must be unique", prepare_dicke,
     Element, CospinAmplitudesFree},
    {.name = NULL},
};
