"""layer-N.parquet: all that is known of a layer's features. Row i is feature i, dead features included."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lib.geometry.degrees import degrees

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
    index = pa.array(np.arange(n, dtype=np.int32))
    # A feature without a label takes the row "null", which is null in all columns.
    labelled = labels.take(pc.index_in(index, labels["index"]))
    # + 0.0: no -0.0
    positions = np.round(coords.astype(np.float64), decimals) + 0.0
    known = neighbors["indices"] >= 0
    starts = np.append(0, np.cumsum(known.sum(axis=1))).astype(np.int32)
    columns = dict(zip(labelled.column_names, labelled.columns, strict=True)) | {
        "layer": pa.repeat(layer, n),
        "index": index,
        # from_pandas: NaN becomes null.
        **{axis: pa.array(values, from_pandas=True) for axis, values in zip("xyz", positions.T, strict=True)},
        "kept": pa.array(kept, from_pandas=True),
        **{
            f"region_{level}": pa.array(regions["ids"], pa.string()).take(pa.array(own, mask=own < 0))
            for level, own in enumerate(regions["regions"].T, start=1)
        },
        "degree": degrees(edges["source"], edges["target"], n),
        "neighbors": pa.ListArray.from_arrays(starts, neighbors["indices"][known]),
        "similarities": pa.ListArray.from_arrays(starts, neighbors["similarities"][known]),
    }
    return pa.table({name: columns.get(name, pa.nulls(n)) for name in SCHEMA.names}, SCHEMA)


def plain(column) -> list:
    """A column of a pandas table as Python values, None where one is missing."""
    return column.astype(object).where(column.notna(), None).tolist()
