"""The errors of all scripts."""


class UserError(Exception):
    """An error the user can fix: the message says what happened, to which file or request, and what to do."""
