"""The spectrum of a generator over any number of decades.

Double precision tells eigenvalues to some 1e-16 of the generator's norm. Those that are next to the imaginary axis are
therefore taken apart: a similarity transformation, refined by Newton's method in wide numbers, separates them from the
others (and from each other by frequency); what is left of them is a small matrix whose norm is theirs. It is shifted
by its frequency, scaled up, and looked at again, until it is zero or resolved.

What comes out is a list of groups: L = sum over groups of V (shift + M) W^H, with W^H V = 1 within a group and 0
between two. A group is `null` if M is zero: its eigenvalue is i times a frequency, exactly.
"""
import numpy
import scipy.linalg

from wide import Wide

SLOW = 1e-6       # real parts below this, relative to the norm, are looked at again
CLOSE = 1e-5      # frequencies that are nearer to each other stay together
ZERO = 1e-40      # of the whole generator's norm: nothing
EPS = 2.3e-16


class Unresolved(Exception):
    """The reference does not know."""


class Group:
    def __init__(self, frequency, matrix, right, left, null):
        self.frequency, self.matrix, self.right, self.left, self.null = frequency, matrix, right, left, null
        n = len(matrix)
        if null:
            self.eigenvalues, self.vectors, self.errors = numpy.full(n, 1j * frequency), numpy.eye(n), numpy.zeros(n)
        else:
            values, self.vectors = scipy.linalg.eig(matrix)
            self.eigenvalues = values + 1j * frequency
            self.errors = 4 * EPS * numpy.linalg.norm(matrix) * conditions(self.vectors) + EPS * abs(frequency)

    def generator(self):
        return self.matrix + 1j * self.frequency * numpy.eye(len(self.matrix))


def exponential(matrix):
    """scipy's own formula for two by two overflows: of a larger one."""
    n = len(matrix)
    return scipy.linalg.expm(numpy.pad(matrix, (0, 1 if n == 2 else 0)))[:n, :n]


def conditions(right_vectors):
    """Of eigenvalues, from their vectors."""
    try:
        left = numpy.linalg.inv(right_vectors)
    except numpy.linalg.LinAlgError:
        return numpy.full(len(right_vectors), 1e12)
    return numpy.linalg.norm(left, axis=1) * numpy.linalg.norm(right_vectors, axis=0)


def clusters(values, norm):
    """Indices of eigenvalues that need another look, those of one frequency together; and the rest."""
    slow = [k for k in range(len(values)) if abs(values[k].real) < SLOW * norm]
    slow.sort(key=lambda k: values[k].imag)
    found = []
    for k in slow:
        if found and values[k].imag - values[found[-1][-1]].imag < CLOSE * norm:
            found[-1].append(k)
        else:
            found.append([k])
    rest = [k for k in range(len(values)) if k not in set(slow)]
    return found, rest


def projector(matrix, values, chosen):
    """(right, left) of some eigenvalues: bases of their invariant subspaces with left @ right = 1."""
    others = [k for k in range(len(values)) if k not in set(chosen)]

    def member(value):
        return min(abs(values[chosen] - value)) < min(abs(values[others] - value))
    upper, basis, count = scipy.linalg.schur(matrix, output="complex", sort=member)
    if count != len(chosen):
        raise Unresolved(f"{count} eigenvalues in a cluster of {len(chosen)}")
    rest = scipy.linalg.solve_sylvester(upper[:count, :count], -upper[count:, count:], upper[:count, count:])
    adjoint = basis.conj().T
    return basis[:, :count], adjoint[:count] + rest @ adjoint[count:]


def invariant(matrix, values, chosen):
    """An orthonormal basis of the invariant subspace of some eigenvalues."""
    if len(chosen) == len(values):
        return numpy.eye(len(matrix), dtype=complex)
    return projector(matrix, values, chosen)[0]


def separate(wide, parts):
    """The basis in which `wide` is block diagonal, its inverse, and the blocks. parts: bases of invariant subspaces."""
    sizes = [part.shape[1] for part in parts]
    edges = numpy.concatenate([[0], numpy.cumsum(sizes)])
    slices = [slice(edges[k], edges[k + 1]) for k in range(len(parts))]
    start = numpy.hstack(parts)
    if numpy.linalg.cond(start) > 1e10:
        raise Unresolved("invariant subspaces are nearly parallel")
    basis, inverse, one = Wide.of(start), Wide.of(numpy.linalg.inv(start)), Wide.of(numpy.eye(len(start)))
    for step in range(8):
        for _ in range(3 if step == 0 else 1):
            inverse = inverse + inverse @ (one - basis @ inverse)
        turned = inverse @ (wide @ basis)
        whole = turned.double()
        largest, change = 0.0, numpy.zeros_like(whole)
        for g, rows in enumerate(slices):
            for h, columns in enumerate(slices):
                if g != h:
                    largest = max(largest, abs(whole[rows, columns]).max())
                    change[rows, columns] = scipy.linalg.solve_sylvester(whole[rows, rows], -whole[columns, columns],
                                                                         -whole[rows, columns])
        if largest < 1e-46:
            return basis, inverse, turned, slices
        small = Wide.of(change)
        basis, inverse = basis + basis @ small, inverse - small @ inverse
    raise Unresolved(f"a similarity transformation did not converge: {largest:.1e}")


def beside_trace(matrix, trace, scale):
    """Groups where the one slow eigenvalue is the zero that comes from the trace: double precision is enough."""
    complement = scipy.linalg.null_space(trace.conj()[None, :])
    null = scipy.linalg.svd(matrix)[2][-1].conj()
    null /= trace.conj() @ null
    basis = numpy.hstack([null[:, None], complement])
    left = numpy.linalg.inv(basis).conj().T
    rest = left[:, 1:].conj().T @ matrix @ complement
    return [Group(0.0, numpy.zeros((1, 1)), null[:, None], trace[:, None], True),
            Group(0.0, rest * scale, complement, left[:, 1:], False)]


def groups_of(wide, scale=1.0, frequency=0.0, trace=None):
    """Groups of a matrix `wide`*scale + i frequency. `trace`: a vector that is known to be a left null vector."""
    matrix = wide.double()
    size, norm = len(matrix), numpy.linalg.norm(matrix)
    if norm * scale < ZERO:
        return [Group(frequency, 0 * matrix, numpy.eye(size, dtype=complex), numpy.eye(size, dtype=complex), True)]
    if size == 1:
        value = matrix[0, 0] * scale
        if abs(value.real) < ZERO:
            return [Group(frequency + value.imag, 0 * matrix, numpy.eye(1), numpy.eye(1), True)]
        return [Group(frequency, matrix * scale, numpy.eye(1), numpy.eye(1), False)]
    values = numpy.linalg.eigvals(matrix)
    slow, rest = clusters(values, norm)
    if not slow:
        return [Group(frequency, matrix * scale, numpy.eye(size, dtype=complex), numpy.eye(size, dtype=complex), False)]
    if trace is not None and len(slow) == 1 and len(slow[0]) == 1 and rest:
        return beside_trace(matrix, trace, scale)
    if len(slow) == 1 and not rest:
        return zoom(wide, scale, frequency, norm)
    parts = [invariant(matrix, values, chosen) for chosen in slow + ([rest] if rest else [])]
    basis, inverse, turned, slices = separate(wide, parts)
    right, left = basis.double(), inverse.double().conj().T
    found = []
    for k, part in enumerate(slices):
        block = turned.block(part, part)
        if k == len(slow):
            inner = [Group(frequency, block.double() * scale, numpy.eye(len(rest)), numpy.eye(len(rest)), False)]
        else:
            inner = zoom(block, scale, frequency, norm)
        for group in inner:
            group.right, group.left = right[:, part] @ group.right, left[:, part] @ group.left
        found += inner
    return found


def zoom(wide, scale, frequency, norm_before):
    """A matrix whose eigenvalues are nearly one: shifted by its frequency and scaled up."""
    matrix = wide.double()
    shift = numpy.trace(matrix).imag / len(matrix)
    if abs(shift) < 1e-3 * SLOW * norm_before:
        shift = 0.0
    rest = wide.shifted(1j * shift)
    norm = numpy.linalg.norm(rest.double())
    if norm * scale < ZERO:
        return groups_of(rest, scale, frequency + shift * scale)
    if norm > 0.1 * norm_before:
        raise Unresolved("a slow cluster is not small")
    exponent = -int(numpy.floor(numpy.log2(norm)))
    return groups_of(rest.scaled(exponent), scale * 2.0**-exponent, frequency + shift * scale)
