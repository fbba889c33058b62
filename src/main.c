/*
   cospin: options, deck, farm, summary, exit status. Everything below is handed its communicator.

   The only file that names PETSC_COMM_WORLD, calls MPI_Abort and decides the exit status: 0 good, 2 the
   deck or the command is wrong, 3 some points are bad, 75 stopped early, 1 the program or the machine
   failed. Errors of PETSc travel up to here; a task that fails is caught below (farm/farm.c) and becomes
   an outcome.

   Order of a run: the command line before MPI; signals before PETSc (which has handlers of its own); the
   deck on every rank; the store, which tells what is missing; the split into groups; the farm; the
   dataset; the summary. Whatever is decided by one rank is broadcast before the next collective call: one
   that waits alone waits for ever.
*/
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif
#include <cospin/check/check.h>
#include <cospin/cli/command.h>
#include <cospin/cli/export.h>
#include <cospin/cli/load.h>
#include <cospin/cli/new.h>
#include <cospin/cli/reference.h>
#include <cospin/cli/report.h>
#include <cospin/cli/show.h>
#include <cospin/dataset/libraries.h>
#include <cospin/dataset/provenance.h>
#include <cospin/farm/machine.h>
#include <cospin/version.h>
#include <signal.h>
#include <slepcsys.h>
#include <stdlib.h>
#include <string.h>

/* and COSPIN_STATUS_STOPPED. SLURM and make see nothing else of a run. 75 is EX_TEMPFAIL of sysexits.h:
   try again, which is what a job script does. */
enum { STATUS_GOOD = 0, STATUS_FAILED = 1, STATUS_WRONG = 2, STATUS_BAD_POINTS = 3 };

/* What the user says wins, else the costs of the worst point decide. Groups compute points side by side,
   ranks of a group share one point: many small points want many groups, one large point wants all ranks
   and their memory. Shares of memory differ between nodes; the least one counts. */
static PetscErrorCode choose_split(const CospinCommand *command, CospinDeck deck, PetscInt64 num_points,
                                   PetscMPIInt size, CospinSplit *split)
{
  CospinPointEstimate worst;
  double total, share;

  PetscFunctionBeginUser;
  if (command->groups && command->ranks_per_point) {
    *split = (CospinSplit){command->groups, command->groups * command->ranks_per_point};
  } else if (command->groups) {
    *split = (CospinSplit){command->groups, size};
  } else if (command->ranks_per_point) {
    *split = (CospinSplit){size / command->ranks_per_point,
                           size / command->ranks_per_point * command->ranks_per_point};
  } else {
    PetscCall(CospinMachineShare(PETSC_COMM_WORLD, &share));
    PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &share, 1, MPI_DOUBLE, MPI_MIN, PETSC_COMM_WORLD));
    PetscCall(CospinEstimateGrid(deck, size * share, &worst, &total));
    *split = CospinEstimateSplit(&worst, PetscMax(1, num_points), size, share);
  }
  PetscFunctionReturn(0);
}

/* Ranks beyond the groups stay idle, which is allowed. */
static void check_split(CospinSplit split, PetscMPIInt rank, PetscMPIInt size, PetscBool *ok)
{
  *ok = (PetscBool)(split.groups >= 1 && split.groups <= split.ranks && split.ranks <= size);
  if (*ok || rank) return;
  fprintf(stderr, "cospin: --groups and --ranks-per-point ask for more than the %d ranks there are\n", size);
}

/* An option that nobody has asked for is misspelt or lacks its task's name; PETSc alone would be silent or
   print a table of its own. */
static PetscErrorCode warn_unused_options(void)
{
  char **names, **values;
  PetscInt count;

  PetscFunctionBeginUser;
  PetscCall(PetscOptionsLeftGet(NULL, &count, &names, &values));
  for (PetscInt k = 0; k < count; k++) {
    /* Set by ourselves, in act(). */
    if (strcmp(names[k], "options_left") == 0) continue;
    fprintf(stderr, "cospin: warning: nothing used the PETSc option -%s (options start with a task's name)\n",
            names[k]);
  }
  PetscCall(PetscOptionsLeftRestore(NULL, &count, &names, &values));
  PetscFunctionReturn(0);
}

/* Rank 0: summary, status. The worst thing that happened is the status: no dataset, then stopped early,
   then bad points. A run that has been stopped may have bad points, too; they are told again when it is
   complete. */
static PetscErrorCode finish(const CospinCommand *command, CospinDeck deck, CospinTable table,
                             const double records[], PetscBool whole, PetscBool stopped, int *status)
{
  PetscInt64 num_bad, num_missing;

  PetscFunctionBeginUser;
  PetscCall(CospinSummaryView(deck, table, records, command->quiet ? NULL : stdout, &num_bad, &num_missing));
  if (whole && !command->quiet) printf("dataset: %s\n", command->output);
  if (whole && !stopped && num_missing) { /* a disk that forgets: the shard has been put aside */
    fprintf(stderr, "cospin: %" PetscInt64_FMT " computed %s not read back: give the same command again\n",
            num_missing, num_missing == 1 ? "point could" : "points could");
    whole = PETSC_FALSE;
  }
  *status = !whole    ? STATUS_FAILED
            : stopped ? COSPIN_STATUS_STOPPED
            : num_bad ? STATUS_BAD_POINTS
                      : STATUS_GOOD;
  if (num_bad)
    fprintf(stderr, "cospin: %" PetscInt64_FMT " %s a bad outcome, see above or `cospin show`\n", num_bad,
            num_bad == 1 ? "point has" : "points have");
  if (stopped)
    fprintf(stderr, "cospin: stopped as asked, %" PetscInt64_FMT " %s missing: the same command goes on\n",
            num_missing, num_missing == 1 ? "point is" : "points are");
  PetscCall(warn_unused_options());
  PetscFunctionReturn(0);
}

/* What is said before a run that goes on. Said because it may surprise: numbers of another day, and maybe
   of another revision, become part of this result. */
static void tell_found(const CospinCommand *command, PetscMPIInt rank, PetscInt64 num_points,
                       PetscInt64 missing)
{
  if (rank || command->quiet || missing == num_points) return;
  fprintf(stderr, "cospin: %" PetscInt64_FMT " of %" PetscInt64_FMT " point%s there already\n",
          num_points - missing, num_points, num_points == 1 ? " is" : "s are");
}

/* From here on signals mean: stop in order. Collective. Records of all points are read back from what was
   written, so that the summary tells what is in the file and not what was in memory. */
static PetscErrorCode compute(const CospinCommand *command, int argc, char *argv[], CospinDeck deck,
                              CospinTable table, CospinStore store, CospinSplit split, CospinStop stop,
                              int *status)
{
  CospinFarmOptions options = {
      .split = split, .progress = command->progress, .stop = stop, .checkpoint = command->checkpoint};
  CospinProvenance provenance;
  double *records;
  PetscMPIInt rank;
  PetscBool whole, stopped;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  CospinStopBegin(stop);
  /* Behind the signals and before the first solver: options of the deck do not replace those of the
     command line. */
  PetscCall(CospinLoadPetscOptions(deck));
  PetscCall(CospinProvenanceCreate(PETSC_COMM_WORLD, argc, argv, split.groups, split.ranks / split.groups,
                                   &provenance));
  PetscCall(CospinStoreSetProvenance(store, provenance));
  PetscCall(CospinFarmRun(PETSC_COMM_WORLD, deck, table, store, &options, &stopped));
  PetscCall(CospinStoreFinish(store, &records, &whole));
  if (rank == 0) PetscCall(finish(command, deck, table, records, whole, stopped, status));
  PetscCall(PetscFree(records));
  PetscCall(CospinProvenanceDestroy(&provenance));
  PetscFunctionReturn(0);
}

/* Each step is skipped once `ok` is false, on all ranks alike, and everything is freed at the end whatever
   was made. */
static PetscErrorCode run(const CospinCommand *command, int argc, char *argv[], CospinStop stop, int *status)
{
  const CospinStoreOptions options = {command->overwrite, command->retry, command->file};
  const PetscInt64 *points;
  PetscInt64 num = 0;
  CospinDeck deck;
  CospinTable table;
  CospinStore store = NULL;
  CospinSplit split = {0};
  PetscMPIInt rank, size;
  PetscBool ok;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  PetscCallMPI(MPI_Comm_size(PETSC_COMM_WORLD, &size));
  /* Signals reach all ranks; one of them answers. */
  if (rank == 0) CospinStopSpeak(stop);
  PetscCall(CospinLoad(PETSC_COMM_WORLD, command->file, command->changes, &deck, &table, &ok));
  if (ok) PetscCall(CospinStoreOpen(PETSC_COMM_WORLD, command->output, deck, table, &options, &store, &ok));
  if (ok) {
    CospinStoreMissing(store, &num, &points);
    PetscCall(choose_split(command, deck, num, size, &split));
    check_split(split, rank, size, &ok);
  }
  if (ok) {
    tell_found(command, rank, CospinDeckNumPoints(deck), num);
    PetscCall(compute(command, argc, argv, deck, table, store, split, stop, status));
  } else {
    *status = STATUS_WRONG;
  }
  PetscCallMPI(MPI_Bcast(status, 1, MPI_INT, 0, PETSC_COMM_WORLD));
  PetscCall(CospinStoreClose(&store));
  PetscCall(CospinTableDestroy(&table));
  PetscCall(CospinDeckDestroy(&deck));
  PetscFunctionReturn(0);
}

/* The deck is read by all ranks, as in `run`, so that a fault is found by the same code; one prints. */
static PetscErrorCode plan(const CospinCommand *command, int *status)
{
  CospinDeck deck;
  CospinTable table;
  PetscMPIInt rank, size;
  PetscBool ok;
  char changes[4096], named[8192];

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  PetscCallMPI(MPI_Comm_size(PETSC_COMM_WORLD, &size));
  PetscCall(CospinLoad(PETSC_COMM_WORLD, command->file, command->changes, &deck, &table, &ok));
  CospinCommandQuoteChanges(command, changes, sizeof(changes));
  /* The file with its --set as a shell would take them: the lines that `plan` prints can be copied. */
  PetscCall(PetscSNPrintf(named, sizeof(named), "%s%s", command->file, changes));
  if (ok && rank == 0 && command->slurm) {
    PetscCall(CospinPlanSlurm(deck, command->file, command->output, changes, &command->nodes, stdout));
  } else if (ok && rank == 0) {
    PetscCall(CospinPlanView(deck, table, named, command->ranks ? command->ranks : size, stdout));
  }
  if (!ok) *status = STATUS_WRONG;
  PetscCall(CospinTableDestroy(&table));
  PetscCall(CospinDeckDestroy(&deck));
  PetscFunctionReturn(0);
}

/* Matrices and equations are those of one rank. */
static PetscErrorCode export_text(const CospinCommand *command, int *status)
{
  CospinDeck deck;
  CospinTable table;
  PetscMPIInt rank;
  PetscBool ok, written = PETSC_TRUE;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  PetscCall(CospinLoad(PETSC_COMM_WORLD, command->file, command->changes, &deck, &table, &ok));
  if (ok && rank == 0)
    PetscCall((command->equations ? CospinExportEquations : CospinExport)(deck, command->point,
                                                                          command->output, &written));
  PetscCallMPI(MPI_Bcast(&written, 1, MPI_INT, 0, PETSC_COMM_WORLD));
  if (!ok || !written) *status = STATUS_WRONG;
  PetscCall(CospinTableDestroy(&table));
  PetscCall(CospinDeckDestroy(&deck));
  PetscFunctionReturn(0);
}

/* ---- Commands that only read and write: the first rank does them alone ----------------------------------
 */

/* One of the commands below; *ok false: the user has asked for something that is not there. */
typedef PetscErrorCode (*Writer)(const CospinCommand *command, PetscBool *ok);

/* `--check` computes again what a file lets one compute; without it, what the file says of itself is told. */
static PetscErrorCode show(const CospinCommand *command, PetscBool *ok)
{
  PetscFunctionBeginUser;
  if (command->check)
    PetscCall(CospinShowCheck(command->file, stdout, ok));
  else
    PetscCall((command->deck ? CospinShowDeck : CospinShow)(command->file, command->trust, stdout, ok));
  PetscFunctionReturn(0);
}

static PetscErrorCode start_deck(const CospinCommand *command, PetscBool *ok)
{
  PetscFunctionBeginUser;
  PetscCall(CospinNewDeck(command->file, command->topic, stdout, ok));
  PetscFunctionReturn(0);
}

static PetscErrorCode reference(const CospinCommand *command, PetscBool *ok)
{
  PetscFunctionBeginUser;
  if (command->search)
    PetscCall(CospinReferenceSearch(command->words, stdout, ok));
  else
    PetscCall(CospinReferenceView(command->file, command->man, stdout, ok));
  if (!*ok && command->search)
    fprintf(stderr, "cospin: nothing was found for `%s` (other words, or `cospin reference` for all of it)\n",
            command->words);
  else if (!*ok)
    fprintf(
        stderr,
        "cospin: the reference knows no `%s` (`cospin reference --search %s` looks for what is like it)\n",
        command->file, command->file);
  PetscFunctionReturn(0);
}

/* All ranks end with the first one's status. An output that several ranks print is no output: `mpiexec
   cospin show` is a slip of the finger and yet has to do the right thing. */
static PetscErrorCode write_alone(const CospinCommand *command, Writer writer, int *status)
{
  PetscMPIInt rank;
  PetscBool ok = PETSC_TRUE;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  if (rank == 0) PetscCall(writer(command, &ok));
  if (!ok) *status = STATUS_WRONG;
  PetscCallMPI(MPI_Bcast(status, 1, MPI_INT, 0, PETSC_COMM_WORLD));
  PetscFunctionReturn(0);
}

/* A version between two releases is told by its revision; a bug report needs the libraries, too. The first
   line is for programs, and stays as it is. */
static PetscErrorCode tell_version(void)
{
  char text[COSPIN_LIBRARY_TEXT];
  const char *name;

  PetscFunctionBeginUser;
  printf("cospin %s, revision %.12s%s\n", COSPIN_VERSION, COSPIN_GIT_REVISION,
         COSPIN_GIT_DIRTY ? " and changes" : "");
  for (int k = 0;; k++) {
    PetscCall(CospinLibraryVersion(k, &name, text));
    if (!name) break;
    printf("  %-8s  %s\n", name, text);
  }
  PetscFunctionReturn(0);
}

/* What a user asks of the program itself. */
static PetscErrorCode tell(const CospinCommand *command, PetscBool *ok)
{
  PetscFunctionBeginUser;
  *ok = PETSC_TRUE;
  if (command->verb == COSPIN_COMMAND_VERSION)
    PetscCall(tell_version());
  else
    printf("%s", CospinCommandHelp);
  PetscFunctionReturn(0);
}

/* NULL: a command that computes. */
static Writer writer_of(const CospinCommand *command)
{
  static const struct {
    CospinVerb verb;
    Writer writer;
  } writers[] = {{COSPIN_COMMAND_NEW, start_deck},
                 {COSPIN_COMMAND_SHOW, show},
                 {COSPIN_COMMAND_REFERENCE, reference},
                 {COSPIN_COMMAND_HELP, tell},
                 {COSPIN_COMMAND_VERSION, tell}};

  for (size_t k = 0; k < sizeof(writers) / sizeof(writers[0]); k++) {
    if (writers[k].verb == command->verb) return writers[k].writer;
  }
  return NULL;
}

/* A launcher has started this process, and maybe others beside it. */
static int is_launched(void)
{
  static const char *const said[] = {"OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK", "MPI_LOCALRANKID",
                                     "SLURM_STEP_ID"};

  for (size_t k = 0; k < sizeof(said) / sizeof(said[0]); k++) {
    if (getenv(said[k])) return 1;
  }
  return 0;
}

/* What needs neither MPI nor PETSc's own beginning does without: that takes a tenth of a second and leaves a
   daemon behind. An error is told by doing it again with both. */
static int write_at_once(const CospinCommand *command, int *status)
{
  const Writer writer = writer_of(command);
  PetscBool ok = PETSC_TRUE;

  if (is_launched() || command->petsc_argc > 1 || command->check) return 0;
  if (command->fault[0]) {
    fprintf(stderr, "cospin: %s\n", command->fault);
    *status = STATUS_WRONG;
    return 1;
  }
  if (!writer) return 0;
  (void)signal(SIGPIPE, SIG_IGN);
  if (PetscPushErrorHandler(PetscReturnErrorHandler, NULL)) return 0;
  if (writer(command, &ok)) {
    (void)PetscPopErrorHandler();
    return 0;
  }
  if (!ok) *status = STATUS_WRONG;
  return 1;
}

/* Every path ends in the barrier, so that no rank leaves while another one still prints or writes. */
static PetscErrorCode act(const CospinCommand *command, int argc, char *argv[], CospinStop stop, int *status)
{
  PetscMPIInt rank;

  PetscFunctionBeginUser;
  PetscCall(PetscOptionsSetValue(NULL, "-options_left", "no")); /* told in our own words */
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  if (command->fault[0]) {
    if (rank == 0) fprintf(stderr, "cospin: %s\n", command->fault);
    *status = STATUS_WRONG;
  } else if (command->verb == COSPIN_COMMAND_RUN) {
    PetscCall(run(command, argc, argv, stop, status));
  } else if (command->verb == COSPIN_COMMAND_PLAN) {
    PetscCall(plan(command, status));
  } else if (command->verb == COSPIN_COMMAND_EXPORT) {
    PetscCall(export_text(command, status));
  } else {
    PetscCall(write_alone(command, writer_of(command), status));
  }
  (void)fflush(stdout);
  (void)fflush(stderr);
  PetscCallMPI(
      MPI_Barrier(PETSC_COMM_WORLD)); /* mpiexec kills the others when one rank exits with a status */
  PetscFunctionReturn(0);
}

/* Open MPI 4.1 prefers its one-sided component `rdma` also over TCP between nodes, where it then refuses to
   make a window; the others work. A user's own setting stays. */
static void avoid_bad_windows(void)
{
  (void)setenv("OMPI_MCA_osc", "^rdma", 0);
}

/* PETSc takes HUP for a crash, also where nohup has it ignored. So whatever HUP was set to before is set
   again behind PETSc's back. SIGPIPE is ignored once MPI is up. */
static PetscErrorCode initialise(CospinCommand *command)
{
  /* Setting it is the only way of C to read it. */
  void (*hangup)(int) = signal(SIGHUP, SIG_DFL);
  PetscErrorCode code;

  (void)signal(SIGHUP, hangup);
  code = SlepcInitialize(&command->petsc_argc, &command->petsc_argv, NULL, NULL);
  (void)signal(SIGHUP, hangup);
  (void)signal(SIGPIPE, SIG_IGN); /* `cospin show | head`; nor does a closed log end a run */
  return code;
}

/* Nothing here is collective before initialise() and nothing after SlepcFinalize(); an error in between
   ends all ranks, for the others would wait for this one. */
int main(int argc, char *argv[])
{
  CospinCommand command;
  CospinStop stop = NULL;
  int status = STATUS_GOOD;

  avoid_bad_windows();
  CospinCommandParse(argc, argv, &command);
  if (write_at_once(&command, &status)) {
    CospinCommandFree(&command);
    return status;
  }
  if (command.verb == COSPIN_COMMAND_RUN) { /* for the others signals do what they always do */
    stop = CospinStopCreate(command.stop_at, command.stop_within);
    if (!stop) return STATUS_FAILED;
  }
  if (initialise(&command)) return STATUS_FAILED;
  if (act(&command, argc, argv, stop, &status)) MPI_Abort(PETSC_COMM_WORLD, STATUS_FAILED);
  if (SlepcFinalize()) status = STATUS_FAILED;
  CospinStopDestroy(&stop);
  CospinCommandFree(&command);
  return status;
}
