/*
   The archival dataset: one HDF5 file that h5dump, h5py and xarray (h5netcdf) open as it is. The writer knows
   no physics: what is stored is a list of rows (CospinVariable), the values a table with one record per grid
   point.

   The file: dimension scales for every grid axis and every further dimension (mode, ...); one variable per
   row shaped [axis 0]...[axis n-1] (+ its further dimensions); attributes units, long_name, and source or
   flag_* where given; groups /deck (datasets `verbatim`, `completed`: the text) and /provenance (attributes).
   Root attributes: Conventions, title, source, history, cospin_format (an integer: the version of this
   layout) and cospin_grid (names of the grid axes, slowest first, separated by blanks). Readers ignore groups
   they do not know.

   Stored states: a group /states/<task> for every task that stores them, a contiguous ragged array in the
   sense of CF: variables `first` and `count`, shaped like the grid (and `time`, if there is one), say which
   rows of the dimension `element` make up the state of a point, count 0 where there is none. Along `element`
   stand the columns of labels and value_re, value_im; <component>_size is shaped like the grid. The group has
   its own dimension scales, so it can be read alone. Its attributes: `along` (the name of the further
   dimension), `components`, `kinds` (words), and
   `element_<component>`, a sentence that says what an element with these labels stands for: rho is the sum
   over the rows of value times the product over the components of that.
*/
#pragma once
#include <complex.h>
#include <cospin/dataset/stored.h>
#include <cospin/deck/fault.h>
#include <stdio.h>

/* A file whose grid is this axis alone is a list of points: their coordinates are variables, those in front
   of `outcome`. */
#define COSPIN_POINT_LIST "shard_point"

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
  int size;      /* 1, or the product of the sizes of its further dimensions */
  char units[64];
  char long_name[160];
  char source[160];         /* equation or definition; "" if none */
  const char *const *flags; /* for codes: NULL-terminated names of the values flag_values[]; NULL otherwise */
  const int *flag_values;
  int outer;                 /* 1 + index of one more further dimension, slower than that; 0: none */
  const char *approximation; /* method and reference; NULL: none is made */
  const char *flag_hints;    /* lines `NAME: what the code means of this variable`; NULL: none */
  int middle;                /* 1 + index of one between these two; 0: none */
  int inner[2]; /* room for l and m of an observable with `each:`, behind the task's dimension; 0: none */
} CospinVariable;

/* Not collective. Its further dimensions as indices of the layout's, slowest first; returns how many. */
int CospinVariableDimensions(const CospinVariable *variable, int dimensions[3]);

/* What the numbers of a stored state are called. */
typedef struct {
  char name[96];
  CospinStorage storage;
  char long_name[160];
} CospinStoredColumn;

typedef struct {
  const char *name, *kind; /* words */
  const char *element;     /* what an element of its labels stands for */
} CospinStoredComponent;

/* The states of one task. */
typedef struct {
  const char *name; /* of the task */
  int task;
  CospinDimension time; /* or whatever else they stand along; size 0: one state a point */
  int num_components;
  CospinStoredComponent *components; /* [num_components] */
  CospinStoredColumn *sizes;         /* [num_components] */
  int num_columns;
  CospinStoredColumn *columns; /* [num_columns] of labels */
} CospinStoredGroup;

typedef struct {
  int num_axes;
  const CospinDimension *axes; /* grid, slowest first; none: a single point, scalars */
  int num_dimensions;
  const CospinDimension *dimensions; /* further ones */
  int num_variables;
  const CospinVariable *variables;
  int record_length; /* doubles per grid point */
  int num_groups;    /* of stored states */
  const CospinStoredGroup *groups;
} CospinLayout;

typedef struct {
  const char *name, *value; /* /provenance attributes */
} CospinAttribute;

typedef struct {
  const char *title, *source;                 /* root attributes */
  const char *deck_verbatim, *deck_completed; /* NULL: not stored */
  const char *identity; /* what a run must have in common with the file to go on with it; NULL: not stored */
  const char *history;  /* lines of the root attribute; NULL: one, from the provenance */
  int num_provenance;
  const CospinAttribute *provenance;
  int num_stored; /* beside the texts: states of grid points, in any order */
  const CospinStored *stored;
} CospinDatasetTexts;

/*
   Not collective: one process writes. records: [num_points][record_length], NaN where there is nothing. The
   file is written as FILE.tmp, flushed, synced and renamed, so that FILE is either whole or not there. On an
   environment error (directory gone, disk full, permission) FILE.tmp is removed, an error is returned and
   `why` says what failed in one sentence that names the file.
*/
PetscErrorCode CospinDatasetWrite(const char file[], const CospinLayout *layout, const double records[],
                                  const CospinDatasetTexts *texts, char why[], size_t why_size);

/* What a dataset holds, as points of whatever grid. Everything is owned by it (CospinDatasetContentFree). */
typedef struct {
  size_t num_points;
  double *coordinates;  /* [num_points][num_axes of the layout asked for] */
  double *records;      /* [num_points][record_length of that layout], NaN where the file has nothing */
  CospinStored *stored; /* [num_points], NULL: none; their points are places in the file */
  char *identity, *completed, *history; /* "" if absent */
} CospinDatasetContent;

/*
   Not collective. Reads the points of a dataset back into records of `layout`, variables matched by name. The
   coordinates of a point are found where a variable of the axis's name stands: as a dimension of the file's
   grid, or as a variable over it (files whose grid is a plain list of points). Every checksum is verified on
   the way. Errors: no HDF5 file, not one of ours, an axis of the layout that it lacks, damage; `why` says
   which in one sentence and nothing is allocated.
*/
PetscErrorCode CospinDatasetRead(const char file[], const CospinLayout *layout, CospinDatasetContent *content,
                                 char why[], size_t why_size);
/* The same of a text of the group /deck alone: "verbatim", "completed", "identity"; "" if it has none, owned
   by the caller (PetscFree). trust: no checksum is looked at. */
PetscErrorCode CospinDatasetReadText(const char file[], const char name[], PetscBool trust, char **text,
                                     char why[], size_t why_size);
PetscErrorCode CospinDatasetContentFree(CospinDatasetContent *content);

/* Not collective. Whether another program has opened the file for writing by HDF5: then it need not be whole,
   and is not damaged for that. */
PetscBool CospinDatasetIsHeld(const char file[]);

/* Not collective. What is to be known about the seal of a file that can be read (its last line, a checksum of
   all bytes before it), to be said behind the file's name; "" if it is there and fits. */
PetscErrorCode CospinDatasetSeal(const char file[], char said[], size_t size);
/* The same as a warning on stderr. */
PetscErrorCode CospinDatasetWarnOfSeal(const char file[]);

/*
   Not collective. Prints what `cospin show` shows: title, run, outcomes counted, the first points that
   ended badly, the slowest ones, variables, stored states. Same
   errors; a file that is no HDF5 file or not one of ours is one. Nothing is printed in that case. Values that
   are not those of their checksum are an error, too, after everything has been printed. trust: no checksum is
   looked at.
*/
PetscErrorCode CospinDatasetShow(const char file[], PetscBool trust, FILE *stream, char why[],
                                 size_t why_size);

/*
   Not collective. Looks at every object of a file and adds a fault for all that is not whole: what cannot be
   opened or read (HDF5's own checksums), values that are not those of their crc32, what every file of ours
   has and this one lacks. *list: it is a list of points (COSPIN_POINT_LIST).
*/
PetscErrorCode CospinDatasetInspect(const char file[], CospinFaults faults, PetscBool *list);
/* Not collective. Adds a fault for every dimension, variable and stored array of the layout that the file
   lacks or has in another shape, of another type, with another unit or name. Along the axis
   COSPIN_POINT_LIST any number of points will do. */
PetscErrorCode CospinDatasetCompare(const char file[], const CospinLayout *layout, CospinFaults faults);

/*
   Not collective. Reads a vector (rank 1) or matrix (rank 2, row after row) of real numbers, or of complex
   ones stored as {r, i}, from any HDF5 file. sizes[1] is 1 for a vector. *values is owned by the caller
   (PetscFree); it is NULL if that fails, and `why` then says in one sentence what is wrong.
*/
PetscErrorCode CospinDatasetReadArray(const char file[], const char dataset[], int *rank, int sizes[2],
                                      double complex **values, char why[], size_t why_size);

/* Which of the stored states of a file is meant. */
typedef struct {
  const char *file, *task; /* task NULL: the only one that stored states */
  int num_at;
  const char *const *at; /* [num_at] names of axes; those left out must have one value */
  const double *values;  /* [num_at] coordinates, found to 1e-9 relative */
} CospinStoredQuery;

/* The part of a query that `why` is about: the file (or its components), the task, or the axis at[k]. */
enum { COSPIN_QUERY_FILE = -2, COSPIN_QUERY_TASK = -1 };

/*
   Not collective. Adds the state to `stored` (its task and time are 0). The file's components must be those
   of `wanted` (names and kinds; its task and times do not matter); sizes are not compared. *state is NULL if
   that fails, `why` says in one sentence what is wrong and *part which part of the query.
*/
PetscErrorCode CospinDatasetReadState(const CospinStoredQuery *query, const CospinStoredGroup *wanted,
                                      CospinStored stored, CospinStoredState *state, int *part, char why[],
                                      size_t why_size);
