"""The errors of all scripts."""

from collections.abc import Iterator
from contextlib import contextmanager


class UserError(Exception):
    """An error the user can fix: the message says what happened, to which file or request, and what to do."""


@contextmanager
def usable_answers(service: str, setting: str) -> Iterator[None]:
    """Turn whatever a client library raises about answers it cannot read into an error that names `service`.

    Libraries raise more kinds of exceptions about a login page than a list could hold. `setting` has the address.
    """
    try:
        yield
    except (UserError, OSError):
        raise
    except Exception as error:
        raise UserError(
            f"{service}: no usable answer ({type(error).__name__}: {error}). Check {setting} and the network, and for a"
            " proxy or a login page; then run the same command again"
        ) from error
