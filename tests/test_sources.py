"""The network rules from end to end: Snakemake, the real clients and the services on loopback, undisturbed and not."""

import io
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml

from conftest import ROOT, Project, copy_workflow, demo_rows, everything_written, unavailable
from fakes.hub import Hub
from fakes.neuronpedia import Api, Bucket, api_feature, export
from fakes.service import Fault
from lib.job import _Masking

DEMO = ROOT / "resources" / "demo"
COUNT = 200
REPO, MODEL = "toy/sae", "toy-on-neuronpedia"
LAYERS = (0, 1)
TARGETS = ("results/toy/manifest.json", "results/toy/quality.tsv")
LABELS = "results/toy/layer-0/labels.parquet"
TOKEN, KEY = "hf_aVerySecretToken", "np-aVerySecretKey"


def source(layer):
    return f"{layer}-demo-res-2k"


def params(layer):
    with np.load(DEMO / f"layer_{layer}" / "params.npz") as file:
        content = io.BytesIO()
        np.savez(content, W_enc=file["W_dec"][:COUNT].T, W_dec=file["W_dec"][:COUNT])
        return content.getvalue()


class Services:
    """Hub, bucket and API with the first features of two layers of the demo."""

    def __init__(self):
        rows = {layer: demo_rows(DEMO / f"layer_{layer}", "explanations", COUNT) for layer in LAYERS}
        facts = {layer: demo_rows(DEMO / f"layer_{layer}", "features", COUNT) for layer in LAYERS}
        repos = {REPO: {f"layer_{layer}/params.npz": params(layer) for layer in LAYERS}}
        self.hub = Hub(repos, gated=(REPO,), token=TOKEN)
        objects, features = {}, {}
        for layer in LAYERS:
            objects |= export(MODEL, source(layer), rows[layer], facts[layer], size=20)
            for row in rows[layer]:
                index = int(row["index"])
                features[MODEL, source(layer), index] = api_feature(MODEL, source(layer), index, [row])
        self.bucket, self.api = Bucket(objects), Api(features, key=KEY)
        self.all = (self.hub, self.hub.content, self.bucket, self.api)

    def forget(self):
        for service in self.all:
            service.forget()

    def labels(self, **changes):
        """The labels block of a configuration that asks these services."""
        return {"export_url": self.bucket.url, "api_url": self.api.address} | changes


@pytest.fixture(scope="session")
def running():
    services = Services()
    with services.hub, services.bucket, services.api:
        yield services


@pytest.fixture
def services(running):
    running.forget()
    return running


def catalogue():
    rows = [{"layer": layer, "weights": f"layer_{layer}/params.npz", "source": source(layer)} for layer in LAYERS]
    model = {"display_name": "Toy", "features": COUNT, "d_model": 384, "layers": rows}
    model["weights"] = {"repo": REPO, "tensor": "W_dec", "shape": ["features", "d_model"]}
    model["neuronpedia"] = {"model": MODEL, "source_set": "demo-res-2k"}
    return {"toy": model}


def configure(project, **blocks):
    config = {
        "models": ["toy"],
        "catalogues": ["toy.yaml"],
        "layout": {"neighbor_embedding": {"n_epochs": 20}},
        **blocks,
    }
    (project.folder / "mine.yaml").write_text(yaml.safe_dump(config))


@pytest.fixture(scope="session")
def finished(running, tmp_path_factory):
    """Both layers, from the network to the manifest, decoders dropped. `.told` is what Snakemake printed."""
    folder = tmp_path_factory.mktemp("sources") / "project"
    folder.mkdir()
    copy_workflow(folder)
    (folder / "toy.yaml").write_text(yaml.safe_dump(catalogue()))
    secrets = {"HF_TOKEN": TOKEN, "NEURONPEDIA_API_KEY": KEY}
    hub = {"HF_ENDPOINT": running.hub.url, "HF_HOME": str(folder.parent / "hf")}
    project = Project(folder, "mine.yaml", secrets | hub)
    configure(project, labels=running.labels(facts=True), weights={"keep_decoders": False})
    running.forget()
    project.told = project.snakemake(*TARGETS).stdout
    project.asked = {service: list(service.requests) for service in running.all}
    return project


@pytest.fixture
def project(finished, tmp_path):
    """A copy of the finished run, free to be changed."""
    return finished.copy(tmp_path / "project")


def metadata(project, layer):
    return json.loads((project.folder / f"results/toy/layer-{layer}.json").read_bytes())["metadata"]


def test_from_the_network_to_the_manifest(finished, running):
    told = metadata(finished, 1)
    weights = told["provenance"]["weights"]
    assert (weights["repo"], weights["commit"]) == (REPO, running.hub.commits[REPO])
    assert weights["weights"] == "layer_1/params.npz"
    labels = told["provenance"]["labels"]
    assert (labels["source"], labels["coverage"], told["labeledCount"]) == ("export", 1.0, COUNT)
    assert len(told["nodeFacts"]["density"]) == COUNT
    manifest = json.loads((finished.folder / "results/toy/manifest.json").read_bytes())
    assert [layer["labelCoverage"] for layer in manifest["layers"]] == [1.0, 1.0]


def test_few_requests(finished, running):
    revisions = [each for each in finished.asked[running.hub] if each.path.startswith("/api/models/")]
    assert len(revisions) == 1  # for all layers
    files = [each for each in finished.asked[running.hub] if "/resolve/" in each.path]
    assert len(files) == len(LAYERS)
    assert len(finished.asked[running.hub.content]) == 3 * len(LAYERS)
    assert len(finished.asked[running.bucket]) == (1 + 20) * len(LAYERS)  # a list, ten files of each kind


def test_nothing_is_left_but_what_was_promised(finished):
    names = {path.name for path in (finished.folder / "results/toy/layer-0").iterdir()}
    assert "decoder.npy" not in names
    assert {"decoder.json", "neighbors.npz", "labels.parquet"} <= names
    assert not any("answers" in name or name.startswith(".") for name in names)
    assert finished.pending(*TARGETS) == {}


def test_secrets_are_nowhere(finished):
    everything = finished.told.encode() + everything_written(finished.folder)
    assert len(everything) > 100_000
    assert TOKEN.encode() not in everything
    assert KEY.encode() not in everything


@pytest.mark.parametrize(
    ("change", "rules"),
    [
        (
            {"edges": {"threshold": 0.4}},
            {"compute_edges", "export_layer", "write_manifest"},
        ),
        ({"labels": {"facts": False}}, {"fetch_labels", "export_layer", "write_manifest"}),
        ({"network": {"downloads": 9, "label_jobs": 9, "requests_per_minute": 9}}, set()),
        ({"weights": {"keep_decoders": True}}, set()),
    ],
    ids=["edges", "labels", "network", "kept decoders"],
)
def test_later_stages_rerun_without_the_decoders(project, running, change, rules):
    blocks = {"labels": running.labels(facts=True), "weights": {"keep_decoders": False}}
    for name, block in change.items():
        blocks[name] = blocks.get(name, {}) | block
    configure(project, **blocks)
    assert project.pending(*TARGETS).keys() == rules


def test_a_failed_layer_is_named_and_the_next_run_completes_it(finished, project, services):
    (project.folder / LABELS).unlink()
    lost = f"GET /v1/{MODEL}/{source(0)}/explanations/batch-4.jsonl.gz"
    services.bucket.faults = [Fault("status", lost, status=404)]
    configure(project, labels=services.labels(facts=True), weights={"keep_decoders": False})
    failed = project.snakemake(LABELS, check=False)
    assert failed.returncode
    reason = "1 of 20 files could not be fetched: explanations/batch-4.jsonl.gz: HTTP 404 Not Found"
    assert reason in failed.stdout
    assert not (project.folder / LABELS).exists()
    project.snakemake(LABELS)
    assert project.files() == finished.files()


def test_the_api_labels_the_most_strongly_linked(project, services):
    labels = services.labels(source="api", top_k=30, rank_by="links")
    configure(project, labels=labels, network={"requests_per_minute": 60_000})
    key = project.environment.pop("NEURONPEDIA_API_KEY")
    failed = project.snakemake(LABELS, check=False)
    assert failed.returncode
    assert "NEURONPEDIA_API_KEY is not set. Get one at https://www.neuronpedia.org/account" in failed.stdout
    assert services.api.count() == 0
    project.environment["NEURONPEDIA_API_KEY"] = key
    project.snakemake(LABELS)
    assert services.api.count() == 30
    with np.load(project.folder / "results/toy/layer-0/edges.npz") as edges:
        strength = np.zeros(COUNT)
        for side in ("source", "target"):
            np.add.at(strength, edges[side], edges["weight"])
    labelled = pq.read_table(project.folder / LABELS).column("index").to_pylist()
    assert len(labelled) == 30
    assert strength[labelled].min() >= np.sort(strength)[-30]


# --- single scripts, disturbed

RUNNER = """
import json, runpy, sys
from types import SimpleNamespace as Names
job = {name: Names(**part) if isinstance(part, dict) else part for name, part in json.loads(sys.argv[2]).items()}
runpy.run_path(sys.argv[1], {"snakemake": Names(**job)}, run_name="__main__")
"""


class Script:
    """A rule's script in a process of its own, as Snakemake runs it; `folder` takes its outputs."""

    def __init__(self, rule, folder, log, services, **labels):
        self.rule, self.folder, self.log = rule, folder, log
        row = catalogue()["toy"]["layers"][0]
        files = {"fetch_decoder": "decoder.npy", "fetch_labels": "labels.parquet"}
        record = Path(files[rule]).with_suffix(".json")
        revision = log.with_name("revision.json")
        revision.write_text(json.dumps({"commit": services.hub.commits[REPO]}))
        sae = {"features": COUNT, "d_model": 384, "repo": REPO, "weights": row["weights"], "tensor": "W_dec"}
        sae |= {"shape": ["features", "d_model"], "source": row["source"], "neuronpedia": MODEL}
        settings = yaml.safe_load((ROOT / "config/config.yaml").read_text())["labels"]
        self.job = {
            "rule": rule,
            "log": [str(log)],
            "input": {"weights": [], "revision": str(revision), "edges": []},
            "output": {files[rule].split(".")[0]: str(folder / files[rule]), "record": str(folder / record)},
            "params": {"sae": sae | {"labels": None}, "labels": settings | services.labels(**labels)},
            "resources": {"requests_per_minute": 60_000},
        }
        here = {"HF_ENDPOINT": services.hub.url, "HF_HOME": str(log.parent / "hf"), "HF_TOKEN": TOKEN}
        self.environment = os.environ | here | {"NEURONPEDIA_API_KEY": KEY, "PYTHONPATH": str(ROOT / "scripts")}

    def start(self, **options):
        command = [
            sys.executable,
            "-c",
            RUNNER,
            str(ROOT / "scripts" / f"{self.rule}.py"),
            json.dumps(self.job),
        ]
        return subprocess.Popen(command, env=self.environment, stderr=subprocess.PIPE, text=True, **options)

    def run(self, **options):
        """Run to the end: exit status, and what it logged."""
        process = self.start(**options)
        process.communicate()
        return process.returncode, self.log.read_text()

    def files(self):
        return {path.name: path.read_bytes() for path in self.folder.rglob("*") if path.is_file()}


@pytest.fixture
def script(services, tmp_path):
    """`script(rule)` or `script(rule, another folder)`; the same folder goes on with what is there."""

    def make(rule, folder=None, **labels):
        folder = folder or tmp_path / rule
        folder.mkdir(exist_ok=True)
        return Script(rule, folder, tmp_path / "job.log", services, **labels)

    return make


CASES = [
    ("fetch_decoder", {}, 3),
    ("fetch_labels", {"facts": True}, 3),
    ("fetch_labels", {"source": "api"}, 4),
]


@pytest.mark.parametrize(("rule", "labels", "kills"), CASES, ids=["decoder", "export", "api"])
def test_killed_at_random_moments(script, services, tmp_path, rule, labels, kills):
    undisturbed = script(rule, tmp_path / "undisturbed", **labels)
    assert undisturbed.run()[0] == 0
    disturbed = script(rule, **labels)
    services.forget()
    moments = random.Random(rule)
    for _ in range(kills):  # some requests after the last kill, and a little
        before = sum(service.count() for service in services.all)
        process = disturbed.start()
        wanted = before + moments.randrange(1, 4 if rule == "fetch_decoder" else 30)
        while sum(service.count() for service in services.all) < wanted and process.poll() is None:
            time.sleep(0.001)
        time.sleep(moments.random() * 0.02)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        whole = undisturbed.files()
        left = disturbed.files()
        assert all(left[name] == whole[name] for name in left.keys() & whole.keys())  # whole or not at all
    assert disturbed.run()[0] == 0
    assert disturbed.files() == undisturbed.files()
    asked = [each.path for each in services.api.requests]
    assert len(asked) <= len(set(asked)) + 4 * kills  # at most what was under way at each kill is asked again


def small_disk(folder, size):
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], capture_output=True)
    if done.returncode:
        unavailable(f"cannot mount a small file system: {done.stderr.decode().strip()}")


@pytest.mark.parametrize(("rule", "labels", "_"), CASES, ids=["decoder", "export", "api"])
def test_a_full_disk(script, tmp_path, rule, labels, _):
    undisturbed = script(rule, tmp_path / "undisturbed", **labels)
    assert undisturbed.run()[0] == 0
    disk = tmp_path / "disk"
    disk.mkdir()
    small_disk(disk, "16k")
    try:
        status, log = script(rule, disk, **labels).run()
        assert status == 1
        assert re.search(r"/disk/.*: (.*No space left on device|writing failed; is the disk full\?)", log)
        assert "Traceback" not in log
        assert not {"decoder.npy", "labels.parquet"} & {path.name for path in disk.rglob("*")}
        subprocess.run(["mount", "-o", "remount,size=4m", disk], check=True)
        again = script(rule, disk, **labels)
        assert again.run()[0] == 0
        assert again.files() == undisturbed.files()
    finally:
        subprocess.run(["umount", disk], check=True)


def test_the_coverage_is_recorded(script, services):
    services.api.features, kept = dict(list(services.api.features.items())[:50]), services.api.features
    run = script("fetch_labels", source="api")
    try:
        assert run.run()[0] == 0
    finally:
        services.api.features = kept
    record = json.loads((run.folder / "labels.json").read_bytes())
    assert (record["requested"], record["labelled"], record["coverage"]) == (COUNT, 50, 0.25)


def test_an_error_that_repeats_the_key_does_not_reach_the_log(script, services):
    echo = f'{{"error": "{KEY} is not welcome"}}'.encode()
    services.api.faults = [Fault("status", times=999, status=401, body=echo)]
    status, log = script("fetch_labels", source="api").run()
    assert status == 1
    assert "HTTP 401 Unauthorized. The key was refused." in log
    assert KEY not in log


def test_the_highest_densities_are_labelled(script, services):
    chosen = script("fetch_labels", source="api", top_k=10)
    assert chosen.run()[0] == 0
    assert services.api.count() == 10
    rows = demo_rows(DEMO / "layer_0", "features", COUNT)
    densities = {int(row["index"]): row["frac_nonzero"] for row in rows}
    labelled = pq.read_table(chosen.folder / "labels.parquet").column("index").to_pylist()
    assert min(densities[index] for index in labelled) >= sorted(densities.values())[-10]


def test_secrets_are_masked_in_whatever_is_logged(monkeypatch):
    monkeypatch.setenv("NEURONPEDIA_API_KEY", f"{KEY}\n")
    log = io.StringIO()
    print(f"a library says: x-api-key: {KEY}", file=_Masking(log))
    assert log.getvalue() == "a library says: x-api-key: ***\n"
