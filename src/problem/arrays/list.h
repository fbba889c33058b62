/* The generators of arrays, one line each; included under different meanings of COSPIN_ARRAY_KIND. */
COSPIN_ARRAY_KIND(CospinArrayNormal)
COSPIN_ARRAY_KIND(CospinArrayUniform)
COSPIN_ARRAY_KIND(CospinArrayLorentzian)
COSPIN_ARRAY_KIND(CospinArrayFile)
COSPIN_ARRAY_KIND(CospinArrayCrystal)
