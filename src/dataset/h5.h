/*
   What the files of src/dataset share. Everything here follows HDF5's own convention: a negative return value
   is a failure, and a negative id handed to the next call makes that one fail too. So callers write straight
   on, close what they opened, and look at the sum; the first reason is held by the CospinH5Catch in force.
*/
#pragma once
#include <cospin/dataset/dataset.h>
#include <hdf5.h>
#include <hdf5_hl.h>

#define COSPIN_FORMAT                                                                                        \
  1 /* root attribute cospin_format; grows when a reader of older files would be misled                      \
     */

typedef struct {
  char reason[256]; /* of the first failure; "" while there is none */
  H5E_auto2_t previous;
  void *previous_data;
} CospinH5Catch;

/* Between Begin and End HDF5 prints nothing; the innermost message of the first failure is kept in `reason`.
 */
void CospinH5CatchBegin(CospinH5Catch *held);
void CospinH5CatchEnd(CospinH5Catch *held);

/* Property lists for files, groups and datasets with links and attributes kept in the order of creation. */
hid_t CospinH5CreateList(hid_t list_class);

hid_t CospinH5CreateGroup(hid_t file, const char name[]);

/* Attributes: UTF-8 of fixed length, native integers and reals (one value: scalar dataspace). */
herr_t CospinH5SetText(hid_t object, const char name[], const char value[]);
herr_t CospinH5SetIntegers(hid_t object, const char name[], int count, const int values[]);
herr_t CospinH5SetReal(hid_t object, const char name[], double value);

/* A text of any length as a scalar dataset. */
herr_t CospinH5WriteText(hid_t parent, const char name[], const char text[]);

/* Reads a text attribute, cut to `size`; "" and a negative value if it is absent or no text. */
herr_t CospinH5GetText(hid_t object, const char name[], char text[], size_t size);

/* Reads at most `count` integers; returns how many there are (0: absent) or a negative value. */
int CospinH5GetIntegers(hid_t object, const char name[], int count, int values[]);

/*
   The attribute crc32 of a dataset: CRC-32 (ISO 3309, the one of zlib) of its values as they are stored, row
   after row. HDF5 protects chunks and headers, but not the index between them: a value that is found in the
   wrong place, or not found, is seen by this one only. Verify: negative if it is there and differs, or the
   values cannot be read.
*/
herr_t CospinH5SetChecksum(hid_t set);
herr_t CospinH5Verify(hid_t set);

/*
   The number of values of a dataset, which must be looked at before memory is asked for: negative if it
   cannot be told, or if what is stored is too little to make so many values of. */
hssize_t CospinH5Count(hid_t set);

/* Texts of any length, owned by the caller (free); NULL if absent, no text or damaged. */
char *CospinH5ReadText(hid_t parent, const char name[]);
char *CospinH5ReadAttribute(hid_t object, const char name[]);

/* Opens any HDF5 file for reading, not (unless it is to be trusted) one whose seal is broken. Negative if it
   cannot; *reason then says why, or is NULL if HDF5 says so. */
hid_t CospinH5OpenFile(const char name[], PetscBool trust, const char **reason);

/* Opens one of our files for reading. Negative if it cannot, *reason then says why, to be read before `held`
   is used again. */
hid_t CospinH5OpenDataset(const char name[], PetscBool trust, CospinH5Catch *held, const char **reason);

/* Everything that goes into a dataset, written into an open, empty file (layout.c). */
herr_t CospinLayoutWrite(hid_t file, const CospinLayout *layout, const double records[], double buffer[]);

/* Pieces of it: an array with the usual filters, a dimension scale, and putting a scale to a dimension.
   `file` may be a group. Buffers hold the doubles that are written. */
hid_t CospinLayoutCreateArray(hid_t file, const char name[], CospinStorage storage, int rank,
                              const hsize_t shape[]);
herr_t CospinLayoutWriteDimension(hid_t file, const CospinDimension *dimension, double buffer[]);
herr_t CospinLayoutAttachScale(hid_t file, hid_t set, const char name[], int index);

/* The groups /states/<task> of stored states, `num` points in any order (states.c). */
PetscErrorCode CospinStatesWrite(hid_t file, const CospinLayout *layout, int num, const CospinStored stored[],
                                 herr_t *status);

/* Points of the grid, and the doubles that `buffer` above needs. */
size_t CospinLayoutNumPoints(const CospinLayout *layout);
size_t CospinLayoutBufferSize(const CospinLayout *layout);

/* Reads them back: stored[num_points], NULL where nothing is; negative status if any of it is damaged
   (states_content.c). */
PetscErrorCode CospinStatesRead(hid_t file, const CospinLayout *layout, size_t num_points,
                                CospinStored stored[], herr_t *status);

/* The line that goes behind the bytes of a file, and what has become of that of a file (seal.c). *behind: how
   many bytes stand behind one that is hidden. */
enum { COSPIN_SEAL_SIZE = 23 };
typedef enum { COSPIN_SEAL_WHOLE, COSPIN_SEAL_MISSING, COSPIN_SEAL_HIDDEN, COSPIN_SEAL_BROKEN } CospinSeal;
void CospinSealMake(const char bytes[], size_t size, char seal[COSPIN_SEAL_SIZE + 1]);
CospinSeal CospinSealLook(FILE *file, long *behind);

/* Puts `size` bytes and their seal in place as `file`: whole and durable, or not at all (publish.c). Not
 * collective. */
PetscErrorCode CospinPublish(const char file[], const char bytes[], size_t size, char why[], size_t why_size);
