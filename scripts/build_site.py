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


def site_of(checksums: Path) -> tuple[dict, dict[str, Path]]:
    """A model's manifest for the site, and the files that it lists, by path in the site; all verified.

    Without layer-N.json and its twins: the page reads the tables.
    """
    files = verified(checksums)
    manifest = load_record(files["manifest.json"].path)
    for entry in manifest["layers"]:
        for key in ("filePath", "fileSize", "sha256", "gzip"):
            entry.pop(key, None)
        entry.get("frame", {}).pop("graph", None)
    names = [entry["filePath"] for entry in listed_files(manifest)]
    return manifest, {f"{checksums.parent.name}/{name}": files[name].path for name in names}


def check_size(sizes: dict[str, int], max_mb: int) -> None:
    """Raise UserError if the site's parts, in bytes, are larger together than `max_mb`."""
    total = sum(sizes.values()) / 1e6
    if total > max_mb:
        parts = ", ".join(f"{part} {size / 1e6:.1f} MB" for part, size in sizes.items())
        raise UserError(
            f"the site would have {total:.1f} MB, publish.site.max_mb is {max_mb}: {parts}. Choose fewer models or"
            " layers, or raise the limit for another host: GitHub Pages takes no site above 1 GB"
        )


if __name__ == "__main__":
    with job_log(snakemake):
        page, site = Path(snakemake.input.page), Path(snakemake.output.site)
        checksums = [Path(path) for path in snakemake.input.checksums]
        assets = sorted(filter(Path.is_file, Path(snakemake.input.assets).rglob("*")))
        files = [page, Path(snakemake.input.worker), *assets]
        parts = {"the page": {path.relative_to(page.parent).as_posix(): path for path in files}}
        models = {path.parent.name: site_of(path) for path in checksums}
        parts |= {model: files for model, (_, files) in models.items()}
        sizes = {part: sum(path.stat().st_size for path in files.values()) for part, files in parts.items()}
        check_size(sizes, snakemake.params.site["max_mb"])
        aside = site.with_name(f".{site.name}.part")
        shutil.rmtree(aside, ignore_errors=True)
        for name, path in (item for files in parts.values() for item in files.items()):
            target = aside / name
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                target.hardlink_to(path)
            except OSError:
                shutil.copy2(path, target)
        for model, (manifest, _) in models.items():
            save_record(aside / model / "manifest.json", manifest, sort_keys=False)
        # The index in results/ may list models of other runs, which are not here.
        index = explorer_index([path.with_name("manifest.json") for path in checksums], page.parent)
        save_record(aside / "index.json", index, sort_keys=False)
        # Tells GitHub Pages to serve the files as they are.
        (aside / ".nojekyll").touch()
        shutil.rmtree(site, ignore_errors=True)
        aside.rename(site)
        count = sum(map(len, (*parts.values(), models)))
        progress.info("%s: %d files, %.1f MB", site, count, sum(sizes.values()) / 1e6)
