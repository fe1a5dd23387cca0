"""Which files of a model are published, and the checks that they must pass."""

import gzip
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lib.errors import UserError
from lib.files import readable, sha256


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


def listed_files(manifest: dict) -> Iterator[dict]:
    """The manifest's file entries (`filePath`, `fileSize`, `sha256`): of each layer and, if there is one, the atlas."""
    for entry in manifest["layers"]:
        if "filePath" in entry:
            yield entry
        yield from (entry[key] for key in ("gzip", "table") if key in entry)
        yield from entry.get("frame", {}).values()
    yield from manifest.get("atlas", {}).values()


def is_listed_file(name: str) -> bool:
    """Whether manifests list files of this name: a path, or the name of a release's asset, which has no `/`."""
    return re.fullmatch(r"(atlas[/.])?layer-\d+\.(json|json\.gz|parquet)|atlas[/.]tracks\.parquet", name) is not None


def mismatches(manifest: dict, files: dict[str, File]) -> list[str]:
    """Where a model's `files`, by path from its folder, and its manifest differ, and gzip twins of another map."""
    listed = {(entry["filePath"], entry["fileSize"], entry["sha256"]) for entry in listed_files(manifest)}
    present = {(name, file.size, file.sha256) for name, file in files.items() if is_listed_file(name)}
    if wrong := {name for name, _, _ in listed ^ present}:
        return sorted(wrong)
    for entry in manifest["layers"]:
        if "gzip" in entry:
            twin = files[entry["gzip"]["filePath"]].path
            with readable(twin), gzip.open(twin) as file:
                if hashlib.file_digest(file, "sha256").hexdigest() != entry["sha256"]:
                    wrong.add(entry["gzip"]["filePath"])
    return sorted(wrong)


def verified(path: Path) -> dict[str, File]:
    """SHA256SUMS at `path` and the files it lists, by path from its folder; UserError if one of these has changed."""
    digests = dict(reversed(line.split("  ", 1)) for line in path.read_text(encoding="utf-8").splitlines())
    files = {name: File.of(path.parent / name) for name in digests}
    if wrong := [name for name, file in files.items() if file.sha256 != digests[name]]:
        raise UserError(
            f"{path}: {', '.join(wrong)} changed after this list was written: delete {path} and run the same command"
            " again, which repeats the check"
        )
    return files | {path.name: File.of(path)}


def sizes_and_hashes(files: dict[str, File]) -> dict[str, dict]:
    """Size and SHA-256 of published files, for the record of a publication."""
    return {name: {"size": file.size, "sha256": file.sha256} for name, file in files.items()}
