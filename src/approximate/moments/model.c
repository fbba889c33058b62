/*
   A deck as words of letters: classes of equal spins-1/2, modes, and what acts on them.

   Every spin that can be told apart is a class of one. An elementary operator of spins is a 2x2 matrix, of
   which each element is a letter; what an operator is, is told by its name in the table of its component's
   kind.

   Charges: numbers that a_m^+ and |1><0| can be given so that no term of H changes their sum and every jump
   changes it by one amount. In a state without a phase of its own moments with a charge are zero.
*/
#include "moments.h"
#include <math.h>
#include <string.h>

static const double rounding = 1e-9;

/* What a name stands for: rows and columns down (0), up (1). */
typedef struct {
  const char *name;
  double matrix[2][2];
} Named;
static const Named named[] = {
    {"Sp", {{0, 0}, {1, 0}}}, {"Sm", {{0, 1}, {0, 0}}}, {"Sz", {{-.5, 0}, {0, .5}}},
    {"sp", {{0, 0}, {1, 0}}}, {"sm", {{0, 1}, {0, 0}}}, {"sz", {{-1, 0}, {0, 1}}},
};

typedef struct {
  int site; /* -1 - m: mode m */
  PetscBool raise;
  double matrix[2][2];
} Elementary;

/* ---- Components ------------------------------------------------------------------------------------------
 */

/* Names that stand for one elementary operator only: n = a^+ a is taken apart by the deck. */
static const CospinOperatorName *find_name(const CospinComponentKind *kind, const char name[])
{
  for (const CospinOperatorName *known = kind->operators; known->name; known++)
    if (strcmp(known->name, name) == 0 && known->num_terms == 1 && known->term[0].length == 1) return known;
  return NULL;
}

/* How many atoms a class of this component holds; 0: none of spins-1/2. */
static double copies_of(const CospinComponent component)
{
  const CospinComponentKind *kind = component->kind;

  if (kind->NumSpins) return 1.0;
  if (find_name(kind, "sm")) return kind->Size(component);
  return find_name(kind, "Sm") && kind->Length && kind->Length(component) == 0.5 ? 1.0 : 0.0;
}

/* A mode, a class, or as many classes as there are spins. */
static PetscErrorCode add_component(CospinProblem problem, int c, CospinMomentModel model,
                                    CospinFaults faults, PetscBool *ok)
{
  const CospinComponent component = &problem->system.components[c];
  const int sites = component->kind->NumSpins ? component->kind->NumSpins(component) : 1;
  const double copies = copies_of(component);
  const PetscBool mode =
      (PetscBool)(find_name(component->kind, "a") && model->num_modes < COSPIN_MOMENT_MODES);
  char path[128];

  PetscFunctionBeginUser;
  model->first[c] = mode ? -1 - model->num_modes : model->num_sites;
  if (mode) model->num_modes++;
  if (mode) PetscFunctionReturn(0);
  if (copies > 0) {
    PetscCall(PetscRealloc(sizeof(double) * (size_t)(model->num_sites + sites), &model->copies));
    for (int l = 0; l < sites; l++) model->copies[model->num_sites++] = copies;
    PetscFunctionReturn(0);
  }
  *ok = PETSC_FALSE;
  PetscCall(PetscSNPrintf(path, sizeof(path), "components.%s", component->name));
  PetscCall(
      CospinFaultsAdd(faults, problem->deck->components[c].position, path,
                      "this kind is beyond the task cumulant (it knows ensembles, spins, a spin of 1/2, and "
                      "up to %d modes)",
                      COSPIN_MOMENT_MODES));
  PetscFunctionReturn(0);
}

/* ---- Words -----------------------------------------------------------------------------------------------
 */

/* *found false: an operator that no class and no mode knows. */
static void read_elementary(CospinMomentModel model, CospinElementary from, Elementary *to, PetscBool *found)
{
  const CospinComponentKind *kind = model->system->components[from.component].kind;
  const CospinOperatorName *name = find_name(kind, "a");
  const int first = model->first[from.component];

  *to = (Elementary){.site = first};
  *found = PETSC_FALSE;
  if (first < 0) {
    to->raise = (PetscBool)(name->term[0].code[0] != from.code);
    *found = (PetscBool)(!to->raise || kind->adjoint[name->term[0].code[0]] == from.code);
    return;
  }
  if (kind->NumSpins) to->site = first + from.spin;
  for (size_t k = 0; k < sizeof(named) / sizeof(named[0]) && !*found; k++) {
    name = find_name(kind, named[k].name);
    if (!name || name->term[0].code[0] != from.code) continue;
    *found = PETSC_TRUE;
    for (int i = 0; i < 4; i++) to->matrix[i / 2][i % 2] = named[k].matrix[i / 2][i % 2] / name->term[0].re;
  }
}

/* Words are few and are made once. */
static PetscErrorCode append(CospinMomentWords *words, const CospinMomentWord *word)
{
  PetscFunctionBeginUser;
  PetscCall(PetscRealloc(sizeof(*word) * (size_t)(words->count + 1), &words->words));
  words->words[words->count++] = *word;
  PetscFunctionReturn(0);
}

/* Operator k of a monomial and all behind it: one word for each choice of matrix elements. */
static PetscErrorCode add_elements(CospinMomentModel model, const CospinMonomial *monomial, int k,
                                   CospinMomentWord *word, CospinMomentWords *words, PetscBool *ok)
{
  const double complex kept = word->coefficient;
  Elementary elementary;
  PetscBool found;

  PetscFunctionBeginUser;
  if (k == monomial->length) {
    PetscCall(append(words, word));
    PetscFunctionReturn(0);
  }
  read_elementary(model, monomial->operators[k], &elementary, &found);
  if (!found || word->length == COSPIN_MOMENT_LETTERS / 2) *ok = PETSC_FALSE;
  if (!*ok) PetscFunctionReturn(0);
  word->length++;
  if (elementary.site < 0) {
    word->factors[word->length - 1] = (CospinMomentFactor){elementary.site, elementary.raise ? 1 : 0, 0};
    PetscCall(add_elements(model, monomial, k + 1, word, words, ok));
  }
  for (int i = 0; i < 4 && elementary.site >= 0; i++) {
    const double element = elementary.matrix[i / 2][i % 2];
    if (element == 0) continue;
    word->factors[word->length - 1] =
        (CospinMomentFactor){elementary.site, (signed char)(i / 2), (signed char)(i % 2)};
    word->coefficient = kept * element;
    PetscCall(add_elements(model, monomial, k + 1, word, words, ok));
  }
  word->coefficient = kept;
  word->length--;
  PetscFunctionReturn(0);
}

/* Sums over spins with indices are written out first, so that every factor has one class. */
PetscErrorCode CospinMomentWordsOf(CospinMomentModel model, CospinPolynomial a, CospinMomentWords *words,
                                   PetscBool *ok)
{
  CospinPolynomial expanded;

  PetscFunctionBeginUser;
  *words = (CospinMomentWords){0};
  *ok = PETSC_TRUE;
  PetscCall(CospinSystemExpand(model->system, a, &expanded));
  for (int k = 0; k < expanded->count && *ok; k++) {
    CospinMomentWord word = {.coefficient = expanded->monomials[k].coefficient};
    PetscCall(add_elements(model, &expanded->monomials[k], 0, &word, words, ok));
  }
  PetscCall(CospinPolynomialDestroy(&expanded));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinMomentWordsFree(CospinMomentWords *words)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(words->words));
  *words = (CospinMomentWords){0};
  PetscFunctionReturn(0);
}

/* ---- Jumps -----------------------------------------------------------------------------------------------
 */

/* Told at the term that holds it. */
static PetscErrorCode beyond(CospinExpression expression, CospinFaults faults, PetscBool *ok)
{
  PetscFunctionBeginUser;
  *ok = PETSC_FALSE;
  PetscCall(
      CospinFaultsAdd(faults, CospinExpressionPosition(expression), CospinExpressionPath(expression),
                      "beyond the task cumulant (products of up to %d operators of spins-1/2 and modes)",
                      COSPIN_MOMENT_LETTERS / 2));
  PetscFunctionReturn(0);
}

/* Owns the words, whatever it does. */
static PetscErrorCode add_pair(CospinMomentModel model, double complex rate, CospinMomentWords a,
                               CospinMomentWords b)
{
  PetscFunctionBeginUser;
  PetscCall(PetscRealloc(sizeof(*model->pairs) * (size_t)(model->num_pairs + 1), &model->pairs));
  model->pairs[model->num_pairs++] = (CospinMomentPair){rate, a, b};
  PetscFunctionReturn(0);
}

/* Both sides of a pair, which for a plain jump are the same operator. */
static PetscErrorCode add_collective(CospinMomentModel model, double complex rate, CospinPolynomial a,
                                     CospinPolynomial b, PetscBool *ok)
{
  CospinMomentWords words[2];
  PetscBool known;

  PetscFunctionBeginUser;
  PetscCall(CospinMomentWordsOf(model, a, &words[0], ok));
  PetscCall(CospinMomentWordsOf(model, b, &words[1], &known));
  *ok = (PetscBool)(*ok && known);
  PetscCall(add_pair(model, rate, words[0], words[1]));
  PetscFunctionReturn(0);
}

/* The 2x2 matrix of a polynomial of operators of one spin; *ok false: of several. */
static PetscErrorCode add_each(CospinMomentModel model, double rate, CospinPolynomial a, PetscBool *ok)
{
  CospinMomentEach each = {.site = -1, .rate = rate};

  PetscFunctionBeginUser;
  *ok = PETSC_TRUE;
  for (int k = 0; k < a->count && *ok; k++) {
    double complex product[2][2] = {{1, 0}, {0, 1}};
    for (int l = 0; l < a->monomials[k].length && *ok; l++) {
      double complex next[2][2];
      Elementary e;
      read_elementary(model, a->monomials[k].operators[l], &e, ok);
      if (e.site < 0 || (each.site >= 0 && each.site != e.site)) *ok = PETSC_FALSE;
      each.site = e.site;
      for (int i = 0; i < 4; i++)
        next[i / 2][i % 2] = product[i / 2][0] * e.matrix[0][i % 2] + product[i / 2][1] * e.matrix[1][i % 2];
      memcpy(product, next, sizeof(next));
    }
    for (int i = 0; i < 4; i++)
      each.matrix[i / 2][i % 2] += a->monomials[k].coefficient * product[i / 2][i % 2];
  }
  if (!*ok || each.site < 0 || rate == 0) PetscFunctionReturn(0); /* a number does nothing */
  PetscCall(PetscRealloc(sizeof(each) * (size_t)(model->num_each + 1), &model->each));
  model->each[model->num_each++] = each;
  PetscFunctionReturn(0);
}

/* The four forms that a line of the deck can have: each spin of an ensemble, one operator, each spin by its
   index, and pairs with a matrix of rates R[l,m], whose terms are R[l,m] A_l rho A_m^+. */
static PetscErrorCode add_jump(CospinProblem problem, int k, CospinMomentModel model, CospinFaults faults,
                               PetscBool *ok)
{
  const CospinPlainJump *jump = &problem->jumps[k];
  const int n = jump->num_spins;
  PetscBool known = PETSC_TRUE, one;

  PetscFunctionBeginUser;
  if (jump->op && jump->component >= 0) PetscCall(add_each(model, jump->rate, jump->op, &known));
  if (jump->op && jump->component < 0 && jump->rate != 0)
    PetscCall(add_collective(model, jump->rate, jump->op, jump->op, &known));
  for (int l = 0; l < n && jump->rates; l++) {
    PetscCall(add_each(model, jump->rates[l], jump->operators[l], &one));
    known = (PetscBool)(known && one);
  }
  for (int l = 0; l < n * n && jump->pairs; l++) {
    if (jump->pairs[l] == 0) continue;
    PetscCall(add_collective(model, jump->pairs[l], jump->operators[l % n], jump->operators[l / n], &one));
    known = (PetscBool)(known && one);
  }
  if (!known) PetscCall(beyond(problem->deck->jumps[k].op, faults, ok));
  PetscFunctionReturn(0);
}

/* ---- Charges ---------------------------------------------------------------------------------------------
 */

typedef struct {
  int width, rank;
  double *rows; /* [rank][width], reduced; pivot of each */
  int *pivots;
} Rows;

/* How a word moves numbers of excitations: +1 for a^+ and |1><0|. */
static void add_shift(CospinMomentModel model, const CospinMomentWord *word, double sign, double row[])
{
  for (int f = 0; f < word->length; f++) {
    const CospinMomentFactor *factor = &word->factors[f];
    if (factor->site < 0)
      row[-1 - factor->site] += factor->up ? sign : -sign;
    else
      row[model->num_modes + factor->site] += sign * (factor->up - factor->down);
  }
}

/* Reduces a row by those that are there, and keeps what is left of it. */
static PetscErrorCode add_row(Rows *rows, double row[])
{
  int best = 0;

  PetscFunctionBeginUser;
  for (int r = 0; r < rows->rank; r++) {
    const double f = row[rows->pivots[r]];
    for (int k = 0; k < rows->width && f != 0; k++) row[k] -= f * rows->rows[r * rows->width + k];
  }
  for (int k = 0; k < rows->width; k++)
    if (fabs(row[k]) > fabs(row[best])) best = k;
  if (rows->width == 0 || fabs(row[best]) < rounding) PetscFunctionReturn(0);
  for (int k = rows->width - 1; k >= 0; k--) row[k] /= k == best ? 1.0 : row[best];
  row[best] = 1.0;
  for (int r = 0; r < rows->rank; r++) {
    const double f = rows->rows[r * rows->width + best];
    for (int k = 0; k < rows->width && f != 0; k++) rows->rows[r * rows->width + k] -= f * row[k];
  }
  for (int k = 0; k < rows->width; k++) rows->rows[rows->rank * rows->width + k] = row[k];
  rows->pivots[rows->rank++] = best;
  PetscFunctionReturn(0);
}

/* Terms of H have no charge; words of a jump all have the same. */
static PetscErrorCode add_rows(CospinMomentModel model, Rows *rows, double row[])
{
  const size_t bytes = sizeof(double) * (size_t)rows->width;

  PetscFunctionBeginUser;
  for (int w = 0; w < model->hamiltonian.count; w++) {
    memset(row, 0, bytes);
    add_shift(model, &model->hamiltonian.words[w], 1.0, row);
    PetscCall(add_row(rows, row));
  }
  for (int p = 0; p < model->num_pairs; p++)
    for (int side = 0; side < 2; side++) {
      const CospinMomentWords *words = side ? &model->pairs[p].b : &model->pairs[p].a;
      for (int w = 0; w < words->count && model->pairs[p].a.count; w++) {
        memset(row, 0, bytes);
        add_shift(model, &words->words[w], 1.0, row);
        add_shift(model, &model->pairs[p].a.words[0], -1.0, row);
        PetscCall(add_row(rows, row));
      }
    }
  for (int k = 0; k < model->num_each; k++) {
    const CospinMomentEach *each = &model->each[k];
    const PetscBool up = (PetscBool)(each->matrix[1][0] != 0), down = (PetscBool)(each->matrix[0][1] != 0),
                    stays = (PetscBool)(each->matrix[0][0] != each->matrix[1][1]);
    if (up + down + stays < 2) continue;
    memset(row, 0, bytes);
    row[model->num_modes + each->site] = 1.0;
    PetscCall(add_row(rows, row));
  }
  PetscFunctionReturn(0);
}

/* The null space of the rows: one charge for each column without a pivot. */
static PetscErrorCode find_charges(CospinMomentModel model)
{
  Rows rows = {.width = model->num_modes + model->num_sites};
  const size_t width = (size_t)rows.width;
  double *row;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc3(width * width, &rows.rows, width, &rows.pivots, width, &row));
  PetscCall(add_rows(model, &rows, row));
  PetscCall(PetscCalloc1(width * width, &model->charges));
  for (int k = 0; k < rows.width; k++) {
    PetscBool pivot = PETSC_FALSE;
    double *charge = model->charges + (size_t)model->num_charges * width;
    for (int r = 0; r < rows.rank; r++) pivot = (PetscBool)(pivot || rows.pivots[r] == k);
    if (pivot) continue;
    charge[k] = 1.0;
    for (int r = 0; r < rows.rank; r++) charge[rows.pivots[r]] = -rows.rows[r * rows.width + k];
    model->num_charges++;
  }
  PetscCall(PetscFree3(rows.rows, rows.pivots, row));
  PetscFunctionReturn(0);
}

/* ---- A deck ----------------------------------------------------------------------------------------------
 */

/* Without faults it is complete; with one it can only be destroyed. */
PetscErrorCode CospinMomentModelCreate(CospinProblem problem, CospinFaults faults, CospinMomentModel *model,
                                       PetscBool *ok)
{
  PetscBool known;

  PetscFunctionBeginUser;
  *ok = PETSC_TRUE;
  PetscCall(PetscNew(model));
  (*model)->system = &problem->system;
  PetscCall(PetscCalloc1(problem->system.num_components, &(*model)->first));
  for (int c = 0; c < problem->system.num_components; c++)
    PetscCall(add_component(problem, c, *model, faults, ok));
  if (!*ok) PetscFunctionReturn(0);
  PetscCall(CospinMomentWordsOf(*model, problem->hamiltonian, &(*model)->hamiltonian, &known));
  if (!known) PetscCall(beyond(problem->deck->hamiltonian[0], faults, ok));
  for (int k = 0; k < problem->deck->num_jumps; k++) PetscCall(add_jump(problem, k, *model, faults, ok));
  if (*ok) PetscCall(find_charges(*model));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinMomentModelDestroy(CospinMomentModel *model)
{
  PetscFunctionBeginUser;
  if (!*model) PetscFunctionReturn(0);
  for (int p = 0; p < (*model)->num_pairs; p++) {
    PetscCall(CospinMomentWordsFree(&(*model)->pairs[p].a));
    PetscCall(CospinMomentWordsFree(&(*model)->pairs[p].b));
  }
  PetscCall(CospinMomentWordsFree(&(*model)->hamiltonian));
  PetscCall(PetscFree((*model)->pairs));
  PetscCall(PetscFree((*model)->each));
  PetscCall(PetscFree((*model)->charges));
  PetscCall(PetscFree((*model)->copies));
  PetscCall(PetscFree((*model)->first));
  PetscCall(PetscFree(*model));
  PetscFunctionReturn(0);
}
