"""The catalogues of models: which SAE explains which layer, its weights and the source of its labels in one row."""

import re
from dataclasses import dataclass
from pathlib import Path

from lib.planning.schema import ConfigError, check, read_yaml, suggestion

# What lies beside the models in results/ and in the dataset; and `all`, which selects every model.
RESERVED = re.compile(r"all|assets|benchmarks|index\.(html|json)|logs|published|readme\.md|site|sw\.js", re.IGNORECASE)


@dataclass(frozen=True)
class Sae:
    """One row of a catalogue: the SAE of one layer, with its weights and the source of its labels.

    Attributes
    ----------
    repo, revision : Hugging Face repository and branch, tag or commit; None for local weights
    weights : path within `repo`, or a local file
    tensor, shape : the decoder's name in that file, and ("features", "d_model") or the reverse for a transpose
    source : Neuronpedia's source ID, such as 12-gemmascope-res-16k, or None
    neuronpedia : the model's name on Neuronpedia, or None
    labels : a local file or folder with labels, or None
    written : `weights` and `labels` as the catalogue spells them: the same on every machine
    """

    model: str
    layer: int
    features: int
    d_model: int
    repo: str | None
    revision: str | None
    tensor: str
    shape: tuple[str, str]
    weights: str
    source: str | None
    neuronpedia: str | None
    labels: str | None
    written: dict[str, str | None]

    def weights_params(self) -> dict:
        """What fetch_decoder needs. A change of anything else in the row does not fetch the weights again."""
        return {
            "repo": self.repo,
            "revision": self.revision,
            "weights": self.written["weights"],
            "tensor": self.tensor,
            "shape": list(self.shape),
            "features": self.features,
            "d_model": self.d_model,
        }

    def labels_params(self) -> dict:
        """What fetch_labels needs."""
        return {
            "features": self.features,
            "source": self.source,
            "neuronpedia": self.neuronpedia,
            "labels": self.labels,
            "written": self.written["labels"],
        }


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
    weights, repo, folder = model["weights"], model["weights"].get("repo"), model["folder"]
    return Sae(
        model=name,
        layer=row["layer"],
        features=model["features"],
        d_model=model["d_model"],
        repo=repo,
        revision=weights.get("revision", "main") if repo else None,
        tensor=weights["tensor"],
        shape=tuple(weights["shape"]),
        weights=row["weights"] if repo else _local(folder, row["weights"]),
        source=row.get("source"),
        neuronpedia=model.get("neuronpedia", {}).get("model"),
        labels=_local(folder, row["labels"]) if row.get("labels") else None,
        written={"weights": row["weights"], "labels": row.get("labels")},
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
