/*
   The density matrix of atoms that are told one by one, written out in the whole space.

   Elements of such atoms are sums over placements, P(n) = 1/sqrt(M_n) sum |x><y|, orthonormal; those of other
   components are |x><y| themselves. So Tr rho^2 = sum |rho_n|^2 (over copies of irreps) without any kets, and

     rho = sum over elements, sum over their placements of all such components, rho_n prod 1/sqrt(M_n) |x><y|

   is the whole matrix, d^(2N) elements for N atoms of d levels. Up to MOST_ELEMENTS they are listed, and all
   that eigenvalues of the state give is there as of other components (seven atoms of three levels, eleven of
   two). Permutations make most of these eigenvalues equal; finding each once would take the irreps of SU(d).
*/
#include "density_parts.h"
#include <cospin/problem/storage.h>
#include <math.h>

static const double MOST_ELEMENTS = 6e6; /* half a gigabyte with their blocks: 3^14, 2^22 */

/* A label that the problem does not have is an error of the program, not of the deck. Coordinates without a
   column are zero before the label is read. */
PetscErrorCode CospinDensityElementOf(const CospinSystem *system, CospinStoredState state, PetscInt64 k,
                                      int label[], double complex *value)
{
  const double *row = CospinDensityRow(state, k);

  PetscFunctionBeginUser;
  for (int i = 0; i < system->num_coordinates; i++) label[i] = 0;
  PetscCheck(CospinStorageLabel(system, row, label), PETSC_COMM_SELF, PETSC_ERR_PLIB,
             "A state with labels that its problem has not");
  *value = row[state->num_columns] + I * row[state->num_columns + 1];
  PetscFunctionReturn(0);
}

/* How many |x><y| an element is a sum of: M_n, multiplied over the components that have pairs. */
static double num_pairs(const CospinSystem *system, const int label[])
{
  double product = 1.0;

  for (int c = 0; c < system->num_components; c++) {
    const CospinComponent component = &system->components[c];
    if (component->kind->NumPairs) product *= component->kind->NumPairs(component, label + component->offset);
  }
  return product;
}

/* The purity, and how many elements the whole matrix has. */
static PetscErrorCode measure(CospinDensity density, CospinStoredState state, double *num)
{
  PetscFunctionBeginUser;
  *num = 0.0;
  for (PetscInt64 k = 0; k < state->count; k++) {
    int label[COSPIN_MAX_COORDINATES];
    double complex value;
    PetscCall(CospinDensityElementOf(density->system, state, k, label, &value));
    if (value == 0.0) continue;
    *num += num_pairs(density->system, label);
    density->purity += creal(value * conj(value)) / exp(CospinDensityLogCopies(density->system, label));
  }
  PetscFunctionReturn(0);
}

/* ---- Written out --------------------------------------------------------------------------------------- */

/* One element, component after component: what is in front of `component` has become ket and bra. */
typedef struct {
  CospinDensity density;
  const int *label;
  int component;
  CospinCodedElement element;
  PetscInt64 *count;
  CospinCodedElement *elements;
} Spelling;

static PetscErrorCode spell(Spelling *spelling);

/* A CospinEmitPair: the component is |ket><bra|, and the next one follows. */
static PetscErrorCode add_pair(void *context, PetscInt64 ket, PetscInt64 bra)
{
  const Spelling *spelling = (const Spelling *)context;
  Spelling next = *spelling;
  const PetscInt64 radix =
      spelling->density->radix[spelling->density->system->components[spelling->component].offset];

  PetscFunctionBeginUser;
  next.component++;
  next.element.ket += ket * radix;
  next.element.bra += bra * radix;
  PetscCall(spell(&next));
  PetscFunctionReturn(0);
}

/* Components without EachPair have sides, which code_of_side has put into the codes already. Behind the last
   component the element is complete and joins the list. */
static PetscErrorCode spell(Spelling *spelling)
{
  const CospinSystem *system = spelling->density->system;
  CospinComponent component;

  PetscFunctionBeginUser;
  while (spelling->component < system->num_components &&
         !system->components[spelling->component].kind->EachPair)
    spelling->component++;
  if (spelling->component == system->num_components) {
    spelling->elements[(*spelling->count)++] = spelling->element;
    PetscFunctionReturn(0);
  }
  component = &system->components[spelling->component];
  PetscCall(component->kind->EachPair(component, spelling->label + component->offset, add_pair, spelling));
  PetscFunctionReturn(0);
}

/* The code of one side in the components that have sides. */
static PetscInt64 code_of_side(CospinDensity density, CospinRole side, const int label[])
{
  const CospinSystem *system = density->system;
  int diagonal[COSPIN_MAX_COORDINATES];

  CospinDensityTakeSide(system, side, label, diagonal);
  for (int i = 0; i < system->num_coordinates; i++)
    if (CospinSystemRole(system, i) == COSPIN_COORDINATE_PAIR) diagonal[i] = density->radix_lo[i];
  return CospinDensityCode(density, diagonal);
}

/* elements[]: room for as many as `measure` has counted. An element of the list is rho_n/sqrt(M_n), the
   factor in front of each |x><y| of its sum. */
static PetscErrorCode spell_all(CospinDensity density, CospinStoredState state, CospinCodedElement elements[],
                                PetscInt64 *count)
{
  PetscFunctionBeginUser;
  *count = 0;
  for (PetscInt64 k = 0; k < state->count; k++) {
    int label[COSPIN_MAX_COORDINATES];
    Spelling spelling = {.density = density, .label = label, .count = count, .elements = elements};
    double complex value;
    PetscCall(CospinDensityElementOf(density->system, state, k, label, &value));
    if (value == 0.0) continue;
    spelling.element = (CospinCodedElement){code_of_side(density, COSPIN_COORDINATE_KET, label),
                                            code_of_side(density, COSPIN_COORDINATE_BRA, label),
                                            CospinDensityLogCopies(density->system, label),
                                            value / sqrt(num_pairs(density->system, label))};
    PetscCall(spell(&spelling));
  }
  PetscFunctionReturn(0);
}

/* Labels of kets from their codes: digits of what has sides, the same for ket and bra, and the number of an
   atoms' ket in place of their first coordinate. */
static PetscErrorCode label_kets(CospinDensity density)
{
  const CospinSystem *system = density->system;
  const int n = system->num_coordinates;
  int lo[COSPIN_MAX_COORDINATES], hi[COSPIN_MAX_COORDINATES];

  PetscFunctionBeginUser;
  CospinSystemBounds(system, lo, hi);
  PetscCall(PetscMalloc1((size_t)density->num_kets * (size_t)n, &density->labels));
  for (int k = 0; k < density->num_kets; k++) {
    int label[COSPIN_MAX_COORDINATES];
    for (int i = 0; i < n; i++) {
      const double num = CospinDensityDigits(system, i, lo[i], hi[i]);
      label[i] = lo[i] + (num > 0 ? (int)(density->codes[k] / density->radix[i] % (PetscInt64)num) : 0);
    }
    CospinDensityTakeSide(system, COSPIN_COORDINATE_KET, label,
                          density->labels + (size_t)density->ket_of_code[k] * (size_t)n);
  }
  PetscFunctionReturn(0);
}

/* Counts before it takes memory. A state that is too large keeps its purity, but is not `whole`: what needs
   its eigenvalues is missing. */
PetscErrorCode CospinDensitySpell(const CospinSystem *system, CospinStoredState state, CospinDensity *density)
{
  CospinDensity empty; /* what is known without kets */
  CospinCodedElement *elements;
  PetscInt64 count;
  double num;

  PetscFunctionBeginUser;
  PetscCall(PetscNew(&empty));
  *density = empty;
  empty->system = system;
  empty->state = state;
  PetscCall(measure(empty, state, &num));
  if (!CospinDensitySetRadix(empty) || num > MOST_ELEMENTS) PetscFunctionReturn(0);
  PetscCall(PetscMalloc1((size_t)num + 1, &elements));
  PetscCall(spell_all(empty, state, elements, &count));
  PetscCall(CospinDensityCreateCoded(system, count, elements, density));
  PetscCall(PetscFree(elements));
  (*density)->state = state;
  (*density)->purity = empty->purity;
  PetscCall(PetscArraycpy((*density)->radix, empty->radix, COSPIN_MAX_COORDINATES));
  PetscCall(PetscArraycpy((*density)->radix_lo, empty->radix_lo, COSPIN_MAX_COORDINATES));
  PetscCall(label_kets(*density));
  PetscCall(CospinDensityDestroy(&empty));
  PetscFunctionReturn(0);
}
