"""The workflow on a real Slurm: `snakemake --profile slurm` with slurmctld and slurmd on this machine.

Without Slurm or root these tests are skipped; in CI they fail instead.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import cluster
import pytest
import yaml

from conftest import Project, copy_workflow, unavailable

# The maps of the toy run, without the atlas, whose steps go to the cluster alike.
MAPS = [f"results/toy/layer-{layer}.json" for layer in range(2)]
FAULTS = Path(__file__).with_name("faults")

# Overrides of the profile: on a single machine, polling can start early and be frequent.
SITE = ["--slurm-init-seconds-before-status-checks=9", "--max-status-checks-per-second=1", "--latency-wait=10"]


class ClusterProject(Project):
    """A project whose jobs go to Slurm."""

    def command(self, *arguments: str) -> list[str]:
        options = ["--profile", "slurm", "--configfile", self.configfile, *SITE]
        return [sys.executable, "-m", "snakemake", *options, *map(str, arguments)]

    def start(self, *targets: str, **environment: str) -> subprocess.Popen:
        """Start a run in the background, with its output in run.log and SIGINT handled as in a terminal."""
        with (self.folder / "run.log").open("w") as log:
            return subprocess.Popen(
                self.command(*targets),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=os.environ | {"SOURCE_DATE_EPOCH": "0"} | environment,
                # If pytest itself is a background job, it ignores SIGINT, and so would its children.
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
            )

    def forget(self, *patterns: str) -> "ClusterProject":
        """Remove results, as if the run had stopped before them."""
        for pattern in patterns:
            for path in (self.folder / "results").glob(pattern):
                path.unlink()
        return self


@pytest.fixture(scope="module")
def slurm(tmp_path_factory) -> Iterator[Path]:
    """Directory of a running cluster; afterwards, asserts that it is gone and /etc holds nothing new."""
    if missing := cluster.missing_programs():
        unavailable(f"Slurm is not installed ({', '.join(missing)}): sudo {cluster.__file__} install")
    if os.getuid() != 0:
        unavailable("a Slurm cluster for tests needs root")
    # A terminated run, too, stops its cluster.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    before = etc()
    directory = tmp_path_factory.mktemp("slurm")
    cluster.start(directory)
    yield directory
    cluster.stop(directory)
    assert etc() == before
    assert not cluster.SYSTEM_CONF.is_symlink()
    assert cluster.status(directory) == 3


def etc() -> set[Path]:
    """Every file below /etc but the cluster's link, which a killed run may have left there."""
    return set(Path("/etc").rglob("*")) - {cluster.SYSTEM_CONF}


@pytest.fixture
def project(slurm, toy_run, tmp_path) -> ClusterProject:
    """A copy of the finished toy run; a test removes what the cluster is to make."""
    copy = toy_run.copy(tmp_path / "project")
    return ClusterProject(copy.folder, copy.configfile)


def test_the_demo_from_nothing(slurm, tmp_path):
    """Three layers give the same bytes as a local run: two submissions for each, and six for the atlas."""
    folder = tmp_path / "cluster"
    folder.mkdir()
    copy_workflow(folder)
    settings = {"models": ["minilm-l6"], "layers": "0-2", "layout": {"neighbor_embedding": {"n_epochs": 20}}}
    (folder / "quick.yaml").write_text(yaml.safe_dump(settings))
    shutil.copytree(folder, tmp_path / "local", symlinks=True)
    on_cluster = ClusterProject(folder, "quick.yaml")
    on_cluster.snakemake()
    local = Project(tmp_path / "local", "quick.yaml")
    local.snakemake()

    assert on_cluster.files() == local.files()
    assert [path for path in local.files() if path.endswith(".json.gz")] == [
        f"minilm-l6/layer-{layer}.json.gz" for layer in range(3)
    ]
    jobs = jobs_of(on_cluster, slurm)
    assert [job["JobState"] for job in jobs] == ["COMPLETED"] * 12
    assert len(list((folder / "results/logs/slurm").rglob("*.log"))) == 12
    assert "Nothing to be done" in on_cluster.snakemake().stdout


def test_a_step_that_fails_twice_and_one_that_always_fails(slurm, project, toy_run, tmp_path):
    project.forget("toy/layer-*.json*", "toy/manifest.json")
    counts = tmp_path / "counts"
    counts.mkdir()
    faults = {"SAE_FAULTS": "export_layer:0=2 draw_layer:1=always", "SAE_FAULTS_DIR": str(counts)}
    # Without the atlas, whose part of layer 0 may or may not begin before layer 1 fails for good.
    maps = [
        f"results/toy/{name}" for layer in range(2) for name in (f"layer-{layer}.json", f"figures/layer-{layer}.png")
    ]
    run = project.start(*maps, PYTHONPATH=str(FAULTS), **faults)
    assert run.wait(timeout=300) == 1

    output = (project.folder / "run.log").read_text()
    jobs = jobs_of(project, slurm)
    states = [job["JobState"] for job in jobs]
    assert states.count("FAILED") == 2 + 3
    assert states.count("COMPLETED") == 1
    limits = sorted(int(job["TimeLimit"]) for job in jobs)
    assert limits[:2] < limits[2:4] < limits[4:], "each attempt asks for more time"
    assert project.files()["toy/layer-0.json.gz"] == toy_run.files()["toy/layer-0.json.gz"]
    assert "toy/manifest.json" not in project.files()
    assert "Error in rule draw_layer" in output

    # A failed group loses the outputs of all its steps.
    per_model = {"tabulate_features", "write_manifest", "write_index", "draw_model"}
    assert project.pending() == dict.fromkeys({"export_layer", "draw_layer", "export_frame"} | per_model, 1)
    project.snakemake()
    assert project.files() == toy_run.files()


def test_ctrl_c_cancels_the_jobs_and_a_rerun_completes(slurm, project, toy_run):
    project.forget("toy/layer-*/coords.npy", "toy/layer-*.json*")
    run = project.start(*MAPS)
    wait_for(lambda: len(cluster.active_jobs(slurm, "R")) == 2)
    run.send_signal(signal.SIGINT)
    assert run.wait(timeout=60) != 0
    wait_for(lambda: not cluster.active_jobs(slurm))
    assert {job["JobState"] for job in jobs_of(project, slurm)} == {"CANCELLED"}

    project.snakemake(*MAPS)
    assert project.files() == toy_run.files()


def test_a_killed_head_is_recovered_from_as_documented(slurm, project, toy_run):
    project.forget("toy/layer-*/coords.npy", "toy/layer-*.json*")
    run = project.start(*MAPS)
    wait_for(lambda: len(cluster.active_jobs(slurm, "R")) == 2)

    second = project.snakemake(check=False)
    assert second.returncode != 0
    assert "cannot be locked" in second.stdout
    assert "no other Snakemake process" in second.stdout

    run.kill()
    run.wait()
    assert len(cluster.active_jobs(slurm)) == 2, "jobs outlive their head"
    subprocess.run(["scancel", "--name", run_id(project)], check=True)
    wait_for(lambda: not cluster.active_jobs(slurm))
    project.snakemake("--unlock")
    project.snakemake(*MAPS)
    assert project.files() == toy_run.files()


@pytest.mark.parametrize("runs", [False, True])
def test_only_a_dead_cluster_makes_way_for_another(runs, tmp_path, monkeypatch):
    link, other = tmp_path / "slurm.conf", tmp_path / "other"
    other.mkdir()
    link.symlink_to(other / "slurm.conf")
    monkeypatch.setattr(cluster, "SYSTEM_CONF", link)
    command = [sys.executable, "-c", "print('up', flush=True); input()", other]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as daemon:
        daemon.stdout.readline()
        (other / "slurmd.pid").write_text(str(daemon.pid if runs else 2**30))
        if runs:
            with pytest.raises(cluster.ClusterError, match=f"stop --dir {other}"):
                cluster.make_way()
        else:
            cluster.make_way()
        daemon.communicate(b"\n")
    assert link.is_symlink() == runs


def test_the_slurm_of_the_machine_is_left_alone(tmp_path, monkeypatch):
    own, link = tmp_path / "slurm.conf", tmp_path / "link.conf"
    own.write_text("ClusterName=production")
    link.symlink_to(own)
    for path in (own, link):
        monkeypatch.setattr(cluster, "SYSTEM_CONF", path)
        with pytest.raises(cluster.ClusterError, match="has its own Slurm"):
            cluster.make_way()
        assert path.exists()


def run_id(project: ClusterProject) -> str:
    """Return the name of a run's jobs in the queue, from its log."""
    lines = (project.folder / "run.log").read_text().splitlines()
    return next(line.removeprefix("SLURM run ID: ") for line in lines if line.startswith("SLURM run ID: "))


def jobs_of(project: ClusterProject, slurm: Path) -> list[dict[str, str]]:
    """Return Slurm's records of the jobs submitted from a project's folder."""
    return [job for job in cluster.ended_jobs(slurm) if job["WorkDir"] == str(project.folder)]


def wait_for(condition, seconds: float = 60) -> None:
    """Wait until the condition holds; fail after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s"
        time.sleep(0.2)
