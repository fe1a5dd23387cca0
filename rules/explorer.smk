"""The explorer's sources -> the page in results/; the manifests -> index.json, which it reads. No map waits for either."""


rule build_explorer:
    input:
        sources=explorer_sources(),
        lib=lib("build_explorer"),
    output:
        page="results/index.html",
        worker="results/sw.js",
        assets=directory("results/assets"),
    log:
        "results/logs/build_explorer/page.log",
    benchmark:
        "results/benchmarks/build_explorer/page.tsv"
    localrule: True  # asks the npm registry, which compute nodes seldom reach
    conda:
        "../envs/explorer.yaml"
    message:
        "Building the explorer"
    script:
        "../scripts/build_explorer.py"


rule write_index:
    input:
        manifests=manifests(),
        lib=lib("write_index"),
    output:
        index="results/index.json",
    log:
        "results/logs/write_index/index.log",
    benchmark:
        "results/benchmarks/write_index/index.tsv"
    localrule: True
    conda:
        "../envs/export.yaml"
    message:
        "Listing the models for the explorer"
    script:
        "../scripts/write_index.py"
