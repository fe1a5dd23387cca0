"""Read files on the Hugging Face Hub as streams: only the bytes that are read travel.

Retries, tokens, mirrors, offline mode and the cache are huggingface_hub's, and so are the environment variables:
https://huggingface.co/docs/huggingface_hub/package_reference/environment_variables
"""

import gc
import io
import logging
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import httpx
from huggingface_hub import (
    HfFileMetadata,
    constants,
    get_hf_file_metadata,
    get_token,
    hf_hub_url,
    set_client_factory,
    try_to_load_from_cache,
)
from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled
from huggingface_hub.utils import build_hf_headers, hf_raise_for_status, http_backoff

from lib.environment import secret
from lib.errors import UserError
from lib.files import sha256
from lib.patience import AGAIN

log = logging.getLogger(__name__)

COMMIT = re.compile(r"[0-9a-f]{40}")
RANGE = 10 * 2**20  # bytes per request for a tensor
CONNECTIONS = 4  # requests under way at the same time
WINDOW = 16 * 2**10  # bytes per request for directories and headers
RETRIED = (408, 429, *({*range(500, 600)} - {501, 505}))


def prepare(response: httpx.Response) -> None:
    """Before an answer's body is read: drop any but the range that was requested, which may be a whole file or endless.

    A HEAD request's status that may pass becomes one that the library repeats: it knows only five of them.
    """
    if response.request.method == "HEAD" and response.status_code in RETRIED:
        response.status_code = 503
    if wanted := response.request.extensions.get("wanted"):
        headers, (span, length) = response.headers, wanted
        sent = headers.get("Content-Range"), headers.get("Content-Length", length), headers.get("Content-Encoding")
        if sent != (span, length, None):
            response.stream.close()
            response.stream = httpx.ByteStream(b"")


set_client_factory(lambda: httpx.Client(event_hooks={"response": [prepare]}, follow_redirects=True, timeout=None))


def open_file(repo_id: str, commit: str, path: str) -> BinaryIO:
    """Open the file `path` of `repo_id` at `commit`: the local cache's, if it is there, or a `RemoteFile`.

    Raises UserError: the Hub or its cache does not give the file.
    """
    cached = try_to_load_from_cache(repo_id, path, revision=commit)
    if not isinstance(cached, str):
        return RemoteFile(repo_id, path, commit)
    log.info("%s: read from the Hugging Face cache", cached)
    # The cache names the content of large files by its SHA-256.
    content = Path(cached).resolve().name
    if re.fullmatch("[0-9a-f]{64}", content) and sha256(cached) != content:
        raise UserError(f"{cached}: damaged in the cache; delete it and what it links to, then run again")
    return Path(cached).open("rb")


def look_up(repo_id: str, path: str, revision: str) -> HfFileMetadata:
    """Commit, size and address of a file at a branch, tag or commit, checked. To be called within `explained`."""
    # The library's own client would refuse the request.
    if constants.is_offline_mode():
        raise OfflineModeIsEnabled
    file = get_hf_file_metadata(hf_hub_url(repo_id, path, revision=revision), retry_on_errors=True)
    commit = file.commit_hash or ""
    if not COMMIT.fullmatch(commit) or (COMMIT.fullmatch(revision) and commit != revision) or file.size is None:
        raise ValueError(f"commit {file.commit_hash}, {file.size} bytes")
    return file


class RemoteFile(io.RawIOBase):
    """A file of a repository as a seekable stream: short reads share a window, long ones travel in parallel."""

    def __init__(self, repo_id: str, path: str, commit: str) -> None:
        self.name, self._repo_id, self._what = f"{repo_id}/{path}", repo_id, f"{path} at {commit}"
        with explained(repo_id, self._what):
            file = look_up(repo_id, path, commit)
        self._url, self._size, self._position = file.location, file.size, 0
        self._window, self._window_start = b"", 0

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._position = max(0, offset + (0, self._position, self._size)[whence])
        return self._position

    def read(self, length: int = -1) -> bytes | bytearray:
        start, rest = self._position, max(0, self._size - self._position)
        length = rest if length < 0 else min(length, rest)
        self._position += length
        if length > WINDOW:
            return self._fetch_parallel(start, length)
        if not 0 <= start - self._window_start <= len(self._window) - length:
            # The last window ends where the file does, because zipfile reads backwards from there.
            self._window_start = min(start, max(0, self._size - WINDOW))
            self._window = self._fetch(self._window_start, min(WINDOW, self._size - self._window_start))
        return self._window[start - self._window_start :][:length]

    def _fetch_parallel(self, start: int, length: int) -> bytearray:
        content = bytearray(length)

        def fill(offset: int) -> None:
            part = memoryview(content)[offset : offset + RANGE]
            part[:] = self._fetch(start + offset, len(part))

        with ThreadPoolExecutor(CONNECTIONS) as pool:
            list(pool.map(fill, range(0, length, RANGE)))
        gc.collect()  # httpx's responses are reference cycles: together they would hold what was read a second time
        return content

    def _fetch(self, start: int, length: int) -> bytes:
        span = f"{start}-{start + length - 1}"
        # The token is for the Hub alone, not for content hosts.
        token = None if self._url.startswith(f"{constants.ENDPOINT}/") else False
        with explained(self._repo_id, f"{self._what}, bytes {span}"):
            response = http_backoff(
                "GET",
                self._url,
                headers=build_hf_headers(
                    token=token, headers={"Accept-Encoding": "identity", "Range": f"bytes={span}"}
                ),
                timeout=constants.HF_HUB_DOWNLOAD_TIMEOUT,
                extensions={"wanted": (f"bytes {span}/{self._size}", str(length))},
                # Any, because a failed connection closes the client that threads share: RuntimeError for the others.
                retry_on_exceptions=Exception,
                retry_on_status_codes=RETRIED,
            )
            hf_raise_for_status(response)
            if len(response.content) != length:
                headers = response.headers
                raise ValueError(
                    f"HTTP {response.status_code}, range: {headers.get('Content-Range')},"
                    f" length: {headers.get('Content-Length')}; if the server knows no ranges, run `hf download`"
                )
        return response.content


@contextmanager
def explained(repo_id: str, what: str) -> Iterator[None]:
    """Turn any failure to get `what` into a UserError that says what to do, without headers and bodies: no secrets."""
    secret("HF_TOKEN")
    try:
        yield
    except Exception as error:
        raise UserError(f"{repo_id}, {what}: {_explanation(repo_id, error)}") from error


def _explanation(repo_id: str, error: Exception) -> str:
    if isinstance(error, UserError):
        return str(error)
    if constants.is_offline_mode():
        return f"not in {constants.HF_HUB_CACHE}, and HF_HUB_OFFLINE is set. Unset it, or run `hf download` first"
    if not isinstance(error, HfHubHTTPError):
        return f"no usable answer from {constants.ENDPOINT} ({type(error).__name__}: {error}). {AGAIN}"
    response = error.response
    if response.headers.get("X-Error-Code") in ("RevisionNotFound", "EntryNotFound"):
        return "does not exist. Check the weights of this model in the catalogue"
    answer = f"{response.url.host} answered HTTP {response.status_code} {response.reason_phrase}"
    if response.status_code not in (401, 403, 404) or not str(response.url).startswith(constants.ENDPOINT):
        return f"{answer}. Run the same command again later"
    token = "the token in use has no access" if get_token() else "no token is set"
    return (
        f"{answer}, and {token}. If the repository exists, it is private or gated: accept its terms at"
        f" https://huggingface.co/{repo_id}, create a token with read access at"
        " https://huggingface.co/settings/tokens, and set it in HF_TOKEN"
    )
