"""Matrices of complex numbers with 180 binary digits behind the point, for what double precision cannot resolve.

A matrix is a sum of LIMBS matrices of small whole numbers, limb k weighted by 2^(BITS (HEAD - k)). Products of whole
numbers below 2^18 are exact in double precision, so a product is made of BLAS's products of limbs. Entries should be
of order one: their absolute precision is what is kept.
"""
import numpy

BITS, LIMBS, HEAD = 18, 12, 1
BASE = 2.0**BITS


def settle(limbs):
    """Carries what exceeds BITS to the limb above."""
    for k in range(LIMBS - 1, 0, -1):
        carry = numpy.round(limbs[k] / BASE)
        limbs[k] -= carry * BASE
        limbs[k - 1] += carry
    return limbs


class Wide:
    def __init__(self, limbs):
        self.limbs = limbs

    @classmethod
    def of(cls, matrix):
        """Of an array of doubles, exactly (down to the last limb)."""
        rest, limbs = numpy.array(matrix, dtype=complex), []
        for k in range(LIMBS):
            weight = BASE**(HEAD - k)
            limbs.append(numpy.round(rest / weight))
            rest = rest - limbs[-1] * weight
        return cls(settle(numpy.array(limbs)))

    @classmethod
    def exact(cls, shape, entries):
        """Of a dictionary (row, column) -> mpmath's number."""
        limbs = numpy.zeros((LIMBS, *shape), dtype=complex)
        for (row, column), value in entries.items():
            for part, unit in ((value.real, 1), (value.imag, 1j)):
                whole = int(part * 2**(BITS * (LIMBS - 1 - HEAD)))
                sign, whole = (-1 if whole < 0 else 1), abs(whole)
                for k in range(LIMBS - 1, 0, -1):
                    limbs[k, row, column] += sign * unit * (whole & ((1 << BITS) - 1))
                    whole >>= BITS
                limbs[0, row, column] += sign * unit * whole
        return cls(settle(limbs))

    def double(self):
        total = numpy.zeros(self.limbs.shape[1:], dtype=complex)
        for k in range(LIMBS - 1, -1, -1):
            total += self.limbs[k] * BASE**(HEAD - k)
        return total

    def __add__(self, other):
        return Wide(settle(self.limbs + other.limbs))

    def __sub__(self, other):
        return Wide(settle(self.limbs - other.limbs))

    def __matmul__(self, other):
        a, b = self.limbs, other.limbs
        product = numpy.zeros((LIMBS, a.shape[1], b.shape[2]), dtype=complex)
        filled = [[k for k in range(LIMBS) if x[k].any()] for x in (a, b)]
        for i in filled[0]:
            for j in filled[1]:
                k = i + j - HEAD
                if k < LIMBS:
                    product[max(k, 0)] += (a[i] @ b[j]) * (BASE if k < 0 else 1)
        return Wide(settle(product))

    def block(self, rows, columns):
        return Wide(self.limbs[:, rows][:, :, columns])

    def shifted(self, number):
        """Minus a number times the unit matrix."""
        return self - Wide.of(number * numpy.eye(self.limbs.shape[1]))

    def scaled(self, exponent):
        """Times 2^exponent."""
        rest = settle(self.limbs * 2.0**(exponent % BITS))
        limbs, by = numpy.zeros_like(rest), exponent // BITS
        for k in range(LIMBS):
            if k - by >= LIMBS:
                continue
            if k - by >= 0:
                limbs[k - by] += rest[k]
            else:
                limbs[0] += rest[k] * BASE**(by - k)
        return Wide(settle(limbs))
