"""explorer/ -> the page in results/; the manifests -> index.json, which the page reads. Maps never wait for either."""

# What the page is built from: explorer/ without its tests, and the schemas of the files that it reads.
_explorer = ("explorer/.npmrc", "explorer/*.json", "explorer/*.html", "explorer/*.ts", "explorer/src/**/*.*")
EXPLORER_SOURCES = sorted(
    sources(*(path for pattern in (*_explorer, "docs/*.schema.json") for path in ROOT.glob(pattern)))
)


rule build_explorer:
    input:
        sources=EXPLORER_SOURCES,
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
        manifests=expand("results/{model}/manifest.json", model=SELECTED),
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
