/*
   The text of a deck: read, checked at its grid points, printed, and what was printed read again. Files that
   a deck names are looked for in input/.
*/
#include "fuzz.h"
#include <cospin/problem/array.h>
#include <cospin/store/table.h>
#include <cospin/tasks/tables.h>
#include <math.h>
#include <string.h>

/* What a user may ask for, but takes longer to look at than a fuzzer has. */
enum { MAX_POINTS = 6 };

static const CospinSchema schema = {CospinComponentRecords, CospinTaskRecords, CospinArrayRecords,
                                    CospinTasksAlone, CospinTaskExpandedRecords};

static void read_deck(const char text[], size_t length, CospinFaults *faults, CospinDeck *deck)
{
  FUZZ_CALL(CospinFaultsCreate(COSPIN_SOURCE_DIR "/input/deck.yaml", faults));
  FUZZ_CALL(CospinDeckRead(text, length, &schema, *faults, deck));
}

static void view(PetscErrorCode (*print)(CospinDeck, FILE *), CospinDeck deck, char **text, size_t *length)
{
  FILE *stream = open_memstream(text, length);

  FUZZ_CHECK(stream, "no memory for a text");
  FUZZ_CALL(print(deck, stream));
  (void)fclose(stream);
}

/* The completed deck means the same. */
static void read_again(CospinDeck deck)
{
  char *completed, *meaning, *meaning_again, *problem = NULL;
  size_t length, size;
  CospinFaults faults;
  CospinDeck again;

  view(CospinDeckViewCompleted, deck, &completed, &length);
  view(CospinDeckViewMeaning, deck, &meaning, &size);
  read_deck(completed, length, &faults, &again);
  if (CospinFaultsCount(faults)) {
    FILE *stream = open_memstream(&problem, &size);
    FUZZ_CALL(CospinFaultsView(faults, stream));
    (void)fclose(stream);
  }
  FUZZ_CHECK(!problem, "the completed deck has faults:\n%s\n%s", problem, completed);
  view(CospinDeckViewMeaning, again, &meaning_again, &size);
  FUZZ_CHECK(!strcmp(meaning, meaning_again), "the completed deck means something else:\n%s\nis not\n%s",
             meaning, meaning_again);
  free(completed);
  free(meaning);
  free(meaning_again);
  FUZZ_CALL(CospinDeckDestroy(&again));
  FUZZ_CALL(CospinFaultsDestroy(&faults));
}

static void check_axes(CospinDeck deck)
{
  for (int a = 0; a < deck->num_axes; a++) {
    for (int k = 0; k < deck->axes[a].size; k++)
      FUZZ_CHECK(isfinite(deck->axes[a].values[k]), "value %d of axis %s is not finite", k,
                 deck->axes[a].name);
  }
}

static void view_faults(CospinFaults faults)
{
  char *text;
  size_t length;
  FILE *stream = open_memstream(&text, &length);

  FUZZ_CALL(CospinFaultsView(faults, stream));
  (void)fclose(stream);
  free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  CospinTable table = NULL;
  CospinFaults faults;
  CospinDeck deck;
  PetscBool ok;

  read_deck((const char *)data, size, &faults, &deck);
  if (!CospinFaultsCount(faults)) {
    check_axes(deck);
    read_again(deck);
    if (CospinDeckNumPoints(deck) <= MAX_POINTS) {
      FUZZ_CALL(CospinTableCreate(deck, faults, &table, &ok));
      FUZZ_CHECK(ok == (CospinFaultsCount(faults) == 0), "a table and a fault, or neither");
    }
  }
  view_faults(faults);
  FUZZ_CALL(CospinTableDestroy(&table));
  FUZZ_CALL(CospinDeckDestroy(&deck));
  FUZZ_CALL(CospinFaultsDestroy(&faults));
  return 0;
}
