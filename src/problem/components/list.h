/* The kinds of components, one line each; included under different meanings of COSPIN_KIND. */
COSPIN_KIND(CospinComponentEnsemble)
COSPIN_KIND(CospinComponentSpin)
COSPIN_KIND(CospinComponentMode)
COSPIN_KIND(CospinComponentSpins)
COSPIN_KIND(CospinComponentLevels)
COSPIN_KIND(CospinComponentMatrix)
