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

    Raises UserError: it is neither. That a file exists is left to Snakemake.
    """
    kinds = {file: export_kind(f"{file.parent.name}/{file.name}") for file in sorted(path.glob("*/*"))}
    if "explanations" in kinds.values():
        return [file for file, kind in kinds.items() if kind]
    if path.is_dir() or not path.name.endswith((".jsonl", ".jsonl.gz", *TABLES)):
        raise UserError(
            f"{path}: neither a .jsonl, .jsonl.gz, .csv, .csv.gz or .parquet file nor an existing folder with"
            " explanations*/*.jsonl or .jsonl.gz"
        )
    return [path]
