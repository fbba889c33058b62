/*
   A sector as a Markov chain with killing, on every s-th label of each direction: what tells how far slow
   modes reach (extent.h) before anything is solved.
*/
#pragma once
#include <cospin/problem/problem.h>

enum { COSPIN_PLANE_DIMENSIONS = 2 };
/* Weights below this, of the largest, are not followed: long steps overestimate tails. */
#define COSPIN_GRID_NEGLIGIBLE 1e-8

/* Coordinates t_k of labels: representative + sum_k t_k row_k. */
typedef struct {
  CospinProblem problem;
  int representative[COSPIN_MAX_COORDINATES];
  int dimensions;
  const int *row[COSPIN_PLANE_DIMENSIONS];
  int pivot[COSPIN_PLANE_DIMENSIONS];
} CospinPlane;

/* Nodes stride * (first + i), 0 <= i < count, of each coordinate; those that are labels have a number, the
 * coordinate with fewer of them running first. */
typedef struct {
  int stride, first[COSPIN_PLANE_DIMENSIONS], count[COSPIN_PLANE_DIMENSIONS], fast;
  int num, *number; /* [count[0] * count[1]], -1: no label */
  int *place;       /* [num][dimensions] */
  double *weight;   /* [num] */
} CospinGrid;

/* A pair of opposite moves, `up` or `down` NULL if there is none. */
typedef struct {
  const CospinMove *up, *down;
  int step[COSPIN_PLANE_DIMENSIONS];
} CospinDirection;

/* Not collective, all of these. *ok: there are few dimensions, and each pivot coordinate runs by itself.
   `problem` is borrowed. */
PetscErrorCode CospinPlaneCreate(CospinProblem problem, const int representative[], CospinPlane *plane,
                                 PetscBool *ok);
void CospinPlaneLabel(const CospinPlane *plane, const PetscInt64 t[], int label[]);
/* directions[number of moves] */
void CospinPlaneDirections(const CospinPlane *plane, int *num, CospinDirection directions[]);
/* Drift v and diffusion D (00, 01, 11) at a label; false: a move has no rate there. */
PetscBool CospinPlaneMoments(const CospinPlane *plane, int num, const CospinDirection directions[],
                             const int label[], double v[2], double d[3]);

/* Nodes within the hull, of coordinates t, and where the grid `before` (NULL: none), of twice the stride, has
 * weight.
 */
PetscErrorCode CospinGridCreate(const CospinPlane *plane, int stride, const CospinInterval hull[],
                                const CospinGrid *before, CospinGrid *grid);
PetscErrorCode CospinGridDestroy(CospinGrid *grid);
/* The number of the node at a place, -1: there is none. */
int CospinGridNode(const CospinPlane *plane, const CospinGrid *grid, const int place[]);
/* Sets the weights: those of modes that decay slower than *shift, the largest is 1. A shift of 0 is one to be
   found, and stays 0 where this grid does not show it. *known becomes false if the sector is no such chain.
 */
PetscErrorCode CospinGridSolve(const CospinPlane *plane, CospinGrid *grid, double *shift, PetscBool *known);
