"""Columns of the published tables: types and contents."""

import pyarrow as pa

# Of layer-N.parquet.
LAYER_COLUMNS = {
    "model": (pa.string(), "name of the language model in SAE Atlas, such as gemma-2-2b"),
    "layer": (pa.int32(), "layer of the language model that the SAE was trained on"),
    "index": (pa.int32(), "number of the feature: its row in the decoder"),
    "x": (pa.float32(), "position in the map, -50 to 50, without a unit; empty for a dead feature"),
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
    "explanations": (
        pa.list_(pa.struct({"label": pa.string(), "explainer": pa.string()})),
        "label and explainer of each of its explanations, the chosen one first; empty if they all have the same text",
    ),
    "density": (pa.float32(), "activation density: share of tokens that activate the feature, 0 to 1"),
    "max_activation": (pa.float32(), "largest activation seen, in the unit of the SAE"),
    "top_tokens": (
        pa.list_(pa.string()),
        "tokens that the feature promotes or responds to most, as its source lists them, strongest first",
    ),
    "region_1": (pa.string(), "id of its region in `metadata.regions` of layer-N.json; empty for a dead feature"),
    "region_2": (pa.string(), "likewise, of the region inside it"),
    "region_3": (pa.string(), "likewise, of the region inside that"),
    "degree": (pa.int32(), "links of the feature in layer-N.json"),
    "neighbors": (pa.list_(pa.int32()), "nearest features in the decoder's space, nearest first"),
    "similarities": (pa.list_(pa.float32()), "their cosine similarities, -1 to 1"),
    "saelens": (pa.string(), "release/id of the SAE in SAELens; empty if it is not there"),
    "neuronpedia": (pa.string(), "address of the feature on Neuronpedia; empty if it is not there"),
}
# Of atlas/layer-N.parquet.
FRAME_COLUMNS = {
    "layer": (pa.int32(), "layer of the language model that the SAE was trained on"),
    "index": (pa.int32(), "number of the feature: its row in the decoder"),
    "x": (pa.float32(), "position in the frame that all layers share, without a unit; empty for a dead feature"),
    "y": (pa.float32(), "likewise"),
    "z": (pa.float32(), "likewise"),
    "kept": (
        pa.float32(),
        "share of its 15 nearest features in the decoder's space that are among its 15 nearest points of its layer in"
        " the frame, 0 to 1; empty for a dead feature and in small layers",
    ),
    "track": (pa.int32(), "number of its track in tracks.parquet; empty for a dead feature"),
    "length": (pa.int32(), "layers that the track spans; 1: the feature is alone"),
    "previous": (pa.int32(), "nearest feature in the layer before; empty in the first layer and for a dead feature"),
    "previous_cosine": (pa.float32(), "their cosine similarity"),
    "previous_mutual": (pa.bool_(), "whether each is the other's nearest"),
    "next": (pa.int32(), "nearest feature in the layer after; empty in the last layer and for a dead feature"),
    "next_cosine": (pa.float32(), "their cosine similarity"),
    "next_mutual": (pa.bool_(), "whether each is the other's nearest"),
}
# Of atlas/tracks.parquet.
TRACK_COLUMNS = {
    "track": (pa.int32(), "number of the track; they are counted from 0 by their first layer and index"),
    "layer": (pa.int32(), "layer of the feature"),
    "index": (pa.int32(), "number of the feature within its layer"),
    "length": (pa.int32(), "features of the track; 1: the feature is alone"),
    "cosine_previous": (pa.float32(), "cosine to the feature before it in the track; empty for the first"),
    "cosine_first": (pa.float32(), "cosine to the first feature of the track; 1 for the first"),
    "label": (pa.string(), "what the feature means, in words; empty if unlabelled"),
}
# Of features.parquet.
FEATURE_COLUMNS = LAYER_COLUMNS | {
    "frame_x": (
        pa.float32(),
        "position in the frame that all layers share, without a unit; empty for a dead feature and without an atlas",
    ),
    "frame_y": (pa.float32(), "likewise"),
    "frame_z": (pa.float32(), "likewise"),
    "track": (pa.int32(), "number of its track in atlas/tracks.parquet; empty for a dead feature and without an atlas"),
}


def schema_of(columns: dict[str, tuple[pa.DataType, str]]) -> pa.Schema:
    """The schema of a table with these columns."""
    return pa.schema({name: kind for name, (kind, _) in columns.items()})


def table_of(columns: dict[str, pa.Array | pa.ChunkedArray], rows: int, schema: pa.Schema) -> pa.Table:
    """A table of these columns, in the order of the schema; those that are missing are null."""
    return pa.table({name: columns.get(name, pa.nulls(rows)) for name in schema.names}, schema)
