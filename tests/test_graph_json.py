"""layer-N.json under hostile input: the contract holds whatever labels, positions and weights come."""

import os
import subprocess
import sys

import numpy as np
import orjson
import pyarrow as pa
import pytest

from conftest import ROOT
from contract import check_graph
from lib.labels.explanations import SCHEMA as LABELS
from lib.products.graph_json import layer_graph
from lib.products.layer_table import layer_table

HOSTILE = {
    0: 'quotes " and \\ backslash',
    1: "</script><img src=x onerror=alert(1)>",
    2: "control \u0000\u0007\u001b[31m characters\u2028and separators",
    3: "long " * 20_000,
    4: "日本語 العربية עברית हिन्दी \u202eright to left",
    5: "🧠 \U0001f9e0 e\u0301",
    6: "",
    7: None,
}


def graph(coords, edges=((), (), ()), labels=None, regions=(), **metadata):
    coords = np.array(coords, np.float32)
    links = dict(zip(("source", "target", "weight"), map(np.array, edges), strict=True))
    links = {name: values.astype(np.float32 if name == "weight" else np.int32) for name, values in links.items()}
    neighbors = {"indices": np.empty((len(coords), 0), np.int32), "similarities": np.empty((len(coords), 0))}
    rows = [{"index": index} | known for index, known in (labels or {}).items()]
    kept = np.full(len(coords), np.nan)
    # Regions of one feature each, at the levels that they have.
    membership = np.full((len(coords), 3), -1)
    for number, region in enumerate(regions):
        membership[region["representative"], region["level"] - 1] = number
    regions_file = {"ids": np.array([region["id"] for region in regions], str), "regions": membership}
    features = layer_table(3, coords, kept, neighbors, links, pa.Table.from_pylist(rows, LABELS), regions_file, 4)
    about = {"version": "1", "parameters": {}, "provenance": {}, "regions": list(regions)}
    return layer_graph("m", features, links, about | metadata, 4)


def written(*arguments, **options) -> bytes:
    return orjson.dumps(graph(*arguments, **options))


def test_hostile_labels_keep_the_contract():
    labels = {index: {"label": text} for index, text in HOSTILE.items()}
    read = check_graph(written(np.eye(8, 3), labels=labels), "m", 3)
    for node in read["nodes"]:
        text = HOSTILE[node["featureId"]["index"]]
        assert node.get("label") == (text or None)
        assert ("label" in node) == bool(text)


def test_dead_features_have_no_node_and_are_counted():
    coords = [[1, 2, 3], [np.nan] * 3, [4, 5, 6]]
    read = check_graph(written(coords, ([0], [2], [0.5])), "m", 3)
    assert [node["featureId"]["index"] for node in read["nodes"]] == [0, 2]
    assert read["metadata"]["deadCount"] == 1


def region(code: str, level: int, representative: int, **more) -> dict:
    """An entry of metadata.regions."""
    about = {"id": code, "level": level, "size": 1, "center": [0, 0, 0], "radius": 0, "representative": representative}
    return about | more


def test_a_node_takes_the_name_of_its_largest_named_region_for_a_category():
    regions = [
        region("r1", 1, 0, name="law", words=["law"]),
        region("r2", 1, 1),
        region("r1.1", 2, 0, parent="r1", name="court"),
        region("r2.1", 2, 1, parent="r2", name="music"),
    ]
    read = check_graph(written(np.eye(3), regions=regions), "m", 3)
    assert [node.get("category") for node in read["nodes"]] == ["law", "music", None]
    labels = {2: {"label": "a", "category": "its own"}}
    read = check_graph(written(np.eye(3), labels=labels, regions=regions), "m", 3)
    assert [node.get("category") for node in read["nodes"]] == [None, None, "its own"]


def test_bounds_hold_of_the_positions_as_written():
    read = check_graph(written([[0.00005, -1e-9, 1.23456789], [-49.99999, 50, 0.33333333]]), "m", 3)
    assert read["metadata"]["bounds"]["min"] == [-50.0, 0.0, 0.3333]
    assert b"-0.0," not in written([[-1e-9, 0, 0]])


def test_weights_are_clipped_to_the_contract():
    read = check_graph(written(np.eye(3), ([0, 1], [1, 2], [1.0000001, 0.25004])), "m", 3)
    assert [edge["weight"] for edge in read["edges"]] == [1.0, 0.25]


def test_facts_stand_in_the_order_of_the_nodes():
    labels = {
        0: {"label": "a", "explainer": None, "density": np.float32(0.1).item()},
        2: {"label": "c", "explainer": "gpt", "density": None, "category": "kind"},
    }
    read = check_graph(written([[0, 0, 0], [np.nan] * 3, [1, 1, 1]], labels=labels), "m", 3)
    assert read["metadata"]["nodeFacts"] == {"explainer": [None, "gpt"], "density": [0.1, None]}
    assert read["nodes"][1]["category"] == "kind"


@pytest.mark.parametrize(
    ("coords", "edges", "told"),
    [
        ([[np.inf, 0, 0]], ((), (), ()), "not finite"),
        ([[0, 0, 0], [np.nan] * 3], ([0], [1], [0.5]), "ends in a dead feature"),
    ],
)
def test_what_cannot_be_a_map_is_refused(coords, edges, told):
    with pytest.raises(ValueError, match=told):
        graph(coords, edges)


def test_the_join_imports_no_pandas():
    # Its import takes as long as a whole export.
    program = """
import sys
import export_layer
import numpy as np
import pyarrow as pa
from lib.tables import arrow

ends, one = np.array([0]), np.zeros((2, 3), np.int32)
edges = {"source": ends, "target": ends + 1, "weight": np.array([0.5], np.float32)}
labels = pa.table({"index": arrow(ends, pa.int32())})
neighbors = {"indices": one, "similarities": one.astype(np.float32)}
regions = {"ids": np.array(["r1"]), "regions": one}
features = export_layer.layer_table(0, np.eye(2, 3), np.ones(2), neighbors, edges, labels, regions, 4)
export_layer.layer_graph("m", features, edges, {"regions": [{"id": "r1", "name": "all"}]}, 4)
sys.exit("pandas" in sys.modules)
"""
    subprocess.run([sys.executable, "-c", program], env=os.environ | {"PYTHONPATH": str(ROOT / "scripts")}, check=True)
