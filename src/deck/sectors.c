/*
   The name of a sector: what stands behind `sector:`.
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

static PetscErrorCode Read_Number(CospinReader *reader, const CospinEntry *entry, CospinNumberKind what,
                                  int component, CospinSetting *setting)
{
  CospinSectorNumber *number = &setting->numbers[setting->num_numbers];

  PetscFunctionBeginUser;
  *number = (CospinSectorNumber){.what = what, .component = component};
  PetscCall(CospinReadExpression(reader, entry, "a whole number or an expression", &number->expression));
  if (!number->expression) PetscFunctionReturn(0);
  PetscCall(CospinParametersCheckNames(reader->deck, number->expression, reader->faults));
  setting->num_numbers++;
  PetscFunctionReturn(0);
}

/* One number for all components, or {COMPONENT: number, ...}. */
static PetscErrorCode Read_Numbers(CospinReader *reader, const CospinEntry *entry, CospinNumberKind what,
                                   CospinSetting *setting)
{
  CospinEntries parts;
  int component;

  PetscFunctionBeginUser;
  if (CospinEntryGetForm(entry) != COSPIN_ENTRY_MAPPING) {
    PetscCall(Read_Number(reader, entry, what, -1, setting));
    PetscFunctionReturn(0);
  }
  PetscCall(
      CospinEntriesCreate(entry, COSPIN_ENTRY_MAPPING, "{COMPONENT: number, ...}", reader->faults, &parts));
  for (int k = 0; k < parts.count; k++) {
    PetscCall(CospinReadComponent(reader, &parts.entries[k], &component));
    if (component >= 0) PetscCall(Read_Number(reader, &parts.entries[k], what, component, setting));
  }
  PetscCall(CospinEntriesDestroy(&parts));
  PetscFunctionReturn(0);
}

static PetscErrorCode Check_Keys(CospinReader *reader, const CospinEntry *entry, const CospinEntries *entries)
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
  /* one of each even if there is no component, which is a fault of another section */
  PetscCall(PetscCalloc1((size_t)(COSPIN_NUM_NUMBERS * PetscMax(1, reader->deck->num_components)),
                         &setting->numbers));
  for (int k = 0; k < COSPIN_NUM_NUMBERS; k++) {
    const CospinEntry *number = CospinEntriesFind(&entries, CospinNumberKeys[k]);

    if (number) PetscCall(Read_Numbers(reader, number, (CospinNumberKind)k, setting));
  }
  if (!unknown && entries.count) PetscCall(Check_Keys(reader, entry, &entries));
  if (!entries.count &&
      (CospinEntryGetForm(entry) == COSPIN_ENTRY_EMPTY || CospinEntryGetForm(entry) == COSPIN_ENTRY_MAPPING))
    PetscCall(CospinFaultsAdd(reader->faults, entry->at, entry->path,
                              "has no value (must be " EXPECTED_SECTOR ")"));
  if (!setting->num_numbers) PetscCall(PetscFree(setting->numbers));
  PetscCall(CospinEntriesDestroy(&entries));
  PetscFunctionReturn(0);
}
