"""Regions of a map: groups of points at several levels, cut from one tree that Ward's method builds on the map."""

import warnings

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.cluster import ward_tree

from lib.geometry.points import nearest_points

# Nearest points that a point may be merged with.
NEAR = 15


def divide(coords: np.ndarray, counts: list[int]) -> np.ndarray:
    """Divide a map into regions at several levels, each inside one of the level before: int (m, levels).

    Regions of a level are numbered from 0: in the order of those around them, then the largest first, then by their
    first point.

    coords : float32 (m, 3), finite, m >= 1; counts : regions per level, ascending, each at most m
    """
    m, parents = len(coords), merged_into(coords)
    levels, outer = [], np.zeros(m, int)
    for count in counts:
        # The first m - count merges make the regions: whatever goes into a later one is a region.
        end, region = 2 * m - count, np.arange(2 * m - 1)
        for node in range(end - 1, -1, -1):
            if parents[node] < end:
                region[node] = region[parents[node]]
        _, first, inverse, sizes = np.unique(region[:m], return_index=True, return_inverse=True, return_counts=True)
        outer = np.argsort(np.lexsort((first, -sizes, outer[first])))[inverse]
        levels.append(outer)
    return np.stack(levels, axis=1)


def merged_into(coords: np.ndarray) -> np.ndarray:
    """The tree of Ward's method: for each point, and each merge after them, the merge that it goes into.

    int (2 m - 1,), numbered as scikit-learn does; the last goes nowhere and has its own number.
    """
    m = len(coords)
    parents = np.arange(2 * m - 1)
    if m > 1:
        near = nearest_points(coords, NEAR)
        links = csr_matrix((np.ones(near.size), near.ravel(), np.arange(0, near.size + 1, near.shape[1])), (m, m))
        with warnings.catch_warnings():
            # It says so when it joins parts of the map that no link joins.
            warnings.simplefilter("ignore")
            children = ward_tree(coords.astype(np.float64), connectivity=links)[0]
        parents[children] = np.arange(m, 2 * m - 1)[:, None]
    return parents
