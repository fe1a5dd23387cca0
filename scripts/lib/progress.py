"""Progress of long transfers, in the log and on the screen."""

import logging
import time

progress = logging.getLogger("progress")  # lib.job shows it on the screen too
PROGRESS_EVERY = 5.0  # seconds between lines


class Progress:
    """Lines about a long transfer, such as "48 of 151 MB". Short transfers print nothing."""

    def __init__(self, what: str, total: float, unit: str, scale: float = 1.0) -> None:
        self._what, self._total, self._unit, self._scale = what, total / scale, unit, scale
        self._done = 0.0
        self._started = self._reported = time.monotonic()

    def add(self, count: float = 1.0) -> None:
        """Add what has arrived since the last call."""
        self._done += count / self._scale
        now = time.monotonic()
        if now - self._reported >= PROGRESS_EVERY:
            self._reported, rate = now, self._done / (now - self._started)
            progress.info("%s: %.0f of %.0f %s, %.1f per second", self._what, self._done, self._total, self._unit, rate)
