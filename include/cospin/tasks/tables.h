/* The tables of all tasks, and what is asked of a task by its record in the deck. */
#pragma once
#include <cospin/point/task.h>

extern const CospinTaskKind *const CospinTaskKinds[]; /* NULL at the end */
extern const CospinRecordKind *const CospinTaskRecords[];
/* The same under `operator: expansion`. */
extern const CospinTaskKind *const CospinTaskExpandedKinds[];
extern const CospinRecordKind *const CospinTaskExpandedRecords[];
/* What `steady` and `gap` are with the key `period`; their records are those of the tasks. NULL at the end.
 */
extern const CospinTaskKind *const CospinTaskPeriodicKinds[];
/* Those that are in closed form: exact, but they ask nothing of components; NULL at the end. */
extern const CospinRecordKind *const CospinTasksAlone[];
const CospinTaskKind *CospinTaskKindOf(const CospinRecord *task);
/* Not collective. The kind's Check; and a fault where the generator depends on time and the kind does not
   allow that. */
PetscErrorCode CospinTaskCheck(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                               CospinDimension *dimension, PetscBool *ok);
/* Whether the deck wants factorisations for its evolution, and with them a matrix, whatever `operator` says.
 */
PetscBool CospinTaskFactorises(const CospinRecord *task);
/* What an outcome means of a task of this kind: its own sentence, or that of the outcome ("" for good). */
const char *CospinTaskHelp(const CospinTaskKind *kind, int outcome);
/* The same with the task's name in place of `<task>`, cut to `size`. */
void CospinTaskDescribeOutcome(const CospinRecord *task, int outcome, char text[], size_t size);
/* Not collective. The problem that the task solves, `problem` itself or what its kind derives from it. */
PetscErrorCode CospinTaskGetProblem(CospinProblem problem, const CospinRecord *task, CospinProblem *solved);
PetscErrorCode CospinTaskRestoreProblem(CospinProblem problem, CospinProblem *solved);
/* Not collective. Gives the coordinates of a problem windows (CospinWindowFit) if every task of the deck
 * stays near the steady state. */
PetscErrorCode CospinTasksFitWindow(CospinProblem problem);
/* Whether a task needs only labels near the steady state: its kind does, and the deck gives no other state.
 */
PetscBool CospinTaskStaysNear(const CospinRecord *task);
/* Collective. Gives the labels of the point's problem weights for this task, or takes them away (weigh.c);
 * then what was solved is dropped. Does nothing where no component has weights. */
PetscErrorCode CospinTaskWeigh(CospinPoint point, const CospinRecord *task);
/* Whether all tasks of a deck are approximate or in closed form: nobody enumerates elements of Liouville
 * space then. */
PetscBool CospinTasksAreApproximate(CospinDeck deck);
