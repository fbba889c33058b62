/*
   `cospin plan --slurm`: the job script that fits what a deck is estimated to cost.

   What it decides: how many ranks share a point (memory per rank), how many points run at a time, a time
   limit with a margin before which the run stops by itself and is requeued. Factors of safety stand in front,
   since estimates hold to a factor of two or three.
*/
#include <cospin/cli/report.h>
#include <string.h>
#include <unistd.h>

enum { MAX_NODES = 1000 };

static const double more_time = 2.0, more_memory = 1.5; /* than estimated is asked for */
static const double usable_memory = 0.9;                /* of a node: the rest is the system's */
static const double longest = 12 * 3600.0;   /* a job; what takes longer gets more nodes, then requeues */
static const double least = 600.0;           /* beside the margin */
static const double shortest_margin = 300.0; /* as in jobscripts/job.sh */

/* What is asked for, and where that comes from. */
typedef struct {
  CospinPointEstimate worst;
  double total_seconds; /* of the grid, one rank */
  int nodes, ranks_per_node, ranks_per_point;
  double seconds, margin, limit;
  long megabytes_per_rank;
} Job;

/* As the farm will split the ranks, so that what is asked for is what is used. Slowest point or all of the
   work, whichever takes longer. */
static void split_nodes(PetscInt64 num_points, const CospinNodes *machine, Job *job)
{
  CospinPointEstimate wanted = job->worst;
  CospinSplit split;

  wanted.bytes *= more_memory;
  split = CospinEstimateSplit(&wanted, num_points, job->nodes * machine->cores,
                              usable_memory * machine->bytes / machine->cores);
  job->ranks_per_point = split.ranks / split.groups;
  job->ranks_per_node = (split.ranks + job->nodes - 1) / job->nodes;
  job->seconds = PetscMax(job->total_seconds / split.ranks, job->worst.seconds / job->ranks_per_point);
}

/* Whether the worst point has the memory that it needs on its share of a node. */
static PetscBool fits(const CospinNodes *machine, const Job *job)
{
  const double room = usable_memory * machine->bytes * job->ranks_per_point / job->ranks_per_node;

  return (PetscBool)(more_memory * job->worst.bytes <= room);
}

/* The fewest nodes that have the memory and end in time. One node more at a time, since the split decides
   anew how many ranks share a point. */
static void choose_nodes(PetscInt64 num_points, const CospinNodes *machine, Job *job)
{
  job->nodes = machine->nodes ? machine->nodes : 1;
  split_nodes(num_points, machine, job);
  while (!machine->nodes && job->nodes < MAX_NODES &&
         (!fits(machine, job) || more_time * job->seconds > longest)) {
    const int before = job->nodes * job->ranks_per_node;
    job->nodes++;
    split_nodes(num_points, machine, job);
    if (fits(machine, job) && job->nodes * job->ranks_per_node <= before) { /* no more points to share out */
      job->nodes--;
      split_nodes(num_points, machine, job);
      break;
    }
  }
}

/* A point that has begun must be able to end: limit and margin are at least as long as the slowest one. */
static void choose_limits(Job *job)
{
  static const double most = 1e15; /* seconds, megabytes: what is beyond cannot be asked for */
  const double point = PetscMin(most, more_time * job->worst.seconds / job->ranks_per_point);
  const double megabytes = more_memory * job->worst.bytes / job->ranks_per_point / 1048576.0;

  job->margin = PetscMax(shortest_margin, point);
  job->limit = PetscMax(PetscMin(longest, PetscMax(least, more_time * job->seconds)), point) + job->margin;
  job->megabytes_per_rank = (long)PetscMin(most, megabytes) + 100;
}

/* For a shell: nothing means anything within single quotes but the quote itself. */
static void quote(const char text[], FILE *stream)
{
  fputc('\'', stream);
  for (const char *c = text; *c; c++) fprintf(stream, *c == '\'' ? "'\\''" : "%c", *c);
  fputc('\'', stream);
}

/* Estimates stand in the script as comments: who changes the deck sees what they were made of. */
static void view_head(const CospinNodes *machine, const Job *job, PetscInt64 num_points, const char file[],
                      const char options[], FILE *stream)
{
  fprintf(stream,
          "#!/usr/bin/env bash\n"
          "# Written by `cospin plan --slurm`, to be submitted from the folder of the deck's path:\n#\n"
          "#   cospin plan --slurm %s%s >job.sh && sbatch job.sh\n#\n"
          "# Where its sizes come from (estimated, so rough):\n",
          file, options);
  fprintf(stream, "#   the grid       %" PetscInt64_FMT " point%s, %.2g s on one core in all\n", num_points,
          num_points == 1 ? "" : "s", job->total_seconds);
  fprintf(stream,
          "#   largest point  %" PetscInt64_FMT " of those looked at: %.2g s and %.2g GB on one rank\n",
          job->worst.point, job->worst.seconds, job->worst.bytes * 1e-9);
  fprintf(stream, "#   a node         %d cores, %.3g GB (--cores-per-node, --memory-per-node)\n",
          machine->cores, machine->bytes * 1e-9);
  fprintf(stream, "#   here           %d node%s (--nodes), %d rank%s a point, about %.2g s for the grid\n",
          job->nodes, job->nodes == 1 ? "" : "s", job->ranks_per_point, job->ranks_per_point == 1 ? "" : "s",
          job->seconds);
  fprintf(
      stream,
      "#   asked for      %g times that time (%.0f min at least, %.0f h at most), %g times that memory, and\n"
      "#                  %.0f s in which points that have begun come to their end\n",
      more_time, least / 60, longest / 3600, more_memory, job->margin);
  if (!fits(machine, job))
    fprintf(stream, "# NOTE: the largest point is not expected to fit into the memory of these nodes.\n");
}

/* USR1 goes to the batch shell only (B:), which passes it on (jobscripts/job.sh); a job at its limit is
   not requeued by SLURM itself, the script does that when the program ends with 75. */
static void view_sizes(const Job *job, FILE *stream)
{
  const long minutes = (long)(job->limit / 60.0) + 1;

  fprintf(stream, "#SBATCH --job-name=cospin\n#SBATCH --nodes=%d\n#SBATCH --ntasks-per-node=%d\n", job->nodes,
          job->ranks_per_node);
  fprintf(stream, "#SBATCH --cpus-per-task=1\n#SBATCH --mem-per-cpu=%ldM\n#SBATCH --time=%02ld:%02ld:00\n",
          job->megabytes_per_rank, minutes / 60, minutes % 60);
  fprintf(stream, "#SBATCH --signal=B:USR1@%.0f\n#SBATCH --requeue\n#SBATCH --open-mode=append\n",
          job->margin);
}

/* The folder that holds the jobscripts/ of this program: share/cospin beside bin/ where it is installed, the
   source tree where it was built. "" if there is neither, as for a program copied elsewhere. */
static void find_root(char root[], size_t size)
{
  static const char *const places[] = {"../share/cospin", "../.."}; /* from the program's folder */
  char folder[4096], candidate[8192], script[8300];
  const ssize_t length = readlink("/proc/self/exe", folder, sizeof(folder) - 1);

  root[0] = 0;
  if (length <= 0) return;
  folder[length] = 0;
  *strrchr(folder, '/') = 0;
  for (int k = 0; k < 2; k++) {
    (void)snprintf(candidate, sizeof(candidate), "%s/%s", folder, places[k]);
    (void)snprintf(script, sizeof(script), "%s/jobscripts/job.sh", candidate);
    if (access(script, R_OK) != 0) continue;
    (void)snprintf(root, size, "%s", candidate);
    return;
  }
}

/* A job that was submitted where no jobscripts/ are has those of the program that planned it. */
static void view_root(FILE *stream)
{
  char root[8192];

  find_root(root, sizeof(root));
  if (root[0]) {
    fprintf(stream,
            "if [ -z \"${COSPIN_ROOT:-}\" ] && [ ! -e \"$SLURM_SUBMIT_DIR/jobscripts/job.sh\" ]; then\n"
            "  export COSPIN_ROOT=");
    quote(root, stream);
    fprintf(stream, "\nfi\n");
  }
  fprintf(stream, "source \"${COSPIN_ROOT:-$SLURM_SUBMIT_DIR}/jobscripts/job.sh\"\n");
}

/* What is common to all jobs stands in jobscripts/job.sh; here are only the sizes and the command. */
PetscErrorCode CospinPlanSlurm(CospinDeck deck, const char file[], const char output[], const char options[],
                               const CospinNodes *machine, FILE *stream)
{
  const PetscInt64 num_points = CospinDeckNumPoints(deck);
  Job job = {0};

  PetscFunctionBeginUser;
  PetscCall(CospinEstimateGrid(deck, usable_memory * machine->bytes, &job.worst, &job.total_seconds));
  choose_nodes(num_points, machine, &job);
  choose_limits(&job);
  view_head(machine, &job, num_points, file, options, stream);
  view_sizes(&job, stream);
  fprintf(stream, "set -euo pipefail\n\nexport COSPIN_MARGIN=${COSPIN_MARGIN:-%.0f}\n", job.margin);
  view_root(stream);
  fprintf(stream, "run_deck ");
  quote(file, stream);
  fputc(' ', stream);
  quote(output, stream);
  fprintf(stream, "%s --ranks-per-point %d \"$@\"\n", options, job.ranks_per_point);
  PetscFunctionReturn(0);
}
