"""Rows of exports, API and local files -> labels: text, choice, ranking, the table."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from lib.labels.explanations import (
    Explanation,
    Feature,
    LabelError,
    add_row,
    choose,
    clean,
    json_lines,
    label_table,
    read_local,
    top_features,
)

DEMO = Path(__file__).parent.parent / "resources/demo"


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("  references to time \n", "references to time"),
        ("a\r\nb\tc  d\u2028e\u00a0f", "a b c d e f"),
        ("bell\x07 and\x00 null\x1b[0m", "bell and null[0m"),
        ("cafe\u0301", "caf\u00e9"),
        ("lone \ud800 surrogate", "lone surrogate"),
        ("</script><b>\"'&", "</script><b>\"'&"),
        ("\u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d", "\u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d"),
        ("\U0001f469\u200d\U0001f52c", "\U0001f469\u200d\U0001f52c"),  # joined emoji stay joined
        (" \t\n", ""),
        ("x" * 100_000, "x" * 100_000),
    ],
)
def test_text_is_cleaned_and_otherwise_untouched(text, cleaned):
    assert clean(text) == cleaned
    assert clean(cleaned) == cleaned


def added(*rows, count=10, source_id=None):
    features = {}
    for row in rows:
        add_row(features, row, count, "batch-0.jsonl, line 1", source_id)
    return features


def test_all_three_kinds_of_rows_say_the_same():
    explanation = {
        "index": "3",
        "description": " cats",
        "explanationModelName": "gpt-4o-mini",
        "typeName": "oai",
        "embedding": "[0.1]",
    }
    facts = {"index": "3", "frac_nonzero": 0.25, "maxActApprox": 7, "pos_str": [" cat", "Cat"]}
    api = {**facts, "explanations": [explanation]}
    plain = {
        "index": 3,
        "label": "cats",
        "explainer": "gpt-4o-mini",
        "density": 0.25,
        "max_activation": 7.0,
        "top_tokens": ["cat", "Cat"],
    }
    expected = Feature({Explanation("gpt-4o-mini", "oai", "cats")}, None, 0.25, 7.0, ["cat", "Cat"])
    assert added(explanation, facts) == added(api) == added(facts, explanation, explanation) == {3: expected}
    assert added(plain)[3].explanations == {Explanation("gpt-4o-mini", "", "cats")}
    assert (added(plain)[3].density, added(plain)[3].top_tokens) == (0.25, ["cat", "Cat"])


@pytest.mark.parametrize("index", ["10", -1, "3.5", "", None, "x", [1], 1.5])
def test_impossible_indices_are_refused_with_their_line(index):
    with pytest.raises(LabelError, match=r"^batch-0.jsonl, line 1: .*index"):
        added({"index": index, "description": "cats"})


def test_rows_of_another_source_are_refused():
    row = {"index": "1", "layer": "11-gemmascope-res-16k", "description": "cats"}
    with pytest.raises(LabelError, match="source 11-gemmascope-res-16k, not to 12-gemmascope-res-16k"):
        added(row, source_id="12-gemmascope-res-16k")
    assert added(row, source_id="11-gemmascope-res-16k")[1].explanations


def test_odd_values_do_no_harm():
    odd = {
        "index": "1",
        "description": " \n",
        "frac_nonzero": float("nan"),
        "maxActApprox": "7",
        "pos_str": None,
        "explanations": None,
    }
    assert added(odd) == {1: Feature()}
    with pytest.raises(LabelError, match="description is list, expected text"):
        added({"index": "1", "description": ["cats"]})


def test_lines_are_read_compressed_or_not():
    content = b'{"index": "0"}\n\n{"index": "1", "frac_nonzero": NaN, "description": "\\ud800"}\n'
    for variant in (content, gzip.compress(content), content.replace(b"\n", b"\r\n")):
        assert [(number, row["index"]) for number, row in json_lines(variant, "x")] == [(1, "0"), (3, "1")]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (gzip.compress(b"{}" * 9000)[:-20], "batch-7: damaged gzip"),
        (gzip.compress(b"{}\n") + b"rubbish", "batch-7: damaged gzip"),
        (b'{"index": "0"}\n{"index": ', "batch-7, line 2: no JSON"),
        (b"<!DOCTYPE html>", "batch-7, line 1: no JSON .*DOCTYPE"),
        (b"[1]\n", "batch-7, line 1: no JSON object"),
        (b"\xff\xfe\n", "batch-7, line 1: no JSON"),
    ],
)
def test_damaged_files_are_named_with_the_line(content, message):
    with pytest.raises(LabelError, match=message):
        list(json_lines(content, "batch-7"))


def test_the_preferred_explainer_wins_else_the_choice_is_fixed():
    several = [Explanation("b", "t", "2"), Explanation("a", "t", "9"), Explanation("a", "t", "1")]
    for order in (several, several[::-1]):
        assert choose(order).text == "1"
        assert choose(order, ["z", "b"]).text == "2"


def test_top_means_top():
    scores = np.array([0.1, np.nan, 0.5, 0.5, 0.0, 0.9])
    assert top_features(scores, 2) == [2, 5]
    assert top_features(scores, 3) == [2, 3, 5]
    assert top_features(scores, 5) == [0, 2, 3, 4, 5]
    assert top_features(scores, 99) == [0, 1, 2, 3, 4, 5]


def test_the_table_has_a_row_for_each_label():
    features = added(
        {"index": "7", "description": "dogs", "explanationModelName": "m", "frac_nonzero": 0.5},
        {"index": "2", "description": "cats"},
        {"index": "4"},
    )
    table = label_table(features, [7, 4, 2])
    assert table.column_names == ["index", "label", "explainer", "density", "max_activation", "top_tokens"]
    assert table.column("index").to_pylist() == [2, 7]
    assert table.column("explainer").to_pylist() == [None, "m"]
    assert label_table(features, [4]).num_rows == 0
    assert label_table(features, [4]).schema == table.schema


def test_categories_are_carried_where_a_local_file_has_them(tmp_path):
    path = tmp_path / "labels.jsonl"
    path.write_text('{"index": 0, "label": "cats", "category": "animals"}\n{"index": 2, "label": "red"}\n')
    table = label_table(read_local(path, 3), range(3))
    assert table.column("category").to_pylist() == ["animals", None]


def test_the_demo_is_read_whole():
    features = read_local(DEMO / "layer_3", 2048, "3-demo-res-2k")
    assert sorted(features) == list(range(2048))
    table = label_table(features, features)
    assert table.num_rows == 2048
    assert None not in table.column("density").to_pylist()


def test_a_file_and_a_folder_of_the_same_rows_are_the_same(tmp_path):
    rows = [json.dumps({"index": str(index), "description": f"label {index}"}) for index in range(50)]
    (tmp_path / "all.jsonl.gz").write_bytes(gzip.compress("\n".join(rows).encode()))
    for number, name in ((0, "explanations"), (1, "explanations-gpt-4o-mini")):
        (tmp_path / "export" / name).mkdir(parents=True)
        (tmp_path / "export" / name / "batch-0.jsonl").write_text("\n".join(rows[number::2]))
    assert read_local(tmp_path / "all.jsonl.gz", 60) == read_local(tmp_path / "export", 60)


def test_a_folder_without_explanations_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=str(tmp_path)):
        read_local(tmp_path, 5)
    with pytest.raises(FileNotFoundError):
        read_local(tmp_path / "labels.jsonl", 5)
