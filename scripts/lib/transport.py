"""Asking a server: what is worth asking again, how long to wait, what to say when it stays silent."""

import email.utils
import logging
import random
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

import httpx
import tenacity

from lib.job import UserError

log = logging.getLogger(__name__)
Answer = TypeVar("Answer")

RETRIED_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504})
LONGEST_BACKOFF = 60.0  # seconds
LONGEST_RETRY_AFTER = 3600.0  # seconds: hourly quotas exist; a server that asks for more is asked sooner


class TransientError(Exception):
    """A failure that may pass, seen in an answer itself: a short body, an error page in place of data."""


class UnansweredError(UserError):
    """Every attempt failed in a way that may pass. Says what was asked and how the last attempt failed."""


@dataclass(frozen=True)
class Patience:
    """How long to insist.

    attempts : how often one request is made at most.
    first_wait : seconds before the first repeat, on average half of it; doubles with each further one.
    timeout : seconds without a byte (or without a connection) after which an attempt has failed.
    slowest : bytes per second; a body slower than this over a whole `timeout` has failed too.
    """

    attempts: int = 6
    first_wait: float = 1.0
    timeout: float = 30.0
    slowest: float = 512.0


PATIENCE = Patience()


def insist(what: str, request: Callable[[], Answer], patience: Patience) -> Answer:
    """Call `request` until it returns, again after failures that may pass, and give what it returned.

    Repeated are httpx's transport errors and timeouts, HTTP 408, 425, 429 and 5xx, and `TransientError`;
    anything else is raised at once. Waits as long as `Retry-After` says, otherwise a random time that grows.

    Raises UnansweredError: naming `what` and the last failure, after the last attempt.
    """

    def announce(state: tenacity.RetryCallState) -> None:
        reason = describe(state.outcome.exception())
        log.warning("%s: %s; again in %.1f s", what, reason, state.next_action.sleep)

    def give_up(state: tenacity.RetryCallState) -> None:
        error = state.outcome.exception()
        raise UnansweredError(
            f"{what}: no usable answer in {state.attempt_number} attempts; the last: {describe(error)}"
        ) from error

    return tenacity.Retrying(
        retry=tenacity.retry_if_exception(is_transient),
        stop=tenacity.stop_after_attempt(patience.attempts),
        wait=lambda state: _wait(state, patience.first_wait),
        before_sleep=announce,
        retry_error_callback=give_up,
    )(request)


def is_transient(error: BaseException) -> bool:
    """Whether asking again may help."""
    response = getattr(error, "response", None)  # of httpx's and of the hub's errors about a status
    if response is not None:
        return response.status_code in RETRIED_STATUSES
    return isinstance(error, (TransientError, httpx.TransportError))


def describe(error: BaseException) -> str:
    """One line about a failure, without headers and bodies: those may hold secrets."""
    response = getattr(error, "response", None)
    if response is not None:
        return f"HTTP {response.status_code} {response.reason_phrase}".rstrip()
    message = str(error)
    if isinstance(error, httpx.TimeoutException):
        message = "nothing arrived in time"
    return message if isinstance(error, TransientError) else f"{type(error).__name__}: {message}"


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait that an answer asks for: `Retry-After`, seconds or date, or the Hub's `RateLimit`."""
    value = headers.get("Retry-After", "").strip()
    if re.fullmatch(r"\d+(\.\d+)?", value):
        return float(value)
    if value:
        try:
            return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
        except ValueError:
            return None
    exhausted = re.search(r"\br=0\s*;\s*t=(\d+)", headers.get("RateLimit", ""))
    return float(exhausted[1]) if exhausted else None


def body(response: httpx.Response, patience: Patience) -> Iterator[bytes]:
    """The bytes of a streamed answer as they were sent. A trickle counts as a timeout: `TransientError`."""
    started, received = time.monotonic(), 0
    for piece in response.iter_raw():
        yield piece
        received += len(piece)
        elapsed = time.monotonic() - started
        if elapsed > patience.timeout and received < patience.slowest * elapsed:
            raise TransientError(f"only {received} bytes in {elapsed:.0f} s")


def _wait(state: tenacity.RetryCallState, first_wait: float) -> float:
    response = getattr(state.outcome.exception(), "response", None)
    asked = retry_after(response.headers) if response is not None else None
    if asked is not None:  # a little later than asked: servers count in whole seconds, and not all at once
        return min(asked, LONGEST_RETRY_AFTER) + random.uniform(0.0, first_wait)
    return tenacity.wait_random_exponential(multiplier=first_wait, max=LONGEST_BACKOFF)(state)
