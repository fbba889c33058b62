/*
   What counted pulses of light tell of the collective spin S of N spin-1 atoms, in closed form: distributions
   over S, no states. Atoms that all begin in |m = 0> are a superposition of the |S,0>, S = N, N-2, ...; a
   pulse in a cavity whose light is counted takes |S,0> to |S,-S> by S photons, the next one |S,-S> to |S,S>
   by 2S, the next one back. So clicks of a counter narrow the distribution of S (Bayes), and what is left
   behind is the mixture of the |S,-S> with these weights. G = Qxx - Qyy generates what its Fisher information
   is of.

   S. J. Masson and S. Parkins, spin-1 ensembles and photon counting. Where it is misprinted the formulas are
   those that 3^N states confirm: the likelihood of a later pulse has (1 - eta)^(2S - n), not (1 - eta)^(S -
   n) (Eq. 15).
*/
#pragma once
#include <cospin/solver/interrupt.h>

typedef struct {
  int atoms, num;          /* S = first, first + 2, ..., atoms: num of them */
  int first;               /* 0 or 1 */
  double efficiency, dark; /* of the counter; mean number of dark counts in each pulse */
  double *log_factorial;   /* [2*atoms + 2] */
  double *log_prior;       /* [num] logarithms of the weights of S before the first pulse; normalised */
  double *information;     /* [num] Fisher information of |S,-S> */
  double *element;         /* [num] |<S+2,-S-2|G|S,-S>|^2 */
} CospinInference;

/* Not collective. The weights are those of N atoms in |m = 0>, |c_S|^2 = (2S+1) N!/((N-S)!! (N+S+1)!!). */
PetscErrorCode CospinInferenceCreate(int atoms, double efficiency, double dark, CospinInference *inference);
PetscErrorCode CospinInferenceDestroy(CospinInference *inference);
/* Puts other weights in their place, weights[num] >= 0 with any sum; *ok: the sum is a positive number. */
void CospinInferenceSetPrior(CospinInference *inference, const double weights[], PetscBool *ok);

/* The s-th value of S. */
int CospinInferenceSpin(const CospinInference *inference, int s);
/* Photons that it sends out in a pulse (0: the first). */
int CospinInferencePhotons(const CospinInference *inference, int pulse, int s);
/* The most clicks that are worth a thought where S is one of its first num values: all photons, and the dark
   counts that are not too improbable. */
int CospinInferenceMostClicks(const CospinInference *inference, int pulse, int num);
/* Logarithm of the probability of n dark counts in a pulse: Poisson. */
double CospinInferenceDarkCounts(const CospinInference *inference, int n);
/* Logarithm of the probability of n clicks in a pulse of that many photons: binomial, with dark counts its
   convolution with a Poisson distribution. */
double CospinInferenceLikelihood(const CospinInference *inference, int photons, int n);

/* exp(w) of logarithms of weights w[begin] ... w[end-1], to the sum 1: e[] in the same places. The logarithm
   of their sum before; -infinity if there is nothing. */
double CospinInferenceNormalise(int begin, int end, const double w[], double e[]);
/* Mean and standard deviation of S. */
void CospinInferenceMoments(const CospinInference *inference, int begin, int end, const double xi[],
                            double *mean, double *deviation);
/* Fisher information of the mixture with weights xi[begin] ... xi[end-1] (Eq. 1 with Eqs. 10 and 11). */
double CospinInferenceInformation(const CospinInference *inference, int begin, int end, const double xi[]);
/* The same if S were known: the mean of that of |S,-S>. */
double CospinInferenceLimit(const CospinInference *inference, int begin, int end, const double xi[]);

/* Averages over the clicks of pulses that are still to come. */
typedef struct {
  int seen, pulses;   /* the first that is to come, and the one behind the last */
  double tolerance;   /* of all records: probability that may be left out */
  PetscInt64 samples; /* 0: all records; else as many, drawn at random */
  uint64_t seed;
  double
      until; /* a record that is drawn ends where the standard deviation of S is below this; 0: at `pulses` */
  const CospinInterrupt *interrupt; /* of a draw of samples; borrowed, or NULL */
  double information, deviation; /* out: means of that of the mixture, and of the standard deviation of S */
  double error;                  /* out: standard error of `information`; 0 if nothing was drawn */
  double num_pulses, unsettled;  /* out: mean of those of a record; share of records above `until` */
  double missing;                /* out: probability of the records that were left out */
  PetscInt64 records;            /* out: how many were looked at */
  PetscBool gave_up;             /* out: there are too many of them */
} CospinInferenceAverage;

/* Collective on comm, whose ranks share the records. w[num]: logarithms of the weights after the pulses that
   have been seen, normalised. A sample is the same whatever `pulses` and the number of ranks are. */
PetscErrorCode CospinInferenceAverageRecords(MPI_Comm comm, const CospinInference *inference,
                                             const double w[], CospinInferenceAverage *average);
