/*
   What a factorisation costs, before it is made. Rough (a factor of two), from the dimension d of the lattice
   of labels: nested dissection of a d-dimensional mesh of n labels fills n log n (d = 2) or n^(2-2/d)
   elements at a cost of n^(3-3/d) (George, SIAM J. Numer. Anal. 10, 345 (1973)); the factors in front were
   measured with MUMPS 5.5.
*/
#pragma once
#include <petscsys.h>

typedef struct {
  double elements; /* of the factors */
  double bytes;    /* while they are made, all ranks together */
  double seconds;  /* on one core */
} CospinFactorCost;

CospinFactorCost CospinCostOfFactors(PetscInt64 n, int d);

/* Memory of this machine in bytes; SLURM's limit where there is one. */
double CospinMachineBytes(void);
