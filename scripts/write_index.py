"""The manifests of all selected models -> index.json: the models that the explorer offers."""

import json
from pathlib import Path

from lib.files import save_bytes
from lib.job import job_log


def index(manifests: list[Path], folder: Path) -> dict:
    """The models in the order of the configuration; their manifests' paths are relative to `folder`, the index's."""
    models = []
    for path in manifests:
        manifest = json.loads(path.read_bytes())
        names = {key: manifest[key] for key in ("modelId", "displayName")}
        models.append(names | {"manifest": path.relative_to(folder).as_posix()})
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
