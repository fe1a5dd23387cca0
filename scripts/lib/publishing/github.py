"""Releases of a GitHub repository: found, filled and published through PyGithub, with patience.

PyGithub's own repeats are off. They send a POST again whatever became of the first: a second draft, or a second upload
of a name whose half-sent asset GitHub still holds. Here every repeat looks first at what is there.
"""

import io
import logging
import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import httpx
import requests
from github import Auth, Github, GithubException
from github.Consts import DEFAULT_BASE_URL
from github.GitRelease import GitRelease
from github.GitReleaseAsset import GitReleaseAsset
from github.Requester import HTTPRequestsConnectionClass, HTTPSRequestsConnectionClass, Requester

from lib.job import UserError
from lib.progress import Progress, progress
from lib.publishing.files import File
from lib.transport import PATIENCE, RETRIED_STATUSES, Patience, TransientError, insist

log = logging.getLogger(__name__)
Answer = TypeVar("Answer")

TOKENS = ("GITHUB_TOKEN", "GH_TOKEN")
# https://docs.github.com/en/repositories/releasing-projects-on-github/about-releases#storage-and-bandwidth-quotas
LARGEST_ASSET = 2 * 2**30  # bytes: each file must be under 2 GiB
MOST_ASSETS = 1000
SECONDARY_WAIT = (
    60  # seconds, where a secondary limit does not say how long (GitHub's best practices for its REST API)
)
BETWEEN_WRITES = 1.0  # seconds, from the same page; a GitHub Enterprise Server has no such limits by default
UPLOAD_TIMEOUT = 120  # seconds without a byte


class _Https(HTTPSRequestsConnectionClass):
    """With a timeout for the upload host too: PyGithub sets none there, and a stalled upload would wait for ever."""

    def __init__(self, *arguments, timeout: int | None = None, **options) -> None:
        super().__init__(*arguments, timeout=timeout or UPLOAD_TIMEOUT, **options)


Requester.injectConnectionClasses(HTTPRequestsConnectionClass, _Https)


class _AnsweredError(Exception):
    """An answer that may be another one later. `response` says to `lib.transport.insist` when."""

    def __init__(self, status: int, headers: dict[str, str], reason: str = "") -> None:
        super().__init__(reason)
        named = {"reason_phrase": reason.encode()} if reason else {}
        self.response = httpx.Response(status, headers=headers, extensions=named)


def find_token() -> str:
    """The token to use, from the environment.

    Raises
    ------
    UserError
        There is none.
    """
    for name in TOKENS:
        if token := os.environ.get(name, "").strip():
            return token
    raise UserError(
        f"no token: set {TOKENS[0]} (or {TOKENS[1]}) to a token that may write releases: a fine-grained one with"
        " Contents: read and write for the repository, or in GitHub Actions `permissions: contents: write`"
    )


def check_limits(files: dict[str, File]) -> None:
    """Refuse what GitHub would refuse, before anything is sent.

    Raises
    ------
    UserError
        A file of 2 GiB or more, or more than 1,000 files.
    """
    large = [f"{name} ({file.size:,} bytes)" for name, file in files.items() if file.size >= LARGEST_ASSET]
    if large:
        raise UserError(
            f"GitHub takes no release asset of 2 GiB or more: {', '.join(large)}. Publish fewer layers in one release"
            " (layers, with another publish.github.tag), or as a dataset (snakemake dataset)"
        )
    if len(files) > MOST_ASSETS:
        raise UserError(
            f"GitHub takes {MOST_ASSETS} assets a release, here are {len(files)}: publish fewer layers in one release"
            " (layers, with another publish.github.tag), or without compressed twins (export.gzip: false)"
        )


class Releases:
    """The releases of one repository.

    Every method raises UserError where asking again will not help (access, a refusal), and
    lib.transport.UnansweredError where GitHub stays silent.
    """

    def __init__(
        self, repository: str, token: str, api_url: str = DEFAULT_BASE_URL, patience: Patience = PATIENCE
    ) -> None:
        self.name = repository
        self._host = api_url
        self._patience = patience
        self._github = Github(
            auth=Auth.Token(token),
            base_url=api_url,
            timeout=max(1, int(patience.timeout)),
            per_page=100,
            retry=None,
            user_agent="sae-atlas",
            seconds_between_requests=None,
            seconds_between_writes=BETWEEN_WRITES if api_url == DEFAULT_BASE_URL else None,
        )
        self._repository = self._ask("the repository", lambda: self._github.get_repo(repository))
        if "full_name" not in self._repository.raw_data:
            raise UserError(
                f"{api_url} does not answer as GitHub's API does: is publish.github.api_url right?"
            )

    def find_or_draft(self, tag: str, title: str, notes: str) -> GitRelease:
        """The release with this tag, public or still a draft; a new draft where there is none."""

        def attempt() -> GitRelease:  # looks first each time: an answer that was lost may have made the draft
            return self._find(tag) or self._repository.create_git_release(tag, title, notes, draft=True)

        return self._ask(f"a draft of release {tag}", attempt)

    def assets(self, release: GitRelease) -> dict[str, GitReleaseAsset]:
        """What a release holds, by name, half-sent assets too."""
        return self._ask(f"the assets of {release.tag_name}", lambda: _by_name(release))

    def remove(self, asset: GitReleaseAsset) -> None:
        """Delete an asset; one that is gone already is fine."""
        self._ask(f"deleting asset {asset.name}", lambda: _remove(asset))

    def send(
        self, release: GitRelease, name: str, file: File, present: GitReleaseAsset | None, told: Progress
    ) -> None:
        """Make `file` the asset `name` of a draft; what is there under this name and is not the file goes.

        present : the asset of this name, as far as known.
        """
        known = [present]  # for the first attempt; a further one asks what the one before has left

        def attempt() -> None:
            there = known.pop() if known else _by_name(release).get(name)
            if there and same(there, file):
                told.add(file.size)
                return
            if there:
                log.info("%s: what is there of it (%s, %d bytes) goes", name, there.state, there.size)
                _remove(there)
            with _Reported(file.path, told) as content:
                release.upload_asset_from_memory(content, file.size, name, "application/octet-stream")
                content.arrived = True

        self._ask(f"asset {name}", attempt)

    def publish(self, release: GitRelease, title: str, notes: str) -> GitRelease:
        """Make a draft public, under this title and with these notes."""
        return self._ask(
            f"publishing {release.tag_name}", lambda: release.update_release(title, notes, draft=False)
        )

    def _find(self, tag: str) -> GitRelease | None:
        """Among all releases, for a lookup by tag does not see drafts."""
        found = [release for release in self._repository.get_releases() if release.tag_name == tag]
        found.sort(key=lambda release: release.draft)  # a published one first
        if len(found) > 1 and found[0].draft:
            log.warning("%d drafts have the tag %s: going on with the newest", len(found), tag)
        return found[0] if found else None

    def _ask(self, what: str, request: Callable[[], Answer]) -> Answer:
        def attempt() -> Answer:
            try:
                return request()
            except GithubException as error:
                raise self._understood(what, error) from error
            except (
                requests.ConnectionError,
                requests.Timeout,
                requests.exceptions.ChunkedEncodingError,
            ) as error:
                raise TransientError(f"{type(error).__name__}: {error}") from error

        return insist(f"{self._host}, {self.name}: {what}", attempt, self._patience)

    def _understood(self, what: str, error: GithubException) -> Exception:
        """GitHub's refusal as one to wait for, or in words that help."""
        status, headers = error.status, error.headers or {}
        said = error.data.get("message", "") if isinstance(error.data, dict) else ""
        if (wait := rate_limited(status, headers, said)) is not None:
            progress.info("%s: GitHub's rate limit is reached; going on in %.0f s", self.name, wait)
            return _AnsweredError(429, {"Retry-After": f"{wait:.0f}"}, "rate limit")
        if status in RETRIED_STATUSES:
            return _AnsweredError(status, dict(headers))
        if status == 422 and _already_exists(error.data):
            return TransientError("an asset of this name is there already")
        refused = f"{self.name}: {what}: {self._host} refused (HTTP {status}: {said or 'no reason given'})."
        return UserError(refused + _advice(status))


def same(asset: GitReleaseAsset, file: File) -> bool:
    """Whether an asset is the file for certain: whole, of its size, and of its SHA-256, which GitHub tells."""
    return asset.state == "uploaded" and asset.size == file.size and asset.digest == f"sha256:{file.sha256}"


def differs(asset: GitReleaseAsset | None, file: File) -> str | None:
    """What speaks against an asset being the file; None where nothing does, as far as the server tells."""
    if asset is None:
        return "is not there"
    if asset.state != "uploaded":
        return f"is only half there (state {asset.state})"
    if asset.size != file.size:
        return f"has {asset.size} bytes there, {file.size} here"
    if asset.digest and asset.digest != f"sha256:{file.sha256}":
        return f"is another file there ({asset.digest}), here sha256:{file.sha256}"
    return None


def rate_limited(status: int, headers: dict[str, str], said: str) -> float | None:
    """Seconds to wait where an answer is about a rate limit, primary or secondary; None where it is not.

    headers : with names in lower case
    """
    if status not in (403, 429):
        return None
    if "retry-after" in headers and headers["retry-after"].isdigit():
        return float(headers["retry-after"])
    if headers.get("x-ratelimit-remaining") == "0" and headers.get("x-ratelimit-reset", "").isdigit():
        return max(0.0, float(headers["x-ratelimit-reset"]) - time.time()) + 1
    if status == 429 or re.search(r"rate limit|abuse detection", said, re.IGNORECASE):
        return SECONDARY_WAIT
    return None


class _Reported(io.BufferedReader):
    """A file whose reading is told as progress; taken back where it did not arrive."""

    def __init__(self, path: Path, told: Progress) -> None:
        super().__init__(io.FileIO(path))
        self._told, self._read = told, 0
        self.arrived = False

    def read(self, size: int | None = -1) -> bytes:
        piece = super().read(size)
        self._told.add(len(piece))
        self._read += len(piece)
        return piece

    def __exit__(self, *exception: object) -> None:
        if not self.arrived:
            self._told.add(-self._read)
        super().__exit__(*exception)


def _by_name(release: GitRelease) -> dict[str, GitReleaseAsset]:
    return {asset.name: asset for asset in release.get_assets()}


def _remove(asset: GitReleaseAsset) -> None:
    try:
        asset.delete_asset()
    except GithubException as error:
        if error.status != 404:
            raise


def _already_exists(said: object) -> bool:
    errors = said.get("errors") or [] if isinstance(said, dict) else []
    return any(isinstance(error, dict) and error.get("code") == "already_exists" for error in errors)


def _advice(status: int) -> str:
    match status:
        case 401:
            return f" The token in {' or '.join(TOKENS)} is wrong or has expired: make a new one."
        case 403:
            return (
                " The token may not write releases there: give it Contents: read and write for this repository, or in"
                " GitHub Actions `permissions: contents: write`."
            )
        case 404:
            return (
                " There is no such repository (publish.github.repository), or the token has no access to it: a"
                " fine-grained token must name the repository and have Contents: read and write."
            )
        case 422:
            return " Look at publish.github: GitHub does not take this tag, title or text, or the repository is empty."
    return ""
