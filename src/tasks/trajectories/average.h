/* The density matrix that trajectories sample: the mean of |psi><psi|. */
#pragma once
#include "unravelling.h"

/* Trajectories are dealt out to groups by their number, for errors and what is subtracted from functionals.
 */
enum { COSPIN_AVERAGE_GROUPS = 10 };

typedef struct CospinAverage_ *CospinAverage;

/* Not collective. `rows` states (times), each of `most` kets at most; more than `bytes` of memory are not
   used. */
PetscErrorCode CospinAverageCreate(const CospinSystem *system, int rows, double most, double bytes,
                                   CospinAverage *average);
PetscErrorCode CospinAverageDestroy(CospinAverage *average);

/* Not collective. A ket of the trajectory at work, for the state `row`; it counts once it is taken. */
PetscErrorCode CospinAverageVisit(CospinAverage average, int row, CospinKetBlock block,
                                  const double complex ket[], double norm2);
/* Not collective. The trajectory at work is one of this group, or (COSPIN_AVERAGE_GROUPS) the one that does
   not jump. */
PetscErrorCode CospinAverageTake(CospinAverage average, int group);
/* The trajectory at work does not count. */
void CospinAverageDrop(CospinAverage average);

/* Collective. What ranks have goes to the first, to the last bit the same however it was dealt out. */
PetscErrorCode CospinAverageGather(MPI_Comm comm, CospinAverage average);
/* Collective. Saves what has been gathered, or loads it. */
PetscErrorCode CospinAverageExchange(CospinAverage average, CospinCheckpoint checkpoint);
/* Not collective, where it has been gathered. Adds the elements to an empty state: `share` of the mean of all
   groups but `without` (-1: of all), the rest of the trajectory that does not jump. */
PetscErrorCode CospinAverageState(CospinAverage average, int row, int without, double share,
                                  CospinStoredState state);
/* Whether memory was too small for some of it. */
PetscBool CospinAverageIsTooLarge(CospinAverage average);
