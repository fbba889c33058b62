/* The steady states of a point, computed anew. */
#pragma once
#include <cospin/point/point.h>

/* Collective. Fills point->steady, in windows that are large enough; sector: NULL for all. */
PetscErrorCode CospinPointSolveSteady(CospinPoint point, const char prefix[], const int sector[]);
