#include <cospin/output.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int CospinOutputCheck(const char file[], PetscBool overwrite, char why[], size_t why_size)
{
  char trial[4200];
  struct stat status;
  FILE *stream;

  if (stat(file, &status) == 0 && !overwrite) {
    (void)snprintf(why, why_size, "%s exists already (--overwrite replaces it, -o names another file)", file);
    return 0;
  }
  (void)snprintf(trial, sizeof(trial), "%s.%ld.trial", file, (long)getpid());
  stream = fopen(trial, "w");
  if (!stream) {
    (void)snprintf(why, why_size, "cannot write %s: %s", file, strerror(errno));
    return 0;
  }
  (void)fclose(stream);
  (void)unlink(trial);
  return 1;
}

static PetscErrorCode completed_text(CospinDeck deck, char **text)
{
  size_t size;
  FILE *stream = open_memstream(text, &size);

  PetscFunctionBeginUser;
  PetscCheck(stream, PETSC_COMM_SELF, PETSC_ERR_MEM, "No memory for the completed deck");
  PetscCall(CospinDeckViewCompleted(deck, stream));
  (void)fclose(stream);
  PetscFunctionReturn(0);
}

/* Where to go when the chosen place fails. */
static void rescue_name(const char file[], char rescue[], size_t size)
{
  const char *folder = getenv("TMPDIR"), *slash = strrchr(file, '/');

  (void)snprintf(rescue, size, "%s/%ld-%s", folder && folder[0] ? folder : "/tmp", (long)getpid(),
                 slash ? slash + 1 : file);
}

PetscErrorCode CospinOutputWrite(const char file[], CospinDeck deck, CospinTable table,
                                 const double records[], int num_stored, const CospinStored stored[],
                                 CospinProvenance provenance, int *status)
{
  CospinDatasetTexts texts = {.title = deck->title,
                              .source = deck->source,
                              .deck_verbatim = deck->text,
                              .num_stored = num_stored,
                              .stored = stored};
  char *completed = NULL, why[1024] = "", rescue[4200];

  PetscFunctionBeginUser;
  PetscCall(completed_text(deck, &completed));
  PetscCall(CospinProvenanceFinish(provenance));
  PetscCall(CospinProvenanceGet(provenance, &texts.num_provenance, &texts.provenance));
  texts.deck_completed = completed;
  if (CospinDatasetWrite(file, &table->layout, records, &texts, why, sizeof(why))) {
    fprintf(stderr, "cospin: %s\n", why);
    rescue_name(file, rescue, sizeof(rescue));
    *status = 1;
    if (CospinDatasetWrite(rescue, &table->layout, records, &texts, why, sizeof(why))) {
      fprintf(stderr, "cospin: %s\ncospin: the results are lost\n", why);
    } else {
      fprintf(stderr, "cospin: the dataset is in %s instead\n", rescue);
    }
  }
  free(completed);
  PetscFunctionReturn(0);
}
