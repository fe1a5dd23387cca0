"""The configuration: checked, with its numbers parsed, and the models and layers that it selects."""

import re

import yaml

from lib.planning.catalogue import find_model, spell
from lib.planning.schema import ConfigError, check


def check_config(config: dict) -> None:
    """Check the configuration, key by key and across keys; order its keys and parse its numbers in place.

    Raises
    ------
    ConfigError
        One line per mistake.
    """
    for key, block in config.items():
        if isinstance(block, dict):
            config[key] = _normalized(block)
    check(config, "config", "configuration")
    k, umap, edges = config["neighbors"]["k"], config["umap"], config["edges"]
    if umap["n_neighbors"] > k + 1:
        raise ConfigError(
            f"configuration: umap.n_neighbors is {umap['n_neighbors']} (the feature itself and"
            f" {umap['n_neighbors'] - 1} others), but neighbors.k stores {k}: raise neighbors.k to"
            f" {umap['n_neighbors'] - 1} or lower umap.n_neighbors"
        )
    if edges["k"] > k:
        raise ConfigError(
            f"configuration: edges.k is {edges['k']}, but neighbors.k stores {k}: raise neighbors.k to {edges['k']}"
            " or lower edges.k"
        )
    if umap["n_epochs"] is None and umap["method"] == "batch":
        raise ConfigError(
            "configuration: umap.n_epochs is None, which leaves the number to umap-learn, but umap.method is batch:"
            " give a whole number"
        )
    if umap["min_dist"] > umap["spread"]:
        raise ConfigError(
            f"configuration: umap.min_dist is {umap['min_dist']}, above umap.spread ({umap['spread']}): lower min_dist"
        )


def selected_models(config: dict, models: dict[str, dict]) -> list[str]:
    """The models that the configuration selects, in its order, each once."""
    selection = config["models"]
    names = [part.strip() for part in selection.split(",")] if isinstance(selection, str) else selection
    if names == ["all"]:
        return list(models)
    return list(dict.fromkeys(name for name in names if find_model(models, name)))


def selected_layers(config: dict, models: dict[str, dict], name: str) -> list[int]:
    """The layers of one model that the configuration selects, ascending: `all`, 12, `0-5,12`, or a list of these."""
    rows = models[name]["rows"]
    selection = config["layers"] if isinstance(config["layers"], list) else [config["layers"]]
    layers: set[int] = set()
    for part in (part.strip() for entry in selection for part in str(entry).split(",")):
        if part == "all":
            layers.update(rows)
            continue
        match = re.fullmatch(r"(\d+)(?:\s*-\s*(\d+))?", part)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if first > last:
            raise ConfigError(
                f"configuration: layers: {part!r} is neither `all`, nor a number, nor a range such as 0-5"
            )
        missing = [layer for layer in range(first, last + 1) if layer not in rows]
        if missing:
            raise ConfigError(
                f"configuration: layers: {name} has no layer {missing[0]}: its layers are {spell(rows)}"
            )
        layers.update(range(first, last + 1))
    return sorted(layers)


def _normalized(block: dict) -> dict:
    """Sorted keys, because Snakemake compares params as text; and numbers, which --config passes on as text."""
    return {
        name: _normalized(value) if isinstance(value, dict) else _number(value)
        for name, value in sorted(block.items())
    }


def _number(value):
    if not isinstance(value, str):
        return value
    parsed = yaml.safe_load(value) if re.fullmatch(r"[-+.\w]+", value) else value
    return parsed if parsed is None or isinstance(parsed, int | float) else value
