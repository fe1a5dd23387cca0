"""The manifests in results/ -> index.json: the models that the explorer offers, those just selected first.

Manifests of other runs are listed too, but are no inputs: the index must not plan models that nobody selected.
"""

from pathlib import Path

from lib.files import save_record
from lib.job import job_log
from lib.products.index import explorer_index

if __name__ == "__main__":
    with job_log(snakemake) as log:
        folder = Path(snakemake.output.index).parent
        selected = [Path(path) for path in snakemake.input.manifests]
        others = sorted(set(folder.glob("*/manifest.json")) - set(selected))
        index = explorer_index([*selected, *others], folder)
        save_record(snakemake.output.index, index, sort_keys=False)
        log.info("%d models", len(index["models"]))
