/* Which Krylov spaces an evolution takes where the deck leaves it open. */
#pragma once
#include <cospin/solver/propagator.h>
#include <petscksp.h>

/* Collective. options->method, or the one that takes less time up to `end`, by bases of `basis` vectors. */
PetscErrorCode CospinPropagatorChoose(Mat liouvillian, const CospinPropagatorOptions *options, double end,
                                      int basis, CospinPropagatorMethod *method);
/* Collective. LU of `shifted`, by MUMPS where it is there, ordered for a lattice of that dimension. */
PetscErrorCode CospinPropagatorFactors(PC pc, Mat shifted, int mesh_dimension);
