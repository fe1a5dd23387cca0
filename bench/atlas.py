"""What connects the layers of a model, measured: matches and tracks on synthetic layers and on the demo.

    PYTHONPATH=scripts python bench/atlas.py                everything, to bench/atlas.md
    PYTHONPATH=scripts python bench/atlas.py --synthetic    matches against the truth, and what they cost
    PYTHONPATH=scripts python bench/atlas.py --demo         matches and tracks against the demo's labels

Of synthetic layers it is known which row comes from which; of the demo's features, words of their labels tell. What is
timed runs in a process of its own, in turns, on one thread; the best round counts.
"""

import argparse
import resource
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd

from benchmark import machine
from chain_features import chain
from decoders import DEMO_LAYERS, ROOT, demo, demo_labels, synthetic_layers
from follow_features import track_table
from lib.files import load_npy, map_npy
from lib.geometry.knn import nearest_neighbors
from lib.geometry.matches import mutual
from lib.geometry.statistics import word_matrix, word_overlap
from match_layers import match
from measure_quality import telling_words
from report import Report

# Neighbours of the search that a match is compared with: the workflow's default.
K = 40
# Cosine from which matches are compared with the truth.
SURE = 0.6
# Least cosines of a track: to the feature before it, and to the first.
TRACKS = {"min_cosine_previous": 0.5, "min_cosine_first": 0.4}
MATCHED = TRACKS["min_cosine_previous"]


def measured(function: Callable, *arguments) -> tuple[object, float, float]:
    """Call a function in a process of its own: its result, CPU s and peak MB.

    No peak is below that of this process, so it must stay small.
    """
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(_measure, function, *arguments).result()


def _measure(function: Callable, *arguments) -> tuple[object, float, float]:
    started = time.process_time()
    result = function(*arguments)
    return result, time.process_time() - started, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def best_of(rounds: int, calls: dict[str, tuple]) -> list[list]:
    """Measure the calls in turns: name, CPU s and peak MB of each, the least of all rounds."""
    best = {}
    for _ in range(rounds):
        for name, call in calls.items():
            _, *spent = measured(*call)
            best[name] = np.minimum(spent, best.get(name, spent))
    return [[name, *spent.tolist()] for name, spent in best.items()]


def search_file(decoder: Path) -> None:
    """The neighbour search of a layer."""
    nearest_neighbors(load_npy(decoder), K)


def match_files(left: Path, right: Path) -> dict[str, np.ndarray]:
    """The matches of two layers."""
    return match(map_npy(left), map_npy(right))


# --- synthetic layers


def write_layers(files: list[Path], n: int, d: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Write decoders; return, of every layer but the first, where its rows come from and the cosines to them."""
    truth = []
    for file, (rows, *origin) in zip(files, synthetic_layers(len(files), n, d), strict=True):
        np.save(file, rows)
        truth.append(origin)
    return truth[1:]


def against_truth(matches: dict[str, np.ndarray], origin: np.ndarray, cosine: np.ndarray) -> list[float]:
    """Precision and recall of the mutual matches, and the share of features that begin, true and measured.

    As many end as begin, true and measured: the layers are of one size.
    """
    i, j, similarity = mutual(matches)
    right, sure = origin[j] == i, similarity >= SURE
    expected = (origin >= 0) & (cosine >= SURE)
    recall = (right & sure & expected[j]).sum() / expected.sum()
    born, unmatched = (origin < 0).mean(), 1 - (similarity >= MATCHED).sum() / len(origin)
    return [float(share) for share in (right[sure].mean(), recall, born, unmatched)]


def measure_synthetic(report: Report, layers: int, n: int, d: int, rounds: int) -> None:
    """Matches of synthetic layers against the truth, and their cost beside that of a layer's neighbour search."""
    with tempfile.TemporaryDirectory() as name:
        files = [Path(name) / f"{layer}.npy" for layer in range(layers)]
        truth, *_ = measured(write_layers, files, n, d)
        matches = [measured(match_files, *pair)[0] for pair in pairwise(files)]
        rows = [
            [f"{layer}–{layer + 1}", *against_truth(pair, *origin)]
            for layer, (pair, origin) in enumerate(zip(matches, truth, strict=True))
        ]
        header = ["layers", f"precision from cosine {SURE}", "recall", "born, as many ended", f"unmatched at {MATCHED}"]
        report.table(f"Mutual matches of {layers} synthetic layers of {n:,} x {d:,}", header, rows)
        calls = {
            f"{K} neighbours of a layer": (search_file, files[0]),
            "matches of two layers": (match_files, *files[:2]),
            f"chains of {layers} layers": (chain, files, matches, list(range(layers))),
        }
        rows = best_of(rounds, calls)
        rows = [[step, cpu, cpu / rows[0][1], peak] for step, cpu, peak in rows]
        header = ["step", "CPU s", "of a neighbour search", "peak MB"]
        report.table(f"Cost on one thread, {n:,} x {d:,}: the best of {rounds} rounds", header, rows)


# --- the demo


def overlap(left: list[set[str]], right: list[set[str]]) -> float:
    """Mean Jaccard overlap of the words of pairs of labels, both with words."""
    pairs = np.arange(len(left))
    return word_overlap(word_matrix([*left, *right]), pairs[:, None] + len(pairs))


def sharing(left: list[set[str]], right: list[set[str]]) -> float | None:
    """Share of the pairs of labels, both with words, that have one in common."""
    common = [bool(a & b) for a, b in zip(left, right, strict=True) if a and b]
    return float(np.mean(common)) if common else None


def measure_demo(report: Report) -> None:
    """Matches and tracks of the demo's layers, held against their labels."""
    layers = list(range(DEMO_LAYERS))
    words = [telling_words(demo_labels(layer)) for layer in layers]
    with tempfile.TemporaryDirectory() as name:
        files = [Path(name) / f"{layer}.npy" for layer in layers]
        for layer, file in zip(layers, files, strict=True):
            np.save(file, demo(layer))
        matches = [match_files(*pair) for pair in pairwise(files)]
        chains = chain(files, matches, layers)
    compare_matches(report, matches, words)
    no_labels = pd.DataFrame({"index": [], "label": []}, dtype=object)
    compare_tracks(report, track_table(chains, [no_labels] * len(layers), TRACKS), words)


def compare_matches(report: Report, matches: list[dict[str, np.ndarray]], words: list[list[set[str]]]) -> None:
    """Labels of matched features, of mutual matches and of features drawn at random."""
    rows = []
    for layer, pair in enumerate(matches):
        here, there = np.array(words[layer]), np.array(words[layer + 1])
        i, j, _ = mutual(pair)
        nearest = there[pair["forward"]]
        shares = [float((pair["forward_cosine"] >= MATCHED).mean()), len(i) / len(here)]
        others = overlap(here, nearest), overlap(here[i], there[j]), overlap(here, shuffled(nearest))
        rows.append([f"{layer}–{layer + 1}", *shares, *others])
    header = ["layers", f"cosine from {MATCHED}", "mutual", "overlap of nearest", "of mutual", "by chance"]
    report.table("Matches of the demo, and the overlap of their labels' words", header, rows)


def compare_tracks(report: Report, tracks: pd.DataFrame, words: list[list[set[str]]]) -> None:
    """Labels of the first and last feature of each track, by its length."""
    tracks["words"] = [words[layer][index] for layer, index in zip(tracks["layer"], tracks["index"], strict=True)]
    ends = tracks.groupby("track").agg(length=("length", "first"), first=("words", "first"), last=("words", "last"))
    rows = []
    for length, group in ends.groupby("length"):
        first, last = group["first"].to_numpy(), group["last"].to_numpy()
        shares = [sharing(first, last), sharing(first, shuffled(last))] if length > 1 else [None, None]
        rows.append([length, len(group), *shares])
    thresholds = " and ".join(f"{value} to the {name.removeprefix('min_cosine_')}" for name, value in TRACKS.items())
    header = ["length", "tracks", "first and last label share a word", "shuffled"]
    report.table(f"Tracks of the demo, cosines of at least {thresholds}", header, rows)


def shuffled(items: np.ndarray) -> np.ndarray:
    """The same in another order."""
    return np.random.default_rng(0).permutation(items)


def main() -> None:
    """Parse, measure, report."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--output", type=Path, default=ROOT / "bench" / "atlas.md")
    parser.add_argument("--synthetic", action="store_true", help="only synthetic layers")
    parser.add_argument("--demo", action="store_true", help="only the demo")
    parser.add_argument("--layers", type=int, default=6)
    parser.add_argument("--features", type=int, default=16384)
    parser.add_argument("--width", type=int, default=2304)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    everything = arguments.synthetic == arguments.demo
    report = Report(arguments.output)
    report.say(f"# What connects the layers of a model\n\n{machine()}")
    if arguments.demo or everything:
        measure_demo(report)
    if arguments.synthetic or everything:
        measure_synthetic(report, arguments.layers, arguments.features, arguments.width, arguments.rounds)


if __name__ == "__main__":
    main()
