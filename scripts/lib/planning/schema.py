"""YAML files checked against config/schemas. Messages say where a mistake is, what is wrong and what would be right."""

import difflib
import json
import math
import re
from functools import cache
from pathlib import Path

import yaml
from jsonschema import Draft202012Validator, ValidationError, validators
from snakemake.exceptions import WorkflowError

# libyaml where it is installed: these files are read each time Snakemake plans.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
SCHEMAS = Path(__file__).resolve().parents[3] / "config" / "schemas"

# Numbers that every reader reads alike. YAML 1.1 reads 010 as 8, 1_2 as 12 and 1:30 as 90, but 3e-1 as text.
NUMBER = re.compile(r"[-+]?((0|[1-9]\d*)(\.\d*)?|\.\d+)([eE][-+]?\d+)?", re.ASCII)
MISREAD = {f"tag:yaml.org,2002:{kind}" for kind in ("int", "float", "timestamp")}
KEYS = {"tag:yaml.org,2002:str", "tag:yaml.org,2002:merge"}


class ConfigError(WorkflowError):
    """A mistake in the configuration or in a catalogue. Snakemake prints the message and stops."""


def find_path(path: str, root: Path, key: str) -> Path:
    """The file or folder that the setting `key` names: from the working directory, or else from `root`.

    Raises ConfigError: there is none.
    """
    for candidate in (Path(path), root / path):
        if candidate.exists():
            return candidate
    raise ConfigError(f"configuration: {key}: {path} does not exist, neither here nor in {root}")


def read_yaml(path: Path) -> dict:
    """Read a YAML file that holds a mapping, and refuse what YAML would drop or misread without a word.

    Raises ConfigError: it is not valid YAML, holds no mapping, a key twice, or a number or key that needs quotes.
    """
    try:
        loader = LOADER(path.read_bytes())
        node = loader.get_single_node()
        if not isinstance(node, yaml.MappingNode):
            raise ConfigError(f"{path} holds no mapping of keys to values: config/README.md shows what belongs there")
        _refuse_losses(node, path)
        return loader.construct_document(node)
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: not valid YAML (encoded in UTF-8, indented with spaces): {error}") from error


def _refuse_losses(node: yaml.Node, path: Path) -> None:
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _refuse_losses(item, path)
    elif isinstance(node, yaml.MappingNode):
        lines: dict[str, int] = {}
        for key, value in node.value:
            name, line = key.value, key.start_mark.line + 1
            if key.tag not in KEYS:
                raise ConfigError(f"{path}, line {line}: {name} is not text: write '{name}' in quotes")
            if name in lines:
                raise ConfigError(f"{path}: {name} appears twice, lines {lines[name]} and {line}")
            lines[name] = line
            _refuse_losses(value, path)
    elif node.tag in MISREAD and not NUMBER.fullmatch(node.value):
        where, text = f"{path}, line {node.start_mark.line + 1}", node.value
        raise ConfigError(f"{where}: {text} is not a plain number: write one, or '{text}' in quotes")


def parsed(value: object, schema: dict) -> object:
    """Settings with their numbers, truth values and nulls parsed, which --config passes on as text, and keys sorted.

    Text that `schema` accepts stays text. Snakemake compares params as text: hence the order.
    """
    if isinstance(value, dict):
        known = schema.get("properties", {})
        return {name: parsed(each, known.get(name, {})) for name, each in sorted(value.items())}
    if isinstance(value, list):
        return [parsed(each, schema.get("items", {})) for each in value]
    if not isinstance(value, str) or Validator(schema).is_valid(value):
        return value
    try:
        return json.loads(value.lower())
    except ValueError:
        return value


@cache
def load_schema(name: str) -> dict:
    """The schema config/schemas/{name}.schema.yaml."""
    return read_yaml(SCHEMAS / f"{name}.schema.yaml")


def _pattern(_validator, pattern: str, value: object, _schema):
    # Python's `$` also matches before a line break at the end.
    if isinstance(value, str) and ("\n" in value or not re.search(pattern, value)):
        yield ValidationError(f"{value!r} does not match {pattern}")


def _finite(_checker, value: object) -> bool:
    return type(value) is int or (type(value) is float and math.isfinite(value))


# NaN and infinity would pass every bound, and 3.0 as a layer would become the path layer-3.0.
TYPES = {"number": _finite, "integer": lambda _checker, value: type(value) is int}
Validator = validators.extend(
    Draft202012Validator,
    {"pattern": _pattern},
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine_many(TYPES),
)


def check(settings: dict, schema: str, origin: str) -> None:
    """Check a mapping against config/schemas/{schema}.schema.yaml.

    Raises ConfigError: one line per mistake, each beginning with `origin` and the key.
    """
    mistakes = Validator(load_schema(schema)).iter_errors(settings)
    mistakes = sorted(mistakes, key=lambda error: list(map(str, error.absolute_path)))
    if mistakes:
        raise ConfigError("\n".join(_explain(error, origin) for error in mistakes))


def _explain(error: ValidationError, origin: str) -> str:
    key = ".".join(map(str, error.absolute_path))
    where = f"{origin}: {key}" if key else origin
    known = list(error.schema.get("properties", {}))
    value = repr(error.instance)
    value = value if len(value) <= 100 else f"{value[:100]}..."
    expected = error.schema.get("description") or error.message
    if "propertyNames" in error.absolute_schema_path:
        return f"{where}: the name {value} is not valid: expected {expected}"
    match error.validator:
        case "additionalProperties":
            prefix = f"{where}." if key else f"{where}: "
            unknown = [str(name) for name in error.instance if name not in known]
            return "\n".join(f"{prefix}{name} is not a valid key: {_suggestion(name, known)}" for name in unknown)
        case "required":
            return f"{where}: {error.message}"
        case "type" if known:
            expected = f"a mapping with the keys {', '.join(known)}"
    return f"{where} is {value}: expected {expected}"


def _suggestion(name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known, 1)
    hint = f"did you mean {close[0]}? " if close else ""
    return f"{hint}Valid keys: {', '.join(known)}"
