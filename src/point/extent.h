/* How far the slow modes of a sector reach, before anything is solved. */
#pragma once
#include <cospin/problem/problem.h>

/*
   Not collective; seconds at most, whatever the size. hull[num_coordinates] is made larger where need be so
   that it holds all labels of the sector of `representative` at which its slowest modes, states that last or
   nearly so, are not negligible: of pivot coordinates of the lattice, others are left alone. *known is false,
   and the hull means nothing, where that cannot be told: more than two dimensions of labels, or a generator
   that is no Markov chain with killing (a negative or complex element off the diagonal).
*/
PetscErrorCode CospinExtentAdd(CospinProblem problem, const int representative[], CospinInterval hull[],
                               PetscBool *known);
