"""Draw a layer on one page: its map from three sides with named regions, and histograms of degrees and similarities.

The map is seen along its own principal axes, all at the same scale. Layers without labels, edges or live features get a
page too.
"""

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.colors import LinearSegmentedColormap, Normalize, to_rgba_array
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator, PercentFormatter

from lib.figures import drawing
from lib.figures.regions import Region, regions, shortened, volumes
from lib.files import load_npz, load_record
from lib.job import job_log
from lib.products.layer_table import plain
from lib.tables import load_table

NEAR = 15  # neighbours in the map from which its density at a feature is computed
REGION = (
    8,
    100,
)  # smallest and largest number of features per region; between these, a sixtieth of the layer
NAMES = (24, 12)  # maximum number of names in the first view, and in each other view
LEFT, RIGHT, GAP, HEAD, FOOT = 0.55, 0.3, 0.12, 1.0, 0.45  # inches
DEGREES = {0: "0", 1: "1", 2: "2", 3: "3–4", 5: "5–8", 9: "9–16", 17: "17–32", 33: "33–64", 65: "65+"}
DOT = {"marker": "o", "linestyle": "none", "markersize": 4}
# Viridis without its palest end, which is invisible on paper; the densest features are the darkest.
DENSITY = LinearSegmentedColormap.from_list("density", colormaps["viridis_r"](np.linspace(0.06, 1, 256)))


@dataclass(frozen=True)
class Layer:
    """The live features of a layer, as drawn.

    Attributes
    ----------
    numbers : int (m,), their indices in the layer
    coords : float32 (m, 3)
    edges : source and target, int (e,), positions in `coords`; weight, float32 (e,)
    degree : int (m,), links per feature
    nearest : float32 (at most m,), the cosine with the nearest neighbour, of the features that have one
    labels, categories : by feature, None for a feature without one
    dead : the number of dead features
    """

    numbers: np.ndarray
    coords: np.ndarray
    edges: tuple[np.ndarray, np.ndarray, np.ndarray]
    degree: np.ndarray
    nearest: np.ndarray
    labels: list[str | None]
    categories: list[str | None]
    dead: int


def gather(features: pd.DataFrame, edges: dict[str, np.ndarray]) -> Layer:
    """Collect what is drawn from the tables layer-N.parquet and edges.npz."""
    live = features[features["x"].notna()]
    numbers = live["index"].to_numpy()
    ends = (np.searchsorted(numbers, edges[side]) for side in ("source", "target"))
    return Layer(
        numbers=numbers,
        coords=live[["x", "y", "z"]].to_numpy(np.float32),
        edges=(*ends, edges["weight"]),
        degree=live["degree"].to_numpy(),
        nearest=np.array([row[0] for row in live["similarities"] if len(row)], np.float32),
        labels=plain(live["label"]),
        categories=plain(live["category"]),
        dead=len(features) - len(live),
    )


def principal_axes(coords: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rotate points to their principal axes.

    Parameters
    ----------
    coords : float32 (m, 3)

    Returns
    -------
    The centred points along the axes, float64 (m, 3), and each axis' share of the variance, float64 (3,), descending.
    The sign of each axis makes its largest component positive.
    """
    if not len(coords):
        return np.empty((0, 3)), np.zeros(3)
    centred = coords.astype(np.float64) - coords.mean(axis=0, dtype=np.float64)
    values, vectors = np.linalg.eigh(centred.T @ centred)
    vectors = vectors[:, ::-1]
    heaviest = np.abs(vectors).argmax(axis=0)
    vectors *= np.sign(vectors[heaviest, range(3)])
    spread = np.maximum(values[::-1], 0)
    return centred @ vectors, spread / (spread.sum() or 1)


def density(coords: np.ndarray) -> np.ndarray:
    """Base-2 logarithm of the density around each feature, relative to that around the median feature: float64 (m,)."""
    occupied = volumes(coords, NEAR)
    return np.log2(np.median(occupied) / occupied)


def draw(layer: Layer, title: str, threshold: float, quality: dict[str, float | None]):
    """Return the page.

    Parameters
    ----------
    title : the model's name and the layer
    threshold : minimum cosine of a link
    quality : the map's measures, as in quality.json
    """
    points, shares = principal_axes(layer.coords)
    reach = np.abs(points).max(axis=0) if len(points) else np.ones(3)
    # A flat map still gets a page.
    reach = 1.06 * np.maximum(reach, 0.65 * reach.max() or 1.0)
    # In inches: one scale for all three views.
    across, up, deep = reach * (drawing.WIDTH - LEFT - RIGHT - GAP) / (reach[0] + reach[2])
    figure = drawing.page(HEAD + up + GAP + deep + FOOT)
    left, bottom = LEFT, FOOT
    right, top = left + across + GAP, bottom + deep + GAP
    views = [
        (drawing.inches(figure, left, top, across, up), 0, 1),
        (drawing.inches(figure, right, top, deep, up), 2, 1),
        (drawing.inches(figure, left, bottom, across, deep), 0, 2),
    ]
    colours, order = paint(figure, layer)
    named = name_regions(layer)
    for view, (axes, x, y) in enumerate(views):
        side = points[:, [x, y]]
        draw_view(axes, side[order], colours, reach[[x, y]])
        anchors = np.array([side[region.members].mean(axis=0) for region in named]).reshape(-1, 2)
        names = [(region.name, not region.shared) for region in named]
        drawing.write_names(axes, anchors, names, NAMES[min(view, 1)], 7.5 if view == 0 else 6.5)
    views[0][0].set_ylabel(about_axis(1, shares))
    views[1][0].set_xlabel(about_axis(2, shares))
    views[1][0].tick_params(labelleft=False)
    views[0][0].tick_params(labelbottom=False)
    views[2][0].set_xlabel(about_axis(0, shares))
    views[2][0].set_ylabel(about_axis(2, shares))
    # Leave room for ticks to the left and headings above.
    left, width, height = right + 0.42, deep - 0.42, deep / 2 - 0.62
    draw_degrees(drawing.inches(figure, left, bottom + deep / 2 + 0.06, width, height), layer.degree)
    draw_similarities(drawing.inches(figure, left, bottom, width, height), layer.nearest, threshold)
    draw_head(figure, title, layer, quality)
    return figure


def about_axis(axis: int, shares: np.ndarray) -> str:
    """Title of a principal axis, with its share of the variance."""
    return f"principal axis {axis + 1} ({shares[axis]:.0%} of the variance)"


def draw_view(axes, side: np.ndarray, colours: np.ndarray, reach: np.ndarray) -> None:
    """Draw the features from one side: positions, float (m, 2), and colours, both in drawing order."""
    size = float(np.clip(9000 / max(len(side), 1), 0.7, 16))
    axes.scatter(*side.T, s=size, c=colours, linewidths=0, alpha=0.85)
    axes.set(xlim=(-reach[0], reach[0]), ylim=(-reach[1], reach[1]))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))


def paint(figure, layer: Layer) -> tuple[np.ndarray, np.ndarray]:
    """Draw the colour key into the page's head; return the colours, in drawing order, and that order of the features.

    The colours show categories if the labels have any, otherwise density, with the densest features on top.
    """
    if any(layer.categories):
        return paint_categories(figure, layer.categories)
    log_density = density(layer.coords) if len(layer.coords) else np.empty(0)
    limit = max(1.0, float(np.ceil(np.percentile(np.abs(log_density), 95)))) if len(log_density) else 1.0
    norm = Normalize(-limit, limit)
    order = np.argsort(log_density, kind="stable")
    height = figure.get_size_inches()[1]
    axes = drawing.inches(figure, drawing.WIDTH - RIGHT - 2.1, height - 0.56, 2.1, 0.09)
    axes.imshow(np.linspace(0, 1, 256)[None], aspect="auto", cmap=DENSITY, extent=(-limit, limit, 0, 1))
    ticks = [-limit, 0, limit]
    axes.set_yticks([])
    axes.set_xticks(ticks, [f"1/{2**limit:.0f}", "1", f"{2**limit:.0f}"])
    axes.set_title("density, relative to the median feature", fontsize=7, color=drawing.PALE, pad=3)
    axes.spines[:].set_visible(False)
    return DENSITY(norm(log_density[order])), order


def paint_categories(figure, categories: list[str | None]) -> tuple[np.ndarray, np.ndarray]:
    """Colour the most frequent categories; the others are grey and drawn below them. Returns as `paint` does."""
    counted = sorted(Counter(filter(None, categories)).items(), key=lambda each: (-each[1], each[0]))
    colour = dict(zip((name for name, _ in counted), drawing.CATEGORIES, strict=False))
    own = np.array([name in colour for name in categories])
    order = np.argsort(own, kind="stable")
    key = colour if own.all() else colour | {"other or none": drawing.NO_CATEGORY}
    height = figure.get_size_inches()[1]
    figure.legend(
        handles=[Line2D([], [], color=value, label=shortened(name, 18), **DOT) for name, value in key.items()],
        loc="upper right", bbox_to_anchor=(1 - RIGHT / drawing.WIDTH, 1 - 0.14 / height), borderaxespad=0,
        ncols=2, handletextpad=0.1, columnspacing=1.0, labelcolor=drawing.PALE,
    )  # fmt: skip
    return to_rgba_array([colour.get(categories[feature], drawing.NO_CATEGORY) for feature in order]), order


def name_regions(layer: Layer) -> list[Region]:
    """Return the named regions of the layer; none without live features."""
    if not len(layer.coords):
        return []
    size = int(np.clip(len(layer.coords) // 60, *REGION))
    return regions(layer.coords, layer.labels, layer.edges, layer.numbers, size, drawing.drawable)


def draw_degrees(axes, degree: np.ndarray) -> None:
    """Draw a histogram of links per feature, in classes that double in width; the last is open-ended."""
    classes = [low for low in DEGREES if low <= max(degree.max(initial=0), 1)]
    shares = np.histogram(degree, [*classes, np.inf])[0] / max(len(degree), 1)
    names = [DEGREES[low] for low in classes]
    bars = axes.bar(names, shares, width=0.86, color=[drawing.VERMILION, *[drawing.BLUE] * (len(names) - 1)])
    percentages = [f"{share:.0%}" if share >= 0.005 else "<1%" if share else "" for share in shares]
    axes.bar_label(bars, percentages, fontsize=6, color=drawing.PALE, padding=1)
    axes.set_title("Links per feature")
    axes.tick_params(axis="x", length=0, labelsize=6.2)
    axes.set_ylim(0, 1.18 * max(shares.max(initial=0), 0.01))
    axes.yaxis.set_major_locator(MaxNLocator(3))
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.spines[["top", "right"]].set_visible(False)


def draw_similarities(axes, nearest: np.ndarray, threshold: float) -> None:
    """Draw a histogram of the cosine of each feature with its nearest neighbour, and the threshold of links."""
    low = min(float(nearest.min(initial=1)), threshold) - 0.02
    bins = np.arange(np.floor(20 * low) / 20, 1.0001, 0.02)
    counts = np.histogram(np.clip(nearest, bins[0], bins[-1]), bins)[0]
    axes.stairs(counts, bins, fill=True, color=drawing.SKY)
    axes.axvline(threshold, color=drawing.VERMILION, linewidth=1, linestyle=(0, (4, 2)))
    axes.annotate(
        f"links from {threshold:g}", (threshold, 1), (3, -2), xycoords=("data", "axes fraction"),
        textcoords="offset points", va="top", fontsize=6.5, color=drawing.INK, path_effects=drawing.HALO,
    )  # fmt: skip
    axes.set_title("Cosine with the nearest neighbour")
    axes.set(xlim=(bins[0], bins[-1]), ylim=(0, 1.25 * max(counts.max(initial=0), 1)))
    axes.yaxis.set_major_locator(MaxNLocator(3, integer=True))
    axes.spines[["top", "right"]].set_visible(False)


def draw_head(figure, title: str, layer: Layer, quality: dict[str, float | None]) -> None:
    """Write the title, the counts and the map's main measures."""
    across, height = figure.get_size_inches()
    labelled = sum(label is not None for label in layer.labels)
    facts = [
        f"{len(layer.coords):,} features",
        f"{labelled:,} with a label",
        f"{len(layer.edges[0]):,} links",
        f"{int((layer.degree == 0).sum()):,} without a link",
        *([f"{layer.dead:,} dead"] if layer.dead else []),
    ]
    figure.text(LEFT / across, 1 - 0.36 / height, title, fontsize=13, fontweight="bold")
    kept, trust = quality.get("kept_15"), quality.get("trustworthiness")
    measures = [
        *([] if kept is None else [f"the map keeps {kept:.0%} of the 15 nearest neighbours"]),
        *([] if trust is None else [f"trustworthiness {trust:.2f}"]),
    ]
    for line, texts in enumerate([facts, measures]):
        bottom = 1 - (0.58 + 0.16 * line) / height
        figure.text(LEFT / across, bottom, " · ".join(texts), fontsize=7.5, color=drawing.PALE)


def main(snakemake) -> None:
    """Read the layer, draw it, write the page."""
    with job_log(snakemake) as log:
        files = snakemake.input
        layer = gather(load_table(files.table), load_npz(files.edges))
        title = f"{shortened(snakemake.params.display_name, 36)}, layer {snakemake.wildcards.layer}"
        threshold = load_record(files.edges_record)["parameters"]["threshold"]
        quality = load_record(files.quality).get("map", {})
        drawing.save_figure(snakemake.output.figure, draw(layer, title, threshold, quality))
        log.info("%d features, %d links", len(layer.coords), len(layer.edges[0]))


if __name__ == "__main__":
    main(snakemake)  # noqa: F821
