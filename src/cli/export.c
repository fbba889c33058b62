/*
   `cospin export`: a small deck as matrices that another program can read, in text.

     cospin matrices 1
     component NAME KIND SIZE                 one line a component
     labels NUM COLUMN...                     then NUM lines: what the labels of element k stand for, as in
                                              stored states (COMPONENT_m_ket, COMPONENT_m_bra, ...)
     kets NUM COLUMN...                       the same without those of the bra
     generator NUM                            then NUM lines: row column re im, from 0
     hamiltonian NUM                          between kets
     jump LINE NUM                            between kets, sqrt(rate) L; LINE counts the deck's jumps from 0

   d rho/dt = generator rho for all labels, those of every sector. Between kets it is -i [H, rho] plus, summed
   over jumps, L rho L^+ - (L^+ L rho + rho L^+ L)/2. What an ensemble does to its spins one by one is one L
   for each change of j: the L of a ket that has one j at any time (cospin/problem/ket.h), so that they act
   on states without coherence between different j, which are all there are.

   Everything is read from the list of moves, as the program's own matrices are.
*/
#include "text_file.h"
#include <cospin/cli/export.h>
#include <cospin/problem/census.h>
#include <cospin/problem/clock.h>
#include <cospin/problem/ket.h>
#include <string.h>

static const double most_labels = 1e6;
static const char kind[] = "matrices";

/* Labels of everything, and which of them number a ket. */
typedef struct {
  CospinProblem problem;
  CospinLattice lattice; /* of all coordinates: one sector holds every label */
  CospinSector all;
  PetscInt64 num_kets;
  PetscInt64 *ket; /* [labels] the ket whose number this label is, -1: none */
  FILE *stream;
} Export;

static PetscErrorCode refuse(const char why[], PetscBool *ok)
{
  PetscFunctionBeginUser;
  PetscCall(CospinTextFileRefuse(kind, why, ok));
  PetscFunctionReturn(0);
}

/* Whether the deck has labels that can be listed: before anything of their number is allocated. */
static PetscErrorCode check(CospinProblem problem, CospinLattice lattice, PetscBool *ok)
{
  const int zero[COSPIN_MAX_COORDINATES] = {0};
  int windows[COSPIN_MAX_COORDINATES];
  CospinCount count;
  PetscBool open;
  char why[200];

  PetscFunctionBeginUser;
  *ok = PETSC_TRUE;
  if (problem->deck->approximate) {
    PetscCall(refuse("the tasks of this deck need no element of Liouville space (add `steady`)", ok));
    PetscFunctionReturn(0);
  }
  if (!CospinSystemHasSides(&problem->system)) {
    PetscCall(refuse("single atoms of several levels have no kets here (without `each:` they have)", ok));
    PetscFunctionReturn(0);
  }
  if (CospinProblemHasTime(problem)) {
    PetscCall(refuse("the generator depends on time (write a parameter in place of `t`)", ok));
    PetscFunctionReturn(0);
  }
  CospinProblemWindows(problem, windows, &open);
  if (open) {
    PetscCall(refuse("a mode without `cutoff` has no last level (say how many there are)", ok));
    PetscFunctionReturn(0);
  }
  PetscCall(CospinCensusOfSector(&problem->system, lattice, zero, &count));
  if (count.labels <= most_labels) PetscFunctionReturn(0);
  (void)snprintf(why, sizeof(why), "about %.3g labels, more than %.0f (smaller components: --set N=...)",
                 count.labels, most_labels);
  PetscCall(refuse(why, ok));
  PetscFunctionReturn(0);
}

/* A ket is numbered by the label whose bra is the smallest that its ket and irreps allow. */
static PetscErrorCode number_kets(Export *export)
{
  const CospinSystem *system = &export->problem->system;
  const PetscInt64 num = CospinSectorDimension(export->all);
  int label[COSPIN_MAX_COORDINATES];

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1((size_t)num, &export->ket));
  for (PetscInt64 k = 0; k < num; k++) {
    CospinSectorLabel(export->all, k, label);
    CospinKetClearBra(system, label);
    export->ket[k] = CospinSectorIndex(export->all, label) == k ? export->num_kets++ : -1;
  }
  PetscFunctionReturn(0);
}

/* ---- Labels -------------------------------------------------------------------------------------------- */

static PetscBool is_of_bra(const char suffix[])
{
  const size_t length = strlen(suffix);

  return (PetscBool)(length >= 4 && strcmp(suffix + length - 4, "_bra") == 0);
}

static void view_columns(const Export *export, PetscBool kets)
{
  const CospinSystem *system = &export->problem->system;

  for (int c = 0; c < system->num_components; c++) {
    const CospinLabelColumn *column = system->components[c].kind->columns;
    for (; column->suffix; column++)
      if (!kets || !is_of_bra(column->suffix))
        fprintf(export->stream, " %s_%s", system->components[c].name, column->suffix);
  }
  fputc('\n', export->stream);
}

static void view_label(const Export *export, const int label[], PetscBool kets)
{
  const CospinSystem *system = &export->problem->system;
  double values[2 * COSPIN_MAX_COORDINATES];
  const char *blank = "";

  for (int c = 0; c < system->num_components; c++) {
    const CospinComponent component = &system->components[c];
    component->kind->GetColumns(component, label + component->offset, values);
    for (int i = 0; component->kind->columns[i].suffix; i++) {
      if (kets && is_of_bra(component->kind->columns[i].suffix)) continue;
      fprintf(export->stream, "%s%.17g", blank, values[i]);
      blank = " ";
    }
  }
  fputc('\n', export->stream);
}

/* All labels, or those that number a ket. */
static void view_labels(const Export *export, PetscBool kets)
{
  const PetscInt64 num = CospinSectorDimension(export->all);
  int label[COSPIN_MAX_COORDINATES];

  fprintf(export->stream, "%s %" PetscInt64_FMT, kets ? "kets" : "labels", kets ? export->num_kets : num);
  view_columns(export, kets);
  for (PetscInt64 k = 0; k < num; k++) {
    if (kets && export->ket[k] < 0) continue;
    CospinSectorLabel(export->all, k, label);
    view_label(export, label, kets);
  }
}

/* ---- Matrices ------------------------------------------------------------------------------------------ */

/* Where a move leads: a label, or the ket whose number that is; -1: nowhere. */
static PetscInt64 target_of(const Export *export, const CospinMove *move, const int label[], PetscBool kets)
{
  const CospinSystem *system = &export->problem->system;
  int there[COSPIN_MAX_COORDINATES];
  PetscInt64 index;

  for (int i = 0; i < system->num_coordinates; i++) there[i] = label[i] + move->shift[i];
  if (kets) CospinKetClearBra(system, there);
  index = CospinSectorIndex(export->all, there);
  return index < 0 || !kets ? index : export->ket[index];
}

/* Column after column; the first pass counts (stream NULL), the second one writes. */
static PetscInt64 view_elements(const Export *export, CospinMoves moves, PetscBool kets, FILE *stream)
{
  const PetscInt64 num = CospinSectorDimension(export->all);
  int label[COSPIN_MAX_COORDINATES];
  PetscInt64 count = 0;

  for (PetscInt64 k = 0; k < num; k++) {
    const PetscInt64 column = kets ? export->ket[k] : k;
    if (column < 0) continue;
    CospinSectorLabel(export->all, k, label);
    for (int m = 0; m < moves->count; m++) {
      const double complex value = CospinMoveAmplitude(moves, &moves->moves[m], label);
      const PetscInt64 row = value == 0.0 ? -1 : target_of(export, &moves->moves[m], label, kets);
      if (row < 0) continue;
      count++;
      if (stream)
        fprintf(stream, "%" PetscInt64_FMT " %" PetscInt64_FMT " %.17g %.17g\n", row, column, creal(value),
                cimag(value));
    }
  }
  return count;
}

static void view_matrix(const Export *export, CospinMoves moves, PetscBool kets, const char name[])
{
  fprintf(export->stream, "%s %" PetscInt64_FMT "\n", name, view_elements(export, moves, kets, NULL));
  (void)view_elements(export, moves, kets, export->stream);
}

static PetscErrorCode view_operators(const Export *export)
{
  CospinMoves hamiltonian;
  CospinKets kets;
  char name[32];

  PetscFunctionBeginUser;
  PetscCall(CospinMovesCreate(&export->problem->system, &hamiltonian));
  PetscCall(CospinMovesAddLeftProduct(hamiltonian, export->problem->hamiltonian));
  PetscCall(CospinMovesFinish(hamiltonian));
  view_matrix(export, hamiltonian, PETSC_TRUE, "hamiltonian");
  PetscCall(CospinMovesDestroy(&hamiltonian));
  PetscCall(CospinKetsCreate(export->problem, &kets));
  for (int k = 0; k < kets->num_jumps; k++) {
    (void)snprintf(name, sizeof(name), "jump %d", kets->jumps[k].line);
    view_matrix(export, kets->jumps[k].moves, PETSC_TRUE, name);
  }
  PetscCall(CospinKetsDestroy(&kets));
  PetscFunctionReturn(0);
}

/* A CospinTextView. */
static PetscErrorCode view_all(void *context, FILE *stream)
{
  Export *export = (Export *)context;
  const CospinSystem *system = &export->problem->system;
  const int zero[COSPIN_MAX_COORDINATES] = {0};

  PetscFunctionBeginUser;
  export->stream = stream;
  PetscCall(CospinSectorCreate(system, export->lattice, zero, &export->all));
  PetscCall(number_kets(export));
  for (int c = 0; c < system->num_components; c++) {
    const CospinComponent component = &system->components[c];
    fprintf(export->stream, "component %s %s %.17g\n", component->name, component->kind->record.name,
            component->kind->Size(component));
  }
  view_labels(export, PETSC_FALSE);
  view_labels(export, PETSC_TRUE);
  view_matrix(export, export->problem->generator, PETSC_FALSE, "generator");
  PetscCall(view_operators(export));
  PetscCall(PetscFree(export->ket));
  PetscCall(CospinSectorDestroy(&export->all));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinExport(CospinDeck deck, long point, const char file[], PetscBool *written)
{
  Export export = {.stream = NULL};
  PetscBool ok;

  PetscFunctionBeginUser;
  PetscCall(CospinTextFileHasPoint(deck, point, kind, written));
  if (!*written) PetscFunctionReturn(0);
  PetscCall(CospinProblemCreate(deck, point, NULL, &export.problem, &ok));
  PetscCall(CospinLatticeCreate(export.problem->system.num_coordinates, &export.lattice));
  for (int i = 0; i < export.problem->system.num_coordinates; i++) {
    int unit[COSPIN_MAX_COORDINATES] = {0};
    unit[i] = 1;
    PetscCall(CospinLatticeAdd(export.lattice, unit));
  }
  PetscCall(check(export.problem, export.lattice, written));
  if (*written) PetscCall(CospinTextFileWrite(file, kind, view_all, &export, written));
  PetscCall(CospinLatticeDestroy(&export.lattice));
  PetscCall(CospinProblemDestroy(&export.problem));
  PetscFunctionReturn(0);
}
