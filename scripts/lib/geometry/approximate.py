"""Approximate nearest neighbours, for decoders with too many rows to compare all pairs, and their recall."""

import numpy as np

from lib.geometry.knn import FEW, compare_with_all, nearest_neighbors, rank_by_cosine
from lib.geometry.live import expand_to_all, live_rows, select_rows


def approximate_neighbors(decoder: np.ndarray, k: int, threads: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Arrays as `nearest_neighbors` returns them, by nearest-neighbour descent (pynndescent).

    Some neighbours are missed (`recall` measures how many); the similarities of the others, and their order, are exact.
    Time grows little faster than n, that of the exact search with its square.
    """
    # Slow to import: scikit-learn.
    from pynndescent import NNDescent

    n, live = len(decoder), live_rows(decoder)
    # Every live row is a neighbour: nothing to approximate.
    if len(live) <= k + 1:
        return nearest_neighbors(decoder, k, threads)
    rows = select_rows(decoder, live)
    # Of rows of norm 1, the Euclidean distance gives the same order as the cosine, and costs less.
    descent = NNDescent(rows, "euclidean", n_neighbors=k + 1, random_state=42, n_jobs=threads, compressed=True)
    candidates, _ = descent.neighbor_graph
    indices = np.full((len(rows), k), -1, np.int32)
    similarities = np.zeros((len(rows), k), np.float32)
    for row, others in enumerate(candidates):
        others = others[(others != row) & (others >= 0)][:k].astype(np.int32)
        rank_by_cosine(rows, row, others, indices[row, : len(others)], similarities[row, : len(others)])
    # The library leaves gaps where it finds too few: a stored -1 would mean that no other feature is live.
    incomplete = np.flatnonzero(indices[:, -1] < 0)
    for part in (incomplete[i : i + FEW] for i in range(0, len(incomplete), FEW)):
        indices[part], similarities[part] = compare_with_all(rows, part, k)
    return expand_to_all(indices, similarities, live, (n, k))


def recall(decoder: np.ndarray, indices: np.ndarray, k: int, sample: int = 500) -> float:
    """Share of the exact k nearest neighbours of `sample` live rows that are among the `indices` of each."""
    live = live_rows(decoder)
    rows = select_rows(decoder, live)
    k = min(k, len(live) - 1)
    if k < 1:
        return 1.0
    sampled = np.random.default_rng(0).permutation(len(live))[:sample]
    parts = [sampled[i : i + FEW] for i in range(0, len(sampled), FEW)]
    exact = np.concatenate([compare_with_all(rows, part, k)[0] for part in parts])
    return float((live[exact][:, :, None] == indices[live[sampled], None, :]).any(axis=2).mean())
