"""Names for groups of features: words of their labels that the features' own directions confirm.

Counting alone finds few names, because the labels of an SAE share few words. So a word has a direction too, that of the
features whose labels hold it, and it names a region if those outside the region point the way that the region points.
docs/regions.md has the formulas, and what they are worth.
"""

import itertools
from collections import defaultdict

import numpy as np
from scipy.sparse import csr_matrix
from scipy.special import xlogy
from threadpoolctl import threadpool_limits

from lib.labels.words import word_matrix, words_of

# Words per name.
WORDS = 3
# Labels that must hold a word for it to name anything.
MIN_LABELS = 2
# A word in more than this share of the labels, or of the smallest regions, is what an explainer writes around meaning.
MOST_LABELS, MOST_REGIONS = 0.05, 0.15
# Standard deviations that a word must be above chance; one in 4,000 is.
MIN_SCORE = 3.5
# A word that adds at most ENDING letters to another of at least STEM letters is a form of it.
ENDING, STEM = 3, 4


def region_words(labels: list[str | None], rows: np.ndarray, firing: np.ndarray, levels: np.ndarray) -> list[list]:
    """The words that name each region of each level: at most `WORDS`, the best first, or none.

    No name repeats a word of the regions around it, and a region that fills the one around it has no name of its own.

    Parameters
    ----------
    labels : by feature, None for a feature without a label
    rows : float (m, r), the features' directions, or their leading principal components
    firing : bool (m,); the directions and labels of features that never fire mean nothing
    levels : int (m, levels), each feature's region, numbered from 0 per level, each inside one of the level before
    """
    names: list[list] = []
    known = firing & np.array([label is not None for label in labels])
    texts = [words_of(labels[feature]) for feature in np.flatnonzero(known)]
    stems = stems_of(set().union(*texts))
    vocabulary, holds = telling_stems([{stems[word] for word in text} for text in texts], levels[known, -1])
    rows = rows - rows[firing].mean(axis=0, dtype=np.float64) if firing.any() else rows
    rows = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    used = [frozenset()]
    # Around the first level lies one region without a name.
    for outer, regions in itertools.pairwise([np.zeros(len(rows), int), *levels.T]):
        _, first, sizes = np.unique(regions, return_index=True, return_counts=True)
        around, fills = outer[first], sizes == np.bincount(outer)[outer[first]]
        chosen = []
        for region, ranking in enumerate(ranked_stems(holds, rows, firing, known, regions)):
            fresh = [vocabulary[stem] for stem in ranking if vocabulary[stem] not in used[around[region]]]
            chosen.append([] if fills[region] else fresh[:WORDS])
        forms = defaultdict(set)
        for text, region in zip(texts, regions[known].tolist(), strict=True):
            for word in text:
                if stems[word] in chosen[region]:
                    forms[region, stems[word]].add(word)
        shortest = {named: min(sorted(words), key=len) for named, words in forms.items()}
        names.append([[shortest[region, stem] for stem in words] for region, words in enumerate(chosen)])
        used = [used[outside].union(words) for outside, words in zip(around, chosen, strict=True)]
    return names


def stems_of(words: set[str]) -> dict[str, str]:
    """The stem of each word: the shortest of the words that it extends by a few letters, or itself."""
    return {
        word: next((word[:end] for end in range(max(STEM, len(word) - ENDING), len(word)) if word[:end] in words), word)
        for word in words
    }


def telling_stems(texts: list[set[str]], regions: np.ndarray) -> tuple[list[str], csr_matrix]:
    """The stems that are neither rare nor everywhere, and which label holds which: (labels, stems), 1 where it does.

    regions : int (labels,), the smallest regions
    """
    holds, count = word_matrix(texts), regions.max(initial=0) + 1
    label, stem = holds.nonzero()
    times = holds.getnnz(axis=0)
    spread = np.bincount(np.unique(stem * count + regions[label]) // count, minlength=len(times))
    most_labels = max(MIN_LABELS, MOST_LABELS * len(texts))
    most_regions = max(MIN_LABELS, MOST_REGIONS * len(np.unique(regions)))
    telling = (times >= MIN_LABELS) & (times <= most_labels) & (spread <= most_regions)
    return list(itertools.compress(sorted(set().union(*texts)), telling)), holds[:, telling]


def ranked_stems(holds: csr_matrix, rows, firing, known, regions: np.ndarray) -> list[list[int]]:
    """By region, the stems of its labels that name it, best first: numbers of the columns of `holds`.

    Parameters
    ----------
    holds : (labels, stems), 1 where the label of a `known` feature holds a stem
    rows : float (m, r) of norm 1; firing, known : bool (m,); regions : int (m,)
    """
    count, (labels, words) = regions.max() + 1, holds.shape
    centres = np.zeros((count, rows.shape[1]))
    np.add.at(centres, regions[firing], rows[firing])
    centres /= np.maximum(np.linalg.norm(centres, axis=1, keepdims=True), 1e-12)
    rows, regions = rows[known], regions[known]
    label, stem = holds.nonzero()
    pairs, pair = np.unique(stem * count + regions[label], return_inverse=True)
    stem, region = np.divmod(pairs, count)
    # Labels inside and outside each region, and those among them that hold the stem.
    inside = np.bincount(regions, minlength=count)[region]
    outside = labels - inside
    held_inside = np.bincount(pair)
    held_outside = np.bincount(stem, held_inside, words)[stem] - held_inside

    # How near features are to the direction of a region: sums over those outside it that hold a stem, and over all.
    nearness = np.einsum("ij,ij->i", rows, centres[regions])
    # One thread: the same bytes on any number of cores.
    with threadpool_limits(1, user_api="blas"):
        sums = centres @ rows.sum(axis=0) - np.bincount(regions, nearness, count)
        squares = np.einsum("ij,ij->i", centres @ (rows.T @ rows), centres) - np.bincount(regions, nearness**2, count)
    mean = sums[region] / np.maximum(outside, 1)
    deviation = np.sqrt(np.maximum(squares[region] / np.maximum(outside, 1) - mean**2, 1e-12))
    held = np.einsum("ij,ij->i", (holds.T @ rows)[stem], centres[region]) - np.bincount(pair, nearness[label])
    confirmed = (held - held_outside * mean) / (deviation * np.sqrt(np.maximum(held_outside, 1)))

    score = (confirmed + overrepresentation(held_inside, inside, held_outside, outside)) / np.sqrt(2)
    order = np.lexsort((stem, -score, region))
    order = order[(score[order] >= MIN_SCORE) & (confirmed[order] > 0)]
    return [each.tolist() for each in np.split(stem[order], np.searchsorted(region[order], np.arange(1, count)))]


def overrepresentation(held_inside, inside, held_outside, outside) -> np.ndarray:
    """How much more frequent words are inside a group of labels than outside, in standard deviations; below 0 if less.

    The signed root of the log-likelihood ratio G² (Dunning, 1993). All are int arrays of one shape: the labels that
    hold the word and all labels, inside and outside.
    """
    observed = np.array([[held_inside, inside - held_inside], [held_outside, outside - held_outside]], float)
    expected = observed.sum(axis=0) * observed.sum(axis=1)[:, None] / np.maximum(observed.sum(axis=(0, 1)), 1)
    ratio = 2 * (xlogy(observed, observed) - xlogy(observed, expected)).sum(axis=(0, 1))
    return np.sign(observed[0, 0] - expected[0, 0]) * np.sqrt(np.maximum(ratio, 0))
