"""The default layout: UMAP's graph, the gradient of its objective, the same bytes for any number of threads."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from umap.umap_ import fuzzy_simplicial_set

from decoders import demo_decoder
from lib.geometry.graph import fuzzy_graph
from lib.geometry.knn import nearest_neighbors
from lib.geometry.layout import STEP, lay_out
from lib.geometry.pca import principal_components

FAST = {"n_epochs": 60, "negative_samples": 100, "repulsion_strength": 1.0, "seed": 42}


@pytest.fixture(scope="module")
def rows() -> np.ndarray:
    return demo_decoder()


@pytest.fixture(scope="module")
def neighbors(rows):
    return nearest_neighbors(rows, 15, threads=2)


def laid_out(rows, neighbors, **changes) -> np.ndarray:
    graph = fuzzy_graph(*(array[:, :14] for array in neighbors))
    return lay_out(graph, principal_components(rows, seed=42), **FAST | changes)


def objective(x: np.ndarray, w: np.ndarray, rho: float) -> float:
    """J = sum_{i<j} w_ij log q_ij - rho (n / 2) log sum_{i != j} q_ij."""
    q = 1 / (1 + ((x[:, None] - x) ** 2).sum(axis=2))
    np.fill_diagonal(q, 0)
    upper = np.triu_indices(len(x), 1)
    return (w[upper] * np.log(q[upper])).sum() - rho * len(x) / 2 * np.log(q.sum())


def slope(function, x: np.ndarray, h: float = 1e-4) -> np.ndarray:
    """The gradient of a function of (n, 3) positions, by central differences."""
    gradient = np.empty_like(x)
    for entry in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[entry] = h
        gradient[entry] = (function(x + step) - function(x - step)) / (2 * h)
    return gradient


@pytest.mark.parametrize("rho", [0, 1, 30], ids=["attraction alone", "t-SNE", "mostly repulsion"])
def test_a_step_follows_the_gradient_of_the_objective(rho):
    """With all other points as samples nothing is estimated: the first step is STEP / 2 times the exact gradient."""
    n, rng = 40, np.random.default_rng(0)
    w = np.triu(rng.random((n, n)) * (rng.random((n, n)) < 0.2), 1)
    w = (w + w.T) * n / (2 * w.sum())
    start = rng.normal(size=(n, 3))
    before, after = (
        lay_out(csr_matrix(w), start, n_epochs=n_epochs, negative_samples=n, repulsion_strength=rho, seed=0)
        for n_epochs in (0, 1)
    )
    gradient = slope(lambda x: objective(x, w, rho), before.astype(np.float64))
    np.testing.assert_allclose(after - before, STEP / 2 * gradient, atol=1e-5 * np.abs(gradient).max())


@pytest.mark.parametrize("k", [1, 2, 14])
def test_the_graph_is_umap_learns(rows, neighbors, k):
    indices, similarities = (array[:, :k] for array in neighbors)
    itself = np.arange(len(rows))[:, None]
    theirs, *_ = fuzzy_simplicial_set(
        rows, k + 1, np.random.RandomState(0), "cosine",
        knn_indices=np.hstack([itself, indices]), knn_dists=np.hstack([0 * itself, 1 - similarities]),
    )  # fmt: skip
    np.testing.assert_allclose(fuzzy_graph(indices, similarities).toarray(), theirs.toarray(), atol=2e-4)


def test_the_graph_of_equal_rows_is_finite_and_symmetric():
    equal = np.repeat(np.float32([[0.6, 0.8]]), 40, axis=0)
    graph = fuzzy_graph(*nearest_neighbors(equal, 5))
    assert np.isfinite(graph.data).all()
    assert graph.max() == 1
    assert (graph != graph.T).nnz == 0


def test_same_bytes_for_every_number_of_threads(rows, neighbors):
    once = laid_out(rows, neighbors, n_epochs=10)
    assert once.tobytes() == laid_out(rows, neighbors, n_epochs=10, threads=3).tobytes()
    assert once.dtype == np.float32


def test_no_coordinate_runs_away(rows, neighbors):
    coords = laid_out(rows, neighbors, n_epochs=400)
    assert np.abs(coords).max() < 12 * coords.std()


def test_more_repulsion_spreads(rows, neighbors):
    near, far = (laid_out(rows, neighbors, repulsion_strength=strength) for strength in (0.5, 2.0))
    assert far.std() > 1.2 * near.std()


def test_principal_components_hold_the_most_variance_and_are_uncorrelated(rows):
    centred = rows.astype(np.float64) - rows.mean(axis=0)
    best = (np.linalg.svd(centred, compute_uv=False)[:3] ** 2).sum()
    start = principal_components(rows, seed=1)
    assert 0.98 * best < (start.astype(np.float64) ** 2).sum() < 1.001 * best
    assert np.abs(np.corrcoef(start.T) - np.eye(3)).max() < 1e-3


@pytest.mark.parametrize(("n", "d"), [(2, 1), (3, 2), (4, 50), (30, 1)])
def test_principal_components_of_small_decoders_are_finite(n, d):
    start = principal_components(np.random.default_rng(0).normal(size=(n, d)).astype(np.float32), seed=0)
    assert start.shape == (n, 3)
    assert np.isfinite(start).all()
