"""How far a map extends, 100 units across, and the regions in it."""

import numpy as np

EXTENT = 50.0
# Of a region's features, the share that its radius holds.
MOST = 0.9


def centred(*layers: np.ndarray) -> list[np.ndarray]:
    """Centre positions and scale them by one factor: the largest absolute coordinate becomes 50.

    layers : float (n, 3) each, dead features NaN, all moved and scaled alike; returns float32
    """
    live = np.concatenate([coords[np.isfinite(coords[:, 0])] for coords in layers]).astype(np.float64)
    mean = live.mean(axis=0)
    largest = np.abs(live - mean).max()
    factor = EXTENT / largest if largest > 0 else 1
    return [((coords.astype(np.float64) - mean) * factor).astype(np.float32) for coords in layers]


def members_of(regions: np.ndarray) -> list[np.ndarray]:
    """The features of each region, ascending; `regions` int (n, levels), as in regions.npz."""
    inside = regions >= 0
    numbers, features = regions[inside], np.nonzero(inside)[0]
    return np.split(features[np.argsort(numbers, kind="stable")], np.cumsum(np.bincount(numbers))[:-1])


def outline(coords: np.ndarray, decimals: int) -> dict:
    """The middle of a region's positions, float (m, 3), and the distance from it within which most of them lie."""
    centre = coords.mean(axis=0, dtype=np.float64)
    radius = np.quantile(np.linalg.norm(coords - centre, axis=1), MOST, method="higher")
    # + 0.0: no -0.0
    return {"center": (np.round(centre, decimals) + 0.0).tolist(), "radius": round(float(radius), decimals)}
