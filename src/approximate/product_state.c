/*
   The one reader of product states for cumulants, mean field and Langevin equations: these methods know no
   vectors, only moments, so a factor is its first moments,

     css: [theta, phi]    <s-> = e^{i phi} sin(theta)/2,  <sigma_z> = -cos(theta)     theta = 0: down
     coherent: alpha      <a> = alpha,  <a^+ a> = |alpha|^2
     fock: n              <a> = 0,      <a^+ a> = n
     thermal: nbar        <a> = 0,      <a^+ a> = nbar

   A Fock and a thermal state of the same mean differ in moments of four operators only, which none of the
   methods knows.
*/
#include "product_state.h"
#include <string.h>

/* A mode is what has an operator `a`; everything else that these methods take consists of spins. */
static PetscBool is_mode(CospinComponent component)
{
  for (const CospinOperatorName *name = component->kind->operators; name->name; name++)
    if (strcmp(name->name, "a") == 0) return PETSC_TRUE;
  return PETSC_FALSE;
}

/* Spins down (<sigma_z> = -1), modes empty. */
static CospinProductFactor ground_of(CospinComponent component)
{
  return (CospinProductFactor){{0.0, 0.0}, 0.0, is_mode(component) ? 0.0 : -1.0};
}

/* How many arguments a state has that the method takes; -1: it takes none of that name. */
static int num_arguments(const CospinProductStates *states, PetscBool mode, const char name[])
{
  if (strcmp(name, "ground") == 0) return 0;
  if (!mode) return strcmp(name, "css") == 0 ? 2 : -1;
  for (int k = 0; states->modes[k]; k++)
    if (strcmp(name, states->modes[k]) == 0) return 1;
  return -1;
}

/* `faults` is NULL when the deck has been checked before. */
static PetscErrorCode add_fault(const CospinStateFactor *factor, CospinFaults faults, PetscBool *ok,
                                const char sentence[])
{
  PetscFunctionBeginUser;
  *ok = PETSC_FALSE;
  if (faults) PetscCall(CospinFaultsAdd(faults, factor->position, factor->path, "%s", sentence));
  PetscFunctionReturn(0);
}

/* An amplitude may be complex, angles and numbers of quanta may not. */
static PetscErrorCode read_arguments(CospinProblem problem, const CospinStateFactor *factor,
                                     CospinFaults faults, double complex arguments[2], PetscBool *ok)
{
  const PetscBool complex_one = (PetscBool)(strcmp(factor->name, "coherent") == 0);

  PetscFunctionBeginUser;
  for (int a = 0; a < factor->num_arguments; a++) {
    PetscBool this_ok;
    if (complex_one) {
      CospinValue value = {0};
      PetscCall(
          CospinExpressionEvaluate(factor->arguments[a], &problem->environment, faults, &value, &this_ok));
      if (this_ok && value.is_operator)
        PetscCall(add_fault(factor, faults, &this_ok, "an amplitude is a number, not an operator"));
      arguments[a] = value.number;
      PetscCall(CospinValueReset(&value));
    } else {
      double number;
      PetscCall(CospinProblemNumber(problem, factor->arguments[a], faults, &number, &this_ok));
      arguments[a] = number;
    }
    if (!this_ok) *ok = PETSC_FALSE;
  }
  PetscFunctionReturn(0);
}

/* The table above. */
static CospinProductFactor moments_of(const CospinStateFactor *factor, PetscBool mode,
                                      const double complex a[2])
{
  if (!mode)
    return (CospinProductFactor){{creal(a[0]), creal(a[1])},
                                 PetscSinReal(creal(a[0])) / 2 * cexp(I * creal(a[1])),
                                 -PetscCosReal(creal(a[0]))};
  if (strcmp(factor->name, "coherent") == 0)
    return (CospinProductFactor){{0.0, 0.0}, a[0], creal(a[0] * conj(a[0]))};
  return (CospinProductFactor){{0.0, 0.0}, 0.0, creal(a[0])};
}

/* A state that the methods do not know is a fault that lists those which they do. */
static PetscErrorCode read_factor(CospinProblem problem, const CospinStateFactor *factor,
                                  const CospinProductStates *states, CospinFaults faults,
                                  CospinProductFactor *moments, PetscBool *ok)
{
  const PetscBool mode = is_mode(&problem->system.components[factor->component]);
  const int num = num_arguments(states, mode, factor->name);
  double complex arguments[2] = {0.0, 0.0};
  PetscBool this_ok = PETSC_TRUE;
  char sentence[256];

  PetscFunctionBeginUser;
  if (num < 0 || num != factor->num_arguments) {
    PetscCall(PetscSNPrintf(sentence, sizeof(sentence), "the task %s starts from %s", states->task,
                            states->sentence));
    PetscCall(add_fault(factor, faults, ok, sentence));
    PetscFunctionReturn(0);
  }
  PetscCall(read_arguments(problem, factor, faults, arguments, &this_ok));
  if (this_ok && mode && creal(arguments[0]) < 0 && strcmp(factor->name, "coherent") != 0)
    PetscCall(add_fault(factor, faults, &this_ok, "the number of quanta must be >= 0"));
  if (this_ok && strcmp(factor->name, "fock") == 0 &&
      creal(arguments[0]) != PetscFloorReal(creal(arguments[0])))
    PetscCall(add_fault(factor, faults, &this_ok, "the number of quanta must be a whole one"));
  if (this_ok) *moments = moments_of(factor, mode, arguments);
  if (!this_ok) *ok = PETSC_FALSE;
  PetscFunctionReturn(0);
}

/* The list is as long as the deck has components, which approximate tasks do not limit. */
PetscErrorCode CospinProductStateRead(CospinProblem problem, const CospinSetting *initial,
                                      const CospinProductStates *states, CospinFaults faults,
                                      CospinProductFactor **factors, PetscBool *ok)
{
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(problem->system.num_components, factors));
  *ok = (PetscBool)!initial->file;
  if (initial->file && faults)
    PetscCall(CospinFaultsAdd(faults, initial->position, "initial",
                              "the task %s starts from a product state, not from a file", states->task));
  for (int c = 0; c < problem->system.num_components; c++)
    (*factors)[c] = ground_of(&problem->system.components[c]);
  for (int k = 0; k < initial->num_factors; k++) {
    const CospinStateFactor *factor = &initial->factors[k];
    PetscCall(read_factor(problem, factor, states, faults, &(*factors)[factor->component], ok));
  }
  PetscFunctionReturn(0);
}
