/*
   A superoperator, read side by side. A move's chain mixes steps on the ket and on the bra; steps on
   different sides commute, so each chain is coefficient * A rho B^+ with the monomial A of its ket steps
   and B of its bra steps, each in the order of the chain.

   Few monomials are different (a jump's A stands in all three of its terms), so each is kept once per side
   and tabulated once over the keys of that side; a product then costs table look-ups and no amplitudes.
   Monomial 0 is the identity on either side, which has no steps.
*/
#include "terms.h"

/* Monomials are told by their steps; equal ones are kept once. */
static PetscBool same_steps(const CospinSideMonomial *monomial, int length, const CospinStep steps[])
{
  if (monomial->length != length) return PETSC_FALSE;
  for (int k = 0; k < length; k++) {
    if (monomial->steps[k].component != steps[k].component || monomial->steps[k].code != steps[k].code)
      return PETSC_FALSE;
  }
  return PETSC_TRUE;
}

/* The number of these steps on this side, new if they have not been seen. There are a few dozen at most: a
 * search from the beginning is no cost. */
static PetscErrorCode find_monomial(CospinTerms terms, CospinSide side, int length, const CospinStep steps[],
                                    int *found)
{
  CospinSideMonomial *monomial;

  PetscFunctionBeginUser;
  for (*found = 0; *found < terms->num_monomials[side]; (*found)++) {
    if (same_steps(&terms->monomials[side][*found], length, steps)) PetscFunctionReturn(0);
  }
  if (*found == terms->capacity[side]) {
    terms->capacity[side] = 2 * terms->capacity[side] + 8;
    PetscCall(
        PetscRealloc(sizeof(CospinSideMonomial) * (size_t)terms->capacity[side], &terms->monomials[side]));
  }
  monomial = &terms->monomials[side][terms->num_monomials[side]++];
  monomial->length = length;
  PetscCall(PetscMalloc1((size_t)length + 1, &monomial->steps));
  PetscCall(PetscArraycpy(monomial->steps, steps, length));
  PetscFunctionReturn(0);
}

/* capacity[2] is that of the terms, capacity[0] and [1] those of the two sides' monomials. */
static PetscErrorCode add_chain(CospinTerms terms, const CospinChain *chain)
{
  CospinTerm term = {.coefficient = chain->coefficient};
  CospinStep *steps;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1((size_t)chain->length + 1, &steps));
  for (int s = 0; s < 2; s++) {
    int length = 0;
    for (int k = 0; k < chain->length; k++) {
      if (CospinSystemActsOn(terms->system, chain->steps[k], (CospinSide)s))
        steps[length++] = chain->steps[k];
    }
    PetscCall(find_monomial(terms, (CospinSide)s, length, steps, &term.monomial[s]));
  }
  PetscCall(PetscFree(steps));
  if (terms->count == terms->capacity[2]) {
    terms->capacity[2] = 2 * terms->capacity[2] + 16;
    PetscCall(PetscRealloc(sizeof(CospinTerm) * (size_t)terms->capacity[2], &terms->terms));
  }
  terms->terms[terms->count++] = term;
  PetscFunctionReturn(0);
}

PetscErrorCode CospinTermsCreate(CospinMoves moves, CospinTerms *terms)
{
  int identity;

  PetscFunctionBeginUser;
  PetscCall(PetscNew(terms));
  (*terms)->system = moves->system;
  for (int s = 0; s < 2; s++) PetscCall(find_monomial(*terms, (CospinSide)s, 0, NULL, &identity));
  for (int k = 0; k < moves->count; k++) {
    for (int c = 0; c < moves->moves[k].num_chains; c++)
      PetscCall(add_chain(*terms, &moves->moves[k].chains[c]));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode CospinTermsDestroy(CospinTerms *terms)
{
  PetscFunctionBeginUser;
  if (!*terms) PetscFunctionReturn(0);
  for (int s = 0; s < 2; s++) {
    for (int k = 0; k < (*terms)->num_monomials[s]; k++)
      PetscCall(PetscFree((*terms)->monomials[s][k].steps));
    PetscCall(PetscFree((*terms)->monomials[s]));
  }
  PetscCall(PetscFree((*terms)->terms));
  PetscCall(PetscFree(*terms));
  PetscFunctionReturn(0);
}

/* Steps act in the order of the chain. A factor that is zero ends the chain (sqrt(0), or an edge of the
 * levels): what stands behind it could read a label that there is not. */
void CospinTermsTabulate(CospinTerms terms, CospinSides sides, CospinSide side, int monomial, int to[],
                         double factor[], PetscBool *diagonal)
{
  const CospinSideMonomial *steps = &terms->monomials[side][monomial];

  *diagonal = PETSC_TRUE;
  for (int k = 0; k < sides->count[side]; k++) {
    const int *from = CospinSidesLabel(sides, side, k);
    int label[COSPIN_MAX_COORDINATES];

    for (int i = 0; i < terms->system->num_coordinates; i++) label[i] = from[i];
    factor[k] = 1.0;
    for (int s = 0; s < steps->length && factor[k] != 0.0; s++)
      factor[k] *= CospinSystemApplySide(terms->system, steps->steps[s], side, label);
    to[k] = factor[k] != 0.0 ? CospinSidesFind(sides, side, label) : -1;
    if (to[k] >= 0 && to[k] != k) *diagonal = PETSC_FALSE;
  }
}
