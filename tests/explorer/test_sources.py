"""The explorer's sources: types, unit tests and the lock file; and the rule that builds it."""

import json
import shutil
import subprocess

import pytest

from build_explorer import node_and_npm
from conftest import ROOT

EXPLORER = ROOT / "explorer"


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A copy of explorer/ with everything that its lock file pins."""
    folder = tmp_path_factory.mktemp("explorer") / "explorer"
    shutil.copytree(EXPLORER, folder, ignore=shutil.ignore_patterns("node_modules", "dist"))
    _, npm = node_and_npm()
    run([*npm, "ci", "--ignore-scripts", "--no-progress"], folder)
    return folder


def run(command, folder):
    """Run to a good end."""
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, done.stdout


def test_types_hold(installed):
    node, _ = node_and_npm()
    run([*node, "node_modules/typescript/bin/tsc", "--noEmit"], installed)


def test_unit_tests_pass(installed):
    node, _ = node_and_npm()
    run([*node, "node_modules/vitest/vitest.mjs", "run"], installed)


def test_the_lock_file_pins_by_hash_and_names_no_host():
    lock = json.loads((EXPLORER / "package-lock.json").read_bytes())
    packages = [package for path, package in lock["packages"].items() if path and not package.get("inBundle")]
    assert packages
    assert [package for package in packages if "integrity" not in package] == []
    assert [package for package in packages if "resolved" in package] == []


def test_maps_do_not_depend_on_the_explorer(toy):
    assert "build_explorer" not in toy.pending("--forceall")
    assert "write_index" not in toy.pending("--forceall")
    assert toy.pending("--keep-going", "explorer") == {"explorer": 1, "build_explorer": 1, "write_index": 1}
