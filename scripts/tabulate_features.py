"""layer-N.parquet of every layer, and of an atlas atlas/layer-N.parquet -> features.parquet: all features of a model.

By layer and index. A row group per layer, and one layer in memory at a time.
"""

import itertools
from pathlib import Path

import pyarrow.parquet as pq

from lib.files import whole_file
from lib.job import job_log
from lib.products.columns import FEATURE_COLUMNS, schema_of, table_of
from lib.products.layer_table import ENCODINGS
from lib.tables import load_columns

SCHEMA = schema_of(FEATURE_COLUMNS)
# By column of atlas/layer-N.parquet, its name here.
FROM_FRAME = {"x": "frame_x", "y": "frame_y", "z": "frame_z", "track": "track"}


def concatenate(tables: list[str], frames: list[str], target: Path) -> int:
    """Write the layers' tables, in the order of `tables`, one after another; returns the number of rows.

    frames : the tables of the same layers in the frame, or none
    """
    rows = 0
    with whole_file(target) as aside, pq.ParquetWriter(aside, SCHEMA, compression="zstd", **ENCODINGS) as writer:
        for path, frame in itertools.zip_longest(tables, frames):
            table = load_columns(path)
            columns = dict(zip(table.column_names, table.columns, strict=True))
            if frame:
                located = load_columns(frame, [*FROM_FRAME])
                columns |= {name: located[column] for column, name in FROM_FRAME.items()}
            writer.write_table(table_of(columns, len(table), SCHEMA), row_group_size=len(table))
            rows += len(table)
    return rows


if __name__ == "__main__":
    with job_log(snakemake) as log:
        tables, frames = snakemake.input.tables, snakemake.input.frames
        rows = concatenate(tables, frames, Path(snakemake.output.features))
        log.info("%d features of %d layers", rows, len(tables))
