/*
   The counter: how many clicks there have been, a classical number n = 0 ... most beside the quantum state.

   It has the one step n -> n + 1, which stands behind a counted jump; a jump beyond the last n is lost, and
   with it its probability.

   A deck cannot name it: it is made behind the deck's own components by tasks that count
   (CospinProblemCreateCounted). Its diagonal labels are all of its labels, since it is classical.
*/
#include <cospin/problem/component.h>

static int most_of(CospinComponent component)
{
  return *(const int *)component->data;
}

static PetscErrorCode Describe(CospinComponent component, char text[], size_t size)
{
  PetscFunctionBeginUser;
  PetscCall(PetscSNPrintf(text, size, "0 to %d clicks", most_of(component)));
  PetscFunctionReturn(0);
}

static void Range(CospinComponent component, int i, const int label[], int *lo, int *hi)
{
  (void)i;
  (void)label;
  *lo = 0;
  *hi = most_of(component);
}

/* Every number of clicks is diagonal, and 0 leads to all of them by steps of 1. */
static void Diagonal(CospinComponent component, int label[], int *num, const int **generators)
{
  static const int step[1] = {1};

  (void)component;
  label[0] = 0;
  *num = 1;
  *generators = step;
}

/* Probabilities of all n add up to the trace. */
static double Trace(CospinComponent component, const int label[])
{
  (void)component;
  (void)label;
  return 1.0;
}

static void Shift(CospinComponent component, int step, int shift[])
{
  (void)component;
  (void)step;
  shift[0]++;
}

/* The last n is an absorbing edge: the next click has the amplitude zero, so the trace lost is the
   probability of more clicks. */
static double Apply(CospinComponent component, int step, int label[])
{
  (void)step;
  label[0]++;
  return label[0] <= most_of(component) ? 1.0 : 0.0;
}

/* The number stands with the bras, as if it told more of them apart: so rho_0, rho_1, ... beside each other
   are one matrix (cospin/problem/sides.h). */
static PetscBool ActsOn(CospinComponent component, int step, CospinSide side)
{
  (void)component;
  (void)step;
  return (PetscBool)(side == COSPIN_BRA);
}

static const CospinKey keys[] = {{.name = NULL}};
static const CospinOperatorName operators[] = {{.name = NULL}};
static const CospinRole roles[] = {COSPIN_COORDINATE_CLICKS};

static const CospinComponentKind kind = {
    .record = {"counter", "register of counted clicks", keys},
    .operators = operators,
    .Describe = Describe,
    .roles = roles,
    .Range = Range,
    .Diagonal = Diagonal,
    .Trace = Trace,
    .Shift = Shift,
    .Apply = Apply,
    .ActsOn = ActsOn,
};

PetscErrorCode CospinCounterCreate(CospinComponent component, int most)
{
  int *data;

  PetscFunctionBeginUser;
  PetscCall(PetscNew(&data));
  *data = most;
  component->kind = &kind;
  component->name = ""; /* no expression can name it */
  component->num_coordinates = 1;
  component->data = data;
  PetscFunctionReturn(0);
}
