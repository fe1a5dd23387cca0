"""Asking Neuronpedia with patience: what may pass is repeated, a refusal never."""

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import requests
from urllib3.exceptions import HTTPError, InvalidHeader, MaxRetryError
from urllib3.util import Retry

from lib.errors import UserError
from lib.patience import announce

# Seconds of silence that end an attempt.
TIMEOUT = 30.0
PASSING = {408, 425, 429, *range(500, 600)} - {501, 505}
RETRY = Retry(total=5, backoff_factor=1.0, backoff_jitter=1.0, backoff_max=60.0)


def get(session: requests.Session, url: str, read: Callable[[requests.Response], Any], **options: Any) -> Any:
    """`read(response)`; repeated, as `RETRY` says, after lost connections, statuses of `PASSING`, unreadable bodies.

    `read` raises UserError for an unreadable body, and what `body` raises.

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


def body(response: requests.Response, limit: int, decode: bool = True) -> bytes:
    """The whole body, decompressed or as it was sent.

    Raises requests.HTTPError for any status but 200, UserError for more than `limit` bytes.
    """
    if response.status_code != 200:
        raise requests.HTTPError(f"HTTP {response.status_code} {response.reason}")
    content = response.raw.read(limit + 1, decode_content=decode)
    if len(content) > limit:
        raise UserError(f"longer than {limit:,} bytes")
    return content
