/*
   Whether the output may be written: it must not be the deck, nor a file that the deck reads (under
   whatever name: files are compared by device and inode), nor a folder, a pipe or a device. Asked before
   anything is computed, since a run of hours whose result cannot be stored is the worst way to find out.

   A symbolic link is followed to the end, for the rename at the end of a run would put a file in place of
   the link.
*/
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif
#include "output.h"
#include "identity.h"
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_LINKS = 40 };

/* A circle of links ends at MAX_LINKS and counts as a plain file, which then cannot be opened. */
PetscErrorCode CospinOutputResolve(const char file[], char resolved[], size_t size)
{
  char target[PETSC_MAX_PATH_LEN], name[PETSC_MAX_PATH_LEN];
  ssize_t length;

  PetscFunctionBeginUser;
  PetscCall(PetscSNPrintf(name, sizeof(name), "%s", file));
  for (int k = 0; (length = readlink(name, target, sizeof(target) - 1)) > 0; k++) {
    char *slash = strrchr(name, '/');
    if (k == MAX_LINKS) {
      PetscCall(PetscSNPrintf(name, sizeof(name), "%s", file));
      break;
    }
    target[length] = 0;
    if (target[0] == '/' || !slash) {
      PetscCall(PetscSNPrintf(name, sizeof(name), "%s", target));
    } else { /* from the folder of the link on */
      slash[1] = 0;
      PetscCall(PetscStrlcat(name, target, sizeof(name)));
    }
  }
  PetscCall(PetscSNPrintf(resolved, size, "%s", name));
  PetscFunctionReturn(0);
}

/* What would be written, by device and inode. */
typedef struct {
  struct stat output, temporary;
  PetscBool has_output, has_temporary;
} Written;

/* By device and inode: links and other spellings of a path are the same file. */
static PetscBool same(const struct stat *a, const struct stat *b)
{
  return (PetscBool)(a->st_dev == b->st_dev && a->st_ino == b->st_ino);
}

/* Whether the file would be lost. */
static PetscBool would_replace(const Written *written, const char file[])
{
  struct stat status;

  if (stat(file, &status)) return PETSC_FALSE;
  return (PetscBool)((written->has_output && same(&status, &written->output)) ||
                     (written->has_temporary && same(&status, &written->temporary)));
}

/* The sentence if one of the files that are read is the output. */
typedef struct {
  const Written *written;
  const char *output;
  char *why;
  size_t size;
} Refusal;

/* A CospinIdentityFile. */
static PetscErrorCode refuse_input(void *context, const char name[], const char file[])
{
  const Refusal *refusal = (const Refusal *)context;

  PetscFunctionBeginUser;
  if (would_replace(refusal->written, file))
    PetscCall(PetscSNPrintf(refusal->why, refusal->size,
                            "%s would replace %s, which the deck reads: name another file with -o",
                            refusal->output, name));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinOutputCheck(const char output[], const char deck_file[], CospinDeck deck,
                                 PetscBool overwrite, char why[], size_t size)
{
  char file[PETSC_MAX_PATH_LEN], temporary[PETSC_MAX_PATH_LEN];
  Written written = {.has_output = PETSC_FALSE};
  Refusal refusal = {&written, output, why, size};
  const size_t length = strlen(output);

  PetscFunctionBeginUser;
  why[0] = 0;
  PetscCall(CospinOutputResolve(output, file, sizeof(file)));
  PetscCall(PetscSNPrintf(temporary, sizeof(temporary), "%s.tmp", file));
  written.has_output = (PetscBool)(stat(file, &written.output) == 0);
  written.has_temporary = (PetscBool)(stat(temporary, &written.temporary) == 0);
  if (deck_file && would_replace(&written, deck_file)) {
    PetscCall(PetscSNPrintf(why, size, "%s would replace the deck %s: name another file with -o", output,
                            deck_file));
  } else if (length == 0 || output[length - 1] == '/' ||
             (written.has_output && S_ISDIR(written.output.st_mode))) {
    PetscCall(PetscSNPrintf(why, size, "cannot write %s: it is a folder (-o names a file)", output));
  } else if (written.has_output && !S_ISREG(written.output.st_mode)) {
    PetscCall(
        PetscSNPrintf(why, size, "cannot write %s: it is a pipe or a device (-o names a file)", output));
  } else if (written.has_output && overwrite && access(file, W_OK)) {
    PetscCall(PetscSNPrintf(why, size, "cannot overwrite %s: %s", output, strerror(errno)));
  } else {
    PetscCall(CospinIdentityFiles(deck, refuse_input, &refusal));
  }
  PetscFunctionReturn(0);
}
