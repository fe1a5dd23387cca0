#!/usr/bin/env python3
"""Rehearse the full run: every layer of the catalogue, with small made-up decoders from local files.

    bench/rehearse_cluster.py            on this machine's cores
    bench/rehearse_cluster.py --slurm    through the cluster that `cluster.py start` started

The decoders have the models' full width but few rows, so the steps have little to do, and what remains is the
cost of the workflow itself: planning, submitting, waiting and starting. Prints it per layer.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

import numpy as np
import yaml

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "slurm"))
import cluster  # noqa: E402

SNAKEMAKE = Path(sys.executable).with_name("snakemake")


def make_inputs(folder: Path, features: int, layers: range) -> int:
    """Write made-up decoders, a catalogue and a configuration for them; return the number of layers."""
    models = yaml.safe_load((ROOT / "config" / "models.yaml").read_text(encoding="utf-8"))
    for name, model in models.items():
        model["features"] = features
        model["weights"] = {"tensor": "W_dec", "shape": ["features", "d_model"]}
        model["layers"] = [row for row in model["layers"] if row["layer"] in layers]
        for row in model["layers"]:
            row["weights"] = f"{name}-{row['layer']}.npz"
            rng = np.random.default_rng(row["layer"])
            decoder = rng.standard_normal((features, model["d_model"]), np.float32)
            np.savez(folder / row["weights"], W_dec=decoder.astype(np.float16))
    (folder / "models.yaml").write_text(yaml.safe_dump(models))
    config = {
        "models": list(models),
        "catalogues": ["models.yaml"],
        "labels": {"source": "none"},
        # Random directions have no near neighbours to keep.
        "quality": {"min_kept_15": 0, "min_trustworthiness": 0},
    }
    (folder / "rehearsal.yaml").write_text(yaml.safe_dump(config))
    return sum(len(model["layers"]) for model in models.values())


def timed(folder: Path, *arguments: str) -> float:
    """Run Snakemake in `folder`, with its output in rehearsal.log; return the seconds it took."""
    command = [SNAKEMAKE, "--snakefile", ROOT / "Snakefile", "--configfile", "rehearsal.yaml", *arguments]
    started = time.monotonic()
    with (folder / "rehearsal.log").open("a") as log:
        done = subprocess.run(command, cwd=folder, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        sys.exit(f"rehearse_cluster.py: {' '.join(map(str, command))} failed; see {log.name}")
    return time.monotonic() - started


def step_seconds(folder: Path, submitted_only: bool) -> float:
    """Return the total seconds of all steps, or of the submitted ones only, from Snakemake's benchmarks."""
    local = ("fetch_decoder", "fetch_labels", "tabulate_features", "tabulate_quality", "write_manifest", "draw_model")
    total = 0.0
    for file in (folder / "results" / "benchmarks").rglob("*.tsv"):
        rule = file.relative_to(folder / "results" / "benchmarks").parts[0]
        if not (submitted_only and rule in local):
            total += float(file.read_text().splitlines()[1].split("\t")[0])
    return total


def seconds_between(job: dict[str, str], first: str, last: str) -> float:
    """Return the seconds between two times in a job's record."""
    return (datetime.fromisoformat(job[last]) - datetime.fromisoformat(job[first])).total_seconds()


def main() -> None:
    """Make the inputs, plan, run, report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--features", type=int, default=300, help="features of each made-up SAE (300)")
    parser.add_argument("--layers", type=int, default=101, help="map only the first LAYERS layers of each model")
    parser.add_argument("--cores", type=int, default=os.cpu_count(), help="cores for a run on this machine")
    parser.add_argument("--slurm", action="store_true", help="run through Slurm")
    parser.add_argument("--cluster", type=Path, default=cluster.DEFAULT_DIR, help="directory of the cluster")
    arguments = parser.parse_args()
    if arguments.slurm and cluster.node_state(arguments.cluster) not in ("idle", "mixed", "allocated"):
        sys.exit(f"rehearse_cluster.py: no cluster runs in {arguments.cluster}; run cluster.py start first")

    folder = Path(tempfile.mkdtemp(prefix="rehearsal-"))
    layers = make_inputs(folder, arguments.features, range(arguments.layers))
    options = ["--cores", str(arguments.cores)]
    if arguments.slurm:
        options = ["--profile", str(ROOT / "profiles" / "slurm"), "--slurm-init-seconds-before-status-checks", "10"]
    print(f"{layers} layers of {arguments.features} features, in {folder}")
    rows = [("planning", timed(folder, *options, "--dry-run", "--quiet", "rules"), "s")]
    run = timed(folder, *options)
    rows.append(("the run", run, "s"))
    rows.append(("  per layer", run / layers, "s"))
    if arguments.slurm:
        jobs = [job for job in cluster.ended_jobs(arguments.cluster) if job["WorkDir"] == str(folder)]
        inside = sum(seconds_between(job, "StartTime", "EndTime") for job in jobs)
        waiting = sum(seconds_between(job, "SubmitTime", "StartTime") for job in jobs)
        steps = step_seconds(folder, submitted_only=True)
        rows.append(("submissions", len(jobs), ""))
        rows.append(("  per layer", len(jobs) / layers, ""))
        rows.append(("a submission waits for a processor", waiting / len(jobs), "s"))
        rows.append(("  a submission runs", inside / len(jobs), "s"))
        rows.append(("    of which steps", steps / len(jobs), "s"))
        rows.append(("    of which Snakemake's start", (inside - steps) / len(jobs), "s"))
    else:
        steps = step_seconds(folder, submitted_only=False)
        rows.append(
            (f"  per layer, on each of {arguments.cores} cores: the steps", steps / layers / arguments.cores, "s")
        )
        rows.append(("  the workflow itself", (run - steps / arguments.cores) / layers, "s"))
    rows.append(("planning when all is done", timed(folder, *options, "--dry-run", "--quiet", "rules"), "s"))
    for name, value, unit in rows:
        print(f"{name:<52}{value:10.2f} {unit}")


if __name__ == "__main__":
    main()
