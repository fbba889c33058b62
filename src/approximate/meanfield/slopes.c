/*
   The right-hand side of mean-field equations: cumulants of all sites, their sums, and what each site sees of
   the others. Sites are worked on in groups of WIDE, so that inner loops run over neighbours in memory.
*/
#include "meanfield.h"

enum { WIDE = 64, MOST = COSPIN_MEAN_MOST_OPERATORS };

typedef struct {
  double re[WIDE], im[WIDE];
} Lane;

/* coefficient * factor[0] * factor[1] ..., places in some list */
typedef struct {
  double coefficient;
  int n, factor[MOST];
} Product;

typedef struct {
  int count;
  Product *terms;
} Sum;

/* A moment <x> of one site, x a product of operators. */
typedef struct {
  int part;
  CospinMeanPauli x;
} Moment;

/* A joint cumulant as a sum of products of moments, or (mode) alpha or alpha^*. */
typedef struct {
  int part, n;
  CospinMeanOperator operators[MOST];
  Sum of_moments;
} Block;

/* The expectation value of a monomial over all but the site of `part` that asks, as a sum of products of
 * cumulants. */
typedef struct {
  int part, length;
  CospinMeanElementary monomial[MOST];
  Sum of_blocks;
  CospinMeanWeights weights;
} Expectation;

struct CospinMeanBlocks_ {
  int num_moments, num_blocks, num_expectations;
  Moment *moments;
  Block *blocks;
  Expectation *expectations;
  Lane *sites;           /* cumulants of every site: [groups of a part][num_blocks], part after part */
  Lane *everywhere;      /* [num_blocks] sums over all sites, in every place of a lane */
  Lane *others;          /* [num_blocks] */
  const Lane **factors;  /* [num_blocks + num_moments] */
  double complex *total; /* [num_blocks] */
};

/* ---- Making
 * -------------------------------------------------------------------------------------------------- */

static PetscErrorCode sum_add(Sum *sum, const Product *term)
{
  PetscFunctionBeginUser;
  PetscCall(PetscRealloc(sizeof(Product) * (size_t)(sum->count + 1), &sum->terms));
  sum->terms[sum->count++] = *term;
  PetscFunctionReturn(0);
}

static PetscBool same_pauli(const CospinMeanPauli *x, const CospinMeanPauli *y)
{
  for (int k = 0; k < 4; k++)
    if (x->of[k] != y->of[k]) return PETSC_FALSE;
  return PETSC_TRUE;
}

static PetscBool is_zero(const CospinMeanPauli *x)
{
  const CospinMeanPauli zero = {{0.0}};

  return same_pauli(x, &zero);
}

static PetscErrorCode find_moment(CospinMeanBlocks blocks, int part, const CospinMeanPauli *x, int *place)
{
  PetscFunctionBeginUser;
  for (*place = 0; *place < blocks->num_moments; ++*place) {
    const Moment *moment = &blocks->moments[*place];
    if (moment->part == part && same_pauli(&moment->x, x)) PetscFunctionReturn(0);
  }
  PetscCall(PetscRealloc(sizeof(Moment) * (size_t)(blocks->num_moments + 1), &blocks->moments));
  blocks->moments[blocks->num_moments++] = (Moment){part, *x};
  PetscFunctionReturn(0);
}

/* Adds the product of the moments of a partition's blocks; nothing if one of them is always zero. */
static PetscErrorCode add_moments(CospinMeanBlocks blocks, Block *new, const int partition[])
{
  Product term = {.coefficient = 1.0};

  PetscFunctionBeginUser;
  for (int b = 0; b < new->n; b++) {
    CospinMeanOperator some[MOST];
    CospinMeanPauli x;
    int count = 0;
    for (int k = 0; k < new->n; k++)
      if (partition[k] == b) some[count++] = new->operators[k];
    if (count == 0) break;
    x = CospinMeanProduct(count, some);
    if (is_zero(&x)) PetscFunctionReturn(0);
    PetscCall(find_moment(blocks, new->part, &x, &term.factor[term.n++]));
  }
  term.coefficient = CospinMeanCumulantSign(term.n);
  PetscCall(sum_add(&new->of_moments, &term));
  PetscFunctionReturn(0);
}

static PetscErrorCode find_block(CospinMeanField field, int part, int n, const CospinMeanOperator operators[],
                                 int *place)
{
  CospinMeanBlocks blocks = field->blocks;
  const PetscBool one =
      (PetscBool)(field->closure == COSPIN_CLOSURE_PAPER); /* of moments, instead of cumulants */
  Block new = {.part = part, .n = n};
  int partition[MOST] = {0};

  PetscFunctionBeginUser;
  for (*place = 0; *place < blocks->num_blocks; ++*place) {
    const Block *block = &blocks->blocks[*place];
    PetscBool same = (PetscBool)(block->part == part && block->n == n);
    for (int k = 0; k < n && same; k++) same = (PetscBool)(block->operators[k] == operators[k]);
    if (same) PetscFunctionReturn(0);
  }
  for (int k = 0; k < n; k++) new.operators[k] = operators[k];
  if (!field->parts[part].is_mode) {
    do PetscCall(add_moments(blocks, &new, partition));
    while (!one && CospinMeanNextPartition(n, partition));
  }
  PetscCall(PetscRealloc(sizeof(Block) * (size_t)(blocks->num_blocks + 1), &blocks->blocks));
  blocks->blocks[blocks->num_blocks++] = new;
  PetscFunctionReturn(0);
}

/* Adds the product of the cumulants of a partition's blocks. */
static PetscErrorCode add_blocks(CospinMeanField field, Expectation *new, const int partition[])
{
  Product term = {.coefficient = 1.0};

  PetscFunctionBeginUser;
  for (int b = 0; b < new->length; b++) {
    CospinMeanOperator some[MOST];
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

static PetscBool same_monomial(int length, const CospinMeanElementary a[], const CospinMeanElementary b[])
{
  for (int k = 0; k < length; k++)
    if (a[k].part != b[k].part || a[k].op != b[k].op) return PETSC_FALSE;
  return PETSC_TRUE;
}

/* Letters of different parts commute: those of the first part come first. */
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

static void accumulate(CospinMeanPauli *sum, const CospinMeanPauli *x)
{
  for (int k = 0; k < 4; k++) sum->of[k] += x->of[k];
}

static void add_weights(CospinMeanWeights *sum, const CospinMeanWeights *weights, PetscBool swap)
{
  accumulate(&sum->s, swap ? &weights->s_conjugate : &weights->s);
  accumulate(&sum->s_conjugate, swap ? &weights->s : &weights->s_conjugate);
  accumulate(&sum->z, swap ? &weights->z_conjugate : &weights->z);
  accumulate(&sum->z_conjugate, swap ? &weights->z : &weights->z_conjugate);
}

PetscErrorCode CospinMeanBlocksAdd(CospinMeanField field, int part, int length,
                                   const CospinMeanElementary monomial[], const CospinMeanWeights *weights)
{
  CospinMeanBlocks blocks = field->blocks;
  Expectation new = {.part = part, .length = length, .weights = *weights};
  CospinMeanElementary adjoint[MOST];
  int partition[MOST] = {0};

  PetscFunctionBeginUser;
  for (int k = 0; k < length; k++) new.monomial[k] = monomial[k];
  for (int k = 0; k < length; k++) adjoint[k] = monomial[length - 1 - k];
  for (int k = 0; k < length; k++) adjoint[k].op = CospinMeanAdjoint(adjoint[k].op);
  sort(length, new.monomial);
  sort(length, adjoint);
  for (int e = 0; e < blocks->num_expectations; e++) {
    Expectation *known = &blocks->expectations[e];
    const PetscBool same = (PetscBool)(known->part == part && known->length == length);
    const PetscBool direct = (PetscBool)(same && same_monomial(length, known->monomial, new.monomial));
    if (!direct && !(same && same_monomial(length, known->monomial, adjoint))) continue;
    add_weights(&known->weights, weights, (PetscBool)!direct);
    PetscFunctionReturn(0);
  }
  do PetscCall(add_blocks(field, &new, partition));
  while (CospinMeanNextPartition(length, partition));
  PetscCall(
      PetscRealloc(sizeof(Expectation) * (size_t)(blocks->num_expectations + 1), &blocks->expectations));
  blocks->expectations[blocks->num_expectations++] = new;
  PetscFunctionReturn(0);
}

static int num_groups(const CospinMeanPart *part)
{
  return part->is_mode ? 0 : (part->sites + WIDE - 1) / WIDE;
}

static PetscErrorCode create_parts(CospinProblem problem, const char task[], CospinFaults faults,
                                   CospinMeanField field, PetscBool *ok)
{
  PetscFunctionBeginUser;
  for (int c = 0; c < field->num_parts; c++) {
    const CospinComponent component = &problem->system.components[c];
    CospinMeanPart *part = &field->parts[c];
    PetscBool spins = PETSC_FALSE, mode = PETSC_FALSE;
    char path[128];
    for (const CospinOperatorName *name = component->kind->operators; name->name; name++) {
      PetscBool is_spin, is_mode;
      PetscCall(PetscStrcmp(name->name, "sm", &is_spin));
      PetscCall(PetscStrcmp(name->name, "a", &is_mode));
      if (is_spin && name->one_spin) spins = PETSC_TRUE;
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
  for (int c = 0; c < new->num_parts; c++) groups += num_groups(&new->parts[c]);
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

/* ---- Lanes
 * --------------------------------------------------------------------------------------------------- */

/* s and z of at most WIDE sites. */
typedef struct {
  double re[WIDE], im[WIDE], z[WIDE];
} Spins;

static int load(const CospinMeanPart *part, const double u[], int group, Spins *spins)
{
  const double *re = u + part->offset + group * WIDE, *im = re + part->sites, *z = im + part->sites;
  const int count = PetscMin(WIDE, part->sites - group * WIDE);

  for (int k = 0; k < count; k++) {
    spins->re[k] = re[k];
    spins->im[k] = im[k];
    spins->z[k] = z[k];
  }
  return count;
}

/* value = <x> */
static void evaluate_pauli(const CospinMeanPauli *x, const Spins *spins, int width, Lane *value)
{
  const double a = creal(x->of[0]), b = cimag(x->of[0]), c = creal(x->of[3]), d = cimag(x->of[3]);
  const double rr = creal(x->of[1] + x->of[2]), ri = cimag(x->of[2] - x->of[1]);
  const double ir = cimag(x->of[1] + x->of[2]), ii = creal(x->of[1] - x->of[2]);

  for (int k = 0; k < width; k++) {
    value->re[k] = a + rr * spins->re[k] + ri * spins->im[k] + c * spins->z[k];
    value->im[k] = b + ir * spins->re[k] + ii * spins->im[k] + d * spins->z[k];
  }
}

static void multiply(int width, Lane *product, const Lane *by)
{
  for (int k = 0; k < width; k++) {
    const double re = product->re[k] * by->re[k] - product->im[k] * by->im[k];
    product->im[k] = product->re[k] * by->im[k] + product->im[k] * by->re[k];
    product->re[k] = re;
  }
}

static void evaluate_sum(const Sum *sum, const Lane *const factors[], int width, Lane *value)
{
  for (int k = 0; k < width; k++) value->re[k] = value->im[k] = 0.0;
  for (int t = 0; t < sum->count; t++) {
    const Product *term = &sum->terms[t];
    Lane product;
    for (int k = 0; k < width; k++) {
      product.re[k] = term->n ? term->coefficient * factors[term->factor[0]]->re[k] : term->coefficient;
      product.im[k] = term->n ? term->coefficient * factors[term->factor[0]]->im[k] : 0.0;
    }
    for (int i = 1; i < term->n; i++) multiply(width, &product, factors[term->factor[i]]);
    for (int k = 0; k < width; k++) {
      value->re[k] += product.re[k];
      value->im[k] += product.im[k];
    }
  }
}

/* sum += weight e, or with e^* */
static void add_product(const CospinMeanPauli *weight, const Spins *spins, int width, const Lane *e,
                        double sign, Lane *sum)
{
  Lane factor;

  if (is_zero(weight)) return;
  evaluate_pauli(weight, spins, width, &factor);
  for (int k = 0; k < width; k++) {
    sum->re[k] += factor.re[k] * e->re[k] - sign * factor.im[k] * e->im[k];
    sum->im[k] += factor.im[k] * e->re[k] + sign * factor.re[k] * e->im[k];
  }
}

/* ---- Slopes
 * -------------------------------------------------------------------------------------------------- */

/* The cumulants of all sites of a part, and their sums. */
static void find_cumulants(CospinMeanField field, int c, const double u[], Lane *sites)
{
  CospinMeanBlocks blocks = field->blocks;
  const CospinMeanPart *part = &field->parts[c];

  for (int g = 0; g < num_groups(part); g++) {
    Spins spins;
    const int count = load(part, u, g, &spins);
    for (int m = 0; m < blocks->num_moments; m++) {
      blocks->factors[m] = &blocks->others[m];
      if (blocks->moments[m].part == c)
        evaluate_pauli(&blocks->moments[m].x, &spins, count, &blocks->others[m]);
    }
    for (int b = 0; b < blocks->num_blocks; b++) {
      Lane *value = &sites[(size_t)g * (size_t)blocks->num_blocks + (size_t)b];
      double re = 0.0, im = 0.0;
      if (blocks->blocks[b].part != c) continue;
      evaluate_sum(&blocks->blocks[b].of_moments, blocks->factors, count, value);
      for (int k = 0; k < count; k++) {
        re += value->re[k];
        im += value->im[k];
      }
      blocks->total[b] += part->copies * CMPLX(re, im);
    }
  }
}

static void find_totals(CospinMeanField field, const double u[])
{
  CospinMeanBlocks blocks = field->blocks;
  Lane *sites = blocks->sites;

  for (int b = 0; b < blocks->num_blocks; b++) {
    const Block *block = &blocks->blocks[b];
    const CospinMeanPart *part = &field->parts[block->part];
    blocks->total[b] = 0.0;
    if (!part->is_mode) continue;
    blocks->total[b] =
        CMPLX(u[part->offset],
              block->operators[0] == COSPIN_MEAN_LOWER ? u[part->offset + 1] : -u[part->offset + 1]);
  }
  for (int c = 0; c < field->num_parts; c++) {
    find_cumulants(field, c, u, sites);
    sites += (size_t)num_groups(&field->parts[c]) * (size_t)blocks->num_blocks;
  }
  for (int b = 0; b < blocks->num_blocks; b++) {
    for (int k = 0; k < WIDE; k++) {
      blocks->everywhere[b].re[k] = creal(blocks->total[b]);
      blocks->everywhere[b].im[k] = cimag(blocks->total[b]);
    }
  }
}

static void local_slopes(const CospinMeanPart *part, int group, int count, const Spins *spins, Lane *ds,
                         Lane *dz)
{
  const size_t n = (size_t)part->sites;
  const double *row = part->local + group * WIDE;

  for (int k = 0; k < count; k++) {
    const double re = spins->re[k], im = spins->im[k], z = spins->z[k];
    ds->re[k] = row[(size_t)k] + (row[2 * n + (size_t)k] + row[4 * n + (size_t)k]) * re +
                (row[5 * n + (size_t)k] - row[3 * n + (size_t)k]) * im + row[6 * n + (size_t)k] * z;
    ds->im[k] = row[n + (size_t)k] + (row[3 * n + (size_t)k] + row[5 * n + (size_t)k]) * re +
                (row[2 * n + (size_t)k] - row[4 * n + (size_t)k]) * im + row[7 * n + (size_t)k] * z;
    dz->re[k] = row[8 * n + (size_t)k] + 2 * (row[9 * n + (size_t)k] * re - row[10 * n + (size_t)k] * im) +
                row[11 * n + (size_t)k] * z;
  }
}

static void group_slopes(CospinMeanField field, int c, int g, const double u[], const Lane *sites,
                         double slopes[])
{
  CospinMeanBlocks blocks = field->blocks;
  const CospinMeanPart *part = &field->parts[c];
  Lane ds, dz, value;
  Spins spins;
  const int count = load(part, u, g, &spins);
  double *re = slopes + part->offset + g * WIDE, *im = re + part->sites, *z = im + part->sites;

  local_slopes(part, g, count, &spins, &ds, &dz);
  for (int b = 0; b < blocks->num_blocks; b++) {
    const Lane *site = &sites[(size_t)g * (size_t)blocks->num_blocks + (size_t)b];
    blocks->factors[b] = &blocks->everywhere[b];
    if (blocks->blocks[b].part != c) continue;
    for (int k = 0; k < count; k++) {
      blocks->others[b].re[k] = blocks->everywhere[b].re[k] - site->re[k];
      blocks->others[b].im[k] = blocks->everywhere[b].im[k] - site->im[k];
    }
    blocks->factors[b] = &blocks->others[b];
  }
  for (int e = 0; e < blocks->num_expectations; e++) {
    const Expectation *expectation = &blocks->expectations[e];
    if (expectation->part != c) continue;
    evaluate_sum(&expectation->of_blocks, blocks->factors, count, &value);
    add_product(&expectation->weights.s, &spins, count, &value, +1.0, &ds);
    add_product(&expectation->weights.s_conjugate, &spins, count, &value, -1.0, &ds);
    add_product(&expectation->weights.z, &spins, count, &value, +1.0, &dz);
    add_product(&expectation->weights.z_conjugate, &spins, count, &value, -1.0, &dz);
  }
  for (int k = 0; k < count; k++) {
    re[k] = ds.re[k];
    im[k] = ds.im[k];
    z[k] = dz.re[k];
  }
}

static void mode_slopes(CospinMeanField field, int c, double slopes[])
{
  CospinMeanBlocks blocks = field->blocks;
  double complex sum = 0.0;

  for (int e = 0; e < blocks->num_expectations; e++) {
    const Expectation *expectation = &blocks->expectations[e];
    double complex value = 0.0;
    if (expectation->part != c) continue;
    for (int t = 0; t < expectation->of_blocks.count; t++) {
      const Product *term = &expectation->of_blocks.terms[t];
      double complex product = term->coefficient;
      for (int i = 0; i < term->n; i++) product *= blocks->total[term->factor[i]];
      value += product;
    }
    sum += expectation->weights.s.of[0] * value + expectation->weights.s_conjugate.of[0] * conj(value);
  }
  slopes[field->parts[c].offset] = creal(sum);
  slopes[field->parts[c].offset + 1] = cimag(sum);
}

static void hold_lengths(CospinMeanField field, const double u[], double slopes[])
{
  for (int c = 0; c < field->num_parts; c++) {
    const CospinMeanPart *part = &field->parts[c];
    for (int l = 0; l < part->sites && !part->is_mode; l++) {
      const int re = part->offset + l, im = re + part->sites, z = im + part->sites;
      const double square = 4 * (u[re] * u[re] + u[im] * u[im]) + u[z] * u[z];
      const double force = field->hold * (field->squares[z] - square);
      if (isnan(force)) continue;
      slopes[re] += force * u[re];
      slopes[im] += force * u[im];
      slopes[z] += force * u[z];
    }
  }
}

PetscErrorCode CospinMeanFieldSlopes(CospinMeanField field, const double u[], double slopes[])
{
  const Lane *sites = field->blocks->sites;

  PetscFunctionBeginUser;
  find_totals(field, u);
  for (int c = 0; c < field->num_parts; c++) {
    const int groups = num_groups(&field->parts[c]);
    if (field->parts[c].is_mode) mode_slopes(field, c, slopes);
    for (int g = 0; g < groups; g++) group_slopes(field, c, g, u, sites, slopes);
    sites += (size_t)groups * (size_t)field->blocks->num_blocks;
  }
  if (field->squares) hold_lengths(field, u, slopes);
  PetscFunctionReturn(0);
}
