/*
   Coefficients are looked at before anything is integrated. An integrator sees them at few points of a step,
   and in the dark before a short pulse every estimate of its error is exactly zero.

   A stretch of time is a cell if the polynomial through each coefficient at 16 Chebyshev points meets it at
   all points between them and at all samples that fall into the stretch (4096 over the whole time, at
   irregular places, so that no oscillation can hide between them); else it is halved. So a pulse is found if
   it is seen at a single sample, in its tails too: a Gaussian is not zero at 7 times its width to either
   side, and one of 1e-5 of the whole time is found. Beside edges that the deck's functions tell, samples get
   closer and closer: what begins there is found however short it is.
*/
#include <cospin/solver/schedule.h>
#include <math.h>

enum { NODES = 16, NUM_SAMPLES = 4096, MOST_CELLS = 1 << 20, CLOSEST = 40 };
static const double shortest = 1e-13; /* of the whole time */

static const double pi = 3.14159265358979323846;

/* A stretch of time at work; `edge`: whether its ends are edges of the deck's. */
typedef struct {
  double begin, end;
  PetscBool edge[2];
} Stretch;

/* Place of sample k, irregular: the golden ratio's multiples are far from any period. */
static double sample(const CospinSchedule *s, int k)
{
  return s->end * (k + fmod(0.6180339887498949 * (k + 1), 1.0)) / NUM_SAMPLES;
}

/* Of the polynomial through values at Chebyshev points of the first kind, x in (-1, 1), barycentric. */
static double interpolate(const double nodes[], int stride, const double values[], double x)
{
  double above = 0.0, below = 0.0;

  for (int j = 0; j < NODES; j++) {
    const double distance = x - nodes[j];
    const double weight = (j % 2 ? -1.0 : 1.0) * sin((2 * j + 1) * pi / (2 * NODES));
    if (distance == 0.0) return values[j * stride];
    above += weight / distance * values[j * stride];
    below += weight / distance;
  }
  return above / below;
}

/* What is known of a stretch: values at its nodes. */
typedef struct {
  double nodes[NODES], *values, *now; /* [NODES][num], [num] */
  double *blur;                       /* [num] what rounding of the time makes of a coefficient */
  double accuracy;
  int num_knots;
  const double *knots; /* [num_knots] */
  PetscBool fits, constant;
} Look;

/* Compares at a further point. A value that differs in its last bit ends a constant stretch: what is called
   constant is integrated with one exponential, without any estimate of what changes. */
static PetscErrorCode compare(CospinSchedule *s, const Stretch *stretch, Look *look, double time)
{
  const double x = (2 * time - stretch->begin - stretch->end) / (stretch->end - stretch->begin);

  PetscFunctionBeginUser;
  if (!look->fits || time <= stretch->begin || time >= stretch->end) PetscFunctionReturn(0);
  PetscCall(s->Coefficients(s->context, time, look->now));
  for (int k = 0; k < s->num; k++) {
    const double value = look->now[k];
    if (!isfinite(value)) s->failed = PETSC_TRUE;
    s->scale[k] = PetscMax(s->scale[k], fabs(value));
    if (value != look->values[k]) look->constant = PETSC_FALSE;
    if (look->constant) continue;
    if (!(fabs(interpolate(look->nodes, s->num, look->values + k, x) - value) <=
          look->accuracy * s->scale[k] + look->blur[k]))
      look->fits = PETSC_FALSE;
  }
  PetscFunctionReturn(0);
}

/* t - t0 has the rounding error of t: a steep coefficient is no smoother than that. */
static void find_blur(const CospinSchedule *s, const Stretch *stretch, Look *look)
{
  const double half = 0.5 * (stretch->end - stretch->begin);

  for (int k = 0; k < s->num; k++) {
    const double *value = look->values + k;
    look->blur[k] = 0.0;
    for (int j = 1; j < NODES; j++) {
      const double slope = fabs(value[j * s->num] - value[(j - 1) * s->num]) /
                           (half * fabs(look->nodes[j] - look->nodes[j - 1]));
      look->blur[k] = PetscMax(look->blur[k], 4 * PETSC_MACHINE_EPSILON * stretch->end * slope);
    }
  }
}

/* First kind: no node is an end of the stretch, where a coefficient may jump and belongs to the next one. */
static PetscErrorCode take_nodes(CospinSchedule *s, const Stretch *stretch, Look *look)
{
  const double half = 0.5 * (stretch->end - stretch->begin), middle = stretch->begin + half;

  PetscFunctionBeginUser;
  look->fits = look->constant = PETSC_TRUE;
  for (int j = 0; j < NODES; j++) {
    double *values = look->values + (size_t)j * (size_t)s->num;
    look->nodes[j] = cos((2 * j + 1) * pi / (2 * NODES));
    PetscCall(s->Coefficients(s->context, middle + half * look->nodes[j], values));
    for (int k = 0; k < s->num; k++) {
      if (!isfinite(values[k])) s->failed = PETSC_TRUE;
      s->scale[k] = PetscMax(s->scale[k], fabs(values[k]));
      if (values[k] != look->values[k]) look->constant = PETSC_FALSE;
    }
  }
  find_blur(s, stretch, look);
  PetscFunctionReturn(0);
}

/* The first knot at or behind a time. */
static int knot_behind(const Look *look, double time)
{
  int low = 0, high = look->num_knots;

  while (low < high) {
    const int middle = (low + high) / 2;
    if (look->knots[middle] < time)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

/* Between the nodes, at the samples and knots, and close to edges. */
static PetscErrorCode look_at(CospinSchedule *s, const Stretch *stretch, Look *look)
{
  const double length = stretch->end - stretch->begin;
  const int first = PetscMax(0, (int)(stretch->begin / s->end * NUM_SAMPLES) - 1);

  PetscFunctionBeginUser;
  PetscCall(take_nodes(s, stretch, look));
  for (int j = 0; j <= NODES; j++)
    PetscCall(compare(s, stretch, look,
                      stretch->begin + 0.5 * length * (1 + cos((j ? j - 0.02 : 0.02) * pi / NODES))));
  for (int k = first; k < NUM_SAMPLES && look->fits && sample(s, k) < stretch->end; k++)
    PetscCall(compare(s, stretch, look, sample(s, k)));
  for (int k = knot_behind(look, stretch->begin);
       k < look->num_knots && look->fits && look->knots[k] < stretch->end; k++)
    PetscCall(compare(s, stretch, look, look->knots[k]));
  for (int k = 2; k < CLOSEST; k++) {
    if (stretch->edge[0]) PetscCall(compare(s, stretch, look, stretch->begin + ldexp(length, -k)));
    if (stretch->edge[1]) PetscCall(compare(s, stretch, look, stretch->end - ldexp(length, -k)));
  }
  PetscFunctionReturn(0);
}

/* At least doubled, so that many cells are appended in linear time; a million of them is no integration any
   more. */
static PetscErrorCode append(CospinSchedule *s, double end, PetscBool constant)
{
  PetscFunctionBeginUser;
  if (s->num_cells == s->capacity) {
    s->capacity = 2 * s->capacity + 64;
    PetscCall(PetscRealloc(sizeof(double) * (size_t)s->capacity, &s->ends));
    PetscCall(PetscRealloc(sizeof(PetscBool) * (size_t)s->capacity, &s->constant));
  }
  s->ends[s->num_cells] = end;
  s->constant[s->num_cells++] = constant;
  if (s->num_cells >= MOST_CELLS) s->failed = PETSC_TRUE;
  PetscFunctionReturn(0);
}

/* Where to divide a stretch: in the middle, or at the knot that is nearest to it. A spline has a third
   derivative that jumps at its knots: a cell across one would be halved a dozen times towards it, two cells
   that meet there are enough. Where points are many and the curve is smooth, one cell fits across all of them
   and nothing is divided. */
static double middle_of(const Stretch *stretch, const Look *look)
{
  const double middle = 0.5 * (stretch->begin + stretch->end);
  const int behind = knot_behind(look, middle);
  double nearest = INFINITY;

  for (int k = PetscMax(0, behind - 1); k <= behind && k < look->num_knots; k++) {
    const double knot = look->knots[k];
    if (knot > stretch->begin && knot < stretch->end && fabs(knot - middle) < fabs(nearest - middle))
      nearest = knot;
  }
  return isfinite(nearest) ? nearest : middle;
}

/* Halved until it fits. The depth is that of a double's bits, and of the knots. */
static PetscErrorCode divide(CospinSchedule *s, const Stretch *stretch, Look *look)
{
  const double middle = middle_of(stretch, look);

  PetscFunctionBeginUser;
  if (s->failed) PetscFunctionReturn(0);
  PetscCall(look_at(s, stretch, look));
  if (look->fits || stretch->end - stretch->begin <= shortest * s->end) {
    PetscCall(append(s, stretch->end, (PetscBool)(look->fits && look->constant)));
    PetscFunctionReturn(0);
  }
  PetscCall(divide(s, &(Stretch){stretch->begin, middle, {stretch->edge[0], PETSC_FALSE}}, look));
  PetscCall(divide(s, &(Stretch){middle, stretch->end, {PETSC_FALSE, stretch->edge[1]}}, look));
  PetscFunctionReturn(0);
}

/* The largest moduli, at all samples: what is small beside them does not matter. */
static PetscErrorCode find_scale(CospinSchedule *s, double now[])
{
  PetscFunctionBeginUser;
  for (int j = 0; j < NUM_SAMPLES; j++) {
    PetscCall(s->Coefficients(s->context, sample(s, j), now));
    for (int k = 0; k < s->num; k++) {
      if (!isfinite(now[k])) s->failed = PETSC_TRUE;
      s->scale[k] = PetscMax(s->scale[k], fabs(now[k]));
    }
  }
  PetscFunctionReturn(0);
}

PetscErrorCode CospinScheduleCreate(int num, CospinCoefficients coefficients, void *context, double end,
                                    int num_edges, const double edges[], int num_knots, const double knots[],
                                    double accuracy, CospinSchedule **schedule)
{
  CospinSchedule *s;
  Look look = {.accuracy = accuracy, .num_knots = num_knots, .knots = knots};

  PetscFunctionBeginUser;
  PetscCall(PetscNew(&s));
  *schedule = s;
  *s = (CospinSchedule){.num = num, .Coefficients = coefficients, .context = context, .end = end};
  PetscCall(PetscCalloc1((size_t)num, &s->scale));
  PetscCall(PetscMalloc3((size_t)num * NODES, &look.values, (size_t)num, &look.now, (size_t)num, &look.blur));
  if (end > 0) PetscCall(find_scale(s, look.now));
  for (int k = 0; k <= num_edges && end > 0; k++) {
    const Stretch stretch = {
        k ? edges[k - 1] : 0.0, k < num_edges ? edges[k] : end, {PETSC_TRUE, PETSC_TRUE}};
    PetscCall(divide(s, &stretch, &look));
  }
  PetscCall(PetscFree3(look.values, look.now, look.blur));
  PetscFunctionReturn(0);
}

/* Its context is not its own. */
PetscErrorCode CospinScheduleDestroy(CospinSchedule **schedule)
{
  PetscFunctionBeginUser;
  if (!*schedule) PetscFunctionReturn(0);
  PetscCall(PetscFree((*schedule)->ends));
  PetscCall(PetscFree((*schedule)->constant));
  PetscCall(PetscFree((*schedule)->scale));
  PetscCall(PetscFree((*schedule)->kicks));
  PetscCall(PetscFree((*schedule)->weights));
  PetscCall(PetscFree(*schedule));
  PetscFunctionReturn(0);
}
