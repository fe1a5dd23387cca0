"""Tables of the workflow's own, read by pandas."""

import os

import pandas as pd

from lib.files import readable


def load_table(path: str | os.PathLike) -> pd.DataFrame:
    """Read a .parquet or tab-separated .tsv file."""
    with readable(path):
        return pd.read_csv(path, sep="\t") if str(path).endswith(".tsv") else pd.read_parquet(path)
