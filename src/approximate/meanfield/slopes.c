/*
   The right-hand side of mean-field equations, as blocks.c has taken it apart: cumulants of every site, their
   sums over all sites, and what each site sees of the others, which is the sum without its own term. So the
   cost grows with the number of sites and not with that of pairs.

   Sites are worked on in groups of COSPIN_MEAN_WIDE, real and imaginary parts in arrays of their own, so that
   inner loops run over neighbours in memory and the compiler vectorises them.
*/
#include "blocks.h"

/* ---- Lanes --------------------------------------------------------------------------------------------- */

/* s and z of at most WIDE sites. */
typedef struct {
  double re[COSPIN_MEAN_WIDE], im[COSPIN_MEAN_WIDE], z[COSPIN_MEAN_WIDE];
} Spins;

/* Real parts of all sites, then imaginary parts, then z. */
static int load(const CospinMeanPart *part, const double u[], int group, Spins *spins)
{
  const double *re = u + part->offset + group * COSPIN_MEAN_WIDE, *im = re + part->sites,
               *z = im + part->sites;
  const int count = PetscMin(COSPIN_MEAN_WIDE, part->sites - group * COSPIN_MEAN_WIDE);

  for (int k = 0; k < count; k++) {
    spins->re[k] = re[k];
    spins->im[k] = im[k];
    spins->z[k] = z[k];
  }
  return count;
}

/* value = <x> */
static void evaluate_pauli(const CospinMeanPauli *x, const Spins *spins, int width, CospinMeanLane *value)
{
  const double a = creal(x->of[0]), b = cimag(x->of[0]), c = creal(x->of[3]), d = cimag(x->of[3]);
  const double rr = creal(x->of[1] + x->of[2]), ri = cimag(x->of[2] - x->of[1]);
  const double ir = cimag(x->of[1] + x->of[2]), ii = creal(x->of[1] - x->of[2]);

  for (int k = 0; k < width; k++) {
    value->re[k] = a + rr * spins->re[k] + ri * spins->im[k] + c * spins->z[k];
    value->im[k] = b + ir * spins->re[k] + ii * spins->im[k] + d * spins->z[k];
  }
}

/* Complex lanes: real and imaginary parts apart. */
static void multiply(int width, CospinMeanLane *product, const CospinMeanLane *by)
{
  for (int k = 0; k < width; k++) {
    const double re = product->re[k] * by->re[k] - product->im[k] * by->im[k];
    product->im[k] = product->re[k] * by->im[k] + product->im[k] * by->re[k];
    product->re[k] = re;
  }
}

/* One sum of products of factors, for all sites of a group at once. */
static void evaluate_sum(const CospinMeanSum *sum, const CospinMeanLane *const factors[], int width,
                         CospinMeanLane *value)
{
  for (int k = 0; k < width; k++) value->re[k] = value->im[k] = 0.0;
  for (int t = 0; t < sum->count; t++) {
    const CospinMeanTerm *term = &sum->terms[t];
    CospinMeanLane product;
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
static void add_product(const CospinMeanPauli *weight, const Spins *spins, int width, const CospinMeanLane *e,
                        double sign, CospinMeanLane *sum)
{
  CospinMeanLane factor;

  if (CospinMeanPauliIsZero(weight)) return;
  evaluate_pauli(weight, spins, width, &factor);
  for (int k = 0; k < width; k++) {
    sum->re[k] += factor.re[k] * e->re[k] - sign * factor.im[k] * e->im[k];
    sum->im[k] += factor.im[k] * e->re[k] + sign * factor.re[k] * e->im[k];
  }
}

/* ---- Slopes -------------------------------------------------------------------------------------------- */

/* The cumulants of all sites of a part, and their sums. */
static void find_cumulants(CospinMeanField field, int c, const double u[], CospinMeanLane *sites)
{
  CospinMeanBlocks blocks = field->blocks;
  const CospinMeanPart *part = &field->parts[c];

  for (int g = 0; g < CospinMeanGroups(part); g++) {
    Spins spins;
    const int count = load(part, u, g, &spins);
    for (int m = 0; m < blocks->num_moments; m++) {
      blocks->factors[m] = &blocks->others[m];
      if (blocks->moments[m].part == c)
        evaluate_pauli(&blocks->moments[m].x, &spins, count, &blocks->others[m]);
    }
    for (int b = 0; b < blocks->num_blocks; b++) {
      CospinMeanLane *value = &sites[(size_t)g * (size_t)blocks->num_blocks + (size_t)b];
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

/* Sums over all sites stand in every place of a lane, so that they multiply as sites do. */
static void find_totals(CospinMeanField field, const double u[])
{
  CospinMeanBlocks blocks = field->blocks;
  CospinMeanLane *sites = blocks->sites;

  for (int b = 0; b < blocks->num_blocks; b++) {
    const CospinMeanBlock *block = &blocks->blocks[b];
    const CospinMeanPart *part = &field->parts[block->part];
    blocks->total[b] = 0.0;
    if (!part->is_mode) continue;
    blocks->total[b] =
        CMPLX(u[part->offset],
              block->operators[0] == COSPIN_MEAN_LOWER ? u[part->offset + 1] : -u[part->offset + 1]);
  }
  for (int c = 0; c < field->num_parts; c++) {
    find_cumulants(field, c, u, sites);
    sites += (size_t)CospinMeanGroups(&field->parts[c]) * (size_t)blocks->num_blocks;
  }
  for (int b = 0; b < blocks->num_blocks; b++) {
    for (int k = 0; k < COSPIN_MEAN_WIDE; k++) {
      blocks->everywhere[b].re[k] = creal(blocks->total[b]);
      blocks->everywhere[b].im[k] = cimag(blocks->total[b]);
    }
  }
}

/* Twelve numbers a site: what terms of one spin do, for all of them. */
static void local_slopes(const CospinMeanPart *part, int group, int count, const Spins *spins,
                         CospinMeanLane *ds, CospinMeanLane *dz)
{
  const size_t n = (size_t)part->sites;
  const double *row = part->local + group * COSPIN_MEAN_WIDE;

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

/* Slopes of a group of sites: what acts on each alone, then what the sums over all others do. */
static void group_slopes(CospinMeanField field, int c, int g, const double u[], const CospinMeanLane *sites,
                         double slopes[])
{
  CospinMeanBlocks blocks = field->blocks;
  const CospinMeanPart *part = &field->parts[c];
  CospinMeanLane ds, dz, value;
  Spins spins;
  const int count = load(part, u, g, &spins);
  double *re = slopes + part->offset + g * COSPIN_MEAN_WIDE, *im = re + part->sites, *z = im + part->sites;

  local_slopes(part, g, count, &spins, &ds, &dz);
  for (int b = 0; b < blocks->num_blocks; b++) {
    const CospinMeanLane *site = &sites[(size_t)g * (size_t)blocks->num_blocks + (size_t)b];
    blocks->factors[b] = &blocks->everywhere[b];
    if (blocks->blocks[b].part != c) continue;
    for (int k = 0; k < count; k++) {
      /* A site sees the sum over the others: over all, without itself. */
      blocks->others[b].re[k] = blocks->everywhere[b].re[k] - site->re[k];
      blocks->others[b].im[k] = blocks->everywhere[b].im[k] - site->im[k];
    }
    blocks->factors[b] = &blocks->others[b];
  }
  for (int e = 0; e < blocks->num_expectations; e++) {
    const CospinMeanExpectationOf *expectation = &blocks->expectations[e];
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

/* A mode sees the spins only through their sums. */
static void mode_slopes(CospinMeanField field, int c, double slopes[])
{
  CospinMeanBlocks blocks = field->blocks;
  double complex sum = 0.0;

  for (int e = 0; e < blocks->num_expectations; e++) {
    const CospinMeanExpectationOf *expectation = &blocks->expectations[e];
    double complex value = 0.0;
    if (expectation->part != c) continue;
    for (int t = 0; t < expectation->of_blocks.count; t++) {
      const CospinMeanTerm *term = &expectation->of_blocks.terms[t];
      double complex product = term->coefficient;
      for (int i = 0; i < term->n; i++) product *= blocks->total[term->factor[i]];
      value += product;
    }
    sum += expectation->weights.s.of[0] * value + expectation->weights.s_conjugate.of[0] * conj(value);
  }
  slopes[field->parts[c].offset] = creal(sum);
  slopes[field->parts[c].offset + 1] = cimag(sum);
}

/* Where nothing changes the length of a spin's vector, rounding must not either: it is drawn back. */
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
  const CospinMeanLane *sites = field->blocks->sites;

  PetscFunctionBeginUser;
  find_totals(field, u);
  for (int c = 0; c < field->num_parts; c++) {
    const int groups = CospinMeanGroups(&field->parts[c]);
    if (field->parts[c].is_mode) mode_slopes(field, c, slopes);
    for (int g = 0; g < groups; g++) group_slopes(field, c, g, u, sites, slopes);
    sites += (size_t)groups * (size_t)field->blocks->num_blocks;
  }
  if (field->squares) hold_lengths(field, u, slopes);
  PetscFunctionReturn(0);
}
