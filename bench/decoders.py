"""Decoders to measure on: the demo's, and synthetic ones of full size with the structure of a real SAE's.

Real decoders are no tidy clusters: a feature belongs to a topic and several overlapping concepts, and much of its row
is its own. `synthetic` draws rows like that. Its default is as hard to lay out as real decoders of 16,384 features: the
original's method keeps 6 % of the 15 nearest neighbours, as it does on a real SAE on 384 dimensions.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from fetch_decoder import unit_rows
from lib.labels.explanations import feature_table, local_rows
from lib.labels.export_files import label_files

ROOT = Path(__file__).resolve().parents[1]

TOPICS = 24
CONCEPTS = 5000
MEMBERSHIPS = 4
# From each synthetic layer to the next: share of the rows that end, and of those that begin; share of the latter that
# split off a row that goes on.
REPLACED = 0.12
SPLIT = 0.5

DEMO = ROOT / "resources" / "demo"
DEMO_LAYERS = 6


def synthetic(n: int, d: int, seed: int = 0) -> np.ndarray:
    """float32 (n, d), rows of norm 1: topic + overlapping concepts, few of them common and many rare + its own part."""
    rng = np.random.default_rng(seed)
    spectrum = (1.0 + np.arange(d)) ** -0.3
    spectrum /= np.sqrt((spectrum**2).mean() * d)

    def directions(count: int) -> np.ndarray:
        return rng.standard_normal((count, d), dtype=np.float32) * spectrum.astype(np.float32)

    topics = directions(TOPICS)
    topic_of = rng.integers(0, TOPICS, CONCEPTS)
    concepts = np.float32(0.6) * topics[topic_of] + directions(CONCEPTS)
    of_topic = [np.flatnonzero(topic_of == topic) for topic in range(TOPICS)]
    share = (np.arange(CONCEPTS) + 20.0) ** -0.6
    own = rng.integers(0, TOPICS, n)
    rows = directions(n) + np.float32(0.35) * topics[own]
    for rank in range(MEMBERSHIPS):
        anywhere = rng.choice(CONCEPTS, n, p=share / share.sum())
        near = np.array([of_topic[topic][rng.integers(len(of_topic[topic]))] for topic in own])
        chosen = np.where(rng.random(n) < 0.6, near, anywhere)
        strength = 0.42 * rng.gamma(2, 0.5, (n, 1)) * 0.75**rank
        rows += strength.astype(np.float32) * concepts[chosen]
    return unit_rows(rows)[0]


def synthetic_layers(
    layers: int, n: int, d: int, seed: int = 0
) -> Iterator[tuple[np.ndarray, np.ndarray | None, np.ndarray | None]]:
    """Layers of a model, in which most features go on from layer to layer: each decoder, and where its rows come from.

    From one layer to the next, REPLACED of the rows end and as many begin; the others turn towards a random row, to a
    cosine between 0.45 and 0.95, a fifth of them below 0.6. SPLIT of those that begin are turned likewise from rows
    that go on, so that some features have two successors, of which the truth is one. Every layer has its own order.

    Yields float32 (n, d), rows of norm 1; int (n,), the row of the layer before that each goes on from, -1 if it
    begins; float (n,), the cosine to it. Of the first layer the last two are None.
    """
    rng = np.random.default_rng([seed, layers])
    rows = synthetic(n, d, seed)
    yield rows, None, None
    for layer in range(1, layers):
        fresh = synthetic(n, d, seed + layer)
        origin, cosine = rng.permutation(n), 0.45 + 0.5 * rng.beta(2, 2, n)
        born, split = round(REPLACED * n), round(SPLIT * REPLACED * n)
        parent = origin.copy()
        origin[:born] = parent[:born] = -1
        parent[:split] = rng.choice(origin[born:], split)
        order = rng.permutation(n)
        origin, parent = origin[order], parent[order]
        turned = np.flatnonzero(parent >= 0)
        before, aside = rows[parent[turned]], fresh[turned]
        aside -= (before * aside).sum(axis=1, keepdims=True) * before
        angle = np.arccos(cosine[turned, None]).astype(np.float32)
        fresh[turned] = np.cos(angle) * before + np.sin(angle) * unit_rows(aside)[0]
        rows = unit_rows(fresh)[0]
        yield rows, origin, cosine


def random_directions(n: int, d: int, seed: int) -> np.ndarray:
    """float32 (n, d), rows of norm 1 in all directions alike: a decoder without any structure."""
    return unit_rows(np.random.default_rng(seed).standard_normal((n, d), dtype=np.float32))[0]


def random_rows_like(decoder: np.ndarray, seed: int) -> np.ndarray:
    """Rows of norm 1 that share a decoder's number, mean and covariance, and nothing else: float32 (n, d)."""
    rng = np.random.default_rng(seed)
    mean, covariance = decoder.mean(axis=0), np.cov(decoder, rowvar=False)
    return unit_rows(rng.multivariate_normal(mean, covariance, len(decoder), method="cholesky").astype(np.float32))[0]


def demo(layer: int) -> np.ndarray:
    """A layer of the bundled model: float32 (2048, 384)."""
    with np.load(DEMO / f"layer_{layer}" / "params.npz") as file:
        return unit_rows(file["W_dec"])[0]


def demo_labels(layer: int) -> list[str | None]:
    """The labels of its features."""
    features = feature_table(local_rows(label_files(DEMO / f"layer_{layer}")), 2048)
    labels = features["label"].reindex(range(2048))
    return labels.where(labels.notna(), None).tolist()
