"""Asking Neuronpedia with patience: requests and urllib3 repeat what may pass; a refusal is never repeated."""

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError, InvalidHeader, MaxRetryError
from urllib3.util import Retry

from lib.environment import check_network
from lib.labels.explanations import LONGEST_LINE, LabelError
from lib.patience import announce

log = logging.getLogger(__name__)

CONNECTIONS = 4
# Seconds of silence that end an attempt.
TIMEOUT = 30.0


class PatientRetry(Retry):
    """urllib3's repetition of requests, except that long waits are announced and overlong ones refused."""

    def sleep(self, response=None) -> None:
        last, seconds = self.history[-1], self.get_backoff_time()
        if response is not None:
            with suppress(InvalidHeader):
                seconds = self.get_retry_after(response) or seconds
        # urllib3 knows the path alone.
        reason = f"Neuronpedia, {last.url}: {f'HTTP {last.status}' if last.status else describe(last.error)}"
        announce(reason, seconds)
        time.sleep(seconds)


RETRY = PatientRetry(
    total=5,
    allowed_methods={"GET"},
    status_forcelist={408, 425, 429, *range(500, 600)} - {501, 505},
    respect_retry_after_header=True,
    backoff_factor=1.0,
    backoff_jitter=1.0,
    backoff_max=60.0,
    raise_on_status=False,
)


def open_session(headers: dict[str, str]) -> requests.Session:
    """A session that repeats requests as `RETRY` says, for up to `CONNECTIONS` threads."""
    check_network()
    session = requests.Session()
    session.headers.update(headers)
    for scheme in ("https://", "http://"):
        session.mount(scheme, HTTPAdapter(max_retries=RETRY, pool_maxsize=CONNECTIONS))
    return session


def get(session: requests.Session, url: str, read: Callable[[requests.Response], Any], **options: Any) -> Any:
    """`read(response)`. The session repeats requests; this repeats bodies that break off or cannot be read.

    Raises requests.RequestException for any status but 200, and after the last attempt.
    """
    retry = session.get_adapter(url).max_retries
    while True:
        try:
            with session.get(url, stream=True, timeout=TIMEOUT, **options) as response:
                if response.status_code != 200:
                    status = f"HTTP {response.status_code} {response.reason}"
                    raise requests.HTTPError(status, response=response)
                return read(response)
        except (HTTPError, LabelError) as error:
            try:
                retry = retry.increment("GET", url, error=error)
            except MaxRetryError:
                raise requests.exceptions.RetryError(describe(error)) from error
            retry.sleep()


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
