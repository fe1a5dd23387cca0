"""The built page with two maps: layers 4 and 5 of the demo, and another model."""

import re

import pandas as pd
import pytest
from PIL import Image
from playwright.sync_api import expect

from .conftest import Visit, at_rest, shown, violations

CENTER = (
    "label => { const box = label.getBoundingClientRect(); return [box.x + box.width / 2, box.y + box.height / 2]; }"
)


@pytest.fixture
def tracks(site) -> pd.DataFrame:
    """The demo's features by layer and index, each with its track."""
    table = pd.read_parquet(site.folder / "minilm-l6" / "atlas" / "tracks.parquet")
    return table.set_index(["layer", "index"])


def members(tracks: pd.DataFrame, layer: int, *, alone: bool) -> pd.DataFrame:
    """The labelled features of a layer on tracks that do not, or do, reach the other."""
    own, other = tracks.loc[layer], tracks.loc[9 - layer]
    of = own[own["track"].isin(other["track"]) != alone]
    return of[of["label"].notna()]


def compared(page, *names: str) -> None:
    """Wait until the maps of these are shown."""
    titles = [re.compile(f"^{name}") for name in names]
    expect(page.locator(".half-title:visible")).to_have_text(titles, timeout=30_000)
    at_rest(page)


def test_a_key_shows_the_next_layer_beside_and_says_where_they_differ(visit, tracks, keep_picture):
    page = visit.open("#layer=4")
    page.locator("#map").focus()
    page.keyboard.press("b")
    compared(page, "Layer 4", "Layer 5")
    expect(page).to_have_url(re.compile(r"layer=4&compare=5\b"))
    panel = page.locator("#comparison")
    own, other = (set(tracks.loc[layer]["track"]) for layer in (4, 5))
    facts = [line.rpartition(",")[0] for line in panel.locator("dd").all_text_contents()]
    assert facts == [f"{count:,} of 2,048" for count in (len(own & other), len(own - other), len(other - own))]
    expect(panel).to_contain_text("In one frame: the same position means the same")
    keep_picture(page, "compare.png", width=1440, height=900)
    page.keyboard.press("Escape")
    expect(page.locator("#right")).to_be_hidden()
    expect(page).not_to_have_url(re.compile("compare"))
    page.go_back()
    compared(page, "Layer 4", "Layer 5")
    page.reload()
    compared(page, "Layer 4", "Layer 5")
    page.click("#compare")
    expect(panel).to_be_hidden()


def test_the_selection_shows_on_both_maps_where_the_track_goes_on(visit, tracks):
    both = members(tracks, 5, alone=False)
    index = both.index[0]
    before = tracks.loc[4].set_index("track").loc[both["track"].iloc[0]]
    page = visit.open(f"#layer=4&compare=5&there={index}")
    compared(page, "Layer 4", "Layer 5")
    panel = page.locator("#feature")
    expect(panel.get_by_text(f"Feature {index} of layer 5")).to_be_visible()
    expect(page.locator(".scene-label.selected")).to_have_count(2)
    cosine = f"{both['cosine_previous'].iloc[0]:.2f}"
    there = panel.locator("section", has_text="In layer 4")
    expect(there.get_by_role("button")).to_have_text(re.compile(f"^{re.escape(before['label'].strip())}.*{cosine}$"))
    there.get_by_role("button").press("Enter")
    expect(panel.get_by_text("of layer 4")).to_be_visible()
    expect(page.locator("#announcer")).to_contain_text(f"In layer 5: {both['label'].iloc[0].strip()}, cosine {cosine}")
    page.go_back()
    expect(panel.get_by_text(f"Feature {index} of layer 5")).to_be_visible()


def test_a_list_leads_to_what_only_one_layer_has_and_the_panel_to_what_is_nearest(visit, tracks):
    page = visit.open("#layer=4&compare=5")
    compared(page, "Layer 4", "Layer 5")
    alone = set(members(tracks, 5, alone=True)["label"].str.strip())
    row = page.locator("#comparison section", has_text="Only in layer 5").get_by_role("button").first
    label = row.locator(".label").text_content()
    assert label in alone
    row.press("Enter")
    heading = page.locator("#feature h2")
    expect(heading).to_have_text(label)
    assert page.evaluate("document.activeElement.tagName") == "H2"
    expect(page.locator("#feature")).to_contain_text("Its track does not reach layer 4. Nearest there:")
    expect(page.locator("#announcer")).to_have_text(
        re.compile(r"^Layer 5\. Feature .* Nearest there: .*, cosine 0\.\d\d$")
    )
    expect(page).to_have_url(re.compile(r"compare=5&there=\d+"))
    page.keyboard.press("p")
    expect(page.locator("#pins")).to_have_text("Pinned 1")
    expect(page).to_have_url(re.compile(r"pins=5:\d+"))
    page.keyboard.press("Escape")
    expect(page.locator("#comparison")).to_be_visible()
    light = page.locator("#light-differences")
    light.focus()
    page.keyboard.press("Space")
    expect(page.locator("#other-labels .wanted").first).to_be_visible()


def test_one_search_and_one_camera_for_both_maps(visit):
    page = visit.open("#layer=4&compare=5")
    compared(page, "Layer 4", "Layer 5")
    page.fill("#search", "water")
    expect(page.locator("#title")).to_have_text(re.compile(r"^Layer 4 · \d+ found$"))
    expect(page.locator("#other-title")).to_have_text(re.compile(r"^Layer 5 · \d+ found$"))
    found = re.search(r"(\d+) found", page.locator("#other-title").text_content())[1]
    expect(page.locator("#other-hits")).to_have_text(re.compile(f"^Layer 5: {found} features?$"))
    listed = page.locator("#comparison section", has_text="Found in layer 5").get_by_role("button")
    assert listed.count() == int(found)
    at_rest(page)
    camera = re.search("camera=.*", page.url)[0]
    before = page.locator("#left").screenshot()
    # The maps lie above one another here, and the second is turned.
    page.mouse.move(500, 560)
    page.mouse.down()
    page.mouse.move(560, 540, steps=4)
    page.mouse.up()
    at_rest(page)
    assert page.locator("#left").screenshot() != before
    expect(page).not_to_have_url(re.compile(re.escape(camera)))
    page.keyboard.press("Escape")
    label = page.locator("#other-labels .scene-label:not(.region-name, .leaving)").last
    text = label.text_content().rstrip("…")
    page.mouse.click(*label.evaluate(CENTER))
    expect(page.locator("#feature h2")).to_contain_text(text)
    expect(page.get_by_text(re.compile(r"Feature \d+ of layer 5"))).to_be_visible()


def test_another_model_is_on_a_map_of_its_own(visit):
    page = visit.open("#model=minilm-l6&layer=4&compare=5")
    compared(page, "Layer 4", "Layer 5")
    page.select_option("#other-model", "hostile")
    compared(page, "all-MiniLM-L6-v2, layer 4", "<i> hostile, layer 3")
    expect(page.locator("#comparison")).to_contain_text("Two models. Each is on its own map")
    expect(page).to_have_url(re.compile("compare=hostile:3"))
    page.fill("#search", "controls")
    expect(page.locator("#other-title")).to_have_text("<i> hostile, layer 3 · 1 found")
    page.locator("#comparison section", has_text="Found in").get_by_role("button").click()
    expect(page.locator("#feature h2")).to_contain_text("gnirts desrever and controls")
    page.keyboard.press("p")
    expect(page.locator("#message")).to_contain_text("show it as the first map")


def test_a_link_to_a_comparison_with_what_is_not_here_says_so(visit):
    for address, message in (
        ("#layer=4&compare=elsewhere:7", "No model elsewhere is published here."),
        ("#layer=4&compare=77", "minilm-l6 has no layer 77 here."),
    ):
        page, text = visit.open_and_read_message(address)
        assert text == message
        shown(page, 4)
        expect(page.locator("#right")).to_be_hidden()
        expect(page).not_to_have_url(re.compile("compare"))


def test_a_picture_shows_both_maps(visit, tmp_path):
    page = visit.open("#layer=4&compare=5")
    page.set_viewport_size({"width": 1440, "height": 900})
    compared(page, "Layer 4", "Layer 5")
    page.keyboard.press("e")
    page.select_option("#picture-scale", "1")
    with page.expect_download() as download:
        page.click("#save-picture")
    assert download.value.suggested_filename == "minilm-l6-layer-4-and-minilm-l6-layer-5.png"
    download.value.save_as(tmp_path / "both.png")
    picture = Image.open(tmp_path / "both.png").convert("RGB")
    middle = picture.width // 2
    for left in (0, middle):
        half = picture.crop((left, 0, left + middle, picture.height))
        assert len(half.getcolors(maxcolors=1 << 20)) > 300


def test_no_state_of_a_comparison_violates_accessibility_rules(browser, site):
    for scheme in ("light", "dark"):
        page = Visit(browser, site, color_scheme=scheme).open("#layer=4&compare=5&find=water")
        compared(page, "Layer 4", "Layer 5")
        assert violations(page) == []
        page.locator("#comparison section", has_text="Found in").get_by_role("button").first.click()
        expect(page.locator("#feature")).to_be_visible()
        assert violations(page) == []
        page.context.close()


def test_a_phone_shows_the_maps_above_one_another(browser, site, keep_picture):
    visit = Visit(browser, site, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = visit.open("#layer=4&compare=5")
    compared(page, "Layer 4", "Layer 5")
    first, second = (page.locator(name).bounding_box() for name in ("#map", "#other-map"))
    assert first["y"] + first["height"] <= second["y"] + 1
    assert first["width"] == second["width"] == 390
    keep_picture(page, "compare-phone.png")
    page.set_viewport_size({"width": 844, "height": 390})
    page.goto(f"{site.url}#layer=4")
    page.reload()
    shown(page)
    page.keyboard.press("b")
    expect(page.locator("#message")).to_contain_text("no room for two maps")
    assert visit.complaints == []
    visit.context.close()
