"""All layers of a model on a page: how many links and labels, and how much of the meaning each map keeps.

Beside the figure the same numbers as a table, an HTML page that the report shows.
"""

import html

import pandas as pd
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from lib.figures import drawing
from lib.files import load_record, save_bytes
from lib.job import job_log
from lib.tables import load_table

POSITIONS = {  # whose positions a measure describes: suffix of its column, colour and marker
    "the map": ("", drawing.BLUE, "o"),
    "three principal components": ("_pca", drawing.ORANGE, "s"),
    "random positions": ("_random", drawing.PALE, "^"),
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
    "cluster_correlation": ("The map at large: correlation of cluster distances", False),
    "strong_short": ("Strong neighbours closer than 99 of 100 random pairs", True),
    "label_agreement": ("Words shared with nearby labels, times chance", False),
}
COLUMNS, ROW, HEAD, FOOT, MARGIN = 2, 1.62, 0.95, 0.45, 0.55  # panels across; inches

PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>{title}</title>
<style>
body {{ font: 14px/1.4 system-ui, sans-serif; color: #1a1a1a; margin: 2rem; }}
table {{ border-collapse: collapse; font-variant-numeric: tabular-nums; border: 0; }}
th, td {{ padding: .25rem .7rem; text-align: right; border: 0; border-bottom: 1px solid #ddd; white-space: nowrap; }}
thead th {{ vertical-align: bottom; white-space: normal; max-width: 9rem; }}
</style>
<h1>{title}</h1>
<p>Measures of the map; in brackets those of the decoder's first three principal components, and chance.</p>
{table}
</html>
"""


def join(quality: pd.DataFrame, manifest: dict) -> pd.DataFrame:
    """One row per layer, ascending: the columns of quality.tsv, shares, and the manifest's counts and file sizes.

    Parameters
    ----------
    quality : quality.tsv
    manifest : manifest.json
    """
    listed = pd.DataFrame(manifest["layers"])[["layer", "labeledCount", "deadCount", "fileSize"]]
    layers = quality.merge(listed, on="layer").set_index("layer").sort_index()
    features = layers["features"].clip(lower=1)
    layers["without_link"] = layers["without_edge"] / features
    layers["coverage"] = layers["labeledCount"] / features
    return layers


def draw(layers: pd.DataFrame, title: str, total: int):
    """The page.

    Parameters
    ----------
    layers : as `join` returns them
    title : the model's name
    total : how many layers the model has
    """
    titles = COUNTS | MEASURES
    rows = -(-len(titles) // COLUMNS)
    height = HEAD + rows * ROW + FOOT
    figure = drawing.page(height)
    width = (drawing.WIDTH - MARGIN * (COLUMNS + 0.5)) / COLUMNS
    for number, (name, (heading, share)) in enumerate(titles.items()):
        row, column = divmod(number, COLUMNS)
        bottom = height - HEAD - (row + 1) * ROW + 0.42
        axes = drawing.inches(figure, MARGIN + column * (width + MARGIN), bottom, width, ROW - 0.62)
        draw_panel(axes, layers, name)
        axes.set_title(heading)
        axes.yaxis.set_major_formatter(percent if share else "{x:,.6g}")
        if row == rows - 1:
            axes.set_xlabel("layer")
    across = drawing.WIDTH
    figure.text(MARGIN / across, 1 - 0.36 / height, title, fontsize=13, fontweight="bold")
    counted = f"{len(layers)} of {total} layers"
    figure.text(MARGIN / across, 1 - 0.58 / height, counted, fontsize=8, color=drawing.PALE)
    handles = [
        Line2D([], [], color=colour, marker=marker, markersize=4, linewidth=1, label=name)
        for name, (_, colour, marker) in POSITIONS.items()
    ]
    figure.legend(
        handles=handles, loc="upper right", bbox_to_anchor=(1 - MARGIN / 2 / across, 1 - 0.44 / height), ncols=3,
        borderaxespad=0, columnspacing=1.4, labelcolor=drawing.PALE,
    )  # fmt: skip
    return figure


def percent(share: float, _position: int | None = None) -> str:
    """A share on an axis."""
    return f"{100 * share:g}%"


def draw_panel(axes, layers: pd.DataFrame, name: str) -> None:
    """One column over the layers: a measure beside those of PCA and chance, a count alone. Lines break at gaps."""
    columns = [name + suffix for suffix, _, _ in POSITIONS.values() if name + suffix in layers]
    every_layer = layers.reindex(range(layers.index[0], layers.index[-1] + 1))
    for suffix, colour, marker in reversed(POSITIONS.values()):
        if name + suffix in columns:
            axes.plot(
                every_layer.index, every_layer[name + suffix].astype(float),
                color=colour, marker=marker, markersize=3.2, linewidth=1, clip_on=False,
            )  # fmt: skip
    axes.set_xlim(layers.index[0] - 0.5, layers.index[-1] + 0.5)
    axes.xaxis.set_major_locator(MaxNLocator(10, integer=True, min_n_ticks=1))
    axes.yaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 2.5, 5, 10]))
    values = layers[columns].stack().dropna()
    lowest, highest = (values.min(), values.max()) if len(values) else (0.0, 1.0)
    axes.set_ylim(min(0.0, 1.1 * lowest), 1.1 * highest if highest > 0 else 1.0)
    axes.grid(axis="y", color="#ececec", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    if values.empty:
        axes.text(0.5, 0.5, "not measured: too few features or labels", transform=axes.transAxes, ha="center",
                  va="center", fontsize=7, color=drawing.PALE)  # fmt: skip


def table(layers: pd.DataFrame, title: str) -> str:
    """The HTML page."""
    shown = pd.DataFrame(index=layers.index.rename(None))
    shown["layer"] = layers.index
    for heading, column in (("features", "features"), ("dead", "deadCount")):
        shown[heading] = layers[column].map("{:,.0f}".format)
    for column, (heading, share) in COUNTS.items():
        shown[heading] = layers[column].map(("{:.1%}" if share else "{:,.0f}").format)
    for name, (heading, _) in MEASURES.items():
        suffixes = [suffix for suffix, _, _ in POSITIONS.values()]
        values = layers.reindex(columns=[name + suffix for suffix in suffixes])
        shown[heading] = [measure(*row) for row in values.itertuples(index=False)]
    shown["MB"] = (layers["fileSize"] / 1e6).map("{:.1f}".format)
    return PAGE.format(title=html.escape(title), table=shown.to_html(index=False, border=0, justify="right"))


def measure(ours: float, *others: float) -> str:
    """A cell: the map's value, and in brackets those of PCA and of random positions; empty if not measured."""
    if pd.isna(ours):
        return ""
    return f"{ours:.2f} ({', '.join('–' if pd.isna(other) else f'{other:.2f}' for other in others)})"


def main(snakemake) -> None:
    """Read what is known of all layers, draw and tabulate it."""
    with job_log(snakemake) as log:
        manifest = load_record(snakemake.input.manifest)
        layers = join(load_table(snakemake.input.quality), manifest)
        title = manifest["displayName"]
        drawing.save_figure(snakemake.output.figure, draw(layers, title, manifest["totalLayers"]))
        save_bytes(snakemake.output.table, table(layers, title).encode())
        log.info("%d layers", len(layers))


if __name__ == "__main__":
    main(snakemake)  # noqa: F821
