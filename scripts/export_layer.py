"""Positions, edges, labels and the records of every step -> layer-N.json, which the front end loads."""

import numpy as np
import pyarrow.parquet as pq

from lib.files import load_record, save_bytes
from lib.job import job_log
from lib.products.graph_json import layer_graph, to_bytes


def metadata(about: dict, records: dict[str, dict]) -> dict:
    """The free part of the metadata: what the map is of, how it was made, where all came from, how good it is.

    Parameters
    ----------
    about : `displayName`, `version`, `sourceId`, ... of the layer, as they go into the metadata
    records : by step, the JSON record it left beside its output
    """
    steps = ("neighbors", "layout", "edges")
    return {key: value for key, value in about.items() if value is not None} | {
        "parameters": {step: records[step]["parameters"] for step in steps},
        "provenance": {
            "weights": {key: value for key, value in records["decoder"].items() if key != "dead"},
            "labels": records["labels"],
            "versions": records["layout"]["versions"],
        },
        "quality": records["quality"].get("map", {}),
    }


def read_labels(path: str) -> dict[int, dict]:
    """labels.parquet by feature index."""
    return {row["index"]: row for row in pq.read_table(path).to_pylist()}


def main(snakemake) -> None:
    """Read everything, build the graph, write it."""
    with job_log(snakemake) as log:
        given, about = snakemake.input, snakemake.params.about
        with np.load(given.edges, allow_pickle=False) as file:
            edges = file["source"], file["target"], file["weight"]
        records = {
            "decoder": load_record(given.decoder_record),
            "neighbors": load_record(given.neighbors_record),
            "layout": load_record(given.coords_record),
            "edges": load_record(given.edges_record),
            "labels": load_record(given.labels_record),
            "quality": load_record(given.quality),
        }
        graph = layer_graph(
            snakemake.wildcards.model,
            int(snakemake.wildcards.layer),
            np.load(given.coords, allow_pickle=False),
            edges,
            read_labels(given.labels),
            metadata(about, records),
        )
        save_bytes(snakemake.output.graph, to_bytes(graph))
        counts = graph["metadata"]
        log.info("%(featureCount)d nodes, %(edgeCount)d edges, %(labeledCount)d labels", counts)


if __name__ == "__main__":
    main(snakemake)  # noqa: F821
