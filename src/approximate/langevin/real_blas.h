/* BLAS and LAPACK of real numbers: PETSc's own names are those of its scalars, which are complex. */
#pragma once
#include <petscblaslapack.h>

extern void dgemm_(const char *, const char *, const PetscBLASInt *, const PetscBLASInt *,
                   const PetscBLASInt *, const double *, const double *, const PetscBLASInt *, const double *,
                   const PetscBLASInt *, const double *, double *, const PetscBLASInt *);
extern void dsyrk_(const char *, const char *, const PetscBLASInt *, const PetscBLASInt *, const double *,
                   const double *, const PetscBLASInt *, const double *, double *, const PetscBLASInt *);
extern void dtrmm_(const char *, const char *, const char *, const char *, const PetscBLASInt *,
                   const PetscBLASInt *, const double *, const double *, const PetscBLASInt *, double *,
                   const PetscBLASInt *);
extern void dpotrf_(const char *, const PetscBLASInt *, double *, const PetscBLASInt *, PetscBLASInt *);
extern void dsyev_(const char *, const char *, const PetscBLASInt *, double *, const PetscBLASInt *, double *,
                   double *, const PetscBLASInt *, PetscBLASInt *);
