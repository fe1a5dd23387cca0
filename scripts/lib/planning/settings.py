"""The configuration and the catalogue of models: read, checked, and asked. Errors name the key and what would be right.

Imported while Snakemake plans, so nothing heavy is imported here.
"""

import difflib
import re
from dataclasses import dataclass
from pathlib import Path

import yaml
from jsonschema import Draft202012Validator, ValidationError

# By libyaml where it is there: these files are read anew whenever Snakemake plans.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
SCHEMAS = Path(__file__).resolve().parents[3] / "config" / "schemas"


class ConfigError(ValueError):
    """A mistake in the configuration or in a catalogue, told for its author."""


@dataclass(frozen=True)
class Sae:
    """One row of a catalogue: the SAE of one layer, with its weights and the source of its labels.

    Attributes: `weights` is a path in `repo`, or a local file where `repo` is None; `labels` a local file or folder,
    or None; `written` holds both as their catalogue writes them, which is the same on every machine.
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
    labels: str | None
    written: dict[str, str | None]


def check(settings: dict, schema: str, origin: str) -> None:
    """Check a mapping against config/schemas/{schema}.schema.yaml.

    Raises
    ------
    ConfigError
        One line for each mistake: where it stands, what is wrong, what would be right.
    """
    validator = Draft202012Validator(_read_yaml(SCHEMAS / f"{schema}.schema.yaml"))
    mistakes = sorted(
        validator.iter_errors(settings), key=lambda error: [str(step) for step in error.absolute_path]
    )
    if mistakes:
        raise ConfigError("\n".join(line for error in mistakes for line in _explain(error, origin)))


def check_config(config: dict) -> None:
    """Check the configuration, alone and across its keys.

    Numbers in mappings of the command line (--config 'edges={threshold: 0.3}') reach Snakemake as text: they are
    turned into numbers in place.
    """
    for key, block in config.items():
        if isinstance(block, dict):
            config[key] = _numbered(block)
    check(config, "config", "configuration")
    k, umap, edges = config["neighbors"]["k"], config["umap"], config["edges"]
    if umap["n_neighbors"] > k + 1:
        raise ConfigError(
            f"configuration: umap.n_neighbors is {umap['n_neighbors']} (the feature itself and"
            f" {umap['n_neighbors'] - 1} others), but neighbors.k stores {k}: raise neighbors.k to"
            f" {umap['n_neighbors'] - 1} or lower umap.n_neighbors"
        )
    if edges["k"] > k:
        raise ConfigError(
            f"configuration: edges.k is {edges['k']}, but neighbors.k stores {k}: raise neighbors.k to {edges['k']}"
            " or lower edges.k"
        )
    if umap["n_epochs"] is None and umap["method"] == "batch":
        raise ConfigError(
            "configuration: umap.n_epochs is None, which leaves the number to umap-learn, but umap.method is batch:"
            " give a whole number"
        )
    if umap["min_dist"] > umap["spread"]:
        raise ConfigError(
            f"configuration: umap.min_dist is {umap['min_dist']}, above umap.spread ({umap['spread']}): lower min_dist"
        )


def read_catalogues(paths: list[str], root: Path) -> dict[str, dict]:
    """Read and check the catalogues, each looked up from the working directory first, then from `root`.

    Returns the models by name; every row's local files are resolved against the folder of its catalogue.
    """
    models: dict[str, dict] = {}
    for path in paths:
        file = next((p for p in (Path(path), root / path) if p.is_file()), None)
        if file is None:
            raise ConfigError(f"configuration: catalogues: {path} does not exist, neither here nor in {root}")
        entries = _read_yaml(file)
        check(entries, "models", path)
        for name, model in entries.items():
            if name in models:
                raise ConfigError(f"{path}: {name} is already defined in {models[name]['catalogue']}")
            _check_rows(name, model, path)
            models[name] = model | {
                "catalogue": path,
                "folder": file.parent,
                "rows": {row["layer"]: row for row in model["layers"]},
            }
    return models


def sae(models: dict[str, dict], name: str, layer: int | str) -> Sae:
    """The catalogue's row for one layer.

    Raises
    ------
    ConfigError
        No such model, or no such layer in it.
    """
    model = _model(models, name)
    row = model["rows"].get(int(layer))
    if row is None:
        raise ConfigError(f"{name} has no layer {layer}: its layers are {spell(model['rows'])}")
    weights, repo = model["weights"], model["weights"].get("repo")
    return Sae(
        model=name,
        layer=row["layer"],
        features=model["features"],
        d_model=model["d_model"],
        repo=repo,
        revision=weights.get("revision", "main") if repo else None,
        tensor=weights["tensor"],
        shape=tuple(weights["shape"]),
        weights=row["weights"] if repo else _local(model["folder"], row["weights"]),
        source=row.get("source"),
        labels=_local(model["folder"], row["labels"]) if row.get("labels") else None,
        written={"weights": row["weights"], "labels": row.get("labels")},
    )


def selected_models(config: dict, models: dict[str, dict]) -> list[str]:
    """The models that the configuration asks for, in its order, each once."""
    asked = config["models"]
    names = [part.strip() for part in asked.split(",")] if isinstance(asked, str) else asked
    if names == ["all"]:
        return list(models)
    return list(dict.fromkeys(name for name in names if _model(models, name)))


def selected_layers(config: dict, models: dict[str, dict], name: str) -> list[int]:
    """The layers of one model that the configuration asks for, ascending: `all`, 12, `0-5,12`, or a list of these."""
    rows = models[name]["rows"]
    asked = config["layers"] if isinstance(config["layers"], list) else [config["layers"]]
    layers: set[int] = set()
    for part in (part.strip() for entry in asked for part in str(entry).split(",")):
        if part == "all":
            layers.update(rows)
            continue
        match = re.fullmatch(r"(\d+)(?:\s*-\s*(\d+))?", part)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if first > last:
            raise ConfigError(
                f"configuration: layers: {part!r} is neither `all`, nor a number, nor a range such as 0-5"
            )
        missing = [layer for layer in range(first, last + 1) if layer not in rows]
        if missing:
            raise ConfigError(
                f"configuration: layers: {name} has no layer {missing[0]}: its layers are {spell(rows)}"
            )
        layers.update(range(first, last + 1))
    return sorted(layers)


def release(config: dict, models: dict[str, dict], name: str, version: str) -> dict[str, str]:
    """Where and as what one model is released on GitHub: `repository`, `api_url`, `tag`, `title` and `notes`.

    Raises
    ------
    ConfigError
        No repository is set, a placeholder or the tag is impossible, or two selected models have the same tag.
    """
    github = config["publish"]["github"]
    if github["repository"] is None:
        raise ConfigError(_unset("github", "the GitHub repository whose releases the maps go to"))
    tags = {
        model: _filled(github, "tag", models, model, version)
        for model in dict.fromkeys([name, *selected_models(config, models)])
    }
    twins = [model for model in tags if model != name and tags[model] == tags[name]]
    if twins:
        raise ConfigError(
            f"configuration: publish.github.tag makes {tags[name]!r} the tag of both {name} and {twins[0]}: put"
            " {model} into it"
        )
    if (
        not re.fullmatch(r"[A-Za-z0-9_][\w.+/-]*(?<![./])(?<!\.lock)", tags[name], re.ASCII)
        or ".." in tags[name]
    ):
        raise ConfigError(
            f"configuration: publish.github.tag makes {tags[name]!r}, which git does not take as the name of a tag: use"
            " letters, digits, and . _ + - / between them"
        )
    return {
        "repository": github["repository"],
        "api_url": github["api_url"],
        "tag": tags[name],
        "title": _filled(github, "title", models, name, version),
        "notes": _filled(github, "notes", models, name, version),
    }


def dataset(config: dict) -> dict:
    """Where the dataset goes on Hugging Face: `repository`, `private`, `revision`.

    Raises
    ------
    ConfigError
        No repository is set.
    """
    if config["publish"]["huggingface"]["repository"] is None:
        raise ConfigError(_unset("huggingface", "the dataset on Hugging Face that the maps go to"))
    return config["publish"]["huggingface"]


def spell(numbers) -> str:
    """Layer numbers in words: [0, 1, 2, 5] is `0-2, 5`."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)


def _model(models: dict[str, dict], name: str) -> dict:
    if name not in models:
        close = difflib.get_close_matches(str(name), models, 1)
        hint = f"did you mean {close[0]}? There are" if close else "there are"
        raise ConfigError(f"configuration: models: no catalogue defines {name!r}: {hint} {', '.join(models)}")
    return models[name]


def _unset(service: str, what: str) -> str:
    return (
        f"configuration: publish.{service}.repository is not set: name {what}, owner/name, in a configuration file or"
        f" with --config 'publish={{{service}: {{repository: owner/name}}}}'"
    )


def _filled(github: dict, key: str, models: dict[str, dict], name: str, version: str) -> str:
    """A text of publish.github with its placeholders filled in."""
    known = {"model": name, "display_name": models[name]["display_name"], "version": version}
    try:
        return github[key].format_map(known)
    except (KeyError, ValueError, IndexError, AttributeError) as error:
        raise ConfigError(
            f"configuration: publish.github.{key} is {github[key]!r}: {error} is no placeholder; there are"
            f" {', '.join(f'{{{word}}}' for word in known)}, and {{{{ for a brace"
        ) from error


def _check_rows(name: str, model: dict, path: str) -> None:
    """Rows of one model: no layer, weights or source twice; Neuronpedia's source belongs to the row's layer."""
    for key in ("layer", "weights", "source", "labels"):
        values = [row[key] for row in model["layers"] if row.get(key) is not None]
        twice = [value for value in dict.fromkeys(values) if values.count(value) > 1]
        if twice:
            raise ConfigError(
                f"{path}: {name}: {key} {twice[0]} stands in more than one row: every layer has its own"
            )
    source_set = model.get("neuronpedia", {}).get("source_set")
    for row in model["layers"]:
        right = f"{row['layer']}-{source_set}"
        if source_set and row.get("source") != right:
            raise ConfigError(
                f"{path}: {name}: layer {row['layer']} has source {row.get('source')}: its source set makes it {right}"
            )


def _local(folder: Path, path: str) -> str:
    """A catalogue's local path, relative to the working directory where it lies below it."""
    full = Path(folder.resolve(), Path(path).expanduser())
    here = Path.cwd()
    return str(full.relative_to(here) if full.is_relative_to(here) else full)


def _numbered(block: dict) -> dict:
    """A block in one order, for Snakemake compares the text of what a rule receives, with its numbers as numbers."""
    return {
        name: _numbered(value) if isinstance(value, dict) else _number(value)
        for name, value in sorted(block.items())
    }


def _number(value):
    if not isinstance(value, str):
        return value
    meant = yaml.safe_load(value) if re.fullmatch(r"[-+.\w]+", value) else value
    return meant if meant is None or isinstance(meant, int | float) else value


def _read_yaml(path: Path) -> dict:
    try:
        return yaml.load(path.read_text(encoding="utf-8"), LOADER)
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: not valid YAML: {error}") from error


def _explain(error: ValidationError, origin: str) -> list[str]:
    """A schema's complaint in words: the place, what is wrong, what would be right."""
    place = ".".join(str(step) for step in error.absolute_path)
    at = f"{origin}: {place}" if place else origin
    if error.validator == "additionalProperties":
        known = list(error.schema.get("properties", {}))
        return [_unknown(f"{place}.{key}" if place else key, key, known, origin) for key in _extra(error)]
    if error.validator == "required":
        missing = [key for key in error.validator_value if key not in error.instance]
        return [f"{at}: {key} is missing" for key in missing]
    if error.validator == "type" and error.validator_value == "object":
        keys = error.schema.get("properties", {})
        return [f"{at} is {error.instance!r}: expected a mapping with the keys {', '.join(keys)}"]
    if error.validator in (
        "anyOf",
        "oneOf",
        "type",
        "pattern",
        "enum",
        "minimum",
        "maximum",
        "exclusiveMinimum",
    ):
        expected = error.schema.get("description") or error.message
        return [f"{at} is {error.instance!r}: expected {expected}"]
    return [f"{at}: {error.message}"]


def _extra(error: ValidationError) -> list[str]:
    return [key for key in error.instance if key not in error.schema.get("properties", {})]


def _unknown(place: str, key: str, known: list[str], origin: str) -> str:
    close = difflib.get_close_matches(str(key), known, 1)
    hint = f"did you mean {close[0]}? " if close else ""
    return f"{origin}: {place} is no key of this configuration: {hint}the keys here are {', '.join(known)}"
