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
    if "umap" in config:
        raise ConfigError(
            f"configuration: the block `umap` is now `layout`. Write instead:\n\n{_as_layout(config['umap'])}"
        )
    check(config, "config", "configuration")
    k, layout, edges = config["neighbors"]["k"], config["layout"], config["edges"]
    others = layout[layout["method"]]["n_neighbors"] - 1
    if others > k:
        key = f"layout.{layout['method']}.n_neighbors"
        raise ConfigError(
            f"configuration: {key} is {others + 1} (the feature itself and {others} others), but neighbors.k stores"
            f" {k}: raise neighbors.k to {others} or lower {key}"
        )
    if edges["k"] > k:
        raise ConfigError(
            f"configuration: edges.k is {edges['k']}, but neighbors.k stores {k}: raise neighbors.k to {edges['k']}"
            " or lower edges.k"
        )
    umap = layout["umap"]
    if umap["min_dist"] > umap["spread"]:
        raise ConfigError(
            f"configuration: layout.umap.min_dist is {umap['min_dist']}, above layout.umap.spread ({umap['spread']}):"
            " lower min_dist"
        )


def _as_layout(umap: object) -> str:
    """The `layout` block, as YAML, that gives the same map as an old `umap` block."""
    umap = dict(umap) if isinstance(umap, dict) else {}
    method = umap.pop("method", "batch")
    layout = {key: umap.pop(key) for key in ("seed",) if key in umap}
    if method == "umap-learn":
        # The old defaults, which differ from those of layout.umap.
        old = {"n_neighbors": 15, "n_epochs": 400, "negative_sample_rate": 150, "repulsion_strength": 1.0}
        layout |= {"method": "umap", "umap": old | umap}
    else:
        names = {"negative_sample_rate": "negative_samples"}
        unused = ("min_dist", "spread", "init")
        block = {names.get(key, key): value for key, value in umap.items() if key not in unused}
        layout |= {"method": "neighbor_embedding"} | ({"neighbor_embedding": block} if block else {})
    return yaml.safe_dump({"layout": layout}, sort_keys=False)


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
