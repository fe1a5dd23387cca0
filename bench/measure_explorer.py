"""Load and frame times of the explorer on maps as large as real ones:  python bench/measure_explorer.py

The page comes from results/ (target `explorer`); the maps are made up: features in clusters, labels of a few
words. Prints a table and the name of the renderer that drew. --graphics-card draws with the machine's own.
"""

import argparse
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

import numpy as np
from playwright.sync_api import expect, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))
from conftest import FLAGS  # noqa: E402
from explorer.conftest import at_rest, shown  # noqa: E402
from explorer.site import Site, layer_file  # noqa: E402

SIZES = {"16k": (16_384, 12_600), "65k": (65_536, 100_000)}  # features, links
WORDS = ["water", "stone", "river", "monday", "court", "law", "music", "number", "list", "of", "names"]
SECONDS = 6  # of turning the map

TURN = """async seconds => {
    const canvas = document.querySelector("#map");
    const at = (type, x) => canvas.dispatchEvent(new PointerEvent(type, {
        pointerId: 1, isPrimary: true, pointerType: "mouse", button: 0, buttons: type === "pointerup" ? 0 : 1,
        clientX: x, clientY: 400, bubbles: true }));
    canvas.setPointerCapture = canvas.releasePointerCapture = () => {};
    at("pointerdown", 700);
    const times = [];
    const started = performance.now();
    for (let before = started; before - started < 1000 * seconds;) {
        at("pointermove", 700 + 3 * times.length);
        const now = await new Promise(requestAnimationFrame);
        times.push(now - before);
        before = now;
    }
    at("pointerup", 700);
    return times.slice(2);
}"""


def made_up_map(model: str, features: int, links: int) -> dict:
    """A layer's graph: features in clusters, linked to others of their cluster."""
    random = np.random.default_rng(0)
    clusters = features // 60
    centers = random.normal(size=(clusters, 3)) * 16
    cluster = random.integers(clusters, size=features)
    positions = (centers[cluster] + random.normal(size=(features, 3)) * 1.5).round(4)
    order = np.argsort(cluster, kind="stable")
    source = random.integers(features - 8, size=links)
    pairs = np.sort(np.stack([order[source], order[source + random.integers(1, 8, size=links)]]), axis=0)
    pairs = np.unique(pairs, axis=1)
    weights = random.uniform(0.25, 0.9, size=pairs.shape[1]).round(4)
    labels = [" ".join(words) for words in random.choice(WORDS, size=(features, 5))]
    graph = layer_file(model, 0, labels, [*zip(*pairs.tolist(), weights.tolist(), strict=True)], positions.tolist())
    graph["metadata"]["nodeFacts"] = {"density": random.uniform(1e-5, 1e-1, size=features).round(6).tolist()}
    return graph


def measure(browser, site: Site, model: str) -> dict[str, float | str]:
    """Milliseconds of one map: loaded from the network, loaded from the cache, and a frame while it turns."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()

    def load(how) -> float:
        how()
        shown(page)
        at_rest(page)
        return page.evaluate("performance.getEntriesByName('layer-shown').at(-1).duration")

    network = load(lambda: page.goto(f"{site.url}#model={model}"))
    cache = load(page.reload)
    expect(page.locator("#summary")).to_have_attribute("data-from", "cache")
    frames = page.evaluate(TURN, SECONDS)
    result = {
        "network": network,
        "cache": cache,
        "frame": statistics.median(frames),
        "slow frame": sorted(frames)[int(0.95 * len(frames))],
    }
    page.keyboard.press("?")
    result["renderer"] = page.locator("#renderer").text_content()
    context.close()
    return result


def main() -> None:
    """Measure both sizes and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", type=Path, default=ROOT / "results", help="folder with the built explorer")
    parser.add_argument("--graphics-card", action="store_true", help="draw with the machine's own renderer")
    arguments = parser.parse_args()
    program = next(filter(None, map(shutil.which, ["chromium", "chromium-browser", "google-chrome"])), None)
    if program is None or not (arguments.results / "index.html").exists():
        sys.exit("Needed: a Chromium, and the explorer, which `snakemake --cores 1 explorer` builds.")
    flags = [flag for flag in FLAGS if not (arguments.graphics_card and "swiftshader" in flag)]
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        site = Site(arguments.results, Path(folder) / "site")
        for name, size in SIZES.items():
            site.add_model(made_up_map(name, *size))
        site.start()
        browser = playwright.chromium.launch(executable_path=program, args=flags)
        print("milliseconds: load from network, from cache; median and 95 % of frames")
        for name, (features, links) in SIZES.items():
            times = measure(browser, site, name)
            columns = "".join(f"{value:9.1f}" for value in times.values() if not isinstance(value, str))
            print(f"{name:5}{features:7,} features{links:8,} links{columns}")
        print(times["renderer"])
        browser.close()
        site.stop()


if __name__ == "__main__":
    main()
