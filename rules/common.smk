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


def explorer_sources():
    """What the explorer's page is built from: everything in explorer/ but its tests and what tools leave there."""
    folder = ROOT / "explorer"
    top = [".npmrc", "index.html", "package.json", "package-lock.json", "tsconfig.json", "vite.config.ts"]
    files = [folder / name for name in top] + sorted(
        path for path in folder.glob("src/**/*") if path.is_file()
    )
    return [os.path.relpath(path) for path in files]


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


def wanted():
    """What `all` asks for: the tables of quality, the manifests, and all that these list, so that a file that went
    missing is made anew; and the figures."""
    tables = [f"results/{model}/quality.tsv" for model in SELECTED]
    maps = [path for model in SELECTED for paths in products(model).values() for path in paths]
    return manifests() + tables + maps + figures()


def figures():
    """The figures of the selected models: one over all layers, one of each."""
    names = {model: ["layers", *(f"layer-{layer}" for layer in layers)] for model, layers in SELECTED.items()}
    return [f"results/{model}/figures/{name}.png" for model in SELECTED for name in names[model]]


def layer_label(wildcards):
    """How the report lists a layer. It sorts as text, so a figure space stands in for a first digit."""
    return {"layer": wildcards.layer.rjust(2, "\u2007")}


def display_name(wildcards):
    """The model's name for people."""
    return MODELS[wildcards.model]["display_name"]


def checksums():
    """What says of the selected models that they may be published, and which files."""
    return [f"results/{model}/SHA256SUMS" for model in SELECTED]


def origins(model):
    """Where a model's weights come from, and the licences of weights and labels, as far as its catalogue says."""
    return {
        "weights": MODELS[model]["weights"].get("repo"),
        "licenses": MODELS[model].get("licenses", {}),
    }


def github_release(wildcards):
    """Where and as what a model is released on GitHub."""
    return told(settings.release, config, MODELS, wildcards.model, VERSION)


def huggingface_dataset(wildcards):
    """Where the dataset goes."""
    return told(settings.dataset, config)


def released(model):
    """The files of a model that its SHA256SUMS lists: BESIDE_THE_MAPS of lib/release.py, which imports numpy, and maps."""
    beside = ("README.md", "features.parquet", "manifest.json", "quality.tsv")
    return [path for paths in products(model).values() for path in paths] + [
        f"results/{model}/{name}" for name in beside
    ]


def released_on_github(wildcards):
    """The files of a model. Asked while Snakemake plans, so that a repository which is not set stops the run at once."""
    github_release(wildcards)
    return released(wildcards.model)


def released_on_huggingface(wildcards):
    """The files of all selected models; as above."""
    huggingface_dataset(wildcards)
    return [path for model in SELECTED for path in released(model)]


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


def repository(wildcards):
    """Where a model's weights lie on Hugging Face: what resolve_revision asks about."""
    weights = MODELS[wildcards.model]["weights"]
    return {"repo": weights["repo"], "revision": weights.get("revision", "main")}


def revision(wildcards):
    """The commit to read from, looked up once for all layers; nothing for a model in local files."""
    return "results/{model}/revision.json" if sae(wildcards).repo else []


def kept_decoder(path):
    """A decoder stays, or goes as soon as all that is computed from it is there (weights.keep_decoders)."""
    return path if config["weights"]["keep_decoders"] else temp(path)


def download_threads(wildcards):
    """One; with decoders that are to go, as many as the steps that use them: whenever a download fits, so do those
    steps, and they have priority. Else downloads would fill every free thread, and their decoders the disk.
    """
    return 1 if config["weights"]["keep_decoders"] else max(2, search_threads(wildcards))


def settled(path):
    """An input whose change alone does not measure a map again where that would mean to fetch the decoder again."""
    return path if config["weights"]["keep_decoders"] else ancient(path)


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


def ranking_edges(wildcards):
    """The edges that rank features, where labels.top_k and labels.rank_by ask for it."""
    ranked = config["labels"]["top_k"] is not None and config["labels"]["rank_by"] == "links"
    return "results/{model}/layer-{layer}/edges.npz" if ranked else []


def request_rate(wildcards):
    """Requests a minute that one layer may make of the API, so that all layers together keep to the limit."""
    return max(1, config["network"]["requests_per_minute"] // config["network"]["label_jobs"])


def labels_row(wildcards):
    """What fetch_labels needs to know of a row."""
    row = sae(wildcards)
    return {
        "features": row.features,
        "source": row.source,
        "neuronpedia": MODELS[row.model].get("neuronpedia", {}).get("model"),
        "labels": row.labels,
        "written": row.written["labels"],
    }


def about_layer(wildcards):
    """What the metadata of layer-N.json says beside counts, parameters and provenance."""
    row, model = sae(wildcards), MODELS[wildcards.model]
    on_neuronpedia = (
        {"modelId": model["neuronpedia"]["model"], "sourceId": row.source} if "neuronpedia" in model else None
    )
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
