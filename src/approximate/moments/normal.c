/*
   Rows of letters in normal form.

   |a><b| |c><d| of one atom is |a><d| if b = c and nothing otherwise; |0><0| = 1 - |1><1|; a a^+ = a^+ a + 1.
   So a row of letters is a sum of keys with whole numbers, exact in double precision up to 2^53.
*/
#include "moments.h"
#include <string.h>

/* Factors of one mode, from left to right, in normal order: value[k] of a^+^(up-k) a^(down-k). A factor a^+
   from the right of a^q: a^q a^+ = a^+ a^q + q a^(q-1). */
static int order_mode(const CospinMomentLetter word[], int length, int mode, int *raise, int *lower,
                      double value[])
{
  int num = 1, up = 0, down = 0;

  value[0] = 1.0;
  for (int l = 0; l < length; l++) {
    if (word[l].site != -1 - mode) continue;
    if (!word[l].up) {
      down++;
      continue;
    }
    value[num] = 0.0;
    for (int k = num - 1; k >= 0; k--)
      if (down - k > 0) value[k + 1] += value[k] * (down - k);
    if (value[num] != 0) num++;
    up++;
  }
  *raise = up;
  *lower = down;
  return num;
}

/* The atoms of a word, each |a><b|; false: zero. */
static PetscBool collect_atoms(const CospinMomentLetter word[], int length, int *num,
                               CospinMomentLetter atoms[])
{
  *num = 0;
  for (int l = 0; l < length; l++) {
    int k = 0;
    if (word[l].site < 0) continue;
    while (k < *num && (atoms[k].site != word[l].site || atoms[k].label != word[l].label)) k++;
    if (k == *num) {
      atoms[(*num)++] = word[l];
      continue;
    }
    if (atoms[k].down != word[l].up) return PETSC_FALSE;
    atoms[k].down = word[l].down;
  }
  return PETSC_TRUE;
}

/* |0><0| = 1 - |1><1|: each choice of which of them stay. */
static PetscErrorCode add_atoms(int num, const CospinMomentLetter atoms[], const CospinMomentKey *modes,
                                double complex value, CospinMomentSum *sum)
{
  int num_down = 0, down[COSPIN_MOMENT_LETTERS];

  PetscFunctionBeginUser;
  for (int k = 0; k < num; k++)
    if (!atoms[k].up && !atoms[k].down) down[num_down++] = k;
  for (unsigned chosen = 0; chosen < 1u << num_down; chosen++) {
    CospinMomentKey key = *modes;
    double sign = 1.0;
    for (int k = 0; k < num; k++) {
      CospinMomentAtom atom = {(unsigned short)atoms[k].site, (unsigned char)atoms[k].up,
                               (unsigned char)atoms[k].down};
      if (!atoms[k].up && !atoms[k].down) {
        int bit = 0;
        while (down[bit] != k) bit++;
        if (!(chosen >> bit & 1)) continue;
        atom.up = atom.down = 1;
        sign = -sign;
      }
      PetscCheck(key.num_atoms < COSPIN_MOMENT_ATOMS, PETSC_COMM_SELF, PETSC_ERR_PLIB, "Too many atoms");
      key.atoms[key.num_atoms++] = atom;
    }
    CospinMomentSort(&key);
    PetscCall(CospinMomentSumAdd(sum, &key, sign * value, NULL));
  }
  PetscFunctionReturn(0);
}

/* Modes one after the other, each with its terms in normal order. */
static PetscErrorCode add_modes(CospinMomentModel model, const CospinMomentLetter word[], int length,
                                int mode, int num, const CospinMomentLetter atoms[], CospinMomentKey *key,
                                double complex value, CospinMomentSum *sum)
{
  double values[COSPIN_MOMENT_LETTERS + 1];
  int raise, lower, count;

  PetscFunctionBeginUser;
  if (mode == model->num_modes) {
    PetscCall(add_atoms(num, atoms, key, value, sum));
    PetscFunctionReturn(0);
  }
  count = order_mode(word, length, mode, &raise, &lower, values);
  for (int k = 0; k < count; k++) {
    key->raise[mode] = (unsigned char)(raise - k);
    key->lower[mode] = (unsigned char)(lower - k);
    PetscCall(add_modes(model, word, length, mode + 1, num, atoms, key, value * values[k], sum));
  }
  key->raise[mode] = key->lower[mode] = 0;
  PetscFunctionReturn(0);
}

/* One row of letters into normal form: atoms first, for they may make it zero. */
PetscErrorCode CospinMomentAddWord(CospinMomentModel model, const CospinMomentLetter word[], int length,
                                   double complex value, CospinMomentSum *sum)
{
  CospinMomentLetter atoms[COSPIN_MOMENT_LETTERS];
  CospinMomentKey key;
  int num;

  PetscFunctionBeginUser;
  if (!collect_atoms(word, length, &num, atoms)) PetscFunctionReturn(0);
  memset(&key, 0, sizeof(key));
  PetscCall(add_modes(model, word, length, 0, num, atoms, &key, value, sum));
  PetscFunctionReturn(0);
}
