/*
   Heisenberg's equations of moments, letter by letter.

   A word is a row of letters, each of one atom (with a label) or one mode. A sum over the atoms of a class in
   front of, behind or among others means: every atom that is labelled already, and one new atom, (N - labels)
   times. Taken letter by letter, from left to right, all terms where atoms coincide come out by themselves,
   and N - labels = 0 ends the hierarchy by itself. Terms in which a new atom commutes cancel.
*/
#include "moments.h"
#include <string.h>

typedef struct {
  CospinMomentModel model;
  const CospinMomentFactor *factors; /* [num_before] in front, then the letters of O, then behind */
  int num_before, num_factors;
  const CospinMomentLetter *middle;
  int num_middle;
  CospinMomentLetter word[COSPIN_MOMENT_LETTERS];
  int length;
  int num_labels, labelled[COSPIN_MOMENT_LETTERS], labels[COSPIN_MOMENT_LETTERS]; /* per class that occurs */
  CospinMomentSum *sum;
} Expansion;

/* ---- Sums over atoms -------------------------------------------------------------------------------------
 */

/* How many atoms of a class have a label; *entry: where that stands. */
static int labels_of(Expansion *e, int site, int *entry)
{
  int k = 0;

  while (k < e->num_labels && e->labelled[k] != site) k++;
  if (k == e->num_labels) {
    e->labelled[e->num_labels] = site;
    e->labels[e->num_labels++] = 0;
  }
  *entry = k;
  return e->labels[k];
}

static void push(Expansion *e, int site, int label, int up, int down)
{
  e->word[e->length++] = (CospinMomentLetter){site, (signed char)label, (signed char)up, (signed char)down};
}

/* Factor f and all behind it. O stands before factor num_before. */
static PetscErrorCode expand(Expansion *e, int f, double complex value)
{
  const int length = e->length, num_labels = e->num_labels;
  CospinMomentFactor factor;
  int entry, labels;

  PetscFunctionBeginUser;
  if (f == e->num_before)
    for (int k = 0; k < e->num_middle; k++) e->word[e->length++] = e->middle[k];
  if (f == e->num_factors) {
    PetscCall(CospinMomentAddWord(e->model, e->word, e->length, value, e->sum));
    e->length = length;
    PetscFunctionReturn(0);
  }
  factor = e->factors[f];
  if (factor.site < 0) {
    push(e, factor.site, 0, factor.up, factor.down);
    PetscCall(expand(e, f + 1, value));
    e->length = length;
    PetscFunctionReturn(0);
  }
  labels = labels_of(e, factor.site, &entry);
  for (int l = 0; l <= labels; l++) {
    const double weight = l < labels ? 1.0 : e->model->copies[factor.site] - labels;
    const int before = e->length;
    if (weight == 0) continue;
    push(e, factor.site, l, factor.up, factor.down);
    if (l == labels) e->labels[entry]++;
    PetscCall(expand(e, f + 1, value * weight));
    if (l == labels) e->labels[entry]--;
    e->length = before;
  }
  e->length = length;
  e->num_labels = num_labels;
  PetscFunctionReturn(0);
}

/* value * before O behind, with O the letters of the expansion. */
static PetscErrorCode expand_around(Expansion *e, int num_before, const CospinMomentFactor before[],
                                    int num_behind, const CospinMomentFactor behind[], double complex value)
{
  CospinMomentFactor factors[COSPIN_MOMENT_LETTERS];

  PetscFunctionBeginUser;
  PetscCheck(num_before + num_behind + e->num_middle <= COSPIN_MOMENT_LETTERS, PETSC_COMM_SELF,
             PETSC_ERR_PLIB, "A word is too long");
  for (int k = 0; k < num_before; k++) factors[k] = before[k];
  for (int k = 0; k < num_behind; k++) factors[num_before + k] = behind[k];
  e->factors = factors;
  e->num_before = num_before;
  e->num_factors = num_before + num_behind;
  e->length = 0;
  PetscCall(expand(e, 0, value));
  PetscFunctionReturn(0);
}

/* A key as letters: atoms of a class get the labels 0, 1, ... */
static void set_middle(Expansion *e, const CospinMomentKey *key, CospinMomentLetter letters[])
{
  int n = 0, entry;

  e->num_labels = 0;
  for (int k = 0; k < key->num_atoms; k++) {
    const CospinMomentAtom *atom = &key->atoms[k];
    const int label = labels_of(e, atom->site, &entry);
    e->labels[entry]++;
    letters[n++] =
        (CospinMomentLetter){atom->site, (signed char)label, (signed char)atom->up, (signed char)atom->down};
  }
  for (int m = 0; m < COSPIN_MOMENT_MODES; m++) {
    for (int k = 0; k < key->raise[m]; k++) letters[n++] = (CospinMomentLetter){-1 - m, 0, 1, 0};
    for (int k = 0; k < key->lower[m]; k++) letters[n++] = (CospinMomentLetter){-1 - m, 0, 0, 0};
  }
  e->middle = letters;
  e->num_middle = n;
}

/* Words alone, with nothing in their middle: observables. */
PetscErrorCode CospinMomentExpand(CospinMomentModel model, const CospinMomentWords *words,
                                  CospinMomentSum *sum)
{
  Expansion e = {.model = model, .sum = sum};

  PetscFunctionBeginUser;
  for (int w = 0; w < words->count; w++) {
    e.num_labels = 0;
    PetscCall(expand_around(&e, words->words[w].length, words->words[w].factors, 0, NULL,
                            words->words[w].coefficient));
  }
  PetscFunctionReturn(0);
}

/* The key's atoms have labels, so sums meet each of them and one more. */
PetscErrorCode CospinMomentTimes(CospinMomentModel model, const CospinMomentKey *key,
                                 const CospinMomentWords *words, CospinMomentSum *sum)
{
  CospinMomentLetter letters[COSPIN_MOMENT_LETTERS];
  Expansion e = {.model = model, .sum = sum};

  PetscFunctionBeginUser;
  set_middle(&e, key, letters);
  for (int w = 0; w < words->count; w++)
    PetscCall(expand_around(&e, 0, NULL, words->words[w].length, words->words[w].factors,
                            words->words[w].coefficient));
  PetscFunctionReturn(0);
}

/* ---- Equations -------------------------------------------------------------------------------------------
 */

/* A word that shares no class and no mode with the key commutes with it. */
static PetscBool touches(const CospinMomentKey *key, const CospinMomentWord *word)
{
  for (int f = 0; f < word->length; f++) {
    const int site = word->factors[f].site;
    if (site < 0 && (key->raise[-1 - site] || key->lower[-1 - site])) return PETSC_TRUE;
    for (int k = 0; k < key->num_atoms && site >= 0; k++)
      if (key->atoms[k].site == site) return PETSC_TRUE;
  }
  return PETSC_FALSE;
}

/* (|a><b|)^+ = |b><a|, of sums over atoms, too. */
static CospinMomentFactor adjoint_factor(CospinMomentFactor f)
{
  return f.site < 0 ? (CospinMomentFactor){f.site, !f.up, 0} : (CospinMomentFactor){f.site, f.down, f.up};
}

/* b^+ as factors, then (with) a behind them */
static int join(const CospinMomentWord *b, const CospinMomentWord *a, CospinMomentFactor factors[])
{
  int n = 0;

  for (int k = b->length - 1; k >= 0; k--) factors[n++] = adjoint_factor(b->factors[k]);
  for (int k = 0; a && k < a->length; k++) factors[n++] = a->factors[k];
  return n;
}

/* Adds what is left of some words, factor times, and clears them: coefficients are whole numbers in them, so
   that what cancels cancels exactly. Beside N = 1e15 atoms or quanta it otherwise would not, and a rate of 1
   would be lost in what is left of N. */
static PetscErrorCode add_rest(CospinMomentSum *words, double complex factor, CospinMomentSum *sum)
{
  PetscFunctionBeginUser;
  for (int k = 0; k < words->count; k++)
    if (words->values[k] != 0)
      PetscCall(CospinMomentSumAdd(sum, &words->keys[k], factor * words->values[k], NULL));
  CospinMomentSumClear(words);
  PetscFunctionReturn(0);
}

/* rate (b^+ O a - (b^+ a O + O b^+ a)/2) for each pair of words of the two operators. */
static PetscErrorCode add_pair(Expansion *e, const CospinMomentKey *key, const CospinMomentPair *pair,
                               CospinMomentSum *sum)
{
  CospinMomentFactor factors[COSPIN_MOMENT_LETTERS];

  PetscFunctionBeginUser;
  for (int i = 0; i < pair->b.count; i++)
    for (int j = 0; j < pair->a.count; j++) {
      const CospinMomentWord *b = &pair->b.words[i], *a = &pair->a.words[j];
      const double complex value = pair->rate * conj(b->coefficient) * a->coefficient;
      if (!touches(key, a) && !touches(key, b)) continue;
      const int n = join(b, a, factors), before = b->length;
      PetscCall(expand_around(e, before, factors, n - before, factors + before, 1.0));
      PetscCall(expand_around(e, n, factors, 0, NULL, -0.5));
      PetscCall(expand_around(e, 0, NULL, n, factors, -0.5));
      PetscCall(add_rest(e->sum, value, sum));
    }
  PetscFunctionReturn(0);
}

/* before and behind act on the atom of letter k only. */
static PetscErrorCode add_local(Expansion *e, int k, int before, const CospinMomentLetter left[], int behind,
                                const CospinMomentLetter right[], double complex value)
{
  CospinMomentLetter word[COSPIN_MOMENT_LETTERS];
  int n = 0;

  PetscFunctionBeginUser;
  for (int i = 0; i < before; i++)
    word[n++] = (CospinMomentLetter){e->middle[k].site, e->middle[k].label, left[i].up, left[i].down};
  for (int i = 0; i < e->num_middle; i++) word[n++] = e->middle[i];
  for (int i = 0; i < behind; i++)
    word[n++] = (CospinMomentLetter){e->middle[k].site, e->middle[k].label, right[i].up, right[i].down};
  PetscCall(CospinMomentAddWord(e->model, word, n, value, e->sum));
  PetscFunctionReturn(0);
}

/* rate sum_l (A_l^+ O A_l - (A_l^+ A_l O + O A_l^+ A_l)/2): atoms without a letter commute with both. */
static PetscErrorCode add_each(Expansion *e, const CospinMomentEach *each)
{
  PetscFunctionBeginUser;
  for (int k = 0; k < e->num_middle; k++) {
    if (e->middle[k].site != each->site) continue;
    for (int s = 0; s < 16; s++) { /* conj(A[a][b]) A[c][d]: A^+ holds |b><a|, A |c><d| */
      const int a = s & 1, b = s >> 1 & 1, c = s >> 2 & 1, d = s >> 3 & 1;
      const double complex value = each->rate * conj(each->matrix[a][b]) * each->matrix[c][d];
      const CospinMomentLetter left = {0, 0, (signed char)b, (signed char)a},
                               right = {0, 0, (signed char)c, (signed char)d};
      const CospinMomentLetter both = {0, 0, (signed char)b, (signed char)d};
      if (value == 0) continue;
      PetscCall(add_local(e, k, 1, &left, 1, &right, value));
      if (a != c) continue;
      PetscCall(add_local(e, k, 1, &both, 0, NULL, -0.5 * value));
      PetscCall(add_local(e, k, 0, NULL, 1, &both, -0.5 * value));
    }
  }
  PetscFunctionReturn(0);
}

/* i [H, O] and the adjoint dissipators. Terms that share nothing with O are left out at once, which keeps 200
   classes and a mode (400 terms) linear in what each moment meets. */
PetscErrorCode CospinMomentHeisenberg(CospinMomentModel model, const CospinMomentKey *key,
                                      CospinMomentSum *sum)
{
  CospinMomentLetter letters[COSPIN_MOMENT_LETTERS];
  CospinMomentSum words;
  Expansion e = {.model = model, .sum = &words};

  PetscFunctionBeginUser;
  CospinMomentSumInit(&words);
  CospinMomentSumClear(sum);
  set_middle(&e, key, letters);
  for (int w = 0; w < model->hamiltonian.count; w++) {
    const CospinMomentWord *h = &model->hamiltonian.words[w];
    if (!touches(key, h)) continue;
    PetscCall(expand_around(&e, h->length, h->factors, 0, NULL, 1.0));
    PetscCall(expand_around(&e, 0, NULL, h->length, h->factors, -1.0));
    PetscCall(add_rest(&words, I * h->coefficient, sum));
  }
  for (int k = 0; k < model->num_pairs; k++) PetscCall(add_pair(&e, key, &model->pairs[k], sum));
  e.sum = sum;
  for (int k = 0; k < model->num_each; k++) PetscCall(add_each(&e, &model->each[k]));
  PetscCall(CospinMomentSumFree(&words));
  PetscFunctionReturn(0);
}

/* ---- Symmetry and noise ----------------------------------------------------------------------------------
 */

/* What turning all phases by charge q multiplies the moment by, exp(i charge phi). */
double CospinMomentCharge(CospinMomentModel model, int q, const CospinMomentKey *key)
{
  const double *charge = model->charges + (size_t)q * (size_t)(model->num_modes + model->num_sites);
  double sum = 0.0;

  for (int m = 0; m < model->num_modes; m++) sum += charge[m] * (key->raise[m] - key->lower[m]);
  for (int k = 0; k < key->num_atoms; k++)
    sum += charge[model->num_modes + key->atoms[k].site] * (key->atoms[k].up - key->atoms[k].down);
  return sum;
}

/* Charges are small whole numbers or their fractions. */
PetscBool CospinMomentIsCharged(CospinMomentModel model, const CospinMomentKey *key)
{
  for (int q = 0; q < model->num_charges; q++)
    if (fabs(CospinMomentCharge(model, q, key)) > 1e-6) return PETSC_TRUE;
  return PETSC_FALSE;
}

/* <[L^+, x][y, L]> = <L^+ x y L - L^+ x L y - x L^+ y L + x L^+ L y> into the expansion's sum */
static PetscErrorCode add_commutators(Expansion *e, const CospinMomentWord *b, const CospinMomentWord *a,
                                      CospinMomentFactor x, CospinMomentFactor y)
{
  CospinMomentFactor left[COSPIN_MOMENT_LETTERS], word[COSPIN_MOMENT_LETTERS];
  const int n = join(b, NULL, left);

  PetscFunctionBeginUser;
  for (int form = 0; form < 4; form++) {
    const PetscBool x_first = (PetscBool)(form / 2), y_last = (PetscBool)(form % 2);
    int length = 0;
    if (x_first) word[length++] = x;
    for (int k = 0; k < n; k++) word[length++] = left[k];
    if (!x_first) word[length++] = x;
    if (!y_last) word[length++] = y;
    for (int k = 0; k < a->length; k++) word[length++] = a->factors[k];
    if (y_last) word[length++] = y;
    e->num_labels = 0;
    PetscCall(expand_around(e, length, word, 0, NULL, x_first == y_last ? 1.0 : -1.0));
  }
  PetscFunctionReturn(0);
}

/* Jumps of each atom: x and y are sums over its class, of which only the jumping atom does not commute, so
   all four letters belong to one atom, N times. */
static PetscErrorCode add_noise_of_each(Expansion *e, const CospinMomentEach *each, CospinMomentFactor x,
                                        CospinMomentFactor y, double complex factor, CospinMomentSum *sum)
{
  PetscFunctionBeginUser;
  if (x.site != each->site || y.site != each->site) PetscFunctionReturn(0);
  for (int s = 0; s < 16; s++) {
    const int a = s & 1, b = s >> 1 & 1, c = s >> 2 & 1, d = s >> 3 & 1;
    const double complex value =
        factor * each->rate * e->model->copies[each->site] * conj(each->matrix[a][b]) * each->matrix[c][d];
    const CospinMomentLetter l = {x.site, 0, (signed char)b, (signed char)a},
                             r = {x.site, 0, (signed char)c, (signed char)d}, u = {x.site, 0, x.up, x.down},
                             v = {x.site, 0, y.up, y.down};
    const CospinMomentLetter words[4][4] = {{l, u, v, r}, {l, u, r, v}, {u, l, v, r}, {u, l, r, v}};
    for (int form = 0; form < 4 && value != 0; form++)
      PetscCall(CospinMomentAddWord(e->model, words[form], 4, form == 0 || form == 3 ? 1.0 : -1.0, e->sum));
    PetscCall(add_rest(e->sum, value, sum));
  }
  PetscFunctionReturn(0);
}

/* Whether one factor does not commute with a word. */
static PetscBool meets(CospinMomentFactor factor, const CospinMomentWord *word)
{
  for (int f = 0; f < word->length; f++)
    if (word->factors[f].site == factor.site) return PETSC_TRUE;
  return PETSC_FALSE;
}

/* One word of each side of a jump, with all factors that do not commute with it. */
static PetscErrorCode add_noise_of_pair(Expansion *e, const CospinMomentPair *pair, int i, int j, int num,
                                        const CospinMomentFactor factors[], const double complex weights[],
                                        CospinMomentSum *sum)
{
  const CospinMomentWord *b = &pair->b.words[i], *a = &pair->a.words[j];
  const double complex value = pair->rate * conj(b->coefficient) * a->coefficient;

  PetscFunctionBeginUser;
  for (int x = 0; x < num; x++) {
    if (!meets(factors[x], b)) continue;
    for (int y = 0; y < num; y++) {
      if (!meets(factors[y], a)) continue;
      PetscCall(add_commutators(e, b, a, factors[x], factors[y]));
      PetscCall(add_rest(e->sum, value * weights[x] * weights[y], sum));
    }
  }
  PetscFunctionReturn(0);
}

PetscErrorCode CospinMomentNoise(CospinMomentModel model, int num, const CospinMomentFactor factors[],
                                 const double complex weights[], CospinMomentSum *sum)
{
  CospinMomentSum words;
  Expansion e = {.model = model, .sum = &words};

  PetscFunctionBeginUser;
  CospinMomentSumInit(&words);
  for (int p = 0; p < model->num_pairs; p++)
    for (int i = 0; i < model->pairs[p].b.count; i++)
      for (int j = 0; j < model->pairs[p].a.count; j++)
        PetscCall(add_noise_of_pair(&e, &model->pairs[p], i, j, num, factors, weights, sum));
  for (int k = 0; k < model->num_each; k++)
    for (int x = 0; x < num; x++)
      for (int y = 0; y < num && factors[x].site == model->each[k].site; y++)
        PetscCall(
            add_noise_of_each(&e, &model->each[k], factors[x], factors[y], weights[x] * weights[y], sum));
  PetscCall(CospinMomentSumFree(&words));
  PetscFunctionReturn(0);
}
