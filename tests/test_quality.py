"""The measures of a map: right where the right answer is known, and floors that a broken map does not pass."""

import json

import numpy as np
import pytest

from compute_edges import strong_edges
from compute_umap import centred, embed
from conftest import ROOT
from fetch_decoder import unit_rows
from lib.geometry.knn import nearest_neighbors
from measure_quality import below_floors, correlation, degrees, label_words, measure, nearest_points, overlap
from tabulate_quality import table
from test_geometry import BATCH

FLOORS = {"min_kept_15": 0.03, "min_trustworthiness": 0.58}  # those of config.yaml


@pytest.fixture(scope="module")
def layer() -> dict:
    """A third of a demo layer, laid out."""
    with np.load(ROOT / "resources" / "demo" / "layer_5" / "params.npz") as file:
        decoder = unit_rows(file["W_dec"][:700])[0]
    decoder[[3, 90]] = 0
    indices, similarities = nearest_neighbors(decoder, 25)
    coords = centred(embed(decoder, indices, similarities, **BATCH))
    edges = strong_edges(indices, similarities, k=25, threshold=0.25)[:2]
    words = [{"alpha", f"word{row % 7}"} for row in range(len(decoder))]
    return {
        "decoder": decoder,
        "indices": indices,
        "similarities": similarities,
        "coords": coords,
        "edges": edges,
        "words": words,
    }


@pytest.fixture(scope="module")
def found(layer) -> dict:
    return measure(**layer)


def test_a_map_passes_its_floors_and_gains_over_chance(found):
    assert below_floors(found["map"], FLOORS) == []
    assert found["features"] == 698
    for name in ("kept_5", "kept_15", "kept_25", "strongest_near"):
        assert found["map"][name] > 3 * found["random"][name]
        assert found["map"][name] > found["pca"][name]
    assert found["map"]["trustworthiness"] > found["pca"]["trustworthiness"] > 0.55
    assert found["random"]["trustworthiness"] == pytest.approx(0.5, abs=0.03)
    assert found["random"]["kept_15"] == pytest.approx(15 / 697, abs=0.01)
    assert abs(found["random"]["distance_correlation"]) < 0.02
    assert found["random"]["label_agreement"] == pytest.approx(1, abs=0.1)


def test_a_perfect_map_keeps_everything():
    coords = np.random.default_rng(0).normal(size=(400, 3))
    decoder = (coords / np.linalg.norm(coords, axis=1, keepdims=True)).astype(np.float32)
    found = measure(decoder, *nearest_neighbors(decoder, 25), decoder, (np.empty(0, int),) * 2, [set()] * 400)
    for name in ("kept_5", "kept_15", "kept_25", "strongest_near", "trustworthiness", "continuity"):
        assert found["map"][name] > 0.99
    assert found["map"]["distance_correlation"] > 0.999
    assert found["map"]["label_agreement"] is None


@pytest.mark.parametrize("broken", ["shuffled", "on one point", "on a line", "random"])
def test_a_broken_map_is_refused(layer, broken):
    coords = layer["coords"].copy()
    live = np.flatnonzero(np.isfinite(coords[:, 0]))
    rng = np.random.default_rng(0)
    if broken == "shuffled":
        coords[live] = coords[rng.permutation(live)]
    elif broken == "random":
        coords[live] = rng.normal(size=(len(live), 3))
    elif broken == "on a line":
        coords[live] = np.arange(len(live))[:, None] * np.ones(3)
    else:
        coords[live] = 0
    found = measure(**layer | {"coords": coords})
    refused = below_floors(found["map"], FLOORS)
    assert any("trustworthiness is 0." in line and "below its floor 0.58" in line for line in refused)


def test_floors_name_the_figure_and_the_floor():
    told = below_floors(
        {"kept_15": 0.01, "trustworthiness": None}, {"min_kept_15": 0.5, "min_trustworthiness": 1}
    )
    assert told == ["kept_15 is 0.01, below its floor 0.5"]


def test_the_same_bytes_twice(layer, found):
    assert json.dumps(measure(**layer)) == json.dumps(found)


@pytest.mark.parametrize("n", [0, 1, 2, 5, 30])
def test_small_layers_are_measured_as_far_as_they_go(n):
    decoder = unit_rows(np.random.default_rng(0).normal(size=(n, 6)))[0]
    neighbors = nearest_neighbors(decoder, 25)
    coords = np.random.default_rng(1).normal(size=(n, 3)).astype(np.float32)
    found = measure(decoder, *neighbors, coords, (np.empty(0, int), np.empty(0, int)), [set()] * n)
    assert found["features"] == n
    assert below_floors(found.get("map", {}), {"min_kept_15": 1, "min_trustworthiness": 1}) == []
    json.dumps(found, allow_nan=False)


def test_nearest_points_leave_the_point_itself_out():
    coords = np.repeat(np.random.default_rng(0).normal(size=(20, 3)), 8, axis=0)  # eight on every spot
    near = nearest_points(coords, 5)
    assert not (near == np.arange(160)[:, None]).any()
    assert (near // 8 == np.arange(160)[:, None] // 8).all()


def test_degrees_count_the_features_without_an_edge():
    counts = degrees(5, (np.array([0, 0, 1]), np.array([1, 2, 2])))
    assert counts == {"edges": 3, "without_edge": 2, "mean": 1.2, "largest": 2, "p50": 2, "p90": 2, "p99": 2}


def test_words_of_every_label_tell_nothing():
    rows = [{"index": row, "label": f"also Word{'abcdefghij'[row % 10]} {row}"} for row in range(100)]
    assert label_words(rows, 101)[0] == {"worda"}
    assert label_words(rows, 101)[100] == set()


def test_overlap_of_words():
    assert overlap([{"a", "b"}, {"b"}, set()], np.array([[1, 2], [0, 2], [0, 1]])) == pytest.approx(0.5)


def test_no_correlation_where_one_side_is_all_equal():
    assert correlation(np.arange(4), np.ones(4)) is None


def test_the_table_has_a_row_a_layer_and_empty_places_for_what_is_not_known(found):
    small = {"features": 1, "labelled": 0, "degrees": {"edges": 0, "without_edge": 1}}
    lines = [line.split("\t") for line in table({10: small, 9: found}).splitlines()]
    assert [line[0] for line in lines] == ["layer", "9", "10"]
    assert len({len(line) for line in lines}) == 1
    row = dict(zip(lines[0], lines[1], strict=True))
    assert float(row["kept_15"]) == found["map"]["kept_15"]
    assert float(row["kept_15_pca"]) == found["pca"]["kept_15"]
    assert lines[2][lines[0].index("kept_15")] == ""
