/* The tasks with a key `period`, one line each; included under different meanings of COSPIN_TASK. */
COSPIN_TASK(CospinTaskPeriodicSteady)
COSPIN_TASK(CospinTaskPeriodicGap)
