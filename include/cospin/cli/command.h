/* The command line: what is asked for, and what is left to PETSc. */
#pragma once
#include <cospin/cli/report.h>

typedef enum {
  COSPIN_COMMAND_RUN,
  COSPIN_COMMAND_PLAN,
  COSPIN_COMMAND_EXPORT,
  COSPIN_COMMAND_NEW,
  COSPIN_COMMAND_SHOW,
  COSPIN_COMMAND_REFERENCE, /* from here on no file is needed */
  COSPIN_COMMAND_HELP,
  COSPIN_COMMAND_VERSION
} CospinVerb;

typedef struct {
  CospinVerb verb;
  const char *file;   /* deck, dataset, or word of the reference; borrowed from argv */
  char words[256];    /* all words that stand there as it does, with blanks between them */
  const char *second; /* the second of them, NULL: there is none; borrowed */
  const char *topic;  /* new: like which deck; NULL: not given; borrowed */
  int num_changes;
  const char **changes; /* NAME=EXPRESSION of --set, NULL at the end; owned, the texts are borrowed */
  char output[4096];    /* run: the dataset; export: the matrices, or: */
  int equations;        /* export: those of `cumulant` */
  long point;           /* export: of the grid */
  int groups, ranks_per_point, ranks; /* 0: not given */
  PetscBool slurm;                    /* plan: a job script ... */
  CospinNodes nodes;                  /* ... for such nodes */
  PetscBool quiet, overwrite, retry, deck, check, trust, man, search;
  CospinProgressMode progress;
  double checkpoint;  /* seconds between two of a long evolution */
  double stop_at;     /* seconds since the epoch; 0: not given */
  double stop_within; /* seconds; 0: not given */
  int petsc_argc;     /* the program's name and all options of PETSc, NULL-terminated */
  char **petsc_argv;  /* owned */
  char fault[512];    /* "": the command is right; else one sentence */
} CospinCommand;

/* Not collective; may be called before MPI and PETSc are initialised. An option with one "-" that is not ours
   belongs to PETSc, and so does the word after it if that does not start with "-" (or is a negative number).
 */
void CospinCommandParse(int argc, char *argv[], CospinCommand *command);
/* The options --set as they would be given again, quoted for a shell, with a blank in front of each; cut to
   `size`. */
void CospinCommandQuoteChanges(const CospinCommand *command, char text[], size_t size);
void CospinCommandFree(CospinCommand *command);

extern const char CospinCommandHelp[];
/* The name of the k-th option, NULL behind the last. */
const char *CospinCommandOption(int k);
