"""All products of a model, checked -> README.md and SHA256SUMS: what goes with them when they are published.

Refuses maps below a floor of the configuration, and a manifest that does not describe the maps beside it.
"""

from pathlib import Path

from lib.files import save_bytes, sha256
from lib.job import UserError, job_log
from lib.publishing.files import BESIDE_THE_MAPS, checksums, layer_files, mismatches, read_manifest, readme


def main(snakemake) -> None:
    """Check, describe, then list the checksums of all."""
    with job_log(snakemake) as log:
        given = snakemake.input
        folder = Path(given.manifest).parent
        manifest = read_manifest(Path(given.manifest))
        asked = [Path(path).name for path in (*given.graphs, *given.gzips)]
        if wrong := mismatches(folder, manifest, asked):
            raise UserError(
                f"{given.manifest} does not describe the files beside it: {'; '.join(wrong)}. Delete it and the files"
                " named here, and run the same command again: they are made anew from what is there"
            )
        save_bytes(snakemake.output.readme, readme(manifest, snakemake.params.about).encode())
        files = {entry["filePath"]: entry["sha256"] for entry in layer_files(manifest)}  # compared just now
        files |= {name: sha256(folder / name) for name in BESIDE_THE_MAPS}
        save_bytes(snakemake.output.checksums, checksums(files).encode())
        log.info("%d files: every map is above its floors, the manifest as the files are", len(files))


if __name__ == "__main__":
    main(snakemake)  # noqa: F821
