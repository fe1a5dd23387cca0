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

# The whole style, applied to matplotlib's own defaults, so that a user's matplotlibrc changes no figure.
STYLE = {
    # Bundled with matplotlib, which prefers its own copy to the system's.
    "font.family": "DejaVu Sans",
    "font.size": 8,
    "text.color": INK,
    # Labels may contain dollar signs.
    "text.parse_math": False,
    "axes.edgecolor": "#b0b0b0",
    "axes.labelcolor": PALE,
    "axes.labelsize": 7.5,
    "axes.linewidth": 0.6,
    "axes.titlelocation": "left",
    "axes.titlesize": 8.5,
    "axes.titlepad": 5,
    "xtick.color": "#b0b0b0",
    "ytick.color": "#b0b0b0",
    "xtick.labelcolor": PALE,
    "ytick.labelcolor": PALE,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "legend.frameon": False,
    "legend.fontsize": 7.5,
    "path.simplify": False,
}
HALO = [withStroke(linewidth=2.2, foreground="white")]


def page(height: float) -> Figure:
    """Return an empty page of A4 width, `height` inches high, in the shared style."""
    matplotlib.rcdefaults()
    matplotlib.rcParams.update(STYLE)
    figure = Figure((WIDTH, height), dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def inches(figure: Figure, left: float, bottom: float, width: float, height: float):
    """Add axes at a position and size in inches, measured from the lower left corner of the page."""
    across, up = figure.get_size_inches()
    return figure.add_axes((left / across, bottom / up, width / across, height / up))


def save_figure(path: str | os.PathLike, figure: Figure) -> None:
    """Write a figure as PNG, whole or not at all, without a date or matplotlib's version in it."""
    with whole_file(path) as aside:
        figure.savefig(aside, format="png", dpi=DPI, metadata={"Software": None})


@cache
def _characters() -> frozenset[int]:
    return frozenset(get_font(findfont(STYLE["font.family"])).get_charmap())


def drawable(text: str) -> bool:
    """Whether the font has every character of a text (others would be empty boxes) and none is a control character.

    Control characters include those that reverse the direction of writing.
    """
    return text.isprintable() and _characters().issuperset(map(ord, text))


def arrange_names(anchors: np.ndarray, sizes: np.ndarray, bounds: tuple, gap: float = 2.0) -> list[np.ndarray | None]:
    """Centre each name at its anchor, or at the nearest position where it covers no earlier name.

    Parameters
    ----------
    anchors : float (m, 2), the named points, the most important first
    sizes : float (m, 2), width and height of the names
    bounds : left, bottom, right and top of the area to stay in
    gap : free space around a name; all four in the same unit

    Returns
    -------
    The centre of each name, float (2,); None if there is no room within four heights of its anchor.
    """
    lower, upper = np.reshape(bounds, (2, 2))
    taken, half_sizes, centres = np.empty((0, 2)), np.empty((0, 2)), []
    for anchor, size in zip(anchors, np.asarray(sizes, float), strict=True):
        half_size = size / 2 + gap
        candidates = anchor + _offsets(size)
        inside = ((candidates - half_size >= lower) & (candidates + half_size <= upper)).all(axis=1)
        apart = (np.abs(candidates[:, None] - taken) >= half_size + half_sizes).any(axis=2).all(axis=1)
        free = np.flatnonzero(inside & apart)
        if not len(free):
            centres.append(None)
            continue
        centres.append(candidates[free[0]])
        taken, half_sizes = np.vstack([taken, centres[-1]]), np.vstack([half_sizes, half_size])
    return centres


def _offsets(size: np.ndarray) -> np.ndarray:
    """Offsets from the anchor to try for a name of this size, the nearest first: float (t, 2)."""
    steps = np.stack(np.meshgrid(np.linspace(-1, 1, 9), np.linspace(-4, 4, 17)), axis=-1).reshape(-1, 2)
    offsets = steps * (size[0] / 2, size[1])
    return offsets[np.argsort(np.hypot(*offsets.T), kind="stable")]


def write_names(axes, anchors: np.ndarray, names: list[tuple[str, bool]], limit: int, size: float = 7.5) -> int:
    """Write the first `limit` names that have room; a line leads from an anchor to a name that had to move.

    Parameters
    ----------
    anchors : float (m, 2), in the units of the axes
    names : the text of each name, and whether it is italic instead of bold
    limit : maximum number of names
    size : in points

    Returns
    -------
    The number of names written.
    """
    styles = {True: {"fontstyle": "italic"}, False: {"fontweight": "bold"}}
    texts = [
        axes.text(0, 0, text, fontsize=size, ha="center", va="center", path_effects=HALO, **styles[italic])
        for text, italic in names
    ]
    renderer = axes.figure.canvas.get_renderer()
    boxes = [text.get_window_extent(renderer) for text in texts]
    sizes = np.array([(box.width, box.height) for box in boxes]).reshape(-1, 2)
    pixels = axes.transData.transform(np.reshape(anchors, (-1, 2)))
    centres = arrange_names(pixels, sizes, axes.get_window_extent(renderer).extents)
    written, to_data = 0, axes.transData.inverted()
    for text, anchor, extent, centre in zip(texts, pixels, sizes, centres, strict=True):
        if centre is None or written == limit:
            text.remove()
            continue
        written += 1
        text.set_position(to_data.transform(centre))
        if (np.abs(centre - anchor) > extent / 2).any():
            line = to_data.transform([anchor, centre])
            axes.plot(*line.T, color=INK, linewidth=0.5, zorder=2.5, path_effects=HALO)
    return written
