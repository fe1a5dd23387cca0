"""The neighbour graph of the default layout: t-SNE's affinities, which know who is nearest, and plain adjacency."""

import numpy as np
from scipy.sparse import csr_matrix


def mixed_graph(indices: np.ndarray, similarities: np.ndarray, n_neighbors: int, perplexity: float) -> csr_matrix:
    """The mean of two graphs, each scaled so that the weights of a feature sum to 1 on average.

    One has t-SNE's affinities p_j|i + p_i|j over the 3 x `perplexity` nearest neighbours: the stronger a neighbour, the
    closer it is drawn. The other has weight 1 for each of the `n_neighbors` nearest: all of them count. UMAP's fuzzy
    set, which gives the nearest neighbour weight 1 however weak it is, keeps fewer of both kinds (docs/geometry.md).

    indices, similarities : int and float (n, k), the nearest others of each point, nearest first, and their cosines
    n_neighbors : neighbours per feature with weight 1, the feature itself counted as the first
    """
    strong = affinities(similarities[:, : round(3 * perplexity)], perplexity)
    equal = np.ones(similarities[:, : n_neighbors - 1].shape)
    return (_symmetric(indices, strong) + _symmetric(indices, equal)) / 2


def affinities(similarities: np.ndarray, perplexity: float) -> np.ndarray:
    """t-SNE's p_j|i: float64 (n, k) from cosines of that shape (van der Maaten and Hinton, JMLR 9, 2008).

    p_j|i = exp(-beta_i d_ij^2) / sum_j exp(-beta_i d_ij^2) with the distance d_ij^2 = 2 - 2 cosine of rows of norm 1
    and, by bisection, the beta_i for which 2 to the entropy of row i in bits is `perplexity`, or k / 2 if that is less.
    """
    squares = 2 - 2 * similarities.astype(np.float64)
    squares -= squares.min(axis=1, keepdims=True)
    target = np.log(min(perplexity, similarities.shape[1] / 2))
    low, high, beta = np.zeros((3, len(squares), 1))
    high[:], beta[:] = np.inf, 10
    for _ in range(50):
        p = np.exp(-beta * squares)
        p /= p.sum(axis=1, keepdims=True)
        entropy = -(p * np.log(np.maximum(p, 1e-300))).sum(axis=1, keepdims=True)
        low, high = np.where(entropy > target, beta, low), np.where(entropy > target, high, beta)
        beta = np.where(np.isinf(high), 2 * beta, (low + high) / 2)
    return p


def _symmetric(indices: np.ndarray, weights: np.ndarray) -> csr_matrix:
    """Weights of links in either direction, added and scaled to a mean sum of 1 per point."""
    n, k = weights.shape
    links = csr_matrix((weights.ravel(), indices[:, :k].ravel(), np.arange(0, n * k + 1, k)), shape=(n, n))
    links = links + links.T
    return links * (n / links.sum())
