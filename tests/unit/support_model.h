/* A deck given as text, opened as a point; its matrices as dense ones; its tasks' numbers by name. */
#pragma once
#include "support_dense.h"
#include <cospin/point/point.h>

typedef struct {
  CospinDeck deck;
  CospinFaults faults;
  CospinPoint point;
  CospinProblem problem; /* of the point, as long as no window has grown */
} Model;

/* Collective on comm. Grid point `number` of the deck; any fault fails the test. */
Model Model_Open(MPI_Comm comm, const char text[], PetscInt64 number);
void Model_Close(Model *model);

/* Representatives of all sectors, [*num][num_coordinates], found label by label; to be freed with free(). */
int *Model_All_Sectors(CospinProblem problem, int *num);
/* Collective. A distributed matrix (square) on every rank. */
Dense Model_Gather(Mat matrix);
/* Collective. The generator on the sector of a label. */
Dense Model_Sector_Matrix(const Model *model, const int label[]);
/* The generator on all labels, in the order of CospinSectorLabel of `everything`, which the caller destroys
   before *lattice; element by element from the moves. */
Dense Model_Everything(const Model *model, CospinLattice *lattice, CospinSector *everything);

/* Collective. Runs task number `task` of the deck. */
typedef struct {
  CospinVariable *variables;
  double *record;
  CospinResults results;
  CospinOutcome outcome;
} Answer;
Answer Model_Run(const Model *model, int task);
void Answer_Free(Answer *answer);
double Answer_Get(const Answer *answer, const char suffix[], int mode);
