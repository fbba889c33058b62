/*
   The table of component kinds, and what a system of components does by asking its parts. A label of the
   system is the labels of its components one behind the other, each from its `offset` on; a step belongs
   to one component and leaves the others alone. So every question about a product space is a loop here and
   a table look-up there, and a new kind of component is one file and one row in components/list.h.
*/
#include <cospin/problem/component.h>

#define COSPIN_KIND(kind) extern const CospinComponentKind kind;
#include "components/list.h"
#undef COSPIN_KIND

#define COSPIN_KIND(kind) &kind,
const CospinComponentKind *const CospinComponentKinds[] = {
#include "components/list.h"
    NULL};
#undef COSPIN_KIND

#define COSPIN_KIND(kind) &kind.record,
const CospinRecordKind *const CospinComponentRecords[] = {
#include "components/list.h"
    NULL};
#undef COSPIN_KIND

/* Components have few coordinates and are few: no table is needed. From the last one backwards: offsets
   ascend. */
static CospinComponent component_of(const CospinSystem *system, int coordinate)
{
  int c = system->num_components - 1;

  while (system->components[c].offset > coordinate) c--;
  return &system->components[c];
}

/* Added to shift[]: steps of a chain add up. */
void CospinSystemShift(const CospinSystem *system, CospinStep step, int shift[])
{
  const CospinComponent component = &system->components[step.component];

  component->kind->Shift(component, step.code, shift + component->offset);
}

/* The amplitude at the label, which then becomes the label behind the step. */
double CospinSystemApply(const CospinSystem *system, CospinStep step, int label[])
{
  const CospinComponent component = &system->components[step.component];

  return component->kind->Apply(component, step.code, label + component->offset);
}

PetscBool CospinSystemActsOn(const CospinSystem *system, CospinStep step, CospinSide side)
{
  const CospinComponent component = &system->components[step.component];

  return component->kind->ActsOn(component, step.code, side);
}

/* A kind may know a shorter way for one side alone; where it does not, the step itself does. */
double CospinSystemApplySide(const CospinSystem *system, CospinStep step, CospinSide side, int label[])
{
  const CospinComponent component = &system->components[step.component];

  if (!component->kind->ApplySide) return CospinSystemApply(system, step, label);
  return component->kind->ApplySide(component, step.code, side, label + component->offset);
}

/* The trace of a product is the product of traces. Zero off the diagonal, and most labels are: hence the
   early end. */
double CospinSystemTrace(const CospinSystem *system, const int label[])
{
  double trace = 1.0;

  for (int c = 0; c < system->num_components && trace != 0.0; c++) {
    const CospinComponent component = &system->components[c];
    trace *= component->kind->Trace(component, label + component->offset);
  }
  return trace;
}

double CospinSystemBound(const CospinSystem *system, const int label[])
{
  double bound = 1.0;

  for (int c = 0; c < system->num_components; c++) {
    const CospinComponent component = &system->components[c];
    if (component->kind->Bound) bound *= component->kind->Bound(component, label + component->offset);
  }
  return bound;
}

void CospinSystemRange(const CospinSystem *system, int i, const int label[], int *lo, int *hi)
{
  const CospinComponent component = component_of(system, i);

  component->kind->Range(component, i - component->offset, label + component->offset, lo, hi);
}

void CospinSystemCut(const CospinSystem *system, int i, int *lo, int *hi)
{
  if (!system->window) return;
  *lo = PetscMax(*lo, system->window[i].lo);
  *hi = PetscMin(*hi, system->window[i].hi);
}

/* Of which other coordinate the range depends, if of one (n of an irrep's r). */
int CospinSystemBoundBy(const CospinSystem *system, int i)
{
  const CospinComponent component = component_of(system, i);
  const int by = component->kind->BoundBy ? component->kind->BoundBy(component, i - component->offset) : -1;

  return by < 0 ? -1 : component->offset + by;
}

/* Coordinate by coordinate in their order, since ranges depend on those before. */
PetscBool CospinSystemContains(const CospinSystem *system, const int label[])
{
  for (int i = 0; i < system->num_coordinates; i++) {
    int lo, hi;
    CospinSystemRange(system, i, label, &lo, &hi);
    if (label[i] < lo || label[i] > hi) return PETSC_FALSE;
  }
  return PETSC_TRUE;
}

/* Ranges of one coordinate may depend on others; at a diagonal label as Diagonal() gives it they are as wide
 * as they get. */
void CospinSystemBounds(const CospinSystem *system, int lo[], int hi[])
{
  int label[COSPIN_MAX_COORDINATES];

  for (int c = 0; c < system->num_components; c++) {
    const CospinComponent component = &system->components[c];
    const int *generators;
    int num;
    component->kind->Diagonal(component, label + component->offset, &num, &generators);
  }
  for (int i = 0; i < system->num_coordinates; i++) CospinSystemRange(system, i, label, &lo[i], &hi[i]);
}

CospinRole CospinSystemRole(const CospinSystem *system, int i)
{
  const CospinComponent component = component_of(system, i);

  return component->kind->roles[i - component->offset];
}

PetscBool CospinSystemHasSides(const CospinSystem *system)
{
  for (int i = 0; i < system->num_coordinates; i++)
    if (CospinSystemRole(system, i) == COSPIN_COORDINATE_PAIR) return PETSC_FALSE;
  return PETSC_TRUE;
}

/* By the kind's table or, where operators are the deck's own and there are as many as it states, by its
   function: either way A^+ is again one elementary operator, so that adjoints of products are products. */
CospinElementary CospinSystemElementaryAdjoint(const void *system, CospinElementary elementary)
{
  const CospinSystem *parts = (const CospinSystem *)system;
  const CospinComponent component = &parts->components[elementary.component];

  elementary.code = component->kind->adjoint ? component->kind->adjoint[elementary.code]
                                             : component->kind->ElementaryAdjoint(component, elementary.code);
  return elementary;
}

/* monomial = a_1 a_2 ..., each elementary operator alone or the sum over its spins. (sum_l a_l)(sum_m b_m)
   becomes all pairs, equal spins among them, where a_l b_l is a product of one spin. */
static PetscErrorCode expand_monomial(const CospinSystem *system, const CospinMonomial *monomial,
                                      CospinPolynomial sum)
{
  CospinPolynomial product;

  PetscFunctionBeginUser;
  PetscCall(CospinPolynomialCreate(&product));
  PetscCall(CospinPolynomialAddMonomial(product, monomial->coefficient, 0, NULL));
  for (int k = 0; k < monomial->length; k++) {
    const CospinComponent component = &system->components[monomial->operators[k].component];
    const PetscBool all = (PetscBool)(monomial->operators[k].spin == COSPIN_ALL_SPINS);
    const int num = all ? component->kind->NumSpins(component) : 1;
    CospinElementary elementary = monomial->operators[k];
    CospinPolynomial factor, longer;
    PetscCall(CospinPolynomialCreate(&factor));
    for (int l = 0; l < num; l++) {
      if (all) elementary.spin = l;
      PetscCall(CospinPolynomialAddMonomial(factor, 1.0, 1, &elementary));
    }
    PetscCall(CospinPolynomialMultiply(product, factor, &longer));
    PetscCall(CospinPolynomialDestroy(&factor));
    PetscCall(CospinPolynomialDestroy(&product));
    product = longer;
  }
  PetscCall(CospinPolynomialAxpy(sum, 1.0, product));
  PetscCall(CospinPolynomialDestroy(&product));
  PetscFunctionReturn(0);
}

/* Monomials without sums are copied as they are. */
PetscErrorCode CospinSystemExpand(const CospinSystem *system, CospinPolynomial a, CospinPolynomial *expanded)
{
  PetscFunctionBeginUser;
  PetscCall(CospinPolynomialCreate(expanded));
  for (int k = 0; k < a->count; k++) {
    const CospinMonomial *monomial = &a->monomials[k];
    PetscBool sums = PETSC_FALSE;
    for (int l = 0; l < monomial->length; l++)
      if (monomial->operators[l].spin == COSPIN_ALL_SPINS) sums = PETSC_TRUE;
    if (sums) PetscCall(expand_monomial(system, monomial, *expanded));
    if (!sums)
      PetscCall(CospinPolynomialAddMonomial(*expanded, monomial->coefficient, monomial->length,
                                            monomial->operators));
  }
  PetscFunctionReturn(0);
}
