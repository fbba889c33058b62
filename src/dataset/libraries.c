/*
   How each library is asked for its version, without any of them being started: `cospin --version` must
   answer where MPI cannot even begin, on a login node, say. A row each; what has no such call is asked
   otherwise.
*/
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* dladdr, RTLD_DEFAULT */
#endif
#include <cospin/dataset/libraries.h>
#include <dlfcn.h>
#include <hdf5.h>
#include <libfyaml.h>
#include <petscpkg_version.h>
#include <slepcsys.h>
#include <stdlib.h>
#include <string.h>

enum { SIZE = COSPIN_LIBRARY_TEXT };

static PetscErrorCode version_of_petsc(char text[])
{
  PetscFunctionBeginUser;
  PetscCall(PetscGetVersion(text, SIZE));
  PetscFunctionReturn(0);
}

static PetscErrorCode version_of_slepc(char text[])
{
  PetscFunctionBeginUser;
  PetscCall(SlepcGetVersion(text, SIZE));
  PetscFunctionReturn(0);
}

/* MUMPS tells its version inside of an instance only, which needs MPI; PETSc has written it down. */
static PetscErrorCode version_of_mumps(char text[])
{
#ifdef PETSC_PKG_MUMPS_VERSION_MAJOR
  const int version[] = {PETSC_PKG_MUMPS_VERSION_MAJOR, PETSC_PKG_MUMPS_VERSION_MINOR,
                         PETSC_PKG_MUMPS_VERSION_SUBMINOR};

  PetscFunctionBeginUser;
  (void)snprintf(text, SIZE, "%d.%d.%d", version[0], version[1], version[2]);
#else
  PetscFunctionBeginUser;
  (void)snprintf(text, SIZE, "none");
#endif
  PetscFunctionReturn(0);
}

static PetscErrorCode version_of_hdf5(char text[])
{
  unsigned major, minor, release;

  PetscFunctionBeginUser;
  H5get_libversion(&major, &minor, &release);
  (void)snprintf(text, SIZE, "%u.%u.%u", major, minor, release);
  PetscFunctionReturn(0);
}

/* One of the few calls that the standard allows at any time. Some libraries say a page. */
static PetscErrorCode version_of_mpi(char text[])
{
  int length;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Get_library_version(text, &length));
  text[strcspn(text, "\n")] = '\0';
  PetscFunctionReturn(0);
}

static PetscErrorCode version_of_libfyaml(char text[])
{
  PetscFunctionBeginUser;
  (void)snprintf(text, SIZE, "%s", fy_library_version());
  PetscFunctionReturn(0);
}

/* BLAS has no call that names it. The file that zgemm comes from does: .../openblas-serial/libblas.so.3.
   MUMPS is several times slower with the reference BLAS: a run that took a day may be explained by this
   row. */
static PetscErrorCode version_of_blas(char text[])
{
  void *address = dlsym(RTLD_DEFAULT, "zgemm_");
  Dl_info found;
  char *resolved = NULL;

  PetscFunctionBeginUser;
  if (address && dladdr(address, &found) && found.dli_fname) resolved = realpath(found.dli_fname, NULL);
  (void)snprintf(text, SIZE, "%s", resolved ? resolved : "unknown");
  free(resolved);
  PetscFunctionReturn(0);
}

static const struct {
  const char *name;
  PetscErrorCode (*Version)(char text[]);
} libraries[] = {{"petsc", version_of_petsc}, {"slepc", version_of_slepc}, {"mumps", version_of_mumps},
                 {"hdf5", version_of_hdf5},   {"mpi", version_of_mpi},     {"libfyaml", version_of_libfyaml},
                 {"blas", version_of_blas}};

PetscErrorCode CospinLibraryVersion(int k, const char **name, char text[COSPIN_LIBRARY_TEXT])
{
  PetscFunctionBeginUser;
  *name = k < (int)(sizeof(libraries) / sizeof(libraries[0])) ? libraries[k].name : NULL;
  if (*name) PetscCall(libraries[k].Version(text));
  PetscFunctionReturn(0);
}
