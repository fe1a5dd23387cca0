"""The manifests of all selected models -> index.json: which models the explorer offers."""

import json
from pathlib import Path

from lib.files import save_bytes
from lib.job import job_log


def index(manifests: list[Path], folder: Path) -> dict:
    """The models in the order of the configuration; `manifest` is a path from `folder`, the index's."""
    models = []
    for path in manifests:
        listed = json.loads(path.read_bytes())
        models.append(
            {
                "modelId": listed["modelId"],
                "displayName": listed["displayName"],
                "manifest": path.relative_to(folder).as_posix(),
            }
        )
    return {"models": models}


def main(snakemake) -> None:
    """Read the manifests, write the index."""
    with job_log(snakemake) as log:
        target = Path(snakemake.output.index)
        listed = index([Path(path) for path in snakemake.input.manifests], target.parent)
        save_bytes(target, (json.dumps(listed, indent=2, ensure_ascii=False) + "\n").encode())
        log.info("%d models", len(listed["models"]))


if __name__ == "__main__":
    main(snakemake)  # noqa: F821
