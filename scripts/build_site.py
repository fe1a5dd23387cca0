"""The explorer's page and the selected models' tables -> results/site: a folder for GitHub Pages, or any static host.

Files are hard links where the file system allows, so that the folder takes no space of its own. The manifests are those
of the models less what the site leaves out.
"""

import shutil
from pathlib import Path

from lib.errors import UserError
from lib.files import load_record, save_record
from lib.job import job_log
from lib.products.index import explorer_index
from lib.progress import progress
from lib.publishing.files import listed_files, verified


def site_of(checksums: Path) -> tuple[dict, list[Path]]:
    """A model's manifest for the site, and the files that it lists, all verified.

    Without layer-N.json and its twins: the page reads the tables.
    """
    files = verified(checksums)
    manifest = load_record(files["manifest.json"].path)
    for entry in manifest["layers"]:
        for key in ("filePath", "fileSize", "sha256", "gzip"):
            entry.pop(key, None)
        entry.get("frame", {}).pop("graph", None)
    return manifest, [files[entry["filePath"]].path for entry in listed_files(manifest)]


def check_size(megabytes: float, max_mb: int) -> None:
    """Raise UserError if the site is larger than `max_mb`."""
    if megabytes > max_mb:
        raise UserError(
            f"the site would have {megabytes:.1f} MB, publish.site.max_mb is {max_mb}. Choose fewer models or layers,"
            " or raise the limit for another host: GitHub Pages takes no site above 1 GB"
        )


if __name__ == "__main__":
    with job_log(snakemake):
        page, site = Path(snakemake.input.page), Path(snakemake.output.site)
        results, checksums = page.parent, [Path(path) for path in snakemake.input.checksums]
        files = [page, Path(snakemake.input.worker), *filter(Path.is_file, Path(snakemake.input.assets).rglob("*"))]
        # The index in results/ may list models of other runs, which are not here.
        records = {"index.json": explorer_index([path.with_name("manifest.json") for path in checksums], results)}
        for path in checksums:
            records[f"{path.parent.name}/manifest.json"], tables = site_of(path)
            files += tables
        megabytes = sum(path.stat().st_size for path in files) / 1e6
        check_size(megabytes, snakemake.params.site["max_mb"])
        aside = site.with_name(f".{site.name}.part")
        shutil.rmtree(aside, ignore_errors=True)
        for path in files:
            target = aside / path.relative_to(results)
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                target.hardlink_to(path)
            except OSError:
                shutil.copy2(path, target)
        for name, record in records.items():
            save_record(aside / name, record, sort_keys=False)
        # Tells GitHub Pages to serve the files as they are.
        (aside / ".nojekyll").touch()
        aside.rename(site)
        progress.info("%s: %d files, %.1f MB", site, len(files) + len(records), megabytes)
