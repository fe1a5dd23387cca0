"""The atlas: springs between layers, components of all layers together, one frame, its measures and its tables."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from scipy.sparse import csr_matrix

from decoders import demo_decoder, with_rows
from export_frame import frame_table, moved
from lay_out_atlas import lay_out_frame, springs_between
from lib.geometry.knn import nearest_neighbors
from lib.geometry.layout import FIRST_REPULSION, REACH, STEP, lay_out
from lib.geometry.matches import mutual
from lib.geometry.pca import leading_components, shared_components
from match_layers import match
from measure_atlas import Labels, calibration, drift, lifespans, pair, procrustes, survival
from summarize_decoder import summarize
from test_layout import objective, slope

FRAME = {"n_epochs": 100, "negative_samples": 50, "repulsion_strength": 1.0, "seed": 42}
FRAME |= {"n_neighbors": 15, "perplexity": 10, "spring_strength": 0.03, "min_cosine": 0.4}


@pytest.fixture(scope="module")
def decoders() -> list[np.ndarray]:
    """Three layers of the demo, one of them smaller and one with dead features."""
    layers = [demo_decoder(features, layer) for layer, features in ((0, 600), (1, 600), (2, 500))]
    layers[1] = with_rows(layers[1], slice(0, 600, 60), 0)
    return layers


@pytest.fixture(scope="module")
def matches(decoders):
    return [match(*two) for two in pairwise(decoders)]


@pytest.fixture(scope="module")
def steps(decoders, matches) -> dict:
    """What a frame is made from."""
    neighbors = [dict(zip(("indices", "similarities"), nearest_neighbors(rows, 40), strict=True)) for rows in decoders]
    return {"neighbors": neighbors, "summaries": [summarize(rows) for rows in decoders], "matches": matches}


def test_a_step_follows_the_gradient_of_the_joint_objective():
    """With all other points as samples nothing is estimated: the first step is STEP / 2 times the exact gradient."""
    rng, sizes = np.random.default_rng(0), (20, 14)
    graphs, starts = [], [rng.normal(size=(n, 3)) for n in sizes]
    for n in sizes:
        w = np.triu(rng.random((n, n)) * (rng.random((n, n)) < 0.3), 1)
        graphs.append((w + w.T) * n / (2 * w.sum()))
    pairs = np.array([(0, 3), (5, 0), (19, 13)])
    strengths = np.float32([0.5, 1.0, 3.0])
    links = csr_matrix((strengths, pairs.T), sizes)
    parameters = {"negative_samples": 99, "repulsion_strength": 1, "seed": 0}
    before, after = (
        np.concatenate(lay_out(list(map(csr_matrix, graphs)), starts, [links], n_epochs=epochs, **parameters))
        for epochs in (0, 1)
    )

    def together(x: np.ndarray) -> float:
        one, other = x[: sizes[0]], x[sizes[0] :]
        squares = ((one[pairs[:, 0]] - other[pairs[:, 1]]) ** 2).sum(axis=1)
        own = sum(objective(part, w, FIRST_REPULSION) for part, w in zip((one, other), graphs, strict=True))
        return own - (strengths * REACH**2 * np.log1p(squares / REACH**2)).sum()

    gradient = slope(together, before.astype(np.float64))
    np.testing.assert_allclose(after - before, STEP / 2 * gradient, atol=1e-5 * np.abs(gradient).max())


def test_a_layer_without_springs_is_laid_out_as_if_alone():
    graph = csr_matrix(np.ones((30, 30)) - np.eye(30))
    start = np.random.default_rng(1).normal(size=(30, 3))
    parameters = {"n_epochs": 5, "negative_samples": 9, "repulsion_strength": 1.0, "seed": 3}
    (alone,) = lay_out([graph], [start], **parameters)
    loose = csr_matrix((30, 3), dtype=np.float32)
    first, _ = lay_out([graph, graph[:3, :3]], [start, np.zeros((3, 3))], [loose], **parameters)
    # The start is scaled by all layers together.
    assert np.corrcoef(alone.ravel(), first.ravel())[0, 1] > 0.99


def test_the_frame_brings_matches_together_and_is_the_same_for_any_number_of_threads(steps, matches, decoders):
    one, three = (lay_out_frame(**steps, **FRAME, threads=threads) for threads in (1, 3))
    loose = lay_out_frame(**steps, **FRAME | {"spring_strength": 0.0})
    for layer, (coords, other, rows) in enumerate(zip(one, three, decoders, strict=True)):
        assert coords.tobytes() == other.tobytes(), layer
        np.testing.assert_array_equal(np.isfinite(coords).all(axis=1), rows.any(axis=1))
    assert np.nanmax(np.abs(np.concatenate(one))) == pytest.approx(50)
    for layer, between in enumerate(matches):
        i, j, cosines = mutual(between)
        near = i[cosines > 0.5], j[cosines > 0.5]
        assert drift(*one[layer : layer + 2], near) < 0.7 * drift(*loose[layer : layer + 2], near)


def test_layers_of_few_features_have_a_position_in_the_frame():
    decoders = [np.eye(4, dtype=np.float32), with_rows(np.eye(4, dtype=np.float32), slice(3, 4), 0)]
    neighbors = [dict(zip(("indices", "similarities"), nearest_neighbors(rows, 3), strict=True)) for rows in decoders]
    summaries, matches = [summarize(rows) for rows in decoders], [match(*decoders)]
    frame = lay_out_frame(neighbors, summaries, matches, **FRAME)
    assert [np.isfinite(coords).all(axis=1).sum() for coords in frame] == [4, 3]


def test_springs_join_mutual_matches_by_their_positions_among_the_live(decoders, matches):
    for between, both in zip(matches, pairwise(decoders), strict=True):
        i, j, cosines = mutual(between)
        expected = {(a, b, np.float32(2) * c) for a, b, c in zip(i, j, cosines, strict=True) if c >= 0.5}
        lives = [rows.any(axis=1) for rows in both]
        links = springs_between(between, *lives, strength=2.0, min_cosine=0.5).tocoo()
        left, right = (np.flatnonzero(live)[ends] for live, ends in zip(lives, (links.row, links.col), strict=True))
        assert {*zip(left, right, links.data, strict=True)} == expected


def test_shared_components_are_those_of_the_stacked_rows(decoders):
    rows = [layer[layer.any(axis=1)] for layer in decoders]
    names = ("mean", "components", "scores")
    summaries = [dict(zip(names, leading_components(layer, 384, seed=0, iterations=1), strict=True)) for layer in rows]
    stacked = np.concatenate(rows).astype(np.float64)
    left, sizes, _ = np.linalg.svd(stacked - stacked.mean(axis=0), full_matrices=False)
    expected = (left * sizes)[:, :3]
    starts = np.concatenate(shared_components(summaries, [each["scores"] for each in summaries]))
    signs = np.sign((starts * expected).sum(axis=0))
    np.testing.assert_allclose(starts * signs, expected, atol=1e-4)


def test_procrustes_undoes_a_rotation_a_mirror_a_scale_and_a_shift():
    rng = np.random.default_rng(0)
    fixed = rng.normal(size=(50, 3))
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    moving = 0.3 * fixed[::-1] @ turn + [1, 2, 3]
    same = np.arange(50), np.arange(50)[::-1]
    np.testing.assert_allclose(procrustes(moving, fixed, same)[::-1], fixed, atol=1e-9)
    assert drift(fixed, fixed, (same[0], same[0])) == 0
    assert drift(fixed, fixed, (same[0], rng.permutation(50))) == pytest.approx(1, abs=0.25)
    assert drift(fixed, fixed, (np.empty(0, int), np.empty(0, int))) is None


def test_pairs_tell_matches_from_merges_and_splits():
    # 0 and 1 go into 0; 2 comes out as 1 and 2; 3 is dead.
    matches = {
        "forward": np.int32([0, 0, 1, -1]),
        "forward_cosine": np.float32([0.9, 0.8, 0.9, 0]),
        "backward": np.int32([0, 2, 2]),
        "backward_cosine": np.float32([0.9, 0.9, 0.6]),
    }
    coords = [np.eye(4, 3), np.eye(3)]
    shares = pair(matches, coords, coords, min_cosine=0.5)
    assert shares["matched"] == pytest.approx(2 / 3)
    assert shares["merging"] == pytest.approx(1 / 3)
    assert shares["splitting"] == pytest.approx(1 / 3)
    assert pair(matches, coords, coords, min_cosine=0.7)["splitting"] == 0


TRACKS = pd.DataFrame(
    {
        "track": [0, 0, 0, 1, 2, 2, 3],
        "layer": [0, 6, 12, 0, 6, 12, 12],
        "index": [0, 0, 0, 1, 1, 1, 2],
        "length": [3, 3, 3, 1, 2, 2, 1],
    }
)
LABELS = [["red fox", "other"], ["a fox", "green tea"], ["fox cub", "coffee", None]]


def test_tracks_are_counted_by_their_length_and_by_where_they_begin_and_end():
    assert survival(TRACKS, [0, 6, 12]) == [
        {"layer": 0, "features": 2, "born": None, "ended": 1},
        {"layer": 6, "features": 2, "born": 1, "ended": 0},
        {"layer": 12, "features": 3, "born": 1, "ended": None},
    ]
    rows = lifespans(TRACKS, [0, 6, 12], Labels(LABELS))
    assert [(row["length"], row["tracks"], row["agree"]) for row in rows] == [(1, 2, None), (2, 1, 0.0), (3, 1, 1.0)]


def test_calibration_holds_matches_against_labels_dealt_at_random():
    n = 300
    words = [f"word{chr(97 + k // 26)}{chr(97 + k % 26)}" for k in range(n)]
    nobody = [None] * n
    matches = {
        "forward": np.arange(n, dtype=np.int32),
        "backward": np.arange(n, dtype=np.int32),
        "forward_cosine": np.where(np.arange(n) < 100, 0.95, 0.45).astype(np.float32),
    }
    # Where the cosine is low, every other label is another's.
    moved_words = [word if k < 100 or k % 2 else words[(k + 7) % n] for k, word in enumerate(words)]
    rows = {round(row["from"], 1): row for row in calibration([matches], Labels([words, moved_words]))}
    assert (rows[0.9]["matches"], rows[0.9]["agree"]) == (100, 1.0)
    assert (rows[0.4]["matches"], rows[0.4]["agree"]) == (200, 0.5)
    assert rows[0.9]["chance"] < 0.05
    assert rows[0.2]["agree"] is None
    assert calibration([matches], Labels([words, nobody]))[4]["agree"] is None


def test_the_table_tells_position_track_and_both_neighbouring_layers(decoders, matches):
    coords = [np.where(rows.any(axis=1, keepdims=True), rows[:, :3], np.nan).astype(np.float32) for rows in decoders]
    n = len(coords[1])
    live = np.flatnonzero(decoders[1].any(axis=1))
    tracks = pa.table({"track": live + 5, "layer": np.ones_like(live), "index": live, "length": np.full_like(live, 2)})
    tracks = pa.concat_tables([pa.table({"track": [0], "layer": [0], "index": [7], "length": [1]}), tracks])
    table = frame_table(
        1, coords[1], np.full(n, 0.5, np.float32), tracks, matches[0], matches[1], decimals=3
    ).to_pandas()
    np.testing.assert_allclose(table.loc[live, "x"], np.round(coords[1][live, 0], 3), atol=1e-6)
    assert table.loc[0, ["x", "track", "previous", "previous_cosine", "next_mutual"]].isna().all()
    assert (table.loc[live, "track"] == live + 5).all()
    assert (table.loc[live, "previous"] == matches[0]["backward"][live]).all()
    assert (table.loc[live, "next"] == matches[1]["forward"][live]).all()
    assert set(np.flatnonzero(table["previous_mutual"].fillna(False))) == set(mutual(matches[0])[1])
    assert set(np.flatnonzero(table["next_mutual"].fillna(False))) == set(mutual(matches[1])[0])
    first = frame_table(0, coords[0], np.full(len(coords[0]), np.nan), tracks, None, matches[0], decimals=3)
    assert first["previous"].null_count == len(coords[0]) == first["kept"].null_count


def test_a_layers_graph_is_moved_into_the_frame():
    nodes = [{"id": f"m:0:{index}", "position": [0, 0, 0], "label": "kept"} for index in (0, 2)]
    graph = {
        "metadata": {"parameters": {"layout": {}, "edges": {}}, "quality": {"kept_15": 1}},
        "nodes": nodes,
        "edges": [],
    }
    features = pa.table(
        {
            "x": pa.array([1.23456, None, 4], pa.float32()),
            "y": pa.array([2, None, 5], pa.float32()),
            "z": pa.array([3, None, 6], pa.float32()),
            "kept": pa.array([0.2, None, 1 / 3], pa.float32()),
        }
    )
    in_frame = moved(graph, features, {"kept_15": 0.5, "trustworthiness": None}, {"seed": 1}, decimals=4)
    assert [node["position"] for node in in_frame["nodes"]] == [[1.2346, 2, 3], [4, 5, 6]]
    assert all(node["label"] == "kept" for node in in_frame["nodes"])
    assert in_frame["metadata"] == {
        "parameters": {"layout": {"seed": 1}, "edges": {}},
        "quality": {"kept_15": 0.5},
        "bounds": {"min": [1.2346, 2, 3], "max": [4, 5, 6]},
        "nodeFacts": {"kept": [0.2, 0.33333]},
    }
