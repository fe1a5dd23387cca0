"""Where finished maps go: the GitHub release and the Hugging Face dataset that the configuration names."""

import re

from lib.planning.schema import ConfigError
from lib.planning.settings import selection

# What git accepts as the name of a tag, short of its rarer exceptions.
TAG = re.compile(r"(?!.*\.\.)\w[\w.+/-]*(?<![./])(?<!\.lock)", re.ASCII)


def destination(config: dict, service: str) -> dict:
    """The settings of `publish.{service}`; ConfigError if no repository is set."""
    settings = config["publish"][service]
    if settings["repository"] is None:
        raise ConfigError(
            f"configuration: publish.{service}.repository is not set: name what receives the maps, as owner/name, in a"
            f" configuration file or with --config 'publish={{{service}: {{repository: owner/name}}}}'"
        )
    return settings


def release_on_github(config: dict, models: dict[str, dict], name: str, version: str) -> dict[str, str]:
    """The settings of `publish.github`, with the tag, title and notes of one model's release.

    Raises ConfigError: no repository is set, the tag is invalid, or two selected models have the same one.
    """
    github = destination(config, "github")

    def fill(key: str, model: str) -> str:
        text = github[key].replace("{model}", model).replace("{version}", version)
        return text.replace("{display_name}", models[model]["display_name"])

    tag = fill("tag", name)
    if not TAG.fullmatch(tag):
        raise ConfigError(
            f"configuration: publish.github.tag makes {tag!r}, which git does not accept: use letters, digits, and"
            " . _ + - / between them"
        )
    for model in selection(config, models):
        if model != name and fill("tag", model) == tag:
            raise ConfigError(
                f"configuration: publish.github.tag gives {name} and {model} the same tag, {tag!r}: include {{model}}"
            )
    return github | {"tag": tag, "title": fill("title", name), "notes": fill("notes", name)}
