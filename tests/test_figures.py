"""Figures: names of regions, names that do not overlap, layers with little or nothing to draw, same bytes."""

import struct
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import draw_layer
import draw_model
from lib import drawing
from lib.labels.explanations import SCHEMA as LABELS
from lib.products.layer_table import layer_table
from name_regions import find_regions, give_names

TOPICS = ("court", "river", "music")


@pytest.fixture(autouse=True)
def coarse(monkeypatch):
    """Few pixels to draw: nothing here depends on their number."""
    monkeypatch.setattr(drawing, "DPI", 100)


def clustered(n: int = 400, seed: int = 0) -> np.ndarray:
    """Three dense clusters far apart, and a tenth of the points scattered between them."""
    rng = np.random.default_rng(seed)
    centres = np.array([(-30, 0, 0), (30, 5, 0), (0, -20, 10)])
    points = centres[rng.integers(0, 3, n)] + rng.normal(0, 2, (n, 3))
    points[: n // 10] = rng.uniform(-50, 50, (n // 10, 3))
    return points.astype(np.float32)


def nearest_topic(coords: np.ndarray) -> list[str]:
    """The topic of the cluster nearest to each point."""
    centres = np.array([(-30, 0, 0), (30, 5, 0), (0, -20, 10)])
    return [TOPICS[i] for i in np.linalg.norm(coords[:, None] - centres, axis=2).argmin(axis=1)]


def layer(coords, rows=(), similarities=None) -> tuple[pd.DataFrame, list]:
    """The table and the regions of a layer with these positions."""
    n = len(coords)
    similarities = np.full((n, 3), 0.4, np.float32) if similarities is None else similarities
    neighbors = {"indices": np.where(similarities > 0, 0, -1).astype(np.int32), "similarities": similarities}
    links = dict.fromkeys(("source", "target"), np.empty(0, np.int32))
    coords, kept, labels = np.asarray(coords, np.float32), np.ones(n, np.float32), pa.Table.from_pylist(rows, LABELS)
    positions, regions = np.full((n, 3), -1), []
    if np.isfinite(coords).any():
        positions, regions = find_regions(coords, coords, labels, [100, 30, 10])
    give_names(regions, {}, "", "")
    for region in regions:
        region["representative"] = next(iter(region["examples"]))
    membership = {"ids": np.array([region["id"] for region in regions], str), "regions": positions}
    return layer_table(0, coords, kept, neighbors, links, labels, membership, 4).to_pandas(), regions


def saved(path, figure) -> bytes:
    """Save a figure and return the bytes of the file."""
    drawing.save_figure(path, figure)
    return path.read_bytes()


def size(png: bytes) -> tuple[int, int]:
    """Width and height in pixels."""
    return struct.unpack(">II", png[16:24])


# Names of regions


def regions_of(*names: str | None, representative: int = 0, level: int = 1) -> list[dict]:
    """Regions of one level with these names, made of words; None for a region without one."""
    common = {"level": level, "representative": representative}
    return [
        common | {"id": f"r{number}"} | ({"name": name, "words": name.split(", ")} if name else {})
        for number, name in enumerate(names, start=1)
    ]


def texts(regions: list[dict], labels: list[str | None]) -> list[str]:
    """What the figure writes for these regions."""
    return [text for text, _ in draw_layer.region_names(regions, pd.Series(labels, dtype=object)).values()]


def test_a_region_goes_by_its_name_or_by_its_representative():
    regions = regions_of("court, law", None, representative=2)
    assert texts(regions, ["zero", "one", "two"]) == ["court, law", "two"]
    assert texts(regions, [None] * 3) == ["court, law", "#2"]
    assert texts(regions_of(None, level=2), ["zero"]) == []


def test_what_the_font_lacks_is_not_written():
    assert not drawing.drawable("法院")
    assert not drawing.drawable("\u202egnirts desrever")
    assert texts(regions_of("法院, legal", "法院"), ["法院"]) == ["legal", "#0"]


def test_a_long_name_is_shortened_and_one_made_of_words_by_whole_words():
    given = regions_of("a name that somebody gave to this region")
    given[0]["words"] = ["legal"]
    assert texts(given, [None]) == ["a name that somebody gave…"]
    assert texts(regions_of("international, law, treaties"), [None]) == ["international, law"]
    assert texts(regions_of("internationalization, privatization"), [None]) == ["internationalization"]


# Positions of names


def arranged(anchors, sizes, bounds) -> list[np.ndarray | None]:
    """The position of each name, one after another."""
    taken, positions = [], []
    for anchor, size in zip(anchors, sizes, strict=True):
        positions.append(drawing.free_position(anchor, size, bounds, taken))
        taken += [(positions[-1], size)] * (positions[-1] is not None)
    return positions


@pytest.mark.parametrize("count", [0, 1, 2, 15, 60, 200])
def test_no_name_covers_another_or_leaves_the_bounds(count):
    rng = np.random.default_rng(count)
    anchors, sizes = rng.uniform(0, 400, (count, 2)), rng.uniform((10, 8), (120, 14), (count, 2))
    centres = arranged(anchors, sizes, (0, 0, 400, 300))
    boxes = [
        (centre - size / 2, centre + size / 2)
        for centre, size in zip(centres, sizes, strict=True)
        if centre is not None
    ]
    for i, (low, high) in enumerate(boxes):
        assert (low >= 0).all()
        assert (high <= (400, 300)).all()
        for other_low, other_high in boxes[:i]:
            assert (low >= other_high).any() or (high <= other_low).any()


def test_names_stay_at_their_anchors_if_there_is_room():
    anchors = np.array([(50.0, 50.0), (50.0, 150.0), (50.0, 51.0)])
    first, second, moved = arranged(anchors, np.full((3, 2), (40.0, 10.0)), (0, 0, 200, 200))
    assert first.tolist() == [50, 50]
    assert second.tolist() == [50, 150]
    assert np.abs(moved - anchors[2]).max() <= 40
    assert arranged(anchors[:1], np.array([(400.0, 10.0)]), (0, 0, 200, 200)) == [None]


def test_names_on_a_page_do_not_overlap():
    coords = clustered(2000)
    rows = [{"index": i, "label": f"{topic}{i % 9} thing"} for i, topic in enumerate(nearest_topic(coords))]
    figure = draw_layer.draw(*layer(coords, rows), "Toy, layer 0", 0.25, {})
    renderer = figure.canvas.get_renderer()
    written = 0
    for axes in figure.axes[:3]:
        boxes = [text.get_window_extent(renderer) for text in axes.texts]
        written += len(boxes)
        assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])
    assert written > 6


# Layers with much, little or nothing to draw


@pytest.mark.parametrize("n", [1, 2, 3, 10, 400])
@pytest.mark.parametrize("labelled", [True, False])
def test_any_number_of_features_makes_a_page(tmp_path, n, labelled):
    coords = np.concatenate([clustered(max(n, 10))[:n], np.full((2, 3), np.nan)])
    rows = [{"index": i, "label": f"$label {i}"} for i in range(n)] if labelled else []
    similarities = np.zeros((n + 2, 3), np.float32) if n < 2 else None
    drawn = layer(coords, rows, similarities=similarities)
    figure = draw_layer.draw(*drawn, "Toy, layer 0", 0.25, {"kept_15": None})
    head = " ".join(text.get_text() for text in figure.texts)
    assert f"{n} features · {n if labelled else 0} with a label · 0 links" in head
    assert "2 dead" in head
    width, height = size(saved(tmp_path / "layer.png", figure))
    assert width == round(drawing.WIDTH * drawing.DPI)
    assert height < 11.7 * drawing.DPI, "fits an A4 page"


@pytest.mark.parametrize("flat", [np.zeros((2, 3)), np.zeros((50, 3)), np.arange(150).reshape(50, 3) * (1, 0, 0)])
def test_a_collapsed_map_makes_a_page_with_a_named_region(tmp_path, flat):
    figure = draw_layer.draw(*layer(flat), "Toy, layer 0", 0.25, {})
    assert figure.axes[0].texts
    assert saved(tmp_path / "layer.png", figure)


def test_frequent_categories_are_coloured_and_the_others_grey(tmp_path):
    coords = clustered()
    names = [f"category {i % 9}" if i % 10 else None for i in range(len(coords))]
    rows = [{"index": i, "label": "x", "category": name} for i, name in enumerate(names)]
    figure = draw_layer.draw(*layer(coords, rows), "Toy, layer 0", 0.25, {})
    shown = [text.get_text() for text in figure.legends[0].get_texts()]
    assert len(shown) == len(drawing.CATEGORIES) + 1
    assert shown[-1] == "other or none"
    colours = {tuple(colour) for colour in figure.axes[0].collections[0].get_facecolors()[:, :3]}
    assert len(colours) == len(shown)
    assert saved(tmp_path / "layer.png", figure)


def test_the_histogram_counts_every_feature_once():
    degree = np.array([0, 0, 1, 2, 3, 4, 8, 9, 64, 65, 4000])
    axes = drawing.inches(drawing.page(3), 1, 1, 3, 1)
    draw_layer.draw_degrees(axes, degree)
    shares = [bar.get_height() for bar in axes.patches]
    assert np.multiply(shares, len(degree)).round().astype(int).tolist() == [2, 1, 1, 2, 1, 1, 0, 1, 2]


def test_principal_axes_keep_distances_and_descend_in_variance():
    coords = clustered()
    points, shares = draw_layer.principal_axes(coords)
    assert shares.tolist() == sorted(shares, reverse=True)
    assert shares.sum() == pytest.approx(1)
    assert points.std(axis=0).tolist() == sorted(points.std(axis=0), reverse=True)
    apart = np.linalg.norm(coords[:50, None] - coords[None, :50], axis=2)
    assert np.linalg.norm(points[:50, None] - points[None, :50], axis=2) == pytest.approx(apart, abs=1e-3)


def test_a_layer_gives_the_same_bytes_whatever_the_users_style(tmp_path, monkeypatch):
    coords = clustered()
    rows = [{"index": i, "label": topic} for i, topic in enumerate(nearest_topic(coords))]

    def page(name: str) -> bytes:
        return saved(tmp_path / name, draw_layer.draw(*layer(coords, rows), "Toy, layer 0", 0.25, {}))

    first = page("a.png")
    monkeypatch.setattr("time.time", lambda: 2e9)
    drawing.matplotlib.rcParams.update({"font.size": 20, "axes.facecolor": "red"})
    assert page("b.png") == first
    assert b"Software" not in first
    font = Path(drawing.findfont(drawing.FONT)).resolve()
    assert font.is_relative_to(Path(drawing.matplotlib.get_data_path()).resolve()), "a font of the system may differ"


# All layers of a model

MEASURES = [name + suffix for name in draw_model.MEASURES for suffix in ("", "_pca", "_random")]


def quality(layers, missing=()) -> pd.DataFrame:
    """A quality.tsv of these layers."""
    counts = {"features": 2048, "labelled": 2000, "edges": 6659, "without_edge": 77}
    measures = {name: None if name in missing else 0.25 for name in MEASURES}
    return pd.DataFrame([{"layer": layer} | counts | measures for layer in layers])


def manifest(layers) -> dict:
    """The keys of manifest.json that the figure uses."""
    facts = {"labeledCount": 2040, "deadCount": 3, "fileSize": 1_200_000}
    return {"layers": [{"layer": layer} | facts for layer in layers]}


@pytest.mark.parametrize(
    ("layers", "missing"), [([0], ()), ([7], MEASURES), ([*range(6)], MEASURES), ([0, 1, 2, 9, 10, 40, 41], ())]
)
def test_any_layers_make_an_overview(tmp_path, layers, missing):
    joined = draw_model.join(quality(layers[::-1], missing), manifest(layers))
    assert list(joined.index) == layers
    figure = draw_model.draw(joined, "Toy <model>", 42)
    assert size(saved(tmp_path / "a.png", figure))[1] < 11.7 * drawing.DPI, "fits an A4 page"
    assert saved(tmp_path / "b.png", draw_model.draw(joined, "Toy <model>", 42)) == (tmp_path / "a.png").read_bytes()
    links, coverage = figure.axes[0].lines[0], figure.axes[2].lines[0]
    x, y = links.get_data()
    assert x[np.isfinite(y)].tolist() == layers
    assert len(x) == layers[-1] - layers[0] + 1, "a gap breaks the line"
    assert np.nanmax(coverage.get_ydata()) == pytest.approx(2040 / 2048)
    empty = [axes for axes in figure.axes if axes.texts]
    assert len(empty) == (len(draw_model.MEASURES) if missing else 0)

    joined.loc[layers[0], "kept_15_random"] = np.nan
    page = draw_model.table(joined, "Toy <model>")
    assert "Toy &lt;model&gt;" in page
    assert page.count("<tr") == len(layers) + 1
    assert page.count("<td>2,048</td>") == page.count("<td>6,659</td>") == len(layers)
    assert "nan" not in page
    assert ("<td>0.25 (0.25, 0.25)</td>" in page) == (not missing)
