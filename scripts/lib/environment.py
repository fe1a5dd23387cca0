"""Environment variables are input: secrets are read so that they can be sent, and masked however they are spelled;
what would break a network library is refused by name.
"""

import os
import re
import sys
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote, quote_plus, urlsplit

from lib.errors import UserError

CERTIFICATES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
NAMES = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "NEURONPEDIA_API_KEY", "GITHUB_TOKEN", "GH_TOKEN")


def secret(*names: str) -> str | None:
    """The first of these environment variables that is set, without white space around it; None if none is.

    Raises UserError: it holds what no HTTP header may: white space within, or characters that are not printable ASCII.
    """
    for name in names:
        if value := os.environ.get(name, "").strip():
            _check_sendable(name, value)
            return value
    return None


def _check_sendable(name: str, value: str) -> None:
    if not all("!" <= character <= "~" for character in value):
        raise UserError(
            f"{name} holds a space, a line break or a character that is not ASCII, so it cannot be sent: set it"
            " to the key alone, copied again from where it was made"
        )


def check_network() -> None:
    """Raise UserError for addresses, certificates or a login that no network library could use, naming the variable."""
    for name in CERTIFICATES:
        if not (path := os.environ.get(name)):
            continue
        if not Path(path).exists():
            raise UserError(f"{name} is {path}, which does not exist: name a file of certificates, or unset it")
        if Path(path).is_file() and b"-----BEGIN " not in Path(path).read_bytes():
            raise UserError(f"{name} is {path}, which holds no certificates: name a file that does, or unset it")
    if not re.match("https?://|$", endpoint := os.environ.get("HF_ENDPOINT", "")):
        raise UserError(f"HF_ENDPOINT is {endpoint!r}: write https://HOST, or unset it")
    if hub := sys.modules.get("huggingface_hub"):
        _check_sendable("HF_TOKEN, or the token of `hf auth login`,", hub.get_token() or "")
    for name, value in os.environ.items():
        if name.lower() == "no_proxy" and re.search(r"[0-9a-fA-F]*::?[^,]*/", value):
            raise UserError(f"{name} is {value!r}: write host names separated by commas, without IPv6 ranges")
        if name.lower() not in ("http_proxy", "https_proxy", "all_proxy") or not value:
            continue
        scheme = value.partition("://")[0].lower() if "://" in value else "http"
        if scheme in ("socks5", "socks5h") and not (find_spec("socks") and find_spec("socksio")):
            raise UserError(f"{name} names a SOCKS proxy: pip install PySocks socksio, or name an HTTP proxy")
        if scheme not in ("http", "https", "socks5", "socks5h"):
            raise UserError(f"{name} begins with {scheme}://: write http://HOST:PORT or socks5://HOST:PORT")
        try:
            _ = urlsplit(value if "://" in value else f"http://{value}").port
        except ValueError as error:
            raise UserError(f"{name} names no valid port: write {scheme}://HOST:PORT") from error


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
