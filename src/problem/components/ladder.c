/*
   Levels n of a ket and n' of a bra that elementary operators move up or down by fixed numbers: what a
   spin of length S and a mode have in common. A label is (n, n'); a step is an elementary operator on one
   side, numbered ket first and then bra.

   On the bra the step stands for rho -> rho A^+, so that it moves n' as A moves n and has the same real
   amplitude: <n'| A^+ ... = (A |n'>)^+.

   A move is dropped where it leads beyond the levels: the operators are those of the truncated space.
*/
#include "ladder.h"

enum { N_KET, N_BRA, NUM_COORDINATES };

/* A component of levels n, with the operators that move them. `operators` is the kind's own table and
   lives as long as the program. */
typedef struct {
  int levels, num_operators;
  const CospinLadderElementary *operators;
  PetscBool open_ended;
  double edge; /* accepted population of the highest levels */
} Ladder;

const CospinRole CospinLadderRoles[NUM_COORDINATES] = {COSPIN_COORDINATE_KET, COSPIN_COORDINATE_BRA};

/* INFINITY: any population of the highest levels is accepted until the kind says otherwise, as of a spin,
   whose levels end by themselves. */
PetscErrorCode CospinLadderCreate(CospinComponent component, int levels, int num_operators,
                                  const CospinLadderElementary operators[])
{
  Ladder *ladder;

  PetscFunctionBeginUser;
  PetscCall(PetscNew(&ladder));
  *ladder = (Ladder){levels, num_operators, operators, PETSC_FALSE, INFINITY};
  component->data = ladder;
  component->num_coordinates = NUM_COORDINATES;
  PetscFunctionReturn(0);
}

PetscErrorCode CospinLadderDestroy(CospinComponent component)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(component->data));
  PetscFunctionReturn(0);
}

int CospinLadderLevels(CospinComponent component)
{
  return ((const Ladder *)component->data)->levels;
}

void CospinLadderSetOpen(CospinComponent component)
{
  ((Ladder *)component->data)->open_ended = PETSC_TRUE;
}

void CospinLadderSetEdge(CospinComponent component, double population)
{
  ((Ladder *)component->data)->edge = population;
}

/* A window that grows has its leak looked at instead (cospin/point/window.h). */
double CospinLadderEdge(CospinComponent component)
{
  const Ladder *ladder = (const Ladder *)component->data;

  return ladder->open_ended ? INFINITY : ladder->edge;
}

/* 0: the number of levels is the deck's. */
int CospinLadderWindow(CospinComponent component)
{
  const Ladder *ladder = (const Ladder *)component->data;

  return ladder->open_ended ? ladder->levels : 0;
}

void CospinLadderRange(CospinComponent component, int i, const int label[], int *lo, int *hi)
{
  (void)i;
  (void)label;
  *lo = 0;
  *hi = CospinLadderLevels(component) - 1;
}

/* Labels with a trace are n = n', steps of (1, 1) from (0, 0). */
void CospinLadderDiagonal(CospinComponent component, int label[], int *num, const int **generators)
{
  static const int steps[1][NUM_COORDINATES] = {{1, 1}};

  (void)component;
  label[N_KET] = label[N_BRA] = 0;
  *num = 1;
  *generators = &steps[0][0];
}

double CospinLadderTrace(CospinComponent component, const int label[])
{
  (void)component;
  return label[N_KET] == label[N_BRA] ? 1.0 : 0.0;
}

/* Steps: the elementary operators on the ket, then the same on the bra. */
int CospinLadderElementaryStep(CospinComponent component, CospinElementary elementary, CospinSide side)
{
  const Ladder *ladder = (const Ladder *)component->data;

  return (side == COSPIN_BRA ? ladder->num_operators : 0) + elementary.code;
}

/* The side is the coordinate, since a step on the ket moves n and one on the bra n'. */
void CospinLadderShift(CospinComponent component, int step, int shift[])
{
  const Ladder *ladder = (const Ladder *)component->data;

  shift[step / ladder->num_operators] += ladder->operators[step % ladder->num_operators].up;
}

/* An amplitude may be asked for at a level beyond the last one by a chain that comes back; the product is
 * zero as soon as one step leaves the levels. */
double CospinLadderApply(CospinComponent component, int step, int label[])
{
  const Ladder *ladder = (const Ladder *)component->data;
  const CospinLadderElementary *elementary = &ladder->operators[step % ladder->num_operators];
  int *n = &label[step / ladder->num_operators];
  const double value = elementary->Amplitude(*n, ladder->levels - 1);

  *n += elementary->up;
  return *n >= 0 && *n < ladder->levels ? value : 0.0;
}

/* A step acts on one side and leaves the other alone. */
PetscBool CospinLadderActsOn(CospinComponent component, int step, CospinSide side)
{
  const Ladder *ladder = (const Ladder *)component->data;

  return (PetscBool)((step >= ladder->num_operators) == (side == COSPIN_BRA));
}

/* constant + share*(levels - 1) + slope*n, in the gauge of expansions (solver/expansion/symbol.c): the
   table has it for ket and bra, and no factor at all where the amplitude becomes 1. */
PetscBool CospinLadderRational(CospinComponent component, int step, CospinRational *amplitude)
{
  const Ladder *ladder = (const Ladder *)component->data;
  const int side = step >= ladder->num_operators;
  const CospinLadderElementary *elementary = &ladder->operators[step % ladder->num_operators];

  *amplitude = (CospinRational){.coefficient = 1};
  if (elementary->rational[side].slope != 0.0) {
    const double constant =
        elementary->rational[side].constant + elementary->rational[side].share * (ladder->levels - 1);
    amplitude->num_factors = 1;
    amplitude->factor[0] = (CospinLinear){constant,
                                          1,
                                          {{side ? N_BRA : N_KET, elementary->rational[side].slope}},
                                          elementary->rational[side].edge};
  }
  return (PetscBool)!elementary->irrational;
}

/* `first` is what the lowest level is called: 0 of a mode, -S of a spin. */
void CospinLadderGetColumns(double first, const int label[], double values[])
{
  values[N_KET] = first + label[N_KET];
  values[N_BRA] = first + label[N_BRA];
}

/* From a file: a number that is no level is refused, not rounded. */
PetscBool CospinLadderSetColumns(double first, const double values[], int label[])
{
  for (int i = 0; i < NUM_COORDINATES; i++) {
    const double n = values[i] - first;
    if (!(n >= 0 && n < PETSC_MAX_INT) || n != PetscFloorReal(n)) return PETSC_FALSE;
    label[i] = (int)n;
  }
  return PETSC_TRUE;
}

void CospinLadderGetNumbers(CospinComponent component, const int label[], double values[])
{
  (void)component;
  CospinLadderGetColumns(0, label, values);
}

PetscBool CospinLadderSetNumbers(CospinComponent component, const double values[], int label[])
{
  (void)component;
  return CospinLadderSetColumns(0, values, label);
}
