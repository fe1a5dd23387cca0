"""The words of a label, for measures and names that compare labels."""

import re

WORD = re.compile(r"[^\W\d_]{3,}")


def words_of(label: str) -> set[str]:
    """The words of three letters or more, in lower case."""
    return set(WORD.findall(label.lower()))
