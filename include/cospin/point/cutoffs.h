/*
   Cutoffs of a deck: how much of a state stands where a move that the cutoff forbids would have led on. A
   cutoff that nothing can pass (no more photons than there were excitations) forbids none.
*/
#pragma once
#include <cospin/problem/problem.h>

typedef struct CospinCutoffs_ *CospinCutoffs;

/* Not collective. Of all components whose levels a deck's cutoff ends. Borrows the problem. */
PetscErrorCode CospinCutoffsCreate(CospinProblem problem, CospinCutoffs *cutoffs);
PetscErrorCode CospinCutoffsDestroy(CospinCutoffs *cutoffs);

/* How many there are; the population that the component's `edge` accepts at number k of them. */
int CospinCutoffsCount(CospinCutoffs cutoffs);
double CospinCutoffsAccepted(CospinCutoffs cutoffs, int k);

/* Whether the element of a label would go beyond cutoff k, if that were not there. Of generators that depend
   on time: whether it is so high that a move of the generator may. Labels may have more coordinates than the
   problem: those behind are not looked at. */
PetscBool CospinCutoffsPassed(CospinCutoffs cutoffs, int k, const int label[]);
