"""explorer/ -> the page in results/; the manifests -> index.json, which the page reads. Maps never wait for either."""


def explorer_sources():
    """What the page is built from: explorer/ without its tests and what tools leave there, and the schemas of the
    files that it reads."""
    folder = ROOT / "explorer"
    settings = [".npmrc", "package.json", "package-lock.json", "tsconfig.json"]
    files = [folder / name for name in settings] + [*folder.glob("*.html"), *folder.glob("*.ts")]
    files += [path for path in folder.glob("src/**/*") if path.is_file()]
    files += (ROOT / "docs").glob("*.schema.json")
    return sorted(os.path.relpath(path) for path in files)


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
