"""The built page on made-up maps as large as those of real SAEs. `make test` leaves them to `make test-real-size`."""

import json
import re
from collections.abc import Iterator

import pytest
from PIL import Image
from playwright.sync_api import expect

from conftest import Project, copy_workflow

from .conftest import Visit, at_rest
from .made_up import FUNCTION_WORDS, LINKED, REAL_SIZE, WIDE, made_up_map, made_up_table
from .site import Site
from .test_explorer import picture
from .test_filters import brush
from .test_pins import middle, paste

SIZES = {"real": REAL_SIZE, "table": REAL_SIZE, "wide": WIDE}
BESIDE_PANELS = {"x": 340, "y": 20, "width": 640, "height": 580}
LABELS = """() => [...document.querySelectorAll(".scene-label:not(.leaving)")].map(label => {
    const { left, top, right, bottom } = label.getBoundingClientRect();
    const { opacity, fontSize } = getComputedStyle(label);
    const shown = { text: label.textContent, opacity: +opacity, size: parseFloat(fontSize) };
    return { ...shown, name: label.matches(".region-name"), left, top, right, bottom };
})"""


@pytest.fixture(scope="module")
def site(browser_path, tmp_path_factory) -> Iterator[Site]:
    """The built page with the maps, one of them as a table, and no others."""
    project = Project(copy_workflow(tmp_path_factory.mktemp("real-size") / "project"), "config/demo.yaml")
    project.snakemake("results/index.html")
    results = project.folder / "results"
    (results / "index.json").write_text(json.dumps({"models": []}))
    site = Site(results, tmp_path_factory.mktemp("site") / "site")
    site.links = {}
    for name, (features, links) in SIZES.items():
        graph = made_up_map(name, features, links)
        table, site.links[name] = made_up_table(graph) if name == "table" else (None, links)
        site.add_model(graph, table, LINKED)
    site.start()
    yield site
    site.stop()


@pytest.fixture(scope="module")
def visit(browser, site) -> Iterator[Visit]:
    """A visitor with patience, who loads each map once; at the end, no errors on the console."""
    visit = Visit(browser, site)
    visit.context.set_default_timeout(180_000)
    yield visit
    visit.context.close()
    assert visit.elsewhere == []
    assert visit.complaints == []


@pytest.fixture(params=SIZES)
def page(visit, request):
    """A page that shows one of the maps as on a first visit."""
    page = visit.open(f"#model={request.param}")
    page.features, page.links = SIZES[request.param][0], visit.site.links[request.param]
    at_rest(page)
    yield page
    page.close()


def drawn(page) -> int:
    """The number of links that the page says it draws."""
    text = page.locator("#link-count").text_content()
    return int(re.fullmatch(rf"([\d,]+) of {page.links:,} links drawn", text)[1].replace(",", ""))


def set_cosine(page, value: str) -> None:
    """Move the slider to its "min" or "max", as a drag would."""
    page.eval_on_selector(
        "#link-cosine",
        "(slider, end) => { slider.value = slider[end]; slider.dispatchEvent(new Event('input', { bubbles: true })); }",
        value,
    )
    at_rest(page)


def test_draws_the_strongest_links_and_shows_labels_that_can_be_read(page):
    assert page.locator("#summary").text_content().startswith(f"{page.features:,} features · {page.links:,} links · 9")
    assert 10_000 <= drawn(page) < 11_000
    colors, bright = picture(page)
    assert colors > 500
    assert bright > 0.01
    labels = page.evaluate(LABELS)
    assert len(labels) > 15
    assert any(label["name"] for label in labels)
    texts = [label["text"] for label in labels if not label["name"]]
    assert len(set(texts)) == len(texts)
    assert set(texts).isdisjoint(FUNCTION_WORDS)
    for at, a in enumerate(labels):
        assert a["size"] >= 12
        assert a["opacity"] >= 0.55
        assert min(a["left"], a["top"], 1000 - a["right"], 700 - a["bottom"]) >= 0
        for b in labels[:at]:
            apart = (
                a["right"] <= b["left"] or b["right"] <= a["left"] or a["bottom"] <= b["top"] or b["bottom"] <= a["top"]
            )
            assert apart, (a, b)


def test_the_whole_map_fills_the_space_beside_the_panels(page):
    labels = page.evaluate(LABELS)
    panels = page.locator("#find").bounding_box()
    assert min(label["top"] for label in labels) < 0.2 * 700
    assert max(label["bottom"] for label in labels) > 0.8 * 700
    assert min(label["left"] for label in labels) >= panels["x"] + panels["width"]


def test_the_slider_and_a_key_choose_the_links(page):
    page.locator("#map").focus()
    page.keyboard.press("l")
    set_cosine(page, "min")
    assert drawn(page) == page.links
    assert page.locator("#link-least").text_content() == "0.25"
    all_links = page.screenshot(clip=BESIDE_PANELS)
    page.locator("#map").focus()
    page.keyboard.press("k")
    at_rest(page)
    assert drawn(page) == 0
    assert page.get_attribute("#links", "aria-pressed") == "false"
    assert page.screenshot(clip=BESIDE_PANELS) != all_links
    page.locator("#link-cosine").focus()
    page.keyboard.press("ArrowRight")
    assert 0 < drawn(page) < page.links
    assert page.get_attribute("#links", "aria-pressed") == "true"
    set_cosine(page, "max")
    assert 0 < drawn(page) < 1000


def test_two_maps_lie_side_by_side(page):
    model = re.search("model=(\\w+)", page.url)[1]
    page.set_viewport_size({"width": 1440, "height": 900})
    page.locator("#map").focus()
    page.keyboard.press("b")
    expect(page.locator("#other-title")).to_have_text("Layer 0", timeout=180_000)
    at_rest(page)
    for half in ("#left", "#right"):
        assert page.locator(f"{half} .scene-label:not(.leaving)").count() > 5
    page.fill("#search", "water")
    expect(page.locator("#title")).to_have_text(re.compile(r"Layer \d+ · [\d,]+ found"), timeout=60_000)
    found = page.locator("#title").text_content()
    expect(page.locator("#other-title")).to_have_text(found, timeout=60_000)
    expect(page).to_have_url(re.compile(f"model={model}&layer=0&compare=0"))
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    expect(page.locator("#right")).to_be_hidden()


def test_filters_pins_and_pictures(page, tmp_path):
    page.select_option("#coloring", "density")
    brush(page, 0.5, 0.8)
    expect(page.locator("#shown")).to_have_text(re.compile(f"^[\\d,]+ of {page.features:,} shown$"))
    within = page.locator("#shown").text_content().split()[0]
    assert 0 < int(within.replace(",", "")) < page.features
    page.locator("#map").focus()
    page.keyboard.press("a")
    expect(page.locator("#pins")).to_have_text(f"Pinned {within}", timeout=60_000)
    page.keyboard.press("e")
    with page.expect_download() as download:
        page.click("#save-picture")
    download.value.save_as(tmp_path / "map.png")
    width, height = Image.open(tmp_path / "map.png").size
    assert min(width, height) > 300
    page.keyboard.press("Escape")


def test_a_list_and_a_lasso_pin(page):
    paste(page, f"3-6, {page.features - 1}")
    expect(page.locator("#pins")).to_have_text("Pinned 5", timeout=60_000)
    # The view has moved to these.
    page.locator("#map").focus()
    page.keyboard.press("r")
    at_rest(page)
    x, y = middle(page), 350
    for key in ("Shift", "Alt"):
        page.keyboard.down(key)
    page.mouse.move(x - 120, y - 120)
    page.mouse.down()
    for dx, dy in ((120, -120), (120, 120), (-120, 120)):
        page.mouse.move(x + dx, y + dy, steps=3)
    page.mouse.up()
    for key in ("Alt", "Shift"):
        page.keyboard.up(key)
    expect(page.locator("#pins")).to_have_text(re.compile(r"^Pinned [\d,]*\d{3}$"), timeout=60_000)


def test_a_region_is_chosen_in_the_tree(page):
    page.locator("#map").focus()
    page.keyboard.press("g")
    page.keyboard.press("Enter")
    panel = page.locator("#region")
    expect(panel.locator("h2")).to_be_focused()
    at_rest(page)
    page.keyboard.press("a")
    expect(page.locator("#pins")).to_have_text(re.compile(r"^Pinned [\d,]+$"), timeout=60_000)
    size = panel.locator("section").nth(1).locator(".label").count()
    assert 0 < size <= int(page.locator("#pins").text_content().split()[1].replace(",", ""))
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()


def test_selects_a_feature_and_points_to_those_outside_the_picture(page):
    page.fill("#search", "references to water")
    page.keyboard.press("Enter")
    expect(page.locator("#feature h2")).to_contain_text("references to water", timeout=60_000)
    at_rest(page)
    marker = page.locator(".edge-marker")
    rows = page.locator("#feature .walk button")
    pointed = None
    for row in rows.all():
        row.hover()
        at_rest(page)
        if marker.is_visible():
            pointed = row
            break
    assert pointed is not None
    label = pointed.locator(".label").text_content()
    assert label.startswith(marker.text_content().rstrip("…"))
    box = marker.bounding_box()
    panels = [page.locator(name).bounding_box() for name in ("#find", "#feature")]
    assert box["x"] >= panels[0]["x"] + panels[0]["width"]
    assert box["x"] + box["width"] <= panels[1]["x"]
    page.locator("#map").focus()
    expect(marker).to_be_visible()
    page.mouse.move(500, 350)
    expect(marker).to_be_hidden()
    page.keyboard.press("Escape")
    expect(page.locator("#feature")).to_be_hidden()
