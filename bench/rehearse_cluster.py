#!/usr/bin/env python3
"""Rehearse the full run: every layer of the default models and both atlases, from made-up weights in local files.

    bench/rehearse_cluster.py                       on this machine's cores
    bench/rehearse_cluster.py --slurm               through the cluster that `cluster.py start` started
    bench/rehearse_cluster.py --features 16384      as large as the real SAEs: 35 GB of disk

Without --features the decoders have the models' full width but few rows, so the steps have little to do, and what
remains is the cost of the workflow itself: planning, submitting, waiting and starting. Prints it per layer.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests" / "slurm"), str(ROOT / "scripts")]
import cluster  # noqa: E402

from decoders import synthetic_layers  # noqa: E402

# Steps that the profile does not submit, of those that a run makes.
ON_LOGIN_NODE = {
    "fetch_decoder",
    "fetch_labels",
    "tabulate_features",
    "tabulate_quality",
    "tabulate_regions",
    "draw_atlas",
    "draw_model",
    "write_manifest",
    "write_index",
}
SNAKEMAKE = (sys.executable, "-m", "snakemake")


def make_inputs(folder: Path, features: int, layers: range) -> int:
    """Write made-up decoders and labels, a catalogue and a configuration for them; return the number of layers."""
    models = yaml.safe_load((ROOT / "config" / "models.yaml").read_text(encoding="utf-8"))
    rows = [{"index": index, "label": f"what activates topic {index % 997}"} for index in range(features)]
    (folder / "labels.jsonl").write_text("\n".join(map(json.dumps, rows)))
    for name, model in models.items():
        model["features"] = features
        model["weights"] = {"tensor": "W_dec", "shape": ["features", "d_model"]}
        model["layers"] = [row for row in model["layers"] if row["layer"] in layers]
        decoders = synthetic_layers(len(model["layers"]), features, model["d_model"])
        for row, (decoder, *_) in zip(model["layers"], decoders, strict=True):
            row |= {"weights": f"{name}-{row['layer']}.npz", "labels": f"{name}-{row['layer']}.jsonl"}
            np.savez(folder / row["weights"], W_dec=decoder)
            (folder / row["labels"]).symlink_to("labels.jsonl")
    (folder / "models.yaml").write_text(yaml.safe_dump(models))
    config = {
        "models": list(models),
        "catalogues": ["models.yaml"],
        # Maps of made-up rows are not judged.
        "quality": {"min_kept_15": 0, "min_trustworthiness": 0, "min_frame_kept": 0},
    }
    (folder / "rehearsal.yaml").write_text(yaml.safe_dump(config))
    return sum(len(model["layers"]) for model in models.values())


def timed(folder: Path, *arguments: str) -> float:
    """Run Snakemake in `folder`, with its output in rehearsal.log; return the seconds it took."""
    command = [*SNAKEMAKE, "--snakefile", ROOT / "Snakefile", "--configfile", "rehearsal.yaml", *arguments]
    started = time.monotonic()
    with (folder / "rehearsal.log").open("a") as log:
        done = subprocess.run(command, cwd=folder, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        sys.exit(f"rehearse_cluster.py: {' '.join(map(str, command))} failed; see {log.name}")
    return time.monotonic() - started


def steps_of(folder: Path) -> pd.DataFrame:
    """Every step of the run as Snakemake's benchmarks have it: rule, s, cpu_time (s) and max_rss (MB)."""
    benchmarks = folder / "results" / "benchmarks"
    tables = [
        pd.read_csv(file, sep="\t", na_values="-").assign(rule=file.relative_to(benchmarks).parts[0])
        for file in benchmarks.rglob("*.tsv")
    ]
    return pd.concat(tables)


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
    steps = steps_of(folder)
    if arguments.slurm:
        jobs = [job for job in cluster.ended_jobs(arguments.cluster) if job["WorkDir"] == str(folder)]
        inside = sum(seconds_between(job, "StartTime", "EndTime") for job in jobs)
        waiting = sum(seconds_between(job, "SubmitTime", "StartTime") for job in jobs)
        submitted = steps.loc[~steps["rule"].isin(ON_LOGIN_NODE), "s"].sum()
        rows.append(("submissions", len(jobs), ""))
        rows.append(("  per layer", len(jobs) / layers, ""))
        rows.append(("a submission waits for a processor", waiting / len(jobs), "s"))
        rows.append(("  a submission runs", inside / len(jobs), "s"))
        rows.append(("    of which steps", submitted / len(jobs), "s"))
        rows.append(("    of which Snakemake's start", (inside - submitted) / len(jobs), "s"))
    else:
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        busy = used.ru_utime + used.ru_stime
        rows.append(("  processor time, planning included", busy, "s"))
        rows.append(("    of what the cores could have given", 100 * busy / run / arguments.cores, "%"))
        rows.append(("  largest peak of a step", steps["max_rss"].max(), "MB"))
    rows.append(("planning when all is done", timed(folder, *options, "--dry-run", "--quiet", "rules"), "s"))
    for name, value, unit in rows:
        print(f"{name:<52}{value:10.2f} {unit}")
    by_rule = steps.groupby("rule").agg(steps=("s", "size"), cpu_s=("cpu_time", "sum"), peak_mb=("max_rss", "max"))
    print(by_rule.sort_values("cpu_s", ascending=False).round(1).to_string())


if __name__ == "__main__":
    main()
