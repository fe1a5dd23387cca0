"""Say what a run made, where it lies and how to look at it:  python scripts/describe_maps.py results/*/manifest.json"""

import json
import sys
from pathlib import Path


def describe(manifest: Path) -> str:
    """A few lines on the maps of one manifest."""
    listed = json.loads(manifest.read_bytes())
    lines = [
        f"{listed['displayName']}: {len(listed['layers'])} of {listed['totalLayers']} layers in {manifest.parent}/",
        "  layer  features  labelled   links      size  file",
    ]
    for layer in listed["layers"]:
        lines.append(
            f"  {layer['layer']:>5}  {layer['featureCount']:>8,}  {layer['labeledCount']:>8,}  {layer['edgeCount']:>6,}"
            f"  {layer['fileSize'] / 1e6:>5.1f} MB  {layer['filePath']}"
        )
    return "\n".join([*lines, f"  listed with sizes and SHA-256 in {manifest}"])


def how_to_look(results: Path) -> str:
    """The command that opens the explorer; how to build it where it is not built."""
    if not (results / "index.html").exists():
        return "To look at them in a browser, build the explorer with the target `explorer`."
    return (
        f"To look at them:  python3 -m http.server --bind 127.0.0.1 --directory {results}\n"
        "and open http://127.0.0.1:8000/"
    )


if __name__ == "__main__":
    manifests = [Path(path) for path in sys.argv[1:]]
    print("\n\n".join(map(describe, manifests)))
    print(f"\n{how_to_look(manifests[0].parents[1])}")
