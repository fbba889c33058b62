/* MPI and PETSc once for the whole process, as a singleton: nothing of it depends on an input. */
#define _XOPEN_SOURCE 700
#include "fuzz.h"
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/cospin_fuzz_XXXXXX";

static void remove_folder(void)
{
  char command[64];

  (void)snprintf(command, sizeof(command), "rm -rf %s", folder);
  if (system(command)) return;
}

const char *fuzz_folder(void)
{
  if (strstr(folder, "XXXXXX")) {
    FUZZ_CHECK(mkdtemp(folder), "no folder for files");
    (void)atexit(remove_folder);
  }
  return folder;
}

static void finalize(void)
{
  if (PetscFinalize()) abort();
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
  int no_arguments = 1;

  (void)argc;
  if (PetscInitialize(&no_arguments, argv, NULL, NULL)) abort();
  FUZZ_CALL(PetscPopSignalHandler()); /* the sanitizers say more */
  (void)atexit(finalize);
  return 0;
}

unsigned fuzz_take(FuzzBytes *bytes)
{
  if (!bytes->size) return 0;
  bytes->size--;
  return *bytes->data++;
}

unsigned fuzz_choose(FuzzBytes *bytes, unsigned choices)
{
  return fuzz_take(bytes) % choices;
}
