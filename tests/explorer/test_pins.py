"""Features that are pinned, read from lists, and exported, in a real browser."""

import json
import re

import pytest
from PIL import Image
from playwright.sync_api import expect

from .conftest import Visit, at_rest, shown, violations
from .made_up import made_up_atlas

ROWS = "#pin-panel .pinned"
# An event of the clipboard or of drag and drop, with a text or a file.
SEND = """([type, text, file]) => {
    const data = new DataTransfer();
    if (file) data.items.add(new File([text], file));
    else data.setData("text/plain", text);
    const event = type === "paste"
        ? new ClipboardEvent("paste", { clipboardData: data, bubbles: true })
        : new DragEvent("drop", { dataTransfer: data, bubbles: true });
    document.body.dispatchEvent(event);
}"""


def pinned(page) -> str:
    """The pinned features, as the address has them."""
    match = re.search("[#&]pins=([^&]*)", page.url)
    return match[1] if match else ""


def paste(page, text: str) -> None:
    """Paste a text on the page."""
    page.evaluate(SEND, ["paste", text, None])


def middle(page) -> float:
    """Where the picture's middle is, between the panels."""
    return page.evaluate("(document.querySelector('#find').getBoundingClientRect().right + innerWidth) / 2")


def test_keys_and_lists_pin_features(visit):
    page = visit.open("#layer=5&feature=1693")
    button, announcer = page.locator("#pins"), page.locator("#announcer")
    page.keyboard.press("p")
    expect(button).to_have_text("Pinned 1")
    expect(announcer).to_have_text("1 feature pinned, 1 in all")
    assert pinned(page) == "5:1693"
    expect(page.get_by_role("button", name="Pin this feature")).to_have_attribute("aria-pressed", "true")
    page.locator("#feature .walk button").first.click(modifiers=["Shift"])
    expect(button).to_have_text("Pinned 2")
    expect(page.locator("#feature .index").first).to_have_text("Feature 1693")  # still
    page.locator("#feature .walk button").nth(1).focus()
    page.keyboard.press("p")
    expect(button).to_have_text("Pinned 3")
    page.keyboard.press("p")
    expect(announcer).to_have_text("1 feature no longer pinned, 2 in all")
    page.fill("#search", "water")
    page.locator("#results li").nth(1).wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Shift+Enter")
    expect(button).to_have_text("Pinned 3")
    count = int(page.locator("#hits").text_content().split()[0])
    page.locator("#map").focus()
    page.keyboard.press("a")
    expect(button).to_have_text(f"Pinned {2 + count}")
    page.keyboard.press("s")
    expect(page.locator("#pin-panel h2")).to_be_focused()
    expect(page.locator(ROWS)).to_have_count(2 + count)
    page.get_by_role("button", name="Unpin #1693").focus()
    page.keyboard.press("Enter")
    expect(page.locator(ROWS)).to_have_count(1 + count)
    assert page.evaluate("document.activeElement.closest('#pin-panel .pinned, #pin-panel h2') !== null")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(ROWS)).to_have_count(2 + count)
    page.get_by_role("button", name="Unpin all").click()
    expect(button).to_have_text("Pinned")
    assert pinned(page) == ""
    page.keyboard.press("Escape")
    expect(page.locator("#pin-panel")).to_be_hidden()
    expect(page.locator("#feature")).to_be_visible()


def test_a_click_and_a_box_pin_in_the_map(visit, keep_picture):
    page = visit.open("#layer=5&feature=1693")
    at_rest(page)
    page.locator("#map").focus()
    page.keyboard.press("Escape")
    page.keyboard.press("l")
    at_rest(page)
    x, camera = middle(page), re.search("camera=.*", page.url)[0]
    page.keyboard.down("Shift")
    page.mouse.click(x, 350)
    expect(page.locator("#pins")).to_have_text("Pinned 1")
    assert pinned(page) == "5:1693"
    expect(page.locator("#feature")).to_be_hidden()
    page.mouse.move(x - 150, 200)
    page.mouse.down()
    page.mouse.move(x + 150, 500, steps=3)
    expect(page.locator(".outline")).to_be_visible()
    page.mouse.up()
    page.keyboard.up("Shift")
    expect(page.locator(".outline")).to_have_count(0)
    many = int(page.locator("#pins").text_content().split()[1].replace(",", ""))
    assert many > 1
    at_rest(page)
    assert re.search("camera=.*", page.url)[0] == camera  # nothing has turned
    keep_picture(page, "pinned.png")
    page.keyboard.down("Shift")
    page.keyboard.down("Control")
    page.mouse.move(x - 150, 200)
    page.mouse.down()
    page.mouse.move(x + 150, 500, steps=3)
    page.mouse.up()
    expect(page.locator("#pins")).to_have_text("Pinned")


def test_a_lasso_pins_what_it_encloses_and_is_shown(visit, keep_picture):
    page = visit.open("#layer=5&only=index:1000..")
    at_rest(page)
    x, y = middle(page), 350

    def draw(*corners):
        page.mouse.move(x + corners[0][0], y + corners[0][1])
        page.mouse.down()
        for dx, dy in corners[1:]:
            page.mouse.move(x + dx, y + dy, steps=3)

    around = [(-120, -120), (120, -120), (120, 120), (-120, 120)]
    page.keyboard.down("Shift")
    draw(around[0], around[2])
    page.mouse.up()
    expect(page.locator("#pins")).to_have_text(re.compile(r"^Pinned \d"))
    in_box = int(page.locator("#pins").text_content().split()[1])
    page.keyboard.down("Control")
    draw(around[0], around[2])
    page.mouse.up()
    expect(page.locator("#pins")).to_have_text("Pinned")
    page.keyboard.up("Control")
    page.keyboard.down("Alt")
    draw(*around, (20, 0), (-120, -120))  # all but the triangle between two corners and the middle
    keep_picture(page, "lasso.png")
    page.mouse.up()
    page.keyboard.up("Alt")
    page.keyboard.up("Shift")
    expect(page.locator("#pins")).to_have_text(re.compile(r"^Pinned \d"))
    in_lasso = int(page.locator("#pins").text_content().split()[1])
    assert 0 < in_lasso < in_box
    assert min(int(index) for index in re.findall(r"\d+", pinned(page).removeprefix("5:"))) >= 1000


def test_a_chosen_shape_is_drawn_without_shift_and_by_touch(browser, site, keep_picture):
    phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    visit = Visit(browser, site, **phone)
    page = visit.open("#layer=5")
    at_rest(page)
    camera = re.search("camera=.*", page.url)[0]
    page.locator("#pins").tap()
    lasso = page.get_by_role("button", name="Lasso")
    lasso.tap()
    expect(lasso).to_have_attribute("aria-pressed", "true")
    assert violations(page) == []
    touch = visit.context.new_cdp_session(page)
    top = page.locator("#find").bounding_box()
    y = (top["y"] + top["height"] + page.locator("#pin-panel").bounding_box()["y"]) / 2

    def drag(*corners):
        for number, (x, dy) in enumerate(corners):
            kind = "touchMove" if number else "touchStart"
            touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y + dy}]})
        touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    drag((100, -80), (300, -80), (300, 80), (100, 80))
    expect(page.locator("#pins")).to_have_text(re.compile(r"^Pinned \d"))
    at_rest(page)
    assert re.search("camera=.*", page.url)[0] == camera  # nothing has turned
    keep_picture(page, "lasso-phone.png")
    page.locator("#map").focus()
    page.keyboard.press("Escape")
    expect(lasso).to_have_attribute("aria-pressed", "false")
    # Browsers may take a tap that soon follows a drag for its end.
    lasso.click()
    page.locator("#pin-panel").get_by_role("button", name="Close").click()
    expect(page.locator("#pin-panel")).to_be_hidden()
    drag((100, -80), (200, -80), (300, -80))
    expect(page).not_to_have_url(re.compile(re.escape(camera)))
    visit.context.close()
    assert visit.complaints == []


def test_the_set_is_in_the_address_and_in_this_browser(visit):
    page = visit.open("#layer=5&pins=5:3-6,9;4:7&set=odd%20ones&feature=3")
    expect(page.locator("#pins")).to_have_text("Pinned 6")
    page.keyboard.press("s")
    panel = page.locator("#pin-panel")
    expect(panel.get_by_label("Name of the set")).to_have_value("odd ones")
    expect(panel.locator(".quiet").first).to_contain_text("6 features · 5 of this layer")
    panel.get_by_role("button", name="Save").click()
    saved = panel.get_by_label("Sets saved in this browser")
    expect(saved).to_have_value("odd ones")
    panel.get_by_role("button", name="layer 4, #7").first.click()
    shown(page, 4)
    expect(page.locator("#feature .index").first).to_have_text("Feature 7")
    page.keyboard.press("p")
    expect(page.locator("#pins")).to_have_text("Pinned 5")
    page.go_back()
    shown(page, 5)
    expect(page.locator("#feature .index").first).to_have_text("Feature 3")
    expect(page.locator("#pins")).to_have_text("Pinned 5")  # Back undoes a selection, and unpins nothing
    page.get_by_role("button", name="Unpin all").click()
    page.reload()
    shown(page, 5)
    expect(page.locator("#pins")).to_have_text("Pinned")
    page.locator("#pins").click()
    saved.select_option("odd ones")
    expect(page.locator("#pins")).to_have_text("Pinned 6")
    assert "pins=4:7;5:3-6,9&set=odd%20ones" in page.url
    panel.get_by_role("button", name="Forget").click()
    expect(saved).to_be_hidden()
    expect(page.locator("#pins")).to_have_text("Pinned 6")


def test_lists_are_read_and_what_is_not_understood_is_said(visit, keep_picture):
    page = visit.open("#layer=5")
    message = page.locator("#message p")
    paste(page, "12, 13\nminilm-l6:5:14 minilm-l6:4:15 gpt2-small:5:16 5:9999 nonsense")
    expect(message).to_have_text(
        "4 features pinned, 3 on this layer. Left out: 1 of another model, gpt2-small. "
        "Left out: 1 not on this map. Not understood: “nonsense”."
    )
    expect(page.locator(ROWS)).to_have_count(4)
    assert pinned(page) == "4:15;5:12-14"
    nodes = [
        {"node_id": "5_20_3", "feature": 345, "layer": "5", "ctx_idx": 3, "feature_type": "cross layer transcoder"},
        {"node_id": "4_21_3", "feature": 346, "layer": "4", "ctx_idx": 3, "feature_type": "cross layer transcoder"},
        {"node_id": "E_101_0", "feature": 101, "layer": "E", "ctx_idx": 0, "feature_type": "embedding"},
        {"node_id": "7_2003_5", "feature": 3, "layer": "7", "ctx_idx": 5, "feature_type": "logit"},
    ]
    graph = {"metadata": {"slug": "days", "scan": "minilm-l6"}, "nodes": nodes, "links": []}
    page.evaluate(SEND, ["drop", json.dumps(graph), "graph.json"])
    expect(message).to_contain_text("2 features pinned, 1 on this layer. The graph does not name its SAEs")
    assert pinned(page) == "4:15,21;5:12-14,20"
    expect(page.get_by_label("Name of the set")).to_have_value("days")
    at_rest(page)
    keep_picture(page, "pasted.png", width=1440, height=900)
    paste(page, "nothing of use")
    expect(message).to_contain_text("No feature of this model found. Not understood: “nothing”")
    page.get_by_label("Features to pin").fill("40-42")
    page.keyboard.press("Enter")
    assert pinned(page) == "4:15,21;5:12-14,20,40-42"


def test_what_is_copied_can_be_pasted(visit):
    visit.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = visit.open("#layer=5&pins=5:3,1693;4:7&set=mine")
    page.keyboard.press("s")
    copies = page.locator("#pin-panel .copies")
    expect(page.locator(f"{ROWS} .none")).to_have_count(0)
    texts = {}
    for name in ("Indices", "JSON", "CSV"):
        copies.get_by_role("button", name=name).click()
        expect(copies.get_by_role("status")).to_have_text("Copied 3 features.")
        texts[name] = page.evaluate("navigator.clipboard.readText()")
    assert json.loads(texts["Indices"]) == {"4": [7], "5": [3, 1693]}
    written = json.loads(texts["JSON"])
    assert written["name"] == "mine"
    assert [(entry["layer"], entry["index"]) for entry in written["features"]] == [(4, 7), (5, 3), (5, 1693)]
    assert written["features"][2]["label"] == "week, weekend; also friday, monday, saturday"
    assert '5,1693,"week, weekend; also friday, monday, saturday"' in texts["CSV"]
    for text in texts.values():
        page.get_by_role("button", name="Unpin all").click()
        paste(page, text)
        expect(page.locator("#pins")).to_have_text("Pinned 3")
        assert pinned(page) == "4:7;5:3,1693"


def test_a_picture_the_link_and_the_features_are_exported(visit, tmp_path):
    visit.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = visit.open("#layer=5&feature=1693&color=density")
    at_rest(page)
    page.keyboard.press("e")
    dialog = page.get_by_role("dialog")
    sizes = {}
    for scale in ("1", "4"):
        page.select_option("#picture-scale", scale)
        described = page.locator("#picture-size").text_content()
        with page.expect_download() as download:
            page.click("#save-picture")
        assert download.value.suggested_filename == "minilm-l6-layer-5.png"
        download.value.save_as(tmp_path / f"{scale}.png")
        picture = Image.open(tmp_path / f"{scale}.png").convert("RGB")
        assert described == f"{picture.width} × {picture.height} pixels, PNG"
        sizes[scale] = picture.size
    assert sizes["4"] == tuple(4 * side for side in sizes["1"])
    # The legend, in the lower left corner, has both ends of its ramp.
    corner = picture.crop((0, picture.height - 600, 1040, picture.height))
    colors = {color for _, color in corner.getcolors(maxcolors=1 << 20)}
    ends = page.eval_on_selector(".ramp", "ramp => getComputedStyle(ramp).backgroundImage.match(/\\d+, \\d+, \\d+/g)")
    for end in (ends[0], ends[-1]):
        wanted = [int(part) for part in end.split(", ")]
        assert any(max(abs(a - b) for a, b in zip(color, wanted, strict=True)) < 8 for color in colors)
    page.click("#copy-link")
    expect(page.locator("#link-note")).to_have_text("Copied the link.")
    assert page.evaluate("navigator.clipboard.readText()") == page.url
    dialog.get_by_role("button", name="Indices").click()
    expect(dialog.get_by_text("Copied 1 feature.")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == "[1693]"
    page.keyboard.press("Escape")
    expect(page.locator("#feature")).to_be_visible()


@pytest.fixture
def atlas(site):
    """The demo's site with a made-up model of three layers."""
    site.add_atlas("atlas", *made_up_atlas(3))
    return site


def test_pinned_features_are_followed_along_their_tracks(atlas, visit):
    page = visit.open("#model=atlas&layer=1&pins=0:36")
    page.keyboard.press("s")
    count = page.locator("#pin-panel .quiet").first
    expect(count).to_have_text("1 feature · 0 of this layer · 1 followed to it")
    expect(page.locator(f"{ROWS} .label")).to_have_text("law 5, layer 0")
    page.keyboard.press("Escape")
    page.keyboard.press("[")
    shown(page, 0)
    expect(count).to_have_text("1 feature")
    assert pinned(page) == "0:36"


def test_the_new_panels_violate_no_accessibility_rules(browser, site, keep_picture):
    for scheme in ("light", "dark"):
        page = Visit(browser, site, color_scheme=scheme).open("#layer=5&feature=1693")
        page.keyboard.press("s")
        assert violations(page) == []
        paste(page, "12 13 1693 nonsense")
        expect(page.locator(ROWS)).to_have_count(3)
        assert violations(page) == []
        keep_picture(page, f"pins-{scheme}.png", width=1440, height=900)
        keep_picture(page, f"pins-phone-{scheme}.png", width=390, height=844)
        page.keyboard.press("Escape")
        keep_picture(page, f"pinned-phone-{scheme}.png")
        page.keyboard.press("e")
        assert violations(page) == []
        keep_picture(page, f"export-{scheme}.png", width=1440, height=900)
        page.context.close()
