"""The catalogues of models: which SAE explains which layer, its weights and the source of its labels in one row."""

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from lib.planning.schema import ConfigError, check, find_path, read_yaml

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
    saelens : SAELens' `release` and `id` of the SAE; or None
    megabytes : the most that its decoder takes to download; 0 for local weights
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
    saelens: dict[str, str] | None
    megabytes: float
    weights_params: dict
    labels_params: dict

    @property
    def page(self) -> dict[str, str] | None:
        """Neuronpedia's IDs of the SAE, and the address of its page there; or None."""
        address = f"https://www.neuronpedia.org/{self.neuronpedia}/{self.source}"
        return {"modelId": self.neuronpedia, "sourceId": self.source, "url": address} if self.neuronpedia else None


class Catalogue(Mapping[str, dict]):
    """The models of the configuration's catalogues by name: as written, with `folder` and `rows` (by layer) added.

    Each of `paths`, looked up from the working directory first and then from `root`, is a file that defines models, or
    a folder with a file per model, named after it: hundreds of them cost nothing, because each is read at its first
    use. `all` selects those of the files, `listed`.

    Raises ConfigError: a path does not exist, a model is defined twice, or, when it is read, a file breaks the schema
    or rows contradict each other.
    """

    def __init__(self, paths: list[str], root: Path) -> None:
        self._models: dict[str, dict] = {}  # those read so far
        self._files: dict[str, Path] = {}  # of all models
        for path in paths:
            file = find_path(path, root, "catalogues")
            models = {} if file.is_dir() else _read_models(file)
            for name in models or [each.stem for each in sorted(file.glob("*.yaml"))]:
                if RESERVED.fullmatch(name):
                    raise ConfigError(f"{path}: {name} is reserved: give the model another name")
                if name in self._files:
                    raise ConfigError(f"{path}: {name} is already defined in {self._files[name]}")
                self._files[name] = file if models else file / f"{name}.yaml"
            self._models |= models
        self.listed = list(self._models)

    def __getitem__(self, name: str) -> dict:
        if name not in self._models:
            models = _read_models(self._files[name])
            if list(models) != [name]:
                raise ConfigError(f"{self._files[name]}: defines {', '.join(models)}: expected only {name}")
            self._models |= models
        return self._models[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)

    def __contains__(self, name: object) -> bool:
        return name in self._files

    def which_mention(self, text: str) -> list[str]:
        """The models of the catalogue files that hold `text`."""
        texts = {file: file.read_text("utf-8", "replace") for file in dict.fromkeys(self._files.values())}
        return [name for name, file in self._files.items() if text in texts[file]]


def _read_models(file: Path) -> dict[str, dict]:
    models = read_yaml(file)
    check(models, "models", str(file))
    for name, model in models.items():
        _check_rows(name, model, file)
        model |= {"folder": file.parent, "rows": {row["layer"]: row for row in model["layers"]}}
    return models


def find_model(models: Mapping[str, dict], name: str, origin: str = "configuration: models") -> dict:
    """The model of this name, which `origin` mentions.

    Raises ConfigError: no catalogue defines it.
    """
    if name not in models:
        similar = difflib.get_close_matches(name, models, 3)
        close = similar or sorted((other for other in models if name in other), key=lambda other: other.find(name))
        hint = f": did you mean {' or '.join(close[:3])}?" if close else "."
        raise ConfigError(
            f"{origin}: no catalogue defines {name!r}{hint} `python scripts/list_models.py` lists the models of the"
            " default catalogues; a list `catalogues` of your own replaces these, so include those that you use"
        )
    return models[name]


def find_address(models: Catalogue, address: str) -> tuple[str, int]:
    """The model and layer of an SAE by its address: `release/id` of SAELens, or `model/source` of Neuronpedia.

    Raises ConfigError: no row of a catalogue has this address.
    """
    for name in models.which_mention(address.partition("/")[0]):
        for layer in models[name]["rows"]:
            sae = find_sae(models, name, layer)
            if address in (f"{sae.neuronpedia}/{sae.source}", sae.saelens and "/".join(sae.saelens.values())):
                return name, layer
    raise ConfigError(
        f"configuration: models: no SAE of the catalogues has the address {address!r}: expected SAELens' release/id or"
        " Neuronpedia's model/source, such as gemma-2-2b/12-gemmascope-res-16k"
    )


def find_sae(models: Mapping[str, dict], name: str, layer: int | str) -> Sae:
    """The catalogue's row for one layer.

    Raises ConfigError: no such model, or no such layer in it.
    """
    model = find_model(models, name)
    row = model["rows"].get(int(layer))
    if row is None:
        raise ConfigError(f"{name} has no layer {layer}: its layers are {spell(model['rows'])}")
    weights, repo = model["weights"], model["weights"].get("repo")
    size = {"features": row.get("features", model["features"]), "d_model": model["d_model"]}
    tensor = weights["tensor"].replace("{layer}", str(layer))
    file = {"tensor": tensor, "shape": weights["shape"], "weights": row["weights"]}
    known = {"source": row.get("source"), "neuronpedia": model.get("neuronpedia", {}).get("model")}
    saelens = model.get("saelens") and {
        "release": model["saelens"]["release"],
        "id": row.get("saelens", model["saelens"]["id"]).replace("{layer}", str(layer)),
    }
    return Sae(
        **size,
        **known,
        saelens=saelens,
        # Files hold 4 bytes per value or fewer.
        megabytes=row.get("megabytes", 4e-6 * size["features"] * size["d_model"]) if repo else 0.0,
        repo=repo,
        weights=row["weights"] if repo else _local(model["folder"], row["weights"]),
        labels=_local(model["folder"], row["labels"]) if row.get("labels") else None,
        weights_params=size | file | {"repo": repo, "revision": weights.get("revision", "main") if repo else None},
        labels_params=known | {"features": size["features"], "labels": row.get("labels")},
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


def _check_rows(name: str, model: dict, path: Path) -> None:
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
