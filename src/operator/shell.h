/* What the parts of a matrix-free generator know of each other. */
#pragma once
#include "product.h"
#include <petscmat.h>

/* Borrowed from a matrix that CospinShellCreate made; its product, not transposed. */
PetscErrorCode CospinShellGetProduct(Mat shell, CospinProduct *product);

/* Collective. A sequential vector for the rows of some keys of one side, one after the other, each with all
   its partners, and the scatter from vectors like `like` to it. */
PetscErrorCode CospinShellPlan(CospinSides sides, CospinSide side, int num, const int keys[], Vec like,
                               Vec *rows, VecScatter *gather);
