"""Regions: nested groups of near points, names that hold on labels they were not made from, names from a file."""

import json
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import yaml

from compute_coords import embed
from decoders import NEIGHBOR_EMBEDDING
from labelled import held_out, labelled_layer, made_up_words
from lib.errors import UserError
from lib.geometry.knn import nearest_neighbors
from lib.geometry.regions import divide
from lib.labels.explanations import SCHEMA
from lib.labels.names import overrepresentation, region_words
from lib.labels.words import words_of
from lib.planning.region_names import read_region_names
from lib.planning.schema import ConfigError
from name_regions import division, find_regions, give_names, names_file
from summarize_decoder import summarize
from tabulate_regions import correspondences

TOPICS = ("court", "river", "music")
CENTRES = np.array([(-30, 0, 0), (30, 5, 0), (0, -20, 10)])
MODELS = {"toy": {"rows": {0: {}, 12: {}}}}


def clusters(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Positions of n features in three clusters far apart, float32 (n, 3), and the cluster of each."""
    rng = np.random.default_rng(seed)
    topic = rng.integers(0, 3, n)
    return (CENTRES[topic] + rng.normal(0, 2, (n, 3))).astype(np.float32), topic


def directions(topic: np.ndarray, seed: int = 1) -> np.ndarray:
    """Rows that point the way of their topic, with noise: float32 (n, 32)."""
    rng = np.random.default_rng(seed)
    return (np.eye(32)[topic] + 0.2 * rng.normal(size=(len(topic), 32))).astype(np.float32)


def table(labels: dict[int, str], **columns) -> pa.Table:
    """labels.parquet with these labels by index; further columns by index too."""
    rows = [
        {"index": index, "label": label} | {name: values[index] for name, values in columns.items()}
        for index, label in labels.items()
    ]
    return pa.Table.from_pylist(rows, SCHEMA)


@cache
def synthetic() -> tuple[list[str], np.ndarray, np.ndarray]:
    """Labels, scores and regions of a small synthetic layer."""
    decoder, labels = labelled_layer(4000, 128)
    coords = embed(decoder, *nearest_neighbors(decoder, 40), **NEIGHBOR_EMBEDDING)
    return labels, summarize(decoder)["scores"], divide(coords, [24, 60, 130])


# --- the division


def test_regions_of_a_level_lie_inside_those_of_the_level_before():
    coords, _ = clusters(400)
    levels = divide(coords, [3, 9, 30])
    assert [len(np.unique(column)) for column in levels.T] == [3, 9, 30]
    for outer, inner in zip(levels.T, levels.T[1:], strict=False):
        assert all(len(np.unique(outer[inner == region])) == 1 for region in range(inner.max() + 1))
    sizes = np.bincount(levels[:, 0])
    assert sizes.tolist() == sorted(sizes, reverse=True)


def test_clusters_far_apart_are_the_regions():
    coords, topic = clusters(400)
    level = divide(coords, [3])[:, 0]
    assert len({*zip(level.tolist(), topic.tolist(), strict=True)}) == 3


def test_the_order_of_the_features_changes_no_region():
    coords, _ = clusters(200)
    shuffled = np.random.default_rng(0).permutation(200)
    levels, again = divide(coords, [3, 9]), divide(coords[shuffled], [3, 9])
    for level in range(2):
        regions = {frozenset(np.flatnonzero(levels[:, level] == region)) for region in np.unique(levels[:, level])}
        assert regions == {frozenset(shuffled[again[:, level] == region]) for region in np.unique(again[:, level])}


@pytest.mark.parametrize("coords", [np.zeros((50, 3)), np.arange(150).reshape(50, 3) * (1, 0, 0)])
def test_a_collapsed_map_is_divided_too(coords):
    assert divide(coords.astype(np.float32), [1, 4])[:, 1].max() == 3


# --- the regions of a layer


@pytest.mark.parametrize("n", [1, 2, 3, 10, 100])
@pytest.mark.parametrize("labelled", [True, False])
def test_any_number_of_features_has_regions(n, labelled):
    coords, topic = clusters(n)
    coords = np.concatenate([[[np.nan] * 3], coords])
    scores = np.concatenate([np.full((1, 32), np.nan, np.float32), directions(topic)])
    labels = table({index + 1: TOPICS[own] for index, own in enumerate(topic)} if labelled else {})
    positions, regions = find_regions(coords, scores, labels, [50, 20, 5])
    assert positions[0].tolist() == [-1, -1, -1]
    by_id = {region["id"]: region for region in regions}
    assert len(by_id) == len(regions)
    for number, region in enumerate(regions):
        members = np.flatnonzero((positions == number).any(axis=1))
        assert len(members) == region["size"] > 0
        assert set(region["examples"]) <= set(members.tolist())
        assert region["center"] == pytest.approx(coords[members].mean(axis=0), abs=1e-3)
        inside = np.linalg.norm(coords[members] - region["center"], axis=1) <= region["radius"] + 1e-3
        assert inside.mean() >= 0.9
        if region["level"] > 1:
            assert region["id"].startswith(f"{region['parent']}.")
            assert by_id[region["parent"]]["level"] == region["level"] - 1
            assert set(members) <= set(
                np.flatnonzero((positions == regions.index(by_id[region["parent"]])).any(axis=1))
            )
        else:
            assert "parent" not in region


def test_the_representative_is_near_the_middle_and_has_a_label_if_any_feature_has_one():
    coords, topic = clusters(300)
    scores, labelled = directions(topic), [7, 8, 9, 100, 200]
    positions, regions = find_regions(coords, scores, table(dict.fromkeys(labelled, "a word")), [100, 100, 100])
    for number, region in enumerate(regions):
        members = set(np.flatnonzero((positions == number).any(axis=1)).tolist())
        assert next(iter(region["examples"])) in (members & set(labelled) or members)


# --- names made of words


def test_names_hold_on_labels_that_they_were_not_made_from():
    labels, scores, levels = synthetic()
    for figures, coverage in zip(held_out(labels, scores, levels), (0.85, 0.75, 0.5), strict=True):
        assert figures["coverage"] >= coverage
        assert figures["own"] >= 20 * figures["other"]


def test_names_are_words_of_the_regions_own_labels_and_repeat_none_around_them():
    labels, scores, levels = synthetic()
    names = region_words(labels, scores, np.ones(len(labels), bool), levels)
    used = [set()] * len(labels)
    for level, column in zip(names, levels.T, strict=True):
        for region, words in enumerate(level):
            members = np.flatnonzero(column == region)
            assert len(words) <= 3
            assert set(words) <= set().union(*(words_of(labels[member]) for member in members))
            assert used[members[0]].isdisjoint(words)
            for member in members:
                used[member] = used[member].union(words)


def test_what_explainers_write_around_meaning_names_nothing():
    labels, scores, levels = synthetic()
    names = region_words(labels, scores, np.ones(len(labels), bool), levels)
    framing = {"references", "terms", "words", "phrases", "various", "certain", "common", "specific", "context", "the"}
    assert framing.isdisjoint(word for level in names for words in level for word in words)


@pytest.fixture
def topical():
    """Labels, rows and regions of 30 topics; of each, a tenth of the features lies in another topic's region."""
    words = [*TOPICS, *made_up_words(27, np.random.default_rng(0))]
    topic, turn = np.arange(900) % 30, np.arange(900) // 30
    labels = [f"things about a {words[own]}" for own in topic]
    return labels, directions(topic), np.where(turn % 10, topic, (topic + 15) % 30)[:, None]


def first_names(labels, rows, regions, firing=None) -> list[list[str]]:
    """The names of the three topics that `TOPICS` names."""
    return region_words(labels, rows, np.ones(900, bool) if firing is None else firing, regions)[0][:3]


def test_forms_of_a_word_count_together_and_the_shortest_stands_for_them(topical):
    labels, rows, regions = topical
    labels = [f"{label}s" if index // 30 % 2 else label for index, label in enumerate(labels)]
    assert first_names(labels, rows, regions) == [["court"], ["river"], ["music"]]


@pytest.mark.parametrize("instead", [None, "!?", "things"])
def test_regions_whose_labels_say_nothing_have_no_name(topical, instead):
    labels, rows, regions = topical
    labels = [instead if region == 1 else label for region, label in zip(regions[:, 0], labels, strict=True)]
    assert first_names(labels, rows, regions) == [["court"], [], ["music"]]
    assert first_names([instead] * 900, rows, regions) == [[], [], []]


def test_features_that_never_fire_name_nothing(topical):
    labels, rows, regions = topical
    assert first_names(labels, rows, regions, regions[:, 0] != 1) == [["court"], [], ["music"]]
    assert first_names(labels, rows, regions, np.zeros(900, bool)) == [[], [], []]


def test_a_word_whose_features_elsewhere_point_another_way_names_nothing(topical):
    labels, rows, regions = topical
    assert first_names(labels, rows, regions)[0] == ["court"]
    rows[[index for index, label in enumerate(labels) if "court" in label and regions[index, 0] != 0]] *= -1
    assert first_names(labels, rows, regions)[0] == []


def test_a_region_that_fills_the_one_around_it_has_no_name_of_its_own(topical):
    labels, rows, regions = topical
    names = region_words(labels, rows, np.ones(900, bool), np.repeat(regions, 2, axis=1))
    assert names[0][:3] == [["court"], ["river"], ["music"]]
    assert names[1] == [[]] * 30


def test_overrepresentation_is_the_signed_root_of_the_log_likelihood_ratio():
    """Written out for one word; below 0 for words that are rarer inside, 0 for those that are as frequent."""
    inside, outside, held_inside, held_outside = 20, 980, 8, 22
    cells = [(8, 20 * 30 / 1000), (12, 20 * 970 / 1000), (22, 980 * 30 / 1000), (958, 980 * 970 / 1000)]
    ratio = 2 * sum(observed * np.log(observed / expected) for observed, expected in cells)
    arguments = ([held_inside, 0, 1], [inside] * 3, [held_outside, 30, 49], [outside] * 3)
    above, below, equal = overrepresentation(*map(np.array, arguments))
    assert above == pytest.approx(np.sqrt(ratio))
    assert below < 0
    assert equal == pytest.approx(0, abs=1e-6)


# --- names from a file


def named(names: dict | None = None) -> tuple[list[dict], str]:
    """Three regions with and without words, named, and the code of their division."""
    coords, topic = clusters(300)
    labels = table({index: f"a {TOPICS[own]}" for index, own in enumerate(topic) if own})
    positions, regions = find_regions(coords, directions(topic), labels, [100, 100, 100])
    code = division(positions)
    give_names(regions, {"division": code} | names if names is not None else {}, code, "toy layer 0")
    return regions, code


def test_a_name_from_the_configuration_wins_over_words():
    plain = {region["id"]: region.get("name") for region in named()[0]}
    regions = {region["id"]: region.get("name") for region in named({"r1": 'rivers and "lakes"', "r2": None})[0]}
    assert regions == plain | {"r1": 'rivers and "lakes"'}


def test_a_name_for_a_region_that_does_not_exist_is_refused():
    with pytest.raises(UserError, match=r"regions\.names: toy layer 0 has no region r1\.9, r7\. Take the layer out"):
        named({"r1": "a", "r7": "b", "r1.9": "c"})


def test_names_for_another_division_of_the_map_are_refused():
    with pytest.raises(UserError, match=r"toy layer 0 are for the division 1234abcd of its map, which is now divided"):
        named({"division": "1234abcd", "r1": "a"})


def test_what_is_written_for_people_to_fill_is_a_valid_names_file(tmp_path):
    regions, code = named({"r1": 'with "quotes": and #'})
    regions[1]["examples"] = {0: 'a label: "quoted" #', 1: None}
    (tmp_path / "names.yaml").write_text(names_file("toy", "12", regions, code))
    names = read_region_names(["names.yaml"], MODELS, tmp_path)
    assert names.keys() == {("toy", "12")}
    assert names["toy", "12"].pop("division") == code
    assert names["toy", "12"] == {region["id"]: region.get("name") for region in regions}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"toyy": {}}, "names.yaml: no catalogue defines 'toyy': did you mean toy?"),
        ({"toy": {"layer-3": {"division": "a"}}}, "names.yaml: toy has no layer-3"),
        ({"toy": {"12": {"division": "a"}}}, "names.yaml: toy: the name '12' is not valid: expected a layer, such as"),
        ({"toy": {"layer-12": {"r1": "a"}}}, "names.yaml: toy.layer-12: 'division' is a required property"),
        ({"toy": {"layer-12": {"division": "a", "r1.x": "a"}}}, "the name 'r1.x' is not valid: expected a region's id"),
        ({"toy": {"layer-12": {"division": "a", "r1": 3}}}, "toy.layer-12.r1 is 3: expected a name, in quotes"),
        ({"toy": ["layer-12"]}, "names.yaml: toy is ['layer-12']: expected"),
    ],
)
def test_mistakes_in_a_names_file_are_named(tmp_path, content, message):
    (tmp_path / "names.yaml").write_text(yaml.safe_dump(content))
    with pytest.raises(ConfigError) as error:
        read_region_names(["names.yaml"], MODELS, tmp_path)
    assert message in str(error.value)


def test_a_names_file_exists_and_names_each_layer_once(tmp_path):
    for name in ("a.yaml", "b.json"):
        Path(tmp_path / name).write_text(json.dumps({"toy": {"layer-0": {"division": "a", "r1": "b"}}}))
    assert read_region_names(["b.json"], MODELS, tmp_path) == {("toy", "0"): {"division": "a", "r1": "b"}}
    with pytest.raises(ConfigError, match=r"regions\.names: c\.yaml does not exist"):
        read_region_names(["c.yaml"], MODELS, tmp_path)
    with pytest.raises(ConfigError, match=r"b\.json: another file of regions\.names already names toy layer-0"):
        read_region_names(["a.yaml", "b.json"], MODELS, tmp_path)


def test_regions_of_adjacent_layers_correspond_by_the_tracks_that_lead_from_one_into_the_other():
    tracks = pd.DataFrame([(k, layer, k) for k in range(20) for layer in (0, 4)], columns=["track", "layer", "index"])
    # One more, which ends in layer 0.
    tracks.loc[len(tracks)] = (20, 0, 20)
    here, there = np.repeat([0, 1], [11, 10]), np.repeat([0, 1, 0], [10, 9, 1])
    names = {0: [{"id": "r1", "name": "a"}, {"id": "r2"}], 4: [{"id": "r1", "name": "b"}, {"id": "r2"}]}
    table = correspondences(tracks, {0: here, 4: there}, names)
    table = table.astype(object).where(table.notna(), None)
    assert table[["region", "name", "next_region", "next_name", "tracks", "share"]].to_numpy().tolist() == [
        ["r1", "a", "r1", "b", 10, 0.9091],
        ["r2", None, "r1", "b", 1, 0.1111],
        ["r2", None, "r2", None, 8, 0.8889],
    ]
    assert (table[["layer", "next_layer"]] == [0, 4]).all(axis=None)
