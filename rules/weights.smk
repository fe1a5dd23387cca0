"""SAE weights, local or on Hugging Face -> decoder.npy. The only rules that read weights."""


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
        weights=lambda wildcards: {
            "repo": MODELS[wildcards.model]["weights"]["repo"],
            "revision": MODELS[wildcards.model]["weights"].get("revision", "main"),
        },
        file=lambda wildcards: next(iter(MODELS[wildcards.model]["rows"].values())).weights_params["weights"],
    message:
        "Looking up the commit of the weights of {wildcards.model}"
    script:
        "../scripts/resolve_revision.py"


rule fetch_decoder:
    input:
        weights=lambda wildcards: local(sae(wildcards).weights) if sae(wildcards).weights else [],
        revision=lambda wildcards: [] if sae(wildcards).weights else "results/{model}/revision.json",
        lib=lib("fetch_decoder"),
    output:
        decoder=unless_dropped("results/{model}/layer-{layer}/decoder.npy", temp),
        record="results/{model}/layer-{layer}/decoder.json",
    log:
        "results/logs/fetch_decoder/{model}/layer-{layer}.log",
    benchmark:
        "results/benchmarks/fetch_decoder/{model}/layer-{layer}.tsv"
    localrule: True  # compute nodes often have no internet
    conda:
        "../envs/weights.yaml"
    # A download that does not keep its decoder takes as many threads as the steps that use it: whenever it fits, so do
    # they, and they have priority. Otherwise downloads would fill every free thread, and their decoders the disk.
    threads: lambda wildcards: 1 if config["weights"]["keep_decoders"] else max(2, search_threads(wildcards))
    resources:
        downloads=1,
        mem_mb=memory(300, decoders=1),
    params:
        sae=lambda wildcards: sae(wildcards).weights_params,
    message:
        "Reading the decoder of {wildcards.model} layer {wildcards.layer}"
    script:
        "../scripts/fetch_decoder.py"
