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

from decoders import ROOT

MODEL = "made-up"
# Of a checkout, what a run does not need.
NOT_COPIED = shutil.ignore_patterns(".git", ".snakemake", ".venv", "node_modules", "results")
ONE_THREAD = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL", "NUMBA")}


def prepare(checkout: Path, folder: Path, decoders: list[np.ndarray]) -> Path:
    """Copy a checkout's workflow to `folder` and give it a model with these decoders; every feature has a label."""
    project = shutil.copytree(checkout, folder / "workflow", symlinks=True, ignore=NOT_COPIED)
    n, d = decoders[0].shape
    labels = [f"words about feature {index}, or what activates topic {index % 997} of it" for index in range(n)]
    text = "\n".join(json.dumps({"index": index, "label": label}) for index, label in enumerate(labels))
    (project / "labels.jsonl").write_text(text + "\n")
    rows = []
    for layer, decoder in enumerate(decoders):
        np.savez(project / f"layer_{layer}.npz", W_dec=decoder)
        rows.append({"layer": layer, "weights": f"layer_{layer}.npz", "labels": "labels.jsonl"})
    model = {"display_name": "Made up", "features": n, "d_model": d, "layers": rows}
    model["weights"] = {"tensor": "W_dec", "shape": ["features", "d_model"]}
    (project / "made-up.yaml").write_text(yaml.safe_dump({MODEL: model}))
    # So many edges as layer 12 of Gemma 2 2B has: a made-up decoder is denser at the default threshold.
    settings = {"models": [MODEL], "catalogues": ["made-up.yaml"], "edges": {"threshold": 0.42}}
    (project / "bench.yaml").write_text(yaml.safe_dump(settings))
    return project


def run(project: Path, python: Path, cores: int, *targets: str) -> tuple[float, pd.DataFrame]:
    """Run Snakemake as a user would: wall seconds, and a row per job with rule, cpu (s) and peak (MB)."""
    usage = project / "usage.jsonl"
    usage.unlink(missing_ok=True)
    environment = os.environ | {"JOB_USAGE": str(usage), "PYTHONPATH": str(ROOT / "bench" / "usage")}
    if cores == 1:
        environment |= ONE_THREAD
    command = [
        python,
        "-m",
        "snakemake",
        *targets,
        "--cores",
        str(cores),
        "--configfile",
        "bench.yaml",
        "--quiet",
        "all",
    ]
    started = time.perf_counter()
    subprocess.run(command, cwd=project, env=environment, check=True, stdout=sys.stderr)
    return time.perf_counter() - started, pd.read_json(usage, lines=True)


def edges_of(project: Path, layer: int = 0) -> int:
    """The number of edges of a layer's map."""
    with np.load(project / f"results/{MODEL}/layer-{layer}/edges.npz") as file:
        return len(file["source"])
