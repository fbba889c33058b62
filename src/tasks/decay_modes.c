/*
   The modes of task `decay`: the slowest eigenvalues of each sector that an operator A reads, and the part
   that each has in <A>(t). With right and left vectors R_k, L_k of the generator, L_j^H R_k = delta_jk, any x
   in the sector is sum_k R_k (L_k^H x), so that Tr(A exp(t L) x) = sum_k Tr(A R_k) (L_k^H x) exp(lambda_k t):
   a reading times an overlap. x = A^+ rho of the steady state gives the weights, x = rho_0 the amplitudes.

   Left vectors cost as much as right ones and are asked for only where weights or amplitudes are wanted.
   Where eigenvalues are nearly equal and vectors nearly parallel, single parts are large and cancel; `error`
   tells.
*/
#include "decay_modes.h"
#include <cospin/operator/liouvillian.h>
#include <cospin/point/regression.h>
#include <cospin/point/settings.h>
#include <cospin/point/window.h>

/* A^+ rho on the sector of `eigensolver`, and Tr(A A^+ rho), for any rho on the sector of the steady state.
 */
static PetscErrorCode perturb(CospinPoint point, const CospinDecaySettings *settings,
                              const CospinSteadyState *steady, Vec rho, CospinEigensolver eigensolver,
                              Vec *perturbed, double complex *norm)
{
  CospinProblem problem = point->problem;
  CospinPolynomial adjoint, square;
  CospinMoves perturbation, norm_moves;

  PetscFunctionBeginUser;
  PetscCall(CospinPolynomialAdjoint(settings->a, CospinSystemElementaryAdjoint, &problem->system, &adjoint));
  PetscCall(CospinPolynomialMultiply(settings->a, adjoint, &square));
  PetscCall(CospinTaskLeftProduct(problem, adjoint, &perturbation));
  PetscCall(CospinTaskLeftProduct(problem, square, &norm_moves));
  PetscCall(CospinExpectations(steady->eigensolver->sector, rho, 1, &norm_moves, norm));
  PetscCall(CospinSuperoperatorApply(point->comm, perturbation, steady->eigensolver->sector, rho,
                                     eigensolver->sector, perturbed));
  PetscCall(CospinMovesDestroy(&norm_moves));
  PetscCall(CospinMovesDestroy(&perturbation));
  PetscCall(CospinPolynomialDestroy(&square));
  PetscCall(CospinPolynomialDestroy(&adjoint));
  PetscFunctionReturn(0);
}

/* What an error of the steady state does to A^+ rho (2-norm) and Tr(A A^+ rho): for one that is the same in
   all elements. Where A^+ rho is next to nothing it may be all there is. */
static PetscErrorCode estimate_blur(CospinPoint point, const CospinDecaySettings *settings,
                                    const CospinSteadyState *steady, CospinEigensolver eigensolver,
                                    double *of_state, double *of_norm)
{
  double complex norm;
  Vec error, perturbed;
  PetscReal size;

  PetscFunctionBeginUser;
  PetscCall(VecDuplicate(steady->rho, &error));
  PetscCall(VecSet(error, 1.0));
  PetscCall(VecNormalize(error, NULL));
  PetscCall(VecScale(error, steady->quality.error));
  PetscCall(perturb(point, settings, steady, error, eigensolver, &perturbed, &norm));
  PetscCall(VecNorm(perturbed, NORM_2, &size));
  *of_state = size;
  *of_norm = cabs(norm);
  PetscCall(VecDestroy(&perturbed));
  PetscCall(VecDestroy(&error));
  PetscFunctionReturn(0);
}

/* A vector's share of mode k in Tr(A x): Tr(A R_k) L_k^H(x); *amplified: what an error of x, 2-norm, becomes.
 */
static PetscErrorCode share(CospinEigensolver eigensolver, CospinMoves a_rho, const CospinMode *mode, Vec x,
                            double complex *value, double *amplified)
{
  double complex reading;
  PetscScalar overlap;
  PetscReal size;

  PetscFunctionBeginUser;
  PetscCall(VecDot(x, mode->left, &overlap)); /* y^H x */
  PetscCall(VecNorm(mode->left, NORM_2, &size));
  PetscCall(CospinExpectations(eigensolver->sector, mode->right, 1, &a_rho, &reading));
  *value = reading * overlap;
  *amplified = cabs(reading) * size;
  PetscFunctionReturn(0);
}

/* No weights rather than wrong ones. */
static PetscErrorCode compute_weights(CospinPoint point, const CospinDecaySettings *settings,
                                      const char prefix[], CospinEigensolver eigensolver, CospinMoves a_rho,
                                      int num, const CospinMode found[], CospinDecayMode modes[])
{
  const CospinSteadyState *steady;
  double blur, blur_of_norm;
  double complex norm;
  Vec perturbed;

  PetscFunctionBeginUser;
  PetscCall(CospinPointSteadyState(point, prefix, NULL, &steady));
  if (!steady->rho || CospinStateJudge(&steady->quality, settings->tolerance) != COSPIN_GOOD)
    PetscFunctionReturn(0);
  PetscCall(perturb(point, settings, steady, steady->rho, eigensolver, &perturbed, &norm));
  PetscCall(estimate_blur(point, settings, steady, eigensolver, &blur, &blur_of_norm));
  for (int k = 0; k < num; k++) {
    double complex weight;
    double amplified, error;
    if (!found[k].left) continue;
    PetscCall(share(eigensolver, a_rho, &found[k], perturbed, &weight, &amplified));
    weight /= norm;
    error = (amplified * blur + cabs(weight) * blur_of_norm) / cabs(norm);
    if (error <= COSPIN_STATE_ERROR * PetscMax(1.0, cabs(weight))) modes[k].weight = weight;
  }
  PetscCall(VecDestroy(&perturbed));
  PetscFunctionReturn(0);
}

/* From the deck's initial state; modes without a left vector have no amplitude. */
static PetscErrorCode compute_amplitudes(const CospinDecaySettings *settings, CospinEigensolver eigensolver,
                                         CospinMoves a_rho, int num, const CospinMode found[],
                                         CospinDecayMode modes[])
{
  double amplified;
  Vec initial;

  PetscFunctionBeginUser;
  PetscCall(MatCreateVecs(eigensolver->liouvillian, &initial, NULL));
  PetscCall(CospinStateVector(settings->initial, eigensolver->sector, initial));
  for (int k = 0; k < num; k++) {
    if (!found[k].left) continue;
    PetscCall(share(eigensolver, a_rho, &found[k], initial, &modes[k].amplitude, &amplified));
  }
  PetscCall(VecDestroy(&initial));
  PetscFunctionReturn(0);
}

/* What the left vectors tell. */
static PetscErrorCode compute_shares(CospinPoint point, const CospinDecaySettings *settings,
                                     const char prefix[], CospinEigensolver eigensolver, int num,
                                     const CospinMode found[], CospinDecayMode modes[])
{
  PetscBool any = PETSC_FALSE;
  CospinMoves a_rho;

  PetscFunctionBeginUser;
  for (int k = 0; k < num; k++) any = (PetscBool)(any || found[k].left);
  if (!any) PetscFunctionReturn(0);
  PetscCall(CospinTaskLeftProduct(point->problem, settings->a, &a_rho));
  if (settings->initial) PetscCall(compute_amplitudes(settings, eigensolver, a_rho, num, found, modes));
  if (settings->weights)
    PetscCall(compute_weights(point, settings, prefix, eigensolver, a_rho, num, found, modes));
  PetscCall(CospinMovesDestroy(&a_rho));
  PetscFunctionReturn(0);
}

/* In a sector with a trace, null vectors come first and are left out of the search: their rate is zero and
   known. */
static PetscErrorCode solve_sector(CospinPoint point, const CospinDecaySettings *settings,
                                   const char prefix[], CospinEigensolver eigensolver,
                                   CospinDecayModes *modes)
{
  const PetscBool shares = (PetscBool)(settings->weights || settings->initial);
  CospinMode *found;
  Vec *null = NULL;
  double complex next;
  int num_null = 0, num;

  PetscFunctionBeginUser;
  PetscCall(PetscCalloc1((size_t)settings->count, &found));
  if (eigensolver->has_trace) PetscCall(CospinEigensolverNull(eigensolver, &num_null, &null, &next));
  for (int k = 0; k < num_null; k++) {
    double leak;
    PetscCall(CospinWindowLeak(point, eigensolver, null[k], 0.0, &leak));
    modes->leak = PetscMax(modes->leak, leak);
  }
  PetscCall(CospinEigensolverSlowest(eigensolver, settings->count, num_null, null,
                                     (PetscBool)(shares && num_null == 0), &num, found));
  for (int k = 0; k < num; k++) {
    CospinDecayMode *mode = &modes->modes[modes->num + k];
    double loss;
    *mode = (CospinDecayMode){
        found[k].lambda,   CMPLX(NAN, NAN), CMPLX(NAN, NAN), found[k].residual, found[k].error, 0.0, NAN, NAN,
        modes->num_sectors};
    PetscCall(CospinWindowLeak(point, eigensolver, found[k].right, mode->lambda, &mode->leak));
    PetscCall(CospinWindowLoss(eigensolver, found[k].right, &loss));
    PetscCall(CospinWindowModeError(eigensolver, found[k].right, &mode->error));
    /* The bracket of Collatz and Wielandt is that of the rightmost eigenvalue, so it says nothing beside a
       null vector or of further modes. */
    if (k == 0 && num_null == 0) {
      double lower, upper;
      PetscCall(CospinEigensolverBracket(eigensolver, found[k].left ? found[k].left : found[k].right, &lower,
                                         &upper));
      mode->lower = -upper - loss; /* labels beyond a window may slow a mode down */
      mode->upper = -lower;
    }
  }
  PetscCall(compute_shares(point, settings, prefix, eigensolver, num, found, modes->modes + modes->num));
  modes->num += num;
  modes->num_sectors++;
  PetscCall(VecDestroyVecs(num_null, &null));
  PetscCall(CospinModesDestroy(num, found));
  PetscCall(PetscFree(found));
  PetscFunctionReturn(0);
}

/* A's charges may fit a sector where all of its elements are zero: those modes say nothing of <A>. */
static PetscErrorCode is_read(CospinProblem problem, CospinPolynomial a, CospinEigensolver eigensolver,
                              PetscBool *read)
{
  CospinMoves a_rho;
  PetscReal size;
  Vec reading;

  PetscFunctionBeginUser;
  *read = PETSC_TRUE;
  if (!a) PetscFunctionReturn(0);
  PetscCall(CospinTaskLeftProduct(problem, a, &a_rho));
  PetscCall(CospinReadingCreate(eigensolver, a_rho, &reading));
  PetscCall(VecNorm(reading, NORM_INFINITY, &size));
  *read = (PetscBool)(size > 0);
  PetscCall(VecDestroy(&reading));
  PetscCall(CospinMovesDestroy(&a_rho));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinDecayAddSector(CospinPoint point, const CospinDecaySettings *settings,
                                    const char prefix[], const int representative[], CospinDecayModes *modes)
{
  CospinEigensolver eigensolver;
  PetscBool read;

  PetscFunctionBeginUser;
  PetscCall(CospinEigensolverCreate(point->comm, point->problem, representative, prefix, &point->eigensolvers,
                                    &eigensolver));
  if (!eigensolver) PetscFunctionReturn(0);
  PetscCall(is_read(point->problem, settings->a, eigensolver, &read));
  if (!read) {
    PetscCall(CospinEigensolverDestroy(&eigensolver));
    PetscFunctionReturn(0);
  }
  PetscCall(solve_sector(point, settings, prefix, eigensolver, modes));
  modes->dimension = PetscMax(modes->dimension, CospinSectorDimension(eigensolver->sector));
  modes->nonzeros = PetscMax(modes->nonzeros, eigensolver->nonzeros);
  modes->resolution = PetscMax(modes->resolution, eigensolver->resolution);
  modes->horizon = PetscMin(modes->horizon, eigensolver->horizon);
  modes->iterations += eigensolver->iterations;
  modes->outcome = CospinOutcomeWorse(modes->outcome, eigensolver->outcome);
  PetscCall(CospinEigensolverDestroy(&eigensolver));
  PetscFunctionReturn(0);
}

/* Slowest first, of all sectors. */
PetscErrorCode CospinDecaySort(CospinDecayModes *modes)
{
  double complex *lambda;
  double *error;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2(modes->num, &lambda, modes->num, &error));
  for (int k = 0; k < modes->num; k++) {
    lambda[k] = modes->modes[k].lambda;
    error[k] = PetscMax(modes->resolution, modes->modes[k].error); /* NaN: the former */
  }
  PetscCall(CospinSortSlowest(modes->num, lambda, error, sizeof(*modes->modes), modes->modes));
  PetscCall(PetscFree2(lambda, error));
  PetscFunctionReturn(0);
}

/* Where A reads several sectors (b those of even-odd and of odd-even elements), modes of the same eigenvalue
   are one term of <A>(t): the first of them gets the sum of their amplitudes, the others none. */
void CospinDecayAddAmplitudes(CospinDecayModes *modes)
{
  for (int k = 0; k < modes->num; k++) {
    CospinDecayMode *mode = &modes->modes[k];
    const double close = 1e4 * modes->resolution + 1e-6 * cabs(mode->lambda);
    for (int other = k + 1; other < modes->num; other++) {
      CospinDecayMode *same = &modes->modes[other];
      if (same->sector == mode->sector || !(cabs(same->lambda - mode->lambda) <= close)) continue;
      mode->amplitude += same->amplitude;
      same->amplitude = 0.0 * same->amplitude; /* what is not a number stays so */
    }
  }
}
