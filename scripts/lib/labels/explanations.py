"""What is known about features in words: rows as Neuronpedia writes them -> one label a feature.

Everything here is pure: the rows may come from a bulk export, the API or a local file.
"""

import gzip
import json
import math
import unicodedata
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow as pa

from lib.job import UserError

TOP_TOKENS = 10  # of those that a source lists for a feature, the strongest ones are kept

SCHEMA = pa.schema(
    [
        pa.field("index", pa.int32(), nullable=False),
        pa.field("label", pa.string(), nullable=False),
        pa.field("explainer", pa.string()),
        pa.field("density", pa.float32()),
        pa.field("max_activation", pa.float32()),
        pa.field("top_tokens", pa.list_(pa.string())),
    ]
)


class LabelError(UserError):
    """Rows that cannot be used. Names file, line and what is wrong with them."""


@dataclass(frozen=True, order=True)
class Explanation:
    """One description of a feature, cleaned. `explainer` and `kind` are empty where the source is silent."""

    explainer: str
    kind: str
    text: str


@dataclass
class Feature:
    """What a source knows about one feature. Nothing at all is an answer too: known to have no label.

    density : share of tokens on which the feature is active.
    max_activation : its largest activation seen.
    top_tokens : the tokens it speaks for, strongest first.
    """

    explanations: set[Explanation] = field(default_factory=set)
    category: str | None = None
    density: float | None = None
    max_activation: float | None = None
    top_tokens: list[str] | None = None


def clean(text: str) -> str:
    """Normal form C without control characters and lone surrogates; blanks and line breaks as one blank."""
    kept = (c for c in text if c.isspace() or unicodedata.category(c) not in ("Cc", "Cs"))
    return unicodedata.normalize("NFC", " ".join("".join(kept).split()))


def json_lines(content: bytes, where: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Line number (from 1) and object of each line of a .jsonl file, compressed with gzip or not.

    Raises
    ------
    LabelError : damaged gzip, a line that is no JSON object.
    """
    if content.startswith(b"\x1f\x8b"):
        try:
            content = gzip.decompress(content)
        except (OSError, EOFError, zlib.error) as error:
            raise LabelError(f"{where}: damaged gzip file: {error}") from error
    for number, line in enumerate(content.splitlines(), start=1):
        if line.strip():
            yield number, _json_object(line, f"{where}, line {number}")


def add_row(
    features: dict[int, Feature], row: Mapping[str, Any], count: int, where: str, source_id: str | None = None
) -> None:
    """Put what a row says about its feature into `features`.

    Understood are Neuronpedia's explanation rows, feature rows and API objects, and the plain names `label`,
    `explainer`, `density`, `max_activation` and `top_tokens`. A row that says it again changes nothing.

    Parameters
    ----------
    count : number of features of the layer; an index beyond it means labels of another SAE.
    source_id : if given, the row's `layer` (Neuronpedia's source) must be this one where it has any.

    Raises
    ------
    LabelError : no valid index, another source, a description that is no text.
    """
    if source_id is not None and row.get("layer", source_id) != source_id:
        raise LabelError(f"{where}: belongs to the source {row['layer']}, not to {source_id}")
    feature = features.setdefault(_index(row, count, where), Feature())
    for explanation in (row, *(each for each in row.get("explanations") or () if isinstance(each, dict))):
        text = explanation.get("description", explanation.get("label"))
        if text is None:
            continue
        if not isinstance(text, str):
            raise LabelError(f"{where}: the description is {type(text).__name__}, expected text")
        if text := clean(text):
            explainer = explanation.get("explanationModelName") or explanation.get("explainer") or ""
            feature.explanations.add(
                Explanation(clean(str(explainer)), str(explanation.get("typeName") or ""), text)
            )
    feature.category = clean(str(row.get("category") or "")) or feature.category
    feature.density = _number(row, "frac_nonzero", "density", feature.density)
    feature.max_activation = _number(row, "maxActApprox", "max_activation", feature.max_activation)
    tokens = row.get("pos_str", row.get("top_tokens"))
    if isinstance(tokens, list) and tokens:
        feature.top_tokens = [clean(str(token)) for token in tokens[:TOP_TOKENS]]


def read_local(path: Path, count: int, source_id: str | None = None) -> dict[int, Feature]:
    """Read labels from disk: a .jsonl or .jsonl.gz file, or a folder laid out as Neuronpedia's exports.

    Such a folder holds `explanations*/` and perhaps `features/`, with .jsonl[.gz] files. What is not named
    there is known to have no label.

    Raises
    ------
    FileNotFoundError : neither such a file nor such a folder.
    LabelError : see `add_row` and `json_lines`.
    """
    files = [path]
    if path.is_dir():
        folders = [*path.glob("explanations*"), path / "features"]
        files = sorted(file for folder in folders for file in folder.glob("*.jsonl*"))
        if not any(file.parent.name.startswith("explanations") for file in files):
            raise FileNotFoundError(f"{path}: no explanations*/*.jsonl or .jsonl.gz in this folder")
    features: dict[int, Feature] = {}
    for file in files:
        for number, row in json_lines(file.read_bytes(), str(file)):
            add_row(features, row, count, f"{file}, line {number}", source_id)
    return {index: features.get(index, Feature()) for index in range(count)}


def choose(explanations: Collection[Explanation], explainers: Sequence[str] = ()) -> Explanation:
    """The one whose explainer stands first in `explainers`, else the first by explainer, kind and text."""
    rank = {name: place for place, name in enumerate(explainers)}
    return min(explanations, key=lambda each: (rank.get(each.explainer, len(rank)), each))


def top_features(scores: np.ndarray, k: int) -> list[int]:
    """Indices of the k highest scores, ascending by index; equal scores by lower index, NaN (unknown) last.

    Parameters
    ----------
    scores : float (n,), for instance activation densities or sums of a feature's edge weights.
    """
    order = np.lexsort((np.arange(len(scores)), -np.nan_to_num(scores, nan=-np.inf)))
    return sorted(order[:k].tolist())


def label_table(
    features: Mapping[int, Feature], indices: Iterable[int], explainers: Sequence[str] = ()
) -> pa.Table:
    """labels.parquet: one row for each of `indices` that has a label, ascending by index.

    Columns as in `SCHEMA`, and `category` where the source gives any.
    """
    rows = []
    for index in sorted(indices):
        feature = features[index]
        if feature.explanations:
            chosen = choose(feature.explanations, explainers)
            rows.append(
                {
                    "index": index,
                    "label": chosen.text,
                    "explainer": chosen.explainer or None,
                    "density": feature.density,
                    "max_activation": feature.max_activation,
                    "top_tokens": feature.top_tokens,
                    "category": feature.category,
                }
            )
    categories = any(row["category"] for row in rows)
    return pa.Table.from_pylist(
        rows, SCHEMA.append(pa.field("category", pa.string())) if categories else SCHEMA
    )


def _json_object(line: bytes, where: str) -> dict[str, Any]:
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError:
        try:
            value = json.loads(line)  # takes NaN and lone surrogates, which real exports may hold
        except ValueError as error:
            raise LabelError(f"{where}: no JSON ({error}): {line[:40]!r}") from error
    if not isinstance(value, dict):
        raise LabelError(f"{where}: no JSON object: {line[:40]!r}")
    return value


def _index(row: Mapping[str, Any], count: int, where: str) -> int:
    try:
        index = int(str(row["index"]))
    except (KeyError, ValueError):
        raise LabelError(f"{where}: has no valid index: {row.get('index')!r}") from None
    if not 0 <= index < count:
        raise LabelError(
            f"{where}: index {index} is outside this layer's {count} features; these labels are another SAE's"
        )
    return index


def _number(row: Mapping[str, Any], name: str, plain_name: str, known: float | None) -> float | None:
    value = row.get(name, row.get(plain_name))
    return float(value) if isinstance(value, (int, float)) and math.isfinite(value) else known
