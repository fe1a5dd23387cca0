"""UMAP's neighbour graph, built from exact neighbours without umap-learn, whose import alone takes longer."""

import numpy as np
from scipy.sparse import csr_matrix


def fuzzy_graph(indices: np.ndarray, similarities: np.ndarray) -> csr_matrix:
    """UMAP's fuzzy simplicial set, as umap-learn builds it (McInnes et al., 2018, section 3.1).

    Parameters
    ----------
    indices : int (n, k), the k nearest others of each point, by descending similarity
    similarities : float (n, k), their cosines; the distance is 1 - cosine

    Returns
    -------
    The symmetric (n, n) matrix of membership strengths in (0, 1]. umap-learn counts the point itself as its first
    neighbour: this is its graph for n_neighbors = k + 1.
    """
    n, k = indices.shape
    distances = np.maximum(1.0 - similarities.astype(np.float64), 0)
    nearest = np.where(distances > 0, distances, np.inf).min(axis=1)
    nearest[np.isinf(nearest)] = 0
    beyond = np.maximum(distances - nearest[:, None], 0)
    least = 1e-3 * np.where(nearest > 0, distances.sum(axis=1) / (k + 1), distances.sum() / (n * (k + 1)))
    scale = np.maximum(_scales(beyond, np.log2(k + 1)), least)[:, None]
    strengths = np.exp(-np.divide(beyond, scale, out=np.zeros_like(beyond), where=beyond > 0))
    links = csr_matrix((strengths.ravel(), indices.ravel(), np.arange(0, n * k + 1, k)), shape=(n, n))
    both = links.multiply(links.T)
    graph = (links + links.T - both).tocsr()
    graph.eliminate_zeros()
    return graph


def _scales(beyond: np.ndarray, target: float) -> np.ndarray:
    """The scale s of each row at which sum(exp(-beyond / s)) is `target`, by bisection."""
    low, high = np.zeros(len(beyond)), np.full(len(beyond), np.inf)
    scale = np.ones(len(beyond))
    for _ in range(64):
        excess = np.exp(-beyond / scale[:, None]).sum(axis=1) - target
        if np.abs(excess).max(initial=0) < 1e-5:
            break
        high = np.where(excess > 0, scale, high)
        low = np.where(excess > 0, low, scale)
        scale = np.where(np.isinf(high), 2 * scale, (low + high) / 2)
    return scale
