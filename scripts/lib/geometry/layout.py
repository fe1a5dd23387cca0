"""Lay a neighbour graph out in 3D by gradient ascent on t-SNE's objective, its normalisation estimated from samples.

With the similarity q_ij = 1 / (1 + |x_i - x_j|^2) of two positions and the symmetric weights w_ij of the graph, scaled
so that those of a feature sum to 1 on average, the layout maximises

    J = sum_{i<j} w_ij log q_ij  -  rho (n / 2) log sum_{i != j} q_ij,

where rho is `repulsion_strength`. For rho = 1 and p_ij = w_ij / n this is -n / 2 times t-SNE's Kullback-Leibler
divergence, up to a constant (van der Maaten and Hinton, JMLR 9, 2008). Its gradient is

    dJ / dx_i = 2 [ sum_j w_ij q_ij (x_j - x_i)  +  (rho / Z) sum_r q_ir^2 (x_i - x_r) ],

Z being the mean over i of sum_r q_ir. The first sum, the attraction, runs over all links of a feature. The second, the
repulsion, runs over `negative_samples` random features instead of all others, and so does Z: their number cancels out.
Dividing by Z balances attraction and repulsion at every number of features. UMAP's objective is another one: umap-learn
repels with a fixed force, too weak for 16,384 points in 3D, where strong neighbours get separated by unrelated features
(docs/geometry.md has the figures; Damrich et al., ICLR 2023, compare the two objectives).

During the first half of the epochs rho rises to its full strength: neighbourhoods gather before they spread, and fewer
of them are torn apart.

All moves of an epoch are computed from the positions before it, so the result depends on the seed, not on the number of
threads. The features are shuffled once per epoch and each is repelled by those that follow it: they are contiguous in
memory, so the compiler's vector instructions handle eight at a time.
"""

import numpy as np
from numba import njit
from scipy.sparse import csr_matrix

from lib.geometry.parallel import chunks

# Share of the previous move that is added to the next.
MOMENTUM = 0.5
# Step of the first epoch, per unit of force. It falls linearly to 0, which averages the sampling noise out.
STEP = 4.0
# Share of the repulsion's strength in the first epoch, and share of the epochs after which all of it acts.
FIRST_REPULSION, RISE = 0.7, 0.5


def lay_out(
    graph: csr_matrix,
    start: np.ndarray,
    *,
    n_epochs: int,
    negative_samples: int,
    repulsion_strength: float,
    seed: int,
    threads: int = 1,
) -> np.ndarray:
    """Climb the objective J of this module by gradient ascent with momentum.

    Parameters
    ----------
    graph : symmetric (n, n), as from `mixed_graph`
    start : float (n, 3)
    negative_samples : random features that repel each feature, per epoch
    repulsion_strength : rho

    Returns
    -------
    float32 (n, 3), the same bytes for every number of threads
    """
    n = graph.shape[0]
    rng = np.random.default_rng(seed)
    samples = min(negative_samples, n - 1)
    weights = (graph.data * (n / graph.data.sum())).astype(np.float32)
    # The layout grows from a standard deviation of 1 to its own size.
    positions = start / (start[:, 0].std() or 1) + 1e-3 * rng.standard_normal((n, 3))
    positions = np.ascontiguousarray(positions.T, np.float32)
    pull, push, move = (np.zeros_like(positions) for _ in range(3))
    similarity = np.zeros(n, np.float32)

    with chunks(n, threads) as run:
        for epoch in range(n_epochs):
            run(_attract, positions, graph.indptr, graph.indices, weights, pull)
            order = rng.permutation(n)
            ring = np.ascontiguousarray(positions[:, np.concatenate([order, order[:samples]])])
            run(_repel, ring, samples, order, push, similarity)
            elapsed = epoch / n_epochs
            share = FIRST_REPULSION + (1 - FIRST_REPULSION) * min(1, elapsed / RISE)
            repulsion = share * repulsion_strength / similarity.mean(dtype=np.float64)
            step = STEP * (1 - elapsed)
            move *= np.float32(MOMENTUM)
            move += np.float32(step) * pull + np.float32(step * repulsion) * push
            positions += move
    return np.ascontiguousarray(positions.T)


@njit(nogil=True, cache=True, fastmath=True)
def _attract(first, last, positions, indptr, indices, weights, pull):
    """pull[:, i] = sum_j w_ij q_ij (x_j - x_i) over the links of the points i from first to last."""
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
    """push[:, i] = sum_r q_ir^2 (x_i - x_r) and similarity[i] = sum_r q_ir over the `samples` points r that follow i.

    ring : float32 (3, n + samples), the positions in the order `order`, the first `samples` of them repeated at the
    end; the points i are its columns from first to last.
    """
    one = np.float32(1)
    for slot in range(first, last):
        x, y, z = ring[0, slot], ring[1, slot], ring[2, slot]
        xs = ring[0, slot + 1 : slot + 1 + samples]
        ys = ring[1, slot + 1 : slot + 1 + samples]
        zs = ring[2, slot + 1 : slot + 1 + samples]
        total = sum_x = sum_y = sum_z = np.float32(0)
        for r in range(samples):
            dx, dy, dz = x - xs[r], y - ys[r], z - zs[r]
            q = one / (one + dx * dx + dy * dy + dz * dz)
            total += q
            force = q * q
            sum_x += force * dx
            sum_y += force * dy
            sum_z += force * dz
        i = order[slot]
        push[0, i], push[1, i], push[2, i] = sum_x, sum_y, sum_z
        similarity[i] = total
