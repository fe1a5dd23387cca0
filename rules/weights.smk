"""SAE weights, local or on Hugging Face -> decoder.npy. The only rules that read weights, or talk to Hugging Face."""


rule resolve_revision:
    input:
        lib=lib("resolve_revision"),
    output:
        revision="results/{model}/revision.json",
    log:
        "results/logs/resolve_revision/{model}.log",
    benchmark:
        "results/benchmarks/resolve_revision/{model}.tsv"
    localrule: True  # compute nodes often have no internet
    conda:
        "../envs/weights.yaml"
    params:
        weights=repository,
    message:
        "Looking up the commit of the weights of {wildcards.model}"
    script:
        "../scripts/resolve_revision.py"


rule fetch_decoder:
    input:
        weights=local_weights,
        revision=revision,
        lib=lib("fetch_decoder"),
    output:
        decoder=kept_decoder("results/{model}/layer-{layer}/decoder.npy"),
        record="results/{model}/layer-{layer}/decoder.json",
    log:
        "results/logs/fetch_decoder/{model}/layer-{layer}.log",
    benchmark:
        "results/benchmarks/fetch_decoder/{model}/layer-{layer}.tsv"
    localrule: True  # compute nodes often have no internet
    conda:
        "../envs/weights.yaml"
    threads: download_threads
    resources:
        downloads=1,
    params:
        sae=weights_row,
    message:
        "Reading the decoder of {wildcards.model} layer {wildcards.layer}"
    script:
        "../scripts/fetch_decoder.py"
