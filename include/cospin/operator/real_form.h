/*
   Phases in which a generator is real. A Hamiltonian enters as -i [H, rho]: of a Hamiltonian that has real
   elements its moves are imaginary beside the real ones of jumps. If each label has a number t, 0 or 1, that
   an imaginary move changes and a real one does not, i^-t L i^t is real.
*/
#pragma once
#include <cospin/problem/moves.h>
#include <cospin/problem/sector.h>

/* Not collective. (*turned)[end - begin]: t of the labels begin <= index < end of the sector, to be freed
   with PetscFree; NULL if there are no such numbers (a detuning, or a Hamiltonian that has both kinds). */
PetscErrorCode CospinRealForm(CospinMoves generator, CospinSector sector, PetscInt64 begin, PetscInt64 end,
                              unsigned char **turned);
