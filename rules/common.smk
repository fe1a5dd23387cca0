"""What the rules share: the checked configuration, the catalogue's rows, and where library files lie. Holds no rule."""

import math
import os
import sys
import tomllib
from pathlib import Path

from snakemake.exceptions import WorkflowError

ROOT = Path(workflow.basedir)
sys.path.insert(0, str(ROOT / "scripts"))
from lib.planning import settings
from lib.planning.imports import library_files

try:
    settings.check_config(config)
    MODELS = settings.read_catalogues(config["catalogues"], ROOT)
    SELECTED = {
        model: settings.selected_layers(config, MODELS, model)
        for model in settings.selected_models(config, MODELS)
    }
except settings.ConfigError as error:
    raise WorkflowError(str(error)) from None

# Over all layers together, wherever they run; --resources downloads=1 and the like on the command line win.
for _resource in ("downloads", "label_jobs"):
    workflow.global_resources.setdefault(_resource, config["network"][_resource])

VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]


wildcard_constraints:
    model="|".join(map(re.escape, MODELS)),
    layer="|".join(sorted({str(layer) for model in MODELS.values() for layer in model["rows"]})),


def told(function, *arguments):
    """What a function of the settings answers; what it complains of stops the run."""
    try:
        return function(*arguments)
    except settings.ConfigError as error:
        raise WorkflowError(str(error)) from None


def sae(wildcards):
    """The catalogue's row for a job."""
    return told(settings.sae, MODELS, wildcards.model, wildcards.layer)


def lib(rule):
    """The library files that a rule's script imports: editing one of them reruns the rule."""
    return [os.path.relpath(path) for path in library_files(f"{rule}.py")]


def layers_of(model):
    """The layers that belong to a model's manifest: those selected, or all where the model itself is not selected."""
    return SELECTED.get(model, MODELS[model]["rows"])


def products(model):
    """The published files of one model's layers, by suffix."""
    suffixes = [".json", ".json.gz"] if config["export"]["gzip"] else [".json"]
    return {
        suffix: [f"results/{model}/layer-{layer}{suffix}" for layer in layers_of(model)]
        for suffix in suffixes
    }


def memory(base, decoders=0, per_feature=0):
    """mem_mb of a step: the measured peak of `base` MB, so many copies of the decoder, and so many KB a feature.

    Asked for is half as much again; each further attempt asks for as much more. docs/cluster.md has the measurements.
    """

    def mem_mb(wildcards, attempt):
        row = sae(wildcards)
        peak = base + decoders * 4e-6 * row.features * row.d_model + 1e-3 * per_feature * row.features
        return math.ceil(1.5 * peak) * attempt

    return mem_mb


def minutes(base, per_16k=0, per_16k_squared=0):
    """runtime of a step in minutes: `base`, and what 16,384 features take, growing in step or with their square.

    Some five times what was measured on two slow cores; each further attempt asks for as much more.
    """

    def runtime(wildcards, attempt):
        row = sae(wildcards)
        size = row.features / 16384
        return math.ceil(base + per_16k * size + per_16k_squared * size**2 * row.d_model / 2304) * attempt

    return runtime


def search_threads(wildcards):
    """A thread for every 8,192 features: fewer are done before their threads have started."""
    return min(8, max(1, sae(wildcards).features // 8192))


def manifests():
    """The manifests of the selected models."""
    return [f"results/{model}/manifest.json" for model in SELECTED]
