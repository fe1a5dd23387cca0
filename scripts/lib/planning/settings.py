"""The configuration: checked, with its numbers parsed, and the models and layers that it selects."""

import math
import os
import re
from pathlib import Path

import yaml

from lib.planning.catalogue import Catalogue, find_address, find_model, find_sae, spell
from lib.planning.schema import ConfigError, check, load_schema, parsed, read_yaml

# Of each of these Snakemake keeps only the last on a command line.
FLAGS = {"--configfile": r"--configfiles?(=.*)?", "--config": r"(--config|-C)(=.*)?"}
# Environment variables that hold whole seconds, with an example.
SECONDS = {"SOURCE_DATE_EPOCH": 1767225600, "HF_HUB_DOWNLOAD_TIMEOUT": 30, "HF_HUB_ETAG_TIMEOUT": 30}


def check_environment() -> None:
    """Check the variables that would stop a job after hours, or in the middle of its imports.

    Raises ConfigError: one does not hold whole seconds.
    """
    for name, example in SECONDS.items():
        if (value := os.environ.get(name)) is not None and not re.fullmatch(r"\d{1,10}", value, re.ASCII):
            raise ConfigError(
                f"the environment variable {name} is {value!r}: set it to whole seconds, such as {example}, or unset it"
            )


def check_command_line(words: list[str], files: list[str | Path]) -> None:
    """Check what Snakemake drops or misreads without a word: doubled flags, and the configuration files it has read.

    Raises ConfigError: a flag appears twice, a target is taken for a configuration file, or a file holds a key twice.
    """
    for flag, spellings in FLAGS.items():
        if len([word for word in words if re.fullmatch(spellings, word, re.DOTALL)]) > 1:
            raise ConfigError(
                f"{flag} appears twice, and Snakemake keeps only the last: write it once, followed by all its values"
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
    for key, block in config.items():
        if isinstance(block, dict):
            config[key] = parsed(block, load_schema("config")["properties"].get(key, {}))
    if "umap" in config:
        raise ConfigError(
            f"configuration: the block `umap` is now `layout`. Write instead:\n\n{_as_layout(config['umap'])}"
        )
    check(config, "config", "configuration")
    k, layout, edges = config["neighbors"]["k"], config["layout"], config["edges"]
    method, umap = layout["method"], layout["umap"]
    parameters = layout[method]
    n_neighbors, perplexity = parameters["n_neighbors"], parameters.get("perplexity", 0)
    refinement = parameters.get("refinement_epochs", 0)
    uses = (
        (f"layout.{method}.n_neighbors", n_neighbors, n_neighbors - 1),
        (f"layout.{method}.perplexity", perplexity, round(3 * perplexity)),
        (f"layout.{method}.refinement_epochs", refinement, 15 if refinement else 0),
        ("edges.k", edges["k"], edges["k"]),
    )
    for key, value, others in uses:
        if others > k:
            raise ConfigError(
                f"configuration: {key} is {value}, which takes {others} neighbours per feature, but neighbors.k stores"
                f" {k}: raise neighbors.k to {others} or lower {key}"
            )
    if umap["min_dist"] > umap["spread"]:
        raise ConfigError(
            f"configuration: layout.umap.min_dist is {umap['min_dist']}, above layout.umap.spread ({umap['spread']}):"
            " lower min_dist"
        )


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
        layers = selected_layers(config, models, name) if layer is None else [layer]
        selected.setdefault(name, set()).update(layers)
    for name in config["layers"] if isinstance(config["layers"], dict) else ():
        if name not in selected:
            names = ", ".join(selected)
            raise ConfigError(f"configuration: layers: {name!r} is not among the selected models: {names}")
    return {name: sorted(layers) for name, layers in selected.items()}


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


def selected_layers(config: dict, models: Catalogue, name: str) -> list[int]:
    """The layers of one model that `layers` selects, ascending: `all`, 12, `0-5,12`, a list, or these by model."""
    rows = find_model(models, name)["rows"]
    chosen = config["layers"].get(name, "all") if isinstance(config["layers"], dict) else config["layers"]
    layers: set[int] = set()
    entries = chosen if isinstance(chosen, list) else [chosen]
    for part in (part.strip() for entry in entries for part in str(entry).split(",")):
        if part == "all":
            layers.update(rows)
            continue
        match = re.fullmatch(r"(\d+)(?:\s*-\s*(\d+))?", part)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if first > last:
            raise ConfigError(
                f"configuration: layers: {part!r} is neither `all`, nor a number, nor a range such as 0-5"
            )
        missing = next((layer for layer in range(first, last + 1) if layer not in rows), None)
        if missing is not None:
            raise ConfigError(f"configuration: layers: {name} has no layer {missing}: its layers are {spell(rows)}")
        layers.update(range(first, last + 1))
    return sorted(layers)
