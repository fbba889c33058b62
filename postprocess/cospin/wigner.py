"""Wigner functions of stored states: of a mode (or of a spin's Holstein-Primakoff boson) on the plane, of a spin on the
sphere.

    state = cospin.read_state("cats.h5", "steady", eta=5)
    values = wigner.on_plane(state.block(), x[None, :] + 1j * y[:, None])
    values = wigner.on_sphere(state.block(), theta, phi)

Matrices are between levels n = 0, 1, 2, ... (plane) or m = -j ... j (sphere).
"""
from math import lgamma

import numpy as np

MOST_AT_ONCE = 1 << 20  # numbers of one array: diagonals of the matrix times points
LARGE = 1e100  # beside it eight steps, each by less than the square of the largest |alpha| of a picture, do not overflow


def on_plane(rho, alpha):
    """W(alpha) = (2/pi) Tr[rho D(alpha) (-1)^n D(alpha)^+], integral over the plane Tr rho, |W| <= 2/pi.

    Matrix elements of the displaced parity (Cahill and Glauber, Phys. Rev. 177, 1882 (1969)) with x = 4|alpha|^2:
    for m = n + k  <n| D (-1)^n D^+ |m> = (-1)^n e^{-i k arg alpha} ... times the normalised Laguerre function
    l_n = sqrt(n!/(n+k)!) x^{k/2} e^{-x/2} L_n^k(x), which obeys a recursion in n that is stable upwards.
    """
    rho, alpha = np.asarray(rho), np.asarray(alpha, dtype=complex)
    points, values = alpha.ravel(), np.empty(alpha.size)
    step = max(1, MOST_AT_ONCE // max(len(rho), 1))
    for first in range(0, alpha.size, step):
        values[first:first + step] = _at_points(rho, points[first:first + step])
    return values.reshape(alpha.shape)


def _at_points(rho, alpha):
    """For all k at once. l_0 is far below the smallest double where |alpha| is beyond 19, and yet l_n is not small later: so
    l_n = now e^scale, whose scale moves when `now` becomes large."""
    levels = len(rho)
    largest = np.array([np.abs(np.diagonal(rho, -k)).sum() for k in range(levels)])
    k = np.flatnonzero(largest >= 1e-12)[:, None]  # no Laguerre function is larger than 1
    x = 4 * np.abs(alpha) ** 2
    with np.errstate(divide="ignore"):
        log_x = np.log(x)
    scale = np.where(k > 0, k / 2 * np.where(k > 0, log_x, 0), 0) - x / 2 - np.array([lgamma(one + 1) / 2 for one in k[:, 0]])[:, None]
    now, before = np.ones(scale.shape), np.zeros(scale.shape)
    size, parts = np.exp(scale), np.zeros(scale.shape, dtype=complex)
    for n in range(levels):
        there = np.searchsorted(k[:, 0], levels - n)  # elements rho[n + k, n] that exist
        k, now, before, scale, size = (array[:there] for array in (k, now, before, scale, size))
        parts[:there] += (-1) ** n * rho[n + k, n] * (now * size)
        now, before = ((2 * n + 1 + k - x) * now - np.sqrt(n * (n + k)) * before) / np.sqrt((n + 1.) * (n + k + 1)), now
        if n % 8 == 7:
            grown = np.abs(now) > LARGE
            now[grown], before[grown] = now[grown] / LARGE, before[grown] / LARGE
            scale[grown] += np.log(LARGE)
            size[grown] = np.exp(scale[grown])
    k = np.flatnonzero(largest >= 1e-12)[:, None]
    return 2 / np.pi * (np.where(k > 0, 2, 1) * (parts * np.exp(-1j * k * np.angle(alpha))).real).sum(axis=0)


def parity_of_spin(levels):
    """Diagonal of the kernel at the pole theta = 0: sum_k sqrt((2k+1)/(2j+1)) T_k0, m ascending.

    T_k0 are polynomials of Jz, orthonormal over m (discrete Chebyshev polynomials): the eigenvectors of their own
    recursion, m t_k = a_{k+1} t_{k+1} + a_k t_{k-1}, a_k = k/2 sqrt(((2j+1)^2 - k^2)/(4k^2 - 1)).
    """
    k = np.arange(1, levels)
    a = k / 2 * np.sqrt((levels ** 2 - k ** 2) / (4 * k ** 2 - 1.))
    polynomials = np.linalg.eigh(np.diag(a, 1) + np.diag(a, -1))[1].T  # [m][k]
    polynomials = polynomials * np.sign(polynomials[:, :1])
    return polynomials @ np.sqrt((2 * np.arange(levels) + 1) / levels)


def on_sphere(rho, theta, phi):
    """[len(theta)][len(phi)] W(theta, phi), integral over the sphere Tr rho: Stratonovich's.

    Angles are those of a deck's css: [theta, phi], theta = 0 all down; from the direction of Jz and Jx they are
    pi - theta and -phi, so W = (2j+1)/(4 pi) Tr[rho R Pi R^+], R = e^{i phi Jz} e^{-i (pi - theta) Jy} (Heiss and Weigert,
    PRA 63, 012105 (2000)); rotations of the state rotate W, and Tr(A B) = 4 pi/(2j+1) times the integral of W_A W_B.
    """
    rho = np.asarray(rho)
    levels = len(rho)
    j = (levels - 1) / 2
    m = np.arange(-j, j + 1)
    raising = np.diag(np.sqrt(j * (j + 1) - m[:-1] * (m[:-1] + 1)), -1)
    turns, vectors = np.linalg.eigh((raising - raising.T) / 2j)
    parity = parity_of_spin(levels)
    shifts = np.arange(-(levels - 1), levels)
    waves = np.exp(1j * np.outer(shifts, phi))
    values = np.empty((len(theta), len(phi)))
    for row, angle in enumerate(np.pi - np.asarray(theta)):
        rotation = ((vectors * np.exp(-1j * angle * turns)) @ vectors.conj().T).real
        kernel = (rotation * parity) @ rotation.T
        product = rho * kernel  # the kernel at phi: kernel[m', m] e^{i phi (m' - m)}
        sums = np.array([np.trace(product, offset=shift) for shift in shifts])  # column - row = shift
        values[row] = (sums @ waves).real
    return values * levels / (4 * np.pi)
