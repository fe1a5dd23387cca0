"""Rows from Neuronpedia: of its bulk exports (a whole layer in a handful of requests) or its API (one per feature).

Either there is an answer about every feature or an error is raised: "has no label" never stands for "not answered".
Exports lie in a public S3 bucket, read by ListObjectsV2 and GET: https://docs.neuronpedia.org/exports
"""

import io
import json
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import requests
from urllib3.exceptions import HTTPError, InvalidHeader, MaxRetryError
from urllib3.util import Retry

from lib.environment import secret
from lib.errors import UserError
from lib.files import save_bytes
from lib.labels.explanations import LONGEST_LINE, Row, parse_row, read_rows
from lib.labels.export_files import export_kind
from lib.patience import announce
from lib.progress import Progress

CONNECTIONS = 4
# Seconds of silence that end an attempt.
TIMEOUT = 30.0
PASSING = {408, 425, 429, *range(500, 600)} - {501, 505}
RETRY = Retry(total=5, backoff_factor=1.0, backoff_jitter=1.0, backoff_max=60.0)


def export_rows(url: str, model_id: str, source_id: str, kinds: Collection[str]) -> Iterator[Row]:
    """What the bulk exports know about a layer.

    `kinds` are "explanations", and "features" for density, largest activation and top tokens (17 MB more per layer).

    Raises UserError: no such source, or files that could not be fetched whole.
    """
    prefix, failures = f"v1/{model_id}/{source_id}/", []
    base = f"{url}/{prefix}"
    with requests.Session() as session, ThreadPoolExecutor(CONNECTIONS) as pool:
        session.headers["Accept-Encoding"] = "identity"
        sizes = _list_files(session, url, prefix, kinds)
        shown = Progress(base, len(sizes), "files")
        jobs = {
            name: pool.submit(_get, session, base + name, partial(_read_file, size)) for name, size in sizes.items()
        }
        for name, job in jobs.items():
            try:
                rows = job.result()
            except requests.RequestException as error:
                failures.append(f"{name}: {error}")
            else:
                yield from ((f"{base}{name}, {position}", row) for position, row in rows)
                shown.add()
    if failures:
        what = f"{len(failures)} of {len(sizes)} files could not be fetched: {'; '.join(failures)}"
        raise UserError(f"{base}: {what}. Run again")


def api_rows(
    url: str, model_id: str, source_id: str, indices: Sequence[int], requests_per_minute: float, answers: Path
) -> Iterator[Row]:
    """What the API knows about the features `indices` of a layer: one request after another.

    NEURONPEDIA_API_KEY goes to the host of `url` alone: redirects are not followed. The file `answers` keeps each row
    that was used, so that no later run asks for it again.

    Raises UserError: no key, or a feature that was not answered.
    """
    key = secret("NEURONPEDIA_API_KEY")
    if key is None:
        raise UserError(
            "Neuronpedia's API needs a key, and NEURONPEDIA_API_KEY is not set. Get one at"
            " https://www.neuronpedia.org/account, or use `labels: {source: export}`, which needs none"
        )
    base = f"{url}/feature/{model_id}/{source_id}/"
    kept = _kept_answers(answers, base)
    yield from kept
    answered = {int(row["index"]) for _, row in kept}
    missing = [index for index in indices if index not in answered]
    shown, due = Progress(base, len(missing), "features"), 0.0
    with requests.Session() as session:
        session.headers["x-api-key"] = key
        for done, index in enumerate(missing, len(indices) - len(missing)):
            time.sleep(max(0.0, due - time.monotonic()))
            due = time.monotonic() + 60.0 / requests_per_minute
            try:
                row = _get(session, f"{base}{index}", partial(_read_answer, index), allow_redirects=False)
            except requests.RequestException as error:
                raise UserError(
                    f"{base}{index}: {error}. {done} of {len(indices)} answers are kept in {answers} for the next run:"
                    " run again later, and after a refusal check NEURONPEDIA_API_KEY and labels.api_url first"
                ) from error
            yield f"{base}{index}", row
            _append(answers, row)
            shown.add()


def _get(session: requests.Session, url: str, read: Callable[[requests.Response], Any], **options: Any) -> Any:
    """`read(response)`; repeated, as `RETRY` says, after lost connections, statuses of `PASSING`, unreadable bodies.

    `read` raises UserError for an unreadable body, and what `_body` raises.

    Raises requests.RequestException: a refusal, or the last attempt failed.
    """
    retry = RETRY
    while True:
        response = None
        try:
            with session.get(url, stream=True, timeout=TIMEOUT, **options) as response:
                return read(response)
        except (requests.ConnectionError, requests.Timeout, requests.HTTPError, HTTPError, UserError) as error:
            if isinstance(error, requests.HTTPError) and response.status_code not in PASSING:
                raise
            # Without what requests and urllib3 wrap around it.
            cause = getattr(next(iter(error.args), None), "reason", error)
            reason = str(next(iter(cause.args), cause))
        try:
            retry = retry.increment("GET", url)
        except MaxRetryError:
            raise requests.RequestException(reason) from None
        seconds = retry.get_backoff_time()
        if response is not None:
            with suppress(InvalidHeader):
                seconds = retry.get_retry_after(response) or seconds
        announce(f"{url}: {reason}", seconds)
        time.sleep(seconds)


def _body(response: requests.Response, limit: int, decode: bool = True) -> bytes:
    """The whole body, decompressed or as it was sent.

    Raises requests.HTTPError for any status but 200, UserError for more than `limit` bytes.
    """
    if response.status_code != 200:
        raise requests.HTTPError(f"HTTP {response.status_code} {response.reason}")
    content = response.raw.read(limit + 1, decode_content=decode)
    if len(content) > limit:
        raise UserError(f"longer than {limit:,} bytes")
    return content


def _list_files(session: requests.Session, url: str, prefix: str, kinds: Collection[str]) -> dict[str, int]:
    """Sizes in bytes of a source's files of these kinds, by their path below `prefix`."""
    where, sizes, more = f"the file list of {url}/{prefix}", {}, True
    while more:
        # Keys are listed in their order. requests leaves out a parameter that is None.
        query = {"list-type": "2", "prefix": prefix, "start-after": max(sizes, default=None)}
        try:
            page, more = _get(session, f"{url}/", _read_page, params=query)
        except requests.RequestException as error:
            raise UserError(f"{where}: {error}. Check labels.export_url") from error
        if more and page.keys() <= sizes.keys():
            raise UserError(f"{where}: its pages repeat")
        sizes |= page
    files = {key.removeprefix(prefix): size for key, size in sizes.items()}
    for kind in kinds:
        if kind not in map(export_kind, files):
            raise UserError(f"{where}: no {kind}. Check the model's names at Neuronpedia in the catalogue")
    return {name: size for name, size in files.items() if export_kind(name) in kinds}


def _read_page(response: requests.Response) -> tuple[dict[str, int], bool]:
    """Sizes by key of the files on a page, and whether there are more pages."""
    content = _body(response, LONGEST_LINE)
    try:
        page = ET.fromstring(content)
        sizes = {each.find("{*}Key").text: int(each.find("{*}Size").text) for each in page.iterfind("{*}Contents")}
        return sizes, {"true": True, "false": False}[page.findtext("{*}IsTruncated")]
    except (ET.ParseError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise UserError(f"not a page of a bucket's list: {content[:40]!r} ({error!r})") from error


def _read_file(size: int, response: requests.Response) -> list[Row]:
    content = _body(response, size, decode=False)
    if len(content) < size:
        raise UserError(f"{len(content):,} bytes arrived, the list says {size:,}")
    return list(read_rows(io.BufferedReader(io.BytesIO(content)), ""))


def _read_answer(index: int, response: requests.Response) -> dict:
    """The API's row about a feature; only its index if Neuronpedia does not know the feature."""
    if response.status_code == 404 and "json" in response.headers.get("Content-Type", ""):
        return {"index": index}
    row = parse_row(_body(response, LONGEST_LINE), "the answer")
    if str(row.get("index")) != str(index):
        raise UserError(f"the answer is about feature {row.get('index')}")
    return row


def _kept_answers(path: Path, base: str) -> list[Row]:
    """Earlier answers from `base`, without a last line that a kill cut off. Any other content is discarded."""
    header = json.dumps({"answers_of": base}).encode() + b"\n"
    content = path.read_bytes() if path.exists() else b""
    whole = content[: content.rfind(b"\n") + 1]
    save_bytes(path, whole if whole.startswith(header) else header)
    with path.open("rb") as stream:
        return list(read_rows(stream, f"{path}, "))[1:]


def _append(path: Path, row: dict) -> None:
    try:
        with path.open("ab") as file:
            file.write(json.dumps(row).encode() + b"\n")
    except OSError as error:
        # A full disk does not say which file it was about.
        raise OSError(error.errno, error.strerror, str(path)) from error
