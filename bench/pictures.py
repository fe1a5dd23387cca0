"""Maps of one decoder as a picture, side by side."""

from pathlib import Path

import numpy as np
from matplotlib.image import imsave
from scipy.cluster.vq import kmeans2


def picture(coords: np.ndarray, colours: np.ndarray, size: int = 420) -> np.ndarray:
    """An orthographic view of the points from above, the nearer ones brighter: uint8 (size, size, 3)."""
    image = np.full((size, size, 3), 16.0)
    low, high = coords.min(axis=0), coords.max(axis=0)
    # Within the unit cube.
    scaled = (coords - (low + high) / 2) / (high - low).max() + 0.5
    x, y = (scaled[:, :2].T * (size - 4)).astype(int)
    for point in np.argsort(scaled[:, 2]):
        image[y[point] : y[point] + 3, x[point] : x[point] + 3] = colours[point] * (0.4 + 0.6 * scaled[point, 2])
    return image.astype(np.uint8)


def palette(groups: np.ndarray) -> np.ndarray:
    """A colour for each group, hues far from each other: float (n, 3)."""
    hue = (groups * 0.618034 % 1)[:, None] * 6
    return 255 * (0.35 + 0.65 * np.clip(np.abs((hue + np.array([0, 4, 2])) % 6 - 3) - 1, 0, 1))


def side_by_side(path: Path, decoder: np.ndarray, maps: list[np.ndarray]) -> None:
    """Write maps of one decoder beside each other; a colour is a cluster of the decoder."""
    colours = palette(kmeans2(decoder, 24, minit="++", rng=0)[1])
    gap = np.full((420, 12, 3), 255, np.uint8)
    images = [part for coords in maps for part in (gap, picture(coords, colours))][1:]
    path.parent.mkdir(parents=True, exist_ok=True)
    imsave(path, np.hstack(images), metadata={"Software": None})
