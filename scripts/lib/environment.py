"""Secrets in environment variables: read so that they can be sent, and masked however they are spelled."""

import os
import re
import sys
from urllib.parse import quote, quote_plus

from lib.errors import UserError

NAMES = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "NEURONPEDIA_API_KEY", "GITHUB_TOKEN", "GH_TOKEN")


def secret(*names: str) -> str | None:
    """The first of these environment variables that is set, without white space around it; None if none is.

    Raises UserError: it holds what no HTTP header may: white space within, or characters that are not printable ASCII.
    """
    for name in names:
        value = os.environ.get(name, "").strip()
        if not all("!" <= character <= "~" for character in value):
            raise UserError(
                f"{name} holds a space, a line break or a character that is not ASCII, so it cannot be sent: set it"
                " to the key alone, copied again from where it was made"
            )
        if value:
            return value
    return None


def spellings() -> list[str]:
    """Every spelling in which a secret may appear in a message, the longest first.

    Secrets are the variables in `NAMES`, passwords in the addresses of proxies, and the token of `hf auth login`. Each
    may appear whole, a line at a time, escaped as in a traceback, or quoted as in an address.
    """
    values = [os.environ.get(name, "") for name in NAMES]
    for name, value in os.environ.items():
        if name.lower().endswith("_proxy"):
            values += re.findall("//[^:]*:(.+)@", value)
    # Only a script that has imported huggingface_hub can send its token.
    if hub := sys.modules.get("huggingface_hub"):
        values.append(hub.get_token() or "")
    written = set()
    for text in {part for value in values for part in (value.strip(), *value.split())}:
        written |= {text, repr(text)[1:-1], ascii(text)[1:-1], quote(text), quote_plus(text)}
    return sorted((text for text in written if len(text) > 3), key=len, reverse=True)
