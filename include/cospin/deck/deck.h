/*
   A deck: the text that states a problem, checked and held as a tree of expressions. It knows the shape of
   decks (sections, keys, types, defaults) but no physics: the keys of component kinds and tasks come in as a
   schema.

   Nothing here is collective. Every rank reads the same bytes and holds the same deck.
*/
#pragma once
#include <cospin/deck/expression.h>
#include <float.h>

/* What a key's value may be, and so which member of CospinSetting it fills. */
typedef enum {
  COSPIN_KEY_NUMBER,   /* expression of the parameters, real                    -> expression */
  COSPIN_KEY_INTEGER,  /* expression of the parameters, a whole number          -> expression */
  COSPIN_KEY_OPERATOR, /* operator expression                                   -> expression */
  COSPIN_KEY_FUNCTION, /* expression of the parameters and of names that the kind defines -> expression */
  COSPIN_KEY_BOOLEAN,  /* true | false                                          -> boolean    */
  COSPIN_KEY_NAME,     /* a word; one of `choices` unless that is NULL          -> text       */
  COSPIN_KEY_AXIS,     /* a list of numbers, {linspace: ...}, {range: ...}, ... -> axis       */
  COSPIN_KEY_STATE,    /* {COMPONENT: STATE, ...} or {file: F, ...}, or a word of `choices`
                                                                             -> factors, file; text */
  COSPIN_KEY_SECTOR,   /* {ket: k, bra: b}, {charge: q}, or a word of `choices`  -> numbers; text */
  COSPIN_KEY_MATRICES  /* {NAME: [[..], ..], NAME: {entries: ..}, ...}          -> matrices   */
} CospinKeyType;

/* One row of a key table. Feeds the reader, the completed deck and the reference. */
typedef struct {
  const char *name; /* NULL ends a table */
  CospinKeyType type;
  const char *default_text; /* as it would stand in a deck; NULL: no default */
  PetscBool required;
  const char *instead;        /* another key that may stand there instead, never beside it; NULL: none */
  const char *const *choices; /* for COSPIN_KEY_NAME, _STATE, _SECTOR; NULL-terminated, or NULL */
  const char *unit;           /* "rate", "time", "" = a pure number */
  const char *help;           /* one sentence */
  double least, most;         /* of a number, if `range` is given */
  const char *range;          /* what must be, in words: "a number > 0"; NULL: any number */
} CospinKey;

/* Ranges of several keys, as initialisers of a row. */
#define COSPIN_KEY_POSITIVE     .least = DBL_MIN, .most = DBL_MAX, .range = "a number > 0"
#define COSPIN_KEY_NOT_NEGATIVE .least = 0.0, .most = DBL_MAX, .range = "a number >= 0"
#define COSPIN_KEY_PROBABILITY  .least = 0.0, .most = 1.0, .range = "a probability, 0 to 1"
#define COSPIN_KEY_TOLERANCE    .least = DBL_MIN, .most = DBL_MAX, .range = "a number > 0, such as 1e-10"
#define COSPIN_KEY_ACCURACY     .least = 1e-15, .most = 0.1, .range = "a number from 1e-15 to 0.1, such as 1e-9"
#define COSPIN_KEY_SEED         .least = 0.0, .most = 9007199254740992.0, .range = "a whole number from 0 to 2^53"

/* What a key of this type may be, in words. */
const char *CospinKeyTypeName(CospinKeyType type);

/* A section of a deck, for the reference. */
typedef struct {
  const char *name;
  PetscBool required;
  const char *help, *form; /* what it is; how it is written */
  const char *const
      *const keys[4]; /* of its entries: lists up to a NULL, each NULL-terminated; records have tables */
} CospinSectionInfo;
/* The k-th; NULL behind the last. */
const CospinSectionInfo *CospinDeckSection(int k);

/* A kind of component or of task, as far as a deck is concerned. */
typedef struct {
  const char *name;
  const char *help;
  const CospinKey *keys;
} CospinRecordKind;

typedef struct {
  const CospinRecordKind *const *components; /* NULL-terminated */
  const CospinRecordKind *const *tasks;      /* NULL-terminated */
  const CospinRecordKind *const *arrays;     /* generators, NULL-terminated */
  const CospinRecordKind *const *alone;      /* those of the tasks that ask nothing of components: a deck with
                                                no other tasks needs none; NULL-terminated, or NULL */
  const CospinRecordKind *const *expanded;   /* tasks under `operator: expansion`; NULL-terminated, or NULL */
} CospinSchema;

/* The values of a grid axis or of a list of times; expressions are resolved when the deck is read. */
typedef struct {
  char *name; /* the parameter it overrides; NULL for the axis of a key */
  int size;
  double *values;
  CospinPosition position;
} CospinAxis;

/* One line of a product state: `COMPONENT: NAME`, `{NAME: ARGUMENT}` or `{NAME: [ARGUMENT, ...]}`. What names
   there are is known to the kinds of components only. */
typedef struct {
  int component; /* index into deck->components */
  char *name, *path;
  CospinPosition position; /* of the name */
  int num_arguments;
  CospinExpression *arguments; /* expressions of the parameters */
} CospinStateFactor;

/* `{file: F, task: T, at: {AXIS: VALUE, ...}}`: a state that another run has stored. */
typedef struct {
  char *file, *task; /* task NULL: the only one in the file */
  CospinPosition file_position, task_position;
  char *file_path, *task_path;
  int num_at;
  char **at;                   /* [num_at] */
  CospinExpression *at_values; /* [num_at] of the parameters */
} CospinStateFile;

/* What a number of a sector's name counts: excitations of the ket, of the bra, of the ket minus those of the
 * bra, or N/2 - j. */
typedef enum {
  COSPIN_NUMBER_KET,
  COSPIN_NUMBER_BRA,
  COSPIN_NUMBER_CHARGE,
  COSPIN_NUMBER_IRREP,
  COSPIN_NUM_NUMBERS
} CospinNumberKind;
extern const char *const CospinNumberKeys[COSPIN_NUM_NUMBERS]; /* "ket", ... */

typedef struct {
  CospinNumberKind what;
  int component; /* index into deck->components; -1: all together */
  int part, of;  /* one of a list for the spins or levels of the component; of: how many there are, 0: it is
                    no list */
  CospinExpression expression;
} CospinSectorNumber;

/* A matrix with a name, an operator of a component: `NAME: [[..], ..]` row after row, `NAME: {entries: [[ROW,
   COLUMN, VALUE], ...]}`, all others zero, or `NAME: {file: F.h5, dataset: D}`. */
typedef struct {
  char *name, *path;
  CospinPosition position;
  int size;                  /* rows and columns of one that is written out; 0: another form */
  int num_expressions;       /* size^2, or three for each of the entries */
  CospinExpression *entries; /* row after row, or row, column and value of each; of the parameters */
  char *file, *dataset;      /* NULL: it stands in the deck */
} CospinMatrix;

typedef struct {
  const CospinKey *key;
  CospinPosition position;
  CospinExpression expression;
  PetscBool boolean;
  char *text; /* the value as written (scalars) */
  CospinAxis axis;
  int num_factors;
  CospinStateFactor *factors; /* components that are left out are in their ground state */
  CospinStateFile *file;      /* instead of factors, of which there are none then; NULL: a product state */
  int num_numbers;
  CospinSectorNumber
      *numbers; /* those of one kind in a row: one for all components, or one or a list for each of some */
  int num_matrices;
  CospinMatrix *matrices;
} CospinSetting;

/* One component or one task. settings[] stands in the order of kind->keys; a key that is neither given nor
   defaulted has text == NULL, expression == NULL, axis.size == 0, factors == NULL (a state that is given has
   factors, be it none of them), numbers and matrices == NULL. */
typedef struct {
  char *name;
  const CospinRecordKind *kind;
  CospinPosition position;
  CospinSetting *settings;
} CospinRecord;

/* `groups: K` of a component: K components of one line, NAME_0, NAME_1, ... */
typedef struct {
  char *name;       /* of the line */
  int first, count; /* of deck->components */
} CospinComponentGroup;

typedef struct {
  char *name;
  CospinExpression expression;
  PetscBool sum;    /* of an observable: `sum: EXPRESSION`, over what its indices run over */
  PetscBool each;   /* or `each: EXPRESSION`: a value for everything that they run over */
  char *unit;       /* NULL if not said */
  char *label;      /* NULL if not said; may contain $TeX$ */
} CospinDefinition; /* a parameter or an observable: `name: EXPRESSION` or `name: {value: EXPRESSION, unit: U,
                       label: L}` */

/* A vector or a matrix over the spins: `name: [..]`, `name: [[..], ..]`, `name: {GENERATOR: {keys}}` or, if
   the generator has a key of its own name, `name: {GENERATOR: value, keys}`. */
typedef struct {
  char *name;
  CospinPosition position;
  char *path;
  int rank, size;            /* of a list: 1 or 2; entries along each side */
  CospinExpression *entries; /* of a list: row after row */
  CospinRecord generator;    /* of any other; kind NULL: a list */
} CospinArray;

/* key `operator:`, `each:` or `pairs:` (with `rates:`) */
typedef enum { COSPIN_JUMP_COLLECTIVE, COSPIN_JUMP_EACH, COSPIN_JUMP_PAIRS } CospinJumpForm;

typedef struct {
  char *name; /* NULL if it has none; several may have the same */
  CospinJumpForm form;
  CospinPosition position;
  int member; /* of an `each:` over a group, which is one jump for each of its components: which; -1: none */
  CospinExpression rate; /* of pairs: an entry of the matrix */
  CospinExpression op;
} CospinJump;

typedef enum {
  COSPIN_PLOT_LINES,
  COSPIN_PLOT_WIGNER,
  COSPIN_PLOT_HUSIMI,
  COSPIN_PLOT_CRYSTAL,
  COSPIN_PLOT_MAP
} CospinPlotKind;
extern const char *const CospinPlotKinds[]; /* their names, NULL at the end */

/* Whether it is drawn of stored states: of wigner and husimi, which have the same keys. */
static inline PetscBool CospinPlotIsOfStates(CospinPlotKind kind)
{
  return kind == COSPIN_PLOT_WIGNER || kind == COSPIN_PLOT_HUSIMI ? PETSC_TRUE : PETSC_FALSE;
}

/* One picture that postprocess draws: {x: axis, y: [variables], series: axis, average: axis, title:, logx:,
 * logy:, xlabel:, ylabel:, fit:, split:, and as of a map mark:, marked:, at:, xlim:, ylim:}; {kind: map, x:
 * axis, series: axis, y: [variables], contour: variable, ridge: variable, inside:, mark: "X Y"} with a panel
 * of colours for each variable; of stored states: {kind: wigner | husimi, task:, component:, on: plane |
 * sphere, j:, title:}; or of ions and their modes: {kind: crystal, array:, title:} */
typedef struct {
  CospinPosition position;
  CospinPlotKind kind;
  char *x, *series, *average, *title, *xlabel, *ylabel; /* NULL if not said */
  char *contour, *ridge; /* of a map; NULL if not said: the line where a variable is 1, and that of its
                            largest values along `series` */
  char *mark, *marked;   /* a point "X Y" and what it is; NULL if not said */
  char *at;              /* "AXIS=VALUE, ...", where further axes are cut; NULL if not said */
  char *xlim, *ylim;     /* "FROM TO"; NULL if not said */
  char *inside;          /* of a map: a variable, drawn where it is above 1; NULL: everywhere */
  char *faint;           /* of lines: an axis whose curves are thin; NULL if not said */
  char *fit, *split;     /* of lines; NULL if not said: power, parity */
  char *task, *component, *on, *j; /* of stored states; NULL if not said */
  char *array;                     /* of a crystal; NULL if not said */
  int num_y;
  char **y;
  PetscBool logx, logy;
} CospinPlot;

/* `operator:` how generators are held: chosen by size, as matrices, as products without one, or not label by
   label at all but expanded around a stable point (cospin/solver/expansion.h). */
typedef enum {
  COSPIN_OPERATOR_AUTO,
  COSPIN_OPERATOR_ASSEMBLED,
  COSPIN_OPERATOR_SHELL,
  COSPIN_OPERATOR_EXPANSION
} CospinOperatorForm;
extern const char *const CospinOperatorForms[]; /* their names, NULL at the end */

typedef struct CospinDeck_ {
  PetscBool approximate; /* no task enumerates elements of Liouville space; set by who knows the tasks */
  /* What has been read without a fault, so that more can be told of it: parameters to jumps, and the numbers
     that they have at the first point; observables; tasks */
  PetscBool problem_sound, observables_sound, tasks_sound;
  char *title, *source;        /* "" if absent */
  char *rate_unit, *time_unit; /* `units: {rate: U, time: T}`; default "1" and "1/U" */
  int num_parameters;
  CospinDefinition *parameters; /* in the order of the deck */
  int *parameters_by_name;      /* indices of parameters[], sorted by name */
  int *parameters_by_need;      /* indices of parameters[], each behind those it depends on */
  int num_axes;
  CospinAxis *axes; /* first axis varies slowest */
  int num_components;
  CospinRecord *components;
  int num_groups;
  CospinComponentGroup *groups;
  int num_arrays;
  CospinArray *arrays;
  int num_hamiltonian;
  CospinExpression *hamiltonian;
  PetscBool *hamiltonian_sum; /* [num_hamiltonian] `- sum: EXPRESSION`: over the spins l, m that it names */
  int num_jumps;
  CospinJump *jumps;
  int num_durations;
  CospinExpression
      *durations; /* of `stages:`, of which else nothing is left but terms and rates: each >= 0 */
  int num_observables;
  CospinDefinition *observables;
  int num_tasks;
  CospinRecord *tasks;
  int num_plots;
  CospinPlot *plots;
  CospinOperatorForm operator_form;
  int num_petsc;
  char **petsc; /* 2*num_petsc strings: option without "-", value ("" if none) */
  char *text;   /* verbatim, but for parameters that the command line has changed */
  char *folder; /* of the file, "" or with a "/" at the end */
} * CospinDeck;

/*
   Reads `length` bytes of `text`; `file` is the name used in faults (held by `faults`). All faults that can
   be seen without knowing physics are added: YAML syntax, unknown, duplicate, missing and ill-typed keys
   (with a suggestion), syntax of every expression, parameters that depend on each other in a circle, axes
   without a parameter, names that clash (a parameter named like a component, a constant, a function, `hc`,
   `l`, `m`), two tasks of one name, unknown kinds. *deck is always created, and complete only if no fault was
   added.
*/
PetscErrorCode CospinDeckRead(const char text[], size_t length, const CospinSchema *schema,
                              CospinFaults faults, CospinDeck *deck);

/*
   The same with parameters changed: `changes` are "NAME=EXPRESSION" of the command line, NULL at the end, or
   NULL. What is wrong with them is told with the place "command line". deck->text has them where the values
   of the deck stood.
*/
PetscErrorCode CospinDeckReadChanged(const char text[], size_t length, const char *const changes[],
                                     const CospinSchema *schema, CospinFaults faults, CospinDeck *deck);
PetscErrorCode CospinDeckDestroy(CospinDeck *deck);

/* Number of grid points, 1 without a grid. index[] (num_axes) of a point: the last axis varies fastest. */
PetscInt64 CospinDeckNumPoints(CospinDeck deck);
void CospinDeckPointIndex(CospinDeck deck, PetscInt64 point, int index[]);

/* "nbar = 0.5, w = 62", cut to `size`; empty without a grid. */
PetscErrorCode CospinDeckDescribePoint(CospinDeck deck, PetscInt64 point, char text[], size_t size);

/*
   values[deck->num_parameters]: all parameters at one grid point, evaluated in the order of their dependence,
   axes put in place of the parameters they override. Faults (unknown name, not finite) are added; *ok tells.
*/
PetscErrorCode CospinDeckEvaluateParameters(CospinDeck deck, PetscInt64 point, double complex values[],
                                            CospinFaults faults, PetscBool *ok);
/* One parameter with another value, as if it were an axis with this one. */
typedef struct {
  int parameter; /* index into deck->parameters */
  double value;
} CospinVaried;
/* The same with one of them varied (NULL: none). */
PetscErrorCode CospinDeckEvaluateVaried(CospinDeck deck, PetscInt64 point, const CospinVaried *varied,
                                        double complex values[], CospinFaults faults, PetscBool *ok);

/* The setting of a record by the name of its key; a key that the kind does not have is a bug (PetscCheck).
 * Borrowed. */
const CospinSetting *CospinRecordGet(const CospinRecord *record, const char key[]);

/*
   Prints the deck completed with every default, in the order of design: itself a valid deck that means the
   same. Comments of the original are not kept.
*/
PetscErrorCode CospinDeckViewCompleted(CospinDeck deck, FILE *stream);

/*
   The same without what cannot change a result at a given point: title, labels, units, pictures, the values
   of the axes and those that they override. Two decks that print the same here may share results.
*/
PetscErrorCode CospinDeckViewMeaning(CospinDeck deck, FILE *stream);

/* A setting of the type sector as the deck has it, on one line: {ket: 0, bra: 1}. */
PetscErrorCode CospinDeckViewSector(CospinDeck deck, const CospinSetting *setting, FILE *stream);

/*
   Groups (`groups: K` of a component). Names of operators are "ions.Sp" of a component, "g.Sp" of a group as
   a whole and "g[].Sp" of one of its members, which the first index tells (cospin/deck/expression.h).
*/
/* Borrowed: the group that such a name speaks of; NULL: none. *member (may be NULL): whether of one only. */
const CospinComponentGroup *CospinDeckGroupOf(CospinDeck deck, const char name[], PetscBool *member);
/* Borrowed: the operator's name, "Sp", if it is one of this component, be it as a member; NULL: it is not. */
const char *CospinDeckOperatorOf(CospinDeck deck, int component, const char name[]);
/* The group that the component is a member of, by one line of the deck; NULL: none. */
const CospinComponentGroup *CospinDeckGroupWith(CospinDeck deck, int component);
/* Whether `k` is the first index of a term, as `l` is, which it is unless a parameter has that name. */
PetscBool CospinDeckIndexIsK(CospinDeck deck);
