"""All products of a model, checked -> README.md and SHA256SUMS: what accompanies them when they are published.

Refuses a manifest that does not describe the files beside it. The manifest itself lists no map below its floors.
"""

from pathlib import Path

from lib.errors import UserError
from lib.files import load_record, save_bytes
from lib.job import job_log
from lib.publishing.documents import render
from lib.publishing.files import File, mismatches

if __name__ == "__main__":
    with job_log(snakemake) as log:
        inputs, readme = snakemake.input, Path(snakemake.output.readme)
        manifest = load_record(inputs.manifest)
        files = {path.relative_to(readme.parent).as_posix(): File.of(path) for path in map(Path, inputs.files)}
        if wrong := mismatches(manifest, files):
            raise UserError(
                f"{inputs.manifest} does not describe {', '.join(wrong)}: delete it and these files, as far as they"
                " exist, and run the same command again, which makes them from the intermediate files"
            )
        save_bytes(readme, render(Path(inputs.templates[0]), manifest=manifest, about=snakemake.params.about))
        files[readme.name] = File.of(readme)
        lines = (f"{file.sha256}  {name}\n" for name, file in sorted(files.items()))
        save_bytes(snakemake.output.checksums, "".join(lines).encode())
        log.info("%d files, and the manifest describes them", len(files))
