/*
   The line of a laser above threshold: the state with a phase that mean field has, and how that phase
   diffuses.

   First moments in the frame of an unknown frequency omega: d z/dt = f(z) - omega G z with G z = i q z, q the
   charge of each moment. omega is what keeps the phase of one reference moment, so the fixed point is found
   like any other, by implicit steps that grow; turning all phases is the one direction in which nothing holds
   it.

   With J the Jacobian there, w J = 0 and w.Gz = 1, the turn of a deviation is phi = w.dz, an operator that is
   a sum of single factors. Jumps give it noise at the rate sum r <[L^+, phi][phi, L]> in the product state
   (Einstein's relation), and a field of charge q decays as exp(-t/Tcoh), 1/Tcoh = q^2 (that)/2: the full
   width is 2/Tcoh. Detuned, w mixes amplitudes in (C. H. Henry, IEEE J. Quantum Electron. 18, 259 (1982)).
   Regression of second-order equations is up to twice as wide far above threshold, since it holds <sz> fixed.
*/
#include "moments.h"
#include <math.h>
#include <slepcblaslapack.h>
#include <string.h>

enum { MAX_STEPS = 400, MOST_UNKNOWNS = 1000 };
static const double largest_step = 0.2, settled = 1e-9, rounding = 1e-10;
static const double dark = 1e-6;  /* of what it was: a reference that has gone out */
static const double apart = 0.07; /* first order and the equations differ by more: no width is known */

typedef struct {
  CospinHierarchy first; /* first order, no moment left out */
  int charge, reference; /* which of the model's charges, which unknown */
  double unit;           /* charge of the reference */
  int n;                 /* real unknowns */
  double omega, *turn;   /* [n] G z */
  double *jacobian;      /* [n*n] by columns */
} Line;

/* ---- The state with a phase
 * ---------------------------------------------------------------------------------- */

/* The key of s-, s+ or |1><1| of a class (site >= 0), or of a, a^+ of a mode. */
static CospinMomentKey single(int mode, int site, PetscBool raise, PetscBool excited)
{
  CospinMomentKey key;

  memset(&key, 0, sizeof(key));
  if (site < 0 && raise) key.raise[mode] = 1;
  if (site < 0 && !raise) key.lower[mode] = 1;
  if (site >= 0) {
    key.num_atoms = 1;
    key.atoms[0] = (CospinMomentAtom){(unsigned short)site, raise || excited, !raise || excited};
  }
  return key;
}

/* x^+ y of two different keys of one operator each. */
static CospinMomentKey pair_of(const CospinMomentKey *x, const CospinMomentKey *y)
{
  CospinMomentKey key = CospinMomentConjugate(x);

  for (int k = 0; k < y->num_atoms; k++) key.atoms[key.num_atoms++] = y->atoms[k];
  for (int m = 0; m < COSPIN_MOMENT_MODES; m++) {
    key.raise[m] = (unsigned char)(key.raise[m] + y->raise[m]);
    key.lower[m] = (unsigned char)(key.lower[m] + y->lower[m]);
  }
  CospinMomentSort(&key);
  return key;
}

/* What the equations know of a moment; 0: nothing. */
static double complex value_of(CospinHierarchy moments, const double complex z[], const CospinMomentKey *key)
{
  PetscBool conjugate;
  const CospinMomentKey canonical = CospinMomentCanonical(key, &conjugate);
  const int index = CospinMomentSumFind(&moments->unknowns, &canonical);

  if (index < 0 || index >= moments->num) return 0.0;
  return conjugate ? conj(z[index]) : z[index];
}

/* The operator that oscillates: the first mode, or the class whose atoms are correlated most. */
static double find_reference(CospinHierarchy moments, const double complex z[], CospinMomentKey *reference)
{
  double largest = 0.0;

  for (int k = moments->model->num_modes ? -1 : 0;
       k < (moments->model->num_modes ? 0 : moments->model->num_sites); k++) {
    const CospinMomentKey key = single(0, k, PETSC_FALSE, PETSC_FALSE), both = pair_of(&key, &key);
    const double size = creal(value_of(moments, z, &both));
    if (size > largest) *reference = key;
    largest = fmax(largest, size);
  }
  return largest;
}

/* First moments with the phase of the reference taken as zero, from second ones. */
static void set_start(CospinHierarchy moments, const double complex z[], const CospinMomentKey *reference,
                      double size, const Line *line, double complex u[])
{
  for (int i = 0; i < line->first->num; i++) {
    const CospinMomentKey *key = &line->first->unknowns.keys[i];
    if (line->first->is_real[i]) {
      u[i] = value_of(moments, z, key);
    } else {
      const CospinMomentKey both = pair_of(reference, key), other = CospinMomentConjugate(key),
                            crossed = pair_of(reference, &other);
      /* A key may stand for the adjoint of what oscillates with the reference. */
      u[i] = value_of(moments, z, &both) / sqrt(size) + conj(value_of(moments, z, &crossed)) / sqrt(size);
    }
  }
}

/* Places of the Jacobian come more than once and add up. */
static PetscErrorCode add_entry(void *context, int row, int column, double value)
{
  const Line *line = (const Line *)context;

  line->jacobian[(size_t)row + (size_t)line->n * (size_t)column] += value;
  return 0;
}

/* f - omega G z with the omega that keeps the reference's phase, and its Jacobian at constant omega. */
static PetscErrorCode linearise(Line *line, const double complex z[], double slopes[])
{
  const CospinHierarchy first = line->first;
  double complex *f, *g;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2(first->num, &f, first->num, &g));
  CospinHierarchySlopes(first, z, f, NULL);
  line->omega = cimag(f[line->reference] / z[line->reference]) / line->unit;
  for (int i = 0; i < first->num; i++) {
    g[i] = I * CospinMomentCharge(first->model, line->charge, &first->unknowns.keys[i]) * z[i];
    f[i] -= line->omega * g[i];
  }
  CospinHierarchyGetReal(first, f, slopes);
  CospinHierarchyGetReal(first, g, line->turn);
  PetscCall(PetscArrayzero(line->jacobian, (size_t)line->n * (size_t)line->n));
  PetscCall(CospinHierarchyJacobian(first, z, add_entry, line));
  for (int i = 0; i < first->num; i++) {
    const double q = CospinMomentCharge(first->model, line->charge, &first->unknowns.keys[i]);
    const size_t k = (size_t)first->place[i], n = (size_t)line->n;
    if (first->is_real[i]) continue;
    line->jacobian[k + n * (k + 1)] += line->omega * q;
    line->jacobian[k + 1 + n * k] -= line->omega * q;
  }
  PetscCall(PetscFree2(f, g));
  PetscFunctionReturn(0);
}

/* x = (1/tau - J + (G z) d omega)^-1 b, d omega that of the reference's row; `transposed`: its transpose. */
static PetscErrorCode solve(const Line *line, const double complex z[], double tau, PetscBool transposed,
                            double x[], PetscBool *ok)
{
  const size_t n = (size_t)line->n, row = (size_t)line->first->place[line->reference];
  const double complex r = z[line->reference];
  const double size2 = creal(r * conj(r));
  PetscBLASInt size = (PetscBLASInt)n, one = 1, *pivots, info;
  PetscScalar *a, *b;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc3(n * n, &a, n, &b, n, &pivots));
  for (size_t k = 0; k < n * n; k++) a[k] = -line->jacobian[k];
  for (size_t c = 0; c < n; c++) {
    /* omega = Im(conj(r) f)/|r|^2/q; in the frame its derivative is that of f - omega G z along i r. */
    const double along =
        (-cimag(r) * line->jacobian[row + n * c] + creal(r) * line->jacobian[row + 1 + n * c]) / size2 /
        line->unit;
    for (size_t k = 0; k < n && !transposed; k++) a[k + n * c] += line->turn[k] * along;
  }
  for (size_t k = 0; k < n; k++) a[k + n * k] += 1 / tau;
  for (size_t k = 0; k < n; k++) b[k] = x[k];
  LAPACKgetrf_(&size, &size, a, &size, pivots, &info);
  if (info == 0) LAPACKgetrs_(transposed ? "T" : "N", &size, &one, a, &size, pivots, b, &size, &info);
  *ok = (PetscBool)(info == 0);
  for (size_t k = 0; k < n; k++) {
    x[k] = PetscRealPart(b[k]);
    if (!isfinite(x[k])) *ok = PETSC_FALSE;
  }
  PetscCall(PetscFree3(a, b, pivots));
  PetscFunctionReturn(0);
}

/* From z to the state with a phase; false: it goes out, or is not reached. */
static PetscErrorCode follow(Line *line, double complex z[], PetscBool *found)
{
  const double begin = cabs(z[line->reference]);
  double *step, *u, tau = 0.0, rate = 0.0;

  PetscFunctionBeginUser;
  *found = PETSC_FALSE;
  PetscCall(PetscMalloc2(line->n, &step, line->n, &u));
  for (int k = 0; k < MAX_STEPS && !*found && cabs(z[line->reference]) > dark * begin; k++) {
    double length = 0.0;
    PetscBool ok = PETSC_FALSE;
    PetscCall(linearise(line, z, step));
    for (int i = 0; i < line->n && k == 0; i++)
      rate = fmax(rate, fabs(line->jacobian[(size_t)i * ((size_t)line->n + 1)]));
    if (k == 0) tau = 1 / rate;
    PetscCall(solve(line, z, tau, PETSC_FALSE, step, &ok));
    CospinHierarchyGetReal(line->first, z, u);
    for (int i = 0; i < line->n; i++) length = fmax(length, fabs(step[i]) / fmax(1.0, fabs(u[i])));
    if (!ok || !(length <= largest_step)) {
      tau *= 0.3;
      if (tau * rate < 1e-12) break;
      continue;
    }
    for (int i = 0; i < line->n; i++) u[i] += step[i];
    CospinHierarchySetReal(line->first, u, z);
    *found = (PetscBool)(length < settled && tau * rate > 1e6);
    tau = fmin(2 * tau, 1e8 / rate);
  }
  PetscCall(PetscFree2(step, u));
  PetscFunctionReturn(0);
}

/* ---- Its phase
 * ----------------------------------------------------------------------------------------------- */

/* w of w J = 0, w.Gz = 1, by inverse iteration; false: there is none such. */
static PetscErrorCode left_vector(Line *line, const double complex z[], double w[], PetscBool *ok)
{
  double rate = 0.0, product = 0.0;

  PetscFunctionBeginUser;
  PetscCall(linearise(line, z, w));
  for (int k = 0; k < line->n; k++) {
    rate = fmax(rate, fabs(line->jacobian[(size_t)k * ((size_t)line->n + 1)]));
    w[k] = line->turn[k];
  }
  *ok = PETSC_TRUE;
  for (int turn = 0; turn < 3 && *ok; turn++) {
    double largest = 0.0;
    PetscCall(solve(line, z, 1e9 / rate, PETSC_TRUE, w, ok));
    for (int k = 0; k < line->n; k++) largest = fmax(largest, fabs(w[k]));
    for (int k = 0; k < line->n; k++) w[k] /= largest;
  }
  for (int k = 0; k < line->n; k++) product += w[k] * line->turn[k];
  for (int k = 0; k < line->n; k++) w[k] /= product;
  if (!isfinite(1 / product)) *ok = PETSC_FALSE;
  PetscFunctionReturn(0);
}

/* How fast deviations from the state with a phase grow, but for the turn: one eigenvalue is zero. */
static PetscErrorCode find_growth(Line *line, const double complex z[], double slopes[], CospinMomentLine *l)
{
  const size_t n = (size_t)line->n;
  PetscBLASInt size = (PetscBLASInt)n, one = 1, num_work = 8 * size, info;
  PetscScalar *a, *values, *work, none[1];
  double rate = 0.0;
  PetscReal *reals;
  int least = 0;

  PetscFunctionBeginUser;
  PetscCall(linearise(line, z, slopes));
  l->growth = -INFINITY;
  PetscCall(PetscMalloc4(n * n, &a, n, &values, 8 * n, &work, 2 * n, &reals));
  for (size_t k = 0; k < n * n; k++) a[k] = line->jacobian[k];
  PetscCall(PetscFPTrapPush(PETSC_FP_TRAP_OFF));
  LAPACKgeev_("N", "N", &size, a, &size, values, none, &one, none, &one, work, &num_work, reals, &info);
  PetscCall(PetscFPTrapPop());
  for (int k = 0; k < line->n; k++) {
    rate = fmax(rate, cabs(values[k]));
    if (cabs(values[k]) < cabs(values[least])) least = k;
  }
  for (int k = 0; k < line->n; k++)
    if (k != least) l->growth = fmax(l->growth, creal(values[k]));
  l->rounding = rounding * rate;
  if (info != 0) l->growth = NAN;
  PetscCall(PetscFree4(a, values, work, reals));
  PetscFunctionReturn(0);
}

/* phi = w.dz as factors: z = <A>/copies, Re z = (A + A^+)/2, Im z = (A - A^+)/(2i). */
static int phase_operator(const Line *line, const double w[], CospinMomentFactor factors[],
                          double complex weights[])
{
  int num = 0;

  for (int i = 0; i < line->first->num; i++) {
    const CospinMomentKey *key = &line->first->unknowns.keys[i];
    const int k = line->first->place[i];
    const PetscBool real = line->first->is_real[i];
    const double complex weight = real ? w[k] : CMPLX(w[k], -w[k + 1]) / 2;
    CospinMomentFactor factor = {0}, adjoint;
    double copies = 1.0;
    if (key->num_atoms) {
      factor = (CospinMomentFactor){key->atoms[0].site, (signed char)key->atoms[0].up,
                                    (signed char)key->atoms[0].down};
      adjoint = (CospinMomentFactor){factor.site, factor.down, factor.up};
      copies = line->first->model->copies[factor.site];
    } else {
      int m = 0;
      while (!key->raise[m] && !key->lower[m]) m++;
      factor = (CospinMomentFactor){-1 - m, (signed char)key->raise[m], 0};
      adjoint = (CospinMomentFactor){-1 - m, (signed char)!factor.up, 0};
    }
    factors[num] = factor;
    weights[num++] = weight / copies;
    if (real) continue;
    factors[num] = adjoint;
    weights[num++] = conj(weight) / copies;
  }
  return num;
}

/* sum r <[L^+, phi][phi, L]> in the product state, where first moments are all there is. */
static PetscErrorCode diffusion(const Line *line, const double w[], const double complex z[], double *rate)
{
  const int num = line->first->num;
  CospinMomentPolynomial p = {0};
  CospinMomentFactor *factors;
  double complex *weights;
  CospinMomentSum sum;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2(2 * (size_t)num, &factors, 2 * (size_t)num, &weights));
  CospinMomentSumInit(&sum);
  PetscCall(CospinMomentNoise(line->first->model, phase_operator(line, w, factors, weights), factors, weights,
                              &sum));
  for (int k = 0; k < sum.count; k++)
    PetscCall(CospinMomentClose(line->first->closure, &sum.keys[k], sum.values[k], &p));
  *rate = creal(CospinHierarchyEvaluate(line->first, &p, z));
  PetscCall(CospinMomentPolynomialFree(&p));
  PetscCall(CospinMomentSumFree(&sum));
  PetscCall(PetscFree2(factors, weights));
  PetscFunctionReturn(0);
}

/* ---- The line
 * ------------------------------------------------------------------------------------------------ */

/* Equations of all first moments, and the charge that the reference has. *ok false: it has none. */
static PetscErrorCode create(CospinHierarchy moments, const CospinMomentKey *reference, Line *line,
                             PetscBool *ok)
{
  const CospinMomentModel model = moments->model;
  const int num = model->num_sites + model->num_modes;
  PetscBool conjugate;
  const CospinMomentKey canonical = CospinMomentCanonical(reference, &conjugate);
  CospinMomentWords *words;

  PetscFunctionBeginUser;
  *line = (Line){.charge = -1};
  for (int q = 0; q < model->num_charges && line->charge < 0; q++)
    if (fabs(CospinMomentCharge(model, q, &canonical)) > 1e-6) line->charge = q;
  *ok = (PetscBool)(line->charge >= 0);
  if (!*ok) PetscFunctionReturn(0);
  PetscCall(PetscMalloc1(num, &words));
  for (int k = 0; k < num; k++) {
    const int site = k < model->num_sites ? k : -1 - (k - model->num_sites);
    PetscCall(PetscMalloc1(1, &words[k].words));
    words[k].count = 1;
    words[k].words[0] =
        (CospinMomentWord){.coefficient = 1.0, .length = 1, .factors = {{site, 0, site >= 0}}};
  }
  PetscCall(CospinHierarchyCreate(model, 1, PETSC_FALSE, num, words, NULL, MOST_UNKNOWNS, &line->first, ok));
  for (int k = 0; k < num; k++) PetscCall(CospinMomentWordsFree(&words[k]));
  PetscCall(PetscFree(words));
  line->n = line->first->num_real;
  line->reference = CospinMomentSumFind(&line->first->unknowns, &canonical);
  *ok = (PetscBool)(*ok && line->reference >= 0 && line->n <= MOST_UNKNOWNS);
  line->unit = CospinMomentCharge(model, line->charge, &canonical);
  PetscCall(PetscMalloc2(line->n, &line->turn, (size_t)line->n * (size_t)line->n, &line->jacobian));
  PetscFunctionReturn(0);
}

/* First moments by class and mode. */
static PetscErrorCode keep_state(const Line *l, const double complex z[], CospinMomentLine *line)
{
  const CospinMomentModel model = l->first->model;

  PetscFunctionBeginUser;
  line->found = PETSC_TRUE;
  PetscCall(PetscCalloc3(model->num_sites, &line->excited, model->num_sites, &line->lower, model->num_modes,
                         &line->field));
  for (int k = 0; k < model->num_sites; k++) {
    const CospinMomentKey down = single(0, k, PETSC_FALSE, PETSC_FALSE),
                          up = single(0, k, PETSC_FALSE, PETSC_TRUE);
    line->lower[k] = value_of(l->first, z, &down);
    line->excited[k] = creal(value_of(l->first, z, &up));
  }
  for (int m = 0; m < model->num_modes; m++) {
    const CospinMomentKey key = single(m, -1, PETSC_FALSE, PETSC_FALSE);
    line->field[m] = value_of(l->first, z, &key);
  }
  PetscFunctionReturn(0);
}

PetscErrorCode CospinMomentLineDestroy(CospinMomentLine *line)
{
  PetscFunctionBeginUser;
  if (line->found) PetscCall(PetscFree3(line->excited, line->lower, line->field));
  line->found = PETSC_FALSE;
  PetscFunctionReturn(0);
}

/* Whether the equations' own state is that with a phase, averaged over the phase: moments of two operators
   agree, beside the largest of their kind (two quanta, a quantum and an atom, two atoms). Near a threshold,
   of few atoms, and where two groups run at frequencies of their own they do not. */
static PetscErrorCode is_the_same(const Line *l, const double complex u[], CospinHierarchy moments,
                                  const double complex z[], PetscBool *same)
{
  double largest[3] = {0.0}, difference[3] = {0.0};

  PetscFunctionBeginUser;
  for (int i = 0; i < moments->num; i++) {
    const CospinMomentKey *key = &moments->unknowns.keys[i];
    const int kind = key->num_atoms;
    double complex product;
    if (CospinMomentOperators(key) != 2) continue;
    PetscCall(CospinHierarchyMoment(l->first, key, u, &product));
    largest[kind] = fmax(largest[kind], cabs(product));
    difference[kind] = fmax(difference[kind], cabs(product - z[i]));
  }
  *same = PETSC_TRUE;
  for (int kind = 0; kind < 3; kind++)
    if (difference[kind] > apart * largest[kind]) *same = PETSC_FALSE;
  PetscFunctionReturn(0);
}

/* Width and frequency around u. */
static PetscErrorCode find_width(Line *l, const double complex u[], CospinHierarchy moments,
                                 const double complex z[], CospinMomentLine *line)
{
  double rate = NAN, *w;
  PetscBool ok = PETSC_FALSE;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(l->n, &w));
  PetscCall(find_growth(l, u, w, line));
  line->charge = l->charge;
  line->omega = l->omega;
  line->frequency = 0.0 - l->unit * l->omega; /* of an operator that lowers */
  PetscCall(is_the_same(l, u, moments, z, &ok));
  ok = (PetscBool)(ok && line->growth < line->rounding);
  if (ok) PetscCall(left_vector(l, u, w, &ok));
  if (ok) PetscCall(diffusion(l, w, u, &rate));
  if (ok && rate > 0) line->width = l->unit * l->unit * rate;
  PetscCall(PetscFree(w));
  PetscFunctionReturn(0);
}

/* Nothing is an error here: what has no line has none. */
PetscErrorCode CospinMomentLineFind(CospinHierarchy moments, const double complex z[], CospinMomentLine *line)
{
  CospinMomentKey reference;
  Line l = {0};
  double complex *u;
  double size;
  PetscBool ok = PETSC_FALSE;

  PetscFunctionBeginUser;
  *line = (CospinMomentLine){.width = NAN, .frequency = NAN};
  memset(&reference, 0, sizeof(reference));
  size = find_reference(moments, z, &reference);
  if (!(size > 0)) PetscFunctionReturn(0);
  PetscCall(create(moments, &reference, &l, &ok));
  if (ok) {
    PetscCall(PetscMalloc1(l.first->num, &u));
    set_start(moments, z, &reference, size, &l, u);
    PetscCall(follow(&l, u, &ok));
    if (ok) PetscCall(keep_state(&l, u, line));
    if (ok) PetscCall(find_width(&l, u, moments, z, line));
    PetscCall(PetscFree(u));
  }
  if (l.first) PetscCall(PetscFree2(l.turn, l.jacobian));
  PetscCall(CospinHierarchyDestroy(&l.first));
  PetscFunctionReturn(0);
}
