"""A layer's map on a page: seen from three sides, with the names of its regions, its degrees and its similarities.

The three sides are the map's own principal axes, at one scale. Without labels, edges or live features the page says
less, and is drawn all the same.
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

NEAR = 15  # neighbours in the map that make out its density at a feature
REGION = (8, 100)  # features of a region: a sixtieth of the layer within these
NAMES = (24, 12)  # names at most: in the first view, in the others
LEFT, RIGHT, GAP, HEAD, FOOT = 0.55, 0.3, 0.12, 1.0, 0.45  # inches
DEGREES = {0: "0", 1: "1", 2: "2", 3: "3–4", 5: "5–8", 9: "9–16", 17: "17–32", 33: "33–64", 65: "65+"}
DOT = {"marker": "o", "linestyle": "none", "markersize": 4}
# viridis without its palest end, which vanishes on paper; the densest is the darkest
DENSITY = LinearSegmentedColormap.from_list("density", colormaps["viridis_r"](np.linspace(0.06, 1, 256)))


@dataclass(frozen=True)
class Layer:
    """The live features of a layer, as they are drawn.

    Attributes
    ----------
    numbers : int (m,), their indices in the layer
    coords : float32 (m, 3)
    edges : source and target, int (e,), among them, and weight, float32 (e,)
    degree : int (m,), links per feature
    nearest : float32, the cosine with the nearest neighbour, of those that have one
    labels, categories : per feature, None for none
    dead : how many features are not among them
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
    """What there is to draw.

    Parameters
    ----------
    features : layer-N.parquet
    edges : as in edges.npz
    """
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
    """The same points along the axes of their largest spread, and each axis' share of the variance.

    Parameters
    ----------
    coords : float32 (m, 3)

    Returns
    -------
    float64 (m, 3), centred; float64 (3,), descending. Of each axis the coordinate that weighs most points up.
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
    """How crowded it is around each feature: times the density at the median feature, as a power of 2; float64 (m,)."""
    room = volumes(coords, NEAR)
    return np.log2(np.median(room) / room)


def draw(layer: Layer, title: str, threshold: float, quality: dict[str, float | None]):
    """The page.

    Parameters
    ----------
    title : the model's name and the layer
    threshold : cosine from which two neighbours are linked
    quality : the map's measures, as in quality.json
    """
    points, shares = principal_axes(layer.coords)
    reach = np.abs(points).max(axis=0) if len(points) else np.ones(3)
    reach = 1.06 * np.maximum(reach, 0.65 * reach.max() or 1.0)  # a flat map still gets a page
    room = drawing.WIDTH - LEFT - RIGHT - GAP
    across, up, deep = reach * room / (reach[0] + reach[2])  # inches: one scale for all three
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
    # beside their ticks, below their headings
    left, width, height = right + 0.42, deep - 0.42, deep / 2 - 0.62
    draw_degrees(drawing.inches(figure, left, bottom + deep / 2 + 0.06, width, height), layer.degree)
    draw_similarities(drawing.inches(figure, left, bottom, width, height), layer.nearest, threshold)
    draw_head(figure, title, layer, quality)
    return figure


def about_axis(axis: int, shares: np.ndarray) -> str:
    """The name of a principal axis."""
    return f"principal axis {axis + 1} ({shares[axis]:.0%} of the variance)"


def draw_view(axes, side: np.ndarray, colours: np.ndarray, reach: np.ndarray) -> None:
    """The features from one side: float (m, 2) positions in the order they are painted, and their colours."""
    size = float(np.clip(9000 / max(len(side), 1), 0.7, 16))
    axes.scatter(*side.T, s=size, c=colours, linewidths=0, alpha=0.85)
    axes.set(xlim=(-reach[0], reach[0]), ylim=(-reach[1], reach[1]))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))


def paint(figure, layer: Layer) -> tuple[np.ndarray, np.ndarray]:
    """A colour for each feature, and their order of painting; draws the key to the colours into the page's head.

    By category where the labels have any, else by density, the densest on top.
    """
    if any(layer.categories):
        return paint_categories(figure, layer.categories)
    found = density(layer.coords) if len(layer.coords) else np.empty(0)
    limit = max(1.0, float(np.ceil(np.percentile(np.abs(found), 95)))) if len(found) else 1.0
    norm = Normalize(-limit, limit)
    order = np.argsort(found, kind="stable")
    height = figure.get_size_inches()[1]
    axes = drawing.inches(figure, drawing.WIDTH - RIGHT - 2.1, height - 0.56, 2.1, 0.09)
    axes.imshow(np.linspace(0, 1, 256)[None], aspect="auto", cmap=DENSITY, extent=(-limit, limit, 0, 1))
    ticks = [-limit, 0, limit]
    axes.set_yticks([])
    axes.set_xticks(ticks, [f"1/{2**limit:.0f}", "1", f"{2**limit:.0f}"])
    axes.set_title("features around, against the median feature", fontsize=7, color=drawing.PALE, pad=3)
    axes.spines[:].set_visible(False)
    return DENSITY(norm(found[order])), order


def paint_categories(figure, categories: list[str | None]) -> tuple[np.ndarray, np.ndarray]:
    """The most frequent categories in colours that colour-blind people tell apart, all others in grey, below them."""
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
    return to_rgba_array([colour.get(categories[place], drawing.NO_CATEGORY) for place in order]), order


def name_regions(layer: Layer) -> list[Region]:
    """The regions of the layer, each with its name; none without live features."""
    if not len(layer.coords):
        return []
    size = int(np.clip(len(layer.coords) // 60, *REGION))
    return regions(layer.coords, layer.labels, layer.edges, layer.numbers, size, drawing.drawable)


def draw_degrees(axes, degree: np.ndarray) -> None:
    """How many links the features have, in classes that double; the last is open."""
    classes = [low for low in DEGREES if low <= max(degree.max(initial=0), 1)]
    shares = np.histogram(degree, [*classes, np.inf])[0] / max(len(degree), 1)
    names = [DEGREES[low] for low in classes]
    bars = axes.bar(names, shares, width=0.86, color=[drawing.VERMILION, *[drawing.BLUE] * (len(names) - 1)])
    told = [f"{share:.0%}" if share >= 0.005 else "<1%" if share else "" for share in shares]
    axes.bar_label(bars, told, fontsize=6, color=drawing.PALE, padding=1)
    axes.set_title("Links of a feature")
    axes.tick_params(axis="x", length=0, labelsize=6.2)
    axes.set_ylim(0, 1.18 * max(shares.max(initial=0), 0.01))
    axes.yaxis.set_major_locator(MaxNLocator(3))
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.spines[["top", "right"]].set_visible(False)


def draw_similarities(axes, nearest: np.ndarray, threshold: float) -> None:
    """The cosine of each feature with its nearest neighbour, and where links begin."""
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
    """Title, counts, and how true the map is."""
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
    truth = [
        *([] if kept is None else [f"the map keeps {kept:.0%} of the 15 nearest neighbours"]),
        *([] if trust is None else [f"trustworthiness {trust:.2f}"]),
    ]
    for line, told in enumerate([facts, truth]):
        place = 1 - (0.58 + 0.16 * line) / height
        figure.text(LEFT / across, place, " · ".join(told), fontsize=7.5, color=drawing.PALE)


def main(snakemake) -> None:
    """Read, draw, write."""
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
