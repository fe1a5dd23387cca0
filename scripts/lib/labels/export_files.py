"""Files that hold labels: of an export, in Neuronpedia's bucket or a local folder, and others. Imported while planning:
nothing heavy.
"""

import re
from pathlib import Path

from lib.errors import UserError

TABLES = (".csv", ".csv.gz", ".parquet")


def export_kind(name: str) -> str | None:
    """What an export's file holds, by its path below the source: "explanations", "features", or None: neither.

    Explanations may lie in several folders, such as explanations/ and explanations-gpt-4o-mini/. Hidden files are
    not part of an export.
    """
    match = re.fullmatch(r"(explanations|features(?=/))[^/]*/[^/.][^/]*\.jsonl(\.gz)?", name)
    return match[1] if match else None


def label_files(path: Path) -> list[Path]:
    """The files that hold local labels: `path` itself, or those of a folder laid out as an export; sorted.

    Raises FileNotFoundError for a folder without explanations, UserError for another kind of file.
    """
    if not path.is_dir():
        if not path.name.endswith((".jsonl", ".jsonl.gz", *TABLES)):
            problem = "" if path.exists() else "does not exist: "
            raise UserError(
                f"{path}: {problem}expected a .jsonl, .jsonl.gz, .csv, .csv.gz or .parquet file, or a folder with"
                " explanations/"
            )
        return [path]
    kinds = {file: export_kind(f"{file.parent.name}/{file.name}") for file in sorted(path.glob("*/*"))}
    if "explanations" not in kinds.values():
        raise FileNotFoundError(f"{path}: no explanations*/*.jsonl or .jsonl.gz in this folder")
    return [file for file, kind in kinds.items() if kind]
