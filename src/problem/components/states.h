/* The tables of states of the kinds of components, and what they ask the kinds. */
#pragma once
#include <cospin/problem/component.h>

extern const CospinStateName CospinEnsembleStates[];
extern const CospinStateName CospinSpinStates[];
extern const CospinStateName CospinModeStates[];
extern const CospinStateName CospinSpinsStates[];
extern const CospinStateName CospinLevelsStates[];

/* Number of spins of an ensemble. */
int CospinEnsembleSize(CospinComponent component);
/* Number of atoms of several levels, and of their levels. */
int CospinLevelsSize(CospinComponent component);
int CospinLevelsNumber(CospinComponent component);
