"""decoder.npy -> neighbors.npz -> coords.npy and edges.npz; decoder.npy -> summary.npz, which regions and atlas read.

Pure computation: nothing here touches the network.
"""

# The parameters of the method not chosen are left out: changing them reruns nothing.
_method = config["layout"]["method"]
LAYOUT = {"method": _method, "seed": config["layout"]["seed"], **config["layout"][_method]}


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
        mem_mb=memory(600, decoders=2, per_feature=2),
        runtime=minutes(3, per_16k_squared=0.8),
    params:
        neighbors=config["neighbors"],
    message:
        "Finding the nearest neighbours of {wildcards.model} layer {wildcards.layer}"
    script:
        "../scripts/compute_neighbors.py"


rule summarize_decoder:
    input:
        decoder="results/{model}/layer-{layer}/decoder.npy",
        lib=lib("summarize_decoder"),
    output:
        summary="results/{model}/layer-{layer}/summary.npz",
    log:
        "results/logs/summarize_decoder/{model}/layer-{layer}.log",
    benchmark:
        "results/benchmarks/summarize_decoder/{model}/layer-{layer}.tsv"
    priority: 3  # then the decoder may go
    conda:
        "../envs/geometry.yaml"
    resources:
        mem_mb=memory(500, decoders=2, per_feature=5),
        runtime=minutes(3, per_16k=0.3),
    message:
        "Summarising the decoder of {wildcards.model} layer {wildcards.layer}"
    script:
        "../scripts/summarize_decoder.py"


rule compute_coords:
    input:
        decoder="results/{model}/layer-{layer}/decoder.npy",
        neighbors="results/{model}/layer-{layer}/neighbors.npz",
        lib=lib("compute_coords"),
    output:
        coords="results/{model}/layer-{layer}/coords.npy",
        record="results/{model}/layer-{layer}/coords.json",
    log:
        "results/logs/compute_coords/{model}/layer-{layer}.log",
    benchmark:
        "results/benchmarks/compute_coords/{model}/layer-{layer}.tsv"
    priority: 2
    conda:
        "../envs/geometry.yaml"
    # A seeded umap-learn always runs on one.
    threads: 1 if LAYOUT["method"] == "umap" else layout_threads
    resources:
        mem_mb=memory(700, decoders=4 if LAYOUT["method"] == "umap" else 2, per_feature=4),
        runtime=minutes(4, per_16k=2),
    params:
        layout=LAYOUT,
    message:
        "Laying out {wildcards.model} layer {wildcards.layer}"
    script:
        "../scripts/compute_coords.py"


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
        mem_mb=memory(500, per_feature=3),
        runtime=minutes(2),
    params:
        edges=config["edges"],
    message:
        "Linking the features of {wildcards.model} layer {wildcards.layer}"
    script:
        "../scripts/compute_edges.py"
