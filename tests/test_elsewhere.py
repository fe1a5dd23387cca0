"""The workflow used from elsewhere: in another folder, and as a module of another workflow."""

import pandas as pd
import yaml

from conftest import QUICK, ROOT, Project, copy_workflow, toy_catalogue

SNAKEFILE = """
rule copy_features:
    input:
        "maps/results/toy/features.parquet",
    output:
        "mine.parquet",
    shell:
        "cp {input} {output}"


module sae_atlas:
    snakefile:
        "sae-atlas/Snakefile"
    config:
        config["sae_atlas"]
    prefix:
        "maps"


use rule * from sae_atlas as sae_atlas_*
"""


def test_results_are_made_in_another_folder(tmp_path):
    (tmp_path / "work" / "toy").mkdir(parents=True)
    toy_catalogue(tmp_path / "work" / "toy", features=100)
    # The configuration is looked up from here, what it names from the other folder.
    (tmp_path / "toy.yaml").write_text(yaml.safe_dump({"models": "toy", "catalogues": ["toy/models.yaml"]}))
    pending = Project(tmp_path, "toy.yaml").pending("--snakefile", ROOT / "Snakefile", "--directory", "work")
    assert (pending["fetch_decoder"], pending["write_index"]) == (2, 1)


def test_another_workflow_uses_this_one_as_a_module(tmp_path):
    # Inside the folder of the other workflow, whose prefix must not apply to the files of this one.
    copy_workflow(tmp_path / "sae-atlas")
    (tmp_path / "toy").mkdir()
    toy_catalogue(tmp_path / "toy", features=150)
    settings = {"models": "toy", "catalogues": ["toy/models.yaml"], **QUICK}
    # What SAE Atlas would refuse in a configuration of its own is no business of a module.
    (tmp_path / "mine.yaml").write_text(f"its_own: 1_000\n{yaml.safe_dump({'sae_atlas': settings})}")
    (tmp_path / "Snakefile").write_text(SNAKEFILE)
    project = Project(tmp_path, "mine.yaml")
    project.snakemake()
    assert len(pd.read_parquet(tmp_path / "mine.parquet")) == 2 * 150
    assert not (tmp_path / "results").exists()
    pending = project.pending("sae_atlas_all")
    assert pending["sae_atlas_draw_layer"] == 2
    assert not {"sae_atlas_fetch_decoder", "sae_atlas_compute_coords", "sae_atlas_export_layer"} & pending.keys()
