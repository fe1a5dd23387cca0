"""The Hugging Face Hub as a client sees it: commits, redirects to a content host, ranges, gates."""

import functools
import hashlib
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from huggingface_hub import constants

from fakes.service import Answer, Request, Service, hub_error

Files = Mapping[str, bytes] | Callable[[str], bytes | None]


@functools.lru_cache(maxsize=8)
def sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


class Hub(Service):
    """The front door: commits and where files lie. `content` is the host that has their bytes.

    repos : repository -> files, as a mapping from path to bytes or a function (None: no such file).
    gated : repositories that want a token; `token` is the one that may read them, any other gets 403.
    """

    def __init__(self, repos: Mapping[str, Files], gated: tuple[str, ...] = (), token: str = "hf_reader") -> None:
        super().__init__()
        self.repos, self.gated, self.token = dict(repos), gated, token
        self.commits = {repo: hashlib.sha1(repo.encode()).hexdigest() for repo in repos}
        self.content = Content(self)

    def __enter__(self) -> "Hub":
        self.content.__enter__()
        super().__enter__()
        return self

    def __exit__(self, *exception: object) -> None:
        super().__exit__(*exception)
        self.content.__exit__(*exception)

    def file(self, repo: str, path: str) -> bytes | None:
        if path == ".gitattributes":
            return b""
        files = self.repos[repo]
        return files(path) if callable(files) else files.get(path)

    def use(self, monkeypatch, cache: Path) -> None:
        """Point huggingface_hub here, as HF_ENDPOINT does if it is set before the import; keep its files in `cache`."""
        use_endpoint(self.url, monkeypatch)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_TELEMETRY", True)  # requests of its own

    def respond(self, request: Request) -> Answer:
        if found := re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", request.path):
            return self._refusal(request, found[1], found[2]) or self._file(found[1], found[3])
        return Answer(404, b"Not Found")

    def _refusal(self, request: Request, repo: str, revision: str) -> Answer | None:
        authorization = request.headers.get("authorization")
        if repo not in self.repos:
            code = "RepoNotFound"
            return hub_error(404 if authorization else 401, code, "Repository not found")
        if repo in self.gated and authorization != f"Bearer {self.token}":
            message = f"Access to model {repo} is restricted."
            return hub_error(403 if authorization else 401, "GatedRepo", message)
        if revision not in ("main", self.commits[repo]):
            return hub_error(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        return None

    def _file(self, repo: str, path: str) -> Answer:
        body = self.file(repo, path)
        if body is None:
            answer = hub_error(404, "EntryNotFound", "Entry not found")
            answer.headers["X-Repo-Commit"] = self.commits[repo]
            return answer
        headers = {
            "X-Repo-Commit": self.commits[repo],
            "X-Linked-Size": str(len(body)),
            # of a large file, its SHA-256
            "X-Linked-ETag": f'"{sha256(body)}"',
            "Accept-Ranges": "bytes",
            "Location": f"{self.content.url}/{repo}/{path}?Signature=1",
        }
        return Answer(302, b"Found. Redirecting", headers)


def use_endpoint(url: str, monkeypatch) -> None:
    """Do what HF_ENDPOINT does if it is set before huggingface_hub is imported."""
    monkeypatch.setattr(constants, "ENDPOINT", url)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", url + "/{repo_id}/resolve/{revision}/{filename}")


class Content(Service):
    """The host that signed addresses lead to."""

    host = "localhost"  # another name than the Hub's: tokens must not come here

    def __init__(self, hub: Hub) -> None:
        super().__init__()
        self.hub = hub

    def respond(self, request: Request) -> Answer:
        if "authorization" in request.headers:
            return Answer(400, b"Only one auth mechanism allowed")
        if request.query.get("Signature") != "1":
            return Answer(403, b"<Error><Code>AccessDenied</Code></Error>")
        repo, path = re.fullmatch(r"/([^/]+/[^/]+)/(.+)", request.path).groups()
        body = self.hub.file(repo, path)
        headers = {"Content-Type": "application/octet-stream"}
        if "range" not in request.headers:
            return Answer(200, body, headers)
        first, last = re.fullmatch(r"bytes=(\d*)-(\d*)", request.headers["range"]).groups()
        start = int(first) if first else max(0, len(body) - int(last))
        end = min(int(last), len(body) - 1) if first and last else len(body) - 1
        headers |= {"Accept-Ranges": "bytes", "Content-Range": f"bytes {start}-{end}/{len(body)}"}
        return Answer(206, memoryview(body)[start : end + 1], headers)
