"""`snakemake --report` in a browser: folders, captions, images and tables, with no network request."""

import zipfile

import pytest


@pytest.fixture(scope="module")
def report(browser_path, toy_run, tmp_path_factory):
    """Folder of the toy run's report, unpacked from the zip."""
    folder = tmp_path_factory.mktemp("report")
    toy_run.snakemake("--report", folder / "report.zip")
    with zipfile.ZipFile(folder / "report.zip") as packed:
        packed.extractall(folder)
    return folder / "report"


@pytest.fixture
def page(browser, report):
    """The report in the browser; afterwards, asserts that there was no error and no request to elsewhere."""
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    page, errors, requests = context.new_page(), [], []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    page.goto((report / "report.html").as_uri())
    yield page
    context.close()
    assert errors == []
    assert [url for url in requests if not url.startswith(("data:", report.as_uri()))] == []


def listed(page, folder: str) -> list[str]:
    """Open a folder of the toy model and return the text of its rows."""
    page.get_by_role("link", name="Results").click()
    page.get_by_role("link", name=folder, exact=True).click()
    return [text.strip() for text in page.locator("tbody tr").all_inner_texts()]


def show(page, row: int) -> None:
    """Click the eye of a row."""
    page.locator("tbody tr").nth(row).get_by_role("link").first.click()


def image_size(page) -> tuple[int, int]:
    """Wait for the displayed image and return its width and height in pixels."""
    image = page.locator("#app .p-3 > img").element_handle()
    page.wait_for_function("image => image.complete && image.naturalWidth > 0", arg=image)
    return tuple(image.evaluate("image => [image.naturalWidth, image.naturalHeight]"))


def test_it_opens_with_an_introduction(page):
    page.get_by_text("SAE Atlas maps the features of a language model").wait_for()
    assert page.get_by_text("This report shows one run: toy.").is_visible()
    page.locator("#rulegraph canvas, #rulegraph svg").first.wait_for()


def test_each_layer_has_its_figure_with_a_caption(page):
    assert [text.strip("\u2007") for text in listed(page, "Layers")] == ["0", "1"]
    for row in (0, 1):
        show(page, row)
        assert image_size(page)[0] == 1654
    page.locator("tbody tr").nth(1).get_by_role("link").nth(1).click()
    page.get_by_text("Layer 1 of Toy from three sides").wait_for()


def test_the_model_has_its_overview_its_tables_and_its_manifest(page, report):
    rows = listed(page, "All layers")
    expected = [
        "how long features live",
        "manifest.json",
        "overview",
        "quality.tsv",
        "regions through the layers",
        "table",
    ]
    assert rows == expected
    show(page, rows.index("overview"))
    assert image_size(page)[0] == 1654
    show(page, rows.index("table"))
    table = page.frame_locator("iframe")
    table.get_by_role("heading", name="Toy").wait_for()
    assert table.locator("tr").count() == 3
    for row in ("manifest.json", "quality.tsv"):
        link = page.locator("tbody tr").nth(rows.index(row)).get_by_role("link").first
        assert (report / link.get_attribute("href")).name == row
        assert (report / link.get_attribute("href")).is_file()


def test_statistics_show_the_run_times(page):
    page.get_by_role("link", name="Statistics").click()
    page.locator("#runtimes canvas, #runtimes svg").first.wait_for()
    assert page.evaluate("runtimes_spec.data.values.filter(job => job.rule == 'compute_coords').length") == 2
