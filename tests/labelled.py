"""A synthetic layer with labels: overlapping topics as in a real SAE, phrases as language models write them."""

import numpy as np

from fetch_decoder import unit_rows

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
FEATURES_PER_TOPIC = 680
CONCEPTS_PER_TOPIC = 60
WORDS_PER_TOPIC = 90
UNRELATED = 0.15  # share of the labels that say nothing of their features


def made_up_words(count: int, rng: np.random.Generator) -> np.ndarray:
    """Different words of three syllables, none a word of the phrases."""
    syllables = np.char.add(*(part.ravel() for part in np.meshgrid(ONSETS, RHYMES)))
    chosen = rng.choice(len(syllables) ** 3, count, replace=False)
    parts = np.stack(np.unravel_index(chosen, [len(syllables)] * 3), axis=1)
    return np.array(["".join(syllables[row]) for row in parts])


def labelled_layer(n: int, d: int, seed: int = 0) -> tuple[np.ndarray, list[str]]:
    """A decoder, float32 (n, d) with rows of norm 1, and a label for every feature.

    A feature has a topic and a mixture of concepts, most of them of that topic; a large part of its row is its own. Its
    label names its strongest concept and another of its concepts in a phrase. A concept is called by two words of its
    topic's vocabulary, in singular or plural, and topics share some words.
    """
    rng = np.random.default_rng(seed)
    topics = max(3, n // FEATURES_PER_TOPIC)
    concepts = topics * CONCEPTS_PER_TOPIC
    spectrum = ((1.0 + np.arange(d)) ** -0.3).astype(np.float32)
    spectrum /= np.sqrt((spectrum**2).sum())

    def directions(count: int) -> np.ndarray:
        return rng.standard_normal((count, d), dtype=np.float32) * spectrum

    topic_rows = directions(topics)
    topic_of = np.repeat(np.arange(topics), CONCEPTS_PER_TOPIC)
    concept_rows = np.float32(0.6) * topic_rows[topic_of] + directions(concepts)
    words = made_up_words(topics * WORDS_PER_TOPIC, rng).reshape(topics, -1)
    # A tenth of each vocabulary is everybody's.
    words[:, : WORDS_PER_TOPIC // 10] = words[0, : WORDS_PER_TOPIC // 10]
    names = words[topic_of[:, None], rng.integers(0, WORDS_PER_TOPIC, (concepts, 2))]

    own = rng.integers(0, topics, n)
    near = CONCEPTS_PER_TOPIC * own[:, None] + np.minimum(
        (CONCEPTS_PER_TOPIC * rng.random((n, 4)) ** 1.5).astype(int), CONCEPTS_PER_TOPIC - 1
    )
    chosen = np.where(rng.random((n, 4)) < 0.7, near, rng.integers(0, concepts, (n, 4)))
    strength = (0.42 * rng.gamma(2, 0.5, (n, 4)) * 0.75 ** np.arange(4)).astype(np.float32)
    rows = directions(n) + np.float32(0.35) * topic_rows[own]
    for rank in range(4):
        rows += strength[:, rank, None] * concept_rows[chosen[:, rank]]

    # The concepts that a label names, of unrelated labels any two.
    strongest = np.take_along_axis(chosen, np.argsort(-strength, axis=1)[:, :2], axis=1)
    said = np.where(rng.random((n, 1)) < UNRELATED, rng.integers(0, concepts, (n, 2)), strongest)
    spoken = names[said, rng.integers(0, 2, (n, 2))]
    plural = np.where(rng.random((n, 2)) < 0.3, np.char.add(spoken, "s"), spoken)
    phrases = rng.integers(0, len(PHRASES), n)
    labels = [PHRASES[phrase].format(*pair) for phrase, pair in zip(phrases.tolist(), plural.tolist(), strict=True)]
    return unit_rows(rows)[0], labels
