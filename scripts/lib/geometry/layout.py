"""Lay neighbour graphs out in 3D by gradient ascent on t-SNE's objective, its normalisation estimated from samples.

With the similarity q_ij = 1 / (1 + |x_i - x_j|^2) of two positions, rho = `repulsion_strength` and the weights w_ij of
a graph, scaled so that those of a feature sum to 1 on average, the layout maximises J. Z is the mean over i of
sum_r q_ir; docs/geometry.md has the sources:

    J         = sum_{i<j} w_ij log q_ij  -  rho (n / 2) log sum_{i != j} q_ij
    dJ / dx_i = 2 [ sum_j w_ij q_ij (x_j - x_i)  +  (rho / Z) sum_r q_ir^2 (x_i - x_r) ]

The first sum, the attraction, runs over all links of a feature. The second, the repulsion, runs over `negative_samples`
random features instead of all others, and so does Z: their number cancels out.

Layers of a model can be laid out in one frame. Each has a J of its own, and springs join features i to their matches m
in adjacent layers. All together they maximise

    sum of the layers' J  -  sum_(i,m) c_im reach^2 log(1 + |x_m - x_i|^2 / reach^2),   each pair once.

As J's gradient, that of a spring is twice a pull: c_im (x_m - x_i) / (1 + |x_m - x_i|^2 / reach^2). It grows with the
distance up to REACH and falls beyond, so that a match which fits neither map tears none.

All moves of an epoch are computed from the positions before it, so the result depends on the seed, not on the number of
threads. The features are shuffled once per epoch and each is repelled by those that follow it: they are contiguous in
memory, so the compiler's vector instructions handle eight at a time.
"""

from functools import partial
from itertools import pairwise

import numpy as np
from numba import njit
from scipy.sparse import csr_matrix

from lib.geometry.parallel import in_threads, ranges

# Share of the previous move that is added to the next.
MOMENTUM = 0.5
# Step of the first epoch, per unit of force. It falls linearly to 0, which averages the sampling noise out.
STEP = 4.0
# Share of the repulsion's strength in the first epoch, and share of the epochs after which all of it acts:
# neighbourhoods gather before they spread, and fewer of them are torn apart.
FIRST_REPULSION, RISE = 0.7, 0.5
# Distance beyond which a spring pulls the less the longer it is; a layout of 2,048 features is some 20 wide.
REACH = 3.0


def lay_out(
    graphs: list[csr_matrix],
    starts: list[np.ndarray],
    springs: list[csr_matrix] = (),
    *,
    n_epochs: int,
    negative_samples: int,
    repulsion_strength: float,
    seed: int,
    threads: int = 1,
) -> list[np.ndarray]:
    """Climb the objective of this module by gradient ascent with momentum: by layer, float32 (n, 3).

    graphs : by layer, symmetric (n, n), as from `mixed_graph`
    starts : by layer, float (n, 3), in one space
    springs : of each layer with the next, c float32 (n, features of the next)
    negative_samples : random features of the same layer that repel each feature, per epoch
    """
    # The layout grows from a standard deviation of 1 to its own size.
    deviation = np.concatenate([start[:, 0] for start in starts]).std() or 1
    layers = [
        _Layer(graph, start / deviation, negative_samples, np.random.default_rng([seed, number]))
        for number, (graph, start) in enumerate(zip(graphs, starts, strict=True))
    ]
    for (one, other), links in zip(pairwise(layers), springs, strict=True):
        one.springs.append((other.positions, links))
        other.springs.append((one.positions, links.T.tocsr()))
    pieces = [(layer, *piece) for layer in layers for piece in ranges(len(layer.similarity))]
    with in_threads(threads) as run:
        for epoch in range(n_epochs):
            elapsed = epoch / n_epochs
            repulsion = repulsion_strength * (FIRST_REPULSION + (1 - FIRST_REPULSION) * min(1, elapsed / RISE))
            run(_Layer.shuffle, layers)
            run(lambda piece: piece[0].pull_and_push(*piece[1:]), pieces)
            run(partial(_Layer.step, step=STEP * (1 - elapsed), repulsion=repulsion), layers)
    return [np.ascontiguousarray(layer.positions.T) for layer in layers]


class _Layer:
    """A layer while it is laid out: positions, forces and moves, float32 (3, n)."""

    def __init__(self, graph, start, negative_samples, rng):
        n = graph.shape[0]
        self.graph, self.rng, self.springs = graph, rng, []
        self.samples = min(negative_samples, n - 1)
        self.weights = (graph.data * (n / graph.data.sum())).astype(np.float32)
        self.positions = np.ascontiguousarray((start + 1e-3 * rng.standard_normal((n, 3))).T, np.float32)
        self.pull, self.push, self.move = (np.zeros_like(self.positions) for _ in range(3))
        self.similarity = np.zeros(n, np.float32)

    def shuffle(self) -> None:
        self.order = self.rng.permutation(len(self.similarity))
        ring = np.concatenate([self.order, self.order[: self.samples]])
        self.ring = np.ascontiguousarray(self.positions[:, ring])

    def pull_and_push(self, first: int, last: int) -> None:
        _attract(first, last, self.positions, self.graph.indptr, self.graph.indices, self.weights, self.pull)
        _repel(first, last, self.ring, self.samples, self.order, self.push, self.similarity)
        for others, springs in self.springs:
            links = springs.indptr, springs.indices, springs.data
            _spring(first, last, self.positions, others, *links, np.float32(REACH**-2), self.pull)

    def step(self, step: float, repulsion: float) -> None:
        repulsion /= self.similarity.mean(dtype=np.float64)
        self.move *= np.float32(MOMENTUM)
        self.move += np.float32(step) * self.pull + np.float32(step * repulsion) * self.push
        self.positions += self.move


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
def _spring(first, last, positions, others, indptr, indices, strengths, slackening, pull):
    """pull[:, i] += sum_m c_im (x_m - x_i) / (1 + slackening |x_m - x_i|^2) over the springs of the points i.

    others : float32 (3, n of the other layer), positions of the matches m; i runs from first to last
    """
    for i in range(first, last):
        for link in range(indptr[i], indptr[i + 1]):
            m = indices[link]
            dx = others[0, m] - positions[0, i]
            dy = others[1, m] - positions[1, i]
            dz = others[2, m] - positions[2, i]
            force = strengths[link] / (np.float32(1) + slackening * (dx * dx + dy * dy + dz * dz))
            pull[0, i] += force * dx
            pull[1, i] += force * dy
            pull[2, i] += force * dz


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
