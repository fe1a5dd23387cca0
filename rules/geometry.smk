"""decoder.npy -> neighbors.npz -> coords.npy and edges.npz. Pure computation: nothing here touches the network."""


rule compute_neighbors:
    input:
        decoder="results/{model}/layer-{layer}/decoder.npy",
        lib=lib("knn.py"),
    output:
        neighbors="results/{model}/layer-{layer}/neighbors.npz",
        record="results/{model}/layer-{layer}/neighbors.json",
    log:
        "results/logs/compute_neighbors/{model}/layer-{layer}.log",
    benchmark:
        "results/benchmarks/compute_neighbors/{model}/layer-{layer}.tsv"
    conda:
        "../envs/geometry.yaml"
    threads: 2
    params:
        neighbors=config["neighbors"],
    message:
        "Finding the nearest neighbours of {wildcards.model} layer {wildcards.layer}"
    script:
        "../scripts/compute_neighbors.py"


rule compute_umap:
    input:
        decoder="results/{model}/layer-{layer}/decoder.npy",
        neighbors="results/{model}/layer-{layer}/neighbors.npz",
        lib=lib(),
    output:
        coords="results/{model}/layer-{layer}/coords.npy",
        record="results/{model}/layer-{layer}/coords.json",
    log:
        "results/logs/compute_umap/{model}/layer-{layer}.log",
    benchmark:
        "results/benchmarks/compute_umap/{model}/layer-{layer}.tsv"
    conda:
        "../envs/geometry.yaml"
    threads: 1  # a seeded UMAP runs on one thread whatever it is given
    params:
        umap=config["umap"],
    message:
        "Laying out {wildcards.model} layer {wildcards.layer}"
    script:
        "../scripts/compute_umap.py"


rule compute_edges:
    input:
        neighbors="results/{model}/layer-{layer}/neighbors.npz",
        lib=lib(),
    output:
        edges="results/{model}/layer-{layer}/edges.npz",
        record="results/{model}/layer-{layer}/edges.json",
    log:
        "results/logs/compute_edges/{model}/layer-{layer}.log",
    benchmark:
        "results/benchmarks/compute_edges/{model}/layer-{layer}.tsv"
    conda:
        "../envs/geometry.yaml"
    params:
        edges=config["edges"],
    message:
        "Linking the features of {wildcards.model} layer {wildcards.layer}"
    script:
        "../scripts/compute_edges.py"
