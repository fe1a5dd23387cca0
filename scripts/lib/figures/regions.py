"""Regions of a map: the features around peaks of density, named by words over-represented in their labels."""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree
from scipy.special import xlogy

from lib.labels.words import words_of

CLAUSE = re.compile(r"[^;,(]*")  # of a label, what comes before the first "also", example or alternative
CHUNK = 10_000  # features queried at once, to bound memory
MIN_LABELS = 3  # labels of a region that must share a word for it to become the name
MIN_SHARE = 0.1  # the same, as a share of the region's labels
MIN_RATIO = 15.0  # log-likelihood ratio of such a word: one in 10,000 reaches it by chance
MAX_LENGTH = 26  # characters of a label used as a name


@dataclass(frozen=True)
class Region:
    """The features around a peak of density, and a name for them.

    Attributes
    ----------
    members : int (r,), the peak first, then by distance from it
    name : one or two words that the labels share, or one feature's label or number
    shared : whether the name is words that the labels share
    """

    members: np.ndarray
    name: str
    shared: bool


def volumes(coords: np.ndarray, k: int) -> np.ndarray:
    """Cube of the distance to the k-th nearest other point, or to the farthest if there are fewer: float64 (m,).

    Its reciprocal is the density. Coinciding points get the smallest distance above 0 of all points.
    """
    distance = cKDTree(coords).query(coords, [min(k + 1, len(coords))])[0][:, 0]
    apart = distance[distance > 0]
    return np.maximum(distance, apart.min() if len(apart) else 1.0) ** 3


def dense_regions(coords: np.ndarray, size: int) -> list[np.ndarray]:
    """Return the `size` features around each peak of density, the peak first; the densest region first.

    A peak is a feature that is denser than its `size` - 1 nearest neighbours.

    Parameters
    ----------
    coords : float32 (m, 3), finite
    """
    k = min(size, len(coords))
    tree, reach = cKDTree(coords), np.empty(len(coords))
    near = np.empty((len(coords), k), np.int32)
    for start in range(0, len(coords), CHUNK):
        rows = slice(start, start + CHUNK)
        distances, near[rows] = tree.query(coords[rows], np.arange(1, k + 1))
        reach[rows] = distances[:, -1]
    order = np.argsort(reach, kind="stable")
    rank = np.empty(len(coords), np.int32)
    rank[order] = np.arange(len(coords), dtype=np.int32)
    return [near[row] for row in order if rank[near[row]].min() >= rank[row]]


def log_likelihood_ratio(in_region, region_labels: int, in_layer, layer_labels: int) -> np.ndarray:
    """G² (Dunning, 1993): how unlikely it is that words are this frequent in a region by chance, float (w,).

    It is 0 for words that are no more frequent in the region than in the layer. Of `region_labels` and `layer_labels`
    labels in the region and in the layer, `in_region` and `in_layer`, int (w,), have each word.
    """
    a, b = np.asarray(in_region, float), np.asarray(in_layer, float)
    observed = np.array([[a, region_labels - a], [b - a, layer_labels - region_labels - b + a]])
    expected = observed.sum(axis=0) * observed.sum(axis=1)[:, None] / layer_labels
    ratio = 2 * (xlogy(observed, observed) - xlogy(observed, expected)).sum(axis=(0, 1))
    return np.where(a * layer_labels > b * region_labels, ratio, 0.0)


def distinctive_words(
    words: list[set[str] | None], members: np.ndarray, layer: Counter, layer_labels: int
) -> list[tuple[float, str]]:
    """Words over-represented in the labels of a region, as (log-likelihood ratio, word), best first.

    Parameters
    ----------
    words : by feature, the words of its label; None for a feature without a label
    members : int (r,), the features of the region
    layer : the number of the layer's labels with each word
    layer_labels : the number of labels in the layer
    """
    labelled = [words[member] for member in members if words[member] is not None]
    counts = Counter(word for each in labelled for word in each)
    least = max(MIN_LABELS, MIN_SHARE * len(labelled))
    frequent = sorted(word for word, count in counts.items() if count >= least)
    if not frequent:
        return []
    in_region, in_layer = np.array([(counts[word], layer[word]) for word in frequent]).T
    ratios = log_likelihood_ratio(in_region, len(labelled), in_layer, layer_labels).tolist()
    ranked = sorted(zip(ratios, frequent, strict=True), key=lambda each: (-each[0], each[1]))
    return [(ratio, word) for ratio, word in ranked if ratio >= MIN_RATIO]


def same_stem(one: str, other: str) -> bool:
    """Whether two words look like forms of the same word, such as vote and voting."""
    stem = max(3, min(len(one), len(other)) - 2)
    return one[:stem] == other[:stem]


def regions(coords, labels, edges, numbers, size: int, drawable: Callable = lambda text: True) -> list[Region]:
    """Return the regions of a map under unique names: the most distinctive words first, then the densest regions.

    Parameters
    ----------
    coords : float32 (m, 3), the live features
    labels : by feature, None for a feature without a label
    edges : source and target, int (e,), positions in `coords`; weight, float32 (e,)
    numbers : int (m,), the features' indices in the layer, used as names of regions without labels
    size : features per region
    drawable : whether the figure can show a text
    """
    words = [None if label is None else set(filter(drawable, words_of(label))) for label in labels]
    labelled = [each for each in words if each is not None]
    layer = Counter(word for each in labelled for word in each)
    ranked = [
        (distinctive_words(words, members, layer, len(labelled)), members) for members in dense_regions(coords, size)
    ]
    ranked.sort(key=lambda each: -each[0][0][0] if each[0] else 0.0)
    named: dict[str, Region] = {}
    for distinctive, members in ranked:
        if distinctive:
            (best, first), *rest = distinctive
            others = (word for ratio, word in rest if ratio > best / 2 and not same_stem(first, word))
            second = next(others, None)
            region = Region(members, ", ".join(filter(None, (first, second))), True)
        else:
            first = _best_linked(members, labels, edges, drawable) or f"#{numbers[members[0]]}"
            region = Region(members, first, False)
        named.setdefault(first, region)
    return list(named.values())


def _best_linked(members, labels, edges, drawable) -> str | None:
    """Return how the label of the best-linked member begins, among those whose labels begin with words."""
    position = np.full(len(labels), -1)
    position[members] = np.arange(len(members))
    source, target = position[edges[0]], position[edges[1]]
    within = (source >= 0) & (target >= 0)
    ends = np.concatenate([source[within], target[within]])
    strength = np.bincount(ends, np.tile(edges[2][within], 2), len(members))
    for member in members[np.argsort(-strength, kind="stable")]:
        beginning = CLAUSE.match(labels[member] or "")[0].strip()
        if words_of(beginning) and drawable(beginning):
            return shortened(beginning)
    return None


def shortened(text: str, length: int = MAX_LENGTH) -> str:
    """Cut a text to at most `length` characters, ending in an ellipsis if anything was cut."""
    return text if len(text) <= length else f"{text[: length - 1].rstrip(' ,;:')}…"
