"""Live features among themselves: which rows have a direction, and how arrays are numbered without the dead ones."""

import numpy as np

NORM_TOLERANCE = 1e-4


def live_rows(decoder: np.ndarray) -> np.ndarray:
    """Indices of the rows of norm 1, int32 (m,); all others must be zeros (dead features).

    Raises ValueError: a row has another norm, or is not finite.
    """
    norms = np.sqrt(np.einsum("ij,ij->i", decoder, decoder, dtype=np.float64))
    wrong = np.flatnonzero(~((norms == 0) | (np.abs(norms - 1) <= NORM_TOLERANCE)))
    if wrong.size:
        raise ValueError(
            f"{wrong.size} of {len(decoder)} decoder rows have neither norm 1 nor norm 0, "
            f"the first is row {wrong[0]} with norm {norms[wrong[0]]}: normalise the rows first"
        )
    return np.flatnonzero(norms).astype(np.int32)


def live_points(coords: np.ndarray) -> np.ndarray:
    """Indices of the features that have a position, int (m,): the live ones."""
    return np.flatnonzero(np.isfinite(coords).all(axis=1))


def select_rows(decoder: np.ndarray, live: np.ndarray) -> np.ndarray:
    """The live rows, contiguous (m, d); the decoder itself, not a copy, where all are live."""
    return np.ascontiguousarray(decoder if len(live) == len(decoder) else decoder[live])


def include_dead(values: np.ndarray, live: np.ndarray, n: int) -> np.ndarray:
    """The values of the live features as those of all n: float32, NaN for dead ones."""
    full = np.full((n, *values.shape[1:]), np.nan, np.float32)
    full[live] = values
    return full


def renumber(live: np.ndarray, n: int) -> np.ndarray:
    """The position of each of n features within `live`, int32 (n,); -1 for those that are not in it."""
    positions = np.full(n, -1, np.int32)
    positions[live] = np.arange(len(live), dtype=np.int32)
    return positions


def restrict_to_live(indices, similarities, live: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The nearest neighbours of the live features, from (n, k) arrays as in neighbors.npz.

    Returns the neighbours' positions within `live`, int32 (m, min(k, m - 1)), and similarities, float32 of that shape.
    """
    k = min(indices.shape[1], len(live) - 1)
    return renumber(live, len(indices))[indices[live, :k]], similarities[live, :k]


def expand_to_all(
    indices, similarities, live: np.ndarray, shape: tuple[int, int], features: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """The inverse of `restrict_to_live`: arrays of the given shape for all features, -1 and 0 where there is none.

    `features` are those that `indices` point into, `live` if they are the same.
    """
    features = live if features is None else features
    width = indices.shape[1]
    all_indices = np.full(shape, -1, np.int32)
    all_similarities = np.zeros(shape, np.float32)
    all_indices[live, :width] = np.where(indices >= 0, features[indices], -1)
    all_similarities[live, :width] = similarities
    return all_indices, all_similarities
