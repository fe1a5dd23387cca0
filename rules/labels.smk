"""Neuronpedia or a local file -> labels.parquet. The only rule that talks to Neuronpedia.

It knows nothing of geometry, unless labels.rank_by asks for the most strongly linked features.
"""

from lib.labels.export_files import label_files

RANKED_BY_LINKS = config["labels"]["top_k"] is not None and config["labels"]["rank_by"] == "links"


rule fetch_labels:
    input:
        labels=lambda wildcards: local(label_files(Path(sae(wildcards).labels))) if sae(wildcards).labels else [],
        edges="results/{model}/layer-{layer}/edges.npz" if RANKED_BY_LINKS else [],
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
        # so that all jobs together keep to the limit
        requests_per_minute=max(1, config["network"]["requests_per_minute"] // config["network"]["label_jobs"]),
    params:
        sae=lambda wildcards: sae(wildcards).labels_params,
        # min_coverage only decides: it belongs to write_manifest
        labels={key: value for key, value in config["labels"].items() if key != "min_coverage"},
    message:
        "Reading the labels of {wildcards.model} layer {wildcards.layer}"
    script:
        "../scripts/fetch_labels.py"
