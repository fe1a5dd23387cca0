"""The catalogues of models: which SAE explains which layer, its weights and the source of its labels in one row."""

import re
from dataclasses import dataclass
from pathlib import Path

from lib.planning.schema import ConfigError, check, read_yaml, suggestion

# What lies beside the models in results/ and in the dataset; and `all`, which selects every model.
RESERVED = re.compile(r"all|assets|benchmarks|index\.(html|json)|logs|published|readme\.md|site|sw\.js", re.IGNORECASE)


@dataclass(frozen=True)
class Sae:
    """The SAE of one layer: a row of a catalogue, joined with what the catalogue says of the whole model.

    Attributes
    ----------
    repo : Hugging Face repository; None for local weights
    weights, labels : a path within `repo`, or a local file; a local file or folder, or None
    source, neuronpedia : Neuronpedia's source ID, such as 12-gemmascope-res-16k, and its name of the model; or None
    weights_params, labels_params : what fetch_decoder and fetch_labels need. A change of anything else reruns neither;
        paths are as the catalogue spells them, the same on every machine
    """

    features: int
    d_model: int
    repo: str | None
    weights: str
    labels: str | None
    source: str | None
    neuronpedia: str | None
    weights_params: dict
    labels_params: dict


def read_catalogues(paths: list[str], root: Path) -> dict[str, dict]:
    """Read and check the catalogues, each looked up from the working directory first, then from `root`.

    Returns the models by name, as written, with `catalogue` (its path), `folder` and `rows` (by layer) added.

    Raises ConfigError: a file does not exist or breaks the schema, a model is defined twice, or rows contradict each
    other.
    """
    models: dict[str, dict] = {}
    for path in paths:
        file = next((p for p in (Path(path), root / path) if p.is_file()), None)
        if file is None:
            raise ConfigError(f"configuration: catalogues: {path} does not exist, neither here nor in {root}")
        entries = read_yaml(file)
        check(entries, "models", path)
        for name, model in entries.items():
            if RESERVED.fullmatch(name):
                raise ConfigError(f"{path}: {name} is reserved: give the model another name")
            if name in models:
                raise ConfigError(f"{path}: {name} is already defined in {models[name]['catalogue']}")
            _check_rows(name, model, path)
            rows = {row["layer"]: row for row in model["layers"]}
            models[name] = model | {"catalogue": path, "folder": file.parent, "rows": rows}
    return models


def find_model(models: dict[str, dict], name: str) -> dict:
    """The model of this name.

    Raises ConfigError: no catalogue defines it.
    """
    if name not in models:
        hint = suggestion(name, list(models), "models")
        raise ConfigError(f"configuration: models: no catalogue defines {name!r}: {hint}")
    return models[name]


def find_sae(models: dict[str, dict], name: str, layer: int | str) -> Sae:
    """The catalogue's row for one layer.

    Raises ConfigError: no such model, or no such layer in it.
    """
    model = find_model(models, name)
    row = model["rows"].get(int(layer))
    if row is None:
        raise ConfigError(f"{name} has no layer {layer}: its layers are {spell(model['rows'])}")
    weights, repo = model["weights"], model["weights"].get("repo")
    size = {"features": model["features"], "d_model": model["d_model"]}
    file = {"tensor": weights["tensor"], "shape": weights["shape"], "weights": row["weights"]}
    known = {"source": row.get("source"), "neuronpedia": model.get("neuronpedia", {}).get("model")}
    return Sae(
        **size,
        **known,
        repo=repo,
        weights=row["weights"] if repo else _local(model["folder"], row["weights"]),
        labels=_local(model["folder"], row["labels"]) if row.get("labels") else None,
        weights_params=size | file | {"repo": repo, "revision": weights.get("revision", "main") if repo else None},
        labels_params=known | {"features": model["features"], "labels": row.get("labels")},
    )


def spell(numbers) -> str:
    """Layer numbers in words: [0, 1, 2, 5] is `0-2, 5`."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)


def _check_rows(name: str, model: dict, path: str) -> None:
    """No layer, weights, source or label file twice; Neuronpedia's source belongs to the row's layer."""
    for key in ("layer", "weights", "source", "labels"):
        values = [row[key] for row in model["layers"] if row.get(key) is not None]
        repeated = [value for value in dict.fromkeys(values) if values.count(value) > 1]
        if repeated:
            raise ConfigError(
                f"{path}: {name}: {key} {repeated[0]} appears in more than one row; every layer has its own"
            )
    source_set = model.get("neuronpedia", {}).get("source_set")
    for row in model["layers"]:
        expected = f"{row['layer']}-{source_set}"
        if source_set and row.get("source") != expected:
            raise ConfigError(
                f"{path}: {name}: layer {row['layer']} has source {row.get('source')}; its source set makes it"
                f" {expected}"
            )


def _local(folder: Path, path: str) -> str:
    """A local path of a catalogue, relative to the working directory if it lies below it."""
    full = Path(folder.resolve(), Path(path).expanduser())
    here = Path.cwd()
    return str(full.relative_to(here) if full.is_relative_to(here) else full)
