"""Chains of mutual matches through the layers of a model, and the cosines within them, of which tracks are cut.

Features are numbered through all layers: index within the layer + number of features of the layers before it.
scripts/chain_features.py describes the arrays.
"""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
from numba import njit

from lib.geometry.knn import dot
from lib.geometry.matches import mutual

# Rows read at a time, but for the end of a chain.
ROWS = 4096


def chains(matches: list[dict[str, np.ndarray]], sizes: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """`members` and `starts` of the chains of mutual matches of at least two features, ordered by their first feature.

    matches : of each pair of adjacent layers; sizes : number of features of each layer
    """
    offsets = np.cumsum([0, *sizes])
    # The first feature of the chain that each is in.
    first = np.arange(offsets[-1])
    for layer, pair in enumerate(matches):
        i, j, _ = mutual(pair)
        first[offsets[layer + 1] + j] = first[offsets[layer] + i]
    lengths = np.bincount(first)
    chained = np.flatnonzero(lengths[first] > 1)
    members = chained[np.argsort(first[chained], kind="stable")].astype(np.int32)
    return members, np.concatenate([[0], np.cumsum(lengths[lengths > 1])]).astype(np.int32)


def cosines_within(
    members: np.ndarray, starts: np.ndarray, sizes: list[int], read: Callable[[int, np.ndarray], np.ndarray]
) -> np.ndarray:
    """The `cosines` of all pairs of features within each chain, exact to float32.

    read : the rows of some features, from the number of their layer (0, 1, ...) and their indices; few at a time
    """
    offsets, lengths = np.cumsum([0, *sizes]), np.diff(starts).astype(np.int64)
    cosines, filled = np.empty((lengths * (lengths - 1) // 2).sum(), np.float32), 0
    # Whole chains, of some ROWS features together.
    cuts = np.unique(np.append(np.searchsorted(starts, np.arange(0, len(members), ROWS)), len(starts) - 1))
    for first, last in pairwise(cuts):
        part = members[starts[first] : starts[last]]
        layers = np.searchsorted(offsets, part, side="right") - 1
        by_layer = np.concatenate(
            [read(layer, (part - offsets[layer])[layers == layer]) for layer in np.unique(layers)]
        )
        rows = by_layer[np.argsort(np.argsort(layers, kind="stable"))]
        filled += _multiply(rows, starts[first : last + 1] - starts[first], cosines[filled:])
    return cosines


@njit(nogil=True, cache=True)
def _multiply(rows, starts, cosines):
    k = 0
    for chain in range(len(starts) - 1):
        for later in range(starts[chain], starts[chain + 1]):
            for earlier in range(starts[chain], later):
                cosines[k] = min(dot(rows[later], rows[earlier]), 1.0)
                k += 1
    return k
