"""Further attempts, and waits: shown on the screen, and an error if they are longer than anyone would watch."""

import logging
import re
from collections.abc import Callable
from time import sleep
from typing import Any

from lib.errors import UserError
from lib.progress import progress

# In seconds.
SHOWN, LONGEST_BACKOFF, LONGEST_WAIT = 3.0, 60.0, 600.0
ATTEMPTS = 10
AGAIN = (
    "Run the same command again: it continues where this one stopped. If that does not help, check the network, its"
    " proxies and certificates (HTTPS_PROXY, NO_PROXY, SSL_CERT_FILE), and for a login page"
)
log = logging.getLogger(__name__)


def persist(what: str, attempt: Callable[[], Any], explain: Callable[[Exception], tuple]) -> Any:
    """What `attempt` returns; repeated, up to ATTEMPTS times, while that may help. It must look at what is there.

    explain : an exception -> what failed; what to do about it, or None if another attempt may help; the seconds that
        the server asks to wait, or None

    Raises UserError: at once if `attempt` does, and for any other exception that is left.
    """
    number = 1
    while True:
        try:
            return attempt()
        except UserError:
            raise
        except Exception as error:
            failure, advice, seconds = explain(error)
            if advice or number == ATTEMPTS:
                raise UserError(f"{what}: {failure}. {advice or AGAIN}") from error
        seconds = seconds or min(2.0**number, LONGEST_BACKOFF)
        announce(f"{what}: {failure}", seconds)
        sleep(seconds)
        number += 1


def announce(reason: str, seconds: float) -> None:
    """Log a wait that is about to begin, on the screen too if it is long.

    Raises UserError: the wait would be longer than LONGEST_WAIT.
    """
    if seconds > LONGEST_WAIT:
        raise UserError(f"{reason}: asks for a wait of {seconds:.0f} s. Run the same command again after that time")
    (progress if seconds > SHOWN else log).info("%s; trying again in %.0f s", reason, seconds)


def heard(record: logging.LogRecord) -> bool:
    """Announce the waits that huggingface_hub logs, and drop its messages with whole addresses.

    The addresses of content hosts are signed: as good as passwords.
    """
    message = record.getMessage()
    if wait := re.search(r"Rate limited. Waiting ([\d.]+)s", message):
        announce("Hugging Face: rate limit", float(wait[1]))
    return "?" not in message
