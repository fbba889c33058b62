"""Decks of what QuTiP holds as matrices: any finite system, each factor a component of the kind `matrix` with the operators that occur.

    deck = cospin.from_qutip(h, c_ops, {"photons": a.dag() * a}, names=["cavity", "atom"])
    deck["tasks"] = [{"evolve": {"times": [0, 1], "initial": cospin.initial_from_qutip([ket, other], ["cavity", "atom"])}}]
    data = cospin.run(deck)

The deck is a mapping, to be changed like any other: rates that become parameters, an ensemble beside what was taken over.

An operator of several factors is written as a sum of products, A1 B1 + A2 B2 + ..., of as few as Gaussian elimination with the largest
pivot finds: rows and columns of what is left of it, taken as they are, so that zeros stay zeros and symmetries are not lost. One that
is no sum of few products is written element by element, in E[a,b] = |a><b|, where that makes fewer steps.
"""
import numpy as np

MOST_LEVELS = 1000  # of `matrix`
ROUNDING = 4 * np.finfo(float).eps  # of the largest element: what elimination leaves of nothing


def from_qutip(h, c_ops=(), e_ops=None, names=None, title="Taken over from QuTiP"):
    """The deck as a mapping, with the task `steady`. `e_ops` {name: operator} become observables, of operators that are not hermitian
    the real part. `names` of the factors: A, B, ... without. Rates stand in the operators, as in QuTiP. Levels are numbered as in
    QuTiP: of a spin, 0 is up."""
    dims = h.dims[0]
    names = list(names or (chr(ord("A") + k) for k in range(len(dims))))
    wrong = [f"{name} has {size}" for name, size in zip(names, dims) if size > MOST_LEVELS]
    if wrong or len(names) != len(dims):
        raise ValueError(f"a factor may have 1 to {MOST_LEVELS} levels, and each has a name ({', '.join(wrong) or names})")
    if any(one.dims != h.dims for one in [*c_ops, *(e_ops or {}).values()]):
        raise ValueError(f"all operators need the dims of the Hamiltonian, {h.dims}")
    if not h.isherm:
        raise ValueError("the Hamiltonian is not hermitian")
    factors = [Factor(name, size) for name, size in zip(names, dims)]
    sections = {
        "hamiltonian": _hermitian_terms(_terms_of(h, factors)),
        "jumps": [{"rate": 1, "operator": text} for text in (_sum(_terms_of(one, factors)) for one in c_ops) if text],
        "observables": {name: _mean((one + one.dag()) / 2, factors) for name, one in (e_ops or {}).items()},
    }
    return {"title": title, "components": {factor.name: factor.record() for factor in factors}, **sections, "tasks": [{"steady": {}}]}


def initial_from_qutip(states, names=None):
    """`initial:` of a product of kets or density matrices, one for each factor."""
    names = list(names or (chr(ord("A") + k) for k in range(len(states))))
    return {name: {"ket": [_number(one) for one in state.full().ravel()]} if state.isket else
            {"density": [[_number(one) for one in row] for row in state.full()]} for name, state in zip(names, states)}


class Factor:
    """The operators of one component that have occurred, each once up to a number and up to the adjoint."""

    def __init__(self, name, size):
        self.name, self.size, self.operators = name, int(size), []

    def find(self, matrix):
        """(coefficient, number of the operator, whether its adjoint is meant); number None: the identity."""
        scale = matrix.flat[np.flatnonzero(matrix)[0]]
        one = matrix / scale
        if np.array_equal(one, np.eye(self.size)):
            return scale, None, False
        for adjoint in (False, True):
            turned = matrix.conj().T if adjoint else matrix
            first = turned.flat[np.flatnonzero(turned)[0]]
            for number, known in enumerate(self.operators):
                if np.allclose(turned / first, known, rtol=0, atol=ROUNDING * np.abs(known).max()):
                    return (first.conjugate() if adjoint else first), number, adjoint and not _is_hermitian(known)
        self.operators.append(one)
        return scale, len(self.operators) - 1, False

    def adjoint(self, number, adjoint):
        """(number, whether its adjoint is meant) of the adjoint of such a pair."""
        if isinstance(number, tuple):  # |a><b|
            return number[::-1], False
        return number, not adjoint and not _is_hermitian(self.operators[number])

    def steps(self, number):
        """Diagonals of an operator, twice where one has no common phase: what it costs in cospin."""
        one = self.operators[number]
        diagonals = [np.diagonal(one, k) for k in range(1 - self.size, self.size) if np.any(np.diagonal(one, k))]
        return sum(1 + bool(np.any(np.abs((line * line[np.abs(line).argmax()].conjugate()).imag) > 1e-12 * np.abs(line).max() ** 2))
                   for line in diagonals)

    def record(self):
        """The component: matrices with few elements as lists of those."""
        return {"kind": "matrix", "levels": self.size, "operators": {f"x{number}": _written(one) for number, one in enumerate(self.operators)}}


def _is_hermitian(matrix):
    return np.array_equal(matrix, matrix.conj().T)


def _written(matrix):
    if 2 * np.count_nonzero(matrix) >= matrix.size:
        return [[_number(one) for one in row] for row in matrix]
    return {"entries": [[int(a), int(b), _number(matrix[a, b])] for a, b in zip(*np.nonzero(matrix))]}


def _number(value):
    """As decks' expressions have it: the digits that it takes, negative and complex ones in parentheses."""
    value = complex(value)
    real, imag = f"{value.real:.17g}" if value.real.is_integer() else repr(value.real), repr(abs(value.imag))
    if value.imag == 0:
        return real if value.real >= 0 else f"({real})"
    return f"({real} {'-' if value.imag < 0 else '+'} {imag}*i)"


def _eliminated(matrix):
    """[(column, row)] whose products add up to the matrix: Gaussian elimination with the largest pivot."""
    rest, least = matrix.astype(complex), ROUNDING * np.abs(matrix).max()
    while True:
        place = np.unravel_index(np.abs(rest).argmax(), rest.shape)
        pivot = rest[place]
        if abs(pivot) <= least:
            return
        column, row = rest[:, place[1]].copy(), rest[place[0], :] / pivot
        yield column, row
        rest -= np.outer(column, row)
        rest[np.abs(rest) <= least] = 0


def _products(tensor, factors):
    """[(coefficient, ((factor, number, adjoint), ...))] of an operator as an array [a1, ..., an, b1, ..., bn]."""
    count = len(factors)
    if count == 1:
        if np.any(tensor):
            coefficient, number, adjoint = factors[0].find(tensor)
            yield coefficient, (() if number is None else ((factors[0], number, adjoint),))
        return
    size, others = factors[0].size, tensor.shape[1:count]
    flat = np.moveaxis(tensor, count, 1).reshape(size * size, -1)
    for column, row in _eliminated(flat):
        coefficient, number, adjoint = factors[0].find(column.reshape(size, size))
        for other, rest in _products(row.reshape(others + others), factors[1:]):
            yield coefficient * other, rest if number is None else ((factors[0], number, adjoint), *rest)


def _units(tensor, factors):
    """The same element by element; a factor in which it is the identity is left out where that shows."""
    if not factors:
        return [(complex(tensor), ())] if tensor != 0 else []
    count, size, found = len(factors), factors[0].size, []
    part = {(a, b): np.take(np.take(tensor, a, axis=0), b, axis=count - 1) for a in range(size) for b in range(size)}
    if all(np.array_equal(part[a, a], part[0, 0]) for a in range(size)):
        found += _units(part[0, 0], factors[1:])
        part = {place: one for place, one in part.items() if place[0] != place[1]}
    for place, one in part.items():
        if np.any(one):
            found += [(value, ((factors[0], place, False), *rest)) for value, rest in _units(one, factors[1:])]
    return found


def _terms_of(operator, factors):
    """By products or by elements, whatever makes fewer steps; operators that are needed for the other are not kept."""
    dims = operator.dims[0]
    tensor = operator.full().reshape(dims + dims)
    known = [len(factor.operators) for factor in factors]
    products = list(_products(tensor, factors)) if np.any(tensor) else []
    steps = sum(np.prod([factor.steps(number) for factor, number, _ in places]) for _, places in products)
    if len(products) < 2 or steps <= np.count_nonzero(tensor):
        return products
    for factor, before in zip(factors, known):
        del factor.operators[before:]
    return _units(tensor, factors)


def _text(places):
    def one(factor, number, adjoint):
        name = f"{factor.name}.E[{number[0]},{number[1]}]" if isinstance(number, tuple) else f"{factor.name}.x{number}"
        return f"*dag({name})" if adjoint else f"*{name}"
    return "".join(one(*place) for place in places)


def _sum(terms):
    return " + ".join(_number(value) + _text(places) for value, places in terms)


def _hermitian_terms(terms):
    """Each term with half of its coefficient and `+ hc`, or as it is if it is hermitian; two that are each other's adjoint once."""
    terms, found = list(terms), []
    while terms:
        value, places = terms.pop(0)
        adjoint = tuple((factor, *factor.adjoint(number, flag)) for factor, number, flag in places)
        if adjoint == places and value.imag == 0:
            found.append(_number(value.real) + _text(places))
            continue
        pair = next((k for k, (other, there) in enumerate(terms) if there == adjoint and abs(other - value.conjugate()) <= ROUNDING * abs(value)),
                    None)
        found.append(_number(value if pair is not None else value / 2) + _text(places) + " + hc")
        if pair is not None:
            terms.pop(pair)
    return found


def _mean(operator, factors):
    """<c1 A1 + c2 A2 + ...>; the identity is a number."""
    terms = _terms_of(operator, factors)
    inside = _sum([(value, places) for value, places in terms if places])
    number = sum(value.real for value, places in terms if not places)
    return (f"<{inside}>" if inside else "0") + (f" + {_number(number)}" if number else "")
