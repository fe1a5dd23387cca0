"""Every script as Snakemake runs it, with a small stand-in job, and what it leaves behind when it fails."""

import runpy
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest

from conftest import ROOT
from export_layer import manifest_entry
from lib.errors import UserError
from lib.files import load_npy, load_npz, load_record, save_npy, save_record, whole_file
from lib.tables import load_table

DEMO = ROOT / "resources" / "demo" / "layer_0"


class Inputs(SimpleNamespace):
    """A job's inputs, as far as scripts use them."""

    def get(self, name, otherwise=None):
        return getattr(self, name, otherwise)


class Job(SimpleNamespace):
    """What a script sees as `snakemake`."""

    def run(self):
        runpy.run_path(str(ROOT / "scripts" / f"{self.rule}.py"), {"snakemake": self}, run_name="__main__")
        return self

    def fails(self) -> str:
        """Run the script, which must exit with 1, and return its log."""
        with pytest.raises(SystemExit) as stop:
            self.run()
        assert stop.value.code == 1
        return Path(self.log[0]).read_text()


def job(rule: str, folder: Path, inputs: dict, outputs: dict, **params) -> Job:
    inputs = {name: str(folder / value) if isinstance(value, str) else value for name, value in inputs.items()}
    return Job(
        rule=rule,
        input=Inputs(**inputs),
        output=SimpleNamespace(**{name: str(folder / value) for name, value in outputs.items()}),
        params=SimpleNamespace(**params),
        wildcards=SimpleNamespace(model="toy", layer="0"),
        threads=1,
        log=[str(folder / "logs" / f"{rule}.log")],
    )


def fetch_decoder(folder: Path, **changes) -> Job:
    row = {"repo": None, "revision": None, "weights": "toy.npz", "tensor": "W_dec", "shape": ["features", "d_model"]}
    row |= {"features": 200, "d_model": 384} | changes
    files = {"decoder": "decoder.npy", "record": "decoder.json"}
    return job("fetch_decoder", folder, {"weights": "toy.npz", "revision": []}, files, sae=row)


@pytest.fixture
def folder(tmp_path) -> Path:
    with np.load(DEMO / "params.npz") as file:
        np.savez(tmp_path / "toy.npz", W_dec=file["W_dec"][:200])
    return tmp_path


def test_a_mistake_of_the_user_is_one_line_in_the_log(folder, capsys):
    failing = fetch_decoder(folder, features=201)
    log = failing.fails()
    assert "toy.npz: W_dec has shape (200, 384), expected (201, 384) from the catalogue" in log
    assert "Traceback" not in log
    assert failing.log[0] in capsys.readouterr().err
    assert not (folder / "decoder.npy").exists()


@pytest.mark.parametrize(("value", "not_finite"), [(0, 0), (np.nan, 198)])
def test_weights_that_give_too_few_features_a_direction_are_refused(folder, value, not_finite):
    weights = np.full((200, 384), value, np.float32)
    weights[:2] = np.eye(2, 384)
    np.savez(folder / "toy.npz", W_dec=weights)
    message = f"W_dec gives only 2 of 200 features a direction, too few for a map; {not_finite} rows hold NaN"
    assert message in fetch_decoder(folder).fails()
    assert not (folder / "decoder.npy").exists()


def test_rows_without_a_direction_are_recorded(folder):
    weights = np.ones((200, 384), np.float32)
    weights[3], weights[7, 0] = 0, np.inf
    np.savez(folder / "toy.npz", W_dec=weights)
    fetch_decoder(folder).run()
    record = load_record(folder / "decoder.json")
    assert (record["dead"], record["notFinite"]) == ([3, 7], [7])


def test_a_fault_of_the_workflow_leaves_its_traceback_in_the_log(folder):
    save_npy(folder / "decoder.npy", np.ones(3, np.float32))
    files = {"neighbors": "neighbors.npz", "record": "neighbors.json"}
    neighbors = {"k": 2, "exact_up_to": 1000}
    failing = job("compute_neighbors", folder, {"decoder": "decoder.npy"}, files, neighbors=neighbors)
    assert "Traceback" in failing.fails()


def test_a_file_is_whole_or_not_there(tmp_path):
    path = tmp_path / "a.json"
    path.write_text("old")

    def interrupted():
        with whole_file(path) as aside:
            aside.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        interrupted()
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["a.json"]


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut short", b"\x93NUMPY\x01\x00", b"{"])
def test_a_damaged_intermediate_is_named_with_the_remedy(tmp_path, content):
    for load, name in ((load_npy, "a.npy"), (load_npz, "a.npz"), (load_record, "a.json"), (load_table, "a.parquet")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(UserError, match=rf"{name}: damaged or cut short .* delete it and run"):
            load(tmp_path / name)


def test_features_that_never_fire_do_not_count_against_the_coverage():
    features = pa.table({"index": [*range(10)], "x": [0.0] * 9 + [None], "label": ["a"] * 7 + [None] * 3})
    labels = {"requested": 10, "labelled": 7, "neverActive": [8, 9]}
    metadata = {"featureCount": 9, "edgeCount": 0, "labeledCount": 7, "deadCount": 1, "layers": [0]}
    metadata["parameters"] = {"edges": {"k": 25, "threshold": 0.25}}
    entry = manifest_entry(metadata, features, labels)
    assert (entry["neverActive"], entry["labelCoverage"]) == (2, 0.875)


def write_manifest(folder: Path, frame_kept: float | None, coverage: float = 1.0, **atlas) -> Job:
    """The job that lists one layer and its atlas, which keeps this share of the layers' own neighbours."""
    (folder / "atlas").mkdir(exist_ok=True)
    record = {"layer": 0, "fileSize": 3, "labelCoverage": coverage}
    records = {"quality.json": {"map": {"kept_15": 0.5}}, "export.json": record}
    records["atlas/quality.json"] = {"kept_15_of_own": frame_kept}
    for name in (*records, "layer-0.json", "layer-0.parquet", "atlas/layer-0.json", "atlas/layer-0.parquet"):
        save_record(folder / name, records.get(name, {}))
    save_record(folder / "atlas/tracks.parquet", {})
    files = {"graphs": "layer-0.json", "tables": "layer-0.parquet", "records": "export.json"}
    files |= {"qualities": "quality.json", "atlas_quality": "atlas/quality.json", "tracks": "atlas/tracks.parquet"}
    files |= {"frames": "atlas/layer-0.json", "frame_tables": "atlas/layer-0.parquet"}
    lists = {name: [str(folder / path)] for name, path in files.items()}
    inputs = lists | {"atlas_quality": str(folder / files["atlas_quality"])} | atlas
    floors = {"quality.min_kept_15": 0.03, "quality.min_frame_kept": 0.9, "labels.min_coverage": 0.9}
    return job("write_manifest", folder, inputs, {"manifest": "manifest.json"}, about={"modelId": "toy"}, floors=floors)


def test_a_map_that_was_cut_short_is_not_listed(tmp_path):
    listing = write_manifest(tmp_path, 1.0)
    (tmp_path / "layer-0.json").write_text("{")
    assert "layer-0.json: 1 bytes, but 3 were written: damaged or cut short; delete" in listing.fails()
    assert not (tmp_path / "manifest.json").exists()


def test_a_layer_with_too_few_labels_is_not_listed(tmp_path):
    log = write_manifest(tmp_path, 1.0, coverage=0.875).fails()
    assert "layer-0.json: coverage is 0.875, below labels.min_coverage (0.9)" in log


def test_an_atlas_below_its_floor_is_not_listed_and_its_maps_are_without_it(tmp_path):
    log = write_manifest(tmp_path, 0.89).fails()
    assert "the atlas: frame_kept is 0.89, below quality.min_frame_kept (0.9)" in log
    assert "atlas.enabled: false" in log
    assert not (tmp_path / "manifest.json").exists()
    write_manifest(tmp_path, 0.89, atlas_quality=[], tracks=[], frames=[], frame_tables=[]).run()
    manifest = load_record(tmp_path / "manifest.json")
    assert "atlas" not in manifest
    assert "frame" not in manifest["layers"][0]


@pytest.mark.parametrize("kept", [0.9, None])  # None: all layers are too small for the measure
def test_a_manifest_lists_the_atlas_by_paths_from_its_folder(tmp_path, kept):
    write_manifest(tmp_path, kept).run()
    manifest = load_record(tmp_path / "manifest.json")
    frame = manifest["layers"][0]["frame"]
    assert manifest["atlas"]["tracks"]["filePath"] == "atlas/tracks.parquet"
    assert {name: file["filePath"] for name, file in frame.items()} == {
        "graph": "atlas/layer-0.json",
        "table": "atlas/layer-0.parquet",
    }
