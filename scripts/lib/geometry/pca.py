"""Principal components: where a layout starts, what is kept of a decoder, and the projection maps are compared with."""

import numpy as np
from threadpoolctl import threadpool_limits


def principal_components(rows: np.ndarray, seed: int, iterations: int = 8) -> np.ndarray:
    """Coordinates of float32 (n, d) rows along their first three principal components: (n, 3), zeros where d < 3.

    Subspace iteration: a few passes over the rows are accurate enough to start a layout from, and a full decomposition
    would take longer than the layout itself.
    """
    scores = leading_components(rows, 12, seed, iterations)[2][:, :3]
    return np.pad(scores, [(0, 0), (0, 3 - scores.shape[1])])


def leading_components(rows: np.ndarray, count: int, seed: int, iterations: int) -> tuple[np.ndarray, ...]:
    """Mean, leading principal directions and scores of float32 (n, d) rows: (d,), (r, d) and (n, r).

    r is `count`, or less where there are fewer rows or dimensions. The scores are the centred rows' coordinates along
    the directions, which are orthonormal and in the order of their variance; by subspace iteration, so the last ones
    are the least accurate.
    """
    mean = rows.mean(axis=0, dtype=np.float64).astype(np.float32)
    basis = np.random.default_rng(seed).standard_normal((rows.shape[1], min(rows.shape[1], count)), dtype=np.float32)
    # One thread: the sums, and so the bytes, would depend on how many BLAS uses.
    with threadpool_limits(1, user_api="blas"):
        for _ in range(iterations):
            basis, _ = np.linalg.qr(basis)
            scores = rows @ basis - mean @ basis
            basis = rows.T @ scores - np.outer(mean, scores.sum(axis=0))
        basis, _ = np.linalg.qr(basis)
        left, size, right = np.linalg.svd(rows @ basis - mean @ basis, full_matrices=False)
        return mean, right @ basis.T, left * size


def shared_components(summaries: list[dict[str, np.ndarray]], scores: list[np.ndarray]) -> list[np.ndarray]:
    """Coordinates of all layers' rows along the first three principal components of all of them together.

    The second moments of the stacked rows are the sums of the layers', which their summaries give: no two decoders are
    ever in memory.

    summaries : by layer, `mean` (d,) and `components` (r, d), as from `leading_components`; scores : its (n, r)
    Returns (n, 3) for each layer, zeros where d < 3.
    """
    counts = np.array(list(map(len, scores)))
    means = np.stack([summary["mean"] for summary in summaries])
    mean = counts @ means / counts.sum()
    with threadpool_limits(1, user_api="blas"):
        factors = [np.sqrt(counts)[:, None] * (means - mean)]
        for summary, own in zip(summaries, scores, strict=True):
            factors.append(np.linalg.norm(own, axis=0)[:, None] * summary["components"])
        factors = np.concatenate(factors)
        # The right singular vectors of the factors, from their products: there are fewer of these than dimensions.
        _, left = np.linalg.eigh(factors @ factors.T)
        directions = left[:, :-4:-1].T @ factors
        directions /= np.maximum(np.linalg.norm(directions, axis=1, keepdims=True), 1e-12)
        starts = [
            own @ (summary["components"] @ directions.T) + (summary["mean"] - mean) @ directions.T
            for summary, own in zip(summaries, scores, strict=True)
        ]
    return [np.pad(start, [(0, 0), (0, 3 - start.shape[1])]) for start in starts]
