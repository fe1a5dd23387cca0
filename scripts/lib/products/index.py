"""index.json: the models that the explorer offers ($defs/index of docs/manifest.schema.json)."""

from pathlib import Path

from lib.files import load_record


def explorer_index(manifests: list[Path], folder: Path) -> dict:
    """The models of these manifests, in their order; paths are relative to `folder`, the index's."""
    models = []
    for path in manifests:
        manifest = load_record(path)
        names = {key: manifest[key] for key in ("modelId", "displayName")}
        models.append(names | {"manifest": path.relative_to(folder).as_posix()})
    return {"models": models}
