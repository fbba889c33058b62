/*
   What every model must fulfil, held against the brute-force reference (support_dense.h). All are collective;
   a failure prints the deck. Observables of the deck are written <A>; its first task is `steady`, the others
   are `gap` or `decay`.
*/
#pragma once
#include "support_model.h"

/* A number in [0,1), the next one of a sequence. */
double Conformance_Random(uint64_t *state);

/* L P_x = sum_y L_yx P_y for every label x there is. */
void Conformance_Moves(const Model *model);
/* Every element of the moves' matrix stands in exactly one sector's; all labels are in sectors. */
void Conformance_Sectors(const Model *model);
/* Products without a matrix are those of the assembled one, on every sector: the product, the transposed and
   the adjoint one, diagonal and norm. */
void Conformance_Shell(const Model *model);
/* Moves keep trace and hermiticity. */
void Conformance_Conservation(const Model *model);
/* Eigenvalues of sectors are eigenvalues of the whole, none grows. */
void Conformance_Spectra(const Model *model, double relative);
/* Without ensembles and `levels` nothing is left out: the sectors' eigenvalues are those of the whole, one
 * for one. */
void Conformance_Same_Spectra(const Model *model, double relative);
/* Expectation values of arbitrary elements of all sectors. */
void Conformance_Expectations(const Model *model);
/* Number of steady states; the one there is, put to the whole generator; its observables. */
void Conformance_Steady_State(const Model *model);
/* The sectors of `of: A` hold every label x with Tr(A P_x) != 0. */
void Conformance_Operator_Sectors(const Model *model);
/* Gaps and decay rates are those of the dense sectors. */
void Conformance_Rates(const Model *model, double bound);
