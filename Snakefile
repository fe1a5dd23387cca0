"""SAE Atlas: from the weights of sparse autoencoders to 3D maps of what a language model's features mean."""

from snakemake.utils import min_version

min_version("9.13")


report: "report/workflow.rst"


configfile: f"{workflow.current_basedir}/config/config.yaml"


include: "rules/common.smk"
include: "rules/weights.smk"
include: "rules/geometry.smk"
include: "rules/labels.smk"
include: "rules/regions.smk"
include: "rules/quality.smk"
include: "rules/export.smk"
include: "rules/atlas.smk"
include: "rules/figures.smk"
include: "rules/explorer.smk"
include: "rules/publish.smk"


rule all:
    input:
        wanted(),


rule explorer:
    input:
        "results/index.html",
        "results/index.json",


rule release:
    input:
        [f"results/{model}/published/github.json" for model in SELECTED],


rule dataset:
    input:
        "results/published/huggingface.json",


rule site:
    input:
        "results/site",
