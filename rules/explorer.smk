"""explorer/ -> the page in results/; the manifests -> index.json, which the page reads. Maps never wait for either."""

# What the page is built from: explorer/ without its tests, and the schemas of the files that it reads.
EXPLORER = ROOT / "explorer"
EXPLORER_SOURCES = sorted(
    sources(
        *(EXPLORER / name for name in (".npmrc", "package.json", "package-lock.json", "tsconfig.json")),
        *EXPLORER.glob("*.html"),
        *EXPLORER.glob("*.ts"),
        *filter(Path.is_file, EXPLORER.glob("src/**/*")),
        *(ROOT / "docs").glob("*.schema.json"),
    )
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
