/*
   The closed equations as text: for a reader who checks them, and for a program that solves them elsewhere.

     moment K OPERATORS NAME              one line a moment: m0, m1, ..., how many operators it has, and what
                                          it is the expectation value of
     d mK/dt = TERM TERM ...              TERM: sign, coefficient (2.5, 0.3i or (1+0.3i)), moments; m3* is the
                                          complex conjugate of m3

   A name is a product of dag(COMPONENT.a)^n, COMPONENT.a^n and, one for each distinct atom of a class, of
   COMPONENT.sp, COMPONENT.sm and COMPONENT.ee = |1><1|; distinct atoms of one class are numbered. Moments are
   those of particular atoms: sums over a class have its N (N - 1) ... in front, in the coefficients.
*/
#include "moments.h"

/* The name of the component that a class or a mode (-1 - m) belongs to, with the spin's number where it has
   several classes. */
static void view_site(CospinMomentModel model, int site, FILE *stream)
{
  for (int c = 0; c < model->system->num_components; c++) {
    const CospinComponent component = &model->system->components[c];
    const int first = model->first[c],
              sites = component->kind->NumSpins ? component->kind->NumSpins(component) : 1;
    if (site < 0 ? first != site : first < 0 || site < first || site >= first + sites) continue;
    fprintf(stream, "%s", component->name);
    if (component->kind->NumSpins) fprintf(stream, "[%d]", site - first);
    return;
  }
}

static void view_power(CospinMomentModel model, int mode, int power, PetscBool raise, FILE *stream)
{
  if (power == 0) return;
  fprintf(stream, raise ? " dag(" : " ");
  view_site(model, -1 - mode, stream);
  fprintf(stream, raise ? ".a)" : ".a");
  if (power > 1) fprintf(stream, "^%d", power);
}

/* Atoms are sorted, so those of one class stand together. */
static void view_key(CospinMomentModel model, const CospinMomentKey *key, FILE *stream)
{
  static const char *const names[2][2] = {{"gg", "sm"}, {"sp", "ee"}};

  for (int k = 0, number = 1; k < key->num_atoms; k++) {
    const CospinMomentAtom *atom = &key->atoms[k];
    const PetscBool again = (PetscBool)(k && key->atoms[k - 1].site == atom->site),
                    more = (PetscBool)(k + 1 < key->num_atoms && key->atoms[k + 1].site == atom->site);
    number = again ? number + 1 : 1;
    fputc(' ', stream);
    view_site(model, atom->site, stream);
    fprintf(stream, ".%s", names[atom->up][atom->down]);
    if (again || more) fprintf(stream, "_%d", number);
  }
  for (int m = 0; m < model->num_modes; m++) view_power(model, m, key->raise[m], PETSC_TRUE, stream);
  for (int m = 0; m < model->num_modes; m++) view_power(model, m, key->lower[m], PETSC_FALSE, stream);
}

/* To all digits: the text is the equations. */
static void view_term(const CospinMomentTerm *term, PetscBool first, FILE *stream)
{
  const double re = creal(term->coefficient), im = cimag(term->coefficient);
  const PetscBool minus = (PetscBool)(re < 0 || (re == 0 && im < 0));
  const double sign = minus ? -1.0 : 1.0;

  fprintf(stream, minus ? " - " : first ? " " : " + ");
  if (im == 0)
    fprintf(stream, "%.17g", sign * re);
  else if (re == 0)
    fprintf(stream, "%.17gi", sign * im);
  else
    fprintf(stream, "(%.17g%+.17gi)", sign * re, sign * im);
  for (int f = 0; f < term->num; f++)
    fprintf(stream, " m%d%s", term->factors[f] / 2, term->factors[f] % 2 ? "*" : "");
}

void CospinHierarchyView(CospinHierarchy moments, FILE *stream)
{
  for (int i = 0; i < moments->num; i++) {
    const CospinMomentKey *key = &moments->unknowns.keys[i];
    fprintf(stream, "moment %d %d", i, CospinMomentOperators(key));
    view_key(moments->model, key, stream);
    fputc('\n', stream);
  }
  for (int i = 0; i < moments->num; i++) {
    fprintf(stream, "d m%d/dt =", i);
    for (int t = 0; t < moments->slopes[i].count; t++)
      view_term(&moments->slopes[i].terms[t], (PetscBool)(t == 0), stream);
    fprintf(stream, moments->slopes[i].count ? "\n" : " 0\n");
  }
}
