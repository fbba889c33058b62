/*
   Components: the factors of the Hilbert space, and the one interface behind which every kind of them hides.

   A component labels the elements |x><y| of its Liouville space with a few integers, its coordinates.
   Everything the rest of the program knows about a component is how elementary steps move and weigh these
   labels.
*/
#pragma once
#include <cospin/deck/deck.h>
#include <cospin/deck/polynomial.h>

#define COSPIN_MAX_COORDINATES 64 /* of all components of a problem together */

/* CospinElementary.spin of an operator of one spin that stands for each of them in turn (`each:`) */
#define COSPIN_EACH_SPIN (-2)
/* of one that stands for its sum over the spins of a component whose spins have indices (Sm of `spins`) */
#define COSPIN_ALL_SPINS (-3)

typedef struct CospinComponent_ *CospinComponent;

/* The side of |x><y| on which an operator acts: KET A|x><y|, BRA |x><y|A^+. */
typedef enum { COSPIN_KET, COSPIN_BRA } CospinSide;

/* What a coordinate counts: excitations of the ket or of the bra, or something that has no side (the irrep
 * j), or both at once. */
typedef enum {
  COSPIN_COORDINATE_KET,
  COSPIN_COORDINATE_BRA,
  COSPIN_COORDINATE_IRREP,
  COSPIN_COORDINATE_CLICKS, /* of a counter */
  COSPIN_COORDINATE_PAIR    /* atoms whose ket and bra are told together: it belongs to both sides at once */
} CospinRole;

/*
   An elementary superoperator of one component: it takes every label to one label, at a constant distance,
   times a real amplitude. `code` is the kind's own numbering.
*/
typedef struct {
  int component, code;
} CospinStep;

/* A named operator as a sum of at most two monomials of at most two elementary operators (n = a^+ a, Sx =
   Sp/2 + Sm/2). A name takes as many levels in brackets as its monomials hold different COSPIN_LEVEL: E[a,b].
 */
#define COSPIN_LEVEL(k) (-1 - (k)) /* instead of a code: the k-th level in brackets, from 0 on */
typedef struct {
  const char *name; /* NULL ends a table */
  PetscBool one_spin;
  int num_terms;
  struct {
    double re, im;
    int length, code[2];
  } term[2];
  const char *help;
} CospinOperatorName;

/*
   A named state of a component. Pure ones are rho = |psi><psi|, and then the coefficient of an element |x><y|
   is psi(x) psi(y)^*, where the component's element stands for that (a symmetric one, if it stands for a
   sum).
*/
#define COSPIN_EACH_LEVEL     (-1) /* as num_arguments: one for every level (NumLevels) */
#define COSPIN_EACH_PAIR      (-2) /* one for every pair of levels: a matrix, row after row */
#define COSPIN_EACH_DIRECTION (-3) /* two angles for every spin (NumSpins) */
#define COSPIN_EACH_BIT       (-4) /* a digit 0 or 1 for every spin, all in one text */
typedef struct {
  const char *name; /* NULL ends a table; the first one is the state of components that are left out */
  int num_arguments;
  const char *arguments; /* "theta, phi" */
  const char *help;
  /* Checks the arguments and keeps in *data (CospinStateName.Free) what Element needs. If they are not
     allowed, `why` gets a sentence that says what would be right, and *data NULL. *pure tells about the
     state.
   */
  PetscErrorCode (*Prepare)(CospinComponent component, const double complex arguments[], void **data,
                            PetscBool *pure, char why[], size_t why_size);
  /* Coefficient of the basis element of a label. */
  double complex (*Element)(CospinComponent component, const void *data, const int label[]);
  PetscErrorCode (*Free)(void *data);
} CospinStateName;

/* A matrix that a deck states of a component (CospinMatrix), at a grid point: elements with their rows and
   columns, each from 0 on and of whatever size. Of one that is written out, elements that are zero are left
   out. */
typedef struct {
  const CospinMatrix *of; /* name, place in the deck; borrowed */
  int size;               /* rows and columns of one that is written out or read; 0: entries alone */
  int num;
  double *row, *column; /* [num] whole numbers where the deck is right */
  double complex *value;
} CospinOperatorMatrix;

/* Receives, one after the other, the terms that something is made of. For sum_l A_l rho B_l^+ the codes are
   those of steps, coefficient * steps[length-1] ... steps[0] (rho); for operators those of elementary
   operators. */
typedef PetscErrorCode (*CospinEmit)(void *context, double complex coefficient, int length, const int code[]);

/* Receives, one after the other, the |ket><bra| that an element is a sum of; kets by their number, from 0 on.
 */
typedef PetscErrorCode (*CospinEmitPair)(void *context, PetscInt64 ket, PetscInt64 bra);

/* A column of the labels of a stored state: what one of a component's labels is called in a file. */
typedef struct {
  const char *suffix; /* the column is <component>_<suffix>; NULL ends a table */
  PetscBool integer;  /* otherwise half-integers may stand there */
  const char *help;
} CospinLabelColumn;

/* A linear function of a component's coordinates, constant + sum slope * label[coordinate], with constants
   that are exact. `edge`: labels at which it is negative do not exist. */
typedef struct {
  double constant;
  int num;
  struct {
    int coordinate;
    double slope;
  } term[2];
  PetscBool edge;
} CospinLinear;

/*
   The amplitude of a step as a function of labels that are real numbers: coefficient * factors / divisors.

   It is the amplitude that the step has for g^-1 rho instead of rho, where g depends on the label and is 1 on
   the diagonal: g = sqrt(G(y)/G(x)), G the product of the factorials of the levels' occupations (n! of a
   mode, (j+m)! (j-m)! of a spin). All square roots vanish, traces and expectation values stay as they are:

     mode:  a rho -> 1, rho a^+ -> n', a^+ rho -> n + 1, rho a -> 1
     spin:  Sm rho -> j-m+1, rho Sp -> j+m', Sp rho -> j+m+1, rho Sm -> j-m'
*/
enum { COSPIN_MAX_FACTORS = 6 };
typedef struct {
  double coefficient;
  int num_factors, num_divisors;
  CospinLinear factor[COSPIN_MAX_FACTORS], divisor[COSPIN_MAX_FACTORS];
} CospinRational;

/* What an elementary operator is on one side, at most: a sum over the levels of the other side. */
enum { COSPIN_MAX_STEPS = 16 };

/*
   A kind. Labels are handed over as the component's own coordinates (a slice of the problem's label). None of
   these is collective.
*/
typedef struct CospinComponentKind_ {
  CospinRecordKind record; /* name, help and keys in the deck */
  /* What takes its place, with the same record, where a process acts on one of its atoms alone or a state is
     none of its own: a kind with more labels. NULL: there is none. */
  const struct CospinComponentKind_ *one_by_one;
  const CospinOperatorName *operators;
  const int *adjoint; /* [elementary operator code] the code of its adjoint; NULL: ElementaryAdjoint */
  int (*ElementaryAdjoint)(CospinComponent component, int code);
  /* Amplitudes are any numbers, so that those of some levels say nothing of the others (the first coordinate
     numbers the ket's). */
  PetscBool irregular;
  const CospinStateName *states; /* what `initial:` may say of it */
  /* Whether no label that begins with coordinates 0 ... i of this one has an element in a state (what Prepare
     made): the search for the sectors of a state ends there. NULL: known of whole labels only. */
  PetscBool (*Vanishes)(CospinComponent component, const void *state, int i, const int label[]);

  /* `window`: levels to keep of a component whose deck leaves that open (0: start small), or of one with a
     cutoff, for whoever looks behind it (0: the cutoff); others ignore it.
     numbers[]: the values of the record's number and integer keys (NaN if absent), in the order of its keys.
     Adds faults (size out of range, ...); *ok tells. Sets component->num_coordinates and ->data, and may
     put another table, which `data` owns, in place of component->operators. */
  PetscErrorCode (*Create)(CospinComponent component, const CospinRecord *record, const double numbers[],
                           int window, CospinFaults faults, PetscBool *ok);
  /* Levels kept of a component whose deck leaves that open; 0: it has nothing to grow. NULL: never. */
  int (*Window)(CospinComponent component);
  /* Population of the highest levels beyond which a cutoff that the deck states has cut something away;
     infinity: nothing is cut. NULL: never. The first coordinate counts the levels. */
  double (*Edge)(CospinComponent component);
  /* NULL: `data` is one piece of memory, which PetscFree frees. */
  PetscErrorCode (*Destroy)(CospinComponent component);
  /* "124 spins-1/2, permutation symmetric" */
  PetscErrorCode (*Describe)(CospinComponent component, char text[], size_t size);

  /* How elements are stored in files (cospin/dataset/stored.h): the columns of their labels, at most one a
     coordinate or two, and what an element of these labels stands for, one sentence. */
  const CospinLabelColumn *columns;
  const char *element;
  /* What tells components of this kind apart: number of spins, length, levels. A state stored with fewer
     levels fits if the kind has a Window. */
  const char *size;
  double (*Size)(CospinComponent component);
  /* ln of how many orthogonal copies of |x><y| an element is shared out among, each with an equal part of its
     value (the irreps j of an ensemble); NULL: one. */
  double (*LogCopies)(CospinComponent component, const int label[]);
  /* Largest eigenvalue of Sz, of kinds with operators Sx, Sy, Sz of an angular momentum; NULL: others. */
  double (*Length)(CospinComponent component);
  /* From a label to its columns; and back, which may lead out of range, false if there is no such label. */
  void (*GetColumns)(CospinComponent component, const int label[], double columns[]);
  PetscBool (*SetColumns)(CospinComponent component, const double columns[], int label[]);

  /* How many spins an index tells apart; NULL if the kind has none such. If it has, operators with `one_spin`
     take an index (CospinElementary.spin) and all others are sums over the spins of what their table says. */
  int (*NumSpins)(CospinComponent component);

  /* How many levels an index tells apart (COSPIN_LEVEL); NULL if the kind has no operators of levels. */
  int (*NumLevels)(CospinComponent component);
  /* The elementary operators that a name of the table means, for kinds whose table does not say it in
     elementary operators; levels: those in brackets. NULL: the codes in the table are elementary operators.
   */
  PetscErrorCode (*Operator)(CospinComponent component, const CospinOperatorName *name, const int levels[],
                             CospinEmit emit, void *context);

  /* [num_coordinates] what the coordinates count */
  const CospinRole *roles;
  /* lo..hi: values coordinate i may take, given coordinates 0..i-1 of the label. Constraints are linear
     inequalities, so what remains of a line of labels is one interval. */
  void (*Range)(CospinComponent component, int i, const int label[], int *lo, int *hi);
  /* The one coordinate before i on which the range of i depends, -1: none. NULL: no range does on any. */
  int (*BoundBy)(CospinComponent component, int i);
  /* A label on the diagonal (x = y) at which every Range is as wide as anywhere, and the steps between
     diagonal labels: num rows of num_coordinates. */
  void (*Diagonal)(CospinComponent component, int label[], int *num, const int **generators);
  /* Tr of the basis element: 0 off the diagonal */
  double (*Trace)(CospinComponent component, const int label[]);
  /* Weights of labels by the mean numbers of atoms in the levels (or their shares, NULL: none): what a basis
     element stands for is multiplied by them, so that eigenvalues lose fewer digits. Weighs: whether that is
     worth it. NULL: a kind without. Both may be asked of any kind that has NumLevels only. */
  PetscBool (*Weighs)(CospinComponent component);
  void (*Weigh)(CospinComponent component, const double populations[]);
  void (*TakeWeights)(CospinComponent component, CospinComponent from); /* of the same kind and size */
  /* About how large |Tr(A P)| of the basis element P is for operators A of size one and of few atoms;
   * NULL: 1.
   */
  double (*Bound)(CospinComponent component, const int label[]);
  /* Of coordinates of role PAIR: what one more of coordinate i adds to the excitations of a side; and the
     label of |y><x|. NULL: kinds without such. */
  int (*Excitations)(CospinComponent component, int i, CospinSide side);
  void (*Adjoint)(CospinComponent component, const int label[], int adjoint[]);
  /* Of the same kinds: kets of the whole space (as a real number, for they are many), and the `num`
     |ket><bra| with coefficient 1/sqrt(num) each that a basis element without weights is the sum of. Such
     elements are orthonormal. */
  double (*NumKets)(CospinComponent component);
  double (*NumPairs)(CospinComponent component, const int label[]);
  PetscErrorCode (*EachPair)(CospinComponent component, const int label[], CospinEmitPair emit,
                             void *context);

  /* The step that an elementary operator makes on one side; or, of kinds where it is a sum of several, all of
     them: their number (ElementaryStep is NULL then). */
  int (*ElementaryStep)(CospinComponent component, CospinElementary elementary, CospinSide side);
  int (*ElementarySteps)(CospinComponent component, CospinElementary elementary, CospinSide side,
                         int steps[COSPIN_MAX_STEPS]);
  /* Distance that a step moves a label: shift[num_coordinates] is added to. */
  void (*Shift)(CospinComponent component, int step, int shift[]);
  /* Moves label and returns the amplitude, 0 if nothing remains (the label is then meaningless). */
  double (*Apply)(CospinComponent component, int step, int label[]);
  /* Whether a step does anything to one side. */
  PetscBool (*ActsOn)(CospinComponent component, int step, CospinSide side);
  /* What a step does to one side: moves the irrep and the coordinates of that side (those of the other mean
     nothing) and returns that side's factor. Apply's amplitude is the product of the factors of the sides
     that the step acts on. NULL: every step acts on one side, so that Apply does it. */
  double (*ApplySide)(CospinComponent component, int step, CospinSide side, int label[]);
  /* The amplitude of a step by real labels; false: it is not rational. NULL: no step's is. */
  PetscBool (*Rational)(CospinComponent component, int step, CospinRational *amplitude);
  /* d ln g/d(n - n') of the k-th pair of coordinates of ket and bra, at a real label on the diagonal. */
  double (*GaugeSlope)(CospinComponent component, int k, const double label[]);
  /* The largest number that a coordinate can be; infinity where nothing bounds it. */
  double (*Reach)(CospinComponent component);
  /* Takes sum over spins l of A_l rho B_l^+ apart, A = left[0] left[1] ..., elementary operators of one spin.
   */
  PetscErrorCode (*Each)(CospinComponent component, int num_left, const int left[], int num_right,
                         const int right[], CospinEmit emit, void *context);
  /* The same as jumps of a ket: sum_l A_l rho A_l^+ = sum over channels K rho K^+, where K is linear in A and
     leads from one irrep to one other. EachKet emits K of a channel for A = operators[0] operators[1] ..., in
     steps that act on the ket (and the irrep) only. 0, NULL: kinds without Each. */
  int num_channels;
  PetscErrorCode (*EachKet)(CospinComponent component, int channel, int length, const int operators[],
                            CospinEmit emit, void *context);
} CospinComponentKind;

struct CospinComponent_ {
  const CospinComponentKind *kind;
  const char *name;                    /* borrowed from the deck */
  const CospinOperatorName *operators; /* its names: the table of the kind, or one of its own */
  int num_matrices;                    /* what the deck states as matrices; while it is created only */
  CospinOperatorMatrix *matrices;
  int num_coordinates;
  int offset;          /* of its coordinates in the problem's labels */
  PetscBool uncounted; /* its labels are never enumerated, so its size may be beyond what they can count; it
                          may have no coordinates at all */
  void *data;
};

/*
   A register of counted clicks, n = 0 ... most. It is no kind that a deck could name, but a component all the
   same: one coordinate, no operators, and a single step that adds one click (none where n = most).
*/
enum { COSPIN_CLICK = 0 }; /* CospinStep.code */
PetscErrorCode CospinCounterCreate(CospinComponent component, int most);

/* All kinds, NULL at the end: the table to add a line to. */
extern const CospinComponentKind *const CospinComponentKinds[];
/* The same as a deck wants to see them. */
extern const CospinRecordKind *const CospinComponentRecords[];

/* Values that a coordinate may take, both ends included. */
typedef struct {
  int lo, hi;
} CospinInterval;
#define COSPIN_NO_LIMIT (1 << 30)

/* The components of one problem, side by side; labels of the whole are the labels of the parts in a row. */
typedef struct {
  int num_components;
  struct CospinComponent_ *components;
  int num_coordinates;
  CospinInterval
      *window; /* [num_coordinates] what sectors keep of all labels (cospin/point/window.h), owned
                  by the problem; ranges and symmetries are those of all labels. NULL: everything */
} CospinSystem;

/* Sum over all elementary operators: adds what the step moves to shift[system->num_coordinates]. */
void CospinSystemShift(const CospinSystem *system, CospinStep step, int shift[]);
/* Moves the label, returns the amplitude. */
double CospinSystemApply(const CospinSystem *system, CospinStep step, int label[]);
/* One side of it: whether the step acts there, and what it does (CospinComponentKind.ActsOn, ApplySide). */
PetscBool CospinSystemActsOn(const CospinSystem *system, CospinStep step, CospinSide side);
double CospinSystemApplySide(const CospinSystem *system, CospinStep step, CospinSide side, int label[]);
/* Trace of the basis element of this label. */
double CospinSystemTrace(const CospinSystem *system, const int label[]);
/* What a change of its element does to expectation values of operators of size one. */
double CospinSystemBound(const CospinSystem *system, const int label[]);
/* Range of coordinate i (of the whole label), given those before it. */
void CospinSystemRange(const CospinSystem *system, int i, const int label[], int *lo, int *hi);
/* Cuts the range of coordinate i down to the window. */
void CospinSystemCut(const CospinSystem *system, int i, int *lo, int *hi);
/* The coordinate on which that range depends, -1: none. */
int CospinSystemBoundBy(const CospinSystem *system, int i);
/* Whether the whole label lies within its ranges. */
PetscBool CospinSystemContains(const CospinSystem *system, const int label[]);
/* The least and the greatest value that each coordinate takes in any label. */
void CospinSystemBounds(const CospinSystem *system, int lo[], int hi[]);
CospinRole CospinSystemRole(const CospinSystem *system, int i);
/* Whether every coordinate belongs to one side or is the same for both, so that rho is made of matrices:
   products without a matrix, kets, and eigenvalues of a state need that. */
PetscBool CospinSystemHasSides(const CospinSystem *system);
/* Not collective. The same operator with sums over spins (COSPIN_ALL_SPINS) written out; owned by the caller.
 */
PetscErrorCode CospinSystemExpand(const CospinSystem *system, CospinPolynomial a, CospinPolynomial *expanded);
/* The adjoint of an elementary operator; `system` is a CospinSystem (a CospinElementaryAdjoint). */
CospinElementary CospinSystemElementaryAdjoint(const void *system, CospinElementary elementary);
