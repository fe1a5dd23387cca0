"""Rows of exports, API and local files -> labels: text, choice, ranking, the table."""

import gzip
import io
import json

import pandas as pd
import pytest

from fetch_labels import ranked
from lib.errors import UserError
from lib.labels.explanations import (
    PLAIN_NAMES,
    SCHEMA,
    clean,
    feature_table,
    label_table,
    local_rows,
    parse_row,
    read_rows,
)
from lib.labels.export_files import label_files


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("  references to time \n", "references to time"),
        ("a\r\nb\tc  d\u2028e\u00a0f", "a b c d e f"),
        ("bell\x07 and\x00 null\x1b[0m", "bell and null[0m"),
        ("cafe\u0301", "caf\u00e9"),
        ("lone \ud800 surrogate", "lone surrogate"),
        ("\u202etxet\u2066 \u05d0", "txet \u05d0"),
        ("</script><b>\"'&", "</script><b>\"'&"),
        ("\U0001f469\u200d\U0001f52c", "\U0001f469\u200d\U0001f52c"),  # joined emoji stay joined
        (" \t\n", ""),
    ],
)
def test_text_is_cleaned_and_otherwise_untouched(text, cleaned):
    assert clean(text) == cleaned
    assert clean(cleaned) == cleaned


def features_of(*rows, explainers=()):
    lines = (parse_row(json.dumps(row).encode(), "row") for row in rows)
    return feature_table((("batch-0, line 1", line) for line in lines), 10, explainers=explainers)


def labels(*rows, explainers=()):
    """The label table of these rows, as plain values."""
    return label_table(features_of(*rows, explainers=explainers), range(10)).to_dict("records")


def test_exports_the_api_and_local_files_say_the_same():
    explanation = {
        "index": "3",
        "description": " cats",
        "explanationModelName": "gpt-4o-mini",
        "typeName": "oai",
        "embedding": "[0.1]",
    }
    facts = {"index": "3", "frac_nonzero": 0.25, "maxActApprox": 7, "pos_str": [" cat", "Cat"]}
    api = {**facts, "explanations": [explanation]}
    local = {"index": 3, "label": "cats", "explainer": "gpt-4o-mini", "kind": "oai"}
    local |= {"density": 0.25, "max_activation": 7.0, "top_tokens": ["cat", "Cat"]}
    (label,) = labels(local)
    assert label.pop("explanations") is None
    assert label.pop("top_tokens").tolist() == ["cat", "Cat"]
    assert label == {"index": 3, "label": "cats", "explainer": "gpt-4o-mini", "density": 0.25, "max_activation": 7.0}
    for rows in ([explanation, facts], [facts, explanation, explanation], [api]):
        (same,) = labels(*rows)
        assert same.pop("explanations") is None
        assert same.pop("top_tokens").tolist() == ["cat", "Cat"]
        assert same == label
    assert "embedding" not in parse_row(json.dumps(explanation).encode(), "row")


@pytest.mark.parametrize("index", ["10", -1, "3.5", "", None, "x", [1], 1.5])
def test_impossible_indices_are_refused_with_their_line(index):
    with pytest.raises(UserError, match=r"^batch-0, line 1: .*index"):
        features_of({"index": index, "description": "cats"})


def test_odd_values_do_no_harm():
    odd = {"index": "1", "description": " \n", "frac_nonzero": float("nan"), "maxActApprox": "seven"}
    for more in ({"pos_str": None, "explanations": None}, {"pos_str": "x", "explanations": 5}):
        assert features_of(odd | more).notna().sum(axis=None) == 0
    with pytest.raises(UserError, match="description is list, expected text"):
        features_of({"index": "1", "description": ["cats"]})


def rows_of(content):
    return list(read_rows(io.BufferedReader(io.BytesIO(content)), "batch-7, "))


def test_lines_are_read_compressed_or_not():
    content = b'{"index": "0"}\n\n{"index": "1", "frac_nonzero": NaN, "description": "\\ud800"}\n'
    for variant in (content, gzip.compress(content), content.replace(b"\n", b"\r\n"), content.rstrip()):
        indices = {position: row["index"] for position, row in rows_of(variant)}
        assert indices == {"batch-7, line 1": "0", "batch-7, line 3": "1"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (gzip.compress(b"{}" * 9000, mtime=0)[:-20], "batch-7, damaged gzip"),
        (gzip.compress(b"{}\n", mtime=0) + b"rubbish", "batch-7, damaged gzip"),
        (b'{"index": "0"}\n{"index": ', "batch-7, line 2: not a JSON object"),
        (b"<!DOCTYPE html>", "batch-7, line 1: not a JSON object .*DOCTYPE"),
        (b"[1]\n", "batch-7, line 1: not a JSON object"),
        (b"\xff\xfe\n", "batch-7, line 1: not a JSON object"),
        (gzip.compress(b" " * (2**24 + 1), mtime=0), "batch-7, line 1: longer than 16,777,216 bytes"),
    ],
)
def test_damaged_files_are_named_with_the_line(content, message):
    with pytest.raises(UserError, match=message):
        rows_of(content)


def test_the_preferred_explainer_wins_otherwise_the_choice_is_fixed():
    texts = (("b", "2"), ("a", "9"), ("a", "1"))
    several = [{"index": 1, "label": text, "explainer": explainer} for explainer, text in texts]
    for rows in (several, several[::-1]):
        assert [each["label"] for each in labels(*rows)] == ["1"]
        assert [each["label"] for each in labels(*rows, explainers=["z", "b"])] == ["2"]


def test_all_different_texts_are_kept_the_chosen_one_first():
    texts = (("b", "2"), ("", "2"), ("", "1"), ("a", "3"), ("z", "4"), ("z", "4"))
    rows = [{"index": 1, "label": text, "explainer": explainer} for explainer, text in texts]
    rows += [{"index": 2, "label": "5", "explainer": explainer} for explainer in "ab"]
    for order in (rows, rows[::-1]):
        several, one = labels(*order, explainers=["z"])
        pairs = [(each["label"], each["explainer"]) for each in several["explanations"]]
        assert pairs == [("4", "z"), ("1", None), ("2", None), ("3", "a")]
        assert pairs[0] == (several["label"], several["explainer"])
        assert one["explanations"] is None


@pytest.mark.parametrize("k", [2, 3, 5, 99])
def test_the_highest_densities_are_ranked_first(k):
    densities = features_of(*({"index": i, "density": each} for i, each in enumerate([0.1, None, 0.5, 0.5, 0.0, 0.9])))
    expected = {2: [2, 5], 3: [2, 3, 5], 5: [0, 2, 3, 4, 5], 99: [0, 1, 2, 3, 4, 5]}
    assert ranked(densities, "", 6, {"top_k": k, "rank_by": "density"}) == expected[k]


def test_the_table_has_a_row_for_each_label_and_a_fixed_schema():
    dogs = {"index": "7", "description": "dogs", "explanationModelName": "m", "frac_nonzero": 0.5, "pos_str": ["dog"]}
    features = features_of(dogs, {"index": "2", "description": "cats"}, {"index": "4"})
    table = label_table(features, [7, 4, 2])
    assert table["index"].tolist() == [2, 7]
    assert table["explainer"].isna().tolist() == [True, False]
    assert (table["index"].dtype, table["density"].dtype) == ("int32", "float32")
    for empty in (label_table(features, [4]), label_table(features_of(), [])):
        assert len(empty) == 0
        assert empty.dtypes.equals(table.dtypes)
        assert list(empty) == SCHEMA.names[:-1]
    assert [each["category"] for each in labels({"index": 3, "label": "cats", "category": "animals"})] == ["animals"]


def local_features(*files):
    return feature_table(local_rows(files), 60)


def test_a_file_and_a_folder_of_the_same_rows_are_the_same(tmp_path):
    rows = [json.dumps({"index": str(index), "description": f"label {index}"}) for index in range(50)]
    (tmp_path / "all.jsonl.gz").write_bytes(gzip.compress("\n".join(rows).encode()))
    for number, name in ((0, "explanations"), (1, "explanations-gpt-4o-mini")):
        (tmp_path / "export" / name).mkdir(parents=True)
        (tmp_path / "export" / name / "batch-0.jsonl").write_text("\n".join(rows[number::2]))
        for other in (".batch-1.jsonl", "batch-1.jsonl.part", "batch-1.jsonl~", "more/batch-1.jsonl"):
            (tmp_path / "export" / name / other).parent.mkdir(exist_ok=True)
            (tmp_path / "export" / name / other).write_text("not a label")
    file, folder = (local_features(*label_files(tmp_path / name)) for name in ("all.jsonl.gz", "export"))
    pd.testing.assert_frame_equal(file, folder)


NEURONPEDIA = {plain: name for name, plain in PLAIN_NAMES.items()}


@pytest.mark.parametrize("names", [{}, NEURONPEDIA])
@pytest.mark.parametrize("number", [int, float, str])
@pytest.mark.parametrize("name", ["labels.csv", "labels.csv.gz", "labels.parquet"])
def test_tables_as_pandas_writes_them_say_what_lines_of_json_say(tmp_path, name, number, names):
    rows = [
        {"index": 3, "label": 'cats, "dogs"\n', "explainer": "gpt", "density": 0.25, "max_activation": 7},
        {"index": 1, "label": "null", "category": "NA", "density": 1e-3},
        {"index": 2, "density": 0.5},
        {"index": 3, "label": "12"},
    ]
    (tmp_path / "labels.jsonl").write_text("\n".join(map(json.dumps, rows)))
    table = pd.DataFrame(rows).astype({"index": number}).rename(columns=names)
    table["something else"] = 1
    table.to_parquet(tmp_path / name) if name.endswith("parquet") else table.to_csv(tmp_path / name)
    lines, read = (local_features(tmp_path / each) for each in ("labels.jsonl", name))
    pd.testing.assert_frame_equal(read, lines)


def test_a_table_may_be_indexed_by_feature_and_hold_lists(tmp_path):
    explanations = [{"label": "cats", "explainer": "a"}, {"label": "dogs", "explainer": "b"}]
    rows = [{"index": 4, "label": "cats", "explainer": "a", "top_tokens": ["cat"], "explanations": explanations}]
    pd.DataFrame(rows).set_index("index").to_parquet(tmp_path / "labels.parquet")
    (row,) = local_features(tmp_path / "labels.parquet").reset_index().to_dict("records")
    assert {name: row[name] for name in rows[0]} == rows[0]
    # Of an index that counts from 0, pandas stores no column.
    pd.DataFrame({"label": ["cats", "dogs"]}).rename_axis("index").to_parquet(tmp_path / "labels.parquet")
    assert local_features(tmp_path / "labels.parquet")["label"].to_dict() == {0: "cats", 1: "dogs"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a;b\n1;2\n", "has the columns a;b: expected index and label, as docs/sources.md says"),
        ("index,text\n1,2\n", "has the columns index, text: expected"),
        ("index,label\n1,2\n1,2,3\n", "damaged, or .* in line 3"),
        ("", "damaged, or not what its name says: No columns"),
        ("\udcff,label\n", "damaged, or not what its name says: 'utf-8' codec"),
        ("index,label\n1,cats\n1.5,dogs\n", "row 2: no valid index: '1.5'"),
        ("index,label\n1,cats\n,dogs\n", "row 2: no valid index: None"),
        ("index,label\n60,cats\n", "row 1: index 60 is outside this layer's 60 features"),
    ],
)
def test_tables_that_cannot_be_used_are_named_with_the_row(tmp_path, content, message):
    file = tmp_path / "labels.csv"
    file.write_bytes(content.encode(errors="surrogateescape"))
    with pytest.raises(UserError, match=f"labels.csv(: |, ){message}"):
        local_features(file)


@pytest.mark.parametrize("name", ["labels.csv.gz", "labels.parquet"])
def test_damaged_tables_are_named(tmp_path, name):
    pd.DataFrame({"index": range(9999), "label": "cats"}).to_csv(tmp_path / "whole.csv.gz")
    (tmp_path / name).write_bytes((tmp_path / "whole.csv.gz").read_bytes()[:-100])
    with pytest.raises(UserError, match=f"{name}: damaged, or not what its name says"):
        local_features(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("labels.tsv", r"labels.tsv: neither a .*\.csv, \.csv\.gz or \.parquet file nor an existing folder with"),
        ("labels.jsonl.bak", "labels.jsonl.bak: neither"),
        ("no-such-folder", "no-such-folder: neither"),
        ("", r": neither .*explanations\*/\*.jsonl"),
    ],
)
def test_labels_of_another_kind_are_refused_before_any_job(tmp_path, name, message):
    for other in ("labels.tsv", "labels.jsonl.bak"):
        (tmp_path / other).touch()
    with pytest.raises(UserError, match=message):
        label_files(tmp_path / name)
    # Not for a missing file either: Snakemake names it.
    assert label_files(tmp_path / "labels.jsonl") == [tmp_path / "labels.jsonl"]
