"""The checked configuration, catalogues, paths and resources that all rule files share. Defines no rules."""

import itertools
import math
import os
import sys
import tomllib
from pathlib import Path

from snakemake.utils import update_config

# Not workflow.basedir, which is another workflow's if that uses this one as a module.
if not isinstance(workflow.current_basedir, os.PathLike):
    raise WorkflowError(
        "SAE Atlas cannot be used by github() or an address, because its scripts import files beside them: clone it, and"
        " name the Snakefile of the clone (docs/elsewhere.md)"
    )
ROOT = Path(workflow.current_basedir).parent
sys.path.insert(0, str(ROOT / "scripts"))
from lib.planning import settings
from lib.planning.catalogue import Catalogue, find_sae
from lib.planning.imports import library_files
from lib.planning.publishing import destination, release_on_github
from lib.planning.schema import read_yaml

# To a module Snakemake passes only the settings of the workflow that uses it.
_config, config = config, read_yaml(ROOT / "config" / "config.yaml")
update_config(config, _config)
settings.check_environment()
if ROOT == Path(workflow.basedir):  # otherwise both are another workflow's
    settings.check_command_line(sys.argv, workflow.configfiles)
settings.check_config(config)
MODELS = Catalogue(config["catalogues"], ROOT)
SELECTED = settings.selection(config, MODELS)
settings.check_downloads(SELECTED, MODELS, config["weights"]["max_download_gb"])
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]

# Limits across all layers, on this machine and on a cluster; --resources downloads=1 etc. override them.
for _resource in ("downloads", "label_jobs"):
    workflow.global_resources.setdefault(_resource, config["network"][_resource])


wildcard_constraints:
    model="|".join(map(re.escape, MODELS)),
    layer=r"\d|[1-9]\d|100",
    next=r"\d+",


def sae(wildcards):
    """Return the catalogue row of a job."""
    return find_sae(MODELS, wildcards.model, wildcards.layer)


def sources(*paths):
    """Return input files that no rule makes, marked so that the `prefix` of a module does not apply to them."""
    return [local(os.path.relpath(path)) for path in paths]


def lib(script):
    """Return the library files that a script imports: as inputs, so that editing one reruns the script."""
    return sources(*library_files(f"{script}.py"))


def layers_of(model):
    """Return the layers of a model's manifest: the selected ones, or all if the model is not selected."""
    return SELECTED.get(model, sorted(MODELS[model]["rows"]))


def per_layer(model, name):
    """Return a file of each layer of a model; `name` is relative to its folder, such as layer-{layer}/quality.json."""
    return [f"results/{model}/{name.format(layer=layer)}" for layer in layers_of(model)]


def every_layer(name):
    """Return an input function: this intermediate file of each layer of the job's model."""
    return lambda wildcards: per_layer(wildcards.model, f"layer-{{layer}}/{name}")


def has_atlas(model):
    """Return whether a run makes the atlas of a model: one layer alone has none, nor layers without a common basis."""
    enabled = config["atlas"]["enabled"]
    comparable = len(layers_of(model)) > 1 and MODELS[model].get("site") != "hook_z"
    return comparable and (config["weights"]["keep_decoders"] if enabled == "auto" else enabled)


def products(model):
    """Return the published files of a model: of its layers maps, gzip twins if configured, tables; and its atlas."""
    gzip, atlas = config["export"]["gzip"], has_atlas(model)
    return {
        "graphs": per_layer(model, "layer-{layer}.json"),
        "gzips": per_layer(model, "layer-{layer}.json.gz") if gzip else [],
        "tables": per_layer(model, "layer-{layer}.parquet"),
        "frames": per_layer(model, "atlas/layer-{layer}.json") if atlas else [],
        "frame_tables": per_layer(model, "atlas/layer-{layer}.parquet") if atlas else [],
        "tracks": [f"results/{model}/atlas/tracks.parquet"] if atlas else [],
    }


def finished(model):
    """Return what a run hands over of a model, figures aside: the products of its layers, tables, manifest."""
    names = ["features.parquet", "manifest.json", "quality.tsv"]
    if has_atlas(model):
        names += ["atlas/quality.json", "atlas/regions.tsv"]
    return [*itertools.chain(*products(model).values()), *(f"results/{model}/{name}" for name in names)]


def wanted():
    """Return the targets of `all`: also the files that a manifest lists, so that deleted ones are made again."""
    files = expand("results/{model}/figures/layers.{suffix}", model=SELECTED, suffix=("png", "html"))
    files.append("results/index.json")
    for model in SELECTED:
        files += [*finished(model), *per_layer(model, "figures/layer-{layer}.png")]
        files += [f"results/{model}/figures/atlas.png"] * has_atlas(model)
    return files


def reported(path, caption, what):
    """Mark an output for the report, among the files about all layers of a model; `what` is its name there."""
    about = {"category": "{model}", "subcategory": "All layers", "labels": {"what": what}}
    return report(path, caption=f"../report/{caption}.rst", **about)


def matches_of(model, of=None, to=None):
    """Return the matches of all adjacent layers of a model, or those of one layer with the next, or with the one before.

    Raises WorkflowError: the layer is not among those that make the frame, or there is only one.
    """
    layers = layers_of(model)
    if len(layers) < 2:
        raise WorkflowError(f"the atlas of {model} needs two layers or more, and only {layers} is selected")
    for layer in {of, to} - {None, *layers}:
        raise WorkflowError(f"the atlas of {model} spans the selected layers, and {layer} is not among them: {layers}")
    pairs = [pair for pair in itertools.pairwise(layers) if of in (None, pair[0]) and to in (None, pair[1])]
    return [f"results/{model}/layer-{layer}/matches-{following}.npz" for layer, following in pairs]


def released(*models):
    """Return the files of models that describe_release lists in SHA256SUMS."""
    return [path for model in models for path in (*finished(model), f"results/{model}/README.md")]


def github_release(wildcards):
    """Return where and how a model is released on GitHub: repository, tag, title and notes."""
    return release_on_github(config, MODELS, wildcards.model, VERSION)


def origins(model):
    """Return the repository of a model's weights, and the licences of weights and labels that its catalogue states."""
    return {"weights": MODELS[model]["weights"].get("repo"), "licenses": MODELS[model].get("licenses", {})}


def templates(*names):
    """Return template files of a document: inputs, so that editing one makes the document again."""
    return sources(*(ROOT / "resources" / "templates" / name for name in names))


def unless_dropped(path, otherwise):
    """Return `path` if decoders are kept (weights.keep_decoders), `otherwise(path)` if each is deleted after use."""
    return path if config["weights"]["keep_decoders"] else otherwise(path)


def threads_per(features, least, most):
    """Return a step's threads: one per so many features, within bounds; small layers are done before threads start."""
    return lambda wildcards: min(most, max(least, max(features_at_once(wildcards)) // features))


# All of the search is divided among threads, of the layout some 85 %: more than 8 would mostly wait.
search_threads = threads_per(8192, least=1, most=32)
layout_threads = threads_per(16384, least=2, most=8)


def features_at_once(wildcards):
    """Return the features of each layer that a job works on: those of the model, if it is not the job of one layer."""
    layers = [wildcards.layer] if hasattr(wildcards, "layer") else layers_of(wildcards.model)
    return [find_sae(MODELS, wildcards.model, layer).features for layer in layers]


def memory(base, decoders=0, per_feature=0):
    """Return a step's mem_mb: 1.5 times its measured peak, times the number of the attempt.

    The peak is `base` MB, plus `decoders` copies of a decoder, plus `per_feature` KB per feature (docs/cluster.md) of
    the job's layers.
    """

    def mem_mb(wildcards, attempt):
        features = features_at_once(wildcards)
        decoder = 4e-6 * max(features) * MODELS[wildcards.model]["d_model"]
        peak = base + decoders * decoder + 1e-3 * per_feature * sum(features)
        return math.ceil(1.5 * peak) * attempt

    return mem_mb


def minutes(base, per_16k=0, per_16k_squared=0):
    """Return a step's runtime in minutes: 5 to 10 times the measured time, times the number of the attempt.

    It is `base`, plus the work on each of the job's layers of 16,384 features, which grows with their number or with
    its square, divided by the threads that the job gets.
    """

    def runtime(wildcards, attempt, threads):
        sizes = [features / 16384 for features in features_at_once(wildcards)]
        # Of 2,304 dimensions. Comparing and ranking the products costs as much as 280 more.
        squares = sum(size**2 for size in sizes) * (MODELS[wildcards.model]["d_model"] + 280) / 2584
        return math.ceil(base + (per_16k * sum(sizes) + per_16k_squared * squares) / threads) * attempt

    return runtime
