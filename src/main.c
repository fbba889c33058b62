/* cospin: options, deck, farm, summary, exit status. Everything below is handed its communicator. */
#include <cospin/command.h>
#include <cospin/cost.h>
#include <cospin/dataset.h>
#include <cospin/load.h>
#include <cospin/output.h>
#include <cospin/provenance.h>
#include <cospin/report.h>
#include <cospin/version.h>
#include <slepcsys.h>
#include <string.h>

enum { STATUS_GOOD = 0, STATUS_FAILED = 1, STATUS_WRONG = 2, STATUS_BAD_POINTS = 3 };

static PetscErrorCode choose_split(const CospinCommand *command, CospinDeck deck, PetscMPIInt size,
                                   CospinSplit *split)
{
  CospinPointEstimate worst;
  double total;

  PetscFunctionBeginUser;
  if (command->groups && command->ranks_per_point) {
    *split = (CospinSplit){command->groups, command->groups * command->ranks_per_point};
  } else if (command->groups) {
    *split = (CospinSplit){command->groups, size};
  } else if (command->ranks_per_point) {
    *split = (CospinSplit){size / command->ranks_per_point,
                           size / command->ranks_per_point * command->ranks_per_point};
  } else {
    PetscCall(CospinEstimateGrid(deck, &worst, &total));
    *split = CospinEstimateSplit(&worst, CospinDeckNumPoints(deck), size, CospinMachineBytes() / size);
  }
  PetscFunctionReturn(0);
}

/* Whatever the command asks for that can be seen to be impossible before anything is computed. */
static PetscErrorCode check_run(const CospinCommand *command, PetscMPIInt rank, PetscMPIInt size,
                                CospinSplit split, PetscBool *ok)
{
  char why[1024] = "";
  int fine = 1;

  PetscFunctionBeginUser;
  if (split.groups < 1 || split.groups > split.ranks || split.ranks > size) {
    PetscCall(PetscSNPrintf(why, sizeof(why),
                            "--groups and --ranks-per-point ask for more than the %d ranks there are", size));
    fine = 0;
  } else if (rank == 0) {
    fine = CospinOutputCheck(command->output, command->overwrite, why, sizeof(why));
  }
  PetscCallMPI(MPI_Bcast(&fine, 1, MPI_INT, 0, PETSC_COMM_WORLD));
  if (!fine && rank == 0) fprintf(stderr, "cospin: %s\n", why);
  *ok = (PetscBool)fine;
  PetscFunctionReturn(0);
}

static PetscErrorCode warn_unused_options(void)
{
  char **names, **values;
  PetscInt count;

  PetscFunctionBeginUser;
  PetscCall(PetscOptionsLeftGet(NULL, &count, &names, &values));
  for (PetscInt k = 0; k < count; k++) {
    if (strcmp(names[k], "options_left") == 0) continue;
    fprintf(stderr, "cospin: warning: nothing used the PETSc option -%s (options start with a task's name)\n",
            names[k]);
  }
  PetscCall(PetscOptionsLeftRestore(NULL, &count, &names, &values));
  PetscFunctionReturn(0);
}

/* Rank 0: dataset, summary, status. */
static PetscErrorCode finish(const CospinCommand *command, CospinDeck deck, CospinTable table,
                             const double records[], int num_stored, const CospinStored stored[],
                             CospinProvenance provenance, int *status)
{
  PetscInt64 num_bad;

  PetscFunctionBeginUser;
  PetscCall(CospinOutputWrite(command->output, deck, table, records, num_stored, stored, provenance, status));
  PetscCall(CospinSummaryView(deck, table, records, command->quiet ? NULL : stdout, &num_bad));
  if (*status == STATUS_GOOD && !command->quiet) printf("dataset: %s\n", command->output);
  if (*status == STATUS_GOOD && num_bad) *status = STATUS_BAD_POINTS;
  if (num_bad)
    fprintf(stderr, "cospin: %" PetscInt64_FMT " %s a bad outcome, see above or `cospin show`\n", num_bad,
            num_bad == 1 ? "point has" : "points have");
  PetscCall(warn_unused_options());
  PetscFunctionReturn(0);
}

static PetscErrorCode run(const CospinCommand *command, int argc, char *argv[], int *status)
{
  CospinFarmOptions options = {.progress = command->progress};
  CospinProvenance provenance;
  CospinDeck deck;
  CospinTable table;
  double *records;
  CospinStored *stored;
  int num_stored;
  PetscMPIInt rank, size;
  PetscBool ok;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  PetscCallMPI(MPI_Comm_size(PETSC_COMM_WORLD, &size));
  PetscCall(CospinLoad(PETSC_COMM_WORLD, command->file, &deck, &table, &ok));
  if (ok) PetscCall(choose_split(command, deck, size, &options.split));
  if (ok) PetscCall(check_run(command, rank, size, options.split, &ok));
  if (ok) {
    PetscCall(CospinLoadPetscOptions(deck));
    PetscCall(CospinProvenanceCreate(PETSC_COMM_WORLD, argc, argv, options.split.groups,
                                     options.split.ranks / options.split.groups, &provenance));
    PetscCall(CospinFarmRun(PETSC_COMM_WORLD, deck, table, &options, &records, &num_stored, &stored));
    if (rank == 0) PetscCall(finish(command, deck, table, records, num_stored, stored, provenance, status));
    PetscCall(PetscFree(records));
    for (int k = 0; k < num_stored; k++) PetscCall(CospinStoredDestroy(&stored[k]));
    PetscCall(PetscFree(stored));
    PetscCall(CospinProvenanceDestroy(&provenance));
  } else {
    *status = STATUS_WRONG;
  }
  PetscCallMPI(MPI_Bcast(status, 1, MPI_INT, 0, PETSC_COMM_WORLD));
  PetscCall(CospinTableDestroy(&table));
  PetscCall(CospinDeckDestroy(&deck));
  PetscFunctionReturn(0);
}

static PetscErrorCode plan(const CospinCommand *command, int *status)
{
  CospinDeck deck;
  CospinTable table;
  PetscMPIInt rank, size;
  PetscBool ok;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  PetscCallMPI(MPI_Comm_size(PETSC_COMM_WORLD, &size));
  PetscCall(CospinLoad(PETSC_COMM_WORLD, command->file, &deck, &table, &ok));
  if (ok && rank == 0) {
    PetscCall(CospinPlanView(deck, table, command->file, command->ranks ? command->ranks : size, stdout));
  }
  if (!ok) *status = STATUS_WRONG;
  PetscCall(CospinTableDestroy(&table));
  PetscCall(CospinDeckDestroy(&deck));
  PetscFunctionReturn(0);
}

static PetscErrorCode show(const CospinCommand *command, int *status)
{
  char why[1024] = "";
  PetscMPIInt rank;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  if (rank == 0 && CospinDatasetShow(command->file, stdout, why, sizeof(why))) {
    fprintf(stderr, "cospin: %s\n", why);
    *status = STATUS_WRONG;
  }
  PetscCallMPI(MPI_Bcast(status, 1, MPI_INT, 0, PETSC_COMM_WORLD));
  PetscFunctionReturn(0);
}

static PetscErrorCode act(const CospinCommand *command, int argc, char *argv[], int *status)
{
  PetscMPIInt rank;

  PetscFunctionBeginUser;
  PetscCall(PetscOptionsSetValue(NULL, "-options_left", "no")); /* told in our own words */
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  if (command->fault[0]) {
    if (rank == 0) fprintf(stderr, "cospin: %s\n", command->fault);
    *status = STATUS_WRONG;
  } else if (command->verb == COSPIN_COMMAND_RUN) {
    PetscCall(run(command, argc, argv, status));
  } else if (command->verb == COSPIN_COMMAND_PLAN) {
    PetscCall(plan(command, status));
  } else if (command->verb == COSPIN_COMMAND_SHOW) {
    PetscCall(show(command, status));
  } else if (rank == 0) {
    printf("%s", command->verb == COSPIN_COMMAND_HELP ? CospinCommandHelp : "cospin " COSPIN_VERSION "\n");
  }
  (void)fflush(stdout);
  (void)fflush(stderr);
  PetscCallMPI(
      MPI_Barrier(PETSC_COMM_WORLD)); /* mpiexec kills the others when one rank exits with a status */
  PetscFunctionReturn(0);
}

int main(int argc, char *argv[])
{
  CospinCommand command;
  int status = STATUS_GOOD;

  CospinCommandParse(argc, argv, &command);
  if (SlepcInitialize(&command.petsc_argc, &command.petsc_argv, NULL, NULL)) return STATUS_FAILED;
  if (act(&command, argc, argv, &status)) MPI_Abort(PETSC_COMM_WORLD, STATUS_FAILED);
  if (SlepcFinalize()) status = STATUS_FAILED;
  CospinCommandFree(&command);
  return status;
}
