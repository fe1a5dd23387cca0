"""Pairs of features of two layers that are each other's nearest, as match_layers finds them."""

import numpy as np


def mutual(matches: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The pairs of features that are each other's nearest, from what `match` returns.

    Returns int32 (p,) features of the left layer, ascending; int32 (p,) features of the right; their float32 cosines.
    """
    i = np.flatnonzero(matches["forward"] >= 0).astype(np.int32)
    i = i[matches["backward"][matches["forward"][i]] == i]
    return i, matches["forward"][i], matches["forward_cosine"][i]
