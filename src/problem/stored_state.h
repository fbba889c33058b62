/* States that another run has stored, as the states of this problem. */
#pragma once
#include <cospin/problem/state.h>

/* Fills a state without factors from setting->file. Faults as CospinStateCreate. */
PetscErrorCode CospinStoredStateLoad(CospinProblem problem, const CospinSetting *setting, CospinFaults faults,
                                     CospinState state, PetscBool *ok);
double complex CospinStoredStateElement(CospinState state, const int label[]);
/* The label of entry k. */
void CospinStoredStateLabel(CospinState state, PetscInt64 k, int label[]);
