"""SIGKILL in the middle of each rule: the next run completes, with the bytes of an undisturbed one."""

import os
import shutil
import signal
import subprocess
import time

import pytest

PER_MODEL = ("write_manifest", "tabulate_features", "tabulate_quality", "draw_model")
PRODUCTS = ["layer-0.json", "layer-0.json.gz", "layer-0.parquet", "manifest.json"]
RULES = {  # what is missing, so that a run comes by the rule
    "fetch_decoder": ["layer-0/decoder.npy", "layer-0/neighbors.npz", "layer-0/coords.npy", *PRODUCTS],
    "compute_neighbors": ["layer-0/neighbors.npz", "layer-0/coords.npy", "layer-0/edges.npz", *PRODUCTS],
    "compute_coords": ["layer-0/coords.npy", *PRODUCTS],
    "compute_edges": ["layer-0/edges.npz", *PRODUCTS],
    "fetch_labels": ["layer-0/labels.parquet", *PRODUCTS],
    "measure_quality": ["layer-0/quality.json", "quality.tsv", *PRODUCTS],
    "export_layer": PRODUCTS,
    "write_manifest": ["manifest.json"],
    "tabulate_features": ["features.parquet"],
    "tabulate_quality": ["quality.tsv"],
    "draw_layer": ["figures/layer-0.png"],
    "draw_model": ["figures/layers.png"],
}


def start(project) -> subprocess.Popen:
    """A run in a process group of its own."""
    return subprocess.Popen(
        project.command(),
        cwd=project.folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        env=os.environ | {"SOURCE_DATE_EPOCH": "0"},
    )


def kill(run: subprocess.Popen) -> None:
    """Kill the run and all its jobs."""
    os.killpg(run.pid, signal.SIGKILL)
    assert run.wait() == -signal.SIGKILL


@pytest.mark.parametrize("rule", RULES)
def test_killed_in_the_middle_of_a_rule(toy_run, toy, rule):
    for name in RULES[rule]:
        (toy.folder / "results" / "toy" / name).unlink()
    log = toy.folder / "results/logs" / rule / ("toy.log" if rule in PER_MODEL else "toy/layer-0.log")
    log.unlink()
    run = start(toy)
    while not log.exists():  # the script has begun
        assert run.poll() is None, f"the run ended before {rule} began"
        time.sleep(0.002)
    kill(run)
    toy.snakemake("--unlock")
    toy.snakemake()
    assert toy.files() == toy_run.files()
    assert toy.pending() == {}


def test_killed_from_scratch_again_and_again(toy_run, toy):
    shutil.rmtree(toy.folder / "results")
    shutil.rmtree(toy.folder / ".snakemake")
    for moment in (1.5, 2.5, 4.0):
        run = start(toy)
        time.sleep(moment)
        kill(run)
        toy.snakemake("--unlock")
    toy.snakemake()
    assert toy.files() == toy_run.files()
