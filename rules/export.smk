"""Everything of a layer -> layer-N.json and its gzip twin; all layers of a model -> manifest.json: the products."""


rule export_layer:
    input:
        coords="results/{model}/layer-{layer}/coords.npy",
        edges="results/{model}/layer-{layer}/edges.npz",
        labels="results/{model}/layer-{layer}/labels.parquet",
        decoder_record="results/{model}/layer-{layer}/decoder.json",
        neighbors_record="results/{model}/layer-{layer}/neighbors.json",
        coords_record="results/{model}/layer-{layer}/coords.json",
        edges_record="results/{model}/layer-{layer}/edges.json",
        labels_record="results/{model}/layer-{layer}/labels.json",
        quality="results/{model}/layer-{layer}/quality.json",
        lib=lib("export_layer"),
    output:
        graph="results/{model}/layer-{layer}.json",
    log:
        "results/logs/export_layer/{model}/layer-{layer}.log",
    benchmark:
        "results/benchmarks/export_layer/{model}/layer-{layer}.tsv"
    conda:
        "../envs/export.yaml"
    resources:
        mem_mb=memory(500, per_feature=10),
        runtime=minutes(3),
    params:
        about=about_layer,
    message:
        "Writing the map of {wildcards.model} layer {wildcards.layer}"
    script:
        "../scripts/export_layer.py"


rule compress_layer:
    input:
        graph="results/{model}/layer-{layer}.json",
        lib=lib("compress_layer"),
    output:
        gzip="results/{model}/layer-{layer}.json.gz",
    log:
        "results/logs/compress_layer/{model}/layer-{layer}.log",
    benchmark:
        "results/benchmarks/compress_layer/{model}/layer-{layer}.tsv"
    conda:
        "../envs/export.yaml"
    resources:
        mem_mb=memory(500),
        runtime=minutes(2),
    message:
        "Compressing the map of {wildcards.model} layer {wildcards.layer}"
    script:
        "../scripts/compress_layer.py"


rule write_manifest:
    input:
        graphs=lambda wildcards: products(wildcards.model)[".json"],
        gzips=lambda wildcards: products(wildcards.model).get(".json.gz", []),
        lib=lib("write_manifest"),
    output:
        manifest=report(
            "results/{model}/manifest.json",
            caption="../report/manifest.rst",
            category="{model}",
            subcategory="All layers",
            labels={"what": "manifest.json"},
        ),
    log:
        "results/logs/write_manifest/{model}.log",
    benchmark:
        "results/benchmarks/write_manifest/{model}.tsv"
    localrule: True
    conda:
        "../envs/export.yaml"
    params:
        about=about_model,
    message:
        "Listing the maps of {wildcards.model}"
    script:
        "../scripts/write_manifest.py"
