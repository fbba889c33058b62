#include "ladder.h"

enum { N_KET, N_BRA, NUM_COORDINATES };

typedef struct {
  int levels, num_letters;
  const CospinLadderLetter *letters;
  PetscBool open_ended;
  double edge; /* accepted population of the highest levels */
} Ladder;

const CospinRole CospinLadderRoles[NUM_COORDINATES] = {COSPIN_COORDINATE_KET, COSPIN_COORDINATE_BRA};

PetscErrorCode CospinLadderCreate(CospinComponent component, int levels, int num_letters,
                                  const CospinLadderLetter letters[])
{
  Ladder *ladder;

  PetscFunctionBeginUser;
  PetscCall(PetscNew(&ladder));
  *ladder = (Ladder){levels, num_letters, letters, PETSC_FALSE, INFINITY};
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

double CospinLadderEdge(CospinComponent component)
{
  const Ladder *ladder = (const Ladder *)component->data;

  return ladder->open_ended ? INFINITY : ladder->edge;
}

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

/* Steps: the letters on the ket, then the same on the bra. */
int CospinLadderLetterStep(CospinComponent component, CospinLetter letter, CospinSide side)
{
  const Ladder *ladder = (const Ladder *)component->data;

  return (side == COSPIN_BRA ? ladder->num_letters : 0) + letter.code;
}

void CospinLadderShift(CospinComponent component, int step, int shift[])
{
  const Ladder *ladder = (const Ladder *)component->data;

  shift[step / ladder->num_letters] += ladder->letters[step % ladder->num_letters].up;
}

double CospinLadderApply(CospinComponent component, int step, int label[])
{
  const Ladder *ladder = (const Ladder *)component->data;
  const CospinLadderLetter *letter = &ladder->letters[step % ladder->num_letters];
  int *n = &label[step / ladder->num_letters];
  const double value = letter->Amplitude(*n, ladder->levels - 1);

  *n += letter->up;
  return *n >= 0 && *n < ladder->levels ? value : 0.0;
}

PetscBool CospinLadderActsOn(CospinComponent component, int step, CospinSide side)
{
  const Ladder *ladder = (const Ladder *)component->data;

  return (PetscBool)((step >= ladder->num_letters) == (side == COSPIN_BRA));
}

void CospinLadderGetColumns(double first, const int label[], double values[])
{
  values[N_KET] = first + label[N_KET];
  values[N_BRA] = first + label[N_BRA];
}

PetscBool CospinLadderSetColumns(double first, const double values[], int label[])
{
  for (int i = 0; i < NUM_COORDINATES; i++) {
    const double n = values[i] - first;
    if (!(n >= 0 && n < PETSC_MAX_INT) || n != PetscFloorReal(n)) return PETSC_FALSE;
    label[i] = (int)n;
  }
  return PETSC_TRUE;
}
