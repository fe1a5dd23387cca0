"""The words of a label, for measures and names that compare labels."""

import re
from collections import Counter

WORD = re.compile(r"[^\W\d_]{3,}")


def words_of(label: str) -> set[str]:
    """The words of three letters or more, in lower case."""
    return set(WORD.findall(label.lower()))


def telling_words(labels: list[str | None]) -> list[set[str]]:
    """The words of each label that are not in every twentieth label; none for a feature without a label."""
    words = [words_of(label or "") for label in labels]
    times = Counter(word for each in words for word in each)
    limit = max(10, sum(label is not None for label in labels) / 20)
    common = {word for word, count in times.items() if count > limit}
    return [each - common for each in words]
