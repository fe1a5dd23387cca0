"""YAML files checked against config/schemas. Messages say where a mistake is, what is wrong and what would be right."""

import difflib
from pathlib import Path

import yaml
from jsonschema import Draft202012Validator, ValidationError
from snakemake.exceptions import WorkflowError

# libyaml where it is installed: these files are read each time Snakemake plans.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
SCHEMAS = Path(__file__).resolve().parents[3] / "config" / "schemas"
# Keywords of a schema whose `description` says what is expected better than jsonschema's message does.
DESCRIBED = {"anyOf", "oneOf", "type", "pattern", "enum", "minimum", "maximum", "exclusiveMinimum"}


class ConfigError(WorkflowError):
    """A mistake in the configuration or in a catalogue. Snakemake prints the message and stops."""


def read_yaml(path: Path) -> dict:
    """Read a YAML file.

    Raises
    ------
    ConfigError
        It is not valid YAML.
    """
    try:
        return yaml.load(path.read_text(encoding="utf-8"), LOADER)
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: not valid YAML: {error}") from error


def check(settings: dict, schema: str, origin: str) -> None:
    """Check a mapping against config/schemas/{schema}.schema.yaml.

    Raises
    ------
    ConfigError
        One line per mistake, each beginning with `origin` and the key.
    """
    validator = Draft202012Validator(read_yaml(SCHEMAS / f"{schema}.schema.yaml"))
    mistakes = sorted(validator.iter_errors(settings), key=lambda error: list(map(str, error.absolute_path)))
    if mistakes:
        raise ConfigError("\n".join(line for error in mistakes for line in _explain(error, origin)))


def _explain(error: ValidationError, origin: str) -> list[str]:
    key = ".".join(map(str, error.absolute_path))
    where = f"{origin}: {key}" if key else origin
    known = list(error.schema.get("properties", {}))
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
            return [f"{where} is {error.instance!r}: expected a mapping with the keys {', '.join(known)}"]
        case validator if validator in DESCRIBED:
            return [
                f"{where} is {error.instance!r}: expected {error.schema.get('description') or error.message}"
            ]
        case _:
            return [f"{where}: {error.message}"]


def suggestion(name: object, known: list[str], kind: str) -> str:
    """What could have been meant by a name that is not among `known`, and what there is."""
    close = difflib.get_close_matches(str(name), known, 1)
    hint = f"did you mean {close[0]}? " if close else ""
    return f"{hint}Valid {kind}: {', '.join(known)}"
