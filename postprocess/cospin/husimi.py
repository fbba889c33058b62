"""Husimi functions of stored states, the probabilities of coherent states: of a mode (or of a spin's Holstein-Primakoff
boson) on the plane, of a spin on the sphere. Arguments are those of cospin_wigner.

Weights of levels are computed as logarithms, so that long spins and high levels neither overflow nor vanish early.
"""
from math import lgamma

import numpy as np

SMALLEST = 1e-300  # stands for 0, whose logarithm is none


def log_factorials(count):
    return np.array([lgamma(n + 1) for n in range(count)])


def expectation(rho, kets):
    """<ket|rho|ket> of each row of kets."""
    return (kets.conj() * (kets @ rho.T)).sum(axis=-1).real


def on_plane(rho, alpha):
    """Q(alpha) = <alpha|rho|alpha>/pi, integral over the plane Tr rho, 0 <= Q <= 1/pi.

    <n|alpha> = e^{-|alpha|^2/2} alpha^n / sqrt(n!).
    """
    rho, alpha = np.asarray(rho), np.asarray(alpha, dtype=complex)
    n = np.arange(len(rho))
    rows = alpha.reshape(-1, alpha.shape[-1] if alpha.ndim else 1)
    values = np.empty(rows.shape)
    for value, row in zip(values, rows):
        length = np.abs(row)[:, None]
        sizes = np.exp(n * np.log(np.maximum(length, SMALLEST)) - length ** 2 / 2 - log_factorials(len(n)) / 2)
        value[:] = expectation(rho, sizes * np.exp(1j * n * np.angle(row)[:, None]))
    return values.reshape(alpha.shape) / np.pi


def on_sphere(rho, theta, phi):
    """[len(theta)][len(phi)] Q = (2j+1)/(4 pi) <theta,phi|rho|theta,phi>, integral over the sphere Tr rho.

    |theta,phi> is css: [theta, phi] of a deck: cos(theta/2) down + e^{i phi} sin(theta/2) up of every spin-1/2.
    """
    rho = np.asarray(rho)
    up = np.arange(len(rho))  # of the 2j spins-1/2: m = up - j
    factorials = log_factorials(len(rho))
    log_roots = (factorials[-1] - factorials - factorials[::-1]) / 2
    waves = np.exp(1j * np.outer(phi, up))
    values = np.empty((len(theta), len(phi)))
    for row, half in zip(values, np.asarray(theta) / 2):
        log_cos, log_sin = (np.log(max(abs(part), SMALLEST)) for part in (np.cos(half), np.sin(half)))
        row[:] = expectation(rho, np.exp(log_roots + up[::-1] * log_cos + up * log_sin) * waves)
    return values * len(rho) / (4 * np.pi)
