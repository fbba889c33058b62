/*
   Where labels end, and how large a step among them may be.

   Amplitudes are rational functions of the populations, smooth on the scale of these, but for poles of the
   gauge just beyond the edges (1/(j - m)). So there are two lengths: the scale of an unknown, and the room
   that it has.
*/
#include "reach.h"
#include <math.h>

/* A mode has no bound. It takes the scale of the spins that drive it, since n is at most of the size of N
   at the points of interest; 100 quanta where there are no spins. */
void CospinReachMake(CospinSymbol symbol, CospinReach *reach)
{
  const CospinSymbolLabels *labels = &symbol->labels;
  double largest = 0.0;

  *reach = (CospinReach){.symbol = symbol,
                         .num_free = labels->num_free,
                         .num_populations = labels->num_populations,
                         .size = labels->num_free + labels->num_populations};
  for (int a = 0; a < labels->num_populations; a++) {
    int c = 0;
    while (labels->population[a] >=
           labels->system->components[c].offset + labels->system->components[c].num_coordinates)
      c++;
    reach->reach[a] = labels->system->components[c].kind->Reach(&labels->system->components[c]);
    /* The label of an irrep, r = N/2 - j, goes to N/2, where n goes to N. */
    if (labels->bra[a] < 0) reach->reach[a] /= 2;
    reach->bounded[a] = (PetscBool)isfinite(reach->reach[a]);
    if (reach->bounded[a]) largest = fmax(largest, reach->reach[a]);
  }
  for (int a = 0; a < labels->num_populations; a++)
    if (!reach->bounded[a]) reach->reach[a] = largest > 0 ? largest : 100.0;
}

/* Phases are angles: their scale is one. */
double CospinReachScale(const CospinReach *reach, const double z[], int k)
{
  if (k >= reach->num_populations) return 1.0;
  return reach->bounded[k] ? reach->reach[k] : fmax(1.0, fabs(z[k]));
}

/* How far population a may move before an edge that counts is reached, at most `most`: the motion has its
   poles there (the gauge's 1/(j - M)), so differences have to stay well inside. */
static double room_of(const CospinReach *reach, const double p[], int a, double most)
{
  const CospinSymbol symbol = reach->symbol;
  double room = most;

  for (int k = 0; k < symbol->count; k++)
    for (int c = 0; c < symbol->moves[k].num_terms; c++)
      for (int f = 0; f < symbol->moves[k].terms[c].num_factors; f++) {
        const CospinAffine *factor = &symbol->moves[k].terms[c].factors[f];
        double value = factor->constant;
        if (!factor->edge || factor->p[a] == 0) continue;
        for (int i = 0; i < reach->num_populations; i++) value += factor->p[i] * p[i];
        if (value > 0) room = fmin(room, value / fabs(factor->p[a]));
      }
  return room;
}

/* A coherence has the scale of its population: d = m - m' runs over as many values as M does. */
int CospinReachOfLabel(const CospinReach *reach, int k)
{
  int a = 0;

  if (k >= reach->num_free) return k - reach->num_free;
  while (reach->symbol->labels.coherence[a] != reach->symbol->labels.free[k]) a++;
  return a;
}

/* A share of the scale, and of the room where that is less. */
double CospinReachDifference(const CospinReach *reach, const double z[], int k, CospinReachStep step)
{
  const double most = step.of_scale * CospinReachScale(reach, z, k);

  return k < reach->num_populations ? step.of_room * room_of(reach, z, k, most / step.of_room) : most;
}

/* The gauge adds an imaginary part to each phase, so that amplitudes are rational. */
void CospinReachTheta(const CospinReach *reach, const double z[], double complex theta[])
{
  double slope[COSPIN_MAX_FREE];

  CospinSymbolGauge(&reach->symbol->labels, z, slope);
  for (int k = 0; k < reach->num_free; k++) theta[k] = z[reach->num_populations + k] + I * slope[k];
}

/* Whether the populations are those of labels that exist: all factors that vanish at an edge are positive.
   Without a Gaussian: the least of the factors, in labels. With one: in standard deviations, for a state
   that reaches an edge is no Gaussian there. Factors are linear, so the variance of a.p is |L^T a|^2 with
   the covariance L L^T. Only factors that a component has marked as an edge count (j - m, n, ...): others
   may vanish inside. */
double CospinReachEdge(const CospinReach *reach, const double p[], const CospinGaussian *gaussian)
{
  const CospinSymbol symbol = reach->symbol;
  double least = INFINITY;

  for (int k = 0; k < symbol->count; k++)
    for (int c = 0; c < symbol->moves[k].num_terms; c++)
      for (int f = 0; f < symbol->moves[k].terms[c].num_factors; f++) {
        const CospinAffine *a = &symbol->moves[k].terms[c].factors[f];
        double value = a->constant, variance = gaussian ? 0.0 : 1.0;
        for (int i = 0; i < reach->num_populations; i++) value += a->p[i] * p[i];
        for (int j = 0; j < reach->num_populations && gaussian; j++) {
          double component = 0.0;
          for (int i = 0; i < reach->num_populations; i++) component += a->p[i] * gaussian->l[i][j];
          variance += component * component;
        }
        if (a->edge && variance > 0) least = fmin(least, value / sqrt(variance));
      }
  return least;
}
