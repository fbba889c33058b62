/*
   Stored numbers against what the outcome promises of them.

   A task's rules are rows of its table: a variable lies between two bounds, each a number, another
   variable, or `tolerance`. They hold where the outcome is good; where a task did not run nothing may be
   there.

   A rule is a claim such as `lower <= rate <= upper`, written once in the task's table beside its variables.
   The program that stores numbers does not use the rules, so a mistake there does not hide itself here.
*/
#include "findings.h"
#include <cospin/point/settings.h>
#include <cospin/tasks/tables.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* Of bounds that are numbers of their own; two that were computed apart may also differ by the resolution. */
static const double slack = 1e-9;

/* Faults of files have no line; their path is the variable with the point. */
PetscErrorCode CospinCheckFault(CospinFaults faults, const char variable[], CospinPoint point,
                                const char format[], ...)
{
  char sentence[1024], where[256] = "", path[512];
  va_list arguments;

  PetscFunctionBeginUser;
  va_start(arguments, format);
  (void)vsnprintf(sentence, sizeof(sentence), format, arguments);
  va_end(arguments);
  if (point)
    PetscCall(CospinDeckDescribePoint(point->problem->deck, point->problem->point, where, sizeof(where)));
  PetscCall(PetscSNPrintf(path, sizeof(path), "%s%s%s", variable, where[0] ? " at " : "", where));
  PetscCall(CospinFaultsAdd(faults, (CospinPosition){0, 0}, path, "%s", sentence));
  PetscFunctionReturn(0);
}

/* A task's numbers at a point, as its rules look at them. */
typedef struct {
  CospinPoint point;
  const CospinRecord *task;
  CospinResults results;
  CospinFaults faults;
} Look;

/* "rate", or "rate[2]" of several. */
static const char *name_of(const CospinVariable *variable, int index, char name[128])
{
  if (variable->size == 1) {
    (void)snprintf(name, 128, "%s", variable->name);
  } else {
    (void)snprintf(name, 128, "%s[%d]", variable->name, index);
  }
  return name;
}

/* A name in a rule is a variable of the task or one of its keys. Keys are read again at this point, for
   `tolerance` may be on the grid. */
static PetscErrorCode value_of(const Look *look, const char name[], int index, double *value)
{
  const CospinVariable *variable = CospinResultsFind(look->results, name);
  PetscBool ok;

  PetscFunctionBeginUser;
  if (variable) {
    *value = look->results.record[variable->offset + (index < variable->size ? index : 0)];
  } else {
    PetscCall(CospinTaskNumber(look->point->problem, look->task, name, NULL, value, &ok));
  }
  PetscFunctionReturn(0);
}

/* The bound that a rule's text stands for, NaN if none; *margin: how far beyond it rounding may lead.
   Forms: "0", "rate", "-1*tolerance", "1/rate"; a number, a name, or one times or divided by the other. */
static PetscErrorCode bound_of(const Look *look, const char text[], int index, double *bound, double *margin)
{
  const CospinVariable *resolution = CospinResultsFind(look->results, "resolution");
  char *rest;
  double value;

  PetscFunctionBeginUser;
  *margin = 0.0;
  *bound = NAN;
  if (!text) PetscFunctionReturn(0);
  *bound = strtod(text, &rest);
  if (rest == text) *bound = 1.0;
  if (*rest == 0) PetscFunctionReturn(0);
  PetscCall(value_of(look, rest + (*rest == '*' || *rest == '/'), index, &value));
  *bound = *rest == '/' ? *bound / value : *bound * value;
  *margin = slack * PetscAbsReal(*bound);
  if (*rest != '/' && resolution) *margin += PetscMax(0.0, look->results.record[resolution->offset]);
  PetscFunctionReturn(0);
}

/* With margins for rounding: numbers and bounds have been stored as doubles and read again. `centre` is
   subtracted first: a trace is compared with one, and 1e-9 beside one would be lost in rounding otherwise. */
static PetscErrorCode check_value(const Look *look, const CospinTaskRule *rule,
                                  const CospinVariable *variable, int index)
{
  const double value = look->results.record[variable->offset + index];
  double least, most, low_margin, high_margin;
  char name[128];

  PetscFunctionBeginUser;
  PetscCall(bound_of(look, rule->least, index, &least, &low_margin));
  PetscCall(bound_of(look, rule->most, index, &most, &high_margin));
  if (isnan(value)) {
    if (rule->presence == COSPIN_ALL || (rule->presence == COSPIN_FIRST && index == 0))
      PetscCall(CospinCheckFault(look->faults, name_of(variable, index, name), look->point,
                                 "is not a number, but the outcome is good"));
    PetscFunctionReturn(0);
  }
  if (value - rule->centre < least - low_margin)
    PetscCall(CospinCheckFault(look->faults, name_of(variable, index, name), look->point,
                               "is %.10g, less than %s%s (%.10g), but the outcome is good", value,
                               rule->centre != 0 ? "1 + " : "", rule->least, rule->centre + least));
  if (value - rule->centre > most + high_margin)
    PetscCall(CospinCheckFault(look->faults, name_of(variable, index, name), look->point,
                               "is %.10g, more than %s%s (%.10g), but the outcome is good", value,
                               rule->centre != 0 ? "1 + " : "", rule->most, rule->centre + most));
  PetscFunctionReturn(0);
}

/* Whether an expansion stood in for labels (cospin/tasks/instead.h). */
static PetscBool is_expanded(const Look *look)
{
  const CospinVariable *functions = CospinResultsFind(look->results, "functions");

  return (PetscBool)(functions && CospinTaskKindOf(look->task)->Sectors != CospinTaskNoSectors &&
                     look->results.record[functions->offset] > 0);
}

/* The rules are the task's own table; here they are only applied. They are about labels: residuals, sectors.
 */
static PetscErrorCode check_rules(const Look *look)
{
  PetscFunctionBeginUser;
  if (is_expanded(look)) PetscFunctionReturn(0);
  for (const CospinTaskRule *rule = CospinTaskKindOf(look->task)->rules; rule && rule->suffix; rule++) {
    const CospinVariable *variable = CospinResultsFind(look->results, rule->suffix);
    if (!variable && CospinTaskKindOf(look->task)->Further)
      continue; /* along a dimension that is not there */
    PetscCheck(variable, PETSC_COMM_SELF, PETSC_ERR_PLIB, "A rule for %s, which task %s has not",
               rule->suffix, look->task->name);
    for (int index = 0; index < variable->size; index++) PetscCall(check_value(look, rule, variable, index));
  }
  PetscFunctionReturn(0);
}

/* Whether an observable has a value where all its expectation values are 0. With zeros everywhere a ratio
   has no value, a sum has. */
static PetscErrorCode always_defined(CospinObservables observables, int k, PetscBool *defined)
{
  const int count = observables->observables[k].num_expectations;
  double complex *zeros, value;

  PetscFunctionBeginUser;
  PetscCall(PetscCalloc1((size_t)count + 1, &zeros));
  PetscCall(CospinObservableEvaluate(observables, k, zeros, &value));
  PetscCall(PetscFree(zeros));
  *defined = (PetscBool)(isfinite(creal(value)) && isfinite(cimag(value)));
  PetscFunctionReturn(0);
}

/* An expression may divide by an expectation value of zero; only those that always have a value must have
   one. */
static PetscErrorCode check_observables(const Look *look)
{
  static const char *const suffixes[] = {"", "_re", "_im"};
  const CospinObservables observables = look->point->observables;
  char name[128];

  PetscFunctionBeginUser;
  if (!CospinTaskKindOf(look->task)->has_observables || CospinTaskKindOf(look->task)->observables_miss)
    PetscFunctionReturn(0);
  if (CospinTaskKindOf(look->task)->approximation) PetscFunctionReturn(0); /* may be beyond its moments */
  for (int k = 0; k < observables->count; k++) {
    PetscBool defined;
    PetscCall(always_defined(observables, k, &defined));
    for (int s = 0; defined && s < 3; s++) {
      const CospinVariable *variable;
      PetscCall(PetscSNPrintf(name, sizeof(name), "%s%s", observables->observables[k].definition->name,
                              suffixes[s]));
      variable = CospinResultsFind(look->results, name);
      for (int index = 0; variable; index++) {
        const int i = CospinResultsPlace(variable, &observables->observables[k], index);
        if (i >= variable->size) break;
        if (isfinite(look->results.record[variable->offset + i])) continue;
        PetscCall(CospinCheckFault(look->faults, name_of(variable, i, name), look->point,
                                   "is not a number, but the outcome is good"));
      }
    }
  }
  PetscFunctionReturn(0);
}

/* Integers have no NaN, so reals are looked at. */
static PetscErrorCode check_nothing_there(const Look *look)
{
  PetscFunctionBeginUser;
  for (int v = 0; v < look->results.count; v++) {
    const CospinVariable *variable = &look->results.variables[v];
    for (int i = 0; i < variable->size && variable->storage == COSPIN_REAL; i++) {
      if (isnan(look->results.record[variable->offset + i])) continue;
      PetscCall(CospinCheckFault(look->faults, variable->name, look->point,
                                 "has a value, but the outcome says that nothing was run"));
      break;
    }
  }
  PetscFunctionReturn(0);
}

PetscErrorCode CospinCheckNumbers(CospinPoint point, const CospinRecord *task, CospinResults results,
                                  int outcome, CospinFaults faults)
{
  const Look look = {point, task, results, faults};
  const CospinVariable *seconds = CospinResultsFind(results, "seconds");

  PetscFunctionBeginUser;
  if (outcome == COSPIN_NOT_RUN) PetscCall(check_nothing_there(&look));
  if (outcome != COSPIN_GOOD) PetscFunctionReturn(0);
  if (!(results.record[seconds->offset] >= 0))
    PetscCall(CospinCheckFault(faults, seconds->name, point, "is %g, which is no time",
                               results.record[seconds->offset]));
  PetscCall(check_rules(&look));
  PetscCall(check_observables(&look));
  PetscFunctionReturn(0);
}
