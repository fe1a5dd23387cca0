"""From weights to positions and edges: invariants and floors on nasty decoders. No coordinate is stored here."""

import ml_dtypes
import numpy as np
import pytest

from compute_coords import embed
from compute_edges import strong_edges
from decoders import NEIGHBOR_EMBEDDING, UMAP, demo_decoder, gaussian, with_rows
from fetch_decoder import unit_rows
from lib.geometry.extent import centred
from lib.geometry.knn import nearest_neighbors
from lib.geometry.points import kept_neighbors, nearest_points


@pytest.fixture(params=[NEIGHBOR_EMBEDDING, UMAP], ids=["neighbor_embedding", "umap"])
def layout(request) -> dict:
    return request.param


def laid_out(rows, layout, **changes) -> np.ndarray:
    return centred(embed(rows, *nearest_neighbors(rows, 40), **layout | changes))[0]


@pytest.fixture(scope="module")
def demo_rows() -> np.ndarray:
    return demo_decoder(800)


# --- decoder


@pytest.mark.parametrize("dtype", [np.float16, np.float32, ml_dtypes.bfloat16])
def test_rows_have_norm_one_and_dead_rows_are_zero(dtype):
    weights = np.random.default_rng(0).normal(size=(9, 5)).astype(np.float32)
    weights[1], weights[2], weights[3, 2], weights[4, 0] = 0, 1e-9, np.nan, np.inf
    weights[5] *= 1e-4
    rows, dead, not_finite = unit_rows(weights.astype(dtype))
    assert rows.dtype == np.float32
    assert (dead.tolist(), not_finite.tolist()) == ([1, 2, 3, 4], [3, 4])
    assert not rows[dead].any()
    np.testing.assert_allclose(np.linalg.norm(np.delete(rows, dead, 0), axis=1), 1, atol=1e-6)


def test_norms_beyond_float32_do_not_overflow():
    rows, dead, not_finite = unit_rows(np.full((1, 4), 3e38, np.float32))
    np.testing.assert_allclose(rows, 0.5)
    assert not len(dead) + len(not_finite)


# --- positions


DECODERS = {
    **{f"{n} features": gaussian(n, 8) for n in (3, 4, 5, 6, 12, 41)},
    **{f"{d} dimensions": gaussian(60, d) for d in (1, 2, 3)},
    "dead rows": with_rows(gaussian(60, 8), [0, 7, 59], 0),
    "equal rows": with_rows(gaussian(60, 8), slice(10, 40), gaussian(1, 8)),
    "all rows equal": np.repeat(gaussian(1, 8), 50, axis=0),
}


@pytest.mark.parametrize("rows", DECODERS.values(), ids=DECODERS.keys())
def test_every_live_feature_gets_a_position_and_no_dead_one(rows, layout):
    coords = laid_out(rows, layout)
    assert (coords.shape, coords.dtype) == ((len(rows), 3), np.float32)
    np.testing.assert_array_equal(np.isfinite(coords), np.repeat(rows.any(axis=1)[:, None], 3, axis=1))


@pytest.mark.parametrize(
    "layout", [NEIGHBOR_EMBEDDING, *(UMAP | {"init": init} for init in ("spectral", "pca", "random"))]
)
def test_positions_are_centred_and_scaled_by_one_factor(layout):
    coords = laid_out(gaussian(60, 8), layout)
    np.testing.assert_allclose(coords.mean(axis=0), 0, atol=1e-4)
    assert np.abs(coords).max() == pytest.approx(50)


def test_same_seed_same_bytes_other_seed_others(layout):
    rows = gaussian(80, 8)
    assert laid_out(rows, layout).tobytes() == laid_out(rows, layout).tobytes()
    assert laid_out(rows, layout).tobytes() != laid_out(rows, layout, seed=43).tobytes()


def test_only_the_first_stored_neighbours_decide(demo_rows, layout):
    indices, similarities = nearest_neighbors(demo_rows, 40)
    wide = embed(demo_rows, indices, similarities, **layout)
    narrow = embed(demo_rows, indices[:, :30], similarities[:, :30], **layout)
    np.testing.assert_array_equal(wide, narrow)
    shuffled = np.random.default_rng(0).permutation(len(indices)).astype(np.int32)
    order = np.argsort(shuffled)
    assert not np.array_equal(wide, embed(demo_rows, shuffled[indices[order]], similarities[order], **layout))


def test_neighbours_stay_neighbours(demo_rows, layout):
    indices, similarities = nearest_neighbors(demo_rows, 15)
    coords = embed(demo_rows, indices, similarities, **layout | {"n_epochs": 200})
    # Random positions keep 15 / 800 = 0.02.
    assert kept_neighbors(indices, nearest_points(coords, 15), 15).mean() > 0.15


# --- edges


def test_edges_equal_brute_force_sorted_and_each_once(demo_rows):
    source, target, weight = strong_edges(*nearest_neighbors(demo_rows, 40), k=25, threshold=0.25)
    cosines = demo_rows.astype(np.float64) @ demo_rows.T
    np.fill_diagonal(cosines, -2)
    nearest = np.argsort(-cosines, axis=1, kind="stable")[:, :25]
    linked = np.zeros(cosines.shape, bool)
    np.put_along_axis(linked, nearest, np.take_along_axis(cosines, nearest, axis=1) >= 0.25, axis=1)
    # np.nonzero goes row by row: sorted by source, then target.
    expected = np.nonzero(np.triu(linked | linked.T))
    np.testing.assert_array_equal((source, target), expected)
    np.testing.assert_allclose(weight, cosines[expected], atol=1e-6)
    assert weight.min() >= 0.25
    assert (source.dtype, target.dtype, weight.dtype) == (np.int32, np.int32, np.float32)


def test_equal_rows_get_no_self_edge():
    rows = np.repeat(gaussian(1, 8), 30, 0)
    source, target, weight = strong_edges(*nearest_neighbors(rows, 25), k=25, threshold=0.25)
    assert len(source)
    assert (source != target).all()
    np.testing.assert_array_equal(weight, 1)
