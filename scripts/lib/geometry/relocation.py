"""Relocate points that no gradient can free: features on the wrong side of others, far from their true neighbours."""

import numpy as np
from numba import njit
from scipy.spatial import cKDTree

from lib.geometry.parallel import chunks
from lib.geometry.refinement import KS, WEIGHTS, listed_by, refine

# Largest share of the features that move.
SHARE = 0.05
# Distance from the neighbour beside which a feature is set down, as a share of that neighbour's smallest radius.
BESIDE = 0.3


def settle(coords, indices, *, refinement_epochs: int, relocations: int, seed: int, threads: int = 1) -> np.ndarray:
    """Refine a layout, then relocate and refine it again, `relocations` times; arrays as in `relocate`."""
    coords = refine(coords, indices, refinement_epochs, threads)
    for _ in range(relocations):
        coords = refine(relocate(coords, indices, seed, threads), indices, refinement_epochs, threads)
    return coords


def relocate(coords: np.ndarray, indices: np.ndarray, seed: int, threads: int = 1) -> np.ndarray:
    """Set the features that gain most from it beside one of their true neighbours.

    With s as in lib/geometry/refinement.py and the radii r(p) of the feature at a position p, feature i contributes

        G_i(p) = sum_k (v_k / k) [ sum_{j in N_k(i)} s(|x_j - p| / r(p)) + sum_{j: i in N_k(j)} s(|x_j - p| / r_j) ]

    to the share of true neighbours kept. The features with the largest gains over their own positions move, at most
    SHARE of all. Takes and returns arrays as `refine` does.
    """
    n, k = len(coords), int(KS[-1])
    if n <= 4 * k or indices.shape[1] < k:
        return coords
    true = np.ascontiguousarray(indices[:, :k], np.int32)
    squares = cKDTree(coords).query(coords, KS + 1, workers=threads)[0] ** 2 + 1e-9
    gains, targets = np.empty(n), np.empty(n, np.int32)
    with chunks(n, threads) as run:
        run(_gain, coords.astype(np.float64), true, *listed_by(true, n), squares, KS, WEIGHTS, gains, targets)
    moved = np.argsort(-gains, kind="stable")[: int(SHARE * n)]
    moved = moved[gains[moved] > 0]
    beside = np.random.default_rng(seed).standard_normal((len(moved), 3))
    relocated = coords.copy()
    relocated[moved] = coords[targets[moved]] + BESIDE * np.sqrt(squares[targets[moved], :1]) * beside
    return relocated


@njit(nogil=True, cache=True)
def _gain(first, last, points, true, starts, rows, ranks, squares, ks, weights, gains, targets):
    """gains[i] = max_p G_i(p) - G_i(x_i) over the positions p of the true neighbours of i; targets[i]: whose it is."""
    k = true.shape[1]
    for i in range(first, last):
        own = best = 0.0
        for candidate in range(-1, k):
            p = i if candidate < 0 else true[i, candidate]
            total = 0.0
            for rank in range(k):
                total += _contribution(points[true[i, rank]], points[p], rank, squares[p], ks, weights)
            for slot in range(starts[i], starts[i + 1]):
                j = rows[slot]
                total += _contribution(points[j], points[p], ranks[slot], squares[j], ks, weights)
            if candidate < 0:
                own = total
            elif total > best:
                best, targets[i] = total, p
        gains[i] = best - own


@njit(nogil=True, cache=True)
def _contribution(x, p, rank, squares, ks, weights):
    """sum_k (v_k / k) s(|x - p| / r_k) over the k that exceed the rank of a true neighbour; squares: r_k^2."""
    square = (x[0] - p[0]) ** 2 + (x[1] - p[1]) ** 2 + (x[2] - p[2]) ** 2
    total = 0.0
    for which in range(len(ks)):
        if rank < ks[which]:
            total += weights[which] / ks[which] / (1 + (square / squares[which]) ** 4)
    return total
