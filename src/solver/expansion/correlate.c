/*
   Two-time correlations from expansions: the search for the degree at which the values along an axis have
   settled, and the channel that is kept of it (how it is computed: kernel_regression.h).

   Changes from degree to degree count beside the largest value: small ones at long times or far from a line
   are as accurate as large ones, absolutely.

   A channel is kept after the search, kernel and all, since a spectrum asks for more frequencies than its
   axis has: where a line has its maximum and how wide it is (CospinExpandedChannelAt).
*/
#include "degrees.h"
#include <math.h>

struct CospinExpandedChannel_ {
  const CospinKernelOps *ops;
  CospinKernel kernel, traced; /* traced: NULL if kernel is it */
  CospinRegression regression;
  PetscBool found; /* it has values */
  int num_modes;
  double complex *modes;
};

/* What is asked for, and the sectors that it goes through. Four symbols, because B rho may live in another
   sector than rho: the generator there, that of the steady state, the move from one to the other, and the
   reading back. If B keeps the sector (neutral), the first two are the same. */
typedef struct {
  CospinSymbol symbol, traced, perturbation, reading;
  PetscBool neutral, frequencies;
  int num;
  const double *at;
} Question;

static PetscErrorCode create_question(CospinExpansion expansion, const int representative[],
                                      CospinMoves perturbation, CospinMoves reading, Question *question)
{
  const CospinSymbolLabels *labels = &expansion->labels;
  const int *traced = CospinTracedLabel;
  PetscBool whole;

  PetscFunctionBeginUser;
  PetscCall(CospinSymbolCreate(labels, expansion->generator, traced, traced, &question->traced, &whole));
  PetscCall(CospinSymbolCreate(labels, expansion->generator, representative, representative,
                               &question->symbol, &whole));
  PetscCall(
      CospinSymbolCreate(labels, perturbation, traced, representative, &question->perturbation, &whole));
  PetscCall(CospinSymbolCreate(labels, reading, representative, traced, &question->reading, &whole));
  question->neutral = CospinSymbolIsNeutral(question->symbol);
  PetscFunctionReturn(0);
}

static PetscErrorCode destroy_question(Question *question)
{
  PetscFunctionBeginUser;
  PetscCall(CospinSymbolDestroy(&question->symbol));
  PetscCall(CospinSymbolDestroy(&question->traced));
  PetscCall(CospinSymbolDestroy(&question->perturbation));
  PetscCall(CospinSymbolDestroy(&question->reading));
  PetscFunctionReturn(0);
}

/* The steady state of this degree, and what the perturbation makes of it. Quantum regression theorem: C(t)
   = Tr(A exp(L t) B rho). In a sector with a trace the function 1 is left out of the modes: it is the
   limit <A><B>, which the kernel has taken away. */
static PetscErrorCode regress(const CospinDegrees *search, const Question *question,
                              CospinExpandedChannel channel, PetscBool *ok)
{
  const CospinExpansion expansion = search->expansion;
  double complex none = 0.0;

  PetscFunctionBeginUser;
  channel->ops = search->ops;
  if (!question->neutral)
    PetscCall(search->ops->Create(expansion->comm, question->traced, NULL, &expansion->centre.gaussian,
                                  search->degree, expansion->interrupt, &channel->traced));
  channel->kernel = search->kernel;
  PetscCall(search->ops->Steady(channel->traced ? channel->traced : channel->kernel, ok));
  PetscCall(CospinDegreesAgree(expansion->comm, &none, ok));
  if (!*ok) PetscFunctionReturn(0);
  PetscCall(search->ops->Regress(channel->traced ? channel->traced : channel->kernel, channel->kernel,
                                 question->perturbation, question->reading, &channel->regression));
  channel->num_modes = search->ops->Size(search->kernel) - (question->neutral ? 1 : 0);
  PetscCall(PetscMalloc1((size_t)channel->num_modes, &channel->modes));
  PetscCall(CospinDegreesEigenvalues(search, question->neutral ? 1 : 0, channel->modes, ok));
  PetscFunctionReturn(0);
}

/* Of a channel without its kernel, which the search owns. Two owners: while degrees are searched, kernels
   belong to the search, which needs this one as `before`; the channel that is kept takes its own over
   (keep_best). */
static PetscErrorCode forget(CospinExpandedChannel *channel)
{
  PetscFunctionBeginUser;
  if (!*channel) PetscFunctionReturn(0);
  if ((*channel)->ops) {
    PetscCall((*channel)->ops->DestroyRegression(&(*channel)->regression));
    PetscCall((*channel)->ops->Destroy(&(*channel)->traced));
  }
  PetscCall(PetscFree((*channel)->modes));
  PetscCall(PetscFree(*channel));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinExpandedChannelDestroy(CospinExpandedChannel *channel)
{
  PetscFunctionBeginUser;
  if (!*channel) PetscFunctionReturn(0);
  PetscCall((*channel)->ops->Destroy(&(*channel)->kernel));
  PetscCall(forget(channel));
  PetscFunctionReturn(0);
}

/* last: the channel of the degree before, or NULL. The regression of the degree before has evolved over
   the same times, so its states can be compared at each. */
static PetscErrorCode evaluate(CospinExpandedChannel channel, CospinExpandedChannel last,
                               const Question *question, double complex values[],
                               CospinCertificate certificates[], PetscBool *ok)
{
  const CospinRegression before = last ? last->regression : NULL;

  PetscFunctionBeginUser;
  if (!question->frequencies)
    PetscCall(channel->ops->Evolve(channel->regression, before, channel->num_modes, channel->modes,
                                   question->num, question->at, values, certificates, ok));
  for (int k = 0; k < question->num && question->frequencies && *ok; k++)
    PetscCall(channel->ops->Transform(channel->regression, before, CMPLX(0.0, question->at[k]), &values[k],
                                      &certificates[k], ok));
  PetscFunctionReturn(0);
}

/* The first rank's, on all of them. Values and certificates are computed on each rank from the same
   matrix, up to rounding; see CospinDegreesAgree. */
static PetscErrorCode agree(MPI_Comm comm, int num, double complex values[], CospinCertificate certificates[],
                            PetscBool *ok)
{
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Bcast(ok, 1, MPIU_BOOL, 0, comm));
  PetscCallMPI(MPI_Bcast(values, num, MPI_C_DOUBLE_COMPLEX, 0, comm));
  PetscCallMPI(MPI_Bcast(certificates, num * (int)sizeof(CospinCertificate), MPI_BYTE, 0, comm));
  PetscFunctionReturn(0);
}

/* Rounding of the matrix counts beside the slowest rate: that is what may have happened to C at long times
   or on a narrow line. A mode that grows is none of L's. */
static PetscErrorCode correlate_once(CospinDegrees *search, const Question *question,
                                     CospinExpandedChannel channel, CospinExpandedChannel last,
                                     PetscBool *found)
{
  const int num = question->num, size = search->ops->Size(search->kernel);
  double complex *values;
  CospinCertificate *certificates;

  PetscFunctionBeginUser;
  PetscCall(PetscCalloc2((size_t)num, &values, (size_t)num, &certificates));
  PetscCall(regress(search, question, channel, found));
  if (*found) search->scale = fabs(creal(channel->modes[0]));
  if (*found && creal(channel->modes[0]) > search->ops->Rounding(search->kernel)) *found = PETSC_FALSE;
  if (*found) PetscCall(evaluate(channel, last, question, values, certificates, found));
  PetscCall(agree(search->expansion->comm, num, values, certificates, found));
  search->rounding = search->ops->Rounding(search->kernel) / search->scale;
  for (int k = 0; k < num; k++) {
    CospinExpanded *value = &search->values[k];
    *value = (CospinExpanded){CMPLX(NAN, NAN), NAN, NAN, NAN, search->degree, size};
    if (!*found) continue;
    value->value = values[k];
    value->bound = certificates[k].bound;
    value->error = certificates[k].product + search->rounding * cabs(values[k]);
  }
  PetscCall(PetscFree2(values, certificates));
  PetscFunctionReturn(0);
}

/* The channel of the best degree, whose kernel it takes from the search if that is the last one. The best
   degree is often the one before the last: its kernel is then made again, which costs once what a search
   costs in its last step, instead of keeping all of them in memory. Functions and precision identify a
   degree: after a change of precision equal degrees occur twice. */
static PetscErrorCode keep_best(CospinDegrees *search, const Question *question,
                                CospinExpandedChannel *channel)
{
  const int degree = search->best[0].degree;
  PetscBool ok = PETSC_TRUE;

  PetscFunctionBeginUser;
  if (search->ops->Size((*channel)->kernel) != search->best[0].functions || (*channel)->ops != search->ops) {
    PetscCall(forget(channel));
    PetscCall(PetscNew(channel));
    PetscCall(search->ops->Destroy(&search->before));
    PetscCall(search->ops->Destroy(&search->kernel));
    PetscCall(CospinDegreesAt(search, degree));
    PetscCall(regress(search, question, *channel, &ok));
  }
  /* Now the channel's: the search must not free it. */
  if (search->kernel == (*channel)->kernel) search->kernel = NULL;
  if (search->before == (*channel)->kernel) search->before = NULL;
  if (!ok) PetscCall(CospinExpandedChannelDestroy(channel));
  PetscFunctionReturn(0);
}

/* Channels of this degree and of the one before, which is of use while its kernel is there: the search keeps
   that until it goes to another precision. */
typedef struct {
  const Question *question;
  CospinExpandedChannel now, last;
} Channels;

/* A CospinDegreesFind: the values along the axis. */
static PetscErrorCode correlate_next(CospinDegrees *search, void *context, PetscBool *found)
{
  Channels *channels = (Channels *)context;

  PetscFunctionBeginUser;
  PetscCall(forget(&channels->last));
  channels->last = channels->now;
  channels->now = NULL;
  if (channels->last && channels->last->kernel != search->before) PetscCall(forget(&channels->last));
  PetscCall(PetscNew(&channels->now));
  PetscCall(correlate_once(search, channels->question, channels->now,
                           channels->last && channels->last->found ? channels->last : NULL, found));
  channels->now->found = *found;
  PetscFunctionReturn(0);
}

/* A sector that B does not reach, or that A does not read, contributes exactly zero: no channel, and a
   good outcome. */
PetscErrorCode CospinExpansionCorrelate(CospinExpansion expansion, const int representative[],
                                        CospinMoves perturbation, CospinMoves reading, PetscBool frequencies,
                                        int num, const double at[], CospinExpanded values[],
                                        CospinExpandedChannel *channel, CospinOutcome *outcome)
{
  Question question = {.frequencies = frequencies, .num = num, .at = at};
  Channels channels = {.question = &question};
  CospinDegrees search;

  PetscFunctionBeginUser;
  *outcome = COSPIN_GOOD;
  *channel = NULL;
  for (int k = 0; k < num; k++) values[k] = (CospinExpanded){0};
  PetscCall(create_question(expansion, representative, perturbation, reading, &question));
  if (question.perturbation->count > 0 && question.reading->count > 0) {
    PetscCall(CospinDegreesCreate(expansion, question.symbol, num, CospinDegreesModulus, INFINITY, &search));
    search.together = PETSC_TRUE;
    if (!question.neutral) search.traced = question.traced;
    PetscCall(CospinDegreesSearch(&search, correlate_next, &channels));
    *outcome = CospinDegreesTake(&search, values);
    PetscCall(forget(&channels.last));
    *channel = channels.now;
    if (*outcome == COSPIN_GOOD) PetscCall(keep_best(&search, &question, channel));
    if (*outcome != COSPIN_GOOD) PetscCall(forget(channel));
    PetscCall(CospinDegreesDestroy(&search));
  }
  PetscCall(destroy_question(&question));
  PetscFunctionReturn(0);
}

/* NaN on a pole; a search for a maximum steps over it. */
double complex CospinExpandedChannelAt(CospinExpandedChannel channel, double frequency)
{
  double complex value = CMPLX(NAN, NAN);
  PetscBool ok;

  channel->ops->Transform(channel->regression, NULL, CMPLX(0.0, frequency), &value, NULL, &ok);
  return ok ? value : CMPLX(NAN, NAN);
}

int CospinExpandedChannelModes(CospinExpandedChannel channel, int most, double complex modes[])
{
  const int num = PetscMin(most, channel->num_modes);

  for (int k = 0; k < num; k++) modes[k] = channel->modes[k];
  return num;
}
