"""A job's log and its errors: everything a script says goes to the file of the rule's `log:` directive."""

import logging
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path

SECRETS = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "NEURONPEDIA_API_KEY", "GITHUB_TOKEN", "GH_TOKEN")


class UserError(Exception):
    """Something that the user can put right: the message says what happened, to which file, and what to do."""


@contextmanager
def job_log(snakemake) -> Iterator[logging.Logger]:
    """Send logging, warnings, output and the traceback of a script to `snakemake.log[0]`.

    Snakemake does not redirect what a script prints. A `UserError` or a full disk is told in one line, without a
    traceback; any other exception leaves its traceback in the log. Either way the job fails. What is logged as
    `progress` appears on the screen too. Secrets are masked.
    """
    path = Path(snakemake.log[0])
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", buffering=1, encoding="utf-8") as opened:
        file = _Masking(opened)
        logging.basicConfig(stream=file, level=logging.INFO, format="%(asctime)s %(message)s", force=True)
        logging.captureWarnings(True)
        warnings.simplefilter("default")
        logging.getLogger("httpx").setLevel(logging.WARNING)  # else a line for every request
        logging.getLogger("progress").addHandler(logging.StreamHandler(_Masking(sys.stderr)))
        log = logging.getLogger(snakemake.rule)
        with redirect_stdout(file), redirect_stderr(file):
            try:
                yield log
            except (UserError, OSError) as error:
                log.error("%s", _told(error))
            except Exception:
                log.exception("This is a fault of the workflow, not of your input:")
            else:
                return
    print(f"{snakemake.rule}: failed; its log is {path}", file=sys.stderr)
    sys.exit(1)


class _Masking:
    """A text stream that writes *** wherever a secret of the environment would stand."""

    def __init__(self, stream) -> None:
        self._stream = stream
        self._secrets = [value for name in SECRETS if len(value := os.environ.get(name, "").strip()) > 3]

    def write(self, text: str) -> int:
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return self._stream.write(text)

    def __getattr__(self, name: str):
        return getattr(self._stream, name)


def _told(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}"
    return str(error)
