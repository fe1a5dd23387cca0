"""Decoders, neighbours and matches of all selected layers of a model -> its atlas: every layer in one frame, every
feature followed through them. It stands on the layers' own maps and beside them: no map waits for it."""

# Of the layout, what the frame shares with the layers' own maps, whichever method lays these out.
_layout = config["layout"]["neighbor_embedding"] | {"seed": config["layout"]["seed"]}
_shared = ("seed", "n_neighbors", "negative_samples", "perplexity", "repulsion_strength")
FRAME_LAYOUT = {key: _layout[key] for key in _shared}
REFINEMENT = {key: _layout[key] for key in ("seed", "refinement_epochs", "relocations")}


rule match_layers:
    input:
        decoders=expand("results/{{model}}/layer-{layer}/decoder.npy", layer=("{layer}", "{next}")),
        lib=lib("match_layers"),
    output:
        matches="results/{model}/layer-{layer}/matches-{next}.npz",
    log:
        "results/logs/match_layers/{model}/layer-{layer}-{next}.log",
    benchmark:
        "results/benchmarks/match_layers/{model}/layer-{layer}-{next}.tsv"
    priority: 1
    conda:
        "../envs/geometry.yaml"
    threads: search_threads
    resources:
        mem_mb=memory(600, decoders=4, per_feature=2),
        runtime=minutes(3, per_16k_squared=1.1),
    message:
        "Matching the features of {wildcards.model} layers {wildcards.layer} and {wildcards.next}"
    script:
        "../scripts/match_layers.py"


rule chain_features:
    input:
        decoders=every_layer("decoder.npy"),
        matches=lambda wildcards: matches_of(wildcards.model),
        lib=lib("chain_features"),
    output:
        chains="results/{model}/atlas/chains.npz",
    log:
        "results/logs/chain_features/{model}.log",
    benchmark:
        "results/benchmarks/chain_features/{model}.tsv"
    priority: 3
    conda:
        "../envs/geometry.yaml"
    resources:
        mem_mb=memory(600, per_feature=1),
        runtime=minutes(3, per_16k=0.1),
    params:
        layers=lambda wildcards: layers_of(wildcards.model),
    message:
        "Chaining the features of {wildcards.model}: {params.layers}"
    script:
        "../scripts/chain_features.py"


rule follow_features:
    input:
        chains="results/{model}/atlas/chains.npz",
        labels=every_layer("labels.parquet"),
        lib=lib("follow_features"),
    output:
        tracks="results/{model}/atlas/tracks.parquet",
    log:
        "results/logs/follow_features/{model}.log",
    benchmark:
        "results/benchmarks/follow_features/{model}.tsv"
    conda:
        "../envs/geometry.yaml"
    resources:
        mem_mb=memory(500, per_feature=1),
        runtime=minutes(3, per_16k=0.03),
    params:
        tracks=config["atlas"]["tracks"],
    message:
        "Following the features of {wildcards.model} through its layers"
    script:
        "../scripts/follow_features.py"


rule lay_out_atlas:
    input:
        neighbors=every_layer("neighbors.npz"),
        summaries=every_layer("summary.npz"),
        matches=lambda wildcards: matches_of(wildcards.model),
        lib=lib("lay_out_atlas"),
    output:
        frame="results/{model}/atlas/frame.npz",
        record="results/{model}/atlas/frame.json",
    log:
        "results/logs/lay_out_atlas/{model}.log",
    benchmark:
        "results/benchmarks/lay_out_atlas/{model}.tsv"
    priority: 2
    conda:
        "../envs/geometry.yaml"
    # More than 8 would mostly wait for the graphs, which are built one after another.
    threads: lambda wildcards: min(8, len(layers_of(wildcards.model)))
    resources:
        mem_mb=memory(700, per_feature=2.5),
        runtime=minutes(4, per_16k=1),
    params:
        layers=lambda wildcards: layers_of(wildcards.model),
        layout=FRAME_LAYOUT,
        frame=config["atlas"]["layout"],
    message:
        "Laying out {wildcards.model} in one frame: {params.layers}"
    script:
        "../scripts/lay_out_atlas.py"


rule refine_frame:
    input:
        frame="results/{model}/atlas/frame.npz",
        neighbors="results/{model}/layer-{layer}/neighbors.npz",
        lib=lib("refine_frame"),
    output:
        coords="results/{model}/layer-{layer}/frame.npy",
    log:
        "results/logs/refine_frame/{model}/layer-{layer}.log",
    benchmark:
        "results/benchmarks/refine_frame/{model}/layer-{layer}.tsv"
    priority: 2
    conda:
        "../envs/geometry.yaml"
    threads: layout_threads
    resources:
        mem_mb=memory(600, per_feature=4),
        runtime=minutes(4, per_16k=1.5),
    params:
        layout=REFINEMENT,
    message:
        "Refining {wildcards.model} layer {wildcards.layer} in the frame"
    script:
        "../scripts/refine_frame.py"


rule measure_atlas:
    input:
        frames=every_layer("frame.npy"),
        coords=every_layer("coords.npy"),
        neighbors=every_layer("neighbors.npz"),
        summaries=every_layer("summary.npz"),
        qualities=every_layer("quality.json"),
        labels=every_layer("labels.parquet"),
        matches=lambda wildcards: matches_of(wildcards.model),
        tracks="results/{model}/atlas/tracks.parquet",
        lib=lib("measure_atlas"),
    output:
        quality="results/{model}/atlas/quality.json",
        kept="results/{model}/atlas/kept.npz",
    log:
        "results/logs/measure_atlas/{model}.log",
    benchmark:
        "results/benchmarks/measure_atlas/{model}.tsv"
    conda:
        "../envs/geometry.yaml"
    resources:
        mem_mb=memory(600, per_feature=1),
        runtime=minutes(3, per_16k=0.06),
    params:
        layers=lambda wildcards: layers_of(wildcards.model),
        min_cosine=config["atlas"]["tracks"]["min_cosine_previous"],
    message:
        "Measuring the atlas of {wildcards.model}"
    script:
        "../scripts/measure_atlas.py"


rule export_frame:
    input:
        graph="results/{model}/layer-{layer}.json",
        coords="results/{model}/layer-{layer}/frame.npy",
        regions="results/{model}/layer-{layer}/regions.npz",
        kept="results/{model}/atlas/kept.npz",
        quality="results/{model}/atlas/quality.json",
        frame_record="results/{model}/atlas/frame.json",
        tracks="results/{model}/atlas/tracks.parquet",
        before=lambda wildcards: matches_of(wildcards.model, to=int(wildcards.layer)),
        after=lambda wildcards: matches_of(wildcards.model, of=int(wildcards.layer)),
        lib=lib("export_frame"),
    output:
        graph="results/{model}/atlas/layer-{layer}.json",
        table="results/{model}/atlas/layer-{layer}.parquet",
    log:
        "results/logs/export_frame/{model}/layer-{layer}.log",
    benchmark:
        "results/benchmarks/export_frame/{model}/layer-{layer}.tsv"
    conda:
        "../envs/export.yaml"
    resources:
        mem_mb=memory(500, per_feature=10),
        runtime=minutes(3, per_16k=0.3),
    params:
        decimals=config["export"]["decimals"],
    message:
        "Writing the map of {wildcards.model} layer {wildcards.layer} in the frame"
    script:
        "../scripts/export_frame.py"


rule draw_atlas:
    input:
        quality="results/{model}/atlas/quality.json",
        tracks="results/{model}/atlas/tracks.parquet",
        lib=lib("draw_atlas"),
    output:
        figure=reported("results/{model}/figures/atlas.png", "atlas", "how long features live"),
    log:
        "results/logs/draw_atlas/{model}.log",
    benchmark:
        "results/benchmarks/draw_atlas/{model}.tsv"
    localrule: True
    conda:
        "../envs/figures.yaml"
    params:
        display_name=lambda wildcards: MODELS[wildcards.model]["display_name"],
    message:
        "Drawing how long the features of {wildcards.model} live"
    script:
        "../scripts/draw_atlas.py"


rule tabulate_regions:
    input:
        tracks="results/{model}/atlas/tracks.parquet",
        regions=every_layer("regions.npz"),
        records=every_layer("regions.json"),
        lib=lib("tabulate_regions"),
    output:
        table=reported("results/{model}/atlas/regions.tsv", "regions", "regions through the layers"),
    log:
        "results/logs/tabulate_regions/{model}.log",
    benchmark:
        "results/benchmarks/tabulate_regions/{model}.tsv"
    localrule: True
    conda:
        "../envs/export.yaml"
    params:
        layers=lambda wildcards: layers_of(wildcards.model),
    message:
        "Following the regions of {wildcards.model} through its layers"
    script:
        "../scripts/tabulate_regions.py"
