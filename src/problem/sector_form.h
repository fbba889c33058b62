/*
   Forms of the name of a sector: which numbers it tells, and whether they are those of one sector alone.
   Nothing here is collective.
*/
#pragma once
#include <cospin/problem/problem.h>

typedef struct {
  PetscBool by_component, sides;           /* sides: ket and bra apart, else their difference */
  PetscBool apart[COSPIN_MAX_COORDINATES]; /* coordinates of spins or levels with numbers of their own */
  PetscBool fixed[COSPIN_MAX_COORDINATES]; /* coordinates that the numbers tell something about */
} CospinForm;

/* The component of coordinate i; the spin or level of it, as many coordinates of its role stand before it. */
int CospinFormComponent(const CospinSystem *system, int i);
int CospinFormPart(const CospinSystem *system, int i);
/* Whether c (-1: all components together) is the component of coordinate i. */
PetscBool CospinFormIsPart(const CospinSystem *system, int c, int i);
/* Whether the coordinate counts excitations of one side. */
PetscBool CospinFormHasSide(const CospinSystem *system, int i);

/* Sum over the coordinates of one role, of component c or (-1) of all; that of the ket minus that of the bra.
 */
int CospinFormTotal(const CospinSystem *system, CospinRole role, int c, const int vector[]);
int CospinFormCharge(const CospinSystem *system, int c, const int vector[]);
/* Greatest common divisor of what the moves change: 0: the number is conserved, 1: nothing is. */
int CospinFormModulus(CospinProblem problem, PetscBool sides, int c);
/* Whether the step `factor_i` e_i + `factor_j` e_j leads out of a sector. */
PetscBool CospinFormLeadsOut(CospinProblem problem, int i, int factor_i, int j, int factor_j);
/* Whether sectors differ in coordinate i: it is conserved, and has several values (one spin has one j). */
PetscBool CospinFormTellsApart(CospinProblem problem, int i);

/* Form number `which`, 0 ... COSPIN_NUM_FORMS - 1: 0 the total charge, 1 the totals of ket and bra, the last
   one tells every coordinate. */
enum { COSPIN_NUM_FORMS = 6 };
CospinForm CospinFormMake(CospinProblem problem, int which);
/* Whether numbers of this form belong to several sectors. */
PetscBool CospinFormIsAmbiguous(CospinProblem problem, const CospinForm *form);
/* The first form that is not ambiguous. */
CospinForm CospinFormFind(CospinProblem problem);
