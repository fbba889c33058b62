"""Order and form in which QuTiP wants states and operators; the only file that imports it.

QuTiP counts a spin's levels from m = j down, its spin up is basis(2, 0), a mode's from n = 0 up. Its ensembles (piqs) have
blocks of falling j, within each m falling. Here m rises everywhere, so levels of spins and ensembles are turned round.
"""
import numpy as np


def component_order(component):
    """([label, ...] of its kets as QuTiP orders them, dims of the factor): a tensor of two-level systems for `spins`."""
    labels = component.basis()
    if component.kind == "ensemble":
        return sorted(labels, reverse=True), [len(labels)]
    if component.kind == "spin":
        return labels[::-1], [len(labels)]
    if component.kind == "spins":
        size = int(component.size)
        # the first spin is the slowest factor, and up comes first
        up = [[not number >> (size - 1 - spin) & 1 for spin in range(size)] for number in range(2 ** size)]
        return [(sum(1 << spin for spin in range(size) if one[spin]),) for one in up], [2] * size
    return labels, [len(labels)]


def order_of_kets(components, kets):
    """(places, dims): where each of the kets {column: labels} stands in QuTiP's product basis."""
    total, dims = 0, []
    for component in components:
        labels, factor = component_order(component)
        shared, ket, _ = component.columns()
        rows = zip(*(kets[column] for column in [*shared, ket]))
        known = {label: place for place, label in enumerate(labels)}
        total = total * len(labels) + np.array([known[tuple(row)] for row in rows])
        dims += factor
    return total, dims


def operator(matrix, places, dims):
    """A sparse matrix between kets as Qobj."""
    import qutip
    from scipy.sparse import coo_matrix

    elements, size = coo_matrix(matrix), int(np.prod(dims))
    return qutip.Qobj(coo_matrix((elements.data, (places[elements.row], places[elements.col])), shape=(size, size)).tocsr(), dims=[dims, dims])


def density(state):
    """A State as Qobj: elements that are not stored are zero."""
    import qutip
    from scipy.sparse import coo_matrix

    rows, columns, dims = 0, 0, []
    for component in state.components:
        labels, factor = component_order(component)
        shared, ket, bra = component.columns()
        known = {label: place for place, label in enumerate(labels)}
        heads = [state.labels[column] for column in shared]
        rows, columns = (total * len(labels) + np.array([known[label] for label in zip(*heads, state.labels[column])])
                         for total, column in ((rows, ket), (columns, bra)))
        dims += factor
    size = int(np.prod(dims))
    return qutip.Qobj(coo_matrix((state.values, (rows, columns)), shape=(size, size)).tocsr(), dims=[dims, dims])


def irrep(state, j):
    """The block of one j of a lone ensemble, m falling."""
    import qutip

    return qutip.Qobj(state.block(j)[::-1, ::-1])
