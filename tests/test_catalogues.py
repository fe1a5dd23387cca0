"""The catalogues of SAEs that Neuronpedia explains: consistent rows, all of them planned; how they are written."""

import json
import re
import textwrap

import ml_dtypes
import numpy as np
import pytest
import yaml
from safetensors.numpy import save

from conftest import ROOT, Project
from fakes.hub import Hub
from generate_catalogues import FOLDER, catalogue, families, flaw
from lib.files import load_npy, load_record
from lib.planning.catalogue import Catalogue, find_address, find_sae
from lib.planning.schema import ConfigError
from lib.planning.settings import check_config, check_downloads, selection
from list_models import summary
from test_scripts import job
from test_settings import DEFAULTS, TOY


@pytest.fixture(scope="module")
def models():
    return Catalogue(DEFAULTS["catalogues"], ROOT)


def selected(models, names, **changes):
    config = DEFAULTS | {"models": names} | changes
    check_config(config)
    return selection(config, models)


# --- the catalogues


def test_every_family_is_planned(models):
    for name in models:
        assert selected(models, name) == {name: sorted(models[name]["rows"])}
        for layer in models[name]["rows"]:
            sae = find_sae(models, name, layer)
            assert sae.weights_params["shape"].count("features") == sae.weights_params["shape"].count("d_model") == 1
            assert "{" not in sae.weights_params["weights"] + sae.weights_params["tensor"]
    assert len(models) >= 80
    assert sum(len(models[name]["rows"]) for name in models) >= 1150


def test_rows_agree_with_themselves_and_with_no_other(models):
    of_catalogues = [name for name in models if models[name].get("saelens")]
    saes = {(name, layer): find_sae(models, name, layer) for name in of_catalogues for layer in models[name]["rows"]}
    for (name, layer), sae in saes.items():
        # What leaves the last layer of GPT-2 is what a next one would begin with.
        in_path = layer - 1 if (name, layer) == ("gpt2-small-res-jb-24k", 12) else layer
        assert str(in_path) in re.findall(r"\d+", sae.weights_params["weights"]), (name, layer)
        assert str(in_path) in re.findall(r"\d+", sae.about["saelens"]["id"]), (name, layer)
        assert sae.about["sourceId"].startswith(f"{layer}-")
        assert in_path < models[name].get("model_layers", 42)
    for addresses in (
        [(sae.weights_params["repo"], sae.weights_params["weights"]) for sae in saes.values()],
        [sae.about["neuronpedia"]["url"] for sae in saes.values()],
        [tuple(sae.about["saelens"].values()) for sae in saes.values()],
    ):
        assert len(set(addresses)) == len(addresses)


def test_the_summary_counts_what_there_is(models):
    text = summary(models, ["gemma-2-2b", "gemma-3-270m-res-65k"])
    assert re.search(r"gemma-3-270m-res-65k resid_post +5, 9, 12, 15 +18 +65536 +0.7 +gemma-scope-2-270m-pt-res", text)
    assert text.endswith(f"2 models, 30 maps of {26 * 16384 + 4 * 65536:,} features, 5 GB at most")


# --- selecting


@pytest.mark.parametrize(
    ("names", "layers"),
    [
        ("gemma-2-2b/12-gemmascope-res-16k", {"gemma-2-2b": [12]}),
        ("gemma-scope-2b-pt-res-canonical/layer_12/width_16k/canonical", {"gemma-2-2b": [12]}),
        ("gpt2-small-res-jb/blocks.11.hook_resid_post", {"gpt2-small-res-jb-24k": [12]}),
        (
            ["llama3.1-8b/9-llamascope-res-32k", "llama_scope_lxr_8x/l3r_8x", "minilm-l6"],
            {"llama3.1-8b-res-32k": [3, 9], "minilm-l6": [1]},
        ),
    ],
)
def test_an_address_selects_its_layer(models, names, layers):
    assert selected(models, names, layers=1) == layers


@pytest.mark.parametrize("address", ["gemma-2-2b/26-gemmascope-res-16k", "gemma-2-2b/12", "a/b"])
def test_an_unknown_address_is_refused(models, address):
    with pytest.raises(ConfigError, match=f"no SAE of the catalogues has the address '{address}'"):
        find_address(models, address)


def test_large_downloads_must_be_allowed(models, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    limit = DEFAULTS["weights"]["max_download_gb"]
    check_downloads(selected(models, DEFAULTS["models"]), models, limit)
    check_downloads(selected(models, "all"), models, limit)
    wide = selected(models, ["gemma-2-9b-res-131k", "minilm-l6"])
    with pytest.raises(ConfigError, match=r"up to 78.9 GB .*\(gemma-2-9b-res-131k 78.9\).*max_download_gb: 79}"):
        check_downloads(wide, models, limit)
    check_downloads(wide, models, 79)
    # What has been fetched does not count.
    for layer in range(20):
        folder = tmp_path / f"results/gemma-2-9b-res-131k/layer-{layer}"
        folder.mkdir(parents=True)
        (folder / "decoder.json").touch()
    check_downloads(wide, models, limit)


def test_a_run_plans_several_families_and_no_atlas_without_a_common_basis(tmp_path):
    names = "gemma-2-2b-att-16k,gpt2-small-res-jb-24k,llama3.1-8b-res-32k"
    done = Project(ROOT, "config/config.yaml").snakemake("--dry-run", "--quiet", "rules", "--config", f"models={names}")
    jobs = dict(re.findall(r"^(\w+) +(\d+)$", done.stdout, re.MULTILINE))
    assert (jobs["fetch_decoder"], jobs["match_layers"]) == (str(26 + 13 + 32), str(12 + 31))


# --- a catalogue of one's own


def test_the_readme_shows_a_catalogue_and_a_configuration_that_select_it(tmp_path):
    text = (ROOT / "README.md").read_text().partition("## Your own SAE")[2].partition("## ")[0]
    for file in ("my-saes/models.yaml", "mine.yaml"):
        block = text.partition(f"    # {file}\n")[2].partition("\n\n")[0]
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text(textwrap.dedent(block))
    mine = yaml.safe_load((tmp_path / "mine.yaml").read_text())
    models = Catalogue([tmp_path / mine["catalogues"][0], *mine["catalogues"][1:]], ROOT)
    assert selected(models, mine["models"]) == {"my-model": [4]}
    assert "minilm-l6" in models


# --- folders of catalogues


def test_a_file_of_a_folder_is_read_when_its_model_is_used(tmp_path):
    (tmp_path / "folder").mkdir()
    for name, content in (("toy", {"toy": TOY}), ("other", {"toy": TOY}), ("broken", {"broken": 3})):
        (tmp_path / "folder" / f"{name}.yaml").write_text(yaml.safe_dump(content))
    models = Catalogue(["folder"], tmp_path)
    assert (list(models), models.listed) == (["broken", "other", "toy"], [])
    assert find_sae(models, "toy", 0).features == 3
    with pytest.raises(ConfigError, match=r"folder/other\.yaml: defines toy: expected only other"):
        find_sae(models, "other", 0)
    with pytest.raises(ConfigError, match=r"folder/broken\.yaml: broken is 3"):
        find_sae(models, "broken", 0)
    (tmp_path / "models.yaml").write_text(yaml.safe_dump({"toy": TOY}))
    with pytest.raises(ConfigError, match=r"toy is already defined in .*models\.yaml"):
        Catalogue(["models.yaml", "folder"], tmp_path)


def test_a_layer_may_have_its_own_number_of_features(tmp_path):
    rows = [{"layer": 0, "weights": "a.npz"}, {"layer": 1, "weights": "b.npz", "features": 5}]
    (tmp_path / "models.yaml").write_text(yaml.safe_dump({"toy": TOY | {"layers": rows}}))
    models = Catalogue(["models.yaml"], tmp_path)
    saes = [find_sae(models, "toy", layer) for layer in (0, 1)]
    assert [(sae.features, sae.labels_params["features"]) for sae in saes] == [(3, 3), (5, 5)]


# --- fetching


RANDOM = np.random.default_rng(0).standard_normal((20, 3, 8), dtype=np.float32)


@pytest.mark.parametrize(
    ("name", "layer", "stored", "rows"),
    [
        ("gemma-2-2b-res-65k", 12, {"W_dec": RANDOM[:, 0]}, RANDOM[:, 0]),
        ("llama3.1-8b-res-32k", 3, {"decoder.weight": RANDOM[:, 0].T}, RANDOM[:, 0]),
        ("gemma-3-270m-res-65k", 9, {"w_dec": RANDOM[:, 0]}, RANDOM[:, 0]),
        ("gemma-2-2b-clt-hp-96k", 23, {"W_dec_23": RANDOM}, RANDOM.sum(axis=1)),
    ],
)
def test_decoders_are_fetched_as_the_catalogue_says(models, tmp_path, monkeypatch, name, layer, stored, rows):
    sae = find_sae(models, name, layer).weights_params
    if sae["weights"].endswith(".npz"):
        np.savez(tmp_path / "file.npz", **stored)
        content = (tmp_path / "file.npz").read_bytes()
    else:
        stored = {key: np.ascontiguousarray(values, ml_dtypes.bfloat16) for key, values in stored.items()}
        content = save(stored)
    with Hub({sae["repo"]: {sae["weights"]: content}}) as hub:
        hub.use(monkeypatch, tmp_path / "cache")
        (tmp_path / "revision.json").write_text(json.dumps({"commit": hub.commits[sae["repo"]]}))
        small = sae | {"features": len(rows), "d_model": rows.shape[1]}
        files = {"decoder": "decoder.npy", "record": "decoder.json"}
        job("fetch_decoder", tmp_path, {"weights": None, "revision": "revision.json"}, files, sae=small).run()
    expected = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    np.testing.assert_allclose(load_npy(tmp_path / "decoder.npy"), expected, atol=0.02)
    assert load_record(tmp_path / "decoder.json")["weights"] == sae["weights"]


# --- writing


def entry(repo, loader, *saes):
    rows = [dict(zip(("id", "path", "neuronpedia"), each, strict=True)) for each in saes]
    return {"repo_id": repo, "conversion_func": loader, "saes": rows}


TABLE = {
    "jb": entry("j/b", None, *((f"blocks.{i}.hook_resid_pre", f"p{i}", f"gpt2-small/{i}-res-16k") for i in (10, 2))),
    "clt": entry("c/t", "mntss_clt_layer_transcoder", ("layer_25", 25, "gemma-2-2b/25-clt-16k")),
    "att": entry("a/t", "gemma_2", ("layer_0/c", "layer_0/x", "gemma-2-2b/0-gemmascope-att-65k")),
    "pickled": entry("p/t", "goodfire", ("layer_1", "a.pt", "gpt2-small/1-gf-16k")),
    "unsized": entry("u/s", None, ("layer_1", "a", "gpt2-small/1-res-x")),
    "wide": entry("w/i", None, ("layer_1", "a", "gpt2-small/1-res-1m")),
    "sweep": entry("s/w", None, ("a", "a", "gpt2-small/1-res-16k__l0"), ("b", "b", "gpt2-small/1-res-16k__l0")),
    "wrong": entry("w/r", None, ("blocks.0.hook_resid_pre", "a", "gpt2-small/e-att-16k")),
}


def test_tables_become_catalogues():
    grouped = families(TABLE)
    reasons = {key[0]: flaw(TABLE, key[0], key[2], rows) for key, rows in grouped.items()}
    right = [key for key in grouped if reasons[key[0]] is None]
    assert [release for release, *_ in right] == ["jb", "clt", "att"]
    named = {"pickled": "pickles", "unsized": "unknown", "wide": "more than", "sweep": "several", "wrong": "a fault"}
    for release, words in named.items():
        assert words in reasons[release]
    (name, jb), (_, clt), (_, att) = (catalogue(*key, TABLE[key[0]], grouped[key]) for key in right)
    assert (name, jb["site"], jb["features"], jb["d_model"]) == ("gpt2-small-res-16k", "resid_pre", 16384, 768)
    assert jb["layers"][1] == {"layer": 10, "weights": "p10/sae_weights.safetensors", "source": "10-res-16k"}
    assert jb["saelens"] == {"release": "jb", "id": "blocks.{layer}.hook_resid_pre"}
    assert (clt["site"], clt["weights"]["shape"][1]) == ("clt", "outputs")
    assert clt["layers"][0]["megabytes"] == round(4e-6 * 16384 * 1 * 2304)
    assert (att["site"], att["d_model"]) == ("hook_z", 2048)


def test_committed_catalogues_are_as_written():
    files = sorted(FOLDER.glob("*.yaml"))
    versions = {file.read_text().split("\n", 1)[0] for file in files}
    assert len(versions) == 1
    assert "bench/generate_catalogues.py from the table of SAELens 6." in versions.pop()
