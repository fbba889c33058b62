/*
   The name of a sector: what stands behind `sector:`.

   Numbers of a sector are expressions as everything else; which of `ket`, `bra`, `charge` and `mod` a
   problem's symmetry has, and what they may be, problem/sector_named.c knows.

   What the numbers mean: under a strong symmetry ket and bra are excitation numbers of either side, each
   conserved; under a weak one only their difference is, the charge (modulo something if the symmetry is a
   parity). Tr(S^- rho) reads elements |m><m-1|, whose charge, ket minus bra, is +1.
*/
#include "read_impl.h"
#include <string.h>

#define EXPECTED_SECTOR "{ket: k, bra: b} under a strong symmetry, {charge: q} under a weak one"

const char *const CospinNumberKeys[COSPIN_NUM_NUMBERS] = {
    [COSPIN_NUMBER_KET] = "ket",
    [COSPIN_NUMBER_BRA] = "bra",
    [COSPIN_NUMBER_CHARGE] = "charge",
    [COSPIN_NUMBER_IRREP] = "irrep",
};

/* Each number keeps which of the four names it belongs to, and to which component and part of it, in one
   flat list: problem/sector_named.c turns it into a label. The list grows by one: sectors have a handful
   of numbers. */
static PetscErrorCode read_number(CospinReader *reader, const CospinEntry *entry, CospinSectorNumber number,
                                  CospinSetting *setting)
{
  const size_t size = sizeof(CospinSectorNumber) * (size_t)(setting->num_numbers + 1);

  PetscFunctionBeginUser;
  PetscCall(CospinReadExpression(reader, entry, "a whole number or an expression", &number.expression));
  if (!number.expression) PetscFunctionReturn(0);
  PetscCall(CospinParametersCheckNames(reader->deck, number.expression, reader->faults));
  PetscCall(PetscRealloc(size, &setting->numbers));
  setting->numbers[setting->num_numbers++] = number;
  PetscFunctionReturn(0);
}

/* A number for a component, or a list of one for each of its spins or levels. An irrep is one number of a
   component even where others are lists. */
static PetscErrorCode read_part(CospinReader *reader, const CospinEntry *entry, CospinSectorNumber number,
                                CospinSetting *setting)
{
  CospinEntries items;

  PetscFunctionBeginUser;
  if (CospinEntryGetForm(entry) != COSPIN_ENTRY_LIST || number.what == COSPIN_NUMBER_IRREP) {
    PetscCall(read_number(reader, entry, number, setting));
    PetscFunctionReturn(0);
  }
  PetscCall(CospinEntriesCreate(entry, COSPIN_ENTRY_LIST, "a list of whole numbers", reader->faults, &items));
  number.of = items.count;
  for (number.part = 0; number.part < items.count; number.part++)
    PetscCall(read_number(reader, &items.entries[number.part], number, setting));
  if (!items.count)
    PetscCall(CospinFaultsAdd(reader->faults, entry->at, entry->path,
                              "has no value (must be a whole number, or a list of them)"));
  PetscCall(CospinEntriesDestroy(&items));
  PetscFunctionReturn(0);
}

/* One number for all components, or {COMPONENT: number or list, ...}. */
static PetscErrorCode read_numbers(CospinReader *reader, const CospinEntry *entry, CospinNumberKind what,
                                   CospinSetting *setting)
{
  CospinSectorNumber number = {.what = what, .component = -1};
  CospinEntries parts;

  PetscFunctionBeginUser;
  if (CospinEntryGetForm(entry) != COSPIN_ENTRY_MAPPING) {
    PetscCall(read_number(reader, entry, number, setting));
    PetscFunctionReturn(0);
  }
  PetscCall(
      CospinEntriesCreate(entry, COSPIN_ENTRY_MAPPING, "{COMPONENT: number, ...}", reader->faults, &parts));
  for (int k = 0; k < parts.count; k++) {
    PetscCall(CospinReadComponent(reader, &parts.entries[k], &number.component));
    if (number.component >= 0) PetscCall(read_part(reader, &parts.entries[k], number, setting));
  }
  PetscCall(CospinEntriesDestroy(&parts));
  PetscFunctionReturn(0);
}

/* A strong symmetry labels kets and bras, a weak one only their difference, the charge; a deck has to say
   which of the two it means. `charge` with `ket` says too much, `ket` alone too little; the forms of both
   must agree, so that each number of the ket has its bra. */
static PetscErrorCode check_keys(CospinReader *reader, const CospinEntry *entry, const CospinEntries *entries)
{
  const CospinEntry *ket = CospinEntriesFind(entries, "ket"), *bra = CospinEntriesFind(entries, "bra"),
                    *charge = CospinEntriesFind(entries, "charge");

  PetscFunctionBeginUser;
  if (!ket != !bra || (ket && charge))
    PetscCall(CospinFaultsAdd(reader->faults, entry->at, entry->path, "must be " EXPECTED_SECTOR));
  else if (ket && CospinEntryGetForm(ket) != CospinEntryGetForm(bra))
    PetscCall(CospinFaultsAdd(reader->faults, bra->at, bra->path,
                              "must be like `ket`: one number for all components, or {COMPONENT: number, "
                              "...}"));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinReadSector(CospinReader *reader, const CospinEntry *entry, CospinSetting *setting)
{
  const char *known[COSPIN_NUM_NUMBERS + 1] = {NULL};
  CospinEntries entries;
  int unknown;

  PetscFunctionBeginUser;
  for (int k = 0; k < COSPIN_NUM_NUMBERS; k++) known[k] = CospinNumberKeys[k];
  PetscCall(CospinEntriesCreate(entry, COSPIN_ENTRY_MAPPING, EXPECTED_SECTOR, reader->faults, &entries));
  PetscCall(CospinEntriesCheckKeys(&entries, known, reader->faults, &unknown));
  for (int k = 0; k < COSPIN_NUM_NUMBERS; k++) {
    const CospinEntry *number = CospinEntriesFind(&entries, CospinNumberKeys[k]);

    if (number) PetscCall(read_numbers(reader, number, (CospinNumberKind)k, setting));
  }
  if (!unknown && entries.count) PetscCall(check_keys(reader, entry, &entries));
  if (!entries.count &&
      (CospinEntryGetForm(entry) == COSPIN_ENTRY_EMPTY || CospinEntryGetForm(entry) == COSPIN_ENTRY_MAPPING))
    PetscCall(CospinFaultsAdd(reader->faults, entry->at, entry->path,
                              "has no value (must be " EXPECTED_SECTOR ")"));
  PetscCall(CospinEntriesDestroy(&entries));
  PetscFunctionReturn(0);
}
