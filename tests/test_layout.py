"""The default layout: its graph, the gradients of its two objectives, the same bytes for any number of threads."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from decoders import demo_decoder
from lib.geometry.graph import affinities, mixed_graph
from lib.geometry.knn import nearest_neighbors
from lib.geometry.layout import FIRST_REPULSION, STEP, lay_out
from lib.geometry.pca import principal_components
from lib.geometry.points import kept_neighbors, nearest_points
from lib.geometry.refinement import CAP, KS, WEIGHTS, refine, relocate

FAST = {"n_epochs": 60, "negative_samples": 100, "repulsion_strength": 1.0, "seed": 42}


@pytest.fixture(scope="module")
def rows() -> np.ndarray:
    return demo_decoder()


@pytest.fixture(scope="module")
def neighbors(rows):
    return nearest_neighbors(rows, 15, threads=2)


def laid_out(rows, neighbors, **changes) -> np.ndarray:
    graph = mixed_graph(*neighbors, n_neighbors=15, perplexity=5)
    return lay_out([graph], [principal_components(rows, seed=42)], **FAST | changes)[0]


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
    parameters = {"negative_samples": n, "repulsion_strength": rho, "seed": 0}
    before, after = (lay_out([csr_matrix(w)], [start], n_epochs=epochs, **parameters)[0] for epochs in (0, 1))
    rho *= FIRST_REPULSION
    gradient = slope(lambda x: objective(x, w, rho), before.astype(np.float64))
    np.testing.assert_allclose(after - before, STEP / 2 * gradient, atol=1e-5 * np.abs(gradient).max())


def softly_kept(x: np.ndarray, true: np.ndarray) -> tuple[float, np.ndarray]:
    """R of docs/geometry.md over all points, and the squared radii of the largest k."""
    squares = ((x[:, None] - x) ** 2).sum(axis=2)
    np.fill_diagonal(squares, np.inf)
    kept = 0.0
    for k, weight in zip(KS, WEIGHTS, strict=True):
        low, high = np.full((len(x), 1), 1e-6), np.full((len(x), 1), 1e6)
        for _ in range(80):
            radii = np.sqrt(low * high)
            wide = (1 / (1 + (squares / radii) ** 4)).sum(axis=1, keepdims=True) > k
            low, high = np.where(wide, low, radii), np.where(wide, radii, high)
        members = 1 / (1 + (squares / radii) ** 4)
        kept += weight / k * np.take_along_axis(members, true[:, :k], axis=1).sum()
    return kept, radii


def test_a_step_of_the_refinement_follows_the_gradient_of_the_share_kept():
    n, rng = 41, np.random.default_rng(0)
    start = rng.normal(size=(n, 3)).astype(np.float32)
    others = np.array([rng.permutation(np.delete(np.arange(n), i))[:15] for i in range(n)])
    gradient = slope(lambda x: softly_kept(x, others)[0], start.astype(np.float64))
    radii = softly_kept(start, others)[1]
    expected = radii * gradient
    longest = CAP * np.sqrt(radii)
    expected *= np.minimum(1, longest / np.linalg.norm(expected, axis=1, keepdims=True))
    np.testing.assert_allclose(refine(start, others, n_epochs=1) - start, expected, atol=2e-3 * longest.max())


def test_refinement_and_relocation_keep_more_of_the_true_neighbours(rows, neighbors):
    def kept(coords):
        return kept_neighbors(neighbors[0], nearest_points(coords, 15), 15).mean()

    coords = laid_out(rows, neighbors)
    refined = refine(coords, neighbors[0], n_epochs=50)
    relocated = refine(relocate(refined, neighbors[0], seed=0), neighbors[0], n_epochs=50)
    assert kept(refined) > 1.15 * kept(coords)
    assert kept(relocated) > 1.02 * kept(refined)
    moved = (relocate(refined, neighbors[0], seed=0) != refined).any(axis=1)
    assert 0 < moved.mean() <= 0.05


@pytest.mark.parametrize("n", [3, 15, 16, 17, 61, 80])
def test_refinement_of_coincident_points_stays_finite(n):
    coords = np.repeat(np.float32([[0, 0, 0], [1, 0, 0]]), n, axis=0)[:n]
    others = (np.arange(n)[:, None] + 1 + np.arange(min(15, n - 1))) % n
    refined = refine(relocate(coords, others, seed=0), others, n_epochs=30)
    assert np.isfinite(refined).all()


def test_affinities_have_their_perplexity_and_prefer_the_nearest(neighbors):
    p = affinities(neighbors[1], perplexity=5)
    np.testing.assert_allclose(p.sum(axis=1), 1)
    np.testing.assert_allclose(np.exp(-(p * np.log(p)).sum(axis=1)), 5, rtol=1e-3)
    assert (np.diff(p, axis=1) <= 1e-12).all()


def test_the_graph_is_symmetric_and_counts_both_halves_alike(neighbors):
    graph = mixed_graph(*neighbors, n_neighbors=4, perplexity=5)
    assert (graph != graph.T).nnz == 0
    n = len(neighbors[0])
    assert graph.sum() == pytest.approx(n)
    strong = np.zeros((n, n))
    np.put_along_axis(strong, neighbors[0], affinities(neighbors[1], 5), axis=1)
    strong += strong.T
    expected = strong[0] / strong.sum() * n / 2
    expected[neighbors[0][0, :3]] += 1 / 12
    expected[(neighbors[0][:, :3] == 0).any(axis=1)] += 1 / 12
    np.testing.assert_allclose(graph[0].toarray()[0], expected, atol=1e-12)


def test_the_graph_of_equal_rows_is_finite():
    equal = np.repeat(np.float32([[0.6, 0.8]]), 40, axis=0)
    assert np.isfinite(mixed_graph(*nearest_neighbors(equal, 15), n_neighbors=15, perplexity=5).data).all()


def test_same_bytes_for_every_number_of_threads(rows, neighbors):
    def layout(threads):
        coords = refine(laid_out(rows, neighbors, n_epochs=10, threads=threads), neighbors[0], 12, threads)
        return relocate(coords, neighbors[0], 0, threads)

    assert layout(1).tobytes() == layout(3).tobytes()
    assert layout(1).dtype == np.float32


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
