"""Refine a layout: move the points so that more of each feature's true neighbours are among its nearest points.

`refine` climbs R, the objective of the refinement in docs/geometry.md, which has its gradient too: a smooth version of
the share of the k true nearest neighbours N_k(i) of each feature that are among its k nearest points. With the distance
d_ij of two points in the map,

    s_ij = 1 / (1 + (d_ij^2 / r_i^2)^4),   the radius r_i of each k such that  sum_j s_ij = k,
    R    = sum_i sum_k (v_k / k) sum_{j in N_k(i)} s_ij.

Sums over j run over the NEAR nearest points, listed every few epochs. `relocate` moves points that no gradient can
free, on the wrong side of others, far from their true neighbours.

All moves of an epoch are computed from the positions before it and summed in a fixed order, so the result does not
depend on the number of threads.
"""

import numpy as np
from numba import njit
from scipy.sparse import csr_matrix
from scipy.spatial import cKDTree

from lib.geometry.parallel import chunks
from lib.geometry.points import nearest_points

# Sizes of the neighbourhoods that count, and the weight v of each.
KS = np.array([5, 15], np.int32)
WEIGHTS = np.array([0.2, 1.0], np.float32)
# Points at whose distance from a feature the sums end.
NEAR = 40
# Epochs after which the nearest points are listed again.
REFRESH = 10
MOMENTUM = 0.8
# Largest move of an epoch before momentum, as a share of the radius: larger ones tear the nearest neighbours apart.
CAP = 0.04
# Newton steps towards the radii: of the first epoch, and of each later one, which starts from the last radii.
FIRST_STEPS, STEPS = 12, 2
# Rank of a point that is none of the true neighbours.
NONE = 127
# Largest share of the features that are relocated.
SHARE = 0.05
# Distance from the neighbour beside which a feature is set down, as a share of that neighbour's smallest radius.
BESIDE = 0.3


def settle(coords, indices, refinement_epochs: int, relocations: int, seed: int, threads: int = 1) -> np.ndarray:
    """Refine a layout, then relocate and refine it again, `relocations` times; arrays as in `refine`."""
    coords = refine(coords, indices, refinement_epochs, threads)
    for _ in range(relocations):
        coords = refine(relocate(coords, indices, seed, threads), indices, refinement_epochs, threads)
    return coords


def refine(coords: np.ndarray, indices: np.ndarray, n_epochs: int, threads: int = 1) -> np.ndarray:
    """Climb R of this module from a layout: float32 (n, 3); `coords` where there are too few points or neighbours.

    coords : float (n, 3)
    indices : int (n, k), each feature's true neighbours, nearest first; the first 15 are used
    """
    points = np.array(coords, np.float32, order="C")
    n, near = len(points), min(NEAR, len(points) - 1)
    if near <= KS[-1] or indices.shape[1] < KS[-1]:
        return points
    true = np.ascontiguousarray(indices[:, : KS[-1]], np.int32)
    ranks, pulls = np.empty((n, near), np.int8), np.empty((n, near), np.float32)
    step, move = np.empty_like(points), np.zeros_like(points)
    with chunks(n, threads) as run:
        for epoch in range(n_epochs):
            if epoch % REFRESH == 0:
                lists = nearest_points(points, near, threads)
                run(_rank, lists, true, ranks)
                listed = listed_by(lists)
            if epoch == 0:
                sharpness = _first_sharpness(points, lists)
            steps = STEPS if epoch else FIRST_STEPS
            run(_pull, points, lists, ranks, KS, WEIGHTS, steps, sharpness, pulls)
            run(_gather, points, lists, pulls, *listed, sharpness, np.float32(CAP), step)
            move *= np.float32(MOMENTUM)
            move += np.float32(1 - epoch / n_epochs) * step
            points += move
    return points


def listed_by(lists: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where each point is listed: rows and columns of `lists`, those of point j from starts[j] to starts[j + 1].

    Returns starts, rows, columns.
    """
    n, near = lists.shape
    columns = np.tile(np.arange(near, dtype=np.int8), n)
    by_point = csr_matrix((columns, lists.ravel(), np.arange(0, lists.size + 1, near)), (n, n)).tocsc()
    return by_point.indptr, by_point.indices, by_point.data


def _first_sharpness(points: np.ndarray, lists: np.ndarray) -> np.ndarray:
    """1 / r^2 with the distance of the k-th nearest point as r: float32 (n, number of ks)."""
    distances = [((points - points[lists[:, k - 1]]) ** 2).sum(axis=1) for k in KS]
    return (1 / (np.stack(distances, axis=1) + np.float32(1e-9))).astype(np.float32)


@njit(nogil=True, cache=True)
def _rank(first, last, lists, true, ranks):
    """ranks[i, a] = rank of the point lists[i, a] among the true neighbours of i, from 0; NONE if it is not one."""
    for i in range(first, last):
        for a in range(lists.shape[1]):
            ranks[i, a] = NONE
            for rank in range(true.shape[1]):
                if true[i, rank] == lists[i, a]:
                    ranks[i, a] = rank
                    break


@njit(nogil=True, cache=True, fastmath=True)
def _pull(first, last, points, lists, ranks, ks, weights, steps, sharpness, pulls):
    """pulls[i, a] = c_ij (docs/geometry.md) for j = lists[i, a]; sharpness[i, k] = 1 / r_i^2 by damped Newton steps."""
    one, zero, near = np.float32(1), np.float32(0), lists.shape[1]
    squares, border = np.empty(near, np.float32), np.empty(near, np.float32)
    for i in range(first, last):
        for a in range(near):
            j = lists[i, a]
            dx, dy, dz = points[j, 0] - points[i, 0], points[j, 1] - points[i, 1], points[j, 2] - points[i, 2]
            squares[a] = dx * dx + dy * dy + dz * dz + np.float32(1e-12)
            pulls[i, a] = zero
        for which in range(len(ks)):
            k, sharp = ks[which], sharpness[i, which]
            for _ in range(steps):
                count = slope = zero
                for a in range(near):
                    u = squares[a] * sharp
                    u *= u
                    s = one / (one + u * u)
                    count += s
                    slope += s * (one - s)
                change = (np.float32(k) - count) / max(np.float32(4) * slope, np.float32(1e-6))
                change = min(max(change, np.float32(-0.4)), np.float32(0.4))
                sharp = sharp / (one + change) if change > 0 else sharp * (one - change)
            sharpness[i, which] = sharp
            at_border = true_at_border = zero
            for a in range(near):
                u = squares[a] * sharp
                u *= u
                s = one / (one + u * u)
                border[a] = s * (one - s)
                at_border += border[a]
                true_at_border += border[a] if ranks[i, a] < k else zero
            share, weight = true_at_border / max(at_border, np.float32(1e-9)), weights[which] / np.float32(k)
            for a in range(near):
                pulls[i, a] += weight * border[a] * ((one if ranks[i, a] < k else zero) - share)
        for a in range(near):
            pulls[i, a] /= squares[a]


@njit(nogil=True, cache=True, fastmath=True)
def _gather(first, last, points, lists, pulls, starts, rows, columns, sharpness, cap, step):
    """step[i] = r_i^2 dR / dx_i, at most cap r_i long, r_i being the radius of the largest k."""
    near = lists.shape[1]
    for i in range(first, last):
        x, y, z = points[i, 0], points[i, 1], points[i, 2]
        sum_x = sum_y = sum_z = np.float32(0)
        for a in range(near):
            j, pull = lists[i, a], pulls[i, a]
            sum_x += pull * (points[j, 0] - x)
            sum_y += pull * (points[j, 1] - y)
            sum_z += pull * (points[j, 2] - z)
        for slot in range(starts[i], starts[i + 1]):
            j = rows[slot]
            pull = pulls[j, columns[slot]]
            sum_x += pull * (points[j, 0] - x)
            sum_y += pull * (points[j, 1] - y)
            sum_z += pull * (points[j, 2] - z)
        square = np.float32(8) / sharpness[i, -1]
        length = square * np.sqrt(sum_x * sum_x + sum_y * sum_y + sum_z * sum_z)
        longest = cap / np.sqrt(sharpness[i, -1])
        scale = square * min(np.float32(1), longest / max(length, np.float32(1e-30)))
        step[i, 0], step[i, 1], step[i, 2] = scale * sum_x, scale * sum_y, scale * sum_z


def relocate(coords: np.ndarray, indices: np.ndarray, seed: int, threads: int = 1) -> np.ndarray:
    """Set the features that gain most from it beside one of their true neighbours.

    With s as above and the radii r(p) of the feature at a position p, feature i contributes

        G_i(p) = sum_k (v_k / k) [ sum_{j in N_k(i)} s(|x_j - p| / r(p)) + sum_{j: i in N_k(j)} s(|x_j - p| / r_j) ]

    to the share of true neighbours kept. The features with the largest gains over their own positions move, at most
    SHARE of all. Arrays as in `refine`.
    """
    n, k = len(coords), int(KS[-1])
    if n <= 4 * k or indices.shape[1] < k:
        return coords
    true = np.ascontiguousarray(indices[:, :k], np.int32)
    squares = cKDTree(coords).query(coords, KS + 1, workers=threads)[0] ** 2 + 1e-9
    gains, targets = np.empty(n), np.empty(n, np.int32)
    with chunks(n, threads) as run:
        run(_gain, coords.astype(np.float64), true, *listed_by(true), squares, KS, WEIGHTS, gains, targets)
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
