"""Regions of a map: where features crowd, and what their labels say more often than the layer's do."""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree
from scipy.special import xlogy

from lib.labels.words import words_of

CLAUSE = re.compile(r"[^;,(]*")  # of a label, what comes before the first "also", example or alternative
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
    seen = np.array(
        [[inside, labels - inside], [everywhere - inside, all_labels - labels - everywhere + inside]]
    )
    expected = seen.sum(axis=0) * seen.sum(axis=1)[:, None] / all_labels
    ratio = 2 * (xlogy(seen, seen) - xlogy(seen, expected)).sum(axis=(0, 1))
    return np.where(inside * all_labels > everywhere * labels, ratio, 0.0)


def telling_words(
    words: list[set[str] | None], members: np.ndarray, layer: Counter, labels: int
) -> list[tuple[float, str]]:
    """What the labels of a region say far more often than those of the layer: surprise and word, the best first.

    Parameters
    ----------
    words : by feature, the words of its label; None for a feature without a label
    layer : how many of the layer's labels hold each word
    labels : labels of the layer
    """
    labelled = [words[member] for member in members if words[member] is not None]
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
    stem = max(3, min(len(one), len(other)) - 2)
    return one[:stem] == other[:stem]


def regions(
    coords: np.ndarray,
    labels: list[str | None],
    edges: tuple[np.ndarray, np.ndarray, np.ndarray],
    numbers: np.ndarray,
    size: int,
    drawable: Callable[[str], bool] = lambda text: True,
) -> list[Region]:
    """The regions of a map with their names, no name twice: those with the most telling words first, then the densest.

    Parameters
    ----------
    coords : float32 (m, 3), the live features
    labels : by feature, None for none
    edges : source and target, int (e,), among these features, and weight, float32 (e,)
    numbers : int (m,), the features' indices in the layer, which name what has no label
    size : features of a region
    drawable : whether a text may be a name
    """
    words = [None if label is None else set(filter(drawable, words_of(label))) for label in labels]
    labelled = [each for each in words if each is not None]
    layer = Counter(word for each in labelled for word in each)
    told = [
        (telling_words(words, members, layer, len(labelled)), members) for members in crowds(coords, size)
    ]
    told.sort(key=lambda each: -each[0][0][0] if each[0] else 0.0)
    named: dict[str, Region] = {}
    for best, members in told:
        if best:
            (score, first), *rest = best
            second = next((word for other, word in rest if other > score / 2 and not akin(first, word)), None)
            region = Region(members, ", ".join(filter(None, (first, second))), True)
        else:
            first = _best_linked(members, labels, edges, drawable) or f"#{numbers[members[0]]}"
            region = Region(members, first, False)
        named.setdefault(first, region)
    return list(named.values())


def _best_linked(members, labels, edges, drawable) -> str | None:
    """How the label begins of the member with the strongest edges to the others, of those that begin with words."""
    place = np.full(len(labels), -1)
    place[members] = np.arange(len(members))
    source, target = place[edges[0]], place[edges[1]]
    within = (source >= 0) & (target >= 0)
    ends = np.concatenate([source[within], target[within]])
    strength = np.bincount(ends, np.tile(edges[2][within], 2), len(members))
    for member in members[np.argsort(-strength, kind="stable")]:
        beginning = CLAUSE.match(labels[member] or "")[0].strip()
        if words_of(beginning) and drawable(beginning):
            return shortened(beginning)
    return None


def shortened(text: str, longest: int = LONGEST) -> str:
    """A text of at most `longest` characters, with an ellipsis where it was longer."""
    return text if len(text) <= longest else f"{text[: longest - 1].rstrip(' ,;:')}…"
