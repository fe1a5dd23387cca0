"""The Hugging Face Hub as a client that writes datasets sees it: creation, trees, LFS uploads, commits, downloads."""

import base64
import hashlib
import json
import re
from fnmatch import fnmatch

from fakes.service import Answer, Request, Service, hub_error, json_answer

ATTRIBUTES = b"*.gz filter=lfs diff=lfs merge=lfs -text\n*.parquet filter=lfs diff=lfs merge=lfs -text\n"


class Datasets(Service):
    """Datasets by name, with branches; the files of each commit by path. `token` may write, `reader` may only look."""

    def __init__(self, token: str = "hf_writer", page: int = 1000) -> None:
        super().__init__()
        self.token, self.reader, self.page = token, "hf_reader", page
        self.clear()

    def clear(self) -> None:
        """Delete all datasets and forget all requests."""
        self.forget()
        self.private: dict[str, bool] = {}
        self.branches: dict[str, dict[str, str]] = {}
        self.commits: dict[str, dict[str, bytes]] = {}
        self.large: dict[str, bytes] = {}  # contents by SHA-256
        self.messages: list[str] = []

    def files(self, name: str, branch: str = "main") -> dict[str, bytes]:
        return self.commits[self.branches[name][branch]]

    def respond(self, request: Request) -> Answer:
        if match := re.fullmatch(r"/large/([0-9a-f]{64})", request.path):
            if "authorization" in request.headers:  # a signed address: tokens must not come here
                return Answer(400, b"Only one auth mechanism allowed")
            self.large[match[1]] = request.body
            return Answer(200)
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if token not in (self.token, self.reader):
            return hub_error(401, "", "Invalid username or password.")
        path = request.path
        if path == "/api/validate-yaml":
            return json_answer({"warnings": [], "errors": []})
        if path == "/api/repos/create":
            return self._create(json.loads(request.body), token)
        match = re.fullmatch(r"(/api)?/datasets/([^/]+/[^/.]+)(?:\.git)?(/.*)?", path)
        if not match or match[2] not in self.branches:
            return hub_error(404, "RepoNotFound", "Repository not match")
        with self.lock:
            return self._route(request, match[2], match[3] or "/revision/main")

    def _route(self, request: Request, name: str, path: str) -> Answer:
        if path == "/info/lfs/objects/batch":
            return self._batch(json.loads(request.body))
        kind, revision, file = re.fullmatch(r"/([\w-]+)/([^/]+)(?:/(.+))?", path).groups()
        commit = self.branches[name].get(revision, revision)
        if kind == "branch":
            self.branches[name].setdefault(revision, self.branches[name]["main"])
            return json_answer({})
        if kind == "tree":
            return self._tree(request, self.commits[commit])
        if kind == "preupload":
            return self._preupload(json.loads(request.body), self.commits[commit])
        if kind == "commit":
            return self._commit(request.body, name, revision)
        if kind == "resolve":
            content = self.commits[commit].get(file)
            if content is None:
                return hub_error(404, "EntryNotFound", "Entry not match")
            return Answer(200, content, {"ETag": f'"{_git_hash(content)}"', "X-Repo-Commit": commit})
        if kind == "revision":
            return json_answer({"id": name, "sha": commit, "private": self.private[name]})
        return hub_error(404, "", "Not Found")

    def _create(self, wanted: dict, token: str) -> Answer:
        name = f"{wanted['organization']}/{wanted['name']}"
        if token == self.reader:
            return hub_error(403, "", "You don't have the rights to create a dataset under this namespace")
        if name in self.branches:
            return hub_error(409, "", "You already created this dataset repo", url=f"{self.url}/datasets/{name}")
        self.private[name] = wanted.get("visibility") == "private"
        self.branches[name] = {"main": self._add(name, {".gitattributes": ATTRIBUTES})}
        return json_answer({"url": f"{self.url}/datasets/{name}", "id": name})

    def _add(self, name: str, files: dict[str, bytes]) -> str:
        commit = hashlib.sha1(f"{name} {len(self.commits)}".encode()).hexdigest()
        self.commits[commit] = files
        return commit

    def _tree(self, request: Request, files: dict[str, bytes]) -> Answer:
        entries = [{"type": "directory", "oid": "0" * 40, "size": 0, "path": "a-folder"}]
        for path, content in sorted(files.items()):
            entry = {"type": "file", "path": path, "size": len(content), "oid": _git_hash(content)}
            if _is_large(path, files):
                digest = hashlib.sha256(content).hexdigest()
                entry |= {"oid": "1" * 40, "lfs": {"oid": digest, "size": len(content), "pointerSize": 134}}
            entries.append(entry)
        start = int(request.query.get("cursor", 0))
        answer = json_answer(entries[start : start + self.page])
        if start + self.page < len(entries):
            answer.headers["Link"] = f'<{self.url}{request.path}?recursive=true&cursor={start + self.page}>; rel="next"'
        return answer

    def _preupload(self, wanted: dict, files: dict[str, bytes]) -> Answer:
        paths = [file["path"] for file in wanted["files"]]
        modes = [{"path": path, "uploadMode": "lfs" if _is_large(path, files) else "regular"} for path in paths]
        return json_answer({"files": [{"shouldIgnore": False} | mode for mode in modes]})

    def _batch(self, wanted: dict) -> Answer:
        objects = []
        for each in wanted["objects"]:
            upload = {"href": f"{self.url}/large/{each['oid']}", "header": {}}
            objects.append({"oid": each["oid"], "size": each["size"], "actions": {"upload": upload}})
        return json_answer({"transfer": "basic", "objects": objects})

    def _commit(self, body: bytes, name: str, branch: str) -> Answer:
        lines = [json.loads(line) for line in body.splitlines()]
        files = dict(self.commits[self.branches[name][branch]])
        for line in lines[1:]:
            value = line["value"]
            if line["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                files[value["path"]] = self.large[value["oid"]]
            elif line["key"] == "deletedFile":
                del files[value["path"]]
        commit = self._add(name, files)
        self.branches[name][branch] = commit
        self.messages.append(lines[0]["value"]["summary"])
        url = f"{self.url}/datasets/{name}/commit/{commit}"
        return json_answer({"success": True, "commitOid": commit, "commitUrl": url, "hookOutput": ""})


def _is_large(path: str, files: dict[str, bytes]) -> bool:
    lines = [line.split() for line in files.get(".gitattributes", b"").decode().splitlines()]
    return any(fnmatch(path.rsplit("/")[-1], words[0]) for words in lines if "filter=lfs" in words)


def _git_hash(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
