"""layer-N.parquet: all that is known of a layer's features. Row i is feature i, dead features included."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

COLUMNS = {
    "layer": (pa.int32(), "layer of the language model that the SAE was trained on"),
    "index": (pa.int32(), "number of the feature: its row in the decoder"),
    "x": (pa.float32(), "position in the map, as in layer-N.json; empty for a dead feature"),
    "y": (pa.float32(), "likewise"),
    "z": (pa.float32(), "likewise"),
    "kept": (
        pa.float32(),
        "share of its 15 nearest features in the decoder's space that are among its 15 nearest points in the map, 0 to "
        "1: how far its surroundings can be trusted; empty for a dead feature and in small layers",
    ),
    "label": (pa.string(), "what the feature means, in words; empty if unlabelled"),
    "category": (pa.string(), "category of the label, where its source has any"),
    "explainer": (pa.string(), "model that wrote the label; empty if none did or it is unknown"),
    "density": (pa.float32(), "activation density: share of tokens that activate the feature, 0 to 1"),
    "max_activation": (pa.float32(), "largest activation seen"),
    "top_tokens": (
        pa.list_(pa.string()),
        "tokens that the feature promotes or responds to most, as its source lists them, strongest first",
    ),
    "region_1": (pa.string(), "id of its region in `metadata.regions` of layer-N.json; empty for a dead feature"),
    "region_2": (pa.string(), "likewise, of the region inside it"),
    "region_3": (pa.string(), "likewise, of the region inside that"),
    "degree": (pa.int32(), "links of the feature in layer-N.json"),
    "neighbors": (pa.list_(pa.int32()), "nearest features in the decoder's space, nearest first"),
    "similarities": (pa.list_(pa.float32()), "their cosine similarities"),
}
SCHEMA = pa.schema({name: kind for name, (kind, _) in COLUMNS.items()})
# For pyarrow's writers: smaller tables in half the time, as dictionaries of values that never repeat only cost.
ENCODINGS = {
    "use_dictionary": ["category", "explainer", "top_tokens.list.element", "neighbors.list.element"],
    "use_byte_stream_split": ["similarities.list.element"],
}


def layer_table(
    layer: int, coords, kept, neighbors: dict, edges: dict, labels: pa.Table, regions: dict, decimals: int
) -> pa.Table:
    """Join what the steps of a layer know about its features.

    Parameters
    ----------
    coords, kept, neighbors, edges, labels, regions : as in coords.npy, kept.npy, neighbors.npz, edges.npz,
        labels.parquet and regions.npz
    decimals : decimals of the positions

    Returns
    -------
    n rows with the columns `SCHEMA`.
    """
    n = len(coords)
    index = arrow(np.arange(n), pa.int32())
    # A feature without a label takes the row "null", which is null in all columns.
    labelled = labels.take(pc.index_in(index, labels["index"]))
    # + 0.0: no -0.0
    positions = np.round(coords.astype(np.float64), decimals) + 0.0
    # A dead feature has the region -1: the last.
    ids = texts([*regions["ids"].tolist(), None])
    known = neighbors["indices"] >= 0
    starts = arrow(np.append(0, np.cumsum(known.sum(axis=1))), pa.int32())
    columns = dict(zip(labelled.column_names, labelled.columns, strict=True)) | {
        "layer": arrow(np.full(n, layer), pa.int32()),
        "index": index,
        **{axis: arrow(values, pa.float32()) for axis, values in zip("xyz", positions.T, strict=True)},
        "kept": arrow(kept, pa.float32()),
        **{
            f"region_{level}": ids.take(arrow(own % len(ids), pa.int32()))
            for level, own in enumerate(regions["regions"].T, start=1)
        },
        "degree": arrow(np.bincount(np.concatenate([edges["source"], edges["target"]]), minlength=n), pa.int32()),
        "neighbors": pa.ListArray.from_arrays(starts, arrow(neighbors["indices"][known], pa.int32())),
        "similarities": pa.ListArray.from_arrays(starts, arrow(neighbors["similarities"][known], pa.float32())),
    }
    return pa.table({name: columns.get(name, pa.nulls(n)) for name in SCHEMA.names}, SCHEMA)


def arrow(values: np.ndarray, kind: pa.DataType) -> pa.Array:
    """Numbers as a column, NaN as null. pyarrow.array would import pandas (lib/tables.py)."""
    values = np.ascontiguousarray(values, kind.to_pandas_dtype())
    valid = np.packbits(~np.isnan(values), bitorder="little")
    return pa.Array.from_buffers(kind, len(values), [pa.py_buffer(valid), pa.py_buffer(values)])


def texts(values: list[str | None]) -> pa.Array:
    """Texts as a column, None as null; likewise."""
    builder = pa.lib.StringBuilder()
    builder.append_values(values)
    return builder.finish()
