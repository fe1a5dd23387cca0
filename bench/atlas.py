"""What connects the layers of a model, measured: matches, tracks and the frame, on synthetic layers and on the demo.

    PYTHONPATH=scripts python bench/atlas.py                everything, to bench/atlas.md
    PYTHONPATH=scripts python bench/atlas.py --synthetic    matches against the truth, and what an atlas costs
    PYTHONPATH=scripts python bench/atlas.py --demo         matches, tracks and frames of the demo

Of synthetic layers it is known which row comes from which; of the demo's features, words of their labels tell. Costs
are those of one run of the whole workflow on one thread (bench/workflow.py): ratios within it mean something where the
seconds do not. What a larger model needs follows from frames of several numbers of layers.
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
import yaml

from benchmark import machine
from chain_features import chain
from compute_coords import embed
from decoders import DEMO_LAYERS, ROOT, demo, demo_labels, synthetic, synthetic_layers
from follow_features import track_table
from lay_out_atlas import lay_out_frame
from layouts import DEFAULT
from lib.files import load_npz, load_record
from lib.geometry.knn import nearest_neighbors
from lib.geometry.matches import mutual
from lib.labels.words import telling_words, word_matrix, word_overlap
from match_layers import match
from measure_atlas import Labels, calibration, fidelity, lifespans, pair
from refine_frame import refine_layer
from report import Report
from summarize_decoder import summarize
from workflow import CORES, MODEL, prepare, run

CONFIG = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())
ATLAS, K = CONFIG["atlas"], CONFIG["neighbors"]["k"]
TRACKS, FRAME = ATLAS["tracks"], ATLAS["layout"]
SHARED = {name: DEFAULT[name] for name in ("n_neighbors", "perplexity", "negative_samples", "repulsion_strength")}
MATCHED = TRACKS["min_cosine_previous"]
# Of the demo's frames.
SEEDS = (42, 1, 2)
STRENGTHS = (0.0, 0.02, 0.03, 0.05)
MEASURES = ("kept_5", "kept_15", "trustworthiness")
# Cosine from which matches are compared with the truth.
SURE = 0.6
# Layers of the frames whose growth is measured, and their epochs: memory does not depend on these, time is in
# proportion.
GROWTH, FEW_EPOCHS = (6, 13, 26), 40


# --- synthetic layers


def made_up(folder: Path, layers: int, n: int, d: int) -> tuple[Path, list[tuple[np.ndarray, np.ndarray]]]:
    """A workflow with synthetic layers; of all but the first, where their rows come from, and the cosines to these."""
    # A small run first: what numba compiles lies in its folder, and in copies of it.
    warm = prepare(ROOT, folder / "warm", [synthetic(700, 64, seed) for seed in range(2)])
    run_atlas(warm, 2)
    decoders, *truth = zip(*synthetic_layers(layers, n, d), strict=True)
    return prepare(warm, folder, list(decoders)), list(zip(*truth, strict=True))[1:]


def run_atlas(project: Path, layers: int) -> pd.DataFrame:
    """Make all of a model's atlas on one thread; return a row per job with rule, cpu (s) and peak (MB)."""
    files = [f"atlas/layer-{layer}.parquet" for layer in range(layers)]
    return run(project, 1, *(f"results/{MODEL}/{file}" for file in (*files, "figures/atlas.png")))[1]


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


def measure_synthetic(report: Report, layers: int, n: int, d: int) -> None:
    """Matches of synthetic layers against the truth, and the cost of their atlas beside that of their own maps."""
    size = f"{layers} synthetic layers of {n:,} x {d:,}"
    with tempfile.TemporaryDirectory() as name:
        # In a process of its own, which takes the decoders with it: no peak is below that of this one.
        (project, truth), *_ = measured(made_up, Path(name), layers, n, d)
        results = project / "results" / MODEL
        jobs = run_atlas(project, layers)
        matches = [load_npz(results / f"layer-{k}" / f"matches-{k + 1}.npz") for k in range(layers - 1)]
        rows = [
            [f"{layer}–{layer + 1}", *against_truth(each, *origin)]
            for layer, (each, origin) in enumerate(zip(matches, truth, strict=True))
        ]
        header = ["layers", f"precision from cosine {SURE}", "recall", "born, as many ended", f"unmatched at {MATCHED}"]
        report.table(f"Mutual matches of {size}", header, rows)
        report_costs(report, jobs, size)
        report_quality(report, load_record(results / "atlas" / "quality.json"), size)
        measure_growth(report, results, layers)


def report_costs(report: Report, jobs: pd.DataFrame, size: str) -> None:
    """What each rule took, and how the steps of the atlas compare with those of the layers' own maps."""
    spent = jobs.groupby("rule").agg(jobs=("cpu", "size"), cpu=("cpu", "sum"), peak=("peak", "max"))
    rows = [[rule, int(count), cpu, cpu / count, peak] for rule, count, cpu, peak in spent.itertuples()]
    report.table(f"Cost on one thread, {size}", ["rule", "jobs", "CPU s", "of a job", "peak MB"], rows)
    per_job, total = spent["cpu"] / spent["jobs"], spent["cpu"]
    frame, own = total["lay_out_atlas"] + total["refine_frame"], total["compute_coords"]
    matching = per_job["match_layers"] / per_job["compute_neighbors"]
    report.say(
        f"A pair's matches take {matching:.2f} times the CPU of a layer's neighbour search; the frame and its"
        f" refinement {frame / own:.2f} times that of the layers' own layouts."
    )


def report_quality(report: Report, quality: dict, size: str) -> None:
    """How far matches lie apart, and what the frame keeps of the layers' own maps, as the workflow measured them.

    Matches of synthetic layers share fewer neighbours than real ones, and ever fewer from layer to layer: half of each
    layer is drawn independently of those before. No frame can hold them together as it holds the demo's.
    """
    kinds = ("independent", "procrustes", "frame")
    rows = [["–".join(map(str, each["layers"])), *map(each["drift"].get, kinds)] for each in quality["pairs"]]
    header = ["layers", "the layers' own maps", "rotated onto each other", "the frame"]
    report.table(f"Drift of matches, {size}", header, rows)
    lost = np.array([losses(entry["frame"], entry["own"]) for entry in quality["layers"]])
    rows = [[name, *spread(column)] for name, column in zip(MEASURES, lost.T, strict=True)]
    report.table(f"Loss in the frame against the layers' own maps, {size}", ["measure", "mean", "worst layer"], rows)


def measure_growth(report: Report, results: Path, layers: int) -> None:
    """CPU and memory of frames of more layers, the same layers over and over: neither depends on what is in them."""
    rows = []
    for count in GROWTH:
        _, cpu, peak = measured(frame_of_files, results, layers, count)
        rows.append([count, cpu, cpu / count, peak])
    header = ["layers", "CPU s", "of a layer", "peak MB"]
    report.table(f"Growth of the layout with the number of layers, {FEW_EPOCHS} epochs, one thread", header, rows)
    counts, _, per_layer, peaks = np.array(rows).T
    slope, base = np.polyfit(counts, peaks, 1)
    report.say(
        f"Linear: {base:.0f} MB and {slope:.0f} MB per layer; {per_layer.min():.2f} to {per_layer.max():.2f} CPU s per"
        f" layer for {FEW_EPOCHS} of the {FRAME['n_epochs']} epochs."
    )


def frame_of_files(results: Path, layers: int, count: int) -> None:
    """The frame of so many layers from the files of fewer, in turns."""
    folders = [results / f"layer-{number % layers}" for number in range(count)]
    pairs = [number % (layers - 1) for number in range(count - 1)]
    lay_out_frame(
        [load_npz(folder / "neighbors.npz") for folder in folders],
        [load_npz(folder / "summary.npz") for folder in folders],
        [load_npz(results / f"layer-{k}" / f"matches-{k + 1}.npz") for k in pairs],
        seed=SEEDS[0],
        **SHARED | FRAME | {"n_epochs": FEW_EPOCHS},
    )


def measured(function: Callable, *arguments) -> tuple[object, float, float]:
    """Call a function in a process of its own: its result, CPU s and peak MB."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(_measure, function, *arguments).result()


def _measure(function: Callable, *arguments) -> tuple[object, float, float]:
    started = time.process_time()
    result = function(*arguments)
    return result, time.process_time() - started, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


# --- the demo


def measure_demo(report: Report) -> None:
    """Matches and tracks of the demo's layers, held against their labels; their frame, against their own maps."""
    layers = list(range(DEMO_LAYERS))
    decoders, texts = [demo(layer) for layer in layers], [demo_labels(layer) for layer in layers]
    matches = [match(*two) for two in pairwise(decoders)]
    with tempfile.TemporaryDirectory() as name:
        files = [Path(name) / f"{layer}.npy" for layer in layers]
        for rows, file in zip(decoders, files, strict=True):
            np.save(file, rows)
        chains = chain(files, matches, layers)
    compare_matches(report, matches, [telling_words(each) for each in texts])
    labels = Labels(texts)
    rows = [list(row.values()) for row in calibration(matches, labels) if row["matches"]]
    header = ["cosine from", "to", "mutual matches", "labels share a word", "labels dealt at random"]
    report.table("Mutual matches of the demo by their cosine: the calibration", header, rows)
    no_labels = pd.DataFrame({"index": [], "label": []}, dtype=object)
    tracks = track_table(chains, [no_labels] * len(layers), TRACKS)
    thresholds = " and ".join(f"{value} to the {name.removeprefix('min_cosine_')}" for name, value in TRACKS.items())
    header = ["length", "tracks", "first and last label share a word", "labels dealt at random"]
    rows = [list(row.values()) for row in lifespans(tracks, layers, labels)]
    report.table(f"Tracks of the demo, cosines of at least {thresholds}", header, rows)
    measure_frames(report, decoders, matches)


def compare_matches(report: Report, matches: list[dict[str, np.ndarray]], words: list[list[set[str]]]) -> None:
    """Labels of matched features, of mutual matches and of features drawn at random."""
    rows = []
    for layer, each in enumerate(matches):
        here, there = np.array(words[layer]), np.array(words[layer + 1])
        i, j, _ = mutual(each)
        nearest = there[each["forward"]]
        # The demo's SAEs began training from the same weights.
        moved = i != j
        shares = [float((each["forward_cosine"] >= MATCHED).mean()), len(i) / len(here), float(1 - moved.mean())]
        shuffled = np.random.default_rng(0).permutation(nearest)
        pairs = (here, nearest), (here[i], there[j]), (here[i[moved]], there[j[moved]]), (here, shuffled)
        rows.append([f"{layer}–{layer + 1}", *shares, *(overlap(*each) for each in pairs)])
    header = ["layers", f"cosine from {MATCHED}", "mutual", "of these, same index", "overlap of nearest", "of mutual"]
    header += ["of mutual, other index", "by chance"]
    report.table("Matches of the demo, and the overlap of their labels' words", header, rows)


def overlap(left: list[set[str]], right: list[set[str]]) -> float:
    """Mean Jaccard overlap of the words of pairs of labels, both with words."""
    pairs = np.arange(len(left))
    return word_overlap(word_matrix([*left, *right]), pairs[:, None] + len(pairs))


def measure_frames(report: Report, decoders: list[np.ndarray], matches: list[dict[str, np.ndarray]]) -> None:
    """Drift of matches, and what frames keep of the layers' own maps, by the strength of the springs."""
    neighbors = [dict(zip(("indices", "similarities"), nearest_neighbors(rows, K), strict=True)) for rows in decoders]
    summaries = [summarize(rows) for rows in decoders]
    apart: dict[str, list] = {name: [] for name in ("the layers' own maps", "rotated onto each other")}
    lost: dict[str, list] = {}
    for seed in SEEDS:
        own = [
            embed(rows, **near, seed=seed, threads=CORES, **DEFAULT)
            for rows, near in zip(decoders, neighbors, strict=True)
        ]
        own_measures = measures_of(own, neighbors, summaries)
        for strength in STRENGTHS:
            name = f"spring_strength {strength:g}" + ", the default" * (strength == FRAME["spring_strength"])
            layout = SHARED | FRAME | {"spring_strength": strength}
            laid_out = lay_out_frame(neighbors, summaries, matches, **layout, seed=seed, threads=CORES)
            settling = {key: DEFAULT[key] for key in ("refinement_epochs", "relocations")} | {"seed": seed}
            coords = [refine_layer(*each, threads=CORES, **settling) for each in zip(laid_out, neighbors, strict=True)]
            drifts = [pair(each, coords[k : k + 2], own[k : k + 2], MATCHED)["drift"] for k, each in enumerate(matches)]
            apart.setdefault(name, []).extend(each["frame"] for each in drifts)
            measures = measures_of(coords, neighbors, summaries)
            lost.setdefault(name, []).extend(map(losses, measures, own_measures))
        for name, key in zip(apart, ("independent", "procrustes"), strict=False):
            apart[name].extend(each[key] for each in drifts)
    rows = []
    for name, drifts in apart.items():
        columns = np.array(lost[name]).T if name in lost else [None] * len(MEASURES)
        rows.append([name, *spread(drifts), *(figure for column in columns for figure in spread(column))])
    header = ["maps", "drift: mean", "highest"]
    header += [text for name in MEASURES for text in (f"{name} lost: mean", "worst")]
    report.table(f"Frames of the demo, seeds {', '.join(map(str, SEEDS))}; losses against own maps", header, rows)
    floor = CONFIG["quality"]["min_frame_kept"]
    report.say(f"quality.min_frame_kept, {floor}, is the floor under 1 minus the mean loss of kept_15.")


def measures_of(coords: list[np.ndarray], neighbors: list[dict], summaries: list[dict]) -> list[dict]:
    """The measures of each layer's positions."""
    return [fidelity(*each)[0] for each in zip(coords, neighbors, summaries, strict=True)]


def losses(frame: dict, own: dict) -> list[float]:
    """By measure, the share of the own map's that the frame loses."""
    return [1 - frame[name] / own[name] for name in MEASURES]


def spread(values: list[float] | np.ndarray | None) -> list[float | None]:
    """Mean and largest."""
    return [None, None] if values is None else [float(np.mean(values)), float(np.max(values))]


def main() -> None:
    """Parse, measure, report."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--output", type=Path, default=ROOT / "bench" / "atlas.md")
    parser.add_argument("--synthetic", action="store_true", help="only synthetic layers")
    parser.add_argument("--demo", action="store_true", help="only the demo")
    parser.add_argument("--layers", type=int, default=6)
    parser.add_argument("--features", type=int, default=16384)
    parser.add_argument("--width", type=int, default=2304)
    arguments = parser.parse_args()
    everything = arguments.synthetic == arguments.demo
    report = Report(arguments.output)
    report.say(f"# What connects the layers of a model\n\n{machine()}")
    if arguments.demo or everything:
        measure_demo(report)
    if arguments.synthetic or everything:
        measure_synthetic(report, arguments.layers, arguments.features, arguments.width)


if __name__ == "__main__":
    main()
