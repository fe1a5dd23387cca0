"""layer-N.parquet of every layer -> features.parquet: all features of a model, by layer and index.

A row group per layer, and one layer in memory at a time.
"""

from pathlib import Path

import pyarrow.parquet as pq

from lib.files import whole_file
from lib.job import job_log
from lib.products.layer_table import ENCODINGS, SCHEMA
from lib.tables import load_columns


def concatenate(tables: list[Path], target: Path) -> int:
    """Write the layers' tables, in the order of `tables`, one after another; returns the number of rows."""
    rows = 0
    with whole_file(target) as aside, pq.ParquetWriter(aside, SCHEMA, compression="zstd", **ENCODINGS) as writer:
        for path in tables:
            table = load_columns(path).cast(SCHEMA)
            writer.write_table(table, row_group_size=max(1, len(table)))
            rows += len(table)
    return rows


if __name__ == "__main__":
    with job_log(snakemake) as log:
        tables = [Path(path) for path in snakemake.input.tables]
        rows = concatenate(tables, Path(snakemake.output.features))
        log.info("%d features of %d layers", rows, len(tables))
