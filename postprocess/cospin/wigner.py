"""Wigner functions of stored states: of a mode (or of a spin's Holstein-Primakoff boson) on the plane, of a spin on the
sphere.

    state = cospin.read_state("cats.h5", "steady", eta=5)
    values = wigner.on_plane(state.block(), x[None, :] + 1j * y[:, None])
    values = wigner.on_sphere(state.block(), theta, phi)

Matrices are between levels n = 0, 1, 2, ... (plane) or m = -j ... j (sphere).
"""
from math import lgamma

import numpy as np


def on_plane(rho, alpha):
    """W(alpha) = (2/pi) Tr[rho D(alpha) (-1)^n D(alpha)^+], integral over the plane Tr rho, |W| <= 2/pi.

    Matrix elements of the displaced parity (Cahill and Glauber, Phys. Rev. 177, 1882 (1969)) with x = 4|alpha|^2:
    for m = n + k  <n| D (-1)^n D^+ |m> = (-1)^n e^{-i k arg alpha} ... times the normalised Laguerre function
    l_n = sqrt(n!/(n+k)!) x^{k/2} e^{-x/2} L_n^k(x), which obeys a recursion in n that is stable upwards.
    """
    rho = np.asarray(rho)
    alpha = np.asarray(alpha, dtype=complex)
    x = 4 * np.abs(alpha) ** 2
    phase = np.exp(-1j * np.angle(alpha))
    total = np.zeros(alpha.shape)
    with np.errstate(divide="ignore"):
        log_x = np.log(x)
    for k in range(len(rho)):
        diagonal = np.diagonal(rho, -k)  # rho[n + k, n]
        if np.abs(diagonal).sum() < 1e-12:  # no Laguerre function here is larger than 1
            continue
        diagonal = diagonal[:np.flatnonzero(np.abs(diagonal) > 1e-15)[-1] + 1]
        before = np.zeros(alpha.shape)
        with np.errstate(invalid="ignore"):
            now = np.exp((k / 2 * log_x if k else 0.) - x / 2 - lgamma(k + 1) / 2)
        part = np.zeros(alpha.shape, dtype=complex)
        for n, value in enumerate(diagonal):
            part += (-1) ** n * value * now
            following = (2 * n + 1 + k - x) * now - np.sqrt(n * (n + k)) * before
            before, now = now, following / np.sqrt((n + 1.) * (n + k + 1))
        total += (1 if k == 0 else 2) * (part * phase ** k).real
    return 2 / np.pi * total


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
