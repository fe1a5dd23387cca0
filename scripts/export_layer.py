"""Everything known of a layer -> layer-N.json, which the front end loads, its gzip twin, and layer-N.parquet.

export.json records what the manifest says of the layer. Compression leaves no time stamp: same map, same bytes.
"""

from pathlib import Path

import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from zlib_ng import gzip_ng

from lib.files import load_npy, load_npz, load_record, save_bytes, save_record, whole_file
from lib.job import job_log
from lib.products.graph_json import layer_graph
from lib.products.layer_table import ENCODINGS, layer_table
from lib.tables import load_columns


def metadata(about: dict, records: dict[str, dict], quality: dict) -> dict:
    """The free part of the metadata: what the map shows, how it was made and from what, how much it keeps, its regions.

    `about` goes into it unchanged; `records` holds the JSON record that each step left beside its output.
    """
    steps = {"neighbors": "neighbors", "layout": "coords", "edges": "edges", "regions": "regions"}
    return {key: value for key, value in about.items() if value is not None} | {
        "parameters": {name: records[step]["parameters"] for name, step in steps.items()},
        "provenance": {
            "weights": {key: value for key, value in records["decoder"].items() if key not in ("dead", "notFinite")},
            "labels": {key: value for key, value in records["labels"].items() if key != "neverActive"},
            "versions": records["coords"]["versions"],
        },
        "quality": quality["map"],
        "regions": records["regions"]["regions"],
    }


def manifest_entry(metadata: dict, features: pa.Table, labels: dict) -> dict:
    """What the manifest says of the layer, from layer-N.json's metadata, the layer's table and labels.json; no files.

    `labelCoverage` is the labelled share of the requested features, dead ones and those that never fire aside.
    """
    counts = ("featureCount", "edgeCount", "labeledCount", "deadCount")
    entry = {"layer": metadata["layers"][0], "sourceId": metadata.get("sourceId")}
    entry["neuronpediaUrl"] = metadata.get("neuronpedia", {}).get("url")
    entry["saelensId"] = metadata.get("saelens", {}).get("id")
    entry |= {key: metadata[key] for key in counts} | {"edges": metadata["parameters"]["edges"]}
    if requested := labels.get("requested"):
        silent = set(labels["neverActive"])
        if requested == len(features):
            unlabelled = features.filter(pc.and_(features["x"].is_null(), features["label"].is_null()))
            silent.update(unlabelled["index"].to_pylist())
        entry["neverActive"] = len(silent)
        entry["labelCoverage"] = round(labels["labelled"] / max(1, requested - entry["neverActive"]), 4)
    return {key: value for key, value in entry.items() if value is not None}


def write_table(features: pa.Table, regions: list[dict], path: Path) -> None:
    """Write the layer's table; the file's metadata say of each region what no column does."""
    about = [{key: region[key] for key in ("id", "name", "representative") if key in region} for region in regions]
    with pq.ParquetWriter(path, features.schema, **ENCODINGS) as writer:
        writer.write_table(features)
        # Not in the schema, which would be stored twice.
        writer.add_key_value_metadata({"regions": orjson.dumps(about)})


if __name__ == "__main__":
    with job_log(snakemake) as log:
        files, output, decimals = snakemake.input, snakemake.output, snakemake.params.decimals
        layer, coords, labels = int(snakemake.wildcards.layer), load_npy(files.coords), load_columns(files.labels)
        edges, neighbors, regions = load_npz(files.edges), load_npz(files.neighbors), load_npz(files.regions)
        about, model = snakemake.params.about, snakemake.wildcards.model
        names = {"model": model, "saelens": about["saelens"], "neuronpedia": about["neuronpedia"]}
        kept = load_npy(files.kept)
        features = layer_table(layer, coords, kept, neighbors, edges, labels, regions, decimals, **names)
        records = {Path(path).stem: load_record(path) for path in files.records}
        graph = layer_graph(model, features, edges, metadata(about, records, load_record(files.quality)), decimals)
        text = orjson.dumps(graph)
        save_bytes(output.graph, text)
        if output.gzip:
            # As small as zlib's level 9.
            save_bytes(output.gzip, gzip_ng.compress(text, compresslevel=8, mtime=0))
        with whole_file(output.table) as aside:
            write_table(features, records["regions"]["regions"], aside)
        entry = manifest_entry(graph["metadata"], features, records["labels"])
        save_record(output.record, entry | {"fileSize": len(text)})
        log.info("%(featureCount)d nodes, %(edgeCount)d edges, %(labeledCount)d labels", graph["metadata"])
