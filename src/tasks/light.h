/* Keys and variables that tasks of two-time correlations have in the same words, exact or expanded. */
#pragma once
#include <cospin/point/settings.h>

/* A and B of <A(t) B(0)>. */
#define COSPIN_LIGHT_PAIR_KEYS                                                                               \
  {.name = "of",                                                                                             \
   .type = COSPIN_KEY_OPERATOR,                                                                              \
   .required = PETSC_TRUE,                                                                                   \
   .unit = "",                                                                                               \
   .help = "operator A of <A(t) B(0)>; for the light of a mode it is dag(a)"},                               \
  {                                                                                                          \
    .name = "with", .type = COSPIN_KEY_OPERATOR, .unit = "", .help = "operator B; default: the adjoint of A" \
  }

/* A of g2. */
#define COSPIN_LIGHT_QUANTUM_KEY                                                                             \
  {                                                                                                          \
    .name = "of", .type = COSPIN_KEY_OPERATOR, .required = PETSC_TRUE, .unit = "",                           \
    .help = "operator A that takes a quantum away: a of a mode, Sm of spins"                                 \
  }

#define COSPIN_LIGHT_TIMES_KEY                                                                               \
  {                                                                                                          \
    .name = "times", .type = COSPIN_KEY_AXIS, .required = PETSC_TRUE, .unit = "time",                        \
    .help = "times t at which the correlation is wanted, ascending, >= 0"                                    \
  }

#define COSPIN_LIGHT_FREQUENCIES_KEY                                                                         \
  {                                                                                                          \
    .name = "frequencies", .type = COSPIN_KEY_AXIS, .required = PETSC_TRUE, .unit = "rate",                  \
    .help = "angular frequencies omega at which the spectrum is wanted, ascending"                           \
  }

#define COSPIN_LIGHT_CORRELATION_VARIABLES                                                                   \
  {"re", COSPIN_REAL, PETSC_TRUE, "1", "<%s(t) B(0)>, real part", "coherent part included"},                 \
      {"im", COSPIN_REAL, PETSC_TRUE, "1", "<%s(t) B(0)>, imaginary part", ""},                              \
      {"g1_re", COSPIN_REAL, PETSC_TRUE, "1", "<A(t) B(0)> / <A B>, real part", ""},                         \
      {"g1_im", COSPIN_REAL, PETSC_TRUE, "1", "<A(t) B(0)> / <A B>, imaginary part", ""},                    \
      {"coherent", COSPIN_REAL, PETSC_FALSE, "1", "coherent part <A><B>", "what is left after long times"},  \
  {                                                                                                          \
    "coherent_im", COSPIN_REAL, PETSC_FALSE, "1", "coherent part, imaginary part", ""                        \
  }

#define COSPIN_LIGHT_PAIRS_VARIABLES                                                                         \
  {"value", COSPIN_REAL, PETSC_TRUE, "1", "$g^{(2)}(t)$ of %s", "<A^+(0) A^+(t) A(t) A(0)> / <A^+ A>^2"},    \
  {                                                                                                          \
    "intensity", COSPIN_REAL, PETSC_FALSE, "1", "<A^+ A>", "in the steady state"                             \
  }

#define COSPIN_LIGHT_DENSITY_VARIABLES                                                                       \
  {"density",                                                                                                \
   COSPIN_REAL,                                                                                              \
   PETSC_TRUE,                                                                                               \
   "time",                                                                                                   \
   "spectrum of <%s(t) B(0)>",                                                                               \
   "integral of exp(-i omega t) (<A(t) B(0)> - <A><B>) dt"},                                                 \
  {                                                                                                          \
    "density_im", COSPIN_REAL, PETSC_TRUE, "time", "spectrum, imaginary part", "0 if B is the adjoint of A"  \
  }

/* Of the line, which line.h finds in either. */
#define COSPIN_LIGHT_LINE_VARIABLES                                                                          \
  {"peak",                                                                                                   \
   COSPIN_REAL,                                                                                              \
   PETSC_FALSE,                                                                                              \
   "rate",                                                                                                   \
   "frequency at which the spectrum is largest",                                                             \
   "within the axis, between its points too; nan if it is positive nowhere"},                                \
      {"height", COSPIN_REAL, PETSC_FALSE, "time", "largest value of the spectrum", ""},                     \
  {                                                                                                          \
    "fwhm", COSPIN_REAL, PETSC_FALSE, "rate", "full width at half maximum",                                  \
        "of the region around the peak where the spectrum is above half its height"                          \
  }

#define COSPIN_LIGHT_COHERENT_VARIABLES                                                                      \
  {"coherent",                                                                                               \
   COSPIN_REAL,                                                                                              \
   PETSC_FALSE,                                                                                              \
   "1",                                                                                                      \
   "coherent part <A><B>",                                                                                   \
   "the spectrum has 2 pi coherent delta(omega) besides"},                                                   \
  {                                                                                                          \
    "coherent_im", COSPIN_REAL, PETSC_FALSE, "1", "coherent part, imaginary part", ""                        \
  }
