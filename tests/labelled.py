"""A synthetic layer with labels, and the test of names on labels that they were not made from.

Topics overlap as in a real SAE, and labels are phrases as language models write them.
"""

import numpy as np

from fetch_decoder import unit_rows
from lib.labels.names import region_words
from lib.labels.words import words_of

# What explainers write around the words that matter, {} and {}.
PHRASES = (
    "references to {} and {}",
    "terms related to {} or {}",
    "mentions of {}, especially {}",
    "words and phrases about {} in the context of {}",
    "instances of the word {}, also {}",
    "phrases that describe {} within {}",
    "various forms of {} and related {}",
    "specific {} associated with {}",
)
# And before them, in half of the labels.
ADJECTIVES = ("common", "various", "certain", "formal", "particular", "different", "frequent", "explicit", "repeated")
ONSETS = (
    "b",
    "br",
    "d",
    "dr",
    "f",
    "g",
    "gl",
    "k",
    "kr",
    "l",
    "m",
    "n",
    "p",
    "pl",
    "r",
    "s",
    "st",
    "t",
    "tr",
    "v",
    "z",
)
RHYMES = ("a", "an", "ar", "e", "el", "en", "i", "il", "in", "o", "ol", "or", "u", "un", "ur")
TOPICS = 24
FEATURES_PER_CONCEPT, FEATURES_PER_WORD = 11, 7
MEMBERSHIPS = 4
# Share of the labels that say nothing of their features.
UNRELATED = 0.2


def made_up_words(count: int, rng: np.random.Generator) -> np.ndarray:
    """Different words of three syllables, none of them a word of `PHRASES`."""
    syllables = np.char.add(*(part.ravel() for part in np.meshgrid(ONSETS, RHYMES)))
    chosen = rng.choice(len(syllables) ** 3, count, replace=False)
    parts = np.stack(np.unravel_index(chosen, [len(syllables)] * 3), axis=1)
    return np.array(["".join(syllables[row]) for row in parts])


def labelled_layer(n: int, d: int, seed: int = 0) -> tuple[np.ndarray, list[str]]:
    """A decoder, float32 (n, d) with rows of norm 1, and a label for every feature; n from some 1,000.

    A feature has a topic and a mixture of concepts, most of them of that topic; a large part of its row is its own. Its
    label names its strongest concept and another of its concepts in a phrase. A concept goes by two words of its
    topic's vocabulary, in singular or plural, and topics share some words.
    """
    rng = np.random.default_rng(seed)
    per_topic, words_per_topic = (n // (TOPICS * each) for each in (FEATURES_PER_CONCEPT, FEATURES_PER_WORD))
    spectrum = ((1.0 + np.arange(d)) ** -0.3).astype(np.float32)
    spectrum /= np.sqrt((spectrum**2).sum())

    def directions(count: int) -> np.ndarray:
        return rng.standard_normal((count, d), dtype=np.float32) * spectrum

    topics, topic_of = directions(TOPICS), np.repeat(np.arange(TOPICS), per_topic)
    concepts = np.float32(0.6) * topics[topic_of] + directions(len(topic_of))
    vocabulary = made_up_words(TOPICS * words_per_topic, rng).reshape(TOPICS, -1)
    # A tenth of each topic's words are everybody's.
    vocabulary[:, : words_per_topic // 10] = vocabulary[0, : words_per_topic // 10]
    names = vocabulary[topic_of[:, None], rng.integers(0, words_per_topic, (len(concepts), 2))]

    shape = n, MEMBERSHIPS
    own = rng.integers(0, TOPICS, n)
    # Of a topic's concepts few are common and many rare.
    near = per_topic * own[:, None] + (per_topic * rng.random(shape) ** 1.5).astype(int)
    chosen = np.where(rng.random(shape) < 0.8, near, rng.integers(0, len(concepts), shape))
    strength = (0.42 * rng.gamma(2, 0.5, shape) * 0.75 ** np.arange(MEMBERSHIPS)).astype(np.float32)
    rows = directions(n) + np.float32(0.35) * topics[own]
    for rank in range(MEMBERSHIPS):
        rows += strength[:, rank, None] * concepts[chosen[:, rank]]

    # The concepts that a label names; of an unrelated label any two.
    strongest = np.take_along_axis(chosen, np.argsort(-strength, axis=1)[:, :2], axis=1)
    named = np.where(rng.random((n, 1)) < UNRELATED, rng.integers(0, len(concepts), (n, 2)), strongest)
    words = names[named, rng.integers(0, 2, (n, 2))]
    words = np.where(rng.random((n, 2)) < 0.3, np.char.add(words, "s"), words)
    before = np.where(rng.random(n) < 0.5, np.char.add(rng.choice(ADJECTIVES, n), " "), "")
    phrases = np.char.add(before, rng.choice(PHRASES, n))
    labels = [phrase.format(*pair) for phrase, pair in zip(phrases.tolist(), words.tolist(), strict=True)]
    return unit_rows(rows)[0], labels


def held_out(labels: list[str | None], rows: np.ndarray, levels: np.ndarray, seed: int = 0) -> list[dict[str, float]]:
    """What names are worth on labels that they were not made from, per level.

    The regions are named from a random half of the features. `coverage` is the share of the other half in regions with
    a name, `own` the share of their labels that hold a word of the name, `other` the same for names of other regions
    of that level, 20 for each label.
    """
    rng = np.random.default_rng(seed)
    half = rng.random(len(labels)) < 0.5
    seen = [label if use else None for label, use in zip(labels, half, strict=True)]
    held = [(feature, words_of(labels[feature])) for feature in np.flatnonzero(~half) if labels[feature]]
    figures = []
    for names, regions in zip(region_words(seen, rows, half, levels), levels.T, strict=True):
        named = [region for region, words in enumerate(names) if words]
        tried = [(regions[feature], words) for feature, words in held if names[regions[feature]]]
        own = [not words.isdisjoint(names[region]) for region, words in tried]
        other = [
            not words.isdisjoint(names[another])
            for region, words in tried
            for another in rng.choice(named, 20)
            if another != region
        ]
        means = {name: float(np.mean(each)) if each else 0.0 for name, each in (("own", own), ("other", other))}
        figures.append({"coverage": len(tried) / max(len(held), 1)} | means)
    return figures
