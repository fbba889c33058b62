/*
   Arrays over spins: vectors and square matrices that a deck lists, draws at random or reads from a file, and
   the one interface behind which every generator hides. A generator may also make several arrays at once,
   over spins or other things, each with a name of its own: the parts `trap.B`, `trap.J` of an array `trap`.
*/
#pragma once
#include <complex.h>
#include <cospin/deck/deck.h>

/* One of several arrays that a generator makes, of real numbers. They become variables of the dataset. */
typedef struct {
  const char *name; /* behind the dot; NULL ends a table */
  int rank;
  const char *along[2]; /* what its indices run over; COSPIN_ALONG_SPINS: those of a component */
  const char *unit;     /* of the SI; "1" for a pure number */
  const char *help;     /* what it is, with its equation */
} CospinArrayPart;

#define COSPIN_ALONG_SPINS "spin"

/* rank 0: values[1], size 1; rank 1: values[size]; rank 2: values[size*l + m] */
typedef struct CospinArrayValue_ {
  int rank, size;
  double complex *values;
  int num_parts; /* of one that is several: then there are no values */
  struct CospinArrayValue_ *parts;
} CospinArrayValue;

/* A generator. Not collective: every rank makes the same numbers. */
typedef struct {
  CospinRecordKind record;      /* name, help and keys in the deck */
  const CospinArrayPart *parts; /* NULL: it makes one array over spins */
  /* numbers[]: the values of the record's number and integer keys, in the order of its keys. `size`: how many
     spins there are, the size of what a random generator makes. `folder`: of the deck ("" or with a "/" at
     the end). Adds faults; *ok tells. Sets rank, size and values (PetscMalloc), or these of value->parts,
     which are there. */
  PetscErrorCode (*Fill)(const CospinArray *array, const double numbers[], int size, const char folder[],
                         CospinFaults faults, CospinArrayValue *value, PetscBool *ok);
} CospinArrayKind;

/* All generators, NULL at the end: the table to add a line to. */
extern const CospinArrayKind *const CospinArrayKinds[];
/* The same as a deck wants to see them. */
extern const CospinRecordKind *const CospinArrayRecords[];
const CospinArrayKind *CospinArrayKindOf(const CospinRecord *record);
/* Those of an array of a deck; NULL: it is one array over spins. */
const CospinArrayPart *CospinArrayParts(const CospinArray *array);

/*
   Counter-based random numbers: Philox 4x32-10 (Salmon et al., SC11, 2011). The block of (seed, index)
   depends on these two only, so it is the same on every rank, in any order and on any machine.
*/
void CospinRandomBlock(uint64_t seed, uint64_t index, uint32_t block[4]);
/* Two numbers of one block, uniform in the open interval (0, 1), 52 bits each. */
void CospinRandomPair(uint64_t seed, uint64_t index, double pair[2]);
