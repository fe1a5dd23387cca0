"""The measures of a map: right where the right answer is known, and low enough where a broken map must be refused."""

import json
from io import StringIO

import numpy as np
import pandas as pd
import pytest
import sklearn.manifold
import yaml
from scipy.spatial.distance import cdist

from compute_coords import embed
from compute_edges import strong_edges
from conftest import ROOT
from decoders import NEIGHBOR_EMBEDDING, demo_decoder, gaussian, with_rows
from lib.geometry.extent import centred
from lib.geometry.knn import nearest_neighbors
from lib.geometry.live import restrict_to_live
from lib.geometry.points import nearest_points
from lib.geometry.statistics import rank_correlation, trustworthiness
from lib.labels.words import telling_words, word_matrix, word_overlap
from measure_quality import degree_statistics, measure
from tabulate_quality import table
from write_manifest import refusals

SETTINGS = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())["quality"]
FLOORS = {f"quality.{key}": floor for key, floor in SETTINGS.items()}
NO_EDGES = np.empty(0, int), np.empty(0, int)


@pytest.fixture(scope="module")
def layer() -> dict:
    """A third of a demo layer, laid out."""
    decoder = with_rows(demo_decoder(700), [3, 90], 0)
    indices, similarities = nearest_neighbors(decoder, 25)
    return {
        "decoder": decoder,
        "indices": indices,
        "similarities": similarities,
        "coords": centred(embed(decoder, indices, similarities, **NEIGHBOR_EMBEDDING))[0],
        "edges": strong_edges(indices, similarities, k=25, threshold=0.25)[:2],
        "labels": [None, "the", *(f"the word{'abcdefghijklmnopqrstuvwxyz'[row % 26]}" for row in range(698))],
    }


@pytest.fixture(scope="module")
def quality(layer) -> dict:
    return measure(**layer)[0]


def refused(quality: dict) -> list[str]:
    return refusals(quality.get("map", {}), FLOORS)


def test_a_map_passes_its_floors_and_gains_over_chance(quality):
    assert refused(quality) == []
    assert quality["features"] == 698
    for name in ("kept_5", "kept_15", "kept_25", "strongest_near"):
        assert quality["map"][name] > 3 * quality["random"][name]
        assert quality["map"][name] > quality["pca"][name]
    assert quality["map"]["trustworthiness"] > quality["pca"]["trustworthiness"] > 0.55
    assert quality["random"]["trustworthiness"] == pytest.approx(0.5, abs=0.03)
    assert quality["random"]["kept_15"] == pytest.approx(15 / 697, abs=0.01)
    assert abs(quality["random"]["distance_correlation"]) < 0.02
    assert quality["random"]["label_agreement"] == pytest.approx(1, abs=0.1)


def test_a_perfect_map_keeps_everything():
    coords = np.random.default_rng(0).normal(size=(400, 3))
    decoder = (coords / np.linalg.norm(coords, axis=1, keepdims=True)).astype(np.float32)
    perfect = measure(decoder, *nearest_neighbors(decoder, 25), decoder, NO_EDGES, [None] * 400)[0]["map"]
    for name in ("kept_5", "kept_15", "kept_25", "strongest_near", "trustworthiness", "continuity"):
        assert perfect[name] > 0.99
    assert perfect["distance_correlation"] > 0.999
    assert perfect["label_agreement"] is None


@pytest.mark.parametrize("broken", ["shuffled", "on one point", "on a line", "random"])
def test_a_broken_map_is_refused(layer, broken):
    coords = layer["coords"].copy()
    live = np.flatnonzero(np.isfinite(coords[:, 0]))
    rng = np.random.default_rng(0)
    coords[live] = {
        "shuffled": coords[rng.permutation(live)],
        "on one point": np.zeros((len(live), 3)),
        "on a line": np.arange(len(live))[:, None] * np.ones(3),
        "random": rng.normal(size=(len(live), 3)),
    }[broken]
    assert any("trustworthiness" in reason for reason in refused(measure(**layer | {"coords": coords})[0]))


def test_the_same_bytes_twice(layer, quality):
    assert json.dumps(measure(**layer)[0]) == json.dumps(quality)


def test_the_share_kept_of_each_feature(layer, quality):
    kept = measure(**layer)[1]
    assert np.flatnonzero(np.isnan(kept)).tolist() == [3, 90]
    assert np.nanmean(kept) == pytest.approx(quality["map"]["kept_15"], abs=1e-4)
    indices, _ = restrict_to_live(layer["indices"], layer["similarities"], ~np.isnan(kept))
    coords = layer["coords"][~np.isnan(kept)]
    nearest = np.argsort(np.linalg.norm(coords - coords[7], axis=1))[1:16]
    assert kept[~np.isnan(kept)][7] == pytest.approx(len(set(nearest) & set(indices[7, :15])) / 15)


def test_nearest_neighbours_agree_on_labels_more_than_any_map(layer):
    """A label is the word of the nearest of 100 features: what features that are alike share."""
    letters = "abcdefghij"
    topics = (layer["decoder"] @ layer["decoder"][100:200].T).argmax(axis=1)
    labels = [f"word{letters[topic // 10]}{letters[topic % 10]}" for topic in topics]
    quality = measure(**layer | {"labels": labels})[0]
    exact, of_map, pca = (quality[which]["label_agreement"] for which in ("exact", "map", "pca"))
    assert exact > of_map > 1.5 * pca


def test_trustworthiness_is_scikit_learns(layer):
    rows = layer["decoder"][np.isfinite(layer["coords"][:, 0])][:300].astype(np.float64)
    points = np.random.default_rng(0).normal(size=(300, 3))
    near = nearest_points(points, 15)
    expected = sklearn.manifold.trustworthiness(rows, points, n_neighbors=15)
    assert trustworthiness(cdist(rows, rows), near) == pytest.approx(expected)


@pytest.mark.parametrize("n", [3, 5, 30])
def test_small_layers_are_measured_as_far_as_possible(n):
    decoder = gaussian(n, 6)
    coords = np.random.default_rng(1).normal(size=(n, 3)).astype(np.float32)
    small, kept = measure(decoder, *nearest_neighbors(decoder, 25), coords, NO_EDGES, [None] * n)
    assert np.isnan(kept).all()
    assert small["features"] == n
    assert refused(small) == []
    json.dumps(small, allow_nan=False)


def test_nearest_points_leave_the_point_itself_out():
    # Eight points at each position.
    coords = np.repeat(np.random.default_rng(0).normal(size=(20, 3)), 8, axis=0)
    near = nearest_points(coords, 5)
    assert not (near == np.arange(160)[:, None]).any()
    assert (near // 8 == np.arange(160)[:, None] // 8).all()


def test_degrees_count_the_features_without_an_edge(quality, layer):
    counts = degree_statistics(np.array([2, 2, 2, 0, 0]))
    assert counts == {"edges": 3, "without_edge": 2, "mean": 1.2, "largest": 2, "p50": 2, "p90": 2, "p99": 2}
    assert quality["degrees"]["edges"] == len(layer["edges"][0])


def test_words_of_every_twentieth_label_are_not_telling_and_every_label_counts(quality):
    letters = "abcdefghij" * 10
    labels = [f"also Word{letter} {number}" for number, letter in enumerate(letters)]
    assert telling_words([*labels, None]) == [*({f"word{letter}"} for letter in letters), set()]
    # Of 699 labels two are of dead features; one has no telling word and counts all the same.
    assert quality["labelled"] == 697


def test_overlap_of_words():
    words = word_matrix([{"a", "b"}, {"b"}, set()])
    assert word_overlap(words, np.array([[1, 2], [0, 2], [0, 1]])) == pytest.approx(0.5)


def test_no_correlation_where_one_side_is_constant():
    assert rank_correlation(np.arange(4), np.ones(4)) is None


def test_the_table_has_a_row_per_layer_and_empty_cells_for_what_is_unknown(quality):
    small = {"features": 3, "labelled": 0, "degrees": {"edges": 0, "without_edge": 3}}
    small |= {"map": {"kept_15": None}, "pca": {"kept_15": None}, "random": {}, "exact": {}}
    text = table([9, 10], [quality, small]).to_csv(sep="\t", index=False)
    rows = pd.read_csv(StringIO(text), sep="\t", dtype=str, keep_default_na=False).set_index("layer")
    assert list(rows.index) == ["9", "10"]
    assert float(rows.kept_15["9"]) == quality["map"]["kept_15"]
    assert float(rows.kept_15_pca["9"]) == quality["pca"]["kept_15"]
    assert (rows.features["10"], rows.kept_15["10"]) == ("3", "")
