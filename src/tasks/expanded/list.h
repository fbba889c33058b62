/* The tasks under `operator: expansion`, one line each; included under different meanings of COSPIN_TASK. */
COSPIN_TASK(CospinTaskExpandedSteady)
COSPIN_TASK(CospinTaskExpandedDecay)
COSPIN_TASK(CospinTaskExpandedGap)
COSPIN_TASK(CospinTaskExpandedCounting)
COSPIN_TASK(CospinTaskExpandedCorrelation)
COSPIN_TASK(CospinTaskExpandedG2)
COSPIN_TASK(CospinTaskExpandedSpectrum)
