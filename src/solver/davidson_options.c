/*
   What the searches of one eigensolver by Davidson's method have in common: what takes a residual to the next
   direction (what happens between jumps, or a few steps of GMRES), limits, starts.
*/
#include "backend.h"
#include "davidson.h"
#include "iteration.h"

enum { MAX_STEPS = 1500, ITERATED_STEPS = 80, INNER_STEPS = 40, RESTART = 5 /* bases */ };
static const double accepted = 1e-11, inner_tolerance = 0.5, close_tolerance = 0.01;
/* In units of the norm: where A_0 is inverted. Between zero, where it may be singular, and slow modes. */
static const double shift_over_norm = 1e-6;

PetscErrorCode CospinDavidsonPrepare(CospinEigensolver eigensolver, double centre)
{
  PetscFunctionBeginUser;
  if (!eigensolver->iterated) {
    if (!eigensolver->nojump) PetscCall(CospinNoJumpCreate(eigensolver->shell, &eigensolver->nojump));
    PetscFunctionReturn(0);
  }
  if (eigensolver->iteration_centre != centre) PetscCall(CospinEigensolverRelease(eigensolver));
  if (!eigensolver->iteration)
    PetscCall(CospinIterationCreate(eigensolver->liouvillian, centre, eigensolver->prefix,
                                    RESTART * eigensolver->basis, eigensolver->interrupt,
                                    &eigensolver->iteration));
  eigensolver->iteration_centre = centre;
  PetscFunctionReturn(0);
}

static PetscErrorCode between_jumps(void *context, PetscBool adjoint, PetscBool close, Vec r, Vec x)
{
  const CospinEigensolver eigensolver = (CospinEigensolver)context;

  PetscFunctionBeginUser;
  (void)close;
  PetscCall(CospinNoJumpSolve(eigensolver->nojump, shift_over_norm * eigensolver->norm, adjoint, r, x));
  PetscFunctionReturn(0);
}

/* Steps outside are cheaper than better solutions: a maser of 20 spins takes 234 products for its linewidth
   with 0.03, 167 with 0.3, 80 with 0.5. */
static PetscErrorCode some_steps(void *context, PetscBool adjoint, PetscBool close, Vec r, Vec x)
{
  const CospinEigensolver eigensolver = (CospinEigensolver)context;

  PetscFunctionBeginUser;
  PetscCall(CospinIterationSolve(eigensolver->iteration, adjoint, close ? close_tolerance : inner_tolerance,
                                 INNER_STEPS, r, x, NULL));
  PetscFunctionReturn(0);
}

/* -<task>_davidson_steps: the most steps for an eigenvalue. */
PetscErrorCode CospinDavidsonGetOptions(CospinEigensolver eigensolver, CospinDavidsonOptions *options)
{
  PetscInt max_steps = eigensolver->iterated ? ITERATED_STEPS : MAX_STEPS;

  PetscFunctionBeginUser;
  PetscCall(PetscOptionsGetInt(NULL, eigensolver->prefix, "-davidson_steps", &max_steps, NULL));
  *options = (CospinDavidsonOptions){.matrix = eigensolver->liouvillian,
                                     .precondition = eigensolver->iterated ? some_steps : between_jumps,
                                     .context = eigensolver,
                                     .nearest = eigensolver->iterated,
                                     .target = PETSC_i * eigensolver->iteration_centre,
                                     .accepted = accepted,
                                     .norm = eigensolver->norm,
                                     .interrupt = eigensolver->interrupt,
                                     .max_steps = (int)max_steps,
                                     .basis = eigensolver->basis};
  PetscFunctionReturn(0);
}

/* A step of Davidson's method costs one product with the generator; what the steps of GMRES within it cost is
   counted by iteration.c. */
void CospinDavidsonNote(CospinEigensolver eigensolver, CospinDavidson davidson)
{
  eigensolver->iterations += CospinDavidsonSteps(davidson);
  eigensolver->work.products += CospinDavidsonSteps(davidson);
}

/* Phases that differ from element to element and from k to k: no start is a symmetric one, and any two are
   nearly orthogonal. k = 0 is the positive irregular vector itself. */
PetscErrorCode CospinDavidsonStart(CospinEigensolver eigensolver, int k, Vec *start)
{
  const double turns = 100.0;
  PetscScalar *array;
  PetscInt size;

  PetscFunctionBeginUser;
  PetscCall(CospinEigensolverIrregular(eigensolver, start));
  PetscCall(VecGetLocalSize(*start, &size));
  PetscCall(VecGetArray(*start, &array));
  for (PetscInt i = 0; i < size && k > 0; i++)
    array[i] = PetscExpScalar(PETSC_i * turns * k * PetscRealPart(array[i]));
  PetscCall(VecRestoreArray(*start, &array));
  PetscFunctionReturn(0);
}
