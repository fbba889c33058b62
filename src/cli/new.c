/*
   `cospin new`: the decks of input/new, which the build puts into the program.

   A deck that begins as a copy of something that runs is better than an empty one: each is short, has a
   comment a line, and is run by a test as it is (tests/cli/new.sh).
*/
#include <cospin/cli/new.h>
#include <cospin/deck/fault.h>
#include <cospin/new_decks.h>
#include <errno.h>
#include <string.h>

static const struct {
  const char *topic, *text;
} decks[] = {COSPIN_NEW_DECKS};

enum { NUM_DECKS = sizeof(decks) / sizeof(decks[0]) };

/* Driven spins: the smallest deck that has a Hamiltonian, a jump, a grid and a task. */
static const char default_topic[] = "driven";

const char *CospinNewTopic(int k)
{
  return k < NUM_DECKS ? decks[k].topic : NULL;
}

/* NULL where there is no such topic. */
static const char *text_like(const char topic[])
{
  for (int k = 0; k < NUM_DECKS; k++) {
    if (strcmp(decks[k].topic, topic) == 0) return decks[k].text;
  }
  return NULL;
}

static void complain_about_topic(const char topic[])
{
  const char *names[NUM_DECKS + 1] = {NULL}, *close;

  for (int k = 0; k < NUM_DECKS; k++) names[k] = decks[k].topic;
  close = CospinSuggest(topic, names);
  fprintf(stderr, "cospin: there is no deck like `%s` (", topic);
  if (close) fprintf(stderr, "did you mean `%s`? ", close);
  for (int k = 0; k < NUM_DECKS; k++) fprintf(stderr, "%s%s", k ? ", " : "there are ", names[k]);
  fprintf(stderr, ")\n");
}

/* "x": nobody's file is written over, not even one that appears meanwhile. */
static PetscBool write_new(const char file[], const char topic[], const char text[])
{
  FILE *stream = fopen(file, "wx");
  PetscBool good;

  if (!stream && errno == EEXIST)
    fprintf(stderr, "cospin: %s is there already and is left as it is (another name, or remove it)\n", file);
  else if (!stream)
    fprintf(stderr, "cospin: cannot write %s: %s\n", file, strerror(errno));
  if (!stream) return PETSC_FALSE;
  good = (PetscBool)(fprintf(stream, "# Begun with `cospin new --like %s`.\n%s", topic, text) > 0);
  if (fclose(stream) == 0 && good) return PETSC_TRUE;
  fprintf(stderr, "cospin: cannot write %s: %s\n", file, strerror(errno));
  return PETSC_FALSE;
}

/* With or without .yaml; what to do next is printed, since this is most often the first command of all. */
PetscErrorCode CospinNewDeck(const char name[], const char topic[], FILE *stream, PetscBool *ok)
{
  const size_t length = strlen(name);
  const PetscBool whole = (PetscBool)(length > 5 && strcmp(name + length - 5, ".yaml") == 0);
  const char *like = topic ? topic : default_topic, *text = text_like(like);
  char file[PETSC_MAX_PATH_LEN];

  PetscFunctionBeginUser;
  *ok = PETSC_FALSE;
  if (!text) {
    complain_about_topic(like);
    PetscFunctionReturn(0);
  }
  PetscCall(PetscSNPrintf(file, sizeof(file), "%s%s", name, whole ? "" : ".yaml"));
  *ok = write_new(file, like, text);
  if (!*ok) PetscFunctionReturn(0);
  fprintf(stream, "%s: a deck like `%s`\n  cospin plan %s     # checks it, and says what it will cost\n",
          file, like, file);
  fprintf(stream, "  cospin run  %s\n", file);
  if (topic) PetscFunctionReturn(0);
  fprintf(stream, "others are like (--like):");
  for (int k = 0; k < NUM_DECKS; k++) fprintf(stream, " %s", decks[k].topic);
  fprintf(stream, "\n");
  PetscFunctionReturn(0);
}
