/*
   Geometric multigrid for a sector whose labels lie in a plane: every other label of both directions makes
   the next coarser grid, as long as what slow modes have of curvature is seen there.
*/
#pragma once
#include <cospin/problem/sector.h>
#include <petscksp.h>

/* Grids at most; the coarsest one is solved by factors. */
#define COSPIN_MULTIGRID_LEVELS 3

typedef struct CospinMultigrid_ *CospinMultigrid;

/* Not collective. Whether the labels of a sector can be coarsened: two dimensions, each pivot coordinate
   running by itself. */
PetscBool CospinMultigridSuits(CospinSector sector);

/* Collective. A preconditioner for `matrix` on the sector, which is borrowed and not referred to afterwards;
   options of its parts start with `prefix`. */
PetscErrorCode CospinMultigridCreate(Mat matrix, CospinSector sector, const char prefix[], int levels,
                                     CospinMultigrid *multigrid);
PetscErrorCode CospinMultigridDestroy(CospinMultigrid *multigrid);

/* Borrowed. */
PC CospinMultigridPreconditioner(CospinMultigrid multigrid);
/* Collective. The matrix on the coarsest grid, times *scale about equal to the fine one on smooth vectors;
 * borrowed. */
PetscErrorCode CospinMultigridCoarsest(CospinMultigrid multigrid, Mat *coarsest, double *scale);
/* Collective. A vector of the coarsest grid on all labels. */
PetscErrorCode CospinMultigridProlong(CospinMultigrid multigrid, Vec coarse, Vec fine);
