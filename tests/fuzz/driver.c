/*
   main() of a harness where the compiler has no libFuzzer: replays the files and folders that are named, then
   mutates them for a while. Understands what is used of libFuzzer's options: -max_total_time=SECONDS,
   -runs=N, -seed=N; -runs=0 only replays. The input at hand is kept in the file crash-input when the
   sanitizers end the process.
*/
#define _XOPEN_SOURCE 700
#include "fuzz.h"
#include <dirent.h>
#include <fcntl.h>
#include <sanitizer/common_interface_defs.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { MAX_INPUTS = 4096, MAX_SIZE = 4096 };

typedef struct {
  uint8_t *data;
  size_t size;
} Input;

typedef struct {
  int num_inputs;
  Input inputs[MAX_INPUTS];
  long seconds, runs;
  uint64_t random;
} Fuzzer;

/* What is being run, for whoever looks at it afterwards. */
static struct {
  const uint8_t *data;
  size_t size;
} now;

/* Called by the sanitizers when they end the process. */
static void keep_input(void)
{
  const int descriptor = open("crash-input", O_WRONLY | O_CREAT | O_TRUNC, 0666);

  if (descriptor < 0 || write(descriptor, now.data, now.size) < 0) return;
  (void)close(descriptor);
  (void)fprintf(stderr, "the input is in crash-input\n");
}

static void run_input(const uint8_t data[], size_t size)
{
  uint8_t *copy = malloc(size + !size); /* of exactly this size: what is read behind it is seen */

  FUZZ_CHECK(copy, "no memory for an input");
  if (size) (void)memcpy(copy, data, size);
  now.data = copy;
  now.size = size;
  (void)LLVMFuzzerTestOneInput(copy, size);
  free(copy);
}

static void add_file(Fuzzer *fuzzer, const char name[])
{
  FILE *stream = fopen(name, "rb");
  Input *input = &fuzzer->inputs[fuzzer->num_inputs];
  struct stat status;

  FUZZ_CHECK(stream && !fstat(fileno(stream), &status), "cannot read %s", name);
  FUZZ_CHECK(fuzzer->num_inputs < MAX_INPUTS, "more than %d inputs", MAX_INPUTS);
  input->size = (size_t)status.st_size;
  input->data = malloc(input->size + 1);
  FUZZ_CHECK(input->data && fread(input->data, 1, input->size, stream) == input->size, "cannot read %s",
             name);
  (void)fclose(stream);
  fuzzer->num_inputs++;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
  return strcmp((*a)->d_name, (*b)->d_name);
}

static void add(Fuzzer *fuzzer, const char name[])
{
  struct dirent **entries;
  struct stat status;
  int num;

  FUZZ_CHECK(!stat(name, &status), "no file %s", name);
  if (!S_ISDIR(status.st_mode)) {
    add_file(fuzzer, name);
    return;
  }
  num = scandir(name, &entries, NULL, by_name);
  for (int k = 0; k < num; k++) {
    char path[4096];
    (void)snprintf(path, sizeof(path), "%s/%s", name, entries[k]->d_name);
    if (entries[k]->d_name[0] != '.') add(fuzzer, path);
    free(entries[k]);
  }
  if (num >= 0) free(entries);
}

/* xorshift64*; the same inputs from the same seed. */
static size_t draw(Fuzzer *fuzzer, size_t choices)
{
  fuzzer->random ^= fuzzer->random >> 12;
  fuzzer->random ^= fuzzer->random << 25;
  fuzzer->random ^= fuzzer->random >> 27;
  return (size_t)((fuzzer->random * 0x2545F4914F6CDD1DULL) >> 33) % choices;
}

/* Replaces a piece of `data` by `num` bytes. */
static size_t splice(uint8_t data[], size_t size, size_t at, size_t drop, const uint8_t piece[], size_t num)
{
  if (size - drop + num > MAX_SIZE) return size;
  (void)memmove(data + at + num, data + at + drop, size - at - drop);
  if (num) (void)memmove(data + at, piece, num);
  return size - drop + num;
}

static size_t mutate(Fuzzer *fuzzer, uint8_t data[], size_t size)
{
  static const char *const words[] = {"0", "-1", "1e999", "99999999999", "nan",  "(",   ")",  "[",
                                      "]", "{",  "}",     ": ",          ", ",   "- ",  "\n", "  ",
                                      "^", "*",  "&a",    "*a",          "file", "0.5", "i",  "\xff",
                                      "<", ">",  "!!",    "null",        "|",    "\""};
  const Input *other = &fuzzer->inputs[draw(fuzzer, (size_t)fuzzer->num_inputs)];
  const size_t at = draw(fuzzer, size + 1), drop = draw(fuzzer, 1 + (size - at < 16 ? size - at : 16));
  const char *word = words[draw(fuzzer, sizeof(words) / sizeof(*words))];
  const size_t from = draw(fuzzer, other->size + 1);
  const uint8_t byte = (uint8_t)draw(fuzzer, 256);
  uint8_t piece[64];
  size_t num = draw(fuzzer, sizeof(piece));

  switch (draw(fuzzer, 5)) {
  case 0:
    return splice(data, size, at, at < size, &byte, 1);
  case 1:
    return splice(data, size, at, drop, &byte, 0);
  case 2:
    return splice(data, size, at, draw(fuzzer, 2) ? drop : 0, (const uint8_t *)word, strlen(word));
  case 3:
    if (num > other->size - from) num = other->size - from;
    if (num) (void)memcpy(piece, other->data + from, num);
    return splice(data, size, at, 0, piece, num);
  default:
    if (at < size) data[at] ^= (uint8_t)(1 << draw(fuzzer, 8));
    return size;
  }
}

static void fuzz(Fuzzer *fuzzer)
{
  const time_t end = time(NULL) + fuzzer->seconds;
  uint8_t data[MAX_SIZE];
  long runs = 0;

  while (fuzzer->num_inputs && (!fuzzer->seconds || time(NULL) < end) &&
         (fuzzer->runs < 0 || runs < fuzzer->runs)) {
    const Input *input = &fuzzer->inputs[draw(fuzzer, (size_t)fuzzer->num_inputs)];
    size_t size = input->size < MAX_SIZE ? input->size : MAX_SIZE;

    if (size) (void)memcpy(data, input->data, size);
    for (size_t k = 1 + draw(fuzzer, 4); k > 0; k--) size = mutate(fuzzer, data, size);
    run_input(data, size);
    runs++;
  }
  printf("%ld mutated inputs\n", runs);
}

static int take_option(Fuzzer *fuzzer, const char argument[])
{
  long seed;

  if (sscanf(argument, "-max_total_time=%ld", &fuzzer->seconds) == 1) return 1;
  if (sscanf(argument, "-runs=%ld", &fuzzer->runs) == 1) return 1;
  if (sscanf(argument, "-seed=%ld", &seed) == 1) fuzzer->random = (uint64_t)seed + 1;
  return argument[0] == '-';
}

int main(int argc, char *argv[])
{
  static Fuzzer fuzzer = {.runs = -1, .random = 2};

  (void)LLVMFuzzerInitialize(&argc, &argv);
  for (int k = 1; k < argc; k++) {
    if (!take_option(&fuzzer, argv[k])) add(&fuzzer, argv[k]);
  }
  __sanitizer_set_death_callback(keep_input);
  for (int k = 0; k < fuzzer.num_inputs; k++) run_input(fuzzer.inputs[k].data, fuzzer.inputs[k].size);
  printf("%d inputs replayed\n", fuzzer.num_inputs);
  if (fuzzer.runs != 0 && (fuzzer.seconds || fuzzer.runs > 0)) fuzz(&fuzzer);
  for (int k = 0; k < fuzzer.num_inputs; k++) free(fuzzer.inputs[k].data);
  return 0;
}
