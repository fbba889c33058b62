/*
   `cospin reference --search`: entries by what they are for. Each word of the question gives an entry points
   for standing in its name, in its text, or for leading there by a synonym; an entry that has something of
   every word comes before those that have much of one.

   Nothing is indexed: the reference is written once more (reference.c), into a listener that gives points
   instead of printing.
*/
#include "reference_page.h"
#include "reference_words.h"
#include <cospin/cli/reference.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_WORDS = 8, WORD_SIZE = 48, MAX_SHOWN = 10 };

/* Points: the whole name, a part of it, a synonym as the name, a word of the text. A name beats a synonym,
   a synonym beats a mention; ALL_WORDS is more than any one word can earn, so that an answer to the whole
   question comes first. tests/cli/new.sh holds questions with the entry that must be among the first
   answers. */
enum { IS_NAME = 40, IN_NAME = 15, IS_SYNONYM = 25, IN_SYNONYM = 3, IN_TEXT = 8, ALL_WORDS = 100 };

/* An entry of the reference, with its points for the question. */
typedef struct {
  int points, order;
  char where[192], name[96], *behind, *text;
} Entry;

/* A question in words, and the entries that answer it. */
typedef struct {
  int num_words, num_entries, capacity;
  char words[MAX_WORDS][WORD_SIZE];
  Entry *entries;
} Search;

static PetscBool is_letter(char c)
{
  return (PetscBool)(isalnum((unsigned char)c) || c == '_');
}

static char small(char c)
{
  return (char)tolower((unsigned char)c);
}

/* Whether a word begins at a place of the text; `whole`: and ends with it. */
static PetscBool matches(const char at[], const char word[], size_t length, PetscBool whole)
{
  for (size_t k = 0; k < length; k++) {
    if (!at[k] || small(at[k]) != small(word[k])) return PETSC_FALSE;
  }
  return (PetscBool)(!whole || !is_letter(at[length]));
}

/* Whether a word of the text begins with this one; names are taken apart at "_" and "." too. Only
   beginnings: "spin" is found in "one_spin" and not in "kspin". */
static PetscBool contains(const char text[], const char word[], size_t length)
{
  for (const char *c = text; *c; c++) {
    if ((c == text || !isalnum((unsigned char)c[-1])) && matches(c, word, length, PETSC_FALSE))
      return PETSC_TRUE;
  }
  return PETSC_FALSE;
}

/* A synonym that is the entry's whole name counts more than one in its text. The best of them counts, not
   their sum: a word with many synonyms would win by their number. */
static int points_of_synonyms(const char synonyms[], const char name[], const char text[])
{
  int points = 0;

  while (synonyms && *synonyms) {
    const size_t length = strcspn(synonyms, " ");
    if (matches(name, synonyms, length, PETSC_TRUE) && strlen(name) == length && points < IS_SYNONYM)
      points = IS_SYNONYM;
    else if (length > 2 && contains(text, synonyms, length) && points < IN_SYNONYM)
      points = IN_SYNONYM;
    synonyms += length + (synonyms[length] != 0);
  }
  return points;
}

/* "spectra" and "spectrum", "excited" and "excite": the ends of words do not count. At least four letters
   stay, or "ages" and "ag" would be the same. */
static size_t stem_length(const char word[])
{
  static const char *const ends[] = {"ies", "ing", "ed", "es", "s", "um", "a", "y", "e"};
  const size_t length = strlen(word);

  for (size_t k = 0; k < sizeof(ends) / sizeof(ends[0]); k++) {
    const size_t end = strlen(ends[k]);
    if (length >= end + 4 && strcmp(word + length - end, ends[k]) == 0) return length - end;
  }
  return length;
}

/* The synonyms of a word or of its singular. The table has singulars only. */
static const char *synonyms_of(const char word[])
{
  const size_t length = strlen(word);
  const char *found = CospinReferenceSynonyms(word);
  char singular[WORD_SIZE];

  if (found || length < 4 || word[length - 1] != 's') return found;
  (void)snprintf(singular, sizeof(singular), "%.*s", (int)length - 1, word);
  return CospinReferenceSynonyms(singular);
}

/* Beginnings of words count, so that `squeezed` finds `squeezing`. One letter in a text (a, n, l) means
   nothing; as a name it does. */
static int points_of_word(const char word[], const char name[], const char text[])
{
  const size_t stem = stem_length(word), length = strlen(word);
  int points = points_of_synonyms(synonyms_of(word), name, text);

  if (strlen(name) == length && matches(name, word, length, PETSC_TRUE)) return IS_NAME + points;
  if (contains(name, word, stem)) points += IN_NAME;
  if (length > 1 && contains(text, word, stem)) points += IN_TEXT;
  return points;
}

/* What belongs to the entry as a whole: "task evolve", or its chapter. A word in the name of the part
   alone (2 points) makes no entry: all keys of a task would be found by its name. Tasks of expansions have
   the same keys as the exact ones and are left out. */
static void take(void *context, const char heading[], const char part[], const char name[],
                 const char behind[], const char text[])
{
  Search *search = (Search *)context;
  int points = 0, num_found = 0;
  Entry *entry;

  if (!strcmp(heading, COSPIN_PAGE_EXPANDED)) return;
  for (int k = 0; k < search->num_words; k++) {
    const int found = points_of_word(search->words[k], name, text) +
                      (contains(part, search->words[k], stem_length(search->words[k])) ? 2 : 0);
    num_found += found > 2;
    points += found;
  }
  if (!num_found || search->num_entries == search->capacity) return;
  if (num_found == search->num_words) points += ALL_WORDS;
  entry = &search->entries[search->num_entries];
  *entry = (Entry){.points = points, .order = search->num_entries++};
  (void)snprintf(entry->where, sizeof(entry->where), "%.*s", (int)strcspn(part[0] ? part : heading, ":"),
                 part[0] ? part : heading);
  (void)snprintf(entry->name, sizeof(entry->name), "%s", name);
  (void)PetscStrallocpy(behind, &entry->behind);
  (void)PetscStrallocpy(text, &entry->text);
}

/* Equal points stay in the order of the reference. */
static int compare_entries(const void *a, const void *b)
{
  const Entry *x = (const Entry *)a, *y = (const Entry *)b;

  return x->points != y->points ? (x->points > y->points ? -1 : 1) : x->order - y->order;
}

/* Letters, digits and `_` make a word; everything else separates. */
static void take_words(Search *search, const char words[])
{
  while (*words && search->num_words < MAX_WORDS) {
    char *word = search->words[search->num_words];
    int length = 0;

    while (*words && !is_letter(*words)) words++;
    for (; is_letter(*words); words++) {
      if (length < WORD_SIZE - 1) word[length++] = small(*words);
    }
    word[length] = 0;
    if (length) search->num_words++;
  }
}

/* What is no key but a way of doing it has a sentence of its own (reference_words.c). In front of the
   entries: it says more than they do. */
static PetscBool view_advice(const Search *search, FILE *stream)
{
  PetscBool any = PETSC_FALSE;

  for (int k = 0; k < search->num_words; k++) {
    const char *advice = CospinReferenceAdvice(search->words[k]);
    if (!advice) continue;
    CospinPageText(stream, 0, advice);
    any = PETSC_TRUE;
  }
  return any;
}

/* Entries that say the same of several kinds become the first of them. `where` then lists all kinds: "size
   [kind ensemble, kind spins]". */
static void merge(Search *search)
{
  int num = 0;

  for (int k = 0; k < search->num_entries; k++) {
    Entry *entry = &search->entries[k], *same = NULL;
    for (int j = 0; j < num && !same; j++) {
      if (strcmp(search->entries[j].name, entry->name) == 0 &&
          strcmp(search->entries[j].behind, entry->behind) == 0)
        same = &search->entries[j];
    }
    if (same) {
      const size_t length = strlen(same->where);
      (void)snprintf(same->where + length, sizeof(same->where) - length, ", %s", entry->where);
      (void)PetscFree(entry->behind);
      (void)PetscFree(entry->text);
    } else {
      const Entry moved = *entry;
      search->entries[num++] = moved;
    }
  }
  search->num_entries = num;
}

static void view_entry(const Entry *entry, FILE *stream)
{
  fprintf(stream, "%s%s%s  [%s]\n", entry->name, entry->behind[0] ? "  " : "", entry->behind, entry->where);
  if (entry->text[0]) CospinPageText(stream, 4, entry->text);
}

/* Sorted before entries are merged, so that the best of equal ones is the one that stays. */
PetscErrorCode CospinReferenceSearch(const char words[], FILE *stream, PetscBool *found)
{
  enum { CAPACITY = 4000 };
  Search search = {.capacity = CAPACITY};
  CospinPage page = {.stream = stream, .take = take, .context = &search};
  PetscBool advised;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(CAPACITY, &search.entries));
  take_words(&search, words);
  CospinReferenceWrite(&page);
  if (search.num_entries) qsort(search.entries, (size_t)search.num_entries, sizeof(Entry), compare_entries);
  merge(&search);
  advised = view_advice(&search, stream);
  for (int k = 0; k < search.num_entries; k++) {
    if (k < MAX_SHOWN) view_entry(&search.entries[k], stream);
    PetscCall(PetscFree(search.entries[k].behind));
    PetscCall(PetscFree(search.entries[k].text));
  }
  if (search.num_entries > MAX_SHOWN)
    fprintf(stream, "and %d more: other words, or `cospin reference NAME` for all about one\n",
            search.num_entries - MAX_SHOWN);
  *found = (PetscBool)(advised || search.num_entries > 0);
  PetscCall(PetscFree(search.entries));
  PetscFunctionReturn(0);
}
