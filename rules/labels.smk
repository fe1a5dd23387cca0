"""Neuronpedia or a local file -> labels.parquet. The only rule that reads labels, or talks to Neuronpedia.

It knows nothing of geometry, unless labels.rank_by asks for the most strongly linked features.
"""

from lib.labels.export_files import label_files


def local_labels(wildcards):
    """The label files of a row that names its own: a file, or those of a folder laid out as Neuronpedia's exports."""
    path = sae(wildcards).labels
    return [] if path is None else [str(file) for file in label_files(Path(path))]


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


rule fetch_labels:
    input:
        labels=local_labels,
        edges=ranking_edges,
        lib=lib("fetch_labels"),
    output:
        labels="results/{model}/layer-{layer}/labels.parquet",
        record="results/{model}/layer-{layer}/labels.json",
    log:
        "results/logs/fetch_labels/{model}/layer-{layer}.log",
    benchmark:
        "results/benchmarks/fetch_labels/{model}/layer-{layer}.tsv"
    localrule: True  # compute nodes often have no internet
    conda:
        "../envs/labels.yaml"
    resources:
        label_jobs=1,
        requests_per_minute=request_rate,
    params:
        sae=labels_row,
        # min_coverage only decides: another value must not fetch again.
        labels={key: value for key, value in config["labels"].items() if key != "min_coverage"},
    message:
        "Reading the labels of {wildcards.model} layer {wildcards.layer}"
    script:
        "../scripts/fetch_labels.py"
