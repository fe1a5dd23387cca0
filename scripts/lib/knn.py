"""Exact cosine nearest neighbours by blocked matrix products."""

import numpy as np


def nearest_neighbors(decoder: np.ndarray, k: int, threads: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """The k rows of highest cosine to each row.

    Parameters
    ----------
    decoder : float32 (n, d), rows of norm 1, or all zeros where a feature is dead

    Returns
    -------
    indices : int32 (n, min(k, n - 1)), self excluded, descending, ties by lower index; -1 where there is none
    similarities : float32, the same shape, 0 where there is none
    """
    n = len(decoder)
    k = min(k, max(n - 1, 0))
    indices = np.full((n, k), -1, np.int32)
    similarities = np.zeros((n, k), np.float32)
    live = np.flatnonzero(decoder.any(axis=1))
    rows = decoder[live].astype(np.float64)
    kept = min(k, max(len(live) - 1, 0))
    for start in range(0, len(live), 512):
        block = (rows[start : start + 512] @ rows.T).astype(np.float32)
        here = np.arange(len(block))
        block[here, start + here] = -np.inf
        order = np.argsort(-block, axis=1, kind="stable")[:, :kept]
        indices[live[start : start + 512], :kept] = live[order]
        similarities[live[start : start + 512], :kept] = np.minimum(np.take_along_axis(block, order, 1), 1)
    return indices, similarities
