"""layer-N.parquet: all that is known of a layer's features. Row i is feature i, dead features included."""

import numpy as np
import pandas as pd
import pyarrow as pa

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
    "degree": (pa.int32(), "links of the feature in layer-N.json"),
    "neighbors": (pa.list_(pa.int32()), "nearest features in the decoder's space, nearest first"),
    "similarities": (pa.list_(pa.float32()), "their cosine similarities"),
}
SCHEMA = pa.schema({name: kind for name, (kind, _) in COLUMNS.items()})


def layer_table(layer: int, coords, kept, neighbors: dict, edges: dict, labels, decimals: int) -> pd.DataFrame:
    """Join what the steps of a layer know about its features.

    Parameters
    ----------
    coords, kept, neighbors, edges, labels : as in coords.npy, kept.npy, neighbors.npz, edges.npz and labels.parquet
    decimals : decimals of the positions

    Returns
    -------
    n rows with the columns `COLUMNS`. Positions are float64 and rounded, so that layer-N.json can be written from them;
    the file holds them as float32.
    """
    n = len(coords)
    positions = np.round(coords.astype(np.float64), decimals) + 0.0  # + 0.0: no -0.0
    known = neighbors["indices"] >= 0
    frame = pd.DataFrame(
        {
            "layer": layer,
            "index": np.arange(n),
            **dict(zip("xyz", positions.T, strict=True)),
            "kept": kept,
            "degree": degrees(edges["source"], edges["target"], n),
            "neighbors": [row[real] for row, real in zip(neighbors["indices"], known, strict=True)],
            "similarities": [row[real] for row, real in zip(neighbors["similarities"], known, strict=True)],
        }
    )
    return frame.merge(labels, how="left", on="index").reindex(columns=list(COLUMNS))


def plain(column: pd.Series) -> list:
    """A column as JSON values: missing is None, and float32 is rounded to the five digits it can be trusted with."""
    values = column.astype(object).where(column.notna(), None).tolist()
    return [float(f"{value:.5g}") if isinstance(value, float) else value for value in values]
