"""Read the workflow's own tables, with pyarrow or with pandas."""

import os

import pyarrow as pa
import pyarrow.parquet as pq

from lib.files import readable


def load_columns(path: str | os.PathLike, columns: list[str] | None = None) -> pa.Table:
    """Read some columns of a .parquet file, or all, with pyarrow."""
    # Not by read_table, which imports pandas.
    with readable(path), pq.ParquetFile(path) as file:
        return file.read(columns)


def load_table(path: str | os.PathLike):
    """Read a .parquet or tab-separated .tsv file with pandas."""
    # Slow to import.
    import pandas as pd

    with readable(path):
        return pd.read_csv(path, sep="\t") if str(path).endswith(".tsv") else pd.read_parquet(path)
