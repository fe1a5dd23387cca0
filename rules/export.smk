"""Everything of a layer -> layer-N.json and its gzip twin; all layers of a model -> manifest.json: the products."""


def about_layer(wildcards):
    """What the metadata of layer-N.json says beside counts, parameters and provenance."""
    row, model = sae(wildcards), MODELS[wildcards.model]
    on_neuronpedia = (
        {"modelId": model["neuronpedia"]["model"], "sourceId": row.source} if "neuronpedia" in model else None
    )
    return {
        "version": VERSION,
        "displayName": model["display_name"],
        "sourceId": row.source,
        "neuronpedia": on_neuronpedia,
        "attribution": model.get("attribution"),
    }


def about_model(wildcards):
    """What manifest.json says of a model beside its layers."""
    model = MODELS[wildcards.model]
    neuronpedia = model.get("neuronpedia", {})
    return {
        "modelId": wildcards.model,
        "displayName": model["display_name"],
        "totalLayers": len(model["rows"]),
        "featuresPerLayer": model["features"],
        "neuronpediaModelId": neuronpedia.get("model"),
        "neuronpediaSourceSet": neuronpedia.get("source_set"),
        "pipelineVersion": VERSION,
        "attribution": model.get("attribution"),
    }


def wanted():
    """What `all` asks for: the tables of quality, the manifests, and all that these list, so that a file that went
    missing is made anew; and the figures."""
    tables = [f"results/{model}/quality.tsv" for model in SELECTED]
    maps = [path for model in SELECTED for paths in products(model).values() for path in paths]
    return manifests() + tables + maps + figures()


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
