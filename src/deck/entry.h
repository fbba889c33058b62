/*
   YAML as the deck's readers see it: entries (a key or a place in a list, and what stands there) that know
   where they are and how to say so. The only file besides entry.c that knows libfyaml is yaml.c.
*/
#pragma once
#include <cospin/deck/fault.h>

struct fy_node;

typedef struct {
  char *key;              /* NULL in a list */
  char *path;             /* "jumps[1].rate" */
  CospinPosition key_at;  /* of the key, or of the first thing in the item of a list */
  CospinPosition at;      /* of the value, of the key if there is none */
  struct fy_node *node;   /* borrowed; NULL: nothing is written (or null, ~) */
  PetscBool is_duplicate; /* only while the list is built */
} CospinEntry;

typedef struct {
  int count;
  CospinEntry *entries;
} CospinEntries;

typedef enum {
  COSPIN_ENTRY_EMPTY,
  COSPIN_ENTRY_SCALAR,
  COSPIN_ENTRY_LIST,
  COSPIN_ENTRY_MAPPING
} CospinEntryForm;

CospinEntryForm CospinEntryGetForm(const CospinEntry *entry);

/*
   The entries of a mapping or a list; none if the entry is empty. If it has another form a fault says that it
   must be `expected`. Keys that are no words and duplicate keys are faults and left out.
*/
PetscErrorCode CospinEntriesCreate(const CospinEntry *parent, CospinEntryForm form, const char expected[],
                                   CospinFaults faults, CospinEntries *entries);
PetscErrorCode CospinEntriesDestroy(CospinEntries *entries);

/* Borrowed; NULL if there is no such key. */
const CospinEntry *CospinEntriesFind(const CospinEntries *entries, const char key[]);

/* A fault for every key that is not in `known` (NULL at the end); *num_unknown may be NULL. */
PetscErrorCode CospinEntriesCheckKeys(const CospinEntries *entries, const char *const known[],
                                      CospinFaults faults, int *num_unknown);

/* A copy of a scalar, to be freed; NULL and a fault (it must be `expected`) if it is none. */
PetscErrorCode CospinEntryGetText(const CospinEntry *entry, const char expected[], CospinFaults faults,
                                  char **text);

/* Whether the characters of the text stand in the deck as they are, one after the other. */
PetscBool CospinEntryIsVerbatim(const CospinEntry *entry);

/* Where a scalar begins and ends in the text, quotes included, in bytes; both 0 if it is none. */
void CospinEntryGetSpan(const CospinEntry *entry, size_t *begin, size_t *end);

/* libfyaml's document of a text that must outlive it; NULL and faults if it is none. */
typedef struct CospinYaml_ *CospinYaml;
PetscErrorCode CospinYamlCreate(const char text[], size_t length, CospinFaults faults, CospinYaml *yaml);
PetscErrorCode CospinYamlDestroy(CospinYaml *yaml);
PetscErrorCode CospinYamlGetRoot(CospinYaml yaml, CospinEntry *root); /* borrowed; empty if the text is */
