"""What the rules share: the checked configuration, the catalogue's rows, and where library files lie. Holds no rule."""

import os
import sys
import tomllib
from pathlib import Path

from snakemake.exceptions import WorkflowError

ROOT = Path(workflow.basedir)
sys.path.insert(0, str(ROOT / "scripts"))
from lib import settings

try:
    settings.check_config(config)
    MODELS = settings.read_catalogues(config["catalogues"], ROOT)
    SELECTED = {
        model: settings.selected_layers(config, MODELS, model) for model in settings.selected_models(config, MODELS)
    }
except settings.ConfigError as error:
    raise WorkflowError(str(error)) from None

VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]


wildcard_constraints:
    model="|".join(map(re.escape, MODELS)),
    layer="|".join(sorted({str(layer) for model in MODELS.values() for layer in model["rows"]})),


def sae(wildcards):
    """The catalogue's row for a job."""
    try:
        return settings.sae(MODELS, wildcards.model, wildcards.layer)
    except settings.ConfigError as error:
        raise WorkflowError(str(error)) from None


def lib(*names):
    """Library files that a script imports. Snakemake hashes the script alone: as inputs they make it run again."""
    return [os.path.relpath(ROOT / "scripts" / "lib" / name) for name in ("files.py", "job.py", *names)]


def explorer_sources():
    """What the explorer's page is built from: everything in explorer/ but its tests and what tools leave there."""
    folder = ROOT / "explorer"
    top = [".npmrc", "index.html", "package.json", "package-lock.json", "tsconfig.json", "vite.config.ts"]
    files = [folder / name for name in top] + sorted(path for path in folder.glob("src/**/*") if path.is_file())
    return [os.path.relpath(path) for path in files]


def manifests():
    """What `rule all` asks for."""
    return [f"results/{model}/manifest.json" for model in SELECTED]


def layer_files(suffix):
    """Input function: the selected layers' products of a model; all its layers where it is not selected."""
    return lambda wildcards: [
        f"results/{wildcards.model}/layer-{layer}{suffix}"
        for layer in SELECTED.get(wildcards.model, MODELS[wildcards.model]["rows"])
    ]


def weights_row(wildcards):
    """What fetch_decoder needs to know of a row: a change of these, and of nothing else in the catalogue, reruns it."""
    row = sae(wildcards)
    return {
        "repo": row.repo,
        "revision": row.revision,
        "weights": row.written["weights"],
        "tensor": row.tensor,
        "shape": list(row.shape),
        "features": row.features,
        "d_model": row.d_model,
    }


def local_weights(wildcards):
    """The weights of a row that lies in a local file, none for one on Hugging Face."""
    row = sae(wildcards)
    return [] if row.repo else row.weights


def local_labels(wildcards):
    """The label files of a row that names its own: a file, or all files of a folder in Neuronpedia's export layout."""
    path = sae(wildcards).labels
    if path is None:
        return []
    if os.path.isdir(path):
        return sorted(str(file) for file in Path(path).glob("*/*.jsonl*"))
    return [path]


def labels_row(wildcards):
    """What fetch_labels needs to know of a row."""
    row = sae(wildcards)
    return {
        "features": row.features,
        "source": row.source,
        "neuronpedia": MODELS[row.model].get("neuronpedia", {}).get("model"),
        "labels": row.labels,
    }


def about_layer(wildcards):
    """What the metadata of layer-N.json says beside counts, parameters and provenance."""
    row, model = sae(wildcards), MODELS[wildcards.model]
    on_neuronpedia = {"modelId": model["neuronpedia"]["model"], "sourceId": row.source} if "neuronpedia" in model else None
    return {
        "version": VERSION,
        "displayName": model["display_name"],
        "sourceId": row.source,
        "neuronpedia": on_neuronpedia,
        "attribution": model.get("attribution"),
    }


def about_model(wildcards):
    """What manifest.json says of a model beside its layers."""
    model = MODELS[wildcards.model]
    neuronpedia = model.get("neuronpedia", {})
    return {
        "modelId": wildcards.model,
        "displayName": model["display_name"],
        "totalLayers": len(model["rows"]),
        "featuresPerLayer": model["features"],
        "neuronpediaModelId": neuronpedia.get("model"),
        "neuronpediaSourceSet": neuronpedia.get("source_set"),
        "pipelineVersion": VERSION,
        "attribution": model.get("attribution"),
    }
