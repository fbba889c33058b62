/*
   Weights are kept as logarithms: among a thousand atoms they span hundreds of orders of magnitude.

   With m = (N - S)/2 pairs beside it, |S,-S> is sum_k (-1)^k sqrt(p_k) |n+ = k, n0 = 2(m-k), n- = S+k> in the
   occupations of the three levels, p_k = BetaBinomial(k; m, S+1, 1/2). G = 2 (b+^+ b- + hc) connects S with
   S + 2 only; the moments of p_k give

     F_S = 4 <G^2> = 16 (2 m (m-1) (S+1)(S+2)/((S+3/2)(S+5/2)) + (2S+4) m (S+1)/(S+3/2) + S)
     |<S+2,-S-2|G|S,-S>|^2 = 4 (S+1)(S+2) m (m+S+3/2)/((S+3/2)(S+5/2))

   Photons of one pulse are S or 2S, each of them detected with probability eta: binomial likelihoods,
   convolved with a Poisson distribution of dark counts.
*/
#include "inference.h"
#include <math.h>

static const double negligible = 1e-18; /* of a term beside the largest */

PetscErrorCode CospinInferenceCreate(int atoms, double efficiency, double dark, CospinInference *inference)
{
  const int num = atoms / 2 + 1, first = atoms % 2;
  double *lf;

  PetscFunctionBeginUser;
  *inference =
      (CospinInference){.atoms = atoms, .num = num, .first = first, .efficiency = efficiency, .dark = dark};
  PetscCall(PetscMalloc1((size_t)(2 * atoms + 2), &inference->log_factorial));
  PetscCall(PetscMalloc3((size_t)num, &inference->log_prior, (size_t)num, &inference->information,
                         (size_t)num, &inference->element));
  lf = inference->log_factorial;
  for (int n = 0; n < 2 * atoms + 2; n++) lf[n] = lgamma(n + 1.0);
  for (int s = 0; s < num; s++) {
    const double S = first + 2.0 * s, m = num - 1.0 - s, ratio = (S + 1) / (S + 1.5);
    const int pairs = num - 1 - s, half = (atoms + first + 2 * s) / 2; /* (2k)!! = 2^k k!, ... */
    const double even = pairs * log(2.0) + lf[pairs], odd = lf[2 * half + 1] - half * log(2.0) - lf[half];
    inference->log_prior[s] = log(2 * S + 1) + lf[atoms] - even - odd;
    inference->information[s] =
        16 * (2 * m * (m - 1) * ratio * (S + 2) / (S + 2.5) + (2 * S + 4) * m * ratio + S);
    inference->element[s] = 4 * ratio * (S + 2) * m * (m + S + 1.5) / (S + 2.5);
  }
  PetscFunctionReturn(0);
}

PetscErrorCode CospinInferenceDestroy(CospinInference *inference)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(inference->log_factorial));
  PetscCall(PetscFree3(inference->log_prior, inference->information, inference->element));
  PetscFunctionReturn(0);
}

void CospinInferenceSetPrior(CospinInference *inference, const double weights[], PetscBool *ok)
{
  double sum = 0.0;

  for (int s = 0; s < inference->num; s++) sum += weights[s];
  *ok = (PetscBool)(sum > 0.0 && isfinite(sum));
  for (int s = 0; s < inference->num; s++) inference->log_prior[s] = log(weights[s] / sum);
}

int CospinInferenceSpin(const CospinInference *inference, int s)
{
  return inference->first + 2 * s;
}

int CospinInferencePhotons(const CospinInference *inference, int pulse, int s)
{
  return (pulse ? 2 : 1) * CospinInferenceSpin(inference, s);
}

/* More dark counts than these have a probability below 1e-17. */
static int most_dark_counts(const CospinInference *inference)
{
  return inference->dark > 0.0 ? (int)ceil(inference->dark + 10 * sqrt(inference->dark) + 20) : 0;
}

int CospinInferenceMostClicks(const CospinInference *inference, int pulse, int num)
{
  return CospinInferencePhotons(inference, pulse, num - 1) + most_dark_counts(inference);
}

/* n log(p), with 0 log(0) = 0 */
static double times_log(int n, double p)
{
  return n ? n * log(p) : 0.0;
}

/* Logarithm of binomial(photons, n) eta^n (1 - eta)^(photons - n). */
static double binomial(const CospinInference *inference, int photons, int n)
{
  const double *lf = inference->log_factorial;

  if (n > photons) return -INFINITY;
  return lf[photons] - lf[n] - lf[photons - n] + times_log(n, inference->efficiency) +
         times_log(photons - n, 1 - inference->efficiency);
}

double CospinInferenceDarkCounts(const CospinInference *inference, int n)
{
  return times_log(n, inference->dark) - inference->dark - lgamma(n + 1.0);
}

/* Of n clicks k are photons: how much more likely k + 1 of them are. It falls with k. */
static double one_more(const CospinInference *inference, int photons, int n, int k)
{
  const double efficiency = inference->efficiency;

  return efficiency / (1 - efficiency) * (photons - k) / (k + 1.0) * (n - k) / inference->dark;
}

/* The sum over k goes both ways from its largest term, which is far from the clicks of a bright counter where
   they are improbable. */
double CospinInferenceLikelihood(const CospinInference *inference, int photons, int n)
{
  const int most = PetscMin(n, photons);
  int largest = 0, end = most;
  double sum = 1.0, term = 1.0;

  if (inference->dark == 0.0) return binomial(inference, photons, n);
  while (largest < end) {
    const int k = largest + (end - largest) / 2;
    if (one_more(inference, photons, n, k) > 1.0)
      largest = k + 1;
    else
      end = k;
  }
  for (int k = largest; k < most && term > negligible; k++) sum += term *= one_more(inference, photons, n, k);
  term = 1.0;
  for (int k = largest; k > 0 && term > negligible; k--)
    sum += term /= one_more(inference, photons, n, k - 1);
  return binomial(inference, photons, largest) + CospinInferenceDarkCounts(inference, n - largest) + log(sum);
}

double CospinInferenceNormalise(int begin, int end, const double w[], double e[])
{
  double largest = -INFINITY, sum = 0.0;

  for (int s = begin; s < end; s++) largest = fmax(largest, w[s]);
  if (!(largest > -INFINITY)) return -INFINITY;
  for (int s = begin; s < end; s++) sum += e[s] = exp(w[s] - largest);
  for (int s = begin; s < end; s++) e[s] /= sum;
  return largest + log(sum);
}

void CospinInferenceMoments(const CospinInference *inference, int begin, int end, const double xi[],
                            double *mean, double *deviation)
{
  double first = 0.0, second = 0.0;

  for (int s = begin; s < end; s++) first += xi[s] * CospinInferenceSpin(inference, s);
  for (int s = begin; s < end; s++)
    second +=
        xi[s] * (CospinInferenceSpin(inference, s) - first) * (CospinInferenceSpin(inference, s) - first);
  *mean = first;
  *deviation = sqrt(second);
}

double CospinInferenceLimit(const CospinInference *inference, int begin, int end, const double xi[])
{
  double sum = 0.0;

  for (int s = begin; s < end; s++) sum += xi[s] * inference->information[s];
  return sum;
}

double CospinInferenceInformation(const CospinInference *inference, int begin, int end, const double xi[])
{
  double lost = 0.0;

  for (int s = begin; s + 1 < end; s++) {
    const double both = xi[s] + xi[s + 1];
    if (both > 0.0) lost += xi[s] * (xi[s + 1] / both) * inference->element[s];
  }
  return CospinInferenceLimit(inference, begin, end, xi) - 16 * lost;
}
