"""Explanations from Neuronpedia: bulk exports (a whole layer in a handful of requests) or its API (one per feature).

Either there is an answer about every feature or an error is raised: "has no label" never stands for "not answered".
Exports lie in a public S3 bucket, read by ListObjectsV2 and GET: https://docs.neuronpedia.org/exports
"""

import io
import json
import time
import xml.etree.ElementTree as ET
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import requests

from lib.environment import secret
from lib.errors import UserError
from lib.files import save_bytes
from lib.labels.explanations import LabelError, Statements, parse_row, read_rows, statements
from lib.labels.export_files import export_kind
from lib.labels.http import PASSING, body, describe, get, open_session
from lib.progress import Progress

# Position and fields, as `read_rows` yields them.
Rows = list[tuple[str, dict[str, Any]]]

CONNECTIONS = 4
KEY_HELP = "Get one at https://www.neuronpedia.org/account, or use `labels: {source: export}`, which needs none"


def fetch_export(url: str, model_id: str, source_id: str, count: int, kinds: Collection[str]) -> Statements:
    """What the bulk exports know about each of a layer's `count` features.

    `kinds` are "explanations", and "features" for density, largest activation and top tokens (17 MB more per layer).

    Raises UserError: no such source, or files that could not be fetched whole.
    Raises LabelError: labels of another SAE.
    """
    base, known, failures = f"{url}/v1/{quote(model_id)}/{quote(source_id)}/", [], {}
    with open_session({"Accept-Encoding": "identity"}) as session, ThreadPoolExecutor(CONNECTIONS) as pool:
        sizes = _list_files(session, url, f"v1/{model_id}/{source_id}/", kinds)
        shown = Progress(base, len(sizes), "files")
        jobs = {
            name: pool.submit(get, session, base + quote(name), partial(_read_file, size))
            for name, size in sizes.items()
        }
        for name, job in jobs.items():
            try:
                rows = job.result()
            except requests.RequestException as error:
                failures.setdefault(describe(error), []).append(name)
                continue
            for position, row in rows:
                known += statements(row, count, f"{base}{name}, {position}", source_id)
            shown.add()
    if failures:
        reasons = "; ".join(f"{', '.join(names)}: {reason}" for reason, names in failures.items())
        failed = sum(map(len, failures.values()))
        raise UserError(f"{base}: {failed} of {len(sizes)} files could not be fetched: {reasons}. Run again")
    return known


def fetch_api(
    url: str,
    model_id: str,
    source_id: str,
    indices: Sequence[int],
    count: int,
    key: str,
    requests_per_minute: float,
    answers: Path,
) -> Statements:
    """What the API knows about the features `indices`, of `count` in the layer: one request after another.

    `key` goes to the host of `url` alone: redirects are not followed. The file `answers` keeps each answer, so that no
    later run asks for it again.

    Raises UserError: a feature that was not answered, the key or the address refused.
    Raises LabelError: answers about another SAE.
    """
    base, known = f"{url}/feature/{quote(model_id)}/{quote(source_id)}/", []
    for position, row in _kept_answers(answers, base):
        known += statements(row, count, position, source_id)
    answered = {each["index"] for each in known}
    missing = [index for index in indices if index not in answered]
    shown, due = Progress(base, len(missing), "features"), 0.0
    with open_session({"x-api-key": key}) as session:
        for done, index in enumerate(missing, len(indices) - len(missing)):
            time.sleep(max(0.0, due - time.monotonic()))
            due = time.monotonic() + 60.0 / requests_per_minute
            try:
                row = _ask(session, f"{base}{index}", index)
            except requests.RequestException as error:
                kept = f"{done} of {len(indices)} answers are kept in {answers} for the next run"
                what = f"{base}{index}: {describe(error)}. {_advice(error.response)}. {kept}"
                raise UserError(what) from error
            known += statements(row, count, f"{base}{index}", source_id)
            _append(answers, row)
            shown.add()
    return known


def api_key() -> str:
    """NEURONPEDIA_API_KEY, checked to be a possible header."""
    if key := secret("NEURONPEDIA_API_KEY"):
        return key
    raise UserError(f"Neuronpedia's API needs a key, and NEURONPEDIA_API_KEY is not set. {KEY_HELP}")


def _list_files(session: requests.Session, url: str, prefix: str, kinds: Collection[str]) -> dict[str, int]:
    """Sizes in bytes of a source's files of these kinds, by their path below `prefix`."""
    where, sizes, token, tokens = f"the file list of {url}/{prefix}", {}, None, set()
    while token not in tokens:
        tokens.add(token)
        # requests leaves out a parameter that is None.
        query = {"list-type": "2", "prefix": prefix, "continuation-token": token}
        try:
            page, token = get(session, f"{url}/", partial(_read_page, prefix), params=query)
        except requests.RequestException as error:
            raise UserError(f"{where}: {describe(error)}. Check labels.export_url") from error
        sizes |= page
        if token is None:
            break
    else:
        raise UserError(f"{where}: its pages repeat, with the continuation token {token!r}")
    for kind in kinds:
        if kind not in map(export_kind, sizes):
            raise UserError(f"{where}: no {kind}. Check the model's names at Neuronpedia in the catalogue")
    return {name: size for name, size in sizes.items() if export_kind(name) in kinds}


def _read_page(prefix: str, response: requests.Response) -> tuple[dict[str, int], str | None]:
    """Sizes by path of the files on a page, and the continuation token of the next page, if there is one."""
    content = body(response)
    try:
        page = ET.fromstring(content)
        files = [(each.findtext("{*}Key"), each.findtext("{*}Size")) for each in page.iterfind("{*}Contents")]
        sizes = {key.removeprefix(prefix): int(size) for key, size in files}
        more = {"true": True, "false": False}[page.findtext("{*}IsTruncated")]
        token = page.findtext("{*}NextContinuationToken") if more else None
        if more and not token:
            raise ValueError("truncated, with no token for the rest")
    except (ET.ParseError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise LabelError(f"not a complete page of a bucket's list: {content[:40]!r} ({error!r})") from error
    return sizes, token


def _read_file(size: int, response: requests.Response) -> Rows:
    raw, rows = response.raw, []
    # read_rows asks once more after the last byte.
    raw.auto_close = False
    for position, row in read_rows(io.BufferedReader(raw), ""):
        rows.append((position, row))
        if raw.tell() > size:
            break
    if raw.tell() != size:
        raise LabelError(f"{raw.tell():,} bytes arrived, the list says {size:,}")
    return rows


def _ask(session: requests.Session, url: str, index: int) -> dict[str, Any]:
    """The API's row about a feature; only its index if Neuronpedia does not know the feature."""
    try:
        return get(session, url, partial(_read_feature, index), allow_redirects=False)
    except requests.HTTPError as error:
        if error.response.status_code == 404 and "json" in error.response.headers.get("Content-Type", ""):
            return {"index": index}
        raise


def _advice(refusal: requests.Response | None) -> str:
    if refusal is None or refusal.status_code in PASSING:
        return "Run again later"
    return f"The key was refused. {KEY_HELP}" if refusal.status_code in (401, 403) else "Check labels.api_url"


def _read_feature(index: int, response: requests.Response) -> dict[str, Any]:
    row = parse_row(body(response), "the answer")
    if str(row.get("index")) != str(index):
        raise LabelError(f"the answer is about feature {row.get('index')}")
    return row


def _kept_answers(path: Path, base: str) -> Rows:
    """Earlier answers from `base`, without a last line that a kill cut off. Any other content is discarded."""
    header = json.dumps({"answers_of": base}).encode() + b"\n"
    content = path.read_bytes() if path.exists() else b""
    whole = content[: content.rfind(b"\n") + 1]
    save_bytes(path, whole if whole.startswith(header) else header)
    with path.open("rb") as stream:
        return list(read_rows(stream, f"{path}, "))[1:]


def _append(path: Path, row: dict[str, Any]) -> None:
    try:
        with path.open("ab") as file:
            file.write(json.dumps(row).encode() + b"\n")
    except OSError as error:
        # A full disk does not say which file it was about.
        raise OSError(error.errno, error.strerror, str(path)) from error
