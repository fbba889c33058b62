/*
   Where, when, how and with what a run was made: the rows of /provenance in a dataset.

   Rows (always): started, finished, command_line, cospin_version, git_revision, git_dirty, build_type,
   compiler, c_flags, petsc, slepc, mumps, hdf5, mpi, libfyaml, blas, scalar_type, index_bits, hosts, ranks,
   groups, ranks_per_group, omp_num_threads; and slurm_* for those SLURM_* variables that are set. Times are
   UTC in ISO 8601. What cannot be known is "unknown".
*/
#pragma once
#include <cospin/dataset/dataset.h>

typedef struct CospinProvenance_ *CospinProvenance;

/*
   Collective on comm, after PetscInitialize: host names are gathered to its rank 0, whose rows are the ones
   to store (elsewhere `hosts` is the own one). `started` is the time of this call, `finished` stays "unknown"
   until CospinProvenanceFinish(). Everything is copied. argv[0] is stored without its directory.
*/
PetscErrorCode CospinProvenanceCreate(MPI_Comm comm, int argc, char *const argv[], int groups,
                                      int ranks_per_group, CospinProvenance *provenance);
PetscErrorCode CospinProvenanceDestroy(CospinProvenance *provenance);

/* Not collective. Adds a row, or replaces the value of the one with this name. Both are copied;
   what is not UTF-8 in the value becomes "?". */
PetscErrorCode CospinProvenanceSet(CospinProvenance provenance, const char name[], const char value[]);

/* Not collective. Sets `finished` to now. */
PetscErrorCode CospinProvenanceFinish(CospinProvenance provenance);

/* Not collective. The rows, borrowed until the next Set, Finish or Destroy. */
PetscErrorCode CospinProvenanceGet(CospinProvenance provenance, int *count, const CospinAttribute **rows);
