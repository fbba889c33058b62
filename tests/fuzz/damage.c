/*
   Damaged bytes in datasets: bits that flipped, pieces that were overwritten, files cut short. HDF5 1.10 does
   not survive all of that, so every case runs in a process of its own. What dies inside of HDF5 is counted
   and passed over; what dies in our code, or gives values where the checksums must have told, is a finding.
*/
#define _POSIX_C_SOURCE 200809L
#include "files.h"
#include <sanitizer/common_interface_defs.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_SECONDS = 20, MAX_REPORT = 1 << 16 };

static struct {
  long cases, died_in_hdf5, hung;
} tally;

static void print_tally(void)
{
  (void)fprintf(stderr, "%ld damaged files: HDF5 died of %ld and did not return from %ld\n", tally.cases,
                tally.died_in_hdf5, tally.hung);
}

/* Three bytes of the input say where and how; the first three of all may cut the file short. */
static size_t spoil(FuzzBytes *bytes, char copy[], size_t size)
{
  const unsigned cut = fuzz_take(bytes);

  if (cut % 8 == 1) size = size * fuzz_take(bytes) / 256;
  while (bytes->size && size) {
    const size_t at = (fuzz_take(bytes) * (size_t)256 + fuzz_take(bytes)) * size / 65536;
    const unsigned how = fuzz_take(bytes);
    const size_t length = how < 248 ? 1 : (size_t)1 << (how - 246);
    for (size_t k = at; k < at + length && k < size; k++)
      copy[k] = (char)(how < 128 ? copy[k] ^ (1 << how % 8) : how < 250 ? (int)how : 0);
  }
  return size;
}

/* In the child. */
static void read_and_exit(const FuzzFile *file, int report)
{
  __sanitizer_set_death_callback(NULL); /* the parent keeps the input, if it is to be kept */
  (void)alarm(MAX_SECONDS);
  (void)signal(SIGABRT, SIG_DFL);
  (void)signal(SIGSEGV, SIG_DFL);
  (void)dup2(report, STDERR_FILENO);
  fuzz_file_read(file);
  _exit(0);
}

/* Whether the innermost frame with a name of its own is one of HDF5's: #N ADDRESS in FUNCTION PLACE */
static int died_in_hdf5(char report[])
{
  char *line, *rest = report;

  if (!strstr(report, "Sanitizer") && !strstr(report, "does not hold"))
    return 1; /* no report: not our code */
  while ((line = strtok_r(rest, "\n", &rest))) {
    if (strncmp(line, "    #", 5) != 0) continue;
    if (strstr(line, "libhdf5")) return 1;
    if (strstr(line, "/src/") && !strstr(line, "sanitizer")) return 0;
  }
  return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  FuzzBytes bytes = {data, size};
  const FuzzFile *file = fuzz_file(fuzz_choose(&bytes, FUZZ_NUM_FILES));
  char *copy = malloc(file->size), report[MAX_REPORT];
  FILE *stream = tmpfile();
  int status;
  pid_t child;

  FUZZ_CHECK(copy && stream, "no memory for a file");
  (void)memcpy(copy, file->bytes, file->size);
  (void)fuzz_file_write(copy, spoil(&bytes, copy, file->size));
  free(copy);
  (void)fflush(NULL);
  child = fork();
  if (child == 0) read_and_exit(file, fileno(stream));
  FUZZ_CHECK(child > 0 && waitpid(child, &status, 0) == child, "no child");
  if (!tally.cases++) (void)atexit(print_tally);
  rewind(stream);
  report[fread(report, 1, sizeof(report) - 1, stream)] = 0;
  (void)fclose(stream);
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM) {
    tally.hung++;
  } else if (status) {
    (void)fputs(report, stderr);
    FUZZ_CHECK(died_in_hdf5(report), "a damaged file ends our code");
    tally.died_in_hdf5++;
  }
  return 0;
}
