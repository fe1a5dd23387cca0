"""Which files of a model are published, and the checks that they must pass."""

import gzip
import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from lib.files import sha256
from lib.job import UserError

BESIDE_THE_MAPS = ("README.md", "features.parquet", "manifest.json", "quality.tsv")


@dataclass(frozen=True)
class File:
    """A file to publish: its local path, its size in bytes, its SHA-256 in hexadecimal."""

    path: Path
    size: int
    sha256: str

    @classmethod
    def of(cls, path: Path) -> "File":
        """The file at `path`, as it is now."""
        return cls(path, path.stat().st_size, sha256(path))


def layer_files(manifest: dict) -> Iterator[dict]:
    """The manifest's file entries (`filePath`, `fileSize`, `sha256`): per layer the map, its gzip twin, its table."""
    for entry in manifest["layers"]:
        yield entry
        yield from (entry[key] for key in ("gzip", "table") if key in entry)


def is_layer_file(name: str) -> bool:
    """Whether this workflow names a layer's files so."""
    return re.fullmatch(r"layer-\d+\.(json|json\.gz|parquet)", name) is not None


def mismatches(folder: Path, manifest: dict, expected: Iterable[str]) -> list[str]:
    """Differences between the manifest and the layer files in `folder`; `expected` are the names it should list."""
    entries = {entry["filePath"]: entry for entry in layer_files(manifest)}
    differences = []
    for name in sorted({*expected} | entries.keys()):
        if name not in entries:
            differences.append(f"{name} is not in the manifest")
        elif name not in expected:
            differences.append(f"{name} is in the manifest, but the configuration does not select it")
        elif File.of(folder / name) != File(
            folder / name, entries[name]["fileSize"], entries[name]["sha256"]
        ):
            differences.append(f"{name} does not have the size and the SHA-256 that the manifest says")
    if not differences:
        differences = [
            f"{entry['gzip']['filePath']} does not hold the same map as {entry['filePath']}"
            for entry in manifest["layers"]
            if "gzip" in entry and _unpacked_sha256(folder / entry["gzip"]["filePath"]) != entry["sha256"]
        ]
    return differences


def checksums(files: dict[str, str]) -> str:
    """SHA-256 by file name, in the format that `sha256sum -c` reads."""
    return "".join(f"{digest}  {name}\n" for name, digest in sorted(files.items()))


def verified(path: Path) -> dict[str, File]:
    """SHA256SUMS at `path` and the files it lists, by name; UserError if one of these is missing or has changed."""
    files = {path.name: File.of(path)}
    wrong = []
    for line in path.read_text(encoding="utf-8").splitlines():
        match = re.fullmatch(r"([0-9a-f]{64})  ([\w.-]+)", line)
        if match is None:
            raise UserError(f"{path}: {line!r} is not a line of sha256sum; delete the file and run again")
        digest, name = match.groups()
        if not (path.parent / name).is_file():
            wrong.append(f"{name} is missing")
            continue
        files[name] = File.of(path.parent / name)
        if files[name].sha256 != digest:
            wrong.append(f"{name} has SHA-256 {files[name].sha256}, not {digest}")
    if wrong:
        raise UserError(
            f"{path}: {'; '.join(wrong)}. The files changed after they were checked: delete {path} and run the same"
            " command again, which repeats the check"
        )
    return files


def listed(files: dict[str, File]) -> dict[str, dict]:
    """Size and SHA-256 of published files, for the record of a publication."""
    return {name: {"size": file.size, "sha256": file.sha256} for name, file in files.items()}


def _unpacked_sha256(path: Path) -> str | None:
    """SHA-256 of the content of a gzip file; None if it cannot be read."""
    try:
        with gzip.open(path) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (gzip.BadGzipFile, EOFError):
        return None
