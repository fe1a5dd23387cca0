"""Where finished maps go: the GitHub release and the Hugging Face dataset that the configuration names."""

import re

from lib.planning.schema import ConfigError
from lib.planning.settings import selection

# What git accepts as the name of a tag, short of its rarer exceptions.
TAG = re.compile(r"(?!.*\.\.)[A-Za-z0-9_][\w.+/-]*(?<![./])(?<!\.lock)", re.ASCII)


def release_on_github(config: dict, models: dict[str, dict], name: str, version: str) -> dict[str, str]:
    """Where one model is released on GitHub: `repository`, `api_url`, `tag`, `title` and `notes`.

    Raises ConfigError: no repository is set, a placeholder or the tag is invalid, or two selected models have the same
    tag.
    """
    github = config["publish"]["github"]
    if github["repository"] is None:
        raise ConfigError(_unset("github", "the GitHub repository that releases the maps"))

    def fill(key: str, model: str) -> str:
        values = {"model": model, "display_name": models[model]["display_name"], "version": version}
        try:
            return github[key].format_map(values)
        except (KeyError, ValueError, IndexError, AttributeError) as error:
            raise ConfigError(
                f"configuration: publish.github.{key} is {github[key]!r}: {error} is not a placeholder. Placeholders:"
                f" {', '.join(f'{{{value}}}' for value in values)}; write {{{{ for a brace"
            ) from error

    tag = fill("tag", name)
    same = [model for model in selection(config, models) if model != name and fill("tag", model) == tag]
    if same:
        raise ConfigError(
            f"configuration: publish.github.tag gives {name} and {same[0]} the same tag, {tag!r}: include {{model}}"
        )
    if not TAG.fullmatch(tag):
        raise ConfigError(
            f"configuration: publish.github.tag makes {tag!r}, which is not a valid git tag: use letters, digits, and"
            " . _ + - / between them"
        )
    return github | {"tag": tag, "title": fill("title", name), "notes": fill("notes", name)}


def huggingface_dataset(config: dict) -> dict:
    """Where the dataset goes on Hugging Face: `repository`, `private`, `revision`.

    Raises ConfigError: no repository is set.
    """
    dataset = config["publish"]["huggingface"]
    if dataset["repository"] is None:
        raise ConfigError(_unset("huggingface", "the Hugging Face dataset that receives the maps"))
    return dataset


def _unset(service: str, what: str) -> str:
    return (
        f"configuration: publish.{service}.repository is not set: name {what}, as owner/name, in a configuration file"
        f" or with --config 'publish={{{service}: {{repository: owner/name}}}}'"
    )
