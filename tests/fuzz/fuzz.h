/*
   Fuzzing: each harness gives one reader bytes that nobody has looked at. libFuzzer calls them where the
   compiler has it (clang), driver.c elsewhere.

   A harness stops the process on what must never happen: an error that is no fault of the input (FUZZ_CALL),
   a property that does not hold (FUZZ_CHECK). Everything else is seen by the sanitizers.
*/
#pragma once
#include <cospin/deck/fault.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define FUZZ_CHECK(condition, ...)                                                                           \
  do {                                                                                                       \
    if (!(condition)) {                                                                                      \
      (void)fprintf(stderr, "%s:%d: does not hold: %s: ", __FILE__, __LINE__, #condition);                   \
      (void)fprintf(stderr, __VA_ARGS__);                                                                    \
      (void)fprintf(stderr, "\n");                                                                           \
      abort();                                                                                               \
    }                                                                                                        \
  } while (0)
#define FUZZ_CALL(call) FUZZ_CHECK((call) == 0, "the program itself failed")

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A folder of this process, made at the first call and removed when it ends; its name is borrowed. */
const char *fuzz_folder(void);

/* Bytes of the input, one after the other, zeros at its end. */
typedef struct {
  const uint8_t *data;
  size_t size;
} FuzzBytes;

unsigned fuzz_take(FuzzBytes *bytes);                     /* 0..255 */
unsigned fuzz_choose(FuzzBytes *bytes, unsigned choices); /* 0..choices-1 */
