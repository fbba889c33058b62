/*
   Memory of the machine. The environment is asked here and by nobody below the farm: what ranks decide
   together they decide by a number that all of them were given (CospinProblem.bytes).
*/
#pragma once
#include <petscsys.h>

/* Not collective. Memory of this node in bytes: the environment's COSPIN_MEMORY (with k, M, G or T behind the
   number), else SLURM's limit where there is one, else all of it. Ranks may know different ones. */
double CospinMachineBytes(void);

/* Collective. This rank's share: its node's memory (the least that a rank of the node knows of) is divided by
   the ranks of `world` there; and no more than its limit of address space (ulimit -v) leaves. */
PetscErrorCode CospinMachineShare(MPI_Comm world, double *bytes);
