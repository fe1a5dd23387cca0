"""Statistics of points, pairs and label words that the measures of a map are made of."""

import numpy as np
from scipy.spatial import cKDTree
from scipy.stats import spearmanr


def nearest_points(coords: np.ndarray, k: int) -> np.ndarray:
    """The k nearest others of each point, by ascending distance; int (m, k), fewer columns where there are fewer."""
    m = len(coords)
    _, near = cKDTree(coords).query(coords, min(k + 1, m))
    near = near.reshape(m, -1)
    # A point is not always its own nearest where points coincide.
    itself_first = np.argsort(near != np.arange(m)[:, None], axis=1, kind="stable")
    return np.take_along_axis(near, itself_first, axis=1)[:, 1:]


def pair_cosines(rows: np.ndarray, left: np.ndarray, right: np.ndarray, chunk: int = 2000) -> np.ndarray:
    """Cosines of pairs of rows of norm 1, in chunks: the rows of all pairs take more memory than the decoder."""
    cosines = np.empty(len(left), rows.dtype)
    for i in range(0, len(left), chunk):
        part = slice(i, i + chunk)
        cosines[part] = np.einsum("ij,ij->i", rows[left[part]], rows[right[part]])
    return cosines


def rank_correlation(left: np.ndarray, right: np.ndarray) -> float | None:
    """Spearman's rank correlation; None where one side is constant."""
    if len(left) < 2 or not np.ptp(left) or not np.ptp(right):
        return None
    return float(spearmanr(left, right).statistic)


def word_overlap(words: list[set[str]], near: np.ndarray) -> float:
    """Mean Jaccard overlap of the words of each point with those of its near points; points without words are left out.

    words : by point; near : int (m, k)
    """
    shares = [
        len(words[row] & words[other]) / len(words[row] | words[other])
        for row, others in enumerate(near.tolist())
        if words[row]
        for other in others
        if words[other]
    ]
    return float(np.mean(shares)) if shares else 0.0
