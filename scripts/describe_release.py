"""All products of a model, checked -> README.md and SHA256SUMS: what accompanies them when they are published.

Refuses a manifest that does not describe the files beside it. The manifest itself lists no map below its floors.
"""

from pathlib import Path

from lib.files import load_record, save_bytes, sha256
from lib.job import UserError, job_log
from lib.publishing.documents import render
from lib.publishing.files import BESIDE_THE_MAPS, checksums, layer_files, mismatches


def main(snakemake) -> None:
    """Check, describe, then list the checksums."""
    with job_log(snakemake) as log:
        path = Path(snakemake.input.manifest)
        folder, manifest = path.parent, load_record(path)
        if wrong := mismatches(folder, manifest, [Path(file).name for file in snakemake.input.maps]):
            raise UserError(
                f"{path} does not describe the files beside it: {'; '.join(wrong)}. Delete it and the files named"
                " here, and run the same command again, which makes them from the intermediate files"
            )
        template = Path(snakemake.input.templates[0])
        save_bytes(snakemake.output.readme, render(template, manifest=manifest, about=snakemake.params.about))
        # Compared just now, so not computed a second time.
        files = {entry["filePath"]: entry["sha256"] for entry in layer_files(manifest)}
        files |= {name: sha256(folder / name) for name in BESIDE_THE_MAPS}
        save_bytes(snakemake.output.checksums, checksums(files).encode())
        log.info("%d files, and the manifest describes them", len(files))


if __name__ == "__main__":
    main(snakemake)  # noqa: F821
