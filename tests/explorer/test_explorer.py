"""The built page in a real browser, on the demo's real output."""

import base64
import gzip
import json
import re

from playwright.sync_api import expect

from conftest import FLAGS

from .conftest import Visit, at_rest, shown, violations
from .site import HOSTILE, Site, layer_file

WEEK = "week, weekend; also friday, monday, saturday"


# Loads a layer from its table and from layer-N.json, as comparable values.
READ_TWICE = """async ([path, entry, manifestUrl]) => {
    const read = (entry) => new Promise((resolve, reject) => {
        const worker = new Worker(path, { type: "module" });
        worker.onmessage = ({ data }) => {
            if (data.failed) reject(new Error(data.failed));
            if (data.answer) resolve(data.answer.layer);
        };
        const about = { modelId: "minilm-l6", displayName: "all-MiniLM-L6-v2", neuronpedia: null };
        const question = { kind: "published", entry, about, manifestUrl, shown: 0 };
        worker.postMessage({ id: 1, kind: "load", question });
    });
    const rounded = (values) => values && [...values].map((value) => Number(value.toPrecision(5)));
    const comparable = ({ modelId, displayName, layer, count, labels, ...arrays }) => ({
        modelId, displayName, layer, count, labels,
        index: [...arrays.index],
        positions: [...arrays.positions],
        density: rounded(arrays.density),
        maxActivation: rounded(arrays.maxActivation),
        kept: rounded(arrays.kept),
        regions: arrays.regions,
        regionOf: [...arrays.regionOf],
        edges: Array.from(arrays.edges.source, (source, at) =>
            [source, arrays.edges.target[at], arrays.edges.weight[at].toFixed(4)].join(" ")).sort(),
    });
    const { table, ...withoutTable } = entry;
    return [comparable(await read(entry)), comparable(await read(withoutTable))];
}"""


def options(page, selector: str) -> list[str]:
    """The texts of a selector's options."""
    return page.locator(f"{selector} option").all_text_contents()


def picture(page) -> tuple[int, float]:
    """The number of colours on the map, and the share of bright pixels."""
    counted = page.evaluate(
        """async (png) => {
            const bytes = Uint8Array.from(atob(png), (character) => character.charCodeAt(0));
            const image = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
            const context = new OffscreenCanvas(image.width, image.height).getContext("2d");
            context.drawImage(image, 0, 0);
            const pixels = new Uint32Array(context.getImageData(0, 0, image.width, image.height).data.buffer);
            const bright = pixels.filter((pixel) => ((pixel >> 8) & 255) > 90); // by their green
            return [new Set(pixels).size, bright.length / pixels.length];
        }""",
        base64.b64encode(page.locator("#map").screenshot()).decode(),
    )
    return tuple(counted)


def test_the_folder_for_pages_shows_the_maps_from_tables_alone_with_a_network_and_without(demo, browser, tmp_path):
    site = Site(demo.folder / "results" / "site", tmp_path / "site")
    assert not [*site.folder.glob("*/layer-*.json*")]
    site.start()
    visit = Visit(browser, site)
    page = visit.open("#layer=5")
    assert options(page, "#layer") == ["4", "5"]
    page.evaluate("navigator.serviceWorker.ready.then(() => null)")
    assert visit.complaints == visit.elsewhere == []
    site.stop()
    page.reload()
    shown(page, 5)
    assert page.get_attribute("#summary", "data-from") == "cache"
    visit.context.close()


def test_shows_the_layers_of_the_demo(visit, keep_picture):
    page = visit.open()
    assert options(page, "#model") == ["all-MiniLM-L6-v2", "<i> hostile"]
    assert options(page, "#layer") == ["4", "5"]
    assert page.locator("#summary").text_content().startswith("2,048 features · ")
    at_rest(page)
    colors, bright = picture(page)
    assert colors > 500
    assert bright > 0.02
    assert page.locator(".scene-label").count() > 8
    keep_picture(page, "overview.png", width=1440, height=900)


def test_finds_a_word_flies_there_and_walks_along_a_link(visit, keep_picture):
    page = visit.open("#layer=5")
    page.keyboard.press("/")
    page.keyboard.type("monday")
    page.keyboard.press("Enter")  # before or after the result is there
    feature = page.locator("#feature")
    expect(feature.locator("h2")).to_have_text(WEEK)
    assert page.locator("#results li").count() == 1
    assert feature.get_by_text("Feature 1693").is_visible()
    related = " ".join(feature.locator(".walk").all_text_contents())
    assert "day; also days, daily, today" in related
    keep_picture(page, "monday.png", width=1440, height=900)
    link = feature.locator(".walk button").first
    label = link.locator(".label").text_content()
    assert float(link.locator(".cosine").text_content()) >= 0.25
    link.click()
    assert feature.locator("h2").text_content() == label
    expect(page).not_to_have_url(re.compile("feature=1693"))
    page.go_back()
    expect(feature.locator("h2")).to_have_text(WEEK)


def test_search_lists_with_the_keyboard_and_lights_up_what_it_finds(visit):
    page = visit.open("#layer=5")
    at_rest(page)
    before = picture(page)[1]
    page.fill("#search", "water")
    page.locator("#results li").nth(1).wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert page.get_attribute("#search", "aria-activedescendant") == "result-1"
    assert page.locator("#tooltip").is_visible()
    at_rest(page)
    assert picture(page)[1] < 0.9 * before  # the others are dimmed
    second = page.locator("#result-1 .label").text_content()
    page.keyboard.press("Enter")
    assert page.locator("#feature h2").text_content() == second
    page.keyboard.press("Escape")
    assert page.locator("#feature").is_hidden()
    page.keyboard.press("Escape")
    assert page.input_value("#search") == ""
    page.fill("#search", "#1693")
    expect(page.locator("#results li").first).to_contain_text(f"{WEEK}#1693")
    page.fill("#search", "xylophagous")
    expect(page.locator("#hits")).to_have_text("No feature found")


def test_hover_shows_the_label_and_click_selects(visit):
    page = visit.open("#layer=5&feature=1693")
    at_rest(page)
    page.locator("#map").focus()
    page.keyboard.press("Escape")
    page.keyboard.press("l")  # the label would be in the way of its point
    at_rest(page)
    # The camera's target is in the middle of the space that the panels leave free.
    middle = page.evaluate("(document.querySelector('#find').getBoundingClientRect().right + innerWidth) / 2")
    assert page.locator("#feature").is_hidden()
    page.mouse.move(middle, 350)
    page.locator("#tooltip").wait_for(state="visible")
    assert page.locator("#tooltip").text_content() == WEEK
    page.mouse.click(middle, 350)
    assert page.locator("#feature h2").text_content() == WEEK


def test_switches_layers_and_models_and_remembers_them_in_the_address(visit):
    page = visit.open("#layer=4")
    assert page.input_value("#layer") == "4"
    page.keyboard.press("]")
    shown(page, 5)
    expect(page).to_have_url(re.compile("layer=5"))
    page.keyboard.press("[")
    shown(page, 4)
    page.select_option("#layer", "5")
    shown(page, 5)
    page.select_option("#layer", "4")
    shown(page, 4)
    assert page.locator("#previous-layer").is_disabled()
    assert page.locator("#next-layer").is_enabled()
    page.select_option("#model", "hostile")
    shown(page, 3)
    expect(page).to_have_url(re.compile("model=hostile&layer=3"))
    assert options(page, "#layer") == ["3"]
    page.select_option("#model", "minilm-l6")
    shown(page, 5)
    assert options(page, "#layer") == ["4", "5"]


def test_a_link_opens_the_same_view(visit):
    page = visit.open("#layer=4&feature=100&color=density")
    at_rest(page)
    page.locator("#link-cosine").focus()
    page.keyboard.press("ArrowRight")
    least = page.locator("#link-least").text_content()
    page.locator("#map").focus()
    for key in ("ArrowLeft", "+"):
        page.keyboard.press(key)
        at_rest(page)
    view = page.evaluate("location.hash")
    again = visit.open(view)
    at_rest(again)
    assert again.evaluate("location.hash") == view
    assert again.locator("#feature h2").text_content() == page.locator("#feature h2").text_content()
    assert again.input_value("#coloring") == "density"
    assert again.locator("#link-least").text_content() == least
    assert "links=" in view


def test_a_link_to_what_is_not_here_says_so_and_selects_nothing(visit):
    page = visit.open("#model=gpt-9&layer=4&feature=1693&camera=1,2,3,4,5,6")
    cases = [
        ("#model=gpt-9&layer=4&feature=1693", "No model gpt-9 is published here.", 5),
        ("#layer=77&feature=1693", "minilm-l6 has no layer 77 here.", 5),
        ("#layer=4&feature=9999", "Feature 9999 is not on this map.", 4),
    ]
    for number, (address, message, layer) in enumerate(cases):
        if number > 0:
            page.evaluate("hash => { location.hash = hash; }", address)
        expect(page.locator("#message")).to_have_text(message)
        shown(page, layer)
        expect(page).to_have_url(re.compile(f"#model=minilm-l6&layer={layer}&camera="))
        assert page.input_value("#layer") == str(layer)
        assert page.locator("#feature").is_hidden()


def test_a_camera_that_shows_nothing_is_ignored(visit):
    page = visit.open("#layer=5&camera=99999,0,0,99999,0,5")
    at_rest(page)
    assert page.evaluate("location.hash.match(/camera=(.*)/)[1].split(',').every(x => Math.abs(x) < 300)")
    assert picture(page)[1] > 0.02


def test_a_second_visit_needs_no_network(visit, site):
    page = visit.open("#layer=5")
    assert page.get_attribute("#summary", "data-from") == "network"
    page.evaluate("navigator.serviceWorker.ready.then(() => null)")
    site.stop()
    page.reload()
    shown(page, 5)
    assert page.get_attribute("#summary", "data-from") == "cache"
    assert page.locator("#summary").text_content().startswith("2,048 features · ")
    assert "No network" in page.locator("#message").text_content()
    page.fill("#search", "monday")
    expect(page.locator("#results li")).to_have_count(1)
    page.keyboard.press("Escape")
    page.select_option("#layer", "4")  # never loaded, so it cannot be there
    expect(page.locator("#message")).to_contain_text("could not be fetched")
    assert page.input_value("#layer") == "5"
    site.start()
    page.select_option("#layer", "4")
    shown(page, 4)
    visit.complaints.clear()  # the browser itself reports requests without a response


def test_a_changed_layer_is_fetched_again(visit, site):
    page = visit.open("#model=hostile")
    site.add_model(layer_file("hostile", 3, ["changed", "and one more"], []))
    page.reload()
    shown(page, 3)
    assert page.get_attribute("#summary", "data-from") == "network"
    assert page.locator("#summary").text_content().startswith("2 features")


def test_a_broken_file_is_refused_and_the_rest_stays_usable(visit, site):
    path = site.folder / "minilm-l6" / "layer-4.parquet"
    content = path.read_bytes()
    page = visit.open("#layer=5")
    for spoilt, reason in (
        (content[:5000], "has 5000 bytes instead of the manifest's"),
        (content + b" ", "has more than the manifest's"),
        (content[:5000] + b"day" + content[5003:], "does not have the manifest's sha256"),
    ):
        path.write_bytes(spoilt)
        page.select_option("#layer", "4")
        expect(page.locator("#message")).to_contain_text(f"minilm-l6/layer-4.parquet {reason}")
        assert page.input_value("#layer") == "5"
    page.fill("#search", "monday")
    expect(page.locator("#results li")).to_have_count(1)
    path.write_bytes(content)
    page.select_option("#layer", "4")
    shown(page, 4)
    assert page.locator("#message").is_hidden()


def test_a_table_that_breaks_the_format_is_refused_by_name(visit, site):
    def far(table):
        return table.assign(y=table["y"].where(table["index"] != 7, 1e6))

    def astray(table):
        lists = table["neighbors"].tolist()
        lists[3] = [9999, *lists[3][1:]]
        return table.assign(neighbors=lists)

    def uneven(table):
        lists = table["similarities"].tolist()
        lists[3] = lists[3][:5]
        return table.assign(similarities=lists)

    name = "minilm-l6/layer-4.parquet"
    keep = (site.folder / name).read_bytes()
    for change, message in (
        (lambda table: table.drop(columns="label"), "layer-4.parquet: there is no column label"),
        (far, "layer-4.parquet: y of feature 7 is 1000000; coordinates must lie within ±1000"),
        (astray, "layer-4.parquet: feature 3 has neighbor 9999, which has no position"),
        (uneven, "layer-4.parquet: feature 3 has 40 neighbors and 5 similarities"),
    ):
        (site.folder / name).write_bytes(keep)
        site.change_table(name, change)
        _, text = visit.open_and_read_message("#model=minilm-l6&layer=4")
        assert message in text


def test_the_table_and_the_layer_file_show_the_same_map(browser, site):
    """Read by the page's own worker: the links among them, each pair once."""
    manifest = json.loads((site.folder / "minilm-l6" / "manifest.json").read_bytes())
    (worker,) = (site.folder / "assets").glob("layer.worker-*.js")
    context = browser.new_context(bypass_csp=True)
    page = context.new_page()
    page.goto(f"{site.url}index.json")
    for entry in manifest["layers"]:
        table, graph = page.evaluate(READ_TWICE, [f"assets/{worker.name}", entry, f"{site.url}minilm-l6/manifest.json"])
        assert len(table["edges"]) == entry["edgeCount"]
        assert len(table["regions"]) == len({region["id"] for region in table["regions"]}) > 10
        assert table == graph
    context.close()


def test_a_site_without_tables_shows_its_layer_files(visit, site):
    (site.folder / "minilm-l6" / "layer-4.parquet").unlink()
    page = visit.open("#layer=4&feature=3")
    assert page.locator("#feature h3").first.text_content().endswith("cosine")
    assert page.locator("#feature").get_by_text("Nearest in the full space").count() == 0
    visit.complaints[:] = [text for text in visit.complaints if "404" not in text]  # the browser's own report


def test_files_on_another_host_are_refused_and_not_requested(visit, site):
    elsewhere = f"http://localhost:{site.port}/some/path/minilm-l6"
    site.change(
        "minilm-l6/manifest.json",
        lambda manifest: manifest["layers"][0].update(
            filePath=f"{elsewhere}/layer-4.json",
            table=manifest["layers"][0]["table"] | {"filePath": "//[::1]/x.parquet"},
        ),
    )
    site.change("index.json", lambda index: index["models"][1].update(manifest=f"{elsewhere}/manifest.json"))
    page = visit.open("#layer=5")
    page.select_option("#layer", "4")
    message = page.locator("#message")
    expect(message).to_contain_text('minilm-l6/manifest.json names "//[::1]/x.parquet"')
    page.select_option("#model", "hostile")
    expect(message).to_contain_text(f'index.json names "{elsewhere}/manifest.json"')
    assert page.input_value("#model") == "minilm-l6"


def test_a_missing_worker_is_named(visit, site):
    (worker,) = (site.folder / "assets").glob("layer.worker-*.js")
    worker.unlink()
    page, text = visit.open_and_read_message()
    assert f"{worker.name} is missing or damaged: reload the page" in text
    assert page.locator("#progress").is_hidden()
    page.select_option("#layer", "5")
    expect(page.locator("#progress")).to_be_hidden()
    visit.complaints.clear()  # the browser's own report of the missing file


def test_a_missing_manifest_leaves_the_model_that_is_shown(visit, site):
    (site.folder / "hostile" / "manifest.json").write_text("<html>Not found</html>")
    page = visit.open("#layer=5")
    page.select_option("#model", "hostile")
    expect(page.locator("#message")).to_contain_text("hostile/manifest.json is a web page, not JSON")
    assert page.input_value("#model") == "minilm-l6"
    page.fill("#search", "monday")
    expect(page.locator("#results li")).to_have_count(1)


def test_reads_compressed_files_with_and_without_content_encoding(visit, site):
    for path in (site.folder / "minilm-l6").glob("layer-?.json"):
        path.unlink()  # only the compressed ones are there
    site.change("minilm-l6/manifest.json", lambda manifest: [entry.pop("table") for entry in manifest["layers"]])
    page = visit.open("#layer=4")
    site.headers = {"Content-Encoding": "gzip"}
    page.select_option("#layer", "5")
    shown(page, 5)
    assert page.get_attribute("#summary", "data-from") == "network"


def test_hostile_labels_are_shown_as_text(visit, keep_picture):
    page = visit.open("#model=hostile")
    assert page.title() == "<i> hostile, layer 3 · SAE Atlas"
    for index, label in enumerate(HOSTILE):
        page.fill("#search", f"#{index}")
        page.locator(f"#results li[data-node='{index}']").click()
        text = page.locator("#feature h2").text_content().removesuffix("…")
        assert text == re.sub(r"[\u202e\u202c\0\a\s]+", " ", label).strip()[: len(text)]
        assert len(text) >= min(len(label) - 4, 4000)
        page.locator(f"#results li[data-node='{index}']").hover()
    page.fill("#search", "")
    page.keyboard.press("Escape")
    page.click("#reset")
    keep_picture(page, "hostile.png")
    assert page.evaluate("window.hit") is None
    assert page.locator("img, iframe, script:not([src])").count() == 0


def test_the_policy_forbids_markup_from_text_and_other_hosts(visit):
    page = visit.open()
    markup = "try { document.body.innerHTML = '<b>x</b>'; 'done' } catch (error) { error.name }"
    assert page.evaluate(markup) == "TypeError"
    policy = page.get_attribute("meta[http-equiv]", "content")
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    visit.complaints.clear()  # the browser reports the refusal


def test_opens_the_visitors_own_files(visit):
    page = visit.open("#layer=5")
    first = layer_file("mine", 7, ["alpha", "beta; also gamma"], [(0, 1, 0.5)])
    second = layer_file("mine", 8, ["alpha"], [])
    content = [gzip.compress(json.dumps(graph).encode()) for graph in (first, second)]
    file = {"name": "layer-7.json.gz", "mimeType": "application/gzip", "buffer": content[0]}
    page.set_input_files("#file", file)
    shown(page, 7)
    assert page.locator("#summary").text_content() == "2 features · 1 link · all labelled · your file"
    assert page.evaluate("location.hash") == ""
    page.fill("#search", "gamma")
    page.keyboard.press("Enter")
    expect(page.locator("#feature .walk .label").first).to_have_text("alpha")
    page.evaluate(
        """bytes => {
            const transfer = new DataTransfer();
            transfer.items.add(new File([new Uint8Array(bytes)], "layer-8.json.gz"));
            document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, bubbles: true }));
        }""",
        list(content[1]),
    )
    shown(page, 8)
    assert options(page, "#model") == ["layer-8.json.gz", "all-MiniLM-L6-v2", "<i> hostile"]
    assert options(page, "#layer") == ["8"]
    assert page.locator("#legend").inner_text().split() == ["no", "link", "1"]
    assert page.evaluate("location.hash") == ""
    page.select_option("#model", "minilm-l6")  # back among the published
    shown(page, 5)
    expect(page).to_have_url(re.compile("layer=5"))
    assert options(page, "#model") == ["all-MiniLM-L6-v2", "<i> hostile"]
    assert options(page, "#layer") == ["4", "5"]


def test_refuses_a_file_that_is_not_a_layer(visit, tmp_path):
    page = visit.open("#layer=5")
    far = layer_file("m", 1, ["one", "two"], [], [[0, 0, 0], [0, 1e39, 0]])
    cases = [
        (json.dumps(far).encode(), "y of feature 1 is 1e+39"),
        (b'{"metadata": {"modelId": "m"}, "nodes": [], "edges": []}', "metadata must have required property 'layers'"),
        (b'{"metadata": {"modelId"', "is not valid JSON, or is incomplete"),
        (b"\xff\xfe\x00binary", "could not be read"),
        (b"\x1f\x8b\x08\x00broken", "could not be read"),
    ]
    for number, (content, message) in enumerate(cases):
        file = {"name": f"mine-{number}\u202e.json", "mimeType": "application/json", "buffer": content}
        page.set_input_files("#file", file)
        expect(page.locator("#message")).to_contain_text(re.compile(rf"mine-{number} .json\b.*{re.escape(message)}"))
    page.fill("#search", "monday")
    expect(page.locator("#results li")).to_have_count(1)


def test_colours_themes_and_their_legend(visit, keep_picture):
    page = visit.open("#layer=5")
    values = page.eval_on_selector_all("#coloring option", "options => options.map(option => option.value)")
    assert values == ["links", "region", "labelled", "similarity", "density", "activation", "kept", "track", "index"]
    legends = set()
    for value in values:
        page.select_option("#coloring", value)
        legends.add(page.locator("#legend").inner_html())
    assert len(legends) == len(values)
    page.keyboard.press("Escape")
    page.click("#theme")
    assert page.get_attribute("html", "data-theme") == "light"
    keep_picture(page, "light.png")
    page.reload()
    shown(page)
    assert page.get_attribute("html", "data-theme") == "light"


def test_every_control_has_a_name_and_can_be_reached_by_keyboard(visit):
    page = visit.open("#layer=5&feature=1693")
    nameless = page.evaluate(
        """() => [...document.querySelectorAll("button, select, input:not([hidden]), a, canvas")]
            .filter(e => !(e.ariaLabel || e.textContent.trim() || e.labels?.length))
            .map(e => e.outerHTML)"""
    )
    assert nameless == []
    reached = set()
    for _ in range(50):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.id || document.activeElement.textContent.trim()"))
    assert {"map", "model", "layer", "search", "coloring", "theme", "reset", "open"} <= reached
    assert any("day; also days" in text for text in reached)
    page.locator("#map").focus()
    page.keyboard.press("?")
    assert page.get_by_role("dialog").is_visible()
    assert "Drawn by" in page.locator("#renderer").text_content()
    page.keyboard.press("Escape")
    assert page.get_by_role("dialog").is_hidden()
    assert page.locator("#feature").is_visible()


def test_the_keyboard_keeps_its_place(visit):
    page = visit.open("#layer=5&feature=1693")
    focused = "document.activeElement.id || document.activeElement.tagName"
    page.locator("#feature .walk button").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#feature h2")).to_have_text(re.compile("^day; also days"))
    assert page.evaluate(focused) == "H2"
    page.get_by_role("button", name="Show all").first.focus()
    page.keyboard.press("Enter")
    assert page.evaluate(focused) == "BUTTON"
    page.keyboard.press("Escape")
    assert page.evaluate(focused) == "map"
    page.locator("#layer").focus()
    page.keyboard.press("[")  # a selector does not swallow the keys
    shown(page, 4)
    page.keyboard.press("/")
    page.keyboard.type("water")
    page.keyboard.press("Enter")
    expect(page.locator("#feature")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("]")
    shown(page, 5)
    assert page.input_value("#search") == "water"
    page.locator("#results li").first.click()
    page.keyboard.press("/")
    page.keyboard.press("Escape")  # out of the search, although it goes on
    expect(page.locator("#feature")).to_be_hidden()
    page.keyboard.press("[")
    shown(page, 4)
    assert page.input_value("#search") == "water"


def test_a_search_goes_along_to_other_layers_and_in_the_link(visit):
    page = visit.open("#layer=5&find=mondey")
    expect(page.locator("#results li").first).to_contain_text(f"{WEEK}#1693")
    page.fill("#search", "water")
    expect(page).to_have_url(re.compile("find=water"))
    at_rest(page)
    page.locator("#results li").first.click()
    page.keyboard.press("Escape")
    page.keyboard.press("[")
    shown(page, 4)
    expect(page.locator("#results li").first).to_contain_text("water#294")
    at_rest(page)
    found = page.locator(".scene-label.wanted").first.bounding_box()
    assert page.locator("#find").bounding_box()["width"] < found["x"] < 1000
    assert 0 < found["y"] < 700


def test_shows_what_is_near_in_the_full_space_and_in_the_map(visit, site):
    site.change_table("minilm-l6/layer-5.parquet", lambda table: table.assign(kept=table["index"] / 1693 * 0.4))
    page = visit.open("#layer=5&map=own&feature=1693")
    assert page.get_by_text("Neighbours kept in the map").locator("xpath=..").inner_text().endswith("40 %")
    full, near = page.locator("#feature section").all()
    assert full.locator("h3").inner_text().startswith("Nearest in the full space")
    assert full.locator("p").inner_text() == "2 links, in colour"
    full.get_by_role("button", name="Show all 40").click()
    near.get_by_role("button", name="Show all 15").click()
    both = [section.locator("li:has(.both:not([hidden])) .label").all_inner_texts() for section in (full, near)]
    assert sorted(both[0]) == sorted(both[1])
    assert "schedule, scheduler, scheduling" in both[0]
    shares = full.locator("li").evaluate_all("rows => rows.map(row => row.style.getPropertyValue('--share'))")
    assert (shares[0], shares[-1]) == ("1.000", "0.000")
    assert page.locator("#feature .token").first.inner_text() == "week"


def test_the_panel_lists_all_explanations(visit, site):
    texts = [{"label": f"text {at}\u202e", "explainer": "GPT" if at % 2 else None} for at in range(6)]
    column = {1693: texts, 7: texts[:2]}
    site.change_table(
        "minilm-l6/layer-5.parquet",
        lambda table: table.assign(explanations=[column.get(index) for index in table["index"]]),
    )
    page = visit.open("#layer=5&feature=1693")
    rows = page.locator("#feature .explanations li")
    expect(page.locator("#feature h2")).to_have_text(WEEK)
    expect(rows).to_have_count(5)
    assert rows.all_inner_texts()[:3] == ["text 1\nGPT", "text 2", "text 3\nGPT"]
    expect(rows.nth(3)).to_be_hidden()
    page.locator("#feature .explanations summary").focus()
    page.keyboard.press("Enter")
    expect(rows.nth(4)).to_be_visible()
    assert violations(page) == []
    page.fill("#search", "#7")
    page.keyboard.press("Enter")
    expect(rows).to_have_text(["text 1GPT"])
    page.fill("#search", "#8")
    page.keyboard.press("Enter")
    expect(page.locator("#feature .index").first).to_have_text("Feature 8")
    expect(page.locator("#feature .token").first).to_be_visible()
    expect(page.locator("#feature .explanations")).to_be_empty()


def test_follows_the_systems_theme(browser, site):
    for scheme in ("light", "dark"):
        page = Visit(browser, site, color_scheme=scheme).open()
        assert page.get_attribute("html", "data-theme") == scheme
        page.click("#theme")
        page.reload()
        shown(page)
        assert page.get_attribute("html", "data-theme") != scheme
        page.context.close()


def test_the_page_itself_is_stored_with_one_font(visit):
    page = visit.open("#layer=5")
    stored = page.evaluate(
        """async () => {
            await navigator.serviceWorker.ready;
            const [name] = await caches.keys();
            return (await (await caches.open(name)).keys()).map(request => request.url);
        }"""
    )
    assert len([url for url in stored if url.endswith(".woff2")]) == 1
    assert any("/assets/layer.worker-" in url for url in stored)


def test_the_page_is_small(demo):
    files = [path for path in (demo.folder / "results").glob("assets/*") if path.suffix in (".js", ".css")]
    files += [demo.folder / "results" / name for name in ("index.html", "sw.js")]
    assert sum(len(gzip.compress(path.read_bytes())) for path in files) < 260_000


def test_opened_from_disk_it_says_how_to_open_it(browser, demo):
    page = browser.new_page()
    page.goto((demo.folder / "results" / "index.html").as_uri())
    assert "python3 -m http.server" in page.locator("body").inner_text()
    assert page.locator("svg:visible").count() == 0
    page.close()


def test_no_state_violates_accessibility_rules(browser, site):
    for scheme in ("light", "dark"):
        page = Visit(browser, site, color_scheme=scheme).open("#layer=5")
        assert violations(page) == []
        page.fill("#search", "water")
        page.locator("#results li").first.wait_for()
        assert violations(page) == []
        page.locator("#results li").first.click()
        assert violations(page) == []
        page.keyboard.press("?")
        assert violations(page) == []
        page.keyboard.press("Escape")
        page.evaluate("location.hash = '#layer=77'")
        page.locator("#message").wait_for()
        assert violations(page) == []
        page.context.close()


def test_lists_results_where_there_is_little_room(browser, site, keep_picture):
    for width, height in ((844, 390), (720, 450), (390, 844), (320, 568)):
        page = Visit(browser, site, viewport={"width": width, "height": height}).open("#layer=5")
        page.fill("#search", "s")
        page.locator("#results li").nth(10).wait_for()
        box = page.locator("#results").bounding_box()
        assert box["height"] > 110, (width, height)
        assert box["x"] + box["width"] <= width
        keep_picture(page, f"results-{width}.png")
        page.context.close()


def test_find_box_and_legend_share_the_height(browser, site):
    graph = layer_file("grouped", 0, ["alpha"] * 40, [])
    for at, node in enumerate(graph["nodes"]):
        node["category"] = f"category {at % 12}"
    site.add_model(graph)
    for width, height in ((844, 390), (720, 450), (1000, 400), (390, 640)):
        page = Visit(browser, site, viewport={"width": width, "height": height}).open("#model=grouped&color=category")
        find, legend = (page.locator(name).bounding_box() for name in ("#find", "#legend-panel"))
        overflow = page.eval_on_selector("#find", "panel => panel.scrollHeight - panel.clientHeight")
        assert overflow <= 0, (width, height)
        assert find["y"] + find["height"] <= legend["y"], (width, height)
        assert legend["y"] + legend["height"] <= height, (width, height)
        page.context.close()


def test_fits_a_phone(browser, site, keep_picture):
    phone = {"viewport": {"width": 390, "height": 780}, "has_touch": True, "is_mobile": True}
    visit = Visit(browser, site, reduced_motion="no-preference", **phone)
    page = visit.open("#layer=5")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.fill("#search", "monday")
    page.locator("#results li").first.tap()
    assert page.locator("#feature h2").text_content() == WEEK
    boxes = [page.locator(name).bounding_box() for name in ("#find", "#feature")]
    assert all(box["x"] >= 0 and box["x"] + box["width"] <= 390 for box in boxes)
    assert boxes[0]["y"] + boxes[0]["height"] < boxes[1]["y"]  # the map shows between them
    at_rest(page)  # after the flight
    keep_picture(page, "phone.png")
    visit.context.close()
    assert visit.complaints == []


def test_search_and_lists_work_without_webgl(playwright, browser_path, site):
    flags = [flag for flag in FLAGS if "swiftshader" not in flag] + ["--disable-3d-apis"]
    browser = playwright.chromium.launch(executable_path=browser_path, args=flags)
    page = Visit(browser, site).open("#layer=5&feature=1693")
    assert page.get_by_text("cannot draw in 3D").is_visible()
    assert page.locator("#feature h2").text_content() == WEEK
    page.fill("#search", "monday")
    expect(page.locator("#results li")).to_have_count(1)
    page.locator("#contents").click()
    page.locator("#regions li").last.click()
    expect(page.locator("#region .walk button").first).to_be_visible()
    browser.close()
