/*
   The file that knows libfyaml's nodes: entries of mappings and lists, each with its key, its path
   for faults ("tasks[0].decay.of") and the line and column where it stands.

   What YAML allows and a deck does not is a fault here: duplicate keys, keys that are no words, aliases
   and anchors, NUL characters. A null value has no token and so no place: its key's is taken.
*/
#include "entry.h"
#include <libfyaml.h>
#include <stdlib.h>
#include <string.h>

static const char *const form_names[] = {"nothing", "a word or a number", "a list", "a mapping"};

/* In YAML `~`, `null` and nothing at all mean the same; in quotes they are text. `key:` with nothing
   behind, `key: ~` and `key: null` are empty; `key: "null"` is a word. */
static PetscBool is_null(struct fy_node *node)
{
  size_t length;
  const char *text;

  if (!node || fy_node_is_null(node)) return PETSC_TRUE;
  if (fy_node_get_type(node) != FYNT_SCALAR || fy_node_get_style(node) != FYNS_PLAIN) return PETSC_FALSE;
  text = fy_node_get_scalar(node, &length);
  return (PetscBool)((length == 1 && text[0] == '~') || (length == 4 && !memcmp(text, "null", 4)));
}

CospinEntryForm CospinEntryGetForm(const CospinEntry *entry)
{
  if (!entry->node) return COSPIN_ENTRY_EMPTY;
  switch (fy_node_get_type(entry->node)) {
  case FYNT_SEQUENCE:
    return COSPIN_ENTRY_LIST;
  case FYNT_MAPPING:
    return COSPIN_ENTRY_MAPPING;
  default:
    return COSPIN_ENTRY_SCALAR;
  }
}

/* Where the first word of a node stands; false if it has none. Depth is limited by libfyaml. Of a mapping or
 * list that is its first scalar, since a block collection has no token of its own. */
static PetscBool locate_node(struct fy_node *node, CospinPosition *at)
{
  void *iterator = NULL;
  struct fy_token *token;
  struct fy_node_pair *pair;
  const struct fy_mark *mark;

  if (!node) return PETSC_FALSE;
  switch (fy_node_get_type(node)) {
  case FYNT_SEQUENCE:
    return locate_node(fy_node_sequence_iterate(node, &iterator), at);
  case FYNT_MAPPING:
    pair = fy_node_mapping_iterate(node, &iterator);
    return pair ? locate_node(fy_node_pair_key(pair), at) : PETSC_FALSE;
  default:
    token = fy_node_get_scalar_token(node);
    mark = token ? fy_token_start_mark(token) : NULL;
    if (!mark) return PETSC_FALSE;
    *at = (CospinPosition){mark->line + 1, mark->column + 1};
    return PETSC_TRUE;
  }
}

/* A value without a token of its own keeps the position of its key. */
static void set_node(CospinEntry *entry, struct fy_node *node)
{
  entry->at = entry->key_at;
  if (!is_null(node)) entry->node = node;
  locate_node(node, &entry->at);
}

/* libfyaml's scalars are not terminated and go with the document; a deck outlives it. */
static PetscErrorCode copy_scalar(struct fy_node *node, char **text)
{
  size_t length;
  const char *scalar = fy_node_get_scalar(node, &length);

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(length + 1, text));
  if (length) memcpy(*text, scalar, length);
  (*text)[length] = '\0';
  PetscFunctionReturn(0);
}

/* The path of an entry is what a user would write to get there: `components.ions.size`,
   `tasks[0].decay.of`. */
static PetscErrorCode join_path(const char parent[], const char separator[], const char key[],
                                const char behind[], char **path)
{
  const size_t size = strlen(parent) + strlen(separator) + strlen(key) + strlen(behind) + 1;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(size, path));
  snprintf(*path, size, "%s%s%s%s", parent, separator, key, behind);
  PetscFunctionReturn(0);
}

/* Paths number items from 0, as indices of arrays and of the dataset do. */
static PetscErrorCode fill_from_list(const CospinEntry *parent, CospinEntries *entries)
{
  void *iterator = NULL;
  struct fy_node *item;

  PetscFunctionBeginUser;
  PetscCall(PetscCalloc1((size_t)fy_node_sequence_item_count(parent->node), &entries->entries));
  while ((item = fy_node_sequence_iterate(parent->node, &iterator))) {
    CospinEntry *entry = &entries->entries[entries->count];
    char number[16];

    snprintf(number, sizeof(number), "%d", entries->count++);
    PetscCall(join_path(parent->path, "[", number, "]", &entry->path));
    entry->key_at = parent->key_at; /* an empty item has no place of its own */
    set_node(entry, item);
    entry->key_at = entry->at;
  }
  PetscFunctionReturn(0);
}

/* A key that is no word makes a fault and is left out; the rest of the mapping is still read. */
static PetscErrorCode fill_from_mapping(const CospinEntry *parent, CospinFaults faults,
                                        CospinEntries *entries)
{
  void *iterator = NULL;
  struct fy_node_pair *pair;

  PetscFunctionBeginUser;
  PetscCall(PetscCalloc1((size_t)fy_node_mapping_item_count(parent->node), &entries->entries));
  while ((pair = fy_node_mapping_iterate(parent->node, &iterator))) {
    struct fy_node *key = fy_node_pair_key(pair);
    CospinEntry *entry = &entries->entries[entries->count];
    CospinPosition at = parent->at;

    locate_node(key, &at);
    if (!key || fy_node_get_type(key) != FYNT_SCALAR || fy_node_is_alias(key)) {
      PetscCall(CospinFaultsAdd(faults, at, parent->path, "a key must be a word"));
      continue;
    }
    entries->count++;
    PetscCall(copy_scalar(key, &entry->key));
    PetscCall(join_path(parent->path, parent->path[0] ? "." : "", entry->key, "", &entry->path));
    entry->key_at = at;
    set_node(entry, fy_node_pair_value(pair));
  }
  PetscFunctionReturn(0);
}

/* Equal keys stay in the order of the text, so that the second one is told as the duplicate. */
static int compare_keys(const void *a, const void *b)
{
  const CospinEntry *x = *(CospinEntry *const *)a, *y = *(CospinEntry *const *)b;
  const int order = strcmp(x->key, y->key);

  return order ? order : (x > y) - (x < y);
}

static PetscErrorCode destroy_entry(CospinEntry *entry)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(entry->key));
  PetscCall(PetscFree(entry->path));
  PetscFunctionReturn(0);
}

/* Sorting keeps this fast for long mappings. YAML forbids equal keys and many readers let the last one
   win: a rate that stands twice would then be one of two numbers. The first is kept, so that the rest of
   the deck can be checked. */
static PetscErrorCode remove_duplicates(CospinFaults faults, CospinEntries *entries)
{
  CospinEntry **sorted;
  int count = 0;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1((size_t)entries->count, &sorted));
  for (int k = 0; k < entries->count; k++) sorted[k] = &entries->entries[k];
  if (entries->count) qsort(sorted, (size_t)entries->count, sizeof(*sorted), compare_keys);
  for (int first = 0, k = 1; k < entries->count; k++) {
    if (strcmp(sorted[k]->key, sorted[first]->key))
      first = k;
    else {
      PetscCall(CospinFaultsAdd(faults, sorted[k]->key_at, sorted[k]->path,
                                "duplicate key (it stands in line %d already)", sorted[first]->key_at.line));
      sorted[k]->is_duplicate = PETSC_TRUE;
    }
  }
  PetscCall(PetscFree(sorted));
  for (int k = 0; k < entries->count; k++) {
    if (entries->entries[k].is_duplicate)
      PetscCall(destroy_entry(&entries->entries[k]));
    else
      entries->entries[count++] = entries->entries[k];
  }
  entries->count = count;
  PetscFunctionReturn(0);
}

/* What stands there is not what should. */
static PetscErrorCode fail_form(const CospinEntry *entry, const char expected[], CospinFaults faults)
{
  const CospinEntryForm form = CospinEntryGetForm(entry);

  PetscFunctionBeginUser;
  if (form == COSPIN_ENTRY_EMPTY)
    PetscCall(CospinFaultsAdd(faults, entry->at, entry->path, "has no value (must be %s)", expected));
  else if (fy_node_is_alias(entry->node))
    PetscCall(CospinFaultsAdd(faults, entry->at, entry->path, "YAML aliases are not supported (must be %s)",
                              expected));
  else
    PetscCall(
        CospinFaultsAdd(faults, entry->at, entry->path, "must be %s, not %s", expected, form_names[form]));
  PetscFunctionReturn(0);
}

/* Always returns a list that can be walked through and destroyed; it is empty where the form is wrong, and
   the fault has been told. */
PetscErrorCode CospinEntriesCreate(const CospinEntry *parent, CospinEntryForm form, const char expected[],
                                   CospinFaults faults, CospinEntries *entries)
{
  const CospinEntryForm given = CospinEntryGetForm(parent);

  PetscFunctionBeginUser;
  *entries = (CospinEntries){0, NULL};
  if (given == COSPIN_ENTRY_EMPTY) PetscFunctionReturn(0);
  if (given != form)
    PetscCall(fail_form(parent, expected, faults));
  else if (form == COSPIN_ENTRY_LIST)
    PetscCall(fill_from_list(parent, entries));
  else {
    PetscCall(fill_from_mapping(parent, faults, entries));
    PetscCall(remove_duplicates(faults, entries));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode CospinEntriesDestroy(CospinEntries *entries)
{
  PetscFunctionBeginUser;
  for (int k = 0; k < entries->count; k++) PetscCall(destroy_entry(&entries->entries[k]));
  PetscCall(PetscFree(entries->entries));
  entries->count = 0;
  PetscFunctionReturn(0);
}

const CospinEntry *CospinEntriesFind(const CospinEntries *entries, const char key[])
{
  for (int k = 0; k < entries->count; k++) {
    if (!strcmp(entries->entries[k].key, key)) return &entries->entries[k];
  }
  return NULL;
}

/* The number of unknown keys is what callers hold back their "is missing" for. */
PetscErrorCode CospinEntriesCheckKeys(const CospinEntries *entries, const char *const known[],
                                      CospinFaults faults, int *num_unknown)
{
  PetscFunctionBeginUser;
  if (num_unknown) *num_unknown = 0;
  for (int k = 0; k < entries->count; k++) {
    const CospinEntry *entry = &entries->entries[k];
    PetscBool found = PETSC_FALSE;

    for (int j = 0; known[j] && !found; j++) found = (PetscBool)!strcmp(known[j], entry->key);
    if (found) continue;
    /* In the flow form {a: f(x, y)} YAML ends the value at the comma and takes the rest for keys; the fault
       says so instead of guessing a name. */
    if (strpbrk(entry->key, "()<>[]*"))
      PetscCall(CospinFaultsAdd(faults, entry->key_at, entry->path,
                                "`%.200s` is no key (inside of { } an expression with commas needs quotes)",
                                entry->key));
    else
      PetscCall(CospinFaultsAddUnknown(faults, entry->key_at, entry->path, "key", entry->key, known));
    if (num_unknown) *num_unknown += 1;
  }
  PetscFunctionReturn(0);
}

/* NUL would end the text in C and not in YAML: what is checked would not be what is stored. */
PetscErrorCode CospinEntryGetText(const CospinEntry *entry, const char expected[], CospinFaults faults,
                                  char **text)
{
  size_t length;
  const char *scalar;

  PetscFunctionBeginUser;
  *text = NULL;
  if (CospinEntryGetForm(entry) != COSPIN_ENTRY_SCALAR || fy_node_is_alias(entry->node)) {
    PetscCall(fail_form(entry, expected, faults));
    PetscFunctionReturn(0);
  }
  scalar = fy_node_get_scalar(entry->node, &length);
  if (length && memchr(scalar, 0, length))
    PetscCall(CospinFaultsAdd(faults, entry->at, entry->path, "contains a NUL character"));
  else
    PetscCall(copy_scalar(entry->node, text));
  PetscFunctionReturn(0);
}

/* Folded and quoted text over several lines has other columns than the expression in it: faults then stand at
 * the beginning. */
PetscBool CospinEntryIsVerbatim(const CospinEntry *entry)
{
  struct fy_token *token = entry->node ? fy_node_get_scalar_token(entry->node) : NULL;
  const enum fy_node_style style = entry->node ? fy_node_get_style(entry->node) : FYNS_ANY;

  if (!token || style == FYNS_LITERAL || style == FYNS_FOLDED) return PETSC_FALSE;
  return (PetscBool)(fy_token_start_mark(token)->line == fy_token_end_mark(token)->line);
}

/* libfyaml's marks of a quoted scalar leave its quotes out. In bytes of the text, for what is put in its
   place (changes.c). */
void CospinEntryGetSpan(const CospinEntry *entry, size_t *begin, size_t *end)
{
  struct fy_token *token = entry->node ? fy_node_get_scalar_token(entry->node) : NULL;
  const enum fy_node_style style = entry->node ? fy_node_get_style(entry->node) : FYNS_ANY;
  const size_t quote = style == FYNS_SINGLE_QUOTED || style == FYNS_DOUBLE_QUOTED ? 1 : 0;

  *begin = *end = 0;
  if (!token) return;
  *begin = fy_token_start_mark(token)->input_pos - quote;
  *end = fy_token_end_mark(token)->input_pos + quote;
}
