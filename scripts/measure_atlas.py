"""A model's frame, matches, tracks and labels -> quality.json and kept.npz of its atlas: what they are worth.

docs/atlas.md says what the measures in quality.json mean. Nothing is judged here.
"""

import itertools

import numpy as np
import pandas as pd
from scipy.linalg import orthogonal_procrustes
from scipy.spatial.distance import cdist
from threadpoolctl import threadpool_limits

from lib.files import load_npy, load_npz, load_record, save_npz, save_record
from lib.geometry.live import include_dead, restrict_to_live
from lib.geometry.matches import mutual
from lib.geometry.points import kept_neighbors, nearest_points
from lib.geometry.statistics import nearest_others, rounded, trustworthiness
from lib.job import job_log
from lib.labels.words import telling_words, word_matrix
from lib.tables import by_feature, load_columns, load_table

KS = (5, 15)
# Points that count as near.
NEAR = 15
# Borders of the cosines in the calibration curve.
COSINES = np.linspace(0, 1, 11)
# Times that labels are dealt at random.
DEALS = 5
# Random pairs of features of two layers: the distance that matches are held against.
RANDOM_PAIRS = 20_000
SEED = 0


def fidelity(coords: np.ndarray, neighbors: dict, summary: dict) -> tuple[dict, np.ndarray]:
    """Measures of one layer's positions as in quality.json, and the share kept of each feature, float32 (n,).

    coords : float32 (n, 3), dead features NaN; neighbors, summary : as in neighbors.npz and summary.npz
    """
    live = np.isfinite(coords[:, 0])
    indices, _ = restrict_to_live(**neighbors, live=live)
    near = nearest_points(coords[live], NEAR)
    kept = {k: kept_neighbors(indices, near, k) for k in KS}
    points = coords[summary["sample"]].astype(np.float64)
    closest = nearest_others(cdist(points, points), NEAR)
    measures = {f"kept_{k}": kept[k].mean() for k in KS}
    measures["trustworthiness"] = trustworthiness(summary["distances"].astype(np.float32), closest)
    return measures, include_dead(kept[NEAR].astype(np.float32), live)


def pair(matches: dict, coords: list[np.ndarray], own: list[np.ndarray], min_cosine: float) -> dict:
    """How two adjacent layers correspond: shares of their features, and the drift of those that match.

    matches : as in matches-{next}.npz; coords, own : of both layers, in the frame and in their own maps
    """
    left, right, cosines = mutual(matches)
    near = left[cosines >= min_cosine], right[cosines >= min_cosine]
    live = {side: (matches[side] >= 0).sum() for side in ("forward", "backward")}
    # Features whose nearest prefers another: many become one, or one becomes many.
    merging, splitting = (
        (np.delete(matches[f"{side}_cosine"], paired) >= min_cosine).sum() / live[side]
        for side, paired in (("forward", left), ("backward", right))
    )
    return {
        "mutual": len(left) / min(live.values()),
        "matched": len(near[0]) / min(live.values()),
        "merging": merging,
        "splitting": splitting,
        "median_cosine": float(np.median(cosines)),
        "drift": {
            "independent": drift(*own, near),
            "procrustes": drift(own[0], procrustes(own[1], own[0], near), near),
            "frame": drift(*coords, near),
        },
    }


def drift(left: np.ndarray, right: np.ndarray, matches: tuple[np.ndarray, np.ndarray]) -> float | None:
    """Median distance of matched features as a share of the median distance of random pairs; None without matches.

    left, right : float (n, 3) and (m, 3), positions of two layers; matches : int (p,) features of each
    """
    if not len(matches[0]):
        return None
    rng = np.random.default_rng(SEED)
    pairs = tuple(rng.integers(0, len(positions), RANDOM_PAIRS) for positions in (left, right))
    matched, random = (
        np.nanmedian(np.linalg.norm(left[i].astype(np.float64) - right[j], axis=1)) for i, j in (matches, pairs)
    )
    return float(matched / random) if random else None


def procrustes(moving: np.ndarray, fixed: np.ndarray, matches: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """`moving` (m, 3), rotated, mirrored, scaled and shifted so that matched features lie nearest those of `fixed`.

    matches : int (p,) features of `fixed`, and of `moving`; fewer than four leave it as it is
    """
    if len(matches[0]) < 4:
        return moving
    target, source = fixed[matches[0]].astype(np.float64), moving[matches[1]].astype(np.float64)
    middle, centre = source.mean(axis=0), target.mean(axis=0)
    turn, products = orthogonal_procrustes(source - middle, target - centre)
    scale = products / max(((source - middle) ** 2).sum(), 1e-30)
    return (moving - middle) @ turn * scale + centre


class Labels:
    """The telling words of all labels of a model, its features numbered through all layers from their `offsets`."""

    def __init__(self, labels: list[list[str | None]]):
        words = [telling_words(each) for each in labels]
        self.offsets = np.cumsum([0, *map(len, words)])
        self.words = word_matrix([each for layer in words for each in layer])
        self.worded = np.diff(self.words.indptr) > 0

    def agreement(self, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        """Whether the labels of each pair of features share a word: bool, of the pairs that both have words."""
        both = self.worded[left] & self.worded[right]
        common = self.words[left[both]].multiply(self.words[right[both]])
        return np.asarray(common.sum(axis=1)).ravel() > 0

    def shares(self, sides: list[tuple[np.ndarray, np.ndarray]], rng) -> dict[str, float | None]:
        """How often the labels of pairs agree, and how often if the right ones are dealt at random; None if none can.

        sides : pairs; labels are dealt among the features of one entry, several times
        """
        real = [self.agreement(*each) for each in sides]
        dealt = [self.agreement(left, rng.permutation(right)) for left, right in sides for _ in range(DEALS)]
        known = {"agree": np.concatenate(real), "chance": np.concatenate(dealt)}
        return {name: float(each.mean()) if len(each) else None for name, each in known.items()}


def calibration(matches: list[dict], labels: Labels) -> list[dict]:
    """By cosine: how often the labels of mutual matches share a telling word, and how often by chance."""
    rng = np.random.default_rng(SEED)
    rows, offsets = [], labels.offsets
    pairs = [mutual(each) for each in matches]
    for low, high in itertools.pairwise(COSINES):
        sides = []
        for layer, (left, right, cosines) in enumerate(pairs):
            inside = (cosines >= low) & ((cosines < high) | (high == COSINES[-1]))
            sides.append((offsets[layer] + left[inside], offsets[layer + 1] + right[inside]))
        count = sum(len(left) for left, _ in sides)
        rows.append({"from": float(low), "to": float(high), "matches": count, **labels.shares(sides, rng)})
    return rows


def lifespans(tracks: pd.DataFrame, layers: list[int], labels: Labels) -> list[dict]:
    """By length of a track: how many, and how often the labels of its two ends share a telling word."""
    rng = np.random.default_rng(SEED)
    feature = labels.offsets[np.searchsorted(layers, tracks["layer"])] + tracks["index"]
    ends = (
        tracks.assign(feature=feature)
        .groupby("track")
        .agg(length=("length", "first"), start=("layer", "first"), first=("feature", "first"), last=("feature", "last"))
    )
    rows = []
    for length, same in ends.groupby("length"):
        row = {"length": int(length), "tracks": len(same), "agree": None, "chance": None}
        if length > 1:
            # Tracks of one length that begin in one layer also end in one.
            sides = [(group["first"].to_numpy(), group["last"].to_numpy()) for _, group in same.groupby("start")]
            row |= labels.shares(sides, rng)
        rows.append(row)
    return rows


def survival(tracks: pd.DataFrame, layers: list[int]) -> list[dict]:
    """By layer: its live features, and how many begin there and end there."""
    ends = tracks.groupby("track")["layer"].agg(["min", "max"])
    counted = {"features": tracks["layer"], "born": ends["min"], "ended": ends["max"]}
    counts = {name: each.value_counts().reindex(layers, fill_value=0).tolist() for name, each in counted.items()}
    # Nothing is known of what lies before the first layer and after the last.
    counts["born"][0] = counts["ended"][-1] = None
    return pd.DataFrame({"layer": layers} | counts, dtype=object).to_dict("records")


if __name__ == "__main__":
    with job_log(snakemake) as log, threadpool_limits(1):
        files, params = snakemake.input, snakemake.params
        layers = params.layers
        coords, own = (list(map(load_npy, paths)) for paths in (files.frames, files.coords))
        matches = list(map(load_npz, files.matches))
        tracks = load_table(files.tracks)
        tables = [load_columns(path, ["index", "label"]) for path in files.labels]
        labels = Labels([by_feature(table, "label", len(each)) for table, each in zip(tables, coords, strict=True)])
        record, kept = {"layers": survival(tracks, layers)}, {}
        per_layer = zip(record["layers"], coords, files.neighbors, files.summaries, files.qualities, strict=True)
        for entry, positions, neighbors, summary, quality in per_layer:
            sampled = load_npz(summary, "sample", "distances")
            measures, kept[f"layer_{entry['layer']}"] = fidelity(positions, load_npz(neighbors), sampled)
            alone = load_record(quality)["map"]
            entry |= {"frame": measures, "own": {name: alone.get(name) for name in measures}}
        record["pairs"] = [
            {"layers": layers[k : k + 2], **pair(each, coords[k : k + 2], own[k : k + 2], params.min_cosine)}
            for k, each in enumerate(matches)
        ]
        record |= {"tracks": lifespans(tracks, layers, labels), "calibration": calibration(matches, labels)}
        both = [(entry["frame"]["kept_15"], entry["own"]["kept_15"]) for entry in record["layers"]]
        ratios = [frame / alone for frame, alone in both if alone]
        record["kept_15_of_own"] = float(np.mean(ratios)) if ratios else None
        save_npz(snakemake.output.kept, **kept)
        save_record(snakemake.output.quality, rounded(record))
        log.info("the frame keeps %s of the layers' own kept_15", record["kept_15_of_own"])
