/*
   Lines of labels: all label + t * row for whole numbers t, row being a vector of the lattice in Hermite
   normal form. Its first non-zero element, the pivot, says how t follows from one coordinate.

   The ranges of all coordinates are linear in the label, so what fits of a line is one interval of t, and
   it is found by divisions without looking at its labels. This is what lets sectors of 10^12 labels be
   counted within microseconds (census.c) and enumerated without a list (sector.c).
*/
#include "line.h"

static const PetscInt64 nowhere = -((PetscInt64)1 << 41);

CospinLine CospinLineOf(CospinLattice lattice, int r)
{
  CospinLine line;

  line.row = CospinLatticeRow(lattice, r, &line.pivot);
  line.step = line.row[line.pivot];
  return line;
}

void CospinLineMove(const CospinSystem *system, const CospinLine *line, int t, int label[])
{
  for (int i = line->pivot; i < system->num_coordinates; i++) label[i] += t * line->row[i];
}

/* `skip`: coordinates that are not looked at (those of bras, where kets are counted). */
PetscBool CospinLabelFits(const CospinSystem *system, const PetscBool skip[], int begin, int end,
                          const int label[])
{
  for (int i = begin; i < end; i++) {
    int lo, hi;
    if (skip && skip[i]) continue;
    CospinSystemRange(system, i, label, &lo, &hi);
    if (label[i] < lo || label[i] > hi) return PETSC_FALSE;
  }
  return PETSC_TRUE;
}

PetscBool CospinLabelKept(const CospinSystem *system, const PetscBool skip[], int begin, int end,
                          const int label[])
{
  for (int i = begin; i < end && system->window; i++) {
    if (skip && skip[i]) continue;
    if (label[i] < system->window[i].lo || label[i] > system->window[i].hi) return PETSC_FALSE;
  }
  return CospinLabelFits(system, skip, begin, end, label);
}

/* C rounds towards zero. */
static PetscInt64 floor_div(PetscInt64 a, PetscInt64 b)
{
  const PetscInt64 q = a / b;

  return a % b != 0 && (a < 0) != (b < 0) ? q - 1 : q;
}

static PetscInt64 ceil_div(PetscInt64 a, PetscInt64 b)
{
  return -floor_div(-a, b);
}

/* Moves the label to the first place of the line whose pivot coordinate lies in [lo, hi]; how many such
   places there are. */
int CospinLineStart(const CospinSystem *system, const CospinLine *line, int lo, int hi, int label[])
{
  const int at = label[line->pivot];
  const int first = (int)ceil_div((PetscInt64)lo - at, line->step);
  const PetscInt64 last = floor_div((PetscInt64)hi - at, line->step);

  CospinLineMove(system, line, first, label);
  return (int)PetscMax(0, last - first + 1);
}

/* Keeps of first ... last the t with a + b t >= 0. `nowhere` lies before every beginning, so that the
 * interval is empty whatever is restricted later. */
static void restrict_to(PetscInt64 a, PetscInt64 b, PetscInt64 *first, PetscInt64 *last)
{
  if (b > 0) *first = PetscMax(*first, ceil_div(-a, b));
  if (b < 0) *last = PetscMin(*last, floor_div(a, -b));
  if (b == 0 && a < 0) *last = nowhere;
}

/* The bounds of coordinate i along the line are those at two labels of it, continued: lo + t (next_lo - lo).
 * Those of the window stay where they are. */
void CospinLineRun(const CospinSystem *system, const PetscBool skip[], const CospinLine *line, int total,
                   const int label[], PetscInt64 *first, PetscInt64 *last)
{
  int next[COSPIN_MAX_COORDINATES];

  for (int i = 0; i < system->num_coordinates; i++) next[i] = label[i];
  CospinLineMove(system, line, 1, next);
  *first = 0;
  *last = (PetscInt64)total - 1;
  for (int i = line->pivot + 1; i < system->num_coordinates; i++) {
    int lo, hi, next_lo, next_hi;
    if (skip && skip[i]) continue;
    CospinSystemRange(system, i, label, &lo, &hi);
    CospinSystemRange(system, i, next, &next_lo, &next_hi);
    restrict_to((PetscInt64)label[i] - lo, (PetscInt64)line->row[i] - (next_lo - lo), first, last);
    restrict_to((PetscInt64)hi - label[i], (PetscInt64)(next_hi - hi) - line->row[i], first, last);
    if (!system->window) continue;
    restrict_to((PetscInt64)label[i] - system->window[i].lo, line->row[i], first, last);
    restrict_to((PetscInt64)system->window[i].hi - label[i], -line->row[i], first, last);
  }
}
