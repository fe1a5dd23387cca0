"""Snakemake's logger `brief`: a line per tenth of the steps, with what is being made, and all warnings and errors.

PYTHONPATH=scripts snakemake --cores 8 --logger brief
"""

import logging
import sys

from snakemake.common import NOTHING_TO_BE_DONE_MSG
from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent


class LogHandler(LogHandlerBase):
    """Writes to stderr. Warnings and errors, logs of failed jobs included, look as without this plugin."""

    writes_to_stream = True
    writes_to_file = False
    has_filter = False
    has_formatter = False
    needs_rulegraph = False

    def __post_init__(self) -> None:
        self._making = ""
        self._tenths = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Print one line, or none."""
        event = getattr(record, "event", None)
        if record.levelno >= logging.WARNING or record.msg == NOTHING_TO_BE_DONE_MSG:
            print(self.format(record), file=sys.stderr, flush=True)
        elif event == LogEvent.RUN_INFO:
            print(f"    0 of {record.stats['total']} steps", file=sys.stderr, flush=True)
        elif event == LogEvent.JOB_INFO:
            self._making = record.rule_msg or record.rule_name
        elif event == LogEvent.PROGRESS and (tenths := 10 * record.done // record.total) > self._tenths:
            self._tenths = tenths
            making = "done" if record.done == record.total else self._making
            print(f"{record.done:5} of {record.total} steps  {making}", file=sys.stderr, flush=True)
