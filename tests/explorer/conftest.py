"""The demo's results with the explorer, and a browser to look at them."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from conftest import ROOT, Project, copy_workflow

from .site import HOSTILE, Site, layer_file


@pytest.fixture(scope="session")
def demo(browser_path, tmp_path_factory) -> Path:
    """The folder that `make demo` leaves. What an earlier `make demo` left is reused."""
    folder = tmp_path_factory.mktemp("demo") / "project"
    folder.mkdir()
    copy_workflow(folder)
    made = ROOT / "results"
    if (made / "minilm-l6" / "manifest.json").exists() and (made / "index.html").exists():
        for name in ("minilm-l6", "assets"):
            shutil.copytree(made / name, folder / "results" / name)
        for name in ("index.html", "sw.js"):
            shutil.copy2(made / name, folder / "results" / name)
        shutil.copytree(ROOT / ".snakemake" / "metadata", folder / ".snakemake" / "metadata")
    Project(folder, "config/demo.yaml").snakemake("all", "explorer", "--rerun-triggers", "mtime")
    return folder / "results"


@pytest.fixture
def site(demo, tmp_path) -> Iterator[Site]:
    """The demo on a server, with a second model whose labels are hostile."""
    site = Site(demo, tmp_path / "site")
    links = [(0, 1, 0.9), (0, 2, 0.8), (1, 5, 0.5)]
    site.add_model(layer_file("hostile", 3, [*HOSTILE, None], links))
    site.start()
    yield site
    site.stop()


class Visit:
    """A visitor's browser: pages, and their complaints, and their requests to other hosts."""

    def __init__(self, browser, site: Site, **options):
        options = {"viewport": {"width": 1000, "height": 700}} | options
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

    def _on_console(self, message) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.type}: {message.text}")

    def _on_request(self, request) -> None:
        if not request.url.startswith((f"http://127.0.0.1:{self.site.port}/", "blob:", "data:")):
            self.elsewhere.append(request.url)


def shown(page, layer: int | None = None) -> None:
    """Wait until a layer, or this one, is shown."""
    number = r"\d+" if layer is None else layer
    expect(page).to_have_title(re.compile(rf"layer {number} · SAE Atlas"), timeout=30_000)


def at_rest(page) -> None:
    """Wait until nothing on the map moves any more."""
    expect(page.locator("#map")).to_have_attribute("aria-busy", "false", timeout=30_000)


@pytest.fixture
def visit(browser, site) -> Iterator[Visit]:
    """A visitor; at the end, no errors on the console and no request to another host."""
    visit = Visit(browser, site)
    yield visit
    visit.context.close()
    assert visit.elsewhere == []
    assert visit.complaints == []
