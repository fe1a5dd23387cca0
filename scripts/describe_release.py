"""All products of a model, checked -> README.md and SHA256SUMS: what accompanies them when they are published.

Refuses a manifest that does not describe the files beside it. The manifest itself lists no map below its floors.
"""

from pathlib import Path

from lib.errors import UserError
from lib.files import load_record, save_bytes, sha256
from lib.job import job_log
from lib.publishing.documents import render
from lib.publishing.files import layer_files, mismatches


def main(snakemake) -> None:
    """Check, describe, then list the checksums; those of the maps are the manifest's, which have just been compared."""
    with job_log(snakemake) as log:
        inputs, readme = snakemake.input, snakemake.output.readme
        manifest = load_record(inputs.manifest)
        expected = {Path(path).name for path in inputs.maps}
        if wrong := mismatches(Path(inputs.manifest).parent, manifest, expected):
            raise UserError(
                f"{inputs.manifest} does not describe the files beside it: {'; '.join(wrong)}. Delete it and the files"
                " named here, and run the same command again, which makes them from the intermediate files"
            )
        save_bytes(readme, render(Path(inputs.templates[0]), manifest=manifest, about=snakemake.params.about))
        digests = {entry["filePath"]: entry["sha256"] for entry in layer_files(manifest)}
        for path in (readme, inputs.manifest, inputs.features, inputs.table):
            digests[Path(path).name] = sha256(path)
        lines = (f"{digest}  {name}\n" for name, digest in sorted(digests.items()))
        save_bytes(snakemake.output.checksums, "".join(lines).encode())
        log.info("%d files, and the manifest describes them", len(digests))


if __name__ == "__main__":
    main(snakemake)  # noqa: F821
