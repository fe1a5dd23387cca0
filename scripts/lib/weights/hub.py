"""Tensors from the Hugging Face Hub: one request finds the commit, then only a tensor's own bytes travel.

Addresses, tokens, offline mode and the cache are huggingface_hub's: HF_ENDPOINT, HF_TOKEN, HF_HUB_OFFLINE,
HF_HOME and HF_HUB_DOWNLOAD_TIMEOUT mean here what they mean there (https://huggingface.co/docs/huggingface_hub).
"""

import logging
import re
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import httpx
import numpy as np
from huggingface_hub import (
    HfApi,
    constants,
    get_hf_file_metadata,
    get_token,
    hf_hub_download,
    hf_hub_url,
    try_to_load_from_cache,
)
from huggingface_hub.errors import (
    HfHubHTTPError,
    LocalEntryNotFoundError,
    RemoteEntryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.file_download import repo_folder_name
from huggingface_hub.utils import build_hf_headers, get_session

from lib.job import UserError
from lib.progress import Progress
from lib.transport import (
    PATIENCE,
    RETRIED_STATUSES,
    Patience,
    TransientError,
    body,
    describe,
    insist,
    is_transient,
)
from lib.weights.tensors import CompressedMemberError, DamagedTensorError, LocalFile, read_tensor

log = logging.getLogger(__name__)
Answer = TypeVar("Answer")

RANGE = 16 * 2**20  # bytes of one request: what a dropped connection costs at most is far less, it continues
CONNECTIONS = 4  # ranges under way at once
RESTARTS = 3  # times that a file which changes under the reader is begun again


class HubError(UserError):
    """The Hub gave no file and will not by asking again. Says which repository and what the user can do."""


class _FileChangedError(Exception):
    """Two answers belong to two versions of the file."""


class _NoRangesError(Exception):
    """The server sends whole files only."""


def resolve_commit(repo_id: str, revision: str, patience: Patience = PATIENCE) -> str:
    """The commit, 40 hexadecimal digits, that a branch, tag or commit of `repo_id` stands for now.

    One small request; none for a full commit, and none with HF_HUB_OFFLINE=1: then the cache is asked.

    Raises
    ------
    HubError : no such repository or revision, access refused, not in the cache.
    lib.transport.UnansweredError : the Hub stayed silent.
    """
    if re.fullmatch(r"[0-9a-f]{40}", revision):
        return revision
    if constants.is_offline_mode():
        return _cached_commit(repo_id, revision)

    def ask() -> str | None:
        return HfApi().model_info(repo_id, revision=revision, expand=["sha"], timeout=patience.timeout).sha

    commit = _ask(repo_id, f"revision {revision}", ask, patience)
    if commit is None:
        raise HubError(f"{constants.ENDPOINT}: told no commit for {repo_id}; is HF_ENDPOINT a Hub?")
    return commit


def fetch_tensor(
    repo_id: str,
    path: str,
    commit: str,
    tensor: str,
    shape: tuple[int, ...],
    *,
    connections: int = CONNECTIONS,
    patience: Patience = PATIENCE,
) -> np.ndarray:
    """Read one tensor of the file `path` of `repo_id` at `commit`, from the local cache where it lies there.

    Only the file's directory and the tensor's own bytes are fetched, `connections` ranges at a time straight
    into the array. A compressed member or a server without ranges costs the whole file, kept for the moment.

    Returns
    -------
    ndarray of `shape`, in the file's own float32, float16 or bfloat16.

    Raises
    ------
    HubError : no such file, access refused, offline and not in the cache, a file that keeps changing.
    lib.weights.tensors.TensorError : the file holds no such tensor, or one of another shape or type.
    lib.transport.UnansweredError : the Hub stayed silent.
    """
    name = f"{repo_id}/{path}"
    cached = try_to_load_from_cache(repo_id, path, revision=commit)
    if isinstance(cached, str):
        log.info("%s: read from the Hugging Face cache, %s", name, cached)
        return read_tensor(LocalFile(cached, name), tensor, shape)
    if constants.is_offline_mode():
        raise HubError(
            f"{name}: is not in the Hugging Face cache ({constants.HF_HUB_CACHE}) and HF_HUB_OFFLINE is set;"
            " unset it, or fill the cache with `hf download` where there is a network"
        )
    for _ in range(RESTARTS):
        try:
            file = RemoteFile(repo_id, path, commit, connections=connections, patience=patience)
            values = read_tensor(file, tensor, shape)
            log.info("%s: %s took %d of %d bytes", name, tensor, file.received, file.size)
            return values
        except (CompressedMemberError, _NoRangesError) as reason:
            log.warning("%s: %s; fetching the whole file", name, reason)
            return _read_whole(repo_id, path, commit, name, tensor, shape, patience)
        except (_FileChangedError, DamagedTensorError) as reason:
            log.warning("%s: %s; starting over", name, reason)
            last = reason
    raise HubError(f"{name}: began {RESTARTS} times, never came to a whole file: {last}") from last


class RemoteFile:
    """A file of a Hub repository as a `lib.weights.tensors.Source`: read by ranges, all of one version.

    size : bytes of the whole file.
    received : bytes fetched so far, repeated ones included.
    """

    def __init__(self, repo_id: str, path: str, commit: str, *, connections: int, patience: Patience) -> None:
        self.name = f"{repo_id}/{path}"
        self.received = 0
        self._repo_id, self._path, self._commit = repo_id, path, commit
        self._connections, self._patience = connections, patience
        self._lock = threading.Lock()
        self._etag: str | None = None  # the Hub's for the file, and the content host's, which may be another
        self._content_etag: str | None = None
        self._locate()

    def read_into(self, offset: int, target: memoryview) -> None:
        """Fill `target` with the file's bytes from `offset` on; a range that fails is repeated by itself."""
        progress = Progress(self.name, len(target), "MB", 1e6)
        starts = range(0, len(target), RANGE)
        with ThreadPoolExecutor(max_workers=min(self._connections, len(starts))) as pool:
            jobs = [
                pool.submit(self._read_range, offset + start, target[start : start + RANGE], progress)
                for start in starts
            ]
            done, _ = wait(jobs, return_when=FIRST_EXCEPTION)
            pool.shutdown(wait=True, cancel_futures=True)
        for job in done:
            job.result()

    def _locate(self) -> None:
        """Ask the Hub where the file's content lies, for its size and its ETag."""
        url = hf_hub_url(self._repo_id, self._path, revision=self._commit)
        found = _ask(
            self._repo_id,
            f"{self._path} at {self._commit}",
            lambda: get_hf_file_metadata(url, timeout=self._patience.timeout),
            self._patience,
        )
        if found.size is None or found.etag is None or found.commit_hash is None:
            raise HubError(f"{url}: came without size, ETag or commit; is HF_ENDPOINT a Hub?")
        if found.commit_hash != self._commit:
            raise HubError(f"{url}: answered with commit {found.commit_hash}")
        if self._etag not in (None, found.etag):
            raise _FileChangedError("the Hub names another version of the file than before")
        self.size, self._etag = found.size, found.etag
        at_hub = urlsplit(found.location).netloc in {urlsplit(url).netloc, "huggingface.co"}
        headers = build_hf_headers() if at_hub else {}  # the token is not for content hosts
        self._address = found.location, headers

    def _read_range(self, offset: int, target: memoryview, progress: Progress) -> None:
        filled = 0  # survives a failed attempt: the next one asks for the rest only

        def attempt() -> None:
            nonlocal filled
            first, last = offset + filled, offset + len(target) - 1
            location, headers = self._address
            headers = {**headers, "Range": f"bytes={first}-{last}", "Accept-Encoding": "identity"}
            with get_session().stream("GET", location, headers=headers, timeout=self._timeout()) as answer:
                self._check(answer, location, first, last)
                for piece in body(answer, self._patience):
                    if filled + len(piece) > len(target):
                        raise _FileChangedError("a range came with more bytes than were asked for")
                    target[filled : filled + len(piece)] = piece
                    filled += len(piece)
                    with self._lock:
                        self.received += len(piece)
                    progress.add(len(piece))
            if filled < len(target):
                raise TransientError(f"{len(target) - filled} bytes short of the range {first}-{last}")

        insist(f"{self.name}, bytes {offset}-{offset + len(target) - 1}", attempt, self._patience)

    def _check(self, answer: httpx.Response, location: str, first: int, last: int) -> None:
        """Accept only the range that was asked for, of the file that was begun."""
        status = answer.status_code
        if status == 200:
            raise _NoRangesError("the server does not send ranges")
        if status in (401, 403):  # signed addresses of content hosts expire
            self._relocate(location)
            raise TransientError(f"HTTP {status}, the address of the content has expired")
        if status == 416:
            raise _FileChangedError("the file became shorter")
        if status in RETRIED_STATUSES:
            answer.raise_for_status()
        if status != 206:
            raise HubError(f"{self.name}: the content host answered HTTP {status} {answer.reason_phrase}")
        found = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+|\*)", answer.headers.get("Content-Range", ""))
        if found is None or (int(found[1]), int(found[2])) != (first, last):
            raise TransientError(
                f"asked for the range {first}-{last}, got {answer.headers.get('Content-Range')}"
            )
        etag = answer.headers.get("ETag")
        with self._lock:
            self._content_etag = self._content_etag or etag
            if found[3] not in ("*", str(self.size)) or etag != self._content_etag:
                raise _FileChangedError("two of its ranges come from different versions")

    def _relocate(self, expired: str) -> None:
        with self._lock:  # one of the ranges asks, the others find the new address
            if self._address[0] == expired:
                self._locate()

    def _timeout(self) -> float:
        return max(self._patience.timeout, constants.HF_HUB_DOWNLOAD_TIMEOUT)


def _read_whole(
    repo_id: str, path: str, commit: str, name: str, tensor: str, shape: tuple[int, ...], patience: Patience
) -> np.ndarray:
    def download() -> str:
        try:
            return hf_hub_download(repo_id, path, revision=commit, local_dir=folder)
        except LocalEntryNotFoundError as error:  # how the library reports a Hub that does not answer
            raise TransientError(f"the Hub could not be asked: {error.__cause__ or error}") from error

    with tempfile.TemporaryDirectory(prefix="sae-atlas-") as folder:
        file = _ask(repo_id, f"{path} at {commit}", download, patience)
        return read_tensor(LocalFile(file, name), tensor, shape)


def _ask(repo_id: str, what: str, request: Callable[[], Answer], patience: Patience) -> Answer:
    """`insist`, with the Hub's refusals put into words that help."""
    try:
        return insist(f"{constants.ENDPOINT}/{repo_id}, {what}", request, patience)
    except RevisionNotFoundError as error:
        raise HubError(f"{repo_id}: has no {what}") from error
    except RemoteEntryNotFoundError as error:
        raise HubError(f"{repo_id}: has no file {what}") from error
    except HfHubHTTPError as error:
        if is_transient(error):
            raise
        raise HubError(_refusal(repo_id, error)) from error


def _refusal(repo_id: str, error: HfHubHTTPError) -> str:
    status = error.response.status_code
    if status not in (401, 403, 404):
        return f"{repo_id}: {constants.ENDPOINT} refused: {describe(error)}"
    token = "the token in use gives no access to it" if get_token() else "no token is set"
    return (
        f"{repo_id}: {constants.ENDPOINT} refused (HTTP {status}) and {token}. If the repository exists, it"
        f" is private or gated: open https://huggingface.co/{repo_id}, accept its terms with your account,"
        " make a token with read access at https://huggingface.co/settings/tokens and set it in HF_TOKEN"
    )


def _cached_commit(repo_id: str, revision: str) -> str:
    folder = Path(constants.HF_HUB_CACHE) / repo_folder_name(repo_id=repo_id, repo_type="model")
    try:
        return (folder / "refs" / revision).read_text().strip()
    except FileNotFoundError:
        raise HubError(
            f"{repo_id}: HF_HUB_OFFLINE is set and the Hugging Face cache ({constants.HF_HUB_CACHE}) does not"
            f" know revision {revision}; give the full commit in the catalogue, or run once with a network"
        ) from None
