"""Logs and errors of a job: all output of a script goes to the file of the rule's `log:` directive."""

import logging
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path

from lib.environment import spellings
from lib.errors import UserError
from lib.patience import heard


@contextmanager
def job_log(snakemake) -> Iterator[logging.Logger]:
    """Send a script's logging, warnings, output and traceback to `snakemake.log[0]`; Snakemake redirects none of them.

    A `UserError` or `OSError` is logged in one line, any other exception with its traceback; either way the job exits
    with 1. The logger `progress` also writes to the screen. Secrets are masked.
    """
    path = Path(snakemake.log[0])
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", buffering=1, encoding="utf-8") as opened:
        file = _Masking(opened)
        logging.basicConfig(stream=file, level=logging.INFO, format="%(asctime)s %(message)s", force=True)
        logging.captureWarnings(True)
        warnings.simplefilter("default")
        # At INFO, httpx logs every request; urllib3 warns of each repetition, which lib.patience announces.
        logging.getLogger("httpx").setLevel(logging.WARNING)
        logging.getLogger("urllib3").setLevel(logging.ERROR)
        logging.getLogger("huggingface_hub.utils._http").addFilter(heard)
        logging.getLogger("progress").addHandler(logging.StreamHandler(_Masking(sys.stderr)))
        log = logging.getLogger(snakemake.rule)
        with redirect_stdout(file), redirect_stderr(file):
            try:
                yield log
            except (UserError, OSError) as error:
                name = getattr(error, "filename", None)
                log.error("%s", f"{name}: {error.strerror}" if name else error)
            except Exception:
                log.exception("Internal error, please report it with this log:")
            else:
                return
            finally:
                # What Python warns of while it ends would find the log closed.
                warnings.simplefilter("ignore")
    print(f"{snakemake.rule}: failed; its log is {path}", file=sys.stderr)
    sys.exit(1)


class _Masking:
    """A text stream that replaces secrets from the environment by ***."""

    def __init__(self, stream) -> None:
        self._stream = stream
        self._secrets = spellings()

    def write(self, text: str) -> int:
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return self._stream.write(text)

    def __getattr__(self, name: str):
        return getattr(self._stream, name)
