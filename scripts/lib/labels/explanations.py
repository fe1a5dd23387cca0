"""Rows about features, from an export, the API or a local file -> one label per feature, as a table.

Whatever the source, a row is read by `parse_row` and added by `add_row`: the same row means the same everywhere.
"""

import gzip
import io
import json
import math
import unicodedata
import zlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pyarrow as pa

from lib.errors import UserError
from lib.labels.export_files import label_files

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
        pa.field("density", pa.float32()),
        pa.field("max_activation", pa.float32()),
        pa.field("top_tokens", pa.list_(pa.string())),
        pa.field("category", pa.string()),
    ]
)


class LabelError(UserError):
    """Rows that cannot be used. Names the file, the line and what is wrong."""


class Explanation(NamedTuple):
    """One description of a feature, cleaned. `explainer` and `kind` are empty if the source does not name them."""

    explainer: str
    kind: str
    text: str


@dataclass
class Feature:
    """What a source knows about one feature. A feature without explanations is known to have no label.

    density : share of tokens on which the feature is active.
    max_activation : its largest activation seen.
    top_tokens : the tokens it promotes most, strongest first.
    """

    explanations: set[Explanation] = field(default_factory=set)
    category: str | None = None
    density: float | None = None
    max_activation: float | None = None
    top_tokens: list[str] | None = None


Features = dict[int, Feature]


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


def add_row(features: Features, row: dict[str, Any], count: int, where: str, source_id: str | None = None) -> None:
    """Add what a row of `parse_row` says about its feature to `features`. Repeated rows change nothing.

    Raises LabelError for a row without a valid index or text, with an index beyond the `count` features of the layer,
    or with a `layer` (Neuronpedia's source) that is not `source_id`: these are labels of another SAE.
    """
    if source_id is not None and row.get("layer", source_id) != source_id:
        raise LabelError(f"{where}: belongs to the source {row['layer']}, not to {source_id}")
    try:
        index = int(str(row["index"]))
    except (KeyError, ValueError):
        raise LabelError(f"{where}: no valid index: {row.get('index')!r}") from None
    if not 0 <= index < count:
        raise LabelError(f"{where}: index {index} is outside this layer's {count} features: labels of another SAE")
    feature = features.setdefault(index, Feature())
    for explanation in (row, *row.get("explanations", ())):
        text = explanation.get("label", "")
        if not isinstance(text, str):
            raise LabelError(f"{where}: the description is {type(text).__name__}, expected text")
        if text := clean(text):
            explainer, kind = str(explanation.get("explainer", "")), str(explanation.get("kind", ""))
            feature.explanations.add(Explanation(clean(explainer), kind, text))
    feature.category = clean(str(row.get("category", ""))) or feature.category
    for name in ("density", "max_activation"):
        value = row.get(name)
        if isinstance(value, (int, float)) and math.isfinite(value):
            setattr(feature, name, float(value))
    tokens = row.get("top_tokens")
    if isinstance(tokens, list) and tokens:
        feature.top_tokens = [clean(str(token)) for token in tokens[:TOP_TOKENS]]


def read_local(path: Path, count: int, source_id: str | None = None) -> Features:
    """Labels from a .jsonl or .jsonl.gz file, or from a folder laid out as an export (`label_files`).

    A feature that no row describes is known to have no label. Raises what `label_files` and `add_row` raise.
    """
    features = {index: Feature() for index in range(count)}
    for file in label_files(path):
        with file.open("rb") as stream:
            for where, row in read_rows(stream, f"{file}, "):
                add_row(features, row, count, where, source_id)
    return features


def choose(explanations: Collection[Explanation], explainers: Sequence[str] = ()) -> Explanation:
    """The one whose explainer comes first in `explainers`, otherwise the first by explainer, kind and text."""
    return min(explanations, key=lambda each: ([*explainers, each.explainer].index(each.explainer), each))


def label_table(features: Features, indices: Iterable[int], explainers: Sequence[str] = ()) -> pd.DataFrame:
    """A row for each of `indices` that has a label, ascending: the columns and types of `SCHEMA`.

    Unknown values are missing values. `category` is a column only if any feature has one.
    """
    rows = []
    for index in sorted(indices):
        feature = features[index]
        if feature.explanations:
            chosen = choose(feature.explanations, explainers)
            label = {"index": index, "label": chosen.text, "explainer": chosen.explainer or None}
            rows.append(vars(feature) | label)
    table = pa.Table.from_pylist(rows, SCHEMA).to_pandas()
    return table if table["category"].notna().any() else table.drop(columns="category")
