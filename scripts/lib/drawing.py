"""Shared by all figures: an A4 page in one style, names that do not overlap, reproducible bytes."""

import os
from functools import cache

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont, get_font
from matplotlib.patheffects import withStroke

from lib.files import whole_file

WIDTH = 8.27  # inches: an A4 page
DPI = 200
INK, PALE = "#1a1a1a", "#6b6b6b"
# Colours that colour-blind people can distinguish (Okabe and Ito, 2008), without yellow, which is invisible on paper.
BLUE, ORANGE, GREEN, VERMILION, PURPLE, SKY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9"
CATEGORIES = (BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILION)
NO_CATEGORY = "#b5b5b5"
LINE = "#b0b0b0"
# Bundled with matplotlib, which prefers its own copy to the system's.
FONT = "DejaVu Sans"
HALO = [withStroke(linewidth=2.2, foreground="white")]
MARGIN = 0.55  # inches, at the left
GAP = 2.0  # pixels around a name
# Where a name may go, in its widths and heights from its anchor.
STEPS = np.stack(np.meshgrid(np.linspace(-0.5, 0.5, 9), np.linspace(-4, 4, 17)), axis=-1).reshape(-1, 2)


def page(height: float) -> Figure:
    """Return an empty page of A4 width, `height` inches high, in one style that no user's matplotlibrc changes."""
    matplotlib.rcdefaults()
    matplotlib.rc("font", family=FONT, size=8)
    # Labels may contain dollar signs.
    matplotlib.rc("text", color=INK, parse_math=False)
    matplotlib.rc("axes", edgecolor=LINE, labelcolor=PALE, labelsize=7.5, linewidth=0.6)
    matplotlib.rc("axes", titlelocation="left", titlesize=8.5, titlepad=5)
    matplotlib.rc(("xtick", "ytick"), color=LINE, labelcolor=PALE, labelsize=7)
    matplotlib.rc(("xtick.major", "ytick.major"), size=2.5)
    matplotlib.rc("legend", frameon=False, fontsize=7.5, labelcolor=PALE, borderaxespad=0)
    matplotlib.rc("path", simplify=False)
    figure = Figure((WIDTH, height), dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def write_head(figure: Figure, title: str, *lines: str) -> None:
    """Write the title of a page, and lines below it."""
    left, height = MARGIN / WIDTH, figure.get_figheight()
    figure.text(left, 1 - 0.36 / height, title, fontsize=13, fontweight="bold")
    for number, line in enumerate(lines):
        figure.text(left, 1 - (0.58 + 0.16 * number) / height, line, fontsize=7.5, color=PALE)


def inches(figure: Figure, left: float, bottom: float, width: float, height: float):
    """Add axes at a position and size in inches, measured from the lower left corner of the page."""
    across, up = figure.get_size_inches()
    return figure.add_axes((left / across, bottom / up, width / across, height / up))


def percent(share: float, _) -> str:
    """A tick's label, for the formatter of an axis of shares."""
    return f"{100 * share:g}%"


def draw_lines(axes, table, styles: dict[str, tuple[str, str, str]]) -> None:
    """Draw columns of a table over its index, into a panel that gets a pale grid, and axes at the left and below only.

    styles : name, colour and marker of each column; the table may lack some
    """
    for column, (name, colour, marker) in styles.items():
        if column in table:
            values = table[column].astype(float)
            axes.plot(values, color=colour, marker=marker, markersize=3.2, linewidth=1, clip_on=False, label=name)
    axes.grid(axis="y", color="#ececec", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def save_figure(path: str | os.PathLike, figure: Figure) -> None:
    """Write a figure as PNG, whole or not at all, without a date or matplotlib's version in it."""
    with whole_file(path) as aside:
        figure.savefig(aside, format="png", dpi=DPI, metadata={"Software": None})


@cache
def drawable(text: str) -> bool:
    """Whether the font has every character of a text (others would be empty boxes) and none is a control character.

    Control characters include those that reverse the direction of writing.
    """
    font = get_font(findfont(FONT))
    return text.isprintable() and all(font.get_char_index(ord(character)) for character in text)


def shortened(text: str, length: int) -> str:
    """Cut a text to at most `length` characters, ending in an ellipsis if anything was cut."""
    return text if len(text) <= length else f"{text[: length - 1].rstrip(' ,;:')}…"


def free_position(anchor: np.ndarray, size: np.ndarray, bounds: tuple, taken: list[tuple]) -> np.ndarray | None:
    """The position nearest to an anchor where a name covers no other; None if there is none within four heights.

    anchor, size : float (2,), width and height; bounds : left, bottom, right and top of the area to stay in
    taken : position and size of each other name; all in pixels
    """
    lower, upper = np.reshape(bounds, (2, 2))
    offsets = STEPS * size
    candidates = anchor + offsets[np.argsort(np.hypot(*offsets.T), kind="stable")]
    half_size = size / 2 + GAP
    inside = ((candidates - half_size >= lower) & (candidates + half_size <= upper)).all(axis=1)
    positions, sizes = np.reshape(taken, (-1, 2, 2)).swapaxes(0, 1)
    apart = (np.abs(candidates[:, None] - positions) >= half_size + (sizes / 2 + GAP)).any(axis=2).all(axis=1)
    free = candidates[inside & apart]
    return free[0] if len(free) else None


def write_names(axes, anchors: np.ndarray, names: list[tuple[str, dict]], limit: int, size: float) -> None:
    """Write the first `limit` names that have room; a line leads from an anchor to a name that had to move.

    anchors : float (m, 2), in the units of the axes
    names : the text and the font of each name, the most important first; size : in points
    """
    pixels, bounds = axes.transData.transform(anchors.reshape(-1, 2)), axes.get_window_extent().extents
    to_data = axes.transData.inverted()
    taken = []
    for anchor, (name, font) in zip(pixels, names, strict=True):
        text = axes.text(0, 0, name, fontsize=size, ha="center", va="center", path_effects=HALO, **font)
        extent = text.get_window_extent().size
        position = free_position(anchor, extent, bounds, taken)
        if position is None:
            text.remove()
            continue
        text.set_position(to_data.transform(position))
        if (np.abs(position - anchor) > extent / 2).any():
            axes.plot(*to_data.transform([anchor, position]).T, color=INK, linewidth=0.5, zorder=2.5, path_effects=HALO)
        taken.append((position, extent))
        if len(taken) == limit:
            break
