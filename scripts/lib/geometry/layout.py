"""UMAP's neighbour graph laid out in 3D by full gradients: faster than sampling it link by link, and truer to it.

umap-learn moves the two ends of one sampled link at a time and pushes them from a handful of random points. Here
every feature is moved once an epoch by all its links, and by as many random features as `negative_samples` says.
Their order is shuffled once an epoch and each feature meets those that follow it: they lie side by side in memory,
so that a processor's vector instructions take eight of them for the price of one.

With the similarity q = 1 / (1 + |x_i - x_j|^2) of two positions, feature i is moved along

    sum_j w_ij q_ij (x_j - x_i)  +  repulsion_strength * sum_r q_ir^2 (x_i - x_r) / Z

over its links j and its random features r; the weights w are scaled so that those of a feature sum up to 1 on average,
and Z is the mean of sum_r q_ir over the features. Dividing by Z makes the layout's density irrelevant: attraction and
repulsion balance at every size (t-SNE's normalisation; van der Maaten and Hinton, JMLR 9, 2008; how it relates UMAP
to t-SNE: Damrich et al., ICLR 2023). umap-learn instead pushes with a fixed force, far too weak for 16,384 points in
3D: strong neighbours drown among unrelated features. docs/geometry.md has the figures.

All moves of an epoch are computed from the positions before it, so the result depends on the seed alone, not on the
number of threads. umap-learn itself is not imported: that and compiling it would take longer than the layout.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numba import njit
from scipy.sparse import csr_matrix
from threadpoolctl import threadpool_limits

MOMENTUM = 0.5  # share of the last move that goes on
STEP = 4.0  # of the first epoch, per unit of force; falls to 0 in a straight line, which averages the sampling out
START_SPREAD = (
    1.0  # standard deviation of the first coordinate at the start; the layout grows to its own size
)
CHUNK = 1024  # features a thread takes at a time


def among_the_living(
    indices: np.ndarray, similarities: np.ndarray, live: np.ndarray, n_neighbors: int
) -> tuple[np.ndarray, np.ndarray]:
    """The nearest neighbours of the live features, numbered among themselves.

    Parameters
    ----------
    indices, similarities : as in neighbors.npz, (n, k)
    live : int (m,), indices of the live features
    n_neighbors : how many to keep, the feature itself counted but left out; fewer where fewer features are alive

    Returns
    -------
    indices : int32 (m, others), positions within `live`
    similarities : float32 (m, others)
    """
    others = min(n_neighbors, len(live)) - 1
    position = np.full(len(indices), -1, np.int32)
    position[live] = np.arange(len(live), dtype=np.int32)
    return position[indices[live, :others]], similarities[live, :others]


def fuzzy_graph(indices: np.ndarray, similarities: np.ndarray) -> csr_matrix:
    """UMAP's fuzzy simplicial set of exact neighbours, as umap-learn builds it (McInnes et al., 2018, section 3.1).

    indices : int (n, k), the k nearest others of each point, by descending similarity
    similarities : float (n, k), their cosines; the distance is 1 - cosine

    Returns the symmetric (n, n) matrix of membership strengths in (0, 1]. umap-learn counts the point itself as its
    first neighbour: this is its graph for n_neighbors = k + 1.
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


def principal_components(rows: np.ndarray, seed: int, iterations: int = 8) -> np.ndarray:
    """Coordinates of float32 (n, d) rows along their three principal components: float32 (n, 3), zeros where d < 3.

    By subspace iteration: a few passes over the rows give what the start of a layout needs, where a full decomposition
    would take longer than the layout itself.
    """
    mean = rows.mean(axis=0, dtype=np.float64).astype(np.float32)
    basis = np.random.default_rng(seed).standard_normal(
        (rows.shape[1], min(rows.shape[1], 12)), dtype=np.float32
    )
    with threadpool_limits(1, user_api="blas"):  # the same bytes however many threads BLAS would take
        for _ in range(iterations):
            basis, _ = np.linalg.qr(basis)
            scores = rows @ basis - mean @ basis
            basis = rows.T @ scores - np.outer(mean, scores.sum(axis=0))
        basis, _ = np.linalg.qr(basis)
        left, size, _ = np.linalg.svd(rows @ basis - mean @ basis, full_matrices=False)
    scores = (left * size)[:, :3]
    return np.pad(scores, [(0, 0), (0, 3 - scores.shape[1])])


def lay_out(
    graph: csr_matrix,
    start: np.ndarray,
    n_epochs: int,
    negative_samples: int,
    repulsion_strength: float,
    seed: int,
    threads: int = 1,
) -> np.ndarray:
    """Move points along the gradient in the module's description, from `start`.

    graph : symmetric (n, n), as from `fuzzy_graph`
    start : float (n, 3)
    Returns float32 (n, 3), the same for every number of threads.
    """
    n = graph.shape[0]
    rng = np.random.default_rng(seed)
    samples = min(negative_samples, n - 1)
    weights = (graph.data * (n / graph.data.sum())).astype(np.float32)
    size = start[:, 0].std()
    positions = START_SPREAD * (start / (size if size > 0 else 1) + 1e-3 * rng.standard_normal((n, 3)))
    positions = np.ascontiguousarray(positions.T, np.float32)
    pull, push, move = (np.zeros_like(positions) for _ in range(3))
    similarity = np.zeros(n, np.float32)

    with ThreadPoolExecutor(threads) as pool:

        def in_chunks(work: Callable, *arguments) -> None:
            list(pool.map(lambda first: work(first, min(first + CHUNK, n), *arguments), range(0, n, CHUNK)))

        for epoch in range(n_epochs):
            in_chunks(_attract, positions, graph.indptr, graph.indices, weights, pull)
            order = rng.permutation(n)
            ring = np.ascontiguousarray(positions[:, np.concatenate([order, order[:samples]])])
            in_chunks(_repel, ring, samples, order, push, similarity)
            repulsion = repulsion_strength / similarity.mean(dtype=np.float64)
            step = STEP * (1 - epoch / n_epochs)
            move *= np.float32(MOMENTUM)
            move += np.float32(step) * pull + np.float32(step * repulsion) * push
            positions += move
    return np.ascontiguousarray(positions.T)


@njit(nogil=True, cache=True, fastmath=True)
def _attract(first, last, positions, indptr, indices, weights, pull):
    """Sum of w q (x_j - x_i) over the links of points first to last."""
    one = np.float32(1)
    for i in range(first, last):
        x, y, z = positions[0, i], positions[1, i], positions[2, i]
        sum_x = sum_y = sum_z = np.float32(0)
        for link in range(indptr[i], indptr[i + 1]):
            j = indices[link]
            dx, dy, dz = positions[0, j] - x, positions[1, j] - y, positions[2, j] - z
            force = weights[link] / (one + dx * dx + dy * dy + dz * dz)
            sum_x += force * dx
            sum_y += force * dy
            sum_z += force * dz
        pull[0, i], pull[1, i], pull[2, i] = sum_x, sum_y, sum_z


@njit(nogil=True, cache=True, fastmath=True)
def _repel(first, last, ring, samples, order, push, similarity):
    """Sums of q^2 (x_i - x_r) and of q over the `samples` points after each of places first to last of the ring."""
    one = np.float32(1)
    for place in range(first, last):
        x, y, z = ring[0, place], ring[1, place], ring[2, place]
        xs = ring[0, place + 1 : place + 1 + samples]
        ys = ring[1, place + 1 : place + 1 + samples]
        zs = ring[2, place + 1 : place + 1 + samples]
        total = sum_x = sum_y = sum_z = np.float32(0)
        for r in range(samples):
            dx, dy, dz = x - xs[r], y - ys[r], z - zs[r]
            q = one / (one + dx * dx + dy * dy + dz * dz)
            total += q
            force = q * q
            sum_x += force * dx
            sum_y += force * dy
            sum_z += force * dz
        i = order[place]
        push[0, i], push[1, i], push[2, i] = sum_x, sum_y, sum_z
        similarity[i] = total
