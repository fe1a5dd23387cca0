"""What the names of regions are worth on labels that they were not made from, and how much of a decoder they need.

    PYTHONPATH=scripts:tests python bench/regions.py      to bench/regions.md, in a minute

Half of the labels name the regions of a layer, the others try the names (`held_out` in tests/labelled.py). The layers
are a synthetic one of 16,384 x 2,304 with phrases for labels, which must keep the floors, and the demo's.
"""

import time

import numpy as np
import pyarrow as pa
import yaml

from compute_coords import embed
from decoders import DEMO_LAYERS, ROOT, demo, demo_labels
from labelled import held_out, labelled_layer
from layouts import CONFIG, DEFAULT
from lib.geometry.knn import nearest_neighbors
from lib.geometry.pca import leading_components
from lib.labels.explanations import SCHEMA
from name_regions import find_regions
from report import Report
from summarize_decoder import COMPONENTS, ITERATIONS, SEED, summarize

SIZES = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())["regions"]["features_per_region"]
# Per level: the share of features in regions with a name; and how much more often a name suits its own region's labels.
MIN_COVERAGE, MIN_RATIO = (0.85, 0.75, 0.5), 20
HEADER = ["regions", "features in named regions", "a label holds a name's word", "another region's name", "ratio"]


def as_rows(figures: list[dict], levels: np.ndarray) -> list[list]:
    """A row per level: the number of regions, and the figures of `held_out`."""
    return [
        [len(np.unique(level)), each["coverage"], each["own"], each["other"], each["own"] / max(each["other"], 1e-9)]
        for each, level in zip(figures, levels.T, strict=True)
    ]


def divided(decoder: np.ndarray, labels: list[str | None]) -> tuple[np.ndarray, np.ndarray, float]:
    """A layer's regions, numbered from 0 per level, its scores as in summary.npz, and the CPU seconds of its regions."""
    coords = embed(decoder, *nearest_neighbors(decoder, 40), seed=CONFIG["seed"], **DEFAULT)
    rows = [{"index": index, "label": label} for index, label in enumerate(labels) if label is not None]
    scores, table = summarize(decoder)["scores"], pa.Table.from_pylist(rows, SCHEMA)
    started = time.process_time()
    regions, _ = find_regions(coords, scores, table, SIZES)
    return regions - regions.min(axis=0), scores, time.process_time() - started


def main() -> None:
    """Measure, report; fail below a floor."""
    report = Report(ROOT / "bench" / "regions.md")
    report.say("# Names of regions, tried on labels that they were not made from")
    decoder, labels = labelled_layer(16384, 2304)
    levels, scores, seconds = divided(decoder, labels)
    kept = as_rows(held_out(labels, scores, levels), levels)
    report.table(f"Synthetic, 16,384 x 2,304: {COMPONENTS} components; {seconds:.1f} s of CPU", HEADER, kept)
    for count in (16, 256):
        fewer = leading_components(decoder, count, SEED, ITERATIONS)[2]
        report.table(f"The same, {count} components", HEADER, as_rows(held_out(labels, fewer, levels), levels))
    whole = decoder - decoder.mean(axis=0)
    report.table("The same, whole rows", HEADER, as_rows(held_out(labels, whole, levels), levels))
    for layer in range(DEMO_LAYERS):
        labels = demo_labels(layer)
        levels, scores, _ = divided(demo(layer), labels)
        report.table(f"Demo, layer {layer}", HEADER, as_rows(held_out(labels, scores, levels), levels))
    for (_, coverage, _, _, ratio), floor in zip(kept, MIN_COVERAGE, strict=True):
        if coverage < floor or ratio < MIN_RATIO:
            raise SystemExit(f"below the floors: coverage {coverage:.2f}, ratio {ratio:.1f}")


if __name__ == "__main__":
    main()
