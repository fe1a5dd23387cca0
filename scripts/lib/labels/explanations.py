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
from contextlib import suppress
from pathlib import Path
from typing import Any

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

# Neuronpedia's names of fields.
PLAIN_NAMES = {
    "description": "label",
    "explanationModelName": "explainer",
    "typeName": "kind",
    "frac_nonzero": "density",
    "maxActApprox": "max_activation",
    "pos_str": "top_tokens",
}
# Local files may use the plain names as well.
FIELDS = PLAIN_NAMES | {name: name for name in ("index", "layer", "category", "explanations", *PLAIN_NAMES.values())}

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

# Where a row stands, for messages, and its `FIELDS` under their plain names.
Row = tuple[str, dict[str, Any]]


def clean(text: str) -> str:
    """Normal form C, each run of white space one space, without lone surrogates and without characters that control a
    terminal or the direction of writing.
    """
    kept = (c for c in text if c.isspace() or not (unicodedata.category(c) in ("Cc", "Cs") or c in DIRECTION))
    return unicodedata.normalize("NFC", " ".join("".join(kept).split()))


def parse_row(line: bytes, where: str) -> dict[str, Any]:
    """The `FIELDS` of a JSON object, under their plain names; embeddings and histograms are most of its bytes.

    Raises UserError, which begins with `where`, for anything that is not a JSON object.
    """
    try:
        # Not orjson: real exports may hold NaN and lone surrogates.
        return _plain(json.loads(line))
    except (ValueError, AttributeError) as error:
        raise UserError(f"{where}: not a JSON object ({error}): {line[:40]!r}") from error


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    plain = {FIELDS[name]: value for name, value in row.items() if name in FIELDS and value is not None}
    nested = plain.pop("explanations", None)
    if isinstance(nested, list):
        plain["explanations"] = [_plain(each) for each in nested if isinstance(each, dict)]
    return plain


def read_rows(stream: io.BufferedReader, where: str) -> Iterator[Row]:
    """The rows of a .jsonl stream, compressed with gzip or not; `where` stands before "line N".

    Raises UserError for damaged gzip data and for lines that are too long or not a JSON object.
    """
    lines = gzip.GzipFile(fileobj=stream) if stream.peek(2)[:2] == b"\x1f\x8b" else stream
    try:
        for number, line in enumerate(iter(lambda: lines.readline(LONGEST_LINE + 1), b""), start=1):
            position = f"{where}line {number}"
            if len(line) > LONGEST_LINE:
                raise UserError(f"{position}: longer than {LONGEST_LINE:,} bytes")
            if line.strip():
                yield position, parse_row(line, position)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise UserError(f"{where}damaged gzip data: {error}") from error


def table_rows(path: Path) -> Iterator[Row]:
    """The rows of a .csv, .csv.gz or .parquet file.

    Raises UserError for a damaged file, and for one without a column of indices or of labels.
    """
    try:
        if path.suffix == ".parquet":
            frame = pd.read_parquet(path, dtype_backend="pyarrow")
        else:
            # All as text, as labels may be numbers, or the word null.
            frame = pd.read_csv(path, dtype=str, keep_default_na=False, na_values=["", "NaN"])
        # A named index becomes a column, even one that only counts.
        table = pa.Table.from_pandas(frame, preserve_index=True if frame.index.name else None)
    except (ValueError, OSError, EOFError, zlib.error, pa.ArrowException) as error:
        raise UserError(f"{path}: damaged, or not what its name says: {error}") from error
    known = [column for column in table.column_names if column in FIELDS]
    if not {"index", "label"} <= {FIELDS[column] for column in known}:
        columns = ", ".join(table.column_names)
        raise UserError(f"{path}: has the columns {columns}: expected index and label, as docs/sources.md says")
    for number, row in enumerate(table.select(known).to_pylist(), start=1):
        yield f"{path}, row {number}", _plain(row)


def local_rows(files: Iterable[str | Path]) -> Iterator[Row]:
    """The rows of local files (`label_files`). Raises what `read_rows` and `table_rows` raise."""
    for file in map(Path, files):
        if file.name.endswith(TABLES):
            yield from table_rows(file)
        else:
            with file.open("rb") as stream:
                yield from read_rows(stream, f"{file}, ")


def statements(where: str, row: dict[str, Any], count: int, source_id: str | None) -> list[dict[str, Any]]:
    """What a row says about its feature, cleaned: the columns of `SCHEMA` as far as they are known, and `kind`.

    One statement per explanation, at least one.

    Raises UserError for a row without a valid index or text, with an index beyond the `count` features of the layer,
    or with a `layer` (Neuronpedia's source) that is not `source_id`: these are labels of another SAE.
    """
    if source_id is not None and row.get("layer", source_id) != source_id:
        raise UserError(f"{where}: belongs to the source {row['layer']}, not to {source_id}")
    try:
        # pandas makes the integers of a column with gaps floating-point.
        index = int(str(row["index"]).removesuffix(".0"))
    except (KeyError, ValueError):
        raise UserError(f"{where}: no valid index: {row.get('index')!r}") from None
    if not 0 <= index < count:
        raise UserError(f"{where}: index {index} is outside this layer's {count} features: labels of another SAE")
    facts: dict[str, Any] = {"index": index, "category": clean(str(row.get("category", ""))) or None}
    for name in ("density", "max_activation"):
        with suppress(KeyError, TypeError, ValueError):
            if math.isfinite(value := float(row[name])):
                facts[name] = value
    tokens = row.get("top_tokens")
    if isinstance(tokens, list) and tokens:
        facts["top_tokens"] = [clean(str(token)) for token in tokens[:TOP_TOKENS]]
    explained = []
    for explanation in (row, *row.get("explanations", ())):
        text = explanation.get("label", "")
        if not isinstance(text, str):
            raise UserError(f"{where}: the description is {type(text).__name__}, expected text")
        if text := clean(text):
            explainer, kind = clean(str(explanation.get("explainer", ""))), str(explanation.get("kind", ""))
            explained.append(facts | {"label": text, "explainer": explainer, "kind": kind})
    return explained or [facts]


def feature_table(
    rows: Iterable[Row], count: int, source_id: str | None = None, explainers: Sequence[str] = ()
) -> pd.DataFrame:
    """A row for each feature of which anything is known, by `index`: the other columns of `SCHEMA`, missing if unknown.

    Of several explanations it is the one whose explainer comes first in `explainers`, otherwise the first by explainer,
    kind and text; `explanations` lists all different texts in this order. Repeated rows change nothing.

    Raises what `statements` raises.
    """
    known = (each for where, row in rows for each in statements(where, row, count, source_id))
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
