"""Run the whole workflow, of this or another checkout, on made-up SAEs in local files, and measure its jobs."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from compute_edges import strong_edges
from decoders import ROOT, synthetic
from lib.geometry.knn import nearest_neighbors

MODEL = "made-up"
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
# As layer 12 of Gemma 2 2B has at the default threshold: 12,600 of 16,384 features.
EDGES_PER_FEATURE = 0.77
# Of a checkout, what a run does not need.
NOT_COPIED = shutil.ignore_patterns(".git", ".snakemake", ".venv", "node_modules", "results")
ONE_THREAD = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL", "NUMBA")}


def prepare(checkout: Path, folder: Path, decoders: list[np.ndarray], threshold: float | None = None) -> Path:
    """Copy a checkout's workflow to `folder` and give it a model with these decoders; every feature has a label.

    Without a `threshold` of edges, one that gives EDGES_PER_FEATURE: it costs a search.
    """
    project = shutil.copytree(checkout, folder / "workflow", symlinks=True, ignore=NOT_COPIED)
    n, d = decoders[0].shape
    labels = [f"words about feature {index}, or what activates topic {index % 997} of it" for index in range(n)]
    text = "\n".join(json.dumps({"index": index, "label": label}) for index, label in enumerate(labels))
    rows = []
    for layer, decoder in enumerate(decoders):
        np.savez(project / f"layer_{layer}.npz", W_dec=decoder)
        (project / f"labels_{layer}.jsonl").write_text(text + "\n")
        rows.append({"layer": layer, "weights": f"layer_{layer}.npz", "labels": f"labels_{layer}.jsonl"})
    model = {"display_name": "Made up", "features": n, "d_model": d, "layers": rows}
    model["weights"] = {"tensor": "W_dec", "shape": ["features", "d_model"]}
    (project / "made-up.yaml").write_text(yaml.safe_dump({MODEL: model}))
    if threshold is None:
        threshold = threshold_of(decoders[0], round(EDGES_PER_FEATURE * n))
    settings = {"models": [MODEL], "catalogues": ["made-up.yaml"], "edges": {"threshold": threshold}}
    (project / "bench.yaml").write_text(yaml.safe_dump(settings))
    return project


def threshold_of(decoder: np.ndarray, edges: int) -> float:
    """The cosine from which a decoder has about so many edges."""
    weights = strong_edges(*nearest_neighbors(decoder, 25, CORES), k=25, threshold=0)[2]
    return round(float(np.sort(weights)[-edges]), 4)


def warmed(checkout: Path, folder: Path) -> Path:
    """A copy of a checkout's workflow after a small run: numba's compiled code lies in it, and in copies of it."""
    project = prepare(checkout, folder, [synthetic(700, 64)])
    run(project, 1)
    return project


def run(project: Path, cores: int, *targets: str) -> tuple[float, pd.DataFrame]:
    """Make the targets again, as a user would: wall seconds, and a row per job with rule, cpu (s) and peak (MB)."""
    shutil.rmtree(project / "results" / MODEL, ignore_errors=True)
    usage = project / "usage.jsonl"
    usage.unlink(missing_ok=True)
    environment = os.environ | {"JOB_USAGE": str(usage), "PYTHONPATH": str(ROOT / "bench" / "usage")}
    if cores == 1:
        environment |= ONE_THREAD
    options = ["--cores", str(cores), "--configfile", "bench.yaml", "--quiet", "rules", "progress", "host"]
    started = time.perf_counter()
    command = [sys.executable, "-m", "snakemake", *targets, *options]
    subprocess.run(command, cwd=project, env=environment, check=True, stdout=sys.stderr)
    return time.perf_counter() - started, pd.read_json(usage, lines=True)


def edges_of(project: Path) -> int:
    """The number of edges of the first layer's map."""
    with np.load(project / f"results/{MODEL}/layer-0/edges.npz") as file:
        return len(file["source"])
