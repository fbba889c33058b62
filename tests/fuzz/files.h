/* Good datasets, for harnesses that spoil them, and the readers that are let loose on the result. */
#pragma once
#include "fuzz.h"

enum { FUZZ_NUM_FILES = 2, FUZZ_MAX_OBJECTS = 64 };

/* An archive (0) and a shard (1) of the same grid and states. */
typedef struct {
  char *bytes;
  size_t size;
  int num_objects;
  char objects[FUZZ_MAX_OBJECTS][64]; /* paths of all groups and datasets */
} FuzzFile;

/* Made at the first call; borrowed. */
const FuzzFile *fuzz_file(unsigned which);

/* Writes bytes to the one file that all inputs use, a shard in a folder of its own; its name is borrowed. */
const char *fuzz_file_write(const char bytes[], size_t size);

/* Every reader there is, on that file. */
void fuzz_file_read(const FuzzFile *file);
