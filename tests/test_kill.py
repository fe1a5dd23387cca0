"""SIGKILL while each rule writes: no half file under a product's name, and the next attempt goes on from there."""

import signal

from conftest import ROOT, RULES, Project

FAULTS = ROOT / "tests" / "faults"
OTHER_RUNS = {"resolve_revision", "build_explorer", "describe_release", "build_site"}


def whole(project):
    return {name: content for name, content in project.files().items() if not name.endswith(".part")}


def test_killed_once_in_every_rule(toy_run, toy, tmp_path):
    toy.forget_all_but("layer-1")
    undisturbed, killed = toy_run.files(), tmp_path / "killed"
    killed.mkdir()
    faults = {"PYTHONPATH": str(FAULTS), "SAE_KILLED": str(killed), "SAE_KILLS_ALL": "measure_quality"}
    toy.environment |= faults
    # The kill of a single job leaves the run alive, which makes a second attempt.
    assert toy.snakemake("--retries", "1", check=False).returncode == -signal.SIGKILL
    assert whole(toy).items() <= undisturbed.items()
    toy.snakemake("--unlock")
    toy.snakemake("--retries", "1")
    assert toy.files() == undisturbed
    assert toy.pending() == {}
    expected = {name for name in RULES if not name.startswith("publish_")}
    assert {path.name for path in killed.iterdir()} == expected - OTHER_RUNS
    for folder in killed.iterdir():
        assert whole(Project(folder, "")).items() <= undisturbed.items(), folder.name
