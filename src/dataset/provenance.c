/*
   The rows of /provenance: a growing list of owned strings, and one function for each family of facts.

   Where numbers came from: program and revision, compiler and libraries with their versions, command line,
   hosts, ranks, the environment that matters to speed and rounding. Everything is text, one attribute a
   row, so that any reader shows it.

   Nothing here is used by the program again; it is for whoever asks in a year where a number came from.
*/
#include <cospin/dataset/libraries.h>
#include <cospin/dataset/provenance.h>
#include <cospin/version.h>
#include <slepcsys.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#ifdef __clang__
#define COMPILER __VERSION__ /* says "Clang" itself */
#else
#define COMPILER "gcc " __VERSION__
#endif

struct CospinProvenance_ {
  int count, capacity;
  CospinAttribute *rows; /* name and value are PetscStrallocpy'd */
};

static const char *const unknown = "unknown";

/* Length of the UTF-8 character at `text`, 0 if it is none (overlong forms are not looked for). As in
   deck/yaml.c, less strict: a byte too many is told there as a fault and replaced by `?` here. */
static int character_length(const unsigned char text[])
{
  const int length = text[0] < 0x80                      ? 1
                     : text[0] >= 0xc2 && text[0] < 0xe0 ? 2
                     : text[0] >= 0xe0 && text[0] < 0xf0 ? 3
                     : text[0] >= 0xf0 && text[0] < 0xf5 ? 4
                                                         : 0;
  for (int i = 1; i < length; i++)
    if ((text[i] & 0xc0) != 0x80) return 0;
  return length;
}

/* The dataset says UTF-8, and readers refuse the whole file over one stray byte of a command line. */
static PetscErrorCode copy_text(const char text[], char **copy)
{
  PetscFunctionBeginUser;
  PetscCall(PetscStrallocpy(text, copy));
  for (char *c = *copy; *c;) {
    const int length = character_length((const unsigned char *)c);
    if (!length) *c = '?';
    c += PetscMax(length, 1);
  }
  PetscFunctionReturn(0);
}

/* Both texts are copied: they may be an environment's or on the stack. */
static PetscErrorCode append(CospinProvenance p, const char name[], const char value[])
{
  char *copy_of_name, *copy_of_value;

  PetscFunctionBeginUser;
  if (p->count == p->capacity) {
    p->capacity = p->capacity ? 2 * p->capacity : 32;
    PetscCall(PetscRealloc((size_t)p->capacity * sizeof(*p->rows), &p->rows));
  }
  PetscCall(PetscStrallocpy(name, &copy_of_name));
  PetscCall(copy_text(value, &copy_of_value));
  p->rows[p->count++] = (CospinAttribute){copy_of_name, copy_of_value};
  PetscFunctionReturn(0);
}

/* A name that is there already gets the new value (`finished`). */
PetscErrorCode CospinProvenanceSet(CospinProvenance p, const char name[], const char value[])
{
  PetscFunctionBeginUser;
  for (int i = 0; i < p->count; i++) {
    char *copy;
    if (strcmp(p->rows[i].name, name)) continue;
    PetscCall(copy_text(value, &copy));
    PetscCall(PetscFree(p->rows[i].value));
    p->rows[i].value = copy;
    PetscFunctionReturn(0);
  }
  PetscCall(append(p, name, value));
  PetscFunctionReturn(0);
}

static PetscErrorCode set_integer(CospinProvenance p, const char name[], int value)
{
  char text[16];

  PetscFunctionBeginUser;
  PetscCall(PetscSNPrintf(text, sizeof(text), "%d", value));
  PetscCall(CospinProvenanceSet(p, name, text));
  PetscFunctionReturn(0);
}

/* In UTC, so that datasets of different machines sort. ISO 8601 with a Z. */
static PetscErrorCode set_now(CospinProvenance p, const char name[])
{
  char text[32];
  const time_t now = time(NULL);
  struct tm utc;

  PetscFunctionBeginUser;
  gmtime_r(&now, &utc);
  strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc);
  PetscCall(CospinProvenanceSet(p, name, text));
  PetscFunctionReturn(0);
}

/* So that a blank or quote in an argument can be told from one between arguments, those are put in '...'.
   As it could be given again. The first word is the program's name without its folder: where it was
   installed tells nothing about a number, and two runs are compared more easily. */
static PetscErrorCode set_command_line(CospinProvenance p, int argc, char *const argv[])
{
  char *line;
  size_t length = 1;

  PetscFunctionBeginUser;
  for (int i = 0; i < argc; i++) length += strlen(argv[i]) + 3;
  PetscCall(PetscCalloc1(length, &line));
  for (int i = 0; i < argc; i++) {
    const char *slash = i ? NULL : strrchr(argv[i], '/');
    const char *word = slash ? slash + 1 : argv[i];
    const char *quote = word[0] && !strpbrk(word, " \t\n\"$&|;<>*?()") ? "" : "'";
    PetscCall(PetscStrlcat(line, i ? " " : "", length));
    PetscCall(PetscStrlcat(line, quote, length));
    PetscCall(PetscStrlcat(line, word, length));
    PetscCall(PetscStrlcat(line, quote, length));
  }
  PetscCall(CospinProvenanceSet(p, "command_line", line));
  PetscCall(PetscFree(line));
  PetscFunctionReturn(0);
}

/* Flags as well: -ffast-math or another -march changes last digits. The revision with `dirty` says whether
   the sources can be found again. */
static PetscErrorCode set_build(CospinProvenance p)
{
  PetscFunctionBeginUser;
  PetscCall(CospinProvenanceSet(p, "cospin_version", COSPIN_VERSION));
  PetscCall(CospinProvenanceSet(p, "git_revision", COSPIN_GIT_REVISION));
  PetscCall(CospinProvenanceSet(p, "git_dirty", COSPIN_GIT_DIRTY ? "yes" : "no"));
  PetscCall(CospinProvenanceSet(p, "build_type", COSPIN_BUILD_TYPE));
  PetscCall(CospinProvenanceSet(p, "compiler", COMPILER));
  PetscCall(CospinProvenanceSet(p, "c_flags", COSPIN_C_FLAGS));
  PetscFunctionReturn(0);
}

/* As they are at run time; versions at compile time may differ. What limits sizes is told, too: indices of
   32 bits end at 2^31. */
static PetscErrorCode set_libraries(CospinProvenance p)
{
  char text[COSPIN_LIBRARY_TEXT];
  const char *name;

  PetscFunctionBeginUser;
  for (int k = 0;; k++) {
    PetscCall(CospinLibraryVersion(k, &name, text));
    if (!name) break;
    PetscCall(CospinProvenanceSet(p, name, text));
  }
  PetscCall(CospinProvenanceSet(p, "scalar_type", PetscDefined(USE_COMPLEX) ? "complex" : "real"));
  PetscCall(set_integer(p, "index_bits", (int)(8 * sizeof(PetscInt))));
  PetscFunctionReturn(0);
}

enum { NAME_SIZE = MPI_MAX_PROCESSOR_NAME };

/* Names of hosts, to count how many there are. */
static int compare_names(const void *a, const void *b)
{
  return strcmp(a, b);
}

/* names: count strings of NAME_SIZE; sorted here, then each is listed once. Sorted and once each, whatever
   the order of ranks. */
static PetscErrorCode set_hosts(CospinProvenance p, size_t count, char names[])
{
  char *list;
  const size_t size = count * (NAME_SIZE + 1);

  PetscFunctionBeginUser;
  qsort(names, count, NAME_SIZE, compare_names);
  PetscCall(PetscCalloc1(size, &list));
  for (size_t i = 0; i < count; i++) {
    if (i && !strcmp(names + i * NAME_SIZE, names + (i - 1) * NAME_SIZE)) continue;
    PetscCall(PetscStrlcat(list, i ? " " : "", size));
    PetscCall(PetscStrlcat(list, names + i * NAME_SIZE, size));
  }
  PetscCall(CospinProvenanceSet(p, "hosts", list));
  PetscCall(PetscFree(list));
  PetscFunctionReturn(0);
}

/* Names of fixed length, gathered on the first rank. Other ranks keep their own name only: rows of the
   first rank are the ones that are written. */
static PetscErrorCode gather_hosts(CospinProvenance p, MPI_Comm comm)
{
  char own[NAME_SIZE] = "", *names = NULL;
  int length;
  PetscMPIInt rank, size;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Comm_size(comm, &size));
  PetscCallMPI(MPI_Get_processor_name(own, &length));
  if (rank == 0) PetscCall(PetscMalloc1((size_t)size * NAME_SIZE, &names));
  PetscCallMPI(MPI_Gather(own, NAME_SIZE, MPI_CHAR, names, NAME_SIZE, MPI_CHAR, 0, comm));
  PetscCall(set_hosts(p, rank ? 1 : (size_t)size, rank ? own : names));
  PetscCall(PetscFree(names));
  PetscCall(set_integer(p, "ranks", size));
  PetscFunctionReturn(0);
}

/* Environment variable -> row. What finds a job again in the accounting, and how often it was requeued. */
static const struct {
  const char *variable, *row;
} slurm[] = {
    {"SLURM_JOB_ID", "slurm_job_id"},
    {"SLURM_JOB_NAME", "slurm_job_name"},
    {"SLURM_CLUSTER_NAME", "slurm_cluster"},
    {"SLURM_JOB_PARTITION", "slurm_partition"},
    {"SLURM_JOB_NODELIST", "slurm_nodes"},
    {"SLURM_NTASKS", "slurm_tasks"},
    {"SLURM_CPUS_PER_TASK", "slurm_cpus_per_task"},
    {"SLURM_ARRAY_JOB_ID", "slurm_array_job_id"},
    {"SLURM_ARRAY_TASK_ID", "slurm_array_task_id"},
    {"SLURM_RESTART_COUNT", "slurm_restart_count"},
};

/* Threads matter for rounding and, with more than one, for speed: SuperLU_DIST even gave wrong numbers. */
static PetscErrorCode set_environment(CospinProvenance p)
{
  const char *threads = getenv("OMP_NUM_THREADS");

  PetscFunctionBeginUser;
  PetscCall(CospinProvenanceSet(p, "omp_num_threads", threads ? threads : unknown));
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(slurm); i++) {
    const char *value = getenv(slurm[i].variable);
    if (value) PetscCall(CospinProvenanceSet(p, slurm[i].row, value));
  }
  PetscFunctionReturn(0);
}

/* `finished` stays "unknown" in shards and in files of a run that was killed. */
PetscErrorCode CospinProvenanceCreate(MPI_Comm comm, int argc, char *const argv[], int groups,
                                      int ranks_per_group, CospinProvenance *provenance)
{
  CospinProvenance p;

  PetscFunctionBeginUser;
  PetscCall(PetscNew(&p));
  PetscCall(set_now(p, "started"));
  PetscCall(CospinProvenanceSet(p, "finished", unknown));
  PetscCall(set_command_line(p, argc, argv));
  PetscCall(set_build(p));
  PetscCall(set_libraries(p));
  PetscCall(gather_hosts(p, comm));
  PetscCall(set_integer(p, "groups", groups));
  PetscCall(set_integer(p, "ranks_per_group", ranks_per_group));
  PetscCall(set_environment(p));
  *provenance = p;
  PetscFunctionReturn(0);
}

PetscErrorCode CospinProvenanceDestroy(CospinProvenance *provenance)
{
  CospinProvenance p = *provenance;

  PetscFunctionBeginUser;
  if (!p) PetscFunctionReturn(0);
  for (int i = 0; i < p->count; i++) {
    PetscCall(PetscFree(p->rows[i].name));
    PetscCall(PetscFree(p->rows[i].value));
  }
  PetscCall(PetscFree(p->rows));
  PetscCall(PetscFree(*provenance));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinProvenanceFinish(CospinProvenance provenance)
{
  PetscFunctionBeginUser;
  PetscCall(set_now(provenance, "finished"));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinProvenanceGet(CospinProvenance provenance, int *count, const CospinAttribute **rows)
{
  PetscFunctionBeginUser;
  *count = provenance->count;
  *rows = provenance->rows;
  PetscFunctionReturn(0);
}
