/* Stored states on their way from the leaders of groups to the process that writes. */
#pragma once
#include <cospin/stored.h>

/*
   Collective on world. mine[*num_mine]: what this process holds, taken over (PetscMalloc, NULL afterwards).
   all[*num_all] on rank 0, in no order; the caller destroys them and frees the list. 0 and NULL elsewhere.
*/
PetscErrorCode CospinStoredGather(MPI_Comm world, int *num_mine, CospinStored **mine, int *num_all,
                                  CospinStored **all);
