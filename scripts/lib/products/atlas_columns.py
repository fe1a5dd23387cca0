"""Columns of the atlas's tables, atlas/layer-N.parquet and atlas/tracks.parquet: types and contents."""

import pyarrow as pa

FRAME_COLUMNS = {
    "layer": (pa.int32(), "layer of the language model that the SAE was trained on"),
    "index": (pa.int32(), "number of the feature: its row in the decoder"),
    "x": (pa.float32(), "position in the frame that all layers share; empty for a dead feature"),
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

TRACK_COLUMNS = {
    "track": (pa.int32(), "number of the track; they are counted from 0 by their first layer and index"),
    "layer": (pa.int32(), "layer of the feature"),
    "index": (pa.int32(), "number of the feature within its layer"),
    "length": (pa.int32(), "features of the track; 1: the feature is alone"),
    "cosine_previous": (pa.float32(), "cosine to the feature before it in the track; empty for the first"),
    "cosine_first": (pa.float32(), "cosine to the first feature of the track; 1 for the first"),
    "label": (pa.string(), "what the feature means, in words; empty if unlabelled"),
}
