/*
   A laser in first order: the field turns with a frequency that no equation of a fixed point holds. Second
   order, whose moments carry no charge, does not turn and knows which operators are correlated with which:
   from there first moments with a phase are followed in a frame whose frequency is found with them
   (approximate/moments/line.c). Where none is found the steady state is looked for as
   that of any other equations.
*/
#include "turning.h"
#include <math.h>
#include <string.h>

enum { MOST_UNKNOWNS = 100000 };

/* Quanta of every mode and pairs of every class: of these the reference of the phase is one. A class of one
   atom has no pair. */
static PetscErrorCode pairs_of(CospinMomentModel model, CospinMomentSum *pairs)
{
  CospinMomentKey key;

  PetscFunctionBeginUser;
  for (int m = 0; m < model->num_modes; m++) {
    memset(&key, 0, sizeof(key));
    key.raise[m] = key.lower[m] = 1;
    PetscCall(CospinMomentSumAdd(pairs, &key, 0.0, NULL));
  }
  for (int k = 0; k < model->num_sites; k++) {
    memset(&key, 0, sizeof(key));
    key.num_atoms = 2;
    key.atoms[0] = (CospinMomentAtom){(unsigned short)k, 0, 1};
    key.atoms[1] = (CospinMomentAtom){(unsigned short)k, 1, 0};
    if (model->copies[k] > 1) PetscCall(CospinMomentSumAdd(pairs, &key, 0.0, NULL));
  }
  PetscFunctionReturn(0);
}

/* From half-excited spins, as every steady state of this task. */
static PetscErrorCode find_line(CospinMomentModel model,
                                PetscErrorCode (*Leave)(void *context, PetscBool *leave), void *context,
                                CospinMomentLine *line, CospinMomentRest *rest)
{
  double *excited, *quanta;
  double complex *lower, *field, *z;
  CospinHierarchy second;
  CospinMomentSum pairs;
  PetscBool ok;

  PetscFunctionBeginUser;
  *line = (CospinMomentLine){.width = NAN, .frequency = NAN};
  CospinMomentSumInit(&pairs);
  PetscCall(pairs_of(model, &pairs));
  PetscCall(CospinHierarchyCreate(model, 2, PETSC_TRUE, 0, NULL, &pairs, MOST_UNKNOWNS, &second, &ok));
  PetscCall(PetscCalloc5(model->num_sites, &excited, model->num_sites, &lower, model->num_modes, &quanta,
                         model->num_modes, &field, second->num, &z));
  for (int k = 0; k < model->num_sites; k++) excited[k] = 0.5;
  CospinHierarchyProduct(second, excited, lower, quanta, field, z);
  *rest = (CospinMomentRest){.found = PETSC_FALSE};
  if (ok && second->num) PetscCall(CospinHierarchyRest(second, Leave, context, z, rest));
  if (rest->found && !rest->leave) PetscCall(CospinMomentLineFind(second, z, line));
  PetscCall(PetscFree5(excited, lower, quanta, field, z));
  PetscCall(CospinHierarchyDestroy(&second));
  PetscCall(CospinMomentSumFree(&pairs));
  PetscFunctionReturn(0);
}

/* In a frame of frequency omega a moment of charge q has the slope f - i omega q z, which is zero at rest.
   Each slope counts relative to the size of its terms, so the result has no unit. NaN: no memory. */
static double residual_of(CospinHierarchy first, const CospinMomentLine *line, const double complex z[])
{
  double largest = 0.0;
  double complex *slopes;
  double *sizes;

  if (PetscMalloc2(first->num, &slopes, first->num, &sizes)) return NAN;
  CospinHierarchySlopes(first, z, slopes, sizes);
  for (int i = 0; i < first->num; i++) {
    const double complex turn =
        I * line->omega * CospinMomentCharge(first->model, line->charge, &first->unknowns.keys[i]) * z[i];
    const double size = sizes[i] + cabs(turn);
    if (size > 1e-14) largest = fmax(largest, cabs(slopes[i] - turn) / size);
  }
  if (PetscFree2(slopes, sizes)) return NAN;
  return largest;
}

/* Where neither the state that turns nor the one that stands still is stable, nothing that was found stays as
   it is: growth tells. Quanta are |alpha|^2, since the field of first order is a coherent one. */
PetscErrorCode CospinCumulantTurning(CospinHierarchy first,
                                     PetscErrorCode (*Leave)(void *context, PetscBool *leave), void *context,
                                     double complex z[], CospinMomentRest *rest, double *width,
                                     double *frequency)
{
  const CospinMomentModel model = first->model;
  CospinMomentLine line;
  double *quanta;

  PetscFunctionBeginUser;
  PetscCall(find_line(model, Leave, context, &line, rest));
  *width = line.width;
  *frequency = line.frequency;
  if (!line.found) {
    if (!rest->leave) PetscCall(CospinHierarchyRest(first, Leave, context, z, rest));
    PetscFunctionReturn(0);
  }
  PetscCall(PetscMalloc1(model->num_modes, &quanta));
  for (int m = 0; m < model->num_modes; m++) quanta[m] = creal(line.field[m] * conj(line.field[m]));
  CospinHierarchyProduct(first, line.excited, line.lower, quanta, line.field, z);
  rest->growth = line.growth;
  rest->rounding = line.rounding;
  rest->residual = residual_of(first, &line, z);
  PetscCall(PetscFree(quanta));
  PetscCall(CospinMomentLineDestroy(&line));
  PetscFunctionReturn(0);
}
