"""Waits that servers ask for: shown on the screen, and an error if they are longer than anyone would watch."""

import logging
import re

from lib.errors import UserError
from lib.progress import progress

# In seconds.
SHOWN, LONGEST_WAIT = 3.0, 600.0
log = logging.getLogger(__name__)


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


def watch_huggingface() -> None:
    """Have `heard` listen to what huggingface_hub logs about its requests."""
    logging.getLogger("huggingface_hub.utils._http").addFilter(heard)
