/*
   Small sparse matrices (rows of one component, of kets, of bras) that every rank holds whole. Elements
   come in the order in which moves are read and are sorted once at the end: row by row, equal places
   added, exact zeros dropped, so that what cancels (H on both sides of a diagonal) takes no room.

   The order of addition is that of the list on every rank (the sort is stable), so that the sums have the
   same bits everywhere and for any number of ranks.
*/
#include "rows.h"

PetscErrorCode CospinRowsAdd(CospinRows *rows, CospinElement element)
{
  PetscFunctionBeginUser;
  if (rows->count == rows->capacity) {
    PetscCheck(rows->capacity < PETSC_MAX_INT / 3, PETSC_COMM_SELF, PETSC_ERR_SUP, "Too many elements");
    rows->capacity = 2 * rows->capacity + 64;
    PetscCall(PetscRealloc(sizeof(CospinElement) * (size_t)rows->capacity, &rows->elements));
  }
  rows->elements[rows->count++] = element;
  PetscFunctionReturn(0);
}

static int compare(const void *a, const void *b, void *context)
{
  const CospinElement *s = (const CospinElement *)a, *t = (const CospinElement *)b;

  (void)context;
  if (s->row != t->row) return s->row < t->row ? -1 : 1;
  if (s->column != t->column) return s->column < t->column ? -1 : 1;
  return s->slot < t->slot ? -1 : s->slot > t->slot;
}

/* Equal row, column and slot; slots keep the monomials of a jump apart. */
static PetscBool same_place(const CospinElement *a, const CospinElement *b)
{
  return (PetscBool)(a->row == b->row && a->column == b->column && a->slot == b->slot);
}

/* first[row + 1] counts first and is then summed up: the usual compressed rows. */
PetscErrorCode CospinRowsFinish(CospinRows *rows, int num_rows)
{
  int kept = 0;

  PetscFunctionBeginUser;
  if (rows->count > 1)
    PetscCall(PetscTimSort(rows->count, rows->elements, sizeof(CospinElement), compare, NULL));
  PetscCall(PetscCalloc1((size_t)num_rows + 1, &rows->first));
  for (int k = 0; k < rows->count;) {
    CospinElement sum = rows->elements[k];
    for (k++; k < rows->count && same_place(&sum, &rows->elements[k]); k++)
      sum.value += rows->elements[k].value;
    if (sum.value == 0.0) continue;
    rows->elements[kept++] = sum;
    rows->first[sum.row + 1]++;
  }
  rows->count = kept;
  for (int r = 0; r < num_rows; r++) rows->first[r + 1] += rows->first[r];
  PetscFunctionReturn(0);
}

PetscErrorCode CospinRowsDestroy(CospinRows *rows)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(rows->elements));
  PetscCall(PetscFree(rows->first));
  PetscFunctionReturn(0);
}
