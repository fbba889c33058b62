/*
   What the searches of one eigensolver by Davidson's method have in common: what takes a residual to the next
   direction (what happens between jumps, or incomplete factors), limits, starts.
*/
#include "backend.h"
#include "davidson.h"
#include "iteration.h"
#include <cospin/operator/planes.h>
#include <cospin/operator/real_form.h>

enum { INNER_STEPS = 40, RESTART = 5 /* bases */ };
static const double accepted = 1e-11, inner_tolerance = 0.5;
/* In units of the norm: where A_0 is inverted. Between zero, where it may be singular, and slow modes. */
static const double shift_over_norm = 1e-6;

static PetscErrorCode prepare_between_jumps(CospinEigensolver eigensolver, double centre)
{
  PetscFunctionBeginUser;
  (void)centre;
  if (!eigensolver->nojump) PetscCall(CospinNoJumpCreate(eigensolver->shell, &eigensolver->nojump));
  PetscFunctionReturn(0);
}

/* Asked once, of labels that this rank owns: the moves, and so the answer, are the same on every rank. */
static PetscErrorCode find_real_form(CospinEigensolver eigensolver)
{
  PetscInt begin, end;

  PetscFunctionBeginUser;
  if (eigensolver->real_form_known) PetscFunctionReturn(0);
  PetscCall(MatGetOwnershipRange(eigensolver->liouvillian, &begin, &end));
  PetscCall(CospinRealForm(eigensolver->generator, eigensolver->sector, begin, end, &eigensolver->turned));
  eigensolver->real_form_known = PETSC_TRUE;
  PetscFunctionReturn(0);
}

static PetscErrorCode prepare_incomplete(CospinEigensolver eigensolver, double centre)
{
  PetscFunctionBeginUser;
  if (eigensolver->iteration_centre != centre) PetscCall(CospinEigensolverRelease(eigensolver));
  if (!eigensolver->planes &&
      CospinPlanesSuit(eigensolver->generator, CospinSectorLattice(eigensolver->sector)))
    PetscCall(CospinPlanesFind(eigensolver->sector, &eigensolver->num_planes, &eigensolver->planes));
  if (!eigensolver->iteration)
    PetscCall(CospinIterationCreate(eigensolver->liouvillian, centre, eigensolver->num_planes,
                                    eigensolver->planes, eigensolver->prefix, RESTART * eigensolver->basis,
                                    eigensolver->interrupt, &eigensolver->iteration));
  eigensolver->iteration_centre = centre;
  PetscCall(find_real_form(eigensolver));
  PetscFunctionReturn(0);
}

static PetscErrorCode between_jumps(void *context, PetscBool adjoint, PetscBool hard, Vec r, Vec x)
{
  const CospinEigensolver eigensolver = (CospinEigensolver)context;

  PetscFunctionBeginUser;
  (void)hard;
  PetscCall(CospinNoJumpSolve(eigensolver->nojump, shift_over_norm * eigensolver->norm, adjoint, r, x));
  PetscFunctionReturn(0);
}

/* The factors alone: a maser of 20 spins takes 87 products and solves for its linewidth with GMRES to 0.5, 41
   without. Driven ensembles do not get there so (40 spins, twice the critical drive: not in 200 steps, in 140
   with GMRES). */
static PetscErrorCode incomplete(void *context, PetscBool adjoint, PetscBool hard, Vec r, Vec x)
{
  const CospinEigensolver eigensolver = (CospinEigensolver)context;

  PetscFunctionBeginUser;
  if (hard)
    PetscCall(
        CospinIterationSolve(eigensolver->iteration, adjoint, inner_tolerance, INNER_STEPS, r, x, NULL));
  else
    PetscCall(CospinIterationPrecondition(eigensolver->iteration, adjoint, r, x));
  PetscFunctionReturn(0);
}

const CospinDavidsonPolicy CospinDavidsonBetweenJumps = {
    .Prepare = prepare_between_jumps, .precondition = between_jumps, .tolerance = 1e-12, .max_steps = 1500};
const CospinDavidsonPolicy CospinDavidsonIncomplete = {.Prepare = prepare_incomplete,
                                                       .precondition = incomplete,
                                                       .nearest = PETSC_TRUE,
                                                       .tolerance = 1e-16,
                                                       .max_steps = 160};

/* A small sector without a matrix is solved completely, by a back end that has no policy; its resolvent is
   not, and goes by what happens between jumps. */
static const CospinDavidsonPolicy *policy_of(CospinEigensolver eigensolver)
{
  const CospinDavidsonPolicy *own = eigensolver->backend->davidson;

  return own ? own : &CospinDavidsonBetweenJumps;
}

PetscErrorCode CospinDavidsonPrepare(CospinEigensolver eigensolver, double centre)
{
  PetscFunctionBeginUser;
  PetscCall(policy_of(eigensolver)->Prepare(eigensolver, centre));
  PetscFunctionReturn(0);
}

/* -<task>_davidson_steps: the most steps for an eigenvalue. */
PetscErrorCode CospinDavidsonGetOptions(CospinEigensolver eigensolver, CospinDavidsonOptions *options)
{
  const CospinDavidsonPolicy *policy = policy_of(eigensolver);
  PetscInt max_steps = policy->max_steps;

  PetscFunctionBeginUser;
  PetscCall(PetscOptionsGetInt(NULL, eigensolver->prefix, "-davidson_steps", &max_steps, NULL));
  *options = (CospinDavidsonOptions){.matrix = eigensolver->liouvillian,
                                     .precondition = policy->precondition,
                                     .context = eigensolver,
                                     .nearest = policy->nearest,
                                     .target = PETSC_i * eigensolver->iteration_centre,
                                     .accepted = accepted,
                                     .turned = eigensolver->turned,
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
