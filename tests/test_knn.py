"""The neighbour search against a brute force that shares nothing with it, on rows made to break it."""

import numpy as np
import pytest

from lib.geometry import knn
from lib.geometry.knn import approximate_neighbors, nearest_neighbors, recall


def normalised(rows: np.ndarray) -> np.ndarray:
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.divide(rows, norms, out=np.zeros_like(rows), where=norms > 0).astype(np.float32)


def brute_force(decoder: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    n = len(decoder)
    exact = decoder.astype(np.float64)
    cosines = np.array([[np.sum(a * b) for b in exact] for a in exact]).reshape(n, n)
    cosines = np.minimum(cosines, 1).astype(np.float32)
    alive = decoder.any(axis=1)
    indices = np.full((n, min(k, max(n - 1, 0))), -1)
    similarities = np.zeros(indices.shape, np.float32)
    for row in np.flatnonzero(alive):
        others = [int(j) for j in np.flatnonzero(alive) if j != row]
        others.sort(key=lambda j: (-cosines[row, j], j))
        for place, other in enumerate(others[: indices.shape[1]]):
            indices[row, place], similarities[row, place] = other, cosines[row, other]
    return indices, similarities


def gaussian(n: int, d: int, seed: int = 0) -> np.ndarray:
    return normalised(np.random.default_rng(seed).standard_normal((n, d)))


def with_dead_rows() -> np.ndarray:
    rows = gaussian(90, 20)
    rows[[0, 13, 14, 89]] = 0
    return rows


def with_equal_rows(n: int, copies: int) -> np.ndarray:
    rows = gaussian(n, 24)
    rows[np.random.default_rng(1).permutation(n)[:copies]] = rows[0]
    return rows


def antipodal() -> np.ndarray:
    half = gaussian(30, 8)
    return np.concatenate([half, -half])


def nearly_equal() -> np.ndarray:
    """Cosines that float32 products cannot put in order: the exact ranking must."""
    rng = np.random.default_rng(2)
    return normalised(rng.standard_normal(64) + 1e-4 * rng.standard_normal((200, 64)))


FIXTURES = {
    "gaussian": gaussian(150, 30),
    "few but longer than one block": gaussian(2 * knn.BLOCK // 5, 5),
    "dead rows": with_dead_rows(),
    "two living rows": np.concatenate([np.zeros((5, 6), np.float32), gaussian(2, 6)]),
    "one living row": np.concatenate([np.zeros((5, 6), np.float32), gaussian(1, 6)]),
    "all dead": np.zeros((7, 4), np.float32),
    "a few equal rows": with_equal_rows(120, 5),
    "hundreds of equal rows": with_equal_rows(300, 250),
    "all rows equal": np.repeat(gaussian(1, 16), 130, axis=0),
    "antipodal rows": antipodal(),
    "nearly equal rows": nearly_equal(),
    "one dimension": np.sign(gaussian(40, 1)),
    "orthogonal rows": np.eye(50, dtype=np.float32),
    "fewer rows than k": gaussian(6, 9),
    "one row": gaussian(1, 9),
    "no row": np.empty((0, 9), np.float32),
}


@pytest.fixture(params=FIXTURES.values(), ids=FIXTURES.keys())
def decoder(request) -> np.ndarray:
    return request.param


@pytest.mark.parametrize("k", [1, 10])
def test_equal_to_brute_force(decoder, k):
    indices, similarities = nearest_neighbors(decoder, k)
    expected_indices, expected_similarities = brute_force(decoder, k)
    np.testing.assert_array_equal(indices, expected_indices)
    np.testing.assert_array_equal(similarities, expected_similarities)
    assert indices.dtype == np.int32
    assert similarities.dtype == np.float32


def test_same_bytes_for_every_number_of_threads_and_block_size(monkeypatch):
    rows = with_equal_rows(1400, 60)
    once = nearest_neighbors(rows, 10, threads=1)
    several = nearest_neighbors(rows, 10, threads=3)
    monkeypatch.setattr(knn, "BLOCK", 100)
    small_blocks = nearest_neighbors(rows, 10, threads=2)
    for other in (several, small_blocks):
        assert [array.tobytes() for array in other] == [array.tobytes() for array in once]


def test_blocks_beyond_the_first_are_searched():
    rows = gaussian(2 * knn.BLOCK + 77, 12)
    indices, similarities = nearest_neighbors(rows, 5, threads=2)
    cosines = rows.astype(np.float64) @ rows.T.astype(np.float64)
    np.fill_diagonal(cosines, -2)
    np.testing.assert_array_equal(indices, np.argsort(-cosines, axis=1)[:, :5])
    np.testing.assert_allclose(similarities, -np.sort(-cosines, axis=1)[:, :5], atol=1e-7)


def test_similarities_are_symmetric():
    rows = gaussian(200, 30)
    indices, similarities = nearest_neighbors(rows, 30)
    of_pair = {(i, int(j)): s for i in range(200) for j, s in zip(indices[i], similarities[i], strict=True)}
    both_ways = [(s, of_pair[j, i]) for (i, j), s in of_pair.items() if (j, i) in of_pair]
    assert len(both_ways) > 1000
    assert all(there == back for there, back in both_ways)


def test_never_above_one():
    rows = np.repeat(normalised(np.full((1, 7), 1.0)), 40, axis=0)
    rows[:, 0] = np.nextafter(rows[:, 0], 2)
    _, similarities = nearest_neighbors(rows, 5)
    assert similarities.max() <= 1


def test_most_rows_need_no_full_comparison(monkeypatch):
    """Otherwise the search would be right, and slow."""
    compared = []
    compare_with_all = knn._compare_with_all
    monkeypatch.setattr(
        knn,
        "_compare_with_all",
        lambda rows, part, *rest: compared.extend(part) or compare_with_all(rows, part, *rest),
    )
    nearest_neighbors(gaussian(1500, 64), 25)
    assert len(compared) < 15


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (np.full((3, 2), np.nan, np.float32), "3 of 3 decoder rows have neither norm 1 nor norm 0"),
        (np.array([[1, 0], [3, 4]], np.float32), "the first is row 1 with norm 5.0"),
        (np.eye(3), "float64"),
        (np.ones(3, np.float32), "shape"),
    ],
)
def test_refuses_what_is_no_decoder(rows, message):
    with pytest.raises(ValueError, match=message):
        nearest_neighbors(rows, 2)


def test_refuses_a_k_without_meaning():
    with pytest.raises(ValueError, match="k is 0"):
        nearest_neighbors(gaussian(5, 3), 0)


def test_approximate_neighbours_are_nearly_the_exact_ones_and_exactly_ranked():
    rows = gaussian(3000, 12)
    rows[[0, 1500]] = 0
    indices, similarities = approximate_neighbors(rows, 15, threads=2)
    exact, _ = nearest_neighbors(rows, 15)
    found = (exact[:, :, None] == indices[:, None, :]).any(axis=2)[rows.any(axis=1)].mean()
    assert found > 0.9
    assert recall(rows, indices, 15) == pytest.approx(found, abs=0.02)
    assert recall(rows, exact, 15) == 1
    assert (indices[[0, 1500]] == -1).all()
    assert not np.isin(indices, [0, 1500]).any()
    assert (np.diff(similarities, axis=1) <= 0).all()
    cosines = np.einsum("ij,ikj->ik", rows[2:50].astype(np.float64), rows[indices[2:50]])
    np.testing.assert_allclose(similarities[2:50], cosines, atol=1e-7)
    again, _ = approximate_neighbors(rows, 15, threads=2)
    assert again.tobytes() == indices.tobytes()


def test_approximate_neighbours_of_few_rows_are_the_exact_ones():
    rows = with_dead_rows()
    for there, here in zip(nearest_neighbors(rows, 100), approximate_neighbors(rows, 100), strict=True):
        np.testing.assert_array_equal(there, here)
