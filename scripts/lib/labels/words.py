"""The words of a label, for measures and names that compare labels."""

import re
from collections import Counter

import numpy as np
from scipy.sparse import csr_matrix

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


def word_matrix(words: list[set[str]]) -> csr_matrix:
    """Which label has which words: (labels, different words), 1 for each; the words in alphabetical order."""
    numbers = {word: number for number, word in enumerate(sorted(set().union(*words)))}
    columns = [numbers[word] for each in words for word in sorted(each)]
    starts = np.cumsum([0, *map(len, words)])
    return csr_matrix((np.ones(len(columns), np.int32), columns, starts), shape=(len(words), len(numbers)))


def word_overlap(words: csr_matrix, near: np.ndarray) -> float:
    """Mean Jaccard overlap of the words of each point with those of its near points; points without words are left out.

    words : by point, as from `word_matrix`; near : int (m, k)
    """
    sizes = np.diff(words.indptr)
    left, right = np.repeat(np.arange(len(near)), near.shape[1]), near.ravel()
    worded = (sizes[left] > 0) & (sizes[right] > 0)
    left, right = left[worded], right[worded]
    if not len(left):
        return 0.0
    common = np.asarray(words[left].multiply(words[right]).sum(axis=1)).ravel()
    return float((common / (sizes[left] + sizes[right] - common)).mean())
