"""From weights to positions and edges: invariants and floors on nasty decoders. No coordinate is stored here."""

import ml_dtypes
import numpy as np
import pytest

from compute_edges import strong_edges
from compute_umap import UMAP_LEARN_ONLY, centred, embed, record
from conftest import ROOT
from fetch_decoder import read_decoder, unit_rows
from lib.geometry.knn import nearest_neighbors
from lib.job import UserError

BATCH = {
    "method": "batch",
    "n_neighbors": 15,
    "n_epochs": 60,
    "negative_sample_rate": 50,
    "repulsion_strength": 1.0,
    "seed": 42,
    "min_dist": 0.02,
    "spread": 1.0,
    "init": "spectral",
}
UMAP_LEARN = BATCH | {
    "method": "umap-learn",
    "n_epochs": 30,
    "negative_sample_rate": 5,
    "repulsion_strength": 1.5,
}


@pytest.fixture(params=[BATCH, UMAP_LEARN], ids=["batch", "umap-learn"])
def umap(request) -> dict:
    return request.param


def decoder(*shape, seed=0) -> np.ndarray:
    return unit_rows(np.random.default_rng(seed).normal(size=shape).astype(np.float32))[0]


def laid_out(rows, umap, **changes) -> np.ndarray:
    return centred(embed(rows, *nearest_neighbors(rows, 40), **umap | changes))


@pytest.fixture(scope="module")
def demo_rows() -> np.ndarray:
    with np.load(ROOT / "resources" / "demo" / "layer_5" / "params.npz") as file:
        return unit_rows(file["W_dec"][:800])[0]


# --- decoder


@pytest.mark.parametrize("dtype", [np.float16, np.float32, ml_dtypes.bfloat16])
def test_rows_have_norm_one_and_dead_rows_are_zero(dtype):
    weights = np.random.default_rng(0).normal(size=(9, 5)).astype(np.float32)
    weights[1], weights[2], weights[3, 2], weights[4, 0] = 0, 1e-9, np.nan, np.inf
    weights[5] *= 1e-4
    rows, dead = unit_rows(weights.astype(dtype))
    assert rows.dtype == np.float32
    assert dead.tolist() == [1, 2, 3, 4]
    assert not rows[dead].any()
    np.testing.assert_allclose(np.linalg.norm(np.delete(rows, dead, 0), axis=1), 1, atol=1e-6)


def test_norms_beyond_float32_do_not_overflow():
    rows, dead = unit_rows(np.full((1, 4), 3e38, np.float32))
    np.testing.assert_allclose(rows, 0.5)
    assert not len(dead)


@pytest.mark.parametrize("shape", [["features", "d_model"], ["d_model", "features"]])
def test_orientation_is_checked_and_never_guessed(tmp_path, shape):
    weights = np.arange(6, dtype=np.float32).reshape(3, 2)
    row = {"features": 3, "d_model": 2, "shape": shape, "tensor": "W_dec"}
    right, turned = (weights, weights.T) if shape[0] == "features" else (weights.T, weights)
    np.savez(tmp_path / "right.npz", W_dec=right)
    np.testing.assert_array_equal(read_decoder(row, tmp_path / "right.npz", None), weights)
    np.savez(tmp_path / "turned.npz", W_dec=turned)
    with pytest.raises(UserError, match=r"turned.npz: W_dec has shape .*, expected .* transposed"):
        read_decoder(row, tmp_path / "turned.npz", None)
    with pytest.raises(UserError, match=r"right.npz: W_dec has shape .*, expected"):
        read_decoder(row | {"features": 4}, tmp_path / "right.npz", None)


# --- positions


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 6, 12, 41])
def test_any_number_of_features_is_placed(n, umap):
    coords = laid_out(decoder(n, 8), umap)
    assert coords.shape == (n, 3)
    assert coords.dtype == np.float32
    assert np.isfinite(coords).all()


@pytest.mark.parametrize("d", [1, 2, 3])
def test_a_decoder_of_few_dimensions_is_placed(d):
    assert np.isfinite(laid_out(decoder(60, d), BATCH)).all()


@pytest.mark.parametrize("init", ["spectral", "pca", "random"])
def test_positions_are_centred_and_scaled_by_one_factor(init, umap):
    coords = laid_out(decoder(60, 8), umap, init=init)
    np.testing.assert_allclose(coords.mean(axis=0), 0, atol=1e-4)
    assert np.abs(coords).max() == pytest.approx(50)


def test_dead_features_alone_have_no_position(umap):
    rows = decoder(60, 8)
    rows[[0, 7, 59]] = 0
    coords = laid_out(rows, umap)
    assert np.flatnonzero(np.isnan(coords).any(axis=1)).tolist() == [0, 7, 59]
    assert np.isnan(laid_out(np.zeros((5, 8), np.float32), umap)).all()


def test_equal_rows_are_placed(umap):
    rows = decoder(60, 8)
    rows[10:40] = rows[10]
    assert np.isfinite(laid_out(rows, umap)).all()
    assert np.isfinite(laid_out(np.repeat(rows[:1], 50, 0), umap)).all()


def test_same_seed_same_bytes_other_seed_others(umap):
    rows = decoder(80, 8)
    assert laid_out(rows, umap).tobytes() == laid_out(rows, umap).tobytes()
    assert laid_out(rows, umap).tobytes() != laid_out(rows, umap, seed=43).tobytes()


def test_only_the_stored_neighbours_decide_and_the_first_of_them_suffice(demo_rows, umap):
    indices, similarities = nearest_neighbors(demo_rows, 40)
    wide = embed(demo_rows, indices, similarities, **umap)
    narrow = embed(demo_rows, indices[:, :14], similarities[:, :14], **umap)
    np.testing.assert_array_equal(wide, narrow)
    shuffled = np.random.default_rng(0).permutation(len(indices)).astype(np.int32)
    other = embed(
        demo_rows, shuffled[indices[np.argsort(shuffled)]], similarities[np.argsort(shuffled)], **umap
    )
    assert not np.array_equal(wide, other)


def test_neighbours_stay_neighbours(demo_rows, umap):
    indices, similarities = nearest_neighbors(demo_rows, 15)
    coords = centred(embed(demo_rows, indices, similarities, **umap | {"n_epochs": 200}))
    distances = np.linalg.norm(coords[:, None] - coords[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    near = np.argsort(distances, axis=1)[:, :15]
    kept = np.mean([len(np.intersect1d(a, b)) / 15 for a, b in zip(near, indices, strict=True)])
    assert kept > 0.15  # positions by chance keep 15 / 800 = 0.02


def test_the_record_holds_the_parameters_that_were_used():
    assert record(UMAP_LEARN)["parameters"] == UMAP_LEARN
    assert record(BATCH)["parameters"] == {name: BATCH[name] for name in BATCH if name not in UMAP_LEARN_ONLY}


# --- edges


def test_edges_are_each_pair_once_above_the_threshold_and_sorted(demo_rows):
    indices, similarities = nearest_neighbors(demo_rows, 40)
    source, target, weight = strong_edges(indices, similarities, k=25, threshold=0.25)
    assert (source < target).all()
    assert (weight >= 0.25).all()
    assert (weight <= 1).all()
    pairs = np.stack([source, target], 1)
    assert len(np.unique(pairs, axis=0)) == len(pairs)
    np.testing.assert_array_equal(pairs, pairs[np.lexsort((target, source))])
    assert (source.dtype, target.dtype, weight.dtype) == (np.int32, np.int32, np.float32)


def test_edges_equal_brute_force(demo_rows):
    found = strong_edges(*nearest_neighbors(demo_rows, 40), k=25, threshold=0.25)
    rows = demo_rows.astype(np.float64)
    cosines = rows @ rows.T
    np.fill_diagonal(cosines, -2)
    expected = {}
    for row, neighbors in enumerate(np.argsort(-cosines, axis=1, kind="stable")[:, :25]):
        for other in neighbors[cosines[row, neighbors] >= 0.25]:
            expected[min(row, other), max(row, other)] = cosines[row, other]
    assert dict(
        zip(zip(*map(list, found[:2]), strict=True), found[2].tolist(), strict=True)
    ) == pytest.approx(expected)


def test_equal_rows_get_no_self_edge():
    rows = np.repeat(decoder(1, 8), 30, 0)
    source, target, weight = strong_edges(*nearest_neighbors(rows, 25), k=25, threshold=0.25)
    assert (source != target).all()
    assert len(source)
    np.testing.assert_array_equal(weight, 1)


@pytest.mark.parametrize("rows", [np.zeros((4, 3), np.float32), decoder(1, 3), np.empty((0, 3), np.float32)])
def test_nothing_to_link_makes_no_edge(rows):
    assert [len(part) for part in strong_edges(*nearest_neighbors(rows, 25), k=25, threshold=0.0)] == [
        0,
        0,
        0,
    ]
