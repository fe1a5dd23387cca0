"""Statistics of points, pairs and label words that the measures of a map are made of."""

import numpy as np
from scipy.sparse import csr_matrix

# Features whose distances from each other are all computed; the cost grows with their square.
SAMPLED_FEATURES = 2000


def sample_of(m: int, rng: np.random.Generator) -> np.ndarray:
    """Up to `SAMPLED_FEATURES` of m features, at random, in ascending order."""
    return np.sort(rng.permutation(m)[:SAMPLED_FEATURES])


def rank_correlation(left: np.ndarray, right: np.ndarray) -> float | None:
    """Correlation of ranks, equal values sharing one; None where one side is constant.

    It is Spearman's but for equal values, of which distances have hardly any. scipy.stats would take longer to import
    than all correlations of a map take to compute.
    """
    if len(left) < 2 or not np.ptp(left) or not np.ptp(right):
        return None
    ranks = [np.unique(side, return_inverse=True)[1] for side in (left, right)]
    return float(np.corrcoef(ranks)[0, 1])


def trustworthiness(truth: np.ndarray, near: np.ndarray) -> float:
    """1 minus a penalty for each near point by its rank beyond k in truth (Venna and Kaski, ICANN 2001), from 0 to 1.

    Parameters
    ----------
    truth : float (m, m), distances in truth; the diagonal is not read
    near : int (m, k), the k nearest others of each point where they are shown, k < m / 2
    """
    m, k = near.shape
    penalty = 0
    for row, others in enumerate(near):
        distances = truth[row].copy()
        distances[row] = -np.inf
        # The point itself counts as closer, so the nearest other has rank 1.
        ranks = np.searchsorted(np.sort(distances), distances[others])
        penalty += np.maximum(ranks - k, 0).sum()
    return float(1 - penalty * 2 / (m * k * (2 * m - 3 * k - 1)))


def word_matrix(words: list[set[str]]) -> csr_matrix:
    """Which label has which words: (labels, different words), 1 for each."""
    numbers = {}
    columns = [numbers.setdefault(word, len(numbers)) for each in words for word in sorted(each)]
    starts = np.cumsum([0, *map(len, words)])
    return csr_matrix((np.ones(len(columns), np.int32), columns, starts), shape=(len(words), max(len(numbers), 1)))


def word_overlap(words: csr_matrix, near: np.ndarray) -> float:
    """Mean Jaccard overlap of the words of each point with those of its near points; points without words are left out.

    words : by point, as from `word_matrix`; near : int (m, k)
    """
    sizes = np.diff(words.indptr)
    left, right = np.repeat(np.arange(len(near)), near.shape[1]), near.ravel()
    worded = (sizes[left] > 0) & (sizes[right] > 0)
    left, right = left[worded], right[worded]
    if not len(left):
        return 0.0
    common = np.asarray(words[left].multiply(words[right]).sum(axis=1)).ravel()
    return float((common / (sizes[left] + sizes[right] - common)).mean())
