"""Neuronpedia or a local file -> labels.parquet. The only rule that reads labels, or talks to Neuronpedia.

It knows nothing of geometry, unless labels.rank_by asks for the most strongly linked features.
"""


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
        labels=config["labels"],
    message:
        "Reading the labels of {wildcards.model} layer {wildcards.layer}"
    script:
        "../scripts/fetch_labels.py"
