"""Arrays of the live features alone, numbered among themselves, and back; `live` is bool (n,), of all features."""

import numpy as np


def select_rows(rows: np.ndarray, live: np.ndarray) -> np.ndarray:
    """The rows of the live features, contiguous (m, d); the array itself, not a copy, where all are live."""
    return np.ascontiguousarray(rows if live.all() else rows[live])


def include_dead(values: np.ndarray, live: np.ndarray, missing: float = np.nan) -> np.ndarray:
    """The values (m, ...) of the live features as those of all (n, ...), `missing` for dead ones."""
    full = np.full((len(live), *values.shape[1:]), missing, values.dtype)
    full[live] = values
    return full


def renumber(live: np.ndarray) -> np.ndarray:
    """The position of each feature among the live ones, int32 (n,); -1 for dead ones."""
    return np.where(live, np.cumsum(live) - 1, -1).astype(np.int32)


def restrict_to_live(indices, similarities, live: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The nearest neighbours of the live features, from (n, k) arrays as in neighbors.npz.

    Returns the neighbours' positions among the live, int32 (m, min(k, m - 1)), and similarities, float32 of that shape.
    """
    k = min(indices.shape[1], np.count_nonzero(live) - 1)
    return renumber(live)[indices[live, :k]], similarities[live, :k]


def expand_to_all(indices, similarities, live: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The inverse of `restrict_to_live`: (n, k) arrays, -1 and 0 where there is no neighbour."""
    # -1, no neighbour, selects the last and stays -1.
    features = np.append(np.flatnonzero(live), -1).astype(np.int32)
    return include_dead(features[indices], live, -1), include_dead(similarities, live, 0)
