"""Chains of mutual matches through the layers of a model, and the tracks that they are cut into.

A chain follows mutual matches from layer to layer and has no threshold, so tracks of any threshold are cut from the
chains and the cosines within them; no decoder is read again. Features are numbered through all layers: index within
the layer + number of features of the layers before it. scripts/chain_features.py describes the arrays.
"""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
from numba import njit

from lib.geometry.knn import dot
from lib.geometry.matches import mutual

# Rows read at a time, but for the end of a chain.
ROWS = 4096


def layer_offsets(sizes: list[int]) -> np.ndarray:
    """The number of each layer's first feature, and the number of all features: int64 (layers + 1,)."""
    return np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)])


def chains(matches: list[dict[str, np.ndarray]], sizes: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """`members` and `starts` of the chains of mutual matches of at least two features, ordered by their first feature.

    matches : of each pair of adjacent layers; sizes : number of features of each layer
    """
    offsets = layer_offsets(sizes)
    chain_of = np.full(offsets[-1], -1, np.int32)
    count = 0
    for layer, pair in enumerate(matches):
        i, j, _ = mutual(pair)
        here, there = chain_of[offsets[layer] :], chain_of[offsets[layer + 1] :]
        begins = i[here[i] < 0]
        here[begins] = np.arange(count, count + len(begins))
        count += len(begins)
        there[j] = here[i]
    chained = np.flatnonzero(chain_of >= 0)
    members = chained[np.argsort(chain_of[chained], kind="stable")].astype(np.int32)
    lengths = np.bincount(chain_of[chained], minlength=count)
    return members, np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)


def pair_starts(starts: np.ndarray) -> np.ndarray:
    """Where the cosines of each chain begin, int64 (chains + 1,): a chain of m features has m (m - 1) / 2."""
    lengths = np.diff(starts).astype(np.int64)
    return np.concatenate([[0], np.cumsum(lengths * (lengths - 1) // 2)])


def cosines_within(
    members: np.ndarray, starts: np.ndarray, sizes: list[int], read: Callable[[int, np.ndarray], np.ndarray]
) -> np.ndarray:
    """The `cosines` of all pairs of features within each chain, exact to float32.

    read : the rows of some features, from the number of their layer (0, 1, ...) and their indices; few at a time
    """
    pairs, offsets = pair_starts(starts), layer_offsets(sizes)
    cosines = np.empty(pairs[-1], np.float32)
    # Whole chains, of some ROWS features together.
    cuts = np.unique(np.append(np.searchsorted(starts, np.arange(0, len(members), ROWS)), len(starts) - 1))
    for first, last in pairwise(cuts):
        part = members[starts[first] : starts[last]]
        layers = np.searchsorted(offsets, part, side="right") - 1
        by_layer = np.concatenate(
            [read(layer, (part - offsets[layer])[layers == layer]) for layer in np.unique(layers)]
        )
        rows = by_layer[np.argsort(np.argsort(layers, kind="stable"))]
        _multiply(rows, starts[first : last + 1] - starts[first], cosines[pairs[first] : pairs[last]])
    return cosines


@njit(nogil=True, cache=True)
def _multiply(rows, starts, cosines):
    k = 0
    for chain in range(len(starts) - 1):
        for later in range(starts[chain], starts[chain + 1]):
            for earlier in range(starts[chain], later):
                cosines[k] = min(dot(rows[later], rows[earlier]), 1.0)
                k += 1


def cut_into_tracks(
    starts: np.ndarray, cosines: np.ndarray, *, min_cosine_previous: float, min_cosine_first: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cut chains into tracks: a feature whose cosine with the one before it, or with the first of the track so far, is
    below its minimum starts a track of its own.

    Returns, for each member of a chain, int64: the position within `members` of the first feature of its track; and
    float32: its cosines with the one before it and with the first, NaN and 1 for the first itself.
    """
    pairs, lengths = pair_starts(starts), np.diff(starts)
    first = np.arange(starts[-1], dtype=np.int64)
    cosine_previous = np.full(len(first), np.nan, np.float32)
    cosine_first = np.ones(len(first), np.float32)
    # The second feature of all chains, then the third of those that have one, ...
    for step in range(1, lengths.max(initial=0)):
        chain = np.flatnonzero(lengths > step)
        member, row = starts[chain] + step, pairs[chain] + step * (step - 1) // 2
        track_first = first[member - 1]
        to_previous, to_first = cosines[row + step - 1], cosines[row + track_first - starts[chain]]
        goes_on = (to_previous >= np.float32(min_cosine_previous)) & (to_first >= np.float32(min_cosine_first))
        member = member[goes_on]
        first[member] = track_first[goes_on]
        cosine_previous[member], cosine_first[member] = to_previous[goes_on], to_first[goes_on]
    return first, cosine_previous, cosine_first
