"""Approximate nearest neighbours, for decoders with too many rows to compare all pairs, and their recall."""

import numpy as np

from lib.geometry.knn import compare_with_all, nearest_neighbors, rank_by_cosine
from lib.geometry.live import expand_to_all, select_rows

# Neighbours per feature, and features, by which the recall is measured.
RECALL_K = 15
RECALL_SAMPLE = 500


def approximate_neighbors(decoder: np.ndarray, k: int, threads: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Arrays as `nearest_neighbors` returns them, by nearest-neighbour descent (pynndescent).

    Some neighbours are missed (`recall` measures how many); the similarities of the others, and their order, are exact.
    Time grows little faster than n, that of the exact search with its square.
    """
    # Slow to import: scikit-learn.
    from pynndescent import NNDescent

    live = decoder.any(axis=1)
    rows = select_rows(decoder, live)
    # Every live row is a neighbour: nothing to approximate.
    if len(rows) <= k + 1:
        return nearest_neighbors(decoder, k, threads)
    # Of rows of norm 1, the Euclidean distance gives the same order as the cosine, and costs less.
    descent = NNDescent(rows, "euclidean", n_neighbors=k + 1, random_state=42, n_jobs=threads, compressed=True)
    candidates, _ = descent.neighbor_graph
    indices = np.full((len(rows), k), -1, np.int32)
    similarities = np.zeros((len(rows), k), np.float32)
    for row, others in enumerate(candidates):
        others = others[(others != row) & (others >= 0)][:k].astype(np.int32)
        rank_by_cosine(rows, row, others, indices[row], similarities[row])
    # The library leaves gaps where it finds too few: a stored -1 would mean that no other feature is live.
    incomplete = np.flatnonzero(indices[:, -1] < 0)
    indices[incomplete], similarities[incomplete] = compare_with_all(rows, incomplete, k, threads)
    return expand_to_all(indices, similarities, live)


def recall(decoder: np.ndarray, indices: np.ndarray) -> float:
    """Share of the exact nearest neighbours of some live rows that are among the `indices` of each."""
    live = decoder.any(axis=1)
    rows, features = select_rows(decoder, live), np.flatnonzero(live)
    k = min(indices.shape[1], RECALL_K, len(rows) - 1)
    sample = np.random.default_rng(0).permutation(len(rows))[:RECALL_SAMPLE]
    exact, _ = compare_with_all(rows, sample, k)
    return float((features[exact][:, :, None] == indices[features[sample], None, :]).any(axis=2).mean())
