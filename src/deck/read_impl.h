/*
   What the readers of a deck's sections share.
*/
#pragma once
#include "entry.h"
#include "expression/expression_impl.h"
#include <cospin/deck/deck.h>

/* A parameter that the command line gives another value: changes.c. */
typedef struct {
  char *name;        /* owned; the value stands behind it */
  const char *value; /* an expression */
  PetscBool is_known;
  size_t begin, end; /* of the old value in the text, in bytes */
} CospinChange;

typedef struct {
  CospinFaults faults;
  const CospinSchema *schema;
  CospinDeck deck;
  int num_changes;
  CospinChange *changes;
  /* Parameters that no axis changes; NULL before CospinReadConstants. */
  double complex *constants;
  char *states;
} CospinReader;

/* The expression that stands in an entry; NULL and faults if there is none. */
PetscErrorCode CospinReadExpression(CospinReader *reader, const CospinEntry *entry, const char expected[],
                                    CospinExpression *expression);
/* true | false; *value is left alone on a fault. */
PetscErrorCode CospinReadBoolean(CospinReader *reader, const CospinEntry *entry, PetscBool *value);
/* Whether a name is a letter, then letters, digits and "_"; a fault if not. */
PetscErrorCode CospinReadName(CospinReader *reader, CospinPosition at, const char path[], const char name[],
                              PetscBool *good);

/* The texts of keys[] where they are given, to *places[] in their order; owned by the caller. */
PetscErrorCode CospinReadTexts(CospinReader *reader, const CospinEntries *entries, const char *const keys[],
                               char **const places[]);

/* What a name means in every expression ("a constant"); NULL: nothing. */
const char *CospinReservedName(const char name[]);

/* sections.c, generator.c, stages.c, plots.c, grid.c, records.c, arrays.c: one function a section. */
PetscErrorCode CospinReadTitle(CospinReader *reader, const CospinEntry *entry);
PetscErrorCode CospinReadSource(CospinReader *reader, const CospinEntry *entry);
PetscErrorCode CospinReadUnits(CospinReader *reader, const CospinEntry *entry);
PetscErrorCode CospinReadParameters(CospinReader *reader, const CospinEntry *entry);
PetscErrorCode CospinReadGrid(CospinReader *reader, const CospinEntry *entry);
PetscErrorCode CospinReadComponents(CospinReader *reader, const CospinEntry *entry);
PetscErrorCode CospinReadArrays(CospinReader *reader, const CospinEntry *entry);
PetscErrorCode CospinReadHamiltonian(CospinReader *reader, const CospinEntry *entry);
PetscErrorCode CospinReadJumps(CospinReader *reader, const CospinEntry *entry);
PetscErrorCode CospinReadStages(CospinReader *reader, const CospinEntry *entry);
PetscErrorCode CospinReadObservables(CospinReader *reader, const CospinEntry *entry);
PetscErrorCode CospinReadTasks(CospinReader *reader, const CospinEntry *entry);
PetscErrorCode CospinReadOperator(CospinReader *reader, const CospinEntry *entry);
PetscErrorCode CospinReadPetsc(CospinReader *reader, const CospinEntry *entry);
PetscErrorCode CospinReadPlots(CospinReader *reader, const CospinEntry *entry);

/* grid.c. The values of an axis; none on a fault. `axis` is zero on entry. */
PetscErrorCode CospinReadAxis(CospinReader *reader, const CospinEntry *entry, CospinAxis *axis);

/* states.c. A product state; setting->factors stays NULL on a fault of form. */
PetscErrorCode CospinReadState(CospinReader *reader, const CospinEntry *entry, CospinSetting *setting);

/* states.c. The component that an entry's key names; -1 and a fault if there is none. */
PetscErrorCode CospinReadComponent(CospinReader *reader, const CospinEntry *entry, int *component);

/* groups.c. How many components a line makes: 0: it has no key `groups`. */
PetscErrorCode CospinReadGroupSize(CospinReader *reader, const CospinRecord *record, int *count);
PetscErrorCode CospinCheckGroupNames(CospinReader *reader);
/* How many jumps an `each:` over a group is; 0: it runs over none. */
PetscErrorCode CospinReadGroupJump(CospinReader *reader, const CospinJump *jump, int *count);

/* sectors.c. The name of a sector; setting->numbers stays NULL on a fault of form. */
PetscErrorCode CospinReadSector(CospinReader *reader, const CospinEntry *entry, CospinSetting *setting);

/* matrices.c. Operators as matrices; setting->matrices stays NULL on a fault of form. */
PetscErrorCode CospinReadMatrices(CospinReader *reader, const CospinEntry *entry, CospinSetting *setting);

/* keys.c. The settings of a record by the key table of its kind; `reserved` is a key that is no setting. */
PetscErrorCode CospinReadSettings(CospinReader *reader, const CospinEntries *entries, const char reserved[],
                                  const char path[], CospinRecord *record);

/* parameters.c */
int CospinParameterFind(CospinDeck deck, const char name[]); /* -1 if there is none */
PetscErrorCode CospinParametersSort(CospinDeck deck, CospinFaults faults);
/* A fault for every name of a numerical expression that is no parameter. */
PetscErrorCode CospinParametersCheckNames(CospinDeck deck, CospinExpression expression, CospinFaults faults);
/* Evaluates the parameters that no axis changes, the first time it is called: the axes' names are known then.
 */
PetscErrorCode CospinReadConstants(CospinReader *reader);
/* The real value of an expression of parameters that no axis changes. */
PetscErrorCode CospinReadConstant(CospinReader *reader, CospinExpression expression, double *value,
                                  PetscBool *ok);
/* The value of an expression at a grid point whose parameters are known. */
PetscErrorCode CospinEvaluateAtPoint(CospinDeck deck, const double complex values[],
                                     CospinExpression expression, CospinFaults faults, double complex *value,
                                     PetscBool *ok);

/* changes.c. From NULL-terminated "NAME=EXPRESSION". */
PetscErrorCode CospinChangesCreate(const char *const texts[], CospinFaults faults, int *count,
                                   CospinChange **changes);
PetscErrorCode CospinChangesDestroy(int count, CospinChange **changes);
/* Puts them in place of the parameters' expressions; `parameters` is the section. */
PetscErrorCode CospinChangesApply(CospinReader *reader, const CospinEntry *parameters);
/* Faults of those that change nothing: no such parameter, or an axis that wins. Axes are known then. */
PetscErrorCode CospinChangesCheck(CospinReader *reader);
/* Puts them into deck->text, of `length` bytes, if there are no faults. No document may refer to that any
   more; the changes are in the order of the text afterwards. */
PetscErrorCode CospinChangesWrite(CospinReader *reader, size_t length);

/* The keys of sections that are no records, NULL at the end. */
extern const char *const CospinUnitsKeys[],
    *const CospinDefinitionKeys[], *const CospinObservableKeys[], *const CospinTermKeys[],
                                                                      *const CospinJumpKeys[],
                                                                          *const CospinStageKeys[],
                                                                              *const CospinWignerKeys[],
                                                                                  *const CospinCrystalKeys[],
                                                                                      *const CospinPlotKeys[];
