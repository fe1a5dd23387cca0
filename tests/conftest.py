"""Fixtures shared by the tests: copies of the workflow, small SAEs, Snakemake runs, and a browser."""

import fcntl
import gzip
import json
import logging
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
# Every rule's name and text.
RULES = {
    name: body
    for path in sorted((ROOT / "rules").glob("*.smk"))
    for name, body in re.findall(r"^rule (\w+):\n(.*?)(?=^\S|\Z)", path.read_text(), re.MULTILINE | re.DOTALL)
}
COPIED = ("Snakefile", "config", "rules", "scripts", "explorer", "resources/templates", "slurm", "pyproject.toml")
LINKED = ("docs", "envs", "profiles", "report", "resources/demo")
# Chromium must make no requests of its own; it renders WebGL in software if there is no graphics card.
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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that need whole runs: they take longest."""
    runs = {"demo_run", "toy_run", "finished"}
    items.sort(key=lambda item: runs.isdisjoint(item.fixturenames))


def run_snakemake(arguments: list[str], folder: Path, environment: dict) -> subprocess.CompletedProcess:
    """Run Snakemake in a fork of this process, which saves the second that importing it takes.

    With its jobs it is a process group of its own.
    """
    import snakemake.cli

    with tempfile.TemporaryFile() as output:
        child = os.fork()
        if child == 0:
            status = 1
            os.setpgid(0, 0)
            try:
                for descriptor, file in enumerate((os.devnull, output.fileno(), output.fileno())):
                    opened = os.open(file, os.O_RDONLY) if isinstance(file, str) else file
                    os.dup2(opened, descriptor)
                sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w")  # noqa: SIM115
                os.environ |= environment
                os.chdir(folder)
                # Handlers of scripts that ran in this process write to files that are closed.
                for logger in (logging.root, *map(logging.getLogger, logging.root.manager.loggerDict)):
                    logger.handlers.clear()
                # The project has its own copy of lib.
                for name in [name for name in sys.modules if name.partition(".")[0] == "lib"]:
                    del sys.modules[name]
                snakemake.cli.main(arguments)
            except SystemExit as stop:
                status = stop.code or 0
            except BaseException:
                traceback.print_exc()
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(status)
        try:
            status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        except BaseException:
            os.killpg(child, signal.SIGKILL)
            raise
        output.seek(0)
        return subprocess.CompletedProcess(arguments, status, output.read().decode())


class Project:
    """A copy of the workflow with a small catalogue, run by the real `snakemake` command."""

    def __init__(self, folder: Path, configfile: str | Path, environment: dict[str, str] | None = None):
        self.folder = folder
        self.configfile = configfile
        self.environment = {"SOURCE_DATE_EPOCH": "0"} | (environment or {})

    def command(self, *arguments: str) -> list[str]:
        """Return the command line of a run."""
        snakemake = [sys.executable, "-m", "snakemake", *map(str, arguments)]
        return [*snakemake, "--cores", "2", "--configfile", str(self.configfile)]

    def snakemake(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess:
        """Run Snakemake to the end; `.stdout` has both stdout and stderr."""
        done = run_snakemake(self.command(*arguments)[3:], self.folder, self.environment)
        if check:
            assert done.returncode == 0, done.stdout
        return done

    def pending(self, *arguments: str) -> dict[str, int]:
        """Return how many jobs of each rule a run would execute, from a dry run."""
        output = self.snakemake(*arguments, "--dry-run", "--quiet", "rules").stdout
        counts = {rule: int(jobs) for rule, jobs in re.findall(r"^(\w+) +(\d+)$", output, re.MULTILINE)}
        return {rule: jobs for rule, jobs in counts.items() if rule not in ("all", "total")}

    def changed(self, configfile: Path, change: dict) -> "Project":
        """Return the same project with another configuration, written to `configfile`."""
        config = yaml.safe_load((self.folder / self.configfile).read_text())
        for key, value in change.items():
            config[key] = config.get(key, {}) | value if isinstance(value, dict) else value
        configfile.write_text(yaml.safe_dump(config))
        return Project(self.folder, configfile, self.environment)

    def files(self) -> dict[str, bytes]:
        """Return every product and intermediate by its path below results/, without logs and benchmarks."""
        results = self.folder / "results"
        return {
            str(path.relative_to(results)): path.read_bytes()
            for path in sorted(results.rglob("*"))
            if path.is_file() and path.relative_to(results).parts[0] not in ("logs", "benchmarks")
        }

    def forget_all_but(self, part: str) -> None:
        """Remove every product and intermediate whose path does not hold `part`."""
        for name in self.files():
            if part not in name:
                (self.folder / "results" / name).unlink()

    def copy(self, folder: Path) -> "Project":
        """Copy the project with its results and Snakemake's metadata to another folder."""
        # Other workers may be planning in the original.
        shutil.copytree(self.folder, folder, symlinks=True, ignore=shutil.ignore_patterns("log", "locks"))
        return Project(folder, self.configfile, self.environment)


@cache
def compile_kernels() -> None:
    """Have numba keep what it compiles beside the checkout's scripts, so that every copy of the workflow has it."""
    from compute_coords import embed
    from decoders import NEIGHBOR_EMBEDDING
    from lib.geometry.knn import nearest_neighbors
    from lib.geometry.tracks import chains, cosines_within
    from match_layers import match

    rows = np.eye(64, dtype=np.float32)
    embed(rows, *nearest_neighbors(rows, 40), **NEIGHBOR_EMBEDDING | {"n_epochs": 1, "refinement_epochs": 1})
    sizes = [64, 64]
    cosines_within(*chains([match(rows, rows)], sizes), sizes, lambda layer, indices: rows[indices])


def copy_workflow(folder: Path) -> Path:
    """Copy the files of the workflow that a run needs to `folder`, without results; link what no test changes."""
    compile_kernels()
    for name in COPIED:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_dir() and not (ROOT / name).is_symlink():
            shutil.copytree(ROOT / name, target, ignore=shutil.ignore_patterns("node_modules"))
        else:
            shutil.copy2(ROOT / name, target, follow_symlinks=False)
    for name in LINKED:
        (folder / name).symlink_to(ROOT / name)
    return folder


def once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """Return a folder that `make` filled once for all worker processes of the session. Copy it before a change."""
    base = factory.getbasetemp().parent if "PYTEST_XDIST_WORKER" in os.environ else factory.getbasetemp()
    folder, made = base / name, base / f"{name}.made"
    with (base / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            shutil.rmtree(folder, ignore_errors=True)
            make(folder)
            made.touch()
    return folder


def demo_rows(layer: Path, folder: str, features: int) -> list[dict]:
    """Return the rows of a demo layer's `explanations` or `features` for its first features."""
    texts = [gzip.decompress(file.read_bytes()) for file in sorted((layer / folder).iterdir())]
    lines = [line for text in texts for line in text.splitlines()]
    return [row for row in map(json.loads, lines) if int(row["index"]) < features]


def toy_catalogue(folder: Path, features: int = 300) -> None:
    """Write a catalogue of one small model: the first features of the demo's layers, with their labels."""
    rows = []
    for layer in range(2):
        source = ROOT / "resources" / "demo" / f"layer_{layer}"
        with np.load(source / "params.npz") as file:
            np.savez(folder / f"sae_{layer}.npz", W_dec=file["W_dec"][:features])
        explanations = folder / f"labels_{layer}" / "explanations"
        explanations.mkdir(parents=True)
        with (explanations / "batch-0.jsonl").open("w", encoding="utf-8") as file:
            file.writelines(f"{json.dumps(row)}\n" for row in demo_rows(source, "explanations", features))
        row = {"layer": layer, "weights": f"sae_{layer}.npz"}
        rows.append(row | {"source": f"{layer}-demo-res-2k", "labels": f"labels_{layer}"})
    model = {"display_name": "Toy", "features": features, "d_model": 384, "layers": rows}
    model["weights"] = {"tensor": "W_dec", "shape": ["features", "d_model"]}
    (folder / "models.yaml").write_text(yaml.safe_dump({"toy": model}))


QUICK = {"layout": {"neighbor_embedding": {"n_epochs": 20}}}


@pytest.fixture(scope="session")
def toy_run(tmp_path_factory) -> Project:
    """A finished run of a toy model with two layers. Copy it before changing anything."""

    def make(folder: Path) -> None:
        copy_workflow(folder)
        (folder / "toy").mkdir()
        toy_catalogue(folder / "toy")
        config = {"models": ["toy"], "catalogues": ["toy/models.yaml"], **QUICK}
        (folder / "toy.yaml").write_text(yaml.safe_dump(config))
        Project(folder, "toy.yaml").snakemake()

    return Project(once(tmp_path_factory, "toy", make), "toy.yaml")


@pytest.fixture(scope="session")
def demo_run(tmp_path_factory) -> Project:
    """A finished run of the demo, all but its figures. Copy it before changing anything."""

    def make(folder: Path) -> None:
        tables = [f"results/minilm-l6/{name}" for name in ("features.parquet", "quality.tsv")]
        Project(copy_workflow(folder), "config/demo.yaml").snakemake("results/index.json", *tables)

    return Project(once(tmp_path_factory, "demo", make), "config/demo.yaml")


@pytest.fixture
def toy(toy_run, tmp_path) -> Project:
    """A copy of the finished toy run that a test may change."""
    return toy_run.copy(tmp_path / "project")


def unavailable(reason: str) -> None:
    """Skip a test that this machine cannot run; fail in CI, which must be able to run it."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def everything_written(folder: Path) -> bytes:
    """Return all bytes that runs wrote to a project, including Snakemake's metadata: no secret may be among them."""
    files = (path for name in ("results", ".snakemake") for path in sorted((folder / name).rglob("*")))
    return b"".join(path.read_bytes() for path in files if path.is_file())


@pytest.fixture(scope="session")
def browser_path() -> str:
    """Path of Chromium; without it, the test is skipped (and fails in CI)."""
    override = os.environ.get("CHROMIUM")
    names = [override] if override else ["chromium", "chromium-browser", "google-chrome"]
    path = next(filter(None, map(shutil.which, names)), None)
    if path is None:
        unavailable(
            "no Chromium found: install it (Debian and Ubuntu: apt-get install chromium), "
            "or set the environment variable CHROMIUM to its path"
        )
    return path


@pytest.fixture(scope="session")
def playwright():
    """Playwright, which drives the browser."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def browser(playwright, browser_path):
    """One Chromium shared by all tests."""
    browser = playwright.chromium.launch(executable_path=browser_path, args=list(FLAGS))
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def screenshots(tmp_path_factory) -> Path:
    """Folder for screenshots: the environment variable SCREENSHOTS, or a temporary one."""
    folder = Path(os.environ.get("SCREENSHOTS") or tmp_path_factory.mktemp("screenshots"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder
