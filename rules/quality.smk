"""All that is known of a layer -> quality.json and kept.npy; all layers of a model -> quality.tsv. Judges and changes no map."""


rule measure_quality:
    input:
        decoder="results/{model}/layer-{layer}/decoder.npy",
        neighbors="results/{model}/layer-{layer}/neighbors.npz",
        coords="results/{model}/layer-{layer}/coords.npy",
        edges=unless_dropped("results/{model}/layer-{layer}/edges.npz", ancient),
        labels=unless_dropped("results/{model}/layer-{layer}/labels.parquet", ancient),
        lib=lib("measure_quality"),
    output:
        quality="results/{model}/layer-{layer}/quality.json",
        kept="results/{model}/layer-{layer}/kept.npy",
    log:
        "results/logs/measure_quality/{model}/layer-{layer}.log",
    benchmark:
        "results/benchmarks/measure_quality/{model}/layer-{layer}.tsv"
    priority: 3  # then the decoder may go
    conda:
        "../envs/geometry.yaml"
    resources:
        mem_mb=memory(500, decoders=2, per_feature=6),
        runtime=minutes(4, per_16k=0.8),
    message:
        "Measuring the map of {wildcards.model} layer {wildcards.layer}"
    script:
        "../scripts/measure_quality.py"


rule tabulate_quality:
    input:
        qualities=every_layer("quality.json"),
        lib=lib("tabulate_quality"),
    output:
        table=reported("results/{model}/quality.tsv", "quality", "quality.tsv"),
    log:
        "results/logs/tabulate_quality/{model}.log",
    benchmark:
        "results/benchmarks/tabulate_quality/{model}.tsv"
    localrule: True
    conda:
        "../envs/export.yaml"
    params:
        layers=lambda wildcards: layers_of(wildcards.model),
    message:
        "Listing the quality of the maps of {wildcards.model}"
    script:
        "../scripts/tabulate_quality.py"
