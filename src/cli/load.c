/*
   A deck from its file to all ranks. Rank 0 reads the bytes and broadcasts them, and every rank parses
   them: the deck is then the same everywhere and no structure has to be sent. Faults are told by rank 0
   alone.

   A file may be a named pipe that nobody writes (`cospin run <(...)` whose command hangs): opening it
   would block without a word, so it is opened without blocking and what is waited for is said after a
   while. Files without an end (/dev/zero) are cut at a size that no deck has.
*/
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif
#include <cospin/cli/load.h>
#include <cospin/problem/array.h>
#include <cospin/tasks/tables.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_DECK_BYTES = 100000000, PATIENCE = 1000 /* milliseconds */ };

/* Until somebody has written into a named pipe, which may be never: then it is said what is waited for. */
static void wait_for_writer(const char file[], int descriptor)
{
  struct pollfd wanted = {descriptor, POLLIN, 0};

  if (poll(&wanted, 1, PATIENCE) != 0) return;
  fprintf(stderr, "cospin: %s is a named pipe: waiting for somebody who writes into it\n", file);
  (void)fflush(stderr);
  while (poll(&wanted, 1, -1) < 0 && errno == EINTR) continue;
}

/* Opening a pipe would wait without a word. O_NONBLOCK is taken off again, for reads of a slow writer
   should wait. */
static FILE *open_deck(const char file[])
{
  const int descriptor = open(file, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  struct stat status;

  if (descriptor < 0) return NULL;
  if (fstat(descriptor, &status) == 0 && S_ISFIFO(status.st_mode)) wait_for_writer(file, descriptor);
  (void)fcntl(descriptor, F_SETFL, 0);
  return fdopen(descriptor, "rb");
}

/* The bytes of a file, or a message. The size is not asked for in advance: a pipe has none. */
static PetscErrorCode read_file(const char file[], char **text, PetscInt64 *length, char message[512])
{
  FILE *stream = open_deck(file);
  size_t capacity = 65536, size = 0, got;

  PetscFunctionBeginUser;
  *length = -1;
  if (!stream) {
    PetscCall(PetscSNPrintf(message, 512, "cannot read %s: %s", file, strerror(errno)));
    PetscFunctionReturn(0);
  }
  PetscCall(PetscMalloc1(capacity, text));
  while ((got = fread(*text + size, 1, capacity - size, stream)) > 0 && size < MAX_DECK_BYTES) {
    size += got;
    if (size < capacity) continue;
    capacity *= 2;
    PetscCall(PetscRealloc(capacity, text));
  }
  if (ferror(stream)) {
    PetscCall(PetscSNPrintf(message, 512, "cannot read %s: %s", file, strerror(errno)));
  } else if (size >= MAX_DECK_BYTES) {
    PetscCall(PetscSNPrintf(message, 512, "%s is larger than %d bytes: is it a deck?", file, MAX_DECK_BYTES));
  } else {
    *length = (PetscInt64)size;
  }
  (void)fclose(stream);
  PetscFunctionReturn(0);
}

/* Length -1: the file could not be read, and rank 0 has said why. A deck that is read by each rank could
   be another one on each, if somebody saves it meanwhile. */
static PetscErrorCode read_everywhere(MPI_Comm comm, const char file[], char **text, PetscInt64 *length)
{
  char message[512] = "";
  PetscMPIInt rank;

  PetscFunctionBeginUser;
  *text = NULL;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  if (rank == 0) PetscCall(read_file(file, text, length, message));
  PetscCallMPI(MPI_Bcast(length, 1, MPIU_INT64, 0, comm));
  if (rank == 0 && *length < 0) fprintf(stderr, "cospin: %s\n", message);
  if (*length < 0) PetscFunctionReturn(0);
  if (rank != 0) PetscCall(PetscMalloc1((size_t)*length + 1, text));
  PetscCallMPI(MPI_Bcast(*text, (PetscMPIInt)*length, MPI_CHAR, 0, comm));
  PetscFunctionReturn(0);
}

/* All faults, then the line that counts them. How many there were is the last line, where a user looks
   first. */
static PetscErrorCode report(MPI_Comm comm, CospinFaults faults, const char file[])
{
  const int count = CospinFaultsCount(faults);
  PetscMPIInt rank;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  if (rank != 0) PetscFunctionReturn(0);
  PetscCall(CospinFaultsView(faults, stderr));
  fprintf(stderr, "cospin: %d fault%s in %s, nothing was run\n", count, count == 1 ? "" : "s", file);
  (void)fflush(stderr);
  PetscFunctionReturn(0);
}

/* The schema hands kinds of components, tasks and arrays down to the deck's room, which stands below them.
   With faults in it a deck is still looked at as far as it is sound, so that one run tells all of them. */
PetscErrorCode CospinLoad(MPI_Comm comm, const char file[], const char *const changes[], CospinDeck *deck,
                          CospinTable *table, PetscBool *ok)
{
  const CospinSchema schema = {CospinComponentRecords, CospinTaskRecords, CospinArrayRecords,
                               CospinTasksAlone, CospinTaskExpandedRecords};
  CospinFaults faults;
  PetscInt64 length;
  char *text;

  PetscFunctionBeginUser;
  *deck = NULL;
  *table = NULL;
  PetscCall(read_everywhere(comm, file, &text, &length));
  *ok = (PetscBool)(length >= 0);
  if (*ok) {
    PetscCall(CospinFaultsCreate(file, &faults));
    PetscCall(CospinDeckReadChanged(text, (size_t)length, changes, &schema, faults, deck));
    *ok = (PetscBool)(CospinFaultsCount(faults) == 0);
    if (*ok)
      PetscCall(CospinTableCreate(*deck, faults, table, ok));
    else
      PetscCall(CospinTableAddFaults(*deck, faults));
    if (!*ok) {
      PetscCall(report(comm, faults, file));
      PetscCall(CospinDeckDestroy(deck));
    }
    PetscCall(CospinFaultsDestroy(&faults));
  }
  PetscCall(PetscFree(text));
  PetscFunctionReturn(0);
}

/* The command line has been read by PETSc before: its options win, so those of the deck are set only where
 * there is none. */
PetscErrorCode CospinLoadPetscOptions(CospinDeck deck)
{
  PetscFunctionBeginUser;
  for (int k = 0; k < deck->num_petsc; k++) {
    char name[256];
    PetscBool set;
    PetscCall(PetscSNPrintf(name, sizeof(name), "-%s", deck->petsc[2 * k]));
    PetscCall(PetscOptionsHasName(NULL, NULL, name, &set));
    if (!set) PetscCall(PetscOptionsSetValue(NULL, name, deck->petsc[2 * k + 1]));
  }
  PetscFunctionReturn(0);
}
