"""The files by which the workflow is cited and listed agree with the workflow."""

import tomllib

import yaml

from conftest import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_the_citation_names_this_version_and_licence():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert {"cff-version", "message", "title", "authors"} <= citation.keys()
    assert citation["cff-version"] == "1.2.0"
    assert (citation["version"], citation["license"]) == (PROJECT["version"], PROJECT["license"])
    # Zenodo would read this one instead.
    assert not (ROOT / ".zenodo.json").exists()


def test_the_catalog_lists_what_the_workflow_has():
    usage = yaml.safe_load((ROOT / ".snakemake-workflow-catalog.yml").read_text())["usage"]
    assert usage["software-stack-deployment"]["report"]
    assert "\nreport: " in (ROOT / "Snakefile").read_text()
    assert (ROOT / "docs" / "elsewhere.md").exists()
