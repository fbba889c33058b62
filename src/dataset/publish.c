/*
   How a file comes into being: FILE.tmp is written and synced, then renamed, then the directory is synced. So
   whoever sees FILE sees all of it, also after a power cut, and an older FILE stays until the new one is
   whole.

   The folder is synced, too, for a rename lives in it: without that a power cut may bring back the old name.
*/
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif
#include "h5.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* 0 or an errno. A short write is no error by itself: the next one says why. */
static int write_all(int descriptor, const char bytes[], size_t size)
{
  while (size) {
    const ssize_t written = write(descriptor, bytes, size);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return written < 0 ? errno : ENOSPC;
    bytes += written;
    size -= (size_t)written;
  }
  return 0;
}

/* Special files cannot be synced (EINVAL); network file systems report a full disk only here or at close. */
static int sync_file(int descriptor)
{
  return fsync(descriptor) && errno != EINVAL ? errno : 0;
}

/* In this order: the bytes, the seal, then sync; a seal that is on the disk says that all before it is. */
static int write_file(const char name[], const char bytes[], size_t size)
{
  char seal[COSPIN_SEAL_SIZE + 1];
  int failure, descriptor = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (descriptor < 0) return errno;
  CospinSealMake(bytes, size, seal);
  failure = write_all(descriptor, bytes, size);
  if (!failure) failure = write_all(descriptor, seal, COSPIN_SEAL_SIZE);
  if (!failure) failure = sync_file(descriptor);
  if (close(descriptor) && !failure) failure = errno;
  return failure;
}

/* A directory that cannot be opened for reading cannot be synced; the file in it is whole all the same. */
static void sync_directory_of(const char file[])
{
  char directory[PETSC_MAX_PATH_LEN] = ".";
  const char *slash = strrchr(file, '/');
  int descriptor;
  if (slash) {
    const size_t length = slash == file ? 1 : (size_t)(slash - file);
    memcpy(directory, file, length);
    directory[length] = '\0';
  }
  descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  (void)sync_file(descriptor);
  close(descriptor);
}

PetscErrorCode CospinPublish(const char file[], const char bytes[], size_t size, char why[], size_t why_size)
{
  char temporary[PETSC_MAX_PATH_LEN];
  const char *doing = "write";
  int failure = ENAMETOOLONG;

  PetscFunctionBeginUser;
  if (strlen(file) + 5 <= sizeof(temporary)) {
    PetscCall(PetscSNPrintf(temporary, sizeof(temporary), "%s.tmp", file));
    failure = write_file(temporary, bytes, size);
    if (!failure && rename(temporary, file)) {
      failure = errno;
      doing = "put in place";
    }
    if (failure) unlink(temporary);
  }
  if (failure) {
    PetscCall(PetscSNPrintf(why, why_size, "cannot %s the dataset %s: %s", doing, file, strerror(failure)));
    PetscFunctionReturn(PETSC_ERR_FILE_WRITE);
  }
  sync_directory_of(file);
  PetscFunctionReturn(0);
}
