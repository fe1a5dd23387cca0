"""Everything known of a layer -> layer-N.json, its gzip twin and layer-N.parquet; all layers of a model, and its atlas ->
one table, and manifest.json, written only if every map passes the gates."""


rule export_layer:
    input:
        coords="results/{model}/layer-{layer}/coords.npy",
        neighbors="results/{model}/layer-{layer}/neighbors.npz",
        edges="results/{model}/layer-{layer}/edges.npz",
        labels="results/{model}/layer-{layer}/labels.parquet",
        regions="results/{model}/layer-{layer}/regions.npz",
        records=expand(
            "results/{{model}}/layer-{{layer}}/{step}.json",
            step=("decoder", "neighbors", "coords", "edges", "labels", "regions"),
        ),
        quality="results/{model}/layer-{layer}/quality.json",
        kept="results/{model}/layer-{layer}/kept.npy",
        lib=lib("export_layer"),
    output:
        graph="results/{model}/layer-{layer}.json",
        gzip="results/{model}/layer-{layer}.json.gz" if config["export"]["gzip"] else [],
        table="results/{model}/layer-{layer}.parquet",
        record="results/{model}/layer-{layer}/export.json",
    log:
        "results/logs/export_layer/{model}/layer-{layer}.log",
    benchmark:
        "results/benchmarks/export_layer/{model}/layer-{layer}.tsv"
    conda:
        "../envs/export.yaml"
    resources:
        mem_mb=memory(500, per_feature=16),
        runtime=minutes(3, per_16k=0.3),
    params:
        about=lambda wildcards: {"version": VERSION} | sae(wildcards).about,
        decimals=config["export"]["decimals"],
    message:
        "Writing the map of {wildcards.model} layer {wildcards.layer}"
    script:
        "../scripts/export_layer.py"


rule tabulate_features:
    input:
        tables=lambda wildcards: products(wildcards.model)["tables"],
        # Of a model with an atlas: this table waits for it, no map does.
        frames=lambda wildcards: products(wildcards.model)["frame_tables"],
        lib=lib("tabulate_features"),
    output:
        features="results/{model}/features.parquet",
    log:
        "results/logs/tabulate_features/{model}.log",
    benchmark:
        "results/benchmarks/tabulate_features/{model}.tsv"
    localrule: True
    conda:
        "../envs/export.yaml"
    message:
        "Tabulating the features of {wildcards.model}"
    script:
        "../scripts/tabulate_features.py"


rule write_manifest:
    input:
        unpack(lambda wildcards: products(wildcards.model)),
        records=every_layer("export.json"),
        qualities=every_layer("quality.json"),
        atlas_quality=lambda wildcards: "results/{model}/atlas/quality.json" if has_atlas(wildcards.model) else [],
        lib=lib("write_manifest"),
    output:
        manifest=reported("results/{model}/manifest.json", "manifest", "manifest.json"),
    log:
        "results/logs/write_manifest/{model}.log",
    benchmark:
        "results/benchmarks/write_manifest/{model}.tsv"
    localrule: True
    conda:
        "../envs/export.yaml"
    params:
        about=lambda wildcards: {
            "modelId": wildcards.model,
            "displayName": MODELS[wildcards.model]["display_name"],
            "totalLayers": len(MODELS[wildcards.model]["rows"]),
            "featuresPerLayer": max(features_at_once(wildcards)),
            "neuronpediaModelId": MODELS[wildcards.model].get("neuronpedia", {}).get("model"),
            "neuronpediaSourceSet": MODELS[wildcards.model].get("neuronpedia", {}).get("source_set"),
            "saelensRelease": MODELS[wildcards.model].get("saelens", {}).get("release"),
            "site": MODELS[wildcards.model].get("site"),
            "pipelineVersion": VERSION,
            "attribution": MODELS[wildcards.model].get("attribution"),
        },
        # The gates: they decide what is listed, and measure nothing again.
        floors={
            **{f"quality.{key}": floor for key, floor in config["quality"].items()},
            "labels.min_coverage": config["labels"]["min_coverage"],
        },
    message:
        "Listing the maps of {wildcards.model}"
    script:
        "../scripts/write_manifest.py"
