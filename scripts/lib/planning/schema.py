"""YAML files checked against config/schemas. Messages say where a mistake is, what is wrong and what would be right."""

import difflib
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
# Keywords of a schema whose `description` says what is expected better than jsonschema's message does.
DESCRIBED = {"anyOf", "oneOf", "type", "pattern", "enum", "minimum", "maximum", "exclusiveMinimum"}

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

    Raises ConfigError: it cannot be read, is not valid YAML, holds no mapping, a key twice, or a number or key that
    needs quotes.
    """
    try:
        loader = LOADER(path.read_text(encoding="utf-8"))
        node = loader.get_single_node()
        if not isinstance(node, yaml.MappingNode):
            problem = "is no mapping of keys to values" if node else "is empty"
            raise ConfigError(f"{path} {problem}: config/README.md shows what belongs there")
        _refuse_losses(node, path)
        return loader.construct_document(node)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{path}, line {line}: not UTF-8: save the file in the encoding UTF-8") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: not valid YAML (indent with spaces, not tabs): {error}") from error
    except RecursionError as error:
        raise ConfigError(f"{path}: an alias stands within what it names: write the value out") from error


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
    elif not node.value.replace("\n", "").isprintable():
        where = f"{path}, line {node.start_mark.line + 1}"
        raise ConfigError(f"{where}: {node.value!a} holds invisible characters: remove those shown as \\x or \\u")


def parsed(value: object, schema: dict) -> object:
    """A setting with its numbers parsed, which --config passes on as text, and its keys sorted.

    Text that `schema` accepts stays text. Snakemake compares params as text: hence the order.
    """
    if isinstance(value, dict):
        known = schema.get("properties", {})
        return {name: parsed(each, known.get(name, {})) for name, each in sorted(value.items())}
    if not isinstance(value, str) or Validator(schema).is_valid(value):
        return value
    if NUMBER.fullmatch(value):
        return float(value) if re.search("[.eE]", value) else int(value)
    # true, false and null in all of YAML's spellings.
    word = yaml.safe_load(value) if value.isalpha() else value
    return word if word is None or isinstance(word, bool) else value


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
        raise ConfigError("\n".join(line for error in mistakes for line in _explain(error, origin)))


def _explain(error: ValidationError, origin: str) -> list[str]:
    key = ".".join(map(str, error.absolute_path))
    where = f"{origin}: {key}" if key else origin
    known = list(error.schema.get("properties", {}))
    value = repr(error.instance)
    value = value if len(value) <= 100 else f"{value[:100]}..."
    if "propertyNames" in error.absolute_schema_path:
        return [f"{where}: the name {value} is not valid: expected {error.schema['description']}"]
    match error.validator:
        case "additionalProperties":
            unknown = [name for name in error.instance if name not in known]
            return [
                f"{origin}: {f'{key}.{name}' if key else name} is not a valid key: {suggestion(name, known, 'keys')}"
                for name in unknown
            ]
        case "required":
            missing = [name for name in error.validator_value if name not in error.instance]
            return [f"{where}: {name} is missing" for name in missing]
        case "type" if error.validator_value == "object":
            return [f"{where} is {value}: expected a mapping with the keys {', '.join(known)}"]
        case validator if validator in DESCRIBED:
            return [f"{where} is {value}: expected {error.schema.get('description') or error.message}"]
        case _:
            return [f"{where}: {error.message}"]


def suggestion(name: object, known: list[str], kind: str) -> str:
    """What could have been meant by a name that is not among `known`, and what there is."""
    close = difflib.get_close_matches(str(name), known, 1)
    hint = f"did you mean {close[0]}? " if close else ""
    more = f" and {len(known) - 30} more" if len(known) > 30 else ""
    return f"{hint}Valid {kind}: {', '.join(known[:30])}{more}"
