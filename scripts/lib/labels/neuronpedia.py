"""Explanations from Neuronpedia: bulk exports (every label of a layer in a handful of requests) or its API.

Both keep what has arrived in a `Journal`, so that a run after a failure or a kill asks only for the rest, and
both end with an answer for every feature that was asked for, or with `IncompleteError`.
Exports: https://docs.neuronpedia.org/exports; a public S3 bucket, read by ListObjectsV2 and plain GET.
"""

import logging
import re
import shutil
import threading
import time
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import orjson

from lib.files import save_bytes
from lib.job import UserError
from lib.labels.explanations import Feature, LabelError, add_row, json_lines
from lib.progress import Progress
from lib.transport import (
    PATIENCE,
    Patience,
    TransientError,
    UnansweredError,
    body,
    describe,
    insist,
    retry_after,
)

log = logging.getLogger(__name__)

EXPORT_URL = "https://neuronpedia-datasets.s3.us-east-1.amazonaws.com"
API_URL = "https://www.neuronpedia.org/api"
CONNECTIONS = 4
RESTARTS = 3  # times that a layer whose files change during the fetch is listed anew
HOPELESS = 10  # unanswered features in a row after which the API counts as down

# What is kept of a row; embeddings and histograms are most of its bytes.
KEPT = ("index", "layer", "description", "typeName", "explanationModelName")
KEPT += ("frac_nonzero", "maxActApprox", "pos_str")


class IncompleteError(UserError):
    """Some features were not answered. Says how many, why, and that the next run asks only for those."""


class AccessError(UserError):
    """Neuronpedia refuses: the key is missing or wrong, or there is no such source."""


class Journal:
    """What has arrived of a layer, in a folder; whatever a kill leaves of it is whole.

    about : what is being fetched; a folder that was begun for anything else is emptied.
    """

    def __init__(self, folder: Path, about: Mapping[str, Any]) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        self._answers = folder / "answers.jsonl"
        identity = orjson.dumps(about, option=orjson.OPT_SORT_KEYS)
        marker = folder / "about.json"
        if not marker.exists() or marker.read_bytes() != identity:
            self.discard()
            folder.mkdir(parents=True)
            save_bytes(marker, identity)

    def batch(self, file: "ExportFile") -> list[dict[str, Any]] | None:
        """The rows of an export file if exactly this version of it has arrived."""
        path = self._batch_path(file)
        return [row for _, row in json_lines(path.read_bytes(), str(path))] if path.exists() else None

    def keep_batch(self, file: "ExportFile", rows: Iterable[Mapping[str, Any]]) -> None:
        save_bytes(self._batch_path(file), b"".join(orjson.dumps(row) + b"\n" for row in rows))

    def answers(self) -> list[dict[str, Any]]:
        """The API's answers so far. A line that a kill tore is cut off, so that the next begins afresh."""
        if not self._answers.exists():
            return []
        content = self._answers.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        if whole != content:
            with self._answers.open("r+b") as file:
                file.truncate(len(whole))
        return [row for _, row in json_lines(whole, str(self._answers))]

    def keep_answer(self, row: Mapping[str, Any]) -> None:
        try:
            with self._lock, self._answers.open("ab") as file:
                file.write(orjson.dumps(row) + b"\n")
        except OSError as error:  # a full disk does not say which file it was about
            raise OSError(error.errno, error.strerror, str(self._answers)) from error

    def discard(self) -> None:
        """Forget everything: called when the labels are safely written."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _batch_path(self, file: "ExportFile") -> Path:
        return self.folder / f"{quote(file.name, safe='')}.{quote(file.etag, safe='')}.jsonl"


@dataclass(frozen=True)
class ExportFile:
    """One file of an export as the bucket lists it: key, its part below the source, ETag, size in bytes."""

    key: str
    name: str
    etag: str
    size: int


class _ListingChangedError(Exception):
    """A file is not the one that was listed."""


def fetch_export(
    model_id: str,
    source_id: str,
    count: int,
    journal: Journal,
    *,
    explanations: bool = True,
    facts: bool = False,
    url: str = EXPORT_URL,
    connections: int = CONNECTIONS,
    patience: Patience = PATIENCE,
) -> dict[int, Feature]:
    """Everything that the bulk exports know about a layer: explanations, and with `facts` density, largest
    activation and top tokens (about 17 MB more a layer).

    Returns
    -------
    An entry for each of the `count` features; one without explanations is known to have none.

    Raises
    ------
    IncompleteError : files that could not be fetched.
    AccessError : no such source, or no access to it.
    LabelError : rows that cannot be used.
    lib.transport.UnansweredError : the bucket could not be listed.
    """
    prefixes = ["explanations"] * explanations + ["features/"] * facts
    with httpx.Client(timeout=patience.timeout, follow_redirects=True) as client:
        export = _Export(client, url, f"v1/{model_id}/{source_id}/", journal, patience)
        for _ in range(RESTARTS):
            try:
                rows = export.fetch(prefixes, connections)
                break
            except _ListingChangedError as reason:
                log.warning("%s/%s: %s; listing it anew", model_id, source_id, reason)
        else:
            raise IncompleteError(
                f"{export.base}: changed {RESTARTS} times while it was read; try again later"
            )
    features: dict[int, Feature] = {}
    seen: dict[str, set[int]] = {"explanations": set(), "features": set()}
    for name, content in rows.items():
        for number, row in enumerate(content, start=1):
            add_row(features, row, count, f"{export.base}{name}, line {number}", source_id)
            seen[_kind(name)].add(int(row["index"]))
    if export.failures:
        missing = count - min(len(seen[_kind(name)]) for name in export.failures)
        reasons = "; ".join(f"{name}: {reason}" for name, reason in sorted(export.failures.items()))
        raise IncompleteError(_incomplete(f"{model_id}/{source_id}", missing, count, reasons, journal))
    return {index: features.get(index, Feature()) for index in range(count)}


def fetch_api(
    model_id: str,
    source_id: str,
    indices: Sequence[int],
    count: int,
    journal: Journal,
    *,
    key: str | None,
    requests_per_minute: float,
    url: str = API_URL,
    connections: int = CONNECTIONS,
    patience: Patience = PATIENCE,
) -> dict[int, Feature]:
    """What the API knows about the features `indices`, one request each, at most `requests_per_minute`.

    Returns
    -------
    An entry for each of `indices`; one without explanations is known to have none.

    Raises
    ------
    AccessError : the key is missing or refused; stops everything.
    IncompleteError : features that were not answered after all attempts.
    LabelError : answers that cannot be used.
    """
    if not key:
        raise AccessError(f"{url} needs a key, and NEURONPEDIA_API_KEY is not set. {KEY_HELP}")
    features: dict[int, Feature] = {}
    for row in journal.answers():
        add_row(features, row, count, str(journal.folder))
    wanted = [index for index in indices if index not in features]
    log.info("%s/%s: %d features to ask for, %d here", model_id, source_id, len(wanted), len(features))
    base = f"{url}/feature/{quote(model_id)}/{quote(source_id)}/"
    with httpx.Client(headers={"x-api-key": key}, timeout=patience.timeout, follow_redirects=True) as client:
        check = partial(add_row, {}, count=count, where=base, source_id=source_id)
        asking = _Asking(client, base, _Pace(requests_per_minute), journal, check, patience, len(wanted))
        with ThreadPoolExecutor(max_workers=connections) as pool:
            for index, row in zip(wanted, pool.map(asking.ask, wanted), strict=True):
                if row is not None:
                    add_row(features, row, count, f"{base}{index}", source_id)
    if asking.refused is not None:
        raise asking.refused
    missing = [index for index in indices if index not in features]
    if missing:
        reason = asking.reasons.most_common(1)[0][0]
        where = f"{model_id}/{source_id}"
        raise IncompleteError(_incomplete(where, len(missing), len(indices), reason, journal))
    return {index: features[index] for index in indices}


KEY_HELP = (
    "Get one at https://www.neuronpedia.org/account, or use `labels: {source: export}`, which needs none"
)


def _kind(name: str) -> str:
    """Explanations may lie in several folders: explanations/, explanations-gpt-4o-mini/."""
    return "features" if name.startswith("features/") else "explanations"


def _incomplete(where: str, missing: int, asked: int, reasons: str, journal: Journal) -> str:
    return (
        f"{where}: {missing} of {asked} features not answered ({reasons}). What did arrive is kept in"
        f" {journal.folder}; the next run asks only for the rest"
    )


def _slim(row: Mapping[str, Any]) -> dict[str, Any]:
    slim = {name: row[name] for name in KEPT if row.get(name) is not None}
    if row.get("explanations"):
        slim["explanations"] = [_slim(each) for each in row["explanations"] if isinstance(each, dict)]
    return slim


class _Export:
    """One source's files in the bucket."""

    def __init__(
        self, client: httpx.Client, url: str, prefix: str, journal: Journal, patience: Patience
    ) -> None:
        self.base = f"{url}/{prefix}"
        self.failures: dict[str, str] = {}
        self._client, self._url, self._prefix = client, url, prefix
        self._journal, self._patience = journal, patience

    def fetch(self, prefixes: Sequence[str], connections: int) -> dict[str, list[dict[str, Any]]]:
        """Rows of every file below `prefixes`, by file name; `failures` names those that could not be had."""
        files = [file for prefix in prefixes for file in self._list(prefix)]
        log.info("%s: %d files, %.1f MB", self.base, len(files), sum(file.size for file in files) / 1e6)
        self.failures.clear()
        progress = Progress(self.base, len(files), "files")
        with ThreadPoolExecutor(max_workers=connections) as pool:
            contents = pool.map(lambda file: self._rows(file, progress), files)
            return {file.name: rows for file, rows in zip(files, contents, strict=True) if rows is not None}

    def _list(self, prefix: str) -> list[ExportFile]:
        what = f"the list of {self.base}{prefix}*"
        files, token = [], ""
        try:
            while token is not None:
                page, token = insist(what, partial(self._page, prefix, token), self._patience)
                files += page
        except httpx.HTTPStatusError as error:
            raise AccessError(f"{what}: {describe(error)}; check labels.export_url") from error
        if not files:
            raise AccessError(
                f"{self.base}{prefix}*: there is nothing. Neuronpedia exports no such source; check the"
                " model's names at Neuronpedia in the catalogue"
            )
        return files

    def _page(self, prefix: str, token: str) -> tuple[list[ExportFile], str | None]:
        query = {"list-type": "2", "prefix": self._prefix + prefix}
        if token:
            query["continuation-token"] = token
        try:
            listing = ET.fromstring(self._get(f"{self._url}/", query)[0])
        except ET.ParseError as error:
            raise TransientError(f"the bucket's list is no XML ({error})") from error
        if not listing.tag.endswith("ListBucketResult"):
            raise TransientError(f"in place of the bucket's list came <{listing.tag}>")
        files = [self._listed(entry) for entry in listing.iterfind("{*}Contents")]
        wanted = [file for file in files if re.fullmatch(r"[^/]+/[^/]+\.jsonl(\.gz)?", file.name)]
        return wanted, listing.findtext("{*}NextContinuationToken")

    def _listed(self, entry: ET.Element) -> ExportFile:
        key, etag, size = (entry.findtext(f"{{*}}{name}") for name in ("Key", "ETag", "Size"))
        if key is None or etag is None or size is None or not size.isdigit():
            raise TransientError("the bucket's list has an entry without key, ETag or size")
        return ExportFile(key, key.removeprefix(self._prefix), etag.strip('"'), int(size))

    def _rows(self, file: ExportFile, progress: Progress) -> list[dict[str, Any]] | None:
        rows = self._journal.batch(file)
        if rows is None:
            try:
                rows = insist(self.base + file.name, lambda: self._fetch(file), self._patience)
            except (UnansweredError, httpx.HTTPStatusError) as error:
                self.failures[file.name] = describe(error.__cause__ or error)
                return None
            self._journal.keep_batch(file, rows)
        progress.add()
        return rows

    def _fetch(self, file: ExportFile) -> list[dict[str, Any]]:
        content, headers = self._get(f"{self._url}/{quote(file.key)}")
        etag = headers.get("ETag", file.etag).strip('"')
        if etag != file.etag:
            raise _ListingChangedError(f"{file.name} is not the version that was listed")
        if len(content) != file.size:
            raise TransientError(f"{len(content)} bytes arrived of {file.size}")
        try:
            return [_slim(row) for _, row in json_lines(content, "its content")]
        except LabelError as error:  # a proxy's error page, most often
            raise TransientError(str(error)) from error

    def _get(self, url: str, query: Mapping[str, str] | None = None) -> tuple[bytes, httpx.Headers]:
        headers = {"Accept-Encoding": "identity"}
        with self._client.stream("GET", url, params=query, headers=headers) as answer:
            answer.raise_for_status()
            return b"".join(body(answer, self._patience)), answer.headers


class _Pace:
    """At most so many requests a minute, over all threads; a pause holds every thread."""

    def __init__(self, per_minute: float) -> None:
        self._interval = 60.0 / per_minute
        self._next = time.monotonic()
        self._lock = threading.Lock()

    def wait(self) -> None:
        with self._lock:
            slot = max(self._next, time.monotonic())
            self._next = slot + self._interval
        time.sleep(max(0.0, slot - time.monotonic()))

    def pause(self, seconds: float) -> None:
        with self._lock:
            self._next = max(self._next, time.monotonic() + seconds)


class _Asking:
    """The API, one feature at a time from several threads. `refused` and `reasons` say what went wrong."""

    def __init__(
        self,
        client: httpx.Client,
        base: str,
        pace: _Pace,
        journal: Journal,
        check: Callable[[dict[str, Any]], None],
        patience: Patience,
        total: int,
    ) -> None:
        self.refused: AccessError | None = None
        self.reasons: Counter[str] = Counter()
        self._client, self._base, self._pace = client, base, pace
        self._journal, self._check, self._patience = journal, check, patience
        self._progress = Progress(base, total, "features")
        self._unanswered_in_a_row = 0
        self._stop = threading.Event()

    def ask(self, index: int) -> dict[str, Any] | None:
        """The answer about one feature, kept in the journal; None where it stays away or asking has ended."""
        if self._stop.is_set():
            return None
        try:
            row = insist(f"{self._base}{index}", lambda: self._request(index), self._patience)
        except AccessError as error:
            self.refused = error
            self._stop.set()
            return None
        except (UnansweredError, httpx.HTTPStatusError) as error:
            self.reasons[describe(error.__cause__ or error)] += 1
            self._unanswered_in_a_row += 1
            if self._unanswered_in_a_row >= HOPELESS:
                self._stop.set()
            return None
        self._unanswered_in_a_row = 0
        self._check(row)
        self._journal.keep_answer(row)
        self._progress.add()
        return row

    def _request(self, index: int) -> dict[str, Any]:
        self._pace.wait()
        with self._client.stream("GET", f"{self._base}{index}") as answer:
            status = answer.status_code
            if status == 429:
                self._pace.pause(retry_after(answer.headers) or 0.0)
            if status in (401, 403):
                raise AccessError(f"{self._base}{index}: the key was refused (HTTP {status}). {KEY_HELP}")
            if status not in (200, 404):
                answer.raise_for_status()
            content = answer.read()
        try:
            ((_, found),) = json_lines(content, f"{self._base}{index}")
        except (LabelError, ValueError) as error:
            raise TransientError(f"the answer (HTTP {status}) is no JSON object") from error
        if status == 404:
            return {"index": index}
        if str(found.get("index")) != str(index):
            raise TransientError(f"the answer is about feature {found.get('index')}")
        return _slim(found)
