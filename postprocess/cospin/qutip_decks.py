"""Decks of what QuTiP holds as matrices: any finite system, each factor a component of `levels` with one atom, whose E[a,b] is
|a><b|.

    deck = cospin.from_qutip(h, c_ops, {"photons": a.dag() * a}, names=["cavity", "atom"])
    deck["tasks"] = [{"evolve": {"times": [0, 1], "initial": cospin.initial_from_qutip([ket, other], ["cavity", "atom"])}}]
    data = cospin.run(deck)

The deck is a mapping, to be changed like any other: rates that become parameters, an ensemble beside what was taken over.
"""
import numpy as np

MOST_LEVELS = 16  # of an atom of `levels`


def from_qutip(h, c_ops=(), e_ops=None, names=None, title="Taken over from QuTiP"):
    """The deck as a mapping, with the task `steady`. `e_ops` {name: operator} become observables, of operators that are not hermitian
    the real part. `names` of the factors: A, B, ... without. Rates stand in the operators, as in QuTiP."""
    dims = h.dims[0]
    names = list(names or (chr(ord("A") + k) for k in range(len(dims))))
    too_large = [f"{name} has {size}" for name, size in zip(names, dims) if size > MOST_LEVELS or size < 2]
    if too_large or len(names) != len(dims):
        raise ValueError(f"a factor may have 2 to {MOST_LEVELS} levels, and each has a name ({', '.join(too_large) or names}): write a mode as "
                         "`kind: mode`, a long spin as `kind: spin`")
    if any(one.dims != h.dims for one in [*c_ops, *(e_ops or {}).values()]):
        raise ValueError(f"all operators need the dims of the Hamiltonian, {h.dims}")
    if not h.isherm:
        raise ValueError("the Hamiltonian is not hermitian")
    return {
        "title": title,
        "components": {name: {"kind": "levels", "size": 1, "levels": int(size)} for name, size in zip(names, dims)},
        "hamiltonian": list(_hermitian_terms(h, names)),
        "jumps": [{"rate": 1, "operator": text} for text in (" + ".join(_terms_of(one, names)) for one in c_ops) if text],
        "observables": {name: _mean((one + one.dag()) / 2, names) for name, one in (e_ops or {}).items()},
        "tasks": [{"steady": {}}],
    }


def initial_from_qutip(kets, names=None):
    """`initial:` of a product of kets, one for each factor."""
    names = list(names or (chr(ord("A") + k) for k in range(len(kets))))
    return {name: {"product": [_number(one) for one in ket.full().ravel()]} for name, ket in zip(names, kets)}


def _number(value):
    """As deck's expressions have it: 17 digits, complex ones in parentheses."""
    value = complex(value)
    if value.imag == 0:
        return f"{value.real:.17g}" if value.real >= 0 else f"({value.real:.17g})"
    return f"({value.real:.17g} {'-' if value.imag < 0 else '+'} {abs(value.imag):.17g}*i)"


def _expanded(tensor):
    """[(coefficient, ((factor, a, b), ...))] of an operator as an array [a1, ..., an, b1, ..., bn]; a factor in which it is the identity
    is left out where that shows."""
    count = tensor.ndim // 2
    if count == 0:
        return [(complex(tensor), ())] if tensor != 0 else []
    size = tensor.shape[0]
    part = {(a, b): np.take(np.take(tensor, a, axis=0), b, axis=count - 1) for a in range(size) for b in range(size)}
    found = []
    if all(np.array_equal(part[a, a], part[0, 0]) for a in range(size)):
        found += _expanded(part[0, 0])
        part = {place: one for place, one in part.items() if place[0] != place[1]}
    for (a, b), one in part.items():
        if np.any(one):
            found += [(value, ((count, a, b), *rest)) for value, rest in _expanded(one)]
    return found


def _operator(names, places):
    """Factors are counted from behind in places."""
    return "".join(f"*{names[len(names) - factor]}.E[{a},{b}]" for factor, a, b in places)


def _all_terms(operator, names):
    dims = operator.dims[0]
    return _expanded(operator.full().reshape(dims + dims))


def _terms_of(operator, names):
    return [_number(value) + _operator(names, places) for value, places in _all_terms(operator, names)]


def _hermitian_terms(operator, names):
    """Each pair of a term and its adjoint once, with `+ hc`."""
    for value, places in _all_terms(operator, names):
        adjoint = tuple((factor, b, a) for factor, a, b in places)
        if places == adjoint:
            yield _number(value.real) + _operator(names, places)
        elif places < adjoint:
            yield _number(value) + _operator(names, places) + " + hc"


def _mean(operator, names):
    """<c1 A1 + c2 A2 + ...>; the identity is a number."""
    terms = _all_terms(operator, names)
    inside = " + ".join(_number(value) + _operator(names, places) for value, places in terms if places)
    number = sum(value.real for value, places in terms if not places)
    return (f"<{inside}>" if inside else "0") + (f" + {_number(number)}" if number else "")
