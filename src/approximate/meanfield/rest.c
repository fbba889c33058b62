/*
   A stable point of mean field as a place among the labels of Liouville space.

   In a product of N equal spins with the Bloch vector (2 Re s, 2 Im s, z), of length b, the irrep is sharp up
   to its fluctuations, j = (N/2) b, and holds m = (N/2) z; a coherence of order d has the phase of <s->^d. Of
   a coherent mode n = |alpha|^2 and the phase is that of alpha. What a search in these polar coordinates
   cannot follow (a laser that spikes passes the dark state, where phases jump) is smooth in s and alpha.
*/
#include "meanfield.h"
#include <cospin/approximate/rest.h>

static const char prefix[] = "rest_"; /* of PETSc's options */
static const double accuracy = 1e-8, tolerance = 1e-8;

/* Beside the inverted state, off every symmetry: from there lasers start by themselves, and what goes down
   finds its way, too. */
static void set_start(CospinMeanField field, double u[])
{
  for (int c = 0; c < field->num_parts; c++) {
    const CospinMeanPart *part = &field->parts[c];
    for (int l = 0; l < part->sites; l++) {
      u[part->offset + l] = part->is_mode ? 1.0 : 0.1;
      if (!part->is_mode) u[part->offset + 2 * part->sites + l] = 0.5;
    }
  }
}

/* By the kind's own roles: an ensemble has an irrep, a single spin has none. */
static void set_labels(const CospinComponent component, const CospinMeanPart *part, const double u[],
                       double means[], double phases[])
{
  const double *at = u + part->offset;
  const double s = hypot(at[0], at[1]), z = part->is_mode ? 0.0 : at[2];

  for (int k = 0; k < component->num_coordinates; k++) {
    const CospinRole role = component->kind->roles[k];
    double *mean = &means[component->offset + k];
    if (role == COSPIN_COORDINATE_IRREP)
      *mean = part->copies / 2 * (1 - hypot(2 * s, z));
    else
      *mean = part->is_mode ? s * s : part->copies / 2 * (1 + z);
    phases[component->offset + k] = role == COSPIN_COORDINATE_KET ? atan2(at[1], at[0]) : 0.0;
  }
}

/* A deck that has no mean field is no fault here, so what it says of that is dropped. Spins one by one have
   no labels of their own to stand at. */
PetscErrorCode CospinMeanRest(CospinPoint point, double means[], double phases[], PetscBool *found)
{
  const CospinSystem *system = &point->problem->system;
  CospinMeanField field;
  CospinFaults beyond;
  CospinMeanPoint end;
  double *u;
  int num_stable;

  PetscFunctionBeginUser;
  PetscCall(CospinFaultsCreate("", &beyond)); /* that there is no mean field is nobody's fault */
  PetscCall(CospinMeanFieldCreate(point->problem, COSPIN_CLOSURE_PRODUCT, "steady", beyond, &field, found));
  for (int c = 0; c < field->num_parts && *found; c++) *found = (PetscBool)(field->parts[c].sites == 1);
  if (*found) {
    CospinMeanSearch search = {
        .point = point, .field = field, .prefix = prefix, .accuracy = accuracy, .tolerance = tolerance};
    PetscCall(PetscCalloc1(field->num_unknowns, &u));
    set_start(field, u);
    PetscCall(CospinMeanPointCreate(&search, &end));
    PetscCall(CospinMeanSearchRun(&search, u, &end, found, &num_stable));
    for (int c = 0; c < system->num_components && *found; c++)
      set_labels(&system->components[c], &field->parts[c], end.u, means, phases);
    PetscCall(CospinMeanPointDestroy(&end));
    PetscCall(PetscFree(u));
  }
  PetscCall(CospinMeanFieldDestroy(&field));
  PetscCall(CospinFaultsDestroy(&beyond));
  PetscFunctionReturn(0);
}
