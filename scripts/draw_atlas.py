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


def draw_shares(axes, x: list, rows: list[dict], counts: list[int], label: str) -> None:
    """Draw how often labels agree, and how often by chance."""
    for key, colour, marker, name in (
        ("agree", drawing.BLUE, "o", "matched"),
        ("chance", drawing.PALE, "^", "at random"),
    ):
        values = [
            row[key] if count >= LEAST and row[key] is not None else np.nan
            for row, count in zip(rows, counts, strict=True)
        ]
        axes.plot(x, values, color=colour, marker=marker, markersize=3.2, linewidth=1, clip_on=False, label=name)
    axes.set(ylim=(0, 1), xlabel=label)
    axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:g}%")


def draw_layers(axes, x: list, lines: dict[str, tuple], label: str) -> None:
    """Draw lines over layers: by name, values, colour and marker."""
    highest = 0.0
    for name, (values, colour, marker) in lines.items():
        known = np.array([np.nan if value is None else value for value in values], float)
        axes.plot(x, known, color=colour, marker=marker, markersize=3.2, linewidth=1, clip_on=False, label=name)
        highest = np.fmax(highest, np.nanmax(known, initial=0))
    axes.set(ylim=(0, 1.15 * highest or 1), xlabel=label)


def draw(tracks: dict[str, np.ndarray], quality: dict, title: str):
    """Return the figure; tracks as in `ages`, quality as in the atlas's quality.json."""
    layers = [entry["layer"] for entry in quality["layers"]]
    figure = drawing.page(HEIGHT)
    counts = ages(tracks, layers)
    lengths = [row["length"] for row in quality["tracks"] for _ in range(row["tracks"])]
    followed = sum(row["length"] * row["tracks"] for row in quality["tracks"] if row["length"] > 1)
    total = max(1, int(counts.sum()))
    old = counts[0]
    lines = (
        f"How long features live: {total:,} features of {len(layers)} layers lie on {len(lengths):,} tracks;"
        f" {followed / total:.0%} of them are followed into another layer.",
        f"Of the {old[0]:,} features of layer {layers[0]}, {old[-1]:,} are still followed in layer {layers[-1]}.",
    )
    drawing.write_head(figure, title, *lines)
    draw_life(drawing.inches(figure, *LIFE), counts, layers)
    panels = [drawing.inches(figure, left, bottom, *SMALL) for bottom in BOTTOMS for left in LEFTS]
    curve, ends, drift, kept = panels
    rows = quality["calibration"]
    middles = [(row["from"] + row["to"]) / 2 for row in rows]
    draw_shares(curve, middles, rows, [row["matches"] for row in rows], "cosine of the match")
    curve.set_title("Matched features whose labels share a word")
    curve.legend(loc="center right")
    rows = [row for row in quality["tracks"] if row["length"] > 1]
    draw_shares(
        ends, [row["length"] for row in rows], rows, [row["tracks"] for row in rows], "layers that the track spans"
    )
    ends.set_title("Tracks whose first and last label share a word")
    pairs = quality["pairs"]
    styles = {
        "independent": ("the layers' own maps", drawing.PALE, "^"),
        "procrustes": ("rotated onto each other", drawing.ORANGE, "s"),
        "frame": ("the frame", drawing.BLUE, "o"),
    }
    apart = {
        name: ([pair["drift"][key] for pair in pairs], colour, marker) for key, (name, colour, marker) in styles.items()
    }
    draw_layers(drift, [pair["layers"][1] for pair in pairs], apart, "layer, and the one before")
    drift.set_title("Distance of matches, random pairs being 1")
    drift.set_ylim(top=1.6 * drift.get_ylim()[1])
    drift.legend(loc="upper center", ncols=2)
    fidelity = {
        "the layers' own maps": ([entry["own"]["kept_15"] for entry in quality["layers"]], drawing.PALE, "^"),
        "the frame": ([entry["frame"]["kept_15"] for entry in quality["layers"]], drawing.BLUE, "o"),
    }
    draw_layers(kept, layers, fidelity, "layer")
    kept.set_title("15 nearest neighbours that are near in the map")
    kept.legend(loc="lower left")
    kept.yaxis.set_major_formatter(lambda value, _: f"{100 * value:g}%")
    for axes in panels:
        axes.grid(axis="y", color="#ececec", linewidth=0.6)
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
    for axes in (ends, drift, kept):
        axes.xaxis.set_major_locator(MaxNLocator(10, integer=True, min_n_ticks=1))
    return figure


def main(snakemake) -> None:
    """Read, draw."""
    with job_log(snakemake) as log:
        table = load_columns(snakemake.input.tracks, ["track", "layer"])
        tracks = {name: table[name].to_numpy() for name in table.column_names}
        figure = draw(tracks, load_record(snakemake.input.quality), snakemake.params.display_name)
        drawing.save_figure(snakemake.output.figure, figure)
        log.info("%d features", len(table))


if __name__ == "__main__":
    main(snakemake)  # noqa: F821
