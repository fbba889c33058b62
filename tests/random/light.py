"""What `correlation`, `g2`, `spectrum`, `counting` and `clicks` are to give. All but clicks are about the steady state."""
from math import comb, exp, factorial

import numpy

import states
import tasks


def steady_matrix(generator):
    """The density matrix of the steady state if there is only one in the sectors that have a trace, else None. There may be
    conserved coherences beside it: what they change is for the callers to see."""
    return generator.matrix(tasks.steady_state(generator)) if tasks.null_counts(generator)[0] == 1 else None


def coherences(generator):
    """Null vectors in sectors without a trace."""
    for b in range(len(generator.blocks)):
        members = generator.blocks[b]
        if generator.sector_of[members[0]] in generator.trace_sectors:
            continue
        for group in generator.groups(b):
            if generator.stationary(group):
                for column in group.right.T:
                    vector = numpy.zeros(generator.dimension, dtype=complex)
                    vector[members] = column
                    yield vector


def depends(generator, values, size):
    """Whether values of a state (a linear function of its matrix) change with conserved coherences."""
    return any(abs(numpy.asarray(values(generator.matrix(x)))).max() > 1e-9 * size for x in coherences(generator))


def operators(generator, task):
    a = generator.deck.operator(task["of"])
    b = generator.deck.operator(task["with"]) if "with" in task else a.adjoint()
    return a, b


def mean(operator, rho):
    return numpy.trace(operator @ rho)


def correlation(generator, task, times):
    rho = steady_matrix(generator)
    if rho is None:
        return None
    a, b = operators(generator, task)
    one, two = a.dense(), b.dense()
    size = numpy.linalg.norm(one, 2) * numpy.linalg.norm(two, 2)

    def values(state):
        return tasks.propagate(generator, generator.vector(two @ state), times) @ generator.reading(a)
    if depends(generator, values, size):
        return None
    return {"values": values(rho), "equal": mean(one @ two, rho), "coherent": mean(one, rho) * mean(two, rho), "size": size}


def g2(generator, task, times):
    rho = steady_matrix(generator)
    if rho is None:
        return None
    a = generator.deck.operator(task["of"])
    one, square = a.dense(), a.adjoint() * a
    intensity = mean(square.dense(), rho).real
    size = numpy.linalg.norm(one, 2)**2

    def values(state):
        return tasks.propagate(generator, generator.vector(one @ state @ one.conj().T), times) @ generator.reading(square)
    if depends(generator, values, size**2) or depends(generator, lambda x: mean(square.dense(), x), size):
        return None
    return {"intensity": intensity, "size": size, "values": values(rho).real / intensity**2 if intensity > 1e-13 * size else None}


def resolvent(generator, start, reading, omega):
    """reading . (i omega - L)^-1 start, without the steady part."""
    total = 0j
    for b, members in enumerate(generator.blocks):
        if not start[members].any():
            continue
        for group in generator.groups(b):
            if generator.stationary(group):
                continue
            share = group.left.conj().T @ start[members]
            total += reading[members] @ group.right @ numpy.linalg.solve(
                1j * omega * numpy.eye(len(share)) - group.generator(), share)
    return total


class Spectrum:
    def __init__(self, generator, task):
        rho = steady_matrix(generator)
        self.known = rho is not None
        if not self.known:
            return
        a, b = operators(generator, task)
        one, two = a.dense(), b.dense()
        self.generator, self.read = generator, (generator.reading(a), generator.reading(b))
        self.kicked = generator.vector(two @ rho), generator.vector(rho @ one)
        self.coherent = mean(one, rho) * mean(two, rho)
        self.power = mean(one @ two, rho) - self.coherent
        self.size = numpy.linalg.norm(one, 2) * numpy.linalg.norm(two, 2)
        # lines that nothing damps have no width: then there is no spectrum
        self.lines = any(self.line(b, group) for b in range(len(generator.blocks)) for group in generator.groups(b) if group.null)

    def line(self, b, group):
        generator, members = self.generator, self.generator.blocks[b]
        if generator.stationary(group) and generator.sector_of[members[0]] in generator.trace_sectors:
            return False
        return any(abs((read[members] @ group.right) @ (group.left.conj().T @ kicked[members])) > 1e-12 * self.size
                   for read, kicked in zip(self.read, self.kicked))

    def density(self, omega):
        """The integral over t > 0 of exp(-i omega t) <A(t) B(0)> and, over t < 0, of the same with <A(0) B(-t)>."""
        return resolvent(self.generator, self.kicked[0], self.read[0], omega) + \
            resolvent(self.generator, self.kicked[1], self.read[1], -omega)


# ---- Counting --------------------------------------------------------------------------------------------------------

def jump_elements(generator, name):
    return generator.superoperator([(c, a, b) for label, c, a, b in generator.deck.jumps if label == name])


def matrix_of(generator, elements):
    matrix = numpy.zeros((generator.dimension, generator.dimension), dtype=complex)
    for (to, source), value in elements.items():
        matrix[to, source] = complex(value)
    return matrix


def inverse_beside(generator, vector):
    """The Drazin inverse of the generator, applied."""
    result = numpy.zeros(generator.dimension, dtype=complex)
    for b, members in enumerate(generator.blocks):
        if not vector[members].any():
            continue
        for group in generator.groups(b):
            if not generator.stationary(group):
                result[members] += group.right @ numpy.linalg.solve(group.generator(), group.left.conj().T @ vector[members])
    return result


def number(generator, task, key, default):
    return float(generator.deck.number(task.get(key, default)).real)


def null_vectors(generator, elements):
    """In sectors that have a trace or are reached from these by jumps that are counted."""
    sectors, sector_of, before = set(generator.trace_sectors), generator.sector_of, 0
    while len(sectors) > before:
        before = len(sectors)
        sectors |= {sector_of[to] for to, source in elements if sector_of[source] in sectors}
    return sum(len(group.eigenvalues) for b in generator.blocks_of_sectors(sectors) for group in generator.groups(b)
               if generator.stationary(group))


def counting(generator, task):
    """Cumulants per time: derivatives at 0 of the eigenvalue next to zero of L + (exp(chi) - 1) J. With rho(chi) = sum of
    x_n chi^n/n!: L x_n + sum_k binomial(n, k) J x_(n-k) = sum_k binomial(n, k) c_k x_(n-k), k = 1 ... n."""
    efficiency, dark = number(generator, task, "efficiency", 1), number(generator, task, "dark", 0)
    elements = jump_elements(generator, task["jump"])
    if null_vectors(generator, elements) != 1:
        return None
    jump = efficiency * matrix_of(generator, elements)
    orders, cumulants = [tasks.steady_state(generator)], []
    for n in range(1, 5):
        kicks = [jump @ x for x in orders]
        cumulants.append(sum(comb(n, k) * (generator.trace @ kicks[n - k]) for k in range(1, n + 1)).real)
        orders.append(inverse_beside(generator, sum(comb(n, k) * (cumulants[k - 1] * orders[n - k] - kicks[n - k])
                                                    for k in range(1, n + 1))))
    return [c + dark for c in cumulants]


def multiply(a, b):
    """Polynomials of matrices, cut at their length."""
    return [sum(a[i] @ b[k - i] for i in range(k + 1)) for k in range(len(a))]


def counted_propagator(quiet, jump, time, most):
    """exp(t (quiet + z jump)) as a polynomial in z, cut at z^most: by Taylor's series and squaring."""
    size = numpy.linalg.norm(quiet, 1) + numpy.linalg.norm(jump, 1)
    halvings = max(0, int(numpy.ceil(numpy.log2(max(size * time, 1e-30)))) + 2)
    step = time / 2**halvings
    zero = numpy.zeros_like(quiet)
    term = [numpy.eye(len(quiet), dtype=complex)] + [zero] * most
    total = list(term)
    for n in range(1, 16):
        term = [(quiet @ term[k] + (jump @ term[k - 1] if k else zero)) * (step / n) for k in range(most + 1)]
        total = [a + b for a, b in zip(total, term)]
    for _ in range(halvings):
        total = multiply(total, total)
    return total


def clicks(generator, task):
    """The states after n = 0 ... most clicks, not normalised."""
    deck, most = generator.deck, int(number(generator, task, "most", 0))
    efficiency, dark = number(generator, task, "efficiency", 1), number(generator, task, "dark", 0)
    time = number(generator, task, "time", 0)
    start = generator.vector(states.initial(deck, task["initial"]))
    jump = efficiency * matrix_of(generator, jump_elements(generator, task["jump"]))
    whole = matrix_of(generator, generator.elements)
    after = [x @ start for x in counted_propagator(whole - jump, jump, time, most)]
    poisson = [exp(-dark * time) * (dark * time)**k / factorial(k) for k in range(most + 1)]
    return [sum(poisson[k] * after[n - k] for k in range(n + 1)) for n in range(most + 1)]
