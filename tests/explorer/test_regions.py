"""The built page on the regions of the demo: their names on the map, the tree of all, their panel, their colours."""

import json
import re

import pandas as pd
import pytest
from playwright.sync_api import expect

from .conftest import Visit, at_rest, violations

TABLE = "minilm-l6/layer-5.parquet"
NAMES = ".region-name:not(.leaving)"
ROWS = "#regions [role=treeitem]"
BOXES = """() => [...document.querySelectorAll(".scene-label:not(.leaving)")].map(label => {
    const { left, top, right, bottom } = label.getBoundingClientRect();
    const size = parseFloat(getComputedStyle(label).fontSize);
    return { name: label.matches(".region-name"), left, top, right, bottom, size };
})"""


@pytest.fixture
def regions(site) -> dict[str, dict]:
    """The regions of layer 5 by id."""
    graph = json.loads((site.folder / "minilm-l6" / "layer-5.json").read_bytes())
    return {region["id"]: region for region in graph["metadata"]["regions"]}


def levels(page) -> set[str]:
    """The levels of the regions that are named on the map."""
    names = page.locator(NAMES).evaluate_all("names => names.map(name => name.className.match(/level-\\d/)[0])")
    return set(names)


def test_the_map_names_large_regions_from_afar_and_features_from_near(visit, regions):
    page = visit.open("#layer=5&map=own")
    at_rest(page)
    for _ in range(2):
        page.click("#zoom-out")
        at_rest(page)
    assert "level-1" in levels(page)
    names = {region["name"] for region in regions.values() if "name" in region}
    assert set(page.locator(NAMES).all_text_contents()) <= names
    boxes = page.evaluate(BOXES)
    for at, a in enumerate(boxes):
        for b in boxes[:at]:
            if a["name"] or b["name"]:
                beside = a["right"] <= b["left"] or b["right"] <= a["left"]
                assert beside or a["bottom"] <= b["top"] or b["bottom"] <= a["top"], (a, b)
    assert min(box["size"] for box in boxes if box["name"]) > max(box["size"] for box in boxes if not box["name"])
    for _ in range(7):
        page.click("#zoom-in")
        at_rest(page)
    assert "level-1" not in levels(page)
    assert page.locator(".scene-label:not(.region-name, .leaving)").count() > len(page.locator(NAMES).all())
    page.keyboard.press("l")
    at_rest(page)
    expect(page.locator(NAMES)).to_have_count(0)


def test_a_click_on_a_name_chooses_the_region(visit, regions):
    page = visit.open("#layer=5&map=own")
    at_rest(page)
    name = page.locator(NAMES).first
    text, box = name.text_content(), name.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page.locator("#region h2")).to_have_text(text)
    chosen = re.search(r"region=([r\d.]+)", page.url)[1]
    assert regions[chosen]["name"] == text


def test_the_tree_is_walked_by_keyboard_and_leads_to_a_region_and_its_features(visit, site, regions):
    table = pd.read_parquet(site.folder / TABLE)
    page = visit.open("#layer=5")
    at_rest(page)
    page.locator("#map").focus()
    page.keyboard.press("g")
    first = page.locator(ROWS).first
    expect(first).to_be_focused()
    assert page.locator(ROWS).count() == sum(region["level"] == 1 for region in regions.values())
    parts = [region for region in regions.values() if region.get("parent") == "r1"]
    page.keyboard.press("ArrowRight")
    expect(first).to_have_attribute("aria-expanded", "true")
    assert page.locator(f"{ROWS}[aria-level='2']").count() == len(parts)
    page.keyboard.press("ArrowRight")
    for _ in range(2):
        page.keyboard.press("ArrowDown")
    expect(page.locator(f"{ROWS}[aria-level='2']").nth(2)).to_be_focused()
    before = page.url
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"region=r1\.3\b"))
    at_rest(page)
    assert page.url.partition("camera=")[2] != before.partition("camera=")[2]
    panel = page.locator("#region")
    expect(panel.locator("h2")).to_be_focused()
    heading, announced = panel.locator("h2").text_content(), page.locator("#announcer").text_content()
    assert announced == f"Region: {heading}, {regions['r1.3']['size']} features"
    assert heading == regions["r1.3"]["name"]
    features = panel.locator("section").nth(1)
    features.get_by_role("button", name="Show all").click()
    members = table[table["region_2"] == "r1.3"]
    assert sorted(features.locator(".label").all_text_contents()) == sorted(members["label"].str.strip())
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    expect(page.locator(f"{ROWS}[aria-level='2']").nth(2)).to_be_focused()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(first).to_have_attribute("aria-expanded", "false")
    page.keyboard.press("End")
    expect(page.locator(ROWS).last).to_be_focused()
    page.fill("#search", "water")
    expect(page.locator("#results")).to_be_visible()
    expect(page.locator("#regions")).to_be_hidden()
    page.locator("#contents").click()
    expect(page.locator("#regions")).to_be_visible()
    assert page.input_value("#search") == ""


def test_search_results_say_in_which_region_they_lie(visit, site, regions):
    table = pd.read_parquet(site.folder / TABLE).set_index("index")
    page = visit.open("#layer=5&find=%231693")
    names = [regions[table.loc[1693, f"region_{level}"]].get("name") for level in (1, 2, 3)]
    named = [name for name in names if name]
    small = page.locator("#results li small").first
    expect(small).to_have_text(re.compile("^in "))
    ends = small.text_content().removeprefix("in ").split(" › ")
    assert len(ends) == min(2, len(named))
    assert named[0].startswith(ends[0].rstrip("…"))
    assert named[-1].startswith(ends[-1].rstrip("…"))


def test_a_link_leads_to_a_region_and_paths_lead_through_them(visit, site, regions):
    table = pd.read_parquet(site.folder / TABLE).set_index("index")
    named = {key for key, region in regions.items() if "name" in region}
    inside = table[table["region_3"].isin(named) & table["region_1"].isin(named)].iloc[0]
    page = visit.open(f"#layer=5&feature={inside.name}")
    path = page.locator("#feature .path button")
    around = [inside[f"region_{level}"] for level in (1, 2, 3) if inside[f"region_{level}"] in named]
    expect(path).to_have_text([regions[region]["name"] for region in around])
    path.last.click()
    expect(page.locator("#region h2")).to_have_text(regions[around[-1]]["name"])
    expect(page.locator("#feature")).to_be_hidden()
    page.locator("#region .path button").first.click()
    expect(page.locator("#region h2")).to_have_text(regions[around[0]]["name"])
    link = page.url
    page.go_back()
    expect(page.locator("#region h2")).to_have_text(regions[around[-1]]["name"])
    page.go_back()
    expect(page.locator("#feature h2")).to_have_text(inside["label"].strip())
    again = visit.open(link[link.index("#") :])
    expect(again.locator("#region h2")).to_have_text(regions[around[0]]["name"])
    unnamed = next(key for key, region in regions.items() if "name" not in region)
    other = visit.open(f"#layer=5&region={unnamed}")
    standing = table["label"][regions[unnamed]["representative"]].split(";")[0].strip()
    assert other.locator("#region h2").text_content().startswith(f"{regions[unnamed]['size']} features around")
    assert standing[:15] in other.locator("#region h2").text_content()
    other.locator("#layer").select_option("4")
    expect(other.locator("#region")).to_be_hidden()
    _, message = visit.open_and_read_message("#layer=5&region=r99")
    assert message == "Region r99 is not on this map."


def test_regions_have_colours_and_a_legend(visit, regions):
    page = visit.open("#layer=5&color=region")
    named = [region["name"] for region in regions.values() if region["level"] == 1 and "name" in region]
    legend = page.locator("#legend .swatch").all_text_contents()
    assert legend[: len(named)] == named
    assert legend[len(named) :] == [f"{sum(r['level'] == 1 for r in regions.values()) - len(named)} others"]


def test_a_map_without_regions_has_neither_tree_nor_names(visit):
    page = visit.open("#model=hostile")
    at_rest(page)
    assert page.locator("#contents").is_hidden()
    assert page.locator(".region-name").count() == 0
    assert page.locator("#coloring option[value=region]").count() == 0
    page.keyboard.press("g")
    assert page.locator("#regions").is_hidden()


def test_the_tree_and_the_panel_fit_a_phone_and_violate_no_accessibility_rules(browser, site, keep_picture):
    for scheme, width, height in (("light", 1000, 700), ("dark", 390, 780)):
        page = Visit(browser, site, color_scheme=scheme, viewport={"width": width, "height": height}).open("#layer=5")
        page.locator("#contents").click()
        page.locator(ROWS).first.click(position={"x": 8, "y": 12})
        expect(page.locator(f"{ROWS}[aria-level='2']").first).to_be_visible()
        assert violations(page) == []
        box = page.locator("#find").bounding_box()
        assert box["y"] + box["height"] < 0.66 * height
        page.locator(f"{ROWS}[aria-level='2']").first.click()
        expect(page.locator("#region")).to_be_visible()
        assert violations(page) == []
        find, panel = (page.locator(name).bounding_box() for name in ("#find", "#region"))
        assert width > 560 or find["y"] + find["height"] + 150 < panel["y"]  # the map shows between them
        keep_picture(page, f"region-{width}.png")
        page.context.close()
