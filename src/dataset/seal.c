/*
   The seal of a file: one line of text behind its last byte, with the CRC-32 of all bytes before it. HDF5
   takes no notice of what follows its data, and cuts it off when somebody else changes the file, so a file
   that has been edited on purpose has no seal, and bytes that somebody appends stand behind one. HDF5 1.10
   can die of damage in its own metadata; a broken seal says so before HDF5 sees the file.
*/
#include "h5.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* Text, and on a line of its own, so that `tail -c 22` shows it. */
static const char start[] = "\ncospin crc32 ";

static void write_seal(uint32_t crc, char seal[COSPIN_SEAL_SIZE + 1])
{
  (void)snprintf(seal, COSPIN_SEAL_SIZE + 1, "%s%08" PRIx32 "\n", start, crc);
}

void CospinSealMake(const char bytes[], size_t size, char seal[COSPIN_SEAL_SIZE + 1])
{
  write_seal((uint32_t)crc32_z(0, (const Bytef *)bytes, size), seal);
}

/* Whether a seal stands at this place, and fits what is in front of it. */
static PetscBool read_seal(FILE *file, long at, char seal[COSPIN_SEAL_SIZE + 1])
{
  seal[COSPIN_SEAL_SIZE] = '\0';
  return (PetscBool)(at >= 0 && fseek(file, at, SEEK_SET) == 0 &&
                     fread(seal, 1, COSPIN_SEAL_SIZE, file) == COSPIN_SEAL_SIZE &&
                     strncmp(seal, start, strlen(start)) == 0);
}

/* In pieces, for a file may be larger than memory. CRC-32 notices every single damaged burst up to 32 bits
   and misses other damage once in 4e9; it is against disks and copies, not against people. */
static PetscBool seal_fits(FILE *file, long at, const char seal[])
{
  char wanted[COSPIN_SEAL_SIZE + 1], buffer[1 << 14];
  uint32_t crc = 0;
  rewind(file);
  while (at > 0) {
    const size_t got = fread(buffer, 1, (size_t)PetscMin(at, (long)sizeof(buffer)), file);
    if (got == 0) return PETSC_FALSE;
    crc = (uint32_t)crc32_z(crc, (const Bytef *)buffer, got);
    at -= (long)got;
  }
  write_seal(crc, wanted);
  return (PetscBool)(strcmp(seal, wanted) == 0);
}

/* Where HDF5's own data end, as the first bytes of the file say; -1 if they do not. The one number of
   HDF5's format that is read here by hand: without it bytes behind a seal could not be told from a file
   without one. */
static long end_of_data(FILE *file)
{
  static const struct {
    int size_of_offsets, end;
  } places[] = {{13, 40}, {13, 44}, {9, 28}, {9, 28}}; /* by the version of the superblock */
  unsigned char head[64];
  uint64_t end = 0;
  rewind(file);
  if (fread(head, 1, sizeof(head), file) != sizeof(head) || memcmp(head, "\211HDF\r\n\032\n", 8) != 0)
    return -1;
  if (head[8] >= PETSC_STATIC_ARRAY_LENGTH(places) || head[places[head[8]].size_of_offsets] != 8) return -1;
  for (int k = 7; k >= 0; k--) end = end << 8 | head[places[head[8]].end + k];
  return end < INT64_MAX ? (long)end : -1;
}

/* At the very end first, which is the rule; else behind HDF5's data, where it stands if something was
   appended. */
CospinSeal CospinSealLook(FILE *file, long *behind)
{
  char seal[COSPIN_SEAL_SIZE + 1];
  long size, end;
  *behind = 0;
  if (fseek(file, 0, SEEK_END) || (size = ftell(file)) < 0) return COSPIN_SEAL_MISSING;
  if (read_seal(file, size - COSPIN_SEAL_SIZE, seal))
    return seal_fits(file, size - COSPIN_SEAL_SIZE, seal) ? COSPIN_SEAL_WHOLE : COSPIN_SEAL_BROKEN;
  end = end_of_data(file);
  if (!read_seal(file, end, seal)) return COSPIN_SEAL_MISSING;
  *behind = size - end - COSPIN_SEAL_SIZE;
  return seal_fits(file, end, seal) ? COSPIN_SEAL_HIDDEN : COSPIN_SEAL_BROKEN;
}

/* A file that cannot be opened has no fault here: whoever opens it next says why. */
PetscErrorCode CospinDatasetSeal(const char file[], char said[], size_t size)
{
  FILE *stream = fopen(file, "rb");
  long behind = 0;
  const CospinSeal seal = stream ? CospinSealLook(stream, &behind) : COSPIN_SEAL_WHOLE;

  PetscFunctionBeginUser;
  said[0] = '\0';
  if (stream) (void)fclose(stream);
  if (seal == COSPIN_SEAL_MISSING)
    PetscCall(PetscSNPrintf(said, size,
                            "has no seal (the checksum of the whole file, behind its end): "
                            "something has changed it since cospin wrote it"));
  if (seal == COSPIN_SEAL_HIDDEN)
    PetscCall(PetscSNPrintf(said, size,
                            "has %ld byte%s behind its seal (the checksum of the whole file) that "
                            "cospin did not write; all in front of it is whole",
                            behind, behind == 1 ? "" : "s"));
  PetscFunctionReturn(0);
}

/* A warning and no refusal: h5py in append mode is a legitimate tool. */
PetscErrorCode CospinDatasetWarnOfSeal(const char file[])
{
  char said[256];

  PetscFunctionBeginUser;
  PetscCall(CospinDatasetSeal(file, said, sizeof(said)));
  if (said[0]) fprintf(stderr, "cospin: warning: %s %s\n", file, said);
  PetscFunctionReturn(0);
}
