"""layer-N.parquet: all that is known of a layer's features. Row i is feature i, dead features included."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lib.products.columns import LAYER_COLUMNS, schema_of, table_of
from lib.tables import arrow, texts

SCHEMA = schema_of(LAYER_COLUMNS)
# For pyarrow's writers: smaller tables in half the time, as dictionaries of values that never repeat only cost.
ENCODINGS = {
    "use_dictionary": [
        "model",
        "saelens",
        "category",
        "explainer",
        "explanations.list.element.explainer",
        "top_tokens.list.element",
        "neighbors.list.element",
    ],
    # Addresses that differ in the feature's number take 4 kB.
    "column_encoding": {"similarities.list.element": "BYTE_STREAM_SPLIT", "neuronpedia": "DELTA_BYTE_ARRAY"},
}


def layer_table(
    layer: int,
    coords,
    kept,
    neighbors: dict,
    edges: dict,
    labels: pa.Table,
    regions: dict,
    decimals: int,
    model: str | None = None,
    saelens: dict | None = None,
    neuronpedia: dict | None = None,
) -> pa.Table:
    """Join what the steps of a layer know about its features.

    Parameters
    ----------
    coords, kept, neighbors, edges, labels, regions : as in coords.npy, kept.npy, neighbors.npz, edges.npz,
        labels.parquet and regions.npz
    decimals : decimals of the positions
    model, saelens, neuronpedia : name of the model; the SAE's addresses, as in layer-N.json's metadata

    Returns
    -------
    n rows with the columns `SCHEMA`.
    """
    n = len(coords)
    located = positions(layer, coords, kept, decimals)
    # A feature without a label takes the row "null", which is null in all columns.
    labelled = labels.take(pc.index_in(located["index"], labels["index"]))
    columns = dict(zip(labelled.column_names, labelled.columns, strict=True)) | located
    # A dead feature has the region -1: the last.
    ids = texts([*regions["ids"].tolist(), None])
    for level, own in enumerate(regions["regions"].T, start=1):
        columns[f"region_{level}"] = ids.take(arrow(own % len(ids), pa.int32()))
    degree = np.bincount(np.concatenate([edges["source"], edges["target"]]), minlength=n)
    columns["degree"] = arrow(degree, pa.int32())
    known = neighbors["indices"] >= 0
    starts = arrow(np.append(0, np.cumsum(known.sum(axis=1))), pa.int32())
    columns["neighbors"] = pa.ListArray.from_arrays(starts, arrow(neighbors["indices"][known], pa.int32()))
    columns["similarities"] = pa.ListArray.from_arrays(starts, arrow(neighbors["similarities"][known], pa.float32()))
    columns["model"] = texts([model] * n)
    if saelens:
        columns["saelens"] = texts([f"{saelens['release']}/{saelens['id']}"] * n)
    if neuronpedia:
        columns["neuronpedia"] = texts([f"{neuronpedia['url']}/{index}" for index in range(n)])
    return table_of(columns, n, SCHEMA)


def positions(layer: int, coords: np.ndarray, kept: np.ndarray, decimals: int) -> dict[str, pa.Array]:
    """The columns that say where the features of a layer lie, and how much of their surroundings is kept there."""
    # + 0.0: no -0.0
    rounded = np.round(coords.astype(np.float64), decimals) + 0.0
    columns = {"layer": np.full(len(coords), layer), "index": np.arange(len(coords))}
    columns |= dict(zip("xyz", rounded.T, strict=True)) | {"kept": kept}
    return {name: arrow(values, LAYER_COLUMNS[name][0]) for name, values in columns.items()}
