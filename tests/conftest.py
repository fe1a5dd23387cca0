"""What several tests need: the workflow's root, small SAEs, Snakemake runs in folders of their own, and a browser."""

import gzip
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
WORKFLOW = (
    "Snakefile",
    "config",
    "rules",
    "scripts",
    "envs",
    "explorer",
    "profiles",
    "report",
    "slurm",
    "resources",
    "pyproject.toml",
)
# Chromium must not ask the network for itself, and draws WebGL in software where there is no graphics card.
FLAGS = (
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
)
ADVICE = (
    "no Chromium found: install it (Debian and Ubuntu: apt-get install chromium), "
    "or name the program in the variable CHROMIUM"
)


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT


class Project:
    """A copy of the workflow with a small catalogue, run by the real `snakemake` command."""

    def __init__(self, folder: Path, configfile: str, environment: dict[str, str] | None = None):
        self.folder = folder
        self.configfile = configfile
        self.environment = {"SOURCE_DATE_EPOCH": "0"} | (environment or {})

    def command(self, *arguments: str) -> list[str]:
        """The command line of a run."""
        snakemake = [sys.executable, "-m", "snakemake", *map(str, arguments)]
        return [*snakemake, "--cores", "2", "--configfile", self.configfile]

    def snakemake(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess:
        """Run to the end; stdout and stderr come together in `.stdout`."""
        done = subprocess.run(
            self.command(*arguments),
            cwd=self.folder,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env=os.environ | self.environment,
        )
        if check:
            assert done.returncode == 0, done.stdout
        return done

    def pending(self, *arguments: str) -> dict[str, int]:
        """The jobs that a dry run would execute: their number by rule."""
        told = self.snakemake(*arguments, "--dry-run", "--quiet", "rules").stdout
        counts = {rule: int(jobs) for rule, jobs in re.findall(r"^(\w+) +(\d+)$", told, re.MULTILINE)}
        return {rule: jobs for rule, jobs in counts.items() if rule not in ("all", "total")}

    def files(self) -> dict[str, bytes]:
        """Every product and intermediate by its path below results/, logs and benchmarks aside."""
        results = self.folder / "results"
        return {
            str(path.relative_to(results)): path.read_bytes()
            for path in sorted(results.rglob("*"))
            if path.is_file() and path.relative_to(results).parts[0] not in ("logs", "benchmarks")
        }

    def copy(self, folder: Path) -> "Project":
        """The same project, with its results and Snakemake's memory of them, in another folder."""
        shutil.copytree(self.folder, folder, symlinks=True)
        return Project(folder, self.configfile, self.environment)


def copy_workflow(folder: Path, root: Path = ROOT) -> None:
    """Copy what a run needs, results and environments aside."""
    for name in WORKFLOW:
        source = root / name
        if source.is_dir() and not source.is_symlink():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("node_modules"))
        else:
            shutil.copy2(source, folder / name, follow_symlinks=False)


def demo_rows(layer: Path, folder: str, features: int) -> list[dict]:
    """The rows of a demo layer's `explanations` or `features` that are about its first features."""
    texts = [gzip.decompress(file.read_bytes()) for file in sorted((layer / folder).iterdir())]
    lines = [line for text in texts for line in text.splitlines()]
    return [row for row in map(json.loads, lines) if int(row["index"]) < features]


def toy_catalogue(folder: Path, layers: int = 2, features: int = 300) -> None:
    """A catalogue of one small model: the first features of the demo's layers, with their labels."""
    rows = []
    for layer in range(layers):
        source = ROOT / "resources" / "demo" / f"layer_{layer}"
        with np.load(source / "params.npz") as file:
            np.savez(folder / f"sae_{layer}.npz", W_dec=file["W_dec"][:features])
        explanations = folder / f"labels_{layer}" / "explanations"
        explanations.mkdir(parents=True)
        with (explanations / "batch-0.jsonl").open("w", encoding="utf-8") as file:
            file.writelines(f"{json.dumps(row)}\n" for row in demo_rows(source, "explanations", features))
        rows.append(
            {
                "layer": layer,
                "weights": f"sae_{layer}.npz",
                "source": f"{layer}-demo-res-2k",
                "labels": f"labels_{layer}",
            }
        )
    model = {
        "display_name": "Toy",
        "features": features,
        "d_model": 384,
        "weights": {"tensor": "W_dec", "shape": ["features", "d_model"]},
        "layers": rows,
    }
    (folder / "models.yaml").write_text(yaml.safe_dump({"toy": model}))


@pytest.fixture(scope="session")
def toy_run(tmp_path_factory) -> Project:
    """Two layers of a toy model, run to the end once. Copy it before changing anything."""
    folder = tmp_path_factory.mktemp("toy") / "project"
    folder.mkdir()
    copy_workflow(folder)
    (folder / "toy").mkdir()
    toy_catalogue(folder / "toy")
    config = {"models": ["toy"], "catalogues": ["toy/models.yaml"], "umap": {"n_epochs": 20}}
    (folder / "toy.yaml").write_text(yaml.safe_dump(config))
    project = Project(folder, "toy.yaml")
    project.snakemake()
    return project


@pytest.fixture
def toy(toy_run, tmp_path) -> Project:
    """A copy of the finished toy run, free to be changed."""
    return toy_run.copy(tmp_path / "project")


def unavailable(reason: str) -> None:
    """Skip a test for want of something on this machine, but fail in CI, which has it all."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def everything_written(folder: Path) -> bytes:
    """All bytes that runs in a project's folder left there, Snakemake's own notes included: what may hold no secret."""
    files = (path for name in ("results", ".snakemake") for path in sorted((folder / name).rglob("*")))
    return b"".join(path.read_bytes() for path in files if path.is_file())


def chromium() -> str:
    """Path of a Chromium; without one the test is skipped, except in CI, where it fails."""
    named = os.environ.get("CHROMIUM")
    names = [named] if named else ["chromium", "chromium-browser", "google-chrome"]
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        unavailable(ADVICE)
    return found


@pytest.fixture(scope="session")
def browser_path() -> str:
    """The program that the browser tests drive."""
    return chromium()


@pytest.fixture(scope="session")
def playwright():
    """What drives the browsers."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def browser(playwright, browser_path):
    """One Chromium for all tests."""
    browser = playwright.chromium.launch(executable_path=browser_path, args=list(FLAGS))
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def screenshots(tmp_path_factory) -> Path:
    """Where screenshots go: the folder that the variable SCREENSHOTS names, or one of pytest's own."""
    folder = Path(os.environ.get("SCREENSHOTS") or tmp_path_factory.mktemp("screenshots"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder
