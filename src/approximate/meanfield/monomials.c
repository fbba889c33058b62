/*
   Operators of one spin-1/2 as 2x2 matrices, and expectation values of monomials in a product state by joint
   cumulants.

   With 1, s-, s+, sz as basis, products of operators of one spin are products of 2x2 matrices; rows and
   columns are in the order up, down. A joint cumulant is the sum over partitions of its operators into
   blocks, (-1)^(b-1) (b-1)! times the product of the blocks' moments for b blocks.

   Convention of this file: sz has eigenvalues +-1, s- = |down><up|, so that [s+, s-] = sz and s+ s- = (1 +
   sz)/2. An operator of one spin is c_0 + c_1 s- + c_2 s+ + c_3 sz, in this order everywhere.
*/
#include "meanfield.h"
#include <string.h>

/* ---- One spin ------------------------------------------------------------------------------------------ */

/* Rows and columns: up, down. */
typedef struct {
  double complex at[2][2];
} Matrix;

/* From coefficients of 1, s-, s+, sz to a matrix, and back (pauli_of). s- has its one in the lower left
   corner: from up (column 0) to down (row 1). */
static Matrix matrix_of(const CospinMeanPauli *x)
{
  return (Matrix){{{x->of[0] + x->of[3], x->of[2]}, {x->of[1], x->of[0] - x->of[3]}}};
}

static CospinMeanPauli pauli_of(Matrix m)
{
  return (CospinMeanPauli){
      {(m.at[0][0] + m.at[1][1]) / 2, m.at[1][0], m.at[0][1], (m.at[0][0] - m.at[1][1]) / 2}};
}

static Matrix product(Matrix a, Matrix b)
{
  Matrix c;

  for (int i = 0; i < 2; i++)
    for (int j = 0; j < 2; j++) c.at[i][j] = a.at[i][0] * b.at[0][j] + a.at[i][1] * b.at[1][j];
  return c;
}

static Matrix adjoint(Matrix a)
{
  return (Matrix){{{conj(a.at[0][0]), conj(a.at[1][0])}, {conj(a.at[0][1]), conj(a.at[1][1])}}};
}

static void add(Matrix *sum, double factor, Matrix a)
{
  for (int i = 0; i < 2; i++)
    for (int j = 0; j < 2; j++) sum->at[i][j] += factor * a.at[i][j];
}

CospinMeanOperator CospinMeanAdjoint(CospinMeanOperator op)
{
  static const CospinMeanOperator adjoints[] = {
      [COSPIN_MEAN_MINUS] = COSPIN_MEAN_PLUS,  [COSPIN_MEAN_PLUS] = COSPIN_MEAN_MINUS,
      [COSPIN_MEAN_Z] = COSPIN_MEAN_Z,         [COSPIN_MEAN_LOWER] = COSPIN_MEAN_RAISE,
      [COSPIN_MEAN_RAISE] = COSPIN_MEAN_LOWER,
  };

  return adjoints[op];
}

/* In the order as written, the last factor acting first. */
CospinMeanPauli CospinMeanProduct(int count, const CospinMeanOperator operators[])
{
  Matrix m = {{{1.0, 0.0}, {0.0, 1.0}}};

  for (int k = 0; k < count; k++) {
    CospinMeanPauli one = {{0.0}};
    one.of[1 + operators[k]] = 1.0;
    m = product(m, matrix_of(&one));
  }
  return pauli_of(m);
}

/* <s-> = s, <s+> = s^*, <sz> = z: the three numbers of a spin. */
double complex CospinMeanValue(const CospinMeanPauli *x, double complex s, double z)
{
  return x->of[0] + x->of[1] * s + x->of[2] * conj(s) + x->of[3] * z;
}

CospinMeanPauli CospinMeanCommutator(const CospinMeanPauli *h, const CospinMeanPauli *x)
{
  Matrix sum = product(matrix_of(h), matrix_of(x));

  add(&sum, -1.0, product(matrix_of(x), matrix_of(h)));
  return pauli_of(sum);
}

/* b^+ x a - (b^+ a x + x b^+ a)/2: the adjoint (Heisenberg) dissipator of a pair of jump operators, which
   gives d<x>/dt. */
CospinMeanPauli CospinMeanDissipator(const CospinMeanPauli *a, const CospinMeanPauli *b,
                                     const CospinMeanPauli *x)
{
  const Matrix ma = matrix_of(a), mb = adjoint(matrix_of(b)), mx = matrix_of(x), both = product(mb, ma);
  Matrix sum = product(product(mb, mx), ma);

  add(&sum, -0.5, product(both, mx));
  add(&sum, -0.5, product(mx, both));
  return pauli_of(sum);
}

/* ---- Partitions ---------------------------------------------------------------------------------------- */

/* Partitions as restricted growth strings: block[k] is the block of element k, at most one more than the
   largest before it. Counts up from the last element. */
PetscBool CospinMeanNextPartition(int n, int block[])
{
  for (int k = n - 1; k > 0; k--) {
    int most = 0;
    for (int l = 0; l < k; l++) most = PetscMax(most, block[l]);
    if (block[k] > most) continue;
    block[k]++;
    for (int l = k + 1; l < n; l++) block[l] = 0;
    return PETSC_TRUE;
  }
  return PETSC_FALSE;
}

/* (-1)^(k-1) (k-1)!, the Moebius function of the lattice of partitions. */
double CospinMeanCumulantSign(int k)
{
  double sign = 1.0;

  for (int i = 1; i < k; i++) sign *= -i;
  return sign;
}

/* ---- Letters ------------------------------------------------------------------------------------------- */

typedef struct {
  const char *name;
  double re; /* coefficient of the elementary operator in the table of its kind */
  CospinMeanOperator op;
  double factor;
} Name;

static const Name names[] = {
    {"sp", 1.0, COSPIN_MEAN_PLUS, 1.0}, {"sm", 1.0, COSPIN_MEAN_MINUS, 1.0}, {"sz", 1.0, COSPIN_MEAN_Z, 1.0},
    {"Sp", 1.0, COSPIN_MEAN_PLUS, 1.0}, {"Sm", 1.0, COSPIN_MEAN_MINUS, 1.0}, {"Sz", 1.0, COSPIN_MEAN_Z, 0.5},
    {"a", 1.0, COSPIN_MEAN_LOWER, 1.0},
};

/* What an elementary operator of a kind is: the name that is this elementary operator alone. An adjoint is
 * looked for where it has none.
 */
static const Name *name_of(const CospinComponentKind *kind, int code, PetscBool *raises)
{
  for (int turn = 0; turn < 2; turn++) {
    const int wanted = turn ? kind->adjoint[code] : code;
    for (const CospinOperatorName *known = kind->operators; known->name; known++) {
      if (known->num_terms != 1 || known->term[0].length != 1 || known->term[0].code[0] != wanted) continue;
      for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++) {
        if (strcmp(names[k].name, known->name) != 0 || names[k].re != known->term[0].re) continue;
        *raises = (PetscBool)turn;
        return &names[k];
      }
    }
  }
  return NULL;
}

PetscBool CospinMeanOperators(CospinProblem problem, const CospinMonomial *monomial,
                              CospinMeanElementary operators[], double *factor)
{
  *factor = 1.0;
  if (monomial->length > COSPIN_MEAN_MOST_OPERATORS) return PETSC_FALSE;
  for (int k = 0; k < monomial->length; k++) {
    const CospinElementary elementary = monomial->operators[k];
    PetscBool raises;
    const Name *name =
        name_of(problem->system.components[elementary.component].kind, elementary.code, &raises);
    if (!name) return PETSC_FALSE;
    *factor *= name->factor;
    operators[k] = (CospinMeanElementary){elementary.component,
                                          elementary.spin >= 0                  ? elementary.spin
                                          : elementary.spin == COSPIN_EACH_SPIN ? COSPIN_MEAN_EACH
                                                                                : COSPIN_MEAN_ALL,
                                          raises ? CospinMeanAdjoint(name->op) : name->op};
  }
  return PETSC_TRUE;
}

/* ---- Expectation values -------------------------------------------------------------------------------- */

/* Of operators of one site: the sum over their partitions, walked through in order. */
static double complex site_cumulant(const CospinMeanPart *part, const double u[], int site, int n,
                                    const CospinMeanOperator operators[])
{
  const double complex s = CMPLX(u[part->offset + site], u[part->offset + part->sites + site]);
  const double z = u[part->offset + 2 * part->sites + site];
  int block[COSPIN_MEAN_MOST_OPERATORS] = {0};
  double complex sum = 0.0;

  do {
    CospinMeanOperator some[COSPIN_MEAN_MOST_OPERATORS];
    double complex term = 1.0;
    int num = 0;
    for (int k = 0; k < n; k++) num = PetscMax(num, block[k] + 1);
    for (int b = 0; b < num; b++) {
      CospinMeanPauli x;
      int count = 0;
      for (int k = 0; k < n; k++)
        if (block[k] == b) some[count++] = operators[k];
      x = CospinMeanProduct(count, some);
      term *= CospinMeanValue(&x, s, z);
    }
    sum += CospinMeanCumulantSign(num) * term;
  } while (CospinMeanNextPartition(n, block));
  return sum;
}

/* A mode in a coherent state: alpha, and 1 from the commutator where a stands before a^+. */
static double complex mode_cumulant(const CospinMeanPart *part, const double u[], int n,
                                    const CospinMeanOperator operators[])
{
  const double complex alpha = CMPLX(u[part->offset], u[part->offset + 1]);

  if (n == 1) return operators[0] == COSPIN_MEAN_LOWER ? alpha : conj(alpha);
  return n == 2 && operators[0] == COSPIN_MEAN_LOWER && operators[1] == COSPIN_MEAN_RAISE ? 1.0 : 0.0;
}

/* The joint cumulant of elementary operators, sums over sites or not; 0 if they never meet. */
static double complex block_cumulant(const struct CospinMeanField_ *field, const double u[], int n,
                                     const CospinMeanElementary operators[])
{
  const CospinMeanPart *part = &field->parts[operators[0].part];
  CospinMeanOperator codes[COSPIN_MEAN_MOST_OPERATORS];
  double complex sum = 0.0;
  int site = COSPIN_MEAN_ALL;

  for (int k = 0; k < n; k++) {
    if (operators[k].part != operators[0].part) return 0.0;
    codes[k] = operators[k].op;
    if (operators[k].site == COSPIN_MEAN_ALL) continue;
    if (site != COSPIN_MEAN_ALL && site != operators[k].site) return 0.0;
    site = operators[k].site;
  }
  if (part->is_mode) return mode_cumulant(part, u, n, codes);
  if (site != COSPIN_MEAN_ALL) return site_cumulant(part, u, site, n, codes);
  for (int l = 0; l < part->sites; l++) sum += site_cumulant(part, u, l, n, codes);
  return part->copies * sum;
}

/* Sum over partitions, each block a cumulant of one part summed over its sites. */
static double complex monomial_expectation(const struct CospinMeanField_ *field, const double u[], int n,
                                           const CospinMeanElementary operators[])
{
  int block[COSPIN_MEAN_MOST_OPERATORS] = {0};
  double complex sum = 0.0;

  do {
    double complex term = 1.0;
    for (int b = 0; b < n && term != 0.0; b++) {
      CospinMeanElementary some[COSPIN_MEAN_MOST_OPERATORS];
      int count = 0;
      for (int k = 0; k < n; k++)
        if (block[k] == b) some[count++] = operators[k];
      if (count) term *= block_cumulant(field, u, count, some);
    }
    sum += term;
  } while (CospinMeanNextPartition(n, block));
  return sum;
}

double complex CospinMeanExpectation(const struct CospinMeanField_ *field, CospinProblem problem,
                                     const double u[], CospinPolynomial a)
{
  double complex sum = 0.0;

  for (int k = 0; k < a->count; k++) {
    CospinMeanElementary operators[COSPIN_MEAN_MOST_OPERATORS];
    double factor;
    if (!CospinMeanOperators(problem, &a->monomials[k], operators, &factor)) return NAN;
    sum += a->monomials[k].coefficient * factor *
           monomial_expectation(field, u, a->monomials[k].length, operators);
  }
  return sum;
}
