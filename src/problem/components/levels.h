/*
   Atoms of d levels: what the two kinds share that hold them, `levels` (states symmetric under permutations)
   and what stands in for it where processes act on one atom alone (atoms.c).
*/
#pragma once
#include "amplitudes.h"
#include <cospin/problem/component.h>

enum { COSPIN_LEVELS_MOST = 16, COSPIN_LEVELS_OPERATORS = COSPIN_LEVELS_MOST * COSPIN_LEVELS_MOST };

/* What their data begin with (CospinLevelsSize, CospinLevelsNumber). */
typedef struct {
  int size, num_levels;
} CospinLevelsData;

/* Elementary operators: E[a,b] is number 16 a + b, |a><b| of one atom COSPIN_LEVELS_OPERATORS further on. */
extern const int CospinLevelsAdjoint[2 * COSPIN_LEVELS_OPERATORS];
extern const CospinOperatorName CospinLevelsOperators[];
extern const CospinKey CospinLevelsKeys[];
/* A CospinComponentKind.Operator. */
PetscErrorCode CospinLevelsOperator(CospinComponent component, const CospinOperatorName *name,
                                    const int levels[], CospinEmit emit, void *context);

/* CospinComponentKind.Size (and how far a label reaches), and Length: all atoms in the highest level. */
double CospinLevelsAtoms(CospinComponent component);
double CospinLevelsLength(CospinComponent component);

extern const CospinComponentKind CospinComponentAtoms;
/* n[a][b] of its labels, of the first `last` + 1 elements in their order (0 of others), all if `last` is the
   number of coordinates. */
void CospinAtomsOccupations(CospinComponent component, int last, const int label[],
                            int n[COSPIN_LEVELS_MOST][COSPIN_LEVELS_MOST]);

/* atoms_kets.c: CospinComponentKind.NumKets, NumPairs and EachPair. */
double CospinAtomsNumKets(CospinComponent component);
double CospinAtomsNumPairs(CospinComponent component, const int label[]);
PetscErrorCode CospinAtomsEachPair(CospinComponent component, const int label[], CospinEmitPair emit,
                                   void *context);

/* What the basis element is multiplied by (CospinComponentKind.Weigh). */
double CospinAtomsWeight(CospinComponent component, const int label[]);

/* levels_states.c: the amplitude of k[] atoms in the levels, and the most that a level has in kets with one.
 */
double complex CospinLevelsAmplitude(const CospinAmplitudes *amplitudes, const int k[]);
void CospinLevelsMost(const CospinAmplitudes *amplitudes, int most[]);
