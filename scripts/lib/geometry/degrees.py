"""How many edges each feature has."""

import numpy as np


def degrees(source: np.ndarray, target: np.ndarray, n: int) -> np.ndarray:
    """Edges per feature, int (n,), of edges between features numbered from 0 to n - 1."""
    return np.bincount(np.concatenate([source, target]), minlength=n)
