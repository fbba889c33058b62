/*
   CospinDatasetShow: a finished dataset for the eyes. It reads what the file says about itself and nothing
   else, so it shows files of later versions as well.

   Values are shown by their extremes, outcomes by their names and counts, bad points by their coordinates.
   Checksums of all objects are verified on the way unless the user has said otherwise.

   Three kinds of information come from three places: attributes of the file and of /provenance, the
   outcomes with the names that the file itself gives them, and the datasets of the root group. Checksums
   are verified on the way, and what fails is printed as damaged rather than left out.
*/
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif
#include "h5.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MAX_VARIABLES = 1024, MAX_FLAGS = 64, MAX_LISTED = 5 };

/* A variable as the file has it. */
typedef struct {
  char name[96], units[64], long_name[160];
  PetscBool scale, integer, damaged;
  int rank;
  hsize_t shape[H5S_MAX_RANK];
  size_t size;
  double *values; /* owned */
} Variable;

/* A file on its way to a reader's eyes. */
typedef struct {
  hid_t file;
  PetscBool trust;
  int num_damaged;   /* objects, the stored states and the deck among them */
  char damaged[256]; /* names of the first ones */
  FILE *stream;
  int num_variables;
  Variable *variables;
} Show;

/* By its full name; NULL where an older or newer format has no such variable. */
static const Variable *find_variable(const Show *show, const char name[])
{
  for (int i = 0; i < show->num_variables; i++)
    if (!strcmp(show->variables[i].name, name)) return show->variables + i;
  return NULL;
}

/* Values are read as doubles whatever their type. */
static PetscErrorCode read_variable(hid_t set, const char name[], PetscBool trust, Variable *v)
{
  hid_t space = H5Dget_space(set), type = H5Dget_type(set);
  const H5T_class_t kind = H5Tget_class(type);
  char class[32];

  PetscFunctionBeginUser;
  PetscCall(PetscStrncpy(v->name, name, sizeof(v->name)));
  (void)CospinH5GetText(set, "units", v->units, sizeof(v->units));
  (void)CospinH5GetText(set, "long_name", v->long_name, sizeof(v->long_name));
  v->scale = (PetscBool)(CospinH5GetText(set, "CLASS", class, sizeof(class)) >= 0 &&
                         strcmp(class, "DIMENSION_SCALE") == 0);
  v->integer = kind == H5T_INTEGER ? PETSC_TRUE : PETSC_FALSE;
  v->rank = H5Sget_simple_extent_dims(space, v->shape, NULL);
  v->damaged = (PetscBool)(!trust && CospinH5Verify(set) < 0);
  v->size = (size_t)PetscMax(CospinH5Count(set), 0);
  PetscCall(PetscMalloc1(v->size, &v->values));
  if ((kind != H5T_INTEGER && kind != H5T_FLOAT) ||
      H5Dread(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, v->values) < 0)
    for (size_t i = 0; i < v->size; i++) v->values[i] = NAN;
  H5Tclose(type);
  H5Sclose(space);
  PetscFunctionReturn(0);
}

/* One link of the root group; groups and whatever is no dataset are passed over. Called for each link by
   H5Literate, in the order of creation. */
static herr_t add_variable(hid_t root, const char *name, const H5L_info_t *info, void *context)
{
  Show *show = context;
  H5O_info_t object;
  hid_t set;
  PetscErrorCode ierr;
  (void)info;
  if (H5Oget_info_by_name2(root, name, &object, H5O_INFO_BASIC, H5P_DEFAULT) < 0) return -1;
  if (object.type != H5O_TYPE_DATASET || show->num_variables == MAX_VARIABLES) return 0;
  set = H5Dopen2(root, name, H5P_DEFAULT);
  if (set < 0) return -1;
  ierr = read_variable(set, name, show->trust, show->variables + show->num_variables++);
  H5Dclose(set);
  return ierr ? -1 : 0;
}

/* Rows that are missing or empty are left out. */
static void print_text(const Show *show, hid_t object, const char attribute[], const char label[])
{
  char text[4096];
  if (CospinH5GetText(object, attribute, text, sizeof(text)) >= 0 && text[0])
    fprintf(show->stream, "  %-10s %s\n", label, text);
}

/* What one asks first when two files disagree. */
static void print_head(const Show *show, const char name[])
{
  static const struct {
    const char *attribute, *label;
  } rows[] = {
      {"cospin_version", "cospin"}, {"git_revision", "revision"}, {"git_dirty", "changed"},
      {"started", "started"},       {"finished", "finished"},     {"hosts", "hosts"},
      {"ranks", "ranks"},           {"groups", "groups"},         {"slurm_job_id", "SLURM job"},
      {"petsc", "PETSc"},           {"command_line", "command"},
  };
  struct stat status = {0};
  hid_t provenance = H5Gopen2(show->file, "provenance", H5P_DEFAULT);
  (void)stat(name, &status);
  fprintf(show->stream, "%s (%.1f kB)\n", name, (double)status.st_size / 1e3);
  print_text(show, show->file, "title", "title");
  print_text(show, show->file, "source", "source");
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(rows); i++)
    print_text(show, provenance, rows[i].attribute, rows[i].label);
  H5Gclose(provenance);
}

/* Extremes of the values that are numbers; false if there are none. NaN is what has not been computed, so
   it has no part in the extremes. */
static PetscBool find_range(const Variable *v, double *low, double *high)
{
  *low = INFINITY;
  *high = -INFINITY;
  for (size_t i = 0; i < v->size; i++) {
    if (isnan(v->values[i])) continue;
    *low = PetscMin(*low, v->values[i]);
    *high = PetscMax(*high, v->values[i]);
  }
  return *low <= *high ? PETSC_TRUE : PETSC_FALSE;
}

/* Of a variable with one value everywhere that is all there is to say. Fifteen digits of integers (numbers
   of labels are large), six of reals. */
static void print_range(const Show *show, const Variable *v)
{
  char text[64] = "no numbers";
  double low, high;
  if (v->damaged) (void)snprintf(text, sizeof(text), "DAMAGED: do not use");
  if (!v->damaged && find_range(v, &low, &high)) {
    (void)snprintf(text, sizeof(text), "%.*g", v->integer ? 15 : 6, low);
    if (low < high)
      (void)snprintf(text, sizeof(text), "%.*g .. %.*g", v->integer ? 15 : 6, low, v->integer ? 15 : 6, high);
  }
  fprintf(show->stream, "  %-28s", text);
}

/* Slowest dimension first, as Python's shape. */
static void print_shape(const Show *show, const Variable *v)
{
  char text[128] = "-";
  size_t length = 0;
  for (int i = 0; i < v->rank && length < sizeof(text) - 24; i++)
    length += (size_t)snprintf(text + length, sizeof(text) - length, "%s%llu", i ? "x" : "",
                               (unsigned long long)v->shape[i]);
  fprintf(show->stream, "  %-10s", text);
}

/* Dimension scales first: they are the grid. */
static void print_variables(const Show *show, PetscBool scales, const char heading[])
{
  int width = 0;
  for (int i = 0; i < show->num_variables; i++) width = PetscMax(width, (int)strlen(show->variables[i].name));
  fprintf(show->stream, "\n%s\n", heading);
  for (int i = 0; i < show->num_variables; i++) {
    const Variable *v = show->variables + i;
    if (v->scale != scales) continue;
    fprintf(show->stream, "  %-*s", width, v->name);
    print_shape(show, v);
    print_range(show, v);
    fprintf(show->stream, "  %-12s  %s\n", v->units, v->long_name);
  }
}

/* Outcomes are small integers, exact in a double. */
static size_t count_value(const Variable *v, int value)
{
  size_t count = 0;
  for (size_t i = 0; i < v->size; i++) count += v->values[i] == value;
  return count;
}

/* The coordinates of a point of a list. Of a shard: variables in front of `outcome` are coordinates
   (store/shard.c). */
static void print_coordinates(const Show *show, size_t index)
{
  const char *comma = "";
  for (int i = 0; i < show->num_variables && strcmp(show->variables[i].name, "outcome") != 0; i++) {
    const Variable *v = show->variables + i;
    if (v->scale || index >= v->size) continue;
    fprintf(show->stream, "%s%s = %g", comma, v->name, v->values[index]);
    comma = ", ";
  }
}

/* Where on the grid the flat index of a value of `v` lies: "nbar = 5, w = 3". The stride runs from the
   slowest axis to the fastest; dimensions behind those of the grid do not count. */
static void print_place(const Show *show, const Variable *v, size_t index)
{
  char names[4096], *name, *rest = names;
  size_t stride = v->size;
  (void)CospinH5GetText(show->file, "cospin_grid", names, sizeof(names));
  if (!strcmp(names, COSPIN_POINT_LIST)) {
    print_coordinates(show, index);
    return;
  }
  if (!names[0]) fprintf(show->stream, "the only point");
  for (int i = 0; i < v->rank && (name = strtok_r(rest, " ", &rest)); i++) {
    const Variable *axis = find_variable(show, name);
    stride /= (size_t)v->shape[i];
    if (axis && axis->size == v->shape[i])
      fprintf(show->stream, "%s%s = %g", i ? ", " : "", name, axis->values[index / stride % axis->size]);
  }
}

/* The first points that ended badly, each with its outcome. A list that scrolls away helps nobody: the
   first few, then how many more. */
static void print_bad(const Show *show, const Variable *outcome, int count, const int values[],
                      char *const names[])
{
  int num_bad = 0;
  for (size_t p = 0; p < outcome->size; p++) {
    if (!(outcome->values[p] < 0) || ++num_bad > MAX_LISTED) continue;
    if (num_bad == 1) fprintf(show->stream, "\nbad outcomes\n");
    fprintf(show->stream, "  ");
    for (int i = 0; i < count; i++)
      if ((int)outcome->values[p] == values[i]) fprintf(show->stream, "%-14s ", names[i]);
    print_place(show, outcome, p);
    fprintf(show->stream, "\n");
  }
  if (num_bad > MAX_LISTED) fprintf(show->stream, "  and %d more\n", num_bad - MAX_LISTED);
}

/* What a code means of the task whose outcomes these are; `meant` is its line of the attribute flag_hints.
   strtok has cut the attribute into lines "name: sentence". */
static void print_hint(const Show *show, const Variable *outcome, char meant[], int count, const int values[],
                       char *const names[])
{
  const char *text = strstr(meant, ": "), *suffix = strstr(outcome->name, "_outcome");
  const int length = (int)(suffix ? suffix - outcome->name : (ptrdiff_t)strlen(outcome->name));
  for (int i = 0; text && i < count; i++) {
    if (strncmp(meant, names[i], strlen(names[i])) != 0 || meant + strlen(names[i]) != text) continue;
    if (!count_value(outcome, values[i])) continue;
    fprintf(show->stream, "  %s of %.*s%s\n", names[i], length, outcome->name, text);
  }
}

/* What bad outcomes mean stands with the variable in the file, written by the task that knows; only those
   that occur are printed. */
static void print_hints(const Show *show, int count, const int values[], char *const names[])
{
  for (int v = 0; v < show->num_variables; v++) {
    char hints[8192], *line, *rest = hints;
    hid_t set = H5Dopen2(show->file, show->variables[v].name, H5P_DEFAULT);
    if (set < 0) continue;
    (void)CospinH5GetText(set, "flag_hints", hints, sizeof(hints));
    H5Dclose(set);
    while ((line = strtok_r(rest, "\n", &rest)))
      print_hint(show, &show->variables[v], line, count, values, names);
  }
}

/* `outcome` counted by the names that the file gives its codes. Names in the file and not this program's:
   outcomes that a later version has added are named as well. */
static void print_outcomes(const Show *show)
{
  const Variable *outcome = find_variable(show, "outcome");
  char meanings[4096], *names[MAX_FLAGS], *rest = meanings;
  int values[MAX_FLAGS], count;
  hid_t set;
  if (!outcome) return;
  set = H5Dopen2(show->file, "outcome", H5P_DEFAULT);
  count = CospinH5GetIntegers(set, "flag_values", MAX_FLAGS, values);
  (void)CospinH5GetText(set, "flag_meanings", meanings, sizeof(meanings));
  H5Dclose(set);
  for (int i = 0; i < count; i++) {
    names[i] = strtok_r(i ? NULL : meanings, " ", &rest);
    if (!names[i]) count = i;
  }
  fprintf(show->stream, "\npoints: %zu, %zu finished\n", outcome->size,
          outcome->size - count_value(outcome, 0));
  for (int i = 0; i < count; i++) {
    const size_t points = count_value(outcome, values[i]);
    if (points) fprintf(show->stream, "  %6zu  %s (%d)\n", points, names[i], values[i]);
  }
  print_bad(show, outcome, count, values, names);
  print_hints(show, count, values, names);
}

/* The next one in the order of falling time, or size if there is none; *last is the one before, size at
   first. A selection sort of a few: which points took longest. */
static size_t next_slowest(const Variable *seconds, size_t last)
{
  const double *values = seconds->values;
  size_t next = seconds->size;
  for (size_t i = 0; i < seconds->size; i++) {
    if (!isfinite(values[i]) || i == last) continue;
    if (last < seconds->size && (values[i] > values[last] || (values[i] == values[last] && i < last)))
      continue;
    if (next == seconds->size || values[i] > values[next]) next = i;
  }
  return next;
}

/* The slowest points are what a user wants to look at before giving the next run its time limit. */
static void print_seconds(const Show *show)
{
  const Variable *seconds = find_variable(show, "seconds");
  double total = 0;
  size_t slowest;
  if (!seconds || !seconds->size) return;
  for (size_t i = 0; i < seconds->size; i++)
    if (isfinite(seconds->values[i])) total += seconds->values[i];
  fprintf(show->stream, "\nseconds: %.4g in all, the slowest points\n", total);
  slowest = seconds->size;
  for (int k = 0; k < MAX_LISTED && (slowest = next_slowest(seconds, slowest)) < seconds->size; k++) {
    fprintf(show->stream, "  %9.4g  ", seconds->values[slowest]);
    print_place(show, seconds, slowest);
    fprintf(show->stream, "\n");
  }
}

/* One task's group: how many states, how many elements in all. A group without `count` is none of stored
   states. */
static herr_t print_states_of(hid_t parent, const char *name, const H5L_info_t *info, void *context)
{
  const Show *show = context;
  char path[256], components[1024];
  Variable count = {0};
  size_t states = 0;
  double elements = 0;
  hid_t group, set;
  PetscErrorCode ierr = 0;
  (void)info;
  (void)snprintf(path, sizeof(path), "%.200s/count", name);
  if (H5Lexists(parent, path, H5P_DEFAULT) <= 0) return 0;
  group = H5Gopen2(parent, name, H5P_DEFAULT);
  set = H5Dopen2(parent, path, H5P_DEFAULT);
  (void)CospinH5GetText(group, "components", components, sizeof(components));
  if (set >= 0) ierr = read_variable(set, "count", show->trust, &count);
  for (size_t i = 0; !ierr && set >= 0 && i < count.size; i++) {
    states += count.values[i] > 0;
    elements += count.values[i] > 0 ? count.values[i] : 0;
  }
  fprintf(show->stream, "  %-12s  %zu state%s of %s, %.0f elements\n", name, states, states == 1 ? "" : "s",
          components, elements);
  (void)PetscFree(count.values);
  H5Dclose(set);
  H5Gclose(group);
  return ierr ? -1 : 0;
}

static void print_states(const Show *show)
{
  hid_t parent;
  if (H5Lexists(show->file, "states", H5P_DEFAULT) <= 0) return;
  parent = H5Gopen2(show->file, "states", H5P_DEFAULT);
  fprintf(show->stream, "\nstored states\n");
  H5Literate(parent, H5_INDEX_CRT_ORDER, H5_ITER_INC, NULL, print_states_of, (void *)(uintptr_t)show);
  H5Gclose(parent);
}

static void print_deck(const Show *show, const char name[])
{
  char *text = H5Lexists(show->file, "deck/verbatim", H5P_DEFAULT) > 0
                   ? CospinH5ReadText(show->file, "deck/verbatim")
                   : NULL;
  int lines = 0;
  for (const char *c = text; c && *c; c++) lines += *c == '\n' || c[1] == 0;
  if (text) fprintf(show->stream, "\ndeck: %d lines, `cospin show --deck %s` prints them\n", lines, name);
  free(text);
}

/* Every object that has a checksum, also those that are not shown. Goes on after a damaged one: a user
   wants to know all of them. */
static herr_t verify_object(hid_t root, const char *name, const H5O_info_t *info, void *context)
{
  Show *show = context;
  hid_t set = info->type == H5O_TYPE_DATASET ? H5Dopen2(root, name, H5P_DEFAULT) : -1;
  if (set >= 0 && CospinH5Verify(set) < 0 && show->num_damaged++ < MAX_LISTED) {
    (void)PetscStrlcat(show->damaged, show->damaged[0] ? ", " : "", sizeof(show->damaged));
    (void)PetscStrlcat(show->damaged, name, sizeof(show->damaged));
  }
  H5Dclose(set);
  return 0;
}

/* In the order in which one asks: what it is, how it ended, what took long, what is in it. Variables are
   read once, before the first line is printed. */
static PetscErrorCode show_file(Show *show, const char name[], PetscBool *ok)
{
  PetscFunctionBeginUser;
  PetscCall(PetscCalloc1(MAX_VARIABLES, &show->variables));
  *ok = H5Literate(show->file, H5_INDEX_CRT_ORDER, H5_ITER_INC, NULL, add_variable, show) < 0 ? PETSC_FALSE
                                                                                              : PETSC_TRUE;
  if (*ok) {
    print_head(show, name);
    print_outcomes(show);
    print_seconds(show);
    print_variables(show, PETSC_TRUE, "dimensions");
    print_variables(show, PETSC_FALSE, "variables");
    print_states(show);
    print_deck(show, name);
  }
  for (int i = 0; i < show->num_variables; i++) PetscCall(PetscFree(show->variables[i].values));
  PetscCall(PetscFree(show->variables));
  PetscFunctionReturn(0);
}

/* Damage is an error at the end, after everything that could be shown has been. */
PetscErrorCode CospinDatasetShow(const char file[], PetscBool trust, FILE *stream, char why[],
                                 size_t why_size)
{
  CospinH5Catch held;
  Show show = {.stream = stream, .trust = trust};
  const char *reason;
  PetscBool ok = PETSC_FALSE;
  PetscErrorCode ierr = 0;

  PetscFunctionBeginUser;
  CospinH5CatchBegin(&held);
  show.file = CospinH5OpenDataset(file, trust, &held, &reason);
  if (show.file >= 0) {
    ierr = show_file(&show, file, &ok);
    if (ok && !trust)
      H5Ovisit2(show.file, H5_INDEX_NAME, H5_ITER_NATIVE, verify_object, &show, H5O_INFO_BASIC);
    H5Fclose(show.file);
  }
  CospinH5CatchEnd(&held);
  PetscCall(ierr);
  if (!ok) {
    PetscCall(PetscSNPrintf(why, why_size, "cannot show %s: %s", file, reason ? reason : held.reason));
    PetscFunctionReturn(PETSC_ERR_FILE_READ);
  }
  if (show.num_damaged) {
    PetscCall(
        PetscSNPrintf(why, why_size,
                      "%s: the values of %d object%s are not those that were written (attribute crc32): "
                      "%s%s. Do not use them (--no-verify shows them)",
                      file, show.num_damaged, show.num_damaged == 1 ? "" : "s", show.damaged,
                      show.num_damaged > MAX_LISTED ? ", ..." : ""));
    PetscFunctionReturn(PETSC_ERR_FILE_READ);
  }
  PetscFunctionReturn(0);
}
