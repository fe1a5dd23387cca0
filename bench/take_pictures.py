"""The explorer's pictures for the documents, taken of the demo:  python bench/take_pictures.py [NAME ...]

Needs the demo's maps and explorer in results/ (`make demo`), and a Chromium. Writes docs/images/explorer*.webp.
"""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

from PIL import Image
from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))
from conftest import FLAGS  # noqa: E402
from explorer.conftest import at_rest, shown  # noqa: E402
from explorer.site import Site  # noqa: E402

IMAGES = ROOT / "docs" / "images"
MODEL = "minilm-l6"

Step = Callable[[Page], object]


class Picture(NamedTuple):
    """A view of the demo, what a visitor does there, and the part of the window that is kept."""

    name: str
    # What the page's address holds beside the model.
    address: str
    steps: tuple[Step, ...] = ()
    window: tuple[int, int] = (1000, 660)
    # left, top, right, bottom; None: the whole window
    crop: tuple[int, int, int, int] | None = None


def press(keys: str) -> Step:
    """A key of the page."""
    return lambda page: page.keyboard.press(keys)


def click(selector: str) -> Step:
    """A click on an element."""
    return lambda page: page.locator(selector).click()


def enter(selector: str, text: str) -> Step:
    """A text typed into a field, and Enter."""
    return lambda page: page.locator(selector).fill(text) or page.locator(selector).press("Enter")


def wait_for(text: str) -> Step:
    """Until the page says so."""
    return lambda page: page.get_by_text(text, exact=True).wait_for()


def scroll(heading: str) -> Step:
    """A panel scrolled to a heading."""
    return lambda page: page.get_by_role("heading", name=heading).evaluate("heading => heading.scrollIntoView()")


# Without the column on the left.
RIGHT = (320, 0, 1000, 660)

DENSEST = "804, 1604, 1676, 1164, 933, 14, 582, 1214, 411, 460, 474, 2007, 693, 1816, 218, 783, 171, 1406, 2047, 803"

PICTURES = [
    Picture("explorer", "layer=2&feature=1981&color=region", window=(1200, 750)),
    Picture("explorer-longest", "layer=0&feature=633&find=day%20month%20year%20time&color=track", crop=RIGHT),
    Picture(
        "explorer-neighbours",
        "layer=2&feature=1981&color=similarity",
        (scroll("Nearest in the full space"),),
        crop=RIGHT,
    ),
    Picture("explorer-doubtful", "layer=5&color=kept&only=kept:..0.07"),
    Picture("explorer-split", "layer=4&feature=1470", crop=RIGHT),
    Picture("explorer-region", "layer=5&map=own&region=r1.4"),
    Picture("explorer-rare", "layer=1&color=density&only=density:..0.0003&silent=shown"),
    Picture("explorer-drift", "layer=3&feature=1906", crop=RIGHT),
    Picture("explorer-bridge", "layer=5&feature=1580&color=region", (scroll("Nearest in the full space"),), crop=RIGHT),
    Picture(
        "explorer-list",
        "layer=5&region=r1.5",
        (press("s"), enter("#pin-text", DENSEST), click("#close-message"), press("r")),
        crop=RIGHT,
    ),
    Picture(
        "explorer-layers",
        "layer=0&compare=5&find=piece",
        (wait_for("Layer 5 · 95 found"),),
        window=(1300, 660),
        crop=(320, 0, 1300, 660),
    ),
]


def take(page: Page, picture: Picture) -> Image.Image:
    """The picture of a page that has just been opened."""
    shown(page)
    at_rest(page)
    for step in picture.steps:
        step(page)
        at_rest(page)
    # No ring around what has the focus.
    page.evaluate("document.activeElement.blur()")
    at_rest(page)
    return Image.open(BytesIO(page.screenshot())).convert("RGB").crop(picture.crop)


def main() -> None:
    """Take all pictures, or those of these names."""
    names = [picture.name for picture in PICTURES]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"pictures to take: {', '.join(names)}")
    parser.add_argument("--results", type=Path, default=ROOT / "results", help="folder with the demo and its explorer")
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(names):
        parser.error(f"no such picture: {', '.join(sorted(unknown))}")
    program = next(filter(None, map(shutil.which, ["chromium", "chromium-browser", "google-chrome"])), None)
    needed = [arguments.results / name for name in ("index.html", f"{MODEL}/manifest.json")]
    if program is None or not all(file.exists() for file in needed):
        sys.exit(f"Needed: a Chromium, and the demo with its explorer in {arguments.results} (`make demo`)")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        site = Site(arguments.results, Path(folder))
        site.start()
        browser = playwright.chromium.launch(executable_path=program, args=list(FLAGS))
        for picture in PICTURES:
            if arguments.names and picture.name not in arguments.names:
                continue
            width, height = picture.window
            page = browser.new_page(
                viewport={"width": width, "height": height}, color_scheme="light", reduced_motion="reduce"
            )
            # Without the hint for a first visit.
            page.add_init_script("localStorage.setItem('visited', 'yes')")
            page.goto(f"{site.url}#model={MODEL}&{picture.address}")
            path = IMAGES / f"{picture.name}.webp"
            take(page, picture).save(path, quality=76, method=6)
            page.close()
            print(f"{path.relative_to(ROOT)}: {path.stat().st_size / 1000:.0f} kB")
        browser.close()
        site.stop()


if __name__ == "__main__":
    main()
