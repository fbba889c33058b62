/*
   The functionals of the state that observables know, one line each: name, arguments (n number, o operator, c
   component; capital letters: may be left out), and the CospinFunctionalKind that computes it. Included under
   different meanings of COSPIN_FUNCTIONAL.
*/
COSPIN_FUNCTIONAL("qfi", "o", CospinFunctionalQfi)
COSPIN_FUNCTIONAL("qfi_max", "c", CospinFunctionalQfiMax)
COSPIN_FUNCTIONAL("squeezing", "c", CospinFunctionalSqueezing)
COSPIN_FUNCTIONAL("wineland", "c", CospinFunctionalWineland)
COSPIN_FUNCTIONAL("purity", "", CospinFunctionalPurity)
COSPIN_FUNCTIONAL("entropy", "", CospinFunctionalEntropy)
COSPIN_FUNCTIONAL("weight", "cnN", CospinFunctionalWeight)
COSPIN_FUNCTIONAL("negativity", "cCCC", CospinFunctionalNegativity)
COSPIN_FUNCTIONAL("mutual", "cCCC", CospinFunctionalMutual)
