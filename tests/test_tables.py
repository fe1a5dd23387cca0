"""The tables of features: what names a feature elsewhere, and all layers in one file."""

import numpy as np
import pandas as pd
import pyarrow as pa

from export_layer import write_table
from lib.labels.explanations import SCHEMA as LABELS
from lib.products.layer_table import layer_table
from tabulate_features import concatenate

SAELENS = {"release": "gemma-scope-2b-pt-res-canonical", "id": "layer_12/width_16k/canonical"}
NEURONPEDIA = {"url": "https://www.neuronpedia.org/gemma-2-2b/12-gemmascope-res-16k"}


def table(n: int, **names) -> pa.Table:
    """The table of a layer of n features without links, of which the second has two explanations."""
    several = [{"label": "b", "explainer": None}, {"label": "c", "explainer": "gpt"}]
    labels = pa.Table.from_pylist([{"index": 1, "label": "b", "explanations": several}], LABELS)
    links = {"source": np.empty(0, int), "target": np.empty(0, int)}
    neighbors = {"indices": np.full((n, 1), -1), "similarities": np.zeros((n, 1))}
    regions = {"ids": np.empty(0, str), "regions": np.full((n, 3), -1)}
    return layer_table(12, np.ones((n, 3)), np.ones(n), neighbors, links, labels, regions, 4, **names)


def test_a_feature_has_its_model_and_addresses_in_the_table_of_its_layer_and_of_all(tmp_path):
    write_table(table(3, model="m", saelens=SAELENS, neuronpedia=NEURONPEDIA), [], tmp_path / "known.parquet")
    write_table(table(3, model="m"), [], tmp_path / "unknown.parquet")
    tables = [tmp_path / "known.parquet", tmp_path / "unknown.parquet"]
    assert concatenate(tables, [], tmp_path / "features.parquet") == 6
    features = pd.read_parquet(tmp_path / "features.parquet")
    assert features["model"].tolist() == ["m"] * 6
    assert features["saelens"].dropna().tolist() == ["/".join(SAELENS.values())] * 3
    assert features["neuronpedia"].dropna().tolist() == [f"{NEURONPEDIA['url']}/{index}" for index in range(3)]
    assert [each["label"] for each in features["explanations"][4]] == ["b", "c"]
    assert features["explanations"].isna().sum() == 4
    assert features[["frame_x", "frame_y", "frame_z", "track"]].isna().all(axis=None)


def test_the_addresses_of_a_layer_take_some_kilobytes(tmp_path):
    sizes = []
    for names in ({}, {"model": "gemma-2-2b", "saelens": SAELENS, "neuronpedia": NEURONPEDIA}):
        write_table(table(16384, **names), [], tmp_path / "layer.parquet")
        sizes.append((tmp_path / "layer.parquet").stat().st_size)
    assert sizes[1] - sizes[0] < 6000
