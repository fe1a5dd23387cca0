"""What the parameters of the layout do to a map: the table and the pictures of docs/geometry.md.

PYTHONPATH=scripts python bench/explore.py --output bench/exploration.md --pictures docs/images

Every variant lays out the same exact neighbours of the same decoders: layers of the demo, and a synthetic decoder of
full size. Its CPU time is beside it; the measures are those of quality.json. PaCMAP and LocalMAP take part where pacmap
is installed, which nothing else here needs.
"""

import argparse
import importlib.util
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import yaml
from matplotlib.image import imsave
from scipy.sparse import csr_matrix
from threadpoolctl import threadpool_limits

from compute_coords import centred, embed
from decoders import ROOT, demo, synthetic
from lib.geometry.graph import fuzzy_graph
from lib.geometry.knn import nearest_neighbors
from lib.geometry.layout import lay_out
from lib.geometry.pca import principal_components
from measure_quality import Reference

CONFIG = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())["layout"]
FAITHFUL = yaml.safe_load((ROOT / "config" / "presets" / "faithful.yaml").read_text())["layout"]
DEFAULT = {"method": "neighbor_embedding", "seed": CONFIG["seed"], **CONFIG["neighbor_embedding"]}
ORIGINAL = {"method": "umap", "seed": CONFIG["seed"], **CONFIG["umap"]}
VARIANTS = {
    "default": DEFAULT,
    "original": ORIGINAL,
    "umap-learn, 40 neighbours, repulsion 12": ORIGINAL | {"repulsion_strength": 12},
    "umap-learn, 15 neighbours, repulsion 6": ORIGINAL | {"n_neighbors": 15, "repulsion_strength": 6},
    "umap-learn, 10 neighbours, repulsion 12": ORIGINAL | {"n_neighbors": 10, "repulsion_strength": 12},
    "the same from PCA": ORIGINAL | {"n_neighbors": 10, "repulsion_strength": 12, "init": "pca"},
    "the same, min_dist 0.5": ORIGINAL | {"n_neighbors": 10, "repulsion_strength": 12, "min_dist": 0.5},
    "10 neighbours": DEFAULT | {"n_neighbors": 10},
    "30 neighbours": DEFAULT | {"n_neighbors": 30},
    "repulsion 0.5": DEFAULT | {"repulsion_strength": 0.5},
    "repulsion 1.5": DEFAULT | {"repulsion_strength": 1.5},
    "200 epochs": DEFAULT | {"n_epochs": 200},
    "50 random features": DEFAULT | {"negative_samples": 50},
    "faithful": DEFAULT | FAITHFUL["neighbor_embedding"],
}


def mutual_first(decoder, indices, similarities, one_sided: float) -> np.ndarray:
    """The default, with this weight for links between features of which only one is a near neighbour of the other."""
    k = DEFAULT["n_neighbors"] - 1
    n, graph = len(decoder), fuzzy_graph(indices[:, :k], similarities[:, :k])
    near = csr_matrix((np.ones(n * k), indices[:, :k].ravel(), np.arange(0, n * k + 1, k)), shape=(n, n))
    graph = (graph * one_sided + graph.multiply(near.multiply(near.T)) * (1 - one_sided)).tocsr()
    parameters = {key: value for key, value in DEFAULT.items() if key not in ("method", "n_neighbors")}
    return lay_out(graph, principal_components(decoder, DEFAULT["seed"]), **parameters)


def t_sne(decoder, *_) -> np.ndarray:
    """scikit-learn's, by Barnes and Hut's tree: in 3D it takes minutes for a few thousand features."""
    from sklearn.manifold import TSNE

    return TSNE(n_components=3, perplexity=10, init="pca", random_state=42).fit_transform(decoder)


def pacmap(decoder, *_, name: str) -> np.ndarray:
    """PaCMAP or LocalMAP, on the cosine as they take it, from the principal components."""
    import pacmap

    layout = getattr(pacmap, name)(n_components=3, n_neighbors=15, distance="angular", apply_pca=False, random_state=42)
    return layout.fit_transform(decoder.copy(), init="pca")


def others(decoder: np.ndarray) -> dict[str, Callable]:
    """Layouts that no setting of the workflow gives, of decoder, indices and similarities."""
    layouts = {
        "links of one side alone at half their weight": partial(mutual_first, one_sided=0.5),
        "links of one side alone at a tenth": partial(mutual_first, one_sided=0.1),
    }
    if len(decoder) < 5000:
        layouts["t-SNE of scikit-learn, perplexity 10"] = t_sne
    if importlib.util.find_spec("pacmap"):
        layouts |= {name: partial(pacmap, name=name) for name in ("PaCMAP", "LocalMAP")}
    return layouts


SHOWN = ("kept_5", "kept_15", "strongest_near", "trustworthiness", "continuity", "cluster_correlation")


def explore(decoder: np.ndarray, variants: dict[str, dict | Callable]) -> tuple[list[list], dict[str, np.ndarray]]:
    """A row for each variant: CPU s of the layout, and its measures; and the maps themselves."""
    indices, similarities = nearest_neighbors(decoder, 40)
    rows, maps = [], {}
    with threadpool_limits(1):
        reference = Reference(decoder, indices, similarities, [set()] * len(decoder))
        for name, variant in variants.items():
            layout = variant if callable(variant) else partial(embed, **variant)
            # Compile first.
            layout(decoder[:200], *nearest_neighbors(decoder[:200], 40))
            started = time.process_time()
            maps[name] = centred(np.asarray(layout(decoder, indices, similarities), np.float32))
            spent = time.process_time() - started
            measures = reference.measure(maps[name])
            rows.append([name, f"{spent:.1f}", *(f"{measures[measure]:.3f}" for measure in SHOWN)])
            print(*rows[-1], sep="\t", flush=True)
    return rows, maps


def picture(coords: np.ndarray, colours: np.ndarray, size: int = 420) -> np.ndarray:
    """An orthographic view of the points from above, the nearer ones brighter: uint8 (size, size, 3)."""
    image = np.full((size, size, 3), 16.0)
    low, high = coords.min(axis=0), coords.max(axis=0)
    scaled = (coords - (low + high) / 2) / (high - low).max() + 0.5  # within the unit cube
    x, y = (scaled[:, :2].T * (size - 4)).astype(int)
    for point in np.argsort(scaled[:, 2]):
        image[y[point] : y[point] + 3, x[point] : x[point] + 3] = colours[point] * (0.4 + 0.6 * scaled[point, 2])
    return image.astype(np.uint8)


def palette(groups: np.ndarray) -> np.ndarray:
    """A colour for each group, hues far from each other: float (n, 3)."""
    hue = (groups * 0.618034 % 1)[:, None] * 6
    return 255 * (0.35 + 0.65 * np.clip(np.abs((hue + np.array([0, 4, 2])) % 6 - 3) - 1, 0, 1))


def side_by_side(path: Path, decoder: np.ndarray, maps: list[np.ndarray]) -> None:
    """Maps of one decoder beside each other; a colour is a cluster of the decoder."""
    from sklearn.cluster import KMeans

    colours = palette(KMeans(24, n_init=1, random_state=0).fit_predict(decoder))
    gap = np.full((420, 12, 3), 255, np.uint8)
    images = [part for coords in maps for part in (gap, picture(coords, colours))][1:]
    imsave(path, np.hstack(images), metadata={"Software": None})


def main() -> None:
    """Explore, write the table and the pictures."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--output", type=Path, default=ROOT / "bench" / "exploration.md")
    parser.add_argument("--pictures", type=Path, default=ROOT / "docs" / "images")
    parser.add_argument("--features", type=int, default=16384, help="of the synthetic decoder")
    arguments = parser.parse_args()
    decoders = {"demo-layer-0": demo(0), "demo-layer-5": demo(5)}
    if arguments.features:
        decoders["synthetic"] = synthetic(arguments.features, 384)
    lines = ["# What the parameters do"]
    arguments.pictures.mkdir(parents=True, exist_ok=True)
    for name, decoder in decoders.items():
        rows, maps = explore(decoder, VARIANTS | others(decoder))
        side_by_side(arguments.pictures / f"{name}.png", decoder, [maps["original"], maps["default"]])
        lines += ["", f"## {name}: {decoder.shape[0]:,} x {decoder.shape[1]}", ""]
        header = ["variant", "layout CPU s", *SHOWN]
        lines += ["| " + " | ".join(cells) + " |" for cells in [header, ["---"] * len(header), *rows]]
        arguments.output.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
