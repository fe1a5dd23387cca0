"""Points near each other in a map."""

import numpy as np
from scipy.spatial import cKDTree


def nearest_points(coords: np.ndarray, k: int, threads: int = 1) -> np.ndarray:
    """The k nearest others of each point, by ascending distance; int32 (m, k), fewer columns where there are fewer."""
    m = len(coords)
    near = cKDTree(coords).query(coords, np.arange(1, min(k + 1, m) + 1), workers=threads)[1]
    others = near != np.arange(m)[:, None]
    # A point is not always its own nearest where points coincide.
    if not others[:, 1:].all():
        near = np.take_along_axis(near, np.argsort(others, axis=1, kind="stable"), axis=1)
    return near[:, 1:].astype(np.int32)


def kept_neighbors(indices: np.ndarray, near: np.ndarray, k: int) -> np.ndarray:
    """Share of each feature's k nearest neighbours that are among its k nearest points: float64 (m,).

    indices, near : int (m, at least k), nearest first. NaN in a small layer, where every point is near every other.
    """
    if len(near) <= 4 * k or indices.shape[1] < k:
        return np.full(len(near), np.nan)
    return (indices[:, :k, None] == near[:, None, :k]).any(axis=2).mean(axis=1)
