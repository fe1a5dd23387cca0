"""What the figures share: an A4 page in one style, names that do not cover each other, the same bytes every time."""

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
# Colours that colour-blind people tell apart (Okabe and Ito, 2008), without the yellow that vanishes on paper.
BLUE, ORANGE, GREEN, VERMILION, PURPLE, SKY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9"
CATEGORIES = (BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILION)
NO_CATEGORY = "#b5b5b5"

# The whole style, on top of matplotlib's own defaults: what a user's matplotlibrc says changes no figure.
STYLE = {
    "font.family": "DejaVu Sans",  # comes with matplotlib, which prefers its own copy to the system's
    "font.size": 8,
    "text.color": INK,
    "text.parse_math": False,  # labels may hold dollar signs
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
    """An empty page of A4 width, `height` inches high, in the style of all figures."""
    matplotlib.rcdefaults()
    matplotlib.rcParams.update(STYLE)
    figure = Figure((WIDTH, height), dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def inches(figure: Figure, left: float, bottom: float, width: float, height: float):
    """Axes at a place of the page given in inches from its lower left corner."""
    across, up = figure.get_size_inches()
    return figure.add_axes((left / across, bottom / up, width / across, height / up))


def save_figure(path: str | os.PathLike, figure: Figure) -> None:
    """Write a figure as PNG, whole or not at all, without matplotlib's version or a date in it."""
    with whole_file(path) as aside:
        figure.savefig(aside, format="png", dpi=DPI, metadata={"Software": None})


@cache
def _characters() -> frozenset[int]:
    return frozenset(get_font(findfont(STYLE["font.family"])).get_charmap())


def drawable(text: str) -> bool:
    """Whether the figures' font has every character of a text, and none of them turns the direction of writing.

    What the font lacks would be an empty box.
    """
    return text.isprintable() and _characters().issuperset(map(ord, text))


def place(anchors: np.ndarray, sizes: np.ndarray, bounds: tuple, gap: float = 2.0) -> list[np.ndarray | None]:
    """A place for each name where it covers none of the earlier ones: at its anchor, or as near to it as can be.

    Parameters
    ----------
    anchors : float (m, 2), what is named, the most important first
    sizes : float (m, 2), width and height of the names
    bounds : left, bottom, right, top of the room there is
    gap : what is left free around a name, all in the same unit

    Returns
    -------
    The centre of each name, None where there is no room within four heights of its anchor.
    """
    lower, upper = np.reshape(bounds, (2, 2))
    centres, halves, places = np.empty((0, 2)), np.empty((0, 2)), []
    for anchor, size in zip(anchors, np.asarray(sizes, float), strict=True):
        half = size / 2 + gap
        tried = anchor + _offsets(size)
        inside = ((tried - half >= lower) & (tried + half <= upper)).all(axis=1)
        apart = (np.abs(tried[:, None] - centres) >= half + halves).any(axis=2).all(axis=1)
        free = np.flatnonzero(inside & apart)
        if not len(free):
            places.append(None)
            continue
        places.append(tried[free[0]])
        centres, halves = np.vstack([centres, places[-1]]), np.vstack([halves, half])
    return places


def _offsets(size: np.ndarray) -> np.ndarray:
    """Where to try a name of this size, from its anchor: float (t, 2), by distance."""
    steps = np.stack(np.meshgrid(np.linspace(-1, 1, 9), np.linspace(-4, 4, 17)), axis=-1).reshape(-1, 2)
    offsets = steps * (size[0] / 2, size[1])
    return offsets[np.argsort(np.hypot(*offsets.T), kind="stable")]


def write_names(
    axes, anchors: np.ndarray, names: list[tuple[str, bool]], most: int, size: float = 7.5
) -> int:
    """Write as many names as have room into axes, the first first; where one is off its anchor a line leads there.

    Parameters
    ----------
    anchors : float (m, 2), in the units of the axes
    names : text, and whether it is to be slanted
    most : how many names at most

    Returns
    -------
    How many were written.
    """
    texts = [
        axes.text(0, 0, text, fontsize=size, ha="center", va="center", path_effects=HALO,
                  fontstyle="italic" if slanted else "normal", fontweight="normal" if slanted else "bold")
        for text, slanted in names
    ]  # fmt: skip
    renderer = axes.figure.canvas.get_renderer()
    boxes = [text.get_window_extent(renderer) for text in texts]
    sizes = np.array([(box.width, box.height) for box in boxes]).reshape(-1, 2)
    pixels = axes.transData.transform(np.reshape(anchors, (-1, 2)))
    places = place(pixels, sizes, axes.get_window_extent(renderer).extents)
    written, back = 0, axes.transData.inverted()
    for text, anchor, extent, spot in zip(texts, pixels, sizes, places, strict=True):
        if spot is None or written == most:
            text.remove()
            continue
        written += 1
        text.set_position(back.transform(spot))
        if (np.abs(spot - anchor) > extent / 2).any():
            line = back.transform([anchor, spot])
            axes.plot(*line.T, color=INK, linewidth=0.5, zorder=2.5, path_effects=HALO)
    return written
