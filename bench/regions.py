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


def rows_of(what: str, labels: list[str | None], rows: np.ndarray, levels: np.ndarray) -> list[list]:
    """A row per level: what it is about, the number of regions, and the figures of `held_out`."""
    return [
        [what, len(np.unique(level)), *each.values(), each["own"] / each["other"] if each["other"] else None]
        for each, level in zip(held_out(labels, rows, levels), levels.T, strict=True)
    ]


def divided(decoder: np.ndarray, labels: list[str | None]) -> tuple[np.ndarray, np.ndarray, float]:
    """A layer's regions, numbered from 0 per level, its scores as in summary.npz, and the CPU seconds for regions."""
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
    kept = rows_of(f"{COMPONENTS} components", labels, scores, levels)
    rows = [*kept]
    for count in (16, 64, 256):
        fewer = leading_components(decoder, count, SEED, ITERATIONS)[2]
        rows += rows_of(f"{count} components", labels, fewer, levels)
    rows += rows_of("whole rows", labels, decoder - decoder.mean(axis=0), levels)
    title = f"Synthetic, 16,384 x 2,304: {seconds:.1f} s of CPU for the regions and their names"
    report.table(title, ["directions", *HEADER], rows)
    rows = []
    for layer in range(DEMO_LAYERS):
        labels = demo_labels(layer)
        levels, scores, _ = divided(demo(layer), labels)
        rows += rows_of(str(layer), labels, scores, levels)
    report.table("The demo", ["layer", *HEADER], rows)
    for (*_, coverage, _, _, ratio), floor in zip(kept, MIN_COVERAGE, strict=True):
        if coverage < floor or (ratio is not None and ratio < MIN_RATIO):
            raise SystemExit(f"below the floors: coverage {coverage:.2f}, ratio {ratio}")


if __name__ == "__main__":
    main()
