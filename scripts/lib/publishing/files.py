"""What is published of a model: which files, described in which words, and the checks they pass before."""

import gzip
import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from lib.files import sha256
from lib.job import UserError

CHECKSUMS = "SHA256SUMS"
BESIDE_THE_MAPS = ("README.md", "features.parquet", "manifest.json", "quality.tsv")
COLUMNS = {  # of features.parquet
    "feature": "index of the feature, the row of the decoder",
    "layer": "the layer that its SAE explains",
    "x, y, z": "position in the map, as in layer-N.json",
    "label": "what the feature means, in words; empty where nobody has said",
    "explainer": "the model that wrote the label; empty where none did, or it is not known",
    "density": "share of tokens that activate the feature; empty where not known",
    "degree": "links of the feature in layer-N.json",
}


@dataclass(frozen=True)
class File:
    """A file to be published: where it lies, its bytes, its SHA-256 in hexadecimal."""

    path: Path
    size: int
    sha256: str

    @classmethod
    def of(cls, path: Path) -> "File":
        """The file at `path`, as it is now."""
        return cls(path, path.stat().st_size, sha256(path))


def read_manifest(path: Path) -> dict:
    """manifest.json as plain values.

    Raises
    ------
    UserError
        It is no JSON, or lacks what every manifest has.
    """
    try:
        manifest = json.loads(path.read_bytes())
        for entry in layer_files(manifest):
            _ = entry["filePath"], entry["fileSize"], entry["sha256"]
        return manifest
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{path}: is no manifest of maps ({error!r}); delete it and run the same command again"
        ) from error


def layer_files(manifest: dict) -> Iterator[dict]:
    """The manifest's entries of files, with `filePath`, `fileSize` and `sha256`: each map, then its gzip twin."""
    for entry in manifest["layers"]:
        yield entry
        if "gzip" in entry:
            yield entry["gzip"]


def is_layer_file(name: str) -> bool:
    """Whether a name is one that this workflow gives to maps."""
    return re.fullmatch(r"layer-\d+\.json(\.gz)?", name) is not None


def mismatches(folder: Path, manifest: dict, asked: Iterable[str]) -> list[str]:
    """In how far `manifest` does not describe the maps in `folder`; `asked` are the file names it should list."""
    found = []
    asked = set(asked)
    entries = {entry["filePath"]: entry for entry in layer_files(manifest)}
    found += [f"{name} is not in the manifest" for name in sorted(asked - entries.keys())]
    for name, entry in entries.items():
        path = folder / name
        if name not in asked:
            found.append(f"{name} is in the manifest, but the configuration does not ask for it")
        elif not path.is_file():
            found.append(f"{name} is in the manifest, but not there")
        elif path.stat().st_size != entry["fileSize"]:
            found.append(f"{name} has {path.stat().st_size} bytes, the manifest says {entry['fileSize']}")
        elif (digest := sha256(path)) != entry["sha256"]:
            found.append(f"{name} has SHA-256 {digest}, the manifest says {entry['sha256']}")
    for entry in manifest["layers"]:
        if (
            "gzip" in entry
            and not found
            and _unpacked_sha256(folder / entry["gzip"]["filePath"]) != entry["sha256"]
        ):
            found.append(f"{entry['gzip']['filePath']} holds another map than {entry['filePath']}")
    return found


def checksums(files: dict[str, str]) -> str:
    """SHA-256 by file name, in the format that `sha256sum -c` reads."""
    return "".join(f"{digest}  {name}\n" for name, digest in sorted(files.items()))


def verified(path: Path) -> dict[str, File]:
    """The files that SHA256SUMS at `path` lists, by name, each compared with what lies on disk now.

    Raises
    ------
    UserError
        A file is missing or has another content, or a line is none of `sha256sum`.
    """
    files: dict[str, File] = {}
    wrong = []
    for line in path.read_text(encoding="utf-8").splitlines():
        match = re.fullmatch(r"([0-9a-f]{64})  ([\w.-]+)", line)
        if match is None:
            raise UserError(f"{path}: {line!r} is no line of sha256sum; delete the file and run again")
        file = path.parent / match[2]
        if not file.is_file():
            wrong.append(f"{file.name} is missing")
            continue
        files[file.name] = File.of(file)
        if files[file.name].sha256 != match[1]:
            wrong.append(f"{file.name} has SHA-256 {files[file.name].sha256}, not {match[1]}")
    if wrong:
        raise UserError(
            f"{path}: {'; '.join(wrong)}. The files changed after they were checked: delete {path} and run the same"
            " command again, which checks them anew"
        )
    return files


def readme(manifest: dict, about: dict) -> str:
    """README.md of a model's release: counts, files, columns, licences. The same text for the same manifest."""
    layers = manifest["layers"]
    total = {
        key: sum(layer[key] for layer in layers) for key in ("featureCount", "labeledCount", "edgeCount")
    }
    lines = [
        f"# Maps of {manifest['displayName']}",
        "",
        "Maps of what a language model means inside: each feature of a sparse autoencoder (SAE) is a point in 3D, and"
        " features whose decoder rows are alike lie close together.",
        "",
        f"{len(layers)} {'layer' if len(layers) == 1 else 'layers'}, {total['featureCount']:,} features,"
        f" {total['labeledCount']:,} with a label, {total['edgeCount']:,} links."
        f" Made by SAE Atlas {manifest['pipelineVersion']}.",
        "",
        "| file | content |",
        "|---|---|",
        "| layer-N.json | the map of layer N: `metadata` (made how, from which weights and labels), `nodes`, `edges` |",
        *(["| layer-N.json.gz | the same, compressed |"] if any("gzip" in layer for layer in layers) else []),
        "| manifest.json | the layers with sizes, SHA-256 and counts |",
        "| features.parquet | all features in one table, by layer and feature |",
        "| quality.tsv | how much of the meaning each map keeps, beside a PCA and random positions |",
        f"| {CHECKSUMS} | `sha256sum -c {CHECKSUMS}` tells whether all arrived as it was sent |",
        "",
        "## Columns of features.parquet",
        "",
        *columns(),
        "",
        "A feature whose decoder row has no direction is in no map, and so not in the table.",
        "",
        "## Layers",
        "",
        "| layer | SAE | features | with a label | links |",
        "|---|---|---|---|---|",
        *(
            f"| {layer['layer']} | {layer.get('sourceId', '')} | {layer['featureCount']:,} | {layer['labeledCount']:,}"
            f" | {layer['edgeCount']:,} |"
            for layer in layers
        ),
        "",
        "## Attribution and licences",
        "",
        *licences(manifest, about),
    ]
    return "\n".join(lines) + "\n"


def columns() -> list[str]:
    """The columns of features.parquet as a table."""
    return [
        "| column | content |",
        "|---|---|",
        *(f"| {name} | {content} |" for name, content in COLUMNS.items()),
    ]


def licences(manifest: dict, about: dict) -> list[str]:
    """Whom to name, and the licences of what the maps are made of, as far as the catalogue knows them.

    about : `weights`, where they come from, or None; `licenses`, for `weights` and `labels` a name, None where the
    source states none, or no key where the catalogue does not say
    """
    lines = [f"{manifest['attribution']}", ""] if manifest.get("attribution") else []
    origin = f" ({about['weights']})" if about["weights"] else ""
    for part, name in (("weights", f"SAE weights{origin}"), ("labels", "Labels")):
        if part not in about["licenses"]:
            told = "no licence is known to those who made these files; ask where they come from"
        else:
            told = (
                about["licenses"][part] or "their source states no licence; ask there if your use needs one"
            )
        lines.append(f"- {name}: {told}.")
    return [
        *lines,
        "",
        "The maps are made from both. Where you pass them on, pass this section on with them.",
    ]


def _unpacked_sha256(path: Path) -> str | None:
    """SHA-256 of what a gzip file holds; None where it holds nothing readable."""
    try:
        with gzip.open(path) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (gzip.BadGzipFile, EOFError):
        return None
