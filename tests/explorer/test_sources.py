"""The explorer's lock file and the rule that builds it; `make gates` checks and unit-tests the sources."""

import json

from conftest import ROOT, Project


def test_the_lock_file_pins_by_hash_and_names_no_host():
    lock = json.loads((ROOT / "explorer" / "package-lock.json").read_bytes())
    packages = [package for path, package in lock["packages"].items() if path and not package.get("inBundle")]
    assert packages
    assert [package for package in packages if "integrity" not in package] == []
    assert [package for package in packages if "resolved" in package] == []


def test_maps_do_not_depend_on_the_explorer():
    pending = Project(ROOT, "config/demo.yaml").pending("--forceall")
    assert "write_manifest" in pending
    assert "build_explorer" not in pending
