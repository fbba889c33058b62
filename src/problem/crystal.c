/*
   From a lattice to the matrices of Eq. (19).

   Modes across the plane: with A_ij = e^2/(4 pi eps_0 r_ij^3) the Hessian is K_ij = A_ij for i != j and
   K_ii = m_i w_i^2 - sum_j A_ij; the eigenvectors b of K_ij/sqrt(m_i m_j) move ion i by
   b_i sqrt(hbar/(2 m_i w)) (a + a^+).

   Cooling, to second order in the Lamb-Dicke parameter eta of a coolant and in the Rabi frequency W: with
   L(x) = 1/(x^2 + (linewidth/2)^2) and c_n = (eta W/2)^2 sum_coolants b_i^2,
       kappa_n = c_n linewidth (L(D + w) - L(D - w)),  nbar_n = L(D - w)/(L(D + w) - L(D - w)),
       shift_n = c_n ((D + w) L(D + w) + (D - w) L(D - w)).

   Spins: g_ln = (raman/2) k b_ln sqrt(hbar/(2 m w_n)) couples s^+_l to a_n, which is d_n above the resonant
   mode. A mode damped so fast that it can be eliminated leaves, with R_n = 1/(kappa_n^2/4 + d_n^2),
       Gamma^-_lm = sum_n g_ln g_mn (kappa_n/2) R_n (nbar_n + 1),  Gamma^+_lm the same with nbar_n,
       J_lm = - sum_n g_ln g_mn d_n R_n,  B_l = - sum_n g_ln^2 d_n R_n (2 nbar_n + 1).

   Constants: CODATA 2018.
*/
#include "crystal.h"
#include <cospin/problem/hermitian.h>
#include <math.h>
#include <stdlib.h>

static const double hbar = 1.054571817e-34, charge = 1.602176634e-19, epsilon_0 = 8.8541878128e-12;

/* ---- Positions */

/* x = spacing u/2, y = spacing sqrt(3)/2 v; integers, so that ions equally far are seen to be so. */
typedef struct {
  int u, v;
} Site;

static int distance_of(Site site)
{
  return site.u * site.u + 3 * site.v * site.v;
}

/* By radius; of ions equally far, smaller |x| first, then smaller x, then smaller y. */
static int compare_sites(const void *a, const void *b)
{
  const Site *one = (const Site *)a, *other = (const Site *)b;
  const int keys[4] = {distance_of(*one) - distance_of(*other), abs(one->u) - abs(other->u),
                       one->u - other->u, one->v - other->v};

  for (int k = 0; k < 4; k++) {
    if (keys[k]) return keys[k];
  }
  return 0;
}

/* A hexagon with `shells` shells around its centre has 1 + 3 shells (shells + 1) sites. */
static PetscErrorCode place_ions(const CospinCrystalSettings *settings, CospinCrystal crystal)
{
  const int num_ions = crystal->num_ions;
  int shells = 0, count = 0;
  Site *sites;

  PetscFunctionBeginUser;
  while (1 + 3 * shells * (shells + 1) < num_ions) shells++;
  if (settings->round) shells = 2 + shells * 7 / 6; /* the circle around a hexagon fits into that one */
  PetscCall(PetscMalloc1((size_t)(1 + 3 * shells * (shells + 1)), &sites));
  for (int v = -shells; v <= shells; v++) {
    for (int k = PetscMax(-shells, -shells - v); k <= PetscMin(shells, shells - v); k++)
      sites[count++] = (Site){2 * k + v, v};
  }
  qsort(sites, (size_t)count, sizeof(Site), compare_sites);
  for (int i = 0; i < num_ions; i++) {
    crystal->x[i] = settings->spacing * 0.5 * sites[i].u;
    crystal->y[i] = settings->spacing * 0.5 * sqrt(3.) * sites[i].v;
    crystal->mass[i] = i < settings->num_coolants ? settings->coolant_mass : settings->spin_mass;
  }
  PetscCall(PetscFree(sites));
  PetscFunctionReturn(0);
}

/* ---- Modes */

/* matrix[i + num_ions*j] = K_ij/sqrt(m_i m_j) */
static void set_hessian(const CospinCrystalSettings *settings, const CospinCrystal crystal,
                        PetscScalar matrix[])
{
  const int n = crystal->num_ions;
  const double square = settings->frequency * settings->frequency, *mass = crystal->mass;
  const double mean = (settings->coolant_mass + settings->spin_mass) / 2;

  for (int i = 0; i < n; i++) {
    double pushes = 0;
    for (int j = 0; j < n; j++) {
      const double r = hypot(crystal->x[i] - crystal->x[j], crystal->y[i] - crystal->y[j]);
      const double a = i == j ? 0 : charge * charge / (4 * PETSC_PI * epsilon_0 * r * r * r);
      matrix[i + n * j] = a / sqrt(mass[i] * mass[j]);
      pushes += a;
    }
    matrix[i + n * i] = (settings->common_spring ? mean / mass[i] : 1) * square - pushes / mass[i];
  }
}

/* The first of the largest components is positive. */
static double sign_of(int size, const PetscScalar vector[])
{
  double largest = 0;
  int i = 0;

  for (int k = 0; k < size; k++) largest = PetscMax(largest, fabs(PetscRealPart(vector[k])));
  while (fabs(PetscRealPart(vector[i])) < 0.999999 * largest) i++;
  return PetscRealPart(vector[i]) < 0 ? -1 : 1;
}

/* The highest frequency first. A square below zero means that the plane
   buckles. */
static PetscErrorCode find_modes(const CospinCrystalSettings *settings, CospinCrystal crystal, char why[],
                                 size_t why_size)
{
  const int size = crystal->num_ions;
  PetscScalar *matrix;
  double *squares;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2((size_t)size * (size_t)size, &matrix, (size_t)size, &squares));
  set_hessian(settings, crystal, matrix);
  PetscCall(CospinHermitianDiagonalise(size, matrix, squares));
  for (int n = 0; n < size; n++) {
    const PetscScalar *vector = matrix + (size_t)size * (size_t)(size - 1 - n);
    const double square = squares[size - 1 - n], sign = sign_of(size, vector);
    if (square <= 0)
      PetscCall(PetscSNPrintf(why, why_size,
                              "the crystal does not stay in its plane: mode %d is unstable (a higher "
                              "frequency or a larger spacing holds it)",
                              n));
    crystal->frequency[n] = sqrt(PetscMax(square, 0));
    for (int i = 0; i < size; i++) crystal->amplitude[size * n + i] = sign * PetscRealPart(vector[i]);
  }
  PetscCall(PetscFree2(matrix, squares));
  PetscFunctionReturn(0);
}

/* ---- Cooling */

static double lamb_dicke(double wavelength, double mass, double frequency)
{
  return 2 * PETSC_PI / wavelength * sqrt(hbar / (2 * mass * frequency));
}

/* The formulas of the head, mode by mode; above resonance the light heats, which is told as what to
   change. */
static PetscErrorCode cool_modes(const CospinCrystalSettings *settings, CospinCrystal crystal, char why[],
                                 size_t why_size)
{
  const double half = settings->linewidth / 2;

  PetscFunctionBeginUser;
  for (int n = 0; n < crystal->num_ions; n++) {
    const double w = crystal->frequency[n], above = settings->detuning + w, below = settings->detuning - w;
    const double cools = 1 / (above * above + half * half), heats = 1 / (below * below + half * half);
    const double eta = lamb_dicke(settings->wavelength, settings->coolant_mass, w);
    double share = 0;
    for (int i = 0; i < settings->num_coolants; i++)
      share += PetscSqr(crystal->amplitude[crystal->num_ions * n + i]);
    share *= PetscSqr(eta * settings->rabi / 2);
    if (cools <= heats && !why[0])
      PetscCall(PetscSNPrintf(
          why, why_size, "mode %d is heated instead of cooled (the detuning must be below resonance, < 0)",
          n));
    crystal->damping[n] = share * settings->linewidth * (cools - heats);
    crystal->phonons[n] = heats / (cools - heats);
    crystal->shift[n] = share * (above * cools + below * heats);
  }
  PetscFunctionReturn(0);
}

/* ---- Spins */

/* Adds mode n. */
static void mediate(const CospinCrystalSettings *settings, CospinCrystal crystal, int n, double g[])
{
  const int num_spins = crystal->num_spins;
  const double shift = settings->bare ? 0 : crystal->shift[n] - crystal->shift[0];
  const double d = crystal->frequency[n] - crystal->frequency[0] + shift, kappa = crystal->damping[n],
               phonons = crystal->phonons[n], resonance = 1 / (kappa * kappa / 4 + d * d);

  for (int l = 0; l < num_spins; l++)
    g[l] = settings->raman / 2 *
           lamb_dicke(settings->raman_wavelength, settings->spin_mass, crystal->frequency[n]) *
           crystal->amplitude[crystal->num_ions * n + settings->num_coolants + l];
  for (int l = 0; l < num_spins; l++) {
    crystal->level[l] -= g[l] * g[l] * d * resonance * (2 * phonons + 1);
    for (int m = 0; m < num_spins; m++) {
      const double product = g[l] * g[m] * resonance;
      crystal->emission[num_spins * l + m] += product * kappa / 2 * (phonons + 1);
      crystal->absorption[num_spins * l + m] += product * kappa / 2 * phonons;
      if (l != m) crystal->exchange[num_spins * l + m] -= product * d;
    }
  }
}

/* A mode that leaves all coolants at rest keeps whatever motion it has: it drops out off resonance. */
static PetscErrorCode couple_spins(const CospinCrystalSettings *settings, CospinCrystal crystal)
{
  const int num_spins = crystal->num_spins;
  double *g;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1((size_t)num_spins, &g));
  for (int n = 0; n < crystal->num_ions; n++) mediate(settings, crystal, n, g);
  for (int k = 0; k < num_spins * num_spins; k++)
    crystal->collective += 2 * (crystal->emission[k] - crystal->absorption[k]) / num_spins / num_spins;
  PetscCall(PetscFree(g));
  PetscFunctionReturn(0);
}

/* ---- All of it */

PetscErrorCode CospinCrystalCreate(const CospinCrystalSettings *settings, CospinCrystal *crystal, char why[],
                                   size_t why_size)
{
  const int num_spins = settings->num_spins, num_ions = num_spins + settings->num_coolants;
  const size_t pairs = (size_t)num_spins * (size_t)num_spins;
  CospinCrystal new;

  PetscFunctionBeginUser;
  why[0] = 0;
  PetscCall(PetscNew(&new));
  *crystal = new;
  new->num_ions = num_ions;
  new->num_spins = num_spins;
  PetscCall(PetscCalloc3(num_ions, &new->x, num_ions, &new->y, num_ions, &new->mass));
  PetscCall(PetscCalloc5(num_ions, &new->frequency, num_ions, &new->shift, num_ions, &new->damping, num_ions,
                         &new->phonons, (size_t)num_ions * (size_t)num_ions, &new->amplitude));
  PetscCall(PetscCalloc4(num_spins, &new->level, pairs, &new->exchange, pairs, &new->emission, pairs,
                         &new->absorption));
  PetscCall(place_ions(settings, new));
  PetscCall(find_modes(settings, new, why, why_size));
  if (!why[0]) PetscCall(cool_modes(settings, new, why, why_size));
  if (!why[0]) PetscCall(couple_spins(settings, new));
  if (why[0]) PetscCall(CospinCrystalDestroy(crystal));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinCrystalDestroy(CospinCrystal *crystal)
{
  const CospinCrystal old = *crystal;

  PetscFunctionBeginUser;
  if (!old) PetscFunctionReturn(0);
  PetscCall(PetscFree3(old->x, old->y, old->mass));
  PetscCall(PetscFree5(old->frequency, old->shift, old->damping, old->phonons, old->amplitude));
  PetscCall(PetscFree4(old->level, old->exchange, old->emission, old->absorption));
  PetscCall(PetscFree(*crystal));
  PetscFunctionReturn(0);
}
