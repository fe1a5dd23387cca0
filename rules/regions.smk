"""coords.npy, labels.parquet and summary.npz -> regions.npz, regions.json and region_names.yaml: named parts of a map.

It reads no decoder, so that changed labels fetch nothing again.
"""

from lib.planning.region_names import read_region_names

REGION_NAMES = read_region_names(config["regions"]["names"], MODELS, ROOT)


rule name_regions:
    input:
        coords="results/{model}/layer-{layer}/coords.npy",
        labels="results/{model}/layer-{layer}/labels.parquet",
        summary="results/{model}/layer-{layer}/summary.npz",
        lib=lib("name_regions"),
    output:
        regions="results/{model}/layer-{layer}/regions.npz",
        record="results/{model}/layer-{layer}/regions.json",
        template="results/{model}/layer-{layer}/region_names.yaml",
    log:
        "results/logs/name_regions/{model}/layer-{layer}.log",
    benchmark:
        "results/benchmarks/name_regions/{model}/layer-{layer}.tsv"
    conda:
        "../envs/geometry.yaml"
    resources:
        mem_mb=memory(500, per_feature=8),
        runtime=minutes(3, per_16k=0.6),
    params:
        features_per_region=config["regions"]["features_per_region"],
        names=lambda wildcards: REGION_NAMES.get((wildcards.model, wildcards.layer), {}),
    message:
        "Naming the regions of {wildcards.model} layer {wildcards.layer}"
    script:
        "../scripts/name_regions.py"
