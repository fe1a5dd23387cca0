"""The explorer's page and the selected models' maps -> results/site: a folder for GitHub Pages, or any static host.

Files are linked where the file system can, so the folder takes no room of its own.
"""

import logging
import os
import shutil
from pathlib import Path

from lib.job import UserError, job_log
from lib.publishing.files import File, layer_files, read_manifest, verified

progress = logging.getLogger("progress")  # lib.job shows it on the screen too


def model_files(checksums: Path) -> dict[str, File]:
    """What the page reads of a model: its manifest and maps, by name, compared with the model's SHA256SUMS."""
    files = verified(checksums)
    manifest = read_manifest(files["manifest.json"].path)
    return {
        name: files[name]
        for name in ["manifest.json", *(entry["filePath"] for entry in layer_files(manifest))]
    }


def page_files(page: Path, worker: Path, assets: Path, index: Path) -> dict[str, File]:
    """The page itself, by its path in the site."""
    parts = [page, worker, index, *sorted(path for path in assets.rglob("*") if path.is_file())]
    return {path.relative_to(page.parent).as_posix(): File.of(path) for path in parts}


def check_size(sizes: dict[str, int], max_mb: int) -> float:
    """The size of the whole site in MB; `sizes` are the bytes of its parts.

    Raises
    ------
    UserError
        It is above `max_mb`.
    """
    total = sum(sizes.values()) / 1e6
    if total > max_mb:
        parts = ", ".join(f"{part} {size / 1e6:.1f} MB" for part, size in sizes.items())
        raise UserError(
            f"the site would have {total:.1f} MB, publish.site.max_mb is {max_mb}: {parts}. Choose fewer models or"
            " layers, or raise it for another host: GitHub Pages takes no site above 1 GB"
        )
    return total


def place(source: Path, target: Path) -> None:
    """Link `source` to `target`, or copy it where links cannot be."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def main(snakemake) -> None:
    """Collect, check, build aside, put into place."""
    with job_log(snakemake) as log:
        given, site = snakemake.input, Path(snakemake.output.site)
        parts = {"the page": page_files(*map(Path, (given.page, given.worker, given.assets, given.index)))}
        for path in map(Path, given.checksums):
            model = path.parent.name
            parts[model] = {f"{model}/{name}": file for name, file in model_files(path).items()}
        sizes = {part: sum(file.size for file in files.values()) for part, files in parts.items()}
        total = check_size(sizes, snakemake.params.site["max_mb"])
        aside = site.with_name(f".{site.name}.part")
        shutil.rmtree(aside, ignore_errors=True)
        for name, file in (item for files in parts.values() for item in files.items()):
            place(file.path, aside / name)
        (aside / ".nojekyll").touch()  # GitHub Pages shall serve it as it is
        shutil.rmtree(site, ignore_errors=True)
        aside.rename(site)
        count = sum(map(len, parts.values()))
        log.info("%s", sizes)
        progress.info("%s: %d files, %.1f MB", site, count, total)


if __name__ == "__main__":
    main(snakemake)  # noqa: F821
