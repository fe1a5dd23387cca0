"""What the rule files share. The checked configuration, rows of the catalogues, resources; it holds no rule."""

import math
import os
import sys
import tomllib
from pathlib import Path

ROOT = Path(workflow.basedir)
sys.path.insert(0, str(ROOT / "scripts"))
from lib.labels.export_files import label_files
from lib.planning.catalogue import find_sae, read_catalogues
from lib.planning.imports import library_files
from lib.planning.publishing import huggingface_dataset, release_on_github
from lib.planning.settings import check_config, selected_layers, selected_models

check_config(config)
MODELS = read_catalogues(config["catalogues"], ROOT)
SELECTED = {model: selected_layers(config, MODELS, model) for model in selected_models(config, MODELS)}
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]

# Limits over all layers together, wherever they run; --resources downloads=1 and the like override them.
for _resource in ("downloads", "label_jobs"):
    workflow.global_resources.setdefault(_resource, config["network"][_resource])


wildcard_constraints:
    model="|".join(map(re.escape, MODELS)),
    layer="|".join(sorted({str(layer) for model in MODELS.values() for layer in model["rows"]})),


def sae(wildcards):
    """The row of the catalogues that a job is about."""
    return find_sae(MODELS, wildcards.model, wildcards.layer)


def lib(script):
    """The library files that a script imports: inputs, so that editing one of them reruns the script."""
    return [os.path.relpath(path) for path in library_files(f"{script}.py")]


def layers_of(model):
    """The layers that a model's manifest lists: the selected ones, or all if the model itself is not selected."""
    return SELECTED.get(model, MODELS[model]["rows"])


def per_layer(model, name):
    """One file of each of a model's layers, such as `layer-{layer}/quality.json`, below the model's folder."""
    return [f"results/{model}/{name.format(layer=layer)}" for layer in layers_of(model)]


def products(model):
    """What is published of each layer, by the manifest's name for it."""
    suffixes = {"graphs": ".json", "gzips": ".json.gz", "tables": ".parquet"}
    if not config["export"]["gzip"]:
        del suffixes["gzips"]
    return {name: per_layer(model, f"layer-{{layer}}{suffix}") for name, suffix in suffixes.items()}


def of_selected(name):
    """One file of each selected model."""
    return [f"results/{model}/{name}" for model in SELECTED]


def wanted():
    """What `all` asks for: what each manifest lists, so that deleted files are made again; tables and figures."""
    names = ("manifest.json", "quality.tsv", "features.parquet", "figures/layers.png", "figures/layers.html")
    files = [path for name in names for path in of_selected(name)]
    for model in SELECTED:
        files += [path for paths in products(model).values() for path in paths]
        files += per_layer(model, "figures/layer-{layer}.png")
    return files


def released(model):
    """The files of a model that describe_release lists in SHA256SUMS."""
    beside = ("README.md", "features.parquet", "manifest.json", "quality.tsv")
    maps = [path for paths in products(model).values() for path in paths]
    return [*maps, *(f"results/{model}/{name}" for name in beside)]


def github_release(wildcards):
    """Where a model is released on GitHub: repository, tag, title and notes."""
    return release_on_github(config, MODELS, wildcards.model, VERSION)


def origins(model):
    """Where a model's weights come from, and the licences of weights and labels as far as its catalogue states them."""
    return {
        "weights": MODELS[model]["weights"].get("repo"),
        "licenses": MODELS[model].get("licenses", {}),
    }


def unless_dropped(path, otherwise):
    """`path` if decoders are kept, otherwise(path) if each is deleted after use (weights.keep_decoders)."""
    return path if config["weights"]["keep_decoders"] else otherwise(path)


def search_threads(wildcards):
    """One thread per 8,192 features: smaller layers are finished before more threads have started."""
    return min(8, max(1, sae(wildcards).features // 8192))


def memory(base, decoders=0, per_feature=0):
    """mem_mb of a step: 1.5 times its measured peak, and as much again with each further attempt.

    The peak is `base` MB, `decoders` copies of the decoder and `per_feature` KB per feature (docs/cluster.md).
    """

    def mem_mb(wildcards, attempt):
        row = sae(wildcards)
        peak = base + decoders * 4e-6 * row.features * row.d_model + 1e-3 * per_feature * row.features
        return math.ceil(1.5 * peak) * attempt

    return mem_mb


def minutes(base, per_16k=0, per_16k_squared=0):
    """runtime of a step in minutes: about five times the time on two slow cores, as much again per further attempt.

    It is `base`, plus what 16,384 features take, growing in proportion to their number or to its square.
    """

    def runtime(wildcards, attempt):
        row = sae(wildcards)
        size = row.features / 16384
        return math.ceil(base + per_16k * size + per_16k_squared * size**2 * row.d_model / 2304) * attempt

    return runtime
