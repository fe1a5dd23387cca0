"""Rehearse the whole catalogue against the loopback services and count what they were asked and sent.

    .venv/bin/python bench/rehearse_sources.py --features 300

fetches the decoder and the labels of one layer of each model at full size, then runs the 68 layers with the real
catalogue's paths and sources, but so few features a layer, from the network to the manifests. Prints the tables of
docs/sources.md. Takes some minutes; not part of the test suite.
"""

import argparse
import functools
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

# The stand-ins for the services are those of the tests.
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts"))
from conftest import ROOT, copy_workflow
from fakes.hub import Hub
from fakes.neuronpedia import Bucket, explanation_row, export, feature_row

LAYER_AT_FULL_SIZE = 12

# Of another checkout, what a run does not need.
NOT_COPIED = shutil.ignore_patterns(".git", ".snakemake", ".venv", "node_modules", "results")


def weights(features: int, width: int, seed: int) -> bytes:
    """A params.npz as Gemma Scope's: clustered rows, so that there are edges."""
    random = np.random.default_rng(seed)
    centres = random.standard_normal((40, width), dtype=np.float32)
    decoder = random.standard_normal((features, width), dtype=np.float32)
    decoder += centres[random.integers(0, 40, features)]
    content = io.BytesIO()
    others = {"b_enc": features, "b_dec": width, "threshold": features}
    others = {name: np.zeros(size, np.float32) for name, size in others.items()}
    np.savez(content, W_enc=decoder.T.copy(), W_dec=decoder, **others)
    return content.getvalue()


def repository(model: dict):
    """Path -> bytes, made when asked for."""
    rows = {row["weights"]: row["layer"] for row in model["layers"]}

    @functools.lru_cache(maxsize=4)
    def file(path: str) -> bytes | None:
        return weights(model["features"], model["d_model"], rows[path]) if path in rows else None

    return file


def exports(models: dict, layers: set[int] | None = None) -> dict[str, bytes]:
    """The bucket's objects of every layer, in 16 files each; one feature in 300 has no label."""
    objects = {}
    for model in models.values():
        name, features = model["neuronpedia"]["model"], model["features"]
        for row in model["layers"]:
            if layers is None or row["layer"] in layers:
                source = row["source"]
                rows = [
                    explanation_row(name, source, index, f"feature {index} of {source}", "gpt-4o-mini")
                    for index in range(features)
                    if index % 300 != 299
                ]
                facts = [feature_row(name, source, index) for index in range(features)]
                objects |= export(name, source, rows, facts, size=-(-features // 16))
    return objects


def run(project: Path, hub: Hub, bucket: Bucket, catalogue: dict, cores: int, *targets: str) -> int:
    """Snakemake over `catalogue`, as a user starts it, with the services in place of the real ones.

    Returns the largest number of decoders seen on disk at once.
    """
    (project / "small.yaml").write_text(yaml.safe_dump(catalogue, sort_keys=False))
    config = {
        "models": list(catalogue),
        "catalogues": ["small.yaml"],
        "labels": {"export_url": bucket.url},
        "weights": {"keep_decoders": False},
        "layout": {"neighbor_embedding": {"n_epochs": 20}},
    }
    (project / "rehearsal.yaml").write_text(yaml.safe_dump(config))
    command = ["-m", "snakemake", *targets, "--cores", str(cores), "--configfile", "rehearsal.yaml", "--quiet", "all"]
    environment = os.environ | {"HF_ENDPOINT": hub.url, "HF_HOME": str(project / "hf")}
    most = 0
    with subprocess.Popen([sys.executable, *command], cwd=project, env=environment) as process:
        while process.poll() is None:
            most = max(most, len(list(project.glob("results/*/layer-*/decoder.npy"))))
            time.sleep(0.5)
    if process.returncode:
        raise SystemExit(f"snakemake ended with {process.returncode}")
    return most


def counted(catalogue: dict, hub: Hub, bucket: Bucket) -> pd.DataFrame:
    """Smallest and largest numbers of requests and bytes of the layers that were fetched, by model."""
    rows = []
    for model in catalogue.values():
        repo, decoder = model["weights"]["repo"], 4 * model["features"] * model["d_model"]
        for row in model["layers"]:
            path, source = row["weights"], f"v1/{model['neuronpedia']['model']}/{row['source']}/"
            ranges = [each.sent for each in hub.content.requests if each.path == f"/{repo}/{path}"]
            labels = [each.sent for each in bucket.requests if source in each.path + each.query.get("prefix", "")]
            counts = {"model": model["display_name"]}
            counts["requests for the commit, in all"] = hub.count(f"HEAD /{repo}/resolve/main/.*")
            counts["requests for the file"] = hub.count(rf"HEAD /{repo}/resolve/\w+/{path}")
            counts |= {"ranges": len(ranges), "bytes of weights": sum(ranges)}
            counts["relative to the decoder's own"] = round(sum(ranges) / decoder, 4)
            if ranges:
                counts["bytes of the whole file"] = len(hub.file(repo, path))
                rows.append(counts | {"requests for labels": len(labels), "bytes of labels": sum(labels)})
    return pd.DataFrame(rows).groupby("model").agg(["min", "max"]).T.unstack()


def published(project: Path, catalogue: dict) -> list[str]:
    """What the manifests say: a line a model."""
    lines = []
    for name, model in catalogue.items():
        manifest = json.loads((project / f"results/{name}/manifest.json").read_bytes())
        labels = sum(layer["labeledCount"] for layer in manifest["layers"])
        features = sum(layer["featureCount"] for layer in manifest["layers"])
        assert len(manifest["layers"]) == len(model["layers"])
        lines.append(f"{name}: {len(manifest['layers'])} layers, {labels:,} labels for {features:,} features")
    return lines


def rehearse(chosen: dict, full: bool, cores: int) -> None:
    """Run, and print the table."""
    repos = {model["weights"]["repo"]: repository(model) for model in chosen.values()}
    objects = exports(chosen, {LAYER_AT_FULL_SIZE} if full else None)
    with tempfile.TemporaryDirectory() as folder, Hub(repos) as hub, Bucket(objects) as bucket:
        copy_workflow(Path(folder))
        layer = f"layer-{LAYER_AT_FULL_SIZE}"
        fetched = [f"results/{name}/{layer}/{kind}.json" for name in chosen for kind in ("decoder", "labels")]
        manifests = [f"results/{name}/manifest.json" for name in chosen]
        most = run(Path(folder), hub, bucket, chosen, cores, *(fetched if full else manifests))
        print(f"\n{next(iter(chosen.values()))['features']:,} features a layer\n")
        print(counted(chosen, hub, bucket).to_string(float_format="{:,.10g}".format))
        if not full:
            print("\n" + "\n".join(published(Path(folder), chosen)))
            print(f"at most {most} decoders on disk at once", flush=True)


def race(models: dict, checkouts: list[Path], layers: int = 8, latency: float = 0.2) -> None:
    """Time the decoders of some layers of the first model, at full size and with a slow answer to every request."""
    name, model = next(iter(models.items()))
    content = weights(model["features"], model["d_model"], seed=0)
    targets = [f"results/{name}/layer-{layer}/decoder.json" for layer in range(layers)]
    for checkout in map(Path.resolve, checkouts):
        with tempfile.TemporaryDirectory() as folder, Hub({model["weights"]["repo"]: lambda path: content}) as hub:
            folder = shutil.copytree(checkout, f"{folder}/workflow", symlinks=True, ignore=NOT_COPIED)
            hub.latency = hub.content.latency = latency
            command = [checkout / ".venv/bin/python", "-m", "snakemake", *targets, "--cores", "2", "--quiet", "all"]
            environment = os.environ | {"HF_ENDPOINT": hub.url, "HF_HOME": f"{folder}/hf"}
            started = time.monotonic()
            subprocess.run(command, cwd=folder, env=environment, check=True)
            seconds = time.monotonic() - started
            requests = (hub.count() + hub.content.count()) / layers
        print(f"{checkout}: {layers} layers in {seconds:.1f} s, {requests:.1f} requests per layer", flush=True)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--features", type=int, default=300, help="features a layer of the 68")
    arguments.add_argument("--layers", type=int, help="only so many layers of each model, for a quick look")
    arguments.add_argument("--cores", type=int, default=2, help="cores for Snakemake")
    arguments.add_argument("--only", choices=["small", "full"], help="one of the two parts")
    race_help = "only time the weights of eight layers, in each of these"
    arguments.add_argument("--race", type=Path, nargs="+", metavar="CHECKOUT", help=race_help)
    arguments = arguments.parse_args()
    models = yaml.safe_load((ROOT / "config/models.yaml").read_text(encoding="utf-8"))
    if arguments.race:
        race(models, arguments.race)
        return
    if arguments.only != "small":
        rehearse(models, full=True, cores=arguments.cores)
    if arguments.only != "full":
        for model in models.values():
            model |= {"features": arguments.features, "layers": model["layers"][: arguments.layers]}
        rehearse(models, full=False, cores=arguments.cores)


if __name__ == "__main__":
    main()
