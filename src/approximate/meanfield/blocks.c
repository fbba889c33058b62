/*
   Mean-field equations taken apart, once for each problem: a monomial of sums over spins, in a product state,
   is a sum over partitions of its operators into blocks, each block a joint cumulant of one site summed over
   the sites,

     <A B> = <A> <B> + sum over sites of (<A_l B_l> - <A_l> <B_l>)     and so on for more operators.

   Cumulants are sums of products of moments, moments are linear in <s-> and <sz> of the site. Equal moments,
   blocks and monomials are found and kept once; what is always zero is dropped. A mode has the cumulants
   alpha, alpha^* and <a a^+> - |alpha|^2 = 1 and no others. In the closure `paper` a block is one moment and
   not a cumulant.
*/
#include "blocks.h"

/* To the bit: equal operators come from equal terms. */
static PetscBool same_pauli(const CospinMeanPauli *x, const CospinMeanPauli *y)
{
  for (int k = 0; k < 4; k++)
    if (x->of[k] != y->of[k]) return PETSC_FALSE;
  return PETSC_TRUE;
}

PetscBool CospinMeanPauliIsZero(const CospinMeanPauli *x)
{
  const CospinMeanPauli zero = {{0.0}};

  return same_pauli(x, &zero);
}

int CospinMeanGroups(const CospinMeanPart *part)
{
  return part->is_mode ? 0 : (part->sites + COSPIN_MEAN_WIDE - 1) / COSPIN_MEAN_WIDE;
}

/* ---- Making -------------------------------------------------------------------------------------------- */

static PetscErrorCode sum_add(CospinMeanSum *sum, const CospinMeanTerm *term)
{
  PetscFunctionBeginUser;
  PetscCall(PetscRealloc(sizeof(CospinMeanTerm) * (size_t)(sum->count + 1), &sum->terms));
  sum->terms[sum->count++] = *term;
  PetscFunctionReturn(0);
}

/* Linear search: there are some tens of moments at most. */
static PetscErrorCode find_moment(CospinMeanBlocks blocks, int part, const CospinMeanPauli *x, int *place)
{
  PetscFunctionBeginUser;
  for (*place = 0; *place < blocks->num_moments; ++*place) {
    const CospinMeanMoment *moment = &blocks->moments[*place];
    if (moment->part == part && same_pauli(&moment->x, x)) PetscFunctionReturn(0);
  }
  PetscCall(PetscRealloc(sizeof(CospinMeanMoment) * (size_t)(blocks->num_moments + 1), &blocks->moments));
  blocks->moments[blocks->num_moments++] = (CospinMeanMoment){part, *x};
  PetscFunctionReturn(0);
}

/* Adds the product of the moments of a partition's blocks; nothing if one of them is always zero. */
static PetscErrorCode add_moments(CospinMeanBlocks blocks, CospinMeanBlock *new, const int partition[])
{
  CospinMeanTerm term = {.coefficient = 1.0};

  PetscFunctionBeginUser;
  for (int b = 0; b < new->n; b++) {
    CospinMeanOperator some[COSPIN_MEAN_MOST_OPERATORS];
    CospinMeanPauli x;
    int count = 0;
    for (int k = 0; k < new->n; k++)
      if (partition[k] == b) some[count++] = new->operators[k];
    if (count == 0) break;
    x = CospinMeanProduct(count, some);
    if (CospinMeanPauliIsZero(&x)) PetscFunctionReturn(0);
    PetscCall(find_moment(blocks, new->part, &x, &term.factor[term.n++]));
  }
  term.coefficient = CospinMeanCumulantSign(term.n);
  PetscCall(sum_add(&new->of_moments, &term));
  PetscFunctionReturn(0);
}

/* Blocks are kept once; the number of partitions of k operators grows quickly, so k is limited. */
static PetscErrorCode find_block(CospinMeanField field, int part, int n, const CospinMeanOperator operators[],
                                 int *place)
{
  CospinMeanBlocks blocks = field->blocks;
  const PetscBool one =
      (PetscBool)(field->closure == COSPIN_CLOSURE_PAPER); /* of moments, instead of cumulants */
  CospinMeanBlock new = {.part = part, .n = n};
  int partition[COSPIN_MEAN_MOST_OPERATORS] = {0};

  PetscFunctionBeginUser;
  for (*place = 0; *place < blocks->num_blocks; ++*place) {
    const CospinMeanBlock *block = &blocks->blocks[*place];
    PetscBool same = (PetscBool)(block->part == part && block->n == n);
    for (int k = 0; k < n && same; k++) same = (PetscBool)(block->operators[k] == operators[k]);
    if (same) PetscFunctionReturn(0);
  }
  for (int k = 0; k < n; k++) new.operators[k] = operators[k];
  if (!field->parts[part].is_mode) {
    do PetscCall(add_moments(blocks, &new, partition));
    while (!one && CospinMeanNextPartition(n, partition));
  }
  PetscCall(PetscRealloc(sizeof(CospinMeanBlock) * (size_t)(blocks->num_blocks + 1), &blocks->blocks));
  blocks->blocks[blocks->num_blocks++] = new;
  PetscFunctionReturn(0);
}

/* Adds the product of the cumulants of a partition's blocks. */
static PetscErrorCode add_blocks(CospinMeanField field, CospinMeanExpectationOf *new, const int partition[])
{
  CospinMeanTerm term = {.coefficient = 1.0};

  PetscFunctionBeginUser;
  for (int b = 0; b < new->length; b++) {
    CospinMeanOperator some[COSPIN_MEAN_MOST_OPERATORS];
    int count = 0, part = -1, place;
    for (int k = 0; k < new->length; k++) {
      if (partition[k] != b) continue;
      if (count && new->monomial[k].part != part) PetscFunctionReturn(0); /* they never meet */
      part = new->monomial[k].part;
      some[count++] = new->monomial[k].op;
    }
    if (count == 0) break;
    if (field->parts[part].is_mode && count > 1) { /* a a^+ - |alpha|^2 = 1 is all there is */
      if (count > 2 || some[0] != COSPIN_MEAN_LOWER || some[1] != COSPIN_MEAN_RAISE) PetscFunctionReturn(0);
      continue;
    }
    PetscCall(find_block(field, part, count, some, &place));
    if (!field->parts[part].is_mode && field->blocks->blocks[place].of_moments.count == 0)
      PetscFunctionReturn(0);
    term.factor[term.n++] = place;
  }
  PetscCall(sum_add(&new->of_blocks, &term));
  PetscFunctionReturn(0);
}

/* Sites do not matter: a monomial of sums is known by components and operators. */
static PetscBool same_monomial(int length, const CospinMeanElementary a[], const CospinMeanElementary b[])
{
  for (int k = 0; k < length; k++)
    if (a[k].part != b[k].part || a[k].op != b[k].op) return PETSC_FALSE;
  return PETSC_TRUE;
}

/* Operators of different parts commute: those of the first part come first. */
static void sort(int length, CospinMeanElementary monomial[])
{
  for (int k = 1; k < length; k++) {
    for (int l = k; l > 0 && monomial[l].part < monomial[l - 1].part; l--) {
      const CospinMeanElementary kept = monomial[l];
      monomial[l] = monomial[l - 1];
      monomial[l - 1] = kept;
    }
  }
}

/* Paulis are kept as coefficients of 1, s-, s+, sz. */
static void accumulate(CospinMeanPauli *sum, const CospinMeanPauli *x)
{
  for (int k = 0; k < 4; k++) sum->of[k] += x->of[k];
}

/* `swap`: the adjoint of an operator has the conjugate weights. */
static void add_weights(CospinMeanWeights *sum, const CospinMeanWeights *weights, PetscBool swap)
{
  accumulate(&sum->s, swap ? &weights->s_conjugate : &weights->s);
  accumulate(&sum->s_conjugate, swap ? &weights->s : &weights->s_conjugate);
  accumulate(&sum->z, swap ? &weights->z_conjugate : &weights->z);
  accumulate(&sum->z_conjugate, swap ? &weights->z : &weights->z_conjugate);
}

/* A monomial and its adjoint have conjugate values, so one of them is computed. */
PetscErrorCode CospinMeanBlocksAdd(CospinMeanField field, int part, int length,
                                   const CospinMeanElementary monomial[], const CospinMeanWeights *weights)
{
  CospinMeanBlocks blocks = field->blocks;
  CospinMeanExpectationOf new = {.part = part, .length = length, .weights = *weights};
  CospinMeanElementary adjoint[COSPIN_MEAN_MOST_OPERATORS];
  int partition[COSPIN_MEAN_MOST_OPERATORS] = {0};

  PetscFunctionBeginUser;
  for (int k = 0; k < length; k++) new.monomial[k] = monomial[k];
  for (int k = 0; k < length; k++) adjoint[k] = monomial[length - 1 - k];
  for (int k = 0; k < length; k++) adjoint[k].op = CospinMeanAdjoint(adjoint[k].op);
  sort(length, new.monomial);
  sort(length, adjoint);
  for (int e = 0; e < blocks->num_expectations; e++) {
    CospinMeanExpectationOf *known = &blocks->expectations[e];
    const PetscBool same = (PetscBool)(known->part == part && known->length == length);
    const PetscBool direct = (PetscBool)(same && same_monomial(length, known->monomial, new.monomial));
    if (!direct && !(same && same_monomial(length, known->monomial, adjoint))) continue;
    add_weights(&known->weights, weights, (PetscBool)!direct);
    PetscFunctionReturn(0);
  }
  do PetscCall(add_blocks(field, &new, partition));
  while (CospinMeanNextPartition(length, partition));
  PetscCall(PetscRealloc(sizeof(CospinMeanExpectationOf) * (size_t)(blocks->num_expectations + 1),
                         &blocks->expectations));
  blocks->expectations[blocks->num_expectations++] = new;
  PetscFunctionReturn(0);
}

/* What mean field knows of a component: spins-1/2, sites that differ or not, and modes. Anything else is a
   fault. */
static PetscErrorCode create_parts(CospinProblem problem, const char task[], CospinFaults faults,
                                   CospinMeanField field, PetscBool *ok)
{
  PetscFunctionBeginUser;
  for (int c = 0; c < field->num_parts; c++) {
    const CospinComponent component = &problem->system.components[c];
    CospinMeanPart *part = &field->parts[c];
    PetscBool spins = PETSC_FALSE, mode = PETSC_FALSE;
    const PetscBool two_levels = (PetscBool)!component->kind->NumLevels; /* not any number of them */
    char path[128];
    for (const CospinOperatorName *name = component->kind->operators; name->name; name++) {
      PetscBool is_spin, is_mode;
      PetscCall(PetscStrcmp(name->name, "sm", &is_spin));
      PetscCall(PetscStrcmp(name->name, "a", &is_mode));
      if (is_spin && name->one_spin && two_levels) spins = PETSC_TRUE;
      if (is_mode) mode = PETSC_TRUE;
    }
    part->is_mode = mode;
    part->sites = component->kind->NumSpins ? component->kind->NumSpins(component) : 1;
    part->copies = component->kind->NumSpins || mode ? 1.0 : component->kind->Size(component);
    part->offset = field->num_unknowns;
    field->num_unknowns += mode ? 2 : 3 * part->sites;
    if (spins || mode) continue;
    *ok = PETSC_FALSE;
    PetscCall(PetscSNPrintf(path, sizeof(path), "components.%s", component->name));
    PetscCall(CospinFaultsAdd(faults, problem->deck->components[c].position, path,
                              "this kind is beyond the task %s (it knows ensemble, spins and mode)", task));
  }
  for (int c = 0; c < field->num_parts && *ok; c++)
    PetscCall(PetscCalloc1(12 * (size_t)field->parts[c].sites, &field->parts[c].local));
  PetscFunctionReturn(0);
}

/* Work space is allocated here, once: slopes are evaluated 10^5 times. */
PetscErrorCode CospinMeanFieldCreate(CospinProblem problem, CospinClosure closure, const char task[],
                                     CospinFaults faults, CospinMeanField *field, PetscBool *ok)
{
  CospinMeanBlocks blocks;
  CospinMeanField new;
  int groups = 0;

  PetscFunctionBeginUser;
  *ok = PETSC_TRUE;
  PetscCall(PetscNew(&new));
  PetscCall(PetscNew(&new->blocks));
  *field = new;
  blocks = new->blocks;
  new->closure = closure;
  new->num_parts = problem->system.num_components;
  PetscCall(PetscCalloc1(new->num_parts, &new->parts));
  PetscCall(create_parts(problem, task, faults, new, ok));
  if (*ok) PetscCall(CospinMeanFieldAddTerms(new, problem, task, faults, ok));
  for (int c = 0; c < new->num_parts; c++) groups += CospinMeanGroups(&new->parts[c]);
  PetscCall(PetscCalloc1((size_t)groups * (size_t)blocks->num_blocks, &blocks->sites));
  PetscCall(PetscCalloc1(blocks->num_blocks, &blocks->everywhere));
  PetscCall(PetscCalloc1(PetscMax(blocks->num_blocks, blocks->num_moments), &blocks->others));
  PetscCall(PetscCalloc1(PetscMax(blocks->num_blocks, blocks->num_moments), &blocks->factors));
  PetscCall(PetscCalloc1(blocks->num_blocks, &blocks->total));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinMeanFieldDestroy(CospinMeanField *field)
{
  CospinMeanBlocks blocks;

  PetscFunctionBeginUser;
  if (!*field) PetscFunctionReturn(0);
  blocks = (*field)->blocks;
  for (int b = 0; b < blocks->num_blocks; b++) PetscCall(PetscFree(blocks->blocks[b].of_moments.terms));
  for (int e = 0; e < blocks->num_expectations; e++)
    PetscCall(PetscFree(blocks->expectations[e].of_blocks.terms));
  for (int c = 0; c < (*field)->num_parts; c++) PetscCall(PetscFree((*field)->parts[c].local));
  PetscCall(PetscFree(blocks->moments));
  PetscCall(PetscFree(blocks->blocks));
  PetscCall(PetscFree(blocks->expectations));
  PetscCall(PetscFree(blocks->sites));
  PetscCall(PetscFree(blocks->everywhere));
  PetscCall(PetscFree(blocks->others));
  PetscCall(PetscFree(blocks->factors));
  PetscCall(PetscFree(blocks->total));
  PetscCall(PetscFree(blocks));
  PetscCall(PetscFree((*field)->squares));
  PetscCall(PetscFree((*field)->parts));
  PetscCall(PetscFree(*field));
  PetscFunctionReturn(0);
}
