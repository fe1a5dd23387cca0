"""Regions of a map: where features crowd, and what their labels say more often than the layer's do."""

import re
from collections import Counter
from dataclasses import dataclass
from os.path import commonprefix

import numpy as np
from scipy.spatial import cKDTree
from scipy.special import xlogy

WORDS = re.compile(r"[^\W\d_]{3,}")
CHUNK = 10_000  # features whose neighbours are looked at together: bounds the memory
LEAST_TIMES = 3  # labels of a region that must share a word
LEAST_SHARE = 0.1  # the same, as a share of its labels
LEAST_SURPRISE = 15.0  # G² of a word: by chance one in 10,000 reaches it
LONGEST = 26  # characters of a label that stands for a region


@dataclass(frozen=True)
class Region:
    """A crowd of features. `members` : int (r,), the densest first. `shared` : whether `name` is a word or two that its
    labels share, or else one feature's label or number."""

    members: np.ndarray
    name: str
    shared: bool


def volumes(coords: np.ndarray, k: int) -> np.ndarray:
    """Cube of the distance to the k-th nearest other point (the farthest, where there are fewer): float64 (m,).

    Density is its reciprocal. Where points coincide it is that of the closest points that do not.
    """
    distance = cKDTree(coords).query(coords, [min(k + 1, len(coords))])[0][:, 0]
    apart = distance[distance > 0]
    return np.maximum(distance, apart.min() if len(apart) else 1.0) ** 3


def crowds(coords: np.ndarray, size: int) -> list[np.ndarray]:
    """The `size` features around each peak of density, the peak first; the densest crowd first.

    A peak is a feature whose `size`-th neighbour is nearer than that of any of these neighbours is to it.

    Parameters
    ----------
    coords : float32 (m, 3), finite
    """
    k = min(size, len(coords))
    order = np.argsort(volumes(coords, k - 1), kind="stable")
    rank = np.empty(len(coords), np.int64)
    rank[order] = np.arange(len(coords))
    tree, found = cKDTree(coords), {}
    for start in range(0, len(coords), CHUNK):
        own = rank[start : start + CHUNK]
        near = tree.query(coords[start : start + CHUNK], k)[1].reshape(len(own), -1)
        for row in np.flatnonzero(rank[near].min(axis=1) >= own):
            found[own[row]] = near[row]
    return [found[rank] for rank in sorted(found)]


def surprise(inside: np.ndarray, labels: int, everywhere: np.ndarray, all_labels: int) -> np.ndarray:
    """How unlikely it is by chance that words are as frequent in a region: the log-likelihood ratio G² (Dunning, 1993).

    Parameters
    ----------
    inside, everywhere : int (w,), labels of the region, and of the layer, that hold each word
    labels, all_labels : labels of the region, and of the layer

    Returns
    -------
    float (w,), 0 for words that are no more frequent in the region than in the layer.
    """
    inside, everywhere = np.asarray(inside, float), np.asarray(everywhere, float)
    seen = np.array([[inside, labels - inside], [everywhere - inside, all_labels - labels - everywhere + inside]])
    expected = seen.sum(axis=0) * seen.sum(axis=1)[:, None] / all_labels
    ratio = 2 * (xlogy(seen, seen) - xlogy(seen, expected)).sum(axis=(0, 1))
    return np.where(inside * all_labels > everywhere * labels, ratio, 0.0)


def telling_words(words: list[set[str]], members: np.ndarray, layer: Counter, labels: int) -> list[tuple[float, str]]:
    """What the labels of a region say far more often than those of the layer: surprise and word, the best first.

    Parameters
    ----------
    words : by feature, the words of its label
    layer : how many of the layer's labels hold each word
    labels : labels of the layer
    """
    labelled = [words[member] for member in members if words[member]]
    found = Counter(word for each in labelled for word in each)
    least = max(LEAST_TIMES, LEAST_SHARE * len(labelled))
    often = sorted(word for word, times in found.items() if times >= least)
    if not often:
        return []
    counts = np.array([(found[word], layer[word]) for word in often])
    scores = surprise(counts[:, 0], len(labelled), counts[:, 1], labels)
    told = sorted((-score, word) for score, word in zip(scores.tolist(), often, strict=True))
    return [(-score, word) for score, word in told if -score >= LEAST_SURPRISE]


def akin(one: str, other: str) -> bool:
    """Whether two words look like forms of one: vote, voting."""
    return len(commonprefix([one, other])) >= max(3, min(len(one), len(other)) - 2)


def regions(coords, labels: list[str | None], strength, numbers, size: int, drawable=lambda text: True) -> list[Region]:
    """The regions of a map with their names, no two of the same first word: the best told first.

    Parameters
    ----------
    coords : float32 (m, 3), the live features
    labels : by feature, None for none
    strength : float (m,), the sum of a feature's edge weights
    numbers : int (m,), the features' indices in the layer, which name what has no label
    size : features of a region
    drawable : whether a text may be a name
    """
    words = [{word for word in WORDS.findall((label or "").lower()) if drawable(word)} for label in labels]
    layer = Counter(word for each in words for word in each)
    n_labels = sum(map(bool, words))
    told, others, used = [], [], set()
    for members in crowds(coords, size):
        if best := telling_words(words, members, layer, n_labels):
            told.append((best, members))
        else:
            others.append(Region(members, _best_linked(members, labels, strength, numbers, drawable), False))
    named = []
    for best, members in sorted(told, key=lambda each: -each[0][0][0]):
        (score, first), *rest = best
        if first in used:
            continue
        used.add(first)
        second = next((word for other, word in rest if other > score / 2 and not akin(first, word)), None)
        named.append(Region(members, ", ".join(filter(None, (first, second))), True))
    return named + others


def _best_linked(members, labels, strength, numbers, drawable) -> str:
    """The label of the member with the strongest edges that has one; without labels the member's number."""
    by_strength = members[np.argsort(-strength[members], kind="stable")]
    for member in by_strength:
        if labels[member] and drawable(labels[member]):
            return shortened(labels[member])
    return f"#{numbers[by_strength[0]]}"


def shortened(text: str, longest: int = LONGEST) -> str:
    """A text of at most `longest` characters, with an ellipsis where it was longer."""
    return text if len(text) <= longest else f"{text[: longest - 1].rstrip(' ,;:')}…"
