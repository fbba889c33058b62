/*
   The archival dataset: one HDF5 file that h5dump, h5py and xarray (h5netcdf) open as it is. The writer knows
   no physics: what is stored is a list of rows (CospinVariable), the values a table with one record per grid
   point.

   The file: dimension scales for every grid axis and every further dimension (mode, ...); one variable per
   row shaped [axis 0]...[axis n-1] (+ its further dimension); attributes units, long_name, and source or
   flag_* where given; groups /deck (datasets `verbatim`, `completed`: the text) and /provenance (attributes).
   Root attributes: Conventions, title, source, history, cospin_format (an integer: the version of this
   layout) and cospin_grid (names of the grid axes, slowest first, separated by blanks). Readers ignore groups
   they do not know: stored states will stand in one.
*/
#pragma once
#include <complex.h>
#include <petscsys.h>
#include <stdio.h>

typedef struct {
  const char *name; /* letters, digits, "_" */
  int size;
  const double *values; /* [size]; NULL: 0, 1, 2, ... stored as integers */
  const char *units;    /* "1" for a pure number */
  const char *long_name;
} CospinDimension;

typedef enum { COSPIN_REAL, COSPIN_INTEGER } CospinStorage; /* float64 (missing: NaN) | int64 (missing: 0) */

typedef struct {
  char name[96];
  CospinStorage storage;
  int dimension; /* index into further dimensions, or -1: one value per grid point */
  int offset;    /* where its values start in a record */
  int size;      /* 1, or the size of its further dimension */
  char units[64];
  char long_name[160];
  char source[160];         /* equation or definition; "" if none */
  const char *const *flags; /* for codes: NULL-terminated names of the values flag_values[]; NULL otherwise */
  const int *flag_values;
} CospinVariable;

typedef struct {
  int num_axes;
  const CospinDimension *axes; /* grid, slowest first; none: a single point, scalars */
  int num_dimensions;
  const CospinDimension *dimensions; /* further ones */
  int num_variables;
  const CospinVariable *variables;
  int record_length; /* doubles per grid point */
} CospinLayout;

typedef struct {
  const char *name, *value; /* /provenance attributes */
} CospinAttribute;

typedef struct {
  const char *title, *source; /* root attributes */
  const char *deck_verbatim, *deck_completed;
  int num_provenance;
  const CospinAttribute *provenance;
} CospinDatasetTexts;

/*
   Not collective: one process writes. records: [num_points][record_length], NaN where there is nothing. The
   file is written as FILE.tmp, flushed, synced and renamed, so that FILE is either whole or not there. On an
   environment error (directory gone, disk full, permission) FILE.tmp is removed, an error is returned and
   `why` says what failed in one sentence that names the file.
*/
PetscErrorCode CospinDatasetWrite(const char file[], const CospinLayout *layout, const double records[],
                                  const CospinDatasetTexts *texts, char why[], size_t why_size);

/*
   Not collective. Prints what `cospin show` shows: title, run, grid, outcomes counted, variables. Same
   errors; a file that is no HDF5 file or not one of ours is one. Nothing is printed in that case.
*/
PetscErrorCode CospinDatasetShow(const char file[], FILE *stream, char why[], size_t why_size);

/*
   Not collective. Reads a vector (rank 1) or matrix (rank 2, row after row) of real numbers, or of complex
   ones stored as {r, i}, from any HDF5 file. sizes[1] is 1 for a vector. *values is owned by the caller
   (PetscFree); it is NULL if that fails, and `why` then says in one sentence what is wrong.
*/
PetscErrorCode CospinDatasetReadArray(const char file[], const char dataset[], int *rank, int sizes[2],
                                      double complex **values, char why[], size_t why_size);
