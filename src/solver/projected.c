/*
   exp(tau G) e_1 on a Krylov space, and how far it is from exp(tau L) u.

   What the last basis vectors still hold, |c_m-2 ... c_m| of c = exp(tau G) e_1, is next to nothing if the
   space is large enough; and so is the residual u' - L u: of a space of L itself h_m+1,m c_m v_m+1, whose
   share in u(t + tau) is at most tau times that; of a space of (1 - gamma L)^-1 g(tau) (1 - gamma L) v_m+1
   with g = h_m+1,m (H^-1 c)_m/gamma, whose share is of the order of (tau + gamma) g, if what it adds decays
   as fast as it does in L^-1.

   Where nothing decays, as in a chain of jumps with an end, it is tau |(1 - gamma L) v_m+1| g, and more if g
   was larger on the way: then the estimate may be too small by a factor of ten. Where much does, that bound
   is too large by |gamma L|. So it counts as far as the smaller space before, of a few vectors less, says
   that there is something: the difference between the two is an error of that one.
*/
#include "projected.h"
#include "rational.h"

enum { NUM_LAST = 3 };
static const double on_the_way = 10.0; /* largest g over the last one, where it matters */

static PetscErrorCode create(CospinProjection *projection)
{
  const size_t size = COSPIN_PROJECTED_MAX * COSPIN_PROJECTED_MAX;

  PetscFunctionBeginUser;
  *projection = (CospinProjection){0};
  PetscCall(PetscMalloc2(size, &projection->projected, size, &projection->vectors));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinProjectedCreate(CospinProjected *projected)
{
  PetscFunctionBeginUser;
  PetscCall(FNCreate(PETSC_COMM_SELF, &projected->exponential));
  PetscCall(FNSetType(projected->exponential, FNEXP));
  PetscCall(PetscCalloc1((COSPIN_PROJECTED_MAX + 1) * COSPIN_PROJECTED_MAX, &projected->hessenberg));
  PetscCall(create(&projected->now));
  PetscCall(create(&projected->before));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinProjectedDestroy(CospinProjected *projected)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree2(projected->before.projected, projected->before.vectors));
  PetscCall(PetscFree2(projected->now.projected, projected->now.vectors));
  PetscCall(PetscFree(projected->hessenberg));
  PetscCall(FNDestroy(&projected->exponential));
  PetscFunctionReturn(0);
}

PetscScalar *CospinProjectedColumn(const CospinProjected *projected, int k)
{
  return projected->hessenberg + (size_t)k * (COSPIN_PROJECTED_MAX + 1);
}

void CospinProjectedForget(CospinProjected *projected)
{
  projected->now.size = projected->before.size = 0;
}

PetscErrorCode CospinProjectedSet(CospinProjected *projected, int size, double gamma)
{
  const CospinProjection kept = projected->before;
  CospinProjection *now = &projected->now;

  PetscFunctionBeginUser;
  projected->before = *now;
  *now = kept;
  now->size = size;
  now->next = PetscRealPart(CospinProjectedColumn(projected, size - 1)[size]);
  for (int j = 0; j < size; j++) {
    const PetscScalar *column = CospinProjectedColumn(projected, j);
    for (int i = 0; i < size; i++) now->projected[j * size + i] = i <= j + 1 ? column[i] : 0.0;
  }
  if (gamma > 0) PetscCall(CospinRationalSchur(size, now->projected, now->vectors));
  PetscFunctionReturn(0);
}

/* c = exp(tau H) e_1; *largest = |tau H|, 1-norm */
static PetscErrorCode exponentiate(FN exponential, const CospinProjection *projection, double tau,
                                   PetscScalar c[], double *largest)
{
  const PetscScalar *values;
  PetscReal norm;
  Mat g;
  Vec v;

  PetscFunctionBeginUser;
  PetscCall(
      MatCreateSeqDense(PETSC_COMM_SELF, projection->size, projection->size, projection->projected, &g));
  PetscCall(MatNorm(g, NORM_1, &norm));
  *largest = tau * norm;
  PetscCall(MatCreateVecs(g, NULL, &v));
  PetscCall(FNSetScale(exponential, tau, 1.0));
  PetscCall(FNEvaluateFunctionMatVec(exponential, g, v));
  PetscCall(VecGetArrayRead(v, &values));
  PetscCall(PetscArraycpy(c, values, projection->size));
  PetscCall(VecRestoreArrayRead(v, &values));
  PetscCall(VecDestroy(&v));
  PetscCall(MatDestroy(&g));
  PetscFunctionReturn(0);
}

static PetscErrorCode evaluate(FN exponential, const CospinProjection *projection, double gamma, double tau,
                               PetscScalar c[], PetscScalar *last, double *largest)
{
  PetscFunctionBeginUser;
  if (gamma > 0) {
    PetscCall(CospinRationalExponential(projection->size, projection->projected, projection->vectors,
                                        exponential, tau / gamma, c, last, largest));
  } else {
    PetscCall(exponentiate(exponential, projection, tau, c, largest));
    *last = c[projection->size - 1];
  }
  PetscFunctionReturn(0);
}

PetscErrorCode CospinProjectedExponential(const CospinProjected *projected, double gamma, double tau,
                                          PetscScalar c[], PetscScalar *last, double *largest)
{
  PetscFunctionBeginUser;
  PetscCall(evaluate(projected->exponential, &projected->now, gamma, tau, c, last, largest));
  PetscFunctionReturn(0);
}

static double norm_of(int begin, int end, const PetscScalar c[])
{
  double sum = 0.0;

  for (int i = begin; i < end; i++) sum += PetscSqr(PetscAbsScalar(c[i]));
  return PetscSqrtReal(sum);
}

/* By how much the smaller space before says something else than c[now.size]; infinite: there is none. */
static PetscErrorCode find_difference(const CospinProjected *projected, double gamma, double tau,
                                      const PetscScalar c[], double *difference)
{
  const CospinProjection *before = &projected->before;
  PetscScalar other[COSPIN_PROJECTED_MAX] = {0}, last;
  double largest;

  PetscFunctionBeginUser;
  *difference = PETSC_INFINITY;
  if (before->size == 0) PetscFunctionReturn(0);
  PetscCall(evaluate(projected->exponential, before, gamma, tau, other, &last, &largest));
  for (int i = 0; i < projected->now.size; i++) other[i] -= c[i];
  *difference = norm_of(0, projected->now.size, other);
  PetscFunctionReturn(0);
}

PetscErrorCode CospinProjectedError(const CospinProjected *projected, double gamma, double tau, double image,
                                    double *relative, double *largest)
{
  const double weight = gamma > 0 ? 1 + tau / gamma : tau; /* u may come to rest */
  const int m = projected->now.size;
  PetscScalar c[COSPIN_PROJECTED_MAX], residual;
  double error, norm, bound, difference;

  PetscFunctionBeginUser;
  PetscCall(CospinProjectedExponential(projected, gamma, tau, c, &residual, largest));
  norm = norm_of(0, m, c);
  error = norm_of(PetscMax(m - NUM_LAST, 0), m, c) + projected->now.next * PetscAbsScalar(residual) * weight;
  bound = gamma > 0 ? on_the_way * projected->now.next * PetscAbsScalar(residual) * image * tau / gamma : 0.0;
  if (bound > error) {
    PetscCall(find_difference(projected, gamma, tau, c, &difference));
    error = PetscMax(error, PetscMin(bound, difference));
  }
  *relative = projected->now.next == 0.0 ? 0.0 : error / norm;
  if (!(norm > 0) || PetscIsInfOrNanReal(norm) || PetscIsNanReal(*relative)) *relative = PETSC_INFINITY;
  PetscFunctionReturn(0);
}
