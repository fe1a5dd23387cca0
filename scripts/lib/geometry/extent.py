"""The size of a map: 100 units across."""

import numpy as np

EXTENT = 50.0


def centred(*layers: np.ndarray) -> list[np.ndarray]:
    """Centre positions and scale them by one factor: the largest absolute coordinate becomes 50.

    layers : float (n, 3) each, dead features NaN, all moved and scaled alike; returns float32
    """
    live = np.concatenate([coords[np.isfinite(coords).all(axis=1)] for coords in layers]).astype(np.float64)
    if not len(live):
        return list(layers)
    mean = live.mean(axis=0)
    largest = np.abs(live - mean).max()
    factor = EXTENT / largest if largest > 0 else 1
    return [((coords.astype(np.float64) - mean) * factor).astype(np.float32) for coords in layers]
