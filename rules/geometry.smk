"""decoder.npy -> neighbors.npz -> coords.npy and edges.npz. Pure computation: nothing here touches the network."""


rule compute_neighbors:
    input:
        decoder="results/{model}/layer-{layer}/decoder.npy",
        lib=lib("compute_neighbors"),
    output:
        neighbors="results/{model}/layer-{layer}/neighbors.npz",
        record="results/{model}/layer-{layer}/neighbors.json",
    log:
        "results/logs/compute_neighbors/{model}/layer-{layer}.log",
    benchmark:
        "results/benchmarks/compute_neighbors/{model}/layer-{layer}.tsv"
    priority: 1  # before further layers are fetched: decoders that wait fill the disk
    conda:
        "../envs/geometry.yaml"
    threads: search_threads
    resources:
        mem_mb=memory(600, decoders=1, per_feature=1),
        runtime=minutes(3, per_16k_squared=1),
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
        lib=lib("compute_umap"),
    output:
        coords="results/{model}/layer-{layer}/coords.npy",
        record="results/{model}/layer-{layer}/coords.json",
    log:
        "results/logs/compute_umap/{model}/layer-{layer}.log",
    benchmark:
        "results/benchmarks/compute_umap/{model}/layer-{layer}.tsv"
    priority: 2
    conda:
        "../envs/geometry.yaml"
    threads: 2 if config["umap"]["method"] == "batch" else 1  # a seeded umap-learn runs on one whatever it is given
    resources:
        mem_mb=memory(700, decoders=1 if config["umap"]["method"] == "batch" else 3, per_feature=4),
        runtime=minutes(4, per_16k=3),
    params:
        umap=config["umap"],
    message:
        "Laying out {wildcards.model} layer {wildcards.layer}"
    script:
        "../scripts/compute_umap.py"


rule compute_edges:
    input:
        neighbors="results/{model}/layer-{layer}/neighbors.npz",
        lib=lib("compute_edges"),
    output:
        edges="results/{model}/layer-{layer}/edges.npz",
        record="results/{model}/layer-{layer}/edges.json",
    log:
        "results/logs/compute_edges/{model}/layer-{layer}.log",
    benchmark:
        "results/benchmarks/compute_edges/{model}/layer-{layer}.tsv"
    conda:
        "../envs/geometry.yaml"
    resources:
        mem_mb=memory(500),
        runtime=minutes(2),
    params:
        edges=config["edges"],
    message:
        "Linking the features of {wildcards.model} layer {wildcards.layer}"
    script:
        "../scripts/compute_edges.py"
