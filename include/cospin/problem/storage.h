/* How the states of a problem are stored: what their columns are, from the tables of its components. */
#pragma once
#include <cospin/dataset/dataset.h>
#include <cospin/problem/component.h>

/* Not collective. The components, sizes and columns of a group; its name, task and times are left empty.
   Texts are borrowed from the components' kinds and from the deck. */
PetscErrorCode CospinStorageCreate(const CospinSystem *system, CospinStoredGroup *group);
PetscErrorCode CospinStorageDestroy(CospinStoredGroup *group);

int CospinStorageNumColumns(const CospinSystem *system);
/* sizes[num_components] */
void CospinStorageSizes(const CospinSystem *system, double sizes[]);
/* columns[CospinStorageNumColumns] of a label; and back: false if no label of this system has such columns
   (it may be out of range all the same). */
void CospinStorageColumns(const CospinSystem *system, const int label[], double columns[]);
PetscBool CospinStorageLabel(const CospinSystem *system, const double columns[], int label[]);
