"""The maps of a model -> features.parquet: one row a feature, by layer and feature, for tools that read tables."""

from pathlib import Path

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from lib.files import whole_file
from lib.job import job_log

SCHEMA = pa.schema(
    {
        "feature": pa.int32(),
        "layer": pa.int32(),
        "x": pa.float64(),
        "y": pa.float64(),
        "z": pa.float64(),
        "label": pa.string(),
        "explainer": pa.string(),
        "density": pa.float64(),
        "degree": pa.int32(),
    }
)


def layer_table(graph: dict) -> pa.Table:
    """The table of one layer, from the plain values of its layer-N.json: the numbers are the file's own."""
    nodes = graph["nodes"]
    facts = graph["metadata"].get("nodeFacts", {})
    unknown = [None] * len(nodes)
    positions = np.array([node["position"] for node in nodes], dtype=np.float64)
    columns = {
        "feature": [node["featureId"]["index"] for node in nodes],
        "layer": [node["featureId"]["layer"] for node in nodes],
        "x": positions[:, 0],
        "y": positions[:, 1],
        "z": positions[:, 2],
        "label": [node.get("label") for node in nodes],
        "explainer": facts.get("explainer", unknown),
        "density": facts.get("density", unknown),
        "degree": degrees(graph),
    }
    return pa.table([pa.array(columns[field.name], type=field.type) for field in SCHEMA], schema=SCHEMA)


def degrees(graph: dict) -> np.ndarray:
    """How many edges each node has, int (nodes,)."""
    place = {node["id"]: number for number, node in enumerate(graph["nodes"])}
    ends = [place[edge[side]] for edge in graph["edges"] for side in ("source", "target")]
    return np.bincount(np.array(ends, dtype=np.int64), minlength=len(place))


def write_table(graphs: list[Path], target: Path) -> int:
    """Write the layers by their numbers, a row group each and one in memory at a time; returns the number of rows."""
    rows = 0
    with whole_file(target) as aside, pq.ParquetWriter(aside, SCHEMA, compression="zstd") as writer:
        for path in sorted(graphs, key=lambda path: int(path.stem.removeprefix("layer-"))):
            table = layer_table(orjson.loads(path.read_bytes()))
            writer.write_table(table, row_group_size=max(1, len(table)))
            rows += len(table)
    return rows


def main(snakemake) -> None:
    """Read layer by layer, write."""
    with job_log(snakemake) as log:
        graphs = [Path(path) for path in snakemake.input.graphs]
        rows = write_table(graphs, Path(snakemake.output.features))
        log.info("%d features of %d layers", rows, len(graphs))


if __name__ == "__main__":
    main(snakemake)  # noqa: F821
