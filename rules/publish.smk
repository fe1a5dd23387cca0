"""Finished maps -> GitHub releases, a Hugging Face dataset, a static site: each on its own demand, never by `all`.

What is published of a model is SHA256SUMS and the files of results/{model}/ that it lists. It is written only if the
manifest describes the files; whatever sends them compares them with it again.
"""


rule describe_release:
    input:
        files=lambda wildcards: finished(wildcards.model),
        manifest="results/{model}/manifest.json",
        templates=templates("release.md", "parts.md"),
        lib=lib("describe_release"),
    output:
        readme="results/{model}/README.md",
        checksums="results/{model}/SHA256SUMS",
    log:
        "results/logs/describe_release/{model}.log",
    benchmark:
        "results/benchmarks/describe_release/{model}.tsv"
    localrule: True
    conda:
        "../envs/export.yaml"
    params:
        about=lambda wildcards: origins(wildcards.model),
    message:
        "Checking and describing what is published of {wildcards.model}"
    script:
        "../scripts/describe_release.py"


rule publish_github:
    input:
        checksums="results/{model}/SHA256SUMS",
        # The release first: a repository that is not set stops the run while Snakemake plans.
        files=lambda wildcards: github_release(wildcards) and released(wildcards.model),
        lib=lib("publish_github"),
    output:
        record="results/{model}/published/github.json",
    log:
        "results/logs/publish_github/{model}.log",
    benchmark:
        "results/benchmarks/publish_github/{model}.tsv"
    localrule: True  # compute nodes often have no internet
    conda:
        "../envs/publish.yaml"
    params:
        release=lambda wildcards: github_release(wildcards),
    message:
        "Publishing {wildcards.model}: GitHub, {params.release[repository]}, release {params.release[tag]}"
    script:
        "../scripts/publish_github.py"


rule publish_huggingface:
    input:
        checksums=expand("results/{model}/SHA256SUMS", model=SELECTED),
        files=lambda wildcards: destination(config, "huggingface") and released(*SELECTED),
        manifests=expand("results/{model}/manifest.json", model=SELECTED),
        templates=templates("dataset.md", "parts.md"),
        lib=lib("publish_huggingface"),
    output:
        record="results/published/huggingface.json",
        card="results/published/README.md",
        index="results/published/index.json",
    log:
        "results/logs/publish_huggingface/dataset.log",
    benchmark:
        "results/benchmarks/publish_huggingface/dataset.tsv"
    localrule: True  # compute nodes often have no internet
    conda:
        "../envs/publish.yaml"
    params:
        dataset=lambda wildcards: destination(config, "huggingface"),
        about=lambda wildcards: {model: origins(model) for model in SELECTED},
    message:
        "Publishing to Hugging Face: dataset {params.dataset[repository]}, branch {params.dataset[revision]}"
    script:
        "../scripts/publish_huggingface.py"


rule build_site:
    input:
        page="results/index.html",
        worker="results/sw.js",
        assets="results/assets",
        checksums=expand("results/{model}/SHA256SUMS", model=SELECTED),
        lib=lib("build_site"),
    output:
        site=directory("results/site"),
    log:
        "results/logs/build_site/site.log",
    benchmark:
        "results/benchmarks/build_site/site.tsv"
    localrule: True
    conda:
        "../envs/export.yaml"
    params:
        site=config["publish"]["site"],
    message:
        "Putting the explorer and its maps into one folder"
    script:
        "../scripts/build_site.py"
