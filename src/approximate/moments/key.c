/*
   Moments as keys, and sums of them.

   A key is bytes that are compared as a whole, so whatever makes one clears it first. Sums keep their keys in
   the order in which they came: the number of an unknown is its place, the same on every rank and in every
   run.
*/
#include "moments.h"
#include <string.h>

/* Of atoms and modes alike: each counts one towards the order. */
int CospinMomentOperators(const CospinMomentKey *key)
{
  int count = key->num_atoms;

  for (int m = 0; m < COSPIN_MOMENT_MODES; m++) count += key->raise[m] + key->lower[m];
  return count;
}

/* Few atoms: insertion. */
void CospinMomentSort(CospinMomentKey *key)
{
  for (int k = 1; k < key->num_atoms; k++)
    for (int l = k; l > 0 && memcmp(&key->atoms[l], &key->atoms[l - 1], sizeof(CospinMomentAtom)) < 0; l--) {
      const CospinMomentAtom kept = key->atoms[l];
      key->atoms[l] = key->atoms[l - 1];
      key->atoms[l - 1] = kept;
    }
}

/* |a><b| becomes |b><a|, and the powers of a^+ and a change places; no phase arises, since both stand in
   normal order already. */
CospinMomentKey CospinMomentConjugate(const CospinMomentKey *key)
{
  CospinMomentKey other = *key;

  for (int k = 0; k < key->num_atoms; k++) {
    other.atoms[k].up = key->atoms[k].down;
    other.atoms[k].down = key->atoms[k].up;
  }
  for (int m = 0; m < COSPIN_MOMENT_MODES; m++) {
    other.raise[m] = key->lower[m];
    other.lower[m] = key->raise[m];
  }
  CospinMomentSort(&other);
  return other;
}

/* The one whose bytes come first. Lowering operators come before raising ones, so first moments are those of
   s- and a; whoever looks a moment up goes this way, too. */
CospinMomentKey CospinMomentCanonical(const CospinMomentKey *key, PetscBool *conjugate)
{
  const CospinMomentKey other = CospinMomentConjugate(key);

  *conjugate = (PetscBool)(memcmp(key, &other, sizeof(other)) > 0);
  return *conjugate ? other : *key;
}

/* ---- Sums ---------------------------------------------------------------------------------------------- */

void CospinMomentSumInit(CospinMomentSum *sum)
{
  *sum = (CospinMomentSum){0};
}

PetscErrorCode CospinMomentSumFree(CospinMomentSum *sum)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(sum->keys));
  PetscCall(PetscFree(sum->values));
  PetscCall(PetscFree(sum->sizes));
  PetscCall(PetscFree(sum->slots));
  CospinMomentSumInit(sum);
  PetscFunctionReturn(0);
}

/* Keeps the memory: equations are derived one after the other into the same sum. */
void CospinMomentSumClear(CospinMomentSum *sum)
{
  sum->count = 0;
  for (int k = 0; k < sum->num_slots; k++) sum->slots[k] = 0;
}

/* FNV-1a; num_slots is a power of two and never full. */
static int slot_of(const CospinMomentSum *sum, const CospinMomentKey *key)
{
  const unsigned char *bytes = (const unsigned char *)key;
  unsigned hash = 2166136261u;
  int slot;

  for (size_t k = 0; k < sizeof(*key); k++) hash = (hash ^ bytes[k]) * 16777619u;
  slot = (int)((hash ^ hash >> 15) & (unsigned)(sum->num_slots - 1));
  while (sum->slots[slot] && memcmp(&sum->keys[sum->slots[slot] - 1], key, sizeof(*key)) != 0)
    slot = (slot + 1) & (sum->num_slots - 1);
  return slot;
}

/* -1 also while the sum is empty and has no slots. */
int CospinMomentSumFind(const CospinMomentSum *sum, const CospinMomentKey *key)
{
  return sum->num_slots ? sum->slots[slot_of(sum, key)] - 1 : -1;
}

/* Twice as many keys in a table that is at most half full; slots hold places, so that keys never move. */
static PetscErrorCode grow(CospinMomentSum *sum)
{
  const int capacity = sum->capacity ? 2 * sum->capacity : 32;

  PetscFunctionBeginUser;
  PetscCall(PetscRealloc(sizeof(*sum->keys) * (size_t)capacity, &sum->keys));
  PetscCall(PetscRealloc(sizeof(*sum->values) * (size_t)capacity, &sum->values));
  PetscCall(PetscRealloc(sizeof(*sum->sizes) * (size_t)capacity, &sum->sizes));
  PetscCall(PetscFree(sum->slots));
  PetscCall(PetscCalloc1(2 * (size_t)capacity, &sum->slots));
  sum->capacity = capacity;
  sum->num_slots = 2 * capacity;
  for (int k = 0; k < sum->count; k++) sum->slots[slot_of(sum, &sum->keys[k])] = k + 1;
  PetscFunctionReturn(0);
}

/* The sum of moduli beside the value tells what is left of terms that cancel. */
PetscErrorCode CospinMomentSumAdd(CospinMomentSum *sum, const CospinMomentKey *key, double complex value,
                                  int *index)
{
  int slot, place;

  PetscFunctionBeginUser;
  if (sum->count == sum->capacity) PetscCall(grow(sum));
  slot = slot_of(sum, key);
  if (!sum->slots[slot]) {
    sum->keys[sum->count] = *key;
    sum->values[sum->count] = 0.0;
    sum->sizes[sum->count] = 0.0;
    sum->slots[slot] = ++sum->count;
  }
  place = sum->slots[slot] - 1;
  sum->values[place] += value;
  sum->sizes[place] += cabs(value);
  if (index) *index = place;
  PetscFunctionReturn(0);
}
