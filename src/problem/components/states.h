/* The tables of states of the kinds of components, and what they ask the kinds. */
#pragma once
#include <cospin/problem/component.h>

/* How many spins or atoms there are, of kinds that hold several. */
#define COSPIN_COMPONENT_SIZE_KEY(what)                                                                      \
  {                                                                                                          \
    .name = "size", .type = COSPIN_KEY_INTEGER, .required = PETSC_TRUE, .unit = "", .help = what             \
  }

/* Read by the deck (deck/groups.c), which makes so many components; each of them has the key. */
#define COSPIN_COMPONENT_GROUPS_KEY                                                                          \
  {                                                                                                          \
    .name = "groups", .type = COSPIN_KEY_INTEGER, .unit = "",                                                \
    .help =                                                                                                  \
        "how many components this line makes, all alike: those of `g` are g[0], g[1], ... in expressions "   \
        "(g.Sz is their sum) and g_0, g_1, ... in names; left out: one, and no group"                        \
  }

extern const CospinStateName CospinEnsembleStates[];
extern const CospinStateName CospinSpinStates[];
extern const CospinStateName CospinModeStates[];
extern const CospinStateName CospinSpinsStates[];
extern const CospinStateName CospinLevelsStates[]; /* in this order: */
enum {
  COSPIN_LEVELS_GROUND,
  COSPIN_LEVELS_LEVEL,
  COSPIN_LEVELS_OCCUPATIONS,
  COSPIN_LEVELS_PRODUCT,
  COSPIN_LEVELS_CSS,
  COSPIN_LEVELS_DICKE
};
extern const CospinStateName CospinMatrixStates[];
extern const CospinStateName CospinAtomsStates[];
PetscBool CospinAtomsVanishes(CospinComponent component, const void *data, int i, const int label[]);

/* Number of spins of an ensemble. */
int CospinEnsembleSize(CospinComponent component);
/* Number of atoms of several levels, and of their levels. */
int CospinLevelsSize(CospinComponent component);
int CospinLevelsNumber(CospinComponent component);
