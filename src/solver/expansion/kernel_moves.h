/* Part of the kernel (kernel_body.h): moves around the centre, and all of them together at a node. */

static void set_factor(CospinKernel kernel, const CospinAffine *a, const double shift[], Factor *factor)
{
  *factor = (Factor){.constant = a->constant, .edge = a->edge};
  for (int k = 0; k < kernel->np; k++) {
    factor->p[k] = a->p[k];
    factor->constant += (SCALAR)a->p[k] * kernel->p[k];
  }
  for (int k = 0; k < kernel->nd; k++) {
    factor->d[k] = a->d[k];
    factor->constant -= (SCALAR)a->d[k] * shift[k];
    if (a->d[k] != 0) factor->moves = PETSC_TRUE;
  }
}

static void set_shift(CospinKernel kernel, const CospinSymbolMove *from, Move *move)
{
  COMPLEX along[COSPIN_MAX_FREE];

  move->still = PETSC_TRUE;
  for (int k = 0; k < kernel->nd; k++) {
    move->d[k] = (int)lround(from->d[k]);
    if (move->d[k]) move->still = PETSC_FALSE;
    along[k] = 0;
    for (int j = 0; j < kernel->np; j++) along[k] -= (COMPLEX)I * kernel->s_dp[k][j] * (REAL)from->p[j];
  }
  for (int k = 0; k < kernel->nd; k++) {
    move->shift[k] = 0;
    for (int j = 0; j <= k; j++) move->shift[k] += kernel->ci[k][j] * along[j];
  }
  for (int k = 0; k < kernel->np; k++) {
    move->shift[kernel->nd + k] = 0;
    for (int j = 0; j <= k; j++) move->shift[kernel->nd + k] += kernel->li[k][j] * (REAL)from->p[j];
    if (from->p[k] != 0) move->still = PETSC_FALSE;
  }
}

static int most_factors(const CospinSymbolMove *move, int nd)
{
  int most = 0;

  for (int c = 0; c < move->num_terms; c++) {
    int count = 0;
    for (int f = 0; f < move->terms[c].num_factors; f++) {
      PetscBool moves = PETSC_FALSE;
      for (int i = 0; i < nd; i++)
        if (move->terms[c].factors[f].d[i] != 0) moves = PETSC_TRUE;
      if (moves) count++;
    }
    most = PetscMax(most, count);
  }
  return most;
}

static COMPLEX expi(REAL re, REAL im)
{
  const REAL size = EXP(re);

  return size * COS(im) + size * SIN(im) * (COMPLEX)I;
}

static PetscErrorCode create_moves(CospinKernel kernel, CospinSymbol symbol, Moves *moves)
{
  PetscFunctionBeginUser;
  PetscCheck(symbol->count <= MAX_MOVES, PETSC_COMM_SELF, PETSC_ERR_SUP, "More than %d moves", MAX_MOVES);
  *moves = (Moves){.count = symbol->count};
  PetscCall(PetscCalloc1((size_t)symbol->count + 1, &moves->moves));
  for (int k = 0; k < symbol->count; k++) {
    const CospinSymbolMove *from = &symbol->moves[k];
    Move *move = &moves->moves[k];
    REAL re = 0, im = 0;
    set_shift(kernel, from, move);
    for (int i = 0; i < kernel->nd; i++) {
      re += (REAL)kernel->theta_im[i] * move->d[i];
      im -= (REAL)kernel->theta_re[i] * move->d[i];
    }
    move->phase = expi(re, im);
    move->group = 0;
    while (move->group < k && memcmp(moves->moves[move->group].d, move->d, sizeof(move->d)) != 0)
      move->group++;
    move->num_terms = from->num_terms;
    move->num_orders = kernel->nd ? list_indices(kernel->nd, most_factors(from, kernel->nd) + 1, NULL) : 1;
    PetscCall(PetscMalloc1((size_t)from->num_terms, &move->terms));
    for (int c = 0; c < from->num_terms; c++) {
      Term *term = &move->terms[c];
      const CospinSymbolTerm *t = &from->terms[c];
      *term = (Term){t->coefficient, t->num_factors, t->num_divisors, NULL};
      PetscCall(PetscMalloc1((size_t)(t->num_factors + t->num_divisors) + 1, &term->factors));
      for (int f = 0; f < t->num_factors; f++) set_factor(kernel, &t->factors[f], from->d, &term->factors[f]);
      for (int f = 0; f < t->num_divisors; f++)
        set_factor(kernel, &t->divisors[f], from->d, &term->factors[t->num_factors + f]);
    }
  }
  PetscFunctionReturn(0);
}

/* exp(shift.d/du) = sum over m of product over axes of shift^m/m! d^m/du^m */
static void exponential_series(CospinKernel kernel, const COMPLEX shift[], COMPLEX series[])
{
  series[0] = 1;
  for (int m = 1; m < kernel->n; m++) {
    series[m] = series[kernel->parent[m]];
    for (int k = 1; k <= kernel->power[m]; k++) series[m] *= shift[kernel->axis[m]] / (REAL)k;
  }
}

/* to = D_k from, D_k = -i sum_a ci[a][k] d/du_a */
static void multiply_series(CospinKernel kernel, int k, const COMPLEX from[], COMPLEX to[])
{
  int index[COSPIN_MAX_LABELS];

  for (int m = 0; m < kernel->n; m++) {
    to[m] = 0;
    for (int a = k; a < kernel->nd; a++) {
      for (int i = 0; i < kernel->dim; i++) index[i] = kernel->digits[kernel->dim * m + i];
      if (index[a]-- == 0) continue;
      to[m] -= (COMPLEX)I * kernel->ci[a][k] * from[find_index(kernel->dim, m, kernel->digits, index)];
    }
  }
}

static PetscErrorCode create_series(CospinKernel kernel, Moves *moves)
{
  const size_t n = (size_t)kernel->n;

  PetscFunctionBeginUser;
  for (int k = 0; k < moves->count; k++) {
    Move *move = &moves->moves[k];
    PetscCall(PetscMalloc1(n * (size_t)move->num_orders, &move->series));
    exponential_series(kernel, move->shift, move->series);
    for (int o = 1; o < move->num_orders; o++)
      multiply_series(kernel, kernel->order_by[o], move->series + n * (size_t)kernel->order_from[o],
                      move->series + n * (size_t)o);
    move->series[0] = 0;
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode destroy_moves(Moves *moves)
{
  PetscFunctionBeginUser;
  for (int k = 0; k < moves->count; k++) {
    for (int c = 0; c < moves->moves[k].num_terms; c++)
      PetscCall(PetscFree(moves->moves[k].terms[c].factors));
    PetscCall(PetscFree(moves->moves[k].series));
    PetscCall(PetscFree(moves->moves[k].terms));
  }
  PetscCall(PetscFree(moves->moves));
  PetscFunctionReturn(0);
}

/* What all moves share there. */
typedef struct {
  REAL xi[COSPIN_MAX_POPULATIONS];
  COMPLEX turn[COSPIN_MAX_FREE]; /* exp(-i phase) */
  PetscBool inside;              /* labels exist */
} Node;

static Node make_node(CospinKernel kernel, const REAL u[])
{
  Node node = {.inside = PETSC_TRUE};

  for (int i = 0; i < kernel->np; i++)
    for (int j = 0; j <= i; j++) node.xi[i] += kernel->l[i][j] * u[kernel->nd + j];
  for (int i = 0; i < kernel->nd; i++) {
    REAL eta = 0;
    COMPLEX more = 0;
    for (int j = 0; j <= i; j++) eta += kernel->c[i][j] * u[j];
    for (int j = 0; j < kernel->np; j++) more += kernel->s_dp[i][j] * node.xi[j];
    node.turn[i] = expi(REALPART(more), IMAGPART(more) - eta);
  }
  return node;
}

/* The amplitude of a move as a polynomial of D: amplitude[num_orders]. */
static void get_amplitude(CospinKernel kernel, const Move *move, Node *node, SCALAR_COMPLEX amplitude[])
{
  const int num_orders = move->num_orders;
  SCALAR poly[MAX_ORDERS];

  for (int o = 0; o < num_orders; o++) amplitude[o] = 0;
  for (int c = 0; c < move->num_terms; c++) {
    const Term *term = &move->terms[c];
    const int num = term->num_factors + term->num_divisors;
    for (int o = 1; o < num_orders; o++) poly[o] = 0;
    poly[0] = 1;
    for (int f = 0; f < num; f++) {
      const Factor *factor = &term->factors[f];
      SCALAR value = factor->constant;
      for (int k = 0; k < kernel->np; k++)
        if (factor->p[k] != 0) value += (SCALAR)factor->p[k] * node->xi[k];
      if (factor->edge && value <= -1) node->inside = PETSC_FALSE;
      if (f >= term->num_factors) {
        for (int o = 0; o < num_orders; o++) poly[o] /= value;
        continue;
      }
      for (int o = num_orders - 1; o >= 0; o--) {
        const SCALAR old = poly[o];
        poly[o] = value * old;
        for (int k = 0; k < kernel->nd && factor->moves && old != 0; k++) {
          const int to = kernel->order_times[kernel->nd * o + k];
          if (factor->d[k] != 0 && to >= 0 && to < num_orders) poly[to] += (SCALAR)factor->d[k] * old;
        }
      }
    }
    for (int o = 0; o < num_orders; o++)
      amplitude[o] += (SCALAR)creal(term->coefficient) * poly[o] +
                      (SCALAR)cimag(term->coefficient) * poly[o] * (SCALAR_COMPLEX)I;
  }
}

/* h[power + degree*axis] at real u. */
static void set_hermite(CospinKernel kernel, const REAL u[], REAL h[])
{
  for (int a = 0; a < kernel->dim; a++) {
    REAL *row = h + kernel->degree * a;
    row[0] = 1;
    if (kernel->degree > 1) row[1] = u[a];
    for (int k = 1; k + 1 < kernel->degree; k++)
      row[k + 1] = (u[a] * row[k] - kernel->root[k] * row[k - 1]) * kernel->inverse_root[k + 1];
  }
}

/* The functions at u, p0[n], from h0. */
static void set_functions(CospinKernel kernel, const REAL h[], REAL p[])
{
  p[0] = 1;
  for (int l = 1; l < kernel->n; l++)
    p[l] = p[kernel->parent[l]] * h[kernel->degree * kernel->axis[l] + kernel->power[l]];
}

static COMPLEX turn_by(CospinKernel kernel, const Move *move, const Node *node)
{
  COMPLEX value = move->phase;

  for (int k = 0; k < kernel->nd; k++) {
    for (int s = 0; s < move->d[k]; s++) value *= node->turn[k];
    for (int s = 0; s > move->d[k]; s--) value /= node->turn[k];
  }
  return value;
}

/* The amplitude of a move where D = 0. */
static SCALAR_COMPLEX amplitude_at(CospinKernel kernel, const Move *move, const Node *node)
{
  SCALAR_COMPLEX sum = 0;

  for (int c = 0; c < move->num_terms; c++) {
    const Term *term = &move->terms[c];
    SCALAR product = 1;
    for (int f = 0; f < term->num_factors + term->num_divisors; f++) {
      SCALAR value = term->factors[f].constant;
      for (int k = 0; k < kernel->np; k++)
        if (term->factors[f].p[k] != 0) value += (SCALAR)term->factors[f].p[k] * node->xi[k];
      product = f < term->num_factors ? product * value : product / value;
    }
    sum += (SCALAR)creal(term->coefficient) * product +
           (SCALAR)cimag(term->coefficient) * product * (SCALAR_COMPLEX)I;
  }
  return sum;
}

/* kappa[n] of all moves at u, where the functions are p0[n]. */
static void sum_moves(CospinKernel kernel, const Moves *moves, Node *node)
{
  SCALAR_COMPLEX amplitude[MAX_ORDERS], totals[MAX_MOVES];
  COMPLEX *kappa = kernel->kappa;
  const int n = kernel->n;

  for (int m = 0; m < n; m++) kappa[m] = 0;
  for (int k = 0; k < moves->count; k++) {
    const Move *move = &moves->moves[k];
    COMPLEX turn;
    get_amplitude(kernel, move, node, amplitude);
    turn = turn_by(kernel, move, node);
    totals[k] = 0;
    if (moves->plain)
      totals[move->group] += amplitude[0];
    else if (kernel->traced.count)
      totals[move->group] += amplitude[0] - amplitude_at(kernel, &kernel->traced.moves[k], node);
    for (int o = move->still ? 1 : 0; o < move->num_orders; o++) {
      const COMPLEX factor = (COMPLEX)amplitude[o] * turn, *series = move->series + (size_t)n * (size_t)o;
      for (int m = 0; m < n; m++) kappa[m] += factor * series[m];
    }
  }
  for (int k = 0; k < moves->count && (moves->plain || kernel->traced.count); k++)
    if (moves->moves[k].group == k) kappa[0] += turn_by(kernel, &moves->moves[k], node) * (COMPLEX)totals[k];
}

/* image[n] = L^T P at u, p0[n]. */
static void apply(CospinKernel kernel, const Moves *moves, const REAL u[], Node *node)
{
  *node = make_node(kernel, u);
  set_hermite(kernel, u, kernel->h0);
  set_functions(kernel, kernel->h0, kernel->p0);
  sum_moves(kernel, moves, node);
  for (int l = 0; l < kernel->n; l++) kernel->image[l] = 0;
  for (int i = 0; i < kernel->num_pairs; i++)
    kernel->image[kernel->pair_l[i]] +=
        kernel->pair_factor[i] * kernel->p0[kernel->pair_rest[i]] * kernel->kappa[kernel->pair_m[i]];
}

/* What kappa may be off by: sum over moves of |amplitude| times how far it reaches, at the centre. */
static double estimate_rounding(CospinKernel kernel)
{
  REAL origin[COSPIN_MAX_LABELS] = {0};
  SCALAR_COMPLEX amplitude[MAX_ORDERS];
  Node node = make_node(kernel, origin);
  double sum = 0.0;

  for (int k = 0; k < kernel->moves.count; k++) {
    double reach = 0.0, size;
    get_amplitude(kernel, &kernel->moves.moves[k], &node, amplitude);
    size = (double)size_of((COMPLEX)amplitude[0] * turn_by(kernel, &kernel->moves.moves[k], &node));
    for (int a = 0; a < kernel->dim; a++) {
      const COMPLEX shift = kernel->moves.moves[k].shift[a];
      reach += (double)size_of(shift);
    }
    sum += size * (EPSILON * reach + (double)NAME_SCALAR_EPSILON);
  }
  return sum;
}
