/*
   The sections that make the generator: `hamiltonian:`, a list of operator expressions and of sums over
   spins, and `jumps:`. A jump has one of a few forms, told by which keys it has (operator; each; rates and
   pairs); whatever its form, rate gamma and operator A mean gamma (A rho A^+ - A^+A rho/2 - rho A^+A/2).

   Nothing is evaluated here: rates and operators stay expressions until a grid point gives parameters their
   values, and whether H is hermitian or a rate negative is found then (problem/problem.c, problem/values.c).

   Convention of the whole program: D[A] rho with rate gamma is as above, hbar = 1. Papers that write
   gamma/2 (2 A rho A^+ - ...) mean the same gamma. `each: A` is one independent process per spin, sum_l
   D[A_l]; `operator:` is one collective process of the operator as written, and the two must not be mixed
   up: for N spins they differ by a factor of up to N.
*/
#include "read_impl.h"
#include <string.h>

const char *const CospinTermKeys[] = {"sum", NULL};

const char *const CospinJumpKeys[] = {"rate", "operator", "each", "rates", "pairs", "name", NULL};

/* `EXPRESSION` or `sum: EXPRESSION` `sum:` is said explicitly: an operator that a forgotten index turns
   into another one would be no fault. */
static PetscErrorCode read_term(CospinReader *reader, const CospinEntry *entry, CospinExpression *expression,
                                PetscBool *is_sum)
{
  const CospinEntry *sum;
  CospinEntries entries;

  PetscFunctionBeginUser;
  *is_sum = (PetscBool)(CospinEntryGetForm(entry) == COSPIN_ENTRY_MAPPING);
  if (!*is_sum) {
    PetscCall(CospinReadExpression(reader, entry, "an operator expression", expression));
    PetscFunctionReturn(0);
  }
  PetscCall(CospinEntriesCreate(entry, COSPIN_ENTRY_MAPPING, "", reader->faults, &entries));
  PetscCall(CospinEntriesCheckKeys(&entries, CospinTermKeys, reader->faults, NULL));
  sum = CospinEntriesFind(&entries, "sum");
  if (sum) PetscCall(CospinReadExpression(reader, sum, "an operator expression", expression));
  if (!entries.count)
    PetscCall(CospinFaultsAdd(reader->faults, entry->at, entry->path,
                              "has no value (must be an operator expression, or {sum: EXPRESSION})"));
  PetscCall(CospinEntriesDestroy(&entries));
  PetscFunctionReturn(0);
}

/* One expression without a list is what everybody writes first; it is taken for a list of one. */
PetscErrorCode CospinReadHamiltonian(CospinReader *reader, const CospinEntry *entry)
{
  CospinDeck deck = reader->deck;
  CospinEntries entries;

  PetscFunctionBeginUser;
  if (CospinEntryGetForm(entry) == COSPIN_ENTRY_SCALAR) {
    PetscCall(PetscCalloc1(1, &deck->hamiltonian));
    PetscCall(PetscCalloc1(1, &deck->hamiltonian_sum));
    PetscCall(CospinReadExpression(reader, entry, "a list of operator expressions", &deck->hamiltonian[0]));
    deck->num_hamiltonian = deck->hamiltonian[0] ? 1 : 0;
    PetscFunctionReturn(0);
  }
  PetscCall(CospinEntriesCreate(entry, COSPIN_ENTRY_LIST, "a list of operator expressions", reader->faults,
                                &entries));
  PetscCall(PetscCalloc1((size_t)entries.count, &deck->hamiltonian));
  PetscCall(PetscCalloc1((size_t)entries.count, &deck->hamiltonian_sum));
  deck->num_hamiltonian = entries.count;
  for (int k = 0; k < entries.count; k++)
    PetscCall(read_term(reader, &entries.entries[k], &deck->hamiltonian[k], &deck->hamiltonian_sum[k]));
  PetscCall(CospinEntriesDestroy(&entries));
  PetscFunctionReturn(0);
}

/* The forms of a jump: the key of its operator, and that of its rate. */
static const struct {
  const char *op, *rate;
} jump_keys[] = {
    [COSPIN_JUMP_COLLECTIVE] = {"operator", "rate"},
    [COSPIN_JUMP_EACH] = {"each", "rate"},
    [COSPIN_JUMP_PAIRS] = {"pairs", "rates"},
};

enum { NUM_FORMS = sizeof(jump_keys) / sizeof(jump_keys[0]) };

/* The operator's entry, which tells the form. By the keys that are there: `operator`, `each`, or `rates` with
 * `pairs`; anything else is a fault that says what goes together. */
static PetscErrorCode find_form(CospinReader *reader, const CospinEntries *entries, CospinJump *jump,
                                const CospinEntry **op, PetscBool *good)
{
  PetscFunctionBeginUser;
  *op = NULL;
  *good = PETSC_TRUE;
  jump->form = COSPIN_JUMP_COLLECTIVE;
  for (int form = 0; form < NUM_FORMS; form++) {
    const CospinEntry *found = CospinEntriesFind(entries, jump_keys[form].op);
    if (found && *op) {
      *good = PETSC_FALSE;
      PetscCall(CospinFaultsAdd(
          reader->faults, found->key_at, found->path,
          form == COSPIN_JUMP_PAIRS
              ? "a jump has one of `operator`, `each` and `pairs`"
              : "a jump has either `operator` (collective) or `each` (one process per spin), not both"));
    } else if (found) {
      *op = found;
      jump->form = (CospinJumpForm)form;
    }
  }
  PetscFunctionReturn(0);
}

/* A number or, for pairs, a matrix over the spins. Under `pairs` the matrix R[l,m] must be hermitian and
   positive, else the equation is no Lindblad equation; whether it is shows only when parameters have
   values. `rate` and `rates` are two keys so that a matrix is never taken for a number of each spin. */
static PetscErrorCode read_rate(CospinReader *reader, const CospinEntry *entry, const CospinEntries *entries,
                                int num_unknown, CospinJump *jump)
{
  const PetscBool pairs = (PetscBool)(jump->form == COSPIN_JUMP_PAIRS);
  const CospinEntry *rate = CospinEntriesFind(entries, jump_keys[jump->form].rate);
  const CospinEntry *wrong = CospinEntriesFind(entries, pairs ? "rate" : "rates");

  PetscFunctionBeginUser;
  if (wrong)
    PetscCall(CospinFaultsAdd(reader->faults, wrong->key_at, wrong->path,
                              pairs ? "`pairs` needs `rates`, a matrix over the spins, not `rate`"
                                    : "`rates` (a matrix over the spins) goes with `pairs`; this is `rate`"));
  else if (rate)
    PetscCall(CospinReadExpression(reader, rate, "an expression", &jump->rate));
  else if (!num_unknown && entries->count)
    PetscCall(CospinFaultsAdd(reader->faults, entry->at, entry->path,
                              pairs ? "`rates` is missing (a hermitian positive matrix over the spins)"
                                    : "`rate` is missing (a number >= 0 or an expression)"));
  PetscFunctionReturn(0);
}

/* Faults about what is missing are held back where an unknown key was told: `opertor` is a misspelling,
   and "`operator` is missing" would be the second fault of one slip. */
static PetscErrorCode read_jump(CospinReader *reader, const CospinEntry *entry, CospinJump *jump)
{
  const CospinEntry *op, *name;
  CospinEntries entries;
  int num_unknown;
  PetscBool good;

  PetscFunctionBeginUser;
  PetscCall(CospinEntriesCreate(entry, COSPIN_ENTRY_MAPPING,
                                "a mapping {rate: R, operator: A} or {rate: R, each: A}", reader->faults,
                                &entries));
  PetscCall(CospinEntriesCheckKeys(&entries, CospinJumpKeys, reader->faults, &num_unknown));
  name = CospinEntriesFind(&entries, "name");
  if (name) PetscCall(CospinEntryGetText(name, "a name", reader->faults, &jump->name));
  if (jump->name) PetscCall(CospinReadName(reader, name->at, name->path, jump->name, &good));
  jump->position = entry->at;
  jump->member = -1;
  PetscCall(find_form(reader, &entries, jump, &op, &good));
  PetscCall(read_rate(reader, entry, &entries, num_unknown, jump));
  if (good && op)
    PetscCall(CospinReadExpression(reader, op, "an operator expression", &jump->op));
  else if (good && !num_unknown && CospinEntryGetForm(entry) == COSPIN_ENTRY_MAPPING)
    PetscCall(CospinFaultsAdd(reader->faults, entry->at, entry->path,
                              "`operator` (collective) or `each` (one process per spin) is missing"));
  if (CospinEntryGetForm(entry) == COSPIN_ENTRY_EMPTY)
    PetscCall(CospinFaultsAdd(reader->faults, entry->at, entry->path,
                              "has no value (must be {rate: R, operator: A} or {rate: R, each: A})"));
  PetscCall(CospinEntriesDestroy(&entries));
  PetscFunctionReturn(0);
}

/* One jump, or of `each:` over a group one for each of its components. */
static PetscErrorCode read_line(CospinReader *reader, const CospinEntry *entry)
{
  CospinDeck deck = reader->deck;
  int count = 1;

  PetscFunctionBeginUser;
  for (int k = 0; k < count; k++) {
    const size_t size = (size_t)(deck->num_jumps + 1) * sizeof(CospinJump);
    int members;

    PetscCall(PetscRealloc(size, &deck->jumps));
    CospinJump *jump = &deck->jumps[deck->num_jumps++];
    memset(jump, 0, sizeof(*jump));
    PetscCall(read_jump(reader, entry, jump));
    PetscCall(CospinReadGroupJump(reader, jump, &members));
    if (members) count = members;
    if (members) jump->member = k;
  }
  PetscFunctionReturn(0);
}

/* An empty list is allowed: a closed system. Whether it has one steady state is found out later. */
PetscErrorCode CospinReadJumps(CospinReader *reader, const CospinEntry *entry)
{
  CospinEntries entries;

  PetscFunctionBeginUser;
  PetscCall(CospinEntriesCreate(entry, COSPIN_ENTRY_LIST,
                                "a list of {rate: R, operator: A} and {rate: R, each: A}", reader->faults,
                                &entries));
  for (int k = 0; k < entries.count; k++) PetscCall(read_line(reader, &entries.entries[k]));
  PetscCall(CospinEntriesDestroy(&entries));
  PetscFunctionReturn(0);
}
