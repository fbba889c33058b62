/*
   The table of functionals of the state, and what they share.

   A functional is a number that depends on the state as a whole (purity, Fisher information, squeezing),
   where an expectation value is linear in it. What it needs of the state decides what has to be held: moments
   of a few operators, the elements of all sectors, or eigenvalues. The list of all stands in
   cospin/deck/functional_list.h, which the deck's parser reads as well.
*/
#include <cospin/observable/functional.h>
#include <string.h>

#define COSPIN_FUNCTIONAL(name, signature, kind) extern const CospinFunctionalKind kind;
#include <cospin/deck/functional_list.h>
#undef COSPIN_FUNCTIONAL

static const struct {
  const char *name;
  const CospinFunctionalKind *kind;
} kinds[] = {
#define COSPIN_FUNCTIONAL(name, signature, kind) {name, &kind},
#include <cospin/deck/functional_list.h>
#undef COSPIN_FUNCTIONAL
};

enum { NUM_KINDS = sizeof(kinds) / sizeof(kinds[0]) };

const CospinFunctionalKind *CospinFunctionalKindAt(int k, const char **name)
{
  *name = k < NUM_KINDS ? kinds[k].name : NULL;
  return k < NUM_KINDS ? kinds[k].kind : NULL;
}

const CospinFunctionalKind *CospinFunctionalKindOf(const char name[])
{
  int k = 0;

  while (k < NUM_KINDS && strcmp(kinds[k].name, name) != 0) k++;
  return k < NUM_KINDS ? kinds[k].kind : NULL;
}

/* Operators of a problem whose tasks are all approximate are never applied. For the products A rho whose
   traces are the moments. */
static PetscErrorCode make_moves(CospinProblem problem, CospinFunctional functional)
{
  PetscFunctionBeginUser;
  PetscCall(PetscCalloc1(functional->num_operators, &functional->moves));
  for (int k = 0; k < functional->num_operators; k++) {
    PetscCall(CospinMovesCreate(&problem->system, &functional->moves[k]));
    if (!problem->deck->approximate)
      PetscCall(CospinMovesAddLeftProduct(functional->moves[k], functional->operators[k]));
    PetscCall(CospinMovesFinish(functional->moves[k]));
  }
  PetscFunctionReturn(0);
}

/* Prepare checks the arguments and adds the operators it wants to have read. */
PetscErrorCode CospinFunctionalCreate(CospinProblem problem, const char name[],
                                      const CospinArgument arguments[], CospinFunctional *functional,
                                      char why[], size_t why_size)
{
  PetscFunctionBeginUser;
  PetscCall(PetscNew(functional));
  (*functional)->kind = CospinFunctionalKindOf(name);
  if ((*functional)->kind->labels && !CospinSystemHasSides(&problem->system))
    PetscCall(PetscSNPrintf(
        why, why_size,
        "`%s` needs labels of kets, which atoms of several levels with processes or "
        "states of single atoms have not (purity(), entropy(), weight(...), negativity(...) and "
        "mutual(...) are there, and expectation values with what is made of them)",
        name));
  else
    PetscCall((*functional)->kind->Prepare(problem, arguments, *functional, why, why_size));
  if (why[0])
    PetscCall(CospinFunctionalDestroy(functional));
  else
    PetscCall(make_moves(problem, *functional));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinFunctionalDestroy(CospinFunctional *functional)
{
  PetscFunctionBeginUser;
  if (!*functional) PetscFunctionReturn(0);
  for (int k = 0; k < (*functional)->num_operators; k++) {
    PetscCall(CospinPolynomialDestroy(&(*functional)->operators[k]));
    if ((*functional)->moves) PetscCall(CospinMovesDestroy(&(*functional)->moves[k]));
  }
  PetscCall(PetscFree((*functional)->operators));
  PetscCall(PetscFree((*functional)->moves));
  PetscCall(PetscFree(*functional));
  PetscFunctionReturn(0);
}

/* Takes the polynomial over. */
PetscErrorCode CospinFunctionalAdd(CospinFunctional functional, CospinPolynomial a)
{
  const size_t count = (size_t)functional->num_operators + 1;

  PetscFunctionBeginUser;
  PetscCall(PetscRealloc(count * sizeof(CospinPolynomial), &functional->operators));
  functional->operators[functional->num_operators++] = a;
  PetscFunctionReturn(0);
}

PetscErrorCode CospinFunctionalFindComponent(CospinProblem problem, const char name[],
                                             CospinFunctional functional, char why[], size_t why_size)
{
  CospinSystem *system = &problem->system;

  PetscFunctionBeginUser;
  for (int c = 0; c < system->num_components; c++)
    if (strcmp(system->components[c].name, name) == 0) functional->component = &system->components[c];
  if (functional->component) PetscFunctionReturn(0);
  PetscCall(PetscSNPrintf(why, why_size, "no component `%.100s` (components:", name));
  for (int c = 0; c < system->num_components; c++) {
    PetscCall(PetscStrlcat(why, c ? ", " : " ", why_size));
    PetscCall(PetscStrlcat(why, system->components[c].name, why_size));
  }
  PetscCall(PetscStrlcat(why, ")", why_size));
  PetscFunctionReturn(0);
}

/* Sx, Sy and Sz of a component by their names, as a deck would write them: whichever kind has them is an
   angular momentum. */
PetscErrorCode CospinFunctionalSpin(CospinProblem problem, const char name[], CospinFunctional functional,
                                    CospinPolynomial spin[3], char why[], size_t why_size)
{
  static const char *const operators[] = {"Sx", "Sy", "Sz"};

  PetscFunctionBeginUser;
  PetscCall(CospinFunctionalFindComponent(problem, name, functional, why, why_size));
  if (!why[0] && !functional->component->kind->Length)
    PetscCall(PetscSNPrintf(why, why_size, "%s `%.100s` is no angular momentum with Sx, Sy and Sz",
                            functional->component->kind->record.name, name));
  for (int a = 0; a < 3 && !why[0]; a++) {
    CospinValue value = {0};
    PetscBool found;
    char path[256];
    PetscCall(PetscSNPrintf(path, sizeof(path), "%.200s.%s", name, operators[a]));
    PetscCall(CospinProblemResolve(problem, path, 0, NULL, &value, &found, why, why_size));
    PetscCheck(found && value.is_operator, PETSC_COMM_SELF, PETSC_ERR_PLIB, "No operator %s", path);
    spin[a] = value.polynomial;
  }
  PetscFunctionReturn(0);
}
