"""The demo, on real SAEs: six layers that keep the contract, with edges confirmed by brute force."""

import hashlib
import json
import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from conftest import ROOT, demo_rows
from contract import check_graph
from describe_maps import nearest_labels

LAYERS = range(6)


@pytest.fixture(scope="module")
def graphs(demo_run) -> dict[int, dict]:
    files = demo_run.files()
    return {layer: check_graph(files[f"minilm-l6/layer-{layer}.json"], "minilm-l6", layer) for layer in LAYERS}


def cosines(layer: int) -> np.ndarray:
    """All cosines of a bundled decoder's rows in float64, with -2 on the diagonal."""
    with np.load(ROOT / "resources" / "demo" / f"layer_{layer}" / "params.npz") as file:
        rows = file["W_dec"].astype(np.float64)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    products = rows @ rows.T
    np.fill_diagonal(products, -2)
    return products


def index(node_id: str) -> int:
    return int(node_id.rpartition(":")[2])


@pytest.mark.parametrize("layer", LAYERS)
def test_layers_keep_the_contract(graphs, layer):
    metadata = graphs[layer]["metadata"]
    assert metadata["featureCount"] == metadata["labeledCount"] == 2048
    assert metadata["deadCount"] == 0
    assert metadata["sourceId"] == f"{layer}-demo-res-2k"
    assert "neuronpedia" not in metadata
    extent = max(abs(value) for side in metadata["bounds"].values() for value in side)
    assert extent == pytest.approx(50, abs=1e-3)


@pytest.mark.parametrize("layer", LAYERS)
def test_edges_equal_a_brute_force_recomputation(graphs, layer):
    products = cosines(layer)
    nearest = np.argsort(-products, axis=1, kind="stable")[:, :25]
    expected = {
        (min(row, other), max(row, other))
        for row in range(len(products))
        for other in nearest[row].tolist()
        if products[row, other] >= 0.25
    }
    weights = {(index(edge["source"]), index(edge["target"])): edge["weight"] for edge in graphs[layer]["edges"]}
    assert weights.keys() == expected
    for (a, b), weight in weights.items():
        assert weight == pytest.approx(products[a, b], abs=1e-4)


def test_labels_are_those_of_their_features(graphs):
    for layer, graph in graphs.items():
        rows = demo_rows(ROOT / "resources" / "demo" / f"layer_{layer}", "explanations", 2048)
        described = {int(row["index"]): " ".join(row["description"].split()) for row in rows}
        assert {node["featureId"]["index"]: node["label"] for node in graph["nodes"]} == described


def test_metadata_carries_the_parameters_used_and_the_origin(graphs):
    metadata = graphs[3]["metadata"]
    assert metadata["parameters"]["edges"] == {"k": 25, "threshold": 0.25}
    assert metadata["parameters"]["layout"]["seed"] == 42
    assert metadata["provenance"]["weights"]["weights"] == "layer_3/params.npz"
    assert metadata["parameters"]["layout"]["method"] == "neighbor_embedding"
    assert "numba" in metadata["provenance"]["versions"]
    assert str(ROOT) not in json.dumps(metadata)


def test_manifest_lists_the_layers_with_their_sizes_and_hashes(demo_run, graphs):
    files = demo_run.files()
    manifest = json.loads(files["minilm-l6/manifest.json"])
    assert [entry["layer"] for entry in manifest["layers"]] == list(LAYERS)
    assert (manifest["totalLayers"], manifest["featuresPerLayer"]) == (6, 2048)
    for entry in manifest["layers"]:
        for part in (entry, entry["gzip"], entry["table"]):
            content = files[f"minilm-l6/{part['filePath']}"]
            assert (len(content), hashlib.sha256(content).hexdigest()) == (part["fileSize"], part["sha256"])
        assert re.fullmatch(r"layer-(0|[1-9]\d*)\.json", entry["filePath"])
        assert entry["edgeCount"] == graphs[entry["layer"]]["metadata"]["edgeCount"]


def test_the_tables_agree_with_the_maps(demo_run, graphs):
    folder = demo_run.folder / "results" / "minilm-l6"
    quality = pd.read_csv(folder / "quality.tsv", sep="\t").set_index("layer")
    together = pd.read_parquet(folder / "features.parquet")
    assert len(together) == 6 * 2048
    for layer, graph in graphs.items():
        assert quality.features[layer] == 2048
        assert graph["metadata"]["quality"]["kept_15"] == quality.kept_15[layer]
        features = pd.read_parquet(folder / f"layer-{layer}.parquet")
        rows = together[together.layer == layer].reset_index(drop=True)
        pd.testing.assert_frame_equal(features, rows[features.columns])
        frame = pd.read_parquet(folder / "atlas" / f"layer-{layer}.parquet")[["x", "y", "z", "track"]]
        assert rows[["frame_x", "frame_y", "frame_z", "track"]].to_numpy().tolist() == frame.to_numpy().tolist()
        positions = features[["x", "y", "z"]].to_numpy()
        assert np.allclose(positions, [node["position"] for node in graph["nodes"]], atol=1e-5)
        assert features["label"].tolist() == [node["label"] for node in graph["nodes"]]
        assert features["degree"].sum() == 2 * len(graph["edges"])
    assert not list(folder.rglob(".*.part"))


def test_regions_are_the_same_in_map_table_and_frame(demo_run, graphs):
    folder = demo_run.folder / "results" / "minilm-l6"
    for layer, graph in graphs.items():
        features = pd.read_parquet(folder / f"layer-{layer}.parquet")
        frame = json.loads((folder / "atlas" / f"layer-{layer}.json").read_bytes())
        assert sum(region["size"] for region in graph["metadata"]["regions"]) == 3 * 2048
        for each in (graph, frame):
            positions = np.array([node["position"] for node in each["nodes"]])
            for region in each["metadata"]["regions"]:
                members = features[f"region_{region['level']}"] == region["id"]
                assert members.sum() == region["size"]
                assert members[region["representative"]]
                assert region["center"] == pytest.approx(positions[members].mean(axis=0), abs=1e-3)
        largest = {region["id"]: region.get("name") for region in graph["metadata"]["regions"]}
        names = features["region_1"].map(largest).fillna(features["region_2"].map(largest))
        names = names.fillna(features["region_3"].map(largest))
        notes = json.loads(pq.read_metadata(folder / f"layer-{layer}.parquet").metadata[b"regions"])
        assert {note["id"]: note.get("name") for note in notes} == largest
        assert graph["metadata"]["nodeFacts"]["region"] == features["region_3"].tolist()
        assert names.astype(object).where(names.notna(), None).tolist() == [
            node.get("category") for node in graph["nodes"]
        ]


def test_nearby_features_have_related_labels(demo_run):
    """Labels of near features share words at least twice as often as by chance, though the layout uses no labels."""
    quality = pd.read_csv(demo_run.folder / "results/minilm-l6/quality.tsv", sep="\t")
    assert quality.label_agreement.min() > 2


def test_the_summary_lists_the_maps(demo_run):
    command = [sys.executable, "scripts/describe_maps.py", "results/minilm-l6/manifest.json"]
    done = subprocess.run(command, cwd=demo_run.folder, capture_output=True, text=True, check=True)
    assert "all-MiniLM-L6-v2: 6 of 6 layers in results/minilm-l6/" in done.stdout
    assert "layer-5.json" in done.stdout


def test_a_word_is_looked_up_in_the_labels():
    labels = ["hospitals", "references to doctors", "doctor, doctors", None, "far"]
    features = pd.DataFrame({"x": [0, 1, 2, 3, 9], "y": 0, "z": 0, "label": labels})
    assert nearest_labels(features, "Doctor", 2) == ["doctor, doctors", "references to doctors", "hospitals"]
    assert nearest_labels(features, "ref", 1) == ["references to doctors", "hospitals"]
    assert nearest_labels(features, "to doc", 0) == ["references to doctors"]
    assert nearest_labels(features, "nurse") == []
