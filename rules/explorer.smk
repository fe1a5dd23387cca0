"""The explorer's sources -> the page in results/; the manifests -> index.json, which it reads. No map waits for either."""


def explorer_sources():
    """What the explorer's page is built from: everything in explorer/ but its tests and what tools leave there."""
    folder = ROOT / "explorer"
    top = [".npmrc", "index.html", "package.json", "package-lock.json", "tsconfig.json", "vite.config.ts"]
    files = [folder / name for name in top] + sorted(
        path for path in folder.glob("src/**/*") if path.is_file()
    )
    return [os.path.relpath(path) for path in files]


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
