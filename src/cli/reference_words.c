/*
   The only place that knows how questions are worded: what else a word may mean in a deck or a dataset. One
   row a word, in small letters and in the singular; a test asks for some of them (tests/cli/new.sh).

   Two tables: synonyms (a word and the names that it may stand for) and advice (a word for something that is
   no key but can be done, and how).
*/
#include "reference_words.h"
#include <stddef.h>
#include <string.h>

/* A word in small letters, and the names or the sentence that it leads to. */
typedef struct {
  const char *word, *text;
} Row;

static const Row synonyms[] = {
    {"absorption", "sp a jumps"},
    {"adjoint", "dag hc"},
    {"antibunching", "g2"},
    {"approach", "gap evolve"},
    {"atom", "levels ensemble spin matrix"},
    {"average", "mean average expectation observables"},
    {"bad", "outcome inaccurate"},
    {"bath", "jumps thermal rate"},
    {"bistable", "meanfield stable degeneracy"},
    {"boson", "mode b a fock"},
    {"bunching", "g2"},
    {"cat", "cat parity"},
    {"cavity", "mode a cutoff"},
    {"coherence", "decay sector charge"},
    {"collective", "ensemble Sm operator"},
    {"collision", "jumps"},
    {"continue", "file store initial"},
    {"convergence", "residual tolerance error"},
    {"correlated", "pairs rates"},
    {"count", "counting clicks dark efficiency"},
    {"coupling", "hamiltonian sum"},
    {"critical", "boundary gap meanfield"},
    {"damping", "jumps rate decay"},
    {"default", "default"},
    {"degenerate", "degeneracy initial sector"},
    {"density", "store state"},
    {"dephasing", "sz each rate"},
    {"detector", "clicks counting efficiency dark"},
    {"detuning", "hamiltonian Sz n"},
    {"dicke", "dicke j ensemble"},
    {"dimension", "dimension sector"},
    {"detuned", "groups arrays"},
    {"disorder", "normal uniform lorentzian arrays seed"},
    {"dissipation", "jumps rate"},
    {"distinguishable", "spins arrays"},
    {"down", "ground css"},
    {"drive", "hamiltonian Sx hc"},
    {"dynamics", "evolve times"},
    {"efficiency", "efficiency clicks counting"},
    {"eigenvalue", "decay gap rate frequency"},
    {"emission", "sm jumps spectrum"},
    {"entanglement", "negativity mutual wineland squeezing qfi purity"},
    {"error", "error residual tolerance inaccurate"},
    {"excitation", "n Sz charge ket"},
    {"excited", "excited up css dicke fock level"},
    {"expectation", "observables"},
    {"fano", "counting fano"},
    {"file", "file store initial dataset"},
    {"fisher", "qfi qfi_max heralding information"},
    {"fluctuation", "variance fano noise_spectrum langevin"},
    {"floquet", "period steady gap"},
    {"fock", "fock cutoff mode"},
    {"fringe", "decay css tail"},
    {"frequency", "frequency hamiltonian frequencies"},
    {"g1", "correlation g1_re"},
    {"grid", "grid linspace"},
    {"group", "groups ensemble"},
    {"herald", "clicks heralding"},
    {"husimi", "plots"},
    {"infidelity", "fidelity"},
    {"initial", "initial css ground"},
    {"intensity", "g2 intensity n spectrum_power"},
    {"inverted", "excited css up dicke"},
    {"irrep", "irrep dicke j spin"},
    {"laser", "ensemble sp spectrum cumulant meanfield"},
    {"lifetime", "lifetime decay gap"},
    {"light", "spectrum correlation g2 counting clicks"},
    {"limit", "boundary most tolerance window_limit"},
    {"line", "spectrum decay fwhm"},
    {"linewidth", "decay rate fwhm cumulant_linewidth"},
    {"liouvillian", "jumps hamiltonian operator decay"},
    {"loop", "grid"},
    {"loss", "jumps rate efficiency"},
    {"map", "plots"},
    {"matrix", "matrix arrays store pairs rates"},
    {"memory", "too_large operator dimension"},
    {"method", "method operator petsc"},
    {"mixed", "purity entropy thermal"},
    {"negativity", "negativity plots store"},
    {"noise", "langevin noise_spectrum seed"},
    {"occupation", "n weight occupations thermal"},
    {"oscillation", "frequency oscillating time_average"},
    {"parity", "sector ket bra cat"},
    {"permutation", "ensemble levels"},
    {"phase", "css meanfield free_phases"},
    {"phonon", "mode n thermal"},
    {"photon", "mode n a g2 counting clicks"},
    {"picture", "plots"},
    {"plot", "plots"},
    {"population", "weight n Sz E"},
    {"position", "crystal x y"},
    {"probability", "weight clicks probability"},
    {"projection", "weight fidelity"},
    {"pulse", "clicks heralding evolve initial"},
    {"pump", "sp each rate"},
    {"qubit", "spin spins sz"},
    {"quench", "evolve initial file"},
    {"ramp", "grid linspace"},
    {"random", "seed normal uniform lorentzian"},
    {"range", "grid linspace logspace range"},
    {"relaxation", "gap decay"},
    {"repump", "sp each"},
    {"resume", "checkpoint"},
    {"rydberg", "matrix levels"},
    {"save", "store"},
    {"scan", "grid linspace logspace"},
    {"semiclassical", "cumulant meanfield langevin"},
    {"sideband", "spectrum frequencies"},
    {"slow", "gap decay rate lifetime"},
    {"spectral", "gap spectrum"},
    {"squeezed", "squeezing wineland"},
    {"stability", "meanfield growth unstable"},
    {"start", "initial file"},
    {"stationary", "steady"},
    {"stochastic", "trajectories langevin seed"},
    {"superposition", "cat css product"},
    {"superradiance", "Sm ensemble meanfield cumulant"},
    {"sweep", "grid linspace logspace"},
    {"symmetry", "sector charge ket"},
    {"temperature", "thermal nbar"},
    {"threshold", "boundary meanfield cumulant"},
    {"time", "times evolve time"},
    {"trajectory", "trajectories langevin"},
    {"transition", "boundary meanfield gap E"},
    {"transmon", "matrix mode"},
    {"truncation", "cutoff leak edge"},
    {"unravel", "trajectories unravelling clicks"},
    {"up", "css dicke Sp sp"},
    {"vary", "grid vary"},
    {"visibility", "css decay Sp"},
    {"wait", "evolve times"},
    {"waiting", "trajectories delays"},
    {"waveform", "evolve times"},
    {"wigner", "plots store"},
};

static const Row advice[] = {
    {"ramp",
     "In `evolve` coefficients and rates may name the time: ramp(t, t0, t1), or table(FILE) for what was "
     "measured. A parameter that takes several values is an axis of `grid`."},
    {"quench",
     "In `evolve` step(t-t0) before a term switches it on. Or store the state that one deck reaches (`store: "
     "state`) and begin with it in another (`initial: {file: ...}`)."},
    {"waveform", "In `evolve` table(FILE) is a coefficient or a rate that a text file gives: `t value`, or "
                 "`t re im`, a line each."},
    {"trajectory",
     "`trajectories` are quantum jumps of kets, exact but for a statistical error; those of `langevin` are "
     "c-numbers of spins, approximate."},
    {"temperature", "There is no key for it: write a rate (nbar + 1) for emission and nbar for absorption."},
    {"detuning",
     "There is no key for it: write a term delta*COMPONENT.Sz, or delta*COMPONENT.n of a mode, in "
     "`hamiltonian`, in the frame that rotates with the light."},
    {"drive",
     "There is no key for it: W*COMPONENT.Sx in `hamiltonian` is a drive of Rabi frequency W, E*COMPONENT.a "
     "+ hc one of a mode."},
    {"linewidth",
     "The full width at half maximum is twice the `decay_rate` of the operator whose light it is; "
     "`spectrum` gives the width of the whole line."},
    {"dissipator", "Everything dissipative stands in `jumps`."},
};

static const char *look_up(const Row rows[], size_t num, const char word[])
{
  for (size_t k = 0; k < num; k++) {
    if (strcmp(rows[k].word, word) == 0) return rows[k].text;
  }
  return NULL;
}

const char *CospinReferenceSynonyms(const char word[])
{
  return look_up(synonyms, sizeof(synonyms) / sizeof(synonyms[0]), word);
}

const char *CospinReferenceAdvice(const char word[])
{
  return look_up(advice, sizeof(advice) / sizeof(advice[0]), word);
}
