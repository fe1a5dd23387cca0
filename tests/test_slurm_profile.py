"""What `snakemake --profile slurm` would do, as far as it can be told without a cluster."""

import re
from collections import Counter
from pathlib import Path

import pytest
import yaml

from conftest import ROOT, RULES, copy_workflow, run_snakemake

PROFILE = yaml.safe_load((ROOT / "profiles/slurm/config.yaml").read_text())
PUBLISH = {"publish_github", "publish_huggingface"}
NEED_THE_INTERNET = {"resolve_revision", "fetch_decoder", "fetch_labels", "build_explorer", *PUBLISH}
AT_THE_HEAD = NEED_THE_INTERNET | {"tabulate_quality", "write_manifest", "write_index", "draw_model"}
AT_THE_HEAD |= {"tabulate_features", "describe_release", "build_site", "draw_atlas", "tabulate_regions"}
OF_A_MODEL = {"chain_features", "follow_features", "lay_out_atlas", "measure_atlas"}


@pytest.fixture(scope="module")
def clean(tmp_path_factory) -> Path:
    """The workflow without results."""
    return copy_workflow(tmp_path_factory.mktemp("clean") / "project")


def planned(folder: Path, *arguments: str) -> str:
    """What a dry run with the profile says."""
    done = run_snakemake(["--dry-run", *arguments, "--profile", "slurm"], folder, {})
    assert done.returncode == 0, done.stdout
    return done.stdout


def jobs(told: str) -> dict[str, int]:
    """The number of jobs by rule."""
    return {rule: int(number) for rule, number in re.findall(r"^(\w+) +(\d+)$", told, re.MULTILINE)}


def test_the_literal_command_plans_all_68_layers(clean):
    counts = jobs(planned(clean, "--quiet", "rules"))
    per_layer = {*PROFILE["groups"], "fetch_decoder", "fetch_labels"} - OF_A_MODEL
    per_model = {"resolve_revision", "tabulate_features", "tabulate_quality", "write_manifest", "draw_model"}
    per_model |= OF_A_MODEL | {"draw_atlas", "tabulate_regions"}
    once = {"all", "write_index"}
    expected = dict.fromkeys(per_layer, 68) | dict.fromkeys(per_model, 2) | dict.fromkeys(once, 1)
    # Pairs of adjacent layers.
    expected["match_layers"] = 66
    assert counts == expected | {"total": sum(expected.values())}


def test_a_layer_is_two_submissions_and_an_atlas_a_few_more(clean):
    told = planned(clean, "--configfile", "config/demo.yaml")
    groups = Counter(re.findall(r"Group job (\w+)", told))
    layers = {"geometry": 6, "map": 6}
    # Five pairs, six refinements, six exports: four to a submission.
    atlas = {"matches": 2, "tracks": 1, "frame": 1, "refinement": 2, "measures": 1, "export": 2}
    assert groups == layers | atlas


def test_profiles_do_not_compete():
    default = yaml.safe_load((ROOT / "profiles/default/config.yaml").read_text())
    assert not default.keys() & PROFILE.keys(), "the default profile wins over any other, key by key"
    assert (ROOT / "slurm").readlink() == Path("profiles/slurm")


def test_what_needs_the_internet_stays_at_the_head_and_the_rest_is_grouped():
    assert {name for name, body in RULES.items() if "localrule: True" in body} == AT_THE_HEAD
    assert PROFILE["groups"].keys() == RULES.keys() - AT_THE_HEAD
    assert set(PROFILE["groups"].values()) == PROFILE["group-components"].keys()


@pytest.mark.parametrize("rule", sorted(RULES.keys() - AT_THE_HEAD))
def test_submitted_steps_say_what_they_need(rule):
    assert "mem_mb=memory(" in RULES[rule]
    assert "runtime=minutes(" in RULES[rule]


def test_larger_models_ask_for_more(tmp_path):
    root = copy_workflow(tmp_path / "root")
    for file in (root / "rules").glob("*.smk"):
        # A job with a message is announced by it alone, without its resources.
        file.write_text(re.sub(r"^    message:\n(?:        .*\n)+", "", file.read_text(), flags=re.MULTILINE))
    catalogue = yaml.safe_load((root / "config/models.yaml").read_text())
    catalogue["wide"] = catalogue["gemma-2-9b"] | {"features": 65536}
    (root / "config/models.yaml").write_text(yaml.safe_dump(catalogue))

    models = ("gemma-2-2b", "gemma-2-9b", "wide")
    told = planned(root, *(f"results/{model}/layer-0/neighbors.npz" for model in models), "--cores", "8")
    asked = {}
    for job in told.split("rule compute_neighbors:")[1:]:
        model = re.search(r"wildcards: model=([\w-]+)", job)[1]
        asked[model] = [int(re.search(rf"\b{name}[=:] ?(\d+)", job)[1]) for name in ("mem_mb", "runtime", "threads")]
    memory, runtime, threads = zip(*(asked[model] for model in models), strict=True)
    assert memory[0] < memory[1] < memory[2]
    assert threads == (2, 2, 8)
    # With four times the threads, sixteen times the work takes four times the time, start and reserve aside.
    assert runtime[1] < runtime[2] < 4 * runtime[1]


def test_a_part_of_the_run(clean):
    """--batch takes a share of the manifest's layers, where there is no atlas, which needs all of them."""
    share = ("--batch", "write_manifest=1/2", "results/minilm-l6/manifest.json")
    alone = ("--configfile", "config/demo.yaml", "--config", "atlas={enabled: false}")
    batch = jobs(planned(clean, "--quiet", "rules", *alone, *share))
    assert 1 < batch["export_layer"] < 6
    assert "write_manifest" not in batch
