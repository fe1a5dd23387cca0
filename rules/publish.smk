"""Finished maps -> GitHub releases, a Hugging Face dataset, a static site: each on its own demand, never by `all`.

What is published of a model are the files of results/{model}/ that SHA256SUMS lists, and itself. It is written only
where every map is above its floors and the manifest describes the files; what sends them compares them with it again.
"""


def checksums():
    """What says of the selected models that they may be published, and which files."""
    return [f"results/{model}/SHA256SUMS" for model in SELECTED]


def origins(model):
    """Where a model's weights come from, and the licences of weights and labels, as far as its catalogue says."""
    return {
        "weights": MODELS[model]["weights"].get("repo"),
        "licenses": MODELS[model].get("licenses", {}),
    }


def github_release(wildcards):
    """Where and as what a model is released on GitHub."""
    return told(settings.release, config, MODELS, wildcards.model, VERSION)


def huggingface_dataset(wildcards):
    """Where the dataset goes."""
    return told(settings.dataset, config)


def released(model):
    """The files of a model that its SHA256SUMS lists: BESIDE_THE_MAPS of lib/release.py, which imports numpy, and maps."""
    beside = ("README.md", "features.parquet", "manifest.json", "quality.tsv")
    return [path for paths in products(model).values() for path in paths] + [
        f"results/{model}/{name}" for name in beside
    ]


def released_on_github(wildcards):
    """The files of a model. Asked while Snakemake plans, so that a repository which is not set stops the run at once."""
    github_release(wildcards)
    return released(wildcards.model)


def released_on_huggingface(wildcards):
    """The files of all selected models; as above."""
    huggingface_dataset(wildcards)
    return [path for model in SELECTED for path in released(model)]


def templates(*names):
    """Template files of a document: inputs, so that editing one reruns the rule."""
    return [os.path.relpath(ROOT / "resources" / "templates" / name) for name in names]


rule tabulate_features:
    input:
        graphs=lambda wildcards: products(wildcards.model)[".json"],
        lib=lib("tabulate_features"),
    output:
        features="results/{model}/features.parquet",
    log:
        "results/logs/tabulate_features/{model}.log",
    benchmark:
        "results/benchmarks/tabulate_features/{model}.tsv"
    localrule: True
    conda:
        "../envs/export.yaml"
    message:
        "Tabulating the features of {wildcards.model}"
    script:
        "../scripts/tabulate_features.py"


rule describe_release:
    input:
        maps=lambda wildcards: [path for paths in products(wildcards.model).values() for path in paths],
        manifest="results/{model}/manifest.json",
        features="results/{model}/features.parquet",
        table="results/{model}/quality.tsv",
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
        files=released_on_github,
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
        release=github_release,
        files=lambda wildcards, input: len(input.files) + 1,  # and SHA256SUMS
    message:
        "Publishing {params.files} files of {wildcards.model}: GitHub, {params.release[repository]},"
        " release {params.release[tag]}"
    script:
        "../scripts/publish_github.py"


rule publish_huggingface:
    input:
        checksums=checksums(),
        files=released_on_huggingface,
        manifests=manifests(),
        index="results/index.json",
        templates=templates("dataset.md", "parts.md"),
        lib=lib("publish_huggingface"),
    output:
        record="results/published/huggingface.json",
        card="results/published/README.md",
    log:
        "results/logs/publish_huggingface/dataset.log",
    benchmark:
        "results/benchmarks/publish_huggingface/dataset.tsv"
    localrule: True  # compute nodes often have no internet
    conda:
        "../envs/publish.yaml"
    params:
        dataset=huggingface_dataset,
        about=lambda wildcards: {model: origins(model) for model in SELECTED},
        files=lambda wildcards, input: len(input.files) + len(input.checksums) + 2,  # and the card and the index
    message:
        "Publishing {params.files} files: Hugging Face, dataset {params.dataset[repository]},"
        " branch {params.dataset[revision]}"
    script:
        "../scripts/publish_huggingface.py"


rule build_site:
    input:
        page="results/index.html",
        worker="results/sw.js",
        assets="results/assets",
        index="results/index.json",
        checksums=checksums(),
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
