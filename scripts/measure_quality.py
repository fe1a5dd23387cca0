"""How far position is meaning: a layer's map held against the decoder, its labels, a PCA, and positions by chance.

quality.json holds every measure for the map (`map`), for the first three principal components (`pca`) and for random
positions (`random`). A map below a floor of the configuration fails the job, and so is not published. What each
measure means: docs/geometry.md.
"""

import re
from collections import Counter

import numpy as np
import pyarrow.parquet as pq
from scipy.spatial import cKDTree
from scipy.stats import spearmanr
from sklearn.cluster import MiniBatchKMeans
from sklearn.manifold import trustworthiness
from threadpoolctl import threadpool_limits

from lib.files import save_record
from lib.geometry.layout import among_the_living, principal_components
from lib.job import job_log

KS = (5, 15, 25)
NEAR = 15  # points that count as near for labels and strong neighbours
STRONG = 0.4  # cosine from which a neighbour counts as strong: far above chance in any layer
CLUSTERS = 60
SAMPLED_FEATURES = 2000  # for trustworthiness and continuity: their cost grows with the square
SAMPLED_PAIRS = 100_000  # for the rank correlation of distances
SEED = 0
WORDS = re.compile(r"[^\W\d_]{3,}")


class Space:
    """The features of a layer where they are measured: live ones alone, with what every set of positions shares.

    decoder : float32 (m, d); indices, similarities : (m, k), neighbours within these rows; words : by feature, a set
    """

    def __init__(self, decoder, indices, similarities, words):
        self.decoder, self.indices, self.similarities, self.words = decoder, indices, similarities, words
        self.rng = np.random.default_rng(SEED)
        m = len(decoder)
        left, right = self.rng.integers(0, m, (2, SAMPLED_PAIRS))
        self.pairs = left[left != right], right[left != right]
        self.pair_distances = 1 - cosines(decoder, *self.pairs)
        self.sample = np.sort(self.rng.permutation(m)[:SAMPLED_FEATURES])
        self.shuffled = self.rng.permutation(m)
        self.clusters = None
        if m >= 10 * CLUSTERS:
            means = MiniBatchKMeans(CLUSTERS, n_init=1, batch_size=4096, max_iter=20, random_state=SEED)
            self.clusters = means.fit_predict(decoder)

    def measure(self, coords: np.ndarray) -> dict[str, float | None]:
        """Every measure of float32 (m, 3) positions; None where the layer is too small, or knows too little, for it."""
        near = nearest_points(coords, max(KS))
        pair_lengths = np.linalg.norm(coords[self.pairs[0]] - coords[self.pairs[1]], axis=1)
        measures = {f"kept_{k}": self.kept(near, k) for k in KS}
        return measures | {
            "strongest_near": self.strongest_near(near),
            "strong_short": self.strong_short(coords, pair_lengths),
            "trustworthiness": self.trust(self.decoder, coords),
            "continuity": self.trust(coords, self.decoder),
            "distance_correlation": correlation(self.pair_distances, pair_lengths),
            "cluster_correlation": self.cluster_correlation(coords),
            "label_agreement": self.label_agreement(near),
        }

    def kept(self, near: np.ndarray, k: int) -> float | None:
        """Share of the features' k nearest neighbours that are among their k nearest points."""
        if len(near) <= 4 * k or self.indices.shape[1] < k:
            return None  # every point would be near every other
        return float((self.indices[:, :k, None] == near[:, None, :k]).any(axis=2).mean())

    def strongest_near(self, near: np.ndarray) -> float | None:
        """Share of strong nearest neighbours that are among the NEAR nearest points."""
        strong = self.similarities[:, 0] >= STRONG
        if len(near) <= 4 * NEAR or not strong.any():
            return None
        return float((near[strong, :NEAR] == self.indices[strong, :1]).any(axis=1).mean())

    def strong_short(self, coords: np.ndarray, pair_lengths: np.ndarray) -> float | None:
        """Share of strong pairs that are nearer to each other than 99 of 100 random pairs are."""
        row, place = np.nonzero(self.similarities >= STRONG)
        if not len(row):
            return None
        lengths = np.linalg.norm(coords[row] - coords[self.indices[row, place]], axis=1)
        return float((lengths < np.percentile(pair_lengths, 1)).mean())

    def trust(self, truth: np.ndarray, shown: np.ndarray) -> float | None:
        """Trustworthiness of `shown` for `truth` among the sampled features (Venna and Kaski, 2001)."""
        if len(self.sample) <= 4 * NEAR:
            return None
        return float(trustworthiness(truth[self.sample], shown[self.sample], n_neighbors=NEAR))

    def cluster_correlation(self, coords: np.ndarray) -> float | None:
        """Rank correlation of the distances between the centres of coarse clusters: the map at large."""
        if self.clusters is None:
            return None
        members = [self.clusters == cluster for cluster in np.unique(self.clusters)]
        upper = np.triu_indices(len(members), 1)
        means = np.stack([self.decoder[rows].mean(axis=0) for rows in members])
        means /= np.linalg.norm(means, axis=1, keepdims=True)
        centres = np.stack([coords[rows].mean(axis=0) for rows in members])
        return correlation(
            (1 - means @ means.T)[upper], np.linalg.norm(centres[:, None] - centres, axis=2)[upper]
        )

    def label_agreement(self, near: np.ndarray) -> float | None:
        """Mean overlap of words (Jaccard) of labels of near points, over that of labels dealt at random."""
        labelled = [row for row, words in enumerate(self.words) if words]
        if len(labelled) <= 4 * NEAR:
            return None
        dealt = [self.words[row] for row in self.shuffled]
        by_chance = overlap(dealt, near[:, :NEAR])
        return overlap(self.words, near[:, :NEAR]) / by_chance if by_chance else None


def nearest_points(coords: np.ndarray, k: int) -> np.ndarray:
    """The k nearest others of each point, by ascending distance; int (m, k), fewer columns where there are fewer."""
    m = len(coords)
    _, near = cKDTree(coords).query(coords, min(k + 1, m))
    near = near.reshape(m, -1)
    itself_first = np.argsort(
        near != np.arange(m)[:, None], axis=1, kind="stable"
    )  # not so where points coincide
    return np.take_along_axis(near, itself_first, axis=1)[:, 1:]


def cosines(decoder: np.ndarray, left: np.ndarray, right: np.ndarray, chunk: int = 2000) -> np.ndarray:
    """Cosines of pairs of rows, few at a time: the rows of all pairs would take more memory than the decoder."""
    parts = range(0, len(left), chunk)
    products = [
        np.einsum("ij,ij->i", decoder[left[i : i + chunk]], decoder[right[i : i + chunk]]) for i in parts
    ]
    return np.concatenate([np.empty(0, decoder.dtype), *products])


def overlap(words: list[set[str]], near: np.ndarray) -> float:
    """Mean Jaccard overlap of the words of each labelled feature and of its labelled near ones."""
    shares = [
        len(words[row] & words[other]) / len(words[row] | words[other])
        for row, others in enumerate(near.tolist())
        if words[row]
        for other in others
        if words[other]
    ]
    return float(np.mean(shares)) if shares else 0.0


def correlation(left: np.ndarray, right: np.ndarray) -> float | None:
    """Spearman's rank correlation; None where one side is all equal."""
    found = (
        float(spearmanr(left, right).statistic) if len(left) > 1 and np.ptp(left) and np.ptp(right) else None
    )
    return found if found is None or np.isfinite(found) else None


def degrees(n_features: int, edges: tuple[np.ndarray, np.ndarray]) -> dict:
    """How many edges the features have: how many none, mean, quantiles, largest."""
    degree = np.bincount(np.concatenate(edges), minlength=n_features)
    quantiles = (
        {f"p{q}": int(np.percentile(degree, q, method="nearest")) for q in (50, 90, 99)} if n_features else {}
    )
    return {
        "edges": len(edges[0]),
        "without_edge": int((degree == 0).sum()),
        "mean": float(degree.mean()) if n_features else 0.0,
        "largest": int(degree.max(initial=0)),
        **quantiles,
    }


def label_words(rows: list[dict], n: int) -> list[set[str]]:
    """The telling words of each feature's label: of three letters or more, and not in every twentieth label."""
    words: list[set[str]] = [set() for _ in range(n)]
    for row in rows:
        words[row["index"]] = set(WORDS.findall(row["label"].lower()))
    times = Counter(word for found in words for word in found)
    everywhere = {word for word, count in times.items() if count > max(10, len(rows) / 20)}
    return [found - everywhere for found in words]


def measure(decoder, indices, similarities, coords, edges, words) -> dict:
    """Everything that quality.json says of a layer.

    Parameters
    ----------
    decoder, indices, similarities, coords : as in decoder.npy, neighbors.npz, coords.npy
    edges : source and target, as in edges.npz
    words : by feature, the set of its label's words
    """
    live = np.flatnonzero(np.isfinite(coords).all(axis=1))
    position = np.full(len(coords), -1)
    position[live] = np.arange(len(live))
    found = {
        "features": len(live),
        "labelled": sum(bool(words[row]) for row in live),
        "degrees": degrees(len(live), tuple(position[side] for side in edges)),
    }
    if len(live) < 2:
        return found
    rows = decoder if len(live) == len(decoder) else decoder[live]
    neighbors = among_the_living(indices, similarities, live, indices.shape[1] + 1)
    with threadpool_limits(1):  # the same bytes on any number of cores
        space = Space(rows, *neighbors, [words[row] for row in live])
        maps = {
            "map": coords[live],
            "pca": principal_components(rows, SEED),
            "random": np.random.default_rng(SEED).normal(size=(len(live), 3)),
        }
        return found | {name: rounded(space.measure(positions)) for name, positions in maps.items()}


def rounded(measures: dict) -> dict:
    """Four decimals: the sampling leaves no more."""
    return {name: None if value is None else round(value, 4) for name, value in measures.items()}


def main(snakemake) -> None:
    """Read everything, measure, refuse or write."""
    with job_log(snakemake) as log:
        given = snakemake.input
        decoder = np.load(given.decoder, allow_pickle=False)
        with np.load(given.neighbors, allow_pickle=False) as file:
            neighbors = file["indices"], file["similarities"]
        with np.load(given.edges, allow_pickle=False) as file:
            edges = file["source"], file["target"]
        words = label_words(pq.read_table(given.labels, columns=["index", "label"]).to_pylist(), len(decoder))
        found = measure(decoder, *neighbors, np.load(given.coords, allow_pickle=False), edges, words)
        for name in ("map", "pca", "random"):
            log.info("%s: %s", name, found.get(name))
        save_record(snakemake.output.quality, found)


if __name__ == "__main__":
    main(snakemake)  # noqa: F821
