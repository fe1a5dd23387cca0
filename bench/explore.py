"""What the parts and parameters of the layout do to a map: the tables and pictures of docs/geometry.md.

    PYTHONPATH=scripts python bench/explore.py                 all tables, to bench/exploration.md, and the pictures
    PYTHONPATH=scripts python bench/explore.py --features 0    without the synthetic decoders of full size
    PYTHONPATH=scripts python bench/explore.py --control       only the control: the same measures of random directions

Every variant lays out the same exact neighbours of the same decoders: the demo's six layers, and synthetic decoders of
full size. A figure is the mean over the seeds and, for the demo, its layers. The measures are those of quality.json;
the CPU time is that of the layout, compilation excluded. PaCMAP, LocalMAP and SG-t-SNE take part where pacmap and
pysgtsnepi are installed, which nothing else here needs.
"""

import argparse
import importlib.util
import itertools
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numba
import numpy as np
import yaml
from threadpoolctl import threadpool_limits

from compute_coords import embed
from decoders import DEMO_LAYERS, ROOT, demo, demo_labels, random_directions, random_rows_like, synthetic
from layouts import (
    DEFAULT,
    ORIGINAL,
    adjacency_alone,
    affinities_alone,
    by_hand,
    default_graph,
    fuzzy_set,
    pacmap,
    sg_t_sne,
    t_sne,
)
from lib.geometry.extent import centred
from lib.geometry.knn import nearest_neighbors
from lib.geometry.points import kept_neighbors, nearest_points
from lib.labels.words import telling_words
from measure_quality import Reference
from pictures import side_by_side
from report import Report, cell

FAITHFUL = yaml.safe_load((ROOT / "config" / "presets" / "faithful.yaml").read_text())["layout"]
NEIGHBORS = 40
# For the widest measure.
WIDEST = 50
SHOWN = ("kept_5", "kept_15", "kept_50", "strongest_near", "trustworthiness", "continuity", "cluster_correlation")
SHOWN += ("label_agreement",)

VARIANTS = {
    "**default**": DEFAULT,
    "without the refinement": DEFAULT | {"refinement_epochs": 0},
    "repulsion constant": partial(by_hand, graph=default_graph, constant=True),
    "t-SNE's affinities alone": partial(by_hand, graph=affinities_alone),
    "adjacency alone": partial(by_hand, graph=adjacency_alone),
    "perplexity 5": DEFAULT | {"perplexity": 5},
    "perplexity 20": DEFAULT | {"perplexity": 20},
    "10 neighbours": DEFAULT | {"n_neighbors": 10},
    "30 neighbours": DEFAULT | {"n_neighbors": 30},
    "repulsion 0.5": DEFAULT | {"repulsion_strength": 0.5},
    "repulsion 1.5": DEFAULT | {"repulsion_strength": 1.5},
    "100 epochs": DEFAULT | {"n_epochs": 100},
    "400 epochs": DEFAULT | {"n_epochs": 400},
    "50 random features": DEFAULT | {"negative_samples": 50},
    "**faithful**": DEFAULT | FAITHFUL["neighbor_embedding"],
    "version 0.1": partial(by_hand, graph=fuzzy_set, constant=True, n_epochs=400, refined=False),
    "**original**": ORIGINAL,
    "umap-learn, 15 neighbours, repulsion 6": ORIGINAL | {"n_neighbors": 15, "repulsion_strength": 6},
}
if importlib.util.find_spec("pacmap"):
    VARIANTS |= {name: partial(pacmap, name=name) for name in ("PaCMAP", "LocalMAP")}
# Minutes for a few thousand features.
SLOW = {"t-SNE of scikit-learn": t_sne}
if importlib.util.find_spec("pysgtsnepi"):
    SLOW["SG-t-SNE, 350 iterations"] = sg_t_sne


class Layer:
    """A decoder with its neighbours and the measures of its maps."""

    def __init__(self, decoder: np.ndarray, labels: list[str | None] | None = None):
        indices, similarities = nearest_neighbors(decoder, WIDEST)
        self.decoder, self.neighbors = decoder, (indices[:, :NEIGHBORS], similarities[:, :NEIGHBORS])
        self.nearest_cosine = float(np.median(similarities[:, 0]))
        self.reference = Reference(decoder, indices, similarities, telling_words(labels or [None] * len(decoder)))

    def measure(self, coords: np.ndarray) -> list[float | None]:
        """The measures `SHOWN` of a map."""
        near = nearest_points(coords, WIDEST)
        widest = kept_neighbors(self.reference.indices, near, WIDEST).mean()
        measures = self.reference.measure(coords, near) | {f"kept_{WIDEST}": widest}
        return [measures[name] for name in SHOWN]


def lay_out(variant: dict | Callable, layer: Layer, seed: int) -> tuple[np.ndarray, list[float | None]]:
    """A map of the layer, and its row: CPU s of the layout, and the measures."""
    numba.set_num_threads(1)
    method = variant if callable(variant) else partial(embed, **variant)
    with threadpool_limits(1):
        # Compile first.
        few = layer.decoder[:200]
        method(few, *nearest_neighbors(few, NEIGHBORS), seed=seed)
        started = time.process_time()
        coords = method(layer.decoder, *layer.neighbors, seed=seed)
        spent = time.process_time() - started
        coords = centred(np.asarray(coords, np.float32))[0]
        return coords, [spent, *layer.measure(coords)]


def seeds_of(name: str, seeds: int) -> int:
    """How many seeds a variant is laid out with."""
    return 1 if name in SLOW else seeds


def explore(layers: list[Layer], variants: dict[str, dict | Callable], seeds: int, jobs: int) -> tuple[list, dict]:
    """A row for each variant: seeds, CPU s of the layout, and its measures; and its maps, by seed and layer."""
    rows, maps = [], {}
    with ProcessPoolExecutor(jobs) as pool:
        waiting = {}
        for name, variant in variants.items():
            pairs = itertools.product(range(seeds_of(name, seeds)), layers)
            waiting[name] = [pool.submit(lay_out, variant, layer, seed) for seed, layer in pairs]
        for name, futures in waiting.items():
            maps[name], measures = zip(*(future.result() for future in futures), strict=True)
            means = (None if None in column else float(np.mean(column)) for column in zip(*measures, strict=True))
            rows.append([name, seeds_of(name, seeds), *means])
            print(*map(cell, rows[-1]), sep="\t", flush=True)
    return rows, maps


def compare_variants(report: Report, features: int, seeds: int, jobs: int, pictures: Path) -> None:
    """A table of all variants for each kind of decoder, and pictures of the original's map and the default."""
    kinds = {"demo-layer": [Layer(demo(layer), demo_labels(layer)) for layer in range(DEMO_LAYERS)]}
    for kind, d in (("synthetic", 384), ("synthetic-wide", 2304)):
        kinds |= {kind: [Layer(synthetic(features, d))]} if features else {}
    for kind, layers in kinds.items():
        rows, maps = explore(layers, VARIANTS | (SLOW if kind == "demo-layer" else {}), seeds, jobs)
        n, d = layers[0].decoder.shape
        report.table(f"{kind}: {len(layers)} of {n:,} x {d:,}", ["variant", "seeds", "layout CPU s", *SHOWN], rows)
        for layer in {0, len(layers) - 1} if kind != "synthetic-wide" else ():
            name = f"{kind}-{layer}" if len(layers) > 1 else kind
            both = [maps["**original**"][layer], maps["**default**"][layer]]
            side_by_side(pictures / f"{name}.png", layers[layer].decoder, both)


def compare_control(report: Report, features: int, seeds: int, jobs: int) -> None:
    """The default layout of decoders, of rows with a decoder's covariance alone, and of random directions."""
    kinds = {"demo": [demo(layer) for layer in range(DEMO_LAYERS)]}
    for d in (384, 2304) if features else ():
        kinds[f"synthetic, {d:,}"] = [synthetic(features, d)]
    rows = []
    for kind, decoders in kinds.items():
        controls = {
            kind: decoders,
            f"{kind}: same covariance": [random_rows_like(decoder, seed) for seed, decoder in enumerate(decoders)],
            f"{kind}: random directions": [random_directions(*decoder.shape, i) for i, decoder in enumerate(decoders)],
        }
        for name, each in controls.items():
            layers = [Layer(decoder, demo_labels(i) if kind == "demo" else None) for i, decoder in enumerate(each)]
            ((_, _, _, *measures),) = explore(layers, {name: DEFAULT}, seeds, jobs)[0]
            rows.append([name, float(np.mean([layer.nearest_cosine for layer in layers])), *measures])
    report.table("Control: decoders without structure", ["rows", "nearest cosine", *SHOWN], rows)


def main() -> None:
    """Explore, write the tables and the pictures."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--output", type=Path, help="default: exploration.md or control.md in bench/")
    parser.add_argument("--pictures", type=Path, default=ROOT / "docs" / "images")
    parser.add_argument("--features", type=int, default=16384, help="of the synthetic decoders; 0: without them")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=1, help="layouts at once")
    parser.add_argument("--control", action="store_true", help="only the control")
    arguments = parser.parse_args()
    name = "control" if arguments.control else "exploration"
    report = Report(arguments.output or ROOT / "bench" / f"{name}.md")
    report.say(f"# {name.capitalize()} of the layout\n\nMeans over the seeds and layers.")
    settings = arguments.features, arguments.seeds, arguments.jobs
    if arguments.control:
        compare_control(report, *settings)
    else:
        compare_variants(report, *settings, arguments.pictures)


if __name__ == "__main__":
    main()
