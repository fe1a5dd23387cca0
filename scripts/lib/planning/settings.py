"""The configuration: checked, with its numbers parsed, and the models and layers that it selects."""

import math
import os
import re
from pathlib import Path

import yaml

from lib.planning.catalogue import Catalogue, find_address, find_model, find_sae
from lib.planning.schema import ConfigError, check, load_schema, parsed, read_yaml

# Of each of these Snakemake keeps only the last on a command line.
FLAGS = (("--configfile", "--configfiles"), ("--config", "-C"))
# Environment variables that hold whole seconds.
SECONDS = ("SOURCE_DATE_EPOCH", "HF_HUB_DOWNLOAD_TIMEOUT", "HF_HUB_ETAG_TIMEOUT")


def check_environment() -> None:
    """Check the variables that would stop a job after hours, or in the middle of its imports.

    Raises ConfigError: one does not hold whole seconds.
    """
    for name in SECONDS:
        if (value := os.environ.get(name)) is not None and not re.fullmatch(r"\d{1,10}", value, re.ASCII):
            raise ConfigError(f"the environment variable {name} is {value!r}: set it to whole seconds, or unset it")


def check_command_line(words: list[str], files: list[str | Path]) -> None:
    """Check what Snakemake drops or misreads without a word: doubled flags, and the configuration files it has read.

    Raises ConfigError: a flag appears twice, a target is taken for a configuration file, or a file holds a key twice.
    """
    for flag in FLAGS:
        if len([word for word in words if word.partition("=")[0] in flag]) > 1:
            raise ConfigError(
                f"{flag[0]} appears twice, and Snakemake keeps only the last: write it once, followed by all its values"
            )
    for file in map(Path, files):
        if Path("results").absolute() in file.parents:
            raise ConfigError(
                f"{file} is a result, but stands after --configfile, which takes all that follows it for configuration"
                f" files.\nName targets first: snakemake {file.relative_to(Path.cwd())} --configfile mine.yaml"
            )
        read_yaml(file)


def check_config(config: dict) -> None:
    """Check the configuration, key by key and across keys; order its keys and parse its numbers in place.

    Raises ConfigError: one line per mistake.
    """
    config |= parsed(config, load_schema("config"))
    if "umap" in config:
        raise ConfigError(
            f"configuration: the block `umap` is now `layout`. Write instead:\n\n{_as_layout(config['umap'])}"
        )
    check(config, "config", "configuration")
    k, layout = config["neighbors"]["k"], config["layout"]
    method, umap = layout["method"], layout["umap"]
    chosen = layout[method]
    limits = [
        ("edges.k", config["edges"]["k"], k, "neighbors.k"),
        ("layout.umap.min_dist", umap["min_dist"], umap["spread"], "layout.umap.spread"),
        (f"layout.{method}.n_neighbors", chosen["n_neighbors"], k + 1, "neighbors.k + 1"),
    ]
    if method == "neighbor_embedding":
        most = math.inf if k >= 15 else 0
        limits += [
            (f"layout.{method}.perplexity", chosen["perplexity"], k / 3, "neighbors.k / 3"),
            (f"layout.{method}.refinement_epochs", chosen["refinement_epochs"], most, "neighbors.k is below 15"),
        ]
    for key, value, most, reason in limits:
        if value > most:
            raise ConfigError(f"configuration: {key} is {value}: expected at most {most:g} ({reason})")


def _as_layout(umap: object) -> str:
    """The `layout` block, as YAML, that asks for what an old `umap` block asked for."""
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


def selection(config: dict, models: Catalogue) -> dict[str, list[int]]:
    """The layers that the configuration selects, ascending, by model in its order.

    An address (`find_address`) selects its layer, a model those that `layers` says.

    Raises ConfigError: `models` or `layers` names what does not exist, or `layers` a model that is not selected.
    """
    entries = config["models"]
    entries = [part.strip() for part in entries.split(",")] if isinstance(entries, str) else entries
    selected: dict[str, set[int]] = {}
    for entry in models.listed if entries == ["all"] else entries:
        name, layer = find_address(models, entry) if "/" in entry else (entry, None)
        layers = selected_layers(config, models, name) if layer is None else {layer}
        selected.setdefault(name, set()).update(layers)
    for name in config["layers"] if isinstance(config["layers"], dict) else ():
        if name not in selected:
            names = ", ".join(selected)
            raise ConfigError(f"configuration: layers: {name!r} is not among the selected models: {names}")
    return {name: sorted(layers) for name, layers in selected.items()}


def selected_layers(config: dict, models: Catalogue, name: str) -> set[int]:
    """The layers of one model that `layers` selects: `all`, 12, `0-5,12`, a list, or these by model."""
    rows = find_model(models, name)["rows"]
    chosen = config["layers"].get(name, "all") if isinstance(config["layers"], dict) else config["layers"]
    layers: set[int] = set()
    for part in ",".join(map(str, chosen if isinstance(chosen, list) else [chosen])).split(","):
        if part.strip() == "all":
            layers.update(rows)
            continue
        match = re.fullmatch(r"\s*(\d+)(?:\s*-\s*(\d+))?\s*", part)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if first > last:
            raise ConfigError(
                f"configuration: layers: {part!r} is neither `all`, nor a number, nor a range such as 0-5"
            )
        layers.update(find_sae(models, name, layer).layer for layer in range(first, last + 1))
    return layers


def check_downloads(selected: dict[str, list[int]], models: Catalogue, limit: float) -> None:
    """Check that the selected weights not yet fetched are at most `limit` gigabytes.

    Raises ConfigError: naming the size of each model's.
    """
    sizes = {}
    for name, layers in selected.items():
        missing = [layer for layer in layers if not Path(f"results/{name}/layer-{layer}/decoder.json").exists()]
        sizes[name] = sum(find_sae(models, name, layer).megabytes for layer in missing) / 1000
    total = sum(sizes.values())
    if total > limit:
        each = ", ".join(f"{name} {size:.1f}" for name, size in sizes.items() if size)
        raise ConfigError(
            f"configuration: the selected models would download up to {total:.1f} GB of weights ({each}), more than"
            f" weights.max_download_gb ({limit}): select fewer models or layers, or raise the limit:"
            f" --config 'weights={{max_download_gb: {math.ceil(total)}}}'"
        )
