"""A model's tracks and the measures of its atlas -> figures/atlas.png: how long its features live.

Above, the features of each layer by the layer in which their tracks begin. Below, what that picture is worth: whether
the labels of matched features agree, at each cosine and from end to end of a track, and what the frame costs.
"""

import numpy as np
from matplotlib import colormaps
from matplotlib.ticker import MaxNLocator

from lib.figures import drawing
from lib.files import load_record
from lib.job import job_log
from lib.tables import load_columns

HEIGHT = 9.9  # inches
LIFE = (0.95, 5.1, 6.9, 3.8)  # left, bottom, width and height of the first panel, in inches
LEFTS, BOTTOMS, SMALL = (0.95, 4.9), (2.75, 0.55), (2.95, 1.35)  # of the others
BAR = 0.16  # width of a layer's bar, in layers
# Fewer matches tell no share.
LEAST = 20


def ages(tracks: dict[str, np.ndarray], layers: list[int]) -> np.ndarray:
    """How many features of each layer are on a track that began in each layer: int (layers it began in, layers).

    tracks : the columns track and layer of tracks.parquet
    """
    position = np.searchsorted(layers, tracks["layer"])
    # Sorted by track and layer: the first row of each track is where it begins.
    _, first, number = np.unique(tracks["track"], return_index=True, return_inverse=True)
    counts = np.zeros((len(layers), len(layers)), int)
    np.add.at(counts, (position[first][number], position), 1)
    return counts


def draw_life(axes, counts: np.ndarray, layers: list[int]) -> None:
    """Draw a bar for each layer, its features by the layer in which their tracks begin, the oldest at the bottom.

    Ribbons lead to the next bar: they are as thick as the number of features that are followed there.
    """
    colours = colormaps["viridis"](np.linspace(0, 0.93, len(layers)))
    tops = np.cumsum(counts, axis=0)
    bottoms = tops - counts
    way = np.linspace(0, 1, 24)
    bend = way**2 * (3 - 2 * way)
    for here in range(len(layers)):
        axes.bar(here, counts[: here + 1, here], BAR, bottoms[: here + 1, here], color=colours[: here + 1])
        if here + 1 == len(layers):
            break
        for begin in range(here + 1):
            low = bottoms[begin, here] + (bottoms[begin, here + 1] - bottoms[begin, here]) * bend
            x = here + BAR / 2 + (1 - BAR) * way
            axes.fill_between(x, low, low + counts[begin, here + 1], color=colours[begin], alpha=0.45, linewidth=0)
    axes.set(xlim=(-BAR / 2, len(layers) - 1 + BAR / 2), ylim=(0, tops.max(initial=1)), xlabel="layer")
    shown = np.arange(0, len(layers), -(-len(layers) // 14))
    axes.set_xticks(shown, [layers[k] for k in shown])
    axes.yaxis.set_major_formatter("{x:,.0f}")
    axes.spines[:].set_visible(False)
    axes.set_ylabel("features, by the layer in which their tracks begin")


def agreement(rows: list[dict], count: str) -> dict[str, tuple]:
    """Lines for `draw_lines`: how often labels agree, and how often by chance, where a row counts enough of them."""
    rows = [row if row[count] >= LEAST else {} for row in rows]
    return {
        "matched": ([row.get("agree") for row in rows], drawing.BLUE, "o"),
        "at random": ([row.get("chance") for row in rows], drawing.PALE, "^"),
    }


def draw_lines(axes, x: list, lines: dict[str, tuple], label: str, title: str) -> None:
    """Draw a panel of lines over `x`: by name, values (None where unknown), colour and marker."""
    for name, (values, colour, marker) in lines.items():
        drawing.draw_line(axes, x, np.array(values, float), colour, marker, label=name)
    highest = max((value for values, *_ in lines.values() for value in values if value is not None), default=0)
    axes.set(ylim=(0, 1.15 * highest or 1), xlabel=label)
    axes.set_title(title)


def draw(tracks: dict[str, np.ndarray], quality: dict, title: str):
    """Return the figure; tracks as in `ages`, quality as in the atlas's quality.json."""
    layers = [entry["layer"] for entry in quality["layers"]]
    figure = drawing.page(HEIGHT)
    counts = ages(tracks, layers)
    rows = quality["tracks"]
    followed = [row for row in rows if row["length"] > 1]
    total, old = max(1, int(counts.sum())), counts[0]
    share = sum(row["length"] * row["tracks"] for row in followed) / total
    lines = (
        f"How long features live: {total:,} features of {len(layers)} layers lie on"
        f" {sum(row['tracks'] for row in rows):,} tracks; {share:.0%} of them are followed into another layer.",
        f"Of the {old[0]:,} features of layer {layers[0]}, {old[-1]:,} are still followed in layer {layers[-1]}.",
    )
    drawing.write_head(figure, title, *lines)
    draw_life(drawing.inches(figure, *LIFE), counts, layers)
    curve, ends, drift, kept = (drawing.inches(figure, left, bottom, *SMALL) for bottom in BOTTOMS for left in LEFTS)
    bins, pairs = quality["calibration"], quality["pairs"]
    middles = [(row["from"] + row["to"]) / 2 for row in bins]
    shared = "Matched features whose labels share a word"
    draw_lines(curve, middles, agreement(bins, "matches"), "cosine of the match", shared)
    curve.legend(loc="center right")
    lengths = [row["length"] for row in followed]
    shared = "Tracks whose first and last label share a word"
    draw_lines(ends, lengths, agreement(followed, "tracks"), "layers that the track spans", shared)
    own, frame = ("the layers' own maps", drawing.PALE, "^"), ("the frame", drawing.BLUE, "o")
    rotated = "rotated onto each other", drawing.ORANGE, "s"
    apart = {
        name: ([pair["drift"][key] for pair in pairs], *style)
        for key, (name, *style) in {"independent": own, "procrustes": rotated, "frame": frame}.items()
    }
    later = [pair["layers"][1] for pair in pairs]
    draw_lines(drift, later, apart, "layer, and the one before", "Distance of matches, random pairs being 1")
    drift.set_ylim(top=1.6 * drift.get_ylim()[1])
    drift.legend(loc="upper center", ncols=2)
    fidelity = {
        name: ([entry[key]["kept_15"] for entry in quality["layers"]], *style)
        for key, (name, *style) in {"own": own, "frame": frame}.items()
    }
    draw_lines(kept, layers, fidelity, "layer", "15 nearest neighbours that are near in the map")
    kept.legend(loc="lower left")
    for axes in (curve, ends):
        axes.set_ylim(0, 1)
    for axes in (curve, ends, kept):
        axes.yaxis.set_major_formatter(drawing.percent)
    for axes in (ends, drift, kept):
        axes.xaxis.set_major_locator(MaxNLocator(10, integer=True, min_n_ticks=1))
    return figure


if __name__ == "__main__":
    with job_log(snakemake) as log:
        table = load_columns(snakemake.input.tracks, ["track", "layer"])
        tracks = {name: table[name].to_numpy() for name in table.column_names}
        figure = draw(tracks, load_record(snakemake.input.quality), snakemake.params.display_name)
        drawing.save_figure(snakemake.output.figure, figure)
        log.info("%d features", len(table))
