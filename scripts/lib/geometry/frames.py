"""How near each other matched features of two layers lie, in a frame that both share or after one is moved onto it."""

import numpy as np

# Random pairs of features of two layers: the distance that matches are held against.
RANDOM_PAIRS = 20_000


def drift(left: np.ndarray, right: np.ndarray, matches: tuple[np.ndarray, np.ndarray]) -> float | None:
    """Median distance of matched features as a share of the median distance of random pairs; None without matches.

    left, right : float (n, 3) and (m, 3), positions of two layers; matches : int (p,) features of each
    """
    if not len(matches[0]):
        return None
    rng = np.random.default_rng(0)
    pairs = tuple(rng.integers(0, len(positions), RANDOM_PAIRS) for positions in (left, right))
    matched, random = (
        np.nanmedian(np.linalg.norm(left[i].astype(np.float64) - right[j], axis=1)) for i, j in (matches, pairs)
    )
    return float(matched / random) if random else None


def procrustes(moving: np.ndarray, fixed: np.ndarray, matches: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """`moving` (m, 3), rotated, mirrored, scaled and shifted so that matched features lie nearest those of `fixed`.

    matches : int (p,) features of `fixed`, and of `moving`; fewer than four leave it as it is
    """
    if len(matches[0]) < 4:
        return moving
    target, source = fixed[matches[0]].astype(np.float64), moving[matches[1]].astype(np.float64)
    middle = source.mean(axis=0)
    left, sizes, right = np.linalg.svd((source - middle).T @ (target - target.mean(axis=0)))
    scale = sizes.sum() / max(((source - middle) ** 2).sum(), 1e-30)
    return (moving - middle) @ (left @ right) * scale + target.mean(axis=0)
