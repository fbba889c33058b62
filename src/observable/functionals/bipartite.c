/*
   negativity(A, ...) and mutual(A, ...): how a part A of a deck's components, one or several of them or a
   group, and all others, B, depend on each other.

     negativity   (|rho^(T_A)|_1 - 1)/2, the sum of the negative eigenvalues of the partial transpose, without
                  its sign (Vidal and Werner, PRA 65, 032314 (2002))
     mutual       S(A) + S(B) - S(AB), entropies -Tr rho ln rho

   Where components hold irreps of which there are copies (ensembles), an element has the same irreps on both
   sides, and copies are shared out evenly: rho = sum_j rho_j (x) 1/d_A (x) 1/d_B. Transposing A leaves 1/d
   alone and |X (x) 1/d|_1 = |X|_1, so copies do not count in the negativity; an entropy has ln d for each
   probability, with the copies of the components that it is of.

   The code of a ket is a sum over components (cospin/observable/density.h), so its part in A and its part in
   B are sums over theirs.
*/
#include <cospin/observable/functional.h>
#include <math.h>

enum { MOST_ARGUMENTS = 4 };

/* Components of the arguments; a group stands for all of its own. */
static PetscErrorCode Prepare(CospinProblem problem, const CospinArgument arguments[],
                              CospinFunctional functional, char why[], size_t why_size)
{
  const int num = problem->deck->num_components;

  PetscFunctionBeginUser;
  for (int k = 0; k < MOST_ARGUMENTS && arguments[k].name && !why[0]; k++) {
    const CospinComponentGroup *group = CospinDeckGroupOf(problem->deck, arguments[k].name, NULL);
    functional->component = NULL;
    if (!group)
      PetscCall(CospinFunctionalFindComponent(problem, arguments[k].name, functional, why, why_size));
    for (int c = 0; c < num && c < COSPIN_MAX_COORDINATES; c++)
      if (group ? c >= group->first && c < group->first + group->count
                : functional->component == &problem->system.components[c])
        functional->part[c] = PETSC_TRUE;
  }
  int inside = 0;
  for (int c = 0; c < num && c < COSPIN_MAX_COORDINATES; c++) inside += functional->part[c] ? 1 : 0;
  if (!why[0] && inside == num)
    PetscCall(
        PetscSNPrintf(why, why_size,
                      "nothing is left beside this part (the other part is what the arguments leave out; a "
                      "component is not divided further)"));
  PetscFunctionReturn(0);
}

/* Of a ket: its code in the components of one part, and ln of how many copies they have. */
static PetscInt64 code_in(CospinDensity density, const CospinFunctional functional, PetscBool inside, int ket,
                          double *log_copies)
{
  const CospinSystem *system = density->system;
  const int *label = CospinDensityLabel(density, ket);
  PetscInt64 code = 0;

  *log_copies = 0.0;
  for (int c = 0; c < system->num_components; c++) {
    const CospinComponent component = &system->components[c];
    if (functional->part[c] != inside) continue;
    for (int i = component->offset; i < component->offset + component->num_coordinates; i++)
      code += density->radix[i] * (label[i] - density->radix_lo[i]);
    if (component->kind->LogCopies)
      *log_copies += component->kind->LogCopies(component, label + component->offset);
  }
  return code;
}

/* |k l><b d| of A and B becomes |b l><k d|. Kets that the state has not may have elements then, so codes are
   numbered anew. The transpose is in the basis of labels; in any other one of A it has the same eigenvalues.
 */
static PetscErrorCode EvaluateNegativity(CospinFunctional functional, const double complex moments[],
                                         CospinDensity density, double *value)
{
  CospinCodedElement *elements;
  CospinDensity transposed;
  double none;
  PetscBool ok;

  PetscFunctionBeginUser;
  (void)moments;
  *value = (double)INFINITY;
  if (!density->whole) PetscFunctionReturn(0);
  PetscCall(PetscMalloc1((size_t)density->count + 1, &elements));
  for (PetscInt64 e = 0; e < density->count; e++) {
    const CospinDensityElement *element = &density->elements[e];
    elements[e] = (CospinCodedElement){.value = element->value};
    elements[e].ket = code_in(density, functional, PETSC_TRUE, element->bra, &none) +
                      code_in(density, functional, PETSC_FALSE, element->ket, &none);
    elements[e].bra = code_in(density, functional, PETSC_TRUE, element->ket, &none) +
                      code_in(density, functional, PETSC_FALSE, element->bra, &none);
  }
  PetscCall(CospinDensityCreateCoded(density->system, density->count, elements, &transposed));
  PetscCall(CospinDensityDiagonalise(transposed, &ok));
  *value = ok ? 0.0 : (double)INFINITY;
  /* What is below zero is cut off there: the positive eigenvalues minus the trace are what is left of it. */
  for (int b = 0; b < transposed->num_blocks && ok; b++)
    for (int i = 0; i < transposed->blocks[b].size; i++) *value += transposed->blocks[b].values[i];
  for (PetscInt64 e = 0; e < density->count && ok; e++)
    if (density->elements[e].ket == density->elements[e].bra) *value -= creal(density->elements[e].value);
  *value = PetscMax(*value, 0.0);
  PetscCall(CospinDensityDestroy(&transposed));
  PetscCall(PetscFree(elements));
  PetscFunctionReturn(0);
}

/* -Tr rho ln rho of a matrix with copies; infinite: a block is too large. */
static PetscErrorCode entropy_of(CospinDensity density, double *entropy)
{
  PetscBool ok;

  PetscFunctionBeginUser;
  PetscCall(CospinDensityDiagonalise(density, &ok));
  *entropy = ok ? 0.0 : (double)INFINITY;
  for (int b = 0; b < density->num_blocks && ok; b++) {
    const CospinDensityBlock *block = &density->blocks[b];
    for (int i = 0; i < block->size; i++)
      if (block->values[i] > 0) *entropy += block->values[i] * (block->log_copies - log(block->values[i]));
  }
  PetscFunctionReturn(0);
}

/* Of one part: the trace over the other is the sum of the elements that are diagonal there. Irreps of the
   other part are diagonal by themselves, and each of its elements has the whole weight of all its copies, so
   that nothing is to be counted for them. */
static PetscErrorCode entropy_of_part(CospinFunctional functional, CospinDensity density, PetscBool inside,
                                      double *entropy)
{
  const PetscBool outside = (PetscBool)!inside;
  CospinCodedElement *elements;
  CospinDensity reduced;
  PetscInt64 num = 0;
  double none;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1((size_t)density->count + 1, &elements));
  for (PetscInt64 e = 0; e < density->count; e++) {
    const CospinDensityElement *element = &density->elements[e];
    if (code_in(density, functional, outside, element->ket, &none) !=
        code_in(density, functional, outside, element->bra, &none))
      continue;
    elements[num].value = element->value;
    elements[num].bra = code_in(density, functional, inside, element->bra, &none);
    elements[num].ket = code_in(density, functional, inside, element->ket, &elements[num].log_copies);
    num++;
  }
  PetscCall(CospinDensityCreateCoded(density->system, num, elements, &reduced));
  PetscCall(entropy_of(reduced, entropy));
  PetscCall(CospinDensityDestroy(&reduced));
  PetscCall(PetscFree(elements));
  PetscFunctionReturn(0);
}

static PetscErrorCode EvaluateMutual(CospinFunctional functional, const double complex moments[],
                                     CospinDensity density, double *value)
{
  double a, b, ab;

  PetscFunctionBeginUser;
  (void)moments;
  PetscCall(entropy_of_part(functional, density, PETSC_TRUE, &a));
  PetscCall(entropy_of_part(functional, density, PETSC_FALSE, &b));
  PetscCall(entropy_of(density, &ab));
  *value = isinf(a) || isinf(b) || isinf(ab) ? (double)INFINITY : a + b - ab;
  PetscFunctionReturn(0);
}

const CospinFunctionalKind CospinFunctionalNegativity = {
    .needs = COSPIN_NEEDS_STATE,
    .help = "negativity of these components against all others",
    .Prepare = Prepare,
    .Evaluate = EvaluateNegativity,
};
const CospinFunctionalKind CospinFunctionalMutual = {
    .needs = COSPIN_NEEDS_STATE,
    .help = "mutual information of these components and all others",
    .Prepare = Prepare,
    .Evaluate = EvaluateMutual,
};
