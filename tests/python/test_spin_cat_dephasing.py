"""Spin cats with given detunings: fidelities of an independent code (error below 1e-9) at Gamma2 t = 10, 50, 100, 200."""
# cospin-test: TIMEOUT 900
import sys
import unittest

from decks import run

SIX = (.013, -.021, .004, .0175, -.0082, .0011)
EIGHT = tuple(.01 * x for x in (1.028857, 1.64192, 1.14672, -.97318, -1.3928, .067196, .861351, .509187))
# detunings of sigma_z/2, the printed digits, {parity: fidelities}
CASES = [(SIX[:4], 8, {+1: (.98455337, .96165664, .92971243, .86868280), -1: (.95582361, .65490953, .33862271, .39917725)}),
         (SIX, 8, {+1: (.99352301, .94946212, .85374096, .66066242), -1: (.97310105, .65572924, .17880624, .12242079)}),
         (EIGHT, 10, {+1: (.9965258984, .9643630806, .8829277134, .7054174969),
                      -1: (.9846987333, .7674176706, .3308767630, .0928971571)})]


class Dephasing(unittest.TestCase):
    def test_fidelities(self):
        for detunings, digits, expected in CASES:
            data = run("spin_cat_dephasing.yaml",
                       [(r"^  N: +8", f"  N: {len(detunings)}"), (r"^  delta: 0\.01", "  delta: 1"),
                        (r"^  delta: \[1e-2, 1e-3\]\n", ""), (r"^plots:\n(  - .*\n)+", ""),
                        (r"^  realisation: \{range: \[0, 10\]\}\n", ""),
                        (r"^  unit: .*$", "  unit: [%s]" % ", ".join(map(repr, detunings))),
                        (r"times: +\{linspace: .*\}", "times: [10, 50, 100, 200]")])
            self.assertTrue((data.outcome == 1).all())
            for parity, fidelities in expected.items():
                found = data.evolve_fidelity.sel(sign=parity).values
                for value, reference in zip(found, fidelities):
                    self.assertAlmostEqual(float(value), reference, delta=2e-9 + .6 * 10 ** -digits)
            self.assertLess(float(abs(data.evolve_trace - 1).max()), 1e-9)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
