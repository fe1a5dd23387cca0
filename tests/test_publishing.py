"""What is published, its checks and documents; the dataset on a Hub on loopback; all targets by the real command."""

import gzip
import json
import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from types import SimpleNamespace

import huggingface_hub
import pytest
import yaml
from huggingface_hub import HfApi, constants
from jsonschema import Draft202012Validator

from build_site import check_size
from conftest import ROOT, Project, everything_written
from fakes.datasets import Datasets
from fakes.github import GitHub
from fakes.service import Fault
from lib import patience
from lib.errors import UserError
from lib.files import sha256
from lib.publishing.documents import render
from lib.publishing.files import File, is_listed_file, listed_files, mismatches, verified
from publish_github import assets_of
from publish_huggingface import LARGE_FILES, publish
from test_scripts import Job, job

GITHUB_TOKEN, HF_TOKEN = "ghp_aVerySecretToken", "hf_aVerySecretToken"
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
REPOSITORY, DATASET, TAG = "owner/maps", "owner/sae-maps", f"toy-v{VERSION}"
TEMPLATES = ROOT / "resources" / "templates"
MANIFEST = Draft202012Validator(json.loads((ROOT / "docs" / "manifest.schema.json").read_text()))
COUNTS = {"featureCount": 16384, "labeledCount": 16000, "edgeCount": 12000}


# --- which files, and their checks


@pytest.fixture
def maps(tmp_path) -> tuple[Path, dict]:
    """A folder with the files of one layer and of an atlas, and the manifest that describes them."""
    contents = {"layer-0.json": b'{"a": 1}', "layer-0.json.gz": gzip.compress(b'{"a": 1}', mtime=0)}
    (tmp_path / "atlas").mkdir()
    for name in NAMES:
        (tmp_path / name).write_bytes(contents.get(name, name.encode()))

    def entry(name):
        path = tmp_path / name
        return {"filePath": name, "fileSize": path.stat().st_size, "sha256": sha256(path)}

    layer = entry("layer-0.json") | COUNTS | {"layer": 0}
    layer |= {"gzip": entry("layer-0.json.gz"), "table": entry("layer-0.parquet")}
    layer["frame"] = {"graph": entry("atlas/layer-0.json"), "table": entry("atlas/layer-0.parquet")}
    atlas = {"tracks": entry("atlas/tracks.parquet")}
    return tmp_path, {"displayName": "Toy", "pipelineVersion": "1", "layers": [layer], "atlas": atlas}


OF_LAYER = ("layer-0.json", "layer-0.json.gz", "layer-0.parquet")
NAMES = {*OF_LAYER, "atlas/layer-0.json", "atlas/layer-0.parquet", "atlas/tracks.parquet"}


def files_in(folder: Path) -> dict[str, File]:
    return {name: File.of(folder / name) for name in sorted(NAMES)}


def test_a_manifest_lists_the_files_of_its_layers_and_of_its_atlas(maps):
    folder, manifest = maps
    assert {entry["filePath"] for entry in listed_files(manifest)} == NAMES
    assert mismatches(manifest, files_in(folder)) == []
    del manifest["atlas"], manifest["layers"][0]["frame"]
    assert [entry["filePath"] for entry in listed_files(manifest)] == [*OF_LAYER]
    del manifest["layers"][0]["table"], manifest["layers"][0]["gzip"]
    assert [entry["filePath"] for entry in listed_files(manifest)] == ["layer-0.json"]
    del manifest["layers"][0]["filePath"]
    assert not [*listed_files(manifest)]


def test_what_a_manifest_lists_is_known_by_its_path_and_by_its_name_in_a_release():
    assert all(map(is_listed_file, (*NAMES, *assets_of(dict.fromkeys(NAMES)))))
    others = ("layer-x.json", "layer-0.npz", "features.parquet", "atlas/chains.npz", "tracks.parquet", "manifest.json")
    assert not any(map(is_listed_file, others))


def test_a_manifest_that_does_not_describe_its_files_is_refused(maps):
    folder, manifest = maps
    (folder / "layer-0.json").write_bytes(b"{}")
    (folder / "layer-0.parquet").write_bytes(b"PAR2")
    (folder / "atlas/layer-0.json").write_bytes(b"")
    del manifest["layers"][0]["gzip"], manifest["atlas"]
    manifest["layers"].append({"filePath": "layer-7.json", "fileSize": 1, "sha256": ""})
    altered = {"layer-0.json", "layer-0.parquet", "atlas/layer-0.json"}
    alone = {"layer-0.json.gz", "atlas/tracks.parquet", "layer-7.json"}
    assert mismatches(manifest, files_in(folder)) == sorted(altered | alone)


def test_a_twin_that_holds_another_map_is_refused(maps):
    folder, manifest = maps
    content = gzip.compress(b'{"a": 2}', mtime=0)
    (folder / "layer-0.json.gz").write_bytes(content)
    manifest["layers"][0]["gzip"] |= {"fileSize": len(content), "sha256": sha256(folder / "layer-0.json.gz")}
    wrong = mismatches(manifest, files_in(folder))
    assert wrong == ["layer-0.json.gz"]


def describe(folder: Path, manifest: dict) -> Job:
    """The job that describes the maps."""
    for name in ("features.parquet", "quality.tsv"):
        (folder / name).write_text(name)
    (folder / "manifest.json").write_text(json.dumps(manifest))
    files = [str(folder / name) for name in (*NAMES, "features.parquet", "manifest.json", "quality.tsv")]
    inputs = {"files": files, "manifest": "manifest.json", "templates": [str(TEMPLATES / "release.md")]}
    outputs = {"readme": "README.md", "checksums": "SHA256SUMS"}
    about = {"weights": None, "licenses": {}}
    return job("describe_release", folder, inputs, outputs, about=about)


def test_checksums_list_every_file_and_tell_what_changed_since(maps):
    folder, manifest = maps
    describe(folder, manifest).run()
    names = NAMES | {"README.md", "features.parquet", "manifest.json", "quality.tsv", "SHA256SUMS"}
    assert verified(folder / "SHA256SUMS") == {name: File.of(folder / name) for name in names}
    subprocess.run(["sha256sum", "--strict", "--quiet", "-c", "SHA256SUMS"], cwd=folder, check=True)
    first = (folder / "SHA256SUMS").read_bytes()
    describe(folder, manifest).run()
    assert (folder / "SHA256SUMS").read_bytes() == first
    (folder / "layer-0.json").write_bytes(b'{"a": 3}')
    with pytest.raises(UserError, match=r"SHA256SUMS: layer-0.json changed after this list was written"):
        verified(folder / "SHA256SUMS")


def test_an_altered_map_is_not_described(maps):
    folder, manifest = maps
    manifest["layers"][0]["sha256"] = "0" * 64
    log = describe(folder, manifest).fails()
    assert "manifest.json does not describe layer-0.json: delete it" in log
    assert "Traceback" not in log
    assert not (folder / "SHA256SUMS").exists()


# --- documents


def test_the_readme_counts_and_names_attribution_and_licences():
    layer = COUNTS | {"layer": 3, "sourceId": "3-res"}
    manifest = {"displayName": "Toy", "pipelineVersion": "1", "layers": [layer, layer], "attribution": "By us."}

    def readme(weights: str | None, licenses: dict) -> str:
        about = {"weights": weights, "licenses": licenses}
        return render(TEMPLATES / "release.md", manifest=manifest, about=about).decode()

    text = readme("google/gemma-scope", {"weights": "CC-BY-4.0", "labels": None})
    assert "2 layers, 32,768 features, 32,000 labelled, 24,000 edges" in text
    assert "| 3 | 3-res | 16,384 | 16,000 | 12,000 |" in text
    assert ".json.gz" not in text
    assert "| atlas/" not in text
    assert "By us.\n\n- SAE weights (google/gemma-scope): CC-BY-4.0\n- Labels: the source states no" in text
    assert "- SAE weights: licence unknown; ask the source\n- Labels: licence unknown" in readme(None, {})


def test_the_readme_names_the_atlas_and_its_files_in_a_release(maps):
    folder, manifest = maps
    describe(folder, manifest).run()
    text = (folder / "README.md").read_text()
    assert "| atlas/layer-N.parquet |" in text
    assert "| `previous_cosine` | float32 |" in text
    # One list of columns: results/README.md has the same.
    columns, documented = (
        [line for line in lines.splitlines() if re.fullmatch(r"\| `\w+` \|[^|]+\|[^|]+\|", line)]
        for lines in (text, (ROOT / "results" / "README.md").read_text())
    )
    assert columns == documented
    # A release has no folders. Its command restores them.
    release = folder / "release"
    release.mkdir()
    for name, file in assets_of(verified(folder / "SHA256SUMS")).items():
        shutil.copy(file.path, release / name)
    command = re.search(r"```sh\n(.*)\n```", text)[1]
    check = f"{command} && sha256sum --strict --quiet -c SHA256SUMS"
    subprocess.run(["sh", "-c", check], cwd=release, check=True)


def card(*licenses: dict) -> dict:
    """The metadata of the card of a model for each of `licenses`, of which the first has an atlas."""
    models = {f"model-{number}": {"weights": None, "licenses": each} for number, each in enumerate(licenses)}
    manifests = [{"modelId": name, "displayName": f"<{name}>", "layers": [COUNTS] * 26} for name in models]
    manifests[0]["atlas"] = {}
    text = render(TEMPLATES / "dataset.md", repository="a/b", manifests=manifests, about=models).decode()
    assert "| &lt;model-0&gt; (`model-0`) | 26 | 425,984 | 416,000 |" in text
    assert 'load_dataset("a/b", "model-0", split="train")' in text
    return yaml.safe_load(text.split("---\n")[1])


def test_the_card_has_a_configuration_for_each_table():
    metadata = card({}, {})
    assert metadata["pretty_name"] == "SAE Atlas: <model-0>, <model-1>"
    assert metadata["size_categories"] == ["100K<n<1M"]
    tables = {
        "model-0": "model-0/features.parquet",
        "model-0+frame": "model-0/atlas/layer-*.parquet",
        "model-0+tracks": "model-0/atlas/tracks.parquet",
        "model-1": "model-1/features.parquet",
    }
    files = {name: [{"split": "train", "path": path}] for name, path in tables.items()}
    assert {each["config_name"]: each["data_files"] for each in metadata["configs"]} == files
    assert [each["config_name"] for each in metadata["configs"] if each.get("default")] == ["model-0"]


def test_the_card_names_a_licence_only_if_all_have_the_same():
    mit = {"weights": "MIT", "labels": "MIT"}
    assert card(mit, mit)["license"] == "mit"
    for other in ({}, {"weights": "MIT"}, mit | {"labels": None}, mit | {"labels": "CC0-1.0"}):
        assert card(mit, other)["license"] == card(other)["license"] == "other"


# --- the dataset


@pytest.fixture(scope="module")
def running():
    with Datasets(HF_TOKEN, page=4) as service:
        yield service


@pytest.fixture
def hub(running, monkeypatch, tmp_path):
    """An empty Hub that takes large files by LFS; waits between attempts take no time."""
    running.clear()
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(patience, "sleep", lambda seconds: None)
    return running


@pytest.fixture
def files(tmp_path) -> dict[str, File]:
    """Files of one model, small and large."""
    contents = {"README.md": b"---\nlicense: mit\n---\n"}
    contents |= {"toy/layer-0.json": os.urandom(5000), "toy/quality.tsv": b"1"}
    for name, content in contents.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    return {name: File.of(tmp_path / name) for name in contents}


def send(hub, files, token=HF_TOKEN, private=False, revision="main") -> str:
    target = {"repository": DATASET, "private": private, "revision": revision}
    return publish(HfApi(hub.url, token), target, files, "Maps of Toy")


def test_only_what_changed_is_committed_and_maps_no_longer_listed_go(hub, files):
    commit = send(hub, files)
    assert hub.branches[DATASET]["main"] == commit
    assert send(hub, files) == commit
    kept = {"toy/notes.txt": b"?", "other/layer-9.json": b"?", "other/atlas/layer-9.json": b"?"}
    old = dict.fromkeys(("toy/layer-9.json.gz", "toy/layer-9.parquet", "toy/atlas/tracks.parquet"), b"?")
    hub.files(DATASET).update(kept | old)
    for name, content in (("toy/quality.tsv", b"2"), ("toy/layer-0.json", os.urandom(5000))):
        files[name].path.write_bytes(content)
        files[name] = File.of(files[name].path)
    hub.forget()
    send(hub, files)
    assert hub.count("PUT .*") == 1
    held = {name: content for name, content in hub.files(DATASET).items() if name != ".gitattributes"}
    assert held == kept | {name: file.path.read_bytes() for name, file in files.items()}
    assert hub.messages == ["Track maps with LFS", "Maps of Toy", "Maps of Toy"]


@pytest.mark.parametrize("before", [{}, {".gitattributes": b"*.bin filter=lfs\n"}])
def test_maps_travel_as_large_files(hub, files, before):
    send(hub, {})
    hub.commits[hub.branches[DATASET]["main"]] = dict(before)
    send(hub, files)
    kept = before.get(".gitattributes", b"")
    assert hub.files(DATASET)[".gitattributes"] == kept + LARGE_FILES.encode() + b"\n"
    assert hub.large.keys() == {files["toy/layer-0.json"].sha256}


def test_a_private_dataset_on_a_branch(hub, files):
    send(hub, files, private=True, revision="v1")
    assert hub.private == {DATASET: True}
    assert hub.files(DATASET, "v1").keys() >= files.keys()
    assert hub.files(DATASET).keys() == {".gitattributes"}


def test_a_public_dataset_is_not_taken_for_a_private_one(hub, files):
    send(hub, {})
    with pytest.raises(UserError, match=r"the dataset is public, and publish\.huggingface\.private is true"):
        send(hub, files, private=True)
    assert hub.files(DATASET).keys() == {".gitattributes"}


@pytest.mark.parametrize(("token", "status"), [("hf_reader", 403), ("hf_wrong", 401)])
def test_a_refused_token_is_named_not_shown_and_not_tried_again(hub, files, token, status):
    with pytest.raises(UserError, match=rf"HTTP {status}, .*HF_TOKEN with write access") as error:
        send(hub, files, token)
    assert token not in str(error.value)
    assert hub.count("POST /api/repos/create") == 1


@pytest.mark.parametrize("kind", ["status", "lost"])
@pytest.mark.parametrize("on", ["POST /api/repos/create", "HEAD .*/.gitattributes", "POST .*/commit/main"])
@pytest.mark.parametrize("status", [412, 503])
def test_what_was_not_answered_or_came_too_late_is_not_done_twice(hub, files, kind, on, status):
    hub.faults = [Fault(kind, on, status=status)]
    send(hub, files)
    assert hub.files(DATASET).keys() == files.keys() | {".gitattributes"}
    assert hub.messages == ["Track maps with LFS", "Maps of Toy"]


@pytest.mark.parametrize(
    ("kind", "on", "status", "message"),
    [
        ("status", "PUT /large/.*", 403, "HTTP 403, .*write access"),
        ("status", "POST .*/commit/main", 503, "HTTP 503, .*Run the same command again"),
        ("cut", "POST .*/commit/main", 0, "RemoteProtocolError|ReadError"),
        ("html", "GET .*/tree/.*", 0, "dataset owner/sae-maps: no usable answer .*login page"),
    ],
)
def test_a_hub_that_refuses_or_stays_silent_leaves_no_half_dataset(hub, files, kind, on, status, message):
    send(hub, {})
    files |= {"toy/layer-1.json": File.of(files["README.md"].path)}
    hub.faults = [Fault(kind, on, times=99, status=status)]
    with pytest.raises(UserError, match=message) as error:
        send(hub, files)
    assert "/large/" not in str(error.value)
    assert hub.files(DATASET).keys() == {".gitattributes"}


def test_an_upload_that_xet_cannot_make_is_named(hub, files, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", False)
    with pytest.raises(UserError, match=r"dataset \S+: no usable answer \(ConnectionError.* Run the same command"):
        send(hub, files)


def test_a_file_that_arrives_altered_is_an_error(hub, files):
    altered = File(files["toy/quality.tsv"].path, 2, "0" * 64)
    with pytest.raises(UserError, match=r"commit \w{40} does not hold toy/quality.tsv as sent"):
        send(hub, files | {"toy/quality.tsv": altered})


# --- all targets by the real command


@pytest.fixture(scope="module")
def published(toy_run, tmp_path_factory):
    """Released, made a dataset and a site, by one command."""
    folder = tmp_path_factory.mktemp("published")
    project = toy_run.copy(folder / "project")
    results = project.folder / "results"
    # A model of an earlier run, which is not selected.
    (results / "old").mkdir()
    shutil.copy(results / "toy/manifest.json", results / "old/manifest.json")
    # In place of the explorer, whose build takes minutes.
    (results / "assets").mkdir()
    for name in ("index.html", "sw.js", "assets/index-1.js"):
        (results / name).write_text(f"the {name}")
    with GitHub(REPOSITORY, GITHUB_TOKEN) as github, Datasets(HF_TOKEN, page=4) as hub:
        project.environment |= {"GITHUB_TOKEN": GITHUB_TOKEN, "HF_TOKEN": HF_TOKEN, "HF_ENDPOINT": hub.url}
        # The chunk servers of Xet have no stand-in here.
        project.environment |= {"HF_HOME": str(folder / "hf"), "HF_HUB_DISABLE_XET": "1"}
        release = {"repository": REPOSITORY, "api_url": github.api_url, "title": "Maps of {display_name}"}
        publish = {"github": release, "huggingface": {"repository": DATASET}}
        project = project.changed(project.folder / "published.yaml", {"publish": publish})
        output = project.snakemake("release", "dataset", "site", "--rerun-triggers", "mtime").stdout
        yield SimpleNamespace(project=project, results=results, github=github, hub=hub, output=output)


def on_disk(published) -> dict[str, bytes]:
    """SHA256SUMS of the toy and the files it lists."""
    files = verified(published.results / "toy/SHA256SUMS")
    return {name: file.path.read_bytes() for name, file in files.items()}


def test_the_release_holds_the_files(published):
    files = on_disk(published)
    assert published.github.published(TAG) == assets_of(files)
    assert {"layer-0.json", "layer-1.json.gz", "layer-1.parquet", "manifest.json"} <= files.keys()
    assert {"atlas/layer-0.json", "atlas/layer-1.parquet", "atlas/tracks.parquet"} <= files.keys()
    assert [each["name"] for each in published.github.releases.values()] == ["Maps of Toy"]
    record = json.loads((published.results / "toy/published/github.json").read_bytes())
    assert record["assets"].keys() == assets_of(files).keys()
    assert f"Publishing toy: GitHub, {REPOSITORY}, release {TAG}" in published.output
    assert f"published {len(files)} files: {record['url']}" in published.output


def test_the_dataset_holds_the_files_a_card_and_the_index_in_one_commit(published):
    files = published.hub.files(DATASET)
    expected = {f"toy/{name}": content for name, content in on_disk(published).items()}
    expected |= {"README.md": (published.results / "published/README.md").read_bytes()}
    expected |= {"index.json": (published.results / "published/index.json").read_bytes()}
    assert {name: files[name] for name in files.keys() - {".gitattributes"}} == expected
    assert [each["manifest"] for each in json.loads(files["index.json"])["models"]] == ["toy/manifest.json"]
    assert published.hub.messages == ["Track maps with LFS", "Maps of Toy"]
    record = json.loads((published.results / "published/huggingface.json").read_bytes())
    assert record["files"].keys() == expected.keys()
    assert f"Publishing to Hugging Face: dataset {DATASET}, branch main" in published.output
    assert f"published {len(expected)} files: {record['url']}" in published.output


def test_the_site_holds_the_tables_that_its_manifest_lists_and_no_json_of_maps(published):
    site = published.results / "site"
    manifest = json.loads((published.results / "toy/manifest.json").read_bytes())
    MANIFEST.validate(manifest)
    for entry in manifest["layers"]:
        del entry["frame"]["graph"], entry["filePath"], entry["fileSize"], entry["sha256"], entry["gzip"]
    MANIFEST.validate(manifest)
    assert json.loads((site / "toy/manifest.json").read_bytes()) == manifest
    expected = {f"toy/{entry['filePath']}" for entry in listed_files(manifest)}
    assert {Path(name).suffix for name in expected} == {".parquet"}
    expected |= {"index.html", "sw.js", "assets/index-1.js"}
    present = {path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file()}
    assert present == expected | {".snakemake_timestamp", ".nojekyll", "index.json", "toy/manifest.json"}
    models = json.loads((site / "index.json").read_bytes())["models"]
    assert [each["manifest"] for each in models] == ["toy/manifest.json"]
    assert all((site / name).samefile(published.results / name) for name in expected)
    assert re.search(rf"results/site: {len(expected) + 2} files, \d+\.\d MB", published.output)


def test_a_site_that_is_too_large_is_refused():
    check_size(10.0, 10)
    with pytest.raises(UserError, match=r"10\.1 MB, publish\.site\.max_mb is 10\."):
        check_size(10.1, 10)


def test_tokens_are_nowhere(published):
    everything = published.output.encode() + everything_written(published.project.folder)
    assert len(everything) > 100_000
    assert GITHUB_TOKEN.encode() not in everything
    assert HF_TOKEN.encode() not in everything


def test_an_edited_part_of_the_templates_publishes_again_and_reruns_nothing_else(published, tmp_path):
    project = published.project.copy(tmp_path / "project")
    with (project.folder / "resources/templates/parts.md").open("a") as file:
        file.write("More.\n")
    publishing = {"describe_release", "publish_github", "publish_huggingface"}
    assert project.pending("release", "dataset").keys() - {"release", "dataset"} == publishing


def test_an_atlas_that_is_switched_off_is_handed_over_no_longer(published, tmp_path):
    project = published.project.copy(tmp_path / "project").changed(tmp_path / "off.yaml", {"atlas": {"enabled": False}})
    project.snakemake("results/toy/SHA256SUMS")
    files = verified(project.folder / "results/toy/SHA256SUMS")
    assert {"layer-0.json", "layer-1.parquet", "manifest.json"} <= files.keys()
    assert not [name for name in files if name.startswith("atlas/")]


def test_without_a_repository_the_run_stops_while_planning(published):
    done = Project(published.project.folder, "toy.yaml").snakemake("release", "--forceall", check=False)
    assert done.returncode
    assert re.search(r"publish\.github\.repository is not set: name .*owner/name", done.stdout)
    assert "Job stats" not in done.stdout


def test_without_a_token_nothing_is_sent(tmp_path, monkeypatch):
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setattr(huggingface_hub, "get_token", lambda: None)
    assert re.search("no token: .*HF_TOKEN with write access", job("publish_huggingface", tmp_path, {}, {}).fails())
