"""The demo's results with the explorer, and a browser to look at them."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import ROOT, Project, once, unavailable

from .site import HOSTILE, Site, layer_file

PICTURES = bool(os.environ.get("SCREENSHOTS"))


@pytest.fixture(scope="session")
def demo(browser_path, demo_run, tmp_path_factory) -> Project:
    """The explorer, the maps of the demo's last two layers, and the folder for Pages with both."""

    def make(folder: Path) -> None:
        two = demo_run.copy(folder).changed(folder / "two.yaml", {"layers": "4-5"})
        two.snakemake("explorer", "site")

    return Project(once(tmp_path_factory, "explorer", make), "two.yaml")


@pytest.fixture
def site(demo, tmp_path) -> Iterator[Site]:
    """The demo on a server, with a second model whose labels are hostile."""
    site = Site(demo.folder / "results", tmp_path / "site")
    links = [(0, 1, 0.9), (0, 2, 0.8), (1, 5, 0.5)]
    graph = layer_file("hostile", 3, [*HOSTILE, None], links)
    graph["metadata"]["displayName"] = "<i>\u202ehostile"
    site.add_model(graph)
    site.start()
    yield site
    site.stop()


class Visit:
    """A visitor's browser: pages, and their complaints, and their requests to other hosts."""

    def __init__(self, browser, site: Site, **options):
        # Animations, and pixels that are drawn in software, only cost time unless somebody looks at them.
        quick = {"reduced_motion": "reduce", "device_scale_factor": 1 if PICTURES else 0.5}
        options = {"viewport": {"width": 1000, "height": 700}, "color_scheme": "dark"} | quick | options
        self.site = site
        self.context = browser.new_context(**options)
        self.complaints: list[str] = []
        self.elsewhere: list[str] = []
        self.context.on("console", self._on_console)
        self.context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        self.context.on("request", self._on_request)

    def open(self, hash_: str = ""):
        """A new page; returns when a layer is shown."""
        page = self.context.new_page()
        page.goto(self.site.url + hash_)
        shown(page)
        return page

    def open_and_read_message(self, hash_: str = ""):
        """A new page and its message; returns when there is one."""
        page = self.context.new_page()
        page.goto(self.site.url + hash_)
        page.locator("#message").wait_for()
        return page, page.locator("#message").text_content().strip()

    def _on_console(self, message) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.type}: {message.text}")

    def _on_request(self, request) -> None:
        if not request.url.startswith((f"http://127.0.0.1:{self.site.port}/", "blob:", "data:")):
            self.elsewhere.append(request.url)


def shown(page, layer: int | None = None) -> None:
    """Wait until a layer, or this one, is shown."""
    number = r"\d+" if layer is None else layer
    page.wait_for_function("title => document.title.match(title)", arg=rf"layer {number} · SAE Atlas")


def at_rest(page) -> None:
    """Wait until nothing on the map moves any more."""
    page.wait_for_function("() => document.querySelector('#map').ariaBusy === 'false'")


def violations(page) -> list:
    """What axe-core finds wrong with the page as it is."""
    script = ROOT / "explorer" / "node_modules" / "axe-core" / "axe.min.js"
    if not script.exists():
        unavailable("axe-core is missing: `make gates` installs it with the explorer's other packages")
    page.evaluate(script.read_text(encoding="utf-8"))
    rules = "async () => (await axe.run()).violations.map(({ id, nodes }) => [id, nodes.map(node => node.html)])"
    return page.evaluate(rules)


@pytest.fixture
def keep_picture(screenshots):
    """Function that stores a picture of a page at rest, if SCREENSHOTS names a folder for it."""

    def keep(page, name: str, **size) -> None:
        if not PICTURES:
            return
        if size:
            page.set_viewport_size(size)
        at_rest(page)
        page.screenshot(path=screenshots / name)

    return keep


@pytest.fixture
def visit(browser, site) -> Iterator[Visit]:
    """A visitor; at the end, no errors on the console and no request to another host."""
    visit = Visit(browser, site)
    yield visit
    visit.context.close()
    assert visit.elsewhere == []
    assert visit.complaints == []
