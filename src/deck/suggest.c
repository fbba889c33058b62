/*
   Finds the known word that a misspelt one was probably meant to be: optimal string alignment distance
   (insert, delete, replace, swap of neighbours), letters compared without case.

   A distance of two edits, and of half of the letters at most, is near: with more, every short key is near
   every other.

   References: optimal string alignment is the restricted Damerau-Levenshtein distance (R. A. Wagner and
   M. J. Fischer, J. ACM 21, 168 (1974), with swaps after F. J. Damerau, Commun. ACM 7, 171 (1964)). With
   d[i][j] the edits between the first i letters of one word and the first j of the other, d[i][j] =
   min(d[i-1][j-1] + (a_i != b_j), d[i-1][j] + 1, d[i][j-1] + 1, d[i-2][j-2] + 1 if a swap fits).
*/
#include <cospin/deck/fault.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { MAX_LETTERS = 64, MAX_EDITS = 2 };

static int smaller(int a, int b)
{
  return a < b ? a : b;
}

static int compare_letters(char a, char b)
{
  return tolower((unsigned char)a) == tolower((unsigned char)b) ? 0 : 1;
}

/* Number of edits that turn a into b; words longer than any key are never close. */
static int count_edits(const char a[], const char b[])
{
  const size_t num_a = strlen(a), num_b = strlen(b);
  int rows[3][MAX_LETTERS + 1]; /* rows i, i-1 and i-2 of the table, by i modulo 3 */

  if (num_a > MAX_LETTERS || num_b > MAX_LETTERS) return MAX_EDITS + 1;
  for (int j = 0; j <= (int)num_b; j++) rows[0][j] = j;
  for (int i = 1; i <= (int)num_a; i++) {
    int *row = rows[i % 3], *above = rows[(i + 2) % 3], *second = rows[(i + 1) % 3];

    row[0] = i;
    for (int j = 1; j <= (int)num_b; j++) {
      row[j] = smaller(above[j - 1] + compare_letters(a[i - 1], b[j - 1]), smaller(above[j], row[j - 1]) + 1);
      if (i > 1 && j > 1 && !compare_letters(a[i - 1], b[j - 2]) && !compare_letters(a[i - 2], b[j - 1]))
        row[j] = smaller(row[j], second[j - 2] + 1);
    }
  }
  return rows[num_a % 3][num_b];
}

const char *CospinSuggest(const char word[], const char *const known[])
{
  const size_t num_letters = strlen(word);
  const char *best = NULL;
  int fewest = MAX_EDITS + 1;

  for (int k = 0; known[k]; k++) {
    const int edits = count_edits(word, known[k]);

    if (edits < fewest && 2 * (size_t)edits <= num_letters) {
      fewest = edits;
      best = known[k];
    }
  }
  return best;
}

PetscErrorCode CospinFaultsAddUnknown(CospinFaults faults, CospinPosition at, const char path[],
                                      const char what[], const char word[], const char *const known[])
{
  const char *guess = CospinSuggest(word, known);
  char list[1024] = "", meant[256] = "";
  size_t length = 0;

  PetscFunctionBeginUser;
  for (int k = 0; known[k] && length < sizeof(list) - 200; k++)
    length += (size_t)snprintf(list + length, sizeof(list) - length, "%s%.100s", k ? ", " : "", known[k]);
  if (guess) snprintf(meant, sizeof(meant), "did you mean `%.200s`? ", guess);
  PetscCall(CospinFaultsAdd(faults, at, path, "unknown %s `%.200s` (%sknown: %s)", what, word, meant,
                            length ? list : "none"));
  PetscFunctionReturn(0);
}
