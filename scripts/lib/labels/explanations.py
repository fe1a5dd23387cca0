"""Rows about features, from an export, the API or a local file -> one label per feature, as a table.

Whatever the source, a row is read by `statements`: the same row means the same everywhere.
"""

import gzip
import io
import json
import math
import unicodedata
import zlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from lib.errors import UserError
from lib.labels.export_files import TABLES

# Of the tokens that a source lists for a feature, the strongest are kept.
TOP_TOKENS = 10
# Overrides, embeddings and isolates of the direction of writing: they reverse the text around a label.
DIRECTION = {*map(chr, range(0x202A, 0x202F)), *map(chr, range(0x2066, 0x206A))}
# A line may not be longer than this, in bytes after decompression. Real ones have some 10 kB.
LONGEST_LINE = 2**24

# Neuronpedia's names of fields, and the plain names, which local files may use as well.
PLAIN_NAMES = {
    "description": "label",
    "explanationModelName": "explainer",
    "typeName": "kind",
    "frac_nonzero": "density",
    "maxActApprox": "max_activation",
    "pos_str": "top_tokens",
}
FIELDS = {"index", "layer", "category", "explanations", *PLAIN_NAMES.values()}

SCHEMA = pa.schema(
    [
        pa.field("index", pa.int32(), nullable=False),
        pa.field("label", pa.string(), nullable=False),
        pa.field("explainer", pa.string()),
        pa.field("explanations", pa.list_(pa.struct({"label": pa.string(), "explainer": pa.string()}))),
        pa.field("density", pa.float32()),
        pa.field("max_activation", pa.float32()),
        pa.field("top_tokens", pa.list_(pa.string())),
        pa.field("category", pa.string()),
    ]
)


class LabelError(UserError):
    """Rows that cannot be used. Names the file, the line and what is wrong."""


# What a source says about features: the columns of `SCHEMA` as far as they are known, and an explanation's `kind`.
Statements = list[dict[str, Any]]


def clean(text: str) -> str:
    """Normal form C, each run of white space one space, without lone surrogates and without characters that control a
    terminal or the direction of writing.
    """
    kept = (c for c in text if c.isspace() or not (unicodedata.category(c) in ("Cc", "Cs") or c in DIRECTION))
    return unicodedata.normalize("NFC", " ".join("".join(kept).split()))


def parse_row(line: bytes, where: str) -> dict[str, Any]:
    """The `FIELDS` of a JSON object, under their plain names; embeddings and histograms are most of its bytes.

    Raises LabelError, which begins with `where`, for anything that is not a JSON object.
    """
    try:
        # Not orjson: real exports may hold NaN and lone surrogates.
        row = json.loads(line)
    except ValueError as error:
        raise LabelError(f"{where}: not JSON ({error}): {line[:40]!r}") from error
    if not isinstance(row, dict):
        raise LabelError(f"{where}: not a JSON object: {line[:40]!r}")
    return _plain(row)


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    named = {PLAIN_NAMES.get(name, name): value for name, value in row.items() if value is not None}
    plain = {name: value for name, value in named.items() if name in FIELDS}
    nested = plain.pop("explanations", None)
    if isinstance(nested, list):
        plain["explanations"] = [_plain(each) for each in nested if isinstance(each, dict)]
    return plain


def read_rows(stream: io.BufferedReader, where: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Position ("line N" after `where`) and row of each line of a .jsonl stream, compressed with gzip or not.

    Raises LabelError for damaged gzip data and for lines that are too long or not a JSON object.
    """
    lines = gzip.GzipFile(fileobj=stream) if stream.peek(2)[:2] == b"\x1f\x8b" else stream
    try:
        for number, line in enumerate(iter(lambda: lines.readline(LONGEST_LINE + 1), b""), start=1):
            position = f"{where}line {number}"
            if len(line) > LONGEST_LINE:
                raise LabelError(f"{position}: longer than {LONGEST_LINE:,} bytes")
            if line.strip():
                yield position, parse_row(line, position)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise LabelError(f"{where}damaged gzip data: {error}") from error


def statements(row: dict[str, Any], count: int, where: str, source_id: str | None = None) -> Statements:
    """What a row of `parse_row` says about its feature, cleaned: one statement per explanation, at least one.

    Raises LabelError for a row without a valid index or text, with an index beyond the `count` features of the layer,
    or with a `layer` (Neuronpedia's source) that is not `source_id`: these are labels of another SAE.
    """
    if source_id is not None and row.get("layer", source_id) != source_id:
        raise LabelError(f"{where}: belongs to the source {row['layer']}, not to {source_id}")
    try:
        # pandas makes the integers of a column with gaps floating-point.
        index = int(str(row["index"]).removesuffix(".0"))
    except (KeyError, ValueError):
        raise LabelError(f"{where}: no valid index: {row.get('index')!r}") from None
    if not 0 <= index < count:
        raise LabelError(f"{where}: index {index} is outside this layer's {count} features: labels of another SAE")
    facts: dict[str, Any] = {"index": index, "category": clean(str(row.get("category", ""))) or None}
    for name in ("density", "max_activation"):
        value = row.get(name)
        if isinstance(value, (int, float)) and math.isfinite(value):
            facts[name] = float(value)
    tokens = row.get("top_tokens")
    if isinstance(tokens, list) and tokens:
        facts["top_tokens"] = [clean(str(token)) for token in tokens[:TOP_TOKENS]]
    explained = []
    for explanation in (row, *row.get("explanations", ())):
        text = explanation.get("label", "")
        if not isinstance(text, str):
            raise LabelError(f"{where}: the description is {type(text).__name__}, expected text")
        if text := clean(text):
            explainer, kind = clean(str(explanation.get("explainer", ""))), str(explanation.get("kind", ""))
            explained.append(facts | {"label": text, "explainer": explainer, "kind": kind})
    return explained or [facts]


def table_rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Position ("row N" after the path) and row of each row of a .csv, .csv.gz or .parquet file that pandas can read.

    Raises LabelError for a damaged file, and for one without a column of indices or of labels.
    """
    try:
        if path.suffix == ".parquet":
            table = pd.read_parquet(path)
            table = table.reset_index() if table.index.name else table
        else:
            # All as text, as labels may be numbers, or the word null.
            table = pd.read_csv(path, dtype=str, keep_default_na=False, na_values=["", "NaN"])
    except (ValueError, OSError, EOFError, zlib.error, pa.ArrowException) as error:
        raise LabelError(f"{path}: damaged, or not what its name says: {error}") from error
    plain = {column: PLAIN_NAMES.get(column, column) for column in table}
    if not {"index", "label"} <= set(plain.values()):
        others = [*sorted(FIELDS - {"index", "label"}), *sorted(PLAIN_NAMES.keys() - {"description"})]
        raise LabelError(
            f"{path}: has the columns {', '.join(map(str, table))}: expected index and label (or description), and"
            f" possibly {', '.join(others)}"
        )
    for column, name in plain.items():
        if name in ("density", "max_activation"):
            table[column] = pd.to_numeric(table[column], errors="coerce")
    table = table[[column for column, name in plain.items() if name in FIELDS]].astype(object)
    for number, row in enumerate(table.where(table.notna(), None).to_dict("records"), start=1):
        lists = {name: value.tolist() for name, value in row.items() if isinstance(value, np.ndarray)}
        yield f"{path}, row {number}", _plain(row | lists)


def read_local(files: Iterable[str | Path], count: int, source_id: str | None = None) -> Statements:
    """The statements of local files (`label_files`). Raises what `read_rows`, `table_rows` and `statements` raise."""
    known = []
    for file in map(Path, files):
        with file.open("rb") as stream:
            rows = table_rows(file) if file.name.endswith(TABLES) else read_rows(stream, f"{file}, ")
            for where, row in rows:
                known += statements(row, count, where, source_id)
    return known


def feature_table(known: Statements, explainers: Sequence[str] = ()) -> pd.DataFrame:
    """A row for each feature of which anything is known, by `index`: the other columns of `SCHEMA`, missing if unknown.

    Of several explanations it is the one whose explainer comes first in `explainers`, otherwise the first by explainer,
    kind and text; `explanations` lists all different texts in this order. Repeated statements change nothing.
    """
    frame = pd.DataFrame(known, columns=[*SCHEMA.names, "kind"], dtype=object)
    frame["rank"] = frame["explainer"].map({name: rank for rank, name in enumerate(explainers)})
    best_first = frame.sort_values(["rank", "explainer", "kind", "label"], kind="stable")
    # The first known value of each column; label and explainer are known in the same rows.
    features = best_first.groupby("index")[SCHEMA.names[1:]].first()
    texts = best_first.dropna(subset="label").drop_duplicates(["index", "label"]).replace({"explainer": {"": None}})
    several = texts[texts.duplicated("index", keep=False)]
    pairs = pd.Series(several[["label", "explainer"]].to_dict("records"), several["index"], dtype=object)
    return features.assign(
        explainer=features["explainer"].replace("", None), explanations=pairs.groupby(level=0).agg(list)
    )


def label_table(features: pd.DataFrame, indices: Collection[int]) -> pd.DataFrame:
    """The rows of `feature_table` that have a label, of the features `indices`: the columns and types of `SCHEMA`.

    `category` is a column only if any of them has one.
    """
    labelled = features[features["label"].notna() & features.index.isin(indices)]
    table = pa.Table.from_pandas(labelled.reset_index(), SCHEMA, preserve_index=False).to_pandas()
    return table if table["category"].notna().any() else table.drop(columns="category")
