/*
   Shards are called points-RUN-GROUP-SHARD.h5, in numbers of a fixed width, so that their names sort by runs.
   The lock is POSIX's: it goes with the process that holds it, however that ends, and works across nodes
   where the file system has locks.

   The folder FILE.h5.parts is what a run that has not finished consists of: shards, checkpoints of points
   half-way, and the lock. It is there as long as something in it is not in the archive.
*/
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif
#include "output.h"
#include <cospin/store/parts.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Run in front: sorted by name, later runs come later and their records win. */
static const char shards[] = "points-", checkpoints[] = "checkpoint-";

static void lock_name(const CospinParts *parts, char name[], size_t size)
{
  (void)PetscSNPrintf(name, size, "%s/lock", parts->folder);
}

/* Whether the locked descriptor is still the file of that name: its last holder may have removed it
 * meanwhile. A lock on a file that has been unlinked locks nothing. */
static PetscBool same_file(int descriptor, const char name[])
{
  struct stat held, named;

  return (PetscBool)(fstat(descriptor, &held) == 0 && stat(name, &named) == 0 &&
                     held.st_ino == named.st_ino && held.st_dev == named.st_dev);
}

/* Who we are, for the sentence that the next one reads. Host and job, since the other run may be on any
   machine that mounts the disk. */
static void sign(int descriptor)
{
  char host[256] = "unknown host", text[400];
  const char *job = getenv("SLURM_JOB_ID");

  (void)gethostname(host, sizeof(host) - 1);
  (void)PetscSNPrintf(text, sizeof(text), "process %ld on %s%s%s", (long)getpid(), host,
                      job ? ", SLURM job " : "", job ? job : "");
  if (ftruncate(descriptor, 0) || write(descriptor, text, strlen(text)) < 0) return; /* only a courtesy */
}

/* The lock's file says who holds it, which process and on which host. */
static int refuse_locked(const char file[], int descriptor, char why[], size_t why_size)
{
  char holder[400] = "";
  const ssize_t length = pread(descriptor, holder, sizeof(holder) - 1, 0);

  (void)PetscSNPrintf(why, why_size, "%s is being written by another run (%s)", file,
                      length > 0 ? holder : "it did not say which");
  (void)close(descriptor);
  return 0;
}

/* F_GETLK asks without taking. A lock of this process is no lock to itself, which does not matter: it
   knows. */
PetscBool CospinPartsHolder(const CospinParts *parts, char holder[], size_t size)
{
  struct flock all = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  char name[PETSC_MAX_PATH_LEN];
  ssize_t length;
  int descriptor;
  PetscBool held;

  lock_name(parts, name, sizeof(name));
  descriptor = open(name, O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return PETSC_FALSE;
  held = (PetscBool)(fcntl(descriptor, F_GETLK, &all) == 0 && all.l_type != F_UNLCK);
  length = read(descriptor, holder, size - 1);
  holder[PetscMax(length, 0)] = 0;
  (void)close(descriptor);
  return held;
}

/* A file system without locks is worth a warning, not a refusal. The folder is made if it is not there;
   the lock is its first file. Whoever closes any descriptor of a locked file loses the lock (POSIX):
   nobody else in this program opens it while a run has it. */
static int take_lock(const char file[], CospinParts *parts, char why[], size_t why_size)
{
  struct flock all = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  char name[PETSC_MAX_PATH_LEN];

  lock_name(parts, name, sizeof(name));
  while (PETSC_TRUE) {
    const int descriptor = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (descriptor < 0) {
      (void)PetscSNPrintf(why, why_size, "cannot write %s: %s", name, strerror(errno));
      return 0;
    }
    if (fcntl(descriptor, F_SETLK, &all)) {
      if (errno == EACCES || errno == EAGAIN) return refuse_locked(file, descriptor, why, why_size);
      fprintf(stderr, "cospin: warning: cannot lock %s (%s), so nothing keeps a second run away\n", name,
              strerror(errno));
    } else if (!same_file(descriptor, name)) {
      (void)close(descriptor);
      continue;
    }
    sign(descriptor);
    parts->lock = descriptor;
    return 1;
  }
}

static PetscBool ends_in(const char name[], const char end[])
{
  const size_t length = strlen(name), end_length = strlen(end);

  return (PetscBool)(length > end_length && strcmp(name + length - end_length, end) == 0);
}

/* Shards and checkpoints; others in the folder are left alone. */
static PetscBool is_dataset(const char name[], const char prefix[])
{
  return (PetscBool)(strncmp(name, prefix, strlen(prefix)) == 0 && ends_in(name, ".h5"));
}

/* FILE.h5 that does not exist yet, or FILE.h5.parts itself: either means the unfinished run. */
PetscBool CospinPartsFind(const char file[], CospinParts *parts)
{
  const PetscBool is_folder = ends_in(file, ".parts");
  const int length = (int)strlen(file) - (is_folder ? (int)strlen(".parts") : 0);
  char name[PETSC_MAX_PATH_LEN], whole[PETSC_MAX_PATH_LEN];
  struct stat status;

  *parts = (CospinParts){.lock = -1};
  if (!is_folder && stat(file, &status) == 0) return PETSC_FALSE;
  (void)PetscSNPrintf(name, sizeof(name), "%.*s", length, file);
  if (CospinOutputResolve(name, whole, sizeof(whole))) return PETSC_FALSE;
  (void)PetscSNPrintf(parts->folder, sizeof(parts->folder), "%s.parts", whole);
  return (PetscBool)(stat(parts->folder, &status) == 0 && S_ISDIR(status.st_mode));
}

/* Numbers go on from the highest: shards of an earlier run keep their names. From the names on the disk:
   there is no other memory of how many runs there were. */
static int last_run(const CospinParts *parts)
{
  int last = 0, run;
  const struct dirent *entry;
  DIR *folder = opendir(parts->folder);

  while (folder && (entry = readdir(folder))) {
    if (sscanf(entry->d_name, "points-%d-", &run) == 1) last = PetscMax(last, run);
  }
  if (folder) (void)closedir(folder);
  return last;
}

/* 64 letters are left for the names within the folder. */
int CospinPartsOpen(const char file[], CospinParts *parts, char why[], size_t why_size)
{
  *parts = (CospinParts){.lock = -1};
  (void)PetscSNPrintf(parts->folder, sizeof(parts->folder), "%s.parts", file);
  if (strlen(file) + 64 > sizeof(parts->folder)) {
    (void)PetscSNPrintf(why, why_size, "cannot write %s: %s", file, strerror(ENAMETOOLONG));
    return 0;
  }
  if (mkdir(parts->folder, 0777) && errno != EEXIST) {
    (void)PetscSNPrintf(why, why_size, "cannot write %s: %s", file, strerror(errno));
    return 0;
  }
  if (!take_lock(file, parts, why, why_size)) {
    (void)rmdir(parts->folder); /* if it is empty, it is ours */
    return 0;
  }
  parts->run = last_run(parts) + 1;
  return 1;
}

/* Shards that are still there belong to a run that goes on; then the lock's file stays, too, and is free. */
void CospinPartsClose(CospinParts *parts, PetscBool keep)
{
  char name[PETSC_MAX_PATH_LEN];
  int num = 0;
  char **names = NULL;

  if (parts->lock < 0) return;
  lock_name(parts, name, sizeof(name));
  if (CospinPartsList(parts, &num, &names) == 0 && num == 0 && !keep) (void)unlink(name);
  (void)CospinPartsFreeList(num, &names);
  (void)rmdir(parts->folder); /* fails if it is not empty */
  (void)close(parts->lock);
  parts->lock = -1;
}

/* After the archive has been verified; temporary files of runs that were killed go with them. Others may
   have put files of their own into the folder: only our names are removed. */
static void remove_datasets(const CospinParts *parts, const char prefix[])
{
  char name[PETSC_MAX_PATH_LEN + 300];
  const struct dirent *entry;
  DIR *folder = opendir(parts->folder);

  while (folder && (entry = readdir(folder))) {
    if (!is_dataset(entry->d_name, prefix) && !ends_in(entry->d_name, ".h5.tmp")) continue;
    (void)PetscSNPrintf(name, sizeof(name), "%s/%s", parts->folder, entry->d_name);
    (void)unlink(name);
  }
  if (folder) (void)closedir(folder);
}

void CospinPartsRemoveShards(const CospinParts *parts)
{
  remove_datasets(parts, shards);
}

void CospinPartsRemoveCheckpoints(const CospinParts *parts)
{
  remove_datasets(parts, checkpoints);
}

static int by_name(const void *a, const void *b)
{
  return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sorted, so that the newest record of a point is the one that is read last. */
static PetscErrorCode list(const CospinParts *parts, const char prefix[], int *num, char ***names)
{
  const struct dirent *entry;
  DIR *folder = opendir(parts->folder);
  int capacity = 0;

  PetscFunctionBeginUser;
  *num = 0;
  *names = NULL;
  while (folder && (entry = readdir(folder))) {
    char name[PETSC_MAX_PATH_LEN + 300];
    if (!is_dataset(entry->d_name, prefix)) continue;
    if (*num == capacity) {
      capacity = 2 * capacity + 16;
      PetscCall(PetscRealloc(sizeof(char *) * (size_t)capacity, names));
    }
    PetscCall(PetscSNPrintf(name, sizeof(name), "%s/%s", parts->folder, entry->d_name));
    PetscCall(PetscStrallocpy(name, &(*names)[(*num)++]));
  }
  if (folder) (void)closedir(folder);
  if (*num) qsort(*names, (size_t)*num, sizeof(char *), by_name);
  PetscFunctionReturn(0);
}

PetscErrorCode CospinPartsList(const CospinParts *parts, int *num, char ***names)
{
  PetscFunctionBeginUser;
  PetscCall(list(parts, shards, num, names));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinPartsListCheckpoints(const CospinParts *parts, int *num, char ***names)
{
  PetscFunctionBeginUser;
  PetscCall(list(parts, checkpoints, num, names));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinPartsFreeList(int num, char ***names)
{
  PetscFunctionBeginUser;
  for (int k = 0; k < num; k++) PetscCall(PetscFree((*names)[k]));
  PetscCall(PetscFree(*names));
  PetscFunctionReturn(0);
}

/* Five digits each: names stay sorted up to 99999 runs, groups or shards. */
PetscErrorCode CospinPartsShard(const CospinParts *parts, int group, int shard, char name[], size_t size)
{
  PetscFunctionBeginUser;
  PetscCall(
      PetscSNPrintf(name, size, "%s/points-%05d-%05d-%05d.h5", parts->folder, parts->run, group, shard));
  PetscFunctionReturn(0);
}
