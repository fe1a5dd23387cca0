"""All layers of a model on a page: how many links and labels, and how much of the meaning each map keeps.

Beside the figure the same figures as a table, a page of HTML that the report shows.
"""

import csv
import html
import json
from pathlib import Path

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from lib.figures import drawing
from lib.files import save_bytes
from lib.job import job_log

POSITIONS = {  # what a measure was taken of: suffix of its column, colour and marker
    "the map": ("", drawing.BLUE, "o"),
    "three principal components": ("_pca", drawing.ORANGE, "s"),
    "random positions": ("_random", drawing.PALE, "^"),
}
COUNTS = {  # column: title, whether it is a share
    "links": ("Links", False),
    "without_link": ("Features without a link", True),
    "coverage": ("Features with a label", True),
}
MEASURES = {  # docs/geometry.md says what each means
    "kept_15": ("15 nearest neighbours among the 15 nearest points", True),
    "strongest_near": ("Strong nearest neighbours among the 15 nearest points", True),
    "trustworthiness": ("Trustworthiness of neighbourhoods", False),
    "continuity": ("Continuity of neighbourhoods", False),
    "cluster_correlation": ("The map at large: correlation of clusters' distances", False),
    "strong_short": ("Strong neighbours nearer than 99 of 100 random pairs", True),
    "label_agreement": ("Words shared with near labels, times chance", False),
}
COLUMNS, ROW, HEAD, FOOT, MARGIN = 2, 1.62, 0.95, 0.45, 0.55  # panels across; inches

PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>{title}</title>
<style>
body {{ font: 14px/1.4 system-ui, sans-serif; color: #1a1a1a; margin: 2rem; }}
table {{ border-collapse: collapse; font-variant-numeric: tabular-nums; }}
th, td {{ padding: .25rem .7rem; text-align: right; border-bottom: 1px solid #ddd; white-space: nowrap; }}
thead th {{ vertical-align: bottom; white-space: normal; max-width: 9rem; }}
small {{ color: #6b6b6b; }}
</style>
<h1>{title}</h1>
<p>Measures of the map; in brackets those of the decoder's first three principal components, and chance.</p>
<table>
{rows}
</table>
</html>
"""


def join(quality: list[dict[str, str]], manifest: dict) -> dict[int, dict[str, float]]:
    """By layer, ascending, every figure there is; NaN where the layer is too small for a measure.

    Parameters
    ----------
    quality : the rows of quality.tsv
    manifest : manifest.json
    """
    listed = {entry["layer"]: entry for entry in manifest["layers"]}
    found = {}
    for row in sorted(quality, key=lambda row: int(row["layer"])):
        layer = int(row["layer"])
        numbers = {name: float(value) if value else np.nan for name, value in row.items()}
        entry, features = listed[layer], max(numbers["features"], 1)
        found[layer] = numbers | {
            "links": numbers["edges"],
            "without_link": numbers["without_edge"] / features,
            "coverage": entry["labeledCount"] / features,
            "dead": entry["deadCount"],
            "size": entry["fileSize"],
        }
    return found


def draw(layers: dict[int, dict[str, float]], title: str, of: int):
    """The page.

    Parameters
    ----------
    layers : as `join` gives them
    title : the model's name
    of : how many layers the model has
    """
    titles = COUNTS | MEASURES
    rows = -(-len(titles) // COLUMNS)
    figure = drawing.page(HEAD + rows * ROW + FOOT)
    height = HEAD + rows * ROW + FOOT
    width = (drawing.WIDTH - MARGIN * (COLUMNS + 0.5)) / COLUMNS
    for place, (name, (told, share)) in enumerate(titles.items()):
        row, column = divmod(place, COLUMNS)
        bottom = height - HEAD - (row + 1) * ROW + 0.42
        axes = drawing.inches(figure, MARGIN + column * (width + MARGIN), bottom, width, ROW - 0.62)
        draw_panel(axes, layers, name)
        axes.set_title(told)
        axes.yaxis.set_major_formatter(percent if share else "{x:,.6g}")
        if row == rows - 1:
            axes.set_xlabel("layer")
    across = drawing.WIDTH
    figure.text(MARGIN / across, 1 - 0.36 / height, title, fontsize=13, fontweight="bold")
    told = f"{len(layers)} of {of} layers"
    figure.text(MARGIN / across, 1 - 0.58 / height, told, fontsize=8, color=drawing.PALE)
    handles = [
        Line2D([], [], color=colour, marker=marker, markersize=4, linewidth=1, label=name)
        for name, (_, colour, marker) in POSITIONS.items()
    ]
    figure.legend(
        handles=handles, loc="upper right", bbox_to_anchor=(1 - MARGIN / 2 / across, 1 - 0.44 / height), ncols=3,
        borderaxespad=0, columnspacing=1.4, labelcolor=drawing.PALE,
    )  # fmt: skip
    return figure


def percent(share: float, place: int | None = None) -> str:
    """A share on an axis."""
    return f"{100 * share:g}%"


def draw_panel(axes, layers: dict[int, dict[str, float]], name: str) -> None:
    """One figure over the layers: a measure with PCA and chance beside it, a count alone."""
    seen = []
    for suffix, colour, marker in reversed(POSITIONS.values()):
        column = name + suffix
        if not any(column in row for row in layers.values()):
            continue
        x, y = unbroken({layer: row.get(column, np.nan) for layer, row in layers.items()})
        seen += y[np.isfinite(y)].tolist()
        axes.plot(x, y, color=colour, marker=marker, markersize=3.2, linewidth=1, clip_on=False)
    axes.set_xlim(min(layers) - 0.5, max(layers) + 0.5)
    axes.xaxis.set_major_locator(MaxNLocator(10, integer=True, min_n_ticks=1))
    axes.yaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 2.5, 5, 10]))
    lowest, highest = min(seen, default=0.0), max(seen, default=1.0)
    axes.set_ylim(min(0.0, 1.1 * lowest), 1.1 * highest if highest > 0 else 1.0)
    axes.grid(axis="y", color="#ececec", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    if not seen:
        axes.text(0.5, 0.5, "not measured: too few features or labels", transform=axes.transAxes, ha="center",
                  va="center", fontsize=7, color=drawing.PALE)  # fmt: skip


def unbroken(values: dict[int, float]) -> tuple[np.ndarray, np.ndarray]:
    """Every layer from the first to the last and its value, NaN for layers that are not there: a line breaks there."""
    layers = np.arange(min(values), max(values) + 1)
    return layers, np.array([values.get(layer, np.nan) for layer in layers.tolist()])


def table(layers: dict[int, dict[str, float]], title: str) -> str:
    """The page of HTML."""
    heads = ["layer", "features", "dead", *(told for told, _ in (COUNTS | MEASURES).values()), "MB"]
    rows = ["<thead><tr>" + "".join(f"<th>{html.escape(head)}</th>" for head in heads) + "</tr></thead>"]
    for layer, row in layers.items():
        cells = [str(layer), f"{row['features']:,.0f}", f"{row['dead']:,.0f}"]
        cells += [f"{row[name]:.1%}" if share else f"{row[name]:,.0f}" for name, (_, share) in COUNTS.items()]
        cells += [measure(row, name) for name in MEASURES]
        cells.append(f"{row['size'] / 1e6:.1f}")
        rows.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
    return PAGE.format(title=html.escape(title), rows="\n".join(rows))


def measure(row: dict[str, float], name: str) -> str:
    """A cell: the map's value, and in brackets those of PCA and of random positions."""
    ours, *others = (row.get(name + suffix, np.nan) for suffix, _, _ in POSITIONS.values())
    if not np.isfinite(ours):
        return ""
    return f"{ours:.2f} <small>({', '.join(f'{other:.2f}' if np.isfinite(other) else '–' for other in others)})</small>"


def main(snakemake) -> None:
    """Read what is known of all layers, draw and tabulate it."""
    with job_log(snakemake) as log:
        manifest = json.loads(Path(snakemake.input.manifest).read_bytes())
        with Path(snakemake.input.quality).open(encoding="utf-8", newline="") as file:
            layers = join(list(csv.DictReader(file, delimiter="\t")), manifest)
        title = manifest["displayName"]
        drawing.save_figure(snakemake.output.figure, draw(layers, title, manifest["totalLayers"]))
        save_bytes(snakemake.output.table, table(layers, title).encode())
        log.info("%d layers", len(layers))


if __name__ == "__main__":
    main(snakemake)  # noqa: F821
