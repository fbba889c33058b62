"""Initial states, as density matrices on the whole space, and functionals of states."""
from math import comb, factorial

import numpy
from mpmath import mp


def spin_coherent(two_s, theta, phi):
    """Amplitudes over m + S of 2S spins-1/2 in cos(theta/2) down + exp(i phi) sin(theta/2) up."""
    c, s = numpy.cos(theta / 2), numpy.exp(1j * phi) * numpy.sin(theta / 2)
    return numpy.array([numpy.sqrt(comb(two_s, n)) * c**(two_s - n) * s**n for n in range(two_s + 1)])


def pure(ket):
    ket = numpy.asarray(ket, dtype=complex)
    ket = ket / numpy.linalg.norm(ket)
    return numpy.outer(ket, ket.conj())


def product_ket(component, one):
    """All spins in one[0] down + one[1] up."""
    return numpy.array([numpy.prod([one[bit] for bit in ket]) for ket in component.kets])


def css(component, theta, phi):
    if component.kind == "spin":
        return spin_coherent(component.two_s, theta, phi)
    if component.kind == "levels":
        return levels_product(component, spin_coherent(component.levels - 1, theta, phi))
    return product_ket(component, [numpy.cos(theta / 2), numpy.exp(1j * phi) * numpy.sin(theta / 2)])


def levels_product(component, one):
    amplitude = []
    for ket in component.kets:
        many = factorial(component.atoms)
        for n in ket:
            many //= factorial(n)
        amplitude.append(numpy.sqrt(many) * numpy.prod([complex(x)**n for x, n in zip(one, ket)]))
    return numpy.array(amplitude)


def dicke(space, component, j, m):
    """One level m: the even mixture of all copies of j."""
    if component.kind == "spin":
        return numpy.diag(numpy.arange(component.size) == round(m + component.two_s / 2)).astype(complex)
    plus = numpy.zeros((component.size, component.size))
    for (x, y), value in component.named("Sp", None).items():
        plus[x, y] = float(mp.re(value))
    z = numpy.array([sum(ket) - component.spins / 2 for ket in component.kets])
    inside = numpy.flatnonzero(abs(z - m) < 0.1)
    square = (plus.T @ plus + numpy.diag(z * z + z))[numpy.ix_(inside, inside)]
    values, vectors = numpy.linalg.eigh(square)
    chosen = vectors[:, abs(values - j * (j + 1)) < 1e-6]
    state = numpy.zeros((component.size, component.size), dtype=complex)
    state[numpy.ix_(inside, inside)] = chosen @ chosen.T / chosen.shape[1]
    return state


def mode_state(component, kind, x):
    n = numpy.arange(component.size)
    if kind == "thermal":
        weights = (x.real / (1 + x.real))**n
        return numpy.diag(weights / weights.sum()).astype(complex)
    return pure([x**k / numpy.sqrt(float(factorial(k))) for k in n])


def component_state(deck, component, entry):
    """The density matrix of one component."""
    if entry == "ground":
        charges = [sum(k * q for k, q in enumerate(component.charges(k0))) if component.kind == "levels"
                   else sum(component.charges(k0)) for k0 in range(component.size)]
        return pure(numpy.array(charges) == 0)
    (kind, arguments), = entry.items()
    arguments = [complex(deck.number(x)) for x in (arguments if isinstance(arguments, list) else [arguments])]
    if kind == "css":
        return pure(css(component, arguments[0].real, arguments[1].real))
    if kind == "cat":
        theta, phi, sign = (x.real for x in arguments)
        return pure(css(component, theta, phi) + sign * css(component, theta, phi + numpy.pi))
    if kind == "dicke":
        return dicke(deck.space, component, arguments[0].real, arguments[1].real)
    if kind == "fock":
        return pure(numpy.arange(component.size) == round(arguments[0].real))
    if kind == "level":
        level = round(arguments[0].real)
        return pure([ket[level] == component.atoms for ket in component.kets])
    if kind == "occupations":
        return pure([ket == tuple(round(x.real) for x in arguments) for ket in component.kets])
    if kind == "product":
        return pure(levels_product(component, arguments))
    return mode_state(component, kind, arguments[0])


def initial(deck, entry):
    state = numpy.ones((1, 1), dtype=complex)
    for component in deck.space.components:
        state = numpy.kron(state, component_state(deck, component, (entry or {}).get(component.name, "ground")))
    return state


# ---- Functionals ---------------------------------------------------------------------------------------------------

def spectrum(rho):
    return numpy.linalg.eigh((rho + rho.conj().T) / 2)


def purity(rho):
    return numpy.trace(rho @ rho).real


def entropy(rho):
    p = spectrum(rho)[0]
    p = p[p > 1e-300]
    return -(p * numpy.log(p)).sum()


def fisher(rho, generator):
    p, kets = spectrum(rho)
    p = numpy.maximum(p, 0)
    g = abs(kets.conj().T @ generator @ kets)**2
    total = p[:, None] + p[None, :]
    return 2 * (numpy.where(total > 1e-14, (p[:, None] - p[None, :])**2 / numpy.maximum(total, 1e-300), 0) * g).sum()


def weight(space, component, rho, x):
    """Probability of j = x, m = x or n = x."""
    at = space.components.index(component)
    if component.kind == "ensemble":
        one = sum(dicke(space, component, x, m) * copies(component.spins, x) for m in numpy.arange(-x, x + 1))
    else:
        level = round(x + component.two_s / 2) if component.kind == "spin" else round(x)
        one = numpy.diag(numpy.arange(component.size) == level).astype(complex)
    before, behind = int(numpy.prod(space.shape[:at])), int(numpy.prod(space.shape[at + 1:]))
    return numpy.trace(numpy.kron(numpy.kron(numpy.eye(before), one), numpy.eye(behind)) @ rho).real


def copies(n, j):
    """How often j occurs in n spins-1/2."""
    k = round(n / 2 - j)
    return comb(n, k) - (comb(n, k - 1) if k else 0)
