"""The neighbour search against a brute force that shares nothing with it, on rows made to break it."""

import numpy as np
import pynndescent
import pytest

from decoders import gaussian, with_rows
from fetch_decoder import unit_rows
from lib.geometry import knn
from lib.geometry.approximate import approximate_neighbors, recall
from lib.geometry.knn import nearest_neighbors


def brute_force(decoder: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    n, exact, live = len(decoder), decoder.astype(np.float64), decoder.any(axis=1)
    cosines = np.minimum((exact[:, None] * exact).sum(axis=2), 1).astype(np.float32)
    cosines[~live[:, None] | ~live | np.eye(n, dtype=bool)] = -np.inf
    indices = np.argsort(-cosines, axis=1, kind="stable")[:, : min(k, n - 1)]
    similarities = np.take_along_axis(cosines, indices, axis=1)
    missing = np.isinf(similarities)
    return np.where(missing, -1, indices), np.where(missing, 0, similarities)


def nearly_equal() -> np.ndarray:
    """Cosines that float32 products cannot put in order: the exact ranking must."""
    rng = np.random.default_rng(2)
    return unit_rows(rng.standard_normal(64) + 1e-4 * rng.standard_normal((200, 64)))[0]


def longer_than_one() -> np.ndarray:
    """Norms above 1 by rounding: no cosine may be above 1."""
    rows = np.full((40, 7), 7**-0.5, np.float32)
    return with_rows(rows, (slice(None), 0), np.nextafter(rows[:, 0], 2))


DEAD = with_rows(gaussian(90, 20), [0, 13, 14, 89], 0)
DECODERS = {
    "gaussian": gaussian(150, 30),
    "dead rows": DEAD,
    "two live rows": with_rows(gaussian(7, 6), slice(5), 0),
    "a few equal rows": with_rows(gaussian(120, 24), slice(0, 120, 25), gaussian(1, 24)),
    "hundreds of equal rows": with_rows(gaussian(300, 24), slice(20, 270), gaussian(1, 24)),
    "all rows equal": np.repeat(gaussian(1, 16), 130, axis=0),
    "antipodal rows": np.concatenate([gaussian(30, 8), -gaussian(30, 8)]),
    "nearly equal rows": nearly_equal(),
    "rows longer than one": longer_than_one(),
    "one dimension": np.sign(gaussian(40, 1)),
    "orthogonal rows": np.eye(50, dtype=np.float32),
    "fewer rows than k": gaussian(6, 9),
}


@pytest.mark.parametrize(("block", "threads"), [(512, 1), (48, 3)])
@pytest.mark.parametrize("k", [1, 10])
@pytest.mark.parametrize("decoder", DECODERS.values(), ids=DECODERS.keys())
def test_equal_to_brute_force_for_every_block_size_and_number_of_threads(monkeypatch, decoder, k, block, threads):
    monkeypatch.setattr(knn, "BLOCK", block)
    indices, similarities = nearest_neighbors(decoder, k, threads)
    expected_indices, expected_similarities = brute_force(decoder, k)
    np.testing.assert_array_equal(indices, expected_indices)
    np.testing.assert_array_equal(similarities, expected_similarities)
    assert (indices.dtype, similarities.dtype) == (np.int32, np.float32)


def test_most_rows_need_no_full_comparison(monkeypatch):
    """Otherwise the search would be right, and slow."""
    compared = []
    compare = knn.compare_with_all
    monkeypatch.setattr(
        knn, "compare_with_all", lambda rows, part, *rest: compared.extend(part) or compare(rows, part, *rest)
    )
    nearest_neighbors(gaussian(1500, 64), 25)
    assert len(compared) < 15


def test_approximate_neighbours_are_nearly_the_exact_ones_and_exactly_ranked():
    rows = with_rows(gaussian(3000, 12), [0, 1500], 0)
    indices, similarities = approximate_neighbors(rows, 15, threads=2)
    exact, _ = nearest_neighbors(rows, 15)
    share = (exact[:, :, None] == indices[:, None, :]).any(axis=2)[rows.any(axis=1)].mean()
    assert share > 0.9
    assert recall(rows, indices) == pytest.approx(share, abs=0.02)
    assert recall(rows, exact) == 1
    assert (indices[[0, 1500]] == -1).all()
    assert not np.isin(indices, [0, 1500]).any()
    assert (np.diff(similarities, axis=1) <= 0).all()
    cosines = np.einsum("ij,ikj->ik", rows[2:50].astype(np.float64), rows[indices[2:50]])
    np.testing.assert_allclose(similarities[2:50], cosines, atol=1e-7)
    again, _ = approximate_neighbors(rows, 15, threads=2)
    assert again.tobytes() == indices.tobytes()


def test_a_feature_for_which_the_approximate_search_finds_too_few_gets_its_exact_neighbours(monkeypatch):
    rows = with_rows(gaussian(200, 12), 3, 0)
    exact, _ = nearest_neighbors(rows, 15)

    class WithGaps(pynndescent.NNDescent):
        @property
        def neighbor_graph(self):
            candidates, distances = super().neighbor_graph
            candidates[::50, 9:] = -1
            return candidates, distances

    monkeypatch.setattr(pynndescent, "NNDescent", WithGaps)
    indices, similarities = approximate_neighbors(rows, 15)
    live = rows.any(axis=1)
    assert (indices[live] >= 0).all()
    assert (similarities[live] > 0).all()
    np.testing.assert_array_equal(indices[[0, 51, 101, 151]], exact[[0, 51, 101, 151]])


def test_approximate_neighbours_of_few_rows_are_the_exact_ones():
    exact, approximate = nearest_neighbors(DEAD, 100), approximate_neighbors(DEAD, 100)
    for expected, array in zip(exact, approximate, strict=True):
        np.testing.assert_array_equal(array, expected)
