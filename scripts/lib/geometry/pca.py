"""Principal components: where a layout starts, and the projection that maps are compared with."""

import numpy as np
from threadpoolctl import threadpool_limits


def principal_components(rows: np.ndarray, seed: int, iterations: int = 8) -> np.ndarray:
    """Coordinates of float32 (n, d) rows along their first three principal components: (n, 3), zeros where d < 3.

    Subspace iteration: a few passes over the rows are accurate enough to start a layout from, and a full decomposition
    would take longer than the layout itself.
    """
    mean = rows.mean(axis=0, dtype=np.float64).astype(np.float32)
    basis = np.random.default_rng(seed).standard_normal((rows.shape[1], min(rows.shape[1], 12)), dtype=np.float32)
    # One thread: the sums, and so the bytes, would depend on how many BLAS uses.
    with threadpool_limits(1, user_api="blas"):
        for _ in range(iterations):
            basis, _ = np.linalg.qr(basis)
            scores = rows @ basis - mean @ basis
            basis = rows.T @ scores - np.outer(mean, scores.sum(axis=0))
        basis, _ = np.linalg.qr(basis)
        left, size, _ = np.linalg.svd(rows @ basis - mean @ basis, full_matrices=False)
    scores = (left * size)[:, :3]
    return np.pad(scores, [(0, 0), (0, 3 - scores.shape[1])])
