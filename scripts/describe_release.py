"""All products of a model, checked -> README.md and SHA256SUMS: what goes with them when they are published.

Refuses maps below a floor of the configuration, and a manifest that does not describe the maps beside it.
"""

from pathlib import Path

from lib.files import load_record, save_bytes, sha256
from lib.job import UserError, job_log
from lib.products.floors import below_floors
from lib.publishing.files import BESIDE_THE_MAPS, checksums, layer_files, mismatches, read_manifest, readme


def refused_maps(qualities: dict[str, dict], floors: dict[str, float]) -> list[str]:
    """What to say of each layer whose quality.json, by path, has a measure below its floor."""
    return [
        f"{path}: {', '.join(low)}"
        for path, record in qualities.items()
        if (low := below_floors(record.get("map", {}), floors))
    ]


def main(snakemake) -> None:
    """Check, describe, then list the checksums of all."""
    with job_log(snakemake) as log:
        given = snakemake.input
        if refused := refused_maps(
            {path: load_record(path) for path in given.qualities}, snakemake.params.quality
        ):
            raise UserError(
                f"not to be published: {'; '.join(refused)}. Choose another layout (umap), leave these layers out"
                " (layers), or, where the decoder really has so little structure, lower the floor (quality)"
            )
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
