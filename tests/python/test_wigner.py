"""Wigner and Husimi functions against closed forms: Fock, coherent and cat states, spins; integrals, traces of products, rotations."""
import os
import sys
import unittest
from math import comb, factorial, pi

SOURCE = os.environ.get("COSPIN_SOURCE_DIR", os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
sys.path.insert(0, os.path.join(SOURCE, "postprocess"))
try:
    import numpy as np
    import cospin_husimi
    import cospin_wigner
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

ALPHA = 1.3 * np.exp(.7j)


def plane(extent=6, count=241):
    x = np.linspace(-extent, extent, count)
    return x[None, :] + 1j * x[:, None], (x[1] - x[0]) ** 2


def coherent(alpha, levels=60):
    psi = np.array([alpha ** n / np.sqrt(float(factorial(n))) for n in range(levels)])
    return psi / np.linalg.norm(psi)


def pure(psi):
    return np.outer(psi, psi.conj())


def product(size, theta, phi):
    """css: [theta, phi] of a deck: every spin cos(theta/2) down + e^{i phi} sin(theta/2) up."""
    up = np.arange(size + 1)
    return np.sqrt([float(comb(size, k)) for k in up]) * np.cos(theta / 2) ** (size - up) \
        * (np.exp(1j * phi) * np.sin(theta / 2)) ** up


def spin_operators(j):
    m = np.arange(-j, j + 1)
    raising = np.diag(np.sqrt(j * (j + 1) - m[:-1] * (m[:-1] + 1)), -1)
    return (raising + raising.T) / 2, (raising - raising.T) / 2j, np.diag(m)


def random_state(levels, seed):
    numbers = np.random.default_rng(seed).normal(size=(2, levels, levels))
    root = numbers[0] + 1j * numbers[1]
    return root @ root.conj().T / np.trace(root @ root.conj().T).real


def sphere(count=80):
    """Gauss-Legendre times even angles: exact for what is asked here."""
    z, weights = np.polynomial.legendre.leggauss(count)
    phi = 2 * pi * np.arange(2 * count) / (2 * count)
    return np.arccos(z), phi, weights[:, None] * np.full((1, 2 * count), pi / count)


class Plane(unittest.TestCase):
    def test_fock_states(self):
        for n in (0, 1, 2, 7, 40):
            rho = np.zeros((n + 1, n + 1))
            rho[n, n] = 1
            self.assertAlmostEqual(cospin_wigner.on_plane(rho, 0j), 2 / pi * (-1) ** n, delta=1e-13)
            grid, cell = plane(10, 401)
            self.assertAlmostEqual(cospin_wigner.on_plane(rho, grid).sum() * cell, 1, delta=1e-9)

    def test_one_photon(self):  # (2/pi) (4|a|^2 - 1) e^{-2|a|^2}
        rho = np.diag([0., 1., 0.])
        for a in (.3, .5j, 1 + 1j):
            self.assertAlmostEqual(cospin_wigner.on_plane(rho, a),
                                   2 / pi * (4 * abs(a) ** 2 - 1) * np.exp(-2 * abs(a) ** 2), delta=1e-14)

    def test_coherent_state_stands_where_it_should(self):  # (2/pi) e^{-2|a - alpha|^2}
        grid, _ = plane(4, 41)
        found = cospin_wigner.on_plane(pure(coherent(ALPHA)), grid)
        np.testing.assert_allclose(found, 2 / pi * np.exp(-2 * abs(grid - ALPHA) ** 2), atol=1e-12)

    def test_far_from_the_middle(self):
        """exp(-2|alpha|^2) is below the smallest double from |alpha| = 19.3 on."""
        for length in (5, 18, 19.5, 22, 30, 45, 60):
            alpha = length * np.exp(.3j)
            n = np.arange(int(length ** 2 + 9 * length + 30))
            log_factorials = np.concatenate([[0], np.cumsum(np.log(n[1:]))])
            psi = np.exp(n * np.log(length) - length ** 2 / 2 - log_factorials / 2) * np.exp(.3j * n)
            places = alpha + np.array([0, .3, -.4j, .5 + .5j, 3])
            found = cospin_wigner.on_plane(pure(psi), places)
            np.testing.assert_allclose(found, 2 / pi * np.exp(-2 * np.abs(places - alpha) ** 2), atol=1e-9)
            self.assertAlmostEqual(cospin_husimi.on_plane(pure(psi), np.array([alpha]))[0], 1 / pi, delta=1e-9)

    def test_far_cats_have_fringes(self):  # in the middle, where neither of its parts is: (2/pi) cos(4 Im(a^* alpha))
        n, length = np.arange(1200), 25.
        psi = np.exp(n * np.log(length) - length ** 2 / 2 - np.concatenate([[0], np.cumsum(np.log(n[1:]))]) / 2)
        psi = np.sqrt(2) * psi * (n % 2 == 0)
        places = 1j * np.array([0, .01, .05, .1, .4])
        np.testing.assert_allclose(cospin_wigner.on_plane(pure(psi), places), 2 / pi * np.exp(-2 * np.abs(places) ** 2)
                                   * np.cos(4 * length * places.imag), atol=1e-9)

    def test_cats_have_fringes(self):
        # W = [W_+ + W_- +- (2/pi) 2 e^{-2|a|^2} cos(4 Im(a^* alpha))] / (2 (1 +- e^{-2|alpha|^2}))
        grid, cell = plane(5, 201)
        for sign in (1, -1):
            psi = coherent(ALPHA) + sign * coherent(-ALPHA)
            found = cospin_wigner.on_plane(pure(psi / np.linalg.norm(psi)), grid)
            gauss = sum(np.exp(-2 * abs(grid - s * ALPHA) ** 2) for s in (1, -1))
            fringes = 2 * sign * np.exp(-2 * abs(grid) ** 2) * np.cos(4 * (grid.conj() * ALPHA).imag)
            expected = 2 / pi * (gauss + fringes) / (2 * (1 + sign * np.exp(-2 * abs(ALPHA) ** 2)))
            np.testing.assert_allclose(found, expected, atol=1e-12)
            self.assertAlmostEqual(found.sum() * cell, 1, delta=1e-9)
            self.assertLess(found.min(), -.1)

    def test_trace_of_a_product(self):  # Tr(A B) = pi times the integral
        a, b = random_state(8, 1), random_state(8, 2)
        grid, cell = plane()
        overlap = pi * (cospin_wigner.on_plane(a, grid) * cospin_wigner.on_plane(b, grid)).sum() * cell
        self.assertAlmostEqual(overlap, np.trace(a @ b).real, delta=1e-9)


class Sphere(unittest.TestCase):
    def test_one_half(self):  # W = (1 + sqrt(3) n.r)/(4 pi) for the Bloch vector r
        x, y, z = spin_operators(.5)
        bloch = np.array([.3, -.5, .6])
        rho = np.eye(2) / 2 + bloch[0] * x + bloch[1] * y + bloch[2] * z
        theta, phi = np.array([0, .4, 1.3, 3.]), np.array([0, 1., 2.5, 5.])
        n = [np.outer(np.sin(theta), np.cos(phi)), -np.outer(np.sin(theta), np.sin(phi)),
             -np.outer(np.cos(theta), np.ones(4))]  # of css: [theta, phi]
        np.testing.assert_allclose(cospin_wigner.on_sphere(rho, theta, phi),
                                   (1 + np.sqrt(3) * sum(r * d for r, d in zip(bloch, n))) / (4 * pi), atol=1e-14)

    def test_integrals(self):
        theta, phi, weights = sphere(30)
        for j in (.5, 1, 5.5, 10):
            levels = int(2 * j + 1)
            a, b = random_state(levels, 3), random_state(levels, 4)
            of_a, of_b = (cospin_wigner.on_sphere(rho, theta, phi) for rho in (a, b))
            self.assertAlmostEqual((weights * of_a).sum(), 1, delta=1e-12)
            self.assertAlmostEqual(4 * pi / levels * (weights * of_a * of_b).sum(), np.trace(a @ b).real, delta=1e-12)
            direction = -(weights * of_a * np.cos(theta)[:, None]).sum() * np.sqrt(j * (j + 1))
            self.assertAlmostEqual(direction, np.trace(a @ spin_operators(j)[2]).real, delta=1e-11)

    def test_coherent_state_of_a_long_spin(self):
        j, tilt, azimuth = 50, .8, 2.
        x, y, z = spin_operators(j)
        psi = np.linalg.eigh(np.sin(tilt) * (np.cos(azimuth) * x - np.sin(azimuth) * y) - np.cos(tilt) * z)[1][:, -1]
        theta, phi, weights = sphere(110)
        found = cospin_wigner.on_sphere(pure(psi), theta, phi)
        self.assertAlmostEqual((weights * found).sum(), 1, delta=1e-10)
        self.assertAlmostEqual(4 * pi / 101 * (weights * found ** 2).sum(), 1, delta=1e-9)  # pure
        at = np.unravel_index(found.argmax(), found.shape)
        self.assertAlmostEqual(theta[at[0]], tilt, delta=.03)
        self.assertAlmostEqual(phi[at[1]], azimuth, delta=.03)
        # where the spin is long it is the Gaussian of the plane, |alpha|^2 = j theta^2/2: 2/pi times j/2 per angle
        self.assertAlmostEqual(cospin_wigner.on_sphere(pure(psi), [tilt], [azimuth])[0, 0], 2 / pi * j / 2, delta=.6)

    def test_where_the_states_of_a_deck_stand(self):
        theta, phi = np.linspace(0, pi, 181), np.linspace(-pi, pi, 361)
        found = cospin_wigner.on_sphere(pure(product(16, 1.1, .7)), theta, phi)
        at = np.unravel_index(found.argmax(), found.shape)
        self.assertAlmostEqual(theta[at[0]], 1.1, delta=.03)
        self.assertAlmostEqual(phi[at[1]], .7, delta=.03)


class Husimi(unittest.TestCase):
    def test_coherent_and_fock_states(self):  # e^{-|a - alpha|^2}/pi; e^{-|a|^2} |a|^{2n}/(pi n!)
        grid, cell = plane(6, 121)
        found = cospin_husimi.on_plane(pure(coherent(ALPHA)), grid)
        np.testing.assert_allclose(found, np.exp(-abs(grid - ALPHA) ** 2) / pi, atol=1e-13)
        self.assertAlmostEqual(found.sum() * cell, 1, delta=1e-12)
        for n in (0, 1, 7):
            found = cospin_husimi.on_plane(np.diag(np.eye(n + 1)[n]), grid)
            np.testing.assert_allclose(found, np.exp(-abs(grid) ** 2) * abs(grid) ** (2 * n) / (pi * factorial(n)), atol=1e-14)
        self.assertAlmostEqual(float(cospin_husimi.on_plane(np.diag([0., 1.]), 0j)), 0, delta=1e-15)

    def test_two_hundred_photons(self):
        rho, line = np.diag(np.eye(201)[200]), np.linspace(0, 30, 3001)
        found = cospin_husimi.on_plane(rho, line)
        self.assertAlmostEqual((2 * pi * line * found).sum() * .01, 1, delta=1e-9)
        self.assertAlmostEqual(line[found.argmax()], np.sqrt(200), delta=.01)  # and Stirling: 1/(pi sqrt(2 pi n))
        largest = float(cospin_husimi.on_plane(rho, np.sqrt(200)))
        self.assertAlmostEqual(largest * pi * np.sqrt(2 * pi * 200), np.exp(-1 / (12 * 200)), delta=1e-8)

    def test_product_states_stand_where_a_deck_says(self):  # |<n|n'>|^2 = cos(angle/2)^{4j}
        theta, phi, weights = sphere(110)
        for size, tilt, azimuth in ((1, 1.1, .7), (16, 2.5, -1.), (200, .8, 2.)):
            found = cospin_husimi.on_sphere(pure(product(size, tilt, azimuth)), theta, phi)
            angle = np.cos(theta)[:, None] * np.cos(tilt) \
                + np.outer(np.sin(theta), np.cos(phi - azimuth)) * np.sin(tilt)
            np.testing.assert_allclose(found, (size + 1) / (4 * pi) * ((1 + angle) / 2) ** size, atol=1e-11 * size)
            self.assertAlmostEqual((weights * found).sum(), 1, delta=1e-11)

    def test_dicke_states(self):  # binomial in sin^2(theta/2); also where all is down or up
        for size, up in ((4, 1), (200, 0), (200, 100), (200, 200)):
            theta, share = np.array([0, .3, pi / 2, 3., pi]), np.sin(np.array([0, .3, pi / 2, 3., pi]) / 2) ** 2
            found = cospin_husimi.on_sphere(np.diag(np.eye(size + 1)[up]), theta, [0., 1.])
            expected = (size + 1) / (4 * pi) * float(comb(size, up)) * share ** up * (1 - share) ** (size - up)
            np.testing.assert_allclose(found, np.stack([expected] * 2, axis=1), rtol=1e-10, atol=1e-13)

    def test_mixtures_are_positive_and_of_trace_one(self):
        theta, phi, weights = sphere(30)
        found = cospin_husimi.on_sphere(random_state(12, 5), theta, phi)
        self.assertAlmostEqual((weights * found).sum(), 1, delta=1e-12)
        grid, cell = plane(8, 161)
        also = cospin_husimi.on_plane(random_state(12, 5), grid)
        self.assertAlmostEqual(also.sum() * cell, 1, delta=1e-10)
        self.assertGreater(min(found.min(), also.min()), 0)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
