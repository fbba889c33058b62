"""All ways of test_option_matrix.py."""
# cospin-test: LABELS long PROCESSORS 2 TIMEOUT 1200
import itertools
import unittest

import test_option_matrix


class WholeMatrix(test_option_matrix.OptionMatrix):
    def ways(self, windows):
        return itertools.product(windows, test_option_matrix.OPERATORS, (1, 2, 3))


del test_option_matrix.OptionMatrix  # those would be run here, too
if __name__ == "__main__":
    unittest.main()
