"""The network rules from end to end: Snakemake, the real clients and the services on loopback, undisturbed and not."""

import io
import json
import multiprocessing
import re
import signal
import subprocess
import time
from types import SimpleNamespace

import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml

from conftest import QUICK, ROOT, Project, copy_workflow, demo_rows, everything_written, unavailable
from fakes.hub import Hub
from fakes.neuronpedia import Api, Bucket, api_feature, export
from fakes.service import Fault
from test_scripts import job

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
    model["saelens"] = {"release": "toy-res", "id": "blocks.{layer}.hook_resid_post"}
    return {"toy": model}


@pytest.fixture(scope="session")
def finished(running, tmp_path_factory):
    """Both layers, from the network to the manifest, decoders dropped. `.told` is what Snakemake printed."""
    folder = copy_workflow(tmp_path_factory.mktemp("sources") / "project")
    (folder / "toy.yaml").write_text(yaml.safe_dump(catalogue()))
    config = {"models": ["toy"], "catalogues": ["toy.yaml"], "labels": running.labels(facts=True), **QUICK}
    (folder / "mine.yaml").write_text(yaml.safe_dump(config | {"weights": {"keep_decoders": False}}))
    environment = {"HF_ENDPOINT": running.hub.url, "HF_HOME": str(folder.parent / "hf"), "HF_TOKEN": TOKEN}
    project = Project(folder, "mine.yaml", environment | {"NEURONPEDIA_API_KEY": KEY})
    running.forget()
    project.told = project.snakemake(*TARGETS).stdout
    project.asked = {service: list(service.requests) for service in running.all}
    return project


def test_from_the_network_to_the_manifest(finished, running):
    told = json.loads((finished.folder / "results/toy/layer-1.json").read_bytes())["metadata"]
    weights = told["provenance"]["weights"]
    assert (weights["repo"], weights["commit"]) == (REPO, running.hub.commits[REPO])
    assert weights["weights"] == "layer_1/params.npz"
    assert told["saelens"] == {"release": "toy-res", "id": "blocks.1.hook_resid_post"}
    page = f"https://www.neuronpedia.org/{MODEL}/{source(1)}"
    assert told["neuronpedia"] == {"modelId": MODEL, "sourceId": source(1), "url": page}
    labels = told["provenance"]["labels"]
    assert (labels["source"], labels["coverage"], told["labeledCount"]) == ("export", 1.0, COUNT)
    assert len(told["nodeFacts"]["density"]) == COUNT
    manifest = json.loads((finished.folder / "results/toy/manifest.json").read_bytes())
    assert [layer["labelCoverage"] for layer in manifest["layers"]] == [1.0, 1.0]
    assert (manifest["saelensRelease"], manifest["layers"][1]["neuronpediaUrl"]) == ("toy-res", page)
    assert manifest["layers"][1]["saelensId"] == "blocks.1.hook_resid_post"


def test_few_requests(finished, running):
    files = [each.path for each in finished.asked[running.hub] if "/resolve/" in each.path]
    assert sum("/resolve/main/" in path for path in files) == 1  # the commit, for all layers
    assert len(files) == 1 + len(LAYERS)
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


def test_the_api_labels_the_most_strongly_linked(finished, services, tmp_path):
    change = {"labels": {"source": "api", "top_k": 30, "rank_by": "links"}, "network": {"requests_per_minute": 60_000}}
    project = finished.copy(tmp_path / "project").changed(tmp_path / "changed.yaml", change)
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


@pytest.fixture
def script(services, tmp_path, monkeypatch):
    """`script(rule, folder)`: the rule's job for layer 0, which goes on with what is in that folder."""
    services.hub.use(monkeypatch, tmp_path / "cache")
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    monkeypatch.setenv("NEURONPEDIA_API_KEY", KEY)
    revision = tmp_path / "revision.json"
    revision.write_text(json.dumps({"commit": services.hub.commits[REPO]}))
    sae = {"features": COUNT, "d_model": 384, "repo": REPO, "tensor": "W_dec", "shape": ["features", "d_model"]}
    sae |= catalogue()["toy"]["layers"][0] | {"neuronpedia": MODEL, "labels": None}
    settings = yaml.safe_load((ROOT / "config/config.yaml").read_text())["labels"]

    def make(rule, folder, **labels):
        folder.mkdir(exist_ok=True)
        inputs = {"weights": [], "revision": str(revision), "edges": [], "labels": []}
        outputs = {"decoder": "decoder.npy"} if rule == "fetch_decoder" else {"labels": "labels.parquet"}
        made = job(rule, folder, inputs, outputs | {"record": "record.json"}, sae=sae)
        made.params.labels = settings | services.labels(**labels)
        made.resources = SimpleNamespace(requests_per_minute=60_000)
        made.log = [str(tmp_path / "job.log")]
        return made

    return make


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_layer_that_was_not_fetched_whole_has_no_labels_until_the_next_run(script, services, tmp_path):
    lost = f"GET /v1/{MODEL}/{source(0)}/explanations/batch-4.jsonl.gz"
    services.bucket.faults = [Fault("status", lost, status=404)]
    log = script("fetch_labels", tmp_path / "output").fails()
    assert "1 of 10 files could not be fetched: explanations/batch-4.jsonl.gz: HTTP 404 Not Found" in log
    assert contents(tmp_path / "output") == {}
    script("fetch_labels", tmp_path / "output").run()


def test_killed_again_and_again_while_it_asks(script, services, tmp_path):
    script("fetch_labels", tmp_path / "undisturbed", source="api").run()
    services.forget()
    disturbed = script("fetch_labels", tmp_path / "disturbed", source="api")
    for requests in (3, 40, 100):
        services.api.faults = [Fault("stall", skip=requests)]
        process = multiprocessing.get_context("fork").Process(target=disturbed.run)
        process.start()
        while services.api.faults[0].times and process.is_alive():
            time.sleep(0.01)
        process.kill()
        process.join()
        assert process.exitcode == -signal.SIGKILL
        assert contents(tmp_path / "disturbed").keys() <= {"labels.answers.jsonl"}
    disturbed.run()
    assert contents(tmp_path / "disturbed") == contents(tmp_path / "undisturbed")
    # Only what was under way at a kill is asked again.
    assert services.api.count() == COUNT + 3


def small_disk(folder, size):
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], capture_output=True)
    if done.returncode:
        unavailable(f"cannot mount a small file system: {done.stderr.decode().strip()}")


@pytest.mark.parametrize(
    ("rule", "labels"),
    [("fetch_decoder", {}), ("fetch_labels", {"facts": True}), ("fetch_labels", {"source": "api"})],
    ids=["decoder", "export", "api"],
)
def test_a_full_disk(script, tmp_path, rule, labels):
    script(rule, tmp_path / "undisturbed", **labels).run()
    disk = tmp_path / "disk"
    disk.mkdir()
    small_disk(disk, "16k")
    try:
        log = script(rule, disk, **labels).fails()
        assert re.search(r"/disk/.*: (.*No space left on device|writing failed; is the disk full\?)", log)
        assert "Traceback" not in log
        assert contents(disk).keys() <= {"labels.answers.jsonl"}
        subprocess.run(["mount", "-o", "remount,size=4m", disk], check=True)
        script(rule, disk, **labels).run()
        assert contents(disk) == contents(tmp_path / "undisturbed")
    finally:
        subprocess.run(["umount", disk], check=True)


def test_without_a_key_or_with_a_refused_one_nothing_is_shown_or_written(script, services, monkeypatch, tmp_path):
    echo = f'{{"error": "{KEY} is not welcome"}}'.encode()
    services.api.faults = [Fault("status", times=999, status=401, body=echo)]
    log = script("fetch_labels", tmp_path / "output", source="api").fails()
    assert re.search("HTTP 401 Unauthorized.*check NEURONPEDIA_API_KEY", log)
    assert KEY not in log
    monkeypatch.delenv("NEURONPEDIA_API_KEY")
    services.forget()
    log = script("fetch_labels", tmp_path / "output", source="api").fails()
    assert "NEURONPEDIA_API_KEY is not set. Get one at https://www.neuronpedia.org/account" in log
    assert services.api.count() == 0


def test_the_highest_densities_are_labelled_and_the_coverage_is_recorded(script, services, monkeypatch, tmp_path):
    rows = demo_rows(DEMO / "layer_0", "features", COUNT)
    densities = {int(row["index"]): row["frac_nonzero"] for row in rows}
    highest = max(densities, key=densities.get)
    known = {key: feature for key, feature in services.api.features.items() if key[2] != highest}
    monkeypatch.setattr(services.api, "features", known)
    script("fetch_labels", tmp_path, source="api", top_k=10).run()
    assert services.api.count() == 10
    labelled = pq.read_table(tmp_path / "labels.parquet").column("index").to_pylist()
    assert min(densities[index] for index in labelled) >= sorted(densities.values())[-10]
    record = json.loads((tmp_path / "record.json").read_bytes())
    assert (record["requested"], record["labelled"], record["coverage"]) == (10, 9, 0.9)
