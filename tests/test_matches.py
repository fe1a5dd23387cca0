"""Matches of two layers, and the tracks made of them, against brute force that shares nothing with them."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from decoders import gaussian, with_rows
from fetch_decoder import unit_rows
from follow_features import track_table
from lib.files import load_npz, save_npy
from lib.geometry import knn, tracks
from lib.geometry.matches import mutual
from lib.labels.explanations import feature_table, label_table
from match_layers import match
from test_knn import nearly_equal
from test_scripts import job

ROWS = gaussian(260, 24)


def nearest(left: np.ndarray, right: np.ndarray) -> list[np.ndarray]:
    """The nearest live row of `right` for each of `left`, its cosine and the runner-up's."""
    cosines = np.minimum((left.astype(np.float64)[:, None] * right.astype(np.float64)).sum(axis=2), 1)
    cosines = cosines.astype(np.float32)
    cosines[~left.any(axis=1)[:, None] | ~right.any(axis=1)] = -np.inf
    # As if there were two more.
    cosines = np.hstack([cosines, np.full((len(left), 2), -np.inf, np.float32)])
    order = np.argsort(-cosines, axis=1, kind="stable")[:, :2]
    best, second = np.take_along_axis(cosines, order, axis=1).T
    return [np.where(np.isinf(best), -1, order[:, 0]), *(np.where(np.isinf(each), 0, each) for each in (best, second))]


LAYERS = {
    "unrelated": (ROWS[:150], ROWS[150:]),
    "more on the right": (ROWS[:5], ROWS[100:]),
    "the same rows in another order": (ROWS[:100], ROWS[99::-1]),
    "dead rows": (with_rows(ROWS[:90], [0, 13, 89], 0), with_rows(ROWS[100:180], [0, 1, 50], 0)),
    "two live rows on the left": (with_rows(ROWS[:20], slice(3, 21), 0), ROWS[100:]),
    "as many rows as candidates": (ROWS[:10], np.repeat(ROWS[20:21], 10, axis=0)),
    "hundreds of equal rows": (ROWS[:30], with_rows(ROWS, slice(20, 230), ROWS[0])),
    "all rows equal": (np.repeat(ROWS[:1], 60, axis=0), np.repeat(ROWS[:1], 70, axis=0)),
    "nearly equal rows": (nearly_equal()[:120], nearly_equal()[120:]),
}


@pytest.mark.parametrize(("block", "threads"), [(512, 1), (16, 3)])
@pytest.mark.parametrize(("left", "right"), LAYERS.values(), ids=LAYERS.keys())
def test_matches_equal_brute_force_for_every_block_size_and_number_of_threads(monkeypatch, left, right, block, threads):
    monkeypatch.setattr(knn, "BLOCK", block)
    matches = match(left, right, threads)
    for direction, expected in (("forward", nearest(left, right)), ("backward", nearest(right, left))):
        for name, array in zip(("", "_cosine", "_second"), expected, strict=True):
            np.testing.assert_array_equal(matches[direction + name], array)
            assert matches[direction + name].dtype == (np.float32 if name else np.int32)


def mutual_by_loop(left: np.ndarray, right: np.ndarray) -> dict[int, int]:
    forward, backward = nearest(left, right)[0], nearest(right, left)[0]
    return {i: int(j) for i, j in enumerate(forward) if j >= 0 and backward[j] == i}


@pytest.mark.parametrize(("left", "right"), LAYERS.values(), ids=LAYERS.keys())
def test_mutual_matches_are_each_others_nearest(left, right):
    i, j, cosine = mutual(match(left, right))
    assert dict(zip(i.tolist(), j.tolist(), strict=True)) == mutual_by_loop(left, right)
    np.testing.assert_allclose(cosine, (left[i] * right[j]).sum(axis=1), atol=1e-6)
    assert (i.dtype, j.dtype, cosine.dtype) == (np.int32, np.int32, np.float32)


def test_most_matches_need_no_full_comparison(monkeypatch):
    compared = []
    compare = knn.compare_with_all
    monkeypatch.setattr(knn, "compare_with_all", lambda *of: compared.extend(of[1]) or compare(*of))
    rows = gaussian(2500, 64)
    match(rows[:1500], rows[1500:])
    assert len(compared) < 15


# --- chains and tracks


def layers_of_a_model(seed: int) -> list[np.ndarray]:
    """Five small decoders of different sizes, each of rows of the one before, moved a little or a lot; some dead."""
    rng = np.random.default_rng(seed)
    layers = [rng.standard_normal((60, 8))]
    for n in (60, 45, 70, 60):
        rows = layers[-1][rng.integers(0, len(layers[-1]), n)]
        layers.append(rows + rng.choice([0.1, 0.4, 0.9], (n, 1)) * rng.standard_normal((n, 8)))
    layers = [unit_rows(rows)[0] for rows in layers]
    for rows in layers[1:]:
        rows[rng.integers(0, len(rows), 3)] = 0
    return layers


def tracks_by_loop(layers: list[np.ndarray], to_previous: float, to_first: float) -> list[list[tuple[int, int]]]:
    """Lists of (layer, index): walk each feature's mutual matches as long as both cosines allow it."""
    onward = [mutual_by_loop(left, right) for left, right in pairwise(layers)]
    taken, walked = set(), []
    for layer, rows in enumerate(layers):
        for index in np.flatnonzero(rows.any(axis=1)).tolist():
            if (layer, index) in taken:
                continue
            track = [(layer, index)]
            while track[-1][0] < len(onward):
                last, at = track[-1]
                there = onward[last].get(at)
                if there is None or layers[last][at] @ layers[last + 1][there] < to_previous:
                    break
                if rows[index] @ layers[last + 1][there] < to_first:
                    break
                track.append((last + 1, there))
            taken.update(track)
            walked.append(track)
    return walked


def follow(folder, layers: list[np.ndarray], numbers: list[int], thresholds: tuple[float, float]) -> pd.DataFrame:
    """The table of tracks.parquet, made by the three scripts; the first half of every layer's features is labelled."""
    decoders = [str(folder / f"decoder-{number}.npy") for number in numbers]
    matches = [f"matches-{number}.npz" for number in numbers[1:]]
    labels = [str(folder / f"labels-{number}.parquet") for number in numbers]
    for number, rows, decoder, path in zip(numbers, layers, decoders, labels, strict=True):
        save_npy(decoder, rows)
        named = range(len(rows) // 2)
        pd.DataFrame({"index": np.array(named, np.int32), "label": [f"{number} {i}" for i in named]}).to_parquet(path)
    for pair, name in zip(pairwise(decoders), matches, strict=True):
        job("match_layers", folder, {"decoders": list(pair)}, {"matches": name}).run()
    inputs = {"decoders": decoders, "matches": [str(folder / name) for name in matches]}
    job("chain_features", folder, inputs, {"chains": "chains.npz"}, layers=numbers).run()
    cut = dict(zip(("min_cosine_previous", "min_cosine_first"), thresholds, strict=True))
    inputs = {"chains": "chains.npz", "labels": labels}
    job("follow_features", folder, inputs, {"tracks": "tracks.parquet"}, layers=numbers, tracks=cut).run()
    return pd.read_parquet(folder / "tracks.parquet")


def check_tracks(table: pd.DataFrame, layers: list[np.ndarray], numbers: list[int], thresholds) -> None:
    expected = tracks_by_loop(layers, *thresholds)
    position = {number: layer for layer, number in enumerate(numbers)}
    shown = [
        [(position[layer], index) for layer, index in zip(rows["layer"], rows["index"], strict=True)]
        for _, rows in table.groupby("track")
    ]
    assert shown == expected
    assert table["track"].is_monotonic_increasing
    assert (table["length"] == table.groupby("track")["track"].transform("size")).all()
    for track, (_, rows) in zip(expected, table.groupby("track"), strict=True):
        vectors = np.array([layers[layer][index] for layer, index in track])
        np.testing.assert_allclose(rows["cosine_previous"][1:], (vectors[1:] * vectors[:-1]).sum(axis=1), atol=1e-6)
        np.testing.assert_allclose(rows["cosine_first"], vectors @ vectors[0], atol=1e-6)
    assert (table["cosine_previous"].isna() == ~table["track"].duplicated()).all()
    half = table["layer"].map({number: len(rows) // 2 for number, rows in zip(numbers, layers, strict=True)})
    labels = table["layer"].astype(str) + " " + table["index"].astype(str)
    assert (table["label"].fillna("") == labels.where(table["index"] < half, "")).all()


@pytest.mark.parametrize("thresholds", [(0.5, 0.4), (0.8, 0.9), (-1, -1)])
def test_tracks_equal_a_walk_along_mutual_matches(monkeypatch, tmp_path, thresholds):
    # Several parts of whole chains.
    monkeypatch.setattr(tracks, "ROWS", 50)
    layers, numbers = layers_of_a_model(seed=1), [0, 3, 4, 12, 25]
    table = follow(tmp_path, layers, numbers, thresholds)
    assert set(table["length"]) >= {1, 2, 3}
    check_tracks(table, layers, numbers, thresholds)


def test_a_model_without_labels_has_tracks(tmp_path):
    layers = layers_of_a_model(seed=3)[:2]
    follow(tmp_path, layers, [0, 1], (0.5, 0.4))
    none = label_table(feature_table([], 0), [])
    thresholds = {"min_cosine_previous": 0.5, "min_cosine_first": 0.4}
    table = track_table(load_npz(tmp_path / "chains.npz"), [none, none], thresholds)
    assert len(table) == sum(rows.any(axis=1).sum() for rows in layers)
    assert table["label"].isna().all()


def test_all_cosines_within_a_chain_are_kept_so_that_thresholds_can_change(tmp_path):
    layers = layers_of_a_model(seed=2)
    follow(tmp_path, layers, [0, 1, 2, 3, 4], (0.5, 0.4))
    chains = load_npz(tmp_path / "chains.npz")
    rows, cosines = np.concatenate(layers), iter(chains["cosines"])
    for start, stop in pairwise(chains["starts"]):
        for later in range(start, stop):
            for earlier in range(start, later):
                pair = chains["members"][[later, earlier]]
                assert next(cosines) == pytest.approx(float(np.dot(*rows[pair])), abs=1e-6)
    assert not list(cosines)
    assert (chains["live"] == rows.any(axis=1)).all()
