"""The batch layout: UMAP's own graph, the same bytes whatever the threads, and neighbours that stay neighbours."""

import numpy as np
import pytest
from scipy.spatial import cKDTree
from umap.umap_ import fuzzy_simplicial_set

from conftest import ROOT
from fetch_decoder import unit_rows
from lib.geometry.knn import nearest_neighbors
from lib.geometry.layout import fuzzy_graph, lay_out, principal_components

FAST = {"n_epochs": 60, "negative_samples": 100, "repulsion_strength": 1.0, "seed": 42}


@pytest.fixture(scope="module")
def rows() -> np.ndarray:
    with np.load(ROOT / "resources" / "demo" / "layer_5" / "params.npz") as file:
        return unit_rows(file["W_dec"])[0]


@pytest.fixture(scope="module")
def neighbors(rows):
    return nearest_neighbors(rows, 15, threads=2)


def placed(rows, neighbors, k=14, **changes) -> np.ndarray:
    graph = fuzzy_graph(neighbors[0][:, :k], neighbors[1][:, :k])
    return lay_out(graph, principal_components(rows, seed=42), **FAST | changes)


def kept(indices, coords, k=15) -> float:
    """Share of the k nearest neighbours that are among the k nearest points."""
    _, near = cKDTree(coords).query(coords, k + 1)
    return (indices[:, :k, None] == near[:, None, 1:]).any(axis=2).mean()


@pytest.mark.parametrize("k", [1, 2, 14])
def test_the_graph_is_umap_learns(rows, neighbors, k):
    indices, similarities = (array[:, :k] for array in neighbors)
    itself = np.arange(len(rows))[:, None]
    theirs, *_ = fuzzy_simplicial_set(
        rows, k + 1, np.random.RandomState(0), "cosine",
        knn_indices=np.hstack([itself, indices]), knn_dists=np.hstack([0 * itself, 1 - similarities]),
    )  # fmt: skip
    np.testing.assert_allclose(fuzzy_graph(indices, similarities).toarray(), theirs.toarray(), atol=2e-4)


def test_the_graph_of_equal_rows_is_whole():
    equal = np.repeat(np.float32([[0.6, 0.8]]), 40, axis=0)
    graph = fuzzy_graph(*nearest_neighbors(equal, 5))
    assert np.isfinite(graph.data).all()
    assert graph.max() == 1
    assert (graph != graph.T).nnz == 0


def test_same_bytes_for_every_number_of_threads_and_others_for_another_seed(rows, neighbors):
    once = placed(rows, neighbors, n_epochs=10)
    assert once.tobytes() == placed(rows, neighbors, n_epochs=10, threads=3).tobytes()
    assert once.tobytes() != placed(rows, neighbors, n_epochs=10, seed=43).tobytes()
    assert once.dtype == np.float32


def test_neighbours_stay_neighbours(rows, neighbors):
    assert (
        kept(neighbors[0], placed(rows, neighbors)) > 0.2
    )  # 0.28 with the default's epochs; 0.02 for the start
    assert kept(neighbors[0], principal_components(rows, 42)) < 0.1


def test_more_repulsion_spreads(rows, neighbors):
    near, far = (placed(rows, neighbors, repulsion_strength=strength) for strength in (0.5, 2.0))
    assert far.std() > 1.2 * near.std()


def test_no_coordinate_runs_away(rows, neighbors):
    coords = placed(rows, neighbors, n_epochs=400)
    assert np.abs(coords).max() < 12 * coords.std()


def test_start_is_the_principal_components(rows):
    centred = rows.astype(np.float64) - rows.mean(axis=0)
    best = (np.linalg.svd(centred, compute_uv=False)[:3] ** 2).sum()
    start = principal_components(rows, seed=1)
    assert 0.98 * best < (start.astype(np.float64) ** 2).sum() < 1.001 * best
    assert np.abs(np.corrcoef(start.T) - np.eye(3)).max() < 1e-3


@pytest.mark.parametrize(("n", "d"), [(2, 1), (3, 2), (4, 50), (30, 1)])
def test_start_of_small_decoders_is_whole(n, d):
    start = principal_components(np.random.default_rng(0).normal(size=(n, d)).astype(np.float32), seed=0)
    assert start.shape == (n, 3)
    assert np.isfinite(start).all()
