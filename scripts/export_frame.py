"""A layer's map, moved into the frame of its model -> atlas/layer-N.json and atlas/layer-N.parquet.

The JSON file is layer-N.json with the frame's positions, and its regions where they lie there. The table says where
each feature lies in the frame, which track it is on, and which features of the adjacent layers are nearest.
"""

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from lib.files import load_npy, load_npz, load_record, save_bytes, whole_file
from lib.geometry.extent import members_of, outline
from lib.geometry.matches import mutual
from lib.job import job_log
from lib.products.columns import FRAME_COLUMNS, schema_of, table_of
from lib.products.graph_json import move, plain
from lib.products.layer_table import positions
from lib.tables import arrow, load_columns, numbers

SCHEMA = schema_of(FRAME_COLUMNS)


def frame_table(layer: int, coords, kept, tracks: pa.Table, before, after, decimals: int) -> pa.Table:
    """Join what the atlas knows of a layer's features: row i is feature i, dead ones included; columns `SCHEMA`.

    coords : float32 (n, 3), in the frame; kept : float32 (n,); tracks : as in tracks.parquet;
    before, after : as in matches-{next}.npz, with the layer before and with the one after; None where there is none
    """
    n = len(coords)
    columns = positions(layer, coords, kept, decimals)
    own = tracks.take(arrow(np.flatnonzero(numbers(tracks["layer"]) == layer), pa.int32()))
    # A dead feature takes the row "null", which is null in all columns.
    own = own.take(pc.index_in(columns["index"], own["index"]))
    columns |= {name: own[name] for name in ("track", "length")}
    for name, matches, direction, side in (("previous", before, "backward", 1), ("next", after, "forward", 0)):
        if matches is None:
            continue
        both = np.zeros(n, bool)
        both[mutual(matches)[side]] = True
        of_match = {"": matches[direction], "_cosine": matches[f"{direction}_cosine"], "_mutual": both}
        for suffix, values in of_match.items():
            columns[name + suffix] = arrow(values, SCHEMA.field(name + suffix).type, matches[direction] < 0)
    return table_of(columns, n, SCHEMA)


def moved(graph: dict, features: pa.Table, measures: dict, layout: dict, decimals: int) -> dict:
    """A layer's graph at the positions of `features`, a table as `frame_table` returns it; the graph is changed.

    measures : of the frame, as in the atlas's quality.json; layout : parameters of the frame
    """
    live = features.filter(pc.is_valid(features["x"]))
    metadata = graph["metadata"]
    metadata["bounds"] = move(graph["nodes"], live, decimals)
    metadata["parameters"]["layout"] = layout
    metadata["quality"] = {name: value for name, value in measures.items() if value is not None}
    if live["kept"].null_count < len(live):
        metadata.setdefault("nodeFacts", {})["kept"] = plain(live["kept"])
    return graph


if __name__ == "__main__":
    with job_log(snakemake) as log:
        files, output, decimals = snakemake.input, snakemake.output, snakemake.params.decimals
        layer = int(snakemake.wildcards.layer)
        before, after = (load_npz(*paths) if paths else None for paths in (files.before, files.after))
        kept = load_npz(files.kept)[f"layer_{layer}"]
        coords, regions = load_npy(files.coords), load_npz(files.regions)["regions"]
        features = frame_table(layer, coords, kept, load_columns(files.tracks), before, after, decimals)
        measures = next(entry["frame"] for entry in load_record(files.quality)["layers"] if entry["layer"] == layer)
        layout = load_record(files.frame_record)["parameters"]
        graph = moved(load_record(files.graph), features, measures, layout, decimals)
        for region, members in zip(graph["metadata"]["regions"], members_of(regions), strict=True):
            region |= outline(coords[members], decimals)
        save_bytes(output.graph, orjson.dumps(graph))
        with whole_file(output.table) as aside:
            pq.write_table(features, aside)
        log.info("%d nodes", len(graph["nodes"]))
