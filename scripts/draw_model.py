"""All layers of a model in one figure: how many links and labels, and how much of the meaning each map keeps.

Beside the figure the same numbers as a table, an HTML page that the report shows.
"""

import html

import numpy as np
import pandas as pd
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from lib import drawing
from lib.files import load_record, save_bytes
from lib.job import job_log
from lib.tables import load_table

POSITIONS = {  # whose positions a measure describes, by the suffix of its column: name, colour and marker
    "": ("the map", drawing.BLUE, "o"),
    "_pca": ("three principal components", drawing.ORANGE, "s"),
    "_random": ("random positions", drawing.PALE, "^"),
    "_exact": ("the nearest neighbours themselves", drawing.GREEN, "D"),
}
COUNTS = {  # column: title, whether it is a share
    "edges": ("Links", False),
    "without_link": ("Features without a link", True),
    "coverage": ("Features with a label", True),
}
MEASURES = {  # docs/geometry.md says what each means
    "kept_15": ("15 nearest neighbours among the 15 nearest points", True),
    "strongest_near": ("Strong nearest neighbours among the 15 nearest points", True),
    "trustworthiness": ("Trustworthiness of neighbourhoods", False),
    "continuity": ("Continuity of neighbourhoods", False),
    "cluster_correlation": ("Global structure: correlation of cluster distances", False),
    "strong_short": ("Strong neighbours closer than 99 of 100 random pairs", True),
    "label_agreement": ("Words shared with nearby labels, times chance", False),
}
COLUMNS = 2  # panels across
PANEL, BETWEEN, HEAD, FOOT = 1.0, 0.62, 1.15, 0.65  # inches from top to bottom

PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>{title}</title>
<style>
body {{ font: 14px/1.4 system-ui, sans-serif; color: #1a1a1a; margin: 2rem; }}
table {{ border-collapse: collapse; font-variant-numeric: tabular-nums; border: 0; }}
th, td {{ padding: .25rem .7rem; text-align: right; border: 0; border-bottom: 1px solid #ddd; white-space: nowrap; }}
thead th {{ vertical-align: bottom; white-space: normal; max-width: 9rem; }}
</style>
<h1>{title}</h1>
<p>Measures of the map; in brackets those of the decoder's first three principal components and of random positions,
and for words shared with nearby labels those of the nearest neighbours themselves.</p>
{table}
</html>
"""


def join(quality: pd.DataFrame, manifest: dict) -> pd.DataFrame:
    """One row per layer, ascending: the columns of quality.tsv, shares, and manifest.json's counts and file sizes."""
    listed = pd.DataFrame(manifest["layers"])[["layer", "labeledCount", "deadCount", "fileSize"]]
    layers = quality.merge(listed, on="layer").set_index("layer").sort_index()
    layers["without_link"] = layers["without_edge"] / layers["features"]
    layers["coverage"] = layers["labeledCount"] / layers["features"]
    return layers


def draw(layers: pd.DataFrame, title: str, total: int):
    """Return the figure of a model with `total` layers; `layers` is what `join` returns."""
    panels = COUNTS | MEASURES
    rows = -(-len(panels) // COLUMNS)
    height = HEAD + rows * PANEL + (rows - 1) * BETWEEN + FOOT
    figure = drawing.page(height)
    left, right = drawing.MARGIN / drawing.WIDTH, 1 - 0.5 * drawing.MARGIN / drawing.WIDTH
    figure.subplots_adjust(left, FOOT / height, right, 1 - HEAD / height, wspace=0.16, hspace=BETWEEN / PANEL)
    grid = figure.subplots(rows, COLUMNS)
    # Rows without values where a layer is missing: lines break there.
    every_layer = layers.reindex(range(layers.index[0], layers.index[-1] + 1))
    for axes, (name, (heading, share)) in zip(grid.flat, panels.items(), strict=True):
        draw_panel(axes, every_layer, name)
        axes.set_title(heading)
        axes.yaxis.set_major_formatter(drawing.percent if share else "{x:,.6g}")
    for axes in grid[-1]:
        axes.set_xlabel("layer")
    drawing.write_head(figure, title, f"{len(layers)} of {total} layers")
    handles = [
        Line2D([], [], color=colour, marker=marker, markersize=4, linewidth=1, label=name)
        for name, colour, marker in POSITIONS.values()
    ]
    figure.legend(handles=handles, bbox_to_anchor=(right, 1 - 0.44 / height), ncols=4, columnspacing=1.4)
    return figure


def draw_panel(axes, layers: pd.DataFrame, name: str) -> None:
    """Draw one column over the layers: a measure beside those of PCA and chance, a count alone."""
    styles = {name + suffix: style for suffix, style in reversed(POSITIONS.items())}
    drawing.draw_lines(axes, layers, styles)
    shown = layers.reindex(columns=list(styles)).astype(float)
    lowest, highest = np.fmin(0, shown.min(axis=None)), np.fmax(0, shown.max(axis=None))
    axes.set(xlim=(layers.index[0] - 0.5, layers.index[-1] + 0.5), ylim=(1.1 * lowest, 1.1 * highest or 1.0))
    axes.xaxis.set_major_locator(MaxNLocator(10, integer=True, min_n_ticks=1))
    axes.yaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 2.5, 5, 10]))
    if layers[name].isna().all():
        reason = "not measured: too few features or labels"
        axes.text(0.5, 0.5, reason, transform=axes.transAxes, ha="center", fontsize=7, color=drawing.PALE)


def table(layers: pd.DataFrame, title: str) -> str:
    """Return the HTML page."""
    shown = {"layer": layers.index}
    shown |= {"features": layers["features"].map("{:,}".format), "dead": layers["deadCount"].map("{:,}".format)}
    for column, (heading, share) in COUNTS.items():
        shown[heading] = layers[column].map(("{:.1%}" if share else "{:,}").format)
    for name, (heading, _) in MEASURES.items():
        columns = [name, f"{name}_pca", f"{name}_random", *layers.columns.intersection([f"{name}_exact"])]
        cells = layers.reindex(columns=columns).astype(float).map("{:.2f}".format).replace("nan", "–")
        shown[heading] = cells[name] + " (" + cells[columns[1:]].agg(", ".join, axis=1) + ")"
    shown["MB"] = (layers["fileSize"] / 1e6).map("{:.1f}".format)
    rows = pd.DataFrame(shown).to_html(index=False, border=0, justify="right")
    return PAGE.format(title=html.escape(title), table=rows)


if __name__ == "__main__":
    with job_log(snakemake) as log:
        manifest = load_record(snakemake.input.manifest)
        layers = join(load_table(snakemake.input.quality), manifest)
        title = manifest["displayName"]
        drawing.save_figure(snakemake.output.figure, draw(layers, title, manifest["totalLayers"]))
        save_bytes(snakemake.output.table, table(layers, title).encode())
        log.info("%d layers", len(layers))
