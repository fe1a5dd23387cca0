"""Load and frame times of the explorer on maps as large as real ones:  python bench/measure_explorer.py

The page comes from results/ (target `explorer`); the maps are made up (tests/explorer/made_up.py), and read from their
tables. Prints a table and the name of the renderer that drew. `--against FOLDER` measures the explorer of another
checkout, built there, in the same run, map by map, in turn. --graphics-card draws with the machine's own renderer.
"""

import argparse
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import expect, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))
from conftest import FLAGS  # noqa: E402
from explorer.conftest import at_rest, shown  # noqa: E402
from explorer.made_up import LINKED, REAL_SIZE, WIDE, made_up_map, made_up_table  # noqa: E402
from explorer.site import Site  # noqa: E402

SIZES = {"sparse": (16_384, 12_600), "real": REAL_SIZE, "wide": WIDE}  # features, links
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
    for (let before = started; before - started < 1000 * seconds || times.length < 10;) {
        at("pointermove", 700 + 3 * times.length);
        const now = await new Promise(requestAnimationFrame);
        times.push(now - before);
        before = now;
    }
    at("pointerup", 700);
    return times;
}"""


def measure(browser, site: Site, model: str) -> tuple[dict[str, float], str]:
    """Milliseconds of one map, loaded from the network, from the cache, and a frame while it turns; the renderer."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(180_000)
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
        # The mean: a browser may begin a frame before the last one is drawn.
        "frame": statistics.mean(frames),
        "slow frame": sorted(frames)[int(0.95 * len(frames))],
    }
    page.keyboard.press("?")
    renderer = page.locator("#renderer").text_content()
    context.close()
    return result, renderer


def main() -> None:
    """Measure every size in every explorer, and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", type=Path, default=ROOT / "results", help="folder with the built explorer")
    parser.add_argument("--against", type=Path, help="another checkout, with its explorer built in its results/")
    parser.add_argument("--sizes", nargs="+", choices=SIZES, default=list(SIZES), help="maps to measure")
    parser.add_argument("--repeat", type=int, default=3, help="times to measure each; the medians are printed")
    parser.add_argument("--graphics-card", action="store_true", help="draw with the machine's own renderer")
    arguments = parser.parse_args()
    pages = {"this": arguments.results}
    if arguments.against:
        pages[arguments.against.name] = arguments.against / "results"
    program = next(filter(None, map(shutil.which, ["chromium", "chromium-browser", "google-chrome"])), None)
    missing = [str(folder) for folder in pages.values() if not (folder / "index.html").exists()]
    if program is None or missing:
        sys.exit(f"Needed: a Chromium, and the explorer (`snakemake --cores 1 explorer`). Missing: {missing}")
    flags = [flag for flag in FLAGS if not (arguments.graphics_card and "swiftshader" in flag)]
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        sites = {name: Site(results, Path(folder) / name) for name, results in pages.items()}
        for site in sites.values():
            site.start()
        browser = playwright.chromium.launch(executable_path=program, args=flags)
        print("milliseconds: load from network, from cache; mean and 95 % of frames")
        for size in arguments.sizes:
            features, links = SIZES[size]
            graph = made_up_map(size, features, links)
            table, links = made_up_table(graph)
            for site in sites.values():
                site.add_model(graph, table, LINKED)
            results = {name: [] for name in sites}
            for _ in range(arguments.repeat):
                for name, site in sites.items():
                    times, renderer = measure(browser, site, size)
                    results[name].append(times)
            for name, runs in results.items():
                columns = "".join(f"{statistics.median(run[key] for run in runs):9.1f}" for key in runs[0])
                print(f"{size:7}{features:8,} features{links:8,} links  {name:12}{columns}", flush=True)
        print(renderer)
        browser.close()
        for site in sites.values():
            site.stop()


if __name__ == "__main__":
    main()
