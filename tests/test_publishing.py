"""Finished maps published to services on loopback by the real command: releases, a dataset, a site, and refusals."""

import functools
import gzip
import hashlib
import http.server
import io
import json
import os
import re
import signal
import subprocess
import threading
from pathlib import Path

import httpx
import numpy as np
import orjson
import pandas as pd
import pyarrow.parquet as pq
import pytest
import yaml
from huggingface_hub import constants

from build_site import check_size
from conftest import Project, everything_written
from describe_release import refused_maps
from fakes.datasets import Datasets
from fakes.github import GitHub
from fakes.service import Fault
from lib.files import sha256
from lib.job import UserError
from lib.products.graph_json import layer_graph, to_bytes
from lib.publishing import files as release
from lib.publishing.files import COLUMNS, File, checksums, mismatches, verified
from lib.transport import Patience, UnansweredError
from publish_huggingface import Dataset, card_licence, dataset_card
from tabulate_features import SCHEMA, layer_table, write_table

GITHUB_TOKEN, HF_TOKEN = "ghp_aVerySecretToken", "hf_aVerySecretToken"
REPOSITORY, DATASET, TAG = "owner/maps", "owner/sae-maps", "toy-v0.1.0"
MAPS = ["layer-0.json", "layer-0.json.gz", "layer-1.json", "layer-1.json.gz"]
FILES = sorted([*MAPS, "README.md", "SHA256SUMS", "features.parquet", "manifest.json", "quality.tsv"])
QUICK = Patience(attempts=3, first_wait=0.01, timeout=5.0)


@pytest.fixture(scope="module")
def github():
    with GitHub(REPOSITORY, GITHUB_TOKEN) as service:
        yield service


@pytest.fixture(scope="module")
def hub():
    with Datasets(HF_TOKEN, page=4) as service:
        yield service


def configure(project, github, **changes):
    """The toy's configuration with somewhere to publish to."""
    config = yaml.safe_load((project.folder / "toy.yaml").read_text())
    config["publish"] = {
        "github": {"repository": REPOSITORY, "api_url": github.api_url, "title": "Maps of {display_name}"},
        "huggingface": {"repository": DATASET},
    }
    for key, value in changes.items():
        config[key] = value
    (project.folder / "published.yaml").write_text(yaml.safe_dump(config))


@pytest.fixture(scope="module")
def checked(toy_run, github, hub, tmp_path_factory) -> Project:
    """The finished toy run with its README.md and SHA256SUMS. Copy it before changing anything."""
    folder = tmp_path_factory.mktemp("publishing")
    project = toy_run.copy(folder / "project")
    project.configfile = "published.yaml"
    project.environment |= {
        "GITHUB_TOKEN": GITHUB_TOKEN,
        "HF_TOKEN": HF_TOKEN,
        "HF_ENDPOINT": hub.url,
        "HF_HOME": str(folder / "hf"),
        "HF_HUB_DISABLE_XET": "1",  # its chunk servers have no stand-in here
    }
    configure(project, github)
    project.snakemake("results/toy/SHA256SUMS")
    return project


@pytest.fixture
def released(published, github, hub) -> dict[str, bytes]:
    """The assets of the published run's release."""
    restore(published, github, hub)
    return github.published(TAG)


@pytest.fixture
def tables(published, github, hub) -> dict[str, bytes]:
    """The files of the published run's dataset."""
    restore(published, github, hub)
    return hub.files(DATASET)


@pytest.fixture
def project(checked, github, hub, tmp_path) -> Project:
    """A copy of the checked run; the services hold nothing."""
    github.clear()
    hub.clear()
    return checked.copy(tmp_path / "project")


@pytest.fixture(scope="module")
def published(checked, github, hub, tmp_path_factory) -> Project:
    """Released and made a dataset, by one command, with some faults on the way. `.told` is what Snakemake printed."""
    github.clear()
    hub.clear()
    project = checked.copy(tmp_path_factory.mktemp("published") / "project")
    github.faults = [Fault("cut", "POST /api/uploads/.*", skip=2, at=100)]
    hub.faults = [Fault("status", "PUT /large/.*", status=500), Fault("lost", "POST .*/commit/main", skip=1)]
    project.told = project.snakemake("release", "dataset").stdout
    project.asked = [f"{each.method} {each.path}" for each in (*github.requests, *hub.requests)]
    project.services = [dict(vars(service)) for service in (github, hub)]
    return project


def restore(published, github, hub):
    """Let the services hold what the published run left there, asked nothing since."""
    for service, state in zip((github, hub), published.services, strict=True):
        vars(service).update(state)
        service.forget()


def read(project, *names) -> dict[str, bytes]:
    folder = project.folder / "results" / "toy"
    return {name: (folder / name).read_bytes() for name in names or FILES}


# --- what is published


def test_the_table_has_the_numbers_of_the_layer_files(checked):
    table = pd.read_parquet(checked.folder / "results/toy/features.parquet")
    assert list(table) == SCHEMA.names
    assert table[["layer", "feature"]].to_numpy().tolist() == sorted(
        table[["layer", "feature"]].to_numpy().tolist()
    )
    for layer in (0, 1):
        graph = json.loads(read(checked, f"layer-{layer}.json")[f"layer-{layer}.json"])
        rows = table[table.layer == layer].set_index("feature")
        assert len(rows) == len(graph["nodes"])
        links = [end.split(":")[2] for edge in graph["edges"] for end in (edge["source"], edge["target"])]
        for node in graph["nodes"]:
            row = rows.loc[node["featureId"]["index"]]
            assert [row.x, row.y, row.z] == node["position"]
            assert (row.label if isinstance(row.label, str) else None) == node.get("label")
            assert row.degree == links.count(str(row.name))


def test_the_table_keeps_what_is_known_and_what_is_not(tmp_path):
    coords = np.array([[0, 1, 2], [np.nan] * 3, [3, 4, 5.00004]], np.float32)
    edges = np.array([0], np.int32), np.array([2], np.int32), np.array([0.5], np.float32)
    known = {0: {"label": "a <b>", "explainer": "gpt", "density": 0.25}, 1: {"label": "dead"}}
    for layer in (10, 9):
        graph = layer_graph("m", layer, coords, edges, known, {})
        (tmp_path / f"layer-{layer}.json").write_bytes(to_bytes(graph))
    write_table([tmp_path / "layer-10.json", tmp_path / "layer-9.json"], tmp_path / "t.parquet")
    rows = pq.read_table(tmp_path / "t.parquet").to_pylist()
    assert [(row["layer"], row["feature"]) for row in rows] == [(9, 0), (9, 2), (10, 0), (10, 2)]
    assert rows[0] | {"layer": 0} == {
        **{"feature": 0, "layer": 0, "x": 0.0, "y": 1.0, "z": 2.0, "degree": 1},
        **{"label": "a <b>", "explainer": "gpt", "density": 0.25},
    }
    assert [rows[1][key] for key in ("label", "explainer", "density", "z")] == [None, None, None, 5.0]
    assert pq.ParquetFile(tmp_path / "t.parquet").num_row_groups == 2


def test_a_layer_without_facts_has_empty_columns():
    graph = layer_graph(
        "m", 0, np.zeros((2, 3), np.float32), (np.empty(0, np.int32),) * 2 + (np.empty(0),), {}, {}
    )
    table = layer_table(orjson.loads(to_bytes(graph)))
    assert table.schema.equals(SCHEMA)
    assert table["explainer"].null_count == table["density"].null_count == table["label"].null_count == 2


def test_the_columns_are_described():
    assert [name for names in COLUMNS for name in names.split(", ")] == SCHEMA.names


def test_sha256sum_agrees(checked):
    folder = checked.folder / "results/toy"
    done = subprocess.run(
        ["sha256sum", "--strict", "-c", "SHA256SUMS"], cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert sorted(re.findall(r"^(\S+): OK$", done.stdout, re.MULTILINE)) == [
        name for name in FILES if name != "SHA256SUMS"
    ]


def test_the_same_maps_give_the_same_bytes(checked, project):
    before = read(checked)
    for name in ("features.parquet", "README.md", "SHA256SUMS"):
        (project.folder / "results/toy" / name).unlink()
    project.snakemake("results/toy/SHA256SUMS")
    assert read(project) == before


def test_the_readme_counts_and_says_what_is_known_of_licences(checked):
    text = read(checked, "README.md")["README.md"].decode()
    manifest = json.loads(read(checked, "manifest.json")["manifest.json"])
    links = sum(layer["edgeCount"] for layer in manifest["layers"])
    assert f"2 layers, 600 features, 600 with a label, {links:,} links" in text
    assert "- SAE weights: no licence is known to those who made these files" in text
    about = {"weights": "google/gemma-scope", "licenses": {"weights": "CC-BY-4.0", "labels": None}}
    told = "\n".join(release.licences(manifest | {"attribution": "Gemma Scope."}, about))
    assert told.startswith("Gemma Scope.\n\n- SAE weights (google/gemma-scope): CC-BY-4.0.\n")
    assert "- Labels: their source states no licence" in told


# --- refusals


@pytest.fixture
def maps(tmp_path):
    """A folder with one map, its twin, and the manifest that describes them."""
    (tmp_path / "layer-0.json").write_bytes(b'{"a": 1}')
    (tmp_path / "layer-0.json.gz").write_bytes(gzip.compress(b'{"a": 1}', mtime=0))

    def entry(name):
        return {
            "filePath": name,
            "fileSize": (tmp_path / name).stat().st_size,
            "sha256": sha256(tmp_path / name),
        }

    return tmp_path, {"layers": [entry("layer-0.json") | {"layer": 0, "gzip": entry("layer-0.json.gz")}]}


def test_a_manifest_that_describes_its_files_is_fine(maps):
    assert mismatches(*maps, ["layer-0.json", "layer-0.json.gz"]) == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            lambda folder, _: (folder / "layer-0.json").unlink(),
            "layer-0.json is in the manifest, but not there",
        ),
        (
            lambda folder, _: (folder / "layer-0.json").write_bytes(b"{}"),
            "layer-0.json has 2 bytes, the manifest says 8",
        ),
        (lambda folder, _: (folder / "layer-0.json").write_bytes(b'{"a": 2}'), "layer-0.json has SHA-256 "),
        (lambda folder, _: (folder / "layer-0.json.gz").write_bytes(b""), "layer-0.json.gz has 0 bytes"),
        (lambda _, manifest: manifest["layers"][0].pop("gzip"), "layer-0.json.gz is not in the manifest"),
        (lambda _, manifest: manifest["layers"].clear(), "layer-0.json is not in the manifest"),
        (
            lambda _, manifest: manifest["layers"].append(
                {"filePath": "layer-7.json", "fileSize": 1, "sha256": ""}
            ),
            "layer-7.json is in the manifest, but the configuration does not ask for it",
        ),
    ],
)
def test_a_manifest_that_does_not_is_refused(maps, change, told):
    change(*maps)
    assert any(each.startswith(told) for each in mismatches(*maps, ["layer-0.json", "layer-0.json.gz"]))


@pytest.mark.parametrize("content", [gzip.compress(b'{"a": 2}', mtime=0), b"no gzip at all"])
def test_a_twin_that_holds_another_map_is_refused(maps, content):
    folder, manifest = maps
    (folder / "layer-0.json.gz").write_bytes(content)
    manifest["layers"][0]["gzip"] |= {"fileSize": len(content), "sha256": sha256(folder / "layer-0.json.gz")}
    told = mismatches(folder, manifest, ["layer-0.json", "layer-0.json.gz"])
    assert told == ["layer-0.json.gz holds another map than layer-0.json"]


def test_files_are_compared_with_their_checksums(maps):
    folder, _ = maps
    names = ("layer-0.json", "layer-0.json.gz")
    (folder / "SHA256SUMS").write_text(checksums({name: sha256(folder / name) for name in names}))
    assert verified(folder / "SHA256SUMS")["layer-0.json"] == File.of(folder / "layer-0.json")
    (folder / "layer-0.json").write_bytes(b'{"a": 3}')
    (folder / "layer-0.json.gz").unlink()
    with pytest.raises(UserError, match=r"layer-0.json has SHA-256 \w+, not \w+; layer-0.json.gz is missing"):
        verified(folder / "SHA256SUMS")
    (folder / "SHA256SUMS").write_text(f"{'0' * 64}  ../../elsewhere\n")
    with pytest.raises(UserError, match="is no line of sha256sum"):
        verified(folder / "SHA256SUMS")


def test_a_map_below_a_floor_of_today_is_refused():
    measured = {
        "a/quality.json": {"map": {"kept_15": 0.02}},
        "b/quality.json": {"map": {"kept_15": 0.5}},
        "c": {},
    }
    assert refused_maps(measured, {"min_kept_15": 0.03}) == [
        "a/quality.json: kept_15 is 0.02, below its floor 0.03"
    ]


def test_a_quality_record_below_the_floor_stops_the_release(project, github):
    path = project.folder / "results/toy/layer-1/quality.json"
    record = json.loads(path.read_bytes())
    record["map"]["trustworthiness"] = 0.51
    path.write_text(json.dumps(record))
    done = project.snakemake("release", check=False)
    assert done.returncode
    assert "results/toy/layer-1/quality.json: trustworthiness is 0.51, below its floor 0.58" in done.stdout
    assert github.requests == []
    assert not (project.folder / "results/toy/SHA256SUMS").exists()


def test_a_tampered_manifest_stops_the_release(project, github):
    path = project.folder / "results/toy/manifest.json"
    manifest = json.loads(path.read_bytes())
    manifest["layers"][1]["sha256"] = "0" * 64
    path.write_text(json.dumps(manifest))
    done = project.snakemake("release", check=False)
    assert done.returncode
    assert (
        "results/toy/manifest.json does not describe the files beside it: layer-1.json has SHA-256"
        in done.stdout
    )
    assert "Traceback" not in done.stdout
    assert github.requests == []


def test_files_that_changed_unseen_stop_the_release(project, github):
    path = project.folder / "results/toy/layer-1.json"
    seen = path.stat()
    path.write_bytes(path.read_bytes().replace(b'"weight"', b'"height"', 1))
    os.utime(path, ns=(seen.st_atime_ns, seen.st_mtime_ns))
    done = project.snakemake("release", check=False)
    assert done.returncode
    assert "results/toy/SHA256SUMS: layer-1.json has SHA-256" in done.stdout
    assert github.requests == []


@pytest.mark.parametrize("target", ["release", "dataset"])
def test_without_a_repository_the_run_stops_while_planning(checked, target):
    done = Project(checked.folder, "toy.yaml").snakemake(target, "--forceall", check=False)
    assert done.returncode
    assert re.search(r"publish\.\w+\.repository is not set: name .*, owner/name", done.stdout)
    assert "Job stats" not in done.stdout


def test_without_a_token_nothing_is_asked(project, github, hub):
    project.environment |= {"GITHUB_TOKEN": "", "GH_TOKEN": "", "HF_TOKEN": "", "HF_TOKEN_PATH": "none"}
    done = project.snakemake("release", "dataset", "--keep-going", check=False)
    assert done.returncode
    assert re.search("no token: set GITHUB_TOKEN .* Contents: read and write", done.stdout)
    assert re.search("no token: .* write access .* HF_TOKEN", done.stdout)
    assert github.requests == hub.requests == []


# --- releases and the dataset, by the real command


def test_a_plain_run_publishes_nothing(published):
    planned = published.pending("--forceall").keys()
    assert "write_manifest" in planned
    assert not planned & {"publish_github", "publish_huggingface", "build_site", "describe_release"}


def test_published_once_nothing_is_pending_and_asked_again_nothing_is_sent(published, github, hub, tmp_path):
    assert published.pending("release", "dataset") == {}
    restore(published, github, hub)
    project = published.copy(tmp_path / "project")
    told = project.snakemake(
        "release", "dataset", "--forcerun", "publish_github", "publish_huggingface"
    ).stdout
    assert "is public already, with the same files: nothing to do" in told
    assert "all was there: nothing to do" in told
    assert {each.method for each in github.requests} == {"GET"}
    assert hub.count("(PUT|POST) (?!/api/repos/create).*") == 0


def test_a_dry_run_says_what_it_is_about_to_do(project, github, hub):
    told = project.snakemake("release", "dataset", "--dry-run").stdout
    assert f"Publishing 9 files of toy: GitHub, {REPOSITORY}, release {TAG}" in told
    assert f"Publishing 11 files: Hugging Face, dataset {DATASET}, branch main" in told
    assert github.requests == hub.requests == []


def test_the_release_holds_the_files(published, released, github):
    assert released == read(published)
    assert [each["name"] for each in github.releases.values()] == ["Maps of Toy"]
    record = json.loads((published.folder / "results/toy/published/github.json").read_bytes())
    assert record["tag"] == TAG
    assert sorted(record["assets"]) == FILES
    assert f"published: {record['url']}" in published.told


def test_downloaded_assets_check_out(released, tmp_path):
    for name, content in released.items():
        (tmp_path / name).write_bytes(content)
    assert subprocess.run(["sha256sum", "--quiet", "-c", "SHA256SUMS"], cwd=tmp_path).returncode == 0


def test_the_dataset_holds_the_files_a_card_and_the_index(published, tables, hub):
    expected = {f"toy/{name}": content for name, content in read(published).items()}
    assert {name: content for name, content in tables.items() if "/" in name} == expected
    assert tables.keys() - expected.keys() == {"README.md", "index.json", ".gitattributes"}
    index = json.loads(tables["index.json"])
    assert index["models"][0]["manifest"] in tables
    assert hub.messages == ["Keep maps as large files", "Maps of Toy"]  # although an answer was lost
    assert {hashlib.sha256(tables[f"toy/{name}"]).hexdigest() for name in MAPS} <= hub.large.keys()


def test_the_card_is_what_hugging_face_reads(tables):
    text = tables["README.md"].decode()
    metadata = yaml.safe_load(text.split("---\n")[1])
    files = [{"split": "train", "path": "toy/features.parquet"}]
    assert metadata["configs"] == [{"config_name": "toy", "data_files": files, "default": True}]
    assert metadata["size_categories"] == ["n<1K"]
    assert metadata["license"] == "other"
    assert f'load_dataset("{DATASET}", "toy", split="train")' in text


def test_pandas_reads_the_table_from_the_hub(tables, hub):
    address = f"{hub.url}/datasets/{DATASET}/resolve/main/toy/features.parquet"
    answer = httpx.get(address, headers={"Authorization": f"Bearer {HF_TOKEN}"})
    table = pd.read_parquet(io.BytesIO(answer.raise_for_status().content))
    for layer in (0, 1):
        graph = json.loads(tables[f"toy/layer-{layer}.json"])
        rows = table[table.layer == layer]
        assert rows[["x", "y", "z"]].to_numpy().tolist() == [node["position"] for node in graph["nodes"]]
        assert rows.label.tolist() == [node["label"] for node in graph["nodes"]]


def test_tokens_are_nowhere(published):
    everything = published.told.encode() + everything_written(published.folder)
    assert len(everything) > 100_000
    assert GITHUB_TOKEN.encode() not in everything
    assert HF_TOKEN.encode() not in everything


def test_faults_were_met_on_the_way(published):
    assert sum(each.startswith("POST /api/uploads/") for each in published.asked) == len(FILES) + 1
    assert sum("/commit/main" in each for each in published.asked) == 2  # .gitattributes, and the maps


def test_killed_in_the_middle_of_an_upload_the_next_run_completes(project, github):
    github.faults = [Fault("hold", "POST /api/uploads/.*", skip=3, at=10)]
    run = subprocess.Popen(
        project.command("release"),
        cwd=project.folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        env=os.environ | project.environment,
    )
    assert github.held.wait(60)
    os.killpg(run.pid, signal.SIGKILL)
    assert run.wait() == -signal.SIGKILL
    github.release.set()
    assert github.published(TAG) is None
    assert len(github.drafts()) == 1
    project.snakemake("--unlock")
    project.snakemake("release")
    assert github.published(TAG) == read(project)
    assert len(github.releases) == 1
    assert sum(name in github.uploads()[:3] for name in github.uploads()) == 3  # what had arrived stayed


# --- the dataset, in detail


@pytest.fixture
def dataset(hub, monkeypatch):
    """`dataset(...)`: one on the loopback Hub, as HF_ENDPOINT and HF_TOKEN would have it."""
    hub.clear()
    monkeypatch.setattr(constants, "ENDPOINT", hub.url)
    template = hub.url + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setenv("HF_TOKEN", HF_TOKEN)

    def make(private=False, revision="main"):
        return Dataset(DATASET, private, revision, QUICK)

    return make


@pytest.fixture
def some(tmp_path):
    """Files of one model, small and large."""
    contents = {
        "README.md": b"---\nlicense: mit\n---\n",
        "toy/layer-0.json": os.urandom(5000),
        "toy/quality.tsv": b"1",
    }
    for name, content in contents.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    return {name: File.of(tmp_path / name) for name in contents}


def bring(dataset, files):
    dataset.open()
    return dataset.bring(files, "Maps of Toy")


def test_only_what_changed_is_committed_and_lost_layers_go(dataset, hub, some):
    commit, sent = bring(dataset(), some)
    assert (hub.branches[DATASET]["main"], sent) == (commit, 3)
    assert bring(dataset(), some) == (commit, 0)
    hub.files(DATASET)["toy/layer-9.json.gz"] = hub.files(DATASET)["toy/notes.txt"] = b"?"
    some["toy/quality.tsv"].path.write_bytes(b"2")
    some["toy/quality.tsv"] = File.of(some["toy/quality.tsv"].path)
    hub.forget()
    assert bring(dataset(), some)[1] == 2
    assert hub.count("PUT .*") == 0
    assert hub.files(DATASET).keys() == some.keys() | {".gitattributes", "toy/notes.txt"}
    assert hub.files(DATASET)["toy/quality.tsv"] == b"2"


def test_a_private_dataset_on_a_branch(dataset, hub, some):
    bring(dataset(private=True, revision="v1"), some)
    assert hub.private == {DATASET: True}
    assert hub.files(DATASET, "v1").keys() >= some.keys()
    assert hub.files(DATASET).keys() == {".gitattributes"}


def test_a_public_dataset_is_not_taken_for_a_private_one(dataset, hub, some):
    bring(dataset(), some)
    with pytest.raises(UserError, match=r"the dataset is public, and publish\.huggingface\.private is true"):
        bring(dataset(private=True), some)


@pytest.mark.parametrize(("token", "status"), [("hf_reader", 403), ("hf_wrong", 401)])
def test_a_token_that_may_not_write_is_told(dataset, hub, some, monkeypatch, token, status):
    monkeypatch.setenv("HF_TOKEN", token)
    with pytest.raises(UserError, match=rf"refused \(HTTP {status}\).*write access.*HF_TOKEN") as error:
        bring(dataset(), some)
    assert token not in str(error.value)


def test_a_change_by_somebody_else_in_between_is_told(dataset, hub, some):
    target = dataset()
    target.open()
    hub.faults = [Fault("status", "POST .*/commit/main", status=412)]
    with pytest.raises(UserError, match="somebody else changed the dataset meanwhile"):
        target.bring(some, "Maps")


def test_maps_are_kept_as_large_files(dataset, hub, some):
    target = dataset()
    target.open()
    del hub.files(DATASET)[".gitattributes"]
    bring(target, some)
    assert hub.files(DATASET)[".gitattributes"] == b"layer-*.json filter=lfs diff=lfs merge=lfs -text\n"
    assert hub.large.keys() == {some["toy/layer-0.json"].sha256}


def test_an_upload_that_is_refused_is_told(dataset, hub, some):
    some |= {"toy/layer-1.json": File.of(some["toy/layer-0.json"].path), "a.parquet": some["README.md"]}
    hub.faults = [Fault("status", "PUT /large/.*", times=99, status=403)]
    with pytest.raises(UserError, match=r"the commit: .* refused \(HTTP 403\)"):
        bring(dataset(), some)


def test_a_hub_that_stays_silent_leaves_no_half_dataset(dataset, hub, some):
    target = dataset()
    target.open()
    hub.faults = [Fault("status", "POST .*/commit/main", times=99, status=503)]
    with pytest.raises(UnansweredError, match="the commit: no usable answer in 3 attempts"):
        target.bring(some, "Maps")
    assert hub.files(DATASET).keys() == {".gitattributes"}


def test_the_card_names_a_licence_only_where_all_have_the_same():
    assert card_licence("a/b", [{"weights": "MIT", "labels": "MIT"}] * 2) == {"license": "mit"}
    for other in (
        {"weights": "MIT"},
        {"weights": "MIT", "labels": None},
        {"weights": "MIT", "labels": "CC0-1.0"},
    ):
        assert card_licence("a/b", [{"weights": "MIT", "labels": "MIT"}, other])["license"] == "other"


def test_the_card_has_a_configuration_for_each_model():
    layer = {"featureCount": 16384, "labeledCount": 16000}
    manifests = [
        {"modelId": name, "displayName": name.upper(), "layers": [layer] * 26, "attribution": "Whom to name."}
        for name in ("one", "two")
    ]
    text = dataset_card(
        "a/b", manifests, {name: {"weights": None, "licenses": {}} for name in ("one", "two")}
    )
    metadata = yaml.safe_load(text.split("---\n")[1])
    assert [(each["config_name"], each.get("default")) for each in metadata["configs"]] == [
        ("one", True),
        ("two", None),
    ]
    assert metadata["size_categories"] == ["100K<n<1M"]
    assert "| ONE (`one`) | 26 | 425,984 | 416,000 |" in text


# --- the site


def test_the_site_is_whole_and_links_what_it_can(project):
    results = project.folder / "results"
    (results / "assets").mkdir()
    for name in ("index.html", "sw.js", "assets/index-1.js"):
        (results / name).write_text(f"the {name}")
    told = project.snakemake("site", "--rerun-triggers", "mtime").stdout
    assert re.search(r"results/site: 9 files, \d+\.\d MB", told)
    site = results / "site"
    found = {str(path.relative_to(site)) for path in site.rglob("*") if path.is_file()}
    page = {".snakemake_timestamp", ".nojekyll", "index.html", "sw.js", "assets/index-1.js", "index.json"}
    assert found == page | {f"toy/{name}" for name in ["manifest.json", *MAPS]}
    assert (site / "toy/layer-0.json").samefile(results / "toy/layer-0.json")
    with serve(site) as address:
        model = httpx.get(f"{address}/index.json").json()["models"][0]
        manifest = httpx.get(f"{address}/{model['manifest']}").json()
        for layer in manifest["layers"]:
            for entry in (layer, layer["gzip"]):
                content = httpx.get(f"{address}/{model['modelId']}/{entry['filePath']}").content
                assert hashlib.sha256(content).hexdigest() == entry["sha256"]


class serve:  # noqa: N801
    """A folder on a web server, as long as the block lasts."""

    def __init__(self, folder: Path):
        handler = functools.partial(_Quiet, directory=str(folder))
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)

    def __enter__(self) -> str:
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{self.server.server_port}"

    def __exit__(self, *exception: object) -> None:
        self.server.shutdown()
        self.server.server_close()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


def test_a_site_that_is_too_large_is_refused():
    assert check_size({"the page": 10**6, "toy": 9 * 10**6}, 10) == 10
    with pytest.raises(
        UserError, match=r"would have 10.1 MB, publish.site.max_mb is 10: the page 1.1 MB, toy 9.0 MB"
    ):
        check_size({"the page": 1_100_000, "toy": 9 * 10**6}, 10)
