"""A model's tracks and the measures of its atlas -> figures/atlas.png: how long its features live.

Above, the features of each layer by the layer in which their tracks begin. Below, what that picture is worth: whether
the labels of matched features agree, at each cosine and from end to end of a track, and what the frame costs.
"""

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.ticker import MaxNLocator

from lib import drawing
from lib.files import load_record
from lib.job import job_log
from lib.tables import load_columns

HEIGHT = 9.9  # inches
LIFE = (0.95, 5.1, 6.9, 3.8)  # left, bottom, width and height of the first panel, in inches
LEFTS, BOTTOMS, SMALL = (0.95, 4.9), (2.75, 0.55), (2.95, 1.35)  # of the others
BAR = 0.16  # width of a layer's bar, in layers
# Fewer matches tell no share.
LEAST = 20
LINES = {  # by their columns in quality.json: name, colour and marker
    "agree": ("matched", drawing.BLUE, "o"),
    "chance": ("at random", drawing.PALE, "^"),
    "drift.independent": ("the layers' own maps", drawing.PALE, "^"),
    "drift.procrustes": ("rotated onto each other", drawing.ORANGE, "s"),
    "drift.frame": ("the frame", drawing.BLUE, "o"),
    "own.kept_15": ("the layers' own maps", drawing.PALE, "^"),
    "frame.kept_15": ("the frame", drawing.BLUE, "o"),
}


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
    axes.set(xlim=(-BAR / 2, len(layers) - 1 + BAR / 2), ylim=(0, tops.max()), xlabel="layer")
    shown = np.arange(0, len(layers), -(-len(layers) // 14))
    axes.set_xticks(shown, [layers[k] for k in shown])
    axes.yaxis.set_major_formatter("{x:,.0f}")
    axes.spines[:].set_visible(False)
    axes.set_ylabel("features, by the layer in which their tracks begin")


def draw_lines(axes, x, table: pd.DataFrame, label: str, title: str) -> None:
    """Draw a panel of the `LINES` that are columns of `table`, over `x`."""
    drawing.draw_lines(axes, table.set_axis(x), LINES)
    highest = np.nan_to_num(float(table.astype(float).max(axis=None)))
    axes.set(ylim=(0, 1.15 * highest or 1), xlabel=label)
    axes.set_title(title)


def draw(tracks: dict[str, np.ndarray], quality: dict, title: str):
    """Return the figure; tracks as in `ages`, quality as in the atlas's quality.json."""
    per_layer, pairs, bins, rows = (
        pd.json_normalize(quality[name]) for name in ("layers", "pairs", "calibration", "tracks")
    )
    layers = per_layer["layer"].tolist()
    figure = drawing.page(HEIGHT)
    counts = ages(tracks, layers)
    followed = rows[rows["length"] > 1]
    total, old = counts.sum(), counts[0]
    lines = (
        f"How long features live: {total:,} features of {len(layers)} layers lie on {rows['tracks'].sum():,} tracks;"
        f" {(followed['length'] * followed['tracks']).sum() / total:.0%} of them are followed into another layer.",
        f"Of the {old[0]:,} features of layer {layers[0]}, {old[-1]:,} are still followed in layer {layers[-1]}.",
    )
    drawing.write_head(figure, title, *lines)
    draw_life(drawing.inches(figure, *LIFE), counts, layers)
    curve, ends, drift, kept = (drawing.inches(figure, left, bottom, *SMALL) for bottom in BOTTOMS for left in LEFTS)
    matched = bins[["agree", "chance"]].where(bins["matches"] >= LEAST)
    shared = "Matched features whose labels share a word"
    draw_lines(curve, (bins["from"] + bins["to"]) / 2, matched, "cosine of the match", shared)
    curve.legend(loc="center right")
    spanned = followed[["agree", "chance"]].where(followed["tracks"] >= LEAST)
    shared = "Tracks whose first and last label share a word"
    draw_lines(ends, followed["length"], spanned, "layers that the track spans", shared)
    apart = "Distance of matches, random pairs being 1"
    draw_lines(drift, pairs["layers"].str[1], pairs.filter(like="drift."), "layer, and the one before", apart)
    drift.set_ylim(top=1.6 * drift.get_ylim()[1])
    drift.legend(loc="upper center", ncols=2)
    near = "15 nearest neighbours that are near in the map"
    draw_lines(kept, layers, per_layer.filter(like=".kept_15"), "layer", near)
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
