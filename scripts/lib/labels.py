"""Labels (explanations) of features, from local files in the layout of Neuronpedia's bulk exports."""

import gzip
import json
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from lib.files import whole_file
from lib.job import UserError

SCHEMA = pa.schema(
    [
        ("index", pa.int32()),
        ("label", pa.string()),
        ("explainer", pa.string()),
        ("density", pa.float32()),
        ("max_activation", pa.float32()),
        ("top_tokens", pa.list_(pa.string())),
    ]
)


def clean(text: str) -> str:
    """One line of normalised Unicode (NFC): blanks and control characters become single spaces."""
    text = unicodedata.normalize("NFC", text.encode("utf-8", "replace").decode())
    return " ".join("".join(" " if unicodedata.category(c) == "Cc" else c for c in text).split())


def read_lines(paths: Iterable[Path]) -> Iterator[dict]:
    """The rows of .jsonl or .jsonl.gz files."""
    for path in paths:
        opened = gzip.open if path.suffix == ".gz" else open
        try:
            with opened(path, "rt", encoding="utf-8") as file:
                for number, line in enumerate(file, 1):
                    if line.strip():
                        yield json.loads(line)
        except (ValueError, EOFError, gzip.BadGzipFile) as error:
            raise UserError(f"{path}: line {number}: {error}") from error


def save_labels(path: str, rows: list[dict]) -> None:
    """Write labels.parquet: one row a labelled feature, ordered by index."""
    table = pa.Table.from_pylist(sorted(rows, key=lambda row: row["index"]), schema=SCHEMA)
    with whole_file(path) as aside:
        pq.write_table(table, aside, compression="zstd")
