"""Names that the configuration gives to regions: files of the form that name_regions writes as region_names.yaml."""

from pathlib import Path

from lib.planning.schema import ConfigError, check, find_path, read_yaml, suggestion


def read_region_names(paths: list[str], models: dict[str, dict], root: Path) -> dict[tuple[str, str], dict]:
    """The names in these files by model and layer: of each region by its id, and `division`.

    Raises ConfigError: a file does not exist or breaks the schema, or names a layer that does not exist, or one twice.
    """
    names: dict[tuple[str, str], dict] = {}
    for path in paths:
        entries = read_yaml(find_path(path, root, "regions.names"))
        check(entries, "names", path)
        for model, layers in entries.items():
            if model not in models:
                raise ConfigError(
                    f"{path}: no catalogue defines {model!r}: {suggestion(model, list(models), 'models')}"
                )
            for name, regions in layers.items():
                layer = name.removeprefix("layer-")
                if int(layer) not in models[model]["rows"]:
                    raise ConfigError(f"{path}: {model} has no {name}")
                if (model, layer) in names:
                    raise ConfigError(f"{path}: another file of regions.names already names {model} {name}")
                names[model, layer] = regions
    return names
