"""The catalogues of models: which SAE explains which layer, its weights and the source of its labels in one row."""

import difflib
from collections import UserDict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from lib.planning.schema import ConfigError, check, find_path, read_yaml


@dataclass(frozen=True)
class Sae:
    """The SAE of one layer: a row of a catalogue, joined with what the catalogue says of the whole model.

    Attributes
    ----------
    weights, labels : a local file each, or a folder of labels; None if there is none
    megabytes : the most that its decoder takes to download; 0 for local weights
    about : what layer-N.json says of it, such as its names on Neuronpedia and in SAELens; None where it has none
    weights_params, labels_params : what fetch_decoder and fetch_labels need. A change of anything else reruns neither;
        paths are as the catalogue spells them, the same on every machine
    """

    layer: int
    features: int
    weights: str | None
    labels: str | None
    megabytes: float
    about: dict
    weights_params: dict
    labels_params: dict


class Catalogue(UserDict):
    """The models of the configuration's catalogues by name: as written, with `rows`, an `Sae` by layer, added.

    Each of `paths`, looked up from the working directory first and then from `root`, is a file that defines models, or
    a folder with a file per model, named after it: hundreds of them cost nothing, because each is read at its first
    use. `all` selects those of the files, `listed`. `data` has the file of each model.

    Raises ConfigError: a path does not exist, a model is defined twice, or, when it is read, a file breaks the schema
    or rows contradict each other.
    """

    def __init__(self, paths: list[str], root: Path) -> None:
        super().__init__()
        self.listed: list[str] = []
        self._read = cache(_read_models)
        for path in paths:
            entry = find_path(path, root, "catalogues")
            if entry.is_dir():
                files = {file.stem: file for file in sorted(entry.glob("*.yaml"))}
            else:
                files = dict.fromkeys(self._read(entry), entry)
                self.listed += files
            for name in files:
                if name in self:
                    raise ConfigError(f"{path}: {name} is already defined in {self.data[name]}")
            self.data |= files

    def __getitem__(self, name: str) -> dict:
        file = self.data[name]
        models = self._read(file)
        # Those of a folder are known by the names of their files.
        if name not in models or any(self.data.get(other) != file for other in models):
            raise ConfigError(f"{file}: defines {', '.join(models)}: expected only {name}, as the file is named")
        return models[name]


def _read_models(file: Path) -> dict[str, dict]:
    models = read_yaml(file)
    check(models, "models", str(file))
    for name, model in models.items():
        _check_rows(name, model, file)
        model["rows"] = {row["layer"]: _sae(model, row, file.parent) for row in model["layers"]}
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


def find_sae(models: Mapping[str, dict], name: str, layer: int | str) -> Sae:
    """The SAE of one layer.

    Raises ConfigError: no such model, or no such layer in it.
    """
    rows = find_model(models, name)["rows"]
    if int(layer) not in rows:
        raise ConfigError(f"{name} has no layer {layer}: its layers are {spell(rows)}")
    return rows[int(layer)]


def find_address(models: Catalogue, address: str) -> tuple[str, int]:
    """The model and layer of an SAE by its address: `release/id` of SAELens, or `model/source` of Neuronpedia.

    Raises ConfigError: no row of a catalogue has this address.
    """
    for name, file in models.data.items():
        # Parse only what may define it.
        mentioned = address.partition("/")[0] in file.read_text("utf-8", "replace")
        for sae in models[name]["rows"].values() if mentioned else ():
            page, saelens = sae.about["neuronpedia"] or {}, sae.about["saelens"] or {}
            if address in (f"{page.get('modelId')}/{page.get('sourceId')}", "/".join(saelens.values())):
                return name, sae.layer
    raise ConfigError(
        f"configuration: models: no SAE of the catalogues has the address {address!r}: expected SAELens' release/id or"
        " Neuronpedia's model/source, such as gemma-2-2b/12-gemmascope-res-16k"
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
        values = [row[key] for row in model["layers"] if key in row]
        repeated = [value for value in values if values.count(value) > 1]
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


def _sae(model: dict, row: dict, folder: Path) -> Sae:
    layer, features, source = str(row["layer"]), row.get("features", model["features"]), row.get("source")
    weights, repo = model["weights"], model["weights"].get("repo")
    page = saelens = None
    if neuronpedia := model.get("neuronpedia", {}).get("model"):
        url = f"https://www.neuronpedia.org/{neuronpedia}/{source}"
        page = {"modelId": neuronpedia, "sourceId": source, "url": url}
    if "saelens" in model:
        name = row.get("saelens", model["saelens"]["id"]).replace("{layer}", layer)
        saelens = {"release": model["saelens"]["release"], "id": name}
    return Sae(
        layer=row["layer"],
        features=features,
        weights=None if repo else _local(folder, row["weights"]),
        labels=_local(folder, row["labels"]) if "labels" in row else None,
        # Files hold 4 bytes per value or fewer.
        megabytes=row.get("megabytes", 4e-6 * features * model["d_model"]) if repo else 0.0,
        about={
            "displayName": model["display_name"],
            "sourceId": source,
            "site": model.get("site"),
            "neuronpedia": page,
            "saelens": saelens,
            "attribution": model.get("attribution"),
        },
        weights_params={
            "features": features,
            "d_model": model["d_model"],
            "tensor": weights["tensor"].replace("{layer}", layer),
            "shape": weights["shape"],
            "weights": row["weights"],
            "repo": repo,
            "revision": weights.get("revision", "main") if repo else None,
        },
        labels_params={"source": source, "neuronpedia": neuronpedia, "features": features, "labels": row.get("labels")},
    )


def _local(folder: Path, path: str) -> str:
    """A local path of a catalogue, relative to the working directory if it lies below it."""
    full = Path(folder.resolve(), Path(path).expanduser())
    here = Path.cwd()
    return str(full.relative_to(here) if full.is_relative_to(here) else full)
