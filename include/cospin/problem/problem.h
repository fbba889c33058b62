/*
   A problem: what a deck says at one point of its grid, with numbers in place of expressions and the
   generator as a list of moves. It owns everything that is derived from the deck without solving.
*/
#pragma once
#include <cospin/problem/array.h>
#include <cospin/problem/lattice.h>
#include <cospin/problem/moves.h>
#include <cospin/problem/sector.h>

/* No task solves more of them; a list of so many is not made. */
#define COSPIN_MAX_SECTORS (1 << 18)

/* One line of a deck's jumps: a collective one, or (component >= 0) one for each spin of an ensemble, or
   (num_spins > 0) one for each spin with an index or for their pairs. Sums over spins with indices are not
   written out (COSPIN_ALL_SPINS; CospinSystemExpand). */
typedef struct {
  double rate;
  CospinPolynomial op; /* NULL: over spins with indices */
  int component;
  int num_spins;
  CospinPolynomial *operators; /* [num_spins] */
  double *rates;               /* [num_spins] of `each:`; NULL: pairs */
  double complex *pairs;       /* R[l,m] at l + num_spins*m, hermitian and positive; NULL: `each:` */
} CospinPlainJump;

typedef struct CospinClock_ *CospinClock; /* cospin/problem/clock.h */

typedef struct CospinProblem_ {
  CospinDeck deck; /* borrowed */
  PetscInt64 point;
  double bytes;               /* memory of the ranks that solve it, all together: what methods and sizes are
                                 chosen by, the same number on each of them. Infinite until whoever knows sets
                                 it; problems made from this one have it, too */
  double complex *parameters; /* [deck->num_parameters] */
  CospinSystem system;
  CospinArrayValue *arrays; /* [deck->num_arrays] */
  struct {                  /* while a term that runs over spins is evaluated */
    int value[2];           /* the spins that `l` and `m` stand for; -1: none */
    PetscBool implied;      /* operators and matrices without indices are those of these spins */
  } index;
  CospinPolynomial hamiltonian; /* the sum of its terms; sums over spins as in jumps */
  CospinPlainJump *jumps;       /* [deck->num_jumps] */
  CospinMoves generator; /* d rho/dt = generator rho; empty if every task is approximate. If it depends on
                            time, all that ever acts, for sizes and symmetries only (CospinProblemHasTime) */
  CospinClock clock;
  CospinLattice lattice; /* spanned by the moves of the generator */
  CospinEnvironment environment;
} * CospinProblem;

/*
   Not collective. Evaluates the deck at a grid point. Faults that need values are added: sizes out of range,
   negative rates, a Hamiltonian that is not hermitian, operators that no component has. *ok tells; *problem
   is created in any case and must be destroyed, but is complete only if *ok.
*/
PetscErrorCode CospinProblemCreate(CospinDeck deck, PetscInt64 point, CospinFaults faults,
                                   CospinProblem *problem, PetscBool *ok);
/* Not collective. What sectors made from now on keep of the first `num` coordinates (NULL: everything of
   all); copied. Sectors that exist already must not be asked any more. */
PetscErrorCode CospinProblemSetWindow(CospinProblem problem, int num, const CospinInterval window[]);
/* Not collective. The same problem, in the same window of labels, with windows[num_components] levels of
   components whose deck leaves that open (0: their first choice); faults as above. */
PetscErrorCode CospinProblemCreateWindowed(CospinProblem problem, const int windows[], CospinFaults faults,
                                           CospinProblem *other, PetscBool *ok);
/*
   Not collective. The same problem, its windows as they are in `problem`, with a counter of `most`
   clicks as its last component: jumps named `jump` are detected with probability `efficiency`, and each that
   is makes a click. Summed over the counter its states are those of `problem`, but for those with more
   clicks. Its generator is

     d rho_n/dt = (L - efficiency J) rho_n + efficiency J rho_(n-1),   J rho = sum rate A rho A^+
*/
PetscErrorCode CospinProblemCreateCounted(CospinProblem problem, const char jump[], double efficiency,
                                          int most, CospinProblem *counted);
/* Not collective. The same problem, its windows as they are in `problem`, with one parameter varied;
   faults as of CospinProblemCreate. */
PetscErrorCode CospinProblemCreateVaried(CospinProblem problem, const CospinVaried *varied,
                                         CospinFaults faults, CospinProblem *other, PetscBool *ok);
PetscErrorCode CospinProblemDestroy(CospinProblem *problem);

/* Not collective. J rho of the jumps with this name; owned by the caller. */
PetscErrorCode CospinProblemJumps(CospinProblem problem, const char name[], CospinMoves *jumps);

/* Not collective. windows[num_components]: levels of components whose deck leaves that open, 0 for others;
 * *any: is there one. */
void CospinProblemWindows(CospinProblem problem, int windows[], PetscBool *any);

/* Not collective. Value of an operator expression, no `each:` around it: operators of one unnamed spin are
   faults. A number becomes a multiple of the identity. *polynomial is owned by the caller, NULL unless *ok.
 */
PetscErrorCode CospinProblemOperator(CospinProblem problem, CospinExpression expression, CospinFaults faults,
                                     CospinPolynomial *polynomial, PetscBool *ok);

/* Not collective. Value of a term `sum:`, added over the spins that its indices run over; likewise. */
PetscErrorCode CospinProblemSum(CospinProblem problem, CospinExpression expression, CospinFaults faults,
                                CospinPolynomial *sum, PetscBool *ok);

/* Not collective. What the indices l and m of an expression run over, 0: it has no such index; a fault if
   neither has anything to run over. */
PetscErrorCode CospinProblemSumRange(CospinProblem problem, CospinExpression expression, CospinFaults faults,
                                     int size[2], PetscBool *ok);
/* Not collective. What l and m stand for from now on, -1: for nothing, as it has to be in the end. */
void CospinProblemSetIndex(CospinProblem problem, int l, int m);

/* Not collective. Real value of a number expression. */
PetscErrorCode CospinProblemNumber(CospinProblem problem, CospinExpression expression, CospinFaults faults,
                                   double *value, PetscBool *ok);
/* The number of a key that is given or has a default; a fault, too, if it is not what the key's row asks for
   (whole, within its range). */
PetscErrorCode CospinProblemSetting(CospinProblem problem, const CospinSetting *setting, CospinFaults faults,
                                    double *number, PetscBool *ok);

/* Not collective. Whether an operator is hermitian: compared by its matrix elements on sampled labels,
   or as a sum of words where a component has none. */
PetscErrorCode CospinProblemIsHermitian(CospinProblem problem, CospinPolynomial a, PetscBool *hermitian);

/*
   Not collective. The sectors whose elements contribute to Tr(A rho): with A = 1, those where steady states
   live. representatives: [num][num_coordinates], sorted, each reduced modulo the lattice; to be freed with
   PetscFree. A sector may turn out to be empty (A = Sp^2 on one spin). Cost as the number of sectors, not of
   labels. Of more than COSPIN_MAX_SECTORS some are left out, and *num is COSPIN_MAX_SECTORS + 1.
*/
PetscErrorCode CospinProblemSectors(CospinProblem problem, CospinPolynomial a, int *num,
                                    int **representatives);

/* Not collective. Every sector that there is, likewise; some of them may be empty. */
PetscErrorCode CospinProblemAllSectors(CospinProblem problem, int *num, int **representatives);

/* Not collective. The same for the superoperator a_rho = rho -> A rho. */
PetscErrorCode CospinProblemSectorsRead(CospinProblem problem, CospinMoves a_rho, int *num,
                                        int **representatives);
/* Not collective. Marks a list of sectors as one that is not whole: *num is COSPIN_MAX_SECTORS + 1 then. */
PetscErrorCode CospinSectorsNotAll(int n, int *num, int **representatives);
/* Not collective. Sorts labels[*num][n] and drops repetitions. */
PetscErrorCode CospinLabelsUnique(int n, int *num, int labels[]);

/* Not collective. "weak U(1): excitations of ket minus bra are conserved" etc.; one line. */
PetscErrorCode CospinProblemDescribeSymmetry(CospinProblem problem, char text[], size_t size);
#define COSPIN_SECTOR_NAME 2048 /* room for any name */
/* The sector's name as the key `sector` takes it, that of no other sector: "{charge: -1}", "{ket: {A: 0, B:
   1}, bra: {A: 0, B: 0}}", "{charge: {q: [0, -1]}}" (of spins or levels, one by one), "{charge: 0, irrep: 2}"
   (irrep: N/2 - j); "everything" if there is only one. Where clicks are counted, " at 2 clicks" is behind it.
   Of atoms told by pairs of levels, where the total charge is not enough, a label is: "{charge: 0} at [0,
   1]", which that key does not take. */
PetscErrorCode CospinProblemDescribeSector(CospinProblem problem, const int representative[], char text[],
                                           size_t size);
/* Not collective. Numbers of a sector: *charge, excitations of the ket minus those of the bra, modulo what
   the symmetry leaves of them (0: it leaves nothing); *ket and *bra of each by itself where they are
   conserved, -1 where not. */
PetscErrorCode CospinProblemSectorNumbers(CospinProblem problem, const int representative[], int *charge,
                                          int *ket, int *bra);
/* The names of some of the sectors that hold diagonal elements, separated by commas. */
PetscErrorCode CospinProblemDescribeSteadySectors(CospinProblem problem, char text[], size_t size);

/*
   Not collective. The sector that a setting of type COSPIN_KEY_SECTOR names: the one that holds |x><y| with
   these numbers, so they count modulo whatever the symmetry leaves. Faults: a symmetry that the problem
   lacks, numbers of several sectors, of none (`faults` may be NULL, then the last is not looked at).
   representative[num_coordinates]: reduced modulo the lattice, to be freed with PetscFree in any case.
*/
PetscErrorCode CospinProblemSectorNamed(CospinProblem problem, const CospinSetting *setting,
                                        CospinFaults faults, int **representative, PetscBool *ok);

/* A CospinEnvironment's Resolve; `context` is the problem. */
PetscErrorCode CospinProblemResolve(const void *context, const char name[], int num_index, const int index[],
                                    CospinValue *value, PetscBool *found, char why[], size_t why_size);
