"""GitHub's releases as an API client sees them, at the addresses of an Enterprise Server: /api/v3 and /api/uploads."""

import hashlib
import itertools
import json
import re
from urllib.parse import urlencode

from fakes.service import Answer, Request, Service, json_answer

API, UPLOADS = "/api/v3", "/api/uploads"


class GitHub(Service):
    """One repository with its releases; `token` may write them, `reader` may only look.

    page : most entries per page, whatever the client requests
    digests : whether assets report their SHA-256, as GitHub's do since June 2025
    releases : by id, as GitHub's JSON has them, with the assets' contents in `contents` by asset id
    """

    def __init__(self, repository: str = "owner/maps", token: str = "ghp_writer", page: int = 100) -> None:
        super().__init__()
        self.repository, self.token, self.reader, self.page = repository, token, "ghp_reader", page
        self.digests = True
        self.clear()

    def clear(self) -> None:
        """Delete all releases and forget all requests."""
        self.forget()
        self.releases: dict[int, dict] = {}
        self.contents: dict[int, bytes] = {}
        self._ids = itertools.count(1)

    @property
    def api_url(self) -> str:
        return f"{self.url}{API}"

    def published(self, tag: str) -> dict[str, bytes] | None:
        """The assets of a public release; None where there is none."""
        public = [each for each in self.releases.values() if each["tag_name"] == tag and not each["draft"]]
        return {asset["name"]: self.contents[asset["id"]] for asset in public[0]["assets"]} if public else None

    def drafts(self) -> list[dict]:
        return [release for release in self.releases.values() if release["draft"]]

    def uploads(self) -> list[str]:
        """The names that were uploaded, attempts included, in their order."""
        return [each.query["name"] for each in self.requests if each.path.startswith(UPLOADS)]

    def respond(self, request: Request) -> Answer:
        token = request.headers.get("authorization", "").removeprefix("token ").removeprefix("Bearer ")
        if token not in (self.token, self.reader):
            return json_answer({"message": "Bad credentials"}, 401)
        match = re.fullmatch(rf"({API}|{UPLOADS})/repos/([^/]+/[^/]+)(/.*)?", request.path)
        if not match or match[2] != self.repository:
            return json_answer({"message": "Not Found"}, 404)
        if request.method != "GET" and token == self.reader:
            return json_answer({"message": "Resource not accessible by personal access token"}, 403)
        with self.lock:
            return self._route(request, match[1], match[3] or "", token)

    def _route(self, request: Request, base: str, path: str, token: str) -> Answer:
        method = request.method
        if (method, path) == ("GET", ""):
            return json_answer({"full_name": self.repository, "url": self._address("")})
        if (method, path) == ("GET", "/releases"):
            seen = [each for each in self.releases.values() if token == self.token or not each["draft"]]
            return self._listed(request, seen[::-1])
        if (method, path) == ("POST", "/releases"):
            return self._create(json.loads(request.body))
        if match := re.fullmatch(r"/releases/assets/(\d+)", path):
            for release in self.releases.values():
                release["assets"] = [asset for asset in release["assets"] if asset["id"] != int(match[1])]
            return Answer(204)
        match = re.fullmatch(r"/releases/(\d+)(/assets)?", path)
        release = self.releases[int(match[1])]
        if match[2] and method == "GET":
            return self._listed(request, release["assets"])
        if match[2] and (method, base) == ("POST", UPLOADS):
            if any(asset["name"] == request.query["name"] for asset in release["assets"]):
                return json_answer({"message": "Validation Failed", "errors": [{"code": "already_exists"}]}, 422)
            return json_answer(self._add(release, request.query["name"], request.body, "uploaded"), 201)
        if method == "PATCH":
            release |= json.loads(request.body)
            release["html_url"] = self._page(release)
        return json_answer(release)

    def interrupted(self, request: Request) -> None:
        """GitHub keeps an empty asset of an upload that broke off, and its name is taken."""
        if match := re.fullmatch(rf"{UPLOADS}/repos/[^/]+/[^/]+/releases/(\d+)/assets", request.path):
            release = self.releases[int(match[1])]
            if all(asset["name"] != request.query["name"] for asset in release["assets"]):
                self._add(release, request.query["name"], b"", "starter")

    def _create(self, wanted: dict) -> Answer:
        number = next(self._ids)
        release = {
            "id": number,
            "url": self._address(f"/releases/{number}"),
            "upload_url": f"{self.url}{UPLOADS}/repos/{self.repository}/releases/{number}/assets{{?name,label}}",
            "tag_name": wanted["tag_name"],
            "name": wanted.get("name"),
            "body": wanted.get("body"),
            "draft": wanted.get("draft", False),
            "assets": [],
        }
        release["html_url"] = self._page(release)
        self.releases[number] = release
        return json_answer(release, 201)

    def _add(self, release: dict, name: str, content: bytes, state: str) -> dict:
        number = next(self._ids)
        self.contents[number] = content
        asset = {"id": number, "url": self._address(f"/releases/assets/{number}"), "name": name, "state": state}
        asset |= {"size": len(content), "digest": None}
        if self.digests and state == "uploaded":
            asset["digest"] = f"sha256:{hashlib.sha256(content).hexdigest()}"
        release["assets"].append(asset)
        return asset

    def _listed(self, request: Request, entries: list[dict]) -> Answer:
        size, page = min(self.page, int(request.query.get("per_page", 30))), int(request.query.get("page", 1))
        answer = json_answer(entries[(page - 1) * size : page * size])
        if page * size < len(entries):
            query = urlencode(request.query | {"page": page + 1})
            answer.headers["Link"] = f'<{self.url}{request.path}?{query}>; rel="next"'
        return answer

    def _address(self, path: str) -> str:
        return f"{self.url}{API}/repos/{self.repository}{path}"

    def _page(self, release: dict) -> str:
        name = f"untagged-{release['id']}" if release["draft"] else release["tag_name"]
        return f"{self.url}/{self.repository}/releases/tag/{name}"
