"""The catalogue's invariants, and every mistake in a configuration named by its key before any job runs."""

import copy
import functools
import re

import pytest
import yaml

from conftest import ROOT, Project
from lib.planning.catalogue import Catalogue, find_sae
from lib.planning.publishing import destination, release_on_github
from lib.planning.schema import ConfigError
from lib.planning.settings import check_command_line, check_config, selection

DEFAULTS = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())
GEMMA = yaml.safe_load((ROOT / "config" / "models.yaml").read_text())
TOY = {"display_name": "Toy", "features": 3, "d_model": 2, "layers": [{"layer": 0, "weights": "a.npz"}]}
TOY["weights"] = {"tensor": "W_dec", "shape": ["features", "d_model"]}


@pytest.fixture(scope="module")
def models():
    return Catalogue(DEFAULTS["catalogues"], ROOT)


def with_settings(**changes) -> dict:
    """The defaults, changed: `neighbors__k=3` sets neighbors.k."""
    config = copy.deepcopy(DEFAULTS)
    for path, value in changes.items():
        *blocks, key = path.split("__")
        functools.reduce(dict.__getitem__, blocks, config)[key] = value
    return config


def refusal(folder, content: str | bytes) -> str:
    """The message that refuses a catalogue of this content."""
    (folder / "models.yaml").write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ConfigError) as error:
        Catalogue(["models.yaml"], folder)
    return str(error.value)


# --- the catalogue


@pytest.mark.parametrize(("model", "layers"), [("gemma-2-2b", 26), ("gemma-2-9b", 42)])
def test_gemma_rows_are_contiguous_and_agree_with_their_paths(model, layers):
    rows = GEMMA[model]["layers"]
    assert [row["layer"] for row in rows] == list(range(layers))
    for row in rows:
        assert row["weights"].startswith(f"layer_{row['layer']}/width_16k/average_l0_")


@pytest.mark.parametrize(
    ("model", "layer", "average_l0"), [("gemma-2-2b", 12, 82), ("gemma-2-2b", 25, 116), ("gemma-2-9b", 20, 68)]
)
def test_weights_are_those_that_neuronpedia_explains(models, model, layer, average_l0):
    row = find_sae(models, model, layer).weights_params
    assert row["weights"] == f"layer_{layer}/width_16k/average_l0_{average_l0}/params.npz"
    assert (row["features"], row["repo"]) == (16384, f"google/gemma-scope-{model[-2:]}-pt-res")


def test_a_catalogue_that_contradicts_itself_is_refused(tmp_path):
    catalogue = copy.deepcopy(GEMMA)
    rows = catalogue["gemma-2-2b"]["layers"]
    rows[3]["source"] = "4-gemmascope-res-16k"
    message = "source 4-gemmascope-res-16k appears in more than one row"
    assert message in refusal(tmp_path, yaml.safe_dump(catalogue))
    rows[4]["source"] = "3-gemmascope-res-16k"
    assert "layer 3 has source 4-gemmascope-res-16k" in refusal(tmp_path, yaml.safe_dump(catalogue))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"width": 3}, "toy.width is not a valid key"),
        ({"weights": {"tensor": "W_dec", "shape": ["d_model", "d_model"]}}, "toy.weights.shape is"),
        ({"layers": [{"layer": 101, "weights": "a.npz"}]}, "toy.layers.0.layer is 101"),
        ({"layers": [{"layer": 1, "weights": "a.pt"}]}, "ends in .npz or .safetensors"),
        ({"layers": []}, "toy.layers is []: expected a list of at least one layer"),
        ({"features": float("inf")}, "line 4: .inf is not a plain number: write one"),
        ({"features": 3.0}, "toy.features is 3.0: expected the number of features"),
        ({"display_name": True}, "toy.display_name is True: expected"),
        ({"display_name": "a </script>"}, "toy.display_name is 'a </script>': expected a name to display without HTML"),
        ({"attribution": "<img src=x onerror=alert(1)>"}, "expected a line without HTML tags"),
        ({"layers": [{"layer": 1, "weights": "a.npz\n"}]}, r"toy.layers.0.weights is 'a.npz\n': expected"),
        ({"features": "x" * 10**6}, "xxx...: expected the number of features"),
    ],
)
def test_mistakes_in_a_catalogue_are_named(tmp_path, change, told):
    assert told in refusal(tmp_path, yaml.safe_dump({"toy": TOY | change}))


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("toy: {}\nother: {}\n\ntoy: {}\n", "models.yaml: toy appears twice, lines 1 and 4"),
        ("toy:\n  layers:\n  - {layer: 1,\n     layer: 2}\n", "layer appears twice, lines 3 and 4"),
        ("toy: {layers: [{layer: 010}]}\n", "line 1: 010 is not a plain number: write one, or '010' in quotes"),
        ("toy: {layers: [{layer: 1:30}]}\n", "line 1: 1:30 is not a plain number"),
        ("toy: {weights: {revision: 2024-13-45}}\n", "or '2024-13-45' in quotes"),
        ("# mine\n70: {}\n", "line 2: 70 is not text: write '70' in quotes"),
        ("null: {}\n", "line 1: null is not text: write 'null' in quotes"),
        ("a/b: {}\n", "the name 'a/b' is not valid: expected letters, digits, ., _ and -"),
        ('"toy\\n": {}\n', r"the name 'toy\n' is not valid"),
        ("", "models.yaml holds no mapping of keys to values"),
        ("- toy\n", "models.yaml holds no mapping of keys to values"),
        ("{}\n", "models.yaml is {}: expected at least one model"),
        ("toy:\n\tfeatures: 3\n", "models.yaml: not valid YAML (encoded in UTF-8, indented with spaces): "),
        ("toy: !!python/object:os.abort {}\n", "could not determine a constructor for the tag"),
        ("toy:\n  display_name: caf\xe9\n".encode("latin-1"), "models.yaml: not valid YAML (encoded in UTF-8"),
    ],
)
def test_what_yaml_loses_or_misreads_is_refused(tmp_path, content, told):
    assert told in refusal(tmp_path, content)


def test_what_yaml_reads_as_it_is_written_is_accepted(tmp_path):
    weights = "&weights {tensor: W_dec, shape: [features, d_model], repo: a/b, revision: '010'}"
    rows = "layers: [{layer: 0, weights: a.npz}]"
    model = f"{{display_name: 'Café <3 <http://a.b>', features: 3, d_model: 2, weights: {weights}, {rows}}}"
    other = "{<<: *toy, d_model: 4, weights: {<<: *weights, revision: main}}"
    content = f"\ufeff'70': &toy {model}\nmodel-1.5_B: {other}\n"
    (tmp_path / "models.yaml").write_text(content, encoding="utf-8")
    models = Catalogue(["models.yaml"], tmp_path)
    rows = [find_sae(models, name, 0).weights_params for name in ("70", "model-1.5_B")]
    assert [(row["d_model"], row["revision"]) for row in rows] == [(2, "010"), (4, "main")]


def test_no_model_has_the_name_of_something_else_in_results(tmp_path):
    rules = "".join(path.read_text() for path in (ROOT / "rules").glob("*.smk"))
    taken = set(re.findall(r'"results/([^/{"]+)', rules))
    assert {"site", "logs", "index.json"} <= taken
    for name in [*taken, "README.md", "all", "Site"]:
        assert f"the name '{name}' is not valid" in refusal(tmp_path, yaml.safe_dump({name: TOY}))


def test_local_files_lie_beside_their_catalogue(tmp_path, monkeypatch):
    folder = tmp_path / "mine"
    folder.mkdir()
    model = TOY | {"layers": [{"layer": 0, "weights": "sae/a.npz"}]}
    (folder / "models.yaml").write_text(yaml.safe_dump({"toy": model}))
    monkeypatch.chdir(tmp_path)
    read = Catalogue(["mine/models.yaml"], ROOT)
    assert find_sae(read, "toy", 0).weights == "mine/sae/a.npz"
    assert find_sae(read, "toy", 0).weights_params["weights"] == "sae/a.npz"


# --- the configuration


def test_defaults_are_valid_and_schema_and_defaults_hold_the_same_keys():
    check_config(copy.deepcopy(DEFAULTS))
    schema = yaml.safe_load((ROOT / "config" / "schemas" / "config.schema.yaml").read_text())

    def same_keys(properties: dict, values: dict, place: str) -> None:
        assert properties.keys() == values.keys(), place
        for key, part in properties.items():
            if part.get("type") == "object":
                assert part["additionalProperties"] is False, f"{place}{key}"
                assert set(part["required"]) == set(part["properties"]), f"{place}{key}"
                same_keys(part["properties"], values[key], f"{place}{key}.")

    same_keys(schema["properties"], DEFAULTS, "")


def test_every_key_is_explained_above_itself():
    lines = (ROOT / "config" / "config.yaml").read_text().splitlines()
    for number, line in enumerate(lines):
        if line.strip().partition(":")[2].strip() and not line.lstrip().startswith("#"):
            assert lines[number - 1].lstrip().startswith("#"), f"{line!r} has no comment"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"layoutt": {}}, "layoutt is not a valid key: did you mean layout?"),
        ({"layout__umap__n_neighbours": 3}, "layout.umap.n_neighbours is not a valid key: did you mean n_neighbors?"),
        ({"neighbors__k": 0}, "neighbors.k is 0: expected a whole number of neighbours, at least 1"),
        ({"edges__threshold": 1.1}, "edges.threshold is 1.1: expected a cosine similarity from 0 to 1"),
        ({"edges__k": 500}, "edges.k is 500: expected at most 40 (neighbors.k)"),
        ({"layout__neighbor_embedding__n_neighbors": 42}, "n_neighbors is 42: expected at most 41 (neighbors.k + 1)"),
        ({"layout__method": "umap", "neighbors__k": 38}, "layout.umap.n_neighbors is 40: expected at most 39"),
        ({"layout__neighbor_embedding__perplexity": 14}, "perplexity is 14: expected at most 13.3333"),
        ({"layout__umap__min_dist": 9}, "layout.umap.min_dist is 9: expected at most 1 (layout.umap.spread)"),
        ({"export__gzip": "maybe"}, "export.gzip is 'maybe': expected true or false"),
        ({"regions__features_per_region": [9, 0, 1]}, "regions.features_per_region.1 is 0: expected a whole number"),
        ({"labels__source": "web"}, "labels.source is 'web': expected"),
        ({"edges": 3}, "edges is 3: expected a mapping with the keys k, threshold"),
        ({"layers": -1}, "layers is -1: expected `all`, a layer, or ranges such as 0-5,12"),
        ({"layers": {"gemma-2-2b": -1}}, "layers is {'gemma-2-2b': -1}: expected `all`, a layer, or ranges"),
        ({"models": []}, "models is []: expected"),
        ({"publish__github__repository": "maps"}, "publish.github.repository is 'maps': expected owner/name"),
        (
            {"publish__github__tag": "maps of {model}"},
            "publish.github.tag is 'maps of {model}': expected a tag, such as",
        ),
        ({"publish__github__tag": "{layer}"}, "publish.github.tag is '{layer}': expected a tag, such as"),
        ({"publish__site__max_mb": 0}, "publish.site.max_mb is 0: expected a whole number of megabytes"),
        ({"quality__min_kept_15": float("nan")}, "quality.min_kept_15 is nan: expected a share from 0 to 1"),
        ({"quality__min_kept_15": "1e999"}, "quality.min_kept_15 is inf: expected a share from 0 to 1"),
        ({"edges__k": "010"}, "edges.k is '010': expected a whole number of neighbours"),
        ({"publish__github__repository": "a/b\n"}, r"publish.github.repository is 'a/b\n': expected owner/name"),
    ],
)
def test_mistakes_in_the_configuration_are_named(changes, told):
    with pytest.raises(ConfigError) as error:
        check_config(with_settings(**changes))
    assert told in str(error.value)


@pytest.mark.parametrize(
    ("umap", "layout"),
    [
        (
            {"n_neighbors": 8, "negative_sample_rate": 90, "seed": 7, "min_dist": 0.5},
            "{method: neighbor_embedding, seed: 7, neighbor_embedding: {n_neighbors: 8, negative_samples: 90}}",
        ),
        (
            {"method": "umap-learn", "n_neighbors": 30, "init": "pca"},
            "{method: umap, umap: {n_neighbors: 30, n_epochs: 400, negative_sample_rate: 150,"
            " repulsion_strength: 1.0, init: pca}}",
        ),
    ],
)
def test_an_old_umap_block_stops_with_the_lines_to_write_instead(umap, layout):
    with pytest.raises(ConfigError, match="the block `umap` is now `layout`") as error:
        check_config(with_settings(umap=umap))
    assert yaml.safe_load(str(error.value).split("\n\n", 1)[1]) == {"layout": yaml.safe_load(layout)}


def test_text_becomes_a_number_only_where_a_number_is_expected():
    texts = {"edges__threshold": "0.3", "layout__umap__n_epochs": "null", "export__gzip": "False"}
    texts |= {"regions__features_per_region": ["90", "30", "9"]}
    texts |= {"quality__min_kept_15": "3e-1", "publish__site__max_mb": "50", "publish__github__repository": "null"}
    values = {"edges__threshold": 0.3, "layout__umap__n_epochs": None, "export__gzip": False}
    values |= {"regions__features_per_region": [90, 30, 9]}
    values |= {"quality__min_kept_15": 0.3, "publish__site__max_mb": 50, "publish__github__repository": None}
    stay_text = {"publish__github__title": "12", "publish__huggingface__revision": "1e3"}
    config = with_settings(**texts, **stay_text)
    check_config(config)
    assert config == with_settings(**values, **stay_text)


@pytest.mark.parametrize(
    ("words", "flag"),
    [
        ("--configfile a.yaml --cores 2 --configfile b.yaml", "--configfile"),
        ("--configfile=a.yaml --configfiles b.yaml", "--configfile"),
        ("--config a=1 -C b=2", "--config"),
    ],
)
def test_doubled_flags_are_refused(words, flag):
    with pytest.raises(ConfigError, match=f"{flag} appears twice"):
        check_command_line(words.split(), [])
    check_command_line(["all", "--configfile", "a.yaml", "b.yaml", "--config", "a=1", "b=--config"], [])


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("mine.yaml", "edges: {k: 3}\n\nedges: {threshold: 0.1}\n", "mine.yaml: edges appears twice, lines 1 and 3"),
        ("mine.yaml", "edges:\n  k: 1_0\n", "mine.yaml, line 2: 1_0 is not a plain number"),
        ("mine.yaml", "quality: {min_kept_15: .nan}\n", "mine.yaml, line 1: .nan is not a plain number"),
        ("mine.json", '{\n\t"edges": {"k": 3, "k": 4}\n}', "mine.json: k appears twice, lines 2 and 2"),
        ("results/toy/layer-0.json", "{}", "Name targets first: snakemake results/toy/layer-0.json --configfile"),
    ],
)
def test_configuration_files_are_checked_for_what_snakemake_overlooks(tmp_path, monkeypatch, name, content, told):
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text(content)
    with pytest.raises(ConfigError) as error:
        check_command_line([], [ROOT / "config" / "config.yaml", tmp_path / name])
    assert told in str(error.value)


@pytest.mark.parametrize(
    ("asked", "layers"),
    [
        ("all", list(range(26))),
        (12, [12]),
        ("12", [12]),
        ("0-5,12", [0, 1, 2, 3, 4, 5, 12]),
        ("12, 3 - 4", [3, 4, 12]),
        ([12, "0-2"], [0, 1, 2, 12]),
        ("3,3,2-3", [2, 3]),
    ],
)
def test_layers_are_selected(models, asked, layers):
    assert selection(with_settings(models="gemma-2-2b", layers=asked), models) == {"gemma-2-2b": layers}


@pytest.mark.parametrize("asked", [26, "20-26", "0-99999999999", "5-2", "a", "", "1,,2", "-1", "1.5", "all-3"])
def test_layers_that_cannot_be_are_refused(models, asked):
    with pytest.raises(ConfigError, match=r"configuration: layers: |gemma-2-2b has no layer 26"):
        selection(with_settings(models="gemma-2-2b", layers=asked), models)


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ("gemma-2-2b", ["gemma-2-2b"]),
        ("gemma-2-9b, gemma-2-2b", ["gemma-2-9b", "gemma-2-2b"]),
        (["minilm-l6", "minilm-l6"], ["minilm-l6"]),
        ("all", ["gemma-2-2b", "gemma-2-9b", "minilm-l6"]),
    ],
)
def test_models_are_selected(models, asked, names):
    assert list(selection(with_settings(models=asked), models)) == names


def test_layers_are_selected_by_model(models):
    layers = {"gemma-2-2b": "0-2", "minilm-l6": [1, "3-4"]}
    config = with_settings(models=["minilm-l6", "gemma-2-2b", "gemma-2-9b"], layers=layers)
    check_config(config)
    assert selection(config, models) == {"minilm-l6": [1, 3, 4], "gemma-2-2b": [0, 1, 2], "gemma-2-9b": list(range(42))}
    message = "layers: 'gemma-2-2b' is not among the selected models: gemma-2-9b"
    with pytest.raises(ConfigError, match=message):
        selection(with_settings(models=["gemma-2-9b"], layers={"gemma-2-2b": 3}), models)
    with pytest.raises(ConfigError, match="gemma-2-2b has no layer 26"):
        selection(with_settings(layers={"gemma-2-2b": 26}), models)


def test_an_unknown_model_is_told_with_those_that_exist(models):
    for name, hint in (("gemma-2-2", ": did you mean gemma-2-2b or "), ("llama", ".* llama3.1-8b-"), ("xyz", r"\.")):
        with pytest.raises(ConfigError, match=f"no catalogue defines '{name}'{hint}.*scripts/list_models.py"):
            selection(with_settings(models=name), models)


def test_a_run_stops_before_any_job_with_one_message():
    setting = ("--config", "layers=26", "models=gemma-2-2b")
    done = Project(ROOT, "config/demo.yaml").snakemake(*setting, check=False)
    assert done.returncode
    assert "gemma-2-2b has no layer 26: its layers are 0-25" in done.stdout
    assert "Traceback" not in done.stdout
    assert "Job stats" not in done.stdout


# --- publishing

SOMEWHERE = {"publish__github__repository": "owner/maps"}


def test_a_release_is_named_by_its_model(models):
    config = with_settings(**SOMEWHERE, publish__github__notes="SAE Atlas {version} {of {model}")
    told = release_on_github(config, models, "gemma-2-2b", "1.2.3")
    assert (told["repository"], told["tag"], told["title"]) == ("owner/maps", "gemma-2-2b-v1.2.3", "Maps of Gemma 2 2B")
    assert told["notes"] == "SAE Atlas 1.2.3 {of gemma-2-2b"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"publish__github__repository": None}, r"publish\.github\.repository is not set: name what receives the maps"),
        (
            {"publish__github__tag": "v{version}"},
            r"gives gemma-2-2b and gemma-2-9b the same tag, 'v1': include \{model\}",
        ),
        (
            {"publish__github__tag": "{display_name}"},
            "publish.github.tag makes 'Gemma 2 2B', which git does not accept",
        ),
        ({"publish__github__tag": "{model}..v{version}"}, r"makes 'gemma-2-2b\.\.v1', which git does not accept"),
    ],
)
def test_a_release_that_cannot_be_is_told(models, changes, told):
    with pytest.raises(ConfigError, match=told):
        release_on_github(with_settings(**(SOMEWHERE | changes)), models, "gemma-2-2b", "1")


def test_a_dataset_needs_a_repository(models):
    with pytest.raises(ConfigError, match=r"publish\.huggingface\.repository is not set"):
        destination(with_settings(), "huggingface")
    settings = destination(with_settings(publish__huggingface__repository="a/b"), "huggingface")
    assert settings["revision"] == "main"
