/*
   `cospin plan`: the deck with every default written out, and as comments what it would cost: sizes of all
   sectors of each task, memory and time of the worst grid point and of all of them, and a SLURM line.
   Nothing is solved and no matrix is made; sectors are counted by the census, exactly where that takes no
   time.

   What is printed is itself a deck: `cospin plan a.yaml >b.yaml` and b.yaml gives the same numbers.

   What is printed and why: dimensions, for they decide whether a deck can run at all; symmetry and sectors,
   for a symmetry that one term has broken shows here; time and memory of the worst point, for the job; the
   completed deck, for it shows the defaults.
*/
#include <cospin/cli/report.h>
#include <cospin/farm/machine.h>
#include <cospin/operator/liouvillian.h>
#include <cospin/problem/census.h>
#include <cospin/solver/expansion.h>
#include <cospin/tasks/instead.h>
#include <cospin/tasks/tables.h>
#include <string.h>

/* Powers of ten, as job scripts and disks have them. */
static const char *human_bytes(double bytes, char text[32])
{
  static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB"};
  int k = 0;

  for (; bytes >= 1000 && k < 5; k++) bytes /= 1000;
  (void)snprintf(text, 32, "%.3g %s", bytes, units[k]);
  return text;
}

static const char *human_seconds(double seconds, char text[32])
{
  if (seconds < 120) {
    (void)snprintf(text, 32, "%.2g s", seconds);
  } else if (seconds < 7200) {
    (void)snprintf(text, 32, "%.0f min", seconds / 60);
  } else if (seconds < 1e8) {
    (void)snprintf(text, 32, "%.1f h", seconds / 3600);
  } else {
    (void)snprintf(text, 32, "%.3g years", seconds / 31557600);
  }
  return text;
}

/* Functions take the place of labels. At the degree that is usual; which one it will be, the errors
   decide. */
static PetscErrorCode view_expansion(CospinProblem problem, FILE *stream)
{
  const char *why;
  int dimensions, degree, functions;
  double bytes, seconds;

  PetscFunctionBeginUser;
  PetscCall(CospinExpansionDimensions(problem->generator, &dimensions, &why));
  CospinExpansionCost(problem->generator, dimensions, &degree, &functions, &bytes, &seconds);
  fprintf(stream,
          "#   expansion around a stable point: %d functions of %d labels at degree %d, at any size\n",
          functions, dimensions, degree);
  PetscFunctionReturn(0);
}

/* Components, symmetry and how many moves there are: what the program has made of the deck. Moves and
   terms: how many the deck's Hamiltonian and jumps have become. Terms that cancel are gone. */
static PetscErrorCode view_problem(CospinProblem problem, FILE *stream)
{
  char text[256];
  size_t chains = 0;

  PetscFunctionBeginUser;
  for (int c = 0; c < problem->system.num_components; c++) {
    CospinComponent component = &problem->system.components[c];
    PetscCall(component->kind->Describe(component, text, sizeof(text)));
    fprintf(stream, "#   component %s: %s, %s\n", component->name, component->kind->record.name, text);
  }
  if (problem->deck->approximate) {
    fprintf(stream, "#   no task needs an element of Liouville space, and none is made\n");
    PetscFunctionReturn(0);
  }
  for (int k = 0; k < problem->generator->count; k++)
    chains += (size_t)problem->generator->moves[k].num_chains;
  fprintf(stream, "#   generator: %d moves, %zu terms\n", problem->generator->count, chains);
  PetscCall(CospinProblemDescribeSymmetry(problem, text, sizeof(text)));
  fprintf(stream, "#   symmetry found: %s\n", text);
  if (problem->deck->operator_form == COSPIN_OPERATOR_EXPANSION) PetscCall(view_expansion(problem, stream));
  PetscFunctionReturn(0);
}

/* A number of labels: whole while doubles count, and as far as it is known. */
static const char *human_count(double count, PetscBool exact, char text[32])
{
  (void)snprintf(text, 32, exact && count < 1e15 ? "%.0f" : exact ? "%.3g" : "about %.2g", count);
  return text;
}

/* The name that the deck takes in `sector:`, its dimension, and what would be done with it. Nonzeros are
   an upper limit: each move leads from a label to one other at most. */
static PetscErrorCode view_sector(CospinProblem problem, const CospinRecord *task, CospinCensus census,
                                  const int representative[], FILE *stream)
{
  CospinCount count;
  PetscBool shell;
  char text[COSPIN_SECTOR_NAME], dimension[32], nonzeros[32];

  PetscFunctionBeginUser;
  PetscCall(CospinCensusCount(census, representative, &count));
  PetscCall(CospinGeneratorIsShell(problem, representative, count.labels, &shell));
  if (CospinTaskFactorises(task)) shell = PETSC_FALSE;
  PetscCall(CospinProblemDescribeSector(problem, representative, text, sizeof(text)));
  fprintf(stream, "#     sector %s: dimension %s, ", text, human_count(count.labels, count.exact, dimension));
  if (shell)
    fprintf(stream, "held without a matrix\n");
  else
    fprintf(stream, "at most %s nonzeros\n",
            human_count(count.labels * problem->generator->count, PETSC_TRUE, nonzeros));
  PetscFunctionReturn(0);
}

/* The first few of each task's sectors, with their names and exact dimensions where counting ends in time. */
static PetscErrorCode view_sectors(CospinProblem problem, const CospinRecord *task, FILE *stream)
{
  enum { MAX_SECTORS = 8 };
  int num, *representatives, n;
  CospinProblem solved;
  CospinCensus census;

  PetscFunctionBeginUser;
  PetscCall(CospinTaskGetProblem(problem, task, &solved));
  PetscCall(CospinTaskKindOf(task)->Sectors(problem, task, &num, &representatives));
  PetscCall(CospinCensusCreate(&solved->system, solved->lattice, PETSC_FALSE, &census));
  n = solved->system.num_coordinates;
  for (int k = 0; k < PetscMin(num, MAX_SECTORS); k++) {
    const int *label = representatives + k * n;
    PetscBool repeated = PETSC_FALSE; /* of a list that is not whole */
    if (k) PetscCall(PetscArraycmp(label, label - n, (size_t)n, &repeated));
    if (!repeated) PetscCall(view_sector(solved, task, census, label, stream));
  }
  PetscCall(CospinCensusDestroy(&census));
  if (num > MAX_SECTORS)
    fprintf(stream, "#     ... and %s%d more\n", num > COSPIN_MAX_SECTORS ? "more than " : "",
            PetscMin(num, COSPIN_MAX_SECTORS) - MAX_SECTORS);
  PetscCall(PetscFree(representatives));
  PetscCall(CospinTaskRestoreProblem(problem, &solved));
  PetscFunctionReturn(0);
}

/* Estimates at the first grid point; the worst one is told below. too_large is said here, before a queue
   has been waited in for nothing. */
static PetscErrorCode view_tasks(CospinProblem problem, FILE *stream)
{
  char memory[32], time[32], why[256];
  PetscBool may;

  PetscFunctionBeginUser;
  for (int k = 0; k < problem->deck->num_tasks; k++) {
    const CospinRecord *task = &problem->deck->tasks[k];
    CospinTaskEstimate estimate;
    PetscCall(CospinEstimateTask(problem, task, &estimate));
    fprintf(stream, "#   task %s%s%s: about %s, %s on one rank\n", task->name,
            strcmp(task->name, task->kind->name) ? ", kind " : "",
            strcmp(task->name, task->kind->name) ? task->kind->name : "",
            human_bytes(estimate.factor_bytes + estimate.matrix_bytes + estimate.sector_bytes, memory),
            human_seconds(estimate.seconds, time));
    PetscCall(view_sectors(problem, task, stream));
    CospinEstimateLimit(&estimate, 1, PETSC_INFINITY, why, sizeof(why));
    may = PETSC_FALSE;
    if (why[0]) PetscCall(CospinTaskMayExpand(problem, task, &may));
    if (why[0])
      fprintf(stream, "#     too_large%s: it %s\n", may ? ", unless an expansion has good numbers" : "", why);
    if (may) PetscCall(view_expansion(problem, stream));
  }
  PetscFunctionReturn(0);
}

static void view_grid(CospinDeck deck, FILE *stream)
{
  fprintf(stream, "# grid: %" PetscInt64_FMT " point%s", CospinDeckNumPoints(deck),
          CospinDeckNumPoints(deck) == 1 ? "" : "s");
  for (int a = 0; a < deck->num_axes; a++) {
    const CospinAxis *axis = &deck->axes[a];
    fprintf(stream, "%s %s: %d from %g to %g", a ? "," : " =", axis->name, axis->size, axis->values[0],
            axis->values[axis->size - 1]);
  }
  fprintf(stream, "\n");
}

/* What to ask SLURM for: twice the time and 1.5 times the memory of the estimate. The estimate holds to a
   factor of two or so; 200 megabytes are the program and its libraries. */
static void view_slurm(const CospinPointEstimate *worst, CospinSplit split, double seconds, const char file[],
                       FILE *stream)
{
  static const double most_seconds = 1e8, most_bytes = 1e15; /* years; what clusters have */
  const double wanted = PetscMax(300.0, 2.0 * seconds);
  const int ranks_per_point = split.ranks / split.groups;
  const long minutes = (long)(PetscMin(wanted, most_seconds) / 60.0) + 1;
  const long megabytes = (long)(1.5 * PetscMin(worst->bytes, most_bytes) / ranks_per_point / 1e6) + 200;

  if (wanted > most_seconds || worst->bytes > most_bytes) {
    fprintf(stream, "# SLURM: no job is that large\n");
    return;
  }
  fprintf(stream, "# SLURM: #SBATCH --ntasks=%d --cpus-per-task=1 --mem-per-cpu=%ldM --time=%ld:%02ld:00\n",
          split.ranks, megabytes, minutes / 60, minutes % 60);
  fprintf(stream, "#        OMP_NUM_THREADS=1 srun --mpi=pmix cospin run %s\n", file);
}

/* What more ranks would bring a point that can keep them busy: those who ask for a job's size want the price
   of the next doubling. */
static void view_scaling(const CospinPointEstimate *worst, FILE *stream)
{
  enum { MOST = 64 };
  const int fed = CospinEstimateFed(worst, MOST);
  char time[32];

  if (fed < 2) return;
  fprintf(stream, "#   it keeps %d ranks%s busy; on 1", fed, fed == MOST ? " and more" : "");
  for (int ranks = 2; ranks <= fed; ranks *= 2) fprintf(stream, ", %d", ranks);
  fprintf(stream, ": about %s", human_seconds(worst->seconds, time));
  for (int ranks = 2; ranks <= fed; ranks *= 2)
    fprintf(stream, ", %s", human_seconds(CospinEstimateOnRanks(worst->seconds, ranks), time));
  fprintf(stream, "\n");
}

/* Of one group of ranks as `run` would make them on so many. Either all ranks are busy all the time, or
   one group is with the longest point: the larger of both is the time. */
static PetscErrorCode view_cost(CospinDeck deck, const char file[], int ranks, FILE *stream)
{
  CospinPointEstimate worst;
  CospinSplit split;
  double total, seconds;
  char memory[32], time[32], all[32];

  PetscFunctionBeginUser;
  PetscCall(CospinEstimateGrid(deck, CospinMachineBytes(), &worst, &total));
  split = CospinEstimateSplit(&worst, CospinDeckNumPoints(deck), ranks, CospinMachineBytes() / ranks);
  seconds = CospinEstimateOnRanks(PetscMax(total / split.groups, worst.seconds), split.ranks / split.groups);
  fprintf(stream, "# cost (rough): the largest point %" PetscInt64_FMT " takes about %s and %s on one rank\n",
          worst.point, human_bytes(worst.bytes, memory), human_seconds(worst.seconds, time));
  view_scaling(&worst, stream);
  fprintf(stream, "#   on %d rank%s: %d group%s, %d busy rank%s, about %s for the grid\n", ranks,
          ranks == 1 ? "" : "s", split.groups, split.groups == 1 ? "" : "s", split.ranks,
          split.ranks == 1 ? "" : "s", human_seconds(seconds, all));
  view_slurm(&worst, split, seconds, file, stream);
  PetscFunctionReturn(0);
}

/* Everything in front of the deck is comments of YAML (#), so that the output is a deck. */
PetscErrorCode CospinPlanView(CospinDeck deck, CospinTable table, const char file[], int ranks, FILE *stream)
{
  CospinProblem problem;
  PetscBool ok;

  PetscFunctionBeginUser;
  fprintf(stream, "# plan of %s\n", file);
  view_grid(deck, stream);
  fprintf(stream, "# at the first point:\n");
  PetscCall(CospinProblemCreate(deck, 0, NULL, &problem, &ok));
  problem->bytes = CospinMachineBytes();
  PetscCall(CospinTasksFitWindow(problem));
  PetscCall(view_problem(problem, stream));
  PetscCall(view_tasks(problem, stream));
  PetscCall(CospinProblemDestroy(&problem));
  PetscCall(view_cost(deck, file, ranks, stream));
  fprintf(stream, "# results: %d variables, %d numbers a point\n# the deck, completed:\n",
          table->layout.num_variables, table->layout.record_length);
  PetscCall(CospinDeckViewCompleted(deck, stream));
  PetscFunctionReturn(0);
}
