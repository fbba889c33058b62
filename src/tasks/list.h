/* The tasks, one line each; included under different meanings of COSPIN_TASK. */
COSPIN_TASK(CospinTaskSteady)
COSPIN_TASK(CospinTaskDecay)
COSPIN_TASK(CospinTaskGap)
COSPIN_TASK(CospinTaskEvolve)
COSPIN_TASK(CospinTaskSpectrum)
COSPIN_TASK(CospinTaskCorrelation)
COSPIN_TASK(CospinTaskG2)
COSPIN_TASK(CospinTaskCounting)
