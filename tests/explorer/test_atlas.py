"""The built page on a made-up model whose layers lie in one frame, with tracks through them."""

import base64
import re
import shutil

import pandas as pd
import pytest
from playwright.sync_api import expect

from .conftest import Visit, at_rest, shown, violations
from .made_up import made_up_atlas

LAYERS = 6
# Of concept 5, whose track ends at layer 3: its label in a layer, and its feature in layer 0.
LABEL = "law 5, layer {}"
START = "#model=atlas&layer=0&feature=36"
STOPS = "#feature nav li"

TRAIL_PIXELS = """async (png) => {
    const bytes = Uint8Array.from(atob(png), (character) => character.charCodeAt(0));
    const image = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
    const context = new OffscreenCanvas(image.width, image.height).getContext("2d");
    context.drawImage(image, 0, 0);
    const { data } = context.getImageData(0, 0, image.width, image.height);
    let count = 0;
    for (let at = 0; at < data.length; at += 4) {
        const [red, green, blue] = data.subarray(at, at + 3);
        if (blue > 150 && blue - red > 70 && green > red) count++;
    }
    return count;
}"""


@pytest.fixture
def site(site):
    """The demo's site with the made-up model."""
    site.add_atlas("atlas", *made_up_atlas(LAYERS, ends={5: 3}))
    return site


def step(page, key: str, layer: int) -> None:
    """Press a key that leads to a layer, and wait for it."""
    page.keyboard.press(key)
    shown(page, layer)
    at_rest(page)


def trail_pixels(page) -> int:
    """The number of pixels in the trail's colour on the map between the panels."""
    at_rest(page)
    picture = page.screenshot(clip={"x": 340, "y": 20, "width": 320, "height": 600})
    return page.evaluate(TRAIL_PIXELS, base64.b64encode(picture).decode())


def wait_for_trail(page) -> None:
    """Wait until the positions of other layers are there."""
    for _ in range(100):
        if trail_pixels(page) > 20:
            return
        page.wait_for_timeout(100)
    raise AssertionError("no trail is drawn")


def test_the_selection_follows_its_track_through_the_layers(visit):
    page = visit.open(START)
    heading, announcer = page.locator("#feature h2"), page.locator("#announcer")
    for layer in range(1, 4):
        step(page, "]", layer)
        expect(heading).to_have_text(LABEL.format(layer))
        expect(announcer).to_have_text(
            re.compile(f"^Layer {layer}, cosine 0.90 to layer {layer - 1}. .*{LABEL.format(layer)}")
        )
        expect(page).to_have_url(re.compile(f"layer={layer}&feature="))
    for layer in (4, 5):
        step(page, "]", layer)
        expect(heading).to_have_text(LABEL.format(3))
        expect(page.locator("#feature nav")).to_contain_text("Its track ends at layer 3")
        expect(announcer).to_contain_text("Its track ends at layer 3")
        expect(page).not_to_have_url(re.compile("feature="))
    step(page, "[", 4)
    step(page, "[", 3)
    expect(page.locator("#feature nav")).not_to_contain_text("Its track ends")
    step(page, "[", 2)
    expect(heading).to_have_text(LABEL.format(2))
    page.go_back()
    shown(page, 3)
    expect(heading).to_have_text(LABEL.format(3))


def test_the_panel_leads_along_the_track_and_beyond_its_ends(visit):
    page = visit.open(START)
    stops = page.locator(STOPS)
    expect(stops.locator(".label")).to_have_text([LABEL.format(layer) for layer in range(4)])
    assert stops.locator(".value").all_text_contents() == ["", "0.90", "0.90", "0.90"]
    stops.nth(3).get_by_role("button").focus()
    page.keyboard.press("Enter")
    shown(page, 3)
    expect(stops).to_have_count(5)
    assert page.evaluate("document.activeElement.getAttribute('aria-current')") == "true"
    expect(stops.nth(4)).to_contain_text(f"{LABEL.format(4)}nearest, not mutual")
    stops.nth(4).get_by_role("button").click()
    shown(page, 4)
    expect(page.locator("#feature h2")).to_have_text(LABEL.format(4))
    expect(stops).to_have_count(3)
    expect(stops.first).to_contain_text(f"{LABEL.format(3)}nearest, not mutual")
    page.go_back()
    shown(page, 3)
    expect(page.locator("#feature h2")).to_have_text(LABEL.format(3))
    page.keyboard.press("Escape")
    expect(page.locator("#feature")).to_be_hidden()
    step(page, "[", 2)
    expect(page.locator("#feature")).to_be_hidden()


def test_a_switch_and_a_key_show_the_layers_own_map(visit):
    page = visit.open(START)
    switch, facts = page.locator("#frame"), page.locator("#feature .facts")
    expect(switch).to_have_attribute("aria-pressed", "true")
    expect(facts).to_contain_text("50 %")
    at_rest(page)
    expect(page.locator(STOPS)).to_have_count(4)
    wait_for_trail(page)
    page.locator("#map").focus()
    page.keyboard.press("m")
    expect(switch).to_have_attribute("aria-pressed", "false")
    expect(facts).to_contain_text("25 %")
    expect(page).to_have_url(re.compile("layer=0&map=own&feature=36"))
    assert trail_pixels(page) == 0
    page.reload()
    shown(page, 0)
    expect(facts).to_contain_text("25 %")
    step(page, "]", 1)
    expect(page.locator("#feature h2")).to_have_text(LABEL.format(1))
    switch.click()
    expect(facts).to_contain_text("50 %")
    expect(page).not_to_have_url(re.compile("map="))
    page.select_option("#model", "minilm-l6")
    shown(page, 5)


def test_a_feature_of_the_demo_is_followed_from_its_first_layer_to_its_last(visit, site, demo_run):
    shutil.copytree(demo_run.folder / "results" / "minilm-l6", site.folder / "minilm-l6", dirs_exist_ok=True)
    tracks = pd.read_parquet(site.folder / "minilm-l6" / "atlas" / "tracks.parquet")
    whole = tracks[(tracks["length"] == 6) & tracks.groupby("track")["label"].transform("count").eq(6)]
    members = whole[whole["track"] == whole["track"].iloc[0]].set_index("layer")
    page = visit.open(f"#model=minilm-l6&layer=0&feature={members['index'][0]}")
    for layer in range(1, 6):
        label, cosine = members["label"][layer].strip(), members["cosine_previous"][layer]
        step(page, "]", layer)
        expect(page.locator("#feature h2")).to_have_text(label)
        expect(page.locator(f"{STOPS} [aria-current] .value")).to_have_text(f"{cosine:.2f}")
        expect(page.locator("#announcer")).to_contain_text(f"cosine {cosine:.2f} to layer {layer - 1}.")
        expect(page).to_have_url(re.compile(rf"layer={layer}&feature={members['index'][layer]}\b"))


def test_points_glide_while_the_camera_stays(browser, site):
    visit = Visit(browser, site, reduced_motion="no-preference")
    page = visit.open(START)
    at_rest(page)
    camera = re.search("camera=.*", page.url)[0]
    page.clock.install(time=0)
    page.clock.pause_at(1000)

    def height() -> float:
        box = page.locator(".scene-label.selected").bounding_box()
        return box["y"] + box["height"] / 2

    before = height()
    page.keyboard.press("]")
    shown(page, 1)
    heights = []
    for _ in range(12):
        page.clock.run_for(60)
        heights.append(height())
    after = heights[-1]
    assert before < after
    assert heights == sorted(heights)
    assert len({round(y, 1) for y in heights if before < y < after}) >= 4
    assert re.search("camera=.*", page.url)[0] == camera
    assert visit.complaints == []
    visit.context.close()


def test_the_first_view_asks_for_no_tracks_and_the_panel_does_without(visit, site):
    (site.folder / "atlas" / "atlas" / "tracks.parquet").unlink()
    requested = []
    visit.context.on("request", lambda request: requested.append(request.url.rpartition("/")[2]))
    page = visit.open("#model=atlas&layer=1")
    at_rest(page)
    assert "layer-1.parquet" in requested
    assert "tracks.parquet" not in requested
    page.fill("#search", "law 5")
    page.keyboard.press("Enter")
    expect(page.locator("#feature h2")).to_have_text(LABEL.format(1))
    expect(page.locator("#feature nav")).to_contain_text("atlas/tracks.parquet does not exist (HTTP 404)")
    assert "tracks.parquet" in requested
    step(page, "]", 2)
    expect(page.locator("#feature h2")).to_have_text(LABEL.format(2))
    visit.complaints[:] = [text for text in visit.complaints if "404" not in text]  # the browser's own report


def test_the_atlas_is_kept_for_visits_without_a_network(visit, site):
    page = visit.open(START)
    expect(page.locator(STOPS)).to_have_count(4)
    wait_for_trail(page)
    page.evaluate("navigator.serviceWorker.ready.then(() => null)")
    site.stop()
    page.reload()
    shown(page, 0)
    expect(page.locator("#frame")).to_have_attribute("aria-pressed", "true")
    expect(page.locator(STOPS)).to_have_count(4)
    expect(page.locator(STOPS).last).to_contain_text(LABEL.format(3))
    site.start()
    visit.complaints.clear()  # the browser itself reports requests without a response


def test_a_layer_without_its_atlas_is_shown_on_its_own_map_and_a_wrong_one_is_refused(visit, site):
    (site.folder / "atlas" / "atlas" / "layer-2.parquet").unlink()
    page = visit.open("#model=atlas&layer=2&feature=3")
    expect(page.locator("#frame")).to_be_hidden()
    expect(page.locator("#feature .facts")).to_contain_text("25 %")
    expect(page.locator("#feature nav")).to_be_hidden()
    visit.complaints[:] = [text for text in visit.complaints if "404" not in text]  # the browser's own report
    cases = {
        1: (lambda table: table[:-1], "there are 211 rows, and the layer has 212 features"),
        3: (lambda table: table.assign(x=table["x"].where(table["index"] != 7)), "x of feature 7 is NaN"),
        4: (lambda table: table.drop(columns="track"), "there is no column track"),
    }
    for layer, (change, message) in cases.items():
        site.change_table(f"atlas/atlas/layer-{layer}.parquet", change)
        _, text = visit.open_and_read_message(f"#model=atlas&layer={layer}")
        assert f"atlas/layer-{layer}.parquet: {message}" in text


def test_a_search_counts_what_other_layers_have_and_leads_there(visit, keep_picture):
    page = visit.open(f"{START}&find=law%205")
    layers = page.get_by_role("navigation", name="Results by layer").get_by_role("button")
    # "law 5" in each layer; in layer 5 all seven laws have a 5 in their label.
    counts = [1, 1, 1, 1, 1, 7]
    expect(layers).to_have_text([f"Layer {layer}: {count} found" for layer, count in enumerate(counts)])
    expect(layers.first).to_have_attribute("aria-current", "true")
    expect(page.locator("#hits")).to_contain_text("1 feature, ")
    assert violations(page) == []
    layers.nth(5).focus()
    page.keyboard.press("Enter")
    shown(page, 5)
    expect(page.locator("#hits")).to_contain_text("7 features, ")
    expect(page.locator("#feature")).to_be_hidden()
    expect(page.locator("#search")).to_have_value("law 5")
    expect(layers.nth(5)).to_be_focused()
    expect(layers.nth(5)).to_have_attribute("aria-current", "true")
    keep_picture(page, "search-by-layer.png", width=1440, height=900)
    page.fill("#search", "xylophagous")
    expect(page.locator("#hits")).to_have_text("No feature found")
    expect(layers).to_have_count(0)
    page.select_option("#model", "hostile")
    shown(page, 3)
    page.fill("#search", "x")
    expect(page.locator("#results li").first).to_be_visible()
    expect(layers).to_have_count(0)


def test_the_panel_of_a_track_violates_no_accessibility_rules(browser, site):
    for scheme in ("light", "dark"):
        page = Visit(browser, site, color_scheme=scheme).open("#model=atlas&layer=3&feature=75")
        expect(page.locator(STOPS)).to_have_count(5)
        assert violations(page) == []
        step(page, "]", 4)
        expect(page.locator("#feature nav")).to_contain_text("Its track ends")
        assert violations(page) == []
        page.context.close()
