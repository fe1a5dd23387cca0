"""SAE weights, local or on Hugging Face -> decoder.npy. The only rules that read weights."""


rule fetch_decoder:
    input:
        weights=local_weights,
        lib=lib("weights.py"),
    output:
        decoder="results/{model}/layer-{layer}/decoder.npy",
        record="results/{model}/layer-{layer}/decoder.json",
    log:
        "results/logs/fetch_decoder/{model}/layer-{layer}.log",
    benchmark:
        "results/benchmarks/fetch_decoder/{model}/layer-{layer}.tsv"
    conda:
        "../envs/weights.yaml"
    params:
        sae=weights_row,
    message:
        "Reading the decoder of {wildcards.model} layer {wildcards.layer}"
    script:
        "../scripts/fetch_decoder.py"
