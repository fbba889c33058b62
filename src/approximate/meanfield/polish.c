/*
   The last digits of a fixed point. Newton's method without a matrix stops when slopes are small beside the
   fastest rate; of 10^15 spins that drive a mode this is 10^7 times faster than what fixes the number of
   photons, which has five digits then. Here each equation counts beside its own largest derivative:

     R^-1 J delta = -R^-1 f,   R_k = max_l |J_kl|,   of smallest length (free phases have no equation)

   J exact by differences (linear.c), solved by singular values; repeated while the steps become smaller.
*/
#include "linear.h"
#include <petscblaslapack.h>

/* Pictures of many points have few unknowns each; many unknowns keep what Newton's method has. */
enum { MOST_UNKNOWNS = 64, MOST_STEPS = 6, ROOM = 5 };
static const double near = 1e-2;       /* a first step beyond it leads away from the point that was found */
static const double dependent = 1e-11; /* singular values below it, relative, are free directions */
static const double worthwhile = 0.5;  /* a step that is not so much smaller than the last one is rounding */

typedef struct {
  PetscScalar *matrix, *right, *work; /* [n][n], [n], room of LAPACK */
  double *singular, *real_work, *v, *jv;
} Room;

static PetscErrorCode create_room(int n, Room *room)
{
  const size_t size = (size_t)n;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc3(size * size, &room->matrix, size, &room->right, ROOM * size, &room->work));
  PetscCall(
      PetscMalloc4(size, &room->singular, ROOM * size, &room->real_work, size, &room->v, size, &room->jv));
  PetscFunctionReturn(0);
}

static PetscErrorCode destroy_room(Room *room)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree3(room->matrix, room->right, room->work));
  PetscCall(PetscFree4(room->singular, room->real_work, room->v, room->jv));
  PetscFunctionReturn(0);
}

/* J and -f, in units, each row over its largest element. */
static PetscErrorCode fill(CospinMeanLinear *linear, Room *room)
{
  const int n = linear->field->num_unknowns;

  PetscFunctionBeginUser;
  for (int column = 0; column < n; column++) {
    for (int k = 0; k < n; k++) room->v[k] = k == column;
    PetscCall(CospinMeanLinearDerivative(linear, room->v, room->jv));
    for (int k = 0; k < n; k++) room->matrix[column * n + k] = room->jv[k];
  }
  PetscCall(CospinMeanFieldSlopes(linear->field, linear->u, linear->slopes));
  for (int k = 0; k < n; k++) {
    double largest = 0.0;
    for (int column = 0; column < n; column++)
      largest = PetscMax(largest, PetscAbsScalar(room->matrix[column * n + k]));
    room->right[k] = largest > 0 ? -linear->slopes[k] / linear->units[k] / largest : 0.0;
    for (int column = 0; column < n && largest > 0; column++) room->matrix[column * n + k] /= largest;
  }
  PetscFunctionReturn(0);
}

/* right = delta; *ok false if LAPACK gives up. */
static PetscErrorCode solve(int n, Room *room, PetscBool *ok)
{
  PetscBLASInt size = n, one = 1, rank, room_size = ROOM * n, info;
  const double share = dependent;

  PetscFunctionBeginUser;
  PetscCall(PetscFPTrapPush(PETSC_FP_TRAP_OFF));
  LAPACKgelss_(&size, &size, &one, room->matrix, &size, room->right, &size, room->singular, &share, &rank,
               room->work, &room_size, room->real_work, &info);
  PetscCall(PetscFPTrapPop());
  *ok = (PetscBool)(info == 0);
  PetscFunctionReturn(0);
}

/* One step from u; *length: the largest of its components, in units. */
static PetscErrorCode step(CospinMeanField field, Room *room, double u[], double most, double *length,
                           PetscBool *taken)
{
  CospinMeanLinear linear;

  PetscFunctionBeginUser;
  PetscCall(CospinMeanLinearCreate(field, u, &linear));
  PetscCall(fill(&linear, room));
  PetscCall(solve(field->num_unknowns, room, taken));
  *length = 0.0;
  for (int k = 0; k < field->num_unknowns && *taken; k++)
    *length = PetscMax(*length, PetscAbsReal(PetscRealPart(room->right[k])));
  *taken = (PetscBool)(*taken && *length <= most); /* false of NaN */
  for (int k = 0; k < field->num_unknowns && *taken; k++)
    u[k] += linear.units[k] * PetscRealPart(room->right[k]);
  PetscCall(CospinMeanLinearDestroy(&linear));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinMeanFieldPolish(CospinMeanField field, double u[])
{
  PetscBool taken = PETSC_TRUE;
  double length, most = near;
  Room room;

  PetscFunctionBeginUser;
  if (field->num_unknowns > MOST_UNKNOWNS) PetscFunctionReturn(0);
  PetscCall(create_room(field->num_unknowns, &room));
  for (int k = 0; k < MOST_STEPS && taken; k++) {
    PetscCall(step(field, &room, u, most, &length, &taken));
    most = worthwhile * length;
    if (length <= PETSC_MACHINE_EPSILON) break;
  }
  PetscCall(destroy_room(&room));
  PetscFunctionReturn(0);
}
