"""Matches of two layers: the nearest feature of the other layer by the cosine of their decoder rows.

Decoder rows of one site of a model live in one space, the residual stream, so the rows of its layers compare as they
are. The search is that of the neighbours, exact by the same proof.
"""

import numpy as np

from lib.geometry.knn import nearest_rows
from lib.geometry.live import expand_to_all, live_rows


def match(left: np.ndarray, right: np.ndarray, threads: int = 1) -> dict[str, np.ndarray]:
    """Find the nearest live feature of the other layer for every live feature of both.

    Parameters
    ----------
    left, right : float32 (n, d) and (m, d), rows of norm 1, or all zeros (dead features); may be memory-mapped

    Returns
    -------
    forward : int32 (n,), the feature of `right` with the highest cosine, of equal ones the lowest
    forward_cosine, forward_second : float32 (n,), the cosines of that feature and of the runner-up
    backward, backward_cosine, backward_second : the same for the features of `right`, (m,)
        -1 and 0 for dead features, and where the other layer has none. The same bytes for every number of threads.

    Raises ValueError: different widths, or a row whose norm is neither 1 nor 0.
    """
    if left.shape[1:] != right.shape[1:]:
        raise ValueError(f"decoders of shapes {left.shape} and {right.shape} are not of one residual stream")
    live = live_rows(left), live_rows(right)
    border, features = len(live[0]), np.concatenate(live)
    rows = np.empty((len(features), left.shape[1]), np.float32)
    # With another mode, `take` collects the rows before it copies them.
    np.take(left, live[0], axis=0, out=rows[:border], mode="clip")
    np.take(right, live[1], axis=0, out=rows[border:], mode="clip")
    indices, cosines = nearest_rows(rows, 2, threads, border)
    matches = {}
    sides = {"forward": (len(left), slice(border)), "backward": (len(right), slice(border, None))}
    for name, (n, part) in sides.items():
        nearest, cosine = expand_to_all(indices[part], cosines[part], features[part], (n, 2), features)
        matches |= {name: nearest[:, 0], f"{name}_cosine": cosine[:, 0], f"{name}_second": cosine[:, 1]}
    return matches


def mutual(matches: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The pairs of features that are each other's nearest, from what `match` returns.

    Returns int32 (p,) features of the left layer, ascending; int32 (p,) features of the right; their float32 cosines.
    """
    i = np.flatnonzero(matches["forward"] >= 0).astype(np.int32)
    i = i[matches["backward"][matches["forward"][i]] == i]
    return i, matches["forward"][i], matches["forward_cosine"][i]
