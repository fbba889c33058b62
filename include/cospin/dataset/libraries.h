/*
   Versions of the libraries that this program runs with.
*/
#pragma once
#include <petscsys.h>

enum { COSPIN_LIBRARY_TEXT = MPI_MAX_LIBRARY_VERSION_STRING };

/*
   Not collective, and allowed before MPI_Init and PetscInitialize. The k-th library: its name, "petsc",
   "slepc", "mumps", "hdf5", "mpi", "libfyaml" or "blas", and its version as the library says it, on one line
   ("unknown" if it does not; of BLAS the file that it comes from; of MUMPS what PETSc was built with, "none"
   without). *name is NULL behind the last.
*/
PetscErrorCode CospinLibraryVersion(int k, const char **name, char text[COSPIN_LIBRARY_TEXT]);
