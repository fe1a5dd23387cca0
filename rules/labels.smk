"""Neuronpedia or a local file -> labels.parquet. The only rule that reads labels; it knows nothing of geometry."""


rule fetch_labels:
    input:
        labels=local_labels,
        lib=lib("labels.py"),
    output:
        labels="results/{model}/layer-{layer}/labels.parquet",
        record="results/{model}/layer-{layer}/labels.json",
    log:
        "results/logs/fetch_labels/{model}/layer-{layer}.log",
    benchmark:
        "results/benchmarks/fetch_labels/{model}/layer-{layer}.tsv"
    conda:
        "../envs/labels.yaml"
    params:
        sae=labels_row,
        labels=config["labels"],
    message:
        "Reading the labels of {wildcards.model} layer {wildcards.layer}"
    script:
        "../scripts/fetch_labels.py"
