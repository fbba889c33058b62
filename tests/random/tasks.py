"""What the tasks of a deck are to give, from the resolved generator.

Every function takes a Generator and a task's keys and returns a dictionary of what is true. `zero` is a rate below
which everything counts as zero: 0, or cospin's own resolution for a second look.
"""
import numpy

import resolve
import states


def eigenvalues(generator, blocks):
    """(eigenvalue, error) of some blocks; stationary ones are exactly 0, undamped ones have the real part 0."""
    found = []
    for b in blocks:
        for group in generator.groups(b):
            for value, error in zip(group.eigenvalues, group.errors):
                found.append((0j if generator.stationary(group) else value, error))
    return found


def null_counts(generator, zero=0.0, sectors=None):
    """Null vectors in sectors with a trace (or in these), and in all; undamped eigenvalues that are not zero."""
    inside = set(generator.blocks_of_sectors(generator.trace_sectors if sectors is None else sectors))
    traced = total = undamped = 0
    for b in range(len(generator.blocks)):
        for value, _ in eigenvalues(generator, [b]):
            if abs(value) <= zero:
                total += 1
                traced += b in inside
            elif abs(value.real) <= zero:
                undamped += 1
    return traced, total, undamped


def limit(generator, start, zero=0.0, sectors=None):
    """What is left of a state after long times, and the norm of what goes on oscillating; in some sectors only."""
    left, turning = numpy.zeros(generator.dimension, dtype=complex), 0.0
    for b, members in enumerate(generator.blocks):
        if not start[members].any() or sectors is not None and generator.sector_of[members[0]] not in sectors:
            continue
        for group in generator.groups(b):
            share = group.left.conj().T @ start[members]
            if group.null:
                part = group.right @ share
                if abs(group.frequency) <= max(zero, 1e-30 * generator.scale):
                    left[members] += part
                else:
                    turning = max(turning, numpy.linalg.norm(part))
            elif zero > 0 and abs(group.eigenvalues).min() <= zero:
                small = abs(group.eigenvalues) <= zero
                left[members] += group.right @ group.vectors[:, small] @ (numpy.linalg.inv(group.vectors) @ share)[small]
    return left, turning


def some_state(generator):
    """All kets alike, which has a share in whatever there is."""
    return generator.trace / generator.space.size + 0j


def steady_state(generator, zero=0.0):
    return limit(generator, some_state(generator), zero)[0]


def steady(generator, task, zero=0.0):
    traced, total, undamped = null_counts(generator, zero)
    truth = {"traced": traced, "total": total, "undamped": undamped, "state": None, "turning": 0.0}
    if task.get("initial"):
        start = generator.vector(states.initial(generator.deck, task["initial"]))
        truth["state"], truth["turning"] = limit(generator, start, zero)
    elif task.get("sector"):
        inside = limit(generator, some_state(generator), zero, generator.sectors_named(task["sector"]))[0]
        if null_counts(generator, zero, generator.sectors_named(task["sector"]))[0] == 1:
            truth["state"] = inside / (generator.trace @ inside)
    elif total == 1:
        truth["state"] = steady_state(generator, zero)
    return truth


def gap(generator, task, zero=0.0):
    """All eigenvalues of the sectors with a trace or of one, slowest first, and how many are zero."""
    sectors = generator.sectors_named(task["sector"]) if task.get("sector") else generator.trace_sectors
    found = eigenvalues(generator, generator.blocks_of_sectors(sectors))
    modes = sorted(((v, e) for v, e in found if abs(v) > zero), key=lambda x: -x[0].real)
    return {"zeros": len(found) - len(modes), "modes": modes}


CLOSE = 2e-5  # eigenvalues nearer than this, relative, share their shares: alone these may not exist


def together(values):
    """Lists of the indices of eigenvalues that are close to each other."""
    left, found = list(range(len(values))), []
    while left:
        chain = [left.pop(0)]
        for k in chain:
            near = [j for j in left if abs(values[j] - values[k]) <= CLOSE * abs(values[k])]
            chain += near
            left = [j for j in left if j not in near]
        found.append(chain)
    return found


def shares(group, reading, vectors):
    """Of each eigenvalue of a group in reading . exp(L t) x, for several x (None stays None), and their rounding errors: by
    spectral projectors, a cluster's divided evenly among its members."""
    errors = numpy.zeros(len(group.eigenvalues))
    found = [None if x is None else numpy.zeros(len(group.eigenvalues), dtype=complex) for x in vectors]
    if group.null:
        clusters = [list(range(len(group.eigenvalues)))]
    else:
        clusters = together(group.eigenvalues)
    for cluster in clusters:
        if len(cluster) == len(group.eigenvalues):
            right = left = numpy.eye(len(cluster))
        else:
            right, left = resolve.projector(group.matrix, group.eigenvalues - 1j * group.frequency, cluster)
        for into, x in zip(found, vectors):
            if into is not None:
                into[cluster] = (reading @ group.right @ right) @ (left @ (group.left.conj().T @ x)) / len(cluster)
                size = numpy.linalg.norm(reading @ group.right) * numpy.linalg.norm(group.left.conj().T @ x)
                errors[cluster] = numpy.maximum(errors[cluster], 5e-15 * numpy.linalg.norm(left) * size)
    return [*found, errors]


def kicked_state(generator, a, zero):
    """A^+ rho / <A A^+> in the one steady state, or None; and its relative error, large in states that are nearly dark."""
    if null_counts(generator, zero)[0] != 1:
        return None, 0.0
    rho, dense = generator.matrix(steady_state(generator, zero)), a.dense()
    norm = numpy.trace(dense @ dense.conj().T @ rho)
    size = numpy.linalg.norm(dense, 2)**2
    if abs(norm) <= 1e-12 * size:
        return None, 0.0
    return generator.vector(dense.conj().T @ rho) / norm, 1e-15 * size / abs(norm)


def unseen(group, reading):
    """For each mode whether A reads nothing of it: it may lie in an irrep or a sector where A has no element. Rounding mixes
    vectors whose eigenvalues are close."""
    vectors, values = group.right @ group.vectors, group.eigenvalues
    read = abs(reading @ vectors)
    apart = abs(values[:, None] - values) + numpy.diag(numpy.full(len(values), numpy.inf))
    mixed = numpy.minimum(1, 100 * numpy.maximum(group.errors, 1e-300)[:, None] / numpy.maximum(apart, 1e-300))
    return read <= 1e-8 * numpy.linalg.norm(reading) * numpy.linalg.norm(vectors, axis=0) + mixed @ read


def hide_irreps(generator, modes):
    """Equal modes may be combined to ones of single irreps, of which A reads one at least."""
    if not any(c["kind"] in ("ensemble", "levels") and c["size"] > 1 for c in generator.deck.document["components"].values()):
        return modes
    shown = []
    for mode in sorted(modes, key=lambda m: m[-1]):
        equal = any(not m[-1] and abs(m[0] - mode[0]) <= 1e-12 * generator.scale for m in shown)
        shown.append((*mode[:-1], mode[-1] or equal))
    return shown


def decay(generator, task, zero=0.0):
    """Modes (eigenvalue, error, amplitude, weight, error of these, unseen) of the sectors of A, slowest first; null vectors of
    sectors with a trace are left out."""
    start, kicked, blur = None, None, 0.0
    if task.get("sector"):
        size, reading, sectors = 1.0, numpy.zeros(generator.dimension), generator.sectors_named(task["sector"])
    else:
        a = generator.deck.operator(task["of"])
        size, reading, sectors = a.norm(), generator.reading(a), generator.sectors_read(a)
        start = generator.vector(states.initial(generator.deck, task["initial"])) if task.get("initial") else None
        kicked, blur = kicked_state(generator, a, zero)
    modes = []
    for b in generator.blocks_of_sectors(sectors):
        members = generator.blocks[b]
        traced = generator.sector_of[members[0]] in generator.trace_sectors
        for group in generator.groups(b):
            both = shares(group, reading[members], [None if x is None else x[members] for x in (start, kicked)])
            both[2] += blur
            stationary, hidden = generator.stationary(group), unseen(group, reading[members])
            for k, (value, error) in enumerate(zip(group.eigenvalues, group.errors)):
                value = 0j if stationary else value
                if not (traced and abs(value) <= zero):
                    modes.append((value, error, *(None if s is None else s[k] for s in both), hidden[k] and "of" in task))
    modes = hide_irreps(generator, modes) if "of" in task else modes
    return {"modes": sorted(modes, key=lambda x: -x[0].real), "size": size}


def propagate(generator, start, times):
    """The state at ascending times."""
    result = numpy.zeros((len(times), generator.dimension), dtype=complex)
    for b, members in enumerate(generator.blocks):
        if not start[members].any():
            continue
        for group in generator.groups(b):
            now = group.left.conj().T @ start[members]
            cache, last = {}, 0.0
            for k, time in enumerate(times):
                step = float(f"{time - last:.12g}")
                if not group.null and step not in cache:
                    cache[step] = resolve.exponential(group.matrix * (time - last))
                now = now if group.null else cache[step] @ now
                last = time
                result[k][members] += numpy.exp(1j * group.frequency * time) * (group.right @ now)
    return result


def evolve(generator, task, times):
    truth = {"states": propagate(generator, generator.vector(states.initial(generator.deck, task.get("initial"))), times)}
    if task.get("fidelity"):
        psi = states.initial(generator.deck, task["fidelity"])
        truth["fidelity"] = [numpy.trace(psi @ generator.matrix(x)).real for x in truth["states"]]
    return truth
