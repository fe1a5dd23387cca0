"""Draw a layer in one figure: its map from three sides with named regions, and histograms of degrees and similarities.

The map is seen along its own principal axes, all at the same scale. Layers without labels or edges get a figure too.
"""

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, Normalize, to_rgba_array
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from scipy.spatial import cKDTree

from lib import drawing
from lib.drawing import drawable, shortened
from lib.files import load_record
from lib.job import job_log
from lib.tables import load_table

NEAR = 15  # neighbours in the map from which its density at a feature is computed
NAME = 26  # characters of a region's name
# Fonts of the names, by the regions' level; and of an unnamed region's representative.
FONTS = {1: {"fontweight": "bold"}, 2: {}, 3: {"color": drawing.PALE}}
STAND_IN = {"fontstyle": "italic"}
RIGHT, GAP, HEAD, FOOT = 0.3, 0.12, 1.0, 0.45  # inches
DEGREES = {0: "0", 1: "1", 2: "2", 3: "3–4", 5: "5–8", 9: "9–16", 17: "17–32", 33: "33–64", 65: "65+"}
# Viridis without its palest end, which is invisible on paper; the densest features are the darkest.
DENSITY = LinearSegmentedColormap.from_list("density", colormaps["viridis_r"](np.linspace(0.06, 1, 256)))


def principal_axes(coords: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Centre float (m, 3) points and rotate them to their principal axes, each with its largest component positive.

    Returns the rotated points, float64 (m, 3), and each axis' share of the variance, float64 (3,), descending.
    """
    centred = coords.astype(np.float64) - coords.mean(axis=0, dtype=np.float64)
    values, vectors = np.linalg.eigh(centred.T @ centred)
    vectors = vectors[:, ::-1]
    vectors *= np.sign(vectors[np.abs(vectors).argmax(axis=0), range(3)])
    spread = np.maximum(values[::-1], 0)
    return centred @ vectors, spread / (spread.sum() or 1)


def draw(features: pd.DataFrame, regions: list[dict], title: str, threshold: float, quality: dict):
    """Return the figure of layer-N.parquet and the regions in regions.json.

    `threshold` is the minimum cosine of a link, `quality` the map's measures in quality.json.
    """
    live = features[features["x"].notna()]
    coords = live[["x", "y", "z"]].to_numpy(np.float32)
    points, shares = principal_axes(coords)
    reach = np.abs(points).max(axis=0)
    # A flat map still gets a figure.
    reach = 1.06 * np.maximum(reach, 0.65 * reach.max() or 1.0)
    # In inches: one scale for all three views.
    left, bottom = drawing.MARGIN, FOOT
    across, up, deep = reach * (drawing.WIDTH - left - RIGHT - GAP) / (reach[0] + reach[2])
    right, top = left + across + GAP, bottom + deep + GAP
    figure = drawing.page(top + up + HEAD)
    front = drawing.inches(figure, left, top, across, up)
    side = drawing.inches(figure, right, top, deep, up)
    below = drawing.inches(figure, left, bottom, across, deep)
    colours, order = paint(figure, live, coords)
    named = region_names(regions, features["label"])
    middles = pd.concat(pd.DataFrame(points).groupby(live[f"region_{level}"].to_numpy()).mean() for level in FONTS)
    anchors, names = middles.loc[list(named)].to_numpy(), list(named.values())
    for axes, x, y in ((front, 0, 1), (side, 2, 1), (below, 0, 2)):
        view = points[:, [x, y]]
        axes.scatter(*view[order].T, s=np.clip(9000 / len(live), 0.7, 16), c=colours, lw=0, alpha=0.85)
        axes.set(xlim=(-reach[x], reach[x]), ylim=(-reach[y], reach[y]))
        axes.locator_params(nbins=5, steps=[1, 2, 5, 10])
        limit, size = (24, 7) if axes is front else (12, 6.5)
        drawing.write_names(axes, anchors[:, [x, y]], names, limit, size)
    first, second, third = (f"principal axis {n} ({share:.0%} of the variance)" for n, share in enumerate(shares, 1))
    front.set_ylabel(second)
    front.tick_params(labelbottom=False)
    side.set_xlabel(third)
    side.tick_params(labelleft=False)
    below.set(xlabel=first, ylabel=third)
    # Leave room for ticks to the left and headings above.
    left, width, height = right + 0.42, deep - 0.42, deep / 2 - 0.62
    draw_degrees(drawing.inches(figure, left, bottom + deep / 2 + 0.06, width, height), live["degree"].to_numpy())
    draw_similarities(drawing.inches(figure, left, bottom, width, height), live["similarities"], threshold)
    counts = [
        f"{len(live):,} features",
        f"{live['label'].count():,} with a label",
        f"{live['degree'].sum() // 2:,} links",
        f"{(live['degree'] == 0).sum():,} without a link",
    ]
    if len(live) < len(features):
        counts.append(f"{len(features) - len(live):,} dead")
    measures = {
        "kept_15": "the map keeps {:.0%} of the 15 nearest neighbours",
        "trustworthiness": "trustworthiness {:.2f}",
    }
    known = [text.format(quality[name]) for name, text in measures.items() if quality.get(name) is not None]
    drawing.write_head(figure, title, " · ".join(counts), " · ".join(known))
    return figure


def paint(figure, live: pd.DataFrame, coords: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Draw the colour key into the head; return the colours, in drawing order, and that order of the features.

    The colours show categories if the labels have any, otherwise density, with the densest features on top.
    """
    if live["category"].any():
        return paint_categories(figure, live["category"])
    occupied = volumes(coords)
    # Doublings of the density around the median feature.
    density = np.log2(np.median(occupied) / occupied)
    limit = max(1.0, np.ceil(np.percentile(np.abs(density), 95)))
    colours = ScalarMappable(Normalize(-limit, limit), DENSITY)
    key = drawing.inches(figure, drawing.WIDTH - RIGHT - 2.1, figure.get_figheight() - 0.56, 2.1, 0.09)
    bar = figure.colorbar(colours, cax=key, orientation="horizontal")
    bar.set_ticks([-limit, 0, limit], labels=[f"1/{2**limit:.0f}", "1", f"{2**limit:.0f}"])
    bar.outline.set_visible(False)
    key.set_title("density, relative to the median feature", fontsize=7, color=drawing.PALE, pad=3)
    order = np.argsort(density, kind="stable")
    return colours.to_rgba(density[order]), order


def paint_categories(figure, categories: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Colour the most frequent categories; the others are grey and drawn below them. Returns as `paint` does."""
    frequent = categories.groupby(categories).size().nlargest(len(drawing.CATEGORIES)).index
    key = dict(zip(frequent, drawing.CATEGORIES, strict=False))
    own = categories.isin(key)
    colours = to_rgba_array(categories.map(key).fillna(drawing.NO_CATEGORY))
    if not own.all():
        key["other or none"] = drawing.NO_CATEGORY
    dot = {"marker": "o", "linestyle": "none", "markersize": 4}
    figure.legend(
        handles=[Line2D([], [], color=colour, label=shortened(name, 18), **dot) for name, colour in key.items()],
        bbox_to_anchor=(1 - RIGHT / drawing.WIDTH, 1 - 0.14 / figure.get_figheight()),
        ncols=2, handletextpad=0.1, columnspacing=1.0,
    )  # fmt: skip
    order = np.argsort(own, kind="stable")
    return colours[order], order


def region_names(regions: list[dict], labels: pd.Series) -> dict[str, tuple[str, dict]]:
    """The text and the font of the names in the figure by region, the largest regions of the first level first.

    A region of the first level without a name that can be drawn goes by its representative.
    """
    names = {}
    for region in regions:
        if text := drawable_name(region):
            names[region["id"]] = shortened(text, NAME), FONTS[region["level"]]
        elif region["level"] == 1:
            index = region["representative"]
            label = labels[index] if isinstance(labels[index], str) and drawable(labels[index]) else f"#{index}"
            names[region["id"]] = shortened(label, NAME), STAND_IN
    return names


def drawable_name(region: dict) -> str | None:
    """The region's name, or if that is made of words as many of them as fit; None if it has none in the font."""
    name, words = region.get("name", ""), region.get("words", [])
    if name == ", ".join(words):
        words = [word for word in words if drawable(word)]
        fitting = [", ".join(words[:count]) for count in (3, 2)]
        name = next((text for text in fitting if len(text) <= NAME), words[0] if words else "")
    return name if name and drawable(name) else None


def volumes(coords: np.ndarray) -> np.ndarray:
    """Cube of the distance to the NEAR-th nearest other point, or to the farthest if there are fewer: float64 (m,).

    Its reciprocal is the density. Coinciding points get the smallest distance above 0 of all points.
    """
    distance = cKDTree(coords).query(coords, [min(NEAR + 1, len(coords))])[0][:, 0]
    apart = distance[distance > 0]
    return np.maximum(distance, apart.min() if len(apart) else 1.0) ** 3


def draw_degrees(axes, degree: np.ndarray) -> None:
    """Draw a histogram of links per feature, in classes that double in width; the last is open-ended."""
    classes = [low for low in DEGREES if low <= max(degree.max(), 1)]
    shares = np.histogram(degree, [*classes, np.inf])[0] / len(degree)
    bars = axes.bar([DEGREES[low] for low in classes], shares, width=0.86, color=drawing.BLUE)
    bars[0].set_facecolor(drawing.VERMILION)
    percentages = [f"{share:.0%}" if share >= 0.005 else "<1%" if share else "" for share in shares]
    axes.bar_label(bars, percentages, fontsize=6, color=drawing.PALE, padding=1)
    axes.set_title("Links per feature")
    axes.tick_params(axis="x", length=0, labelsize=6.2)
    axes.set_ylim(0, 1.18 * shares.max())
    axes.yaxis.set_major_locator(MaxNLocator(3))
    axes.yaxis.set_major_formatter("{x:.0%}")
    axes.spines[["top", "right"]].set_visible(False)


def draw_similarities(axes, similarities: pd.Series, threshold: float) -> None:
    """Draw a histogram of the cosine of each feature with its nearest neighbour, and the threshold of links."""
    nearest = np.array([row[0] for row in similarities if len(row)])
    bins = np.linspace(np.floor(20 * min(nearest.min(initial=1), threshold)) / 20, 1, 41)
    counts, *_ = axes.hist(nearest, bins, color=drawing.SKY)
    axes.axvline(threshold, color=drawing.VERMILION, linewidth=1, linestyle=(0, (4, 2)))
    axes.text(
        threshold, 0.98, f" links from {threshold:g}",
        transform=axes.get_xaxis_transform(), va="top", fontsize=6.5, path_effects=drawing.HALO,
    )  # fmt: skip
    axes.set_title("Cosine with the nearest neighbour")
    axes.set(xlim=(bins[0], 1), ylim=(0, 1.25 * max(counts.max(), 1)))
    axes.yaxis.set_major_locator(MaxNLocator(3, integer=True))
    axes.spines[["top", "right"]].set_visible(False)


if __name__ == "__main__":
    with job_log(snakemake) as log:
        files = snakemake.input
        features = load_table(files.table)
        title = f"{shortened(snakemake.params.display_name, 36)}, layer {snakemake.wildcards.layer}"
        threshold = load_record(files.edges_record)["parameters"]["threshold"]
        quality = load_record(files.quality).get("map", {})
        regions = load_record(files.regions)["regions"]
        drawing.save_figure(snakemake.output.figure, draw(features, regions, title, threshold, quality))
        log.info("%d features", len(features))
