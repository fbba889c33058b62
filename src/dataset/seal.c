/*
   The seal of a file: one line of text behind its last byte, with the CRC-32 of all bytes before it. HDF5
   takes no notice of what follows its data, and cuts it off when somebody else changes the file, so a file
   that has been edited on purpose has no seal. HDF5 1.10 can die of damage in its own metadata; a broken
   seal says so before HDF5 sees the file.
*/
#include "h5.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char start[] = "\ncospin crc32 ";

static void Write_Seal(uint32_t crc, char seal[COSPIN_SEAL_SIZE + 1])
{
  (void)snprintf(seal, COSPIN_SEAL_SIZE + 1, "%s%08" PRIx32 "\n", start, crc);
}

void CospinSeal(const char bytes[], size_t size, char seal[COSPIN_SEAL_SIZE + 1])
{
  Write_Seal(CospinCrc32(0, bytes, size), seal);
}

PetscBool CospinSealIsBroken(FILE *file)
{
  char found[COSPIN_SEAL_SIZE + 1] = "", wanted[COSPIN_SEAL_SIZE + 1], buffer[1 << 14];
  uint32_t crc = 0;
  long size;
  if (fseek(file, -COSPIN_SEAL_SIZE, SEEK_END) || (size = ftell(file)) < 0) return PETSC_FALSE;
  if (fread(found, 1, COSPIN_SEAL_SIZE, file) != COSPIN_SEAL_SIZE) return PETSC_FALSE;
  if (strncmp(found, start, strlen(start)) != 0) return PETSC_FALSE;
  rewind(file);
  while (size > 0) {
    const size_t got = fread(buffer, 1, (size_t)PetscMin(size, (long)sizeof(buffer)), file);
    if (got == 0) return PETSC_TRUE;
    crc = CospinCrc32(crc, buffer, got);
    size -= (long)got;
  }
  Write_Seal(crc, wanted);
  return (PetscBool)(strcmp(found, wanted) != 0);
}
