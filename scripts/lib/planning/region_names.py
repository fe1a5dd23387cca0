"""Names that the configuration gives to regions: files of the form that name_regions writes as region_names.yaml."""

from pathlib import Path

from lib.planning.catalogue import find_model
from lib.planning.schema import ConfigError, check, find_path, read_yaml


def read_region_names(paths: list[str], models: dict[str, dict], root: Path) -> dict[tuple[str, str], dict]:
    """The names in these files by model and layer: of each region by its id, and `division`.

    Raises ConfigError: a file does not exist or breaks the schema, or names a layer that does not exist, or one twice.
    """
    names: dict[tuple[str, str], dict] = {}
    for path in paths:
        entries = read_yaml(find_path(path, root, "regions.names"))
        check(entries, "names", path)
        for model, layers in entries.items():
            rows = find_model(models, model, path)["rows"]
            for name, regions in layers.items():
                layer = name.removeprefix("layer-")
                if int(layer) not in rows:
                    raise ConfigError(f"{path}: {model} has no {name}")
                if (model, layer) in names:
                    raise ConfigError(f"{path}: another file of regions.names already names {model} {name}")
                names[model, layer] = regions
    return names
