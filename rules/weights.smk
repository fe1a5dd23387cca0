"""SAE weights, local or on Hugging Face -> decoder.npy. The only rules that read weights, or talk to Hugging Face."""


def weights_row(wildcards):
    """What fetch_decoder needs to know of a row: a change of these, and of nothing else in the catalogue, reruns it."""
    row = sae(wildcards)
    return {
        "repo": row.repo,
        "revision": row.revision,
        "weights": row.written["weights"],
        "tensor": row.tensor,
        "shape": list(row.shape),
        "features": row.features,
        "d_model": row.d_model,
    }


def repository(wildcards):
    """Where a model's weights lie on Hugging Face: what resolve_revision asks about."""
    weights = MODELS[wildcards.model]["weights"]
    return {"repo": weights["repo"], "revision": weights.get("revision", "main")}


def revision(wildcards):
    """The commit to read from, looked up once for all layers; nothing for a model in local files."""
    return "results/{model}/revision.json" if sae(wildcards).repo else []


def kept_decoder(path):
    """A decoder stays, or goes as soon as all that is computed from it is there (weights.keep_decoders)."""
    return path if config["weights"]["keep_decoders"] else temp(path)


def download_threads(wildcards):
    """One; with decoders that are to go, as many as the steps that use them: whenever a download fits, so do those
    steps, and they have priority. Else downloads would fill every free thread, and their decoders the disk.
    """
    return 1 if config["weights"]["keep_decoders"] else max(2, search_threads(wildcards))


def local_weights(wildcards):
    """The weights of a row that lies in a local file, none for one on Hugging Face."""
    row = sae(wildcards)
    return [] if row.repo else row.weights


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
