"""How faithful a layer's map is: held against the decoder, the labels, principal components and random positions.

docs/geometry.md says what each measure in quality.json means. Nothing is judged here.
"""

from itertools import compress

import numpy as np
from scipy.cluster.vq import kmeans2
from scipy.spatial.distance import cdist
from threadpoolctl import threadpool_limits

from lib.files import load_npy, load_npz, save_npy, save_record
from lib.geometry.live import include_dead, restrict_to_live, select_rows
from lib.geometry.pca import principal_components
from lib.geometry.points import kept_neighbors, nearest_points
from lib.geometry.statistics import nearest_others, rank_correlation, rounded, sample_of, trustworthiness
from lib.job import job_log
from lib.labels.words import telling_words, word_matrix, word_overlap
from lib.tables import by_feature, load_columns

KS = (5, 15, 25)
# Points that count as near, for labels, strongest neighbours, trustworthiness and the share kept of each feature.
NEAR = 15
# Cosine from which a neighbour counts as strong: far above chance in any layer.
STRONG = 0.4
CLUSTERS = 60
# Pairs of the sampled features, for the rank correlation of distances.
SAMPLED_PAIRS = 100_000
# Random pairs of features, at least: how much their labels share is chance.
WORD_PAIRS = 400_000
SEED = 0


class Reference:
    """The live features of a layer, and the samples that every set of positions is measured on.

    decoder : float32 (m, d); indices, similarities : (m, k), neighbours within these rows; words : by feature, a set
    """

    def __init__(self, decoder, indices, similarities, words):
        self.indices, self.similarities = indices, similarities
        m, rng = len(decoder), np.random.default_rng(SEED)
        self.sample = sample_of(m, rng)
        rows = decoder[self.sample]
        self.distances = 1 - rows @ rows.T
        self.near = nearest_others(self.distances, NEAR)
        left, right = rng.integers(0, len(rows), (2, SAMPLED_PAIRS))
        self.pairs = left[left != right], right[left != right]
        self.words = word_matrix(words)
        apart = rng.integers(1, m, (m, -(-WORD_PAIRS // m)))
        self.overlap_by_chance = word_overlap(self.words, (np.arange(m)[:, None] + apart) % m)
        self.clusters = []
        if m >= 10 * CLUSTERS:
            # More iterations do not change the correlation beyond the noise of the start.
            _, cluster_of = kmeans2(decoder, CLUSTERS, iter=3, minit="points", check_finite=False, rng=rng)
            self.clusters = [np.flatnonzero(cluster_of == cluster) for cluster in np.unique(cluster_of)]
            centres = np.stack([decoder[members].mean(axis=0) for members in self.clusters])
            centres /= np.linalg.norm(centres, axis=1, keepdims=True)
            self.cluster_distances = 1 - centres @ centres.T

    def measure(self, coords: np.ndarray, near: np.ndarray) -> dict[str, float | None]:
        """Every measure of float (m, 3) positions; None where a layer has too few features, labels or strong pairs.

        near : as from `nearest_points`
        """
        points = coords[self.sample].astype(np.float64)
        lengths = cdist(points, points)
        pair_lengths = lengths[self.pairs]
        measures = {f"kept_{k}": kept_neighbors(self.indices, near, k).mean() for k in KS} | {
            "strongest_near": self.strongest_near(near),
            "strong_short": self.strong_short(coords, pair_lengths),
            "trustworthiness": trustworthiness(self.distances, nearest_others(lengths, NEAR)),
            "continuity": trustworthiness(lengths, self.near),
            "distance_correlation": rank_correlation(self.distances[self.pairs], pair_lengths),
            "cluster_correlation": self.cluster_correlation(coords),
            "label_agreement": self.label_agreement(near),
        }
        return rounded(measures)

    def strongest_near(self, near: np.ndarray) -> float | None:
        """Share of the nearest neighbours, where they are strong, that are among the NEAR nearest points."""
        strong = self.similarities[:, 0] >= STRONG
        if len(near) <= 4 * NEAR or not strong.any():
            return None
        return float((near[strong, :NEAR] == self.indices[strong, :1]).any(axis=1).mean())

    def strong_short(self, coords: np.ndarray, pair_lengths: np.ndarray) -> float | None:
        """Share of strong pairs that are nearer to each other than 99 of 100 random pairs are."""
        row, rank = np.nonzero(self.similarities >= STRONG)
        if not len(row):
            return None
        lengths = np.linalg.norm(coords[row] - coords[self.indices[row, rank]], axis=1)
        return float((lengths < np.percentile(pair_lengths, 1)).mean())

    def cluster_correlation(self, coords: np.ndarray) -> float | None:
        """Rank correlation of the distances between cluster centres in the decoder and in the map: global structure."""
        if not self.clusters:
            return None
        centres = np.stack([coords[members].mean(axis=0) for members in self.clusters])
        upper = np.triu_indices(len(centres), 1)
        return rank_correlation(self.cluster_distances[upper], cdist(centres, centres)[upper])

    def label_agreement(self, near: np.ndarray) -> float | None:
        """Word overlap of the labels of near points, relative to that of random pairs."""
        if np.count_nonzero(np.diff(self.words.indptr)) <= 4 * NEAR or not self.overlap_by_chance:
            return None
        return word_overlap(self.words, near[:, :NEAR]) / self.overlap_by_chance


def degree_statistics(degree: np.ndarray) -> dict:
    """Edges in all, features without one, and mean, largest and quantiles of the edges per feature."""
    quantiles = {f"p{q}": int(np.percentile(degree, q, method="nearest")) for q in (50, 90, 99)}
    return quantiles | {
        "edges": int(degree.sum()) // 2,
        "without_edge": int((degree == 0).sum()),
        "mean": float(degree.mean()),
        "largest": int(degree.max()),
    }


def measure(decoder, indices, similarities, coords, edges, labels) -> tuple[dict, np.ndarray]:
    """The contents of quality.json and kept.npy, from arrays as in decoder.npy, neighbors.npz and coords.npy.

    edges : source and target, as in edges.npz; labels : by feature, None for a feature without a label
    """
    live = np.isfinite(coords[:, 0])
    degree = np.bincount(np.concatenate(edges), minlength=len(live))[live]
    quality = {
        "features": len(degree),
        "labelled": sum(label is not None for label in compress(labels, live)),
        "degrees": degree_statistics(degree),
    }
    rows = select_rows(decoder, live)
    neighbors = restrict_to_live(indices, similarities, live)
    words = compress(telling_words(labels), live)
    positions = {
        "map": coords[live],
        "pca": principal_components(rows, SEED, iterations=5),
        "random": np.random.default_rng(SEED).normal(size=(len(rows), 3)),
    }
    # One thread: the same bytes on any number of cores.
    with threadpool_limits(1):
        reference = Reference(rows, *neighbors, list(words))
        near = {name: nearest_points(each, max(KS)) for name, each in positions.items()}
        quality |= {name: reference.measure(positions[name], near[name]) for name in positions}
        quality["exact"] = rounded({"label_agreement": reference.label_agreement(neighbors[0])})
    return quality, include_dead(kept_neighbors(neighbors[0], near["map"], NEAR).astype(np.float32), live)


if __name__ == "__main__":
    with job_log(snakemake) as log:
        files = snakemake.input
        decoder, coords, neighbors = load_npy(files.decoder), load_npy(files.coords), load_npz(files.neighbors)
        edges = load_npz(files.edges)
        labels = by_feature(load_columns(files.labels, ["index", "label"]), "label", len(decoder))
        ends = edges["source"], edges["target"]
        quality, kept = measure(decoder, **neighbors, coords=coords, edges=ends, labels=labels)
        log.info("map: %s", quality["map"])
        save_npy(snakemake.output.kept, kept)
        save_record(snakemake.output.quality, quality)
