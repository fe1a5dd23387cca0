"""A layer's table, regions and quality -> figures/layer-N.png; a model's manifest and quality.tsv ->
figures/layers.png and layers.html. No other rule reads the figures, so they delay no map, manifest or explorer."""


rule draw_layer:
    input:
        table="results/{model}/layer-{layer}.parquet",
        edges_record="results/{model}/layer-{layer}/edges.json",
        regions="results/{model}/layer-{layer}/regions.json",
        quality="results/{model}/layer-{layer}/quality.json",
        lib=lib("draw_layer"),
    output:
        figure=report(
            "results/{model}/figures/layer-{layer}.png",
            caption="../report/layer.rst",
            category="{model}",
            subcategory="Layers",
            # The report sorts as text: pad numbers to two characters with a figure space, which is as wide as a digit.
            labels=lambda wildcards: {"layer": wildcards.layer.rjust(2, "\u2007")},
        ),
    log:
        "results/logs/draw_layer/{model}/layer-{layer}.log",
    benchmark:
        "results/benchmarks/draw_layer/{model}/layer-{layer}.tsv"
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=memory(700, per_feature=2),
        runtime=minutes(2, per_16k=0.1),
    params:
        display_name=lambda wildcards: MODELS[wildcards.model]["display_name"],
    message:
        "Drawing {wildcards.model} layer {wildcards.layer}"
    script:
        "../scripts/draw_layer.py"


rule draw_model:
    input:
        manifest="results/{model}/manifest.json",
        quality="results/{model}/quality.tsv",
        lib=lib("draw_model"),
    output:
        figure=reported("results/{model}/figures/layers.png", "layers", "overview"),
        table=reported("results/{model}/figures/layers.html", "table", "table"),
    log:
        "results/logs/draw_model/{model}.log",
    benchmark:
        "results/benchmarks/draw_model/{model}.tsv"
    localrule: True
    conda:
        "../envs/figures.yaml"
    message:
        "Drawing the layers of {wildcards.model}"
    script:
        "../scripts/draw_model.py"
