/*
   The closed equations: every moment that the wanted ones need, breadth first, and their slopes as
   polynomials.

   A moment and its conjugate are one unknown; one that is its own conjugate is real. Slopes are analytic in z
   and conj(z), so with f = sum of c product z_k, df = A dz + B conj(dz), the Jacobian by (Re, Im) follows
   from A and B.
*/
#include "moments.h"
#include <math.h>
#include <string.h>

/* What is left of coefficients that cancel, beside these. Not beside others of the equation: N and 1 are both
   there, at any N. */
static const double cancelled = 1e-13;

/* One equation; moments that it needs are appended to the unknowns. */
static PetscErrorCode derive(CospinHierarchy moments, int i, CospinMomentSum *terms)
{
  const CospinMomentKey key = moments->unknowns.keys[i];
  CospinMomentPolynomial *p = &moments->slopes[i];
  int kept = 0;

  PetscFunctionBeginUser;
  *p = (CospinMomentPolynomial){0};
  PetscCall(CospinMomentHeisenberg(moments->model, &key, terms));
  for (int k = 0; k < terms->count; k++)
    if (cabs(terms->values[k]) > cancelled * terms->sizes[k])
      PetscCall(CospinMomentClose(moments->closure, &terms->keys[k], terms->values[k], p));
  for (int t = 0; t < p->count; t++)
    if (cabs(p->terms[t].coefficient) > cancelled * p->terms[t].size) p->terms[kept++] = p->terms[t];
  p->count = kept;
  PetscFunctionReturn(0);
}

/* A moment that is its own conjugate is real and has one unknown: a second one would make the Jacobian
 * singular. */
static PetscErrorCode number_unknowns(CospinHierarchy moments)
{
  const int num = moments->num;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2(num, &moments->is_real, num, &moments->place));
  for (int i = 0; i < num; i++) {
    const CospinMomentKey other = CospinMomentConjugate(&moments->unknowns.keys[i]);
    moments->is_real[i] = (PetscBool)(memcmp(&other, &moments->unknowns.keys[i], sizeof(other)) == 0);
    moments->place[i] = moments->num_real;
    moments->num_real += moments->is_real[i] ? 1 : 2;
  }
  PetscFunctionReturn(0);
}

/* Moments that an operator needs become unknowns. */
static PetscErrorCode want(CospinHierarchy moments, const CospinMomentWords *words, CospinMomentSum *terms)
{
  CospinMomentPolynomial p = {0};

  PetscFunctionBeginUser;
  CospinMomentSumClear(terms);
  PetscCall(CospinMomentExpand(moments->model, words, terms));
  for (int k = 0; k < terms->count; k++)
    PetscCall(CospinMomentClose(moments->closure, &terms->keys[k], terms->values[k], &p));
  PetscCall(CospinMomentPolynomialFree(&p));
  PetscFunctionReturn(0);
}

/* Breadth first: an equation may bring in moments, whose equations follow, until no new one comes. Where N -
   k = 0 atoms are left this ends by itself below the order. */
PetscErrorCode CospinHierarchyCreate(CospinMomentModel model, int order, PetscBool filter, int num,
                                     const CospinMomentWords operators[], const CospinMomentSum *also,
                                     int most_unknowns, CospinHierarchy *moments, PetscBool *ok)
{
  CospinMomentSum terms;
  CospinHierarchy new;

  PetscFunctionBeginUser;
  PetscCall(PetscNew(&new));
  *moments = new;
  *ok = PETSC_TRUE;
  new->model = model;
  new->order = order;
  new->filter = filter;
  PetscCall(CospinMomentClosureCreate(model, order, filter, &new->unknowns, &new->closure));
  CospinMomentSumInit(&terms);
  for (int k = 0; k < num; k++) PetscCall(want(new, &operators[k], &terms));
  for (int k = 0; also && k < also->count; k++) {
    CospinMomentPolynomial p = {0};
    PetscCall(CospinMomentClose(new->closure, &also->keys[k], 1.0, &p));
    PetscCall(CospinMomentPolynomialFree(&p));
  }
  for (new->num = 0; new->num < new->unknowns.count &&*ok; new->num++) {
    if (new->num == new->capacity) {
      new->capacity = new->capacity ? 2 * new->capacity : 32;
      PetscCall(PetscRealloc(sizeof(*new->slopes) * (size_t) new->capacity, &new->slopes));
    }
    PetscCall(derive(new, new->num, &terms));
    *ok = (PetscBool)(new->unknowns.count <= most_unknowns);
  }
  PetscCall(CospinMomentSumFree(&terms));
  PetscCall(number_unknowns(new));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinHierarchyDestroy(CospinHierarchy *moments)
{
  PetscFunctionBeginUser;
  if (!*moments) PetscFunctionReturn(0);
  for (int i = 0; i < (*moments)->num; i++) PetscCall(CospinMomentPolynomialFree(&(*moments)->slopes[i]));
  PetscCall(PetscFree((*moments)->slopes));
  PetscCall(PetscFree2((*moments)->is_real, (*moments)->place));
  PetscCall(CospinMomentClosureDestroy(&(*moments)->closure));
  PetscCall(CospinMomentSumFree(&(*moments)->unknowns));
  PetscCall(PetscFree(*moments));
  PetscFunctionReturn(0);
}

/* ---- Values ----------------------------------------------------------------------------------------------
 */

/* Odd numbers are conjugates. */
static double complex factor_value(const double complex z[], int factor)
{
  return factor & 1 ? conj(z[factor / 2]) : z[factor / 2];
}

/* A term without factor `but` (-1: all of it). */
static double complex term_value(const CospinMomentTerm *term, const double complex z[], int but)
{
  double complex value = term->coefficient;

  for (int k = 0; k < term->num; k++)
    if (k != but) value *= factor_value(z, term->factors[k]);
  return value;
}

/* The imaginary part of the slope of a real moment is rounding. */
void CospinHierarchySlopes(CospinHierarchy moments, const double complex z[], double complex slopes[],
                           double sizes[])
{
  for (int i = 0; i < moments->num; i++) {
    const CospinMomentPolynomial *p = &moments->slopes[i];
    double complex sum = 0.0;
    double size = 0.0;
    for (int t = 0; t < p->count; t++) {
      const double complex value = term_value(&p->terms[t], z, -1);
      sum += value;
      size += cabs(value);
    }
    slopes[i] = moments->is_real[i] ? creal(sum) : sum;
    if (sizes) sizes[i] = size;
  }
}

/* Factor by factor, by the product rule; a factor that is a conjugate turns with -i along the imaginary axis.
 */
PetscErrorCode CospinHierarchyJacobian(CospinHierarchy moments, const double complex z[],
                                       CospinHierarchyAdd add, void *context)
{
  PetscFunctionBeginUser;
  for (int i = 0; i < moments->num; i++)
    for (int t = 0; t < moments->slopes[i].count; t++) {
      const CospinMomentTerm *term = &moments->slopes[i].terms[t];
      for (int k = 0; k < term->num; k++) {
        const int j = term->factors[k] / 2, row = moments->place[i], column = moments->place[j];
        const double complex by_re = term_value(term, z, k),
                             by_im = term->factors[k] & 1 ? -I * by_re : I * by_re;
        PetscCall(add(context, row, column, creal(by_re)));
        if (!moments->is_real[j]) PetscCall(add(context, row, column + 1, creal(by_im)));
        if (moments->is_real[i]) continue;
        PetscCall(add(context, row + 1, column, cimag(by_re)));
        if (!moments->is_real[j]) PetscCall(add(context, row + 1, column + 1, cimag(by_im)));
      }
    }
  PetscFunctionReturn(0);
}

/* A moment that has died out has no terms to compare with: of an equation whose terms are all rounding of one
   nothing is asked. Where such moments matter (correlations ~ 1/N), they enter other equations N times. */
double CospinHierarchyResidual(CospinHierarchy moments, const double complex z[])
{
  static const double nothing = 1e-14;
  double largest = 0.0;

  for (int i = 0; i < moments->num; i++) {
    const CospinMomentPolynomial *p = &moments->slopes[i];
    double complex sum = 0.0;
    double size = 0.0, rate = 0.0;
    for (int t = 0; t < p->count; t++) {
      const double complex value = term_value(&p->terms[t], z, -1);
      sum += value;
      size += cabs(value);
      rate = fmax(rate, cabs(p->terms[t].coefficient));
    }
    if (size > nothing * rate) largest = fmax(largest, cabs(moments->is_real[i] ? creal(sum) : sum) / size);
    if (isnan(size)) return NAN;
  }
  return largest;
}

/* Made once and evaluated at every time: a sum over 200 classes is 40000 products. */
PetscErrorCode CospinHierarchyPolynomial(CospinHierarchy moments, const CospinMomentWords *words,
                                         CospinMomentPolynomial *p)
{
  CospinMomentSum terms;

  PetscFunctionBeginUser;
  *p = (CospinMomentPolynomial){0};
  CospinMomentSumInit(&terms);
  PetscCall(CospinMomentExpand(moments->model, words, &terms));
  for (int k = 0; k < terms.count; k++)
    PetscCall(CospinMomentClose(moments->closure, &terms.keys[k], terms.values[k], p));
  PetscCall(CospinMomentSumFree(&terms));
  PetscFunctionReturn(0);
}

/* Operators whose values are asked for were wanted when the equations were made; of another one a moment may
   be missing. */
double complex CospinHierarchyEvaluate(CospinHierarchy moments, const CospinMomentPolynomial *p,
                                       const double complex z[])
{
  double complex value = 0.0;

  for (int t = 0; t < p->count; t++) {
    for (int k = 0; k < p->terms[t].num; k++)
      if (p->terms[t].factors[k] / 2 >= moments->num) return NAN;
    value += term_value(&p->terms[t], z, -1);
  }
  return value;
}

/* For starts of higher orders, whose moments are longer than these equations know. */
PetscErrorCode CospinHierarchyMoment(CospinHierarchy moments, const CospinMomentKey *key,
                                     const double complex z[], double complex *value)
{
  CospinMomentPolynomial p = {0};

  PetscFunctionBeginUser;
  PetscCall(CospinMomentClose(moments->closure, key, 1.0, &p));
  *value = CospinHierarchyEvaluate(moments, &p, z);
  PetscCall(CospinMomentPolynomialFree(&p));
  PetscFunctionReturn(0);
}

/* Atoms are independent of each other and of modes; a mode is coherent with fluctuations of <a^+ a> - |<a>|^2
   quanta, thermal ones (Gaussian): <a^+p a^q> by pairing them. */
static double complex mode_moment(int raise, int lower, double quanta, double complex field)
{
  const double noise = quanta - creal(field * conj(field));
  double complex sum = 0.0, term;

  for (int k = 0; k <= PetscMin(raise, lower); k++) {
    term = 1.0;
    for (int l = 0; l < k; l++) term *= noise * (raise - l) * (lower - l) / (l + 1);
    for (int l = 0; l < raise - k; l++) term *= conj(field);
    for (int l = 0; l < lower - k; l++) term *= field;
    sum += term;
  }
  return sum;
}

/* Atoms of a product state are independent and equal, so a moment is the product of its letters. */
void CospinHierarchyProduct(CospinHierarchy moments, const double excited[], const double complex lower[],
                            const double quanta[], const double complex field[], double complex z[])
{
  for (int i = 0; i < moments->num; i++) {
    const CospinMomentKey *key = &moments->unknowns.keys[i];
    double complex value = 1.0;
    for (int k = 0; k < key->num_atoms; k++) {
      const CospinMomentAtom *atom = &key->atoms[k];
      const double complex s = lower[atom->site];
      value *= atom->up && atom->down ? excited[atom->site] : atom->up ? conj(s) : s;
    }
    for (int m = 0; m < moments->model->num_modes; m++)
      value *= mode_moment(key->raise[m], key->lower[m], quanta[m], field[m]);
    z[i] = value;
  }
}
