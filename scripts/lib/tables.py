"""Read the workflow's own tables, with pyarrow or with pandas.

pyarrow imports pandas, in as much time as a layer's export takes, in read_table, in array and scalar, and where NumPy
makes an array of a column.
"""

import os

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lib.files import readable


def load_columns(path: str | os.PathLike, columns: list[str] | None = None) -> pa.Table:
    """Read some columns of a .parquet file, or all, with pyarrow."""
    with readable(path), pq.ParquetFile(path) as file:
        return file.read(columns)


def by_feature(labels: pa.Table, name: str, n: int) -> list:
    """A column of labels.parquet for each of a layer's n features; None where a feature has no row."""
    known = dict(zip(labels["index"].to_pylist(), labels[name].to_pylist(), strict=True))
    return [known.get(feature) for feature in range(n)]


def numbers(column: pa.ChunkedArray) -> np.ndarray:
    """The numbers of a column without nulls."""
    return np.from_dlpack(column.combine_chunks())


def arrow(values: np.ndarray, kind: pa.DataType, missing: np.ndarray | None = None) -> pa.Array:
    """Numbers or truth values as a column; null where they are `missing`, bool (n,), or else NaN."""
    values = np.ascontiguousarray(values, kind.to_pandas_dtype())
    valid = ~(np.isnan(values) if missing is None else missing)
    content = np.packbits(values, bitorder="little") if values.dtype == bool else values
    buffers = [pa.py_buffer(each) for each in (np.packbits(valid, bitorder="little"), content)]
    return pa.Array.from_buffers(kind, len(values), buffers)


def texts(values: list[str | None]) -> pa.Array:
    """Texts as a column, None as null."""
    builder = pa.lib.StringBuilder()
    builder.append_values(values)
    return builder.finish()


def load_table(path: str | os.PathLike):
    """Read a .parquet or tab-separated .tsv file with pandas."""
    # Slow to import.
    import pandas as pd

    with readable(path):
        return pd.read_csv(path, sep="\t") if str(path).endswith(".tsv") else pd.read_parquet(path)
