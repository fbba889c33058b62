/*
   A form is unambiguous if every step that changes none of its numbers is in the lattice of the moves: then
   its numbers are those of one coset.

   A sector is a coset of the lattice of moves; a user wants it named by numbers of excitations. There are
   several forms of such names, from the shortest to the longest: {charge: q} for all components together, the
   same for each component, for each spin or level, and with ket and bra apart. The first that tells all
   sectors apart is the one that `plan` prints and that `sector:` accepts.
*/
#include "sector_form.h"
#include <stdlib.h>

static const struct {
  PetscBool by_component, by_coordinate, sides;
} forms[COSPIN_NUM_FORMS] = {{PETSC_FALSE, PETSC_FALSE, PETSC_FALSE}, {PETSC_FALSE, PETSC_FALSE, PETSC_TRUE},
                             {PETSC_TRUE, PETSC_FALSE, PETSC_FALSE},  {PETSC_TRUE, PETSC_FALSE, PETSC_TRUE},
                             {PETSC_TRUE, PETSC_TRUE, PETSC_FALSE},   {PETSC_TRUE, PETSC_TRUE, PETSC_TRUE}};

int CospinFormComponent(const CospinSystem *system, int i)
{
  int c = 0;

  while (i >= system->components[c].offset + system->components[c].num_coordinates) c++;
  return c;
}

/* Whether c (-1: all components together) is the component of coordinate i. */
PetscBool CospinFormIsPart(const CospinSystem *system, int c, int i)
{
  return (PetscBool)(c < 0 || CospinFormComponent(system, i) == c);
}

/* How many coordinates of its component and role stand before coordinate i: the spin or level it belongs to.
 */
int CospinFormPart(const CospinSystem *system, int i)
{
  const CospinRole role = CospinSystemRole(system, i);
  int part = 0;

  for (int j = system->components[CospinFormComponent(system, i)].offset; j < i; j++)
    if (CospinSystemRole(system, j) == role) part++;
  return part;
}

/* Whether the coordinate counts excitations of one side. */
PetscBool CospinFormHasSide(const CospinSystem *system, int i)
{
  const CospinRole role = CospinSystemRole(system, i);

  return (PetscBool)(role == COSPIN_COORDINATE_KET || role == COSPIN_COORDINATE_BRA);
}

/* What one more of a coordinate adds to the total of a role; of atoms told by pairs of levels, to those of
   both sides. */
static int share_of(const CospinSystem *system, CospinRole role, int i)
{
  const CospinComponent component = &system->components[CospinFormComponent(system, i)];
  const CospinRole own = CospinSystemRole(system, i);

  if (own == COSPIN_COORDINATE_PAIR && role == COSPIN_COORDINATE_KET)
    return component->kind->Excitations(component, i - component->offset, COSPIN_KET);
  if (own == COSPIN_COORDINATE_PAIR && role == COSPIN_COORDINATE_BRA)
    return component->kind->Excitations(component, i - component->offset, COSPIN_BRA);
  return own == role;
}

/* Sum over the coordinates of one role. */
int CospinFormTotal(const CospinSystem *system, CospinRole role, int c, const int vector[])
{
  int sum = 0;

  for (int i = 0; i < system->num_coordinates; i++)
    if (CospinFormIsPart(system, c, i)) sum += share_of(system, role, i) * vector[i];
  return sum;
}

int CospinFormCharge(const CospinSystem *system, int c, const int vector[])
{
  return CospinFormTotal(system, COSPIN_COORDINATE_KET, c, vector) -
         CospinFormTotal(system, COSPIN_COORDINATE_BRA, c, vector);
}

/* Greatest common divisor; of 0 and a it is a. */
static int gcd(int a, int b)
{
  while (b) {
    const int rest = a % b;
    a = b;
    b = rest;
  }
  return abs(a);
}

/* Greatest common divisor of what the moves change: 0: the number is conserved, 1: nothing is. */
int CospinFormModulus(CospinProblem problem, PetscBool sides, int c)
{
  const CospinSystem *system = &problem->system;
  int divisor = 0;

  for (int r = 0; r < CospinLatticeRank(problem->lattice); r++) {
    int pivot;
    const int *row = CospinLatticeRow(problem->lattice, r, &pivot);
    if (sides) {
      divisor = gcd(divisor, CospinFormTotal(system, COSPIN_COORDINATE_KET, c, row));
      divisor = gcd(divisor, CospinFormTotal(system, COSPIN_COORDINATE_BRA, c, row));
    } else {
      divisor = gcd(divisor, CospinFormCharge(system, c, row));
    }
  }
  return divisor;
}

/* Whether the step `factor_i` e_i + `factor_j` e_j leads out of a sector. */
PetscBool CospinFormLeadsOut(CospinProblem problem, int i, int factor_i, int j, int factor_j)
{
  int step[COSPIN_MAX_COORDINATES] = {0};

  step[i] += factor_i;
  step[j] += factor_j;
  return (PetscBool)!CospinLatticeContains(problem->lattice, step);
}

PetscBool CospinFormTellsApart(CospinProblem problem, int i)
{
  int lo[COSPIN_MAX_COORDINATES], hi[COSPIN_MAX_COORDINATES];

  CospinSystemBounds(&problem->system, lo, hi);
  return (PetscBool)(lo[i] < hi[i] && CospinFormLeadsOut(problem, i, 1, i, 0));
}

/* Whether one number of this form counts both coordinates. */
static PetscBool are_counted_together(const CospinSystem *system, const CospinForm *form, int i, int j)
{
  if (!CospinFormHasSide(system, i) || !CospinFormHasSide(system, j)) return PETSC_FALSE;
  if (form->sides && CospinSystemRole(system, i) != CospinSystemRole(system, j)) return PETSC_FALSE;
  if (form->by_component && CospinFormComponent(system, i) != CospinFormComponent(system, j))
    return PETSC_FALSE;
  return (PetscBool)(!form->apart[i] || CospinFormPart(system, i) == CospinFormPart(system, j));
}

static int charge_of(const CospinSystem *system, int i)
{
  return share_of(system, COSPIN_COORDINATE_KET, i) - share_of(system, COSPIN_COORDINATE_BRA, i);
}

/* Whether every step that leaves the total charge alone stays in the sector: those are made of e_i - f_i/f_u
   e_u, where f is the charge of a step and f_u = +-1 (there is such a coordinate in every component), and of
   as many e_u as charge is conserved modulo. */
static PetscBool charge_tells_all(CospinProblem problem)
{
  const CospinSystem *system = &problem->system;
  const int modulus = CospinFormModulus(problem, PETSC_FALSE, -1);
  int u = 0;

  while (abs(charge_of(system, u)) != 1) u++;
  for (int i = 0; i < system->num_coordinates; i++)
    if (i != u && CospinFormLeadsOut(problem, i, 1, u, -charge_of(system, i) * charge_of(system, u)))
      return PETSC_FALSE;
  return (PetscBool)(modulus == 0 || !CospinFormLeadsOut(problem, u, modulus, u, 0));
}

/* Whether numbers of this form belong to several sectors. Of atoms that are told by pairs of levels nothing
   but the total charge is a number that a name has. */
PetscBool CospinFormIsAmbiguous(CospinProblem problem, const CospinForm *form)
{
  const CospinSystem *system = &problem->system;

  if (!CospinSystemHasSides(system))
    return (PetscBool)(form->by_component || form->sides || !charge_tells_all(problem));
  for (int i = 0; i < system->num_coordinates; i++) {
    if (!form->fixed[i] && CospinFormTellsApart(problem, i)) return PETSC_TRUE;
    for (int j = 0; j < i && form->fixed[i]; j++) {
      const PetscBool same = (PetscBool)(CospinSystemRole(system, i) == CospinSystemRole(system, j));
      if (!form->fixed[j] || !are_counted_together(system, form, i, j)) continue;
      if (CospinFormLeadsOut(problem, i, 1, j, same ? -1 : 1)) return PETSC_TRUE;
    }
  }
  return PETSC_FALSE;
}

/* Whether a step of one coordinate of either side of component c leads out of a sector. */
static PetscBool conserves(CospinProblem problem, int c)
{
  const CospinSystem *system = &problem->system;

  for (int i = 0; i < system->num_coordinates; i++)
    if (CospinFormIsPart(system, c, i) && CospinFormHasSide(system, i) &&
        CospinFormLeadsOut(problem, i, 1, i, 0))
      return PETSC_TRUE;
  return PETSC_FALSE;
}

/* Of components only those count that conserve something; all do if the numbers are totals. */
CospinForm CospinFormMake(CospinProblem problem, int which)
{
  const CospinSystem *system = &problem->system;
  CospinForm form = {.by_component = forms[which].by_component, .sides = forms[which].sides};

  for (int i = 0; i < system->num_coordinates; i++) {
    form.apart[i] = (PetscBool)(forms[which].by_coordinate && CospinFormHasSide(system, i));
    if (!CospinFormHasSide(system, i))
      form.fixed[i] = CospinFormTellsApart(problem, i);
    else
      form.fixed[i] = (PetscBool)(!form.by_component || conserves(problem, CospinFormComponent(system, i)));
  }
  return form;
}

/* The last form has a number for every coordinate of either side and is never ambiguous, unless the lattice
   has torsion (torsion.c), whose cosets differ modulo something. */
CospinForm CospinFormFind(CospinProblem problem)
{
  CospinForm form = {0};

  for (int which = 0; which < COSPIN_NUM_FORMS; which++) {
    form = CospinFormMake(problem, which);
    if (!CospinFormIsAmbiguous(problem, &form)) break;
  }
  return form;
}
