/*
   Component kind `mode`: a bosonic mode with Fock states n = 0 ... cutoff - 1. Without a cutoff in the deck
   there is a window that grows (cospin/point/window.h).

   Operators are those of the truncated space, a^+ |cutoff-1> = 0, in Hamiltonian and jumps alike, so that the
   truncated generator is a Lindblad generator of its own: trace and positivity are kept.
*/
#include "ladder.h"
#include "states.h"
#include <math.h>

enum { LOWER, RAISE, NUM_OPERATORS };
/* Twelve levels to begin with: enough for a few quanta, and small enough for the first of several solves. */
enum { MAX_CUTOFF = 1000000, FIRST_WINDOW = 12 };

/* Of a ladder: amplitude from level n; `highest` is the last level. */
static double annihilate(double n, double highest)
{
  (void)highest;
  return PetscSqrtReal(n);
}

/* The step to a level beyond the last is left out by the ladder. */
static double create(double n, double highest)
{
  (void)highest;
  return PetscSqrtReal(n + 1);
}

static const CospinLadderElementary ladder_operators[NUM_OPERATORS] = {
    {-1, annihilate, {[COSPIN_BRA] = {0, 0, 1, PETSC_TRUE}}, PETSC_FALSE},
    {+1, create, {[COSPIN_KET] = {1, 0, 1, PETSC_FALSE}}, PETSC_FALSE}};
static const int adjoint[NUM_OPERATORS] = {RAISE, LOWER};

/* With a cutoff in the deck there are that many levels for good (whoever looks behind it asks for more);
   without one the window begins with FIRST_WINDOW. NaN stands for a key that was left out. `edge` is how much
   population the highest levels below a cutoff may have before a state is called inaccurate; 1 says that the
   cutoff is meant. */
static PetscErrorCode Create(CospinComponent component, const CospinRecord *record, const double numbers[],
                             int window, CospinFaults faults, PetscBool *ok)
{
  const PetscBool open_ended = PetscIsNanReal(numbers[0]);
  const double levels = window ? window : !open_ended ? numbers[0] : FIRST_WINDOW;

  PetscFunctionBeginUser;
  if (!(numbers[1] >= 0))
    PetscCall(CospinFaultsAdd(faults, record->settings[1].position,
                              CospinExpressionPath(record->settings[1].expression),
                              "a population of %g at the cutoff (a number from 0 to 1)", numbers[1]));
  *ok = (PetscBool)(levels >= 1 && levels <= MAX_CUTOFF && numbers[1] >= 0);
  if (*ok) {
    PetscCall(CospinLadderCreate(component, (int)levels, NUM_OPERATORS, ladder_operators));
    if (open_ended) CospinLadderSetOpen(component);
    CospinLadderSetEdge(component, numbers[1]);
  } else if (numbers[1] >= 0) {
    PetscCall(CospinFaultsAdd(faults, record->settings[0].position,
                              CospinExpressionPath(record->settings[0].expression),
                              "a mode of %g Fock states (a whole number from 1 to %d)", levels, MAX_CUTOFF));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode Describe(CospinComponent component, char text[], size_t size)
{
  const PetscBool open_ended = (PetscBool)(CospinLadderWindow(component) > 0);

  PetscFunctionBeginUser;
  PetscCall(PetscSNPrintf(text, size, "%d Fock states%s", CospinLadderLevels(component),
                          open_ended ? " to begin with, more as the state needs" : ""));
  PetscFunctionReturn(0);
}

/* G = n! As for a spin, log(n + 1/2) for the digamma function at n + 1. */
static double GaugeSlope(CospinComponent component, int k, const double label[])
{
  (void)component;
  (void)k;
  return -0.5 * log(label[0] + 0.5);
}

/* For an expansion: a mode has no highest level. */
static double Reach(CospinComponent component)
{
  (void)component;
  return INFINITY;
}

static const CospinLabelColumn columns[] = {
    {"n_ket", PETSC_TRUE, "quanta n on the ket"},
    {"n_bra", PETSC_TRUE, "quanta n' on the bra"},
    {.suffix = NULL},
};

/* Stored with each state: windows of two points may differ. */
static double Size(CospinComponent component)
{
  return CospinLadderLevels(component);
}

static const CospinKey keys[] = {
    {.name = "cutoff",
     .type = COSPIN_KEY_INTEGER,
     .unit = "",
     .help = "number of Fock states kept, n = 0 ... cutoff - 1; left out: as many as the steady state needs"},
    {.name = "edge",
     .type = COSPIN_KEY_NUMBER,
     .default_text = "1e-7",
     .unit = "",
     .help =
         "population that the highest Fock states below a cutoff may have in a steady state that is called "
         "good; 1: the cutoff is part of the model"},
    COSPIN_COMPONENT_GROUPS_KEY,
    {.name = NULL},
};

static const CospinOperatorName operators[] = {
    {"a", PETSC_FALSE, 1, {{1, 0, 1, {LOWER}}}, "annihilation operator"},
    {"n", PETSC_FALSE, 1, {{1, 0, 2, {RAISE, LOWER}}}, "number operator dag(a)*a"},
    {.name = NULL},
};

const CospinComponentKind CospinComponentMode = {
    .record = {"mode", "bosonic mode with a Fock cutoff", keys},
    .operators = operators,
    .adjoint = adjoint,
    .states = CospinModeStates,
    .Create = Create,
    .Describe = Describe,
    .columns = columns,
    .element = "|n><n'|",
    .size = "Fock states kept",
    .Size = Size,
    .GetColumns = CospinLadderGetNumbers,
    .SetColumns = CospinLadderSetNumbers,
    .Window = CospinLadderWindow,
    .Edge = CospinLadderEdge,
    .GaugeSlope = GaugeSlope,
    .Reach = Reach,
    COSPIN_LADDER_MEMBERS,
};
