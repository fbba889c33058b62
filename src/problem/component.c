/* The table of component kinds, and what a system does by asking its parts. */
#include <cospin/component.h>

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

static CospinComponent component_of(const CospinSystem *system, int coordinate)
{
  int c = system->num_components - 1;

  while (system->components[c].offset > coordinate) c--;
  return &system->components[c];
}

void CospinSystemShift(const CospinSystem *system, CospinStep step, int shift[])
{
  const CospinComponent component = &system->components[step.component];

  component->kind->Shift(component, step.code, shift + component->offset);
}

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

double CospinSystemApplySide(const CospinSystem *system, CospinStep step, CospinSide side, int label[])
{
  const CospinComponent component = &system->components[step.component];

  if (!component->kind->ApplySide) return CospinSystemApply(system, step, label);
  return component->kind->ApplySide(component, step.code, side, label + component->offset);
}

double CospinSystemTrace(const CospinSystem *system, const int label[])
{
  double trace = 1.0;

  for (int c = 0; c < system->num_components && trace != 0.0; c++) {
    const CospinComponent component = &system->components[c];
    trace *= component->kind->Trace(component, label + component->offset);
  }
  return trace;
}

void CospinSystemRange(const CospinSystem *system, int i, const int label[], int *lo, int *hi)
{
  const CospinComponent component = component_of(system, i);

  component->kind->Range(component, i - component->offset, label + component->offset, lo, hi);
}

PetscBool CospinSystemContains(const CospinSystem *system, const int label[])
{
  for (int i = 0; i < system->num_coordinates; i++) {
    int lo, hi;
    CospinSystemRange(system, i, label, &lo, &hi);
    if (label[i] < lo || label[i] > hi) return PETSC_FALSE;
  }
  return PETSC_TRUE;
}

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

CospinLetter CospinSystemLetterAdjoint(const void *system, CospinLetter letter)
{
  const CospinSystem *parts = (const CospinSystem *)system;

  letter.code = parts->components[letter.component].kind->adjoint[letter.code];
  return letter;
}
