/*
   What the two ways to make a density share (density.c, spelled.c).
*/
#pragma once
#include <cospin/observable/density.h>

/* Of atoms told one by one: written out where there are few, the purity alone where not. */
PetscErrorCode CospinDensitySpell(const CospinSystem *system, CospinStoredState state,
                                  CospinDensity *density);

/* radix[], radix_lo[]: how the digits of a ket become its code. False: it has more than 63 bits. */
PetscBool CospinDensitySetRadix(CospinDensity density);
/* How many values, of lo ... hi, the digit of coordinate i has in a code; 0: it is none. */
double CospinDensityDigits(const CospinSystem *system, int i, int lo, int hi);
/* Of |x><y| the label of |x><x| (`side` KET) or of |y><y| (BRA); what has no sides stays as it is. */
void CospinDensityTakeSide(const CospinSystem *system, CospinRole side, const int label[], int diagonal[]);
/* ln of the copies that an element stands for. */
double CospinDensityLogCopies(const CospinSystem *system, const int label[]);
/* The labels of the k-th element in columns, then its real and its imaginary part. */
const double *CospinDensityRow(CospinStoredState state, PetscInt64 k);
