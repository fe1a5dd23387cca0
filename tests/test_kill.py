"""SIGKILL while each rule writes: no half file under a product's name, and the next run goes on from there."""

import shutil
import signal

from conftest import ROOT, RULES

FAULTS = ROOT / "tests" / "faults"
OTHER_RUNS = {"resolve_revision", "build_explorer", "describe_release", "build_site"}


def test_killed_once_in_every_rule(toy_run, toy, tmp_path):
    for name in ("results", ".snakemake"):
        shutil.rmtree(toy.folder / name)
    undisturbed = toy_run.files()
    toy.environment |= {"PYTHONPATH": str(FAULTS), "SAE_KILLED": str(tmp_path)}
    while (status := toy.snakemake(check=False).returncode) == -signal.SIGKILL:
        left = toy.files()
        whole = {name for name in left if not name.endswith(".part")}
        # The directive `temp` and the marks of incomplete files are Snakemake's.
        assert {name for name in whole if left[name] != undisturbed.get(name)} == set()
        toy.snakemake("--unlock")
    assert status == 0
    assert toy.files() == undisturbed
    assert toy.pending() == {}
    expected = {name for name in RULES if not name.startswith("publish_")}
    assert {path.name for path in tmp_path.iterdir()} - {"project"} == expected - OTHER_RUNS
