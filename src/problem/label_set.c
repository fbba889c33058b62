/*
   A hash table with open addressing (linear probing), at most half full.

   Labels with numbers: each new label gets the next one, so that arrays beside the set can hold what belongs
   to it. The slots hold numbers, the rows hold the labels themselves in the order in which they came.
*/
#include "label_set.h"

enum { FIRST_SLOTS = 64 };

/* Powers of two, so that a hash is cut to a slot by a mask. */
static PetscErrorCode make_slots(CospinLabelSet *set, PetscInt num_slots)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(set->slots));
  PetscCall(PetscMalloc1((size_t)num_slots, &set->slots));
  for (PetscInt k = 0; k < num_slots; k++) set->slots[k] = -1;
  set->num_slots = num_slots;
  PetscFunctionReturn(0);
}

PetscErrorCode CospinLabelSetCreate(int width, CospinLabelSet *set)
{
  PetscFunctionBeginUser;
  *set = (CospinLabelSet){.width = width};
  PetscCall(make_slots(set, FIRST_SLOTS));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinLabelSetDestroy(CospinLabelSet *set)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(set->rows));
  PetscCall(PetscFree(set->slots));
  PetscFunctionReturn(0);
}

/* Rows may move when the set grows: the address is good until the next label is added. */
static const int *row_of(const CospinLabelSet *set, PetscInt number)
{
  return set->rows + (size_t)number * (size_t)set->width;
}

static PetscBool is_same(int width, const int a[], const int b[])
{
  for (int i = 0; i < width; i++)
    if (a[i] != b[i]) return PETSC_FALSE;
  return PETSC_TRUE;
}

/* FNV-1a over the integers, its bits mixed once more at the end. */
static uint64_t hash(int width, const int row[])
{
  uint64_t h = 0xcbf29ce484222325u;

  for (int i = 0; i < width; i++) h = (h ^ (uint32_t)row[i]) * 0x100000001b3u;
  h = (h ^ (h >> 32)) * 0x94d049bb133111ebu;
  return h ^ (h >> 29);
}

/* The slot of a row: its own, or the empty one that it would have. */
static PetscInt find_slot(const CospinLabelSet *set, const int row[])
{
  const uint64_t mask = (uint64_t)set->num_slots - 1;
  uint64_t at = hash(set->width, row) & mask;

  while (set->slots[at] >= 0 && !is_same(set->width, row, row_of(set, set->slots[at]))) at = (at + 1) & mask;
  return (PetscInt)at;
}

/* Room for one more label; beyond half full the slots are doubled and all labels are put into them anew. */
static PetscErrorCode grow(CospinLabelSet *set)
{
  PetscFunctionBeginUser;
  if (set->count == set->capacity) {
    set->capacity = 2 * set->capacity + FIRST_SLOTS / 4;
    PetscCall(PetscRealloc(sizeof(int) * (size_t)set->capacity * (size_t)(set->width + 1), &set->rows));
  }
  if (2 * (set->count + 1) <= set->num_slots) PetscFunctionReturn(0);
  PetscCall(make_slots(set, 2 * set->num_slots));
  for (PetscInt k = 0; k < set->count; k++) set->slots[find_slot(set, row_of(set, k))] = k;
  PetscFunctionReturn(0);
}

PetscInt CospinLabelSetFind(const CospinLabelSet *set, const int row[])
{
  return set->slots[find_slot(set, row)];
}

PetscErrorCode CospinLabelSetAdd(CospinLabelSet *set, const int row[], PetscInt *number, PetscBool *new)
{
  PetscInt slot = find_slot(set, row);

  PetscFunctionBeginUser;
  *new = (PetscBool)(set->slots[slot] < 0);
  *number = *new ? set->count : set->slots[slot];
  if (!*new) PetscFunctionReturn(0);
  PetscCall(grow(set));
  slot = find_slot(set, row);
  PetscCall(PetscArraycpy(set->rows + (size_t)set->count * (size_t)set->width, row, set->width));
  set->slots[slot] = set->count++;
  PetscFunctionReturn(0);
}
