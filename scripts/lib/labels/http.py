"""Asking Neuronpedia with patience: what may pass is repeated, a refusal never."""

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import requests
from urllib3.exceptions import HTTPError, InvalidHeader, MaxRetryError
from urllib3.util import Retry

from lib.labels.explanations import LONGEST_LINE, LabelError
from lib.patience import announce

# Seconds of silence that end an attempt.
TIMEOUT = 30.0
PASSING = {408, 425, 429, *range(500, 600)} - {501, 505}
ERRORS = requests.ConnectionError, requests.Timeout, requests.HTTPError, HTTPError, LabelError
RETRY = Retry(total=5, backoff_factor=1.0, backoff_jitter=1.0, backoff_max=60.0)


def open_session(headers: dict[str, str]) -> requests.Session:
    """A session with these headers."""
    session = requests.Session()
    session.headers.update(headers)
    return session


def get(session: requests.Session, url: str, read: Callable[[requests.Response], Any], **options: Any) -> Any:
    """`read(response)`; repeated, as `RETRY` says, after lost connections, statuses of `PASSING`, unreadable bodies.

    Raises requests.RequestException for any other status but 200, and after the last attempt.
    """
    retry = RETRY
    while True:
        try:
            with session.get(url, stream=True, timeout=TIMEOUT, **options) as response:
                if response.status_code != 200:
                    raise requests.HTTPError(f"HTTP {response.status_code} {response.reason}", response=response)
                return read(response)
        except ERRORS as error:
            answer = getattr(error, "response", None)
            if answer is not None and answer.status_code not in PASSING:
                raise
            reason = describe(error)
            try:
                retry = retry.increment("GET", url, error=error)
            except MaxRetryError:
                raise requests.RequestException(reason, response=answer) from error
        seconds = retry.get_backoff_time()
        if answer is not None:
            with suppress(InvalidHeader):
                seconds = retry.get_retry_after(answer) or seconds
        announce(f"{url}: {reason}", seconds)
        time.sleep(seconds)


def body(response: requests.Response) -> bytes:
    """The whole body, decompressed; LabelError if it is longer than `LONGEST_LINE`."""
    content = response.raw.read(LONGEST_LINE + 1, decode_content=True)
    if len(content) > LONGEST_LINE:
        raise LabelError(f"longer than {LONGEST_LINE:,} bytes")
    return content


def describe(error: Exception) -> str:
    """The reason of a failure in one line, without what requests and urllib3 wrap around it."""
    reason = getattr(next(iter(error.args), None), "reason", error)
    return str(next(iter(reason.args), reason))
