/*
   Product states of density matrices as kets. What a component says of its states are elements <x|rho|y>; of
   a pure one, psi(x) psi(y)^*, the ket is psi(x) = <x|rho|y0>/sqrt(<y0|rho|y0>) with y0 the label of the
   largest population, up to a phase that nothing depends on. A mixed one must be a mixture of its labels, and
   one label is drawn of it. {dicke: [j, m]} of an ensemble is mixed over copies of j and yet one label: as
   kets know the irrep and not the copy, it is a ket.

   Coordinates of a component come in pairs, the k-th of the bra with the k-th of the ket, in all kinds; so an
   element on the diagonal is known by its ket.
*/
#include <cospin/problem/ket.h>

/* One component at work. `Visit` gets the labels of its kets, with their populations where those are not
   zero, in the order of coordinates. */
typedef struct Walk_ {
  CospinKetState kets;
  int c;
  double rest; /* population that has not been seen */
  PetscErrorCode (*Visit)(struct Walk_ *walk, const int own[], double population);
  /* of the visits */
  CospinLattice lattice;
  double largest, wanted;
  PetscBool found, drawn;
  int first[COSPIN_MAX_COORDINATES], before[COSPIN_MAX_COORDINATES];
  int *label;
} Walk;

/* A state is walked through component by component, since it is a product of them. */
static CospinComponent component_of(const Walk *walk)
{
  return &walk->kets->state->system->components[walk->c];
}

/* <x|rho|y> of the component, whose state is that of its factor alone. */
static double complex element(const Walk *walk, const int own[])
{
  const CospinLocalState *factor = &walk->kets->state->factors[walk->c];

  return factor->name->Element(component_of(walk), factor->data, own);
}

/* The coordinate of the ket that coordinate i of the bra stands beside. */
static int partner(CospinComponent component, int i)
{
  int rank = 0, k = 0;

  for (int l = 0; l < i; l++) rank += component->kind->roles[l] == COSPIN_COORDINATE_BRA;
  for (;; k++)
    if (component->kind->roles[k] == COSPIN_COORDINATE_KET && rank-- == 0) return k;
}

/* own[]: the label of |x><y| with x and y the kets of two labels. */
static void put_bra(CospinComponent component, const int bra[], int own[])
{
  for (int i = 0; i < component->num_coordinates; i++)
    if (component->kind->roles[i] == COSPIN_COORDINATE_BRA) own[i] = bra[partner(component, i)];
}

/* All kets from coordinate i on, until all population has been seen: an ensemble has many irreps, and most
   states one; spins that can be told apart have 2^N kets, and the ground state one. Sums over one irrep are
   right to rounding of thousands of terms. */
static PetscErrorCode walk_kets(Walk *walk, int i, int own[])
{
  const CospinComponent component = component_of(walk);
  int lo, hi;

  PetscFunctionBeginUser;
  if (i == component->num_coordinates) {
    const double population = creal(element(walk, own));
    walk->rest -= population;
    if (population > 0.0) PetscCall(walk->Visit(walk, own, population));
    PetscFunctionReturn(0);
  }
  if (component->kind->roles[i] == COSPIN_COORDINATE_BRA) {
    own[i] = own[partner(component, i)];
    PetscCall(walk_kets(walk, i + 1, own));
    PetscFunctionReturn(0);
  }
  component->kind->Range(component, i, own, &lo, &hi);
  for (int n = lo; n <= hi; n++) {
    const PetscBool irrep = (PetscBool)(component->kind->roles[i] == COSPIN_COORDINATE_IRREP);
    if (walk->rest < (irrep ? 1e-10 : 1e-15)) break;
    own[i] = n;
    PetscCall(walk_kets(walk, i + 1, own));
  }
  PetscFunctionReturn(0);
}

/* ---- Creation ------------------------------------------------------------------------------------------ */

/* The difference from the first label that the ket has. */
static PetscErrorCode extend_lattice(Walk *walk, const int own[])
{
  const CospinComponent component = component_of(walk);
  int difference[COSPIN_MAX_COORDINATES] = {0};

  PetscFunctionBeginUser;
  for (int i = 0; i < component->num_coordinates; i++)
    if (component->kind->roles[i] != COSPIN_COORDINATE_BRA)
      difference[component->offset + i] = own[i] - walk->first[i];
  if (!CospinLatticeContains(walk->lattice, difference))
    PetscCall(CospinLatticeAdd(walk->lattice, difference));
  PetscFunctionReturn(0);
}

/* That a mixed factor has no coherence is asked of neighbours. */
static PetscErrorCode check_mixture(Walk *walk, const int own[])
{
  const CospinComponent component = component_of(walk);
  int pair[COSPIN_MAX_COORDINATES];

  PetscFunctionBeginUser;
  PetscCall(PetscArraycpy(pair, own, component->num_coordinates));
  put_bra(component, walk->before, pair);
  PetscCheck(element(walk, pair) == 0.0, PETSC_COMM_SELF, PETSC_ERR_PLIB,
             "A mixed state of `%s` that is no mixture of its labels", component->name);
  PetscFunctionReturn(0);
}

/* The sum of populations of a mixture is what is drawn from: a window may have cut some of it off. */
static PetscErrorCode survey(Walk *walk, const int own[], double population)
{
  const CospinComponent component = component_of(walk);
  const PetscBool first = (PetscBool)(walk->largest == 0.0), mixed = walk->kets->factors[walk->c].mixed;

  PetscFunctionBeginUser;
  if (first) PetscCall(PetscArraycpy(walk->first, own, component->num_coordinates));
  if (!first && mixed) PetscCall(check_mixture(walk, own));
  if (!first && !mixed && walk->lattice) PetscCall(extend_lattice(walk, own));
  PetscCall(PetscArraycpy(walk->before, own, component->num_coordinates));
  if (population > walk->largest) {
    walk->largest = population;
    PetscCall(PetscArraycpy(walk->kets->reference + component->offset, own, component->num_coordinates));
  }
  walk->kets->factors[walk->c].population += population;
  PetscFunctionReturn(0);
}

/* Whether a factor is pure its state's table says of the whole state only; it is asked here. */
static PetscErrorCode find_mixed(Walk *walk, const int own[], double population)
{
  const CospinComponent component = component_of(walk);
  int pair[COSPIN_MAX_COORDINATES];

  PetscFunctionBeginUser;
  if (walk->found) {
    PetscCall(PetscArraycpy(pair, own, component->num_coordinates));
    put_bra(component, walk->before, pair);
    if (element(walk, pair) == 0.0) walk->kets->factors[walk->c].mixed = PETSC_TRUE;
  }
  walk->found = PETSC_TRUE;
  PetscCall(PetscArraycpy(walk->before, own, component->num_coordinates));
  (void)population;
  PetscFunctionReturn(0);
}

/* Each component is walked through twice: whether it is mixed decides what its labels mean. */
PetscErrorCode CospinKetStateCreate(CospinState state, CospinLattice lattice, CospinKetState *kets)
{
  CospinKetState new;

  PetscFunctionBeginUser;
  PetscCheck(!state->stored, PETSC_COMM_SELF, PETSC_ERR_SUP, "Kets of a stored state");
  PetscCall(PetscNew(&new));
  *kets = new;
  new->state = state;
  PetscCall(PetscCalloc1((size_t)state->system->num_components, &new->factors));
  for (int c = 0; c < state->system->num_components; c++) {
    Walk walk = {.kets = new, .c = c, .rest = 1.0, .Visit = find_mixed, .lattice = lattice};
    int own[COSPIN_MAX_COORDINATES] = {0};
    if (!state->pure) PetscCall(walk_kets(&walk, 0, own));
    walk.rest = 1.0;
    walk.Visit = survey;
    PetscCall(walk_kets(&walk, 0, own));
    if (new->factors[c].mixed) new->mixed = PETSC_TRUE;
    if (!new->factors[c].mixed) new->factors[c].population = walk.largest;
  }
  PetscFunctionReturn(0);
}

PetscErrorCode CospinKetStateDestroy(CospinKetState *kets)
{
  PetscFunctionBeginUser;
  if (*kets) PetscCall(PetscFree((*kets)->factors));
  PetscCall(PetscFree(*kets));
  PetscFunctionReturn(0);
}

/* ---- Use ----------------------------------------------------------------------------------------------- */

/* The label at which the sum of populations passes what is wanted. */
static PetscErrorCode draw(Walk *walk, const int own[], double population)
{
  PetscFunctionBeginUser;
  if (walk->drawn) PetscFunctionReturn(0);
  PetscCall(PetscArraycpy(walk->label, own, component_of(walk)->num_coordinates));
  walk->wanted -= population;
  walk->drawn = (PetscBool)(walk->wanted < 0.0);
  PetscFunctionReturn(0);
}

PetscErrorCode CospinKetStateDraw(CospinKetState kets, const double uniform[], int label[])
{
  const CospinSystem *system = kets->state->system;

  PetscFunctionBeginUser;
  PetscCall(PetscArraycpy(label, kets->reference, system->num_coordinates));
  for (int c = 0; c < system->num_components; c++) {
    Walk walk = {.kets = kets,
                 .c = c,
                 .rest = 1.0,
                 .Visit = draw,
                 .wanted = uniform[c] * kets->factors[c].population,
                 .label = label + system->components[c].offset};
    int own[COSPIN_MAX_COORDINATES] = {0};
    if (kets->factors[c].mixed) PetscCall(walk_kets(&walk, 0, own));
  }
  PetscFunctionReturn(0);
}

/* <x|psi> of one component, psi the ket that `drawn` is a label of. */
static double complex factor_amplitude(CospinKetState kets, int c, const int drawn[], const int label[])
{
  const Walk walk = {.kets = kets, .c = c};
  const CospinComponent component = component_of(&walk);
  int own[COSPIN_MAX_COORDINATES];
  PetscBool same = PETSC_TRUE;

  for (int i = 0; i < component->num_coordinates; i++) {
    own[i] = label[i];
    if (component->kind->roles[i] != COSPIN_COORDINATE_BRA && label[i] != drawn[i]) same = PETSC_FALSE;
    /* No ket has two irreps. */
    if (component->kind->roles[i] == COSPIN_COORDINATE_IRREP && label[i] != drawn[i]) return 0.0;
  }
  if (kets->factors[c].mixed) return same ? 1.0 : 0.0;
  put_bra(component, drawn, own);
  return element(&walk, own) / PetscSqrtReal(kets->factors[c].population);
}

/* Stops at the first factor that is zero. */
double complex CospinKetStateAmplitude(CospinKetState kets, const int drawn[], const int label[])
{
  const CospinSystem *system = kets->state->system;
  double complex amplitude = 1.0;

  for (int c = 0; c < system->num_components && amplitude != 0.0; c++) {
    const int offset = system->components[c].offset;
    amplitude *= factor_amplitude(kets, c, drawn + offset, label + offset);
  }
  return amplitude;
}
