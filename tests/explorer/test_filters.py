"""The built page: features filtered by what the colours show, and colours that follow the selection."""

import re

import pandas as pd
import pytest
from playwright.sync_api import expect

from .conftest import Visit, at_rest, shown, violations
from .made_up import made_up_atlas

TABLE = "minilm-l6/layer-5.parquet"
LABELS = ".scene-label:not(.region-name, .leaving)"
SLIDERS = ("Lowest value shown", "Highest value shown")


@pytest.fixture
def features(site) -> pd.DataFrame:
    """The table of layer 5, row i being feature i."""
    return pd.read_parquet(site.folder / TABLE)


def expect_shown(page, count: int, total: int = 2048) -> None:
    """Expect the legend to say how many features are shown."""
    expect(page.locator("#shown")).to_have_text(f"{count:,} of {total:,} shown")


def brush(page, start: float, end: float) -> None:
    """Drag over the histogram, between two shares of its width."""
    box = page.locator(".brush svg").bounding_box()
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + start * box["width"], y)
    page.mouse.down()
    page.mouse.move(box["x"] + end * box["width"], y, steps=3)
    page.mouse.up()


def test_the_histogram_is_brushed_and_a_link_shows_the_same(visit, features):
    page = visit.open("#layer=5&color=density")
    expect(page.locator("#filter")).to_be_hidden()
    brush(page, 0.5, 0.8)
    expect(page).to_have_url(re.compile(r"only=density:[\d.]+\.\.[\d.]+"))
    low, high = map(float, re.search(r"only=density:([\d.]+?)\.\.([\d.]+)", page.url).groups())
    within = int(features["density"].between(low, high).sum())
    assert 0 < within < 1500
    expect_shown(page, within)
    page.reload()
    shown(page, 5)
    expect_shown(page, within)
    page.select_option("#coloring", "kept")
    brush(page, 0.6, 1)
    limits = page.locator("#limits")
    expect(limits).to_contain_text("Activation density:")
    expect(limits).to_contain_text("Kept neighbours: at least")
    page.get_by_role("button", name="Clear filters").click()
    expect(page.locator("#filter")).to_be_hidden()
    expect(page).not_to_have_url(re.compile("only="))
    assert page.evaluate("document.activeElement.id") == "coloring"


def test_the_sliders_filter_with_the_keyboard_alone(visit, site):
    site.add_atlas("atlas", *made_up_atlas(6, ends={5: 3}))
    page = visit.open("#model=atlas&layer=0&color=track")
    low, high = (page.get_by_role("slider", name=name) for name in SLIDERS)
    low.focus()
    page.keyboard.press("ArrowRight")
    expect(low).to_have_attribute("aria-valuetext", "at least 5, 210 of 211 shown")
    page.keyboard.press("End")
    expect(low).to_have_attribute("aria-valuetext", "at least 6, 210 of 211 shown")
    page.keyboard.press("Home")
    expect(page.locator("#filter")).to_be_hidden()
    high.focus()
    page.keyboard.press("Home")
    expect(high).to_have_attribute("aria-valuetext", "at most 4, 1 of 211 shown")
    page.keyboard.press("]")
    shown(page, 1)
    expect(page.get_by_role("slider", name=SLIDERS[1])).to_be_focused()
    expect_shown(page, 1, 211)


def test_features_outside_are_not_on_the_map_unless_selected(visit, features):
    page = visit.open("#layer=5&feature=1693&only=index:..1692")
    at_rest(page)
    expect(page.locator(LABELS, has_text="week, weekend")).to_have_count(1)
    page.locator("#map").focus()
    page.keyboard.press("Escape")
    page.keyboard.press("l")
    at_rest(page)
    middle = page.evaluate("(document.querySelector('#find').getBoundingClientRect().right + innerWidth) / 2")
    page.mouse.click(middle, 350)
    expect(page.locator("#feature")).to_be_hidden()
    page.select_option("#coloring", "index")
    page.get_by_role("button", name="Clear filters").click()
    page.mouse.click(middle, 350)
    expect(page.locator("#feature .index").first).to_have_text("Feature 1693")


def test_what_the_filters_show_can_be_pinned_at_once(visit, features):
    page = visit.open("#layer=5&only=links:12..")
    page.locator("#map").focus()
    page.keyboard.press("a")
    within = ",".join(map(str, features.query("degree >= 12")["index"]))
    expect(page).to_have_url(re.compile(f"pins=5:{within}&"))


def test_labels_and_links_of_features_outside_are_hidden(visit, features):
    page = visit.open("#layer=5&only=links:8..")
    at_rest(page)
    linked = features[features["degree"] >= 8]
    heads = set(linked["label"].str.split(";").str[0].str.strip())
    texts = page.locator(LABELS).all_text_contents()
    assert texts
    assert all(any(text.strip("…") in head for head in heads) for text in texts)
    among = sum(
        cosine >= 0.25 and near in linked.index
        for neighbors, cosines in zip(linked["neighbors"], linked["similarities"], strict=True)
        for near, cosine in zip(neighbors[:25], cosines[:25], strict=True)
    )
    expect(page.locator("#link-count")).to_have_text(re.compile(f"^{among // 2} of "))


def test_features_that_never_fire_are_hidden_until_a_switch_shows_them(visit, site, features):
    page = visit.open("#layer=4")
    expect(page.locator("#silent-switch")).to_be_hidden()
    silent = features.index < 30
    site.change_table(TABLE, lambda table: table.assign(density=table["density"].mask(silent, 9e-6)))
    page = visit.open("#layer=5")
    expect_shown(page, 2018)
    switch = page.get_by_role("checkbox", name="Show the 30 that hardly ever fire")
    switch.focus()
    page.keyboard.press("Space")
    expect(page.locator("#filter")).to_be_hidden()
    expect(page).to_have_url(re.compile("silent=shown"))
    page.reload()
    shown(page, 5)
    expect(switch).to_be_checked()
    expect(page.locator("#filter")).to_be_hidden()


def test_only_what_is_similar_to_the_selected_feature(visit, features):
    page = visit.open("#layer=5&feature=1693&color=similarity")
    low = page.get_by_role("slider", name=SLIDERS[0])
    low.focus()
    page.keyboard.press("End")
    page.keyboard.press("ArrowLeft")
    expect(page).to_have_url(re.compile("only=similarity:[0-9.]+[.][.]"))
    least = float(re.search(r"similarity:([\d.]+?)\.\.", page.url)[1])

    def similar(feature: int) -> int:
        listed = set()
        for index, neighbors, cosines in features[["index", "neighbors", "similarities"]].itertuples(index=False):
            near = {other for other, cosine in zip(neighbors, cosines, strict=True) if cosine >= least}
            listed |= near if index == feature else {index} if feature in near else set()
        return len(listed | {feature})

    assert 1 < similar(1693) < 40
    expect_shown(page, similar(1693))
    expect(page.locator("#limits")).to_have_text(f"Similarity: at least {least:.2f}")
    page.locator("#feature .walk button").first.click()
    expect(page).not_to_have_url(re.compile("feature=1693"))
    expect_shown(page, similar(int(re.search(r"feature=(\d+)", page.url)[1])))
    page.locator("#map").focus()
    page.keyboard.press("Escape")
    expect(page.locator("#filter")).to_be_hidden()  # of no feature
    assert "only=similarity" in page.url


def test_search_results_say_that_a_filter_hides_them(visit, site, features):
    site.change_table(TABLE, lambda table: table.assign(density=table["density"].mask(table["index"] == 1693, 0)))
    page = visit.open("#layer=5&find=monday")
    row, summary = page.locator("#results li"), page.locator("#hits")
    expect(row).to_contain_text("hidden by a filter, in ")
    expect(summary).to_have_text("1 feature, 1 hidden")
    page.fill("#search", "water")
    expect(row.first).not_to_contain_text("hidden")
    expect(page.get_by_role("button", name="Show all")).to_be_hidden()
    page.goto(page.url.replace("find=water", "find=monday&only=index:1693.."))
    expect(summary).to_have_text("1 feature, 1 hidden")
    assert violations(page) == []
    page.get_by_role("button", name="Show all").focus()
    page.keyboard.press("Enter")
    expect(summary).to_have_text("1 feature")
    expect(page.locator("#search")).to_be_focused()
    expect(page.locator("#filter")).to_be_hidden()


def test_keys_work_on_a_switch(visit, site):
    site.change_table(TABLE, lambda table: table.assign(density=table["density"].mask(table["index"] < 9, 0)))
    page = visit.open("#layer=5")
    page.get_by_role("checkbox").focus()
    page.keyboard.press("c")
    expect(page.locator("#coloring")).to_have_value("region")


def test_colours_show_the_similarity_to_the_selected_feature(visit, features):
    page = visit.open("#layer=5&color=similarity")
    legend = page.locator("#legend")
    expect(legend).to_contain_text("no feature selected")
    for feature in (1693, 7):
        page.fill("#search", f"#{feature}")
        page.keyboard.press("Enter")
        strongest = features["similarities"][feature][0]
        expect(legend.locator(".ticks span").last).to_have_text(f"{strongest:.2f}")
    expect(legend).to_contain_text("not among the stored neighbours")
    page.keyboard.press("Escape")
    expect(legend).to_contain_text("no feature selected")


def test_filtered_maps_violate_no_accessibility_rules(browser, site):
    site.change_table(TABLE, lambda table: table.assign(density=table["density"].mask(table["index"] < 9, 0)))
    for scheme in ("light", "dark"):
        page = Visit(browser, site, color_scheme=scheme).open("#layer=5&color=kept&only=kept:0.4..,links:2..")
        expect(page.locator("#limits")).to_be_visible()
        expect(page.locator("#silent-switch")).to_be_visible()
        assert violations(page) == []
        page.select_option("#coloring", "similarity")
        assert violations(page) == []
        page.context.close()


def test_the_filter_fits_a_phone(browser, site, keep_picture):
    phone = {"viewport": {"width": 390, "height": 780}, "has_touch": True, "is_mobile": True}
    visit = Visit(browser, site, **phone)
    page = visit.open("#layer=5&color=kept&only=kept:0.4..,links:2..")
    legend, find = (page.locator(name).bounding_box() for name in ("#legend-panel", "#find"))
    assert legend["y"] + legend["height"] <= 780
    assert legend["y"] - find["y"] - find["height"] > 200
    thumb = page.get_by_role("slider", name=SLIDERS[0]).bounding_box()
    assert thumb["height"] >= 24
    keep_picture(page, "filter-phone.png")
    visit.context.close()
    assert visit.complaints == []
