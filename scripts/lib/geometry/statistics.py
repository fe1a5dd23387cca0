"""Statistics of points and pairs that the measures of a map are made of."""

import numpy as np

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


def nearest_others(distances: np.ndarray, k: int) -> np.ndarray:
    """The k nearest others of each point, fewer where there are fewer, in any order; from float (m, m) distances."""
    others = distances + np.diag(np.full(len(distances), np.inf, distances.dtype))
    k = min(k, len(others) - 1)
    return np.argpartition(others, k, axis=1)[:, :k]


def trustworthiness(truth: np.ndarray, near: np.ndarray) -> float:
    """1 minus a penalty for each near point by its rank beyond k in truth (Venna and Kaski, ICANN 2001), from 0 to 1.

    truth : float (m, m), distances in truth; the diagonal is not read
    near : int (m, k), the k nearest others of each point where they are shown; NaN for m up to 4 k
    """
    m, k = near.shape
    if m <= 4 * k:
        return np.nan
    penalty = 0
    for row, others in enumerate(near):
        distances = truth[row].copy()
        distances[row] = -np.inf
        # The point itself counts as closer, so the nearest other has rank 1.
        ranks = np.searchsorted(np.sort(distances), distances[others])
        penalty += np.maximum(ranks - k, 0).sum()
    return float(1 - penalty * 2 / (m * k * (2 * m - 3 * k - 1)))


def rounded(value):
    """Numbers to four decimals, all through a record: sampling noise hides further ones. NaN becomes None."""
    if isinstance(value, dict):
        return {key: rounded(each) for key, each in value.items()}
    if isinstance(value, list):
        return [rounded(each) for each in value]
    if isinstance(value, float | np.floating):
        return None if np.isnan(value) else round(float(value), 4)
    return value
